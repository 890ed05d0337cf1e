//! What the verdicts of checks do.

use std::time::Duration;

use super::AppId;
use super::history::room;
use crate::engine::core::{Engine, Timer};
use crate::engine::record::keep::TALLY_EVERY;
use crate::engine::time::Now;
use crate::engine::verdict::answer::Verdict;
use crate::engine::words::note::Note;

impl Engine {
    pub(in crate::engine) fn judge(
        &mut self,
        now: Now,
        id: AppId,
        verdict: Verdict,
        latency: Duration,
    ) {
        let room = room(self.apps.len());
        let day = self.timeline.wall(now);
        let Some(app) = self.apps.get_mut(&id) else { return };
        let (outcome, reason) = (verdict.outcome, verdict.reason.clone());
        let forgiveness_was_spent = app.forgiveness.is_spent();
        let effect = app.observe(now, day, verdict, latency, room);
        if app.forgiveness.is_spent() != forgiveness_was_spent {
            self.changes.app(id);
        }
        if app.monitor.rows_that_matter() != app.recorded {
            self.changes.rows(id);
            // Something is written anyway: the counters go with it.
            self.changes.tally(id);
        }
        let name = app.registration.name.clone();
        self.log(Note::Checked {
            app: name,
            outcome,
            reason: reason.clone(),
            latency,
            counts: effect.counts,
        });
        self.tally_later(now);
        if effect.news {
            self.chronicle_check(now, id, effect.counts);
        }
        if effect.first_pass {
            self.greet(now, id);
        }
        if let Some(transition) = effect.transition {
            self.changed(now, id, transition, reason);
        }
        if effect.counts {
            self.tell(now, id, effect.transition, outcome);
        }
    }

    /// Counters and history are recorded and summed up once an hour, while there are any.
    pub(in crate::engine) fn tally_later(&mut self, now: Now) {
        if !std::mem::replace(&mut self.tally_due, true) {
            self.wheel.schedule(now.at + TALLY_EVERY, Timer::Tally);
        }
    }

    pub(in crate::engine) fn tally(&mut self, now: Now) {
        self.tally_due = false;
        for id in self.names.values() {
            self.changes.tally(*id);
        }
        self.sum_up_all(now);
    }

    pub(in crate::engine) fn forget(&mut self, now: Now, id: AppId, why: &str) {
        let Some(app) = self.apps.get_mut(&id) else { return };
        if let Some(transition) = app.monitor.forget(now) {
            self.changed(now, id, transition, why.to_owned());
        }
    }
}
