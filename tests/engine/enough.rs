//! A person has at most twenty mails an hour; what else there is to tell comes in a digest.

use std::time::Duration;

use proptest::prelude::*;

use super::cases::cases;
use super::world::{Answer, Mood, World};
use healthchecker::engine::log_event::LogEvent;
use healthchecker::engine::outbox::letter;
use healthchecker::engine::outbox::mail::Mail;
use healthchecker::engine::outbox::notice::Notice;
use healthchecker::engine::outbox::rate_limit::MAILS_AN_HOUR;
use healthchecker::engine::recipients::Recipient;
use healthchecker::engine::record::Record;
use healthchecker::engine::state::State;

const HOUR: u64 = 3600;
/// Every check that goes another way is a change, and each is a mail.
const JUMPY: [(&str, &str); 3] = [("interval", "5"), ("unhealthy", "2"), ("healthy", "2")];
const FELLOW: [(&str, &str); 3] = [("interval", "14"), ("unhealthy", "2"), ("healthy", "2")];

/// So many apps are there to change; what an app does again and again is told once, and trouble waits for more of it.
const FELLOWS: usize = 60;

fn fellow(number: usize) -> String {
    format!("App{number}")
}

/// Every half minute an app is well again that was ill.
fn change(world: &mut World, seconds: u64) {
    let ill: Vec<String> =
        (0..FELLOWS).map(fellow).filter(|name| world.state(name) == State::Unhealthy).collect();
    for name in ill.iter().take(usize::try_from(seconds / 30).unwrap()) {
        world.answers(name, Answer::Pass);
        world.seconds(30);
    }
}

/// An app that changes for the worse and for the better every half minute.
fn flap(world: &mut World, name: &str, seconds: u64) {
    for turn in 0..seconds / 30 {
        world.answers(name, if turn % 2 == 0 { Answer::Fail } else { Answer::Pass });
        world.seconds(30);
    }
}

/// These apps, and those that are there to change, of which all is told that there is by now.
fn house(names: &[&str]) -> World {
    house_of(names, |_| "owner@example.org")
}

fn house_of(names: &[&str], email: fn(usize) -> &'static str) -> World {
    let mut world = World::new();
    for name in names {
        world.register(name, &JUMPY);
    }
    for number in 0..FELLOWS {
        world.register(&fellow(number), &[&FELLOW[..], &[("email", email(number))]].concat());
    }
    world.seconds(60);
    (0..FELLOWS).for_each(|number| world.answers(&fellow(number), Answer::Fail));
    world.seconds(HOUR + 600);
    world.inbox.clear();
    world
}

fn changes(mails: &[(u64, Mail)]) -> usize {
    let notices = mails.iter().flat_map(|(_, mail)| &mail.notices);
    let told = notices.filter(|notice| matches!(notice, Notice::Change(_))).count();
    told + mails.iter().map(|(_, mail)| mail.left_out as usize).sum::<usize>()
}

/// The most mails to one address within any hour.
fn most_in_an_hour(world: &World) -> usize {
    let mails = || world.inbox.iter();
    let most = mails().map(|(start, first)| {
        let within = |(at, mail): &&(u64, Mail)| {
            (*start..start + HOUR * 1000).contains(at) && mail.to == first.to
        };
        mails().filter(within).count()
    });
    most.max().unwrap_or(0)
}

#[test]
fn the_twenty_first_within_an_hour_is_a_digest_that_says_so() {
    let mut world = house(&["NAS"]);
    let began = world.now.at;
    change(&mut world, 30 * 60);
    assert_eq!(world.inbox.len(), MAILS_AN_HOUR);
    let held: Vec<&LogEvent> =
        world.notes.iter().filter(|note| matches!(note, LogEvent::MailHeldBack { .. })).collect();
    assert_eq!(held.len(), 1, "said once");
    world.seconds(31 * 60);
    assert_eq!(world.inbox.len(), MAILS_AN_HOUR + 1);
    assert_eq!(changes(&world.inbox), 60, "nothing is lost");
    let (at, digest) = &world.inbox[MAILS_AN_HOUR];
    assert!(*at - began.as_millis() < HOUR * 1000 + 60_000);
    let text = letter::write(digest, world.now.at, world.engine.zone(), None).text;
    assert!(text.starts_with("This is a digest: at most 20 mails an hour"), "{text}");
    assert!(text.contains("What happened, in order:"));
    world.answers("NAS", Answer::Fail);
    world.seconds(12 * 60);
    let (_, after) = world.inbox.last().unwrap();
    assert!(after.held_back.is_none(), "news comes at once again");
}

#[test]
fn nobody_else_waits_for_one_who_has_enough() {
    let mut world = house(&["NAS"]);
    let mut other = JUMPY.to_vec();
    other.push(("email", "other@example.org"));
    world.register("Kodi", &other);
    change(&mut world, 20 * 60);
    world.answers("Kodi", Answer::Fail);
    world.seconds(12);
    assert_eq!(world.mails().last().unwrap(), "other@example.org: Kodi UNHEALTHY");
}

#[test]
fn capitals_make_no_other_person() {
    let mut world = house_of(&[], |number| ["Owner@example.org", "owner@EXAMPLE.org"][number % 2]);
    change(&mut world, 20 * 60);
    assert_eq!(world.inbox.len(), MAILS_AN_HOUR);
}

#[test]
fn a_restart_does_not_start_the_count_again() {
    let mut world = house(&["NAS"]);
    change(&mut world, 15 * 60);
    assert_eq!(world.inbox.len(), MAILS_AN_HOUR);
    for _ in 0..3 {
        world.restart();
        change(&mut world, 5 * 60);
    }
    assert_eq!(world.inbox.len(), MAILS_AN_HOUR);
    world.seconds(31 * 60);
    assert_eq!(changes(&world.inbox), 60);
    assert_eq!(most_in_an_hour(&world), MAILS_AN_HOUR);
}

#[test]
fn the_count_survives_a_journal_that_is_written_anew() {
    let mut world = house(&[]);
    change(&mut world, 15 * 60);
    world.rewrite_journal();
    world.restart();
    change(&mut world, 5 * 60);
    assert_eq!(world.inbox.len(), MAILS_AN_HOUR);
}

#[test]
fn what_waits_for_days_is_bounded_in_memory_and_on_disk() {
    let mut world = house(&["NAS", "Kodi"]);
    world.mood = Mood::Away;
    world.answers("Kodi", Answer::Fail);
    world.seconds(60);
    change(&mut world, 30 * 60);
    flap(&mut world, "NAS", 24 * HOUR);
    let day: usize = world.journal.iter().map(String::len).sum();
    // Each change with its app and the try that it called for; what keeps failing is told once.
    assert!(day < 8 << 20, "{day} bytes");
    let mail = world.engine.snapshot(world.now);
    let mail = mail.iter().map(|record| serde_json::to_string(record).unwrap());
    let longest = mail.map(|record| record.len()).max().unwrap();
    assert!(longest < 64 * 1024, "{longest} bytes");
    world.restart();
    world.mood = Mood::Accepts;
    world.inbox.clear();
    world.seconds(16 * 60);
    let told = world.mails().join(" + ");
    assert!(told.contains("Kodi UNHEALTHY"), "pushed out by nothing: {told}");
    assert_eq!(changes(&world.inbox), 1 + 60 + 3);
}

#[test]
fn what_happens_while_a_slow_server_has_a_mail_comes_as_one_more() {
    let mut world = house(&["Kodi"]);
    world.journal.clear();
    world.mail_takes = 29 * 60_000;
    world.answers("Kodi", Answer::Fail);
    world.seconds(12);
    change(&mut world, 25 * 60);
    assert_eq!(world.waiting_for_each()[&Recipient::mail("owner@example.org")], 2);
    let journal: usize = world.journal.iter().map(String::len).sum();
    assert!(journal < 256 * 1024, "50 changes took {journal} bytes");
    world.mail_takes = 50;
    world.seconds(10 * 60);
    let told = world.mails();
    assert_eq!(told.len(), 2, "{told:?}");
    assert_eq!(told[0], "Kodi UNHEALTHY");
    assert_eq!(changes(&world.inbox), 51, "nothing is lost");
}

/// As an older version has left them.
#[test]
fn of_many_mails_that_a_start_finds_for_one_person_all_but_the_first_go_together() {
    let mut world = house(&["NAS"]);
    world.mail_takes = 60_000;
    world.answers("NAS", Answer::Fail);
    world.seconds(12);
    let records = world.engine.snapshot(world.now);
    let on_its_way = records.iter().find_map(|record| match record {
        Record::Mail(mail) => Some(mail.clone()),
        _ => None,
    });
    let copy = |id| {
        let message_id = format!("old.{id}");
        Record::Mail(Box::new(Mail { id, message_id, ..*on_its_way.clone().unwrap() }))
    };
    let others: Vec<Record> = (100..105).map(copy).collect();
    world.journal.push(serde_json::to_string(&others).unwrap());
    world.inbox.clear();
    world.restart();
    assert_eq!(world.waiting_for_each()[&Recipient::mail("owner@example.org")], 2);
    world.seconds(180);
    assert_eq!((world.inbox.len(), changes(&world.inbox)), (2, 6));
    world.restart();
    assert!(world.waiting_for_each().is_empty(), "the disk knows that they went together");
}

#[test]
fn a_power_cut_while_a_mail_is_under_way_loses_nothing_of_what_waits_behind_it() {
    let mut world = house(&["Kodi"]);
    world.mail_takes = 29 * 60_000;
    world.answers("Kodi", Answer::Fail);
    world.seconds(12);
    change(&mut world, 5 * 60);
    // The server took the first one, and we never heard of it: it comes twice, as the same mail.
    world.restart();
    world.mail_takes = 50;
    world.seconds(40 * 60);
    let told = world.mails();
    assert_eq!(
        (told.len(), told[0].as_str(), told[1].as_str()),
        (3, "Kodi UNHEALTHY", "Kodi UNHEALTHY")
    );
    assert_eq!(world.inbox[0].1.message_id, world.inbox[1].1.message_id);
    assert_eq!(changes(&world.inbox[1..]), 11);
}

proptest! {
    #![proptest_config(cases(24))]

    /// Whatever happens, no hour has more than twenty, and in the end each app is known as what it is.
    #[test]
    fn no_hour_has_more_and_nothing_is_lost(
        life in prop::collection::vec((0..4u8, any::<bool>(), 1..40u64), 1..60)
    ) {
        let mut world = World::new();
        ["NAS", "Kodi"].iter().for_each(|name| world.register(name, &JUMPY));
        world.seconds(60);
        world.inbox.clear();
        for (what, bad, turns) in life {
            match what {
                0 | 1 => {
                    let name = ["NAS", "Kodi"][usize::from(what)];
                    world.answers(name, if bad { Answer::Fail } else { Answer::Pass });
                    world.seconds(turns * 5);
                }
                2 => flap(&mut world, "NAS", turns * 30),
                _ => {
                    world.mood = if bad { Mood::Away } else { Mood::Accepts };
                    // A mail that is cut off on its way may come twice: that is another story.
                    while world.engine.is_sending() {
                        world.pass(Duration::from_millis(10));
                    }
                    if turns > 20 {
                        world.restart();
                    }
                }
            }
        }
        world.mood = Mood::Accepts;
        // Who keeps failing is believed to be well after six hours.
        world.seconds(8 * HOUR);
        prop_assert!(most_in_an_hour(&world) <= MAILS_AN_HOUR);
        for name in ["NAS", "Kodi"] {
            let told = world.inbox.iter().rev().find(|(_, mail)| mail.tells_of(name));
            let told = told.and_then(|(_, mail)| mail.conclusions().find(|(app, _)| *app == name));
            prop_assert_eq!(told.map_or(State::Healthy, |(_, state)| state), world.state(name));
        }
    }
}
