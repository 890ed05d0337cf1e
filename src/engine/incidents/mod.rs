//! Incidents: what stands between a change of state and a message. Who is told of trouble, of its end,
//! and of an app that is watched from now on.
//!
//! For now each change of an app is an incident of its own. Decided at each verdict, not at changes of
//! state alone: people are named, mail is switched on and allowed while an app is unwell, and whoever
//! is to be told then is told at the next check that shows the trouble still there.

pub mod alert;
mod change;
mod disallowed;
mod settled;
mod welcome;

use std::collections::BTreeSet;

use self::alert::{Alert, Level, Told};
pub use self::disallowed::{Disallowed, who_is_disallowed};
use super::ledger::{Kept, Ledger};
use super::outbox::notice::{Mail, Notice};
use super::outbox::{Message, Outbox};
use super::recipients::Recipient;
use super::registry::{App, AppId, Registry};
use super::state::{State, Transition};
use super::time::{Moment, Now, Stamp, Step, Timeline};
use super::verdict::answer::Outcome;

/// Every alert that is open, and what is gathered to be told.
#[derive(Debug, Default)]
pub struct Incidents {
    alerts: Ledger<AppId, Alert>,
    /// Apps that have passed for the first time.
    newcomers: BTreeSet<AppId>,
    welcome_at: Option<Moment>,
}

impl Kept for Alert {
    type Facts = Alert;
    type Mark = ();
    const WHOLE: () = ();

    fn facts(&self) -> Alert {
        self.clone()
    }
}

/// What happens to apps.
impl Incidents {
    /// The state of an app has changed. What that tells people is told at a verdict.
    pub fn handle_transition(&mut self, now: Now, id: AppId, to: State) {
        let is_open = self.alerts.get(&id).is_some();
        match Level::of(to) {
            Some(_) if !is_open => self.alerts.insert(id, Alert::new(Stamp::noted(now))),
            level => {
                self.alerts.edit(&id, |alert| match level {
                    Some(_) if alert.over => alert.reopen(now),
                    None => alert.over |= to == State::Healthy,
                    Some(_) => {}
                });
            }
        }
    }

    /// An app has a verdict that counts, which may have changed its state: what there is to tell whom.
    pub fn handle_verdict(
        &mut self,
        id: AppId,
        transition: Option<Transition>,
        outcome: Outcome,
        registry: &Registry,
        outbox: &Outbox,
    ) -> Vec<Message> {
        let (Some(alert), Some(app)) = (self.alerts.get(&id), registry.get(id)) else {
            return Vec::new();
        };
        let (state, report) = (app.state(), alert.report);
        match Level::of(state) {
            // An app that passes just now may be well soon: no time to begin a story.
            Some(_) if transition.is_none() && outcome == Outcome::Pass => Vec::new(),
            Some(level) => self.alarm((id, app), transition, level, outbox),
            None if state != State::Healthy => Vec::new(),
            None => match report {
                Some(number) => self.back_in_report(number, registry, outbox),
                None => self.recovered((id, app), transition, outbox),
            },
        }
    }

    /// An app is watched no longer: nobody is owed anything. What is on its way still goes out.
    pub fn handle_stop(&mut self, id: AppId) {
        self.alerts.remove(&id);
        self.newcomers.remove(&id);
    }

    /// The alert of an app that is open.
    pub fn alert(&self, id: AppId) -> Option<&Alert> {
        self.alerts.get(&id)
    }

    /// The apps whose alerts changed since this was called last.
    pub fn take_changed(&mut self) -> Vec<AppId> {
        self.alerts.take_changed().into_iter().map(|(id, ())| id).collect()
    }

    /// Takes in an alert that is on record.
    pub fn restore(&mut self, id: AppId, alert: Alert) {
        self.alerts.restore(id, alert);
    }

    /// The clock was set, or the machine was asleep: puts every time right that is remembered.
    pub fn handle_step(&mut self, timeline: &Timeline, now: Now, step: Step) {
        self.alerts.put_right(|alert| timeline.step(now, step, &mut alert.opened));
        self.welcome_at = self.welcome_at.map(|at| step.moved_back(at));
    }

    /// Tells those of the trouble to whom it is news.
    fn alarm(
        &mut self,
        (id, app): (AppId, &App),
        transition: Option<Transition>,
        level: Level,
        outbox: &Outbox,
    ) -> Vec<Message> {
        let Some(alert) = self.alerts.get(&id) else { return Vec::new() };
        let fails = app.monitor.streaks.failed > 0;
        let named = outbox.told(app.registration.recipients());
        let is_news = |to: &&Recipient| alert.is_news(to, level, fails);
        let people: Vec<Recipient> = named.iter().filter(is_news).cloned().collect();
        if people.is_empty() {
            return Vec::new();
        }
        let notice = Notice::Change(change::trouble(app, alert, transition));
        let messages = self.messages((id, app), &people, &notice, outbox);
        self.alerts.edit(&id, |alert| {
            people.iter().for_each(|to| alert.tell(to, level, &named));
        });
        messages
    }

    /// Tells everyone who was told of the trouble that it is over. Who may have no mail now is told
    /// when they may, and who will never have read of it has nothing to be told.
    fn recovered(
        &mut self,
        (id, app): (AppId, &App),
        transition: Option<Transition>,
        outbox: &Outbox,
    ) -> Vec<Message> {
        let Some(alert) = self.alerts.get(&id) else { return Vec::new() };
        let name = app.registration.name.as_str();
        let notice = Notice::Change(change::end(app, alert, transition));
        let (mut owed, mut spared) = (Vec::new(), Vec::new());
        for (to, told) in alert.everybody().filter(|(_, told)| told.written.is_some()) {
            let may = outbox.recipients().may_be_told(to);
            if told.arrived.is_none() && outbox.telling(to, name).next().is_none() {
                spared.push(to.clone());
            } else if may || outbox.has_one_for(to) {
                owed.push(to.clone());
            }
        }
        let messages = self.messages((id, app), &owed, &notice, outbox);
        self.alerts.edit(&id, |alert| {
            owed.iter().for_each(|to| alert.tell_end(to));
            spared.iter().for_each(|to| alert.forget(to));
        });
        self.close_if_done(id);
        messages
    }

    /// One message for each of these people.
    fn messages(
        &self,
        (id, app): (AppId, &App),
        people: &[Recipient],
        notice: &Notice,
        outbox: &Outbox,
    ) -> Vec<Message> {
        let message = |to: &Recipient| Message {
            to: to.clone(),
            notice: notice.clone(),
            thread: self.thread(id, &app.registration.name, to, outbox),
        };
        people.iter().map(message).collect()
    }

    /// The message ids of the mails that a mail to a person about an app answers: those that arrived,
    /// then those that are still to arrive. Empty when it begins a story.
    fn thread(&self, id: AppId, app: &str, to: &Recipient, outbox: &Outbox) -> Vec<String> {
        let told = self.alerts.get(&id).and_then(|alert| alert.told(to));
        let Some(told) = told.filter(|told| told.written.is_some()) else { return Vec::new() };
        let pending = outbox.telling(to, app).map(|mail| &mail.message_id);
        let pending = pending.filter(|message_id| !told.thread.contains(message_id));
        told.thread.iter().chain(pending).cloned().collect()
    }

    fn close_if_done(&mut self, id: AppId) {
        if self.alerts.get(&id).is_some_and(Alert::is_done) {
            self.alerts.remove(&id);
        }
    }
}

/// What became of mails.
impl Incidents {
    /// The mail server took a mail: its reader knows now what it tells.
    pub fn handle_arrival(&mut self, mail: &Mail, registry: &Registry) {
        self.update(mail, registry, &mut |alert, state| {
            alert.arrive(&mail.to, &mail.message_id, Level::of(state));
        });
    }

    /// A mail was refused for good. Who was not told of trouble has not heard of it; the end of it
    /// is not tried again.
    pub fn handle_refusal(&mut self, mail: &Mail, registry: &Registry) {
        self.update(mail, registry, &mut |alert, state| {
            if state == State::Healthy {
                alert.arrive(&mail.to, &mail.message_id, None);
            }
        });
    }

    /// Records were lost to damage. People are taken to know what the last mail tells them that waits
    /// or has arrived, whatever was written; those to whom mails are refused are left alone.
    pub fn handle_loss(&mut self, registry: &Registry, outbox: &Outbox) {
        for (id, app) in registry.by_name() {
            let Some(alert) = self.alerts.get(&id) else { continue };
            let name = app.registration.name.as_str();
            let last_told = |(to, told): (&Recipient, &Told)| {
                let waits = outbox.telling(to, name).last();
                let change =
                    waits.and_then(|mail| mail.conclusions().find(|(app, _)| *app == name));
                (to.clone(), change.map_or(told.arrived, |(_, state)| Level::of(state)))
            };
            let people = alert.everybody().filter(|(to, _)| outbox.refusal(to).is_none());
            let people: Vec<(Recipient, Option<Level>)> = people.map(last_told).collect();
            self.alerts.edit(&id, |alert| {
                people.iter().for_each(|(to, level)| alert.set_written(to, *level));
            });
            self.close_if_done(id);
        }
    }

    /// Changes the alerts that a mail tells of, by the last that it tells of each.
    fn update(
        &mut self,
        mail: &Mail,
        registry: &Registry,
        update: &mut dyn FnMut(&mut Alert, State),
    ) {
        for (app, state) in mail.conclusions() {
            let Some(id) = registry.id_of(app) else { continue };
            self.alerts.edit(&id, |alert| {
                if alert.told(&mail.to).is_some() {
                    update(alert, state);
                }
            });
            self.close_if_done(id);
        }
    }
}

#[cfg(test)]
mod tests;
