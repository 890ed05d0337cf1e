//! Who is told what, and when the mail server has its moods.

use super::world::{Answer, Mood, World};
use healthchecker::engine::outbox::notice::Notice;
use healthchecker::engine::recipients::Recipient;

const QUICK: [(&str, &str); 3] = [("interval", "5"), ("unhealthy", "2"), ("healthy", "2")];

fn healthy(names: &[&str]) -> World {
    let mut world = World::new();
    for name in names {
        world.register(name, &QUICK);
    }
    world.seconds(60);
    world.inbox.clear();
    world
}

#[test]
fn first_passes_are_gathered_over_ten_seconds() {
    let mut world = World::new();
    for name in ["Kodi", "NAS", "Printer"] {
        world.register(name, &QUICK);
        world.seconds(2);
    }
    world.seconds(30);
    assert_eq!(world.mails(), ["watching Kodi, NAS, Printer"]);
    world.register("Late", &QUICK);
    world.seconds(30);
    assert_eq!(world.mails()[1..], ["watching Late"]);
}

#[test]
fn an_app_that_was_stopped_is_not_welcomed() {
    let mut world = World::new();
    world.register("Kodi", &QUICK);
    world.seconds(3);
    world.stop("Kodi");
    world.seconds(30);
    assert!(world.inbox.is_empty());
}

#[test]
fn each_person_has_an_envelope_and_a_bad_address_holds_up_nobody() {
    let mut world = World::new();
    let mut parameters = QUICK.to_vec();
    parameters.push(("email", "a@example.org, b@example.org"));
    world.register("NAS", &parameters);
    world.mood = Mood::Rejects(Recipient::mail("a@example.org"));
    world.seconds(60);
    world.answers("NAS", Answer::Fail);
    world.seconds(12);
    assert_eq!(world.mails(), ["b@example.org: watching NAS", "b@example.org: NAS UNHEALTHY"]);
    assert!(
        world.engine.view().health(world.now, world.now.at, Vec::new()).outbox.trouble.is_empty()
    );
}

#[test]
fn the_recovery_goes_to_those_who_were_told_and_answers_their_thread() {
    let mut world = healthy(&["NAS"]);
    world.answers("NAS", Answer::Warn);
    world.seconds(12);
    world.answers("NAS", Answer::Fail);
    world.seconds(12);
    let mut parameters = QUICK.to_vec();
    parameters.push(("email", "new@example.org"));
    world.register("NAS", &parameters);
    world.answers("NAS", Answer::Pass);
    world.seconds(20);
    assert_eq!(world.mails(), ["NAS DEGRADED", "NAS UNHEALTHY", "NAS HEALTHY"]);
    let ids: Vec<String> = world.inbox.iter().map(|(_, mail)| mail.message_id.clone()).collect();
    assert_eq!(world.inbox[1].1.references, ids[..1]);
    assert_eq!(world.inbox[2].1.references, ids[..2]);
}

#[test]
fn an_alert_says_since_when_and_a_recovery_how_long_it_took() {
    let mut world = healthy(&["NAS"]);
    world.answers("NAS", Answer::Fail);
    let broke = world.now.wall;
    world.seconds(600);
    world.answers("NAS", Answer::Pass);
    world.seconds(20);
    let changes = world.inbox.iter().map(|(_, mail)| match &mail.notices[0] {
        Notice::Change(change) => change.clone(),
        other => panic!("{other:?}"),
    });
    let changes: Vec<_> = changes.collect();
    assert!(changes[0].since.wall().since(broke).as_secs() <= 5, "the first failed check");
    assert_eq!(changes[0].at.wall().since(changes[0].since.wall()).as_secs(), 5, "the second one");
    assert_eq!(changes[0].reason, "HTTP 503 Service Unavailable");
    assert!((590_000..610_000).contains(&changes[1].lasted_ms), "{}", changes[1].lasted_ms);
    assert!(!changes[1].recent.is_empty());
}

#[test]
fn nobody_to_tell_is_fine() {
    let mut world = World::new();
    let mut parameters = QUICK.to_vec();
    parameters.push(("email", ""));
    world.register("NAS", &parameters);
    world.answers("NAS", Answer::Fail);
    world.seconds(60);
    world.answers("NAS", Answer::Pass);
    world.seconds(60);
    assert!(world.inbox.is_empty());
    assert_eq!(world.state("NAS").word(), "HEALTHY");
}

#[test]
fn while_the_mail_server_is_away_nothing_is_lost_and_what_piled_up_comes_together() {
    let mut world = healthy(&["Kodi", "NAS"]);
    world.mood = Mood::Away;
    world.answers("NAS", Answer::Fail);
    world.seconds(60);
    world.answers("Kodi", Answer::Fail);
    world.seconds(3600);
    assert!(world.inbox.is_empty());
    let trouble = world.engine.view().health(world.now, world.now.at, Vec::new()).outbox.trouble;
    assert!(trouble[0].contains("owner@example.org") && trouble[0].contains("connection refused"));
    world.mood = Mood::Accepts;
    world.seconds(900);
    assert_eq!(world.mails(), ["NAS UNHEALTHY + Kodi UNHEALTHY"]);
    world.answers("NAS", Answer::Pass);
    world.seconds(60);
    assert_eq!(world.mails()[1..], ["NAS HEALTHY"]);
}

#[test]
fn refused_credentials_keep_the_mail_and_are_tried_slowly() {
    let mut world = healthy(&["NAS"]);
    world.mood = Mood::RefusesLogin;
    world.answers("NAS", Answer::Fail);
    world.seconds(20 * 60);
    world.mood = Mood::Accepts;
    world.seconds(60);
    assert!(world.inbox.is_empty(), "half an hour has not passed");
    world.seconds(15 * 60);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"]);
}

#[test]
fn another_mail_that_is_accepted_brings_the_waiting_ones() {
    let mut world = World::new();
    for (name, email) in [("NAS", "a@example.org"), ("Kodi", "b@example.org")] {
        let mut parameters = QUICK.to_vec();
        parameters.push(("email", email));
        world.register(name, &parameters);
    }
    world.seconds(60);
    world.inbox.clear();
    world.mood = Mood::Away;
    world.answers("NAS", Answer::Fail);
    world.seconds(7200);
    world.mood = Mood::Accepts;
    world.answers("Kodi", Answer::Fail);
    world.seconds(12);
    assert_eq!(world.mails(), ["b@example.org: Kodi UNHEALTHY", "a@example.org: NAS UNHEALTHY"]);
}

#[test]
fn the_thread_of_an_alert_that_changes_for_months_stays_short() {
    let mut world = healthy(&["NAS"]);
    for _ in 0..100 {
        world.answers("NAS", Answer::Fail);
        world.seconds(600);
        world.answers("NAS", Answer::Warn);
        world.seconds(600);
    }
    let longest = world.journal.iter().map(String::len).max().unwrap();
    assert!(longest < 8_000, "{longest} bytes for one change");
    world.answers("NAS", Answer::Pass);
    world.seconds(3600);
    let (first, last) = (&world.inbox[0].1, &world.inbox.last().unwrap().1);
    assert_eq!(last.references[0], first.message_id, "still the thread that it began");
}
