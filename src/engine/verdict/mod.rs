//! The verdict on an answer to a check, or on its absence.

pub mod answer;
mod body;
pub mod health;
pub mod probe;
pub mod trouble;

use std::time::Duration;

use http::StatusCode;

use self::answer::{Life, Outcome, Verdict};
use self::body::Body;
use self::health::{Health, Reading};
use self::trouble::Trouble;
use crate::engine::text::plain;

/// The most characters of a reason: it becomes part of a mail's subject line and of table rows.
pub const REASON_MAX: usize = 200;

/// The most bytes that are read of a body, as it comes and as it is unpacked; a longer one is cut
/// there. What says how an app is takes a hundredth of it, and a bomb goes off in a box.
pub const BODY_READ_MAX: usize = 64 * 1024;

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
    /// Its `Content-Type`; empty without one.
    pub content_type: &'a str,
    /// Its `Content-Encoding`; empty without one.
    pub content_encoding: &'a str,
    /// Its body, or the beginning of it.
    pub body: &'a [u8],
    /// The body goes on beyond `body`.
    pub cut: bool,
    /// What must be in the body.
    pub contains: Option<&'a str>,
}

impl Answer<'_> {
    /// Whether it says that its body is JSON.
    fn claims_json(&self) -> bool {
        let kind = self.content_type.split(';').next().unwrap_or_default();
        let kind = kind.trim().to_ascii_lowercase();
        kind.ends_with("/json") || kind.ends_with("+json")
    }
}

/// Somebody answered an echo, and that is all that was asked.
pub fn echoed() -> Verdict {
    Verdict { reason: "echo answered".to_owned(), ..connected() }
}

/// Somebody took a connection, and that is all that was asked.
pub fn connected() -> Verdict {
    Verdict {
        outcome: Outcome::Pass,
        http_status: None,
        reason: "connected".to_owned(),
        refused: false,
        life: Life::Answer,
        whereabouts: None,
        certificate: None,
        body: None,
    }
}

/// A pass that took longer than it should is a warning.
pub fn slower(verdict: Verdict, latency: Duration, slow: Option<Duration>) -> Verdict {
    let Some(slow) = slow.filter(|slow| verdict.outcome == Outcome::Pass && latency > *slow) else {
        return verdict;
    };
    let (took, slow) = (latency.as_millis(), slow.as_millis());
    let reason = format!("slow: {took} ms, more than {slow} ms");
    Verdict { outcome: Outcome::Warn, reason, ..verdict }
}

/// A pass with a certificate that soon ends is a warning, in the same words each time.
pub fn ending(verdict: Verdict, ends: &str) -> Verdict {
    let reason = format!("the certificate ends on {ends}");
    Verdict { outcome: Outcome::Warn, reason, ..verdict }
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
        life: trouble.life(),
        whereabouts: None,
        certificate: None,
        body: None,
    }
}

/// What an app reports by itself: that something is done, or has failed; the body may say more.
pub fn reported(failed: bool, content_type: &str, body: &[u8]) -> Verdict {
    let (status, expected, content_encoding, cut) = (200, true, "", false);
    let contains = None;
    let answer = Answer { status, expected, content_type, content_encoding, body, cut, contains };
    let Said { outcome, words, kept, .. } = said(&answer);
    let (outcome, otherwise) = match failed {
        true => (Outcome::Fail, "the app says fail"),
        false => (outcome, "beat"),
    };
    let reason = words.unwrap_or_else(|| otherwise.to_owned());
    Verdict { outcome, reason: plain::one_line(&reason, REASON_MAX), body: kept, ..connected() }
}

/// What the body of an answer says.
struct Said {
    outcome: Outcome,
    /// If it says anything but that all is well.
    words: Option<String>,
    kept: Option<String>,
    /// What must be in it, and is not.
    lacks: Option<String>,
}

fn said(answer: &Answer<'_>) -> Said {
    let body = body::read(answer);
    let reading = match &body {
        Body::Text { text, cut } => match health::read(text, *cut) {
            Reading::Nothing if answer.claims_json() => health::read_behind_noise(text, *cut),
            reading => reading,
        },
        Body::Packed(_) => Reading::Broken,
    };
    let (outcome, words) = match &reading {
        Reading::Says(health) => (health.outcome, words(health)),
        Reading::Broken if answer.claims_json() => (Outcome::Warn, Some(riddle(&body))),
        Reading::Broken | Reading::Nothing => (Outcome::Pass, None),
    };
    let kept = match &reading {
        Reading::Says(health) => Some(kept(health)),
        Reading::Broken | Reading::Nothing => None,
    };
    let is_in = |wanted: &&str| match &body {
        Body::Text { text, .. } => text.contains(*wanted),
        Body::Packed(_) => false,
    };
    let lacks = answer.contains.filter(|wanted| !is_in(wanted)).map(str::to_owned);
    Said { outcome, words, kept, lacks }
}

fn judge_answer(answer: Answer<'_>) -> Verdict {
    let Said { outcome, words, kept, lacks } = said(&answer);
    let (outcome, reason) = match (answer.expected, words) {
        (true, _) if lacks.is_some() && outcome != Outcome::Fail => {
            let lacks = lacks.unwrap_or_default();
            (Outcome::Fail, format!("the answer does not contain \"{lacks}\""))
        }
        (true, words) => (outcome, words.unwrap_or_else(|| status_line(answer.status))),
        (false, None) => (Outcome::Fail, status_line(answer.status)),
        (false, Some(words)) => (Outcome::Fail, format!("{}, {words}", status_line(answer.status))),
    };
    Verdict {
        outcome,
        http_status: Some(answer.status),
        reason: plain::one_line(&reason, REASON_MAX),
        refused: false,
        life: Life::Answer,
        whereabouts: None,
        certificate: None,
        body: kept,
    }
}

/// Why a body that should say how the app is says nothing. Not a pass: it may say `fail`.
fn riddle(body: &Body<'_>) -> String {
    match body {
        Body::Text { .. } => "the answer is no valid JSON, its status cannot be read".to_owned(),
        Body::Packed(coding) => {
            format!("the answer is packed as {coding}, its status cannot be read")
        }
    }
}

/// `the app says fail: disk 98 % full`; nothing when it says that all is well.
fn words(health: &Health<'_>) -> Option<String> {
    match (health.outcome, &health.cause) {
        (Outcome::Pass, _) => None,
        (_, None) => Some(format!("the app says {}", health.word)),
        (_, Some(cause)) => Some(format!("the app says {}: {cause}", health.word)),
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
fn kept(health: &Health<'_>) -> String {
    if let Some(json) = health.json.as_deref().filter(|json| json.len() <= BODY_MAX) {
        return plain::harmless(json);
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
        judge(Ok(Answer {
            status,
            expected: status == 200,
            content_type: "",
            content_encoding: "",
            body: body.as_bytes(),
            cut: false,
            contains: None,
        }))
    }

    /// What comes as JSON, packed or not.
    fn json(content_encoding: &str, body: &[u8]) -> Verdict {
        let content_type = "Application/JSON; charset=utf-8";
        let answer = Answer {
            status: 200,
            expected: true,
            content_type,
            content_encoding,
            body,
            cut: false,
            contains: None,
        };
        judge(Ok(answer))
    }

    #[test]
    fn what_must_be_in_a_body_is_looked_for_in_its_text() {
        let judged = |expected, body: &[u8], contains| {
            let answer = Answer {
                status: 200,
                expected,
                content_type: "",
                content_encoding: "gzip",
                body,
                cut: false,
                contains: Some(contains),
            };
            let verdict = judge(Ok(answer));
            (verdict.outcome, verdict.reason)
        };
        let page = "<h1>Welcome home, K\u{fc}che</h1>".as_bytes();
        assert_eq!(judged(true, page, "home, K\u{fc}che").0, Outcome::Pass);
        let lacks = (Outcome::Fail, "the answer does not contain \"welcome\"".to_owned());
        assert_eq!(judged(true, page, "welcome"), lacks, "in just these letters");
        let says = br#"{"status":"fail","output":"disk full"}"#;
        assert_eq!(judged(true, says, "x").1, "the app says fail: disk full", "that says more");
        assert_eq!(judged(true, br#"{"status":"warn"}"#, "x").0, Outcome::Fail);
        assert_eq!(judged(false, page, "welcome").1, "HTTP 200 OK", "the status goes first");
        let packed = b"\x1f\x8b\x08\x00\xff";
        assert_eq!(judged(true, packed, "x").0, Outcome::Fail, "it cannot be read");
    }

    #[test]
    fn a_pass_that_takes_too_long_is_a_warning_and_nothing_else_is() {
        let ms = Duration::from_millis;
        let after = |verdict: &Verdict, latency, slow: Option<u64>| {
            slower(verdict.clone(), ms(latency), slow.map(ms))
        };
        let pass = answer(200, "");
        let warned = after(&pass, 501, Some(500));
        assert_eq!((warned.outcome, warned.http_status), (Outcome::Warn, Some(200)));
        assert_eq!(warned.reason, "slow: 501 ms, more than 500 ms");
        assert_eq!(after(&pass, 500, Some(500)), pass);
        assert_eq!(after(&pass, 60_000, None), pass);
        let fail = answer(503, "");
        assert_eq!(after(&fail, 501, Some(500)), fail);
    }

    #[test]
    fn what_claims_to_be_json_and_cannot_be_read_is_a_warning() {
        let verdict = json("", b"{\"output\":}");
        assert_eq!(verdict.outcome, Outcome::Warn);
        assert_eq!(verdict.reason, "the answer is no valid JSON, its status cannot be read");
        let verdict = json("br", b"\x8b\x05\x80{\"st");
        assert_eq!(verdict.outcome, Outcome::Warn);
        assert_eq!(verdict.reason, "the answer is packed as br, its status cannot be read");
        assert_eq!(verdict.body, None);
        for body in [&b""[..], b"OK", b"[]", b"{}", b"null", b"{\"a\":1}", b"{\"status\":200}"] {
            assert_eq!(json("", body).outcome, Outcome::Pass, "nothing is said, and that is read");
        }
        assert_eq!(answer(200, "{% if a %}").outcome, Outcome::Pass, "nobody said JSON");
        for (kind, claims) in [
            ("application/health+json", true),
            ("text/json", true),
            ("text/html; a=/json", false),
            ("application/x-ndjson", false),
        ] {
            let answer = Answer {
                status: 500,
                expected: false,
                content_type: kind,
                content_encoding: "",
                body: b"{",
                cut: false,
                contains: None,
            };
            assert_eq!(answer.claims_json(), claims, "{kind}");
            assert_eq!(judge(Ok(answer)).outcome, Outcome::Fail);
        }
    }

    #[test]
    fn noise_before_json_hides_no_fail() {
        let fail = r#"{"status":"fail"}"#;
        for noise in
            ["\0", "\0\0", "\0\0\0", "\u{feff}\u{feff}", "\r\n\u{feff}", " \u{1a}\u{feff}\0 "]
        {
            let verdict = answer(200, &format!("{noise}{fail}"));
            assert_eq!(verdict.outcome, Outcome::Fail, "{noise:?}");
        }
        assert_eq!(answer(200, "{\0\0\0\"status\":\"fail\"}").outcome, Outcome::Fail);
        for noise in
            [")]}',\n", "while(1);", "/* a */", "<b>Warning</b>: $a[1] in x.php on line 3<br />\n"]
        {
            let body = format!("{noise}{fail}");
            let verdict = json("", body.as_bytes());
            assert_eq!(verdict.outcome, Outcome::Fail, "{noise:?}");
            assert_eq!(verdict.body.as_deref(), Some(fail));
            assert_eq!(answer(200, &body).outcome, Outcome::Pass, "a page that shows some");
        }
        for body in [r#""see {\"status\":\"fail\"}""#, r#" [{"status":"fail"}]"#, "Hello {name}"] {
            assert_eq!(json("", body.as_bytes()).outcome, Outcome::Pass, "{body}");
        }
    }

    #[test]
    fn what_says_nothing_says_no_more_when_it_is_labelled_as_packed() {
        for label in ["utf-8", "none", "gzip", "br"] {
            for body in ["", "[]", "OK", "true", "\u{feff}{}", "gr\u{fc}n\r\n"] {
                assert_eq!(json(label, body.as_bytes()).outcome, Outcome::Pass, "{label}: {body}");
            }
            let fail = "\u{feff}{\"status\":\"fail\"}";
            assert_eq!(json(label, fail.as_bytes()).outcome, Outcome::Fail, "{label}");
        }
        let empty = b"\x1f\x8b\x08\0\0\0\0\0\0\x03\x03\0\0\0\0\0\0\0\0\0";
        assert_eq!(json("gzip", empty).outcome, Outcome::Pass, "packed, and nothing in it");
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
        assert_eq!(json("", body).reason, "the app says fail: Gr\u{fffd}\u{fffd}e");
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
            let (content_type, content_encoding) = ("application/json", "gzip");
            let answer = Answer { status, expected, content_type, content_encoding, body: &body, cut, contains: None };
            let verdict = judge(Ok(answer));
            prop_assert!(expected || verdict.outcome == Outcome::Fail);
            prop_assert!(verdict.reason.chars().count() <= REASON_MAX);
        }
    }
}
