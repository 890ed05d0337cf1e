//! Figures from `/proc` and from arrival times.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::target::Arrival;

/// What a process has used, all threads together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    pub(crate) switches: u64,
    /// Those of them that it made itself: it slept, and woke.
    pub(crate) wakes: u64,
    pub(crate) resident_kib: u64,
    pub(crate) anonymous_kib: u64,
    pub(crate) threads: u64,
}

impl Usage {
    pub(crate) fn of(pid: u32) -> Usage {
        let mut threads = Threads::default();
        threads.look(pid);
        threads.sum(pid)
    }

    /// What it uses in so long. A thread that ends in between counts up to then, but for a moment.
    pub(crate) fn within(span: Duration, pid: u32) -> Usage {
        let mut threads = Threads::default();
        threads.look(pid);
        let before = threads.sum(pid);
        let until = Instant::now() + span;
        while let Some(left) = until.checked_duration_since(Instant::now()) {
            thread::sleep(left.min(LOOK_EVERY));
            threads.look(pid);
        }
        let after = threads.sum(pid);
        Usage {
            cpu: after.cpu - before.cpu,
            switches: after.switches - before.switches,
            wakes: after.wakes - before.wakes,
            ..after
        }
    }
}

/// Threads are looked at so often while a process is watched.
const LOOK_EVERY: Duration = Duration::from_millis(250);

/// What each thread of a process had used when it was seen last.
#[derive(Default)]
struct Threads(HashMap<OsString, Usage>);

impl Threads {
    fn look(&mut self, pid: u32) {
        for task in fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten() {
            // A thread that ends meanwhile has used what was seen before.
            let read = |name| fs::read_to_string(task.path().join(name)).ok();
            let (Some(stat), Some(status)) = (read("schedstat"), read("status")) else { continue };
            let Some(nanos) = stat.split(' ').next().and_then(|ns| ns.parse().ok()) else {
                continue;
            };
            let wakes = field(&status, "voluntary_ctxt_switches:");
            let switches = wakes + field(&status, "nonvoluntary_ctxt_switches:");
            let cpu = Duration::from_nanos(nanos);
            self.0.insert(task.file_name(), Usage { cpu, switches, wakes, ..Usage::default() });
        }
    }

    /// All that were seen, and the memory of the process as it is.
    fn sum(&self, pid: u32) -> Usage {
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        let threads = fs::read_dir(format!("/proc/{pid}/task")).map_or(0, Iterator::count) as u64;
        let all = || self.0.values();
        Usage {
            cpu: all().map(|it| it.cpu).sum(),
            switches: all().map(|it| it.switches).sum(),
            wakes: all().map(|it| it.wakes).sum(),
            resident_kib: field(&rollup, "Rss:"),
            anonymous_kib: field(&rollup, "Anonymous:"),
            threads,
        }
    }
}

/// The most memory and threads that a process has, seen from a thread of its own.
pub(crate) struct Peak {
    is_over: Arc<AtomicBool>,
    seen: JoinHandle<Usage>,
}

impl Peak {
    pub(crate) fn of(pid: u32) -> Peak {
        let is_over = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&is_over);
        let seen = thread::spawn(move || {
            let mut most = Usage::default();
            while !ends.load(Ordering::Relaxed) {
                let now = Usage::of(pid);
                most.resident_kib = most.resident_kib.max(now.resident_kib);
                most.threads = most.threads.max(now.threads);
                thread::sleep(LOOK_EVERY);
            }
            most
        });
        Peak { is_over, seen }
    }

    pub(crate) fn end(self) -> Usage {
        self.is_over.store(true, Ordering::Relaxed);
        self.seen.join().unwrap()
    }
}

/// Bytes that a process has sent to the disk, as the system counts them.
pub(crate) fn written(pid: u32) -> u64 {
    field(&fs::read_to_string(format!("/proc/{pid}/io")).unwrap(), "write_bytes:")
}

fn field(text: &str, name: &str) -> u64 {
    let line = text.lines().find_map(|line| line.strip_prefix(name));
    line.and_then(|rest| rest.split_whitespace().next()?.parse().ok()).unwrap_or(0)
}

/// The time between two checks of an app, for each two.
pub(crate) fn gaps(arrivals: &[Arrival], apps: usize) -> impl Iterator<Item = (usize, Duration)> {
    let mut last: Vec<Option<Instant>> = vec![None; apps];
    arrivals.iter().filter_map(move |Arrival { app, at }| {
        let before = last[*app].replace(*at)?;
        Some((*app, *at - before))
    })
}

/// How far the gaps between an app's checks are from its interval, in milliseconds.
pub(crate) fn deviations(arrivals: &[Arrival], apps: usize, interval: Duration) -> Vec<f64> {
    let off = |gap: Duration| (gap.as_secs_f64() - interval.as_secs_f64()).abs() * 1e3;
    gaps(arrivals, apps).map(|(_, gap)| off(gap)).collect()
}

/// How long something takes.
pub(crate) fn milliseconds(what: impl FnOnce()) -> f64 {
    let began = Instant::now();
    what();
    began.elapsed().as_secs_f64() * 1e3
}

pub(crate) fn percentile(values: &mut [f64], percent: f64) -> f64 {
    values.sort_by(f64::total_cmp);
    let index = (values.len() as f64 * percent / 100.0) as usize;
    values.get(index.min(values.len().saturating_sub(1))).copied().unwrap_or(f64::NAN)
}

pub(crate) fn most_within(arrivals: &[Arrival], span: Duration) -> usize {
    let within = |from: usize| {
        arrivals[from..].iter().take_while(|a| a.at - arrivals[from].at < span).count()
    };
    (0..arrivals.len()).map(within).max().unwrap_or(0)
}
