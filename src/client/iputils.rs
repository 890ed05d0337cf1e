//! What an app needs to know about its own machine.

use std::io;
use std::net::{IpAddr, Ipv4Addr, TcpListener, UdpSocket};

/// Where the default route leads (192.0.2.0/24 is for documentation, RFC 5737), and where Zeroconf
/// does, for a network without a router.
const ELSEWHERE: [Ipv4Addr; 2] = [Ipv4Addr::new(192, 0, 2, 1), Ipv4Addr::new(224, 0, 0, 251)];

/// The address under which the household reaches this machine: that of the interface with the
/// default route, else of the one for multicast, else 127.0.0.1. Nothing is sent.
pub fn get_my_ip_addr() -> IpAddr {
    let facing = ELSEWHERE.into_iter().find_map(|there| facing(there).ok());
    facing.unwrap_or(IpAddr::V4(Ipv4Addr::LOCALHOST))
}

/// Our own address on the way there. To connect a datagram socket only chooses a route.
fn facing(there: Ipv4Addr) -> io::Result<IpAddr> {
    let socket = UdpSocket::bind((Ipv4Addr::UNSPECIFIED, 0))?;
    socket.connect((there, 9))?;
    let ip = socket.local_addr()?.ip();
    if ip.is_unspecified() { Err(io::ErrorKind::AddrNotAvailable.into()) } else { Ok(ip) }
}

/// A TCP port that nobody serves on right now.
///
/// # Errors
/// There is none, or no socket to find one with.
pub fn find_free_port() -> io::Result<u16> {
    Ok(TcpListener::bind((Ipv4Addr::UNSPECIFIED, 0))?.local_addr()?.port())
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
}
