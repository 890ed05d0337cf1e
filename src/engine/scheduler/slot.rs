//! What the scheduler remembers of one app.

use std::time::Duration;

use super::Timing;
use super::lanes::{Share, Ticket};
use super::manner::Manner;
use super::spread::Series;
use crate::engine::time::Moment;
use crate::engine::wheel::TimerId;

/// So many checks of an app in a row are void for our own standing still. A machine that stands still
/// all the time must not hide an app that is down.
const VOID_IN_A_ROW: u8 = 10;

/// How the checks of an app follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Pace {
    /// Paused: no check is due.
    Paused,
    /// The next check is the first one, after which the app gets its place among the others.
    First(Due),
    /// A check every interval, at a moment of its own.
    Steady(Due),
    /// A check every interval, in a round with others of this interval.
    Shared { due: Due, interval: Duration },
}

impl Pace {
    /// The next check, unless the app is paused.
    pub(super) fn due(self) -> Option<Due> {
        match self {
            Pace::Paused => None,
            Pace::First(due) | Pace::Steady(due) | Pace::Shared { due, .. } => Some(due),
        }
    }
}

/// The next check.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Due {
    pub(super) at: Moment,
    pub(super) timer: TimerId,
}

/// The check of an app. There is never more than one at a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asked {
    /// None waits, none is under way.
    No,
    /// It waits for a thread.
    Waits { ticket: Ticket, since: Moment },
    /// It is under way.
    Runs { check: u64 },
    /// It is under way and counts no more, for the app was paused or registered anew since.
    Void {
        check: u64,
        /// The next one has been due since: it begins when this one has ended.
        next: Option<Moment>,
    },
}

/// One app.
#[derive(Debug)]
pub(super) struct Slot {
    /// As the app asks for it.
    pub(super) registered: Timing,
    /// As it is asked for now: see [haste](super::haste).
    pub(super) timing: Timing,
    /// When it is asked next.
    pub(super) pace: Pace,
    /// The check that waits or is under way.
    pub(super) asked: Asked,
    /// When that check was due.
    pub(super) check_due: Moment,
    /// How it has answered so far.
    pub(super) manner: Manner,
    /// What the lanes reckon that it needs.
    pub(super) share: Share,
    /// So many checks in a row were void, since we stood still.
    pub(super) void_in_a_row: u8,
}

impl Slot {
    pub(super) fn new(registered: Timing, timing: Timing, pace: Pace, check_due: Moment) -> Slot {
        let asked = Asked::No;
        Slot {
            registered,
            timing,
            pace,
            asked,
            check_due,
            manner: Manner::NEW,
            share: 0,
            void_in_a_row: 0,
        }
    }

    pub(super) fn is_paused(&self) -> bool {
        self.pace == Pace::Paused
    }

    /// The next check, unless the app is paused.
    pub(super) fn due(&self) -> Option<Due> {
        self.pace.due()
    }

    /// Its checks to come, as the others have to reckon with them.
    pub(super) fn series(&self) -> Option<Series> {
        Some(Series { due: self.due()?.at, interval: self.timing.interval })
    }

    /// Whether a failure during which we stood still is void. It may be ours: what was late, closed
    /// early or refused by then was asked by us too late. A pass is one however late it came.
    pub(super) fn takes_as_void(&mut self) -> bool {
        let void = self.void_in_a_row < VOID_IN_A_ROW;
        self.void_in_a_row += u8::from(void);
        void
    }
}
