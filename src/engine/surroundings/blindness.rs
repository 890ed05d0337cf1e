//! What people are told of times in which we saw nobody, or nobody on the internet: while it lasts, if a mail
//! can go and it is everybody, else afterwards.

use std::time::Duration;

use super::Surroundings;
use super::away::{Away, Part};
use super::run::{Gap, Outage, Run};
use crate::engine::registry::Registry;
use crate::engine::time::{Moment, Now, Stamp};

/// Shorter ones are not told.
const WORTH_TELLING: Duration = Duration::from_secs(600);
/// One note in this time.
const NOTES_EVERY: Duration = Duration::from_secs(3600);
/// Of more than these the oldest are not told.
const GAPS_MAX: usize = 20;
/// So many apps out there are noted: a run is written anew with each of them.
const OUT_THERE_MAX: usize = 100;

/// Our own network.
impl Surroundings {
    pub(super) fn lose_sight(&mut self, since: Stamp) {
        self.note(|run| {
            run.outage.get_or_insert(Outage { since, told: false });
        });
    }

    pub(super) fn see_again(&mut self, now: Now) {
        self.note(|run| {
            let untold = run.outage.take().filter(|outage| !outage.told);
            untold.into_iter().for_each(|it| run.end(now, Gap::since(it.since)));
        });
        self.owe_note();
    }
}

/// The internet.
impl Surroundings {
    pub(super) fn lose_internet(&mut self, since: Stamp) {
        self.note(|run| run.gaps.push(Gap { internet: true, ..Gap::since(since) }));
    }

    /// An app is not seen for want of it.
    pub(super) fn miss(&mut self, app: &str) {
        let known = &self.run().out_there;
        if known.len() < OUT_THERE_MAX && !known.iter().any(|known| known == app) {
            self.note(|run| run.out_there.push(app.to_owned()));
        }
    }

    pub(super) fn see_internet(&mut self, now: Now) {
        self.note(|run| {
            let open = run.gaps.iter().position(Gap::goes_on).map(|place| run.gaps.remove(place));
            open.into_iter().for_each(|gap| run.end(now, gap));
        });
        self.owe_note();
    }

    /// If it hides nobody any more, nobody knows when it is back.
    pub(super) fn forget_internet(&mut self) {
        if self.network.internet.is_none() && self.run().gaps.iter().any(Gap::goes_on) {
            self.note(|run| {
                run.gaps.retain(|gap| !gap.goes_on());
                run.tidy();
            });
        }
    }

    /// The apps are there, after a start: those are not seen that were not before it.
    pub fn handle_start(&mut self, now: Now, registry: &Registry) {
        let Some(away) = &mut self.network.internet else { return };
        let apps = self.run.get().out_there.iter().filter_map(|name| registry.id_of(name));
        apps.for_each(|id| away.hide(now, id));
        self.network.internet.take_if(|away| away.hides_nobody());
        self.forget_internet();
    }
}

/// What is to be told.
impl Surroundings {
    /// What was to be told in the run `before`. Within this boot the internet is away until it is seen.
    pub(super) fn recall_gaps(&mut self, before: &Run) {
        let goes_on = before.boot_id.is_some()
            && before.boot_id == self.run().boot_id
            && !self.anchors.is_empty();
        self.note(|run| {
            run.gaps.clone_from(&before.gaps);
            run.gaps.retain(|gap| goes_on || !gap.goes_on());
            run.out_there.clone_from(&before.out_there);
        });
        self.owe_note();
        let since = self.run().gaps.iter().find(|gap| gap.goes_on()).map(|gap| gap.from);
        self.network.internet = since.map(Away::since);
    }

    fn owe_note(&mut self) {
        self.owes_note = self.run().gaps.iter().any(|gap| !gap.goes_on());
    }

    /// When there may be something to tell.
    pub(super) fn blindness_deadline(&self) -> Option<Moment> {
        let run = self.run();
        if let Some((part, _)) = self.network.down() {
            let outage = run.outage.filter(|outage| part == Part::Network && !outage.told)?;
            return Some(outage.since.at().unwrap_or_default() + WORTH_TELLING);
        }
        // How those are that are not seen cannot be told.
        if !self.owes_note || self.settling.is_some() || self.network.internet.is_some() {
            return None;
        }
        Some(run.noted.and_then(Stamp::at).map_or(Moment::default(), |noted| noted + NOTES_EVERY))
    }

    /// The times in which we saw nobody, if people are to be told of them now, and the apps out there that
    /// are concerned where it was the internet. The last may go on.
    pub fn poll_blindness(&mut self, now: Now) -> Option<(Vec<Gap>, Vec<String>)> {
        self.blindness_deadline().filter(|at| *at <= now.at)?;
        let is_down = self.network.is_down();
        self.owes_note = false;
        let (mut gaps, mut out_there) = (Vec::new(), Vec::new());
        self.note(|run| {
            out_there.clone_from(&run.out_there);
            (run.gaps, gaps) = run.gaps.iter().copied().partition(|gap| gap.goes_on());
            run.tidy();
            if let Some(outage) = run.outage.as_mut().filter(|_| is_down) {
                outage.told = true;
                gaps.push(Gap::since(outage.since));
            }
            run.noted = Some(Stamp::noted(now));
        });
        Some((gaps, out_there))
    }
}

impl Run {
    /// What went on is over. People are to be told of it, if it was long.
    fn end(&mut self, now: Now, gap: Gap) {
        if gap.from.age(now.at).span > WORTH_TELLING {
            self.gaps.push(Gap { until: Some(Stamp::noted(now)), ..gap });
            let surplus = self.gaps.len().saturating_sub(GAPS_MAX);
            self.gaps.drain(..surplus);
        }
        self.tidy();
    }

    /// Who is out there is of use only for what is told of the internet.
    fn tidy(&mut self) {
        if !self.gaps.iter().any(|gap| gap.internet) {
            self.out_there.clear();
        }
    }
}
