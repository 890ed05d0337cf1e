//! When an app was unwell: from the first check that did not pass until it is well again, or stopped.

use super::checks::Weight;
use crate::story::{App, AppId, CauseId, Ms};
use healthchecker::engine::state::State;
use healthchecker::engine::verdict::answer::Outcome;
use std::ops::Range;

/// How a time of being unwell ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ending {
    /// `healthy` checks in a row passed.
    Well(Ms),
    /// It was watched no longer.
    Stopped(Ms),
    /// Not within the story.
    Open,
}

/// An app was unwell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Episode {
    pub(super) app: AppId,
    /// When the first check began that did not pass.
    pub(super) from: Ms,
    pub(super) ending: Ending,
    /// The checks that belong to it.
    pub(super) checks: Range<usize>,
    /// All that acted on those that did not pass, in the order in which it did.
    pub(super) causes: Vec<CauseId>,
}

impl Episode {
    pub(super) fn until(&self) -> Ms {
        match self.ending {
            Ending::Well(at) | Ending::Stopped(at) => at,
            Ending::Open => Ms::MAX,
        }
    }
}

/// All episodes of an app, in order.
pub(super) fn episodes(id: AppId, app: &App, weights: &[Weight]) -> Vec<Episode> {
    let stops = app.stops();
    let resets = app.resets();
    let (mut next_stop, mut next_reset) = (0, 0);
    let mut episodes: Vec<Episode> = Vec::new();
    let mut current: Option<Episode> = None;
    let (mut passes, mut last_ill) = (0, 0);
    for (at, check) in app.checks.iter().enumerate() {
        while let Some(stop) = stops.get(next_stop).filter(|stop| **stop < check.ended) {
            next_stop += 1;
            let open = current.take_if(|it| it.from < *stop);
            episodes.extend(open.map(|it| closed(it, Ending::Stopped(*stop), app, last_ill)));
        }
        while resets.get(next_reset).is_some_and(|reset| *reset < check.ended) {
            next_reset += 1;
            passes = 0;
        }
        if app.is_quiet(check) {
            passes = 0;
        }
        let Some(outcome) = check.outcome else { continue };
        if outcome == Outcome::Pass {
            let Some(episode) = &mut current else { continue };
            episode.checks.end = at + 1;
            passes += u32::from(weights[at] == Weight::Counts);
            if passes >= app.registered_at(check.ended).map_or(u32::MAX, |it| it.healthy) {
                let well = Ending::Well(check.ended);
                episodes.extend(current.take().map(|it| closed(it, well, app, last_ill)));
            }
            continue;
        }
        // Passes that nobody noted.
        if let Some(well) = app.healthy_between(last_ill, check.begun) {
            episodes.extend(current.take().map(|it| Episode { ending: Ending::Well(well), ..it }));
        }
        let episode = current.get_or_insert_with(|| Episode {
            app: id,
            from: check.begun,
            ending: Ending::Open,
            checks: at..at,
            causes: Vec::new(),
        });
        episode.checks.end = at + 1;
        for cause in &check.causes {
            if !episode.causes.contains(cause) {
                episode.causes.push(*cause);
            }
        }
        (passes, last_ill) = (0, check.ended);
    }
    if let Some(open) = current {
        let stop = stops.get(next_stop).map_or(Ending::Open, |stop| Ending::Stopped(*stop));
        episodes.push(closed(open, stop, app, last_ill));
    }
    episodes
}

/// It ended so at the latest: the state that was shown may tell of passes that nobody noted.
fn closed(episode: Episode, ending: Ending, app: &App, last_ill: Ms) -> Episode {
    let latest = match ending {
        Ending::Well(at) | Ending::Stopped(at) => at,
        Ending::Open => Ms::MAX,
    };
    let ending = app.healthy_between(last_ill, latest).map_or(ending, Ending::Well);
    Episode { ending, ..episode }
}

impl App {
    /// When it was first shown as HEALTHY after that.
    pub(super) fn well_after(&self, at: Ms) -> Option<Ms> {
        self.healthy_between(at, Ms::MAX)
    }

    /// How often it was shown to be HEALTHY no longer after one time and by another.
    pub(super) fn falls(&self, after: Ms, by: Ms) -> usize {
        let known = self.states.iter().filter(|(_, state)| *state != State::Unknown);
        let before = known.clone().skip(1).zip(known);
        let falls = before.filter(|((at, now), (_, before))| {
            after < *at && *at <= by && *before == State::Healthy && *now != State::Healthy
        });
        falls.count()
    }

    /// When it was first shown as HEALTHY after one time and before another.
    fn healthy_between(&self, after: Ms, before: Ms) -> Option<Ms> {
        let first = self.states.partition_point(|(at, _)| *at <= after);
        let later = self.states[first..].iter().take_while(|(at, _)| *at < before);
        later.filter(|(_, state)| *state == State::Healthy).map(|(at, _)| *at).next()
    }
}
