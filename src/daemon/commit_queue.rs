//! Nothing is promised before it is on disk: answers and mails wait here for their records.

use std::collections::VecDeque;
use std::time::Duration;

use super::api::{Problem, Promise, REPLY_WITHIN};
use super::journal::{DiskTrouble, Journal, Mark, Stats, SyncReport, Urgency};
use crate::engine::core::Engine;
use crate::engine::outbox::notice::Mail;
use crate::engine::record::Record;
use crate::engine::time::{Moment, Now};

/// A mail waits no longer for a disk that does not answer. A card that cleans up takes a second or
/// two; one that dies may never come back, and an alert must not wait for that.
const PATIENCE: Duration = Duration::from_secs(10);
/// Records in one line of a snapshot: damage costs whole lines.
const SNAPSHOT_LINE: usize = 4;

/// The journal, and what waits for it.
pub(super) struct CommitQueue {
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
    Answer(Promise),
    Mail(Mail),
}

/// What may go out now.
#[derive(Debug)]
pub(super) enum Release {
    /// The answer, or instead of it why it is not kept.
    Answer(Promise, Result<(), Problem>),
    Mail(Mail),
}

impl CommitQueue {
    /// Keeps the state of a daemon that serves `port`; `lost` is what damage has cost.
    pub(super) fn new(journal: Journal<Record>, port: u16, lost: Vec<String>) -> CommitQueue {
        let mark = Mark::default();
        let mut queue = CommitQueue {
            journal,
            port,
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

    /// Writes the records of a turn.
    pub(super) fn keep(&mut self, records: &[Record]) {
        if !records.is_empty() {
            let urgency = urgency(records);
            self.lazy = urgency == Urgency::Soon;
            self.last = self.journal.append(records, urgency);
        }
    }

    /// Whether an answer that promises something must be held: what becomes of it is released once
    /// the disk has said so, or is [`CommitQueue::overdue`]. If not, it is all on disk.
    pub(super) fn must_hold(&mut self, promise: Promise, now: Moment) -> bool {
        self.hold(Held::Answer(promise), now).is_none()
    }

    /// Whether clients wait for the disk.
    pub(super) fn owes_answers(&self) -> bool {
        self.held.iter().any(|waiting| !waiting.is_mail())
    }

    /// A mail, once it is on disk, or [`CommitQueue::overdue`].
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

    /// What has waited for the disk for too long: mails go out without it, clients are told.
    pub(super) fn overdue(&mut self, now: Moment) -> Vec<Release> {
        let late = |waiting: &Waiting| waiting.until() <= now;
        if !self.held.iter().any(late) {
            return Vec::new();
        }
        self.disk_hangs = true;
        let (late, rest) = self.held.drain(..).partition(late);
        self.held = rest;
        let late: VecDeque<Waiting> = late;
        late.into_iter().map(|waiting| waiting.held.give_up()).collect()
    }

    /// The journal's thread reports: what may go out now.
    pub(super) fn handle_report(&mut self, report: &SyncReport, now: Moment) -> Vec<Release> {
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

    /// When [`CommitQueue::compact`] and [`CommitQueue::overdue`] are to be called again.
    pub(super) fn next_deadline(&self) -> Option<Moment> {
        let overdue = self.held.iter().map(Waiting::until).min();
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

    fn until(&self) -> Moment {
        self.since + if self.is_mail() { PATIENCE } else { REPLY_WITHIN }
    }
}

fn hangs() -> String {
    format!("the disk has not taken what it was given for {} s or more", PATIENCE.as_secs())
}

impl Held {
    fn release(self, outcome: &Result<(), DiskTrouble>) -> Release {
        match (self, outcome) {
            (Held::Answer(promise), Ok(())) => Release::Answer(promise, Ok(())),
            (Held::Answer(promise), Err(trouble)) => {
                Release::Answer(promise, Err(not_kept(trouble)))
            }
            // An alert that cannot be kept is all the more to be sent.
            (Held::Mail(mail), _) => Release::Mail(mail),
        }
    }

    /// The disk has not said what became of it.
    fn give_up(self) -> Release {
        match self {
            Held::Answer(promise) => Release::Answer(promise, Err(not_known())),
            Held::Mail(mail) => Release::Mail(mail),
        }
    }
}

fn not_kept(trouble: &DiskTrouble) -> Problem {
    let status = if trouble.full { 507 } else { 503 };
    Problem::not_kept(
        status,
        format!(
            "in effect for now, but it would not survive a restart: {trouble}; try again later"
        ),
    )
}

fn not_known() -> Problem {
    Problem::unavailable(format!(
        "in effect for now, but it may not survive a restart: {}; try again later",
        hangs()
    ))
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
    use crate::daemon::api::Format;
    use crate::daemon::channel::{Receiver, channel};
    use crate::daemon::gate::Ticket;
    use crate::engine::recipients::Recipient;
    use crate::engine::time::Stamp;

    fn at(seconds: u64) -> Moment {
        Moment::from_millis(seconds * 1000)
    }

    /// A queue, and what its journal reports, to be handed over when the test likes.
    pub(super) fn queue() -> (CommitQueue, Receiver<SyncReport>) {
        let (tell, reports) = channel();
        let journal = Journal::nowhere(move |report| tell.send(report).unwrap());
        let mut queue = CommitQueue::new(journal, 1, Vec::new());
        queue.handle_report(&reports.try_recv().unwrap(), at(0));
        (queue, reports)
    }

    pub(super) fn change(queue: &mut CommitQueue) {
        queue.keep(&[Record::Port { port: 2 }]);
    }

    fn promises() -> [Promise; 2] {
        let first = Ticket::default();
        [first, first.next()].map(|ticket| Promise::new(ticket, Format::Json))
    }

    fn failed(report: SyncReport, full: bool) -> SyncReport {
        SyncReport { outcome: Err(DiskTrouble { text: "no card".into(), full }), ..report }
    }

    pub(super) fn mail() -> Mail {
        Mail {
            id: 1,
            to: Recipient::mail("a@b.example"),
            message_id: "m".into(),
            references: Vec::new(),
            notices: Vec::new(),
            written: Stamp::noted(Now::default()),
            meant_for: Vec::new(),
            held_back: None,
            left_out: 0,
            nameless: false,
            given_up: false,
        }
    }

    /// Whose answers are released, and with which status if another is given instead.
    fn answers(releases: Vec<Release>) -> Vec<(Promise, Option<u16>)> {
        let answer = |release| match release {
            Release::Answer(promise, kept) => (promise, kept.err().map(|problem| problem.status)),
            Release::Mail(mail) => panic!("{mail:?}"),
        };
        releases.into_iter().map(answer).collect()
    }

    #[test]
    fn an_answer_is_held_until_its_own_change_is_on_disk() {
        let (mut queue, reports) = queue();
        let [first, second] = promises();
        assert!(!queue.must_hold(first, at(0)), "nothing has changed");
        change(&mut queue);
        assert!(queue.must_hold(first, at(0)));
        change(&mut queue);
        assert!(queue.must_hold(second, at(0)) && queue.owes_answers());
        let report = reports.try_recv().unwrap();
        assert_eq!(answers(queue.handle_report(&report, at(0))), [(first, None)]);
        let report = reports.try_recv().unwrap();
        assert_eq!(answers(queue.handle_report(&report, at(0))), [(second, None)]);
        assert!(!queue.owes_answers() && queue.next_deadline().is_none());
    }

    #[test]
    fn one_report_lets_all_go_that_it_speaks_of() {
        let (mut queue, reports) = queue();
        let [first, second] = promises();
        change(&mut queue);
        assert!(queue.must_hold(first, at(0)));
        change(&mut queue);
        assert!(queue.must_hold(second, at(0)));
        let last = reports.try_iter().last().unwrap();
        let released = answers(queue.handle_report(&failed(last, true), at(0)));
        assert_eq!(released, [(first, Some(507)), (second, Some(507))]);
    }

    #[test]
    fn in_trouble_not_even_what_is_unchanged_is_promised() {
        let (mut queue, reports) = queue();
        let [first, second] = promises();
        change(&mut queue);
        assert!(queue.must_hold(first, at(0)));
        let report = failed(reports.try_recv().unwrap(), false);
        assert_eq!(answers(queue.handle_report(&report, at(0))), [(first, Some(503))]);
        assert!(queue.must_hold(second, at(1)));
        let report = failed(reports.try_recv().unwrap(), false);
        assert_eq!(answers(queue.handle_report(&report, at(1))), [(second, Some(503))]);
    }

    #[test]
    fn a_disk_that_hangs_stops_no_mail_and_clients_are_told_in_time() {
        let (mut queue, reports) = queue();
        let [first, second] = promises();
        change(&mut queue);
        assert!(queue.must_hold(first, at(0)));
        assert!(queue.send_when_kept(mail(), at(1)).is_none());
        assert!(queue.must_hold(second, at(2)));
        assert_eq!(queue.next_deadline(), Some(at(1) + PATIENCE));
        let released = queue.overdue(at(1) + PATIENCE);
        assert!(matches!(released.as_slice(), [Release::Mail(_)]));
        assert!(queue.troubles().iter().any(|said| said.contains("has not taken")));
        assert_eq!(queue.next_deadline(), Some(at(0) + REPLY_WITHIN));
        assert!(queue.overdue(at(24)).is_empty());
        let released = answers(queue.overdue(at(0) + REPLY_WITHIN));
        assert_eq!(released, [(first, Some(503))]);
        // What was told is told: the rest is still true.
        let report = reports.try_iter().last().unwrap();
        assert_eq!(answers(queue.handle_report(&report, at(26))), [(second, None)]);
        assert!(queue.troubles().is_empty());
    }
}
