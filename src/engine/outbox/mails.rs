//! The mails of the outbox: what of them is on disk, and what only this run needs to know.
//!
//! Whatever changes a [`Mail`] goes through here and is marked; how it stands with the mail server
//! is not on disk.

use super::mail::Mail;
use super::merge::merge;
use super::standing::Standing;
use crate::engine::recipients::Recipient;
use crate::engine::sorted::{SortedMap, SortedSet};

/// What is to be written of the mails.
#[derive(Clone, Debug, Default)]
pub struct MailChanges {
    /// Those that are to be written whole.
    pub whole: SortedSet<u64>,
    /// What others have taken in. It is in those already that are written whole.
    pub merged: Vec<(u64, Mail)>,
    /// Those that are done with.
    pub done: SortedSet<u64>,
}

/// A mail, and how it stands.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    mail: Mail,
    pub(super) standing: Standing,
}

impl Entry {
    pub(super) fn mail(&self) -> &Mail {
        &self.mail
    }

    pub(super) fn into_mail(self) -> Mail {
        self.mail
    }
}

/// Every mail that is not accepted yet, in the order in which they were written.
#[derive(Clone, Debug, Default)]
pub(super) struct Mails {
    /// In boxes, as in the ledger, and for its reason.
    entries: SortedMap<u64, Box<Entry>>,
    changes: MailChanges,
}

impl Mails {
    pub(super) fn get(&self, id: u64) -> Option<&Entry> {
        self.entries.get(&id).map(Box::as_ref)
    }

    pub(super) fn standing(&mut self, id: u64) -> Option<&mut Standing> {
        self.entries.get_mut(&id).map(|entry| &mut entry.standing)
    }

    pub(super) fn iter(&self) -> impl DoubleEndedIterator<Item = (u64, &Entry)> {
        self.entries.iter().map(|(id, entry)| (*id, &**entry))
    }

    /// How each stands, and whom it is for.
    pub(super) fn standings(&mut self) -> impl Iterator<Item = (u64, &Recipient, &mut Standing)> {
        self.entries.iter_mut().map(|(id, entry)| {
            let Entry { mail, standing } = &mut **entry;
            (*id, &mail.to, standing)
        })
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    pub(super) fn insert(&mut self, mail: Mail, standing: Standing) {
        self.changes.whole.insert(mail.id);
        self.entries.insert(mail.id, Box::new(Entry { mail, standing }));
    }

    /// One that was found on disk.
    pub(super) fn restore(&mut self, mail: Mail, standing: Standing) {
        self.entries.insert(mail.id, Box::new(Entry { mail, standing }));
    }

    pub(super) fn edit<R>(&mut self, id: u64, change: impl FnOnce(&mut Mail) -> R) -> Option<R> {
        let (mut change, mut result) = (Some(change), None);
        self.compare(id, &mut |mail| result = change.take().map(|change| change(mail)));
        result
    }

    /// What [`Mails::edit`] does, whatever the change: its code is there once.
    fn compare(&mut self, id: u64, change: &mut dyn FnMut(&mut Mail)) {
        let Some(entry) = self.entries.get_mut(&id) else { return };
        let mail = &mut entry.mail;
        let before = mail.clone();
        change(mail);
        if *mail != before {
            self.changes.whole.insert(id);
        }
    }

    /// Has a mail tell what a later one was to tell, which is no mail of its own.
    pub(super) fn merge(&mut self, id: u64, later: Mail) {
        if let Some(entry) = self.entries.get_mut(&id) {
            merge(&mut entry.mail, later.clone());
            self.changes.merged.push((id, later));
        }
    }

    pub(super) fn remove(&mut self, id: u64) -> Option<Entry> {
        let entry = self.entries.remove(&id)?;
        self.changes.whole.remove(&id);
        self.changes.done.insert(id);
        Some(*entry)
    }

    /// Puts times right after the clock was set; what is on disk is written anew later.
    pub(super) fn put_right(&mut self, mut put_right: impl FnMut(&mut Mail)) {
        self.entries.values_mut().for_each(|entry| put_right(&mut entry.mail));
    }

    pub(super) fn take_changes(&mut self) -> MailChanges {
        let mut changes = std::mem::take(&mut self.changes);
        changes.merged.retain(|(id, _)| !changes.whole.contains(id));
        changes
    }
}
