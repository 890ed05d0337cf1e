//! Power and network in the chronicle: what came between us and the apps, and who did not answer at once
//! after it.
//!
//! A boot is always worth a line, since people want to see a power cut, or that their Pi starts anew each
//! night, and so is an outage of our own network that things have to settle after. A sleep or a
//! standstill is one only if somebody is missing in the end: a laptop that sleeps each night would fill
//! the list. One that begins while things still settle goes on with the incident that is open.

use super::{Affected, Chronicle, EndedBy, Kind};
use crate::engine::registry::{App, AppId, Registry};
use crate::engine::state::State;
use crate::engine::surroundings::Worth;
use crate::engine::surroundings::settling::{Aftermath, Ended, Settling};
use crate::engine::time::{Now, Stamp};

impl Chronicle {
    /// Our network is down since then, for long enough to matter.
    pub fn handle_outage(&mut self, since: Stamp) {
        if self.settling().is_none() {
            self.go_on(Aftermath::Network, since);
        }
    }

    /// Things settle from now on, or anew.
    pub fn handle_settling(&mut self, settling: &Settling) {
        let after = settling.after();
        let is_listed = !matches!(after, Aftermath::Sleep | Aftermath::Standstill);
        let is_open = self.settling().is_some();
        if is_open || (is_listed && settling.awaited().next().is_some()) {
            self.go_on(after, settling.began);
        }
    }

    /// An app has a verdict, which is worth so much while things settle, if they do.
    pub fn handle_verdict(
        &mut self,
        now: Now,
        (id, app): (AppId, &App),
        worth: Worth,
        settling: Option<&Settling>,
    ) {
        match (worth, settling) {
            (Worth::Back, _) => self.handle_back(now, &app.registration.name, app.state()),
            (Worth::Void, Some(settling)) if settling.misses(id) => {
                self.handle_awaited(now, settling, app);
            }
            _ => {}
        }
    }

    /// A check of an app failed that has its time to come back.
    fn handle_awaited(&mut self, now: Now, settling: &Settling, app: &App) {
        let Some(id) = self.settling() else { return };
        self.go_on(settling.after(), settling.began);
        if self.incidents.get(&id).is_some_and(|it| it.incident.holds(&app.registration.name)) {
            return;
        }
        self.join(id, affected(app, State::Unknown, Stamp::noted(now)));
    }

    /// An app has answered that had its time to come back: it is as it was before, by now `state`.
    fn handle_back(&mut self, now: Now, name: &str, state: State) {
        let Some(id) = self.settling() else { return };
        self.incidents.edit(&id, |entry| {
            entry.change(name, |app| {
                if !app.over {
                    (app.state, app.since, app.over) = (state, Stamp::noted(now), true);
                }
            });
        });
    }

    /// An app is awaited no longer, though it has not answered: it was paused, or moved.
    pub fn forget(&mut self, name: &str) {
        let Some(id) = self.settling() else { return };
        self.incidents.edit(&id, |entry| entry.change(name, |app| app.over = true));
    }

    /// The time to come back is over. Those that are missing, which are UNHEALTHY from now on, keep the incident open. Its
    /// number, if there is one.
    pub fn handle_settled(&mut self, now: Now, ended: &Ended, registry: &Registry) -> Option<u64> {
        if self.settling().is_none() && !ended.missing.is_empty() {
            self.go_on(ended.after, ended.began);
        }
        let id = self.settling()?;
        let missing = ended.missing.iter().filter_map(|missing| {
            let app = registry.get(missing.id)?;
            Some(affected(app, State::Unhealthy, missing.since))
        });
        let missing: Vec<Affected> = missing.collect();
        self.incidents.edit(&id, |entry| {
            // They have their place, whoever else was late.
            entry.make_room_for(&missing);
            missing.into_iter().for_each(|app| entry.put(app));
        });
        let is_missing = |id| ended.missing.iter().any(|missing| missing.id == id);
        for name in self.awaited() {
            let app = registry.id_of(&name).and_then(|id| Some((id, registry.get(id)?)));
            match app {
                Some((id, app)) if is_missing(id) || app.state() == State::Unhealthy => {}
                // Asked too seldom to tell, or it counts by itself by now: no more is awaited of it here.
                Some((_, app)) => self.handle_back(now, &name, app.state()),
                None => self.forget(&name),
            }
        }
        self.close(now, id);
        self.make_room();
        Some(id)
    }

    /// There is nothing to settle at the start, though things settled when the run before ended: the system
    /// does not tell which boot it is any more.
    pub fn handle_nothing_to_settle(&mut self, now: Now) {
        let Some(id) = self.settling() else { return };
        self.let_go(id);
        self.close(now, id);
    }

    /// Nobody else is found to be missing. After damage to the record one of the past may be open, too: it
    /// ends with this one.
    fn close(&mut self, now: Now, id: u64) {
        let all: Vec<u64> = self.incidents().filter(|it| it.settling).map(|it| it.id).collect();
        for settling in all {
            if settling != id {
                self.let_go(settling);
            }
            self.edit(settling, |incident| incident.settling = false);
            self.end_if_done(now, settling, EndedBy::Recovery);
        }
    }

    /// Nobody in it is awaited.
    fn let_go(&mut self, id: u64) {
        self.incidents.edit(&id, |entry| {
            let names: Vec<String> =
                entry.incident.apps.iter().map(|app| app.name.clone()).collect();
            names.iter().for_each(|name| entry.change(name, |app| app.over = true));
        });
    }

    /// Who is not known to be well in the incident in which things settle.
    fn awaited(&self) -> Vec<String> {
        let settling = self.incidents().filter(|incident| incident.settling);
        let apps = settling.flat_map(|incident| incident.apps.iter().filter(|app| !app.over));
        apps.map(|app| app.name.clone()).collect()
    }

    /// The incident in which things settle, or will.
    fn settling(&self) -> Option<u64> {
        self.incidents().rev().find(|incident| incident.settling).map(|incident| incident.id)
    }

    /// The incident in which things settle, by what it is known to come after by now; it begins unless it is open.
    fn go_on(&mut self, after: Aftermath, began: Stamp) {
        let (kind, cause) = told_as(after);
        let id = self.settling().unwrap_or_else(|| self.begin(kind, cause, began));
        self.edit(id, |incident| {
            incident.settling = true;
            // What was a power cut stays one, though it is a restart that it goes on with.
            let (_, power_cut) = told_as(Aftermath::Power);
            if !(incident.cause == power_cut && after == Aftermath::Restart) {
                incident.kind = kind;
                cause.clone_into(&mut incident.cause);
            }
        });
    }
}

/// What people read.
fn told_as(after: Aftermath) -> (Kind, &'static str) {
    match after {
        Aftermath::Power => (Kind::Power, "power cut"),
        Aftermath::Restart => (Kind::Power, "our restart"),
        Aftermath::Sleep => (Kind::Power, "our machine slept"),
        Aftermath::Standstill => (Kind::Power, "our machine stood still"),
        Aftermath::Network => (Kind::Network, "our network was down"),
        Aftermath::Router => (Kind::Network, "the router was away"),
        Aftermath::RouterAway => (Kind::Network, "the router does not answer"),
        Aftermath::Internet => (Kind::Network, "the internet was away"),
    }
}

pub(super) fn affected(app: &App, state: State, since: Stamp) -> Affected {
    let name = app.registration.name.clone();
    Affected { name, state, reason: app.reason().to_owned(), since, over: false }
}
