//! What went wrong in a conversation, and what the owner can do about it.

use std::io::{self, ErrorKind};

use rustls::{CertificateError, Error as TlsError};

use super::classify::{Stage, classify};
use super::redact::redacted;
use super::reply::Reply;
use crate::config::settings::{Login, MailSettings, Security};
use crate::daemon::trust::sentence;
use crate::engine::outbox::delivery::Delivery;
use crate::engine::text::plain::one_line;

/// Characters of an error's own words.
pub(super) const MAX_WORDS: usize = 300;

/// `smtp.example.org:465`.
pub(super) fn server(settings: &MailSettings) -> String {
    format!("{}:{}", settings.host, settings.port)
}

/// The server said no, or what makes no sense at this point, which passes.
pub(super) fn refused(settings: &MailSettings, stage: Stage, reply: &Reply) -> Delivery {
    let text = redacted(settings, &reply.text());
    let advised = |said: String| match advice(settings, stage, &text) {
        Some(advice) => format!("{said}; {advice}"),
        None => said,
    };
    match classify(stage, reply.code, &text) {
        Delivery::Settings(said) => Delivery::Settings(advised(said)),
        Delivery::Unclear(said) => Delivery::Unclear(advised(said)),
        other => other,
    }
}

/// The connection broke, or what came over it is no SMTP.
pub(super) fn broken(settings: &MailSettings, error: &io::Error) -> Delivery {
    Delivery::Later(format!("{}: {}", server(settings), words(settings, error)))
}

/// TLS cannot even begin.
pub(super) fn no_tls(settings: &MailSettings, error: &rustls::Error) -> Delivery {
    Delivery::Later(format!("{}: no TLS ({})", server(settings), sentence(error)))
}

/// All the time of one conversation is over.
pub(super) fn too_long(settings: &MailSettings) -> Delivery {
    Delivery::Later(format!("{} took too long for one mail", server(settings)))
}

/// STARTTLS is wanted, and not offered.
pub(super) fn no_starttls(settings: &MailSettings) -> Delivery {
    let server = server(settings);
    Delivery::Later(format!("{server} offers no STARTTLS; try smtp_security='tls'"))
}

/// A login is wanted, and none that we know is offered; `offers_any`: but others are.
pub(super) fn no_login(settings: &MailSettings, offers_any: bool) -> Delivery {
    let server = server(settings);
    let advice = match (settings.security, offers_any) {
        (Security::None, _) => "; many do only after smtp_security='starttls'",
        (_, true) => "",
        (_, false) => "; if it wants none, leave smtp_user and smtp_password out",
    };
    Delivery::Settings(format!("{server} offers no login that fits{advice}"))
}

/// An address needs a server that takes letters beyond ASCII.
pub(super) fn beyond_ascii(settings: &MailSettings, address: &str) -> String {
    format!("{} takes no address with letters beyond ASCII: {address}", server(settings))
}

fn words(settings: &MailSettings, error: &io::Error) -> String {
    let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
    match (error.kind(), tls) {
        (_, Some(why @ TlsError::InvalidCertificate(flaw))) => {
            format!(
                "its certificate is not accepted ({}){}",
                sentence(why),
                about_certificate(flaw)
            )
        }
        (_, Some(why @ TlsError::InvalidMessage(_))) => {
            let port = settings.port;
            format!("no TLS ({}); does smtp_security fit port {port}?", sentence(why))
        }
        // The two do not agree on how: no option of ours helps.
        (_, Some(why)) => format!("no TLS ({})", sentence(why)),
        (ErrorKind::ConnectionRefused, _) => "connection refused".to_owned(),
        // Linux reports a read that took too long as WouldBlock.
        (ErrorKind::WouldBlock | ErrorKind::TimedOut, _) => "no answer in time".to_owned(),
        (ErrorKind::UnexpectedEof, _) => "the server hung up".to_owned(),
        _ => one_line(&error.to_string(), MAX_WORDS),
    }
}

/// What helps against a certificate that is not accepted.
fn about_certificate(flaw: &CertificateError) -> &'static str {
    match flaw {
        CertificateError::NotValidForName | CertificateError::NotValidForNameContext { .. } => {
            "; smtp_host must be a name that is in it"
        }
        CertificateError::NotValidYet
        | CertificateError::NotValidYetContext { .. }
        | CertificateError::Expired
        | CertificateError::ExpiredContext { .. } => {
            "; if our clock is right, whoever runs the server must renew it"
        }
        CertificateError::UnknownIssuer => "; a private authority's goes into ca_file",
        _ => "; whoever runs the server must renew it, or its own goes into ca_file",
    }
}

/// What helps, most likely.
fn advice(settings: &MailSettings, stage: Stage, said: &str) -> Option<&'static str> {
    let gmail = settings.host.ends_with("gmail.com") || settings.host.ends_with("googlemail.com");
    // The name of a command is the same in every language, and its reply code is that of a login.
    if settings.security == Security::None && said.to_ascii_uppercase().contains("STARTTLS") {
        return Some("set smtp_security='starttls'");
    }
    match (stage, &settings.login) {
        (Stage::Login, Some(Login::Xoauth2 { .. })) => {
            Some("an access token lives an hour: set a new one, or an app password, which lasts")
        }
        (Stage::Login, _) if gmail => Some(
            "Gmail wants an app password as gmail_token, not the account's own password: \
             switch 2-Step Verification on and make one at https://myaccount.google.com/apppasswords",
        ),
        (Stage::Login, _) => Some("check smtp_user and smtp_password"),
        (Stage::Greeting, _) => Some("check smtp_host, smtp_port and smtp_security"),
        (Stage::Recipient, _) if !is_policy(said) => None,
        (Stage::Sender | Stage::Recipient, None) => {
            Some("the server may want a login: smtp_user and smtp_password")
        }
        (Stage::Sender | Stage::Recipient, Some(_)) => {
            Some("check mail_from: the account must be allowed to use it")
        }
        (Stage::Data | Stage::Message, _) => None,
    }
}

/// Whether a refusal at RCPT may be about who we are: security or policy (RFC 3463, x.7.x), our address
/// as the sender (x.1.7, x.1.8), or without an enhanced code.
fn is_policy(said: &str) -> bool {
    ["5.7.", "5.1.7", "5.1.8"].iter().any(|code| said.starts_with(code)) || !said.starts_with("5.")
}
