//! What comes later to an incident that was told: one more mail tells it, and not one for each.

use std::time::Duration;

use super::alert::{Alert, Level, Tie};
use super::collection::{MANY_HOSTS, SPREADS, is_blind, is_broken};
use super::{Incidents, Known, grouping};
use crate::engine::outbox::Message;
use crate::engine::recipients::Recipient;
use crate::engine::registry::{App, AppId, Registry};
use crate::engine::sorted::{SortedMap, SortedSet};
use crate::engine::time::{Moment, Now, Stamp};

/// What joins is told so long after the mail, or, when that has passed, after the first that joins.
const UPDATED_AFTER: Duration = Duration::from_secs(15 * 60);
/// Who was not asked since a start is waited for.
const ASKED_SOON: Duration = Duration::from_secs(45);

impl Incidents {
    /// Whether a silent app belongs to an incident that these people have been told of: then it is one
    /// of it from now on.
    pub(super) fn join(
        &mut self,
        (id, app): (AppId, &App),
        people: &[Recipient],
        now: Now,
        known: Known<'_>,
    ) -> bool {
        let Some(first) = self.incident_of((id, app), people, now, known) else { return false };
        let Some(alert) = self.alerts.get(&first) else { return false };
        let number = alert.tie.number().unwrap_or_else(|| self.next_number());
        let told = alert.began();
        for id in [first, id] {
            self.alerts.edit(&id, |alert| alert.tie = Tie::Of { number, told });
        }
        self.updates.update(number, || next_time(told, now.at), |_| ());
        true
    }

    /// An app of the incident that one belongs to. Whose people differ may be in several, each of which others know.
    fn incident_of(
        &self,
        (id, app): (AppId, &App),
        people: &[Recipient],
        now: Now,
        known: Known<'_>,
    ) -> Option<AppId> {
        let above = known.registry.covering(app).map(|(id, _)| id);
        if !app.is_dead_silent() && above.is_none() {
            return None;
        }
        let host = app.registration.target.host();
        let is_told = |alert: &Alert| !alert.over && alert.is_told_as(Level::Unhealthy);
        let theirs = self.known_to(people);
        let are_theirs = |alert: &Alert| match alert.tie.number() {
            Some(number) => theirs.contains(&number),
            None => people.iter().all(|to| alert.is_told_to(to)),
        };
        let others = || {
            let others = self.alerts.iter().map(|(other, alert)| (*other, alert));
            others.filter(|(other, alert)| *other != id && are_theirs(alert))
        };
        let same_parent = || {
            let above = above?;
            let is_of_it =
                |alert: &Alert| is_told(alert) || (!alert.over && alert.tie.number().is_some());
            let its = || others().filter(|(_, alert)| is_of_it(alert));
            // What is behind it may be unwell still of an outage before: a backup, whose next report is a day away.
            let itself = its().find(|(other, _)| *other == above);
            itself.or_else(|| its().find(|(other, _)| known.is_at_or_behind(*other, above)))
        };
        let is_dead_there = |other: AppId| {
            let other = known.registry.get(other);
            let other = other.filter(|other| is_broken(other) && other.is_dead_silent());
            other.is_some_and(|other| other.registration.target.host() == host)
        };
        let same_host = || {
            let its = app.is_dead_silent() && host.is_some();
            others().filter(|(_, alert)| its && is_told(alert)).find(|(other, alert)| {
                is_dead_there(*other) && !has_passed_since(app, alert.began())
            })
        };
        let flaky = || {
            let mut there = self.on_flaky_host(now.at, (id, app), known);
            there.find(|(_, alert)| are_theirs(alert))
        };
        let since = app.monitor.trouble_since;
        let spreading = || {
            let mut told = others().filter(|(_, alert)| app.is_dead_silent() && is_told(alert));
            told.find(|(_, alert)| match alert.tie {
                // However long it takes then until it is UNHEALTHY.
                Tie::Of { number, told } => {
                    told.is_not_after(since)
                        && told.until(since).span < SPREADS
                        && self.hosts_of(number, known) >= MANY_HOSTS
                }
                Tie::Alone | Tie::Collected => false,
            })
        };
        let found = same_parent().or_else(same_host).or_else(flaky).or_else(spreading);
        found.map(|(id, _)| id)
    }

    /// The incidents of several that all of these people were told of, and not of the end of.
    fn known_to(&self, people: &[Recipient]) -> SortedSet<u64> {
        let known_to = |to: &Recipient| -> SortedSet<u64> {
            let told = self.alerts.values().filter(|alert| alert.is_told_to(to));
            told.filter_map(|alert| alert.tie.number()).collect()
        };
        let each = people.iter().map(known_to);
        let both = |a: SortedSet<u64>, b: SortedSet<u64>| {
            a.iter().copied().filter(|it| b.contains(it)).collect()
        };
        each.reduce(both).unwrap_or_default()
    }

    /// The alerts of an incident.
    pub(super) fn of(&self, number: u64) -> impl Iterator<Item = (AppId, &Alert)> {
        let its = self.alerts.iter().filter(move |(_, alert)| alert.tie.number() == Some(number));
        its.map(|(id, alert)| (*id, alert))
    }

    /// The apps that an app was told with, by their names; itself, too.
    pub fn family<'a>(&self, id: AppId, registry: &'a Registry) -> Vec<&'a str> {
        let Some(number) = self.alerts.get(&id).and_then(|alert| alert.tie.number()) else {
            return Vec::new();
        };
        let apps = self.of(number).filter_map(|(id, _)| registry.get(id));
        apps.map(|app| app.registration.name.as_str()).collect()
    }

    fn hosts_of(&self, number: u64, known: Known<'_>) -> usize {
        let ids: Vec<AppId> = self.of(number).map(|(id, _)| id).collect();
        grouping::hosts(ids.iter(), known.registry)
    }

    /// The number of the next incident of several.
    pub(super) fn next_number(&self) -> u64 {
        let open = self.alerts.values().filter_map(|alert| alert.tie.number());
        open.max().map_or(1, |newest| newest.saturating_add(1))
    }

    /// It is time to tell of those that came later.
    pub(super) fn handle_updates(&mut self, now: Now, known: Known<'_>) -> Vec<Message> {
        let due: Vec<u64> =
            self.updates.iter().filter(|(_, at)| **at <= now.at).map(|it| *it.0).collect();
        let mut messages = Vec::new();
        for number in due {
            messages.extend(self.handle_update(now, number, known));
        }
        messages
    }

    fn handle_update(&mut self, now: Now, number: u64, known: Known<'_>) -> Vec<Message> {
        let is_untold = |alert: &Alert| !alert.is_told_as(Level::Unhealthy);
        let untold = self.of(number).filter(|(_, alert)| is_untold(alert));
        let untold: Vec<AppId> = untold.map(|(id, _)| id).collect();
        let app = |id: &AppId| known.registry.get(*id);
        let is_unasked = |id: &AppId| app(id).is_some_and(App::is_to_be_asked_first);
        if is_blind(&untold, known) || untold.iter().any(is_unasked) {
            self.updates.insert(number, now.at + ASKED_SOON);
            return Vec::new();
        }
        self.updates.remove(&number);
        let began = self.of(number).map(|(_, alert)| alert.began()).next();
        let is_free = |app: &&App| known.registry.covering(app).is_none();
        let left = |id: &AppId| waits_for_itself(now, app(id).filter(is_free)?, began?);
        let (early, untold): (Vec<AppId>, Vec<AppId>) =
            untold.into_iter().partition(|id| left(id).is_some());
        if let Some(left) = early.iter().filter_map(left).min() {
            self.updates.insert(number, now.at + left);
        }
        let (broken, others): (Vec<AppId>, Vec<AppId>) =
            untold.into_iter().partition(|id| app(id).is_some_and(is_broken));
        for id in others {
            self.alerts.edit(&id, |alert| alert.tie = Tie::Alone);
        }
        let (hushed, broken): (Vec<AppId>, Vec<AppId>) =
            broken.into_iter().partition(|id| known.is_hushed(*id));
        for (id, app) in hushed.iter().filter_map(|id| Some((*id, app(id)?))) {
            self.put_off(id, app);
        }
        let theirs: SortedMap<Recipient, Vec<AppId>> = self.people_of(&broken, known);
        // What they came to may be over by now.
        let more = self
            .of(number)
            .any(|(_, alert)| alert.is_told() && (!alert.over || alert.keeps_failing));
        let messages = theirs
            .into_iter()
            .filter_map(|(to, ids)| self.tell_one(now, &to, &ids, (more, None), known));
        messages.collect()
    }

    /// After a start: when those are told that came later.
    pub(super) fn resume_updates(&mut self, now: Now) {
        for alert in self.alerts.values().filter(|alert| !alert.is_told_as(Level::Unhealthy)) {
            let Tie::Of { number, told } = alert.tie else { continue };
            let joined = alert.opened.at().unwrap_or(now.at);
            let at = next_time(told, joined).max(now.at + ASKED_SOON);
            self.updates.update(number, || at, |_| ());
        }
    }
}

/// Whether an app was seen well since then, so that its host was: what it has now is another event.
pub(super) fn has_passed_since(app: &App, since: Stamp) -> bool {
    app.last_healthy.is_some_and(|pass| !pass.is_not_after(since))
}

/// How long one of an incident that `began` then waits still, for it was well since, and may be so again soon.
fn waits_for_itself(now: Now, app: &App, began: Stamp) -> Option<Duration> {
    let may_be_soon = is_broken(app) && app.is_dead_silent() && has_passed_since(app, began);
    let left = UPDATED_AFTER.checked_sub(app.monitor.trouble_since.age(now.at).span)?;
    (may_be_soon && !left.is_zero()).then_some(left)
}

/// When what joins at `joined` is told, of an incident that was `told` then.
fn next_time(told: Stamp, joined: Moment) -> Moment {
    let after_the_mail = told.at().map(|told| told + UPDATED_AFTER);
    after_the_mail.filter(|at| *at > joined).unwrap_or(joined + UPDATED_AFTER)
}
