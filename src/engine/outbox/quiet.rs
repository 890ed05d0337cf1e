//! Mails that were written before a quiet time, or tell of no single app: they wait until it is over.

use std::time::Duration;

use super::Outbox;
use super::notice::{Mail, Notice};
use crate::engine::recipients::Recipient;
use crate::engine::sorted::SortedSet;
use crate::engine::time::{Moment, Now};

/// After it they wait for as long as it takes to learn how the apps are by then, which belongs into them.
const SETTLED_WITHIN: Duration = Duration::from_secs(45);

/// Of whom nobody is told for now.
#[derive(Debug, Default)]
pub struct Hush {
    /// The apps' names.
    pub apps: SortedSet<String>,
    /// People all of whose apps are among them.
    pub people: SortedSet<Recipient>,
    /// When that changes, or may.
    pub until: Option<Moment>,
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
    /// A quiet time has begun, ended, or is another now.
    pub fn handle_quiet(&mut self, now: Now, hush: Hush) {
        self.hush = hush;
        for id in self.queue.held_quietly() {
            if !self.waits_quietly(id) {
                let at = now.at + SETTLED_WITHIN;
                self.queue.end_quiet(id, at);
                self.wheel.schedule(at, id);
            }
        }
    }

    /// Whether nobody is told of some for now.
    pub fn is_hushed(&self) -> bool {
        !self.hush.apps.is_empty()
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
