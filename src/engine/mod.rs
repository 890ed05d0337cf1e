//! The core: pure decisions in virtual time.
//!
//! Nothing here reads a clock, opens a socket or a file, or starts a thread. Each room may use those
//! above it in this list, and none below (a test holds it; the blank lines keep the order).

// Text and spans, safe and short, for people.
pub mod text;

// The two clocks, and what is remembered of them.
pub mod time;

// The four words for how an app is.
pub mod state;

// Where the owner lets mail go.
pub mod recipients;

// Every deadline.
pub mod wheel;

// What is on disk, and cannot change unmarked.
pub mod ledger;

// What an app asks for.
pub mod registration;

// What an answer means.
pub mod verdict;

// What goes to the health check log.
pub mod check_log;

// What goes to the log.
pub mod log_event;

// The first machine: which apps there are, and how they fare.
pub mod registry;

// The second: when each is asked.
pub mod scheduler;

// The third: what waits for the mail server.
pub mod outbox;

// The fourth: who is told what.
pub mod incidents;

// What must outlive a power cut.
pub mod record;

// What is shown.
pub mod query;

// The engine, which wires the machines,
pub mod core;

// and the traffic between them.
mod traffic;

// What the tests of the machines share.
#[cfg(test)]
mod tests;
