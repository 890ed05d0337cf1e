//! Quiet times: nobody is told of what happens within one, and of what is broken at its end then.

use std::time::Duration;

use healthchecker::engine::outbox::letter;
use healthchecker::engine::registration::QuietTimes;
use healthchecker::engine::state::State;
use healthchecker::engine::time::{Moment, Wall, Zone};

use crate::world::{Answer, Mood, World};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

/// A household at this time in UTC, in which Berlin's clocks hang, and everybody is well.
fn house(at: &str, apps: &[&str], parameters: &[(&str, &str)]) -> World {
    let mut world = World::new();
    world.zone = Zone::from_posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
    world.restart_at(wall(at));
    for app in apps {
        world.register(app, parameters);
    }
    world.seconds(9 * MINUTE);
    world.inbox.clear();
    world
}

fn wall(utc: &str) -> Wall {
    format!("{utc}Z").parse().unwrap()
}

/// When each mail arrived, in UTC, and what it told.
fn told(world: &World) -> Vec<String> {
    let ahead = world.now.wall.as_unix_millis() - world.now.at.as_millis() as i64;
    let at = |ms: u64| Wall::from_unix_millis(ahead + ms as i64).to_string()[11..16].to_owned();
    let mails = world.inbox.iter().zip(world.mails());
    mails.map(|((ms, _), mail)| format!("{} {mail}", at(*ms))).collect()
}

fn until(world: &mut World, utc: &str) {
    let ms = wall(utc).as_unix_millis() - world.now.wall.as_unix_millis();
    world.pass(Duration::from_millis(u64::try_from(ms).unwrap()));
}

fn subject(world: &World, mail: usize) -> String {
    world.letter(mail).subject
}

const QUIET: &[(&str, &str)] = &[("quiet", "02:30-04:00"), ("healthy", "2")];

#[test]
fn what_is_broken_at_the_end_is_told_then_and_all_else_never() {
    let mut world = house("2026-11-24T01:00:00", &["Kodi", "NAS", "TV"], QUIET);
    until(&mut world, "2026-11-24T01:35:00");
    world.answers("Kodi", Answer::Fail);
    world.answers("NAS", Answer::Fail);
    until(&mut world, "2026-11-24T01:45:00");
    assert_eq!(world.state("Kodi"), State::Unhealthy, "checks go on");
    let info = world.engine.view().info(world.now, "Kodi").unwrap().app;
    assert_eq!(info.quiet_until, Some(wall("2026-11-24T03:00:00")));
    assert!(!info.paused);
    world.answers("NAS", Answer::Pass);
    until(&mut world, "2026-11-24T02:59:59");
    assert_eq!(told(&world), [""; 0]);
    until(&mut world, "2026-11-24T03:10:00");
    assert_eq!(told(&world), ["03:00 Kodi UNHEALTHY"]);
    world.answers("Kodi", Answer::Pass);
    until(&mut world, "2026-11-24T03:20:00");
    assert_eq!(told(&world).len(), 2, "{:?}", told(&world));
}

#[test]
fn several_that_fell_silent_are_told_together_at_the_end() {
    let mut world = house("2026-11-24T01:00:00", &["Kodi", "NAS", "TV", "Pi"], QUIET);
    until(&mut world, "2026-11-24T01:35:00");
    ["Kodi", "NAS", "TV"].iter().for_each(|app| world.answers(app, Answer::Hang));
    until(&mut world, "2026-11-24T02:30:00");
    world.answers("TV", Answer::Pass);
    until(&mut world, "2026-11-24T03:05:00");
    assert_eq!(world.inbox.len(), 1, "{:?}", told(&world));
    assert!(told(&world)[0].starts_with("03:00"), "{:?}", told(&world));
    assert!(subject(&world, 0).contains("2 apps are UNHEALTHY: "), "{}", subject(&world, 0));
}

#[test]
fn what_people_knew_before_ends_for_them_after_it() {
    let mut world = house("2026-11-24T01:00:00", &["Kodi", "NAS"], QUIET);
    world.answers("Kodi", Answer::Fail);
    world.answers("NAS", Answer::Hang);
    until(&mut world, "2026-11-24T01:25:00");
    assert_eq!(world.inbox.len(), 2, "{:?}", told(&world));
    world.inbox.clear();
    until(&mut world, "2026-11-24T01:40:00");
    world.answers("Kodi", Answer::Pass);
    until(&mut world, "2026-11-24T02:59:00");
    assert_eq!(world.state("Kodi"), State::Healthy);
    assert_eq!(told(&world), [""; 0]);
    until(&mut world, "2026-11-24T03:10:00");
    assert_eq!(told(&world), ["03:00 Kodi HEALTHY"], "and the other is known");
}

#[test]
fn a_mail_that_waited_through_it_tells_all_that_came_by_then_at_once() {
    let mut world = house("2026-11-24T01:00:00", &["Kodi", "NAS", "TV"], QUIET);
    world.answers("TV", Answer::Fail);
    until(&mut world, "2026-11-24T01:25:00");
    assert_eq!(told(&world).len(), 1, "{:?}", told(&world));
    world.inbox.clear();
    world.mood = Mood::Away;
    world.answers("Kodi", Answer::Fail);
    world.answers("NAS", Answer::Fail);
    until(&mut world, "2026-11-24T01:40:00");
    world.mood = Mood::Accepts;
    ["Kodi", "NAS", "TV"].iter().for_each(|app| world.answers(app, Answer::Pass));
    until(&mut world, "2026-11-24T02:59:00");
    assert_eq!(told(&world), [""; 0]);
    until(&mut world, "2026-11-24T03:10:00");
    let mails = told(&world);
    assert_eq!(mails.len(), 1, "who is well is not told to be UNHEALTHY: {mails:?}");
}

#[test]
fn who_is_not_quiet_waits_for_no_mail_of_those_who_are() {
    let mut world = house("2026-11-24T01:00:00", &["Kodi"], QUIET);
    world.register("NAS", &[("healthy", "2")]);
    until(&mut world, "2026-11-24T01:20:00");
    world.mood = Mood::Away;
    world.answers("Kodi", Answer::Fail);
    until(&mut world, "2026-11-24T01:45:00");
    world.mood = Mood::Accepts;
    until(&mut world, "2026-11-24T02:00:00");
    assert_eq!(told(&world).len(), 1, "the welcome: {:?}", told(&world));
    world.inbox.clear();
    world.answers("NAS", Answer::Fail);
    until(&mut world, "2026-11-24T02:05:00");
    let mails = told(&world);
    assert!(mails.iter().any(|mail| mail.contains("NAS UNHEALTHY")), "{mails:?}");
}

#[test]
fn an_option_holds_for_all_who_say_nothing_else() {
    let mut world = World::new();
    world.quiet = "Tu 02:30-04:00".parse::<QuietTimes>().unwrap();
    world.restart_at(wall("2026-11-24T02:00:00"));
    world.register("Kodi", &[("healthy", "2")]);
    world.register("Doorbell", &[("healthy", "2"), ("quiet", "never")]);
    world.register("NAS", &[("healthy", "2"), ("quiet", "05:00-06:00")]);
    world.seconds(5 * MINUTE);
    world.inbox.clear();
    until(&mut world, "2026-11-24T02:40:00");
    ["Kodi", "NAS", "Doorbell"].iter().for_each(|app| world.answers(app, Answer::Fail));
    until(&mut world, "2026-11-24T03:55:00");
    let mut names = told(&world);
    names.sort();
    assert_eq!(names.len(), 2, "{names:?}");
    assert!(names[0].contains("Doorbell") && names[1].contains("NAS"), "{names:?}");
    // Another default at a start, and empty is the default again.
    world.register("Doorbell", &[("healthy", "2"), ("quiet", "")]);
    let info = |world: &World, app| world.engine.view().info(world.now, app).unwrap().app;
    assert!(info(&world, "Doorbell").quiet_until.is_some());
    world.quiet = QuietTimes::default();
    world.restart();
    assert_eq!(info(&world, "Kodi").quiet_until, None);
    world.seconds(2 * MINUTE);
    assert!(told(&world).iter().any(|mail| mail.contains("Kodi UNHEALTHY")), "{:?}", told(&world));
}

#[test]
fn left_out_it_stays_as_the_owner_set_it() {
    let mut world = house("2026-11-24T01:31:00", &["Kodi"], QUIET);
    world.register("Kodi", &[("healthy", "2"), ("interval", "10")]);
    let quiet = world.engine.view().info(world.now, "Kodi").unwrap().app.quiet_until;
    assert_eq!(quiet, Some(wall("2026-11-24T03:00:00")));
}

#[test]
fn a_planned_reboot_wakes_nobody_and_what_does_not_come_back_is_told() {
    let mut world = house("2026-11-24T12:00:00", &["Kodi", "NAS"], &[("healthy", "2")]);
    for app in ["Kodi", "NAS"] {
        world.quiet_for(app, 10 * MINUTE);
        world.answers(app, Answer::Hang);
    }
    let info = world.engine.view().info(world.now, "Kodi").unwrap().app;
    assert_eq!(info.quiet_until, Some(wall("2026-11-24T12:19:00")));
    assert!(!info.paused);
    world.seconds(5 * MINUTE);
    world.answers("NAS", Answer::Pass);
    world.seconds(5 * MINUTE - 1);
    assert_eq!(told(&world), [""; 0]);
    world.seconds(MINUTE);
    assert_eq!(told(&world), ["12:19 Kodi UNHEALTHY"]);
}

#[test]
fn resume_ends_it_and_the_state_is_kept() {
    let mut world = house("2026-11-24T12:00:00", &["Kodi"], &[("healthy", "2")]);
    world.quiet_for("Kodi", HOUR);
    world.answers("Kodi", Answer::Fail);
    world.seconds(2 * MINUTE);
    assert_eq!(world.state("Kodi"), State::Unhealthy);
    world.resume("Kodi");
    assert_eq!(world.state("Kodi"), State::Unhealthy);
    world.seconds(1);
    assert_eq!(told(&world), ["12:11 Kodi UNHEALTHY"]);
    // A pause is another thing: `for` does not end it.
    world.pause("Kodi");
    world.quiet_for("Kodi", HOUR);
    assert!(world.engine.view().info(world.now, "Kodi").unwrap().app.paused);
}

#[test]
fn a_span_that_was_asked_for_is_kept_over_kills_boots_and_sleeps() {
    let until_when = |world: &World| {
        let app = world.engine.view().info(world.now, "Kodi").unwrap().app;
        app.quiet_until.map(|until| until.to_string())
    };
    let mut world = house("2026-11-24T12:00:00", &["Kodi"], &[("healthy", "2")]);
    world.quiet_for("Kodi", HOUR);
    world.answers("Kodi", Answer::Fail);
    world.seconds(2 * MINUTE);
    world.restart();
    assert_eq!(until_when(&world).as_deref(), Some("2026-11-24T13:09:00Z"));
    world.sleep(Duration::from_secs(30 * MINUTE));
    world.seconds(1);
    assert_eq!(until_when(&world).as_deref(), Some("2026-11-24T13:09:00Z"));
    assert_eq!(told(&world), [""; 0]);
    until(&mut world, "2026-11-24T13:08:59");
    assert_eq!(told(&world), [""; 0]);
    until(&mut world, "2026-11-24T13:12:00");
    assert_eq!(told(&world), ["13:09 Kodi UNHEALTHY"]);
    assert_eq!(until_when(&world), None);
}

#[test]
fn a_mail_that_waits_when_it_begins_waits_on_and_tells_the_end() {
    let mut world = house("2026-11-24T01:00:00", &["Kodi", "NAS"], QUIET);
    world.mood = Mood::Away;
    until(&mut world, "2026-11-24T01:20:00");
    world.answers("Kodi", Answer::Fail);
    world.answers("NAS", Answer::Fail);
    until(&mut world, "2026-11-24T01:35:00");
    world.mood = Mood::Accepts;
    world.answers("NAS", Answer::Pass);
    until(&mut world, "2026-11-24T02:20:00");
    world.restart();
    until(&mut world, "2026-11-24T02:59:59");
    assert_eq!(told(&world), [""; 0]);
    until(&mut world, "2026-11-24T03:05:00");
    let mails = told(&world);
    assert_eq!(mails.len(), 1, "{mails:?}");
    assert!(mails[0].contains("Kodi UNHEALTHY") && mails[0].contains("NAS HEALTHY"), "{mails:?}");
}

#[test]
fn nobody_is_told_by_a_clock_that_was_not_set_yet() {
    let mut world = World::new();
    world.restart_at(wall("1970-01-01T00:00:10"));
    for app in ["Kodi", "NAS"] {
        world.register(app, &[("healthy", "2"), ("quiet", "02:30-04:00")]);
    }
    world.answers("Kodi", Answer::Fail);
    world.seconds(5 * MINUTE);
    world.set_clock(wall("2026-11-24T03:00:00"));
    world.seconds(30 * MINUTE);
    assert_eq!(told(&world), [""; 0]);
    world.seconds(31 * MINUTE);
    let mails = told(&world);
    assert!(mails.iter().any(|mail| mail == "04:00 Kodi UNHEALTHY"), "{mails:?}");
    // Set beyond it, what is broken is told at once.
    let mut world = house("2026-11-24T01:15:00", &["Kodi"], QUIET);
    until(&mut world, "2026-11-24T01:31:00");
    world.answers("Kodi", Answer::Fail);
    world.seconds(2 * MINUTE);
    world.set_clock(wall("2026-11-24T03:00:00"));
    world.seconds(MINUTE);
    assert_eq!(told(&world), ["03:00 Kodi UNHEALTHY"]);
}

#[test]
fn what_is_behind_a_quiet_parent_is_quiet_with_it() {
    let mut world = house("2026-11-24T12:00:00", &["Switch"], &[("healthy", "2")]);
    for app in ["NAS", "Kodi", "Pi"] {
        let parent = if app == "Pi" { "" } else { "Switch" };
        world.register(app, &[("healthy", "2"), ("parent", parent)]);
    }
    world.seconds(5 * MINUTE);
    world.inbox.clear();
    world.quiet_for("Switch", 20 * MINUTE);
    ["Switch", "NAS", "Kodi"].iter().for_each(|app| world.answers(app, Answer::Hang));
    world.seconds(20 * MINUTE - 1);
    assert_eq!(told(&world), [""; 0]);
    world.seconds(2 * MINUTE);
    assert_eq!(world.inbox.len(), 1, "{:?}", told(&world));
    let subject = subject(&world, 0);
    assert!(subject.contains("3 apps are UNHEALTHY: Switch and 2 behind it"), "{subject}");
}

#[test]
fn a_report_leaves_out_who_is_quiet_and_tells_of_it_later() {
    let mut world = house("2026-11-24T12:00:00", &["Kodi", "NAS", "TV"], &[("healthy", "2")]);
    world.quiet_for("NAS", HOUR);
    world.answers("NAS", Answer::Hang);
    world.answers("TV", Answer::Hang);
    world.power_cut(Duration::from_secs(MINUTE));
    world.seconds(15 * MINUTE);
    assert_eq!(world.inbox.len(), 1, "{:?}", told(&world));
    assert!(subject(&world, 0).ends_with("1 of 2 are well, not TV"), "{}", subject(&world, 0));
    world.seconds(HOUR);
    let mails = told(&world);
    assert_eq!(mails.len(), 2, "{mails:?}");
    assert!(mails[1].contains("NAS UNHEALTHY"), "{mails:?}");
}

#[test]
fn reminders_and_welcomes_wait_for_its_end() {
    let mut world = World::new();
    world.reminders = true;
    world.restart_at(wall("2026-11-24T02:00:00"));
    world.register("Kodi", &[("healthy", "2"), ("quiet", "02:30-04:00")]);
    world.seconds(5 * MINUTE);
    world.answers("Kodi", Answer::Fail);
    world.seconds(5 * MINUTE);
    world.inbox.clear();
    until(&mut world, "2026-11-24T02:40:00");
    world.register("NAS", &[("quiet", "02:30-04:00")]);
    until(&mut world, "2026-11-24T03:59:59");
    assert_eq!(told(&world), [""; 0]);
    until(&mut world, "2026-11-24T04:02:00");
    let mails = told(&world);
    assert_eq!(mails.len(), 2, "{mails:?}");
    assert!(mails.iter().any(|mail| mail.contains("NAS")), "{mails:?}");
    let subjects: Vec<String> = (0..2).map(|mail| subject(&world, mail)).collect();
    assert!(subjects.iter().any(|it| it.contains("Kodi is still UNHEALTHY")), "{subjects:?}");
}

#[test]
fn a_welcome_that_waited_says_when_the_first_check_passed() {
    let mut world = World::new();
    world.restart_at(wall("2026-11-24T02:40:00"));
    world.register("NAS", &[("quiet", "02:30-04:00")]);
    until(&mut world, "2026-11-24T03:50:00");
    world.register("Kodi", &[("email", "a@example.org")]);
    until(&mut world, "2026-11-24T04:02:00");
    let texts: Vec<String> = world
        .inbox
        .iter()
        .map(|(at, mail)| {
            letter::write(mail, Moment::from_millis(*at), world.engine.zone(), None).text
        })
        .collect();
    assert_eq!(texts.len(), 2, "{texts:?}");
    assert!(texts[0].contains("Its first check passed at 2026-11-24 03:50:"), "{}", texts[0]);
    assert!(texts[1].contains("Its first check passed at 2026-11-24 02:40:"), "{}", texts[1]);
}

/// It registers once more after each minute in which it refused, and passes in between.
fn crashes(world: &mut World, minutes: u64) {
    for _ in 0..minutes {
        world.answers("Kodi", Answer::Refused);
        world.seconds(35);
        world.answers("Kodi", Answer::Pass);
        world.register("Kodi", &[]);
        world.seconds(25);
    }
}

#[test]
fn a_crash_loop_is_told_when_it_is_over() {
    let mut world = house("2026-11-24T01:00:00", &["Kodi"], &[("quiet", "02:30-04:00")]);
    until(&mut world, "2026-11-24T02:50:00");
    crashes(&mut world, 9);
    assert_eq!(world.state("Kodi"), State::Degraded);
    assert_eq!(told(&world), [""; 0]);
    until(&mut world, "2026-11-24T03:00:30");
    assert_eq!(told(&world), ["03:00 Kodi DEGRADED"]);
    // One that has ended by then is nobody's trouble.
    let mut world = house("2026-11-24T01:00:00", &["Kodi"], &[("quiet", "02:30-04:00")]);
    until(&mut world, "2026-11-24T02:30:00");
    crashes(&mut world, 9);
    until(&mut world, "2026-11-24T03:30:00");
    assert_eq!(told(&world), [""; 0]);
}

/// Killed at any moment of a quiet time: nothing is told within, and what is broken is told at its end, once.
#[test]
fn a_kill_at_any_moment_loses_nothing_and_wakes_nobody() {
    for minute in (0..100).step_by(3) {
        let mut world = house("2026-11-24T01:00:00", &["Kodi", "NAS", "TV", "Pi"], QUIET);
        let kill = |world: &mut World, now: u64| {
            if now == minute {
                world.restart();
            }
        };
        for now in 0..200 {
            match now {
                // 02:27 in Berlin.
                18 => world.answers("TV", Answer::Fail),
                24 => ["Kodi", "NAS"].iter().for_each(|app| world.answers(app, Answer::Hang)),
                60 => world.answers("TV", Answer::Pass),
                _ => {}
            }
            world.seconds(7);
            kill(&mut world, now);
            world.seconds(53);
        }
        let mails = told(&world);
        let within = |mail: &String| ("01:30".."03:00").contains(&&mail[..5]);
        assert!(!mails.iter().any(within), "killed after {minute} min: {mails:?}");
        let count = |what: &str| mails.iter().filter(|mail| mail.contains(what)).count();
        let (broken, back) = (count("NAS"), count("TV HEALTHY"));
        assert_eq!((broken, back), (1, 1), "killed after {minute} min: {mails:?}");
    }
}
