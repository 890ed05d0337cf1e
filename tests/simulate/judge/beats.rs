//! Those who report by themselves: by when a silence must be found, and is found too soon.
//!
//! A report is to come within the interval and the grace of the one before. A deadline that falls into a time in which
//! it could not be heard, or in which things settle, moves to the grace after that, a minute at least. What reports
//! often says nothing again that found nobody: it has its whole time then.

use super::allowance::{Company, Wait, told_within};
use super::case::Case;
use super::chronicle::time;
use super::clock::SLACK;
use super::finding::{Fault, Finding};
use super::life::Life;
use super::settling::Kind;
use crate::story::{
    Absence, App, AppId, Away, CauseId, Checked, Ms, Registered, Span, Story, Unheard,
};
use healthchecker::engine::verdict::answer::Outcome;

/// After a time in which nobody could report, each has so long at least.
const RESPITE: Ms = 60_000;
/// Whoever reports so often says again soon what found nobody. Of others nobody would know for long.
const OFTEN: Ms = 6 * 3_600_000;

impl App {
    /// Whether it reports by itself.
    pub(super) fn reports(&self) -> bool {
        self.registrations.iter().any(|it| it.grace.is_some())
    }

    /// Since when it is awaited that is found to be silent then: it was heard, or registered, or resumed.
    fn awaited_since(&self, at: Ms) -> Ms {
        let heard = self.heard.partition_point(|it| *it < at).checked_sub(1);
        let heard = heard.map(|last| self.heard[last]);
        let resets = self.resets().into_iter().filter(|it| *it < at);
        let first = self.registrations.first().map(|it| it.span.from);
        resets.chain(heard).chain(first).max().unwrap_or_default()
    }

    /// What it was to report between two times, and we did not hear.
    fn unheard_between(&self, since: Ms, until: Ms) -> impl Iterator<Item = &Unheard> {
        let first = self.unheard.partition_point(|it| it.at <= since);
        self.unheard[first..].iter().take_while(move |it| it.at <= until)
    }
}

/// A standstill that lasts so long is known to have been one of more than 10 s: something was to be done by then.
const STANDSTILL_SHOWS: Ms = 60_000;

/// How often an app reports.
#[derive(Clone, Copy)]
struct Rhythm {
    interval: Ms,
    grace: Ms,
}

impl Rhythm {
    fn of(registered: &Registered) -> Option<Rhythm> {
        Some(Rhythm { interval: registered.interval, grace: registered.grace? })
    }

    fn is_often(self) -> bool {
        self.interval <= OFTEN
    }

    /// What it has after a time in which nobody could report.
    fn respite(self) -> Ms {
        let least = self.grace.max(RESPITE);
        if self.is_often() { self.interval + least } else { least }
    }

    /// When so many reports of an app that is awaited `since` then must have been missed.
    fn due(self, since: Ms, reports: u32, waits: &[Wait]) -> Ms {
        let mut due = since + self.grace;
        for _ in 0..reports {
            due += self.interval;
            for span in waits.iter().map(|it| it.span).filter(|it| it.end() > since) {
                if span.from >= due {
                    break;
                }
                due = due.max(span.end().saturating_add(self.respite()));
            }
        }
        due
    }
}

/// When a trouble began that a row of reports shows, and when people must have been written to. The row's first is
/// `first`, the cause of all of it `cause`.
pub(super) fn begins(
    life: &Life<'_>,
    registered: &Registered,
    (first, cause): (&Checked, CauseId),
    company: Company,
) -> Option<(Ms, Ms)> {
    let rhythm = Rhythm::of(registered)?;
    if !first.silent {
        // One warning is none.
        let warns = first.outcome == Some(Outcome::Warn);
        let needed = registered.unhealthy.max(if warns { 2 } else { 1 });
        let later = rhythm.interval * u64::from(needed.saturating_sub(1));
        let due = first.ended + later + if later > 0 { rhythm.grace } else { 0 };
        return Some((first.ended, due + told_within(company)));
    }
    let since = life.app.awaited_since(first.ended);
    let mut missed = life.app.unheard_between(since, first.ended);
    let begun = missed.find(|it| it.causes.contains(&cause)).map_or(first.ended, |it| it.at);
    let due = rhythm.due(since, registered.unhealthy, &life.waits).max(begun);
    let due = due + life.lost_time(since, due);
    Some((begun, due + told_within(company)))
}

/// Why an app was said to be unwell that reports by itself, and was: the row of its reports goes from one place to
/// another. `Err`: it was not, for that was only ours, or nothing.
pub(super) fn was_unwell(
    case: &Case<'_>,
    life: &Life<'_>,
    (first, last): (usize, usize),
) -> Result<(), Option<CauseId>> {
    let row = || life.app.checks[first..=last].iter().filter(|it| is_ill(it));
    let mut causes = row().flat_map(|it| &it.causes).copied();
    let is_ours = |cause: &CauseId| case.story.causes[cause.0].kind.is_ours();
    let found = row().next();
    let too_soon = found.is_some_and(|it| it.silent && is_too_soon(life, it));
    if !too_soon && causes.clone().any(|it| !is_ours(&it)) {
        return Ok(());
    }
    let registered = found.and_then(|it| life.app.registered_at(it.ended));
    let is_often = registered.and_then(Rhythm::of).is_none_or(Rhythm::is_often);
    let is_known = found.is_some_and(|it| could_be_known(case, life, it));
    // What found nobody, and is not said again for long, may as well not have been done; and nobody knows of an
    // outage that no check met.
    let may_be_told = !too_soon && (!is_often || !is_known);
    match causes.next() {
        Some(_) if may_be_told => Ok(()),
        cause => Err(cause),
    }
}

/// Before its time is over, or without the time that it has after we were away.
fn is_too_soon(life: &Life<'_>, found: &Checked) -> bool {
    let registered = life.app.registered_at(found.ended);
    let Some(rhythm) = registered.and_then(Rhythm::of) else { return true };
    let due = life.app.awaited_since(found.ended) + rhythm.interval + rhythm.grace;
    let late = life.away.iter().filter(|it| it.holds(due));
    let moved = late.map(|it| it.end() + rhythm.grace.max(RESPITE));
    // It is on record in whole seconds, or by a clock that is read twice.
    found.ended + SLACK < moved.fold(due, Ms::max)
}

/// Whether a report was to come while it was known that none could. Of a standstill only what came after something was
/// to be done shows.
fn could_be_known(case: &Case<'_>, life: &Life<'_>, found: &Checked) -> bool {
    let since = life.app.awaited_since(found.ended);
    let cut_off = case.interruptions.iter().filter(|it| it.kind == Kind::CutOff);
    let cut_off = cut_off.map(|it| Span { from: it.span.from, until: Some(it.back) });
    let shows = |it: &&Absence| {
        it.how != Away::StoodStill || it.span.end() - it.span.from >= STANDSTILL_SHOWS
    };
    let away = case.story.absences.iter().filter(shows).map(|it| it.span);
    let known: Vec<Span> = cut_off.chain(away).collect();
    let mut missed = life.app.unheard_between(since, found.ended);
    missed.any(|it| known.iter().any(|span| span.from <= it.at && it.at <= span.end()))
}

/// After which of our boots our clock was behind, and by how much.
pub(super) fn clock_behind(story: &Story) -> Vec<(Ms, Ms)> {
    let boots = story.absences.iter().filter(|it| it.how == Away::Booted).map(|it| it.span.end());
    let behind = |boot: Ms| {
        let last = story.clock.partition_point(|set| set.from <= boot).checked_sub(1)?;
        let set = story.clock[last];
        Some((boot, Ms::try_from(set.right - set.shows).ok()?))
    };
    boots.filter_map(behind).collect()
}

impl Life<'_> {
    /// By how much less a report that is on record seems to be ago, after the boots between two times: our clock was
    /// behind, and nobody knew.
    fn lost_time(&self, since: Ms, until: Ms) -> Ms {
        let behind = self.clock_behind.iter().filter(|(boot, _)| since < *boot && *boot < until);
        behind.map(|(_, by)| by).sum()
    }
}

fn is_ill(check: &Checked) -> bool {
    !matches!(check.outcome, None | Some(Outcome::Pass))
}

/// Reports that did not come, long enough to be seen, and nobody saw it.
pub(super) fn not_missed(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let reports = case.lives.iter().enumerate().filter(|(_, life)| life.app.reports());
    for (app, life) in reports {
        let mut seen_until = 0;
        for unheard in &life.app.unheard {
            let since = life.app.awaited_since(unheard.at + 1);
            let registered = life.app.registered_at(unheard.at).filter(|it| !it.may_be_off);
            let Some(rhythm) = registered.and_then(Rhythm::of) else { continue };
            let Some(cause) = by_others(case.story, unheard).filter(|_| since >= seen_until) else {
                continue;
            };
            let due = rhythm.due(since, 1, &life.waits).max(unheard.at);
            let due = due + life.lost_time(since, due);
            let next = life.app.heard.get(life.app.heard.partition_point(|it| *it <= since));
            let stop = life.next_stop(since).unwrap_or(Ms::MAX);
            let end = next.copied().unwrap_or(Ms::MAX).min(stop).min(case.story.length);
            let found = life.ill_after(since + 1).is_some_and(|it| it.ended <= due);
            if end > due && !found {
                let kind = case.story.causes[cause.0].kind;
                let name = case.name(AppId(app));
                let what = format!(
                    "{name} reported nothing since {} ({kind:?}), and nobody saw it by {}",
                    time(since),
                    time(due)
                );
                let about = (Some(AppId(app)), None);
                findings.push(case.finding(Fault::NotAsked, about, (unheard.at, due), what));
                seen_until = end;
            }
        }
    }
    findings
}

fn by_others(story: &Story, unheard: &Unheard) -> Option<CauseId> {
    unheard.causes.iter().find(|it| !story.causes[it.0].kind.is_ours()).copied()
}
