//! HealthChecker: watches the apps of a household and mails the owner when a person has to act.
//!
//! The map of the house, from the inside out:
//!
//! - [`engine`] decides. It has no clock, socket, file or thread: events and the time go in,
//!   actions come out. The timer wheel, the state machine, the verdict on an answer, who is told what.
//! - [`daemon`] acts. The event loop, the gate in front of the API, the threads that ask and mail,
//!   the announcement on the network. It decides as little as it can.
//! - [`config`] reads what the owner wants, from the command line, the environment and a file.
//! - [`setup`] asks the owner the few things that only they know, and writes that file.
//! - [`logging`] is the one place that writes to standard error.
//! - [`client`] is for the others: apps that register, and the command line. It knows the daemon by
//!   what it says on the network alone, and is all that the feature `client` builds.

// The map names rooms that a client does not build.
#![cfg_attr(not(feature = "daemon"), allow(rustdoc::broken_intra_doc_links))]

#[cfg(feature = "client")]
pub mod client;
#[cfg(feature = "daemon")]
pub mod config;
#[cfg(feature = "daemon")]
pub mod daemon;
#[cfg(feature = "daemon")]
pub mod engine;
#[cfg(feature = "daemon")]
pub mod logging;
#[cfg(feature = "daemon")]
pub mod setup;
