//! Sends letters, each in a conversation with the mail server.
//!
//! One thread waits for letters and never wakes otherwise. Each conversation runs on a thread that
//! lives for that one mail: so a panic inside lettre, a name look-up that cannot be cancelled, or a
//! server that answers one byte a minute costs that one attempt, and the mail is tried again.

mod attempt;
pub mod classify;
mod compose;
mod conversation;
mod envelope;
mod hello;
mod offer;
mod redact;
mod reply;
mod trial;
mod trouble;
pub mod turns;
mod wire;

use std::net::IpAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};
use std::{io, thread};

use self::attempt::Server;
use self::conversation::{deliver, rehearse};
use self::turns::{Turn, Turns};
use crate::config::settings::MailSettings;
use crate::daemon::channel::{Receiver, RecvError, Sender, channel};
use crate::daemon::names::Names;
use crate::daemon::trust::Trust;
use crate::engine::outbox::delivery::Delivery;
use crate::engine::outbox::letter::RenderedMail;

pub use self::compose::{address, compose};
pub use self::trial::{TestMail, test_mail};

/// The waiting thread only passes things on.
const STACK: usize = 64 * 1024;
/// With nothing under way there is nothing to wake for.
const FOR_EVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// What the mailer has to tell the event loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum MailReport {
    /// An attempt to send a mail ended.
    Mail {
        /// As given to [`Mailer::send`].
        id: u64,
        delivery: Delivery,
    },
    /// The thread is alive: the answer to [`Mailer::ping`].
    Alive,
    /// What [`Mailer::rehearse`] asked for ended; `Accepted`: mails would be taken.
    Rehearsal(Delivery),
}

/// What is to be done in a conversation.
enum Job {
    Mail { id: u64, letter: Box<RenderedMail> },
    Rehearsal { to: Vec<String> },
}

/// What happens to the thread.
enum Event {
    Asked(Job),
    Ping,
    /// The conversation of this number is over.
    Ended(u64, Delivery),
    /// The mailer is dropped.
    End,
}

type Tell = Arc<dyn Fn(MailReport) + Send + Sync>;

/// Sends letters. Dropping it ends its thread. Nobody waits for the mails under way: the outbox keeps
/// what was not reported.
pub(crate) struct Mailer {
    tell: Tell,
    /// `None`: letters go to the log.
    talks: Option<Talks>,
}

/// To the thread, and to the server.
struct Talks {
    events: Sender<Event>,
    server: Arc<Server>,
}

impl Mailer {
    /// Starts the thread. The mail server is found by `names`, and is who `trust` believes it is. `tell`
    /// is called on the thread for each report; it must not block (send to a channel and wake the loop).
    ///
    /// # Errors
    /// If the system has no thread for us.
    pub(crate) fn start(
        settings: MailSettings,
        names: Names,
        trust: Trust,
        tell: impl Fn(MailReport) + Send + Sync + 'static,
    ) -> io::Result<Mailer> {
        let tell: Tell = Arc::new(tell);
        let (events, queue) = channel();
        let server = Arc::new(Server::new(settings, names, trust));
        let worker = Worker {
            server: Arc::clone(&server),
            tell: Arc::clone(&tell),
            events: events.clone(),
            turns: Turns::default(),
            about: Vec::new(),
        };
        thread::Builder::new()
            .name("mailer".into())
            .stack_size(STACK)
            .spawn(move || worker.work(&queue))?;
        Ok(Mailer { tell, talks: Some(Talks { events, server }) })
    }

    /// For development: letters go to the log, and are accepted at once, from within
    /// [`Mailer::send`].
    pub(crate) fn to_log(tell: impl Fn(MailReport) + Send + Sync + 'static) -> Mailer {
        Mailer { tell: Arc::new(tell), talks: None }
    }

    /// Sends a letter; the report comes later, with the same `id`.
    pub(crate) fn send(&self, id: u64, letter: RenderedMail) {
        let Some(Talks { events, .. }) = &self.talks else {
            log_letter(&letter);
            return (self.tell)(MailReport::Mail { id, delivery: Delivery::Accepted });
        };
        let job = Job::Mail { id, letter: Box::new(letter) };
        if events.send(Event::Asked(job)).is_err() {
            (self.tell)(MailReport::Mail { id, delivery: thread_is_gone() });
        }
    }

    /// Asks the thread whether it is alive; it says so, and a dead one never.
    pub(crate) fn ping(&self) {
        match &self.talks {
            Some(Talks { events, .. }) => {
                // A thread that has ended is silent, which is what we want to know.
                let _ = events.send(Event::Ping);
            }
            None => (self.tell)(MailReport::Alive),
        }
    }

    /// Where the mail server is, as far as it has greeted us.
    pub(crate) fn server_is_at(&self) -> Option<IpAddr> {
        self.talks.as_ref()?.server.greeted_at()
    }

    /// Logs in, and asks whether mails to these people would be taken, so that wrong settings are known
    /// before the first alert; no mail is sent. The report comes later (none for a mailer to the log).
    pub(crate) fn rehearse(&self, to: Vec<String>) {
        // Nobody is there to log in to, for the log.
        let Some(Talks { events, .. }) = &self.talks else { return };
        if events.send(Event::Asked(Job::Rehearsal { to })).is_err() {
            (self.tell)(MailReport::Rehearsal(thread_is_gone()));
        }
    }
}

impl Drop for Mailer {
    fn drop(&mut self) {
        if let Some(Talks { events, .. }) = &self.talks {
            // One that has ended already needs no telling.
            let _ = events.send(Event::End);
        }
    }
}

fn thread_is_gone() -> Delivery {
    Delivery::Later("the mailer's thread has ended; a restart helps".into())
}

fn log_letter(letter: &RenderedMail) {
    log::info!("not sent, for this is a test: mail to {}: {}", letter.to, letter.subject);
    for line in letter.text.lines() {
        log::info!("  | {line}");
    }
}

/// Whom a report is about.
#[derive(Clone, Copy)]
enum About {
    Mail(u64),
    Rehearsal,
}

impl About {
    fn report(self, delivery: Delivery) -> MailReport {
        match self {
            About::Mail(id) => MailReport::Mail { id, delivery },
            About::Rehearsal => MailReport::Rehearsal(delivery),
        }
    }
}

impl Job {
    fn about(&self) -> About {
        match self {
            Job::Mail { id, .. } => About::Mail(*id),
            Job::Rehearsal { .. } => About::Rehearsal,
        }
    }
}

/// The thread's own.
struct Worker {
    server: Arc<Server>,
    tell: Tell,
    /// For the conversations, to say that they are over.
    events: Sender<Event>,
    turns: Turns<Job>,
    /// What each conversation under way is about: a few.
    about: Vec<(u64, About)>,
}

impl Worker {
    fn work(mut self, queue: &Receiver<Event>) {
        loop {
            let until = self.turns.next_deadline();
            let wait = until.map_or(FOR_EVER, |at| at.saturating_duration_since(Instant::now()));
            match queue.recv_timeout(wait) {
                Ok(Event::Asked(job)) => self.turns.add(job),
                Ok(Event::Ping) => (self.tell)(MailReport::Alive),
                Ok(Event::Ended(number, delivery)) => {
                    if self.turns.ended(number) {
                        self.report(number, delivery);
                    }
                }
                Err(RecvError::Timeout) => {}
                Ok(Event::End) | Err(RecvError::Disconnected) => return,
            }
            self.go_on(Instant::now());
        }
    }

    fn go_on(&mut self, now: Instant) {
        for number in self.turns.give_up(now) {
            self.report(number, attempt::given_up());
        }
        while let Some(turn) = self.turns.next(now) {
            match turn {
                Turn::Begin(number, job) => self.begin(number, job),
                Turn::Refuse(job) => {
                    let why = "earlier attempts still hang in the system";
                    (self.tell)(job.about().report(Delivery::Later(why.to_owned())));
                }
            }
        }
    }

    fn begin(&mut self, number: u64, job: Job) {
        self.about.push((number, job.about()));
        let events = self.events.clone();
        let converse = move |server: &Server, end| match job {
            Job::Mail { letter, .. } => deliver(server, &letter, end).map(drop),
            Job::Rehearsal { to } => rehearse(server, &to, end),
        };
        attempt::start(&self.server, converse, move |outcome| {
            let delivery = outcome.map_or_else(|it| it, |()| Delivery::Accepted);
            // The mailer may be gone by now.
            let _ = events.send(Event::Ended(number, delivery));
        });
    }

    fn report(&mut self, number: u64, delivery: Delivery) {
        if let Some(at) = self.about.iter().position(|(other, _)| *other == number) {
            let (_, about) = self.about.swap_remove(at);
            (self.tell)(about.report(delivery));
        }
    }
}

#[cfg(test)]
mod tests;
