//! Reminders: who knows of trouble hears of it again while it lasts.

use super::world::{Answer, World};
use healthchecker::engine::core::Registered;
use healthchecker::engine::outbox::letter;
use healthchecker::engine::state::State;
use healthchecker::engine::time::Moment;

const HOUR: u64 = 3600;
const USUAL: [(&str, &str); 3] = [("interval", "60"), ("unhealthy", "2"), ("healthy", "2")];

fn register(world: &mut World, name: &str, more: &[(&str, &str)]) {
    world.register(name, &[&USUAL, more].concat());
}

fn house(more: &[(&str, &str)]) -> World {
    let mut world = World::new();
    world.reminders = true;
    world.restart();
    register(&mut world, "NAS", more);
    register(&mut world, "Kodi", &[]);
    world.seconds(600);
    world.inbox.clear();
    world
}

/// Subjects, and minutes since then.
fn told(world: &World, since: u64) -> Vec<(u64, String)> {
    let one = |(at, mail): &(u64, _)| {
        let letter = letter::write(mail, Moment::from_millis(*at), world.engine.zone(), None);
        ((at - since) / 60_000, letter.subject.replace("[HealthChecker] ", ""))
    };
    world.inbox.iter().map(one).collect()
}

fn fails(world: &mut World, name: &str) -> u64 {
    world.answers(name, Answer::Fail);
    while world.state(name) != State::Unhealthy {
        world.seconds(1);
    }
    // Alone it is told at once.
    world.seconds(1);
    world.inbox.last().unwrap().0
}

#[test]
fn they_come_after_an_hour_six_hours_a_day_and_then_daily() {
    for cuts in [false, true] {
        let mut world = house(&[]);
        let since = fails(&mut world, "NAS");
        for _ in 0..73 {
            world.seconds(HOUR - 7);
            if cuts {
                world.restart();
            }
            world.seconds(7);
        }
        let told = told(&world, since);
        let minutes: Vec<u64> = told.iter().map(|(minutes, _)| *minutes).collect();
        let hours = [0, 1, 6, 24, 48, 72];
        assert_eq!(minutes.len(), hours.len(), "{told:?}");
        let near = |(minutes, hour): (&u64, u64)| (hour * 60..hour * 60 + 3).contains(minutes);
        assert!(minutes.iter().zip(hours).all(near), "{told:?}");
        assert!(told[1..].iter().all(|(_, said)| said == "NAS is still UNHEALTHY"), "{told:?}");
        world.answers("NAS", Answer::Pass);
        world.seconds(30 * HOUR);
        assert_eq!(world.inbox.len(), hours.len() + 1, "{:?}", world.mails());
        assert!(world.mails().last().unwrap().contains("NAS HEALTHY"), "{:?}", world.mails());
    }
}

#[test]
fn a_reminder_says_where_to_look_and_answers_the_first_mail() {
    let mut world = house(&[]);
    fails(&mut world, "NAS");
    world.seconds(HOUR + 60);
    let letter = world.letter(1);
    assert!(letter.text.starts_with("Look at NAS: it is still UNHEALTHY\n"), "{}", letter.text);
    assert!(letter.text.contains("\n- NAS is UNHEALTHY since 2026-"), "{}", letter.text);
    assert!(letter.text.contains("Reminders come 1 hour, 6 hours"), "{}", letter.text);
    assert_eq!(world.inbox[1].1.references, [world.inbox[0].1.message_id.as_str()]);
}

#[test]
fn each_person_has_one_clock_and_hears_of_all_of_theirs() {
    let mut world = house(&[]);
    register(&mut world, "Wiki", &[("email", "wiki@example.org")]);
    world.seconds(200);
    world.inbox.clear();
    let since = fails(&mut world, "NAS");
    world.seconds(HOUR / 2);
    fails(&mut world, "Kodi");
    fails(&mut world, "Wiki");
    world.seconds(7 * HOUR);
    let of_owner: Vec<(u64, String)> =
        told(&world, since).into_iter().filter(|(_, said)| !said.contains("Wiki")).collect();
    let two = "2 apps are still UNHEALTHY: ";
    assert_eq!(of_owner.len(), 4, "{of_owner:?}");
    assert!(of_owner[2].1.starts_with(two) && of_owner[3].1.starts_with(two), "{of_owner:?}");
    assert!((60..63).contains(&of_owner[2].0), "{of_owner:?}");
    assert!((360..363).contains(&of_owner[3].0), "{of_owner:?}");
    let of_wiki = told(&world, since).into_iter().filter(|(_, said)| said.contains("Wiki"));
    let minutes: Vec<u64> = of_wiki.map(|(minutes, _)| minutes).collect();
    assert!((90..98).contains(&minutes[1]), "its people have a clock of their own: {minutes:?}");
}

#[test]
fn when_the_oldest_trouble_is_over_nobody_is_reminded_twice_within_an_hour() {
    let mut world = house(&[]);
    let since = fails(&mut world, "NAS");
    world.seconds(11 * 60);
    fails(&mut world, "Kodi");
    world.seconds(52 * 60);
    world.answers("NAS", Answer::Pass);
    world.seconds(7 * HOUR);
    let told = told(&world, since);
    let still: Vec<u64> = told
        .iter()
        .filter(|(_, said)| said.contains("still"))
        .map(|(minutes, _)| *minutes)
        .collect();
    // After an hour of the NAS; Kodi's own hour is 11 minutes later, its sixth is told.
    assert_eq!(still.len(), 2, "{told:?}");
    assert!((60..63).contains(&still[0]) && (371..376).contains(&still[1]), "{told:?}");
}

#[test]
fn a_restart_brings_none_by_the_clock_of_who_is_left() {
    let mut world = house(&[]);
    let since = fails(&mut world, "NAS");
    world.seconds(40);
    fails(&mut world, "Kodi");
    // The one after six hours comes by the clock of the NAS, 40 s or more before that of Kodi.
    world.seconds(7 * HOUR);
    let before = told(&world, since).len();
    world.answers("NAS", Answer::Pass);
    world.seconds(300);
    world.restart();
    world.seconds(2 * HOUR);
    let told = told(&world, since);
    let again: Vec<&String> =
        told[before..].iter().map(|(_, said)| said).filter(|said| said.contains("still")).collect();
    assert_eq!(again, [] as [&String; 0], "{told:?}");
}

#[test]
fn what_somebody_else_was_reminded_of_is_due_all_the_same() {
    let mut world = house(&[]);
    register(&mut world, "Wiki", &[("email", "owner@example.org, wiki@example.org")]);
    world.seconds(200);
    world.inbox.clear();
    fails(&mut world, "NAS");
    world.seconds(20 * 60);
    let since = fails(&mut world, "Wiki");
    world.inbox.clear();
    // The owner is reminded of both by the clock of the NAS.
    world.seconds(65 * 60);
    let still = told(&world, since).into_iter().filter(|(_, said)| said.contains("still"));
    let minutes: Vec<u64> = still.map(|(minutes, _)| minutes).collect();
    assert_eq!(minutes.len(), 2, "{minutes:?}");
    assert!((37..43).contains(&minutes[0]) && (60..63).contains(&minutes[1]), "{minutes:?}");
}

#[test]
fn whoever_wants_none_gets_none() {
    let mut world = house(&[("reminders", "false")]);
    let says = |world: &World| {
        let shown = world.engine.view().info(world.now, "NAS").unwrap().app;
        serde_json::to_value(shown).unwrap()["reminders"].as_bool().unwrap()
    };
    assert!(!says(&world));
    assert_eq!(world.try_register("NAS", &USUAL), Ok(Registered::Unchanged));
    world.restart();
    assert!(!says(&world));
    let since = fails(&mut world, "NAS");
    world.seconds(50 * HOUR);
    assert_eq!(world.inbox.len(), 1, "{:?}", told(&world, since));
    // Empty is the default, and what was due before is not told late.
    register(&mut world, "NAS", &[("reminders", "")]);
    assert!(says(&world));
    world.seconds(23 * HOUR);
    let told = told(&world, since);
    assert_eq!(told.len(), 2, "{told:?}");
    assert!((72 * 60..72 * 60 + 3).contains(&told[1].0), "{told:?}");
}

#[test]
fn nothing_is_said_while_nothing_can_be_said() {
    let mut world = house(&[]);
    let since = fails(&mut world, "NAS");
    world.seconds(HOUR - 300);
    world.cut_off = true;
    world.deaf = true;
    world.seconds(1200);
    let before = world.inbox.len();
    world.cut_off = false;
    world.deaf = false;
    world.seconds(1800);
    assert_eq!(before, 1, "{:?}", told(&world, since));
    let reminders = told(&world, since).into_iter().filter(|(_, said)| said.contains("still"));
    assert_eq!(reminders.count(), 1, "{:?}", told(&world, since));
    // One that is paused, or passes just then, is not told.
    let mut world = house(&[]);
    fails(&mut world, "NAS");
    world.engine.pause(world.now, "NAS").unwrap();
    world.seconds(30 * HOUR);
    assert_eq!(world.inbox.len(), 1, "{:?}", world.mails());
}

#[test]
fn what_keeps_failing_brings_reminders_alone() {
    let mut world = house(&[]);
    fails(&mut world, "NAS");
    world.answers("NAS", Answer::Pass);
    world.seconds(600);
    fails(&mut world, "NAS");
    world.seconds(7 * HOUR);
    let said: Vec<String> = told(&world, world.inbox[0].0).into_iter().map(|it| it.1).collect();
    let still = "NAS is still UNHEALTHY";
    assert_eq!(said[2..], ["NAS keeps failing", still, still], "{said:?}");
}
