//! Finds the daemon by Zeroconf (RFC 6762, RFC 6763).

use std::mem;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use super::{Error, ServerUrl, browser, lookup, reach};

/// The service type, with its domain.
///
/// ```
/// use healthchecker::client::discovery::{INSTANCE, SERVICE_TYPE};
///
/// assert_eq!(format!("{INSTANCE}.{SERVICE_TYPE}"), "_healthchecker._http._tcp.local.");
/// ```
pub const SERVICE_TYPE: &str = "_http._tcp.local.";
/// The instance that clients ask for. A second daemon on the same network is called
/// `_healthchecker (2)` (RFC 6762, section 9).
///
/// ```
/// assert_eq!(healthchecker::client::discovery::INSTANCE, "_healthchecker");
/// ```
pub const INSTANCE: &str = "_healthchecker";

/// How long a daemon is looked for, all of it: questions go out at 0, 1 and 3 s, and Wi-Fi loses some.
///
/// ```
/// assert_eq!(healthchecker::client::discovery::FIND_WITHIN.as_secs(), 5);
/// ```
pub const FIND_WITHIN: Duration = Duration::from_secs(5);
/// For so long only the one of the plain name is looked for.
const PLAIN_WITHIN: Duration = Duration::from_secs(2);
/// Between two tries: what is announced and not there may come back, and a handshake may be lost.
const TRY_AGAIN: Duration = Duration::from_millis(250);
/// By then all addresses of a daemon have come that came with the first.
const ALL_HEARD: Duration = Duration::from_millis(500);
/// The most daemons that are kept in mind: a household has one or two, a stranger may announce any number.
const ANNOUNCED_MAX: usize = 16;

/// A daemon on the network.
///
/// ```no_run
/// use healthchecker::client::discovery::{FIND_WITHIN, survey};
///
/// for daemon in survey(FIND_WITHIN)?.found {
///     println!("{} {} at {}", daemon.instance, daemon.version, daemon.url);
/// }
/// # Ok::<(), healthchecker::client::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Found {
    /// Its instance name: [`INSTANCE`], or that with a number.
    pub instance: String,
    /// Where it is; an address of it that takes a connection.
    pub url: ServerUrl,
    /// The version of the program.
    pub version: String,
}

/// What is heard on the network.
///
/// ```
/// use healthchecker::client::discovery::Heard;
///
/// assert_ne!(Heard::Other, Heard::Service(Default::default()));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Heard {
    /// A daemon, or something new of one.
    Service(Service),
    /// Something else announced itself: multicast works.
    Other,
}

/// A service of [`SERVICE_TYPE`], as it is announced.
///
/// ```
/// use healthchecker::client::discovery::{INSTANCE, SERVICE_TYPE, Service};
///
/// let full_name = format!("{INSTANCE}.{SERVICE_TYPE}");
/// let addresses = vec!["192.168.1.5:43210".parse().unwrap()];
/// let service = Service { full_name, addresses, version: "0.1.0".to_owned() };
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Service {
    /// Its instance, and the type behind it.
    pub full_name: String,
    /// Where it listens; a link-local address of IPv6 with the number of the interface.
    pub addresses: Vec<SocketAddr>,
    /// What it says of its version; empty: nothing.
    pub version: String,
}

/// Asks the network for services of [`SERVICE_TYPE`], again and again, and hears what is said (RFC 6763, section 4).
///
/// ```
/// use std::time::Duration;
/// use healthchecker::client::discovery::{Browser, Heard};
///
/// struct Deaf;
///
/// impl Browser for Deaf {
///     fn next(&mut self, within: Duration) -> Option<Heard> {
///         std::thread::sleep(within);
///         None
///     }
/// }
/// ```
pub trait Browser {
    /// The next thing that is heard; `None`: nothing within this time.
    fn next(&mut self, within: Duration) -> Option<Heard>;
}

/// Starts a [`Browser`].
///
/// ```no_run
/// use healthchecker::client::discovery::Browse;
///
/// fn is_able(browse: Browse) -> bool {
///     browse().is_ok()
/// }
/// ```
pub type Browse = fn() -> Result<Box<dyn Browser>, Error>;

/// Asks the network for the addresses of a `NAME.local`, until one is told or a few seconds have passed
/// (RFC 6762); none when nobody tells. The port of an address means nothing.
///
/// ```
/// use healthchecker::client::discovery::LookUp;
///
/// let nobody_answers: LookUp = |_| Vec::new();
/// ```
pub type LookUp = fn(&str) -> Vec<SocketAddr>;

/// How the network is asked. Apps do it with mdns-sd; the daemon's own command line has the daemon's mDNS.
///
/// ```no_run
/// use healthchecker::client::discovery::Multicast;
///
/// fn is_able(multicast: Multicast) -> bool {
///     (multicast.browse)().is_ok()
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct Multicast {
    /// For daemons.
    pub browse: Browse,
    /// For the addresses of a machine.
    pub look_up: LookUp,
}

/// Finds the daemon: the one with the plain name, else any.
///
/// ```no_run
/// use healthchecker::client::discovery::{FIND_WITHIN, find};
///
/// println!("{}", find(FIND_WITHIN)?);
/// # Ok::<(), healthchecker::client::Error>(())
/// ```
///
/// # Errors
/// None is announced within `within`, or none takes a connection, or this machine cannot look for one.
pub fn find(within: Duration) -> Result<ServerUrl, Error> {
    find_with(browser::MDNS_SD.browse, within)
}

/// As [`find`], with this browser.
pub(super) fn find_with(browse: Browse, within: Duration) -> Result<ServerUrl, Error> {
    let survey = look(browse, within, |survey, passed| {
        survey.has_plain() || passed >= PLAIN_WITHIN && !survey.found.is_empty()
    })?;
    let best = survey.found.iter().min_by_key(|found| found.instance != INSTANCE);
    best.map(|found| found.url.clone()).ok_or_else(|| survey.nobody())
}

/// What was heard on the network.
///
/// ```
/// use healthchecker::client::discovery::Survey;
///
/// assert!(Survey::default().found.is_empty());
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub struct Survey {
    /// The daemons that take a connection, by name.
    pub found: Vec<Found>,
    /// Those that are announced and take none: the name, and where they should be.
    pub silent: Vec<(String, Vec<ServerUrl>)>,
    /// How many other things announced themselves: multicast works.
    pub others: usize,
}

impl Survey {
    fn has_plain(&self) -> bool {
        self.found.iter().any(|found| found.instance == INSTANCE)
    }

    /// Why nobody was found.
    ///
    /// ```
    /// use healthchecker::client::{Error, discovery::Survey};
    ///
    /// assert_eq!(Survey::default().nobody(), Error::NotFound);
    /// ```
    pub fn nobody(&self) -> Error {
        let urls: Vec<String> = self
            .silent
            .iter()
            .flat_map(|(_, urls)| urls)
            .map(ToString::to_string)
            .take(3)
            .collect();
        if urls.is_empty() { Error::NotFound } else { Error::Silent { urls: urls.join(", ") } }
    }
}

/// Finds all daemons that answer in this time.
///
/// ```no_run
/// use std::time::Duration;
/// use healthchecker::client::discovery::survey;
///
/// println!("{} daemons", survey(Duration::from_secs(3))?.found.len());
/// # Ok::<(), healthchecker::client::Error>(())
/// ```
///
/// # Errors
/// This machine cannot look for any.
pub fn survey(within: Duration) -> Result<Survey, Error> {
    survey_with(browser::MDNS_SD.browse, within)
}

/// As [`survey`], with this browser.
pub(super) fn survey_with(browse: Browse, within: Duration) -> Result<Survey, Error> {
    look(browse, within, |_, _| false)
}

/// Listens, and tries what is announced, until `enough` says so or the time is over.
fn look(
    browse: Browse,
    within: Duration,
    enough: impl Fn(&Survey, Duration) -> bool,
) -> Result<Survey, Error> {
    let mut browser = browse()?;
    let begun = Instant::now();
    let mut announced = Vec::new();
    let mut survey = Survey::default();
    while let Some(left) = within.checked_sub(begun.elapsed()).filter(|left| !left.is_zero()) {
        let mut heard = browser.next(left.min(TRY_AGAIN));
        // What came with it is heard before anything is tried, as far as there is time.
        while let Some(thing) = heard.filter(|_| begun.elapsed() < within) {
            take_note(thing, &mut announced, &mut survey);
            heard = browser.next(Duration::ZERO);
        }
        try_all(&mut announced, &mut survey, begun + within);
        if enough(&survey, begun.elapsed()) {
            break;
        }
    }
    survey.silent = announced.into_iter().map(Announced::name_and_urls).collect();
    Ok(survey)
}

/// A daemon that is announced and was not reached yet.
struct Announced {
    instance: String,
    places: Vec<(SocketAddr, ServerUrl)>,
    version: String,
    heard: Instant,
}

impl Announced {
    /// Records come one after the other, and the first may be a link-local address.
    fn may_know_better(&self) -> bool {
        self.places.first().is_some_and(|(at, _)| reach::rank(at) == reach::LINK_LOCAL)
            && self.heard.elapsed() < ALL_HEARD
    }

    fn name_and_urls(self) -> (String, Vec<ServerUrl>) {
        (self.instance, self.places.into_iter().map(|(_, url)| url).collect())
    }
}

/// Lists are kept in order as they grow: they are short, and a sort is 9 KiB of program.
fn take_note(thing: Heard, announced: &mut Vec<Announced>, survey: &mut Survey) {
    let service = match thing {
        Heard::Other => return survey.others += 1,
        Heard::Service(service) => service,
    };
    let Some(instance) = instance(&service.full_name) else { return };
    let places = by_preference(service.addresses.into_iter().filter_map(place));
    let heard = Instant::now();
    let mut news =
        Announced { instance: instance.to_owned(), places, version: service.version, heard };
    let at = announced.partition_point(|it| it.instance < news.instance);
    let is_full = announced.len() >= ANNOUNCED_MAX;
    match announced.get_mut(at) {
        Some(known) if known.instance == news.instance => {
            news.heard = known.heard;
            *known = news;
        }
        _ if is_full => {}
        _ => announced.insert(at, news),
    }
}

/// Those that take a connection move from `announced` to what was found.
fn try_all(announced: &mut Vec<Announced>, survey: &mut Survey, until: Instant) {
    announced.retain_mut(|it| {
        if it.may_know_better() {
            return true;
        }
        let Some(url) = reach::first(&it.places, until) else { return true };
        let (instance, version) = (mem::take(&mut it.instance), mem::take(&mut it.version));
        survey.found.retain(|earlier| earlier.instance != instance);
        let at = survey.found.partition_point(|earlier| earlier.instance < instance);
        survey.found.insert(at, Found { instance, url, version });
        false
    });
}

/// The instance of a full name, if it is a daemon's.
pub(crate) fn instance(full_name: &str) -> Option<&str> {
    let instance = full_name.strip_suffix(SERVICE_TYPE)?.strip_suffix('.')?;
    let number = instance.strip_prefix(INSTANCE)?;
    let is_renamed = || {
        let digits = number.strip_prefix(" (").and_then(|rest| rest.strip_suffix(')'));
        digits.is_some_and(|n| !n.is_empty() && n.bytes().all(|b| b.is_ascii_digit()))
    };
    (number.is_empty() || is_renamed()).then_some(instance)
}

/// Where to connect, and how that is written. A link-local address of IPv6 says nothing without the
/// interface that it was heard on.
fn place(at: SocketAddr) -> Option<(SocketAddr, ServerUrl)> {
    match at {
        SocketAddr::V6(v6) if v6.ip().is_unicast_link_local() => {
            let zone = lookup::interface_name(v6.scope_id())?;
            Some((at, ServerUrl::on_link(v6, &zone)))
        }
        _ => Some((at, ServerUrl::from(at))),
    }
}

/// In the order of [`reach::rank`]. No more of them than are tried: a stranger may announce any number.
fn by_preference(
    places: impl Iterator<Item = (SocketAddr, ServerUrl)>,
) -> Vec<(SocketAddr, ServerUrl)> {
    let mut best: Vec<(SocketAddr, ServerUrl)> = Vec::new();
    for (at, url) in places {
        let rank = (reach::rank(&at), at);
        let before = best.partition_point(|(other, _)| (reach::rank(other), *other) <= rank);
        best.insert(before, (at, url));
        best.truncate(reach::ADDRESSES_MAX);
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_daemon_is_known_by_its_name_renamed_or_not() {
        assert_eq!(instance("_healthchecker._http._tcp.local."), Some("_healthchecker"));
        let second = "_healthchecker (2)._http._tcp.local.";
        assert_eq!(instance(second), Some("_healthchecker (2)"));
        for other in [
            "printer._http._tcp.local.",
            "_healthcheckers._http._tcp.local.",
            "_healthchecker (x)._http._tcp.local.",
            "_healthchecker ()._http._tcp.local.",
            "_healthchecker._ipp._tcp.local.",
            "",
        ] {
            assert_eq!(instance(other), None, "{other}");
        }
    }

    #[test]
    fn ipv4_is_tried_first_and_link_local_ipv6_last() {
        let given = ["[fe80::1%1]:80", "[fd77::1]:80", "10.77.0.2:80", "10.77.0.1:80"];
        let given = given.iter().map(|at| at.parse().unwrap());
        let tried = by_preference(given.map(|at: SocketAddr| (at, at.into())));
        let tried: Vec<String> = tried.iter().map(|(at, _)| at.to_string()).collect();
        assert_eq!(tried, ["10.77.0.1:80", "10.77.0.2:80", "[fd77::1]:80", "[fe80::1%1]:80"]);
    }
}
