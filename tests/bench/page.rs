//! What it costs to show everything: how long the event loop is held up, how long the page takes,
//! how many bytes an app with a past takes in memory.

use std::time::Instant;

use serde_json::json;

use super::board::{html, with_a_past};
use super::figures::{Usage, milliseconds};
use super::report::Report;

/// Holds up the loop as the page does, and renders it.
pub(crate) fn show(report: &mut Report, apps: usize) {
    let engine = with_a_past(apps);
    let mut looks: Vec<f64> = Vec::new();
    let began = Instant::now();
    let html = html(&engine, &mut |what| looks.push(milliseconds(what)));
    let all: f64 = looks.iter().sum();
    let longest = looks.iter().copied().fold(0.0, f64::max);
    let rendering = began.elapsed().as_secs_f64() * 1e3 - all;
    let kib = html.len() / 1024;
    report.note(
        &format!("page_{apps}"),
        &format!("page of {apps} apps with 90 days each"),
        json!({
            "loop_ms": all, "looks": looks.len(), "longest_look_ms": longest,
            "rendering_ms": rendering, "kib": kib,
        }),
        &format!(
            "{all:.2} ms of the loop in {} looks, the longest {longest:.2} ms; {rendering:.0} ms of another \
             thread; {kib} KiB",
            looks.len()
        ),
    );
}

/// Bytes of memory for one of `apps`, with 90 days, 24 hours and 120 checks of history.
pub(crate) fn memory(report: &mut Report, apps: usize) {
    let before = Usage::of(std::process::id()).anonymous_kib;
    let engine = with_a_past(apps);
    let after = Usage::of(std::process::id()).anonymous_kib;
    let bytes = after.saturating_sub(before) * 1024 / apps as u64;
    report.note(
        "app_with_90_days_bytes",
        "memory for an app with 90 days",
        json!(bytes),
        &format!("{bytes} bytes each, of {apps}"),
    );
    drop(engine);
}
