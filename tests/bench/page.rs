//! What it costs to show everything: how long the event loop is held up, how long the page takes,
//! how many bytes an app with a past takes in memory.

use std::time::{Duration, Instant};

use super::board::{html, with_a_past};
use super::figures::Usage;

/// Holds up the loop as the page does, and renders it.
pub(crate) fn show(apps: usize) {
    let engine = with_a_past(apps);
    let mut looks: Vec<Duration> = Vec::new();
    let began = Instant::now();
    let html = html(&engine, &mut |what| {
        let began = Instant::now();
        what();
        looks.push(began.elapsed());
    });
    let all: Duration = looks.iter().sum();
    let rendering = (began.elapsed() - all).as_secs_f64() * 1e3;
    println!(
        "{:<38}{:.2} ms of the loop in {} looks, the longest {:.2} ms; {rendering:.0} ms of another \
         thread; {} KiB",
        format!("page of {apps} apps with 90 days each"),
        all.as_secs_f64() * 1e3,
        looks.len(),
        looks.iter().max().unwrap().as_secs_f64() * 1e3,
        html.len() / 1024
    );
}

/// Bytes of memory for one of `apps`, with 90 days, 24 hours and 120 checks of history.
pub(crate) fn memory(apps: usize) {
    let before = Usage::of(std::process::id()).anonymous_kib;
    let engine = with_a_past(apps);
    let after = Usage::of(std::process::id()).anonymous_kib;
    println!(
        "{:<38}{} bytes each, of {apps}",
        "memory for an app with 90 days",
        (after - before) * 1024 / apps as u64
    );
    drop(engine);
}
