//! One app that is watched: what was registered, how it fares, and when it is asked next.

pub(super) mod asking;
mod checks;
mod forgiveness;
pub mod history;
mod manner;
pub mod monitor;
mod pace;

use std::time::Duration;

pub use self::forgiveness::Forgiveness;
use self::history::History;
pub use self::manner::Manner;
use self::monitor::{Monitor, Rows, Thresholds, Transition};
use crate::engine::alerts::alert::Alert;
use crate::engine::alerts::notice::{Change, State};
use crate::engine::chronicle::{HourSoFar, is_news};
use crate::engine::registration::Registration;
use crate::engine::schedule::lanes::{Place, Share};
use crate::engine::schedule::spread::Train;
use crate::engine::schedule::wheel::TimerId;
use crate::engine::time::{Moment, Now, Stamp, Wall};
use crate::engine::verdict::answer::{Outcome, Verdict};

/// Checks shown in a mail.
const SHOWN_IN_MAIL: usize = 8;

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

/// How the checks of an app follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pace {
    /// Paused: no check is due.
    Paused,
    /// The next check is the first one, after which the app gets its place among the others.
    First(Due),
    /// A check every interval.
    Steady(Due),
}

/// The next check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Due {
    /// When.
    pub at: Moment,
    /// The timer that says so.
    pub timer: TimerId,
}

/// The check of an app. There is never more than one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// None waits, none is under way.
    No,
    /// It waits for a thread.
    Waits {
        /// Where.
        place: Place,
        /// Since when.
        since: Moment,
    },
    /// It is under way.
    Runs {
        /// Its number.
        check: u64,
    },
    /// It is under way and counts no more, for the app was paused or registered anew since.
    Void {
        /// Its number.
        check: u64,
        /// The next one has been due since: it begins when this one has ended.
        next: Option<Moment>,
    },
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

/// One app that is watched.
#[derive(Clone, Debug)]
pub struct App {
    /// What was registered.
    pub registration: Registration,
    /// The state machine.
    pub monitor: Monitor,
    /// Open while people are owed the end of the story.
    pub alert: Option<Alert>,
    /// Whether the first pass is still to be told.
    pub welcome: Welcome,
    /// Whether a refused connection counts: the app may not listen yet.
    pub forgiveness: Forgiveness,
    /// When it is asked next.
    pub pace: Pace,
    /// The check that waits or is under way.
    pub asked: Asked,
    /// When that check was due.
    pub check_due: Moment,
    /// How it has answered so far.
    pub manner: Manner,
    /// What the lanes reckon that it needs.
    pub share: Share,
    /// So many checks in a row were void, since we stood still.
    pub void_in_a_row: u8,
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
    /// What the health check log has not summed up yet.
    pub hour: HourSoFar,
    /// The rows as they were last recorded, as far as they matter.
    pub recorded: Rows,
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
    /// An app that has just registered; its first check is due at `due`.
    pub fn new(now: Now, registration: Registration, due: Due) -> App {
        App {
            forgiveness: Forgiveness::new(now, registration.interval),
            ..App::unasked(registration, Monitor::new(now), Pace::First(due), due.at)
        }
    }

    /// An app that was never checked, as far as is known, and of which nobody was told.
    pub fn unasked(
        registration: Registration,
        monitor: Monitor,
        pace: Pace,
        check_due: Moment,
    ) -> App {
        App {
            registration,
            monitor,
            alert: None,
            welcome: Welcome::Owed,
            forgiveness: Forgiveness::default(),
            pace,
            asked: Asked::No,
            check_due,
            manner: Manner::NEW,
            share: 0,
            void_in_a_row: 0,
            checks: 0,
            warnings: 0,
            failures: 0,
            last_healthy: None,
            last: None,
            history: History::default(),
            hour: HourSoFar::default(),
            recorded: Rows::default(),
        }
    }

    /// Whether it is paused.
    pub fn paused(&self) -> bool {
        self.pace == Pace::Paused
    }

    /// The next check, unless the app is paused.
    pub fn due(&self) -> Option<Due> {
        match self.pace {
            Pace::Paused => None,
            Pace::First(due) | Pace::Steady(due) => Some(due),
        }
    }

    /// Its checks to come, as the others have to reckon with them.
    pub fn train(&self) -> Option<Train> {
        Some(Train { due: self.due()?.at, interval: self.registration.interval })
    }

    /// Whether its last check was refused.
    pub fn refuses(&self) -> bool {
        self.last.as_ref().is_some_and(|last| last.verdict.refused)
    }

    /// Counts a verdict, to the day that `day` is in. `room` bytes are there for the recent checks.
    pub fn observe(
        &mut self,
        now: Now,
        day: Wall,
        verdict: Verdict,
        latency: Duration,
        room: usize,
    ) -> Effect {
        let outcome = verdict.outcome;
        let counts = !self.forgiveness.observe(now.at.before(latency), verdict.refused);
        let latency_ms = u32::try_from(latency.as_millis()).unwrap_or(u32::MAX);
        let begins_anew = counts && self.monitor.rows == Rows::default();
        let before = self.last.as_ref().map(|last| &last.verdict);
        let news = begins_anew || is_news(before, &verdict);
        self.last = Some(LastCheck { time: Stamp::noted(now), verdict, latency_ms });
        self.history.recent.push(now, outcome, latency_ms, room);
        if !counts {
            return Effect { counts, news, transition: None, first_pass: false };
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

    /// A change of state in the words that its people get. `since` is when the story began.
    pub fn change(&self, at: Stamp, transition: Transition, since: Stamp) -> Change {
        let verdict = self.last.as_ref().map(|last| &last.verdict);
        let lasted = since.until(at);
        Change {
            app: self.registration.name.clone(),
            url: self.registration.health_url.clone(),
            from: transition.from,
            to: transition.to,
            at,
            since,
            lasted_ms: u64::try_from(lasted.span.as_millis()).unwrap_or(u64::MAX),
            lasted_at_least: !lasted.exact,
            reason: verdict.map(|verdict| verdict.reason.clone()).unwrap_or_default(),
            body: verdict.and_then(|verdict| verdict.body.clone()),
            recent: self.history.recent.newest(SHOWN_IN_MAIL),
        }
    }

    /// Hands over every time that is remembered of it, to be put right after the clock was set.
    pub(in crate::engine) fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        put_right(&mut self.monitor.since);
        put_right(&mut self.monitor.trouble_since);
        self.alert.iter_mut().for_each(|alert| put_right(&mut alert.opened));
        self.last_healthy.iter_mut().for_each(&mut put_right);
        self.last.iter_mut().for_each(|last| put_right(&mut last.time));
    }

    /// The state.
    pub fn state(&self) -> State {
        self.monitor.state
    }

    fn thresholds(&self) -> Thresholds {
        Thresholds {
            unhealthy: u32::from(self.registration.unhealthy),
            healthy: u32::from(self.registration.healthy),
        }
    }
}
