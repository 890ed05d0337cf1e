//! Where a daemon is.

use std::fmt;
use std::net::{Ipv6Addr, SocketAddr, SocketAddrV6};
use std::str::FromStr;

use ureq::http::Uri;

use super::Error;
use super::lookup::is_interface;

/// Where the calls of a daemon begin.
const ROOT: &str = "/healthchecker/";

/// Before the interface of a link-local address (RFC 6874). Many write `%` alone.
const ZONE: &str = "%25";

/// The address of a daemon: `http://192.168.1.5:43210/healthchecker/`. A link-local one has its
/// interface in it, as curl takes it: `http://[fe80::1%25eth0]:43210/healthchecker/`.
///
/// ```
/// use healthchecker::client::ServerUrl;
///
/// let server: ServerUrl = "pi:43210".parse()?;
/// assert_eq!(server.to_string(), "http://pi:43210/healthchecker/");
/// # Ok::<(), healthchecker::client::Error>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServerUrl {
    text: String,
    zone: Option<String>,
}

impl ServerUrl {
    /// The daemon at this address of the network at the interface `zone`.
    pub(super) fn on_link(at: SocketAddrV6, zone: &str) -> ServerUrl {
        let (ip, port) = (at.ip(), at.port());
        let text = format!("http://[{ip}{ZONE}{zone}]:{port}{ROOT}");
        ServerUrl { text, zone: Some(zone.to_owned()) }
    }

    /// The address of one of its calls, as it is asked: the interface means nothing to others.
    pub(super) fn call(&self, name: &str) -> String {
        let zone = self.zone.as_ref().map(|zone| format!("{ZONE}{zone}"));
        let root = zone.map_or_else(|| self.text.clone(), |zone| self.text.replacen(&zone, "", 1));
        format!("{root}{name}")
    }

    /// The interface that a link-local address is meant on: its name or its number.
    pub(super) fn zone(&self) -> Option<&str> {
        self.zone.as_deref()
    }

    /// The address as text; ends with `/healthchecker/`.
    ///
    /// ```
    /// use std::net::SocketAddr;
    /// use healthchecker::client::ServerUrl;
    ///
    /// let server = ServerUrl::from(SocketAddr::from(([192, 168, 1, 5], 80)));
    /// assert_eq!(server.as_str(), "http://192.168.1.5:80/healthchecker/");
    /// ```
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

/// The daemon at this address and port.
impl From<SocketAddr> for ServerUrl {
    fn from(at: SocketAddr) -> ServerUrl {
        match at {
            SocketAddr::V6(v6) if v6.scope_id() != 0 => {
                ServerUrl::on_link(v6, &v6.scope_id().to_string())
            }
            _ => ServerUrl { text: format!("http://{at}{ROOT}"), zone: None },
        }
    }
}

/// Takes the interface out of an address: what is left, and the interface.
fn split_zone(text: &str) -> (String, Option<String>) {
    let split = || {
        let (before, rest) = text.split_once("://[")?;
        let (host, after) = rest.split_once(']')?;
        let (ip, zone) = host.split_once('%')?;
        let zone = zone.strip_prefix("25").filter(|name| !name.is_empty()).unwrap_or(zone);
        Some((format!("{before}://[{ip}]{after}"), zone.to_owned()))
    };
    match split() {
        Some((rest, zone)) => (rest, Some(zone)),
        None => (text.to_owned(), None),
    }
}

fn is_link_local(host: &str) -> bool {
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    let ip: Option<Ipv6Addr> = bare.and_then(|ip| ip.parse().ok());
    ip.is_some_and(|ip| ip.is_unicast_link_local())
}

/// As people write it: `pi:8080`, `http://pi:8080`, `http://pi:8080/healthchecker/`.
impl FromStr for ServerUrl {
    type Err = Error;

    fn from_str(given: &str) -> Result<ServerUrl, Error> {
        let refused =
            |why: &str| Error::BadAddress { given: given.to_owned(), why: why.to_owned() };
        let text = given.trim();
        let text = if text.contains("://") { text.to_owned() } else { format!("http://{text}") };
        let (text, zone) = split_zone(&text);
        let uri: Uri = text.parse().map_err(|_| refused("it cannot be read"))?;
        match uri.scheme_str() {
            Some("http") => {}
            Some("https") => {
                return Err(refused(
                    "the daemon speaks plain HTTP, and so do its clients; a proxy with TLS is for browsers",
                ));
            }
            _ => return Err(refused("only http:// is known")),
        }
        if uri.host().is_none_or(str::is_empty) {
            return Err(refused("the host is missing"));
        }
        match (uri.host().is_some_and(is_link_local), &zone) {
            (true, None) => {
                return Err(refused(
                    "a link-local address needs its interface, as in http://[fe80::1%25eth0]:8080",
                ));
            }
            (false, Some(_)) => return Err(refused("only a link-local address has an interface")),
            (true, Some(zone)) if !is_interface(zone) => {
                return Err(refused("what follows % is no interface of this machine"));
            }
            _ => {}
        }
        let after_host = uri.authority().and_then(|at| at.as_str().rsplit([']', '@']).next());
        if after_host.is_some_and(|rest| rest.contains(':')) && uri.port_u16().is_none() {
            return Err(refused("the port is no number from 0 to 65535"));
        }
        if uri.query().is_some() {
            return Err(refused("it has a query"));
        }
        let base = text.trim_end_matches('/');
        let base = base.strip_suffix(ROOT.trim_end_matches('/')).unwrap_or(base);
        let base = match &zone {
            Some(zone) => base.replacen(']', &format!("{ZONE}{zone}]"), 1),
            None => base.to_owned(),
        };
        Ok(ServerUrl { text: format!("{base}{ROOT}"), zone })
    }
}

impl fmt::Display for ServerUrl {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_is_understood_as_people_write_it() {
        for given in
            ["pi:8080", "http://pi:8080", "http://pi:8080/", "http://pi:8080/healthchecker"]
        {
            let url: ServerUrl = given.parse().unwrap();
            assert_eq!(url.as_str(), "http://pi:8080/healthchecker/", "{given}");
        }
        let proxied: ServerUrl = "http://home/watch/".parse().unwrap();
        assert_eq!(proxied.call("info"), "http://home/watch/healthchecker/info");
        let v6 = ServerUrl::from("[fd77::1]:80".parse::<SocketAddr>().unwrap());
        assert_eq!(v6.as_str().parse::<ServerUrl>().unwrap(), v6);
    }

    #[test]
    fn a_link_local_address_has_its_interface() {
        let at: SocketAddrV6 = "[fe80::1]:8080".parse().unwrap();
        let url = ServerUrl::on_link(at, "lo");
        assert_eq!(url.as_str(), "http://[fe80::1%25lo]:8080/healthchecker/");
        assert_eq!(url.call("info"), "http://[fe80::1]:8080/healthchecker/info");
        for given in ["http://[fe80::1%25lo]:8080", "[fe80::1%lo]:8080/", url.as_str()] {
            assert_eq!(given.parse::<ServerUrl>().unwrap(), url, "{given}");
        }
        let numbered: ServerUrl = "[fe80::1%1]:8080".parse().unwrap();
        assert_eq!(numbered, "[fe80::1%1]:8080".parse::<SocketAddr>().unwrap().into());
        for (given, why) in [
            ("[fe80::1]:8080", "needs its interface"),
            ("[fd77::1%25lo]:8080", "only a link-local address"),
            ("[fe80::1%25no-such]:8080", "no interface of this machine"),
            ("[fe80::1%]:8080", "no interface of this machine"),
            ("[fe80::1%../lo]:8080", "no interface of this machine"),
        ] {
            let said = given.parse::<ServerUrl>().unwrap_err().to_string();
            assert!(said.contains(why), "{given}: {said}");
        }
    }

    #[test]
    fn what_is_no_address_is_refused_in_a_sentence() {
        let bad =
            ["", "http://", "ftp://pi", "https://pi", "http://pi:port", "http://pi/?a=b", "a b"];
        for given in bad {
            let why = given.parse::<ServerUrl>().unwrap_err().to_string();
            assert!(why.contains("is no address of a server"), "{why}");
        }
    }
}
