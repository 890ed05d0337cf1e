//! What of the outbox is on disk: what is to be written, and what is done with what is found there.

use super::Outbox;
use super::mail::Mail;
use super::mails::MailChanges;
use super::notice::Notice;
use super::rate_limit::Had;
use super::refusals::Refusal;
use crate::engine::recipients::Recipient;
use crate::engine::time::Now;

/// What is to be written.
#[derive(Debug, Default)]
pub struct Changes {
    /// Of the mails.
    pub mails: MailChanges,
    /// Mails that were accepted, and to whom.
    pub accepted: Vec<(Recipient, Had)>,
    /// The people whose refusals began, went on or ended.
    pub refusals: Vec<Recipient>,
}

impl Changes {
    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        let Changes { mails: MailChanges { whole, merged, done }, accepted, refusals } = self;
        whole.is_empty()
            && merged.is_empty()
            && done.is_empty()
            && accepted.is_empty()
            && refusals.is_empty()
    }
}

/// What is on disk of it.
impl Outbox {
    /// What is to be written since this was called last.
    pub fn take_changes(&mut self) -> Changes {
        Changes {
            mails: self.queue.take_changes(),
            accepted: self.rate_limit.take_new(),
            refusals: self.refusals.take_changed(),
        }
    }

    /// One mail.
    pub fn mail(&self, id: u64) -> Option<&Mail> {
        self.queue.mail(id)
    }

    /// What stands of refusals to one person.
    pub fn refusal(&self, to: &Recipient) -> Option<&Refusal> {
        self.refusals.of(to)
    }

    /// Takes in what is on record. Mails are tried once [`Outbox::handle_start`] says so.
    pub fn restore(
        &mut self,
        now: Now,
        accepted: Vec<(Recipient, Had)>,
        refusals: Vec<Refusal>,
        mails: Vec<Mail>,
    ) {
        accepted.into_iter().for_each(|(to, had)| self.rate_limit.restore(now.at, had, &to));
        refusals.into_iter().for_each(|refusal| self.refusals.restore(refusal));
        mails.into_iter().for_each(|mail| self.queue.restore(now.at, mail));
    }

    /// Sends mails that were found at the start, as far as they may go.
    pub fn handle_start(&mut self, now: Now, ids: Vec<u64>) {
        ids.into_iter().for_each(|id| self.send(now, id));
    }

    /// Has a mail that its recipient may not have take in those that are queued behind it.
    pub fn gather(&mut self, id: u64) {
        self.queue.gather(id);
    }

    /// Keeps a mail that its recipient may not have, until a start at which they may. Until then it
    /// takes in what else there is to tell them.
    pub fn disallow(&mut self, id: u64) {
        self.queue.disallow(id);
    }

    /// Has `to` get `notices` of a mail that its recipient may not have. The id of the new mail.
    pub fn pass_on(&mut self, id: u64, to: &Recipient, notices: Vec<Notice>) -> Option<u64> {
        self.queue.pass_on(id, to, notices)
    }

    /// Drops a mail, since there is no more to be told by it.
    pub fn drop_mail(&mut self, id: u64) {
        self.queue.drop_mail(id);
    }
}
