//! What takes few words to measure: the size of the program, the disk, the engine alone, and doing nothing.

use std::fs;
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::daemon::{Daemon, binary};
use crate::figures::{Usage, milliseconds, percentile};
use crate::report::Report;
use crate::target::Target;
use crate::{day, figures, page, scale, step};

/// The program, as it lies on the disk.
pub(crate) fn size(report: &mut Report) {
    let bytes = fs::metadata(binary()).unwrap().len();
    report.note("program_bytes", "the program", json!(bytes), &format!("{bytes} bytes"));
}

/// What a day of quiet apps writes.
pub(crate) fn disk(report: &mut Report) {
    let kib = day::bytes_written(100) / 1024;
    report.note(
        "disk_kib_a_day",
        "written to disk, 100 quiet apps",
        json!(kib),
        &format!("{kib} KiB a day"),
    );
}

/// A check without what is around the engine.
pub(crate) fn engine(report: &mut Report) {
    let step = step::microseconds(50, if report.quick { 100_000 } else { 1_000_000 });
    report.note(
        "engine_us_a_check",
        "a check of 50 apps in the engine: CPU",
        json!(step),
        &format!("{step:.2} µs, an hourly record included"),
    );
}

/// A daemon without apps.
pub(crate) fn idle(report: &mut Report) {
    let seconds = report.seconds(30);
    let daemon = Daemon::start();
    thread::sleep(Duration::from_secs(2));
    let used = Usage::within(Duration::from_secs(seconds), daemon.pid());
    let rate = used.switches as f64 / seconds as f64;
    report.note(
        "idle",
        "idle: wake-ups, all threads",
        json!({
            "wakes_a_second": rate, "resident_kib": used.resident_kib,
            "anonymous_kib": used.anonymous_kib, "threads": used.threads,
        }),
        &format!(
            "{rate:.2} a second; {} KiB resident, {} of them anonymous, {} threads",
            used.resident_kib, used.anonymous_kib, used.threads
        ),
    );
}

/// The page, made of apps with a past.
pub(crate) fn shown(report: &mut Report) {
    page::memory(report, 10_000);
    page::show(report, 1_000);
    page::show(report, 10_000);
}

/// Whether checks are late while somebody looks at the page again and again.
pub(crate) fn looked_at(report: &mut Report) {
    let sizes: &[usize] = if report.quick { &[100] } else { &[100, 1_000] };
    for apps in sizes {
        while_shown(report, *apps, 5);
    }
}

fn while_shown(report: &mut Report, apps: usize, interval: u64) {
    let target = Target::start();
    let daemon = Daemon::watching(target.address, apps, interval);
    thread::sleep(scale::until_in_rounds(interval));
    target.forget();
    let seconds = report.seconds(40);
    let mut pages = Vec::new();
    for _ in 0..seconds * 5 {
        pages.push(milliseconds(|| {
            assert!(daemon.get("/healthchecker/status?format=html").contains("</html>"));
        }));
        thread::sleep(Duration::from_millis(200));
    }
    let arrivals = target.arrivals();
    let mut late = figures::deviations(&arrivals, apps, Duration::from_secs(interval));
    let [p50, p99] = [50.0, 99.0].map(|percent| percentile(&mut late, percent));
    let shown = percentile(&mut pages, 50.0);
    report.note(
        &format!("looked_at_{apps}"),
        &format!("{apps} apps at {interval} s: 5 looks a second"),
        json!({ "page_p50_ms": shown, "deviation_p50_ms": p50, "deviation_p99_ms": p99 }),
        &format!("page p50 {shown:.0} ms; deviation p50 / p99 {p50:.2} / {p99:.2} ms"),
    );
}
