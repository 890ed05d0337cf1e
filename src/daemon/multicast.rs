//! The one mDNS daemon of the process, shared by the announcement and the look-up of `.local` names.

use std::sync::{Mutex, PoisonError};

use mdns_sd::ServiceDaemon;

/// Holds the daemon that the announcer started, or starts one when a name is first asked.
#[derive(Default)]
pub struct Multicast(Mutex<Option<ServiceDaemon>>);

impl Multicast {
    /// The announcer has another daemon now, or none.
    pub fn set(&self, daemon: Option<ServiceDaemon>) {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = daemon;
    }

    /// The daemon; `None` when there is no multicast.
    pub fn get(&self) -> Option<ServiceDaemon> {
        let mut daemon = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if daemon.is_none() {
            *daemon =
                ServiceDaemon::new().inspect_err(|why| log::debug!("no multicast: {why}")).ok();
        }
        daemon.clone()
    }
}
