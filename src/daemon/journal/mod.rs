//! The journal: what must survive a crash, on disk before it is acknowledged.
//!
//! It knows nothing of what it keeps: a *batch* is what one turn of the event loop decided, a list
//! of records that becomes one line of a text file, all of it or none. `docs/journal.md` describes
//! the file for people. From the outside in:
//!
//! - `handle`: the [`Journal`] in the hand of the event loop, which never waits for the disk;
//! - `writer`: the thread that does, with one sync for all batches that wait;
//! - `store`: the one open file, and how another takes its place;
//! - `open` and `scan`: what a start finds, whole, torn or damaged;
//! - `format`: batches as lines, and `tree`, records out of them;
//! - `disk`: what all of them ask of a disk, so that tests can let it fail; `folder` and `lock`: the
//!   real one, which only one daemon may have.

mod crc;
mod disk;
mod folder;
mod format;
mod handle;
mod lock;
mod open;
mod report;
mod scan;
mod store;
mod tree;
mod writer;

pub use disk::{Content, Disk, DiskFile, Identity};
pub use folder::Folder;
pub use handle::{ByHand, Journal};
pub use lock::ClaimError;
pub use open::{OpenError, Opened};
pub use report::{DiskTrouble, Mark, Stats, SyncReport, Urgency};
pub use scan::{Lines, Newer, Scan, scan};
pub use tree::records;
pub use writer::{COMPANY, WriterByHand};

/// The journal's name in its folder.
pub const JOURNAL: &str = "journal";
/// A snapshot that is being written, before it takes the journal's name.
pub const NEW: &str = "journal.new";
/// What a file that is set aside is called, with a number at the end.
pub const DAMAGED: &str = "journal.damaged-";
/// A journal never grows larger, and no more of one is read: the most apps (10,000) with a KiB
/// each take half of it when compaction falls due. It keeps a runaway file out of memory.
pub const MOST_BYTES: u64 = 64 * 1024 * 1024;
