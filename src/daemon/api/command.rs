//! What a client has the daemon change, and what came of it.

use std::time::Duration;

use serde::Serialize;

use crate::engine::beats::Report;
use crate::engine::incidents::mutes::{HowLong, What};
use crate::engine::registration::Registration;

/// What a client has the daemon change.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Command {
    /// Register an app, or update it.
    Monitor(Box<Registration>),
    /// Leave the app of this name alone for now.
    Pause(String),
    /// Tell people no more of trouble that they know, or again.
    Mute(What, HowLong),
    /// Go on checking it, and tell nobody of it for so long.
    Quiet(String, Duration),
    /// Check it again.
    Resume(String),
    /// Forget it.
    Stop(String),
    /// Ask it now.
    Check(String),
    /// Take what the app of this name reports.
    Beat(String, Report),
    /// Show no longer that mails to this address were refused.
    Seen(String),
}

/// A change that is made, and on disk before the client learns of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Done {
    /// What it is about: in JSON a member that is called like the parameter.
    #[serde(flatten)]
    pub about: About,
    /// What became of it.
    pub result: Became,
    /// With what the app may report where there is a token.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key: Option<String>,
    /// What may not be as it was meant, in sentences.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub warnings: Vec<String>,
}

/// What a change is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum About {
    /// An app.
    AppName(String),
    /// A person.
    Email(String),
}

/// What became of an app, or of mails.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Became {
    /// It is new.
    Registered,
    /// It was known, and something differs.
    Updated,
    /// It was known just so.
    Unchanged,
    /// It is left alone, or was already.
    Paused,
    /// It is checked, and nobody is told of it for a while.
    Quiet,
    /// Its people hear no more of its trouble for now.
    Muted,
    /// They do.
    Unmuted,
    /// It is checked again, or was already.
    Resumed,
    /// It is watched no longer.
    Stopped,
    /// It is asked now.
    Asked,
    /// It has reported.
    Heard,
    /// That mails were refused is no longer shown.
    Seen,
}
