//! Apps that hang beside apps that answer: those that answer as quickly as they used to keep their
//! interval, however the others behave; those that hang share what is left, by turns. Who suddenly
//! takes more than twice as long cannot be told from those at once, and waits with them once.

use std::collections::HashMap;
use std::ops::Range;

use proptest::prelude::*;

use super::cases::cases;
use super::world::{Answer, World};
use healthchecker::engine::log_event::LogEvent;

/// How an app may answer, and how its people registered it.
#[derive(Clone, Copy, Debug)]
struct Kind {
    answers: Answer,
    /// The longest that it takes (ms).
    takes: u64,
    interval: u64,
    timeout: u64,
}

fn name(number: usize) -> String {
    format!("app{number}")
}

fn register(world: &mut World, number: usize, kind: Kind) {
    let (interval, timeout) = (kind.interval.to_string(), kind.timeout.to_string());
    let fields = [("interval", &*interval), ("timeout", &*timeout), ("healthy", "2")];
    world.answers(&name(number), kind.answers);
    world.register(&name(number), &fields);
}

fn gaps(world: &World) -> HashMap<&str, u64> {
    let mut last: HashMap<&str, u64> = HashMap::new();
    let mut longest: HashMap<&str, u64> = HashMap::new();
    for (at, app) in &world.checks {
        let before = last.insert(app, *at).unwrap_or(*at);
        let gap = longest.entry(app).or_default();
        *gap = (*gap).max(at - before);
    }
    for (app, at) in last {
        let gap = longest.entry(app).or_default();
        *gap = (*gap).max(world.now.at.as_millis() - at);
    }
    longest
}

/// The first apps answer as they are told, the others are well and then hang all at once.
fn half_begin_to_hang(answering: &[Kind], hanging: &[Kind], seconds: u64) -> World {
    let mut world = World::new();
    let count = answering.len();
    for (number, kind) in answering.iter().enumerate() {
        register(&mut world, number, *kind);
    }
    for (number, kind) in hanging.iter().enumerate() {
        register(&mut world, count + number, *kind);
    }
    world.seconds(120);
    world.checks.clear();
    for number in count..count + hanging.len() {
        world.answers(&name(number), Answer::Hang);
    }
    world.seconds(seconds);
    world
}

fn assert_kept_their_interval(world: &World, answering: &[Kind]) {
    let gaps = gaps(world);
    for (number, kind) in answering.iter().enumerate() {
        let gap = gaps[&*name(number)];
        let most = kind.interval * 1_050 + kind.takes;
        assert!(gap <= most, "app{number}: a gap of {gap} ms, {kind:?}");
        let info = world.engine.view().info(world.now, &name(number)).unwrap().app;
        assert_eq!((info.state.word(), info.failures), ("HEALTHY", 0));
    }
}

fn slow(ms: u64, interval: u64, timeout: u64) -> Kind {
    Kind { answers: Answer::Slow(ms), takes: ms, interval, timeout }
}

fn erratic(least: u64, most: u64, interval: u64, timeout: u64) -> Kind {
    Kind { answers: Answer::Between(least, most), ..slow(most, interval, timeout) }
}

#[test]
fn fifty_that_hang_delay_none_of_fifty_that_answer() {
    for timeout in [5, 20, 60] {
        for kind in [slow(5, 5, 5), slow(600, 5, 5), erratic(0, 900, 5, 5)] {
            let answering = [kind; 50];
            let world = half_begin_to_hang(&answering, &[slow(5, 5, timeout); 50], 400);
            assert_kept_their_interval(&world, &answering);
        }
    }
}

#[test]
fn one_slow_answer_sends_nobody_behind_those_that_hang() {
    let answering = [slow(5, 30, 60)];
    let mut world = half_begin_to_hang(&answering, &[slow(5, 30, 60); 60], 300);
    for _ in 0..10 {
        world.answers("app0", Answer::Slow(600));
        world.one_check("app0");
        world.answers("app0", Answer::Pass);
        world.seconds(200);
    }
    let gap = gaps(&world)["app0"];
    assert!(gap <= 31_500 + 600, "a gap of {gap} ms");
}

#[test]
fn an_app_that_becomes_slow_while_many_begin_to_hang_gets_a_verdict() {
    let mut world = half_begin_to_hang(&[slow(5, 5, 60)], &[slow(5, 5, 60); 60], 0);
    world.answers("app0", Answer::Slow(1_700));
    world.checks.clear();
    for _ in 0..20 {
        let before = world.engine.view().info(world.now, "app0").unwrap().app.checks;
        world.seconds(70);
        let info = world.engine.view().info(world.now, "app0").unwrap().app;
        assert!(info.checks > before, "no verdict for 70 s");
        assert_eq!(info.failures, 0);
    }
    assert!(gaps(&world)["app0"] <= 5_250 + 1_700);
}

#[test]
fn what_cannot_be_in_time_is_late_by_turns_and_said() {
    let mut world = half_begin_to_hang(&[slow(5, 30, 5); 5], &[slow(5, 30, 20); 300], 600);
    assert_kept_their_interval(&world, &[slow(5, 30, 5); 5]);
    // 300 apps, 20 s each, 26 threads.
    let turn = 231_000;
    world.checks.clear();
    world.seconds(1_200);
    let gaps = gaps(&world);
    let of_hung: Vec<u64> = (5..305).map(|number| gaps[&*name(number)]).collect();
    let most = of_hung.iter().max().unwrap();
    assert!(*most <= turn + 60_000, "a gap of {most} ms");
    let asked = |number: usize| world.checks.iter().filter(|(_, app)| *app == name(number)).count();
    assert!((5..305).all(|number| (5..=6).contains(&asked(number))), "by turns");

    let said = |world: &World, wanted: fn(&LogEvent) -> bool| {
        world.notes.iter().filter(|note| wanted(note)).count()
    };
    let few = |note: &LogEvent| matches!(note, LogEvent::TooFewThreads { .. });
    let health = world.engine.view().health(world.now, world.now.at, Vec::new());
    assert!(health.checks.waiting > 200 && health.checks.trouble.len() == 1, "{health:?}");
    assert!(world.engine.view().numbers(world.now).checks_late > 100);
    assert_eq!(said(&world, few), 1, "once");

    for number in 5..305 {
        world.answers(&name(number), Answer::Pass);
    }
    world.seconds(600);
    let health = world.engine.view().health(world.now, world.now.at, Vec::new());
    assert_eq!((health.checks.waiting, health.checks.trouble.len()), (0, 0));
    assert_eq!(said(&world, |note| *note == LogEvent::ThreadsEnough), 1);
    assert_eq!(said(&world, few), 1);
}

#[test]
fn newcomers_that_hang_delay_nobody_and_are_asked_within_seconds() {
    let answering = [slow(600, 5, 5); 40];
    let mut world = half_begin_to_hang(&answering, &[], 60);
    world.checks.clear();
    for number in 40..340 {
        register(&mut world, number, Kind { answers: Answer::Hang, ..slow(0, 30, 60) });
    }
    world.seconds(60);
    assert_kept_their_interval(&world, &answering);
    let asked = gaps(&world).len();
    assert_eq!(asked, 340, "each was asked");
}

/// What people and apps do while a check hangs, and starts another one where nobody counts.
#[test]
fn an_app_is_asked_once_at_a_time_whatever_is_done_to_it() {
    let pause_and_resume = |world: &mut World| {
        world.pause("NAS");
        world.seconds(1);
        world.resume("NAS");
    };
    let stop_and_register = |world: &mut World| {
        world.stop("NAS");
        world.register_again("NAS");
    };
    let away_and_back = |world: &mut World| {
        world.register("NAS", &[("url", "http://elsewhere/"), ("timeout", "60")]);
        world.register("NAS", &[("timeout", "60"), ("interval", "30")]);
    };
    let all = [
        ("pause and resume", pause_and_resume as fn(&mut World)),
        ("stop and register", stop_and_register),
        ("away and back", away_and_back),
    ];
    for (what, act) in all {
        let mut world = World::new();
        world.answers("NAS", Answer::Hang);
        world.answers("elsewhere", Answer::Hang);
        world.register("NAS", &[("timeout", "60"), ("interval", "30")]);
        for _ in 0..100 {
            world.seconds(2);
            act(&mut world);
        }
        assert_eq!(world.most_at_once, 1, "{what}");
        let asked = world.checks.iter().filter(|(_, app)| app == "nas").count();
        assert!((3..=5).contains(&asked), "{what}: asked {asked} times in 200 to 300 s");

        // What was begun before does not count, and what follows does.
        world.answers("NAS", Answer::Pass);
        let before = world.now.at.as_millis();
        world.seconds(62);
        let next = world.checks.iter().find(|(at, app)| *at > before && app == "nas");
        assert!(next.is_some_and(|(at, _)| at - before <= 60_000), "{what}: {next:?}");
        let info = world.engine.view().info(world.now, "NAS").unwrap().app;
        assert_eq!((info.failures, info.checks > 0), (0, true), "{what}");
    }
}

/// They hang, recover and hang again for 300 s, each in its own rhythm.
fn hang_by_turns(world: &mut World, numbers: Range<usize>, seed: u64) {
    let mut chance = seed | 1;
    for _ in 0..60 {
        for number in numbers.clone() {
            chance = chance.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
            let answer = match chance >> 60 {
                0..=2 => Answer::Pass,
                3 => Answer::Slow(900),
                4 => Answer::Hang,
                _ => continue,
            };
            world.answers(&name(number), answer);
        }
        world.seconds(5);
    }
}

/// It is broken off, for that is how one looks that begins to hang, and waits its turn among those.
#[test]
fn an_app_that_takes_over_twice_its_usual_among_many_that_hang_is_a_little_late_and_not_blamed() {
    let mut answering = [slow(4_000, 5, 5); 8];
    answering[0] = slow(450, 30, 5);
    for seed in [1, 3, 5] {
        let mut world = half_begin_to_hang(&answering, &[slow(5, 5, 60); 79], 0);
        world.answers("app0", Answer::Slow(1_400));
        hang_by_turns(&mut world, 8..87, seed);
        let gap = gaps(&world)["app0"];
        assert!(gap > 31_500 + 1_400, "it was not broken off: this shows nothing");
        assert!(gap < 60_000, "a gap of {gap} ms");
        let info = world.engine.view().info(world.now, "app0").unwrap().app;
        assert_eq!((info.state.word(), info.failures), ("HEALTHY", 0));
        assert!((1..8).all(|number| gaps(&world)[&*name(number)] <= 5_250 + 4_000));
    }
}

/// Apps that answer, and take no more than twice what they took before: together they need no more
/// than a third of the threads.
fn answering() -> impl Strategy<Value = Vec<Kind>> {
    let one = (prop::sample::select(vec![5, 300, 600, 1_500, 4_000]), any::<bool>());
    let one = (one, prop::sample::select(vec![5, 12, 30, 60]));
    prop::collection::vec(one, 1..60).prop_map(|all| {
        let mut load = 0;
        let all = all.into_iter().map(|((ms, steady), interval)| {
            if steady { slow(ms, interval, 5) } else { erratic(ms / 2, ms, interval, 5) }
        });
        all.filter(|kind| {
            load += kind.takes * 1_000 / (kind.interval * 1_000);
            load <= 8_000
        })
        .collect()
    })
}

proptest! {
    #![proptest_config(cases(24))]

    #[test]
    fn those_that_answer_keep_their_interval_whatever_the_others_do(
        answering in answering(),
        others in 0..80usize,
        timeout in prop::sample::select(vec![5u64, 20, 60]),
        interval in prop::sample::select(vec![5u64, 30]),
        seed in any::<u64>(),
    ) {
        let mut world = half_begin_to_hang(&answering, &vec![slow(5, interval, timeout); others], 0);
        hang_by_turns(&mut world, answering.len()..answering.len() + others, seed);
        assert_kept_their_interval(&world, &answering);
    }
}
