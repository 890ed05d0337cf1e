//! Trouble of an app and its end: who is told of it, and when.
//!
//! Decided at each verdict, not at changes of state alone: people are named, mail is switched on
//! and allowed while an app is unwell, and whoever is to be told then is told at the next check that
//! shows the trouble still there.

use super::alert::{Alert, Level};
use super::notice::{Change, Mail, Notice, State};
use crate::engine::app::monitor::Transition;
use crate::engine::app::{App, AppId};
use crate::engine::chronicle::Event;
use crate::engine::core::Engine;
use crate::engine::time::{Now, Stamp};
use crate::engine::verdict::answer::Outcome;
use crate::engine::words::note::Note;

impl Engine {
    /// Notes a change of state. What it tells people is told at a verdict.
    pub(in crate::engine) fn changed(
        &mut self,
        now: Now,
        id: AppId,
        transition: Transition,
        reason: String,
    ) {
        let Transition { from, to } = transition;
        self.chronicle(now, id, Event::State { from, to, reason: reason.clone() });
        let Some(app) = self.apps.get_mut(&id) else { return };
        self.changes.app(id);
        match (Level::of(to), &mut app.alert) {
            (Some(_), None) => app.alert = Some(Alert::new(Stamp::noted(now))),
            (Some(_), Some(alert)) if alert.over => alert.reopen(now),
            (None, Some(alert)) => alert.over |= to == State::Healthy,
            (Some(_), Some(_)) | (None, None) => {}
        }
        let app = app.registration.name.clone();
        self.log(Note::StateChanged { app, from, to, reason });
    }

    /// After a verdict, which may have changed the state: tells whoever is to be told.
    pub(in crate::engine) fn tell(
        &mut self,
        now: Now,
        id: AppId,
        transition: Option<Transition>,
        outcome: Outcome,
    ) {
        let Some(app) = self.apps.get(&id).filter(|app| app.alert.is_some()) else { return };
        let state = app.state();
        match Level::of(state) {
            // An app that passes just now may be well soon: no time to begin a story.
            Some(_) if transition.is_none() && outcome == Outcome::Pass => {}
            Some(level) => self.alarm(now, id, transition, level),
            None if state == State::Healthy => self.recovered(now, id, transition),
            None => {}
        }
    }

    /// Tells those of the trouble to whom it is news.
    fn alarm(&mut self, now: Now, id: AppId, transition: Option<Transition>, level: Level) {
        let Some(app) = self.apps.get(&id) else { return };
        let Some(alert) = &app.alert else { return };
        let fails = app.monitor.rows.failed > 0;
        let named = self.told(&app.registration.email);
        let is_news = |to: &&String| alert.is_news(to, level, fails);
        let people: Vec<String> = named.iter().filter(is_news).cloned().collect();
        if people.is_empty() {
            return;
        }
        let notice = Notice::Change(trouble(app, alert, transition));
        for to in people {
            let thread = self.thread(id, &to);
            self.write(now, &to, notice.clone(), &thread);
            if let Some(alert) = self.alert_of(id) {
                alert.tell(&to, level, &named);
            }
        }
        self.changes.app(id);
    }

    /// Tells everyone who was told of the trouble that it is over. Who may have no mail now is told
    /// when they may, and who will never have read of it has nothing to be told.
    fn recovered(&mut self, now: Now, id: AppId, transition: Option<Transition>) {
        let Some(app) = self.apps.get(&id) else { return };
        let Some(alert) = &app.alert else { return };
        let name = app.registration.name.as_str();
        let notice = Notice::Change(end(app, alert, transition));
        let (mut owed, mut spared) = (Vec::new(), Vec::new());
        for told in alert.everybody().filter(|told| told.written.is_some()) {
            let to = told.to.clone();
            let may = self.options.recipients.may_be_told(&to);
            if told.arrived.is_none() && self.outbox.telling(&to, name).next().is_none() {
                spared.push(to);
            } else if may || self.outbox.next_for(&to).is_some() {
                owed.push(to);
            }
        }
        if !owed.is_empty() || !spared.is_empty() {
            self.changes.app(id);
        }
        for to in owed {
            let thread = self.thread(id, &to);
            self.write(now, &to, notice.clone(), &thread);
            if let Some(alert) = self.alert_of(id) {
                alert.tell_end(&to);
            }
        }
        if let Some(alert) = self.alert_of(id) {
            spared.iter().for_each(|to| alert.forget(to));
        }
        self.close_if_done(id);
    }

    /// The mail server took a mail: its reader knows now what it tells.
    pub(in crate::engine) fn arrived(&mut self, mail: &Mail) {
        self.update_alerts(mail, |alert, change| {
            alert.arrive(&mail.to, &mail.message_id, Level::of(change.to));
        });
    }

    /// A mail was refused for good. Who was not told of trouble has not heard of it; the end of it
    /// is not tried again.
    pub(in crate::engine) fn refused(&mut self, mail: &Mail) {
        self.update_alerts(mail, |alert, change| {
            if change.to == State::Healthy {
                alert.arrive(&mail.to, &mail.message_id, None);
            }
        });
    }

    /// Changes the alerts that a mail tells of, by the last that it tells of each.
    pub(in crate::engine) fn update_alerts(
        &mut self,
        mail: &Mail,
        mut update: impl FnMut(&mut Alert, &Change),
    ) {
        for change in mail.conclusions() {
            let Some(id) = self.names.get(&change.app).copied() else { continue };
            let Some(alert) = self.alert_of(id) else { continue };
            if alert.told(&mail.to).is_some() {
                update(alert, change);
                self.changes.app(id);
                self.close_if_done(id);
            }
        }
    }

    fn close_if_done(&mut self, id: AppId) {
        if let Some(app) = self.apps.get_mut(&id) {
            app.alert = app.alert.take().filter(|alert| !alert.is_done());
        }
    }

    fn alert_of(&mut self, id: AppId) -> Option<&mut Alert> {
        self.apps.get_mut(&id)?.alert.as_mut()
    }

    /// The message ids of the mails that a mail to a person about an app answers: those that arrived,
    /// then those that are still to arrive. Empty when it begins a story.
    fn thread(&self, id: AppId, to: &str) -> Vec<String> {
        let Some(app) = self.apps.get(&id) else { return Vec::new() };
        let told = app.alert.as_ref().and_then(|alert| alert.told(to));
        let Some(told) = told.filter(|told| told.written.is_some()) else { return Vec::new() };
        let pending = self.outbox.telling(to, &app.registration.name);
        let pending = pending.map(|mail| &mail.message_id);
        let pending = pending.filter(|message_id| !told.thread.contains(message_id));
        told.thread.iter().chain(pending).cloned().collect()
    }
}

/// The trouble of an app, in the words that people get.
fn trouble(app: &App, alert: &Alert, transition: Option<Transition>) -> Change {
    let monitor = &app.monitor;
    let is_of_this_row = monitor.trouble_since.is_not_after(monitor.since);
    let since = if is_of_this_row { monitor.trouble_since } else { alert.opened };
    app.change(monitor.since, transition.unwrap_or_else(|| told_late(app)), since)
}

/// The end of the trouble of an app.
fn end(app: &App, alert: &Alert, transition: Option<Transition>) -> Change {
    app.change(app.monitor.since, transition.unwrap_or_else(|| told_late(app)), alert.opened)
}

/// Nothing changes now: the change is told later than it came.
fn told_late(app: &App) -> Transition {
    Transition { from: app.state(), to: app.state() }
}
