//! Whose turn it is: one conversation after the other as long as the server is quick, a few at a time when
//! one drags on.
//!
//! A server may take minutes for an answer, and one that hangs takes them all: the mails behind must not
//! wait for each of them in turn.

use std::collections::VecDeque;
use std::time::{Duration, Instant};

use super::attempt::GIVEN_UP_AFTER;

/// After so long, the next one may begin beside the last. A server that is well has taken a mail by then.
const PATIENCE: Duration = Duration::from_secs(30);
/// The most conversations at once, with those that were given up and still hang in the system. Mail
/// servers allow a client ten or so, and each has a thread of its own.
const MOST: usize = 4;

/// What waits, and what is under way.
#[derive(Debug)]
pub struct Turns<J> {
    waiting: VecDeque<J>,
    /// Their numbers, and when each began; with those that were given up no more than [`MOST`].
    under_way: Vec<(u64, Instant)>,
    given_up: Vec<u64>,
    last: u64,
}

/// What is to be done with the next one.
#[derive(Debug, PartialEq, Eq)]
pub enum Turn<J> {
    /// Begin it under this number.
    Begin(u64, J),
    /// It cannot be done: all that were begun hang.
    Refuse(J),
}

/// Nothing waits.
impl<J> Default for Turns<J> {
    fn default() -> Self {
        let waiting = VecDeque::new();
        Turns { waiting, under_way: Vec::new(), given_up: Vec::new(), last: 0 }
    }
}

impl<J> Turns<J> {
    /// Puts one more at the end.
    pub fn add(&mut self, job: J) {
        self.waiting.push_back(job);
    }

    /// The next one, if it may begin.
    pub fn next(&mut self, now: Instant) -> Option<Turn<J>> {
        if self.given_up.len() >= MOST {
            return self.waiting.pop_front().map(Turn::Refuse);
        }
        if !self.has_room() || self.last_began().is_some_and(|began| began + PATIENCE > now) {
            return None;
        }
        let job = self.waiting.pop_front()?;
        self.last += 1;
        self.under_way.push((self.last, now));
        Some(Turn::Begin(self.last, job))
    }

    /// One has ended. Whether somebody still waits to be told.
    pub fn ended(&mut self, number: u64) -> bool {
        self.given_up.retain(|other| *other != number);
        let before = self.under_way.len();
        self.under_way.retain(|(other, _)| *other != number);
        self.under_way.len() < before
    }

    /// Gives up those that take too long; their numbers.
    pub fn give_up(&mut self, now: Instant) -> Vec<u64> {
        let overdue = |(_, began): &&(u64, Instant)| *began + GIVEN_UP_AFTER <= now;
        let numbers: Vec<u64> = self.under_way.iter().filter(overdue).map(|(n, _)| *n).collect();
        self.under_way.retain(|(number, _)| !numbers.contains(number));
        self.given_up.extend(&numbers);
        numbers
    }

    /// When [`Turns::next`] or [`Turns::give_up`] has something to say, if nothing happens before.
    pub fn next_deadline(&self) -> Option<Instant> {
        let waits = self.has_room() && !self.waiting.is_empty();
        let next = self.last_began().filter(|_| waits).map(|began| began + PATIENCE);
        let first = self.under_way.iter().map(|(_, began)| *began).min();
        let overdue = first.map(|began| began + GIVEN_UP_AFTER);
        next.into_iter().chain(overdue).min()
    }

    fn has_room(&self) -> bool {
        self.under_way.len() + self.given_up.len() < MOST
    }

    fn last_began(&self) -> Option<Instant> {
        self.under_way.iter().map(|(_, began)| *began).max()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(count: u64) -> Duration {
        Duration::from_secs(count)
    }

    fn turns(jobs: &[char]) -> Turns<char> {
        let mut turns = Turns::default();
        jobs.iter().for_each(|job| turns.add(*job));
        turns
    }

    #[test]
    fn with_a_quick_server_it_is_one_after_the_other() {
        let t0 = Instant::now();
        let mut turns = turns(&['a', 'b']);
        assert_eq!(turns.next(t0), Some(Turn::Begin(1, 'a')));
        assert_eq!(turns.next(t0 + seconds(1)), None);
        assert!(turns.ended(1));
        assert_eq!(turns.next(t0 + seconds(1)), Some(Turn::Begin(2, 'b')));
        assert!(turns.ended(2));
        assert_eq!((turns.next(t0 + seconds(2)), turns.next_deadline()), (None, None));
    }

    #[test]
    fn a_server_that_hangs_holds_up_the_next_for_half_a_minute_and_no_more_than_four_hang_there() {
        let t0 = Instant::now();
        let mut turns = turns(&['a', 'b', 'c', 'd', 'e']);
        for (number, job) in [(1, 'a'), (2, 'b'), (3, 'c'), (4, 'd')] {
            let at = t0 + PATIENCE * (number as u32 - 1);
            assert_eq!(turns.next(at), Some(Turn::Begin(number, job)));
            assert_eq!(turns.next(at + PATIENCE - seconds(1)), None);
            let wakes = if number < 4 { at + PATIENCE } else { t0 + GIVEN_UP_AFTER };
            assert_eq!(turns.next_deadline(), Some(wakes));
        }
        assert_eq!(turns.next(t0 + PATIENCE * 10), None, "there is no room");
        assert!(turns.ended(3));
        assert_eq!(turns.next(t0 + PATIENCE * 10), Some(Turn::Begin(5, 'e')));
    }

    #[test]
    fn what_hangs_in_the_system_is_given_up_and_when_all_do_so_nothing_waits_for_them() {
        let t0 = Instant::now();
        let mut turns = turns(&['a', 'b', 'c', 'd', 'e']);
        for n in 0..4 {
            assert!(turns.next(t0 + PATIENCE * n).is_some());
        }
        let late = t0 + PATIENCE * 3 + GIVEN_UP_AFTER;
        assert_eq!(turns.give_up(late), [1, 2, 3, 4]);
        assert_eq!(turns.next(late), Some(Turn::Refuse('e')));
        assert!(!turns.ended(2), "its mail was told of already");
        turns.add('f');
        assert_eq!(turns.next(late), Some(Turn::Begin(5, 'f')));
    }
}
