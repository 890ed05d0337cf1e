//! Our own network: while it is down, nobody on another machine can be judged.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::engine::registration::address::Host;
use crate::engine::registry::{App, AppId};
use crate::engine::time::{Moment, Stamp};

/// Whether we reach anybody.
#[derive(Debug, Default)]
pub struct Network {
    outage: Option<Outage>,
    /// When it came back last: a check that began before proves nothing.
    back_at: Moment,
}

/// By what it shows to be down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Proof {
    /// We have no carrier, or no address.
    CutOff,
    /// Nobody on another machine answers.
    Silence,
}

/// It is down.
#[derive(Debug)]
struct Outage {
    /// Since a check failed for want of it.
    since: Stamp,
    proof: Proof,
    /// Whose checks have failed since.
    apps: BTreeSet<AppId>,
}

impl Network {
    /// It is down, at least since then.
    pub(super) fn fall(&mut self, since: Stamp, proof: Proof) {
        let apps = BTreeSet::new();
        self.outage.get_or_insert(Outage { since, proof, apps }).proof = proof;
    }

    /// It is back. How long it was down.
    pub(super) fn rise(&mut self, at: Moment) -> Option<Duration> {
        let outage = self.outage.take()?;
        self.back_at = at;
        Some(outage.since.age(at).span)
    }

    /// A check of an app has failed for want of it.
    pub(super) fn hide(&mut self, id: AppId) {
        if let Some(outage) = &mut self.outage {
            outage.apps.insert(id);
        }
    }

    /// Whether a check that began then could reach anybody all the time.
    pub(super) fn was_well_since(&self, began: Moment) -> bool {
        self.outage.is_none() && began >= self.back_at
    }

    pub(super) fn forget(&mut self, id: AppId) {
        if let Some(outage) = &mut self.outage {
            outage.apps.remove(&id);
        }
    }

    /// Whether it is down.
    pub fn is_down(&self) -> bool {
        self.outage.is_some()
    }

    /// Since when it is down.
    pub fn down_since(&self) -> Option<Stamp> {
        self.outage.as_ref().map(|outage| outage.since)
    }

    /// By what it shows to be down.
    pub fn proof(&self) -> Option<Proof> {
        self.outage.as_ref().map(|outage| outage.proof)
    }

    /// Whether an app cannot be seen, as its last check showed.
    pub fn hides(&self, id: AppId) -> bool {
        self.outage.as_ref().is_some_and(|outage| outage.apps.contains(&id))
    }

    pub(super) fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        self.outage.iter_mut().for_each(|outage| put_right(&mut outage.since));
    }
}

/// Whether an app is on another machine, as far as its address tells.
pub(in crate::engine) fn is_elsewhere(app: &App) -> bool {
    match app.registration.target.host() {
        Host::Address(address) => !address.is_loopback(),
        Host::Name(_) => true,
    }
}
