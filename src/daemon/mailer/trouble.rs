//! What went wrong in a conversation, and what the owner can do about it.

use std::error::Error as _;
use std::io::{self, ErrorKind};

use lettre::transport::smtp::Error;

use super::hush::hushed;
use crate::config::settings::{Login, MailSettings, Security};
use crate::engine::alerts::delivery::{Delivery, Stage, classify};
use crate::engine::words::plain::one_line;

/// Characters of an error's own words.
pub(super) const MAX_WORDS: usize = 300;

/// What an error of lettre's means for the mail.
///
/// Its `is_timeout` misses real time-outs and its `is_client` covers a refused token, so the kind
/// is found here: a reply is classified by its code, a client error by the stage, all else is the
/// network's fault.
pub(super) fn read(settings: &MailSettings, stage: Stage, error: &Error) -> Delivery {
    if let Some(code) = error.status() {
        let reply = error.source().map(ToString::to_string).unwrap_or_default();
        let reply = hushed(settings, &reply);
        return with_advice(classify(stage, code.into(), &reply), settings, stage);
    }
    if error.is_client() {
        return client(settings, stage, error);
    }
    Delivery::Later(format!("{}: {}", server(settings), network(settings, error)))
}

/// `smtp.example.org:465`.
pub(super) fn server(settings: &MailSettings) -> String {
    format!("{}:{}", settings.host, settings.port)
}

/// Lettre itself gave up: the server offers nothing that fits.
fn client(settings: &MailSettings, stage: Stage, error: &Error) -> Delivery {
    let server = server(settings);
    match (stage, &settings.login) {
        // A refused token is answered with a challenge, which lettre does not take (the server's
        // 535 would follow it).
        (Stage::Login, Some(Login::Xoauth2 { .. })) if challenged(error) => with_advice(
            Delivery::Credentials(format!("{server} refused the access token")),
            settings,
            stage,
        ),
        (Stage::Login, _) => Delivery::Credentials(format!(
            "{server} offers no login that fits{}",
            match settings.security {
                Security::None => "; many do only after smtp_security='starttls'",
                Security::Tls | Security::Starttls => "",
            }
        )),
        (Stage::Greeting, _) if settings.security == Security::Starttls => {
            Delivery::Later(format!("{server} offers no STARTTLS; try smtp_security='tls'"))
        }
        _ => Delivery::Later(format!("{server}: {}", words(error))),
    }
}

fn challenged(error: &Error) -> bool {
    !words(error).contains("No compatible authentication mechanism")
}

/// The cause of a broken conversation, in words.
fn network(settings: &MailSettings, error: &Error) -> String {
    let mut cause = error.source();
    while let Some(inner) = cause {
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            return io_words(settings, io);
        }
        cause = inner.source();
    }
    if error.is_response() {
        return "the server hung up, or does not speak SMTP".to_owned();
    }
    words(error)
}

fn io_words(settings: &MailSettings, error: &io::Error) -> String {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>());
    match (error.kind(), tls) {
        (_, Some(rustls::Error::InvalidCertificate(why))) => format!(
            "its certificate is not accepted ({}); a private authority's goes into ca_file",
            one_line(&why.to_string(), MAX_WORDS)
        ),
        (_, Some(other)) => {
            let other = one_line(&other.to_string(), MAX_WORDS);
            format!("no TLS ({other}); does smtp_security fit port {}?", settings.port)
        }
        (ErrorKind::ConnectionRefused, _) => "connection refused".to_owned(),
        // Linux reports a read that took too long as WouldBlock.
        (ErrorKind::WouldBlock | ErrorKind::TimedOut, _) => "no answer in time".to_owned(),
        (ErrorKind::UnexpectedEof, _) => "the server hung up".to_owned(),
        _ => one_line(&error.to_string(), MAX_WORDS),
    }
}

fn words(error: &Error) -> String {
    let words = error.source().map_or_else(|| error.to_string(), ToString::to_string);
    one_line(&words, MAX_WORDS)
}

/// Refused credentials are said with what helps.
fn with_advice(delivery: Delivery, settings: &MailSettings, stage: Stage) -> Delivery {
    match delivery {
        Delivery::Credentials(said) => match advice(settings, stage) {
            Some(advice) => Delivery::Credentials(format!("{said}; {advice}")),
            None => Delivery::Credentials(said),
        },
        other => other,
    }
}

fn advice(settings: &MailSettings, stage: Stage) -> Option<&'static str> {
    let gmail = settings.host.ends_with("gmail.com") || settings.host.ends_with("googlemail.com");
    match (stage, &settings.login) {
        (Stage::Login, Some(Login::Xoauth2 { .. })) => {
            Some("an access token lives an hour: set a new one, or an app password, which lasts")
        }
        (Stage::Login, _) if gmail => Some(
            "Gmail wants an app password as gmail_token, not the account's own password: \
             switch 2-Step Verification on and make one at https://myaccount.google.com/apppasswords",
        ),
        (Stage::Login, _) => Some("check smtp_user and smtp_password"),
        (Stage::Greeting, _) => Some("check smtp_security"),
        (Stage::Sender, None) => Some("the server may want a login: smtp_user and smtp_password"),
        (Stage::Sender, Some(_)) => Some("check mail_from: the account must be allowed to use it"),
        (Stage::Recipient | Stage::Message, _) => None,
    }
}
