//! Our own network: while it is down, nobody on another machine can be judged.

use std::collections::BTreeSet;
use std::time::Duration;

use crate::engine::registration::address::Host;
use crate::engine::registry::{App, AppId};
use crate::engine::time::{Moment, Now, Stamp};
use crate::engine::verdict::answer::{Life, Verdict};

/// Whether we reach anybody.
#[derive(Debug, Default)]
pub struct Network {
    outage: Option<Outage>,
    /// When it came back last: a check that began before proves nothing.
    back_at: Moment,
}

/// It is down.
#[derive(Debug)]
struct Outage {
    /// Since a check failed for want of it.
    since: Stamp,
    /// Whose checks have failed since.
    apps: BTreeSet<AppId>,
}

impl Network {
    /// A check of an app on another machine has ended. How long the network was down, if it is back.
    pub(super) fn handle_verdict(
        &mut self,
        now: Now,
        id: AppId,
        verdict: &Verdict,
    ) -> Option<Duration> {
        if verdict.life == Life::CutOff {
            let since = Stamp::noted(now);
            let outage = self.outage.get_or_insert_with(|| Outage { since, apps: BTreeSet::new() });
            outage.apps.insert(id);
            return None;
        }
        let outage = self.outage.take()?;
        self.back_at = now.at;
        Some(outage.since.age(now.at).span)
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

    /// Since when it is down.
    pub fn down_since(&self) -> Option<Stamp> {
        self.outage.as_ref().map(|outage| outage.since)
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
