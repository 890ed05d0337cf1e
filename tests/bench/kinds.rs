//! What a check costs of each kind, against one over HTTP in the same run.

use std::thread;
use std::time::{Duration, Instant};

use crate::daemon::Daemon;
use crate::figures::Usage;
use crate::target::Target;

const APPS: usize = 100;
/// The shortest there is.
const INTERVAL: u64 = 5;

/// Measures them one after the other, each for so long, with a daemon of its own.
pub(crate) fn compare(seconds: u64) {
    let target = Target::start();
    let port = target.address.port();
    let http = measure("HTTP", seconds, |app| Some(format!("http://{}/{app}", target.address)));
    let tcp = measure("tcp", seconds, |_| Some(format!("tcp://127.0.0.1:{port}")));
    let ping = measure("ping", seconds, |app| Some(format!("ping://127.0.0.{}", app + 1)));
    let beat = measure("beat", seconds, |_| None);
    for (kind, cost) in [("tcp", tcp), ("ping", ping), ("beat", beat)] {
        let Some(cost) = cost else {
            println!("{:<38}not allowed here", format!("a check by {kind}"));
            continue;
        };
        println!(
            "{:<38}{cost:.3} s CPU per 1,000: {:.2} times one over HTTP",
            format!("a check by {kind}"),
            cost / http.unwrap()
        );
    }
}

/// CPU seconds for 1,000 checks, or beats where there is no address; `None`: the daemon may not.
fn measure(kind: &str, seconds: u64, url: impl Fn(usize) -> Option<String>) -> Option<f64> {
    let daemon = Daemon::start();
    for app in 0..APPS {
        let how = url(app).map_or("kind=beat".to_owned(), |url| format!("url={url}&healthy=2"));
        let answer = daemon.monitor(&format!("appname={kind}{app}&{how}&interval={INTERVAL}"));
        if !answer.starts_with("HTTP/1.1 200") {
            return None;
        }
    }
    let beats = url(0).is_none();
    // Time for every app to find its place and to become HEALTHY.
    live(&daemon, kind, 3 * INTERVAL + 2, beats);
    let (before, used) = (checks(&daemon), Usage::of(daemon.pid()).cpu);
    live(&daemon, kind, seconds, beats);
    let used = Usage::of(daemon.pid()).cpu - used;
    let made = checks(&daemon) - before;
    Some(used.as_secs_f64() * 1_000.0 / made as f64)
}

/// Waits so long; who is not asked reports as often.
fn live(daemon: &Daemon, kind: &str, seconds: u64, beats: bool) {
    let until = Instant::now() + Duration::from_secs(seconds);
    let pause = Duration::from_secs(INTERVAL) / APPS as u32;
    let mut next = Instant::now();
    for app in (0..APPS).cycle() {
        next += pause;
        if next >= until {
            break;
        }
        thread::sleep(next.saturating_duration_since(Instant::now()));
        if beats {
            let answer = daemon.get(&format!("/healthchecker/beat?appname={kind}{app}"));
            assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        }
    }
    thread::sleep(until.saturating_duration_since(Instant::now()));
}

/// Those of all apps, as the daemon counts them.
fn checks(daemon: &Daemon) -> u64 {
    let metrics = daemon.get("/metrics");
    let counts = metrics.lines().filter(|line| line.starts_with("healthchecker_checks_total{"));
    let counts = counts.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok());
    counts.sum()
}
