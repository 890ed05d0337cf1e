//! A simulated household that knows the truth.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]
#![allow(dead_code, reason = "the parts of the simulator come one after the other")]

mod chance;
mod deed;
mod house;
mod judge;
mod report;
mod story;
