//! The verdict on an answer to a check, or on its absence.

pub mod answer;
pub mod health;
pub mod probe;
pub mod trouble;

use std::borrow::Cow;

use http::StatusCode;

use self::answer::{Outcome, Verdict};
use self::health::Health;
use self::trouble::Trouble;
use crate::engine::words::plain;

/// The most characters of a reason: it becomes part of a mail's subject line and of table rows.
pub const REASON_MAX: usize = 200;

/// The most bytes of health JSON kept whole: ten times what apps usually say, and still 4 MiB for a
/// thousand apps that all say as much as they can.
pub const BODY_MAX: usize = 4 * 1024;

/// The final answer to a check.
#[derive(Clone, Copy, Debug)]
pub struct Answer<'a> {
    /// Its status code.
    pub status: u16,
    /// Whether the app's `expect` names that status code.
    pub expected: bool,
    /// Its body, or the beginning of it.
    pub body: &'a [u8],
    /// The body goes on beyond `body`.
    pub cut: bool,
}

/// Judges an answer, or why there is none.
pub fn judge(ending: Result<Answer<'_>, Trouble>) -> Verdict {
    match ending {
        Ok(answer) => judge_answer(answer),
        Err(trouble) => judge_trouble(&trouble),
    }
}

fn judge_trouble(trouble: &Trouble) -> Verdict {
    Verdict {
        outcome: Outcome::Fail,
        http_status: trouble.http_status(),
        reason: plain::one_line(&trouble.to_string(), REASON_MAX),
        refused: *trouble == Trouble::Refused,
        body: None,
    }
}

fn judge_answer(answer: Answer<'_>) -> Verdict {
    let text = text(answer.body);
    let health = health::read(&text, answer.cut);
    let said = health.as_ref();
    let outcome = if answer.expected {
        said.map_or(Outcome::Pass, |health| health.outcome)
    } else {
        Outcome::Fail
    };
    let complaint = said.filter(|health| health.outcome != Outcome::Pass);
    let reason = match complaint.map(words) {
        None => status_line(answer.status),
        Some(words) if answer.expected => words,
        Some(words) => format!("{}, {words}", status_line(answer.status)),
    };
    Verdict {
        outcome,
        http_status: Some(answer.status),
        reason: plain::one_line(&reason, REASON_MAX),
        refused: false,
        body: said.map(|health| kept(&text, health, answer.cut)),
    }
}

/// The body as text. Bytes that are not UTF-8 are replaced, so that a small device that says `fail`
/// in Latin-1 is understood; a byte order mark is taken off.
fn text(body: &[u8]) -> Cow<'_, str> {
    let mark = "\u{feff}".as_bytes();
    String::from_utf8_lossy(body.strip_prefix(mark).unwrap_or(body))
}

/// `the app says fail: disk 98 % full`.
fn words(health: &Health) -> String {
    match &health.cause {
        None => format!("the app says {}", health.word),
        Some(cause) => format!("the app says {}: {cause}", health.word),
    }
}

/// `HTTP 503 Service Unavailable`.
fn status_line(status: u16) -> String {
    let name = StatusCode::from_u16(status).ok().and_then(|code| code.canonical_reason());
    match name {
        Some(name) => format!("HTTP {status} {name}"),
        None => format!("HTTP {status}"),
    }
}

/// What is kept of health JSON: all of it when it is short, else its core, so that it is always JSON.
fn kept(text: &str, health: &Health, cut: bool) -> String {
    let text = text.trim();
    if !cut && text.len() <= BODY_MAX {
        return plain::harmless(text);
    }
    let cause = health.cause.as_deref().unwrap_or_default();
    let output = plain::one_line(cause, REASON_MAX);
    serde_json::json!({ "status": health.word, "output": output }).to_string()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn answer(status: u16, body: &str) -> Verdict {
        judge(Ok(Answer { status, expected: status == 200, body: body.as_bytes(), cut: false }))
    }

    #[test]
    fn an_expected_status_without_health_json_passes() {
        for body in ["", "ok", "<html>fail</html>", "{}", "\u{1f}\u{8b}\u{8}"] {
            let verdict = answer(200, body);
            assert_eq!(verdict.outcome, Outcome::Pass);
            assert_eq!(verdict.reason, "HTTP 200 OK");
            assert_eq!(verdict.http_status, Some(200));
            assert_eq!(verdict.body, None, "only health JSON is kept");
        }
    }

    #[test]
    fn the_word_of_the_app_decides_and_is_quoted() {
        let body = r#"{"status":"fail","output":"disk 98 % full"}"#;
        let verdict = answer(200, body);
        assert_eq!(verdict.outcome, Outcome::Fail);
        assert_eq!(verdict.reason, "the app says fail: disk 98 % full");
        assert_eq!(verdict.body.as_deref(), Some(body));
        let verdict = answer(200, r#"{"status":"WARN"}"#);
        assert_eq!(verdict.outcome, Outcome::Warn);
        assert_eq!(verdict.reason, "the app says warn");
        let verdict = answer(200, r#"{"status":"Up","output":"fine"}"#);
        assert_eq!(verdict.outcome, Outcome::Pass);
        assert_eq!(verdict.reason, "HTTP 200 OK");
    }

    #[test]
    fn a_status_that_is_not_expected_fails_whatever_the_body_says() {
        let verdict = answer(503, r#"{"status":"pass"}"#);
        assert_eq!(verdict.outcome, Outcome::Fail);
        assert_eq!(verdict.reason, "HTTP 503 Service Unavailable");
        let verdict = answer(500, r#"{"status":"down","output":"no disk"}"#);
        assert_eq!(verdict.reason, "HTTP 500 Internal Server Error, the app says down: no disk");
        assert_eq!(answer(799, "").reason, "HTTP 799");
        assert_eq!(answer(42, "").reason, "HTTP 42");
    }

    #[test]
    fn a_byte_order_mark_and_latin_1_are_borne() {
        let body = b"\xef\xbb\xbf{\"status\":\"fail\",\"output\":\"Gr\xf6\xdfe\"}";
        let verdict = judge(Ok(Answer { status: 200, expected: true, body, cut: false }));
        assert_eq!(verdict.reason, "the app says fail: Gr\u{fffd}\u{fffd}e");
    }

    #[test]
    fn a_long_body_is_kept_as_its_core() {
        let filler = "x".repeat(BODY_MAX);
        let body = format!(r#"{{"status":"fail","output":"full","a":"{filler}"}}"#);
        let verdict = answer(200, &body);
        assert_eq!(verdict.outcome, Outcome::Fail);
        assert_eq!(verdict.body.as_deref(), Some(r#"{"output":"full","status":"fail"}"#));
    }

    #[test]
    fn troubles_are_failures() {
        let verdict = judge(Err(Trouble::Refused));
        assert_eq!(verdict.outcome, Outcome::Fail);
        assert_eq!(verdict.http_status, None);
        assert_eq!(verdict.reason, "connection refused");
        assert!(verdict.refused);
        let verdict = judge(Err(Trouble::TooManyRedirects { status: 302 }));
        assert_eq!(verdict.http_status, Some(302));
        assert!(!verdict.refused);
    }

    #[test]
    fn a_reason_is_one_bounded_line() {
        let output = "a\\nb\\u001b[2J".repeat(100);
        let verdict = answer(200, &format!(r#"{{"status":"fail","output":"{output}"}}"#));
        assert!(verdict.reason.starts_with("the app says fail: a b [2Ja b"));
        assert_eq!(verdict.reason.chars().count(), REASON_MAX);
    }

    proptest! {
        #[test]
        fn no_body_is_too_odd(
            body in proptest::collection::vec(any::<u8>(), 0..400),
            status in any::<u16>(),
            expected in any::<bool>(),
            cut in any::<bool>(),
        ) {
            let verdict = judge(Ok(Answer { status, expected, body: &body, cut }));
            prop_assert!(expected || verdict.outcome == Outcome::Fail);
            prop_assert!(verdict.reason.chars().count() <= REASON_MAX);
        }
    }
}
