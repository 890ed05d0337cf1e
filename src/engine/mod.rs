//! The core: pure decisions in virtual time.
//!
//! Nothing here reads a clock, opens a socket or a file, or starts a thread.

pub mod answer;
pub mod delivery;
pub mod lanes;
pub mod notice;
pub mod spread;
pub mod time;
pub mod wheel;
