//! What comes and goes: a person hears once that it keeps failing, and then that it is well when that is believed.

use super::super::allowance;
use super::super::finding::{Fault, Wrong};
use super::super::letters::{Read, Statement};
use super::super::reading::Says;
use super::{First, Knows, Walk};
use crate::story::{AppId, Ms, PersonId};

impl Walk<'_, '_> {
    /// What an app did while a person knew that it keeps failing, by then.
    pub(super) fn covered(&mut self, to: PersonId, app: AppId, by: Ms) {
        let knows = self.knows.get(&(to, app)).copied().unwrap_or_default();
        let Some(letter) = knows.keeps_failing else { return };
        for (episode, its) in self.case.life(app).episodes.iter().enumerate() {
            if (knows.at..by).contains(&its.from) {
                let first = First { decided: its.from, letter };
                self.firsts.entry((to, app, episode)).or_insert(first);
            }
        }
    }

    /// How often an app was shown to fall ill since this person was told first, by then.
    pub(super) fn falls(&self, to: PersonId, app: AppId, by: Ms) -> usize {
        let first = self.knows.get(&(to, app)).and_then(|knows| knows.first).unwrap_or(0);
        1 + self.case.life(app).app.falls(first, by)
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
        if told.says != Says::KeepsFailing || self.blurred.contains(&to) {
            return;
        }
        let life = self.case.life(app);
        let begun =
            told.episode.map_or(decided, |episode| life.episodes[episode].from.min(decided));
        let falls = self.falls(to, app, decided);
        let within = life.app.registered_at(decided).map_or(0, |app| allowance::calm(app, falls));
        let was_well =
            life.app.well_after(begun.saturating_sub(within)).is_some_and(|at| at <= decided);
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
