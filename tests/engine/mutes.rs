//! Mutes: who knows of trouble and has heard enough hears no more of it for a while, or until it is over.

use std::time::Duration;

use healthchecker::engine::core::CommandError;
use healthchecker::engine::incidents::mutes::{HowLong, What};
use healthchecker::engine::outbox::letter;
use healthchecker::engine::recipients::Recipient;
use healthchecker::engine::time::Moment;

use crate::world::{Answer, World};

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;

fn house(reminders: bool, apps: &[&str], more: &[(&str, &str)]) -> World {
    let mut world = World::new();
    world.reminders = reminders;
    world.restart();
    for app in apps {
        world.register(app, &[more, &[("healthy", "2")]].concat());
    }
    world.seconds(5 * MINUTE);
    world.inbox.clear();
    world
}

fn app(name: &str) -> What {
    What::App(name.to_owned(), None)
}

fn span(hours: u64) -> HowLong {
    HowLong::Span(Duration::from_secs(hours * HOUR))
}

fn mute(world: &mut World, what: &What, how_long: HowLong) -> Vec<String> {
    let names = world.engine.mute(world.now, what, how_long).unwrap();
    world.act();
    names
}

/// What arrived since this was called last: hours after the start, and the subject.
fn told(world: &mut World) -> Vec<String> {
    let mails = std::mem::take(&mut world.inbox);
    let told = mails.iter().map(|(ms, mail)| {
        let letter = letter::write(mail, Moment::from_millis(*ms), world.engine.zone(), None);
        letter.subject.replace("[HealthChecker] ", "")
    });
    told.collect()
}

#[test]
fn nobody_hears_of_it_for_so_long_and_then_once_more() {
    for reminders in [true, false] {
        let mut world = house(reminders, &["Kodi"], &[]);
        world.answers("Kodi", Answer::Fail);
        world.seconds(2 * MINUTE);
        assert_eq!(told(&mut world), ["Kodi is UNHEALTHY"]);
        assert_eq!(mute(&mut world, &app("Kodi"), span(8)), ["Kodi"]);
        world.seconds(8 * HOUR - 1);
        assert_eq!(told(&mut world), [""; 0]);
        world.seconds(2);
        assert_eq!(told(&mut world), ["Kodi is still UNHEALTHY"], "reminders: {reminders}");
        world.seconds(HOUR);
        assert_eq!(told(&mut world), [""; 0]);
        world.answers("Kodi", Answer::Pass);
        world.seconds(5 * MINUTE);
        assert_eq!(told(&mut world).len(), 1);
    }
}

#[test]
fn its_end_ends_it_and_is_told() {
    let mut world = house(true, &["Kodi"], &[]);
    for how_long in [span(8), HowLong::Recovery] {
        world.answers("Kodi", Answer::Fail);
        world.seconds(2 * MINUTE);
        assert_eq!(told(&mut world), ["Kodi is UNHEALTHY"], "{how_long:?}");
        mute(&mut world, &app("Kodi"), how_long);
        world.seconds(HOUR + MINUTE);
        assert_eq!(told(&mut world), [""; 0]);
        world.answers("Kodi", Answer::Pass);
        world.seconds(5 * MINUTE);
        assert_eq!(told(&mut world).len(), 1, "that it is well again");
        world.seconds(3 * HOUR);
    }
    // Until it is over is long.
    world.answers("Kodi", Answer::Fail);
    world.seconds(2 * MINUTE);
    told(&mut world);
    mute(&mut world, &app("Kodi"), HowLong::Recovery);
    world.seconds(30 * 24 * HOUR);
    assert_eq!(told(&mut world), [""; 0]);
    mute(&mut world, &app("Kodi"), HowLong::Not);
    world.seconds(25 * HOUR);
    assert!(!told(&mut world).is_empty(), "reminders go on");
}

#[test]
fn worse_news_wait_for_its_end() {
    let mut world = house(false, &["Kodi"], &[]);
    world.answers("Kodi", Answer::Warn);
    world.seconds(2 * MINUTE);
    assert_eq!(told(&mut world), ["Kodi is DEGRADED"]);
    mute(&mut world, &app("Kodi"), span(1));
    world.answers("Kodi", Answer::Fail);
    world.seconds(HOUR - 1);
    assert_eq!(told(&mut world), [""; 0]);
    world.seconds(MINUTE);
    assert_eq!(told(&mut world), ["Kodi is UNHEALTHY"]);
}

#[test]
fn a_mail_is_muted_with_all_that_it_tells_for_its_reader_alone() {
    let mut world = house(true, &["Kodi", "NAS", "TV"], &[("email", "a@b.c, d@e.f")]);
    world.answers("TV", Answer::Fail);
    world.seconds(2 * MINUTE);
    ["Kodi", "NAS"].iter().for_each(|app| world.answers(app, Answer::Hang));
    world.seconds(5 * MINUTE);
    let (a, d) = (Recipient::mail("a@b.c"), Recipient::mail("d@e.f"));
    let mut both = world.inbox.iter().map(|(_, mail)| mail);
    let both = both.rfind(|mail| mail.to == a && mail.tells_of("NAS")).unwrap();
    let mail = What::Mail(both.message_id.clone(), a.clone());
    let strange = What::Mail(both.message_id.clone(), Recipient::mail("x@y.z"));
    assert_eq!(
        world.engine.mute(world.now, &strange, HowLong::Recovery),
        Err(CommandError::NothingToMute)
    );
    assert_eq!(mute(&mut world, &mail, HowLong::Recovery), ["Kodi", "NAS"]);
    world.inbox.clear();
    world.seconds(HOUR);
    let of = |world: &World, to: &Recipient, app: &str| {
        let theirs = world.inbox.iter().filter(|(_, mail)| mail.to == *to);
        theirs.filter(|(_, mail)| mail.tells_of(app)).count()
    };
    assert_eq!((of(&world, &a, "TV"), of(&world, &a, "NAS"), of(&world, &d, "NAS")), (1, 0, 1));
    // Dead with the incident.
    ["Kodi", "NAS", "TV"].iter().for_each(|app| world.answers(app, Answer::Pass));
    world.seconds(5 * MINUTE);
    assert_eq!(
        world.engine.mute(world.now, &mail, HowLong::Recovery),
        Err(CommandError::NothingToMute)
    );
    assert_eq!(
        world.engine.mute(world.now, &app("NAS"), HowLong::Recovery),
        Err(CommandError::NothingToMute)
    );
    assert!(matches!(
        world.engine.mute(world.now, &app("Nobody"), HowLong::Recovery),
        Err(CommandError::Registry(_))
    ));
}

#[test]
fn a_report_after_a_power_cut_leaves_out_what_its_reader_has_muted() {
    let mut world = house(false, &["Kodi", "NAS", "TV"], &[]);
    world.answers("Kodi", Answer::Warn);
    world.seconds(2 * MINUTE);
    assert_eq!(told(&mut world), ["Kodi is DEGRADED"]);
    mute(&mut world, &app("Kodi"), span(1));
    ["Kodi", "NAS"].iter().for_each(|app| world.answers(app, Answer::Hang));
    world.power_cut(Duration::from_secs(MINUTE));
    world.seconds(15 * MINUTE);
    let report = told(&mut world);
    assert_eq!(report.len(), 1, "{report:?}");
    assert!(report[0].ends_with("1 of 2 are well, not NAS"), "{report:?}");
    world.seconds(HOUR);
    assert_eq!(told(&mut world), ["Kodi is UNHEALTHY"]);
}

#[test]
fn a_muted_parent_covers_what_falls_silent_behind_it() {
    let mut world = house(false, &["Switch", "Pi"], &[]);
    world.answers("Switch", Answer::Hang);
    world.seconds(3 * MINUTE);
    assert!(!told(&mut world).is_empty());
    mute(&mut world, &app("Switch"), HowLong::Recovery);
    world.answers("NAS", Answer::Hang);
    world.register("NAS", &[("healthy", "2"), ("parent", "Switch")]);
    world.seconds(HOUR);
    assert_eq!(told(&mut world), [""; 0]);
    world.answers("Switch", Answer::Pass);
    world.seconds(10 * MINUTE);
    let told = told(&mut world);
    assert!(told.iter().any(|it| it == "NAS is UNHEALTHY"), "{told:?}");
}

#[test]
fn a_quiet_time_at_its_end_is_waited_for() {
    let mut world = house(true, &["Kodi"], &[]);
    world.answers("Kodi", Answer::Fail);
    world.seconds(2 * MINUTE);
    told(&mut world);
    mute(&mut world, &app("Kodi"), span(1));
    world.quiet_for("Kodi", 2 * HOUR);
    world.seconds(2 * HOUR - 1);
    assert_eq!(told(&mut world), [""; 0]);
    world.seconds(MINUTE);
    assert_eq!(told(&mut world), ["Kodi is still UNHEALTHY"]);
}

#[test]
fn a_kill_or_a_sleep_at_any_moment_changes_nothing() {
    for minute in (0..80).step_by(3) {
        for kills in [true, false] {
            let mut world = house(false, &["Kodi", "NAS"], &[]);
            for now in 0..80 {
                match now {
                    2 => ["Kodi", "NAS"].iter().for_each(|app| world.answers(app, Answer::Fail)),
                    5 => _ = mute(&mut world, &app("Kodi"), span(1)),
                    6 => _ = mute(&mut world, &app("NAS"), HowLong::Recovery),
                    _ => {}
                }
                world.seconds(7);
                if now == minute && kills {
                    world.restart();
                } else if now == minute {
                    world.sleep(Duration::from_secs(9));
                    world.seconds(53 - 9);
                    continue;
                }
                world.seconds(53);
            }
            let told = told(&mut world);
            let count = |what: &str| told.iter().filter(|it| *it == what).count();
            let counts = ["Kodi is UNHEALTHY", "Kodi is still UNHEALTHY", "NAS is UNHEALTHY"];
            assert_eq!(counts.map(count), [1, 1, 1], "{kills} {minute}: {told:?}");
            assert_eq!(told.len(), 3, "{kills} {minute}: {told:?}");
        }
    }
}
