//! A host that comes and goes, by a bad link: now one of its apps is silent, now another.

use std::time::Duration;

use super::world::{Answer, World};
use healthchecker::engine::time::Wall;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const APPS: [&str; 4] = ["NAS", "Kodi", "Photos", "Wiki"];

fn address(name: &str) -> String {
    let place = APPS.iter().position(|known| *known == name);
    place.map_or("192.168.1.30".to_owned(), |place| format!("192.168.1.20:{}", 8000 + place))
}

fn answer(world: &mut World, names: &[&str], answer: Answer) {
    names.iter().for_each(|name| world.answers(&address(name), answer));
}

/// Four apps on one host, one beside it; all are well, and nobody has mail.
fn house() -> World {
    let mut world = World::new();
    for name in APPS.iter().chain([&"Heating"]) {
        let url = format!("http://{}/", address(name));
        world.register(name, &[("url", url.as_str()), ("healthy", "2")]);
    }
    world.seconds(300);
    world.inbox.clear();
    world
}

/// These are silent for so long, and then well.
fn silent(world: &mut World, names: &[&str], minutes: u64, well_minutes: u64) {
    answer(world, names, Answer::Hang);
    world.seconds(minutes * MINUTE);
    answer(world, names, Answer::Pass);
    world.seconds(well_minutes * MINUTE);
}

const ALARM: [&str; 2] = ["NAS UNHEALTHY", "NAS HEALTHY"];

/// NAS was silent and told, and so was Kodi then.
fn flaky() -> World {
    let mut world = house();
    silent(&mut world, &["NAS"], 3, 10);
    assert_eq!(world.mails(), ALARM);
    silent(&mut world, &["Kodi"], 3, 10);
    assert_eq!(world.inbox.len(), 3, "{:?}", world.mails());
    world
}

#[test]
fn whoever_it_hits_it_is_told_once_and_its_end_when_all_stay_well() {
    let mut world = flaky();
    let letter = world.letter(2);
    assert_eq!(letter.subject, "[HealthChecker] Kodi on 192.168.1.20 is UNHEALTHY");
    let promise = "Some of them, or others on their host, were HEALTHY only shortly before.";
    assert!(letter.text.contains(promise), "{}", letter.text);
    for _ in 0..3 {
        silent(&mut world, &["Photos"], 5, 5);
        silent(&mut world, &["NAS", "Wiki"], 5, 5);
        silent(&mut world, &["Kodi"], 20, 5);
    }
    assert_eq!(world.inbox.len(), 3, "{:?}", world.mails());
    world.seconds(5 * HOUR + 50 * MINUTE);
    assert_eq!(world.inbox.len(), 3, "it failed often: {:?}", world.mails());
    world.seconds(10 * MINUTE);
    assert_eq!(world.mails()[3..], ["Kodi back"]);
    world.seconds(24 * HOUR);
    silent(&mut world, &["NAS"], 3, 10);
    assert_eq!(world.mails()[4..], ALARM, "the first for a while");
}

#[test]
fn who_stays_silent_there_is_told_a_quarter_of_an_hour_later() {
    let mut world = flaky();
    answer(&mut world, &["Photos"], Answer::Hang);
    world.seconds(14 * MINUTE);
    assert_eq!(world.inbox.len(), 3, "{:?}", world.mails());
    world.seconds(2 * MINUTE);
    assert_eq!(world.inbox.len(), 4, "{:?}", world.mails());
    let letter = world.letter(3);
    assert_eq!(letter.subject, "[HealthChecker] Photos on 192.168.1.20 is UNHEALTHY, too");
    answer(&mut world, &["Photos"], Answer::Pass);
    world.seconds(7 * HOUR);
    assert_eq!(world.letter(4).subject, "[HealthChecker] 2 apps are HEALTHY again after 28 min");
    assert_eq!(world.inbox.len(), 5, "{:?}", world.mails());
}

#[test]
fn a_dead_process_there_is_told_at_once() {
    let mut world = flaky();
    answer(&mut world, &["Photos"], Answer::Refused);
    world.seconds(2 * MINUTE);
    assert_eq!(world.mails()[3..], ["Photos UNHEALTHY"]);
    answer(&mut world, &["Photos"], Answer::Pass);
    world.seconds(2 * MINUTE);
    assert_eq!(world.mails()[4..], ["Photos HEALTHY"], "it waits for no other");
    answer(&mut world, &["Wiki"], Answer::Fail);
    world.seconds(2 * MINUTE);
    assert_eq!(world.mails()[5..], ["Wiki UNHEALTHY"]);
}

#[test]
fn what_is_elsewhere_or_was_no_silence_makes_no_host_flaky() {
    let mut world = house();
    silent(&mut world, &["Heating"], 3, 10);
    answer(&mut world, &["NAS"], Answer::Fail);
    world.seconds(2 * MINUTE);
    answer(&mut world, &["NAS"], Answer::Pass);
    world.seconds(10 * MINUTE);
    silent(&mut world, &["Kodi"], 3, 10);
    assert_eq!(world.mails()[4..], ["Kodi UNHEALTHY", "Kodi HEALTHY"]);
}

#[test]
fn who_is_silent_again_before_the_others_are_back_is_known_as_that() {
    let mut world = house();
    answer(&mut world, &["NAS", "Kodi"], Answer::Hang);
    world.seconds(3 * MINUTE);
    assert_eq!(world.inbox.len(), 1, "{:?}", world.mails());
    answer(&mut world, &["NAS"], Answer::Pass);
    world.seconds(5 * MINUTE);
    silent(&mut world, &["NAS"], 20, 5);
    assert_eq!(world.inbox.len(), 1, "nobody heard that it was well: {:?}", world.mails());
    // What it answers then is news.
    answer(&mut world, &["NAS"], Answer::Fail);
    world.seconds(2 * MINUTE);
    assert_eq!(world.mails()[1..], ["NAS keeps failing"]);
}

#[test]
fn who_falls_silent_where_others_come_and_go_since_long_belongs_to_them() {
    let mut world = house();
    answer(&mut world, &["NAS", "Kodi"], Answer::Hang);
    world.seconds(3 * MINUTE);
    answer(&mut world, &["NAS"], Answer::Pass);
    world.seconds(90 * MINUTE);
    silent(&mut world, &["NAS"], 5, 90);
    silent(&mut world, &["Photos"], 5, 30);
    assert_eq!(world.inbox.len(), 1, "{:?}", world.mails());
    answer(&mut world, &["Photos"], Answer::Hang);
    world.seconds(20 * MINUTE);
    let letter = world.letter(1);
    assert_eq!(letter.subject, "[HealthChecker] Photos on 192.168.1.20 is UNHEALTHY, too");
    answer(&mut world, &["Photos", "Kodi"], Answer::Pass);
    world.seconds(5 * MINUTE);
    assert!(world.letter(2).subject.contains("3 apps are HEALTHY again"));
    assert_eq!(world.inbox.len(), 3, "{:?}", world.mails());
}

#[test]
fn a_host_is_flaky_as_long_as_one_there_passes_now_and_then() {
    let mut world = house();
    // Never often enough to be well.
    for _ in 0..30 {
        answer(&mut world, &["NAS"], Answer::Hang);
        world.seconds(15 * MINUTE);
        answer(&mut world, &["NAS"], Answer::Pass);
        world.one_check("NAS");
    }
    assert_eq!(world.mails(), ["NAS UNHEALTHY"]);
    answer(&mut world, &["NAS"], Answer::Hang);
    silent(&mut world, &["Kodi"], 5, 10);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"], "it is part of that, seven hours later");
    // It has not passed for two hours.
    world.seconds(2 * HOUR);
    silent(&mut world, &["Kodi"], 5, 10);
    assert_eq!(world.inbox.len(), 3, "{:?}", world.mails());
}

#[test]
fn each_joins_what_its_own_people_were_told_of_the_host() {
    let mut world = house();
    for (name, email) in [("NAS", "anna@example.org"), ("Kodi", "ben@example.org")] {
        let url = format!("http://{}/", address(name));
        world.register(name, &[("url", &url), ("healthy", "2"), ("email", email)]);
    }
    silent(&mut world, &["NAS"], 3, 10);
    silent(&mut world, &["NAS", "Kodi"], 3, 10);
    let of = |world: &World, person: &str| -> Vec<String> {
        world.mails().into_iter().filter(|it| it.starts_with(person)).collect()
    };
    let (anna, ben) = (of(&world, "anna"), of(&world, "ben"));
    assert_eq!((anna.len(), ben.len()), (3, 1), "{:?}", world.mails());
    // Both were told of the host, and Photos is one of those of whom Ben reads.
    let url = format!("http://{}/", address("Photos"));
    let email = "ben@example.org";
    world.register("Photos", &[("url", &url), ("healthy", "2"), ("email", email)]);
    silent(&mut world, &["Photos"], 5, 10);
    assert_eq!(of(&world, "ben"), ben, "it was well again within a quarter of an hour");
    silent(&mut world, &["Photos"], 20, 7 * 60);
    let told = of(&world, "ben").split_off(ben.len());
    assert_eq!(told, ["ben@example.org: Photos silent", "ben@example.org: Kodi, Photos back"]);
}

#[test]
fn who_has_moved_does_not_make_its_new_host_flaky() {
    let mut world = house();
    silent(&mut world, &["NAS"], 3, 10);
    silent(&mut world, &["NAS"], 3, 10);
    assert_eq!(world.inbox.len(), 3, "{:?}", world.mails());
    world.register("NAS", &[("url", "http://192.168.1.30:8000/"), ("healthy", "2")]);
    world.seconds(10 * MINUTE);
    let before = world.inbox.len();
    silent(&mut world, &["Heating"], 3, 10);
    assert_eq!(world.mails()[before..], ["Heating UNHEALTHY", "Heating HEALTHY"]);
}

#[test]
fn who_keeps_failing_and_is_paused_or_stopped_keeps_no_other_from_being_told() {
    for stops in [false, true] {
        let mut world = house();
        silent(&mut world, &["NAS"], 3, 10);
        silent(&mut world, &["NAS"], 3, 10);
        let before = world.inbox.len();
        answer(&mut world, &["Photos"], Answer::Hang);
        world.seconds(5 * MINUTE);
        assert_eq!(world.inbox.len(), before, "{:?}", world.mails());
        if stops {
            world.stop("NAS")
        } else {
            world.pause("NAS")
        }
        world.seconds(12 * MINUTE);
        assert_eq!(world.inbox.len(), before + 1, "{stops}: {:?}", world.mails());
        answer(&mut world, &["Photos"], Answer::Pass);
        world.seconds(7 * HOUR);
        assert_eq!(world.inbox.len(), before + 2, "{stops}: {:?}", world.mails());
    }
}

#[test]
fn who_dies_there_is_told_whatever_happens_while_that_waits() {
    type Meanwhile = fn(&mut World);
    let all: [(&str, Meanwhile); 8] = [
        ("kill", World::restart),
        ("again", |world| world.register_again("Photos")),
        ("other again", |world| world.register_again("NAS")),
        ("another has mail", |world| {
            let url = format!("http://{}/", address("Photos"));
            let email = "owner@example.org, anna@example.org";
            world.register("Photos", &[("url", &url), ("healthy", "2"), ("email", email)]);
        }),
        ("sleep", |world| world.sleep(Duration::from_secs(3 * HOUR))),
        ("clock ahead", |world| set_by(world, 5 * HOUR as i64)),
        ("clock behind", |world| set_by(world, -5 * (HOUR as i64))),
        ("quiet", |world| world.quiet_for("Photos", 20 * MINUTE)),
    ];
    for (what, meanwhile) in all {
        let mut world = flaky();
        answer(&mut world, &["Photos"], Answer::Hang);
        world.seconds(5 * MINUTE);
        meanwhile(&mut world);
        world.seconds(45 * MINUTE);
        let of_owner = |world: &World| {
            world.mails().into_iter().skip(3).filter(|it| !it.contains('@')).collect()
        };
        let mails: Vec<String> = of_owner(&world);
        assert_eq!(mails, ["Photos silent"], "{what}");
        answer(&mut world, &["Photos"], Answer::Pass);
        world.seconds(14 * HOUR);
        let mails: Vec<String> = of_owner(&world);
        let ends = ["Kodi, Photos back", "Photos HEALTHY"];
        assert!(ends.contains(&mails.last().unwrap().as_str()), "{what}: {mails:?}");
    }
}

fn set_by(world: &mut World, seconds: i64) {
    let ms = world.now.wall.as_unix_millis() + seconds * 1000;
    world.set_clock(Wall::from_unix_millis(ms));
}

#[test]
fn killed_at_any_moment_of_it_the_same_is_told() {
    let told = |kill: Option<u64>| {
        let mut world = house();
        for minute in 0..9 * 60 {
            if kill == Some(minute) {
                world.restart();
            }
            let (first, second, third) = ((0..3), (20..23), (30..50));
            let hit = [(first, "NAS"), (second, "Kodi"), (third, "Photos")];
            for (span, name) in hit {
                let is_silent = span.contains(&minute);
                answer(&mut world, &[name], if is_silent { Answer::Hang } else { Answer::Pass });
            }
            world.seconds(MINUTE);
        }
        let subjects = (0..world.inbox.len()).map(|mail| world.letter(mail).subject);
        subjects
            .map(|it| it.split(" after ").next().unwrap_or_default().to_owned())
            .collect::<Vec<_>>()
    };
    let plain = told(None);
    assert_eq!(plain.len(), 5, "{plain:?}");
    for kill in (0..60).chain([100, 300, 400, 420]) {
        assert_eq!(told(Some(kill)), plain, "killed after {kill} min");
    }
}

#[test]
fn who_was_told_with_others_that_are_not_back_for_days_is_told_by_what_ails_it_now() {
    let mut world = house();
    let url = format!("http://{}/", address("NAS"));
    world.register("NAS", &[("url", url.as_str()), ("healthy", "2"), ("interval", "300")]);
    world.seconds(20 * MINUTE);
    world.inbox.clear();
    answer(&mut world, &["NAS", "Kodi"], Answer::Hang);
    world.seconds(20 * MINUTE);
    answer(&mut world, &["NAS"], Answer::Pass);
    world.seconds(6 * 24 * HOUR);
    assert_eq!(world.mails(), ["Kodi UNHEALTHY", "NAS silent"], "Kodi is awaited");
    world.one_check("NAS");
    answer(&mut world, &["NAS", "Photos", "Wiki"], Answer::Hang);
    world.seconds(HOUR);
    let [_, _, first, more] = world.mails().try_into().unwrap();
    assert!(first.contains("Photos") && !first.contains("NAS") && more.contains("NAS"), "{more}");
    let letter = world.letter(3).text;
    assert!(!letter.contains("HEALTHY only shortly before"), "{letter}");
    answer(&mut world, &["NAS", "Photos", "Wiki"], Answer::Pass);
    world.seconds(HOUR);
    let subject = world.letter(4).subject;
    assert!(subject.contains("3 apps are HEALTHY again after 1 h"), "{subject}");
}
