//! Nothing is promised before it is on disk: answers and mails wait here for their records.
//!
//! What stands for an answer, `P`, is the caller's own.

use std::collections::VecDeque;
use std::fmt;
use std::time::Duration;

use super::api::REPLY_WITHIN;
use super::journal::{DiskTrouble, Journal, Mark, Stats, SyncReport, Urgency};
use super::names::Names;
use crate::engine::core::Engine;
use crate::engine::outbox::mail::Mail;
use crate::engine::record::Record;
use crate::engine::time::{Moment, Now};

/// A mail waits no longer for a disk that does not answer. A card that cleans up takes a second or
/// two; one that dies may never come back, and an alert must not wait for that.
const PATIENCE: Duration = Duration::from_secs(10);
/// Records in one line of a snapshot: damage costs whole lines.
const SNAPSHOT_LINE: usize = 4;

/// The journal, and what waits for it.
#[derive(Debug)]
pub struct CommitQueue<P> {
    journal: Journal<Record>,
    port: u16,
    /// Their last good addresses are kept, too.
    names: Names,
    /// Everything up to here is on disk, or known not to be.
    reported: Mark,
    last: Mark,
    held: VecDeque<Waiting<P>>,
    /// The last records are of the kind that nobody waits for, and are held back for company.
    lazy: bool,
    /// A mail went out before the disk had it; until the next report.
    disk_hangs: bool,
    /// Said at the start: what damage has cost. Stays until the next start.
    lost: Vec<String>,
}

/// Something that waits for a mark to be reported, since when.
#[derive(Debug)]
struct Waiting<P> {
    mark: Mark,
    since: Moment,
    held: Held<P>,
}

/// What waits for its record.
#[derive(Debug)]
enum Held<P> {
    Answer(P),
    Mail(Mail),
}

/// What may go out now.
#[derive(Debug)]
pub enum Release<P> {
    /// The answer, or instead of it why it is not kept.
    Answer(P, Result<(), NotKept>),
    /// The mail.
    Mail(Mail),
}

/// A change that is in effect, and may not survive a restart.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotKept {
    /// The disk does not take it.
    Trouble(DiskTrouble),
    /// The disk has not said in time whether it takes it.
    Unknown,
}

/// For the client: in effect for now, but it would not, or may not, survive a restart.
impl fmt::Display for NotKept {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (may, why) = match self {
            NotKept::Trouble(trouble) => ("would", trouble.to_string()),
            NotKept::Unknown => ("may", hangs()),
        };
        write!(f, "in effect for now, but it {may} not survive a restart: {why}; try again later")
    }
}

impl<P> CommitQueue<P> {
    /// Keeps the state of a daemon that serves `port` and knows `names`; `lost` is what damage has cost.
    pub fn new(
        journal: Journal<Record>,
        port: u16,
        names: Names,
        lost: Vec<String>,
    ) -> CommitQueue<P> {
        let mark = Mark::default();
        let mut queue = CommitQueue {
            journal,
            port,
            names,
            reported: mark,
            last: mark,
            held: VecDeque::new(),
            lazy: false,
            disk_hangs: false,
            lost,
        };
        queue.keep(&[Record::Port { port }]);
        queue
    }

    /// Writes the records of a turn. Where names led goes with them: it is worth no write of its own.
    pub fn keep(&mut self, records: &[Record]) {
        if !records.is_empty() {
            let names = name_records(&self.names, false);
            if !names.is_empty() {
                self.journal.append(&names, Urgency::Soon);
            }
            let urgency = urgency(records);
            self.lazy = urgency == Urgency::Soon;
            self.last = self.journal.append(records, urgency);
        }
    }

    /// Whether an answer that promises something must be held: what becomes of it is released once
    /// the disk has said so, or is [`CommitQueue::overdue`]. If not, it is all on disk.
    pub fn must_hold(&mut self, promise: P, now: Moment) -> bool {
        self.hold(Held::Answer(promise), now).is_none()
    }

    /// Whether clients wait for the disk.
    pub fn owes_answers(&self) -> bool {
        self.held.iter().any(|waiting| !waiting.is_mail())
    }

    /// A mail, once it is on disk, or [`CommitQueue::overdue`].
    pub fn send_when_kept(&mut self, mail: Mail, now: Moment) -> Option<Release<P>> {
        self.hold(Held::Mail(mail), now)
    }

    fn hold(&mut self, held: Held<P>, now: Moment) -> Option<Release<P>> {
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

    /// What has waited for the disk for too long: mails go out without it, clients are told.
    pub fn overdue(&mut self, now: Moment) -> Vec<Release<P>> {
        let late = |waiting: &Waiting<P>| waiting.until() <= now;
        if !self.held.iter().any(late) {
            return Vec::new();
        }
        self.disk_hangs = true;
        let (late, rest) = self.held.drain(..).partition(late);
        self.held = rest;
        let late: VecDeque<Waiting<P>> = late;
        late.into_iter().map(|waiting| waiting.held.give_up()).collect()
    }

    /// The journal's thread reports: what may go out now.
    pub fn handle_report(&mut self, report: &SyncReport, now: Moment) -> Vec<Release<P>> {
        self.journal.handle_report(report, now);
        self.reported = self.reported.max(report.mark);
        self.disk_hangs = false;
        let ready = self.held.iter().take_while(|waiting| waiting.mark <= report.mark).count();
        let ready = self.held.drain(..ready);
        ready.map(|waiting| waiting.held.release(&report.outcome)).collect()
    }

    /// Writes a snapshot when the journal wants one: after a start, when it has grown, and as the
    /// way out of trouble.
    pub fn compact(&mut self, engine: &Engine, now: Now) {
        if self.journal.wants_snapshot(now.at) {
            self.snapshot(engine, now);
        }
    }

    /// Writes everything as it is now: the counters too are exact after an orderly stop.
    pub fn snapshot(&mut self, engine: &Engine, now: Now) {
        let mut records = vec![Record::Port { port: self.port }];
        records.extend(engine.snapshot(now));
        records.extend(name_records(&self.names, true));
        self.last = self.journal.write_snapshot(records.chunks(SNAPSHOT_LINE));
    }

    /// When [`CommitQueue::compact`] and [`CommitQueue::overdue`] are to be called again.
    pub fn next_deadline(&self) -> Option<Moment> {
        let overdue = self.held.iter().map(Waiting::until).min();
        self.journal.next_try().into_iter().chain(overdue).min()
    }

    /// What the journal has cost the disk.
    pub fn stats(&self) -> Stats {
        self.journal.stats()
    }

    /// What the owner should know about the disk.
    pub fn troubles(&self) -> Vec<String> {
        self.journal
            .trouble()
            .map(ToString::to_string)
            .into_iter()
            .chain(self.disk_hangs.then(hangs))
            .chain(self.lost.clone())
            .collect()
    }
}

impl<P> Waiting<P> {
    fn is_mail(&self) -> bool {
        matches!(self.held, Held::Mail(_))
    }

    fn until(&self) -> Moment {
        self.since + if self.is_mail() { PATIENCE } else { REPLY_WITHIN }
    }
}

fn hangs() -> String {
    format!("the disk has not taken what it was given for {} s or more", PATIENCE.as_secs())
}

impl<P> Held<P> {
    fn release(self, outcome: &Result<(), DiskTrouble>) -> Release<P> {
        match (self, outcome) {
            (Held::Answer(promise), Ok(())) => Release::Answer(promise, Ok(())),
            (Held::Answer(promise), Err(trouble)) => {
                Release::Answer(promise, Err(NotKept::Trouble(trouble.clone())))
            }
            // An alert that cannot be kept is all the more to be sent.
            (Held::Mail(mail), _) => Release::Mail(mail),
        }
    }

    /// The disk has not said what became of it.
    fn give_up(self) -> Release<P> {
        match self {
            Held::Answer(promise) => Release::Answer(promise, Err(NotKept::Unknown)),
            Held::Mail(mail) => Release::Mail(mail),
        }
    }
}

fn name_records(names: &Names, all: bool) -> Vec<Record> {
    let names = names.take_unrecorded(all).into_iter();
    names.map(|(name, addresses)| Record::Name { name, addresses }).collect()
}

/// Somebody waits for all but the records of single checks. (For a mail that is done, it is the
/// recipient, who would get it twice after a crash.)
fn urgency(records: &[Record]) -> Urgency {
    let lazy = |record: &Record| matches!(record, Record::Streaks(_) | Record::Hour { .. });
    if records.iter().all(lazy) { Urgency::Soon } else { Urgency::Now }
}

#[cfg(test)]
mod chance;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::daemon::channel::{Receiver, channel};
    use crate::engine::recipients::Recipient;
    use crate::engine::time::Stamp;

    fn at(seconds: u64) -> Moment {
        Moment::from_millis(seconds * 1000)
    }

    /// A queue, and what its journal reports, to be handed over when the test likes.
    pub(super) fn queue<P>() -> (CommitQueue<P>, Receiver<SyncReport>) {
        let (tell, reports) = channel();
        let journal = Journal::nowhere(move |report| tell.send(report).unwrap());
        let names = Names::new(std::sync::Arc::new(|_: &str| None), 1);
        let mut queue = CommitQueue::new(journal, 1, names, Vec::new());
        queue.handle_report(&reports.try_recv().unwrap(), at(0));
        (queue, reports)
    }

    pub(super) fn change<P>(queue: &mut CommitQueue<P>) {
        queue.keep(&[Record::Port { port: 2 }]);
    }

    /// What stands for two answers.
    const FIRST: u8 = 1;
    const SECOND: u8 = 2;

    fn failed(report: SyncReport, full: bool) -> SyncReport {
        SyncReport { outcome: Err(DiskTrouble { text: "no card".into(), full }), ..report }
    }

    pub(super) fn mail() -> Mail {
        let at = Stamp::noted(Now::default());
        Mail::new(1, Recipient::mail("a@b.example"), "m".into(), Vec::new(), at)
    }

    /// Whose answers are released, and with what if another is given instead.
    fn answers(releases: Vec<Release<u8>>) -> Vec<(u8, Option<NotKept>)> {
        let answer = |release| match release {
            Release::Answer(promise, kept) => (promise, kept.err()),
            Release::Mail(mail) => panic!("{mail:?}"),
        };
        releases.into_iter().map(answer).collect()
    }

    fn trouble(full: bool) -> Option<NotKept> {
        Some(NotKept::Trouble(DiskTrouble { text: "no card".into(), full }))
    }

    #[test]
    fn an_answer_is_held_until_its_own_change_is_on_disk() {
        let (mut queue, reports) = queue();
        assert!(!queue.must_hold(FIRST, at(0)), "nothing has changed");
        change(&mut queue);
        assert!(queue.must_hold(FIRST, at(0)));
        change(&mut queue);
        assert!(queue.must_hold(SECOND, at(0)) && queue.owes_answers());
        let report = reports.try_recv().unwrap();
        assert_eq!(answers(queue.handle_report(&report, at(0))), [(FIRST, None)]);
        let report = reports.try_recv().unwrap();
        assert_eq!(answers(queue.handle_report(&report, at(0))), [(SECOND, None)]);
        assert!(!queue.owes_answers() && queue.next_deadline().is_none());
    }

    #[test]
    fn one_report_lets_all_go_that_it_speaks_of() {
        let (mut queue, reports) = queue();
        change(&mut queue);
        assert!(queue.must_hold(FIRST, at(0)));
        change(&mut queue);
        assert!(queue.must_hold(SECOND, at(0)));
        let last = reports.try_iter().last().unwrap();
        let released = answers(queue.handle_report(&failed(last, true), at(0)));
        assert_eq!(released, [(FIRST, trouble(true)), (SECOND, trouble(true))]);
    }

    #[test]
    fn in_trouble_not_even_what_is_unchanged_is_promised() {
        let (mut queue, reports) = queue();
        change(&mut queue);
        assert!(queue.must_hold(FIRST, at(0)));
        let report = failed(reports.try_recv().unwrap(), false);
        assert_eq!(answers(queue.handle_report(&report, at(0))), [(FIRST, trouble(false))]);
        assert!(queue.must_hold(SECOND, at(1)));
        let report = failed(reports.try_recv().unwrap(), false);
        assert_eq!(answers(queue.handle_report(&report, at(1))), [(SECOND, trouble(false))]);
    }

    #[test]
    fn a_disk_that_hangs_stops_no_mail_and_clients_are_told_in_time() {
        let (mut queue, reports) = queue();
        change(&mut queue);
        assert!(queue.must_hold(FIRST, at(0)));
        assert!(queue.send_when_kept(mail(), at(1)).is_none());
        assert!(queue.must_hold(SECOND, at(2)));
        assert_eq!(queue.next_deadline(), Some(at(1) + PATIENCE));
        let released = queue.overdue(at(1) + PATIENCE);
        assert!(matches!(released.as_slice(), [Release::Mail(_)]));
        assert!(queue.troubles().iter().any(|said| said.contains("has not taken")));
        assert_eq!(queue.next_deadline(), Some(at(0) + REPLY_WITHIN));
        assert!(queue.overdue(at(24)).is_empty());
        let released = answers(queue.overdue(at(0) + REPLY_WITHIN));
        assert_eq!(released, [(FIRST, Some(NotKept::Unknown))]);
        // What was told is told: the rest is still true.
        let report = reports.try_iter().last().unwrap();
        assert_eq!(answers(queue.handle_report(&report, at(26))), [(SECOND, None)]);
        assert!(queue.troubles().is_empty());
    }
}
