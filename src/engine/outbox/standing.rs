//! How a mail stands with the mail server, in this run.

use super::backoff::Failures;
use crate::engine::time::{Moment, Now, Step};

/// Where a mail stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Phase {
    /// It goes out as soon as the mails before it to the same person have, and takes in what else
    /// there is to tell until then.
    Queued,
    /// The mailer has it.
    Sending,
    /// It is not tried before `retry_at`, and takes in what else there is to tell until then.
    Waiting { retry_at: Moment },
    /// It is for somebody who may have no mail, and there is nobody to have it instead.
    Disallowed,
}

/// How a mail stands.
#[derive(Clone, Debug)]
pub(super) struct Standing {
    /// Attempts that failed.
    pub(super) tries: u32,
    /// The last of them, as far as they were of one kind.
    pub(super) failures: Option<Failures>,
    pub(super) phase: Phase,
    /// It is held back: nothing has it sent earlier.
    pub(super) held_until: Option<Moment>,
    /// It waits for the end of a quiet time.
    pub(super) is_quiet: bool,
    /// Since when it waits for the server: written, found at the start, or let go by the limit.
    pub(super) since: Moment,
    /// Why it waits: what the server said, or what went wrong on the way.
    pub(super) trouble: Option<String>,
    /// The server may have it already, under this message id.
    pub(super) was_out: bool,
    /// Perhaps there is no such mailbox: only a person can tell.
    pub(super) is_unclear: bool,
}

impl Standing {
    /// That of a mail which is to go out at once.
    pub(super) fn new(at: Moment) -> Standing {
        let phase = Phase::Queued;
        let (failures, held_until, trouble) = (None, None, None);
        let (tries, is_quiet, was_out, is_unclear) = (0, false, false, false);
        Standing {
            tries,
            failures,
            phase,
            held_until,
            is_quiet,
            since: at,
            trouble,
            was_out,
            is_unclear,
        }
    }

    /// Since when it waits. What it waits for the limit does not count.
    pub(super) fn waits_since(&self) -> Moment {
        self.held_until.map_or(self.since, |held| held.max(self.since))
    }

    pub(super) fn wait_until(&mut self, at: Moment) {
        let retry_at = self.held_until.map_or(at, |held| at.max(held));
        self.phase = Phase::Waiting { retry_at };
    }

    pub(super) fn is_waiting(&self) -> bool {
        matches!(self.phase, Phase::Waiting { .. })
    }

    /// The machine was asleep, or the clock was set: a wait is a span of real time, and the limit lets
    /// the next mail go at `free`. When it is tried again, if it waits.
    pub(super) fn handle_step(&mut self, now: Now, step: Step, free: Moment) -> Option<Moment> {
        self.since = step.moved_back(self.since);
        let held = self.held_until.map(|held| step.moved_back(held).min(free));
        let was_held = std::mem::replace(&mut self.held_until, held);
        let Phase::Waiting { retry_at } = &mut self.phase else { return None };
        let before = *retry_at;
        *retry_at = held.filter(|_| was_held == Some(before)).unwrap_or(step.moved_back(before));
        if before > now.at && *retry_at <= now.at {
            // As after a start: what failed before the machine slept tells little of now.
            self.failures = self.failures.filter(|failures| !failures.allow_haste());
        }
        Some(*retry_at)
    }
}
