//! A story, with all that the judge has worked out before it judges.

use std::collections::BTreeSet;

use super::behind::Behind;
use super::clock::Clock;
use super::finding::{Fault, Finding};
use super::incidents::Incidents;
use super::letters::{Post, Read, letters};
use super::life::{Life, lives};
use super::mutes::Mutes;
use super::quiet::Quiet;
use super::settling::{Interruption, interruptions};
use super::spans;
use super::troubles::{Trouble, troubles};
use crate::story::{AppId, CauseKind, Ms, PersonId, Span, Story};

/// So much before what went wrong is told with it.
const BEFORE: Ms = 5 * 60_000;
/// And so much after.
const AFTER: Ms = 2 * 60_000;

/// What is judged.
pub(super) struct Case<'s> {
    pub(super) story: &'s Story,
    pub(super) clock: Clock<'s>,
    pub(super) lives: Vec<Life<'s>>,
    pub(super) post: Post,
    pub(super) troubles: Vec<Trouble>,
    pub(super) incidents: Incidents,
    pub(super) letters: Vec<Read<'s>>,
    /// How many letters were accepted once more.
    pub(super) again: u64,
    pub(super) absent: Vec<Span>,
    pub(super) interruptions: Vec<Interruption>,
    pub(super) quiet: Quiet,
    pub(super) mutes: Mutes,
    /// Who was told to anybody before they were asked often enough, in which episode.
    suspects: BTreeSet<(AppId, usize)>,
}

impl<'s> Case<'s> {
    pub(super) fn new(story: &'s Story) -> Case<'s> {
        let clock = Clock::new(story);
        let absent = absent(story);
        let behind = Behind::of(story);
        let interruptions = interruptions(story, &behind);
        let quiet = Quiet::of(story, &clock);
        let lives = lives(story, &absent, &interruptions, &behind, &quiet);
        let post = Post::new(story, &clock, &absent);
        let each = lives.iter().enumerate();
        let troubles = each.flat_map(|(app, life)| troubles(story, app, life)).collect();
        let incidents = Incidents::new(story, &lives);
        let (letters, again) = letters(story, &clock, &lives);
        let mutes = Mutes::of(story, &clock, &lives, &letters);
        let suspects = letters.iter().flat_map(|read| &read.states).filter(|it| it.is_suspect);
        let suspects = suspects.filter_map(|it| it.app.zip(it.episode)).collect();
        Case {
            story,
            clock,
            lives,
            post,
            troubles,
            incidents,
            letters,
            again,
            absent,
            interruptions,
            quiet,
            mutes,
            suspects,
        }
    }

    /// Whether somebody was told of an app before it was asked often enough.
    pub(super) fn was_suspect(&self, app: AppId, episode: usize) -> bool {
        self.suspects.contains(&(app, episode))
    }

    /// The last interruption that was over by then.
    pub(super) fn over_by(&self, at: Ms) -> Option<&Interruption> {
        let over = self.interruptions.iter().filter(|it| it.back <= at);
        over.max_by_key(|it| it.span.end())
    }

    pub(super) fn life(&self, app: AppId) -> &Life<'s> {
        &self.lives[app.0]
    }

    /// Whether an app is behind another, as its owner has said by then: by any number of others.
    pub(super) fn is_behind(&self, app: AppId, other: AppId, at: Ms) -> bool {
        app != other && self.above(app, at).contains(&other)
    }

    /// Whether two apps are on one host, or one is behind the other, or both behind the same.
    pub(super) fn is_related(&self, app: AppId, other: AppId, at: Ms) -> bool {
        let host = |app: AppId| self.life(app).app.host;
        let above = || self.above(app, at);
        host(app) == host(other) || self.above(other, at).iter().any(|it| above().contains(it))
    }

    /// Whether another app on the host of one passed in a span, by then: its host comes and goes.
    pub(super) fn passes_beside(&self, app: AppId, span: Span, by: Ms) -> bool {
        let host = self.life(app).app.host;
        let mut others = self.lives.iter().enumerate();
        others.any(|(other, life)| {
            AppId(other) != app && life.app.host == host && life.has_passed(span.from, by)
        })
    }

    /// An app, and all that it is behind.
    pub(super) fn above(&self, app: AppId, at: Ms) -> Vec<AppId> {
        let mut found = vec![app];
        let mut next = 0;
        while let Some(app) = found.get(next).copied() {
            let registered = self.life(app).app.registered_at(at);
            for parent in registered.into_iter().flat_map(|it| &it.parents) {
                if !found.contains(parent) {
                    found.push(*parent);
                }
            }
            next += 1;
        }
        found
    }

    pub(super) fn name(&self, app: AppId) -> &str {
        &self.story.apps[app.0].name
    }

    pub(super) fn person(&self, person: PersonId) -> &str {
        &self.story.people[person.0]
    }

    /// A finding about an app and a person, with the minutes around.
    pub(super) fn finding(
        &self,
        fault: Fault,
        (app, person): (Option<AppId>, Option<PersonId>),
        (from, until): (Ms, Ms),
        what: String,
    ) -> Finding {
        let from = from.saturating_sub(BEFORE);
        let until = until.saturating_add(AFTER).min(self.story.length);
        Finding { fault, app, person, from, until, what }
    }
}

/// When the daemon did not run, slept, or stood still.
fn absent(story: &Story) -> Vec<Span> {
    let causes = story.causes.iter().filter(|cause| cause.kind == CauseKind::OurAbsence);
    let mut absent: Vec<Span> = causes.map(|cause| cause.span).collect();
    let mut from = Some(0);
    for run in &story.runs {
        absent.extend(from.map(|from| Span { from, until: Some(run.from) }));
        from = run.until;
    }
    absent.extend(from.map(|from| Span { from, until: None }));
    absent.retain(|span| span.from < span.end());
    spans::united(absent)
}
