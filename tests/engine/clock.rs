//! A Pi has no clock battery: its mail waits until the clock is set.

use super::world::{Answer, World};
use healthchecker::engine::alerts::letter;
use healthchecker::engine::time::Wall;
use healthchecker::engine::words::note::Note;

const QUICK: [(&str, &str); 3] = [("interval", "5"), ("unhealthy", "2"), ("healthy", "2")];

/// Two minutes after a Pi was switched on.
const SWITCHED_ON: Wall = Wall::from_unix_millis(130_000);
const REALLY: Wall = Wall::from_unix_millis(1_795_500_000_000);

fn without_clock() -> World {
    let mut world = World::new();
    world.set_clock(SWITCHED_ON);
    world.register("NAS", &QUICK);
    world.register("Kodi", &QUICK);
    world.seconds(60);
    world.answers("NAS", Answer::Fail);
    world
}

fn complaints(world: &World) -> usize {
    world.notes.iter().filter(|note| matches!(note, Note::ClockWrong { .. })).count()
}

#[test]
fn checks_go_on_and_no_mail_is_tried_while_the_clock_is_plainly_wrong() {
    let mut world = without_clock();
    world.seconds(6 * 3600);
    assert_eq!(world.state("NAS").word(), "UNHEALTHY");
    assert!(world.tries.is_empty());
    assert_eq!(complaints(&world), 1);
    let outbox = world.engine.health(world.now, world.now.at, Vec::new()).outbox;
    assert_eq!((outbox.waiting, outbox.trouble), (1, Vec::new()), "it has not failed");

    world.set_clock(REALLY);
    world.seconds(10);
    assert_eq!(world.mails(), ["watching NAS, Kodi + NAS UNHEALTHY"]);
    let text = letter::write(&world.inbox[0].1, world.now.wall, None).text;
    assert!(text.starts_with("This mail waited until the clock was set."), "{text}");
    assert!(text.contains("1970-01-01 00:03:"), "{text}");
    assert!(text.contains("(clock not set)"), "{text}");

    world.answers("NAS", Answer::Pass);
    world.seconds(20);
    assert_eq!(world.mails()[1..], ["NAS HEALTHY"]);
    let text = letter::write(&world.inbox[1].1, world.now.wall, None).text;
    assert!(text.contains("NAS is HEALTHY again after 6 h"), "by the other clock: {text}");
}

#[test]
fn a_power_cut_while_the_clock_is_wrong_loses_nothing() {
    let mut world = without_clock();
    for _ in 0..3 {
        world.seconds(3600);
        world.restart();
        world.set_clock(SWITCHED_ON);
    }
    world.seconds(60);
    assert!(world.tries.is_empty());
    world.set_clock(REALLY);
    world.seconds(10);
    assert_eq!(world.mails(), ["watching NAS, Kodi + NAS UNHEALTHY"]);
}

#[test]
fn a_clock_that_is_lost_again_is_said_again() {
    let mut world = without_clock();
    world.seconds(60);
    world.set_clock(REALLY);
    world.seconds(60);
    world.set_clock(SWITCHED_ON);
    world.answers("NAS", Answer::Pass);
    world.seconds(60);
    assert_eq!((complaints(&world), world.inbox.len()), (2, 1));
    world.set_clock(REALLY);
    world.seconds(10);
    assert_eq!(world.mails()[1..], ["NAS HEALTHY"]);
}
