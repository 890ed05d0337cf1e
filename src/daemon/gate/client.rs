//! Who is at the gate, and how the API behind it is told.

use std::net::{IpAddr, Ipv6Addr, SocketAddr};

use crate::engine::registration::Origin;

/// The private header that names the client to the API. It is on no allow-list, so none from
/// outside ever passes.
pub(crate) const CLIENT_HEADER: &str = "X-Healthchecker-Client";

const OWN_MACHINE: &str = "own";
const NETWORK: &str = "net";
const FORWARDED: &str = "via";

/// Who sent a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Client {
    /// Its address; IPv4-mapped ones are written as IPv4.
    pub addr: IpAddr,
    /// Whether it is on the daemon's own machine.
    pub origin: Origin,
    /// It is a proxy that hands on what somebody else asks, who may be anywhere.
    pub is_forwarded: bool,
}

impl Client {
    /// The client at the far end of an accepted connection: on this machine if its address is a
    /// loopback one, or the one it connected to.
    pub fn new(peer: SocketAddr, local: Option<SocketAddr>) -> Client {
        let addr = peer.ip().to_canonical();
        let local = local.map(|local| local.ip().to_canonical());
        let origin = if addr.is_loopback() || local == Some(addr) {
            Origin::OwnMachine
        } else {
            Origin::Network
        };
        Client { addr, origin, is_forwarded: false }
    }

    /// Whoever asks through this one, a proxy: its own machine is nothing to them.
    pub fn forwarding(self) -> Client {
        Client { origin: Origin::Network, is_forwarded: true, ..self }
    }

    /// The value of [`CLIENT_HEADER`].
    pub fn to_header(self) -> String {
        let origin = match self.origin {
            _ if self.is_forwarded => FORWARDED,
            Origin::OwnMachine => OWN_MACHINE,
            Origin::Network => NETWORK,
        };
        format!("{origin} {}", self.addr)
    }

    /// Reads the value of [`CLIENT_HEADER`]; `None` if the gate did not write it.
    pub fn from_header(value: &str) -> Option<Client> {
        let (word, addr) = value.split_once(' ')?;
        let origin = match word {
            OWN_MACHINE => Origin::OwnMachine,
            NETWORK | FORWARDED => Origin::Network,
            _ => return None,
        };
        let addr = addr.parse().ok()?;
        Some(Client { addr, origin, is_forwarded: word == FORWARDED })
    }

    /// What counts as one address when places are shared out: for IPv6 the network, since one
    /// machine has as many addresses in it as it likes (RFC 8981).
    pub fn household_place(self) -> IpAddr {
        match self.addr {
            IpAddr::V4(_) => self.addr,
            IpAddr::V6(addr) => Ipv6Addr::from(u128::from(addr) & !u128::from(u64::MAX)).into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, local: &str) -> Client {
        Client::new(peer.parse().unwrap(), Some(local.parse().unwrap()))
    }

    #[test]
    fn own_machine_is_loopback_or_the_same_address() {
        for (peer, local, origin) in [
            ("127.0.0.1:5", "127.0.0.1:80", Origin::OwnMachine),
            ("[::ffff:127.0.0.2]:5", "[::ffff:127.0.0.1]:80", Origin::OwnMachine),
            ("[::1]:5", "[::1]:80", Origin::OwnMachine),
            ("10.0.0.9:5", "10.0.0.9:80", Origin::OwnMachine),
            ("[::ffff:10.0.0.9]:5", "10.0.0.9:80", Origin::OwnMachine),
            ("10.0.0.8:5", "10.0.0.9:80", Origin::Network),
            ("[fe80::1]:5", "[fe80::2]:80", Origin::Network),
        ] {
            assert_eq!(client(peer, local).origin, origin, "{peer}");
        }
    }

    #[test]
    fn a_client_survives_its_header() {
        for peer in ["10.0.0.8:5", "127.0.0.1:5", "[2001:db8::7]:5"] {
            let one = client(peer, "10.0.0.9:80");
            for one in [one, one.forwarding()] {
                assert_eq!(Client::from_header(&one.to_header()), Some(one));
            }
        }
        for value in ["", "own", "10.0.0.1", "own x", "other 10.0.0.1"] {
            assert_eq!(Client::from_header(value), None);
        }
    }

    #[test]
    fn one_ipv6_network_is_one_place() {
        let a = client("[2001:db8::1:2:3:4]:5", "[2001:db8::9]:80");
        let b = client("[2001:db8::9:9:9:9]:5", "[2001:db8::9]:80");
        assert_eq!(a.household_place(), b.household_place());
    }
}
