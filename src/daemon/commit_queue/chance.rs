//! Whatever the disk does, against what must always hold.

use proptest::prelude::*;

use super::tests::{change, mail, queue};
use super::*;
use crate::daemon::channel::Receiver;
use crate::engine::core::Options;
use crate::engine::outbox::Policy;
use crate::engine::recipients::Recipients;

#[derive(Clone, Debug)]
enum Step {
    Change {
        lazily: bool,
    },
    Answer,
    Mail,
    /// The disk has so much more, or has not.
    Report {
        marks: usize,
        ok: bool,
        compacted: bool,
    },
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => any::<bool>().prop_map(|lazily| Step::Change { lazily }),
        3 => Just(Step::Answer),
        2 => Just(Step::Mail),
        4 => (1..4usize, any::<bool>(), any::<bool>())
            .prop_map(|(marks, ok, compacted)| Step::Report { marks, ok, compacted }),
        2 => (0..15u64).prop_map(Step::Wait),
    ]
}

/// A disk that fails and comes back, and what it has been asked for.
struct Life {
    queue: CommitQueue<u64>,
    reports: Receiver<SyncReport>,
    now: Moment,
    ticket: u64,
    kept: Mark,
    on_disk: Mark,
    broken: bool,
    snapshot: Mark,
    /// What waits: by which mark it is true, and since when.
    answers: Vec<(u64, Mark, Moment)>,
    mails: Vec<(u64, Moment)>,
    /// How many mails there were.
    written: u64,
    engine: Engine,
}

impl Life {
    fn new(queue: CommitQueue<u64>, reports: Receiver<SyncReport>) -> Life {
        let recipients = Recipients::default();
        let mail = Policy { mailing: false, mail_without_clock: false, recipients };
        let (mark, snapshot) = (queue.last, Mark::default());
        Life {
            queue,
            reports,
            now: Moment::START,
            ticket: 0,
            kept: mark,
            on_disk: mark,
            broken: false,
            snapshot,
            answers: Vec::new(),
            mails: Vec::new(),
            written: 0,
            engine: Engine::new(Options {
                mail,
                workers: 1,
                seed: 0,
                boot_id: None,
                settle: Duration::from_secs(600),
                anchors: Vec::new(),
                reminders: true,
                quiet: crate::engine::registration::QuietTimes::default(),
                zone: crate::engine::time::Zone::UTC,
            }),
        }
    }

    fn live(&mut self, step: &Step) {
        match *step {
            Step::Change { lazily: false } => {
                change(&mut self.queue);
                self.kept = self.queue.last;
            }
            Step::Change { lazily: true } => {
                self.queue.keep(&[Record::Hour { apps: Vec::new() }]);
                self.kept = self.queue.last;
            }
            Step::Answer => {
                self.ticket += 1;
                if self.queue.must_hold(self.ticket, self.now) {
                    self.answers.push((self.ticket, self.kept, self.now));
                } else {
                    assert!(self.kept <= self.on_disk && !self.broken, "promised too early");
                }
            }
            Step::Mail => {
                self.written += 1;
                let number = self.written;
                match self.queue.send_when_kept(Mail { id: number, ..mail() }, self.now) {
                    None => self.mails.push((number, self.now)),
                    Some(Release::Mail(_)) => {
                        assert!(self.kept <= self.on_disk && !self.broken, "sent too early");
                    }
                    Some(Release::Answer(..)) => panic!("an answer for a mail"),
                }
            }
            Step::Report { marks, ok, compacted } => self.report(marks, ok, compacted),
            Step::Wait(seconds) => {
                let until = self.now + Duration::from_secs(seconds);
                while let Some(next) = self.queue.next_deadline().filter(|at| *at <= until) {
                    self.now = self.now.max(next);
                    self.turn();
                    assert!(self.queue.next_deadline().is_none_or(|at| at > self.now), "busy");
                }
                self.now = until;
            }
        }
        self.turn();
    }

    fn turn(&mut self) {
        let late = self.queue.overdue(self.now);
        self.released(late);
        let before = self.queue.last;
        self.queue.compact(&self.engine, Now { at: self.now, ..Now::default() });
        if self.queue.last != before {
            self.snapshot = self.queue.last;
        }
        let in_time = |since: Moment, patience| self.now < since + patience;
        assert!(self.mails.iter().all(|(_, since)| in_time(*since, PATIENCE)));
        assert!(self.answers.iter().all(|(_, _, since)| in_time(*since, REPLY_WITHIN)));
    }

    fn report(&mut self, marks: usize, ok: bool, compacted: bool) {
        let Some(report) = self.reports.try_iter().take(marks).last() else { return };
        let has_snapshot = self.snapshot > self.queue.reported && self.snapshot <= report.mark;
        let failed = || Err(DiskTrouble { text: "no card".into(), full: false });
        let snapshot = has_snapshot.then(|| if compacted { Ok(()) } else { failed() });
        let outcome = match snapshot {
            Some(Ok(())) => Ok(()),
            _ if self.broken || !ok => failed(),
            _ => Ok(()),
        };
        self.broken = outcome.is_err();
        if !self.broken {
            self.on_disk = report.mark;
        }
        let report = SyncReport { outcome, snapshot, ..report };
        let released = self.queue.handle_report(&report, self.now);
        self.released(released);
    }

    fn released(&mut self, releases: Vec<Release<u64>>) {
        for release in releases {
            match release {
                Release::Mail(mail) => {
                    let place = self.mails.iter().position(|(id, _)| *id == mail.id);
                    self.mails.remove(place.expect("it waits, and goes once"));
                }
                Release::Answer(promise, kept) => {
                    let its = |(ticket, ..): &(u64, Mark, Moment)| *ticket == promise;
                    let place = self.answers.iter().position(its);
                    let (_, mark, _) = self.answers.remove(place.expect("it waits, once"));
                    assert!(kept.is_err() || mark <= self.on_disk, "promised too early");
                }
            }
        }
    }
}

proptest! {
    #[test]
    fn nothing_is_promised_that_is_not_on_disk_and_nobody_waits_for_ever(
        steps in prop::collection::vec(step(), 0..60),
    ) {
        let (queue, reports) = queue();
        let mut life = Life::new(queue, reports);
        for step in &steps {
            life.live(step);
        }
        for _ in 0..4 {
            life.live(&Step::Wait(30));
            life.live(&Step::Report { marks: 1000, ok: true, compacted: true });
        }
        prop_assert!(life.answers.is_empty() && life.mails.is_empty());
        prop_assert!(life.queue.held.is_empty() && life.queue.next_deadline().is_none());
        prop_assert_eq!(life.queue.troubles(), Vec::<String>::new());
    }
}
