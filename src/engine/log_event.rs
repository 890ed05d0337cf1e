//! What happened, for the log: one value for each kind of line.

use std::fmt;
use std::time::Duration;

use crate::engine::recipients::{Recipient, listed};
use crate::engine::state::State;
use crate::engine::text::span;
use crate::engine::time::Wall;
use crate::engine::verdict::answer::Outcome;

/// So much time nobody counts in milliseconds.
const IN_WORDS: Duration = Duration::from_secs(10);

/// How much a line matters to the owner.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Severity {
    /// Each check: for those who look closely.
    Detail,
    /// Something changed.
    Change,
    /// A person should look at it.
    Trouble,
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum LogEvent {
    /// An app is watched from now on, or registered again.
    Registered {
        /// Its name.
        app: String,
        /// The address that is asked, if it is.
        url: Option<String>,
        /// Whether the name is new.
        new: bool,
    },
    /// Nobody is told of an app for a while: somebody asked for that.
    Quiet {
        /// The app's name.
        app: String,
        /// How long.
        span: Duration,
    },
    /// Pause, resume or stop was asked for.
    Commanded {
        /// The app's name.
        app: String,
        /// `paused`, `resumed`, `stopped`.
        what: &'static str,
    },
    /// An app changed its state.
    StateChanged {
        /// Its name.
        app: String,
        /// Before.
        from: State,
        /// Now.
        to: State,
        /// Why.
        reason: String,
    },
    /// A check has a verdict.
    Checked {
        /// The app's name.
        app: String,
        /// How it went.
        outcome: Outcome,
        /// Why.
        reason: String,
        /// Until the verdict.
        latency: Duration,
        /// Whether it counts; a refusal just after a registration does not.
        counts: bool,
    },
    /// A check ended without a verdict, and is tried again.
    Undecided {
        /// The app's name.
        app: String,
        /// Why.
        reason: String,
    },
    /// Checks begin to come late for want of threads.
    TooFewThreads {
        /// How long one has waited for its thread.
        waited: Duration,
        /// The most threads there may be.
        workers: usize,
    },
    /// No check came late for a while.
    ThreadsEnough,
    /// The mail server has a mail.
    MailAccepted {
        /// The recipient.
        to: Recipient,
        /// Until then.
        after: Duration,
    },
    /// A mail is kept and tried again.
    MailKept {
        /// The recipient.
        to: Recipient,
        /// When it is tried again.
        retry_in: Duration,
        /// Why.
        reason: String,
    },
    /// A person has had enough mails for an hour, and what else there is to tell is gathered.
    MailHeldBack {
        /// The recipient.
        to: Recipient,
        /// How many they had.
        had: usize,
        /// Until the digest.
        hold: Duration,
    },
    /// The clock cannot be right, and a mail waits until it is set.
    ClockWrong {
        /// What it shows.
        clock: Wall,
    },
    /// Times on record are later than it is by a time server.
    ClockWasAhead,
    /// The wall clock was set.
    ClockSet {
        /// What it shows now.
        to: Wall,
    },
    /// The machine was asleep, and so were we.
    Slept {
        /// How long.
        span: Duration,
    },
    /// An app is silent, and others are asked whether it is us.
    LooksAround {
        /// Its name.
        app: String,
    },
    /// Something between us and apps is away: who is silent for want of it is not judged.
    Away {
        /// `our network is down`.
        what: &'static str,
    },
    /// It is back.
    Back {
        /// `our network is back`.
        what: &'static str,
        /// How long it was so, as far as it was seen.
        after: Duration,
    },
    /// Apps have their time to come back after an interruption.
    SettlingBegan {
        /// How many are awaited.
        apps: usize,
    },
    /// That time is over.
    SettlingEnded {
        /// How many came back,
        back: usize,
        /// and how many did not.
        missing: usize,
    },
    /// Somebody on record may have no mail, and others are told instead.
    Disallowed {
        /// Who.
        person: Recipient,
        /// How many apps name them.
        apps: usize,
        /// Who is told instead where an app names nobody else.
        instead: Vec<Recipient>,
    },
    /// A mail that waited is for somebody who may have none.
    MailDisallowed {
        /// Who.
        to: Recipient,
        /// Who gets it instead, as far as they do not know it.
        instead: Vec<Recipient>,
        /// It is kept until somebody may have it.
        is_kept: bool,
    },
    /// The mail server would take our mails, it says.
    RehearsalWentWell,
    /// It knows no such mailbox, it says.
    NoSuchMailbox {
        /// Whose, and what it said.
        reason: String,
    },
    /// The mail server does not take mail with our settings.
    SettingsRefused {
        /// What it said.
        reason: String,
    },
    /// The mail server could not be asked.
    MailServerAway {
        /// Why.
        reason: String,
    },
    /// A mail was refused for good.
    MailRefused {
        /// The recipient.
        to: Recipient,
        /// What the server said.
        reason: String,
    },
    /// Somebody has given up a mail that the server refuses, who knows why.
    MailGivenUp {
        /// The recipient.
        to: Recipient,
    },
    /// Somebody has seen that mails to an address were refused for good.
    RefusalSeen {
        /// The recipient.
        to: Recipient,
    },
}

impl LogEvent {
    /// How much the line matters.
    pub fn severity(&self) -> Severity {
        match self {
            LogEvent::Checked { .. }
            | LogEvent::Undecided { .. }
            | LogEvent::LooksAround { .. } => Severity::Detail,
            LogEvent::StateChanged { to: State::Unhealthy | State::Degraded, .. } => {
                Severity::Trouble
            }
            LogEvent::MailKept { .. } | LogEvent::MailRefused { .. } => Severity::Trouble,
            LogEvent::SettingsRefused { .. } | LogEvent::MailServerAway { .. } => Severity::Trouble,
            LogEvent::NoSuchMailbox { .. } => Severity::Trouble,
            LogEvent::MailHeldBack { .. } | LogEvent::ClockWrong { .. } => Severity::Trouble,
            LogEvent::Disallowed { .. } | LogEvent::MailDisallowed { .. } => Severity::Trouble,
            LogEvent::TooFewThreads { .. } | LogEvent::Away { .. } => Severity::Trouble,
            _ => Severity::Change,
        }
    }
}

impl fmt::Display for LogEvent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            LogEvent::Registered { app, url, new } => {
                let how = if *new { "watched from now on" } else { "registered again" };
                match url {
                    Some(url) => write!(f, "{app}: {how} at {url}"),
                    None => write!(f, "{app}: {how} by its beats"),
                }
            }
            LogEvent::Quiet { app, span } => {
                write!(f, "{app}: quiet for {}", span::in_words(*span))
            }
            LogEvent::Commanded { app, what } => write!(f, "{app}: {what}"),
            LogEvent::StateChanged { app, from, to, reason } => {
                write!(f, "{app}: {} -> {} ({reason})", from.word(), to.word())
            }
            LogEvent::Checked { app, outcome, reason, latency, counts } => {
                let uncounted = if *counts { "" } else { ", not counted" };
                write!(
                    f,
                    "{app}: {outcome:?} after {} ms ({reason}{uncounted})",
                    latency.as_millis()
                )
            }
            LogEvent::Undecided { app, reason } => {
                write!(f, "{app}: no verdict, to be tried again ({reason})")
            }
            LogEvent::TooFewThreads { waited, workers } => {
                write!(
                    f,
                    "checks come late for want of threads: one has waited {} s; apps that hang hold \
                     them, and no more than {workers} may run (option workers)",
                    waited.as_secs()
                )
            }
            LogEvent::ThreadsEnough => f.write_str("checks come in time again"),
            LogEvent::MailAccepted { to, after } if *after < IN_WORDS => {
                write!(f, "mail to {to}: accepted after {} ms", after.as_millis())
            }
            LogEvent::MailAccepted { to, after } => {
                write!(f, "mail to {to}: accepted after {}", span::in_words(*after))
            }
            LogEvent::MailKept { to, retry_in, reason } => {
                write!(
                    f,
                    "mail to {to} not sent: {reason}; kept, next try in {} s",
                    retry_in.as_secs()
                )
            }
            LogEvent::MailHeldBack { to, had, hold } => {
                write!(
                    f,
                    "mail to {to}: {had} within an hour are enough; the rest is gathered \
                     in one, in {} s",
                    hold.as_secs()
                )
            }
            LogEvent::ClockWrong { clock } => {
                write!(
                    f,
                    "the clock shows {clock}, which cannot be; mails wait until it is set (see \
                     mail_without_clock)"
                )
            }
            LogEvent::ClockWasAhead => f.write_str(
                "the clock was ahead in an earlier run: times on record that are still to come are put right",
            ),
            LogEvent::ClockSet { to } => write!(f, "the clock was set, to {to}"),
            LogEvent::LooksAround { app } => {
                write!(f, "{app}: no answer; whether it is our network is looked at first")
            }
            LogEvent::Away { what } => {
                write!(f, "{what}: silences for want of that do not count until it is back")
            }
            LogEvent::Back { what, after } => {
                write!(f, "{what} after {}", span::in_words(*after))
            }
            LogEvent::SettlingBegan { apps } => write!(
                f,
                "{apps} apps have their time to come back: failures do not count until then"
            ),
            LogEvent::SettlingEnded { back, missing } => {
                write!(f, "that time is over: {back} apps are back, {missing} are not")
            }
            LogEvent::Slept { span } => {
                write!(f, "this machine was asleep for {}", span::in_words(*span))
            }
            LogEvent::Disallowed { person, apps, instead } => {
                let apps = if *apps == 1 { "1 app".to_owned() } else { format!("{apps} apps") };
                let instead = or_nobody(instead);
                write!(
                    f,
                    "allow_email lets no mail go to {person}, whom {apps} named: where nobody else \
                     is named, {instead} is told"
                )
            }
            LogEvent::MailDisallowed { to, is_kept: true, .. } => {
                write!(
                    f,
                    "mail to {to}: allow_email lets it not go there; it is kept, for no email is set to have it instead"
                )
            }
            LogEvent::MailDisallowed { to, instead, .. } if instead.is_empty() => {
                write!(f, "mail to {to}: allow_email lets it not go there; it is no news to others")
            }
            LogEvent::MailDisallowed { to, instead, .. } => {
                let instead = listed(instead);
                write!(f, "mail to {to}: allow_email lets it not go there; {instead} gets it")
            }
            LogEvent::RehearsalWentWell => f.write_str("the mail server is there and lets us in"),
            LogEvent::NoSuchMailbox { reason } => {
                write!(f, "email names a mailbox that the mail server does not know: {reason}")
            }
            LogEvent::SettingsRefused { reason } => {
                write!(f, "the mail settings do not work: {reason}; mails are kept until they do")
            }
            LogEvent::MailServerAway { reason } => {
                write!(
                    f,
                    "the mail server could not be asked: {reason}; mails are kept until it is there"
                )
            }
            LogEvent::MailGivenUp { to } => {
                write!(f, "mail to {to} given up: somebody has seen that the server refuses it")
            }
            LogEvent::RefusalSeen { to } => {
                write!(f, "mail to {to}: somebody has seen that it was refused for good")
            }
            LogEvent::MailRefused { to, reason } => {
                write!(f, "mail to {to} refused for good: {reason}")
            }
        }
    }
}

fn or_nobody(people: &[Recipient]) -> String {
    if people.is_empty() { "nobody".to_owned() } else { listed(people) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_person_may_have_to_act_on_is_trouble() {
        for (to, severity) in [
            (State::Unhealthy, Severity::Trouble),
            (State::Degraded, Severity::Trouble),
            (State::Healthy, Severity::Change),
            (State::Unknown, Severity::Change),
        ] {
            let (app, from, reason) = ("NAS".to_owned(), State::Unknown, String::new());
            assert_eq!(LogEvent::StateChanged { app, from, to, reason }.severity(), severity);
        }
        let (to, reason, span) =
            (Recipient::mail("a@b.c"), || "why".to_owned(), Duration::from_secs(60));
        for trouble in [
            LogEvent::MailKept { to: to.clone(), retry_in: span, reason: reason() },
            LogEvent::MailRefused { to: to.clone(), reason: reason() },
            LogEvent::SettingsRefused { reason: reason() },
            LogEvent::MailServerAway { reason: reason() },
            LogEvent::NoSuchMailbox { reason: reason() },
            LogEvent::MailHeldBack { to: to.clone(), had: 20, hold: span },
            LogEvent::ClockWrong { clock: Wall::default() },
            LogEvent::Disallowed { person: to.clone(), apps: 1, instead: vec![] },
            LogEvent::MailDisallowed { to: to.clone(), instead: vec![], is_kept: true },
            LogEvent::TooFewThreads { waited: span, workers: 4 },
        ] {
            assert_eq!(trouble.severity(), Severity::Trouble, "{trouble}");
        }
        let accepted = LogEvent::MailAccepted { to, after: span };
        assert_eq!(accepted.severity(), Severity::Change);
    }

    #[test]
    fn a_check_alone_is_a_detail_that_fills_no_log() {
        let (app, reason) = (|| "NAS".to_owned(), || "HTTP 200 OK".to_owned());
        let latency = Duration::from_millis(5);
        for detail in [
            LogEvent::Checked {
                app: app(),
                outcome: Outcome::Pass,
                reason: reason(),
                latency,
                counts: true,
            },
            LogEvent::Undecided { app: app(), reason: reason() },
        ] {
            assert_eq!(detail.severity(), Severity::Detail, "{detail}");
        }
    }

    #[test]
    fn a_mail_that_may_not_go_says_who_gets_it_instead() {
        for (instead, is_kept, said) in [
            (vec![Recipient::mail("d@e.f")], false, "d@e.f gets it"),
            (vec![], false, "it is no news to others"),
            (vec![], true, "no email is set to have it instead"),
        ] {
            let note = LogEvent::MailDisallowed { to: Recipient::mail("a@b.c"), instead, is_kept };
            assert!(note.to_string().ends_with(said), "{note}");
        }
    }
}
