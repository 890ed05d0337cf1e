//! How the apps of a household are watched: most are asked over HTTP, some over TLS, at a port, by an echo, and
//! some report by themselves.

use super::apps::App;
use super::conditions::{Effect, Stage};
use super::layout::{Host, HostKind, NameService};
use super::rates::{Rate, Rates};
use crate::chance::{Chance, DAY, HOUR, MINUTE, SECOND};
use crate::story::Ms;

/// How an app is watched.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Watch {
    Http,
    /// Over TLS, with certificates that end.
    Tls(Certificates),
    /// A connect is all that is asked.
    Port,
    /// An echo of its host is.
    Echo,
    /// It is not asked.
    Reports(Reports),
}

/// How its certificates come and go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Certificates {
    /// Each is valid for so long.
    pub(crate) lasts: Ms,
    /// The one that is there at the beginning has so much left.
    pub(crate) left: Ms,
}

/// How it reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) struct Reports {
    pub(crate) schedule: Schedule,
    /// What was registered, in seconds.
    pub(crate) interval: u64,
    pub(crate) grace: Option<u64>,
    /// It says when it begins, too.
    pub(crate) says_start: bool,
}

/// When it reports.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Schedule {
    /// Each night it begins at this minute of the day, and takes about so long.
    Nightly { minute: u64, takes: Ms },
    /// At this minute of each hour.
    Hourly { minute: u64 },
    /// It sleeps for about so long.
    Sleeps(Ms),
}

impl Watch {
    /// Whether something that is wrong there is of any matter for how it is watched.
    pub(super) fn is_reached(&self, stage: Stage, effect: &Effect) -> bool {
        let is_of_answers =
            matches!(effect, Effect::Hangs | Effect::Slow(_) | Effect::Fails | Effect::Warns);
        match self {
            Watch::Http | Watch::Tls(_) => true,
            // Its kernel takes connections, and answers echoes, whatever runs there.
            Watch::Port => !is_of_answers,
            Watch::Echo => !is_of_answers && stage < Stage::App,
            Watch::Reports(_) => {
                let is_slow = matches!(effect, Effect::Slow(_));
                let spins_up = stage == Stage::Answer && *effect == Effect::Hangs;
                stage != Stage::Name && !is_slow && !spins_up
            }
        }
    }
}

impl Watch {
    /// What who asks at an address finds that was left. Another device that is there answers echoes, and may have the
    /// same port: of that nobody could know.
    pub(super) fn found_elsewhere(&self, effect: &Effect) -> Effect {
        match (self, effect) {
            (Watch::Port, Effect::Fails) => Effect::Refused,
            (Watch::Echo, Effect::Fails | Effect::Refused) => Effect::NoRoute(3 * SECOND),
            _ => effect.clone(),
        }
    }
}

impl Reports {
    pub(crate) fn interval(&self) -> Ms {
        self.interval * SECOND
    }
}

/// How each app is watched. The name service is asked: others need it to be.
pub(super) fn of_apps(
    seed: u64,
    rates: &Rates,
    (hosts, names): (&[Host], NameService),
    apps: &mut [App],
) {
    for (number, app) in apps.iter_mut().enumerate() {
        let chance = &mut Chance::of(seed, "watched how", number);
        let kind = hosts[app.host].kind;
        let is_name_service = matches!(names, NameService::App(id) if id.0 == number);
        // The first of each host has its number.
        let is_first = number == app.host;
        let watch = watch(chance, rates, kind, is_first);
        if is_name_service || watch == Watch::Http {
            continue;
        }
        if let Watch::Reports(_) = watch {
            // Somebody has registered it, once.
            (app.registers, app.stops) = (false, false);
        }
        if !matches!(watch, Watch::Tls(_)) {
            (app.base, app.path) = ("", None);
        }
        app.watch = watch;
    }
}

fn watch(chance: &mut Chance, rates: &Rates, kind: HostKind, is_first: bool) -> Watch {
    let reports = chance.happens(rates.of(Rate::Reports));
    let [port, echo, tls] =
        [Rate::Port, Rate::Echo, Rate::Tls].map(|rate| chance.happens(rates.of(rate)));
    match kind {
        HostKind::Server if reports && !is_first => Watch::Reports(job(chance)),
        HostKind::Device if reports => Watch::Reports(sensor(chance)),
        HostKind::Server | HostKind::Device | HostKind::Portable if echo && is_first => Watch::Echo,
        HostKind::Server | HostKind::Public if tls => Watch::Tls(certificates(chance)),
        _ if port => Watch::Port,
        _ => Watch::Http,
    }
}

/// What a machine does each night, or each hour.
fn job(chance: &mut Chance) -> Reports {
    let says_start = chance.happens(0.5);
    if chance.happens(0.4) {
        let schedule = Schedule::Hourly { minute: chance.between(0..=59) };
        return Reports { schedule, interval: HOUR / SECOND, grace: None, says_start: false };
    }
    let (minute, takes) = (chance.between(0..=6 * 60), chance.lasting(10 * SECOND..=HOUR));
    let schedule = Schedule::Nightly { minute, takes };
    let grace = chance.happens(0.5).then_some(2 * HOUR / SECOND);
    Reports { schedule, interval: DAY / SECOND, grace, says_start }
}

/// A thing on batteries that sleeps for 10 or 15 minutes. It is registered with a little more, or with as much.
fn sensor(chance: &mut Chance) -> Reports {
    let sleeps = *chance.pick(&[10 * MINUTE, 15 * MINUTE]);
    let interval = if chance.happens(0.7) { sleeps * 11 / 10 } else { sleeps } / SECOND;
    let grace = chance.happens(0.3).then_some(interval / 2);
    Reports { schedule: Schedule::Sleeps(sleeps), interval, grace, says_start: false }
}

/// Those of an authority that renews them by itself, or of somebody who does so once a year.
fn certificates(chance: &mut Chance) -> Certificates {
    let lasts = if chance.happens(0.8) { 90 * DAY } else { 365 * DAY };
    Certificates { lasts, left: chance.between(lasts / 9..=lasts) }
}
