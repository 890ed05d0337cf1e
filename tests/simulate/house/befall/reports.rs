//! What befalls those that report by themselves.

use crate::chance::MINUTE;
use crate::house::conditions::{Effect, Stage};
use crate::house::plan::Plan;
use crate::house::rates::Rate;
use crate::house::watch::Reports;
use crate::story::CauseKind;

pub(super) fn befall(plan: &mut Plan) {
    for app in 0..plan.layout.apps.len() {
        if let Some(reports) = plan.layout.apps[app].reports() {
            act_on(plan, app, reports);
        }
    }
}

/// What is done, and how, once to three times in a row.
fn act_on(plan: &mut Plan, app: usize, reports: Reports) {
    one_after_the_other(plan, app, reports, &[Rate::ReportMissing, Rate::ReportLate]);
    one_after_the_other(plan, app, reports, &[Rate::Fail]);
    one_after_the_other(plan, app, reports, &[Rate::Warn]);
}

fn one_after_the_other(plan: &mut Plan, app: usize, reports: Reports, rates: &[Rate]) {
    let interval = reports.interval();
    let mut well_from = 0;
    for (at, what) in plan.times_of(rates, app) {
        if at < well_from {
            continue;
        }
        let chance = &mut plan.chance("reports", at, app);
        let lasts = chance.lasting(interval..=3 * interval);
        let later = chance.lasting(MINUTE..=2 * interval);
        let (kind, effect, lasts) = match what {
            Rate::ReportMissing => (CauseKind::NoReport, Effect::NotDone, lasts),
            Rate::ReportLate => (CauseKind::LateReport, Effect::DoneLater(later), interval),
            Rate::Fail => (CauseKind::SaysFail, Effect::Fails, lasts),
            _ => (CauseKind::SaysWarn, Effect::Warns, lasts),
        };
        let cause = plan.cause(kind);
        plan.act(cause, app, Stage::Answer, (at, at + lasts), effect);
        well_from = at + lasts;
    }
}
