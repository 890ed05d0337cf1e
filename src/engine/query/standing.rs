//! How an app is, as far as it can be seen: the state on disk is not what is shown while nobody can tell.

use super::View;
use crate::engine::registry::{App, AppId};
use crate::engine::state::State;
use crate::engine::time::Stamp;

/// How an app is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Standing {
    pub(super) state: State,
    /// Since when.
    pub(super) since: Stamp,
    /// It has its time to come back, since then.
    pub(super) settling_since: Option<Stamp>,
    /// Something between us is away since then, and it cannot be seen.
    pub(super) not_visible_since: Option<Stamp>,
    /// What the last check found, and what it is worth.
    pub(super) reason: String,
}

/// What is said of an app that may be off, and is silent.
pub(in crate::engine) fn off_or_away(reason: &str) -> String {
    format!("off or away: {reason}")
}

impl View<'_> {
    pub(super) fn standing(&self, id: AppId, app: &App) -> Standing {
        let reason = match app.reason() {
            reason if app.is_off() => off_or_away(reason),
            reason => reason.to_owned(),
        };
        let shown = Standing {
            state: app.state(),
            since: app.monitor.since,
            settling_since: None,
            not_visible_since: None,
            reason,
        };
        if let Some((part, since)) = self.surroundings.network().hides(id) {
            let since_when = since.for_people(self.zone);
            let reason = format!("not visible: {} since {since_when}", part.words());
            let (state, not_visible_since) = (State::Unknown, Some(since));
            return Standing { state, since, not_visible_since, reason, ..shown };
        }
        let settling = self.surroundings.settling().filter(|settling| settling.awaits(id));
        let Some(began) = settling.map(|settling| settling.began) else { return shown };
        let mut reason =
            format!("settling since {}: has not answered yet", began.for_people(self.zone));
        if !app.reason().is_empty() {
            reason += &format!(" ({})", app.reason());
        }
        let (state, settling_since) = (State::Unknown, Some(began));
        Standing { state, since: began, settling_since, reason, ..shown }
    }

    /// The state that is shown.
    pub(super) fn state(&self, id: AppId, app: &App) -> State {
        let is_unknown =
            self.surroundings.awaits(id) || self.surroundings.network().hides(id).is_some();
        if is_unknown { State::Unknown } else { app.state() }
    }
}
