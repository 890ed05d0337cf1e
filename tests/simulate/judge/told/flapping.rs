//! What comes and goes: a person hears once that it keeps failing, and then that it is well when that is believed.

use std::collections::BTreeSet;

use super::super::allowance;
use super::super::episodes::{Ending, Episode};
use super::super::finding::{Fault, Wrong};
use super::super::letters::{Read, Statement};
use super::super::reading::Says;
use super::{First, Knows, Walk};
use crate::story::{AppId, HostId, Ms, PersonId};
use healthchecker::engine::state::State;

impl Walk<'_, '_> {
    /// What an app did while a person knew that it keeps failing, by then.
    pub(super) fn covered(&mut self, to: PersonId, app: AppId, by: Ms) {
        let knows = self.knows.get(&(to, app)).copied().unwrap_or_default();
        let silent = knows.report.filter(|report| !self.real_reports.contains(report));
        let Some(letter) = knows.keeps_failing.or(silent.map(|(letter, _)| letter)) else {
            return self.known_still((to, app), knows, by);
        };
        let life = self.case.life(app);
        let mut well = knows.episode.map_or(0, |episode| life.episodes[episode].until());
        for (episode, its) in life.episodes.iter().enumerate() {
            if !(knows.at..by).contains(&its.from) {
                continue;
            }
            let calm = life.app.registered_at(its.from).map_or(0, |app| allowance::calm(app, 2));
            if knows.keeps_failing.is_none() && its.from > well.saturating_add(calm) {
                return;
            }
            well = its.until();
            let first = First { decided: its.from, letter };
            self.firsts.entry((to, app, episode)).or_insert(first);
        }
    }

    /// What ailed it again before the end was owed is no news, if it was no worse.
    fn known_still(&mut self, (to, app): (PersonId, AppId), knows: Knows, by: Ms) {
        let told = knows.episode.and_then(|known| self.firsts.get(&(to, app, known)));
        let Some(letter) = told.map(|first| first.letter) else { return };
        let life = self.case.life(app);
        for episode in self.relapses((to, app), knows, by) {
            let its = &life.episodes[episode];
            let shown = life.app.shown_by(its.from)..life.app.shown_by(its.until().min(by));
            let is_worse = life.app.states[shown].iter().any(|(_, it)| *it == State::Unhealthy);
            if knows.level == Some(State::Unhealthy) || !is_worse {
                let first = First { decided: its.from, letter };
                self.firsts.entry((to, app, episode)).or_insert(first);
            }
        }
    }

    /// When an app was unwell again by then, before the end was owed of what a person knows of it alone: it was quiet
    /// meanwhile.
    pub(super) fn relapses(
        &self,
        (to, app): (PersonId, AppId),
        knows: Knows,
        by: Ms,
    ) -> Vec<usize> {
        let life = self.case.life(app);
        let is_alone = knows.level.is_some() && knows.report.is_none();
        let known = knows.episode.filter(|_| is_alone).map(|known| (known, &life.episodes[known]));
        let Some((known, Episode { ending: Ending::Well(_), .. })) = known else { return vec![] };
        let owed = self.owed_from(to, app, knows).unwrap_or(by).min(by);
        let again = life.episodes.iter().enumerate().skip(known + 1);
        let again = again.filter(|(_, it)| knows.at <= it.from && it.from < owed);
        again.map(|(episode, _)| episode).collect()
    }

    /// How often an app, or others on its host, were shown to fall ill since this person was told first, by then.
    pub(super) fn falls_on_host(&self, to: PersonId, app: AppId, by: Ms) -> usize {
        let first = self.knows.get(&(to, app)).and_then(|knows| knows.first).unwrap_or(0);
        let host = self.case.life(app).app.host;
        let on_host = self.case.lives.iter().filter(|life| life.app.host == host);
        1 + on_host.map(|life| life.app.falls(first, by)).sum::<usize>()
    }

    /// Who is told that an app keeps failing has been told of trouble that was over, and it was HEALTHY shortly
    /// before.
    pub(super) fn keeps_failing(
        &mut self,
        read: &Read<'_>,
        told: &Statement,
        (app, knows): (AppId, Knows),
        decided: Ms,
    ) {
        let to = read.letter.to;
        if !told.keeps_failing || self.blurred.contains(&to) {
            return;
        }
        let life = self.case.life(app);
        let begun =
            told.episode.map_or(decided, |episode| life.episodes[episode].from.min(decided));
        let was_well = |app: AppId| {
            let life = self.case.life(app).app;
            let falls = self.falls_on_host(to, app, decided);
            let within = life.registered_at(decided).map_or(0, |now| allowance::calm(now, falls));
            let from = begun.saturating_sub(within);
            // Who was told before it was asked often enough was shown as HEALTHY all the time.
            let told = self.knows.get(&(to, app)).and_then(|knows| knows.episode);
            let told = told.filter(|episode| self.case.was_suspect(app, *episode));
            let ended = told.map(|episode| self.case.life(app).episodes[episode].until());
            let shown = life.well_after(from).into_iter().chain(ended.filter(|at| *at >= from));
            shown.min().is_some_and(|at| at <= decided)
        };
        // Of several it is said that some of them, or others on their hosts, were.
        let in_it = read.states.iter().filter(|it| it.of == told.of).filter_map(|it| it.app);
        let hosts: BTreeSet<HostId> = in_it.map(|app| self.case.life(app).app.host).collect();
        let all = (0..self.case.lives.len()).map(AppId);
        let mut on_hosts = all.filter(|app| hosts.contains(&self.case.life(*app).app.host));
        if told.says != Says::KeepsFailing && on_hosts.any(was_well) {
            return;
        }
        let was_well = was_well(app);
        // Whoever is told of it from now on hears how it is.
        let mut all = self.knows.iter().filter(|((_, of), _)| *of == app);
        let joins = knows.episode.is_none() && all.any(|(_, it)| it.keeps_failing.is_some());
        if (was_well && knows.episode.is_some()) || joins {
            return;
        }
        let what = format!(
            "{} is told that {} keeps failing, which it did not",
            self.case.person(to),
            self.case.name(app)
        );
        self.find(Fault::Wrong(Wrong::State), (app, to), (decided, read.letter.accepted), what);
    }
}
