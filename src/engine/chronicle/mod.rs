//! The chronicle: the last incidents, open ones and those of the past. It decides nothing and tells
//! nobody; it keeps for people to read what became of their household, also where no mail was needed.
//!
//! It knows apps by their names. Who makes an incident [begins](Chronicle::begin) it and has apps
//! [join](Chronicle::join) it. From then on it follows the states of those by itself, up to its end.

mod incident;
mod interruptions;
#[cfg(test)]
mod tests;
mod troubles;

pub use self::incident::{
    AFFECTED_MAX, Affected, EndedBy, Incident, Kind, MutedUntil, TOLD_MAX, Told,
};
use super::ledger::{Kept, Ledger};
use super::recipients::Recipient;
use super::sorted::SortedSet;
use super::state::State;
use super::time::{Now, Stamp, Step, Timeline};

/// So many incidents are kept, the newest.
pub const INCIDENTS_MAX: usize = 100;
/// So many apps in all of them: more than a thousand would be seen in bad months of large households only,
/// and they are held in memory.
pub const AFFECTED_IN_ALL_MAX: usize = 2000;
/// Apps of incidents that are looked at at once: as much work as a portion of the apps.
const PORTION: usize = 256;

/// The last incidents.
#[derive(Debug, Default)]
pub struct Chronicle {
    incidents: Ledger<u64, Entry>,
    /// The number of the newest ever.
    newest: u64,
}

/// An incident, and what of it is not on disk.
#[derive(Debug)]
struct Entry {
    incident: Incident,
    /// Another one after each change of anything but apps,
    version: u32,
    /// and after each change of an app.
    apps_version: u32,
    /// The apps that have changed since they were written.
    unwritten: SortedSet<String>,
}

/// What of an incident is to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Mark {
    /// The apps that changed: they may be many, and change one by one.
    Apps,
    /// All of it.
    Whole,
}

impl Kept for Entry {
    type Facts = (u32, u32);
    type Mark = Mark;
    const WHOLE: Mark = Mark::Whole;

    fn facts(&self) -> (u32, u32) {
        (self.version, self.apps_version)
    }

    fn mark(before: &(u32, u32), after: &(u32, u32)) -> Mark {
        if before.0 == after.0 { Mark::Apps } else { Mark::Whole }
    }
}

/// A change of an incident that is to be written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Changed {
    /// All of it.
    Whole(Box<Incident>),
    /// What is known of these apps.
    Apps(u64, Vec<Affected>),
    /// There was no room for it.
    Gone(u64),
}

/// What happens.
impl Chronicle {
    /// An incident begins; its number.
    pub fn begin(&mut self, kind: Kind, cause: &str, began: Stamp) -> u64 {
        self.newest = self.newest.saturating_add(1);
        let incident = Incident::begun(self.newest, kind, cause, began);
        self.incidents.insert(self.newest, Entry::new(incident));
        self.make_room();
        self.newest
    }

    /// An app is found to be unwell in an open incident, or what is known of it there has changed.
    pub fn join(&mut self, id: u64, app: Affected) {
        self.incidents.edit(&id, |entry| entry.put(app));
        self.make_room();
    }

    /// An app has another state: the incidents in which it is unwell say so, and end with the last that
    /// is well again.
    pub fn handle_transition(&mut self, now: Now, name: &str, to: State, reason: &str) {
        let over = to == State::Healthy;
        for id in self.holding(name) {
            self.incidents.edit(&id, |entry| {
                entry.change(name, |app| {
                    if app.state != to {
                        (app.state, app.since) = (to, Stamp::noted(now));
                    }
                    // What it was lives on when it is over.
                    if !over {
                        reason.clone_into(&mut app.reason);
                    }
                    app.over = over;
                });
            });
            self.end_if_done(now, id, EndedBy::Recovery);
        }
    }

    /// An app is watched no longer. What is known of it stays.
    pub fn handle_stop(&mut self, now: Now, name: &str) {
        for id in self.holding(name) {
            self.incidents.edit(&id, |entry| entry.change(name, |app| app.over = true));
            self.end_if_done(now, id, EndedBy::Stop);
        }
    }

    /// The mail server took the mail that tells a person of an incident.
    pub fn tell(&mut self, now: Now, id: u64, to: &Recipient) {
        self.incidents.edit(&id, |entry| {
            let told = &mut entry.incident.told;
            if told.len() < TOLD_MAX && !told.iter().any(|known| known.to == *to) {
                told.push(Told { to: to.clone(), at: Stamp::noted(now), muted: None });
                entry.version = entry.version.wrapping_add(1);
            }
        });
    }

    /// The clock was set, or the machine was asleep: puts every time right that is remembered.
    pub fn handle_step(&mut self, timeline: &Timeline, now: Now, step: Step) {
        self.incidents.put_right(|entry| {
            entry.incident.for_each_stamp(|stamp| timeline.step(now, step, stamp));
        });
    }

    fn end_if_done(&mut self, now: Now, id: u64, by: EndedBy) {
        self.edit(id, |incident| {
            if incident.ended.is_none() && incident.is_done() {
                (incident.ended, incident.ended_by) = (Some(Stamp::noted(now)), Some(by));
            }
        });
    }

    /// Changes anything but apps.
    fn edit(&mut self, id: u64, change: impl FnOnce(&mut Incident)) {
        self.incidents.edit(&id, |entry| {
            let facts = |it: &Incident| (it.cause.clone(), it.ended.is_some(), it.settling);
            let before = facts(&entry.incident);
            change(&mut entry.incident);
            if facts(&entry.incident) != before {
                entry.version = entry.version.wrapping_add(1);
            }
        });
    }

    /// The open incidents in which an app is not well: few, and mostly none.
    fn holding(&self, name: &str) -> Vec<u64> {
        self.incidents().filter(|it| it.holds(name)).map(|it| it.id).collect()
    }

    /// Forgets the oldest of the past, or where none is past, the oldest.
    fn make_room(&mut self) {
        let apps = |chronicle: &Chronicle| {
            chronicle.incidents.values().map(|entry| entry.incident.apps.len()).sum::<usize>()
        };
        while self.incidents.len() > INCIDENTS_MAX || apps(self) > AFFECTED_IN_ALL_MAX {
            let past = self.incidents().find(|incident| incident.ended.is_some());
            let oldest = past.or_else(|| self.incidents().next());
            let Some(id) = oldest.map(|incident| incident.id) else { return };
            self.incidents.remove(&id);
        }
    }
}

/// What is kept, and what is shown.
impl Chronicle {
    /// Takes in an incident that is on record.
    pub fn restore(&mut self, incident: Incident) {
        self.newest = self.newest.max(incident.id);
        self.incidents.restore(incident.id, Entry::new(incident));
    }

    /// What has changed since this was called last.
    pub fn take_changed(&mut self) -> Vec<Changed> {
        let mut changed = Vec::new();
        for (id, mark) in self.incidents.take_changed() {
            // What is not written is no fact: this marks nothing.
            let unwritten = self.incidents.edit(&id, |entry| std::mem::take(&mut entry.unwritten));
            let incident = self.incidents.get(&id).map(|entry| &entry.incident);
            changed.push(match (incident, mark, unwritten) {
                (Some(incident), Mark::Apps, Some(names)) => {
                    let apps = incident.apps.iter().filter(|app| names.contains(&app.name));
                    Changed::Apps(id, apps.cloned().collect())
                }
                (Some(incident), ..) => Changed::Whole(Box::new(incident.clone())),
                (None, ..) => Changed::Gone(id),
            });
        }
        changed
    }

    /// All incidents, oldest first.
    pub fn incidents(&self) -> impl DoubleEndedIterator<Item = &Incident> {
        self.incidents.values().map(|entry| &entry.incident)
    }

    /// Some of those before the one of this number, or of all, newest first; none where that was the last.
    pub fn portion(&self, before: Option<u64>) -> Vec<Incident> {
        let mut apps = 0;
        let older = self.incidents().rev().filter(|it| before.is_none_or(|before| it.id < before));
        let portion = older.take_while(|incident| {
            let has_room = apps < PORTION;
            apps += 1 + incident.apps.len();
            has_room
        });
        portion.cloned().collect()
    }
}

impl Entry {
    fn new(incident: Incident) -> Entry {
        Entry { incident, version: 0, apps_version: 0, unwritten: SortedSet::default() }
    }

    /// Puts what is known of an app in its place, if there is room.
    fn put(&mut self, app: Affected) {
        let known = self.incident.apps.iter().find(|known| known.name == app.name);
        if known == Some(&app) || (known.is_none() && self.incident.apps.len() >= AFFECTED_MAX) {
            return;
        }
        self.mark(app.name.clone());
        self.incident.put(app);
    }

    /// Those that are over go before these have no room.
    fn make_room_for(&mut self, apps: &[Affected]) {
        let listed = &mut self.incident.apps;
        let is_new = |app: &&Affected| !listed.iter().any(|known| known.name == app.name);
        let mut surplus =
            (listed.len() + apps.iter().filter(is_new).count()).saturating_sub(AFFECTED_MAX);
        if surplus == 0 {
            return;
        }
        listed.retain(|app| {
            let goes = app.over && surplus > 0;
            surplus -= usize::from(goes);
            !goes
        });
        self.version = self.version.wrapping_add(1);
    }

    fn change(&mut self, name: &str, change: impl FnOnce(&mut Affected)) {
        let Some(app) = self.incident.apps.iter().find(|app| app.name == name) else { return };
        let mut changed = app.clone();
        change(&mut changed);
        self.put(changed);
    }

    fn mark(&mut self, name: String) {
        self.apps_version = self.apps_version.wrapping_add(1);
        self.unwritten.insert(name);
    }
}
