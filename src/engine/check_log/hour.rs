//! An hour of checks, in counts and latencies.

use super::Event;
use crate::engine::verdict::answer::Outcome;

/// The checks of an app since they were last summed up, in 20 bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct HourSoFar {
    pass: u16,
    warn: u16,
    fail: u16,
    min_ms: u32,
    max_ms: u32,
    /// An hour of time-outs is 3.6 million.
    sum_ms: u32,
}

impl HourSoFar {
    /// Counts one check.
    pub fn count(&mut self, outcome: Outcome, latency_ms: u32) {
        self.min_ms = if self.checks() == 0 { latency_ms } else { self.min_ms.min(latency_ms) };
        self.max_ms = self.max_ms.max(latency_ms);
        self.sum_ms = self.sum_ms.saturating_add(latency_ms);
        let counter = match outcome {
            Outcome::Pass => &mut self.pass,
            Outcome::Warn => &mut self.warn,
            Outcome::Fail => &mut self.fail,
        };
        *counter = counter.saturating_add(1);
    }

    /// Sums up, and begins anew; `None` when there was no check.
    pub fn take(&mut self) -> Option<Event> {
        let checks = self.checks();
        let HourSoFar { pass, warn, fail, min_ms, max_ms, sum_ms } = std::mem::take(self);
        let mean_ms = sum_ms.saturating_add(checks / 2).checked_div(checks)?;
        Some(Event::Hour { pass, warn, fail, min_ms, mean_ms, max_ms })
    }

    fn checks(&self) -> u32 {
        u32::from(self.pass) + u32::from(self.warn) + u32::from(self.fail)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_hour_is_counted_and_begins_anew() {
        let mut hour = HourSoFar::default();
        assert_eq!(hour.take(), None);
        for (outcome, ms) in [(Outcome::Pass, 7), (Outcome::Warn, 9), (Outcome::Fail, 4)] {
            hour.count(outcome, ms);
        }
        hour.count(Outcome::Pass, 10);
        let sum = Event::Hour { pass: 2, warn: 1, fail: 1, min_ms: 4, mean_ms: 8, max_ms: 10 };
        assert_eq!(hour.take(), Some(sum));
        assert_eq!(hour, HourSoFar::default());
        assert!(size_of::<HourSoFar>() <= 20);
    }
}
