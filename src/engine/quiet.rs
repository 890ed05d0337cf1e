//! The traffic of quiet times: who is quiet is the registry's to say, and what people are told of them the
//! incidents' and the outbox's.

use std::time::Duration;

use super::core::{CommandError, Engine};
use super::incidents::mutes::{HowLong, What};
use super::log_event::LogEvent;
use super::outbox::quiet::Hush;
use super::recipients::Recipient;
use super::registry::AppId;
use super::registry::quiet::Clock;
use super::sorted::SortedSet;
use super::time::Now;

impl Engine {
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
        self.follow_quiet_of(now, id);
        Ok(true)
    }

    /// Quiet that was asked for ends. Whether there was any.
    pub(super) fn end_asked_quiet(&mut self, now: Now, id: AppId) -> bool {
        let ends = self.registry.ask_for_quiet(now, id, None);
        if ends {
            self.follow_quiet_of(now, id);
        }
        ends
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

    /// A quiet time may have begun or ended.
    pub(super) fn follow_quiet(&mut self, now: Now) {
        let ended = self.in_quiet(now, |registry, clock| registry.handle_quiet(clock));
        self.handle_quiet(now, &ended);
    }

    /// The same, of one app.
    pub(super) fn follow_quiet_of(&mut self, now: Now, id: AppId) {
        let ended = self.in_quiet(now, |registry, clock| registry.handle_quiet_of(id, clock));
        let ended: &[AppId] = if ended { &[id] } else { &[] };
        self.handle_quiet(now, ended);
    }

    fn in_quiet<T>(
        &mut self,
        now: Now,
        follow: impl FnOnce(&mut super::registry::Registry, Clock<'_>) -> T,
    ) -> T {
        let wall = (!now.wall.is_plainly_wrong()).then(|| self.timeline.wall(now));
        let hushes = self.outbox.lacks_clock(now);
        let Engine { registry, zone, .. } = self;
        follow(registry, Clock { now, wall, hushes, zone })
    }

    fn handle_quiet(&mut self, now: Now, ended: &[AppId]) {
        let is_quiet = self.registry.by_name().any(|(_, app)| app.is_quiet());
        if is_quiet || self.outbox.is_hushed() {
            let hush = self.hush();
            self.outbox.handle_quiet(now, hush);
        }
        if !ended.is_empty() {
            let (incidents, known) = self.incidents();
            let messages = incidents.handle_quiet_end(now, ended, known);
            let asked = incidents.take_asked();
            self.post(now, messages);
            asked.into_iter().for_each(|id| self.scheduler.ask_now(now, id));
        }
    }

    /// Of whom nobody is told for now.
    fn hush(&self) -> Hush {
        let mut hush = Hush { until: self.registry.quiet_deadline(), ..Hush::default() };
        let mut others: SortedSet<Recipient> = SortedSet::default();
        for (_, app) in self.registry.by_name().filter(|(_, app)| !app.paused) {
            let told = self.outbox.told(app.registration.recipients());
            if app.is_quiet() {
                hush.apps.insert(app.registration.name.clone());
                hush.people.extend(told);
            } else {
                others.extend(told);
            }
        }
        for awake in others.iter() {
            hush.people.remove(awake);
        }
        hush
    }
}
