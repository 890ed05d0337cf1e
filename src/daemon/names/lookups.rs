//! The threads that look names up, and who goes first.
//!
//! getaddrinfo(3) cannot be cancelled and may take half a minute, so it is nobody's own thread
//! that asks. Few threads are enough, since look-ups are shared and remembered. Names whose last
//! look-up was slow have a lane of their own: whatever becomes of the line to the internet, the
//! names that are answered at once find a thread.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::panic::{self, AssertUnwindSafe};
use std::sync::{Arc, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use super::system::{Family, worse};
use super::table::SLOW;
use super::{Fault, Shared, multicast};

/// The most look-ups at once. With the name service away each can take 10 s and more, and fifty
/// names are to be found out within half a minute. A thread takes 20 KiB while it waits.
pub const THREADS_MAX: usize = 24;

/// Of all threads, so many are not for names that were slow.
const QUICK_MIN: usize = 4;

/// How long a thread without work waits for more before it ends.
const IDLE: Duration = Duration::from_secs(10);

/// The stack of a look-up thread: glibc loads its name service modules on it, musl keeps its
/// packets there (about 10 KiB). Only what is touched becomes memory.
const STACK: usize = 256 * 1024;

/// The most look-ups that wait in a lane; beyond, one fails at once. What waits stays when nobody
/// waits for it any more, so with the line away these may be all names that there are: some 100
/// bytes each.
const QUEUE_MAX: usize = 1024;

/// What a thread has to do.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Job {
    /// Find addresses of a name.
    Name(String),
    /// IPv4 addresses are found; are there IPv6 addresses, too?
    SecondFamily(String),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Lane {
    Quick,
    Slow,
}

/// The work that waits, and the threads that do it.
pub(super) struct Lookups {
    threads_max: usize,
    quick: VecDeque<Job>,
    slow: VecDeque<Job>,
    /// How many threads are at work in the slow lane.
    slow_running: usize,
    threads: usize,
    idle: usize,
}

impl Lookups {
    /// At most `threads_max` at once, more than [`QUICK_MIN`] and at most [`THREADS_MAX`].
    pub(super) fn new(threads_max: usize) -> Lookups {
        Lookups {
            threads_max: threads_max.clamp(QUICK_MIN + 1, THREADS_MAX),
            quick: VecDeque::new(),
            slow: VecDeque::new(),
            slow_running: 0,
            threads: 0,
            idle: 0,
        }
    }

    /// Has `name` looked up, and its entry in the table settled. `false` when nobody can do it.
    #[must_use]
    pub(super) fn add(&mut self, name: &str, was_slow: bool, shared: &Arc<Shared>) -> bool {
        let lane = if was_slow { Lane::Slow } else { Lane::Quick };
        self.push(Job::Name(name.to_owned()), lane, shared)
    }

    /// Nobody waits for this one.
    fn add_second_family(&mut self, name: &str, shared: &Arc<Shared>) {
        let job = Job::SecondFamily(name.to_owned());
        if !self.slow.contains(&job) && !self.push(job, Lane::Slow, shared) {
            log::debug!("no thread to look up IPv6 addresses of {name}");
        }
    }

    fn push(&mut self, job: Job, lane: Lane, shared: &Arc<Shared>) -> bool {
        // Names that wait for nothing do not take the others' places, either.
        if self.queue(lane).len() >= QUEUE_MAX {
            return false;
        }
        if self.ready() >= self.idle && self.threads < self.threads_max {
            self.start_thread(shared);
        }
        if self.threads == 0 {
            return false;
        }
        self.queue(lane).push_back(job);
        shared.work.notify_one();
        true
    }

    fn queue(&mut self, lane: Lane) -> &mut VecDeque<Job> {
        match lane {
            Lane::Quick => &mut self.quick,
            Lane::Slow => &mut self.slow,
        }
    }

    /// How much of the work that waits may be begun now.
    fn ready(&self) -> usize {
        self.quick.len() + self.slow.len().min(self.slow_places())
    }

    fn slow_places(&self) -> usize {
        (self.threads_max - QUICK_MIN).saturating_sub(self.slow_running)
    }

    fn take(&mut self) -> Option<(Job, Lane)> {
        if let Some(job) = self.quick.pop_front() {
            return Some((job, Lane::Quick));
        }
        if self.slow_places() == 0 {
            return None;
        }
        let job = self.slow.pop_front()?;
        self.slow_running += 1;
        Some((job, Lane::Slow))
    }

    fn done(&mut self, lane: Lane) {
        if lane == Lane::Slow {
            self.slow_running -= 1;
        }
    }

    /// If it cannot be started, the others have more to do.
    fn start_thread(&mut self, shared: &Arc<Shared>) {
        let shared = shared.clone();
        let started = thread::Builder::new()
            .name("names".to_owned())
            .stack_size(STACK)
            .spawn(move || serve(&shared));
        match started {
            Ok(_) => self.threads += 1,
            Err(error) => log::warn!("cannot start a thread to look up names: {error}"),
        }
    }
}

/// The life of a look-up thread. A panic is a failed look-up, and nothing else.
fn serve(shared: &Arc<Shared>) {
    while let Some((job, lane)) = next(shared) {
        let run = AssertUnwindSafe(|| match &job {
            Job::Name(name) => look_up(shared, name),
            Job::SecondFamily(name) => {
                let found = ask(shared, name, Family::V6);
                shared.lock().table.settle_v6(name, found);
            }
        });
        if let (Err(_), Job::Name(name)) = (panic::catch_unwind(run), &job) {
            // Whoever waits takes it from the table.
            let _ = shared.settle(name, Err(Fault::Away));
        }
        shared.lock().lookups.done(lane);
    }
}

/// The next thing to do; `None` when there has been nothing for long, and the thread counts no more.
fn next(shared: &Shared) -> Option<(Job, Lane)> {
    let mut state = shared.lock();
    if state.lookups.ready() == 0 {
        state.lookups.idle += 1;
        state = shared
            .work
            .wait_timeout_while(state, IDLE, |state| state.lookups.ready() == 0)
            .unwrap_or_else(PoisonError::into_inner)
            .0;
        state.lookups.idle -= 1;
    }
    let job = state.lookups.take();
    if job.is_none() {
        state.lookups.threads -= 1;
    }
    job
}

/// Looks `name` up, over mDNS or from the system, and tells all who wait for it.
fn look_up(shared: &Arc<Shared>, name: &str) {
    let begun = Instant::now();
    shared.lock().table.begin(name, begun);
    if let Some(question) = shared.query(name) {
        let _ = shared.settle(name, multicast::answer(&question, None));
        return;
    }
    let v4 = ask(shared, name, Family::V4);
    if let Ok(found) = v4 {
        let mut state = shared.lock();
        state.table.settle_v4(name, found, Instant::now());
        state.lookups.add_second_family(name, shared);
        drop(state);
        shared.ended.notify_all();
        return;
    }
    // Where nobody answers, nobody answers for the other family, and it has taken long enough.
    let silent = v4 == Err(Fault::Away) && begun.elapsed() >= SLOW;
    let found = match (v4, silent) {
        (Err(why), false) => match ask(shared, name, Family::V6) {
            Ok(v6) => return shared.settle_v6_alone(name, v6, why),
            Err(other) => Err(worse(why, other)),
        },
        (v4, _) => v4,
    };
    let _ = shared.settle(name, found);
}

/// The addresses of `name` from the system, IPv4 first, for as long as it takes. What the second family
/// brings is a bonus.
pub(super) fn ask_both(shared: &Shared, name: &str) -> Result<Vec<SocketAddr>, Fault> {
    match (ask(shared, name, Family::V4), ask(shared, name, Family::V6)) {
        (Err(v4), Err(v6)) => Err(worse(v4, v6)),
        (v4, v6) => Ok(v4.into_iter().chain(v6).flatten().collect()),
    }
}

/// One question to the system: addresses, never none of them.
fn ask(shared: &Shared, name: &str, family: Family) -> Result<Vec<SocketAddr>, Fault> {
    let found = (shared.look_up)(name, family);
    if family == Family::V4 {
        // (Some routers never answer for IPv6.)
        shared.lock().table.hear(name, found.as_ref().err().copied(), Instant::now());
    }
    if found.as_ref().is_ok_and(Vec::is_empty) { Err(Fault::Unknown) } else { found }
}
