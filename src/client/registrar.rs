//! Keeps an app registered, from a thread of its own.

use std::io;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use super::server::CallContext;
use super::{Error, Monitor, background};

/// The first pause after a failure; it doubles,
const RETRY_FIRST: Duration = Duration::from_secs(5);
/// up to this one: an app is watched again a minute after the daemon is back.
const RETRY_LAST: Duration = Duration::from_secs(60);
/// Between two looks whether the daemon still knows the app.
const LOOK_EVERY: Duration = Duration::from_secs(60);
/// What the daemon refused will be right only after somebody changed something there.
const REFUSED: Duration = Duration::from_secs(300);
/// An HTTP call and the search for the daemon fit, in the dev profile too.
pub(super) const STACK: usize = 512 * 1024;

/// Starts and ends the thread.
#[derive(Clone, Debug, Default)]
pub(super) struct Registrar {
    turn: Arc<Turn>,
}

/// Whose turn it is: a newer call, or the end, takes it from the thread that runs.
#[derive(Debug, Default)]
struct Turn {
    number: Mutex<u64>,
    /// Held by the thread while it talks to the daemon.
    busy: Mutex<()>,
    changed: Condvar,
}

impl Turn {
    fn next(&self) -> u64 {
        let mut number = self.number.lock().unwrap_or_else(PoisonError::into_inner);
        *number += 1;
        self.changed.notify_all();
        *number
    }

    /// Waits; false as soon as it is another's turn.
    fn wait(&self, mine: u64, pause: Duration) -> bool {
        let number = self.number.lock().unwrap_or_else(PoisonError::into_inner);
        let waited = self.changed.wait_timeout_while(number, pause, |number| *number == mine);
        let (number, _) = waited.unwrap_or_else(PoisonError::into_inner);
        *number == mine
    }
}

impl Registrar {
    pub(super) fn start(&self, context: Arc<CallContext>, how: Monitor) -> io::Result<()> {
        let turn = self.turn.clone();
        let mine = turn.next();
        let mut keeping =
            Keeping { how, known: false, well: false, retry: RETRY_FIRST, told: None };
        let keep = move || {
            let mut pause = Duration::ZERO;
            while turn.wait(mine, pause) {
                let _busy = turn.busy.lock().unwrap_or_else(PoisonError::into_inner);
                if turn.wait(mine, Duration::ZERO) {
                    pause = keeping.step(&*context);
                }
            }
        };
        background::start("keep-registered", STACK, Box::new(keep))
    }

    /// Ends the thread, which may be in the middle of a call: see [`Registrar::wait_for_end`].
    pub(super) fn end(&self) {
        self.turn.next();
    }

    /// Waits for a call of the thread that was ended: nothing is registered any more when this returns.
    pub(super) fn wait_for_end(&self) {
        drop(self.turn.busy.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

/// What the thread asks of the daemon.
trait Ask {
    fn name(&self) -> &str;
    fn register(&self, how: &Monitor) -> Result<(), Error>;
    fn look(&self) -> Result<(), Error>;
}

impl Ask for CallContext {
    fn name(&self) -> &str {
        &self.app
    }

    fn register(&self, how: &Monitor) -> Result<(), Error> {
        self.monitor(how)
    }

    fn look(&self) -> Result<(), Error> {
        self.info().map(drop)
    }
}

struct Keeping {
    how: Monitor,
    /// The daemon knew the app the last time.
    known: bool,
    /// It is registered, and that is logged.
    well: bool,
    retry: Duration,
    /// What was logged last.
    told: Option<Error>,
}

impl Keeping {
    /// Does what is to be done now; how long to wait until the next time.
    fn step(&mut self, daemon: &impl Ask) -> Duration {
        let result = if self.known { self.look(daemon) } else { daemon.register(&self.how) };
        match result {
            Ok(()) => {
                if !std::mem::replace(&mut self.well, true) {
                    log::info!("{}: registered with the HealthChecker server", daemon.name());
                }
                (self.known, self.retry, self.told) = (true, RETRY_FIRST, None);
                LOOK_EVERY
            }
            Err(why) => {
                let pause = if why.is_final() { REFUSED } else { self.retry };
                self.retry = (self.retry * 2).min(RETRY_LAST);
                self.well = false;
                if self.told.as_ref() != Some(&why) {
                    log::warn!("{}: {why}", daemon.name());
                    self.told = Some(why);
                }
                pause
            }
        }
    }

    fn look(&mut self, daemon: &impl Ask) -> Result<(), Error> {
        match daemon.look() {
            // It has forgotten the app, or does not say: to register again changes nothing then.
            Err(why) if why.is_final() => {
                self.known = false;
                daemon.register(&self.how)
            }
            other => other,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::cell::{Cell, RefCell};

    use super::*;

    /// A daemon that answers what it is told to.
    struct Daemon {
        up: Cell<bool>,
        knows: Cell<bool>,
        refuses: RefCell<Option<Error>>,
        hides: Cell<bool>,
        registrations: Cell<u32>,
    }

    impl Daemon {
        fn new() -> Daemon {
            Daemon {
                up: Cell::new(true),
                knows: Cell::new(false),
                refuses: RefCell::new(None),
                hides: Cell::new(false),
                registrations: Cell::new(0),
            }
        }

        fn answer(&self) -> Result<(), Error> {
            if self.up.get() { Ok(()) } else { Err(Error::NotFound) }
        }
    }

    impl Ask for Daemon {
        fn name(&self) -> &str {
            "NAS"
        }

        fn register(&self, _: &Monitor) -> Result<(), Error> {
            self.answer()?;
            if let Some(why) = self.refuses.borrow().clone() {
                return Err(why);
            }
            self.knows.set(true);
            self.registrations.set(self.registrations.get() + 1);
            Ok(())
        }

        fn look(&self) -> Result<(), Error> {
            self.answer()?;
            if self.hides.get() {
                return Err(Error::TokenMissing);
            }
            if self.knows.get() { Ok(()) } else { Err(refused(404)) }
        }
    }

    fn refused(status: u16) -> Error {
        Error::Refused { status, sentence: "no".to_owned(), field: None }
    }

    fn keeping() -> Keeping {
        Keeping { how: Monitor::new(), known: false, well: false, retry: RETRY_FIRST, told: None }
    }

    #[test]
    fn a_daemon_that_starts_late_is_waited_for_ever_more_patiently() {
        let (daemon, mut keeping) = (Daemon::new(), keeping());
        daemon.up.set(false);
        let pauses: Vec<u64> = (0..6).map(|_| keeping.step(&daemon).as_secs()).collect();
        assert_eq!(pauses, [5, 10, 20, 40, 60, 60]);
        daemon.up.set(true);
        assert_eq!(keeping.step(&daemon), LOOK_EVERY);
        assert_eq!(daemon.registrations.get(), 1);
    }

    #[test]
    fn it_registers_again_only_with_a_daemon_that_forgot_it() {
        let (daemon, mut keeping) = (Daemon::new(), keeping());
        for _ in 0..5 {
            keeping.step(&daemon);
        }
        assert_eq!(daemon.registrations.get(), 1);
        daemon.up.set(false);
        assert_eq!(keeping.step(&daemon), RETRY_FIRST);
        daemon.up.set(true);
        daemon.knows.set(false);
        keeping.step(&daemon);
        assert_eq!(daemon.registrations.get(), 2);
    }

    /// Only reading needs a token: it may have forgotten the app, or not.
    #[test]
    fn a_look_that_is_refused_falls_back_to_registering() {
        let (daemon, mut keeping) = (Daemon::new(), keeping());
        daemon.hides.set(true);
        for _ in 0..3 {
            assert_eq!(keeping.step(&daemon), LOOK_EVERY);
        }
        assert_eq!(daemon.registrations.get(), 3);
    }

    #[test]
    fn what_is_refused_is_tried_again_slowly() {
        let (daemon, mut keeping) = (Daemon::new(), keeping());
        *daemon.refuses.borrow_mut() = Some(refused(400));
        assert_eq!(keeping.step(&daemon), REFUSED);
        *daemon.refuses.borrow_mut() = None;
        assert_eq!(keeping.step(&daemon), LOOK_EVERY);
    }

    #[test]
    fn the_end_wakes_the_thread() {
        let turn = Turn::default();
        let mine = turn.next();
        assert!(turn.wait(mine, Duration::ZERO));
        turn.next();
        assert!(!turn.wait(mine, Duration::from_secs(3600)));
    }
}
