//! The address of an app: what a registration may name, and the health address made of it.

use std::fmt;
use std::net::{IpAddr, SocketAddr};

use serde::{Deserialize, Serialize};
use url::Url;

use super::fields::{FieldError, shown};
use crate::engine::text::plain::is_obeyed;

/// The longest address or path, in bytes: ten thousand apps of this length still fit in memory,
/// and no real address comes near.
pub const TEXT_MAX: usize = 512;
/// The longest name of a host, and the longest part of one between dots (RFC 1035, section 2.3.4).
const HOST_NAME_MAX: usize = 253;
const LABEL_MAX: usize = 63;
/// What is asked when a registration names no path.
pub const DEFAULT_PATH: &str = "/health";
/// How an address begins.
pub(super) const BEGINNINGS: &str =
    "must begin with http://, https://, tcp:// or ping://, such as http://192.168.1.20:8080";

/// Where a request came from, as far as it matters for what it may ask.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Origin {
    /// The machine that the daemon runs on: `localhost` means the same to both.
    #[default]
    OwnMachine,
    /// Anywhere else.
    Network,
}

/// The host of an app's address.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Host {
    /// An address literal; IPv4-mapped IPv6 addresses are written as IPv4.
    Address(IpAddr),
    /// A name, in lower case, without a dot at the end.
    Name(String),
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Address(address) => address.fmt(f),
            Host::Name(name) => f.write_str(name),
        }
    }
}

/// A checked address of an app.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address {
    /// As it was given, without the path that is appended to it.
    pub given: String,
    /// The whole of it: what is asked.
    pub asked: String,
    /// Its host.
    pub host: Host,
    /// Its port, written out or not; 0 where there is none.
    pub port: u16,
}

impl Address {
    /// Appends `path` to the path of the base address `url`.
    ///
    /// # Errors
    /// An address that can be nobody's, or that means another machine to the daemon than to the
    /// app (`localhost`); the sentence says what to give instead.
    pub(in crate::engine) fn new(
        url: &str,
        path: &str,
        origin: Origin,
    ) -> Result<Address, FieldError> {
        let base = base(url, url)?;
        let host = host(&base, url, origin)?;
        let port = port(&base, url)?;
        Ok(Address { given: url.to_owned(), asked: health_url(base, path)?, host, port })
    }

    /// The port that `url` names: `tcp://HOST:PORT`.
    ///
    /// # Errors
    /// As for [`Address::new`]; or there is no port, or more.
    pub(in crate::engine) fn of_port(url: &str, origin: Origin) -> Result<Address, FieldError> {
        let right = "must be a host and a port, such as tcp://192.168.1.20:22";
        let base = bare(url, right)?;
        let has_port = authority(url).rsplit_once(':').is_some_and(|(_, port)| {
            !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit())
        });
        let host = host(&base, url, origin)?;
        if !has_port {
            return Err(refused(url, right));
        }
        let port = port(&base, url)?;
        let asked = match &host {
            Host::Address(address) => format!("tcp://{}", SocketAddr::new(*address, port)),
            Host::Name(name) => format!("tcp://{name}:{port}"),
        };
        Ok(Address { given: url.to_owned(), asked, host, port })
    }

    /// The host that `url` names: `ping://HOST`.
    ///
    /// # Errors
    /// As for [`Address::new`]; or there is more than a host.
    pub(in crate::engine) fn of_host(url: &str, origin: Origin) -> Result<Address, FieldError> {
        let right = "must be a host alone, such as ping://192.168.1.20";
        let base = bare(url, right)?;
        let host = host(&base, url, origin)?;
        if authority(url).rsplit(']').next().is_some_and(|rest| rest.contains(':')) {
            return Err(refused(url, right));
        }
        let asked = match &host {
            Host::Address(IpAddr::V6(address)) => format!("ping://[{address}]"),
            host => format!("ping://{host}"),
        };
        Ok(Address { given: url.to_owned(), asked, host, port: 0 })
    }
}

impl Address {
    /// Where it is: scheme, host and port, as they are asked.
    pub(in crate::engine) fn place(&self) -> &str {
        let path = self.asked.match_indices('/').nth(2).map_or(self.asked.len(), |(at, _)| at);
        self.asked.get(..path).unwrap_or_default()
    }
}

/// Reads what has no path as one of HTTP, so that it means the same host in every spelling: the URL standard
/// knows no other kinds of address. One port would be left out there.
fn bare(url: &str, right: &str) -> Result<Url, FieldError> {
    let (_, rest) = url.split_once("//").ok_or_else(|| refused(url, right))?;
    let base = base(&format!("http://{rest}"), url)?;
    if base.path() == "/" { Ok(base) } else { Err(refused(url, right)) }
}

/// Reads `url`, or what is meant by it `as_http`.
fn base(as_http: &str, url: &str) -> Result<Url, FieldError> {
    check_text("url", url)?;
    let lower = as_http.to_ascii_lowercase();
    if !lower.starts_with("http://") && !lower.starts_with("https://") {
        return Err(refused(url, BEGINNINGS));
    }
    if lower.contains("//[fe80:") {
        return Err(link_local(url));
    }
    if !authority(&lower).is_ascii() || authority(&lower).contains('%') {
        return Err(refused(
            url,
            "must have its host name in ASCII; a name beyond it is written in punycode (xn--...)",
        ));
    }
    let base = Url::parse(as_http).map_err(|why| refused(url, &format!("is no address: {why}")))?;
    if !base.username().is_empty() || base.password().is_some() {
        return Err(refused(
            url,
            "must carry no user or password: addresses are shown on pages and in mails; give them as \
             auth, USER:PASSWORD",
        ));
    }
    if base.query().is_some() || base.fragment().is_some() {
        return Err(refused(
            url,
            "must have no ? or #: the path is appended to it; a query belongs into path",
        ));
    }
    Ok(base)
}

/// What stands between `//` and the path: host, port, user.
fn authority(url: &str) -> &str {
    let rest = url.split_once("//").map_or("", |(_, rest)| rest);
    // A browser, and so the URL standard, reads `\` as `/`.
    // Extra slashes are skipped, by the same standard.
    rest.trim_start_matches(['/', '\\']).split(['/', '\\', '?', '#']).next().unwrap_or_default()
}

fn port(base: &Url, url: &str) -> Result<u16, FieldError> {
    let port = base.port_or_known_default().filter(|port| *port != 0);
    port.ok_or_else(|| refused(url, "has port 0, on which nothing can listen"))
}

fn host(base: &Url, url: &str, origin: Origin) -> Result<Host, FieldError> {
    let host = match base.host() {
        Some(url::Host::Ipv4(address)) => Host::Address(address.into()),
        Some(url::Host::Ipv6(address)) => Host::Address(IpAddr::V6(address).to_canonical()),
        Some(url::Host::Domain(name)) => {
            let name = name.to_ascii_lowercase();
            let name = name.strip_suffix('.').unwrap_or(&name);
            if !is_host_name(name) {
                return Err(refused(
                    url,
                    "has a host name that no machine can have: letters, digits, - and _ in parts of 1 \
                     to 63 with dots between, such as kodi.local",
                ));
            }
            Host::Name(name.to_owned())
        }
        None => return Err(refused(url, "has no host")),
    };
    refuse_ambiguous(&host, url, origin)?;
    Ok(host)
}

/// Whether a machine can have this name, without a dot at the end. The URL standard takes much that no
/// name service does; `_` is no letter of a host by the book, but by the habit of many.
pub(crate) fn is_host_name(name: &str) -> bool {
    let is_label = |label: &str| {
        (1..=LABEL_MAX).contains(&label.len())
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'))
    };
    name.len() <= HOST_NAME_MAX && name.split('.').all(is_label)
}

/// Addresses of many machines at once: nobody can connect to one.
fn is_of_many(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_multicast() || address.is_broadcast(),
        IpAddr::V6(address) => address.is_multicast(),
    }
}

/// Addresses that no machine has (RFC 6890; ::/96: RFC 4291, section 2.5.5.1). Those for documentation are
/// no part of it: people build networks of them.
fn is_nobodys(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => {
            let first = address.octets()[0];
            (first == 0 && !address.is_unspecified()) || first >= 240
        }
        IpAddr::V6(address) => match address.segments() {
            [0, 0, 0, 0, 0, 0, high, low] => high > 0 || low > 1,
            [0x100, 0, 0, 0, ..] => true,
            _ => false,
        },
    }
}

fn refuse_ambiguous(host: &Host, url: &str, origin: Origin) -> Result<(), FieldError> {
    let own_machine_only = match host {
        Host::Address(address) => is_own_machine(*address),
        Host::Name(name) => name == "localhost" || name.ends_with(".localhost"),
    };
    if own_machine_only && origin == Origin::Network {
        return Err(refused(
            url,
            "would be asked on the health checker's own machine; \
             give the address or name by which the app is reached over the network",
        ));
    }
    match host {
        Host::Address(IpAddr::V6(address)) if address.is_unicast_link_local() => {
            Err(link_local(url))
        }
        Host::Address(address) if is_of_many(*address) => {
            Err(refused(url, "is an address of many machines at once; give that of one"))
        }
        Host::Address(address) if is_nobodys(*address) => Err(refused(
            url,
            "is an address that no machine has: nobody has one in 0.0.0.0/8, 240.0.0.0/4, ::/96 \
             or 100::/64",
        )),
        _ => Ok(()),
    }
}

/// Whether this address means, to each machine, that machine itself.
pub fn is_own_machine(address: IpAddr) -> bool {
    let address = address.to_canonical();
    address.is_loopback() || address.is_unspecified()
}

fn link_local(url: &str) -> FieldError {
    refused(
        url,
        "is a link-local IPv6 address, which means nothing without an interface; \
         give an IPv4 address, a global one, or a name such as kodi.local",
    )
}

fn health_url(mut base: Url, path: &str) -> Result<String, FieldError> {
    check_text("path", path)?;
    if !path.starts_with('/') {
        return Err(FieldError::of(
            "path",
            format!("path must start with /, such as /health, not {}", shown(path)),
        ));
    }
    if path.contains('#') {
        return Err(FieldError::of(
            "path",
            format!("path must have no #: it is never sent, as in {}", shown(path)),
        ));
    }
    let (path, query) = match path.split_once('?') {
        Some((path, query)) => (path, Some(query)),
        None => (path, None),
    };
    let whole = format!("{}{path}", base.path().trim_end_matches('/'));
    base.set_path(&whole);
    base.set_query(query);
    Ok(base.into())
}

fn check_text(field: &str, text: &str) -> Result<(), FieldError> {
    if text.len() > TEXT_MAX {
        let message = format!("{field} has {} bytes; at most {TEXT_MAX} are allowed", text.len());
        return Err(FieldError::of(field, message));
    }
    if text.chars().any(is_obeyed) {
        let message = format!("{field} must have no control characters, not {}", shown_url(text));
        return Err(FieldError::of(field, message));
    }
    Ok(())
}

fn refused(url: &str, why: &str) -> FieldError {
    FieldError::of("url", format!("url {} {why}", shown_url(url)))
}

/// An address as an error may repeat it: without a user and a password, wherever they may end.
pub(crate) fn shown_url(url: &str) -> String {
    let Some((before, host)) = url.rsplit_once('@') else { return shown(url) };
    let scheme = before.split_once("//").map_or("", |(scheme, _)| scheme);
    // A scheme is short, and has no login in it.
    let scheme = Some(scheme).filter(|it| it.ends_with(':') && it.matches(':').count() == 1);
    shown(&scheme.map_or_else(|| format!("…@{host}"), |scheme| format!("{scheme}//…@{host}")))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn from_network(url: &str, path: &str) -> Result<Address, FieldError> {
        Address::new(url, path, Origin::Network)
    }

    #[test]
    fn the_path_is_appended_to_the_base_path() {
        for (url, path, whole) in [
            ("http://nas", "/health", "http://nas/health"),
            ("http://nas/", "/health", "http://nas/health"),
            ("http://nas:8080/api/", "/health", "http://nas:8080/api/health"),
            ("HTTPS://NAS:443/api", "/health", "https://nas/api/health"),
            ("http://[2001:db8::5]:81", "/ok?full=1", "http://[2001:db8::5]:81/ok?full=1"),
            ("http://nas/a b", "/c d", "http://nas/a%20b/c%20d"),
        ] {
            assert_eq!(from_network(url, path).unwrap().asked, whole, "{url} {path}");
        }
    }

    #[test]
    fn host_and_port_are_those_that_are_asked() {
        let app = from_network("https://NAS.local./x", "/health").unwrap();
        assert_eq!((app.host, app.port), (Host::Name("nas.local".into()), 443));
        let app = from_network("http://[::ffff:10.0.0.7]:81", "/health").unwrap();
        assert_eq!((app.host, app.port), (Host::Address("10.0.0.7".parse().unwrap()), 81));
    }

    #[test]
    fn this_machine_is_refused_from_elsewhere_in_every_spelling() {
        for url in [
            "http://localhost:5000",
            "http://LOCALHOST.:5000",
            "http://app.localhost",
            "http://127.0.0.1",
            "http://127.1.2.3:80",
            "http://127.1",
            "http://2130706433",
            "http://0x7f.0.0.1",
            "http://[::1]:5000",
            "http://0.0.0.0:5000",
            "http://[::]:5000",
            "http://[::ffff:127.0.0.1]",
            "http://[::ffff:0.0.0.0]",
        ] {
            let why = from_network(url, "/health").unwrap_err();
            assert!(why.message.contains("over the network"), "{url}: {why}");
            assert!(Address::new(url, "/health", Origin::OwnMachine).is_ok(), "{url}");
        }
    }

    #[test]
    fn what_can_be_nobodys_address_is_refused_with_the_reason() {
        for (url, hint) in [
            ("192.168.1.5:8080", "must begin with http://"),
            ("kodi:8080", "must begin with http://"),
            ("ftp://kodi", "must begin with http://"),
            ("http://", "is no address"),
            ("http://kodi:99999", "is no address"),
            ("http://kodi:0", "port 0"),
            ("http://user:secret@kodi", "give them as auth"),
            ("http://kodi?x=1", "must have no ? or #"),
            ("http://kodi#x", "must have no ? or #"),
            ("http://[fe80::1]:80", "link-local"),
            ("http://[fe80::1%25eth0]:80", "link-local"),
            ("http://[febf::1]", "link-local"),
            ("http://küche", "punycode"),
            ("http://k%C3%BCche", "punycode"),
            ("http:///küche", "punycode"),
            ("http://ko\ndi", "no control characters"),
            ("http://a\"b{`:1/", "no machine can have"),
            ("http://a..b", "no machine can have"),
            ("http://.a", "no machine can have"),
            ("http://a..", "no machine can have"),
            ("http://.", "no machine can have"),
            ("http://*", "no machine can have"),
            ("http://*.local", "no machine can have"),
            ("http://kodi,nas", "no machine can have"),
            ("http://my!app", "no machine can have"),
            (&format!("http://{}.local", "x".repeat(64)), "no machine can have"),
            (&format!("http://{}", "x.".repeat(128)), "no machine can have"),
            ("http://239.255.255.250:1900", "many machines"),
            ("http://255.255.255.255", "many machines"),
            ("http://[ff02::fb]:5353", "many machines"),
            ("http://[::ffff:224.0.0.1]", "many machines"),
            ("http://0.1.2.3", "no machine has"),
            ("http://1", "no machine has"),
            ("http://240.0.0.1", "no machine has"),
            ("http://255.255.255.254", "no machine has"),
            ("http://[::ffff:0.1.2.3]", "no machine has"),
            ("http://[::2]", "no machine has"),
            ("http://[::127.0.0.1]", "no machine has"),
            ("http://[100::1]", "no machine has"),
        ] {
            let why = from_network(url, "/health").unwrap_err();
            assert!(why.message.contains(hint), "{url}: {why}");
            assert_eq!(why.field.as_deref(), Some("url"));
        }
    }

    #[test]
    fn what_is_odd_and_can_be_asked_is_taken() {
        for url in [
            "http://my_app_1:80",
            "http://-a-",
            "http://3com",
            "http://xn--kche-0ra.local.",
            // Documentation, an interface that got no address, a gateway to IPv4, Yggdrasil.
            "http://192.0.2.1",
            "http://169.254.7.7",
            "http://[64:ff9b::c000:201]",
            "http://[200::1]",
            &format!("http://{}", "x.".repeat(126)),
            &format!("http://{}.local", "x".repeat(63)),
        ] {
            assert!(from_network(url, "/health").is_ok(), "{url}");
        }
    }

    #[test]
    fn a_port_is_a_host_and_a_port_and_nothing_else() {
        for (url, asked) in [
            ("tcp://NAS.local.:22", "tcp://nas.local:22"),
            ("TCP://nas:80/", "tcp://nas:80"),
            ("tcp://10.1:443", "tcp://10.0.0.1:443"),
            ("tcp://[2001:DB8::5]:631", "tcp://[2001:db8::5]:631"),
            ("tcp://[::ffff:10.0.0.7]:81", "tcp://10.0.0.7:81"),
        ] {
            let address = Address::of_port(url, Origin::Network).unwrap();
            assert_eq!((address.asked.as_str(), address.given.as_str()), (asked, url));
            assert!(asked.ends_with(&address.port.to_string()));
        }
        for (url, hint) in [
            ("tcp://nas", "a host and a port"),
            ("tcp://nas:", "a host and a port"),
            ("tcp://[2001:db8::5]", "a host and a port"),
            ("tcp://nas:22/x", "a host and a port"),
            ("tcp://nas:22?x", "no ? or #"),
            ("tcp://me@nas:22", "no user or password"),
            ("tcp://nas:0", "port 0"),
            ("tcp://nas:65536", "is no address"),
            ("tcp://*:22", "no machine can have"),
            ("tcp://localhost:22", "over the network"),
            ("tcp://127.1:22", "over the network"),
            ("tcp://0x7f000001:22", "over the network"),
            ("tcp://[::ffff:127.0.0.1]:22", "over the network"),
            ("tcp://224.0.0.1:22", "many machines"),
            ("tcp://[fe80::1]:22", "link-local"),
            ("tcp://k\u{fc}che:22", "punycode"),
            ("tcp://a\u{1}b:22", "control characters"),
        ] {
            let why = Address::of_port(url, Origin::Network).unwrap_err();
            assert!(why.message.contains(hint), "{url}: {why}");
            assert!(why.message.contains("tcp://"), "it names what was given: {why}");
        }
        assert!(Address::of_port("tcp://localhost:22", Origin::OwnMachine).is_ok());
    }

    #[test]
    fn what_is_pinged_is_a_host_and_nothing_else() {
        for (url, asked) in [
            ("ping://NAS.local.", "ping://nas.local"),
            ("PING://nas/", "ping://nas"),
            ("ping://10.1", "ping://10.0.0.1"),
            ("ping://[2001:DB8::5]", "ping://[2001:db8::5]"),
            ("ping://[::ffff:10.0.0.7]", "ping://10.0.0.7"),
        ] {
            let address = Address::of_host(url, Origin::Network).unwrap();
            assert_eq!((address.asked.as_str(), address.given.as_str()), (asked, url));
            assert_eq!(address.port, 0);
        }
        for (url, hint) in [
            ("ping://nas:7", "a host alone, such as ping://"),
            ("ping://nas:80", "a host alone"),
            ("ping://nas:", "a host alone"),
            ("ping://[2001:db8::5]:80", "a host alone"),
            ("ping://nas/x", "a host alone"),
            ("ping://nas?x", "no ? or #"),
            ("ping://me@nas", "no user or password"),
            ("ping://2001:db8::5", "is no address"),
            ("ping://", "is no address"),
            ("ping://*", "no machine can have"),
            ("ping://localhost", "over the network"),
            ("ping://127.1", "over the network"),
            ("ping://0x7f000001", "over the network"),
            ("ping://[::1]", "over the network"),
            ("ping://0.0.0.0", "over the network"),
            ("ping://[::ffff:127.0.0.1]", "over the network"),
            ("ping://224.0.0.1", "many machines"),
            ("ping://255.255.255.255", "many machines"),
            ("ping://[fe80::1]", "link-local"),
            ("ping://k\u{fc}che", "punycode"),
            ("ping://a\u{1}b", "control characters"),
        ] {
            let why = Address::of_host(url, Origin::Network).unwrap_err();
            assert!(why.message.contains(hint), "{url}: {why}");
            assert!(why.message.contains("ping://"), "it names what was given: {why}");
        }
        assert!(Address::of_host("ping://localhost", Origin::OwnMachine).is_ok());
    }

    proptest! {
        /// As the prober reads it: an address that it cannot read would be an alarm without a cause.
        #[test]
        fn what_is_taken_can_be_asked(
            host in "[ -~]{1,12}|[a-z0-9.*_-]{1,12}|[0-9.]{1,16}|\\[[0-9a-f:.]{1,12}\\]",
            port in "|:[0-9]{0,6}",
            path in "/[ -~é\u{ad}]{0,20}",
        ) {
            if let Ok(address) = from_network(&format!("http://{host}{port}"), &path) {
                let uri: http::Uri = address.asked.parse().unwrap();
                let asked = uri.host().unwrap().trim_matches(['[', ']']).trim_end_matches('.');
                match address.host {
                    Host::Name(name) => prop_assert!(is_host_name(&name) && name == asked),
                    Host::Address(ip) => prop_assert_eq!(asked.parse::<IpAddr>().unwrap().to_canonical(), ip),
                }
                prop_assert!(uri.port_u16().unwrap_or(80) > 0);
            }
        }
    }

    #[test]
    fn a_path_starts_with_a_slash_and_has_no_fragment() {
        for path in ["health", "?x", "/a#b", "/a\tb"] {
            let why = from_network("http://kodi", path).unwrap_err();
            assert_eq!(why.field.as_deref(), Some("path"), "{path}");
        }
    }

    #[test]
    fn length_is_bounded() {
        let long = format!("http://kodi/{}", "x".repeat(TEXT_MAX));
        assert!(from_network(&long, "/health").is_err());
        assert!(from_network("http://kodi", &long.replacen("http:/", "", 1)).is_err());
    }
}
