//! One run of the daemon: the real engine, the real journal and the queue before it, in a loop as that of
//! `daemon::event_loop`, with threads and sockets left out.

mod look;
mod mail;

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use healthchecker::daemon::api::{About, Command};
use healthchecker::daemon::commands;
use healthchecker::daemon::commit_queue::{CommitQueue, Release};
use healthchecker::daemon::journal::{COMPANY, SyncReport, Urgency, WriterByHand};
use healthchecker::daemon::mailer::turns::Turns;
use healthchecker::daemon::standstill::{Missed, Standstill};
use healthchecker::engine::core::{Action, Engine};
use healthchecker::engine::log_event::LogEvent;
use healthchecker::engine::outbox::delivery::Delivery;
use healthchecker::engine::record::Record;
use healthchecker::engine::scheduler::Ran;
use healthchecker::engine::surroundings::look::LookReport;
use healthchecker::engine::time::{Moment, Now};
use healthchecker::engine::verdict::answer::{CheckEnd, Life, Outcome, Whereabouts};
use healthchecker::engine::verdict::probe::Probe;

use super::checks::{Ends, UrlId, asked_at, broken_check};
use super::clients::Call;
use super::effort::Part;
use super::household::Household;
use super::mail_server::{Job, broken_off};
use super::outside::Outside;
use super::reports::OnItsWay;
use crate::deed::Question;
use crate::faulty::Faulty;
use crate::quick::earlier;
use crate::story::{AppId, CauseId, Checked, Ms};

/// As `event_loop` has it: so long the daemon waits for the disk and the mail server before it ends.
const LAST_WORK_WITHIN: Ms = 5_000;
/// After a sleep, what was under way is found broken after so long.
const BREAKS_OFF_AFTER: Ms = 100;
/// Where a reader of a mail finds the page.
const STATUS_URL: &str = "http://192.168.0.2:8080/healthchecker/";

/// And mutes what it tells: nobody looks at the signature here.
const MUTE_URL: &str = "http://192.168.0.2:8080/healthchecker/mute?incident=1&sig=2";

/// A run of the daemon.
pub(super) struct Daemon {
    pub(super) engine: Engine,
    commits: CommitQueue<u64>,
    pub(super) writer: WriterByHand<Faulty>,
    /// When what waits for the disk is there.
    write_at: Option<Ms>,
    standstill: Standstill,
    mailer: Turns<Job>,
    /// When the mailer has something to do by itself.
    mailer_due: Option<Ms>,
    /// `Instant`s of the mailer's turns are counted from here.
    zero: Instant,
    conversations: BTreeMap<u64, Conversation>,
    events: BTreeMap<(Ms, u64), Event>,
    sequence: u64,
    ends: Ends,
    checks_under_way: usize,
    /// The check that ends in this turn.
    ended: Option<Ended>,
    /// Those whose verdicts wait, oldest first.
    waiting: Vec<Ended>,
    /// The report that it hears in this turn.
    pub(super) hears: Option<OnItsWay>,
    /// Nothing of it runs before.
    pub(super) frozen_until: Option<Ms>,
    /// It is about to end in order, by then at the latest.
    pub(super) stops_by: Option<Ms>,
}

struct Conversation {
    job: Job,
    /// The server did not get all of it.
    broken: bool,
}

enum Event {
    CheckEnds(Box<UnderWay>),
    MailTaken(u64),
    MailEnds(u64, Delivery),
    Seen(LookReport),
}

struct UnderWay {
    check: u64,
    url: UrlId,
    begun: Ms,
    begun_at: Moment,
    end: CheckEnd,
    causes: Vec<CauseId>,
}

struct Ended {
    app: Option<AppId>,
    check: Checked,
}

/// What makes a turn.
pub(super) enum Happening {
    /// Something is due, or nothing.
    Nothing,
    Called(Call),
    Reported(OnItsWay),
    /// The machine's clock was set, it has slept, or we stood still: since the last turn.
    Woke,
}

impl Daemon {
    pub(super) fn new(
        engine: Engine,
        commits: CommitQueue<u64>,
        writer: WriterByHand<Faulty>,
        standstill: Standstill,
    ) -> Daemon {
        Daemon {
            engine,
            commits,
            writer,
            write_at: None,
            standstill,
            mailer: Turns::default(),
            mailer_due: None,
            zero: Instant::now(),
            conversations: BTreeMap::new(),
            events: BTreeMap::new(),
            sequence: 0,
            ends: Ends::new(),
            checks_under_way: 0,
            ended: None,
            waiting: Vec::new(),
            hears: None,
            frozen_until: None,
            stops_by: None,
        }
    }

    /// Its first turn: it asks the mail server whether it would take mails.
    pub(super) fn begins<H: Household>(&mut self, outside: &mut Outside<H>, at: Ms) {
        self.mailer.add(Job::Rehearsal);
        let now = outside.machine.now(at);
        self.go_on_mailing(outside, at, now);
        self.turn(outside, at, Happening::Nothing);
    }

    /// When it has something to do next.
    pub(super) fn next<H>(&self, outside: &Outside<H>) -> Option<Ms> {
        if self.frozen_until.is_some() {
            return self.frozen_until;
        }
        let engine = self.engine.next_deadline().map(|(at, _)| at);
        let deadline = earlier(engine, self.commits.next_deadline());
        let deadline = deadline.map(|at| outside.machine.when(at));
        let event = self.events.first_key_value().map(|((at, _), _)| *at);
        let due = earlier(self.write_at, self.mailer_due);
        earlier(earlier(deadline, event), earlier(due, self.stops_by))
    }

    /// One turn of the loop.
    pub(super) fn turn<H: Household>(
        &mut self,
        outside: &mut Outside<H>,
        at: Ms,
        happening: Happening,
    ) {
        outside.effort.turn();
        let now = outside.machine.now(at);
        let mut missed =
            Missed { stood_still: Duration::ZERO, late: Duration::ZERO, slept: Duration::ZERO };
        if matches!(happening, Happening::Woke) {
            missed = self.standstill.wake(now, || Some(outside.machine.asleep()));
        }
        self.engine.handle_clock(now, missed.slept);
        if self.engine.asks_for_time_server(now.at) && outside.machine.is_synchronised() {
            self.engine.handle_synchronised(now);
        }
        self.engine.handle_standstill(now, missed.stood_still, missed.late);
        while let Some(entry) = self.events.first_entry().filter(|entry| entry.key().0 <= at) {
            let event = entry.remove();
            self.handle_event(outside, at, now, event);
        }
        match happening {
            Happening::Called(call) => self.carry_out(outside, at, now, call),
            Happening::Reported(report) => self.hear(outside, at, now, report),
            Happening::Nothing | Happening::Woke => {}
        }
        if self.write_at.is_some_and(|due| due <= at) {
            self.write(outside, at, now);
        }
        if self.mailer_due.is_some_and(|due| due <= at) {
            self.go_on_mailing(outside, at, now);
        }
        let engine = &mut self.engine;
        outside.effort.spend(Part::Engine, || engine.handle_time(now));
        self.act(outside, at, now);
        for release in self.commits.overdue(now.at) {
            self.release(outside, at, now, release);
        }
        if self.engine.takes_rewriting(now) {
            self.commits.snapshot(&self.engine, now);
        }
        let Daemon { commits, engine, .. } = self;
        outside.effort.spend(Part::Journal, || commits.compact(engine, now));
        self.after_turn(outside, at);
    }

    fn after_turn<H: Household>(&mut self, outside: &mut Outside<H>, at: Ms) {
        match self.writer.gather() {
            Some(Urgency::Now) => {
                let due = at + outside.sync_takes();
                self.write_at = Some(self.write_at.map_or(due, |earlier| earlier.min(due)));
            }
            Some(Urgency::Soon) => {
                self.write_at.get_or_insert(at + COMPANY.as_millis() as Ms);
            }
            None => {}
        }
    }

    /// Looks at the clocks, for something is about to happen to them or to us.
    pub(super) fn before_standstill<H: Household>(&mut self, outside: &mut Outside<H>, at: Ms) {
        self.turn(outside, at, Happening::Nothing);
        let now = outside.machine.now(at);
        self.standstill.wake(now, || Some(outside.machine.asleep()));
        let deadline = self.engine.next_deadline().map(|(at, _)| at);
        self.standstill.sleep(deadline, self.checks_under_way > 0);
    }

    fn handle_event<H: Household>(
        &mut self,
        outside: &mut Outside<H>,
        at: Ms,
        now: Now,
        event: Event,
    ) {
        match event {
            Event::CheckEnds(under_way) => self.check_ends(outside, at, now, *under_way),
            Event::MailTaken(number) => self.mail_taken(outside, at, number),
            Event::MailEnds(number, delivery) => {
                self.conversation_ends(outside, at, now, number, delivery);
            }
            Event::Seen(report) => self.seen(outside, at, now, report),
        }
    }

    fn later(&mut self, at: Ms, event: Event) {
        self.sequence += 1;
        self.events.insert((at, self.sequence), event);
    }
}

/// What the engine wants done.
impl Daemon {
    pub(super) fn act<H: Household>(&mut self, outside: &mut Outside<H>, at: Ms, now: Now) {
        self.keep(outside, at, now);
        loop {
            let engine = &mut self.engine;
            let action = outside.effort.spend(Part::Engine, || engine.poll_action());
            match action {
                Some(Action::Probe(probe)) => self.probe(outside, at, now, &probe),
                Some(Action::Look(look)) => self.look(outside, at, &look),
                Some(Action::Send(mail)) => {
                    if let Some(release) = self.commits.send_when_kept(mail, now.at) {
                        self.release(outside, at, now, release);
                    }
                }
                Some(Action::Rehearse(_)) => {
                    self.mailer.add(Job::Rehearsal);
                    self.go_on_mailing(outside, at, now);
                }
                Some(Action::Log(event)) => self.said(outside, at, event),
                Some(Action::CheckLog(_)) => {}
                None => break,
            }
        }
        if let Some(ended) = self.ended.take() {
            outside.checked(ended.app, Checked { outcome: None, ..ended.check });
        }
    }

    fn keep<H: Household>(&mut self, outside: &mut Outside<H>, at: Ms, now: Now) {
        let engine = &mut self.engine;
        let records = outside.effort.spend(Part::Engine, || engine.take_records(now));
        if !records.is_empty() {
            outside.kept(at, &records);
            let commits = &mut self.commits;
            outside.effort.spend(Part::Journal, || commits.keep(&records));
        }
    }

    fn said<H: Household>(&mut self, outside: &mut Outside<H>, at: Ms, event: LogEvent) {
        match &event {
            LogEvent::LooksAround { .. } => self.waiting.extend(self.ended.take()),
            LogEvent::Commanded { app, .. } => self.waits_no_longer(outside, app),
            LogEvent::Checked { app, outcome, .. }
                if let Some(id) = outside.recorder.reporter(app) =>
            {
                match self.judged_report(id, at, *outcome) {
                    Some(report) => outside.checked(Some(id), report),
                    None => outside.recorder.late(at, id, *outcome),
                }
            }
            LogEvent::Checked { app, outcome, .. } => {
                let waited = self.take_waiting(outside, app);
                if let Some(mut ended) = waited.or_else(|| self.ended.take()) {
                    ended.check.outcome = Some(*outcome);
                    let id = ended.app.filter(|id| outside.recorder.name_of(*id) == app);
                    let id = id.or_else(|| outside.recorder.id_of(app));
                    outside.checked(id, ended.check);
                }
            }
            LogEvent::StateChanged { app, to, .. } => outside.shows(at, app, *to),
            _ => {}
        }
        outside.chronicle.said(at, event);
    }

    fn release<H: Household>(
        &mut self,
        outside: &mut Outside<H>,
        at: Ms,
        now: Now,
        release: Release<u64>,
    ) {
        match release {
            Release::Answer(number, kept) => outside.clients.answered(at, number, kept.is_ok()),
            Release::Mail(mail) => self.send(outside, at, now, &mail),
        }
    }

    fn carry_out<H: Household>(
        &mut self,
        outside: &mut Outside<H>,
        at: Ms,
        now: Now,
        mut call: Call,
    ) {
        let done = commands::carry_out(&mut self.engine, now, call.command.clone());
        match done {
            Ok(done) => {
                if let (Command::Monitor(registration), About::AppName(name)) =
                    (&mut call.command, &done.about)
                {
                    registration.name.clone_from(name);
                }
                let id = call.app;
                outside.recorder.asked(at, &call.command, done.result);
                let is_registration = matches!(call.command, Command::Monitor(_));
                let number = outside.clients.carried_out(call);
                outside.follow(at, id);
                if is_registration {
                    outside.recorder.called(at, id);
                    outside.shows_now(at, id, &self.engine, now);
                }
                self.keep(outside, at, now);
                if !self.commits.must_hold(number, now.at) {
                    outside.clients.answered(at, number, true);
                }
            }
            Err(why) => {
                outside.recorder.refused(at, &call.command);
                outside.chronicle.happened(at, format!("a call is refused: {why:?}"));
            }
        }
    }
}

/// Checks.
impl Daemon {
    fn probe<H: Household>(&mut self, outside: &mut Outside<H>, at: Ms, now: Now, probe: &Probe) {
        let url = &*asked_at(&probe.kind);
        let limit = probe.limit();
        let Outside { effort, house, .. } = outside;
        let mut reply = effort.spend(Part::House, || house.answer(Question { url, at, limit }));
        let url = outside.check_begins(at, url);
        let (end, took) = self.ends.of(probe, &mut reply, outside.machine.shows(at));
        self.checks_under_way += 1;
        let under_way = UnderWay {
            check: probe.id,
            url,
            begun: at,
            begun_at: now.at,
            end,
            causes: reply.causes,
        };
        self.later(at + took.as_millis() as Ms, Event::CheckEnds(Box::new(under_way)));
    }

    fn check_ends<H: Household>(
        &mut self,
        outside: &mut Outside<H>,
        at: Ms,
        now: Now,
        under_way: UnderWay,
    ) {
        if self.ended.is_some() {
            // What the one says that ended before it in this turn comes first.
            self.act(outside, at, now);
        }
        let UnderWay { check: number, url, begun, begun_at, end, causes } = under_way;
        self.checks_under_way -= 1;
        let app = outside.check_ended(url);
        let refused = matches!(&end, CheckEnd::Verdict(verdict) if verdict.refused);
        let silent = matches!(&end, CheckEnd::Verdict(verdict)
            if verdict.outcome == Outcome::Fail && verdict.life != Life::Answer);
        let dead = matches!(&end, CheckEnd::Verdict(verdict)
            if verdict.outcome == Outcome::Fail && !verdict.life.is_shown());
        let check = Checked { begun, ended: at, outcome: None, refused, silent, dead, causes };
        self.ended = Some(Ended { app, check });
        let mut end = end;
        if let CheckEnd::Verdict(verdict) = &mut end
            && !verdict.life.is_shown()
            && outside.house.is_without_carrier(at)
        {
            // As the prober sees it, when the check has failed.
            verdict.life = Life::CutOff;
            outside.recorder.cut_off(at);
        }
        if let CheckEnd::Verdict(verdict) = &mut end {
            let is_public = outside.urls.is_public(url);
            verdict.whereabouts = is_public.then_some(Whereabouts::Public);
        }
        let ran = Ran { began: begun_at, latency: now.at.since(begun_at) };
        let engine = &mut self.engine;
        outside.effort.spend(Part::Engine, || engine.handle_check(now, number, end, ran));
    }
}

/// The disk.
impl Daemon {
    fn write<H: Household>(&mut self, outside: &mut Outside<H>, at: Ms, now: Now) {
        self.write_at = None;
        let writer = &mut self.writer;
        let report = outside.effort.spend(Part::Journal, || writer.write());
        let Some(report) = report else { return };
        for release in self.take_note(outside, &report, now) {
            self.release(outside, at, now, release);
        }
    }

    fn take_note<H: Household>(
        &mut self,
        outside: &mut Outside<H>,
        report: &SyncReport,
        now: Now,
    ) -> Vec<Release<u64>> {
        if report.outcome.is_ok() {
            outside.ledger.synced();
        }
        self.commits.handle_report(report, now.at)
    }

    /// Whether it may end.
    pub(super) fn is_idle(&self) -> bool {
        !self.engine.is_sending() && !self.commits.owes_answers()
    }

    /// It is told to stop.
    pub(super) fn stop(&mut self, at: Ms) {
        self.stops_by = Some(at + LAST_WORK_WITHIN);
    }

    /// It ends in order. What it knew, if all of that is on disk.
    pub(super) fn end<H: Household>(
        mut self,
        outside: &mut Outside<H>,
        at: Ms,
    ) -> Option<Vec<Record>> {
        let now = outside.machine.now(at);
        self.engine.handle_clock(now, Duration::ZERO);
        self.engine.handle_stop(now);
        self.act(outside, at, now);
        self.commits.snapshot(&self.engine, now);
        let mut kept = false;
        while self.writer.gather().is_some() {
            let report = self.writer.write()?;
            kept = report.snapshot.as_ref().is_some_and(Result::is_ok) && report.outcome.is_ok();
            self.take_note(outside, &report, now);
        }
        kept.then(|| self.engine.snapshot(now))
    }
}

/// What befalls the process.
impl Daemon {
    /// The machine sleeps from `at` to `until`: whatever is under way breaks off.
    pub(super) fn sleep(&mut self, at: Ms, until: Ms, absence: CauseId) {
        let awake = until + BREAKS_OFF_AFTER;
        for ((due, number), event) in std::mem::take(&mut self.events) {
            let slept = due > at;
            match event {
                Event::CheckEnds(mut check) if slept => {
                    check.end = broken_check();
                    check.causes.push(absence);
                    self.events.insert((awake, number), Event::CheckEnds(check));
                }
                Event::MailTaken(conversation) if slept => {
                    self.conversations.entry(conversation).and_modify(|it| it.broken = true);
                }
                Event::MailEnds(conversation, delivery) if slept => {
                    let delivery =
                        if delivery == Delivery::Accepted { broken_off() } else { delivery };
                    self.events.insert((awake, number), Event::MailEnds(conversation, delivery));
                }
                event => _ = self.events.insert((due, number), event),
            }
        }
        self.write_at = self.write_at.map(|due| due + (until - at));
        self.mailer_due = self.mailer_due.map(|due| due + (until - at));
        self.frozen_until = Some(until);
    }

    /// The process stands still from now on; its sockets and clocks do not.
    pub(super) fn stand_still(&mut self, until: Ms, absence: CauseId) {
        for event in self.events.values_mut() {
            if let Event::CheckEnds(check) = event {
                check.causes.push(absence);
            }
        }
        self.frozen_until = Some(until);
    }
}
