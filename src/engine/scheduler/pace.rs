//! Pace: when the check of each app is due, alone or in a round with others.

use std::time::Duration;

use super::slot::{Due, Pace, Slot};
use super::{AppId, Destination, Manner, Scheduler, Timing, spread};
use crate::engine::time::{Moment, Now};

/// The first check comes within a second of the registration: this, and time for the hand-over.
const FIRST_CHECK_WITHIN: Duration = Duration::from_millis(900);

/// Apps come, go, and change.
impl Scheduler {
    /// A new app is asked within a second, unless it is paused.
    pub fn add(&mut self, now: Now, id: AppId, timing: Timing, to: &Destination) {
        let at = self.least_busy_soon(now);
        let timer = self.wheel.schedule(at, id);
        let slot = Slot::new(timing, self.in_force(timing), Pace::First(Due { at, timer }), at);
        self.slots.insert(id, Box::new(slot));
        self.take_up(id, to);
    }

    /// Takes in an app that is on record, first asked at `due`; `None`: it is paused.
    pub fn restore(&mut self, now: Now, id: AppId, timing: Timing, due: Option<Moment>) {
        let steady = |at| Pace::Steady(Due { at, timer: self.wheel.schedule(at, id) });
        let pace = due.map_or(Pace::Paused, steady);
        let slot = Slot::new(timing, self.in_force(timing), pace, due.unwrap_or(now.at));
        self.slots.insert(id, Box::new(slot));
    }

    /// The app is watched no longer. `was` is where it was asked.
    pub fn remove(&mut self, id: AppId, was: Destination) {
        self.leave_behind(id, was);
        self.pause(id);
        self.slots.remove(&id);
    }

    /// Asks an app no more until it is resumed.
    pub fn pause(&mut self, id: AppId) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        if let Some(due) = slot.due() {
            self.wheel.cancel(due.timer);
            self.set_pace(id, Pace::Paused);
            self.void(id);
            self.reckon(id);
        }
    }

    /// A paused app is asked again, within a second.
    pub fn resume(&mut self, now: Now, id: AppId) {
        let at = self.least_busy_soon(now);
        self.first(id, at);
    }

    /// The app has another address: nothing of how the one before answered counts. It is asked within a
    /// second, unless it is paused. A check that is due sooner stays due: whoever registers by turns at
    /// two addresses is asked all the same.
    pub fn relocate(
        &mut self,
        now: Now,
        id: AppId,
        timing: Timing,
        before: Destination,
        after: &Destination,
    ) {
        self.leave_behind(id, before);
        let in_force = self.in_force(timing);
        let Some(slot) = self.slots.get_mut(&id) else { return };
        (slot.registered, slot.timing) = (timing, in_force);
        slot.manner = Manner::NEW;
        self.take_up(id, after);
        self.reckon(id);
        if let Some(due) = self.due_at(id) {
            let at = due.min(self.least_busy_soon(now));
            self.first(id, at);
        }
    }

    fn first(&mut self, id: AppId, at: Moment) {
        let due = self.schedule(id, at);
        self.set_pace(id, Pace::First(due));
    }

    /// The app was registered again with another time-out or interval. A check that is due sooner than
    /// the new interval has it stays due, and what follows finds its place then: whoever registers
    /// again and again, each time with another interval, is asked all the same.
    pub fn repace(&mut self, now: Now, id: AppId, timing: Timing) {
        let in_force = self.in_force(timing);
        let Some(slot) = self.slots.get_mut(&id) else { return };
        let repaced = slot.timing.interval != in_force.interval;
        (slot.registered, slot.timing) = (timing, in_force);
        self.reckon(id);
        let Some(due) = self.slots.get(&id).and_then(|slot| slot.due()).filter(|_| repaced) else {
            return;
        };
        let calm = self.least_busy_place(now.at, id);
        if due.at > calm {
            self.steady(id, calm);
        } else {
            self.set_pace(id, Pace::First(due));
        }
    }

    /// When an app is asked next; `None` while it is paused.
    pub fn due_at(&self, id: AppId) -> Option<Moment> {
        Some(self.slots.get(&id)?.due()?.at)
    }

    pub(super) fn on_check_due(&mut self, now: Now, id: AppId) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        let interval = slot.timing.interval;
        let Some(due) = slot.due() else { return };
        if let Pace::First(_) = slot.pace {
            let at = self.least_busy_place(due.at, id);
            self.steady(id, at);
        } else if let Pace::Steady(next) | Pace::Shared { due: next, .. } = &mut slot.pace {
            let at = after(due.at, interval, now.at);
            *next = Due { at, timer: self.wheel.schedule(at, id) };
        }
        self.ask_when_due(now.at, id, due.at);
    }

    /// A verdict has shown how long the app takes: if it is quick it joins a round, once, and if it has become slow
    /// it leaves that. Its next check is due half an interval to one after that which has just ended was, and never
    /// before now.
    pub(super) fn suit_pace(&mut self, now: Now, id: AppId) {
        let Some(slot) = self.slots.get(&id) else { return };
        let Timing { interval, .. } = slot.timing;
        let from = now.at.max(slot.check_due + interval / 2);
        let place = (from, interval / 2);
        match slot.pace {
            Pace::Steady(own) if slot.manner.quick().is_some() => {
                let round = self.rounds.with_room(interval, place, self.lanes.workers());
                let at = round.unwrap_or_else(|| self.rounds.apart(interval, own.at, place));
                let due = self.schedule(id, at);
                self.set_pace(id, Pace::Shared { due, interval });
            }
            Pace::Shared { .. } if slot.manner.is_slow() => {
                let at = self.least_busy(from, interval / 2, id);
                self.steady(id, at);
            }
            _ => {}
        }
    }

    /// The least busy moment of the next second.
    fn least_busy_soon(&self, now: Now) -> Moment {
        spread::least_busy(
            now.at,
            FIRST_CHECK_WITHIN,
            self.slots.values().filter_map(|slot| slot.series()),
        )
    }

    /// The least busy moment between half an interval and one from `from` on.
    fn least_busy_place(&self, from: Moment, id: AppId) -> Moment {
        let Some(slot) = self.slots.get(&id) else { return from };
        let half = slot.timing.interval / 2;
        self.least_busy(from + half, half, id)
    }

    fn least_busy(&self, from: Moment, window: Duration, id: AppId) -> Moment {
        let others = self.slots.iter().filter(|(other, _)| **other != id);
        spread::least_busy(from, window, others.filter_map(|(_, slot)| slot.series()))
    }

    pub(super) fn steady(&mut self, id: AppId, at: Moment) {
        let due = self.schedule(id, at);
        self.set_pace(id, Pace::Steady(due));
    }

    /// The next check, instead of the one that is scheduled.
    fn schedule(&mut self, id: AppId, at: Moment) -> Due {
        if let Some(before) = self.slots.get(&id).and_then(|slot| slot.due()) {
            self.wheel.cancel(before.timer);
        }
        Due { at, timer: self.wheel.schedule(at, id) }
    }

    /// Rounds know who is in them.
    fn set_pace(&mut self, id: AppId, pace: Pace) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        if let Pace::Shared { due, interval } = std::mem::replace(&mut slot.pace, pace) {
            self.rounds.leave(interval, due.at);
        }
        if let Pace::Shared { due, interval } = pace {
            self.rounds.join(interval, due.at);
        }
    }
}

/// The first due time after `now` of a check that is due every `interval`, without drift.
fn after(due: Moment, interval: Duration, now: Moment) -> Moment {
    let missed = now.since(due).as_millis() / interval.as_millis().max(1);
    due + interval * u32::try_from(missed + 1).unwrap_or(u32::MAX)
}
