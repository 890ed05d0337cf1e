//! The core: pure decisions in virtual time.
//!
//! Nothing here reads a clock, opens a socket or a file, or starts a thread.

pub mod address;
pub mod alert;
pub mod answer;
pub mod app;
mod backoff;
mod checks;
pub mod chronicle;
pub mod core;
pub mod delivery;
pub mod fields;
pub mod health;
pub mod history;
mod keep;
pub mod lanes;
pub mod letter;
pub mod monitor;
pub mod note;
pub mod notice;
pub mod outbox;
pub mod plain;
pub mod present;
pub mod probe;
pub mod record;
pub mod registration;
pub mod span;
pub mod spread;
pub mod status_set;
mod tell;
pub mod time;
pub mod trouble;
pub mod verdict;
pub mod view;
pub mod wheel;
