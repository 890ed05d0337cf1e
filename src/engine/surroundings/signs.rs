//! What shows whether it is us, or what is between: checks, looks, and whatever else comes from
//! another machine.

use std::net::IpAddr;
use std::time::Duration;

use super::away::{Away, Part};
use super::look::{Look, LookReport, Sight, Witness};
use super::looks::Known;
use super::network::{Network, is_elsewhere};
use super::run::Interruption;
use super::settling::{Aftermath, Ended};
use super::silences::{Blame, Shown, Silence};
use super::witnesses::Asked;
use super::{Surroundings, Worth};
use crate::engine::registry::{App, AppId, Registry};
use crate::engine::state::State;
use crate::engine::time::{Moment, Now, Stamp};
use crate::engine::verdict::answer::{Life, Outcome, Verdict};

/// Apps wait for the router for so long; then they count, and people are told.
const ROUTER_AWAITED: Duration = Duration::from_secs(600);

/// Two uplinks, each with both families. Of more, the last are remembered.
const ROUTERS_MAX: usize = 4;

/// What has changed between us and others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum News {
    /// It is away.
    Away(Part),
    /// It is back.
    Back {
        /// What.
        part: Part,
        /// How long it was away, as far as it was seen.
        after: Duration,
        /// Who fell silent with it; `None`: everybody may have.
        apps: Option<Vec<AppId>>,
    },
}

/// Checks, and all else that shows life.
impl Surroundings {
    /// Whether nothing hangs on what others show: nobody is silent, and nothing is away.
    pub fn is_calm(&self) -> bool {
        self.silences.is_empty() && self.network.is_whole() && self.looks.under_way().is_none()
    }

    /// Whether an app is on another machine, as far as we know.
    pub(super) fn is_elsewhere(&self, (id, app): (AppId, &App), verdict: &Verdict) -> bool {
        !verdict.is_here() && self.is_away_from_us(id, app)
    }

    /// Whether we need the network to see an app, as far as we know.
    pub fn is_away_from_us(&self, id: AppId, app: &App) -> bool {
        is_elsewhere(app) && !self.ours.contains(&id)
    }

    /// A check has ended: what it shows of what is between. To be called before
    /// [`Surroundings::handle_verdict`].
    pub fn handle_sign(&mut self, now: Now, (id, app): (AppId, &App), verdict: &Verdict) {
        let is_of_use = verdict.life == Life::CutOff || !self.is_calm();
        if !is_of_use || !self.is_elsewhere((id, app), verdict) {
            return;
        }
        match verdict.life {
            Life::Answer | Life::HostOnly => {
                self.silences.handle_answer(id);
                let shows_it = verdict.is_outside() && verdict.outcome != Outcome::Fail;
                let internet = self.network.internet.as_ref();
                if internet.is_some_and(|away| shows_it || away.hides(id)) {
                    self.comes_back(now, Part::Internet);
                }
                self.network.forget(id);
                self.has_settled();
                self.show_life(now);
            }
            Life::CutOff => self.cut_off(now),
            Life::Nothing => {}
        }
    }

    /// Somebody on another machine has reached us, or has taken a mail. If nobody answered before, nor a router that
    /// does otherwise, it may be the router alone that is away: the next look tells, and is due now.
    pub fn handle_life(&mut self, now: Now) {
        let is_deserted = matches!(self.network.down(), Some((Part::Network, _)));
        if is_deserted && self.run().gateway {
            self.network.reach();
        } else {
            self.show_life(now);
        }
    }

    /// Somebody on another machine lives.
    fn show_life(&mut self, now: Now) {
        self.silences.show(Shown::Life);
        self.rise(now);
    }

    /// We are on no network.
    fn cut_off(&mut self, now: Now) {
        let since = self.silences.oldest().unwrap_or(Stamp::noted(now));
        self.silences.show(Shown::CutOff);
        self.fall(now, since, Part::Link);
    }

    pub(super) fn fall(&mut self, now: Now, since: Stamp, part: Part) {
        let was_down = self.network.is_down();
        self.network.fall(since, part);
        if !was_down {
            self.looks.put_off(now.at);
            self.news.push_back(News::Away(part));
            self.lose_sight(since);
            self.will_settle(Interruption::Network);
        }
    }

    fn rise(&mut self, now: Now) {
        let Some(away) = self.network.rise(now.at) else { return };
        let after = away.since.age(now.at).span;
        self.see_again(now);
        self.news.push_back(News::Back { part: Part::Network, after, apps: None });
        self.has_settled();
    }

    /// Who crashes now has this to settle.
    pub(super) fn will_settle(&mut self, interruption: Interruption) {
        if self.settling.is_none() {
            self.note(|run| {
                run.settling.get_or_insert(interruption);
            });
        }
    }

    /// Nothing is to be settled, as far as that goes that was away.
    pub(super) fn has_settled(&mut self) {
        if self.settling.is_none() && self.network.is_whole() {
            self.note(|run| (run.settling, run.settling_since) = (None, None));
        }
    }
}

/// The router and the internet.
impl Surroundings {
    fn goes_away(&mut self, part: Part, since: Stamp) {
        let Some(place) = self.place(part).filter(|place| place.is_none()) else { return };
        *place = Some(Away::since(since));
        self.news.push_back(News::Away(part));
        match part {
            Part::Router => self.will_settle(Interruption::Router),
            _ => self.lose_internet(since),
        }
    }

    /// Our network is there, and the router is not, behind which is everybody whom we ask.
    fn blame_router_alone(&mut self, now: Now) {
        let Some(away) = self.network.rise(now.at) else { return };
        self.network.router = Some(away);
        self.see_again(now);
        let (part, after, apps) = (Part::Network, Duration::ZERO, None);
        self.news.push_back(News::Back { part, after, apps });
        self.news.push_back(News::Away(Part::Router));
        if self.settling.is_none() {
            self.note(|run| run.settling = Some(Interruption::Router));
        }
    }

    /// The router is away, and it took the line along that seems to be: it has not been seen since.
    fn blame_router(&mut self) {
        let seen = |away: &Away| away.since.at().is_none_or(|at| self.looks.have_seen_router(at));
        let is_line = self.network.internet.as_ref().is_none_or(seen);
        if is_line || self.network.router.is_some() || self.network.is_down() {
            return;
        }
        self.network.router = self.network.internet.take();
        self.forget_internet();
        self.news.push_back(News::Away(Part::Router));
        self.will_settle(Interruption::Router);
    }

    fn comes_back(&mut self, now: Now, part: Part) {
        let Some(away) = self.place(part).and_then(Option::take) else { return };
        let after = away.since.age(now.at).span;
        self.news.push_back(News::Back { part, after, apps: Some(away.apps()) });
        if part == Part::Internet {
            self.see_internet(now);
        }
        self.has_settled();
    }

    fn place(&mut self, part: Part) -> Option<&mut Option<Away>> {
        match part {
            Part::Router => Some(&mut self.network.router),
            Part::Internet => Some(&mut self.network.internet),
            Part::Link | Part::Network => None,
        }
    }

    /// What the silence of an app is worth that is known to be behind them, without a look.
    pub(super) fn behind(
        &mut self,
        now: Now,
        (id, app): (AppId, &App),
        verdict: &Verdict,
    ) -> Option<Worth> {
        let is_outside = verdict.is_outside();
        let Network { router, internet, .. } = &self.network;
        if router.as_ref().is_some_and(|away| away.hides(id)) {
            return Some(self.hide(now, (id, Some(app)), Part::Router));
        }
        let is_behind = is_outside && internet.is_some();
        is_behind.then(|| self.hide(now, (id, Some(app)), Part::Internet))
    }

    /// An app is silent for want of one of them.
    fn hide(&mut self, now: Now, (id, app): (AppId, Option<&App>), part: Part) -> Worth {
        if let Some(away) = self.place(part).and_then(Option::as_mut) {
            away.hide(now, id);
        }
        match part {
            Part::Internet if self.voids_out_there.may_be_void(now.at, id) => {
                app.into_iter().for_each(|app| self.miss(&app.registration.name));
                Worth::Void
            }
            Part::Internet => self.counts(id),
            _ => self.bounded(now, id, Worth::Void),
        }
    }

    /// When people are told of a router that is away.
    pub(super) fn router_deadline(&self) -> Option<Moment> {
        let away = self.network.router.as_ref()?;
        Some(away.since.at().unwrap_or_default() + ROUTER_AWAITED)
    }

    /// The router is away for so long that those who fell silent with it count: who they are.
    pub fn poll_router_away(&mut self, now: Now, registry: &Registry) -> Option<Ended> {
        self.router_deadline().filter(|at| *at <= now.at)?;
        let away = self.network.router.take()?;
        // It is a witness again once it has answered.
        self.note(|run| {
            run.gateway = false;
            run.routers.clear();
        });
        self.has_settled();
        let (mut missing, mut undecided) = away.missing();
        // Who may be off may just be that, and nobody waits for it.
        let counts = |app: &App| !app.registration.may_be_off();
        let is_awaited = |id: AppId| registry.get(id).is_some_and(counts);
        missing.retain(|it| is_awaited(it.id));
        undecided.retain(|id| is_awaited(*id));
        let is_well = |(id, app): &(AppId, &App)| {
            let is_asked = !app.paused && app.registration.beats().is_none();
            counts(app) && is_asked && app.state() != State::Unhealthy && !away.hides(*id)
        };
        let back = registry.by_name().filter(is_well).map(|(id, _)| id).collect();
        let (after, began, router) = (Aftermath::RouterAway, away.since, self.router_address);
        Some(Ended { after, began, last_record: None, router, back, missing, undecided })
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
        // (Who is nowhere is never waited for.)
        let Some(host) = app.registration.target.host().cloned() else { return };
        self.silences.add(Silence::new(now, id, host, verdict, latency));
    }

    /// We stood still, however shortly: what a look finds now proves nothing.
    pub fn handle_standstill(&mut self) {
        self.looks.discard();
    }

    /// When the next look is due, or the one under way given up.
    pub(super) fn next_look(&self) -> Option<Moment> {
        let is_wanted = !self.is_calm();
        is_wanted.then(|| self.looks.next(!self.silences.is_empty() || self.network.is_reached()))
    }

    /// The look that is due.
    pub fn poll_look(&mut self, now: Now, registry: &Registry) -> Option<Look> {
        self.looks.give_up(now.at);
        let is_due = self.next_look().is_some_and(|at| at <= now.at);
        if !is_due || self.looks.under_way().is_some() {
            return None;
        }
        let asked = if self.silences.is_empty() && !self.network.is_down() {
            // Only the router, and the internet, are awaited.
            Asked::default()
        } else {
            Asked::around(&self.silences.hosts(), registry, |id| self.awaits(id))
        };
        let is_outside = self.silences.are_outside() || self.network.internet.is_some();
        let anchors = if is_outside { self.anchors.as_slice() } else { &[] };
        let (id, witnesses) = self.looks.begin(now.at, asked, self.known(), anchors);
        let newest = self.silences.newest().and_then(Stamp::at);
        let silent_for = newest.map_or(Duration::ZERO, |newest| now.at.since(newest));
        Some(Look { id, witnesses, routers: self.run().routers.clone(), silent_for })
    }

    /// Who has answered before.
    fn known(&self) -> Known {
        let run = self.run();
        Known { router: run.gateway, anchors: !self.anchors.is_empty() && run.internet }
    }

    /// What a look shows.
    pub fn handle_look(&mut self, now: Now, report: &LookReport) {
        if !self.looks.handle_report(now.at, report) {
            return;
        }
        for (witness, sight) in &report.seen {
            if let (Witness::App(id), Sight::Ourselves) = (witness, sight) {
                self.ours.insert(*id);
            }
        }
        if report.cut_off {
            return self.cut_off(now);
        }
        report.spoke.into_iter().for_each(|router| self.learn(router));
        let Some(look) = self.looks.under_way() else { return };
        let is_over = look.is_over();
        let nobody_can_tell = is_over && !look.finds_all_silent() && !look.is_open();
        let (lives, router, anchor) =
            (look.sees_life(), look.router_is_there(), look.sees_anchor());
        let internet = anchor && look.internet_is_there();
        let router_is_away = look.router_is_away() == Some(true);
        self.router_address = look.router_address.or(self.router_address);
        let (known, router_answers) = (self.known(), look.router_answers());
        if (router_answers && !known.router) || (internet && !known.anchors) {
            self.note(|run| {
                run.gateway |= router_answers;
                run.internet |= internet;
            });
        }
        if is_over && router_is_away {
            self.blame_router();
        }
        if router {
            self.comes_back(now, Part::Router);
        }
        if internet {
            self.comes_back(now, Part::Internet);
        }
        if lives || (nobody_can_tell && self.network.is_down()) {
            self.rise(now);
        } else if is_over && self.network.is_reached() {
            // Whoever has reached us lives.
            if router_is_away { self.blame_router_alone(now) } else { self.rise(now) }
        } else if is_over && self.network.is_down() {
            self.fall(now, Stamp::noted(now), Part::Network);
        }
    }

    /// A router answers more than at the link.
    fn learn(&mut self, router: IpAddr) {
        if !self.run().routers.contains(&router) {
            self.note(|run| {
                run.routers.push(router);
                let surplus = run.routers.len().saturating_sub(ROUTERS_MAX);
                run.routers.drain(..surplus);
            });
        }
    }

    /// The next verdict that waits no longer, and what it is worth.
    pub fn poll_decided(&mut self, now: Now, registry: &Registry) -> Option<(Silence, Worth)> {
        let known = self.known();
        let Some((silence, blame)) = self.silences.poll(&self.looks, known, now.at) else {
            self.looks.take_over();
            return None;
        };
        let began = silence.ended(now.at).at.before(silence.latency);
        let (id, fell) = (silence.app, silence.ended(now.at));
        let worth = match blame {
            Blame::Part(part @ (Part::Link | Part::Network)) => {
                if !self.network.is_down() {
                    self.fall(now, silence.ended, part);
                }
                self.network.hide(fell, id);
                Worth::Void
            }
            Blame::Part(part) if self.fell_silent_with(part, registry.get(id)) => {
                self.goes_away(part, silence.ended);
                let worth = self.hide(fell, (id, registry.get(id)), part);
                return Some((silence, worth));
            }
            Blame::Us => Worth::Void,
            _ if !self.network.was_well_since(began) => Worth::Void,
            Blame::App | Blame::Part(_) => self.settled(now, id, &silence.verdict),
        };
        let worth = self.bounded(now, id, worth);
        Some((silence, worth))
    }

    /// Whether an app has not answered since something went away: if it has, it is to blame itself.
    fn fell_silent_with(&mut self, part: Part, app: Option<&App>) -> bool {
        let since = self.place(part).and_then(|place| Some(place.as_ref()?.since));
        let answered = app.and_then(|app| app.last_healthy);
        since.is_none_or(|since| answered.is_none_or(|at| at.is_not_after(since)))
    }

    /// What has changed since this was asked last.
    pub fn poll_news(&mut self) -> Option<News> {
        self.news.pop_front()
    }
}
