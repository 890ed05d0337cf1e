//! The daemon's world: a household is lived through in virtual time, around the real engine, the real
//! journal and the real letters.
//!
//! [`live`] makes a [`Story`] for the judge, and holds the daemon to what it promised on the way: each
//! [`Finding`] is a fault, whatever the score.

mod certificates;
mod checks;
mod clients;
mod daemon;
mod effort;
mod finding;
mod household;
mod ledger;
mod machine;
mod mail_server;
mod outside;
mod recorder;
mod reports;
#[cfg(test)]
mod tests;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;

use healthchecker::daemon::commit_queue::CommitQueue;
use healthchecker::daemon::journal::{ByHand, Journal};
use healthchecker::daemon::names::Names;
use healthchecker::daemon::standstill::Standstill;
use healthchecker::engine::core::{Engine, Options};
use healthchecker::engine::outbox::Policy;
use healthchecker::engine::record::Record;
use healthchecker::engine::time::{Now, Zone};

use self::clients::call;
use self::daemon::{Daemon, Happening};
use self::outside::Outside;
use self::reports::OnItsWay;
use crate::deed::{Deed, DiskMood, Fate};
use crate::facts::facts;
use crate::house::anchors;
use crate::quick::earlier;
use crate::story::{Away, Ms, Span, Story};

pub(crate) use self::effort::{Effort, Part};
pub(crate) use self::finding::{Finding, clock};
pub(crate) use self::household::Household;

/// The daemon's own default.
const WORKERS: usize = 36;
/// How long things settle after a boot, as by default.
const SETTLE: Duration = Duration::from_secs(600);
/// Where the household lives: the clocks on its walls go forth and back.
const ZONE: &str = "CET-1CEST,M3.5.0,M10.5.0/3";
/// Any port.
const PORT: u16 = 8080;
/// More calls than a turn makes on the disk: the power goes at one of them.
const CALLS: u64 = 12;
/// A disk that is full takes no more than this.
const ROOM: u64 = 4_096;

/// What came of a story.
#[derive(Debug, Default)]
pub(crate) struct Lived {
    pub(crate) story: Story,
    pub(crate) findings: Vec<Finding>,
    /// Findings that are not told in full.
    pub(crate) more_findings: usize,
    pub(crate) effort: Effort,
}

/// Lives through a household for `length`.
pub(crate) fn live<H: Household>(seed: u64, length: Ms, house: H) -> Lived {
    let mut world = World::new(seed, house);
    let mut at = 0;
    let ended = catch_unwind(AssertUnwindSafe(|| world.live(length, &mut at)));
    if ended.is_err() {
        let what = "it panicked, and the story ends here; standard error says where".to_owned();
        world.outside.chronicle.found(at, "a panic", what);
    }
    world.told(seed, length)
}

struct World<H> {
    outside: Outside<H>,
    daemon: Option<Box<Daemon>>,
    /// When the daemon is back, and how, while there is none.
    back: Option<Back>,
    /// Reports that wait for an answer.
    on_their_way: Vec<OnItsWay>,
    /// What is done with it once it has stopped in order.
    stopping: Option<Fate>,
    /// What the last one knew that ended in order, and what its clock showed beside the truth.
    before: Option<Vec<Record>>,
    clock_moved: bool,
    runs: u64,
    /// How often the machine was booted.
    boots: u64,
    seed: u64,
}

/// How the daemon comes back.
#[derive(Clone, Copy, Debug)]
struct Back {
    at: Ms,
    /// The machine has booted, with its clock so far ahead of the truth.
    clock: Option<i64>,
}

impl<H: Household> World<H> {
    fn new(seed: u64, house: H) -> World<H> {
        World {
            outside: Outside::new(seed, house),
            daemon: None,
            back: Some(Back { at: 0, clock: Some(0) }),
            on_their_way: Vec::new(),
            stopping: None,
            before: None,
            clock_moved: false,
            runs: 0,
            boots: 0,
            seed,
        }
    }

    fn live(&mut self, length: Ms, at: &mut Ms) {
        loop {
            let own = self.daemon.as_ref().and_then(|daemon| daemon.next(&self.outside));
            let Some(next) = self.next(own).filter(|next| *next <= length) else { break };
            *at = next.max(*at);
            self.step(*at, own.is_some_and(|own| own <= *at));
        }
        *at = length;
        self.look_for_mails(length);
    }

    /// When something happens next; `own`: by the daemon itself.
    fn next(&self, own: Option<Ms>) -> Option<Ms> {
        let back = self.back.map(|back| back.at);
        let outside = earlier(self.outside.house.next(), self.outside.clients.next());
        earlier(earlier(own, back), outside)
    }

    /// All that is due; `own`: something of the daemon itself is.
    fn step(&mut self, at: Ms, own: bool) {
        if self.back.is_some_and(|back| back.at <= at) {
            self.start(at);
        } else if own {
            self.daemon_goes_on(at);
        }
        self.those_on_their_way(at);
        while self.outside.house.next().is_some_and(|next| next <= at) {
            if let Some((_, deed)) = self.outside.house.pop() {
                self.happens(at, &deed);
            }
        }
        while self.outside.clients.next().is_some_and(|next| next <= at) {
            self.somebody_calls(at);
        }
    }

    fn daemon_goes_on(&mut self, at: Ms) {
        let Some(daemon) = &mut self.daemon else { return };
        let happening = match daemon.frozen_until {
            Some(until) if until > at => return,
            Some(_) => Happening::Woke,
            None => Happening::Nothing,
        };
        daemon.frozen_until = None;
        daemon.turn(&mut self.outside, at, happening);
        if daemon.stops_by.is_some_and(|by| by <= at || daemon.is_idle()) {
            self.ends_in_order(at);
        }
    }

    fn somebody_calls(&mut self, at: Ms) {
        let Some(call) = self.outside.clients.pop() else { return };
        let is_cut_off = self.outside.house.is_cut_off(at);
        let listens = |daemon: &&mut Box<Daemon>| {
            daemon.frozen_until.is_none() && daemon.stops_by.is_none() && !is_cut_off
        };
        match self.daemon.as_mut().filter(listens) {
            Some(daemon) => daemon.turn(&mut self.outside, at, Happening::Called(call)),
            None => self.outside.clients.unheard(at, call),
        }
    }

    fn happens(&mut self, at: Ms, deed: &Deed) {
        if let Deed::Report { app, says, causes } = deed {
            return self.report(at, *app, *says, causes);
        }
        let outside = &mut self.outside;
        match deed {
            Deed::Register { app, .. } => {
                let name = outside.recorder.name_of(*app);
                outside.chronicle.happened(at, format!("app {} ({name}) registers", app.0));
            }
            other => outside.chronicle.happened(at, format!("{other:?}")),
        }
        let name = |app| outside.recorder.name_of(app).to_owned();
        match call(deed, name, &outside.recipients) {
            Ok(Some(call)) => return outside.clients.calls(at, call),
            Ok(None) => {}
            Err(why) => outside.chronicle.found(at, "the house's own fault", why),
        }
        match deed {
            Deed::Mail(mood) => outside.server.set_mood(*mood),
            Deed::Disk(mood) => self.disk_changes(*mood),
            Deed::ClockOff(ahead) => self.clock_is_set(at, *ahead),
            Deed::Ours(fate) => self.befalls(at, *fate),
            Deed::Report { .. }
            | Deed::Register { .. }
            | Deed::Pause(_)
            | Deed::Quiet { .. }
            | Deed::Resume(_)
            | Deed::Stop(_) => {}
        }
    }

    fn disk_changes(&mut self, mood: DiskMood) {
        let room = (mood == DiskMood::Full).then(|| self.outside.up_to(ROOM) as usize);
        self.outside.disk.set_room(room);
        let faults = if let DiskMood::Fails(percent) = mood { percent.into() } else { 0 };
        self.outside.disk.set_faults(faults);
    }

    fn clock_is_set(&mut self, at: Ms, ahead: i64) {
        self.clock_moved = true;
        let awake = self.daemon.as_mut().filter(|daemon| daemon.frozen_until.is_none());
        let Some(daemon) = awake else {
            self.outside.machine.set_clock(ahead);
            self.outside.recorder.clock_shows(self.outside.machine.shows(at));
            return;
        };
        daemon.before_standstill(&mut self.outside, at);
        self.outside.machine.set_clock(ahead);
        self.outside.recorder.clock_shows(self.outside.machine.shows(at));
        daemon.turn(&mut self.outside, at, Happening::Woke);
    }

    fn told(self, seed: u64, length: Ms) -> Lived {
        let World { outside, .. } = self;
        let Outside { house, recorder, mut chronicle, effort, .. } = outside;
        let (story, strangers) = recorder.story(seed, length, house.truth());
        for stranger in strangers {
            let what = format!("a mail went to {stranger}, whom nobody named");
            chronicle.found(length, "a mail to a stranger", what);
        }
        let (findings, more_findings) = chronicle.findings();
        Lived { story, findings, more_findings, effort }
    }
}

/// How the daemon begins and ends.
impl<H: Household> World<H> {
    fn befalls(&mut self, at: Ms, fate: Fate) {
        match fate {
            Fate::Killed { away } => {
                if self.daemon.is_some() {
                    self.breaks_off(at, false);
                    self.comes_back(at, away, None);
                }
            }
            Fate::PowerCut { away, clock_off_ms } => {
                self.breaks_off(at, true);
                self.comes_back(at, away, Some(clock_off_ms));
            }
            Fate::Restarted { .. } | Fate::ShutDown { .. } => {
                if let Some(daemon) = self.daemon.as_mut().filter(|it| it.stops_by.is_none()) {
                    daemon.stop(at);
                    self.stopping = Some(fate);
                    self.daemon_goes_on(at);
                }
            }
            Fate::Suspended { away } => self.freezes(at, away, true),
            Fate::StandsStill { away } => self.freezes(at, away, false),
        }
    }

    /// It ends without a word: killed, or the power goes.
    fn breaks_off(&mut self, at: Ms, power: bool) {
        self.stopping = None;
        self.before = None;
        if let Some(mut daemon) = self.daemon.take() {
            if daemon.writer.gather().is_some() {
                let calls = self.outside.up_to(CALLS) as usize;
                self.outside.disk.cut_power_after(calls);
                daemon.writer.write();
            }
            self.is_gone(at);
        }
        if power {
            self.outside.disk.power_cycle();
        } else {
            self.outside.disk.revive();
        }
    }

    fn ends_in_order(&mut self, at: Ms) {
        let (Some(daemon), Some(fate)) = (self.daemon.take(), self.stopping.take()) else { return };
        self.before = daemon.end(&mut self.outside, at);
        self.clock_moved = false;
        self.is_gone(at);
        match fate {
            Fate::ShutDown { away, clock_off_ms } => {
                self.outside.disk.power_cycle();
                self.comes_back(at, away, Some(clock_off_ms));
            }
            Fate::Restarted { away } | Fate::Killed { away } => self.comes_back(at, away, None),
            Fate::PowerCut { .. } | Fate::Suspended { .. } | Fate::StandsStill { .. } => {}
        }
    }

    fn is_gone(&mut self, at: Ms) {
        self.outside.clients.hung_up(at);
        self.outside.urls.forget();
        self.outside.recorder.run_ends(at);
    }

    fn comes_back(&mut self, at: Ms, away: Duration, clock: Option<i64>) {
        let back = at + away.as_millis() as Ms;
        let how = if clock.is_some() { Away::Booted } else { Away::Restarted };
        self.outside.recorder.absent(how, Span { from: at, until: Some(back) });
        self.clock_moved |= clock.is_some();
        // Cut off while it is away: the later end counts.
        let back = self.back.map_or(back, |earlier| earlier.at.max(back));
        self.back = Some(Back { at: back, clock });
    }

    fn freezes(&mut self, at: Ms, away: Duration, sleeps: bool) {
        let awake = self.daemon.as_mut().filter(|daemon| daemon.frozen_until.is_none());
        let Some(daemon) = awake.filter(|_| !away.is_zero()) else { return };
        daemon.before_standstill(&mut self.outside, at);
        let until = at + away.as_millis() as Ms;
        let how = if sleeps { Away::Slept } else { Away::StoodStill };
        let absence = self.outside.recorder.absent(how, Span { from: at, until: Some(until) });
        if sleeps {
            self.outside.machine.sleep(away);
            daemon.sleep(at, until, absence);
        } else {
            daemon.stand_still(until, absence);
        }
    }

    fn start(&mut self, at: Ms) {
        let Some(Back { clock, .. }) = self.back.take() else { return };
        if let Some(ahead) = clock {
            self.boots += 1;
            self.outside.machine.set_clock(ahead);
        }
        self.outside.machine.start_daemon(at);
        self.outside.recorder.clock_shows(self.outside.machine.shows(at));
        self.outside.recorder.run_begins(at);
        self.runs += 1;
        let opened = Journal::open_by_hand(self.outside.disk.clone());
        let ByHand { journal, writer, opened } = match opened {
            Ok(opened) => opened,
            Err(why) => {
                self.outside.chronicle.found(at, "it does not start", why.to_string());
                return;
            }
        };
        for warning in &opened.warnings {
            self.outside.chronicle.happened(at, format!("log: {warning}"));
        }
        let now = self.outside.machine.now(at);
        let mut engine = Engine::new(self.options());
        engine.restore(now, opened.batches.into_iter().flatten().collect());
        self.compare(at, now, &engine);
        let lost = if opened.lost { opened.warnings } else { Vec::new() };
        let names = Names::new(Arc::new(|_: &str| None), 1);
        let commits = CommitQueue::new(journal, PORT, names, lost);
        let standstill = Standstill::watch(now, Some(self.outside.machine.asleep()));
        let mut daemon = Box::new(Daemon::new(engine, commits, writer, standstill));
        daemon.begins(&mut self.outside, at);
        self.daemon = Some(daemon);
    }

    fn options(&self) -> Options {
        let mail = Policy {
            mailing: true,
            mail_without_clock: false,
            recipients: self.outside.recipients.clone(),
        };
        Options {
            mail,
            workers: WORKERS,
            seed: self.seed ^ (self.runs << 32),
            boot_id: Some(format!("boot {}", self.boots)),
            settle: SETTLE,
            anchors: anchors().map(|address| (address, 53).into()).to_vec(),
            reminders: self.outside.house.reminds(),
            quiet: self.outside.house.quiet().parse().expect("quiet times"),
            zone: Zone::from_posix(ZONE).expect("a rule"),
        }
    }

    /// What a daemon knows that has just started, against what was promised.
    fn compare(&mut self, at: Ms, now: Now, engine: &Engine) {
        let held = engine.snapshot(now);
        let mails = held.iter().filter_map(|record| match record {
            Record::Mail(mail) => Some(&**mail),
            _ => None,
        });
        for lost in self.outside.ledger.starts_with(at, mails) {
            self.outside.chronicle.found(at, "a mail is lost", lost);
        }
        let Outside { clients, recorder, .. } = &mut self.outside;
        let (wrong, known) = clients.compare(engine, now, |name| recorder.id_of(name));
        for wrong in wrong {
            self.outside.chronicle.found(at, "a registration is lost", wrong);
        }
        for (id, _) in known {
            self.outside.follow(at, id);
        }
        for record in &held {
            if let Record::App(app) = record {
                self.outside.shows(at, &app.registration.name, app.state);
            }
        }
        if let Some(before) = self.before.take() {
            let (before, after) =
                (facts(&before, self.clock_moved), facts(&held, self.clock_moved));
            let difference = before.iter().find(|fact| !after.contains(fact));
            let more = after.iter().find(|fact| !before.contains(fact));
            if difference.or(more).is_some() {
                let what = format!("before: {difference:?}; now: {more:?}");
                self.outside.chronicle.found(at, "an orderly stop changes something", what);
            }
        }
    }

    /// At the end of the story each mail that was promised is there, or has arrived.
    fn look_for_mails(&mut self, at: Ms) {
        let Some(daemon) = &self.daemon else { return };
        let now = self.outside.machine.now(at);
        let held = daemon.engine.snapshot(now);
        let mails = held.iter().filter_map(|record| match record {
            Record::Mail(mail) => Some(&**mail),
            _ => None,
        });
        for lost in self.outside.ledger.missing(mails) {
            self.outside.chronicle.found(at, "a mail is lost", lost);
        }
    }
}
