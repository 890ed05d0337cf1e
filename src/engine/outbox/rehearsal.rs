//! Whether the mail server would take our mails: it is asked at the start, and again until it would.
//!
//! So wrong settings, and a server that was not there yet, are known before the first alert; and what
//! the server had against us stands no longer than it has it.

use super::backoff::{Backoff, Failures, LATER, SLOWLY, SOON};
use super::delivery::Delivery;
use crate::engine::log_event::LogEvent;
use crate::engine::time::{Moment, Now, Step};

/// How far it has come.
#[derive(Debug, Default)]
pub(super) struct Rehearsal {
    /// What the server has against our settings.
    refused: Option<String>,
    /// It has been said that the server is away.
    is_away: bool,
    failures: Option<Failures>,
    /// When the server is asked again; `None`: not, for it would take them, or is being asked.
    again_at: Option<Moment>,
}

impl Rehearsal {
    /// The mail server was asked whether it would take our mails. It is asked again, as often as a mail
    /// would be tried, until it would. What is to be said of it.
    pub(super) fn handle_outcome(&mut self, now: Now, outcome: Delivery) -> Option<LogEvent> {
        let before = std::mem::take(self);
        match outcome {
            Delivery::Accepted => Some(LogEvent::RehearsalWentWell),
            Delivery::Rejected(reason) => Some(LogEvent::NoSuchMailbox { reason }),
            Delivery::Settings(reason) | Delivery::Unclear(reason) | Delivery::Content(reason) => {
                let is_new = before.refused.as_ref() != Some(&reason);
                let refused = Some(reason.clone());
                self.again(now, SLOWLY, Rehearsal { refused, is_away: false, ..before });
                is_new.then_some(LogEvent::SettingsRefused { reason })
            }
            Delivery::Later(reason) => self.server_is_away(now, SOON, before, reason),
            Delivery::MuchLater(reason) => self.server_is_away(now, LATER, before, reason),
        }
    }

    fn server_is_away(
        &mut self,
        now: Now,
        backoff: Backoff,
        before: Rehearsal,
        reason: String,
    ) -> Option<LogEvent> {
        // Once: it may be away for days.
        let is_new = !before.is_away;
        self.again(now, backoff, Rehearsal { is_away: true, ..before });
        is_new.then_some(LogEvent::MailServerAway { reason })
    }

    fn again(&mut self, now: Now, backoff: Backoff, so_far: Rehearsal) {
        let failures = Failures::and(so_far.failures, backoff);
        let again_at = now.at + failures.wait();
        *self = Rehearsal { failures: Some(failures), again_at: Some(again_at), ..so_far };
    }

    /// A mail has shown that the server takes them.
    pub(super) fn handle_accepted(&mut self) {
        *self = Rehearsal::default();
    }

    /// What the server has against our settings.
    pub(super) fn refused(&self) -> Option<&str> {
        self.refused.as_deref()
    }

    /// When it asks again.
    pub(super) fn next_deadline(&self) -> Option<Moment> {
        self.again_at
    }

    /// The machine was asleep: the wait is a span of real time.
    pub(super) fn handle_step(&mut self, step: Step) {
        self.again_at = self.again_at.map(|at| step.moved_back(at));
    }

    /// Whether the mail server is to be asked again now.
    pub(super) fn handle_deadline(&mut self, now: Now) -> bool {
        self.again_at.take_if(|at| *at <= now.at).is_some()
    }
}
