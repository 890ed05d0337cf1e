//! Welcomes, and the way of every mail through the outbox to the mailer.

use std::collections::BTreeMap;
use std::time::Duration;

use super::notice::Notice;
use super::outbox::Written;
use super::recipients::mailbox;
use crate::engine::app::{AppId, Welcome};
use crate::engine::core::{Action, Engine, Timer};
use crate::engine::time::{Moment, Now, Stamp};
use crate::engine::words::note::Note;

/// First passes are gathered so long, for one mail instead of many.
const WELCOME_GATHERED: Duration = Duration::from_secs(10);
/// While a mail waits for the clock to be set, it is looked at so often. Waking up costs little, and
/// a person waits for the mail.
const CLOCK_LOOKED_AT_EVERY: Duration = Duration::from_secs(10);

impl Engine {
    /// A first pass after the registration is told too, gathered with others.
    pub(in crate::engine) fn greet(&mut self, now: Now, id: AppId) {
        if self.newcomers.is_empty() {
            self.wheel.schedule(now.at + WELCOME_GATHERED, Timer::Welcome);
        }
        self.newcomers.insert(id);
        if let Some(app) = self.apps.get_mut(&id) {
            app.welcome = Welcome::Gathered;
        }
    }

    pub(in crate::engine) fn welcome(&mut self, now: Now) {
        let newcomers = std::mem::take(&mut self.newcomers);
        let mut apps_of: BTreeMap<String, (String, Vec<String>)> = BTreeMap::new();
        for id in newcomers {
            let Some(app) = self.apps.get_mut(&id) else { continue };
            app.welcome = Welcome::Told;
            self.changes.app(id);
            let Some(app) = self.apps.get(&id) else { continue };
            for to in self.told(&app.registration.email) {
                let (_, apps) = apps_of.entry(mailbox(&to)).or_insert_with(|| (to, Vec::new()));
                apps.push(app.registration.name.clone());
            }
        }
        for (to, apps) in apps_of.into_values() {
            self.write(now, &to, Notice::Watching { apps, at: Stamp::noted(now) }, &[]);
        }
    }

    /// Who is told of those that were to be.
    pub(in crate::engine) fn told<'a>(
        &'a self,
        wanted: impl IntoIterator<Item = &'a String>,
    ) -> Vec<String> {
        let told = || self.options.recipients.told(wanted).into_iter().cloned().collect();
        if self.options.mailing { told() } else { Vec::new() }
    }

    /// Writes to the outbox and sends at once.
    pub(in crate::engine) fn write(
        &mut self,
        now: Now,
        to: &str,
        notice: Notice,
        thread: &[String],
    ) {
        let Written { id, taken_in } = self.outbox.write(now, to, notice, thread);
        match taken_in {
            None => self.changes.mail(id),
            Some(later) => self.changes.mail_took_in(id, later),
        }
        self.send(now, id);
    }

    /// Hands a mail to the mailer, if it is its turn, the clock can be right or does not matter, and the
    /// recipient has not had enough for an hour.
    pub(in crate::engine) fn send(&mut self, now: Now, id: u64) {
        if !self.outbox.is_due(now.at, id) {
            return;
        }
        if !self.options.mailing {
            // What there is to tell until mail is switched on comes together.
            let took_in = self.outbox.put_off(id, now.at);
            return self.took_in(id, took_in);
        }
        if self.lacks_clock(now) {
            return self.wait_for_clock(now, id);
        }
        self.waits_for_clock = false;
        let to = self.outbox.recipient(id).unwrap_or_default();
        if let Some(until) = self.rates.full_until(now.at, to) {
            return self.hold_back(now, id, until);
        }
        if let Some(mail) = self.outbox.take(now.at, id) {
            self.actions.push_back(Action::Send(mail));
            if let Some((next, took_in)) = self.outbox.gather_behind(id) {
                self.took_in(next, took_in);
            }
        }
    }

    fn hold_back(&mut self, now: Now, id: u64, until: Moment) {
        let (took_in, is_new) = self.outbox.hold_back(now, id, until);
        self.wheel.schedule(until, Timer::Mail(id));
        self.changes.mail(id);
        self.took_in(id, took_in);
        if is_new {
            let to = self.outbox.recipient(id).unwrap_or_default().to_owned();
            self.log(Note::MailHeldBack { to, hold: until.since(now.at) });
        }
    }

    /// Whether mail must wait for the clock: its date and the server's certificate depend on it, unless
    /// the owner does without.
    pub(in crate::engine) fn lacks_clock(&self, now: Now) -> bool {
        now.wall.is_plainly_wrong() && !self.options.mail_without_clock
    }

    fn wait_for_clock(&mut self, now: Now, id: u64) {
        if !std::mem::replace(&mut self.waits_for_clock, true) {
            self.log(Note::ClockWrong { clock: now.wall });
        }
        let look_at = now.at + CLOCK_LOOKED_AT_EVERY;
        let took_in = self.outbox.put_off(id, look_at);
        self.wheel.schedule(look_at, Timer::Mail(id));
        self.took_in(id, took_in);
    }

    /// A mail tells what others were to tell, which are gone.
    pub(in crate::engine) fn took_in(&mut self, id: u64, others: Vec<u64>) {
        if !others.is_empty() {
            self.changes.mail(id);
        }
        for other in others {
            self.changes.mail_done(other);
        }
    }

    pub(in crate::engine) fn log(&mut self, note: Note) {
        self.actions.push_back(Action::Log(note));
    }
}
