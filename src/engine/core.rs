//! The engine: what happens goes in, with the time; what is to be done comes out.
//!
//! The contract of a turn: [`Engine::handle_clock`] with the time just read, before all else; any
//! other `handle_*` methods and commands; [`Engine::take_records`], to be written before a mail of this
//! turn goes out; [`Engine::poll_action`] until it answers `None`; then sleep until
//! [`Engine::next_deadline`] or the next event, whichever is first. Who answers a command takes its
//! records first.
//!
//! The engine itself decides nothing. It wires seven machines, and all that it does is to pass on what
//! somebody [asks](super::commands) for, and the [traffic](super::traffic) between them: most of
//! [`Engine`]'s methods are there.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use super::beats::Beats;
use super::check_log::Line;
use super::chronicle::Chronicle;
use super::incidents::{self, Incidents, who_is_disallowed};
use super::log_event::LogEvent;
use super::outbox::mail::Mail;
use super::outbox::{self, Outbox, Policy};
use super::query::View;
use super::recipients::Recipient;
use super::record::restore::{Household, RestoredApp, RestoredMail};
use super::record::{Record, keep};
use super::registration::QuietTimes;
use super::registry::{Registry, RegistryError};
use super::scheduler::{self, STOOD_STILL, Scheduler, Timing};
use super::surroundings::look::Look;
use super::surroundings::run::Interruption;
use super::surroundings::{ASKED_EVERY, Surroundings};
use super::time::{Moment, Now, Step, Timeline, Zone, earlier};
use super::verdict::probe::Probe;

/// What the engine needs to know of the settings.
#[derive(Clone, Debug)]
pub struct Options {
    /// What the owner has set for mail.
    pub mail: Policy,
    /// The most checks at once.
    pub workers: usize,
    /// Any number that no other run has: message ids are made from it.
    pub seed: u64,
    /// Which boot of the machine it is, as its system calls it; `None` where it does not tell.
    pub boot_id: Option<String>,
    /// How long things may settle after a boot.
    pub settle: Duration,
    /// Well-known addresses on the internet, by which it is seen whether that is there; none: it is not
    /// looked for.
    pub anchors: Vec<SocketAddr>,
    /// Whether people are told again of trouble that lasts.
    pub reminders: bool,
    /// When nobody is told of apps that say nothing of it themselves.
    pub quiet: QuietTimes,
    /// What people are told times in.
    pub zone: Zone,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq)]
pub enum Action {
    /// Ask an app, and report with [`Engine::handle_check`].
    Probe(Probe),
    /// Look around, and report with [`Engine::handle_look`].
    Look(Look),
    /// Send a mail, and report with [`Engine::handle_delivery`].
    Send(Mail),
    /// Ask the mail server whether it would take a mail to each of these, without sending one, and
    /// report with [`Engine::handle_rehearsal`].
    Rehearse(Vec<Recipient>),
    /// Write a line to the log.
    Log(LogEvent),
    /// Write a line to the health check log.
    CheckLog(Line),
}

/// Whose a deadline is, and what for. Each machine that has several kinds has a `Wait` of its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The next check, or whether the shortage of threads is over.
    Scheduler(scheduler::Wait),
    /// An app is to have reported.
    Beat,
    /// Apps are awaited no longer, others are looked at, or people are to be told what was away.
    Surroundings,
    /// What is gathered to be told, or waits for that.
    Incidents(incidents::Wait),
    /// A mail is tried again, or the mail server asked.
    Outbox(outbox::Wait),
    /// A quiet time begins or ends.
    Quiet,
    /// The hour is over: counters and history are recorded.
    Hour,
}

/// What a registration did, as far as the caller is told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Registered {
    /// The app is new.
    New,
    /// It was known, and something differs.
    Updated,
    /// It was known just so.
    Unchanged,
}

/// A command that could not be carried out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CommandError {
    /// The registry knows no such app, or has no room for it.
    Registry(RegistryError),
    /// The app of this name is paused.
    Paused(String),
    /// The app of this name is asked, and reports nothing.
    IsAsked(String),
    /// The app of this name reports, and is not asked.
    Reports(String),
    /// No mail to this address was refused, or somebody has seen it.
    NothingRefused(String),
    /// Nobody was told of trouble that lasts.
    NothingToMute,
}

impl From<RegistryError> for CommandError {
    fn from(error: RegistryError) -> CommandError {
        CommandError::Registry(error)
    }
}

/// The household: every app, every mail, every deadline.
///
/// Its parts are `pub(super)` for [commands](super::commands) and [traffic](super::traffic), where the rest of
/// its methods is.
#[derive(Debug)]
pub struct Engine {
    pub(super) registry: Registry,
    pub(super) scheduler: Scheduler,
    pub(super) beats: Beats,
    pub(super) surroundings: Surroundings,
    pub(super) chronicle: Chronicle,
    pub(super) incidents: Incidents,
    pub(super) outbox: Outbox,
    pub(super) timeline: Timeline,
    pub(super) zone: Zone,
    /// What is to be done, in the order in which it came up. Checks and sums are not among it: they
    /// are made when they are asked for, see [`Engine::poll_action`].
    pub(super) actions: VecDeque<Action>,
}

/// The engine as a whole.
impl Engine {
    /// An engine that watches nothing yet.
    pub fn new(options: Options) -> Engine {
        Engine {
            registry: Registry::new(options.quiet),
            scheduler: Scheduler::new(options.workers),
            beats: Beats::default(),
            surroundings: Surroundings::new(options.boot_id, options.settle, options.anchors),
            chronicle: Chronicle::default(),
            incidents: Incidents::new(options.reminders),
            outbox: Outbox::new(options.mail, options.seed),
            timeline: Timeline::default(),
            zone: options.zone,
            actions: VecDeque::new(),
        }
    }

    /// What is to be seen of it.
    pub fn view(&self) -> View<'_> {
        View {
            registry: &self.registry,
            scheduler: &self.scheduler,
            beats: &self.beats,
            surroundings: &self.surroundings,
            chronicle: &self.chronicle,
            incidents: &self.incidents,
            outbox: &self.outbox,
            zone: &self.zone,
        }
    }

    /// What is to be said of an app that was just registered: which of its parents are not watched.
    pub fn unknown_parents(&self, name: &str) -> Vec<String> {
        let app = self.registry.named(name);
        let unknown = app.map(|app| self.registry.unknown_parents(app).map(str::to_owned));
        unknown.map(Iterator::collect).unwrap_or_default()
    }

    /// What people are told times in.
    pub fn zone(&self) -> &Zone {
        &self.zone
    }

    /// The records of this turn: to be written, all or none, before its mails are sent and its
    /// commands are answered. Empty when nothing changed that must be kept.
    pub fn take_records(&mut self, now: Now) -> Vec<Record> {
        let Engine { timeline, registry, surroundings, chronicle, incidents, outbox, .. } = self;
        keep::changes(now, timeline, (registry, surroundings, chronicle, incidents, outbox))
    }

    /// Everything that is to be kept, as if nothing had been recorded before.
    pub fn snapshot(&self, now: Now) -> Vec<Record> {
        let Engine { timeline, registry, surroundings, chronicle, incidents, outbox, .. } = self;
        keep::everything(now, timeline, (registry, surroundings, chronicle, incidents, outbox))
    }

    /// Whether everything should be written anew, for the times on disk were wrong; after that, it is
    /// taken to be.
    pub fn takes_rewriting(&mut self, now: Now) -> bool {
        self.timeline.takes_rewriting(now.at)
    }

    /// Whether it is not known that the wall clock is right: see [`Engine::handle_synchronised`].
    pub fn doubts_clock(&self) -> bool {
        self.timeline.is_in_doubt()
    }

    /// Whether to ask the system whether a time server has set the wall clock; if it has, for
    /// [`Engine::handle_synchronised`].
    pub fn asks_for_time_server(&mut self, at: Moment) -> bool {
        self.timeline.asks(at)
    }

    /// Rebuilds the household from its records, oldest first, in an engine that watches nothing
    /// yet. Mails that wait are tried at once, and every app is checked within its interval.
    pub fn restore(&mut self, now: Now, records: Vec<Record>) {
        let mut household = Household::read(records);
        // The newest time on record says whether the clock can be believed: all are seen before it is
        // looked at, and none has its place on the monotonic clock before that.
        household.for_each_stamp(|stamp| self.timeline.recall(stamp.wall()));
        self.timeline.follow(self.surroundings.follow(household.run()));
        self.handle_clock(now, Duration::ZERO);
        household.for_each_stamp(|stamp| self.timeline.place(now, stamp));
        let last = self.timeline.newest().map(|wall| self.timeline.placed(now, wall));
        household.run().into_iter().for_each(|before| self.surroundings.recall(before));
        let interruption = self.surroundings.interrupted(now, household.run(), last);
        if interruption.is_some() {
            self.scheduler.set_haste(now, Some(ASKED_EVERY));
        }
        household.take_incidents().for_each(|incident| self.chronicle.restore(incident));
        let RestoredMail { mails, accepted, refusals } = household.take_mail();
        let ids = mails.iter().map(|mail| mail.id).collect();
        self.outbox.restore(now, accepted, refusals, mails);
        if !self.surroundings.network().is_down() {
            self.outbox.handle_sight(now);
        }
        // Who named nobody follows the option as it is today.
        let default_email = self.outbox.recipients().by_default().to_vec();
        let asked_every = interruption.as_ref().map(|_| ASKED_EVERY);
        for RestoredApp { app, alert, due } in
            household.apps(now, &self.timeline, &default_email, asked_every)
        {
            let (timing, beats) = (Timing::of(&app.registration), app.registration.beats());
            let heard = app.heard(now.at, |stamp| self.timeline.place(now, stamp));
            let is_paused = app.paused;
            let id = self.registry.restore(app);
            match beats {
                Some(rhythm) if !is_paused => self.beats.restore(now, id, rhythm, heard),
                Some(_) => {}
                None => self.scheduler.restore(now, id, timing, due),
            }
            alert.into_iter().for_each(|alert| self.incidents.restore(id, alert));
        }
        self.surroundings.handle_start(now, &self.registry);
        self.follow_quiet(now, None);
        self.incidents.handle_start(now, &self.registry);
        match interruption {
            Some(interruption) => self.settle(now, interruption),
            None if self.surroundings.network().is_down() => {}
            None => self.chronicle.handle_nothing_to_settle(now),
        }
        // Only now is it known which are to go together, and who knows what they tell.
        let disallowed = self.incidents.disallow(ids, &self.registry, &mut self.outbox);
        self.actions.extend(disallowed.notes.into_iter().map(Action::Log));
        self.outbox.handle_start(now, disallowed.sendable);
        let (incidents, known) = self.incidents();
        let messages = incidents.handle_started(now, known);
        self.post(now, messages);
        let notes = who_is_disallowed(&self.registry, &self.outbox);
        self.actions.extend(notes.into_iter().map(Action::Log));
    }

    /// Records were lost to damage: who was to have a mail that was among them is told anew. To be
    /// called after [`Engine::restore`].
    pub fn handle_loss(&mut self) {
        self.incidents.handle_loss(&self.registry, &self.outbox);
    }

    /// Whether a mail is on its way to the server.
    pub fn is_sending(&self) -> bool {
        self.outbox.is_sending()
    }

    /// When [`Engine::handle_time`] wants to be called next, and what for.
    pub fn next_deadline(&self) -> Option<(Moment, Wait)> {
        let scheduler = self.scheduler.next_deadline().map(|(at, it)| (at, Wait::Scheduler(it)));
        let beat = self.beats.next_deadline().map(|at| (at, Wait::Beat));
        let settling = self.surroundings.next_deadline().map(|at| (at, Wait::Surroundings));
        let incidents = self.incidents.next_deadline().map(|(at, it)| (at, Wait::Incidents(it)));
        let outbox = self.outbox.next_deadline().map(|(at, it)| (at, Wait::Outbox(it)));
        let hour = self.registry.next_deadline().map(|at| (at, Wait::Hour));
        // What begins or ends then holds for whatever else is due.
        let quiet = self.registry.quiet_deadline().map(|at| (at, Wait::Quiet));
        let checks = earlier(scheduler, beat);
        let soonest = earlier(earlier(quiet, earlier(checks, settling)), incidents);
        earlier(soonest, earlier(outbox, hour))
    }
}

/// Clocks that jump, and times in which we or the machine did nothing.
impl Engine {
    /// The clocks were read: to be called before anything else is done with the time. The machine
    /// `slept` so long since the last call, a time that the monotonic clock does not count. When it did,
    /// or the wall clock was set, every time that is remembered is put right, and every wait that is meant
    /// in real time. What is due by now is
    /// for [`Engine::handle_time`].
    pub fn handle_clock(&mut self, now: Now, slept: Duration) {
        let Some(step) = self.timeline.observe(now, slept) else { return };
        if !slept.is_zero() {
            self.log(LogEvent::Slept { span: slept });
        }
        if step.clock_was_set() {
            self.log(LogEvent::ClockSet { to: now.wall });
        }
        self.put_right(now, step);
        self.handle_absence(now, Interruption::Sleep, slept);
    }

    /// The system knew, before `now` was read, that a time server has set the wall clock: it is believed.
    /// See [`Engine::asks_for_time_server`].
    pub fn handle_synchronised(&mut self, now: Now) {
        let was_ahead = self.timeline.is_before_the_record();
        let step = self.timeline.settle(now);
        if self.timeline.is_synchronised() {
            self.surroundings.handle_synchronised();
        }
        let Some(step) = step else { return };
        if was_ahead {
            self.log(LogEvent::ClockWasAhead);
        }
        self.put_right(now, step);
    }

    fn put_right(&mut self, now: Now, step: Step) {
        // Of the start, which come out in the first turn.
        for action in &mut self.actions {
            if let Action::Send(mail) = action {
                mail.for_each_stamp(|stamp| self.timeline.step(now, step, stamp));
            }
        }
        self.outbox.handle_step(&self.timeline, now, step);
        self.surroundings.for_each_stamp(|stamp| self.timeline.step(now, step, stamp));
        self.chronicle.handle_step(&self.timeline, now, step);
        self.incidents.handle_step(&self.timeline, now, step);
        self.registry.handle_step(&self.timeline, now, step);
        self.follow_quiet(now, None);
        self.beats.handle_step(step);
    }

    /// Nothing of ours ran for `span` until now, though it was to: we were stopped or starved, or the
    /// machine slept. To be called before what has come meanwhile is handled.
    ///
    /// For `certainly` so long of it: the rest is a jump of the wall clock, which somebody may have set.
    pub fn handle_standstill(&mut self, now: Now, span: Duration, certainly: Duration) {
        self.scheduler.handle_standstill(span);
        if span > STOOD_STILL {
            self.surroundings.handle_standstill();
        }
        self.handle_absence(now, Interruption::Standstill, certainly);
    }
}
