//! Hosts get other addresses. Names follow; who registered an address has to do it again.

use crate::chance::{HOUR, MINUTE, SECOND};
use crate::house::conditions::Effect;
use crate::house::layout::Place;
use crate::house::plan::{By, Move, Plan};
use crate::house::rates::Rate;
use crate::story::{AppId, CauseKind, Ms};

pub(super) fn befall(plan: &mut Plan) {
    for host in 0..plan.layout.hosts.len() {
        if is_fixed(plan, host) {
            continue;
        }
        for at in plan.times(Rate::Moved, host) {
            let cause = plan.cause(CauseKind::MovedAddress);
            moves(plan, cause, host, at);
        }
    }
    for at in plan.times(Rate::Renumbered, 0) {
        let cause = plan.cause(CauseKind::Renumbered);
        for host in 0..plan.layout.hosts.len() {
            if !is_fixed(plan, host) {
                moves(plan, cause, host, at);
            }
        }
    }
}

fn is_fixed(plan: &Plan, host: usize) -> bool {
    let known = &plan.layout.hosts[host];
    known.name.is_some() || !matches!(known.place, Place::Segment(_))
}

fn moves(plan: &mut Plan, cause: usize, host: usize, at: Ms) {
    let chance = &mut plan.chance("moves", at, host);
    // Nobody is there now; or another device, which has no such port, or no such page.
    let left = match chance.share() {
        share if share < 0.7 => Effect::NoRoute(3 * SECOND),
        share if share < 0.9 => Effect::Refused,
        _ => Effect::Fails,
    };
    plan.moves[host].push(Move { at, cause, left });
    let layout = plan.layout;
    for app in layout.apps_of(host).filter(|app| layout.apps[*app].arrives < at) {
        let (then, by) = match layout.apps[app].registers {
            true => (at + chance.lasting(10 * SECOND..=30 * MINUTE), By::App),
            false => (layout.calendar.helped(at, chance.lasting(HOUR..=48 * HOUR)), By::Person),
        };
        plan.registers.push((then, AppId(app), by));
    }
}
