//! What is remembered of past checks: the recent ones each, a day in hourly counts.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::engine::alerts::notice::RecentCheck;
use crate::engine::time::{Moment, Now, Wall};
use crate::engine::verdict::answer::Outcome;

/// Checks remembered for each app: half an hour at the default interval, for 12 bytes each.
const RECENT: usize = 60;
/// Hours in `uptime_24h`.
const HOURS: u64 = 24;
const HOUR_MS: u64 = 3_600_000;
/// Recent checks that are written to disk each hour: 60 bytes of text.
const RECENT_ON_DISK: usize = 12;
/// Hours that are written to disk each hour: the one that ended, and the one that has begun.
const HOURS_ON_DISK: usize = 2;

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

    /// The newest checks, for the disk.
    pub fn record(&self) -> RecentRecord {
        RecentRecord::of(&self.newest(RECENT_ON_DISK))
    }

    /// What was recorded.
    pub fn restore(record: &RecentRecord) -> Recent {
        let mut recent = Recent::default();
        for check in record.checks() {
            recent.push(check.time, check.outcome, check.latency_ms);
        }
        recent
    }
}

/// Recent checks in a short text: the time of the first in seconds since 1970, then for each the
/// seconds since the one before, `p`, `w` or `f`, and the latency in ms: `1795474540 0p5 30f5000`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecentRecord(String);

impl RecentRecord {
    fn of(checks: &[RecentCheck]) -> RecentRecord {
        let seconds = |check: &RecentCheck| check.time.as_unix_millis() / 1000;
        let Some(first) = checks.first() else { return RecentRecord::default() };
        let mut text = seconds(first).to_string();
        let mut before = seconds(first);
        for check in checks {
            let letter = match check.outcome {
                Outcome::Pass => 'p',
                Outcome::Warn => 'w',
                Outcome::Fail => 'f',
            };
            text.push_str(&format!(" {}{letter}{}", seconds(check) - before, check.latency_ms));
            before = seconds(check);
        }
        RecentRecord(text)
    }

    /// The checks; those after the first that cannot be read are left out.
    fn checks(&self) -> impl Iterator<Item = RecentCheck> {
        let mut words = self.0.split(' ');
        let mut time_s: i64 = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
        words.map_while(move |word| {
            let (at, letter) =
                word.char_indices().find(|(_, letter)| letter.is_ascii_lowercase())?;
            let outcome = match letter {
                'p' => Outcome::Pass,
                'w' => Outcome::Warn,
                'f' => Outcome::Fail,
                _ => return None,
            };
            time_s = time_s.checked_add(word.get(..at)?.parse().ok()?)?;
            let latency_ms = word.get(at + 1..)?.parse().ok()?;
            Some(RecentCheck {
                time: Wall::from_unix_millis(time_s.checked_mul(1000)?),
                outcome,
                latency_ms,
            })
        })
    }
}

/// Checks and failures of the last day, by the hour on the monotonic clock.
#[derive(Clone, Debug, Default)]
pub struct Day {
    hours: VecDeque<Hour>,
}

/// Hours of checks in a short text, for the disk: for each, minutes since 1970 within the hour,
/// checks and failures: `29924575:120:0 29924635:119:3`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DayRecord(String);

impl DayRecord {
    /// Takes in what was recorded later.
    pub fn extend(&mut self, later: &DayRecord) {
        let begins = later.hours().next().map_or(i64::MAX, |(minutes, ..)| minutes - 30);
        let kept = self.hours().filter(|(minutes, ..)| *minutes < begins);
        let hours: Vec<_> = kept.chain(later.hours()).collect();
        *self = DayRecord::of(hours.into_iter());
    }

    fn of(hours: impl Iterator<Item = (i64, u16, u16)>) -> DayRecord {
        let words =
            hours.map(|(minutes, checks, failures)| format!("{minutes}:{checks}:{failures}"));
        DayRecord(words.collect::<Vec<_>>().join(" "))
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

    /// All hours, for the disk.
    pub fn record(&self, now: Now) -> DayRecord {
        self.record_newest(now, self.hours.len())
    }

    /// The hours that may have changed since an hour ago, for the disk.
    pub fn record_latest(&self, now: Now) -> DayRecord {
        self.record_newest(now, HOURS_ON_DISK)
    }

    fn record_newest(&self, now: Now, count: usize) -> DayRecord {
        let newest = self.hours.iter().skip(self.hours.len().saturating_sub(count));
        DayRecord::of(newest.map(|hour| {
            let ago = now.at.as_millis().saturating_sub(hour.number * HOUR_MS);
            let begun =
                now.wall.as_unix_millis().saturating_sub(i64::try_from(ago).unwrap_or(i64::MAX));
            (begun / 60_000, hour.checks, hour.failures)
        }))
    }

    /// What was recorded, put in its place before now.
    pub fn restore(now: Now, record: &DayRecord) -> Day {
        let hours = record.hours().map(|(minutes, checks, failures)| {
            let begun = now.recall(Wall::from_unix_millis(minutes.saturating_mul(60_000))).at;
            // Half an hour keeps clear of rounding at the rims.
            Hour { number: (begun.as_millis() + HOUR_MS / 2) / HOUR_MS, checks, failures }
        });
        Day { hours: hours.collect() }
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
    fn recent_checks_are_the_same_after_a_restart() {
        let mut recent = Recent::default();
        for (second, outcome) in [(10, Outcome::Pass), (40, Outcome::Fail), (71, Outcome::Warn)] {
            recent.push(Wall::from_unix_millis(second * 1000), outcome, 5000);
        }
        let record = recent.record();
        assert_eq!(record.0, "10 0p5000 30f5000 31w5000");
        assert_eq!(Recent::restore(&record).all(), recent.all());
        assert!(Recent::restore(&RecentRecord("garbage x".to_owned())).all().is_empty());
        assert_eq!(
            Recent::restore(&RecentRecord("9 0p5 99999999999999999999p5".to_owned())).all().len(),
            1
        );
    }

    #[test]
    fn a_day_is_the_same_after_a_restart() {
        let hours = |hours: u64| Now {
            at: Moment::START + std::time::Duration::from_secs(hours * 3600 + 100),
            wall: Wall::from_unix_millis(1_795_474_540_000 + hours as i64 * 3_600_000),
        };
        let mut day = Day::default();
        let mut record = DayRecord::default();
        for hour in 0..10 {
            day.count(hours(hour).at, if hour == 0 { Outcome::Fail } else { Outcome::Pass });
            record.extend(&day.record_latest(hours(hour)));
        }
        assert_eq!(record, day.record(hours(10)), "the hourly records add up");
        let restarted = Now { at: Moment::START, ..hours(12) };
        let mut restored = Day::restore(restarted, &record);
        assert_eq!(restored.uptime(restarted.at), Some(0.9));
        let later = restarted.at + std::time::Duration::from_secs(14 * 3600);
        restored.count(later, Outcome::Pass);
        assert_eq!(restored.uptime(later), Some(1.0));
    }

    #[test]
    fn uptime_is_of_the_last_24_hours() {
        let mut day = Day::default();
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
