//! What a client waits for its registration to be on disk, and how many there can be in a second.

use std::fs::File;
use std::io::Write;
use std::thread;
use std::time::Instant;

use serde_json::json;

use crate::daemon::Daemon;
use crate::figures::{milliseconds, percentile};
use crate::report::Report;

/// So many clients register at once.
const CLIENTS: usize = 16;

/// One after the other, beside what the disk takes for a sync at that time; then many at once.
pub(crate) fn measure(report: &mut Report) {
    let count = if report.quick { 100 } else { 1_000 };
    let daemon = Daemon::start();
    let mut file = File::create(daemon.folder().join("sync")).unwrap();
    let (mut syncs, mut answers) = (Vec::new(), Vec::new());
    for app in 0..count {
        syncs.push(milliseconds(|| {
            file.write_all(&[b'x'; 500]).unwrap();
            file.sync_data().unwrap();
        }));
        answers.push(milliseconds(|| register(&daemon, app)));
    }
    let [p50, p99, sync_p50, sync_p99] = [
        percentile(&mut answers, 50.0),
        percentile(&mut answers, 99.0),
        percentile(&mut syncs, 50.0),
        percentile(&mut syncs, 99.0),
    ];
    let a_second = at_once(&daemon, count);
    report.note(
        "registration",
        "registration: p50 / p99",
        json!({
            "p50_ms": p50, "p99_ms": p99, "sync_p50_ms": sync_p50, "sync_p99_ms": sync_p99,
            "a_second": a_second, "clients": CLIENTS,
        }),
        &format!(
            "{p50:.1} / {p99:.1} ms; one sync of this disk {sync_p50:.1} / {sync_p99:.1} ms; \
             {a_second:.0} a second from {CLIENTS} clients"
        ),
    );
}

/// Each is on disk when it is answered.
fn at_once(daemon: &Daemon, count: usize) -> f64 {
    let begun = Instant::now();
    thread::scope(|scope| {
        for client in 0..CLIENTS {
            scope.spawn(move || {
                (client..count).step_by(CLIENTS).for_each(|app| register(daemon, count + app));
            });
        }
    });
    count as f64 / begun.elapsed().as_secs_f64()
}

fn register(daemon: &Daemon, app: usize) {
    daemon.register(&format!("app{app}"), "http://127.0.0.1:9", 300);
}
