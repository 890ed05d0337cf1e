//! Before an app is blamed for a silence, others are looked at: it may be us.

use std::time::Duration;

use super::world::{Answer, World};
use healthchecker::engine::log_event::LogEvent;
use healthchecker::engine::outbox::letter;
use healthchecker::engine::state::State;
use healthchecker::engine::surroundings::look::Sight;
use healthchecker::engine::verdict::answer::Outcome;

const HOUSE: [&str; 3] = ["NAS", "Kodi", "Heating"];

/// Three apps on hosts of their own, asked every minute, well; and nobody has mail.
fn house(apps: &[&str], gateway: Sight) -> World {
    let mut world = World::new();
    world.gateway = gateway;
    for name in apps {
        world.register(name, &[("interval", "60"), ("healthy", "2")]);
    }
    world.seconds(300);
    world.inbox.clear();
    world.looks.clear();
    world
}

fn failures(world: &World, name: &str) -> u64 {
    world.engine.view().info(world.now, name).unwrap().app.failures
}

fn is_hidden(world: &World, name: &str) -> bool {
    let app = world.engine.view().info(world.now, name).unwrap().app;
    app.state == State::Unknown && app.not_visible_since.is_some()
}

fn network_is_down(world: &World) -> bool {
    world.engine.view().numbers(world.now).network_is_down
}

/// Lets time pass until an app has failed, and a look is under way.
fn until_a_look(world: &mut World) {
    let before = world.looks.len();
    while world.looks.len() == before {
        world.pass(Duration::from_millis(10));
    }
}

#[test]
fn while_all_is_well_nobody_is_looked_at_nor_for_what_is_no_silence() {
    let mut world = house(&HOUSE, Sight::Answers);
    world.woken_to_look = 0;
    world.seconds(3600);
    assert_eq!(world.woken_to_look, 0);
    world.answers("NAS", Answer::Fail);
    world.answers("Kodi", Answer::Refused);
    world.seconds(3600);
    assert_eq!((world.looks.len(), world.woken_to_look), (0, 0));
    assert_eq!((world.state("NAS"), world.state("Kodi")), (State::Unhealthy, State::Unhealthy));
    world.answers("Heating", Answer::Hang);
    world.seconds(3600);
    let (looks, woken) = (world.looks.len(), world.woken_to_look);
    assert!(looks > 0);
    world.seconds(3600);
    assert_eq!((world.looks.len(), world.woken_to_look), (looks, woken), "it is judged");
}

#[test]
fn a_lone_silence_is_blamed_as_soon_as_another_is_seen() {
    let mut world = house(&HOUSE, Sight::Answers);
    world.answers("NAS", Answer::Hang);
    world.seconds(300);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"]);
    let (_, mail) = &world.inbox[0];
    let unhealthy = world.engine.view().info(world.now, "NAS").unwrap().app.since;
    assert_eq!(mail.changes().next().unwrap().at.wall(), unhealthy, "the time of the check");
    let asked: Vec<&str> = world.looks[0].1.iter().map(String::as_str).collect();
    assert_eq!(asked, ["nas", "heating", "kodi", "gateway"]);
    assert_eq!(world.looks.len(), 2, "one for each failure that mattered");
    let sent = world.inbox[0].0 - world.looks[1].0;
    assert!(sent <= 2, "{sent} ms after it was looked at");
}

#[test]
fn when_nothing_answers_nobody_is_blamed_and_then_each_has_its_time() {
    for gateway in [Sight::Answers, Sight::Nothing, Sight::Undecided] {
        let mut world = house(&HOUSE, gateway);
        world.deaf = true;
        world.seconds(200);
        for name in HOUSE {
            assert_eq!(failures(&world, name), 0, "{gateway:?}");
            assert!(is_hidden(&world, name));
        }
        assert!(world.notes.contains(&LogEvent::Away { what: "nothing on the network answers" }));
        world.seconds(300);
        world.answers("NAS", Answer::Hang);
        world.deaf = false;
        world.seconds(120);
        assert!(!network_is_down(&world));
        assert_eq!(world.state("Kodi"), State::Healthy);
        assert_eq!(world.state("NAS"), State::Unknown, "it may need its time");
        world.seconds(600);
        assert_eq!(world.mails(), ["2/3 well, not NAS"]);
    }
}

#[test]
fn all_apps_are_blamed_where_the_gateway_answers() {
    let mut world = house(&HOUSE, Sight::Answers);
    HOUSE.iter().for_each(|name| world.answers(name, Answer::Hang));
    world.seconds(300);
    assert!(HOUSE.iter().all(|name| world.state(name) == State::Unhealthy));
    assert_eq!(world.inbox.len(), 1, "in one mail");
    assert!(!network_is_down(&world));
}

#[test]
fn where_there_is_nobody_to_ask_the_app_is_blamed_at_once() {
    for gateway in [Sight::Undecided, Sight::Nothing] {
        let mut world = house(&["NAS"], gateway);
        world.answers("NAS", Answer::Hang);
        world.seconds(200);
        assert_eq!(world.mails(), ["NAS UNHEALTHY"], "{gateway:?}");
    }
    // Two apps on one host, and one that was ill before: none of them can tell.
    let mut world = house(&[], Sight::Undecided);
    for (name, url) in [("NAS", "http://box:1/"), ("Kodi", "http://box:2/"), ("Old", "http://old/")]
    {
        world.register(name, &[("interval", "60"), ("healthy", "2"), ("url", url)]);
    }
    world.answers("old", Answer::Fail);
    world.seconds(300);
    world.inbox.clear();
    for host in ["box:1", "box:2", "box", "old"] {
        world.answers(host, Answer::Hang);
    }
    world.seconds(200);
    assert_eq!(world.mails(), ["NAS, Kodi silent"]);
}

#[test]
fn the_gateway_that_answered_once_is_known_after_a_restart() {
    let mut world = house(&["NAS"], Sight::Answers);
    world.answers("NAS", Answer::Hang);
    until_a_look(&mut world);
    world.answers("NAS", Answer::Pass);
    world.seconds(300);
    world.restart();
    world.seconds(120);
    world.deaf = true;
    world.seconds(300);
    assert_eq!(world.mails(), [] as [&str; 0], "its silence tells that it is us");
    assert!(network_is_down(&world));
}

#[test]
fn a_look_that_nobody_reports_lets_the_failure_count_after_a_minute() {
    let mut world = house(&HOUSE, Sight::Answers);
    HOUSE.iter().for_each(|name| world.answers(name, Answer::Hang));
    world.looks_are_lost = true;
    until_a_look(&mut world);
    let name = HOUSE.iter().find(|name| {
        let mut notes = world.notes.iter().rev();
        let looks = |note: &&LogEvent| matches!(note, LogEvent::LooksAround { .. });
        matches!(notes.find(looks), Some(LogEvent::LooksAround { app }) if app == **name)
    });
    let name = *name.unwrap();
    let began = world.now;
    world.seconds(59);
    assert_eq!(failures(&world, name), 0);
    world.seconds(1);
    assert_eq!(failures(&world, name), 1);
    let last = world.engine.view().info(world.now, name).unwrap().app.last_check.unwrap();
    let late = last.time.since(began.wall);
    assert!(late < Duration::from_secs(1), "the time of the check: {late:?} later");
    world.seconds(240);
    let told = world.mails().concat();
    assert!(HOUSE.iter().all(|name| told.contains(name)), "nobody is hidden by that: {told}");
}

#[test]
fn another_app_that_passes_answers_too_and_so_does_a_registration() {
    let mut world = house(&HOUSE, Sight::Answers);
    world.answers("NAS", Answer::Hang);
    world.looks_are_lost = true;
    until_a_look(&mut world);
    assert_eq!(failures(&world, "NAS"), 0);
    world.one_check("Kodi");
    assert_eq!(failures(&world, "NAS"), 1);
    until_a_look(&mut world);
    world.register_again("Heating");
    assert_eq!(failures(&world, "NAS"), 2);
}

#[test]
fn what_waits_is_dropped_when_the_app_is_paused_or_stopped_and_forgotten_at_another_address() {
    for what in 0..3 {
        let mut world = house(&HOUSE, Sight::Answers);
        world.answers("NAS", Answer::Hang);
        world.looks_are_lost = true;
        until_a_look(&mut world);
        world.notes.clear();
        match what {
            0 => world.pause("NAS"),
            1 => world.stop("NAS"),
            _ => world.register("NAS", &[("url", "http://other/"), ("interval", "60")]),
        }
        world.one_check("Kodi");
        world.seconds(70);
        let fails = |note: &LogEvent| matches!(note, LogEvent::Checked { app, outcome, .. } if app == "NAS" && *outcome == Outcome::Fail);
        // Who registers over the network shows that it lives.
        assert_eq!(world.notes.iter().any(fails), what == 2, "{what}");
        if what == 2 {
            let app = world.engine.view().info(world.now, "NAS").unwrap().app;
            assert_eq!((app.failed_in_a_row, app.state), (0, State::Unknown));
        }
    }
}

#[test]
fn a_link_that_is_back_is_seen_though_nobody_answers() {
    let mut world = house(&["NAS"], Sight::Undecided);
    world.cut_off = true;
    world.seconds(300);
    assert!(network_is_down(&world));
    world.answers("NAS", Answer::Hang);
    world.cut_off = false;
    world.seconds(60);
    assert!(!network_is_down(&world));
    world.seconds(900);
    assert_eq!(world.mails(), ["0/1 well, not NAS"]);
}

#[test]
fn what_is_seen_while_we_stand_still_proves_nothing() {
    let mut world = house(&HOUSE, Sight::Answers);
    world.answers("NAS", Answer::Hang);
    world.deaf = true;
    until_a_look(&mut world);
    let still = Duration::from_millis(1_500);
    world.engine.handle_standstill(world.now, still, still);
    world.deaf = false;
    world.seconds(10);
    assert!(!network_is_down(&world));
    assert_eq!(failures(&world, "NAS"), 1, "looked at anew");
}

#[test]
fn a_crash_while_a_verdict_waits_loses_no_more_than_that() {
    let mut world = house(&HOUSE, Sight::Answers);
    world.answers("NAS", Answer::Hang);
    world.looks_are_lost = true;
    until_a_look(&mut world);
    world.restart();
    world.looks_are_lost = false;
    world.seconds(300);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"]);
}

#[test]
fn killed_at_any_moment_while_verdicts_wait_each_is_told_once_and_so_is_its_end() {
    // Looks are reported or not; nobody else is seen, or the others answer.
    for lost in [false, true] {
        for at in (0..28).map(|n| n * 11 + 2) {
            let mut world = house(&HOUSE, Sight::Answers);
            world.answers("NAS", Answer::Hang);
            world.looks_are_lost = lost;
            world.seconds(at);
            world.restart();
            world.seconds(900);
            assert_eq!(world.mails(), ["NAS UNHEALTHY"], "killed after {at} s, {lost}");
            world.answers("NAS", Answer::Pass);
            world.seconds(at.min(130));
            world.restart();
            world.seconds(900);
            let told = ["NAS UNHEALTHY", "NAS HEALTHY"];
            assert_eq!(world.mails(), told, "killed after {at} s, {lost}");
        }
    }
}

#[test]
fn killed_at_any_moment_of_a_short_outage_nobody_is_told() {
    for at in (0..24).map(|n| n * 7 + 2) {
        let mut world = house(&HOUSE, Sight::Answers);
        world.deaf = true;
        world.seconds(at.min(100));
        let is_over = at >= 100;
        world.deaf = !is_over;
        world.seconds(at - at.min(100));
        world.restart();
        world.seconds(100 - at.min(100));
        world.deaf = false;
        world.seconds(1800);
        assert_eq!(world.mails(), [] as [&str; 0], "killed after {at} s");
        assert!(HOUSE.iter().all(|name| world.state(name) == State::Healthy));
    }
}

#[test]
fn an_outage_found_by_a_look_is_told_of_as_one_of_the_network() {
    let mut world = house(&HOUSE, Sight::Answers);
    world.deaf = true;
    world.seconds(300);
    world.restart();
    world.seconds(70);
    assert_eq!(world.mails(), [] as [&str; 0], "things were settling");
    world.deaf = false;
    world.answers("NAS", Answer::Hang);
    world.seconds(900);
    assert_eq!(world.mails(), ["2/3 well, not NAS"]);
    let subject = letter::write(&world.inbox[0].1, world.now.at, world.engine.zone(), None).subject;
    assert_eq!(subject, "[HealthChecker] After our network came back: 2 of 3 are well, not NAS");
}

#[test]
fn a_clock_that_is_set_while_a_verdict_waits_puts_its_time_right() {
    let mut world = house(&HOUSE, Sight::Answers);
    world.answers("NAS", Answer::Hang);
    world.looks_are_lost = true;
    until_a_look(&mut world);
    let hour = 3_600_000;
    let wall = world.now.wall.as_unix_millis() + hour;
    world.set_clock(healthchecker::engine::time::Wall::from_unix_millis(wall));
    let set = world.now;
    world.one_check("Kodi");
    let last = world.engine.view().info(world.now, "NAS").unwrap().app.last_check.unwrap();
    let before = set.wall.since(last.time);
    assert!(before < Duration::from_secs(1), "{before:?}");
}
