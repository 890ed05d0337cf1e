//! Which addresses of this machine a client on the network could use.

use std::net::IpAddr;
use std::path::Path;

/// The bridges that container and VM software makes, by the beginning of their names. Their
/// networks end inside this machine. A plain `br0` is not among them: it may be the way to the LAN.
const INNER_BRIDGES: [&str; 3] = ["docker", "br-", "virbr"];

/// Where Linux shows its network interfaces.
pub(super) const SYS_CLASS_NET: &str = "/sys/class/net";

/// Whether anybody else could be on the other side of the interface `name`, which has `ip`:
/// no loopback, no inner bridge, no port of a bridge (a container's end of a veth pair: only the
/// bridge itself can be talked to).
pub(in crate::daemon) fn leads_outside(name: &str, ip: IpAddr) -> bool {
    !ip.is_loopback() && !is_inner_bridge(name) && !is_bridge_port(name)
}

/// Whether a socket bound to `bind` takes connections to `ip`. A socket on `::` serves both
/// families.
pub(super) fn serves(bind: IpAddr, ip: IpAddr) -> bool {
    match bind {
        IpAddr::V6(any) if any.is_unspecified() => true,
        IpAddr::V4(any) if any.is_unspecified() => ip.is_ipv4(),
        one => one == ip,
    }
}

/// Whether the network behind the interface `name` ends inside this machine.
pub(in crate::daemon) fn is_inner_bridge(name: &str) -> bool {
    INNER_BRIDGES.iter().any(|beginning| name.starts_with(beginning))
}

/// Whether only the bridge itself can be talked to.
pub(super) fn is_bridge_port(name: &str) -> bool {
    Path::new(SYS_CLASS_NET).join(name).join("brport").exists()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn loopback_and_inner_bridges_lead_nowhere() {
        assert!(!leads_outside("lo", ip("127.0.0.1")));
        assert!(!leads_outside("lo", ip("::1")));
        assert!(!leads_outside("docker0", ip("172.17.0.1")));
        assert!(!leads_outside("br-5f3c1d2e4b6a", ip("172.18.0.1")));
        assert!(!leads_outside("virbr0", ip("192.168.122.1")));
    }

    #[test]
    fn the_interfaces_of_a_household_lead_outside() {
        assert!(leads_outside("eth-of-a-test", ip("192.168.1.5")));
        assert!(leads_outside("br0", ip("192.168.1.5")));
        assert!(leads_outside("veth-of-a-test", ip("fe80::1")));
    }

    #[test]
    fn a_socket_on_all_ipv4_addresses_serves_ipv4_only() {
        assert!(serves(ip("0.0.0.0"), ip("192.168.1.5")));
        assert!(!serves(ip("0.0.0.0"), ip("fd00::5")));
    }

    #[test]
    fn a_socket_on_all_ipv6_addresses_serves_both_families() {
        assert!(serves(ip("::"), ip("192.168.1.5")));
        assert!(serves(ip("::"), ip("fd00::5")));
    }

    #[test]
    fn a_socket_on_one_address_serves_only_that() {
        assert!(serves(ip("192.168.1.5"), ip("192.168.1.5")));
        assert!(!serves(ip("192.168.1.5"), ip("192.168.1.6")));
        assert!(!serves(ip("192.168.1.5"), ip("fd00::5")));
        assert!(serves(ip("fd00::5"), ip("fd00::5")));
    }
}
