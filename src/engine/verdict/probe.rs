//! A check to be made.

use std::time::Duration;

use crate::engine::registration::Origin;
use crate::engine::registration::status_set::StatusSet;

/// One question to one app.
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
    pub expected: StatusSet,
    /// Where the registration came from: whether a name may lead to this machine itself.
    pub origin: Origin,
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
        self.expected.contains(status)
    }
}
