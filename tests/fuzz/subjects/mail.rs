//! What an app says, on its way into the headers of a mail.

use std::time::SystemTime;

use healthchecker::daemon::mailer::{address, compose};
use healthchecker::engine::outbox::letter;
use healthchecker::engine::outbox::mail::Mail;
use healthchecker::engine::outbox::notice::{Change, Notice};
use healthchecker::engine::recipients::Recipient;
use healthchecker::engine::state::State;
use healthchecker::engine::time::{Moment, Now, Stamp, Wall, Zone};

const HEADERS: [&str; 12] = [
    "Date",
    "From",
    "To",
    "Subject",
    "Message-ID",
    "Auto-Submitted",
    "X-Auto-Response-Suppress",
    "In-Reply-To",
    "References",
    "MIME-Version",
    "Content-Type",
    "Content-Transfer-Encoding",
];

/// Name, address, reason and recipient, with a zero in between, and the app's own words. Whatever
/// they are, the headers are those of the house, and none of their lines breaks out of its place.
pub fn run(bytes: &[u8]) {
    let (app, rest) = super::text(bytes);
    let (url, rest) = super::text(rest);
    let (reason, rest) = super::text(rest);
    let (to, rest) = super::text(rest);
    let (body, _) = super::text(rest);
    let now = Now { at: Moment::START, wall: Wall::from_unix_millis(1_800_000_000_000) };
    let at = Stamp::noted(now);
    let change = Change {
        app: app.clone(),
        url,
        from: State::Healthy,
        to: State::Unhealthy,
        at,
        since: at,
        lasted_ms: 0,
        lasted_at_least: false,
        keeps_failing: false,
        reason,
        body: Some(body),
        recent: Vec::new(),
    };
    let mail = Mail {
        id: 1,
        to: Recipient::mail(to.as_str()),
        meant_for: vec![Recipient::mail(to.as_str())],
        held_back: Some(at),
        left_out: 3,
        nameless: false,
        given_up: false,
        message_id: "1.a".to_owned(),
        references: vec!["0.a".to_owned()],
        notices: vec![Notice::Change(change), Notice::Watching { apps: vec![app], at }],
        written: at,
    };
    let zone = Zone::from_posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap_or_default();
    let letter = letter::write(&mail, now.at, &zone, Some("http://10.0.0.5:9090/"));
    let from = address("owner@household.example").unwrap();
    let to = address(&to).unwrap_or_else(|_| from.clone());
    assert_headers(&compose(&letter, &from, &to, Some(SystemTime::UNIX_EPOCH)));
}

fn assert_headers(message: &[u8]) {
    let end = message.windows(4).position(|four| four == b"\r\n\r\n").expect("an end of the head");
    let head = String::from_utf8(message[..end].to_vec()).expect("UTF-8");
    for line in head.split("\r\n") {
        assert!(!line.contains(['\r', '\n', '\0']), "{line:?}");
        // RFC 5322, section 2.1.1.
        assert!(line.len() <= 998, "{} bytes", line.len());
        let name = line.split(':').next().unwrap_or_default();
        assert!(line.starts_with([' ', '\t']) || HEADERS.contains(&name), "{line:?}");
    }
}
