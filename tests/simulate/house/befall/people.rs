//! What people do: they bring devices in, pause them, take them out, want them watched otherwise.

use crate::chance::{DAY, HOUR, MINUTE, SECOND};
use crate::deed::Deed;
use crate::house::apps;
use crate::house::plan::{By, Plan};
use crate::house::rates::Rate;
use crate::story::AppId;

pub(super) fn befall(plan: &mut Plan) {
    for app in 0..plan.layout.apps.len() {
        let known = &plan.layout.apps[app];
        let by = if known.registers { By::App } else { By::Person };
        plan.registers.push((known.arrives, AppId(app), by));
        act_on(plan, app);
    }
}

/// What a person does with one app, one thing after the other.
fn act_on(plan: &mut Plan, app: usize) {
    let layout = plan.layout;
    let mut free_from = layout.apps[app].arrives + MINUTE;
    for (at, what) in plan.times_of(&[Rate::Pause, Rate::Stop, Rate::Change], app) {
        let chance = &mut plan.chance("person", at, app);
        let at = layout.calendar.helped(at, 0);
        if at < free_from {
            continue;
        }
        free_from = match what {
            Rate::Pause => {
                let until = layout.calendar.helped(at, chance.lasting(2 * MINUTE..=3 * DAY));
                plan.deed(at, Deed::Pause(AppId(app)));
                plan.deed(until, Deed::Resume(AppId(app)));
                until
            }
            Rate::Stop => {
                plan.deed(at, Deed::Stop(AppId(app)));
                let back = layout.calendar.helped(at, chance.lasting(HOUR..=20 * DAY));
                if chance.happens(0.8) {
                    plan.registers.push((back, AppId(app), By::Person));
                }
                back
            }
            _ => {
                let mut settings = apps::settings(chance, plan.size, layout.people.len());
                settings.timeout = layout.apps[app].settings.timeout;
                plan.settings[app].push((at, settings));
                plan.registers.push((at, AppId(app), By::Person));
                at + MINUTE
            }
        } + SECOND;
    }
}
