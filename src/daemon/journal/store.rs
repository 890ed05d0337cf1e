//! The journal's file: appended to while nothing goes wrong, replaced as a whole when it has grown
//! or something has.

use std::io::{self, ErrorKind};
use std::time::Instant;

use super::disk::{Disk, DiskFile, Identity};
use super::report::{DiskTrouble, Stats};
use super::{DAMAGED, JOURNAL, MOST_BYTES, NEW, format};

/// The file, and what may be done with it.
#[derive(Debug)]
pub(super) struct Store<D: Disk> {
    disk: D,
    /// Open, written by this run, and good up to its end. After any failure it is never written or synced again: the
    /// system may have dropped what it could not write and call the next sync a success. Only a new
    /// file brings the store back.
    file: Result<D::File, DiskTrouble>,
    /// The file that [`JOURNAL`] names while it may be replaced: one of ours, or one that has a
    /// second name by now. Any other is set aside first.
    replaceable: Option<Identity>,
    stats: Stats,
}

impl<D: Disk> Store<D> {
    /// A store that has no file until [`Store::replace`] succeeds. `replaceable` is the file that
    /// is there now, when there is no need to keep it.
    pub(super) fn new(disk: D, replaceable: Option<Identity>) -> Store<D> {
        let error = ErrorKind::NotFound.into();
        let file = Err(DiskTrouble::new("use", disk.path(), JOURNAL, &error));
        Store { disk, file, replaceable, stats: Stats::default() }
    }

    /// Where the file stands.
    pub(super) fn stats(&self) -> Stats {
        self.stats
    }

    /// Gives the file up.
    pub(super) fn fail(&mut self, trouble: DiskTrouble) {
        self.file = Err(trouble);
    }

    /// Appends whole lines; they are on the disk on return.
    ///
    /// # Errors
    /// From the first failure on, always, until [`Store::replace`] has succeeded.
    pub(super) fn append(&mut self, lines: &[u8]) -> Result<(), DiskTrouble> {
        let Store { disk, file, stats, .. } = self;
        let open = file.as_mut().map_err(|trouble| trouble.clone())?;
        if lines.is_empty() {
            return Ok(());
        }
        let appended = check_name(disk, open)
            .and_then(|()| write(open, lines, stats))
            .and_then(|()| sync(open, stats));
        appended.map_err(|error| {
            let trouble = DiskTrouble::new("append to", disk.path(), JOURNAL, &error);
            *file = Err(trouble.clone());
            trouble
        })
    }

    /// Puts a new file in the journal's place, with `lines` after the header, and goes on with that
    /// one. Returns the name under which a file that was not ours has been set aside.
    ///
    /// # Errors
    /// When a step fails. Before the new file has the name, the old one stays as good as it was.
    pub(super) fn replace(&mut self, lines: &[&[u8]]) -> Result<Option<String>, DiskTrouble> {
        let size = self.stats.size;
        let replaced = self.try_replace(lines);
        if let Err(trouble) = &replaced {
            // Half a file would only take the room that the next attempt needs.
            let _ = self.disk.remove(NEW);
            match &mut self.file {
                Ok(_) => self.stats.size = size,
                Err(earlier) => earlier.clone_from(trouble),
            }
        }
        replaced
    }

    fn try_replace(&mut self, lines: &[&[u8]]) -> Result<Option<String>, DiskTrouble> {
        self.disk.claim().map_err(|error| self.trouble_with("use", "", &error))?;
        let written = self.write_new(lines);
        let (file, identity) = written.map_err(|error| self.trouble_with("write", NEW, &error))?;
        let kept = self.set_aside();
        let kept = kept.map_err(|error| self.trouble_with("set aside", JOURNAL, &error))?;
        let renamed = self.disk.rename(NEW, JOURNAL);
        renamed.map_err(|error| self.trouble_with("replace", JOURNAL, &error))?;
        // The name leads to the new file from here on; until the folder is synced, a crash may
        // bring the old one back. So neither can be appended to.
        self.replaceable = Some(identity);
        self.stats.snapshot_size = self.stats.size;
        let synced = self.sync_folder();
        self.file = synced.map(|()| file).map_err(|error| self.trouble_with("sync", "", &error));
        self.file.as_ref().map(|_| kept).map_err(Clone::clone)
    }

    fn write_new(&mut self, lines: &[&[u8]]) -> io::Result<(D::File, Identity)> {
        let mut file = self.disk.create(NEW)?;
        self.stats.size = 0;
        let (header, mark) = (format::header(), format::mark());
        let whole =
            [&header[..], &mark].into_iter().chain(lines.iter().copied()).chain([&mark[..]]);
        for part in whole {
            write(&mut file, part, &mut self.stats)?;
        }
        sync(&mut file, &mut self.stats)?;
        let identity = file.identity()?;
        Ok((file, identity))
    }

    /// Gives a file that is not ours a second name, so that nothing is lost with its first.
    fn set_aside(&mut self) -> io::Result<Option<String>> {
        let found = self.disk.identity(JOURNAL)?;
        if found.is_none() || found == self.replaceable {
            return Ok(None);
        }
        for number in 1u32.. {
            let name = format!("{DAMAGED}{number}");
            match self.disk.link(JOURNAL, &name) {
                Ok(()) => {}
                // An attempt that got no further than this may have left the name.
                Err(error) if error.kind() == ErrorKind::AlreadyExists => {
                    if self.disk.identity(&name)? != found {
                        continue;
                    }
                }
                Err(error) => return Err(error),
            }
            self.sync_folder()?;
            self.replaceable = found;
            return Ok(Some(name));
        }
        Err(ErrorKind::AlreadyExists.into())
    }

    fn sync_folder(&mut self) -> io::Result<()> {
        self.disk.sync()?;
        self.stats.syncs += 1;
        Ok(())
    }

    fn trouble_with(&self, tried: &str, name: &str, error: &io::Error) -> DiskTrouble {
        DiskTrouble::new(tried, self.disk.path(), name, error)
    }
}

/// Whether the journal's name still leads to the open file. Someone may have deleted the folder, or
/// put a backup in its place; what we append would vanish with the next start.
fn check_name<D: Disk>(disk: &D, file: &D::File) -> io::Result<()> {
    if disk.identity(JOURNAL)? == Some(file.identity()?) {
        return Ok(());
    }
    Err(io::Error::new(ErrorKind::NotFound, "it was removed or replaced by someone else"))
}

/// Writes all of `bytes`.
fn write(file: &mut impl DiskFile, bytes: &[u8], stats: &mut Stats) -> io::Result<()> {
    if stats.size + bytes.len() as u64 > MOST_BYTES {
        return Err(io::Error::new(ErrorKind::FileTooLarge, "larger than a journal may be"));
    }
    let mut rest = bytes;
    while !rest.is_empty() {
        match file.write(rest) {
            Ok(0) => return Err(ErrorKind::WriteZero.into()),
            Ok(count) => {
                stats.written += count as u64;
                stats.size += count as u64;
                rest = rest.get(count..).unwrap_or_default();
            }
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(())
}

fn sync(file: &mut impl DiskFile, stats: &mut Stats) -> io::Result<()> {
    let began = Instant::now();
    file.sync()?;
    stats.syncs += 1;
    stats.last_sync = began.elapsed();
    stats.sync_time += stats.last_sync;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_journal_grows_beyond_what_the_next_start_reads() {
        let mut file = tempfile::tempfile().unwrap();
        let mut stats = Stats { size: MOST_BYTES - 2, ..Stats::default() };
        let error = write(&mut file, b"abc", &mut stats).unwrap_err();
        assert_eq!((error.kind(), stats.size), (ErrorKind::FileTooLarge, MOST_BYTES - 2));
        write(&mut file, b"ab", &mut stats).unwrap();
        assert_eq!((stats.size, stats.written), (MOST_BYTES, 2));
    }
}
