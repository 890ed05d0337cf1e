//! Whatever has happened: once all is well again, everybody knows what is so, and nothing is left over.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::cases::cases;
use super::incidents;
use super::recording::{Chance, happen};
use super::world::{Answer, Mood, World};
use healthchecker::engine::outbox::notice::Notice;
use healthchecker::engine::recipients::{Recipient, Recipients};
use healthchecker::engine::record::{AppRecord, Record};
use healthchecker::engine::state::State;
use healthchecker::engine::surroundings::look::Sight;

const EVENTS: usize = 60;
/// More than it takes to find out and to be told: 10 checks 300 s apart, an hour that a limit holds a mail
/// back.
const LONG: u64 = 2 * 3600;
/// More than it takes until one that keeps failing is believed to be well.
const CALM: u64 = 7 * 3600;

/// What comes between the daemon and the household.
fn come_between(world: &mut World, chance: &mut Chance) {
    match chance.below(16) {
        0 => world.deaf = !world.deaf,
        1 => world.offline = !world.offline,
        2 => {
            world.gateway =
                [Sight::Answers, Sight::Nothing, Sight::Undecided][chance.below(3) as usize]
        }
        3 => world.looks_are_lost = chance.below(4) == 0,
        4 => world.anchors_are_silent = chance.below(3) == 0,
        5 | 6 => {
            // A host, with all that is on it.
            let host = chance.below(3);
            let answer = [Answer::Pass, Answer::Hang, Answer::Hang, Answer::Refused]
                [chance.below(4) as usize];
            let on_host = apps(world).into_iter().map(|app| app.registration.name);
            let on_host: Vec<String> =
                on_host.filter(|name| host_of(name) == host_name(host)).collect();
            for name in on_host {
                world.answers(&place_of(&name), answer);
            }
        }
        7..=10 => {
            let name = format!("Dev{}", chance.below(9));
            let url = format!("http://{}/", place_of(&name));
            let interval = ["10", "30", "60", "300"][chance.below(4) as usize];
            let healthy = ["2", "3"][chance.below(2) as usize];
            let may_be_off = ["false", "false", "false", "true"][chance.below(4) as usize];
            let email = ["owner@example.org", "guest@example.org", "a@b.c,owner@example.org"]
                [chance.below(3) as usize];
            let parent = match chance.below(12) {
                number @ 0..9 => format!("Dev{number}"),
                _ => String::new(),
            };
            let fields = [
                ("url", url.as_str()),
                ("interval", interval),
                ("healthy", healthy),
                ("may_be_off", may_be_off),
                ("email", email),
                ("parent", parent.as_str()),
            ];
            if email.split(',').all(|one| world.recipients.may_be_told(&Recipient::mail(one))) {
                // (A circle of parents is refused.)
                let _ = world.try_register(&name, &fields);
            }
        }
        11..=13 => {
            let name = format!("Dev{}", chance.below(9));
            let answer = [
                Answer::Pass,
                Answer::Pass,
                Answer::Hang,
                Answer::Refused,
                Answer::Fail,
                Answer::Warn,
            ][chance.below(6) as usize];
            world.answers(&place_of(&name), answer);
        }
        _ => world.seconds(60 + chance.below(900)),
    }
}

fn host_name(host: u64) -> String {
    ["nas", "pi", "shop.example"][host as usize].to_owned()
}

fn host_of(name: &str) -> String {
    let number: u64 = name.trim_start_matches("Dev").parse().unwrap_or_default();
    host_name(number % 3)
}

/// Where an app answers: those of [`happen`] are at hosts of their own.
fn place_of(name: &str) -> String {
    match name.strip_prefix("Dev") {
        Some(number) => format!("{}:800{number}", host_of(name)),
        None => name.to_owned(),
    }
}

/// A line of the journal is damaged, and the daemon starts again.
fn lose_a_line(world: &mut World, chance: &mut Chance) {
    let lines = world.journal.len() as u64;
    if lines > 1 {
        world.journal.remove(chance.below(lines) as usize);
        world.restart();
        world.engine.handle_loss();
        world.act();
    }
}

/// The household gets all that it lacks: a mail server, a clock, people who may be told.
fn put_right(world: &mut World) {
    world.mood = Mood::Accepts;
    (world.cut_off, world.deaf, world.offline) = (false, false, false);
    (world.anchors_are_silent, world.looks_are_lost) = (false, false);
    world.gateway = Sight::Answers;
    world.mailing = true;
    world.mail_takes = 50;
    let default = world.recipients.by_default().iter().map(ToString::to_string).collect();
    world.recipients = Recipients::new(default, &[]);
    world.restart();
    for app in apps(world) {
        world.resume(&app.registration.name);
    }
}

fn apps(world: &World) -> Vec<AppRecord> {
    let records = world.engine.snapshot(world.now).into_iter();
    let app = |record| if let Record::App(app) = record { Some(*app) } else { None };
    records.filter_map(app).collect()
}

fn all_answer(world: &mut World, answer: Answer) {
    for app in apps(world) {
        world.answers(&place_of(&app.registration.name), answer);
    }
    world.seconds(LONG);
}

/// What each person was told last of each app, in the mails from `begin` on.
pub(super) fn told(world: &World, begin: usize) -> BTreeMap<(Recipient, String), String> {
    let changes = world.inbox[begin..].iter().flat_map(|(_, mail)| {
        let told = |app: &str, state: &str| ((mail.to.clone(), app.to_owned()), state.to_owned());
        let told_of = mail.notices.iter().flat_map(|notice| {
            // Told once, however bad it is by then: only reminders follow.
            let is_worst = matches!(notice, Notice::Change(change) if change.keeps_failing && change.to != State::Healthy);
            notice.told().map(move |(app, state)| (app, if is_worst { State::Unhealthy } else { state }))
        });
        told_of.map(move |(app, state)| told(app, state.word()))
    });
    changes.collect()
}

fn live(seed: u64, damage: bool, trouble: Option<Answer>) -> Result<(), TestCaseError> {
    let mut chance = Chance(seed);
    let mut world = World::new();
    for _ in 0..EVENTS {
        match chance.below(20) {
            0 => world.mail_takes = [0, 50, 20_000][chance.below(3) as usize],
            1 if damage => lose_a_line(&mut world, &mut chance),
            2..=11 if trouble.is_some() => come_between(&mut world, &mut chance),
            _ => happen(&mut world, &mut chance),
        }
    }
    // To this one mails were refused for good.
    let guest = Recipient::mail("guest@example.org");
    put_right(&mut world);
    let trouble = trouble.unwrap_or(Answer::Fail);
    all_answer(&mut world, trouble);
    let known = told(&world, 0);
    let may_be_off = |app: &AppRecord| app.registration.may_be_off();
    let blamed = apps(&world).into_iter().filter(|app| trouble == Answer::Fail || !may_be_off(app));
    let blamed: Vec<AppRecord> = blamed.collect();
    for app in &blamed {
        let name = app.registration.name.clone();
        prop_assert_eq!(app.state.word(), "UNHEALTHY", "{}", &name);
        for person in app.registration.recipients().filter(|person| *person != guest) {
            let of = known.get(&(person.clone(), name.clone())).map(String::as_str);
            prop_assert_eq!(of, Some("UNHEALTHY"), "what {} knows of {}", person, &name);
        }
    }
    let begin = world.inbox.len();
    all_answer(&mut world, Answer::Pass);
    world.seconds(CALM);
    for (whom, state) in told(&world, begin) {
        prop_assert_eq!(state, "HEALTHY", "{:?}", whom);
    }
    for app in apps(&world) {
        prop_assert_eq!(app.state.word(), "HEALTHY");
        prop_assert_eq!(app.alert, None, "of {}", app.registration.name);
        let is_blamed = blamed.iter().any(|one| one.registration.name == app.registration.name);
        let people = app.registration.recipients().filter(|person| is_blamed && *person != guest);
        for person in people {
            let whom = (person, app.registration.name.clone());
            prop_assert!(told(&world, begin).contains_key(&whom), "{:?} is owed the end", whom);
        }
    }
    prop_assert!(world.waiting_for_each().is_empty());
    prop_assert!(incidents::is_on_disk(&world), "the list of incidents");
    let open = incidents::list(&world).into_iter().find(|one| one.contains(", open"));
    prop_assert_eq!(open, None);
    Ok(())
}

proptest! {
    #![proptest_config(cases(12))]

    #[test]
    fn everybody_knows_in_the_end_and_nothing_is_left_over(seed: u64, damage: bool) {
        live(seed, damage, None)?;
    }

    #[test]
    fn so_it_is_where_the_network_comes_and_goes(seed: u64, damage: bool, hangs: bool) {
        live(seed, damage, Some(if hangs { Answer::Hang } else { Answer::Fail }))?;
    }
}
