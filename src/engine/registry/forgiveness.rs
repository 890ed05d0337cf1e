//! Apps register before they listen: a refused connection just after a registration is forgiven,
//! once per streak of refusals. Who registers again and again while it refuses is not well.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::engine::time::{Moment, Now, Wall};

/// Whether the next refusal is forgiven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Forgiveness {
    /// A check that began before, and is refused, does not count. The default is long past.
    until: Now,
    /// This streak of refusals has had its time: no registration brings more, until the app is
    /// anything but refused.
    spent: bool,
}

/// What is left of it, on record.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ForgivenessRecord {
    /// When it ends.
    pub until: Wall,
    /// The streak of refusals that is under way has had its time.
    pub spent: bool,
}

impl Forgiveness {
    /// For an app that has just registered for the first time.
    pub fn new(now: Now, interval: Duration) -> Forgiveness {
        let ms = i64::try_from(interval.as_millis()).unwrap_or(i64::MAX);
        let wall = Wall::from_unix_millis(now.wall.as_unix_millis().saturating_add(ms));
        Forgiveness { until: Now { at: now.at + interval, wall }, spent: false }
    }

    /// The app has registered again, at this address or another; `refuses`: its last check was refused. Answers whether that is
    /// to be recorded: in a streak once, or an app that registers every second wears out the disk.
    pub fn register_again(&mut self, now: Now, interval: Duration, refuses: bool) -> bool {
        if self.spent {
            return false;
        }
        *self = Forgiveness { spent: refuses, ..Forgiveness::new(now, interval) };
        refuses
    }

    /// A check that began at `began` was refused, or was not. Answers whether it is forgiven.
    pub fn observe(&mut self, began: Moment, refused: bool) -> bool {
        let forgiven = refused && began <= self.until.at;
        self.spent = refused && (self.spent || forgiven);
        forgiven
    }

    /// Whether this streak of refusals has had its time.
    pub fn is_spent(self) -> bool {
        self.spent
    }

    /// For the journal.
    pub fn record(self) -> Option<ForgivenessRecord> {
        let Forgiveness { until, spent } = self;
        (self != Forgiveness::default()).then_some(ForgivenessRecord { until: until.wall, spent })
    }

    /// From the journal. It never lasts longer than it did at the registration, whatever the wall
    /// clock has done since; when only one of the two times can be right, nobody knows how much is
    /// left, and it is given in full.
    pub fn restore(record: ForgivenessRecord, now: Now, interval: Duration) -> Forgiveness {
        let ForgivenessRecord { until: wall, spent } = record;
        let comparable = wall.is_plainly_wrong() == now.wall.is_plainly_wrong();
        let left = if comparable { wall.since(now.wall).min(interval) } else { interval };
        let at = if left.is_zero() { Moment::default() } else { now.at + left };
        Forgiveness { until: Now { at, wall }, spent }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(30);
    const TODAY: i64 = 1_795_474_540_000;

    fn at(seconds: u64) -> Moment {
        Moment::START + Duration::from_secs(seconds)
    }

    fn now(seconds: u64) -> Now {
        Now { at: at(seconds), wall: Wall::from_unix_millis(TODAY) }
    }

    #[test]
    fn a_streak_of_refusals_is_forgiven_once() {
        let mut forgiveness = Forgiveness::new(now(0), INTERVAL);
        assert!(forgiveness.observe(at(1), true));
        assert!(!forgiveness.register_again(now(20), INTERVAL, true), "it had its time");
        assert!(forgiveness.observe(at(30), true));
        assert!(!forgiveness.observe(at(31), true));
        assert!(!forgiveness.observe(at(60), false), "the streak is over");
        assert!(!forgiveness.register_again(now(90), INTERVAL, false));
        assert!(forgiveness.observe(at(120), true), "and this is another one");
    }

    #[test]
    fn a_registration_within_a_streak_is_recorded_once() {
        let mut forgiveness = Forgiveness::new(now(0), INTERVAL);
        assert!(!forgiveness.observe(at(40), true), "it counts");
        assert!(forgiveness.register_again(now(50), INTERVAL, true), "started again");
        assert!(!forgiveness.register_again(now(51), INTERVAL, true));
        assert!(forgiveness.observe(at(80), true));
        assert!(!forgiveness.observe(at(81), true));
    }

    #[test]
    fn what_is_left_outlives_a_restart_whatever_the_clock_did() {
        let left = |registered: i64, restarted: i64| {
            let wall = |ms| Now { wall: Wall::from_unix_millis(ms), ..now(0) };
            let record = Forgiveness::new(wall(registered), INTERVAL).record().unwrap();
            let restored = Forgiveness::restore(record, wall(restarted), INTERVAL);
            assert_eq!(restored.record(), Some(record));
            restored.until.at.since(at(0)).as_secs()
        };
        assert_eq!(left(TODAY, TODAY + 5_000), 25);
        assert_eq!(left(TODAY, TODAY + 3_600_000), 0);
        assert_eq!(left(TODAY, TODAY - 3_600_000), 30, "the clock went back, at most an interval");
        assert_eq!(left(130_000, TODAY), 30, "the clock was not set then");
        assert_eq!(Forgiveness::default().record(), None);
    }
}
