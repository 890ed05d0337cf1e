//! An app that comes and goes.

use std::time::Duration;

use super::world::{Answer, World};

/// A NAS that is well, and whose owner knows that it is watched.
fn house(more: &[(&str, &str)]) -> World {
    let mut world = World::new();
    world.register("NAS", &[&[("healthy", "2")], more].concat());
    world.seconds(300);
    world.inbox.clear();
    world
}

/// It fails for a minute and a half, and is well for so long.
fn blink(world: &mut World, well_minutes: u64) {
    world.answers("NAS", Answer::Fail);
    world.seconds(90);
    world.answers("NAS", Answer::Pass);
    world.seconds(60 * well_minutes);
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

#[test]
fn what_fails_again_soon_is_told_once_as_that_and_then_when_it_stays_well() {
    let mut world = house(&[]);
    for _ in 0..2 {
        blink(&mut world, 90);
    }
    let told = ["NAS UNHEALTHY", "NAS HEALTHY", "NAS keeps failing"];
    assert_eq!(world.mails(), told, "and nothing more");
    let letter = world.letter(2);
    assert_eq!(letter.subject, "[HealthChecker] NAS keeps failing");
    assert!(letter.text.contains("It was HEALTHY only shortly before."), "{}", letter.text);
    world.seconds(29 * MINUTE);
    assert_eq!(world.mails(), told, "it has been well for less than two hours");
    world.seconds(2 * MINUTE);
    assert_eq!(world.mails()[3..], ["NAS HEALTHY"]);
    let letter = world.letter(3);
    assert_eq!(letter.subject, "[HealthChecker] NAS is HEALTHY again after 1 min");
    assert_eq!(world.inbox[3].1.references, [world.inbox[2].1.message_id.as_str()]);
    // It was well for less than six hours.
    blink(&mut world, 5 * 60);
    assert_eq!(world.mails()[4..], ["NAS keeps failing"]);
    world.seconds(HOUR + MINUTE);
    assert_eq!(world.mails()[5..], ["NAS HEALTHY"]);
    blink(&mut world, 1);
    assert_eq!(world.mails()[6..], ["NAS UNHEALTHY", "NAS HEALTHY"], "the first for a while");
}

#[test]
fn what_fails_often_is_believed_after_six_hours() {
    let mut world = house(&[]);
    for _ in 0..3 {
        blink(&mut world, 20);
    }
    let told = ["NAS UNHEALTHY", "NAS HEALTHY", "NAS keeps failing"];
    world.seconds(3 * HOUR);
    // More than two hours are no calm any more.
    blink(&mut world, 5 * 60 + 58);
    assert_eq!(world.mails(), told);
    world.seconds(3 * MINUTE);
    assert_eq!(world.mails()[3..], ["NAS HEALTHY"]);
    // It begins anew then.
    blink(&mut world, 60);
    blink(&mut world, 2 * 60 + 2);
    let again = ["NAS UNHEALTHY", "NAS HEALTHY", "NAS keeps failing", "NAS HEALTHY"];
    assert_eq!(world.mails()[4..], again);
}

#[test]
fn what_was_too_little_to_be_told_does_not_make_it_often() {
    let mut world = house(&[("unhealthy", "3")]);
    // Two failures are shown, and not told.
    for _ in 0..4 {
        world.answers("NAS", Answer::Fail);
        world.one_check("NAS");
        world.one_check("NAS");
        world.answers("NAS", Answer::Pass);
        world.seconds(5 * MINUTE);
    }
    for _ in 0..2 {
        world.answers("NAS", Answer::Fail);
        world.seconds(2 * MINUTE);
        world.answers("NAS", Answer::Pass);
        world.seconds(HOUR);
    }
    world.seconds(HOUR + 2 * MINUTE);
    let told = ["NAS UNHEALTHY", "NAS HEALTHY", "NAS keeps failing", "NAS HEALTHY"];
    assert_eq!(world.mails(), told);
}

#[test]
fn what_fails_again_later_is_another_alarm() {
    let mut world = house(&[]);
    for _ in 0..3 {
        blink(&mut world, 2 * 60 + 1);
    }
    assert_eq!(world.mails(), ["NAS UNHEALTHY", "NAS HEALTHY"].repeat(3));
}

#[test]
fn who_takes_long_to_be_healthy_has_to_be_so_for_longer() {
    // Well after 50 min, and believed after 150.
    let mut world = house(&[("interval", "300"), ("healthy", "10")]);
    world.seconds(HOUR);
    for _ in 0..2 {
        world.answers("NAS", Answer::Fail);
        world.seconds(15 * MINUTE);
        world.answers("NAS", Answer::Pass);
        world.seconds(50 * MINUTE + 2 * HOUR + 10 * MINUTE);
    }
    assert_eq!(world.mails(), ["NAS UNHEALTHY", "NAS HEALTHY", "NAS keeps failing"]);
    world.seconds(30 * MINUTE);
    assert_eq!(world.mails()[3..], ["NAS HEALTHY"]);
}

/// It fails for a minute and a half every 13 minutes, five times. The daemon is killed after so many seconds of that;
/// by a power cut, or in one boot.
fn killed_after(kill: u64, by_a_cut: bool) -> Vec<String> {
    let mut world = house(&[]);
    for second in 0..5 * 13 * MINUTE {
        if second == kill && by_a_cut {
            world.power_cut(Duration::from_secs(20));
        } else if second == kill {
            world.restart();
        }
        match second % (13 * MINUTE) {
            0 => world.answers("NAS", Answer::Fail),
            90 => world.answers("NAS", Answer::Pass),
            _ => {}
        }
        world.seconds(1);
    }
    // It failed five times.
    world.seconds(6 * HOUR);
    world.mails()
}

#[test]
fn killed_at_any_moment_of_it_the_same_is_told() {
    let told = ["NAS UNHEALTHY", "NAS HEALTHY", "NAS keeps failing", "NAS HEALTHY"];
    // An odd time, so that it falls before, on and after what is due.
    for kill in (0..5 * 13 * MINUTE).step_by(37) {
        assert_eq!(killed_after(kill, false), told, "killed after {kill} s");
    }
    for kill in (0..5 * 13 * MINUTE).step_by(101) {
        assert_eq!(killed_after(kill, true), told, "cut after {kill} s");
    }
}

#[test]
fn who_is_known_to_keep_failing_and_is_not_back_is_no_news() {
    let mut world = house(&[]);
    world.register("Kodi", &[("url", "http://kodi/"), ("healthy", "2")]);
    world.seconds(300);
    for _ in 0..2 {
        blink(&mut world, 20);
    }
    world.inbox.clear();
    world.answers("NAS", Answer::Hang);
    world.power_cut(Duration::from_secs(60));
    world.seconds(15 * MINUTE);
    assert_eq!(world.mails(), [] as [&str; 0], "it keeps failing, as is known");
    world.answers("kodi", Answer::Hang);
    world.power_cut(Duration::from_secs(60));
    world.seconds(15 * MINUTE);
    assert_eq!(world.mails(), ["0/1 well, not Kodi"], "and what is news is told");
}

#[test]
fn what_is_known_to_be_degraded_now_and_then_and_dies_is_told_once() {
    for then in [Answer::Hang, Answer::Refused, Answer::Fail] {
        let mut world = house(&[]);
        let spell = |world: &mut World, answer: Answer| {
            world.answers("NAS", answer);
            world.seconds(5 * MINUTE);
            world.answers("NAS", Answer::Pass);
            world.seconds(10 * MINUTE);
        };
        (0..3).for_each(|_| spell(&mut world, Answer::Warn));
        let before = ["NAS DEGRADED", "NAS HEALTHY", "NAS keeps failing"];
        assert_eq!(world.mails(), before);
        (0..2).for_each(|_| spell(&mut world, then));
        spell(&mut world, Answer::Warn);
        world.answers("NAS", then);
        world.seconds(24 * HOUR);
        assert_eq!(world.mails()[3..], ["NAS UNHEALTHY"], "{then:?}");
        world.answers("NAS", Answer::Pass);
        world.seconds(5 * HOUR);
        assert_eq!(world.inbox.len(), 4, "{then:?}: it has failed often");
        world.seconds(2 * HOUR);
        assert_eq!(world.mails()[4..], ["NAS HEALTHY"], "{then:?}");
    }
}
