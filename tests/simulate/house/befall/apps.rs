//! What befalls one app.

use crate::chance::{Chance, HOUR, MINUTE, SECOND};
use crate::deed::Deed;
use crate::house::conditions::{Effect, Stage};
use crate::house::plan::{Plan, Times};
use crate::house::rates::Rate;
use crate::story::{AppId, CauseKind, Ms};

/// What an app has one of at a time.
const ENDS: [Rate; 5] = [Rate::Crash, Rate::Hang, Rate::Flap, Rate::CrashLoop, Rate::Deploy];

pub(super) fn befall(plan: &mut Plan) {
    for app in 0..plan.layout.apps.len() {
        let mut well_from = 0;
        for (at, what) in plan.times_of(&ENDS, app) {
            if at < well_from {
                continue;
            }
            let chance = &mut plan.chance("app", at, app);
            well_from = match what {
                Rate::Crash => crashes(plan, chance, app, at),
                Rate::Hang => hangs(plan, chance, app, at),
                Rate::Flap => flaps(plan, chance, app, at),
                Rate::CrashLoop => crash_loops(plan, chance, app, at),
                _ => is_deployed(plan, chance, app, at),
            };
        }
        // What is reported badly is reported once in a while.
        if plan.layout.apps[app].reports().is_none() {
            answers_badly(plan, app);
        }
    }
}

fn crashes(plan: &mut Plan, chance: &mut Chance, app: usize, at: Ms) -> Ms {
    let back = match plan.layout.apps[app].is_supervised {
        true => at + chance.lasting(5 * SECOND..=MINUTE),
        false => plan.layout.calendar.helped(at, chance.lasting(10 * MINUTE..=12 * HOUR)),
    };
    let cause = plan.cause(CauseKind::Crash);
    plan.app_down(cause, app, (at, back));
    back
}

fn hangs(plan: &mut Plan, chance: &mut Chance, app: usize, at: Ms) -> Ms {
    let cause = plan.cause(CauseKind::Hang);
    if chance.happens(0.4) {
        let until = at + chance.lasting(5 * SECOND..=HOUR);
        plan.act(cause, app, Stage::App, (at, until), Effect::Hangs);
        return until;
    }
    let helped = plan.layout.calendar.helped(at, chance.lasting(10 * MINUTE..=12 * HOUR));
    plan.act(cause, app, Stage::App, (at, helped), Effect::Hangs);
    let back = helped + plan.layout.apps[app].starts_in;
    plan.app_down(cause, app, (helped, back));
    back
}

fn flaps(plan: &mut Plan, chance: &mut Chance, app: usize, at: Ms) -> Ms {
    let cause = plan.cause(CauseKind::Flapping);
    let end = at + chance.lasting(20 * MINUTE..=6 * HOUR);
    let effect = chance.pick(&[Effect::Refused, Effect::Hangs, Effect::Fails]).clone();
    let mut now = at;
    while now < end {
        let well = now + chance.lasting(10 * SECOND..=10 * MINUTE);
        plan.act(cause, app, Stage::App, (now, well), effect.clone());
        now = well + chance.lasting(10 * SECOND..=10 * MINUTE);
    }
    now
}

fn crash_loops(plan: &mut Plan, chance: &mut Chance, app: usize, at: Ms) -> Ms {
    let cause = plan.cause(CauseKind::CrashLoop);
    let end = plan.layout.calendar.helped(at, chance.lasting(10 * MINUTE..=6 * HOUR));
    let mut now = at;
    while now < end {
        let back = now + chance.lasting(5 * SECOND..=2 * MINUTE);
        plan.app_down(cause, app, (now, back));
        now = back + chance.lasting(10 * SECOND..=90 * SECOND);
    }
    now
}

fn is_deployed(plan: &mut Plan, chance: &mut Chance, app: usize, at: Ms) -> Ms {
    let mut now = at;
    for _ in 0..if chance.happens(0.1) { 5 } else { 1 } {
        let cause = plan.cause(CauseKind::Deployment);
        if plan.layout.apps[app].stops && now < plan.end {
            plan.deed(now, Deed::Stop(AppId(app)));
        }
        let back = now + chance.lasting(5 * SECOND..=90 * SECOND);
        plan.app_down(cause, app, (now, back));
        now = back + chance.lasting(MINUTE..=10 * MINUTE);
    }
    now
}

/// What may come on top of all else.
fn answers_badly(plan: &mut Plan, app: usize) {
    let timeout = plan.layout.apps[app].timeout();
    for (rate, kind, effect) in [
        (Rate::Slow, CauseKind::Slow, Effect::Slow(timeout / 2..=timeout * 3)),
        (Rate::Fail, CauseKind::SaysFail, Effect::Fails),
        (Rate::Warn, CauseKind::SaysWarn, Effect::Warns),
    ] {
        let mut well_from = 0;
        for at in plan.times(rate, app) {
            if at < well_from {
                continue;
            }
            let lasts = plan.chance("answer", at, app).lasting(30 * SECOND..=8 * HOUR);
            let times: Times = (at, at + lasts);
            let cause = plan.cause(kind);
            plan.act(cause, app, Stage::Answer, times, effect.clone());
            well_from = times.1;
        }
    }
}
