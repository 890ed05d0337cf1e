//! A check to be made.

use std::time::Duration;

use crate::engine::registration::auth::Auth;
use crate::engine::registration::status_set::StatusSet;
use crate::engine::registration::{Host, Origin, Target, Tls};

/// One question to one app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Probe {
    /// Given back in the report.
    pub id: u64,
    /// What is asked, and how.
    pub kind: ProbeKind,
    /// How long all of it may take: look-up, connect, TLS, redirects, body.
    pub timeout: Duration,
    /// A shorter time after which the check is given up without a verdict, if it is shorter.
    pub short_timeout: Option<Duration>,
    /// How long it is likely to take, if that is so little that one thread may make it in a row with others.
    pub quick: Option<Duration>,
    /// Where the registration came from: whether a name may lead to this machine itself.
    pub origin: Origin,
    /// Whether it is wanted of an answer, too, where it comes from (see
    /// [`Verdict::whereabouts`](super::answer::Verdict::whereabouts)).
    pub locate: bool,
}

/// The question, for each kind of [`Target`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ProbeKind {
    /// A GET request.
    Http(Box<Request>),
    /// A connection.
    Tcp {
        /// To this host,
        host: Host,
        /// at this port.
        port: u16,
    },
    /// An echo.
    Ping {
        /// Of this host.
        host: Host,
    },
}

/// What is asked over HTTP, and what is to come of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// The full health address.
    pub url: String,
    /// The status codes that count as an answer.
    pub expected: StatusSet,
    /// What must be in the body.
    pub contains: Option<String>,
    /// With what the app is shown who asks. Nobody else is.
    pub auth: Option<Auth>,
    /// Whom it must be over TLS.
    pub tls: Tls,
}

impl ProbeKind {
    /// What is asked of this target, if it is.
    pub fn of(target: &Target) -> Option<ProbeKind> {
        Some(match target {
            Target::Http { address, expect, .. } => ProbeKind::Http(Box::new(Request {
                url: address.asked.clone(),
                expected: expect.clone(),
                contains: target.contains().map(str::to_owned),
                auth: target.auth().cloned(),
                tls: target.tls(),
            })),
            Target::Tcp { address } => {
                ProbeKind::Tcp { host: address.host.clone(), port: address.port }
            }
            Target::Ping { address } => ProbeKind::Ping { host: address.host.clone() },
            Target::Beat { .. } => return None,
        })
    }
}

impl Probe {
    /// How long this check may take, on its short time-out or off it.
    pub fn limit(&self) -> Duration {
        self.short_timeout.map_or(self.timeout, |short_timeout| short_timeout.min(self.timeout))
    }

    /// Whether it is given up before its time-out.
    pub fn has_short_timeout(&self) -> bool {
        self.limit() < self.timeout
    }
}
