//! Silences that wait: whether an app is to blame, or our own network, others are asked first.

use std::time::Duration;

use super::away::Part;
use super::looks::{Known, Looks, UnderWay};
use crate::engine::registration::Host;
use crate::engine::registry::AppId;
use crate::engine::time::{Moment, Now, Stamp};
use crate::engine::verdict::answer::Verdict;

/// Nobody is kept from being told for longer: what is undecided then counts.
const DECIDED_WITHIN: Duration = Duration::from_secs(60);
/// Whether it is the router is waited for so long where that cannot be told at once: some looks.
const ROUTER_DECIDED_WITHIN: Duration = Duration::from_secs(20);

/// A check that found nobody, and is not judged yet.
#[derive(Debug)]
pub struct Silence {
    /// Of whom.
    pub app: AppId,
    /// When the check ended.
    pub ended: Stamp,
    /// What it found.
    pub verdict: Verdict,
    /// How long it took.
    pub latency: Duration,
    host: Host,
    shown: Shown,
}

/// What was shown since the check ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shown {
    /// Nothing yet.
    Nothing,
    /// Another machine lives.
    Life,
    /// The app itself does.
    Itself,
    /// We are on no network.
    CutOff,
    /// We slept, or stood still.
    Away,
}

/// Whose fault it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blame {
    /// The app's, as far as anybody can tell.
    App,
    /// That of what is between.
    Part(Part),
    /// Ours.
    Us,
}

impl Silence {
    pub(super) fn new(
        now: Now,
        app: AppId,
        host: Host,
        verdict: Verdict,
        latency: Duration,
    ) -> Self {
        let (ended, shown) = (Stamp::noted(now), Shown::Nothing);
        Silence { app, ended, verdict, latency, host, shown }
    }

    /// When the check ended; `at`, should that not be known.
    pub fn ended(&self, at: Moment) -> Now {
        Now { at: self.ended.at().unwrap_or(at), wall: self.ended.wall() }
    }

    fn is_late(&self, at: Moment) -> bool {
        self.ended.age(at).span >= ROUTER_DECIDED_WITHIN
    }

    fn is_overdue(&self, at: Moment) -> bool {
        self.ended.age(at).span >= DECIDED_WITHIN
    }

    /// Whose fault it is, if that can be told by now.
    fn blame(&self, looks: &Looks, known: Known, at: Moment) -> Option<Blame> {
        match self.shown {
            Shown::Itself => return Some(Blame::App),
            Shown::CutOff => return Some(Blame::Part(Part::Link)),
            Shown::Away => return Some(Blame::Us),
            Shown::Life | Shown::Nothing => {}
        }
        // What was looked at before proves nothing.
        let ended = self.ended(at).at;
        let look = looks.under_way().filter(|look| look.asks_around && look.began >= ended);
        let lives = self.shown == Shown::Life || look.is_some_and(UnderWay::sees_life);
        let blame = if lives {
            let router_was_there = looks.have_seen_router(ended.before(self.latency));
            self.blame_behind(look, (known, router_was_there), at)
        } else {
            look.filter(|look| look.is_over()).and_then(|look| self.blame_around(look))
        };
        blame.or_else(|| self.is_overdue(at).then_some(Blame::App))
    }

    /// Nobody lives, as far as a look shows that is over.
    fn blame_around(&self, look: &UnderWay) -> Option<Blame> {
        if look.finds_others_silent(&self.host) {
            return Some(Blame::Part(Part::Network));
        }
        (!look.is_open()).then_some(Blame::App)
    }

    /// Others live: the router, and the internet, may be away.
    fn blame_behind(
        &self,
        look: Option<&UnderWay>,
        (known, router_was_there): (Known, bool),
        at: Moment,
    ) -> Option<Blame> {
        let internet = match look {
            _ if !self.is_outside() => Some(false),
            Some(look) => look.internet_is_away(),
            None => (!known.anchors).then_some(false),
        };
        let router = match look {
            // Who has answered since the check began was there, unless what is behind it is gone, too.
            _ if !known.router || (router_was_there && internet != Some(true)) => Some(false),
            // One that has just gone cannot be told from one that is there at once.
            Some(look) if look.router_is_undecided() => self.is_late(at).then_some(false),
            Some(look) => look.router_is_away(),
            None => None,
        };
        match (router?, internet?) {
            (true, _) => Some(Blame::Part(Part::Router)),
            (false, true) => Some(Blame::Part(Part::Internet)),
            (false, false) => Some(Blame::App),
        }
    }

    fn is_outside(&self) -> bool {
        self.verdict.is_outside()
    }
}

/// Those that wait, oldest first.
#[derive(Debug, Default)]
pub(super) struct Silences(Vec<Silence>);

impl Silences {
    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn add(&mut self, silence: Silence) {
        self.0.push(silence);
    }

    /// It was shown to all of them. That another machine lives tells least.
    pub(super) fn show(&mut self, shown: Shown) {
        let tells =
            |silence: &&mut Silence| shown != Shown::Life || silence.shown == Shown::Nothing;
        self.0.iter_mut().filter(tells).for_each(|silence| silence.shown = shown);
    }

    /// The app has answered.
    pub(super) fn handle_answer(&mut self, id: AppId) {
        let its = self.0.iter_mut().filter(|silence| silence.app == id);
        its.for_each(|silence| silence.shown = Shown::Itself);
    }

    /// Nothing is said of an app.
    pub(super) fn forget(&mut self, id: AppId) {
        self.0.retain(|silence| silence.app != id);
    }

    /// On which hosts they are.
    pub(super) fn hosts(&self) -> Vec<&Host> {
        let mut hosts: Vec<&Host> = Vec::new();
        for silence in &self.0 {
            if !hosts.contains(&&silence.host) {
                hosts.push(&silence.host);
            }
        }
        hosts
    }

    /// Whether one of them is on the internet.
    pub(super) fn are_outside(&self) -> bool {
        self.0.iter().any(Silence::is_outside)
    }

    /// When the oldest check ended.
    pub(super) fn oldest(&self) -> Option<Stamp> {
        Some(self.0.first()?.ended)
    }

    /// When the newest check ended.
    pub(super) fn newest(&self) -> Option<Stamp> {
        Some(self.0.last()?.ended)
    }

    /// When the oldest must be decided.
    pub(super) fn next_deadline(&self) -> Option<Moment> {
        Some(self.oldest()?.at()? + DECIDED_WITHIN)
    }

    /// The next that is decided.
    pub(super) fn poll(
        &mut self,
        looks: &Looks,
        known: Known,
        at: Moment,
    ) -> Option<(Silence, Blame)> {
        let all = self.0.iter().enumerate();
        let mut decided = all.filter_map(|(place, it)| Some((place, it.blame(looks, known, at)?)));
        let (place, blame) = decided.next()?;
        Some((self.0.remove(place), blame))
    }

    pub(super) fn for_each_stamp(&mut self, mut put_right: impl FnMut(&mut Stamp)) {
        self.0.iter_mut().for_each(|silence| put_right(&mut silence.ended));
    }
}
