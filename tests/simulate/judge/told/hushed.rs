//! Quiet times and mutes: nobody is told within one, and who had heard enough hears once more when that is over.

use super::super::allowance::{PATIENCE, REMINDED_WITHIN};
use super::super::chronicle::time;
use super::super::clock::SLACK;
use super::super::finding::Fault;
use super::super::letters::{Of, Read, Statement};
use super::super::reading::Tells;
use super::Walk;
use crate::story::{AppId, Ms, PersonId, Span};

impl Walk<'_, '_> {
    /// Whether a letter tells what was to wait until a quiet time is over.
    pub(super) fn in_quiet(&mut self, read: &Read<'_>) {
        let (case, letter) = (self.case, read.letter);
        let told = read.states.iter().filter_map(|it| it.app);
        let apps: Vec<AppId> = told.chain(watched(read)).collect();
        let mut all = apps.iter().copied();
        let worded = |app: &AppId| is_quiet(self, *app, letter.worded).is_some();
        let theirs = || {
            let is_theirs = |(_, life): &(usize, &super::super::life::Life<'_>)| {
                let then = life.app.registered_at(letter.worded);
                then.is_some_and(|it| it.people.contains(&letter.to))
            };
            case.lives.iter().enumerate().filter(is_theirs).map(|(app, _)| AppId(app))
        };
        let is_all_quiet = match apps.is_empty() {
            true => !read.reading.blind.is_empty() && theirs().all(|app| worded(&app)),
            false => read.reading.left_out == 0 && all.all(|app| worded(&app)),
        };
        let is_quiet =
            |it: &&Statement| it.app.is_some_and(|app| self.came_in_quiet(read, it, app));
        let quiet = read.states.iter().find(is_quiet).and_then(|it| it.app);
        let Some(app) = quiet
            .or_else(|| apps.first().copied().or_else(|| theirs().next()).filter(|_| is_all_quiet))
        else {
            return;
        };
        let what = format!(
            "{} is told in a quiet time of {}: {}",
            case.person(letter.to),
            case.name(app),
            letter.subject
        );
        self.find(Fault::InQuiet, (app, letter.to), (letter.written, letter.accepted), what);
    }

    /// Whether what is told came in a quiet time that is not over.
    fn came_in_quiet(&self, read: &Read<'_>, told: &Statement, app: AppId) -> bool {
        let letter = read.letter;
        if read.reading.list.is_empty() {
            return is_quiet(self, app, letter.written).is_some();
        }
        let meant = told.changed.and_then(|it| self.case.clock.meant(it, letter.worded));
        let quiet = is_quiet(self, app, letter.worded);
        quiet.zip(meant).is_some_and(|(quiet, meant)| meant > quiet.from + PATIENCE)
    }

    /// Whether a person is told of trouble of which they had heard enough.
    pub(super) fn in_mute(&mut self, read: &Read<'_>, told: &Statement, app: AppId) {
        let (case, letter) = (self.case, read.letter);
        if !told.is_trouble() && told.of != Of::Reminder {
            return;
        }
        let at = match read.reading.list.is_empty() {
            true => Some(letter.written),
            false => told.changed.and_then(|it| case.clock.meant(it, letter.worded)),
        };
        let Some(held) = at.and_then(|at| case.mutes.held(letter.to, app, at)) else { return };
        let what = format!(
            "{} has heard enough of {} from {} to {}, and is told: {}",
            case.person(letter.to),
            case.name(app),
            time(held.from),
            time(held.end()),
            letter.subject
        );
        self.find(Fault::InMute, (app, letter.to), (letter.written, letter.accepted), what);
    }

    /// When people are told of trouble: who has heard enough hears of it once more when that is over.
    pub(super) fn notes_trouble(&mut self, read: &Read<'_>) {
        if self.case.story.mutes.is_empty() {
            return;
        }
        for told in read.states.iter().filter(|it| it.is_trouble() || it.of == Of::Reminder) {
            let Some(app) = told.app else { continue };
            self.told_at.entry((read.letter.to, app)).or_default().push(read.letter.written);
        }
    }

    /// Whether the time is over for which a person had heard enough of an app, and they were not told of it since.
    pub(super) fn is_after_a_mute(&self, to: PersonId, app: AppId, at: Ms) -> bool {
        let told = self.told_at.get(&(to, app)).map_or(&[][..], Vec::as_slice);
        self.case.mutes.run_out().any(|(person, its, over)| {
            let was_told = || told.iter().any(|told| over.from <= *told && *told + SLACK < at);
            person == to && its == app && over.from <= at + SLACK && !was_told()
        })
    }

    /// Who is not told that it lasts still when that is over; and who was not heard.
    pub(super) fn after_mutes(&mut self) {
        let case = self.case;
        for (to, app, over) in case.mutes.run_out() {
            let until = over.end().saturating_add(REMINDED_WITHIN);
            let told = self.told_at.get(&(to, app)).into_iter().flatten();
            let mut told = told.filter(|at| over.from <= **at + SLACK && **at <= until);
            let from = over.from + SLACK;
            let is_due = until < case.story.length
                && !self.blurred.contains(&to)
                && told.next().is_none()
                && !case.mutes.touches(to, app, over.end() + 1, until)
                && self.is_plain_but_for_mutes((to, app), Span { from, until: Some(until) });
            if is_due {
                let (person, name) = (case.person(to), case.name(app));
                let what = format!(
                    "{person} had heard enough of {name} until {}, and is not told that it is UNHEALTHY still",
                    time(over.end())
                );
                self.find(Fault::NotReminded, (app, to), (from, until), what);
            }
        }
        for (to, app, at) in &case.mutes.refused {
            if self.blurred.contains(to) {
                continue;
            }
            let (person, name) = (case.person(*to), case.name(*app));
            let what = format!("{person} has heard enough of {name}, which is said not to be open");
            self.find(Fault::NotMuted, (*app, *to), (*at, *at), what);
        }
    }
}

/// The quiet time in which an app surely is, if that did not begin just before.
fn is_quiet(walk: &Walk<'_, '_>, app: AppId, at: Ms) -> Option<Span> {
    walk.case.quiet.surely_at(app, at).filter(|span| span.from + PATIENCE < at)
}

/// Apps that are newly watched.
fn watched<'r>(read: &'r Read<'_>) -> impl Iterator<Item = AppId> + use<'r> {
    let listed = read.reading.list.iter().filter_map(|point| match &point.tells {
        Tells::Watching(row) => Some(row),
        _ => None,
    });
    let alone = read.reading.watching.as_ref().map(|(row, _)| row);
    listed.chain(alone).flat_map(|row| &row.names).filter_map(|named| named.app)
}
