//! Where the API's private socket lies.

use std::fs::DirBuilder;
use std::io;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

/// Only we may reach into it: the socket trusts whoever does.
const MODE: u32 = 0o700;
/// A name is taken only by what an earlier run left behind.
const NAMES_TRIED: u32 = 100;

/// The folder that systemd made for this run (`RuntimeDirectory=`; the first of several).
pub fn runtime_directory() -> Option<PathBuf> {
    let folders = std::env::var_os("RUNTIME_DIRECTORY")?;
    std::env::split_paths(&folders).next().filter(|folder| folder.is_absolute())
}

/// A fresh folder of our own, removed at the end.
#[derive(Debug)]
pub(super) struct SocketFolder {
    path: PathBuf,
}

impl SocketFolder {
    /// Makes one in `runtime`, or else among the temporary files.
    ///
    /// # Errors
    /// Neither can be written to.
    pub(super) fn new(runtime: Option<&Path>) -> io::Result<SocketFolder> {
        if let Some(parent) = runtime {
            match SocketFolder::inside(parent) {
                Ok(folder) => return Ok(folder),
                Err(why) => log::warn!("{why}; using the folder for temporary files"),
            }
        }
        SocketFolder::inside(&std::env::temp_dir())
    }

    fn inside(parent: &Path) -> io::Result<SocketFolder> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        let start = now.map_or(0, |since| since.subsec_nanos());
        let mut last = io::Error::from(io::ErrorKind::AlreadyExists);
        for n in 0..NAMES_TRIED {
            let name = format!("healthchecker-{}-{}", std::process::id(), start.wrapping_add(n));
            let path = parent.join(name);
            // Making it fails if anything is there, a link too: nobody can put theirs in its place.
            match DirBuilder::new().mode(MODE).create(&path) {
                Ok(()) => return Ok(SocketFolder { path }),
                Err(why) if why.kind() == io::ErrorKind::AlreadyExists => last = why,
                Err(why) => {
                    last = why;
                    break;
                }
            }
        }
        let parent = parent.display();
        Err(io::Error::new(
            last.kind(),
            format!("cannot make a folder for the private socket in {parent}: {last}"),
        ))
    }

    /// A path in it for the `n`th socket.
    pub(super) fn socket(&self, n: u64) -> PathBuf {
        self.path.join(format!("api-{n}"))
    }

    /// Removes it, once; nothing can be reached through it from then on.
    pub(super) fn remove(&self) {
        match std::fs::remove_dir_all(&self.path) {
            Err(why) if why.kind() != io::ErrorKind::NotFound => {
                log::debug!("cannot remove {}: {why}", self.path.display());
            }
            _ => {}
        }
    }
}

impl Drop for SocketFolder {
    fn drop(&mut self) {
        self.remove();
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn it_is_ours_alone_and_gone_at_the_end() {
        let parent = tempfile::tempdir().unwrap();
        let folder = SocketFolder::new(Some(parent.path())).unwrap();
        let path = folder.path.clone();
        assert!(path.starts_with(parent.path()));
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, MODE);
        std::fs::write(folder.socket(1), "").unwrap();
        drop(folder);
        assert!(!path.exists());
    }

    #[test]
    fn without_a_usable_runtime_folder_it_is_a_temporary_one() {
        let folder = SocketFolder::new(Some(Path::new("/nowhere"))).unwrap();
        assert!(folder.path.starts_with(std::env::temp_dir()));
    }
}
