//! The outbox: mails that wait to be accepted by the mail server, and when each is tried again.

use std::collections::BTreeMap;
use std::time::Duration;

use super::delivery::Delivery;
use super::notice::{Mail, Notice};
use super::time::{Moment, Now};

/// After network trouble or a 4xx: soon, then doubling.
const SOON: Backoff = Backoff { first: Duration::from_secs(5), most: Duration::from_secs(15 * 60) };
/// After a rate limit, which a quick retry would only prolong.
const LATER: Backoff =
    Backoff { first: Duration::from_secs(30 * 60), most: Duration::from_secs(2 * 3600) };
/// After refused credentials: only a person can mend them, and many tries lock an account.
const SLOWLY: Backoff =
    Backoff { first: Duration::from_secs(30 * 60), most: Duration::from_secs(6 * 3600) };
/// A thread remembers so many of its mails: RFC 5322 wants them all, old ones help nobody.
const REFERENCES: usize = 10;

struct Backoff {
    first: Duration,
    most: Duration,
}

impl Backoff {
    fn after(&self, tries: u32) -> Duration {
        let doubled = 2u32.saturating_pow(tries.saturating_sub(1));
        self.first.saturating_mul(doubled).min(self.most)
    }
}

/// Where a mail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// The mailer has it.
    Sending,
    /// It waits for its next try.
    Waiting { retry_at: Moment },
}

#[derive(Clone, Debug)]
struct Entry {
    mail: Mail,
    /// Attempts that failed.
    tries: u32,
    place: Place,
    trouble: Option<Trouble>,
}

/// Why a mail waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trouble {
    /// What the server said, or what went wrong on the way.
    pub text: String,
    /// Whether it is about our credentials or quota, so that a person has to act.
    pub credentials: bool,
}

/// What became of a mail that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Fate {
    /// The server has it.
    Accepted(Mail),
    /// It is tried again at `retry_at`.
    Kept {
        /// When.
        retry_at: Moment,
        /// Why.
        trouble: Trouble,
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
    /// A mail to the same person that has waited since a failed try takes the notice in, under a
    /// new message id (the server may have the old one already, without this notice).
    pub fn write(&mut self, now: Now, to: &str, notice: Notice, references: &[String]) -> &Mail {
        let id = self.waiting_for(to).unwrap_or(self.next_id);
        let message_id = format!("{:016x}.{}", self.seed, self.next_id);
        self.next_id += 1;
        let entry = self.entries.entry(id).or_insert_with(|| Entry {
            mail: Mail {
                id,
                to: to.to_owned(),
                message_id: String::new(),
                references: Vec::new(),
                notices: Vec::new(),
                written: now.wall,
            },
            tries: 0,
            place: Place::Waiting { retry_at: now.at },
            trouble: None,
        });
        let mail = &mut entry.mail;
        let old = std::mem::replace(&mut mail.message_id, message_id);
        let replaced = (!old.is_empty()).then_some(old);
        mail.references.extend(references.iter().cloned().chain(replaced));
        shorten(&mut mail.references);
        mail.notices.push(notice);
        entry.place = Place::Waiting { retry_at: now.at };
        &entry.mail
    }

    /// Hands a mail to the mailer, if it waits and is due.
    pub fn take(&mut self, at: Moment, id: u64) -> Option<Mail> {
        let entry = self.entries.get_mut(&id)?;
        match entry.place {
            Place::Waiting { retry_at } if retry_at <= at => {
                entry.place = Place::Sending;
                Some(entry.mail.clone())
            }
            _ => None,
        }
    }

    /// The mailer reports on a mail.
    pub fn handle_delivery(&mut self, at: Moment, id: u64, delivery: Delivery) -> Option<Fate> {
        let (backoff, text, credentials) = match delivery {
            Delivery::Accepted => {
                return self.entries.remove(&id).map(|entry| Fate::Accepted(entry.mail));
            }
            Delivery::Rejected(text) => {
                let mail = self.entries.remove(&id)?.mail;
                return Some(Fate::Refused { mail, text });
            }
            Delivery::Later(text) => (SOON, text, false),
            Delivery::MuchLater(text) => (LATER, text, false),
            Delivery::Credentials(text) => (SLOWLY, text, true),
        };
        let entry = self.entries.get_mut(&id)?;
        entry.tries += 1;
        let retry_at = at + backoff.after(entry.tries);
        let trouble = Trouble { text, credentials };
        entry.place = Place::Waiting { retry_at };
        entry.trouble = Some(trouble.clone());
        Some(Fate::Kept { retry_at, trouble })
    }

    /// The server is there again: every mail that waits after a failed try is due now. Their ids,
    /// oldest first.
    pub fn release(&mut self, at: Moment) -> Vec<u64> {
        let waiting = self
            .entries
            .iter_mut()
            .filter(|(_, entry)| matches!(entry.place, Place::Waiting { .. }));
        let released = waiting.map(|(id, entry)| {
            entry.place = Place::Waiting { retry_at: at };
            *id
        });
        released.collect()
    }

    /// Takes in a mail that was found waiting at the start; it is due at once.
    pub fn restore(&mut self, at: Moment, mail: Mail) {
        self.next_id = self.next_id.max(mail.id + 1);
        let place = Place::Waiting { retry_at: at };
        let text = "was found waiting at the start".to_owned();
        let trouble = Some(Trouble { text, credentials: false });
        self.entries.insert(mail.id, Entry { mail, tries: 0, place, trouble });
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

    /// The mails that failed, or were found waiting: how often they failed, and why, oldest first.
    pub fn troubles(&self) -> impl Iterator<Item = (&Mail, u32, &Trouble)> {
        self.entries
            .values()
            .filter_map(|entry| Some((&entry.mail, entry.tries, entry.trouble.as_ref()?)))
    }

    fn waiting_for(&self, to: &str) -> Option<u64> {
        let waits = |entry: &Entry| {
            entry.mail.to == to && entry.tries > 0 && matches!(entry.place, Place::Waiting { .. })
        };
        self.entries.iter().find(|(_, entry)| waits(entry)).map(|(id, _)| *id)
    }
}

/// Drops the oldest references but the first, which names the thread.
fn shorten(references: &mut Vec<String>) {
    let surplus = references.len().saturating_sub(REFERENCES);
    if surplus > 0 {
        references.drain(1..=surplus);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::Wall;

    fn now(seconds: u64) -> Now {
        Now {
            at: Moment::from_millis(seconds * 1000),
            wall: Wall::from_unix_millis(seconds as i64 * 1000),
        }
    }

    fn notice() -> Notice {
        Notice::Test { at: Wall::default() }
    }

    fn later() -> Delivery {
        Delivery::Later("timed out".to_owned())
    }

    fn retry_in(outbox: &mut Outbox, at: u64, id: u64, delivery: Delivery) -> u64 {
        match outbox.handle_delivery(now(at).at, id, delivery) {
            Some(Fate::Kept { retry_at, .. }) => retry_at.as_millis() / 1000 - at,
            fate => panic!("not kept: {fate:?}"),
        }
    }

    #[test]
    fn tries_double_from_5_s_to_15_min_for_as_long_as_it_takes() {
        let mut outbox = Outbox::new(1);
        let id = outbox.write(now(0), "a@b.c", notice(), &[]).id;
        let (mut at, mut waits) = (0, Vec::new());
        for _ in 0..12 {
            assert!(outbox.take(now(at).at, id).is_some());
            let wait = retry_in(&mut outbox, at, id, later());
            assert!(outbox.take(now(at + wait - 1).at, id).is_none());
            at += wait;
            waits.push(wait);
        }
        assert_eq!(waits, [5, 10, 20, 40, 80, 160, 320, 640, 900, 900, 900, 900]);
    }

    #[test]
    fn a_rate_limit_waits_half_an_hour_and_so_do_credentials() {
        let mut outbox = Outbox::new(1);
        let id = outbox.write(now(0), "a@b.c", notice(), &[]).id;
        assert_eq!(retry_in(&mut outbox, 0, id, Delivery::MuchLater(String::new())), 1800);
        assert_eq!(retry_in(&mut outbox, 0, id, Delivery::Credentials(String::new())), 3600);
        assert!(outbox.troubles().all(|(_, tries, trouble)| tries == 2 && trouble.credentials));
    }

    #[test]
    fn what_is_rejected_is_dropped_and_what_is_accepted_is_done() {
        let mut outbox = Outbox::new(1);
        let first = outbox.write(now(0), "a@b.c", notice(), &[]).id;
        let second = outbox.write(now(0), "d@e.f", notice(), &[]).id;
        let fate =
            outbox.handle_delivery(now(0).at, first, Delivery::Rejected("no such user".to_owned()));
        assert!(matches!(fate, Some(Fate::Refused { .. })));
        let fate = outbox.handle_delivery(now(0).at, second, Delivery::Accepted);
        assert!(matches!(fate, Some(Fate::Accepted(mail)) if mail.to == "d@e.f"));
        assert!(outbox.is_empty());
        assert_eq!(outbox.handle_delivery(now(0).at, second, Delivery::Accepted), None);
    }

    #[test]
    fn a_mail_that_waits_takes_in_what_comes_after_under_a_new_id() {
        let mut outbox = Outbox::new(1);
        let first = outbox.write(now(0), "a@b.c", notice(), &[]).clone();
        outbox.take(now(0).at, first.id);
        let apart = outbox.write(now(1), "a@b.c", notice(), &[]).clone();
        assert_ne!(apart.id, first.id, "the first is on its way");
        retry_in(&mut outbox, 1, first.id, later());
        let merged = outbox.write(now(2), "a@b.c", notice(), &["root".to_owned()]).clone();
        assert_eq!((merged.id, merged.notices.len()), (first.id, 2));
        assert_ne!(merged.message_id, first.message_id);
        assert_eq!(merged.references, ["root".to_owned(), first.message_id]);
        assert_eq!(merged.written, first.written);
        assert!(outbox.take(now(2).at, first.id).is_some(), "and is tried at once");
    }

    #[test]
    fn once_the_server_is_back_nothing_waits() {
        let mut outbox = Outbox::new(1);
        let ids: Vec<u64> =
            ["a@b.c", "d@e.f"].map(|to| outbox.write(now(0), to, notice(), &[]).id).into();
        for id in &ids {
            outbox.take(now(0).at, *id);
            retry_in(&mut outbox, 0, *id, later());
        }
        assert_eq!(outbox.release(now(1).at), ids);
        assert!(outbox.take(now(1).at, ids[1]).is_some());
    }

    #[test]
    fn a_long_thread_keeps_its_root_and_its_end() {
        let mut references: Vec<String> = (0..15).map(|n| n.to_string()).collect();
        shorten(&mut references);
        assert_eq!(references.len(), REFERENCES);
        assert_eq!((references[0].as_str(), references[1].as_str()), ("0", "6"));
    }
}
