//! One incident: what was not well, whom it was told, and how it ended.

use serde::{Deserialize, Serialize, Serializer};

use crate::engine::recipients::Recipient;
use crate::engine::state::State;
use crate::engine::time::{Stamp, Wall, Zone};

/// The most apps that one incident names: nobody reads more.
pub const AFFECTED_MAX: usize = 200;
/// The most people that one incident names.
pub const TOLD_MAX: usize = 200;

/// What became of a part of the household, from its begin to its end. Names, not apps: one that is watched
/// no longer stays in the past.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Incident {
    /// Its number, never used again for another one.
    pub id: u64,
    /// What it is about.
    pub kind: Kind,
    /// What it was, in a few words: `power cut`.
    pub cause: String,
    /// When it began, as far as we know.
    pub began: Stamp,
    /// When it ended; `None` while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended: Option<Stamp>,
    /// How it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ended_by: Option<EndedBy>,
    /// Others may be found to be missing: it is open though all in it are well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub settling: bool,
    /// Who was not well in it, in the order in which they came.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apps: Vec<Affected>,
    /// Who was told of it, in the order in which the mails were accepted.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub told: Vec<Told>,
}

/// What an incident is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Apps.
    Apps,
    /// The power: our machine was off, slept or stood still, and others may have been off with it.
    Power,
    /// Our own network.
    Network,
}

/// How an incident ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EndedBy {
    /// All in it are well again.
    Recovery,
    /// The last that was not well is watched no longer.
    Stop,
}

/// An app in an incident.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Affected {
    /// Its name.
    #[serde(rename = "appname")]
    pub name: String,
    /// What is known of it by now.
    pub state: State,
    /// What was wrong with it, in a sentence.
    pub reason: String,
    /// Since when it has this state.
    pub since: Stamp,
    /// It is well again, or its people are told of it elsewhere: nothing that comes changes it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over: bool,
}

/// Somebody who was told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Told {
    /// Who.
    #[serde(rename = "email")]
    pub to: Recipient,
    /// When the mail server took the first mail to them.
    pub at: Stamp,
    /// Whether they hear no more of it for now. Not on record here: it is the alerts', and whoever shows it
    /// looks there.
    #[serde(skip)]
    pub muted: Option<MutedUntil>,
}

/// Until when somebody hears no more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum MutedUntil {
    /// Then, or when it is over, if that comes first.
    Time(Wall),
    /// When it is over.
    Recovery,
}

impl MutedUntil {
    /// For people.
    pub fn sentence(self, zone: &Zone) -> String {
        match self {
            MutedUntil::Recovery => "muted until it is HEALTHY again".to_owned(),
            MutedUntil::Time(until) => format!("muted until {}", until.for_people(zone)),
        }
    }
}

/// A time, or `recovery`.
impl Serialize for MutedUntil {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        match self {
            MutedUntil::Time(wall) => wall.serialize(to),
            MutedUntil::Recovery => to.serialize_str("recovery"),
        }
    }
}

impl Kind {
    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Apps => "apps",
            Kind::Power => "power",
            Kind::Network => "network",
        }
    }
}

impl EndedBy {
    /// The word on the wire.
    pub fn word(self) -> &'static str {
        match self {
            EndedBy::Recovery => "recovery",
            EndedBy::Stop => "stop",
        }
    }
}

impl Incident {
    /// One of which nothing else is known yet.
    pub(super) fn begun(id: u64, kind: Kind, cause: &str, began: Stamp) -> Incident {
        Incident {
            id,
            kind,
            cause: cause.to_owned(),
            began,
            ended: None,
            ended_by: None,
            settling: false,
            apps: Vec::new(),
            told: Vec::new(),
        }
    }

    /// Whether an app is not well in it.
    pub fn holds(&self, name: &str) -> bool {
        self.ended.is_none() && self.apps.iter().any(|app| app.name == name && !app.over)
    }

    /// Puts what is known of an app by now in its place.
    pub(in crate::engine) fn put(&mut self, app: Affected) {
        match self.apps.iter_mut().find(|known| known.name == app.name) {
            Some(known) => *known = app,
            None => self.apps.push(app),
        }
    }

    /// Whether there is nothing that it waits for.
    pub(super) fn is_done(&self) -> bool {
        !self.settling && self.apps.iter().all(|app| app.over)
    }

    /// Hands over every time in it.
    pub(in crate::engine) fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        put_right(&mut self.began);
        self.ended.iter_mut().for_each(&mut put_right);
        self.apps.iter_mut().for_each(|app| put_right(&mut app.since));
        self.told.iter_mut().for_each(|told| put_right(&mut told.at));
    }
}
