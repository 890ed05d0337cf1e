//! What acts on an app for a while, and what a check gets by it alone.

use std::ops::RangeInclusive;

use crate::chance::{SECOND, mix};
use crate::deed::Says;
use crate::story::Ms;

/// Where on the way to an app something is wrong: what is nearer to us is met first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Stage {
    OurLink,
    Name,
    Network,
    Host,
    App,
    Answer,
}

/// What is wrong.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Effect {
    /// Said after so long.
    NoName(Ms),
    /// Nobody at this address; the kernel says so after so long.
    NoRoute(Ms),
    /// Nothing comes back.
    Silent,
    Refused,
    /// Takes the connection, and answers when this is over, if ever.
    Hangs,
    /// Takes so much longer.
    Slow(RangeInclusive<Ms>),
    /// So many of a hundred checks are lost.
    Loses(u64),
    Fails,
    Warns,
    /// What is to be done, and reported, is not,
    NotDone,
    /// or so much later.
    DoneLater(Ms),
    /// Its certificate ends soon, or has: what that means is found out with our clock.
    Ends,
    /// That is wrong.
    WrongClock,
}

/// Without carrier the kernel says so at once.
pub(crate) const NO_CARRIER: Effect = Effect::NoRoute(1);

/// Something that acts on an app.
#[derive(Clone, Debug)]
pub(crate) struct Condition {
    pub(crate) from: Ms,
    pub(crate) until: Ms,
    pub(crate) stage: Stage,
    pub(crate) effect: Effect,
    /// The cause, by its place.
    pub(crate) cause: usize,
}

/// A check, as far as it matters for what comes of it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Check {
    pub(crate) at: Ms,
    /// After so long nobody listens any more.
    pub(crate) limit: Ms,
    /// What it takes when all is well.
    pub(crate) latency: Ms,
    /// Its chance.
    pub(crate) lot: u64,
}

/// What a check gets of one condition.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Gets {
    /// As if it were not there, so much later.
    Later(Ms),
    /// This, after so long; `None`: never.
    Bad(Option<Ms>, Says),
}

impl Condition {
    /// What the check gets where nothing else is wrong.
    pub(crate) fn gives(&self, check: Check) -> Gets {
        match self.from <= check.at {
            // It was over before the check came as far.
            _ if self.until <= check.at => Gets::Later(0),
            true => self.meets(check),
            false => self.overtakes(check),
        }
    }

    /// It was there when the check began.
    fn meets(&self, check: Check) -> Gets {
        let left = self.until - check.at;
        let quick = 1 + check.latency.min(20);
        match &self.effect {
            Effect::NoName(after) if left > *after => Gets::Bad(Some(*after), Says::NoName),
            Effect::NoRoute(after) if left > *after => Gets::Bad(Some(*after), Says::NoRoute),
            // Whoever still looks for it finds it now: the kernel asks once a second.
            Effect::NoName(_) | Effect::NoRoute(_) => Gets::Later(left.next_multiple_of(SECOND)),
            Effect::Silent => later_or_never(next_try(left), check),
            Effect::Refused => Gets::Bad(Some(quick), Says::Refused),
            Effect::Hangs => later_or_never(left, check),
            Effect::Slow(longer) => {
                let longer = longer.start() + check.lot % (longer.end() - longer.start() + 1);
                Gets::Later(longer)
            }
            Effect::Loses(percent) if mix(check.lot ^ self.from) % 100 < *percent => {
                Gets::Bad(None, Says::Pass)
            }
            Effect::Loses(_)
            | Effect::NotDone
            | Effect::DoneLater(_)
            | Effect::Ends
            | Effect::WrongClock => Gets::Later(0),
            Effect::Fails => Gets::Bad(Some(check.latency), Says::Fail),
            Effect::Warns => Gets::Bad(Some(check.latency), Says::Warn),
        }
    }

    /// It came while the check was under way.
    fn overtakes(&self, check: Check) -> Gets {
        match self.effect {
            Effect::Refused => Gets::Bad(Some(self.from - check.at), Says::Reset),
            Effect::NoRoute(_) | Effect::Silent | Effect::Hangs => {
                later_or_never(next_try(self.until - self.from), check)
            }
            _ => Gets::Later(0),
        }
    }
}

fn later_or_never(later: Ms, check: Check) -> Gets {
    match later.saturating_add(check.latency) <= check.limit {
        true => Gets::Later(later),
        false => Gets::Bad(None, Says::Pass),
    }
}

/// When a packet is sent again after this long: 1, 3, 7, 15 ... seconds after the first (RFC 6298).
fn next_try(after: Ms) -> Ms {
    let mut wait = SECOND;
    let mut at = SECOND;
    while at < after {
        wait = wait.saturating_mul(2);
        at = at.saturating_add(wait);
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::spans::EVER;

    const CHECK: Check = Check { at: 10_000, limit: 5_000, latency: 20, lot: 7 };

    fn gives(from: Ms, until: Ms, effect: Effect) -> Gets {
        Condition { from, until, stage: Stage::App, effect, cause: 0 }.gives(CHECK)
    }

    #[test]
    fn what_is_there_decides() {
        assert_eq!(gives(0, EVER, Effect::Refused), Gets::Bad(Some(21), Says::Refused));
        assert_eq!(gives(0, EVER, Effect::Silent), Gets::Bad(None, Says::Pass));
        assert_eq!(gives(0, EVER, Effect::NoRoute(3_000)), Gets::Bad(Some(3_000), Says::NoRoute));
        assert_eq!(gives(0, EVER, Effect::Slow(4..=4)), Gets::Later(4));
        assert_eq!(gives(0, EVER, Effect::Fails), Gets::Bad(Some(20), Says::Fail));
    }

    #[test]
    fn what_ends_in_time_makes_it_late() {
        assert_eq!(gives(0, 11_500, Effect::Silent), Gets::Later(3_000));
        assert_eq!(gives(0, 13_500, Effect::Silent), Gets::Bad(None, Says::Pass));
        assert_eq!(gives(0, 11_500, Effect::NoRoute(3_000)), Gets::Later(2_000));
        assert_eq!(gives(0, 14_000, Effect::Hangs), Gets::Later(4_000));
    }

    #[test]
    fn what_comes_while_it_runs_resets_it_or_leaves_it_alone() {
        assert_eq!(gives(10_010, EVER, Effect::Refused), Gets::Bad(Some(10), Says::Reset));
        assert_eq!(gives(10_010, EVER, Effect::Silent), Gets::Bad(None, Says::Pass));
        assert_eq!(gives(10_010, 10_500, Effect::Silent), Gets::Later(1_000));
        assert_eq!(gives(10_010, EVER, Effect::Fails), Gets::Later(0));
    }

    #[test]
    fn about_so_many_are_lost() {
        let lossy = Condition {
            from: 0,
            until: EVER,
            stage: Stage::Network,
            effect: Effect::Loses(33),
            cause: 0,
        };
        let lost = |lot: &u64| lossy.gives(Check { lot: mix(*lot), ..CHECK }) != Gets::Later(0);
        let lost = (0..1_000).filter(lost).count();
        assert!((280..380).contains(&lost), "{lost}");
    }
}
