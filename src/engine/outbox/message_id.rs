//! Message ids, but for the part behind the `@`. To a mail program two mails of one id are one mail: so two that
//! tell different things never share one, and what is told once more should be the same mail.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::notice::Notice;
use crate::engine::recipients::Recipient;

/// The ids of this run.
#[derive(Clone, Copy, Debug)]
pub(super) struct MessageIds {
    /// Makes them differ from those of any other run and daemon.
    seed: u64,
}

impl MessageIds {
    pub(super) fn new(seed: u64) -> MessageIds {
        MessageIds { seed }
    }

    /// Of a mail like no other.
    pub(super) fn of_mail(self, number: u64) -> String {
        format!("{:016x}.{number}", self.seed)
    }
}

/// The id that follows from what a mail tells, when it goes on with what its reader was told in the mails
/// `thread`. A run that ended while the disk was full leaves the next one to tell it again.
///
/// Whom it is for, which apps it is of, in which state they are, and the mails that it answers: those have
/// ids that nobody can guess, and whatever else is told of the app is one more of them.
pub(super) fn following(to: &Recipient, notice: &Notice, thread: &[String]) -> Option<String> {
    let told: Vec<(&str, &str)> = match notice {
        Notice::Change(_) | Notice::AllBack(_) => {
            notice.told().map(|(app, state)| (app, state.word())).collect()
        }
        // They tell of a time, and are never the same.
        Notice::Report(_)
        | Notice::Outage(_)
        | Notice::Blind(_)
        | Notice::Watching { .. }
        | Notice::Test { .. } => return None,
    };
    if thread.is_empty() {
        return None;
    }
    let mut hasher = DefaultHasher::new();
    (to.to_string(), told, thread).hash(&mut hasher);
    Some(format!("{:016x}", hasher.finish()))
}

/// Whether an id follows from what its mail tells: then it is not for one that tells more.
pub(super) fn follows(message_id: &str) -> bool {
    !message_id.contains('.')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::outbox::notice::{AllBack, Change};
    use crate::engine::state::State;
    use crate::engine::time::{Stamp, Wall};

    fn change(app: &str, to: State, second: i64) -> Notice {
        let at = Stamp::on_record(Wall::from_unix_millis(second * 1000));
        Notice::Change(Change {
            app: app.to_owned(),
            url: String::new(),
            from: State::Unhealthy,
            to,
            at,
            since: at,
            lasted_ms: 5,
            lasted_at_least: false,
            keeps_failing: false,
            reason: String::new(),
            body: None,
            recent: Vec::new(),
        })
    }

    fn back(apps: &[&str]) -> Notice {
        let at = Stamp::on_record(Wall::default());
        let apps = apps.iter().map(ToString::to_string).collect();
        Notice::AllBack(AllBack { apps, since: at, at, lasted_ms: 0, lasted_at_least: false })
    }

    #[test]
    fn the_same_news_has_the_same_id_whenever_it_is_told_and_other_news_another() {
        let id = |to: &str, notice: &Notice, thread: &[&str]| {
            let thread: Vec<String> = thread.iter().map(ToString::to_string).collect();
            following(&Recipient::mail(to), notice, &thread)
        };
        let end = id("a@b.c", &change("NAS", State::Healthy, 1), &["m1"]);
        assert_eq!(id("a@b.c", &change("NAS", State::Healthy, 900), &["m1"]), end);
        let others = [
            id("d@e.f", &change("NAS", State::Healthy, 1), &["m1"]),
            id("a@b.c", &change("TV", State::Healthy, 1), &["m1"]),
            id("a@b.c", &change("NAS", State::Degraded, 1), &["m1"]),
            id("a@b.c", &change("NAS", State::Healthy, 1), &["m2"]),
            id("a@b.c", &change("NAS", State::Healthy, 1), &["m1", "m2"]),
            id("a@b.c", &back(&["NAS", "TV"]), &["m1"]),
            id("a@b.c", &back(&["NAS", "Pi"]), &["m1"]),
        ];
        let all: std::collections::BTreeSet<_> = others.iter().chain([&end]).collect();
        assert_eq!(all.len(), 8);
        assert!(all.into_iter().all(|id| id.as_deref().is_some_and(follows)));
    }

    #[test]
    fn what_begins_a_story_has_an_id_of_its_own() {
        let to = Recipient::mail("a@b.c");
        assert_eq!(following(&to, &change("NAS", State::Unhealthy, 1), &[]), None);
        let test = Notice::Test { at: Stamp::on_record(Wall::default()) };
        assert_eq!(following(&to, &test, &["m1".to_owned()]), None);
        let ids = MessageIds::new(7);
        assert_ne!(ids.of_mail(1), ids.of_mail(2));
        assert!(!follows(&ids.of_mail(1)));
    }
}
