//! What the checks of an app amount to: which count, and where their rows begin.

use super::allowance::UNSYNCED;
use crate::story::{App, Checked, Ms, Span};
use healthchecker::engine::verdict::answer::Outcome;

/// Whether a check counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Weight {
    Counts,
    /// A refusal that may be forgiven, or its record may have been lost with the power.
    Perhaps,
    /// A failure that is void, as far as the daemon can know why: our link was gone, or the app had its
    /// time to come back.
    Void,
    /// It gave no verdict.
    No,
}

/// The row of checks that did not pass, up to one of them: it may have begun with any that did not
/// pass between these two places.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) earliest: usize,
    pub(super) latest: usize,
}

/// The weight of each check.
pub(super) fn weights(
    app: &App,
    runs: &[Span],
    may_be_void: impl Fn(&Checked) -> bool,
) -> Vec<Weight> {
    // One streak of refusals is forgiven after one call.
    let mut forgiving: Option<Ms> = None;
    let weigh = app.checks.iter().map(|check| {
        if check.outcome.is_none() {
            return Weight::No;
        }
        if check.outcome == Some(Outcome::Fail) && may_be_void(check) {
            return Weight::Void;
        }
        if !check.refused {
            forgiving = None;
            return if may_be_lost(runs, check.ended) { Weight::Perhaps } else { Weight::Counts };
        }
        let is_soon = |call: Ms| {
            let interval = app.registered_at(call).map_or(0, |it| it.interval);
            check.begun <= call + interval
        };
        let called = app.calls.partition_point(|call| *call <= check.ended);
        let call = called.checked_sub(1).map(|last| app.calls[last]).filter(|call| is_soon(*call));
        if forgiving.is_none() {
            forgiving = call;
        }
        let forgiven = forgiving.is_some_and(is_soon);
        if forgiven || may_be_lost(runs, check.ended) { Weight::Perhaps } else { Weight::Counts }
    });
    weigh.collect()
}

/// The daemon ended so soon after that the disk may not have it.
fn may_be_lost(runs: &[Span], at: Ms) -> bool {
    let run = runs.partition_point(|run| run.from <= at).checked_sub(1);
    run.and_then(|run| runs[run].until).is_some_and(|until| until <= at + UNSYNCED)
}

/// The row at each check.
pub(super) fn rows(app: &App, weights: &[Weight]) -> Vec<Row> {
    let resets = app.resets();
    let (mut earliest, mut latest) = (None, None);
    let mut next_reset = 0;
    let rows = app.checks.iter().zip(weights).enumerate().map(|(at, (check, weight))| {
        while resets.get(next_reset).is_some_and(|reset| *reset < check.ended) {
            next_reset += 1;
            (earliest, latest) = (None, None);
        }
        let counts = *weight == Weight::Counts;
        match check.outcome {
            Some(Outcome::Pass) => {
                latest = None;
                if counts {
                    earliest = None;
                }
            }
            Some(_) => {
                earliest.get_or_insert(at);
                if counts {
                    latest.get_or_insert(at);
                }
            }
            None => {}
        }
        Row { earliest: earliest.unwrap_or(at), latest: latest.unwrap_or(at) }
    });
    rows.collect()
}
