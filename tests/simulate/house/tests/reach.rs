//! Who is out of reach when a part of the network goes, and what checks get then.

use std::time::Duration;

use super::small::{APPS, house, layout, reached};
use crate::chance::{HOUR, MINUTE, SECOND};
use crate::deed::{Deed, Question, Says};
use crate::house::House;
use crate::house::conditions::{Effect, Stage};
use crate::house::layout::{Layout, NameService};
use crate::house::plan::{By, Move, Plan, Times, by_itself};
use crate::story::{AppId, CauseKind, Ms};

/// From the second to the third minute.
const TIMES: Times = (2 * MINUTE, 3 * MINUTE);

/// The names of those that are reached by what happens.
fn out_of_reach(layout: &Layout, happens: impl FnOnce(&mut Plan<'_>, usize)) -> Vec<&'static str> {
    let house = house(layout, |plan| {
        let cause = plan.cause(CauseKind::Switch);
        happens(plan, cause);
    });
    let [(_, told)] = &reached(house)[..] else { panic!("one cause") };
    assert!(told.split(", ").all(|it| it.ends_with(" 120-180")), "{told}");
    APPS.into_iter().filter(|app| told.contains(&format!("{app} "))).collect()
}

#[test]
fn what_hangs_on_a_part_goes_with_it() {
    let mut layout = layout();
    let router = |plan: &mut Plan<'_>, cause| plan.router_gone(cause, TIMES);
    assert_eq!(
        out_of_reach(&layout, |plan, cause| plan.our_link_gone(cause, TIMES, &Effect::Silent)),
        ["beside", "other switch", "subnet", "outside", "named"]
    );
    assert_eq!(
        out_of_reach(&layout, |plan, cause| plan.segment_gone(cause, 1, TIMES)),
        ["other switch"]
    );
    assert_eq!(out_of_reach(&layout, router), ["subnet", "outside"]);
    assert_eq!(
        out_of_reach(&layout, |plan, cause| plan.line_gone(cause, TIMES, &Effect::Silent)),
        ["outside"]
    );
    layout.router.is_core = true;
    assert_eq!(out_of_reach(&layout, router), ["other switch", "subnet", "outside"]);
}

#[test]
fn names_that_were_found_lead_to_their_last_good_addresses_for_a_while() {
    let mut layout = layout();
    let told = |layout: &Layout, happens: &dyn Fn(&mut Plan<'_>, usize)| {
        let house = house(layout, |plan| {
            let cause = plan.cause(CauseKind::NameService);
            happens(plan, cause);
        });
        reached(house).into_iter().map(|(_, told)| told).collect::<Vec<_>>().join("; ")
    };
    let gone = |after| {
        told(&layout, &|plan, cause| plan.names_gone(cause, (0, 3 * HOUR), Effect::NoName(after)))
    };
    assert_eq!(gone(15), "named 3600-10800");
    assert_eq!(gone(10 * SECOND), "", "nobody answers");
    // The names are known to a watched host, which goes.
    layout.names = NameService::App(AppId(1));
    let told = told(&layout, &|plan, cause| plan.act(cause, 1, Stage::App, TIMES, Effect::Hangs));
    assert_eq!(told, "other switch 120-180");
}

/// What the app gets that asks `url` at a time.
fn gets(house: &mut House, url: &str, at: Ms) -> (Says, Option<Ms>) {
    let reply = house.answer(Question { url, at, limit: Duration::from_secs(5) });
    (reply.says, reply.after.map(|after| after.as_millis() as Ms))
}

#[test]
fn what_is_met_first_says_how_it_ends_and_all_are_listed() {
    let layout = layout();
    let mut house = house(&layout, |plan| {
        let crash = plan.cause(CauseKind::Crash);
        plan.app_down(crash, 5, (MINUTE, HOUR));
        let names = plan.cause(CauseKind::NameService);
        plan.act(names, 5, Stage::Name, TIMES, Effect::NoName(15));
    });
    let url = "http://nas.lan:8080/health";
    assert_eq!(gets(&mut house, url, MINUTE - SECOND).0, Says::Pass);
    assert_eq!(gets(&mut house, url, MINUTE).0, Says::Refused);
    assert_eq!(gets(&mut house, url, TIMES.0), (Says::NoName, Some(15)));
    let limit = Duration::from_secs(5);
    let both = house.answer(Question { url, at: TIMES.0 + 1, limit }).causes;
    assert_eq!(both.len(), 2);
    assert_eq!(gets(&mut house, url, TIMES.1).0, Says::Refused);
    assert_eq!(gets(&mut house, url, HOUR).0, Says::Pass);
}

#[test]
fn who_waits_for_a_host_meets_the_app_as_it_is_then() {
    let layout = layout();
    let mut house = house(&layout, |plan| {
        let reboot = plan.cause(CauseKind::HostReboot);
        plan.restart(reboot, 0, TIMES, by_itself);
    });
    let url = "http://10.0.0.1:8080/health";
    // The host is there 2 s later, the app 5 s after that.
    assert_eq!(gets(&mut house, url, TIMES.1 - 2 * SECOND), (Says::Refused, Some(2_009)));
    assert_eq!(gets(&mut house, url, TIMES.1 + 5 * SECOND).0, Says::Pass);
}

#[test]
fn who_moved_is_not_where_it_was_until_it_registers() {
    let layout = layout();
    let mut house = house(&layout, |plan| {
        let cause = plan.cause(CauseKind::MovedAddress);
        let left = Effect::NoRoute(3 * SECOND);
        plan.moves[0].push(Move { at: HOUR, cause, left });
        plan.registers.push((2 * HOUR, AppId(0), By::Person));
    });
    let mut urls = Vec::new();
    while let Some((at, deed)) = house.pop() {
        if let Deed::Register { app: AppId(0), fields } = deed {
            urls.push((at, fields[1].1.clone()));
        }
    }
    let (old, new) = ("http://10.0.0.1:8080", "http://10.0.1.1:8080");
    assert_eq!(urls, [(SECOND, old.to_owned()), (2 * HOUR, new.to_owned())]);
    let health = |url: &str| format!("{url}/health");
    assert_eq!(gets(&mut house, &health(old), HOUR - SECOND).0, Says::Pass);
    assert_eq!(gets(&mut house, &health(old), HOUR), (Says::NoRoute, Some(3_000)));
    assert_eq!(gets(&mut house, &health(new), 2 * HOUR).0, Says::Pass);
    assert_eq!(reached(house), [(CauseKind::MovedAddress, "beside 3600-7200".to_owned())]);
}

#[test]
fn who_cannot_reach_us_registers_when_it_can() {
    let layout = layout();
    let mut house = house(&layout, |plan| {
        let reboot = plan.cause(CauseKind::HostReboot);
        plan.restart(reboot, 1, (HOUR, HOUR + MINUTE), by_itself);
        let switch = plan.cause(CauseKind::Switch);
        plan.segment_gone(switch, 1, (HOUR, HOUR + 10 * MINUTE));
        let gone_for_good = plan.cause(CauseKind::HostReboot);
        plan.restart(gone_for_good, 0, (HOUR, Ms::MAX), by_itself);
    });
    let mut registered = Vec::new();
    while let Some((at, deed)) = house.pop() {
        if let Deed::Register { app, .. } = deed {
            registered.push((app.0, at));
        }
    }
    let again: Vec<(usize, Ms)> = registered.into_iter().filter(|(_, at)| *at > MINUTE).collect();
    // It listens after 65 s, and tries every ten.
    assert_eq!(again, [(1, HOUR + 10 * MINUTE + 5 * SECOND)]);
}

#[test]
fn mail_is_away_as_long_as_it_or_the_way_to_it_is() {
    let layout = layout();
    let house = house(&layout, |plan| {
        let line = plan.cause(CauseKind::Internet);
        plan.line_gone(line, TIMES, &Effect::Silent);
        plan.deed(TIMES.1, Deed::Mail(crate::deed::MailMood::Away));
        plan.deed(HOUR, Deed::Mail(crate::deed::MailMood::Accepts));
        let link = plan.cause(CauseKind::OurLink);
        plan.our_link_gone(link, (2 * HOUR, 3 * HOUR), &Effect::Silent);
    });
    assert!(house.mail_is_cut_off(TIMES.0) && !house.mail_is_cut_off(TIMES.1));
    assert!(!house.is_cut_off(TIMES.0) && house.is_cut_off(2 * HOUR));
    let away = house.truth().mail_away;
    let away: Vec<(Ms, Option<Ms>)> = away.iter().map(|span| (span.from, span.until)).collect();
    assert_eq!(away, [(TIMES.0, Some(HOUR)), (2 * HOUR, Some(3 * HOUR))]);
}
