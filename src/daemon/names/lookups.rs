//! The threads that ask the system for addresses.
//!
//! getaddrinfo(3) cannot be cancelled and may take half a minute, so it is nobody's own thread
//! that asks. Few threads are enough, since look-ups are shared and remembered.

use std::collections::VecDeque;
use std::io;
use std::net::{SocketAddr, ToSocketAddrs};
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::Duration;

use super::{Desk, Fault, Shared};

/// The most look-ups at once. With the name service away, each thread can be held for 10 s and more.
const THREADS_MAX: usize = 4;

/// How long a thread without work waits for more before it ends.
const IDLE: Duration = Duration::from_secs(10);

/// The stack of a look-up thread: glibc loads its name service modules on it, musl keeps its
/// packets there (about 10 KiB). Only what is touched becomes memory.
const STACK: usize = 256 * 1024;

/// The most names that wait for a thread; beyond, a look-up fails at once. Callers wait too, so
/// there are never more of them than checks at once.
const QUEUE_MAX: usize = 256;

/// The work that waits, and the threads that do it.
#[derive(Default)]
pub(super) struct Lookups {
    queue: VecDeque<String>,
    threads: usize,
    idle: usize,
}

impl Lookups {
    /// Has `name` looked up, and its entry in the table settled. `false` when nobody can do it.
    #[must_use]
    pub(super) fn add(&mut self, name: &str, shared: &Arc<Shared>) -> bool {
        if self.queue.len() >= QUEUE_MAX {
            return false;
        }
        if self.queue.len() >= self.idle && self.threads < THREADS_MAX {
            self.start_thread(shared);
        }
        if self.threads == 0 {
            return false;
        }
        self.queue.push_back(name.to_owned());
        shared.work.notify_one();
        true
    }

    /// If it cannot be started, the others have more to do.
    fn start_thread(&mut self, shared: &Arc<Shared>) {
        let shared = shared.clone();
        let started = thread::Builder::new()
            .name("names".to_owned())
            .stack_size(STACK)
            .spawn(move || serve(&shared));
        match started {
            Ok(_) => self.threads += 1,
            Err(error) => log::warn!("cannot start a thread to look up names: {error}"),
        }
    }
}

/// The life of a look-up thread.
fn serve(shared: &Shared) {
    while let Some(name) = next(shared) {
        let look_up = AssertUnwindSafe(|| (shared.look_up)(&name));
        let found = panic::catch_unwind(look_up).unwrap_or(Err(Fault::Away));
        // Whoever waits takes it from the table.
        let _ = shared.settle(&name, found);
    }
}

/// The next name to look up; `None` when there has been none for long, and the thread counts no more.
fn next(shared: &Shared) -> Option<String> {
    let mut desk = shared.desk();
    if desk.lookups.queue.is_empty() {
        desk.lookups.idle += 1;
        desk = shared
            .work
            .wait_timeout_while(desk, IDLE, |desk| desk.lookups.queue.is_empty())
            .unwrap_or_else(PoisonError::into_inner)
            .0;
        desk.lookups.idle -= 1;
    }
    let Desk { lookups, .. } = &mut *desk;
    let name = lookups.queue.pop_front();
    if name.is_none() {
        lookups.threads -= 1;
    }
    name
}

/// Asks the system for the addresses of `name`, for as long as it takes.
pub(super) fn ask_the_system(name: &str) -> Result<Vec<SocketAddr>, Fault> {
    match (name, 0).to_socket_addrs() {
        Ok(found) => Ok(found.collect()),
        Err(error) => {
            log::debug!("cannot look up {name}: {error}");
            Err(fault(&error))
        }
    }
}

/// The standard library keeps only the text of getaddrinfo's error.
fn fault(error: &io::Error) -> Fault {
    /// How glibc and musl say that the name does not exist or has no address.
    const NO_SUCH_NAME: [&str; 5] = [
        "Name or service not known",
        "No address associated with hostname",
        "Name does not resolve",
        "Name has no usable address",
        "Address family for hostname not supported",
    ];
    let text = error.to_string();
    if NO_SUCH_NAME.iter().any(|known| text.contains(known)) { Fault::Unknown } else { Fault::Away }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_that_does_not_exist_is_told_from_a_silent_name_service() {
        let fault = |text: &str| fault(&io::Error::other(text.to_owned()));
        let gone = "failed to lookup address information: Name does not resolve";
        assert_eq!(fault(gone), Fault::Unknown);
        let away = "failed to lookup address information: Temporary failure in name resolution";
        assert_eq!(fault(away), Fault::Away);
        assert_eq!(fault("failed to lookup address information: Try again"), Fault::Away);
    }
}
