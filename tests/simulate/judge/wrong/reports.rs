//! What a report after an interruption, and its end, state besides how each app is.

use super::super::allowance::{ROUTER_AWAITED, SEEN_BACK};
use super::super::behind::silences;
use super::super::chronicle::time;
use super::super::clock::{Fit, SLACK};
use super::super::finding::Wrong;
use super::super::letters::{Of, Statement};
use super::super::reading::{End, EndLine, Report};
use super::super::settling::{Interruption, Kind};
use super::Found;
use crate::story::{AppId, CauseKind, Ms, Span};
use healthchecker::engine::state::State;
use healthchecker::engine::surroundings::settling::Aftermath;
use healthchecker::engine::verdict::answer::Outcome;

/// Judges all reports and ends of a letter.
pub(super) fn judge(found: &mut Found<'_, '_>) {
    let reading = &found.read.reading;
    reading.reports.iter().for_each(|report| self::report(found, report));
    reading.ends.iter().for_each(|end| self::end(found, end));
}

fn report(found: &mut Found<'_, '_>, report: &Report) {
    let letter = found.read.letter;
    if report.after == Aftermath::RouterAway {
        return router_away(found, report);
    }
    let Some(it) = interruption(found, report) else { return };
    if report.after == Aftermath::Power && !was_power_away(found, it.span) {
        let what = "the power was not cut".to_owned();
        found.add(Wrong::After, None, it.span.from, &what);
    }
    on_record(found, report, it);
    let decided = report.missing.iter().filter_map(|named| found.decided(named.app?)).max();
    counts(found, report, it, decided.unwrap_or(letter.written));
    others(found, report, it);
}

/// The router is away, has been for as long as is said, and long enough to tell.
fn router_away(found: &mut Found<'_, '_>, report: &Report) {
    let case = found.case;
    let letter = found.read.letter;
    let decided = report.missing.iter().filter_map(|named| found.decided(named.app?)).max();
    let decided = decided.unwrap_or(letter.written);
    // It is seen again by a look.
    let was_away =
        |span: &&Span| span.from <= decided && decided <= span.end().saturating_add(SEEN_BACK);
    let Some(from) = case.story.router_away.iter().find(was_away).map(|span| span.from) else {
        let what = "the router was there".to_owned();
        return found.add(Wrong::After, None, decided, &what);
    };
    let long_enough = decided.saturating_sub(ROUTER_AWAITED - SLACK);
    if long_enough < from {
        let what = format!("the router is away since {} only", time(from));
        return found.add(Wrong::After, None, from, &what);
    }
    let wrong = match case.clock.fit(report.at, (from, long_enough), letter.worded) {
        Fit::Right => None,
        Fit::AsNoted => Some(Wrong::Clock),
        Fit::Wrong => Some(Wrong::Since),
    };
    if let Some(wrong) = wrong {
        let what = format!("the router is away since {}, not {:?}", time(from), report.at);
        found.add(wrong, None, from, &what);
    }
    let (kind, span) = (Kind::Router, Span { from, until: Some(decided) });
    let it = Interruption { kind, span, back: decided, until: decided, is_of_all: true };
    counts(found, report, it, decided);
    others(found, report, it);
}

/// The interruption that a report tells of: by when it was over.
fn interruption(found: &mut Found<'_, '_>, report: &Report) -> Option<Interruption> {
    let case = found.case;
    let letter = found.read.letter;
    let before = case.interruptions.iter().rev().filter(|it| it.back <= letter.written);
    let is_told = |it: &&Interruption| it.until > it.back && it.kind.may_be_told(report.after);
    let all: Vec<Interruption> = before.filter(is_told).copied().collect();
    let Some(last) = all.first() else {
        let what = format!("{:?}: there was nothing of the kind", report.after);
        found.add(Wrong::After, None, letter.written, &what);
        return None;
    };
    let fit = |it: &&Interruption| {
        let end = it.span.end().min(it.back);
        let seen = first_call(found, it).map_or(end, |call| call.min(end));
        case.clock.fit(report.at, (seen, it.back), letter.worded)
    };
    if let Some(told) = all.iter().find(|it| fit(it) == Fit::Right) {
        return Some(*told);
    }
    let what = format!("it was over on {}, not at {:?}", time(last.back), report.at);
    let is_noted = all.iter().any(|it| fit(&it) == Fit::AsNoted);
    found.add(if is_noted { Wrong::Clock } else { Wrong::Changed }, None, last.back, &what);
    Some(*last)
}

/// Who reaches us before it answers shows that others live, too.
fn first_call(found: &Found<'_, '_>, it: &Interruption) -> Option<Ms> {
    let calls = found.case.story.apps.iter().flat_map(|app| app.calls.iter().chain(&app.heard));
    calls.copied().filter(|at| it.span.from < *at && *at <= it.back).min()
}

/// The power was cut; or there was too little of it, for our machine and for half of the apps: nobody can
/// tell that from a cut.
fn was_power_away(found: &Found<'_, '_>, away: Span) -> bool {
    let story = found.case.story;
    let near = story
        .causes
        .iter()
        .filter(|cause| cause.span.from <= away.end() && away.from <= cause.span.end());
    near.into_iter().any(|cause| match cause.kind {
        CauseKind::PowerCut => true,
        CauseKind::BrownOut => 2 * cause.reach.len() >= story.apps.len(),
        _ => false,
    })
}

/// Nothing was on record that came later than the beginning.
fn on_record(found: &mut Found<'_, '_>, report: &Report, it: Interruption) {
    let Some(told) = report.after_record else { return };
    let Some(meant) = found.case.clock.meant(told, found.read.letter.worded) else { return };
    if meant > it.span.from + SLACK {
        let what = format!("it began on {}, before {}", time(it.span.from), time(meant));
        found.add(Wrong::Since, None, it.span.from, &what);
    }
}

/// How many of theirs were awaited, and how many of them are back.
fn counts(found: &mut Found<'_, '_>, report: &Report, it: Interruption, decided: Ms) {
    let case = found.case;
    let letter = found.read.letter;
    let (mut of, mut perhaps, mut well, mut perhaps_well) = (0, 0, 0, 0);
    for (app, life) in case.lives.iter().enumerate() {
        let then = |at| life.app.registered_at(at);
        let theirs = |at| then(at).is_some_and(|it| it.people.contains(&letter.to));
        let paused = |at| life.app.paused.iter().any(|span| span.holds(at));
        let is_one = theirs(it.back) && theirs(decided) && !paused(it.back) && !paused(decided);
        if !is_one {
            perhaps += u64::from(theirs(it.back) || theirs(decided));
            continue;
        }
        if !it.awaits(life.app) || life.app.may_be_off(it.back) {
            continue;
        }
        // Of who is quiet, and not back, it is told later.
        if life.is_quiet_between(it.back, decided) {
            perhaps += 1;
            continue;
        }
        let before = life.app.state_at(it.back.saturating_sub(1));
        let changes = life.app.stops().into_iter().chain(life.app.resets());
        let was_changed = changes.into_iter().any(|at| it.back <= at && at <= decided);
        if was_changed {
            perhaps += 1;
            continue;
        }
        let is_missing = report.missing.iter().any(|named| named.app == Some(AppId(app)));
        if before == State::Unhealthy && !is_missing {
            continue;
        }
        // Who was silent meanwhile may be so by itself, or have been hidden.
        let is_beyond = matches!(it.kind, Kind::Router | Kind::Line);
        let fell_silent =
            || silences(life.app, Span { until: Some(it.back), ..it.span }).count() > 0;
        if is_beyond && !is_missing && fell_silent() {
            perhaps += 1;
            continue;
        }
        of += 1;
        if is_beyond && it.back == decided {
            // How they are now is all that is told.
            let is_well = u64::from(!is_missing);
            (well, perhaps_well) = (well + is_well, perhaps_well + is_well);
            continue;
        }
        let since = life.app.checks.partition_point(|check| check.ended < it.back);
        let by = life.app.checks.partition_point(|check| check.ended <= decided);
        let outcomes = life.app.checks[since..by.max(since)].iter().filter_map(|it| it.outcome);
        let answered = outcomes.clone().any(|it| it != Outcome::Fail);
        // Of one that always passes not every check is known.
        let is_unknown = outcomes.count() == 0;
        let is_unwell = life.app.state_at(decided) == State::Unhealthy || is_missing;
        well += u64::from(answered && !is_unwell);
        perhaps_well += u64::from((answered || is_unknown) && !is_unwell);
    }
    perhaps_well += perhaps;
    let fits = |said: u64, least: u64, most: u64| (least..=most).contains(&said);
    if !fits(report.of, of, of + perhaps) || !fits(report.well, well, perhaps_well) {
        let what = format!(
            "{} of {} are said to be well, it was {well} of {of}, and perhaps of {perhaps} more",
            report.well, report.of
        );
        found.add(Wrong::Count, None, it.back, &what);
    }
}

/// Who was UNHEALTHY before, and who is paused.
fn others(found: &mut Found<'_, '_>, report: &Report, it: Interruption) {
    let case = found.case;
    let written = found.read.letter.written;
    for app in report.unhealthy_before.names.iter().filter_map(|named| named.app) {
        let life = case.life(app);
        let was = life.app.state_at(it.back.saturating_sub(1));
        // Whom nobody awaited may have become so since.
        let is_now = matches!(it.kind, Kind::Router | Kind::Line)
            && life.app.state_at(written) == State::Unhealthy;
        if was != State::Unhealthy && !is_now {
            let what = format!("{} was {} before", case.name(app), was.word());
            found.add(Wrong::State, Some(app), it.back, &what);
        }
    }
    for app in report.paused.names.iter().filter_map(|named| named.app) {
        let paused = case.life(app).app.paused.iter();
        let mut paused = paused.filter(|span| span.from <= written && span.end() >= it.back);
        if paused.next().is_none() {
            let what = format!("{} is not paused", case.name(app));
            found.add(Wrong::State, Some(app), written, &what);
        }
    }
}

/// An end tells of as many as it names, and how long the longest of them took.
fn end(found: &mut Found<'_, '_>, end: &End) {
    let written = found.read.letter.written;
    let EndLine { apps, lasted } = end.line;
    let named = end.apps.names.len() as u64 + end.apps.more;
    let is_only = end.only.as_ref().is_none_or(|only| end.apps.names == [only.clone()]);
    if apps != named || !is_only {
        let what = format!("{named} apps are named, {apps} are counted");
        found.add(Wrong::Count, None, written, &what);
    }
    let case = found.case;
    let (mut first, mut raised, mut last) = (None, None, None);
    for app in end.apps.names.iter().filter_map(|named| named.app) {
        let life = case.life(app);
        let of_it = |it: &&Statement| it.of == Of::End && it.app == Some(app);
        let told = found.read.states.iter().rfind(of_it);
        // In a list it was so then.
        let then = told.and_then(|it| case.clock.meant(it.changed?, found.read.letter.worded));
        let then = then.map_or(written, |at| (at + SLACK).min(written));
        let states = &life.app.states[..life.app.shown_by(then)];
        let Some(well) = states.iter().rposition(|(_, state)| *state == State::Healthy) else {
            return;
        };
        let episode = told.and_then(|it| it.episode);
        let thread = told.and_then(|it| it.thread);
        let begun = thread.map(|thread| thread.episode).or(episode);
        let became = |episode: Option<usize>, worse: &[State]| {
            let from = episode.map(|episode| life.episodes[episode].from);
            let its = states[..well].iter().filter(|(at, _)| from.is_none_or(|from| from <= *at));
            its.into_iter().find(|(_, state)| worse.contains(state)).map(|(at, _)| *at)
        };
        let asked = begun.map(|episode| life.episodes[episode].from);
        // Who was HEALTHY all the time is well since it passed.
        let shown = Some(states[well].0).filter(|at| asked.is_none_or(|asked| asked <= *at));
        let passed = || begun.and_then(|episode| life.passed_again(episode));
        last = last.max(shown.or_else(passed));
        let ill = became(begun, &[State::Degraded, State::Unhealthy]);
        // Of who was not asked often enough it counts from a failure.
        let is_suspect = begun.is_some_and(|it| case.was_suspect(app, it)) || thread.is_none();
        let ill = if is_suspect { asked.into_iter().chain(ill).min() } else { ill.or(asked) };
        let ill = ill.into_iter().flat_map(|then| life.told_of(then));
        first = first.into_iter().chain(ill).min();
        raised = raised.into_iter().chain(became(episode, &[State::Unhealthy])).min();
    }
    let (Some(first), Some(last)) = (first, last) else { return };
    // It counts from when it was found.
    let (least, most) = (last - raised.unwrap_or(last).min(last), last - first.min(last));
    if !lasted.fits(least, most) {
        let what = format!(
            "they were unwell for {} to {} s from {} until {}, not for {lasted:?}",
            least / 1000,
            most / 1000,
            time(first),
            time(last)
        );
        let app = end.apps.names.first().and_then(|named| named.app);
        found.add(Wrong::Lasted, app, first, &what);
    }
}
