//! What an app needs to know about its own machine.
//!
//! An app that registers `:8080` needs none of it: the daemon sees where the call comes from.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpListener, UdpSocket};

/// Where the default route leads (192.0.2.0/24 and 2001:db8::/32 are for documentation, RFC 5737 and RFC
/// 3849), and where Zeroconf does, for a network without a router.
const ELSEWHERE: [IpAddr; 3] = [
    IpAddr::V4(Ipv4Addr::new(192, 0, 2, 1)),
    IpAddr::V4(Ipv4Addr::new(224, 0, 0, 251)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 1)),
];
/// The port for discarding (RFC 863); nothing is sent there.
const DISCARD: u16 = 9;

/// The address under which the household reaches this machine: that of the interface with the
/// default route, else of the one for multicast, else of any, else 127.0.0.1. Nothing is sent.
///
/// Under a VPN that takes all of the traffic it is the VPN's. An app that registers `:8080` needs no
/// address; for other uses [`HealthCheckerServer::my_address`] is the one that the daemon reaches.
///
/// ```
/// use std::net::SocketAddr;
/// use healthchecker::client::iputils::get_my_ip_addr;
///
/// // As a socket address, for the sake of IPv6: `http://[fd77::1]:8080`.
/// let url = format!("http://{}", SocketAddr::new(get_my_ip_addr(), 8080));
/// assert!(url.ends_with(":8080"));
/// ```
///
/// [`HealthCheckerServer::my_address`]: super::HealthCheckerServer::my_address
pub fn get_my_ip_addr() -> IpAddr {
    let routed = ELSEWHERE.into_iter().map(|there| SocketAddr::new(there, DISCARD));
    let mine = routed.into_iter().find_map(address_facing).or_else(any_of_an_interface);
    mine.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// Our own address on the way there; `None`: no route leads there, or it is a link-local one of IPv6, which
/// says nothing to others. To connect a datagram socket only chooses a route: nothing is sent.
///
/// ```
/// use healthchecker::client::iputils::address_facing;
///
/// let there = "127.0.0.1:80".parse().unwrap();
/// assert_eq!(address_facing(there), Some("127.0.0.1".parse().unwrap()));
/// ```
pub fn address_facing(there: SocketAddr) -> Option<IpAddr> {
    let any: IpAddr = match there {
        SocketAddr::V4(_) => Ipv4Addr::UNSPECIFIED.into(),
        SocketAddr::V6(_) => Ipv6Addr::UNSPECIFIED.into(),
    };
    let socket = UdpSocket::bind((any, 0)).ok()?;
    socket.connect(there).ok()?;
    socket.local_addr().ok().map(|at| at.ip()).filter(|ip| !ip.is_unspecified() && is_of_use(*ip))
}

/// Without any such route there may still be a network: IPv4 first, as for the rest of the household.
fn any_of_an_interface() -> Option<IpAddr> {
    let all = if_addrs::get_if_addrs().unwrap_or_default();
    let of_others = all.iter().filter(|one| !one.is_loopback()).map(if_addrs::Interface::ip);
    of_others.filter(|ip| is_of_use(*ip)).min_by_key(IpAddr::is_ipv6)
}

fn is_of_use(ip: IpAddr) -> bool {
    !matches!(ip, IpAddr::V6(v6) if v6.is_unicast_link_local())
}

/// A TCP port that nobody serves on right now.
///
/// ```
/// let port = healthchecker::client::iputils::find_free_port().unwrap();
/// assert!(std::net::TcpListener::bind(("127.0.0.1", port)).is_ok());
/// ```
///
/// # Errors
/// There is none, or no socket to find one with.
pub fn find_free_port() -> io::Result<u16> {
    // Without IPv4 in the kernel there is IPv6.
    let listener = TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))
        .or_else(|_| TcpListener::bind((Ipv6Addr::UNSPECIFIED, 0)))?;
    Ok(listener.local_addr()?.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_free_port_can_be_served_on() {
        let port = find_free_port().unwrap();
        assert!(TcpListener::bind((Ipv4Addr::UNSPECIFIED, port)).is_ok());
    }

    #[test]
    fn the_address_is_one_of_this_machine() {
        let ip = get_my_ip_addr();
        assert!(TcpListener::bind((ip, 0)).is_ok(), "{ip}");
    }

    #[test]
    fn the_address_on_the_way_to_another_is_of_the_same_family() {
        for there in ["127.0.0.1:80", "[::1]:80"] {
            let there: SocketAddr = there.parse().unwrap();
            if TcpListener::bind((there.ip(), 0)).is_ok() {
                assert_eq!(address_facing(there), Some(there.ip()));
            }
        }
    }
}
