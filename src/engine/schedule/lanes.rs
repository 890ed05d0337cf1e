//! Which check may take a thread now, so that apps that hang do not delay the others.
//!
//! Two lanes lead to one pool. An app that answered quickly last time takes the *quick* lane; one
//! that hung or dawdled takes the *slow* lane, which never gets the last threads. While many
//! threads are busy, a quick check runs on a *leash*: if the app turns out to hang, the check is
//! broken off early, and run again in full in the slow lane. So even if every second app hangs in
//! the same moment, a thread is free for the next quick one.

use std::collections::VecDeque;
use std::time::Duration;

/// An answer that takes longer makes its app take the slow lane next time. Half a second is far
/// above what a healthy app on a LAN needs, and with ten apps a second beginning to hang it costs
/// five threads.
pub const LEASH: Duration = Duration::from_millis(500);

/// The lane that a check waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Lane {
    /// For apps that answer quickly.
    Quick,
    /// For apps that hung or dawdled.
    Slow,
}

/// A check that may start now.
#[derive(Debug, PartialEq, Eq)]
pub struct Start<J> {
    /// The check.
    pub job: J,
    /// Whether it is to be broken off after [`LEASH`].
    pub leashed: bool,
}

/// Checks that wait for a thread, and how many threads are taken.
#[derive(Debug)]
pub struct Lanes<J> {
    quick: VecDeque<J>,
    slow: VecDeque<J>,
    workers: usize,
    busy: usize,
}

impl<J> Lanes<J> {
    /// Lanes to a pool of at most `workers` threads (at least one).
    pub fn new(workers: usize) -> Lanes<J> {
        Lanes { quick: VecDeque::new(), slow: VecDeque::new(), workers: workers.max(1), busy: 0 }
    }

    /// Queues a check.
    pub fn push(&mut self, lane: Lane, job: J) {
        match lane {
            Lane::Quick => self.quick.push_back(job),
            Lane::Slow => self.slow.push_back(job),
        }
    }

    /// Takes the next check that may start; its thread counts as busy until [`Lanes::finished`].
    pub fn poll(&mut self) -> Option<Start<J>> {
        if self.busy >= self.workers {
            return None;
        }
        let leashed = self.busy >= self.unleashed();
        let start = match self.quick.pop_front() {
            Some(job) => Start { job, leashed },
            None if self.busy < self.slow_limit() => {
                Start { job: self.slow.pop_front()?, leashed: false }
            }
            None => return None,
        };
        self.busy += 1;
        Some(start)
    }

    /// A check has ended and its thread is free.
    pub fn finished(&mut self) {
        self.busy = self.busy.saturating_sub(1);
    }

    /// How many threads are taken.
    pub fn busy(&self) -> usize {
        self.busy
    }

    /// How many checks wait.
    pub fn waiting(&self) -> usize {
        self.quick.len() + self.slow.len()
    }

    /// While fewer threads are busy, a quick check has its full time-out: half of the pool.
    fn unleashed(&self) -> usize {
        self.workers.div_ceil(2)
    }

    /// The slow lane leaves a quarter of the pool to the quick one.
    fn slow_limit(&self) -> usize {
        self.workers - if self.workers > 1 { self.workers.div_ceil(4) } else { 0 }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_slow_lane_never_takes_the_last_quarter() {
        let mut lanes = Lanes::new(8);
        for job in 0..20 {
            lanes.push(Lane::Slow, job);
        }
        let started = std::iter::from_fn(|| lanes.poll()).count();
        assert_eq!((started, lanes.busy(), lanes.waiting()), (6, 6, 14));
        lanes.push(Lane::Quick, 99);
        assert_eq!(lanes.poll(), Some(Start { job: 99, leashed: true }));
    }

    #[test]
    fn quick_checks_come_first_and_are_leashed_when_it_is_crowded() {
        let mut lanes = Lanes::new(4);
        lanes.push(Lane::Slow, 1);
        for job in 2..=5 {
            lanes.push(Lane::Quick, job);
        }
        let order: Vec<_> =
            std::iter::from_fn(|| lanes.poll()).map(|s| (s.job, s.leashed)).collect();
        assert_eq!(order, [(2, false), (3, false), (4, true), (5, true)]);
        lanes.finished();
        assert_eq!(lanes.poll(), None, "three are busy: the slow lane waits");
        lanes.finished();
        assert_eq!(lanes.poll().map(|start| start.job), Some(1));
    }

    #[test]
    fn one_thread_serves_both_lanes() {
        let mut lanes = Lanes::new(1);
        lanes.push(Lane::Slow, 'a');
        assert_eq!(lanes.poll(), Some(Start { job: 'a', leashed: false }));
        assert_eq!(lanes.poll(), None);
    }
}
