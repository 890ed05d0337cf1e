//! What comes back after a power cut, and what does not.

use std::time::Duration;

use super::world::{Answer, Mood, World};
use healthchecker::engine::outbox::letter;
use healthchecker::engine::state::State;
use healthchecker::engine::time::Zone;

pub(super) const HOUSE: [&str; 4] = ["NAS", "Kodi", "TV box", "Heating"];
/// Before the power went, and after it came back.
pub(super) const A_WHILE: Duration = Duration::from_secs(300);

/// An app that is asked every minute.
fn register(world: &mut World, name: &str, more: &[(&str, &str)]) {
    let url = format!("http://{}/", name.to_lowercase().replace(' ', "-"));
    let usual = [("interval", "60"), ("healthy", "2"), ("url", url.as_str())];
    world.register(name, &[usual.as_slice(), more].concat());
}

/// Four apps, well, and nobody has mail.
pub(super) fn house() -> World {
    let mut world = World::new();
    for name in HOUSE {
        register(&mut world, name, &[]);
    }
    world.pass(A_WHILE);
    world.inbox.clear();
    world
}

pub(super) fn answer(world: &mut World, names: &[&str], answer: Answer) {
    names.iter().for_each(|name| world.answers(&name.replace(' ', "-"), answer));
}

/// The power goes; `silent` do not answer from then on.
pub(super) fn cut(world: &mut World, silent: &[&str]) {
    answer(world, silent, Answer::Hang);
    world.power_cut(A_WHILE);
}

fn is_well(world: &World, name: &str) -> bool {
    world.state(name) == State::Healthy
}

#[test]
fn a_house_in_which_all_come_back_hears_nothing() {
    let mut world = house();
    cut(&mut world, &HOUSE);
    world.seconds(60);
    assert!(HOUSE.iter().all(|name| world.state(name) == State::Unknown), "nobody can tell");
    answer(&mut world, &HOUSE, Answer::Pass);
    world.seconds(40);
    assert!(HOUSE.iter().all(|name| is_well(&world, name)), "asked every half minute");
    world.seconds(3600);
    assert_eq!(world.mails(), [] as [&str; 0]);
}

#[test]
fn who_is_not_back_is_told_in_one_report_and_their_return_in_one_mail() {
    let mut world = house();
    cut(&mut world, &HOUSE);
    world.seconds(120);
    answer(&mut world, &["NAS", "Heating"], Answer::Pass);
    world.seconds(479);
    assert_eq!(world.mails(), [] as [&str; 0]);
    world.seconds(2);
    assert_eq!(world.mails(), ["2/4 well, not Kodi, TV box"]);
    assert_eq!(world.state("Kodi"), State::Unhealthy);
    world.seconds(3600);
    answer(&mut world, &["Kodi"], Answer::Pass);
    world.seconds(600);
    assert!(is_well(&world, "Kodi"));
    assert_eq!(world.inbox.len(), 1, "one is still awaited");
    answer(&mut world, &["TV box"], Answer::Pass);
    world.seconds(600);
    assert_eq!(world.mails()[1..], ["Kodi, TV box back"]);
    let [(_, report), (_, end)] = world.inbox.as_slice() else { panic!("two mails") };
    assert_eq!(end.references, [report.message_id.as_str()]);
    world.seconds(7200);
    assert_eq!(world.inbox.len(), 2);
}

#[test]
fn the_report_word_for_word() {
    let mut world = house();
    register(&mut world, "Old box", &[]);
    answer(&mut world, &["Old box"], Answer::Refused);
    register(&mut world, "Printer", &[]);
    world.seconds(600);
    world.pause("Printer");
    world.inbox.clear();
    cut(&mut world, &HOUSE);
    answer(&mut world, &["NAS", "Heating"], Answer::Pass);
    answer(&mut world, &["Kodi"], Answer::Refused);
    world.seconds(610);
    let (_, mail) = &world.inbox[0];
    let letter = letter::write(mail, world.now.at, world.engine.zone(), None);
    assert_eq!(
        letter.subject,
        "[HealthChecker] Power came back: 2 of 4 are well, not Kodi, TV box"
    );
    assert_eq!(
        letter.text,
        "\
Power came back at 2026-11-23 23:15:40 UTC: 2 of 4 are well
-----------------------------------------------------------

Not back:
- Kodi: connection refused
- TV box: no answer

UNHEALTHY before, and not well yet: Old box

Paused: Printer

The power went some time after 2026-11-23 23:10:12 UTC, the last that is on record.

One more mail comes when all of them are well.
"
    );
}

#[test]
fn a_boot_that_nobody_else_felt_is_no_power_cut() {
    let mut world = house();
    cut(&mut world, &["Kodi"]);
    world.seconds(610);
    let subject = letter::write(&world.inbox[0].1, world.now.at, world.engine.zone(), None).subject;
    assert_eq!(subject, "[HealthChecker] After our restart: 3 of 4 are well, not Kodi");
    let mut world = house();
    world.orderly_stop();
    cut(&mut world, &HOUSE);
    world.seconds(610);
    let subject = letter::write(&world.inbox[0].1, world.now.at, world.engine.zone(), None).subject;
    assert!(subject.contains("After our restart: 0 of 4"), "stopped in order: {subject}");
}

#[test]
fn a_crash_within_one_boot_has_nothing_to_settle_unless_things_were_settling() {
    let mut world = house();
    answer(&mut world, &["Kodi"], Answer::Refused);
    world.restart();
    world.seconds(240);
    assert_eq!(world.mails(), ["Kodi UNHEALTHY"]);
    let mut world = house();
    cut(&mut world, &["Kodi"]);
    world.seconds(300);
    world.restart();
    world.seconds(590);
    assert_eq!(world.mails(), [] as [&str; 0], "it has its time anew");
    world.seconds(20);
    assert_eq!(world.mails(), ["3/4 well, not Kodi"]);
}

#[test]
fn a_second_cut_while_things_settle_is_told_once() {
    let mut world = house();
    cut(&mut world, &HOUSE);
    world.seconds(300);
    cut(&mut world, &HOUSE);
    answer(&mut world, &["NAS", "Heating", "TV box"], Answer::Pass);
    world.seconds(1200);
    assert_eq!(world.mails(), ["3/4 well, not Kodi"]);
}

#[test]
fn a_network_that_comes_after_the_power_changes_nothing_of_when_that_was_back() {
    let mut world = house();
    world.cut_off = true;
    cut(&mut world, &["Kodi", "TV box"]);
    world.seconds(100);
    world.cut_off = false;
    world.seconds(510);
    let (_, mail) = &world.inbox[0];
    let letter = letter::write(mail, world.now.at, world.engine.zone(), None);
    let said = "Power came back at 2026-11-23 23:05:40 UTC: 2 of 4 are well";
    assert_eq!(letter.text.lines().next(), Some(said));
}

#[test]
fn who_came_back_and_is_unhealthy_again_is_not_counted_as_well() {
    let mut world = house();
    cut(&mut world, &HOUSE);
    world.seconds(60);
    answer(&mut world, &["NAS", "Heating", "TV box"], Answer::Pass);
    world.seconds(60);
    answer(&mut world, &["NAS"], Answer::Fail);
    world.seconds(500);
    assert_eq!(world.mails(), ["NAS UNHEALTHY", "2/4 well, not Kodi"]);
}

#[test]
fn a_report_outlives_restarts_and_an_outbox_that_waits() {
    let mut world = house();
    world.mood = Mood::Away;
    cut(&mut world, &["Kodi", "TV box"]);
    world.seconds(700);
    world.restart();
    world.mood = Mood::Accepts;
    world.seconds(3600);
    assert_eq!(world.mails(), ["2/4 well, not Kodi, TV box"]);
    world.rewrite_journal();
    world.restart();
    answer(&mut world, &["Kodi", "TV box"], Answer::Pass);
    world.seconds(600);
    assert_eq!(world.mails()[1..], ["Kodi, TV box back"]);
}

#[test]
fn who_falls_ill_again_before_the_last_is_back_is_news() {
    let mut world = house();
    cut(&mut world, &["Kodi", "TV box"]);
    world.seconds(700);
    answer(&mut world, &["Kodi"], Answer::Pass);
    world.seconds(600);
    answer(&mut world, &["Kodi"], Answer::Fail);
    world.seconds(600);
    assert_eq!(world.mails()[1..], ["Kodi keeps failing"]);
    answer(&mut world, &["Kodi", "TV box"], Answer::Pass);
    world.seconds(600);
    assert_eq!(world.mails()[2..], ["TV box back"]);
    world.seconds(2 * 3600);
    assert_eq!(world.mails()[3..], ["Kodi HEALTHY"]);
}

#[test]
fn who_is_stopped_is_not_awaited() {
    let mut world = house();
    cut(&mut world, &["Kodi", "TV box"]);
    world.seconds(100);
    world.stop("Kodi");
    world.seconds(600);
    assert_eq!(world.mails(), ["2/3 well, not TV box"]);
    let mut world = house();
    cut(&mut world, &["Kodi", "TV box"]);
    world.seconds(700);
    answer(&mut world, &["Kodi"], Answer::Pass);
    world.seconds(600);
    world.stop("TV box");
    world.seconds(120);
    assert_eq!(world.mails()[1..], ["Kodi back"]);
}

#[test]
fn each_person_hears_of_theirs_alone() {
    let mut world = house();
    for name in ["Kodi", "NAS"] {
        register(&mut world, name, &[("email", "a@example.org")]);
    }
    world.seconds(300);
    world.inbox.clear();
    cut(&mut world, &["Kodi"]);
    world.seconds(700);
    assert_eq!(world.mails(), ["a@example.org: 1/2 well, not Kodi"]);
}

#[test]
fn a_sleep_is_followed_by_as_much_time_to_come_back() {
    let mut world = house();
    answer(&mut world, &["Kodi"], Answer::Hang);
    world.sleep(Duration::from_secs(240));
    world.seconds(239);
    assert_eq!(world.mails(), [] as [&str; 0]);
    world.seconds(2);
    assert_eq!(world.mails(), ["3/4 well, not Kodi"]);
    let subject = letter::write(&world.inbox[0].1, world.now.at, world.engine.zone(), None).subject;
    assert_eq!(subject, "[HealthChecker] After our machine slept: 3 of 4 are well, not Kodi");
    world.sleep(Duration::from_secs(9));
    assert_eq!(world.state("NAS"), State::Healthy, "a nap is no absence");
}

#[test]
fn who_was_ill_before_is_told_as_ever() {
    let mut world = house();
    answer(&mut world, &["Kodi"], Answer::Fail);
    world.seconds(600);
    assert_eq!(world.inbox.len(), 1);
    cut(&mut world, &[]);
    answer(&mut world, &["Kodi"], Answer::Pass);
    world.seconds(300);
    assert_eq!(world.mails()[1..], ["Kodi HEALTHY"]);
}

#[test]
fn while_our_own_network_is_down_nobody_is_blamed_and_then_each_has_its_time() {
    let mut world = house();
    world.register_own("Ours", "http://127.0.0.1:8080");
    world.pass(A_WHILE);
    world.inbox.clear();
    world.answers("127.0.0.1:8080", Answer::Refused);
    world.cut_off = true;
    world.seconds(130);
    for name in HOUSE {
        let info = world.engine.view().info(world.now, name).unwrap().app;
        assert_eq!((info.state, info.failures), (State::Unknown, 0));
        assert!(info.not_visible_since.is_some());
    }
    world.seconds(3600);
    assert_eq!(world.mails(), ["Ours UNHEALTHY"], "that one needs no network");
    answer(&mut world, &["Kodi"], Answer::Hang);
    world.cut_off = false;
    world.seconds(120);
    assert!(["NAS", "Heating", "TV box"].iter().all(|name| is_well(&world, name)));
    assert_eq!(world.state("Kodi"), State::Unknown, "it may need its time");
    world.seconds(600);
    assert!(world.mails().contains(&"3/4 well, not Kodi".to_owned()), "{:?}", world.mails());
    let report = world.inbox.iter().find(|(_, mail)| mail.tells_of("Kodi")).unwrap();
    let subject = letter::write(&report.1, world.now.at, world.engine.zone(), None).subject;
    assert_eq!(subject, "[HealthChecker] After our network came back: 3 of 4 are well, not Kodi");
}

#[test]
fn a_network_that_blinks_hides_no_app_for_ever() {
    let mut world = house();
    answer(&mut world, &["Kodi"], Answer::Hang);
    for _ in 0..20 {
        world.cut_off = true;
        world.seconds(70);
        world.cut_off = false;
        world.seconds(70);
    }
    assert_eq!(world.mails(), ["3/4 well, not Kodi"]);
}

#[test]
fn a_crash_while_the_network_is_down_leaves_everybody_their_time() {
    let mut world = house();
    world.cut_off = true;
    world.seconds(300);
    world.restart();
    world.seconds(70);
    world.cut_off = false;
    answer(&mut world, &["Kodi"], Answer::Hang);
    world.seconds(200);
    answer(&mut world, &["Kodi"], Answer::Pass);
    world.seconds(3600);
    assert_eq!(world.mails(), [] as [&str; 0]);
}

#[test]
fn a_daemon_that_crashes_again_and_again_hides_no_app_for_ever() {
    let mut world = house();
    cut(&mut world, &["Kodi"]);
    for _ in 0..4 {
        world.seconds(540);
        world.restart();
    }
    world.seconds(120);
    assert_eq!(world.mails(), ["Kodi UNHEALTHY"]);
    // The next interruption has its time as ever.
    answer(&mut world, &["Kodi"], Answer::Pass);
    world.seconds(300);
    cut(&mut world, &["TV box"]);
    world.seconds(300);
    world.restart();
    world.seconds(590);
    assert_eq!(world.mails()[1..], ["Kodi HEALTHY"]);
}

#[test]
fn what_was_a_power_cut_is_told_as_one_after_a_crash_too_and_when_it_was() {
    let mut world = house();
    cut(&mut world, &HOUSE);
    let back_at = world.now.wall.for_people(&Zone::UTC);
    world.seconds(40);
    answer(&mut world, &["NAS", "Heating", "TV box"], Answer::Pass);
    world.seconds(200);
    world.restart();
    world.seconds(610);
    assert_eq!(world.mails(), ["3/4 well, not Kodi"]);
    let letter = letter::write(&world.inbox[0].1, world.now.at, &Zone::UTC, None);
    assert_eq!(letter.subject, "[HealthChecker] Power came back: 3 of 4 are well, not Kodi");
    assert!(letter.text.contains(&format!("Power came back at {back_at}")), "{}", letter.text);
}

#[test]
fn who_calls_from_another_address_is_awaited_at_the_old_one_no_longer() {
    let mut world = house();
    cut(&mut world, &["Kodi", "TV box"]);
    world.seconds(585);
    // It has another address since the power is back, and calls before it listens.
    answer(&mut world, &["kodi-now"], Answer::Refused);
    register(&mut world, "Kodi", &[("url", "http://kodi-now/")]);
    world.seconds(25);
    answer(&mut world, &["kodi-now"], Answer::Pass);
    world.seconds(35);
    assert_eq!(world.mails(), ["2/3 well, not TV box"]);
    assert!(is_well(&world, "NAS") && world.state("Kodi") != State::Unhealthy);
    world.seconds(300);
    assert!(is_well(&world, "Kodi"));
    assert_eq!(world.inbox.len(), 1);
}

#[test]
fn who_may_have_mail_only_after_the_end_is_told_then() {
    let mut world = house();
    world.mailing = false;
    cut(&mut world, &["Kodi", "TV box"]);
    world.seconds(700);
    assert_eq!(world.state("Kodi"), State::Unhealthy);
    world.mailing = true;
    world.restart();
    world.seconds(600);
    let told = |name: &str| world.inbox.iter().filter(|(_, mail)| mail.tells_of(name)).count();
    assert_eq!((told("Kodi"), told("TV box"), told("NAS")), (1, 1, 0), "{:?}", world.mails());
}

#[test]
fn more_than_a_report_has_room_for_are_a_mail_or_two_and_not_one_each() {
    let mut world = World::new();
    for number in 0..250 {
        register(&mut world, &format!("app{number}"), &[]);
    }
    world.pass(A_WHILE);
    world.inbox.clear();
    (0..250).for_each(|number| world.answers(&format!("app{number}"), Answer::Hang));
    world.power_cut(A_WHILE);
    world.seconds(1800);
    assert!(world.inbox.len() <= 3, "{}", world.inbox.len());
    let told = |name: &str| world.inbox.iter().filter(|(_, mail)| mail.tells_of(name)).count();
    assert!((0..250).all(|number| told(&format!("app{number}")) == 1));
}

#[test]
fn the_end_of_a_report_counts_from_it_for_who_had_the_end_of_what_was_before() {
    let mut world = World::new();
    let both = "owner@example.org, anna@example.org";
    register(&mut world, "Kodi", &[("url", "http://192.168.1.20:8001/"), ("email", both)]);
    register(&mut world, "NAS", &[("url", "http://192.168.1.20:8002/")]);
    register(&mut world, "Heating", &[]);
    world.pass(A_WHILE);
    world.inbox.clear();
    // Both are silent; Kodi is well soon, and the owner waits for the NAS, too.
    ["192.168.1.20:8001", "192.168.1.20:8002"]
        .iter()
        .for_each(|it| world.answers(it, Answer::Hang));
    world.pass(A_WHILE);
    world.answers("192.168.1.20:8001", Answer::Pass);
    world.seconds(6 * 3600);
    let end =
        world.mails().into_iter().find(|mail| mail.contains("anna") && mail.contains("HEALTHY"));
    assert!(end.is_some(), "{:?}", world.mails());
    world.answers("192.168.1.20:8001", Answer::Hang);
    world.power_cut(A_WHILE);
    world.seconds(1200);
    world.answers("192.168.1.20:8001", Answer::Pass);
    world.seconds(600);
    let (at, last) =
        world.inbox.iter().rfind(|(_, mail)| mail.to.to_string().contains("anna")).unwrap();
    let at = healthchecker::engine::time::Moment::from_millis(*at);
    let subject = letter::write(last, at, &Zone::UTC, None).subject;
    assert_eq!(subject, "[HealthChecker] Kodi is HEALTHY again after 11 min");
}
