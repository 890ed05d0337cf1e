//! What the engine shows of itself.

use super::View;
use super::standing::Standing;
use super::view::{
    AppView, CheckView, ChecksView, HealthView, InfoView, OutboxView, RefusedView, ServerView,
    StateCounts,
};
use crate::engine::recipients::Recipient;
use crate::engine::registration::Kind;
use crate::engine::registration::values::Values;
use crate::engine::registry::{App, AppId, LastCheck, RegistryError};
use crate::engine::time::{Moment, Now, Stamp};

/// The daemon's version.
pub const VERSION: &str = env!("CARGO_PKG_VERSION");

/// Recent checks in `info`: half an hour at the default interval.
const RECENT_IN_INFO: usize = 60;

impl View<'_> {
    /// One app with its recent checks.
    ///
    /// # Errors
    /// The name is unknown.
    pub fn info(&self, now: Now, name: &str) -> Result<InfoView, RegistryError> {
        let unknown = || RegistryError::UnknownApp(name.to_owned());
        let id = self.registry.id_of(name).ok_or_else(unknown)?;
        let app = self.registry.get(id).ok_or_else(unknown)?;
        Ok(InfoView {
            app: self.show(id, app, now.at),
            recent: app.history.recent.newest(RECENT_IN_INFO),
        })
    }

    /// The daemon. `started` is when it started.
    pub fn server(&self, now: Now, started: Moment) -> ServerView {
        ServerView {
            version: VERSION,
            time: now.wall,
            uptime: now.at.since(started).as_secs(),
            apps: self.counts(),
        }
    }

    /// The daemon's own health, as far as the engine knows it.
    /// `disk` is what there is to say about the disk.
    pub fn health(&self, now: Now, started: Moment, disk: Vec<String>) -> HealthView {
        HealthView {
            version: VERSION,
            uptime: now.at.since(started).as_secs(),
            apps: self.counts(),
            outbox: OutboxView {
                waiting: self.outbox.waiting(),
                trouble: self.outbox.troubles(now, self.zone),
                refused: self.outbox.refusals().map(|it| RefusedView::of(it, self.zone)).collect(),
            },
            checks: ChecksView {
                waiting: self.scheduler.load().waiting,
                trouble: self.shortage_trouble().into_iter().collect(),
            },
            mailing: self.outbox.is_mailing(),
            disk,
            names: Vec::new(),
            ping: Vec::new(),
        }
    }

    /// How many apps are to be pinged.
    pub fn pinged(&self) -> usize {
        let is_pinged = |app: &App| !app.paused && app.registration.target.kind() == Kind::Ping;
        self.registry.by_name().filter(|(_, app)| is_pinged(app)).count()
    }

    /// One app, as in `status`.
    pub fn show(&self, id: AppId, app: &App, at: Moment) -> AppView {
        let Standing { state, since, settling_since, not_visible_since, .. } =
            self.standing(id, app);
        AppView {
            registered: self.in_force(app).in_info(),
            state,
            since: since.wall(),
            settling_since: settling_since.map(Stamp::wall),
            not_visible_since: not_visible_since.map(Stamp::wall),
            paused: app.paused,
            quiet_until: app.quiet.and_then(|quiet| quiet.until),
            failed_in_a_row: app.monitor.streaks.failed,
            passed_in_a_row: app.monitor.streaks.passed,
            checks: app.checks,
            failures: app.failures,
            uptime_24h: app.history.hours.uptime(at),
            last_healthy: app.last_healthy.map(Stamp::wall),
            certificate_ends: app.certificate_ends,
            last_check: app.last.as_ref().map(show_check),
        }
    }

    /// What an app registered; those who may not be told are not told.
    pub(super) fn in_force(&self, app: &App) -> Values {
        let told = self.outbox.recipients().told(app.registration.recipients());
        Values::in_force(&app.registration, told.iter().map(Recipient::to_string).collect())
    }

    pub(super) fn counts(&self) -> StateCounts {
        let mut counts = StateCounts::default();
        for (id, app) in self.registry.by_name() {
            counts.add(self.state(id, app));
        }
        counts
    }

    fn shortage_trouble(&self) -> Option<String> {
        let load = self.scheduler.load();
        let (waited, workers) = (load.lately?.as_secs(), load.workers);
        Some(format!(
            "checks come late for want of threads, lately one by {waited} s: apps that hang hold \
             them, and no more than {workers} may run (option workers)"
        ))
    }
}

fn show_check(last: &LastCheck) -> CheckView {
    CheckView {
        time: last.time.wall(),
        outcome: last.verdict.outcome,
        http_status: last.verdict.http_status,
        latency_ms: last.latency_ms,
        reason: last.verdict.reason.clone(),
        body: last.verdict.body.clone(),
    }
}
