//! We stood still in the middle of checks: what came too late for us is not blamed on the apps.

use std::time::Duration;

use super::world::{Answer, World};
use healthchecker::engine::log_event::LogEvent;

const QUICK: [(&str, &str); 4] =
    [("interval", "5"), ("timeout", "5"), ("unhealthy", "2"), ("healthy", "2")];

fn watched(answer: Answer) -> World {
    let mut world = World::new();
    world.register("NAS", &QUICK);
    world.seconds(30);
    world.answers("NAS", answer);
    world.checks.clear();
    world
}

/// Lets a check begin, and the loop stand still in the middle of it.
fn stand_still(world: &mut World, span: Duration) {
    let before = world.checks.len();
    while world.checks.len() == before {
        world.pass(Duration::from_millis(100));
    }
    world.engine.handle_standstill(world.now, span, span);
}

fn failures(world: &World) -> u64 {
    world.engine.view().info(world.now, "NAS").unwrap().app.failures
}

fn void(world: &World) -> usize {
    let still = |note: &&LogEvent| matches!(note, LogEvent::Undecided { reason, .. } if reason.contains("stood still"));
    world.notes.iter().filter(still).count()
}

#[test]
fn a_check_during_which_the_loop_stood_still_is_void_and_made_again_at_once() {
    let mut world = watched(Answer::Hang);
    stand_still(&mut world, Duration::from_millis(1_001));
    world.answers("NAS", Answer::Pass);
    let begun = world.checks.last().unwrap().0;
    world.seconds(20);
    assert_eq!((failures(&world), void(&world)), (0, 1));
    assert_eq!(world.checks[1].0 - begun, 5_000, "when the first had ended");
    assert_eq!(world.state("NAS").word(), "HEALTHY");
}

#[test]
fn what_is_usual_under_load_is_no_standstill() {
    let mut world = watched(Answer::Hang);
    stand_still(&mut world, Duration::from_secs(1));
    world.seconds(6);
    assert_eq!((failures(&world), void(&world)), (1, 0));
}

#[test]
fn a_check_whose_thread_stood_still_is_void() {
    let mut world = watched(Answer::Overslept(1_001));
    world.seconds(20);
    assert_eq!(failures(&world), 0);
    assert!(void(&world) >= 2);
    let mut world = watched(Answer::Overslept(900));
    world.seconds(20);
    assert!(failures(&world) >= 2);
}

#[test]
fn an_answer_is_one_however_late_we_were() {
    let mut world = watched(Answer::Slow(3_000));
    let passed =
        |world: &World| world.engine.view().info(world.now, "NAS").unwrap().app.passed_in_a_row;
    let before = passed(&world);
    stand_still(&mut world, Duration::from_secs(60));
    world.seconds(4);
    assert_eq!((passed(&world) - before, void(&world)), (1, 0));
}

#[test]
fn a_machine_that_always_stands_still_hides_no_app_that_is_down() {
    let mut world = watched(Answer::Overslept(2_000));
    world.seconds(300);
    assert_eq!(world.state("NAS").word(), "UNHEALTHY");
}

#[test]
fn an_app_that_answers_in_between_is_no_app_that_is_down() {
    let mut world = watched(Answer::Pass);
    for _ in 0..20 {
        world.answers("NAS", Answer::Slow(3_000));
        stand_still(&mut world, Duration::from_secs(4));
        world.seconds(4);
        world.answers("NAS", Answer::Hang);
        stand_still(&mut world, Duration::from_secs(4));
        world.answers("NAS", Answer::Slow(3_000));
        world.pass(Duration::from_millis(5_050));
        world.engine.handle_standstill(world.now, Duration::from_secs(4), Duration::from_secs(4));
        world.seconds(3);
    }
    assert_eq!((failures(&world), void(&world)), (0, 20));
}
