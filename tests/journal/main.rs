//! The journal on disks that fail: everything acknowledged is found again.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test may fail loudly"
)]

mod bytes;
#[path = "../engine/cases.rs"]
mod cases;
mod chance;
mod crash;
mod faulty;
mod folder;
mod household;
mod keeper;
mod kills;
#[path = "../engine/world.rs"]
#[allow(dead_code, reason = "the stories of the engine use the rest")]
mod world;
