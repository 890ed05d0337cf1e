//! Queries of the event loop's state: the one way to read it from another thread.
//!
//! A big answer (all apps) is put together on the API's threads from many small queries, so that no
//! client, however much it wants to see, holds up a check.

use std::any::Any;
use std::fmt;

use crate::daemon::channel::{Receiver, channel};
use crate::daemon::echo;
use crate::daemon::journal::Stats;
use crate::daemon::metrics::PoolUse;
use crate::engine::core::Engine;
use crate::engine::query::view::HealthView;
use crate::engine::time::{Moment, Now};

/// What there is to see of the loop, in one of its turns.
#[derive(Debug)]
pub(crate) struct LoopState<'a> {
    /// The household.
    pub engine: &'a Engine,
    pub now: Now,
    pub started: Moment,
    /// What there is to say about the disk.
    pub disk: Vec<String>,
    /// What there is to say about the name service.
    pub names: Vec<String>,
    /// The threads that ask.
    pub pool: PoolUse,
    /// What the journal has cost the disk.
    pub journal: Stats,
}

impl LoopState<'_> {
    /// The daemon's own health.
    pub(super) fn health(&self) -> HealthView {
        let LoopState { engine, now, started, disk, names, .. } = self;
        let known = engine.view().health(*now, *started, disk.clone());
        let ping = echo::trouble(engine.view().pinged()).into_iter().collect();
        HealthView { names: names.clone(), ping, ..known }
    }
}

/// One query, answered by the event loop: bounded, and nothing but data comes out.
pub(crate) struct StateQuery(Box<dyn FnOnce(&LoopState<'_>) + Send>);

impl StateQuery {
    /// A query, and where its answer arrives. The channel is of one type for all of them, so that its
    /// code is there once.
    pub(super) fn new<T: Send + 'static>(
        query: impl FnOnce(&LoopState<'_>) -> T + Send + 'static,
    ) -> (StateQuery, Receiver<Box<dyn Any + Send>>) {
        let (to, answer) = channel::<Box<dyn Any + Send>>();
        let query = StateQuery(Box::new(move |state| {
            // A client that is gone by now is no error.
            let _ = to.send(Box::new(query(state)));
        }));
        (query, answer)
    }

    pub(crate) fn answer(self, state: &LoopState<'_>) {
        (self.0)(state);
    }
}

impl fmt::Debug for StateQuery {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("StateQuery")
    }
}
