//! The plan of all that will befall a household: what acts on whom, when, and what is done.
//!
//! Each kind of thing adds to it, in a file of its own (see [`super::befall`]); [`Plan::finish`] puts it in order.

use std::collections::BTreeMap;

use super::conditions::{Condition, Effect, NO_CARRIER, Stage};
use super::layout::{HostKind, Layout, MailServer, NameService, Place};
use super::rates::{Rate, Rates, TABLE};
use super::spans::EVER;
use super::{Size, apps::Settings};
use crate::chance::{Chance, DAY, HOUR, SECOND};
use crate::deed::Deed;
use crate::story::{AppId, CauseKind, HostId, Ms};

/// What can be away, for who needs to know when.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    OurLink,
    /// The same, where our machine sees it: no carrier.
    OurCarrier,
    /// Between subnets, and to the line.
    Router,
    /// The way out, the router on it.
    Line,
    Names,
    Host(HostId),
    /// Our machine is off or boots.
    OurMachine,
}

/// Who registers an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum By {
    /// The app itself: as soon as it can reach us.
    App,
    /// A person, from any machine.
    Person,
}

/// From, and up to; [`EVER`] is no end.
pub(crate) type Times = (Ms, Ms);

/// All that will befall.
pub(crate) struct Plan<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) rates: &'a Rates,
    pub(crate) seed: u64,
    pub(crate) size: Size,
    pub(crate) end: Ms,
    pub(super) causes: Vec<CauseKind>,
    /// For each app.
    pub(super) conditions: Vec<Vec<Condition>>,
    pub(super) deeds: Vec<(Ms, Deed)>,
    pub(super) registers: Vec<(Ms, AppId, By)>,
    /// For each host.
    pub(super) moves: Vec<Vec<Move>>,
    /// For each app: from when which settings.
    pub(super) settings: Vec<Vec<(Ms, Settings)>>,
    pub(super) outages: BTreeMap<Part, Vec<Times>>,
    /// For each app from when on it is broken for good, and registers no more.
    pub(super) lost: Vec<Ms>,
    /// For each app, one after the other.
    pub(super) certificates: Vec<Vec<Certified>>,
}

/// A certificate that an app shows.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Certified {
    /// When it is renewed.
    pub(crate) until: Ms,
    /// From when on it is valid, and until when, as the story goes.
    pub(crate) valid: (i64, i64),
    /// The cause that it is when people are told that it ends, on the page,
    pub(crate) said: usize,
    /// and by mail.
    pub(crate) told: usize,
}

/// A host has got another address.
#[derive(Clone, Debug)]
pub(crate) struct Move {
    pub(crate) at: Ms,
    pub(crate) cause: usize,
    /// What whoever asks at the old one gets.
    pub(crate) left: Effect,
}

impl<'a> Plan<'a> {
    pub(crate) fn new(seed: u64, size: Size, rates: &'a Rates, layout: &'a Layout) -> Plan<'a> {
        let settings = layout.apps.iter().map(|app| vec![(0, app.settings.clone())]).collect();
        Plan {
            layout,
            rates,
            seed,
            size,
            end: Ms::from(size.days) * DAY,
            causes: Vec::new(),
            conditions: vec![Vec::new(); layout.apps.len()],
            deeds: Vec::new(),
            registers: Vec::new(),
            moves: vec![Vec::new(); layout.hosts.len()],
            settings,
            outages: BTreeMap::new(),
            lost: vec![EVER; layout.apps.len()],
            certificates: vec![Vec::new(); layout.apps.len()],
        }
    }

    /// When this happens to this one of its subjects.
    pub(crate) fn times(&self, rate: Rate, subject: usize) -> Vec<Ms> {
        let name = TABLE[rate as usize].name;
        Chance::of(self.seed, name, subject).times(self.rates.of(rate), self.end)
    }

    /// When any of these happens, in order.
    pub(crate) fn times_of(&self, rates: &[Rate], subject: usize) -> Vec<(Ms, Rate)> {
        let times = |&rate: &Rate| self.times(rate, subject).into_iter().map(move |at| (at, rate));
        let mut all: Vec<(Ms, Rate)> = rates.iter().flat_map(times).collect();
        all.sort_by_key(|(at, _)| *at);
        all
    }

    /// How it goes that happens to this subject then: the same whatever else happens.
    pub(crate) fn chance(&self, purpose: &str, at: Ms, subject: usize) -> Chance {
        Chance::of(self.seed ^ crate::chance::mix(at), purpose, subject)
    }

    /// A new one, which reaches nobody yet.
    pub(crate) fn cause(&mut self, kind: CauseKind) -> usize {
        self.causes.push(kind);
        self.causes.len() - 1
    }

    pub(crate) fn deed(&mut self, at: Ms, deed: Deed) {
        self.deeds.push((at, deed));
    }

    /// A part is away.
    pub(crate) fn out(&mut self, part: Part, (from, until): Times) {
        self.outages.entry(part).or_default().push((from, until));
    }

    /// It acts on one app. Where that is the name service and not there, nobody finds a name.
    pub(crate) fn act(
        &mut self,
        cause: usize,
        app: usize,
        stage: Stage,
        (from, until): Times,
        effect: Effect,
    ) {
        if from >= self.end
            || until <= from
            || !self.layout.apps[app].watch.is_reached(stage, &effect)
        {
            return;
        }
        let is_gone = (Stage::Network..Stage::Answer).contains(&stage)
            && !matches!(effect, Effect::Loses(_) | Effect::Fails);
        self.conditions[app].push(Condition { from, until, stage, effect, cause });
        let knows_names = self.layout.names == NameService::App(AppId(app));
        if knows_names && is_gone {
            // The system asks twice, for 5 s each (resolv.conf(5)).
            self.names_gone(cause, (from, until), Effect::NoName(10 * SECOND));
        }
    }

    /// Nothing answers on a host.
    pub(crate) fn host_gone(
        &mut self,
        cause: usize,
        host: usize,
        stage: Stage,
        times: Times,
        effect: &Effect,
    ) {
        self.out(Part::Host(HostId(host)), times);
        let layout = self.layout;
        for app in layout.apps_of(host) {
            self.act(cause, app, stage, times, effect.clone());
        }
    }

    /// A host is off, and starts: so long nobody is there, then each app comes in its own time, and registers.
    /// Of those apps that are to need a person, `needs_help` says when one comes.
    pub(crate) fn restart(
        &mut self,
        cause: usize,
        host: usize,
        (off, on): Times,
        mut needs_help: impl FnMut(usize) -> Option<Ms>,
    ) {
        self.host_gone(cause, host, Stage::Host, (off, on), &Effect::NoRoute(3 * SECOND));
        let layout = self.layout;
        for app in layout.apps_of(host) {
            let starts = on.saturating_add(layout.apps[app].starts_in);
            let back = needs_help(app).map_or(starts, |helped| starts.max(helped));
            self.act(cause, app, Stage::App, (on, back), Effect::Refused);
            self.listens(app, back);
        }
    }

    /// An app listens from now on, after a start: it registers, if it does that.
    pub(crate) fn listens(&mut self, app: usize, at: Ms) {
        let known = &self.layout.apps[app];
        if known.registers && at > known.arrives {
            let before = at.saturating_sub(known.registers_before).max(known.arrives + 1);
            self.registers.push((before, AppId(app), By::App));
        }
    }

    /// An app is down, and listens again.
    pub(crate) fn app_down(&mut self, cause: usize, app: usize, (from, until): Times) {
        self.act(cause, app, Stage::App, (from, until), Effect::Refused);
        self.listens(app, until);
    }

    /// Our own link is gone: all but what is on our own machine.
    pub(crate) fn our_link_gone(&mut self, cause: usize, times: Times, effect: &Effect) {
        self.out(Part::OurLink, times);
        if *effect == NO_CARRIER {
            self.out(Part::OurCarrier, times);
        }
        let layout = self.layout;
        for (app, known) in layout.apps.iter().enumerate() {
            if layout.hosts[known.host].kind != HostKind::Ourselves {
                self.act(cause, app, Stage::OurLink, times, effect.clone());
            }
        }
    }

    /// A switch or access point is gone that is not ours.
    pub(crate) fn segment_gone(&mut self, cause: usize, segment: usize, times: Times) {
        for host in 0..self.layout.hosts.len() {
            if self.layout.hosts[host].place == Place::Segment(segment) {
                let effect = Effect::NoRoute(3 * SECOND);
                self.host_gone(cause, host, Stage::Network, times, &effect);
            }
        }
    }

    /// The router is gone.
    pub(crate) fn router_gone(&mut self, cause: usize, times: Times) {
        self.out(Part::Router, times);
        if self.layout.names == NameService::Router {
            self.names_gone(cause, times, Effect::NoName(10 * SECOND));
        }
        for segment in 0..self.layout.segments.len() {
            if self.layout.is_behind_router(segment) {
                self.segment_gone(cause, segment, times);
            }
        }
        self.line_gone(cause, times, &Effect::NoRoute(3 * SECOND));
    }

    /// What is outside is out of reach.
    pub(crate) fn line_gone(&mut self, cause: usize, times: Times, effect: &Effect) {
        self.out(Part::Line, times);
        for host in 0..self.layout.hosts.len() {
            if self.layout.hosts[host].place == Place::Public {
                self.host_gone(cause, host, Stage::Network, times, effect);
            }
        }
    }

    /// No name is found. All were before, and the daemon asks at their last good addresses: for an hour where it is
    /// said that there is no such name, for a day where nobody answers.
    pub(crate) fn names_gone(&mut self, cause: usize, (from, until): Times, effect: Effect) {
        let is_answered = matches!(effect, Effect::NoName(after) if after < SECOND);
        let times = (from + if is_answered { HOUR } else { DAY }, until);
        if times.0 >= until {
            return;
        }
        self.out(Part::Names, times);
        let layout = self.layout;
        for (app, known) in layout.apps.iter().enumerate() {
            if layout.hosts[known.host].name.is_some() {
                self.act(cause, app, Stage::Name, times, effect.clone());
            }
        }
    }

    /// Whether our machine is off, or boots.
    pub(crate) fn we_are_off(&self, at: Ms) -> bool {
        self.outages_of(Part::OurMachine).iter().any(|(off, on)| *off < at && at < *on)
    }

    /// When no mail gets out of the house, or to the machine that takes it in the house.
    pub(crate) fn mail_path_gone(&self) -> Vec<Times> {
        let mut parts = vec![Part::OurLink];
        match self.layout.mail {
            MailServer::Outside => parts.extend([Part::Line, Part::Names]),
            MailServer::At(host) => parts.push(Part::Host(host)),
        }
        parts.iter().flat_map(|part| self.outages_of(*part)).copied().collect()
    }

    /// When a part is away; spans may overlap.
    pub(crate) fn outages_of(&self, part: Part) -> &[Times] {
        self.outages.get(&part).map_or(&[], Vec::as_slice)
    }

    /// Where a host is asked after so many moves.
    pub(crate) fn address(&self, host: usize, moves: usize) -> String {
        let known = &self.layout.hosts[host];
        if let Some(name) = &known.name {
            return name.clone();
        }
        match known.place {
            Place::Ourselves => "127.0.0.1".to_owned(),
            Place::Public => format!("203.0.113.{}", 1 + host),
            // Never the same twice: who asks at an old one is to find out.
            Place::Segment(segment) => {
                let subnet = usize::from(self.layout.segments[segment].subnet) * 100 + moves / 250;
                format!("10.{subnet}.{}.{}", moves % 250, 1 + host)
            }
        }
    }
}

/// That nobody is needed.
pub(crate) fn by_itself(_: usize) -> Option<Ms> {
    None
}
