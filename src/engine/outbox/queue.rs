//! The queue: mails that wait to be accepted by the mail server, and when each is tried again.
//!
//! Each person's mails arrive in the order in which they were written: one at a time is on its way,
//! and what there is to tell meanwhile waits in one more.

use std::time::Duration;

use super::backoff::{Failures, LATER, SLOWLY, SOON};
use super::delivery::Delivery;
use super::mail::Mail;
use super::mails::{Entry, MailChanges, Mails};
use super::merge::{bounded, make_plainer, merge};
use super::message_id::{MessageIds, following, follows};
use super::notice::Notice;
use super::standing::{Phase, Standing};
use crate::engine::recipients::Recipient;
use crate::engine::time::{Moment, Now, Stamp, Step};

/// What is said of a mail that nobody may have.
const DISALLOWED: &str = "may not go there: allow_email does not name the address, and no email is set to have it instead";

/// What became of a mail that was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Fate {
    /// The server has it.
    Accepted {
        mail: Mail,
        /// How long it has waited for the server, since the start at most.
        after: Duration,
    },
    /// It is tried again at `retry_at`.
    Kept {
        retry_at: Moment,
        /// What the server said, or what went wrong on the way.
        text: String,
    },
    /// Refused for good, and dropped.
    Refused { mail: Mail, text: String },
    /// Not accepted, and dropped, since somebody has given it up meanwhile.
    GivenUp { to: Recipient },
}

/// The mails that wait, in the order in which they were written.
#[derive(Clone, Debug)]
pub(super) struct Queue {
    mails: Mails,
    next_id: u64,
    message_ids: MessageIds,
}

impl Queue {
    /// An empty queue.
    pub(super) fn new(seed: u64) -> Queue {
        Queue { mails: Mails::default(), next_id: 1, message_ids: MessageIds::new(seed) }
    }

    /// Writes a mail, to be sent at once: take it with [`Queue::take`].
    ///
    /// A mail to the same person that waits, for whatever, takes the notice in, under a new message
    /// id if the server may have it under the old one, without this notice. The id of the mail that
    /// tells it.
    pub(super) fn write(
        &mut self,
        now: Now,
        to: Recipient,
        notice: Notice,
        references: &[String],
    ) -> u64 {
        let merging = self.merging_for(&to);
        let id = merging.unwrap_or(self.next_id);
        let outgrown = merging.and_then(|id| self.outgrow_message_id(id));
        let message_id = match merging.and_then(|id| self.mails.get(id)) {
            None => following(&to, &notice, references).unwrap_or_else(|| self.next_message_id()),
            Some(known) if known.standing.was_out => self.next_message_id(),
            Some(known) => known.mail().message_id.clone(),
        };
        let mail = Mail {
            references: without(outgrown.as_ref(), references),
            ..Mail::new(id, to, message_id, vec![notice], Stamp::noted(now))
        };
        self.next_id += 1;
        if self.mails.get(id).is_none() {
            self.mails.insert(bounded(mail), Standing::new(now.at));
            return id;
        }
        self.mails.merge(id, mail);
        if let Some(standing) = self.mails.standing(id) {
            standing.was_out = false;
            // What it takes in may be of somebody who is not quiet. It was due when it began to wait for those who are.
            let was_due = std::mem::take(&mut standing.is_quiet);
            if was_due {
                (standing.held_until, standing.since) = (None, now.at);
            }
            let may_haste = was_due || standing.failures.is_none_or(Failures::allow_haste);
            if standing.is_waiting() && may_haste {
                standing.wait_until(now.at);
            }
        }
        id
    }

    /// Hands a mail to the mailer, if it is due and the next one for its recipient.
    pub(super) fn take(&mut self, at: Moment, id: u64) -> Option<Mail> {
        if !self.is_due(at, id) {
            return None;
        }
        let standing = self.mails.standing(id)?;
        standing.phase = Phase::Sending;
        standing.was_out = true;
        standing.since = standing.waits_since();
        (standing.held_until, standing.is_quiet) = (None, false);
        let mail = self.mail(id)?.clone();
        self.gather_behind(id);
        Some(mail)
    }

    /// Has those that wait behind a mail go together, in the first of them.
    ///
    /// The one under way stays as it is: the server may have it already, under its message id.
    fn gather_behind(&mut self, id: u64) {
        if let Some(next) = self.queued_behind(id).first() {
            self.gather(*next);
        }
    }

    /// Whether [`Queue::take`] would hand the mail over.
    pub(super) fn is_due(&self, at: Moment, id: u64) -> bool {
        let Some(entry) = self.mails.get(id) else { return false };
        let due = match entry.standing.phase {
            Phase::Queued => true,
            Phase::Sending | Phase::Disallowed => false,
            Phase::Waiting { retry_at } => retry_at <= at,
        };
        due && self.next_for(&entry.mail().to) == Some(id)
    }

    /// Holds a mail back, whatever else happens, since its recipient has had enough for now. Whether
    /// it was not held back before.
    pub(super) fn hold_back(&mut self, now: Now, id: u64, until: Moment) -> bool {
        let is_new = self.mails.edit(id, |mail| {
            let is_new = mail.held_back.is_none();
            mail.held_back.get_or_insert(Stamp::noted(now));
            is_new
        });
        if let Some(standing) = self.mails.standing(id) {
            standing.held_until = Some(until);
            standing.wait_until(until);
        }
        self.gather(id);
        is_new.unwrap_or_default()
    }

    /// Has a mail wait for the end of a quiet time, which may be then.
    pub(super) fn hold_quietly(&mut self, id: u64, until: Moment) {
        if let Some(standing) = self.mails.standing(id) {
            (standing.held_until, standing.is_quiet) = (Some(until), true);
            standing.wait_until(until);
        }
        self.gather(id);
    }

    /// The quiet time of a mail is over: it goes then, with all that it takes in before.
    pub(super) fn end_quiet(&mut self, id: u64, at: Moment) {
        if let Some(standing) = self.mails.standing(id) {
            (standing.held_until, standing.is_quiet) = (Some(at), false);
            standing.wait_until(at);
        }
    }

    /// The mails that wait for the end of a quiet time.
    pub(super) fn held_quietly(&mut self) -> Vec<u64> {
        let held = self.mails.standings().filter(|(_, _, standing)| standing.is_quiet);
        held.map(|(id, _, _)| id).collect()
    }

    /// Has a mail wait until then, whatever else happens, for what else there is to tell.
    pub(super) fn pace(&mut self, id: u64, until: Moment) {
        if let Some(standing) = self.mails.standing(id) {
            standing.held_until = Some(until);
            // That it was found at the start is none: it waits on purpose.
            standing.trouble = None;
        }
        self.put_off(id, until);
    }

    /// One mail, unless this run has tried to send it.
    pub(super) fn untried(&self, id: u64) -> Option<&Mail> {
        self.mails.get(id).filter(|entry| entry.standing.tries == 0).map(Entry::mail)
    }

    /// Has a mail wait though it was not tried.
    pub(super) fn put_off(&mut self, id: u64, retry_at: Moment) {
        if let Some(standing) = self.mails.standing(id) {
            standing.phase = Phase::Waiting { retry_at };
        }
        self.gather(id);
    }

    /// The mailer reports on a mail.
    pub(super) fn handle_delivery(
        &mut self,
        at: Moment,
        id: u64,
        delivery: Delivery,
    ) -> Option<Fate> {
        let is_unclear = matches!(delivery, Delivery::Unclear(_));
        let (backoff, text) = match delivery {
            Delivery::Accepted => {
                let entry = self.mails.remove(id)?;
                let after = at.since(entry.standing.waits_since());
                return Some(Fate::Accepted { mail: entry.into_mail(), after });
            }
            _ if self.mail(id)?.given_up => {
                let to = self.mails.remove(id)?.into_mail().to;
                return Some(Fate::GivenUp { to });
            }
            Delivery::Rejected(text) => {
                let mail = self.mails.remove(id)?.into_mail();
                return Some(Fate::Refused { mail, text });
            }
            Delivery::Later(text) => (SOON, text),
            Delivery::MuchLater(text) => (LATER, text),
            Delivery::Settings(text) | Delivery::Unclear(text) => (SLOWLY, text),
            Delivery::Content(text) => {
                let is_plainer = self.mails.edit(id, make_plainer)?;
                (if is_plainer { SOON } else { SLOWLY }, text)
            }
        };
        let trouble = match is_unclear {
            true => {
                format!("{text}; `healthchecker seen {}` gives the mail up", self.recipient(id)?)
            }
            false => text.clone(),
        };
        let standing = self.mails.standing(id)?;
        let failures = Failures::and(standing.failures, backoff);
        let retry_at = at + failures.wait();
        standing.is_unclear = is_unclear;
        standing.tries += 1;
        standing.failures = Some(failures);
        standing.phase = Phase::Waiting { retry_at };
        standing.trouble = Some(trouble);
        self.gather(id);
        Some(Fate::Kept { retry_at, text })
    }

    /// The server is there again: the mails that wait are due now, but those that a limit holds
    /// back. The ids of all that can be tried, oldest first.
    pub(super) fn release(&mut self, at: Moment) -> Vec<u64> {
        for (_, _, standing) in self.mails.standings() {
            if standing.is_waiting() && standing.failures.is_none_or(Failures::end_with_another) {
                standing.wait_until(at);
            }
        }
        self.mails.iter().map(|(id, _)| id).filter(|id| self.is_due(at, *id)).collect()
    }

    /// Takes in a mail that was found waiting at the start; it is due at once.
    pub(super) fn restore(&mut self, at: Moment, mail: Mail) {
        self.next_id = self.next_id.max(mail.id + 1);
        let trouble = Some("was found waiting at the start".to_owned());
        self.mails.restore(mail, Standing { trouble, was_out: true, ..Standing::new(at) });
    }

    /// Keeps a mail that its recipient may not have, until a start at which they may. Until then it
    /// takes in what else there is to tell them.
    pub(super) fn disallow(&mut self, id: u64) {
        if let Some(standing) = self.mails.standing(id) {
            standing.phase = Phase::Disallowed;
            standing.trouble = Some(DISALLOWED.to_owned());
        }
    }

    /// Has `to` get `notices` of a mail that its recipient may not have. The id of the new mail.
    pub(super) fn pass_on(&mut self, id: u64, to: &Recipient, notices: Vec<Notice>) -> Option<u64> {
        let disallowed = self.mails.get(id)?;
        let standing = Standing { was_out: false, ..disallowed.standing.clone() };
        let mut mail = disallowed.mail().clone();
        mail.meant_for.push(std::mem::replace(&mut mail.to, to.clone()));
        mail.notices = notices;
        mail.id = self.next_id;
        mail.message_id = self.next_message_id();
        // The thread is the other person's.
        mail.references.clear();
        self.mails.insert(mail, standing);
        self.next_id += 1;
        Some(self.next_id - 1)
    }

    /// What a mail tells of a time in which nobody is seen was over by then. It keeps its message id: who has it
    /// already knows the most of it.
    pub(super) fn end_blindness(&mut self, id: u64, until: Stamp) {
        self.mails.edit(id, |mail| {
            for notice in &mut mail.notices {
                if let Notice::Blind(blind) = notice {
                    blind.end(until);
                }
            }
        });
    }

    /// Drops a mail, since there is no more to be told by it.
    pub(super) fn drop_mail(&mut self, id: u64) {
        self.mails.remove(id);
    }

    /// Drops the mails to somebody of whom it is unclear whether there is anybody to have them; these.
    /// One that is under way may be accepted yet; if not, it is dropped then.
    pub(super) fn give_up(&mut self, to: &Recipient) -> Vec<Mail> {
        let is_unclear = |entry: &Entry| entry.standing.is_unclear && entry.mail().to == *to;
        let unclear = self.mails.iter().filter(|(_, entry)| is_unclear(entry));
        let ids: Vec<u64> = unclear.map(|(id, _)| id).collect();
        ids.into_iter().filter_map(|id| self.give_up_one(id)).collect()
    }

    fn give_up_one(&mut self, id: u64) -> Option<Mail> {
        let Entry { standing, .. } = self.mails.get(id)?;
        if standing.phase != Phase::Sending {
            return self.mails.remove(id).map(Entry::into_mail);
        }
        self.mails.edit(id, |mail| {
            let is_new = !std::mem::replace(&mut mail.given_up, true);
            is_new.then(|| mail.clone())
        })?
    }

    /// The mails to a person that tell of an app, oldest first.
    pub(super) fn telling(&self, to: &Recipient, app: &str) -> impl Iterator<Item = &Mail> {
        self.mails().filter(move |mail| mail.to == *to && mail.tells_of(app))
    }

    /// The oldest mail to a person, which goes out before any other.
    pub(super) fn next_for(&self, to: &Recipient) -> Option<u64> {
        self.mails.iter().find(|(_, entry)| entry.mail().to == *to).map(|(id, _)| id)
    }

    /// Has a mail take in those that are queued behind it.
    pub(super) fn gather(&mut self, id: u64) {
        for behind in self.queued_behind(id) {
            let outgrown = self.outgrow_message_id(id);
            let Some(taken) = self.mails.remove(behind) else { continue };
            let merged_was_out = taken.standing.was_out;
            let mut later = taken.into_mail();
            later.references = without(outgrown.as_ref(), &later.references);
            if follows(&later.message_id) {
                later.message_id = self.take_message_id();
            }
            let Some(standing) = self.mails.standing(id) else { continue };
            let was_out = standing.was_out;
            standing.was_out = was_out && merged_was_out;
            self.mails.edit(id, |mail| {
                if !was_out {
                    later.message_id.clone_from(&mail.message_id);
                }
                merge(mail, later);
            });
        }
    }

    fn queued_behind(&self, id: u64) -> Vec<u64> {
        let Some(to) = self.recipient(id) else { return Vec::new() };
        let behind = |(other, entry): &(u64, &Entry)| {
            entry.mail().to == *to && entry.standing.phase == Phase::Queued && *other > id
        };
        self.mails.iter().filter(behind).map(|(id, _)| id).collect()
    }

    /// Whether the mailer has a mail.
    pub(super) fn is_sending(&self) -> bool {
        self.mails.iter().any(|(_, entry)| entry.standing.phase == Phase::Sending)
    }

    /// One mail.
    pub(super) fn mail(&self, id: u64) -> Option<&Mail> {
        self.mails.get(id).map(Entry::mail)
    }

    /// All mails, oldest first, but for those given up.
    pub(super) fn mails(&self) -> impl Iterator<Item = &Mail> {
        self.mails.iter().map(|(_, entry)| entry.mail()).filter(|mail| !mail.given_up)
    }

    /// Hands over every time in it, to be put right after the clock was set.
    pub(super) fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        self.mails.put_right(|mail| mail.for_each_stamp(&mut put_right));
    }

    /// The machine was asleep, or the clock was set; `free` tells when the limit lets a person's next
    /// mail go. When each mail that waits is tried again.
    pub(super) fn handle_step(
        &mut self,
        now: Now,
        step: Step,
        free: impl Fn(&Recipient) -> Moment,
    ) -> Vec<(Moment, u64)> {
        let waits = self.mails.standings().filter_map(|(id, to, standing)| {
            standing.handle_step(now, step, free(to)).map(|retry_at| (retry_at, id))
        });
        waits.collect()
    }

    /// Who a mail is for.
    pub(super) fn recipient(&self, id: u64) -> Option<&Recipient> {
        self.mail(id).map(|mail| &mail.to)
    }

    /// How many mails are not accepted yet.
    pub(super) fn len(&self) -> usize {
        self.mails.len()
    }

    /// Whether every mail was accepted.
    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How long the one that has waited longest waits for the server, since the start at most. What is
    /// only held back by the limit does not wait for it.
    pub(super) fn oldest(&self, at: Moment) -> Duration {
        let waits = self.mails.iter().map(|(_, entry)| at.since(entry.standing.waits_since()));
        waits.max().unwrap_or_default()
    }

    /// The mails that failed, or were found waiting: how often they failed, and why, oldest first.
    pub(super) fn troubles(&self) -> impl Iterator<Item = (&Mail, u32, &str)> {
        self.mails.iter().filter_map(|(_, entry)| {
            let Standing { tries, trouble, .. } = &entry.standing;
            let mail = Some(entry.mail()).filter(|mail| !mail.given_up)?;
            Some((mail, *tries, trouble.as_deref()?))
        })
    }

    /// What is to be written since this was called last.
    pub(super) fn take_changes(&mut self) -> MailChanges {
        self.mails.take_changes()
    }

    /// A mail that nobody can have yet is about to tell more than its message id follows from: the one
    /// that it had.
    fn outgrow_message_id(&mut self, id: u64) -> Option<String> {
        let unknown = self.mails.get(id).filter(|it| !it.standing.was_out)?;
        if !follows(&unknown.mail().message_id) {
            return None;
        }
        let message_id = self.take_message_id();
        self.mails.edit(id, |mail| std::mem::replace(&mut mail.message_id, message_id))
    }

    /// That of the next mail.
    fn next_message_id(&self) -> String {
        self.message_ids.of_mail(self.next_id)
    }

    /// One that the next mail does not have.
    fn take_message_id(&mut self) -> String {
        let message_id = self.next_message_id();
        self.next_id += 1;
        message_id
    }

    /// The newest mail to a person, if it can still take in what is told after it.
    fn merging_for(&self, to: &Recipient) -> Option<u64> {
        let theirs = |(_, entry): &(u64, &Entry)| entry.mail().to == *to;
        let (id, newest) = self.mails.iter().rev().find(theirs)?;
        (newest.standing.phase != Phase::Sending).then_some(id)
    }
}

/// A thread without a message id that no mail has.
fn without(outgrown: Option<&String>, thread: &[String]) -> Vec<String> {
    thread.iter().filter(|message_id| Some(*message_id) != outgrown).cloned().collect()
}

#[cfg(test)]
mod tests;
