//! The power goes, for all or for some, and each device comes back in its own time.

use super::hosts::starts;
use crate::chance::{Chance, HOUR, MINUTE, SECOND};
use crate::deed::{Deed, Fate};
use crate::house::conditions::NO_CARRIER;
use crate::house::layout::{HostKind, OurClock, Supply};
use crate::house::plan::{Part, Plan, Times};
use crate::house::rates::Rate;
use crate::story::{CauseKind, Ms};

pub(super) fn befall(plan: &mut Plan) {
    let mut on_from = 0;
    for (at, what) in plan.times_of(&[Rate::Power, Rate::BrownOut], 0) {
        if at < on_from {
            continue;
        }
        let chance = &mut plan.chance("power", at, 0);
        on_from = at
            + 1
            + match what {
                Rate::Power => power_goes(plan, chance, at),
                _ => sags(plan, chance, at),
            };
    }
}

/// How long it is gone, the second time included.
fn power_goes(plan: &mut Plan, chance: &mut Chance, at: Ms) -> Ms {
    let lasts = chance.lasting(SECOND..=6 * HOUR);
    // While all of it boots, or when the last of it has just come back.
    let again = at + lasts + chance.lasting(5 * SECOND..=15 * MINUTE);
    let until = again + chance.lasting(SECOND..=20 * MINUTE);
    let is_twice = chance.happens(plan.rates.of(Rate::PowerTwice));
    cut(plan, chance, (at, at + lasts));
    if !is_twice {
        return lasts;
    }
    cut(plan, chance, (again, until));
    until - at
}

pub(in crate::house) fn cut(plan: &mut Plan, chance: &mut Chance, (at, back): Times) {
    let layout = plan.layout;
    let cause = plan.cause(CauseKind::PowerCut);
    let holds = layout.ours.ups.unwrap_or(0);
    let is_held = |on_ups: bool| on_ups && back - at < holds;
    for (host, known) in layout.hosts.iter().enumerate() {
        if known.supply == Supply::Mains || (known.supply == Supply::Ups && !is_held(true)) {
            // What hangs on the UPS lives as long as that does.
            let off = if known.supply == Supply::Ups { at + holds } else { at };
            starts(plan, chance, cause, host, (off, back + known.boots_in));
        }
    }
    let router = &layout.router;
    if !is_held(router.on_ups) {
        let off = if router.on_ups { at + holds } else { at };
        plan.router_gone(cause, (off, back + router.boots_in));
    }
    for (number, segment) in
        layout.segments.iter().enumerate().filter(|(_, it)| !is_held(it.on_ups))
    {
        let off = if segment.on_ups { at + holds } else { at };
        let times = (off, back + segment.boots_in);
        match number {
            0 => our_link_off(plan, times),
            _ => plan.segment_gone(cause, number, times),
        }
    }
    match layout.ours.ups {
        Some(holds) if back - at < holds => {}
        Some(holds) => we_lose_power(plan, cause, (at + holds, back), true),
        None => we_lose_power(plan, cause, (at, back), false),
    }
}

fn our_link_off(plan: &mut Plan, times: Times) {
    let cause = plan.cause(CauseKind::OurLink);
    plan.our_link_gone(cause, times, &NO_CARRIER);
}

/// Our machine is off, and boots; in order when a UPS said so.
fn we_lose_power(plan: &mut Plan, cause: usize, (off, back): Times, in_order: bool) {
    let boots = back + plan.layout.ours.boots_in;
    plan.out(Part::OurMachine, (off, boots));
    here_restarts(plan, cause, (off, boots));
    if off >= plan.end {
        return;
    }
    let away = std::time::Duration::from_millis(boots - off);
    let clock_off_ms = clock_after(plan, off, boots, in_order);
    let fate = match in_order {
        true => Fate::ShutDown { away, clock_off_ms },
        false => Fate::PowerCut { away, clock_off_ms },
    };
    plan.deed(off, Deed::Ours(fate));
}

/// What is on our own machine goes and comes with it.
pub(super) fn here_restarts(plan: &mut Plan, cause: usize, times: Times) {
    for host in 0..plan.layout.hosts.len() {
        if plan.layout.hosts[host].kind == HostKind::Ourselves {
            plan.restart(cause, host, times, crate::house::plan::by_itself);
        }
    }
}

/// What our clock shows after a boot, beside the truth.
pub(super) fn clock_after(plan: &Plan, off: Ms, boots: Ms, in_order: bool) -> i64 {
    let began = plan.layout.calendar.began;
    let saved = match in_order {
        true => off as i64,
        false => ((began + off as i64) / HOUR as i64) * HOUR as i64 - began,
    };
    match plan.layout.ours.clock {
        OurClock::Right => 0,
        OurClock::Saved => saved - boots as i64,
        OurClock::In1970 => -(began + boots as i64),
    }
}

/// A brown-out: some start anew, some do not notice. How long it takes.
fn sags(plan: &mut Plan, chance: &mut Chance, at: Ms) -> Ms {
    let layout = plan.layout;
    let cause = plan.cause(CauseKind::BrownOut);
    for (host, known) in layout.hosts.iter().enumerate() {
        if known.supply == Supply::Mains && chance.happens(0.3) {
            starts(plan, chance, cause, host, (at, at + SECOND + known.boots_in));
        }
    }
    let router_feels = chance.happens(0.2) && !layout.router.on_ups;
    if router_feels {
        plan.router_gone(cause, (at, at + layout.router.boots_in));
    }
    for (number, segment) in layout.segments.iter().enumerate() {
        let times = (at, at + segment.boots_in);
        let feels = chance.happens(0.2) && !segment.on_ups;
        match number {
            0 if layout.router.is_ours && router_feels => our_link_off(plan, times),
            0 if layout.router.is_ours => {}
            0 if feels => our_link_off(plan, times),
            _ if feels => plan.segment_gone(cause, number, times),
            _ => {}
        }
    }
    if layout.ours.ups.is_none() && chance.happens(0.2) {
        we_lose_power(plan, cause, (at, at + SECOND), false);
    }
    SECOND
}
