//! Laptops and TVs, which may be off or away: silence is no alarm, and all else is as for others.

use std::time::Duration;

use super::clock::letter;
use super::world::{Answer, World};
use healthchecker::engine::core::Registered;
use healthchecker::engine::query::view::AppView;
use healthchecker::engine::state::State;

const TV: [(&str, &str); 4] =
    [("interval", "30"), ("unhealthy", "2"), ("healthy", "2"), ("may_be_off", "true")];

/// Before the power went, and after it came back.
const A_WHILE: Duration = Duration::from_secs(300);

/// A TV that is well, and `inbox` empty.
fn watching() -> World {
    let mut world = World::new();
    world.register("TV", &TV);
    world.seconds(120);
    assert_eq!(world.state("TV"), State::Healthy);
    world.inbox.clear();
    world
}

fn seen(world: &World) -> AppView {
    world.engine.view().info(world.now, "TV").unwrap().app
}

#[test]
fn a_night_off_tells_nobody_and_is_no_downtime() {
    let mut world = watching();
    let checks = seen(&world).checks;
    world.answers("TV", Answer::Hang);
    world.seconds(100);
    assert_eq!(world.state("TV"), State::Unknown);
    let reason =
        world.engine.view().closeups(world.now, &["TV".to_owned()])[0].summary.reason.clone();
    assert!(reason.starts_with("off or away: "), "{reason}");
    world.seconds(8 * 3600);
    world.answers("TV", Answer::Pass);
    world.seconds(120);
    assert_eq!(world.state("TV"), State::Healthy);
    assert_eq!(world.mails(), [] as [&str; 0]);
    let tv = seen(&world);
    assert_eq!((tv.failures, tv.uptime_24h), (0, Some(1.0)));
    assert!(tv.checks < checks + 8, "silence is no check: {}", tv.checks);
}

#[test]
fn who_is_off_is_not_looked_for() {
    let mut world = watching();
    world.register("NAS", &TV[..3]);
    world.seconds(120);
    world.answers("TV", Answer::Hang);
    world.seconds(100);
    assert_eq!(world.state("TV"), State::Unknown);
    assert!(!world.looks.is_empty(), "it may have been us");
    world.looks.clear();
    world.seconds(8 * 3600);
    assert_eq!(world.looks, [], "nothing hangs on it");
    // Well again, it is looked for again when it falls silent.
    world.answers("TV", Answer::Pass);
    world.seconds(120);
    world.answers("TV", Answer::Hang);
    world.seconds(60);
    assert!(!world.looks.is_empty());
}

#[test]
fn one_that_is_on_and_does_not_work_is_told() {
    for answer in [Answer::Refused, Answer::Fail] {
        let mut world = watching();
        // It went to bed, and came back ill.
        world.answers("TV", Answer::Hang);
        world.seconds(600);
        world.answers("TV", answer);
        world.seconds(120);
        assert_eq!(
            (world.state("TV"), world.mails()),
            (State::Unhealthy, vec!["TV UNHEALTHY".to_owned()])
        );
    }
}

#[test]
fn trouble_that_was_told_has_its_end_after_a_night_off() {
    let mut world = watching();
    world.answers("TV", Answer::Fail);
    world.seconds(120);
    assert_eq!(world.mails(), ["TV UNHEALTHY"]);
    world.answers("TV", Answer::Hang);
    world.seconds(4 * 3600);
    assert_eq!((world.state("TV"), world.mails().len()), (State::Unknown, 1));
    world.restart();
    world.seconds(600);
    assert_eq!((world.state("TV"), world.mails().len()), (State::Unknown, 1));
    // Ill as it was: they know that.
    world.answers("TV", Answer::Fail);
    world.seconds(120);
    assert_eq!((world.state("TV"), world.mails().len()), (State::Unhealthy, 1));
    world.answers("TV", Answer::Pass);
    world.seconds(120);
    assert_eq!(world.mails(), ["TV UNHEALTHY", "TV HEALTHY"]);
    assert!(letter(&world, 1).contains("TV is HEALTHY again after 4 h"), "{}", letter(&world, 1));
}

#[test]
fn a_restart_within_a_row_of_silence_changes_nothing() {
    let mut world = watching();
    world.register("TV", &[("interval", "30"), ("unhealthy", "3"), ("healthy", "2")]);
    world.answers("TV", Answer::Hang);
    while seen(&world).last_check.is_none_or(|check| check.http_status.is_some()) {
        world.seconds(1);
    }
    world.seconds(31);
    assert_eq!(world.state("TV"), State::Healthy, "two of three");
    world.restart();
    world.seconds(40);
    assert_eq!(world.state("TV"), State::Unknown);
}

#[test]
fn what_its_owner_said_of_it_outlives_its_own_registrations() {
    let mut world = watching();
    let says = |world: &World| {
        let shown = serde_json::to_value(seen(world)).unwrap();
        shown["may_be_off"].as_bool().unwrap()
    };
    let plain = &TV[..3];
    for (fields, expected) in [
        (plain, true),
        (&[plain, &[("may_be_off", "")]].concat(), false),
        (plain, false),
        (&TV, true),
        (&[plain, &[("may_be_off", "off")]].concat(), false),
    ] {
        world.register("TV", fields);
        assert_eq!(says(&world), expected, "{fields:?}");
        world.restart();
        assert_eq!(says(&world), expected, "after a restart");
    }
}

#[test]
fn after_a_power_cut_nobody_waits_for_it() {
    let mut world = watching();
    world.register("NAS", &TV[..3]);
    world.seconds(120);
    world.inbox.clear();
    world.answers("TV", Answer::Hang);
    world.answers("NAS", Answer::Hang);
    world.power_cut(A_WHILE);
    world.seconds(120);
    world.answers("NAS", Answer::Pass);
    world.seconds(60);
    assert_eq!((world.state("NAS"), world.state("TV")), (State::Healthy, State::Unknown));
    // It starts, and refuses at first: not its fault, as long as things settle.
    world.answers("NAS", Answer::Hang);
    world.power_cut(A_WHILE);
    world.answers("TV", Answer::Refused);
    world.seconds(300);
    world.answers("TV", Answer::Pass);
    world.answers("NAS", Answer::Pass);
    world.seconds(300);
    assert_eq!((world.state("NAS"), world.state("TV")), (State::Healthy, State::Healthy));
    assert_eq!(world.mails(), [] as [&str; 0]);
}

#[test]
fn who_says_what_is_so_already_changes_nothing() {
    let mut world = World::new();
    world.register("NAS", &TV[..3]);
    let no = [&TV[..3], &[("may_be_off", "false")]].concat();
    for fields in [&no, &TV[..3], &no] {
        let again = world.try_register("NAS", fields);
        assert_eq!(again, Ok(Registered::Unchanged), "{fields:?}");
    }
    assert_eq!(world.try_register("NAS", &TV), Ok(Registered::Updated));
    assert_eq!(world.try_register("NAS", &TV[..3]), Ok(Registered::Unchanged));
}

/// A TV that may be off and a NAS at the same host, which are well, and `inbox` empty.
fn with_nas() -> World {
    let mut world = watching();
    let nas = [&TV[..3], &[("url", "http://tv:8080/")]].concat();
    world.register("NAS", &nas);
    world.seconds(120);
    world.inbox.clear();
    world
}

#[test]
fn who_may_be_off_is_not_told_as_silent_with_others() {
    let mut world = with_nas();
    world.register("TV", &[("interval", "300"), ("unhealthy", "2"), ("healthy", "2")]);
    world.seconds(700);
    // It refuses as it goes down, then it is gone, and so is the other.
    for answer in [Answer::Refused, Answer::Hang] {
        world.answers("TV", answer);
        world.one_check("TV");
    }
    world.answers("tv:8080", Answer::Hang);
    world.seconds(250);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"]);
    world.seconds(300);
    assert_eq!((world.state("TV"), world.mails().len()), (State::Unknown, 1));
}

#[test]
fn trouble_that_goes_off_before_it_is_told_is_none() {
    let mut world = watching();
    world.register("NAS", &[("interval", "300"), ("unhealthy", "2"), ("healthy", "2")]);
    world.seconds(700);
    // Nobody has asked the other when it is to be told.
    world.one_check("NAS");
    world.inbox.clear();
    world.answers("TV", Answer::Refused);
    while world.state("TV") != State::Unhealthy {
        world.seconds(1);
    }
    assert_eq!(world.mails(), [] as [&str; 0], "others may come");
    world.answers("TV", Answer::Hang);
    world.seconds(600);
    assert_eq!((world.state("TV"), world.mails()), (State::Unknown, Vec::new()));
}

#[test]
fn nobody_waits_for_what_is_off() {
    let mut world = watching();
    world.answers("TV", Answer::Hang);
    world.register("NAS", &[("interval", "5"), ("unhealthy", "2"), ("healthy", "2")]);
    world.seconds(120);
    world.inbox.clear();
    world.answers("NAS", Answer::Hang);
    while world.state("NAS") != State::Unhealthy {
        world.seconds(1);
    }
    world.seconds(1);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"], "it is alone");
}

#[test]
fn one_at_a_public_address_may_be_off_as_any_other() {
    let mut world = World::new();
    world.register("TV", &[&TV[..], &[("url", "http://tv.example/")]].concat());
    world.seconds(120);
    world.inbox.clear();
    world.answers("tv.example", Answer::Hang);
    world.seconds(3600);
    assert_eq!(world.state("TV"), State::Unknown);
    assert_eq!(world.mails(), [] as [&str; 0]);
}
