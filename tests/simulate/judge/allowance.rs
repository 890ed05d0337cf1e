//! How long the engine may take: the one place for every wait of its that we allow.
//!
//! Household sense (looks, settling, parents, collections, quiet times, mutes) makes people wait for a
//! good reason. What each of it adds to every trouble stands in [`waits`], what holds for a time in
//! [`Wait`], what depends on the person in [`update`] and [`bundled`].

use super::settling::Window;
use crate::story::{Ms, Registered, Span};

/// A mail after trouble of one app alone: a second for deciding and writing it.
const ALONE: Ms = 1_000;
/// Each silence waits for a look: one begins every 5 s, and takes 2.
const LOOK: Ms = 7_000;
/// Three registrations within this time are a crash loop, if it was not well between.
pub(super) const CRASHES_WITHIN: Ms = 10 * 60_000;
/// Whose silence nothing decides is to blame after so long.
pub(super) const DECIDED_WITHIN: Ms = 60_000;
/// A silence may be that of several: so long it is waited for the others,
const TOGETHER: Ms = 45_000;
/// and so long where this many hosts are silent.
const MANY: Ms = 180_000;
const MANY_HOSTS: usize = 3;
/// Who falls silent in an incident that was told is told so long after that, or, when that has passed, so
/// much later.
const UPDATE: Ms = 15 * 60_000;
/// After so many mails of trouble to one person
const ENOUGH: usize = 2;
/// within this time each further one waits
pub(super) const SHORTLY: Ms = 15 * 60_000;
/// so long.
const BUNDLED: Ms = 180_000;
/// See [`calm`]: as a rule,
const CALM: Ms = 2 * 3_600_000;
/// and for what has failed so often.
const LONG_CALM: Ms = 6 * 3_600_000;
const OFTEN: usize = 3;
/// After a quiet time what was held for it waits for what becomes of the others that were quiet.
pub(super) const AFTER_QUIET: Ms = 45_000;
/// A mail goes when its record is on the disk, or after so long (the commit queue's patience).
pub(super) const PATIENCE: Ms = 10_000;
/// What came so shortly before the daemon's end may not be on the disk.
pub(super) const UNSYNCED: Ms = PATIENCE;
/// A server that was away may be tried again so much later: the longest wait in `docs/mail.md`.
pub(super) const RETRY_MAX: Ms = 6 * 3_600_000;
/// Causes that begin within this time are one event.
pub(super) const ONE_EVENT: Ms = 3 * 60_000;
/// Nobody wants to hear of a deployment that is over sooner.
pub(super) const DEPLOYMENT: Ms = 2 * 60_000;

/// After a boot an app has so long to come back: the daemon's option `settle`.
pub(super) const SETTLE_AFTER_BOOT: Ms = 10 * 60_000;
/// After an absence within one boot as long as that took, but no shorter than the one, no longer than
/// the other.
pub(super) const SETTLE_AFTER_ABSENCE: (Ms, Ms) = (60_000, 10 * 60_000);
/// Who falls silent while the router is away waits so long for it.
pub(super) const ROUTER_AWAITED: Ms = 10 * 60_000;
/// What was away is looked at every 30 s: that it is back is seen so much later.
pub(super) const SEEN_BACK: Ms = 30_000 + LOOK;
/// An absence that was no longer needs no settling.
pub(super) const NOT_AWAY: Ms = 10_000;

/// Who knows of trouble that lasts is told again so long after it began, and then each day,
pub(super) const REMINDED_AFTER: [Ms; 2] = [3_600_000, 6 * 3_600_000];
pub(super) const REMINDED_DAILY: Ms = 24 * 3_600_000;
/// or so much later, for what cannot be seen just then.
pub(super) const REMINDED_WITHIN: Ms = 15 * 60_000;

/// A time in which nobody could, or should, say how an app is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Wait {
    pub(super) span: Span,
    /// It is told as soon as that is over; else it begins anew then.
    pub(super) is_told_then: bool,
}

impl Wait {
    /// Nothing could be seen.
    pub(super) fn blind(span: Span) -> Wait {
        Wait { span, is_told_then: false }
    }
}

impl From<Window> for Wait {
    fn from(window: Window) -> Wait {
        Wait { span: window.span, is_told_then: window.is_missing }
    }
}

/// Who is told of besides.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Company {
    /// Nobody: the app answers, and not well.
    None,
    /// It is silent, and others may be, on so many hosts in all.
    Silent { hosts: usize },
    /// It is silent, and may be so for want of what it is behind, or others are behind it.
    Family,
}

/// From what shows it by itself to the mail.
pub(super) fn allowed_at_once() -> Ms {
    ALONE
}

/// What is added to the time that it takes to see the trouble.
fn waits(company: Company) -> Ms {
    ALONE
        + match company {
            Company::None => 0,
            Company::Silent { hosts } if hosts >= MANY_HOSTS => LOOK + MANY,
            Company::Family => LOOK + MANY,
            Company::Silent { .. } => LOOK + TOGETHER,
        }
}

/// From what shows that an app is unwell to the mail.
pub(super) fn told_within(company: Company) -> Ms {
    waits(company)
}

/// When a person is told of who joins an incident by `at` that they were told of at `told`.
pub(super) fn update(told: Ms, at: Ms) -> Ms {
    let then = told.saturating_add(UPDATE);
    ALONE.saturating_add(if then > at { then } else { at.saturating_add(UPDATE) })
}

/// When a person is told of who falls silent by `at` where they know of others that come and go: if it is so for
/// as long as that.
pub(super) fn flaky(at: Ms) -> Ms {
    ALONE + at + UPDATE
}

/// When a person is told at the latest of who is silent with others, whose quiet time ends at `end`.
pub(super) fn freed(end: Ms) -> Ms {
    ALONE + end.saturating_add(AFTER_QUIET)
}

/// How much longer a person waits who has had so many mails of trouble shortly before.
pub(super) fn bundled(had: usize) -> Ms {
    if had >= ENOUGH { BUNDLED } else { 0 }
}

/// From the cause to the mail. `forgiven` refusals come before those that count.
pub(super) fn allowed(app: &Registered, forgiven: u64, company: Company) -> Ms {
    let unhealthy = u64::from(app.unhealthy);
    let each = each(app);
    app.interval + (unhealthy.saturating_sub(1) + forgiven) * each + app.timeout + waits(company)
}

/// From the end of a quiet time to the mail: it is asked at once, and others may be silent with it.
pub(super) fn after_quiet(app: &Registered, company: Company) -> Ms {
    app.timeout + waits(company)
}

/// From one check to the next of an app that lets each run into its time-out.
pub(super) fn each(app: &Registered) -> Ms {
    app.interval * app.timeout.max(app.interval).div_ceil(app.interval.max(1))
}

/// Who fails again so soon after it was HEALTHY keeps failing, and is not said to be well before it was so for as
/// long; after so many `falls` since it was told first.
pub(super) fn calm(app: &Registered, falls: usize) -> Ms {
    let usual = if falls < OFTEN { CALM } else { LONG_CALM };
    usual.max(3 * u64::from(app.healthy) * each(app))
}

/// When at the latest a person must have been written to of what began at `begun`. `waits` are the
/// times in which the engine could not see the app, or had to wait for it, by their beginnings.
pub(super) fn deadline(begun: Ms, allowed: Ms, waits: &[Wait]) -> Ms {
    let mut deadline = begun.saturating_add(allowed);
    for Wait { span, is_told_then } in waits {
        if span.from >= deadline {
            break;
        }
        if span.end() > begun {
            let more = if *is_told_then { ALONE } else { allowed };
            deadline = deadline.max(span.end().saturating_add(more));
        }
    }
    deadline
}

#[cfg(test)]
mod tests {
    use super::*;

    fn app(interval: Ms, timeout: Ms, unhealthy: u32) -> Registered {
        Registered {
            span: Span { from: 0, until: None },
            url: String::new(),
            interval: interval * 1000,
            timeout: timeout * 1000,
            grace: None,
            unhealthy,
            healthy: 10,
            may_be_off: false,
            parents: vec![],
            quiet: None,
            people: vec![],
        }
    }

    #[test]
    fn a_check_falls_due_whenever_an_interval_is_over_and_none_runs() {
        let allowed = |app: &Registered, forgiven| allowed(app, forgiven, Company::None);
        assert_eq!(allowed(&app(30, 5, 2), 0), 66_000);
        assert_eq!(allowed(&app(30, 5, 3), 1), 126_000);
        assert_eq!(allowed(&app(5, 12, 2), 0), (5 + 15 + 12 + 1) * 1000, "each of 12 s takes 15");
    }

    #[test]
    fn a_silence_may_be_that_of_several() {
        let allowed = |hosts| allowed(&app(30, 5, 2), 0, Company::Silent { hosts });
        assert_eq!((allowed(1), allowed(2), allowed(3)), (118_000, 118_000, 253_000));
        let minutes = |at: Ms| update(0, at * 60_000) / 60_000;
        assert_eq!([1, 14, 15, 61].map(minutes), [15, 15, 30, 76]);
        assert_eq!([1, 2].map(bundled), [0, 180_000]);
    }

    #[test]
    fn after_a_time_in_which_nothing_could_be_seen_it_may_begin_anew() {
        let span = |from, until| Wait::blind(Span { from, until: Some(until) });
        let blind = [span(5, 10), span(100, 200), span(250, 300), span(900, 950)];
        assert_eq!(deadline(20, 60, &blind), 80);
        assert_eq!(deadline(50, 60, &blind), 360, "and the one after that as well");
        assert_eq!(deadline(150, 60, &blind), 360);
        assert_eq!(deadline(7, 60, &blind), 70);
        assert_eq!(deadline(10, 60, &blind), 70);
    }

    #[test]
    fn who_is_not_back_is_told_when_the_time_is_up() {
        let wait = |from, until, is_told_then| Wait {
            span: Span { from, until: Some(until) },
            is_told_then,
        };
        let cut = [wait(100, 700_000, false), wait(700_000, 1_300_000, true)];
        assert_eq!(deadline(100, 60_000, &cut), 1_300_000 + ALONE);
        let answered = [wait(100, 700_000, false), wait(700_000, 730_000, false)];
        assert_eq!(deadline(100, 60_000, &answered), 790_000);
    }
}
