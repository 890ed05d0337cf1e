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

const EVENTS: usize = 60;
/// More than it takes to find out and to be told: 10 checks 300 s apart, an hour that a limit holds a mail
/// back.
const LONG: u64 = 2 * 3600;

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
    world.cut_off = false;
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
        world.answers(&app.registration.name, answer);
    }
    world.seconds(LONG);
}

/// What each person was told last of each app, in the mails from `begin` on.
pub(super) fn told(world: &World, begin: usize) -> BTreeMap<(Recipient, String), String> {
    let changes = world.inbox[begin..].iter().flat_map(|(_, mail)| {
        let told = |app: &str, state: &str| ((mail.to.clone(), app.to_owned()), state.to_owned());
        let told_of = mail.notices.iter().flat_map(Notice::told);
        told_of.map(move |(app, state)| told(app, state.word()))
    });
    changes.collect()
}

fn live(seed: u64, damage: bool) -> Result<(), TestCaseError> {
    let mut chance = Chance(seed);
    let mut world = World::new();
    for _ in 0..EVENTS {
        match chance.below(20) {
            0 => world.mail_takes = [0, 50, 20_000][chance.below(3) as usize],
            1 if damage => lose_a_line(&mut world, &mut chance),
            _ => happen(&mut world, &mut chance),
        }
    }
    // To this one mails were refused for good.
    let guest = Recipient::mail("guest@example.org");
    put_right(&mut world);
    all_answer(&mut world, Answer::Fail);
    let known = told(&world, 0);
    for app in apps(&world) {
        let name = app.registration.name.clone();
        prop_assert_eq!(app.state.word(), "UNHEALTHY", "{}", &name);
        for person in app.registration.recipients().filter(|person| *person != guest) {
            let of = known.get(&(person.clone(), name.clone())).map(String::as_str);
            prop_assert_eq!(of, Some("UNHEALTHY"), "what {} knows of {}", person, &name);
        }
    }
    let begin = world.inbox.len();
    all_answer(&mut world, Answer::Pass);
    for (whom, state) in told(&world, begin) {
        prop_assert_eq!(state, "HEALTHY", "{:?}", whom);
    }
    for app in apps(&world) {
        prop_assert_eq!(app.state.word(), "HEALTHY");
        prop_assert_eq!(app.alert, None, "of {}", app.registration.name);
        for person in app.registration.recipients().filter(|person| *person != guest) {
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
        live(seed, damage)?;
    }
}
