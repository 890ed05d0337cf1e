//! Apps that are behind others: whose outage the silence of one is, and who is told.

use std::time::Duration;

use super::world::{Answer, World};
use healthchecker::engine::core::{CommandError, Registered};
use healthchecker::engine::outbox::mail::Mail;
use healthchecker::engine::registry::RegistryError;
use healthchecker::engine::state::State;

const BEHIND: [&str; 3] = ["NAS", "Kodi", "Wiki"];
const QUICK: [(&str, &str); 2] = [("healthy", "2"), ("interval", "30")];

fn register(world: &mut World, name: &str, more: &[(&str, &str)]) {
    let usual = QUICK.iter().filter(|(field, _)| more.iter().all(|(known, _)| known != field));
    let fields: Vec<(&str, &str)> = usual.chain(more).copied().collect();
    world.register(name, &fields);
}

/// A switch, three apps behind it on hosts of their own, and one beside them; all are well.
fn house(of_switch: &[(&str, &str)], of_others: &[(&str, &str)]) -> World {
    let mut world = World::new();
    register(&mut world, "Switch", of_switch);
    for name in BEHIND {
        register(&mut world, name, &[&[("parent", "Switch")], of_others].concat());
    }
    register(&mut world, "Heating", &[]);
    // Each was asked often enough to be HEALTHY.
    world.seconds(700);
    world.inbox.clear();
    world
}

fn answer(world: &mut World, names: &[&str], answer: Answer) {
    names.iter().for_each(|name| world.answers(name, answer));
}

fn all_hang(world: &mut World) {
    answer(world, &["Switch"], Answer::Hang);
    answer(world, &BEHIND, Answer::Hang);
}

/// How many mails tell that an app is so.
fn told(world: &World, name: &str, state: State) -> usize {
    let tells = |mail: &Mail| mail.conclusions().any(|it| it == (name, state));
    world.inbox.iter().filter(|(_, mail)| tells(mail)).count()
}

fn subjects(world: &World) -> Vec<String> {
    let subject = |number| world.letter(number).subject.replace("[HealthChecker] ", "");
    (0..world.inbox.len()).map(subject).collect()
}

#[test]
fn a_switch_and_what_is_behind_it_is_one_mail_that_names_it_first() {
    let mut world = house(&[], &[]);
    all_hang(&mut world);
    world.seconds(300);
    assert_eq!(subjects(&world), ["4 apps are UNHEALTHY: Switch and 3 behind it"]);
    let text = world.letter(0).text;
    let first = "Look at Switch: it is UNHEALTHY, and 3 apps behind it went silent within ";
    assert!(text.starts_with(first), "{text}");
    assert!(text.contains("\nSwitch, and behind it:\n- Switch is UNHEALTHY since "), "{text}");
    assert_eq!(world.state("Heating"), State::Healthy);
    // One of them stays away.
    answer(&mut world, &["Switch", "NAS", "Kodi"], Answer::Pass);
    world.seconds(600);
    assert_eq!(world.inbox.len(), 1, "{:?}", subjects(&world));
    answer(&mut world, &["Wiki"], Answer::Pass);
    world.seconds(600);
    assert!(subjects(&world)[1].starts_with("4 apps are HEALTHY again after "));
    assert_eq!(world.inbox.len(), 2, "{:?}", subjects(&world));
}

#[test]
fn a_child_waits_for_a_parent_that_may_be_down_for_three_minutes() {
    // The switch is asked seldom, and it takes many checks: that it fails is found out of turn.
    let mut world = house(&[("interval", "300"), ("unhealthy", "9")], &[]);
    world.one_check("Switch");
    world.seconds(5);
    all_hang(&mut world);
    world.seconds(100);
    assert_eq!(world.state("NAS"), State::Unhealthy);
    assert!(world.inbox.is_empty(), "{:?}", subjects(&world));
    world.seconds(150);
    assert_ne!(world.state("Switch"), State::Unhealthy);
    assert_eq!(world.inbox.len(), 1, "{:?}", subjects(&world));
    assert!(subjects(&world)[0].starts_with("3 apps are UNHEALTHY: "), "{:?}", subjects(&world));
}

#[test]
fn a_parent_that_answers_excuses_nobody() {
    let mut world = house(&[("interval", "300")], &[]);
    answer(&mut world, &["NAS"], Answer::Hang);
    world.seconds(100);
    // It was asked out of turn, and others were looked at.
    assert_eq!(subjects(&world), ["NAS is UNHEALTHY"]);
}

#[test]
fn a_parent_that_answers_badly_is_told_with_its_children() {
    let mut world = house(&[], &[]);
    answer(&mut world, &["Switch"], Answer::Fail);
    answer(&mut world, &BEHIND, Answer::Hang);
    world.seconds(240);
    assert_eq!(subjects(&world), ["4 apps are UNHEALTHY: Switch and 3 behind it"]);
}

#[test]
fn who_falls_silent_behind_a_parent_that_was_told_is_told_later_with_the_others() {
    let mut world = house(&[], &[]);
    answer(&mut world, &["Switch"], Answer::Hang);
    world.seconds(120);
    assert_eq!(subjects(&world), ["Switch is UNHEALTHY"]);
    answer(&mut world, &["NAS"], Answer::Refused);
    world.seconds(60);
    answer(&mut world, &["Wiki"], Answer::Hang);
    world.seconds(600);
    // They passed while the switch was UNHEALTHY: its outage does not explain them.
    assert_eq!(world.inbox.len(), 3, "{:?}", subjects(&world));
    // A child whose last pass was before is covered.
    let mut world = house(&[], &[("interval", "300")]);
    answer(&mut world, &["Switch"], Answer::Hang);
    answer(&mut world, &["Wiki"], Answer::Hang);
    world.seconds(200);
    assert_eq!(world.inbox.len(), 1, "{:?}", subjects(&world));
    world.restart();
    world.seconds(500);
    assert_eq!(world.inbox.len(), 1, "{:?}", subjects(&world));
    world.seconds(900);
    assert_eq!(world.state("Wiki"), State::Unhealthy);
    assert!(world.inbox.len() <= 2, "{:?}", subjects(&world));
    assert_eq!(told(&world, "Wiki", State::Unhealthy), 1, "{:?}", subjects(&world));
}

#[test]
fn who_did_not_come_back_with_the_parent_is_told_once_it_had_its_time() {
    let mut world = house(&[], &[]);
    world.register("Wiki", &[("healthy", "2"), ("interval", "300"), ("parent", "Switch")]);
    answer(&mut world, &["NAS", "Kodi"], Answer::Pass);
    world.one_check("Wiki");
    answer(&mut world, &["Switch"], Answer::Hang);
    world.seconds(90);
    assert_eq!(world.inbox.len(), 1, "{:?}", subjects(&world));
    answer(&mut world, &["Wiki"], Answer::Hang);
    world.seconds(300);
    answer(&mut world, &["Switch"], Answer::Pass);
    world.seconds(1500);
    assert_eq!(told(&world, "Wiki", State::Unhealthy), 1, "{:?}", subjects(&world));
    answer(&mut world, &["Wiki"], Answer::Pass);
    world.seconds(1500);
    assert_eq!(told(&world, "Wiki", State::Healthy), 1, "{:?}", subjects(&world));
}

#[test]
fn the_people_of_a_child_learn_what_it_is_behind() {
    let theirs = [("email", "child@example.org")];
    let mut world = house(&[], &theirs);
    all_hang(&mut world);
    world.seconds(240);
    let mut subjects = subjects(&world);
    subjects.sort();
    assert_eq!(subjects.len(), 2, "{subjects:?}");
    assert!(subjects[0].starts_with("3 apps are UNHEALTHY: "), "{subjects:?}");
    assert!(subjects[0].ends_with(" and 2 behind Switch"), "{subjects:?}");
    assert_eq!(subjects[1], "Switch is UNHEALTHY");
    let of_child = (0..2).map(|n| world.letter(n)).find(|it| it.to == theirs[0].1).unwrap();
    let first = "Look at Switch: it is UNHEALTHY, and 3 apps behind it went silent within ";
    assert!(of_child.text.starts_with(first), "{}", of_child.text);
    assert!(of_child.text.contains("\nBehind Switch:\n"), "{}", of_child.text);
}

#[test]
fn a_parent_that_is_paused_or_unknown_covers_nobody() {
    for pauses in [true, false] {
        let mut world = house(&[], &[]);
        if pauses {
            world.engine.pause(world.now, "Switch").unwrap();
        } else {
            world.engine.stop(world.now, "Switch").unwrap();
        }
        answer(&mut world, &["NAS"], Answer::Hang);
        world.seconds(100);
        assert_eq!(subjects(&world), ["NAS is UNHEALTHY"]);
    }
}

#[test]
fn killed_at_any_moment_each_is_told_once() {
    for seconds in (0..260).step_by(13) {
        let mut world = house(&[], &[]);
        all_hang(&mut world);
        world.seconds(seconds);
        world.restart();
        world.seconds(900);
        for name in ["Switch", "NAS", "Kodi", "Wiki"] {
            let times = told(&world, name, State::Unhealthy);
            assert_eq!(times, 1, "{name} after {seconds} s: {:?}", subjects(&world));
        }
        answer(&mut world, &["Switch", "NAS", "Kodi", "Wiki"], Answer::Pass);
        world.seconds(1200);
        for name in ["Switch", "NAS", "Kodi", "Wiki"] {
            let times = told(&world, name, State::Healthy);
            assert_eq!(times, 1, "{name} after {seconds} s: {:?}", subjects(&world));
        }
    }
}

#[test]
fn after_a_power_cut_the_report_has_all_and_a_later_child_comes_to_it() {
    let mut world = house(&[], &[]);
    all_hang(&mut world);
    world.power_cut(Duration::from_secs(60));
    world.seconds(1000);
    assert_eq!(world.inbox.len(), 1, "{:?}", subjects(&world));
    assert!(subjects(&world)[0].contains("Switch"), "{:?}", subjects(&world));
}

#[test]
fn a_circle_is_refused_and_what_was_said_before_stays() {
    let mut world = house(&[], &[]);
    let refused = world.try_register("Switch", &[("parent", "Kodi")]);
    let Err(CommandError::Registry(RegistryError::BadParent(why))) = refused else {
        panic!("{refused:?}")
    };
    assert!(why.message.contains(r#""Switch" is behind "Kodi" is behind "Switch""#), "{why}");
    let plain = [("healthy", "2"), ("interval", "30")];
    assert_eq!(world.try_register("Kodi", &plain), Ok(Registered::Unchanged));
    world.restart();
    assert_eq!(world.engine.unknown_parents("Kodi"), [""; 0]);
    world.engine.stop(world.now, "Switch").unwrap();
    assert_eq!(world.engine.unknown_parents("Kodi"), ["Switch"]);
}
