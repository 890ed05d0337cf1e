//! A Pi has no clock battery: its mail waits until the clock is set.

use super::disk::accepted;
use super::world::{Answer, Mood, World};
use healthchecker::engine::log_event::LogEvent;
use healthchecker::engine::outbox::letter;
use healthchecker::engine::outbox::notice::Notice;
use healthchecker::engine::time::Wall;

pub(super) const QUICK: [(&str, &str); 3] =
    [("interval", "5"), ("unhealthy", "2"), ("healthy", "2")];

/// Two minutes after a Pi was switched on.
const SWITCHED_ON: Wall = Wall::from_unix_millis(130_000);
pub(super) const REALLY: Wall = Wall::from_unix_millis(1_795_500_000_000);

fn without_clock() -> World {
    let mut world = World::new();
    world.set_clock(SWITCHED_ON);
    world.register("NAS", &QUICK);
    world.register("Kodi", &QUICK);
    world.seconds(60);
    world.answers("NAS", Answer::Fail);
    world
}

/// A household with a NAS that passes, and `world.mails` empty.
pub(super) fn healthy() -> World {
    asked(&QUICK)
}

/// The same for days, which are many checks.
pub(super) fn asked_each_minute() -> World {
    asked(&[("interval", "60"), ("unhealthy", "2"), ("healthy", "2")])
}

fn asked(how: &[(&str, &str)]) -> World {
    let mut world = World::new();
    world.register("NAS", how);
    world.seconds(60);
    world.inbox.clear();
    world
}

pub(super) fn by(wall: Wall, seconds: i64) -> Wall {
    Wall::from_unix_millis(wall.as_unix_millis() + seconds * 1000)
}

pub(super) fn letter(world: &World, number: usize) -> String {
    letter::write(&world.inbox[number].1, world.now.at, world.engine.zone(), None).text
}

pub(super) fn uptimes(world: &World) -> [f64; 2] {
    let closeup = world.engine.view().closeups(world.now, &["NAS".to_owned()]).remove(0);
    [closeup.summary.uptime_24h.unwrap(), closeup.uptimes[0].1.unwrap()]
}

/// The share of checks that did not fail, to two places.
pub(super) fn about(uptimes: [f64; 2]) -> [f64; 2] {
    uptimes.map(|share| (share * 100.0).round() / 100.0)
}

fn complaints(world: &World) -> usize {
    world.notes.iter().filter(|note| matches!(note, LogEvent::ClockWrong { .. })).count()
}

#[test]
fn mail_goes_out_without_a_clock_if_the_owner_says_so() {
    let mut world = World::new();
    world.mail_without_clock = true;
    world.restart_at(SWITCHED_ON);
    world.register("NAS", &QUICK);
    world.seconds(720);
    world.answers("NAS", Answer::Fail);
    world.seconds(20);
    assert_eq!(world.mails(), ["watching NAS", "NAS UNHEALTHY"]);
    assert_eq!(complaints(&world), 0);
    let text = letter(&world, 1);
    assert!(text.contains("12 min after the start") && !text.contains("1970"), "{text}");
    assert!(!text.contains("This mail waited"), "{text}");

    world.mood = Mood::Away;
    world.answers("NAS", Answer::Pass);
    world.seconds(60);
    let outbox = world.engine.view().health(world.now, world.now.at, Vec::new()).outbox;
    assert_eq!(outbox.waiting, 1);
    assert!(!outbox.trouble.concat().contains("clock"), "{:?}", outbox.trouble);
}

#[test]
fn checks_go_on_and_no_mail_is_tried_while_the_clock_is_plainly_wrong() {
    let mut world = without_clock();
    world.seconds(6 * 3600);
    assert_eq!(world.state("NAS").word(), "UNHEALTHY");
    assert!(world.tries.is_empty());
    assert_eq!(complaints(&world), 1);
    let outbox =
        |world: &World| world.engine.view().health(world.now, world.now.at, Vec::new()).outbox;
    let trouble = outbox(&world).trouble.concat();
    assert_eq!(
        trouble,
        "mail waits until the clock of this machine is set: it shows 1970-01-01 06:03:10 UTC (clock not set)"
    );
    assert_eq!(outbox(&world).waiting, 1, "it has not failed");

    world.set_clock(REALLY);
    world.seconds(10);
    assert_eq!(world.mails(), ["watching NAS, Kodi + NAS UNHEALTHY"]);
    assert_eq!(outbox(&world).trouble.len(), 0);
    let text = letter(&world, 0);
    assert!(text.starts_with("This mail waited 6 h: it was written at 2026-11-2"), "{text}");
    assert!(!text.contains("1970") && !text.contains("not set"), "{text}");

    world.answers("NAS", Answer::Pass);
    world.seconds(20);
    assert_eq!(world.mails()[1..], ["NAS HEALTHY"]);
    let text = letter(&world, 1);
    assert!(text.contains("NAS is HEALTHY again after 6 h"), "by the other clock: {text}");
}

#[test]
fn a_power_cut_while_the_clock_is_wrong_loses_nothing() {
    let mut world = without_clock();
    for _ in 0..3 {
        world.seconds(3600);
        world.restart();
        world.set_clock(SWITCHED_ON);
    }
    world.seconds(60);
    assert!(world.tries.is_empty());
    world.set_clock(REALLY);
    world.seconds(10);
    assert_eq!(world.mails(), ["watching NAS, Kodi + NAS UNHEALTHY"]);
}

#[test]
fn a_clock_that_is_lost_again_is_said_again() {
    let mut world = without_clock();
    world.seconds(60);
    world.set_clock(REALLY);
    world.seconds(60);
    world.set_clock(SWITCHED_ON);
    world.answers("NAS", Answer::Pass);
    world.seconds(60);
    assert_eq!((complaints(&world), world.inbox.len()), (2, 1));
    world.set_clock(REALLY);
    world.seconds(10);
    assert_eq!(world.mails()[1..], ["NAS HEALTHY"]);
}

/// Twenty mails are on record; the daemon starts with its clock at `wall`, four times, 150 minutes
/// apart. How many alerts went out within a minute.
fn alerts_after_starts(wall: impl Fn(Wall) -> Wall) -> usize {
    let mut world = healthy();
    have_mails(&mut world, 19);
    world.seconds(3 * 86_400);
    world.inbox.clear();
    for start in 0..4 {
        let right = world.now.wall;
        world.restart_at(wall(right));
        world.set_clock(by(right, start));
        world.seconds(150 * 60);
        world.restart_at(wall(right));
        world.answers("NAS", if start % 2 == 0 { Answer::Fail } else { Answer::Pass });
        world.seconds(60);
        world.now.wall = by(right, 9000);
    }
    world.inbox.len()
}

#[test]
fn mails_of_days_ago_hold_nothing_back_after_a_start_with_a_wrong_clock() {
    assert_eq!(alerts_after_starts(|right| by(right, -30 * 86_400)), 4);
    assert_eq!(alerts_after_starts(|right| by(right, 86_400)), 4);
    assert_eq!(alerts_after_starts(|right| right), 4);
}

#[test]
fn how_long_it_lasted_is_right_once_the_clock_is_set() {
    for wrong in [SWITCHED_ON, by(REALLY, -3600), by(REALLY, -2)] {
        let mut world = healthy();
        world.set_clock(by(REALLY, -600));
        world.answers("NAS", Answer::Fail);
        world.seconds(300);
        // Five minutes without power.
        world.restart_at(wrong);
        world.seconds(20);
        world.set_clock(by(REALLY, 20));
        world.answers("NAS", Answer::Pass);
        world.seconds(20);
        assert_eq!(world.mails(), ["NAS UNHEALTHY", "NAS HEALTHY"]);
        let text = letter(&world, 1);
        assert!(text.contains("HEALTHY again after 10 min"), "{wrong}: {text}");
        assert!(text.contains("Alert since: 2026-11-24 05:50"), "{wrong}: {text}");
    }
}

#[test]
fn a_mail_that_waits_for_the_clock_tells_how_long_it_lasted() {
    let mut world = healthy();
    world.set_clock(by(REALLY, -600));
    world.answers("NAS", Answer::Fail);
    world.seconds(300);
    world.restart_at(SWITCHED_ON);
    world.answers("NAS", Answer::Pass);
    world.seconds(30);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"], "the other waits");
    world.set_clock(by(REALLY, 30));
    world.seconds(20);
    let text = letter(&world, 1);
    assert!(text.contains("NAS is HEALTHY again after 10 min"), "{text}");
}

#[test]
fn a_crash_soon_after_the_clock_was_set_counts_no_day_twice() {
    let mut world = World::new();
    world.set_clock(SWITCHED_ON);
    world.register("NAS", &QUICK);
    world.seconds(3700);
    let checks = |world: &World| days(world).iter().map(|(_, checks)| checks).sum::<u16>();
    world.set_clock(REALLY);
    world.answers("NAS", Answer::Fail);
    world.seconds(20);
    let before = checks(&world);
    world.restart();
    assert!((before - 5..=before).contains(&checks(&world)), "{before} {:?}", days(&world));
}

#[test]
fn how_long_it_lasted_is_not_guessed_while_the_clock_is_wrong() {
    // What is on record was after that: the clock is behind, by nobody knows how much.
    let mut world = healthy();
    world.answers("NAS", Answer::Fail);
    world.seconds(1200);
    world.restart_at(by(world.now.wall, -3600));
    world.answers("NAS", Answer::Pass);
    world.seconds(40);
    let text = letter(&world, 1);
    assert!(text.contains("NAS is HEALTHY again after at least "), "{text}");

    // In 1970 for 20 minutes; then again, and it is set before the mail goes out.
    let mut world = without_clock();
    world.seconds(1200);
    world.restart_at(SWITCHED_ON);
    world.answers("NAS", Answer::Pass);
    world.seconds(40);
    world.set_clock(REALLY);
    world.seconds(20);
    let text = letter(&world, 0);
    let last = world.inbox[0].1.notices.last();
    assert!(
        matches!(last, Some(Notice::Change(change)) if change.to.word() == "HEALTHY"),
        "{text}"
    );
    assert!(text.contains("NAS is HEALTHY again after at least "), "{text}");
    assert!(!text.contains("days"), "{text}");
}

#[test]
fn a_mail_that_waited_five_seconds_did_not_wait_three_days() {
    let mut world = healthy();
    world.mood = Mood::Away;
    world.answers("NAS", Answer::Fail);
    world.seconds(12);
    world.set_clock(by(world.now.wall, 3 * 86_400));
    world.mood = Mood::Accepts;
    world.seconds(10);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"]);
    let text = letter(&world, 0);
    assert!(!text.contains("waited"), "{text}");
}

#[test]
fn what_was_noted_before_the_clock_was_set_is_right_on_disk_too() {
    let mut world = without_clock();
    world.mood = Mood::Away;
    world.seconds(600);
    world.set_clock(REALLY);
    world.seconds(90);
    let since = world.engine.view().info(world.now, "NAS").unwrap().app.since;
    assert!(since > by(REALLY, -700) && since < REALLY, "{since}");
    // Two minutes without power.
    world.restart_at(by(REALLY, 210));
    assert_eq!(world.engine.view().info(world.now, "NAS").unwrap().app.since, since);
    world.mood = Mood::Accepts;
    world.answers("NAS", Answer::Pass);
    world.seconds(30);
    let mails = (0..world.inbox.len()).map(|number| letter(&world, number));
    let text = mails.collect::<Vec<_>>().join("\n");
    assert!(text.contains("HEALTHY again after 13 min"), "{text}");
    assert!(!text.contains("1970") && !text.contains("at least"), "{text}");
}

#[test]
fn a_clock_that_jumps_to_and_fro_does_not_wear_out_the_card() {
    let mut world = healthy();
    world.set_clock(by(world.now.wall, 7200));
    world.seconds(20);
    let settled = world.journal.clone();
    for _ in 0..50 {
        world.set_clock(by(world.now.wall, -7200));
        world.seconds(20);
        world.set_clock(by(world.now.wall, 7200));
        world.seconds(20);
    }
    assert_eq!(world.journal, settled, "nothing to be put right");
}

#[test]
fn a_second_cut_soon_after_the_clock_was_set_finds_the_times_put_right() {
    let mut world = healthy();
    // A clock without a battery goes on from its last hour, which is not before what is on record.
    world.restart_at(by(REALLY, 1000));
    world.answers("NAS", Answer::Fail);
    world.seconds(40);
    let really = by(world.now.wall, 3000);
    world.set_clock(really);
    let since = world.engine.view().info(world.now, "NAS").unwrap().app.since;
    world.seconds(10);
    world.restart_at(by(really, 3600));
    assert_eq!(world.engine.view().info(world.now, "NAS").unwrap().app.since, since);
    assert!(since > by(really, -60));
}

/// Six hours of which the last third failed.
pub(super) fn two_thirds() -> World {
    let mut world = healthy();
    world.set_clock(by(REALLY, -6 * 3600));
    world.seconds(4 * 3600 - 60);
    world.answers("NAS", Answer::Fail);
    world.seconds(2 * 3600);
    assert_eq!(about(uptimes(&world)), [0.67, 0.67]);
    world
}

#[test]
fn uptime_is_the_same_after_a_start_with_any_clock() {
    for wrong in [SWITCHED_ON, by(REALLY, -7200), by(REALLY, -30 * 86_400), by(REALLY, 3600)] {
        let mut world = two_thirds();
        // As after an orderly stop, so that no hour is missing.
        world.rewrite_journal();
        world.restart_at(wrong);
        assert_eq!(about(uptimes(&world)), [0.67, 0.67], "{wrong}");
        world.seconds(60);
        world.restart_at(by(wrong, 60));
        world.seconds(60);
        assert_eq!(about(uptimes(&world)), [0.66, 0.66], "{wrong}");
        world.set_clock(by(REALLY, 3720));
        assert_eq!(about(uptimes(&world)), [0.66, 0.66], "{wrong}");
    }
}

#[test]
fn uptime_is_the_same_whatever_the_clock_does_meanwhile() {
    for jump in [-3 * 3600, -10 * 86_400, 10 * 86_400, -50 * 365 * 86_400] {
        let mut world = two_thirds();
        world.set_clock(by(world.now.wall, jump));
        world.seconds(6);
        assert_eq!(about(uptimes(&world)), [0.67, 0.67], "{jump}");
        world.set_clock(by(world.now.wall, -jump));
        world.seconds(90);
        world.rewrite_journal();
        world.restart();
        assert_eq!(about(uptimes(&world)), [0.66, 0.66], "{jump}");
    }
}

#[test]
fn days_without_a_clock_are_days() {
    let mut world = World::new();
    world.set_clock(SWITCHED_ON);
    world.register("NAS", &[("interval", "60")]);
    world.answers("NAS", Answer::Fail);
    world.seconds(5 * 86_400);
    world.answers("NAS", Answer::Pass);
    world.seconds(5 * 86_400);
    assert_eq!(about(uptimes(&world)), [1.0, 0.83], "one of six failed");
    world.set_clock(REALLY);
    world.seconds(10);
    assert_eq!(about(uptimes(&world)), [1.0, 0.83]);
}

pub(super) fn days(world: &World) -> Vec<(i64, u16)> {
    let closeup = world.engine.view().closeups(world.now, &["NAS".to_owned()]).remove(0);
    let today = REALLY.as_unix_millis() / 86_400_000;
    closeup.days.all().map(|day| (i64::from(day.day) - today, day.checks)).collect()
}

#[test]
fn a_clock_that_is_set_by_seconds_at_midnight_or_by_hours_makes_no_other_day() {
    // Six in the morning, and nothing before.
    let mut world = World::new();
    world.set_clock(REALLY);
    world.register("NAS", &[("interval", "60")]);
    world.seconds(2 * 86_400 + 18 * 3600 - 10);
    let three = [(0, 1081), (1, 1440), (2, 1440)];
    assert_eq!(days(&world), three);
    for there in [20, 6 * 3600, 13 * 3600, 36 * 3600] {
        world.set_clock(by(world.now.wall, there));
        world.set_clock(by(world.now.wall, -there));
        assert_eq!(days(&world), three, "{there}");
        world.set_clock(by(world.now.wall, -there));
        world.set_clock(by(world.now.wall, there));
        assert_eq!(days(&world), three, "{there}");
    }
    world.set_clock(by(world.now.wall, 20));
    world.seconds(300);
    assert_eq!(days(&world), [(0, 1081), (1, 1440), (2, 1440), (3, 5)]);
    world.set_clock(by(world.now.wall, -600));
    world.seconds(1200);
    assert_eq!(days(&world), [(0, 1081), (1, 1440), (2, 1440), (3, 25)]);
}

#[test]
fn the_day_of_a_power_cut_stays_that_day() {
    for start in [SWITCHED_ON, by(REALLY, 3600), by(REALLY, -30 * 86_400)] {
        let mut world = World::new();
        world.set_clock(REALLY);
        world.register("NAS", &[("interval", "60")]);
        world.answers("NAS", Answer::Fail);
        world.seconds(3600);
        world.rewrite_journal();
        world.answers("NAS", Answer::Pass);
        world.restart_at(start);
        world.seconds(600);
        // Ten days without power.
        world.set_clock(by(REALLY, 10 * 86_400));
        for there in [10 * 86_400, -5 * 86_400, -500 * 86_400] {
            world.set_clock(by(world.now.wall, there));
            world.set_clock(by(world.now.wall, -there));
        }
        assert_eq!(days(&world), [(0, 61), (10, 10)], "{start}");
        assert_eq!(uptimes(&world)[1], 1.0, "{start}");
        world.seconds(600);
        assert_eq!(days(&world), [(0, 61), (10, 20)], "{start}");
    }
}

/// Twenty mails within the hour: the next is held back.
pub(super) fn full() -> World {
    let mut world = healthy();
    have_mails(&mut world, 18);
    world.answers("NAS", Answer::Fail);
    world.seconds(30);
    assert_eq!(world.inbox.len(), 19, "and the welcome before them");
    world.inbox.clear();
    world
}

/// The owner gets so many mails, of apps that are new.
fn have_mails(world: &mut World, mails: usize) {
    for number in 0..mails {
        world.register(&format!("App{number}"), &QUICK);
        world.seconds(15);
    }
    assert_eq!(world.inbox.len(), mails);
}

#[test]
fn a_mail_that_did_not_count_for_the_limit_counts_no_more_when_the_clock_is_set_back() {
    let counting =
        |world: &World| accepted(&world.engine.snapshot(world.now)).values().sum::<usize>();
    let ahead = |world: &mut World, set: bool| {
        let right = world.now.wall;
        if set {
            world.restart_at(right);
            assert_eq!(counting(world), 20);
            world.set_clock(by(right, 7200));
        } else {
            world.restart_at(by(right, 7200));
        }
        assert_eq!(counting(world), 0, "as it seems, the last was two hours ago");
        world.seconds(20);
        world.rewrite_journal();
        world.set_clock(by(right, 20));
    };
    for set in [false, true] {
        let mut world = full();
        ahead(&mut world, set);
        let held = counting(&world);
        world.restart();
        assert_eq!((held, counting(&world)), (0, 0), "in memory as on disk");
    }
}
