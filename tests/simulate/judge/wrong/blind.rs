//! Whether our network, or the internet, was away when it is said to have been, and all apps are as before.

use super::super::allowance::SETTLE_AFTER_ABSENCE;
use super::super::chronicle::time;
use super::super::clock::SLACK;
use super::super::finding::Wrong;
use super::super::reading::{Blind, BlindLine, Unseen};
use super::Found;
use crate::story::{AppId, CauseKind, Ms, Span, Story};
use healthchecker::engine::state::State;

/// An outage is seen by a check, and so is its end.
const SEEN_WITHIN: Ms = 360_000;

/// Judges all that a letter says of times in which nobody was seen.
pub(super) fn judge(found: &mut Found<'_, '_>) {
    found.read.reading.blind.iter().for_each(|blind| self::blind(found, blind));
}

fn blind(found: &mut Found<'_, '_>, blind: &Blind) {
    let case = found.case;
    let letter = found.read.letter;
    let meant = |told| case.clock.meant(told, letter.worded);
    let (mut first, mut last) = (letter.written, 0);
    let mut only_outside = true;
    for (unseen, from, until) in blind.times() {
        only_outside &= unseen == Unseen::Internet;
        let Some(from) = meant(from) else { return };
        first = first.min(from);
        let until = until.map_or(Some(letter.written), meant).unwrap_or(letter.written);
        last = until.max(last);
        let away = away(case.story, unseen);
        let was_away = away.iter().any(|it| it.from <= from + SLACK && from <= it.end());
        let came_back =
            away.iter().any(|it| it.from <= until && until <= it.end().saturating_add(SEEN_WITHIN));
        if !was_away || !came_back {
            let (from_then, to_then) = (time(from), time(until));
            let what = format!("the {unseen:?} was there from {from_then} to {to_then}");
            found.add(Wrong::After, None, from, &what);
        }
    }
    let counted = match blind.line {
        BlindLine::Times(_, count) => count == blind.gaps.len() as u64,
        BlindLine::GoesOn(_, of, None) => of >= blind.apps.len() as u64,
        BlindLine::GoesOn(_, _, Some(_)) => blind.apps.len() == 1,
        BlindLine::Once(..) => true,
    };
    if !counted {
        found.add(Wrong::Count, None, first, "it counts other times, or apps, than it lists");
    }
    // Other things may have been told by the same mail since.
    let told = (last + SETTLE_AFTER_ABSENCE.1).min(letter.written);
    as_before(found, blind, (first, told), only_outside);
}

/// When the whole house was out of our sight, or what is outside.
fn away(story: &Story, unseen: Unseen) -> Vec<Span> {
    use CauseKind::{OurLink, PowerCut, Router};
    let takes_all = |kind| matches!(kind, OurLink | PowerCut | Router);
    let causes = || story.causes.iter().filter(|cause| takes_all(cause.kind)).map(|it| it.span);
    match unseen {
        Unseen::Internet => story.line_away.clone(),
        Unseen::Network => causes().collect(),
        Unseen::Either => causes().chain(story.line_away.iter().copied()).collect(),
    }
}

/// So many of theirs are as they were before the first of these times, when everybody had their time.
fn as_before(
    found: &mut Found<'_, '_>,
    blind: &Blind,
    (first, told): (Ms, Ms),
    only_outside: bool,
) {
    let Some((same, of)) = blind.as_before else { return };
    let letter = found.read.letter;
    let theirs = |app: &AppId| {
        let registered = found.case.life(*app).app.registered_at(letter.written);
        let is_theirs = registered.is_some_and(|it| it.people.contains(&letter.to));
        is_theirs && (!only_outside || found.case.life(*app).app.is_outside())
    };
    let apps = (0..found.case.lives.len()).map(AppId).filter(theirs);
    let is_ill = |state| state == State::Unhealthy;
    let changed = |told: Ms| {
        let is_other = |app: &AppId| {
            let app = found.case.life(*app).app;
            is_ill(app.state_at(told)) != is_ill(app.state_at(first))
        };
        let changed = apps.clone().filter(is_other);
        changed.map(|app| found.case.name(app)).collect::<Vec<&str>>()
    };
    // Who was not back is UNHEALTHY in that moment, which is known to a second.
    let (names, soon) = (changed(told), changed((told + SLACK).min(letter.written)));
    let (changed, soon) = (names.len() as u64, soon.len() as u64);
    let is_right = |changed: u64| of.saturating_sub(same) <= changed && (same < of || changed == 0);
    if !is_right(changed) && !is_right(soon) {
        let names = names.join(", ");
        let what = format!("{same} of {of} are said to be as before, {changed} are not: {names}");
        found.add(Wrong::Count, None, first, &what);
    }
}
