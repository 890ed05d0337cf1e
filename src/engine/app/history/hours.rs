//! The last day, by the hour.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::engine::time::{Moment, Now, Wall};
use crate::engine::verdict::answer::Outcome;

/// Hours in `uptime_24h`.
const HOURS: u32 = 24;
const HOUR_MS: u64 = 3_600_000;
/// Hours that are written to disk each hour: the one that ended, and the one that has begun.
const HOURS_ON_DISK: usize = 2;

/// Checks and failures of the last day, by the hour on the monotonic clock.
#[derive(Clone, Debug, Default)]
pub struct Hours {
    hours: VecDeque<Hour>,
}

/// Hours of checks in a short text, for the disk: for each, minutes since 1970 within the hour,
/// checks and failures: `29924575:120:0 29924635:119:3`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HoursRecord(String);

impl HoursRecord {
    /// Takes in what was recorded later.
    pub fn extend(&mut self, later: &HoursRecord) {
        let begins = later.hours().next().map_or(i64::MAX, |(minutes, ..)| minutes - 30);
        let kept = self.hours().filter(|(minutes, ..)| *minutes < begins);
        let hours: Vec<_> = kept.chain(later.hours()).collect();
        *self = HoursRecord::of(hours.into_iter());
    }

    fn of(hours: impl Iterator<Item = (i64, u16, u16)>) -> HoursRecord {
        let words =
            hours.map(|(minutes, checks, failures)| format!("{minutes}:{checks}:{failures}"));
        HoursRecord(words.collect::<Vec<_>>().join(" "))
    }

    /// The hours, up to one that cannot be read.
    fn hours(&self) -> impl Iterator<Item = (i64, u16, u16)> {
        self.0.split(' ').map_while(|word| {
            let mut numbers = word.splitn(3, ':');
            let minutes = numbers.next()?.parse().ok()?;
            Some((minutes, numbers.next()?.parse().ok()?, numbers.next()?.parse().ok()?))
        })
    }
}

#[derive(Clone, Copy, Debug)]
struct Hour {
    /// On the monotonic clock.
    number: u32,
    /// 720 at the shortest interval.
    checks: u16,
    failures: u16,
}

impl Hours {
    /// Counts one check.
    pub fn count(&mut self, at: Moment, outcome: Outcome) {
        let number = number_of(at);
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

    /// All hours, for the disk.
    pub fn record(&self, now: Now) -> HoursRecord {
        self.record_newest(now, self.hours.len())
    }

    /// The hours that may have changed since an hour ago, for the disk.
    pub fn record_latest(&self, now: Now) -> HoursRecord {
        self.record_newest(now, HOURS_ON_DISK)
    }

    fn record_newest(&self, now: Now, count: usize) -> HoursRecord {
        let newest = self.hours.iter().skip(self.hours.len().saturating_sub(count));
        HoursRecord::of(newest.map(|hour| {
            let ago = now.at.as_millis().saturating_sub(u64::from(hour.number) * HOUR_MS);
            let begun =
                now.wall.as_unix_millis().saturating_sub(i64::try_from(ago).unwrap_or(i64::MAX));
            (begun / 60_000, hour.checks, hour.failures)
        }))
    }

    /// What was recorded, put in its place before now.
    pub fn restore(now: Now, record: &HoursRecord) -> Hours {
        let hours = record.hours().map(|(minutes, checks, failures)| {
            let begun = now.recall(Wall::from_unix_millis(minutes.saturating_mul(60_000))).at;
            // Half an hour keeps clear of rounding at the rims.
            let number = number_of(begun + Duration::from_millis(HOUR_MS / 2));
            Hour { number, checks, failures }
        });
        Hours { hours: hours.collect() }
    }

    /// The share of checks of the last 24 hours that did not fail, 0 to 1; `None` without any.
    pub fn uptime(&self, at: Moment) -> Option<f64> {
        let number = number_of(at);
        let counted = self.hours.iter().filter(|hour| hour.number + HOURS > number);
        let (checks, failures) = counted.fold((0, 0), |(checks, failures), hour| {
            (checks + u32::from(hour.checks), failures + u32::from(hour.failures))
        });
        (checks > 0).then(|| 1.0 - f64::from(failures) / f64::from(checks))
    }
}

/// Which hour a moment is in.
fn number_of(at: Moment) -> u32 {
    u32::try_from(at.as_millis() / HOUR_MS).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_is_the_same_after_a_restart() {
        let hours = |hours: u64| Now {
            at: Moment::START + std::time::Duration::from_secs(hours * 3600 + 100),
            wall: Wall::from_unix_millis(1_795_474_540_000 + hours as i64 * 3_600_000),
        };
        let mut day = Hours::default();
        let mut record = HoursRecord::default();
        for hour in 0..10 {
            day.count(hours(hour).at, if hour == 0 { Outcome::Fail } else { Outcome::Pass });
            record.extend(&day.record_latest(hours(hour)));
        }
        assert_eq!(record, day.record(hours(10)), "the hourly records add up");
        let restarted = Now { at: Moment::START, ..hours(12) };
        let mut restored = Hours::restore(restarted, &record);
        assert_eq!(restored.uptime(restarted.at), Some(0.9));
        let later = restarted.at + std::time::Duration::from_secs(14 * 3600);
        restored.count(later, Outcome::Pass);
        assert_eq!(restored.uptime(later), Some(1.0));
    }

    #[test]
    fn uptime_is_of_the_last_24_hours() {
        let mut day = Hours::default();
        assert_eq!(day.uptime(Moment::from_millis(0)), None);
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
