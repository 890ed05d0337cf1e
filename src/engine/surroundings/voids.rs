//! How long failures of an app may be void: what comes and goes must not hide it for ever.

use std::time::Duration;

use crate::engine::registry::AppId;
use crate::engine::sorted::SortedMap;
use crate::engine::time::Moment;

/// So long others may be seen while its failures are void; then they count.
pub(super) const HIDDEN_AT_MOST: Duration = Duration::from_secs(30 * 60);

/// Whose failures have been void, and who was seen meanwhile.
#[derive(Debug, Default)]
pub(super) struct Voids {
    /// Those that have not answered since.
    hidden: SortedMap<AppId, Hidden>,
    /// Who of those on other machines answered last, and another one before.
    seen: [Option<(AppId, Moment)>; 2],
}

/// An app whose failures are void.
#[derive(Clone, Copy, Debug)]
struct Hidden {
    /// Since then.
    since: Moment,
    /// When another was seen first after that: while nobody is, it is not hidden alone.
    other_seen: Option<Moment>,
}

impl Voids {
    /// An app on another machine has answered.
    pub(super) fn handle_answer(&mut self, at: Moment, id: AppId) {
        self.hidden.remove(&id);
        let [newest, older] = &mut self.seen;
        if newest.is_some_and(|(seen, _)| seen != id) {
            *older = *newest;
        }
        *newest = Some((id, at));
    }

    /// Whether one more failure of an app may be void.
    pub(super) fn may_be_void(&mut self, at: Moment, id: AppId) -> bool {
        let fresh = Hidden { since: at, other_seen: None };
        let mut hidden = self.hidden.get(&id).copied().unwrap_or(fresh);
        let others = self.seen.iter().flatten().filter(|(other, _)| *other != id);
        let seen = others.map(|(_, seen_at)| *seen_at).filter(|seen_at| *seen_at > hidden.since);
        hidden.other_seen = hidden.other_seen.or(seen.min());
        self.hidden.insert(id, hidden);
        hidden.other_seen.is_none_or(|seen_at| at.since(seen_at) < HIDDEN_AT_MOST)
    }

    pub(super) fn forget(&mut self, id: AppId) {
        self.hidden.remove(&id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(minutes: u64) -> Moment {
        Moment::START + Duration::from_secs(60 * minutes)
    }

    const NAS: AppId = AppId(1);
    const TV: AppId = AppId(2);

    #[test]
    fn once_others_are_seen_failures_count_after_half_an_hour() {
        let mut voids = Voids::default();
        voids.handle_answer(at(0), TV);
        assert!(voids.may_be_void(at(1), NAS));
        assert!(voids.may_be_void(at(90), NAS), "nobody was seen since");
        voids.handle_answer(at(91), TV);
        assert!(voids.may_be_void(at(92), NAS));
        voids.handle_answer(at(119), TV);
        assert!(voids.may_be_void(at(120), NAS));
        assert!(!voids.may_be_void(at(121), NAS));
        voids.handle_answer(at(122), NAS);
        assert!(voids.may_be_void(at(123), NAS), "it has answered");
    }
}
