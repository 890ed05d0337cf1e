//! A power cut changes nothing but the time.

use std::collections::HashSet;

use proptest::prelude::*;

use super::cases::cases;
use super::world::{Answer, Mood, World};
use healthchecker::engine::recipients::Recipient;

const QUICK: [(&str, &str); 3] = [("interval", "5"), ("unhealthy", "3"), ("healthy", "3")];

fn healthy() -> World {
    let mut world = World::new();
    world.register("NAS", &QUICK);
    world.seconds(60);
    world.inbox.clear();
    world
}

/// What must be the same before and after.
fn facts(world: &World) -> String {
    let mut app = world.engine.view().info(world.now, "NAS").unwrap().app;
    // Counters may be an hour old, and the last check is of the life before.
    app.checks = 0;
    app.failures = 0;
    app.uptime_24h = None;
    app.last_healthy = None;
    app.last_check = None;
    if app.state.word() == "HEALTHY" {
        app.passed_in_a_row = 0;
    }
    serde_json::to_string(&app).unwrap()
}

#[test]
fn states_rows_and_what_was_told_are_exact() {
    for (script, mails) in [
        (&[Answer::Fail][..], "NAS UNHEALTHY"),
        (&[Answer::Fail, Answer::Fail], "NAS UNHEALTHY"),
        (&[Answer::Fail, Answer::Pass], "NAS UNHEALTHY"),
        (&[Answer::Warn, Answer::Fail], "NAS DEGRADED; NAS UNHEALTHY"),
        (&[Answer::Fail, Answer::Fail, Answer::Fail], "NAS UNHEALTHY"),
    ] {
        let mut world = healthy();
        for answer in script {
            world.answers("NAS", *answer);
            world.one_check("NAS");
            world.pass(std::time::Duration::from_millis(100));
        }
        let before = facts(&world);
        world.restart();
        assert_eq!(facts(&world), before, "{script:?}");
        world.answers("NAS", Answer::Fail);
        world.seconds(60);
        assert_eq!(world.mails().join("; "), mails, "{script:?}");
    }
}

#[test]
fn a_row_of_passes_goes_on_too() {
    let mut world = healthy();
    world.answers("NAS", Answer::Fail);
    world.seconds(30);
    world.answers("NAS", Answer::Pass);
    world.one_check("NAS");
    world.one_check("NAS");
    world.restart();
    assert_eq!(world.state("NAS").word(), "UNHEALTHY");
    world.one_check("NAS");
    assert_eq!(world.state("NAS").word(), "HEALTHY");
}

#[test]
fn a_mail_that_was_written_goes_out_after_the_restart() {
    let mut world = healthy();
    world.mood = Mood::Away;
    world.answers("NAS", Answer::Fail);
    world.seconds(600);
    world.restart();
    let trouble = world.engine.view().health(world.now, world.now.at, Vec::new()).outbox.trouble;
    assert!(trouble[0].contains("found waiting"), "{trouble:?}");
    world.mood = Mood::Accepts;
    world.restart();
    world.seconds(1);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"]);
    world.restart();
    world.seconds(1);
    assert_eq!(world.inbox.len(), 1, "and only once");
}

#[test]
fn pauses_removals_and_the_welcome_are_kept() {
    let mut world = healthy();
    world.pause("NAS");
    world.register("Kodi", &QUICK);
    world.seconds(5);
    world.restart();
    assert!(world.engine.view().info(world.now, "NAS").unwrap().app.paused);
    world.seconds(60);
    assert_eq!(world.mails(), ["watching Kodi"]);
    world.stop("Kodi");
    world.restart();
    assert!(world.engine.view().info(world.now, "Kodi").is_err());
}

#[test]
fn an_alert_stays_open_through_pauses_power_cuts_and_unknown() {
    let mut world = healthy();
    world.answers("NAS", Answer::Fail);
    world.seconds(60);
    let told = ["NAS UNHEALTHY"];
    assert_eq!(world.mails(), told);
    for _ in 0..3 {
        world.pause("NAS");
        world.restart();
        world.seconds(86_400);
        world.resume("NAS");
        world.restart();
        assert_eq!(world.state("NAS").word(), "UNKNOWN");
        // Not long enough for another state; then the same trouble as before.
        world.one_check("NAS");
        world.restart();
        world.pause("NAS");
        world.resume("NAS");
    }
    assert_eq!(world.mails(), told, "nothing is told twice");
    world.answers("NAS", Answer::Pass);
    world.restart();
    world.seconds(60);
    assert_eq!(world.mails()[1..], ["NAS HEALTHY"]);
    let ids: Vec<&String> = world.inbox.iter().map(|(_, mail)| &mail.message_id).collect();
    assert_eq!(world.inbox[1].1.references.iter().collect::<Vec<_>>(), ids[..1]);
}

#[test]
fn quiet_apps_write_nothing_but_an_hourly_tally() {
    let mut world = World::new();
    for number in 0..100 {
        world.register(&format!("app{number}"), &[("interval", "30")]);
    }
    world.seconds(2 * 3600);
    let settled = world.journal.len();
    world.journal.clear();
    world.seconds(24 * 3600);
    let bytes: usize = world.journal.iter().map(String::len).sum();
    assert_eq!(world.journal.len(), 24, "of {settled} before");
    assert!(bytes < 1 << 20, "{bytes} bytes a day");
}

#[test]
fn a_crash_costs_the_counters_of_an_hour_at_most() {
    let mut world = healthy();
    world.seconds(2 * 3600);
    let shown = |world: &World| world.engine.view().info(world.now, "NAS").unwrap();
    let before = shown(&world);
    world.restart();
    let after = shown(&world);
    let hour = 3600 / 5;
    assert!((1..=hour).contains(&(before.app.checks - after.app.checks)));
    assert_eq!((after.app.failures, after.app.uptime_24h), (0, Some(1.0)));
    let newest = after.recent.last().unwrap().time.wall();
    assert_eq!(after.app.last_healthy, Some(newest), "it was not written twice");
    assert!(world.now.wall.since(newest).as_secs() <= 3600);
}

#[test]
fn an_orderly_stop_costs_no_counter() {
    let mut world = healthy();
    for answer in [Answer::Warn, Answer::Fail, Answer::Pass] {
        world.answers("NAS", answer);
        world.seconds(25);
    }
    let counts = |world: &World| world.engine.view().portrait(world.now, "NAS").unwrap().counts;
    let before = counts(&world);
    assert!(before[0] > 20 && before[1] >= 4 && before[2] >= 4, "{before:?}");
    world.rewrite_journal();
    world.restart();
    assert_eq!(counts(&world), before, "checks, warnings, failures");
}

#[test]
fn failures_that_led_to_something_survive_a_crash_in_the_same_hour() {
    let mut world = healthy();
    for _ in 0..3 {
        world.answers("NAS", Answer::Fail);
        world.seconds(50);
        world.answers("NAS", Answer::Pass);
        world.seconds(50);
    }
    let shown = |world: &World| world.engine.view().info(world.now, "NAS").unwrap().app;
    let before = shown(&world);
    assert_eq!(before.failures, 30);
    world.restart();
    let after = shown(&world);
    assert_eq!((after.failures, after.checks), (before.failures, before.checks - 7));
    let without_the_last_passes = 1.0 - 30.0 / after.checks as f64;
    assert!((after.uptime_24h.unwrap() - without_the_last_passes).abs() < 1e-9);
}

#[test]
fn after_a_restart_every_app_is_checked_within_its_interval() {
    let mut world = World::new();
    for number in 0..50 {
        world.register(&format!("app{number}"), &[("interval", "30")]);
    }
    world.seconds(60);
    world.restart();
    world.checks.clear();
    world.seconds(30);
    let checked: std::collections::HashSet<&String> =
        world.checks.iter().map(|(_, app)| app).collect();
    assert_eq!(checked.len(), 50);
}

#[test]
fn after_a_restart_the_first_checks_are_spread_whatever_the_intervals() {
    let mut world = World::new();
    for number in 0..90 {
        let interval = if number % 3 == 0 { "60" } else { "30" };
        world.register(&format!("app{number}"), &[("interval", interval)]);
    }
    world.seconds(60);
    world.restart();
    world.checks.clear();
    world.seconds(60);
    // Each finds its round after that.
    let mut seen = HashSet::new();
    let first = world.checks.iter().filter(|(_, app)| seen.insert(app));
    let at: Vec<u64> = first.map(|(at, _)| *at).collect();
    assert_eq!(at.len(), 90);
    let within = |from: u64| at.iter().filter(|it| (from..from + 1_000).contains(*it)).count();
    let most = at.iter().map(|from| within(*from)).max().unwrap();
    assert!(most <= 5, "{most} checks within a second");
}

proptest! {
    #![proptest_config(cases(60))]

    /// The same life, with and without power cuts, tells the same story.
    #[test]
    fn power_cuts_do_not_change_the_story(answers in prop::collection::vec((0..3u8, 1..5usize, any::<bool>()), 1..20)) {
        let tell = |cuts: bool| {
            let mut world = healthy();
            for (kind, times, cut) in &answers {
                world.answers("NAS", [Answer::Pass, Answer::Warn, Answer::Fail][*kind as usize]);
                for _ in 0..*times {
                    world.one_check("NAS");
                    world.pass(std::time::Duration::from_millis(100));
                }
                if cuts && *cut {
                    world.restart();
                }
            }
            // After two mails of trouble the next one waits for three minutes.
            world.seconds(600);
            world.mails().join("; ")
        };
        prop_assert_eq!(tell(true), tell(false));
    }
}

#[test]
fn what_a_mail_took_in_is_told_though_the_mail_itself_is_lost_to_damage() {
    let mut world = healthy();
    world.register("Kodi", &QUICK);
    world.seconds(60);
    world.inbox.clear();
    world.mood = Mood::Away;
    world.answers("NAS", Answer::Fail);
    world.seconds(120);
    let begins = world.journal.len();
    world.answers("Kodi", Answer::Fail);
    world.seconds(120);
    assert!(world.journal[begins..].concat().contains("mail_took_in"));
    // Each line that holds the mail as it was written has a bad checksum.
    world.journal.retain(|turn| !turn.contains("{\"mail\":"));
    world.mood = Mood::Accepts;
    world.restart();
    world.seconds(60);
    let told = world.mails().join("; ");
    assert!(told.contains("Kodi UNHEALTHY") && told.contains("NAS UNHEALTHY"), "{told}");
}

/// Starts again, and each line with a mail that was written has a bad checksum.
fn restart_without_mails(world: &mut World) {
    world.journal.retain(|turn| !turn.contains("{\"mail\":"));
    world.restart();
    world.engine.handle_loss();
    world.act();
}

#[test]
fn who_was_to_have_a_mail_that_is_lost_to_damage_is_told_anew() {
    let mut world = healthy();
    world.mood = Mood::Away;
    world.answers("NAS", Answer::Fail);
    world.seconds(120);
    world.register("NAS", &[("interval", "7")]);
    restart_without_mails(&mut world);
    world.mood = Mood::Accepts;
    world.seconds(60);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"]);
    world.mood = Mood::Away;
    world.answers("NAS", Answer::Pass);
    world.seconds(120);
    world.register("NAS", &[("interval", "8")]);
    restart_without_mails(&mut world);
    world.mood = Mood::Accepts;
    world.seconds(60);
    assert_eq!(world.mails(), ["NAS UNHEALTHY", "NAS HEALTHY"]);
    restart_without_mails(&mut world);
    world.seconds(600);
    assert_eq!(world.inbox.len(), 2, "and only once");
}

#[test]
fn what_a_waiting_mail_took_in_and_is_lost_to_damage_is_told_anew() {
    let mut world = healthy();
    world.mood = Mood::Away;
    for answer in [Answer::Warn, Answer::Fail] {
        world.answers("NAS", answer);
        world.seconds(120);
    }
    world.register("NAS", &[("interval", "7")]);
    world.journal.retain(|turn| !turn.contains("{\"mail_took_in\":"));
    world.restart();
    world.engine.handle_loss();
    world.act();
    world.mood = Mood::Accepts;
    world.seconds(60);
    let told = world.mails().join("; ");
    assert!(told.contains("NAS DEGRADED") && told.ends_with("NAS UNHEALTHY"), "{told}");
}

#[test]
fn who_is_no_longer_there_is_not_told_anew() {
    let mut world = healthy();
    world.mood = Mood::Rejects(Recipient::mail("owner@example.org"));
    world.answers("NAS", Answer::Fail);
    world.seconds(120);
    let tries = world.tries.len();
    world.restart();
    world.engine.handle_loss();
    world.seconds(600);
    assert_eq!(world.tries.len(), tries);
}
