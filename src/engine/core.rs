//! The engine: what happens goes in, with the time; what is to be done comes out.
//!
//! The contract: call a `handle_*` method or a command, then [`Engine::poll_action`] until it
//! answers `None`, then sleep until [`Engine::next_deadline`] or the next event, whichever is first.

use std::collections::{BTreeMap, BTreeSet, HashMap, VecDeque};
use std::time::Duration;

use super::alerts::delivery::Delivery;
use super::alerts::notice::Mail;
use super::alerts::outbox::{Fate, Outbox};
use super::alerts::rates::Rates;
use super::alerts::recipients::Recipients;
use super::alerts::refusals::Refusals;
use super::alerts::rehearsal::Rehearsal;
use super::app::asking::Running;
use super::app::{App, AppId, Manner, Pace};
use super::chronicle::{Event, Line, SumsDue};
use super::record::keep::Changes;
use super::registration::Registration;
use super::registration::census::{Census, Full};
use super::registration::fields::FieldError;
use super::registration::name;
use super::schedule::lanes::Lanes;
use super::schedule::shortage::Shortage;
use super::schedule::wheel::TimerWheel;
use super::show::measure::Tallies;
use super::time::{Moment, Now, Stamp, Timeline};
use super::verdict::probe::Probe;
use super::words::note::Note;

/// Timers that fire in one turn, before the sockets are looked at again.
const TIMERS_A_TURN: usize = 64;
/// No more apps than this: the memory for them is in the budget.
pub const MOST_APPS: usize = 10_000;

/// What the engine needs to know of the settings.
#[derive(Clone, Debug)]
pub struct Options {
    /// Whether mail is sent at all.
    pub mailing: bool,
    /// Whether mail is sent while the clock is plainly wrong, too.
    pub mail_without_clock: bool,
    /// The most checks at once.
    pub workers: usize,
    /// Where mail may go.
    pub recipients: Recipients,
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
    /// Ask the mail server whether it would take a mail to each of these, without sending one, and
    /// report with [`Engine::handle_rehearsal`].
    Rehearse(Vec<String>),
    /// Write a line to the log.
    Log(Note),
    /// Write a line to the health check log.
    Chronicle(Line),
}

/// What a registration did.
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
pub enum Refusal {
    /// No app has this name.
    UnknownApp(String),
    /// No new app may have it.
    BadName(FieldError),
    /// There are [`MOST_APPS`] already.
    TooManyApps,
    /// All registrations together take too much.
    Full(Full),
    /// The app of this name is paused.
    Paused(String),
    /// No mail to this address was refused, or somebody has seen it.
    NothingRefused(String),
}

#[derive(Clone, Copy, Debug)]
pub(super) enum Timer {
    Check(AppId),
    Welcome,
    Mail(u64),
    Rehearsal,
    Tally,
    Shortage,
}

/// The household: every app, every mail, every deadline.
#[derive(Debug)]
pub struct Engine {
    pub(super) options: Options,
    pub(super) apps: HashMap<AppId, App>,
    pub(super) names: BTreeMap<String, AppId>,
    last_app: u64,
    pub(super) last_check: u64,
    pub(super) running: HashMap<u64, Running>,
    pub(super) lanes: Lanes<AppId>,
    pub(super) shortage: Shortage,
    /// When the turn began that is under way.
    pub(super) turn: Moment,
    pub(super) wheel: TimerWheel<Timer>,
    pub(super) census: Census,
    pub(super) outbox: Outbox,
    pub(super) rates: Rates,
    /// Mails that were refused for good, which somebody should see.
    pub(super) refusals: Refusals,
    pub(super) rehearsal: Rehearsal,
    pub(super) newcomers: BTreeSet<AppId>,
    pub(super) timeline: Timeline,
    /// It has been said that mails wait for the clock.
    pub(super) waits_for_clock: bool,
    /// The timer for the next tally runs.
    pub(super) tally_due: bool,
    pub(super) sums_due: SumsDue,
    pub(super) tallies: Tallies,
    pub(super) changes: Changes,
    pub(super) actions: VecDeque<Action>,
}

/// Commands: what apps and people ask for.
impl Engine {
    /// An engine that watches nothing yet.
    pub fn new(options: Options) -> Engine {
        Engine {
            lanes: Lanes::new(options.workers),
            outbox: Outbox::new(options.seed),
            rates: Rates::default(),
            refusals: Refusals::default(),
            options,
            apps: HashMap::new(),
            names: BTreeMap::new(),
            last_app: 0,
            last_check: 0,
            running: HashMap::new(),
            shortage: Shortage::default(),
            turn: Moment::default(),
            wheel: TimerWheel::default(),
            rehearsal: Rehearsal::default(),
            newcomers: BTreeSet::new(),
            timeline: Timeline::default(),
            census: Census::default(),
            changes: Changes::default(),
            waits_for_clock: false,
            tally_due: false,
            sums_due: SumsDue::default(),
            tallies: Tallies::default(),
            actions: VecDeque::new(),
        }
    }

    /// Registers an app, or changes what differs of one that is known.
    ///
    /// Only another address sets a known app back to UNKNOWN.
    ///
    /// # Errors
    /// There are too many apps, or they take too much together.
    pub fn register(
        &mut self,
        now: Now,
        registration: Registration,
    ) -> Result<Registered, Refusal> {
        let known = self.names.get(&registration.name).copied();
        if known.is_none() && self.apps.len() >= MOST_APPS {
            return Err(Refusal::TooManyApps);
        }
        let old = known.and_then(|id| self.apps.get(&id)).map(|app| &app.registration);
        let room = self.census.room_for(&registration, old, self.outbox.len());
        room.map_err(Refusal::Full)?;
        self.log(Note::Registered {
            app: registration.name.clone(),
            url: registration.health_url.clone(),
            new: known.is_none(),
        });
        Ok(match known {
            Some(id) => self.register_again(now, id, registration),
            None => self.register_new(now, registration),
        })
    }

    /// Stops checking an app until it is resumed. Pausing twice is pausing once.
    pub fn pause(&mut self, now: Now, name: &str) -> Result<(), Refusal> {
        let id = self.find(name)?;
        let Some(app) = self.apps.get_mut(&id) else { return Ok(()) };
        if let Some(due) = app.due() {
            self.wheel.cancel(due.timer);
            app.pace = Pace::Paused;
            self.void(id);
            self.reckon(id);
            self.changes.app(id);
            self.log(Note::Commanded { app: name.to_owned(), what: "paused" });
            self.chronicle(now, id, Event::Paused);
        }
        Ok(())
    }

    /// Checks a paused app again, from UNKNOWN. Resuming an app that is not paused changes nothing.
    pub fn resume(&mut self, now: Now, name: &str) -> Result<(), Refusal> {
        let id = self.find(name)?;
        if self.apps.get(&id).is_some_and(App::paused) {
            self.log(Note::Commanded { app: name.to_owned(), what: "resumed" });
            self.chronicle(now, id, Event::Resumed);
            self.forget(now, id, "resumed");
            self.begin(now, id);
            self.changes.app(id);
        }
        Ok(())
    }

    /// Asks an app at once, and again when it is due. One that is being asked is not asked twice.
    ///
    /// # Errors
    /// The name is unknown, or the app is paused.
    pub fn check(&mut self, now: Now, name: &str) -> Result<(), Refusal> {
        let id = self.find(name)?;
        match self.apps.get(&id) {
            Some(app) if app.paused() => return Err(Refusal::Paused(name.to_owned())),
            _ => self.ask_when_due(now, id, now.at),
        }
        Ok(())
    }

    /// Watches an app no longer. What is on its way in the outbox still goes out.
    pub fn stop(&mut self, now: Now, name: &str) -> Result<(), Refusal> {
        let id = self.find(name)?;
        let sum = self.sum_up(now.wall, id);
        self.actions.extend(sum.map(Action::Chronicle));
        self.chronicle(now, id, Event::Stopped);
        self.leave_behind(id);
        self.names.remove(name);
        self.newcomers.remove(&id);
        self.changes.stopped(name);
        if let Some(app) = self.apps.remove(&id) {
            self.census.remove(&app.registration);
            self.lanes.reckon(app.share, 0);
            if let Some(due) = app.due() {
                self.wheel.cancel(due.timer);
            }
        }
        self.log(Note::Commanded { app: name.to_owned(), what: "stopped, no longer watched" });
        Ok(())
    }

    /// Somebody has seen that mails to this address were refused for good. When none was, what waits
    /// for it is given up, if the server refuses the address without saying why.
    ///
    /// # Errors
    /// None was, and none waits so.
    pub fn seen(&mut self, address: &str) -> Result<(), Refusal> {
        if self.refusals.over(address) {
            self.changes.refusal(address);
            self.log(Note::RefusalSeen { to: address.to_owned() });
            return Ok(());
        }
        let given_up = self.outbox.give_up(address);
        if given_up.is_empty() {
            return Err(Refusal::NothingRefused(address.to_owned()));
        }
        for mail in given_up {
            self.tallies.mails_refused += 1;
            self.changes.mail_done(mail.id);
            self.refused(&mail);
            self.log(Note::MailGivenUp { to: mail.to });
        }
        Ok(())
    }

    fn register_new(&mut self, now: Now, registration: Registration) -> Registered {
        let id = self.new_id();
        let at = self.calm_soon(now);
        let due = self.first_check(id, None, at);
        let url = registration.health_url.clone();
        self.names.insert(registration.name.clone(), id);
        self.census.add(&registration);
        self.apps.insert(id, App::new(now, registration, due));
        self.take_up(id);
        self.chronicle(now, id, Event::Registered { url });
        self.changes.app(id);
        Registered::New
    }

    pub(super) fn new_id(&mut self) -> AppId {
        self.last_app += 1;
        AppId(self.last_app)
    }

    fn register_again(&mut self, now: Now, id: AppId, registration: Registration) -> Registered {
        let Some(app) = self.apps.get_mut(&id) else { return Registered::Unchanged };
        let moved = !app.registration.is_same_address(&registration);
        let repaced = app.registration.interval != registration.interval;
        let refuses = app.refuses();
        // At another address, too: who crashes at each start has another port each time.
        if app.forgiveness.register_again(now, registration.interval, refuses) {
            self.changes.app(id);
        }
        if app.registration == registration {
            return Registered::Unchanged;
        }
        self.changes.app(id);
        if moved {
            self.leave_behind(id);
        }
        let Some(app) = self.apps.get_mut(&id) else { return Registered::Unchanged };
        self.census.remove(&app.registration);
        self.census.add(&registration);
        let (paused, url) = (app.paused(), registration.health_url.clone());
        app.registration = registration;
        if moved {
            app.manner = Manner::NEW;
            self.take_up(id);
        }
        self.reckon(id);
        self.chronicle(now, id, Event::Updated { url });
        if moved {
            self.forget(now, id, "the address changed");
        }
        match (paused, moved, repaced) {
            (true, ..) | (_, false, false) => {}
            (_, true, _) => self.begin(now, id),
            (_, _, true) => self.repace(now, id),
        }
        Registered::Updated
    }

    /// The name of the app that a call means: just that name, else without the blanks around and between
    /// (see [`name::tidy`]). All other calls take the name that this returns.
    ///
    /// # Errors
    /// No app has this name.
    pub fn on_record(&self, given: &str) -> Result<String, Refusal> {
        let known = |name: &String| self.names.contains_key(name);
        let given_or_tidy = [Some(given.to_owned()), name::tidy(given).ok()];
        let mut found = given_or_tidy.into_iter().flatten().filter(known);
        found.next().ok_or_else(|| Refusal::UnknownApp(given.to_owned()))
    }

    /// The name under which a registration goes on record: that of a known app, else a tidy one.
    ///
    /// # Errors
    /// A new name has characters that cannot be seen.
    pub fn name_for(&self, given: &str) -> Result<String, Refusal> {
        self.on_record(given).or_else(|_| name::tidy(given).map_err(Refusal::BadName))
    }

    pub(super) fn find(&self, name: &str) -> Result<AppId, Refusal> {
        self.names.get(name).copied().ok_or_else(|| Refusal::UnknownApp(name.to_owned()))
    }
}

/// Events: what came of the actions, and the passing of time.
impl Engine {
    /// The clocks were read: to be called before anything else is done with the time. The machine
    /// `slept` so long since the last call, a time that the monotonic clock does not count. When it did,
    /// or the wall clock was set, every time that is remembered is put right.
    pub fn handle_clock(&mut self, now: Now, slept: Duration) {
        let Some(step) = self.timeline.observe(now, slept) else { return };
        if !slept.is_zero() {
            self.log(Note::Slept { span: slept });
        }
        if step.clock_was_set() {
            self.log(Note::ClockSet { to: now.wall });
        }
        let timeline = &self.timeline;
        let mut put_right = |stamp: &mut Stamp| timeline.step(now, step, stamp);
        self.outbox.for_each_stamp(&mut put_right);
        self.rates.for_each_stamp(&mut put_right);
        self.refusals.for_each_stamp(&mut put_right);
        for app in self.apps.values_mut() {
            app.for_each_stamp(&mut put_right);
            app.history.step(timeline, now, step);
        }
    }

    /// Whether everything should be written anew, for the times on disk were wrong; after that, it is
    /// taken to be.
    pub fn takes_rewriting(&mut self, now: Now) -> bool {
        self.timeline.takes_rewriting(now.at)
    }

    /// Fires timers that are due, a bounded number; [`Engine::next_deadline`] tells of the rest.
    pub fn handle_time(&mut self, now: Now) {
        self.turn = now.at;
        for _ in 0..TIMERS_A_TURN {
            match self.wheel.poll(now.at) {
                Some(Timer::Check(app)) => self.check_due(now, app),
                Some(Timer::Welcome) => self.welcome(now),
                Some(Timer::Mail(id)) => self.send(now, id),
                Some(Timer::Rehearsal) => self.rehearse_again(now),
                Some(Timer::Tally) => self.tally(now),
                Some(Timer::Shortage) => self.look_at_shortage(now),
                None => break,
            }
        }
    }

    /// The mailer has tried a mail.
    pub fn handle_delivery(&mut self, now: Now, id: u64, delivery: Delivery) {
        match self.outbox.handle_delivery(now.at, id, delivery) {
            None => {}
            Some(Fate::Accepted { mail, after }) => {
                self.rehearsal = Rehearsal::default();
                self.tallies.mails_accepted += 1;
                self.changes.mail_done(id);
                self.arrived(&mail);
                self.rates.accepted(now.at, Stamp::noted(now), &mail.to);
                self.refusals.over(&mail.to);
                self.changes.mail_accepted(&mail.to, Stamp::noted(now));
                self.log(Note::MailAccepted { to: mail.to, after });
                for id in self.outbox.release(now.at) {
                    self.send(now, id);
                }
            }
            Some(Fate::Kept { retry_at, text, took_in, made_plainer }) => {
                self.tallies.mails_put_off += 1;
                self.wheel.schedule(retry_at, Timer::Mail(id));
                self.took_in(id, took_in);
                if made_plainer {
                    self.changes.mail(id);
                }
                let to = self.outbox.recipient(id).unwrap_or_default().to_owned();
                self.log(Note::MailKept { to, retry_in: retry_at.since(now.at), reason: text });
            }
            Some(Fate::Refused { mail, text }) => {
                self.tallies.mails_refused += 1;
                self.changes.mail_done(id);
                self.refused(&mail);
                if let Some(next) = self.outbox.next_for(&mail.to) {
                    self.send(now, next);
                }
                self.changes.refusal(&mail.to);
                if let Some(forgotten) =
                    self.refusals.refused(&mail.to, Stamp::noted(now), text.clone())
                {
                    self.changes.refusal(&forgotten);
                }
                self.log(Note::MailRefused { to: mail.to, reason: text });
            }
        }
    }

    /// The daemon is about to stop: what the hour has brought so far is summed up.
    pub fn handle_stop(&mut self, now: Now) {
        self.sum_up_all(now);
    }

    /// The next thing to be done, if any.
    pub fn poll_action(&mut self) -> Option<Action> {
        self.actions
            .pop_front()
            .or_else(|| self.poll_sum().map(Action::Chronicle))
            .or_else(|| self.poll_probe().map(Action::Probe))
    }

    /// Whether a mail is on its way to the server.
    pub fn is_sending(&self) -> bool {
        self.outbox.is_sending()
    }

    /// When [`Engine::handle_time`] wants to be called next.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.wheel.next_deadline()
    }
}
