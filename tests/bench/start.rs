//! How long it takes until the first request is answered, with nothing on record and with much.

use serde_json::json;

use crate::daemon::Daemon;
use crate::figures::percentile;
use crate::report::Report;

const TIMES: usize = 5;

/// Starts it again and again.
pub(crate) fn measure(report: &mut Report) {
    let mut empty: Vec<f64> = (0..TIMES).map(|_| first_answer(&Daemon::start())).collect();
    let mut figures = json!({ "0": percentile(&mut empty, 50.0) });
    say("start to first answer", &figures["0"]);
    let sizes: &[usize] = if report.quick { &[100] } else { &[1_000, 10_000] };
    for apps in sizes {
        figures[apps.to_string()] = json!(with(*apps));
        say(&format!("start with {apps} apps on record"), &figures[apps.to_string()]);
    }
    report.keep("start_ms", figures);
}

fn say(what: &str, ms: &serde_json::Value) {
    println!("{what:<38}{:.0} ms (median of {TIMES})", ms.as_f64().unwrap());
}

fn first_answer(daemon: &Daemon) -> f64 {
    let answer = daemon.get("/health");
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    daemon.started.elapsed().as_secs_f64() * 1e3
}

fn with(apps: usize) -> f64 {
    let mut daemon = Daemon::start();
    for app in 0..apps {
        daemon.register(&format!("app{app}"), "http://127.0.0.1:9", 300);
    }
    let mut times: Vec<f64> = (0..TIMES)
        .map(|_| {
            daemon.restart();
            first_answer(&daemon)
        })
        .collect();
    percentile(&mut times, 50.0)
}
