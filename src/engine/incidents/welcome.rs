//! The word that an app is watched from now on: it shows its people that mail works.

use std::time::Duration;

use super::Incidents;
use crate::engine::outbox::notice::Notice;
use crate::engine::outbox::{Message, Outbox};
use crate::engine::recipients::Recipient;
use crate::engine::registry::{AppId, Registry, Welcome};
use crate::engine::sorted::SortedMap;
use crate::engine::time::{Moment, Now, Stamp, Wall};

/// First passes are gathered so long, for one mail instead of many.
const GATHERED: Duration = Duration::from_secs(10);

impl Incidents {
    /// An app has passed for the first time since its registration.
    pub fn handle_first_pass(&mut self, now: Now, id: AppId) {
        self.newcomers.insert(id);
        self.gather_newcomers(now);
    }

    pub(super) fn gather_newcomers(&mut self, now: Now) {
        self.welcome_at.get_or_insert(now.at + GATHERED);
    }

    /// It may be time to tell what was gathered: what there is to tell whom, and of which apps that is said.
    pub fn welcome(&mut self, now: Now, registry: &mut Registry, outbox: &Outbox) -> Vec<Message> {
        let Some(due) = self.welcome_at.take_if(|at| *at <= now.at) else { return Vec::new() };
        let at = first_pass(now, due);
        let mut apps_of: SortedMap<Recipient, Vec<String>> = SortedMap::default();
        for id in std::mem::take(&mut self.newcomers) {
            let Some(app) = registry.get(id) else { continue };
            if app.is_quiet() {
                self.newcomers.insert(id);
                continue;
            }
            registry.set_welcome(id, Welcome::Told);
            let Some(app) = registry.get(id) else { continue };
            for to in outbox.told(app.registration.recipients()) {
                let name = app.registration.name.clone();
                apps_of.update(to, Vec::new, |apps| apps.push(name));
            }
        }
        let message =
            |(to, apps)| Message { to, notice: Notice::Watching { apps, at }, thread: Vec::new() };
        apps_of.into_iter().map(message).collect()
    }
}

/// When the first of those passed that were gathered until `due`.
fn first_pass(now: Now, due: Moment) -> Stamp {
    let at = due.before(GATHERED);
    let ago = i64::try_from(now.at.since(at).as_millis()).unwrap_or(i64::MAX);
    let wall = Wall::from_unix_millis(now.wall.as_unix_millis().saturating_sub(ago));
    Stamp::noted(Now { at, wall })
}
