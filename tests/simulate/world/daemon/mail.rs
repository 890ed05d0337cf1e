//! Its mails: as the mailer's own thread and its conversations have them.

use super::{Conversation, Daemon, Event, MUTE_URL, STATUS_URL};
use crate::story::Ms;
use crate::world::effort::Part;
use crate::world::household::Household;
use crate::world::mail_server::{Job, broken_off, given_up};
use crate::world::outside::Outside;
use healthchecker::daemon::mailer::turns::Turn;
use healthchecker::engine::outbox::delivery::Delivery;
use healthchecker::engine::outbox::letter::{self, Links};
use healthchecker::engine::outbox::mail::Mail;
use healthchecker::engine::state::State;
use healthchecker::engine::time::{Moment, Now};

impl Daemon {
    pub(super) fn send<H: Household>(
        &mut self,
        outside: &mut Outside<H>,
        at: Ms,
        now: Now,
        mail: &Mail,
    ) {
        let zone = self.engine.zone();
        let tells_trouble = mail.tells_of_trouble() && !now.wall.is_plainly_wrong();
        let mute = tells_trouble.then_some(MUTE_URL);
        let links = Links { status: Some(STATUS_URL), mute };
        let write = || letter::write(mail, now.at, zone, links);
        let letter = outside.effort.spend(Part::Letters, write);
        let written = outside.ledger.written_at(mail.id).unwrap_or(at);
        let letter = Box::new(letter);
        let trouble = mail.conclusions().find(|(_, state)| *state != State::Healthy);
        let trouble = trouble.map(|(app, _)| app.to_owned()).filter(|_| tells_trouble);
        self.mailer.add(Job::Mail { id: mail.id, letter, trouble, written, worded: at });
        self.go_on_mailing(outside, at, now);
    }

    /// As the mailer's own thread does.
    pub(super) fn go_on_mailing<H: Household>(
        &mut self,
        outside: &mut Outside<H>,
        at: Ms,
        now: Now,
    ) {
        let instant = self.zero + now.at.since(Moment::START);
        for number in self.mailer.give_up(instant) {
            if let Some(conversation) = self.conversations.get_mut(&number) {
                let job = conversation.job.clone();
                self.report(outside, at, now, job, given_up());
            }
        }
        while let Some(turn) = self.mailer.next(instant) {
            match turn {
                Turn::Begin(number, job) => self.begin(outside, at, number, job),
                Turn::Refuse(job) => {
                    let why = Delivery::Later("earlier attempts still hang".to_owned());
                    self.report(outside, at, now, job, why);
                }
            }
        }
        self.mailer_due = self.mailer.next_deadline().map(|due| {
            let due = Moment::START + due.duration_since(self.zero);
            outside.machine.when(due)
        });
    }

    fn begin<H: Household>(&mut self, outside: &mut Outside<H>, at: Ms, number: u64, job: Job) {
        let reached = outside.reaches_mail_server(at);
        let plan = outside.server.plan(at, &job, reached);
        if let Some(takes) = plan.takes {
            self.later(at + takes, Event::MailTaken(number));
        }
        self.later(at + plan.ends, Event::MailEnds(number, plan.delivery));
        self.conversations.insert(number, Conversation { job, broken: false });
    }

    pub(super) fn mail_taken<H: Household>(
        &mut self,
        outside: &mut Outside<H>,
        at: Ms,
        number: u64,
    ) {
        let is_there = outside.reaches_mail_server(at) && outside.server.is_there();
        let Some(conversation) = self.conversations.get_mut(&number) else { return };
        let Job::Mail { id, letter, trouble, written, worded } = &conversation.job else { return };
        if is_there {
            outside.mail_arrives(at, *id, letter, (*written, *worded));
            trouble.iter().for_each(|app| outside.reads(at, letter, app));
        } else {
            conversation.broken = true;
        }
    }

    pub(super) fn conversation_ends<H: Household>(
        &mut self,
        outside: &mut Outside<H>,
        at: Ms,
        now: Now,
        number: u64,
        delivery: Delivery,
    ) {
        let Some(Conversation { job, broken }) = self.conversations.remove(&number) else { return };
        let lost = broken || !outside.reaches_mail_server(at);
        let is_lost = lost && delivery == Delivery::Accepted;
        let delivery = if is_lost { broken_off() } else { delivery };
        if self.mailer.ended(number) {
            self.report(outside, at, now, job, delivery);
        }
        self.go_on_mailing(outside, at, now);
    }

    fn report<H: Household>(
        &mut self,
        outside: &mut Outside<H>,
        at: Ms,
        now: Now,
        job: Job,
        delivery: Delivery,
    ) {
        match job {
            Job::Mail { id, letter, worded, .. } => {
                if delivery != Delivery::Accepted {
                    outside.recorder.tried(worded, at, &letter.to);
                }
                outside.ledger.told(id, &delivery);
                self.engine.handle_delivery(now, id, delivery);
            }
            Job::Rehearsal => self.engine.handle_rehearsal(now, delivery),
        }
    }
}
