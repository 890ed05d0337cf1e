//! Many apps: the load is spread, intervals hold, and those that hang delay nobody.

use std::collections::{HashMap, HashSet};
use std::time::Duration;

use super::world::{Answer, World};

fn crowd(count: usize, interval: &str) -> World {
    let mut world = World::new();
    for number in 0..count {
        world.register(&format!("app{number}"), &[("interval", interval), ("timeout", "5")]);
    }
    world
}

fn starts_by_app(world: &World) -> HashMap<&str, Vec<u64>> {
    let mut starts: HashMap<&str, Vec<u64>> = HashMap::new();
    for (at, app) in &world.checks {
        starts.entry(app).or_default().push(*at);
    }
    starts
}

#[test]
fn a_hundred_apps_are_checked_on_time_in_rounds_that_are_spread() {
    let mut world = crowd(100, "5");
    world.seconds(10);
    world.checks.clear();
    world.seconds(60);
    for (app, starts) in starts_by_app(&world) {
        assert!(starts.windows(2).all(|pair| pair[1] - pair[0] == 5000), "{app}: {starts:?}");
        assert_eq!(starts.len(), 12, "{app}");
    }
    let at: Vec<u64> = world.checks.iter().map(|(at, _)| *at).collect();
    // Half as long again as is promised: rounds that are made a little late do not run into each other.
    let most =
        at.iter().map(|from| at.iter().filter(|t| (*from..from + 150).contains(t)).count()).max();
    assert!(most <= Some(10), "{most:?} checks within 150 ms");
    let wakes: HashSet<u64> = at.into_iter().collect();
    assert!(wakes.len() <= 11 * 12, "{} moments in a minute: they do not go together", wakes.len());
}

#[test]
fn a_small_household_wakes_the_machine_a_few_times_a_minute() {
    let mut world = crowd(20, "30");
    world.seconds(60);
    world.checks.clear();
    world.seconds(60);
    let wakes: HashSet<u64> = world.checks.iter().map(|(at, _)| *at).collect();
    assert_eq!(world.checks.len(), 40);
    assert!(wakes.len() <= 6, "{wakes:?}");
}

#[test]
fn after_a_restart_apps_find_their_rounds_anew_and_none_is_asked_late() {
    let mut world = crowd(100, "5");
    world.seconds(30);
    world.restart();
    world.checks.clear();
    world.seconds(60);
    let phases = |checks: &[(u64, String)]| -> HashSet<u64> {
        checks.iter().map(|(at, _)| at % 5_000).collect()
    };
    let (first, later) = world.checks.split_at(100);
    assert_eq!((phases(first).len(), phases(&later[200..]).len()), (100, 10));
    for (app, starts) in starts_by_app(&world) {
        assert!(starts.windows(2).all(|pair| pair[1] - pair[0] <= 5_000), "{app}: {starts:?}");
    }
}

#[test]
fn who_is_slow_has_a_moment_of_its_own_and_finds_a_round_when_it_is_quick_again() {
    let mut world = crowd(10, "30");
    let shared = |world: &mut World, name: &str| {
        world.checks.clear();
        world.seconds(30);
        let at = world.checks.iter().find(|(_, app)| app == name).unwrap().0;
        world.checks.iter().filter(|(other, _)| *other == at).count()
    };
    world.seconds(120);
    let together = shared(&mut world, "app3");
    assert!(together >= 5, "{together}");
    world.answers("app3", Answer::Slow(1_500));
    world.seconds(120);
    assert_eq!(shared(&mut world, "app3"), 1);
    world.answers("app3", Answer::Pass);
    world.seconds(3_600);
    let together = shared(&mut world, "app3");
    assert!(together > 1);
    // One that is down keeps its place.
    world.answers("app3", Answer::Fail);
    world.seconds(3_600);
    assert_eq!(shared(&mut world, "app3"), together);
}

#[test]
fn the_first_check_comes_within_a_second_and_the_second_within_an_interval() {
    let mut world = crowd(50, "30");
    let registered = world.now.at.as_millis();
    world.seconds(100);
    for (app, starts) in starts_by_app(&world) {
        assert!(starts[0] - registered <= 1_000, "{app}");
        assert!((15_000..=30_000).contains(&(starts[1] - starts[0])), "{app}");
        assert_eq!(starts[2] - starts[1], 30_000, "{app}");
    }
}

#[test]
fn half_of_the_apps_hang_at_once_and_the_others_keep_their_interval() {
    let mut world = crowd(100, "5");
    world.seconds(30);
    world.checks.clear();
    for number in 0..50 {
        world.answers(&format!("app{number}"), Answer::Hang);
    }
    let broke = world.now.at;
    let mut last_found = 0;
    for second in 1..=120 {
        world.seconds(1);
        let found = (0..50).all(|n| world.state(&format!("app{n}")).word() == "UNHEALTHY");
        if found && last_found == 0 {
            last_found = second;
        }
    }
    assert!((1..=30).contains(&last_found), "all found after {last_found} s");
    for (app, starts) in starts_by_app(&world) {
        let number: usize = app.trim_start_matches("app").parse().unwrap();
        let gap = starts.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap();
        if number >= 50 {
            assert!(gap <= 5_250, "{app}: a gap of {gap} ms after {broke:?}");
        }
    }
}

#[test]
fn slow_apps_are_not_failed_for_a_short_timeout() {
    let mut world = World::with_workers(4);
    for number in 0..12 {
        let name = format!("app{number}");
        world.register(&name, &[("interval", "30"), ("healthy", "2")]);
        world.answers(&name, Answer::Slow(1_500));
    }
    world.seconds(300);
    for number in 0..12 {
        let info = world.engine.view().info(world.now, &format!("app{number}")).unwrap();
        assert_eq!((info.app.state.word(), info.app.failures), ("HEALTHY", 0));
    }
}

#[test]
fn a_check_that_falls_due_while_one_runs_is_skipped() {
    let mut world = World::new();
    world.register("NAS", &[("interval", "5"), ("timeout", "60")]);
    world.answers("NAS", Answer::Hang);
    world.seconds(121);
    let gaps: Vec<u64> = world.checks.windows(2).map(|pair| pair[1].0 - pair[0].0).collect();
    assert!(gaps.iter().all(|gap| *gap >= 60_000), "never two at once: {gaps:?}");
}

#[test]
fn after_a_long_sleep_the_rhythm_goes_on_without_a_burst() {
    let mut world = World::new();
    world.register("NAS", &[("interval", "5")]);
    world.seconds(20);
    let phase = world.checks.last().unwrap().0 % 5_000;
    world.checks.clear();
    world.now.at = world.now.at + Duration::from_secs(3_600);
    world.seconds(20);
    let starts: Vec<u64> = world.checks.iter().map(|(at, _)| *at).collect();
    assert!(starts.len() <= 5, "{starts:?}");
    assert!(starts[1..].iter().all(|at| at % 5_000 == phase), "{starts:?}");
}

/// Twice `unhealthy * interval + timeout` is promised: 30 s.
#[test]
fn fifty_that_hang_are_found_with_seconds_to_spare_whenever_in_their_interval_they_begin() {
    for phase in 0..10 {
        let mut world = crowd(100, "5");
        world.seconds(30);
        world.pass(Duration::from_millis(phase * 500));
        for number in 0..50 {
            world.answers(&format!("app{number}"), Answer::Hang);
        }
        world.seconds(26);
        let found = |number: &usize| world.state(&format!("app{number}")).word() == "UNHEALTHY";
        assert_eq!((0..50).filter(found).count(), 50, "of those that hang, phase {phase}");
        assert!((50..100).all(|number| !found(&number)), "none else, phase {phase}");
    }
}
