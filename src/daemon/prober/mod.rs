//! Asks the apps how they are.
//!
//! A [`Probe`] goes in, a [`Report`] comes out, on a thread of the [`Pool`]. Which probe starts
//! when is decided elsewhere; what an answer means is [judged](crate::engine::verdict) elsewhere.
//! Here it is asked for: [`Prober`] walks the redirects, ureq speaks HTTP and TLS over connections
//! that are opened in `connect`, and `fault` finds the words for what can go wrong.

mod ask;
mod buffers;
mod client;
mod connect;
mod fault;
mod pool;
mod redirect;
#[cfg(test)]
mod tls_tests;

use std::ops::RangeInclusive;
use std::time::Duration;

pub use self::ask::Prober;
pub use self::pool::{Check, Pool, Wake};
use crate::engine::answer::CheckEnd;

/// A check to be made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Given back in the report.
    pub id: u64,
    /// The full health address.
    pub url: String,
    /// How long all of it may take: look-up, connect, TLS, redirects, body.
    pub timeout: Duration,
    /// A shorter time after which the check is given up without a verdict, if it is shorter.
    pub leash: Option<Duration>,
    /// The status codes that count as an answer.
    pub expected: Vec<RangeInclusive<u16>>,
}

impl Probe {
    /// How long this check may take, on its leash or off it.
    pub fn limit(&self) -> Duration {
        self.leash.map_or(self.timeout, |leash| leash.min(self.timeout))
    }

    /// Whether it is given up before its time-out.
    pub fn is_on_leash(&self) -> bool {
        self.limit() < self.timeout
    }

    /// Whether this status code counts as an answer.
    pub fn expects(&self, status: u16) -> bool {
        self.expected.iter().any(|codes| codes.contains(&status))
    }
}

/// What came of a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    /// That of the probe.
    pub id: u64,
    /// The thread of the pool that made it.
    pub worker: usize,
    /// How it ended.
    pub end: CheckEnd,
    /// The time until then.
    pub latency: Duration,
}
