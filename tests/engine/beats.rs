//! Those who are not asked and report by themselves: in time, late, doubled, across kills, sleeps, and clocks
//! that jump.

use std::time::Duration;

use healthchecker::engine::beats::{Heard, Report};
use healthchecker::engine::core::CommandError;
use healthchecker::engine::state::State;
use healthchecker::engine::verdict::reported;

use proptest::prelude::*;

use super::cases::cases;
use super::world::{Answer, World};

pub(super) const HOUR: u64 = 3600;
pub(super) const DAY: u64 = 24 * HOUR;

/// What a nightly backup registers.
pub(super) const NIGHTLY: [(&str, &str); 4] =
    [("kind", "beat"), ("url", ""), ("interval", "86400"), ("grace", "7200")];
/// What a sensor does.
const SENSOR: [(&str, &str); 3] = [("kind", "beat"), ("url", ""), ("interval", "300")];

pub(super) fn beat(world: &mut World, name: &str) {
    report(world, name, Report::Went(reported(false, "", b"")));
}

pub(super) fn report(world: &mut World, name: &str, report: Report) {
    assert_eq!(world.engine.hear(world.now, name, report), Ok(Heard::Counted));
    world.act();
}

/// A backup that was made an hour ago, is well, and was told.
pub(super) fn backup(fields: &[(&str, &str)]) -> World {
    let mut world = World::new();
    world.register("Backup", fields);
    beat(&mut world, "Backup");
    world.seconds(60);
    assert_eq!(world.state("Backup"), State::Healthy);
    world.inbox.clear();
    world
}

fn last_reason(world: &World) -> String {
    world.engine.view().info(world.now, "Backup").unwrap().app.last_check.unwrap().reason
}

#[test]
fn one_beat_makes_it_healthy_and_one_that_is_missing_unhealthy() {
    let mut world = backup(&NIGHTLY);
    for _ in 0..7 {
        world.seconds(DAY);
        beat(&mut world, "Backup");
    }
    assert_eq!(world.mails(), [] as [&str; 0]);
    world.seconds(DAY + 2 * HOUR - 1);
    assert_eq!(world.state("Backup"), State::Healthy);
    world.seconds(120);
    assert_eq!(world.state("Backup"), State::Unhealthy);
    assert_eq!(
        (last_reason(&world).as_str(), world.mails()),
        ("no beat within 1 day 2 h", vec!["Backup UNHEALTHY".to_owned()])
    );
    world.seconds(3 * DAY);
    let app = world.engine.view().info(world.now, "Backup").unwrap().app;
    assert_eq!((app.failures, app.failed_in_a_row), (4, 4), "one more each interval");
    beat(&mut world, "Backup");
    world.seconds(60);
    assert_eq!(world.mails(), ["Backup UNHEALTHY", "Backup HEALTHY"]);
    assert!(world.checks.is_empty() && world.looks.is_empty(), "nobody was asked");
}

#[test]
fn doubled_and_early_beats_are_as_good_as_one() {
    let mut world = backup(&SENSOR);
    for _ in 0..100 {
        world.seconds(200);
        beat(&mut world, "Backup");
        beat(&mut world, "Backup");
    }
    assert_eq!((world.state("Backup"), world.mails().len()), (State::Healthy, 0));
    let app = world.engine.view().info(world.now, "Backup").unwrap().app;
    assert_eq!((app.checks, app.failures, app.uptime_24h), (201, 0, Some(1.0)));
}

#[test]
fn what_it_says_counts_and_a_start_only_takes_the_time() {
    let mut world = backup(&NIGHTLY);
    report(&mut world, "Backup", Report::Begins);
    world.seconds(3 * HOUR);
    let warns =
        reported(false, "application/json", br#"{"status":"warn","output":"2 files locked"}"#);
    report(&mut world, "Backup", Report::Went(warns));
    let last = world.engine.view().info(world.now, "Backup").unwrap().app.last_check.unwrap();
    assert_eq!(
        (last.latency_ms, last.reason.as_str()),
        (10_800_000, "the app says warn: 2 files locked")
    );
    assert_eq!(world.state("Backup"), State::Healthy, "one lone warning");
    let failed = reported(true, "application/json", br#"{"status":"fail","output":"disk full"}"#);
    report(&mut world, "Backup", Report::Went(failed));
    world.seconds(60);
    assert_eq!(last_reason(&world), "the app says fail: disk full");
    assert_eq!(world.mails(), ["Backup UNHEALTHY"]);
    report(&mut world, "Backup", Report::Begins);
    world.seconds(DAY);
    assert_eq!(last_reason(&world), "the app says fail: disk full", "it is not late yet");
    world.seconds(2 * HOUR);
    assert_eq!(last_reason(&world), "no beat within 1 day 2 h", "a start is no beat");
}

#[test]
fn a_kill_changes_nothing_and_costs_no_false_alarm() {
    for (fields, interval) in [(&NIGHTLY[..], DAY), (&SENSOR[..], 300)] {
        let mut world = backup(fields);
        for _ in 0..20 {
            world.seconds(interval / 2);
            world.restart();
            world.seconds(interval / 2);
            beat(&mut world, "Backup");
        }
        assert_eq!((world.state("Backup"), world.mails().len()), (State::Healthy, 0), "{interval}");
        world.seconds(interval / 2);
        world.restart();
        world.seconds(interval + 2 * HOUR);
        assert_eq!(world.mails(), ["Backup UNHEALTHY"], "{interval}");
        world.restart();
        world.seconds(60);
        assert_eq!((world.state("Backup"), world.mails().len()), (State::Unhealthy, 1));
    }
}

#[test]
fn a_nightly_beat_is_on_disk_and_a_kill_each_day_does_not_put_it_off_for_ever() {
    let mut world = backup(&NIGHTLY);
    for _ in 0..3 {
        world.seconds(12 * HOUR);
        world.restart();
    }
    assert_eq!(world.mails(), ["Backup UNHEALTHY"]);
}

#[test]
fn a_sensors_beats_wear_out_no_card() {
    let mut world = backup(&SENSOR);
    // Once an hour the counters are recorded.
    world.seconds(HOUR);
    let written = world.journal.len();
    for _ in 0..24 * 12 {
        world.seconds(300);
        beat(&mut world, "Backup");
    }
    assert!(world.journal.len() <= written + 30, "{}", world.journal.len() - written);
}

#[test]
fn a_deadline_while_we_were_off_or_asleep_moves_behind_it() {
    // Off, asleep: the beat at night found nobody.
    for asleep in [false, true] {
        let mut world = backup(&NIGHTLY);
        world.seconds(20 * HOUR);
        let away = Duration::from_secs(8 * HOUR);
        if asleep {
            world.sleep(away)
        } else {
            world.power_cut(away)
        }
        world.seconds(2 * HOUR - 60);
        assert_eq!((world.state("Backup"), world.mails().len()), (State::Healthy, 0), "{asleep}");
        world.seconds(240);
        assert_eq!(world.mails(), ["Backup UNHEALTHY"], "{asleep}");
    }
    let mut world = backup(&NIGHTLY);
    world.seconds(20 * HOUR);
    world.sleep(Duration::from_secs(4 * HOUR));
    world.seconds(HOUR);
    beat(&mut world, "Backup");
    world.seconds(DAY);
    assert_eq!(world.mails(), [] as [&str; 0]);
}

#[test]
fn a_sleep_counts_as_time() {
    let mut world = backup(&NIGHTLY);
    world.sleep(Duration::from_secs(20 * HOUR));
    world.seconds(6 * HOUR);
    assert_eq!(
        world.mails(),
        ["Backup UNHEALTHY"],
        "26 h are over, though we slept for most of them"
    );
}

#[test]
fn a_clock_that_jumps_makes_nobody_late() {
    let mut world = backup(&NIGHTLY);
    for hours in [30, -60, 24 * 400] {
        let wall = world.now.wall.as_unix_millis() + hours * 3_600_000;
        world.set_clock(healthchecker::engine::time::Wall::from_unix_millis(wall));
        world.seconds(6 * HOUR);
        assert_eq!((world.state("Backup"), world.mails().len()), (State::Healthy, 0), "{hours}");
    }
    world.seconds(9 * HOUR);
    assert_eq!(world.mails(), ["Backup UNHEALTHY"]);
}

#[test]
fn nobody_can_report_while_our_network_is_down() {
    let mut world = backup(&[("kind", "beat"), ("url", ""), ("interval", "600"), ("grace", "120")]);
    world.register("NAS", &[("interval", "30"), ("healthy", "2")]);
    world.seconds(120);
    beat(&mut world, "Backup");
    world.cut_off = true;
    world.answers("NAS", Answer::Hang);
    world.seconds(2 * HOUR);
    assert_eq!(world.state("Backup"), State::Healthy);
    world.cut_off = false;
    world.answers("NAS", Answer::Pass);
    world.seconds(100);
    beat(&mut world, "Backup");
    world.seconds(HOUR / 6);
    assert!(!world.mails().iter().any(|mail| mail.contains("UNHEALTHY")), "{:?}", world.mails());
    world.seconds(HOUR);
    assert!(world.mails().contains(&"Backup UNHEALTHY".to_owned()), "{:?}", world.mails());
}

#[test]
fn what_found_nobody_and_is_soon_said_again_is_waited_for() {
    const HOURLY: [(&str, &str); 3] = [("kind", "beat"), ("url", ""), ("interval", "3600")];
    for power in [false, true] {
        let mut world = backup(&HOURLY);
        world.register("NAS", &[("interval", "30"), ("healthy", "2")]);
        world.seconds(HOUR - 90);
        let away = Duration::from_secs(60);
        if power {
            world.power_cut(away)
        } else {
            world.sleep(away)
        }
        // It reported meanwhile, and does so an hour later.
        world.seconds(HOUR - 30);
        let told: Vec<String> =
            world.mails().into_iter().filter(|mail| mail.contains("Backup")).collect();
        assert_eq!((world.state("Backup"), told), (State::Healthy, vec![]), "{power}");
        beat(&mut world, "Backup");
        world.seconds(HOUR + 420);
        assert!(world.mails().contains(&"Backup UNHEALTHY".to_owned()), "{:?}", world.mails());
    }
}

#[test]
fn a_night_that_is_missed_is_told_though_the_power_went_and_the_clock_is_not_believed() {
    let mut world = backup(&NIGHTLY);
    world.seconds(24 * HOUR);
    // Nobody tells the time after it, and the clock goes on from where it was.
    let wall = world.now.wall;
    world.restart_at(wall);
    world.seconds(2 * HOUR + 120);
    assert_eq!(world.mails(), ["Backup UNHEALTHY"]);
}

#[test]
fn a_beat_is_no_part_of_what_settles_and_of_no_look() {
    let mut world = backup(&NIGHTLY);
    world.register("NAS", &[("interval", "30"), ("healthy", "2")]);
    world.seconds(120);
    world.power_cut(Duration::from_secs(HOUR));
    world.seconds(120);
    let settling = world.engine.view().info(world.now, "Backup").unwrap().app.settling_since;
    assert_eq!((world.state("Backup"), settling), (State::Healthy, None));
    assert!(
        world.engine.view().info(world.now, "NAS").unwrap().app.settling_since.is_none(),
        "it is over"
    );
    world.inbox.clear();
    world.answers("NAS", Answer::Hang);
    world.seconds(600);
    assert!(world.looks.iter().all(|(_, asked)| !asked.iter().any(|name| name == "Backup")));
    assert_eq!(world.mails(), ["NAS UNHEALTHY"]);
}

#[test]
fn a_backup_that_may_be_off_is_never_late() {
    let mut world = backup(&[&NIGHTLY[..], &[("may_be_off", "true")]].concat());
    world.seconds(10 * DAY);
    assert_eq!((world.state("Backup"), world.mails().len()), (State::Unknown, 0));
    report(&mut world, "Backup", Report::Went(reported(true, "", b"")));
    world.seconds(60);
    assert_eq!(world.mails(), ["Backup UNHEALTHY"], "that is no silence");
}

#[test]
fn a_pause_is_a_pause_and_a_resume_begins_anew() {
    let mut world = backup(&NIGHTLY);
    world.pause("Backup");
    let went = || Report::Went(reported(true, "", b""));
    assert_eq!(world.engine.hear(world.now, "Backup", went()), Ok(Heard::Paused));
    world.seconds(10 * DAY);
    world.restart();
    world.seconds(10 * DAY);
    world.resume("Backup");
    world.seconds(25 * HOUR);
    assert_eq!((world.state("Backup"), world.mails().len()), (State::Unknown, 0));
    world.seconds(2 * HOUR);
    assert_eq!(world.mails(), ["Backup UNHEALTHY"]);
    world.stop("Backup");
    world.seconds(10 * DAY);
    let gone = world.engine.hear(world.now, "Backup", went());
    assert!(matches!(gone, Err(CommandError::Registry(_))), "{gone:?}");
}

#[test]
fn it_may_become_another_kind_and_back() {
    let mut world = backup(&NIGHTLY);
    world.register("Backup", &[("url", "http://backup/")]);
    world.seconds(60);
    assert!(world.checks.iter().any(|(_, name)| name == "backup"), "it is asked");
    let heard = world.engine.hear(world.now, "Backup", Report::Begins);
    assert_eq!(heard, Err(CommandError::IsAsked("Backup".to_owned())));
    world.register("Backup", &NIGHTLY);
    assert_eq!(world.state("Backup"), State::Unknown);
    assert_eq!(
        world.engine.check(world.now, "Backup"),
        Err(CommandError::Reports("Backup".to_owned()))
    );
    let asked = world.checks.len();
    world.seconds(27 * HOUR);
    assert_eq!((world.checks.len(), world.state("Backup")), (asked, State::Unhealthy));
    world.pause("Backup");
    world.register("Backup", &[("url", "http://backup/")]);
    world.seconds(600);
    assert_eq!(world.checks.len(), asked, "paused it stays");
}

#[test]
fn registering_again_is_no_beat_and_another_rhythm_begins_anew() {
    let mut world = backup(&NIGHTLY);
    for _ in 0..13 {
        world.seconds(2 * HOUR);
        world.register_again("Backup");
    }
    world.seconds(60);
    assert_eq!(world.mails(), ["Backup UNHEALTHY"]);
    beat(&mut world, "Backup");
    world.seconds(20 * HOUR);
    world.register("Backup", &[("kind", "beat"), ("url", ""), ("interval", "3600")]);
    world.seconds(3900);
    assert_eq!(world.state("Backup"), State::Healthy);
    world.seconds(7000);
    assert_eq!(
        world.state("Backup"),
        State::Unhealthy,
        "its grace, which nobody changed, is over, too"
    );
}

/// A sensor that reports on the minute for ever, heard or not.
struct Sensor {
    interval: u64,
    /// Until it reports.
    left: u64,
}

impl Sensor {
    /// So many seconds pass; it is heard, or finds nobody.
    fn live(&mut self, world: &mut World, mut seconds: u64, is_heard: bool) {
        while seconds >= self.left {
            world.seconds(self.left);
            seconds -= self.left;
            self.left = self.interval;
            if is_heard {
                beat(world, "Backup");
            }
        }
        world.seconds(seconds);
        self.left -= seconds;
    }

    /// They pass without us.
    fn live_alone(&mut self, seconds: u64) {
        self.left = self.interval - (self.interval - self.left + seconds) % self.interval;
    }
}

proptest! {
    #![proptest_config(cases(60))]

    #[test]
    fn a_sensor_that_keeps_its_rhythm_is_never_late_whatever_befalls_us(
        interval in prop::sample::select(vec![30_u64, 60, 300, 600, 1_800]),
        befalls in prop::collection::vec((0..5_u8, 100..5_000_u64, 90..3_000_u64), 1..8),
    ) {
        let text = interval.to_string();
        let mut world = backup(&[("kind", "beat"), ("url", ""), ("interval", &text)]);
        world.register("NAS", &[("interval", "30"), ("healthy", "2")]);
        let mut sensor = Sensor { interval, left: interval.saturating_sub(60).max(1) };
        sensor.live(&mut world, 300, true);
        world.inbox.clear();
        for (what, after, lasts) in befalls {
            let away = Duration::from_secs(lasts);
            match what {
                0 => world.restart(),
                1 => {
                    world.power_cut(away);
                    sensor.live_alone(lasts);
                }
                2 => {
                    world.sleep(away);
                    sensor.live_alone(lasts);
                }
                3 => {
                    world.cut_off = true;
                    sensor.live(&mut world, lasts, false);
                    world.cut_off = false;
                }
                _ => {
                    let wall = world.now.wall.as_unix_millis() + 1_000 * lasts as i64;
                    world.set_clock(healthchecker::engine::time::Wall::from_unix_millis(wall));
                }
            }
            sensor.live(&mut world, after, true);
        }
        let told: Vec<String> =
            world.mails().into_iter().filter(|mail| mail.contains("Backup")).collect();
        prop_assert_eq!(told, [] as [&str; 0]);
        // It dies, and that is told.
        world.seconds(2 * interval + 3_600);
        prop_assert!(world.mails().contains(&"Backup UNHEALTHY".to_owned()), "{:?}", world.mails());
    }
}
