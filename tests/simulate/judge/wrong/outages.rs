//! What is stated of apps that are silent together: how many, where, since when.

use super::super::finding::Wrong;
use super::super::letters::{Of, Statement};
use super::super::reading::{Outage, Silent};
use super::{Found, times};
use crate::story::Ms;

/// Seconds that may be told more or less, by the rounding of each.
const ROUNDED: u64 = 2;

/// Judges all outages of a letter.
pub(super) fn judge(found: &mut Found<'_, '_>) {
    let reading = &found.read.reading;
    reading.outages.iter().for_each(|outage| self::outage(found, outage));
}

fn outage(found: &mut Found<'_, '_>, outage: &Outage) {
    let letter = found.read.letter;
    let told = outage.silent.len() as u64;
    if told != outage.apps {
        let what = format!("{told} apps are listed, {} are counted", outage.apps);
        found.add(Wrong::Count, None, letter.written, &what);
    }
    outage.silent.iter().for_each(|silent| self::silent(found, silent));
    let since = outage.silent.iter().map(|it| found.case.clock.meant(it.since, letter.worded));
    let Some(since) = since.collect::<Option<Vec<Ms>>>() else { return };
    let (Some(first), Some(last)) = (since.iter().min(), since.iter().max()) else { return };
    let took = (last - first) / 1000;
    // Rounded up, to a whole minute from one on, and no shorter than a second.
    let least = if outage.within < 60 { outage.within } else { outage.within - 59 };
    let fits = (least.saturating_sub(ROUNDED)..=outage.within + ROUNDED).contains(&took);
    if !fits {
        let what = format!("they fell silent within {took} s, not {}", outage.within);
        found.add(Wrong::Lasted, None, *first, &what);
    }
}

/// One of them: on that host, since that check.
fn silent(found: &mut Found<'_, '_>, silent: &Silent) {
    let Some(app) = silent.named.app else { return };
    let letter = found.read.letter;
    if let Some(host) = &silent.host {
        let known = found.case.life(app).app.registrations.iter();
        let mut known = known.filter(|it| it.span.from <= letter.written);
        if !known.any(|it| it.url.contains(&format!("//{host}"))) {
            let what = format!("{} is not on {host}", silent.named.text);
            found.add(Wrong::Address, Some(app), letter.written, &what);
        }
    }
    let of_it = |it: &&Statement| matches!(it.of, Of::Outage { .. }) && it.app == Some(app);
    let Some(statement) = found.read.states.iter().rfind(of_it) else { return };
    let told = statement.changed.and_then(|at| found.case.clock.meant(at, letter.worded));
    let at = told.unwrap_or(letter.written).min(letter.written);
    times::since(found, app, statement, silent.since, at);
}
