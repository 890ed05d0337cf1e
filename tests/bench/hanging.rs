//! Half of the apps begin to hang: how soon all of them are found, and what the others notice.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use crate::daemon::Daemon;
use crate::figures::{Peak, gaps};
use crate::report::Report;
use crate::scale::until_in_rounds;
use crate::target::{Illness, Target};

const APPS: usize = 100;
const HANGING: usize = APPS / 2;
const INTERVAL: u64 = 5;
/// Two checks in a row, each with its time-out, are made within that; the others are watched for as long.
const WATCHED: Duration = Duration::from_secs(45);

/// Watches them from the moment on that they hang.
pub(crate) fn measure(report: &mut Report) {
    let target = Target::start();
    let daemon = Daemon::watching(target.address, APPS, INTERVAL);
    thread::sleep(until_in_rounds(INTERVAL));
    target.forget();
    let peak = Peak::of(daemon.pid());
    target.fall_ill(HANGING, Illness::Hangs);
    let begun = Instant::now();
    let mut found = None;
    while begun.elapsed() < WATCHED {
        if found.is_none() && daemon.in_state("UNHEALTHY") == HANGING {
            found = Some(begun.elapsed().as_secs_f64());
        }
        thread::sleep(Duration::from_millis(100));
    }
    let used = peak.end();
    let arrivals = target.arrivals();
    let worst = gaps(&arrivals, APPS)
        .filter(|(app, _)| *app >= HANGING)
        .map(|(_, gap)| gap.as_secs_f64())
        .fold(0.0, f64::max);
    let words = match found {
        Some(seconds) => format!("all found within {seconds:.1} s"),
        None => format!("not all found within {} s", WATCHED.as_secs()),
    };
    report.note(
        "hanging",
        &format!("{HANGING} of {APPS} apps at {INTERVAL} s hang"),
        json!({
            "found_s": found, "largest_gap_of_others_s": worst,
            "resident_kib": used.resident_kib, "threads": used.threads,
        }),
        &format!(
            "{words}; the largest gap of the others {worst:.3} s; {} KiB resident, {} threads at most",
            used.resident_kib, used.threads
        ),
    );
}
