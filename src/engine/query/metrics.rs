//! What the metrics need to know: numbers of the engine, and of each app.

use std::time::Duration;

use super::View;
use super::view::StateCounts;
use crate::engine::outbox::Counted;
use crate::engine::registry::history::Latencies;
use crate::engine::registry::{App, AppId};
use crate::engine::state::State;
use crate::engine::surroundings::away::Part;
use crate::engine::time::{Now, Wall};

/// Numbers of the engine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EngineNumbers {
    /// How many apps are in which state.
    pub apps: StateCounts,
    /// How late checks began, by when they were due, since the start.
    pub lateness: Latencies,
    /// What became of mails since the start.
    pub mails: Counted,
    /// Checks that wait for a thread.
    pub checks_waiting: usize,
    /// How long ago the one of them was due that has waited longest.
    pub longest_wait: Duration,
    /// Checks that came late for want of threads since the start.
    pub checks_late: u64,
    /// Mails that wait to be accepted.
    pub mails_waiting: usize,
    /// How long the oldest of them has, but for those held back by the limit of an hour.
    pub oldest_mail: Duration,
    /// Addresses to which a mail was refused for good, which nobody has seen.
    pub refused_addresses: usize,
    /// Our own network is down.
    pub network_is_down: bool,
    /// The router is away, and hides somebody.
    pub router_is_away: bool,
    /// The internet is.
    pub internet_is_away: bool,
    /// Apps that have their time to come back.
    pub apps_settling: usize,
}

/// Numbers of one app.
#[derive(Clone, Debug, PartialEq)]
pub struct AppNumbers {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: State,
    /// Whether it is left alone for now.
    pub paused: bool,
    /// Whether nobody is told of it for now.
    pub quiet: bool,
    /// How many people were told of trouble of it, and hear no more for now.
    pub muted: usize,
    /// Checks since the registration: passed, warned, failed.
    pub checks: [u64; 3],
    /// How long answers took since the daemon started.
    pub latencies: Latencies,
    /// The share of checks of the last 24 hours that did not fail.
    pub uptime_24h: Option<f64>,
    /// When the certificate ends that it showed last.
    pub certificate_ends: Option<Wall>,
    /// How long ago the last check was, if one was since the start.
    pub last_check: Option<Duration>,
}

impl View<'_> {
    /// Numbers of the engine.
    pub fn numbers(&self, now: Now) -> EngineNumbers {
        let load = self.scheduler.load();
        let network = self.surroundings.network();
        EngineNumbers {
            apps: self.counts(),
            lateness: self.scheduler.lateness().clone(),
            mails: self.outbox.counted(),
            checks_waiting: load.waiting,
            longest_wait: load.longest.map(|due| now.at.since(due)).unwrap_or_default(),
            checks_late: load.late,
            mails_waiting: self.outbox.waiting(),
            oldest_mail: self.outbox.oldest(now.at),
            refused_addresses: self.outbox.refusals().count(),
            network_is_down: network.is_down(),
            router_is_away: network.is_away(Part::Router),
            internet_is_away: network.is_away(Part::Internet),
            apps_settling: self.surroundings.settling().map_or(0, |it| it.awaited().count()),
        }
    }

    /// Numbers of one app.
    pub fn app_numbers(&self, id: AppId, app: &App, now: Now) -> AppNumbers {
        let passed = app.checks.saturating_sub(app.warnings).saturating_sub(app.failures);
        AppNumbers {
            name: app.registration.name.clone(),
            state: self.state(id, app),
            paused: app.paused,
            quiet: app.is_quiet(),
            muted: self.incidents.alert(id).map_or(0, |alert| alert.muted()),
            checks: [passed, app.warnings, app.failures],
            latencies: app.history.latencies.clone(),
            uptime_24h: app.history.hours.uptime(now.at),
            certificate_ends: app.certificate_ends,
            last_check: app.last.as_ref().map(|last| last.time.age(now.at).span),
        }
    }
}
