//! A simulated household: apps that answer as told, a mail server with moods, and a clock that
//! jumps straight to the next thing that happens.

#[path = "world/looks.rs"]
mod looks;

use std::collections::{BTreeMap, HashMap};
use std::time::Duration;

use healthchecker::daemon::journal::records;
use healthchecker::daemon::mailer::classify::{Stage, classify};
use healthchecker::engine::check_log::Line;
use healthchecker::engine::core::{Action, CommandError, Engine, Options, Registered, Wait};
use healthchecker::engine::log_event::LogEvent;
use healthchecker::engine::outbox::Policy;
use healthchecker::engine::outbox::delivery::Delivery;
use healthchecker::engine::outbox::letter::{RenderedMail, write};
use healthchecker::engine::outbox::mail::Mail;
use healthchecker::engine::outbox::notice::Notice;
use healthchecker::engine::recipients::{Recipient, Recipients};
use healthchecker::engine::record::Record;
use healthchecker::engine::registration::{Origin, QuietTimes, Registration};
use healthchecker::engine::scheduler::Ran;
use healthchecker::engine::state::State;
use healthchecker::engine::surroundings::look::{LookReport, Sight};
use healthchecker::engine::time::{Moment, Now, Wall, Zone};
use healthchecker::engine::verdict::answer::{CheckEnd, Life, Outcome, Verdict};
use healthchecker::engine::verdict::probe::{Probe, ProbeKind};

use looks::{anchors, from_outside, is_our_name, is_outside};

/// How an app answers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Answer {
    Pass,
    Warn,
    Fail,
    Refused,
    /// Accepts, and never answers.
    Hang,
    /// Passes, slowly.
    Slow(u64),
    /// Passes, after so many milliseconds at least and at most: another time each time.
    Between(u64, u64),
    NoVerdict,
    /// Did not answer, and our own thread came so many milliseconds too late to notice.
    Overslept(u64),
}

/// What the mail server says to the next mails.
#[derive(Clone, Debug)]
pub(super) enum Mood {
    Accepts,
    Away,
    RefusesLogin,
    Rejects(Recipient),
    /// Answers so.
    Replies(Stage, u16, &'static str),
    /// A filter that takes no letter with this in it.
    Filters(&'static str),
    /// Takes the mail, but its 250 is lost.
    Loses250,
}

enum Event {
    Report { check: u64, app: String, end: CheckEnd, latency: Duration },
    Delivered(u64, Delivery),
    Rehearsed(Delivery),
    Seen(LookReport),
}

pub(super) struct World {
    pub(super) engine: Engine,
    pub(super) now: Now,
    pub(super) mood: Mood,
    /// What arrived, in order.
    pub(super) inbox: Vec<(u64, Mail)>,
    /// Milliseconds of a conversation with the mail server.
    pub(super) mail_takes: u64,
    /// When a mail was tried (ms).
    pub(super) tries: Vec<u64>,
    /// When the mail server was asked whether it would take our mails (ms).
    pub(super) rehearsals: Vec<u64>,
    /// What was logged.
    pub(super) notes: Vec<LogEvent>,
    /// Whether a daemon that starts finds settings for mail.
    pub(super) mailing: bool,
    /// From the next start on.
    pub(super) mail_without_clock: bool,
    /// Whether people are reminded, from the next start on.
    pub(super) reminders: bool,
    /// What is quiet for all, from the next start on,
    pub(super) quiet: QuietTimes,
    /// in this local time.
    pub(super) zone: Zone,
    /// Where a daemon that starts lets mail go.
    pub(super) recipients: Recipients,
    /// Every check: when (ms), which app.
    pub(super) checks: Vec<(u64, String)>,
    /// How many checks of an app are under way, by the host that they ask.
    under_way: HashMap<String, usize>,
    /// The most that ever were of one.
    pub(super) most_at_once: usize,
    answers: HashMap<String, Answer>,
    events: BTreeMap<(u64, u64), Event>,
    sequence: u64,
    pub(super) registrations: HashMap<String, Vec<(String, String)>>,
    /// What is on disk: a JSON text for each turn of the engine that had something to keep.
    pub(super) journal: Vec<String>,
    /// What the engine held after each of those turns, for the tests that ask for it.
    pub(super) held: Option<Vec<Vec<Record>>>,
    /// How often the machine was booted.
    boots: usize,
    /// Our own network is down, and it can be seen.
    pub(super) cut_off: bool,
    /// Nothing on another machine answers, though we have a link.
    pub(super) deaf: bool,
    /// The line is down: whoever is `.example` does not answer, nor anything well-known outside.
    pub(super) offline: bool,
    /// Nothing well-known outside answers, though the line is up.
    pub(super) anchors_are_silent: bool,
    /// How the gateway is seen.
    pub(super) gateway: Sight,
    /// The kernel has not found out yet that a router is silent at the link.
    pub(super) link_is_slow: bool,
    /// What is seen in a look is never reported.
    pub(super) looks_are_lost: bool,
    /// Every look: when (ms), and who was asked.
    pub(super) looks: Vec<(u64, Vec<String>)>,
    /// How often the engine was woken for what is around it.
    pub(super) woken_to_look: usize,
    /// The wall clock was set, or the machine has slept.
    pub(super) clock_moved: bool,
    /// The system knows that a time server has set the clock.
    pub(super) synchronised: bool,
    /// The health check log.
    pub(super) check_log: Vec<Line>,
}

/// The verdict on an app that hangs.
const NO_ANSWER: &str = "no answer";
/// How long things settle after a boot.
const SETTLE: Duration = Duration::from_secs(600);
/// Milliseconds that an app on the LAN takes to answer.
const LATENCY: u64 = 5;
/// As many checks at once as the daemon makes unless told otherwise.
const WORKERS: usize = 36;
/// Ten thousand apps that are due together take some hundred turns.
const MOST_TURNS_AT_ONCE: usize = 1000;

impl World {
    pub(super) fn new() -> World {
        World::with_workers(WORKERS)
    }

    pub(super) fn with_workers(workers: usize) -> World {
        let recipients = Recipients::new(Vec::new(), &[]);
        let mail = Policy { mailing: true, mail_without_clock: false, recipients };
        let options = Options {
            mail,
            workers,
            seed: 7,
            boot_id: Some("boot0".to_owned()),
            settle: SETTLE,
            anchors: anchors(),
            reminders: false,
            quiet: QuietTimes::default(),
            zone: Zone::UTC,
        };
        World {
            engine: Engine::new(options),
            now: Now { at: Moment::START, wall: Wall::from_unix_millis(1_795_474_540_000) },
            mood: Mood::Accepts,
            inbox: Vec::new(),
            mail_takes: 50,
            tries: Vec::new(),
            rehearsals: Vec::new(),
            notes: Vec::new(),
            mailing: true,
            mail_without_clock: false,
            reminders: false,
            quiet: QuietTimes::default(),
            zone: Zone::UTC,
            recipients: Recipients::new(Vec::new(), &[]),
            checks: Vec::new(),
            under_way: HashMap::new(),
            most_at_once: 0,
            answers: HashMap::new(),
            events: BTreeMap::new(),
            sequence: 0,
            registrations: HashMap::new(),
            journal: Vec::new(),
            held: None,
            boots: 0,
            cut_off: false,
            deaf: false,
            offline: false,
            anchors_are_silent: false,
            gateway: Sight::Answers,
            link_is_slow: false,
            looks_are_lost: false,
            looks: Vec::new(),
            woken_to_look: 0,
            clock_moved: false,
            synchronised: false,
            check_log: Vec::new(),
        }
    }

    /// Registers `name` at `http://NAME/` with further parameters; it passes unless told otherwise.
    pub(super) fn register(&mut self, name: &str, parameters: &[(&str, &str)]) {
        self.try_register(name, parameters).unwrap();
    }

    /// The same, where it may be refused.
    pub(super) fn try_register(
        &mut self,
        name: &str,
        parameters: &[(&str, &str)],
    ) -> Result<Registered, CommandError> {
        let mut fields = vec![
            ("appname".to_owned(), name.to_owned()),
            ("url".to_owned(), format!("http://{}/", name.to_lowercase())),
            ("email".to_owned(), "owner@example.org".to_owned()),
        ];
        for (field, value) in parameters {
            fields.retain(|(known, _)| known != field);
            fields.push(((*field).to_owned(), (*value).to_owned()));
        }
        self.registrations.insert(name.to_owned(), fields);
        self.try_again(name)
    }

    /// An app on the daemon's own machine, asked every half minute.
    pub(super) fn register_own(&mut self, name: &str, url: &str) {
        let app = Registration::plain(name.to_owned(), url, "/health", Origin::OwnMachine);
        let mut app = app.unwrap();
        app.set_default_email(&[Recipient::mail("owner@example.org")]);
        self.engine.register(self.now, app).unwrap();
        self.act();
    }

    pub(super) fn register_again(&mut self, name: &str) {
        self.try_again(name).unwrap();
    }

    fn try_again(&mut self, name: &str) -> Result<Registered, CommandError> {
        let fields = self.registrations[name].clone();
        let registration =
            Registration::from_fields(&fields, Origin::Network, &self.recipients).unwrap();
        let end = self.engine.register(self.now, registration);
        self.act();
        end
    }

    pub(super) fn answers(&mut self, name: &str, answer: Answer) {
        self.answers.insert(name.to_lowercase(), answer);
    }

    pub(super) fn pause(&mut self, name: &str) {
        self.engine.pause(self.now, name).unwrap();
        self.act();
    }

    /// Has nobody told of it for so many seconds.
    pub(super) fn quiet_for(&mut self, name: &str, seconds: u64) {
        self.engine.pause_for(self.now, name, Duration::from_secs(seconds)).unwrap();
        self.act();
    }

    pub(super) fn resume(&mut self, name: &str) {
        self.engine.resume(self.now, name).unwrap();
        self.act();
    }

    pub(super) fn stop(&mut self, name: &str) {
        self.engine.stop(self.now, name).unwrap();
        self.act();
    }

    pub(super) fn state(&self, name: &str) -> State {
        self.engine.view().info(self.now, name).unwrap().app.state
    }

    /// Lets time pass.
    pub(super) fn pass(&mut self, span: Duration) {
        let until = self.now.at + span;
        let mut turns_at_once = 0;
        while let Some(next) = self.next_event().filter(|next| *next <= until) {
            turns_at_once = if next > self.now.at { 0 } else { turns_at_once + 1 };
            assert!(turns_at_once < MOST_TURNS_AT_ONCE, "it does not sleep: {next:?}");
            self.advance(next);
            self.step();
        }
        self.advance(until);
    }

    pub(super) fn seconds(&mut self, seconds: u64) {
        self.pass(Duration::from_secs(seconds));
    }

    /// Lets time pass until `name` was checked once more and the verdict is in.
    pub(super) fn one_check(&mut self, name: &str) {
        let checks = |world: &World| {
            let info = world.engine.view().info(world.now, name).unwrap();
            info.app.last_check.map(|last| last.time)
        };
        let before = checks(self);
        let deadline = self.now.at + Duration::from_secs(700);
        while checks(self) == before {
            let next = self.next_event().filter(|next| *next <= deadline).expect("no check came");
            self.advance(next);
            self.step();
        }
    }

    /// Lets time pass until an app at this host is asked once more.
    pub(super) fn one_check_begins(&mut self, host: &str) {
        let before = self.checks.len();
        while !self.checks[before..].iter().any(|(_, asked)| asked == host) {
            self.pass(Duration::from_millis(100));
        }
    }

    /// Somebody sets the wall clock.
    pub(super) fn set_clock(&mut self, wall: Wall) {
        self.now.wall = wall;
        self.clock_moved = true;
        self.look_at_the_clock(Duration::ZERO);
    }

    /// As the event loop does at the begin of each turn.
    fn look_at_the_clock(&mut self, slept: Duration) {
        self.engine.handle_clock(self.now, slept);
        if self.engine.asks_for_time_server(self.now.at) && self.synchronised {
            self.engine.handle_synchronised(self.now);
        }
    }

    /// The machine sleeps; its monotonic clock does, too.
    pub(super) fn sleep(&mut self, span: Duration) {
        let ms = self.now.wall.as_unix_millis() + span.as_millis() as i64;
        self.now.wall = Wall::from_unix_millis(ms);
        self.clock_moved = true;
        self.look_at_the_clock(span);
    }

    /// What arrived, in short: `a@b.c: Kodi UNHEALTHY`, the address left out for the owner.
    pub(super) fn mails(&self) -> Vec<String> {
        self.inbox.iter().map(|(_, mail)| in_short(mail)).collect()
    }

    /// The mail of this number, as it was when it was sent.
    pub(super) fn letter(&self, number: usize) -> RenderedMail {
        let (at, mail) = &self.inbox[number];
        write(mail, Moment::from_millis(*at), self.engine.zone(), None)
    }

    /// How many mails are in the outbox for each person.
    pub(super) fn waiting_for_each(&self) -> BTreeMap<Recipient, usize> {
        let mut count = BTreeMap::new();
        for record in self.engine.snapshot(self.now) {
            if let Record::Mail(mail) = record {
                *count.entry(mail.to).or_default() += 1;
            }
        }
        count
    }

    fn next_event(&self) -> Option<Moment> {
        let event = self.events.keys().next().map(|(at, _)| Moment::from_millis(*at));
        [self.engine.next_deadline().map(|(at, _)| at), event].into_iter().flatten().min()
    }

    fn advance(&mut self, to: Moment) {
        let span = to.since(self.now.at).as_millis() as i64;
        self.now.at = self.now.at.max(to);
        self.now.wall = Wall::from_unix_millis(self.now.wall.as_unix_millis() + span);
    }

    fn step(&mut self) {
        self.look_at_the_clock(Duration::ZERO);
        let due = self.engine.next_deadline().filter(|(at, _)| *at <= self.now.at);
        self.woken_to_look += usize::from(matches!(due, Some((_, Wait::Surroundings))));
        self.engine.handle_time(self.now);
        self.act();
        while let Some(entry) =
            self.events.first_entry().filter(|e| e.key().0 <= self.now.at.as_millis())
        {
            match entry.remove() {
                Event::Report { check, app, end, latency } => {
                    *self.under_way.entry(app).or_default() -= 1;
                    let ran = Ran::until(self.now.at, latency);
                    self.engine.handle_check(self.now, check, end, ran);
                }
                Event::Delivered(id, delivery) => {
                    self.engine.handle_delivery(self.now, id, delivery)
                }
                Event::Rehearsed(outcome) => self.engine.handle_rehearsal(self.now, outcome),
                Event::Seen(report) => self.engine.handle_look(self.now, &report),
            }
            self.act();
        }
    }

    /// Ends in an orderly way.
    pub(super) fn orderly_stop(&mut self) {
        self.engine.handle_stop(self.now);
        self.act();
    }

    /// Who is told of an app now, as `info` says.
    pub(super) fn told(&self, app: &str) -> Vec<String> {
        let info = serde_json::to_value(self.engine.view().info(self.now, app).unwrap()).unwrap();
        serde_json::from_value(info["email"].clone()).unwrap()
    }

    /// Pulls the plug: what is on its way is lost, the disk stays. Then starts again.
    pub(super) fn restart(&mut self) {
        self.restart_at(self.now.wall);
    }

    /// The machine has no power for `away`; then it boots, and so do we.
    pub(super) fn power_cut(&mut self, away: Duration) {
        self.advance(self.now.at + away);
        self.boot_at(self.now.wall);
    }

    /// The machine boots, and its clock shows `wall` then.
    pub(super) fn boot_at(&mut self, wall: Wall) {
        self.boots += 1;
        self.restart_at(wall);
    }

    /// Pulls the plug of the daemon alone, and the clock shows `wall` at the start.
    pub(super) fn restart_at(&mut self, wall: Wall) {
        self.clock_moved |= wall != self.now.wall;
        self.now.wall = wall;
        self.events.clear();
        self.under_way.clear();
        let records = self.on_disk();
        self.engine = Engine::new(Options {
            mail: Policy {
                mailing: self.mailing,
                mail_without_clock: self.mail_without_clock,
                recipients: self.recipients.clone(),
            },
            workers: WORKERS,
            seed: self.sequence,
            boot_id: Some(format!("boot{}", self.boots)),
            settle: SETTLE,
            anchors: anchors(),
            reminders: self.reminders,
            quiet: self.quiet.clone(),
            zone: self.zone.clone(),
        });
        self.engine.restore(self.now, records);
        self.look_at_the_clock(Duration::ZERO);
        self.act();
    }

    /// Every record that is on disk, oldest first.
    pub(super) fn on_disk(&self) -> Vec<Record> {
        let turns = self.journal.iter().map(|turn| records::<Record>(turn).unwrap());
        turns.flatten().collect()
    }

    /// Has the journal written anew, as it is when it has grown.
    pub(super) fn rewrite_journal(&mut self) {
        let snapshot = self.engine.snapshot(self.now);
        self.journal = vec![serde_json::to_string(&snapshot).unwrap()];
    }

    pub(super) fn act(&mut self) {
        let records = self.engine.take_records(self.now);
        if !records.is_empty() {
            self.journal.push(serde_json::to_string(&records).unwrap());
            if let Some(held) = &mut self.held {
                held.push(self.engine.snapshot(self.now));
            }
        }
        if self.engine.takes_rewriting(self.now) {
            self.rewrite_journal();
        }
        while let Some(action) = self.engine.poll_action() {
            match action {
                Action::Probe(probe) => self.probe(&probe),
                Action::Look(look) => self.look(&look),
                Action::Send(mail) => self.send(mail),
                Action::Rehearse(_) => self.rehearse(),
                Action::Log(note) => self.notes.push(note),
                Action::CheckLog(line) => self.check_log.push(line),
            }
        }
    }

    fn probe(&mut self, probe: &Probe) {
        let name = match &probe.kind {
            ProbeKind::Http(request) => {
                request.url.trim_start_matches("http://").split('/').next().unwrap().to_owned()
            }
            ProbeKind::Tcp { host, .. } | ProbeKind::Ping { host } => host.to_string(),
        };
        let answer = self.answers.get(&name).copied().unwrap_or(Answer::Pass);
        let under_way = self.under_way.entry(name.clone()).or_default();
        *under_way += 1;
        self.most_at_once = self.most_at_once.max(*under_way);
        self.checks.push((self.now.at.as_millis(), name.clone()));
        let limit = probe.limit().as_millis() as u64;
        let latency = match answer {
            Answer::Hang | Answer::Overslept(_) => u64::MAX,
            Answer::Slow(ms) => ms,
            Answer::Between(least, most) => {
                let chance = probe.id.wrapping_mul(0x9e37_79b9_7f4a_7c15);
                least + chance % most.saturating_sub(least).max(1)
            }
            _ => LATENCY,
        };
        let end = if latency > limit && probe.has_short_timeout() {
            CheckEnd::CutShort
        } else if latency > limit {
            verdict(Outcome::Fail, NO_ANSWER, false)
        } else {
            match answer {
                Answer::Pass
                | Answer::Slow(_)
                | Answer::Between(..)
                | Answer::Hang
                | Answer::Overslept(_) => verdict(Outcome::Pass, "HTTP 200 OK", false),
                Answer::Warn => verdict(Outcome::Warn, "the app says warn", false),
                Answer::Fail => verdict(Outcome::Fail, "HTTP 503 Service Unavailable", false),
                Answer::Refused => verdict(Outcome::Fail, "connection refused", true),
                Answer::NoVerdict => {
                    CheckEnd::NoVerdict { reason: "the clock is not set".to_owned() }
                }
            }
        };
        let is_ours = name.starts_with("127.") || is_our_name(&name);
        let (end, latency) = match () {
            () if is_ours => (end, latency),
            () if self.cut_off => (cut_off(), latency),
            () if self.deaf => (verdict(Outcome::Fail, NO_ANSWER, false), u64::MAX),
            () if self.offline && is_outside(&name) => {
                (verdict(Outcome::Fail, NO_ANSWER, false), u64::MAX)
            }
            () => (end, latency),
        };
        let end = if is_outside(&name) { from_outside(end) } else { end };
        let late = if let Answer::Overslept(ms) = answer { ms } else { 0 };
        let latency = latency.min(limit) + late;
        let took = Duration::from_millis(latency);
        self.later(latency, Event::Report { check: probe.id, app: name, end, latency: took });
    }

    fn send(&mut self, mail: Mail) {
        let delivery = match &self.mood {
            Mood::Accepts => Delivery::Accepted,
            Mood::Away => Delivery::Later("connection refused".to_owned()),
            Mood::RefusesLogin => Delivery::Settings("535 5.7.8".to_owned()),
            Mood::Rejects(to) if *to == mail.to => Delivery::Rejected("550 5.1.1".to_owned()),
            Mood::Rejects(_) => Delivery::Accepted,
            Mood::Replies(stage, code, reply) => classify(*stage, *code, reply),
            Mood::Filters(bad) => {
                let letter = write(&mail, self.now.at, self.engine.zone(), None);
                if letter.subject.contains(bad) || letter.text.contains(bad) {
                    classify(Stage::Message, 554, "5.7.1 looks like spam")
                } else {
                    Delivery::Accepted
                }
            }
            Mood::Loses250 => Delivery::Later("the connection was reset".to_owned()),
        };
        let id = mail.id;
        self.tries.push(self.now.at.as_millis());
        if delivery == Delivery::Accepted || matches!(self.mood, Mood::Loses250) {
            self.inbox.push((self.now.at.as_millis(), mail));
        }
        self.later(self.mail_takes, Event::Delivered(id, delivery));
    }

    /// The mail server is asked whether it would take our mails, as at each start.
    pub(super) fn rehearse(&mut self) {
        let outcome = match &self.mood {
            Mood::Accepts | Mood::Rejects(_) | Mood::Filters(_) => Delivery::Accepted,
            Mood::Away | Mood::Loses250 => Delivery::Later("connection refused".to_owned()),
            Mood::RefusesLogin => Delivery::Settings("535 5.7.8".to_owned()),
            Mood::Replies(stage, code, reply) => classify(*stage, *code, reply),
        };
        self.rehearsals.push(self.now.at.as_millis());
        self.later(self.mail_takes, Event::Rehearsed(outcome));
    }

    fn later(&mut self, ms: u64, event: Event) {
        self.sequence += 1;
        self.events.insert((self.now.at.as_millis() + ms, self.sequence), event);
    }
}

fn verdict(outcome: Outcome, reason: &str, refused: bool) -> CheckEnd {
    let http_status = (!refused && reason != NO_ANSWER).then_some(200);
    CheckEnd::Verdict(Verdict {
        outcome,
        http_status,
        reason: reason.to_owned(),
        refused,
        life: match reason {
            NO_ANSWER => Life::Nothing,
            _ if refused => Life::HostOnly,
            _ => Life::Answer,
        },
        whereabouts: None,
        certificate: None,
        body: None,
    })
}

/// What comes of a check without a network.
fn cut_off() -> CheckEnd {
    CheckEnd::Verdict(Verdict {
        outcome: Outcome::Fail,
        http_status: None,
        reason: "network is unreachable".to_owned(),
        refused: false,
        life: Life::CutOff,
        whereabouts: None,
        certificate: None,
        body: None,
    })
}

pub(super) fn in_short(mail: &Mail) -> String {
    let told = mail.notices.iter().map(|notice| match notice {
        Notice::Change(change) if change.keeps_failing => format!("{} keeps failing", change.app),
        Notice::Change(change) => format!("{} {}", change.app, change.to.word()),
        Notice::Watching { apps, .. } => format!("watching {}", apps.join(", ")),
        Notice::Report(report) => {
            let missing = report.missing.iter().map(|it| it.app.as_str()).collect::<Vec<_>>();
            format!("{}/{} well, not {}", report.well, report.of, missing.join(", "))
        }
        Notice::Outage(outage) => {
            let silent = outage.apps().map(|it| it.app.as_str()).collect::<Vec<_>>();
            format!("{} silent", silent.join(", "))
        }
        Notice::AllBack(back) => format!("{} back", back.apps.join(", ")),
        Notice::Blind(blind) if blind.goes_on().is_some() => format!("nothing of {}", blind.of),
        Notice::Blind(blind) => {
            format!("{} gaps, {}/{}", blind.gaps.len(), blind.as_before, blind.of)
        }
        Notice::Test { .. } => "test".to_owned(),
    });
    let told = told.collect::<Vec<_>>().join(" + ");
    match mail.to.to_string().as_str() {
        "owner@example.org" => told,
        other => format!("{other}: {told}"),
    }
}
