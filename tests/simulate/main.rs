//! A simulated household that knows the truth.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
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
#[allow(dead_code, reason = "its beginning is that of the program alone")]
mod program;
mod quick;
mod report;
mod seeds;
mod story;
mod world;
