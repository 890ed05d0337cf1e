//! Incidents: one root cause and all that it reached.

use std::collections::BTreeMap;

use super::allowance::ONE_EVENT;
use super::life::Life;
use crate::story::{CauseId, CauseKind, Ms, Story};

/// An episode, by the place of its app and its own place there.
pub(super) type EpisodeId = (usize, usize);

/// What belongs together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Incident {
    /// By the cause that began it.
    pub(super) kind: CauseKind,
    pub(super) from: Ms,
}

/// All incidents, and who belongs where.
pub(super) struct Incidents {
    pub(super) all: Vec<Incident>,
    /// The incident of each cause that kept a check from passing.
    of_cause: BTreeMap<CauseId, usize>,
}

impl Incidents {
    /// Causes that begin within three minutes of the first of them are one; and one in the shadow of
    /// others, where every app that it reached was unwell by them already.
    pub(super) fn new(story: &Story, lives: &[Life<'_>]) -> Incidents {
        let mut episodes_of: BTreeMap<CauseId, Vec<EpisodeId>> = BTreeMap::new();
        for (app, life) in lives.iter().enumerate() {
            for (place, episode) in life.episodes.iter().enumerate() {
                for cause in &episode.causes {
                    if !story.causes[cause.0].kind.is_ours() {
                        episodes_of.entry(*cause).or_default().push((app, place));
                    }
                }
            }
        }
        let mut all: Vec<Incident> = Vec::new();
        let mut of_cause = BTreeMap::new();
        let mut owners: BTreeMap<EpisodeId, usize> = BTreeMap::new();
        // In the order in which they began, as the causes stand in the story.
        for (cause, episodes) in episodes_of {
            let from = story.causes[cause.0].span.from;
            let near = all.len().checked_sub(1).filter(|last| from <= all[*last].from + ONE_EVENT);
            let shadow = episodes.iter().map(|episode| owners.get(episode).copied()).min();
            let incident = near.or(shadow.flatten()).unwrap_or_else(|| {
                all.push(Incident { kind: story.causes[cause.0].kind, from });
                all.len() - 1
            });
            of_cause.insert(cause, incident);
            for episode in episodes {
                owners.entry(episode).or_insert(incident);
            }
        }
        Incidents { all, of_cause }
    }

    /// The incident of a cause.
    pub(super) fn of_cause(&self, cause: CauseId) -> Option<usize> {
        self.of_cause.get(&cause).copied()
    }

    /// What a mail written at `written` tells of, where it speaks of an episode.
    pub(super) fn told(
        &self,
        story: &Story,
        life: &Life<'_>,
        episode: usize,
        written: Ms,
    ) -> Vec<usize> {
        let causes = life.episodes[episode].causes.iter();
        let begun = causes.filter(|cause| story.causes[cause.0].span.from <= written);
        let mut incidents: Vec<usize> = begun.filter_map(|cause| self.of_cause(*cause)).collect();
        incidents.sort_unstable();
        incidents.dedup();
        incidents
    }
}
