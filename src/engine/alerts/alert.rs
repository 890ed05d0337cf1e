//! An alert: people were told that an app is unwell, and are owed the end of the story.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::notice::State;
use crate::engine::time::Now;

/// Open from the first mail until the app is HEALTHY or no longer watched, through pauses,
/// restarts and UNKNOWN.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// What was told last: DEGRADED or UNHEALTHY.
    pub level: Level,
    /// When it was opened.
    pub opened: Now,
    /// The message ids of its mails, oldest first, for each person who was told.
    pub threads: BTreeMap<String, Vec<String>>,
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// The app is DEGRADED.
    Degraded,
    /// The app is UNHEALTHY.
    Unhealthy,
}

impl Level {
    /// The level of a state that people are told; `None` for UNKNOWN and HEALTHY.
    pub fn of(state: State) -> Option<Level> {
        match state {
            State::Unknown | State::Healthy => None,
            State::Degraded => Some(Level::Degraded),
            State::Unhealthy => Some(Level::Unhealthy),
        }
    }
}
