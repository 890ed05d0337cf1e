//! What is remembered of past checks: the recent ones each, a day by the hour, a season by the day.
//!
//! Bytes for an app: 2 or 3 for each recent check and [`room`] at the most, 384 for the hours of a
//! day, 6 or 7 for each of 90 days, 168 for latencies. On a Pi with 100 apps that is 0.3 MiB.

mod days;
mod hours;
mod latencies;
mod packed;
mod recent;

use crate::engine::time::{Now, Step, Timeline, Wall};
use crate::engine::verdict::answer::Outcome;

pub use days::{DAYS, DayOfChecks, Days, DaysRecord};
pub use hours::{Hours, HoursRecord};
pub use latencies::{BOUNDS_MS, Latencies};
pub use recent::{Recent, RecentCheck, RecentRecord, room};

/// What is remembered of the checks of one app.
#[derive(Clone, Debug, Default)]
pub struct History {
    /// The recent checks, each.
    pub recent: Recent,
    /// The last day, by the hour.
    pub hours: Hours,
    /// The last 90 days, by the day.
    pub days: Days,
    /// How long answers took since the daemon started. Checks that failed are not in it.
    pub latencies: Latencies,
}

impl History {
    /// The clock was set: puts times right.
    pub fn step(&mut self, timeline: &Timeline, now: Now, step: Step) {
        self.recent.step(timeline, now, step);
        self.hours.step(timeline, now, step);
        self.days.step(step);
    }

    /// Counts a check that counts; `day` is a time of the day that it is counted to.
    pub fn count(&mut self, now: Now, day: Wall, outcome: Outcome, latency_ms: u32) {
        self.hours.count(now.at, outcome);
        self.days.count(day, outcome, latency_ms);
        if outcome != Outcome::Fail {
            self.latencies.count(latency_ms);
        }
    }
}
