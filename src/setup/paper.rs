//! The configuration file itself: it may hold secrets, and what a person wrote is not lost.

use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use crate::config::quoted::shown;
use crate::config::read_file;

/// Only the owner reads it.
const MODE: u32 = 0o600;

/// So many old ones are kept; who sets up more often than that has the last one replaced.
const OLD_ONES_MAX: u32 = 20;

pub(super) struct Paper {
    path: PathBuf,
    before: Option<Vec<u8>>,
}

impl Paper {
    /// # Errors
    /// Something is there that cannot be read.
    pub(super) fn find(path: &Path) -> Result<Self, String> {
        let before = match read_file(path) {
            Ok(before) => Some(before),
            Err(why) if why.kind() == ErrorKind::NotFound => None,
            Err(why) => return Err(format!("{} cannot be read: {why}", name(path))),
        };
        Ok(Paper { path: path.to_owned(), before })
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn shown(&self) -> String {
        name(&self.path)
    }

    /// What was there; `None` for a new file.
    pub(super) fn text(&self) -> Option<&[u8]> {
        self.before.as_deref()
    }

    pub(super) fn what_is_replaced(&self) -> String {
        let (file, old) = (self.shown(), name(&self.kept_at(&self.path)));
        format!(
            "{file} is there already: write it anew, with what it sets besides, and keep it as it is \
             now as {old}"
        )
    }

    /// Where what was there is kept: what a person wrote is not lost when they set up twice.
    fn kept_at(&self, path: &Path) -> PathBuf {
        let mut at = beside(path, "old");
        for number in 2..=OLD_ONES_MAX {
            let there = fs::read(&at);
            if there.is_err() || there.ok() == self.before {
                break;
            }
            at = beside(path, &format!("old.{number}"));
        }
        at
    }

    /// Puts the new text in the place of what was there, which is kept beside it.
    ///
    /// # Errors
    /// What could not be done; the file is as it was.
    pub(super) fn write(&self, text: &str) -> Result<(), String> {
        // A link is followed: what it leads to is the file.
        let path = fs::canonicalize(&self.path).unwrap_or_else(|_| self.path.clone());
        let why = |why: io::Error| format!("{} cannot be written: {why}", self.shown());
        if let Some(before) = &self.before {
            put(&self.kept_at(&path), before).map_err(why)?;
        }
        put(&path, text.as_bytes()).map_err(why)
    }
}

fn name(path: &Path) -> String {
    shown(&path.to_string_lossy())
}

fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(".");
    name.push(ending);
    PathBuf::from(name)
}

/// Whole or not at all, also where the power goes.
fn put(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let new = beside(path, "new");
    let write = || {
        // One that an earlier run left behind has another's mode, perhaps.
        let _ = fs::remove_file(&new);
        let mut file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&new)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&new, path)
    };
    write().inspect_err(|_| drop(fs::remove_file(&new)))
}
