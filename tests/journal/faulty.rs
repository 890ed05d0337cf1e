//! A disk in memory that fails as real ones do.
//!
//! What a process sees and what would survive a power cut are kept apart, byte by byte and name by
//! name, as Linux does: a failed sync leaves bytes that can be read but will never be on the disk.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, ErrorKind};
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard};

use healthchecker::daemon::journal::{Content, Disk, DiskFile, Identity};

/// A file, and how sure it is that each of its bytes survives a power cut.
#[derive(Clone, Debug, Default)]
struct Bytes {
    bytes: Vec<u8>,
    /// From here on they were written and not synced: maybe.
    dirty_from: usize,
    /// Those before that for which a sync failed: they are in memory only, and no later sync will write
    /// them. All others are safe.
    phantoms: BTreeSet<usize>,
}

impl Bytes {
    fn safe(bytes: &[u8]) -> Bytes {
        Bytes { bytes: bytes.to_vec(), dirty_from: bytes.len(), phantoms: BTreeSet::new() }
    }

    /// How many there are up to the last that is safe.
    fn safe_length(&self) -> usize {
        let is_safe = |at: &usize| !self.phantoms.contains(at);
        (0..self.dirty_from).rev().find(is_safe).map_or(0, |last| last + 1)
    }

    /// The byte that survives a power cut, if it was written in time.
    fn surviving(&self, at: usize, in_time: bool) -> u8 {
        let kept = if at < self.dirty_from { !self.phantoms.contains(&at) } else { in_time };
        if kept { self.bytes[at] } else { 0 }
    }
}

/// A change of the folder that is not synced.
#[derive(Clone, Debug)]
enum Change {
    Name(String, u64),
    Unname(String),
    /// Old and new name, and the file: out of order or not, no other file gets the new name.
    Rename(String, String, u64),
}

type Names = BTreeMap<String, u64>;

fn apply(names: &mut Names, change: &Change) {
    match change {
        Change::Name(name, inode) => {
            names.insert(name.clone(), *inode);
        }
        Change::Unname(name) => {
            names.remove(name);
        }
        Change::Rename(from, to, inode) => {
            if names.get(from) == Some(inode) {
                names.remove(from);
            }
            names.insert(to.clone(), *inode);
        }
    }
}

#[derive(Debug, Default)]
struct World {
    files: Vec<Bytes>,
    names: Names,
    safe_names: Names,
    unsynced: Vec<Change>,
    /// Of a hundred calls so many fail.
    faults: u64,
    /// Bytes that there is still room for, if that matters.
    room: Option<usize>,
    /// The power goes at this call, counted down.
    calls_left: Option<usize>,
    dead: bool,
    random: u64,
}

impl World {
    /// xorshift64*: enough to choose faults from a seed.
    fn random(&mut self, below: u64) -> u64 {
        self.random ^= self.random >> 12;
        self.random ^= self.random << 25;
        self.random ^= self.random >> 27;
        (self.random.wrapping_mul(0x2545_F491_4F6C_DD1D) >> 32) % below
    }

    /// Every call begins here: without power nothing happens, and now and then it fails.
    fn call(&mut self) -> io::Result<()> {
        match &mut self.calls_left {
            Some(0) => self.dead = true,
            Some(left) => *left -= 1,
            None => {}
        }
        let faults = self.faults;
        if self.dead || self.random(100) < faults { Err(eio()) } else { Ok(()) }
    }

    fn change(&mut self, change: Change) {
        apply(&mut self.names, &change);
        self.unsynced.push(change);
    }

    fn inode(&self, name: &str) -> io::Result<u64> {
        self.names.get(name).copied().ok_or_else(|| ErrorKind::NotFound.into())
    }

    fn write(&mut self, inode: u64, bytes: &[u8]) -> io::Result<usize> {
        let called = self.call();
        if self.dead {
            return called.map(|()| 0);
        }
        let mut count = bytes.len();
        if self.faults > 0 {
            count = 1 + self.random(count as u64) as usize;
            if self.random(8) == 0 {
                return Err(ErrorKind::Interrupted.into());
            }
        }
        if let Some(room) = &mut self.room {
            if *room == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            count = count.min(*room);
            *room -= count;
        }
        // A write that fails may have written a part all the same.
        self.files[inode as usize].bytes.extend_from_slice(&bytes[..count]);
        called.map(|()| count)
    }

    fn sync_file(&mut self, inode: u64) -> io::Result<()> {
        let called = self.call();
        if self.dead {
            return called;
        }
        let inode = inode as usize;
        let dirty = self.files[inode].dirty_from..self.files[inode].bytes.len();
        self.files[inode].dirty_from = dirty.end;
        if called.is_err() {
            let lost: Vec<usize> = dirty.filter(|_| self.random(2) == 0).collect();
            self.files[inode].phantoms.extend(lost);
        }
        called
    }

    /// What the next start finds of a file.
    fn after_power_cut(&mut self, file: &Bytes) -> Bytes {
        let length = file.bytes.len();
        // Up to some place what was dirty had been written, as often as not all of it or none.
        let written = match self.random(4) {
            0 => 0,
            1 => length,
            _ => self.random(length as u64 + 1) as usize,
        };
        // The file system may know of a length whose bytes never came.
        let known = match self.random(2) {
            0 => written,
            _ => written + self.random((length - written) as u64 + 1) as usize,
        };
        let holes = self.random(4) == 0;
        let in_time = |at: usize| at < written && !(holes && at % 64 < 16);
        let left = (0..file.safe_length().max(known)).map(|at| file.surviving(at, in_time(at)));
        Bytes::safe(&left.collect::<Vec<u8>>())
    }

    /// Lets go of the bytes of files that no name can lead to any more.
    fn forget_nameless(&mut self) {
        let pending = self.unsynced.iter().filter_map(|change| match change {
            Change::Name(_, inode) | Change::Rename(_, _, inode) => Some(inode),
            Change::Unname(_) => None,
        });
        let named = self.names.values().chain(self.safe_names.values()).chain(pending);
        let named: BTreeSet<u64> = named.copied().collect();
        for (inode, file) in (0..).zip(&mut self.files) {
            if !named.contains(&inode) {
                *file = Bytes::default();
            }
        }
    }
}

fn eio() -> io::Error {
    io::Error::other("input/output error")
}

/// The disk, shared by the lives of a daemon.
#[derive(Clone, Debug)]
pub(crate) struct Faulty {
    world: Arc<Mutex<World>>,
}

impl Faulty {
    pub(crate) fn new(seed: u64) -> Faulty {
        let world = World { random: seed | 1, ..World::default() };
        Faulty { world: Arc::new(Mutex::new(world)) }
    }

    fn world(&self) -> MutexGuard<'_, World> {
        self.world.lock().unwrap()
    }

    /// Of a hundred calls so many fail from now on.
    pub(crate) fn set_faults(&self, percent: u64) {
        self.world().faults = percent;
    }

    /// There is room for so many bytes more, or plenty.
    pub(crate) fn set_room(&self, room: Option<usize>) {
        self.world().room = room;
    }

    /// After so many calls nothing reaches the disk any more.
    pub(crate) fn cut_power_after(&self, calls: usize) {
        self.world().calls_left = Some(calls);
    }

    /// Whether nothing reaches the disk any more.
    pub(crate) fn is_dead(&self) -> bool {
        self.world().dead
    }

    /// Another process uses the disk, in the same run of the machine.
    pub(crate) fn revive(&self) {
        let mut world = self.world();
        world.calls_left = None;
        world.dead = false;
    }

    /// The machine starts again after a power cut.
    pub(crate) fn power_cycle(&self) {
        let mut world = self.world();
        let unsynced = std::mem::take(&mut world.unsynced);
        let done = world.random(unsynced.len() as u64 + 1) as usize;
        // Nothing promises that names reach the disk in order.
        let ordered = world.random(2) == 0;
        let mut names = std::mem::take(&mut world.safe_names);
        for (at, change) in unsynced.iter().enumerate() {
            if if ordered { at < done } else { world.random(2) == 0 } {
                apply(&mut names, change);
            }
        }
        let files = std::mem::take(&mut world.files);
        world.files = files.iter().map(|file| world.after_power_cut(file)).collect();
        world.names.clone_from(&names);
        world.safe_names = names;
        drop(world);
        self.revive();
    }

    /// Puts a file there, safe on the disk.
    pub(crate) fn put(&self, name: &str, bytes: &[u8]) {
        let mut world = self.world();
        let inode = world.files.len() as u64;
        world.files.push(Bytes::safe(bytes));
        world.names.insert(name.to_owned(), inode);
        world.safe_names.insert(name.to_owned(), inode);
    }

    /// What a process would read.
    pub(crate) fn get(&self, name: &str) -> Option<Vec<u8>> {
        let world = self.world();
        let inode = world.inode(name).ok()?;
        Some(world.files[inode as usize].bytes.clone())
    }

    /// All names.
    pub(crate) fn names(&self) -> Vec<String> {
        self.world().names.keys().cloned().collect()
    }

    /// Removes a file behind the journal's back.
    pub(crate) fn steal(&self, name: &str) {
        self.world().change(Change::Unname(name.to_owned()));
    }
}

impl Disk for Faulty {
    type File = FaultyFile;

    fn path(&self) -> &Path {
        Path::new("/state")
    }

    fn claim(&mut self) -> io::Result<()> {
        self.world().call()
    }

    fn read(&self, name: &str, most: u64) -> io::Result<Option<Content>> {
        // A start reads from a disk that works: what it cannot read at all, it refuses.
        let Some(mut bytes) = self.get(name) else { return Ok(None) };
        let unreadable = bytes.len().saturating_sub(most as usize);
        bytes.truncate(most as usize);
        Ok(Some(Content { bytes, unreadable: unreadable as u64 }))
    }

    fn identity(&self, name: &str) -> io::Result<Option<Identity>> {
        let mut world = self.world();
        world.call()?;
        Ok(world.names.get(name).map(|inode| Identity { device: 1, inode: *inode }))
    }

    fn create(&self, name: &str) -> io::Result<FaultyFile> {
        let mut world = self.world();
        world.call()?;
        let inode = world.files.len() as u64;
        world.files.push(Bytes::default());
        world.change(Change::Name(name.to_owned(), inode));
        Ok(FaultyFile { disk: self.clone(), inode })
    }

    fn link(&self, name: &str, second: &str) -> io::Result<()> {
        let mut world = self.world();
        world.call()?;
        if world.names.contains_key(second) {
            return Err(ErrorKind::AlreadyExists.into());
        }
        let inode = world.inode(name)?;
        world.change(Change::Name(second.to_owned(), inode));
        Ok(())
    }

    fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        let mut world = self.world();
        let called = world.call();
        let inode = world.inode(from)?;
        // A rename that fails may have happened all the same.
        if called.is_ok() || !world.dead && world.random(2) == 0 {
            world.change(Change::Rename(from.to_owned(), to.to_owned(), inode));
        }
        called
    }

    fn remove(&self, name: &str) -> io::Result<()> {
        let mut world = self.world();
        world.call()?;
        world.inode(name)?;
        world.change(Change::Unname(name.to_owned()));
        Ok(())
    }

    fn sync(&self) -> io::Result<()> {
        let mut world = self.world();
        world.call()?;
        world.safe_names = world.names.clone();
        world.unsynced.clear();
        world.forget_nameless();
        Ok(())
    }
}

#[derive(Debug)]
pub(crate) struct FaultyFile {
    disk: Faulty,
    inode: u64,
}

impl DiskFile for FaultyFile {
    fn identity(&self) -> io::Result<Identity> {
        Ok(Identity { device: 1, inode: self.inode })
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.disk.world().write(self.inode, bytes)
    }

    fn sync(&mut self) -> io::Result<()> {
        self.disk.world().sync_file(self.inode)
    }
}
