//! The routers that lead out of our own networks, as Linux lists them.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV6};

/// The routes of IPv4 and of IPv6 (proc_pid_net(5); `net/ipv6_route.c` of Linux).
const ROUTES: [&str; 2] = ["/proc/net/route", "/proc/net/ipv6_route"];

/// Routers that are asked, the first listed first: two uplinks, each with both families.
const GATEWAYS_MAX: usize = 4;

/// The route is in use, and leads to a router (`linux/route.h`).
const UP_BY_GATEWAY: u32 = 0x3;

/// The next hops of all default routes. The port is 0; `scope_of` knows the number of an interface,
/// without which a link-local address means nothing.
pub(super) fn gateways(scope_of: impl Fn(&str) -> Option<u32>) -> Vec<SocketAddr> {
    let [v4, v6] = ROUTES.map(|file| fs::read_to_string(file).unwrap_or_default());
    next_hops(&v4, &v6, scope_of)
}

fn next_hops(v4: &str, v6: &str, scope_of: impl Fn(&str) -> Option<u32>) -> Vec<SocketAddr> {
    let of_v4 = v4.lines().filter_map(next_hop_v4);
    let of_v6 = v6.lines().filter_map(|line| next_hop_v6(line, &scope_of));
    let mut found = Vec::new();
    for hop in of_v4.chain(of_v6) {
        if !found.contains(&hop) && found.len() < GATEWAYS_MAX {
            found.push(hop);
        }
    }
    found
}

/// `eth0 00000000 0101A8C0 0003 0 0 100 00000000 0 0 0`: interface, destination, next hop, flags, ...,
/// mask. Addresses lie in memory as they are sent, and are written as one number.
fn next_hop_v4(line: &str) -> Option<SocketAddr> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let mut number = || u32::from_str_radix(fields.next()?, 16).ok();
    let (to, by, flags) = (number()?, number()?, number()?);
    let mask = u32::from_str_radix(fields.nth(3)?, 16).ok()?;
    let is_default = to == 0 && mask == 0 && flags & UP_BY_GATEWAY == UP_BY_GATEWAY;
    let hop = Ipv4Addr::from(by.to_ne_bytes());
    is_default.then(|| SocketAddr::new(IpAddr::V4(hop), 0))
}

/// Destination, its length, source, its length, next hop, metric, two counters, flags, interface; all
/// numbers in hexadecimal.
fn next_hop_v6(line: &str, scope_of: impl Fn(&str) -> Option<u32>) -> Option<SocketAddr> {
    let mut fields = line.split_ascii_whitespace();
    let (to, bits) = (fields.next()?, fields.next()?);
    let hop = Ipv6Addr::from(u128::from_str_radix(fields.nth(2)?, 16).ok()?);
    let flags = u32::from_str_radix(fields.nth(3)?, 16).ok()?;
    let interface = fields.next()?;
    let is_default = [to, bits].iter().all(|field| field.bytes().all(|digit| digit == b'0'));
    if !is_default || flags & UP_BY_GATEWAY != UP_BY_GATEWAY || hop.is_unspecified() {
        return None;
    }
    let scope = if hop.is_unicast_link_local() { scope_of(interface)? } else { 0 };
    Some(SocketAddr::V6(SocketAddrV6::new(hop, 0, 0, scope)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_default_route_of_ipv4_is_read() {
        let gateway = |line: &str| next_hop_v4(line).map(|hop| hop.to_string());
        let number = |ip: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(ip));
        let hop = number([192, 168, 1, 1]);
        let line = format!("eth0\t00000000\t{hop}\t0003\t0\t0\t100\t00000000\t0\t0\t0 ");
        assert_eq!(gateway(&line).as_deref(), Some("192.168.1.1:0"));
        for other in [
            "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT",
            // No router: ppp0 has a peer. The own network. A route that is not in use.
            "ppp0\t00000000\t00000000\t0001\t0\t0\t0\t00000000\t0\t0\t0",
            "eth0\t0001A8C0\t00000000\t0001\t0\t0\t0\t00FFFFFF\t0\t0\t0",
            "eth0\t00000000\t0101A8C0\t0002\t0\t0\t0\t00000000\t0\t0\t0",
            // Half of the internet, by a VPN.
            "tun0\t00000000\t0101080A\t0003\t0\t0\t50\t00000080\t0\t0\t0",
            "eth0\t00000000\t0101A8C0",
            "",
        ] {
            assert_eq!(gateway(other), None, "{other}");
        }
    }

    #[test]
    fn the_default_route_of_ipv6_is_read_with_its_interface() {
        let scope_of = |name: &str| (name == "eth0").then_some(7);
        let gateway = |line: &str| next_hop_v6(line, scope_of).map(|hop| hop.to_string());
        let (any, one) = ("0".repeat(32), "fe800000000000000000000000000001");
        let line = |hop: &str, flags: &str, name: &str| {
            format!("{any} 00 {any} 00 {hop} 00000400 00000001 00000000 {flags}     {name}")
        };
        assert_eq!(gateway(&line(one, "00450003", "eth0")).as_deref(), Some("[fe80::1%7]:0"));
        let global = "20010db8000000000000000000000001";
        assert_eq!(gateway(&line(global, "00000003", "wlan0")).as_deref(), Some("[2001:db8::1]:0"));
        for other in [
            line(one, "00450003", "gone0"),
            line(one, "00000001", "eth0"),
            // "Unreachable", on the loopback interface, where there is none.
            line(&any, "00200200", "lo"),
            line(one, "00450003", "eth0").replacen(" 00 ", " 40 ", 1),
            String::from("fe80"),
        ] {
            assert_eq!(gateway(&other), None, "{other}");
        }
    }

    const HEAD: &str =
        "Iface\tDestination\tGateway \tFlags\tRefCnt\tUse\tMetric\tMask\t\tMTU\tWindow\tIRTT";
    const ANY: &str = "00000000000000000000000000000000";

    /// A file of IPv4 routes: the own network and, if there is a router, the way out.
    fn table(interfaces: &[(&str, Option<[u8; 4]>)]) -> String {
        let number = |ip: [u8; 4]| format!("{:08X}", u32::from_ne_bytes(ip));
        let mut lines = vec![HEAD.to_owned()];
        for (name, router) in interfaces {
            let hop = router.map(number);
            lines.extend(
                hop.map(|hop| {
                    format!("{name}\t00000000\t{hop}\t0003\t0\t0\t600\t00000000\t0\t0\t0")
                }),
            );
            let (network, mask) = (number([192, 168, 1, 0]), number([255, 255, 255, 0]));
            lines.push(format!("{name}\t{network}\t00000000\t0001\t0\t0\t600\t{mask}\t0\t0\t0"));
        }
        lines.join("\n") + "\n"
    }

    /// A file of IPv6 routes: routers by interface, beside what every machine has.
    fn table_v6(routers: &[(&str, &str)]) -> String {
        let line = |to: &str, bits: &str, hop: &str, flags: &str, name: &str| {
            format!("{to} {bits} {ANY} 00 {hop} 00000400 00000001 00000000 {flags} {name:>8}")
        };
        let own = "fe800000000000000000000000000000";
        let mut lines = vec![line(own, "40", ANY, "00000001", "eth0")];
        lines.extend(routers.iter().map(|(name, hop)| line(ANY, "00", hop, "00450003", name)));
        lines.push(line("00000000000000000000000000000001", "80", ANY, "80200001", "lo"));
        lines.push(line(ANY, "00", ANY, "00200200", "lo"));
        lines.join("\n") + "\n"
    }

    #[test]
    fn networks_of_every_shape_have_the_routers_that_lead_out_of_them() {
        let scope_of = |name: &str| ["eth0", "wlan0"].iter().position(|it| *it == name);
        let scope_of = |name: &str| scope_of(name).map(|place| place as u32 + 2);
        let routers = |v4: &str, v6: &str| {
            let found = next_hops(v4, v6, scope_of);
            found.iter().map(SocketAddr::to_string).collect::<Vec<_>>()
        };
        let (box_v4, box_v6) = ([192, 168, 1, 1], "fe800000000000000000000000000001");
        let wifi = table(&[("wlan0", Some(box_v4))]);
        assert_eq!(routers(&wifi, &table_v6(&[])), ["192.168.1.1:0"], "Wi-Fi");
        let both = routers(&wifi, &table_v6(&[("wlan0", box_v6)]));
        assert_eq!(both, ["192.168.1.1:0", "[fe80::1%3]:0"], "both families");
        let alone = routers(&table(&[]), &table_v6(&[("eth0", box_v6)]));
        assert_eq!(alone, ["[fe80::1%2]:0"], "IPv6 alone");
        let cable = [("eth0", Some(box_v4)), ("wlan0", Some(box_v4))];
        let one = routers(&table(&cable), &table_v6(&[("eth0", box_v6), ("wlan0", box_v6)]));
        let by_either = ["192.168.1.1:0", "[fe80::1%2]:0", "[fe80::1%3]:0"];
        assert_eq!(one, by_either, "two ways to one router");
        let uplinks = table(&[("eth0", Some(box_v4)), ("wwan0", Some([10, 64, 0, 1]))]);
        assert_eq!(routers(&uplinks, ""), ["192.168.1.1:0", "10.64.0.1:0"], "two uplinks");
        let container = table(&[("eth0", Some([172, 17, 0, 1]))]);
        assert_eq!(routers(&container, ""), ["172.17.0.1:0"], "a container: its bridge");
        let none = [] as [&str; 0];
        assert_eq!(routers(&table(&[("eth0", None)]), &table_v6(&[])), none, "no router");
        assert_eq!(routers("", ""), none, "the system tells nothing");
    }

    #[test]
    fn what_this_machine_lists_can_be_read() {
        assert!(gateways(|_| Some(1)).len() <= GATEWAYS_MAX);
    }
}
