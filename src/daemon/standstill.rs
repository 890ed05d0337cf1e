//! Whether we stood still: stopped by a signal, starved by other programs, or asleep with the
//! machine. Pure, in virtual time; the loop tells when it wants to wake, and when it woke.

use std::time::Duration;

use crate::engine::time::{Moment, Now};

/// While checks are under way, the loop wakes so often: what it slept through is seen.
const BEAT: Duration = Duration::from_millis(500);
/// A jump of the wall clock by less is no reason to ask whether the machine slept; as for the engine.
const JUMP: Duration = Duration::from_millis(500);
/// The machine slept no longer than the wall clock jumped, but for a clock that was put right in the same turn.
const SLACK: Duration = Duration::from_secs(10);

/// The last turn, and when the next one was to begin.
#[derive(Clone, Copy, Debug)]
pub struct Standstill {
    turn: Now,
    next: Option<Moment>,
    /// How long the machine had slept in all when that was asked last.
    asleep: Option<Duration>,
}

/// What a turn has missed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missed {
    /// For how long the loop did not run, though it was to.
    pub stood_still: Duration,
    /// How much of that is certain: the rest is a jump of the wall clock.
    pub late: Duration,
    /// For how long the machine slept: its monotonic clock does not count that.
    pub slept: Duration,
}

impl Standstill {
    /// From `now` on; the machine has slept for `asleep` in all, if that is known.
    pub fn watch(now: Now, asleep: Option<Duration>) -> Standstill {
        Standstill { turn: now, next: None, asleep }
    }

    /// The loop is about to sleep until `deadline`, or until something happens; `busy`: checks are
    /// under way. Answers until when it may.
    pub fn sleep(&mut self, deadline: Option<Moment>, busy: bool) -> Option<Moment> {
        let beat = busy.then(|| self.turn.at + BEAT);
        let until = deadline.into_iter().chain(beat).min();
        // What was due before this turn began could not be done before it.
        self.next = until.map(|until| until.max(self.turn.at));
        until
    }

    /// The loop is awake. `asleep` tells how long the machine has slept in all.
    ///
    /// The monotonic clock stands still while the machine sleeps, the wall clock does not: a jump
    /// forward is such a sleep, or somebody has set the clock, and then a check too many is made.
    pub fn wake(&mut self, now: Now, asleep: impl FnOnce() -> Option<Duration>) -> Missed {
        let late = self.next.map_or(Duration::ZERO, |next| now.at.since(next));
        let passed = now.at.since(self.turn.at);
        let jump = now.wall.since(self.turn.wall).saturating_sub(passed);
        self.turn = now;
        let slept = if jump < JUMP { Duration::ZERO } else { self.slept(jump, asleep()) };
        Missed { stood_still: late.max(jump), late, slept }
    }

    /// How much of a jump of the wall clock the machine slept through.
    fn slept(&mut self, jump: Duration, asleep: Option<Duration>) -> Duration {
        let before = std::mem::replace(&mut self.asleep, asleep);
        let more = asleep.zip(before).and_then(|(asleep, before)| asleep.checked_sub(before));
        more.filter(|slept| (JUMP..=jump + SLACK).contains(slept)).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::Wall;

    fn now(ms: u64, wall_ms: i64) -> Now {
        Now {
            at: Moment::from_millis(ms),
            wall: Wall::from_unix_millis(1_795_474_540_000 + wall_ms),
        }
    }

    /// In all, before the daemon started.
    const SLEPT: Duration = Duration::from_secs(5_000);

    fn stood_still(standstill: &mut Standstill, now: Now) -> Duration {
        let missed = standstill.wake(now, || Some(SLEPT));
        assert_eq!(missed.slept, ms(0));
        missed.stood_still
    }

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn who_wakes_in_time_did_not_stand_still() {
        let mut standstill = Standstill::watch(now(0, 0), Some(SLEPT));
        assert_eq!(standstill.sleep(None, false), None);
        assert_eq!(
            stood_still(&mut standstill, now(100_000, 100_000)),
            ms(0),
            "an event, after long"
        );
        let deadline = Some(Moment::from_millis(103_000));
        assert_eq!(standstill.sleep(deadline, false), deadline);
        assert_eq!(stood_still(&mut standstill, now(103_002, 103_002)), ms(2));
        assert_eq!(
            stood_still(&mut standstill, now(103_002, 90_000)),
            ms(2),
            "the clock was set back"
        );
    }

    #[test]
    fn what_was_slept_through_is_seen_while_checks_are_under_way() {
        let mut standstill = Standstill::watch(now(0, 0), Some(SLEPT));
        assert_eq!(standstill.sleep(None, true), Some(Moment::from_millis(500)));
        assert_eq!(stood_still(&mut standstill, now(4_300, 4_300)), ms(3_800));
        // The machine slept: its monotonic clock did, too.
        standstill.sleep(None, true);
        assert_eq!(stood_still(&mut standstill, now(4_400, 64_400)), ms(60_000));
    }

    #[test]
    fn a_turn_that_took_long_counts_and_work_left_over_does_not() {
        let mut standstill = Standstill::watch(now(10_000, 0), None);
        standstill.sleep(Some(Moment::from_millis(2_000)), false);
        assert_eq!(stood_still(&mut standstill, now(10_040, 40)), ms(40));
        standstill.sleep(Some(Moment::from_millis(2_000)), false);
        assert_eq!(stood_still(&mut standstill, now(12_040, 2_040)), ms(2_000));
    }

    #[test]
    fn a_jump_of_the_wall_clock_is_a_sleep_as_far_as_the_machine_slept() {
        let hour = Duration::from_secs(3600);
        let an_hour_later = now(1_000, 3_601_000);
        for (asleep, slept) in [
            (Some(SLEPT + hour), hour),
            (Some(SLEPT + hour + SLACK), hour + SLACK),
            (Some(SLEPT + hour + SLACK * 2), ms(0)),
            (Some(SLEPT + hour / 2), hour / 2),
            (Some(SLEPT + ms(10)), ms(0)),
            (Some(ms(0)), ms(0)),
            (None, ms(0)),
        ] {
            let mut standstill = Standstill::watch(now(0, 0), Some(SLEPT));
            let missed = standstill.wake(an_hour_later, || asleep);
            assert_eq!(missed, Missed { stood_still: hour, late: ms(0), slept }, "{asleep:?}");
        }
        let mut standstill = Standstill::watch(now(0, 0), Some(SLEPT));
        let missed = standstill.wake(now(1_000, 1_400), || Some(SLEPT + hour));
        assert_eq!(missed.slept, ms(0), "nobody asks while nothing jumps");
        standstill.wake(an_hour_later, || Some(SLEPT + hour));
        let missed = standstill.wake(now(1_000, 7_201_000), || Some(SLEPT + hour * 2));
        assert_eq!(missed.slept, hour, "each sleep once");
    }
}
