//! The one thread that owns every byte of state.
//!
//! Each turn: sleep until something happens or is due, read the clock once, hand the engine what
//! happened, and do what it says. Nothing here waits for a disk, a name, a mail server or a client.

use super::channel::Receiver;
use std::io;
use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use log::{debug, info, warn};
use mio::{Events, Poll, Token};

use super::api::{ApiRequest, Command, LoopState, Problem, Promise, Responder};
use super::check_log::CheckLog;
use super::clock::{self, Clock};
use super::commands;
use super::commit_queue::{CommitQueue, Release};
use super::discovery::Discovery;
use super::gate::{Gate, Settlement};
use super::journal;
use super::lookout::{self, Lookout};
use super::mailer::{self, Mailer};
use super::metrics::PoolUse;
use super::mute_key::MuteKey;
use super::names::Names;
use super::prober::{CheckReport, Pool};
use super::public_url::PublicUrl;
use super::signals::Signals;
use super::standstill::{Missed, Standstill};
use super::watchdog::Watchdog;
use crate::engine::core::{Action, Engine};
use crate::engine::log_event::{LogEvent, Severity};
use crate::engine::outbox::delivery::Delivery;
use crate::engine::outbox::letter::{self, Links};
use crate::engine::outbox::mail::Mail;
use crate::engine::recipients::Recipient;
use crate::engine::scheduler::Ran;
use crate::engine::surroundings::look::LookReport;
use crate::engine::time::{Moment, Now};
use crate::engine::verdict::answer::{CheckEnd, Whereabouts};
use crate::engine::verdict::probe::Probe;

/// The threads have something for us.
pub(super) const WAKER: Token = Token(0);
/// A signal has come.
pub(super) const SIGNALS: Token = Token(1);
/// The gate's tokens begin here.
pub(super) const GATE: Token = Token(2);

/// Events taken from the system in one turn.
const EVENTS: usize = 256;
/// How long clients have to take their answers when the daemon stops.
const LAST_ANSWERS_WITHIN: Duration = Duration::from_secs(1);
/// How long a mail under way may still take, so that it is not sent again after the next start, and
/// the disk with what clients wait for.
const LAST_WORK_WITHIN: Duration = Duration::from_secs(5);

/// What the threads send.
pub(super) struct Inbox {
    pub(super) requests: Receiver<ApiRequest>,
    pub(super) reports: Receiver<CheckReport>,
    pub(super) looks: Receiver<LookReport>,
    pub(super) mails: Receiver<mailer::MailReport>,
    pub(super) kept: Receiver<journal::SyncReport>,
}

/// The loop and all that it owns.
pub(super) struct EventLoop {
    pub(super) poll: Poll,
    pub(super) clock: Clock,
    pub(super) signals: Signals,
    pub(super) inbox: Inbox,
    pub(super) engine: Engine,
    pub(super) commits: CommitQueue<Promise>,
    pub(super) check_log: CheckLog,
    pub(super) gate: Gate,
    pub(super) pool: Pool,
    pub(super) lookout: Lookout,
    pub(super) names: Names,
    /// `None`: no mail is sent.
    pub(super) mailer: Option<Mailer>,
    pub(super) discovery: Discovery,
    pub(super) public_url: PublicUrl,
    pub(super) mute_key: Arc<MuteKey>,
    pub(super) watchdog: Watchdog,
    pub(super) standstill: Standstill,
    pub(super) started: Moment,
}

impl EventLoop {
    /// Runs until a signal ends it.
    ///
    /// # Errors
    /// The system no longer tells us of events.
    pub(super) fn run(mut self) -> io::Result<()> {
        let mut events = Events::with_capacity(EVENTS);
        self.watchdog.ready();
        // Signals are looked at only when they wake the loop.
        while !(events.iter().any(|event| event.token() == SIGNALS) && self.signals.came()) {
            self.turn(&mut events, None)?;
        }
        info!("stopping");
        self.watchdog.stopping();
        self.wind_down(&mut events)
    }

    /// The last answers and mails go out, everything is written, and the network learns that we
    /// are gone.
    fn wind_down(&mut self, events: &mut Events) -> io::Result<()> {
        let now = self.clock.now();
        self.gate.drain(self.poll.registry(), now.at);
        let (answers, work) = (now.at + LAST_ANSWERS_WITHIN, now.at + LAST_WORK_WITHIN);
        loop {
            let answering = !self.gate.is_idle() && self.clock.now().at < answers;
            let at_work = self.engine.is_sending() || self.commits.owes_answers();
            let working = at_work && self.clock.now().at < work;
            match (answering, working) {
                (false, false) => break,
                (true, _) => self.turn(events, Some(answers))?,
                (false, true) => self.turn(events, Some(work))?,
            }
        }
        let now = self.look_at_the_clock();
        self.engine.handle_stop(now);
        self.act(now);
        self.commits.snapshot(&self.engine, now);
        self.discovery.stop();
        Ok(())
    }

    fn turn(&mut self, events: &mut Events, until: Option<Moment>) -> io::Result<()> {
        let deadline = self.next_deadline().into_iter().chain(until).min();
        let deadline = self.standstill.sleep(deadline, self.pool.is_busy());
        let timeout = deadline.map(|deadline| self.clock.until(deadline));
        match self.poll.poll(events, timeout) {
            Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
            result => result?,
        }
        let now = self.look_at_the_clock();
        for event in &*events {
            self.gate.handle_event(self.poll.registry(), event.token(), now.at);
        }
        self.gate.handle_deadlines(self.poll.registry(), now.at);
        let stranger = self.gate.take_stranger();
        self.hear_of(now, stranger);
        // Checks that have ended give their threads back before those that are due want one.
        self.handle_inbox(now);
        self.engine.handle_time(now);
        self.pool.handle_deadline(now.at);
        self.watchdog.handle_time(now.at, self.mailer.as_ref());
        self.act(now);
        for release in self.commits.overdue(now.at) {
            self.release(now, release);
        }
        if self.engine.takes_rewriting(now) {
            self.commits.snapshot(&self.engine, now);
        }
        self.commits.compact(&self.engine, now);
        Ok(())
    }

    /// Reads the clock for this turn, before anything else is done in it.
    fn look_at_the_clock(&mut self) -> Now {
        // Asked first: what is read after that is the time that was set.
        let at = self.clock.now().at;
        let is_set = self.engine.asks_for_time_server(at) && clock::is_synchronised();
        let now = self.clock.now();
        let Missed { stood_still, late, slept } = self.standstill.wake(now, || self.clock.asleep());
        self.engine.handle_clock(now, slept);
        if is_set {
            self.engine.handle_synchronised(now);
        }
        self.engine.handle_standstill(now, stood_still, late);
        now
    }

    fn next_deadline(&self) -> Option<Moment> {
        let deadlines = [
            self.engine.next_deadline().map(|(at, _)| at),
            self.commits.next_deadline(),
            self.gate.next_deadline(),
            self.pool.next_deadline(),
            self.watchdog.next_deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    fn handle_inbox(&mut self, now: Now) {
        while let Ok(report) = self.inbox.reports.try_recv() {
            self.pool.finished(&report, now.at);
            let ran = Ran { began: self.clock.moment(report.began), latency: report.latency };
            self.engine.handle_check(now, report.id, report.end, ran);
        }
        while let Ok(report) = self.inbox.looks.try_recv() {
            self.engine.handle_look(now, &report);
        }
        while let Ok(request) = self.inbox.requests.try_recv() {
            self.serve(now, request);
        }
        while let Ok(report) = self.inbox.kept.try_recv() {
            for release in self.commits.handle_report(&report, now.at) {
                self.release(now, release);
            }
        }
        while let Ok(report) = self.inbox.mails.try_recv() {
            match report {
                mailer::MailReport::Mail { id, delivery } => {
                    let is_taken = delivery == Delivery::Accepted;
                    self.engine.handle_delivery(now, id, delivery);
                    let server = self.mailer.as_ref().filter(|_| is_taken);
                    self.hear_of(now, server.and_then(Mailer::server_is_at));
                }
                mailer::MailReport::Alive => self.watchdog.handle_mailer(),
                mailer::MailReport::Rehearsal(delivery) => {
                    self.engine.handle_rehearsal(now, delivery);
                }
            }
        }
    }

    /// Somebody at this address lives: of interest only if that is another machine, and somebody is awaited.
    fn hear_of(&mut self, now: Now, address: Option<IpAddr>) {
        let Some(address) = address.filter(|_| self.engine.awaits_life()) else { return };
        if lookout::whereabouts(address) != Whereabouts::Here {
            self.engine.handle_life(now);
        }
    }

    fn serve(&mut self, now: Now, request: ApiRequest) {
        match request {
            ApiRequest::Query(query) => query.answer(&self.state(now)),
            ApiRequest::Do { command, responder } => self.carry_out(now, command, responder),
        }
    }

    fn state(&mut self, now: Now) -> LoopState<'_> {
        let mut disk = self.commits.troubles();
        disk.extend(self.check_log.trouble().map(str::to_owned));
        LoopState {
            engine: &self.engine,
            now,
            started: self.started,
            disk,
            names: self.names.trouble().into_iter().collect(),
            pool: PoolUse {
                busy: self.pool.working(),
                threads: self.pool.threads(),
                most: self.pool.most(),
            },
            journal: self.commits.stats(),
        }
    }

    fn carry_out(&mut self, now: Now, command: Command, responder: Responder) {
        let done = commands::carry_out(&mut self.engine, now, command);
        self.keep(now);
        let promise = responder.promise();
        // Before it is answered, or the answer could be with the client before the gate knows.
        if done.is_ok() && self.commits.must_hold(promise, now.at) {
            self.gate.hold(promise.ticket());
        }
        responder.answer(done.map_err(Problem::from));
    }

    /// What changed is written before anything that rests on it goes out.
    fn keep(&mut self, now: Now) {
        let records = self.engine.take_records(now);
        self.commits.keep(&records);
    }

    fn release(&mut self, now: Now, release: Release<Promise>) {
        match release {
            Release::Answer(promise, kept) => {
                let verdict = match kept {
                    Ok(()) => Settlement::True,
                    Err(why) => Settlement::Instead(promise.broken(&why.into())),
                };
                self.gate.settle(self.poll.registry(), promise.ticket(), verdict, now.at);
            }
            Release::Mail(mail) => self.send(now, &mail),
        }
    }

    /// Does what the engine wants done, until it wants no more: that a check has no thread may bring another.
    fn act(&mut self, now: Now) {
        self.keep(now);
        loop {
            self.act_on_all(now);
            let without_thread = self.pool.begin_run(now.at);
            if without_thread.is_empty() {
                break;
            }
            without_thread.iter().for_each(|probe| self.handle_no_thread(now, probe));
        }
    }

    fn act_on_all(&mut self, now: Now) {
        while let Some(action) = self.engine.poll_action() {
            match action {
                Action::Probe(probe) => {
                    if let Err(probe) = self.pool.start(probe) {
                        self.handle_no_thread(now, &probe);
                    }
                }
                Action::Look(look) => self.lookout.look(look),
                Action::Send(mail) => {
                    if let Some(release) = self.commits.send_when_kept(mail, now.at) {
                        self.release(now, release);
                    }
                }
                Action::Rehearse(to) => {
                    if let Some(mailer) = &self.mailer {
                        mailer.rehearse(to.into_iter().map(|Recipient::Mail(to)| to).collect());
                    }
                }
                Action::Log(note) => log_note(&note),
                Action::CheckLog(line) => self.check_log.write(line),
            }
        }
    }

    fn handle_no_thread(&mut self, now: Now, probe: &Probe) {
        let end =
            CheckEnd::NoVerdict { reason: "no thread could be started for the check".to_owned() };
        self.engine.handle_check(now, probe.id, end, Ran::until(now.at, Duration::ZERO));
    }

    fn send(&self, now: Now, mail: &Mail) {
        if let Some(mailer) = &self.mailer {
            let status_url = self.public_url.get();
            let status = status_url.as_deref();
            let mute = status.and_then(|url| self.mute_key.url(url, mail, now.wall));
            let links = Links { status, mute: mute.as_deref() };
            let letter = letter::write(mail, now.at, self.engine.zone(), links);
            mailer.send(mail.id, letter);
        }
    }
}

fn log_note(note: &LogEvent) {
    match note.severity() {
        Severity::Detail => debug!("{note}"),
        Severity::Change => info!("{note}"),
        Severity::Trouble => warn!("{note}"),
    }
}
