//! What the page needs to know, in portions: ten thousand apps at once would hold up the loop.

use std::time::Duration;

use super::View;
use super::mutes::MutedPerson;
use super::standing::Standing;
use crate::engine::incidents::mutes::What;
use crate::engine::registration::values::Values;
use crate::engine::registration::{Host, Registration};
use crate::engine::registry::history::{DAYS, Days, Recent};
use crate::engine::registry::quiet::Quiet;
use crate::engine::registry::{App, AppId, LastCheck};
use crate::engine::state::State;
use crate::engine::time::{Age, Now, Stamp, Wall};

/// Apps in a portion: a millisecond of an ARMv6.
pub const PORTION: usize = 64;
/// Apps that are looked at closely at once: as much work.
pub const CLOSEUPS: usize = 16;

/// Some apps, by name.
#[derive(Clone, Debug, PartialEq)]
pub struct Portion<T> {
    /// What there is to say of each.
    pub apps: Vec<T>,
    /// The last one's name, when more may follow.
    pub more_after: Option<String>,
}

/// An app in a line.
#[derive(Clone, Debug, PartialEq)]
pub struct Summary {
    /// The app's name.
    pub name: String,
    /// The host of its address; empty where there is none.
    pub host: String,
    /// The state now.
    pub state: State,
    /// Whether it is left alone for now.
    pub paused: bool,
    /// Whether nobody is told of it for now, and why.
    pub quiet: Option<QuietView>,
    /// Since when.
    pub since: Wall,
    /// How long that is, whatever the wall clock did.
    pub lasted: Age,
    /// What the last check found; empty before the first.
    pub reason: String,
    /// Whether it reports by itself, and is not asked.
    pub reports: bool,
    /// Until the next check, or until it is late; `None` while it is paused.
    pub next_in: Option<Duration>,
    /// The share of checks of the last 24 hours that did not fail.
    pub uptime_24h: Option<f64>,
}

/// An app is quiet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QuietView {
    /// That nobody is told of it, until when, and why.
    pub sentence: String,
    /// Somebody asked for it, and may end it.
    pub asked_for: bool,
}

/// An app looked at closely.
#[derive(Clone, Debug)]
pub struct Closeup {
    /// The app in a line.
    pub summary: Summary,
    /// The share of checks that did not fail in the last 7, 30 and 90 days.
    pub uptimes: [(u16, Option<f64>); 3],
    /// Each of the recent checks.
    pub recent: Recent,
    /// Each of the last days.
    pub days: Days,
    /// What is what among them.
    pub now: Now,
}

/// An app, whole.
#[derive(Clone, Debug)]
pub struct Portrait {
    /// The app looked at closely.
    pub closeup: Closeup,
    /// The address that is asked; `None`: it reports by itself.
    pub health_url: Option<String>,
    /// What it registered, as it is in force.
    pub registered: Values,
    /// Checks, warnings and failures since the registration.
    pub counts: [u64; 3],
    /// The last check that passed.
    pub last_healthy: Option<Stamp>,
    /// When the certificate ends that it showed last.
    pub certificate_ends: Option<Wall>,
    /// The last check.
    pub last: Option<LastCheck>,
    /// Who was told of trouble that lasts, and whether they hear more of it.
    pub people: Vec<MutedPerson>,
}

impl View<'_> {
    /// What `look` sees of the apps after the one called `after`, as many as fit into a portion.
    pub fn portion<T>(&self, after: Option<&str>, look: impl Fn(AppId, &App) -> T) -> Portion<T> {
        let mut last = None;
        let mut seen = Vec::new();
        for (id, app) in self.registry.after(after).take(PORTION) {
            last = Some(&app.registration.name);
            seen.push(look(id, app));
        }
        let more_after = last.filter(|_| seen.len() == PORTION).cloned();
        Portion { apps: seen, more_after }
    }

    /// The apps of these names, closely; those that are not known are left out.
    pub fn closeups(&self, now: Now, names: &[String]) -> Vec<Closeup> {
        let ids = names.iter().filter_map(|name| self.registry.id_of(name));
        ids.filter_map(|id| self.closeup(id, now)).collect()
    }

    /// One app, whole; `None` when the name is not known.
    pub fn portrait(&self, now: Now, name: &str) -> Option<Portrait> {
        let id = self.registry.id_of(name)?;
        let app = self.registry.get(id)?;
        Some(Portrait {
            closeup: self.closeup(id, now)?,
            health_url: app.registration.target.place().map(|it| it.asked.clone()),
            registered: self.in_force(app),
            counts: [app.checks, app.warnings, app.failures],
            last_healthy: app.last_healthy,
            certificate_ends: app.certificate_ends,
            last: app.last.clone(),
            people: self
                .muted(now, &What::App(name.to_owned(), None))
                .into_iter()
                .flat_map(|app| app.people)
                .collect(),
        })
    }

    /// What is on record of the app of this name.
    pub fn registered(&self, name: &str) -> Option<&Registration> {
        self.registry.named(name).map(|app| &*app.registration)
    }

    /// An app in a line.
    pub fn summary(&self, id: AppId, app: &App, now: Now) -> Summary {
        let Standing { state, since, reason, .. } = self.standing(id, app);
        let next = self.scheduler.due_at(id).or_else(|| self.beats.due_at(id));
        Summary {
            name: app.registration.name.clone(),
            host: app.registration.target.host().map(Host::to_string).unwrap_or_default(),
            state,
            paused: app.paused,
            quiet: app.quiet.map(|quiet| self.quiet(quiet)),
            since: since.wall(),
            lasted: since.age(now.at),
            reason,
            next_in: next.map(|due| due.since(now.at)),
            reports: app.registration.beats().is_some(),
            uptime_24h: app.history.hours.uptime(now.at),
        }
    }

    fn quiet(&self, Quiet { until, asked_for }: Quiet) -> QuietView {
        let why = if asked_for { "somebody asked for quiet" } else { "a quiet time" };
        let sentence = match until {
            Some(until) => format!("Nobody is told until {}: {why}", until.for_people(self.zone)),
            None => format!("Nobody is told: {why}, as far as is known before the clock is set"),
        };
        QuietView { sentence, asked_for }
    }

    fn closeup(&self, id: AppId, now: Now) -> Option<Closeup> {
        let app = self.registry.get(id)?;
        let days = &app.history.days;
        Some(Closeup {
            summary: self.summary(id, app, now),
            uptimes: [7, 30, DAYS].map(|count| (count, days.uptime(now.wall, count))),
            recent: app.history.recent.clone(),
            days: days.clone(),
            now,
        })
    }
}
