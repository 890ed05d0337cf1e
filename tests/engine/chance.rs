//! Random households from seeds, against what must always hold.

use std::collections::HashMap;

use proptest::prelude::*;

use super::cases::cases;
use super::world::{Answer, Mood, World};
use healthchecker::engine::outbox::notice::Notice;

#[derive(Clone, Debug)]
enum Step {
    Register(usize),
    Pause(usize),
    Resume(usize),
    Stop(usize),
    Answer(usize, u8),
    Mood(u8),
    Wait(u64),
}

const APPS: usize = 4;

fn step() -> impl Strategy<Value = Step> {
    let app = 0..APPS;
    prop_oneof![
        2 => app.clone().prop_map(Step::Register),
        1 => app.clone().prop_map(Step::Pause),
        1 => app.clone().prop_map(Step::Resume),
        1 => app.clone().prop_map(Step::Stop),
        6 => (app, 0..7u8).prop_map(|(app, answer)| Step::Answer(app, answer)),
        2 => (0..3u8).prop_map(Step::Mood),
        8 => (1..400u64).prop_map(Step::Wait),
    ]
}

fn name(app: usize) -> String {
    format!("app{app}")
}

fn answer(kind: u8) -> Answer {
    match kind {
        0 | 1 => Answer::Pass,
        2 => Answer::Warn,
        3 => Answer::Fail,
        4 => Answer::Refused,
        5 => Answer::Hang,
        _ => Answer::Slow(1_000),
    }
}

fn live(world: &mut World, steps: &[Step]) {
    let mut registered = [false; APPS];
    for step in steps {
        match *step {
            Step::Register(app) => {
                registered[app] = true;
                world.register(&name(app), &[("interval", "10"), ("healthy", "3")]);
            }
            Step::Pause(app) if registered[app] => world.pause(&name(app)),
            Step::Resume(app) if registered[app] => world.resume(&name(app)),
            Step::Stop(app) if registered[app] => {
                registered[app] = false;
                world.stop(&name(app));
            }
            Step::Answer(app, kind) => world.answers(&name(app), answer(kind)),
            Step::Mood(0) => world.mood = Mood::Away,
            Step::Mood(1) => world.mood = Mood::RefusesLogin,
            Step::Mood(_) => world.mood = Mood::Accepts,
            Step::Wait(seconds) => world.seconds(seconds),
            _ => {}
        }
    }
}

proptest! {
    #![proptest_config(cases(200))]

    #[test]
    fn no_recovery_without_an_alert_and_no_alert_twice(steps in prop::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        live(&mut world, &steps);
        world.mood = Mood::Accepts;
        world.seconds(24 * 3600);
        prop_assert_eq!(world.engine.view().health(world.now, world.now.at, Vec::new()).outbox.waiting, 0);
        let mut told: HashMap<String, &str> = HashMap::new();
        for notice in world.inbox.iter().flat_map(|(_, mail)| &mail.notices) {
            if let Notice::Change(change) = notice {
                let before = told.insert(change.app.clone(), change.to.word());
                let opened_before = matches!(before, Some("UNHEALTHY" | "DEGRADED"));
                prop_assert!(change.to.word() != "UNKNOWN");
                prop_assert!(change.to.word() != "HEALTHY" || opened_before, "a recovery of nothing");
                let stopped = steps.iter().any(|step| matches!(step, Step::Stop(_)));
                prop_assert!(stopped || before != Some(change.to.word()), "told twice");
            }
        }
    }

    #[test]
    fn checks_of_one_app_never_overlap_and_states_settle(steps in prop::collection::vec(step(), 1..40)) {
        let mut world = World::new();
        live(&mut world, &steps);
        prop_assert!(world.most_at_once <= 1, "{} at once", world.most_at_once);
        world.mood = Mood::Accepts;
        for app in 0..APPS {
            world.register(&name(app), &[("interval", "10"), ("healthy", "3")]);
            world.resume(&name(app));
            world.answers(&name(app), Answer::Pass);
        }
        world.seconds(120);
        for app in 0..APPS {
            prop_assert_eq!(world.state(&name(app)).word(), "HEALTHY");
        }
        let waits = world.engine.view().health(world.now, world.now.at, Vec::new()).outbox.waiting;
        prop_assert!(waits <= 1, "{} mails wait for one person", waits);
    }
}
