//! What announces itself in a household, and what tells whether it is well.
//!
//! One [`table`] that a person can extend: a row for each kind of device or program. A preset asks nothing that
//! changes a device: it reads a page, only connects, or pings.

mod table;

use std::net::{IpAddr, SocketAddr};

pub use table::PRESETS;

/// How a kind of device is watched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Preset {
    /// The type under which it announces itself (RFC 6763 section 7): `_ipp._tcp`.
    pub service: &'static str,
    /// What the name of its announcement begins with, in small letters; empty for all of the type.
    pub named: &'static str,
    /// What people call it.
    pub kind: &'static str,
    /// What is asked.
    pub asks: Asks,
}

/// What is asked of a device.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asks {
    /// Whether somebody accepts a connection at the port that it announces.
    Connect,
    /// The same at another port.
    ConnectAt(u16),
    /// An echo: what it announces takes no connections.
    Echo,
    /// A page at the port that it announces, and the statuses that are right.
    Page(&'static str, &'static str),
    /// The same by HTTPS.
    SecurePage(&'static str, &'static str),
    /// A page at another port.
    PageAt(u16, &'static str, &'static str),
}

/// The fields of `monitor` that a preset gives, but for the name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Suggestion {
    /// The base address.
    pub url: String,
    /// Where the health is told below it; empty where nothing is read.
    pub path: &'static str,
    /// Which statuses are right; empty for the usual one.
    pub expect: &'static str,
}

impl Preset {
    /// The preset of an announcement: its type, and its name.
    pub fn find(service: &str, name: &str) -> Option<&'static Preset> {
        let name = name.to_lowercase();
        let fits = |preset: &&Preset| preset.service == service && name.starts_with(preset.named);
        // The more of the name is demanded, the more is known.
        PRESETS.iter().filter(fits).max_by_key(|preset| preset.named.len())
    }

    /// Every type that is looked for, once.
    pub fn services() -> Vec<&'static str> {
        let mut all: Vec<&str> = PRESETS.iter().map(|preset| preset.service).collect();
        all.sort_unstable();
        all.dedup();
        all
    }

    /// Which port of a device at `at` is asked; 0: none.
    pub fn port(&self, at: SocketAddr) -> u16 {
        match self.asks {
            Asks::ConnectAt(port) | Asks::PageAt(port, ..) => port,
            Asks::Echo => 0,
            _ => at.port(),
        }
    }

    /// What to register for a device at `at`.
    pub fn suggestion(&self, at: SocketAddr) -> Suggestion {
        let (scheme, path, expect) = match self.asks {
            Asks::Echo => ("ping", "", ""),
            Asks::Connect | Asks::ConnectAt(_) => ("tcp", "", ""),
            Asks::Page(path, expect) | Asks::PageAt(_, path, expect) => ("http", path, expect),
            Asks::SecurePage(path, expect) => ("https", path, expect),
        };
        let url = match (self.port(at), at.ip()) {
            (0, IpAddr::V6(host)) => format!("{scheme}://[{host}]"),
            (0, host) => format!("{scheme}://{host}"),
            (port, host) => format!("{scheme}://{}", SocketAddr::new(host, port)),
        };
        Suggestion { url, path, expect }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::recipients::Recipients;
    use crate::engine::registration::Origin;
    use crate::engine::registration::Registration;

    fn suggested(service: &str, name: &str, at: &str) -> (String, Suggestion) {
        let preset = Preset::find(service, name).unwrap();
        (preset.kind.to_owned(), preset.suggestion(at.parse().unwrap()))
    }

    #[test]
    fn each_row_makes_a_registration_that_is_taken() {
        assert!(PRESETS.len() >= 25);
        for preset in &PRESETS {
            let Suggestion { url, path, expect } =
                preset.suggestion("192.168.1.20:1234".parse().unwrap());
            let all = [("appname", preset.kind), ("url", &url), ("path", path), ("expect", expect)];
            let said = all.iter().filter(|(_, value)| !value.is_empty());
            let fields: Vec<(String, String)> =
                said.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
            let taken = Registration::from_fields(&fields, Origin::Network, &Recipients::default());
            assert!(taken.is_ok(), "{preset:?}: {taken:?}");
            assert!(preset.service.starts_with('_') && preset.service.ends_with("._tcp"));
            assert_eq!(preset.named, preset.named.to_lowercase());
        }
    }

    #[test]
    fn no_two_rows_are_for_the_same() {
        for (n, one) in PRESETS.iter().enumerate() {
            let same = |other: &&Preset| (other.service, other.named) == (one.service, one.named);
            assert_eq!(PRESETS.iter().skip(n + 1).find(same), None);
        }
    }

    #[test]
    fn who_is_known_by_its_name_has_a_preset_of_its_own() {
        let (kind, tasmota) = suggested("_http._tcp", "Tasmota-4711", "10.0.0.7:80");
        assert_eq!((kind.as_str(), tasmota.url.as_str()), ("Tasmota", "http://10.0.0.7:80"));
        assert_eq!(suggested("_http._tcp", "Bathroom", "10.0.0.7:80").0, "Web page");
        let (_, ssh) = suggested("_ssh._tcp", "nas", "[fd00::7]:22");
        assert_eq!((ssh.url.as_str(), ssh.path), ("tcp://[fd00::7]:22", ""));
        let (_, computer) = suggested("_workstation._tcp", "box [00:11]", "[fd00::7]:9");
        assert_eq!((computer.url.as_str(), computer.path), ("ping://[fd00::7]", ""));
        assert_eq!(Preset::find("_nobody._tcp", "x"), None);
    }
}
