//! Apps that crash and start again: each start registers, and passes may lie between.

use super::world::{Answer, World};
use healthchecker::engine::state::State;

const USUAL: [(&str, &str); 3] = [("interval", "30"), ("unhealthy", "3"), ("healthy", "4")];

fn house() -> World {
    let mut world = World::new();
    world.register("NAS", &USUAL);
    world.seconds(300);
    assert_eq!(world.state("NAS"), State::Healthy);
    world.inbox.clear();
    world
}

/// It starts, answers for a while, and is gone.
fn lives_for_a_minute(world: &mut World) {
    world.register("NAS", &USUAL);
    world.answers("NAS", Answer::Pass);
    world.seconds(60);
    world.answers("NAS", Answer::Refused);
    world.seconds(45);
}

#[test]
fn a_crash_loop_is_told_though_it_never_fails_for_long() {
    for restarts in [false, true] {
        let mut world = house();
        for start in 1..=3 {
            assert!(world.inbox.is_empty(), "after {start} starts: {:?}", world.mails());
            lives_for_a_minute(&mut world);
        }
        assert_eq!(world.mails(), ["NAS DEGRADED"]);
        let letter = super::clock::letter(&world, 0);
        assert!(letter.contains("it registered 3 times within 10 min"), "{letter}");
        if restarts {
            world.restart();
        }
        (0..5).for_each(|_| lives_for_a_minute(&mut world));
        assert_eq!(world.mails(), ["NAS DEGRADED"], "once");
        assert_eq!(world.state("NAS"), State::Degraded);
        world.register("NAS", &USUAL);
        world.answers("NAS", Answer::Pass);
        world.seconds(400);
        assert_eq!(world.mails(), ["NAS DEGRADED", "NAS HEALTHY"]);
    }
}

#[test]
fn a_first_start_that_is_refused_and_forgiven_is_one_too() {
    let mut world = World::new();
    world.answers("NAS", Answer::Refused);
    for _ in 0..3 {
        world.register("NAS", &USUAL);
        world.seconds(31);
    }
    assert_eq!(world.mails(), ["NAS DEGRADED"]);
}

#[test]
fn deployments_are_no_crash_loop() {
    let mut world = house();
    // One that comes back at once, five times,
    for _ in 0..5 {
        world.register("NAS", &USUAL);
        world.seconds(60);
    }
    // one that is away for a check, every six minutes,
    world.seconds(600);
    for _ in 0..5 {
        world.answers("NAS", Answer::Refused);
        world.seconds(40);
        world.register("NAS", &USUAL);
        world.answers("NAS", Answer::Pass);
        world.seconds(320);
    }
    // and one that registers several times at each start.
    world.answers("NAS", Answer::Refused);
    world.seconds(40);
    (0..5).for_each(|_| world.register("NAS", &USUAL));
    world.answers("NAS", Answer::Pass);
    world.seconds(60);
    assert_eq!((world.mails(), world.state("NAS")), (vec![], State::Healthy));
}

#[test]
fn who_is_worse_or_paused_is_not_told_so() {
    let mut world = house();
    world.answers("NAS", Answer::Fail);
    world.seconds(120);
    for _ in 0..4 {
        world.register("NAS", &USUAL);
        world.seconds(60);
    }
    assert_eq!(
        (world.mails(), world.state("NAS")),
        (vec!["NAS UNHEALTHY".to_owned()], State::Unhealthy)
    );
    let mut world = house();
    world.answers("NAS", Answer::Refused);
    for _ in 0..2 {
        world.register("NAS", &USUAL);
        world.seconds(31);
    }
    world.engine.pause(world.now, "NAS").unwrap();
    world.register("NAS", &USUAL);
    world.seconds(31);
    assert!(world.inbox.is_empty(), "{:?}", world.mails());
}

#[test]
fn who_is_worse_and_passes_between_is_told_when_a_quiet_time_is_over() {
    let mut world = house();
    world.quiet_for("NAS", 1200);
    world.answers("NAS", Answer::Refused);
    world.seconds(120);
    assert_eq!(world.state("NAS"), State::Unhealthy);
    (0..12).for_each(|_| lives_for_a_minute(&mut world));
    assert_eq!(
        (world.mails(), world.state("NAS")),
        (vec!["NAS UNHEALTHY".to_owned()], State::Unhealthy)
    );
    let letter = super::clock::letter(&world, 0);
    assert!(letter.contains("it registered 3 times within 10 min"), "{letter}");
    world.answers("NAS", Answer::Pass);
    world.seconds(400);
    assert_eq!(world.mails(), ["NAS UNHEALTHY", "NAS HEALTHY"]);
}

#[test]
fn who_starts_again_and_again_waits_for_nobody_who_may_be_silent_with_it() {
    let mut world = World::new();
    world.register("NAS", &[("interval", "120"), ("healthy", "2")]);
    world.register("Kodi", &[("interval", "300"), ("healthy", "2")]);
    world.seconds(1200);
    world.inbox.clear();
    world.one_check("Kodi");
    world.answers("NAS", Answer::Refused);
    for _ in 0..2 {
        world.one_check("NAS");
        world.register("NAS", &[("interval", "120"), ("healthy", "2")]);
    }
    world.one_check("NAS");
    assert_eq!(
        (world.mails().len(), world.state("NAS")),
        (0, State::Unhealthy),
        "it may be several"
    );
    world.register("NAS", &[("interval", "120"), ("healthy", "2")]);
    world.seconds(1);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"]);
    world.seconds(600);
    assert_eq!(world.inbox.len(), 1, "{:?}", world.mails());
}

#[test]
fn a_crash_loop_is_told_since_it_was_found_and_not_since_trouble_of_long_ago() {
    let mut world = house();
    world.answers("NAS", Answer::Fail);
    world.one_check("NAS");
    world.answers("NAS", Answer::Pass);
    world.seconds(7200);
    let begins = world.now.at;
    world.answers("NAS", Answer::Refused);
    for _ in 0..3 {
        world.register("NAS", &USUAL);
        world.seconds(31);
    }
    assert_eq!(world.mails(), ["NAS DEGRADED"]);
    let change = world.inbox[0].1.changes().next().unwrap();
    assert!(change.since.at().unwrap() >= begins, "{change:?}");
}

/// Eight starts of a minute each, and then it lives. The daemon is killed after so many seconds of that.
fn killed_after(kill: u64) -> Vec<String> {
    let mut world = house();
    for second in 0..2_400 {
        if second == kill {
            world.restart();
        }
        let (start, within) = (second / 105, second % 105);
        match within {
            0 if start <= 8 => {
                world.register("NAS", &USUAL);
                world.answers("NAS", Answer::Pass);
            }
            60 if start < 8 => world.answers("NAS", Answer::Refused),
            _ => {}
        }
        world.seconds(1);
    }
    world.mails()
}

#[test]
fn killed_at_any_moment_of_a_crash_loop_it_is_told_once_and_so_is_its_end() {
    // An odd time, so that it falls before, on and after what is due.
    for kill in (0..2_000).step_by(17) {
        assert_eq!(killed_after(kill), ["NAS DEGRADED", "NAS HEALTHY"], "killed after {kill} s");
    }
}
