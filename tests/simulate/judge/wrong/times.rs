//! When it changed, since when it is so, how long it lasted, how long the mail waited.

use super::super::chronicle::time;
use super::super::clock::{Fit, SLACK};
use super::super::finding::Wrong;
use super::super::letters::Statement;
use super::super::reading::{Blind, Degraded, Full, Says, Told};
use super::Found;
use crate::story::{AppId, Ms};
use healthchecker::engine::state::State;
use healthchecker::engine::verdict::answer::Outcome;

/// A mail that waited longer says so: ms.
const WORTH_TELLING: Ms = 4 * 60_000;
/// So many changes, or checks, are looked through for the one that a letter speaks of: about that time,
/// and before it was written.
const LOOKED_THROUGH: usize = 64;

/// When the app changed into the state that is told, and what it was before. `None`: the letter does not
/// say, or what it says was found to be wrong.
pub(super) fn changed(
    found: &mut Found<'_, '_>,
    app: AppId,
    statement: &Statement,
) -> Option<(Ms, State)> {
    let told = statement.changed?;
    let (case, letter) = (found.case, found.read.letter);
    let states = &case.life(app).app.states;
    let end = case.life(app).app.shown_by(letter.written);
    let mut as_noted = None;
    let meant = case.clock.meant(told, letter.worded);
    let about = meant.map_or(0, |at| case.life(app).app.shown_by(at + 2 * SLACK)).min(end);
    for place in about_and_before(about, end) {
        let (at, state) = states[place];
        if !statement.fits(state) {
            continue;
        }
        let before = place.checked_sub(1).map_or(State::Unknown, |before| states[before].1);
        let fit = |at| case.clock.fit(told, (at, at), letter.worded);
        match case.life(app).told_of(at).map(fit).fold(Fit::Wrong, Fit::or) {
            Fit::Right => return Some((at, before)),
            Fit::AsNoted => as_noted = as_noted.or(Some((at, before))),
            Fit::Wrong => {}
        }
    }
    let name = &statement.name;
    if let Some((at, _)) = as_noted {
        let what = format!("{name} changed at {}, not at {told:?}", time(at));
        found.add(Wrong::Clock, Some(app), at, &what);
        return as_noted;
    }
    let word = statement.state().word();
    let when = meant.map_or(format!("at {told:?}"), |at| format!("on {}", time(at)));
    let what = format!("{name} did not become {word} {when}");
    let is_other = meant.is_some_and(|at| {
        let lives = states.iter().filter(|(then, _)| then.abs_diff(at) <= 2 * SLACK);
        lives.count() > 0
    });
    let never = !states[..end].iter().any(|(_, state)| statement.fits(*state));
    let wrong = if is_other || never { Wrong::State } else { Wrong::Changed };
    found.add(wrong, Some(app), meant.unwrap_or(letter.written), &what);
    None
}

/// The last places before two others, the latest first.
fn about_and_before(about: usize, end: usize) -> impl Iterator<Item = usize> {
    (0..about).rev().take(LOOKED_THROUGH).chain((about..end).rev().take(LOOKED_THROUGH))
}

/// Since when, and how long; the app changed at `at`.
pub(super) fn began(found: &mut Found<'_, '_>, app: AppId, statement: &Statement, at: Ms) {
    let full = statement.full.map(|place| &found.read.reading.full[place]);
    let mut beginnings = beginnings(found, app, statement, at);
    let facts = full.map(|full| &full.facts);
    let since = facts.and_then(|facts| facts.since.or(facts.alert_since));
    if let Some(told) = since {
        fits(found, (app, Wrong::Since), told, &beginnings, "did not begin");
        let (clock, worded) = (&found.case.clock, found.read.letter.worded);
        let fits = |span: &&(Ms, Ms)| clock.fit(told, **span, worded) != Fit::Wrong;
        let same: Vec<(Ms, Ms)> = beginnings.iter().filter(fits).copied().collect();
        // How long it lasted is to fit what is said of its beginning, where that is true.
        if !same.is_empty() {
            beginnings = same;
        }
    }
    let told = full.map(|full| full.says).into_iter().chain([statement.says]);
    for lasted in told.filter_map(|says| match says {
        Says::WellAgain(lasted) => Some(lasted),
        Says::Is(_) | Says::KeepsFailing => None,
    }) {
        let span = |(from, until): &(Ms, Ms)| (at.saturating_sub(*until), at.saturating_sub(*from));
        let mut spans = beginnings.iter().map(span);
        if !spans.any(|(least, most)| lasted.fits(least, most)) {
            let first = beginnings.first().map_or(at, |(_, until)| *until);
            let what = format!(
                "{} was unwell for {} s until {}, not for {lasted:?}",
                statement.name,
                (at - first.min(at)) / 1000,
                time(at)
            );
            found.add(Wrong::Lasted, Some(app), first, &what);
        }
    }
}

/// Since when an app is silent that is told so at `at`.
pub(super) fn since(
    found: &mut Found<'_, '_>,
    app: AppId,
    statement: &Statement,
    told: Told,
    at: Ms,
) {
    let beginnings = beginnings(found, app, statement, at);
    fits(found, (app, Wrong::Since), told, &beginnings, "did not fall silent");
}

/// When it may be said to have begun: the check of the first counted failure, from its beginning to its
/// end; of an alert that is over, also when it was raised.
fn beginnings(found: &Found<'_, '_>, app: AppId, statement: &Statement, at: Ms) -> Vec<(Ms, Ms)> {
    let life = found.case.life(app);
    let checks = &life.app.checks;
    let row = |place: usize| {
        let row = life.rows[place];
        let ill = (row.earliest..=row.latest).map(|place| &checks[place]);
        ill.filter(|check| !matches!(check.outcome, None | Some(Outcome::Pass)))
    };
    let in_short = |from: Ms, until: Ms| (from, until);
    let mut beginnings: Vec<(Ms, Ms)> = Vec::new();
    let is_over = statement.state() == State::Healthy;
    let ill = life.ill_by(at + SLACK / 2);
    if !is_over {
        // What had passed before anybody was told is told when it fails again, since it was found.
        let now = life.ill_by(found.read.letter.written);
        let is_later = now.is_some_and(|now| checks[life.rows[now].earliest].begun > at);
        let changed = life.told_of(at).filter(|_| is_later);
        beginnings.extend(changed.map(|at| (at, at)));
        let found_by = life.loops.near(at).filter(|_| statement.is_crash_loop);
        beginnings.extend(found_by.map(|at| (at, at)));
        let rows = ill.into_iter().flat_map(row);
        beginnings.extend(rows.map(|check| in_short(check.begun, check.ended)));
        // What did not pass before an interruption need not count after it.
        let over = found.case.interruptions.iter().filter(|it| it.until > it.back);
        let over = over.flat_map(|it| [it.span.end().min(it.back), it.back]);
        let anew = over.filter(|from| *from <= at).filter_map(|from| life.ill_after(from));
        beginnings.extend(anew.map(|check| in_short(check.begun, check.ended)));
    }
    let better = statement.state() == State::Degraded;
    // The alert of one that keeps failing, or stumbles, stays open from one episode to the next.
    // Worse news that had to wait are told of the trouble that is known.
    let letter = found.read.letter;
    let waited = life.is_quiet_between(at, letter.written)
        || found.case.mutes.touches(letter.to, app, at, letter.written);
    let thread = statement.thread.filter(|_| is_over || waited);
    let kept = thread.map(|thread| thread.episode);
    let kept = statement.episode.and_then(|own| kept.filter(|it| *it < own));
    // It counts from one of those checks that were told.
    let told = || thread.into_iter().flat_map(|it| [it.from, it.last]);
    let loops = told().filter_map(|at| life.loops.near(at));
    beginnings.extend(loops.map(|at| (at, at)));
    let told = told().filter_map(|at| life.ill_by(at));
    let told = told.flat_map(|last| life.rows[last].earliest..=last);
    let told = told.map(|place| &checks[place]).filter(|it| it.outcome != Some(Outcome::Pass));
    beginnings.extend(told.map(|check| in_short(check.begun, check.ended)));
    for episode in statement.episode.filter(|_| is_over || better).into_iter().chain(kept) {
        let episode = &life.episodes[episode];
        let first = episode.checks.clone().find(|place| checks[*place].outcome.is_some());
        beginnings.extend(first.into_iter().flat_map(row).map(|it| in_short(it.begun, it.ended)));
        let from = life.app.states.partition_point(|(then, _)| *then < episode.from);
        // The alert that people know may be that of UNHEALTHY alone: DEGRADED is not always told.
        let raised = |is_it: fn(&State) -> bool| {
            life.app.states[from..].iter().find(|(_, state)| is_it(state)).map(|(then, _)| *then)
        };
        let ill = raised(|state| matches!(state, State::Degraded | State::Unhealthy));
        let unhealthy = raised(|state| *state == State::Unhealthy).filter(|then| *then <= at);
        if is_over {
            let raised = ill.into_iter().chain(unhealthy).flat_map(|then| life.told_of(then));
            beginnings.extend(raised.map(|then| in_short(then, then)));
        }
    }
    beginnings
}

fn fits(
    found: &mut Found<'_, '_>,
    (app, wrong): (AppId, Wrong),
    told: Told,
    true_times: &[(Ms, Ms)],
    what: &str,
) {
    let worded = found.read.letter.worded;
    let fits = true_times.iter().map(|span| found.case.clock.fit(told, *span, worded));
    let wrong = match fits.fold(Fit::Wrong, Fit::or) {
        Fit::Right => return,
        Fit::AsNoted => Wrong::Clock,
        Fit::Wrong => wrong,
    };
    let meant = found.case.clock.meant(told, worded);
    let when = meant.map_or(format!("{told:?}"), time);
    let truth = true_times.first().map(|(from, _)| format!(", but on {}", time(*from)));
    let name = found.case.name(app);
    let what = format!("{name} {what} on {when}{}", truth.unwrap_or_default());
    let around = true_times.first().map_or(found.read.letter.written, |(from, _)| *from);
    found.add(wrong, Some(app), around, &what);
}

/// The last checks, and what DEGRADED is said to mean.
pub(super) fn checks(found: &mut Found<'_, '_>, app: AppId, full: &Full) {
    let case = found.case;
    let letter = found.read.letter;
    let life = case.life(app);
    let end = life.check_by(letter.written).map_or(0, |last| last + 1);
    for (told, outcome) in full.checks.iter().filter(|(_, outcome)| *outcome != Outcome::Pass) {
        let meant = case.clock.meant(*told, letter.worded);
        let about = meant.and_then(|at| life.check_by(at + 2 * SLACK)).map_or(0, |last| last + 1);
        let places = about_and_before(about.min(end), end);
        let same = places.map(|place| &life.app.checks[place]);
        // The silence of who may be off is told as it was.
        let same = same.filter(|it| it.outcome == Some(*outcome) || life.app.is_quiet(it));
        let known: Vec<(Ms, Ms)> = same.map(|check| (check.begun, check.ended)).collect();
        fits(found, (app, Wrong::Check), *told, &known, "was not asked in vain");
    }
    if let (Some(degraded), [.., earlier, last]) = (full.degraded, full.checks.as_slice()) {
        let both_failed = (earlier.1, last.1) == (Outcome::Fail, Outcome::Fail);
        let again = full.facts.from == Some(State::Unhealthy);
        let right = match degraded {
            Degraded::TooFewFailures => both_failed,
            Degraded::Answers { again: said } => !both_failed && said == again,
        };
        if !right {
            let what = format!("{} is DEGRADED for another reason", case.name(app));
            found.add(Wrong::State, Some(app), letter.written, &what);
        }
    }
}

/// "This mail waited 31 min: it was written at ...".
pub(super) fn waited(found: &mut Found<'_, '_>) {
    let (case, read) = (found.case, found.read);
    let letter = read.letter;
    let waited = letter.worded.saturating_sub(letter.written);
    let Some((lasted, told)) = read.reading.waited else {
        if waited > WORTH_TELLING + SLACK && read.reading.digest.is_none() {
            let what = format!("it does not say that it waited {} s", waited / 1000);
            found.add(Wrong::Waited, None, letter.written, &what);
        }
        return;
    };
    // The first of what it tells was written no later than the newest, nor before it happened.
    let changes = read.states.iter().filter_map(|statement| statement.changed);
    let unseen = read.reading.blind.iter().flat_map(Blind::times).map(|(_, from, _)| from);
    let times = changes.chain(read.reading.list.iter().filter_map(|point| point.at)).chain(unseen);
    let times = times.filter_map(|told| case.clock.meant(told, letter.worded));
    let oldest = times.min().unwrap_or(0).min(letter.written).saturating_sub(SLACK);
    let most = letter.worded - oldest;
    let fit = case.clock.fit(told, (oldest, letter.written), letter.worded);
    if fit == Fit::AsNoted {
        let what = format!("it was written on {}, not at {told:?}", time(letter.written));
        found.add(Wrong::Clock, None, letter.written, &what);
    } else if fit == Fit::Wrong || !lasted.fits(waited, most) {
        let what = format!("it waited {} s, not {lasted:?} since {told:?}", waited / 1000);
        found.add(Wrong::Waited, None, letter.written, &what);
    }
}
