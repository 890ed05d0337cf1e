//! The outbox: mails that wait to be accepted by the mail server, and when each is tried again.
//!
//! Each person's mails arrive in the order in which they were written: one at a time is on its way,
//! and one that has to wait takes in those that were written after it.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Slot;

use super::backoff::{Failures, LATER, SLOWLY, SOON};
use super::delivery::Delivery;
use super::merge::{make_plainer, take_in};
use super::notice::{Mail, Notice};
use crate::engine::time::{Moment, Now};

/// What is said of a mail that nobody may have.
const BARRED: &str = "may not go there: allow_email does not name the address, and no email is set to have it instead";

/// Where a mail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// It goes out as soon as the mails before it to the same person have.
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
    /// Why it waits: what the server said, or what went wrong on the way.
    trouble: Option<String>,
}

impl Entry {
    fn new(mail: Mail) -> Entry {
        let place = Place::Queued;
        Entry { mail, tries: 0, failures: None, place, held_until: None, trouble: None }
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
    /// Its message id from now on.
    pub message_id: String,
    /// The mail was there before, and has taken in this one.
    pub taken_in: Option<Mail>,
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
    /// A mail to the same person that waits for its next try takes the notice in, under a new
    /// message id (the server may have the old one already, without this notice).
    pub fn write(&mut self, now: Now, to: &str, notice: Notice, references: &[String]) -> Written {
        let id = self.waiting_for(to).unwrap_or(self.next_id);
        let mail = Mail {
            id,
            to: to.to_owned(),
            message_id: self.next_message_id(),
            references: references.to_vec(),
            notices: vec![notice],
            written: now.wall,
            meant_for: Vec::new(),
            held_back: None,
            left_out: 0,
        };
        self.next_id += 1;
        let mut written = Written { id, message_id: mail.message_id.clone(), taken_in: None };
        match self.entries.entry(id) {
            Slot::Vacant(slot) => {
                slot.insert(Entry::new(mail));
            }
            Slot::Occupied(slot) => {
                let entry = slot.into_mut();
                take_in(&mut entry.mail, mail.clone());
                written.taken_in = Some(mail);
                if entry.failures.is_none_or(Failures::allow_haste) {
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
        entry.held_until = None;
        Some(entry.mail.clone())
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
            entry.mail.held_back.get_or_insert(now.wall);
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
        let (backoff, text) = match delivery {
            Delivery::Accepted => {
                return self.entries.remove(&id).map(|entry| Fate::Accepted(entry.mail));
            }
            Delivery::Rejected(text) => {
                let mail = self.entries.remove(&id)?.mail;
                return Some(Fate::Refused { mail, text });
            }
            Delivery::Later(text) => (SOON, text),
            Delivery::MuchLater(text) => (LATER, text),
            Delivery::Settings(text) => (SLOWLY, text),
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
        entry.trouble = Some(text.clone());
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
    pub fn restore(&mut self, mail: Mail) {
        self.next_id = self.next_id.max(mail.id + 1);
        let trouble = Some("was found waiting at the start".to_owned());
        self.entries.insert(mail.id, Entry { trouble, ..Entry::new(mail) });
    }

    /// Has others get a mail that its recipient may not have: it is gone, and each of `instead` has
    /// one of their own. With nobody to have it, it stays where it is. The ids of the new ones.
    pub fn readdress(&mut self, id: u64, instead: &[String]) -> Vec<u64> {
        if instead.is_empty() {
            if let Some(entry) = self.entries.get_mut(&id) {
                entry.place = Place::Barred;
                entry.trouble = Some(BARRED.to_owned());
            }
            return Vec::new();
        }
        let Some(barred) = self.entries.remove(&id) else { return Vec::new() };
        let mut ids = Vec::new();
        for to in instead {
            let mut entry = barred.clone();
            let meant_for = std::mem::replace(&mut entry.mail.to, to.clone());
            entry.mail.meant_for.push(meant_for);
            entry.mail.id = self.next_id;
            entry.mail.message_id = self.next_message_id();
            // The thread is the other person's.
            entry.mail.references.clear();
            ids.push(self.next_id);
            self.entries.insert(self.next_id, entry);
            self.next_id += 1;
        }
        ids
    }

    /// The oldest mail to a person, which goes out before any other.
    pub fn next_for(&self, to: &str) -> Option<u64> {
        self.entries.iter().find(|(_, entry)| entry.mail.to == to).map(|(id, _)| *id)
    }

    /// Has a mail take in those that are queued behind it; their ids.
    fn gather(&mut self, id: u64) -> Vec<u64> {
        let Some(to) = self.recipient(id) else { return Vec::new() };
        let behind = |(_, entry): &(&u64, &Entry)| {
            entry.mail.to == to && entry.place == Place::Queued && entry.mail.id > id
        };
        let ids: Vec<u64> = self.entries.iter().filter(behind).map(|(id, _)| *id).collect();
        for behind in &ids {
            let taken = self.entries.remove(behind);
            if let (Some(entry), Some(taken)) = (self.entries.get_mut(&id), taken) {
                take_in(&mut entry.mail, taken.mail);
            }
        }
        ids
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
    pub fn troubles(&self) -> impl Iterator<Item = (&Mail, u32, &str)> {
        self.entries
            .values()
            .filter_map(|entry| Some((&entry.mail, entry.tries, entry.trouble.as_deref()?)))
    }

    fn next_message_id(&self) -> String {
        format!("{:016x}.{}", self.seed, self.next_id)
    }

    fn waiting_for(&self, to: &str) -> Option<u64> {
        self.next_for(to).filter(|id| self.entries.get(id).is_some_and(Entry::is_waiting))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::alerts::notice::{Change, RecentCheck, State};
    use crate::engine::time::Wall;
    use crate::engine::verdict::answer::Outcome;

    fn now(seconds: u64) -> Now {
        Now {
            at: Moment::from_millis(seconds * 1000),
            wall: Wall::from_unix_millis(seconds as i64 * 1000),
        }
    }

    fn notice() -> Notice {
        Notice::Test { at: Wall::default() }
    }

    fn told_in_full() -> Notice {
        Notice::Change(Change {
            app: "NAS".to_owned(),
            url: "http://nas/health".to_owned(),
            from: State::Healthy,
            to: State::Unhealthy,
            at: Wall::default(),
            since: Wall::default(),
            lasted_ms: 0,
            reason: "HTTP 503".to_owned(),
            body: Some("{\"cheap\": \"pills\"}".to_owned()),
            recent: vec![RecentCheck {
                time: Wall::default(),
                outcome: Outcome::Fail,
                latency_ms: 1,
            }],
        })
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
    fn a_rate_limit_and_wrong_settings_each_start_at_half_an_hour() {
        let mut outbox = Outbox::new(1);
        let id = outbox.write(now(0), "a@b.c", notice(), &[]).id;
        let mut wait = |delivery| retry_in(&mut outbox, 0, id, delivery);
        assert_eq!(wait(later()), 5);
        assert_eq!(wait(later()), 10);
        assert_eq!(wait(Delivery::MuchLater(String::new())), 1800);
        assert_eq!(wait(Delivery::MuchLater(String::new())), 3600);
        assert_eq!(wait(Delivery::Settings(String::new())), 1800);
        assert_eq!(wait(later()), 5);
        assert!(outbox.troubles().all(|(_, tries, _)| tries == 6));
    }

    #[test]
    fn what_a_filter_does_not_like_is_tried_soon_with_less_in_it_and_then_slowly() {
        let mut outbox = Outbox::new(1);
        let id = outbox.write(now(0), "a@b.c", told_in_full(), &[]).id;
        let wait = |outbox: &mut Outbox| {
            let spam = Delivery::Content("550 5.2.0 spam".to_owned());
            let Some(Fate::Kept { retry_at, made_plainer, .. }) =
                outbox.handle_delivery(now(0).at, id, spam)
            else {
                panic!("not kept")
            };
            (retry_at.as_millis() / 1000, made_plainer)
        };
        assert_eq!(wait(&mut outbox), (5, true));
        assert_eq!(wait(&mut outbox), (1800, false));
        assert_eq!(wait(&mut outbox), (3600, false));
        let [Notice::Change(change)] = outbox.mail(id).unwrap().notices.as_slice() else {
            panic!("another notice")
        };
        assert_eq!((&change.body, change.recent.len()), (&None, 0));
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
        let id = outbox.write(now(0), "a@b.c", notice(), &[]).id;
        let first = outbox.take(now(0).at, id).unwrap();
        retry_in(&mut outbox, 1, first.id, later());
        let written = outbox.write(now(2), "a@b.c", notice(), &["root".to_owned()]);
        assert_eq!((written.id, written.taken_in.unwrap().notices.len()), (first.id, 1));
        let merged = outbox.take(now(2).at, id).expect("it is tried at once");
        assert_eq!((merged.notices.len(), &merged.message_id), (2, &written.message_id));
        assert_ne!(merged.message_id, first.message_id);
        assert_eq!(merged.references, ["root".to_owned(), first.message_id]);
        assert_eq!(merged.written, first.written);
    }

    #[test]
    fn fresh_news_does_not_hurry_what_has_to_wait() {
        for delivery in [Delivery::MuchLater(String::new()), Delivery::Settings(String::new())] {
            let mut outbox = Outbox::new(1);
            let id = outbox.write(now(0), "a@b.c", notice(), &[]).id;
            outbox.take(now(0).at, id);
            retry_in(&mut outbox, 0, id, delivery);
            assert_eq!(outbox.write(now(1), "a@b.c", notice(), &[]).id, id);
            assert_eq!(outbox.take(now(1799).at, id), None);
            assert_eq!(outbox.take(now(1800).at, id).unwrap().notices.len(), 2);
        }
    }

    #[test]
    fn mails_to_one_person_go_out_one_after_the_other() {
        let mut outbox = Outbox::new(1);
        let [first, second, third] =
            [0, 1, 2].map(|at| outbox.write(now(at), "a@b.c", notice(), &[]));
        let other = outbox.write(now(2), "d@e.f", notice(), &[]).id;
        assert!(outbox.take(now(2).at, first.id).is_some());
        assert_eq!(outbox.take(now(2).at, second.id), None, "the first is on its way");
        assert!(outbox.take(now(2).at, other).is_some(), "nobody else waits for it");
        outbox.handle_delivery(now(3).at, first.id, Delivery::Accepted);
        assert_eq!(outbox.release(now(3).at), [second.id]);
        assert!(outbox.take(now(3).at, second.id).is_some());
        let fate = outbox.handle_delivery(now(4).at, second.id, later());
        assert!(matches!(fate, Some(Fate::Kept { took_in, .. }) if took_in == [third.id]));
        let both = outbox.take(now(9).at, second.id).unwrap();
        assert_eq!((both.notices.len(), &both.message_id), (2, &third.message_id));
        assert_eq!(both.references, [second.message_id]);
        assert_eq!(outbox.next_for("a@b.c"), Some(second.id));
    }

    #[test]
    fn a_limit_on_one_mailbox_outlasts_the_success_of_another() {
        let mut outbox = Outbox::new(1);
        let ids = ["a@b.c", "d@e.f"].map(|to| outbox.write(now(0), to, notice(), &[]).id);
        for (id, delivery) in ids.into_iter().zip([Delivery::MuchLater(String::new()), later()]) {
            outbox.take(now(0).at, id);
            retry_in(&mut outbox, 0, id, delivery);
        }
        assert_eq!(outbox.release(now(1).at), ids[1..]);
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
}
