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
        self.welcome_at.get_or_insert(now.at + GATHERED);
        self.newcomers.insert(id);
    }

    /// It may be time to tell what was gathered: what there is to tell whom, and of which apps that is said.
    pub fn welcome(&mut self, now: Now, registry: &mut Registry, outbox: &Outbox) -> Vec<Message> {
        if self.welcome_at.take_if(|at| *at <= now.at).is_none() {
            return Vec::new();
        }
        let mut apps_of: SortedMap<Recipient, Vec<String>> = SortedMap::default();
        for id in std::mem::take(&mut self.newcomers) {
            registry.set_welcome(id, Welcome::Told);
            let Some(app) = registry.get(id) else { continue };
            for to in outbox.told(app.registration.recipients()) {
                let name = app.registration.name.clone();
                apps_of.update(to, Vec::new, |apps| apps.push(name));
            }
        }
        let message = |(to, apps)| Message {
            to,
            notice: Notice::Watching { apps, at: Stamp::noted(now) },
            thread: Vec::new(),
        };
        apps_of.into_iter().map(message).collect()
    }
}
