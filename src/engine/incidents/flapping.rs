//! An app that comes and goes: people hear once that it keeps failing, and then that it is well, when it
//! has been so for a while.

use std::time::Duration;

use super::Incidents;
use super::alert::Alert;
use crate::engine::registry::{App, AppId};
use crate::engine::time::Now;

/// Who fails again so soon after it was HEALTHY keeps failing, and who keeps failing has to be HEALTHY for so long.
const CALM: Duration = Duration::from_secs(2 * 3600);
/// So long, once it has failed often.
const LONG_CALM: Duration = Duration::from_secs(6 * 3600);
/// See [`LONG_CALM`].
const OFTEN: u32 = 3;
/// For an app that takes long to be HEALTHY, so many times as long.
const CALM_TIMES: u32 = 3;

/// How long an app has to be HEALTHY before it is believed.
fn calm(alert: &Alert, app: &App) -> Duration {
    let registration = &app.registration;
    let usual = if alert.falls < OFTEN { CALM } else { LONG_CALM };
    usual.max(registration.interval * u32::from(registration.healthy) * CALM_TIMES)
}

/// Whether trouble that is to be told came soon after the end of trouble that was told.
pub(super) fn keeps_failing(alert: &Alert, app: &App) -> bool {
    // Of what an earlier run noted by a clock that was wrong it is not known how soon after it was.
    let well = alert.recovered.map(|recovered| recovered.until(alert.opened));
    well.is_some_and(|well| well.exact && well.span < calm(alert, app))
}

/// Whether it is too early to say that an app is well which keeps failing.
pub(super) fn may_fail_again(now: Now, alert: &Alert, app: &App) -> bool {
    alert.keeps_failing && app.monitor.since.age(now.at).span < calm(alert, app)
}

impl Incidents {
    /// Of trouble that is over and told nothing is remembered once another would be the first again.
    pub(super) fn forget_if_calm(&mut self, now: Now, (id, app): (AppId, &App)) {
        let is_calm = |alert: &Alert| {
            alert.recovered.is_none_or(|recovered| recovered.age(now.at).span >= calm(alert, app))
        };
        if self.alerts.get(&id).is_some_and(is_calm) {
            self.alerts.remove(&id);
        }
    }
}
