//! Incidents: what stands between a change of state and a message. What belongs together, what waits,
//! and who is told of trouble, of its end, and of an app that is watched from now on.
//!
//! An app that is unwell has an [alert]. Alerts that are one event are tied together, so that each person
//! gets one mail of it and one more when all are well: those of a [report](settled) after an interruption, and
//! apps that fall silent together, which takes a [collection] to know.
//!
//! Decided at each verdict, not at changes of state alone: people are named, mail is switched on and
//! allowed while an app is unwell, and whoever is to be told then is told at the next check that shows
//! the trouble still there.

pub mod alert;
mod arrivals;
mod blind;
mod change;
mod collection;
mod disallowed;
mod flapping;
mod grouping;
mod hushed;
mod joining;
pub mod mutes;
mod parents;
mod reminders;
mod settled;
mod telling;
mod together;
mod welcome;

use self::alert::{Alert, Level, Tie};
pub use self::blind::blind_messages;
use self::collection::Collection;
pub use self::disallowed::{Disallowed, who_is_disallowed};
use super::ledger::{Kept, Ledger};
use super::outbox::{Message, Outbox};
use super::registry::{App, AppId, Registry};
use super::sorted::SortedMap;
use super::state::{State, Transition};
use super::surroundings::Surroundings;
use super::time::{Moment, Now, Stamp, Step, Timeline, earlier};
use super::verdict::answer::Outcome;

/// Every alert that is open, and what is gathered to be told.
#[derive(Debug, Default)]
pub struct Incidents {
    alerts: Ledger<AppId, Alert>,
    collection: Option<Collection>,
    /// When those are told that came later to an incident, by its number.
    updates: SortedMap<u64, Moment>,
    /// Whether people are reminded,
    reminds: bool,
    /// and when that may be due.
    remind_at: Option<Moment>,
    /// When a mute may end.
    mute_at: Option<Moment>,
    /// Who is to be asked at once: the parents and children of who is silent.
    to_ask: Vec<AppId>,
    /// Apps that have passed for the first time.
    newcomers: SortedMap<AppId, Stamp>,
    welcome_at: Option<Moment>,
}

/// What a deadline of the incidents is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// First passes that are gathered.
    Welcome,
    /// Silent apps that may be one event.
    Collection,
    /// Those that came later to an incident.
    Update,
    /// What people know, and may be told again.
    Reminder,
    /// What people wanted to hear no more of for a while.
    Mute,
}

/// What the incidents look at of others.
#[derive(Clone, Copy, Debug)]
pub struct Known<'a> {
    /// How the apps are.
    pub registry: &'a Registry,
    /// Whether we can see them.
    pub surroundings: &'a Surroundings,
    /// Who may be told, and which mails wait.
    pub outbox: &'a Outbox,
}

impl Kept for Alert {
    type Facts = Alert;
    type Mark = ();
    const WHOLE: () = ();

    fn facts(&self) -> Alert {
        self.clone()
    }
}

impl Incidents {
    /// None are open. `reminds`: people are told again of trouble that lasts.
    pub fn new(reminds: bool) -> Incidents {
        Incidents { reminds, ..Incidents::default() }
    }
}

/// What happens to apps.
impl Incidents {
    /// The state of an app has changed. What that tells people is told at a verdict.
    pub fn handle_transition(&mut self, now: Now, id: AppId, to: State, registry: &Registry) {
        let is_open = self.alerts.get(&id).is_some();
        let app = registry.get(id);
        match Level::of(to) {
            Some(_) if !is_open => self.alerts.insert(id, Alert::new(Stamp::noted(now))),
            level => {
                self.alerts.edit(&id, |alert| match level {
                    Some(_) if alert.over => {
                        let known = app.is_some_and(|app| flapping::is_known(now, alert, app));
                        alert.reopen(now, known);
                    }
                    None if to == State::Healthy => alert.end(now),
                    None => {}
                    Some(_) => {}
                });
            }
        }
    }

    /// An app has a verdict that counts, which may have changed its state: what there is to tell whom.
    pub fn handle_verdict(
        &mut self,
        now: Now,
        id: AppId,
        transition: Option<Transition>,
        outcome: Outcome,
        known: Known<'_>,
    ) -> Vec<Message> {
        if self.alerts.get(&id).is_none() && self.collection.is_none() {
            return Vec::new();
        }
        let Some(app) = known.registry.get(id) else { return Vec::new() };
        if let Some(collection) = &mut self.collection {
            collection.handle_verdict(id, app);
        }
        if outcome == Outcome::Pass {
            self.handle_pass(now, id, app);
            self.hasten_children(now, app, known.registry);
        }
        let mut messages = self.news((id, app), now, transition, outcome, known);
        if transition.is_some_and(|it| it.to == State::Healthy) {
            messages.extend(self.tell_of_seldom(now, known));
        }
        if self.collection.as_ref().is_some_and(Collection::is_decided) {
            messages.extend(self.close(now, transition.map(|it| (id, it)), known));
        }
        messages
    }

    /// What one app's verdict tells.
    fn news(
        &mut self,
        (id, app): (AppId, &App),
        now: Now,
        transition: Option<Transition>,
        outcome: Outcome,
        known: Known<'_>,
    ) -> Vec<Message> {
        let Some(alert) = self.alerts.get(&id) else { return Vec::new() };
        match Level::of(app.state()) {
            // An app that passes just now may be well soon: no time to begin a story.
            Some(_) if transition.is_none() && outcome == Outcome::Pass => Vec::new(),
            Some(level) => self.alarm(now, (id, app), transition, level, known),
            None if !alert.over || app.state() != State::Healthy => Vec::new(),
            None if flapping::may_fail_again(now, alert, app) => Vec::new(),
            None if alert.is_done() => {
                self.forget_if_calm(now, (id, app));
                Vec::new()
            }
            None if known.is_hushed(id) => Vec::new(),
            None => match alert.tie.number() {
                Some(number) => self.all_well(now, number, known),
                None => self.recovered((id, app), transition, known.outbox),
            },
        }
    }

    /// An app has passed. What nobody was told of by now is no alarm; and one that was told before it was
    /// asked often enough to be UNHEALTHY is well.
    fn handle_pass(&mut self, now: Now, id: AppId, app: &App) {
        let is_well = app.state() == State::Healthy;
        self.alerts.edit(&id, |alert| {
            if is_well {
                alert.end(now);
            }
            if !alert.is_told_as(Level::Unhealthy) {
                alert.tie = Tie::Alone;
            }
        });
    }

    /// An app is watched no longer: nobody is owed anything. What is on its way still goes out. Whoever
    /// waited for this one alone, of those that were told together, hears that the others are well.
    pub fn handle_stop(&mut self, now: Now, id: AppId, known: Known<'_>) -> Vec<Message> {
        self.newcomers.remove(&id);
        let number = self.alerts.remove(&id).and_then(|alert| alert.tie.number());
        self.handle_absent(id);
        number.map_or_else(Vec::new, |number| self.all_well(now, number, known))
    }

    /// An app is paused, or off: nobody waits for it, but it is owed an end still.
    pub fn handle_rest(&mut self, now: Now, id: AppId, known: Known<'_>) -> Vec<Message> {
        self.alerts.edit(&id, |alert| {
            if !alert.is_told_as(Level::Unhealthy) {
                alert.tie = Tie::Alone;
            }
        });
        self.handle_absent(id);
        let number = self.alerts.get(&id).and_then(|alert| alert.tie.number());
        number.map_or_else(Vec::new, |number| self.all_well(now, number, known))
    }

    fn handle_absent(&mut self, id: AppId) {
        if let Some(collection) = &mut self.collection {
            collection.forget(id);
        }
    }

    /// Who is to be asked at once, since this was called last.
    pub fn take_asked(&mut self) -> Vec<AppId> {
        std::mem::take(&mut self.to_ask)
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

    /// All alerts that are on record were taken in: what waited before waits on.
    pub fn handle_start(&mut self, now: Now, registry: &Registry) {
        if self.alerts.values().any(|alert| alert.tie == Tie::Collected) {
            self.collection = Some(Collection::resumed(now, registry));
        }
        self.resume_updates(now);
        self.look_at_reminders(now);
        self.look_at_mutes(now);
    }

    /// The clock was set, or the machine was asleep: puts every time right that is remembered.
    pub fn handle_step(&mut self, timeline: &Timeline, now: Now, step: Step) {
        self.alerts.put_right(|alert| {
            timeline.step(now, step, &mut alert.opened);
            alert.handle_step(step);
            let Alert { recovered, reminded, .. } = alert;
            let others = recovered.iter_mut().chain(reminded);
            others.for_each(|stamp| timeline.step(now, step, stamp));
            if let Tie::Of { told, .. } = &mut alert.tie {
                timeline.step(now, step, told);
            }
            alert.for_each_mute(|stamp| timeline.step(now, step, stamp));
        });
        self.look_at_mutes(now);
        self.step_reminders(now, step);
        self.welcome_at = self.welcome_at.map(|at| step.moved_back(at));
        self.newcomers.values_mut().for_each(|passed| timeline.step(now, step, passed));
        self.collection.iter_mut().for_each(|collection| collection.handle_step(step));
        self.updates.values_mut().for_each(|at| *at = step.moved_back(*at));
    }

    /// Closes an alert of which all is said. It is remembered for a while, if people were told of it.
    fn close_if_done(&mut self, id: AppId) {
        let is_done = |alert: &Alert| alert.is_done() && alert.recovered.is_none();
        if self.alerts.get(&id).is_some_and(is_done) {
            self.alerts.remove(&id);
        }
    }
}

/// What is waited for.
impl Incidents {
    /// What is next, and when.
    pub fn next_deadline(&self) -> Option<(Moment, Wait)> {
        let welcome = self.welcome_at.map(|at| (at, Wait::Welcome));
        let collection = self.collection.as_ref().map(|it| (it.until(), Wait::Collection));
        let update = self.updates.values().min().map(|at| (*at, Wait::Update));
        let reminder = self.remind_at.map(|at| (at, Wait::Reminder));
        let mute = self.mute_at.map(|at| (at, Wait::Mute));
        let soonest = earlier(earlier(welcome, collection), earlier(update, reminder));
        earlier(soonest, mute)
    }

    /// It may be time to tell of silent apps: what there is to tell whom.
    pub fn handle_deadline(&mut self, now: Now, wait: Wait, known: Known<'_>) -> Vec<Message> {
        match wait {
            // It changes the registry: see [`Incidents::welcome`].
            Wait::Welcome => Vec::new(),
            Wait::Collection => self.handle_collected(now, known),
            Wait::Update => self.handle_updates(now, known),
            Wait::Reminder => self.handle_reminders(now, known),
            Wait::Mute => self.handle_mutes(now, known),
        }
    }
}

#[cfg(test)]
mod tests;
