//! `/metrics`: numbers for Prometheus and those who read what it reads. Data in, text out.
//!
//! Names and units as its users expect them: seconds, bytes, ratios; `_total` for what only grows;
//! the app's name as the label `app`. What a daemon counts begins anew when it starts, but for
//! the checks of an app.

mod apps;
mod body;
mod text;

use std::time::Duration;

use crate::daemon::journal::Stats;
use crate::engine::query::metrics::{AppNumbers, EngineNumbers};
use crate::engine::registry::history::Latencies;
use crate::engine::text::span::Seconds;

pub(super) use body::Body;
use text::{Family, Kind, Page};

/// The media type of the format.
pub(super) const MEDIA_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The threads that ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct PoolUse {
    /// Threads with a check.
    pub busy: usize,
    /// Threads there are.
    pub threads: usize,
    /// The most there may be.
    pub most: usize,
}

/// Everything that is shown.
#[derive(Clone, Debug)]
pub(super) struct Metrics {
    pub version: &'static str,
    /// How long the daemon has been running.
    pub uptime: Duration,
    /// Its memory in bytes, if the system says.
    pub resident: Option<u64>,
    pub engine: EngineNumbers,
    pub pool: PoolUse,
    pub journal: Stats,
    /// Things that are wrong with the disk.
    pub disk_troubles: usize,
    /// Whether the name service is.
    pub name_troubles: usize,
    pub apps: Vec<AppNumbers>,
}

impl Metrics {
    /// All but what there is of each app.
    fn of_daemon(&self) -> String {
        let mut page = Page::default();
        self.daemon(&mut page);
        self.checks(&mut page);
        self.mail(&mut page);
        self.surroundings(&mut page);
        self.disk(&mut page);
        page.into_string()
    }

    fn daemon(&self, page: &mut Page) {
        page.family("healthchecker_build_info", Kind::Gauge, "The version, as a label; always 1.")
            .sample("", &[("version", &self.version)], 1);
        page.family(
            "healthchecker_uptime_seconds",
            Kind::Gauge,
            "How long the daemon has been running.",
        )
        .is(self.uptime.as_secs());
        if let Some(resident) = self.resident {
            page.family(
                "process_resident_memory_bytes",
                Kind::Gauge,
                "Resident memory size in bytes.",
            )
            .is(resident);
        }
        let apps = &self.engine.apps;
        let mut family =
            page.family("healthchecker_apps", Kind::Gauge, "How many apps are in which state.");
        for (state, count) in [
            ("UNKNOWN", apps.unknown),
            ("HEALTHY", apps.healthy),
            ("DEGRADED", apps.degraded),
            ("UNHEALTHY", apps.unhealthy),
        ] {
            family.sample("", &[("state", &state)], count);
        }
    }

    fn checks(&self, page: &mut Page) {
        let mut family = page.family(
            "healthchecker_check_lateness_seconds",
            Kind::Histogram,
            "How long after they were due checks began.",
        );
        histogram(&mut family, None, &self.engine.lateness, |_| true);
        page.family("healthchecker_checks_waiting", Kind::Gauge, "Checks that wait for a thread.")
            .is(self.engine.checks_waiting);
        page.family(
            "healthchecker_checks_longest_wait_seconds",
            Kind::Gauge,
            "How long the check that waits longest for a thread has been due; 0 when none waits.",
        )
        .is(Seconds(self.engine.longest_wait));
        page.family(
            "healthchecker_checks_late_total",
            Kind::Counter,
            "Checks that came late for want of threads: by a twentieth of their interval and over 1 s.",
        )
        .is(self.engine.checks_late);
        for (name, help, value) in [
            (
                "healthchecker_pool_threads",
                "Threads that make checks, busy or not.",
                self.pool.threads,
            ),
            ("healthchecker_pool_threads_busy", "Threads that are making a check.", self.pool.busy),
            (
                "healthchecker_pool_threads_limit",
                "The most threads that may make checks.",
                self.pool.most,
            ),
        ] {
            page.family(name, Kind::Gauge, help).is(value);
        }
    }

    fn mail(&self, page: &mut Page) {
        page.family("healthchecker_outbox_mails", Kind::Gauge, "Mails that wait to be accepted.")
            .is(self.engine.mails_waiting);
        page.family(
            "healthchecker_outbox_oldest_seconds",
            Kind::Gauge,
            "How long the oldest mail has been waiting for the mail server, since the start at most; \
             what the limit of an hour holds back does not count.",
        )
        .is(Seconds(self.engine.oldest_mail));
        page.family(
            "healthchecker_mails_refused_addresses",
            Kind::Gauge,
            "Addresses that a mail was refused for, for good, and nobody has seen it.",
        )
        .is(self.engine.refused_addresses);
        let mails = &self.engine.mails;
        let mut family = page.family(
            "healthchecker_mails_total",
            Kind::Counter,
            "Attempts to send a mail: accepted, refused for good, or put off and tried again.",
        );
        for (result, count) in
            [("accepted", mails.accepted), ("refused", mails.refused), ("put_off", mails.put_off)]
        {
            family.sample("", &[("result", &result)], count);
        }
    }

    fn surroundings(&self, page: &mut Page) {
        let EngineNumbers { network_is_down, router_is_away, internet_is_away, .. } = self.engine;
        for (name, help, value) in [
            (
                "healthchecker_network_down",
                "Whether our own network is down, so that no app on another machine can be seen.",
                usize::from(network_is_down),
            ),
            (
                "healthchecker_router_away",
                "Whether the router is away, and an app cannot be seen for want of it.",
                usize::from(router_is_away),
            ),
            (
                "healthchecker_internet_away",
                "Whether the internet is away, and an app cannot be seen for want of it.",
                usize::from(internet_is_away),
            ),
            (
                "healthchecker_name_service_troubles",
                "Whether no name server has answered for 2 minutes, as in /health.",
                self.name_troubles,
            ),
            (
                "healthchecker_apps_settling",
                "Apps that have their time to come back, after a boot, a sleep or an outage of our network.",
                self.engine.apps_settling,
            ),
        ] {
            page.family(name, Kind::Gauge, help).is(value);
        }
    }

    fn disk(&self, page: &mut Page) {
        let Stats { written, syncs, sync_time, last_sync, size, .. } = self.journal;
        page.family(
            "healthchecker_journal_written_bytes_total",
            Kind::Counter,
            "Bytes written to the journal's files.",
        )
        .is(written);
        page.family(
            "healthchecker_journal_syncs_total",
            Kind::Counter,
            "Files and folders of the journal that were synced.",
        )
        .is(syncs);
        page.family(
            "healthchecker_journal_sync_seconds_total",
            Kind::Counter,
            "Time spent waiting for the journal to be on the disk.",
        )
        .is(Seconds(sync_time));
        page.family(
            "healthchecker_journal_last_sync_seconds",
            Kind::Gauge,
            "How long the last sync of the journal took.",
        )
        .is(Seconds(last_sync));
        page.family("healthchecker_journal_size_bytes", Kind::Gauge, "The size of the journal.")
            .is(size);
        page.family(
            "healthchecker_disk_troubles",
            Kind::Gauge,
            "Things wrong with the disk, as in /health.",
        )
        .is(self.disk_troubles);
    }
}

fn histogram(
    family: &mut Family<'_>,
    app: Option<&String>,
    latencies: &Latencies,
    shown: impl Fn(u32) -> bool,
) {
    let mut sample = |suffix, le: Option<&dyn std::fmt::Display>, value: &dyn std::fmt::Display| {
        let mut labels: Vec<(&'static str, &dyn std::fmt::Display)> = Vec::new();
        labels.extend(app.map(|name| ("app", name as &dyn std::fmt::Display)));
        labels.extend(le.map(|le| ("le", le)));
        family.sample(suffix, &labels, value);
    };
    for (bound, count) in latencies.up_to().filter(|(bound, _)| shown(*bound)) {
        let bound = Seconds(Duration::from_millis(bound.into()));
        sample("_bucket", Some(&bound), &count);
    }
    sample("_bucket", Some(&"+Inf"), &latencies.total());
    sample("_sum", None, &Seconds(Duration::from_millis(latencies.sum_ms())));
    sample("_count", None, &latencies.total());
}

/// This process's memory in bytes, from the system.
pub(super) fn resident_memory() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.split_whitespace().next()?.parse().ok()?;
    Some(kib * 1024)
}

#[cfg(test)]
mod tests {
    use crate::engine::outbox::Counted;
    use crate::engine::query::view::StateCounts;
    use crate::engine::state::State;

    use super::*;

    /// Those of a daemon, with one app of each name.
    fn metrics(names: impl Iterator<Item = String>) -> Metrics {
        let mut latencies = Latencies::default();
        latencies.count(7);
        latencies.count(70_000);
        let app = |name| AppNumbers {
            name,
            state: State::Degraded,
            paused: false,
            quiet: false,
            muted: 0,
            checks: [1, 2, 3],
            latencies: latencies.clone(),
            uptime_24h: Some(0.5),
            certificate_ends: Some(crate::engine::time::Wall::from_unix_millis(5_000)),
            last_check: None,
        };
        Metrics {
            version: "1",
            uptime: Duration::from_secs(5),
            resident: Some(4096),
            engine: EngineNumbers {
                apps: StateCounts::default(),
                lateness: Latencies::default(),
                mails: Counted::default(),
                checks_waiting: 0,
                checks_late: 0,
                longest_wait: Duration::ZERO,
                mails_waiting: 2,
                oldest_mail: Duration::from_millis(1500),
                refused_addresses: 1,
                network_is_down: true,
                router_is_away: false,
                internet_is_away: true,
                apps_settling: 3,
            },
            pool: PoolUse { busy: 1, threads: 2, most: 32 },
            journal: Stats::default(),
            disk_troubles: 0,
            name_troubles: 1,
            apps: names.map(app).collect(),
        }
    }

    fn text_of(metrics: Metrics) -> String {
        let body = Body::new(metrics);
        let promised = body.len();
        let text = std::io::read_to_string(body).unwrap();
        assert_eq!(text.len(), promised);
        text
    }

    #[test]
    fn every_family_is_named_once_and_an_app_has_all_of_its_lines() {
        let text = text_of(metrics(std::iter::once("TV \"box\"".to_owned())));
        for line in [
            "healthchecker_outbox_oldest_seconds 1.5",
            "healthchecker_mails_refused_addresses 1",
            "healthchecker_network_down 1",
            "healthchecker_router_away 0",
            "healthchecker_internet_away 1",
            "healthchecker_name_service_troubles 1",
            "healthchecker_apps_settling 3",
            "healthchecker_app_state{app=\"TV \\\"box\\\"\",state=\"DEGRADED\"} 1",
            "healthchecker_app_state{app=\"TV \\\"box\\\"\",state=\"HEALTHY\"} 0",
            "healthchecker_checks_total{app=\"TV \\\"box\\\"\",outcome=\"fail\"} 3",
            "healthchecker_check_duration_seconds_bucket{app=\"TV \\\"box\\\"\",le=\"0.005\"} 0",
            "healthchecker_check_duration_seconds_bucket{app=\"TV \\\"box\\\"\",le=\"0.02\"} 1",
            "healthchecker_check_duration_seconds_bucket{app=\"TV \\\"box\\\"\",le=\"+Inf\"} 2",
            "healthchecker_check_duration_seconds_sum{app=\"TV \\\"box\\\"\"} 70.007",
            "healthchecker_app_uptime_ratio{app=\"TV \\\"box\\\"\"} 0.5",
            "healthchecker_app_certificate_end_timestamp_seconds{app=\"TV \\\"box\\\"\"} 5",
        ] {
            assert!(text.lines().any(|found| found == line), "{line}\n{text}");
        }
        let types: Vec<&str> = text.lines().filter(|line| line.starts_with("# TYPE")).collect();
        let unique: std::collections::BTreeSet<_> = types.iter().collect();
        assert_eq!(unique.len(), types.len());
    }

    #[test]
    fn what_is_written_in_parts_keeps_each_family_in_one_piece() {
        for count in [0, 1, 63, 64, 65, 200] {
            let text = text_of(metrics((0..count).map(|number| format!("app{number}"))));
            let family = "healthchecker_app_paused";
            let lines: Vec<&str> = text.lines().skip_while(|line| !line.contains(family)).collect();
            assert!(lines[1].starts_with("# TYPE"), "{count}: {lines:?}");
            for (number, line) in lines[2..2 + count].iter().enumerate() {
                assert_eq!(*line, format!("{family}{{app=\"app{number}\"}} 0"));
            }
            assert!(lines[2 + count].starts_with("# HELP"), "{count}");
        }
    }
}
