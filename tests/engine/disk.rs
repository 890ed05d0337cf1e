//! All that must outlive a power cut is on disk, whatever happens: no change is forgotten.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use proptest::prelude::*;

use super::cases::cases;
use super::facts::facts;
use super::incidents::is_on_disk;
use super::recording::{Chance, happen};
use super::world::{Answer, Mood, World};
use healthchecker::engine::core::{Engine, Options};
use healthchecker::engine::outbox::Policy;
use healthchecker::engine::recipients::{Recipient, Recipients};
use healthchecker::engine::record::Record;
use healthchecker::engine::time::Wall;

const EVENTS: usize = 80;
/// The journal is written anew after so many turns, or each look at it would take ever longer.
const TURNS: usize = 40;

/// What an engine makes of records that may send whatever it finds: it changes none of them.
fn replayed(world: &World, records: Vec<Record>) -> Vec<Record> {
    let default = world.recipients.by_default().iter().map(ToString::to_string).collect();
    let recipients = Recipients::new(default, &[]);
    let mail = Policy { mailing: true, mail_without_clock: true, recipients };
    let mut engine = Engine::new(Options {
        mail,
        workers: 1,
        seed: 0,
        boot_id: None,
        settle: std::time::Duration::from_secs(600),
        anchors: Vec::new(),
        reminders: true,
        quiet: healthchecker::engine::registration::QuietTimes::default(),
        zone: healthchecker::engine::time::Zone::UTC,
    });
    engine.restore(world.now, records);
    engine.snapshot(world.now)
}

/// How many mails count for the limit of each person.
pub(super) fn accepted(records: &[Record]) -> BTreeMap<Recipient, usize> {
    let mut accepted = BTreeMap::new();
    for record in records {
        if let Record::MailAccepted { to, .. } = record {
            *accepted.entry(to.clone()).or_default() += 1;
        }
    }
    accepted
}

fn compare(world: &World) {
    let held = world.engine.snapshot(world.now);
    let on_disk = world.on_disk();
    let counted = accepted(&on_disk);
    for (to, mails) in accepted(&held) {
        let known = counted.get(&to).copied().unwrap_or_default();
        assert!(known >= mails, "{mails} mails to {to} count, of {known} on disk");
    }
    // A limit would hold back, at this start, what waits behind a mail under way. That a refusal is
    // over is a record of its own.
    let counts = |record: &Record| matches!(record, Record::MailAccepted { .. });
    let on_disk = on_disk.into_iter().filter(|record| !counts(record)).collect();
    assert_eq!(
        facts(&replayed(world, on_disk), world.clock_moved),
        facts(&held, world.clock_moved)
    );
    assert!(world.clock_moved || is_on_disk(world), "the list of incidents");
}

proptest! {
    #![proptest_config(cases(4))]

    #[test]
    fn what_is_on_disk_is_what_is_held_after_each_event(seed: u64) {
        let mut chance = Chance(seed);
        let mut world = World::new();
        for _ in 0..EVENTS {
            match chance.below(40) {
                0 if world.clock_moved || chance.below(4) == 0 => {
                    let span = Duration::from_secs(1 + chance.below(20_000));
                    world.sleep(span);
                    world.act();
                }
                1 if world.clock_moved => world.synchronised = chance.below(2) == 0,
                2 if world.clock_moved => {
                    let by = (chance.below(400) as i64 - 200) * 3_600_000;
                    world.restart_at(Wall::from_unix_millis(world.now.wall.as_unix_millis() + by));
                }
                _ => happen(&mut world, &mut chance),
            }
            compare(&world);
            if world.journal.len() > TURNS {
                world.rewrite_journal();
            }
        }
    }
}

/// The disk takes nothing from `turns` on, and the daemon ends.
fn ends_with_a_full_disk(world: &mut World, turns: usize) {
    world.journal.truncate(turns);
    world.restart();
}

#[test]
fn what_was_told_while_the_disk_was_full_is_told_again_as_the_same_mail() {
    let mut world = World::new();
    world.register("NAS", &[("interval", "5"), ("unhealthy", "2"), ("healthy", "2")]);
    world.seconds(60);
    world.answers("NAS", Answer::Fail);
    world.seconds(60);
    world.inbox.drain(..world.inbox.len() - 1);
    let recorded = world.journal.len();
    world.answers("NAS", Answer::Pass);
    world.seconds(60);
    ends_with_a_full_disk(&mut world, recorded);
    world.seconds(60);
    assert_eq!(world.mails(), ["NAS UNHEALTHY", "NAS HEALTHY", "NAS HEALTHY"]);
    let id = |number: usize| &world.inbox[number].1.message_id;
    assert_eq!(id(1), id(2));
    assert_eq!(world.inbox[2].1.references, [id(0).clone()]);
    // What follows is news.
    for (next, seconds) in [(Answer::Fail, 60), (Answer::Pass, 7_500)] {
        world.answers("NAS", next);
        world.seconds(seconds);
    }
    let ids: BTreeSet<&String> = world.inbox.iter().map(|(_, mail)| &mail.message_id).collect();
    assert_eq!((world.inbox.len(), ids.len()), (5, 4), "{:?}", world.mails());
}

#[test]
fn a_mail_that_tells_more_than_one_that_nobody_recorded_is_another() {
    let mut world = World::new();
    for app in ["NAS", "TV"] {
        world.register(app, &[("interval", "5"), ("unhealthy", "2"), ("healthy", "2")]);
    }
    world.seconds(60);
    world.answers("NAS", Answer::Fail);
    world.seconds(60);
    world.inbox.drain(..world.inbox.len() - 1);
    let recorded = world.journal.len();
    world.answers("NAS", Answer::Pass);
    world.seconds(60);
    assert_eq!(world.mails(), ["NAS UNHEALTHY", "NAS HEALTHY"]);
    ends_with_a_full_disk(&mut world, recorded);
    // Nobody could say of the end what it says of the TV, too.
    world.mood = Mood::Away;
    world.seconds(60);
    world.answers("TV", Answer::Fail);
    world.seconds(600);
    world.mood = Mood::Accepts;
    world.seconds(1800);
    assert_eq!(world.mails()[2..], ["NAS HEALTHY + TV UNHEALTHY"]);
    let ids: BTreeSet<&str> =
        world.inbox.iter().map(|(_, mail)| mail.message_id.as_str()).collect();
    assert_eq!(ids.len(), 3);
}
