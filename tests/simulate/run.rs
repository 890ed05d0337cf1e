//! `make simulate`: a simulated household that knows the truth, and scores us.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]
#![cfg_attr(
    test,
    allow(unused_imports, dead_code, reason = "of the tests beside the code, which main.rs runs")
)]

mod chance;
mod deed;
#[path = "../engine/facts.rs"]
mod facts;
#[path = "../journal/faulty.rs"]
#[allow(dead_code, reason = "the tests of the journal use the rest")]
mod faulty;
mod house;
mod judge;
mod program;
mod quick;
mod report;
mod story;
mod world;

fn main() -> std::process::ExitCode {
    program::main()
}
