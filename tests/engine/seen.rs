//! What a household shows of itself: its past, over restarts, and a check that a person asks for.

use super::world::{Answer, World};
use healthchecker::engine::core::CommandError;
use healthchecker::engine::query::summary::PORTION;
use healthchecker::engine::registry::{App, RegistryError};

#[test]
fn a_check_that_is_asked_for_comes_at_once_and_moves_no_other() {
    let mut world = World::new();
    world.register("NAS", &[("interval", "60")]);
    world.seconds(200);
    world.checks.clear();
    world.engine.check(world.now, "NAS").unwrap();
    let asked_at = world.now.at.as_millis();
    world.act();
    world.seconds(130);
    let times: Vec<u64> = world.checks.iter().map(|(at, _)| *at).collect();
    assert_eq!(times[0], asked_at);
    let gaps: Vec<u64> = times[1..].windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(!gaps.is_empty() && gaps.iter().all(|gap| *gap == 60_000), "{times:?}");
}

#[test]
fn an_app_that_is_being_asked_is_not_asked_twice_and_a_paused_one_not_at_all() {
    let mut world = World::new();
    world.register("NAS", &[("interval", "60")]);
    world.seconds(100);
    world.answers("NAS", Answer::Hang);
    world.checks.clear();
    for _ in 0..3 {
        world.engine.check(world.now, "NAS").unwrap();
        world.act();
    }
    assert_eq!(world.checks.len(), 1);
    world.pause("NAS");
    let refused = world.engine.check(world.now, "NAS");
    assert_eq!(refused, Err(CommandError::Paused("NAS".to_owned())));
    let refused = world.engine.check(world.now, "TV");
    assert_eq!(refused, Err(CommandError::Registry(RegistryError::UnknownApp("TV".to_owned()))));
}

#[test]
fn days_are_remembered_over_orderly_stops_and_power_cuts() {
    let mut world = World::new();
    world.register("NAS", &[("interval", "300")]);
    for day in 0..30 {
        let answer = if day == 27 { Answer::Fail } else { Answer::Pass };
        world.answers("NAS", answer);
        world.seconds(24 * 3600);
        match day % 3 {
            0 => world.orderly_stop(),
            1 => world.restart(),
            _ => {}
        }
    }
    let portrait = world.engine.view().portrait(world.now, "NAS").unwrap();
    let days: Vec<_> = portrait.closeup.days.all().collect();
    assert_eq!(days.len(), 31, "the first and the last are halves");
    // A power cut takes what came after the last hourly record.
    let checks: u32 = days.iter().map(|day| u32::from(day.checks)).sum();
    assert!((30 * 288 - 10 * 13..=30 * 288 + 1).contains(&checks), "{checks} checks");
    let failures: u32 = days.iter().map(|day| u32::from(day.failures)).sum();
    assert!((275..=289).contains(&failures), "{failures} failures");
    let [(7, Some(week)), (30, Some(month)), (90, Some(season))] = portrait.closeup.uptimes else {
        panic!("{:?}", portrait.closeup.uptimes);
    };
    assert!(week < month && month <= season && season < 1.0);
}

#[test]
fn portions_show_every_app_once() {
    let mut world = World::new();
    for number in 0..2 * PORTION + 1 {
        world.register(&format!("app{number:03}"), &[("interval", "300")]);
    }
    let (mut names, mut after, mut portions) = (Vec::new(), None::<String>, 0);
    loop {
        let view = world.engine.view();
        let look = |id, app: &App| view.summary(id, app, world.now).name;
        let portion = view.portion(after.as_deref(), look);
        names.extend(portion.apps);
        portions += 1;
        after = portion.more_after;
        if after.is_none() {
            break;
        }
    }
    let expected: Vec<String> = (0..2 * PORTION + 1).map(|n| format!("app{n:03}")).collect();
    assert_eq!((names, portions), (expected, 3));
}

#[test]
fn lateness_and_outcomes_are_counted() {
    let mut world = World::with_workers(1);
    world.register("hung", &[("interval", "30")]);
    world.register("NAS", &[("interval", "30")]);
    world.answers("hung", Answer::Hang);
    world.seconds(600);
    let numbers = world.engine.view().numbers(world.now);
    let lateness = numbers.lateness;
    assert!(lateness.total() >= 38, "{lateness:?}");
    let prompt = lateness.up_to().find(|(bound, _)| *bound == 20).unwrap().1;
    assert!(prompt < lateness.total(), "with one thread, some wait for the one that hangs");
    let view = world.engine.view();
    let apps = view.portion(None, |id, app| view.app_numbers(id, app, world.now)).apps;
    assert_eq!(apps[0].name, "NAS");
    assert!(apps[0].checks[0] > 15 && apps[0].checks[2] == 0);
    assert_eq!(apps[0].latencies.total(), apps[0].checks[0]);
    assert!(apps[1].checks[2] > 10 && apps[1].latencies.total() == 0);
}
