//! Whether we stood still: stopped by a signal, starved by other programs, or asleep with the
//! machine. Pure, in virtual time; the loop tells when it wants to wake, and when it woke.

use std::time::Duration;

use crate::engine::time::{Moment, Now};

/// While checks are under way, the loop wakes so often: what it slept through is seen.
const BEAT: Duration = Duration::from_millis(500);

/// The last turn, and when the next one was to begin.
#[derive(Clone, Copy, Debug)]
pub(super) struct Standstill {
    turn: Now,
    next: Option<Moment>,
}

impl Standstill {
    /// From `now` on.
    pub(super) fn watch(now: Now) -> Standstill {
        Standstill { turn: now, next: None }
    }

    /// The loop is about to sleep until `deadline`, or until something happens; `busy`: checks are
    /// under way. Answers until when it may.
    pub(super) fn sleep(&mut self, deadline: Option<Moment>, busy: bool) -> Option<Moment> {
        let beat = busy.then(|| self.turn.at + BEAT);
        let until = deadline.into_iter().chain(beat).min();
        // What was due before this turn began could not be done before it.
        self.next = until.map(|until| until.max(self.turn.at));
        until
    }

    /// The loop is awake. Answers for how long it did not run, though it was to.
    ///
    /// The monotonic clock stands still while the machine sleeps, the wall clock does not: a jump
    /// forward is such a sleep, or somebody has set the clock, and then a check too many is made.
    pub(super) fn wake(&mut self, now: Now) -> Duration {
        let late = self.next.map_or(Duration::ZERO, |next| now.at.since(next));
        let passed = now.at.since(self.turn.at);
        let slept = now.wall.since(self.turn.wall).saturating_sub(passed);
        self.turn = now;
        late.max(slept)
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

    fn ms(ms: u64) -> Duration {
        Duration::from_millis(ms)
    }

    #[test]
    fn who_wakes_in_time_did_not_stand_still() {
        let mut standstill = Standstill::watch(now(0, 0));
        assert_eq!(standstill.sleep(None, false), None);
        assert_eq!(standstill.wake(now(100_000, 100_000)), ms(0), "an event, after long");
        let deadline = Some(Moment::from_millis(103_000));
        assert_eq!(standstill.sleep(deadline, false), deadline);
        assert_eq!(standstill.wake(now(103_002, 103_002)), ms(2));
        assert_eq!(standstill.wake(now(103_002, 90_000)), ms(2), "the clock was set back");
    }

    #[test]
    fn what_was_slept_through_is_seen_while_checks_are_under_way() {
        let mut standstill = Standstill::watch(now(0, 0));
        assert_eq!(standstill.sleep(None, true), Some(Moment::from_millis(500)));
        assert_eq!(standstill.wake(now(4_300, 4_300)), ms(3_800));
        // The machine slept: its monotonic clock did, too.
        standstill.sleep(None, true);
        assert_eq!(standstill.wake(now(4_400, 64_400)), ms(60_000));
    }

    #[test]
    fn a_turn_that_took_long_counts_and_work_left_over_does_not() {
        let mut standstill = Standstill::watch(now(10_000, 0));
        standstill.sleep(Some(Moment::from_millis(2_000)), false);
        assert_eq!(standstill.wake(now(10_040, 40)), ms(40));
        standstill.sleep(Some(Moment::from_millis(2_000)), false);
        assert_eq!(standstill.wake(now(12_040, 2_040)), ms(2_000));
    }
}
