//! The health check log, as far as it is decided: which lines there are, and when one is due.
//!
//! A check is worth a line when it found something else than the one before; all others are
//! counted, and summed up in one line an hour. So a household that is well writes next to nothing.

mod body;
mod hour;

use serde::Serialize;

use crate::engine::state::State;
use crate::engine::time::Wall;
use crate::engine::verdict::answer::{Outcome, Verdict};

pub use body::Body;
pub use hour::HourSoFar;

/// One line of the health check log: JSON with `time`, `appname`, `event`, and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Line {
    /// When it happened.
    pub time: Wall,
    /// The app's name.
    pub appname: String,
    /// What happened.
    #[serde(flatten)]
    pub event: Event,
}

/// What happened to an app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "event", rename_all = "lowercase")]
pub enum Event {
    /// A check found something else than the one before, or was the first: of the app, since the
    /// daemon started, since the app was resumed or got another address.
    Check {
        /// How it went.
        outcome: Outcome,
        /// The final status code; `None` without an answer.
        http_status: Option<u16>,
        /// Milliseconds until the verdict.
        latency_ms: u32,
        /// A sentence for a person.
        reason: String,
        /// The health JSON that the app returned, if it did.
        body: Option<Body>,
        /// Whether it counts; a refusal just after a registration does not.
        #[serde(skip_serializing_if = "is_true")]
        counted: bool,
    },
    /// All checks that counted since the last such line, an hour or less ago.
    Hour {
        /// How many passed.
        pass: u16,
        /// How many warned.
        warn: u16,
        /// How many failed.
        fail: u16,
        /// The shortest time until a verdict, in milliseconds.
        min_ms: u32,
        /// The mean time, rounded.
        mean_ms: u32,
        /// The longest time.
        max_ms: u32,
    },
    /// The state changed.
    State {
        /// Before.
        from: State,
        /// Now.
        to: State,
        /// Why.
        reason: String,
    },
    /// The app is watched from now on.
    Registered {
        /// The address that is asked.
        url: String,
    },
    /// The app was registered again, and something differs.
    Updated {
        /// The address that is asked.
        url: String,
    },
    /// It is left alone for now.
    Paused,
    /// It is checked again.
    Resumed,
    /// It is watched no longer.
    Stopped,
}

impl Line {
    /// Whether it should reach the disk soon: a power cut may follow on what it tells. Sums can
    /// wait for the system to write them.
    pub fn is_urgent(&self) -> bool {
        !matches!(self.event, Event::Hour { .. })
    }

    /// About how many bytes it takes.
    pub fn weight(&self) -> usize {
        let texts = match &self.event {
            Event::Check { reason, body, .. } => {
                reason.len() + body.as_ref().map_or(0, |body| body.as_json().len())
            }
            Event::State { reason, .. } => reason.len(),
            Event::Registered { url } | Event::Updated { url } => url.len(),
            Event::Hour { .. } | Event::Paused | Event::Resumed | Event::Stopped => 0,
        };
        size_of::<Line>() + self.appname.len() + texts
    }
}

impl Event {
    /// A check that ended so, after `latency_ms`.
    pub(in crate::engine) fn of_check(verdict: &Verdict, latency_ms: u32, counted: bool) -> Event {
        Event::Check {
            outcome: verdict.outcome,
            http_status: verdict.http_status,
            latency_ms,
            reason: verdict.reason.clone(),
            body: verdict.body.as_deref().map(Body::new),
            counted,
        }
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_true(flag: &bool) -> bool {
    *flag
}

/// Whether a verdict tells something else than the one before.
///
/// With an answer its status code says so: the words of an app (`disk 98 % full`, `disk 99 % full`)
/// may change with every check. Without one the reason says whether the host or the app is gone.
pub(in crate::engine) fn is_news(before: Option<&Verdict>, now: &Verdict) -> bool {
    before.is_none_or(|before| {
        let answers = (before.outcome, before.http_status) != (now.outcome, now.http_status);
        answers || (now.http_status.is_none() && before.reason != now.reason)
    })
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;
    use crate::engine::verdict::answer::Life;

    fn line(event: Event) -> String {
        let time = Wall::from_unix_millis(1_795_474_540_250);
        serde_json::to_string(&Line { time, appname: "Kodi".to_owned(), event }).unwrap()
    }

    #[test]
    fn a_check_is_told_in_the_words_of_the_api_with_the_json_of_the_app() {
        let check = Event::Check {
            outcome: Outcome::Fail,
            http_status: Some(503),
            latency_ms: 12,
            reason: "the app says fail: disk full".to_owned(),
            body: Some(Body::new("{\n  \"status\": \"fail\",\n  \"a\": [1.50, \"x \\\" y\"]\n}")),
            counted: true,
        };
        assert_eq!(
            line(check),
            r#"{"time":"2026-11-23T22:55:40.25Z","appname":"Kodi","event":"check","outcome":"fail","#
                .to_owned()
                + r#""http_status":503,"latency_ms":12,"reason":"the app says fail: disk full","#
                + r#""body":{"status":"fail","a":[1.50,"x \" y"]}}"#
        );
    }

    #[test]
    fn a_line_weighs_what_its_texts_do() {
        let weight = |reason: usize, body: Option<usize>| {
            let event = Event::Check {
                outcome: Outcome::Fail,
                http_status: None,
                latency_ms: 1,
                reason: "x".repeat(reason),
                body: body.map(|digits| Body::new(&"1".repeat(digits))),
                counted: true,
            };
            Line { time: Wall::default(), appname: "Kodi".to_owned(), event }.weight()
                - size_of::<Line>()
        };
        assert_eq!([weight(0, None), weight(7, None), weight(7, Some(9))], [4, 11, 20]);
    }

    #[test]
    fn without_an_answer_there_is_null_and_what_does_not_count_says_so() {
        let check = Event::Check {
            outcome: Outcome::Fail,
            http_status: None,
            latency_ms: 1,
            reason: "connection refused".to_owned(),
            body: None,
            counted: false,
        };
        let value: Value = serde_json::from_str(&line(check)).unwrap();
        assert_eq!((&value["http_status"], &value["body"]), (&Value::Null, &Value::Null));
        assert_eq!(value["counted"], json!(false));
    }

    #[test]
    fn every_other_event_has_a_word() {
        let state = Event::State {
            from: State::Healthy,
            to: State::Unhealthy,
            reason: "connection refused".to_owned(),
        };
        assert!(line(state).ends_with(
            r#""event":"state","from":"HEALTHY","to":"UNHEALTHY","reason":"connection refused"}"#
        ));
        let registered = Event::Registered { url: "http://nas/health".to_owned() };
        assert!(line(registered).ends_with(r#""event":"registered","url":"http://nas/health"}"#));
        assert!(line(Event::Stopped).ends_with(r#""event":"stopped"}"#));
    }

    #[test]
    fn news_is_another_outcome_status_or_silence() {
        let verdict = |outcome, http_status, reason: &str| Verdict {
            outcome,
            http_status,
            reason: reason.to_owned(),
            refused: false,
            life: Life::Answer,
            whereabouts: None,
            certificate: None,
            body: None,
        };
        let warn = verdict(Outcome::Warn, Some(200), "the app says warn: 98 %");
        assert!(is_news(None, &warn));
        assert!(!is_news(Some(&warn), &verdict(Outcome::Warn, Some(200), "… 99 %")));
        assert!(is_news(
            Some(&warn),
            &verdict(Outcome::Warn, Some(201), "the app says warn: 98 %")
        ));
        let refused = verdict(Outcome::Fail, None, "connection refused");
        assert!(!is_news(Some(&refused), &refused));
        assert!(is_news(Some(&refused), &verdict(Outcome::Fail, None, "no route to host")));
    }
}
