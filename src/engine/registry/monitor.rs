//! The state machine of one app: outcomes in, changes of state out.

use serde::{Deserialize, Serialize};

use crate::engine::state::{State, Transition};
use crate::engine::time::{Now, Stamp};
use crate::engine::verdict::answer::Outcome;

/// So many checks in a row that did not pass make an app DEGRADED. One lone failure changes nothing.
const DEGRADED_AFTER: u32 = 2;

/// No threshold is higher, so a longer row decides nothing more.
const LONGEST_ROW: u32 = 10;

/// How many checks in a row it takes, as registered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Thresholds {
    /// Failed checks before UNHEALTHY, 2 to 10.
    pub unhealthy: u32,
    /// Passed checks before HEALTHY, 2 to 10.
    pub healthy: u32,
}

/// Consecutive checks, up to the last one. A row starts again at the check that breaks it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Streaks {
    /// Failed.
    pub failed: u32,
    /// Passed.
    pub passed: u32,
    /// Warned or failed.
    pub not_passed: u32,
    /// Passed or warned.
    pub not_failed: u32,
    /// Silent, of an app that may be off; no more than it takes to be off.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub silent: u32,
}

/// Records of before have no such row.
#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde hands over a reference")]
fn is_zero(row: &u32) -> bool {
    *row == 0
}

impl Streaks {
    fn count(&mut self, outcome: Outcome) {
        let row = |row: u32, goes_on: bool| if goes_on { row.saturating_add(1) } else { 0 };
        self.failed = row(self.failed, outcome == Outcome::Fail);
        self.passed = row(self.passed, outcome == Outcome::Pass);
        self.not_passed = row(self.not_passed, outcome != Outcome::Pass);
        self.not_failed = row(self.not_failed, outcome != Outcome::Fail);
        self.silent = 0;
    }
}

/// The state of one app and the rows that led to it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Monitor {
    /// The state.
    pub state: State,
    /// Since when.
    pub since: Stamp,
    /// The rows.
    pub streaks: Streaks,
    /// The first check of the row that did not pass; meaningless while `streaks.not_passed` is zero.
    pub trouble_since: Stamp,
}

impl Monitor {
    /// UNKNOWN, with nothing counted yet.
    pub fn new(now: Now) -> Monitor {
        Monitor::since(Stamp::noted(now))
    }

    fn since(since: Stamp) -> Monitor {
        Monitor { state: State::Unknown, since, streaks: Streaks::default(), trouble_since: since }
    }

    /// Counts one outcome.
    pub fn observe(
        &mut self,
        now: Now,
        outcome: Outcome,
        needed: Thresholds,
    ) -> Option<Transition> {
        self.streaks.count(outcome);
        if self.streaks.not_passed == 1 {
            self.trouble_since = Stamp::noted(now);
        }
        let from = self.state;
        let to = self.next(needed);
        (to != from).then(|| {
            self.state = to;
            self.since = Stamp::noted(now);
            Transition { from, to }
        })
    }

    /// An app that may be off is silent. That is no failure: it ends a row of passes, and many in a row make
    /// it UNKNOWN.
    pub fn observe_silence(&mut self, now: Now, needed: Thresholds) -> Option<Transition> {
        (self.streaks.passed, self.streaks.not_failed) = (0, 0);
        self.streaks.silent = self.streaks.silent.saturating_add(1).min(needed.unhealthy);
        if self.streaks.silent < needed.unhealthy {
            return None;
        }
        let transition = self.forget(now);
        self.streaks.silent = needed.unhealthy;
        transition
    }

    /// Whether it is off or away, as far as can be seen.
    pub fn is_off(&self, needed: Thresholds) -> bool {
        self.state == State::Unknown && self.streaks.silent >= needed.unhealthy
    }

    /// Forgets what was counted: the app was resumed, or has another address.
    pub fn forget(&mut self, now: Now) -> Option<Transition> {
        let from = self.state;
        *self = Monitor::since(if from == State::Unknown { self.since } else { Stamp::noted(now) });
        (from != State::Unknown).then_some(Transition { from, to: State::Unknown })
    }

    /// Failures up to now lead to nothing more.
    pub fn forgive(&mut self) {
        self.streaks.failed = 0;
        self.streaks.not_passed = 0;
    }

    /// It is not well, though it may pass: DEGRADED, unless it is worse, until it passes for as long as any other.
    pub fn degrade(&mut self, now: Now) -> Option<Transition> {
        let from = self.state;
        if matches!(from, State::Degraded | State::Unhealthy) {
            return None;
        }
        (self.streaks.passed, self.streaks.not_failed) = (0, 0);
        (self.state, self.since) = (State::Degraded, Stamp::noted(now));
        if self.streaks.not_passed == 0 {
            // What was refused was forgiven: no row of failures has begun.
            self.trouble_since = self.since;
        }
        Some(Transition { from, to: State::Degraded })
    }

    /// So many checks failed since `since`, none of which was counted: UNHEALTHY, whatever the app asks
    /// for. It had its time.
    pub fn give_up(&mut self, now: Now, failures: u32, since: Stamp) -> Option<Transition> {
        let from = self.state;
        self.streaks = Streaks { failed: failures, not_passed: failures, ..Streaks::default() };
        self.trouble_since = since;
        self.state = State::Unhealthy;
        if from != State::Unhealthy {
            self.since = Stamp::noted(now);
        }
        (from != State::Unhealthy).then_some(Transition { from, to: State::Unhealthy })
    }

    /// The rows as far as they can still decide anything: what has to be the same after a restart.
    pub fn streaks_that_matter(&self) -> Streaks {
        let capped = |row: u32| row.min(LONGEST_ROW);
        let well = self.state == State::Healthy;
        Streaks {
            failed: capped(self.streaks.failed),
            passed: if well { 0 } else { capped(self.streaks.passed) },
            not_passed: capped(self.streaks.not_passed),
            not_failed: if well { 0 } else { capped(self.streaks.not_failed) },
            silent: capped(self.streaks.silent),
        }
    }

    fn next(&self, needed: Thresholds) -> State {
        let Streaks { failed, passed, not_passed, not_failed, .. } = self.streaks;
        match self.state {
            _ if passed >= needed.healthy => State::Healthy,
            _ if failed >= needed.unhealthy => State::Unhealthy,
            State::Unknown | State::Healthy if not_passed >= DEGRADED_AFTER => State::Degraded,
            State::Unhealthy if not_failed >= needed.healthy => State::Degraded,
            same => same,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NEEDED: Thresholds = Thresholds { unhealthy: 3, healthy: 4 };

    /// `p`, `w`, `f` in; the states after each, as `U`, `H`, `D`, `X`, out.
    fn run(outcomes: &str, needed: Thresholds) -> String {
        let mut monitor = Monitor::new(Now::default());
        let letter = |state| match state {
            State::Unknown => 'U',
            State::Healthy => 'H',
            State::Degraded => 'D',
            State::Unhealthy => 'X',
        };
        let outcome = |letter| match letter {
            'p' => Outcome::Pass,
            'w' => Outcome::Warn,
            _ => Outcome::Fail,
        };
        let states = outcomes.chars().map(|c| {
            monitor.observe(Now::default(), outcome(c), needed);
            letter(monitor.state)
        });
        states.collect()
    }

    #[test]
    fn each_line_of_the_table() {
        for (outcomes, states) in [
            ("pppp", "UUUH"),
            ("ppppfppppf", "UUUHHHHHHH"),
            ("ppppfff", "UUUHHDX"),
            ("ppppww", "UUUHHD"),
            ("ppppwf", "UUUHHD"),
            ("ppppffw", "UUUHHDD"),
            ("fff", "UDX"),
            ("fffpppp", "UDXXXXH"),
            ("fffwppp", "UDXXXXD"),
            ("fffwpppp", "UDXXXXDH"),
            ("fffpppfpppp", "UDXXXXXXXXH"),
            ("fffwpwwfff", "UDXXXXDDDX"),
            ("wwpppp", "UDDDDH"),
            ("wwppppwpw", "UDDDDHHHH"),
        ] {
            assert_eq!(run(outcomes, NEEDED), states, "{outcomes}");
        }
    }

    #[test]
    fn with_two_failures_healthy_goes_straight_to_unhealthy() {
        let needed = Thresholds { unhealthy: 2, healthy: 2 };
        assert_eq!(run("ppff", needed), "UHHX");
        assert_eq!(run("ppfwf", needed), "UHHDD", "a warning breaks the row of failures");
    }

    #[test]
    fn who_may_be_off_is_unknown_after_a_row_of_silence_and_never_worse() {
        let needed = Thresholds { unhealthy: 3, healthy: 2 };
        let states = |outcomes: &str| -> String {
            let mut monitor = Monitor::new(Now::default());
            let states = outcomes.chars().map(|c| {
                match c {
                    's' => monitor.observe_silence(Now::default(), needed),
                    'p' => monitor.observe(Now::default(), Outcome::Pass, needed),
                    _ => monitor.observe(Now::default(), Outcome::Fail, needed),
                };
                match monitor.state {
                    State::Unknown if monitor.is_off(needed) => 'O',
                    State::Unknown => 'U',
                    State::Healthy => 'H',
                    State::Degraded => 'D',
                    State::Unhealthy => 'X',
                }
            });
            states.collect()
        };
        for (outcomes, expected) in [
            ("sss", "UUO"),
            ("ppsssssspp", "UHHHOOOOUH"),
            ("ppsspsss", "UHHHHHHO"),
            // Shut down: it refuses, then it is gone.
            ("ppfsss", "UHHHHO"),
            // It is on, and does not work.
            ("ppsssfff", "UHHHOUDX"),
            // A failure does not wait for silence, nor is it undone by it.
            ("ppfsfsf", "UHHHDDX"),
            ("fffsss", "UDXXXO"),
            // Passes with silence between are no row.
            ("fffpspsp", "UDXXXXXX"),
        ] {
            assert_eq!(states(outcomes), expected, "{outcomes}");
        }
    }

    #[test]
    fn an_app_that_stays_off_costs_no_write() {
        let needed = Thresholds { unhealthy: 2, healthy: 2 };
        let mut monitor = Monitor::new(Now::default());
        for _ in 0..2 {
            monitor.observe_silence(Now::default(), needed);
        }
        let rows = monitor.streaks_that_matter();
        for _ in 0..20 {
            assert_eq!(monitor.observe_silence(Now::default(), needed), None);
            assert_eq!(monitor.streaks_that_matter(), rows);
        }
    }

    #[test]
    fn what_was_counted_is_forgotten_on_resume() {
        let mut monitor = Monitor::new(Now::default());
        for _ in 0..2 {
            monitor.observe(Now::default(), Outcome::Fail, NEEDED);
        }
        let transition = monitor.forget(Now::default());
        assert_eq!(transition, Some(Transition { from: State::Degraded, to: State::Unknown }));
        assert_eq!(monitor.streaks, Streaks::default());
        assert_eq!(monitor.forget(Now::default()), None);
    }
}
