//! What is on record of a run of the daemon: by it the next one knows what came between.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use super::voids::HIDDEN_AT_MOST;
use crate::engine::ledger::Kept;
use crate::engine::time::{Now, Stamp, Synchronised};

/// A run of the daemon.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// The boot that it belongs to; left out where the system does not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<String>,
    /// Apps are awaited after this interruption.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settling: Option<Interruption>,
    /// The gateway is one that answers a look: its silence tells something.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub gateway: bool,
    /// Routers that have answered a connection or an echo: one that does not any more is away, and it need
    /// not be waited for what the kernel finds out at the link.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub routers: Vec<IpAddr>,
    /// The well-known addresses on the internet answer: their silence tells something.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub internet: bool,
    /// Our network is down.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub outage: Option<Outage>,
    /// When it was down, or the internet away, that people are still to be told. The internet may still be.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub gaps: Vec<Gap>,
    /// Apps that were not seen for want of the internet then: their people are told of that.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub out_there: Vec<String>,
    /// When they were told of such last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub noted: Option<Stamp>,
    /// Since when, in this boot; left out while it is not known yet how long the interruption takes.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settling_since: Option<Stamp>,
    /// It ended in order.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub ended: bool,
    /// What the system has told of time servers until then.
    #[serde(default, skip_serializing_if = "is_never")]
    pub synchronised: Synchronised,
}

/// What came between us and the apps.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Interruption {
    /// The machine was booted.
    Boot {
        /// After a run that ended in order.
        in_order: bool,
        /// The newest time on record: it was after that.
        last: Option<Stamp>,
        /// The power was away, as the first checks have shown.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        power: bool,
    },
    /// Our network was down.
    Network,
    /// The machine slept.
    Sleep,
    /// Nothing of ours ran, though the machine did.
    Standstill,
    /// The router was away.
    Router,
    /// The internet was away.
    Internet,
}

/// Our network is down.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Outage {
    /// At least since then.
    pub since: Stamp,
    /// People were told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub told: bool,
}

/// A time in which we saw nobody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Gap {
    /// From then
    pub from: Stamp,
    /// to then; `None`: it goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until: Option<Stamp>,
    /// Nobody on the internet, that is: the house was well.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub internet: bool,
}

impl Gap {
    /// One that goes on since then.
    pub(super) fn since(from: Stamp) -> Gap {
        Gap { from, until: None, internet: false }
    }

    /// Whether it is not over.
    pub fn goes_on(&self) -> bool {
        self.until.is_none()
    }

    /// The times within it.
    pub(in crate::engine) fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        put_right(&mut self.from);
        self.until.iter_mut().for_each(put_right);
    }
}

impl Kept for Run {
    type Facts = Run;
    type Mark = ();
    const WHOLE: () = ();

    fn facts(&self) -> Run {
        self.clone()
    }
}

impl Run {
    /// One that has just begun.
    pub(super) fn begun(boot_id: Option<String>) -> Run {
        Run { boot_id, ..Run::default() }
    }

    /// What is known of time servers by the run `before`. Nothing, where no boot is known from another.
    pub(super) fn follow(&mut self, before: &Run) {
        let (Some(ours), Some(theirs)) = (&self.boot_id, &before.boot_id) else { return };
        self.synchronised = match before.synchronised {
            Synchronised::Now if ours != theirs => Synchronised::Before,
            known => known,
        };
    }

    /// What came between the run `before` and this one, if there is something to settle: the machine
    /// was booted, or apps were still awaited. A crash, an upgrade, a stop and a start within one boot
    /// leave everything around us as it was. Who crashes again and again while apps are awaited hides none of
    /// them for ever.
    pub(super) fn interrupted(
        &mut self,
        now: Now,
        before: &Run,
        last: Option<Stamp>,
    ) -> Option<Interruption> {
        let (ours, theirs) = (self.boot_id.as_ref()?, before.boot_id.as_ref()?);
        if ours != theirs {
            return Some(Interruption::Boot { in_order: before.ended, last, power: false });
        }
        let is_long = |since: Stamp| since.age(now.at).span >= HIDDEN_AT_MOST;
        if before.settling_since.is_some_and(is_long) {
            return None;
        }
        // An outage that goes on is followed by its own time to come back.
        let goes_on = before.outage.is_some();
        let settling = before.settling.clone();
        let settling = settling.filter(|it| !(goes_on && *it == Interruption::Network));
        self.settling_since = before.settling_since.filter(|_| settling.is_some());
        settling
    }

    /// The times within it.
    pub(in crate::engine) fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        self.outage.iter_mut().for_each(|outage| put_right(&mut outage.since));
        self.gaps.iter_mut().for_each(|gap| gap.for_each_stamp(&mut put_right));
        self.noted.iter_mut().for_each(&mut put_right);
        if let Some(settling) = &mut self.settling {
            settling.for_each_stamp(&mut put_right);
        }
        self.settling_since.iter_mut().for_each(put_right);
    }
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_never(synchronised: &Synchronised) -> bool {
    *synchronised == Synchronised::Never
}

impl Interruption {
    /// The one to tell of when another one follows while things settle: who sleeps stands still, too, and
    /// what a boot brought down a sleep does not bring back.
    pub(super) fn and(self, later: Interruption) -> Interruption {
        match (&self, &later) {
            (Interruption::Standstill, _) | (_, Interruption::Boot { .. }) => later,
            _ => self,
        }
    }

    /// The time within it.
    pub(super) fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        if let Interruption::Boot { last, .. } = self {
            last.iter_mut().for_each(&mut put_right);
        }
    }
}
