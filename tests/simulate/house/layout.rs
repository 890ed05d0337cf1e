//! What a household consists of: its network, its hosts, its power, its people; drawn from the seed.
//!
//! Everything hangs on segments, each a switch or an access point. Segment 0 is ours. The router joins
//! subnets, and in most houses segments, too; behind it is the line to what is outside.

use super::apps::App;
use super::calendar::Calendar;
use super::rates::{Rate, Rates};
use super::{Size, apps, quiet, watch};
use crate::chance::{Chance, HOUR, MINUTE, SECOND};
use crate::story::{AppId, HostId, Ms};

/// Everything that is there, whatever befalls it.
#[derive(Debug)]
pub(crate) struct Layout {
    pub(crate) calendar: Calendar,
    /// The first is the owner: who is told where an app names nobody.
    pub(crate) people: Vec<String>,
    /// They are told again of trouble that lasts.
    pub(crate) reminds: bool,
    /// Quiet times of all apps that have none of their own; empty: none.
    pub(crate) quiet: &'static str,
    /// The first is ours.
    pub(crate) segments: Vec<Segment>,
    pub(crate) router: Router,
    pub(crate) names: NameService,
    pub(crate) mail: MailServer,
    pub(crate) ours: Ours,
    pub(crate) hosts: Vec<Host>,
    pub(crate) apps: Vec<App>,
}

/// A switch or an access point, and what hangs on it.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) is_wireless: bool,
    /// Another than that of segment 0 is reached by the router only.
    pub(crate) subnet: u8,
    pub(crate) boots_in: Ms,
    pub(crate) on_ups: bool,
}

#[derive(Debug)]
pub(crate) struct Router {
    pub(crate) boots_in: Ms,
    pub(crate) on_ups: bool,
    /// Whether the segments are joined by it alone.
    pub(crate) is_core: bool,
    /// Whether segment 0 is its own Wi-Fi: what befalls it befalls our link.
    pub(crate) is_ours: bool,
    /// Answers who looks whether it is there.
    pub(crate) answers: bool,
    /// Starts anew at 04:00.
    pub(crate) starts_nightly: bool,
    /// The minute of the day at which the line is made anew.
    pub(crate) reconnects: Option<u64>,
}

/// Who knows the names of the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NameService {
    Router,
    App(AppId),
}

/// Where the mail server is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MailServer {
    Outside,
    At(HostId),
}

/// The machine of the daemon.
#[derive(Debug)]
pub(crate) struct Ours {
    pub(crate) boots_in: Ms,
    /// How long its UPS lasts, if it has one.
    pub(crate) ups: Option<Ms>,
    pub(crate) clock: OurClock,
}

/// What our machine's clock shows after a boot, until the network sets it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum OurClock {
    /// It has a battery.
    Right,
    /// The last full hour before the cut, or the moment of an orderly stop, as fake-hwclock saved it.
    Saved,
    In1970,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
    /// Our own machine: asked by loopback.
    Ourselves,
    Segment(usize),
    /// On the internet.
    Public,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum HostKind {
    /// A NAS, a Pi: several apps, never switched off.
    Server,
    /// A thing that does one thing.
    Device,
    /// A laptop, a phone.
    Portable,
    Ourselves,
    Public,
}

/// Where it has its power from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Supply {
    Mains,
    Ups,
    /// Its own battery, another house's mains; or it is our machine, whose power is ours.
    Own,
}

#[derive(Debug)]
pub(crate) struct Host {
    pub(crate) kind: HostKind,
    pub(crate) place: Place,
    pub(crate) supply: Supply,
    /// What it is asked by, if not by its address.
    pub(crate) name: Option<String>,
    pub(crate) boots_in: Ms,
    pub(crate) has_disks: bool,
    /// Off from one minute of the day to another.
    pub(crate) night: Option<(u64, u64)>,
    /// Its owner knows it as one that is off at night, or carried about.
    pub(crate) may_be_off: bool,
}

impl Layout {
    pub(crate) fn of(seed: u64, size: Size, rates: &Rates) -> Layout {
        // A stream for each part: a rate that is switched off changes no other part.
        let people = people(&mut Chance::of(seed, "people", 0));
        let ups = ups(&mut Chance::of(seed, "ups", 0), rates);
        let mut router = router(&mut Chance::of(seed, "router", 0), rates, ups.is_some());
        // Some drop what they do not know, and their neighbours hear of it only.
        router.answers = Chance::of(seed, "router answers", 0).happens(0.9);
        let segments = segments(&mut Chance::of(seed, "segments", 0), &router, ups.is_some());
        let chance = &mut Chance::of(seed, "layout", 0);
        let mut hosts = hosts(chance, size.apps, &segments, rates);
        let mut apps = apps::apps(&mut Chance::of(seed, "apps", 0), size, &hosts, people.len());
        for (number, host) in hosts.iter_mut().enumerate() {
            if host.supply == Supply::Ups && ups.is_none() {
                host.supply = Supply::Mains;
            }
            host.name = host_name(&mut Chance::of(seed, "host name", number), number, host);
        }
        let clock = match Chance::of(seed, "our clock", 0).share() {
            share if share >= rates.of(Rate::ClockUnset) => OurClock::Right,
            share if share < rates.of(Rate::ClockUnset) / 4.0 => OurClock::In1970,
            _ => OurClock::Saved,
        };
        let ours = Ours { boots_in: chance.between(35..=75) * SECOND, ups, clock };
        let names = name_service(chance, &hosts, &apps);
        watch::of_apps(seed, rates, (&hosts, names), &mut apps);
        let servers: Vec<usize> = indices(&hosts, |host| host.kind == HostKind::Server);
        let mail = match chance.happens(0.2) && !servers.is_empty() {
            true => MailServer::At(HostId(*chance.pick(&servers))),
            false => MailServer::Outside,
        };
        if Chance::of(seed, "parents", 0).happens(0.4) {
            apps::say_what_is_behind_what(&mut apps, &hosts);
        }
        let reminds = Chance::of(seed, "reminders", 0).happens(0.5);
        let quiet = quiet::of_house(seed, rates);
        quiet::of_apps(seed, rates, &mut apps);
        let calendar = Calendar::of(seed);
        Layout {
            calendar,
            people,
            reminds,
            quiet,
            segments,
            router,
            names,
            mail,
            ours,
            hosts,
            apps,
        }
    }

    /// The apps of a host.
    pub(crate) fn apps_of(&self, host: usize) -> impl Iterator<Item = usize> + '_ {
        let apps = self.apps.iter().enumerate();
        apps.filter(move |(_, app)| app.host == host).map(|(number, _)| number)
    }

    /// Whether what hangs on this segment is reached by the router.
    pub(crate) fn is_behind_router(&self, segment: usize) -> bool {
        let other = self.segments[segment].subnet != self.segments[0].subnet;
        segment != 0 && (self.router.is_core || other)
    }
}

/// The places of those that are so.
pub(crate) fn indices<T>(all: &[T], is_so: impl Fn(&T) -> bool) -> Vec<usize> {
    all.iter().enumerate().filter(|(_, one)| is_so(one)).map(|(place, _)| place).collect()
}

fn people(chance: &mut Chance) -> Vec<String> {
    const NAMES: [&str; 6] = ["owner", "anna", "Ben.Meier", "chris+home", "dora", "eltern"];
    let count = chance.lasting(10..=69) as usize / 10;
    NAMES[..count].iter().map(|name| format!("{name}@example.org")).collect()
}

/// How long it lasts, where there is one.
fn ups(chance: &mut Chance, rates: &Rates) -> Option<Ms> {
    let lasts = chance.lasting(3 * MINUTE..=2 * HOUR);
    chance.happens(rates.of(Rate::Ups)).then_some(lasts)
}

fn router(chance: &mut Chance, rates: &Rates, ups: bool) -> Router {
    let minute = 4 * 60 + chance.between(0..=59);
    Router {
        boots_in: chance.between(50..=240) * SECOND,
        on_ups: chance.happens(0.6) && ups,
        is_core: chance.happens(0.7),
        is_ours: chance.happens(0.3),
        answers: true,
        starts_nightly: chance.happens(rates.of(Rate::RouterNightly)),
        reconnects: chance.happens(rates.of(Rate::Reconnect)).then_some(minute),
    }
}

fn segments(chance: &mut Chance, router: &Router, ups: bool) -> Vec<Segment> {
    let count = chance.between(1..=4) as usize;
    let has_two_subnets = chance.happens(0.25);
    let segment = |number: usize| {
        let is_wireless = chance.happens(0.5) || (number == 0 && router.is_ours);
        Segment {
            is_wireless,
            subnet: u8::from(chance.happens(0.5) && number > 0 && has_two_subnets),
            boots_in: chance.between(if is_wireless { 30..=120 } else { 2..=40 }) * SECOND,
            on_ups: chance.happens(if number == 0 { 0.6 } else { 0.2 }) && ups,
        }
    };
    let mut segments: Vec<Segment> = (0..count).map(segment).collect();
    if router.is_ours {
        segments[0].boots_in = router.boots_in;
        segments[0].on_ups = router.on_ups;
    }
    segments
}

/// Of the single devices, those that people know as off at night, whatever the rate.
const USUALLY_OFF: f64 = 0.2;

fn hosts(chance: &mut Chance, apps: usize, segments: &[Segment], rates: &Rates) -> Vec<Host> {
    let most = apps.min(60);
    let count = chance.between(apps.div_ceil(8).min(most) as u64..=most as u64) as usize;
    let has_apps_here = chance.happens(0.3);
    let mut hosts: Vec<Host> = Vec::new();
    for number in 0..count {
        let kind = match chance.share() {
            // Somewhere the apps have to go that are more than the hosts.
            _ if number == 0 && (count > 1 || !has_apps_here) => HostKind::Server,
            _ if number + 1 == count && has_apps_here => HostKind::Ourselves,
            share if share < 0.3 => HostKind::Server,
            share if share < 0.8 => HostKind::Device,
            share if share < 0.92 => HostKind::Portable,
            _ => HostKind::Public,
        };
        hosts.push(host(chance, kind, segments, rates));
    }
    hosts
}

fn host(chance: &mut Chance, kind: HostKind, segments: &[Segment], rates: &Rates) -> Host {
    let wireless = indices(segments, |segment| segment.is_wireless);
    let place = match kind {
        HostKind::Ourselves => Place::Ourselves,
        HostKind::Public => Place::Public,
        HostKind::Portable if !wireless.is_empty() => Place::Segment(*chance.pick(&wireless)),
        _ => Place::Segment(chance.index(segments.len())),
    };
    let supply = match kind {
        HostKind::Portable | HostKind::Public | HostKind::Ourselves => Supply::Own,
        HostKind::Server if chance.happens(0.4) => Supply::Ups,
        _ => Supply::Mains,
    };
    let lot = if kind == HostKind::Device { chance.share() } else { 1.0 };
    let is_off = lot < rates.of(Rate::NightlyOff);
    let night = (chance.between(22 * 60..=24 * 60 - 1), chance.between(6 * 60..=8 * 60));
    Host {
        kind,
        place,
        supply,
        name: None,
        boots_in: chance.lasting(5 * SECOND..=11 * MINUTE),
        has_disks: kind == HostKind::Server && chance.happens(0.5),
        night: is_off.then_some(night),
        may_be_off: lot < USUALLY_OFF || kind == HostKind::Portable,
    }
}

fn host_name(chance: &mut Chance, number: usize, host: &Host) -> Option<String> {
    match host.kind {
        HostKind::Ourselves => None,
        HostKind::Public => chance.happens(0.7).then(|| format!("h{number}.example.net")),
        _ => chance.happens(0.25).then(|| format!("host-{number}.lan")),
    }
}

fn name_service(chance: &mut Chance, hosts: &[Host], apps: &[App]) -> NameService {
    let could = indices(apps, |app| {
        let host = &hosts[app.host];
        // It cannot be found by a name that it alone knows.
        host.kind == HostKind::Server && host.name.is_none()
    });
    match chance.happens(0.35) && !could.is_empty() {
        true => NameService::App(AppId(*chance.pick(&could))),
        false => NameService::Router,
    }
}
