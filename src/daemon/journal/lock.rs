//! One folder, one daemon: the lock, and who has it.
//!
//! The folder itself is locked (flock), so there is no lock file to go stale; the system lets go
//! of it when the process ends, however it ends.

use std::fmt;
use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Why a folder cannot be ours.
#[derive(Debug)]
pub enum ClaimError {
    /// Another daemon has it.
    Taken {
        /// The folder.
        path: PathBuf,
        /// That daemon's process, if the system tells.
        pid: Option<u32>,
    },
    /// It cannot be made, opened or locked.
    Unusable {
        /// The folder.
        path: PathBuf,
        /// What the system says.
        error: io::Error,
    },
}

impl fmt::Display for ClaimError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ClaimError::Taken { path, pid } => {
                write!(f, "{} is in use by another healthchecker", path.display())?;
                if let Some(pid) = pid {
                    write!(f, " (process {pid})")?;
                }
                f.write_str("; stop that one, or give this one a state_dir of its own")
            }
            ClaimError::Unusable { path, error } => {
                write!(f, "could not use {} as state_dir: {error}", path.display())
            }
        }
    }
}

impl std::error::Error for ClaimError {}

/// Locks an open folder for as long as `folder` lives.
pub(super) fn lock(folder: &File, path: &Path) -> Result<(), ClaimError> {
    let path = path.to_path_buf();
    match folder.try_lock() {
        Ok(()) => Ok(()),
        Err(TryLockError::WouldBlock) => Err(ClaimError::Taken { path, pid: holder(folder) }),
        Err(TryLockError::Error(error)) => Err(ClaimError::Unusable { path, error }),
    }
}

fn holder(folder: &File) -> Option<u32> {
    let folder = folder.metadata().ok()?;
    let locks = fs::read_to_string("/proc/locks").ok()?;
    holder_in(&locks, folder.dev(), folder.ino())
}

/// The process that holds an flock on a file, from the text of `/proc/locks` (proc_locks(5)).
fn holder_in(locks: &str, device: u64, inode: u64) -> Option<u32> {
    // How Linux packs the two parts of a device's number into one: makedev(3).
    let major = (device >> 8 & 0xfff) | (device >> 32 & !0xfff);
    let minor = (device & 0xff) | (device >> 12 & !0xff);
    let file = format!("{major:02x}:{minor:02x}:{inode}");
    locks.lines().find_map(|line| {
        let mut words = line.split_ascii_whitespace().skip(1);
        let (kind, pid) = (words.next()?, words.nth(2)?);
        (kind == "FLOCK" && words.next()? == file).then(|| pid.parse().ok()).flatten()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCKS: &str = "\
1: POSIX  ADVISORY  WRITE 700 b3:02:4711 0 EOF
2: FLOCK  ADVISORY  WRITE 701 b3:01:4711 0 EOF
3: FLOCK  ADVISORY  WRITE 702 b3:02:4711 0 EOF
3: -> FLOCK  ADVISORY  WRITE 703 b3:02:4711 0 EOF
4: FLOCK
";

    #[test]
    fn the_holder_is_found_by_device_and_inode() {
        assert_eq!(holder_in(LOCKS, 0xb302, 4711), Some(702));
        assert_eq!(holder_in(LOCKS, 0xb302, 4712), None);
        assert_eq!(holder_in("", 0, 0), None);
    }

    #[test]
    fn the_message_says_who_and_what_to_do() {
        let taken = ClaimError::Taken { path: "/state".into(), pid: Some(702) };
        assert_eq!(
            taken.to_string(),
            "/state is in use by another healthchecker (process 702); \
             stop that one, or give this one a state_dir of its own"
        );
    }
}
