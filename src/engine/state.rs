//! The four words for how an app is.

use serde::{Deserialize, Serialize};

/// The state of an app : UNKNOWN until proven, DEGRADED between well and dead.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum State {
    /// Not enough is known.
    Unknown,
    /// Enough passes in a row.
    Healthy,
    /// It warns, or has failed more than once, too few times in a row for worse.
    Degraded,
    /// Enough failures in a row.
    Unhealthy,
}

impl State {
    /// The word on the wire and in mails.
    pub fn word(self) -> &'static str {
        match self {
            State::Unknown => "UNKNOWN",
            State::Healthy => "HEALTHY",
            State::Degraded => "DEGRADED",
            State::Unhealthy => "UNHEALTHY",
        }
    }
}

/// A change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transition {
    /// The state before.
    pub from: State,
    /// The state now.
    pub to: State,
}
