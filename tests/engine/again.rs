//! Who was told with others and fails again, or comes to them late: everybody is told of trouble, and of its
//! end, once.

use super::lives;
use super::world::{Answer, Mood, World};
use healthchecker::engine::outbox::notice::Notice;
use healthchecker::engine::recipients::Recipients;
use healthchecker::engine::state::State;

const APPS: [&str; 3] = ["NAS", "Kodi", "Wiki"];

fn register(world: &mut World, name: &str, more: &[(&str, &str)]) {
    let port = 8001 + APPS.iter().position(|known| *known == name).unwrap_or(APPS.len());
    let url = format!("http://{}:{port}/", host_of(name));
    let usual = [("url", url.as_str()), ("healthy", "2"), ("unhealthy", "3")];
    let usual = usual.iter().filter(|(field, _)| more.iter().all(|(known, _)| known != field));
    let fields: Vec<(&str, &str)> = usual.chain(more).copied().collect();
    world.register(name, &fields);
}

/// Three are on one host, any other is on its own.
fn host_of(name: &str) -> String {
    if APPS.contains(&name) { "192.168.1.20".to_owned() } else { name.to_lowercase() }
}

fn answer(world: &mut World, names: &[&str], answer: Answer) {
    for name in names {
        let port = 8001 + APPS.iter().position(|known| known == name).unwrap_or(APPS.len());
        world.answers(&format!("{}:{port}", host_of(name)), answer);
    }
}

/// Three apps on one host, another one beside them; all are well, and nobody has mail.
fn house(more: &[(&str, &str)]) -> World {
    let mut world = World::new();
    APPS.iter().chain([&"Heating"]).for_each(|name| register(&mut world, name, more));
    world.seconds(300);
    world.inbox.clear();
    world
}

/// The host dies, and all three are told; NAS is well again, and the others are not.
fn nas_is_back(world: &mut World) {
    answer(world, &APPS, Answer::Hang);
    world.seconds(120);
    assert_eq!(world.inbox.len(), 1, "{:?}", world.mails());
    answer(world, &["NAS"], Answer::Pass);
    world.seconds(300);
    assert_eq!(world.inbox.len(), 1, "{:?}", world.mails());
}

#[test]
fn who_stumbles_before_the_others_are_back_is_owed_its_end_still() {
    for kill in [false, true] {
        let mut world = house(&[]);
        nas_is_back(&mut world);
        // Not long enough for anybody to be told.
        answer(&mut world, &["NAS"], Answer::Fail);
        while world.state("NAS") != State::Degraded {
            world.seconds(1);
        }
        answer(&mut world, &["NAS"], Answer::Pass);
        if kill {
            world.restart();
        }
        world.seconds(300);
        answer(&mut world, &APPS, Answer::Pass);
        world.seconds(900);
        let known = lives::told(&world, 0);
        assert_eq!(known.len(), 3);
        assert!(known.values().all(|state| state == "HEALTHY"), "{:?}", world.mails());
        assert_eq!(world.inbox.len(), 3, "{:?}", world.mails());
        let end = world.letter(1).subject;
        // After a start it is asked a little sooner: apps find their rounds anew.
        let minutes = if kill { 6 } else { 7 };
        assert_eq!(end, format!("[HealthChecker] NAS is HEALTHY again after {minutes} min"));
        answer(&mut world, &["NAS"], Answer::Fail);
        world.seconds(300);
        assert_eq!(world.mails()[3..], ["NAS keeps failing"]);
    }
}

#[test]
fn who_fails_again_before_the_others_are_back_has_two_mails_of_its_own() {
    let mut world = house(&[]);
    nas_is_back(&mut world);
    answer(&mut world, &["NAS"], Answer::Fail);
    world.seconds(300);
    assert_eq!(world.mails()[1..], ["NAS keeps failing"], "in another way");
    answer(&mut world, &["NAS"], Answer::Pass);
    world.seconds(300);
    answer(&mut world, &APPS, Answer::Pass);
    world.seconds(300);
    assert!(world.letter(2).subject.contains("2 apps are HEALTHY again"));
    world.seconds(2 * 3600);
    assert_eq!(world.letter(3).subject, "[HealthChecker] NAS is HEALTHY again after 4 min");
    assert_eq!(world.inbox.len(), 4, "{:?}", world.mails());
}

#[test]
fn who_was_told_as_degraded_and_comes_late_to_a_dead_host_is_told_as_unhealthy() {
    for kill in [false, true] {
        let mut world = house(&[]);
        register(&mut world, "Wiki", &[("interval", "300")]);
        world.seconds(900);
        answer(&mut world, &["Wiki"], Answer::Warn);
        world.seconds(1200);
        assert_eq!(world.mails(), ["Wiki DEGRADED"]);
        world.one_check("Wiki");
        answer(&mut world, &APPS, Answer::Hang);
        world.seconds(180);
        assert_eq!(world.inbox.len(), 2, "{:?}", world.mails());
        world.seconds(900);
        if kill {
            world.restart();
        }
        world.seconds(1800);
        assert_eq!(world.state("Wiki"), State::Unhealthy);
        let known = lives::told(&world, 0);
        assert!(known.values().all(|state| state == "UNHEALTHY"), "{:?}", world.mails());
    }
}

#[test]
fn who_was_told_as_degraded_and_is_paused_before_more_is_told_is_not_told_of() {
    let mut world = house(&[]);
    register(&mut world, "Slow", &[("interval", "300")]);
    world.seconds(900);
    world.inbox.clear();
    world.one_check("Slow");
    answer(&mut world, &["NAS"], Answer::Warn);
    world.seconds(100);
    assert_eq!(world.mails(), ["NAS DEGRADED"]);
    answer(&mut world, &["NAS"], Answer::Hang);
    while world.state("NAS") != State::Unhealthy {
        world.seconds(1);
    }
    assert_eq!(world.inbox.len(), 1, "it may be more than this one");
    world.pause("NAS");
    world.seconds(3600);
    assert_eq!(world.inbox.len(), 1, "{:?}", world.mails());
}

#[test]
fn nobody_waits_for_one_that_may_be_off() {
    for kill in [false, true] {
        let mut world = house(&[]);
        answer(&mut world, &APPS, Answer::Hang);
        world.seconds(120);
        register(&mut world, "Wiki", &[("may_be_off", "true")]);
        if kill {
            world.restart();
        }
        answer(&mut world, &["NAS", "Kodi"], Answer::Pass);
        world.seconds(3600);
        assert_eq!(world.state("Wiki"), State::Unknown);
        assert_eq!(world.inbox.len(), 2, "{:?}", world.mails());
        assert!(world.letter(1).subject.contains("2 apps are HEALTHY again"));
        answer(&mut world, &["Wiki"], Answer::Pass);
        world.seconds(300);
        assert_eq!(world.mails()[2..], ["Wiki back"], "its end is owed still");
    }
}

#[test]
fn who_was_told_as_degraded_and_passes_on_a_dead_host_is_told_its_end_at_once() {
    let mut world = house(&[]);
    register(&mut world, "Wiki", &[("interval", "240"), ("unhealthy", "2")]);
    world.seconds(900);
    answer(&mut world, &["Wiki"], Answer::Warn);
    world.seconds(1200);
    world.one_check("Wiki");
    answer(&mut world, &APPS, Answer::Hang);
    while world.state("Wiki") != State::Unhealthy {
        world.seconds(10);
    }
    assert_eq!(world.inbox.len(), 2, "it came later: {:?}", world.mails());
    answer(&mut world, &["Wiki"], Answer::Pass);
    world.one_check("Wiki");
    world.one_check("Wiki");
    world.seconds(1);
    assert_eq!(world.mails()[2..], ["Wiki HEALTHY"], "the others are down still");
}

#[test]
fn who_comes_late_and_has_nobody_to_be_told_is_told_when_it_names_somebody() {
    let mine = [("interval", "200"), ("email", "me@here.net")];
    let mut world = house(&mine[1..]);
    register(&mut world, "Wiki", &mine);
    world.seconds(900);
    world.one_check("Wiki");
    answer(&mut world, &APPS, Answer::Hang);
    while world.state("Wiki") != State::Unhealthy {
        world.seconds(10);
    }
    assert_eq!(world.inbox.len(), 1, "it came later: {:?}", world.mails());
    world.recipients = Recipients::new(Vec::new(), &["*@example.org".to_owned()]);
    world.restart();
    world.seconds(1800);
    assert_eq!(world.inbox.len(), 1, "nobody may be told: {:?}", world.mails());
    register(&mut world, "Wiki", &mine[..1]);
    world.seconds(1800);
    assert_eq!(world.mails()[1..], ["Wiki UNHEALTHY"]);
}

#[test]
fn who_was_well_a_while_ago_and_is_silent_with_others_has_not_been_so_since_then() {
    let mut world = house(&[]);
    register(&mut world, "Wiki", &[("interval", "200")]);
    answer(&mut world, &["Wiki"], Answer::Fail);
    world.seconds(900);
    answer(&mut world, &["Wiki"], Answer::Pass);
    while world.inbox.len() < 2 {
        world.one_check("Wiki");
        world.seconds(1);
    }
    assert_eq!(world.mails(), ["Wiki UNHEALTHY", "Wiki HEALTHY"]);
    world.seconds(120);
    answer(&mut world, &APPS, Answer::Hang);
    while world.inbox.len() < 3 {
        world.seconds(1);
    }
    assert!(world.letter(2).subject.contains("1 more does not answer"));
    answer(&mut world, &["NAS", "Kodi"], Answer::Pass);
    world.seconds(150);
    assert_eq!(world.inbox.len(), 3, "Wiki is silent still: {:?}", world.mails());
    answer(&mut world, &["Wiki"], Answer::Pass);
    world.seconds(600);
    let end = world.letter(3).subject;
    let minutes = end.strip_prefix("[HealthChecker] 3 apps are HEALTHY again after ").unwrap();
    let minutes: u32 = minutes.strip_suffix(" min").unwrap().parse().unwrap();
    assert!(minutes < 9, "{end}");
}

#[test]
fn who_passes_once_before_it_is_told_is_told_since_it_is_unhealthy() {
    let mut world = house(&[]);
    register(&mut world, "Wiki", &[("interval", "200"), ("unhealthy", "2")]);
    world.seconds(900);
    world.inbox.clear();
    world.one_check("Wiki");
    answer(&mut world, &APPS, Answer::Hang);
    while world.state("Wiki") != State::Unhealthy {
        world.seconds(1);
    }
    assert_eq!(world.inbox.len(), 1, "it came later: {:?}", world.mails());
    answer(&mut world, &["Wiki"], Answer::Pass);
    world.one_check("Wiki");
    answer(&mut world, &APPS, Answer::Refused);
    while world.inbox.len() < 2 {
        world.seconds(1);
    }
    assert_eq!(world.mails()[1..], ["Wiki UNHEALTHY"]);
    let Some(Notice::Change(change)) = world.inbox[1].1.notices.first() else { panic!() };
    assert_eq!(change.since, change.at);
}

#[test]
fn what_is_passed_on_of_an_outage_is_what_is_unhealthy() {
    let mut world = house(&[]);
    register(&mut world, "NAS", &[("email", "me@here.net,owner@example.org")]);
    register(&mut world, "Wiki", &[("email", "me@here.net"), ("interval", "60")]);
    world.seconds(300);
    world.inbox.clear();
    world.mood = Mood::Away;
    answer(&mut world, &["NAS", "Wiki"], Answer::Hang);
    while world.waiting_for_each().len() < 2 {
        world.seconds(1);
    }
    world.mood = Mood::Accepts;
    let default = vec!["owner@example.org".to_owned()];
    world.recipients = Recipients::new(default, &["*@example.org".to_owned()]);
    world.restart();
    world.seconds(60);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"], "nobody is told of that one yet");
    world.seconds(1800);
    let told = world.letter(1).subject;
    assert_eq!(told, "[HealthChecker] Wiki on 192.168.1.20 is UNHEALTHY, too");
}

/// So many apps are named in a mail.
const APPS_MAX: usize = 200;

#[test]
fn so_many_that_one_mail_does_not_name_them_all_are_told_by_what_is_unhealthy() {
    let mut world = World::new();
    let names: Vec<String> = (0..=APPS_MAX).map(|number| format!("App {number}")).collect();
    for (number, name) in names.iter().enumerate() {
        let url = format!("http://192.168.1.20:{}/", 8000 + number);
        let interval = if number == APPS_MAX { "60" } else { "30" };
        world.register(name, &[("url", &url), ("interval", interval)]);
    }
    world.seconds(300);
    world.inbox.clear();
    for number in 0..=APPS_MAX {
        world.answers(&format!("192.168.1.20:{}", 8000 + number), Answer::Hang);
    }
    while world.inbox.is_empty() {
        world.seconds(1);
    }
    world.seconds(1);
    let subjects = (0..world.inbox.len()).map(|number| world.letter(number).subject);
    let subjects: Vec<String> = subjects.collect();
    assert_eq!(subjects.len(), 1, "{subjects:?}");
}

#[test]
fn who_fails_again_after_the_end_of_all_counts_from_then() {
    let mut world = house(&[]);
    answer(&mut world, &APPS, Answer::Hang);
    world.seconds(3600);
    answer(&mut world, &APPS, Answer::Pass);
    world.seconds(300);
    assert_eq!(world.inbox.len(), 2, "{:?}", world.mails());
    answer(&mut world, &["NAS"], Answer::Fail);
    world.seconds(300);
    answer(&mut world, &["NAS"], Answer::Pass);
    world.seconds(2 * 3600 + 300);
    let end = world.letter(3).subject;
    assert_eq!(end, "[HealthChecker] NAS is HEALTHY again after 5 min");
}
