//! What befalls a host, and all apps on it.

use crate::chance::{Chance, DAY, HOUR, MINUTE, SECOND};
use crate::deed::Deed;
use crate::house::conditions::{Effect, Stage};
use crate::house::layout::HostKind;
use crate::house::plan::{Plan, by_itself};
use crate::house::quiet;
use crate::house::rates::Rate;
use crate::house::spans::EVER;
use crate::story::{AppId, CauseKind, Ms};

pub(super) fn befall(plan: &mut Plan) {
    for host in 0..plan.layout.hosts.len() {
        let known = &plan.layout.hosts[host];
        if known.has_disks {
            spins_up(plan, host);
        }
        if known.kind == HostKind::Portable {
            leaves(plan, host);
        }
        if let Some(night) = known.night {
            is_off_at_night(plan, host, night);
        }
        if known.kind != HostKind::Ourselves {
            hangs_or_starts(plan, host);
            loses(plan, host);
        }
    }
}

fn hangs_or_starts(plan: &mut Plan, host: usize) {
    let mut well_from = 0;
    for (at, what) in plan.times_of(&[Rate::HostHang, Rate::HostReboot], host) {
        if at < well_from {
            continue;
        }
        let chance = &mut plan.chance("host", at, host);
        let boots_in = plan.layout.hosts[host].boots_in;
        let (cause, off) = match what {
            Rate::HostHang => hangs(plan, chance, host, at),
            _ => (plan.cause(CauseKind::HostReboot), at),
        };
        if what == Rate::HostReboot {
            say_before(plan, host, off);
        }
        let on = off + chance.between(2..=10) * SECOND + boots_in;
        starts(plan, chance, cause, host, (off, on));
        well_from = on;
    }
}

/// Somebody has its apps say that nobody is to be told of them for a while.
fn say_before(plan: &mut Plan, host: usize, off: Ms) {
    let chance = &mut plan.chance("announced", off, host);
    let Some((before, lasts)) = quiet::announced(chance, plan.rates.of(Rate::Announced)) else {
        return;
    };
    for app in plan.layout.apps_of(host) {
        plan.deed(off.saturating_sub(before), Deed::Quiet { app: AppId(app), lasts });
    }
}

/// Nothing answers until a watchdog or a person starts it anew.
fn hangs(plan: &mut Plan, chance: &mut Chance, host: usize, at: Ms) -> (usize, Ms) {
    let cause = plan.cause(CauseKind::HostHang);
    let off = match chance.happens(0.3) {
        true => at + chance.between(15..=300) * SECOND,
        false => plan.layout.calendar.helped(at, chance.lasting(10 * MINUTE..=DAY)),
    };
    // Its kernel may live on and take connections.
    let effect = chance.pick(&[Effect::Silent, Effect::NoRoute(3 * SECOND), Effect::Hangs]).clone();
    plan.host_gone(cause, host, Stage::Host, (at, off), &effect);
    (cause, off)
}

/// A start after which some apps need a person, and one in ten of those is beyond help.
pub(super) fn starts(
    plan: &mut Plan,
    chance: &mut Chance,
    cause: usize,
    host: usize,
    (off, on): (Ms, Ms),
) {
    let (layout, share) = (plan.layout, plan.rates.of(Rate::NotBack));
    let mut lost = Vec::new();
    plan.restart(cause, host, (off, on), |app| {
        let takes = chance.lasting(10 * MINUTE..=DAY);
        let is_lost = chance.happens(0.1);
        chance.happens(share).then(|| match is_lost {
            true => {
                lost.push(app);
                EVER
            }
            false => layout.calendar.helped(on, takes),
        })
    });
    for app in lost {
        // Until somebody takes it out.
        let taken_out = layout.calendar.helped(on, chance.lasting(HOUR..=20 * DAY));
        plan.lost[app] = plan.lost[app].min(on);
        plan.deed(taken_out, Deed::Stop(AppId(app)));
    }
}

fn spins_up(plan: &mut Plan, host: usize) {
    let layout = plan.layout;
    for at in plan.times(Rate::SpinUp, host) {
        let cause = plan.cause(CauseKind::SpinUp);
        let until = at + plan.chance("spin up", at, host).between(4..=15) * SECOND;
        for app in layout.apps_of(host) {
            // Whoever asks is answered when they turn.
            plan.act(cause, app, Stage::Answer, (at, until), Effect::Hangs);
        }
    }
}

fn loses(plan: &mut Plan, host: usize) {
    let mut well_from = 0;
    let layout = plan.layout;
    for at in plan.times(Rate::Loss, host) {
        if at < well_from {
            continue;
        }
        well_from = at + plan.chance("loss", at, host).lasting(10 * MINUTE..=DAY);
        let cause = plan.cause(CauseKind::LossyLink);
        for app in layout.apps_of(host) {
            plan.act(cause, app, Stage::Network, (at, well_from), Effect::Loses(33));
        }
    }
}

fn leaves(plan: &mut Plan, host: usize) {
    let layout = plan.layout;
    let mut back = 0;
    for at in plan.times(Rate::LeftHouse, host) {
        if at < back {
            continue;
        }
        let chance = &mut plan.chance("leaves", at, host);
        let leaves = layout.calendar.helped(at, 0);
        back = layout.calendar.helped(
            leaves,
            match layout.calendar.is_weekday(leaves) {
                true => chance.lasting(20 * MINUTE..=10 * HOUR),
                false => chance.lasting(20 * MINUTE..=3 * DAY),
            },
        );
        let cause = plan.cause(CauseKind::LeftHouse);
        let effect = Effect::NoRoute(3 * SECOND);
        plan.host_gone(cause, host, Stage::Host, (leaves, back), &effect);
        for app in layout.apps_of(host) {
            plan.listens(app, back + chance.between(5..=60) * SECOND);
        }
    }
}

fn is_off_at_night(plan: &mut Plan, host: usize, (evening, morning): (u64, u64)) {
    let layout = plan.layout;
    for at in layout.calendar.every(evening, plan.end) {
        let chance = &mut plan.chance("night", at, host);
        let off = at + chance.between(0..=40) * MINUTE;
        let on = layout.calendar.next(off, morning) + chance.between(0..=30) * MINUTE;
        let cause = plan.cause(CauseKind::NightlyOff);
        plan.restart(cause, host, (off, on + layout.hosts[host].boots_in), by_itself);
    }
}
