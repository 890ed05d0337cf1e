//! Slow and silent clients, in their hundreds: what others notice of them.

use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::daemon::Daemon;
use crate::figures::{Peak, Usage, deviations, milliseconds, percentile};
use crate::report::Report;
use crate::scale::until_in_rounds;
use crate::target::Target;

const APPS: usize = 100;
const INTERVAL: u64 = 5;
/// Clients that send a byte now and then, and that send none; whoever is thrown out comes back.
const SLOW: &str = "1500";
const SILENT: &str = "300";
/// An honest client asks so often.
const ASKS_EVERY: Duration = Duration::from_millis(50);

/// The crowd is a program of the end-to-end tests.
pub(crate) fn measure(report: &mut Report) {
    let target = Target::start();
    let daemon = Daemon::watching(target.address, APPS, INTERVAL);
    thread::sleep(until_in_rounds(INTERVAL));
    let before = Usage::of(daemon.pid()).resident_kib;
    target.forget();
    let peak = Peak::of(daemon.pid());
    let address = daemon.address();
    let crowd = Command::new("python3")
        .arg(concat!(env!("CARGO_MANIFEST_DIR"), "/tests/e2e/flood.py"))
        .args(["crowd", &address.ip().to_string(), &address.port().to_string(), SLOW, SILENT])
        .arg(report.seconds(30).to_string())
        .stdout(Stdio::null())
        .spawn();
    let Ok(mut crowd) = crowd else { return println!("{:<38}no python3", "slow clients") };
    let mut took = Vec::new();
    while crowd.try_wait().unwrap().is_none() {
        took.push(milliseconds(|| assert!(daemon.get("/health").starts_with("HTTP/1.1 200"))));
        thread::sleep(ASKS_EVERY);
    }
    let grown = peak.end().resident_kib.saturating_sub(before);
    let [p50, most] = [50.0, 100.0].map(|percent| percentile(&mut took, percent));
    let late = deviations(&target.arrivals(), APPS, Duration::from_secs(INTERVAL));
    let late = late.into_iter().fold(0.0, f64::max);
    report.note(
        "slow_clients",
        "1,800 slow or silent clients",
        json!({
            "answer_p50_ms": p50, "answer_max_ms": most, "deviation_max_ms": late,
            "grown_kib": grown,
        }),
        &format!(
            "others are answered in {p50:.1} ms, {most:.1} ms at worst; checks at most {late:.1} ms \
             off; memory up by {grown} KiB"
        ),
    );
}
