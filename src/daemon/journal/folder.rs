//! The real disk: the state folder, ours alone while it is open.

use std::fs::{self, DirBuilder, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{DirBuilderExt, FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use super::JOURNAL;
use super::disk::{Content, Disk, DiskFile, Identity};
use super::lock::{self, ClaimError};

/// What a folder that we make lets others do: nothing.
const FOLDER_MODE: u32 = 0o700;
/// The same for files.
const FILE_MODE: u32 = 0o600;
/// The most symbolic links that lead to one file (path_resolution(7)): those in a circle end there.
const LINKS_MAX: usize = 40;
/// A bad place on a disk costs this much of a file: a sector of today's disks, a page of memory.
const BLOCK: usize = 4096;

/// The state folder, locked against a second daemon for as long as this lives.
#[derive(Debug)]
pub struct Folder {
    path: PathBuf,
    locked: File,
    /// The folder that the journal was in when we came, and where the disk of that is mounted.
    disk: Option<(PathBuf, PathBuf)>,
}

impl Folder {
    /// Makes the folder when it is missing (mode 0700), uses one that exists as it is, and locks it.
    ///
    /// # Errors
    /// When it cannot be made or opened, or another daemon has it.
    pub fn claim(path: &Path) -> Result<Folder, ClaimError> {
        let unusable = |error| ClaimError::Unusable { path: path.to_path_buf(), error };
        make(path).map_err(unusable)?;
        let locked = File::open(path).map_err(unusable)?;
        lock::lock(&locked, path)?;
        let mut folder = Folder { path: path.to_path_buf(), locked, disk: None };
        let home = folder.home();
        folder.disk = mount_point(&home).map(|mount| (home, mount));
        Ok(folder)
    }

    /// What it means that there is no file of this name at `path`: a first start, unless a link leads
    /// there. Who made the link had a journal; the folder that its disk belongs to is there without it.
    fn nothing_at(&self, name: &str, path: &Path) -> io::Result<Option<Content>> {
        if path == self.path.join(name) {
            return Ok(None);
        }
        let path = path.display();
        let why = format!("it is a link to {path}, where there is no file (is the disk mounted?)");
        Err(io::Error::new(ErrorKind::NotFound, why))
    }

    /// The folder that the journal is in.
    fn home(&self) -> PathBuf {
        let journal = self.at(JOURNAL);
        journal.parent().unwrap_or(&self.path).to_path_buf()
    }

    /// A disk that is gone may leave its folder behind. What we wrote there the mounted disk would hide
    /// at the next start.
    fn check_disk(&self) -> io::Result<()> {
        let disk = self.disk.as_ref().filter(|(home, _)| *home == self.home());
        match disk {
            Some((_, mount)) if !is_mount_point(mount) => {
                let why = format!("the disk at {} is not mounted any more", mount.display());
                Err(io::Error::new(ErrorKind::NotFound, why))
            }
            _ => Ok(()),
        }
    }

    /// Where the file of this name is. The journal may be a symbolic link, to a better disk say: it is
    /// replaced where it lies, and the files that are named after it lie beside it.
    fn at(&self, name: &str) -> PathBuf {
        let Some(after) = name.strip_prefix(JOURNAL) else { return self.path.join(name) };
        let mut path = follow(self.path.join(JOURNAL)).into_os_string();
        path.push(after);
        path.into()
    }
}

/// Where a symbolic link leads, through others, whether or not anything is there.
fn follow(mut path: PathBuf) -> PathBuf {
    for _ in 0..LINKS_MAX {
        let Ok(to) = fs::read_link(&path) else { break };
        path = path.parent().unwrap_or(Path::new("/")).join(to);
    }
    path
}

/// Where the disk that a folder is on is mounted; `None` on the disk of the system.
fn mount_point(folder: &Path) -> Option<PathBuf> {
    let folder = fs::canonicalize(folder).ok()?;
    folder.ancestors().find(|above| is_mount_point(above)).map(Path::to_path_buf)
}

/// Whether this folder is there, and on another disk than the one above it.
fn is_mount_point(folder: &Path) -> bool {
    let device = |path: &Path| fs::metadata(path).ok().map(|metadata| metadata.dev());
    let (Some(own), Some(above)) = (device(folder), folder.parent().and_then(device)) else {
        return false;
    };
    own != above
}

/// Makes a folder and what is missing above it, and has the names on the disk before it returns.
fn make(path: &Path) -> io::Result<()> {
    let missing: Vec<&Path> = path.ancestors().take_while(|folder| !folder.exists()).collect();
    DirBuilder::new().recursive(true).mode(FOLDER_MODE).create(path)?;
    for above in missing.iter().filter_map(|folder| folder.parent()) {
        // The folder above `name` is written "".
        let above = if above.as_os_str().is_empty() { Path::new(".") } else { above };
        sync_folder(&File::open(above)?)?;
    }
    Ok(())
}

fn sync_folder(folder: &File) -> io::Result<()> {
    match folder.sync_all() {
        // Some file systems cannot sync a folder, and need not: they say EINVAL.
        Err(error) if error.kind() == ErrorKind::InvalidInput => Ok(()),
        result => result,
    }
}

fn identity(metadata: &Metadata) -> Identity {
    Identity { device: metadata.dev(), inode: metadata.ino() }
}

/// `None` for what is not there.
fn look<T>(result: io::Result<T>) -> io::Result<Option<T>> {
    match result {
        Ok(found) => Ok(Some(found)),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

impl Disk for Folder {
    type File = File;

    fn path(&self) -> &Path {
        &self.path
    }

    fn claim(&mut self) -> io::Result<()> {
        self.check_disk()?;
        let there = look(fs::metadata(&self.path))?;
        if there.as_ref().map(identity) != Some(identity(&self.locked.metadata()?)) {
            *self = Folder::claim(&self.path).map_err(io::Error::other)?;
        }
        Ok(())
    }

    fn read(&self, name: &str, most: u64) -> io::Result<Option<Content>> {
        let path = self.at(name);
        let Some(metadata) = look(fs::metadata(&path))? else {
            return self.nothing_at(name, &path);
        };
        if !metadata.is_file() {
            return Err(io::Error::new(ErrorKind::InvalidInput, "not a file"));
        }
        let file = File::open(&path)?;
        let wanted = metadata.len().min(most);
        let mut bytes = vec![0; usize::try_from(wanted).unwrap_or(usize::MAX)];
        let bad = read_blocks(&mut bytes, |block, offset| file.read_exact_at(block, offset));
        Ok(Some(Content { bytes, unreadable: metadata.len() - wanted + bad }))
    }

    fn identity(&self, name: &str) -> io::Result<Option<Identity>> {
        Ok(look(fs::symlink_metadata(self.at(name)))?.as_ref().map(identity))
    }

    fn create(&self, name: &str) -> io::Result<File> {
        look(self.remove(name))?;
        OpenOptions::new().append(true).create_new(true).mode(FILE_MODE).open(self.at(name))
    }

    fn link(&self, name: &str, second: &str) -> io::Result<()> {
        let (name, second) = (self.at(name), self.at(second));
        or_copy(fs::hard_link(&name, &second), &name, &second)
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        fs::rename(self.at(from), self.at(to))
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        fs::remove_file(self.at(name))
    }

    fn sync(&self) -> io::Result<()> {
        let journal = self.at(JOURNAL);
        match journal.parent() {
            Some(elsewhere) if elsewhere != self.path => sync_folder(&File::open(elsewhere)?),
            _ => sync_folder(&self.locked),
        }
    }
}

/// Reads what can be read, block by block; how many bytes cannot, which are zeros then.
fn read_blocks(bytes: &mut [u8], mut read: impl FnMut(&mut [u8], u64) -> io::Result<()>) -> u64 {
    let (mut offset, mut unreadable) = (0, 0);
    for block in bytes.chunks_mut(BLOCK) {
        let length = block.len() as u64;
        if read(block, offset).is_err() {
            block.fill(0);
            unreadable += length;
        }
        offset += length;
    }
    unreadable
}

/// A second name where the file system knows none (FAT): a copy, since `linked` failed.
fn or_copy(linked: io::Result<()>, from: &Path, to: &Path) -> io::Result<()> {
    match linked {
        Err(error) if error.kind() != ErrorKind::AlreadyExists => copy(from, to),
        linked => linked,
    }
}

fn copy(from: &Path, to: &Path) -> io::Result<()> {
    let mut source = File::open(from)?;
    let mut copy = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(to)?;
    let copied = io::copy(&mut source, &mut copy).and_then(|_| copy.sync_all());
    copied.inspect_err(|_| {
        // Half a copy is worth nothing, and the original is still there.
        let _ = fs::remove_file(to);
    })
}

impl DiskFile for File {
    fn identity(&self) -> io::Result<Identity> {
        Ok(identity(&self.metadata()?))
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        Write::write(self, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.sync_data()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn where_no_file_has_two_names_there_is_a_copy_and_it_replaces_nothing() {
        let home = tempfile::tempdir().unwrap();
        let [from, to] = ["from", "to"].map(|name| home.path().join(name));
        fs::write(&from, "content").unwrap();
        // As FAT says it.
        let refused = || Err(ErrorKind::PermissionDenied.into());
        or_copy(refused(), &from, &to).unwrap();
        assert_eq!(fs::read(&to).unwrap(), b"content");
        fs::write(&from, "other").unwrap();
        let taken = or_copy(refused(), &from, &to).unwrap_err();
        assert_eq!(taken.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(&to).unwrap(), b"content");
    }

    #[test]
    fn a_folder_whose_disk_is_not_mounted_any_more_takes_nothing() {
        let home = tempfile::tempdir().unwrap();
        let mut folder = Folder::claim(home.path()).unwrap();
        folder.check_disk().unwrap();
        assert_eq!(mount_point(Path::new("/proc/self")), Some(PathBuf::from("/proc")));
        // As if a disk had been mounted there at the start.
        folder.disk = Some((home.path().to_path_buf(), home.path().to_path_buf()));
        let said = folder.check_disk().unwrap_err().to_string();
        assert!(said.ends_with("is not mounted any more"), "{said}");
    }

    #[test]
    fn a_bad_place_on_the_disk_costs_its_block_alone() {
        let mut bytes = vec![9; 3 * BLOCK + 10];
        let unreadable = read_blocks(&mut bytes, |block, offset| {
            let number = offset as usize / BLOCK;
            block.fill(number as u8 + 1);
            if [1, 3].contains(&number) { Err(ErrorKind::Other.into()) } else { Ok(()) }
        });
        assert_eq!(unreadable, BLOCK as u64 + 10);
        let blocks = [vec![1; BLOCK], vec![0; BLOCK], vec![3; BLOCK], vec![0; 10]];
        assert!(bytes == blocks.concat());
    }

    #[test]
    fn no_more_is_read_than_wanted() {
        let home = tempfile::tempdir().unwrap();
        fs::write(home.path().join("file"), vec![7; 10_000]).unwrap();
        let folder = Folder::claim(home.path()).unwrap();
        let content = folder.read("file", 9_000).unwrap().unwrap();
        assert_eq!(content, Content { bytes: vec![7; 9_000], unreadable: 1_000 });
        assert_eq!(folder.read("none", 9_000).unwrap(), None);
    }
}
