//! The pace of bad news: after two mails of trouble in a quarter of an hour the next one waits, and tells all.

use super::world::{Answer, Mood, World};
use healthchecker::engine::time::Moment;

const USUAL: [(&str, &str); 3] = [("interval", "30"), ("unhealthy", "2"), ("healthy", "2")];
const APPS: [&str; 6] = ["NAS", "Kodi", "Wiki", "Git", "Photos", "Heating"];

fn house() -> World {
    let mut world = World::new();
    APPS.iter().for_each(|name| world.register(name, &USUAL));
    world.seconds(300);
    world.inbox.clear();
    world
}

fn one_after_the_other(world: &mut World, names: &[&str]) {
    for name in names {
        world.answers(name, Answer::Fail);
        world.seconds(70);
    }
}

/// What a mail says that arrived.
fn text(world: &World, place: usize) -> String {
    world.letter(place).text
}

#[test]
fn the_third_mail_and_what_comes_with_it_are_one() {
    let mut world = house();
    one_after_the_other(&mut world, &APPS[..4]);
    assert_eq!(world.mails(), ["NAS UNHEALTHY", "Kodi UNHEALTHY"]);
    // It waits on purpose, which is no trouble of ours.
    assert_eq!(
        world.engine.view().health(world.now, Moment::START, Vec::new()).outbox.trouble,
        Vec::<String>::new()
    );
    world.seconds(180);
    assert_eq!(world.mails()[2..], ["Wiki UNHEALTHY + Git UNHEALTHY"]);
    let (told, waited) = (world.inbox[2].0, text(&world, 2));
    assert!(!waited.contains("This mail waited"), "{waited}");
    // The fourth does so, too.
    one_after_the_other(&mut world, &APPS[4..]);
    world.seconds(180);
    assert_eq!(world.mails()[3..], ["Photos UNHEALTHY + Heating UNHEALTHY"]);
    assert!(world.inbox[3].0 - told > 180_000);
}

#[test]
fn a_daemon_that_is_killed_keeps_the_pace() {
    for killed_after in (0..200).step_by(10) {
        let mut world = house();
        one_after_the_other(&mut world, &APPS[..2]);
        let began = world.now.at;
        world.answers("Wiki", Answer::Fail);
        world.seconds(killed_after);
        world.restart();
        world.answers("Git", Answer::Fail);
        world.seconds(600 - killed_after);
        let told = world.mails()[2..].join(" + ");
        assert_eq!(told.matches("Wiki UNHEALTHY").count(), 1, "{killed_after}: {told}");
        assert_eq!(told.matches("Git UNHEALTHY").count(), 1, "{killed_after}: {told}");
        assert!(world.inbox.len() <= 4, "{killed_after}: {told}");
        let (first, _) = world.inbox[2];
        assert!(first - began.as_millis() > 180_000, "{killed_after}: told after {first} ms");
    }
}

#[test]
fn what_an_older_version_has_sent_slows_nothing() {
    let mut world = house();
    one_after_the_other(&mut world, &APPS[..2]);
    world.journal.iter_mut().for_each(|turn| *turn = turn.replace(r#","trouble":true"#, ""));
    world.restart();
    one_after_the_other(&mut world, &["Wiki"]);
    assert_eq!(world.mails()[2..], ["Wiki UNHEALTHY"]);
}

#[test]
fn who_had_two_long_ago_or_is_another_person_waits_for_nothing() {
    let mut world = house();
    world.register("Heating", &[&USUAL[..], &[("email", "other@example.org")]].concat());
    one_after_the_other(&mut world, &["NAS", "Kodi", "Heating"]);
    assert_eq!(world.inbox.len(), 3, "{:?}", world.mails());
    world.seconds(900);
    one_after_the_other(&mut world, &["Wiki"]);
    assert_eq!(world.inbox.len(), 4, "{:?}", world.mails());
}

#[test]
fn good_news_alone_waits_for_nothing_and_comes_with_what_waits() {
    let mut world = house();
    one_after_the_other(&mut world, &["NAS", "Kodi"]);
    world.answers("NAS", Answer::Pass);
    world.seconds(70);
    assert_eq!(world.mails().last().unwrap(), "NAS HEALTHY");
    one_after_the_other(&mut world, &["Wiki"]);
    world.answers("Kodi", Answer::Pass);
    world.seconds(70);
    assert_eq!(world.inbox.len(), 3, "{:?}", world.mails());
    world.seconds(120);
    assert_eq!(world.mails()[3..], ["Wiki UNHEALTHY + Kodi HEALTHY"]);
}

#[test]
fn what_is_over_before_it_is_told_is_told_with_its_end() {
    for killed in [false, true] {
        let mut world = house();
        one_after_the_other(&mut world, &["NAS", "Kodi", "Wiki"]);
        world.answers("Wiki", Answer::Pass);
        if killed {
            world.restart();
        }
        world.seconds(300);
        assert_eq!(world.mails()[2..], ["Wiki UNHEALTHY + Wiki HEALTHY"], "killed: {killed}");
        world.seconds(3600);
        assert_eq!(world.inbox.len(), 3, "and nobody is owed more");
    }
}

#[test]
fn what_was_tried_before_is_tried_again_as_ever() {
    let mut world = house();
    one_after_the_other(&mut world, &["NAS", "Kodi"]);
    world.mood = Mood::Away;
    one_after_the_other(&mut world, &["Wiki"]);
    world.seconds(180);
    one_after_the_other(&mut world, &["Git"]);
    world.mood = Mood::Accepts;
    world.seconds(100);
    assert_eq!(world.mails()[2..], ["Wiki UNHEALTHY + Git UNHEALTHY"]);
}

#[test]
fn a_machine_that_sleeps_or_whose_clock_is_set_waits_no_longer() {
    for sleeps in [60, 600] {
        let mut world = house();
        one_after_the_other(&mut world, &["NAS", "Kodi", "Wiki"]);
        world.sleep(std::time::Duration::from_secs(sleeps));
        let wakes = world.now.at.as_millis();
        world.seconds(180);
        assert_eq!(world.mails()[2..], ["Wiki UNHEALTHY"], "after {sleeps} s");
        let waited = world.inbox[2].0 - wakes;
        assert!(waited < 180_000 - 1000 * sleeps.min(179), "{waited} ms after {sleeps} s");
    }
}
