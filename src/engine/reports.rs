//! The traffic of those who report by themselves: what they say, and that they say nothing.

use std::time::Duration;

use super::beats::Late;
use super::core::{CommandError, Engine};
use super::registry::{App, AppId};
use super::scheduler::{Destination, Timing};
use super::surroundings::Worth;
use super::time::Now;
use super::verdict::answer::Verdict;
use super::verdict::judge;
use super::verdict::trouble::Trouble;

/// What an app says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// It begins with what it is to report the end of.
    Begins,
    /// How that went.
    Went(Verdict),
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It counts.
    Counted,
    /// The app is paused: nothing counts.
    Paused,
}

impl Engine {
    /// An app reports.
    ///
    /// # Errors
    /// The name is unknown, or the app is one that is asked.
    pub fn hear(&mut self, now: Now, name: &str, report: Report) -> Result<Heard, CommandError> {
        let id = self.registry.find(name)?;
        let Some(app) = self.registry.get(id) else { return Ok(Heard::Paused) };
        if app.registration.beats().is_none() {
            return Err(CommandError::IsAsked(name.to_owned()));
        }
        if app.paused {
            return Ok(Heard::Paused);
        }
        match report {
            Report::Begins => self.beats.handle_start(now, id),
            Report::Went(verdict) => {
                let took = self.beats.handle_report(now, id);
                self.conclude(now, now, id, (verdict, Worth::Counts), took);
            }
        }
        Ok(Heard::Counted)
    }

    /// A report may be late.
    pub(super) fn handle_late(&mut self, now: Now) {
        let since = self.surroundings.undisturbed_since();
        if let Some(Late { app, within }) = self.beats.poll_late(now, since) {
            let verdict = judge(Err(Trouble::NoBeat { within }));
            self.conclude(now, now, app, (verdict, Worth::Counts), Duration::ZERO);
        }
    }

    /// An app is asked from now on, or awaited, unless it is paused.
    pub(super) fn take_up(&mut self, now: Now, id: AppId, timing: Timing, to: &Destination) {
        self.await_beats(now, id);
        let Some(app) = self.registry.get(id) else { return };
        if app.registration.beats().is_none() {
            self.scheduler.add(now, id, timing, to);
            if app.paused {
                self.scheduler.pause(id);
            }
        }
    }

    /// An app is awaited, if it reports, in the rhythm that is registered.
    pub(super) fn await_beats(&mut self, now: Now, id: AppId) {
        let beats = |app: &App| app.registration.beats().filter(|_| !app.paused);
        match self.registry.get(id).and_then(beats) {
            Some(rhythm) if self.beats.differs(id, rhythm) => self.beats.add(now, id, rhythm),
            Some(_) => {}
            None => self.beats.remove(id),
        }
    }
}
