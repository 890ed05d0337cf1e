//! One conversation with the mail server: connect, log in, hand over one mail, part.

use std::net::{SocketAddr, ToSocketAddrs};
use std::time::{Duration, Instant};

use lettre::Address;
use lettre::transport::smtp::Error;
use lettre::transport::smtp::authentication::{Credentials, Mechanism};
use lettre::transport::smtp::client::{SmtpConnection, TlsParameters};
use lettre::transport::smtp::commands::{Data, Mail, Rcpt};
use lettre::transport::smtp::extension::{ClientId, Extension, MailBodyParameter, MailParameter};

use super::attempt::Server;
use super::compose::{address, compose};
use super::hush::hushed;
use super::trouble::MAX_WORDS;
use super::{tls, trouble};
use crate::config::settings::{Login, MailSettings, Security};
use crate::daemon::clock;
use crate::engine::alerts::delivery::{Delivery, Stage};
use crate::engine::alerts::notice::Letter;
use crate::engine::words::plain::one_line;

/// A server that takes longer for one answer is not well; the final one may take all that is left.
const STEP: Duration = Duration::from_secs(30);
/// For a farewell: the mail is delivered by then, and waiting would only delay the next.
const FAREWELL: Duration = Duration::from_secs(2);
/// The most addresses of a server tried in one conversation.
const MAX_ADDRESSES: usize = 4;

/// Delivers one letter before `end`; the server's words of acceptance.
pub(super) fn deliver(server: &Server, letter: &Letter, end: Instant) -> Result<String, Delivery> {
    let mut conversation = Conversation::open(server, end)?;
    let outcome = conversation.hand_over(letter);
    conversation.part();
    outcome
}

/// Logs in before `end`, and parts.
pub(super) fn log_in(server: &Server, end: Instant) -> Result<(), Delivery> {
    Conversation::open(server, end)?.part();
    Ok(())
}

/// A conversation under way.
struct Conversation<'a> {
    settings: &'a MailSettings,
    connection: SmtpConnection,
    end: Instant,
}

impl<'a> Conversation<'a> {
    /// Connects and logs in; all of it, and what follows, is over at `end`.
    fn open(server: &'a Server, end: Instant) -> Result<Self, Delivery> {
        let Server { settings, trust } = server;
        let trouble = |stage| move |error: Error| trouble::read(settings, stage, &error);
        let tls = match settings.security {
            Security::None => None,
            Security::Tls | Security::Starttls => {
                Some(tls::parameters(&settings.host, trust).map_err(trouble(Stage::Greeting))?)
            }
        };
        let wrapper = tls.as_ref().filter(|_| settings.security == Security::Tls);
        let connection = connect(settings, end, wrapper)?;
        let mut conversation = Conversation { settings, connection, end };
        if let (Security::Starttls, Some(tls)) = (settings.security, &tls) {
            conversation.step(STEP)?;
            let upgraded = conversation.connection.starttls(tls, &hello());
            upgraded.map_err(trouble(Stage::Greeting))?;
        }
        if let Some(login) = &settings.login {
            conversation.step(STEP)?;
            conversation.log_in(login).map_err(trouble(Stage::Login))?;
        }
        Ok(conversation)
    }

    fn log_in(&mut self, login: &Login) -> Result<(), Error> {
        let (mechanisms, user, secret) = match login {
            Login::Password { user, password } => {
                ([Mechanism::Plain, Mechanism::Login].as_slice(), user, password)
            }
            Login::Xoauth2 { user, token } => ([Mechanism::Xoauth2].as_slice(), user, token),
        };
        let credentials = Credentials::new(user.clone(), secret.reveal().to_owned());
        self.connection.auth(mechanisms, &credentials).map(|_| ())
    }

    /// Hands one letter over.
    fn hand_over(&mut self, letter: &Letter) -> Result<String, Delivery> {
        let from = address(&self.settings.from).map_err(|_| {
            Delivery::Credentials(format!("mail_from={:?} is no mail address", self.settings.from))
        })?;
        let to = address(&letter.to)
            .map_err(|_| Delivery::Rejected(format!("{:?} is no mail address", letter.to)))?;
        let message = compose(letter, &from, &to, clock::writable_now())
            .map_err(|error| Delivery::Rejected(format!("the mail cannot be composed: {error}")))?;
        let parameters = self.parameters(&from, &to, &message)?;
        self.say(Stage::Sender, |it| it.command(Mail::new(Some(from), parameters)))?;
        self.say(Stage::Recipient, |it| it.command(Rcpt::new(to, vec![])))?;
        self.say(Stage::Message, |it| it.command(Data))?;
        // Some servers look for spam before they answer. Giving up early would send it twice.
        self.step(self.left())?;
        let reply = self
            .connection
            .message(&message)
            .map_err(|error| trouble::read(self.settings, Stage::Message, &error))?;
        let words: Vec<&str> = reply.message().collect();
        let said = hushed(self.settings, &format!("{} {}", reply.code(), words.join(" ")));
        Ok(one_line(&said, MAX_WORDS))
    }

    /// An address beyond ASCII needs a server that knows such (RFC 6531 section 3.1).
    fn parameters(
        &self,
        from: &Address,
        to: &Address,
        message: &[u8],
    ) -> Result<Vec<MailParameter>, Delivery> {
        let ascii = |it: &Address| AsRef::<str>::as_ref(it).is_ascii();
        if message.is_ascii() && ascii(from) && ascii(to) {
            return Ok(vec![]);
        }
        let knows = |it| self.connection.server_info().supports_feature(it);
        if knows(Extension::SmtpUtfEight) && knows(Extension::EightBitMime) {
            let body = MailParameter::Body(MailBodyParameter::EightBitMime);
            return Ok(vec![MailParameter::SmtpUtfEight, body]);
        }
        let server = trouble::server(self.settings);
        let sentence = |it| format!("{server} takes no address with letters beyond ASCII: {it}");
        match ascii(from) {
            false => Err(Delivery::Credentials(sentence(from))),
            true => Err(Delivery::Rejected(sentence(to))),
        }
    }

    fn say<T>(
        &mut self,
        stage: Stage,
        command: impl FnOnce(&mut SmtpConnection) -> Result<T, Error>,
    ) -> Result<T, Delivery> {
        self.step(STEP)?;
        command(&mut self.connection).map_err(|error| trouble::read(self.settings, stage, &error))
    }

    /// Gives the next step its time.
    fn step(&mut self, span: Duration) -> Result<(), Delivery> {
        let span = span.min(self.left());
        if span.is_zero() {
            return Err(too_long(self.settings));
        }
        let set = self.connection.set_timeout(Some(span));
        set.map_err(|error| Delivery::Later(format!("{}: {error}", trouble::server(self.settings))))
    }

    fn left(&self) -> Duration {
        self.end.saturating_duration_since(Instant::now())
    }

    /// Parts politely; what comes of it does not matter any more.
    fn part(mut self) {
        if self.step(FAREWELL).is_ok() {
            let _ = self.connection.quit();
        }
    }
}

/// Tries the server's addresses in turn, each with its share of the time.
fn connect(
    settings: &MailSettings,
    end: Instant,
    tls: Option<&TlsParameters>,
) -> Result<SmtpConnection, Delivery> {
    let addresses = look_up(settings)?;
    let mut failure = None;
    for (tried, address) in addresses.iter().enumerate() {
        let left = end.saturating_duration_since(Instant::now());
        let untried = u32::try_from(addresses.len() - tried).unwrap_or(u32::MAX);
        let span = STEP.min(left / untried);
        if span.is_zero() {
            break;
        }
        match SmtpConnection::connect(address, Some(span), &hello(), tls, None) {
            Ok(connection) => return Ok(connection),
            Err(error) => failure = Some(trouble::read(settings, Stage::Greeting, &error)),
        }
    }
    Err(failure.unwrap_or_else(|| too_long(settings)))
}

fn look_up(settings: &MailSettings) -> Result<Vec<SocketAddr>, Delivery> {
    let found = (settings.host.as_str(), settings.port).to_socket_addrs();
    let addresses: Vec<SocketAddr> = found
        .map_err(|error| {
            Delivery::Later(format!("the mail server {} is not found: {error}", settings.host))
        })?
        .take(MAX_ADDRESSES)
        .collect();
    if addresses.is_empty() {
        return Err(Delivery::Later(format!("the mail server {} has no address", settings.host)));
    }
    Ok(addresses)
}

fn too_long(settings: &MailSettings) -> Delivery {
    Delivery::Later(format!("{} took too long for one mail", trouble::server(settings)))
}

/// Our name in EHLO: the host's own, unless a server would stumble over it (RFC 5321 section 4.1.4
/// takes an address then).
fn hello() -> ClientId {
    let plain = |name: &str| name.bytes().all(|b| b.is_ascii_alphanumeric() || b"-.".contains(&b));
    match ClientId::default() {
        ClientId::Domain(name) if name.is_empty() || !plain(&name) => {
            ClientId::Ipv4(std::net::Ipv4Addr::LOCALHOST)
        }
        other => other,
    }
}
