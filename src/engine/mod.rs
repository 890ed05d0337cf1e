//! The core: pure decisions in virtual time.
//!
//! Nothing here reads a clock, opens a socket or a file, or starts a thread.

pub mod alerts;
pub mod app;
pub mod chronicle;
pub mod core;
pub mod record;
pub mod registration;
pub mod schedule;
pub mod show;
pub mod time;
pub mod verdict;
pub mod words;
