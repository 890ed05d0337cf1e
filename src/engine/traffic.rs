//! The whole traffic between the machines: what one says becomes a call on the next here, or in [`around`](super::around)
//! what has to do with our surroundings, in sight, and nowhere else.
//!
//! A verdict passes from the scheduler through the app's state to the incident that it belongs to,
//! and from there, as a message to each person, into the outbox.
//!
//! A machine that must know something of another is handed it to look at. Only the incidents change
//! another's things, in two places: that a welcome was told (`incidents::Wait::Welcome`), and, at the start, the
//! mails of people who may have none now ([`Engine::restore`]).

use std::time::Duration;

use super::check_log::{Event, Line};
use super::core::{Action, CommandError, Engine, Registered, Wait};
use super::incidents::alert::Alert;
use super::incidents::{self, Incidents, Known};
use super::log_event::LogEvent;
use super::outbox::delivery::Delivery;
use super::outbox::{Concluded, Message, Output};
use super::query::off_or_away;
use super::recipients::Recipient;
use super::registration::{Origin, Registration};
use super::registry::{App, AppId, Enrolled, RegistryError, Welcome};
use super::scheduler::{Begin, Destination, Ended, Timing, Wait as Schedule};
use super::sorted::SortedSet;
use super::state::{State, Transition};
use super::surroundings::Worth;
use super::time::Now;
use super::verdict::answer::{CheckEnd, Life, Verdict};
use super::verdict::probe::{Probe, ProbeKind};
use super::verdict::slower;

/// Timers that fire in one turn, before the sockets are looked at again.
const TIMERS_A_TURN: usize = 64;

/// What is said of an app that crashes and starts again.
const CRASH_LOOP: &str =
    "it registered 3 times within 10 min, and failed in between: it may crash and start again";

/// Commands: what apps and people ask for.
impl Engine {
    /// The name of the app that a call means. All other calls take the name that this returns.
    ///
    /// # Errors
    /// No app has this name.
    pub fn on_record(&self, given: &str) -> Result<String, RegistryError> {
        self.registry.on_record(given)
    }

    /// The name under which a registration goes on record: that of a known app, else a tidy one.
    ///
    /// # Errors
    /// A new name has characters that cannot be seen.
    pub fn name_for(&self, given: &str) -> Result<String, RegistryError> {
        self.registry.name_for(given)
    }

    /// Registers an app, or changes what differs of one that is known.
    ///
    /// Only another address sets a known app back to UNKNOWN.
    ///
    /// # Errors
    /// There are too many apps, or they take too much together; or one would be behind itself.
    pub fn register(
        &mut self,
        now: Now,
        mut registration: Registration,
    ) -> Result<Registered, CommandError> {
        self.registry.settle_parents(&mut registration)?;
        // Mails that wait count: whom they are for takes room, though no app may name them now.
        self.registry.admit(&registration, self.outbox.waiting())?;
        if registration.origin == Origin::Network {
            self.handle_life(now);
        }
        let (timing, to) = (Timing::of(&registration), Destination::of(&registration));
        let reports = registration.beats().is_some();
        let app = registration.name.clone();
        let url = registration.target.place().map(|address| address.asked.clone());
        let new = self.registry.id_of(&app).is_none();
        self.log(LogEvent::Registered { app, url, new });
        let url = to.address.clone();
        let name = registration.name.clone();
        let registered = match self.registry.register(now, registration) {
            Enrolled::New(id) => {
                self.take_up(now, id, timing, &to);
                self.check_log(now, id, Event::Registered { url });
                Registered::New
            }
            // What the scheduler need not know may be all that differs: it sees for itself.
            Enrolled::Updated { id, before } if before.target.address() == url => {
                self.scheduler.repace(now, id, timing);
                self.await_beats(now, id);
                self.check_log(now, id, Event::Updated { url });
                Registered::Updated
            }
            Enrolled::Updated { id, before } => {
                if before.beats().is_some() || reports {
                    self.scheduler.remove(id, Destination::of(&before));
                    self.take_up(now, id, timing, &to);
                } else {
                    self.scheduler.relocate(now, id, timing, Destination::of(&before), &to);
                }
                self.check_log(now, id, Event::Updated { url });
                self.forget(now, id, "the address changed");
                // What is awaited is at the old address.
                self.surroundings.forget(id);
                self.chronicle.forget(&before.name);
                self.end_settling(now);
                Registered::Updated
            }
            Enrolled::Unchanged => Registered::Unchanged,
        };
        if let Some(id) = self.registry.id_of(&name) {
            self.follow_quiet_of(now, id);
            self.look_for_crashes(now, id);
        }
        Ok(registered)
    }

    /// An app has registered. One that does so again and again while it fails is not well, whatever passes
    /// between.
    fn look_for_crashes(&mut self, now: Now, id: AppId) {
        if !self.registry.handle_start_of(now, id) || self.surroundings.awaits(id) {
            return;
        }
        let transition = self.registry.degrade(now, id);
        if let Some(transition) = transition {
            self.handle_transition(now, id, transition, CRASH_LOOP.to_owned());
        }
        let (incidents, known) = self.incidents();
        let messages = incidents.handle_crash_loop(now, id, transition, CRASH_LOOP, known);
        self.post(now, messages);
    }

    /// Stops checking an app until it is resumed. Pausing twice is pausing once.
    ///
    /// # Errors
    /// The name is unknown.
    pub fn pause(&mut self, now: Now, name: &str) -> Result<(), CommandError> {
        let id = self.registry.find(name)?;
        if self.registry.set_paused(id, true) {
            self.scheduler.pause(id);
            self.beats.remove(id);
            self.surroundings.forget(id);
            self.chronicle.forget(name);
            self.log(LogEvent::Commanded { app: name.to_owned(), what: "paused" });
            self.check_log(now, id, Event::Paused);
            let (incidents, known) = self.incidents();
            let messages = incidents.handle_rest(now, id, known);
            self.post(now, messages);
            self.end_settling(now);
        }
        Ok(())
    }

    /// Checks a paused app again, from UNKNOWN, and ends quiet that was asked for, in which its state is kept.
    /// Resuming another app changes nothing.
    ///
    /// # Errors
    /// The name is unknown.
    pub fn resume(&mut self, now: Now, name: &str) -> Result<(), CommandError> {
        let id = self.registry.find(name)?;
        if self.registry.set_paused(id, false) {
            self.resumed(name);
            self.check_log(now, id, Event::Resumed);
            self.forget(now, id, "resumed");
            self.scheduler.resume(now, id);
            self.await_beats(now, id);
        }
        if self.end_asked_quiet(now, id) {
            self.resumed(name);
        }
        Ok(())
    }

    fn resumed(&mut self, app: &str) {
        self.log(LogEvent::Commanded { app: app.to_owned(), what: "resumed" });
    }

    /// Asks an app at once, and again when it is due. One that is being asked is not asked twice.
    ///
    /// # Errors
    /// The name is unknown, or the app is paused.
    pub fn check(&mut self, now: Now, name: &str) -> Result<(), CommandError> {
        let id = self.registry.find(name)?;
        let Some(app) = self.registry.get(id) else { return Ok(()) };
        if app.registration.beats().is_some() {
            return Err(CommandError::Reports(name.to_owned()));
        }
        if app.paused {
            return Err(CommandError::Paused(name.to_owned()));
        }
        self.scheduler.ask_now(now, id);
        Ok(())
    }

    /// Watches an app no longer. What is on its way in the outbox still goes out.
    ///
    /// # Errors
    /// The name is unknown.
    pub fn stop(&mut self, now: Now, name: &str) -> Result<(), CommandError> {
        let id = self.registry.find(name)?;
        // The last lines of its log, while the registry still has its name.
        let sum = self.registry.sum_up(now.wall, id);
        self.actions.extend(sum.map(Action::CheckLog));
        self.check_log(now, id, Event::Stopped);
        let (incidents, known) = self.incidents();
        let messages = incidents.handle_stop(now, id, known);
        self.post(now, messages);
        if let Some(app) = self.registry.stop(id) {
            self.scheduler.remove(id, Destination::of(&app.registration));
        }
        self.beats.remove(id);
        self.surroundings.forget(id);
        self.chronicle.handle_stop(now, name);
        self.log(LogEvent::Commanded { app: name.to_owned(), what: "stopped, no longer watched" });
        self.end_settling(now);
        Ok(())
    }

    /// Somebody has seen that mails to this address were refused for good. When none was, what waits
    /// for it is given up, if the server refuses the address without saying why.
    ///
    /// # Errors
    /// None was, and none waits so.
    pub fn seen(&mut self, address: &str) -> Result<(), CommandError> {
        let Some(given_up) = self.outbox.handle_seen(&Recipient::mail(address)) else {
            return Err(CommandError::NothingRefused(address.to_owned()));
        };
        given_up.iter().for_each(|mail| self.incidents.handle_refusal(mail, &self.registry));
        self.drain_outbox();
        Ok(())
    }
}

/// Events: what came of the actions, and the passing of time.
impl Engine {
    /// Fires timers that are due, a bounded number; [`Engine::next_deadline`] tells of the rest.
    pub fn handle_time(&mut self, now: Now) {
        // It only notes when the turn began, by which it knows how long checks have waited.
        self.scheduler.handle_time(now);
        for _ in 0..TIMERS_A_TURN {
            match self.next_deadline().filter(|(at, _)| *at <= now.at) {
                Some((_, wait)) => self.handle_deadline(now, wait),
                None => break,
            }
        }
    }

    fn handle_deadline(&mut self, now: Now, wait: Wait) {
        match wait {
            Wait::Scheduler(Schedule::Check) => self.scheduler.handle_check_deadline(now),
            Wait::Scheduler(Schedule::Shortage) => {
                if self.scheduler.handle_shortage_deadline(now) {
                    self.log(LogEvent::ThreadsEnough);
                }
            }
            Wait::Beat => self.handle_late(now),
            Wait::Surroundings => {
                self.end_settling(now);
                self.look_around(now);
                self.tell_what_was_away(now, &SortedSet::default());
            }
            Wait::Incidents(incidents::Wait::Welcome) => {
                let Engine { incidents, registry, outbox, .. } = self;
                let messages = incidents.welcome(now, registry, outbox);
                self.post(now, messages);
            }
            Wait::Incidents(wait) => {
                let (incidents, known) = self.incidents();
                let messages = incidents.handle_deadline(now, wait, known);
                self.post(now, messages);
            }
            Wait::Outbox(wait) => {
                self.outbox.handle_deadline(now, wait);
                self.drain_outbox();
            }
            Wait::Quiet => self.follow_quiet(now),
            Wait::Hour => self.registry.handle_deadline(now),
        }
    }

    /// A check has ended.
    pub fn handle_check(&mut self, now: Now, check: u64, end: CheckEnd, latency: Duration) {
        match self.scheduler.handle_end(now, check, end, latency) {
            Some(Ended::Verdict { app, verdict, stood_still }) => {
                let of = self.registry.get(app).filter(|_| !stood_still);
                let slow = of.and_then(|app| app.registration.target.slow());
                let verdict = slower(verdict, latency, slow);
                self.handle_verdict(now, app, verdict, latency)
            }
            Some(Ended::Undecided { app, reason }) => {
                let app = self.registry.get(app).map(|app| app.registration.name.clone());
                self.log(LogEvent::Undecided { app: app.unwrap_or_default(), reason });
            }
            None => {}
        }
    }

    /// A verdict on an app: what it shows of our surroundings goes first. One that may be our own fault
    /// waits. (What an answer means was judged before, on the check's thread: `verdict::judge`.)
    fn handle_verdict(&mut self, now: Now, id: AppId, verdict: Verdict, latency: Duration) {
        let Some(app) = self.registry.get(id) else { return };
        if verdict.life == Life::CutOff || !self.surroundings.is_calm() {
            let outage = self.surroundings.outage(now);
            outage.into_iter().for_each(|since| self.chronicle.handle_outage(since));
            self.surroundings.handle_sign(now, (id, app), &verdict);
            self.look_around(now);
        }
        let Some(app) = self.registry.get(id) else { return };
        let began = now.at.before(latency);
        match self.surroundings.handle_verdict(now, (id, app), &verdict, began) {
            Worth::Waits => {
                self.surroundings.wait(now, (id, app), verdict, latency);
                let app = app.registration.name.clone();
                self.log(LogEvent::LooksAround { app });
                self.look_around(now);
            }
            worth => self.conclude(now, now, id, (verdict, worth), latency),
        }
    }

    /// Passes a verdict on that fell at `fell`: to the app, to both logs, to the alert, to people.
    pub(super) fn conclude(
        &mut self,
        now: Now,
        fell: Now,
        id: AppId,
        (verdict, worth): (Verdict, Worth),
        latency: Duration,
    ) {
        let outcome = verdict.outcome;
        if worth == Worth::Back {
            self.registry.forgive(id);
        }
        let void = worth == Worth::Void;
        // Not `now.wall`: a Pi's clock may begin before the newest day on record, and days go on.
        let day = self.timeline.wall(now);
        let effect = self.registry.observe(fell, id, day, (verdict, void), latency);
        let (Some(effect), Some(app)) = (effect, self.registry.get(id)) else { return };
        self.chronicle.handle_verdict(now, (id, app), worth, self.surroundings.settling());
        let counts = effect.counts;
        let line = app.last.as_ref().filter(|_| effect.news).map(|last| last.event(counts));
        let (app, reason) = (app.registration.name.clone(), app.reason().to_owned());
        let told = effect.transition.map(|transition| (transition, reason.clone()));
        self.log(LogEvent::Checked { app, outcome, reason, latency, counts });
        if let Some(event) = line {
            self.check_log(fell, id, event);
        }
        // It is told with others, at the deadline `incidents::Wait::Welcome`.
        if effect.first_pass {
            self.registry.set_welcome(id, Welcome::Gathered);
            self.incidents.handle_first_pass(now, id);
        }
        if let Some((transition, reason)) = told {
            let reason = match transition.to {
                State::Unknown => off_or_away(&reason),
                _ => reason,
            };
            self.handle_transition(fell, id, transition, reason);
        }
        // At each verdict that counts, not only at a change: see the incidents. The transition went
        // first, for it opens the alert that this one looks at.
        if counts {
            let transition = effect.transition;
            let (incidents, known) = self.incidents();
            let messages = incidents.handle_verdict(now, id, transition, outcome, known);
            let asked = incidents.take_asked();
            self.post(now, messages);
            asked.into_iter().for_each(|id| self.scheduler.ask_now(now, id));
        } else if effect.transition.is_some() {
            // It may be off, and is.
            let (incidents, known) = self.incidents();
            let messages = incidents.handle_rest(now, id, known);
            self.post(now, messages);
        }
        self.end_settling(now);
    }

    /// What was counted towards an app's state is forgotten.
    fn forget(&mut self, now: Now, id: AppId, why: &str) {
        if let Some(transition) = self.registry.forget(now, id) {
            self.handle_transition(now, id, transition, why.to_owned());
        }
    }

    /// A change of state opens an alert, or notes that it is over. Nobody is told here.
    pub(super) fn handle_transition(
        &mut self,
        now: Now,
        id: AppId,
        transition: Transition,
        reason: String,
    ) {
        let Transition { from, to } = transition;
        self.check_log(now, id, Event::State { from, to, reason: reason.clone() });
        self.incidents.handle_transition(now, id, to);
        let Some(app) = self.registry.get(id) else { return };
        let app = app.registration.name.clone();
        self.chronicle.handle_transition(now, &app, to, &reason);
        self.list_untold(id, to);
        self.log(LogEvent::StateChanged { app, from, to, reason });
    }

    /// The mailer has tried a mail.
    pub fn handle_delivery(&mut self, now: Now, id: u64, delivery: Delivery) {
        match self.outbox.handle_delivery(now, id, delivery) {
            Some(Concluded::Accepted(mail)) => {
                mail.incidents().for_each(|it| self.chronicle.tell(now, it, &mail.to));
                let told = mail.notices.iter().flat_map(|notice| notice.troubles());
                told.for_each(|app| self.chronicle.tell_of(now, app, &mail.to));
                self.incidents.handle_arrival(&mail, &self.registry);
            }
            Some(Concluded::Refused(mail)) => self.incidents.handle_refusal(&mail, &self.registry),
            None => {}
        }
        self.drain_outbox();
    }

    /// The mail server was asked whether it would take our mails.
    pub fn handle_rehearsal(&mut self, now: Now, outcome: Delivery) {
        self.outbox.handle_rehearsal(now, outcome);
        self.drain_outbox();
    }

    /// The daemon is about to stop: what the hour has brought so far is summed up. (What stops an app
    /// is [`Engine::stop`].)
    pub fn handle_stop(&mut self, now: Now) {
        self.registry.sum_up_all(now);
        self.surroundings.handle_stop();
    }

    /// The next thing to be done, if any. An [`Action::Probe`] that is handed out has begun: its thread
    /// is taken until [`Engine::handle_check`].
    pub fn poll_action(&mut self) -> Option<Action> {
        // Sums and checks are not queued: ten thousand sums are megabytes, and which check comes next
        // is decided when one can begin.
        self.actions
            .pop_front()
            .or_else(|| self.registry.poll_sum().map(Action::CheckLog))
            .or_else(|| self.poll_probe().map(Action::Probe))
    }

    /// All that a check's thread learns of an app. What it has to know besides is added here.
    fn poll_probe(&mut self) -> Option<Probe> {
        let Begin { app, check, short_timeout, shortage } = self.scheduler.poll_begin()?;
        if let Some(waited) = shortage {
            let workers = self.scheduler.load().workers;
            self.log(LogEvent::TooFewThreads { waited, workers });
        }
        let registration = &self.registry.get(app)?.registration;
        Some(Probe {
            id: check,
            kind: ProbeKind::of(&registration.target)?,
            timeout: registration.timeout,
            short_timeout,
            origin: registration.origin,
            // Whose answer shows that our network is back, and whose does not.
            locate: !self.surroundings.is_calm(),
        })
    }

    /// The incidents, and what they look at.
    pub(super) fn incidents(&mut self) -> (&mut Incidents, Known<'_>) {
        let Engine { incidents, registry, surroundings, outbox, .. } = self;
        (incidents, Known { registry, surroundings, outbox })
    }

    /// Messages from the incidents go into the outbox.
    pub(super) fn post(&mut self, now: Now, messages: Vec<Message>) {
        if !messages.is_empty() {
            self.incidents.handle_told(now);
            self.list_troubles(&messages);
        }
        messages.into_iter().for_each(|message| self.outbox.handle_message(now, message));
        self.drain_outbox();
    }

    /// What people are told of stands in the list of incidents.
    fn list_troubles(&mut self, messages: &[Message]) {
        let mut names: Vec<&str> =
            messages.iter().flat_map(|message| message.notice.troubles()).collect();
        names.sort_unstable();
        names.dedup();
        let Engine { registry, incidents, chronicle, .. } = self;
        let ids = names.iter().filter_map(|name| registry.id_of(name));
        let family: Vec<&str> = ids.flat_map(|id| incidents.family(id, registry)).collect();
        let apps: Vec<&App> = names.iter().filter_map(|name| registry.named(name)).collect();
        chronicle.handle_trouble(&apps, &family);
    }

    /// An app has changed: it stands there, too, if nobody is to be told of it, or if it was told with others
    /// before it was unwell.
    fn list_untold(&mut self, id: AppId, to: State) {
        let Engine { registry, incidents, chronicle, outbox, .. } = self;
        let Some(app) = registry.get(id) else { return };
        if outbox.told(app.registration.recipients()).is_empty() && to == State::Unhealthy {
            chronicle.handle_trouble(&[app], &[]);
        }
        if incidents.alert(id).is_some_and(Alert::is_told) {
            chronicle.handle_suspect(app, &incidents.family(id, registry));
        }
    }

    /// What the outbox wants done becomes an action: after each call that may have made it want
    /// something.
    pub(super) fn drain_outbox(&mut self) {
        while let Some(output) = self.outbox.poll_output() {
            self.actions.push_back(match output {
                Output::Send(mail) => Action::Send(mail),
                Output::Rehearse(to) => Action::Rehearse(to),
                Output::Log(note) => Action::Log(note),
            });
        }
    }

    fn check_log(&mut self, now: Now, id: AppId, event: Event) {
        let Some(app) = self.registry.get(id) else { return };
        let appname = app.registration.name.clone();
        self.actions.push_back(Action::CheckLog(Line { time: now.wall, appname, event }));
    }

    pub(super) fn log(&mut self, note: LogEvent) {
        self.actions.push_back(Action::Log(note));
    }
}
