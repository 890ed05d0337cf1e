//! Whether checks come late for want of threads: said once, and again when it is over.

use std::time::Duration;

use crate::engine::time::Moment;

/// A check is late when it has waited for a thread for longer than this share of its interval, ...
const TOLERATED_SHARE: u32 = 20;
/// ... but what is less than this concerns nobody.
const TOLERATED: Duration = Duration::from_secs(1);

/// The shortage is over when no check was late for so long: twice the longest time-out, for which
/// all threads may be held.
pub const OVER_AFTER: Duration = Duration::from_secs(120);

/// Checks that came late for want of threads.
#[derive(Debug, Default)]
pub struct Shortage {
    /// The last one that was late, while it is not over, and how late.
    last: Option<(Moment, Duration)>,
    /// How many there were.
    late: u64,
}

/// What is to be said of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Course {
    /// It has just begun.
    Begun,
    /// It goes on: to be looked at again then.
    GoesOn(Moment),
    /// It is over.
    Over,
}

impl Shortage {
    /// A check of an app that is asked every `interval` got a thread after it had `waited`.
    pub fn observe(&mut self, now: Moment, waited: Duration, interval: Duration) -> Option<Course> {
        if waited <= TOLERATED.max(interval / TOLERATED_SHARE) {
            return None;
        }
        self.late += 1;
        self.last.replace((now, waited)).is_none().then_some(Course::Begun)
    }

    /// Time has passed.
    pub fn look(&mut self, now: Moment) -> Option<Course> {
        let (last, _) = self.last?;
        let over_at = last + OVER_AFTER;
        if now < over_at {
            return Some(Course::GoesOn(over_at));
        }
        self.last = None;
        Some(Course::Over)
    }

    /// How late the last one was that was late, unless that is over.
    pub fn lately(&self) -> Option<Duration> {
        self.last.map(|(_, waited)| waited)
    }

    /// How many checks were late since the start.
    pub fn late(&self) -> u64 {
        self.late
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::START + Duration::from_secs(seconds)
    }

    #[test]
    fn what_is_tolerated_depends_on_the_interval() {
        let late = |waited_ms, interval| {
            let waited = Duration::from_millis(waited_ms);
            Shortage::default().observe(at(0), waited, Duration::from_secs(interval)).is_some()
        };
        assert!(!late(1_000, 5) && late(1_001, 5));
        assert!(!late(15_000, 300) && late(15_001, 300));
    }

    #[test]
    fn it_is_said_when_it_begins_and_when_it_is_over() {
        let mut shortage = Shortage::default();
        let long = Duration::from_secs(30);
        let mut observe = |seconds| shortage.observe(at(seconds), long, long);
        assert_eq!((observe(0), observe(1), observe(100)), (Some(Course::Begun), None, None));
        assert_eq!(shortage.look(at(120)), Some(Course::GoesOn(at(220))));
        assert_eq!((shortage.lately(), shortage.late()), (Some(long), 3));
        assert_eq!(shortage.look(at(220)), Some(Course::Over));
        assert_eq!((shortage.lately(), shortage.look(at(221))), (None, None));
    }
}
