//! Where the API's private socket lies.

use std::fs::{self, DirBuilder};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use mio::net::UnixStream;

/// Only we may reach into it: the socket trusts whoever does.
const MODE: u32 = 0o700;
/// A name is taken only by what an earlier run left behind.
const NAMES_TRIED: u32 = 100;
/// So a name begins; the process and a number follow.
const PREFIX: &str = "healthchecker-";
/// The most names looked at to find what dead runs left: the start must not wait for a folder of
/// temporary files that has grown without bound.
const LOOKED_AT_MAX: usize = 10_000;

/// The folder that systemd made for this run (`RuntimeDirectory=`; the first of several).
pub(crate) fn runtime_directory() -> Option<PathBuf> {
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
            let name = format!("{PREFIX}{}-{}", std::process::id(), start.wrapping_add(n));
            let path = parent.join(name);
            // Making it fails if anything is there, a link too: nobody can put theirs in its place.
            match DirBuilder::new().mode(MODE).create(&path) {
                Ok(()) => {
                    sweep(parent, &path);
                    return Ok(SocketFolder { path });
                }
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

/// Removes what earlier runs left in `parent`: a kill or a power cut leaves no time to. Our own folder,
/// `ours`, shows who we are.
fn sweep(parent: &Path, ours: &Path) {
    let (Ok(ours), Ok(entries)) = (fs::symlink_metadata(ours), fs::read_dir(parent)) else {
        return;
    };
    for entry in entries.take(LOOKED_AT_MAX).flatten() {
        let is_abandoned = entry.file_name().to_str().and_then(process).is_some_and(is_dead)
            && entry.metadata().is_ok_and(|it| it.is_dir() && it.uid() == ours.uid())
            && is_unserved(&entry.path());
        if is_abandoned {
            match fs::remove_dir_all(entry.path()) {
                Ok(()) => {
                    log::debug!("removed {}, left by a run that was killed", entry.path().display())
                }
                Err(why) => log::debug!("cannot remove {}: {why}", entry.path().display()),
            }
        }
    }
}

/// Whose folder it is, if the name is one of ours.
fn process(name: &str) -> Option<u32> {
    let (process, number) = name.strip_prefix(PREFIX)?.split_once('-')?;
    let is_number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit()) && !text.is_empty();
    (is_number(process) && is_number(number)).then(|| process.parse().ok())?
}

fn is_dead(process: u32) -> bool {
    !Path::new("/proc").join(process.to_string()).exists()
}

/// Whether nobody listens on the sockets in it. A daemon in another container may share the folder
/// for temporary files with us, and seem dead.
fn is_unserved(folder: &Path) -> bool {
    let refuses = |entry: fs::DirEntry| {
        let knocked = UnixStream::connect(entry.path());
        knocked.is_err_and(|why| why.kind() == io::ErrorKind::ConnectionRefused)
    };
    let sockets: Vec<bool> =
        fs::read_dir(folder).into_iter().flatten().flatten().map(refuses).collect();
    !sockets.is_empty() && sockets.into_iter().all(|refuses| refuses)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixListener;

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

    #[test]
    fn what_dead_runs_left_is_swept_and_nothing_else() {
        let parent = tempfile::tempdir().unwrap();
        // Beyond the largest process number of Linux.
        let dead = 4_194_305;
        let make = |name: String| {
            let path = parent.path().join(name);
            DirBuilder::new().mode(MODE).create(&path).unwrap();
            path
        };
        let left = make(format!("healthchecker-{dead}-1"));
        drop(UnixListener::bind(left.join("api-1")).unwrap());
        let served = make(format!("healthchecker-{dead}-2"));
        let _listener = UnixListener::bind(served.join("api-1")).unwrap();
        let fresh = make(format!("healthchecker-{dead}-3"));
        let alive = make(format!("healthchecker-{}-x", std::process::id()));
        let others: Vec<PathBuf> = ["healthchecker-x-1", "healthchecker-", "other"]
            .map(|name| make(name.to_owned()))
            .into();
        let link = parent.path().join(format!("healthchecker-{dead}-4"));
        std::os::unix::fs::symlink(&left, &link).unwrap();

        let folder = SocketFolder::new(Some(parent.path())).unwrap();
        assert!(!left.exists());
        assert!(folder.path.exists() && link.is_symlink());
        for kept in [served, fresh, alive].iter().chain(&others) {
            assert!(kept.exists(), "{}", kept.display());
        }
    }
}
