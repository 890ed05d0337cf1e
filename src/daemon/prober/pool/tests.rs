//! The pool with checks that wait for a word.

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
        quick: None,
        origin: Origin::OwnMachine,
        locate: false,
    }
}

/// What a quick check of these takes.
const USUAL: Duration = Duration::from_millis(25);

fn ms(ms: u64) -> Moment {
    Moment::from_millis(ms)
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
            if probe.kind != kind("at once") {
                gate.lock().unwrap().recv().ok();
            }
            assert_ne!(probe.kind, kind("panic"), "on purpose");
            CheckEnd::CutShort
        };
        let (sender, reports) = channel();
        let (waker, woken) = channel();
        let wake = move || waker.send(()).unwrap();
        Bench { pool: Pool::new(max, Arc::new(check), sender, Arc::new(wake)), reports, woken, go }
    }

    fn start(&mut self, url: &str) -> Result<(), Probe> {
        self.pool.start(probe(url))
    }

    /// Quick checks that begin together; each has its place for its number.
    fn run(&mut self, urls: &[&str], now: Moment) {
        for (id, url) in (0..).zip(urls) {
            self.pool.start(Probe { id, quick: Some(USUAL), ..probe(url) }).unwrap();
        }
        assert!(self.pool.begin_run(now).is_empty());
    }

    /// The next report there is or will be, at `now`; the loop need not have been woken for it.
    fn report(&mut self, now: Moment) -> CheckReport {
        let report = self.reports.recv().unwrap();
        self.pool.finished(&report, now);
        report
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
    assert_eq!((bench.pool.working(), bench.pool.free()), (2, 0));
    assert!(bench.pool.is_busy());
    let report = bench.finish(0);
    assert_eq!((report.id, report.end), (7, CheckEnd::CutShort));
    bench.start("c").unwrap();
    assert_eq!(bench.pool.threads(), 2);
}

#[test]
fn the_thread_used_last_is_used_next_and_kept_and_the_others_go() {
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
    // One is kept for the next round of checks, and wakes nobody until then.
    assert_eq!(bench.pool.next_deadline(), None);
    bench.pool.handle_deadline(Moment::from_millis(60_000));
    bench.start("c").unwrap();
    assert_eq!(bench.finish(61).worker, last);
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

#[test]
fn quick_checks_are_made_one_after_the_other_by_one_thread_which_wakes_the_loop_once() {
    let mut bench = Bench::new(8);
    for round in [1_000, 2_000, 3_000].map(ms) {
        bench.run(&["at once", "at once", "at once"], round);
        bench.woken.recv().unwrap();
        let reports = [0, 1, 2].map(|_| bench.report(round));
        assert_eq!(reports.each_ref().map(|report| report.id), [0, 1, 2]);
        assert_eq!(reports.each_ref().map(|report| report.rests), [false, false, true]);
        assert!(reports[1].began >= reports[0].began + reports[0].latency);
        assert_eq!((bench.pool.threads(), bench.pool.next_deadline()), (1, None));
        assert!(!bench.pool.is_busy());
    }
    assert!(bench.woken.try_recv().is_err());
}

#[test]
fn what_waits_behind_a_check_that_takes_long_is_made_by_another_thread() {
    let mut bench = Bench::new(8);
    bench.run(&["hangs", "at once", "at once"], ms(0));
    assert_eq!(bench.pool.next_deadline(), Some(ms(50)));
    bench.pool.handle_deadline(ms(49));
    assert_eq!(bench.pool.working(), 1);
    bench.pool.handle_deadline(ms(50));
    assert_eq!(bench.pool.working(), 2);
    bench.woken.recv().unwrap();
    assert_eq!([1, 2].map(|_| bench.report(ms(51)).id), [1, 2]);
    assert_eq!(
        bench.pool.next_deadline(),
        Some(ms(10_051)),
        "only who has nothing to do is let go"
    );
    assert_eq!(bench.finish(5).id, 0);
    assert!(!bench.pool.is_busy());
}

#[test]
fn each_that_hangs_in_a_run_holds_the_others_up_for_a_moment_and_takes_one_thread() {
    let mut bench = Bench::new(4);
    bench.run(&["hangs", "hangs", "hangs", "at once"], ms(0));
    for (at, threads) in [(50, 2), (100, 3), (150, 4), (200, 4)] {
        assert_eq!(bench.pool.next_deadline(), Some(ms(at)));
        bench.pool.handle_deadline(ms(at));
        assert_eq!(bench.pool.threads(), threads);
    }
    assert_eq!(bench.report(ms(201)).id, 3);
    assert_eq!(bench.pool.free(), 1);
    bench.woken.recv().unwrap();
    let mut hung = [0, 1, 2].map(|_| bench.finish(5).id);
    hung.sort_unstable();
    assert_eq!((hung, bench.pool.free()), ([0, 1, 2], 4));
}

#[test]
fn a_run_that_gets_on_is_not_helped_however_long_it_takes() {
    let mut bench = Bench::new(8);
    bench.run(&["takes a while"; 4], ms(0));
    for at in [50, 100, 150].map(ms) {
        bench.go.send(()).unwrap();
        bench.report(at);
        bench.pool.handle_deadline(at);
        assert_eq!(bench.pool.threads(), 1);
    }
    assert_eq!(bench.finish(1).id, 3);
    assert!(!bench.pool.is_busy());
}

#[test]
fn the_loop_fetches_what_has_ended_while_the_last_of_a_run_goes_on() {
    let mut bench = Bench::new(4);
    bench.run(&["at once", "hangs"], ms(0));
    assert_eq!(bench.report(ms(1)).id, 0);
    assert_eq!(bench.pool.next_deadline(), Some(ms(50)));
    bench.pool.handle_deadline(ms(50));
    assert_eq!((bench.pool.working(), bench.pool.next_deadline()), (1, None));
    assert!(bench.woken.try_recv().is_err());
    // What begins meanwhile waits for that thread, and not for long.
    bench.run(&["at once"], ms(60));
    assert_eq!(bench.pool.next_deadline(), Some(ms(110)));
    bench.pool.handle_deadline(ms(110));
    assert_eq!(bench.report(ms(111)).id, 0);
}

#[test]
fn a_check_that_is_not_quick_waits_for_no_run() {
    let mut bench = Bench::new(2);
    bench.run(&["hangs"], ms(0));
    bench.start("at once").unwrap();
    let report = bench.report(ms(1));
    assert_eq!((report.id, report.rests), (7, true));
    assert_eq!(bench.pool.threads(), 2);
    assert!(bench.start("a").is_ok() && bench.start("b").is_err());
}
