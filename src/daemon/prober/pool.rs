//! The threads that make checks, started when needed and let go when idle.
//!
//! The event loop owns the pool and all of its state; a thread has its own channel of jobs, and all
//! of them one channel of reports. The thread used last is used next, so that the others can rest
//! and go, and a warm stack and cache are used again. Quick checks that begin together go in a [run](super::run).

use crate::daemon::channel::{Receiver, SendError, Sender, channel};
use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::run::Run;
use super::{CheckReport, Probe};
use crate::engine::time::Moment;
use crate::engine::verdict::answer::CheckEnd;
use crate::engine::verdict::judge;
use crate::engine::verdict::trouble::Trouble;

/// How long a thread without work is kept, ...
const IDLE: Duration = Duration::from_secs(10);
/// ... but for so many: to end one and to start it for the next round of checks wakes the machine twice more.
const KEPT: usize = 1;
/// Where the system has no thread to give for a run that another thread is at, it is asked for one again after this.
const ASK_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// The stack of a thread: three times the 64 KiB that a TLS handshake takes unoptimised (measured on
/// x86-64 with elliptic curves; the rest is for RSA, other machines and the words of a panic). Only
/// what is touched becomes memory.
const STACK: usize = 192 * 1024;

/// Makes one check: [`Prober::check`](super::Prober::check), but for tests.
pub type ProbeFn = dyn Fn(&Probe) -> CheckEnd + Send + Sync;

/// Wakes the event loop, so that it fetches the reports. Called from the threads.
pub type Wake = dyn Fn() + Send + Sync;

/// The threads.
pub struct Pool {
    max: usize,
    context: WorkerContext,
    /// By worker number; `None` is a free number.
    workers: Vec<Option<Sender<Job>>>,
    /// Those without a job, the one idle for the longest in front.
    idle: VecDeque<Idle>,
    /// How many threads have a job.
    working: usize,
    /// How many checks have begun, or are to begin in the run.
    under_way: usize,
    /// Quick checks that go into the run together.
    gathered: Vec<Probe>,
    /// Whether the run needs help is looked at, while it goes on.
    look: Option<Look>,
}

/// A look at the run.
#[derive(Clone, Copy)]
struct Look {
    /// When.
    at: Moment,
    /// How many checks had ended the last time: it gets on if there are more.
    ended: u64,
}

/// What every thread is given.
#[derive(Clone)]
struct WorkerContext {
    check: Arc<ProbeFn>,
    reports: Sender<CheckReport>,
    wake: Arc<Wake>,
    run: Arc<Run>,
}

/// What a thread is to do.
struct Job {
    /// To make this check,
    probe: Probe,
    /// and then those that wait in the run.
    joins_run: bool,
}

struct Idle {
    worker: usize,
    since: Moment,
}

impl Pool {
    /// A pool of at most `max` threads, none of them started yet. Each check ends as a report in
    /// `reports`, and then `wake` is called; of a run, when all have ended, or [`Pool::next_deadline`] wakes the loop.
    pub fn new(
        max: usize,
        check: Arc<ProbeFn>,
        reports: Sender<CheckReport>,
        wake: Arc<Wake>,
    ) -> Pool {
        Pool {
            max,
            context: WorkerContext { check, reports, wake, run: Arc::default() },
            workers: Vec::new(),
            idle: VecDeque::new(),
            working: 0,
            under_way: 0,
            gathered: Vec::new(),
            look: None,
        }
    }

    /// Whether checks are under way.
    pub fn is_busy(&self) -> bool {
        self.under_way > 0
    }

    /// How many threads are making checks.
    pub fn working(&self) -> usize {
        self.working
    }

    /// How many threads there may be.
    pub fn most(&self) -> usize {
        self.max
    }

    /// How many more checks may be started.
    pub fn free(&self) -> usize {
        self.max - self.under_way
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.working + self.idle.len()
    }

    /// Starts a check; a quick one with the others of this turn, in [`Pool::begin_run`].
    ///
    /// # Errors
    ///
    /// Gives the probe back when all threads are busy, or when the system has no thread to give.
    pub fn start(&mut self, probe: Probe) -> Result<(), Probe> {
        if self.free() == 0 {
            return Err(probe);
        }
        if probe.quick.is_some() {
            self.under_way += 1;
            self.gathered.push(probe);
            return Ok(());
        }
        let Some(worker) = self.worker() else { return Err(probe) };
        self.hand_over(worker, Job { probe, joins_run: false })?;
        self.under_way += 1;
        Ok(())
    }

    /// Has the quick checks made that were started in this turn. Gives back those for which there is no thread.
    pub fn begin_run(&mut self, now: Moment) -> Vec<Probe> {
        if self.gathered.is_empty() {
            return Vec::new();
        }
        let begun = self.context.run.push(now, self.gathered.drain(..)) || self.help(now);
        if begun {
            self.look = self.look.or_else(|| Some(self.look_at(now + self.context.run.patience())));
            return Vec::new();
        }
        let given_back = self.context.run.withdraw();
        self.under_way = self.under_way.saturating_sub(given_back.len());
        given_back
    }

    /// To be called with each report: its thread may be idle from `now` on.
    pub fn finished(&mut self, report: &CheckReport, now: Moment) {
        self.under_way = self.under_way.saturating_sub(1);
        if report.rests {
            self.working = self.working.saturating_sub(1);
            self.idle.push_back(Idle { worker: report.worker, since: now });
            self.look = self.look.filter(|_| self.context.run.oldest().is_some());
        }
    }

    /// When [`handle_deadline`](Pool::handle_deadline) is to be called next; changes with
    /// [`begin_run`](Pool::begin_run), [`start`](Pool::start) and [`finished`](Pool::finished).
    pub fn next_deadline(&self) -> Option<Moment> {
        let idle =
            self.idle.front().filter(|_| self.threads() > KEPT).map(|idle| idle.since + IDLE);
        idle.into_iter().chain(self.look.map(|look| look.at)).min()
    }

    /// Lets those threads go that have been idle for long, and helps a run that takes long.
    pub fn handle_deadline(&mut self, now: Moment) {
        if let Some(look) = self.look.filter(|look| look.at <= now) {
            self.look = self.help_if_stuck(look, now);
        }
        while self.threads() > KEPT && self.idle.front().is_some_and(|it| it.since + IDLE <= now) {
            if let Some(idle) = self.idle.pop_front() {
                self.dismiss(idle.worker);
            }
        }
    }

    /// The next look. Where nothing waits, the loop was woken for the reports there are, and the thread at the last
    /// check wakes it.
    fn help_if_stuck(&mut self, look: Look, now: Moment) -> Option<Look> {
        let patience = self.context.run.patience();
        let overdue_at = self.context.run.oldest()? + patience;
        if overdue_at > now {
            return Some(self.look_at(overdue_at));
        }
        let gets_on = self.context.run.ended() > look.ended;
        let is_helped = gets_on || self.help(now);
        Some(self.look_at(now + if is_helped { patience } else { ASK_AGAIN_AFTER }))
    }

    fn look_at(&self, at: Moment) -> Look {
        Look { at, ended: self.context.run.ended() }
    }

    /// Another thread makes those checks that wait in the run. False: there is none to be had.
    fn help(&mut self, now: Moment) -> bool {
        let Some(worker) = self.worker() else { return false };
        match self.context.run.join() {
            Some(probe) => {
                let handed_over = self.hand_over(worker, Job { probe, joins_run: true });
                handed_over.map_err(|probe| self.context.run.leave(now, probe)).is_ok()
            }
            None => {
                self.idle.push_back(Idle { worker, since: now });
                true
            }
        }
    }

    /// A worker without a job: the one that had one last, or a new one.
    fn worker(&mut self) -> Option<usize> {
        if let Some(idle) = self.idle.pop_back() {
            return Some(idle.worker);
        }
        let started = self.start_worker();
        started.inspect_err(|error| log::warn!("cannot start a thread for a check: {error}")).ok()
    }

    /// Gives a worker a job. A worker that is gone (it never should be) is struck off.
    fn hand_over(&mut self, worker: usize, job: Job) -> Result<(), Probe> {
        let Some(Some(jobs)) = self.workers.get(worker) else {
            return Err(job.probe);
        };
        match jobs.send(job) {
            Ok(()) => {
                self.working += 1;
                Ok(())
            }
            Err(SendError(job)) => {
                self.dismiss(worker);
                Err(job.probe)
            }
        }
    }

    /// A thread ends when its channel of jobs is closed.
    fn dismiss(&mut self, worker: usize) {
        if let Some(place) = self.workers.get_mut(worker) {
            *place = None;
        }
    }

    fn start_worker(&mut self) -> std::io::Result<usize> {
        let worker = self.free_number();
        let (jobs, inbox) = channel();
        let context = self.context.clone();
        thread::Builder::new()
            .name(format!("check-{worker}"))
            .stack_size(STACK)
            .spawn(move || context.serve(worker, &inbox))?;
        if let Some(place) = self.workers.get_mut(worker) {
            *place = Some(jobs);
        }
        Ok(worker)
    }

    fn free_number(&mut self) -> usize {
        let free = self.workers.iter().position(Option::is_none);
        free.unwrap_or_else(|| {
            self.workers.push(None);
            self.workers.len() - 1
        })
    }
}

impl WorkerContext {
    /// The life of a thread: until its channel is closed, or nobody wants its reports.
    fn serve(&self, worker: usize, inbox: &Receiver<Job>) {
        for Job { mut probe, joins_run } in inbox.iter() {
            loop {
                let began = Instant::now();
                let end = self.check(&probe);
                let latency = began.elapsed();
                let next = if joins_run { self.run.next() } else { None };
                let (id, rests) = (probe.id, next.is_none());
                let report = CheckReport { id, worker, end, began, latency, rests };
                if self.reports.send(report).is_err() {
                    return;
                }
                match next {
                    Some(next) => probe = next,
                    None => break,
                }
            }
            (self.wake)();
        }
    }

    /// A panic is the failure of the check that it happened in, and of nothing else.
    fn check(&self, probe: &Probe) -> CheckEnd {
        let check = AssertUnwindSafe(|| (self.check)(probe));
        panic::catch_unwind(check).unwrap_or_else(|panic| {
            let text = format!("internal error: {}", message(panic.as_ref()));
            log::error!("a check panicked: {text}");
            CheckEnd::Verdict(judge(Err(Trouble::Other(text))))
        })
    }
}

/// What the panic said.
fn message(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without a word")
}

impl fmt::Debug for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Pool")
            .field("max", &self.max)
            .field("working", &self.working)
            .field("idle", &self.idle.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
