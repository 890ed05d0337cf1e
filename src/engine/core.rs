//! The engine: what happens goes in, with the time; what is to be done comes out.
//!
//! The contract: call a `handle_*` method or a command, then [`Engine::poll_action`] until it
//! answers `None`, then sleep until [`Engine::next_deadline`] or the next event, whichever is first.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use super::alert::{Alert, Level};
use super::answer::{CheckEnd, Verdict};
use super::app::{App, AppId, Due, Pace, Welcome};
use super::delivery::Delivery;
use super::keep::{Changes, TALLY_EVERY};
use super::lanes::{Lane, Lanes};
use super::monitor::Transition;
use super::note::Note;
use super::notice::{Mail, Notice, State};
use super::outbox::{Fate, Outbox};
use super::registration::Registration;
use super::spread;
use super::status_set::StatusSet;
use super::time::{Moment, Now};
use super::wheel::{TimerId, TimerWheel};

/// The first check comes within a second of the registration: this, and time for the hand-over.
const FIRST_CHECK_WITHIN: Duration = Duration::from_millis(900);
/// First passes are gathered so long, for one mail instead of many.
const WELCOME_GATHERED: Duration = Duration::from_secs(10);
/// Timers that fire in one turn, before the sockets are looked at again.
const TIMERS_A_TURN: usize = 64;
/// No more apps than this: the memory for them is in the budget.
pub const MOST_APPS: usize = 10_000;

/// What the engine needs to know of the settings.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether mail is sent at all.
    pub mailing: bool,
    /// The most checks at once.
    pub workers: usize,
    /// Any number that no other run has: message ids are made from it.
    pub seed: u64,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Ask an app, and report with [`Engine::handle_check`].
    Probe(Probe),
    /// Send a mail, and report with [`Engine::handle_delivery`].
    Send(Mail),
    /// Write a line to the log.
    Log(Note),
}

/// A check to be run.
#[derive(Clone, Debug, PartialEq)]
pub struct Probe {
    /// Names the check in the report.
    pub check: u64,
    /// The health address.
    pub url: String,
    /// For all of it.
    pub timeout: Duration,
    /// Whether it is to be broken off after [`super::lanes::LEASH`].
    pub leashed: bool,
    /// Status codes that count as an answer.
    pub expect: StatusSet,
}

/// A command that could not be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// No app has this name.
    UnknownApp(String),
    /// There are [`MOST_APPS`] already.
    TooManyApps,
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Timer {
    Check(AppId),
    Welcome,
    Mail(u64),
    Tally,
}

/// A check that waits for a thread or has one.
#[derive(Clone, Copy, Debug)]
struct Check {
    id: u64,
    app: AppId,
}

/// The household: every app, every mail, every deadline.
#[derive(Debug)]
pub struct Engine {
    pub(super) options: Options,
    pub(super) apps: HashMap<AppId, App>,
    pub(super) names: BTreeMap<String, AppId>,
    last_app: u64,
    last_check: u64,
    running: HashMap<u64, AppId>,
    lanes: Lanes<Check>,
    pub(super) wheel: TimerWheel<Timer>,
    pub(super) outbox: Outbox,
    newcomers: BTreeSet<AppId>,
    /// The timer for the next tally runs.
    tally_due: bool,
    pub(super) changes: Changes,
    actions: VecDeque<Action>,
}

/// Commands: what apps and people ask for.
impl Engine {
    /// An engine that watches nothing yet.
    pub fn new(options: Options) -> Engine {
        Engine {
            lanes: Lanes::new(options.workers),
            outbox: Outbox::new(options.seed),
            options,
            apps: HashMap::new(),
            names: BTreeMap::new(),
            last_app: 0,
            last_check: 0,
            running: HashMap::new(),
            wheel: TimerWheel::default(),
            newcomers: BTreeSet::new(),
            changes: Changes::default(),
            tally_due: false,
            actions: VecDeque::new(),
        }
    }

    /// Registers an app, or changes what differs of one that is known.
    ///
    /// Only another address sets a known app back to UNKNOWN.
    pub fn register(&mut self, now: Now, registration: Registration) -> Result<(), Refusal> {
        let known = self.names.get(&registration.name).copied();
        if known.is_none() && self.apps.len() >= MOST_APPS {
            return Err(Refusal::TooManyApps);
        }
        self.log(Note::Registered {
            app: registration.name.clone(),
            url: registration.health_url.clone(),
            new: known.is_none(),
        });
        match known {
            Some(id) => self.register_again(now, id, registration),
            None => self.register_new(now, registration),
        }
        Ok(())
    }

    /// Stops checking an app until it is resumed. Pausing twice is pausing once.
    pub fn pause(&mut self, name: &str) -> Result<(), Refusal> {
        let id = self.find(name)?;
        let Some(app) = self.apps.get_mut(&id) else { return Ok(()) };
        if let Some(due) = app.due() {
            self.wheel.cancel(due.timer);
            app.pace = Pace::Paused;
            app.check = None;
            self.changes.app(id);
            self.log(Note::Commanded { app: name.to_owned(), what: "paused" });
        }
        Ok(())
    }

    /// Checks a paused app again, from UNKNOWN. Resuming an app that is not paused changes nothing.
    pub fn resume(&mut self, now: Now, name: &str) -> Result<(), Refusal> {
        let id = self.find(name)?;
        if self.apps.get(&id).is_some_and(App::paused) {
            self.log(Note::Commanded { app: name.to_owned(), what: "resumed" });
            self.forget(now, id, "resumed");
            self.begin(now, id);
            self.changes.app(id);
        }
        Ok(())
    }

    /// Watches an app no longer. What is on its way in the outbox still goes out.
    pub fn stop(&mut self, name: &str) -> Result<(), Refusal> {
        let id = self.find(name)?;
        self.names.remove(name);
        self.newcomers.remove(&id);
        self.changes.stopped(name);
        if let Some(due) = self.apps.remove(&id).and_then(|app| app.due()) {
            self.wheel.cancel(due.timer);
        }
        self.log(Note::Commanded { app: name.to_owned(), what: "stopped, no longer watched" });
        Ok(())
    }

    fn register_new(&mut self, now: Now, registration: Registration) {
        let id = self.new_id();
        let due = self.first_check(now, id);
        self.names.insert(registration.name.clone(), id);
        self.apps.insert(id, App::new(now, registration, due));
        self.changes.app(id);
    }

    pub(super) fn new_id(&mut self) -> AppId {
        self.last_app += 1;
        AppId(self.last_app)
    }

    fn register_again(&mut self, now: Now, id: AppId, registration: Registration) {
        let Some(app) = self.apps.get_mut(&id) else { return };
        let moved = !app.registration.is_same_address(&registration);
        let repaced = app.registration.interval != registration.interval;
        app.forgive_until = now.at + registration.interval;
        if app.registration != registration {
            self.changes.app(id);
        }
        app.registration = registration;
        let paused = app.paused();
        if moved {
            self.forget(now, id, "the address changed");
        }
        match (paused, moved, repaced) {
            (true, ..) | (_, false, false) => {}
            (_, true, _) => self.begin(now, id),
            (_, _, true) => self.place_among_others(now.at, id),
        }
    }

    pub(super) fn find(&self, name: &str) -> Result<AppId, Refusal> {
        self.names.get(name).copied().ok_or_else(|| Refusal::UnknownApp(name.to_owned()))
    }
}

/// Events: what came of the actions, and the passing of time.
impl Engine {
    /// Fires timers that are due, a bounded number; [`Engine::next_deadline`] tells of the rest.
    pub fn handle_time(&mut self, now: Now) {
        for _ in 0..TIMERS_A_TURN {
            match self.wheel.poll(now.at) {
                Some(Timer::Check(app)) => self.check_due(now, app),
                Some(Timer::Welcome) => self.welcome(now),
                Some(Timer::Mail(id)) => self.send(now, id),
                Some(Timer::Tally) => self.tally(),
                None => break,
            }
        }
    }

    /// A check has ended.
    pub fn handle_check(&mut self, now: Now, check: u64, end: CheckEnd, latency: Duration) {
        self.lanes.finished();
        if let Some(id) = self.running.remove(&check) {
            self.end_check(now, id, check, end, latency);
        }
    }

    /// The mailer has tried a mail.
    pub fn handle_delivery(&mut self, now: Now, id: u64, delivery: Delivery) {
        match self.outbox.handle_delivery(now.at, id, delivery) {
            None => {}
            Some(Fate::Accepted(mail)) => {
                self.changes.mail_done(id);
                self.log(Note::MailAccepted { to: mail.to, after: now.wall.since(mail.written) });
                for id in self.outbox.release(now.at) {
                    self.send(now, id);
                }
            }
            Some(Fate::Kept { retry_at, trouble }) => {
                self.wheel.schedule(retry_at, Timer::Mail(id));
                let to = self.outbox.recipient(id).unwrap_or_default().to_owned();
                self.log(Note::MailKept {
                    to,
                    retry_in: retry_at.since(now.at),
                    reason: trouble.text,
                });
            }
            Some(Fate::Refused { mail, text }) => {
                self.changes.mail_done(id);
                self.log(Note::MailRefused { to: mail.to, reason: text });
            }
        }
    }

    /// The next thing to be done, if any.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions.pop_front().or_else(|| self.poll_probe().map(Action::Probe))
    }

    /// When [`Engine::handle_time`] wants to be called next.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.wheel.next_deadline()
    }

    /// Takes the next check that may have a thread now.
    fn poll_probe(&mut self) -> Option<Probe> {
        loop {
            let start = self.lanes.poll()?;
            let Check { id, app } = start.job;
            let Some(app_now) = self.apps.get(&app).filter(|app| app.check == Some(id)) else {
                // Stopped, paused or moved while it waited.
                self.lanes.finished();
                continue;
            };
            self.running.insert(id, app);
            let registration = &app_now.registration;
            return Some(Probe {
                check: id,
                url: registration.health_url.clone(),
                timeout: registration.timeout,
                leashed: start.leashed,
                expect: registration.expect.clone(),
            });
        }
    }
}

/// Checks.
impl Engine {
    /// Starts to check an app anew.
    fn begin(&mut self, now: Now, id: AppId) {
        let due = self.first_check(now, id);
        let Some(app) = self.apps.get_mut(&id) else { return };
        if let Some(old) = app.due() {
            self.wheel.cancel(old.timer);
        }
        app.check = None;
        app.pace = Pace::First(due);
    }

    fn first_check(&mut self, now: Now, id: AppId) -> Due {
        let at =
            spread::calmest(now.at, FIRST_CHECK_WITHIN, self.apps.values().filter_map(App::train));
        Due { at, timer: self.wheel.schedule(at, Timer::Check(id)) }
    }

    /// Finds an app its lasting place: the least busy moment between half an interval and one.
    fn place_among_others(&mut self, from: Moment, id: AppId) {
        let Some(app) = self.apps.get(&id) else { return };
        let half = app.registration.interval / 2;
        let others = self.apps.iter().filter(|(other, _)| **other != id);
        let at = spread::calmest(from + half, half, others.filter_map(|(_, app)| app.train()));
        let old = app.due();
        self.steady(id, old, at);
    }

    fn steady(&mut self, id: AppId, old: Option<Due>, at: Moment) {
        if let Some(old) = old {
            self.wheel.cancel(old.timer);
        }
        let timer: TimerId = self.wheel.schedule(at, Timer::Check(id));
        if let Some(app) = self.apps.get_mut(&id) {
            app.pace = Pace::Steady(Due { at, timer });
        }
    }

    fn check_due(&mut self, now: Now, id: AppId) {
        let Some(app) = self.apps.get(&id) else { return };
        let idle = app.check.is_none();
        match app.pace {
            Pace::Paused => return,
            Pace::First(due) => self.place_among_others(due.at, id),
            Pace::Steady(due) => {
                let at = after(due.at, app.registration.interval, now.at);
                self.steady(id, None, at);
            }
        }
        // A check that falls due while one runs is skipped.
        if idle {
            self.last_check += 1;
            self.queue(id, self.last_check);
        }
    }

    fn queue(&mut self, id: AppId, check: u64) {
        let Some(app) = self.apps.get_mut(&id) else { return };
        app.check = Some(check);
        self.lanes.push(app.lane, Check { id: check, app: id });
    }

    fn end_check(&mut self, now: Now, id: AppId, check: u64, end: CheckEnd, latency: Duration) {
        let Some(app) = self.apps.get_mut(&id).filter(|app| app.check == Some(check)) else {
            return;
        };
        app.check = None;
        match end {
            CheckEnd::LeashEnded => {
                app.lane = Lane::Slow;
                self.queue(id, check);
            }
            CheckEnd::NoVerdict { reason } => {
                let app = app.registration.name.clone();
                self.log(Note::Undecided { app, reason });
            }
            CheckEnd::Verdict(verdict) => self.judge(now, id, verdict, latency),
        }
    }

    fn judge(&mut self, now: Now, id: AppId, verdict: Verdict, latency: Duration) {
        let Some(app) = self.apps.get_mut(&id) else { return };
        let (outcome, reason) = (verdict.outcome, verdict.reason.clone());
        let effect = app.observe(now, verdict, latency);
        if app.monitor.rows_that_matter() != app.recorded {
            self.changes.rows(id);
        }
        let name = app.registration.name.clone();
        self.log(Note::Checked {
            app: name,
            outcome,
            reason: reason.clone(),
            latency,
            counts: effect.counts,
        });
        self.tally_later(now);
        if effect.first_pass {
            self.greet(now, id);
        }
        if let Some(transition) = effect.transition {
            self.changed(now, id, transition, reason);
        }
    }

    /// Counters and history are recorded once an hour, while there are any.
    fn tally_later(&mut self, now: Now) {
        if !std::mem::replace(&mut self.tally_due, true) {
            self.wheel.schedule(now.at + TALLY_EVERY, Timer::Tally);
        }
    }

    fn tally(&mut self) {
        self.tally_due = false;
        for id in self.names.values() {
            self.changes.tally(*id);
        }
    }

    fn forget(&mut self, now: Now, id: AppId, why: &str) {
        let Some(app) = self.apps.get_mut(&id) else { return };
        if let Some(transition) = app.monitor.forget(now) {
            self.changed(now, id, transition, why.to_owned());
        }
    }
}

/// Who is told what.
impl Engine {
    fn changed(&mut self, now: Now, id: AppId, transition: Transition, reason: String) {
        let Some(app) = self.apps.get_mut(&id) else { return };
        self.changes.app(id);
        let app_name = app.registration.name.clone();
        let Transition { from, to } = transition;
        self.actions.push_back(Action::Log(Note::StateChanged { app: app_name, from, to, reason }));
        match (Level::of(to), app.alert.take()) {
            (Some(level), Some(alert)) if alert.level == level => app.alert = Some(alert),
            (Some(level), alert) => self.alarm(now, id, transition, level, alert),
            (None, Some(alert)) if to == State::Healthy => {
                self.recovered(now, id, transition, &alert)
            }
            (None, alert) => app.alert = alert,
        }
    }

    /// Opens an alert, or tells that an open one changed its level.
    fn alarm(
        &mut self,
        now: Now,
        id: AppId,
        transition: Transition,
        level: Level,
        open: Option<Alert>,
    ) {
        let Some(app) = self.apps.get(&id) else { return };
        let since = app.monitor.trouble_since;
        let mut alert = open.unwrap_or(Alert { level, opened: now, threads: BTreeMap::new() });
        alert.level = level;
        let notice = Notice::Change(app.change(now, transition, since));
        for to in self.recipients(app) {
            let thread = alert.threads.entry(to.clone()).or_default();
            let message_id = self.write(now, &to, notice.clone(), thread);
            thread.push(message_id);
        }
        if let Some(app) = self.apps.get_mut(&id) {
            app.alert = Some(alert);
        }
    }

    /// Tells everyone who was told of the trouble that it is over.
    fn recovered(&mut self, now: Now, id: AppId, transition: Transition, alert: &Alert) {
        let Some(app) = self.apps.get(&id) else { return };
        let notice = Notice::Change(app.change(now, transition, alert.opened));
        for (to, thread) in &alert.threads {
            self.write(now, to, notice.clone(), thread);
        }
    }

    /// A first pass after the registration is told too, gathered with others.
    fn greet(&mut self, now: Now, id: AppId) {
        if self.newcomers.is_empty() {
            self.wheel.schedule(now.at + WELCOME_GATHERED, Timer::Welcome);
        }
        self.newcomers.insert(id);
        if let Some(app) = self.apps.get_mut(&id) {
            app.welcome = Welcome::Gathered;
        }
    }

    fn welcome(&mut self, now: Now) {
        let newcomers = std::mem::take(&mut self.newcomers);
        let mut apps_of: BTreeMap<String, Vec<String>> = BTreeMap::new();
        for id in newcomers {
            let Some(app) = self.apps.get_mut(&id) else { continue };
            app.welcome = Welcome::Told;
            self.changes.app(id);
            let Some(app) = self.apps.get(&id) else { continue };
            for to in self.recipients(app) {
                apps_of.entry(to).or_default().push(app.registration.name.clone());
            }
        }
        for (to, apps) in apps_of {
            self.write(now, &to, Notice::Watching { apps, at: now.wall }, &[]);
        }
    }

    fn recipients(&self, app: &App) -> Vec<String> {
        if self.options.mailing { app.registration.email.clone() } else { Vec::new() }
    }

    /// Writes to the outbox and sends at once; the message id.
    fn write(&mut self, now: Now, to: &str, notice: Notice, thread: &[String]) -> String {
        let mail = self.outbox.write(now, to, notice, thread);
        let (id, message_id) = (mail.id, mail.message_id.clone());
        self.changes.mail(id);
        self.send(now, id);
        message_id
    }

    pub(super) fn send(&mut self, now: Now, id: u64) {
        if let Some(mail) = self.outbox.take(now.at, id) {
            self.actions.push_back(Action::Send(mail));
        }
    }

    fn log(&mut self, note: Note) {
        self.actions.push_back(Action::Log(note));
    }
}

/// The first due time after `now` of a check that is due every `interval`, without drift.
fn after(due: Moment, interval: Duration, now: Moment) -> Moment {
    let missed = now.since(due).as_millis() / interval.as_millis().max(1);
    due + interval * u32::try_from(missed + 1).unwrap_or(u32::MAX)
}
