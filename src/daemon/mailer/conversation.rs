//! One conversation with the mail server: connect, log in, hand over one mail, part.
//!
//! We speak SMTP ourselves (RFC 5321). Lettre's client reads a reply that is not UTF-8 as a broken
//! connection, whatever its code, and a line without an end into memory without bounds; it knows no
//! HELO, and its streams cannot be had apart from it. It composes the mail.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use lettre::Address;

use super::attempt::Server;
use super::classify::Stage;
use super::compose::{address, compose};
use super::envelope::{self, Envelope};
use super::hello::own_name;
use super::offer::{Mechanism, Offer};
use super::redact::redacted;
use super::reply::Reply;
use super::trouble::{self, MAX_WORDS};
use super::wire::Wire;
use crate::config::settings::{Login, MailSettings, Security};
use crate::daemon::clock;
use crate::daemon::trust::Dates;
use crate::engine::outbox::delivery::Delivery;
use crate::engine::outbox::letter::RenderedMail;
use crate::engine::text::plain::one_line;

/// For the answer to a `NAME.local`: who is there answers within a second, and is asked three times in
/// four.
const LOOK_UP: Duration = Duration::from_secs(10);
/// For a connection to one address: who is there answers within a second.
const CONNECT: Duration = Duration::from_secs(30);
/// For an answer to anything we say, the greeting too. RFC 5321 section 4.5.3.2 has 5 minutes at least:
/// a server may look us up in slow places before it answers.
const ANSWER: Duration = Duration::from_secs(5 * 60);
/// For its last word on a mail. The RFC has 10 minutes: some look for spam first, and giving up early
/// would send it twice.
const ACCEPTANCE: Duration = Duration::from_secs(10 * 60);
/// For a farewell: the mail is delivered by then, and waiting would only delay the next.
const FAREWELL: Duration = Duration::from_secs(2);
/// The most addresses of a server tried in one conversation.
const MAX_ADDRESSES: usize = 4;
/// Answers to EHLO of servers that know only HELO: not recognised, bad syntax, not implemented.
const KNOWS_NO_EHLO: std::ops::RangeInclusive<u16> = 500..=504;
/// RFC 4954: go on with the login.
const CHALLENGE: u16 = 334;
/// RFC 4954: this kind of login is not recognised.
const NO_SUCH_LOGIN: u16 = 504;

/// Delivers one letter before `end`; the server's words of acceptance.
pub(super) fn deliver(
    server: &Server,
    letter: &RenderedMail,
    end: Instant,
) -> Result<String, Delivery> {
    let mut conversation = Conversation::open(server, end)?;
    let outcome = conversation.hand_over(letter);
    conversation.part();
    outcome
}

/// Logs in before `end`, asks for each of these people whether a mail would be taken, and parts without
/// one. Most servers have all that is against us ready by then, and not before (Postfix:
/// `smtpd_delay_reject`).
pub(super) fn rehearse(server: &Server, to: &[String], end: Instant) -> Result<(), Delivery> {
    let mut conversation = Conversation::open(server, end)?;
    let outcome = conversation.rehearse_for_all(to);
    conversation.part();
    outcome
}

/// A conversation under way.
struct Conversation<'a> {
    settings: &'a MailSettings,
    wire: Wire,
    offer: Offer,
    end: Instant,
}

impl<'a> Conversation<'a> {
    /// Connects and logs in; all of it, and what follows, is over at `end`.
    fn open(server: &'a Server, end: Instant) -> Result<Self, Delivery> {
        let settings = &server.settings;
        let mut conversation = Conversation::greet(server, end)?;
        conversation.hello()?;
        if settings.security == Security::Starttls {
            if !conversation.offer.starttls {
                return Err(trouble::no_starttls(settings));
            }
            conversation.say(Stage::Greeting, "STARTTLS", 2)?;
            conversation = conversation.encrypt(server)?;
            conversation.hello()?;
        }
        if let Some(login) = &settings.login {
            conversation.log_in(login)?;
        }
        Ok(conversation)
    }

    /// Tries the server's addresses in turn until one greets us.
    fn greet(server: &'a Server, end: Instant) -> Result<Self, Delivery> {
        let mut failure = None;
        for address in look_up(server, end)? {
            match Conversation::greeted_by(server, address, end) {
                Ok(conversation) => return Ok(conversation),
                Err(why) => failure = Some(why),
            }
        }
        // It may have another address by now.
        server.names.doubt(&server.settings.host);
        Err(failure.unwrap_or_else(|| trouble::too_long(&server.settings)))
    }

    fn greeted_by(server: &'a Server, to: SocketAddr, end: Instant) -> Result<Self, Delivery> {
        let settings = &server.settings;
        let span = CONNECT.min(end.saturating_duration_since(Instant::now()));
        if span.is_zero() {
            return Err(trouble::too_long(settings));
        }
        let wire = Wire::connect(to, span).map_err(|why| trouble::broken(settings, &why))?;
        let mut conversation = Conversation { settings, wire, offer: Offer::default(), end };
        if settings.security == Security::Tls {
            conversation = conversation.encrypt(server)?;
        }
        conversation.answer(Stage::Greeting, 2, ANSWER)?;
        server.note_greeting(to.ip());
        Ok(conversation)
    }

    fn encrypt(mut self, server: &Server) -> Result<Self, Delivery> {
        let settings = self.settings;
        self.set_deadline(ANSWER);
        // Made anew for each conversation: mails are rare, and a Pi's memory is not for keeping roots.
        let config =
            server.trust.client(self.dates()).map_err(|why| trouble::no_tls(settings, &why))?;
        let wire = self.wire.encrypt(&settings.host, config);
        Ok(Conversation { wire: wire.map_err(|why| trouble::broken(settings, &why))?, ..self })
    }

    fn dates(&self) -> Dates {
        if self.settings.without_clock && clock::wall_now().is_plainly_wrong() {
            Dates::WithoutClock
        } else {
            Dates::ByTheClock
        }
    }

    /// Says who we are; what the server can do.
    fn hello(&mut self) -> Result<(), Delivery> {
        let settings = self.settings;
        let address = self.wire.own_address().map_err(|why| trouble::broken(settings, &why))?;
        let name = own_name(address);
        let reply = self.ask(&format!("EHLO {name}"))?;
        self.offer = if reply.begins_with(2) {
            Offer::read(&reply.lines)
        } else if KNOWS_NO_EHLO.contains(&reply.code) {
            self.say(Stage::Greeting, &format!("HELO {name}"), 2)?;
            Offer::default()
        } else {
            return Err(trouble::refused(settings, Stage::Greeting, &reply));
        };
        Ok(())
    }

    fn log_in(&mut self, login: &Login) -> Result<(), Delivery> {
        let mut fitting = match login {
            Login::Password { .. } => vec![Mechanism::Plain, Mechanism::Login],
            Login::Xoauth2 { .. } => vec![Mechanism::Xoauth2],
        };
        fitting.retain(|it| self.offer.mechanisms.contains(it));
        let mut refusal = None;
        for mechanism in fitting {
            let reply = self.log_in_by(mechanism, login)?;
            if reply.begins_with(2) {
                return Ok(());
            }
            let goes_on = reply.code == NO_SUCH_LOGIN;
            refusal = Some(trouble::refused(self.settings, Stage::Login, &reply));
            if !goes_on {
                break;
            }
        }
        Err(refusal.unwrap_or_else(|| trouble::no_login(self.settings, self.offer.auth)))
    }

    fn log_in_by(&mut self, mechanism: Mechanism, login: &Login) -> Result<Reply, Delivery> {
        let (Login::Password { user, password: secret } | Login::Xoauth2 { user, token: secret }) =
            login;
        let secret = secret.reveal();
        // What the server is told one after the other, and whether the first is told at once.
        let (said, at_once): (Vec<String>, bool) = match mechanism {
            // A server that does not read the rest of the command asks for it.
            Mechanism::Plain => (vec![format!("\0{user}\0{secret}"); 2], true),
            // A refused token is answered with a challenge, and the refusal follows our silence.
            Mechanism::Xoauth2 => {
                (vec![format!("user={user}\x01auth=Bearer {secret}\x01\x01"), String::new()], true)
            }
            Mechanism::Login => (vec![user.clone(), secret.to_owned()], false),
        };
        let mut said = said.iter().map(|it| STANDARD.encode(it)).peekable();
        let mut command = format!("AUTH {}", mechanism.word());
        if let Some(first) = said.next_if(|_| at_once) {
            command = format!("{command} {first}");
        }
        let mut reply = self.ask(&command)?;
        for next in said {
            if reply.code != CHALLENGE {
                break;
            }
            reply = self.ask(&next)?;
        }
        Ok(reply)
    }

    /// Hands one letter over.
    fn hand_over(&mut self, letter: &RenderedMail) -> Result<String, Delivery> {
        let settings = self.settings;
        let (from, to) = self.addresses(&letter.to)?;
        let message = compose(letter, &from, &to, clock::date_now());
        let envelope = self.envelope(&from, &to, &message)?;
        self.say(Stage::Sender, &envelope.mail, 2)?;
        self.say(Stage::Recipient, &envelope.rcpt, 2)?;
        self.say(Stage::Data, "DATA", 3)?;
        self.send(&envelope::stuffed(&message))?;
        let reply = self.answer(Stage::Message, 2, ACCEPTANCE)?;
        let said = redacted(settings, &format!("{} {}", reply.code, reply.text()));
        Ok(one_line(said.trim_end(), MAX_WORDS))
    }

    fn rehearse_for_all(&mut self, to: &[String]) -> Result<(), Delivery> {
        let mut so_far = Ok(());
        for one in to {
            match self.rehearse_for(one) {
                // That one mailbox is not there says nothing of the next one.
                Err(Delivery::Rejected(said)) => {
                    so_far = so_far.and(Err(Delivery::Rejected(format!("{one}: {said}"))));
                }
                outcome => outcome?,
            }
        }
        so_far
    }

    /// Hands an envelope over with nothing in it, and takes it back.
    fn rehearse_for(&mut self, to: &str) -> Result<(), Delivery> {
        let (from, to) = self.addresses(to)?;
        let envelope = self.envelope(&from, &to, b"")?;
        self.say(Stage::Sender, &envelope.mail, 2)?;
        let reply = self.ask(&envelope.rcpt)?;
        self.ask("RSET")?;
        // Who asks strangers to come again later has let us in.
        if reply.begins_with(4) {
            return Ok(());
        }
        self.expect(Stage::Recipient, 2, reply).map(drop)
    }

    fn addresses(&self, to: &str) -> Result<(Address, Address), Delivery> {
        let from = &self.settings.from;
        let from = address(from)
            .map_err(|_| Delivery::Settings(format!("mail_from={from:?} is no mail address")))?;
        let to =
            address(to).map_err(|_| Delivery::Unclear(format!("{to:?} is no mail address")))?;
        Ok((from, to))
    }

    fn envelope(&self, from: &Address, to: &Address, message: &[u8]) -> Result<Envelope, Delivery> {
        envelope::of(from, to, message, self.offer.utf8).map_err(|beyond| {
            let said = trouble::beyond_ascii(self.settings, &beyond);
            let is_ours = beyond == envelope::path(from);
            if is_ours { Delivery::Settings(said) } else { Delivery::Unclear(said) }
        })
    }

    /// Says a line, which must be answered with a code of this kind.
    fn say(&mut self, stage: Stage, line: &str, digit: u16) -> Result<Reply, Delivery> {
        let reply = self.ask(line)?;
        self.expect(stage, digit, reply)
    }

    /// Waits for an answer of this kind.
    fn answer(&mut self, stage: Stage, digit: u16, within: Duration) -> Result<Reply, Delivery> {
        let reply = self.hear(within)?;
        self.expect(stage, digit, reply)
    }

    fn expect(&self, stage: Stage, digit: u16, reply: Reply) -> Result<Reply, Delivery> {
        if reply.begins_with(digit) {
            Ok(reply)
        } else {
            Err(trouble::refused(self.settings, stage, &reply))
        }
    }

    /// Says a line; whatever is answered.
    fn ask(&mut self, line: &str) -> Result<Reply, Delivery> {
        self.send(format!("{line}\r\n").as_bytes())?;
        self.hear(ANSWER)
    }

    fn send(&mut self, bytes: &[u8]) -> Result<(), Delivery> {
        self.set_deadline(ANSWER);
        self.wire.send(bytes).map_err(|why| trouble::broken(self.settings, &why))
    }

    fn hear(&mut self, within: Duration) -> Result<Reply, Delivery> {
        self.set_deadline(within);
        Reply::read(&mut self.wire).map_err(|why| trouble::broken(self.settings, &why))
    }

    /// Gives the next step its time.
    fn set_deadline(&mut self, span: Duration) {
        self.wire.set_deadline(self.end.min(Instant::now() + span));
    }

    /// Parts politely; what comes of it does not matter any more.
    fn part(mut self) {
        self.set_deadline(FAREWELL);
        let _ = self.wire.send(b"QUIT\r\n").and_then(|()| Reply::read(&mut self.wire).map(drop));
    }
}

fn look_up(server: &Server, end: Instant) -> Result<Vec<SocketAddr>, Delivery> {
    let Server { settings, names, .. } = server;
    let found = names.look_up(&settings.host, end.min(Instant::now() + LOOK_UP));
    let found = found.map_err(|why| {
        Delivery::Later(format!("the mail server {} is not found: {why}", settings.host))
    })?;
    let with_port = |mut address: SocketAddr| {
        address.set_port(settings.port);
        address
    };
    let addresses: Vec<SocketAddr> = found.into_iter().map(with_port).take(MAX_ADDRESSES).collect();
    if addresses.is_empty() {
        return Err(Delivery::Later(format!("the mail server {} has no address", settings.host)));
    }
    Ok(addresses)
}
