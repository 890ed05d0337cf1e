//! Reports that apps make by themselves: whether there is somebody who hears them, and what comes of it.

use healthchecker::daemon::api::{Became, Command};
use healthchecker::daemon::commands;
use healthchecker::engine::beats::Report;
use healthchecker::engine::time::Now;
use healthchecker::engine::verdict::answer::Outcome;
use healthchecker::engine::verdict::reported;

use super::World;
use super::daemon::{Daemon, Happening};
use super::household::Household;
use super::outside::Outside;
use crate::deed::Reported;
use crate::story::{AppId, CauseId, Checked, Ms};

/// Whoever reports waits so long for an answer, as the examples do.
const PATIENCE: Ms = 10_000;

/// A report on its way.
#[derive(Clone, Debug)]
pub(super) struct OnItsWay {
    pub(super) app: AppId,
    says: Reported,
    /// What makes it say so.
    causes: Vec<CauseId>,
}

impl<H: Household> World<H> {
    /// An app reports, or was to.
    pub(super) fn report(
        &mut self,
        at: Ms,
        app: AppId,
        says: Option<Reported>,
        causes: &[CauseId],
    ) {
        match says {
            Some(says) => self.reaches(at, OnItsWay { app, says, causes: causes.to_vec() }),
            None => self.outside.recorder.unheard(at, app, causes),
        }
    }

    fn reaches(&mut self, at: Ms, report: OnItsWay) {
        let Some(daemon) = &mut self.daemon else { return self.finds_nobody(at, &report) };
        match daemon.frozen_until {
            Some(until) if until > at + PATIENCE => self.finds_nobody(at, &report),
            Some(_) => self.on_their_way.push(report),
            None if daemon.stops_by.is_some() => self.on_their_way.push(report),
            None => daemon.turn(&mut self.outside, at, Happening::Reported(report)),
        }
    }

    fn finds_nobody(&mut self, at: Ms, report: &OnItsWay) {
        if report.says != Reported::Begins {
            let absence = self.outside.recorder.absence();
            self.outside.recorder.unheard(at, report.app, &[absence]);
        }
    }

    /// Those who wait for an answer have one, or nobody is there.
    pub(super) fn those_on_their_way(&mut self, at: Ms) {
        let is_busy = |it: &Daemon| it.frozen_until.is_some() || it.stops_by.is_some();
        if self.on_their_way.is_empty() || self.daemon.as_deref().is_some_and(is_busy) {
            return;
        }
        let waiting = std::mem::take(&mut self.on_their_way);
        waiting.into_iter().for_each(|report| self.reaches(at, report));
    }
}

impl Daemon {
    /// An app reports.
    pub(super) fn hear<H: Household>(
        &mut self,
        outside: &mut Outside<H>,
        at: Ms,
        now: Now,
        report: OnItsWay,
    ) {
        let OnItsWay { app, says, .. } = report;
        let name = outside.recorder.name_of(app).to_owned();
        // Nobody reports from our own machine here.
        if self.engine.awaits_life() {
            self.engine.handle_life(now);
        }
        self.hears = Some(report);
        let command = Command::Beat(name, what(says));
        match commands::carry_out(&mut self.engine, now, command) {
            Ok(done) if done.result == Became::Heard && says != Reported::Begins => {
                outside.recorder.heard(at, app);
            }
            Ok(_) => {}
            Err(why) => outside.chronicle.happened(at, format!("a report is refused: {why:?}")),
        }
        self.act(outside, at, now);
        self.hears = None;
    }

    /// What the engine makes of an app that reports by itself: of what it says, or of its silence.
    pub(super) fn judged_report(&self, id: AppId, at: Ms, outcome: Outcome) -> Option<Checked> {
        let heard = self.hears.as_ref().filter(|report| report.app == id)?;
        Some(Checked { causes: heard.causes.clone(), ..Checked::at(at, outcome) })
    }
}

impl Checked {
    /// What was found without a check.
    pub(super) fn at(at: Ms, outcome: Outcome) -> Checked {
        Checked {
            begun: at,
            ended: at,
            outcome: Some(outcome),
            refused: false,
            silent: false,
            dead: false,
            causes: Vec::new(),
        }
    }
}

fn what(says: Reported) -> Report {
    const WARNS: &[u8] = br#"{"status":"warn","output":"2 files locked"}"#;
    match says {
        Reported::Begins => Report::Begins,
        Reported::Done => Report::Went(reported(false, "", b"")),
        Reported::DoneWithWarnings => {
            Report::Went(reported(false, "application/health+json", WARNS))
        }
        Reported::Failed => Report::Went(reported(true, "", b"")),
    }
}
