//! Settling: after an interruption every app has its time to come back.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::Worth;
use super::network::is_elsewhere;
use super::run::Interruption;
use crate::engine::registry::{App, AppId, Registry};
use crate::engine::sorted::{SortedMap, SortedSet};
use crate::engine::state::State;
use crate::engine::time::{Moment, Now, Stamp};
use crate::engine::verdict::answer::{Life, Outcome, Verdict};

/// Of an app that is not back at the end so many checks have failed at least.
pub(super) const FAILURES: u32 = 2;

/// What people are told that it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Aftermath {
    /// The power was away.
    Power,
    /// Our machine was started anew, of which others knew nothing.
    Restart,
    /// Our network was down.
    Network,
    /// It slept.
    Sleep,
    /// It stood still.
    Standstill,
    /// The router was away, and is back.
    Router,
    /// The internet was away, and is back.
    Internet,
    /// The router has been away for long, and still is.
    RouterAway,
}

/// One that is going on.
#[derive(Debug)]
pub struct Settling {
    pub(super) interruption: Interruption,
    /// When the interruption was over that is told.
    pub began: Stamp,
    /// When it ends at the latest.
    pub(super) until: Moment,
    awaited: SortedMap<AppId, Awaited>,
    /// Apps that may be off, and have not answered since: nobody waits for them, yet they may be starting.
    starting: SortedSet<AppId>,
    back: Vec<AppId>,
    witnesses: Witnesses,
}

/// An app that has not answered since.
#[derive(Debug, Default)]
struct Awaited {
    failures: u32,
    first_failure: Option<Stamp>,
    is_witness: bool,
}

/// The apps that tell by their first check whether the power was away: those on other machines, or all
/// where there are none.
#[derive(Clone, Copy, Debug, Default)]
struct Witnesses {
    all: usize,
    silent: usize,
}

/// One that has ended.
#[derive(Debug)]
pub struct Ended {
    /// After what.
    pub after: Aftermath,
    /// When that was over.
    pub began: Stamp,
    /// The newest time that was on record when the machine was booted.
    pub last_record: Option<Stamp>,
    /// The router that is away.
    pub router: Option<IpAddr>,
    /// Who has answered.
    pub back: Vec<AppId>,
    /// Who has not.
    pub missing: Vec<Missing>,
    /// Who has not been asked often enough to tell.
    pub undecided: Vec<AppId>,
}

/// An app that is not back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Missing {
    /// Which.
    pub id: AppId,
    /// So many checks failed,
    pub failures: u32,
    /// since then.
    pub since: Stamp,
}

impl Settling {
    /// Those apps are awaited `among` all that are asked and were well.
    pub(super) fn new(
        began: Stamp,
        interruption: Interruption,
        until: Moment,
        registry: &Registry,
        among: &dyn Fn(AppId) -> bool,
    ) -> Settling {
        let is_asked = |app: &App| !app.paused && app.registration.beats().is_none();
        let was_well = |app: &App| is_asked(app) && app.state() != State::Unhealthy;
        let all = || registry.by_name().filter(|(id, app)| was_well(app) && among(*id));
        let apps = || all().filter(|(_, app)| !app.registration.may_be_off());
        let none_elsewhere = !apps().any(|(_, app)| is_elsewhere(app));
        let awaited: SortedMap<AppId, Awaited> = apps()
            .map(|(id, app)| {
                let is_witness = none_elsewhere || is_elsewhere(app);
                (id, Awaited { is_witness, ..Awaited::default() })
            })
            .collect();
        let starting = all().filter(|(_, app)| app.registration.may_be_off());
        let starting = starting.map(|(id, _)| id).collect();
        let count = awaited.values().filter(|awaited| awaited.is_witness).count();
        let witnesses = Witnesses { all: count, silent: 0 };
        Settling { interruption, began, until, awaited, starting, back: Vec::new(), witnesses }
    }

    /// Who had answered before it went on, and is not awaited anew, is counted among those that are well.
    pub(super) fn recall(&mut self, mut back: Vec<AppId>) {
        back.retain(|id| !self.awaits(*id));
        self.back = back;
    }

    pub(super) fn handle_verdict(&mut self, now: Now, id: AppId, verdict: &Verdict) -> Worth {
        let Some(awaited) = self.awaited.get_mut(&id) else {
            return self.while_it_starts(id, verdict);
        };
        if verdict.outcome != Outcome::Fail {
            self.awaited.remove(&id);
            self.back.push(id);
            return Worth::Back;
        }
        let is_silent = verdict.life != Life::Answer;
        let is_first = awaited.failures == 0;
        self.witnesses.silent += usize::from(is_first && is_silent && awaited.is_witness);
        awaited.failures += 1;
        let were_silent = self.witnesses.were_silent();
        if let Interruption::Boot { in_order: false, power, .. } = &mut self.interruption {
            *power |= were_silent;
        }
        awaited.first_failure.get_or_insert(Stamp::noted(now));
        Worth::Void
    }

    /// What a verdict is worth on an app that nobody awaits. One that may be off is off as ever; what it says
    /// while it starts does not count.
    fn while_it_starts(&mut self, id: AppId, verdict: &Verdict) -> Worth {
        if verdict.outcome != Outcome::Fail {
            self.starting.remove(&id);
        }
        match verdict.life {
            Life::Answer | Life::HostOnly if self.starting.contains(&id) => Worth::Void,
            _ => Worth::Counts,
        }
    }

    pub(super) fn forget(&mut self, id: AppId) {
        self.starting.remove(&id);
        self.awaited.remove(&id);
        self.back.retain(|back| *back != id);
    }

    /// Whether an app has not answered since.
    pub fn awaits(&self, id: AppId) -> bool {
        self.awaited.contains_key(&id)
    }

    /// Whether an app has not answered since, and was asked.
    pub fn misses(&self, id: AppId) -> bool {
        self.awaited.get(&id).is_some_and(|awaited| awaited.failures > 0)
    }

    /// The apps that have not answered since.
    pub fn awaited(&self) -> impl Iterator<Item = AppId> {
        self.awaited.keys().copied()
    }

    /// The apps that have.
    pub fn back(&self) -> &[AppId] {
        &self.back
    }

    pub(super) fn is_over(&self, at: Moment) -> bool {
        self.awaited.is_empty() || self.until <= at
    }

    /// What it is said to come after, as far as it can be told by now.
    pub fn after(&self) -> Aftermath {
        match self.interruption {
            Interruption::Network => Aftermath::Network,
            Interruption::Sleep => Aftermath::Sleep,
            Interruption::Standstill => Aftermath::Standstill,
            Interruption::Router => Aftermath::Router,
            Interruption::Internet => Aftermath::Internet,
            Interruption::Boot { power: true, .. } => Aftermath::Power,
            Interruption::Boot { .. } => Aftermath::Restart,
        }
    }

    pub(super) fn ended(self) -> Ended {
        let after = self.after();
        let last_record = match self.interruption {
            Interruption::Boot { last, .. } => last,
            _ => None,
        };
        let (mut missing, mut undecided) = (Vec::new(), Vec::new());
        for (id, Awaited { failures, first_failure, .. }) in self.awaited {
            match first_failure.filter(|_| failures >= FAILURES) {
                Some(since) => missing.push(Missing { id, failures, since }),
                None => undecided.push(id),
            }
        }
        let (began, back) = (self.began, self.back);
        Ended { after, began, last_record, router: None, back, missing, undecided }
    }

    pub(super) fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        put_right(&mut self.began);
        self.interruption.for_each_stamp(&mut put_right);
        let first = self.awaited.values_mut().filter_map(|app| app.first_failure.as_mut());
        first.for_each(put_right);
    }
}

impl Witnesses {
    /// A half at least: one device that was off anyway is no power cut.
    fn were_silent(self) -> bool {
        self.silent > 0 && self.silent * 2 >= self.all
    }
}

impl Aftermath {
    /// `Power came back`, `After our restart`: the beginning of a sentence.
    pub fn words(self) -> &'static str {
        match self {
            Aftermath::Power => "Power came back",
            Aftermath::Restart => "After our restart",
            Aftermath::Network => "After our network came back",
            Aftermath::Sleep => "After our machine slept",
            Aftermath::Standstill => "After our machine stood still",
            Aftermath::Router => "After the router was away",
            Aftermath::Internet => "After the internet was away",
            Aftermath::RouterAway => "The router does not answer",
        }
    }
}
