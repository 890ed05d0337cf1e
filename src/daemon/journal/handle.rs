//! The journal in the hand of the event loop: every call returns at once.

use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::disk::Disk;
use super::open::{self, OpenError, Opened};
use super::report::{DiskTrouble, Mark, Stats, SyncReport, Urgency};
use super::store::Store;
use super::writer::{Order, Writer, WriterByHand};
use super::{JOURNAL, format};
use crate::engine::time::Moment;

/// A smaller file is not worth compacting: 64 KiB is read in a blink and takes some hundred changes
/// to fill.
const COMPACT_FROM: u64 = 64 * 1024;
/// A file is compacted when it has grown to so many times its last snapshot, so that a byte
/// appended costs the SD card at most a third of a byte of compaction, and a start never reads much more
/// than it must.
const COMPACT_AT: u64 = 4;
/// After a failure a new file is tried at once, then after so long,
const FIRST_RETRY: Duration = Duration::from_secs(1);
/// doubling to this: soon after room was made on a full disk, and little wear on a dying one.
const MOST_RETRY: Duration = Duration::from_secs(30);

/// A journal of records of type `R`.
///
/// The loop appends what each turn decided, and acknowledges it when a [`SyncReport`] says that it is on
/// the disk. Each report is handed back to [`Journal::handle_report`]; after that, and whenever
/// [`Journal::next_try`] is due, the loop asks [`Journal::wants_snapshot`] and writes one if so.
/// Dropping the journal writes what still waits.
pub struct Journal<R> {
    way: Way,
    last: Mark,
    stats: Stats,
    /// A snapshot is needed, whatever the size.
    due: bool,
    /// The mark of a snapshot that is on its way.
    asked: Option<Mark>,
    /// Snapshots that failed in a row.
    failures: u32,
    retry_at: Option<Moment>,
    trouble: Option<DiskTrouble>,
    records: PhantomData<fn(&R)>,
}

/// A journal whose writer has no thread.
pub struct ByHand<R, D: Disk> {
    /// The journal.
    pub journal: Journal<R>,
    /// What its thread would do.
    pub writer: WriterByHand<D>,
    /// What was on record.
    pub opened: Opened<R>,
}

/// Where records go.
enum Way {
    Disk(Writer),
    /// Nowhere: development with `--test`.
    Nowhere(Box<dyn Fn(SyncReport) + Send>),
}

impl<R: Serialize> Journal<R> {
    /// Reads the journal in a folder, and starts the thread that writes it. `tell` is called in that
    /// thread, with a report for every mark. The first says whether a fresh file could be put in the
    /// old one's place: a disk that cannot be written to is trouble ([`Journal::trouble`]) and no
    /// error, since a household must not be left unwatched for that.
    ///
    /// # Errors
    /// When a later version wrote the file, it cannot be read, or no thread can be had.
    pub fn open(
        disk: impl Disk,
        tell: impl Fn(SyncReport) + Send + 'static,
    ) -> Result<(Journal<R>, Opened<R>), OpenError>
    where
        R: DeserializeOwned,
    {
        let found = open::read(&disk)?;
        let store = Store::new(disk, found.replaceable);
        let writer = Writer::start(store, tell).map_err(OpenError::NoThread)?;
        Ok((Journal::of(writer, found.lines), found.opened))
    }

    /// The same without a thread, for virtual time: what is appended is written when the caller says so,
    /// and reported to the caller. Dropping the journal writes nothing.
    ///
    /// # Errors
    /// When a later version wrote the file, or it cannot be read.
    pub fn open_by_hand<D: Disk>(disk: D) -> Result<ByHand<R, D>, OpenError>
    where
        R: DeserializeOwned,
    {
        let found = open::read(&disk)?;
        let (writer, by_hand) = Writer::by_hand(Store::new(disk, found.replaceable));
        let journal = Journal::of(writer, found.lines);
        Ok(ByHand { journal, writer: by_hand, opened: found.opened })
    }

    /// A journal that begins with the good lines of the one before.
    fn of(writer: Writer, lines: Vec<u8>) -> Journal<R> {
        let mut journal = Journal::new(Way::Disk(writer));
        // The fresh file is a snapshot like any other.
        journal.asked = Some(journal.last);
        journal.send(Order::Snapshot { lines, mark: journal.last });
        journal
    }

    /// A journal that writes nothing: every mark is reported at once, in the caller's thread.
    pub fn nowhere(tell: impl Fn(SyncReport) + Send + 'static) -> Journal<R> {
        Journal::new(Way::Nowhere(Box::new(tell)))
    }

    fn new(way: Way) -> Journal<R> {
        Journal {
            way,
            last: Mark::default(),
            stats: Stats::default(),
            due: false,
            asked: None,
            failures: 0,
            retry_at: None,
            trouble: None,
            records: PhantomData,
        }
    }

    /// Appends what one turn decided: all of it will be found again, or none. An empty batch costs
    /// nothing and is reported after those before it.
    pub fn append(&mut self, batch: &[R], urgency: Urgency) -> Mark {
        let mark = self.next_mark();
        let mut line = Vec::new();
        let written = if batch.is_empty() { Ok(()) } else { format::write_line(batch, &mut line) };
        self.send(match written {
            Ok(()) => Order::Append { line, urgency, mark },
            Err(error) => Order::Unwritable { trouble: unwritable(&error), mark },
        });
        mark
    }

    /// Writes a new file from everything that is to be on record, appended or not. Each batch becomes
    /// a line; a few records to a line are best, since damage costs whole lines.
    pub fn write_snapshot(&mut self, batches: impl IntoIterator<Item: AsRef<[R]>>) -> Mark {
        let mark = self.next_mark();
        let mut lines = Vec::new();
        let written = batches
            .into_iter()
            .try_for_each(|batch| format::write_line(batch.as_ref(), &mut lines));
        self.asked = Some(mark);
        self.send(match written {
            Ok(()) => Order::Snapshot { lines, mark },
            Err(error) => Order::Unwritable { trouble: unwritable(&error), mark },
        });
        mark
    }

    fn next_mark(&mut self) -> Mark {
        self.last = Mark(self.last.0 + 1);
        self.last
    }

    fn send(&mut self, order: Order) {
        match &self.way {
            Way::Nowhere(tell) => {
                let (mark, stats) = (self.last, self.stats);
                tell(SyncReport { mark, outcome: Ok(()), snapshot: None, stats });
            }
            Way::Disk(writer) => {
                if !writer.send(order) {
                    let text = "the journal's thread has ended".to_owned();
                    self.trouble = Some(DiskTrouble { text, full: false });
                }
            }
        }
    }
}

impl<R> Journal<R> {
    /// Takes note of a report.
    pub fn handle_report(&mut self, report: &SyncReport, now: Moment) {
        self.stats = report.stats;
        let answered = self.asked.is_some_and(|mark| mark <= report.mark);
        if answered {
            self.asked = None;
        }
        let outcomes = [Some(&report.outcome), report.snapshot.as_ref()];
        match outcomes.into_iter().flatten().find_map(|outcome| outcome.as_ref().err()) {
            Some(trouble) => self.failed(trouble, answered, now),
            None if answered => self.recovered(),
            // Appending goes well, but that a file could not be compacted is still trouble.
            None => {}
        }
    }

    fn failed(&mut self, trouble: &DiskTrouble, snapshot: bool, now: Moment) {
        self.due = true;
        if snapshot {
            let doubled = 2u32.saturating_pow(self.failures);
            self.failures = self.failures.saturating_add(1);
            self.retry_at = Some(now + FIRST_RETRY.saturating_mul(doubled).min(MOST_RETRY));
        }
        if self.trouble.is_none() {
            log::warn!("{trouble}; the work goes on from memory until that succeeds");
        }
        self.trouble = Some(trouble.clone());
    }

    fn recovered(&mut self) {
        self.due = false;
        self.failures = 0;
        self.retry_at = None;
        if self.trouble.take().is_some() {
            log::info!("the journal is on the disk again, all of it");
        }
    }

    /// Whether the loop should write a snapshot now: when the file has grown, and as the way out of
    /// trouble. The answer may change with each report, and at [`Journal::next_try`].
    pub fn wants_snapshot(&self, now: Moment) -> bool {
        let grown = self.stats.size > COMPACT_FROM.max(COMPACT_AT * self.stats.snapshot_size);
        let waited = self.retry_at.is_none_or(|at| at <= now);
        self.asked.is_none() && (self.due || grown) && waited
    }

    /// When a snapshot that failed is to be tried again; `None` while nothing failed or one is under
    /// way.
    pub fn next_try(&self) -> Option<Moment> {
        if self.asked.is_none() { self.retry_at } else { None }
    }

    /// What keeps the disk from having all of the truth, for `/health`. While there is some, appends
    /// may fail; a snapshot that succeeds ends it.
    pub fn trouble(&self) -> Option<&DiskTrouble> {
        self.trouble.as_ref()
    }

    /// What it has cost the disk so far, as of the last report.
    pub fn stats(&self) -> Stats {
        self.stats
    }
}

fn unwritable(error: &serde_json::Error) -> DiskTrouble {
    DiskTrouble { text: format!("could not write a record to {JOURNAL}: {error}"), full: false }
}

impl<R> fmt::Debug for Journal<R> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Journal").field("last", &self.last).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_millis(seconds * 1000)
    }

    fn full() -> DiskTrouble {
        DiskTrouble { text: "could not append: no space left".to_owned(), full: true }
    }

    fn report(mark: Mark, outcome: Result<(), DiskTrouble>) -> SyncReport {
        SyncReport { mark, outcome, snapshot: None, stats: Stats::default() }
    }

    fn journal() -> Journal<u8> {
        Journal::nowhere(|_| ())
    }

    /// Asks for a snapshot at a time when one is wanted, and lets it fail.
    fn snapshot_fails(journal: &mut Journal<u8>, now: Moment) {
        assert!(journal.wants_snapshot(now));
        let mark = journal.write_snapshot([[1]]);
        assert!(!journal.wants_snapshot(now), "one at a time");
        assert_eq!(journal.next_try(), None);
        let snapshot = Some(Err(full()));
        journal.handle_report(&SyncReport { snapshot, ..report(mark, Err(full())) }, now);
    }

    #[test]
    fn a_failure_wants_a_snapshot_at_once_then_ever_more_slowly() {
        let mut journal = journal();
        let mark = journal.append(&[1], Urgency::Now);
        assert!(!journal.wants_snapshot(at(0)));
        journal.handle_report(&report(mark, Err(full())), at(0));
        assert_eq!(journal.trouble(), Some(&full()));
        let mut now = 0;
        for wait in [1, 2, 4, 8, 16, 30, 30] {
            snapshot_fails(&mut journal, at(now));
            assert_eq!(journal.next_try(), Some(at(now + wait)));
            assert!(!journal.wants_snapshot(at(now + wait - 1)));
            now += wait;
        }
        let mark = journal.write_snapshot([[1]]);
        journal
            .handle_report(&SyncReport { snapshot: Some(Ok(())), ..report(mark, Ok(())) }, at(now));
        assert_eq!((journal.trouble(), journal.next_try()), (None, None));
        assert!(!journal.wants_snapshot(at(now)));
    }

    #[test]
    fn a_compaction_that_failed_stays_trouble_while_appends_go_well() {
        let mut journal = journal();
        let mark = journal.write_snapshot([[1]]);
        let failed = SyncReport { snapshot: Some(Err(full())), ..report(mark, Ok(())) };
        journal.handle_report(&failed, at(0));
        let mark = journal.append(&[2], Urgency::Now);
        journal.handle_report(&report(mark, Ok(())), at(0));
        assert_eq!(journal.trouble(), Some(&full()));
        assert!(journal.wants_snapshot(at(1)));
    }

    #[test]
    fn a_file_is_compacted_when_it_has_grown_enough() {
        let mut journal = journal();
        let mut grown = |size, snapshot_size| {
            let stats = Stats { size, snapshot_size, ..Stats::default() };
            journal.handle_report(&SyncReport { stats, ..report(Mark(0), Ok(())) }, at(0));
            journal.wants_snapshot(at(0))
        };
        assert!(!grown(COMPACT_FROM, 0));
        assert!(grown(COMPACT_FROM + 1, 1000));
        assert!(!grown(800_000, 200_000));
        assert!(grown(800_001, 200_000));
    }

    #[test]
    fn nowhere_is_reported_at_once() {
        let (tell, told) = mpsc::channel();
        let mut journal = Journal::nowhere(move |report| tell.send(report).unwrap());
        let mark = journal.append(&["word"], Urgency::Soon);
        let report = told.try_recv().unwrap();
        assert_eq!((report.mark, report.outcome), (mark, Ok(())));
        assert!(!journal.wants_snapshot(at(0)));
    }
}
