//! The word that an app is watched from now on: it shows its people that mail works.

use std::time::Duration;

use super::Incidents;
use crate::engine::outbox::notice::Notice;
use crate::engine::outbox::{Message, Outbox};
use crate::engine::recipients::Recipient;
use crate::engine::registry::{AppId, Registry, Welcome};
use crate::engine::sorted::SortedMap;
use crate::engine::time::{Now, Stamp};

/// First passes are gathered so long, for one mail instead of many.
const GATHERED: Duration = Duration::from_secs(10);

impl Incidents {
    /// An app has passed for the first time since its registration.
    pub fn handle_first_pass(&mut self, now: Now, id: AppId) {
        self.newcomers.insert(id, Stamp::noted(now));
        self.gather_newcomers(now);
    }

    pub(super) fn gather_newcomers(&mut self, now: Now) {
        self.welcome_at.get_or_insert(now.at + GATHERED);
    }

    /// It may be time to tell what was gathered: what there is to tell whom, and of which apps that is said. Who is
    /// quiet is told of later.
    pub fn welcome(&mut self, now: Now, registry: &mut Registry, outbox: &Outbox) -> Vec<Message> {
        if self.welcome_at.take_if(|at| *at <= now.at).is_none() {
            return Vec::new();
        }
        // The apps, and when the first of them passed.
        let mut told: SortedMap<Recipient, (Vec<String>, Stamp)> = SortedMap::default();
        for (id, passed) in std::mem::take(&mut self.newcomers) {
            let Some(app) = registry.get(id) else { continue };
            if app.is_quiet() {
                self.newcomers.insert(id, passed);
                continue;
            }
            registry.set_welcome(id, Welcome::Told);
            let Some(app) = registry.get(id) else { continue };
            for to in outbox.told(app.registration.recipients()) {
                let fresh = || (Vec::new(), passed);
                told.update(to, fresh, |(apps, at)| {
                    apps.push(app.registration.name.clone());
                    if passed.is_not_after(*at) {
                        *at = passed;
                    }
                });
            }
        }
        let message = |(to, (apps, at))| Message {
            to,
            notice: Notice::Watching { apps, at },
            thread: Vec::new(),
        };
        told.into_iter().map(message).collect()
    }
}
