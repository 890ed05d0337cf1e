//! Apps that are behind others: the silence of a child waits while a parent may be down, and belongs to the
//! incident of one that is.

use super::alert::Level;
use super::{Incidents, Known};
use crate::engine::registry::{App, AppId, Registry};
use crate::engine::state::State;
use crate::engine::time::Now;

impl Incidents {
    /// An app is silent, and it is waited for who else is: its parents and children are asked at once, if they
    /// were not since. Those whose answer shows who belongs to it.
    pub(super) fn ask_family(&mut self, app: &App, registry: &Registry) -> Vec<AppId> {
        let since = app.monitor.trouble_since;
        let is_open = |app: &App| {
            !app.paused && app.state() != State::Unhealthy && !app.was_asked_since(since)
        };
        let family = registry.parents(app).chain(registry.children(app));
        let asked: Vec<AppId> = family.filter(|(_, app)| is_open(app)).map(|(id, _)| id).collect();
        self.to_ask.extend(&asked);
        asked
    }

    /// Whether what is behind an app falls silent, too: one mail tells both.
    pub(super) fn takes_children_along(&self, app: &App, registry: &Registry) -> bool {
        registry.children(app).any(|(id, child)| {
            let fails = child.is_silent() && child.monitor.streaks.failed > 0 && !child.paused;
            fails && (child.state() != State::Unhealthy || self.is_collected(id))
        })
    }

    /// An app has passed. Who is behind it, is silent all the same and was not told yet, is told once it had time
    /// to come back.
    pub(super) fn hasten_children(&mut self, now: Now, app: &App, registry: &Registry) {
        if app.monitor.streaks.passed != 1 {
            return;
        }
        for (id, child) in registry.children(app) {
            let alert = self.alerts.get(&id).filter(|alert| !alert.is_told_as(Level::Unhealthy));
            let Some(number) = alert.and_then(|alert| alert.tie.number()) else { continue };
            let registration = &child.registration;
            let checks = registration.interval * u32::from(registration.unhealthy);
            let at = now.at + checks + registration.timeout;
            if let Some(update) = self.updates.get_mut(&number) {
                *update = at.min(*update);
            }
        }
    }
}

impl Known<'_> {
    /// Whether an app is this one, which is down, or its silence is its outage.
    pub(super) fn is_at_or_behind(&self, id: AppId, parent: AppId) -> bool {
        let above = self.registry.get(id).and_then(|app| self.registry.covering(app));
        id == parent || above.is_some_and(|(above, _)| above == parent)
    }

    /// Whether its silence is the outage of a parent.
    pub(super) fn is_behind(&self, id: AppId) -> bool {
        self.registry.get(id).is_some_and(|app| self.registry.covering(app).is_some())
    }
}

/// The parents that may be found to be down, of a silent app that is behind none that is.
pub(super) fn awaited(id: AppId, known: Known<'_>) -> Vec<AppId> {
    let Some(app) = known.registry.get(id).filter(|app| app.is_silent()) else {
        return Vec::new();
    };
    if known.registry.covering(app).is_some() {
        return Vec::new();
    }
    let may_be_down = known.registry.parents(app).filter(|(_, parent)| parent.may_be_down());
    may_be_down.map(|(id, _)| id).collect()
}
