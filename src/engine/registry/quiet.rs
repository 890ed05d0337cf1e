//! Quiet times: an app is checked, and nobody is told of it for now. By the clock, as it registered or as the
//! owner has set for all; or for a span that somebody asked for.

use std::time::Duration;

use super::{App, AppId, Registry};
use crate::engine::registration::QuietTimes;
use crate::engine::registration::quiet_times::Hush;
use crate::engine::time::{Moment, Now, Stamp, Wall, Zone};

/// The wall clock runs a little faster or slower than the monotonic one: it is looked at again so often.
const LOOKED_AT_EVERY: Duration = Duration::from_secs(3600);

/// An app is quiet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quiet {
    /// Until when; `None` where the clock tells nothing yet.
    pub until: Option<Wall>,
    /// Somebody asked for it; else it is a time of the day.
    pub asked_for: bool,
}

/// Somebody asked for quiet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AskedFor {
    /// When,
    pub since: Stamp,
    /// and for how long.
    pub span: Duration,
}

/// The clocks, for quiet times.
#[derive(Clone, Copy, Debug)]
pub struct Clock<'a> {
    /// Both.
    pub now: Now,
    /// What the wall clock shows; `None`: it cannot be right.
    pub wall: Option<Wall>,
    /// Whether it is taken to be a quiet time then: mail waits for the clock anyway.
    pub hushes: bool,
    /// What quiet times are told in.
    pub zone: &'a Zone,
}

/// What holds for all, and when to look again.
#[derive(Debug, Default)]
pub(super) struct Hours {
    default: QuietTimes,
    look_at: Option<Moment>,
}

impl Registry {
    /// None are watched. `quiet`: the quiet times of those that say nothing of it.
    pub fn new(quiet: QuietTimes) -> Registry {
        let hours = Hours { default: quiet, look_at: None };
        Registry { hours, ..Registry::default() }
    }

    /// When a quiet time may begin or end.
    pub fn quiet_deadline(&self) -> Option<Moment> {
        self.hours.look_at
    }

    /// Somebody asks for quiet from now on, or no longer. Whether that changes anything.
    pub fn ask_for_quiet(&mut self, now: Now, id: AppId, span: Option<Duration>) -> bool {
        let asked_for = span.map(|span| AskedFor { since: Stamp::noted(now), span });
        let before = self.apps.edit(&id, |app| std::mem::replace(&mut app.asked_quiet, asked_for));
        before.is_some_and(|before| before != asked_for)
    }

    /// A quiet time may have begun or ended, `of` one app or of any: for whom one has ended.
    pub fn handle_quiet(&mut self, of: Option<AppId>, clock: Clock<'_>) -> Vec<AppId> {
        let all = || self.names.values().copied().collect();
        let ids: Vec<AppId> = of.map_or_else(all, |id| vec![id]);
        if of.is_none() {
            self.hours.look_at = None;
        }
        let default = clock.hush(&self.hours.default);
        ids.into_iter().filter(|id| self.hush(*id, clock, &default)).collect()
    }

    fn hush(&mut self, id: AppId, clock: Clock<'_>, default: &ByClock) -> bool {
        let Some(app) = self.get(id) else { return false };
        let own = app.registration.quiet.as_ref().map(|times| clock.hush(times));
        let by_clock = own.as_ref().unwrap_or(default);
        let left = app.asked_quiet.map(|asked| clock.left(asked)).filter(|left| !left.is_zero());
        let asked_until = left.and_then(|left| Some(clock.wall?.after(left)));
        let quiet = match (by_clock.quiet, left) {
            (None, None) => None,
            (Some(until), None) => Some(Quiet { until, asked_for: false }),
            (None, Some(_)) => Some(Quiet { until: asked_until, asked_for: true }),
            (Some(until), Some(_)) => {
                Some(Quiet { until: until.max(asked_until), asked_for: asked_until > until })
            }
        };
        let asked_ends = left.map(|left| clock.now.at + left);
        let look_at =
            [self.hours.look_at, by_clock.look_at, asked_ends].into_iter().flatten().min();
        let stays = app.quiet == quiet && (left.is_some() || app.asked_quiet.is_none());
        self.hours.look_at = look_at;
        if stays {
            return false;
        }
        let before = self.apps.edit(&id, |app| {
            app.asked_quiet.take_if(|_| left.is_none());
            std::mem::replace(&mut app.quiet, quiet)
        });
        before.flatten().is_some() && quiet.is_none()
    }
}

/// What the clock says.
struct ByClock {
    /// Whether it is quiet, and until when.
    quiet: Option<Option<Wall>>,
    look_at: Option<Moment>,
}

impl Clock<'_> {
    fn hush(self, times: &QuietTimes) -> ByClock {
        if times.is_empty() {
            return ByClock { quiet: None, look_at: None };
        }
        let again = self.now.at + LOOKED_AT_EVERY;
        let Some(wall) = self.wall else {
            let quiet = (self.hushes && !times.are_never()).then_some(None);
            return ByClock { quiet, look_at: Some(again) };
        };
        let Hush { until, changes } = times.hush(wall, self.zone);
        let look_at = changes.map_or(again, |at| again.min(self.now.at + at.since(wall)));
        ByClock { quiet: until.map(Some), look_at: Some(look_at) }
    }

    /// How long it is still to be quiet; of a span before a restart as long as is certain.
    fn left(self, AskedFor { since, span }: AskedFor) -> Duration {
        span.saturating_sub(since.age(self.now.at).span)
    }
}

impl App {
    /// Whether nobody is told of it for now.
    pub fn is_quiet(&self) -> bool {
        self.quiet.is_some()
    }
}
