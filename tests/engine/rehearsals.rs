//! The mail server is asked at the start whether it would take our mails, and again until it would.

use super::world::{Answer, Mood, World};
use healthchecker::daemon::mailer::classify::Stage;
use healthchecker::engine::log_event::LogEvent;

const HALF_AN_HOUR: u64 = 1800;

fn started_with(mood: Mood) -> World {
    let mut world = World::new();
    world.mood = mood;
    world.rehearse();
    world.seconds(1);
    world
}

fn trouble(world: &World) -> Vec<String> {
    world.engine.view().health(world.now, world.now.at, Vec::new()).outbox.trouble
}

fn notes(world: &World, of_kind: impl Fn(&LogEvent) -> bool) -> usize {
    world.notes.iter().filter(|note| of_kind(note)).count()
}

#[test]
fn what_the_server_had_against_us_stands_until_it_is_mended() {
    for mood in [
        Mood::RefusesLogin,
        Mood::Replies(Stage::Recipient, 554, "5.7.1 Relay access denied"),
        Mood::Replies(Stage::Greeting, 554, "no service for you"),
    ] {
        let mut world = started_with(mood);
        assert!(trouble(&world)[0].starts_with("the mail settings do not work: "));
        world.seconds(HALF_AN_HOUR - 10);
        assert_eq!(world.rehearsals.len(), 1, "many tries lock an account");
        world.mood = Mood::Accepts;
        world.seconds(10);
        assert_eq!(trouble(&world), [] as [String; 0]);
        assert_eq!(notes(&world, |note| *note == LogEvent::RehearsalWentWell), 1);
        world.seconds(24 * 3600);
        assert_eq!(world.rehearsals.len(), 2, "it is well");
    }
}

#[test]
fn what_is_not_mended_stands_and_is_asked_about_four_times_a_day() {
    let mut world = started_with(Mood::RefusesLogin);
    world.seconds(24 * 3600);
    let so_far = world.rehearsals.len();
    world.seconds(24 * 3600);
    assert_eq!(world.rehearsals.len() - so_far, 4);
    assert_eq!(trouble(&world).len(), 1);
    let said = notes(&world, |note| matches!(note, LogEvent::SettingsRefused { .. }));
    assert_eq!(said, 1, "said once while it is the same");
    // The server being away for once does not show that it is mended.
    world.mood = Mood::Away;
    world.seconds(6 * 3600);
    assert_eq!(trouble(&world).len(), 1);
}

#[test]
fn a_server_that_is_away_at_the_start_is_asked_when_it_is_there() {
    let mut world = started_with(Mood::Away);
    world.seconds(3600);
    assert_eq!(trouble(&world), [] as [String; 0], "nothing is known against our settings");
    assert_eq!(notes(&world, |note| matches!(note, LogEvent::MailServerAway { .. })), 1);
    world.mood = Mood::RefusesLogin;
    world.seconds(900);
    assert!(trouble(&world)[0].contains("535 5.7.8"), "{:?}", trouble(&world));
}

#[test]
fn a_mail_that_is_accepted_shows_it_too() {
    let mut world = started_with(Mood::RefusesLogin);
    world.mood = Mood::Accepts;
    world.register("NAS", &[]);
    world.answers("NAS", Answer::Pass);
    world.seconds(60);
    assert_eq!((world.mails().len(), trouble(&world).len()), (1, 0));
    world.seconds(24 * 3600);
    assert_eq!(world.rehearsals.len(), 1);
}
