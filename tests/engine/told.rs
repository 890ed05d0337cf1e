//! What each person is told of each app: trouble once, then its end, whatever happens in between.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use proptest::prelude::*;

use super::cases::cases;
use super::world::{Answer, Mood, World};
use healthchecker::engine::outbox::notice::Change;
use healthchecker::engine::recipients::{Recipient, Recipients};
use healthchecker::engine::record::Record;
use healthchecker::engine::state::State;

const QUICK: [(&str, &str); 3] = [("interval", "5"), ("unhealthy", "3"), ("healthy", "3")];
const STRANGER: &str = "stranger@elsewhere.example";

fn watch(world: &mut World, name: &str, email: &str) {
    let mut fields = QUICK.to_vec();
    fields.push(("email", email));
    world.register(name, &fields);
}

/// NAS, HEALTHY, which names `email`.
fn household(email: &str) -> World {
    let mut world = World::new();
    watch(&mut world, "NAS", email);
    world.seconds(60);
    world.inbox.clear();
    world
}

/// Only `example.org` may have mail from the next start on, and `default` has what others may not.
fn narrow(world: &mut World, default: &[&str]) {
    let default = default.iter().map(ToString::to_string).collect();
    world.recipients = Recipients::new(default, &["*@example.org".to_owned()]);
    world.restart();
}

fn widen(world: &mut World) {
    world.recipients = Recipients::new(Vec::new(), &[]);
    world.restart();
}

fn change(world: &mut World, answer: Answer) {
    world.answers("NAS", answer);
    world.seconds(60);
}

#[test]
fn trouble_that_ended_while_its_mail_was_disallowed_is_told_as_over() {
    let mut world = household(STRANGER);
    world.mood = Mood::Away;
    change(&mut world, Answer::Fail);
    world.mood = Mood::Accepts;
    narrow(&mut world, &[]);
    change(&mut world, Answer::Pass);
    assert!(world.inbox.is_empty());
    widen(&mut world);
    world.seconds(60);
    let told = "stranger@elsewhere.example: NAS UNHEALTHY + NAS HEALTHY";
    assert_eq!(world.mails(), [told]);
}

#[test]
fn who_was_told_and_was_disallowed_is_told_the_end_once_they_may_be() {
    let mut world = household(STRANGER);
    change(&mut world, Answer::Fail);
    narrow(&mut world, &[]);
    change(&mut world, Answer::Pass);
    assert_eq!(world.inbox.len(), 1, "nobody may be told");
    world.restart();
    widen(&mut world);
    world.seconds(60);
    assert_eq!(world.mails()[1..], ["stranger@elsewhere.example: NAS HEALTHY"]);
    let (alert, end) = (&world.inbox[0].1, &world.inbox[1].1);
    assert_eq!(end.references.last(), Some(&alert.message_id));
}

#[test]
fn who_stands_in_for_a_stranger_is_told_the_end_too_and_nothing_twice() {
    let mut world = household(STRANGER);
    world.mood = Mood::Away;
    change(&mut world, Answer::Fail);
    world.mood = Mood::Accepts;
    narrow(&mut world, &["owner@example.org"]);
    world.seconds(60);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"]);
    widen(&mut world);
    world.seconds(60);
    let told = "stranger@elsewhere.example: NAS UNHEALTHY";
    assert_eq!(world.mails()[1..], [told], "it is told to them now");
    change(&mut world, Answer::Pass);
    let both = ["stranger@elsewhere.example: NAS HEALTHY", "NAS HEALTHY"];
    let ends: HashSet<String> = world.mails()[2..].iter().cloned().collect();
    assert_eq!(ends, both.map(str::to_owned).into());
}

#[test]
fn what_others_know_already_is_not_passed_on() {
    for (named, told) in [("guest@example.org", "guest@example.org: "), ("owner@example.org", "")] {
        let mut world = household(&format!("{STRANGER}, {named}"));
        world.mood = Mood::Away;
        change(&mut world, Answer::Fail);
        world.mood = Mood::Accepts;
        narrow(&mut world, &["owner@example.org"]);
        change(&mut world, Answer::Fail);
        change(&mut world, Answer::Pass);
        let mails = [format!("{told}NAS UNHEALTHY"), format!("{told}NAS HEALTHY")];
        assert_eq!(world.mails(), mails);
        let log = world.notes.iter().map(ToString::to_string).collect::<Vec<_>>().join("\n");
        assert!(log.contains("allow_email lets it not go there; it is no news to others"), "{log}");
    }
}

#[test]
fn trouble_of_an_app_that_was_stopped_and_is_well_now_is_not_passed_on() {
    let mut world = household(STRANGER);
    world.mood = Mood::Away;
    change(&mut world, Answer::Fail);
    world.stop("NAS");
    world.answers("NAS", Answer::Pass);
    watch(&mut world, "NAS", STRANGER);
    world.seconds(60);
    world.mood = Mood::Accepts;
    narrow(&mut world, &["owner@example.org"]);
    world.seconds(60);
    assert_eq!(world.mails(), ["watching NAS"], "of the trouble there would never be an end");
}

#[test]
fn an_alert_that_is_open_when_mail_is_switched_on_is_told_then() {
    let mut world = World::new();
    world.mailing = false;
    world.restart();
    watch(&mut world, "NAS", "owner@example.org");
    world.seconds(60);
    change(&mut world, Answer::Fail);
    world.mailing = true;
    world.restart();
    world.seconds(60);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"]);
    let change_told = changes_of(&world, "owner@example.org").pop().unwrap();
    assert!(
        world.now.wall.since(change_told.at.wall()).as_secs() > 60,
        "when it changed: {change_told:?}"
    );
    assert!(change_told.since.wall() < change_told.at.wall());
    world.restart();
    change(&mut world, Answer::Pass);
    assert_eq!(world.mails()[1..], ["NAS HEALTHY"]);
}

#[test]
fn what_ended_while_mail_was_off_is_not_told() {
    let mut world = World::new();
    world.mailing = false;
    world.restart();
    watch(&mut world, "NAS", "owner@example.org");
    change(&mut world, Answer::Fail);
    world.mailing = true;
    world.answers("NAS", Answer::Pass);
    world.restart();
    world.seconds(600);
    assert_eq!(world.state("NAS"), State::Healthy);
    assert_eq!(world.mails(), ["watching NAS"]);
}

#[test]
fn trouble_that_ends_while_mail_is_switched_off_is_told_as_over() {
    let mut world = household("owner@example.org");
    world.mood = Mood::Away;
    change(&mut world, Answer::Fail);
    world.mood = Mood::Accepts;
    world.mailing = false;
    world.restart();
    change(&mut world, Answer::Pass);
    world.mailing = true;
    world.restart();
    world.seconds(60);
    assert_eq!(world.mails(), ["NAS UNHEALTHY + NAS HEALTHY"]);
}

#[test]
fn who_is_named_while_an_app_is_unwell_is_told_at_its_next_check_and_once() {
    let mut world = household("");
    change(&mut world, Answer::Fail);
    for email in ["owner@example.org", "Owner@Example.org, new@example.org", "owner@EXAMPLE.org"] {
        watch(&mut world, "NAS", email);
        world.seconds(60);
    }
    assert_eq!(world.mails(), ["NAS UNHEALTHY", "new@example.org: NAS UNHEALTHY"]);
    change(&mut world, Answer::Pass);
    assert_eq!(world.mails()[2..].len(), 2, "{:?}", world.mails());
}

#[test]
fn the_same_trouble_after_a_pause_or_at_another_address_is_no_news() {
    let again: [fn(&mut World); 2] = [
        |world| {
            world.pause("NAS");
            world.seconds(60);
            world.resume("NAS");
        },
        |world| {
            let mut fields = QUICK.to_vec();
            fields.push(("path", "/other"));
            world.register("NAS", &fields);
        },
    ];
    for again in again {
        let mut world = household("owner@example.org");
        change(&mut world, Answer::Fail);
        again(&mut world);
        world.one_check("NAS");
        assert_eq!(world.state("NAS"), State::Unknown);
        world.seconds(60);
        assert_eq!(world.state("NAS"), State::Unhealthy);
        assert_eq!(world.mails(), ["NAS UNHEALTHY"]);
        again(&mut world);
        change(&mut world, Answer::Warn);
        assert_eq!(world.state("NAS"), State::Degraded);
        assert_eq!(world.inbox.len(), 1, "it is shown, and not told");
    }
}

#[test]
fn a_recovery_answers_the_mail_that_arrived() {
    let mut world = World::new();
    for name in ["NAS", "Kodi"] {
        watch(&mut world, name, "owner@example.org");
    }
    world.seconds(60);
    world.inbox.clear();
    world.mood = Mood::Away;
    for name in ["NAS", "Kodi"] {
        world.answers(name, Answer::Warn);
        world.seconds(60);
    }
    world.mood = Mood::Accepts;
    world.seconds(1000);
    world.restart();
    for name in ["NAS", "Kodi"] {
        world.answers(name, Answer::Pass);
        world.seconds(60);
    }
    assert_eq!(world.mails(), ["NAS DEGRADED + Kodi DEGRADED", "NAS HEALTHY", "Kodi HEALTHY"]);
    let [merged, nas, kodi] = [0, 1, 2].map(|at| &world.inbox[at].1);
    for end in [nas, kodi] {
        assert_eq!(end.references.as_slice(), std::slice::from_ref(&merged.message_id));
    }
}

#[test]
fn a_recovery_that_joins_a_waiting_mail_answers_its_alert() {
    let mut world = household("owner@example.org");
    change(&mut world, Answer::Warn);
    world.mood = Mood::Away;
    for name in ["Kodi", "Printer"] {
        watch(&mut world, name, "owner@example.org");
        world.seconds(60);
    }
    change(&mut world, Answer::Pass);
    world.mood = Mood::Accepts;
    world.seconds(1000);
    let told = ["NAS DEGRADED", "watching Kodi, Printer + NAS HEALTHY"];
    assert_eq!(world.mails(), told);
    let [alert, end] = [0, 1].map(|at| &world.inbox[at].1);
    assert_eq!(end.references.last(), Some(&alert.message_id));
}

#[test]
fn what_is_told_while_its_alert_is_under_way_answers_it_and_nothing_that_was_never_sent() {
    let mut world = household("owner@example.org");
    world.mail_takes = 10 * 60_000;
    change(&mut world, Answer::Fail);
    change(&mut world, Answer::Pass);
    world.seconds(20 * 60);
    assert_eq!(world.mails(), ["NAS UNHEALTHY", "NAS HEALTHY"]);
    let [alert, end] = [0, 1].map(|at| &world.inbox[at].1);
    assert_eq!(end.references.as_slice(), std::slice::from_ref(&alert.message_id));
    assert_ne!(end.message_id, alert.message_id);
}

#[test]
fn of_what_was_refused_for_good_there_is_no_end() {
    let mut world = household("owner@example.org");
    world.mood = Mood::Rejects(Recipient::mail("owner@example.org"));
    change(&mut world, Answer::Fail);
    world.mood = Mood::Accepts;
    change(&mut world, Answer::Pass);
    assert_eq!(world.mails(), [] as [&str; 0]);
    change(&mut world, Answer::Fail);
    assert_eq!(world.mails(), ["NAS UNHEALTHY"], "another story");
}

const APPS: [&str; 2] = ["app0", "app1"];
const PEOPLE: [&str; 4] = ["a@in.example", "b@in.example", "c@out.example", "A@In.example"];

#[derive(Clone, Debug)]
enum Step {
    /// An app registers, at one of two addresses, and names some of the people.
    Register(usize, Vec<usize>, bool),
    Pause(usize),
    Resume(usize),
    Answer(usize, u8),
    Mood(bool),
    /// A mail takes so many milliseconds from now on.
    MailTakes(u64),
    /// The daemon is set anew: whether it mails, whom it lets have mail, who is told by default.
    Restart {
        mailing: bool,
        allowed: u8,
        default: Option<usize>,
    },
    RewriteJournal,
    Wait(u64),
}

fn step() -> impl Strategy<Value = Step> {
    let app = 0..APPS.len();
    let people = prop::collection::vec(0..PEOPLE.len(), 0..3);
    prop_oneof![
        3 => (app.clone(), people, any::<bool>())
            .prop_map(|(app, people, moved)| Step::Register(app, people, moved)),
        1 => app.clone().prop_map(Step::Pause),
        2 => app.clone().prop_map(Step::Resume),
        6 => (app, 0..4u8).prop_map(|(app, answer)| Step::Answer(app, answer)),
        2 => any::<bool>().prop_map(Step::Mood),
        1 => prop_oneof![Just(50), 1_000..40_000u64].prop_map(Step::MailTakes),
        3 => (prop::bool::weighted(0.8), 0..3u8, prop::option::of(0..PEOPLE.len()))
            .prop_map(|(mailing, allowed, default)| Step::Restart { mailing, allowed, default }),
        1 => Just(Step::RewriteJournal),
        8 => (1..120u64).prop_map(Step::Wait),
    ]
}

fn live(world: &mut World, step: &Step) {
    match step {
        Step::Register(app, people, moved) => {
            let email: Vec<&str> = people.iter().map(|one| PEOPLE[*one]).collect();
            let allowed =
                email.iter().filter(|one| world.recipients.may_be_told(&Recipient::mail(**one)));
            let email = allowed.copied().collect::<Vec<_>>().join(",");
            let path = if *moved { "/elsewhere" } else { "/health" };
            let mut fields = QUICK.to_vec();
            fields.extend([("email", email.as_str()), ("path", path)]);
            world.register(APPS[*app], &fields);
        }
        Step::Pause(app) => world.pause(APPS[*app]),
        Step::Resume(app) => world.resume(APPS[*app]),
        Step::Answer(app, kind) => {
            let answers = [Answer::Pass, Answer::Fail, Answer::Fail, Answer::Warn];
            world.answers(APPS[*app], answers[usize::from(*kind)]);
        }
        Step::Mood(accepts) => world.mood = if *accepts { Mood::Accepts } else { Mood::Away },
        Step::MailTakes(ms) => world.mail_takes = *ms,
        Step::Restart { mailing, allowed, default } => {
            world.mailing = *mailing;
            let allowed: &[&str] =
                [&[][..], &["*@in.example"], &["b@in.example"]][usize::from(*allowed)];
            let allowed: Vec<String> = allowed.iter().map(ToString::to_string).collect();
            let default = default.map(|one| PEOPLE[one].to_owned());
            world.recipients = Recipients::new(default.into_iter().collect(), &allowed);
            world.restart();
        }
        Step::RewriteJournal => world.rewrite_journal(),
        Step::Wait(seconds) => world.seconds(*seconds),
    }
}

/// Waits until no mail is under way: one whose receipt is lost arrives twice, and that is another story.
fn finish_sending(world: &mut World) {
    while world.engine.is_sending() {
        world.pass(Duration::from_millis(world.mail_takes / 5));
    }
}

/// Waits until the apps are what they are, and all that there is to tell has arrived.
fn settle(world: &mut World) {
    world.seconds(1900);
    let waiting =
        |world: &World| world.engine.view().health(world.now, world.now.at, vec![]).outbox.waiting;
    for _ in 0..12 {
        // A digest waits for an hour.
        if waiting(world) > 0 {
            world.seconds(600);
        }
    }
}

/// Waits until nobody waits to be believed to be well: that is six hours at most.
fn believe(world: &mut World) {
    let keeps_failing = |world: &World| {
        world.engine.snapshot(world.now).into_iter().any(|record| match record {
            Record::App(app) => app.alert.is_some_and(|alert| alert.keeps_failing),
            _ => false,
        })
    };
    world.seconds(60);
    for _ in 0..25 {
        if keeps_failing(world) {
            world.seconds(900);
        }
    }
}

/// What a person was told of all apps, in order.
fn changes_of(world: &World, person: &str) -> Vec<Change> {
    let mails = world.inbox.iter().filter(|(_, mail)| mail.to == Recipient::mail(person));
    mails.flat_map(|(_, mail)| mail.changes().cloned()).collect()
}

fn told_of(world: &World, person: &str, app: &str) -> Vec<&'static str> {
    let changes = changes_of(world, person).into_iter().filter(|change| change.app == app);
    changes.map(|it| it.to.word()).collect()
}

/// Looks at what arrived since `seen`; how much arrived by now.
fn only_to_allowed(world: &World, seen: usize) -> Result<usize, TestCaseError> {
    for (_, mail) in &world.inbox[seen..] {
        prop_assert!(world.recipients.may_be_told(&mail.to), "disallowed: {:?}", mail);
    }
    Ok(world.inbox.len())
}

proptest! {
    #![proptest_config(cases(250))]

    /// Whoever is named, disallowed and let again, whatever is paused, moved and restarted.
    #[test]
    fn each_person_is_told_trouble_once_and_then_its_end(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        for app in APPS {
            watch(&mut world, app, PEOPLE[0]);
        }
        let mut seen = 0;
        for step in &steps {
            if matches!(step, Step::Restart { .. }) {
                // Until then it may go where it might.
                finish_sending(&mut world);
                seen = only_to_allowed(&world, seen)?;
            }
            live(&mut world, step);
            seen = only_to_allowed(&world, seen)?;
            for (person, mails) in world.waiting_for_each() {
                prop_assert!(mails <= 2, "one under way, one behind it: {} for {}", mails, person);
            }
        }

        // Everybody may be told, and both apps break: who is named knows that in the end.
        live(&mut world, &Step::Mood(true));
        finish_sending(&mut world);
        live(&mut world, &Step::MailTakes(50));
        live(&mut world, &Step::Restart { mailing: true, allowed: 0, default: Some(1) });
        for app in APPS {
            world.resume(app);
            world.answers(app, Answer::Fail);
        }
        settle(&mut world);
        for app in APPS {
            for person in world.told(app) {
                let told = told_of(&world, &person, app);
                prop_assert_eq!(told.last(), Some(&"UNHEALTHY"), "{} of {}: {:?}", person, app, told);
            }
        }

        // All is well again.
        for app in APPS {
            world.answers(app, Answer::Pass);
        }
        believe(&mut world);
        settle(&mut world);
        prop_assert_eq!(world.engine.view().health(world.now, world.now.at, Vec::new()).outbox.waiting, 0);
        let mut said: BTreeMap<(&str, &str), Vec<&str>> = BTreeMap::new();
        for (person, app) in PEOPLE[..3].iter().flat_map(|person| APPS.map(|app| (*person, app))) {
            said.insert((person, app), told_of(&world, person, app));
        }
        for ((person, app), told) in &said {
            let all = || format!("{person} of {app}: {told:?}");
            prop_assert!(told.first() != Some(&"HEALTHY"), "an end of nothing: {}", all());
            prop_assert!(told.last().is_none_or(|last| *last == "HEALTHY"), "no end: {}", all());
            prop_assert!(told.windows(2).all(|two| two[0] != two[1]), "twice: {}", all());
        }
        // An end answers a mail that its reader has.
        let mut had: HashSet<(Recipient, &str)> = HashSet::new();
        for (_, mail) in &world.inbox {
            let person = mail.to.clone();
            let answered = mail.references.last().map(|answered| (person.clone(), answered.as_str()));
            let is_end = mail.changes().all(|change| change.to == State::Healthy);
            if let Some(answered) = answered.filter(|_| is_end && mail.changes().count() == 1) {
                prop_assert!(had.contains(&answered), "{:?} answers what nobody got", mail);
            }
            had.insert((person, mail.message_id.as_str()));
        }
    }
}
