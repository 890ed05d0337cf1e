//! Mutes: a person has heard enough of trouble that they know, for a while or until it is over. Whoever is not
//! well when that ends is told of once more, as in a reminder.

use std::time::Duration;

use super::alert::{Alert, Level, Muted, Told};
use super::collection::{is_blind, is_broken};
use super::reminders::SAID_SOON;
use super::{Incidents, Known};
use crate::engine::outbox::Message;
use crate::engine::outbox::merge::APPS_MAX;
use crate::engine::recipients::Recipient;
use crate::engine::registry::AppId;
use crate::engine::sorted::SortedMap;
use crate::engine::state::State;
use crate::engine::time::{Moment, Now, Stamp};

/// What is muted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// The trouble of the app of this name, for everybody who was told, or for this person.
    App(String, Option<Recipient>),
    /// All that a mail of this message id tells, for this person.
    Mail(String, Recipient),
}

/// For how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HowLong {
    /// So long, or until it is over, if that comes first.
    Span(Duration),
    /// Until it is over.
    Recovery,
    /// Not, or no longer.
    Not,
}

impl HowLong {
    /// What it makes of an app, in a word.
    pub fn word(self) -> &'static str {
        match self {
            HowLong::Span(_) | HowLong::Recovery => "muted",
            HowLong::Not => "muted no longer",
        }
    }
}

/// What becomes of a mute whose time is over.
enum End {
    /// It ends, and its person is told that it is broken still, or not.
    Tell(bool),
    /// It cannot be said just now.
    Later,
    /// It is said when a quiet time is over.
    Quietly,
}

impl Incidents {
    /// Somebody has heard enough, or wants to hear again. The apps that it is about; none: nothing is open.
    pub fn mute(
        &mut self,
        now: Now,
        what: &What,
        how_long: HowLong,
        known: Known<'_>,
    ) -> Vec<AppId> {
        let about = self.open(what, known);
        let muted = match how_long {
            HowLong::Span(span) => Some(Muted { since: Stamp::noted(now), span: Some(span) }),
            HowLong::Recovery => Some(Muted { since: Stamp::noted(now), span: None }),
            HowLong::Not => None,
        };
        for (id, people) in &about {
            self.alerts.edit(id, |alert| people.iter().for_each(|to| alert.mute(to, muted)));
        }
        self.mute_at = Some(now.at);
        self.look_at_reminders(now);
        about.into_iter().map(|(id, _)| id).collect()
    }

    /// The open trouble that this is about: the apps, and who was told of each.
    pub fn open(&self, what: &What, known: Known<'_>) -> Vec<(AppId, Vec<Recipient>)> {
        let mail = |id: &str, to: &Recipient| {
            known.outbox.mails().find(|mail| mail.message_id == *id && mail.to == *to)
        };
        let is_meant = |app: &str, to: &Recipient, told: &Told| match what {
            What::App(name, person) => {
                name == app && person.as_ref().is_none_or(|person| person == to)
            }
            What::Mail(id, person) => {
                let waits = || mail(id, person).is_some_and(|mail| mail.tells_of(app));
                person == to && (told.thread.contains(id) || waits())
            }
        };
        let mut open = Vec::new();
        for (id, alert) in self.alerts.iter().filter(|(_, alert)| !alert.over) {
            let Some(app) = known.registry.get(*id) else { continue };
            let name = app.registration.name.as_str();
            let told = alert.everybody().filter(|(_, told)| told.written.is_some());
            let people = told.filter(|(to, told)| is_meant(name, to, told));
            let people: Vec<Recipient> = people.map(|(to, _)| to.clone()).collect();
            if !people.is_empty() {
                open.push((*id, people));
            }
        }
        open
    }

    /// Whether a person has heard enough of an app, or of the parent whose outage its silence is.
    pub(super) fn is_muted(&self, id: AppId, to: &Recipient, known: Known<'_>) -> bool {
        let above = || known.registry.get(id).and_then(|app| known.registry.covering(app));
        let is_muted = |id: AppId| self.alerts.get(&id).is_some_and(|alert| alert.is_muted(to));
        is_muted(id) || above().is_some_and(|(parent, _)| is_muted(parent))
    }

    /// After a start, a sleep, or a quiet time: looks at all of them.
    pub(super) fn look_at_mutes(&mut self, now: Now) {
        let are_there =
            self.alerts.values().any(|alert| alert.everybody().any(|(_, it)| it.muted.is_some()));
        self.mute_at = are_there.then_some(now.at);
    }

    /// The time of some may be over.
    pub(super) fn handle_mutes(&mut self, now: Now, known: Known<'_>) -> Vec<Message> {
        let mut next: Option<Moment> = None;
        let mut look_at = |at: Moment| next = Some(next.map_or(at, |known| known.min(at)));
        let (mut ended, mut broken) = (Vec::new(), SortedMap::<Recipient, Vec<AppId>>::default());
        for (id, alert) in self.alerts.iter() {
            for (to, told) in alert.everybody() {
                let Some(left) = told.muted.and_then(|muted| muted.left(now.at)) else { continue };
                if !left.is_zero() {
                    look_at(now.at + left);
                    continue;
                }
                match after(*id, alert, (to, told), known) {
                    End::Later => look_at(now.at + SAID_SOON),
                    End::Quietly => {}
                    End::Tell(is_broken) => {
                        ended.push((*id, to.clone(), is_broken));
                        if is_broken {
                            broken.update(to.clone(), Vec::new, |ids| ids.push(*id));
                        }
                    }
                }
            }
        }
        self.mute_at = next;
        let have_ended = !ended.is_empty();
        if have_ended {
            self.look_at_reminders(now);
        }
        for (id, to, is_broken) in ended {
            self.alerts.edit(&id, |alert| {
                alert.mute(&to, None);
                if is_broken {
                    alert.remind(now, &to);
                }
            });
        }
        let mut messages = if have_ended { self.tell_of_seldom(now, known) } else { Vec::new() };
        for (to, ids) in broken {
            messages.extend(ids.chunks(APPS_MAX).map(|ids| self.remind(now, &to, ids, known)));
        }
        messages
    }
}

/// What becomes of a mute whose time is over.
fn after(id: AppId, alert: &Alert, (to, told): (&Recipient, &Told), known: Known<'_>) -> End {
    let Some(app) = known.registry.get(id) else { return End::Tell(false) };
    let is_named = || known.outbox.told(app.registration.recipients()).contains(to);
    let is_known = told.written >= Some(Level::Unhealthy) && !alert.over;
    if !is_known || app.paused || app.state() != State::Unhealthy || !is_named() {
        return End::Tell(false);
    }
    if known.is_hushed(id) {
        return End::Quietly;
    }
    let is_seen =
        !app.is_to_be_asked_first() && !known.surroundings.awaits(id) && !is_blind(&[id], known);
    if is_seen && is_broken(app) { End::Tell(true) } else { End::Later }
}
