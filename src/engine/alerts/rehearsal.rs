//! Whether the mail server would take our mails: it is asked at the start, and again until it would.
//!
//! So wrong settings, and a server that was not there yet, are known before the first alert; and what
//! the server had against us stands no longer than it has it.

use super::backoff::{Backoff, Failures, LATER, SLOWLY, SOON};
use super::delivery::Delivery;
use crate::engine::core::{Action, Engine, Timer};
use crate::engine::time::{Moment, Now};
use crate::engine::words::note::Note;

/// How far it has come.
#[derive(Debug, Default)]
pub(in crate::engine) struct Rehearsal {
    /// What the server has against our settings.
    pub(in crate::engine) refused: Option<String>,
    /// It has been said that the server is away.
    is_away: bool,
    failures: Option<Failures>,
    /// When the server is asked again; `None`: not, for it would take them, or is being asked.
    again_at: Option<Moment>,
}

impl Engine {
    /// The mail server was asked whether it would take our mails. It is asked again, as often as a mail
    /// would be tried, until it would.
    pub fn handle_rehearsal(&mut self, now: Now, outcome: Delivery) {
        let before = std::mem::take(&mut self.rehearsal);
        match outcome {
            Delivery::Accepted => self.log(Note::RehearsalWentWell),
            Delivery::Rejected(reason) => self.log(Note::NoSuchMailbox { reason }),
            Delivery::Settings(reason) | Delivery::Unclear(reason) | Delivery::Content(reason) => {
                if before.refused.as_ref() != Some(&reason) {
                    self.log(Note::SettingsRefused { reason: reason.clone() });
                }
                let refused = Some(reason);
                self.rehearse_later(now, SLOWLY, Rehearsal { refused, is_away: false, ..before });
            }
            Delivery::Later(reason) => self.server_is_away(now, SOON, before, reason),
            Delivery::MuchLater(reason) => self.server_is_away(now, LATER, before, reason),
        }
    }

    fn server_is_away(&mut self, now: Now, backoff: Backoff, before: Rehearsal, reason: String) {
        // Once: it may be away for days.
        if !before.is_away {
            self.log(Note::MailServerAway { reason });
        }
        self.rehearse_later(now, backoff, Rehearsal { is_away: true, ..before });
    }

    fn rehearse_later(&mut self, now: Now, backoff: Backoff, so_far: Rehearsal) {
        let failures = Failures::and(so_far.failures, backoff);
        let again_at = now.at + failures.wait();
        self.wheel.schedule(again_at, Timer::Rehearsal);
        let (failures, again_at) = (Some(failures), Some(again_at));
        self.rehearsal = Rehearsal { failures, again_at, ..so_far };
    }

    /// Asks the mail server again, unless a mail has shown meanwhile that it takes them.
    pub(in crate::engine) fn rehearse_again(&mut self, now: Now) {
        if self.rehearsal.again_at.take_if(|at| *at <= now.at).is_some() {
            let to = self.options.recipients.by_default().to_vec();
            self.actions.push_back(Action::Rehearse(to));
        }
    }
}
