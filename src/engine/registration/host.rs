//! The host of an app: whom a registration may name, and from where.

use std::fmt;
use std::net::IpAddr;

use serde::{Deserialize, Serialize};
use url::Url;

use super::fields::FieldError;
use super::url_text::{link_local, refused};

/// The longest name of a host, and the longest part of one between dots (RFC 1035, section 2.3.4).
const HOST_NAME_MAX: usize = 253;
const LABEL_MAX: usize = 63;

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

impl Host {
    /// That of the address `base`, which was given as `url`.
    ///
    /// # Errors
    /// No machine can have it, or it means another machine to the daemon than to the app.
    pub(super) fn of(base: &Url, url: &str, origin: Origin) -> Result<Host, FieldError> {
        let host = match base.host() {
            Some(url::Host::Ipv4(address)) => Host::Address(address.into()),
            Some(url::Host::Ipv6(address)) => Host::Address(IpAddr::V6(address).to_canonical()),
            Some(url::Host::Domain(name)) => {
                let name = name.to_ascii_lowercase();
                let name = name.strip_suffix('.').unwrap_or(&name);
                if !is_host_name(name) {
                    return Err(refused(
                        url,
                        "has a host name that no machine can have: letters, digits, - and _ in parts \
                         of 1 to 63 with dots between, such as kodi.local",
                    ));
                }
                Host::Name(name.to_owned())
            }
            None => return Err(refused(url, "has no host")),
        };
        refuse_ambiguous(&host, url, origin)?;
        Ok(host)
    }
}

impl fmt::Display for Host {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Host::Address(address) => address.fmt(f),
            Host::Name(name) => f.write_str(name),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::registration::url_text::base;

    fn host(url: &str, origin: Origin) -> Result<Host, FieldError> {
        Host::of(&base(url, url)?, url, origin)
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
            let why = host(url, Origin::Network).unwrap_err();
            assert!(why.message.contains("over the network"), "{url}: {why}");
            assert!(host(url, Origin::OwnMachine).is_ok(), "{url}");
        }
    }

    #[test]
    fn what_can_be_nobodys_is_refused_with_the_reason() {
        for (url, hint) in [
            ("http://[febf::1]", "link-local"),
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
            let why = host(url, Origin::Network).unwrap_err();
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
            assert!(host(url, Origin::Network).is_ok(), "{url}");
        }
    }
}
