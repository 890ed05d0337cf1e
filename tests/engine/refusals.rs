//! What a mail server has against us keeps the mail; what it has against a mailbox stands until it is seen.

use super::world::{Answer, Mood, World};
use healthchecker::daemon::mailer::classify::Stage;
use healthchecker::engine::core::CommandError as No;
use healthchecker::engine::log_event::LogEvent;
use healthchecker::engine::outbox::rate_limit::MAILS_AN_HOUR;
use healthchecker::engine::query::view::{HealthView, RefusedView};
use healthchecker::engine::recipients::Recipient;
use healthchecker::engine::time::Wall;

const QUICK: [(&str, &str); 3] = [("interval", "5"), ("unhealthy", "2"), ("healthy", "2")];

fn healthy() -> World {
    let mut world = World::new();
    world.register("NAS", &QUICK);
    world.seconds(60);
    world.inbox.clear();
    world
}

fn breaks(world: &mut World) {
    world.answers("NAS", Answer::Fail);
    world.seconds(20);
}

fn recovers(world: &mut World) {
    world.answers("NAS", Answer::Pass);
    world.seconds(20);
}

fn health(world: &World) -> HealthView {
    world.engine.view().health(world.now, world.now.at, Vec::new())
}

fn refused(world: &World) -> Vec<RefusedView> {
    health(world).outbox.refused
}

fn no_such_user() -> Mood {
    Mood::Replies(Stage::Recipient, 550, "5.1.1 no such user")
}

#[test]
fn what_a_server_has_against_our_settings_keeps_the_mail_until_they_are_mended() {
    for (stage, code, said) in [
        (Stage::Recipient, 504, "5.5.2 <raspberrypi>: Helo command rejected"),
        (Stage::Recipient, 553, "5.7.1 <a@b.c>: Sender address rejected: not owned by user pi"),
        (Stage::Recipient, 554, "5.7.1 <pi[10.0.0.7]>: Client host rejected: Access denied"),
        (Stage::Recipient, 550, "relay not permitted"),
        (Stage::Recipient, 552, "5.2.2 mailbox full"),
        (Stage::Message, 550, "5.2.0 this is spam"),
        (Stage::Greeting, 554, "no service for you"),
    ] {
        let mut world = healthy();
        world.mood = Mood::Replies(stage, code, said);
        breaks(&mut world);
        let shown = health(&world).outbox;
        assert_eq!((shown.waiting, shown.refused.len()), (1, 0), "{said}");
        assert!(shown.trouble[0].contains(said), "{:?}", shown.trouble);
        world.restart();
        world.seconds(3600);
        assert_eq!(health(&world).outbox.waiting, 1, "{said}");
        world.mood = Mood::Accepts;
        world.restart();
        world.seconds(1);
        assert_eq!(world.mails(), ["NAS UNHEALTHY"], "{said}");
        assert_eq!(health(&world).outbox.waiting, 0);
    }
}

#[test]
fn a_filter_gets_less_to_read_and_nobody_is_told_only_the_end() {
    let mut world = healthy();
    world.mood = Mood::Replies(Stage::Message, 550, "5.2.0 spam");
    breaks(&mut world);
    recovers(&mut world);
    world.mood = Mood::Accepts;
    world.seconds(3600);
    assert_eq!(world.mails(), ["NAS UNHEALTHY + NAS HEALTHY"]);
}

#[test]
fn nothing_that_an_app_says_of_itself_or_is_called_keeps_a_mail_from_passing_a_filter() {
    for bad in ["503 Service", "NAS"] {
        let mut world = healthy();
        world.mood = Mood::Filters(bad);
        breaks(&mut world);
        world.seconds(60);
        assert_eq!(world.mails(), ["NAS UNHEALTHY"], "{bad}");
        assert_eq!(health(&world).outbox.waiting, 0);
        recovers(&mut world);
        world.seconds(60);
        assert_eq!(world.mails(), ["NAS UNHEALTHY", "NAS HEALTHY"], "{bad}");
    }
}

#[test]
fn a_name_that_a_filter_refuses_holds_up_no_news_of_others() {
    let mut world = World::new();
    world.mood = Mood::Filters("pills");
    world.register("pills", &QUICK);
    world.register("NAS", &QUICK);
    world.seconds(120);
    breaks(&mut world);
    world.restart();
    world.seconds(60);
    assert_eq!(health(&world).outbox.waiting, 0);
    assert!(world.mails().iter().any(|mail| mail.contains("NAS UNHEALTHY")), "{:?}", world.mails());
}

#[test]
fn a_refused_mail_stands_until_a_later_one_is_accepted() {
    let mut world = healthy();
    world.mood = no_such_user();
    breaks(&mut world);
    let standing = refused(&world);
    let [refusal] = standing.as_slice() else { panic!("{standing:?}") };
    assert_eq!(refusal.to.to_string(), "owner@example.org");
    let said = &refusal.sentence;
    assert!(said.starts_with("a mail to ") && said.contains("550 5.1.1 no such user"), "{said}");
    assert_eq!(health(&world).outbox.waiting, 0);
    assert_eq!(world.engine.view().numbers(world.now).refused_addresses, 1);
    for rewritten in [false, true] {
        if rewritten {
            world.rewrite_journal();
        }
        world.restart();
        world.seconds(60);
        assert_eq!(refused(&world), standing, "over a restart");
    }
    recovers(&mut world);
    assert!(
        refused(&world)[0].sentence.starts_with("a mail to "),
        "of what nobody read there is no end"
    );
    breaks(&mut world);
    assert!(refused(&world)[0].sentence.starts_with("2 mails to "));
    recovers(&mut world);
    world.mood = Mood::Accepts;
    breaks(&mut world);
    assert_eq!((refused(&world), world.mails().len()), (Vec::new(), 1));
    world.restart();
    world.seconds(60);
    assert_eq!(refused(&world), []);
}

#[test]
fn a_refused_mail_stands_until_somebody_has_seen_it() {
    let mut world = healthy();
    world.mood = no_such_user();
    breaks(&mut world);
    let nobody = world.engine.seen("other@example.org");
    assert_eq!(nobody, Err(No::NothingRefused("other@example.org".to_owned())));
    assert_eq!(world.engine.seen("Owner@Example.org"), Ok(()));
    world.act();
    assert_eq!(refused(&world), []);
    assert!(world.engine.seen("owner@example.org").is_err(), "once");
    world.restart();
    world.seconds(60);
    assert_eq!(refused(&world), [], "over a restart");
}

#[test]
fn what_a_server_refuses_without_saying_why_is_kept_until_somebody_gives_it_up() {
    let mut world = healthy();
    world.mood = Mood::Replies(Stage::Recipient, 550, "unknown user");
    breaks(&mut world);
    world.seconds(24 * 3600);
    let shown = health(&world).outbox;
    assert_eq!((shown.waiting, shown.refused.len()), (1, 0));
    let way_out = "`healthchecker seen owner@example.org` gives the mail up";
    assert!(shown.trouble[0].ends_with(way_out), "{:?}", shown.trouble);
    assert!(world.engine.seen("other@example.org").is_err(), "another waits for nothing");
    assert_eq!(world.engine.seen("OWNER@example.org"), Ok(()));
    world.act();
    assert!(world.engine.seen("owner@example.org").is_err(), "once");
    world.restart();
    world.seconds(60);
    assert_eq!(health(&world).outbox.waiting, 0, "over a restart");
    world.mood = Mood::Accepts;
    recovers(&mut world);
    breaks(&mut world);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"], "of what nobody read there is no end");
}

#[test]
fn what_is_given_up_while_it_is_tried_again_stays_given_up_over_a_power_cut() {
    for cut in [false, true] {
        let mut world = healthy();
        world.mood = Mood::Replies(Stage::Recipient, 550, "unknown user");
        breaks(&mut world);
        let first_try = world.tries.len();
        world.mail_takes = 60_000;
        while world.tries.len() == first_try {
            world.seconds(1);
        }
        assert_eq!(world.engine.seen("owner@example.org"), Ok(()));
        world.act();
        assert!(health(&world).outbox.trouble.is_empty(), "it has been seen");
        let tries = world.tries.len();
        if cut {
            world.restart();
        }
        world.seconds(24 * 3600);
        assert_eq!((health(&world).outbox.waiting, world.tries.len()), (0, tries), "cut: {cut}");
        world.mood = Mood::Accepts;
        world.mail_takes = 50;
        recovers(&mut world);
        breaks(&mut world);
        assert_eq!(world.mails(), ["NAS UNHEALTHY"], "of what nobody read there is no end");
    }
}

#[test]
fn what_is_about_us_is_not_given_up() {
    for mood in [Mood::Away, Mood::RefusesLogin, Mood::Filters("HealthChecker")] {
        let mut world = healthy();
        world.mood = mood;
        breaks(&mut world);
        world.seconds(3600);
        assert!(world.engine.seen("owner@example.org").is_err());
        assert_eq!(health(&world).outbox.waiting, 1);
    }
}

#[test]
fn seeing_what_was_refused_for_good_gives_nothing_else_up() {
    let mut world = healthy();
    world.mood = no_such_user();
    breaks(&mut world);
    recovers(&mut world);
    world.mood = Mood::Replies(Stage::Recipient, 550, "unknown user");
    breaks(&mut world);
    assert_eq!(world.engine.seen("owner@example.org"), Ok(()));
    world.act();
    let shown = health(&world).outbox;
    assert_eq!((shown.waiting, shown.refused.len()), (1, 0));
}

#[test]
fn what_the_limit_of_an_hour_holds_back_is_not_stuck() {
    let mut world = healthy();
    // Each new app brings one.
    for number in 0..=MAILS_AN_HOUR {
        world.register(&format!("App{number}"), &[("interval", "5")]);
        world.seconds(15);
    }
    assert_eq!(world.inbox.len(), MAILS_AN_HOUR - 1, "the welcome was one of them");
    world.seconds(1800);
    let numbers = world.engine.view().numbers(world.now);
    assert_eq!((numbers.mails_waiting, numbers.oldest_mail.as_secs()), (1, 0));
    // When it may go at last, it is the server that it waits for.
    world.mood = Mood::Away;
    world.seconds(3600);
    let oldest = world.engine.view().numbers(world.now).oldest_mail.as_secs();
    assert!((1000..3600).contains(&oldest), "{oldest}");
}

#[test]
fn how_long_a_mail_took_is_no_matter_of_the_wall_clock() {
    let mut world = healthy();
    world.mood = Mood::Away;
    breaks(&mut world);
    world.seconds(600);
    let wall = world.now.wall;
    world.set_clock(Wall::from_unix_millis(wall.as_unix_millis() + 3 * 24 * 3_600_000));
    let oldest = world.engine.view().numbers(world.now).oldest_mail.as_secs();
    assert!((600..630).contains(&oldest), "{oldest}");
    world.mood = Mood::Accepts;
    world.seconds(900);
    let after = world.notes.iter().find_map(|note| match note {
        LogEvent::MailAccepted { after, .. } if after.as_secs() > 1 => Some(*after),
        _ => None,
    });
    let after = after.unwrap();
    assert!((600..1600).contains(&after.as_secs()), "{after:?}");
    let said = LogEvent::MailAccepted { to: Recipient::mail("a@b.c"), after }.to_string();
    assert!(
        said.starts_with("mail to a@b.c: accepted after 1") && said.ends_with(" min"),
        "{said}"
    );
}

#[test]
fn when_it_was_refused_is_right_once_the_clock_is_set() {
    let mut world = World::new();
    world.mail_without_clock = true;
    world.restart_at(Wall::from_unix_millis(130_000));
    world.register("NAS", &QUICK);
    world.mood = no_such_user();
    world.seconds(720);
    let said = refused(&world)[0].sentence.clone();
    let without_clock = "a mail to owner@example.org was refused for good 10 s after the start: ";
    assert!(said.starts_with(without_clock), "{said}");

    world.set_clock(Wall::from_unix_millis(1_795_500_000_000));
    world.seconds(70);
    let said = refused(&world)[0].sentence.clone();
    assert!(said.contains("refused for good at 2026-11-24 05:48:"), "{said}");
    world.restart();
    assert_eq!(refused(&world)[0].sentence, said, "on disk too");
}
