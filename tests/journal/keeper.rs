//! Stands for the event loop: appends, remembers what was acknowledged, and holds every start to it.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use healthchecker::daemon::journal::{DiskTrouble, Journal, Mark, Opened, SyncReport, Urgency};
use healthchecker::engine::time::Moment;
use serde::{Deserialize, Serialize};

use super::faulty::Faulty;

/// One record: which batch it belongs to, and which of how many it is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Record {
    pub(crate) batch: u64,
    part: usize,
    of: usize,
    text: String,
}

/// A batch that can be told from every other, and from half of itself.
pub(crate) fn batch(number: u64, of: usize) -> Vec<Record> {
    let text = "é\n".repeat(number as usize % 12);
    (0..of).map(|part| Record { batch: number, part, of, text: text.clone() }).collect()
}

/// The number of a batch that is just as it was appended.
pub(crate) fn number_of(found: &[Record]) -> u64 {
    let first = found.first().expect("an empty batch appeared");
    assert_eq!(found, batch(first.batch, first.of), "half a batch, or an invented one");
    first.batch
}

struct Life {
    journal: Journal<Record>,
    reports: Receiver<SyncReport>,
    /// The batches that are appended, one by one or in a snapshot, and not reported.
    waiting: Vec<(Mark, Vec<u64>)>,
}

/// A daemon that keeps every batch for ever.
pub(crate) struct Keeper {
    pub(crate) disk: Faulty,
    life: Option<Life>,
    pub(crate) now: Moment,
    /// What the daemon has in memory.
    state: Vec<Vec<Record>>,
    /// What was ever appended: so many records each.
    appended: BTreeMap<u64, usize>,
    /// What must be found for ever.
    pub(crate) acknowledged: BTreeSet<u64>,
}

impl Keeper {
    pub(crate) fn new(seed: u64) -> Keeper {
        let mut keeper = Keeper {
            disk: Faulty::new(seed),
            life: None,
            now: Moment::START,
            state: Vec::new(),
            appended: BTreeMap::new(),
            acknowledged: BTreeSet::new(),
        };
        keeper.start();
        keeper
    }

    /// Starts, and compares what is found with what was promised.
    pub(crate) fn start(&mut self) -> Opened<Record> {
        let (tell, reports) = mpsc::channel();
        let tell = move |report| tell.send(report).unwrap();
        let (journal, opened) = Journal::open(self.disk.clone(), tell).unwrap();
        let found: Vec<u64> = opened.batches.iter().map(|batch| number_of(batch)).collect();
        assert!(found.is_sorted_by(|one, next| one < next), "out of order: {found:?}");
        for (number, batch) in found.iter().zip(&opened.batches) {
            assert_eq!(self.appended.get(number), Some(&batch.len()), "{number} was invented");
        }
        let numbers: BTreeSet<u64> = found.iter().copied().collect();
        let missing: Vec<_> = self.acknowledged.difference(&numbers).collect();
        assert!(missing.is_empty(), "lost: {missing:?}\n{:?}", opened.warnings);
        self.state.clone_from(&opened.batches);
        let waiting = vec![(Mark::default(), found)];
        self.life = Some(Life { journal, reports, waiting });
        self.wait_for(Mark::default());
        opened
    }

    fn life(&mut self) -> &mut Life {
        self.life.as_mut().expect("the daemon runs")
    }

    /// Appends a batch; an urgent one is waited for.
    pub(crate) fn append(&mut self, of: usize, urgency: Urgency) {
        let number = self.appended.len() as u64;
        self.appended.insert(number, of);
        let batch = batch(number, of);
        let life = self.life();
        let mark = life.journal.append(&batch, urgency);
        life.waiting.push((mark, vec![number]));
        self.state.push(batch);
        if urgency == Urgency::Now {
            self.wait_for(mark);
        }
    }

    /// Does what the journal asks for.
    pub(crate) fn turn(&mut self) {
        let now = self.now;
        if self.life().journal.wants_snapshot(now) {
            self.snapshot();
        }
    }

    pub(crate) fn snapshot(&mut self) {
        let numbers = self.state.iter().map(|batch| number_of(batch)).collect();
        let state = self.state.clone();
        let life = self.life();
        let mark = life.journal.write_snapshot(&state);
        life.waiting.push((mark, numbers));
        self.wait_for(mark);
    }

    pub(crate) fn wait(&mut self, seconds: u64) {
        self.now = self.now + Duration::from_secs(seconds);
    }

    pub(crate) fn trouble(&mut self) -> Option<DiskTrouble> {
        self.life().journal.trouble().cloned()
    }

    fn wait_for(&mut self, mark: Mark) {
        loop {
            let report = self.life().reports.recv_timeout(Duration::from_secs(20));
            let report = report.expect("every mark is reported");
            self.note(&report);
            if report.mark >= mark {
                return;
            }
        }
    }

    fn note(&mut self, report: &SyncReport) {
        let now = self.now;
        let life = self.life();
        life.journal.handle_report(report, now);
        let (named, waiting) = life.waiting.drain(..).partition(|(mark, _)| *mark <= report.mark);
        life.waiting = waiting;
        self.acknowledge(named, report);
    }

    fn acknowledge(&mut self, named: Vec<(Mark, Vec<u64>)>, report: &SyncReport) {
        if report.outcome.is_ok() {
            self.acknowledged.extend(named.into_iter().flat_map(|(_, numbers)| numbers));
        }
    }

    /// Ends in order: what waits is written.
    pub(crate) fn stop(&mut self) {
        let Life { journal, reports, waiting } = self.life.take().expect("the daemon runs");
        drop(journal);
        let Some(last) = reports.into_iter().last() else { return };
        self.acknowledge(waiting, &last);
    }

    /// SIGKILL: what waits is gone, what the system has is not.
    pub(crate) fn kill(&mut self) {
        self.disk.cut_power_after(0);
        self.stop();
        self.disk.revive();
    }

    /// The power fails.
    pub(crate) fn power_cut(&mut self) {
        self.disk.cut_power_after(0);
        self.stop();
        self.disk.power_cycle();
    }
}
