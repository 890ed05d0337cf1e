//! Each mail, from its record to the mail server: none that was promised is lost, and none comes twice
//! unless nobody could know that it had come.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use healthchecker::engine::outbox::delivery::Delivery;
use healthchecker::engine::outbox::mail::Mail;
use healthchecker::engine::recipients::Recipient;
use healthchecker::engine::record::Record;

use crate::story::Ms;

/// A mail that the daemon has.
#[derive(Clone, Debug)]
struct Kept {
    to: Recipient,
    /// Of how much it tells.
    notices: usize,
    /// When the newest of it was put into the outbox.
    written: Ms,
    /// It is on disk.
    promised: bool,
    /// The server has it, or has refused it for good.
    concluded: bool,
}

/// A message id that the server has had.
#[derive(Clone, Copy, Debug)]
struct Had {
    run: usize,
    /// The daemon knows.
    heard: bool,
    /// And has it on disk that it is done.
    noted: bool,
}

/// All mails of a household.
#[derive(Debug, Default)]
pub(super) struct Ledger {
    run: usize,
    mails: BTreeMap<u64, Kept>,
    had: HashMap<String, Had>,
    /// The message id under which each mail was accepted.
    accepted: BTreeMap<u64, String>,
    /// Those that were struck off, and are so on disk with the next report.
    done: BTreeSet<u64>,
    /// What waits for the disk.
    unsynced: BTreeSet<u64>,
}

impl Ledger {
    /// The daemon keeps records: what of them must not be.
    pub(super) fn kept(&mut self, at: Ms, records: &[Record]) -> Vec<String> {
        let mut taken_in: Vec<u64> = Vec::new();
        let mut wrong = Vec::new();
        for record in records {
            match record {
                Record::Mail(mail) => self.written(at, mail),
                Record::MailMerged { id, later } => {
                    if let Some(kept) = self.mails.get_mut(id) {
                        kept.notices += later.notices.len();
                        kept.written = at;
                        self.unsynced.insert(*id);
                    }
                    taken_in.push(later.id);
                }
                Record::MailDone { id } => {
                    let is_rewritten = |to: &Recipient| {
                        let rewritten = |record: &Record| matches!(record, Record::Mail(mail) if mail.id != *id && mail.to == *to);
                        records.iter().any(rewritten)
                    };
                    if let Some(kept) = self.mails.get(id)
                        && !kept.concluded
                        && !taken_in.contains(id)
                        && !is_rewritten(&kept.to)
                    {
                        wrong.push(format!(
                            "mail {id} to {} is struck off, though the server neither took nor refused it",
                            kept.to
                        ));
                    }
                    self.done.insert(*id);
                    self.mails.remove(id);
                }
                _ => {}
            }
        }
        wrong
    }

    fn written(&mut self, at: Ms, mail: &Mail) {
        let notices = mail.notices.len() + mail.left_out as usize;
        let kept = self.mails.entry(mail.id).or_insert_with(|| Kept {
            to: mail.to.clone(),
            notices: 0,
            written: at,
            promised: false,
            concluded: false,
        });
        if kept.notices != notices {
            kept.notices = notices;
            kept.written = at;
        }
        self.unsynced.insert(mail.id);
    }

    /// When the newest of what a mail tells was put into the outbox.
    pub(super) fn written_at(&self, id: u64) -> Option<Ms> {
        self.mails.get(&id).map(|kept| kept.written)
    }

    /// Everything so far is on disk.
    pub(super) fn synced(&mut self) {
        for id in std::mem::take(&mut self.unsynced) {
            if let Some(kept) = self.mails.get_mut(&id) {
                kept.promised = true;
            }
        }
        for id in std::mem::take(&mut self.done) {
            let had = self.accepted.remove(&id).and_then(|message| self.had.get_mut(&message));
            if let Some(had) = had {
                had.noted = true;
            }
        }
    }

    /// The server takes a mail: what must not be about that.
    pub(super) fn taken(&mut self, id: u64, message: &str, to: &str) -> Option<String> {
        if let Some(kept) = self.mails.get_mut(&id) {
            kept.concluded = true;
        }
        let key = format!("{to} {message}");
        self.accepted.insert(id, key.clone());
        let now = Had { run: self.run, heard: false, noted: false };
        let before = self.had.insert(key, now)?;
        let knew = before.heard && (before.run == self.run || before.noted);
        knew.then(|| {
            format!(
                "mail {id} ({message}) goes to {to} again, though the daemon knew that it had come"
            )
        })
    }

    /// The daemon learns how an attempt ended.
    pub(super) fn told(&mut self, id: u64, delivery: &Delivery) {
        match delivery {
            Delivery::Accepted => {
                let had = self.accepted.get(&id).and_then(|message| self.had.get_mut(message));
                if let Some(had) = had {
                    had.heard = true;
                }
            }
            Delivery::Rejected(_) => {
                if let Some(kept) = self.mails.get_mut(&id) {
                    kept.concluded = true;
                }
            }
            _ => {}
        }
    }

    /// A daemon has started, with these mails: which are lost.
    pub(super) fn starts_with<'a>(
        &mut self,
        at: Ms,
        mails: impl Iterator<Item = &'a Mail>,
    ) -> Vec<String> {
        self.run += 1;
        self.done.clear();
        self.unsynced.clear();
        let before = std::mem::take(&mut self.mails);
        for mail in mails {
            self.written(at, mail);
            if let Some(earlier) = before.get(&mail.id).filter(|earlier| earlier.to == mail.to)
                && let Some(kept) = self.mails.get_mut(&mail.id)
            {
                kept.written = earlier.written;
                kept.promised = earlier.promised;
                kept.concluded = earlier.concluded;
            }
        }
        self.accepted.retain(|id, _| self.mails.contains_key(id));
        before
            .iter()
            .filter(|(id, kept)| kept.promised && !kept.concluded && !self.mails.contains_key(id))
            .map(|(id, kept)| format!("mail {id} to {} was on disk and is gone", kept.to))
            .collect()
    }

    /// At the end of the story: the mails that were promised and that the daemon no longer has.
    pub(super) fn missing<'a>(&self, mails: impl Iterator<Item = &'a Mail>) -> Vec<String> {
        let there: BTreeSet<u64> = mails.map(|mail| mail.id).collect();
        self.mails
            .iter()
            .filter(|(id, kept)| !kept.concluded && !there.contains(id))
            .map(|(id, kept)| format!("mail {id} to {} is nowhere", kept.to))
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use healthchecker::engine::outbox::notice::Notice;
    use healthchecker::engine::time::{Now, Stamp};

    use super::*;

    fn mail(id: u64) -> Mail {
        let at = Stamp::noted(Now::default());
        let to = Recipient::mail("ann@home.example");
        Mail::new(id, to, format!("m{id}"), vec![Notice::Test { at }], at)
    }

    fn written(id: u64) -> Record {
        Record::Mail(Box::new(mail(id)))
    }

    fn taken(ledger: &mut Ledger, id: u64) -> Option<String> {
        ledger.taken(id, &format!("m{id}"), "ann@home.example")
    }

    #[test]
    fn a_mail_that_was_on_disk_is_missed_after_a_start_and_one_that_was_not_is_not() {
        let mut ledger = Ledger::default();
        assert!(ledger.kept(5, &[written(1), written(2)]).is_empty());
        ledger.synced();
        ledger.kept(6, &[written(3)]);
        let lost = ledger.starts_with(9, [mail(2)].iter());
        assert_eq!(lost, ["mail 1 to ann@home.example was on disk and is gone"]);
        assert_eq!(ledger.written_at(2), Some(5));
        assert_eq!(ledger.missing([].iter()), ["mail 2 to ann@home.example is nowhere"]);
    }

    #[test]
    fn what_the_server_took_or_refused_may_be_struck_off_and_nothing_else() {
        let mut ledger = Ledger::default();
        ledger.kept(1, &[written(1), written(2), written(3), written(4)]);
        assert_eq!(taken(&mut ledger, 1), None);
        ledger.told(1, &Delivery::Accepted);
        ledger.told(2, &Delivery::Rejected("550 5.1.1".to_owned()));
        ledger.told(3, &Delivery::Later("451".to_owned()));
        let done = |id| Record::MailDone { id };
        let wrong = ledger.kept(2, &[done(1), done(2), done(3)]);
        assert!(matches!(wrong.as_slice(), [one] if one.starts_with("mail 3 ")), "{wrong:?}");
        ledger.kept(3, &[written(5)]);
        let took_in = Record::MailMerged { id: 5, later: Box::new(mail(4)) };
        assert!(ledger.kept(4, &[took_in, done(4)]).is_empty());
        assert_eq!(ledger.written_at(5), Some(4));
    }

    #[test]
    fn a_mail_comes_twice_only_where_nobody_knew() {
        let mut ledger = Ledger::default();
        ledger.kept(1, &[written(1), written(2), written(3)]);
        // Its 250 was lost.
        assert_eq!(taken(&mut ledger, 1), None);
        assert_eq!(taken(&mut ledger, 1), None);
        ledger.told(1, &Delivery::Accepted);
        assert!(taken(&mut ledger, 1).is_some());
        // The note of it was lost with the power.
        assert_eq!(taken(&mut ledger, 2), None);
        ledger.told(2, &Delivery::Accepted);
        ledger.kept(2, &[Record::MailDone { id: 2 }]);
        ledger.starts_with(3, [mail(2), mail(3)].iter());
        assert_eq!(taken(&mut ledger, 2), None);
        // The note of it was on disk.
        assert_eq!(taken(&mut ledger, 3), None);
        ledger.told(3, &Delivery::Accepted);
        ledger.kept(4, &[Record::MailDone { id: 3 }]);
        ledger.synced();
        ledger.starts_with(5, [mail(3)].iter());
        assert!(taken(&mut ledger, 3).is_some());
    }
}
