//! What befalls the daemon, its machine, its clock, its disk, and the mail server.

use std::time::Duration;

use super::power::{clock_after, here_restarts};
use crate::chance::{Chance, DAY, HOUR, MINUTE, SECOND};
use crate::deed::{Deed, DiskMood, Fate, MailMood};
use crate::house::conditions::{Effect, Stage};
use crate::house::plan::{Part, Plan, Times};
use crate::house::rates::Rate;
use crate::house::watch::Watch;
use crate::story::{CauseKind, Ms};

const FATES: [Rate; 5] =
    [Rate::Killed, Rate::Upgraded, Rate::Rebooted, Rate::Suspended, Rate::StandsStill];

pub(super) fn befall(plan: &mut Plan) {
    let mut back = 0;
    for (at, what) in plan.times_of(&FATES, 0) {
        // Whoever is away already is spared; power cuts are planned before.
        if at >= back && !plan.we_are_off(at) {
            back = fate(plan, what, at);
        }
    }
    clock(plan);
    mail(plan);
    disk(plan);
}

/// When it is over.
fn fate(plan: &mut Plan, what: Rate, at: Ms) -> Ms {
    let chance = &mut plan.chance("fate", at, 0);
    let away = |ms: Ms| Duration::from_millis(ms);
    let lasts = match what {
        Rate::Killed => chance.lasting(100..=MINUTE),
        Rate::Upgraded => chance.lasting(200..=20 * SECOND),
        Rate::Rebooted => 2 * SECOND + plan.layout.ours.boots_in,
        Rate::Suspended => chance.lasting(20 * SECOND..=12 * HOUR),
        _ => chance.lasting(5 * SECOND..=3 * MINUTE),
    };
    let fate = match what {
        Rate::Killed => Fate::Killed { away: away(lasts) },
        Rate::Upgraded => Fate::Restarted { away: away(lasts) },
        Rate::Rebooted => {
            plan.out(Part::OurMachine, (at, at + lasts));
            let cause = plan.cause(CauseKind::HostReboot);
            here_restarts(plan, cause, (at, at + lasts));
            Fate::ShutDown {
                away: away(lasts),
                clock_off_ms: clock_after(plan, at, at + lasts, true),
            }
        }
        Rate::Suspended => Fate::Suspended { away: away(lasts) },
        _ => Fate::StandsStill { away: away(lasts) },
    };
    plan.deed(at, Deed::Ours(fate));
    let back = at + lasts;
    if what != Rate::Killed || !chance.happens(0.2) {
        return back;
    }
    // In the midst of its start.
    let again = back + chance.lasting(1..=5 * SECOND);
    let lasts = chance.lasting(100..=10 * SECOND);
    plan.deed(again, Deed::Ours(Fate::Killed { away: away(lasts) }));
    again + lasts
}

/// Somebody sets the clock wrong, or it does not know of summer time; later it is put right.
fn clock(plan: &mut Plan) {
    let mut right_from = 0;
    for at in plan.times(Rate::ClockJump, 0) {
        if at < right_from {
            continue;
        }
        let chance = &mut plan.chance("clock", at, 0);
        let off = chance.lasting(2 * SECOND..=400 * DAY) as i64;
        let off = if chance.happens(0.5) { off } else { -off };
        right_from = at + chance.lasting(10 * SECOND..=DAY);
        plan.deed(at, Deed::ClockOff(off));
        plan.deed(right_from, Deed::ClockOff(0));
        looks_wrong(plan, (at, right_from));
    }
    if !Chance::of(plan.seed, "clock_hour", 0).happens(plan.rates.of(Rate::ClockHour)) {
        return;
    }
    for at in plan.layout.calendar.changes(plan.end) {
        let chance = &mut plan.chance("summer", at, 0);
        // Its clock runs on in the old local time, and is read as the new one.
        let begins = plan.layout.calendar.hour(at) == 3;
        let off = if begins { -(HOUR as i64) } else { HOUR as i64 };
        plan.deed(at, Deed::ClockOff(off));
        plan.deed(at + chance.lasting(MINUTE..=12 * HOUR), Deed::ClockOff(0));
    }
}

/// By a clock that is wrong, certificates end that do not.
fn looks_wrong(plan: &mut Plan, times: Times) {
    let cause = plan.cause(CauseKind::WrongClock);
    for app in 0..plan.layout.apps.len() {
        if matches!(plan.layout.apps[app].watch, Watch::Tls(_)) {
            plan.act(cause, app, Stage::Answer, times, Effect::WrongClock);
        }
    }
}

fn mail(plan: &mut Plan) {
    const MOODS: [Rate; 5] =
        [Rate::MailAway, Rate::MailGreylists, Rate::MailSlow, Rate::MailLoses, Rate::MailRefuses];
    let mut well_from = 0;
    for (at, what) in plan.times_of(&MOODS, 0) {
        if at < well_from {
            continue;
        }
        let chance = &mut plan.chance("mail", at, 0);
        let (mood, lasts) = match what {
            Rate::MailAway => (MailMood::Away, chance.lasting(10 * SECOND..=DAY)),
            Rate::MailGreylists => (MailMood::Greylists, chance.lasting(HOUR..=10 * DAY)),
            Rate::MailSlow => {
                let takes = Duration::from_millis(chance.lasting(2 * SECOND..=MINUTE));
                (MailMood::Slow(takes), chance.lasting(10 * MINUTE..=DAY))
            }
            Rate::MailLoses => (MailMood::Loses250, chance.lasting(MINUTE..=2 * HOUR)),
            _ => (MailMood::Refuses, chance.lasting(10 * MINUTE..=2 * DAY)),
        };
        well_from = at + lasts;
        plan.deed(at, Deed::Mail(mood));
        plan.deed(well_from, Deed::Mail(MailMood::Accepts));
    }
}

fn disk(plan: &mut Plan) {
    let mut well_from = 0;
    for (at, what) in plan.times_of(&[Rate::DiskFull, Rate::DiskFails], 0) {
        if at < well_from {
            continue;
        }
        let chance = &mut plan.chance("disk", at, 0);
        let (mood, lasts) = match what {
            Rate::DiskFull => (DiskMood::Full, chance.lasting(MINUTE..=2 * DAY)),
            _ => (DiskMood::Fails(chance.between(1..=90) as u8), chance.lasting(MINUTE..=6 * HOUR)),
        };
        well_from = at + lasts;
        plan.deed(at, Deed::Disk(mood));
        plan.deed(well_from, Deed::Disk(DiskMood::Works));
    }
}
