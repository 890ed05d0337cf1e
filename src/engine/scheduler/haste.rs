//! Haste: for a while every app is asked at least so often.

use std::time::Duration;

use super::{AppId, Scheduler, Timing, spread};
use crate::engine::sorted::SortedMap;
use crate::engine::time::Now;

impl Scheduler {
    /// Asks every app so often at least from now on; `None`: each as it was registered again. Those for
    /// whom that changes something get new places, evenly over their time: they would all be due at once
    /// otherwise.
    pub fn set_haste(&mut self, now: Now, haste: Option<Duration>) {
        self.haste = haste;
        let mut repaced: SortedMap<Duration, Vec<AppId>> = SortedMap::default();
        for (id, slot) in self.slots.iter_mut() {
            let interval = in_force(haste, slot.registered).interval;
            if std::mem::replace(&mut slot.timing.interval, interval) != interval {
                repaced.update(interval, Vec::new, |apps| apps.push(*id));
            }
        }
        for (interval, apps) in repaced {
            let count = apps.len();
            for (number, id) in apps.into_iter().enumerate() {
                self.reckon(id);
                let Some(due) = self.slots.get(&id).and_then(|slot| slot.due()) else { continue };
                let place = spread::even(now.at, interval, number, count);
                self.steady(id, place.min(due.at));
            }
        }
    }

    /// How an app is asked that was registered so.
    pub(super) fn in_force(&self, registered: Timing) -> Timing {
        in_force(self.haste, registered)
    }
}

fn in_force(haste: Option<Duration>, registered: Timing) -> Timing {
    let interval = registered.interval.min(haste.unwrap_or(registered.interval));
    Timing { interval, ..registered }
}
