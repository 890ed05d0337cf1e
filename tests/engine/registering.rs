//! Apps that register again and again: none is forgiven for ever, and none escapes its checks.

use std::time::Duration;

use super::world::{Answer, World};
use healthchecker::engine::time::Wall;

fn gaps(world: &World) -> Vec<u64> {
    world.checks.windows(2).map(|pair| pair[1].0 - pair[0].0).collect()
}

fn failures(world: &World, name: &str) -> u64 {
    world.engine.view().info(world.now, name).unwrap().app.failures
}

#[test]
fn an_app_that_registers_all_day_and_refuses_is_told() {
    for every in [1, 20, 29, 30] {
        let mut world = World::new();
        world.register("NAS", &[("interval", "30"), ("healthy", "2")]);
        world.seconds(120);
        world.answers("NAS", Answer::Refused);
        for _ in 0..3_600 / every {
            world.seconds(every);
            world.register_again("NAS");
        }
        assert_eq!(world.state("NAS").word(), "UNHEALTHY", "registered every {every} s");
        // Before that it may be a crash loop.
        let mut mails = world.mails();
        mails.retain(|mail| mail != "NAS DEGRADED");
        assert_eq!(mails, ["watching NAS", "NAS UNHEALTHY"]);
        assert!(failures(&world, "NAS") >= 115, "one interval was forgiven, and no more");
    }
}

#[test]
fn an_app_that_refuses_at_another_port_after_each_crash_is_told() {
    let mut world = World::new();
    world.register("NAS", &[("interval", "10"), ("unhealthy", "2"), ("healthy", "2")]);
    world.seconds(120);
    world.answers("NAS", Answer::Refused);
    for port in 40_000..40_060 {
        let url = format!("http://nas/{port}");
        world.register("NAS", &[("url", &url), ("interval", "10"), ("unhealthy", "2")]);
        world.seconds(20);
    }
    assert!(failures(&world, "NAS") >= 100, "{}", failures(&world, "NAS"));
    assert_eq!(world.mails(), ["watching NAS", "NAS UNHEALTHY"]);
}

#[test]
fn an_app_that_starts_at_another_address_has_its_time() {
    let mut world = World::new();
    world.register("NAS", &[("interval", "10")]);
    for port in 40_000..40_020 {
        world.seconds(120);
        world.answers("NAS", Answer::Refused);
        let before = failures(&world, "NAS");
        let url = format!("http://nas/{port}");
        world.register("NAS", &[("url", &url), ("interval", "10")]);
        world.one_check("NAS");
        assert_eq!(failures(&world, "NAS"), before);
        world.answers("NAS", Answer::Pass);
    }
}

#[test]
fn each_start_of_an_app_has_its_time() {
    let mut world = World::new();
    world.register("NAS", &[("interval", "5"), ("healthy", "2")]);
    for _ in 0..20 {
        world.seconds(120);
        world.answers("NAS", Answer::Refused);
        world.register_again("NAS");
        world.one_check("NAS");
        world.answers("NAS", Answer::Pass);
    }
    assert_eq!(failures(&world, "NAS"), 0);
}

#[test]
fn the_time_that_an_app_has_to_start_outlives_a_power_cut() {
    let mut world = World::new();
    world.answers("NAS", Answer::Refused);
    world.register("NAS", &[("interval", "300")]);
    let registered = world.now.at;
    world.seconds(2);
    world.restart();
    while failures(&world, "NAS") == 0 {
        world.seconds(1);
    }
    assert!(world.now.at.since(registered) > Duration::from_secs(300), "the first that counts");

    // And a streak that has had its time does not get it anew.
    world.restart();
    world.register_again("NAS");
    world.seconds(600);
    assert_eq!(failures(&world, "NAS"), 3, "the one on record, and each since the restart");
}

#[test]
fn an_app_that_is_well_and_registers_again_costs_the_disk_nothing() {
    let mut world = World::new();
    world.register("NAS", &[("interval", "30"), ("healthy", "2")]);
    world.seconds(120);
    world.journal.clear();
    for _ in 0..60 {
        world.register_again("NAS");
        world.seconds(10);
    }
    assert_eq!(world.journal.len(), 0, "records");
}

#[test]
fn a_streak_of_refusals_costs_the_disk_little() {
    let mut world = World::new();
    world.register("NAS", &[("interval", "30"), ("unhealthy", "2"), ("healthy", "2")]);
    world.seconds(120);
    world.answers("NAS", Answer::Refused);
    world.seconds(120);
    let before = world.journal.len();
    for _ in 0..600 {
        world.register_again("NAS");
        world.seconds(1);
    }
    let written = world.journal.len() - before;
    assert!(written <= 10, "{written} records for an app that registers every second");
}

#[test]
fn another_interval_does_not_postpone_the_first_check() {
    let mut world = World::new();
    let registered = world.now.at.as_millis();
    for number in 0..40 {
        // So that the least busy moment is not this one.
        world.register(&format!("app{number}"), &[]);
    }
    world.register("NAS", &[("interval", "30")]);
    world.register("NAS", &[("interval", "300")]);
    world.seconds(2);
    let asked = world.checks.iter().find(|(_, app)| app == "nas").map(|(at, _)| at - registered);
    assert!(asked.is_some_and(|after| after <= 1_000), "{asked:?}");
}

#[test]
fn an_app_that_registers_with_two_intervals_by_turns_is_asked() {
    for (intervals, longest) in [(["299", "300"], 300_000), (["5", "300"], 300_000)] {
        for every in [1, 60, 149] {
            let mut world = World::new();
            for number in 0..3_600 / every {
                world.register("NAS", &[("interval", intervals[number as usize % 2])]);
                world.seconds(every);
            }
            let gaps = gaps(&world);
            assert!(gaps.iter().all(|gap| *gap <= longest), "{intervals:?} {every} s: {gaps:?}");
            assert!(gaps.len() >= 11, "{intervals:?} every {every} s: {gaps:?}");
        }
    }
}

#[test]
fn an_app_that_registers_at_two_addresses_by_turns_is_asked() {
    let mut world = World::new();
    for number in 0..40 {
        world.register(&format!("app{number}"), &[]);
    }
    world.checks.clear();
    for number in 0..600 {
        world.register("NAS", &[("url", ["http://nas/", "http://nas2/"][number % 2])]);
        world.pass(Duration::from_millis(100));
    }
    let asked = world.checks.iter().filter(|(_, app)| app.starts_with("nas")).count();
    assert!(asked >= 60, "asked {asked} times in a minute");
}

#[test]
fn a_restart_with_a_wrong_clock_forgives_nobody_anew_and_leaves_the_rest_of_its_time() {
    // In 1970, or an hour behind, as fake-hwclock leaves it.
    for shows in [130_000, 1_795_474_540_000 + 3_600_000] {
        for (registered_ago, counted) in [(7_200, 1), (2, 0)] {
            let mut world = World::new();
            world.seconds(7_200);
            world.register("NAS", &[("interval", "30"), ("healthy", "2")]);
            world.seconds(registered_ago);
            world.answers("NAS", Answer::Refused);
            world.restart_at(Wall::from_unix_millis(shows));
            let before = failures(&world, "NAS");
            world.one_check("NAS");
            assert_eq!(failures(&world, "NAS") - before, counted, "{registered_ago} s ago");
        }
    }
}
