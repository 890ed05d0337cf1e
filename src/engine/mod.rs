//! The engine: pure decisions, in the time that it is told.
//!
//! Nothing here reads a clock, opens a socket or a file, or starts a thread. Each module of the list
//! below is a room, and may use those above it and none below (a test holds it). The blank lines keep
//! the order: without them the formatter sorts by name.

// Text and spans, safe and short, for people.
pub mod text;

// The two clocks, and what is remembered of them.
pub mod time;

// The four words for how an app is.
pub mod state;

// Who is told, and whom the owner lets be told.
pub mod recipients;

// Every deadline.
pub mod wheel;

// Sorted lists that are maps and sets.
pub mod sorted;

// What is to be on disk, in memory: it cannot change unmarked.
pub mod ledger;

// What an app asks for.
pub mod registration;

// What an answer means.
pub mod verdict;

// What goes to the health check log.
pub mod check_log;

// What goes to the daemon's own log, on standard error.
pub mod log_event;

// The first machine: which apps there are, and how they fare.
pub mod registry;

// The second: when each is asked.
pub mod scheduler;

// The third: by when those are to report who are not asked.
pub mod beats;

// The fourth: what around us excuses a silence.
pub mod surroundings;

// The fifth: what became of the household lately, for people to read.
pub mod chronicle;

// The sixth: what waits for the mail server.
pub mod outbox;

// The seventh: who is told what.
pub mod incidents;

// What was marked, as facts for the journal; and the household, rebuilt from them.
pub mod record;

// What announces itself on a network, and how it can be watched.
pub mod presets;

// What is shown.
pub mod query;

// The engine itself, in three parts: what it is made of, its start, its records, deadlines and clocks;
pub mod core;

// what apps and people ask for;
mod commands;

// and every event, with what it makes one machine tell another.
mod traffic;

// What the tests of the machines share.
#[cfg(test)]
mod tests;
