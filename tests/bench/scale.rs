//! How the cost of a check grows with the number of apps, beside Monit at the same work: as text, and as JSON from
//! which [`plot`](crate::plot) draws.

use std::fmt::Write as _;
use std::fs;
use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::daemon::Daemon;
use crate::figures::{Usage, deviations, most_within, percentile};
use crate::monit::Monit;
use crate::target::{Arrival, Target};

/// So many apps, asked every so many seconds. Ten thousand every 5 s would be more than the target answers.
const SIZES: [(usize, u64); 4] = [(10, 5), (100, 5), (1_000, 5), (10_000, 30)];
/// At least so many rounds are measured of each app.
const ROUNDS: u64 = 2;
/// Registrations of thousands take their time, and so does it until each app has found its round.
const ROUNDS_BEFORE: u64 = 3;

/// What it took a process to watch so many apps.
pub(crate) struct Point {
    apps: usize,
    interval: u64,
    checks: usize,
    /// Microseconds of the processor for a check, the kernel's included.
    cpu: f64,
    /// How often its threads slept and woke, a second and a check.
    wakes_a_second: f64,
    wakes_a_check: f64,
    resident_kib: u64,
    anonymous_kib: u64,
    /// Of the gaps between an app's checks from its interval, in milliseconds.
    p50: f64,
    p99: f64,
    max: f64,
    most_in_100_ms: usize,
}

impl Point {
    fn json(&self) -> Value {
        json!({
            "apps": self.apps, "interval_s": self.interval, "checks": self.checks,
            "cpu_us_a_check": self.cpu, "wakes_a_second": self.wakes_a_second,
            "wakes_a_check": self.wakes_a_check, "resident_kib": self.resident_kib,
            "anonymous_kib": self.anonymous_kib, "deviation_ms": {
                "p50": self.p50, "p99": self.p99, "max": self.max },
            "most_in_100_ms": self.most_in_100_ms,
        })
    }
}

/// Measures all sizes that are not too many, each for `seconds` at least, prints them and writes them down.
pub(crate) fn measure(seconds: u64, most: usize, bare: (f64, f64)) {
    println!(
        "{:<30}{:>9}{:>9}{:>9}{:>10}{:>20}{:>8}",
        "apps", "us/check", "wakes/s", "wakes/ch", "KiB", "p50/p99/max ms", "100 ms"
    );
    let sizes = SIZES.into_iter().filter(|(apps, _)| *apps <= most);
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for (apps, interval) in sizes {
        let point = of_daemon(apps, interval, seconds);
        say("HealthChecker", &point);
        ours.push(point);
        if let Some(point) = of_monit(apps, interval, seconds) {
            say("Monit", &point);
            theirs.push(point);
        }
    }
    println!("slope from the first to the last: {}", slope(&ours));
    let points = |points: &[Point]| points.iter().map(Point::json).collect::<Vec<_>>();
    let (warm, paced) = bare;
    let all = json!({
        "healthchecker": points(&ours), "monit": points(&theirs),
        "bare_loop_us_a_check": { "without_a_pause": warm * 1e3, "20_a_second": paced * 1e3 },
    });
    fs::write(file(), format!("{all:#}\n")).unwrap();
    println!("written to {}", file().display());
}

/// What apps of this interval need, once they are registered, until each is HEALTHY and has its lasting moment.
pub(crate) fn until_in_rounds(interval: u64) -> Duration {
    Duration::from_secs(ROUNDS_BEFORE * interval + 2)
}

/// Where the figures are written to.
pub(crate) fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/bench.json")
}

fn of_daemon(apps: usize, interval: u64, seconds: u64) -> Point {
    let target = Target::start();
    let daemon = Daemon::watching(target.address, apps, interval);
    of_process(daemon.pid(), &target, (apps, interval), seconds)
}

fn of_monit(apps: usize, interval: u64, seconds: u64) -> Option<Point> {
    let target = Target::start();
    let monit = Monit::start(target.address, apps, interval)?;
    Some(of_process(monit.pid(), &target, (apps, interval), seconds))
}

fn of_process(pid: u32, target: &Target, (apps, interval): (usize, u64), seconds: u64) -> Point {
    thread::sleep(until_in_rounds(interval));
    target.forget();
    let begun = Instant::now();
    let used = Usage::within(Duration::from_secs(seconds.max(ROUNDS * interval)), pid);
    let passed = begun.elapsed().as_secs_f64();
    let arrivals: Vec<Arrival> = target.arrivals();
    let mut deviations = deviations(&arrivals, apps, Duration::from_secs(interval));
    let checks = arrivals.len();
    let wakes = used.wakes as f64;
    Point {
        apps,
        interval,
        checks,
        cpu: used.cpu.as_secs_f64() * 1e6 / checks as f64,
        wakes_a_second: wakes / passed,
        wakes_a_check: wakes / checks as f64,
        resident_kib: used.resident_kib,
        anonymous_kib: used.anonymous_kib,
        p50: percentile(&mut deviations, 50.0),
        p99: percentile(&mut deviations, 99.0),
        max: percentile(&mut deviations, 100.0),
        most_in_100_ms: most_within(&arrivals, Duration::from_millis(100)),
    }
}

fn say(who: &str, point: &Point) {
    let label = format!("{who}, {} at {} s", point.apps, point.interval);
    let deviation = format!("{:.2}/{:.2}/{:.1}", point.p50, point.p99, point.max);
    println!(
        "{label:<30}{:>9.0}{:>9.1}{:>9.2}{:>10}{deviation:>20}{:>8}",
        point.cpu,
        point.wakes_a_second,
        point.wakes_a_check,
        point.resident_kib,
        point.most_in_100_ms
    );
}

/// By how much CPU a check, and memory an app, grow: below 0 a check gets cheaper the more there are.
fn slope(points: &[Point]) -> String {
    let (Some(first), Some(last)) = (points.first(), points.last()) else { return String::new() };
    let power = (last.cpu / first.cpu).log10() / (last.apps as f64 / first.apps as f64).log10();
    let kib = last.anonymous_kib.saturating_sub(first.anonymous_kib) as f64;
    let mut text = format!("CPU of a check grows with apps to the power of {power:.2}");
    write!(text, "; memory by {:.2} KiB an app", kib / (last.apps - first.apps) as f64).unwrap();
    text
}
