//! An app that comes and goes, by itself or with its host: people hear once that it keeps failing, and then that it is
//! well, when it has been so for a while.

use std::time::Duration;

use super::alert::Alert;
use super::joining::has_passed_since;
use super::{Incidents, Known};
use crate::engine::registry::{App, AppId};
use crate::engine::time::{Moment, Now, Stamp};

/// Who fails again so soon after it was HEALTHY keeps failing, and who keeps failing has to be HEALTHY for so long.
const CALM: Duration = Duration::from_secs(2 * 3600);
/// So long, once it has failed often: a bad link is quiet for two hours now and then, and for six hardly ever.
const LONG_CALM: Duration = Duration::from_secs(6 * 3600);
/// So many times are often: twice may be one repair.
const OFTEN: u32 = 3;
/// For an app that takes long to be HEALTHY, so many times as long.
const CALM_TIMES: u32 = 3;

/// How long an app has to be HEALTHY before it is believed, after it fell ill so often.
fn calm(falls: u32, app: &App) -> Duration {
    let registration = &app.registration;
    let usual = if falls < OFTEN { CALM } else { LONG_CALM };
    usual.max(registration.interval * u32::from(registration.healthy) * CALM_TIMES)
}

/// Whether an app that people were told of was well so lately that, if it falls ill now, it keeps failing.
fn was_well_lately(at: Moment, alert: &Alert, app: &App) -> bool {
    let next = calm(alert.falls.saturating_add(1), app);
    alert.recovered.is_some_and(|recovered| recovered.age(at).span < next)
}

/// Whether trouble that is to be told came soon after the end of trouble that was told.
pub(super) fn keeps_failing(alert: &Alert, app: &App) -> bool {
    // Of what an earlier run noted by a clock that was wrong it is not known how soon after it was.
    let well = alert.recovered.map(|recovered| recovered.until(alert.opened));
    well.is_some_and(|well| well.exact && well.span < calm(alert.falls, app))
}

/// Whether people know of an app that is not HEALTHY any more: it is silent as it was shortly before, with others,
/// and they have not heard that it was well between.
pub(super) fn is_known(now: Now, alert: &Alert, app: &App) -> bool {
    let soon = |recovered: Stamp| recovered.age(now.at).span < calm(alert.falls, app);
    // Some may have heard the end of all of theirs already.
    let is_told = alert.is_told() && app.registration.recipients().all(|to| alert.is_told_to(&to));
    let is_as_it_was = is_told && alert.silent && app.is_dead_silent();
    is_as_it_was && alert.tie.number().is_some() && alert.recovered.is_some_and(soon)
}

/// Whether it is too early to say that an app is well which keeps failing.
pub(super) fn may_fail_again(now: Now, alert: &Alert, app: &App) -> bool {
    alert.keeps_failing && app.monitor.since.age(now.at).span < calm(alert.falls, app)
}

/// How far apps come and go, of which people are to be told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Spell {
    /// Each of them does, by itself or with its host: else it is something larger.
    pub(super) keeps_failing: bool,
    /// One of them does by itself.
    pub(super) by_itself: bool,
    /// How often their hosts fell silent, this time among them, at most.
    pub(super) on_host: u32,
}

impl Incidents {
    /// How often the host of an app fell silent since all was well there for a while, this time among them, of which
    /// people are to be told with `ids`; 0 if this is the only time.
    fn falls_on_host(
        &self,
        now: Now,
        ids: &[AppId],
        (id, app): (AppId, &App),
        known: Known<'_>,
    ) -> u32 {
        if !app.is_dead_silent() {
            return 0;
        }
        let Some(host) = app.registration.target.host() else { return 0 };
        let others = self.alerts.iter().filter(|(other, alert)| **other != id && alert.silent);
        let falls = others.filter_map(|(other_id, alert)| {
            let other = known.registry.get(*other_id)?;
            let is_there = other.registration.target.host() == Some(host);
            // Whoever is told and not yet said to be well has others join it.
            let is_owed = alert.is_told() && !alert.keeps_failing;
            let counts = is_there && !is_owed && was_well_lately(now.at, alert, other);
            // Those have counted this time.
            let this_time = u32::from(!ids.contains(other_id));
            counts.then(|| alert.falls.saturating_add(this_time))
        });
        falls.max().unwrap_or(0)
    }

    /// Whether these come and go, of which people are to be told now.
    pub(super) fn spell(&self, now: Now, ids: &[AppId], known: Known<'_>) -> Spell {
        let none = Spell { keeps_failing: !ids.is_empty(), by_itself: false, on_host: 0 };
        let apps = ids.iter().filter_map(|id| Some((*id, known.registry.get(*id)?)));
        apps.fold(none, |spell, (id, app)| {
            let alert = self.alerts.get(&id);
            let by_itself = alert.is_some_and(|alert| keeps_failing(alert, app));
            let on_host = self.falls_on_host(now, ids, (id, app), known);
            Spell {
                keeps_failing: spell.keeps_failing && (by_itself || on_host > 0),
                by_itself: spell.by_itself || by_itself,
                on_host: spell.on_host.max(on_host),
            }
        })
    }

    /// The apps on the host of one that falls silent of which people were told, and which keep failing or have passed
    /// since, lately: what comes and goes there is one event, whomever it hits.
    pub(super) fn on_flaky_host(
        &self,
        at: Moment,
        (id, app): (AppId, &App),
        known: Known<'_>,
    ) -> impl Iterator<Item = (AppId, &Alert)> {
        let host = app.registration.target.host().filter(|_| app.is_dead_silent());
        let comes_and_goes = move |alert: &Alert, other: &App| {
            let began = alert.began();
            let is_new = || began.age(at).span < CALM;
            let has_come = alert.keeps_failing || has_passed_since(other, began);
            // It may be UNHEALTHY for long, and pass now and then.
            let has_passed = || other.last_healthy.is_some_and(|pass| pass.age(at).span < CALM);
            let is_open = || !alert.over && has_passed();
            let is_lately = || is_new() || is_open() || was_well_lately(at, alert, other);
            alert.is_told() && alert.silent && has_come && is_lately()
        };
        let is_of_it = move |other: AppId, alert: &Alert| {
            let app = known.registry.get(other).filter(|_| other != id);
            let app = app.filter(|app| host.is_some() && app.registration.target.host() == host);
            app.is_some_and(|app| comes_and_goes(alert, app))
        };
        let others = self.alerts.iter().map(|(other, alert)| (*other, alert));
        others.filter(move |(other, alert)| is_of_it(*other, alert))
    }

    /// An app is on another host: that nothing answered at the one before says nothing of this.
    pub fn handle_moved(&mut self, id: AppId) {
        self.alerts.edit(&id, |alert| alert.silent = false);
    }

    /// Of trouble that is over and told nothing is remembered once another would be the first again.
    pub(super) fn forget_if_calm(&mut self, now: Now, (id, app): (AppId, &App)) {
        let is_calm = |alert: &Alert| !was_well_lately(now.at, alert, app);
        if self.alerts.get(&id).is_some_and(is_calm) {
            self.alerts.remove(&id);
        }
    }
}
