//! The edge: the only place with sockets, threads and clocks.

pub mod api;
pub mod channel;
pub mod check_log;
pub mod clock;
pub mod commands;
pub mod commit_queue;
mod descriptors;
pub mod discovery;
pub mod echo;
mod event_loop;
pub mod gate;
pub mod journal;
pub mod lookout;
pub mod mailer;
mod metrics;
mod mute_key;
pub mod names;
pub mod page;
pub mod prober;
mod public_url;
mod signals;
pub mod standstill;
pub mod start;
pub mod trust;
mod wants;
mod watchdog;
