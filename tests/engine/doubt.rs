//! A clock that shows less than what is on record: it is behind, or the one before was ahead. What is told
//! then is never more than is known.

use std::time::Duration;

use proptest::prelude::*;

use super::cases::cases;
use super::clock::{
    REALLY, about, asked_each_minute, by, days, healthy, letter, two_thirds, uptimes,
};
use super::recording::Chance;
use super::world::{Answer, Mood, World};
use healthchecker::engine::time::Wall;

/// A household whose record ends ten minutes ago, after a cut since which the clock is so many seconds behind that.
fn behind(seconds: i64) -> World {
    let mut world = healthy();
    world.set_clock(by(REALLY, -1200));
    world.seconds(600);
    world.rewrite_journal();
    world.restart_at(by(REALLY, -600 - seconds));
    assert!(world.engine.doubts_clock());
    world
}

/// An app falls ill while the clock is `behind`, and the power is cut again before a time server is found;
/// ten minutes later both are back. What its people are told when it is well.
fn ill_while_the_clock_was_behind(behind: i64) -> String {
    let mut world = self::behind(behind);
    world.answers("NAS", Answer::Fail);
    world.seconds(120);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"]);
    world.restart_at(REALLY);
    world.answers("NAS", Answer::Pass);
    world.seconds(20);
    assert_eq!(world.mails()[1..], ["NAS HEALTHY"]);
    letter(&world, 1)
}

#[test]
fn what_began_by_a_clock_that_was_behind_is_not_told_as_exact() {
    for behind in [60, 3600, 30 * 86_400] {
        let text = ill_while_the_clock_was_behind(behind);
        assert!(text.contains("NAS is HEALTHY again after at least "), "{behind}: {text}");
        let since = text.lines().find(|line| line.starts_with("Alert since: ")).unwrap();
        assert!(since.ends_with(" UTC (the clock may have been wrong)"), "{behind}: {text}");
    }
}

#[test]
fn a_mail_that_waits_since_a_clock_was_behind_does_not_say_how_long() {
    let mut world = behind(4400);
    world.mood = Mood::Away;
    world.answers("NAS", Answer::Fail);
    world.seconds(120);
    world.mood = Mood::Accepts;
    world.restart_at(REALLY);
    world.seconds(20);
    let text = letter(&world, 0);
    assert!(text.starts_with("This mail waited at least 20 s: it was written at 2026-"), "{text}");
    assert!(
        text.contains("(the clock may have been wrong) and could not be sent before"),
        "{text}"
    );
}

#[test]
fn what_was_noted_before_a_clock_that_was_behind_was_set_is_in_doubt_no_more() {
    let mut world = behind(4400);
    world.answers("NAS", Answer::Fail);
    world.seconds(120);
    world.set_clock(by(REALLY, 120));
    world.seconds(90);
    // Ten minutes without power.
    world.restart_at(by(REALLY, 810));
    world.answers("NAS", Answer::Pass);
    world.seconds(20);
    let text = letter(&world, 1);
    assert!(text.contains("NAS is HEALTHY again after 13 min"), "{text}");
    assert!(!text.contains("the clock may"), "{text}");
}

#[test]
fn hours_of_a_clock_that_was_behind_are_not_older_than_those_before_them() {
    let mut world = two_thirds();
    world.rewrite_journal();
    world.answers("NAS", Answer::Pass);
    world.restart_at(by(REALLY, -30 * 86_400));
    world.seconds(2 * 3600);
    world.rewrite_journal();
    assert_eq!(about(uptimes(&world)), [0.75, 0.75]);
    world.restart_at(by(REALLY, 2 * 3600));
    world.seconds(10);
    assert_eq!(about(uptimes(&world)), [0.75, 0.75]);
}

/// A household whose clock was 100 days ahead for half a day; then it has crashed, and the clock is right.
fn was_ahead(synchronised: bool) -> World {
    let mut world = asked_each_minute();
    world.set_clock(by(REALLY, -86_400));
    world.seconds(43_200);
    world.rewrite_journal();
    world.restart_at(by(REALLY, 100 * 86_400));
    world.seconds(21_600);
    world.answers("NAS", Answer::Fail);
    world.seconds(21_600);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"]);
    world.synchronised = synchronised;
    world.restart_at(REALLY);
    world
}

#[test]
fn one_boot_with_a_clock_that_was_ahead_names_no_days_that_are_to_come() {
    for at_once in [true, false] {
        let mut world = was_ahead(at_once);
        world.seconds(3600);
        world.synchronised = true;
        world.seconds(2 * 86_400);
        let named: Vec<i64> = days(&world).iter().map(|day| day.0).collect();
        assert_eq!(named, [-1, 0, 1, 2], "at once: {at_once}");
        // And no more of it is left on disk.
        world.restart();
        assert!(!world.engine.doubts_clock());
        let named: Vec<i64> = days(&world).iter().map(|day| day.0).collect();
        assert_eq!(named, [-1, 0, 1, 2], "at once: {at_once}");
    }
}

#[test]
fn what_began_by_a_clock_that_was_ahead_is_told_as_not_known() {
    let mut world = was_ahead(true);
    let info = world.engine.view().info(world.now, "NAS").unwrap();
    assert!(info.app.since <= world.now.wall && info.app.last_healthy <= Some(world.now.wall));
    assert!(info.recent.iter().all(|check| check.time.wall() <= world.now.wall));
    world.seconds(3600);
    world.answers("NAS", Answer::Pass);
    world.seconds(180);
    let text = letter(&world, 1);
    assert!(text.contains("NAS is HEALTHY again after at least 1 h"), "{text}");
    // What comes after that is known.
    world.seconds(10_800);
    world.answers("NAS", Answer::Fail);
    world.seconds(180);
    world.restart_at(by(world.now.wall, 600));
    world.answers("NAS", Answer::Pass);
    world.seconds(180);
    let text = letter(&world, 3);
    assert!(text.contains("NAS is HEALTHY again after 13 min"), "{text}");
}

#[test]
fn a_mail_that_waits_since_a_clock_was_ahead_tells_no_time_that_is_to_come() {
    let mut world = healthy();
    world.restart_at(by(REALLY, 100 * 86_400));
    world.mood = Mood::Away;
    world.answers("NAS", Answer::Fail);
    world.seconds(600);
    world.mood = Mood::Accepts;
    world.synchronised = true;
    world.restart_at(REALLY);
    world.seconds(10);
    let text = letter(&world, 0);
    assert!(
        text.starts_with("This mail waited at least 10 s: it was written at 2026-11-24"),
        "{text}"
    );
}

#[test]
fn a_clock_that_is_behind_is_not_believed_for_being_less() {
    let mut world = asked_each_minute();
    world.set_clock(REALLY);
    world.seconds(2 * 86_400);
    world.rewrite_journal();
    world.restart_at(by(REALLY, -100 * 86_400));
    world.seconds(7 * 86_400);
    assert!(world.engine.doubts_clock());
    let named: Vec<i64> = days(&world).iter().map(|day| day.0).collect();
    assert_eq!(named, (0..10).collect::<Vec<_>>());
}

/// A household in which the NAS is down since a power cut is a minute away, of ten minutes, after which the
/// clock is `behind`, though no earlier than the record.
fn cut_while_ill(tells: bool, behind: i64) -> World {
    let mut world = healthy();
    world.set_clock(by(REALLY, -1200));
    world.synchronised = tells;
    world.seconds(540);
    world.answers("NAS", Answer::Fail);
    world.seconds(60);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"]);
    world.synchronised = false;
    world.boot_at(by(REALLY, -behind));
    world
}

/// What is told of the end, some seconds later.
fn end_of(mut world: World) -> String {
    world.answers("NAS", Answer::Pass);
    world.seconds(20);
    assert_eq!(world.mails()[1..], ["NAS HEALTHY"], "nothing waits for a clock");
    letter(&world, 1)
}

#[test]
fn after_a_boot_no_length_is_claimed_until_a_time_server_has_set_the_clock() {
    for behind in [0, 60, 300, 580] {
        let world = cut_while_ill(true, behind);
        assert!(world.engine.doubts_clock());
        let text = end_of(world);
        assert!(text.contains("NAS is HEALTHY again after at least "), "{behind}: {text}");
        assert!(!text.contains("the clock may"), "the run before knew the time: {text}");
        let mut world = cut_while_ill(true, behind);
        world.synchronised = true;
        world.set_clock(REALLY);
        assert!(!world.engine.doubts_clock());
        let text = end_of(world);
        assert!(text.contains("NAS is HEALTHY again after 11 min"), "{behind}: {text}");
    }
}

#[test]
fn a_system_that_never_tells_of_time_servers_has_its_clock_believed() {
    let world = cut_while_ill(false, 0);
    assert!(!world.engine.doubts_clock());
    assert!(end_of(world).contains("NAS is HEALTHY again after 11 min"));
}

#[test]
fn one_boot_has_one_clock_however_often_the_daemon_starts() {
    let mut world = cut_while_ill(true, 300);
    world.seconds(5);
    world.restart();
    assert!(world.engine.doubts_clock(), "nobody has set it yet");
    world.synchronised = true;
    world.seconds(60);
    assert!(!world.engine.doubts_clock());
    world.synchronised = false;
    world.restart();
    assert!(!world.engine.doubts_clock(), "a time server has set it once in this boot");
}

/// The NAS fails in a boot whose clock is five minutes behind, until the next cut at least, before which a time
/// server `sets` it or not. What is told of the end.
fn ill_in_a_boot(sets: bool) -> String {
    let mut world = cut_while_ill(true, 300);
    // It was well for so long that it does not keep failing.
    for (answer, seconds) in [(Answer::Pass, 10_800), (Answer::Fail, 60)] {
        world.answers("NAS", answer);
        world.seconds(seconds);
    }
    if sets {
        world.synchronised = true;
        world.set_clock(by(REALLY, 10_860));
    }
    world.seconds(10);
    world.boot_at(by(REALLY, 11_470));
    world.synchronised = true;
    world.answers("NAS", Answer::Pass);
    world.seconds(20);
    assert_eq!(world.mails()[1..], ["NAS HEALTHY", "NAS UNHEALTHY", "NAS HEALTHY"]);
    letter(&world, 3)
}

#[test]
fn what_a_boot_without_a_time_server_has_noted_is_told_as_what_it_is() {
    let text = ill_in_a_boot(false);
    assert!(text.contains("HEALTHY again after at least "), "{text}");
    assert!(text.contains(" UTC (the clock may have been wrong)"), "{text}");
    let text = ill_in_a_boot(true);
    assert!(text.contains("HEALTHY again after 11 min"), "{text}");
    assert!(!text.contains("the clock may have been wrong"), "{text}");
}

#[test]
fn a_mail_that_waits_across_a_boot_does_not_say_how_long() {
    let mut world = healthy();
    world.set_clock(by(REALLY, -1200));
    world.synchronised = true;
    world.seconds(540);
    world.mood = Mood::Away;
    world.answers("NAS", Answer::Fail);
    world.seconds(60);
    world.mood = Mood::Accepts;
    world.synchronised = false;
    world.boot_at(by(REALLY, -300));
    world.seconds(5);
    let text = letter(&world, 0);
    assert!(text.starts_with("This mail waited at least 5 min"), "{text}");
}

/// A household, and what time it really is.
struct Household {
    world: World,
    /// How much the clock is ahead, in ms.
    error: i64,
    /// When the alert that is open was opened, really.
    opened: Option<i64>,
    /// Since then, the clock was ahead: what a run with such a clock says is wrong, and nobody can know.
    misled: bool,
}

impl Household {
    fn truth(&self) -> i64 {
        self.world.now.wall.as_unix_millis() - self.error
    }

    /// A second passes.
    fn second(&mut self) {
        self.world.seconds(1);
        self.misled |= self.error > 0;
        match self.world.state("NAS").word() {
            "HEALTHY" => {
                self.check();
                self.opened = None;
                self.misled = self.error > 0;
            }
            "UNKNOWN" => {}
            _ => _ = self.opened.get_or_insert(self.truth()),
        }
    }

    /// What was told of the end is what was, or less and says so.
    fn check(&mut self) {
        let told = std::mem::take(&mut self.world.inbox);
        let changes = told.iter().flat_map(|(_, mail)| mail.changes());
        for end in changes.filter(|change| change.to.word() == "HEALTHY") {
            let Some(opened) = self.opened.filter(|_| !self.misled) else { continue };
            let (lasted, really) = (end.lasted_ms as i64, self.truth() - opened);
            assert!(lasted <= really + SLACK_MS, "{lasted} of {really} ms: {end:?}");
            assert!(end.lasted_at_least || lasted >= really - SLACK_MS, "{lasted} of {really} ms");
        }
    }

    /// The power is cut for so long, and the clock shows `error` more than it is after that.
    fn power_cut(&mut self, off: i64, error: i64, synchronised: bool) {
        let truth = self.truth() + off;
        self.error = error;
        self.world.synchronised = synchronised;
        self.world.boot_at(Wall::from_unix_millis(truth + error));
    }

    fn time_server(&mut self) {
        let truth = self.truth();
        self.error = 0;
        self.world.synchronised = true;
        self.world.set_clock(Wall::from_unix_millis(truth));
    }
}

/// An alert is opened, and told as over, within so much of the second in which it is seen.
const SLACK_MS: i64 = 3_000;
const HOUR_MS: i64 = 3_600_000;
const EVENTS: usize = 60;

proptest! {
    #![proptest_config(cases(4))]

    #[test]
    fn what_is_told_as_known_is_so_whatever_the_clock_did(seed: u64) {
        let mut chance = Chance(seed);
        let mut home = Household { world: healthy(), error: 0, opened: None, misled: false };
        home.world.set_clock(REALLY);
        home.world.synchronised = true;
        // The system has told that it tells.
        home.world.seconds(120);
        for _ in 0..EVENTS {
            let off = (chance.below(7200) * 1000) as i64;
            match chance.below(12) {
                0 => home.power_cut(off, 0, true),
                1 => home.power_cut(off, 0, false),
                2 => home.power_cut(off, -off - 30 * 24 * HOUR_MS, false),
                // No earlier than the newest record: that shows in nothing.
                3 => home.power_cut(off, -(off / (1 + chance.below(4)) as i64), false),
                4 => home.power_cut(off, (30 + chance.below(300) as i64) * 24 * HOUR_MS, false),
                5 | 6 => home.time_server(),
                7 => home.world.sleep(Duration::from_millis(off.unsigned_abs())),
                8 => home.world.rewrite_journal(),
                _ => {
                    let answer = if chance.below(2) == 0 { Answer::Fail } else { Answer::Pass };
                    home.world.answers("NAS", answer);
                }
            }
            home.world.act();
            (0..chance.below(150)).for_each(|_| home.second());
        }
    }
}
