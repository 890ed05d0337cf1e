//! The address of an app: what is asked, made of what a registration names.

use std::net::{IpAddr, SocketAddr};

use url::Url;

use super::fields::{FieldError, shown};
use super::host::{Host, Origin};
use super::url_text::{authority, bare, base, check_text, refused};

/// What is asked when a registration names no path.
pub const DEFAULT_PATH: &str = "/health";

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
        let host = Host::of(&base, url, origin)?;
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
        let host = Host::of(&base, url, origin)?;
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
        let host = Host::of(&base, url, origin)?;
        if authority(url).rsplit(']').next().is_some_and(|rest| rest.contains(':')) {
            return Err(refused(url, right));
        }
        let asked = match &host {
            Host::Address(IpAddr::V6(address)) => format!("ping://[{address}]"),
            host => format!("ping://{host}"),
        };
        Ok(Address { given: url.to_owned(), asked, host, port: 0 })
    }

    /// Where it is: scheme, host and port, as they are asked.
    pub(in crate::engine) fn place(&self) -> &str {
        let path = self.asked.match_indices('/').nth(2).map_or(self.asked.len(), |(at, _)| at);
        self.asked.get(..path).unwrap_or_default()
    }
}

fn port(base: &Url, url: &str) -> Result<u16, FieldError> {
    let port = base.port_or_known_default().filter(|port| *port != 0);
    port.ok_or_else(|| refused(url, "has port 0, on which nothing can listen"))
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

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::engine::registration::host::is_host_name;
    use crate::engine::registration::url_text::TEXT_MAX;

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
    fn nothing_listens_on_port_0() {
        let why = from_network("http://kodi:0", "/health").unwrap_err();
        assert!(why.message.contains("port 0"), "{why}");
        assert_eq!(why.field.as_deref(), Some("url"));
    }

    type Reads = fn(&str, Origin) -> Result<Address, FieldError>;

    /// What is taken, and what is asked then; and what is refused, with a hint of what is said of it.
    fn check(read: Reads, taken: &[(&str, &str)], refused: &[(&str, &str)]) {
        for &(url, asked) in taken {
            let address = read(url, Origin::Network).unwrap();
            assert_eq!((address.asked.as_str(), address.given.as_str()), (asked, url));
            assert!(address.port == 0 || asked.ends_with(&format!(":{}", address.port)), "{url}");
        }
        for (url, hint) in refused {
            let why = read(url, Origin::Network).unwrap_err();
            assert!(why.message.contains(hint), "{url}: {why}");
            let (scheme, _) = url.split_once("//").unwrap();
            assert!(why.message.contains(scheme), "it names what was given: {why}");
        }
    }

    #[test]
    fn a_port_is_a_host_and_a_port_and_nothing_else() {
        check(
            Address::of_port,
            &[
                ("tcp://NAS.local.:22", "tcp://nas.local:22"),
                ("TCP://nas:80/", "tcp://nas:80"),
                ("tcp://10.1:443", "tcp://10.0.0.1:443"),
                ("tcp://[2001:DB8::5]:631", "tcp://[2001:db8::5]:631"),
                ("tcp://[::ffff:10.0.0.7]:81", "tcp://10.0.0.7:81"),
            ],
            &[
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
            ],
        );
        assert_eq!(Address::of_port("tcp://nas:80", Origin::Network).unwrap().port, 80);
        assert!(Address::of_port("tcp://localhost:22", Origin::OwnMachine).is_ok());
    }

    #[test]
    fn what_is_pinged_is_a_host_and_nothing_else() {
        check(
            Address::of_host,
            &[
                ("ping://NAS.local.", "ping://nas.local"),
                ("PING://nas/", "ping://nas"),
                ("ping://10.1", "ping://10.0.0.1"),
                ("ping://[2001:DB8::5]", "ping://[2001:db8::5]"),
                ("ping://[::ffff:10.0.0.7]", "ping://10.0.0.7"),
            ],
            &[
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
            ],
        );
        assert_eq!(Address::of_host("ping://nas", Origin::Network).unwrap().port, 0);
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
