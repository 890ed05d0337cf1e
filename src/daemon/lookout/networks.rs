//! What our own interfaces tell: whether we are on a network, and where an address is from here.

use std::net::IpAddr;

use if_addrs::Interface;

use crate::daemon::discovery::{is_inner_bridge, is_on_network, leads_outside};
use crate::engine::registration::host::is_own_machine;
use crate::engine::verdict::answer::Whereabouts;

/// Whether this machine is on no network: no cable, no Wi-Fi, no address. What the system does not tell is
/// no proof.
pub fn is_cut_off() -> bool {
    Networks::read().are_none()
}

/// Where an address is. What the system does not tell is not on our networks.
pub fn whereabouts(address: IpAddr) -> Whereabouts {
    Networks::read().whereabouts(address)
}

/// Our interfaces, each once for every address of it; `None`: the system does not tell.
pub(super) struct Networks(Option<Vec<Interface>>);

impl Networks {
    /// As they are now.
    pub(super) fn read() -> Networks {
        Networks(if_addrs::get_if_addrs().ok())
    }

    /// Whether this machine is on none.
    pub(super) fn are_none(&self) -> bool {
        let leads_out = |one: &Interface| one.is_oper_up() && leads_outside(&one.name, one.ip());
        self.0.as_ref().is_some_and(|interfaces| !interfaces.iter().any(leads_out))
    }

    /// The number of the interface `name`.
    pub(super) fn index_of(&self, name: &str) -> Option<u32> {
        self.interfaces().find(|one| one.name == name)?.index
    }

    /// Whether our network is not needed to reach an address.
    pub(super) fn is_here(&self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        let is_ours = |one: &Interface| {
            one.ip() == address || (is_inner_bridge(&one.name) && is_on_network(one, address))
        };
        is_own_machine(address) || self.interfaces().any(is_ours)
    }

    fn whereabouts(&self, address: IpAddr) -> Whereabouts {
        let address = address.to_canonical();
        if self.is_here(address) {
            Whereabouts::Here
        } else if is_private(address) || self.interfaces().any(|one| is_on_network(one, address)) {
            Whereabouts::Near
        } else {
            Whereabouts::Public
        }
    }

    fn interfaces(&self) -> impl Iterator<Item = &Interface> {
        self.0.iter().flatten()
    }
}

/// Whether an address is for use within a house, or that of a provider's own network.
pub(in crate::daemon) fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            // Shared address space (RFC 6598): between a provider and its customers, and in overlay networks.
            let is_shared = first == 100 && second & 0xC0 == 64;
            v4.is_private() || v4.is_link_local() || is_shared
        }
        IpAddr::V6(v6) => v6.is_unique_local() || v6.is_unicast_link_local(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use if_addrs::{IfAddr, IfOperStatus, Ifv4Addr, Ifv6Addr};

    fn interface(name: &str, address: &str, prefixlen: u8) -> Interface {
        let addr = match address.parse().unwrap() {
            IpAddr::V4(ip) => IfAddr::V4(Ifv4Addr { ip, netmask: ip, prefixlen, broadcast: None }),
            IpAddr::V6(ip) => IfAddr::V6(Ifv6Addr { ip, netmask: ip, prefixlen, broadcast: None }),
        };
        let (name, index) = (name.to_owned(), Some(1));
        Interface { name, addr, index, oper_status: IfOperStatus::Up, is_p2p: false }
    }

    #[test]
    fn a_machine_is_on_a_network_if_one_interface_leads_out_with_an_address() {
        let (lo, bridge) =
            (interface("lo", "127.0.0.1", 8), interface("docker0", "172.17.0.1", 16));
        let inner = [lo, interface("lo", "::1", 128), bridge];
        let are_none = |others: Vec<Interface>| {
            Networks(Some(inner.iter().cloned().chain(others).collect())).are_none()
        };
        // A cable that is pulled, a Wi-Fi that is not joined: the address may stay for a while.
        let down = |name, address, bits| Interface {
            oper_status: IfOperStatus::Down,
            ..interface(name, address, bits)
        };
        assert!(are_none(vec![]), "no address but inner ones");
        assert!(are_none(vec![down("wlan0", "192.168.1.5", 24), down("eth0", "fe80::5", 64)]));
        for one in [
            interface("wlan0", "192.168.1.5", 24),
            // IPv6 alone, and as it is until a router is heard.
            interface("eth0", "2001:db8::5", 64),
            interface("eth0", "fe80::5", 64),
            // In a container, and by a modem.
            interface("eth0", "172.17.0.2", 16),
            interface("ppp0", "100.64.0.5", 32),
        ] {
            let name = one.name.clone();
            assert!(!are_none(vec![one]), "{name}");
        }
        let (wifi, cable) =
            (interface("wlan0", "192.168.1.6", 24), down("eth0", "192.168.1.5", 24));
        assert!(!are_none(vec![cable, wifi]), "one of two is enough");
        assert!(!Networks(None).are_none(), "what is not told is no proof");
    }

    #[test]
    fn where_an_address_is() {
        let networks = Networks(Some(vec![
            interface("lo", "127.0.0.1", 8),
            interface("eth0", "192.168.1.5", 24),
            interface("eth0", "2001:db8::5", 64),
            interface("docker0", "172.17.0.1", 16),
            interface("wg0", "203.0.113.1", 30),
        ]));
        for (address, whereabouts) in [
            ("127.0.1.1", Whereabouts::Here),
            ("::1", Whereabouts::Here),
            ("192.168.1.5", Whereabouts::Here),
            ("2001:db8::5", Whereabouts::Here),
            ("172.17.0.2", Whereabouts::Here),
            ("192.168.1.20", Whereabouts::Near),
            ("2001:db8::20", Whereabouts::Near),
            ("203.0.113.2", Whereabouts::Near),
            ("10.9.8.7", Whereabouts::Near),
            ("172.18.0.2", Whereabouts::Near),
            ("169.254.7.7", Whereabouts::Near),
            ("100.64.0.1", Whereabouts::Near),
            ("100.127.0.1", Whereabouts::Near),
            ("fd00::20", Whereabouts::Near),
            ("fe80::20", Whereabouts::Near),
            ("100.128.0.1", Whereabouts::Public),
            ("203.0.113.5", Whereabouts::Public),
            ("192.0.2.20", Whereabouts::Public),
            ("2001:db8:0:1::20", Whereabouts::Public),
        ] {
            assert_eq!(networks.whereabouts(address.parse().unwrap()), whereabouts, "{address}");
        }
        let mapped = "::ffff:127.0.0.1".parse().unwrap();
        assert_eq!(whereabouts(mapped), Whereabouts::Here);
    }
}
