//! Mail servers that are away or in a mood for hours, with power cuts in between: each alert
//! arrives, once, in order.

use std::time::Duration;

use super::world::{Answer, Mood, World, in_short};
use healthchecker::daemon::mailer::classify::Stage;
use healthchecker::engine::outbox::letter;
use healthchecker::engine::outbox::notice::Notice;
use healthchecker::engine::time::Wall;

/// Slow enough for days in a blink.
const MINUTELY: [(&str, &str); 3] = [("interval", "60"), ("unhealthy", "2"), ("healthy", "2")];

/// The longest wait of any sort of trouble.
const LONGEST_WAIT: Duration = Duration::from_secs(6 * 3600);

/// What keeps a mail, and how long after the end of a long outage it is tried at the latest.
fn moods() -> [(Mood, Duration); 9] {
    let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
    [
        (Mood::Away, minutes(15)),
        (Mood::Replies(Stage::Greeting, 451, "4.3.0 not now"), minutes(15)),
        (Mood::Replies(Stage::Recipient, 451, "4.7.1 greylisted"), minutes(15)),
        (Mood::Replies(Stage::Message, 451, "4.3.0 no disk"), minutes(15)),
        (Mood::Replies(Stage::Greeting, 421, "4.7.0 too many"), minutes(120)),
        (Mood::Replies(Stage::Recipient, 450, "4.2.1 too quickly"), minutes(120)),
        (Mood::RefusesLogin, LONGEST_WAIT),
        (Mood::Replies(Stage::Login, 534, "5.7.9 app password required"), LONGEST_WAIT),
        (Mood::Replies(Stage::Recipient, 550, "5.4.5 daily limit"), LONGEST_WAIT),
    ]
}

fn healthy(names: &[&str]) -> World {
    let mut world = World::new();
    for name in names {
        world.register(name, &MINUTELY);
    }
    world.seconds(180);
    world.inbox.clear();
    world.tries.clear();
    world
}

fn hours(world: &mut World, hours: u32, cuts: bool) {
    for _ in 0..hours {
        world.seconds(3600);
        if cuts {
            world.restart();
        }
    }
}

/// Two apps fail and one of them recovers while mail does not work.
fn bad_day(mood: &Mood, cuts: bool) -> World {
    let mut world = healthy(&["Kodi", "NAS"]);
    world.mood = mood.clone();
    world.answers("NAS", Answer::Fail);
    hours(&mut world, 3, cuts);
    world.answers("Kodi", Answer::Fail);
    hours(&mut world, 2, cuts);
    world.answers("NAS", Answer::Pass);
    hours(&mut world, 7, cuts);
    world
}

#[test]
fn whatever_the_server_says_each_alert_arrives_once_and_in_order() {
    for (mood, wait) in moods() {
        for cuts in [false, true] {
            let mut world = bad_day(&mood, cuts);
            assert!(world.inbox.is_empty());
            world.mood = Mood::Accepts;
            world.pass(wait);
            assert_eq!(
                world.mails(),
                ["NAS UNHEALTHY + Kodi UNHEALTHY + NAS HEALTHY"],
                "{mood:?}, power cuts: {cuts}"
            );
            let text =
                letter::write(&world.inbox[0].1, world.now.at, world.engine.zone(), None).text;
            assert!(text.starts_with("This mail waited "), "{text}");
            world.restart();
            hours(&mut world, 12, cuts);
            assert_eq!(world.inbox.len(), 1, "nothing twice: {mood:?}");
        }
    }
}

#[test]
fn a_lost_250_brings_the_same_mail_again_under_the_same_message_id() {
    let mut world = healthy(&["NAS"]);
    world.mood = Mood::Loses250;
    world.answers("NAS", Answer::Fail);
    hours(&mut world, 3, true);
    world.mood = Mood::Accepts;
    world.seconds(15 * 60);
    let first = world.inbox[0].1.clone();
    assert_eq!(in_short(&first), "NAS UNHEALTHY");
    assert!(world.inbox.len() > 10, "{}", world.inbox.len());
    assert!(world.inbox.iter().all(|(_, mail)| *mail == first));
    let arrived = world.inbox.len();
    hours(&mut world, 3, true);
    assert_eq!(world.inbox.len(), arrived);
}

#[test]
fn news_during_a_lost_250_comes_in_a_mail_of_its_own_id_that_tells_all() {
    for cuts in [false, true] {
        let world = {
            let mut world = bad_day(&Mood::Loses250, cuts);
            world.mood = Mood::Accepts;
            world.seconds(15 * 60);
            world
        };
        let mut told = world.mails();
        told.dedup();
        let all = "NAS UNHEALTHY + Kodi UNHEALTHY + NAS HEALTHY";
        assert_eq!(told, ["NAS UNHEALTHY", "NAS UNHEALTHY + Kodi UNHEALTHY", all]);
        for (_, one) in &world.inbox {
            for (_, other) in &world.inbox {
                assert_eq!(one.message_id == other.message_id, one.notices == other.notices);
            }
        }
    }
}

/// Minutes after the first try.
fn tried_at(world: &World) -> Vec<u64> {
    world.tries.iter().map(|at| (at - world.tries[0]) / 60_000).collect()
}

#[test]
fn a_rate_limit_is_left_half_an_hour_and_credentials_are_tried_slowly() {
    for (mood, minutes) in [
        (Mood::Replies(Stage::Greeting, 421, "4.7.0 too many"), &[0, 30, 90, 210, 330][..]),
        (Mood::Replies(Stage::Recipient, 450, "4.2.1 too quickly"), &[0, 30, 90, 210, 330]),
        (Mood::RefusesLogin, &[0, 30, 90, 210]),
        (Mood::Replies(Stage::Recipient, 550, "5.4.5 daily limit"), &[0, 30, 90, 210]),
    ] {
        let mut world = healthy(&["Kodi", "NAS"]);
        world.mood = mood.clone();
        world.answers("NAS", Answer::Fail);
        world.seconds(600);
        // More news is no reason for haste.
        world.answers("Kodi", Answer::Fail);
        hours(&mut world, 6, false);
        assert_eq!(tried_at(&world), minutes, "{mood:?}");
    }
}

#[test]
fn a_rate_limit_after_a_long_outage_starts_at_half_an_hour() {
    let mut world = healthy(&["NAS"]);
    world.mood = Mood::Away;
    world.answers("NAS", Answer::Fail);
    hours(&mut world, 5, false);
    world.mood = Mood::Replies(Stage::Recipient, 450, "4.2.1 too quickly");
    world.seconds(15 * 60 + 10);
    world.mood = Mood::Accepts;
    world.seconds(30 * 60);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"]);
}

#[test]
fn what_is_told_while_a_mail_is_on_its_way_does_not_overtake_it() {
    let names: Vec<String> = (10..40).map(|number| format!("app{number}")).collect();
    let mut world = World::new();
    for name in &names {
        world.register(name, &MINUTELY);
    }
    world.seconds(180);
    world.inbox.clear();
    world.tries.clear();
    world.mood = Mood::Away;
    for name in &names {
        world.answers(name, Answer::Fail);
    }
    // While the server takes its time to fail, other apps have news.
    world.mail_takes = 45_000;
    while world.tries.is_empty() {
        world.pass(Duration::from_millis(10));
    }
    world.mood = Mood::Accepts;
    world.seconds(3600);
    let told = world.mails().join(" + ");
    let changes: Vec<&str> = told.split(" + ").filter(|it| it.ends_with("UNHEALTHY")).collect();
    assert_eq!(changes.len(), names.len(), "{told}");
    let at: Vec<Wall> = world
        .inbox
        .iter()
        .flat_map(|(_, mail)| &mail.notices)
        .filter_map(|notice| match notice {
            Notice::Change(change) => Some(change.at.wall()),
            _ => None,
        })
        .collect();
    assert!(at.is_sorted(), "{told}");
}

#[test]
fn without_mail_settings_the_outbox_is_kept_and_nothing_is_on_its_way() {
    let mut world = healthy(&["NAS"]);
    world.mood = Mood::Away;
    world.answers("NAS", Answer::Fail);
    world.seconds(180);
    world.mailing = false;
    world.tries.clear();
    world.restart();
    world.seconds(3600);
    assert!(world.tries.is_empty());
    assert!(!world.engine.is_sending(), "an orderly stop would wait for it");
    world.mailing = true;
    world.mood = Mood::Accepts;
    world.restart();
    world.seconds(1);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"]);
}
