//! Nothing is promised before it is on disk: answers and mails wait here for their records.

use std::collections::VecDeque;
use std::time::Duration;

use super::api::{Problem, Reply, Responder};
use super::journal::{Journal, Mark, Report, Stats, Trouble, Urgency};
use crate::engine::alerts::notice::Mail;
use crate::engine::core::Engine;
use crate::engine::record::Record;
use crate::engine::time::{Moment, Now};

/// A mail waits no longer for a disk that does not answer. A card that cleans up takes a second or
/// two; one that dies may never come back, and an alert must not wait for that.
const PATIENCE: Duration = Duration::from_secs(10);
/// Records in one line of a snapshot: damage costs whole lines.
const SNAPSHOT_LINE: usize = 4;

/// The journal, and what waits for it.
pub(super) struct Keeper {
    journal: Journal<Record>,
    port: u16,
    /// Everything up to here is on disk, or known not to be.
    reported: Mark,
    last: Mark,
    held: VecDeque<Waiting>,
    /// The last records are of the kind that nobody waits for, and are held back for company.
    lazy: bool,
    /// A mail went out before the disk had it; until the next report.
    disk_hangs: bool,
    /// Said at the start: what damage has cost. Stays until the next start.
    lost: Vec<String>,
}

/// Something that waits for a mark to be reported, since when.
struct Waiting {
    mark: Mark,
    since: Moment,
    held: Held,
}

/// What waits for its record.
enum Held {
    Answer(Responder, Reply),
    Mail(Mail),
}

/// What may go out now.
pub(super) enum Release {
    Answer(Responder, Reply),
    Mail(Mail),
}

impl Keeper {
    /// Keeps the state of a daemon that serves `port`; `lost` is what damage has cost.
    pub(super) fn new(journal: Journal<Record>, port: u16, lost: Vec<String>) -> Keeper {
        let mark = Mark::default();
        let mut keeper = Keeper {
            journal,
            port,
            reported: mark,
            last: mark,
            held: VecDeque::new(),
            lazy: false,
            disk_hangs: false,
            lost,
        };
        keeper.keep(&[Record::Port { port }]);
        keeper
    }

    /// Writes the records of a turn.
    pub(super) fn keep(&mut self, records: &[Record]) {
        if !records.is_empty() {
            let urgency = urgency(records);
            self.lazy = urgency == Urgency::Soon;
            self.last = self.journal.append(records, urgency);
        }
    }

    /// An answer that promises something, once that is on disk.
    pub(super) fn answer_when_kept(
        &mut self,
        responder: Responder,
        reply: Reply,
        now: Moment,
    ) -> Option<Release> {
        self.hold(Held::Answer(responder, reply), now)
    }

    /// A mail, once it is on disk, or [`Keeper::overdue`].
    pub(super) fn send_when_kept(&mut self, mail: Mail, now: Moment) -> Option<Release> {
        self.hold(Held::Mail(mail), now)
    }

    fn hold(&mut self, held: Held, now: Moment) -> Option<Release> {
        let all_reported = self.last <= self.reported;
        if all_reported && self.journal.trouble().is_none() {
            return Some(held.release(&Ok(())));
        }
        if all_reported || self.lazy {
            // Whether it is on disk cannot be known from before the trouble: ask again. What is
            // held back for company goes now.
            self.last = self.journal.append(&[], Urgency::Now);
            self.lazy = false;
        }
        self.held.push_back(Waiting { mark: self.last, since: now, held });
        None
    }

    /// The mails that have waited for the disk for too long: they go out without it.
    pub(super) fn overdue(&mut self, now: Moment) -> Vec<Release> {
        let late = |waiting: &Waiting| waiting.is_mail() && waiting.since + PATIENCE <= now;
        if !self.held.iter().any(late) {
            return Vec::new();
        }
        self.disk_hangs = true;
        let (late, rest) = self.held.drain(..).partition(late);
        self.held = rest;
        let late: VecDeque<Waiting> = late;
        late.into_iter().map(|waiting| waiting.held.release(&Ok(()))).collect()
    }

    /// The journal's thread reports: what may go out now.
    pub(super) fn handle_report(&mut self, report: &Report, now: Moment) -> Vec<Release> {
        self.journal.handle_report(report, now);
        self.reported = self.reported.max(report.mark);
        self.disk_hangs = false;
        let ready = self.held.iter().take_while(|waiting| waiting.mark <= report.mark).count();
        let ready = self.held.drain(..ready);
        ready.map(|waiting| waiting.held.release(&report.outcome)).collect()
    }

    /// Writes a snapshot when the journal wants one: after a start, when it has grown, and as the
    /// way out of trouble.
    pub(super) fn compact(&mut self, engine: &Engine, now: Now) {
        if self.journal.wants_snapshot(now.at) {
            self.snapshot(engine, now);
        }
    }

    /// Writes everything as it is now: the counters too are exact after an orderly stop.
    pub(super) fn snapshot(&mut self, engine: &Engine, now: Now) {
        let mut records = vec![Record::Port { port: self.port }];
        records.extend(engine.snapshot(now));
        self.last = self.journal.write_snapshot(records.chunks(SNAPSHOT_LINE));
    }

    /// When [`Keeper::compact`] and [`Keeper::overdue`] are to be called again.
    pub(super) fn next_deadline(&self) -> Option<Moment> {
        let mail = self.held.iter().find(|waiting| waiting.is_mail());
        let overdue = mail.map(|waiting| waiting.since + PATIENCE);
        self.journal.next_try().into_iter().chain(overdue).min()
    }

    /// What the journal has cost the disk.
    pub(super) fn stats(&self) -> Stats {
        self.journal.stats()
    }

    /// What the owner should know about the disk.
    pub(super) fn troubles(&self) -> Vec<String> {
        self.journal
            .trouble()
            .map(ToString::to_string)
            .into_iter()
            .chain(self.disk_hangs.then(hangs))
            .chain(self.lost.clone())
            .collect()
    }
}

impl Waiting {
    fn is_mail(&self) -> bool {
        matches!(self.held, Held::Mail(_))
    }
}

fn hangs() -> String {
    format!("the disk has not taken what it was given for {} s or more", PATIENCE.as_secs())
}

impl Held {
    fn release(self, outcome: &Result<(), Trouble>) -> Release {
        match (self, outcome) {
            (Held::Answer(responder, reply), Ok(())) => Release::Answer(responder, reply),
            (Held::Answer(responder, _), Err(trouble)) => {
                Release::Answer(responder, Reply::Problem(not_kept(trouble)))
            }
            // An alert that cannot be kept is all the more to be sent.
            (Held::Mail(mail), _) => Release::Mail(mail),
        }
    }
}

fn not_kept(trouble: &Trouble) -> Problem {
    let status = if trouble.full { 507 } else { 503 };
    Problem::not_kept(
        status,
        format!(
            "in effect for now, but it would not survive a restart: {trouble}; try again later"
        ),
    )
}

/// Somebody waits for all but the records of single checks. (For a mail that is done, it is the
/// recipient, who would get it twice after a crash.)
fn urgency(records: &[Record]) -> Urgency {
    let lazy = |record: &Record| matches!(record, Record::Rows(_) | Record::Hour { .. });
    if records.iter().all(lazy) { Urgency::Soon } else { Urgency::Now }
}
