//! Sends letters, one after the other, on a thread of its own.
//!
//! The thread waits for letters and never wakes otherwise. Each conversation with the mail server
//! runs on a thread that lives for that one mail: so a panic inside lettre, a name look-up that
//! cannot be cancelled, or a server that answers one byte a minute costs that one attempt, and the
//! mail is tried again.

mod attempt;
mod compose;
mod conversation;
mod hush;
mod tls;
mod trial;
mod trouble;

use crate::daemon::channel::{Receiver, Sender, channel};
use std::sync::Arc;
use std::{io, thread};

use self::attempt::Attempts;
use self::conversation::{deliver, log_in};
use crate::config::settings::MailSettings;
use crate::daemon::trust::Trust;
use crate::engine::alerts::delivery::Delivery;
use crate::engine::alerts::notice::Letter;

pub use self::compose::{address, compose};
pub use self::trial::{TestMail, test_mail};

/// The waiting thread only passes things on.
const STACK: usize = 64 * 1024;

/// What the mailer has to tell the event loop.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// An attempt to send a mail ended.
    Mail {
        /// As given to [`Mailer::send`].
        id: u64,
        /// How.
        delivery: Delivery,
    },
    /// The thread is alive, and has done what it was given before [`Mailer::ping`].
    Alive,
    /// The login that [`Mailer::probe_login`] asked for ended; `Accepted`: we are let in.
    Login(Delivery),
}

/// What is asked of the thread.
enum Job {
    Mail { id: u64, letter: Box<Letter> },
    Login,
    Ping,
}

type Tell = Arc<dyn Fn(Report) + Send + Sync>;

/// Sends letters. Dropping it ends its thread after the mail under way, which nobody waits for: the
/// outbox keeps what was not reported.
pub struct Mailer {
    tell: Tell,
    /// `None`: letters go to the log.
    jobs: Option<Sender<Job>>,
}

impl Mailer {
    /// Starts the thread. The mail server is who `trust` believes it is; `tell` is called on it for each report; it must not block (send to a
    /// channel and wake the loop).
    ///
    /// # Errors
    /// If the system has no thread for us.
    pub fn start(
        settings: MailSettings,
        trust: Trust,
        tell: impl Fn(Report) + Send + Sync + 'static,
    ) -> io::Result<Mailer> {
        let tell: Tell = Arc::new(tell);
        let (jobs, queue) = channel();
        let attempts = Attempts::new(settings, trust);
        let told = Arc::clone(&tell);
        thread::Builder::new()
            .name("mailer".into())
            .stack_size(STACK)
            .spawn(move || work(&attempts, &queue, &told))?;
        Ok(Mailer { tell, jobs: Some(jobs) })
    }

    /// For development: letters go to the log, and are accepted at once, from within
    /// [`Mailer::send`].
    pub fn to_log(tell: impl Fn(Report) + Send + Sync + 'static) -> Mailer {
        Mailer { tell: Arc::new(tell), jobs: None }
    }

    /// Sends a letter; the report comes later, with the same `id`.
    pub fn send(&self, id: u64, letter: Letter) {
        let Some(jobs) = &self.jobs else {
            log_letter(&letter);
            return (self.tell)(Report::Mail { id, delivery: Delivery::Accepted });
        };
        if jobs.send(Job::Mail { id, letter: Box::new(letter) }).is_err() {
            (self.tell)(Report::Mail { id, delivery: thread_is_gone() });
        }
    }

    /// Asks the thread whether it is alive; it says so in its turn, and a dead one never.
    pub fn ping(&self) {
        match &self.jobs {
            Some(jobs) => {
                // A thread that has ended is silent, which is what we want to know.
                let _ = jobs.send(Job::Ping);
            }
            None => (self.tell)(Report::Alive),
        }
    }

    /// Logs in and out again, so that wrong credentials are known before the first alert; the
    /// report comes later (none for a mailer to the log).
    pub fn probe_login(&self) {
        // Nobody is there to log in to, for the log.
        let Some(jobs) = &self.jobs else { return };
        if jobs.send(Job::Login).is_err() {
            (self.tell)(Report::Login(thread_is_gone()));
        }
    }
}

fn thread_is_gone() -> Delivery {
    Delivery::Later("the mailer's thread has ended; a restart helps".into())
}

fn log_letter(letter: &Letter) {
    log::info!("not sent, for this is a test: mail to {}: {}", letter.to, letter.subject);
    for line in letter.text.lines() {
        log::info!("  | {line}");
    }
}

/// The thread: one job after the other, until the mailer is dropped.
fn work(attempts: &Attempts, queue: &Receiver<Job>, tell: &Tell) {
    for job in queue.iter() {
        tell(match job {
            Job::Mail { id, letter } => {
                let end = attempts.run(move |server, end| deliver(server, &letter, end));
                Report::Mail { id, delivery: end.map_or_else(|it| it, |_| Delivery::Accepted) }
            }
            Job::Ping => Report::Alive,
            Job::Login => {
                let end = attempts.run(log_in);
                Report::Login(end.map_or_else(|it| it, |()| Delivery::Accepted))
            }
        });
    }
}

#[cfg(test)]
mod tests;
