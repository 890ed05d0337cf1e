//! Which check may take a thread now, so that apps that hang do not delay those that answer.
//!
//! Four lanes lead to one pool, by how an app has answered. An app that hangs keeps its thread for
//! the whole time-out, so the lanes of those that may hang have a bounded share of the threads: it
//! shrinks when those that answer need more, and never to nothing. While several threads are held by
//! full checks, others run on a *short time-out*: an app that takes much longer than it usually does is
//! broken off, and asked again in full in a lane of its own. So even if every second app begins to
//! hang in the same moment, a thread is free for the next one that answers.
//!
//! Among those that may start, the one that was due first does: what cannot be on time is late by
//! turns, and nobody waits for ever.

use crate::engine::sorted::SortedMap;
use crate::engine::time::Moment;

/// The lane that a check waits in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lane {
    /// For apps that answered last time, well or not.
    Answers,
    /// For apps that have not answered yet, and for another try of those broken off.
    New,
    /// For apps that were broken off: a check in full.
    BrokenOff,
    /// For apps that did not answer last time.
    Hangs,
}

const LANES: usize = 4;

/// Thousandths of a thread, on average: what an app that answers needs.
pub type Share = u32;

/// What a check waits with: in which lane, and since when it is due.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// The lane.
    pub lane: Lane,
    /// Who was due first goes first.
    pub due: Moment,
    /// The check.
    pub check: u64,
}

/// A thread that a check has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seat {
    lane: Lane,
    /// Whether the check is broken off when it takes unusually long.
    pub short_timeout: ShortTimeout,
}

impl Seat {
    fn is_loose(self) -> bool {
        self.short_timeout == ShortTimeout::None
    }

    fn is_tried(self) -> bool {
        self.lane == Lane::New && !self.is_loose()
    }
}

/// How long a check may take.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ShortTimeout {
    /// Its time-out.
    None,
    /// As long as is usual for the app.
    Usual,
    /// As short as there is: many more wait.
    Short,
}

/// A check that may start now.
#[derive(Debug, PartialEq, Eq)]
pub struct Start<J> {
    /// What was queued.
    pub job: J,
    /// Its check.
    pub check: u64,
    /// To be given back with [`Lanes::finished`].
    pub seat: Seat,
}

/// Checks that wait for a thread, and how many threads are taken.
#[derive(Debug)]
pub struct Lanes<J> {
    /// The check of each job, by when it is due. Of those that are due together the order is always the same: each has
    /// as much before it as last time.
    waiting: [SortedMap<(Moment, J), u64>; LANES],
    workers: usize,
    busy: usize,
    /// Of the busy ones, those without a short time-out.
    loose: usize,
    /// Of the busy ones, those of new apps on a short time-out.
    tried: usize,
    /// What all apps that answer need together.
    load: u64,
}

impl<J: Copy + Ord> Lanes<J> {
    /// Lanes to a pool of at most `workers` threads (at least one).
    pub fn new(workers: usize) -> Lanes<J> {
        Lanes {
            waiting: std::array::from_fn(|_| SortedMap::default()),
            workers: workers.max(1),
            busy: 0,
            loose: 0,
            tried: 0,
            load: 0,
        }
    }

    /// Queues a check.
    pub fn push(&mut self, ticket: Ticket, job: J) {
        self.lane(ticket.lane).insert((ticket.due, job), ticket.check);
    }

    /// Takes the check of a job back that waits.
    pub fn withdraw(&mut self, ticket: Ticket, job: &J) {
        self.lane(ticket.lane).remove(&(ticket.due, *job));
    }

    /// An app that answers needs another share than before; none when it hangs, or is not asked.
    pub fn reckon(&mut self, before: Share, now: Share) {
        self.load = (self.load + u64::from(now)).saturating_sub(u64::from(before));
    }

    /// Takes the next check that may start; its thread is busy until [`Lanes::finished`].
    pub fn poll(&mut self) -> Option<Start<J>> {
        // As in two turns of three.
        if self.waiting.iter().all(SortedMap::is_empty) || self.busy >= self.workers {
            return None;
        }
        let first = |lane: Lane| {
            let (due, job) = *self.waiting.get(lane as usize)?.keys().next()?;
            Some((due, job, lane))
        };
        // As a rule none waits, or one.
        let waiting = [Lane::Answers, Lane::New, Lane::BrokenOff, Lane::Hangs].into_iter();
        let may_start = waiting.filter_map(first).filter(|(_, _, lane)| self.has_room(*lane));
        let (due, job, lane) = may_start.min()?;
        let check = self.lane(lane).remove(&(due, job))?;
        let short_timeout = self.short_timeout(lane);
        let seat = Seat { lane, short_timeout };
        self.busy += 1;
        self.loose += usize::from(seat.is_loose());
        self.tried += usize::from(seat.is_tried());
        Some(Start { job, check, seat })
    }

    /// A check has ended and its thread is free.
    pub fn finished(&mut self, seat: Seat) {
        self.busy = self.busy.saturating_sub(1);
        self.loose = self.loose.saturating_sub(usize::from(seat.is_loose()));
        self.tried = self.tried.saturating_sub(usize::from(seat.is_tried()));
    }

    /// How many checks wait.
    pub fn waiting(&self) -> usize {
        self.waiting.iter().map(SortedMap::len).sum()
    }

    /// Since when the check that waits longest is due.
    pub fn longest(&self) -> Option<Moment> {
        self.waiting.iter().filter_map(|lane| Some(lane.keys().next()?.0)).min()
    }

    /// The most threads there may be.
    pub fn workers(&self) -> usize {
        self.workers
    }

    fn lane(&mut self, lane: Lane) -> &mut SortedMap<(Moment, J), u64> {
        let [answers, new, broken_off, hangs] = &mut self.waiting;
        match lane {
            Lane::Answers => answers,
            Lane::New => new,
            Lane::BrokenOff => broken_off,
            Lane::Hangs => hangs,
        }
    }

    /// Whether a thread is left for this lane. New apps are soon out of the way, those broken off may
    /// be well, those that hang have all the time there is: so each leaves some to the one before. (To
    /// find 50 that hang in 30 s takes 23 threads for them, checks of 5 s being begun together.)
    fn has_room(&self, lane: Lane) -> bool {
        let most = |steps: usize| self.left_by_those_that_answer().saturating_sub(steps).max(1);
        match lane {
            Lane::Answers => true,
            Lane::New => self.loose + self.tried < most(0),
            Lane::BrokenOff => self.loose < most(self.step()),
            Lane::Hangs => self.loose < most(self.step() * 5 / 4),
        }
    }

    /// Of the threads, an eighth and half more than they need on average are for apps that answer:
    /// checks come in crowds. They get five eighths at most, so that the others are asked at all.
    fn left_by_those_that_answer(&self) -> usize {
        let load = usize::try_from(self.load.div_ceil(1000)).unwrap_or(usize::MAX);
        let need = load.saturating_add(load / 2).saturating_add(self.step());
        self.workers - need.min(self.workers * 5 / 8)
    }

    /// An eighth of the pool.
    fn step(&self) -> usize {
        (self.workers / 8).max(1)
    }

    /// While no more than a quarter of the pool is held by checks in full, nobody needs to be broken
    /// off, and nobody is asked twice.
    fn short_timeout(&self, lane: Lane) -> ShortTimeout {
        let crowded = self.loose >= (self.workers / 4).max(1);
        let [_, new, ..] = &self.waiting;
        match lane {
            Lane::New if crowded && new.len() > self.step() => ShortTimeout::Short,
            Lane::New | Lane::Answers if crowded => ShortTimeout::Usual,
            _ => ShortTimeout::None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ticket(lane: Lane, due: u64) -> Ticket {
        Ticket { lane, due: Moment::from_millis(due), check: due }
    }

    fn filled(workers: usize, lane: Lane) -> Lanes<u64> {
        let mut lanes = Lanes::new(workers);
        for due in 0..100 {
            lanes.push(ticket(lane, due), due);
        }
        lanes
    }

    fn start_all(lanes: &mut Lanes<u64>) -> Vec<Start<u64>> {
        std::iter::from_fn(|| lanes.poll()).collect()
    }

    #[test]
    fn the_longer_a_lane_holds_its_threads_the_fewer_it_gets() {
        for (lane, most) in
            [(Lane::Answers, 32), (Lane::New, 28), (Lane::BrokenOff, 24), (Lane::Hangs, 23)]
        {
            let mut lanes = filled(32, lane);
            assert_eq!(start_all(&mut lanes).len(), most, "{lane:?}");
            assert_eq!(lanes.waiting(), 100 - most);
            lanes.push(ticket(Lane::Answers, 200), 200);
            assert_eq!(lanes.poll().is_some(), most < 32, "{lane:?}");
        }
    }

    #[test]
    fn the_others_get_what_those_that_answer_leave_and_never_nothing() {
        let most = |load: Share| {
            let mut lanes = filled(32, Lane::Hangs);
            lanes.reckon(0, load);
            start_all(&mut lanes).len()
        };
        assert_eq!([0, 1_000, 6_000, 10_000, 90_000].map(most), [23, 22, 14, 8, 7]);
        let mut lanes = filled(32, Lane::Hangs);
        lanes.reckon(0, 90_000);
        lanes.reckon(90_000, 0);
        assert_eq!(start_all(&mut lanes).len(), 23);
    }

    #[test]
    fn who_was_due_first_goes_first_among_those_that_may() {
        let mut lanes = Lanes::new(8);
        for (lane, due) in [(Lane::Hangs, 1), (Lane::Answers, 3), (Lane::New, 2), (Lane::Hangs, 4)]
        {
            lanes.push(ticket(lane, due), due);
        }
        lanes.withdraw(ticket(Lane::Hangs, 4), &4);
        assert_eq!(lanes.longest(), Some(Moment::from_millis(1)));
        let order: Vec<u64> = start_all(&mut lanes).iter().map(|start| start.job).collect();
        assert_eq!(order, [1, 2, 3]);
        assert_eq!((lanes.waiting(), lanes.longest(), lanes.workers()), (0, None, 8));
    }

    #[test]
    fn those_due_together_go_in_the_same_order_however_they_were_queued() {
        for order in [[1, 2, 3], [3, 1, 2]] {
            let mut lanes = Lanes::new(8);
            for (check, job) in order.into_iter().enumerate() {
                lanes.push(Ticket { check: check as u64, ..ticket(Lane::Answers, 5) }, job);
            }
            let jobs: Vec<u64> = start_all(&mut lanes).iter().map(|start| start.job).collect();
            assert_eq!(jobs, [1, 2, 3]);
        }
    }

    #[test]
    fn time_outs_are_short_when_it_gets_crowded() {
        let mut lanes = filled(8, Lane::Answers);
        let short_timeouts = |lanes: &mut Lanes<u64>| -> Vec<ShortTimeout> {
            start_all(lanes).iter().map(|start| start.seat.short_timeout).collect()
        };
        let mut expected = [ShortTimeout::Usual; 8];
        expected[..2].fill(ShortTimeout::None);
        assert_eq!(short_timeouts(&mut lanes), expected);
        let mut lanes = filled(8, Lane::New);
        expected[2..].fill(ShortTimeout::Short);
        assert_eq!(short_timeouts(&mut lanes), expected[..7]);
    }

    #[test]
    fn a_small_pool_serves_every_lane() {
        for workers in 1..=4 {
            let mut lanes = filled(workers, Lane::Hangs);
            for due in 100..200 {
                lanes.push(ticket(Lane::Answers, due), due);
            }
            lanes.reckon(0, 1_000_000);
            let mut seen = 0;
            while let Some(start) = lanes.poll() {
                seen += 1;
                lanes.finished(start.seat);
            }
            assert_eq!(seen, 200, "{workers} workers");
            assert_eq!((lanes.busy, lanes.tried, lanes.loose), (0, 0, 0));
        }
    }
}
