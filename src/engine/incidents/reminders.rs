//! Reminders: as long as apps are UNHEALTHY of which a person was told, they hear of it again, ever more seldom.
//!
//! Each person has one clock. It runs from the beginning of the oldest trouble of theirs that is not over, and
//! each reminder tells all of it. What is on disk is when an alert was last in one.

use std::time::Duration;

use super::alert::Level;
use super::collection::{is_blind, is_broken};
use super::{Incidents, Known, grouping};
use crate::engine::outbox::Message;
use crate::engine::outbox::merge::APPS_MAX;
use crate::engine::outbox::notice::{Notice, Outage};
use crate::engine::recipients::Recipient;
use crate::engine::registry::AppId;
use crate::engine::sorted::SortedMap;
use crate::engine::time::{Moment, Now, Step};

/// After so long comes the first,
const FIRST: Duration = Duration::from_secs(3600);
/// after so long the second,
const SECOND: Duration = Duration::from_secs(6 * 3600);
/// and from then on one a day.
const EACH: Duration = Duration::from_secs(24 * 3600);
/// How somebody is cannot be said just now: they are waited for.
pub(super) const SAID_SOON: Duration = Duration::from_secs(45);

/// The clock of one person.
#[derive(Clone, Default)]
struct Clock {
    /// How long the oldest trouble has lasted.
    age: Duration,
    /// How long ago somebody was reminded of any of it, if they were,
    reminded: Option<Duration>,
    /// and this person, as far as that is known.
    heard: Option<Duration>,
    ids: Vec<AppId>,
}

impl Clock {
    fn is_due(&self) -> bool {
        // What came before it began was of something else.
        let then = |ago: Duration| self.age.checked_sub(ago);
        let before = self.reminded.and_then(then).map_or(0, count);
        // One that came so shortly before, by the clock of trouble that is over, was that of this.
        let heard = self.heard.and_then(then).map_or(0, |age| count(age + early(age)));
        count(self.age) > before.max(heard)
    }
}

/// How many reminders come within so long.
fn count(age: Duration) -> u64 {
    match age {
        age if age < FIRST => 0,
        age if age < SECOND => 1,
        age => 2 + age.as_secs() / EACH.as_secs(),
    }
}

/// One that comes so long before the next is due is that one: an hour, and between the first and the second until
/// it is nearer to the first.
fn early(age: Duration) -> Duration {
    if (FIRST..SECOND).contains(&age) { (SECOND - FIRST) / 2 } else { FIRST }
}

/// When the one comes that is next after so long.
fn next(age: Duration) -> Duration {
    match age {
        age if age < FIRST => FIRST,
        age if age < SECOND => SECOND,
        age => Duration::from_secs((age.as_secs() / EACH.as_secs() + 1) * EACH.as_secs()),
    }
}

impl Incidents {
    /// Somebody was told of something: whoever is to be reminded of it is so no sooner than after a while.
    pub fn handle_told(&mut self, now: Now) {
        if !self.reminds {
            return;
        }
        let at = now.at + FIRST;
        self.remind_at = Some(self.remind_at.map_or(at, |known| known.min(at)));
    }

    /// Something has changed by which they may be due, or wait.
    pub(super) fn look_at_reminders(&mut self, now: Now) {
        self.remind_at = (self.reminds && !self.alerts.is_empty()).then_some(now.at);
    }

    /// It may be time to remind people of what they know.
    pub(super) fn handle_reminders(&mut self, now: Now, known: Known<'_>) -> Vec<Message> {
        let (mut messages, mut reminded) = (Vec::new(), Vec::new());
        let mut next_at: Option<Moment> = None;
        let mut look_at = |at: Moment| next_at = Some(next_at.map_or(at, |known| known.min(at)));
        for (to, clock) in self.clocks(now) {
            let is_known =
                |id: &AppId| known.registry.get(*id).is_none_or(|app| !app.is_to_be_asked_first());
            let is_seen = |id: &AppId| is_known(id) && !known.surroundings.awaits(*id);
            let due = clock.is_due();
            if due && (is_blind(&clock.ids, known) || !clock.ids.iter().all(is_seen)) {
                look_at(now.at + SAID_SOON);
                continue;
            }
            look_at(now.at + next(clock.age).saturating_sub(clock.age));
            if due {
                let still: Vec<AppId> =
                    clock.ids.iter().copied().filter(|id| is_told_again(*id, &to, known)).collect();
                // If nothing is said for a quiet time, it is when that is over.
                let waits = still.is_empty() && clock.ids.iter().any(|id| known.is_hushed(*id));
                messages
                    .extend(still.chunks(APPS_MAX).map(|ids| self.remind(now, &to, ids, known)));
                let told = clock.ids.into_iter().filter(|_| !waits);
                reminded.extend(told.map(|id| (id, to.clone())));
            }
        }
        self.remind_at = next_at;
        for (id, to) in reminded {
            self.alerts.edit(&id, |alert| alert.remind(now, &to));
        }
        messages
    }

    /// The clocks of all people who know of something.
    fn clocks(&self, now: Now) -> SortedMap<Recipient, Clock> {
        let mut clocks: SortedMap<Recipient, Clock> = SortedMap::default();
        for (id, alert) in self.alerts.iter().filter(|(_, alert)| !alert.over) {
            let age = alert.opened.age(now.at).span;
            let reminded = alert.reminded.map(|at| at.age(now.at).span);
            let knows =
                alert.everybody().filter(|(_, told)| told.written >= Some(Level::Unhealthy));
            let knows = knows.filter(|(_, told)| told.muted.is_none());
            for (to, told) in knows {
                // Of an earlier run it is not on record who heard it: all of them may have.
                let earlier = alert.reminded.filter(|at| !at.is_of_this_run());
                let heard = told.reminded.map(|at| now.at.since(at));
                let heard = heard.or(earlier.map(|at| at.age(now.at).span));
                clocks.update(to.clone(), Clock::default, |clock| {
                    clock.age = clock.age.max(age);
                    clock.reminded = clock.reminded.into_iter().chain(reminded).min();
                    clock.heard = clock.heard.into_iter().chain(heard).min();
                    clock.ids.push(*id);
                });
            }
        }
        clocks
    }

    pub(super) fn remind(
        &self,
        now: Now,
        to: &Recipient,
        ids: &[AppId],
        known: Known<'_>,
    ) -> Message {
        let outage = grouping::outage(now, ids, false, known.registry);
        let notice = Notice::Outage(Box::new(Outage { still: true, ..outage }));
        Message { to: to.clone(), notice, thread: self.threads(ids, to, known) }
    }

    /// The machine was asleep, or the clock was set: looks anew.
    pub(super) fn step_reminders(&mut self, now: Now, step: Step) {
        self.remind_at = self.remind_at.map(|at| step.moved_back(at).min(now.at));
    }
}

/// Whether a person is told again that an app is UNHEALTHY: it is so still.
fn is_told_again(id: AppId, to: &Recipient, known: Known<'_>) -> bool {
    let Known { registry, outbox, .. } = known;
    registry.get(id).is_some_and(|app| {
        let is_named = || outbox.told(app.registration.recipients()).contains(to);
        let tells = app.registration.reminds() && !app.paused && is_broken(app) && is_named();
        tells && !known.is_hushed(id)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn they_come_after_one_six_and_twenty_four_hours_and_then_daily() {
        let (mut age, mut hours) = (Duration::ZERO, Vec::new());
        for _ in 0..5 {
            let due = next(age);
            assert_eq!(count(due), count(age) + 1);
            assert_eq!(count(due - Duration::from_secs(1)), count(age));
            hours.push(due.as_secs() / 3600);
            age = due;
        }
        assert_eq!(hours, [1, 6, 24, 48, 72]);
    }

    #[test]
    fn who_was_reminded_shortly_before_is_not_so_again() {
        let minutes = |minutes: u64| Duration::from_secs(minutes * 60);
        let is_due = |age: u64, ago: Option<u64>| {
            let (age, heard) = (minutes(age), ago.map(minutes));
            Clock { age, heard, reminded: heard, ids: Vec::new() }.is_due()
        };
        assert!(is_due(60, None) && !is_due(59, None));
        // When it was 49 min old, with older trouble.
        assert!(!is_due(60, Some(11)) && !is_due(359, Some(310)) && is_due(360, Some(311)));
        // When it was five hours old, and four, and two.
        assert!(!is_due(383, Some(84)) && !is_due(360, Some(120)) && is_due(360, Some(240)));
        assert!(is_due(1440, Some(1080)) && !is_due(1440, Some(30)));
        assert!(is_due(60, Some(61)), "of trouble before");
        let of_others = Clock { age: minutes(60), reminded: Some(minutes(11)), ..Clock::default() };
        assert!(of_others.is_due(), "somebody else was reminded");
    }
}
