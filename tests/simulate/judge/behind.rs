//! What many apps are behind: the router, and the line to the internet. Who falls silent while one of them
//! is away is hidden.

use super::allowance::{ROUTER_AWAITED, SEEN_BACK, Wait};
use crate::story::{App, Checked, Ms, Span, Story, is_outside};
use healthchecker::engine::verdict::answer::Outcome;

/// When they were away.
pub(super) struct Behind {
    pub(super) router: Vec<Span>,
    /// Without the router there is no line either.
    pub(super) line: Vec<Span>,
}

impl Behind {
    pub(super) fn of(story: &Story) -> Behind {
        // Of one that never answers nobody knows.
        let known = story.router_away.iter().filter(|span| span.from > 0);
        Behind { router: known.copied().collect(), line: story.line_away.clone() }
    }

    /// The times for which the silence of an app may be hidden by them: as long as the line is away; by
    /// the router for no longer than people wait for that.
    pub(super) fn hides(&self, app: &App) -> Vec<Wait> {
        let mut hidden = Vec::new();
        if app.reports() {
            return hidden;
        }
        for span in self.line.iter().filter(|_| app.is_outside()) {
            let (from, until) = (span.from, span.end().saturating_add(SEEN_BACK));
            if silences(app, *span).next().is_some() {
                hidden.push(Wait::blind(Span { from, until: Some(until) }));
            }
        }
        for span in &self.router {
            hidden.extend(waits_for_the_router(app, *span));
        }
        hidden
    }
}

/// Each row of silences, as long as the app waits for the router.
fn waits_for_the_router(app: &App, span: Span) -> Vec<Wait> {
    let mut waits = Vec::new();
    let mut row: Vec<Ms> = Vec::new();
    let mut close = |row: &mut Vec<Ms>, end: Ms| {
        let Some(from) = row.first().copied() else { return };
        let up = from + ROUTER_AWAITED;
        let failed = row.iter().filter(|at| **at <= up).count();
        let until = Some(up.min(end));
        let is_told_then = up <= end && failed >= 2;
        waits.push(Wait { span: Span { from, until }, is_told_then });
        row.clear();
    };
    let end = span.end().saturating_add(SEEN_BACK);
    for check in within(app, Span { until: Some(end), ..span }) {
        match check.outcome {
            None => {}
            Some(Outcome::Fail) if check.silent => row.push(check.ended),
            Some(_) => close(&mut row, check.ended),
        }
    }
    close(&mut row, end);
    waits
}

fn within(app: &App, span: Span) -> &[Checked] {
    let first = app.checks.partition_point(|check| check.ended < span.from);
    let last = app.checks.partition_point(|check| check.ended <= span.end());
    &app.checks[first..last.max(first)]
}

/// When an app did not answer.
pub(super) fn silences(app: &App, span: Span) -> impl Iterator<Item = Ms> + '_ {
    let silent = |check: &&Checked| check.silent && check.outcome == Some(Outcome::Fail);
    within(app, span).iter().filter(silent).map(|check| check.ended)
}

impl App {
    /// It is, or was, asked on the internet.
    pub(super) fn is_outside(&self) -> bool {
        self.registrations.iter().any(|it| is_outside(&it.url))
    }
}
