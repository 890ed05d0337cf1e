//! Under which name a request reaches us: one that only this household can give, or any.
//!
//! A page on the internet can have its own name lead to an address of the household (DNS
//! rebinding). To the browser it then speaks to its own server; only the name gives it away.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Ends of names that nobody on the internet can own: RFC 6762 (`local`), RFC 8375 (`home.arpa`), ICANN
/// resolution 2024.07.29.06 (`internal`), and `lan`, which routers use and nobody was ever given.
const HOUSEHOLD: [&str; 4] = [".local", ".lan", ".home.arpa", ".internal"];

/// The name or address and the port of an `http` address, fit to be compared.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Authority {
    /// In small letters, without the dot of the root.
    host: String,
    /// `None`: the usual one of the scheme.
    port: Option<u16>,
}

impl Authority {
    /// Reads a `Host` header (RFC 9110, section 7.2). A browser leaves out the usual port.
    pub(super) fn of_host(header: &str) -> Option<Authority> {
        let (host, port) = split(header.trim())?;
        let host = host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase();
        let plain = |c: char| c.is_ascii_alphanumeric() || "-._:[]".contains(c);
        let well_formed = !host.is_empty() && host.chars().all(plain);
        well_formed.then_some(Authority { host, port })
    }

    /// Reads the scheme and authority with which an `Origin` or a `Referer` begins. A browser in
    /// front of a proxy may speak `https` where we are asked with `http`.
    pub(super) fn of_url(url: &str) -> Option<Authority> {
        let url = url.trim();
        let rest = ["http://", "https://"].into_iter().find_map(|scheme| {
            let head = url.get(..scheme.len())?;
            head.eq_ignore_ascii_case(scheme).then(|| url.get(scheme.len()..))?
        })?;
        let authority = rest.split(['/', '?', '#']).next()?;
        // Browsers send no user and password in these headers.
        Authority::of_host(authority)
    }

    fn address(&self) -> Option<IpAddr> {
        let v6 = self.host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        match v6 {
            Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            None => self.host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        }
    }
}

/// Cuts the port off.
fn split(authority: &str) -> Option<(&str, Option<u16>)> {
    let end = authority.rfind(']').map_or(0, |end| end + 1);
    let (host, port) = match authority.get(end..)?.rfind(':') {
        Some(colon) => (authority.get(..end + colon)?, authority.get(end + colon + 1..)?),
        None => return Some((authority, None)),
    };
    if port.is_empty() {
        return Some((host, None));
    }
    // `parse` alone would take `+80`.
    let digits = Some(port).filter(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    Some((host, Some(digits?.parse().ok()?)))
}

/// The names that are ours.
#[derive(Debug)]
pub(super) struct Names {
    own: String,
    allowed: Vec<String>,
    /// That of the address in mails.
    public: Option<String>,
}

impl Names {
    /// `own` is what the machine is called; `allowed`, in small letters, what the owner adds; `public_url` is
    /// the address that mails link to.
    pub(super) fn new(own: &str, allowed: &[String], public_url: Option<&str>) -> Names {
        let public = public_url.and_then(Authority::of_url).map(|authority| authority.host);
        Names { own: own.to_ascii_lowercase(), allowed: allowed.to_vec(), public }
    }

    /// Whether no foreign page can have this name: an address, a name without dots, one that ends
    /// as those of a household do, our own, or one that the owner has named.
    pub(super) fn know(&self, authority: &Authority) -> bool {
        let host = authority.host.as_str();
        authority.address().is_some()
            || is_label(host)
            || HOUSEHOLD.iter().any(|end| host.strip_suffix(end).is_some_and(|it| !it.is_empty()))
            || (!host.is_empty() && host == self.own)
            || self.allowed.iter().chain(&self.public).any(|allowed| allowed == host)
    }

    /// Whether the owner has named any.
    pub(super) fn are_named(&self) -> bool {
        !self.allowed.is_empty()
    }
}

/// `localhost`, `pi`.
fn is_label(host: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !host.is_empty() && host.bytes().all(letter)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn known(host: &str) -> bool {
        let names = Names::new(
            "Pi.Example.net",
            &["hc.example.org".to_owned()],
            Some("https://home.example.com:8443/hc"),
        );
        Authority::of_host(host).is_some_and(|authority| names.know(&authority))
    }

    #[test]
    fn what_a_household_calls_its_machines_is_known() {
        for host in [
            "192.168.1.5",
            "192.168.1.5:9090",
            "127.0.0.1:80",
            "[::1]",
            "[fe80::1]:9090",
            "localhost",
            "LOCALHOST:9090",
            "pi",
            "raspberry_pi-2:1",
            "pi.local",
            "pi.local.:9090",
            "Pi.LAN",
            "pi.home.arpa",
            "a.b.internal",
            "pi.example.net",
            "hc.example.org:443",
        ] {
            assert!(known(host), "{host}");
        }
    }

    #[test]
    fn what_anybody_can_own_is_not() {
        for host in [
            "evil.example",
            "evil.example:9090",
            "local.evil.example",
            "192.168.1.5.evil.example",
            "192.168.1.5.nip.io",
            "evil-local",
            "evillan.example",
            "www.hc.example.org",
            "hc.example.org.evil.example",
            "pi.fritz.box",
            "arpa.",
            ".local",
            ".lan",
            "0x7f.1",
            "127.1.",
            "[::1",
            "::1",
            "[evil.example]",
            "localhost:+80",
            "localhost:99999",
            "local host",
            "localhost/",
            "evil.example@localhost",
            "",
            ":80",
        ] {
            let odd_but_harmless = ["evil-local", "arpa."].contains(&host);
            assert_eq!(known(host), odd_but_harmless, "{host}");
        }
    }

    #[test]
    fn an_origin_is_compared_with_its_port() {
        let origin = |url: &str| Authority::of_url(url);
        let host = |header: &str| Authority::of_host(header);
        assert_eq!(origin("http://pi.local:9090"), host("PI.local:9090"));
        assert_eq!(origin("https://pi.local"), host("pi.local"));
        assert_eq!(origin("HTTP://[::1]:80/a?b#c"), host("[::1]:80"));
        assert_ne!(origin("http://pi.local:8080"), host("pi.local:9090"));
        for none in
            ["null", "", "pi.local", "file:///etc", "http://", "http://u@pi.local", "é://pi"]
        {
            assert_eq!(origin(none), None, "{none}");
        }
    }

    proptest! {
        #[test]
        fn no_header_panics(header in "\\PC{0,20}", tail in "[\\[\\]:.0-9a-z@/]{0,16}") {
            let _ = (known(&header), known(&tail));
            let _ = Authority::of_url(&format!("http://{header}"));
            let _ = Authority::of_url(&header);
        }

        #[test]
        fn a_name_with_a_public_end_is_never_known(name in "[a-z0-9.-]{1,30}", port in proptest::option::of(any::<u16>())) {
            let port = port.map_or_else(String::new, |port| format!(":{port}"));
            let host = format!("{name}.example{port}");
            prop_assert!(!known(&host));
        }
    }
}
