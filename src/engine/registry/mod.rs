//! The registry: which apps are watched, by which names, how each fares, and how many there may be.
//!
//! It knows nothing of when an app is asked, nor of who is told.

mod app;
mod certificates;
mod family;
mod forgiveness;
pub mod history;
pub mod monitor;
pub mod quiet;
pub mod quota;
mod starts;
mod sums;

use std::time::Duration;

pub use self::app::{App, AppId, AppMark, Effect, LastCheck, Welcome};
pub use self::forgiveness::{Forgiveness, ForgivenessRecord};
use self::history::room;
use self::quiet::Hours;
use self::quota::{Full, Quota};
use self::sums::{SumsDue, sum_up};
use super::check_log::Line;
use super::ledger::Ledger;
use super::registration::Registration;
use super::registration::fields::FieldError;
use super::registration::name;
use super::sorted::{SortedMap, SortedSet};
use super::state::Transition;
use super::time::{Moment, Now, Stamp, Step, Timeline, Wall};
use super::verdict::answer::Verdict;

/// No more apps than this: the memory for them is in the budget.
pub const MOST_APPS: usize = 10_000;
/// Counters and history are recorded and summed up so often: what a crash may cost.
pub(in crate::engine) const RECORDED_EVERY: Duration = Duration::from_secs(3600);

/// Why the registry does not do what it is asked to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RegistryError {
    /// No app has this name.
    UnknownApp(String),
    /// No new app may have it.
    BadName(FieldError),
    /// One of its parents can be none.
    BadParent(FieldError),
    /// There are [`MOST_APPS`] already.
    TooManyApps,
    /// All registrations together take too much.
    Full(Full),
}

/// What a registration did.
#[derive(Clone, Debug, PartialEq)]
pub enum Enrolled {
    /// The app is new.
    New(AppId),
    /// It was known, and something differs.
    Updated {
        /// The app.
        id: AppId,
        /// What was registered before.
        before: Box<Registration>,
    },
    /// It was known just so.
    Unchanged,
}

/// What is to be written of the apps.
#[derive(Debug, Default)]
pub struct Changes {
    /// The names of those that are watched no longer.
    pub stopped: SortedSet<String>,
    /// Those that changed, and what of them.
    pub apps: Vec<(AppId, AppMark)>,
    /// Those whose counters and history are due.
    pub counted: SortedSet<AppId>,
}

impl Changes {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        let Changes { stopped, apps, counted } = self;
        stopped.is_empty() && apps.is_empty() && counted.is_empty()
    }
}

/// Every app that is watched.
#[derive(Debug, Default)]
pub struct Registry {
    apps: Ledger<AppId, App>,
    names: SortedMap<String, AppId>,
    last_id: u64,
    quota: Quota,
    stopped: SortedSet<String>,
    counted: SortedSet<AppId>,
    record_at: Option<Moment>,
    sums_due: SumsDue,
    hours: Hours,
}

/// Which apps there are.
impl Registry {
    /// The app of just this name.
    ///
    /// # Errors
    /// There is none.
    pub fn find(&self, name: &str) -> Result<AppId, RegistryError> {
        self.id_of(name).ok_or_else(|| RegistryError::UnknownApp(name.to_owned()))
    }

    /// The app of just this name, if there is one.
    pub fn id_of(&self, name: &str) -> Option<AppId> {
        self.names.get(name).copied()
    }

    /// One app.
    pub fn get(&self, id: AppId) -> Option<&App> {
        self.apps.get(&id)
    }

    /// The app of just this name, if there is one.
    pub fn named(&self, name: &str) -> Option<&App> {
        self.get(self.id_of(name)?)
    }

    /// All apps, by name.
    pub fn by_name(&self) -> impl Iterator<Item = (AppId, &App)> {
        self.names.values().filter_map(|id| Some((*id, self.get(*id)?)))
    }

    /// The apps whose names come after this one.
    pub fn after(&self, name: Option<&str>) -> impl Iterator<Item = (AppId, &App)> {
        self.names.after(name).filter_map(|(_, id)| Some((*id, self.get(*id)?)))
    }

    /// The name of the app that a call means: just that name, else without the blanks around and
    /// between (see [`name::tidy`]).
    ///
    /// # Errors
    /// No app has this name.
    pub fn on_record(&self, given: &str) -> Result<String, RegistryError> {
        let known = |name: &String| self.names.contains_key(name);
        let given_or_tidy = [Some(given.to_owned()), name::tidy(given).ok()];
        let mut found = given_or_tidy.into_iter().flatten().filter(known);
        found.next().ok_or_else(|| RegistryError::UnknownApp(given.to_owned()))
    }

    /// The name under which a registration goes on record: that of a known app, else a tidy one.
    ///
    /// # Errors
    /// A new name has characters that cannot be seen.
    pub fn name_for(&self, given: &str) -> Result<String, RegistryError> {
        self.on_record(given).or_else(|_| name::tidy(given).map_err(RegistryError::BadName))
    }

    /// Whether there is room for a registration, while `waiting` mails wait.
    ///
    /// # Errors
    /// There are too many apps, or they take too much together.
    pub fn admit(&self, registration: &Registration, waiting: usize) -> Result<(), RegistryError> {
        let old = self.named(&registration.name).map(|app| &*app.registration);
        if old.is_none() && self.apps.len() >= MOST_APPS {
            return Err(RegistryError::TooManyApps);
        }
        self.quota.room_for(registration, old, waiting).map_err(RegistryError::Full)
    }

    /// Takes a registration that was [admitted](Registry::admit).
    pub fn register(&mut self, now: Now, mut registration: Registration) -> Enrolled {
        match self.id_of(&registration.name) {
            Some(id) => self.register_again(now, id, registration),
            None => {
                let id = self.next_id();
                registration.keep_from(None);
                self.names.insert(registration.name.clone(), id);
                self.quota.add(&registration);
                self.apps.insert(id, App::new(now, registration));
                Enrolled::New(id)
            }
        }
    }

    fn register_again(&mut self, now: Now, id: AppId, mut registration: Registration) -> Enrolled {
        let quota = &mut self.quota;
        let replaced = self.apps.edit(&id, |app| {
            let refuses = app.refuses();
            // At another address, too: who crashes at each start has another port each time.
            app.forgiveness.register_again(now, registration.interval, refuses);
            registration.keep_from(Some(&app.registration));
            if *app.registration == registration {
                return None;
            }
            quota.remove(&app.registration);
            quota.add(&registration);
            if app.registration.target.address() != registration.target.address() {
                app.certificate_ends = None;
            }
            Some(app.registration.replace(registration))
        });
        replaced.flatten().map_or(Enrolled::Unchanged, |before| Enrolled::Updated {
            id,
            before: Box::new(before),
        })
    }

    /// Watches an app no longer.
    pub fn stop(&mut self, id: AppId) -> Option<App> {
        let app = self.apps.remove(&id)?;
        let name = app.registration.name.as_str();
        self.names.remove(name);
        self.quota.remove(&app.registration);
        self.counted.remove(&id);
        self.stopped.insert(name.to_owned());
        Some(app)
    }

    /// Takes in an app that was found on disk.
    pub fn restore(&mut self, app: App) -> AppId {
        let id = self.next_id();
        self.names.insert(app.registration.name.clone(), id);
        self.quota.add(&app.registration);
        self.apps.restore(id, app);
        id
    }

    fn next_id(&mut self) -> AppId {
        self.last_id += 1;
        AppId(self.last_id)
    }
}

/// How they fare.
impl Registry {
    /// Pauses an app or resumes it; whether that changes anything.
    pub fn set_paused(&mut self, id: AppId, paused: bool) -> bool {
        let before = self.apps.edit(&id, |app| std::mem::replace(&mut app.paused, paused));
        before.is_some_and(|before| before != paused)
    }

    /// A check has a verdict, which counts to the day that `day` is in, unless it is `void`.
    pub fn observe(
        &mut self,
        now: Now,
        id: AppId,
        day: Wall,
        (verdict, void): (Verdict, bool),
        latency: Duration,
    ) -> Option<Effect> {
        let room = room(self.apps.len());
        let (effect, is_kept) = self.apps.edit(&id, |app| {
            let before = app.monitor.streaks_that_matter();
            let effect = app.observe(now, day, (verdict, void), latency, room);
            let beats = app.registration.beats();
            let is_rare = beats.is_some_and(|rhythm| rhythm.interval >= RECORDED_EVERY);
            (effect, is_rare || app.monitor.streaks_that_matter() != before)
        })?;
        if is_kept {
            // Something is written anyway, and the counters go with it; or it is so rare that each is.
            self.counted.insert(id);
        }
        self.record_at.get_or_insert(now.at + RECORDED_EVERY);
        Some(effect)
    }

    /// Forgets what was counted towards the state: the app was resumed, or has another address.
    pub fn forget(&mut self, now: Now, id: AppId) -> Option<Transition> {
        self.apps.edit(&id, |app| app.monitor.forget(now)).flatten()
    }

    /// The failures of an app up to now lead to nothing more: it was away, and is back.
    pub fn forgive(&mut self, id: AppId) {
        self.apps.edit(&id, |app| app.monitor.forgive());
    }

    /// So many checks of an app failed since `since` while nothing counted, and now they do.
    pub fn give_up(
        &mut self,
        now: Now,
        id: AppId,
        failures: u32,
        since: Stamp,
    ) -> Option<Transition> {
        self.apps.edit(&id, |app| app.monitor.give_up(now, failures, since)).flatten()
    }

    /// An app has registered, as it does when it starts. Whether it is in a crash loop.
    pub fn handle_start_of(&mut self, now: Now, id: AppId) -> bool {
        let in_loop =
            self.apps.edit(&id, |app| app.starts.handle_registration(now.at) && !app.paused);
        in_loop.unwrap_or_default()
    }

    /// Whether its last registrations are a crash loop, which goes on.
    pub fn is_in_crash_loop(&self, now: Now, id: AppId) -> bool {
        self.get(id).is_some_and(|app| app.starts.is_loop(now.at) && !app.paused)
    }

    /// An app is in a crash loop: it is DEGRADED at least.
    pub fn degrade(&mut self, now: Now, id: AppId) -> Option<Transition> {
        self.apps.edit(&id, |app| app.monitor.degrade(now)).flatten()
    }

    /// What is said of an app's first pass.
    pub fn set_welcome(&mut self, id: AppId, welcome: Welcome) {
        self.apps.edit(&id, |app| app.welcome = welcome);
    }

    /// The clock was set, or the machine was asleep: puts every time right that is remembered.
    pub fn handle_step(&mut self, timeline: &Timeline, now: Now, step: Step) {
        self.record_at = self.record_at.map(|at| step.moved_back(at));
        self.apps.put_right(|app| {
            app.for_each_stamp(|stamp| timeline.step(now, step, stamp));
            app.history.step(timeline, now, step);
        });
    }
}

/// What is written of them, and summed up, once an hour while there are checks.
impl Registry {
    /// When the hour is over.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.record_at
    }

    /// The hour may be over.
    pub fn handle_deadline(&mut self, now: Now) {
        if self.record_at.take_if(|at| *at <= now.at).is_some() {
            self.counted.extend(self.apps.iter().map(|(id, _)| *id));
            self.sum_up_all(now);
        }
    }

    /// Has the hour of every app summed up.
    pub fn sum_up_all(&mut self, now: Now) {
        self.sums_due = SumsDue::new(now.wall, self.names.values().copied());
    }

    /// Sums up the next hour that is due. Made one by one, for ten thousand at once are megabytes.
    pub fn poll_sum(&mut self) -> Option<Line> {
        while let Some((id, time)) = self.sums_due.poll() {
            let sum = self.sum_up(time, id);
            if sum.is_some() {
                return sum;
            }
        }
        None
    }

    /// Sums up what an app did since the last time; `None` when nothing.
    pub fn sum_up(&mut self, time: Wall, id: AppId) -> Option<Line> {
        self.apps.edit(&id, |app| sum_up(app, time)).flatten()
    }

    /// What is to be written since this was called last.
    pub fn take_changes(&mut self) -> Changes {
        Changes {
            stopped: std::mem::take(&mut self.stopped),
            apps: self.apps.take_changed(),
            counted: std::mem::take(&mut self.counted),
        }
    }
}

#[cfg(test)]
mod tests;
