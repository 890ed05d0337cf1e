//! An alert: an app is unwell, and what each person has been told of it.
//!
//! Who was told of trouble is owed its end, once, and is not told the same twice: so each person
//! has an entry of their own. People come and go meanwhile (an app names another address, the owner
//! lets mail go to fewer or more, switches mail on), and a mail that was written may never reach
//! its reader. What was *written* decides what is news; what *arrived* decides what is owed.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::engine::outbox::merge::shorten;
use crate::engine::recipients::Recipient;
use crate::engine::registration::EMAILS_MAX;
use crate::engine::sorted::SortedMap;
use crate::engine::state::State;
use crate::engine::time::{Moment, Now, Stamp, Step};

/// The most people with an entry: all that an app can name, and as many that it named before. By
/// naming others again and again an app could otherwise make any number.
pub const TOLD_MAX: usize = 32;
const _: () = assert!(TOLD_MAX == 2 * EMAILS_MAX);

/// Open from the first trouble until the app is HEALTHY or no longer watched, through pauses,
/// restarts and UNKNOWN; then for as long as somebody is owed the end who may have no mail now.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alert {
    /// When the trouble began that people are told of.
    pub opened: Stamp,
    /// The app is HEALTHY again; some have not heard of it.
    pub over: bool,
    /// When it was over last, of trouble that people were told of: soon after, they are told that it keeps
    /// failing.
    pub recovered: Option<Stamp>,
    /// People were told that it keeps failing: no more, unless it is worse than they know, until it is well for a
    /// while.
    pub keeps_failing: bool,
    /// What people were told is that nothing answers at its host.
    pub silent: bool,
    /// How often it fell ill, this time among them, since it was last well for a while.
    pub falls: u32,
    /// When people were reminded of it last.
    pub reminded: Option<Stamp>,
    /// With which others it belongs together.
    pub tie: Tie,
    /// In boxes, as all that is kept of people: so the code of the map is there once.
    people: SortedMap<Recipient, Box<Told>>,
}

/// The incident that an alert belongs to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tie {
    /// It is one of its own.
    #[default]
    Alone,
    /// It may be one with others: that is waited for, and nobody is told yet.
    Collected,
    /// One of several, which are told together: their trouble, and once all are well the end.
    Of {
        /// The incident's number, among those that are open.
        number: u64,
        /// When it was told first.
        told: Stamp,
    },
}

impl Tie {
    /// The number of the incident, if it is one of several.
    pub fn number(self) -> Option<u64> {
        match self {
            Tie::Of { number, .. } => Some(number),
            Tie::Alone | Tie::Collected => None,
        }
    }
}

/// What one person has been told of one alert.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Told {
    /// How bad it is by the last mail that was written for them; `None` when that told the end.
    pub written: Option<Level>,
    /// How bad it is by the last mail that the mail server took; `None` before the first one.
    pub arrived: Option<Level>,
    /// The message ids of the mails that the mail server took, oldest first.
    pub thread: Vec<String>,
    /// When they were reminded of it last, by this run.
    pub reminded: Option<Moment>,
    /// They have heard enough of it.
    pub muted: Option<Muted>,
}

/// A person has heard enough of trouble that they know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Muted {
    /// Since when,
    pub since: Stamp,
    /// and for how long; `None`: until it is over.
    pub span: Option<Duration>,
}

impl Muted {
    /// How long it still lasts, as far as is certain; `None`: until it is over.
    pub fn left(self, at: Moment) -> Option<Duration> {
        Some(self.span?.saturating_sub(self.since.age(at).span))
    }
}

/// How bad it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// The app is DEGRADED.
    Degraded,
    /// The app is UNHEALTHY.
    Unhealthy,
}

impl Level {
    /// The level of a state that people are told; `None` for UNKNOWN and HEALTHY.
    pub fn of(state: State) -> Option<Level> {
        match state {
            State::Unknown | State::Healthy => None,
            State::Degraded => Some(Level::Degraded),
            State::Unhealthy => Some(Level::Unhealthy),
        }
    }
}

impl Alert {
    /// One of which nobody has been told yet.
    pub fn new(opened: Stamp) -> Alert {
        Alert {
            opened,
            over: false,
            recovered: None,
            keeps_failing: false,
            silent: false,
            falls: 1,
            reminded: None,
            tie: Tie::Alone,
            people: SortedMap::default(),
        }
    }

    /// Trouble again, while somebody was owed the end of the trouble before.
    /// Of those that it was told with, others are still awaited then, perhaps for ever: this is news of
    /// its own, unless it is `known` as it is: silent again, soon after.
    pub fn reopen(&mut self, now: Now, known: bool) {
        self.over = false;
        self.falls = self.falls.saturating_add(1);
        if self.keeps_failing || known {
            return;
        }
        let was_together = std::mem::take(&mut self.tie).number().is_some();
        if was_together && self.is_told() {
            // If they are not told of this, they hear the end of what they know.
            self.people.values_mut().for_each(|told| told.written = None);
        } else {
            self.opened = Stamp::noted(now);
        }
    }

    /// What a person has been told.
    pub fn told(&self, to: &Recipient) -> Option<&Told> {
        self.people.get(to).map(Box::as_ref)
    }

    /// Everybody who has been told something.
    pub fn everybody(&self) -> impl Iterator<Item = (&Recipient, &Told)> {
        self.people.iter().map(|(to, told)| (to, told.as_ref()))
    }

    /// Whether `level` is news to a person. That it is only DEGRADED by now is shown, and not told: the
    /// next thing to hear is that it is well.
    pub fn is_news(&self, to: &Recipient, level: Level) -> bool {
        let known = self.told(to).and_then(|told| told.written);
        known.is_none_or(|known| level > known)
    }

    /// Whether a person has been told of it, and not that it is over.
    pub fn is_told_to(&self, to: &Recipient) -> bool {
        self.told(to).is_some_and(|told| told.written.is_some())
    }

    /// Whether a person has heard enough of it.
    pub fn is_muted(&self, to: &Recipient) -> bool {
        self.told(to).is_some_and(|told| told.muted.is_some())
    }

    /// How many people have heard enough of it.
    pub fn muted(&self) -> usize {
        self.people.values().filter(|told| told.muted.is_some()).count()
    }

    /// A person has heard enough of it, or wants to hear again.
    pub(super) fn mute(&mut self, to: &Recipient, muted: Option<Muted>) {
        self.change(to, |told| told.muted = muted);
    }

    /// It is over, and so is what people wanted to hear no more of.
    pub(super) fn end(&mut self, now: Now) {
        if !std::mem::replace(&mut self.over, true) && self.is_told() {
            self.recovered = Some(Stamp::noted(now));
        }
        self.people.values_mut().for_each(|told| told.muted = None);
    }

    /// Hands over every time of what people wanted, to be put right after the clock was set.
    pub(super) fn for_each_mute(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        let muted = self.people.values_mut().filter_map(|told| told.muted.as_mut());
        muted.for_each(|muted| put_right(&mut muted.since));
    }

    /// When its incident was told first; when it was raised, of one that is alone.
    pub fn began(&self) -> Stamp {
        match self.tie {
            Tie::Of { told, .. } => told,
            Tie::Alone | Tie::Collected => self.opened,
        }
    }

    /// It is told anew, of trouble since then: if all that people were told is over, that is another story.
    pub(super) fn begin_anew(&mut self, since: Stamp) {
        if !self.is_told() && !self.people.is_empty() {
            self.opened = since;
        }
    }

    /// Whether somebody has been told of it, and not that it is over.
    pub fn is_told(&self) -> bool {
        self.people.values().any(|told| told.written.is_some())
    }

    /// Whether somebody has been told that it is as bad as this, and not that it is over.
    pub fn is_told_as(&self, level: Level) -> bool {
        self.people.values().any(|told| told.written >= Some(level))
    }

    /// People are told of trouble that is news: whether it keeps failing, and how often it did with its host. If it
    /// does not, it is the first time.
    pub(super) fn begin_spell(&mut self, keeps_failing: bool, on_host: u32) {
        self.keeps_failing = keeps_failing;
        self.falls = if keeps_failing { self.falls.max(on_host) } else { 1 };
    }

    /// A mail was written that tells a person of trouble. `named` are those whom the app names now.
    pub fn tell(&mut self, to: &Recipient, level: Level, named: &[Recipient]) {
        if !self.people.contains_key(to) && self.people.len() >= TOLD_MAX {
            self.forget_a_former(named);
        }
        self.people.update(to.clone(), Box::default, |told| {
            if told.written.replace(level).is_none() {
                // The thread is that of the trouble before.
                told.thread.clear();
            }
        });
    }

    /// A person was reminded of it, as far as it is to be told again.
    pub(super) fn remind(&mut self, now: Now, to: &Recipient) {
        self.reminded = Some(Stamp::noted(now));
        self.people.get_mut(to).into_iter().for_each(|told| told.reminded = Some(now.at));
    }

    /// The machine was asleep: what was remembered was longer ago.
    pub(super) fn handle_step(&mut self, step: Step) {
        let reminded = self.people.values_mut().filter_map(|told| told.reminded.as_mut());
        reminded.for_each(|at| *at = step.moved_back(*at));
    }

    /// A mail was written that tells a person the end: the app is HEALTHY since then.
    pub fn tell_end(&mut self, to: &Recipient, since: Stamp) {
        (self.recovered, self.keeps_failing) = (Some(since), false);
        self.change(to, |told| told.written = None);
    }

    /// The mail server took a mail to a person, by which the trouble is of `level` or over.
    pub fn arrive(&mut self, to: &Recipient, message_id: &str, level: Option<Level>) {
        self.change(to, |told| {
            told.arrived = level;
            if level.is_some() && !told.thread.iter().any(|known| known == message_id) {
                told.thread.push(message_id.to_owned());
                // Written with each change of an app that may come and go for months.
                shorten(&mut told.thread);
            }
        });
    }

    /// A mail to a person will never arrive: they know what they knew before it was written.
    pub fn take_back(&mut self, to: &Recipient) {
        self.change(to, |told| told.written = told.arrived);
    }

    /// The last mail that waits for a person, or reached them, tells that it is of `level` or over.
    pub fn set_written(&mut self, to: &Recipient, level: Option<Level>) {
        self.change(to, |told| told.written = level);
    }

    /// A person will never have read of it, and is owed nothing. Where that was the last, it is as if nobody
    /// had been told.
    pub(super) fn spare(&mut self, to: &Recipient) {
        self.people.remove(to);
        if self.people.is_empty() {
            self.recovered = None;
        }
    }

    /// Whether all is said.
    pub fn is_done(&self) -> bool {
        self.over && self.people.is_empty()
    }

    /// Takes in what is on record of a person.
    pub fn restore(&mut self, to: Recipient, told: Told) {
        let (written, arrived) = (told.written, told.arrived);
        let fresh = || Box::new(told);
        self.people.update(to, fresh, |known| {
            known.written = known.written.max(written);
            known.arrived = known.arrived.max(arrived);
        });
    }

    fn change(&mut self, to: &Recipient, change: impl FnOnce(&mut Told)) {
        let Some(told) = self.people.get_mut(to) else { return };
        change(told);
        if told.written.is_none() && told.arrived.is_none() {
            self.people.remove(to);
        }
    }

    /// Makes room: of those whom the app names no longer, one whom no mail has reached goes first.
    fn forget_a_former(&mut self, named: &[Recipient]) {
        let former = || self.people.iter().filter(|(person, _)| !named.contains(person));
        let unreached = former().find(|(_, told)| told.is_unreached());
        let forgotten = unreached.or_else(|| former().next()).map(|(person, _)| person.clone());
        if let Some(person) = forgotten {
            self.people.remove(&person);
        }
    }
}

impl Told {
    fn is_unreached(&self) -> bool {
        self.arrived.is_none()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn person(address: &str) -> Recipient {
        Recipient::mail(address)
    }

    fn a() -> Recipient {
        person("a@b.c")
    }

    fn alert() -> Alert {
        Alert::new(Stamp::noted(Now::default()))
    }

    #[test]
    fn each_level_is_told_once_to_a_person_however_the_address_is_written() {
        let mut alert = alert();
        assert!(alert.is_news(&a(), Level::Degraded));
        alert.tell(&a(), Level::Degraded, &[]);
        assert!(!alert.is_news(&person("A@B.c"), Level::Degraded));
        assert!(alert.is_news(&a(), Level::Unhealthy));
        assert!(alert.is_news(&person("d@e.f"), Level::Degraded));
    }

    #[test]
    fn who_knows_it_as_unhealthy_is_not_told_that_it_is_only_degraded() {
        let mut alert = alert();
        alert.tell(&a(), Level::Unhealthy, &[]);
        assert!(!alert.is_news(&a(), Level::Degraded));
        assert!(alert.is_told_as(Level::Unhealthy));
        alert.tell_end(&a(), alert.opened);
        assert!(alert.is_news(&a(), Level::Degraded));
        assert!(!alert.is_told_as(Level::Degraded));
    }

    #[test]
    fn a_mail_that_never_arrives_leaves_what_was_known_before() {
        let mut alert = alert();
        alert.tell(&a(), Level::Degraded, &[]);
        alert.arrive(&a(), "m1", Some(Level::Degraded));
        alert.tell(&a(), Level::Unhealthy, &[]);
        alert.take_back(&a());
        assert_eq!(alert.told(&a()).unwrap().written, Some(Level::Degraded));
        alert.tell_end(&a(), alert.opened);
        alert.take_back(&a());
        assert_eq!(alert.told(&a()).unwrap().written, Some(Level::Degraded), "the end is owed");
        alert.tell_end(&a(), alert.opened);
        alert.arrive(&a(), "m2", None);
        assert_eq!(alert.told(&a()), None);
        alert.tell(&a(), Level::Unhealthy, &[]);
        alert.take_back(&a());
        assert_eq!(alert.told(&a()), None, "of nothing there is no end");
    }

    #[test]
    fn another_trouble_has_another_thread() {
        let mut alert = alert();
        alert.tell(&a(), Level::Unhealthy, &[]);
        alert.arrive(&a(), "m1", Some(Level::Unhealthy));
        alert.tell_end(&a(), alert.opened);
        assert_eq!(alert.told(&a()).unwrap().thread, ["m1"]);
        alert.tell(&a(), Level::Unhealthy, &[]);
        assert!(alert.told(&a()).unwrap().thread.is_empty());
    }

    #[test]
    fn a_thread_has_each_mail_once_in_the_order_in_which_they_arrived() {
        let mut alert = alert();
        alert.tell(&a(), Level::Degraded, &[]);
        for message_id in ["m1", "m1", "m2", "m1"] {
            alert.arrive(&a(), message_id, Some(Level::Degraded));
        }
        assert_eq!(alert.told(&a()).unwrap().thread, ["m1", "m2"]);
    }

    #[test]
    fn naming_others_again_and_again_fills_nothing() {
        let mut alert = alert();
        for number in 0..10 * TOLD_MAX {
            let named = vec![a(), Recipient::mail(format!("{number}@b.c"))];
            let new = &named[usize::from(number > 0)..];
            new.iter().for_each(|to| alert.tell(to, Level::Unhealthy, &named));
        }
        assert_eq!(alert.everybody().count(), TOLD_MAX);
        assert!(alert.told(&a()).is_some(), "who is named still is not forgotten");
        let told: Vec<Recipient> = alert.everybody().map(|(to, _)| to.clone()).collect();
        told.iter().for_each(|to| alert.tell(to, Level::Degraded, &[]));
        assert!(alert.everybody().map(|(to, _)| to).eq(&told), "who has an entry needs no room");
    }
}
