//! Apps that fall silent together: one mail, and one more when all are well.

use std::time::Duration;

use super::world::{Answer, World};
use healthchecker::engine::outbox::letter;
use healthchecker::engine::state::State;
use healthchecker::engine::time::Moment;

/// The apps of one host.
const ON_HOST: [&str; 5] = ["NAS", "Kodi", "Photos", "Wiki", "Git"];
/// One on another.
const BESIDE: &str = "Heating";
const NOBODY: [&str; 0] = [];

/// Where an app is.
fn address(name: &str) -> String {
    let place = ON_HOST.iter().position(|known| *known == name);
    place.map_or("192.168.1.30".to_owned(), |place| format!("192.168.1.20:{}", 8000 + place))
}

fn register(world: &mut World, name: &str, more: &[(&str, &str)]) {
    let url = format!("http://{}/", address(name));
    let usual = [("url", url.as_str()), ("healthy", "2")];
    let usual = usual.iter().filter(|(field, _)| more.iter().all(|(known, _)| known != field));
    let fields: Vec<(&str, &str)> = usual.chain(more).copied().collect();
    world.register(name, &fields);
}

/// Five apps on one host, another one beside them; all are well, and nobody has mail.
fn house() -> World {
    let mut world = World::new();
    ON_HOST.iter().chain([&BESIDE]).for_each(|name| register(&mut world, name, &[]));
    world.seconds(300);
    world.inbox.clear();
    world
}

/// The same, ten seconds before Git is asked, which is so every five minutes only and takes long to be HEALTHY: what
/// hangs from now on is told before it is UNHEALTHY.
fn house_that_asks_git_soon() -> World {
    let mut world = house();
    register(&mut world, "Git", &[("interval", "300"), ("healthy", "10")]);
    world.seconds(3600);
    world.inbox.clear();
    world.one_check("Git");
    world.seconds(290);
    world
}

fn answer(world: &mut World, names: &[&str], answer: Answer) {
    names.iter().for_each(|name| world.answers(&address(name), answer));
}

/// Names in a mail come in the order in which they were found: here they are only counted.
fn is_of_all(mail: &str) -> bool {
    ON_HOST.iter().all(|name| mail.contains(name)) && !mail.contains(BESIDE)
}

#[test]
fn a_host_that_dies_and_returns_brings_two_mails() {
    let mut world = house();
    answer(&mut world, &ON_HOST, Answer::Hang);
    world.seconds(100);
    assert_eq!(world.inbox.len(), 1, "{:?}", world.mails());
    assert!(is_of_all(&world.mails()[0]), "{:?}", world.mails());
    world.seconds(720);
    answer(&mut world, &ON_HOST[1..], Answer::Pass);
    world.seconds(600);
    assert_eq!(world.inbox.len(), 1, "one is still awaited");
    answer(&mut world, &ON_HOST, Answer::Pass);
    world.seconds(600);
    assert_eq!(world.inbox.len(), 2, "{:?}", world.mails());
    let subject = world.letter(1).subject;
    assert_eq!(subject, "[HealthChecker] 5 apps are HEALTHY again after 23 min");
    let [(_, trouble), (_, end)] = world.inbox.as_slice() else { panic!("two mails") };
    assert_eq!(end.references, [trouble.message_id.as_str()]);
    world.seconds(7200);
    assert_eq!(world.inbox.len(), 2);
}

#[test]
fn the_mail_word_for_word() {
    let mut world = World::new();
    ["NAS", "Kodi", "Wiki"].iter().for_each(|name| register(&mut world, name, &[]));
    register(&mut world, "Git", &[("interval", "300")]);
    world.seconds(1200);
    world.inbox.clear();
    world.one_check("Git");
    world.seconds(290);
    answer(&mut world, &ON_HOST, Answer::Hang);
    world.seconds(120);
    let letter = world.letter(0);
    let start = "[HealthChecker] 3 apps are UNHEALTHY: ";
    assert_eq!(letter.subject, format!("{start}NAS and 2 on 192.168.1.20, 1 more does not answer"));
    assert_eq!(
        letter.text,
        "\
Look at the switch or the power of 192.168.1.20: 4 apps on it went silent within 16 s
------------------------------------------------------------

On 192.168.1.20:
- NAS is UNHEALTHY since 2026-11-23 23:23:30 UTC (no answer)
- Kodi is UNHEALTHY since 2026-11-23 23:23:30 UTC (no answer)
- Wiki is UNHEALTHY since 2026-11-23 23:23:30 UTC (no answer)
- Git was asked once since 2026-11-23 23:23:15 UTC (no answer)

Last checks of NAS, newest last:
  2026-11-23 23:20:55 UTC  pass       5 ms
  2026-11-23 23:21:25 UTC  pass       5 ms
  2026-11-23 23:21:55 UTC  pass       5 ms
  2026-11-23 23:22:25 UTC  pass       5 ms
  2026-11-23 23:22:55 UTC  pass       5 ms
  2026-11-23 23:23:30 UTC  FAIL    5000 ms
  2026-11-23 23:24:00 UTC  FAIL    5000 ms
  2026-11-23 23:24:30 UTC  FAIL    5000 ms

One more mail comes when all of them are well.
"
    );
    // It counts as told: that it is UNHEALTHY, too, is no news; nor that it passes, before the others do.
    world.seconds(600);
    assert_eq!(world.state("Git"), State::Unhealthy);
    assert_eq!(world.inbox.len(), 1, "{:?}", world.mails());
    answer(&mut world, &ON_HOST, Answer::Pass);
    world.seconds(900);
    assert!(world.letter(1).subject.contains("4 apps are HEALTHY again"));
    assert_eq!(world.inbox.len(), 2, "{:?}", world.mails());
}

#[test]
fn who_was_only_asked_once_and_passes_is_well_again_with_the_others() {
    let mut world = house_that_asks_git_soon();
    answer(&mut world, &ON_HOST, Answer::Hang);
    world.seconds(120);
    assert!(is_of_all(&world.mails()[0]), "{:?}", world.mails());
    answer(&mut world, &["Git"], Answer::Pass);
    world.one_check("Git");
    assert_eq!(world.state("Git"), State::Healthy, "it never was anything else");
    answer(&mut world, &ON_HOST, Answer::Pass);
    world.seconds(120);
    assert!(world.letter(1).subject.contains("5 apps are HEALTHY again"));
    answer(&mut world, &["Git"], Answer::Fail);
    world.seconds(700);
    assert_eq!(world.mails()[2..], ["Git keeps failing"], "another time is another alarm");
}

#[test]
fn an_app_that_is_alone_waits_for_nobody() {
    let mut world = house();
    answer(&mut world, &["Kodi"], Answer::Refused);
    world.one_check("Kodi");
    world.one_check("Kodi");
    world.seconds(1);
    assert_eq!(world.mails(), ["Kodi UNHEALTHY"], "the others have answered since");
    let letter = world.letter(0);
    assert!(letter.text.contains("from HEALTHY"), "{}", letter.text);
    answer(&mut world, &["Kodi"], Answer::Pass);
    world.seconds(120);
    assert_eq!(world.mails()[1..], ["Kodi HEALTHY"]);
}

#[test]
fn a_host_that_dies_again_soon_is_told_as_before_and_its_end_when_that_is_believed() {
    let mut world = house();
    for _ in 0..2 {
        answer(&mut world, &ON_HOST, Answer::Hang);
        world.seconds(120);
        answer(&mut world, &ON_HOST, Answer::Pass);
        world.seconds(180);
    }
    assert_eq!(world.inbox.len(), 3, "{:?}", world.mails());
    let [first, second] = [0, 2].map(|mail| world.letter(mail));
    assert_eq!(first.subject, second.subject);
    assert!(second.text.contains("HEALTHY only shortly before"), "{}", second.text);
    world.seconds(2 * 3600);
    assert_eq!(world.inbox.len(), 4, "{:?}", world.mails());
    assert!(world.letter(3).subject.contains("5 apps are HEALTHY again"));
}

#[test]
fn what_is_no_silence_waits_for_nobody_either_and_is_an_incident_of_its_own() {
    let mut world = house();
    register(&mut world, "Slow one", &[("url", "http://192.168.1.40/"), ("interval", "300")]);
    world.seconds(600);
    world.inbox.clear();
    answer(&mut world, &["NAS", "Kodi"], Answer::Hang);
    answer(&mut world, &["Wiki"], Answer::Fail);
    world.one_check("Wiki");
    world.one_check("Wiki");
    world.seconds(1);
    assert!(world.mails().contains(&"Wiki UNHEALTHY".to_owned()), "{:?}", world.mails());
    world.seconds(120);
    assert_eq!(world.inbox.len(), 2, "{:?}", world.mails());
    answer(&mut world, &["Wiki"], Answer::Pass);
    world.seconds(120);
    assert_eq!(world.mails()[2..], ["Wiki HEALTHY"], "it waits for no other");
}

#[test]
fn who_passes_before_anybody_is_told_is_no_alarm() {
    let mut world = house();
    register(&mut world, "Slow one", &[("url", "http://192.168.1.40/"), ("interval", "300")]);
    world.seconds(600);
    world.inbox.clear();
    // The slow one was asked just now: it is waited for, for 45 s.
    world.one_check("Slow one");
    answer(&mut world, &["NAS", "Kodi"], Answer::Hang);
    while world.state("Kodi") != State::Unhealthy {
        world.seconds(1);
    }
    assert_eq!(world.mails(), NOBODY, "it may be more than these");
    answer(&mut world, &["NAS", "Kodi"], Answer::Pass);
    world.seconds(3600);
    assert_eq!(world.mails(), NOBODY);
    answer(&mut world, &["Kodi"], Answer::Refused);
    world.seconds(120);
    assert_eq!(world.mails(), ["Kodi UNHEALTHY"], "and another time it is one");
}

#[test]
fn each_person_hears_of_their_own_apps() {
    let mut world = house();
    register(&mut world, "NAS", &[("email", "owner@example.org, guest@b.c")]);
    register(&mut world, "Kodi", &[("email", "guest@b.c")]);
    register(&mut world, BESIDE, &[("email", "other@b.c")]);
    world.seconds(300);
    world.inbox.clear();
    answer(&mut world, &ON_HOST, Answer::Hang);
    world.seconds(120);
    let told = |world: &World, person: &str| {
        let mail =
            world.inbox.iter().map(|(_, mail)| mail).find(|mail| mail.to.to_string() == person);
        mail.map(|mail| mail.conclusions().count())
    };
    assert_eq!(told(&world, "guest@b.c"), Some(2));
    assert_eq!(told(&world, "owner@example.org"), Some(4));
    assert_eq!(told(&world, "other@b.c"), None);
    answer(&mut world, &["NAS", "Kodi"], Answer::Pass);
    world.seconds(120);
    assert_eq!(world.inbox.len(), 3, "hers are well");
    let end = letter::write(&world.inbox[2].1, world.now.at, world.engine.zone(), None);
    assert_eq!(end.to, "guest@b.c");
    assert!(end.subject.contains("2 apps are HEALTHY again"), "{}", end.subject);
}

#[test]
fn who_is_stopped_or_paused_is_waited_for_no_longer() {
    for leave in [World::stop, World::pause] {
        let mut world = house();
        answer(&mut world, &ON_HOST, Answer::Hang);
        world.seconds(120);
        answer(&mut world, &ON_HOST[1..], Answer::Pass);
        world.seconds(120);
        assert_eq!(world.inbox.len(), 1);
        leave(&mut world, "NAS");
        world.seconds(1);
        let subject = world.letter(1).subject;
        assert!(subject.contains("4 apps are HEALTHY again"), "{subject}");
    }
}

#[test]
fn who_is_stopped_before_anybody_is_told_is_not_told_of() {
    let mut world = house();
    register(&mut world, "Slow one", &[("url", "http://192.168.1.40/"), ("interval", "300")]);
    world.seconds(600);
    world.inbox.clear();
    world.one_check("Slow one");
    answer(&mut world, &["NAS", "Kodi"], Answer::Hang);
    while [world.state("NAS"), world.state("Kodi")] != [State::Unhealthy; 2] {
        world.seconds(1);
    }
    world.stop("NAS");
    world.pause("Kodi");
    world.seconds(3600);
    assert_eq!(world.mails(), NOBODY);
}

#[test]
fn who_comes_later_on_a_dead_host_is_told_in_one_update() {
    let mut world = house();
    for name in ["Photos", "Wiki"] {
        register(&mut world, name, &[("interval", "300"), ("unhealthy", "3")]);
    }
    world.seconds(900);
    world.inbox.clear();
    // Those two are asked just now, and so not again for a while.
    world.one_check("Photos");
    world.one_check("Wiki");
    answer(&mut world, &ON_HOST, Answer::Hang);
    world.seconds(180);
    let told_at = Moment::from_millis(world.inbox[0].0);
    world.pass((told_at + Duration::from_secs(15 * 60 - 1)).since(world.now.at));
    assert_eq!(world.inbox.len(), 1, "{:?}", world.mails());
    world.seconds(2);
    assert_eq!(world.inbox.len(), 2, "{:?}", world.mails());
    let subject = world.letter(1).subject;
    assert!(subject.contains("2 more apps are UNHEALTHY"), "{subject}");
    let [listed] = super::incidents::list(&world).try_into().unwrap();
    let is_listed = |name: &&str| listed.contains(&format!("{name} UNHEALTHY"));
    assert!(ON_HOST.iter().all(is_listed), "{listed}");
    answer(&mut world, &ON_HOST, Answer::Pass);
    world.seconds(1200);
    assert_eq!(world.inbox.len(), 3);
    let subject = world.letter(2).subject;
    assert!(subject.contains("5 apps are HEALTHY again"), "{subject}");
    assert!(super::incidents::list(&world)[0].contains(" s, recovery: "), "{listed}");
}

#[test]
fn who_was_well_since_an_old_mail_is_an_incident_of_its_own() {
    let mut world = house();
    answer(&mut world, &["NAS"], Answer::Hang);
    world.seconds(3600);
    assert_eq!(world.inbox.len(), 1, "{:?}", world.mails());
    answer(&mut world, &["Kodi"], Answer::Hang);
    world.seconds(180);
    assert_eq!(world.inbox.len(), 2, "{:?}", world.mails());
    assert!(world.letter(1).subject.contains("Kodi"));
}

#[test]
fn killed_at_any_moment_of_it_nothing_is_lost_and_nothing_told_twice() {
    for second in (0..100).step_by(3) {
        let mut world = house();
        register(&mut world, "Slow one", &[("url", "http://192.168.1.40/"), ("interval", "300")]);
        world.seconds(900);
        world.inbox.clear();
        answer(&mut world, &ON_HOST, Answer::Hang);
        world.seconds(second);
        world.restart();
        world.seconds(600);
        assert_eq!(told(&mut world).len(), 1, "{second}: {:?}", world.mails());
        assert!(is_of_all(&world.mails()[0]), "{second}: {:?}", world.mails());
        answer(&mut world, &ON_HOST, Answer::Pass);
        world.seconds(600);
        assert_eq!(world.inbox.len(), 2, "{second}: {:?}", world.mails());
    }
}

/// What was told; one that was under way when we were killed comes once more, under the same id.
fn told(world: &mut World) -> Vec<String> {
    world.inbox.dedup_by_key(|(_, mail)| mail.message_id.clone());
    world.mails()
}

#[test]
fn killed_at_any_moment_of_its_end_it_is_told_once() {
    for second in (0..100).step_by(3) {
        let mut world = house();
        world.mail_takes = 2000;
        answer(&mut world, &ON_HOST, Answer::Hang);
        world.seconds(150);
        assert_eq!(world.inbox.len(), 1, "{:?}", world.mails());
        answer(&mut world, &ON_HOST, Answer::Pass);
        world.seconds(second);
        world.restart();
        world.seconds(600);
        let mails = told(&mut world);
        assert_eq!(mails.len(), 2, "{second}: {mails:?}");
        assert!(is_of_all(&mails[1]) && mails[1].contains("back"), "{second}: {mails:?}");
    }
}

#[test]
fn killed_at_any_moment_after_others_came_later_they_are_told_once() {
    for second in (0..1500).step_by(60) {
        let mut world = house();
        for name in ["Late", "Later"] {
            let url = "http://192.168.1.20:9000/";
            register(&mut world, name, &[("url", url), ("interval", "300")]);
        }
        world.seconds(900);
        world.inbox.clear();
        world.one_check("Later");
        world.one_check("Late");
        world.one_check("Later");
        answer(&mut world, &ON_HOST, Answer::Hang);
        world.answers("192.168.1.20:9000", Answer::Hang);
        world.seconds(120);
        let first = world.mails();
        assert_eq!(first.len(), 1, "{first:?}");
        world.seconds(second);
        world.restart();
        world.seconds(3600);
        let mails = told(&mut world);
        for name in ["Late", "Later"] {
            let told = mails.iter().filter(|mail| mail.contains(name)).count();
            assert!(told >= 1, "{second}: {name} in {mails:?}");
        }
        let before_the_end = mails.len();
        assert!(before_the_end <= 2, "{second}: {mails:?}");
        answer(&mut world, &ON_HOST, Answer::Pass);
        world.answers("192.168.1.20:9000", Answer::Pass);
        world.seconds(1800);
        let mails = told(&mut world);
        assert_eq!(mails.len(), before_the_end + 1, "{second}: {mails:?}");
    }
}

#[test]
fn where_the_machines_show_that_they_are_on_nobody_is_sent_to_a_switch() {
    let mut world = World::new();
    let hosts = ["NAS", "Kodi", "Photos"];
    hosts.iter().for_each(|name| world.register(name, &[("healthy", "2")]));
    world.seconds(300);
    world.inbox.clear();
    hosts.iter().for_each(|name| world.answers(name, Answer::Refused));
    world.seconds(300);
    let text = world.letter(0).text;
    let line =
        "Look at what they have in common: their machines are on, but 3 apps on different hosts";
    assert!(text.starts_with(line), "{text}");
}

#[test]
fn who_was_only_asked_once_is_well_since_it_passed() {
    let mut world = house_that_asks_git_soon();
    answer(&mut world, &["NAS", "Git"], Answer::Hang);
    world.seconds(120);
    assert_eq!(world.inbox.len(), 1, "{:?}", world.mails());
    let letter = world.letter(0);
    assert!(letter.text.contains("was asked once"), "{}", letter.text);
    answer(&mut world, &["Git"], Answer::Pass);
    world.one_check("Git");
    // Nobody waits for the other any more.
    world.stop("NAS");
    world.seconds(10);
    let end = world.letter(1);
    assert_eq!(end.subject, "[HealthChecker] Git is HEALTHY again after 4 min", "{}", end.text);
    // It keeps failing, if it fails again soon after that.
    answer(&mut world, &["Git"], Answer::Hang);
    world.seconds(900);
    assert_eq!(world.mails()[2..], ["Git keeps failing"]);
}

/// Four apps on hosts of their own, so many seconds after the one was asked that is so every five minutes only; another
/// one beside them.
fn four_hosts(after: u64) -> World {
    let mut world = World::new();
    for name in HOSTS {
        world.register(name, &[("healthy", "2")]);
    }
    world.register(SELDOM, &[("interval", "300"), ("healthy", "2")]);
    register(&mut world, BESIDE, &[]);
    world.seconds(1200);
    world.inbox.clear();
    world.one_check(SELDOM);
    world.seconds(after);
    world
}

const HOSTS: [&str; 3] = ["NAS", "Kodi", "Photos"];
const SELDOM: &str = "Wiki";

/// The switch between us and all four.
fn switch(world: &mut World, answer: Answer) {
    HOSTS.iter().chain([&SELDOM]).for_each(|name| world.answers(name, answer));
}

#[test]
fn who_is_asked_seldom_and_fell_silent_with_others_is_one_of_them() {
    // It is the first, or the last, that is found to be silent.
    for (after, mails) in [(299, 2), (45, 3)] {
        let mut world = four_hosts(after);
        switch(&mut world, Answer::Hang);
        world.seconds(1800);
        assert_eq!(world.state(SELDOM), State::Unhealthy);
        assert_eq!(world.inbox.len(), mails - 1, "{after}: {:?}", world.mails());
        switch(&mut world, Answer::Pass);
        world.seconds(1200);
        assert_eq!(world.inbox.len(), mails, "{after}: {:?}", world.mails());
        let subject = world.letter(mails - 1).subject;
        assert!(subject.contains("4 apps are HEALTHY again"), "{after}: {subject}");
    }
}
