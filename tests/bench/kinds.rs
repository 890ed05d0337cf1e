//! What a check costs of each kind, against one over HTTP in the same run.

use std::net::SocketAddr;
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::daemon::Daemon;
use crate::figures::Usage;
use crate::report::Report;
use crate::target::Target;

const APPS: usize = 100;
/// The shortest there is.
const INTERVAL: u64 = 5;

/// A kind, and how an app of it is registered.
struct Kind {
    name: &'static str,
    target: Target,
    fields: fn(SocketAddr, usize) -> String,
    /// It is not asked: it reports.
    beats: bool,
}

impl Kind {
    fn of(name: &'static str, fields: fn(SocketAddr, usize) -> String) -> Kind {
        Kind { name, target: Target::start(), fields, beats: false }
    }
}

fn over_http(target: SocketAddr, app: usize) -> String {
    format!("url=http://{target}/{app}&healthy=2")
}

fn over_tls(target: SocketAddr, app: usize) -> String {
    format!("url=https://{target}/{app}&healthy=2&tls=pin")
}

fn kinds() -> [Kind; 6] {
    let tls =
        |name, resumes| Kind { target: Target::start_tls(resumes), ..Kind::of(name, over_tls) };
    [
        Kind::of("http", over_http),
        tls("https", true),
        tls("https_in_full", false),
        Kind::of("tcp", |target, _| format!("url=tcp://{target}&healthy=2")),
        Kind::of("ping", |_, app| format!("url=ping://127.0.0.{}&healthy=2", app + 1)),
        Kind { beats: true, ..Kind::of("beat", |_, _| "kind=beat".to_owned()) },
    ]
}

/// Measures them one after the other, each with a daemon of its own.
pub(crate) fn measure(report: &mut Report) {
    let seconds = report.seconds(40);
    let mut figures = json!({});
    for kind in kinds() {
        let cost = cost(&kind, seconds);
        figures[kind.name] = json!(cost);
        let words = match (cost, figures["http"].as_f64()) {
            (Some(cost), Some(http)) => {
                format!(
                    "{cost:.0} µs of CPU: {:.2} times one over HTTP{}",
                    cost / http,
                    match kind.target.resumed() {
                        0 => String::new(),
                        resumed => format!("; {resumed} of them resumed a session"),
                    }
                )
            }
            _ => "not allowed here".to_owned(),
        };
        println!("{:<38}{words}", format!("a check of kind {}", kind.name));
    }
    report.keep("kinds_us_a_check", figures);
}

/// Microseconds of CPU for a check, or a beat; `None`: the daemon may not.
fn cost(kind: &Kind, seconds: u64) -> Option<f64> {
    let daemon = Daemon::start();
    for app in 0..APPS {
        let how = (kind.fields)(kind.target.address, app);
        let answer = daemon.monitor(&format!("appname=app{app}&{how}&interval={INTERVAL}"));
        if !answer.starts_with("HTTP/1.1 200") {
            return None;
        }
    }
    // Time for every app to find its place and to become HEALTHY.
    live(&daemon, 3 * INTERVAL + 2, kind.beats);
    kind.target.forget();
    let before = checks(&daemon);
    let used = thread::scope(|scope| {
        let used = scope.spawn(|| Usage::within(Duration::from_secs(seconds), daemon.pid()).cpu);
        live(&daemon, seconds, kind.beats);
        used.join().unwrap()
    });
    Some(used.as_secs_f64() * 1e6 / (checks(&daemon) - before) as f64)
}

/// Waits so long; who is not asked reports as often.
fn live(daemon: &Daemon, seconds: u64, beats: bool) {
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
            let answer = daemon.get(&format!("/healthchecker/beat?appname=app{app}"));
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
