//! One app that is watched: what was registered, and how it fares.

use std::time::Duration;

use super::forgiveness::Forgiveness;
use super::history::History;
use super::monitor::{Monitor, Streaks, Thresholds};
use super::quiet::{AskedFor, Quiet};
use super::starts::Starts;
use crate::engine::check_log::{Event, HourSoFar, is_news};
use crate::engine::ledger::{Kept, Versioned};
use crate::engine::registration::Registration;
use crate::engine::state::{State, Transition};
use crate::engine::time::{Moment, Now, Stamp, Wall};
use crate::engine::verdict::answer::{Outcome, Verdict};

/// Names an app inside the engine; never used again for another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AppId(pub u64);

/// The word that a first pass after the registration is owed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Welcome {
    /// The app has not passed yet.
    Owed,
    /// It has, and the word is being gathered with others.
    Gathered,
    /// The word has gone out.
    Told,
}

/// The last check that has a verdict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LastCheck {
    /// When the verdict fell.
    pub time: Stamp,
    /// The verdict.
    pub verdict: Verdict,
    /// Milliseconds until the verdict.
    pub latency_ms: u32,
}

impl LastCheck {
    /// For the health check log.
    pub fn event(&self, counted: bool) -> Event {
        Event::of_check(&self.verdict, self.latency_ms, counted)
    }
}

/// One app that is watched.
#[derive(Clone, Debug)]
pub struct App {
    /// What was registered.
    pub registration: Versioned<Registration>,
    /// Whether it is left alone for now.
    pub paused: bool,
    /// Somebody asked that nobody is told of it for a while.
    pub asked_quiet: Option<AskedFor>,
    /// Nobody is told of it for now: see [`Registry::handle_quiet`](super::Registry::handle_quiet).
    pub quiet: Option<Quiet>,
    /// The state machine.
    pub monitor: Monitor,
    /// Whether the first pass is still to be told.
    pub welcome: Welcome,
    /// Whether a refused connection counts: the app may not listen yet.
    pub forgiveness: Forgiveness,
    /// When it has registered lately: not on disk, for it is of minutes.
    pub starts: Starts,
    /// Checks with a verdict.
    pub checks: u64,
    /// Those among them that warned.
    pub warnings: u64,
    /// Failed ones among them.
    pub failures: u64,
    /// The last check that passed.
    pub last_healthy: Option<Stamp>,
    /// The last check.
    pub last: Option<LastCheck>,
    /// The checks before it.
    pub history: History,
    /// When the certificate ends that it showed last over TLS: not on disk, for it shows it again.
    pub certificate_ends: Option<Wall>,
    /// Of which end it was said that it is near.
    pub certificate_said: Option<Wall>,
    /// What the health check log has not summed up yet.
    pub hour: HourSoFar,
}

/// What of an app is on disk, but for counters and history.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AppFacts {
    registration: u32,
    paused: bool,
    asked_quiet: Option<AskedFor>,
    welcome_owed: bool,
    certificate_said: Option<Wall>,
    state: State,
    since: Stamp,
    /// Of forgiveness no more: an app that registers every second must not wear out the disk.
    forgiveness_is_spent: bool,
    streaks: StreakFacts,
}

/// What changes without a change of state.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct StreakFacts {
    streaks: Streaks,
    trouble_since: Stamp,
}

/// What of an app is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum AppMark {
    /// Its rows.
    Streaks,
    /// All but counters and history.
    Whole,
}

impl Kept for App {
    type Facts = AppFacts;
    type Mark = AppMark;
    const WHOLE: AppMark = AppMark::Whole;

    fn facts(&self) -> AppFacts {
        AppFacts {
            registration: self.registration.version(),
            paused: self.paused,
            asked_quiet: self.asked_quiet,
            welcome_owed: matches!(self.welcome, Welcome::Owed | Welcome::Gathered),
            certificate_said: self.certificate_said,
            state: self.monitor.state,
            since: self.monitor.since,
            forgiveness_is_spent: self.forgiveness.is_spent(),
            streaks: StreakFacts {
                streaks: self.monitor.streaks_that_matter(),
                trouble_since: self.monitor.trouble_since,
            },
        }
    }

    fn mark(before: &AppFacts, after: &AppFacts) -> AppMark {
        let but_for_streaks = AppFacts { streaks: before.streaks, ..*after };
        if but_for_streaks == *before { AppMark::Streaks } else { AppMark::Whole }
    }
}

/// What a verdict did to an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Effect {
    /// Whether it counted.
    pub counts: bool,
    /// Whether it tells something else than the one before, or is the first from UNKNOWN.
    pub news: bool,
    /// The change of state that it led to.
    pub transition: Option<Transition>,
    /// Whether this is the first pass after the registration.
    pub first_pass: bool,
}

impl App {
    /// An app that has just registered.
    pub fn new(now: Now, registration: Registration) -> App {
        App {
            forgiveness: Forgiveness::new(now, registration.interval),
            ..App::unasked(registration, Monitor::new(now))
        }
    }

    /// An app that was never checked, as far as is known.
    pub fn unasked(registration: Registration, monitor: Monitor) -> App {
        App {
            registration: Versioned::new(registration),
            paused: false,
            asked_quiet: None,
            quiet: None,
            monitor,
            welcome: Welcome::Owed,
            forgiveness: Forgiveness::default(),
            starts: Starts::default(),
            checks: 0,
            warnings: 0,
            failures: 0,
            last_healthy: None,
            last: None,
            history: History::default(),
            certificate_ends: None,
            certificate_said: None,
            hour: HourSoFar::default(),
        }
    }

    /// Whether its last check was refused.
    pub fn refuses(&self) -> bool {
        self.last.as_ref().is_some_and(|last| last.verdict.refused)
    }

    /// Whether this run has not asked it yet, and will. Who reports by itself may do so in a day.
    pub fn is_to_be_asked_first(&self) -> bool {
        self.last.is_none() && self.registration.beats().is_none()
    }

    /// Whether its last check failed without an answer.
    pub fn is_silent(&self) -> bool {
        self.last.as_ref().is_some_and(|last| last.verdict.is_silence())
    }

    /// Whether its last check failed without any sign of life, of its host either.
    pub fn is_dead_silent(&self) -> bool {
        self.last.as_ref().is_some_and(|last| last.verdict.is_dead_silence())
    }

    /// Whether it may be off, and its last check tells nothing else: that is no trouble.
    pub fn may_just_be_off(&self) -> bool {
        self.last.as_ref().is_some_and(|last| self.is_silence(&last.verdict))
    }

    /// What its last check found; empty before the first.
    pub fn reason(&self) -> &str {
        self.last.as_ref().map_or("", |last| last.verdict.reason.as_str())
    }

    /// Counts a verdict, unless it is `void`, to the day that `day` is in. `room` bytes are there for the
    /// recent checks.
    pub fn observe(
        &mut self,
        now: Now,
        day: Wall,
        (verdict, void): (Verdict, bool),
        latency: Duration,
        room: usize,
    ) -> Effect {
        let outcome = verdict.outcome;
        let forgiven = self.forgiveness.observe(now.at.before(latency), verdict.refused);
        let is_silence = self.is_silence(&verdict);
        let counts = !forgiven && !void && !is_silence;
        if outcome == Outcome::Fail && (counts || forgiven) {
            self.starts.handle_failure();
        }
        let latency_ms = u32::try_from(latency.as_millis()).unwrap_or(u32::MAX);
        let begins_anew = counts && self.monitor.streaks == Streaks::default();
        let before = self.last.as_ref().map(|last| &last.verdict);
        let news = begins_anew || is_news(before, &verdict);
        self.last = Some(LastCheck { time: Stamp::noted(now), verdict, latency_ms });
        self.history.recent.push(now, outcome, latency_ms, room);
        if !counts {
            let transition = if is_silence && !void {
                self.monitor.observe_silence(now, self.thresholds())
            } else {
                None
            };
            return Effect { counts, news, transition, first_pass: false };
        }
        self.checks += 1;
        self.warnings += u64::from(outcome == Outcome::Warn);
        self.failures += u64::from(outcome == Outcome::Fail);
        self.history.count(now, day, outcome, latency_ms);
        self.hour.count(outcome, latency_ms);
        if outcome == Outcome::Pass {
            self.last_healthy = Some(Stamp::noted(now));
        }
        let first_pass = outcome == Outcome::Pass && self.welcome == Welcome::Owed;
        let transition = self.monitor.observe(now, outcome, self.thresholds());
        Effect { counts, news, transition, first_pass }
    }

    /// Hands over every time that is remembered of it, to be put right after the clock was set.
    pub(in crate::engine) fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        put_right(&mut self.monitor.since);
        put_right(&mut self.monitor.trouble_since);
        self.last_healthy.iter_mut().for_each(&mut put_right);
        self.last.iter_mut().for_each(|last| put_right(&mut last.time));
        self.asked_quiet.iter_mut().for_each(|asked| put_right(&mut asked.since));
    }

    /// How long ago it was last heard of, if it reports, as far as that is on record: so long at least, where a clock
    /// that was wrong has noted it, or is asked.
    pub(in crate::engine) fn heard(
        &self,
        at: Moment,
        place: impl Fn(&mut Stamp),
    ) -> Option<Duration> {
        let mut newest = self.history.recent.newest(1).last().map(|check| check.time);
        newest.iter_mut().for_each(place);
        let known = [Some(self.monitor.since), self.last_healthy, newest];
        let ages = known.into_iter().flatten().map(|stamp| stamp.age(at));
        ages.map(|age| age.span).min()
    }

    /// The state.
    pub fn state(&self) -> State {
        self.monitor.state
    }

    /// Whether it is off or away, as far as can be seen.
    pub fn is_off(&self) -> bool {
        self.registration.may_be_off() && self.monitor.is_off(self.thresholds())
    }

    /// No sign of life, of one that may be off: no failure, whatever it is.
    fn is_silence(&self, verdict: &Verdict) -> bool {
        self.registration.may_be_off() && verdict.is_dead_silence()
    }

    fn thresholds(&self) -> Thresholds {
        Thresholds {
            unhealthy: u32::from(self.registration.unhealthy),
            healthy: u32::from(self.registration.healthy),
        }
    }
}
