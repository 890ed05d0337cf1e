//! Crash loops: an app that registers three times within ten minutes, and fails in between, is not well, whatever
//! passes. That shows by its registrations, and no check need.

use super::allowance::CRASHES_WITHIN;
use super::checks::Weight;
use super::clock::SLACK;
use crate::story::{App, Ms, Span};
use healthchecker::engine::verdict::answer::Outcome;

/// So many registrations are a loop.
const STARTS: usize = 3;

/// The registrations of one app that show that it is in one.
#[derive(Debug, Default)]
pub(super) struct Loops {
    /// Nothing excuses the daemon from seeing these.
    pub(super) certain: Vec<Ms>,
    /// All that could be one.
    possible: Vec<Ms>,
}

/// What counts as a failure between two registrations.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Strictly {
    Certain,
    Possible,
}

impl Loops {
    /// Of an app whose checks weigh so; `is_blind`: nobody could, or should, say how it is then.
    pub(super) fn of(
        app: &App,
        weights: &[Weight],
        runs: &[Span],
        is_blind: impl Fn(Ms) -> bool,
    ) -> Loops {
        let mut certain = loops(app, weights, Some(runs), Strictly::Certain);
        certain.retain(|at| !is_blind(*at));
        Loops { certain, possible: loops(app, weights, None, Strictly::Possible) }
    }

    /// Whether its registrations show one still: the last that do lie within the time that makes one.
    pub(super) fn goes_on(&self, app: &App, at: Ms) -> bool {
        recent(&self.certain, at) > 0 && recent(&app.calls, at) >= STARTS
    }

    /// The same, as far as it may be: what is told when a quiet time ends.
    pub(super) fn may_go_on(&self, app: &App, at: Ms) -> bool {
        recent(&self.possible, at) > 0 && recent(&app.calls, at) >= STARTS
    }

    /// The registration of about that time, if it shows one.
    pub(super) fn near(&self, at: Ms) -> Option<Ms> {
        let near = self.possible.partition_point(|it| *it + SLACK < at);
        self.possible.get(near).copied().filter(|it| *it <= at + SLACK)
    }
}

/// How many of these are within the time that makes a loop.
fn recent(all: &[Ms], at: Ms) -> usize {
    let since = at.saturating_sub(CRASHES_WITHIN);
    all.iter().filter(|it| since < **it && **it <= at).count()
}

/// Walks through registrations and failed checks, as the daemon does: what it knows of them ends with its run.
fn loops(app: &App, weights: &[Weight], runs: Option<&[Span]>, how: Strictly) -> Vec<Ms> {
    let fails = |weight: &Weight| match how {
        Strictly::Certain => matches!(weight, Weight::Counts | Weight::Perhaps),
        Strictly::Possible => *weight != Weight::No,
    };
    let checks = app.checks.iter().zip(weights);
    let failed = checks.filter(|(it, weight)| it.outcome == Some(Outcome::Fail) && fails(weight));
    let mut failed = failed.map(|(check, _)| check.ended).peekable();
    // Another address, or a stop, is another beginning, as a start of the daemon is.
    let starts_of_runs = runs.into_iter().flatten().map(|run| run.from);
    let mut beginnings: Vec<Ms> = starts_of_runs.chain(app.resets()).collect();
    beginnings.retain(|_| how == Strictly::Certain);
    beginnings.sort_unstable();
    let begun = |at: Ms| {
        let last = beginnings.partition_point(|it| *it <= at).checked_sub(1);
        last.map_or(0, |last| beginnings[last])
    };
    let (mut starts, mut loops): (Vec<Ms>, Vec<Ms>) = (Vec::new(), Vec::new());
    for call in &app.calls {
        let mut has_failed = false;
        while failed.next_if(|at| at <= call).is_some() {
            has_failed = true;
        }
        if !has_failed {
            starts.pop();
        }
        let first = begun(*call).max(call.saturating_sub(CRASHES_WITHIN));
        starts.retain(|at| *at >= first);
        starts.push(*call);
        let surplus = starts.len().saturating_sub(STARTS);
        starts.drain(..surplus);
        if starts.len() >= STARTS {
            loops.push(*call);
        }
    }
    loops
}
