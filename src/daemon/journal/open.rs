//! What a start makes of the journal that it finds.
//!
//! A torn tail is cut off: a crash interrupted a write that nobody had been told of. A damaged file
//! keeps its bytes under another name, and what is good in it goes into a fresh one. A disk that
//! can be read but not written is no reason to leave a household unwatched: the journal is then
//! in trouble from the start, and as able to recover as later.

use std::fmt;
use std::io;
use std::path::{Path, PathBuf};

use serde::de::DeserializeOwned;

use super::disk::{Content, Disk};
use super::scan::{self, Newer, Scan};
use super::store::Store;
use super::{JOURNAL, MOST_BYTES, NEW};

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
                "could not read {}: {error}; make it readable, or move it away to start without",
                path.display()
            ),
            OpenError::NoThread(error) => {
                write!(f, "could not start a thread for the journal: {error}")
            }
        }
    }
}

impl std::error::Error for OpenError {}

/// Reads the journal, repairs what can be repaired, and has the file ready to append to.
pub(super) fn open<D: Disk, R: DeserializeOwned>(
    disk: D,
) -> Result<(Store<D>, Opened<R>), OpenError> {
    let path = disk.path().join(JOURNAL);
    let content = match disk.read(JOURNAL, MOST_BYTES) {
        Ok(content) => content,
        Err(error) => return Err(OpenError::Unreadable { path, error }),
    };
    let Some(content) = content else { return Ok(begin(disk)) };
    match scan::scan(&content.bytes) {
        Ok(scan) => Ok(recover(disk, &content, scan, &path)),
        Err(Newer { version }) => Err(OpenError::Newer { path, version }),
    }
}

/// The first start of all.
fn begin<D: Disk, R>(disk: D) -> (Store<D>, Opened<R>) {
    let mut store = Store::without_file(disk, None);
    let trouble = store.replace(&[]).err();
    let warnings = trouble.iter().map(ToString::to_string).collect();
    (store, Opened { batches: Vec::new(), warnings, lost: false })
}

fn recover<D: Disk, R>(
    disk: D,
    content: &Content,
    scan: Scan<'_, R>,
    path: &Path,
) -> (Store<D>, Opened<R>) {
    // What a broken compaction left: its content is in the journal. No matter if it stays.
    let _ = disk.remove(NEW);
    let damage = damage(content, &scan, path);
    let unknown = unknown(&scan, path);
    let lost = damage.is_some();
    let keep = lost || unknown.is_some();
    let mut warnings: Vec<String> = damage.into_iter().chain(unknown).collect();
    let store = if keep {
        let mut store = Store::without_file(disk, None);
        warnings.push(match store.replace(&[&scan.good.concat()]) {
            Ok(Some(name)) => format!("all of the old file is kept as {name}"),
            Ok(None) => "the old file is gone".to_owned(),
            Err(trouble) => format!("the old file stays where it is: {trouble}"),
        });
        store
    } else if scan.torn > 0 {
        warnings.push(format!(
            "{} was torn by a crash: {} bytes of a write that never ended are cut off",
            path.display(),
            scan.torn
        ));
        let replaceable = disk.identity(JOURNAL).ok().flatten();
        let mut store = Store::without_file(disk, replaceable);
        warnings.extend(store.replace(&[&scan.good.concat()]).err().map(|trouble| trouble.text));
        store
    } else {
        let store = Store::resume(disk, content.bytes.len() as u64);
        warnings.extend(store.trouble().map(ToString::to_string));
        store
    };
    (store, Opened { batches: scan.batches, warnings, lost })
}

fn damage<R>(content: &Content, scan: &Scan<'_, R>, path: &Path) -> Option<String> {
    let mut found = Vec::new();
    if content.bytes.is_empty() && content.unreadable == 0 {
        found.push("it is empty".to_owned());
    } else if scan.headless {
        found.push("it does not begin as a journal does".to_owned());
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
