//! The outbox: mails that wait to be accepted by the mail server, and when each is tried again.
//!
//! Each person's mails arrive in the order in which they were written: one at a time is on its way,
//! and what there is to tell meanwhile waits in one more.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;
use std::time::Duration;

use super::backoff::{Failures, LATER, SLOWLY, SOON};
use super::delivery::Delivery;
use super::merge::{bounded, make_plainer, take_in};
use super::notice::{Mail, Notice};
use super::recipients::is_same_mailbox;
use crate::engine::time::{Moment, Now, Stamp};

/// What is said of a mail that nobody may have.
const BARRED: &str = "may not go there: allow_email does not name the address, and no email is set to have it instead";

/// Where a mail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// It goes out as soon as the mails before it to the same person have, and takes in what else
    /// there is to tell until then.
    Queued,
    /// The mailer has it.
    Sending,
    /// It is not tried before `retry_at`, and takes in what else there is to tell until then.
    Waiting { retry_at: Moment },
    /// It is for somebody who may have no mail, and there is nobody to have it instead.
    Barred,
}

#[derive(Clone, Debug)]
struct Entry {
    mail: Mail,
    /// Attempts that failed.
    tries: u32,
    /// The last of them, as far as they were of one kind.
    failures: Option<Failures>,
    place: Place,
    /// It is held back: nothing has it sent earlier.
    held_until: Option<Moment>,
    /// Since when it waits for the server: written, found at the start, or let go by the limit.
    since: Moment,
    /// Why it waits: what the server said, or what went wrong on the way.
    trouble: Option<String>,
    /// The server may have it already, under this message id.
    was_out: bool,
    /// Perhaps there is no such mailbox: only a person can tell.
    is_unclear: bool,
}

impl Entry {
    fn new(at: Moment, mail: Mail) -> Entry {
        let place = Place::Queued;
        let (failures, held_until, trouble) = (None, None, None);
        let (tries, was_out, is_unclear) = (0, false, false);
        Entry { mail, tries, failures, place, held_until, since: at, trouble, was_out, is_unclear }
    }

    /// What it waits for the limit does not count.
    fn waits_since(&self) -> Moment {
        self.held_until.map_or(self.since, |held| held.max(self.since))
    }

    fn wait_until(&mut self, at: Moment) {
        let retry_at = self.held_until.map_or(at, |held| at.max(held));
        self.place = Place::Waiting { retry_at };
    }

    fn is_waiting(&self) -> bool {
        matches!(self.place, Place::Waiting { .. })
    }
}

/// What became of something to tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Written {
    /// The mail that tells it.
    pub id: u64,
    /// The mail was there before, and has taken in this one.
    pub taken_in: Option<Mail>,
}

/// What became of a mail that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The server has it.
    Accepted {
        /// The mail.
        mail: Mail,
        /// How long it has waited for the server, since the start at most.
        after: Duration,
    },
    /// It is tried again at `retry_at`.
    Kept {
        /// When.
        retry_at: Moment,
        /// What the server said, or what went wrong on the way.
        text: String,
        /// The ids of mails that it took in, and that are gone.
        took_in: Vec<u64>,
        /// It has less in it from now on.
        made_plainer: bool,
    },
    /// Refused for good, and dropped.
    Refused {
        /// The mail.
        mail: Mail,
        /// What the server said.
        text: String,
    },
}

/// The mails that wait, in the order in which they were written.
#[derive(Clone, Debug)]
pub struct Outbox {
    entries: BTreeMap<u64, Entry>,
    next_id: u64,
    /// Makes our message ids differ from those of any other run and daemon.
    seed: u64,
}

impl Outbox {
    /// An empty outbox.
    pub fn new(seed: u64) -> Outbox {
        Outbox { entries: BTreeMap::new(), next_id: 1, seed }
    }

    /// Writes a mail, to be sent at once: take it with [`Outbox::take`].
    ///
    /// A mail to the same person that waits, for whatever, takes the notice in, under a new message
    /// id if the server may have it under the old one, without this notice.
    pub fn write(&mut self, now: Now, to: &str, notice: Notice, references: &[String]) -> Written {
        let taking_in = self.taking_in_for(to);
        let id = taking_in.unwrap_or(self.next_id);
        let unknown = taking_in.and_then(|id| self.entries.get(&id)).filter(|it| !it.was_out);
        let mail = Mail {
            id,
            to: to.to_owned(),
            message_id: unknown
                .map_or_else(|| self.next_message_id(), |it| it.mail.message_id.clone()),
            references: references.to_vec(),
            notices: vec![notice],
            written: Stamp::noted(now),
            meant_for: Vec::new(),
            held_back: None,
            left_out: 0,
            nameless: false,
        };
        self.next_id += 1;
        let mut written = Written { id, taken_in: None };
        match self.entries.entry(id) {
            Slot::Vacant(slot) => {
                slot.insert(Entry::new(now.at, bounded(mail)));
            }
            Slot::Occupied(slot) => {
                let entry = slot.into_mut();
                take_in(&mut entry.mail, mail.clone());
                entry.was_out = false;
                written.taken_in = Some(mail);
                if entry.is_waiting() && entry.failures.is_none_or(Failures::allow_haste) {
                    entry.wait_until(now.at);
                }
            }
        }
        written
    }

    /// Hands a mail to the mailer, if it is due and the next one for its recipient.
    pub fn take(&mut self, at: Moment, id: u64) -> Option<Mail> {
        if !self.is_due(at, id) {
            return None;
        }
        let entry = self.entries.get_mut(&id)?;
        entry.place = Place::Sending;
        entry.was_out = true;
        entry.since = entry.waits_since();
        entry.held_until = None;
        Some(entry.mail.clone())
    }

    /// Has those that wait behind a mail go together, in the first of them. It, and the ids of those
    /// that it took in, which are gone.
    ///
    /// The one under way stays as it is: the server may have it already, under its message id.
    pub fn gather_behind(&mut self, id: u64) -> Option<(u64, Vec<u64>)> {
        let next = *self.queued_behind(id).first()?;
        Some((next, self.gather(next)))
    }

    /// Whether [`Outbox::take`] would hand the mail over.
    pub fn is_due(&self, at: Moment, id: u64) -> bool {
        let Some(entry) = self.entries.get(&id) else { return false };
        let due = match entry.place {
            Place::Queued => true,
            Place::Sending | Place::Barred => false,
            Place::Waiting { retry_at } => retry_at <= at,
        };
        due && self.next_for(&entry.mail.to) == Some(id)
    }

    /// Holds a mail back, whatever else happens, since its recipient has had enough for now.
    /// The ids of those that it took in, which are gone, and whether it was not held back before.
    pub fn hold_back(&mut self, now: Now, id: u64, until: Moment) -> (Vec<u64>, bool) {
        let mut is_new = false;
        if let Some(entry) = self.entries.get_mut(&id) {
            is_new = entry.mail.held_back.is_none();
            entry.mail.held_back.get_or_insert(Stamp::noted(now));
            entry.held_until = Some(until);
            entry.wait_until(until);
        }
        (self.gather(id), is_new)
    }

    /// Has a mail wait though it was not tried. The ids of those that it took in, which are gone.
    pub fn put_off(&mut self, id: u64, retry_at: Moment) -> Vec<u64> {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.place = Place::Waiting { retry_at };
        }
        self.gather(id)
    }

    /// The mailer reports on a mail.
    pub fn handle_delivery(&mut self, at: Moment, id: u64, delivery: Delivery) -> Option<Fate> {
        let entry = self.entries.get_mut(&id)?;
        let mut made_plainer = false;
        entry.is_unclear = matches!(delivery, Delivery::Unclear(_));
        let (backoff, text) = match delivery {
            Delivery::Accepted => {
                let entry = self.entries.remove(&id)?;
                let after = at.since(entry.waits_since());
                return Some(Fate::Accepted { mail: entry.mail, after });
            }
            Delivery::Rejected(text) => {
                let mail = self.entries.remove(&id)?.mail;
                return Some(Fate::Refused { mail, text });
            }
            Delivery::Later(text) => (SOON, text),
            Delivery::MuchLater(text) => (LATER, text),
            Delivery::Settings(text) | Delivery::Unclear(text) => (SLOWLY, text),
            Delivery::Content(text) => {
                made_plainer = make_plainer(&mut entry.mail);
                (if made_plainer { SOON } else { SLOWLY }, text)
            }
        };
        entry.tries += 1;
        let failures = Failures::and(entry.failures, backoff);
        entry.failures = Some(failures);
        let retry_at = at + failures.wait();
        entry.place = Place::Waiting { retry_at };
        entry.trouble = Some(match entry.is_unclear {
            true => format!("{text}; `healthchecker seen {}` gives the mail up", entry.mail.to),
            false => text.clone(),
        });
        Some(Fate::Kept { retry_at, text, took_in: self.gather(id), made_plainer })
    }

    /// The server is there again: the mails that wait are due now, but those that a limit holds
    /// back. The ids of all that can be tried, oldest first.
    pub fn release(&mut self, at: Moment) -> Vec<u64> {
        for entry in self.entries.values_mut() {
            if entry.is_waiting() && entry.failures.is_none_or(Failures::end_with_another) {
                entry.wait_until(at);
            }
        }
        self.entries.keys().copied().filter(|id| self.is_due(at, *id)).collect()
    }

    /// Takes in a mail that was found waiting at the start; it is due at once.
    pub fn restore(&mut self, at: Moment, mail: Mail) {
        self.next_id = self.next_id.max(mail.id + 1);
        let trouble = Some("was found waiting at the start".to_owned());
        self.entries.insert(mail.id, Entry { trouble, was_out: true, ..Entry::new(at, mail) });
    }

    /// Keeps a mail that its recipient may not have, until a start at which they may. Until then it
    /// takes in what else there is to tell them.
    pub fn bar(&mut self, id: u64) {
        if let Some(entry) = self.entries.get_mut(&id) {
            entry.place = Place::Barred;
            entry.trouble = Some(BARRED.to_owned());
        }
    }

    /// Has `to` get `notices` of a mail that its recipient may not have. The id of the new mail.
    pub fn pass_on(&mut self, id: u64, to: &str, notices: Vec<Notice>) -> Option<u64> {
        let mut entry = Entry { was_out: false, ..self.entries.get(&id)?.clone() };
        let mail = &mut entry.mail;
        mail.meant_for.push(std::mem::replace(&mut mail.to, to.to_owned()));
        mail.notices = notices;
        mail.id = self.next_id;
        mail.message_id = self.next_message_id();
        // The thread is the other person's.
        mail.references.clear();
        self.entries.insert(self.next_id, entry);
        self.next_id += 1;
        Some(self.next_id - 1)
    }

    /// Drops a mail, since there is no more to be told by it.
    pub fn drop_mail(&mut self, id: u64) {
        self.entries.remove(&id);
    }

    /// Drops the mails to an address of which it is unclear whether anybody can have them; these.
    pub fn give_up(&mut self, to: &str) -> Vec<Mail> {
        let is_given_up = |(_, entry): &(&u64, &Entry)| {
            entry.is_unclear && entry.is_waiting() && is_same_mailbox(&entry.mail.to, to)
        };
        let ids: Vec<u64> = self.entries.iter().filter(is_given_up).map(|(id, _)| *id).collect();
        ids.iter().filter_map(|id| self.entries.remove(id)).map(|entry| entry.mail).collect()
    }

    /// The mails to a person that tell of an app, oldest first.
    pub fn telling(&self, to: &str, app: &str) -> impl Iterator<Item = &Mail> {
        self.mails().filter(move |mail| is_same_mailbox(&mail.to, to) && mail.tells_of(app))
    }

    /// The oldest mail to a person, which goes out before any other.
    pub fn next_for(&self, to: &str) -> Option<u64> {
        self.entries
            .iter()
            .find(|(_, entry)| is_same_mailbox(&entry.mail.to, to))
            .map(|(id, _)| *id)
    }

    /// Has a mail take in those that are queued behind it; their ids.
    pub fn gather(&mut self, id: u64) -> Vec<u64> {
        let ids = self.queued_behind(id);
        for behind in &ids {
            let taken = self.entries.remove(behind);
            if let (Some(entry), Some(mut taken)) = (self.entries.get_mut(&id), taken) {
                if !entry.was_out {
                    taken.mail.message_id.clone_from(&entry.mail.message_id);
                }
                entry.was_out &= taken.was_out;
                take_in(&mut entry.mail, taken.mail);
            }
        }
        ids
    }

    fn queued_behind(&self, id: u64) -> Vec<u64> {
        let Some(to) = self.recipient(id) else { return Vec::new() };
        let behind = |(_, entry): &(&u64, &Entry)| {
            is_same_mailbox(&entry.mail.to, to)
                && entry.place == Place::Queued
                && entry.mail.id > id
        };
        self.entries.iter().filter(behind).map(|(id, _)| *id).collect()
    }

    /// Whether the mailer has a mail.
    pub fn is_sending(&self) -> bool {
        self.entries.values().any(|entry| entry.place == Place::Sending)
    }

    /// One mail.
    pub fn mail(&self, id: u64) -> Option<&Mail> {
        self.entries.get(&id).map(|entry| &entry.mail)
    }

    /// All mails, oldest first.
    pub fn mails(&self) -> impl Iterator<Item = &Mail> {
        self.entries.values().map(|entry| &entry.mail)
    }

    /// Hands over every time in it, to be put right after the clock was set.
    pub(in crate::engine) fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        for entry in self.entries.values_mut() {
            entry.mail.for_each_stamp(&mut put_right);
        }
    }

    /// Who a mail is for.
    pub fn recipient(&self, id: u64) -> Option<&str> {
        self.entries.get(&id).map(|entry| entry.mail.to.as_str())
    }

    /// How many mails are not accepted yet.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether every mail was accepted.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// How long the one that has waited longest waits for the server, since the start at most. What is
    /// only held back by the limit does not wait for it.
    pub fn oldest(&self, at: Moment) -> Duration {
        let waits = self.entries.values().map(|entry| at.since(entry.waits_since()));
        waits.max().unwrap_or_default()
    }

    /// The mails that failed, or were found waiting: how often they failed, and why, oldest first.
    pub fn troubles(&self) -> impl Iterator<Item = (&Mail, u32, &str)> {
        self.entries
            .values()
            .filter_map(|entry| Some((&entry.mail, entry.tries, entry.trouble.as_deref()?)))
    }

    fn next_message_id(&self) -> String {
        format!("{:016x}.{}", self.seed, self.next_id)
    }

    /// The newest mail to a person, if it can still take in what is told after it.
    fn taking_in_for(&self, to: &str) -> Option<u64> {
        let theirs = |(_, entry): &(&u64, &Entry)| is_same_mailbox(&entry.mail.to, to);
        let (id, newest) = self.entries.iter().rev().find(theirs)?;
        (newest.place != Place::Sending).then_some(*id)
    }
}

#[cfg(test)]
mod tests;
