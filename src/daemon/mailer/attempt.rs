//! One attempt, on a thread of its own that may be given up.

use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use crate::config::settings::MailSettings;
use crate::daemon::channel::{RecvError, channel};
use crate::daemon::names::Names;
use crate::daemon::trust::Trust;
use crate::engine::outbox::delivery::Delivery;

/// All of one attempt, look-up to farewell. Each step has its own time, and a server that takes most of
/// it for several is hardly there; so this is for those that would go on for ever.
const ATTEMPT: Duration = Duration::from_secs(30 * 60);
/// For an attempt that heeds its end to say so itself.
const GRACE: Duration = Duration::from_secs(5);
/// How long the mailer waits before it gives an attempt up.
pub(super) const GIVEN_UP_AFTER: Duration = ATTEMPT.saturating_add(GRACE);
/// A TLS handshake with the certificates of a large provider stays well below, in a debug build, too.
const STACK: usize = 256 * 1024;

/// The mail server, how it is found, and whom we believe to be it.
pub(super) struct Server {
    pub(super) settings: MailSettings,
    pub(super) names: Names,
    pub(super) trust: Trust,
    greeted_at: Mutex<Option<IpAddr>>,
}

impl Server {
    /// Nobody has greeted us yet.
    pub(super) fn new(settings: MailSettings, names: Names, trust: Trust) -> Server {
        Server { settings, names, trust, greeted_at: Mutex::new(None) }
    }

    /// Where it is: it has greeted us there.
    pub(super) fn note_greeting(&self, at: IpAddr) {
        *self.greeted_at.lock().unwrap_or_else(PoisonError::into_inner) = Some(at);
    }

    /// Where it has greeted us last.
    pub(super) fn greeted_at(&self) -> Option<IpAddr> {
        *self.greeted_at.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts `conversation` with the time at which it must be over. `tell` is called on its thread, once,
/// whatever happens to it. One that goes on regardless is left to itself: should it deliver after all,
/// the mail comes twice, which is better than never.
pub(super) fn start<T: Send + 'static>(
    server: &Arc<Server>,
    conversation: impl FnOnce(&Server, Instant) -> Result<T, Delivery> + Send + 'static,
    tell: impl FnOnce(Result<T, Delivery>) + Send + 'static,
) {
    let server = Arc::clone(server);
    let report = OnceTold(Some(tell), std::marker::PhantomData);
    let spawned = thread::Builder::new().name("mail".into()).stack_size(STACK).spawn(move || {
        let end = Instant::now() + ATTEMPT;
        let outcome = conversation(&server, end);
        report.tell(outcome);
    });
    // The report went with the thread that there is not, and told so.
    if let Err(error) = spawned {
        log::warn!("no thread for a mail: {error}");
    }
}

/// Runs `conversation`, and waits for its end.
pub(super) fn run<T: Send + 'static>(
    server: &Arc<Server>,
    conversation: impl FnOnce(&Server, Instant) -> Result<T, Delivery> + Send + 'static,
) -> Result<T, Delivery> {
    let (tell, end) = channel();
    start(server, conversation, move |outcome| drop(tell.send(outcome)));
    match end.recv_timeout(GIVEN_UP_AFTER) {
        Ok(outcome) => outcome,
        Err(RecvError::Timeout | RecvError::Disconnected) => Err(given_up()),
    }
}

/// What is said of an attempt that did not end.
pub(super) fn given_up() -> Delivery {
    Delivery::Later(format!("no end after {} min", ATTEMPT.as_secs() / 60))
}

/// Tells how an attempt ended, also when it ends in a panic.
struct OnceTold<T, F: FnOnce(Result<T, Delivery>)>(Option<F>, std::marker::PhantomData<fn(T)>);

impl<T, F: FnOnce(Result<T, Delivery>)> OnceTold<T, F> {
    fn tell(mut self, outcome: Result<T, Delivery>) {
        if let Some(tell) = self.0.take() {
            tell(outcome);
        }
    }
}

impl<T, F: FnOnce(Result<T, Delivery>)> Drop for OnceTold<T, F> {
    fn drop(&mut self) {
        if let Some(tell) = self.0.take() {
            let why = "the attempt broke down through a fault of ours; the log says more";
            tell(Err(Delivery::Later(why.to_owned())));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::Security;

    #[test]
    fn a_panic_costs_one_attempt() {
        let settings = MailSettings {
            from: "a@b.example".into(),
            host: "127.0.0.1".into(),
            port: 25,
            security: Security::None,
            login: None,
            without_clock: false,
        };
        let names = Names::new(Arc::new(|_: &str| None), 1);
        let server = Arc::new(Server::new(settings, names, Trust::new(&[])));
        let end = run(&server, |_, _| -> Result<(), Delivery> { panic!("a fault in lettre") });
        assert!(matches!(end, Err(Delivery::Later(why)) if why.contains("a fault of ours")));
        assert_eq!(run(&server, |_, _| Ok(7)), Ok(7));
    }
}
