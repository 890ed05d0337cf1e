//! What silent apps have in common: the facts of an outage.

use super::change::SHOWN_IN_MAIL;
use crate::engine::outbox::notice::{Group, Outage, Silent};
use crate::engine::registration::Host;
use crate::engine::registry::{App, AppId, Registry};
use crate::engine::sorted::SortedMap;
use crate::engine::state::State;
use crate::engine::time::{Now, Stamp};
use crate::engine::verdict::answer::Verdict;

/// The host of an app, as people know it; empty: it is nowhere.
pub(super) fn host(app: &App) -> String {
    app.registration.target.host().map(Host::to_string).unwrap_or_default()
}

/// How many hosts these are on.
pub(super) fn hosts<'a>(ids: impl Iterator<Item = &'a AppId>, registry: &Registry) -> usize {
    let mut hosts: Vec<String> = ids.filter_map(|id| registry.get(*id)).map(host).collect();
    hosts.sort_unstable();
    hosts.dedup();
    hosts.len()
}

/// What apps have in common.
enum Place {
    /// They are behind this app, which is down, or are that app.
    Behind(String),
    On(String),
    /// Nothing.
    Elsewhere,
}

/// These apps by the parent that is down, else by their hosts; those that are alone on theirs by the reason.
/// `more`: after others.
pub(super) fn outage(now: Now, ids: &[AppId], more: bool, registry: &Registry) -> Outage {
    let apps = || ids.iter().filter_map(|id| registry.get(*id));
    let name = |app: &App| app.registration.name.clone();
    let above = |app: &App| registry.covering(app).map(|(_, parent)| name(parent));
    let parents: Vec<String> = apps().filter_map(above).collect();
    let own = |app: &App| Some(name(app)).filter(|name| parents.contains(name));
    let mut by_parent: SortedMap<String, Vec<&App>> = SortedMap::default();
    let mut by_host = SortedMap::default();
    for app in apps() {
        let (map, place) = match above(app).or_else(|| own(app)) {
            Some(parent) => (&mut by_parent, parent),
            None => (&mut by_host, host(app)),
        };
        map.update(place, Vec::new, |apps| apps.push(app));
    }
    let is_only_host = by_parent.is_empty() && by_host.keys().count() == 1;
    let mut others = by_host.remove("").unwrap_or_default();
    let is_only_host = is_only_host && others.is_empty();
    let mut groups = Vec::new();
    for (parent, mut apps) in by_parent {
        apps.sort_by(|a, b| worse(a, b));
        apps.sort_by_key(|app| app.registration.name != parent);
        groups.push((Place::Behind(parent), apps));
    }
    for (host, mut apps) in by_host {
        apps.sort_by(|a, b| worse(a, b));
        match apps.as_slice() {
            [only] if !is_only_host => others.push(*only),
            _ => groups.push((Place::On(host), apps)),
        }
    }
    groups.sort_by_key(|(_, apps)| std::cmp::Reverse(apps.len()));
    if !others.is_empty() {
        others.sort_by(|a, b| a.reason().cmp(b.reason()).then_with(|| worse(a, b)));
        groups.push((Place::Elsewhere, others));
    }
    let worst = groups.first().and_then(|(_, apps)| apps.first());
    let recent = worst.map(|app| app.history.recent.newest(SHOWN_IN_MAIL)).unwrap_or_default();
    let groups = groups.into_iter().map(|(place, apps)| group(place, &apps)).collect();
    Outage { at: Stamp::noted(now), groups, more, keeps_failing: false, still: false, recent }
}

fn group(place: Place, apps: &[&App]) -> Group {
    let last = |app: &App, shows: fn(&Verdict) -> bool| {
        app.last.as_ref().is_some_and(|last| shows(&last.verdict))
    };
    let mut lives = apps.iter().map(|app| last(app, |verdict| !verdict.is_dead_silence()));
    let (host, parent, host_lives) = match place {
        Place::Behind(parent) => (None, Some(parent), false),
        Place::On(host) => (Some(host), None, lives.any(|lives| lives)),
        Place::Elsewhere => (None, None, lives.all(|lives| lives)),
    };
    let outside = apps.iter().all(|app| last(app, Verdict::is_outside));
    let silent = |app: &&App| Silent {
        app: app.registration.name.clone(),
        unhealthy: app.state() == State::Unhealthy,
        failures: app.monitor.streaks.failed,
        since: app.monitor.trouble_since,
        reason: app.reason().to_owned(),
    };
    Group { host, host_lives, outside, parent, apps: apps.iter().map(silent).collect() }
}

/// UNHEALTHY before the others, then who began earlier.
fn worse(a: &App, b: &App) -> std::cmp::Ordering {
    let rank = |app: &App| app.state() != State::Unhealthy;
    let since = |app: &App| app.monitor.trouble_since.wall();
    rank(a).cmp(&rank(b)).then(since(a).cmp(&since(b)))
}
