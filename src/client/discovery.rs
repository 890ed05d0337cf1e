//! Finds the daemon by Zeroconf (RFC 6762, RFC 6763).

use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6, TcpStream};
use std::time::{Duration, Instant};

use mdns_sd::{ResolvedService, ScopedIp, ServiceDaemon, ServiceEvent};

use super::{Error, ServerUrl};

/// The service type, with its domain.
pub const SERVICE_TYPE: &str = "_http._tcp.local.";
/// The instance that clients ask for. A second daemon on the same network is called
/// `_healthchecker (2)` (RFC 6762, section 9).
pub const INSTANCE: &str = "_healthchecker";

/// How long a daemon is looked for: questions go out at 0, 1 and 3 s, and Wi-Fi loses some.
pub const FIND_WITHIN: Duration = Duration::from_secs(5);
/// How long an address has to take a connection before the next is tried.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);

/// A daemon on the network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Found {
    /// Its instance name: [`INSTANCE`], or that with a number.
    pub instance: String,
    /// Where it is; the first of its addresses that takes a connection.
    pub url: ServerUrl,
    /// The version of the program.
    pub version: String,
}

/// Finds the daemon: the one with the plain name, else any.
///
/// # Errors
/// There is none that takes a connection within `within`, or this machine cannot look for one.
pub fn find(within: Duration) -> Result<ServerUrl, Error> {
    let mut other = None;
    browse(within, |found| {
        let is_first = found.instance == INSTANCE;
        other = Some(found.url);
        is_first
    })?;
    other.ok_or(Error::NotFound)
}

/// Finds all daemons that answer in this time, by name.
///
/// # Errors
/// This machine cannot look for any.
pub fn find_all(within: Duration) -> Result<Vec<Found>, Error> {
    let mut all: Vec<Found> = Vec::new();
    browse(within, |found| {
        all.retain(|earlier| earlier.instance != found.instance);
        all.push(found);
        false
    })?;
    all.sort_by(|a, b| a.instance.cmp(&b.instance));
    Ok(all)
}

/// Hands over each daemon that is found, until `enough` says so or the time is over.
fn browse(within: Duration, mut enough: impl FnMut(Found) -> bool) -> Result<(), Error> {
    let cannot = |why: mdns_sd::Error| Error::NoMulticast(why.to_string());
    let searcher = ServiceDaemon::new().map_err(cannot)?;
    let events = searcher.browse(SERVICE_TYPE).map_err(cannot)?;
    let until = Instant::now() + within;
    while let Some(left) = until.checked_duration_since(Instant::now()) {
        let Ok(event) = events.recv_timeout(left) else {
            break;
        };
        if let ServiceEvent::ServiceResolved(service) = event
            && let Some(found) = look_at(&service)
            && enough(found)
        {
            break;
        }
    }
    // Its thread ends by itself; there is nothing that a failure could mean to anybody.
    let _ = searcher.shutdown();
    Ok(())
}

/// The service, if it is a daemon that takes a connection.
fn look_at(service: &ResolvedService) -> Option<Found> {
    let instance = instance(&service.fullname)?;
    let places = service.addresses.iter().filter_map(|address| place(address, service.port));
    let (_, url) = by_preference(places.collect())
        .into_iter()
        .find(|(at, _)| TcpStream::connect_timeout(at, CONNECT_WITHIN).is_ok())?;
    let version = service.get_property_val_str("version").unwrap_or_default().to_owned();
    Some(Found { instance: instance.to_owned(), url, version })
}

/// The instance of a full name, if it is a daemon's.
fn instance(full_name: &str) -> Option<&str> {
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
fn place(address: &ScopedIp, port: u16) -> Option<(SocketAddr, ServerUrl)> {
    match address {
        ScopedIp::V4(v4) => {
            let at = SocketAddrV4::new(*v4.addr(), port).into();
            Some((at, ServerUrl::from(at)))
        }
        ScopedIp::V6(v6) if v6.addr().is_unicast_link_local() => {
            let at = SocketAddrV6::new(*v6.addr(), port, 0, v6.scope_id().index);
            Some((at.into(), ServerUrl::on_link(at, &v6.scope_id().name)))
        }
        ScopedIp::V6(v6) => {
            let at = SocketAddrV6::new(*v6.addr(), port, 0, 0).into();
            Some((at, ServerUrl::from(at)))
        }
        _ => None,
    }
}

/// IPv4 first: every household has it. Link-local IPv6 last: a browser does not take it (RFC 9844).
fn by_preference(mut places: Vec<(SocketAddr, ServerUrl)>) -> Vec<(SocketAddr, ServerUrl)> {
    let is_last =
        |at: &SocketAddr| matches!(at, SocketAddr::V6(v6) if v6.ip().is_unicast_link_local());
    places.sort_by_key(|(at, _)| (is_last(at), *at));
    places
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
        let tried = by_preference(given.map(|at: SocketAddr| (at, at.into())).collect());
        let tried: Vec<String> = tried.iter().map(|(at, _)| at.to_string()).collect();
        assert_eq!(tried, ["10.77.0.1:80", "10.77.0.2:80", "[fd77::1]:80", "[fe80::1%1]:80"]);
    }
}
