//! What people are told of times in which we saw nobody: while it lasts, if a mail can go, else afterwards.

use std::time::Duration;

use super::Surroundings;
use super::away::Part;
use super::run::{Gap, Outage};
use crate::engine::time::{Moment, Now, Stamp};

/// Shorter ones are not told.
const WORTH_TELLING: Duration = Duration::from_secs(600);
/// One note in this time.
const NOTES_EVERY: Duration = Duration::from_secs(3600);
/// Of more than these the oldest are not told.
const GAPS_MAX: usize = 20;

impl Surroundings {
    pub(super) fn lose_sight(&mut self, since: Stamp) {
        self.note(|run| {
            run.outage.get_or_insert(Outage { since, told: false });
        });
    }

    pub(super) fn see_again(&mut self, now: Now) {
        self.note(|run| {
            let Some(Outage { since, told }) = run.outage.take() else { return };
            if !told && since.age(now.at).span > WORTH_TELLING {
                run.gaps.push(Gap { from: since, until: Some(Stamp::noted(now)) });
                let surplus = run.gaps.len().saturating_sub(GAPS_MAX);
                run.gaps.drain(..surplus);
            }
        });
        self.owes_note = !self.run().gaps.is_empty();
    }

    /// When there may be something to tell.
    pub(super) fn blindness_deadline(&self) -> Option<Moment> {
        let run = self.run();
        if let Some((part, _)) = self.network.down() {
            let outage = run.outage.filter(|outage| part == Part::Network && !outage.told)?;
            return Some(outage.since.at().unwrap_or_default() + WORTH_TELLING);
        }
        if !self.owes_note || self.settling.is_some() {
            return None;
        }
        Some(run.noted.and_then(Stamp::at).map_or(Moment::default(), |noted| noted + NOTES_EVERY))
    }

    /// The times in which we saw nobody, if people are to be told of them now. The last may go on.
    pub fn poll_blindness(&mut self, now: Now) -> Option<Vec<Gap>> {
        self.blindness_deadline().filter(|at| *at <= now.at)?;
        let is_down = self.network.is_down();
        self.owes_note = false;
        let mut gaps = Vec::new();
        self.note(|run| {
            gaps = std::mem::take(&mut run.gaps);
            if let Some(outage) = run.outage.as_mut().filter(|_| is_down) {
                outage.told = true;
                gaps.push(Gap { from: outage.since, until: None });
            }
            run.noted = Some(Stamp::noted(now));
        });
        Some(gaps)
    }
}
