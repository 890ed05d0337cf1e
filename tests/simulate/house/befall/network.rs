//! What befalls the network: switches, access points, the router, the line, names, our own link.

use crate::chance::{HOUR, MINUTE, SECOND};
use crate::house::conditions::{Effect, NO_CARRIER};
use crate::house::plan::{Plan, Times};
use crate::house::rates::Rate;
use crate::story::{CauseKind, Ms};

pub(super) fn befall(plan: &mut Plan) {
    for segment in 1..plan.layout.segments.len() {
        segment_goes(plan, segment);
    }
    router_goes(plan);
    line_goes(plan);
    names_go(plan);
    our_link_goes(plan);
    nightly(plan);
}

fn segment_goes(plan: &mut Plan, segment: usize) {
    let (rate, kind) = match plan.layout.segments[segment].is_wireless {
        true => (Rate::AccessPoint, CauseKind::AccessPoint),
        false => (Rate::Switch, CauseKind::Switch),
    };
    for at in plan.times(rate, segment) {
        let lasts = plan.chance("segment", at, segment).lasting(20 * SECOND..=4 * HOUR);
        let cause = plan.cause(kind);
        plan.segment_gone(cause, segment, (at, at + lasts));
    }
}

fn router_goes(plan: &mut Plan) {
    for at in plan.times(Rate::Router, 0) {
        let chance = &mut plan.chance("router", at, 0);
        let starts = match chance.happens(0.7) {
            true => at,
            false => plan.layout.calendar.helped(at, chance.lasting(2 * MINUTE..=8 * HOUR)),
        };
        router_off(plan, (at, starts + plan.layout.router.boots_in));
    }
}

fn router_off(plan: &mut Plan, times: Times) {
    let kind = router_kind(plan);
    let cause = plan.cause(kind);
    router_down(plan, cause, times);
}

/// Where we hang on its Wi-Fi, it is our own link that goes.
fn router_kind(plan: &Plan) -> CauseKind {
    if plan.layout.router.is_ours { CauseKind::OurLink } else { CauseKind::Router }
}

/// The router is down by a cause, and our link if that is its Wi-Fi.
fn router_down(plan: &mut Plan, cause: usize, times: Times) {
    plan.router_gone(cause, times);
    if plan.layout.router.is_ours {
        plan.our_link_gone(cause, times, &NO_CARRIER);
    }
}

fn line_goes(plan: &mut Plan) {
    for at in plan.times(Rate::Internet, 0) {
        let chance = &mut plan.chance("line", at, 0);
        let lasts = chance.lasting(20 * SECOND..=10 * HOUR);
        let effect = chance.pick(&[Effect::Silent, Effect::NoRoute(30)]).clone();
        let cause = plan.cause(CauseKind::Internet);
        plan.line_gone(cause, (at, at + lasts), &effect);
    }
}

fn names_go(plan: &mut Plan) {
    for at in plan.times(Rate::NameService, 0) {
        let chance = &mut plan.chance("names", at, 0);
        let lasts = chance.lasting(30 * SECOND..=6 * HOUR);
        let effect = chance.pick(&[Effect::NoName(15), Effect::NoName(10 * SECOND)]).clone();
        let cause = plan.cause(CauseKind::NameService);
        plan.names_gone(cause, (at, at + lasts), effect);
    }
}

fn our_link_goes(plan: &mut Plan) {
    let is_wireless = plan.layout.segments[0].is_wireless;
    let often = plan.rates.of(Rate::OurLink) * if is_wireless { 5.0 } else { 1.0 };
    let most = if is_wireless { 30 * MINUTE } else { 4 * HOUR };
    for at in crate::chance::Chance::of(plan.seed, "our_link", 0).times(often, plan.end) {
        let chance = &mut plan.chance("our link", at, 0);
        let lasts = chance.lasting(3 * SECOND..=most);
        // A switch that is dead behind one that lives leaves the carrier on.
        let effect =
            chance.pick(&[NO_CARRIER, Effect::NoRoute(3 * SECOND), Effect::Silent]).clone();
        let cause = plan.cause(CauseKind::OurLink);
        plan.our_link_gone(cause, (at, at + lasts), &effect);
    }
}

fn nightly(plan: &mut Plan) {
    let (router, calendar) = (&plan.layout.router, &plan.layout.calendar);
    if router.starts_nightly {
        for at in calendar.every(4 * 60, plan.end) {
            router_off(plan, (at, at + router.boots_in));
        }
    }
    if let Some(minute) = router.reconnects {
        for at in calendar.every(minute, plan.end) {
            let lasts: Ms = plan.chance("reconnect", at, 0).between(5..=60) * SECOND;
            let cause = plan.cause(CauseKind::Internet);
            plan.line_gone(cause, (at, at + lasts), &Effect::NoRoute(30));
        }
    }
}
