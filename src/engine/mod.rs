//! The core: pure decisions in virtual time.
//!
//! Nothing here reads a clock, opens a socket or a file, or starts a thread.

pub mod answer;
pub mod delivery;
pub mod health;
pub mod notice;
pub mod plain;
pub mod time;
pub mod trouble;
pub mod verdict;
