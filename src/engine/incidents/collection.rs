//! The collection: apps that fall silent within a short time may be one event, and one mail tells it.
//!
//! An app that becomes UNHEALTHY by silence opens it, or joins it. It ends as soon as every other app has
//! answered since the first of them failed, or is in it: then it is known who belongs together, and an app
//! that is alone waits for nobody. Else it ends after a while. Who passes meanwhile is no part of it, and no alarm.
//!
//! On disk are its apps, by their alerts, from the first moment on. A start waits anew: for who is in it
//! to be asked, and for the others.

use std::time::Duration;

use super::alert::{Alert, Level, Tie};
use super::{Incidents, Known, change, grouping, parents};
use crate::engine::outbox::Message;
use crate::engine::outbox::merge::APPS_MAX;
use crate::engine::outbox::notice::{Change, Notice, Outage};
use crate::engine::recipients::Recipient;
use crate::engine::registry::{App, AppId, Registry};
use crate::engine::sorted::{SortedMap, SortedSet};
use crate::engine::state::{State, Transition};
use crate::engine::time::{Moment, Now, Stamp, Step};

/// So long it is waited for who else is silent,
const WAIT: Duration = Duration::from_secs(45);
/// and so long where this many hosts are: something larger has happened.
const LONG_WAIT: Duration = Duration::from_secs(180);
/// See [`LONG_WAIT`].
pub(super) const MANY_HOSTS: usize = 3;
/// What falls silent within this time may be one event, on whatever host.
pub(super) const SPREADS: Duration = Duration::from_secs(180);
/// After a start, who is in it is asked within an interval and its time-out: 300 s and 60 s at most.
const ASKED_WITHIN: Duration = Duration::from_secs(360);

/// The one that is open.
#[derive(Debug)]
pub(super) struct Collection {
    began: Moment,
    until: Moment,
    /// Who has not answered since the first of its apps failed, and is not in it: it may still come.
    undecided: SortedSet<AppId>,
    /// It waits only for parents of those in it: for whoever joins it, it is as if none was open.
    is_for_parents: bool,
}

impl Collection {
    /// One that `first` opens.
    pub(super) fn opened(now: Now, first: (AppId, &App), known: Known<'_>) -> Collection {
        let (id, app) = first;
        let since = app.monitor.trouble_since.at().unwrap_or(now.at);
        let may_come = |(other, app): &(AppId, &App)| {
            *other != id && may_come(app, since) && !known.surroundings.awaits(*other)
        };
        let undecided = known.registry.by_name().filter(may_come).map(|(id, _)| id).collect();
        Collection { began: now.at, until: now.at + WAIT, undecided, is_for_parents: false }
    }

    /// One that was open when the run before this one ended.
    pub(super) fn resumed(now: Now, registry: &Registry) -> Collection {
        let tells = |app: &App| !app.paused && !app.registration.may_be_off();
        let apps = registry.by_name().filter(|(_, app)| tells(app));
        Collection::of(now, apps.map(|(id, _)| id).collect())
    }

    /// One of these, which are asked anew.
    pub(super) fn of(now: Now, undecided: SortedSet<AppId>) -> Collection {
        Collection { began: now.at, until: now.at + WAIT, undecided, is_for_parents: false }
    }

    pub(super) fn until(&self) -> Moment {
        self.until
    }

    /// An app was asked: whoever answers does not come, and who is UNHEALTHY has come, if people are told.
    pub(super) fn handle_verdict(&mut self, id: AppId, app: &App) {
        if !app.is_silent() || app.state() == State::Unhealthy {
            self.undecided.remove(&id);
        }
    }

    /// An app is in it, or will not come.
    pub(super) fn forget(&mut self, id: AppId) {
        self.undecided.remove(&id);
    }

    /// Whether it is known who is in it.
    pub(super) fn is_decided(&self) -> bool {
        self.undecided.is_empty()
    }

    /// The machine was asleep: a wait is a span of real time.
    pub(super) fn handle_step(&mut self, step: Step) {
        self.began = step.moved_back(self.began);
        self.until = step.moved_back(self.until);
    }

    /// One that waits for parents, or is open, and another.
    pub(super) fn and(self, mut other: Collection) -> Collection {
        other.undecided.extend(self.undecided);
        Collection { began: self.began, until: other.until.max(self.until), ..other }
    }

    /// It goes on until then, or for another while.
    fn wait_on(mut self, until: Moment) -> Collection {
        self.until = until;
        self
    }
}

/// Whether an app that is asked may be found to have fallen silent `since` then.
fn may_come(app: &App, since: Moment) -> bool {
    let has_answered = app.last.as_ref().is_some_and(|last| {
        !last.verdict.is_silence() && last.time.at().is_some_and(|at| at >= since)
    });
    // One that may be off and is silent tells nothing, and it may be so for long.
    let tells = !app.registration.may_be_off();
    !app.paused && tells && app.state() != State::Unhealthy && !has_answered
}

/// Whether it is UNHEALTHY, and has not passed since.
pub(super) fn is_broken(app: &App) -> bool {
    app.state() == State::Unhealthy && app.monitor.streaks.failed > 0
}

/// The same, of one that cannot just have been switched off.
fn is_trouble(app: &App) -> bool {
    is_broken(app) && !app.may_just_be_off()
}

/// What an app's people are told with others.
#[derive(Default)]
struct Found {
    broken: Vec<AppId>,
    /// Silent, too, but not asked often enough to be UNHEALTHY.
    suspects: Vec<AppId>,
    /// They wait on.
    waiting: Vec<AppId>,
}

impl Incidents {
    /// An app is UNHEALTHY by silence, which is news to these people: has it wait for who else is.
    pub(super) fn collect(
        &mut self,
        now: Now,
        (id, app): (AppId, &App),
        people: &[Recipient],
        known: Known<'_>,
    ) {
        if let Some(collection) = &mut self.collection {
            collection.forget(id);
        }
        let waits = self.alerts.get(&id).is_none_or(|alert| match alert.tie {
            Tie::Alone => false,
            Tie::Collected => self.collection.is_some(),
            // Else it was told to people who may have no mail now: it is to be told anew.
            Tie::Of { number, .. } => self.updates.contains_key(&number),
        });
        if waits {
            return;
        }
        self.alerts.edit(&id, |alert| {
            if !alert.is_told() {
                // It may have passed since, and not often enough to be well; and what people were told of it with
                // others, who are not back, may be long ago.
                alert.opened = app.monitor.since;
            }
        });
        if self.join((id, app), people, now, known) {
            return;
        }
        self.alerts.edit(&id, |alert| alert.tie = Tie::Collected);
        let family = self.ask_family(app, known.registry);
        let fresh = || Collection::opened(now, (id, app), known);
        let mut open = match self.collection.take() {
            None => fresh(),
            Some(waiting) if waiting.is_for_parents => waiting.and(fresh()),
            Some(open) => open,
        };
        open.undecided.extend(family);
        self.collection = Some(open);
    }

    pub(super) fn is_collected(&self, id: AppId) -> bool {
        self.alerts.get(&id).is_some_and(|alert| alert.tie == Tie::Collected)
    }

    /// Its time is up: tells who is silent, unless there is a reason to wait on.
    pub(super) fn handle_collected(&mut self, now: Now, known: Known<'_>) -> Vec<Message> {
        let Some(collection) = self.collection.take_if(|it| it.until <= now.at) else {
            return Vec::new();
        };
        let members = self.members(known);
        if members.is_empty() {
            return Vec::new();
        }
        let is_unasked =
            |id: &AppId| known.registry.get(*id).is_some_and(App::is_to_be_asked_first);
        let waits_for_answers =
            members.iter().any(is_unasked) && now.at < collection.began + ASKED_WITHIN;
        let may_be_us = is_blind(&members, known) || has_been_away(&collection, known);
        if waits_for_answers || may_be_us {
            self.collection = Some(collection.wait_on(now.at + WAIT));
            return Vec::new();
        }
        let (found, waiting) = self.ready(now.at, collection.began, &members, known);
        let silent = found.broken.iter().chain(&found.suspects);
        let long = collection.began + LONG_WAIT;
        if now.at < long && grouping::hosts(silent, known.registry) >= MANY_HOSTS {
            self.collection = Some(collection.wait_on(long));
            return Vec::new();
        }
        let messages = self.tell_together(now, found, None, known);
        self.collection = waiting;
        messages
    }

    /// It is known who is in it. `changed`: the app whose verdict decided it, if that changed its state.
    pub(super) fn close(
        &mut self,
        now: Now,
        changed: Option<(AppId, Transition)>,
        known: Known<'_>,
    ) -> Vec<Message> {
        let Some(collection) = self.collection.take() else { return Vec::new() };
        let members = self.members(known);
        let (found, waiting) = self.ready(now.at, collection.began, &members, known);
        let messages = self.tell_together(now, found, changed, known);
        self.collection = waiting;
        messages
    }

    /// Who of these is to be told now, of a collection that `began` then; and what waits on, for parents that may
    /// be down.
    fn ready(
        &self,
        at: Moment,
        began: Moment,
        members: &[AppId],
        known: Known<'_>,
    ) -> (Found, Option<Collection>) {
        let until = began + LONG_WAIT;
        let (mut ready, mut undecided) = (Vec::new(), SortedSet::default());
        for id in members {
            match parents::awaited(*id, known) {
                awaited if awaited.is_empty() || at >= until => ready.push(*id),
                awaited => undecided.extend(awaited),
            }
        }
        let mut found = self.found(at, &ready, known);
        found.suspects.retain(|id| !undecided.contains(id));
        let waits = !undecided.is_empty();
        let waiting = Collection { began, until, undecided, is_for_parents: true };
        found.waiting = members.iter().copied().filter(|id| waits && !ready.contains(id)).collect();
        (found, waits.then_some(waiting))
    }

    fn members(&self, known: Known<'_>) -> Vec<AppId> {
        let collected = self.alerts.iter().filter(|(_, alert)| alert.tie == Tie::Collected);
        let is_in_it = |id: &AppId| known.registry.get(*id).is_some() && !known.is_hushed(*id);
        collected.map(|(id, _)| *id).filter(is_in_it).collect()
    }

    /// Who of these is silent still, and who else is.
    fn found(&self, at: Moment, members: &[AppId], known: Known<'_>) -> Found {
        let app = |id: &AppId| known.registry.get(*id);
        let broken: Vec<AppId> =
            members.iter().copied().filter(|id| app(id).is_some_and(is_trouble)).collect();
        let first = broken.iter().filter_map(app).map(|app| app.monitor.trouble_since);
        let Some(first) = first.reduce(|a, b| if a.is_not_after(b) { a } else { b }) else {
            return Found { broken, ..Found::default() };
        };
        let hosts: SortedSet<String> = broken.iter().filter_map(app).map(grouping::host).collect();
        let is_suspect = |(id, app): &(AppId, &App)| {
            let fails = app.is_silent() && app.monitor.streaks.failed > 0 && !app.paused;
            let fails = fails && !app.may_just_be_off();
            let is_of_it = || {
                fell_silent_with(app.monitor.trouble_since, first)
                    || (app.is_dead_silent() && hosts.contains(&grouping::host(app)))
            };
            let is_known = || self.alerts.get(id).is_some_and(Alert::is_told);
            let may_be_told = || !known.surroundings.awaits(*id) && !known.is_hushed(*id);
            // What comes and goes on its host is another event.
            let is_flaky = || self.on_flaky_host(at, (*id, app), known).next().is_some();
            fails
                && app.state() != State::Unhealthy
                && is_of_it()
                && !is_known()
                && may_be_told()
                && !is_flaky()
        };
        let suspects = known.registry.by_name().filter(is_suspect).map(|(id, _)| id).collect();
        Found { broken, suspects, waiting: Vec::new() }
    }

    /// One mail to each person with all of theirs.
    fn tell_together(
        &mut self,
        now: Now,
        Found { broken, suspects, waiting }: Found,
        changed: Option<(AppId, Transition)>,
        known: Known<'_>,
    ) -> Vec<Message> {
        self.release_all_but(&waiting, known);
        let mut theirs = self.people_of(&broken, known);
        for (to, ids) in self.people_of(&suspects, known) {
            // Who has none that is UNHEALTHY has nothing to hear yet.
            if let Some(silent) = theirs.get_mut(&to) {
                // Nor is there a mail of those alone.
                let room = silent.len().next_multiple_of(APPS_MAX);
                silent.extend(&ids);
                silent.truncate(room);
            }
        }
        let told: SortedSet<AppId> = theirs.values().flatten().copied().collect();
        let tie = match told.len() {
            0 | 1 => Tie::Alone,
            _ => Tie::Of { number: self.next_number(), told: Stamp::noted(now) },
        };
        for id in told.iter() {
            self.tie(*id, tie, known.registry);
        }
        tie.number().map(|number| self.updates.remove(&number));
        let messages = theirs.into_iter().flat_map(|(to, ids)| {
            let mut messages = Vec::new();
            for ids in ids.chunks(APPS_MAX) {
                messages.extend(self.tell_one(now, &to, ids, (false, changed), known));
            }
            messages
        });
        messages.collect()
    }

    /// Nobody but these waits to be told with others, and who is hushed.
    fn release_all_but(&mut self, waiting: &[AppId], known: Known<'_>) {
        for id in self.members(known).into_iter().filter(|id| !waiting.contains(id)) {
            self.alerts.edit(&id, |alert| alert.tie = Tie::Alone);
        }
    }

    /// To whom each of these is news.
    pub(super) fn people_of(
        &self,
        ids: &[AppId],
        known: Known<'_>,
    ) -> SortedMap<Recipient, Vec<AppId>> {
        let mut theirs: SortedMap<Recipient, Vec<AppId>> = SortedMap::default();
        for id in ids {
            let Some(app) = known.registry.get(*id) else { continue };
            let alert = self.alerts.get(id);
            for to in known.outbox.told(app.registration.recipients()) {
                let is_news = alert.is_none_or(|alert| alert.is_news(&to, Level::Unhealthy));
                if is_news && !self.is_muted(*id, &to, known) {
                    theirs.update(to, Vec::new, |ids| ids.push(*id));
                }
            }
        }
        theirs
    }

    fn tie(&mut self, id: AppId, tie: Tie, registry: &Registry) {
        let Some(app) = registry.get(id) else { return };
        if self.alerts.get(&id).is_none() {
            self.alerts.insert(id, Alert::new(app.monitor.trouble_since));
        }
        self.alerts.edit(&id, |alert| {
            if std::mem::take(&mut alert.over) {
                // It is remembered of trouble before, of which all is said.
                alert.opened = app.monitor.trouble_since;
            }
            alert.tie = tie;
        });
    }

    /// Tells a person of these; `more`: after others of the same incident.
    pub(super) fn tell_one(
        &mut self,
        now: Now,
        to: &Recipient,
        ids: &[AppId],
        (more, changed): (bool, Option<(AppId, Transition)>),
        known: Known<'_>,
    ) -> Option<Message> {
        let thread = self.threads(ids, to, known);
        let spell = self.spell(now, ids, known);
        let keeps_failing = spell.keeps_failing;
        let notice = match ids {
            [] => return None,
            // One that comes and goes with its host alone is told by that: it was well itself for long.
            [only] if !more && !known.is_behind(*only) && spell.by_itself == keeps_failing => {
                let (app, alert) = (known.registry.get(*only)?, self.alerts.get(only)?);
                let transition = changed.filter(|(id, _)| id == only).map(|(_, change)| change);
                let change = change::trouble(app, alert, transition);
                // To whom it is only worse than they knew, that it is so is the news.
                let keeps_failing = keeps_failing && !alert.is_told_to(to);
                Notice::Change(Change { keeps_failing, ..change })
            }
            _ => {
                let outage = grouping::outage(now, ids, more, known.registry);
                Notice::Outage(Box::new(Outage { keeps_failing, ..outage }))
            }
        };
        for id in ids {
            let Some(app) = known.registry.get(*id) else { continue };
            let named = known.outbox.told(app.registration.recipients());
            self.alerts.edit(id, |alert| {
                alert.silent = app.is_dead_silent();
                alert.begin_spell(keeps_failing, spell.on_host);
                alert.tell(to, Level::Unhealthy, &named);
            });
        }
        Some(Message { to: to.clone(), notice, thread })
    }
}

/// Whether who is silent since one time may be silent for the same reason as who is since another: it was asked more
/// seldom, and so takes longer to be UNHEALTHY, and may by chance have been asked first.
fn fell_silent_with(since: Stamp, first: Stamp) -> bool {
    first.is_not_after(since) || since.until(first).span < SPREADS
}

/// Whether some of these cannot be seen: our network is down, and they are elsewhere.
pub(super) fn is_blind(ids: &[AppId], Known { registry, surroundings, .. }: Known<'_>) -> bool {
    let is_away =
        |id: &AppId| registry.get(*id).is_some_and(|app| surroundings.is_away_from_us(*id, app));
    surroundings.network().is_down() && ids.iter().any(is_away)
}

/// Whether we were away since it began, and others have their time to come back.
fn has_been_away(collection: &Collection, Known { surroundings, .. }: Known<'_>) -> bool {
    let settles = surroundings.settling().and_then(|settling| settling.began.at());
    settles.is_some_and(|began| began >= collection.began)
}
