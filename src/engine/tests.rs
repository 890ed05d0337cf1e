//! What the tests of the machines share: times, apps and verdicts. None of them needs the engine.

use std::time::Duration;

use super::recipients::Recipients;
use super::registration::{Origin, Registration};
use super::time::{Moment, Now, Wall};
use super::verdict::answer::{Life, Outcome, Verdict};

/// So long after the start, of a day in 2026.
pub(in crate::engine) fn after_ms(ms: u64) -> Now {
    let wall = Wall::from_unix_millis(1_795_474_540_000 + i64::try_from(ms).unwrap());
    Now { at: Moment::START + Duration::from_millis(ms), wall }
}

pub(in crate::engine) fn after(seconds: u64) -> Now {
    after_ms(seconds * 1000)
}

/// An app at `http://NAME/` which tells the owner, with further parameters.
pub(in crate::engine) fn app(name: &str, more: &[(&str, &str)]) -> Registration {
    let url = format!("http://{}/", name.to_lowercase().replace(' ', "-"));
    let mut fields = vec![("appname", name), ("url", &url), ("email", "owner@example.org")];
    fields.retain(|(known, _)| !more.iter().any(|(field, _)| field == known));
    let fields: Vec<(String, String)> = fields
        .iter()
        .chain(more)
        .map(|(field, value)| ((*field).to_owned(), (*value).to_owned()))
        .collect();
    Registration::from_fields(&fields, Origin::Network, &Recipients::default()).unwrap()
}

pub(in crate::engine) fn verdict(outcome: Outcome) -> Verdict {
    let (http_status, reason) = match outcome {
        Outcome::Pass => (200, "HTTP 200 OK"),
        Outcome::Warn => (200, "the app says warn"),
        Outcome::Fail => (503, "HTTP 503 Service Unavailable"),
    };
    let (http_status, reason) = (Some(http_status), reason.to_owned());
    Verdict {
        outcome,
        http_status,
        reason,
        refused: false,
        life: Life::Answer,
        whereabouts: None,
        certificate: None,
        body: None,
    }
}

pub(in crate::engine) fn refusal() -> Verdict {
    let reason = "connection refused".to_owned();
    Verdict {
        http_status: None,
        reason,
        refused: true,
        life: Life::HostOnly,
        whereabouts: None,
        certificate: None,
        ..verdict(Outcome::Fail)
    }
}
