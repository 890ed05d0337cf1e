//! Looks around: what our own interfaces, and other machines, show of the network when an app is silent.
//!
//! - `networks` are our own interfaces: whether we are on a network, and where an address is from here.
//! - `survey` is one look: it connects to all witnesses at once and says nothing to them, least of all HTTP.
//!   `report` tells the event loop what was seen as it comes.
//! - The routers among the witnesses are found in `gateways`, and asked by more than a connection: by an
//!   [`echo`](super::echo), and by what the kernel has heard of its `neighbours`, for many drop what they need not answer.
//!
//! A look has a thread of its own, which ends with it: while all is well there is none. It never waits for a
//! thread that checks need, nor for a name.

mod gateways;
mod neighbours;
mod networks;
mod report;
mod survey;

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};
use std::thread;
use std::time::Instant;

use self::networks::Networks;
pub(super) use self::networks::is_private;
pub use self::networks::{is_cut_off, whereabouts};
use self::report::Report;
use self::survey::{Known, Survey};
use super::names::Names;
use crate::engine::surroundings::look::{Look, LookReport};

/// How many are asked at the same time, where the system allows us descriptors enough: all of the 64
/// witnesses, and the router in each of its ways.
pub const AT_ONCE_MAX: usize = 80;

/// Nothing is read but a list of interfaces, which the C library gathers in 8 KiB of it.
const STACK: usize = 96 * 1024;

/// Given what was seen, on the thread of the look; it must not block.
pub type Tell = dyn Fn(LookReport) + Send + Sync;

/// Looks around.
pub struct Lookout {
    names: Names,
    at_once: usize,
    tell: Arc<Tell>,
    /// One at a time.
    turn: Arc<Mutex<()>>,
}

impl Lookout {
    /// One that connects to at most `at_once` witnesses at the same time, and tells `tell` what it saw. Names
    /// are found among those that `names` knows.
    pub fn new(names: Names, at_once: usize, tell: Arc<Tell>) -> Lookout {
        Lookout { names, at_once, tell, turn: Arc::default() }
    }

    /// Looks around. What is seen is told in pieces, the last of which says so, whatever happens to the
    /// thread. A look that is begun before another has ended waits for it.
    pub fn look(&self, look: Look) {
        let Look { id, witnesses, routers, silent_for } = look;
        let now = Instant::now();
        let since = now.checked_sub(silent_for).unwrap_or(now);
        let asked = witnesses.iter().map(|(witness, _)| *witness).collect();
        let mut report = Report::new(id, asked, Arc::clone(&self.tell));
        let (names, turn, at_once) = (self.names.clone(), Arc::clone(&self.turn), self.at_once);
        let spawned =
            thread::Builder::new().name("lookout".into()).stack_size(STACK).spawn(move || {
                let _turn = turn.lock().unwrap_or_else(PoisonError::into_inner);
                let networks = Networks::read();
                report.set_out(networks.are_none());
                let is_here = |address| networks.is_here(address);
                let gateways = gateways::gateways(|name| networks.index_of(name));
                let known = Known { gateways, spoke: routers, since };
                let survey = Survey::new(&mut report, at_once, known);
                let seen = survey.and_then(|survey| survey.run(&witnesses, &names, is_here));
                if let Err(why) = seen {
                    log::warn!("cannot look around: {why}");
                }
            });
        // The report went with the thread that there is not, and told so.
        if let Err(why) = spawned {
            log::warn!("no thread to look around: {why}");
        }
    }
}

impl fmt::Debug for Lookout {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Lookout").field("at_once", &self.at_once).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
