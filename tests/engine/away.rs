//! The router, or the internet, is away while the house is well.

use std::time::Duration;

use super::world::{Answer, World};
use healthchecker::engine::beats::{Heard, Report};
use healthchecker::engine::log_event::LogEvent;
use healthchecker::engine::outbox::letter;
use healthchecker::engine::state::State;
use healthchecker::engine::surroundings::look::Sight;
use healthchecker::engine::time::Zone;
use healthchecker::engine::verdict::reported;

const HOUSE: [(&str, &str); 5] = [
    ("NAS", "http://nas/"),
    ("Kodi", "http://kodi/"),
    ("Heating", "http://heating/"),
    ("Blog", "http://blog.example/"),
    ("Shop", "http://shop.example/"),
];

/// All is well, and the router and the internet have been seen.
pub(super) fn house() -> World {
    let mut world = strange_house();
    world.answers("blog.example", Answer::Hang);
    world.seconds(70);
    world.answers("blog.example", Answer::Pass);
    world.seconds(300);
    world.inbox.clear();
    world
}

/// The same, but nobody was ever looked at.
fn strange_house() -> World {
    let mut world = World::new();
    for (name, url) in HOUSE {
        world.register(name, &[("url", url), ("interval", "60"), ("healthy", "2")]);
    }
    world.seconds(300);
    world.inbox.clear();
    world
}

/// Why an app cannot be seen.
pub(super) fn hidden_by(world: &World, name: &str) -> Option<String> {
    let row = world.engine.view().portrait(world.now, name).unwrap().closeup.summary;
    row.reason
        .strip_prefix("not visible: ")
        .map(|why| why.split(" since").next().unwrap().to_owned())
}

/// The router goes, and with it who is behind it.
pub(super) fn router_goes(world: &mut World, behind: &[&str]) {
    world.gateway = Sight::Nothing;
    world.offline = true;
    behind.iter().for_each(|name| world.answers(name, Answer::Hang));
}

fn router_is_back(world: &mut World, behind: &[&str]) {
    world.gateway = Sight::Answers;
    world.offline = false;
    behind.iter().for_each(|name| world.answers(name, Answer::Pass));
}

#[test]
fn who_falls_silent_with_the_router_waits_for_it() {
    let mut world = house();
    router_goes(&mut world, &["kodi"]);
    world.seconds(300);
    for name in ["Kodi", "Blog", "Shop"] {
        assert_eq!(
            hidden_by(&world, name).as_deref(),
            Some("the router does not answer"),
            "{name}"
        );
        assert_eq!(world.state(name), State::Unknown);
    }
    assert_eq!((world.state("NAS"), hidden_by(&world, "NAS")), (State::Healthy, None));
    router_is_back(&mut world, &["kodi"]);
    world.seconds(3600);
    assert_eq!(world.mails(), [] as [&str; 0]);
    assert_eq!(world.state("Kodi"), State::Healthy);
}

#[test]
fn who_is_not_back_with_the_router_is_told_when_it_has_had_its_time() {
    let mut world = house();
    router_goes(&mut world, &["kodi"]);
    world.seconds(300);
    // They are in one round with Kodi: were the router back before it, so were they before anybody has found that out.
    world.one_check_begins("kodi");
    router_is_back(&mut world, &[]);
    world.seconds(900);
    assert_eq!(world.mails(), ["2/3 well, not Kodi"]);
    let subject = letter::write(&world.inbox[0].1, world.now.at, &Zone::UTC, None).subject;
    assert_eq!(subject, "[HealthChecker] After the router was away: 2 of 3 are well, not Kodi");
}

/// Others were back before anybody knew that the router is.
#[test]
fn who_keeps_failing_is_no_news_after_the_router_was_away() {
    for keeps_failing in [false, true] {
        let mut world = house();
        for answer in [Answer::Fail, Answer::Pass, Answer::Fail, Answer::Pass] {
            let answer = if keeps_failing { answer } else { Answer::Pass };
            world.answers("kodi", answer);
            world.seconds(240);
        }
        let told = if keeps_failing { "Kodi keeps failing" } else { "" };
        assert_eq!(world.mails().last().map_or("", |last| last), told);
        world.inbox.clear();
        router_goes(&mut world, &["kodi"]);
        world.seconds(300);
        router_is_back(&mut world, &[]);
        world.seconds(900);
        assert_eq!(world.state("Kodi"), State::Unhealthy);
        let report: &[&str] = if keeps_failing { &[] } else { &["0/1 well, not Kodi"] };
        assert_eq!(world.mails(), report);
    }
}

#[test]
fn a_router_that_stays_away_is_told_once_with_all_that_is_behind_it_and_once_when_all_are_back() {
    let mut world = house();
    router_goes(&mut world, &["kodi"]);
    world.seconds(595);
    assert_eq!(world.mails(), [] as [&str; 0]);
    world.seconds(120);
    assert_eq!(world.mails(), ["2/5 well, not Kodi, Blog, Shop"]);
    let letter = letter::write(&world.inbox[0].1, world.now.at, &Zone::UTC, None);
    assert_eq!(
        letter.subject,
        "[HealthChecker] The router 192.168.1.1 does not answer: 2 of 5 are well, not Kodi, Blog, Shop"
    );
    assert!(
        letter.text.starts_with("The router 192.168.1.1 does not answer since 2026-"),
        "{}",
        letter.text
    );
    assert_eq!(world.state("Kodi"), State::Unhealthy);
    world.seconds(3600);
    assert_eq!(world.inbox.len(), 1);
    router_is_back(&mut world, &["kodi"]);
    world.seconds(900);
    assert_eq!(world.mails()[1..], ["Kodi, Blog, Shop back"]);
}

#[test]
fn who_reaches_us_while_nobody_answers_and_the_router_does_not_shows_that_it_is_the_router() {
    let mut world = house();
    world.register("Greenhouse", &[("kind", "beat"), ("url", ""), ("interval", "300")]);
    let beats = |world: &mut World| {
        if world.engine.awaits_life() {
            world.engine.handle_life(world.now);
        }
        let beat = Report::Went(reported(false, "", b""));
        assert_eq!(world.engine.hear(world.now, "Greenhouse", beat), Ok(Heard::Counted));
        world.act();
    };
    beats(&mut world);
    world.seconds(60);
    world.inbox.clear();
    let all = ["nas", "kodi", "heating", "blog.example", "shop.example"];
    router_goes(&mut world, &all);
    world.seconds(150);
    assert_eq!(hidden_by(&world, "NAS").as_deref(), Some("nothing on the network answers"));
    beats(&mut world);
    world.seconds(150);
    assert_eq!(hidden_by(&world, "NAS").as_deref(), Some("the router does not answer"));
    beats(&mut world);
    world.seconds(450);
    // (Who reports is not asked, and not counted.)
    assert_eq!(world.mails(), ["0/5 well, not NAS, Kodi, Heating, Blog, Shop"]);
    let letter = letter::write(&world.inbox[0].1, world.now.at, &Zone::UTC, None);
    assert!(letter.text.starts_with("The router 192.168.1.1 does not answer"), "{}", letter.text);
    router_is_back(&mut world, &all);
    beats(&mut world);
    world.seconds(300);
    beats(&mut world);
    world.seconds(300);
    assert_eq!(world.mails()[1..], ["NAS, Kodi, Heating, Blog, Shop back"]);
}

#[test]
fn who_reaches_us_when_our_network_is_back_shows_that() {
    let mut world = house();
    let all = ["nas", "kodi", "heating", "blog.example", "shop.example"];
    router_goes(&mut world, &all);
    world.seconds(150);
    router_is_back(&mut world, &all);
    world.engine.handle_life(world.now);
    world.act();
    world.seconds(10);
    assert_eq!(hidden_by(&world, "NAS"), None, "a look has seen the router");
    world.seconds(900);
    assert_eq!(world.mails(), [] as [&str; 0]);
}

#[test]
fn who_may_be_off_is_not_missed_behind_a_router_that_stays_away() {
    let mut world = house();
    for (name, url) in &HOUSE[1..3] {
        let own = [("url", *url), ("interval", "60"), ("healthy", "2"), ("may_be_off", "true")];
        world.register(name, &own);
    }
    router_goes(&mut world, &["kodi"]);
    world.seconds(12 * 60);
    assert_eq!(world.mails(), ["1/3 well, not Blog, Shop"]);
    assert_eq!(world.state("Kodi"), State::Unknown);
    router_is_back(&mut world, &["kodi"]);
    world.seconds(900);
    assert_eq!(world.mails()[1..], ["Blog, Shop back"]);
}

#[test]
fn who_answers_while_the_router_is_away_is_judged_as_ever() {
    let mut world = house();
    router_goes(&mut world, &[]);
    world.seconds(130);
    world.answers("nas", Answer::Hang);
    world.answers("heating", Answer::Refused);
    world.seconds(240);
    assert_eq!(world.mails(), ["Heating, NAS silent"]);
}

#[test]
fn nobody_is_looked_for_whom_nobody_awaits() {
    let mut world = house();
    world.offline = true;
    world.seconds(150);
    world.stop("Blog");
    world.pause("Shop");
    world.looks.clear();
    world.seconds(600);
    assert_eq!(world.looks, []);
}

#[test]
fn a_router_that_never_answered_tells_nothing() {
    let mut world = strange_house();
    router_goes(&mut world, &["kodi"]);
    world.offline = false;
    world.seconds(300);
    assert_eq!(world.mails(), ["Kodi UNHEALTHY"]);
}

#[test]
fn what_answers_beyond_a_router_does_not_make_it_one_that_answers() {
    for gateway in [Sight::Nothing, Sight::Undecided] {
        let mut world = strange_house();
        world.gateway = gateway;
        // Somebody out there is silent, and the addresses beside it are not.
        world.answers("blog.example", Answer::Hang);
        world.seconds(70);
        world.answers("blog.example", Answer::Pass);
        world.seconds(300);
        world.inbox.clear();
        world.answers("kodi", Answer::Hang);
        world.seconds(300);
        assert_eq!(hidden_by(&world, "Kodi"), None);
        assert_eq!(world.mails(), ["Kodi UNHEALTHY"]);
    }
}

#[test]
fn without_the_internet_nobody_out_there_is_blamed() {
    let mut world = house();
    world.offline = true;
    world.answers("nas", Answer::Hang);
    world.seconds(300);
    for name in ["Blog", "Shop"] {
        assert_eq!(hidden_by(&world, name).as_deref(), Some("the internet is away"));
    }
    assert_eq!(world.mails(), ["NAS UNHEALTHY"]);
    world.seconds(3 * 3600);
    let (_, asked) = world.looks.last().unwrap();
    let anchors = ["198.51.100.1", "198.51.100.2", "198.51.100.3"];
    assert_eq!(asked[0], "gateway", "nobody else is asked for hours");
    assert_eq!(asked[1..], anchors);
    world.offline = false;
    world.answers("shop.example", Answer::Hang);
    world.seconds(60);
    assert_eq!(hidden_by(&world, "Blog"), None);
    assert_eq!(world.state("Shop"), State::Unknown, "it may need its time");
    world.seconds(900);
    assert_eq!(world.mails()[1..], ["1/2 well, not Shop"]);
    let subject = letter::write(&world.inbox[1].1, world.now.at, &Zone::UTC, None).subject;
    assert_eq!(subject, "[HealthChecker] After the internet was away: 1 of 2 are well, not Shop");
}

#[test]
fn anchors_that_never_answered_tell_nothing_and_are_asked_for_nobody_in_the_house() {
    let mut world = strange_house();
    world.answers("nas", Answer::Hang);
    world.seconds(200);
    assert!(world.looks.iter().all(|(_, asked)| !asked.iter().any(|it| it.starts_with("198"))));
    world.inbox.clear();
    world.offline = true;
    world.seconds(300);
    assert_eq!(world.mails(), ["Blog, Shop silent"]);
    let text = letter::write(&world.inbox[0].1, world.now.at, &Zone::UTC, None).text;
    assert!(text.contains("Look at the line to the internet: 2 apps on different hosts"), "{text}");
    assert!(world.looks.iter().any(|(_, asked)| asked.contains(&"198.51.100.1".to_owned())));
}

#[test]
fn an_app_out_there_that_is_silent_alone_is_blamed() {
    let mut world = house();
    world.answers("shop.example", Answer::Hang);
    world.seconds(300);
    assert_eq!(world.mails(), ["Shop UNHEALTHY"]);
}

#[test]
fn killed_at_any_moment_of_an_outage_of_the_internet_nothing_is_lost_or_told_twice() {
    for at in (0..30).map(|n| n * 43 + 5) {
        let mut world = house();
        let length = 400;
        world.offline = true;
        world.seconds(at.min(length));
        if at < length {
            world.restart();
            world.seconds(length - at);
        }
        world.offline = false;
        world.answers("shop.example", Answer::Hang);
        if at >= length {
            world.seconds(at - length);
            world.restart();
        }
        world.seconds(3600);
        let mails = world.mails();
        let [told] = mails.as_slice() else { panic!("killed after {at} s: {mails:?}") };
        assert!(told.contains("Shop") && !told.contains("Blog"), "killed after {at} s: {told}");
        world.answers("shop.example", Answer::Pass);
        world.seconds(900);
        let mails = world.mails();
        assert_eq!(mails.len(), 2, "killed after {at} s: {mails:?}");
        assert!(mails[1].contains("Shop"), "killed after {at} s: {mails:?}");
    }
}

#[test]
fn killed_at_any_moment_of_an_outage_of_the_router_nothing_is_lost_or_told_twice() {
    for at in (0..20).map(|n| n * 45 + 5) {
        let mut world = house();
        router_goes(&mut world, &["kodi"]);
        world.seconds(at);
        world.restart();
        world.seconds(2 * 3600 - at);
        let missing = |mails: &[String]| {
            mails.iter().filter(|mail| mail.contains("Kodi")).cloned().collect::<Vec<_>>()
        };
        let told = missing(&world.mails());
        assert_eq!(told.len(), 1, "killed after {at} s: {:?}", world.mails());
        router_is_back(&mut world, &["kodi"]);
        world.seconds(1800);
        assert_eq!(missing(&world.mails()).len(), 2, "killed after {at} s: {:?}", world.mails());
        let owed = world.mails().iter().filter(|mail| mail.contains("Shop")).count();
        assert_eq!(owed, 2, "killed after {at} s: {:?}", world.mails());
    }
}

#[test]
fn who_fails_out_there_while_another_passes_is_told_though_no_well_known_address_answers() {
    let mut world = house();
    world.anchors_are_silent = true;
    world.answers("blog.example", Answer::Hang);
    world.seconds(2400);
    assert_eq!(world.state("Blog"), State::Unhealthy);
    assert_eq!(world.mails(), ["Blog UNHEALTHY"]);
}

#[test]
fn a_host_out_there_that_does_not_answer_is_not_said_to_be_on() {
    let mut world = house();
    for name in ["Mail", "Wiki"] {
        let url = format!("http://blog.example/{name}");
        world.register(name, &[("url", &url), ("interval", "60"), ("healthy", "2")]);
    }
    world.seconds(300);
    world.inbox.clear();
    world.answers("blog.example", Answer::Hang);
    world.seconds(300);
    let letter = letter::write(&world.inbox[0].1, world.now.at, &Zone::UTC, None);
    assert!(
        letter.text.contains("Look at blog.example: 3 apps on it went silent"),
        "{}",
        letter.text
    );
}

#[test]
fn who_was_asked_out_there_when_the_router_was_seen_last_waits_for_it_all_the_same() {
    let mut world = house();
    for name in ["Blog", "Shop"] {
        let url = format!("http://{}.example/", name.to_lowercase());
        // One of its checks is always under way while nobody answers.
        world.register(name, &[("url", &url), ("interval", "10"), ("timeout", "10")]);
    }
    world.seconds(60);
    world.answers("nas", Answer::Hang);
    let looks = world.looks.len();
    world.one_check_begins("nas");
    world.offline = true;
    while world.looks.len() == looks {
        world.pass(Duration::from_millis(100));
    }
    router_goes(&mut world, &["kodi"]);
    world.seconds(120);
    for name in ["Kodi", "Blog", "Shop"] {
        let why = hidden_by(&world, name);
        assert_eq!(why.as_deref(), Some("the router does not answer"), "{name}");
    }
}

/// The internet is away, the daemon too perhaps, and after that for longer than things settle.
fn line_is_back_late(world: &mut World) {
    world.seconds(1200);
    assert_eq!(world.mails(), [] as [&str; 0]);
    for name in ["Blog", "Shop"] {
        assert_eq!(hidden_by(world, name).as_deref(), Some("the internet is away"), "{name}");
    }
    world.offline = false;
    world.seconds(1200);
    assert_eq!(world.state("Blog"), State::Healthy);
    assert_eq!(world.mails(), ["1 gaps, 2/2"]);
}

#[test]
fn a_line_that_is_back_for_a_moment_only_is_away_still() {
    let mut world = house();
    world.offline = true;
    world.seconds(300);
    world.offline = false;
    while !world.notes.iter().any(|note| matches!(note, LogEvent::Back { .. })) {
        world.pass(Duration::from_millis(100));
    }
    world.offline = true;
    line_is_back_late(&mut world);
}

#[test]
fn a_line_that_is_back_long_after_the_power_is_away_till_then() {
    let mut world = house();
    world.offline = true;
    world.power_cut(Duration::from_secs(60));
    line_is_back_late(&mut world);
}

#[test]
fn a_network_that_is_back_for_a_moment_only_is_down_still() {
    let mut world = house();
    world.deaf = true;
    world.seconds(300);
    world.deaf = false;
    while !world.notes.iter().any(|note| matches!(note, LogEvent::Back { .. })) {
        world.pass(Duration::from_millis(100));
    }
    world.deaf = true;
    world.seconds(1200);
    assert_eq!(world.mails(), ["nothing of 5"]);
    assert_eq!(hidden_by(&world, "NAS").as_deref(), Some("nothing on the network answers"));
}

#[test]
fn who_answers_before_the_router_is_looked_at_is_not_behind_it() {
    let mut world = house();
    world.register("Kodi", &[("interval", "10"), ("timeout", "5")]);
    world.seconds(60);
    world.looks_are_lost = true;
    world.gateway = Sight::Nothing;
    world.answers("kodi", Answer::Hang);
    world.one_check_begins("kodi");
    world.answers("kodi", Answer::Pass);
    // Its own answer decides it; the others do not know of the router.
    world.one_check_begins("kodi");
    world.seconds(1);
    world.looks_are_lost = false;
    world.seconds(7);
    assert_eq!(hidden_by(&world, "Kodi"), None);
    assert!(!world.notes.iter().any(|note| matches!(note, LogEvent::Away { .. })));
}

#[test]
fn what_is_on_our_own_machine_by_name_waits_for_no_network() {
    let mut world = house();
    world.register("Own", &[("url", "http://our-pi/"), ("healthy", "2")]);
    world.seconds(120);
    world.answers("our-pi", Answer::Hang);
    world.seconds(300);
    world.answers("our-pi", Answer::Pass);
    world.seconds(300);
    world.inbox.clear();
    world.cut_off = true;
    world.seconds(120);
    world.answers("our-pi", Answer::Hang);
    world.seconds(300);
    assert_eq!(world.mails(), ["Own keeps failing"], "it needs no network");
}

#[test]
fn who_was_back_before_the_line_was_is_counted_with_the_others() {
    let mut world = house();
    (world.offline, world.gateway) = (true, Sight::Answers);
    HOUSE[..3].iter().for_each(|(name, _)| world.answers(name, Answer::Hang));
    world.power_cut(std::time::Duration::from_secs(300));
    world.seconds(20);
    ["nas", "heating"].iter().for_each(|name| world.answers(name, Answer::Pass));
    world.seconds(100);
    assert_eq!((world.state("NAS"), world.state("Blog")), (State::Healthy, State::Unknown));
    world.offline = false;
    world.seconds(900);
    assert_eq!(world.mails(), ["4/5 well, not Kodi"]);
}
