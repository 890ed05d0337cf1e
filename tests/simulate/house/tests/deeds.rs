//! What apps and people do, and what becomes of the clock, at its time.

use std::time::Duration;

use super::small::{DAY, deeds, house, house_with, layout, nothing};
use crate::chance::{HOUR, MINUTE, SECOND};
use crate::deed::{Deed, Question, Says};
use crate::house::calendar::Calendar;
use crate::house::conditions::{Effect, Stage};
use crate::house::plan::By;
use crate::house::rates::Rate;
use crate::house::{House, Size};
use crate::story::{AppId, CauseKind, Ms};

#[test]
fn a_deployment_stops_and_registers_before_it_listens() {
    let mut layout = layout();
    layout.apps[0].stops = true;
    layout.apps[0].registers_before = 4 * SECOND;
    let mut rates = nothing();
    rates.set(Rate::Deploy, 400.0);
    let mut house = house_with(&layout, Size { days: 10, ..DAY }, &rates, |_| {});
    let mut stopped = None;
    let mut deployed = 0;
    let asked = |house: &mut House, at: Ms| {
        let (url, limit) = ("http://10.0.0.1:8080/health", Duration::from_secs(5));
        house.answer(Question { url, at, limit }).says
    };
    for (at, deed) in deeds(&mut house) {
        match deed {
            Deed::Stop(app) => {
                assert_eq!(app, AppId(0));
                stopped = Some(at);
            }
            Deed::Register { app: AppId(0), .. } if at > MINUTE => {
                let stopped = stopped.take().expect("it stopped before");
                assert!(at - stopped <= 90 * SECOND);
                assert_eq!(asked(&mut house, at), Says::Refused);
                assert_eq!(asked(&mut house, at + 4 * SECOND), Says::Pass);
                deployed += 1;
            }
            _ => {}
        }
    }
    assert!(deployed > 5, "{deployed}");
}

#[test]
fn a_person_registers_when_our_link_is_back() {
    let mut layout = layout();
    layout.apps[0].registers = false;
    let mut house = house(&layout, |plan| {
        let link = plan.cause(CauseKind::OurLink);
        plan.our_link_gone(link, (HOUR, 2 * HOUR), &Effect::Silent);
        // The host itself need not be there: a person does it from another machine.
        let host = plan.cause(CauseKind::HostHang);
        let times = (HOUR, 3 * HOUR);
        plan.host_gone(host, 0, Stage::Host, times, &Effect::Silent);
        plan.registers.push((HOUR + MINUTE, AppId(0), By::Person));
        plan.registers.push((HOUR + MINUTE, AppId(1), By::App));
    });
    let registered: Vec<(Ms, usize)> = deeds(&mut house)
        .into_iter()
        .filter_map(|(at, deed)| match deed {
            Deed::Register { app, .. } if at > MINUTE => Some((at, app.0)),
            _ => None,
        })
        .collect();
    assert_eq!(registered, [(2 * HOUR, 0), (2 * HOUR, 1)]);
}

#[test]
fn a_clock_in_local_time_is_an_hour_off_when_that_changes() {
    let mut rates = nothing();
    rates.set(Rate::ClockHour, 1.0);
    // The 27th of March and the 30th of October 2027: the nights before the changes.
    for (began, off) in [(1_806_105_600_000, -3_600_000), (1_824_854_400_000, 3_600_000)] {
        let mut layout = layout();
        layout.calendar = Calendar { began };
        let mut house = house_with(&layout, Size { days: 3, ..DAY }, &rates, |_| {});
        let clock: Vec<(Ms, i64)> = deeds(&mut house)
            .into_iter()
            .filter_map(|(at, deed)| match deed {
                Deed::ClockOff(off) => Some((at, off)),
                _ => None,
            })
            .collect();
        assert_eq!(clock[0], (25 * HOUR, off));
        assert!(clock.len() == 2 && clock[1].1 == 0, "{clock:?}");
    }
}
