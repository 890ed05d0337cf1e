//! The household against what must always hold.

mod deeds;
mod power;
mod reach;
mod small;
mod watch;

use std::collections::BTreeSet;
use std::time::Duration;

use healthchecker::engine::recipients::Recipients;
use healthchecker::engine::registration::{Origin, Registration};

use crate::chance::{Chance, DAY, SECOND};
use crate::deed::{Deed, Fate, Question, Reply, Says};
use crate::house::rates::{Rate, Rates, TABLE};
use crate::house::{House, Size};
use crate::story::{AppId, CauseKind, Ms, Span};

const SMALL: Size = Size { days: 20, apps: 12 };

/// So much befalls that in a few weeks everything occurs.
fn busy() -> Rates {
    Rates::parse("all=20,ups=0.5,tls=0.5,not_renewed=1").unwrap()
}

/// What an app is registered with, read by the engine.
fn registration(fields: &[(String, String)], owner: &str) -> Registration {
    let recipients = Recipients::new(vec![owner.to_owned()], &[]);
    Registration::from_fields(fields, Origin::OwnMachine, &recipients).unwrap()
}

/// A check that was asked for, and what it got.
struct Asked {
    app: usize,
    at: Ms,
    limit: Ms,
    reply: Reply,
}

/// Asks every app at random times, at the address that it has registered.
fn live(house: &mut House, seed: u64) -> Vec<Asked> {
    let chance = &mut Chance::of(seed, "questions", 0);
    let mut urls: Vec<Option<(String, Duration)>> = vec![None; house.apps().len()];
    let owner = house.people()[0].clone();
    let mut all = Vec::new();
    let mut at = 0;
    while at < Ms::from(SMALL.days) * DAY {
        while house.next().is_some_and(|next| next <= at) {
            if let Some((_, Deed::Register { app: AppId(app), fields })) = house.pop() {
                let said = registration(&fields, &owner);
                let asked = said.target.place().map(|place| place.asked.clone());
                urls[app] = asked.map(|asked| (asked, said.timeout));
            }
        }
        for (app, known) in urls.iter().enumerate() {
            if let Some((url, timeout)) = known {
                let reply = house.answer(Question { url, at, limit: *timeout });
                all.push(Asked { app, at, limit: timeout.as_millis() as Ms, reply });
            }
        }
        at += chance.between(SECOND..=600 * SECOND);
    }
    all
}

fn has(span: Span, at: Ms) -> bool {
    span.from <= at && span.until.is_none_or(|until| at < until)
}

fn passes(asked: &Asked) -> bool {
    let in_time = asked.reply.after.is_some_and(|after| after.as_millis() as Ms <= asked.limit);
    asked.reply.says == Says::Pass && in_time
}

#[test]
fn the_same_seed_is_the_same_house() {
    let truth = |seed| {
        let mut house = House::new(seed, SMALL, &busy());
        let deeds: Vec<String> =
            std::iter::from_fn(|| house.pop()).map(|deed| format!("{deed:?}")).collect();
        (deeds, format!("{:?}", house.truth()))
    };
    assert!(truth(1) == truth(1));
    assert!(truth(1) != truth(2));
}

/// While it acts on an app, no check of that passes.
fn is_total(kind: CauseKind) -> bool {
    use CauseKind::*;
    matches!(
        kind,
        Crash
            | Hang
            | Deployment
            | SaysFail
            | SaysWarn
            | HostHang
            | HostReboot
            | NightlyOff
            | LeftHouse
            | Switch
            | AccessPoint
            | Internet
            | MovedAddress
            | Renumbered
    )
}

#[test]
fn what_is_asked_agrees_with_the_causes() {
    let mut failed = 0;
    for seed in 0..3 {
        let mut house = House::new(seed, SMALL, &busy());
        let asked = live(&mut house, seed);
        let truth = house.truth();
        for it in &asked {
            assert_eq!(
                passes(it),
                it.reply.causes.is_empty(),
                "seed {seed}: {:?} at {}",
                it.reply,
                it.at
            );
            failed += usize::from(!passes(it));
            for cause in &it.reply.causes {
                let reach =
                    truth.causes[cause.0].reach.iter().find(|reach| reach.app == AppId(it.app));
                let reach = reach.expect("a cause reaches whom it acts on");
                let (begun, ended) = (reach.span.from, it.at + it.limit);
                assert!(begun <= ended && (has(reach.span, it.at) || begun > it.at), "seed {seed}");
            }
        }
        for (number, cause) in truth.causes.iter().enumerate().filter(|(_, it)| is_total(it.kind)) {
            for it in &asked {
                let reach = cause.reach.iter().find(|reach| reach.app == AppId(it.app));
                let acts = reach.is_some_and(|reach| {
                    // It acts to the end of the check, or an answer comes late.
                    has(reach.span, it.at) && has(reach.span, it.at + it.limit)
                });
                let is_listed = it.reply.causes.iter().any(|cause| cause.0 == number);
                assert!(!acts || is_listed, "seed {seed}: {:?} at {}", cause.kind, it.at);
            }
        }
    }
    assert!(failed > 1_000, "{failed}");
}

#[test]
fn nothing_befalls_a_house_in_which_all_is_switched_off() {
    let mut rates = Rates::baseline();
    for place in 0..TABLE.len() {
        rates = rates.without(place);
    }
    let mut house = House::new(5, SMALL, &rates);
    assert!(live(&mut house, 5).iter().all(|asked| asked.reply.causes.is_empty()));
    let truth = House::new(5, SMALL, &rates).truth();
    assert!(truth.causes.is_empty() && truth.mail_away.is_empty());
    let mut house = House::new(5, SMALL, &rates);
    while let Some((_, deed)) = house.pop() {
        assert!(matches!(deed, Deed::Register { .. }), "{deed:?}");
    }
}

/// The kinds of causes and of deeds that occur.
fn occurring(seed: u64, size: Size, rates: &Rates) -> BTreeSet<String> {
    let mut house = House::new(seed, size, rates);
    let word = |text: String| text.split([' ', '{', '(']).next().unwrap().to_owned();
    let mut kinds = BTreeSet::new();
    while let Some((_, deed)) = house.pop() {
        kinds.insert(match deed {
            Deed::Ours(fate) => word(format!("{fate:?}")),
            Deed::Mail(mood) => format!("mail {}", word(format!("{mood:?}"))),
            Deed::Disk(mood) => format!("disk {}", word(format!("{mood:?}"))),
            other => word(format!("{other:?}")),
        });
    }
    kinds.extend(house.truth().causes.iter().map(|cause| format!("cause {:?}", cause.kind)));
    kinds
}

#[test]
fn everything_occurs() {
    let mut all = BTreeSet::new();
    for seed in 0..30 {
        all.extend(occurring(seed, SMALL, &busy()));
    }
    let expected = "ClockOff Killed Pause PowerCut Quiet Register Report Restarted Resume ShutDown StandsStill Stop Suspended, \
        cause AccessPoint, cause BrownOut, cause Crash, cause CrashLoop, cause Deployment, cause Flapping, \
        cause CertificateEnds, cause Hang, cause HostHang, cause HostReboot, cause Internet, cause LateReport, \
        cause LeftHouse, cause LossyLink, cause MovedAddress, cause NameService, cause NightlyOff, \
        cause NoReport, cause OurLink, cause PowerCut, cause Renumbered, cause Router, cause SaysFail, \
        cause SaysWarn, cause Slow, cause SpinUp, cause Switch, cause WrongClock, \
        disk Fails, disk Full, disk Works, mail Accepts, mail Away, mail Greylists, mail Loses250, \
        mail Refuses, mail Slow";
    let (deeds, rest) = expected.split_once(", ").unwrap();
    let expected: BTreeSet<String> =
        deeds.split(' ').chain(rest.split(", ")).map(|it| it.trim().to_owned()).collect();
    assert_eq!(all, expected);
}

#[test]
fn what_is_switched_off_never_happens_and_changes_nothing_else() {
    for (rate, kind) in [
        (Rate::Crash, CauseKind::Crash),
        (Rate::SpinUp, CauseKind::SpinUp),
        (Rate::Power, CauseKind::PowerCut),
        (Rate::Warn, CauseKind::SaysWarn),
        (Rate::Internet, CauseKind::Internet),
    ] {
        let mut without = busy();
        without.set(rate, 0.0);
        without.set(Rate::Reconnect, 0.0);
        let mut with = busy();
        with.set(Rate::Reconnect, 0.0);
        for seed in 0..5 {
            let kinds = |rates: &Rates| {
                let truth = House::new(seed, SMALL, rates).truth();
                truth.causes.iter().map(|cause| cause.kind).collect::<Vec<CauseKind>>()
            };
            let (all, fewer) = (kinds(&with), kinds(&without));
            assert!(!fewer.contains(&kind), "{kind:?}");
            let count =
                |kinds: &[CauseKind]| kinds.iter().filter(|it| **it == CauseKind::SaysFail).count();
            assert_eq!(count(&all), count(&fewer));
        }
    }
}

#[test]
fn causes_are_in_order_and_their_spans_hold_whom_they_reach() {
    for seed in 0..10 {
        let truth = House::new(seed, SMALL, &busy()).truth();
        assert!(truth.causes.is_sorted_by_key(|cause| cause.span.from));
        for cause in &truth.causes {
            assert!(!cause.reach.is_empty());
            let mut apps = BTreeSet::new();
            for reach in &cause.reach {
                assert!(apps.insert(reach.app), "an app is reached once");
                assert!(cause.span.from <= reach.span.from);
                let until = |span: Span| span.until.unwrap_or(Ms::MAX);
                assert!(
                    reach.span.from < until(reach.span) && until(reach.span) <= until(cause.span)
                );
                assert!(reach.span.from < Ms::from(SMALL.days) * DAY);
            }
        }
        assert!(
            truth.mail_away.windows(2).all(|it| it[0].until.is_some_and(|end| end < it[1].from))
        );
    }
}

#[test]
fn deeds_are_in_order_and_our_machine_does_one_thing_at_a_time() {
    for seed in 0..20 {
        let mut house = House::new(seed, SMALL, &busy());
        let mut last = 0;
        let mut off_until = 0;
        while let Some((at, deed)) = house.pop() {
            assert!(last <= at && at < Ms::from(SMALL.days) * DAY);
            last = at;
            if let Deed::Ours(fate) = deed {
                let (Fate::Killed { away }
                | Fate::Restarted { away }
                | Fate::PowerCut { away, .. }
                | Fate::ShutDown { away, .. }
                | Fate::Suspended { away }
                | Fate::StandsStill { away }) = fate;
                let is_cut = matches!(fate, Fate::PowerCut { .. });
                assert!(is_cut || at >= off_until, "seed {seed}: {fate:?} at {at}");
                if matches!(fate, Fate::PowerCut { .. } | Fate::ShutDown { .. }) {
                    off_until = off_until.max(at + away.as_millis() as Ms);
                }
            }
        }
    }
}

#[test]
fn every_registration_is_accepted_and_people_are_known() {
    for seed in [0, 1, 4, 7, 19] {
        let size = Size { days: if seed % 2 == 0 { 2 } else { 60 }, apps: 1 + seed as usize * 10 };
        let mut house = House::new(seed, size, &busy());
        let people = house.people().to_vec();
        let names = house.apps().to_vec();
        assert_eq!(names.len(), size.apps);
        let mut registered = BTreeSet::new();
        while let Some((_, deed)) = house.pop() {
            if let Deed::Register { app, fields } = deed {
                let said = registration(&fields, &people[0]);
                assert_eq!(said.name, names[app.0].0);
                assert!(said.email.iter().all(|told| people.contains(&told.to_string())));
                registered.insert(app);
            }
        }
        assert!(registered.len() * 10 >= size.apps * 9, "{} of {}", registered.len(), size.apps);
    }
}

#[test]
fn a_year_of_two_hundred_apps_is_planned_in_bearable_time() {
    let began = std::time::Instant::now();
    let house = House::new(9, Size { days: 365, apps: 200 }, &Rates::baseline());
    assert!(house.truth().causes.len() > 1_000);
    assert!(began.elapsed() < Duration::from_secs(60));
}

/// Names, hosts and first registrations.
fn what_there_is(seed: u64, rates: &Rates) -> String {
    let mut house = House::new(seed, SMALL, rates);
    let mut said = vec![None; SMALL.apps];
    let apps = format!("{:?} {:?}", house.people(), house.apps());
    while let Some((_, deed)) = house.pop() {
        if let Deed::Register { app: AppId(app), mut fields } = deed {
            // What people want to hear is nothing that befalls it.
            fields.retain(|(name, _)| name != "quiet");
            said[app].get_or_insert(fields);
        }
    }
    format!("{apps} {said:?}")
}

#[test]
fn what_is_switched_off_leaves_the_house_as_it_is() {
    let mut all = Rates::baseline();
    // Settings and addresses then change by nobody.
    for rate in [Rate::Change, Rate::Moved, Rate::Renumbered] {
        all.set(rate, 0.0);
    }
    // How an app is watched is a part of that.
    for rate in [Rate::Reports, Rate::Tls, Rate::Port, Rate::Echo] {
        all.set(rate, 0.0);
    }
    for seed in 0..3 {
        for place in all.on() {
            let without = all.without(place);
            assert_eq!(what_there_is(seed, &all), what_there_is(seed, &without), "{without}");
        }
    }
}
