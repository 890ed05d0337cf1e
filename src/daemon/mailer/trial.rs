//! `healthchecker test-mail`: one mail now, and what came of it in words.

use std::sync::Arc;
use std::time::{Duration, Instant};

use super::attempt::{self, Server};
use super::conversation::deliver;
use super::trouble;
use crate::config::settings::{Login, MailSettings, Security, Settings};
use crate::daemon::discovery::Discovery;
use crate::daemon::names::Names;
use crate::daemon::trust::Trust;
use crate::engine::outbox::delivery::Delivery;
use crate::engine::outbox::letter;
use crate::engine::outbox::letter::RenderedMail;
use crate::engine::outbox::mail::Mail;
use crate::engine::outbox::notice::Notice;
use crate::engine::recipients::{Recipient, Recipients};
use crate::engine::time::{Now, Stamp};

/// `sysexits.h`: something is to be set first.
const EX_CONFIG: u8 = 78;

/// What came of a test mail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestMail {
    /// For the terminal: a line for each recipient, without a line break at the end.
    pub words: String,
    /// 0: accepted by all; 1: not; 78: mail is not configured.
    pub exit_code: u8,
}

/// Sends one test mail to each address of the `email` option, or to the sender's own account.
/// Blocks until all is done: minutes, when the server is slow; with `patience` not longer than that for each mail.
pub fn test_mail(settings: &Settings, now: Now, patience: Option<Duration>) -> TestMail {
    let mail = match &settings.mail {
        Ok(mail) => mail,
        Err(why) => {
            let words = format!("no mail is sent: {why}\n{WHAT_TO_SET}");
            return TestMail { words, exit_code: EX_CONFIG };
        }
    };
    let letters = letters(settings, mail, now);
    if settings.test {
        return on_paper(&letters);
    }
    let trust = Trust::new(&settings.authorities);
    // Nobody is asked unless the server is a `NAME.local`.
    let discovery = Discovery::start(None);
    let names = Names::new(Arc::new(move |name| discovery.ask(name)), 1);
    let server = Arc::new(Server::new(mail.clone(), names, trust));
    let mut lines = vec![through(mail)];
    let mut exit_code = 0;
    let mut letters = letters.into_iter();
    while let Some(letter) = letters.next() {
        let to = letter.to.clone();
        let outcome = attempt::run(&server, move |server, end| {
            let end = patience.map_or(end, |patience| end.min(Instant::now() + patience));
            deliver(server, &letter, end)
        });
        exit_code |= u8::from(outcome.is_err());
        // What is about one recipient says nothing about the next one.
        let is_of_one = matches!(outcome, Err(Delivery::Rejected(_) | Delivery::Unclear(_)));
        let over = outcome.is_err() && !is_of_one;
        lines.push(format!("{to}: {}", told(outcome)));
        if over {
            lines.extend(letters.map(|letter| format!("{}: not tried", letter.to)));
            break;
        }
    }
    TestMail { words: lines.join("\n"), exit_code }
}

const WHAT_TO_SET: &str = "Gmail takes gmail_token (an app password) and gmail_user or email (the \
    account). Any other server takes smtp_host, and smtp_user with smtp_password if it wants a \
    login. In the configuration file, or as HEALTHCHECKER_SMTP_HOST and so on";

fn letters(settings: &Settings, mail: &MailSettings, now: Now) -> Vec<RenderedMail> {
    let own = match &mail.login {
        Some(Login::Password { user, .. } | Login::Xoauth2 { user, .. }) if user.contains('@') => {
            user
        }
        _ => &mail.from,
    };
    let owner = Recipients::new(settings.email.clone(), &[]);
    let own = Recipient::mail(own);
    let recipients = match owner.by_default() {
        [] => std::slice::from_ref(&own),
        several => several,
    };
    let write = |(number, to): (u64, &Recipient)| {
        let message_id = format!("test.{}.{number}", now.wall.as_unix_millis());
        let at = Stamp::noted(now);
        let mail = Mail::new(number, to.clone(), message_id, vec![Notice::Test { at }], at);
        letter::write(&mail, now.at, &settings.zone, settings.public_url.as_deref())
    };
    (1..).zip(recipients).map(write).collect()
}

fn on_paper(letters: &[RenderedMail]) -> TestMail {
    let words: Vec<String> = letters
        .iter()
        .map(|it| {
            format!(
                "not sent, for --test is set:\nTo: {}\nSubject: {}\n\n{}",
                it.to, it.subject, it.text
            )
        })
        .collect();
    TestMail { words: words.join("\n").trim_end().to_owned(), exit_code: 0 }
}

/// `through smtp.example.org:587 (STARTTLS) as user, from a@b.c`.
fn through(mail: &MailSettings) -> String {
    let security = match mail.security {
        Security::Tls => "TLS",
        Security::Starttls => "STARTTLS",
        Security::None => "not encrypted",
    };
    let login = match &mail.login {
        Some(Login::Password { user, .. }) => format!("as {user}"),
        Some(Login::Xoauth2 { user, .. }) => format!("as {user} with an access token"),
        None => "without a login".to_owned(),
    };
    format!("through {} ({security}) {login}, from {}", trouble::server(mail), mail.from)
}

fn told(outcome: Result<String, Delivery>) -> String {
    match outcome {
        Ok(reply) => format!("accepted ({reply})"),
        Err(Delivery::Accepted) => "accepted".to_owned(),
        Err(Delivery::Later(why)) => format!("not now: {why}"),
        Err(Delivery::MuchLater(why)) => format!("not for a while: {why}"),
        Err(Delivery::Unclear(why)) => {
            format!("not to this address, or not with these settings: {why}")
        }
        Err(Delivery::Settings(why)) => format!("not with these settings: {why}"),
        Err(Delivery::Content(why)) => format!("not as it is: {why}"),
        Err(Delivery::Rejected(why)) => format!("refused: {why}"),
    }
}
