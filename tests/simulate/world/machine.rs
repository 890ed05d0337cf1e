//! The daemon's machine: its two clocks.

use std::time::Duration;

use healthchecker::engine::time::{Moment, Now, Wall};

use crate::story::{ClockSet, Ms};

/// The machine, as far as time goes.
#[derive(Clone, Copy, Debug)]
pub(super) struct Machine {
    /// The right wall time at 0, in ms since 1970.
    began: i64,
    /// When its monotonic clock would have shown [`Moment::START`], had it never slept since.
    origin: Ms,
    /// How far the wall clock is ahead of the truth, in ms.
    ahead: i64,
    /// For how long it has slept in all.
    asleep: Duration,
}

impl Machine {
    pub(super) fn new(began: i64) -> Machine {
        Machine { began, origin: 0, ahead: 0, asleep: Duration::ZERO }
    }

    /// The daemon starts, and with it the monotonic clock that it reads.
    pub(super) fn start_daemon(&mut self, at: Ms) {
        self.origin = at;
    }

    /// Both clocks.
    pub(super) fn now(&self, at: Ms) -> Now {
        let awake = Duration::from_millis(at.saturating_sub(self.origin));
        Now { at: Moment::START + awake, wall: Wall::from_unix_millis(self.shows(at).shows) }
    }

    /// When a moment comes.
    pub(super) fn when(&self, moment: Moment) -> Ms {
        self.origin + moment.since(Moment::START).as_millis() as Ms
    }

    /// It sleeps, and so does its monotonic clock.
    pub(super) fn sleep(&mut self, span: Duration) {
        self.origin += span.as_millis() as Ms;
        self.asleep += span;
    }

    pub(super) fn asleep(&self) -> Duration {
        self.asleep
    }

    /// Somebody sets the wall clock.
    pub(super) fn set_clock(&mut self, ahead: i64) {
        self.ahead = ahead;
    }

    /// Whether the system says that a time server has set the clock: as long as nobody has set it wrong.
    pub(super) fn is_synchronised(&self) -> bool {
        self.ahead == 0
    }

    /// What the wall clock shows.
    pub(super) fn shows(&self, at: Ms) -> ClockSet {
        let right = self.began + at as i64;
        ClockSet { from: at, shows: right + self.ahead, right }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BEGAN: i64 = 1_795_996_800_000;

    #[test]
    fn a_machine_that_sleeps_counts_the_time_on_its_wall_clock_alone() {
        let mut machine = Machine::new(BEGAN);
        machine.start_daemon(1_000);
        let moment = machine.now(6_000).at + Duration::from_secs(1);
        assert_eq!(machine.when(moment), 7_000);
        machine.sleep(Duration::from_secs(60));
        assert_eq!((machine.when(moment), machine.asleep().as_secs()), (67_000, 60));
        assert_eq!(machine.now(66_000).at.since(Moment::START).as_secs(), 5);
        machine.set_clock(-500);
        let shown = machine.shows(66_000);
        assert_eq!((shown.shows, shown.right), (BEGAN + 65_500, BEGAN + 66_000));
        assert!(!machine.is_synchronised());
        machine.set_clock(0);
        assert!(machine.is_synchronised());
    }
}
