//! Checks that have a thread, and those of them that nobody waits for any more.

use std::time::Duration;

use super::lanes::Seat;
use super::slot::Asked;
use super::{AppId, Scheduler};
use crate::engine::registration::Registration;
use crate::engine::time::Moment;

/// A check during which we stood still for longer is no proof of anything: a machine under load is
/// late by less.
pub const STOOD_STILL: Duration = Duration::from_secs(1);

/// A check that has a thread.
#[derive(Debug)]
pub(super) struct Running {
    pub(super) app: AppId,
    pub(super) seat: Seat,
    /// How long it may take.
    pub(super) limit: Duration,
    /// We stood still while it was under way.
    pub(super) stood_still: bool,
    /// What it asks, once the app is watched no longer, or elsewhere.
    pub(super) left_behind: Option<Destination>,
}

/// When a check was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ran {
    /// Since when: it may have had to wait for a thread that makes others, too.
    pub began: Moment,
    /// How long it took from then on.
    pub latency: Duration,
}

impl Ran {
    /// One that has just ended, after `latency`.
    pub fn until(now: Moment, latency: Duration) -> Ran {
        Ran { began: now.before(latency), latency }
    }
}

/// What is never asked twice at a time: an app at an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Destination {
    /// The app's name.
    pub name: String,
    /// The address that is asked.
    pub address: String,
}

impl Destination {
    /// What a registration has asked.
    pub fn of(registration: &Registration) -> Destination {
        let (name, address) = (registration.name.clone(), registration.target.address().to_owned());
        Destination { name, address }
    }
}

impl Scheduler {
    /// The app is about to be watched no longer, or elsewhere: a check that is under way is left
    /// behind. It is remembered, for the thread that it holds is not free before it has ended.
    pub(super) fn leave_behind(&mut self, id: AppId, left: Destination) {
        self.void(id);
        let Some(slot) = self.slots.get_mut(&id) else { return };
        if let Asked::Void { check, .. } = slot.asked
            && let Some(running) = self.running.get_mut(&check)
        {
            running.left_behind = Some(left);
            slot.asked = Asked::No;
        }
    }

    /// The app is watched at this address anew: a check that was left behind there is its own again,
    /// and nothing is asked before that has ended.
    pub(super) fn take_up(&mut self, id: AppId, at: &Destination) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        let mut running = self.running.iter_mut();
        let left = running.find(|(_, running)| running.left_behind.as_ref() == Some(at));
        if let Some((check, running)) = left {
            running.app = id;
            running.left_behind = None;
            slot.asked = Asked::Void { check: *check, next: None };
        }
    }
}
