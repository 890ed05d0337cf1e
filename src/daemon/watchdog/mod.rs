//! Tells systemd how we are (sd_notify(3)): ready, alive, stopping. A daemon that hangs is no longer
//! reported alive, and systemd starts it anew.
//!
//! - `notify`: the way to the service manager, if one started us and wants to know;
//! - `vitals`: decides, in virtual time, when which part is asked, and whether all are well;
//! - `own_request`: the thread that asks the service as a client would.
//!
//! The loop itself needs no question: it is the one who reports.

mod notify;
mod own_request;
mod vitals;

use std::io;
use std::net::SocketAddr;

use self::notify::Notifier;
use self::own_request::OwnRequests;
use self::vitals::Vitals;
use super::mailer::Mailer;
use crate::engine::time::Moment;

/// The service manager's view of us. Without one, it does nothing and costs nothing.
pub(super) struct Watchdog {
    manager: Option<Notifier>,
    alive: Option<Alive>,
}

/// What it takes to be reported alive.
struct Alive {
    vitals: Vitals,
    own_requests: OwnRequests,
    /// It has been said in the log that something hangs.
    told: bool,
}

impl Watchdog {
    /// Makes ready to report to the manager that started us; alive when the service at `serving`
    /// and the mailer (`mailing`) are, from `now` on. `wake` is called on another thread.
    ///
    /// # Errors
    /// The system has no thread for us.
    pub(super) fn start(
        serving: SocketAddr,
        mailing: bool,
        now: Moment,
        wake: impl Fn() + Send + 'static,
    ) -> io::Result<Watchdog> {
        let manager = Notifier::from_environment();
        let wanted = manager.as_ref().and(notify::watchdog_period());
        let alive = match wanted {
            Some(period) => Some(Alive {
                vitals: Vitals::new(period, mailing, now),
                own_requests: OwnRequests::start(serving, wake)?,
                told: false,
            }),
            None => None,
        };
        Ok(Watchdog { manager, alive })
    }

    /// We serve: what depends on us may start.
    pub(super) fn ready(&self) {
        self.notify("READY=1");
    }

    /// We are about to end, in good order.
    pub(super) fn stopping(&self) {
        self.notify("STOPPING=1");
    }

    /// The mailer's thread has shown itself.
    pub(super) fn handle_mailer(&mut self) {
        if let Some(alive) = &mut self.alive {
            alive.vitals.mailer_answered();
        }
    }

    /// When [`Watchdog::handle_time`] is to be called next.
    pub(super) fn next_deadline(&self) -> Option<Moment> {
        self.alive.as_ref().map(|alive| alive.vitals.next_deadline())
    }

    /// Asks whom it is time to ask, and reports us alive when all have answered.
    pub(super) fn handle_time(&mut self, now: Moment, mailer: Option<&Mailer>) {
        let Some(alive) = &mut self.alive else { return };
        if alive.own_requests.answered() {
            alive.vitals.service_answered();
        }
        let Some(round) = alive.vitals.handle_time(now) else { return };
        if round.ask_service {
            alive.own_requests.ask();
        }
        if let (true, Some(mailer)) = (round.ask_mailer, mailer) {
            mailer.ping();
        }
        match round.hangs {
            None => alive.told = false,
            Some(what) if !alive.told => {
                alive.told = true;
                log::error!("{what}; systemd is no longer told that we are alive");
            }
            Some(_) => {}
        }
        if round.hangs.is_none() {
            self.notify("WATCHDOG=1");
        }
    }

    fn notify(&self, state: &str) {
        if let Some(manager) = &self.manager {
            manager.notify(state);
        }
    }
}
