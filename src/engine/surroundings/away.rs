//! Something that many apps need is away: who falls silent with it is not blamed.

use super::run::Interruption;
use super::settling::{FAILURES, Missing};
use crate::engine::registry::AppId;
use crate::engine::sorted::SortedMap;
use crate::engine::time::{Now, Stamp};

/// What may be away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// Our own network: we have no carrier, or no address.
    Link,
    /// Our own network: nobody on another machine answers.
    Network,
    /// The router, while others answer.
    Router,
    /// The internet, while the house is well.
    Internet,
}

impl Part {
    /// `our network is down`: the reason of who is hidden, and a line of the log.
    pub fn words(self) -> &'static str {
        match self {
            Part::Link => "our network is down",
            Part::Network => "nothing on the network answers",
            Part::Router => "the router does not answer",
            Part::Internet => "the internet is away",
        }
    }

    /// `our network is back`.
    pub fn is_back(self) -> &'static str {
        match self {
            Part::Link | Part::Network => "our network is back",
            Part::Router => "the router answers again",
            Part::Internet => "the internet is back",
        }
    }

    /// What there is to settle after it was away.
    pub(super) fn interruption(self) -> Interruption {
        match self {
            Part::Link | Part::Network => Interruption::Network,
            Part::Router => Interruption::Router,
            Part::Internet => Interruption::Internet,
        }
    }
}

/// It is away.
#[derive(Debug)]
pub(super) struct Away {
    /// At least since then.
    pub(super) since: Stamp,
    /// Who has failed since for want of it.
    apps: SortedMap<AppId, Missed>,
}

/// Checks of an app that failed.
#[derive(Debug)]
struct Missed {
    failures: u32,
    since: Stamp,
}

impl Away {
    pub(super) fn since(since: Stamp) -> Away {
        Away { since, apps: SortedMap::default() }
    }

    /// A check of an app has failed for want of it.
    pub(super) fn hide(&mut self, now: Now, id: AppId) {
        let since = Stamp::noted(now);
        let fresh = || Missed { failures: 0, since };
        self.apps.update(id, fresh, |missed| missed.failures += 1);
    }

    pub(super) fn hides(&self, id: AppId) -> bool {
        self.apps.contains_key(&id)
    }

    pub(super) fn hides_nobody(&self) -> bool {
        self.apps.is_empty()
    }

    pub(super) fn forget(&mut self, id: AppId) {
        self.apps.remove(&id);
    }

    pub(super) fn apps(&self) -> Vec<AppId> {
        self.apps.keys().copied().collect()
    }

    /// Who has failed often enough, and who has not.
    pub(super) fn missing(&self) -> (Vec<Missing>, Vec<AppId>) {
        let (mut missing, mut undecided) = (Vec::new(), Vec::new());
        for (&id, &Missed { failures, since }) in self.apps.iter() {
            if failures >= FAILURES {
                missing.push(Missing { id, failures, since });
            } else {
                undecided.push(id);
            }
        }
        (missing, undecided)
    }

    pub(super) fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        put_right(&mut self.since);
        self.apps.values_mut().for_each(|missed| put_right(&mut missed.since));
    }
}
