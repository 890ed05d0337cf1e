//! What the event loop and the journal's thread tell each other.

use std::fmt;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::time::Duration;

/// A place in the order of everything that was appended. A later one is larger; the default, before
/// them all, stands for what was on record at the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Mark(pub(super) u64);

/// Whether somebody waits for a batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Urgency {
    /// At once: an answer or a mail waits for it.
    Now,
    /// Within about a second, together with what else comes.
    Soon,
}

/// What became of everything up to a mark that no earlier report named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SyncReport {
    /// The last mark that is spoken of.
    pub mark: Mark,
    /// `Ok`: on the disk, for good. An error: not known to be there; the next snapshot brings it.
    pub outcome: Result<(), DiskTrouble>,
    /// When a snapshot was among it: whether that is in place. One that failed while the old file is
    /// still good loses nothing: it is all in that one.
    pub snapshot: Option<Result<(), DiskTrouble>>,
    /// Where the journal stands now.
    pub stats: Stats,
}

/// What the journal has cost the disk since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Stats {
    /// Bytes written to files.
    pub written: u64,
    /// Files and folders synced.
    pub syncs: u64,
    /// How long syncs of the file took, all together.
    pub sync_time: Duration,
    /// How long the last sync of the file took.
    pub last_sync: Duration,
    /// The size of the file, in bytes.
    pub size: u64,
    /// Its size when the last snapshot was in place.
    pub snapshot_size: u64,
}

/// Why something is not on the disk: a sentence for a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DiskTrouble {
    /// What was tried, on which file, and what went wrong.
    pub text: String,
    /// The disk (or a quota) is full: what a client gets is 507, and 503 otherwise.
    pub full: bool,
}

impl DiskTrouble {
    /// An action on a file of `folder` that failed.
    pub(super) fn new(tried: &str, folder: &Path, name: &str, error: &io::Error) -> DiskTrouble {
        let path = folder.join(name);
        DiskTrouble {
            text: format!("could not {tried} {}: {error}", path.display()),
            full: matches!(error.kind(), ErrorKind::StorageFull | ErrorKind::QuotaExceeded),
        }
    }
}

impl fmt::Display for DiskTrouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trouble_says_what_was_tried_where_and_whether_there_is_no_room() {
        for (kind, full) in [
            (io::ErrorKind::StorageFull, true),
            (io::ErrorKind::QuotaExceeded, true),
            (io::ErrorKind::PermissionDenied, false),
        ] {
            let trouble = DiskTrouble::new("write", Path::new("/home"), "journal", &kind.into());
            assert_eq!(trouble.to_string(), format!("could not write /home/journal: {kind}"));
            assert_eq!(trouble.full, full);
        }
    }
}
