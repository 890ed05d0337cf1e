//! The apps of a household, and what they say when they register.

use super::Size;
use super::layout::{Host, HostKind, Place, indices};
use super::watch::{Reports, Watch};
use crate::chance::{Chance, DAY, MINUTE, SECOND};
use crate::story::Ms;

/// What people call their things.
const NAMES: [&str; 40] = [
    "Kodi",
    "NAS",
    "Pi-hole",
    "Home Assistant",
    "Jellyfin",
    "Küche Licht",
    "Wetterstation Süd",
    "Heizung",
    "Drucker (Büro)",
    "Nextcloud",
    "Zigbee2MQTT",
    "Paperless",
    "Klingel",
    "TV box",
    "Garage",
    "backup",
    "immich",
    "Grafana",
    "Wärmepumpe",
    "cam-front",
    "cam-garden",
    "Solar",
    "Aquarium",
    "Spülmaschine",
    "Radio Küche",
    "git",
    "mqtt",
    "Node-RED",
    "vaultwarden",
    "Photo frame",
    "Bewässerung",
    "Rolläden",
    "Waschküche",
    "Plex",
    "sonarr",
    "blog",
    "Server of Zoë",
    "dns2",
    "Keller/Feuchte",
    "3D-Drucker",
];

/// An app, whatever befalls it.
#[derive(Debug)]
pub(crate) struct App {
    pub(crate) name: String,
    pub(crate) host: usize,
    pub(crate) watch: Watch,
    pub(crate) port: u16,
    /// A path in its `url`, or nothing.
    pub(crate) base: &'static str,
    /// Where it tells its health; `None`: where it is looked for.
    pub(crate) path: Option<&'static str>,
    pub(crate) settings: Settings,
    /// Whether it calls `monitor` at each start. Else a person did it, once.
    pub(crate) registers: bool,
    /// Whether its owner has said that it may be off or away: every other of what is.
    pub(crate) may_be_off: bool,
    /// What its owner has said that it is behind: the names of apps.
    pub(crate) parents: Vec<String>,
    /// Quiet times of its own; `None`: those of the house.
    pub(crate) quiet: Option<&'static str>,
    /// So long before it listens.
    pub(crate) registers_before: Ms,
    /// Whether it calls `stop` when it is stopped in order.
    pub(crate) stops: bool,
    /// Whether something starts it again when it has ended.
    pub(crate) is_supervised: bool,
    /// From when its host is there.
    pub(crate) starts_in: Ms,
    /// What an answer takes when all is well, in the middle.
    pub(crate) latency: Ms,
    /// When it comes into the house.
    pub(crate) arrives: Ms,
}

/// What a registration asks for; `None` is left out.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Settings {
    pub(crate) interval: Option<u64>,
    /// The time-out never changes: how slow an app can be depends on it.
    pub(crate) timeout: Option<u64>,
    pub(crate) unhealthy: Option<u64>,
    pub(crate) healthy: Option<u64>,
    /// Places of people; nobody: the owner.
    pub(crate) people: Vec<usize>,
}

/// Nobody waits for more reports than these that do not come.
const REPORTS_AGAIN: u64 = 2;
/// The contract's default.
const DEFAULT_TIMEOUT: u64 = 5;

impl App {
    pub(crate) fn timeout(&self) -> Ms {
        self.settings.timeout.unwrap_or(DEFAULT_TIMEOUT) * SECOND
    }

    /// Its base address at this address of its host, if it is asked.
    fn url(&self, host: &str) -> Option<String> {
        let (port, base) = (self.port, self.base);
        match self.watch {
            Watch::Http => Some(format!("http://{host}:{port}{base}")),
            Watch::Tls(_) => Some(format!("https://{host}:{port}{base}")),
            Watch::Port => Some(format!("tcp://{host}:{port}")),
            Watch::Echo => Some(format!("ping://{host}")),
            Watch::Reports(_) => None,
        }
    }

    /// What is asked then.
    pub(crate) fn health_url(&self, host: &str) -> Option<String> {
        let url = self.url(host)?;
        Some(match self.watch {
            Watch::Http | Watch::Tls(_) => format!("{url}{}", self.path.unwrap_or("/health")),
            Watch::Port | Watch::Echo | Watch::Reports(_) => url,
        })
    }

    /// How it reports, if it does that.
    pub(crate) fn reports(&self) -> Option<Reports> {
        match self.watch {
            Watch::Reports(reports) => Some(reports),
            _ => None,
        }
    }

    /// What it says to `monitor`.
    pub(crate) fn fields(
        &self,
        settings: &Settings,
        host: &str,
        people: &[String],
    ) -> Vec<(String, String)> {
        let told: Vec<&str> = settings.people.iter().map(|place| people[*place].as_str()).collect();
        let told = (!told.is_empty()).then(|| told.join(", "));
        let number = |value: Option<u64>| value.map(|value| value.to_string());
        let reports = self.reports();
        let asked = |value: Option<u64>| number(value.filter(|_| reports.is_none()));
        // Whoever reports is believed at once, or as good as that.
        let unhealthy = settings.unhealthy.filter(|it| reports.is_none() || *it <= REPORTS_AGAIN);
        let interval = reports.map_or(settings.interval, |it| Some(it.interval));
        let fields = [
            ("appname", Some(self.name.clone())),
            ("kind", reports.map(|_| "beat".to_owned())),
            ("url", self.url(host)),
            ("email", told),
            ("timeout", asked(settings.timeout)),
            ("interval", number(interval)),
            ("grace", number(reports.and_then(|it| it.grace))),
            ("unhealthy", number(unhealthy)),
            ("healthy", asked(settings.healthy)),
            ("path", self.path.map(str::to_owned)),
            ("may_be_off", self.may_be_off.then(|| "true".to_owned())),
            ("parent", (!self.parents.is_empty()).then(|| self.parents.join(", "))),
            ("quiet", self.quiet.map(str::to_owned)),
        ];
        let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
        given.collect()
    }
}

pub(crate) fn apps(chance: &mut Chance, size: Size, hosts: &[Host], people: usize) -> Vec<App> {
    let servers =
        indices(hosts, |host| matches!(host.kind, HostKind::Server | HostKind::Ourselves));
    let mut names: Vec<usize> = (0..NAMES.len()).collect();
    for last in (1..names.len()).rev() {
        names.swap(last, chance.index(last + 1));
    }
    let app = |number: usize| {
        let host = if number < hosts.len() { number } else { *chance.pick(&servers) };
        let name = NAMES[names[number % NAMES.len()]];
        let name = match number / NAMES.len() {
            0 => name.to_owned(),
            round => format!("{name} {}", round + 1),
        };
        let app = app(chance, number, name, (host, hosts[host].kind), size, people);
        App { may_be_off: hosts[host].may_be_off && host % 2 == 1, ..app }
    };
    (0..size.apps).map(app).collect()
}

/// What runs on a machine is behind the first app there; and what hangs on a switch that is not ours is behind
/// the first device on it that is never off.
pub(crate) fn say_what_is_behind_what(apps: &mut [App], hosts: &[Host]) {
    // The first of each host has its number.
    let name = |host: usize, apps: &[App]| apps.get(host).map(|app| app.name.clone());
    let is_switch = |(number, host): &(usize, &Host)| {
        let is_asked = || apps.get(*number).is_some_and(|app| app.reports().is_none());
        host.kind == HostKind::Device && !host.may_be_off && is_asked()
    };
    let switch_of = |place: Place| {
        let mut there = hosts.iter().enumerate().filter(|(_, host)| host.place == place);
        there.find(is_switch).map(|(number, _)| number)
    };
    let above: Vec<Option<usize>> = (0..apps.len())
        .map(|app| match apps[app].host {
            host if host != app => Some(host),
            host => match hosts[host].place {
                Place::Segment(segment) if segment > 0 => switch_of(hosts[host].place),
                _ => None,
            },
        })
        .collect();
    for (app, above) in above.into_iter().enumerate() {
        let parent = above.filter(|above| *above != app).and_then(|above| name(above, apps));
        apps[app].parents.extend(parent);
    }
}

fn app(
    chance: &mut Chance,
    number: usize,
    name: String,
    (host, kind): (usize, HostKind),
    size: Size,
    people: usize,
) -> App {
    let settings = settings(chance, size, people);
    let timeout = settings.timeout.unwrap_or(DEFAULT_TIMEOUT) * SECOND;
    let latency = match chance.share() {
        share if share < 0.85 => chance.lasting(1..=100),
        share if share < 0.95 => chance.between(100..=300),
        share if share < 0.99 => chance.between(300..=1_000),
        _ => timeout * chance.between(50..=80) / 100,
    };
    let registers = chance.happens(match kind {
        HostKind::Server | HostKind::Ourselves => 0.7,
        HostKind::Portable => 0.6,
        HostKind::Device | HostKind::Public => 0.3,
    });
    let late = chance.happens(0.15);
    let last_day = u64::from(size.days) * DAY * 4 / 5;
    App {
        name,
        host,
        watch: Watch::Http,
        port: 8_000 + (number % 1_000) as u16,
        base: if chance.happens(0.05) { "/app" } else { "" },
        path: chance.happens(0.1).then_some("/api/status"),
        settings,
        registers,
        may_be_off: false,
        parents: Vec::new(),
        quiet: None,
        registers_before: if chance.happens(0.5) { chance.lasting(100..=8_000) } else { 0 },
        stops: registers && chance.happens(0.05),
        is_supervised: kind == HostKind::Device || chance.happens(0.6),
        starts_in: chance.lasting(SECOND..=MINUTE),
        latency,
        arrives: if late { chance.between(0..=last_day) } else { chance.between(1..=300) * SECOND },
    }
}

/// Most leave most at its default, as people do. In a long story every interval is given, and from
/// 120 to 300 s: so it stays short to live through.
pub(crate) fn settings(chance: &mut Chance, size: Size, people: usize) -> Settings {
    let interval = match size.days {
        0..=14 if chance.happens(0.4) => None,
        0..=14 => Some(*chance.pick(&[5, 10, 15, 20, 30, 45, 60, 60, 120, 300])),
        _ => Some(*chance.pick(&[120, 150, 180, 200, 240, 300])),
    };
    let mut differs = |share: f64, values: &[u64]| {
        let value = *chance.pick(values);
        chance.happens(share).then_some(value)
    };
    let timeout = differs(0.3, &[2, 3, 5, 10, 20, 30, 60]);
    let unhealthy = differs(0.35, &[2, 3, 3, 4, 5, 10]);
    let healthy = differs(0.4, &[2, 2, 3, 5, 10]);
    let mut told = Vec::new();
    if chance.happens(0.4) {
        told = (0..people).filter(|_| chance.happens(0.5)).collect();
    }
    Settings { interval, timeout, unhealthy, healthy, people: told }
}
