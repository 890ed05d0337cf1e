//! Our surroundings: whether a silence can be ours, before an app is blamed for it.
//!
//! While our own [network] is down, failures of apps on other machines are void. After that, after
//! the power came back, a reboot or a sleep, each device needs its own time. So an interruption is followed
//! by [settling]: until an app has answered once, its failures are void, too. What is not back at
//! the end is told in one report.

pub mod network;
pub mod run;
pub mod settling;
mod voids;

use std::time::Duration;

use self::network::{Network, is_elsewhere};
use self::run::{Interruption, Run};
use self::settling::{Ended, Settling};
use self::voids::Voids;
use super::ledger::Ledger;
use super::registry::{App, AppId, Registry};
use super::time::{Moment, Now, Stamp, Synchronised};
use super::verdict::answer::{Life, Outcome, Verdict};

/// While things settle, every app is asked so often at least.
pub const ASKED_EVERY: Duration = Duration::from_secs(30);
/// Who was away for no longer has missed nothing that settles.
const NOT_AWAY: Duration = Duration::from_secs(10);
/// After an absence within one boot, things settle for as long as it took, but no shorter than this
const SHORTEST: Duration = Duration::from_secs(60);
/// and no longer.
const LONGEST: Duration = Duration::from_secs(600);

/// What a verdict is worth.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Worth {
    /// It counts.
    Counts,
    /// The app is back: it counts, and no failure before it does.
    Back,
    /// It is a failure of an app that may not be back yet: void.
    Void,
}

/// What we know of what is around us.
#[derive(Debug)]
pub struct Surroundings {
    /// How long things settle after a boot, at most.
    settle: Duration,
    /// One entry: this run.
    run: Ledger<(), Run>,
    network: Network,
    settling: Option<Settling>,
    voids: Voids,
}

/// Interruptions.
impl Surroundings {
    /// Ours in the boot called `boot_id`, after which things may settle for `settle`.
    pub fn new(boot_id: Option<String>, settle: Duration) -> Surroundings {
        let mut run = Ledger::default();
        run.insert((), Run::begun(boot_id));
        let (network, voids) = (Network::default(), Voids::default());
        Surroundings { settle, run, network, settling: None, voids }
    }

    /// What there is to settle after the run that is on record. `last`: the newest time on record.
    pub fn interrupted(
        &mut self,
        now: Now,
        before: Option<&Run>,
        last: Option<Stamp>,
    ) -> Option<Interruption> {
        let before = before?;
        self.run.edit(&(), |run| run.interrupted(now, before, last)).flatten()
    }

    /// The run that is on record: what it says of time servers, for this one.
    pub fn follow(&mut self, before: Option<&Run>) -> Synchronised {
        self.note(|run| before.into_iter().for_each(|before| run.follow(before)));
        self.run().map(|run| run.synchronised).unwrap_or_default()
    }

    /// A time server has set the clock, as the system says.
    pub fn handle_synchronised(&mut self) {
        self.note(|run| run.synchronised = Synchronised::Now);
    }

    /// Things settle from now on: every app of `registry` is awaited that is asked and was well.
    pub fn begin(&mut self, now: Now, interruption: Interruption, registry: &Registry) {
        self.settle(now, interruption, self.settle, registry);
    }

    /// Neither we nor the machine did anything for so long. Whether there is something to settle.
    pub fn handle_absence(
        &mut self,
        now: Now,
        interruption: Interruption,
        absence: Duration,
        registry: &Registry,
    ) -> bool {
        let was_away = absence > NOT_AWAY;
        if was_away {
            self.settle(now, interruption, absence.clamp(SHORTEST, LONGEST), registry);
        }
        was_away
    }

    fn settle(
        &mut self,
        now: Now,
        interruption: Interruption,
        within: Duration,
        registry: &Registry,
    ) {
        // One that began before goes on, with all that is awaited by now.
        let until = (now.at + within).max(self.next_deadline().unwrap_or_default());
        // At a start, one that began in the run before does.
        let since = self.run().and_then(|run| run.settling_since).unwrap_or(Stamp::noted(now));
        let (mut told, mut began) = (interruption, since);
        if let Some(before) = self.settling.take() {
            began = Stamp::noted(now);
            let later = told.clone();
            told = before.interruption.clone().and(told);
            if told == before.interruption && told != later {
                // The power was back before our network was, and that is what is told.
                began = before.began;
            }
        }
        self.note(|run| {
            (run.settling, run.settling_since) = (Some(told.clone()), Some(since));
        });
        self.settling = Some(Settling::new(began, told, until, registry));
    }

    /// The daemon ends in order.
    pub fn handle_stop(&mut self) {
        self.note(|run| run.ended = true);
    }

    /// This run, if what is on disk of it has changed since this was called last.
    pub fn take_changed(&mut self) -> Option<&Run> {
        let changed = !self.run.take_changed().is_empty();
        self.run().filter(|_| changed)
    }

    /// This run.
    pub fn run(&self) -> Option<&Run> {
        self.run.get(&())
    }

    fn note(&mut self, change: impl FnOnce(&mut Run)) {
        self.run.edit(&(), change);
    }
}

/// What happens to apps meanwhile.
impl Surroundings {
    /// A check has ended: whether our network shows to be down by it, or to be back. How long it was
    /// down, if it is back: to be called before [`Surroundings::handle_verdict`].
    pub fn handle_network(
        &mut self,
        now: Now,
        (id, app): (AppId, &App),
        verdict: &Verdict,
    ) -> Option<Duration> {
        if !is_elsewhere(app) {
            return None;
        }
        let down = self.network.down_since().is_some();
        let back = self.network.handle_verdict(now, id, verdict);
        if !down && self.network.down_since().is_some() && self.settling.is_none() {
            // Who crashes now has this to settle.
            self.note(|run| run.settling = Some(Interruption::Network));
        }
        if back.is_some() && self.settling.is_none() {
            self.note(|run| run.settling = None);
        }
        back
    }

    /// What a verdict on an app is worth, whose check `began` then.
    pub fn handle_verdict(
        &mut self,
        now: Now,
        (id, app): (AppId, &App),
        verdict: &Verdict,
        began: Moment,
    ) -> Worth {
        if verdict.outcome != Outcome::Fail && is_elsewhere(app) {
            self.voids.handle_answer(now.at, id);
        }
        let silent = verdict.outcome == Outcome::Fail && verdict.life != Life::Answer;
        let unseen = silent && is_elsewhere(app) && !self.network.was_well_since(began);
        let worth = match &mut self.settling {
            _ if unseen => Worth::Void,
            Some(settling) => {
                let (before, worth) = (settling.after(), settling.handle_verdict(now, id, verdict));
                if settling.after() != before {
                    // Whoever goes on with it after a crash tells the same.
                    let told = settling.interruption.clone();
                    self.note(|run| run.settling = Some(told));
                }
                worth
            }
            None => Worth::Counts,
        };
        if worth == Worth::Void && !self.voids.may_be_void(now.at, id) {
            self.forget(id);
            return Worth::Counts;
        }
        worth
    }

    /// An app is paused, or watched no longer, or counts: it is not awaited.
    pub fn forget(&mut self, id: AppId) {
        self.network.forget(id);
        self.voids.forget(id);
        if let Some(settling) = &mut self.settling {
            settling.forget(id);
        }
    }

    /// When it ends at the latest.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.settling.as_ref().map(|settling| settling.until)
    }

    /// The end of the settling, if it has come: everybody is back, or the time is up.
    pub fn poll_ended(&mut self, now: Now) -> Option<Ended> {
        let settling = self.settling.take_if(|settling| settling.is_over(now.at))?;
        self.note(|run| (run.settling, run.settling_since) = (None, None));
        Some(settling.ended())
    }

    /// The settling that is going on.
    pub fn settling(&self) -> Option<&Settling> {
        self.settling.as_ref()
    }

    /// Whether an app is awaited: how it is cannot be said.
    pub fn awaits(&self, id: AppId) -> bool {
        self.settling.as_ref().is_some_and(|settling| settling.awaits(id))
    }

    /// Since when our network is down, if that is long enough for things to settle after it.
    pub fn outage(&self, now: Now) -> Option<Stamp> {
        self.network.down_since().filter(|since| since.age(now.at).span > NOT_AWAY)
    }

    /// Our network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The clock was set: hands over every time that is remembered, to be put right.
    pub fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        self.run.put_right(|run| run.for_each_stamp(&mut put_right));
        self.network.for_each_stamp(&mut put_right);
        if let Some(settling) = &mut self.settling {
            settling.for_each_stamp(&mut put_right);
        }
    }
}

#[cfg(test)]
mod tests;
