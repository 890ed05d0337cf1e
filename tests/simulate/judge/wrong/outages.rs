//! What is stated of apps that are silent together: how many, where, since when.

use super::super::finding::Wrong;
use super::super::letters::{Of, Statement};
use super::super::reading::{Named, News, Outage, Place, Silent};
use super::{Found, times};
use crate::story::{AppId, Ms};
use healthchecker::engine::state::State;

/// Seconds that may be told more or less, by the rounding of each.
const ROUNDED: u64 = 2;

/// Judges all outages of a letter.
pub(super) fn judge(found: &mut Found<'_, '_>) {
    let reading = &found.read.reading;
    reading.outages.iter().for_each(|outage| self::outage(found, outage));
}

fn outage(found: &mut Found<'_, '_>, outage: &Outage) {
    let letter = found.read.letter;
    // What they are behind is named before.
    let is_counted = |it: &&Silent| outage.place != Place::Behind(it.named.clone());
    let is_still = outage.how == News::Still;
    let told = outage.silent.iter().filter(|it| is_still || is_counted(it)).count() as u64;
    if told != outage.apps {
        let what = format!("{told} apps are listed, {} are counted", outage.apps);
        found.add(Wrong::Count, None, letter.written, &what);
    }
    outage.silent.iter().for_each(|silent| self::silent(found, silent));
    let since = outage.silent.iter().map(|it| found.case.clock.meant(it.since, letter.worded));
    let Some(since) = since.collect::<Option<Vec<Ms>>>() else { return };
    let (Some(first), Some(last)) = (since.iter().min(), since.iter().max()) else { return };
    let Some(within) = outage.within else { return };
    let took = (last - first) / 1000;
    // Rounded up, to a whole minute from one on, and no shorter than a second.
    let least = if within < 60 { within } else { within - 59 };
    let fits = (least.saturating_sub(ROUNDED)..=within + ROUNDED).contains(&took);
    if !fits {
        let what = format!("they fell silent within {took} s, not {within}");
        found.add(Wrong::Lasted, None, *first, &what);
    }
}

/// One of them: on that host, since that check.
fn silent(found: &mut Found<'_, '_>, silent: &Silent) {
    let Some(app) = silent.named.app else { return };
    let letter = found.read.letter;
    if let Place::Behind(parent) = &silent.place {
        behind(found, app, silent, parent);
    }
    if let Place::Host(host) = &silent.place {
        let known = found.case.life(app).app.registrations.iter();
        let mut known = known.filter(|it| it.span.from <= letter.written);
        if !known.any(|it| it.url.contains(&format!("//{host}"))) {
            let what = format!("{} is not on {host}", silent.named.text);
            found.add(Wrong::Address, Some(app), letter.written, &what);
        }
    }
    let is_it = |of: Of| matches!(of, Of::Outage { .. } | Of::Reminder);
    let of_it = |it: &&Statement| is_it(it.of) && it.app == Some(app);
    let Some(statement) = found.read.states.iter().rfind(of_it) else { return };
    let told = statement.changed.and_then(|at| found.case.clock.meant(at, letter.worded));
    let at = told.unwrap_or(letter.written).min(letter.written);
    times::since(found, app, statement, silent.since, at);
}

/// It is behind that one, which is UNHEALTHY; or it is that one.
fn behind(found: &mut Found<'_, '_>, app: AppId, silent: &Silent, parent: &Named) {
    let written = found.read.letter.written;
    let Some(parent_id) = parent.app else {
        let what = format!("nobody is called {:?}", parent.text);
        return found.add(Wrong::Name, None, written, &what);
    };
    if app != parent_id && !found.case.is_behind(app, parent_id, written) {
        let what = format!("{} is not behind {}", silent.named.text, parent.text);
        found.add(Wrong::Address, Some(app), written, &what);
    }
    let shown = found.case.life(parent_id).app.state_at(written);
    if shown != State::Unhealthy {
        let what = format!("{} is {}, and nothing is silent for it", parent.text, shown.word());
        found.add(Wrong::State, Some(parent_id), written, &what);
    }
}
