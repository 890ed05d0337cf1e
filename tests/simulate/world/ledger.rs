//! Each mail, from its record to the mail server: none that was promised is lost, and none comes twice
//! unless nobody could know that it had come.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use healthchecker::engine::outbox::delivery::Delivery;
use healthchecker::engine::outbox::notice::Mail;
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
