//! What each mail of an incident was, and which incidents brought one person the most of them.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::case::Case;
use super::chronicle::time;
use super::letters::{Of, Statement};
use super::reading::Says;
use crate::story::{AppId, CauseKind, Ms, PersonId};

const HOUR: Ms = 3_600_000;
/// So many are kept.
const KEPT: usize = 10;

/// What a mail is for an incident: the first of these that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum MailKind {
    Alarm,
    KeepsFailing,
    /// Of those that came later.
    Update,
    Report,
    End,
    /// What is known, told again: counted apart.
    Reminder,
}

impl MailKind {
    pub(crate) const ALL: [MailKind; 6] = [
        MailKind::Alarm,
        MailKind::KeepsFailing,
        MailKind::Update,
        MailKind::Report,
        MailKind::End,
        MailKind::Reminder,
    ];

    /// In a word or two.
    pub(crate) fn words(self) -> &'static str {
        match self {
            MailKind::Alarm => "alarms",
            MailKind::KeepsFailing => "that it keeps failing",
            MailKind::Update => "updates",
            MailKind::Report => "reports",
            MailKind::End => "ends",
            MailKind::Reminder => "reminders",
        }
    }

    /// What a statement makes of its letter.
    fn of(told: &Statement) -> MailKind {
        match told.of {
            Of::Report(_) => MailKind::Report,
            Of::Reminder => MailKind::Reminder,
            Of::Outage { more: true, .. } => MailKind::Update,
            _ if told.says == Says::KeepsFailing => MailKind::KeepsFailing,
            _ if told.is_trouble() => MailKind::Alarm,
            _ => MailKind::End,
        }
    }
}

/// The mails of one incident to one person.
#[derive(Clone, Debug, Default)]
pub(super) struct Mails {
    /// When each was written, and what it is.
    all: Vec<(Ms, MailKind)>,
    apps: BTreeSet<AppId>,
}

impl Mails {
    /// A letter tells of it, by these statements.
    pub(super) fn add(&mut self, written: Ms, told: &[&Statement]) {
        let kind = told.iter().map(|it| MailKind::of(it)).min();
        self.all.extend(kind.map(|kind| (written, kind)));
        self.apps.extend(told.iter().filter_map(|it| it.app));
    }

    /// How many, but for reminders.
    pub(super) fn count(&self) -> u64 {
        self.all.iter().filter(|(_, kind)| *kind != MailKind::Reminder).count() as u64
    }

    fn by_kind(&self) -> BTreeMap<MailKind, u64> {
        let mut by_kind = BTreeMap::new();
        self.all.iter().for_each(|(_, kind)| *by_kind.entry(*kind).or_default() += 1);
        by_kind
    }
}

/// An incident that brought one person many mails.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) struct Busy {
    pub(crate) mails: u64,
    /// Which, and what they were.
    pub(crate) line: String,
}

/// What all mails of incidents were, and which incidents had the most.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Busiest {
    pub(crate) by_kind: BTreeMap<MailKind, u64>,
    /// The busiest first.
    pub(crate) most: Vec<Busy>,
}

impl Busiest {
    pub(crate) fn add(&mut self, other: &Busiest) {
        for (kind, mails) in &other.by_kind {
            *self.by_kind.entry(*kind).or_default() += mails;
        }
        self.most.extend(other.most.iter().cloned());
        self.most.sort_by(|a, b| b.mails.cmp(&a.mails).then_with(|| a.line.cmp(&b.line)));
        self.most.truncate(KEPT);
    }

    /// Counts the mails of one incident to one person.
    pub(super) fn count(
        &mut self,
        case: &Case<'_>,
        (kind, to): (CauseKind, PersonId),
        mails: &Mails,
    ) {
        let by_kind = mails.by_kind();
        let words = by_kind.iter().map(|(kind, count)| format!("{count} {}", kind.words()));
        let words = words.collect::<Vec<_>>().join(", ");
        let from = mails.all.first().map_or(0, |(at, _)| *at);
        let until = mails.all.last().map_or(0, |(at, _)| *at);
        let line = format!(
            "SEED={} {}: {kind:?} of {}, {} mails to {} within {} h: {words}",
            case.story.seed,
            time(from),
            mails.apps.iter().next().map_or("nobody", |app| case.name(*app)),
            mails.count(),
            case.person(to),
            (until - from).div_ceil(HOUR),
        );
        self.add(&Busiest { by_kind, most: vec![Busy { mails: mails.count(), line }] });
    }
}
