//! The last day, by the hour.

use std::collections::VecDeque;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::engine::text::number::push_number;
use crate::engine::time::{Moment, Now, Stamp, Step, Timeline, Wall};
use crate::engine::verdict::answer::Outcome;

const HOUR: Duration = Duration::from_secs(3600);
/// What `uptime_24h` covers.
const DAY: Duration = Duration::from_secs(24 * 3600);
const MINUTE_MS: i64 = 60_000;
/// Hours that may have changed since an hour ago, which are written to disk then: the one that went
/// on, and two that have begun, for a record is written an hour after the first check.
const HOURS_ON_DISK: usize = 3;

/// Checks and failures of the last day. An hour begins with its first check, and with the daemon; its
/// place is on the monotonic clock, so that the wall clock may jump.
#[derive(Clone, Debug, Default)]
pub struct Hours {
    hours: VecDeque<Hour>,
}

/// Hours of checks in a short text, for the disk, oldest first: for each, when it began in minutes
/// since 1970, checks and failures: `29924575:120:0 29924635:119:3`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct HoursRecord(String);

impl HoursRecord {
    /// Takes in what was recorded later: hours that are there already, and went on, and new ones.
    pub fn extend(&mut self, later: &HoursRecord) {
        let Some((begins, ..)) = later.hours().next() else { return };
        let mut hours: Vec<_> = self.hours().collect();
        // Not by the order of times: a run whose clock was not set may come after one whose clock
        // was. A minute may have been rounded to the next.
        let known = hours.iter().rposition(|(minutes, ..)| minutes.abs_diff(begins) <= 1);
        hours.truncate(known.unwrap_or(hours.len()));
        hours.extend(later.hours());
        *self = HoursRecord::of(hours.into_iter());
    }

    /// When the newest began.
    pub fn newest(&self) -> Option<Stamp> {
        self.hours().last().map(|(minutes, ..)| Stamp::on_record(wall(minutes)))
    }

    fn of(hours: impl Iterator<Item = (i64, u16, u16)>) -> HoursRecord {
        let mut text = String::new();
        for (minutes, checks, failures) in hours {
            if !text.is_empty() {
                text.push(' ');
            }
            push_number(&mut text, minutes);
            for count in [checks, failures] {
                text.push(':');
                push_number(&mut text, count);
            }
        }
        HoursRecord(text)
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

/// An hour of checks, 720 at the shortest interval; two runs may share one.
#[derive(Clone, Copy, Debug)]
struct Hour {
    /// Seconds on the monotonic clock: this century will do.
    begun_s: u32,
    /// Of an earlier run: the minute on record.
    recorded: Option<i32>,
    checks: u16,
    failures: u16,
}

impl Hour {
    fn begun(&self) -> Moment {
        Moment::from_millis(u64::from(self.begun_s) * 1000)
    }

    /// When it began in minutes since 1970, for the disk.
    fn minutes(&self, now: Now) -> i64 {
        let ago = i64::try_from(now.at.since(self.begun()).as_millis()).unwrap_or(i64::MAX);
        let begun = now.wall.as_unix_millis().saturating_sub(ago);
        self.recorded.map_or(begun / MINUTE_MS, i64::from)
    }
}

impl Hours {
    /// Counts one check.
    pub fn count(&mut self, at: Moment, outcome: Outcome) {
        while self.hours.front().is_some_and(|hour| at.since(hour.begun()) >= DAY) {
            self.hours.pop_front();
        }
        let goes_on = |hour: &Hour| hour.recorded.is_none() && at.since(hour.begun()) < HOUR;
        if !self.hours.back().is_some_and(goes_on) {
            let begun_s = seconds(at);
            self.hours.push_back(Hour { begun_s, recorded: None, checks: 0, failures: 0 });
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
        HoursRecord::of(newest.map(|hour| (hour.minutes(now), hour.checks, hour.failures)))
    }

    /// What was recorded, put in its place before now. Parts of one hour, by runs that ended in it,
    /// are put together: a daemon that ends again and again needs no more room.
    pub fn restore(timeline: &Timeline, now: Now, record: &HoursRecord) -> Hours {
        let mut hours: VecDeque<Hour> = VecDeque::new();
        for (minutes, checks, failures) in record.hours() {
            let Ok(minutes) = i32::try_from(minutes) else { continue };
            let before = hours.back_mut().filter(|before| {
                before
                    .recorded
                    .is_some_and(|begun| (0..60).contains(&minutes.saturating_sub(begun)))
            });
            if let Some(before) = before {
                before.checks = before.checks.saturating_add(checks);
                before.failures = before.failures.saturating_add(failures);
            } else {
                hours.push_back(Hour { begun_s: 0, recorded: Some(minutes), checks, failures });
            }
        }
        let mut hours = Hours { hours };
        hours.place(timeline, now);
        hours
    }

    /// The clock was set, or the machine was asleep: every hour has another place.
    pub fn step(&mut self, timeline: &Timeline, now: Now, step: Step) {
        for hour in self.hours.iter_mut().filter(|hour| hour.recorded.is_none()) {
            hour.begun_s = seconds(step.moved_back(hour.begun()));
        }
        self.place(timeline, now);
    }

    /// Finds the place of the hours of earlier runs.
    fn place(&mut self, timeline: &Timeline, now: Now) {
        let mut before = 0;
        for hour in &mut self.hours {
            if let Some(minutes) = hour.recorded {
                let placed = timeline.placed(now, wall(i64::from(minutes)));
                let age = placed.age(now.at);
                // As they came, whatever the clock of an earlier run showed.
                hour.begun_s = seconds(now.at.before(age.span)).max(before);
                before = if age.exact { hour.begun_s } else { before };
                hour.recorded = i32::try_from(placed.wall().as_unix_millis() / MINUTE_MS).ok();
            }
        }
    }

    /// The share of checks of the last 24 hours that did not fail, 0 to 1; `None` without any.
    pub fn uptime(&self, at: Moment) -> Option<f64> {
        let counted = self.hours.iter().filter(|hour| at.since(hour.begun()) < DAY);
        let (checks, failures) = counted.fold((0, 0), |(checks, failures), hour| {
            (checks + u32::from(hour.checks), failures + u32::from(hour.failures))
        });
        (checks > 0).then(|| 1.0 - f64::from(failures) / f64::from(checks))
    }
}

fn seconds(at: Moment) -> u32 {
    u32::try_from(at.as_millis() / 1000).unwrap_or(u32::MAX)
}

fn wall(minutes: i64) -> Wall {
    Wall::from_unix_millis(minutes.saturating_mul(MINUTE_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-23 22:55 UTC.
    const T0: i64 = 1_795_474_500_000;

    fn now(hours: u64, wall: i64) -> Now {
        Now {
            at: Moment::START + Duration::from_secs(hours * 3600 + 100),
            wall: Wall::from_unix_millis(wall + hours as i64 * 3_600_000),
        }
    }

    /// A run that begins at `begin`, with what is on record.
    fn run(begin: Now, record: &HoursRecord) -> (Timeline, Hours) {
        let mut timeline = Timeline::default();
        record.newest().iter().for_each(|stamp| timeline.recall(stamp.wall()));
        timeline.observe(begin, Duration::ZERO);
        let hours = Hours::restore(&timeline, begin, record);
        (timeline, hours)
    }

    /// Ten hours, the first of failures, as they are on record.
    fn ten_hours() -> HoursRecord {
        let mut day = Hours::default();
        let mut record = HoursRecord::default();
        for hour in 0..10 {
            day.count(now(hour, T0).at, if hour == 0 { Outcome::Fail } else { Outcome::Pass });
            record.extend(&day.record_latest(now(hour, T0)));
        }
        assert_eq!(record, day.record(now(10, T0)), "the hourly records add up");
        record
    }

    #[test]
    fn a_day_is_the_same_after_a_restart() {
        let restarted = Now { at: Moment::START, ..now(12, T0) };
        let (_, mut hours) = run(restarted, &ten_hours());
        assert_eq!(hours.uptime(restarted.at), Some(0.9));
        let later = restarted.at + Duration::from_secs(13 * 3600);
        hours.count(later, Outcome::Pass);
        assert_eq!(hours.uptime(later), Some(1.0), "the first has gone");
    }

    #[test]
    fn a_start_without_a_clock_forgets_nothing_and_counts_time_off_once_it_is_set() {
        let mut record = ten_hours();
        let in_1970 = now(0, 0);
        let (mut timeline, mut hours) = run(in_1970, &record);
        hours.count(in_1970.at, Outcome::Fail);
        assert_eq!(hours.uptime(in_1970.at), Some(1.0 - 2.0 / 11.0));
        record.extend(&hours.record_latest(in_1970));
        assert_eq!(record, hours.record(in_1970), "what came before stays on record");

        let set = now(1, T0 + 15 * 3_600_000);
        let step = timeline.observe(set, Duration::ZERO).unwrap();
        hours.step(&timeline, set, step);
        assert_eq!(hours.uptime(set.at), Some(1.0 - 2.0 / 11.0));
        let later = set.at + Duration::from_secs(8 * 3600 + 1800);
        assert_eq!(hours.uptime(later), Some(1.0 - 1.0 / 10.0), "the first was 24.5 hours ago");
    }

    #[test]
    fn a_daemon_that_ends_again_and_again_needs_no_more_room() {
        let mut record = ten_hours();
        for minute in 0..90 {
            let at = Now { at: Moment::START, ..now(11, T0 + minute * 60_000) };
            let (_, mut hours) = run(at, &record);
            assert!(hours.hours.len() <= 12, "{}", hours.hours.len());
            hours.count(at.at, Outcome::Fail);
            record = hours.record(at);
        }
        let (_, hours) = run(now(13, T0), &record);
        assert_eq!(hours.uptime(now(13, T0).at), Some(1.0 - 91.0 / 100.0));
    }

    #[test]
    fn uptime_is_of_the_last_24_hours() {
        let mut day = Hours::default();
        assert_eq!(day.uptime(Moment::from_millis(0)), None);
        let hour = |number: u64| Moment::from_millis(number * 3_600_000);
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
