//! Zeroconf: announces the service, so that apps find it by its name alone, and asks for `.local`
//! names (RFC 6762, RFC 6763).
//!
//! - `wire` reads and writes messages; `responder` answers for our one service; `asking` has the
//!   questions that are out, `search` the services that the command line looks for. None of them has a
//!   socket, a thread or a clock.
//! - `links` are the networks there are, `socket` opens one on each, `worker` is the thread that does
//!   it all, `herald` tells the owner, `allowance` is how much is done for others; `survey` is what
//!   there is on the network at all, `browser` does without a thread what it and a search need.
//!
//! Why no library: mdns-sd, which apps find the daemon with, keeps what anybody sends (a device that floods the
//! network ends the process), answers nobody within a second of an answer, and notices a conflict only
//! while it probes. Here nothing is kept but what we asked for and announce. Without multicast everything
//! else of the daemon works.

mod allowance;
mod asking;
mod browser;
mod herald;
mod links;
mod names;
mod reach;
mod responder;
mod search;
mod socket;
mod survey;
pub mod wire;
mod worker;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use mio::Waker;

pub use asking::{Asking, QuestionId};
pub use browser::{Quest, browse, survey};
pub(super) use links::is_on_network;
pub use links::{Family, Outlet, OutletId};
pub(super) use reach::{is_inner_bridge, leads_outside};
pub use responder::{Responder, Send};
pub use search::Search;
pub use survey::{Seen, Survey};

use super::channel::{Receiver, Sender, channel};
use wire::Name;
use worker::{Command, Worker};

/// The longest wait for the goodbye to leave: it is said twice.
const GOODBYE_MAX: Duration = Duration::from_secs(1);

/// What is announced.
#[derive(Clone, Debug)]
pub struct Announcement {
    /// The address that the service is bound to: decides which addresses are announced.
    pub bind: IpAddr,
    /// The port that the service listens on.
    pub port: u16,
    /// The version of the program.
    pub version: &'static str,
    /// The name of the machine.
    pub hostname: String,
}

impl Announcement {
    /// What is said of the service besides.
    fn text(&self) -> Vec<String> {
        vec![
            format!("version={}", self.version),
            "desc=health check micro-service".to_owned(),
            "path=/healthchecker/".to_owned(),
        ]
    }
}

/// The one mDNS thread of the process: it runs when there is something to announce, or once a name has
/// been asked for. Clones share it.
#[derive(Clone)]
pub struct Discovery(Arc<Shared>);

struct Shared {
    announcement: Option<Announcement>,
    running: Mutex<Option<Running>>,
    questions: AtomicU64,
}

struct Running {
    commands: Sender<Command>,
    waker: Arc<Waker>,
}

impl Discovery {
    /// Begins to announce, if there is anything to announce. A service bound to the loopback interface
    /// cannot be used from the network, so it is not announced.
    pub fn start(announcement: Option<Announcement>) -> Discovery {
        let announcement = announcement.filter(|announcement| {
            let is_inner = announcement.bind.to_canonical().is_loopback();
            if is_inner {
                let bind = announcement.bind;
                log::info!("zeroconf: not announced, because only this machine can reach {bind}");
            }
            !is_inner
        });
        let is_wanted = announcement.is_some();
        let (running, questions) = (Mutex::new(None), AtomicU64::new(0));
        let discovery = Discovery(Arc::new(Shared { announcement, running, questions }));
        if is_wanted {
            discovery.tell(|_| true);
        }
        discovery
    }

    /// Asks for the addresses of `name`, which ends with `.local`, until the question is dropped. `None`
    /// when nobody can be asked.
    pub fn ask(&self, name: &str) -> Option<Question> {
        let name = Name::dotted(name)?;
        let id = self.0.questions.fetch_add(1, Ordering::Relaxed);
        let (asker, answers) = channel();
        let is_out = self.tell(|commands| commands.send(Command::Ask { id, name, asker }).is_ok());
        is_out.then(|| Question { answers, id, discovery: Some(self.clone()) })
    }

    /// Says goodbye to the network, so that clients forget the service at once, and ends the thread.
    /// Blocks for up to a second, mostly for 0.15 s.
    pub fn stop(&self) {
        let Some(running) = self.running().take() else {
            return;
        };
        let (done, ended) = channel();
        if running.commands.send(Command::Stop { done }).is_ok() && running.waker.wake().is_ok() {
            // Nothing is left to do when it does not answer: the process ends anyway.
            let _ = ended.recv_timeout(GOODBYE_MAX);
        }
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.0.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Tells the thread something, and starts it where there is none; false when nobody listens.
    fn tell(&self, say: impl FnOnce(&Sender<Command>) -> bool) -> bool {
        let mut running = self.running();
        if running.is_none() {
            match Worker::start(self.0.announcement.clone()) {
                Ok((commands, waker)) => *running = Some(Running { commands, waker }),
                Err(why) => log::warn!("zeroconf: no multicast: {why}; everything else works"),
            }
        }
        let is_told = running
            .as_ref()
            .is_some_and(|thread| say(&thread.commands) && thread.waker.wake().is_ok());
        if !is_told {
            // Its thread has ended: the next who comes starts another.
            *running = None;
        }
        is_told
    }
}

impl fmt::Debug for Discovery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Discovery").field(&self.0.announcement).finish()
    }
}

/// A question that is out; it is taken back when dropped.
#[derive(Debug)]
pub struct Question {
    answers: Receiver<Vec<SocketAddr>>,
    id: QuestionId,
    discovery: Option<Discovery>,
}

impl Question {
    /// A question that somebody else answers.
    #[cfg(test)]
    pub fn answered_by(answers: Receiver<Vec<SocketAddr>>) -> Question {
        Question { answers, id: 0, discovery: None }
    }

    /// The addresses in the next answer, never none of them; `None` when nothing comes by `deadline`.
    pub fn next(&self, deadline: Instant) -> Option<Vec<SocketAddr>> {
        self.answers.recv_timeout(deadline.saturating_duration_since(Instant::now())).ok()
    }
}

impl Drop for Question {
    fn drop(&mut self) {
        if let Some(discovery) = &self.discovery
            && let Some(running) = discovery.running().as_ref()
        {
            // It is forgotten at the next occasion: nobody need be woken for that.
            let _ = running.commands.send(Command::Forget { id: self.id });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_service_for_this_machine_alone_is_not_announced() {
        for bind in ["127.0.0.1", "::1", "127.0.0.2", "::ffff:127.0.0.1"] {
            let discovery = Discovery::start(Some(Announcement {
                bind: bind.parse().unwrap(),
                port: 8080,
                version: "0",
                hostname: "pi".to_owned(),
            }));
            assert!(discovery.0.announcement.is_none(), "{bind}");
            assert!(discovery.running().is_none(), "{bind}");
            discovery.stop();
        }
    }
}
