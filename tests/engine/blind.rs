//! What people are told of times in which nobody was seen.

use std::time::Duration;

use super::world::{Answer, Mood, World};
use healthchecker::engine::outbox::letter;
use healthchecker::engine::outbox::notice::Notice;
use healthchecker::engine::state::State;
use healthchecker::engine::time::Zone;

const HOUSE: [&str; 3] = ["NAS", "Kodi", "Heating"];
const DAY: Duration = Duration::from_secs(24 * 3600);

fn house() -> World {
    let mut world = World::new();
    for name in HOUSE {
        world.register(name, &[("interval", "60"), ("healthy", "2")]);
    }
    world.seconds(300);
    world.inbox.clear();
    world
}

/// Kodi is UNHEALTHY, and everybody knows.
fn house_with_kodi_ill() -> World {
    let mut world = house();
    world.answers("kodi", Answer::Fail);
    world.seconds(300);
    world.inbox.clear();
    world
}

/// For so many minutes nothing answers, or we have no link.
fn blind(world: &mut World, minutes: u64, cut_off: bool) {
    if cut_off {
        world.cut_off = true;
    } else {
        world.deaf = true;
    }
    world.seconds(minutes * 60);
    (world.cut_off, world.deaf) = (false, false);
}

#[test]
fn that_nothing_answers_is_told_after_ten_minutes_and_nothing_more_when_all_are_back() {
    let mut world = house();
    world.deaf = true;
    world.seconds(600);
    assert_eq!(world.mails(), [] as [&str; 0]);
    world.seconds(120);
    assert_eq!(world.mails(), ["nothing of 3"]);
    let letter = letter::write(&world.inbox[0].1, world.now.at, &Zone::UTC, None);
    let since = "2026-11-23 23:01:15 UTC";
    assert_eq!(
        letter.subject,
        "[HealthChecker] Nothing answers since 23:01: our network, or all 3 apps"
    );
    let headline = format!("Nothing answers since {since}: our network, or all 3 apps");
    let line = "-".repeat(60);
    assert_eq!(
        letter.text,
        format!(
            "{headline}\n{line}\n\nNot seen since:\n- Heating\n- Kodi\n- NAS\n\nLook at the switch, the router or \
             the Wi-Fi that the health checker hangs on. No alarm of these apps comes until one of them answers; then each has \
             its time to answer, too.\n"
        )
    );
    world.seconds(3600);
    world.deaf = false;
    world.seconds(3600);
    assert_eq!(world.inbox.len(), 1, "that was the note");
}

#[test]
fn a_long_outage_is_noted_afterwards_and_a_short_one_is_not() {
    let mut world = house();
    blind(&mut world, 9, true);
    world.seconds(3600);
    assert_eq!(world.mails(), [] as [&str; 0]);
    blind(&mut world, 21, true);
    world.seconds(300);
    assert_eq!(world.mails(), ["1 gaps, 3/3"]);
    let letter = letter::write(&world.inbox[0].1, world.now.at, &Zone::UTC, None);
    assert!(
        letter.subject.starts_with("[HealthChecker] I could not see the network from 00:"),
        "{}",
        letter.subject
    );
    assert!(
        letter.text.contains("\nI could not see the network from 2026-11-24 00:"),
        "{}",
        letter.text
    );
    let late = letter::write(&world.inbox[0].1, world.now.at + DAY, &Zone::UTC, None);
    assert!(
        late.subject.starts_with("[HealthChecker] I could not see the network from 2026-11-24 00:"),
        "{}",
        late.subject
    );
    assert!(letter.text.contains("\nAll 3 apps are as before.\n"), "{}", letter.text);
}

#[test]
fn one_note_an_hour_tells_all() {
    let mut world = house();
    for _ in 0..3 {
        blind(&mut world, 11, true);
        world.seconds(120);
    }
    assert_eq!(world.mails(), ["1 gaps, 3/3"]);
    world.seconds(2 * 3600);
    assert_eq!(world.mails()[1..], ["2 gaps, 3/3"]);
    let letter = letter::write(&world.inbox[1].1, world.now.at, &Zone::UTC, None);
    assert_eq!(letter.subject, "[HealthChecker] I could not see the network 2 times");
    assert!(letter.text.contains("- from 2026-11-23 23:"), "{}", letter.text);
}

#[test]
fn who_was_ill_and_is_well_afterwards_is_not_as_before() {
    let mut world = house_with_kodi_ill();
    world.cut_off = true;
    world.seconds(900);
    world.answers("kodi", Answer::Pass);
    world.answers("heating", Answer::Hang);
    world.cut_off = false;
    // The note waits for who needs longer.
    world.seconds(240);
    world.answers("heating", Answer::Pass);
    world.seconds(1200);
    let mut mails = world.mails();
    mails.sort();
    assert_eq!(mails, ["1 gaps, 2/3", "Kodi HEALTHY"]);
}

#[test]
fn who_was_ill_and_is_not_known_to_be_well_elsewhere_is_not_as_before() {
    let mut world = house_with_kodi_ill();
    world.cut_off = true;
    world.seconds(900);
    world.cut_off = false;
    world.register("Kodi", &[("url", "http://other/"), ("interval", "60"), ("healthy", "9")]);
    // One that was well, and is asked at another address by now, is no trouble.
    world.register("NAS", &[("url", "http://nas2/"), ("interval", "60"), ("healthy", "2")]);
    world.seconds(60);
    assert_eq!(world.state("Kodi"), State::Unknown);
    assert_eq!(world.mails(), ["1 gaps, 2/3"]);
}

#[test]
fn who_has_a_report_has_no_note() {
    let mut world = house();
    world.register("Kodi", &[("interval", "60"), ("healthy", "2"), ("email", "a@example.org")]);
    world.seconds(300);
    world.inbox.clear();
    world.answers("kodi", Answer::Hang);
    blind(&mut world, 15, true);
    world.seconds(1200);
    let mut mails = world.mails();
    mails.sort();
    assert_eq!(mails, ["1 gaps, 2/2", "a@example.org: 0/1 well, not Kodi"]);
}

#[test]
fn a_mail_that_cannot_go_while_nothing_answers_tells_afterwards_from_when_until_when() {
    for killed in [false, true] {
        let mut world = house();
        world.mood = Mood::Away;
        blind(&mut world, 30, false);
        world.seconds(60);
        if killed {
            world.restart();
        }
        world.mood = Mood::Accepts;
        world.seconds(3600);
        assert_eq!(world.mails(), ["1 gaps, 3/3"]);
        let letter = letter::write(&world.inbox[0].1, world.now.at, &Zone::UTC, None);
        let subject = "[HealthChecker] I could not see the network from 23:01 to 23:3";
        assert!(letter.subject.starts_with(subject), "{}", letter.subject);
        let how =
            "\nEach app has its time to answer since then. Another mail tells who does not.\n";
        assert!(letter.text.contains(how), "{}", letter.text);
        assert!(!letter.text.contains("Nothing answers"), "{}", letter.text);
    }
}

#[test]
fn a_mail_that_nothing_answers_is_no_present_after_a_boot() {
    let mut world = house();
    (world.mood, world.deaf) = (Mood::Away, true);
    world.seconds(1200);
    world.deaf = false;
    world.boot_at(world.now.wall);
    world.mood = Mood::Accepts;
    world.seconds(3600);
    assert_eq!(world.mails(), ["1 gaps, 3/3"]);
}

#[test]
fn killed_at_any_moment_of_an_outage_people_are_told_once() {
    for cut_off in [true, false] {
        for at in (0..24).map(|n| n * 80 + 3) {
            let mut world = house();
            (world.cut_off, world.deaf) = (cut_off, !cut_off);
            let length = 1200;
            world.seconds(at.min(length));
            if at < length {
                world.restart();
                world.seconds(length - at);
            }
            (world.cut_off, world.deaf) = (false, false);
            if at >= length {
                world.seconds(at - length);
                world.restart();
            }
            world.seconds(2 * 3600);
            let expected = if cut_off { "1 gaps, 3/3" } else { "nothing of 3" };
            assert_eq!(world.mails(), [expected], "killed after {at} s");
        }
    }
}

/// A house with apps in it and out there, the internet known.
fn house_with_friends() -> World {
    let mut world = World::new();
    for (name, url) in
        [("NAS", "http://nas/"), ("Blog", "http://blog.example/"), ("Shop", "http://shop.example/")]
    {
        world.register(name, &[("url", url), ("interval", "60"), ("healthy", "2")]);
    }
    world.register("Kodi", &[("interval", "60"), ("email", "a@example.org")]);
    world.seconds(300);
    world.answers("blog.example", Answer::Hang);
    world.seconds(70);
    world.answers("blog.example", Answer::Pass);
    world.seconds(300);
    world.inbox.clear();
    world
}

fn without_internet(world: &mut World, minutes: u64) {
    world.offline = true;
    world.seconds(minutes * 60);
    world.offline = false;
}

#[test]
fn a_long_outage_of_the_internet_is_noted_afterwards_for_those_with_apps_out_there() {
    let mut world = house_with_friends();
    without_internet(&mut world, 9);
    world.seconds(3600);
    assert_eq!(world.mails(), [] as [&str; 0], "too short");
    without_internet(&mut world, 21);
    assert_eq!(world.mails(), [] as [&str; 0]);
    world.seconds(300);
    assert_eq!(world.mails(), ["1 gaps, 2/2"]);
    let letter = letter::write(&world.inbox[0].1, world.now.at, &Zone::UTC, None);
    let subject = "[HealthChecker] I could not reach the internet from 00:";
    assert!(letter.subject.starts_with(subject), "{}", letter.subject);
    assert!(letter.text.contains("\nAll 2 apps out there are as before.\n"), "{}", letter.text);
}

#[test]
fn one_note_tells_of_the_network_and_of_the_internet() {
    let mut world = house_with_friends();
    blind(&mut world, 11, true);
    world.seconds(720);
    assert_eq!(world.mails(), ["a@example.org: 1 gaps, 1/1", "1 gaps, 3/3"]);
    without_internet(&mut world, 11);
    world.seconds(120);
    blind(&mut world, 11, true);
    world.seconds(2 * 3600);
    assert_eq!(world.mails()[2..], ["a@example.org: 1 gaps, 1/1", "2 gaps, 3/3"]);
    let letter = letter::write(&world.inbox[3].1, world.now.at, &Zone::UTC, None);
    let subject = "[HealthChecker] I could not see the network or the internet 2 times";
    assert_eq!(letter.subject, subject);
    for title in
        ["I could not see the network:\n- from 20", "I could not reach the internet:\n- from 20"]
    {
        assert!(letter.text.contains(title), "{}", letter.text);
    }
    assert!(letter.text.contains("\nAll 3 apps are as before.\n"), "{}", letter.text);
}

#[test]
fn of_an_outage_of_the_internet_that_hides_nobody_any_more_nothing_is_told() {
    let mut world = house_with_friends();
    world.offline = true;
    world.seconds(1200);
    world.stop("Blog");
    world.pause("Shop");
    world.offline = false;
    world.resume("Shop");
    world.restart();
    world.seconds(2 * 3600);
    assert_eq!(world.mails(), [] as [&str; 0]);
}

#[test]
fn killed_at_any_moment_of_an_outage_of_the_internet_people_are_told_once() {
    for at in (0..30).map(|n| n * 61 + 3) {
        let mut world = house_with_friends();
        world.offline = true;
        let length = 1200;
        world.seconds(at.min(length));
        if at < length {
            world.restart();
            world.seconds(length - at);
        }
        world.offline = false;
        if at >= length {
            world.seconds(at - length);
            world.restart();
        }
        world.seconds(2 * 3600);
        assert_eq!(world.mails(), ["1 gaps, 2/2"], "killed after {at} s");
        let Notice::Blind(told) = &world.inbox[0].1.notices[0] else { panic!() };
        let gap = told.gaps[0];
        let took = gap.from.until(gap.until.unwrap()).span.as_secs();
        assert!((length - 90..length + 90).contains(&took), "killed after {at} s: {took}");
    }
}
