//! The configuration file itself: it may hold secrets, and what a person wrote is not lost.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt, fchown};
use std::path::{Path, PathBuf};

use crate::config::quoted::shown;
use crate::config::read_file;

/// Only the owner reads it.
const MODE: u32 = 0o600;

/// The ending of what is not whole yet.
const NEW: &str = "new";

/// So many old ones are kept; who sets up more often than that has the last one replaced.
const OLD_ONES_MAX: u32 = 20;

pub(super) struct Paper {
    /// As it was named.
    path: PathBuf,
    /// Where it lies: a link is followed.
    at: PathBuf,
    before: Option<Before>,
}

/// What was there.
struct Before {
    text: Vec<u8>,
    owner: u32,
    group: u32,
}

impl Paper {
    /// What is there, and that something can be put into its place: else all questions would be asked in vain.
    ///
    /// # Errors
    /// Something is there that cannot be read or replaced, or nothing can be written there.
    pub(super) fn find(path: &Path) -> Result<Self, String> {
        let is_link = fs::symlink_metadata(path).is_ok_and(|it| it.is_symlink());
        let before = match Before::read(path) {
            Ok(before) => Some(before),
            Err(why) if why.kind() != ErrorKind::NotFound => {
                return Err(format!("{} cannot be read: {why}", name(path)));
            }
            // What it leads to may be on a disk that is away just now.
            Err(_) if is_link => {
                return Err(format!("{} is a link to what is not there", name(path)));
            }
            Err(_) => None,
        };
        let at = if is_link { fs::canonicalize(path).ok() } else { None };
        let paper =
            Paper { path: path.to_owned(), at: at.unwrap_or_else(|| path.to_owned()), before };
        paper.try_to_write().map_err(|why| paper.unwritable(&why))?;
        Ok(paper)
    }

    fn unwritable(&self, why: &io::Error) -> String {
        format!("{} cannot be written: {why}", self.shown())
    }

    fn try_to_write(&self) -> io::Result<()> {
        let new = beside(&self.at, NEW);
        create(&new)?;
        fs::remove_file(new)
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) fn shown(&self) -> String {
        name(&self.path)
    }

    /// What was there; `None` for a new file.
    pub(super) fn text(&self) -> Option<&[u8]> {
        self.before.as_ref().map(|before| before.text.as_slice())
    }

    pub(super) fn what_is_replaced(&self) -> String {
        let (file, old) = (self.shown(), name(&self.kept_at()));
        format!(
            "{file} is there already: write it anew, with what it sets besides, and keep it as it is \
             now as {old}"
        )
    }

    /// Where what was there is kept: what a person wrote is not lost when they set up twice.
    fn kept_at(&self) -> PathBuf {
        let mut at = beside(&self.at, "old");
        for number in 2..=OLD_ONES_MAX {
            let there = fs::read(&at);
            if there.is_err() || there.ok().as_deref() == self.text() {
                break;
            }
            at = beside(&self.at, &format!("old.{number}"));
        }
        at
    }

    /// Puts the new text in the place of what was there, which is kept beside it. Both are whose that was: who sets up
    /// as root the file of a daemon that does not run as root leaves it readable for that.
    ///
    /// # Errors
    /// What could not be done; the file is as it was.
    pub(super) fn write(&self, text: &str) -> Result<(), String> {
        if let Some(before) = &self.before {
            self.put(&self.kept_at(), &before.text).map_err(|why| self.unwritable(&why))?;
        }
        self.put(&self.at, text.as_bytes()).map_err(|why| self.unwritable(&why))
    }

    /// Whole or not at all, also where the power goes.
    fn put(&self, path: &Path, bytes: &[u8]) -> io::Result<()> {
        let new = beside(path, NEW);
        let write = || {
            let mut file = create(&new)?;
            if let Some(Before { owner, group, .. }) = self.before {
                // Only root may give a file away; else it stays ours, as it was before if it was.
                let _ = fchown(&file, Some(owner), Some(group));
            }
            file.write_all(bytes)?;
            file.sync_all()?;
            fs::rename(&new, path)
        };
        write().inspect_err(|_| drop(fs::remove_file(&new)))
    }
}

impl Before {
    fn read(path: &Path) -> io::Result<Before> {
        let is = fs::metadata(path)?;
        if !is.is_file() {
            // Reading a pipe may never end.
            return Err(io::Error::other("it is no file"));
        }
        Ok(Before { text: read_file(path)?, owner: is.uid(), group: is.gid() })
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

/// A new file that only its owner reads.
fn create(path: &Path) -> io::Result<File> {
    // One that an earlier run left behind has another's mode, perhaps.
    let _ = fs::remove_file(path);
    OpenOptions::new().write(true).create_new(true).mode(MODE).open(path)
}
