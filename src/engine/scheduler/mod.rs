//! The scheduler: when each app is asked, which check may take a thread, and how each check ends.
//!
//! One check at a time for each app, and of an app at an address never two, whatever is registered,
//! paused or stopped meanwhile. It knows nothing of states, and nobody's name.

mod haste;
pub mod lanes;
mod manner;
mod pace;
mod rounds;
mod running;
pub mod shortage;
mod slot;
pub mod spread;

use std::time::Duration;

use self::lanes::{Lane, Lanes, Start, Ticket};
pub use self::manner::Manner;
use self::rounds::Rounds;
use self::running::Running;
pub use self::running::{Destination, Ran, STOOD_STILL};
use self::shortage::{OVER_AFTER, Shortage};
use self::slot::{Asked, Slot};
use super::registration::Registration;
use super::registry::AppId;
use super::registry::history::Latencies;
use super::sorted::SortedMap;
use super::time::{Moment, Now, earlier};
use super::verdict::answer::{CheckEnd, Outcome, Verdict};
use super::wheel::TimerWheel;

/// What the scheduler has to know of a registration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Timing {
    /// The time between two checks.
    pub interval: Duration,
    /// How long a check may take.
    pub timeout: Duration,
}

impl Timing {
    /// That of a registration.
    pub fn of(registration: &Registration) -> Timing {
        Timing { interval: registration.interval, timeout: registration.timeout }
    }
}

/// A check that has a thread from now on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Begin {
    /// The app to ask.
    pub app: AppId,
    /// The check's number, given back in [`Scheduler::handle_end`].
    pub check: u64,
    /// A shorter time than its time-out after which it is given up without a verdict.
    pub short_timeout: Option<Duration>,
    /// How long it is likely to take, if that is so little that it may be made in a row with others.
    pub quick: Option<Duration>,
    /// It had to wait so long for its thread that a shortage begins.
    pub shortage: Option<Duration>,
}

/// What the end of a check tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ended {
    /// A verdict that counts.
    Verdict {
        /// On whom.
        app: AppId,
        /// The verdict.
        verdict: Verdict,
        /// We stood still meanwhile: it may have taken less time than it seems.
        stood_still: bool,
    },
    /// Nothing, and it is tried again.
    Undecided {
        /// Who was asked.
        app: AppId,
        /// Why, in a sentence.
        reason: String,
    },
}

/// What a deadline of the scheduler is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wait {
    /// The next check.
    Check,
    /// A look whether the shortage of threads is over.
    Shortage,
}

/// Numbers for the metrics and `/health`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Load {
    /// Checks that wait for a thread.
    pub waiting: usize,
    /// Since when the one of them is due that waits longest.
    pub longest: Option<Moment>,
    /// Checks that came late for want of threads since the start.
    pub late: u64,
    /// How late the last of them was, unless that is over.
    pub lately: Option<Duration>,
    /// The most threads there may be.
    pub workers: usize,
}

/// Every check that is due, waits or is under way.
#[derive(Debug)]
pub struct Scheduler {
    /// In boxes: so the code of both maps is there once.
    slots: SortedMap<AppId, Box<Slot>>,
    /// The next check of each app.
    wheel: TimerWheel<AppId>,
    running: SortedMap<u64, Box<Running>>,
    last_check: u64,
    lanes: Lanes<AppId>,
    /// Those whose pace is shared.
    rounds: Rounds,
    shortage: Shortage,
    look_at_shortage: Option<Moment>,
    /// Every app is asked so often at least, for a while.
    haste: Option<Duration>,
    /// When the turn began that is under way.
    turn: Moment,
    lateness: Latencies,
}

impl Scheduler {
    /// A scheduler of nothing yet, with a pool of so many threads at the most.
    pub fn new(workers: usize) -> Scheduler {
        Scheduler {
            slots: SortedMap::default(),
            wheel: TimerWheel::default(),
            running: SortedMap::default(),
            last_check: 0,
            lanes: Lanes::new(workers),
            rounds: Rounds::default(),
            shortage: Shortage::default(),
            look_at_shortage: None,
            haste: None,
            turn: Moment::default(),
            lateness: Latencies::default(),
        }
    }

    /// What is to be seen of it.
    pub fn load(&self) -> Load {
        Load {
            waiting: self.lanes.waiting(),
            longest: self.lanes.longest(),
            late: self.shortage.late(),
            lately: self.shortage.lately(),
            workers: self.lanes.workers(),
        }
    }

    /// How late checks began, by when they were due, since the start.
    pub fn lateness(&self) -> &Latencies {
        &self.lateness
    }
}

/// What makes an app be asked.
impl Scheduler {
    /// Asks an app at once, and again when it is due. One that is being asked is not asked twice.
    pub fn ask_now(&mut self, now: Now, id: AppId) {
        self.ask_when_due(now.at, id, now.at);
    }

    /// Asks an app that is due. One that is being asked is not asked twice. One that was broken off
    /// and still waits for a check in full gets another try instead: it may be well again.
    fn ask_when_due(&mut self, now: Moment, id: AppId, due: Moment) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        match &mut slot.asked {
            Asked::No => self.ask(now, id, due),
            Asked::Void { next, .. } => {
                next.get_or_insert(due);
            }
            Asked::Waits { ticket, .. } if ticket.lane == Lane::BrokenOff => {
                let ticket = *ticket;
                self.lanes.withdraw(ticket, &id);
                slot.check_due = due;
                self.queue(now, id, Ticket { lane: Lane::New, due, ..ticket });
            }
            Asked::Waits { .. } | Asked::Runs { .. } => {}
        }
    }

    /// Has an app asked in a check that was due at `due`.
    fn ask(&mut self, now: Moment, id: AppId, due: Moment) {
        self.last_check += 1;
        let check = self.last_check;
        let Some(slot) = self.slots.get_mut(&id) else { return };
        slot.check_due = due;
        let lane = slot.manner.lane;
        self.queue(now, id, Ticket { lane, due, check });
    }

    fn queue(&mut self, now: Moment, id: AppId, ticket: Ticket) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        slot.asked = Asked::Waits { ticket, since: now };
        self.lanes.push(ticket, id);
    }

    /// Takes the next check that may have a thread now.
    pub fn poll_begin(&mut self) -> Option<Begin> {
        let Start { job: id, check, seat } = self.lanes.poll()?;
        // Who is stopped is withdrawn: whatever waits belongs to an app.
        let slot = self.slots.get_mut(&id)?;
        let asked = std::mem::replace(&mut slot.asked, Asked::Runs { check });
        let short_timeout = slot.manner.short_timeout(seat.short_timeout);
        let quick = slot.manner.quick();
        let Timing { interval, timeout } = slot.timing;
        let limit = short_timeout.map_or(timeout, |short_timeout| short_timeout.min(timeout));
        let running = Running { app: id, seat, limit, stood_still: false, left_behind: None };
        self.running.insert(check, Box::new(running));
        let shortage = match asked {
            Asked::Waits { since, .. } => self.note_wait(self.turn.since(since), interval),
            _ => None,
        };
        Some(Begin { app: id, check, short_timeout, quick, shortage })
    }

    /// A check has a thread after it had `waited` for one.
    fn note_wait(&mut self, waited: Duration, interval: Duration) -> Option<Duration> {
        self.shortage.observe(self.turn, waited, interval)?;
        self.look_at_shortage = Some(self.turn + OVER_AFTER);
        Some(waited)
    }
}

/// What ends that.
impl Scheduler {
    /// Nothing of ours ran for `span` until now, though it was to: we were stopped or starved, or the
    /// machine slept. To be called before what has come meanwhile is handled.
    pub fn handle_standstill(&mut self, span: Duration) {
        if span > STOOD_STILL {
            self.running.values_mut().for_each(|running| running.stood_still = true);
        }
    }

    /// A check has ended. `None`: it counts no more, or goes on in full.
    pub fn handle_end(&mut self, now: Now, check: u64, end: CheckEnd, ran: Ran) -> Option<Ended> {
        self.turn = now.at;
        let Running { app: id, seat, limit, stood_still, .. } = *self.running.remove(&check)?;
        self.lanes.finished(seat);
        // Its own thread may have stood still while the loop ran.
        let stood_still = stood_still || ran.latency > limit + STOOD_STILL;
        let slot = self.slots.get_mut(&id)?;
        match slot.asked {
            Asked::Runs { check: its } if its == check => {
                slot.asked = Asked::No;
                self.conclude(now, id, Finished { check, end, ran, stood_still })
            }
            Asked::Void { check: its, next } if its == check => {
                slot.asked = Asked::No;
                if let Some(due) = next.filter(|_| !slot.is_paused()) {
                    self.ask(now.at, id, due);
                }
                None
            }
            _ => None,
        }
    }

    fn conclude(&mut self, now: Now, id: AppId, finished: Finished) -> Option<Ended> {
        let Finished { check, end, ran, stood_still } = finished;
        let slot = self.slots.get_mut(&id)?;
        let failed = matches!(&end, CheckEnd::Verdict(verdict) if verdict.outcome == Outcome::Fail);
        if let CheckEnd::Verdict(verdict) = &end
            && failed
            && stood_still
            && slot.takes_as_void()
        {
            let reason = format!("we stood still meanwhile; {}", verdict.reason);
            self.ask(now.at, id, now.at);
            return Some(Ended::Undecided { app: id, reason });
        }
        let passed = matches!(&end, CheckEnd::Verdict(_)) && !failed;
        if passed || !stood_still {
            slot.void_in_a_row = 0;
        }
        if !stood_still {
            slot.manner.observe(&end, ran.latency);
        }
        let late = ran.began.since(slot.check_due);
        self.lateness.count(u32::try_from(late.as_millis()).unwrap_or(u32::MAX));
        match end {
            CheckEnd::CutShort => {
                self.ask_in_full(now, id, check);
                None
            }
            CheckEnd::NoVerdict { reason } => Some(Ended::Undecided { app: id, reason }),
            CheckEnd::Verdict(verdict) => {
                self.reckon(id);
                self.suit_pace(now, id);
                Some(Ended::Verdict { app: id, verdict, stood_still })
            }
        }
    }

    /// A check was broken off.
    fn ask_in_full(&mut self, now: Now, id: AppId, check: u64) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        slot.manner.break_off(slot.check_due);
        let due = slot.manner.broken_off.unwrap_or(slot.check_due);
        slot.check_due = now.at;
        self.queue(now.at, id, Ticket { lane: Lane::BrokenOff, due, check });
        self.reckon(id);
    }

    /// The check that waits, if one does, is not made; one that is under way counts no more.
    fn void(&mut self, id: AppId) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        slot.asked = match slot.asked {
            Asked::Waits { ticket, .. } => {
                self.lanes.withdraw(ticket, &id);
                Asked::No
            }
            Asked::Runs { check } | Asked::Void { check, .. } => Asked::Void { check, next: None },
            Asked::No => Asked::No,
        };
    }

    /// Tells the lanes what an app needs now.
    fn reckon(&mut self, id: AppId) {
        let Some(slot) = self.slots.get_mut(&id) else { return };
        let now = if slot.is_paused() { 0 } else { slot.manner.share(slot.timing.interval) };
        let before = std::mem::replace(&mut slot.share, now);
        self.lanes.reckon(before, now);
    }
}

/// A check that has ended and counts.
struct Finished {
    check: u64,
    end: CheckEnd,
    ran: Ran,
    /// We did while it was under way.
    stood_still: bool,
}

/// The passing of time.
impl Scheduler {
    /// When there is something to do next, and what.
    pub fn next_deadline(&self) -> Option<(Moment, Wait)> {
        let check = self.wheel.next_deadline().map(|at| (at, Wait::Check));
        let shortage = self.look_at_shortage.map(|at| (at, Wait::Shortage));
        earlier(check, shortage)
    }

    /// A turn begins.
    pub fn handle_time(&mut self, now: Now) {
        self.turn = now.at;
    }

    /// Has the next app asked that is due.
    pub fn handle_check_deadline(&mut self, now: Now) {
        if let Some(id) = self.wheel.poll(now.at) {
            self.on_check_due(now, id);
        }
    }

    /// Looks whether the shortage of threads is over; whether it is.
    pub fn handle_shortage_deadline(&mut self, now: Now) -> bool {
        let change = self.shortage.look(now.at);
        self.look_at_shortage = match change {
            Some(shortage::Course::GoesOn(until)) => Some(until),
            _ => None,
        };
        change == Some(shortage::Course::Over)
    }
}

#[cfg(test)]
mod tests;
