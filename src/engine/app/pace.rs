//! Pace: when the check of each app is due.

use std::time::Duration;

use super::{App, AppId, Due, Pace};
use crate::engine::core::{Engine, Timer};
use crate::engine::schedule::spread;
use crate::engine::schedule::wheel::TimerId;
use crate::engine::time::{Moment, Now};

/// The first check comes within a second of the registration: this, and time for the hand-over.
const FIRST_CHECK_WITHIN: Duration = Duration::from_millis(900);

impl Engine {
    /// Starts to check an app anew. A check that is due sooner stays due: whoever registers by turns
    /// at two addresses is asked all the same.
    pub(in crate::engine) fn begin(&mut self, now: Now, id: AppId) {
        let Some(app) = self.apps.get(&id) else { return };
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
        self.ask_when_due(now, id, due);
    }
}

/// The first due time after `now` of a check that is due every `interval`, without drift.
fn after(due: Moment, interval: Duration, now: Moment) -> Moment {
    let missed = now.since(due).as_millis() / interval.as_millis().max(1);
    due + interval * u32::try_from(missed + 1).unwrap_or(u32::MAX)
}
