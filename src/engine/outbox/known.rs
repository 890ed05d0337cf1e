//! What others may know of the outbox.

use std::time::Duration;

use super::mail::Mail;
use super::rate_limit::Had;
use super::refusals::Refusal;
use super::{Counted, Outbox};
use crate::engine::recipients::{Recipient, Recipients};
use crate::engine::time::{Moment, Now, Zone};

/// What others may know of it.
impl Outbox {
    /// Who is told of those that were to be.
    pub fn told(&self, wanted: impl IntoIterator<Item = Recipient>) -> Vec<Recipient> {
        if self.policy.mailing { self.recipients().told(wanted) } else { Vec::new() }
    }

    /// Where mail may go.
    pub fn recipients(&self) -> &Recipients {
        &self.policy.recipients
    }

    /// Whether mail is sent at all.
    pub fn is_mailing(&self) -> bool {
        self.policy.mailing
    }

    /// The mails to a person that tell of an app, oldest first.
    pub fn telling(&self, to: &Recipient, app: &str) -> impl Iterator<Item = &Mail> {
        self.queue.telling(to, app)
    }

    /// Whether a mail to a person waits.
    pub fn has_one_for(&self, to: &Recipient) -> bool {
        self.queue.next_for(to).is_some()
    }

    /// All mails, oldest first, but for those given up.
    pub fn mails(&self) -> impl Iterator<Item = &Mail> {
        self.queue.mails()
    }

    /// How many mails are not accepted yet.
    pub fn waiting(&self) -> usize {
        self.queue.len()
    }

    /// Whether the mailer has a mail.
    pub fn is_sending(&self) -> bool {
        self.queue.is_sending()
    }

    /// How long the one that has waited longest waits for the server.
    pub fn oldest(&self, at: Moment) -> Duration {
        self.queue.oldest(at)
    }

    /// Mails that were refused for good, and nobody has seen it.
    pub fn refusals(&self) -> impl Iterator<Item = &Refusal> {
        self.refusals.all()
    }

    /// Mails that count for the limit of an hour, and to whom.
    pub fn counting(&self, at: Moment) -> impl Iterator<Item = (&Recipient, Had)> {
        self.rate_limit.all(at)
    }

    /// What has been counted since the start.
    pub fn counted(&self) -> Counted {
        self.counted
    }

    /// What keeps mails from going, in sentences.
    pub fn troubles(&self, now: Now, zone: &Zone) -> Vec<String> {
        let waits = self.policy.mailing && !self.queue.is_empty() && self.lacks_clock(now);
        let clock = waits.then(|| {
            let clock = now.wall.for_people(zone);
            format!("mail waits until the clock of this machine is set: it shows {clock}")
        });
        let troubles = self.queue.troubles().map(|(mail, tries, trouble)| match tries {
            0 => format!("a mail to {} {trouble}", mail.to),
            1 => format!("a mail to {} failed once: {trouble}", mail.to),
            _ => format!("a mail to {} failed {tries} times: {trouble}", mail.to),
        });
        let refused = self.rehearsal.refused().into_iter();
        let settings = refused.map(|why| format!("the mail settings do not work: {why}"));
        clock.into_iter().chain(settings).chain(troubles).collect()
    }
}
