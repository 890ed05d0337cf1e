//! Our surroundings: whether a silence can be ours, before an app is blamed for it.
//!
//! When an app on another machine is silent, its verdict waits, and others are [looked](look) at: if nobody
//! lives, it is us. While our own [network] is down, failures of apps on other machines are void. After that, after
//! the power came back, a reboot or a sleep, each device needs its own time. So an interruption is followed
//! by [settling]: until an app has answered once, its failures are void, too. What is not back at
//! the end is told in one report. The router and the internet may be [away], too, as the looks [show](signs); long
//! times in which nobody was seen are told [afterwards](blindness).

pub mod away;
mod blindness;
pub mod look;
mod looks;
pub mod network;
pub mod run;
pub mod settling;
pub mod signs;
pub mod silences;
mod voids;
mod witnesses;

use std::collections::VecDeque;
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use self::away::Part;
use self::looks::Looks;
use self::network::{Network, is_elsewhere};
use self::run::{Interruption, Run};
use self::settling::{Ended, Settling};
use self::signs::News;
use self::silences::{Shown, Silences};
use self::voids::Voids;
use super::ledger::Sole;
use super::registry::{App, AppId, Registry};
use super::sorted::SortedSet;
use super::state::State;
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
    /// It is a failure that may be ours, or of an app that may not be back yet: void.
    Void,
    /// The app is silent, and others are asked first: see [`Surroundings::wait`].
    Waits,
}

/// What we know of what is around us.
#[derive(Debug)]
pub struct Surroundings {
    /// How long things settle after a boot, at most.
    settle: Duration,
    /// This run.
    run: Sole<Run>,
    network: Network,
    looks: Looks,
    silences: Silences,
    /// What has changed, and is not told yet.
    news: VecDeque<News>,
    /// Well-known addresses on the internet.
    anchors: Vec<SocketAddr>,
    /// For people.
    router_address: Option<IpAddr>,
    /// Times in which we saw nobody are still to be told.
    owes_note: bool,
    /// Who was found to be on our own machine, by an address that others use, too.
    ours: SortedSet<AppId>,
    settling: Option<Settling>,
    /// When things had settled last.
    settled_at: Moment,
    voids: Voids,
    /// The same for want of the internet, where only others out there tell something.
    voids_out_there: Voids,
}

/// Interruptions.
impl Surroundings {
    /// Ours in the boot called `boot_id`, after which things may settle for `settle`. The internet is seen
    /// by `anchors`.
    pub fn new(
        boot_id: Option<String>,
        settle: Duration,
        anchors: Vec<SocketAddr>,
    ) -> Surroundings {
        let run = Sole::new(Run::begun(boot_id));
        Surroundings {
            settle,
            run,
            network: Network::default(),
            looks: Looks::default(),
            silences: Silences::default(),
            news: VecDeque::new(),
            anchors,
            router_address: None,
            owes_note: false,
            ours: SortedSet::default(),
            settling: None,
            settled_at: Moment::default(),
            voids: Voids::default(),
            voids_out_there: Voids::default(),
        }
    }

    /// What there is to settle after the run that is on record. `last`: the newest time on record.
    pub fn interrupted(
        &mut self,
        now: Now,
        before: Option<&Run>,
        last: Option<Stamp>,
    ) -> Option<Interruption> {
        let before = before?;
        self.run.edit(|run| run.interrupted(now, before, last))
    }

    /// What the run that is on record knew of the house, and what people are still to be told. An outage
    /// within this boot goes on until somebody is seen.
    pub fn recall(&mut self, before: &Run) {
        let is_of_boot = |run: &Run| run.boot_id.is_some() && run.boot_id == before.boot_id;
        let outage = before.outage.filter(|_| is_of_boot(self.run()));
        self.note(|run| {
            run.gateway = before.gateway;
            run.routers.clone_from(&before.routers);
            run.internet = before.internet;
            run.outage = outage;
            run.noted = before.noted;
        });
        self.recall_gaps(before);
        if let Some(outage) = outage {
            self.network.fall(outage.since, Part::Link);
            self.will_settle(Interruption::Network);
        }
    }

    /// The run that is on record: what it says of time servers, for this one.
    pub fn follow(&mut self, before: Option<&Run>) -> Synchronised {
        self.note(|run| before.into_iter().for_each(|before| run.follow(before)));
        self.run().synchronised
    }

    /// A time server has set the clock, as the system says.
    pub fn handle_synchronised(&mut self) {
        self.note(|run| run.synchronised = Synchronised::Now);
    }

    /// Things settle from now on: every app of `registry` is awaited that is asked and was well.
    pub fn begin(&mut self, now: Now, interruption: Interruption, registry: &Registry) {
        self.settle(now, interruption, self.settle, (registry, &|_| true));
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
            self.silences.show(Shown::Away);
            let within = absence.clamp(SHORTEST, LONGEST);
            self.settle(now, interruption, within, (registry, &|_| true));
        }
        was_away
    }

    /// Something between us and these apps, or `None`: all of them, was away for so long. Whether there is
    /// something to settle.
    pub fn handle_return(
        &mut self,
        now: Now,
        part: Part,
        after: Duration,
        (apps, registry): (Option<&[AppId]>, &Registry),
    ) -> bool {
        let interruption = part.interruption();
        let Some(apps) = apps else {
            return self.handle_absence(now, interruption, after, registry);
        };
        let settles = after > NOT_AWAY && !apps.is_empty();
        if settles {
            let within = after.clamp(SHORTEST, LONGEST);
            let among = |id| apps.contains(&id) || self.awaits(id);
            let awaited: SortedSet<AppId> =
                registry.by_name().map(|(id, _)| id).filter(|id| among(*id)).collect();
            self.settle(now, interruption, within, (registry, &|id| awaited.contains(&id)));
        }
        settles
    }

    fn settle(
        &mut self,
        now: Now,
        interruption: Interruption,
        within: Duration,
        (registry, among): (&Registry, &dyn Fn(AppId) -> bool),
    ) {
        // One that began before goes on, with all that is awaited by now.
        let earlier = self.settling.as_ref().map(|settling| settling.until);
        let until = (now.at + within).max(earlier.unwrap_or_default());
        // At a start, one that began in the run before does.
        let since = self.run().settling_since.unwrap_or(Stamp::noted(now));
        let (mut told, mut began) = (interruption, since);
        let before = self.settling.take();
        let back = before.as_ref().map(|before| before.back().to_vec()).unwrap_or_default();
        if let Some(before) = before {
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
        let mut settling = Settling::new(began, told, until, registry, among);
        settling.recall(back);
        self.settling = Some(settling);
    }

    /// The daemon ends in order.
    pub fn handle_stop(&mut self) {
        self.note(|run| run.ended = true);
    }

    /// This run, if what is on disk of it has changed since this was called last.
    pub fn take_changed(&mut self) -> Option<&Run> {
        self.run.take_changed()
    }

    /// This run.
    pub fn run(&self) -> &Run {
        self.run.get()
    }

    fn note(&mut self, change: impl FnOnce(&mut Run)) {
        self.run.edit(change);
    }
}

/// What happens to apps meanwhile.
impl Surroundings {
    /// What a verdict on an app is worth, whose check `began` then. To be called after
    /// [`Surroundings::handle_sign`].
    pub fn handle_verdict(
        &mut self,
        now: Now,
        (id, app): (AppId, &App),
        verdict: &Verdict,
        began: Moment,
    ) -> Worth {
        if verdict.outcome != Outcome::Fail {
            if is_elsewhere(app) {
                self.voids.handle_answer(now.at, id);
            }
            if verdict.is_outside() {
                self.voids_out_there.handle_answer(now.at, id);
            } else {
                self.voids_out_there.forget(id);
            }
            return self.settled(now, id, verdict);
        }
        let is_silent = verdict.life != Life::Answer && self.is_elsewhere((id, app), verdict);
        let worth = if is_silent && !self.network.was_well_since(began) {
            self.network.hide(now, id);
            Worth::Void
        } else if is_silent
            && !verdict.life.is_shown()
            && let Some(worth) = self.behind(now, (id, app), verdict)
        {
            return worth;
        } else if is_silent
            && !verdict.life.is_shown()
            && app.last_healthy.is_some()
            && app.state() != State::Unhealthy
            // Whoever is off stays so for hours, and says nothing of others.
            && !app.is_off()
            // (The line may take longer to be back than those who wait for it are waited for.)
            && (!self.awaits(id) || verdict.is_outside())
        {
            return Worth::Waits;
        } else {
            self.settled(now, id, verdict)
        };
        self.bounded(now, id, worth)
    }

    /// What it is worth, if our network is well.
    fn settled(&mut self, now: Now, id: AppId, verdict: &Verdict) -> Worth {
        match &mut self.settling {
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
        }
    }

    /// No app is hidden for ever.
    fn bounded(&mut self, now: Now, id: AppId, worth: Worth) -> Worth {
        if worth == Worth::Void && !self.voids.may_be_void(now.at, id) {
            return self.counts(id);
        }
        worth
    }

    /// The failures of an app count, until it has answered.
    fn counts(&mut self, id: AppId) -> Worth {
        self.see(id);
        Worth::Counts
    }

    /// An app is paused, or watched no longer: it is not awaited.
    pub fn forget(&mut self, id: AppId) {
        self.see(id);
        self.ours.remove(&id);
        self.voids.forget(id);
        self.voids_out_there.forget(id);
    }

    /// Nothing hides an app.
    fn see(&mut self, id: AppId) {
        self.network.forget(id);
        self.forget_internet();
        self.silences.forget(id);
        if let Some(settling) = &mut self.settling {
            settling.forget(id);
        }
    }

    /// When something is to be done next.
    pub fn next_deadline(&self) -> Option<Moment> {
        let settled = self.settling.as_ref().map(|settling| settling.until);
        if self.is_calm() && !self.owes_note {
            return settled;
        }
        let looking = [self.next_look(), self.silences.next_deadline()];
        let telling = [self.router_deadline(), self.blindness_deadline()];
        [settled].into_iter().chain(looking).chain(telling).flatten().min()
    }

    /// The end of the settling, if it has come: everybody is back, or the time is up.
    pub fn poll_ended(&mut self, now: Now) -> Option<Ended> {
        let settling = self.settling.take_if(|settling| settling.is_over(now.at))?;
        self.settled_at = now.at;
        self.note(|run| (run.settling, run.settling_since) = (None, None));
        Some(settling.ended())
    }

    /// Since when everybody can reach us that is well; `None`: we cannot say so, for our network is down or
    /// things settle.
    pub fn undisturbed_since(&self) -> Option<Moment> {
        let is_disturbed = self.settling.is_some() || self.network.is_down();
        (!is_disturbed).then_some(self.settled_at.max(self.network.back_at()))
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
        let (_, since) = self.network.down()?;
        Some(since).filter(|since| since.age(now.at).span > NOT_AWAY)
    }

    /// Our network.
    pub fn network(&self) -> &Network {
        &self.network
    }

    /// The clock was set: hands over every time that is remembered, to be put right.
    pub fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        self.run.put_right(|run| run.for_each_stamp(&mut put_right));
        self.network.for_each_stamp(&mut put_right);
        self.silences.for_each_stamp(&mut put_right);
        if let Some(settling) = &mut self.settling {
            settling.for_each_stamp(&mut put_right);
        }
    }
}

#[cfg(test)]
mod tests;
