//! Commands: what apps and people ask for, passed on to each machine that has to know.

use std::time::Duration;

use super::beats::{Heard, Report};
use super::check_log::Event;
use super::core::{Action, CommandError, Engine, Registered};
use super::incidents::mutes::{HowLong, What};
use super::log_event::LogEvent;
use super::recipients::Recipient;
use super::registration::{Origin, Registration};
use super::registry::{AppId, Enrolled, RegistryError};
use super::scheduler::{Destination, Timing};
use super::state::Transition;
use super::surroundings::Worth;
use super::time::Now;

/// What is said of an app that crashes and starts again.
const CRASH_LOOP: &str =
    "it registered 3 times within 10 min, and failed in between: it may crash and start again";

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
                self.beats.follow(now, id, self.registry.get(id));
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
                let host = self.registry.get(id).and_then(|app| app.registration.target.host());
                if host != before.target.host() {
                    self.incidents.handle_moved(id);
                }
                // What is awaited is at the old address.
                self.surroundings.forget(id);
                self.chronicle.forget(&before.name);
                self.end_settling(now);
                Registered::Updated
            }
            Enrolled::Unchanged => Registered::Unchanged,
        };
        if let Some(id) = self.registry.id_of(&name) {
            self.follow_quiet(now, Some(id));
            // Whoever it names now hears nothing of it in a quiet time that has just begun.
            if registered == Registered::Updated {
                let (incidents, known) = self.incidents();
                let messages = incidents.handle_named(now, id, known);
                self.post(now, messages);
            }
            self.look_for_crashes(now, id);
        }
        Ok(registered)
    }

    /// An app is asked from now on, or awaited, unless it is paused.
    fn take_up(&mut self, now: Now, id: AppId, timing: Timing, to: &Destination) {
        let app = self.registry.get(id);
        self.beats.follow(now, id, app);
        let Some(app) = app else { return };
        if app.registration.beats().is_none() {
            self.scheduler.add(now, id, timing, to);
            if app.paused {
                self.scheduler.pause(id);
            }
        }
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
        self.tell_crash_loop(now, id, transition);
    }

    /// Tells of an app that is in a crash loop.
    pub(super) fn tell_crash_loop(&mut self, now: Now, id: AppId, transition: Option<Transition>) {
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

    /// Goes on checking an app, and tells nobody of it for so long. One that is paused stays so: nobody is told
    /// of it anyway. Whether it is quiet now.
    ///
    /// # Errors
    /// The name is unknown.
    pub fn pause_for(
        &mut self,
        now: Now,
        name: &str,
        span: Duration,
    ) -> Result<bool, CommandError> {
        let id = self.registry.find(name)?;
        if self.registry.get(id).is_none_or(|app| app.paused) {
            return Ok(false);
        }
        self.registry.ask_for_quiet(now, id, Some(span));
        self.log(LogEvent::Quiet { app: name.to_owned(), span });
        self.follow_quiet(now, Some(id));
        Ok(true)
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
            self.beats.follow(now, id, self.registry.get(id));
        }
        if self.end_asked_quiet(now, id) {
            self.resumed(name);
        }
        Ok(())
    }

    /// Quiet that was asked for ends. Whether there was any.
    fn end_asked_quiet(&mut self, now: Now, id: AppId) -> bool {
        let ends = self.registry.ask_for_quiet(now, id, None);
        if ends {
            self.follow_quiet(now, Some(id));
        }
        ends
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

    /// An app reports.
    ///
    /// # Errors
    /// The name is unknown, or the app is one that is asked.
    pub fn hear(&mut self, now: Now, name: &str, report: Report) -> Result<Heard, CommandError> {
        let id = self.registry.find(name)?;
        let Some(app) = self.registry.get(id) else { return Ok(Heard::Paused) };
        if app.registration.beats().is_none() {
            return Err(CommandError::IsAsked(name.to_owned()));
        }
        if app.paused {
            return Ok(Heard::Paused);
        }
        if let Some((verdict, took)) = self.beats.hear(now, id, report) {
            self.conclude(now, now, id, (verdict, Worth::Counts), took);
        }
        Ok(Heard::Counted)
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

    /// Somebody has heard enough of trouble that they know, or wants to hear again. The names of the apps.
    ///
    /// # Errors
    /// Nobody who is meant was told of trouble that lasts.
    pub fn mute(
        &mut self,
        now: Now,
        what: &What,
        how_long: HowLong,
    ) -> Result<Vec<String>, CommandError> {
        if let What::App(name, _) = what {
            self.registry.find(name)?;
        }
        let (incidents, known) = self.incidents();
        let ids = incidents.mute(now, what, how_long, known);
        let apps = ids.iter().filter_map(|id| self.registry.get(*id));
        let names: Vec<String> = apps.map(|app| app.registration.name.clone()).collect();
        for app in names.iter().cloned() {
            self.log(LogEvent::Commanded { app, what: how_long.word() });
        }
        if names.is_empty() { Err(CommandError::NothingToMute) } else { Ok(names) }
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
