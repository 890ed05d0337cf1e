//! A letter in the form that travels: MIME, headers and all.

use std::time::SystemTime;

use lettre::Address;
use lettre::address::AddressError;
use lettre::message::MultiPart;
use lettre::message::header::{
    Date, HeaderName, HeaderValue, Headers, InReplyTo, MIME_VERSION_1_0, MessageId, References,
    Subject,
};

use super::envelope::path;
use crate::engine::outbox::letter::RenderedMail;

/// The name that mail programs show as the sender.
const SENDER_NAME: &str = "HealthChecker";
/// The most message ids in `References`: the first and the latest are kept, as RFC 5537 section
/// 3.4.4 does, so that a thread of months stays within one header.
const MAX_REFERENCES: usize = 20;

const FROM: HeaderName = HeaderName::new_from_ascii_str("From");
const TO: HeaderName = HeaderName::new_from_ascii_str("To");
/// No answer by a machine, please: an absence note would answer an alert (RFC 3834 section 5).
const AUTO_SUBMITTED: HeaderName = HeaderName::new_from_ascii_str("Auto-Submitted");
/// The same for Exchange, which looks at its own header only.
const AUTO_RESPONSE_SUPPRESS: HeaderName =
    HeaderName::new_from_ascii_str("X-Auto-Response-Suppress");

/// Reads an address.
///
/// # Errors
/// If it is none, or could break out of its place in a command or header, or its domain is beyond
/// ASCII (it is written in punycode: the tables for others are left out, and their place is not safe).
pub fn address(text: &str) -> Result<Address, AddressError> {
    if text.chars().any(char::is_control) {
        return Err(AddressError::InvalidInput);
    }
    if text.rsplit_once('@').is_some_and(|(_, domain)| !domain.is_ascii()) {
        return Err(AddressError::InvalidDomain);
    }
    text.parse()
}

/// The message as bytes, ASCII unless an address is not, dated `date`. Without one, the
/// mail server that takes it adds its own (RFC 6409 section 8.1).
///
/// Header by header: lettre's own builder reads addresses back from the headers, fails on the quoted and
/// literal forms that it has just written, and so would never let such a mail go.
pub fn compose(
    letter: &RenderedMail,
    from: &Address,
    to: &Address,
    date: Option<SystemTime>,
) -> Vec<u8> {
    let sender = path(from);
    let domain = sender.rsplit_once('@').map_or("", |(_, domain)| domain);
    let id = |local: &str| format!("<{local}@{domain}>");
    let mut headers = Headers::new();
    if let Some(date) = date {
        headers.set(Date::new(date));
    }
    headers.insert_raw(as_it_is(FROM, format!("{SENDER_NAME} <{sender}>")));
    headers.insert_raw(as_it_is(TO, path(to)));
    headers.set(Subject::from(letter.subject.clone()));
    headers.set(MessageId::from(id(&letter.message_id)));
    headers.insert_raw(HeaderValue::new(AUTO_SUBMITTED, "auto-generated".to_owned()));
    headers.insert_raw(HeaderValue::new(AUTO_RESPONSE_SUPPRESS, "All".to_owned()));
    if let [first, later @ ..] = letter.references.as_slice() {
        let newest = later.get(later.len().saturating_sub(MAX_REFERENCES - 1)..).unwrap_or(later);
        let thread: Vec<String> = std::iter::once(first).chain(newest).map(|it| id(it)).collect();
        headers.set(InReplyTo::from(id(later.last().unwrap_or(first))));
        headers.set(References::from(thread.join(" ")));
    }
    headers.set(MIME_VERSION_1_0);
    let body = MultiPart::alternative_plain_html(letter.text.clone(), letter.html.clone());
    let mut message = headers.to_string().into_bytes();
    message.extend(body.formatted());
    message
}
/// A header that is written as it is: an [`address`] cannot break out of its place.
fn as_it_is(name: HeaderName, value: String) -> HeaderValue {
    HeaderValue::dangerous_new_pre_encoded(name, value.clone(), value)
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    fn letter() -> RenderedMail {
        RenderedMail {
            to: "owner@example.org".into(),
            subject: "[HealthChecker] Küche is UNHEALTHY".into(),
            text: "Küche\n".into(),
            html: "<p>Küche</p>\n".into(),
            message_id: "m9.1".into(),
            references: (0..30).map(|i| format!("m{i}")).collect(),
        }
    }

    fn composed(letter: &RenderedMail) -> String {
        let (from, to) = (address("pi@home.example").unwrap(), address(&letter.to).unwrap());
        let date = SystemTime::UNIX_EPOCH + Duration::from_secs(1_795_474_540);
        String::from_utf8(compose(letter, &from, &to, Some(date))).unwrap()
    }

    #[test]
    fn the_headers_that_mail_programs_look_at() {
        let mail = composed(&letter());
        let (head, body) = mail.split_once("\r\n\r\n").unwrap();
        let head = head.replace("\r\n ", " ");
        let lines: Vec<&str> = head.split("\r\n").collect();
        for line in [
            "Date: Mon, 23 Nov 2026 22:55:40 +0000",
            "From: HealthChecker <pi@home.example>",
            "To: owner@example.org",
            "Message-ID: <m9.1@home.example>",
            "In-Reply-To: <m29@home.example>",
            "Auto-Submitted: auto-generated",
            "X-Auto-Response-Suppress: All",
            "MIME-Version: 1.0",
        ] {
            assert!(lines.contains(&line), "{line} in {head}");
        }
        assert!(head.contains("Content-Type: multipart/alternative;"), "{head}");
        assert!(head.contains("References: <m0@home.example> <m11@home.example> <m12@"), "{head}");
        assert!(body.contains("text/plain") && body.contains("text/html"), "{body}");
        assert!(mail.is_ascii(), "any server takes it, 8BITMIME or not");
    }

    #[test]
    fn the_first_mail_of_a_thread_answers_none() {
        let mail = composed(&RenderedMail { references: vec![], ..letter() });
        assert!(!mail.contains("In-Reply-To") && !mail.contains("References"));
    }

    #[test]
    fn no_date_is_better_than_a_wrong_one() {
        let (from, letter) = (address("pi@home.example").unwrap(), letter());
        let undated = compose(&letter, &from, &from, None);
        assert!(undated.starts_with(b"From: "), "{}", String::from_utf8_lossy(&undated));
    }

    #[test]
    fn every_form_of_an_address_has_its_place_in_the_headers() {
        for (to, said) in [
            ("root@[127.0.0.1]", "To: root@[127.0.0.1]\r\n"),
            ("\"home server\"@example.org", "To: \"home server\"@example.org\r\n"),
            ("root@::1", "To: root@[IPv6:::1]\r\n"),
        ] {
            let mail = composed(&RenderedMail { to: to.into(), ..letter() });
            assert!(mail.contains(said), "{mail}");
        }
    }

    #[test]
    fn nothing_breaks_out_of_a_header() {
        let evil = "x\r\nBcc: thief@example.org\r\n\r\nbody";
        assert!(address("a@b.c\r\nBcc: x@y.z").is_err());
        assert!(address("\"a\r\nb\"@b.c").is_err());
        let references = vec![evil.to_owned()];
        let (subject, message_id) = (evil.to_owned(), evil.to_owned());
        let mail = composed(&RenderedMail { subject, message_id, references, ..letter() });
        assert!(!mail.contains("\r\nBcc"), "{mail}");
    }
}
