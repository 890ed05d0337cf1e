//! Apps that are not asked over HTTP: what they report, when, and what nobody can see of them.

use std::time::Duration;

use super::small::{DAY, deeds, house, house_with, layout, nothing};
use crate::chance::{HOUR, MINUTE, SECOND};
use crate::deed::{Deed, Question, Reported, Says};
use crate::house::conditions::{Effect, Stage};
use crate::house::layout::Layout;
use crate::house::plan::{Plan, by_itself};
use crate::house::rates::Rate;
use crate::house::watch::{Certificates, Reports, Schedule, Watch};
use crate::house::{House, Size};
use crate::story::{CauseKind, Ms};

const SENSOR: Reports = Reports {
    schedule: Schedule::Sleeps(10 * MINUTE),
    interval: 660,
    grace: None,
    says_start: false,
};
/// At 03:00, for about half an hour.
const BACKUP: Reports = Reports {
    schedule: Schedule::Nightly { minute: 180, takes: 30 * MINUTE },
    interval: 86_400,
    grace: Some(7_200),
    says_start: true,
};

/// The app beside us is watched so.
fn watched(watch: Watch) -> Layout {
    let mut layout = layout();
    layout.apps[0].watch = watch;
    layout
}

/// What it reports, and how many causes it has.
fn reports(house: &mut House) -> Vec<(Ms, Option<Reported>, usize)> {
    let all = deeds(house).into_iter();
    let reports = all.filter_map(|(at, deed)| match deed {
        Deed::Report { says, causes, .. } => Some((at, says, causes.len())),
        _ => None,
    });
    reports.collect()
}

fn of_sensor(happens: impl FnOnce(&mut Plan<'_>, usize)) -> Vec<(Ms, Option<Reported>, usize)> {
    let layout = watched(Watch::Reports(SENSOR));
    let mut house = house(&layout, |plan| {
        let cause = plan.cause(CauseKind::Switch);
        happens(plan, cause);
    });
    reports(&mut house)
}

#[test]
fn a_sensor_reports_in_its_rhythm_and_is_registered_so() {
    let layout = watched(Watch::Reports(SENSOR));
    let mut house = house(&layout, |_| {});
    let all = deeds(&mut house);
    let fields = all.iter().find_map(|(_, deed)| match deed {
        Deed::Register { app, fields } if app.0 == 0 => Some(fields.clone()),
        _ => None,
    });
    let fields: Vec<String> =
        fields.unwrap().into_iter().map(|(name, value)| format!("{name}={value}")).collect();
    assert_eq!(fields, ["appname=beside", "kind=beat", "interval=660"]);
    let all = of_sensor(|_, _| {});
    assert!((140..=146).contains(&all.len()), "{}", all.len());
    assert!(all.iter().all(|(_, says, causes)| (*says, *causes) == (Some(Reported::Done), 0)));
    let gaps = all.windows(2).map(|two| two[1].0 - two[0].0);
    assert!(gaps.into_iter().all(|gap| (580 * SECOND..620 * SECOND).contains(&gap)));
}

#[test]
fn a_backup_says_when_it_begins_and_when_it_is_done() {
    let mut house = house(&watched(Watch::Reports(BACKUP)), |_| {});
    let all = reports(&mut house);
    let [(began, Some(Reported::Begins), 0), (done, Some(Reported::Done), 0)] = all[..] else {
        panic!("{all:?}");
    };
    // The story begins at 01:00 on the clocks of the house.
    assert_eq!(began, 2 * HOUR);
    assert!((21 * MINUTE..=39 * MINUTE).contains(&(done - began)), "{}", done - began);
}

#[test]
fn what_keeps_it_from_that_is_its_cause() {
    let gone = |all: &[(Ms, Option<Reported>, usize)]| {
        let gone = all.iter().filter(|(_, says, causes)| says.is_none() && *causes == 1);
        gone.map(|(at, ..)| at / HOUR).collect::<Vec<Ms>>()
    };
    let times = (2 * HOUR, 3 * HOUR);
    for (stage, effect) in [
        (Stage::Host, Effect::NoRoute(3 * SECOND)),
        (Stage::App, Effect::Refused),
        (Stage::App, Effect::Hangs),
        (Stage::Network, Effect::Silent),
        (Stage::OurLink, Effect::NoRoute(1)),
        (Stage::Answer, Effect::NotDone),
    ] {
        let all = of_sensor(|plan, cause| plan.act(cause, 0, stage, times, effect.clone()));
        assert!((5..=6).contains(&gone(&all).len()), "{effect:?}: {all:?}");
        assert!(gone(&all).iter().all(|hour| *hour == 2), "{effect:?}");
    }
    for effect in [Effect::Slow(1..=2), Effect::Hangs, Effect::NoName(1)] {
        let stage = if effect == Effect::NoName(1) { Stage::Name } else { Stage::Answer };
        let all = of_sensor(|plan, cause| plan.act(cause, 0, stage, times, effect.clone()));
        assert_eq!(gone(&all), [0; 0], "{effect:?}");
    }
    // What is sent again finds its way.
    let all = of_sensor(|plan, cause| {
        for second in 0..24 * 360 {
            let times = (second * 10 * SECOND, second * 10 * SECOND + 2 * SECOND);
            plan.act(cause, 0, Stage::Network, times, Effect::Silent);
        }
    });
    assert_eq!(gone(&all), [0; 0]);
}

#[test]
fn it_says_how_it_went_and_comes_late_or_twice() {
    let times = (2 * HOUR, 2 * HOUR + 12 * MINUTE);
    let said = |effect: Effect| {
        let all = of_sensor(|plan, cause| plan.act(cause, 0, Stage::Answer, times, effect.clone()));
        let near = all.into_iter().filter(|(.., causes)| *causes > 0);
        near.map(|(_, says, _)| says).collect::<Vec<_>>()
    };
    assert!(said(Effect::Fails).iter().all(|it| *it == Some(Reported::Failed)));
    assert!(said(Effect::Warns).iter().all(|it| *it == Some(Reported::DoneWithWarnings)));
    let late = of_sensor(|plan, cause| {
        let times = (2 * HOUR, 2 * HOUR + 10 * MINUTE);
        plan.act(cause, 0, Stage::Answer, times, Effect::DoneLater(5 * MINUTE));
    });
    let missed = late.iter().find(|(_, says, _)| says.is_none()).expect("it was to report then");
    assert!(late.iter().any(|(at, says, _)| *at == missed.0 + 5 * MINUTE && says.is_some()));
    let mut rates = nothing();
    rates.set(Rate::ReportTwice, 1.0);
    let mut house = house_with(&watched(Watch::Reports(SENSOR)), DAY, &rates, |_| {});
    let all = reports(&mut house);
    assert!((280..=292).contains(&all.len()), "{}", all.len());
    assert!(all.is_sorted_by_key(|(at, ..)| *at));
}

/// What a check gets of the app beside us while this acts on it.
fn answers(watch: Watch, stage: Stage, effect: Effect) -> Says {
    let url = match watch {
        Watch::Port => "tcp://10.0.0.1:8080",
        _ => "ping://10.0.0.1",
    };
    let mut house = house(&watched(watch), |plan| {
        let cause = plan.cause(CauseKind::Hang);
        plan.act(cause, 0, stage, (0, HOUR), effect);
    });
    let (at, limit) = (MINUTE, Duration::from_secs(5));
    let reply = house.answer(Question { url, at, limit });
    if reply.after.is_none() { Says::NoRoute } else { reply.says }
}

#[test]
fn a_port_and_an_echo_show_less() {
    for watch in [Watch::Port, Watch::Echo] {
        assert_eq!(answers(watch, Stage::App, Effect::Hangs), Says::Pass);
        assert_eq!(answers(watch, Stage::Answer, Effect::Fails), Says::Pass);
        assert_eq!(answers(watch, Stage::Host, Effect::NoRoute(3_000)), Says::NoRoute);
    }
    assert_eq!(answers(Watch::Port, Stage::App, Effect::Refused), Says::Refused);
    assert_eq!(answers(Watch::Echo, Stage::App, Effect::Refused), Says::Pass);
}

#[test]
fn a_certificate_is_renewed_by_itself_or_by_somebody() {
    let day = 24 * HOUR;
    let certificates = Certificates { lasts: 90 * day, left: 40 * day };
    let size = Size { days: 60, ..DAY };
    let shown = |share: f64, days: &[Ms]| {
        let mut rates = nothing();
        rates.set(Rate::NotRenewed, share);
        let layout = watched(Watch::Tls(certificates));
        let mut house = house_with(&layout, size, &rates, |_| {});
        let began = house.began();
        let ask = |day_of: &Ms| {
            let (url, limit) = ("https://10.0.0.1:8080/health", Duration::from_secs(5));
            let at = *day_of * day;
            let shown = house.answer(Question { url, at, limit }).certificate.unwrap();
            (shown.valid.1 - began) / day as i64
        };
        days.iter().map(ask).collect::<Vec<i64>>()
    };
    assert_eq!(shown(0.0, &[1, 9, 11]), [40, 40, 100]);
    let by_hand = shown(1.0, &[1, 26, 44]);
    assert_eq!(by_hand[..2], [40, 40]);
    assert!((117..=132).contains(&by_hand[2]), "{by_hand:?}");
}

#[test]
fn a_host_that_starts_has_its_reporters_silent_until_then() {
    let all = of_sensor(|plan, cause| {
        plan.restart(cause, 0, (2 * HOUR, 3 * HOUR), by_itself);
    });
    assert!(all.iter().filter(|(_, says, _)| says.is_none()).count() >= 5);
    assert!(
        all.iter()
            .all(|(at, says, _)| says.is_some() || (2 * HOUR..=3 * HOUR + MINUTE).contains(at))
    );
}
