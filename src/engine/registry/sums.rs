//! The hourly lines of the health check log: one for each app that was checked.

use super::{App, AppId};
use crate::engine::check_log::Line;
use crate::engine::time::Wall;

/// Apps whose hour is to be summed up.
#[derive(Debug, Default)]
pub(super) struct SumsDue {
    time: Wall,
    /// The last one first.
    apps: Vec<AppId>,
}

impl SumsDue {
    pub(super) fn new(time: Wall, apps: impl DoubleEndedIterator<Item = AppId>) -> SumsDue {
        SumsDue { time, apps: apps.rev().collect() }
    }

    pub(super) fn poll(&mut self) -> Option<(AppId, Wall)> {
        Some((self.apps.pop()?, self.time))
    }
}

/// What an app did since the last time; `None` when nothing. Whole seconds will do for an hour, and
/// each letter is written by every app, every hour.
pub(super) fn sum_up(app: &mut App, time: Wall) -> Option<Line> {
    let event = app.hour.take()?;
    let time = Wall::from_unix_millis(time.as_unix_millis().div_euclid(1000) * 1000);
    Some(Line { time, appname: app.registration.name.clone(), event })
}
