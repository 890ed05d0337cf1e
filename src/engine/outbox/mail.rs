//! A mail: what one person is told at once, in facts.
//!
//! It is turned into words ([`letter`](super::letter)) at each attempt to send it, so that a mail that waited can
//! say so.

use std::collections::HashSet;
use std::ops::Not;

use serde::{Deserialize, Serialize};

use super::notice::{Change, Notice};
use crate::engine::recipients::Recipient;
use crate::engine::state::State;
use crate::engine::time::Stamp;

/// A mail to one person, in facts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Mail {
    /// Unique in this outbox.
    pub id: u64,
    /// The recipient.
    pub to: Recipient,
    /// The part of `Message-ID` before the `@`: stable over retries and restarts, and the same for the same
    /// news where that goes on with what was told before.
    pub message_id: String,
    /// The mails of the same thread that went to this person before, oldest first (same form).
    pub references: Vec<String>,
    /// What is told; never empty.
    pub notices: Vec<Notice>,
    /// When it was written to the outbox.
    pub written: Stamp,
    /// Who was to have it before the owner let no mail go to them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub meant_for: Vec<Recipient>,
    /// Since when it was held back because the recipient had had enough: it is a digest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held_back: Option<Stamp>,
    /// How many notices it had no room for.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub left_out: u32,
    /// It names no app: a filter refuses it with the names.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub nameless: bool,
    /// A person gave it up while it was under way: it is not tried again.
    #[serde(default, skip_serializing_if = "Not::not")]
    pub given_up: bool,
}

impl Mail {
    /// One that answers no other, as it is at first.
    pub fn new(
        id: u64,
        to: Recipient,
        message_id: String,
        notices: Vec<Notice>,
        written: Stamp,
    ) -> Mail {
        Mail {
            id,
            to,
            message_id,
            references: Vec::new(),
            notices,
            written,
            meant_for: Vec::new(),
            held_back: None,
            left_out: 0,
            nameless: false,
            given_up: false,
        }
    }

    /// The changes of single apps that it tells of, in the order in which they came.
    pub fn changes(&self) -> impl DoubleEndedIterator<Item = &Change> {
        self.notices.iter().filter_map(Notice::change)
    }

    /// Whether it tells how an app is.
    pub fn tells_of(&self, app: &str) -> bool {
        self.notices.iter().any(|notice| notice.told().any(|(told, _)| told == app))
    }

    /// The incidents whose trouble it tells, as far as they are numbered.
    pub fn incidents(&self) -> impl Iterator<Item = u64> {
        self.notices.iter().filter_map(|notice| match notice {
            Notice::Report(report) => report.incident,
            _ => None,
        })
    }

    /// The last change of each app that it tells of alone.
    pub fn latest_changes(&self) -> impl Iterator<Item = &Change> {
        let mut seen = HashSet::new();
        self.changes().rev().filter(move |change| seen.insert(&change.app))
    }

    /// Whether an app is unwell by it.
    pub fn tells_of_trouble(&self) -> bool {
        self.conclusions().any(|(_, state)| state != State::Healthy)
    }

    /// The last that it tells of each app: the state.
    pub fn conclusions(&self) -> impl Iterator<Item = (&str, State)> {
        let mut seen = HashSet::new();
        let told = self.notices.iter().rev().flat_map(Notice::told);
        told.filter(move |(app, _)| seen.insert(*app))
    }

    /// Hands over every time in it, to be put right after the clock was set.
    pub(in crate::engine) fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        put_right(&mut self.written);
        self.held_back.iter_mut().for_each(&mut put_right);
        self.notices.iter_mut().for_each(|notice| notice.for_each_stamp(&mut put_right));
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde calls it so")]
fn is_zero(number: &u32) -> bool {
    *number == 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::Wall;

    #[test]
    fn what_a_mail_leaves_out_it_leaves_out_after_a_restart_too() {
        let at = Stamp::on_record(Wall::default());
        let mail = Mail {
            id: 1,
            to: Recipient::mail("a@b.c"),
            message_id: "m1".to_owned(),
            references: vec!["m0".to_owned()],
            notices: vec![Notice::Watching { apps: vec!["NAS".to_owned()], at }],
            written: at,
            meant_for: vec![Recipient::mail("d@e.f")],
            held_back: Some(at),
            left_out: 3,
            nameless: true,
            given_up: true,
        };
        let text = serde_json::to_string(&mail).unwrap();
        assert_eq!(serde_json::from_str::<Mail>(&text).unwrap(), mail);
        // Nothing is said of what most mails are not: each letter wears the card.
        let whole = Mail {
            meant_for: vec![],
            held_back: None,
            left_out: 0,
            nameless: false,
            given_up: false,
            ..mail
        };
        let text = serde_json::to_string(&whole).unwrap();
        for member in ["meant_for", "held_back", "left_out", "nameless", "given_up"] {
            assert!(!text.contains(member), "{text}");
        }
        assert_eq!(serde_json::from_str::<Mail>(&text).unwrap(), whole);
    }
}
