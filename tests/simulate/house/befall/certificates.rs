//! Certificates that are renewed a month before their end, or by somebody, when that is near or over.

use crate::chance::DAY;
use crate::house::conditions::{Effect, Stage};
use crate::house::plan::{Certified, Plan};
use crate::house::rates::Rate;
use crate::house::watch::{Certificates, Watch};
use crate::story::{CauseKind, Ms};

/// So long before its end a certificate is renewed that is by itself.
const RENEWED_BEFORE: Ms = 30 * DAY;
/// So long before, people are told once, on the page; and so long before, by mail.
const SAID_BEFORE: Ms = 14 * DAY;
const TOLD_BEFORE: Ms = 3 * DAY;
/// Who has to do it does so from then on,
const BY_HAND_BEFORE: Ms = 13 * DAY;
/// within so long.
const BY_HAND_WITHIN: Ms = 15 * DAY;

pub(super) fn befall(plan: &mut Plan) {
    for app in 0..plan.layout.apps.len() {
        if let Watch::Tls(certificates) = plan.layout.apps[app].watch {
            renews(plan, app, certificates);
        }
    }
}

fn renews(plan: &mut Plan, app: usize, Certificates { lasts, left }: Certificates) {
    let mut ends = left;
    let mut begins = left as i64 - lasts as i64;
    loop {
        let chance = &mut plan.chance("certificate", ends, app);
        let by_hand = chance.between(0..=BY_HAND_WITHIN);
        let is_by_hand = chance.happens(plan.rates.of(Rate::NotRenewed));
        let renewed = match is_by_hand {
            true => plan.layout.calendar.helped(ends.saturating_sub(BY_HAND_BEFORE), by_hand),
            false => ends.saturating_sub(RENEWED_BEFORE),
        };
        let [is_said, is_told] = [SAID_BEFORE, TOLD_BEFORE].map(|it| ends.saturating_sub(it));
        let mut cause = |from: Ms, until: Ms| {
            let cause = plan.cause(CauseKind::CertificateEnds);
            plan.act(cause, app, Stage::Answer, (from, until), Effect::Ends);
            cause
        };
        let (said, told) = (cause(is_said, is_told.min(renewed)), cause(is_told, renewed));
        let valid = (begins, ends as i64);
        plan.certificates[app].push(Certified { until: renewed, valid, said, told });
        if renewed >= plan.end {
            return;
        }
        (begins, ends) = (renewed as i64, renewed + lasts);
    }
}
