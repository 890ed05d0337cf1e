//! The threads that make checks, started when needed and let go when idle.
//!
//! The event loop owns the pool and all of its state; a thread has its own channel of jobs, and all
//! of them one channel of reports. The thread used last is used next, so that the others can rest
//! and go, and a warm stack and cache are used again.

use crate::daemon::channel::{Receiver, SendError, Sender, channel};
use std::any::Any;
use std::collections::VecDeque;
use std::fmt;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use super::{CheckReport, Probe};
use crate::engine::time::Moment;
use crate::engine::verdict::answer::CheckEnd;
use crate::engine::verdict::judge;
use crate::engine::verdict::trouble::Trouble;

/// How long a thread without work is kept.
const IDLE: Duration = Duration::from_secs(10);

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
    workers: Vec<Option<Sender<Probe>>>,
    /// Those without a job, the one idle for the longest in front.
    idle: VecDeque<Idle>,
    busy: usize,
}

/// What every thread is given.
#[derive(Clone)]
struct WorkerContext {
    check: Arc<ProbeFn>,
    reports: Sender<CheckReport>,
    wake: Arc<Wake>,
}

struct Idle {
    worker: usize,
    since: Moment,
}

impl Pool {
    /// A pool of at most `max` threads, none of them started yet. Each check ends as a report in
    /// `reports`, and then `wake` is called.
    pub fn new(
        max: usize,
        check: Arc<ProbeFn>,
        reports: Sender<CheckReport>,
        wake: Arc<Wake>,
    ) -> Pool {
        Pool {
            max,
            context: WorkerContext { check, reports, wake },
            workers: Vec::new(),
            idle: VecDeque::new(),
            busy: 0,
        }
    }

    /// How many checks are under way.
    pub fn busy(&self) -> usize {
        self.busy
    }

    /// How many threads there may be.
    pub fn most(&self) -> usize {
        self.max
    }

    /// How many more checks may be started.
    pub fn free(&self) -> usize {
        self.max - self.busy
    }

    /// How many threads there are.
    pub fn threads(&self) -> usize {
        self.busy + self.idle.len()
    }

    /// Starts a check.
    ///
    /// # Errors
    ///
    /// Gives the probe back when all threads are busy, or when the system has no thread to give.
    pub fn start(&mut self, probe: Probe) -> Result<(), Probe> {
        if self.free() == 0 {
            return Err(probe);
        }
        let mut probe = probe;
        while let Some(Idle { worker, .. }) = self.idle.pop_back() {
            match self.hand_over(worker, probe) {
                Ok(()) => return Ok(()),
                Err(back) => probe = back,
            }
        }
        match self.start_worker() {
            Ok(worker) => self.hand_over(worker, probe),
            Err(error) => {
                log::warn!("cannot start a thread for a check: {error}");
                Err(probe)
            }
        }
    }

    /// To be called with each report: its thread is idle from `now` on.
    pub fn finished(&mut self, report: &CheckReport, now: Moment) {
        self.busy = self.busy.saturating_sub(1);
        self.idle.push_back(Idle { worker: report.worker, since: now });
    }

    /// When [`handle_deadline`](Pool::handle_deadline) is to be called next; changes with
    /// [`start`](Pool::start) and [`finished`](Pool::finished).
    pub fn next_deadline(&self) -> Option<Moment> {
        self.idle.front().map(|idle| idle.since + IDLE)
    }

    /// Lets those threads go that have been idle for long.
    pub fn handle_deadline(&mut self, now: Moment) {
        while self.next_deadline().is_some_and(|at| at <= now) {
            if let Some(idle) = self.idle.pop_front() {
                self.dismiss(idle.worker);
            }
        }
    }

    /// Gives `probe` to a worker without a job. A worker that is gone (it never should be) is
    /// struck off.
    fn hand_over(&mut self, worker: usize, probe: Probe) -> Result<(), Probe> {
        let Some(Some(jobs)) = self.workers.get(worker) else {
            return Err(probe);
        };
        match jobs.send(probe) {
            Ok(()) => {
                self.busy += 1;
                Ok(())
            }
            Err(SendError(probe)) => {
                self.dismiss(worker);
                Err(probe)
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
    fn serve(&self, worker: usize, inbox: &Receiver<Probe>) {
        for probe in inbox.iter() {
            let started = Instant::now();
            let end = self.check(&probe);
            let report = CheckReport { id: probe.id, worker, end, latency: started.elapsed() };
            if self.reports.send(report).is_err() {
                return;
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
            .field("busy", &self.busy)
            .field("idle", &self.idle.len())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use crate::daemon::channel::channel;
    use std::sync::Mutex;

    use super::*;
    use crate::engine::registration::Origin;
    use crate::engine::verdict::Answer;
    use crate::engine::verdict::answer::{Outcome, Verdict};
    use crate::engine::verdict::probe::{ProbeKind, Request};

    fn kind(url: &str) -> ProbeKind {
        ProbeKind::Http(Box::new(Request { url: url.to_owned(), ..Request::default() }))
    }

    fn probe(url: &str) -> Probe {
        Probe {
            id: 7,
            kind: kind(url),
            timeout: Duration::from_secs(5),
            short_timeout: None,
            origin: Origin::OwnMachine,
            locate: false,
        }
    }

    /// A pool whose checks wait for a word, and what comes of them.
    struct Bench {
        pool: Pool,
        reports: Receiver<CheckReport>,
        woken: Receiver<()>,
        go: Sender<()>,
    }

    impl Bench {
        fn new(max: usize) -> Bench {
            let (go, gate) = channel::<()>();
            let gate = Mutex::new(gate);
            let check = move |probe: &Probe| {
                gate.lock().unwrap().recv().ok();
                assert_ne!(probe.kind, kind("panic"), "on purpose");
                CheckEnd::CutShort
            };
            let (sender, reports) = channel();
            let (waker, woken) = channel();
            let wake = move || waker.send(()).unwrap();
            Bench {
                pool: Pool::new(max, Arc::new(check), sender, Arc::new(wake)),
                reports,
                woken,
                go,
            }
        }

        fn start(&mut self, url: &str) -> Result<(), Probe> {
            self.pool.start(probe(url))
        }

        /// Lets one check go on to its end, at `seconds`.
        fn finish(&mut self, seconds: u64) -> CheckReport {
            self.go.send(()).unwrap();
            self.woken.recv().unwrap();
            let report = self.reports.recv().unwrap();
            let now = Moment::from_millis(seconds * 1000);
            self.pool.finished(&report, now);
            report
        }
    }

    #[test]
    fn there_are_never_more_threads_than_allowed() {
        let mut bench = Bench::new(2);
        assert_eq!(bench.pool.threads(), 0, "none before the first check");
        bench.start("a").unwrap();
        bench.start("b").unwrap();
        assert_eq!(bench.start("c").unwrap_err().kind, kind("c"));
        assert_eq!((bench.pool.busy(), bench.pool.free()), (2, 0));
        let report = bench.finish(0);
        assert_eq!((report.id, report.end), (7, CheckEnd::CutShort));
        bench.start("c").unwrap();
        assert_eq!(bench.pool.threads(), 2);
    }

    #[test]
    fn the_thread_used_last_is_used_next_and_the_others_go() {
        let mut bench = Bench::new(4);
        bench.start("a").unwrap();
        bench.start("b").unwrap();
        bench.finish(0);
        let last = bench.finish(1).worker;
        for second in 2..6 {
            bench.start("c").unwrap();
            assert_eq!(bench.finish(second).worker, last);
        }
        let at = |ms| Some(Moment::from_millis(ms));
        assert_eq!(bench.pool.next_deadline(), at(10_000));
        bench.pool.handle_deadline(Moment::from_millis(9_999));
        assert_eq!(bench.pool.threads(), 2);
        bench.pool.handle_deadline(Moment::from_millis(10_000));
        assert_eq!(bench.pool.threads(), 1);
        assert_eq!(bench.pool.next_deadline(), at(15_000));
        bench.pool.handle_deadline(Moment::from_millis(20_000));
        assert_eq!(bench.pool.threads(), 0);
        assert_eq!(bench.pool.next_deadline(), None);
    }

    /// What would overflow it ends the daemon, and cannot be contained.
    #[test]
    fn the_stack_of_a_thread_holds_the_deepest_answer() {
        // The JSON parser follows 128 levels; those before it must fit, and more must not matter.
        let nested = |open: &str, close: &str, levels: usize| {
            let (open, close) = (open.repeat(levels), close.repeat(levels));
            format!(r#"{{"status":"fail","checks":{open}1{close}}}"#).into_bytes()
        };
        for body in [
            nested("[", "]", 120),
            nested(r#"{"a":"#, "}", 120),
            nested(r#"[{"status":"fail","checks":"#, "}]", 60),
            nested(r#"{"status":"DOWN","components":"#, "}", 120),
            nested("[", "]", 30_000),
        ] {
            let check = move |_: &Probe| {
                let answer = Answer {
                    status: 200,
                    expected: true,
                    content_type: "",
                    content_encoding: "gzip",
                    body: &body,
                    cut: false,
                    contains: None,
                };
                CheckEnd::Verdict(judge(Ok(answer)))
            };
            let (sender, reports) = channel();
            let mut pool = Pool::new(1, Arc::new(check), sender, Arc::new(|| ()));
            pool.start(probe("deep")).unwrap();
            assert!(matches!(reports.recv().unwrap().end, CheckEnd::Verdict(_)));
        }
    }

    #[test]
    fn a_panic_fails_the_check_and_the_thread_lives_on() {
        let mut bench = Bench::new(1);
        bench.start("panic").unwrap();
        let report = bench.finish(0);
        let CheckEnd::Verdict(Verdict { outcome, reason, .. }) = report.end else {
            panic!("a verdict is expected");
        };
        assert_eq!(outcome, Outcome::Fail);
        assert!(reason.starts_with("internal error: "), "{reason}");
        bench.start("a").unwrap();
        assert_eq!(bench.finish(0).worker, report.worker);
    }
}
