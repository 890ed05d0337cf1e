//! Who hears of a report that is missing, and when: behind a parent, muted, in a quiet time, named meanwhile.

use std::time::Duration;

use healthchecker::engine::beats::Report;
use healthchecker::engine::incidents::mutes::{HowLong, What};
use healthchecker::engine::state::State;
use healthchecker::engine::verdict::reported;

use super::beats::{DAY, HOUR, NIGHTLY, backup, beat, report};
use super::clock::letter;
use super::world::{Answer, World};

#[test]
fn two_that_are_late_together_are_told_without_a_host() {
    let mut world = backup(&NIGHTLY);
    world.register("Photos", &NIGHTLY);
    beat(&mut world, "Photos");
    beat(&mut world, "Backup");
    world.seconds(60);
    world.inbox.clear();
    world.seconds(27 * HOUR);
    assert_eq!(world.inbox.len(), 1, "{:?}", world.mails());
    let text = letter(&world, 0);
    assert!(text.contains("no beat within 1 day 2 h") && text.contains("Photos"), "{text}");
    assert!(!text.contains("On :"), "{text}");
}

#[test]
fn the_silence_of_a_backup_waits_for_the_nas_that_it_is_made_on() {
    let mut world = backup(&[&NIGHTLY[..], &[("parent", "NAS")]].concat());
    world.register("NAS", &[("interval", "30"), ("healthy", "2")]);
    world.seconds(300);
    world.inbox.clear();
    world.seconds(25 * HOUR + 1800);
    world.answers("NAS", Answer::Hang);
    world.seconds(2 * HOUR);
    assert_eq!(
        world.mails().iter().filter(|mail| mail.contains("UNHEALTHY")).count(),
        1,
        "{:?}",
        world.mails()
    );
}

#[test]
fn a_backup_that_waited_for_a_nas_of_which_nobody_is_to_hear_is_told_when_that_is_well() {
    let mut world = backup(&[&NIGHTLY[..], &[("parent", "NAS")]].concat());
    world.register("NAS", &[("interval", "30"), ("healthy", "2")]);
    world.seconds(300);
    world.inbox.clear();
    world.seconds(25 * HOUR + 1800);
    world.quiet_for("NAS", DAY);
    world.answers("NAS", Answer::Hang);
    world.seconds(2 * HOUR);
    assert_eq!((world.state("Backup"), world.mails().len()), (State::Unhealthy, 0));
    world.answers("NAS", Answer::Pass);
    world.seconds(180);
    assert_eq!(world.mails(), ["Backup UNHEALTHY"], "its next report is a day away");
    world.seconds(20 * HOUR);
    assert_eq!(world.inbox.len(), 1, "{:?}", world.mails());
}

#[test]
fn a_backup_behind_what_somebody_has_muted_is_told_when_that_is_over() {
    for (how_long, is_back) in
        [(HowLong::Recovery, true), (HowLong::Span(Duration::from_secs(3 * HOUR)), false)]
    {
        let mut world = backup(&[&NIGHTLY[..], &[("parent", "Host")]].concat());
        world.register("Host", &[("interval", "30"), ("healthy", "2"), ("parent", "Switch")]);
        world.register("Switch", &[("interval", "30"), ("healthy", "2")]);
        world.seconds(25 * HOUR + 1800);
        world.answers("Switch", Answer::Hang);
        world.answers("Host", Answer::Hang);
        world.seconds(600);
        world.inbox.clear();
        for app in ["Switch", "Host"] {
            let what = What::App(app.to_owned(), None);
            world.engine.mute(world.now, &what, how_long).unwrap();
            world.act();
        }
        world.seconds(2 * HOUR);
        assert_eq!((world.state("Backup"), world.mails().len()), (State::Unhealthy, 0));
        if is_back {
            world.answers("Switch", Answer::Pass);
            world.answers("Host", Answer::Pass);
        }
        world.seconds(2 * HOUR);
        let told = world.mails().iter().filter(|mail| mail.contains("Backup")).count();
        assert_eq!(told, 1, "{:?}", world.mails());
    }
}

#[test]
fn who_falls_silent_with_a_parent_waits_for_none_of_the_outage_before() {
    let mut world = backup(&[&NIGHTLY[..], &[("parent", "Switch")]].concat());
    let asked = [("interval", "30"), ("healthy", "2")];
    world.register("Switch", &asked);
    world.register("NAS", &[&asked[..], &[("parent", "Switch")]].concat());
    let hourly = [("kind", "beat"), ("url", ""), ("interval", "3600"), ("parent", "Switch")];
    world.register("Sync", &hourly);
    let hours = |world: &mut World, hours: u64, syncs: bool| {
        for _ in 0..hours {
            world.seconds(HOUR);
            if syncs {
                beat(world, "Sync");
            }
        }
    };
    let answer = |world: &mut World, answer: Answer| {
        ["Switch", "NAS"].iter().for_each(|name| world.answers(name, answer));
    };
    hours(&mut world, 25, true);
    answer(&mut world, Answer::Hang);
    hours(&mut world, 2, true);
    answer(&mut world, Answer::Pass);
    // The night was missed, and the next is not here yet.
    hours(&mut world, 10, true);
    assert_eq!(world.state("Backup"), State::Unhealthy);
    let tells = |world: &World, name: &str, state: State| {
        let mails = world.inbox.iter();
        mails.filter(|(_, mail)| mail.conclusions().any(|it| it == (name, state))).count()
    };
    assert_eq!(tells(&world, "Backup", State::Unhealthy), 1);
    answer(&mut world, Answer::Hang);
    hours(&mut world, 2, false);
    assert_eq!(tells(&world, "Sync", State::Unhealthy), 1);
    answer(&mut world, Answer::Pass);
    hours(&mut world, 1, true);
    world.seconds(300);
    assert_eq!((world.state("Sync"), world.state("Backup")), (State::Healthy, State::Unhealthy));
    assert_eq!(tells(&world, "Sync", State::Healthy), 1, "{:?}", world.mails());
}

#[test]
fn the_mail_says_what_is_missing_and_names_no_address() {
    let mut world = backup(&NIGHTLY);
    world.seconds(27 * HOUR);
    let text = letter(&world, 0);
    assert!(!text.contains("Address"), "{text}");
    assert!(text.contains("no beat within 1 day 2 h"), "{text}");
}

/// What a backup registers that runs in the night, when nobody is told.
const QUIET_NIGHTLY: [(&str, &str); 5] = [
    ("kind", "beat"),
    ("url", ""),
    ("interval", "86400"),
    ("grace", "7200"),
    // The world begins at 22:56 UTC.
    ("quiet", "01:00-05:00"),
];

fn fail(world: &mut World) {
    report(world, "Backup", Report::Went(reported(true, "", b"disk full")));
}

#[test]
fn what_is_reported_in_a_quiet_time_is_told_at_its_end_though_nothing_more_is_reported() {
    for killed in [None, Some(false), Some(true)] {
        let mut world = backup(&QUIET_NIGHTLY);
        let night = |world: &mut World, fails: bool| {
            // About 02:00.
            world.seconds(3 * HOUR);
            if fails {
                fail(world);
            } else {
                beat(world, "Backup");
            }
            world.seconds(60);
            if killed == Some(false) {
                world.restart();
            }
            let before = world.inbox.len();
            world.seconds(2 * HOUR);
            assert_eq!(world.inbox.len(), before, "it is quiet");
            if killed == Some(true) {
                // Nothing of us runs when it ends.
                world.now.at = world.now.at + Duration::from_secs(2 * HOUR);
                let wall = world.now.wall.after(Duration::from_secs(2 * HOUR));
                world.restart_at(wall);
            }
            world.seconds(4 * HOUR);
            if killed != Some(true) {
                world.seconds(2 * HOUR);
            }
            world.seconds(13 * HOUR - 60);
        };
        night(&mut world, true);
        assert_eq!(world.mails(), ["Backup UNHEALTHY"], "killed: {killed:?}");
        night(&mut world, false);
        assert_eq!(world.mails(), ["Backup UNHEALTHY", "Backup HEALTHY"], "killed: {killed:?}");
    }
}

#[test]
fn who_is_named_while_it_is_late_hears_at_once_and_not_at_the_next_start() {
    let mut world = backup(&NIGHTLY);
    fail(&mut world);
    world.seconds(60);
    assert_eq!(world.mails(), ["Backup UNHEALTHY"]);
    let mut fields = NIGHTLY.to_vec();
    fields.push(("email", "anna@example.org"));
    world.register("Backup", &fields);
    world.seconds(60);
    let told = ["Backup UNHEALTHY", "anna@example.org: Backup UNHEALTHY"];
    assert_eq!(world.mails(), told);
    world.restart();
    world.seconds(HOUR);
    assert_eq!(world.mails(), told, "a start tells nothing new");
}

#[test]
fn who_is_named_for_a_quiet_time_that_begins_with_it_hears_at_its_end() {
    let mut world = backup(&NIGHTLY);
    fail(&mut world);
    world.seconds(60);
    world.inbox.clear();
    let minute = world.now.wall.as_unix_millis() / 60_000 % (24 * 60);
    let clock = |minute: i64| format!("{:02}:{:02}", minute / 60 % 24, minute % 60);
    let quiet = format!("{}-{}", clock(minute - 5), clock(minute + 60));
    let mut fields = NIGHTLY.to_vec();
    fields.extend([("email", "anna@example.org"), ("quiet", quiet.as_str())]);
    world.register("Backup", &fields);
    world.seconds(50 * 60);
    assert_eq!(world.mails(), [] as [&str; 0], "{quiet}");
    world.seconds(15 * 60);
    assert_eq!(world.mails(), ["anna@example.org: Backup UNHEALTHY"]);
    // And where a new time ends it.
    let mut fields = NIGHTLY.to_vec();
    let quiet = format!("{}-{}", clock(minute + 50), clock(minute + 200));
    fields.extend([("email", "anna@example.org"), ("quiet", quiet.as_str())]);
    world.register("Backup", &fields);
    world.seconds(60);
    fields.retain(|(field, _)| *field != "email" && *field != "quiet");
    fields.extend([("email", "bert@example.org"), ("quiet", "never")]);
    world.register("Backup", &fields);
    world.seconds(300);
    assert_eq!(world.mails()[1..], ["bert@example.org: Backup UNHEALTHY"]);
}

#[test]
fn after_a_restart_reminders_and_the_end_of_a_mute_wait_for_no_report() {
    let told = |mute: Option<u64>| {
        let mut world = World::new();
        world.reminders = true;
        world.restart();
        world.register("Backup", &NIGHTLY);
        beat(&mut world, "Backup");
        world.seconds(60);
        fail(&mut world);
        world.seconds(60);
        let what = What::App("Backup".to_owned(), None);
        if let Some(hours) = mute {
            let span = HowLong::Span(Duration::from_secs(hours * HOUR));
            assert!(world.engine.mute(world.now, &what, span).is_ok());
            world.act();
        }
        world.restart();
        world.inbox.clear();
        world.seconds(5 * HOUR);
        world.inbox.len()
    };
    assert_eq!(told(None), 1, "reminded after an hour");
    assert_eq!(told(Some(2)), 1, "told when its time is over");
    assert_eq!(told(Some(8)), 0);
}
