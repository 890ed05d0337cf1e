//! The networks that this machine is on.

use std::fs;
use std::io;
use std::net::IpAddr;

use if_addrs::Interface;

use super::reach::{SYS_CLASS_NET, is_bridge_port, leads_outside, serves};

/// Networks that are used at once, those with the lowest index first: a cable, Wi-Fi, and two more. Each
/// takes two descriptors (`descriptors.rs`).
const LINKS_MAX: usize = 4;

/// As that, for a search, which is over in seconds. Bridges of containers are among them.
const SEARCHED_MAX: usize = 16;

/// Addresses that are announced on one network: all of an answer fits into 1,500 bytes.
const ADDRESSES_MAX: usize = 12;

/// A family of addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Family {
    /// IPv4.
    V4,
    /// IPv6.
    V6,
}

/// One way to the network.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OutletId {
    /// The number of the interface.
    pub link: u32,
    /// Its packets are of this family.
    pub family: Family,
}

/// One way to the network, as it is now. Another network on the same interface is not equal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outlet {
    /// Which one.
    pub id: OutletId,
    /// Our address of this family.
    pub source: IpAddr,
    /// The addresses that the service is announced with here, of both families; none where it does not
    /// listen.
    pub announced: Vec<IpAddr>,
    /// Addresses and how many of their bits are those of the network.
    pub subnets: Vec<(IpAddr, u8)>,
    /// How often the cable or the Wi-Fi has come and gone.
    pub changes: u64,
}

impl Outlet {
    /// Whether this address is that of a machine on the same network.
    pub fn is_on_link(&self, ip: IpAddr) -> bool {
        self.subnets.iter().any(|(own, bits)| is_same_network(*own, ip, *bits))
            || matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local())
    }
}

/// The outlets there are now, for a service that is bound to `bind`; for none: only for questions.
///
/// # Errors
/// The system does not tell.
pub(super) fn outlets(bind: Option<IpAddr>) -> io::Result<Vec<Outlet>> {
    let interfaces = interfaces(|one| leads_outside(&one.name, one.ip()))?;
    Ok(arrange(&interfaces, LINKS_MAX, bind, carrier_changes))
}

/// The outlets there are now, for a search: a daemon may be in a container of this machine.
///
/// # Errors
/// The system does not tell.
pub(super) fn searched() -> io::Result<Vec<Outlet>> {
    let interfaces = interfaces(|one| !one.is_loopback() && !is_bridge_port(&one.name))?;
    Ok(arrange(&interfaces, SEARCHED_MAX, None, |_| 0))
}

/// Those that packets go through, as far as they are wanted.
fn interfaces(is_wanted: impl Fn(&Interface) -> bool) -> io::Result<Vec<Interface>> {
    let mut interfaces = if_addrs::get_if_addrs()?;
    interfaces.retain(|one| one.is_oper_up() && !one.is_p2p() && is_wanted(one));
    Ok(interfaces)
}

fn arrange(
    interfaces: &[Interface],
    most: usize,
    bind: Option<IpAddr>,
    changes: impl Fn(&str) -> u64,
) -> Vec<Outlet> {
    let mut links: Vec<u32> = interfaces.iter().filter_map(|one| one.index).collect();
    links.sort_unstable();
    links.dedup();
    let of_link = |link: u32| {
        let here: Vec<&Interface> =
            interfaces.iter().filter(|one| one.index == Some(link)).collect();
        let mut subnets: Vec<(IpAddr, u8)> =
            here.iter().map(|one| (one.ip(), prefix(one))).collect();
        subnets.sort_unstable();
        let own = subnets.iter().map(|(ip, _)| *ip);
        let announced: Vec<IpAddr> = own
            .clone()
            .filter(|ip| bind.is_some_and(|bind| serves(bind, *ip)))
            .take(ADDRESSES_MAX)
            .collect();
        let v4 = own.clone().find(IpAddr::is_ipv4);
        let v6 = own.clone().find(is_link_local);
        let changes = here.first().map_or(0, |one| changes(&one.name));
        [(Family::V4, v4), (Family::V6, v6)].into_iter().filter_map(move |(family, source)| {
            Some(Outlet {
                id: OutletId { link, family },
                source: source?,
                announced: announced.clone(),
                subnets: subnets.clone(),
                changes,
            })
        })
    };
    links.into_iter().take(most).flat_map(of_link).collect()
}

/// Multicast over IPv6 comes from such an address (RFC 6762 section 14).
fn is_link_local(ip: &IpAddr) -> bool {
    matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

fn prefix(interface: &Interface) -> u8 {
    match &interface.addr {
        if_addrs::IfAddr::V4(v4) => v4.prefixlen,
        if_addrs::IfAddr::V6(v6) => v6.prefixlen,
    }
}

/// Whether this address is that of a machine on the network of an interface.
pub(in crate::daemon) fn is_on_network(one: &Interface, other: IpAddr) -> bool {
    is_same_network(one.ip(), other, prefix(one))
}

fn is_same_network(own: IpAddr, other: IpAddr, bits: u8) -> bool {
    match (own, other) {
        (IpAddr::V4(own), IpAddr::V4(other)) => {
            let differ = own.to_bits() ^ other.to_bits();
            differ.leading_zeros() >= u32::from(bits)
        }
        (IpAddr::V6(own), IpAddr::V6(other)) => {
            let differ = own.to_bits() ^ other.to_bits();
            differ.leading_zeros() >= u32::from(bits)
        }
        _ => false,
    }
}

/// Counts how often an interface lost its network or found one: also between two looks.
fn carrier_changes(name: &str) -> u64 {
    let text = fs::read_to_string(format!("{SYS_CLASS_NET}/{name}/carrier_changes"));
    text.ok().and_then(|text| text.trim().parse().ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use if_addrs::{IfAddr, IfOperStatus, Ifv4Addr, Ifv6Addr};

    fn interface(index: u32, address: &str, prefixlen: u8) -> Interface {
        let addr = match address.parse().unwrap() {
            IpAddr::V4(ip) => IfAddr::V4(Ifv4Addr { ip, netmask: ip, prefixlen, broadcast: None }),
            IpAddr::V6(ip) => IfAddr::V6(Ifv6Addr { ip, netmask: ip, prefixlen, broadcast: None }),
        };
        let (name, index) = (format!("eth{index}"), Some(index));
        Interface { name, addr, index, oper_status: IfOperStatus::Up, is_p2p: false }
    }

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn a_network_has_an_outlet_for_each_family() {
        let found = [
            interface(2, "192.168.1.5", 24),
            interface(2, "fd00::5", 64),
            interface(2, "fe80::5", 64),
            interface(3, "10.0.0.5", 8),
        ];
        let outlets = arrange(&found, LINKS_MAX, Some(ip("::")), |name| name.len() as u64);
        let ids: Vec<_> = outlets.iter().map(|one| (one.id.link, one.id.family)).collect();
        assert_eq!(ids, [(2, Family::V4), (2, Family::V6), (3, Family::V4)]);
        assert_eq!(outlets[1].source, ip("fe80::5"));
        assert_eq!(outlets[0].announced, [ip("192.168.1.5"), ip("fd00::5"), ip("fe80::5")]);
        assert_eq!((outlets[2].announced.clone(), outlets[2].changes), (vec![ip("10.0.0.5")], 4));
        let only_v4 = arrange(&found, LINKS_MAX, Some(ip("0.0.0.0")), |_| 0);
        assert_eq!(only_v4[1].announced, [ip("192.168.1.5")]);
        assert!(arrange(&found, LINKS_MAX, None, |_| 0).iter().all(|one| one.announced.is_empty()));
    }

    #[test]
    fn who_is_on_the_same_network_is_told_by_its_address() {
        let found = [interface(2, "192.168.1.5", 24), interface(2, "fd00::5", 64)];
        let outlet = &arrange(&found, LINKS_MAX, Some(ip("::")), |_| 0)[0];
        for near in ["192.168.1.200", "fd00::9", "fe80::1"] {
            assert!(outlet.is_on_link(ip(near)), "{near}");
        }
        for far in ["192.168.2.5", "8.8.8.8", "fd01::5", "::1"] {
            assert!(!outlet.is_on_link(ip(far)), "{far}");
        }
    }

    #[test]
    fn of_many_networks_and_addresses_some_are_used() {
        let many: Vec<_> = (1..200_u8).map(|n| interface(2, &format!("10.0.0.{n}"), 8)).collect();
        assert_eq!(
            arrange(&many, LINKS_MAX, Some(ip("::")), |_| 0)[0].announced.len(),
            ADDRESSES_MAX
        );
        let many: Vec<_> = (1..200_u32).map(|n| interface(n, "10.0.0.1", 8)).collect();
        assert_eq!(arrange(&many, LINKS_MAX, Some(ip("::")), |_| 0).len(), LINKS_MAX);
    }
}
