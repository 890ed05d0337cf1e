//! Looks at the event loop's state: a question and its answer in one.
//!
//! A big answer (all apps) is put together on the API's threads from many small looks, so that no
//! client, however much it wants to see, holds up a check.

use std::any::Any;
use std::fmt;

use crate::daemon::channel::{Receiver, channel};
use crate::daemon::journal::Stats;
use crate::daemon::metrics::PoolUse;
use crate::engine::core::Engine;
use crate::engine::time::{Moment, Now};

/// What there is to see.
#[derive(Debug)]
pub struct Sight<'a> {
    /// The household.
    pub engine: &'a Engine,
    /// The time.
    pub now: Now,
    /// When the daemon started.
    pub started: Moment,
    /// What there is to say about the disk.
    pub disk: Vec<String>,
    /// The threads that ask.
    pub pool: PoolUse,
    /// What the journal has cost the disk.
    pub journal: Stats,
}

/// One look, made by the event loop: bounded, and nothing but data comes out.
pub struct Look(Box<dyn FnOnce(&Sight<'_>) + Send>);

impl Look {
    /// A look, and where its answer arrives: of one type to the channel, whose code is there once.
    pub(super) fn new<T: Send + 'static>(
        look: impl FnOnce(&Sight<'_>) -> T + Send + 'static,
    ) -> (Look, Receiver<Box<dyn Any + Send>>) {
        let (to, answer) = channel::<Box<dyn Any + Send>>();
        let look = Look(Box::new(move |sight| {
            // A client that is gone by now is no error.
            let _ = to.send(Box::new(look(sight)));
        }));
        (look, answer)
    }

    /// Makes it.
    pub fn make(self, sight: &Sight<'_>) {
        (self.0)(sight);
    }
}

impl fmt::Debug for Look {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a look")
    }
}
