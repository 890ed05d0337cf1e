//! Figures from `/proc` and from arrival times.

use std::fs;
use std::time::{Duration, Instant};

use super::target::Arrival;

/// What a process has used, all threads together.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Usage {
    pub(crate) cpu: Duration,
    pub(crate) switches: u64,
    pub(crate) resident_kib: u64,
    pub(crate) anonymous_kib: u64,
    pub(crate) threads: u64,
}

impl Usage {
    pub(crate) fn of(pid: u32) -> Usage {
        let mut usage = Usage::default();
        for task in fs::read_dir(format!("/proc/{pid}/task")).unwrap().flatten() {
            let read = |name| fs::read_to_string(task.path().join(name)).unwrap_or_default();
            let nanos =
                read("schedstat").split(' ').next().and_then(|ns| ns.parse().ok()).unwrap_or(0);
            usage.cpu += Duration::from_nanos(nanos);
            let status = read("status");
            usage.switches += field(&status, "voluntary_ctxt_switches:");
            usage.switches += field(&status, "nonvoluntary_ctxt_switches:");
            usage.threads += 1;
        }
        let rollup = fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).unwrap_or_default();
        usage.resident_kib = field(&rollup, "Rss:");
        usage.anonymous_kib = field(&rollup, "Anonymous:");
        usage
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

/// How far the gaps between an app's checks are from its interval, in milliseconds.
pub(crate) fn deviations(arrivals: &[Arrival], apps: usize, interval: Duration) -> Vec<f64> {
    let mut last: Vec<Option<Instant>> = vec![None; apps];
    let mut deviations = Vec::new();
    for arrival in arrivals {
        if let Some(before) = last[arrival.app].replace(arrival.at) {
            let gap = arrival.at - before;
            deviations.push((gap.as_secs_f64() - interval.as_secs_f64()).abs() * 1e3);
        }
    }
    deviations
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
