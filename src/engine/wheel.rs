//! The timer wheel: every deadline of the house, O(1) to schedule and to cancel.
//!
//! Hierarchical, after Varghese and Lauck (scheme 7): seven levels of 64 slots; a slot of level
//! *n* spans 64^n ms. A timer sits on the level of the highest digit (base 64) in which its
//! deadline differs from the wheel's time, and moves down as that time comes near, at most once a
//! level. The wheel is told the time and never asks; it is never early and wakes nobody for nothing.

use crate::engine::time::Moment;

/// Bits of a digit: one `u64` shows which of the 64 slots of a level are in use.
const DIGIT_BITS: u32 = 6;
const SLOTS: usize = 1 << DIGIT_BITS;
/// 7 digits of 6 bits are 139 years of milliseconds.
const LEVELS: usize = 7;
/// Deadlines beyond the last level wait there.
const FARTHEST: u64 = (1 << (DIGIT_BITS as u64 * LEVELS as u64)) - 1;

/// Names one scheduled timer; stale once it has fired or was cancelled.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimerId {
    index: u32,
    generation: u32,
}

/// Timers that carry a `T`.
#[derive(Debug)]
pub struct TimerWheel<T> {
    /// Every timer up to this time has fired.
    now: u64,
    levels: Vec<Level>,
    entries: Vec<Entry<T>>,
    free: Option<u32>,
    len: usize,
}

#[derive(Debug)]
struct Level {
    /// Bit *s* is set while slot *s* holds a timer.
    occupied: u64,
    slots: [Slot; SLOTS],
}

#[derive(Clone, Copy, Debug)]
struct Slot {
    head: Option<u32>,
    /// No timer of the slot is due before this. It is not raised when a timer is cancelled.
    earliest: u64,
}

#[derive(Debug)]
struct Entry<T> {
    generation: u32,
    deadline: u64,
    previous: Option<u32>,
    next: Option<u32>,
    /// `None` for an entry of the free list, whose links are `next`.
    value: Option<T>,
}

const EMPTY: Slot = Slot { head: None, earliest: u64::MAX };

impl<T> Default for TimerWheel<T> {
    fn default() -> Self {
        let level = || Level { occupied: 0, slots: [EMPTY; SLOTS] };
        let levels = (0..LEVELS).map(|_| level()).collect();
        TimerWheel { now: 0, levels, entries: Vec::new(), free: None, len: 0 }
    }
}

impl<T> TimerWheel<T> {
    /// How many timers wait.
    pub fn len(&self) -> usize {
        self.len
    }

    /// Whether no timer waits.
    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Schedules `value` for `at`; a deadline that has passed already fires at the next poll.
    pub fn schedule(&mut self, at: Moment, value: T) -> TimerId {
        let deadline = at.as_millis().clamp(self.now, FARTHEST.max(self.now));
        let (index, generation) = self.allocate(deadline, value);
        self.link(index, deadline);
        self.len += 1;
        TimerId { index, generation }
    }

    /// Takes a timer back; `None` when it has fired or was cancelled before.
    pub fn cancel(&mut self, timer: TimerId) -> Option<T> {
        let entry = self.entry(timer.index)?;
        if entry.generation != timer.generation || entry.value.is_none() {
            return None;
        }
        self.unlink(timer.index);
        self.release(timer.index)
    }

    /// Takes one timer that is due at `now`, the earliest first; call until `None`.
    ///
    /// Each call does bounded work, but for a slot whose timers move a level down together.
    pub fn poll(&mut self, now: Moment) -> Option<T> {
        let to = now.as_millis();
        loop {
            let Some((level, slot, start)) = self.first_slot().filter(|first| first.2 <= to) else {
                self.now = self.now.max(to.min(FARTHEST));
                return None;
            };
            self.now = self.now.max(start);
            if level == 0 {
                let index = self.slot(level, slot)?.head?;
                self.unlink(index);
                return self.release(index);
            }
            self.move_down(level, slot);
        }
    }

    /// When to poll again. Never later than the earliest deadline; earlier only, and at most once,
    /// after the timer that was the earliest of a far slot has been cancelled.
    pub fn next_deadline(&self) -> Option<Moment> {
        let (level, slot, start) = self.first_slot()?;
        let earliest = self.slot(level, slot).map_or(start, |slot| slot.earliest);
        Some(Moment::from_millis(earliest.max(start)))
    }

    /// The slot that holds the earliest timer, and the time at which it begins.
    ///
    /// Timers of a lower level share more digits with the present, so they come first; on one
    /// level all share the digits above it, so the lowest slot comes first.
    fn first_slot(&self) -> Option<(usize, usize, u64)> {
        if self.is_empty() {
            return None;
        }
        let (number, level) =
            self.levels.iter().enumerate().find(|(_, level)| level.occupied != 0)?;
        let slot = level.occupied.trailing_zeros() as usize;
        let shift = DIGIT_BITS * number as u32;
        let above = (self.now >> shift >> DIGIT_BITS) << DIGIT_BITS << shift;
        Some((number, slot, above | ((slot as u64) << shift)))
    }

    fn move_down(&mut self, level: usize, slot: usize) {
        let mut moving = self.slot_mut(level, slot).and_then(|slot| slot.head.take());
        self.clear(level, slot);
        while let Some(index) = moving {
            let Some(entry) = self.entry(index) else { return };
            let deadline = entry.deadline;
            moving = entry.next;
            self.link(index, deadline);
        }
    }

    /// Where a deadline belongs, seen from now.
    fn place(&self, deadline: u64) -> (usize, usize) {
        let differing = (self.now ^ deadline) | (SLOTS as u64 - 1);
        let level = (differing.ilog2() / DIGIT_BITS) as usize;
        let digit = (deadline >> (DIGIT_BITS as usize * level)) as usize % SLOTS;
        (level, digit)
    }

    fn link(&mut self, index: u32, deadline: u64) {
        let (level, slot) = self.place(deadline);
        let Some(list) = self.slot_mut(level, slot) else { return };
        let next = list.head.replace(index);
        list.earliest = list.earliest.min(deadline);
        if let Some(level) = self.levels.get_mut(level) {
            level.occupied |= 1 << slot;
        }
        if let Some(entry) = self.entry_mut(index) {
            entry.previous = None;
            entry.next = next;
        }
        if let Some(follower) = next.and_then(|next| self.entry_mut(next)) {
            follower.previous = Some(index);
        }
    }

    fn unlink(&mut self, index: u32) {
        let Some(entry) = self.entry(index) else { return };
        let (deadline, previous, next) = (entry.deadline, entry.previous, entry.next);
        if let Some(follower) = next.and_then(|next| self.entry_mut(next)) {
            follower.previous = previous;
        }
        if let Some(leader) = previous.and_then(|previous| self.entry_mut(previous)) {
            leader.next = next;
            return;
        }
        let (level, slot) = self.place(deadline);
        if let Some(list) = self.slot_mut(level, slot) {
            list.head = next;
        }
        if next.is_none() {
            self.clear(level, slot);
        }
    }

    fn clear(&mut self, level: usize, slot: usize) {
        if let Some(level) = self.levels.get_mut(level) {
            level.occupied &= !(1 << slot);
            if let Some(slot) = level.slots.get_mut(slot) {
                *slot = EMPTY;
            }
        }
    }

    fn allocate(&mut self, deadline: u64, value: T) -> (u32, u32) {
        let reused = self.free;
        if let Some(entry) = reused.and_then(|index| self.entry_mut(index)) {
            entry.deadline = deadline;
            entry.value = Some(value);
            let (next, generation) = (entry.next, entry.generation);
            self.free = next;
            return (reused.unwrap_or_default(), generation);
        }
        let entry =
            Entry { generation: 0, deadline, previous: None, next: None, value: Some(value) };
        self.entries.push(entry);
        (self.entries.len() as u32 - 1, 0)
    }

    fn release(&mut self, index: u32) -> Option<T> {
        let free = self.free;
        let entry = self.entry_mut(index)?;
        entry.generation = entry.generation.wrapping_add(1);
        entry.next = free;
        let value = entry.value.take();
        self.free = Some(index);
        self.len -= 1;
        value
    }

    fn entry(&self, index: u32) -> Option<&Entry<T>> {
        self.entries.get(index as usize)
    }

    fn entry_mut(&mut self, index: u32) -> Option<&mut Entry<T>> {
        self.entries.get_mut(index as usize)
    }

    fn slot(&self, level: usize, slot: usize) -> Option<&Slot> {
        self.levels.get(level)?.slots.get(slot)
    }

    fn slot_mut(&mut self, level: usize, slot: usize) -> Option<&mut Slot> {
        self.levels.get_mut(level)?.slots.get_mut(slot)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    fn at(ms: u64) -> Moment {
        Moment::from_millis(ms)
    }

    #[test]
    fn timers_fire_in_order_and_never_early() {
        let mut wheel = TimerWheel::default();
        for ms in [5_000, 64, 63, 300_000, 1, 4096] {
            wheel.schedule(at(ms), ms);
        }
        for ms in [1, 63, 64, 4096, 5_000, 300_000] {
            assert_eq!(wheel.next_deadline(), Some(at(ms)));
            assert_eq!(wheel.poll(at(ms - 1)), None);
            assert_eq!(wheel.poll(at(ms)), Some(ms));
        }
        assert_eq!((wheel.next_deadline(), wheel.len()), (None, 0));
    }

    #[test]
    fn what_is_overdue_fires_at_the_next_poll() {
        let mut wheel = TimerWheel::default();
        assert_eq!(wheel.poll(at(10_000)), None);
        wheel.schedule(at(5), "late");
        assert_eq!(wheel.next_deadline(), Some(at(10_000)));
        assert_eq!(wheel.poll(at(10_000)), Some("late"));
    }

    #[test]
    fn a_stale_name_cancels_nothing() {
        let mut wheel = TimerWheel::default();
        let first = wheel.schedule(at(10), 'a');
        assert_eq!(wheel.cancel(first), Some('a'));
        let second = wheel.schedule(at(10), 'b');
        assert_eq!(wheel.cancel(first), None);
        assert_eq!(wheel.poll(at(10)), Some('b'));
        assert_eq!(wheel.cancel(second), None);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Schedule(u64),
        Cancel(usize),
        Pass(u64),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            4 => prop_oneof![0..200u64, 0..400_000u64, 0..40_000_000_000u64].prop_map(Step::Schedule),
            1 => any::<usize>().prop_map(Step::Cancel),
            3 => prop_oneof![0..100u64, 0..10_000u64, 0..5_000_000_000u64].prop_map(Step::Pass),
        ]
    }

    proptest! {
        /// The wheel against a sorted map, over any history.
        #[test]
        fn the_wheel_is_a_sorted_map(steps in prop::collection::vec(step(), 1..200)) {
            let mut wheel = TimerWheel::default();
            let mut model: BTreeMap<(u64, usize), TimerId> = BTreeMap::new();
            let mut now = 0;
            for (number, step) in steps.into_iter().enumerate() {
                match step {
                    Step::Schedule(span) => {
                        let id = wheel.schedule(at(now + span), number);
                        model.insert((now + span, number), id);
                    }
                    Step::Cancel(which) if !model.is_empty() => {
                        let key = *model.keys().nth(which % model.len()).unwrap();
                        let id = model.remove(&key).unwrap();
                        prop_assert_eq!(wheel.cancel(id), Some(key.1));
                    }
                    Step::Cancel(_) => {}
                    Step::Pass(span) => {
                        now += span;
                        let mut fired = Vec::new();
                        while let Some(value) = wheel.poll(at(now)) {
                            fired.push(value);
                        }
                        let later = model.split_off(&(now + 1, 0));
                        let mut due: Vec<usize> = model.keys().map(|key| key.1).collect();
                        model = later;
                        fired.sort_unstable();
                        due.sort_unstable();
                        prop_assert_eq!(fired, due);
                    }
                }
                prop_assert_eq!(wheel.len(), model.len());
                let first = model.keys().next().map(|key| at(key.0));
                prop_assert!(wheel.next_deadline() <= first || first.is_none());
                prop_assert_eq!(wheel.next_deadline().is_none(), first.is_none());
            }
        }
    }
}
