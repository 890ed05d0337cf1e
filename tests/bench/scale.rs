//! How the cost of a check grows with the number of apps, beside Monit at the same work, and beside a bare loop of GETs
//! at the same pace: [`plot`](crate::plot) draws it.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::bare;
use crate::daemon::Daemon;
use crate::figures::{Usage, deviations, most_within, percentile};
use crate::peer::Peer;
use crate::report::Report;
use crate::target::{Arrival, Target};

/// So many apps, asked every so many seconds.
const SIZES: [(usize, u64); 4] = [(10, 5), (100, 5), (1_000, 5), (10_000, 30)];
/// As much as there may be: 2,000 checks a second.
const MOST: (usize, u64) = (10_000, 5);
/// What a household has.
const HOUSEHOLD: (usize, u64) = (20, 30);
/// Beside Monit, both at once.
const TOGETHER: [(usize, u64); 2] = [(100, 5), (1_000, 5)];
/// A short look has no more.
const QUICK_MOST: usize = 100;
/// Each is measured for so long, ...
const SECONDS: u64 = 40;
/// ... and for so many rounds of each app at least.
const ROUNDS: u64 = 2;
/// Registrations of thousands take their time, and so does it until each app has found its round.
const ROUNDS_BEFORE: u64 = 3;

/// What it took a process to watch so many apps.
struct Point {
    apps: usize,
    interval: u64,
    checks: usize,
    /// Microseconds of the processor for a check, the kernel's included; those of the target are not: it is another process.
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

/// Measures all sizes, each for some time.
pub(crate) fn measure(report: &mut Report) {
    let seconds = report.seconds(SECONDS);
    head();
    let (mut ours, mut theirs, mut paced) = (Vec::new(), Vec::new(), Vec::new());
    for (apps, interval) in
        SIZES.into_iter().filter(|(apps, _)| !report.quick || *apps <= QUICK_MOST)
    {
        ours.push(of_daemon(apps, interval, seconds));
        theirs.extend(of_monit(apps, interval, seconds));
        let cost = bare::paced(report.quick, apps as f64 / interval as f64);
        println!("{:<30}{cost:>9.0}", format!("bare loop, {apps} in {interval} s"));
        paced.push(json!({ "apps": apps, "interval_s": interval, "cpu_us_a_check": cost }));
    }
    let warm = bare::warm(report.quick);
    println!("{:<30}{warm:>9.0}", "bare loop, without a pause");
    println!("{}", slope(&ours));
    let points = |points: &[Point]| points.iter().map(Point::json).collect::<Vec<_>>();
    let figures = json!({
        "healthchecker": points(&ours), "monit": points(&theirs), "bare_loop_paced": paced,
        "bare_loop_without_a_pause_us": warm, "slope": slope(&ours),
    });
    report.keep("scale", figures);
}

/// A household, the most there may be, and both programs at once on one machine.
pub(crate) fn measure_more(report: &mut Report) {
    let seconds = report.seconds(SECONDS);
    head();
    let (apps, interval) = if report.quick { (HOUSEHOLD.0, 5) } else { HOUSEHOLD };
    let household = of_daemon(apps, interval, seconds);
    println!("{:<30}{:.1} wake-ups a minute", "", household.wakes_a_second * 60.0);
    report.keep("household", household.json());
    let mut together = Vec::new();
    for (apps, interval) in
        TOGETHER.into_iter().filter(|(apps, _)| !report.quick || *apps <= QUICK_MOST)
    {
        let targets = [Target::start(), Target::start()];
        let daemon = Daemon::watching(targets[0].address, apps, interval);
        let Some(monit) = Peer::monit(targets[1].address, apps, interval) else { break };
        let (ours, theirs) = thread::scope(|scope| {
            let point = |pid, target| move || of_process(pid, target, (apps, interval), seconds);
            let ours = scope.spawn(point(daemon.pid(), &targets[0]));
            let theirs = scope.spawn(point(monit.pid(), &targets[1]));
            (ours.join().unwrap(), theirs.join().unwrap())
        });
        say("both at once: ours", &ours);
        say("both at once: Monit", &theirs);
        together.push(json!({ "healthchecker": ours.json(), "monit": theirs.json() }));
    }
    report.keep("together", json!(together));
    if let Some(point) = of_vigil(TOGETHER[0].0, TOGETHER[0].1, seconds) {
        say("Vigil", &point);
        report.keep("vigil", point.json());
    }
    if !report.quick {
        let most = of_daemon(MOST.0, MOST.1, seconds);
        report.keep("most", most.json());
    }
}

/// What apps of this interval need, once they are registered, until each is HEALTHY and has its lasting moment.
pub(crate) fn until_in_rounds(interval: u64) -> Duration {
    Duration::from_secs(ROUNDS_BEFORE * interval + 2)
}

fn of_daemon(apps: usize, interval: u64, seconds: u64) -> Point {
    let target = Target::start();
    let daemon = Daemon::watching(target.address, apps, interval);
    let point = of_process(daemon.pid(), &target, (apps, interval), seconds);
    say("HealthChecker", &point);
    point
}

fn of_monit(apps: usize, interval: u64, seconds: u64) -> Option<Point> {
    let target = Target::start();
    let monit = Peer::monit(target.address, apps, interval)?;
    let point = of_process(monit.pid(), &target, (apps, interval), seconds);
    say("Monit", &point);
    Some(point)
}

fn of_vigil(apps: usize, interval: u64, seconds: u64) -> Option<Point> {
    let target = Target::start();
    let vigil = Peer::vigil(target.address, apps, interval)?;
    Some(of_process(vigil.pid(), &target, (apps, interval), seconds))
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

fn head() {
    println!(
        "{:<30}{:>9}{:>9}{:>9}{:>10}{:>20}{:>8}",
        "apps", "us/check", "wakes/s", "wakes/ch", "KiB", "p50/p99/max ms", "100 ms"
    );
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

/// What ten times as many apps change, in words.
fn slope(points: &[Point]) -> String {
    let steps: Vec<String> = points
        .windows(2)
        .map(|pair| {
            let (few, many) = (&pair[0], &pair[1]);
            let kib = many.anonymous_kib as f64 - few.anonymous_kib as f64;
            format!(
                "from {} to {} apps a check costs {:.2} times as much CPU, each app {:.1} KiB of memory",
                few.apps,
                many.apps,
                many.cpu / few.cpu,
                kib / (many.apps - few.apps) as f64
            )
        })
        .collect();
    steps.join("; ")
}
