//! A change of an app, in the facts that people get.

use super::alert::Alert;
use crate::engine::outbox::notice::Change;
use crate::engine::registry::App;
use crate::engine::state::Transition;
use crate::engine::time::Stamp;

/// Checks shown in a mail.
pub(super) const SHOWN_IN_MAIL: usize = 8;

/// The trouble of an app.
pub(super) fn trouble(app: &App, alert: &Alert, transition: Option<Transition>) -> Change {
    let monitor = &app.monitor;
    let is_of_this_row = monitor.trouble_since.is_not_after(monitor.since);
    let since = if is_of_this_row { monitor.trouble_since } else { alert.opened };
    change(app, transition, since, monitor.since)
}

/// The end of the trouble of an app.
pub(super) fn end(app: &App, alert: &Alert, transition: Option<Transition>) -> Change {
    change(app, transition, alert.opened, well_since(app, alert))
}

/// Since when an app is well of which people were told: one that was listed before it was asked often enough to be
/// UNHEALTHY may never have been anything but HEALTHY, and is well since it passed.
pub(super) fn well_since(app: &App, alert: &Alert) -> Stamp {
    let changed = app.monitor.since;
    let was_ill = alert.opened.is_not_after(changed);
    alert.recovered.filter(|_| !was_ill).unwrap_or(changed)
}

/// `since` is when the story began, and `at` when it changed last. Without a transition the change is told later
/// than it came.
fn change(app: &App, transition: Option<Transition>, since: Stamp, at: Stamp) -> Change {
    let told_late = Transition { from: app.state(), to: app.state() };
    let Transition { from, to } = transition.unwrap_or(told_late);
    let verdict = app.last.as_ref().map(|last| &last.verdict);
    let lasted = since.until(at);
    Change {
        app: app.registration.name.clone(),
        url: app.registration.target.place().map(|it| it.asked.clone()).unwrap_or_default(),
        from,
        to,
        at,
        since,
        lasted_ms: u64::try_from(lasted.span.as_millis()).unwrap_or(u64::MAX),
        lasted_at_least: !lasted.exact,
        keeps_failing: false,
        reason: verdict.map(|verdict| verdict.reason.clone()).unwrap_or_default(),
        body: verdict.and_then(|verdict| verdict.body.clone()),
        recent: app.history.recent.newest(SHOWN_IN_MAIL),
    }
}
