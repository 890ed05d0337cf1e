//! What shows whether it is us: checks, looks, and whatever else comes from another machine.

use std::time::Duration;

use super::look::{Look, LookReport, Sight, Witness};
use super::network::{Proof, is_elsewhere};
use super::run::Interruption;
use super::silences::{Blame, Shown, Silence};
use super::witnesses::Asked;
use super::{Surroundings, Worth};
use crate::engine::registry::{App, AppId, Registry};
use crate::engine::time::{Moment, Now, Stamp};
use crate::engine::verdict::answer::{Life, Verdict};

impl Surroundings {
    /// Whether nothing hangs on what others show: nobody is silent, and our network is up.
    pub fn is_calm(&self) -> bool {
        self.silences.is_empty() && !self.network.is_down() && self.looks.under_way().is_none()
    }

    /// Whether an app is on another machine, as far as we know.
    pub(super) fn is_elsewhere(&self, (id, app): (AppId, &App), verdict: &Verdict) -> bool {
        is_elsewhere(app) && !verdict.here && !self.ours.contains(&id)
    }

    /// A check has ended: what it shows of our network. How long that was down, if it is back. To be
    /// called before [`Surroundings::handle_verdict`].
    pub fn handle_sign(
        &mut self,
        now: Now,
        (id, app): (AppId, &App),
        verdict: &Verdict,
    ) -> Option<Duration> {
        let is_of_use = verdict.life == Life::CutOff || !self.is_calm();
        if !is_of_use || !self.is_elsewhere((id, app), verdict) {
            return None;
        }
        match verdict.life {
            Life::Answer | Life::HostOnly => {
                self.silences.handle_answer(id);
                self.handle_life(now)
            }
            Life::CutOff => {
                self.cut_off(now);
                None
            }
            Life::Nothing | Life::NothingOutside => None,
        }
    }

    /// Somebody on another machine lives. How long our network was down, if it is back.
    pub fn handle_life(&mut self, now: Now) -> Option<Duration> {
        self.silences.show(Shown::Life);
        self.rise(now)
    }

    /// We are on no network.
    fn cut_off(&mut self, now: Now) {
        let since = self.silences.oldest().unwrap_or(Stamp::noted(now));
        self.silences.show(Shown::CutOff);
        self.fall(now, since, Proof::CutOff);
    }

    fn fall(&mut self, now: Now, since: Stamp, proof: Proof) {
        let was_down = self.network.is_down();
        self.network.fall(since, proof);
        if !was_down {
            self.looks.put_off(now.at);
        }
        if !was_down && self.settling.is_none() {
            // Who crashes now has this to settle.
            self.note(|run| run.settling = Some(Interruption::Network));
        }
    }

    fn rise(&mut self, now: Now) -> Option<Duration> {
        let back = self.network.rise(now.at)?;
        if self.settling.is_none() {
            self.note(|run| run.settling = None);
        }
        Some(back)
    }
}

/// Looking around.
impl Surroundings {
    /// A verdict is [`Worth::Waits`]: it waits until [`Surroundings::poll_decided`].
    pub fn wait(
        &mut self,
        now: Now,
        (id, app): (AppId, &App),
        verdict: Verdict,
        latency: Duration,
    ) {
        let host = app.registration.target.host().clone();
        self.silences.add(Silence::new(now, id, host, verdict, latency));
    }

    /// We stood still, however shortly: what a look finds now proves nothing.
    pub fn handle_standstill(&mut self) {
        self.looks.discard();
    }

    /// When the next look is due, or the one under way given up.
    pub(super) fn next_look(&self) -> Option<Moment> {
        let is_wanted = !self.is_calm();
        is_wanted.then(|| self.looks.next(!self.silences.is_empty()))
    }

    /// The look that is due.
    pub fn poll_look(&mut self, now: Now, registry: &Registry) -> Option<Look> {
        self.looks.give_up(now.at);
        let is_due = self.next_look().is_some_and(|at| at <= now.at);
        if !is_due || self.looks.under_way().is_some() {
            return None;
        }
        let asked = Asked::around(&self.silences.hosts(), registry, |id| self.awaits(id));
        Some(self.looks.begin(now.at, asked, self.gateway_answers()))
    }

    /// Whether the gateway is one that has answered.
    fn gateway_answers(&self) -> bool {
        self.run().is_some_and(|run| run.gateway)
    }

    /// What a look shows. How long our network was down, if it is back.
    pub fn handle_look(&mut self, now: Now, report: &LookReport) -> Option<Duration> {
        if !self.looks.handle_report(report) {
            return None;
        }
        for (witness, sight) in &report.seen {
            match (witness, sight) {
                (Witness::Gateway, Sight::Answers | Sight::HostOnly) if !self.gateway_answers() => {
                    self.note(|run| run.gateway = true);
                }
                (Witness::App(id), Sight::Ourselves) => _ = self.ours.insert(*id),
                _ => {}
            }
        }
        if report.cut_off {
            self.cut_off(now);
            return None;
        }
        let look = self.looks.under_way()?;
        let nobody_can_tell = look.is_over() && !look.finds_all_silent() && !look.is_open();
        if look.sees_life() || (nobody_can_tell && self.network.is_down()) {
            return self.rise(now);
        }
        if look.is_over() && self.network.is_down() {
            self.fall(now, Stamp::noted(now), Proof::Silence);
        }
        None
    }

    /// The next verdict that waits no longer, and what it is worth.
    pub fn poll_decided(&mut self, now: Now) -> Option<(Silence, Worth)> {
        let Some((silence, blame)) = self.silences.poll(&self.looks, now.at) else {
            self.looks.take_over();
            return None;
        };
        let began = silence.ended(now.at).at.before(silence.latency);
        let id = silence.app;
        let worth = match blame {
            Blame::Network => {
                if !self.network.is_down() {
                    self.fall(now, silence.ended, Proof::Silence);
                }
                self.network.hide(id);
                Worth::Void
            }
            Blame::Us => Worth::Void,
            Blame::App if !self.network.was_well_since(began) => Worth::Void,
            Blame::App => self.settled(now, id, &silence.verdict),
        };
        let worth = self.bounded(now, id, worth);
        Some((silence, worth))
    }
}
