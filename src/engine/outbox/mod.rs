//! The outbox: what people are told waits here until the mail server has it.
//!
//! It decides when a message goes, to whom it may, and when it is tried again; what is in it, others
//! decide. It does not know how a mail is delivered, nor in which words.

mod backoff;
pub mod delivery;
mod kept;
mod known;
pub mod letter;
pub mod mail;
mod mails;
pub(in crate::engine) mod merge;
mod message_id;
pub mod notice;
mod queue;
mod quiet;
pub mod rate_limit;
pub mod refusals;
mod rehearsal;
mod standing;

use std::collections::VecDeque;
use std::time::Duration;

use self::delivery::Delivery;
pub use self::kept::Changes;
use self::mail::Mail;
use self::notice::Notice;
use self::queue::{Fate, Queue};
use self::quiet::Hush;
use self::rate_limit::{Had, MAILS_AN_HOUR, RateLimit};
use self::refusals::Refusals;
use self::rehearsal::Rehearsal;
use super::log_event::LogEvent;
use super::recipients::{Recipient, Recipients};
use super::time::{Moment, Now, Stamp, Step, Timeline, earlier};
use super::wheel::TimerWheel;

/// While a mail waits for the clock to be set, it is looked at so often. Waking up costs little, and
/// a person waits for the mail.
const CLOCK_LOOKED_AT_EVERY: Duration = Duration::from_secs(10);

/// What the owner has set for mail.
#[derive(Clone, Debug)]
pub struct Policy {
    /// Whether mail is sent at all.
    pub mailing: bool,
    /// Whether mail is sent while the clock is plainly wrong, too.
    pub mail_without_clock: bool,
    /// Where mail may go.
    pub recipients: Recipients,
}

/// Something to tell one person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// To whom.
    pub to: Recipient,
    /// What.
    pub notice: Notice,
    /// The message ids of the mails that it answers, oldest first; empty when it begins a story.
    pub thread: Vec<String>,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Output {
    /// Send a mail, and report with [`Outbox::handle_delivery`].
    Send(Mail),
    /// Ask the mail server whether it would take a mail to each of these, and report with
    /// [`Outbox::handle_rehearsal`].
    Rehearse(Vec<Recipient>),
    /// Write a line to the log.
    Log(LogEvent),
}

/// A mail that is done with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Concluded {
    /// The server has it.
    Accepted(Mail),
    /// It was refused for good.
    Refused(Mail),
}

/// What a deadline of the outbox is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// A mail is tried again.
    Retry,
    /// The mail server is asked again whether it would take our mails.
    Rehearsal,
}

/// What has been counted since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Counted {
    /// Mails that the server accepted.
    pub accepted: u64,
    /// Mails that it refused for good.
    pub refused: u64,
    /// Attempts that failed, after which the mail is kept and tried again.
    pub put_off: u64,
}

/// Every message that is not delivered yet.
#[derive(Debug)]
pub struct Outbox {
    policy: Policy,
    queue: Queue,
    rate_limit: RateLimit,
    /// Mails that were refused for good, which somebody should see.
    refusals: Refusals,
    rehearsal: Rehearsal,
    hush: Hush,
    /// When each mail that waits is looked at again.
    wheel: TimerWheel<u64>,
    /// It has been said that mails wait for the clock.
    waits_for_clock: bool,
    counted: Counted,
    output: VecDeque<Output>,
}

impl Outbox {
    /// An empty outbox. `seed` is any number that no other run has: message ids are made from it.
    pub fn new(policy: Policy, seed: u64) -> Outbox {
        Outbox {
            policy,
            queue: Queue::new(seed),
            rate_limit: RateLimit::default(),
            refusals: Refusals::default(),
            rehearsal: Rehearsal::default(),
            hush: Hush::default(),
            wheel: TimerWheel::default(),
            waits_for_clock: false,
            counted: Counted::default(),
            output: VecDeque::new(),
        }
    }

    /// Writes a message down, and sends it at once if it may go.
    pub fn handle_message(&mut self, now: Now, message: Message) {
        let Message { to, notice, thread } = message;
        let id = self.queue.write(now, to, notice, &thread);
        self.send(now, id);
    }

    /// Hands a mail to the mailer, if it is its turn, the clock can be right or does not matter, and the
    /// recipient has not had enough for an hour.
    fn send(&mut self, now: Now, id: u64) {
        if !self.queue.is_due(now.at, id) {
            return;
        }
        if !self.policy.mailing {
            // What there is to tell until mail is switched on comes together.
            return self.queue.put_off(id, now.at);
        }
        if self.lacks_clock(now) {
            return self.wait_for_clock(now, id);
        }
        self.waits_for_clock = false;
        if self.waits_quietly(id) {
            return;
        }
        let recipient = self.queue.recipient(id);
        if let Some(until) = recipient.and_then(|to| self.rate_limit.full_until(now.at, to)) {
            return self.hold_back(now, id, until);
        }
        if let Some(until) = self.paced_until(now.at, id) {
            self.queue.pace(id, until);
            self.wheel.schedule(until, id);
            return;
        }
        self.output.extend(self.queue.take(now.at, id).map(Output::Send));
    }

    /// Until when a mail waits for what else comes. Not one that was tried: it was late enough.
    fn paced_until(&self, at: Moment, id: u64) -> Option<Moment> {
        let mail = self.queue.untried(id).filter(|mail| mail.tells_of_trouble())?;
        self.rate_limit.paced_until(at, &mail.to, mail.written.at()?)
    }

    /// Somebody is seen again: what waits to say that nothing answers tells from when until when.
    pub fn handle_sight(&mut self, now: Now) {
        let ids: Vec<u64> = self.queue.mails().map(|mail| mail.id).collect();
        ids.into_iter().for_each(|id| self.queue.end_blindness(id, Stamp::noted(now)));
    }

    fn hold_back(&mut self, now: Now, id: u64, until: Moment) {
        let is_new = self.queue.hold_back(now, id, until);
        self.wheel.schedule(until, id);
        if let Some(to) = self.queue.recipient(id).filter(|_| is_new).cloned() {
            self.log(LogEvent::MailHeldBack { to, had: MAILS_AN_HOUR, hold: until.since(now.at) });
        }
    }

    /// Whether mail must wait for the clock: its date and the server's certificate depend on it, unless
    /// the owner does without.
    pub fn lacks_clock(&self, now: Now) -> bool {
        now.wall.is_plainly_wrong() && !self.policy.mail_without_clock
    }

    fn wait_for_clock(&mut self, now: Now, id: u64) {
        if !std::mem::replace(&mut self.waits_for_clock, true) {
            self.log(LogEvent::ClockWrong { clock: now.wall });
        }
        let look_at = now.at + CLOCK_LOOKED_AT_EVERY;
        self.queue.put_off(id, look_at);
        self.wheel.schedule(look_at, id);
    }

    /// The mailer has tried a mail. What it was, if it is done with.
    pub fn handle_delivery(&mut self, now: Now, id: u64, delivery: Delivery) -> Option<Concluded> {
        match self.queue.handle_delivery(now.at, id, delivery)? {
            Fate::Accepted { mail, after } => {
                self.rehearsal.handle_accepted();
                self.counted.accepted += 1;
                let had = Had { at: Stamp::noted(now), trouble: mail.tells_of_trouble() };
                self.rate_limit.accepted(now.at, had, &mail.to);
                self.refusals.over(&mail.to);
                self.log(LogEvent::MailAccepted { to: mail.to.clone(), after });
                for id in self.queue.release(now.at) {
                    self.send(now, id);
                }
                Some(Concluded::Accepted(mail))
            }
            Fate::Kept { retry_at, text } => {
                self.counted.put_off += 1;
                self.wheel.schedule(retry_at, id);
                let to = self.queue.recipient(id)?.clone();
                self.log(LogEvent::MailKept { to, retry_in: retry_at.since(now.at), reason: text });
                None
            }
            Fate::GivenUp { to } => {
                self.send_next(now, &to);
                None
            }
            Fate::Refused { mail, text } => {
                self.counted.refused += 1;
                self.send_next(now, &mail.to);
                self.refusals.refused(&mail.to, Stamp::noted(now), text.clone());
                self.log(LogEvent::MailRefused { to: mail.to.clone(), reason: text });
                Some(Concluded::Refused(mail))
            }
        }
    }

    fn send_next(&mut self, now: Now, to: &Recipient) {
        if let Some(next) = self.queue.next_for(to) {
            self.send(now, next);
        }
    }

    /// The mail server was asked whether it would take our mails.
    pub fn handle_rehearsal(&mut self, now: Now, outcome: Delivery) {
        let note = self.rehearsal.handle_outcome(now, outcome);
        self.output.extend(note.map(Output::Log));
    }

    /// Somebody has seen that mails to this person were refused for good. When none was, what waits
    /// for it or is under way is given up, if the server refused it without saying why: those mails.
    /// `None`: there is neither.
    pub fn handle_seen(&mut self, person: &Recipient) -> Option<Vec<Mail>> {
        if self.refusals.over(person) {
            self.log(LogEvent::RefusalSeen { to: person.clone() });
            return Some(Vec::new());
        }
        let given_up = self.queue.give_up(person);
        for mail in &given_up {
            self.counted.refused += 1;
            self.log(LogEvent::MailGivenUp { to: mail.to.clone() });
        }
        (!given_up.is_empty()).then_some(given_up)
    }

    /// When there is something to do next, and what.
    pub fn next_deadline(&self) -> Option<(Moment, Wait)> {
        let retry = self.wheel.next_deadline().map(|at| (at, Wait::Retry));
        let rehearsal = self.rehearsal.next_deadline().map(|at| (at, Wait::Rehearsal));
        earlier(retry, rehearsal)
    }

    /// It may be time for that.
    pub fn handle_deadline(&mut self, now: Now, wait: Wait) {
        match wait {
            Wait::Retry => {
                if let Some(id) = self.wheel.poll(now.at) {
                    self.send(now, id);
                }
            }
            Wait::Rehearsal => {
                if self.rehearsal.handle_deadline(now) {
                    let to = self.policy.recipients.by_default().to_vec();
                    self.output.push_back(Output::Rehearse(to));
                }
            }
        }
    }

    /// The next thing to be done.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.output.pop_front()
    }

    /// The clock was set, or the machine was asleep: puts every time right that is remembered, and
    /// every wait. What is due by now is for [`Outbox::handle_deadline`].
    pub fn handle_step(&mut self, timeline: &Timeline, now: Now, step: Step) {
        let mut put_right = |stamp: &mut Stamp| timeline.step(now, step, stamp);
        self.queue.for_each_stamp(&mut put_right);
        self.refusals.for_each_stamp(&mut put_right);
        self.rate_limit.handle_step(now.at, put_right);
        self.rehearsal.handle_step(step);
        let free = |to: &Recipient| {
            let paced = self.rate_limit.paced_until(now.at, to, now.at);
            self.rate_limit.full_until(now.at, to).max(paced).unwrap_or(now.at)
        };
        for (retry_at, id) in self.queue.handle_step(now, step, free) {
            self.wheel.schedule(retry_at, id);
        }
    }

    fn log(&mut self, note: LogEvent) {
        self.output.push_back(Output::Log(note));
    }
}

#[cfg(test)]
mod tests;
