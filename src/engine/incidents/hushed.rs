//! Quiet times: nobody is told of an app for now, whatever becomes of it. When that is over, people are told
//! what is broken then, together, and what they are owed of before.

use super::alert::{Alert, Level, Tie};
use super::collection::Collection;
use super::{Incidents, Known};
use crate::engine::outbox::Message;
use crate::engine::registry::{App, AppId};
use crate::engine::state::State;
use crate::engine::time::Now;
use crate::engine::verdict::answer::Outcome;

impl Known<'_> {
    /// Nobody is told of it for now: it is quiet, or its silence is the outage of a parent that is.
    pub(super) fn is_hushed(&self, id: AppId) -> bool {
        self.registry.get(id).is_some_and(|app| {
            let above = || self.registry.covering(app);
            app.is_quiet() || above().is_some_and(|(_, parent)| parent.is_quiet())
        })
    }
}

impl Incidents {
    /// Trouble of an app that is hushed is news to somebody: if it is silent, it may be one event with others, and
    /// is told with them.
    pub(super) fn keep_quiet(&mut self, (id, app): (AppId, &App), level: Level) {
        if level == Level::Unhealthy && app.is_silent() {
            self.put_off(id, app);
        }
    }

    /// Has an app that is UNHEALTHY wait to be told.
    pub(super) fn put_off(&mut self, id: AppId, app: &App) {
        self.alerts.edit(&id, |alert| {
            if alert.is_told_as(Level::Unhealthy) || alert.tie == Tie::Collected {
                return;
            }
            alert.tie = Tie::Collected;
            if !alert.is_told() {
                alert.opened = app.monitor.since;
            }
        });
    }

    /// A quiet time has ended for some: they are asked at once, and what is broken then is told. Who is not asked is
    /// as it was: it may be long until it reports again, and quiet then.
    pub fn handle_quiet_end(
        &mut self,
        now: Now,
        ended: &[AppId],
        known: Known<'_>,
    ) -> Vec<Message> {
        self.look_at_reminders(now);
        self.look_at_mutes(now);
        if !self.newcomers.is_empty() {
            self.gather_newcomers(now);
        }
        let is_free = |(id, alert): &(&AppId, &Alert)| {
            (alert.tie == Tie::Collected || ended.contains(id)) && !known.is_hushed(**id)
        };
        let free: Vec<AppId> = self.alerts.iter().filter(is_free).map(|(id, _)| *id).collect();
        let waiting = || free.iter().copied().filter(|id| self.is_collected(*id));
        if waiting().next().is_some() {
            let collection = Collection::of(now, waiting().collect());
            self.collection = Some(match self.collection.take() {
                Some(open) => open.and(collection),
                None => collection,
            });
        }
        let (report, asked): (Vec<AppId>, Vec<AppId>) =
            free.into_iter().partition(|id| reports(*id, known));
        self.to_ask.extend(asked);
        self.tell_state(now, &report, known)
    }

    /// After a start: a quiet time of those that are not asked may have ended before it.
    pub fn handle_started(&mut self, now: Now, known: Known<'_>) -> Vec<Message> {
        let ids: Vec<AppId> = self.alerts.iter().map(|(id, _)| *id).collect();
        self.tell_of_reporting(now, &ids, known)
    }

    /// An app names other people, perhaps. Of one that is not asked it may be long until something shows its trouble
    /// to them.
    pub fn handle_named(&mut self, now: Now, id: AppId, known: Known<'_>) -> Vec<Message> {
        self.tell_of_reporting(now, &[id], known)
    }

    /// What those have waited for that report by themselves, and seldom, may be over: that a parent is well, or that
    /// somebody wants to hear of it. It is long until anything else shows their trouble.
    pub(super) fn tell_of_seldom(&mut self, now: Now, known: Known<'_>) -> Vec<Message> {
        let is_seldom = |id: &AppId| {
            let rhythm = known.registry.get(*id).and_then(|app| app.registration.beats());
            rhythm.is_some_and(|rhythm| !rhythm.says_soon_again())
        };
        let open = self.alerts.iter().filter(|(_, alert)| !alert.over).map(|(id, _)| *id);
        let ids: Vec<AppId> = open.filter(is_seldom).collect();
        self.tell_of_reporting(now, &ids, known)
    }

    /// What there is to tell of those among these that report by themselves. What is told, or is believed only after
    /// a while, goes on with a report.
    fn tell_of_reporting(&mut self, now: Now, ids: &[AppId], known: Known<'_>) -> Vec<Message> {
        let is_kept = |alert: &Alert| !alert.is_done() && !alert.keeps_failing;
        let ids = ids.iter().copied().filter(|id| reports(*id, known));
        let ids: Vec<AppId> = ids.filter(|id| self.alerts.get(id).is_some_and(is_kept)).collect();
        self.tell_state(now, &ids, known)
    }

    /// What there is to tell of these by how they are, though nothing happens.
    fn tell_state(&mut self, now: Now, ids: &[AppId], known: Known<'_>) -> Vec<Message> {
        let mut messages = Vec::new();
        for id in ids {
            let app = known.registry.get(*id).filter(|app| !app.paused);
            // It is told with others, if somebody waits for them.
            let waits = self.collection.is_some() && self.is_collected(*id);
            let Some(app) = app.filter(|_| !waits) else { continue };
            let is_well = app.state() == State::Healthy;
            let outcome = if is_well { Outcome::Pass } else { Outcome::Fail };
            messages.extend(self.news((*id, app), now, None, outcome, known));
        }
        messages
    }
}

/// Whether an app is not asked, and reports by itself.
fn reports(id: AppId, known: Known<'_>) -> bool {
    known.registry.get(id).is_some_and(|app| app.registration.beats().is_some())
}
