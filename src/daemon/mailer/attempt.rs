//! One attempt at a time, each on a thread of its own that may be given up.

use crate::daemon::channel::{RecvError, channel};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use crate::config::settings::MailSettings;
use crate::daemon::trust::Trust;
use crate::engine::alerts::delivery::Delivery;

/// All of one attempt, look-up to farewell.
const ATTEMPT: Duration = Duration::from_secs(120);
/// For an attempt that heeds its end to say so itself.
const GRACE: Duration = Duration::from_secs(5);
/// Attempts that were given up may still hang in the system; beyond these, none is started.
const MAX_HANGING: usize = 4;
/// A TLS handshake with the certificates of a large provider stays well below, in a debug build, too.
const STACK: usize = 256 * 1024;

/// The mail server, and whom we believe to be it.
pub(super) struct Server {
    pub(super) settings: MailSettings,
    pub(super) trust: Trust,
}

/// Runs conversations with one mail server.
pub(super) struct Attempts {
    server: Arc<Server>,
    /// Held by each attempt until it ends: its owners are counted.
    running: Arc<()>,
}

impl Attempts {
    pub(super) fn new(settings: MailSettings, trust: Trust) -> Attempts {
        Attempts { server: Arc::new(Server { settings, trust }), running: Arc::new(()) }
    }

    /// Runs `conversation` with the time at which it must be over, and waits for its end. One that
    /// goes on regardless is left to itself: should it deliver after all, the mail comes twice,
    /// which is better than never.
    pub(super) fn run<T: Send + 'static>(
        &self,
        conversation: impl FnOnce(&Server, Instant) -> Result<T, Delivery> + Send + 'static,
    ) -> Result<T, Delivery> {
        if Arc::strong_count(&self.running) > MAX_HANGING {
            return Err(Delivery::Later("earlier attempts still hang in the system".into()));
        }
        let (server, running) = (Arc::clone(&self.server), Arc::clone(&self.running));
        let (tell, end) = channel();
        let spawned =
            thread::Builder::new().name("mail".into()).stack_size(STACK).spawn(move || {
                // Nobody listens when the attempt was given up.
                let _ = tell.send(conversation(&server, Instant::now() + ATTEMPT));
                drop(running);
            });
        if let Err(error) = spawned {
            return Err(Delivery::Later(format!("no thread for a mail: {error}")));
        }
        match end.recv_timeout(ATTEMPT + GRACE) {
            Ok(outcome) => outcome,
            Err(RecvError::Timeout) => {
                Err(Delivery::Later(format!("no end after {} s", ATTEMPT.as_secs())))
            }
            Err(RecvError::Disconnected) => {
                Err(Delivery::Later("a fault in our mail program; its report is in the log".into()))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::settings::Security;

    fn attempts() -> Attempts {
        let settings = MailSettings {
            from: "a@b.example".into(),
            host: "127.0.0.1".into(),
            port: 25,
            security: Security::None,
            login: None,
        };
        Attempts::new(settings, Trust::new(&[]))
    }

    #[test]
    fn a_panic_costs_one_attempt() {
        let attempts = attempts();
        let end = attempts.run(|_, _| -> Result<(), Delivery> { panic!("a fault in lettre") });
        assert!(matches!(end, Err(Delivery::Later(why)) if why.contains("a fault")));
        assert_eq!(attempts.run(|_, _| Ok(7)), Ok(7));
    }

    #[test]
    fn attempts_that_hang_do_not_pile_up() {
        let attempts = attempts();
        let hanging: Vec<_> = (0..MAX_HANGING).map(|_| Arc::clone(&attempts.running)).collect();
        assert!(matches!(attempts.run(|_, _| Ok(7)), Err(Delivery::Later(_))));
        drop(hanging);
        assert_eq!(attempts.run(|_, _| Ok(7)), Ok(7));
    }
}
