//! What the journal asks of a disk: a seam for tests that let it fail.

use std::io;
use std::path::Path;

/// A folder on a disk. Names are names of files in it.
pub trait Disk: Send + 'static {
    /// An open file.
    type File: DiskFile;

    /// Where the folder is, for messages.
    fn path(&self) -> &Path;

    /// Makes sure that the folder is there and ours alone. It may have been deleted or moved since
    /// the last call; then it is made again.
    fn claim(&mut self) -> io::Result<()>;

    /// All that can be read of a file, `most` bytes of it; `None` when there is no such file.
    fn read(&self, name: &str, most: u64) -> io::Result<Option<Content>>;

    /// Which file has the name now, if any.
    fn identity(&self, name: &str) -> io::Result<Option<Identity>>;

    /// Makes a new, empty file, in place of what may be left of an earlier one.
    fn create(&self, name: &str) -> io::Result<Self::File>;

    /// Gives a file a second name. [`io::ErrorKind::AlreadyExists`] when that is taken.
    fn link(&self, name: &str, second: &str) -> io::Result<()>;

    /// Renames a file over another in one step.
    fn rename(&self, from: &str, to: &str) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, name: &str) -> io::Result<()>;

    /// Returns when the names themselves are on the disk.
    fn sync(&self) -> io::Result<()>;
}

/// An open file.
pub trait DiskFile: Send + 'static {
    /// Which file it is, whatever its name.
    fn identity(&self) -> io::Result<Identity>;

    /// Appends a part of `bytes` and says how much.
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize>;

    /// Returns when everything written is on the disk. After an error nothing is known of what was
    /// written since the last success: the system may have dropped it, and a second call may
    /// succeed all the same.
    fn sync(&mut self) -> io::Result<()>;
}

/// What tells a file from every other: device and inode.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// The device.
    pub device: u64,
    /// The inode on it.
    pub inode: u64,
}

/// What could be read of a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Content {
    /// The bytes, with zeros where the disk gave none back.
    pub bytes: Vec<u8>,
    /// How many the disk did not give back, or were more than wanted.
    pub unreadable: u64,
}
