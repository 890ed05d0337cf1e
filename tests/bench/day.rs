//! What a day of a quiet household costs an SD card.
//!
//! The day passes in virtual time: the engine decides, and the daemon's own journal and health
//! check log write to real files. The system counts what goes to the disk
//! (`write_bytes` of `/proc/self/io`, whole pages), without the file system's own book-keeping.

use std::path::Path;
use std::sync::mpsc::{self, Receiver};
use std::time::Duration;

use healthchecker::daemon::check_log::CheckLog;
use healthchecker::daemon::journal::{Folder, Journal, Mark, SyncReport, Urgency};
use healthchecker::engine::core::{Action, Engine};
use healthchecker::engine::record::Record;
use healthchecker::engine::scheduler::Ran;
use healthchecker::engine::time::{Now, Wall};

use super::engine::{beginning, empty, registration, well};
use super::figures;

/// The first hours are not like those that follow: apps register, and the journal finds its size.
const SETTLING: Duration = Duration::from_secs(30 * 3600);
const DAY: Duration = Duration::from_secs(24 * 3600);

/// The journal is compacted every other day or so.
const DAYS: u32 = 6;

/// Bytes that a day of quiet apps writes to the disk, the mean of some.
pub(crate) fn bytes_written(apps: usize) -> u64 {
    let folder = tempfile::tempdir().unwrap();
    let mut household = Household::new(folder.path());
    for app in 0..apps {
        household.register(app);
    }
    household.pass(SETTLING);
    let before = figures::written(std::process::id());
    household.pass(DAY * DAYS);
    (figures::written(std::process::id()) - before) / u64::from(DAYS)
}

struct Household {
    engine: Engine,
    now: Now,
    journal: Journal<Record>,
    reports: Receiver<SyncReport>,
    reported: Mark,
    folder: std::path::PathBuf,
    check_log: CheckLog,
}

impl Household {
    fn new(folder: &Path) -> Household {
        let (tell, reports) = mpsc::channel();
        let tell = move |report| tell.send(report).unwrap_or_default();
        let (journal, _) = Journal::open(Folder::claim(folder).unwrap(), tell).unwrap();
        Household {
            engine: empty(),
            now: beginning(),
            journal,
            reports,
            reported: Mark::default(),
            folder: folder.to_owned(),
            check_log: CheckLog::start(Some(folder)).unwrap(),
        }
    }

    fn register(&mut self, app: usize) {
        let url = format!("http://192.168.1.{app}:8080");
        let registration = registration(&[("appname", format!("app{app}")), ("url", url)]);
        self.engine.register(self.now, registration).unwrap();
        self.act();
    }

    fn pass(&mut self, span: Duration) {
        let until = self.now.at + span;
        while let Some(next) =
            self.engine.next_deadline().map(|(at, _)| at).filter(|next| *next <= until)
        {
            let span = next.since(self.now.at).as_millis() as i64;
            self.now.at = self.now.at.max(next);
            self.now.wall = Wall::from_unix_millis(self.now.wall.as_unix_millis() + span);
            self.engine.handle_time(self.now);
            self.act();
        }
    }

    /// One turn of the event loop; what it writes is on the disk before the next.
    fn act(&mut self) {
        let mut lines = false;
        while let Some(action) = self.engine.poll_action() {
            match action {
                Action::Probe(probe) => {
                    let latency = Duration::from_millis(3 + probe.id % 9);
                    let ran = Ran::until(self.now.at, latency);
                    self.engine.handle_check(self.now, probe.id, well(), ran);
                }
                Action::CheckLog(line) => {
                    lines = true;
                    self.check_log.write(line);
                }
                Action::Look(_) | Action::Send(_) | Action::Rehearse(_) | Action::Log(_) => {}
            }
        }
        if lines {
            // The thread waits for company in real time: its end writes at once.
            self.check_log = CheckLog::start(Some(&self.folder)).unwrap();
        }
        let records = self.engine.take_records(self.now);
        if !records.is_empty() {
            let mark = self.journal.append(&records, Urgency::Now);
            self.wait_for(mark);
        }
        if self.journal.wants_snapshot(self.now.at) {
            let snapshot = self.engine.snapshot(self.now);
            let mark = self.journal.write_snapshot(snapshot.chunks(4));
            self.wait_for(mark);
        }
    }

    fn wait_for(&mut self, mark: Mark) {
        while self.reported < mark {
            let report = self.reports.recv().unwrap();
            assert_eq!(report.outcome, Ok(()));
            self.journal.handle_report(&report, self.now.at);
            self.reported = report.mark;
        }
    }
}
