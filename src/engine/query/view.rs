//! What the daemon shows of itself: plain data, serialised elsewhere.

use serde::ser::{SerializeMap, Serializer};
use serde::{Deserialize, Serialize};

use crate::engine::outbox::refusals::Refusal;
use crate::engine::recipients::Recipient;
use crate::engine::registration::values::Values;
use crate::engine::registry::history::RecentCheck;
use crate::engine::state::State;
use crate::engine::time::{Wall, Zone};
use crate::engine::verdict::answer::Outcome;

/// One app, as in `info` and in `status`.
#[derive(Clone, Debug, PartialEq)]
pub struct AppView {
    /// What it registered, as it is in force.
    pub registered: Values,
    /// The state now.
    pub state: State,
    /// When it became so.
    pub since: Wall,
    /// Since when it has its time to come back after an interruption; its failures do not count then.
    pub settling_since: Option<Wall>,
    /// Since when something between us is away, so that it cannot be seen.
    pub not_visible_since: Option<Wall>,
    /// Whether it is left alone for now.
    pub paused: bool,
    /// Until when nobody is told of it, in a quiet time.
    pub quiet_until: Option<Wall>,
    /// Failed checks in a row, up to the last.
    pub failed_in_a_row: u32,
    /// Passed checks in a row, up to the last.
    pub passed_in_a_row: u32,
    /// All checks since the registration.
    pub checks: u64,
    /// Those of them that failed.
    pub failures: u64,
    /// 0 to 1; `None` before the first check.
    pub uptime_24h: Option<f64>,
    /// When it was last HEALTHY, if ever.
    pub last_healthy: Option<Wall>,
    /// When the certificate ends that it showed last; `None`: it showed none in this run.
    pub certificate_ends: Option<Wall>,
    /// The last check; `None` before the first.
    pub last_check: Option<CheckView>,
}

/// One check in full.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckView {
    /// When the verdict fell.
    pub time: Wall,
    /// How it went.
    pub outcome: Outcome,
    /// The final status code; `None` without an answer.
    pub http_status: Option<u16>,
    /// Milliseconds until the verdict.
    pub latency_ms: u32,
    /// A sentence for a person.
    pub reason: String,
    /// The health JSON that the app returned, if it did.
    pub body: Option<String>,
}

/// One app with its recent checks: the answer to `info`.
#[derive(Clone, Debug, PartialEq)]
pub struct InfoView {
    /// The app.
    pub app: AppView,
    /// The recent checks, newest last.
    pub recent: Vec<RecentCheck>,
}

impl AppView {
    fn write<M: SerializeMap>(&self, object: &mut M) -> Result<(), M::Error> {
        self.registered.write(object)?;
        object.serialize_entry("state", &self.state)?;
        object.serialize_entry("since", &self.since)?;
        object.serialize_entry("settling_since", &self.settling_since)?;
        object.serialize_entry("not_visible_since", &self.not_visible_since)?;
        object.serialize_entry("paused", &self.paused)?;
        object.serialize_entry("quiet_until", &self.quiet_until)?;
        object.serialize_entry("failed_in_a_row", &self.failed_in_a_row)?;
        object.serialize_entry("passed_in_a_row", &self.passed_in_a_row)?;
        object.serialize_entry("checks", &self.checks)?;
        object.serialize_entry("failures", &self.failures)?;
        object.serialize_entry("uptime_24h", &self.uptime_24h)?;
        object.serialize_entry("last_healthy", &self.last_healthy)?;
        object.serialize_entry("certificate_ends", &self.certificate_ends)?;
        object.serialize_entry("last_check", &self.last_check)
    }
}

impl Serialize for AppView {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut object = to.serialize_map(None)?;
        self.write(&mut object)?;
        object.end()
    }
}

impl Serialize for InfoView {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut object = to.serialize_map(None)?;
        self.app.write(&mut object)?;
        object.serialize_entry("recent", &self.recent)?;
        object.end()
    }
}

/// Everything at a glance: the answer to `status`, which goes on with `apps`, an [`AppView`] of each.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct StatusView {
    /// The daemon.
    pub server: ServerView,
}

/// The daemon in `status`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ServerView {
    /// The daemon's version.
    pub version: &'static str,
    /// Now.
    pub time: Wall,
    /// Seconds since the start.
    pub uptime: u64,
    /// How many apps are in which state.
    pub apps: StateCounts,
}

/// How many apps are in which state.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StateCounts {
    /// UNKNOWN.
    pub unknown: usize,
    /// HEALTHY.
    pub healthy: usize,
    /// DEGRADED.
    pub degraded: usize,
    /// UNHEALTHY.
    pub unhealthy: usize,
}

impl StateCounts {
    /// Counts one more app.
    pub fn add(&mut self, state: State) {
        let count = match state {
            State::Unknown => &mut self.unknown,
            State::Healthy => &mut self.healthy,
            State::Degraded => &mut self.degraded,
            State::Unhealthy => &mut self.unhealthy,
        };
        *count = count.saturating_add(1);
    }
}

/// The daemon's own health. A monitored app's state never counts.
///
/// Serialised as `application/health+json` (draft-inadarei-api-health-check-06, section 3).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HealthView {
    /// The daemon's version.
    pub version: &'static str,
    /// Seconds since the start.
    pub uptime: u64,
    /// How many apps are in which state.
    pub apps: StateCounts,
    /// The mails that wait.
    pub outbox: OutboxView,
    /// The checks that wait.
    pub checks: ChecksView,
    /// Whether mail is sent at all; for people, who may have forgotten to set it up.
    pub mailing: bool,
    /// Disk trouble, and what was lost to damage, in sentences; empty when all is well.
    pub disk: Vec<String>,
    /// What is wrong with the name service, in sentences.
    pub names: Vec<String>,
    /// That apps cannot be pinged, in a sentence.
    pub ping: Vec<String>,
}

/// The outbox in `/health`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxView {
    /// How many mails wait to be accepted.
    pub waiting: usize,
    /// Why the owner should look (a mail that failed once, or was found waiting at the start;
    /// settings that do not work), in sentences; empty when all is well.
    pub trouble: Vec<String>,
    /// Mails that were refused for good, which nobody has seen.
    pub refused: Vec<RefusedView>,
}

/// Mails to one person that were refused for good.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefusedView {
    /// The recipient.
    pub to: Recipient,
    /// The whole of it, for people.
    pub sentence: String,
}

impl RefusedView {
    /// As it is told in the local time of `zone`.
    pub fn of(refusal: &Refusal, zone: &Zone) -> RefusedView {
        RefusedView { to: refusal.to.clone(), sentence: refusal.sentence(zone) }
    }
}

/// The checks in `/health`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ChecksView {
    /// How many wait for a thread.
    pub waiting: usize,
    /// Whether checks come late for want of threads, in a sentence; empty when they do not.
    pub trouble: Vec<String>,
}

impl HealthView {
    /// `pass`, or `warn` when the owner should look.
    pub fn status(&self) -> Outcome {
        let OutboxView { trouble, refused, .. } = &self.outbox;
        let parts = [trouble, &self.checks.trouble, &self.disk, &self.names, &self.ping];
        let all_well = parts.iter().all(|part| part.is_empty()) && refused.is_empty();
        if all_well { Outcome::Pass } else { Outcome::Warn }
    }
}

fn status_of(trouble: &[String]) -> Outcome {
    if trouble.is_empty() { Outcome::Pass } else { Outcome::Warn }
}

impl Serialize for HealthView {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("status", &self.status())?;
        map.serialize_entry("version", self.version)?;
        map.serialize_entry("description", "health check micro-service")?;
        map.serialize_entry("checks", &Checks(self))?;
        map.end()
    }
}

struct Checks<'a>(&'a HealthView);

impl Serialize for Checks<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let HealthView { uptime, apps, outbox, checks, disk, names, ping, .. } = self.0;
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("uptime", &[Observed::pass(*uptime, "s")])?;
        map.serialize_entry("apps:unknown", &[Observed::pass(apps.unknown as u64, "apps")])?;
        map.serialize_entry("apps:healthy", &[Observed::pass(apps.healthy as u64, "apps")])?;
        map.serialize_entry("apps:degraded", &[Observed::pass(apps.degraded as u64, "apps")])?;
        map.serialize_entry("apps:unhealthy", &[Observed::pass(apps.unhealthy as u64, "apps")])?;
        let late = Observed::new(checks.waiting, "checks", &checks.trouble);
        map.serialize_entry("checks:waiting", &[late])?;
        let waiting = Observed::new(outbox.waiting, "mails", &outbox.trouble);
        map.serialize_entry("outbox:waiting", &[waiting])?;
        let refused = outbox.refused.iter().map(|refused| refused.sentence.clone());
        let refused: Vec<String> = refused.collect();
        let refused = Observed::new(refused.len(), "addresses", &refused);
        map.serialize_entry("outbox:refused", &[refused])?;
        let troubles = Observed::new(disk.len(), "troubles", disk);
        map.serialize_entry("disk:troubles", &[troubles])?;
        let troubles = Observed::new(names.len(), "troubles", names);
        map.serialize_entry("names:troubles", &[troubles])?;
        let troubles = Observed::new(ping.len(), "troubles", ping);
        map.serialize_entry("ping:troubles", &[troubles])?;
        map.end()
    }
}

/// One entry of `checks` (section 4 of the draft).
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Observed {
    component_type: &'static str,
    observed_value: u64,
    observed_unit: &'static str,
    status: Outcome,
    #[serde(skip_serializing_if = "String::is_empty")]
    output: String,
}

impl Observed {
    /// A count, and what is wrong with it.
    fn new(value: usize, unit: &'static str, trouble: &[String]) -> Observed {
        Observed {
            status: status_of(trouble),
            output: trouble.join("; "),
            ..Observed::pass(value as u64, unit)
        }
    }

    fn pass(value: u64, unit: &'static str) -> Observed {
        Observed {
            component_type: "component",
            observed_value: value,
            observed_unit: unit,
            status: Outcome::Pass,
            output: String::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::registration::{Origin, Registration};
    use crate::engine::time::Stamp;

    fn app() -> AppView {
        let kodi = Registration::plain("Kodi".into(), "http://kodi", "/health", Origin::Network);
        let told = vec!["a@example.org".into()];
        AppView {
            registered: Values::in_force(&kodi.unwrap(), told).in_info(),
            state: State::Healthy,
            since: Wall::from_unix_millis(0),
            settling_since: None,
            not_visible_since: None,
            paused: false,
            quiet_until: None,
            failed_in_a_row: 0,
            passed_in_a_row: 12,
            checks: 12,
            failures: 0,
            uptime_24h: None,
            last_healthy: None,
            certificate_ends: None,
            last_check: None,
        }
    }

    #[test]
    fn an_app_has_what_it_registered_and_exactly_the_other_fields_of_the_contract() {
        let info = InfoView {
            app: app(),
            recent: vec![RecentCheck {
                time: Stamp::on_record(Wall::from_unix_millis(0)),
                outcome: Outcome::Pass,
                latency_ms: 7,
            }],
        };
        let mut expected = serde_json::to_value(&info.app.registered).unwrap();
        assert_eq!(expected["email"], json!(["a@example.org"]));
        let others = json!({
            "state": "HEALTHY", "since": "1970-01-01T00:00:00Z", "settling_since": null, "not_visible_since": null,
            "paused": false, "quiet_until": null,
            "failed_in_a_row": 0, "passed_in_a_row": 12, "checks": 12, "failures": 0,
            "uptime_24h": null, "last_healthy": null,
            "certificate_ends": null, "last_check": null,
            "recent": [{"time": "1970-01-01T00:00:00Z", "outcome": "pass", "latency_ms": 7}],
        });
        expected.as_object_mut().unwrap().extend(others.as_object().unwrap().clone());
        assert_eq!(serde_json::to_value(info).unwrap(), expected);
    }

    #[test]
    fn trouble_with_mail_is_a_warning_and_an_unhealthy_app_is_none() {
        let mut health = HealthView {
            version: "1",
            uptime: 61,
            apps: StateCounts::default(),
            outbox: OutboxView::default(),
            checks: ChecksView::default(),
            mailing: true,
            disk: Vec::new(),
            names: Vec::new(),
            ping: Vec::new(),
        };
        health.apps.add(State::Unhealthy);
        let shown = serde_json::to_value(&health).unwrap();
        assert_eq!(shown["status"], "pass");
        assert_eq!(shown["checks"]["uptime"][0]["observedValue"], 61);
        assert_eq!(shown["checks"]["apps:unhealthy"][0]["observedValue"], 1);
        assert!(shown["checks"]["outbox:waiting"][0].get("output").is_none());

        health.outbox.waiting = 2;
        health.outbox.trouble.push("credentials refused".into());
        let shown = serde_json::to_value(&health).unwrap();
        assert_eq!(shown["status"], "warn");
        assert_eq!(shown["checks"]["outbox:waiting"][0]["status"], "warn");
        assert_eq!(shown["checks"]["outbox:waiting"][0]["output"], "credentials refused");

        health.outbox = OutboxView::default();
        let (to, text) = (Recipient::mail("a@b.example"), "550 5.1.1".to_owned());
        let refusal = Refusal { to, mails: 2, at: Stamp::on_record(Wall::default()), text };
        health.outbox.refused.push(RefusedView::of(&refusal, &Zone::UTC));
        let shown = serde_json::to_value(&health).unwrap();
        assert_eq!(shown["status"], "warn");
        let refused = &shown["checks"]["outbox:refused"][0];
        assert_eq!(refused["observedValue"], 1);
        let output = refused["output"].as_str().unwrap();
        assert!(output.starts_with("2 mails to a@b.example were refused for good"), "{output}");

        health.outbox = OutboxView::default();
        health.checks.trouble.push("too few threads".into());
        let shown = serde_json::to_value(&health).unwrap();
        assert_eq!(shown["status"], "warn");
        assert_eq!(shown["checks"]["checks:waiting"][0]["output"], "too few threads");

        health.checks = ChecksView::default();
        health.disk.push("the disk is full".into());
        let shown = serde_json::to_value(&health).unwrap();
        assert_eq!(shown["status"], "warn");
        assert_eq!(shown["checks"]["disk:troubles"][0]["output"], "the disk is full");
    }
}
