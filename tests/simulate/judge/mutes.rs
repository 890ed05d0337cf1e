//! Mutes: which person has heard enough of which app, and until when.

use std::collections::BTreeMap;

use super::allowance::PATIENCE;
use super::clock::{Clock, SLACK};
use super::letters::{Of, Read};
use super::life::Life;
use super::quiet::at_least_and_most;
use crate::story::{AppId, Lasts, Ms, Mute, Muted, PersonId, Span, Story};
use healthchecker::engine::state::State;

/// A person hears no more of an app.
#[derive(Clone, Copy, Debug)]
pub(super) struct Deaf {
    /// At least so long.
    pub(super) span: Span,
    /// When its time is over, at the latest, if that ends it: then they hear of it once more.
    pub(super) runs_out: Option<Ms>,
}

/// All of them, in order.
#[derive(Default)]
pub(super) struct Mutes {
    of: BTreeMap<(PersonId, AppId), Vec<Deaf>>,
    /// Those that were refused, though this person knew of this trouble.
    pub(super) refused: Vec<(PersonId, AppId, Ms)>,
}

impl Mutes {
    pub(super) fn of(
        story: &Story,
        clock: &Clock<'_>,
        lives: &[Life<'_>],
        letters: &[Read<'_>],
    ) -> Mutes {
        let mut mutes = Mutes::default();
        if story.mutes.is_empty() {
            return mutes;
        }
        let told = Told::of(letters);
        for mute in &story.mutes {
            for (to, app) in told.meant(mute, lives) {
                let life = &lives[app.0];
                if mute.refused {
                    mutes.refused.push((to, app, mute.at));
                    continue;
                }
                let known = mutes.of.entry((to, app)).or_default();
                if let Some(before) = known.last_mut().filter(|it| it.span.end() > mute.at) {
                    *before =
                        Deaf { span: Span { until: Some(mute.at), ..before.span }, runs_out: None };
                }
                known.extend(deaf(mute, story, clock, life));
            }
        }
        mutes
    }

    fn all(&self, to: PersonId, app: AppId) -> &[Deaf] {
        self.of.get(&(to, app)).map_or(&[], Vec::as_slice)
    }

    /// For how long a person surely has heard enough of an app, if since long enough that no mail is on its way.
    pub(super) fn held(&self, to: PersonId, app: AppId, at: Ms) -> Option<Span> {
        let mut all = self.all(to, app).iter().map(|it| it.span);
        // Times are told in whole seconds.
        all.find(|span| span.from + PATIENCE < at && at.saturating_add(SLACK) < span.end())
    }

    /// Whether a person may not have heard of an app for that between two times.
    pub(super) fn touches(&self, to: PersonId, app: AppId, from: Ms, until: Ms) -> bool {
        let ends = |it: &Deaf| it.runs_out.unwrap_or(it.span.end());
        self.all(to, app).iter().any(|it| it.span.from <= until && from <= ends(it))
    }

    /// The latest end of what a person wanted to hear no more of one of these, that held between two times.
    pub(super) fn last_end(&self, to: PersonId, apps: &[AppId], from: Ms, until: Ms) -> Option<Ms> {
        let all = apps.iter().flat_map(|app| self.all(to, *app));
        let touching = all.filter(|it| it.span.from <= until && from <= it.span.end());
        touching.map(|it| it.runs_out.unwrap_or(it.span.end())).max()
    }

    /// Those whose time is over: who is to hear of what once more, from when on, and when at the latest.
    pub(super) fn run_out(&self) -> impl Iterator<Item = (PersonId, AppId, Span)> + '_ {
        self.of.iter().flat_map(|((to, app), all)| {
            let all = all.iter().filter_map(|it| Some((it.span.end(), it.runs_out?)));
            all.map(|(least, most)| (*to, *app, Span { from: least, until: Some(most) }))
        })
    }
}

/// From when to when a person is deaf who says so.
fn deaf(mute: &Mute, story: &Story, clock: &Clock<'_>, life: &Life<'_>) -> Option<Deaf> {
    let well = life.app.well_after(mute.at);
    let over = well.into_iter().chain(life.next_stop(mute.at)).min();
    let from = mute.at;
    match mute.lasts {
        Lasts::Not => None,
        Lasts::UntilWell => Some(Deaf { span: Span { from, until: over }, runs_out: None }),
        Lasts::For(lasts) => {
            let asked = Span { from, until: Some(from + lasts) };
            let (least, most) = at_least_and_most(asked, story, clock);
            let is_over = over.is_some_and(|over| over <= most.end());
            let until = least.end().min(over.unwrap_or(Ms::MAX));
            let span = Span { from, until: Some(until) };
            Some(Deaf { span, runs_out: (!is_over).then_some(most.end()) })
        }
    }
}

/// Who was told of which trouble, when.
struct Told<'c, 's> {
    letters: &'c [Read<'s>],
    of: BTreeMap<(PersonId, AppId), Vec<Ms>>,
}

impl<'c, 's> Told<'c, 's> {
    fn of(letters: &'c [Read<'s>]) -> Told<'c, 's> {
        let mut of: BTreeMap<(PersonId, AppId), Vec<Ms>> = BTreeMap::new();
        for read in letters {
            for app in of_trouble(read) {
                of.entry((read.letter.to, app)).or_default().push(read.letter.accepted);
            }
        }
        Told { letters, of }
    }

    /// Of whose trouble that is, of which it is said so: it lasts, and they know.
    fn meant(&self, mute: &Mute, lives: &[Life<'_>]) -> Vec<(PersonId, AppId)> {
        let lasts = |app: AppId, told: Ms| {
            let life = &lives[app.0];
            let over = life.app.well_after(told).into_iter().chain(life.next_stop(told)).min();
            let is_over = over.is_some_and(|over| over <= mute.at);
            told <= mute.at && !is_over && life.app.state_at(mute.at) != State::Healthy
        };
        match &mute.of {
            Muted::App(app) => {
                let theirs = self.of.iter().filter(|((to, its), _)| {
                    its == app && mute.to.is_none_or(|person| person == *to)
                });
                let open = theirs.filter(|(_, told)| told.iter().any(|told| lasts(*app, *told)));
                open.map(|(key, _)| *key).collect()
            }
            Muted::Mail(id) => {
                let is_it = |read: &&Read<'_>| {
                    read.letter.message_id == *id && mute.to == Some(read.letter.to)
                };
                let Some(read) = self.letters.iter().find(is_it) else { return Vec::new() };
                // It is dead with what it tells.
                let apps = of_trouble(read).into_iter();
                let open = apps.filter(|app| lasts(*app, read.letter.accepted));
                open.map(|app| (read.letter.to, app)).collect()
            }
        }
    }
}

/// The apps of whose trouble a letter tells.
fn of_trouble(read: &Read<'_>) -> Vec<AppId> {
    let tells = read.states.iter().filter(|it| it.is_trouble() || it.of == Of::Reminder);
    let mut apps: Vec<AppId> = tells.filter_map(|it| it.app).collect();
    apps.sort_unstable();
    apps.dedup();
    apps
}
