//! The last 90 days, by the day in UTC: how many checks, how many failed, how long answers took.

use serde::{Deserialize, Serialize};

use super::latencies::{STEPS, percentile, step};
use super::packed::Packed;
use crate::engine::text::number::push_number;
use crate::engine::time::{DAY_MS, Step, Wall};
use crate::engine::verdict::answer::Outcome;

/// Days that are remembered, today among them. Days without a check take no place.
pub const DAYS: u16 = 90;
/// So many checks fit into an hour: while today has no more, the day before may have ended since it
/// was last written.
const HOUR_OF_CHECKS: u16 = 720;

/// One day of checks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DayOfChecks {
    /// Days since 1970-01-01 in UTC; lasts until 2149.
    pub day: u16,
    /// Checks that counted; 17,280 at the shortest interval.
    pub checks: u16,
    /// Those of them that failed.
    pub failures: u16,
    /// Half of the answers took no longer, in ms; 0 without an answer.
    pub p50_ms: u16,
    /// 19 of 20 answers took no longer, in ms; 0 without an answer.
    pub p95_ms: u16,
}

impl DayOfChecks {
    /// The share of checks that did not fail, 0 to 1; `None` without any.
    pub fn uptime(&self) -> Option<f64> {
        share(u32::from(self.checks), u32::from(self.failures))
    }

    /// Two parts of one day. How long answers took is that of the part with more checks.
    fn and(self, other: DayOfChecks) -> DayOfChecks {
        if self.checks == 0 {
            return other;
        }
        let more = if self.checks >= other.checks { self } else { other };
        DayOfChecks {
            day: self.day,
            checks: self.checks.saturating_add(other.checks),
            failures: self.failures.saturating_add(other.failures),
            ..more
        }
    }
}

/// Which day a time is in.
fn day_of(wall: Wall) -> u16 {
    let day = wall.as_unix_millis().div_euclid(DAY_MS);
    u16::try_from(day.max(0)).unwrap_or(u16::MAX)
}

/// Whether a day was named by a clock that was not set.
fn is_plainly_wrong(day: u16) -> bool {
    Wall::from_unix_millis(i64::from(day) * DAY_MS).is_plainly_wrong()
}

/// Whether this run has counted most of a day of so many `checks`, `earlier` ones the others.
fn is_ours(checks: u16, earlier: u16) -> bool {
    checks.saturating_sub(earlier) > earlier
}

fn share(checks: u32, failures: u32) -> Option<f64> {
    (checks > 0).then(|| 1.0 - f64::from(failures) / f64::from(checks))
}

/// The days, oldest first. Days pass by the monotonic clock: when the wall clock is set, the days of
/// this run get other names ([`Days::step`]), and none ends.
#[derive(Clone, Debug, Default)]
pub struct Days {
    /// Days that are over: days since the one before, checks, failures, and the percentiles.
    over: Packed<5>,
    /// The day before the oldest that is over, as far as gaps go.
    before: u16,
    /// The newest day that is over.
    newest_over: u16,
    today: Today,
    /// What earlier runs have counted of today.
    earlier: DayOfChecks,
    /// How many of the days that are over are of this run, which has counted most of them.
    ours: usize,
}

/// The day that goes on.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Today {
    /// Means nothing without a check.
    day: u16,
    checks: u16,
    failures: u16,
    answers: [u16; STEPS],
}

impl Today {
    fn sum(&self) -> DayOfChecks {
        let ms = |share| {
            let ms = percentile(&self.answers, share).unwrap_or_default();
            u16::try_from(ms).unwrap_or(u16::MAX)
        };
        let Today { day, checks, failures, .. } = *self;
        DayOfChecks { day, checks, failures, p50_ms: ms(0.5), p95_ms: ms(0.95) }
    }
}

impl Days {
    /// Counts a check that counts.
    pub fn count(&mut self, wall: Wall, outcome: Outcome, latency_ms: u32) {
        self.turn_to(day_of(wall));
        let today = &mut self.today;
        today.checks = today.checks.saturating_add(1);
        if outcome == Outcome::Fail {
            today.failures = today.failures.saturating_add(1);
        } else if let Some(count) = today.answers.get_mut(step(latency_ms)) {
            *count = count.saturating_add(1);
        }
    }

    /// Ends the day that went on, if it is over. A clock that is set back by hours counts on in the
    /// same day.
    fn turn_to(&mut self, day: u16) {
        if day > self.today.day {
            let over = std::mem::take(&mut self.today);
            let earlier = std::mem::take(&mut self.earlier);
            self.end(over.sum());
            self.ours += usize::from(is_ours(over.checks, earlier.checks));
        }
        if self.today.checks == 0 {
            self.today.day = day.max(self.newest_over);
        }
    }

    fn end(&mut self, over: DayOfChecks) {
        if over.checks == 0 {
            return;
        }
        if self.over.rows() == 0 {
            self.before = over.day;
            self.newest_over = over.day;
        }
        let gap = over.day.saturating_sub(self.newest_over);
        self.over.push([gap, over.checks, over.failures, over.p50_ms, over.p95_ms].map(u32::from));
        self.newest_over = over.day;
        while self.over.rows() >= usize::from(DAYS) {
            let Some([gap, ..]) = self.over.pop() else { break };
            self.before = self.before.saturating_add(small(gap));
        }
        self.ours = self.ours.min(self.over.rows());
    }

    /// The clock was set: the days of this run, and those that a run without a clock has named, were
    /// others. Two that turn out to be the same become one.
    pub fn step(&mut self, step: Step) {
        self.rename(step.days(), day_of(step.to()));
    }

    /// `now` is the day that it is: those of earlier runs that are later are taken to end with it.
    fn rename(&mut self, by: i32, now: u16) {
        let ahead = self.newest_of_earlier_runs().saturating_sub(now);
        if by == 0 && ahead == 0 {
            return;
        }
        let moved = |day: &mut u16, ours: bool| {
            if ours || is_plainly_wrong(*day) {
                *day =
                    u16::try_from((i32::from(*day).saturating_add(by)).max(0)).unwrap_or(u16::MAX);
            } else if *day > now {
                *day = day.saturating_sub(ahead);
            }
        };
        self.part_with_earlier();
        moved(&mut self.today.day, is_ours(self.today.checks, self.earlier.checks));
        let ours_from = self.over.rows().saturating_sub(self.ours);
        // Each with whether this run has counted it.
        let over = self.over().enumerate().map(|(row, day)| (day, row >= ours_from));
        let mut over: Vec<(DayOfChecks, bool)> = over.collect();
        let mut newest = 0;
        for (day, ours) in &mut over {
            moved(&mut day.day, *ours);
            // As they came: an earlier run's clock may have been ahead.
            day.day = day.day.max(newest);
            newest = day.day;
        }
        let Today { day: today, checks, .. } = self.today;
        let is_over = |(day, _): &(DayOfChecks, bool)| checks == 0 || day.day < today;
        let (over, goes_on): (Vec<_>, Vec<_>) = over.into_iter().partition(is_over);
        for (part, ours) in goes_on {
            self.today.checks = self.today.checks.saturating_add(part.checks);
            self.today.failures = self.today.failures.saturating_add(part.failures);
            if !ours {
                self.earlier = self.earlier.and(part);
            }
        }
        self.over = Packed::default();
        self.newest_over = 0;
        let mut ours_over = 0;
        for parts in over.chunk_by(|before, day| before.0.day == day.0.day) {
            ours_over += usize::from(parts.iter().any(|(_, ours)| *ours));
            let whole = parts.iter().map(|(day, _)| *day).reduce(DayOfChecks::and);
            whole.into_iter().for_each(|day| self.end(day));
        }
        self.ours = ours_over;
    }

    /// What this run has counted of today is another day than what earlier ones have.
    fn part_with_earlier(&mut self) {
        let DayOfChecks { checks, failures, .. } = self.earlier;
        if (1..self.today.checks).contains(&checks) {
            self.today.checks -= checks;
            self.today.failures = self.today.failures.saturating_sub(failures);
            let earlier = std::mem::take(&mut self.earlier);
            self.end(earlier);
        }
    }

    fn newest_of_earlier_runs(&self) -> u16 {
        let ended = self.over.rows().saturating_sub(self.ours);
        let goes_on = Some(self.earlier).filter(|earlier| earlier.checks > 0);
        self.over().take(ended).chain(goes_on).map(|day| day.day).max().unwrap_or_default()
    }

    fn over(&self) -> impl Iterator<Item = DayOfChecks> {
        let mut day = self.before;
        self.over.iter().map(move |[gap, checks, failures, p50_ms, p95_ms]| {
            day = day.saturating_add(small(gap));
            let [checks, failures, p50_ms, p95_ms] = [checks, failures, p50_ms, p95_ms].map(small);
            DayOfChecks { day, checks, failures, p50_ms, p95_ms }
        })
    }

    /// The last of them, without a look at the others.
    fn newest_over(&self) -> Option<DayOfChecks> {
        let [_, numbers @ ..] = self.over.newest(1).next()?;
        let [checks, failures, p50_ms, p95_ms] = numbers.map(small);
        Some(DayOfChecks { day: self.newest_over, checks, failures, p50_ms, p95_ms })
    }

    /// All days with a check, oldest first, the one that goes on last.
    pub fn all(&self) -> impl Iterator<Item = DayOfChecks> {
        self.over().chain(Some(self.today.sum()).filter(|today| today.checks > 0))
    }

    /// The day that it is at `wall`: none before the newest with a check, whatever the clock shows.
    pub fn today(&self, wall: Wall) -> u16 {
        let newest = if self.today.checks > 0 { self.today.day } else { self.newest_over };
        day_of(wall).max(newest)
    }

    /// The share of checks of the last `days` days, today among them, that did not fail, 0 to 1;
    /// `None` without any.
    pub fn uptime(&self, wall: Wall, days: u16) -> Option<f64> {
        let today = self.today(wall);
        let counted =
            self.all().filter(|day| today - day.day.min(today) < days || day.day == self.today.day);
        let (checks, failures) = counted.fold((0u32, 0u32), |(checks, failures), day| {
            (checks + u32::from(day.checks), failures + u32::from(day.failures))
        });
        share(checks, failures)
    }

    /// All days, for the disk.
    pub fn record(&self) -> DaysRecord {
        self.record_newest(usize::from(DAYS))
    }

    /// The days that may have changed since an hour ago, for the disk.
    pub fn record_latest(&self) -> DaysRecord {
        let today = self.today.sum();
        if today.checks == 0 {
            return self.record_newest(2);
        }
        // Each hour, for each app: the other days are not looked at.
        let over = self.newest_over().filter(|_| today.checks <= HOUR_OF_CHECKS);
        let days: Vec<DayOfChecks> = over.into_iter().chain([today]).collect();
        DaysRecord::of(&days, &self.today.answers)
    }

    fn record_newest(&self, count: usize) -> DaysRecord {
        let days: Vec<DayOfChecks> = self.all().collect();
        let skipped = days.len().saturating_sub(count);
        DaysRecord::of(days.get(skipped..).unwrap_or_default(), &self.today.answers)
    }

    /// What was recorded: the last day may go on. `wall` is the time now; days that were named
    /// without a clock are taken to have ended just now.
    pub fn restore(record: &DaysRecord, wall: Wall) -> Days {
        let (mut recorded, answers) = record.read();
        let mut days = Days::default();
        if let Some(DayOfChecks { day, checks, failures, .. }) = recorded.pop() {
            days.today = Today { day, checks, failures, answers };
        }
        for day in recorded {
            days.end(day);
        }
        if is_plainly_wrong(days.today.day) {
            days.rename(i32::from(day_of(wall)) - i32::from(days.today.day), u16::MAX);
        }
        days.earlier = days.today.sum();
        days
    }
}

fn small(number: u32) -> u16 {
    u16::try_from(number).unwrap_or(u16::MAX)
}

/// Days in a short text, oldest first, for each `day:checks:failures:p50:p95` (days since 1970,
/// left out for the day after the one before; ms), and at the end how many answers of the last day
/// fell into which step of latency: `20779:2880:0:5:9 :1200:3:5:10 3=1150 4=47`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct DaysRecord(String);

impl DaysRecord {
    /// Takes in what was recorded later.
    pub fn extend(&mut self, later: &DaysRecord) {
        let (new, answers) = later.read();
        let Some(first) = new.first() else { return };
        let (mut days, _) = self.read();
        days.retain(|day| day.day < first.day);
        days.extend(new);
        let old = days.len().saturating_sub(usize::from(DAYS));
        *self = DaysRecord::of(days.get(old..).unwrap_or_default(), &answers);
    }

    fn of(days: &[DayOfChecks], answers: &[u16; STEPS]) -> DaysRecord {
        let (mut text, mut before) = (String::new(), None);
        for day in days {
            let DayOfChecks { day, checks, failures, p50_ms, p95_ms } = *day;
            if before.is_some() {
                text.push(' ');
            }
            if before.is_none() || before != day.checked_sub(1) {
                push_number(&mut text, day);
            }
            for number in [checks, failures, p50_ms, p95_ms] {
                text.push(':');
                push_number(&mut text, number);
            }
            before = Some(day);
        }
        for (step, count) in (0u32..).zip(answers).filter(|(_, count)| **count > 0) {
            if !text.is_empty() {
                text.push(' ');
            }
            push_number(&mut text, step);
            text.push('=');
            push_number(&mut text, *count);
        }
        DaysRecord(text)
    }

    /// The days and the steps, up to what cannot be read.
    fn read(&self) -> (Vec<DayOfChecks>, [u16; STEPS]) {
        let mut days: Vec<DayOfChecks> = Vec::new();
        let mut answers = [0; STEPS];
        for word in self.0.split(' ') {
            if let Some((step, count)) = word.split_once('=') {
                let place = step.parse().ok().and_then(|step: usize| answers.get_mut(step));
                if let (Some(place), Ok(count)) = (place, count.parse()) {
                    *place = count;
                }
                continue;
            }
            let Some(day) = read_day(word, days.last().map(|day| day.day)) else { break };
            days.push(day);
        }
        (days, answers)
    }
}

fn read_day(word: &str, before: Option<u16>) -> Option<DayOfChecks> {
    let mut numbers = word.splitn(5, ':');
    let day = match numbers.next()? {
        "" => before?.checked_add(1)?,
        day => day.parse().ok()?,
    };
    let mut next = || numbers.next()?.parse().ok();
    Some(DayOfChecks { day, checks: next()?, failures: next()?, p50_ms: next()?, p95_ms: next()? })
}

#[cfg(test)]
mod tests;
