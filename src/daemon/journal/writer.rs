//! The thread that waits for the disk, so that the event loop need not.
//!
//! It sleeps until something is appended; there is no tick. All that waits goes to the disk in one
//! write with one sync: a flurry costs an SD card no more than one change.

use crate::daemon::channel::{Receiver, Sender, channel};
use std::io;
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use super::disk::Disk;
use super::report::{DiskTrouble, Mark, SyncReport, Urgency};
use super::store::Store;

/// How long a batch that nobody waits for is held back for company.
pub const COMPANY: Duration = Duration::from_secs(1);
/// Nothing in the thread is deep: it formats a message and calls the system.
const STACK: usize = 64 * 1024;

/// What the thread is given to do.
#[derive(Debug)]
pub(super) enum Order {
    /// A line, or nothing when the batch was empty.
    Append { line: Vec<u8>, urgency: Urgency, mark: Mark },
    /// Lines that stand for everything before them.
    Snapshot { lines: Vec<u8>, mark: Mark },
    /// A batch that could not be put into words; the file is no longer the whole truth.
    Unwritable { trouble: DiskTrouble, mark: Mark },
}

/// The running thread. Dropping it writes what still waits and waits for that.
#[derive(Debug)]
pub(super) struct Writer {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

impl Writer {
    pub(super) fn start<D: Disk>(
        mut store: Store<D>,
        tell: impl Fn(SyncReport) + Send + 'static,
    ) -> io::Result<Writer> {
        let (orders, inbox) = channel();
        let work = move || {
            while let Ok(order) = inbox.recv() {
                tell(Group::gather(order, &inbox).write(&mut store));
            }
        };
        let thread = thread::Builder::new().name("journal".to_owned()).stack_size(STACK);
        Ok(Writer { orders: Some(orders), thread: Some(thread.spawn(work)?) })
    }

    /// A writer without a thread: whoever has the other half does the thread's work.
    pub(super) fn by_hand<D: Disk>(store: Store<D>) -> (Writer, WriterByHand<D>) {
        let (orders, inbox) = channel();
        let by_hand = WriterByHand { store, inbox, group: None };
        (Writer { orders: Some(orders), thread: None }, by_hand)
    }

    /// Hands an order over; `false` when the thread is gone.
    pub(super) fn send(&self, order: Order) -> bool {
        self.orders.as_ref().is_some_and(|orders| orders.send(order).is_ok())
    }
}

impl Drop for Writer {
    fn drop(&mut self) {
        self.orders = None;
        if let Some(thread) = self.thread.take() {
            // A panic has been printed by the thread itself.
            let _ = thread.join();
        }
    }
}

/// What the thread does, step by step: for virtual time, in which no thread can wait.
pub struct WriterByHand<D: Disk> {
    store: Store<D>,
    inbox: Receiver<Order>,
    group: Option<Group>,
}

impl<D: Disk> WriterByHand<D> {
    /// Takes in what was appended. When it is to be written; `None`: nothing waits.
    pub fn gather(&mut self) -> Option<Urgency> {
        while let Ok(order) = self.inbox.try_recv() {
            self.group.get_or_insert_default().add(order);
        }
        let urgent = self.group.as_ref()?.urgent;
        Some(if urgent { Urgency::Now } else { Urgency::Soon })
    }

    /// Writes and syncs what was gathered, and tells of it; `None`: nothing was.
    pub fn write(&mut self) -> Option<SyncReport> {
        self.group.take().map(|group| group.write(&mut self.store))
    }
}

/// Orders that go to the disk together.
#[derive(Debug, Default)]
struct Group {
    /// What was appended, in order.
    lines: Vec<u8>,
    /// A snapshot, and how many bytes of `lines` it stands for.
    snapshot: Option<(Vec<u8>, usize)>,
    unwritable: Option<DiskTrouble>,
    mark: Mark,
    urgent: bool,
}

impl Group {
    /// All that waits, or comes within [`COMPANY`] while nothing is urgent.
    fn gather(first: Order, inbox: &Receiver<Order>) -> Group {
        let mut group = Group::default();
        group.add(first);
        let until = Instant::now() + COMPANY;
        loop {
            let next = if group.urgent {
                inbox.try_recv().ok()
            } else {
                inbox.recv_timeout(until.saturating_duration_since(Instant::now())).ok()
            };
            match next {
                Some(order) => group.add(order),
                None => return group,
            }
        }
    }

    fn add(&mut self, order: Order) {
        self.urgent |= !matches!(order, Order::Append { urgency: Urgency::Soon, .. });
        match order {
            Order::Append { line, mark, .. } => {
                self.lines.extend(line);
                self.mark = mark;
            }
            Order::Snapshot { lines, mark } => {
                self.snapshot = Some((lines, self.lines.len()));
                self.mark = mark;
            }
            Order::Unwritable { trouble, mark } => {
                self.unwritable = Some(trouble);
                self.mark = mark;
            }
        }
    }

    fn write<D: Disk>(self, store: &mut Store<D>) -> SyncReport {
        let snapshot = self.snapshot.map(|(snapshot, covers)| {
            let after = self.lines.get(covers..).unwrap_or_default();
            store.replace(&[&snapshot, after]).map(|set_aside| {
                if let Some(name) = set_aside {
                    log::warn!(
                        "the journal that was there, damaged or not ours, is kept as {name}"
                    );
                }
            })
        });
        let mut outcome = match snapshot {
            Some(Ok(())) => Ok(()),
            _ => store.append(&self.lines),
        };
        if let Some(trouble) = self.unwritable {
            store.fail(trouble.clone());
            outcome = Err(trouble);
        }
        SyncReport { mark: self.mark, outcome, snapshot, stats: store.stats() }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Folder;
    use super::*;

    fn append(number: u64, urgency: Urgency) -> Order {
        Order::Append { line: format!("{number};").into_bytes(), urgency, mark: Mark(number) }
    }

    fn gather(orders: Vec<Order>) -> Group {
        let (sender, inbox) = channel();
        orders.into_iter().for_each(|order| sender.send(order).unwrap());
        Group::gather(inbox.recv().unwrap(), &inbox)
    }

    #[test]
    fn after_what_cannot_be_written_nothing_is_on_record_before_everything_is() {
        let home = tempfile::tempdir().unwrap();
        let mut store = Store::new(Folder::claim(home.path()).unwrap(), None);
        store.replace(&[]).unwrap();
        let mut outcome = |order| gather(vec![order]).write(&mut store).outcome;
        assert_eq!(outcome(append(1, Urgency::Now)), Ok(()));
        let trouble = DiskTrouble { text: "no JSON".to_owned(), full: false };
        let unwritable = Order::Unwritable { trouble: trouble.clone(), mark: Mark(2) };
        assert_eq!(outcome(unwritable), Err(trouble.clone()));
        assert_eq!(outcome(append(3, Urgency::Now)), Err(trouble), "one before it is missing");
        assert_eq!(outcome(Order::Snapshot { lines: Vec::new(), mark: Mark(4) }), Ok(()));
        assert_eq!(outcome(append(5, Urgency::Now)), Ok(()));
    }

    #[test]
    fn all_that_waits_goes_together_and_nothing_waits_for_more() {
        let group = gather((1..=500).map(|number| append(number, Urgency::Now)).collect());
        assert_eq!(group.mark, Mark(500));
        assert!(group.lines.starts_with(b"1;2;3;"));
    }

    #[test]
    fn what_nobody_waits_for_goes_with_what_somebody_does() {
        let group = gather(vec![
            append(1, Urgency::Soon),
            append(2, Urgency::Soon),
            append(3, Urgency::Now),
        ]);
        assert_eq!((group.lines.as_slice(), group.mark), (b"1;2;3;".as_slice(), Mark(3)));
    }

    #[test]
    fn an_end_waits_for_no_company() {
        let (sender, inbox) = channel();
        sender.send(append(2, Urgency::Soon)).unwrap();
        drop(sender);
        let group = Group::gather(append(1, Urgency::Soon), &inbox);
        assert_eq!((group.lines.as_slice(), group.urgent), (b"1;2;".as_slice(), false));
    }

    #[test]
    fn a_snapshot_stands_for_what_came_before_it() {
        let snapshot = Order::Snapshot { lines: b"all;".to_vec(), mark: Mark(2) };
        let group = gather(vec![append(1, Urgency::Soon), snapshot, append(3, Urgency::Now)]);
        assert_eq!(group.snapshot, Some((b"all;".to_vec(), 2)));
        assert_eq!((group.lines.as_slice(), group.mark), (b"1;3;".as_slice(), Mark(3)));
    }
}
