//! What a start makes of the journal that it finds.
//!
//! Whatever is good in it goes into a fresh file, at every start: a file that the last run could
//! not sync may read well from memory and still not be on the disk, and nothing may be appended to
//! that. A torn tail is left out: a crash interrupted a write that nobody had been told of. A
//! damaged file keeps its bytes under another name.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::disk::{Content, Disk, Identity};
use super::scan::{self, Newer, Scan};
use super::{JOURNAL, MOST_BYTES};

/// What was on record.
#[derive(Debug, PartialEq, Eq)]
pub struct Opened<R> {
    /// The batches, in the order in which they were appended.
    pub batches: Vec<Vec<R>>,
    /// What the owner must know: each a line for the log.
    pub warnings: Vec<String>,
    /// Something that had been acknowledged may be lost to damage.
    pub lost: bool,
}

/// Why there is no journal to be had.
#[derive(Debug)]
pub enum OpenError {
    /// A later version of the daemon wrote the file, which has not been touched.
    Newer {
        /// The file.
        path: PathBuf,
        /// The version of its format.
        version: u32,
    },
    /// The file is there and cannot be read at all.
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
    /// The system has no thread for us.
    NoThread(io::Error),
}

impl fmt::Display for OpenError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            OpenError::Newer { path, version } => write!(
                f,
                "{} has version {version} of the journal's format, which only a later healthchecker \
                 reads; install that one, or use another state_dir",
                path.display()
            ),
            OpenError::Unreadable { path, error } => write!(
                f,
                "could not read {}: {error}; make it readable, or move it away to begin with nothing",
                path.display()
            ),
            OpenError::NoThread(error) => {
                write!(f, "could not start a thread for the journal: {error}")
            }
        }
    }
}

impl std::error::Error for OpenError {}

/// A journal that has been read.
#[derive(Debug)]
pub(super) struct Found<R> {
    /// What was on record.
    pub(super) opened: Opened<R>,
    /// The good lines, for the fresh file.
    pub(super) lines: Vec<u8>,
    /// The old file, when the fresh one leaves nothing of it out that was ever whole.
    pub(super) replaceable: Option<Identity>,
}

/// Reads the journal.
pub(super) fn read<R: DeserializeOwned>(disk: &impl Disk) -> Result<Found<R>, OpenError> {
    let path = disk.path().join(JOURNAL);
    let content = match disk.read(JOURNAL, MOST_BYTES) {
        Ok(content) => content,
        Err(error) => return Err(OpenError::Unreadable { path, error }),
    };
    let Some(content) = content else {
        let opened = Opened { batches: Vec::new(), warnings: Vec::new(), lost: false };
        return Ok(Found { opened, lines: Vec::new(), replaceable: None });
    };
    match scan::scan(&content.bytes) {
        Ok(scan) => Ok(assess(disk, &content, scan, &path)),
        Err(Newer { version }) => Err(OpenError::Newer { path, version }),
    }
}

fn assess<R>(disk: &impl Disk, content: &Content, scan: Scan<'_, R>, path: &Path) -> Found<R> {
    let damage = damage(content, &scan, path);
    let unknown = unknown(&scan, path);
    let lost = damage.is_some();
    let keep = lost || unknown.is_some();
    let mut warnings: Vec<String> = damage.into_iter().chain(unknown).collect();
    if !keep && scan.torn > 0 {
        warnings.push(format!(
            "{} was torn by a crash: {} bytes of a write that never ended are cut off",
            path.display(),
            scan.torn
        ));
    }
    let replaceable = if keep { None } else { disk.identity(JOURNAL).ok().flatten() };
    let opened = Opened { batches: scan.batches, warnings, lost };
    Found { opened, lines: scan.good.concat(), replaceable }
}

fn damage<R>(content: &Content, scan: &Scan<'_, R>, path: &Path) -> Option<String> {
    let mut found = Vec::new();
    if content.bytes.is_empty() && content.unreadable == 0 {
        found.push("it is empty".to_owned());
    } else if scan.headless {
        found.push("it does not begin as a journal does".to_owned());
    }
    if scan.cut {
        found.push("it ends before what it was begun with does".to_owned());
    }
    if content.unreadable > 0 {
        found.push(format!("{} bytes cannot be read", content.unreadable));
    }
    let lines = scan.damaged;
    if lines.count > 0 {
        found.push(format!(
            "{} lines ({} bytes) from line {} on are not as they were written",
            lines.count, lines.bytes, lines.first
        ));
    }
    if found.is_empty() {
        return None;
    }
    if scan.torn > 0 {
        found.push(format!("its last {} bytes are torn", scan.torn));
    }
    Some(format!(
        "{} is damaged: {}; {} good lines go on in a fresh file",
        path.display(),
        found.join(", "),
        scan.good.len()
    ))
}

fn unknown<R>(scan: &Scan<'_, R>, path: &Path) -> Option<String> {
    (scan.unknown.count > 0).then(|| {
        format!(
            "{} has {} lines that this version does not know, left out; the first is line {}: {}",
            path.display(),
            scan.unknown.count,
            scan.unknown.first,
            scan.oddity
        )
    })
}
