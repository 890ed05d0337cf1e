//! What there is of each app: families with samples of every one.

use std::fmt::Display;

use serde_json::Number;

use super::histogram;
use super::text::{Family, Kind, Page};
use crate::engine::query::metrics::AppNumbers;
use crate::engine::state::State;
use crate::engine::text::span::Seconds;

/// The steps of an app's latency that are shown: half of those that are counted are enough to see
/// a change, and every one is a line for every app. In ms.
const APP_STEPS: [u32; 7] = [5, 20, 50, 200, 1000, 5000, 60_000];

/// A family, and what it says of one app.
pub(super) struct OfApps {
    name: &'static str,
    kind: Kind,
    help: &'static str,
    samples: fn(&AppNumbers, &mut Family<'_>),
}

impl OfApps {
    /// What it is, before its samples.
    pub(super) fn head(&self) -> String {
        let mut page = Page::default();
        page.family(self.name, self.kind, self.help);
        page.into_string()
    }

    /// The samples of these.
    pub(super) fn samples(&self, apps: &[AppNumbers]) -> String {
        let mut page = Page::default();
        let mut family = page.family_that_goes_on(self.name);
        apps.iter().for_each(|app| (self.samples)(app, &mut family));
        page.into_string()
    }
}

/// All of them, in the order in which they are shown.
pub(super) const OF_APPS: [OfApps; 9] = [
    OfApps {
        name: "healthchecker_app_state",
        kind: Kind::Gauge,
        help: "1 for the state that the app is in, 0 for the others.",
        samples: |app, family| {
            for state in [State::Unknown, State::Healthy, State::Degraded, State::Unhealthy] {
                let labels: [(&str, &dyn Display); 2] =
                    [("app", &app.name), ("state", &state.word())];
                family.sample("", &labels, u8::from(app.state == state));
            }
        },
    },
    OfApps {
        name: "healthchecker_app_paused",
        kind: Kind::Gauge,
        help: "1 while the app is paused.",
        samples: |app, family| family.sample("", &[("app", &app.name)], u8::from(app.paused)),
    },
    OfApps {
        name: "healthchecker_app_quiet",
        kind: Kind::Gauge,
        help: "1 while nobody is told of the app.",
        samples: |app, family| family.sample("", &[("app", &app.name)], u8::from(app.quiet)),
    },
    OfApps {
        name: "healthchecker_app_muted",
        kind: Kind::Gauge,
        help: "People who were told of trouble of the app, and have muted it.",
        samples: |app, family| {
            if app.muted > 0 {
                family.sample("", &[("app", &app.name)], app.muted);
            }
        },
    },
    OfApps {
        name: "healthchecker_checks_total",
        kind: Kind::Counter,
        help: "Checks that counted, by outcome; kept over restarts.",
        samples: |app, family| {
            for (outcome, count) in ["pass", "warn", "fail"].iter().zip(app.checks) {
                family.sample("", &[("app", &app.name), ("outcome", outcome)], count);
            }
        },
    },
    OfApps {
        name: "healthchecker_check_duration_seconds",
        kind: Kind::Histogram,
        help: "Time until the verdict of checks that did not fail, since the daemon started.",
        samples: |app, family| {
            let shown = |bound| APP_STEPS.contains(&bound);
            histogram(family, Some(&app.name), &app.latencies, shown);
        },
    },
    OfApps {
        name: "healthchecker_app_uptime_ratio",
        kind: Kind::Gauge,
        help: "Share of the checks of the last 24 hours that did not fail.",
        samples: |app, family| {
            // As JSON writes it: std's way to write an `f64` would be there for this alone.
            if let Some(share) = app.uptime_24h.and_then(Number::from_f64) {
                family.sample("", &[("app", &app.name)], share);
            }
        },
    },
    OfApps {
        name: "healthchecker_app_certificate_end_timestamp_seconds",
        kind: Kind::Gauge,
        help: "When the certificate ends that the app showed last, in seconds since 1970.",
        samples: |app, family| {
            if let Some(ends) = app.certificate_ends {
                family.sample("", &[("app", &app.name)], ends.as_unix_seconds());
            }
        },
    },
    OfApps {
        name: "healthchecker_app_last_check_age_seconds",
        kind: Kind::Gauge,
        help: "How long ago the last check of the app ended.",
        samples: |app, family| {
            if let Some(age) = app.last_check {
                family.sample("", &[("app", &app.name)], Seconds(age));
            }
        },
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::registry::history::BOUNDS_MS;

    #[test]
    fn the_steps_that_are_shown_are_counted() {
        assert!(APP_STEPS.iter().all(|step| BOUNDS_MS.contains(step)));
    }
}
