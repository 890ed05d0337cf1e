//! A recorded life of a household, cut and torn at every byte of its journal: the engine that is
//! rebuilt holds what it held after the last whole turn.

use std::sync::mpsc;

use healthchecker::daemon::journal::{JOURNAL, Journal, Urgency, records};
use healthchecker::engine::core::{Engine, Options};
use healthchecker::engine::outbox::Policy;
use healthchecker::engine::recipients::Recipients;
use healthchecker::engine::record::{AppRecord, Record};
use healthchecker::engine::time::{Now, Stamp, Wall};

use super::faulty::Faulty;
use super::world::{Answer, Mood, World};

const QUICK: [(&str, &str); 3] = [("interval", "5"), ("unhealthy", "2"), ("healthy", "2")];

/// Everything that is ever recorded: registrations, a change, a pause, a removal, rows, states,
/// alerts, mails that wait, take in others, go out.
fn lived() -> World {
    let mut world = World::new();
    world.held = Some(Vec::new());
    world.register("NAS", &QUICK);
    world.register("Kodi", &[QUICK.as_slice(), &[("email", "a@example.org")]].concat());
    world.seconds(7);
    world.mood = Mood::Away;
    world.answers("NAS", Answer::Fail);
    world.seconds(12);
    world.pause("Kodi");
    world.answers("NAS", Answer::Pass);
    world.seconds(12);
    world.mood = Mood::Accepts;
    world.register("NAS", &[("interval", "10"), ("healthy", "3")]);
    world.stop("Kodi");
    world.seconds(20);
    world
}

/// Its journal, as the daemon writes it.
pub(super) fn written(turns: &[String]) -> Vec<u8> {
    let disk = Faulty::new(1);
    let (tell, reports) = mpsc::channel();
    let tell = move |report| tell.send(report).unwrap_or_default();
    let (mut journal, _) = Journal::<Record>::open(disk.clone(), tell).unwrap();
    for turn in turns {
        journal.append(&records::<Record>(turn).unwrap(), Urgency::Now);
    }
    drop(journal);
    assert!(reports.into_iter().all(|report| report.outcome == Ok(())));
    disk.get(JOURNAL).unwrap()
}

/// What a start makes of a journal.
fn rebuilt(bytes: &[u8], now: Now) -> (Vec<Record>, bool) {
    let disk = Faulty::new(1);
    disk.put(JOURNAL, bytes);
    let (_, opened) = Journal::<Record>::open(disk, |_| ()).unwrap();
    let recipients = Recipients::default();
    let mut engine = Engine::new(Options {
        mail: Policy { mailing: true, mail_without_clock: false, recipients },
        workers: 32,
        seed: 1,
        boot_id: None,
        settle: std::time::Duration::from_secs(600),
        anchors: Vec::new(),
        reminders: true,
        quiet: healthchecker::engine::registration::QuietTimes::default(),
        zone: healthchecker::engine::time::Zone::UTC,
    });
    engine.restore(now, opened.batches.into_iter().flatten().collect());
    (exact(engine.snapshot(now)), opened.lost)
}

/// What has to be exact: all but the counters, and the run, and rows as far as they can decide anything.
fn exact(records: Vec<Record>) -> Vec<Record> {
    let of_app = |mut record| {
        if let Record::App(app) = &mut record {
            forget_rows_that_do_not_matter(app);
        }
        record
    };
    records
        .into_iter()
        .filter(|record| !matches!(record, Record::Counters(_) | Record::Run(_)))
        .map(of_app)
        .collect()
}

fn forget_rows_that_do_not_matter(app: &mut AppRecord) {
    if app.state.word() == "HEALTHY" {
        app.streaks.passed = 0;
        app.streaks.not_failed = 0;
    }
    if app.streaks.not_passed == 0 {
        app.trouble_since = Stamp::on_record(Wall::default());
    }
}

#[test]
fn a_cut_or_tear_at_any_byte_leaves_what_was_held_after_the_last_whole_turn() {
    let world = lived();
    let held: Vec<Vec<Record>> = world.held.clone().unwrap().into_iter().map(exact).collect();
    let bytes = written(&world.journal);
    assert!((5_000..20_000).contains(&bytes.len()), "{} bytes", bytes.len());
    for at in 0..bytes.len() {
        let whole = bytes[..at].iter().filter(|byte| **byte == b'\n').count();
        let lines = bytes.split_inclusive(|byte| *byte == b'\n').take(whole);
        let marks = lines.filter(|line| line.ends_with(b" []\n")).count();
        // The first line is the header.
        let expected = whole.checked_sub(2 + marks).map_or(&[][..], |turn| held[turn].as_slice());
        let cut = &bytes[..at];
        let torn = [cut, &vec![0; bytes.len() - at]].concat();
        for journal in [cut, &torn] {
            let (found, lost) = rebuilt(journal, world.now);
            assert_eq!(found, expected, "at byte {at} of {}", bytes.len());
            assert_eq!(lost, whole == 0 || marks == 1, "at byte {at}");
        }
    }
    assert_eq!(rebuilt(&bytes, world.now), (held.last().unwrap().clone(), false));
}

#[test]
fn the_recorded_life_has_every_kind_of_record_in_it() {
    let text = lived().journal.concat();
    for kind in ["app", "rows", "stopped", "mail", "mail_done"] {
        assert!(text.contains(&format!("{{\"{kind}\":{{")), "{kind}");
    }
}
