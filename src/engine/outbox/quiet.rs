//! Mails that were written before a quiet time, or tell of no single app: they wait until it is over.

use std::time::Duration;

use super::Outbox;
use super::mail::Mail;
use super::notice::Notice;
use crate::engine::recipients::Recipient;
use crate::engine::registry::Registry;
use crate::engine::sorted::SortedSet;
use crate::engine::time::{Moment, Now};

/// After it they wait for as long as it takes to learn how the apps are by then, which belongs into them.
const SETTLED_WITHIN: Duration = Duration::from_secs(45);

/// Of whom nobody is told for now.
#[derive(Debug, Default)]
pub(super) struct Hush {
    /// The apps' names.
    apps: SortedSet<String>,
    /// People all of whose apps are among them.
    people: SortedSet<Recipient>,
    /// When that changes, or may.
    until: Option<Moment>,
}

impl Hush {
    /// Whether a mail can wait: all that it tells is of them.
    fn holds(&self, mail: &Mail) -> bool {
        let are_all_quiet = |notice: &Notice| match notice {
            Notice::Test { .. } => false,
            Notice::Blind(_) => self.people.contains(&mail.to),
            Notice::Watching { apps, .. } => apps.iter().all(|app| self.apps.contains(app)),
            _ => notice.told().all(|(app, _)| self.apps.iter().any(|quiet| quiet == app)),
        };
        mail.notices.iter().all(are_all_quiet)
    }
}

impl Outbox {
    /// A quiet time may have begun, ended, or be another now.
    pub fn handle_quiet(&mut self, now: Now, registry: &Registry) {
        let is_quiet = registry.by_name().any(|(_, app)| app.is_quiet());
        if !is_quiet && self.hush.apps.is_empty() {
            return;
        }
        self.hush = self.hush(registry);
        for id in self.queue.held_quietly() {
            if !self.waits_quietly(id) {
                let at = now.at + SETTLED_WITHIN;
                self.queue.end_quiet(id, at);
                self.wheel.schedule(at, id);
            }
        }
    }

    /// Of whom nobody is told for now.
    fn hush(&self, registry: &Registry) -> Hush {
        let mut hush = Hush { until: registry.quiet_deadline(), ..Hush::default() };
        let mut others: SortedSet<Recipient> = SortedSet::default();
        for (_, app) in registry.by_name().filter(|(_, app)| !app.paused) {
            let told = self.told(app.registration.recipients());
            if app.is_quiet() {
                hush.apps.insert(app.registration.name.clone());
                hush.people.extend(told);
            } else {
                others.extend(told);
            }
        }
        for awake in others.iter() {
            hush.people.remove(awake);
        }
        hush
    }

    /// Whether a mail waits for the end of a quiet time: it is put off until then.
    pub(super) fn waits_quietly(&mut self, id: u64) -> bool {
        let is_held = self.queue.mail(id).is_some_and(|mail| self.hush.holds(mail));
        let Some(until) = self.hush.until.filter(|_| is_held) else { return false };
        self.queue.hold_quietly(id, until);
        self.wheel.schedule(until, id);
        true
    }
}
