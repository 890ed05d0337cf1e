//! Which checks wait, which are under way, and how each ends: one at a time for each app.

use std::time::Duration;

use super::{App, AppId, Asked};
use crate::engine::core::{Engine, Timer};
use crate::engine::schedule::lanes::{Lane, Place, Seat, Start};
use crate::engine::schedule::shortage::{Change, OVER_AFTER};
use crate::engine::time::{Moment, Now};
use crate::engine::verdict::answer::{CheckEnd, Outcome, Verdict};
use crate::engine::verdict::probe::Probe;
use crate::engine::words::note::Note;

/// A check during which we stood still for longer is no proof of anything: a machine under load is
/// late by less.
const STOOD_STILL: Duration = Duration::from_secs(1);

/// So many checks of an app in a row are void for that. A machine that stands still all the time must
/// not hide an app that is down.
const VOID_IN_A_ROW: u8 = 10;

/// A check that has a thread.
#[derive(Debug)]
pub(in crate::engine) struct Running {
    app: AppId,
    seat: Seat,
    /// How long it may take.
    limit: Duration,
    /// We stood still while it was under way.
    stood_still: bool,
    /// What it asks, once the app is watched no longer, or elsewhere.
    left_behind: Option<Target>,
}

/// What is never asked twice at a time: an app at an address.
#[derive(Debug, PartialEq, Eq)]
struct Target {
    name: String,
    url: String,
}

impl Target {
    fn of(app: &App) -> Target {
        let registration = &app.registration;
        Target { name: registration.name.clone(), url: registration.health_url.clone() }
    }
}

/// What makes an app be asked.
impl Engine {
    /// Asks an app that is due. One that is being asked is not asked twice. One that was broken off
    /// and still waits for a check in full gets another try instead: it may be well again.
    pub(in crate::engine) fn ask_when_due(&mut self, now: Now, id: AppId, due: Moment) {
        let Some(app) = self.apps.get_mut(&id) else { return };
        match &mut app.asked {
            Asked::No => self.ask(now, id, due),
            Asked::Void { next, .. } => {
                next.get_or_insert(due);
            }
            Asked::Waits { place, .. } if place.lane == Lane::BrokenOff => {
                let place = *place;
                self.lanes.withdraw(place);
                app.check_due = due;
                self.queue(now, id, Place { lane: Lane::New, due, ..place });
            }
            Asked::Waits { .. } | Asked::Runs { .. } => {}
        }
    }

    /// Has an app asked in a check that was due at `due`.
    fn ask(&mut self, now: Now, id: AppId, due: Moment) {
        self.last_check += 1;
        let check = self.last_check;
        let Some(app) = self.apps.get_mut(&id) else { return };
        app.check_due = due;
        let lane = app.manner.lane;
        self.queue(now, id, Place { lane, due, check });
    }

    fn queue(&mut self, now: Now, id: AppId, place: Place) {
        let Some(app) = self.apps.get_mut(&id) else { return };
        app.asked = Asked::Waits { place, since: now.at };
        self.lanes.push(place, id);
    }

    /// Takes the next check that may have a thread now.
    pub(in crate::engine) fn poll_probe(&mut self) -> Option<Probe> {
        let Start { job: id, check, seat } = self.lanes.poll()?;
        // Who is stopped is withdrawn: whatever waits belongs to an app.
        let app = self.apps.get_mut(&id)?;
        let asked = std::mem::replace(&mut app.asked, Asked::Runs { check });
        let registration = &app.registration;
        let probe = Probe {
            id: check,
            url: registration.health_url.clone(),
            timeout: registration.timeout,
            leash: app.manner.leash(seat.leash),
            expected: registration.expect.clone(),
            origin: registration.origin,
        };
        let interval = registration.interval;
        let limit = probe.limit();
        let running = Running { app: id, seat, limit, stood_still: false, left_behind: None };
        self.running.insert(check, running);
        if let Asked::Waits { since, .. } = asked {
            self.waited(self.turn.since(since), interval);
        }
        Some(probe)
    }

    /// A check has a thread after it had `waited` for one.
    fn waited(&mut self, waited: Duration, interval: Duration) {
        if self.shortage.observe(self.turn, waited, interval).is_some() {
            let workers = self.lanes.workers();
            self.log(Note::TooFewThreads { waited, workers });
            self.wheel.schedule(self.turn + OVER_AFTER, Timer::Shortage);
        }
    }

    pub(in crate::engine) fn look_at_shortage(&mut self, now: Now) {
        match self.shortage.look(now.at) {
            Some(Change::GoesOn(until)) => {
                self.wheel.schedule(until, Timer::Shortage);
            }
            Some(Change::Over) => self.log(Note::ThreadsEnough),
            Some(Change::Begun) | None => {}
        }
    }
}

/// What ends that.
impl Engine {
    /// Nothing of ours ran for `span` until now, though it was to: we were stopped or starved, or the
    /// machine slept. To be called before what has come meanwhile is handled.
    pub fn handle_standstill(&mut self, span: Duration) {
        if span > STOOD_STILL {
            self.running.values_mut().for_each(|running| running.stood_still = true);
        }
    }

    /// A check has ended.
    pub fn handle_check(&mut self, now: Now, check: u64, end: CheckEnd, latency: Duration) {
        self.turn = now.at;
        let Some(running) = self.running.remove(&check) else { return };
        let Running { app: id, seat, limit, stood_still, .. } = running;
        self.lanes.finished(seat);
        // Its own thread may have stood still while the loop ran.
        let stood_still = stood_still || latency > limit + STOOD_STILL;
        let Some(app) = self.apps.get_mut(&id) else { return };
        match app.asked {
            Asked::Runs { check: its } if its == check => {
                app.asked = Asked::No;
                match end {
                    CheckEnd::Verdict(verdict) if stood_still && app.is_void(&verdict) => {
                        let reason = format!("we stood still meanwhile; {}", verdict.reason);
                        let app = app.registration.name.clone();
                        self.log(Note::Undecided { app, reason });
                        self.ask(now, id, now.at);
                    }
                    end => {
                        let passed = matches!(&end, CheckEnd::Verdict(verdict) if verdict.outcome != Outcome::Fail);
                        if passed || !stood_still {
                            app.void_in_a_row = 0;
                        }
                        if !stood_still {
                            app.manner.observe(&end, latency);
                        }
                        self.end_check(now, id, check, end, latency);
                    }
                }
            }
            Asked::Void { check: its, next } if its == check => {
                app.asked = Asked::No;
                if let Some(due) = next.filter(|_| !app.paused()) {
                    self.ask(now, id, due);
                }
            }
            _ => {}
        }
    }

    fn end_check(&mut self, now: Now, id: AppId, check: u64, end: CheckEnd, latency: Duration) {
        let Some(app) = self.apps.get_mut(&id) else { return };
        let late = now.at.before(latency).since(app.check_due);
        self.tallies.lateness.count(u32::try_from(late.as_millis()).unwrap_or(u32::MAX));
        match end {
            CheckEnd::LeashEnded => {
                app.manner.break_off(app.check_due);
                let due = app.manner.broken_off.unwrap_or(app.check_due);
                app.check_due = now.at;
                self.queue(now, id, Place { lane: Lane::BrokenOff, due, check });
                self.reckon(id);
            }
            CheckEnd::NoVerdict { reason } => {
                let app = app.registration.name.clone();
                self.log(Note::Undecided { app, reason });
            }
            CheckEnd::Verdict(verdict) => {
                self.judge(now, id, verdict, latency);
                self.reckon(id);
            }
        }
    }

    /// The check that waits, if one does, is not made; one that is under way counts no more.
    pub(in crate::engine) fn void(&mut self, id: AppId) {
        let Some(app) = self.apps.get_mut(&id) else { return };
        app.asked = match app.asked {
            Asked::Waits { place, .. } => {
                self.lanes.withdraw(place);
                Asked::No
            }
            Asked::Runs { check } | Asked::Void { check, .. } => Asked::Void { check, next: None },
            Asked::No => Asked::No,
        };
    }

    /// The app is about to be watched no longer, or elsewhere: a check that is under way is left
    /// behind. It is remembered, for the thread that it holds is not free before it has ended.
    pub(in crate::engine) fn leave_behind(&mut self, id: AppId) {
        self.void(id);
        let Some(app) = self.apps.get_mut(&id) else { return };
        if let Asked::Void { check, .. } = app.asked
            && let Some(running) = self.running.get_mut(&check)
        {
            running.left_behind = Some(Target::of(app));
            app.asked = Asked::No;
        }
    }

    /// The app is watched at this address anew: a check that was left behind there is its own again,
    /// and nothing is asked before that has ended.
    pub(in crate::engine) fn take_up(&mut self, id: AppId) {
        let Some(app) = self.apps.get_mut(&id) else { return };
        let target = Target::of(app);
        let mut running = self.running.iter_mut();
        let left = running.find(|(_, running)| running.left_behind.as_ref() == Some(&target));
        if let Some((check, running)) = left {
            running.app = id;
            running.left_behind = None;
            app.asked = Asked::Void { check: *check, next: None };
        }
    }

    /// Tells the lanes what an app needs now.
    pub(in crate::engine) fn reckon(&mut self, id: AppId) {
        let Some(app) = self.apps.get_mut(&id) else { return };
        let now = if app.paused() { 0 } else { app.manner.share(app.registration.interval) };
        let before = std::mem::replace(&mut app.share, now);
        self.lanes.reckon(before, now);
    }
}

impl App {
    /// Whether a check during which we stood still is void. A pass is one however late it came. A
    /// failure may be ours: what was late, closed early or refused by then was asked by us too late.
    fn is_void(&mut self, verdict: &Verdict) -> bool {
        let void = verdict.outcome == Outcome::Fail && self.void_in_a_row < VOID_IN_A_ROW;
        self.void_in_a_row += u8::from(void);
        void
    }
}
