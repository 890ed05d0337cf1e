//! Statements that are not so: times, spans, states, names, counts, in subject or text.

mod blind;
mod counts;
mod outages;
mod reports;
mod times;

use std::collections::BTreeSet;

use super::case::Case;
use super::chronicle::time;
use super::clock::SLACK;
use super::finding::{Fault, Finding, Wrong};
use super::letters::{Of, Read, Statement};
use super::reading::{Named, Says, Tells};
use crate::story::{AppId, Ms};
use healthchecker::engine::state::State;

/// What is found in one letter: each kind once for each app.
pub(super) struct Found<'c, 's> {
    case: &'c Case<'s>,
    read: &'c Read<'s>,
    known: BTreeSet<(Wrong, Option<AppId>)>,
    findings: Vec<Finding>,
}

impl Found<'_, '_> {
    /// When it was decided that an app is not back.
    fn decided(&self, app: AppId) -> Option<Ms> {
        self.case.life(app).given_up_by(self.read.letter.written)
    }

    fn add(&mut self, wrong: Wrong, app: Option<AppId>, around: Ms, what: &str) {
        if !self.known.insert((wrong, app)) {
            return;
        }
        let letter = self.read.letter;
        let what = format!("{what}, in \"{}\"", letter.subject);
        let span = (around.min(letter.written), letter.accepted);
        let about = (app, Some(letter.to));
        self.findings.push(self.case.finding(Fault::Wrong(wrong), about, span, what));
    }
}

/// Looks through all letters.
pub(super) fn judge(case: &Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut arrived = counts::Arrived::new(case.story);
    for read in &case.letters {
        if let Some(line) = read.reading.unread.first() {
            let letter = read.letter;
            let what = format!("in \"{}\": {line:?}", letter.subject);
            let span = (letter.written, letter.accepted);
            findings.push(case.finding(Fault::Unread, (None, Some(letter.to)), span, what));
        }
        let mut found = Found { case, read, known: BTreeSet::new(), findings: Vec::new() };
        times::waited(&mut found);
        counts::digest(&mut found, &mut arrived);
        if !read.reading.nameless {
            names(&mut found);
            counts::subject(&mut found);
            reports::judge(&mut found);
            outages::judge(&mut found);
            blind::judge(&mut found);
            for (place, statement) in read.states.iter().enumerate() {
                let rest = &read.states[place + 1..];
                let is_last = !rest.iter().any(|later| later.name == statement.name);
                self::statement(&mut found, statement, is_last);
            }
        }
        findings.append(&mut found.findings);
    }
    findings
}

/// Everybody who is named is there, and the reader's.
fn names(found: &mut Found<'_, '_>) {
    let reading = &found.read.reading;
    let rows = reading.list.iter().filter_map(|point| match &point.tells {
        Tells::Watching(row) => Some(&row.names),
        _ => None,
    });
    let alone = reading.watching.iter().map(|(row, _)| &row.names);
    let before = reading.reports.iter().map(|report| &report.unhealthy_before.names);
    let others = before.chain(reading.reports.iter().map(|report| &report.paused.names));
    let watched = rows.chain(alone).chain(others).flatten().cloned();
    let states = found.read.states.iter();
    let states = states.map(|it| Named { text: it.name.clone(), app: it.app });
    let letter = found.read.letter;
    for named in watched.chain(states).collect::<Vec<_>>() {
        let Some(app) = named.app else {
            let what = format!("nobody is called {:?}", named.text);
            found.add(Wrong::Name, None, letter.written, &what);
            continue;
        };
        let before = found.case.life(app).app.registrations.iter();
        let mut before = before.take_while(|it| it.span.from <= letter.worded);
        if !before.any(|it| it.people.contains(&letter.to)) {
            let what = format!("{} is none of theirs", named.text);
            found.add(Wrong::Person, Some(app), letter.written, &what);
        }
    }
}

fn statement(found: &mut Found<'_, '_>, statement: &Statement, is_last: bool) {
    let Some(app) = statement.app else { return };
    let letter = found.read.letter;
    if statement.is_suspect {
        return;
    }
    if statement.of == Of::Reminder {
        let meant = statement.changed.and_then(|it| found.case.clock.meant(it, letter.worded));
        return was_so(found, app, statement, meant.unwrap_or(letter.written));
    }
    // What a list tells of several was so then: the end of one waits for the others, and whoever fails again may
    // wait for others, too.
    let listed = statement.changed.filter(|_| matches!(statement.of, Of::Outage { .. } | Of::End));
    if let Some(at) = listed.and_then(|told| found.case.clock.meant(told, letter.worded)) {
        // It is told in whole seconds.
        return was_so(found, app, statement, at + SLACK);
    }
    if statement.of != Of::Change {
        let at = statement.decided.unwrap_or(letter.written);
        return is_so(found, app, statement, (at, is_last));
    }
    let Some((at, before)) = times::changed(found, app, statement) else { return };
    let full = statement.full.map(|place| &found.read.reading.full[place]);
    if let Some(from) = full.and_then(|full| full.facts.from).filter(|from| *from != before) {
        let what = format!("{} is said to have been {}", statement.name, from.word());
        found.add(Wrong::State, Some(app), at, &what);
    }
    times::began(found, app, statement, at);
    is_so(found, app, statement, (at, is_last));
    if let Some(full) = full {
        address(found, app, full.facts.address.as_deref(), at);
        times::checks(found, app, full);
    }
}

/// It was so when people were to be told, or told again.
fn was_so(found: &mut Found<'_, '_>, app: AppId, statement: &Statement, at: Ms) {
    let shown = found.case.life(app).app.state_at(at.min(found.read.letter.written));
    if !statement.fits(shown) && shown != State::Unknown {
        let said = statement.state().word();
        let what =
            format!("{} is {} at {}, said to be {said}", statement.name, shown.word(), time(at));
        found.add(Wrong::State, Some(app), at, &what);
    }
}

/// It really is so when the letter is written, if it changed at that time and nothing later is said of it.
fn is_so(found: &mut Found<'_, '_>, app: AppId, statement: &Statement, (at, is_last): (Ms, bool)) {
    let letter = found.read.letter;
    let life = found.case.life(app);
    let shown = life.app.state_at(letter.written);
    let (first, last) = (life.app.shown_by(at), life.app.shown_by(letter.written));
    let mut between = life.app.states[first..last].iter().map(|(_, state)| *state);
    // What follows on UNKNOWN is no news as long as it is no better.
    let was_unknown = shown == State::Unknown || between.any(|state| state == State::Unknown);
    // Who keeps failing may be well for a while.
    let keeps_failing = statement.says == Says::KeepsFailing && at < letter.written;
    if is_last && !statement.fits(shown) && !was_unknown && !keeps_failing {
        let what = format!(
            "{} is {} at {}, said to be {}",
            statement.name,
            shown.word(),
            time(letter.written),
            statement.state().word()
        );
        found.add(Wrong::State, Some(app), at, &what);
    }
}

fn address(found: &mut Found<'_, '_>, app: AppId, address: Option<&str>, at: Ms) {
    let Some(address) = address else { return };
    let written = found.read.letter.written;
    let known = found.case.life(app).app.registrations.iter();
    let mut known = known.filter(|it| it.span.from <= written && it.span.end() >= at);
    if !known.any(|it| it.url == address) {
        let what = format!("{} is not asked at {address}", found.case.name(app));
        found.add(Wrong::Address, Some(app), at, &what);
    }
}
