//! Asks the apps how they are.
//!
//! A [`Probe`] goes in, a [`CheckReport`] comes out, on a thread of the [`Pool`]. Which probe starts
//! when is decided elsewhere; what an answer means is [judged](crate::engine::verdict) elsewhere.
//! Here it is asked for: [`Prober`] walks the redirects, ureq speaks HTTP and TLS over connections
//! that are opened in `connect` (in a `race`, where an app has several addresses), `port` asks for no more than
//! such a connection, `ping` for an echo, and `fault` finds the words for what can go wrong.

mod ask;
mod buffers;
mod chunks;
mod client;
mod connect;
mod fault;
pub mod head;
mod login;
mod ping;
mod pool;
mod port;
mod race;
mod redirect;
mod run;
mod secure;
mod sessions;
#[cfg(test)]
mod tls_tests;

use std::time::{Duration, Instant};

pub use self::ask::{Ourselves, Prober};
pub use self::pool::{Pool, ProbeFn, Wake};
#[cfg(test)]
pub(super) use self::race::BlackHole;
pub(super) use self::race::begin as begin_to_connect;
use crate::engine::verdict::answer::CheckEnd;
pub use crate::engine::verdict::probe::{Probe, ProbeKind, Request};

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CheckReport {
    /// That of the probe.
    pub id: u64,
    /// The thread of the pool that made it.
    pub worker: usize,
    /// How it ended.
    pub end: CheckEnd,
    /// When it began: in a run, after those before it.
    pub began: Instant,
    /// The time from then until its end.
    pub latency: Duration,
    /// Whether the thread has nothing more to do.
    pub rests: bool,
}
