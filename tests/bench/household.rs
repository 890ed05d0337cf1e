//! What the daemon costs and how well it keeps time: `make bench`.
//!
//! Starts the real binary against targets on loopback, and counts at the targets. CPU is set
//! against a bare loop of blocking GETs in the same run, and against Monit where there is one, since
//! machines differ and drift.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark may fail loudly"
)]

mod alarm;
mod bare;
mod board;
mod budgets;
mod calls;
mod clients;
mod daemon;
mod day;
mod engine;
mod figures;
mod hanging;
mod kinds;
mod page;
mod peer;
mod plot;
mod registrations;
mod report;
mod scale;
mod small;
mod start;
mod step;
mod target;

use report::Report;

/// A part that can be asked for by its name.
type Part = (&'static str, fn(&mut Report));

/// In this order, all of them where none is named.
const PARTS: [Part; 15] = [
    ("size", small::size),
    ("start", start::measure),
    ("registrations", registrations::measure),
    ("disk", small::disk),
    ("engine", small::engine),
    ("page", small::shown),
    ("idle", small::idle),
    ("scale", scale::measure),
    ("more", scale::measure_more),
    ("calls", calls::measure),
    ("kinds", kinds::measure),
    ("looked-at", small::looked_at),
    ("hanging", hanging::measure),
    ("clients", clients::measure),
    ("alarm", alarm::measure),
];

fn main() {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    match arguments.first().map(String::as_str) {
        Some(bare::NAME) => return bare::run(&arguments[1..]),
        Some("plots") => return plot::draw(),
        _ => {}
    }
    let mut report = Report::new(std::env::var_os("QUICK").is_some());
    let is_wanted = |name: &str| arguments.is_empty() || arguments.iter().any(|it| it == name);
    for name in &arguments {
        assert!(PARTS.iter().any(|(part, _)| part == name), "there is no part {name:?}: {PARTS:?}");
    }
    println!("{:<38}measured", "what");
    PARTS.iter().filter(|(name, _)| is_wanted(name)).for_each(|(_, measure)| measure(&mut report));
    budgets::say(&report);
}
