//! A machine that sleeps: its monotonic clock does, too.

use std::time::Duration;

use super::clock::{QUICK, REALLY, about, by, days, full, healthy, letter, uptimes};
use super::world::{Answer, Mood, World};
use healthchecker::engine::log_event::LogEvent;
use healthchecker::engine::record::Record;

#[test]
fn a_machine_that_slept_shows_the_same_times_as_before() {
    let mut world = healthy();
    world.answers("NAS", Answer::Fail);
    world.seconds(300);
    let seen = |world: &World| {
        let info = world.engine.view().info(world.now, "NAS").unwrap();
        let app = info.app;
        (app.since, app.last_healthy, app.last_check.map(|check| check.time), info.recent)
    };
    let (before, uptime, written) = (seen(&world), uptimes(&world), world.journal.len());
    world.sleep(Duration::from_secs(8 * 3600));
    assert_eq!(seen(&world), before);
    assert_eq!(uptimes(&world), uptime);
    let slept = LogEvent::Slept { span: Duration::from_secs(8 * 3600) };
    world.act();
    assert_eq!(world.notes.iter().filter(|note| **note == slept).count(), 1);
    assert!(!world.notes.iter().any(|note| matches!(note, LogEvent::ClockSet { .. })));
    world.answers("NAS", Answer::Pass);
    world.seconds(120);
    let text = letter(&world, 1);
    assert!(text.contains("NAS is HEALTHY again after 8 h 5 min"), "{text}");
    assert!(world.journal.len() >= written, "no times to be put right on disk");
    // Its times are on disk as they were: a start finds them.
    let since = seen(&world).0;
    world.restart();
    assert_eq!(seen(&world).0, since);
}

#[test]
fn a_clock_that_is_set_when_the_machine_wakes_moves_only_by_that() {
    let mut world = healthy();
    world.answers("NAS", Answer::Fail);
    world.seconds(300);
    let since = world.engine.view().info(world.now, "NAS").unwrap().app.since;
    world.now.wall = by(world.now.wall, 3600);
    world.sleep(Duration::from_secs(8 * 3600));
    let moved = world.engine.view().info(world.now, "NAS").unwrap().app.since;
    assert_eq!(moved, by(since, 3600));
    world.act();
    assert!(world.notes.iter().any(|note| matches!(note, LogEvent::ClockSet { .. })));
}

#[test]
fn hours_that_were_slept_through_are_hours() {
    // A day that failed, then a night's sleep.
    let mut world = World::new();
    world.set_clock(REALLY);
    world.register("NAS", &QUICK);
    world.answers("NAS", Answer::Fail);
    world.seconds(14 * 3600);
    world.answers("NAS", Answer::Pass);
    world.seconds(3600);
    world.sleep(Duration::from_secs(23 * 3600));
    assert_eq!(about(uptimes(&world)), [1.0, 0.07], "what is older than a day is gone");
    world.seconds(60);
    assert_eq!(days(&world).iter().map(|day| day.0).collect::<Vec<_>>(), [0, 1]);

    // Twenty mails within the hour, and a sleep of an hour: the next goes out.
    let mut world = full();
    world.sleep(Duration::from_secs(3600));
    world.answers("NAS", Answer::Pass);
    world.seconds(30);
    assert_eq!(world.inbox.len(), 1);
}

#[test]
fn an_hour_that_is_slept_through_ends_what_the_limit_holds_back() {
    let mut world = full();
    world.answers("NAS", Answer::Pass);
    world.seconds(60);
    assert_eq!(world.mails(), Vec::<String>::new(), "it is held back");
    world.sleep(Duration::from_secs(3600));
    world.seconds(1);
    assert_eq!(world.inbox.len(), 1, "not for another hour");
}

#[test]
fn what_was_slept_through_counts_for_the_next_try() {
    for mood in [Mood::Away, Mood::RefusesLogin] {
        let mut world = healthy();
        world.mood = mood;
        world.answers("NAS", Answer::Fail);
        world.seconds(4 * 3600);
        world.mood = Mood::Accepts;
        world.sleep(Duration::from_secs(8 * 3600));
        world.seconds(1);
        assert_eq!(world.mails(), ["NAS UNHEALTHY"]);
        let mut said = world.notes.iter().filter_map(|note| match note {
            LogEvent::MailAccepted { after, .. } => Some(after.as_secs() / 3600),
            _ => None,
        });
        assert_eq!(said.next_back(), Some(11), "it has waited so long");
    }
}

#[test]
fn what_was_slept_through_counts_for_the_hour_of_history() {
    let mut world = healthy();
    world.seconds(1200);
    let hours = |world: &World| {
        let on_disk = world.on_disk();
        on_disk.iter().filter(|record| matches!(record, Record::Hour { .. })).count()
    };
    let before = hours(&world);
    world.sleep(Duration::from_secs(3600));
    world.seconds(1);
    assert_eq!(hours(&world), before + 1);
}

#[test]
fn what_failed_before_the_machine_slept_is_tried_again_soon() {
    let mut world = healthy();
    world.mood = Mood::Away;
    world.answers("NAS", Answer::Fail);
    world.seconds(4 * 3600);
    world.sleep(Duration::from_secs(3600));
    // Its network takes a while to be back.
    world.seconds(2);
    world.mood = Mood::Accepts;
    world.seconds(10);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"]);
}
