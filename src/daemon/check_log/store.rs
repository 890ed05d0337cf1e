//! The files of the health check log.
//!
//! They are opened for each write, which is once an hour in quiet times: so a folder that was
//! deleted, moved or mounted anew while the daemon runs needs no care of its own.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::{FILE_MAX, NEWEST, OLDER};

/// What an app returned is nobody else's business.
const FILE_MODE: u32 = 0o600;
const FOLDER_MODE: u32 = 0o700;

/// A file to be read, up to where it ended when it was opened: what comes later is another look's.
#[derive(Debug)]
pub(super) struct Opened {
    pub(super) file: File,
    pub(super) size: u64,
}

/// The folder with the files.
#[derive(Debug)]
pub(super) struct Store {
    folder: PathBuf,
}

impl Store {
    pub(super) fn new(folder: &Path) -> Store {
        Store { folder: folder.to_owned() }
    }

    /// Appends whole lines: all of them, or none as far as the disk lets us take them back. With
    /// `sync` they are on the disk when this returns, else within the system's half minute.
    ///
    /// # Errors
    /// In words, what could not be done and why.
    pub(super) fn append(&self, lines: &[u8], sync: bool) -> Result<(), String> {
        self.try_append(lines, sync).map_err(|why| {
            let path = self.folder.join(NEWEST);
            format!("the health check log {} cannot be written: {why}", path.display())
        })
    }

    fn try_append(&self, lines: &[u8], sync: bool) -> io::Result<()> {
        let mut file = self.open_to_append()?;
        let mut size = file.metadata()?.len();
        if size > 0 && size.saturating_add(lines.len() as u64) > FILE_MAX {
            self.rotate()?;
            file = self.open_to_append()?;
            size = file.metadata()?.len();
        }
        let mut write = || {
            if is_torn(&file, size)? {
                file.write_all(b"\n")?;
            }
            file.write_all(lines)?;
            if sync { file.sync_data() } else { Ok(()) }
        };
        let written = write();
        if written.is_err() {
            // They will be written again, and are not to be there twice.
            let _ = file.set_len(size);
        }
        written
    }

    fn open_to_append(&self) -> io::Result<File> {
        let open = || {
            let mut options = OpenOptions::new();
            options.read(true).append(true).create(true).mode(FILE_MODE);
            options.open(self.folder.join(NEWEST))
        };
        let file = match open() {
            Err(why) if why.kind() == ErrorKind::NotFound => {
                DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(&self.folder)?;
                open()?
            }
            result => result?,
        };
        must_be_file(&file.metadata()?)?;
        Ok(file)
    }

    /// Makes room: each file takes the name of the next older one, and the oldest is gone.
    fn rotate(&self) -> io::Result<()> {
        let [older, oldest] = OLDER;
        match self.rename(older, oldest) {
            Err(why) if why.kind() != ErrorKind::NotFound => Err(why),
            _ => self.rename(NEWEST, older),
        }
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.folder.join(from), self.folder.join(to))
    }

    /// All files that are there, newest first. They stay what they are while others take their names.
    pub(super) fn open_all(&self) -> Vec<Opened> {
        let names = [NEWEST].into_iter().chain(OLDER);
        names.filter_map(|name| self.open_to_read(name)).collect()
    }

    fn open_to_read(&self, name: &str) -> Option<Opened> {
        let path = self.folder.join(name);
        match open(&path) {
            Ok(opened) => Some(opened),
            Err(why) => {
                if why.kind() != ErrorKind::NotFound {
                    log::warn!("{} cannot be read: {why}", path.display());
                }
                None
            }
        }
    }
}

fn open(path: &Path) -> io::Result<Opened> {
    // Looked at first: to open a pipe is to wait for somebody who writes.
    must_be_file(&fs::metadata(path)?)?;
    let file = File::open(path)?;
    let size = file.metadata()?.len();
    Ok(Opened { file, size })
}

fn must_be_file(found: &Metadata) -> io::Result<()> {
    match found.is_file() {
        true => Ok(()),
        false => Err(io::Error::new(ErrorKind::InvalidInput, "it is not a file")),
    }
}

/// Whether the last line has no end: a power cut came in between.
fn is_torn(file: &File, size: u64) -> io::Result<bool> {
    let Some(last) = size.checked_sub(1) else { return Ok(false) };
    let mut byte = [0];
    file.read_exact_at(&mut byte, last)?;
    Ok(byte != *b"\n")
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    fn store() -> (tempfile::TempDir, Store) {
        let folder = tempfile::tempdir().unwrap();
        let store = Store::new(&folder.path().join("a/b"));
        (folder, store)
    }

    fn text(store: &Store, name: &str) -> String {
        fs::read_to_string(store.folder.join(name)).unwrap_or_default()
    }

    #[test]
    fn folder_and_file_are_made_and_are_ours_alone() {
        let (_folder, store) = store();
        store.append(b"one\n", true).unwrap();
        store.append(b"two\n", false).unwrap();
        assert_eq!(text(&store, NEWEST), "one\ntwo\n");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&store.folder), FOLDER_MODE);
        assert_eq!(mode(&store.folder.join(NEWEST)), FILE_MODE);
    }

    #[test]
    fn a_torn_line_is_left_behind() {
        let (_folder, store) = store();
        store.append(b"one\n", false).unwrap();
        let path = store.folder.join(NEWEST);
        let mut file = OpenOptions::new().append(true).open(&path).unwrap();
        file.write_all(b"{\"tor\0\0").unwrap();
        store.append(b"two\n", false).unwrap();
        assert_eq!(text(&store, NEWEST), "one\n{\"tor\0\0\ntwo\n");
    }

    #[test]
    fn a_full_file_becomes_an_older_one_and_two_of_them_are_kept() {
        let (_folder, store) = store();
        let filler = "x".repeat(FILE_MAX as usize / 2);
        for number in 0..5 {
            store.append(format!("{number}\n{filler}\n").as_bytes(), false).unwrap();
            store.append(b"more\n", false).unwrap();
        }
        let begins = |name: &str| text(&store, name).get(..2).map(str::to_owned);
        assert_eq!(begins(NEWEST).as_deref(), Some("4\n"));
        assert_eq!(begins(OLDER[0]).as_deref(), Some("3\n"));
        assert_eq!(begins(OLDER[1]).as_deref(), Some("2\n"));
        assert_eq!(fs::read_dir(&store.folder).unwrap().count(), 3);
        assert_eq!(store.open_all().len(), 3);
    }

    #[test]
    fn more_than_a_file_holds_is_written_all_the_same() {
        let (_folder, store) = store();
        let much = vec![b'x'; FILE_MAX as usize + 10];
        store.append(&much, false).unwrap();
        store.append(b"\n", false).unwrap();
        assert_eq!(fs::read_dir(&store.folder).unwrap().count(), 2);
    }

    #[test]
    fn a_folder_that_is_deleted_is_made_again() {
        let (_folder, store) = store();
        store.append(b"one\n", false).unwrap();
        fs::remove_dir_all(&store.folder).unwrap();
        store.append(b"two\n", true).unwrap();
        assert_eq!(text(&store, NEWEST), "two\n");
    }

    #[test]
    fn what_is_in_the_way_is_named() {
        let (folder, store) = store();
        fs::write(folder.path().join("a"), "").unwrap();
        let why = store.append(b"one\n", false).unwrap_err();
        assert!(why.contains("a/b/checks.log cannot be written: "), "{why}");
        assert!(store.open_all().is_empty());
        fs::remove_file(folder.path().join("a")).unwrap();
        fs::create_dir_all(store.folder.join(NEWEST)).unwrap();
        assert!(store.append(b"one\n", false).is_err());
        assert!(store.open_all().is_empty());
    }

    #[test]
    fn a_device_is_no_file() {
        let (_folder, store) = store();
        fs::create_dir_all(&store.folder).unwrap();
        std::os::unix::fs::symlink("/dev/full", store.folder.join(NEWEST)).unwrap();
        let why = store.append(b"one\n", false).unwrap_err();
        assert!(why.ends_with("it is not a file"), "{why}");
    }
}
