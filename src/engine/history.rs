//! What is remembered of past checks: the recent ones each, a day in hourly counts.

use std::collections::VecDeque;

use super::answer::Outcome;
use super::notice::RecentCheck;
use super::time::{Moment, Wall};

/// Checks remembered for each app: half an hour at the default interval, for 12 bytes each.
const RECENT: usize = 60;
/// Hours in `uptime_24h`.
const HOURS: u64 = 24;
const HOUR_MS: u64 = 3_600_000;

/// The last checks of one app, newest last.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    cells: VecDeque<Cell>,
}

/// One check in 12 bytes: seconds will do for people, and last until 2106.
#[derive(Clone, Copy, Debug)]
struct Cell {
    time_s: u32,
    latency_ms: u32,
    outcome: Outcome,
}

impl Recent {
    /// Adds the newest check; the oldest is forgotten when there are too many.
    pub fn push(&mut self, wall: Wall, outcome: Outcome, latency_ms: u32) {
        if self.cells.len() == RECENT {
            self.cells.pop_front();
        }
        let time_s = u32::try_from(wall.as_unix_millis() / 1000).unwrap_or_default();
        self.cells.push_back(Cell { time_s, latency_ms, outcome });
    }

    /// The newest `count` checks, newest last.
    pub fn newest(&self, count: usize) -> Vec<RecentCheck> {
        let skipped = self.cells.len().saturating_sub(count);
        let checks = self.cells.iter().skip(skipped).map(|cell| RecentCheck {
            time: Wall::from_unix_millis(i64::from(cell.time_s) * 1000),
            outcome: cell.outcome,
            latency_ms: cell.latency_ms,
        });
        checks.collect()
    }

    /// All that is remembered, newest last.
    pub fn all(&self) -> Vec<RecentCheck> {
        self.newest(RECENT)
    }
}

/// Checks and failures of the last day, by the hour on the monotonic clock.
#[derive(Clone, Debug, Default)]
pub struct Day {
    hours: VecDeque<Hour>,
}

#[derive(Clone, Copy, Debug)]
struct Hour {
    number: u64,
    /// 720 at the shortest interval.
    checks: u16,
    failures: u16,
}

impl Day {
    /// Counts one check.
    pub fn count(&mut self, at: Moment, outcome: Outcome) {
        let number = at.as_millis() / HOUR_MS;
        while self.hours.front().is_some_and(|hour| hour.number + HOURS <= number) {
            self.hours.pop_front();
        }
        if self.hours.back().is_none_or(|hour| hour.number != number) {
            self.hours.push_back(Hour { number, checks: 0, failures: 0 });
        }
        if let Some(hour) = self.hours.back_mut() {
            hour.checks = hour.checks.saturating_add(1);
            hour.failures = hour.failures.saturating_add(u16::from(outcome == Outcome::Fail));
        }
    }

    /// The share of checks of the last 24 hours that did not fail, 0 to 1; `None` without any.
    pub fn uptime(&self, at: Moment) -> Option<f64> {
        let number = at.as_millis() / HOUR_MS;
        let counted = self.hours.iter().filter(|hour| hour.number + HOURS > number);
        let (checks, failures) = counted.fold((0, 0), |(checks, failures), hour| {
            (checks + u32::from(hour.checks), failures + u32::from(hour.failures))
        });
        (checks > 0).then(|| 1.0 - f64::from(failures) / f64::from(checks))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_checks_are_kept() {
        let mut recent = Recent::default();
        for second in 0..100 {
            recent.push(Wall::from_unix_millis(second * 1000), Outcome::Pass, 7);
        }
        let times: Vec<i64> = recent.all().iter().map(|c| c.time.as_unix_millis() / 1000).collect();
        assert_eq!((times.len(), times.first(), times.last()), (RECENT, Some(&40), Some(&99)));
        assert_eq!(recent.newest(2).len(), 2);
    }

    #[test]
    fn uptime_is_of_the_last_24_hours() {
        let mut day = Day::default();
        assert_eq!(day.uptime(Moment::START), None);
        let hour = |number: u64| Moment::from_millis(number * HOUR_MS);
        day.count(hour(0), Outcome::Fail);
        day.count(hour(1), Outcome::Pass);
        day.count(hour(1), Outcome::Warn);
        day.count(hour(1), Outcome::Pass);
        assert_eq!(day.uptime(hour(23)), Some(0.75));
        assert_eq!(day.uptime(hour(24)), Some(1.0));
        day.count(hour(30), Outcome::Fail);
        assert_eq!(day.uptime(hour(30)), Some(0.0), "what is older has gone");
    }
}
