//! The owner limits who gets mail, when apps have registered and mails wait.

use super::world::{Answer, Mood, World};
use healthchecker::engine::core::{CommandError, Registered};
use healthchecker::engine::outbox::letter;
use healthchecker::engine::recipients::Recipients;
use healthchecker::engine::registry::RegistryError;
use healthchecker::engine::registry::quota::{Full, PEOPLE_MAX};

const QUICK: [(&str, &str); 3] = [("interval", "5"), ("unhealthy", "2"), ("healthy", "2")];
const STRANGER: &str = "stranger@elsewhere.example";

fn limited(default: &[&str]) -> Recipients {
    let default = default.iter().map(ToString::to_string).collect();
    Recipients::new(default, &["*@example.org".to_owned()])
}

/// NAS names a stranger, Kodi the owner and a stranger.
fn household() -> World {
    let mut world = World::new();
    let both = format!("owner@example.org, {STRANGER}");
    for (name, email) in [("NAS", STRANGER), ("Kodi", both.as_str())] {
        let mut fields = QUICK.to_vec();
        fields.push(("email", email));
        world.register(name, &fields);
    }
    world.seconds(60);
    world.inbox.clear();
    world
}

fn limit(world: &mut World, default: &[&str]) {
    world.recipients = limited(default);
    world.restart();
}

#[test]
fn what_strangers_were_to_be_told_is_told_to_the_owner() {
    let mut world = household();
    limit(&mut world, &["owner@example.org"]);
    for name in ["NAS", "Kodi"] {
        world.answers(name, Answer::Fail);
        world.seconds(30);
        world.answers(name, Answer::Pass);
        world.seconds(30);
    }
    assert_eq!(world.mails(), ["NAS UNHEALTHY", "NAS HEALTHY", "Kodi UNHEALTHY", "Kodi HEALTHY"]);
    let said = world.notes.iter().map(ToString::to_string);
    let said = said.filter(|line| line.contains("allow_email")).collect::<Vec<_>>();
    assert_eq!(
        said,
        [
            "allow_email lets no mail go to stranger@elsewhere.example, whom 2 apps named: where nobody \
          else is named, owner@example.org is told"
        ]
    );
}

#[test]
fn a_stranger_is_named_once_however_the_address_is_written() {
    let mut world = household();
    world.register("TV", &[("email", "Stranger@Elsewhere.example")]);
    world.seconds(60);
    limit(&mut world, &["owner@example.org"]);
    let said = world.notes.iter().map(ToString::to_string);
    let said: Vec<String> = said.filter(|line| line.contains("allow_email")).collect();
    let [line] = said.as_slice() else { panic!("{said:?}") };
    assert!(line.contains("whom 3 apps named"), "{line}");
}

#[test]
fn a_mail_that_waits_for_a_stranger_goes_to_the_owner_and_says_so() {
    let mut world = household();
    world.mood = Mood::Away;
    world.answers("NAS", Answer::Fail);
    world.seconds(60);
    world.mood = Mood::Accepts;
    limit(&mut world, &["owner@example.org", "partner@example.org"]);
    world.seconds(60);
    assert_eq!(world.mails(), ["NAS UNHEALTHY", "partner@example.org: NAS UNHEALTHY"]);
    let text = letter::write(&world.inbox[0].1, world.now.at, world.engine.zone(), None).text;
    assert!(text.contains("This mail was meant for stranger@elsewhere.example"), "{text}");
    world.restart();
    world.seconds(60);
    assert_eq!(world.inbox.len(), 2, "and only once");
    world.answers("NAS", Answer::Pass);
    world.seconds(60);
    assert_eq!(world.mails()[2..], ["NAS HEALTHY", "partner@example.org: NAS HEALTHY"]);
}

#[test]
fn with_nobody_to_have_it_a_mail_is_kept_until_somebody_may() {
    let mut world = household();
    world.mood = Mood::Away;
    world.answers("NAS", Answer::Fail);
    world.seconds(60);
    world.mood = Mood::Accepts;
    limit(&mut world, &[]);
    world.seconds(3600);
    assert!(world.inbox.is_empty());
    let outbox = world.engine.view().health(world.now, world.now.at, Vec::new()).outbox;
    assert_eq!(outbox.waiting, 1);
    assert!(outbox.trouble[0].contains("allow_email"), "{:?}", outbox.trouble);
    world.recipients = Recipients::new(Vec::new(), &[]);
    world.restart();
    world.seconds(60);
    assert_eq!(world.mails(), [format!("{STRANGER}: NAS UNHEALTHY")]);
}

#[test]
fn a_thousand_people_are_told_and_no_more() {
    let mut world = World::new();
    let address = |number: usize| format!("{number}@example.org");
    for number in 0..PEOPLE_MAX {
        world.register(&format!("app{number}"), &[("email", &address(number))]);
    }
    let refused = Err(CommandError::Registry(RegistryError::Full(Full::People)));
    assert_eq!(world.try_register("more", &[("email", "new@example.org")]), refused);
    assert!(world.try_register("more", &[("email", &address(7))]).is_ok());
    let mistaken = world.try_register("app7", &[("email", "new@example.org")]);
    assert_eq!(mistaken, refused, "the old address is still named by another");
    let corrected = world.try_register("app8", &[("email", "right@example.org")]);
    assert_eq!(corrected, Ok(Registered::Updated));
    world.restart();
    assert_eq!(world.try_register("another", &[("email", "new@example.org")]), refused);
    world.stop("app3");
    assert!(world.try_register("another", &[("email", "new@example.org")]).is_ok());
}

#[test]
fn registrations_stay_as_they_are() {
    let mut world = household();
    limit(&mut world, &["owner@example.org"]);
    assert_eq!(world.told("NAS"), ["owner@example.org"], "who is told now");
    world.recipients = Recipients::new(Vec::new(), &[]);
    world.restart();
    assert_eq!(world.told("NAS"), [STRANGER]);
}
