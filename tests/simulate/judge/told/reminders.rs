//! Reminders: who knows that an app is UNHEALTHY hears so again, an hour, six hours and a day after it began, and
//! then daily, as long as it lasts; by one clock for all that they know.

use std::collections::{BTreeMap, BTreeSet};

use super::super::allowance::{REMINDED_AFTER, REMINDED_DAILY, REMINDED_WITHIN};
use super::super::clock::SLACK;
use super::super::finding::{Fault, Wrong};
use super::super::letters::{Of, Read, Statement};
use super::super::spans;
use super::{Known, Walk};
use crate::story::{AppId, Ms, PersonId, Span};
use healthchecker::engine::state::State;

/// When trouble began that a person knows, and when they were told.
#[derive(Clone, Copy, Debug)]
pub(super) struct Since {
    begun: Ms,
    told: Ms,
}

impl Since {
    /// It became UNHEALTHY by then, of which they knew as DEGRADED.
    pub(super) fn worse(at: Ms) -> Since {
        Since { begun: at, told: at }
    }
}

/// All that people were told again, and for how long they knew what.
#[derive(Debug, Default)]
pub(super) struct Reminders {
    of: BTreeMap<PersonId, Vec<Heard>>,
    known: Vec<((PersonId, AppId), Span)>,
}

/// A person was told again of an app.
#[derive(Clone, Copy, Debug)]
struct Heard {
    at: Ms,
    app: AppId,
    /// Since they had heard enough of it for a while, and that was over: it comes by no clock.
    is_after_a_mute: bool,
}

impl Reminders {
    /// A person is told that an app is well.
    pub(super) fn ends(&mut self, key: (PersonId, AppId), since: Option<Since>, at: Ms) {
        let known = since.map(|since| Span { from: since.told, until: Some(at.max(since.told)) });
        self.known.extend(known.map(|known| (key, known)));
    }
}

impl Walk<'_, '_> {
    /// The trouble that a person is told of first.
    pub(super) fn begins(&self, told: &Statement, app: AppId, decided: Ms) -> Since {
        let episodes = &self.case.life(app).episodes;
        let begun = told.episode.map_or(decided, |episode| episodes[episode].from);
        Since { begun: begun.min(decided), told: decided }
    }

    /// A person is told again that an app is UNHEALTHY; whether that is due.
    pub(super) fn reminder(&mut self, read: &Read<'_>, told: &Statement, app: AppId) -> bool {
        let to = read.letter.to;
        let at = self.decided(read, told);
        let knows = self.knows(to, app, at);
        // A list may tell its beginning and its end, too.
        let is_told_here = read
            .states
            .iter()
            .any(|it| it.app == Some(app) && it.of != Of::Reminder && it.is_trouble());
        // Or count it, of what is over by then.
        let is_told_here = is_told_here || read.counts().is_some();
        if knows.level.is_none() && !is_told_here && !self.blurred.contains(&to) {
            let (person, name) = (self.case.person(to), self.case.name(app));
            let what =
                format!("{person} is told that {name} is still UNHEALTHY, and was not told before");
            self.find(Fault::Wrong(Wrong::State), (app, to), (at, read.letter.accepted), what);
        }
        let before = || self.reminders.of.get(&to).into_iter().flatten();
        let muted = before().filter(|heard| heard.app == app && heard.is_after_a_mute);
        let muted: BTreeSet<Ms> = muted.map(|heard| heard.at).collect();
        let before = before().filter(|heard| !heard.is_after_a_mute);
        let before: BTreeSet<Ms> = before.map(|heard| heard.at).collect();
        let theirs =
            self.knows.iter().filter(|((person, _), it)| *person == to && it.level.is_some());
        // One letter tells of all of them.
        let mut since = theirs.flat_map(|((_, app), knows)| {
            let episodes = &self.case.life(*app).episodes;
            let again = self.relapses((to, *app), *knows, at).into_iter();
            let again = again.map(|episode| episodes[episode].from);
            let again = again.map(|begun| Since { begun, told: begun });
            knows.since.into_iter().chain(knows.again).chain(again).collect::<Vec<Since>>()
        });
        let is_due = since.any(|since| {
            let due = |by: Ms| dues((by + SLACK).saturating_sub(since.begun)).count();
            let had = before.range(since.told..at).filter(|before| *before + SLACK < at);
            // What they heard by the clock of older trouble was none of this, an hour later.
            let last = had.clone().next_back().map(|last| last + REMINDED_AFTER[0]);
            // What was due by then was told by that.
            let then = muted.range(since.told..at).filter(|then| **then + SLACK < at);
            let fulfilled = then.map(|then| due(*then)).max().unwrap_or(0);
            had.count().max(fulfilled) < due(at) || last.is_some_and(|last| due(last) < due(at))
        });
        let is_after_a_mute = self.is_after_a_mute(to, app, at);
        let heard = Heard { at, app, is_after_a_mute };
        self.reminders.of.entry(to).or_default().push(heard);
        is_due || is_after_a_mute
    }

    /// Who was not reminded of what they knew.
    pub(super) fn not_reminded(&mut self) -> Known {
        let length = self.case.story.length;
        let open = self.knows.iter().filter(|(_, knows)| knows.level.is_some());
        let open: Vec<_> = open.map(|(key, knows)| (*key, knows.since)).collect();
        open.into_iter().for_each(|(key, since)| self.reminders.ends(key, since, length));
        let known = std::mem::take(&mut self.reminders.known);
        if !self.case.story.reminds {
            return known;
        }
        for ((to, app), span) in &known {
            if self.blurred.contains(to) {
                continue;
            }
            let theirs = known.iter().filter(|((person, other), it)| {
                person == to && other != app && it.from <= span.from && span.from <= it.end()
            });
            let within = if theirs.count() == 0 { REMINDED_AFTER[0] } else { REMINDED_DAILY };
            self.reminded_in_time((*to, *app), *span, within + REMINDED_WITHIN);
        }
        known
    }

    /// Whether a person heard so often of what they knew; the first time `within` so long.
    fn reminded_in_time(&mut self, (to, app): (PersonId, AppId), span: Span, within: Ms) {
        let all = self.reminders.of.get(&to).into_iter().flatten();
        let heard = all.filter(|heard| heard.app == app).map(|heard| heard.at);
        let heard: Vec<Ms> = heard.filter(|at| span.from <= *at && *at <= span.end()).collect();
        let mut from = span.from;
        let mut within = within;
        for until in heard.into_iter().chain([span.end()]) {
            while until > from + within {
                let unheard = Span { from, until: Some(from + within) };
                if self.is_plain((to, app), unheard) {
                    let (person, name) = (self.case.person(to), self.case.name(app));
                    let what = format!("{person} is not told again that {name} is UNHEALTHY");
                    return self.find(Fault::NotReminded, (app, to), (from, from + within), what);
                }
                (from, within) = (from + within, REMINDED_DAILY + REMINDED_WITHIN);
            }
            (from, within) = (until, REMINDED_DAILY + REMINDED_WITHIN);
        }
    }

    /// Whether an app is UNHEALTHY all that time, to be seen, theirs, and they want to hear of it, and a mail could go.
    fn is_plain(&self, (to, app): (PersonId, AppId), span: Span) -> bool {
        let is_deaf = self.case.mutes.touches(to, app, span.from, span.end());
        !is_deaf && self.is_plain_but_for_mutes((to, app), span)
    }

    /// The same, whether they want to or not.
    pub(super) fn is_plain_but_for_mutes(&self, (to, app): (PersonId, AppId), span: Span) -> bool {
        let (case, life) = (self.case, self.case.life(app));
        let (from, until) = (span.from, span.end());
        let states = &life.app.states[life.app.shown_by(from)..life.app.shown_by(until)];
        let is_ill = life.app.state_at(from) == State::Unhealthy && states.is_empty();
        let is_theirs = |at| life.app.registered_at(at).is_some_and(|it| it.people.contains(&to));
        let is_seen = life.waits.iter().all(|it| it.span.end() < from || until < it.span.from);
        let is_seen = is_seen && !life.is_quiet_between(from, until);
        let is_here = spans::covered(&case.absent, from, until) == 0;
        // One that passes just then, and not often enough, is not told again.
        let passes = life.has_passed(from, until);
        let all = is_ill && is_theirs(from) && is_theirs(until) && is_seen && is_here && !passes;
        all && case.post.excused(to, from, until) == 0
    }
}

/// After how long trouble is told again, as far as it lasts so long.
fn dues(age: Ms) -> impl Iterator<Item = Ms> {
    let daily = (1..=age / REMINDED_DAILY).map(|day| day * REMINDED_DAILY);
    REMINDED_AFTER.into_iter().filter(move |due| *due <= age).chain(daily)
}
