//! What a person is told, in facts. They become words ([`letter`](super::letter)) when the mail that holds them is
//! sent.

use std::net::IpAddr;
use std::ops::Not;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::engine::registry::history::RecentCheck;
use crate::engine::state::State;
use crate::engine::surroundings::run::Gap;
use crate::engine::surroundings::settling::Aftermath;
use crate::engine::time::{Age, Stamp};

/// A change of an app that its people are told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The app's name.
    pub app: String,
    /// Its full health address.
    pub url: String,
    /// The state before; the same as `to` when a person is told later than it changed.
    pub from: State,
    /// The state now.
    pub to: State,
    /// When it changed.
    pub at: Stamp,
    /// When the trouble began (the first check of the row that led to the change), or, for a
    /// recovery, when the alert that it answers was opened.
    pub since: Stamp,
    /// Milliseconds between `since` and `at` on the monotonic clock: right when the wall clock jumps.
    pub lasted_ms: u64,
    /// It may have lasted longer: it began before a restart, and the clock does not tell how long
    /// that was.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub lasted_at_least: bool,
    /// It was HEALTHY shortly before, after trouble that was told: no more is told until it is well for a while.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub keeps_failing: bool,
    /// Why, in a sentence.
    pub reason: String,
    /// The app's own words: the health JSON it returned, if any.
    pub body: Option<String>,
    /// The last checks, newest last.
    pub recent: Vec<RecentCheck>,
}

/// What became of the apps of one person after an interruption.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Report {
    /// The number of the incident that it tells of.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub incident: Option<u64>,
    /// After what.
    pub after: Aftermath,
    /// When that was over.
    pub at: Stamp,
    /// The newest time on record before: it began later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_record: Option<Stamp>,
    /// The address of the router, if that is what is away.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub router: Option<IpAddr>,
    /// How many of their apps came back,
    pub well: usize,
    /// of how many that are asked and were not UNHEALTHY before.
    pub of: usize,
    /// Who is not back.
    pub missing: Vec<NotBack>,
    /// Who was UNHEALTHY before, and is not well yet.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub unhealthy_before: Vec<String>,
    /// Who is paused.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub paused: Vec<String>,
}

/// An app that is not back.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NotBack {
    /// Its name.
    pub app: String,
    /// Why, in a sentence.
    pub reason: String,
}

/// The end of a [`Report`] or an [`Outage`].
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AllBack {
    /// The apps' names.
    pub apps: Vec<String>,
    /// When the trouble was told, or the first of it began.
    pub since: Stamp,
    /// When the last of them was well.
    pub at: Stamp,
    /// Milliseconds between, see [`Change::lasted_ms`].
    pub lasted_ms: u64,
    /// See [`Change::lasted_at_least`].
    #[serde(default, skip_serializing_if = "Not::not")]
    pub lasted_at_least: bool,
}

/// Apps of one person that are silent together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// When it was found out.
    pub at: Stamp,
    /// What they have in common; the worst is the first.
    pub groups: Vec<Group>,
    /// They came later to an incident that the person has been told of.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub more: bool,
    /// Some of them, or others on their host, were HEALTHY only shortly before.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub keeps_failing: bool,
    /// The person knows all of it: it is a reminder.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub still: bool,
    /// The last checks of the first app, newest last.
    pub recent: Vec<RecentCheck>,
}

/// Apps that have something in common.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// The host that they are on; left out of those that are on different ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub host: Option<String>,
    /// The host shows that it is on, or each of them does: it refuses, or ends connections.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub host_lives: bool,
    /// They are out there, on the internet.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub outside: bool,
    /// The app that they are behind, which is UNHEALTHY; left out of those that are not. It may be one of them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<String>,
    /// The worst is the first.
    pub apps: Vec<Silent>,
}

/// An app that does not answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Silent {
    /// Its name.
    pub app: String,
    /// Whether it is UNHEALTHY; if not, it was not asked often enough to call it so.
    pub unhealthy: bool,
    /// So many of its checks failed in a row,
    pub failures: u32,
    /// since then.
    pub since: Stamp,
    /// Why, in a sentence.
    pub reason: String,
}

impl Outage {
    /// Every app in it, the worst first within each group.
    pub fn apps(&self) -> impl DoubleEndedIterator<Item = &Silent> {
        self.groups.iter().flat_map(|group| &group.apps)
    }

    /// The same, to be changed.
    pub(in crate::engine) fn apps_mut(&mut self) -> impl Iterator<Item = &mut Silent> {
        self.groups.iter_mut().flat_map(|group| &mut group.apps)
    }

    fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        put_right(&mut self.at);
        self.recent.iter_mut().for_each(|check| put_right(&mut check.time));
        self.apps_mut().for_each(|app| put_right(&mut app.since));
    }
}

/// Times in which we saw nobody on other machines, or on the internet.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blind {
    /// When; the last may go on.
    pub gaps: Vec<Gap>,
    /// Told while it goes on: whose apps these are that nobody sees, as many as a mail has room for.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub apps: Vec<String>,
    /// How many there are of theirs on other machines, or on the internet if it was that alone,
    pub of: usize,
    /// and how many of them are as they were.
    pub as_before: usize,
}

impl Blind {
    /// Since when nobody is seen, if that goes on.
    pub fn goes_on(&self) -> Option<Stamp> {
        self.gaps.last().filter(|gap| gap.goes_on()).map(|gap| gap.from)
    }

    /// Somebody is seen since then.
    pub(super) fn end(&mut self, until: Stamp) {
        let last = self.gaps.last_mut().filter(|gap| gap.goes_on());
        last.into_iter().for_each(|gap| gap.until = Some(until));
    }

    /// Whether it was written while it went on: how the apps are since is not known.
    pub fn was_told_meanwhile(&self) -> bool {
        !self.apps.is_empty()
    }
}

/// One thing to tell a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Notice {
    /// An app changed for the worse, or recovered after an alert.
    Change(Change),
    /// First passes after registration, gathered: shows that mail works.
    Watching {
        /// The apps' names.
        apps: Vec<String>,
        /// When the first of them passed.
        at: Stamp,
    },
    /// After an interruption, some apps are not back.
    Report(Box<Report>),
    /// Some apps are silent together.
    Outage(Box<Outage>),
    /// All of a report, or of those that were silent together, are well.
    AllBack(AllBack),
    /// We saw nobody for a while, or still do.
    Blind(Blind),
    /// Asked for by `healthchecker test-mail`.
    Test {
        /// When it was asked for.
        at: Stamp,
    },
}

impl Notice {
    /// The change of a single app.
    pub fn change(&self) -> Option<&Change> {
        match self {
            Notice::Change(change) => Some(change),
            _ => None,
        }
    }

    /// Which apps are unwell by it, as far as it begins or goes on with an incident of apps: a report has one of its
    /// own, and what is told again is known.
    pub fn troubles(&self) -> impl Iterator<Item = &str> {
        let is_new = match self {
            Notice::Report(_) => false,
            Notice::Outage(outage) => !outage.still,
            _ => true,
        };
        let unwell = self.told().filter(move |(_, state)| is_new && *state != State::Healthy);
        unwell.map(|(app, _)| app)
    }

    /// Which apps it tells of, and in which state each is by it. No welcome: that tells of none.
    pub fn told(&self) -> impl Iterator<Item = (&str, State)> {
        let (change, missing, groups, back) = match self {
            Notice::Change(change) => (Some(change), &[][..], &[][..], &[][..]),
            Notice::Report(report) => (None, report.missing.as_slice(), &[][..], &[][..]),
            Notice::Outage(outage) => (None, &[][..], outage.groups.as_slice(), &[][..]),
            Notice::AllBack(AllBack { apps, .. }) => (None, &[][..], &[][..], apps.as_slice()),
            Notice::Watching { .. } | Notice::Blind(_) | Notice::Test { .. } => {
                (None, &[][..], &[][..], &[][..])
            }
        };
        let change = change.into_iter().map(|change| (change.app.as_str(), change.to));
        let missing = missing.iter().map(|it| (it.app.as_str(), State::Unhealthy));
        // Also who was not asked often enough to be called so: it counts as told.
        let silent = groups.iter().flat_map(|group| &group.apps);
        let silent = silent.map(|it| (it.app.as_str(), State::Unhealthy));
        let back = back.iter().map(|app| (app.as_str(), State::Healthy));
        change.chain(missing).chain(silent).chain(back)
    }

    /// Hands over every time in it, to be put right after the clock was set.
    pub(super) fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        match self {
            Notice::Change(change) => change.for_each_stamp(&mut put_right),
            Notice::Report(report) => report.for_each_stamp(&mut put_right),
            Notice::Outage(outage) => outage.for_each_stamp(&mut put_right),
            Notice::AllBack(back) => back.for_each_stamp(&mut put_right),
            Notice::Blind(blind) => {
                blind.gaps.iter_mut().for_each(|gap| gap.for_each_stamp(&mut put_right));
            }
            Notice::Watching { at, .. } | Notice::Test { at } => put_right(at),
        }
    }
}

impl Change {
    /// How long it lasted.
    pub fn lasted(&self) -> Age {
        Age { span: Duration::from_millis(self.lasted_ms), exact: !self.lasted_at_least }
    }

    /// Hands over every time in it; what it lasted follows once both ends are known.
    fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        self.recent.iter_mut().for_each(|check| put_right(&mut check.time));
        put_right(&mut self.at);
        put_right(&mut self.since);
        let certain = certain(self.since, self.at).filter(|_| self.lasted_at_least);
        self.lasted_ms = certain.unwrap_or(self.lasted_ms);
        self.lasted_at_least &= certain.is_none();
    }
}

impl Report {
    fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        put_right(&mut self.at);
        self.last_record.iter_mut().for_each(put_right);
    }
}

impl AllBack {
    /// How long it lasted.
    pub fn lasted(&self) -> Age {
        Age { span: Duration::from_millis(self.lasted_ms), exact: !self.lasted_at_least }
    }

    fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        put_right(&mut self.at);
        put_right(&mut self.since);
        let certain = certain(self.since, self.at).filter(|_| self.lasted_at_least);
        self.lasted_ms = certain.unwrap_or(self.lasted_ms);
        self.lasted_at_least &= certain.is_none();
    }
}

/// The milliseconds from one time to another, when both are known and this run noted the later one.
fn certain(since: Stamp, at: Stamp) -> Option<u64> {
    let (since, at) = (since.at()?, at.at().filter(|_| at.is_of_this_run())?);
    Some(u64::try_from(at.since(since).as_millis()).unwrap_or(u64::MAX))
}
