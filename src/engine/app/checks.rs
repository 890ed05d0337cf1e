//! Checks: when each is due, which run, and what their verdicts do.

use std::time::Duration;

use super::history::room;
use super::{App, AppId, Due, Pace};
use crate::engine::core::{Check, Engine, Timer};
use crate::engine::record::keep::TALLY_EVERY;
use crate::engine::schedule::lanes::Lane;
use crate::engine::schedule::spread;
use crate::engine::schedule::wheel::TimerId;
use crate::engine::time::{Moment, Now};
use crate::engine::verdict::answer::{CheckEnd, Verdict};
use crate::engine::words::note::Note;

/// The first check comes within a second of the registration: this, and time for the hand-over.
const FIRST_CHECK_WITHIN: Duration = Duration::from_millis(900);

impl Engine {
    /// Starts to check an app anew. A check that is due sooner stays due: whoever registers by turns
    /// at two addresses is asked all the same.
    pub(in crate::engine) fn begin(&mut self, now: Now, id: AppId) {
        let Some(app) = self.apps.get_mut(&id) else { return };
        app.check = None;
        let old = app.due();
        let calm = self.calm_soon(now);
        let at = old.map_or(calm, |old| old.at.min(calm));
        let due = self.first_check(id, old, at);
        if let Some(app) = self.apps.get_mut(&id) {
            app.pace = Pace::First(due);
        }
    }

    /// The interval is another one. A check that is due sooner than the new interval has it stays
    /// due, and what follows finds its place then: whoever registers again and again, each time with
    /// another interval, is asked all the same.
    pub(in crate::engine) fn repace(&mut self, now: Now, id: AppId) {
        let calm = self.calm_place(now.at, id);
        let Some(app) = self.apps.get_mut(&id) else { return };
        match app.due() {
            Some(old) if old.at <= calm => app.pace = Pace::First(old),
            old => self.steady(id, old, calm),
        }
    }

    /// The least busy moment of the next second.
    pub(in crate::engine) fn calm_soon(&self, now: Now) -> Moment {
        spread::calmest(now.at, FIRST_CHECK_WITHIN, self.apps.values().filter_map(App::train))
    }

    pub(in crate::engine) fn first_check(
        &mut self,
        id: AppId,
        old: Option<Due>,
        at: Moment,
    ) -> Due {
        if let Some(old) = old {
            self.wheel.cancel(old.timer);
        }
        Due { at, timer: self.wheel.schedule(at, Timer::Check(id)) }
    }

    /// Finds an app its lasting place.
    pub(in crate::engine) fn place_among_others(&mut self, from: Moment, id: AppId) {
        let at = self.calm_place(from, id);
        let old = self.apps.get(&id).and_then(App::due);
        self.steady(id, old, at);
    }

    /// The least busy moment between half an interval and one from `from` on.
    fn calm_place(&self, from: Moment, id: AppId) -> Moment {
        let Some(app) = self.apps.get(&id) else { return from };
        let half = app.registration.interval / 2;
        let others = self.apps.iter().filter(|(other, _)| **other != id);
        spread::calmest(from + half, half, others.filter_map(|(_, app)| app.train()))
    }

    pub(in crate::engine) fn steady(&mut self, id: AppId, old: Option<Due>, at: Moment) {
        if let Some(old) = old {
            self.wheel.cancel(old.timer);
        }
        let timer: TimerId = self.wheel.schedule(at, Timer::Check(id));
        if let Some(app) = self.apps.get_mut(&id) {
            app.pace = Pace::Steady(Due { at, timer });
        }
    }

    pub(in crate::engine) fn check_due(&mut self, now: Now, id: AppId) {
        let Some(app) = self.apps.get(&id) else { return };
        let idle = app.check.is_none();
        let due = match app.pace {
            Pace::Paused => return,
            Pace::First(due) => {
                self.place_among_others(due.at, id);
                due.at
            }
            Pace::Steady(due) => {
                let at = after(due.at, app.registration.interval, now.at);
                self.steady(id, None, at);
                due.at
            }
        };
        // A check that falls due while one runs is skipped.
        if idle {
            self.ask(id, due);
        }
    }

    /// Has an app asked in a check that was due at `due`.
    pub(in crate::engine) fn ask(&mut self, id: AppId, due: Moment) {
        self.last_check += 1;
        if let Some(app) = self.apps.get_mut(&id) {
            app.check_due = due;
        }
        self.queue(id, self.last_check);
    }

    pub(in crate::engine) fn queue(&mut self, id: AppId, check: u64) {
        let Some(app) = self.apps.get_mut(&id) else { return };
        app.check = Some(check);
        self.lanes.push(app.lane, Check { id: check, app: id });
    }

    pub(in crate::engine) fn end_check(
        &mut self,
        now: Now,
        id: AppId,
        check: u64,
        end: CheckEnd,
        latency: Duration,
    ) {
        let Some(app) = self.apps.get_mut(&id).filter(|app| app.check == Some(check)) else {
            return;
        };
        app.check = None;
        let late = now.at.before(latency).since(app.check_due);
        self.tallies.lateness.count(u32::try_from(late.as_millis()).unwrap_or(u32::MAX));
        match end {
            CheckEnd::LeashEnded => {
                app.lane = Lane::Slow;
                app.check_due = now.at;
                self.queue(id, check);
            }
            CheckEnd::NoVerdict { reason } => {
                let app = app.registration.name.clone();
                self.log(Note::Undecided { app, reason });
            }
            CheckEnd::Verdict(verdict) => self.judge(now, id, verdict, latency),
        }
    }

    pub(in crate::engine) fn judge(
        &mut self,
        now: Now,
        id: AppId,
        verdict: Verdict,
        latency: Duration,
    ) {
        let room = room(self.apps.len());
        let Some(app) = self.apps.get_mut(&id) else { return };
        let (outcome, reason) = (verdict.outcome, verdict.reason.clone());
        let forgiveness_was_spent = app.forgiveness.is_spent();
        let effect = app.observe(now, verdict, latency, room);
        if app.forgiveness.is_spent() != forgiveness_was_spent {
            self.changes.app(id);
        }
        if app.monitor.rows_that_matter() != app.recorded {
            self.changes.rows(id);
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

/// The first due time after `now` of a check that is due every `interval`, without drift.
fn after(due: Moment, interval: Duration, now: Moment) -> Moment {
    let missed = now.since(due).as_millis() / interval.as_millis().max(1);
    due + interval * u32::try_from(missed + 1).unwrap_or(u32::MAX)
}
