//! The sockets of mDNS: one for each outlet, which hears what was sent to the group there and nothing
//! else. Unicast to the port goes to one of all the programs of this machine that share it: that may
//! as well be another.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6, UdpSocket};

use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};

use super::links::Outlet;
use super::wire::PORT;

/// The groups of mDNS (RFC 6762 section 3).
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xFF02, 0, 0, 0, 0, 0, 0, 0xFB);

/// Tells that no router was in between (RFC 6762 section 11).
const HOPS: u32 = 255;

/// What the kernel keeps for us until we read it: some hundred packets. A flood need not have more.
const BUFFER: usize = 128 * 1024;

/// Everybody at this outlet.
pub(super) fn group(outlet: &Outlet) -> SocketAddr {
    match outlet.source {
        IpAddr::V4(_) => SocketAddrV4::new(GROUP_V4, PORT).into(),
        IpAddr::V6(_) => SocketAddrV6::new(GROUP_V6, PORT, 0, outlet.id.link).into(),
    }
}

/// Opens the socket of an outlet.
///
/// # Errors
/// The port is taken by a program that does not share it, or the network takes no multicast.
pub(super) fn open(outlet: &Outlet) -> io::Result<UdpSocket> {
    let link = outlet.id.link;
    let domain = Domain::for_address(group(outlet));
    let socket = Socket::new(domain, Type::DGRAM, Some(Protocol::UDP))?;
    // Avahi and others share the port in the same way.
    socket.set_reuse_address(true)?;
    socket.set_reuse_port(true)?;
    socket.set_nonblocking(true)?;
    match outlet.source {
        IpAddr::V4(source) => {
            socket.set_multicast_if_v4(&source)?;
            socket.set_multicast_ttl_v4(HOPS)?;
        }
        IpAddr::V6(_) => {
            socket.set_only_v6(true)?;
            socket.set_multicast_if_v6(link)?;
            socket.set_multicast_hops_v6(HOPS)?;
        }
    }
    refine(&socket, outlet);
    socket.bind(&group(outlet).into())?;
    match outlet.source {
        IpAddr::V4(_) => {
            socket.join_multicast_v4_n(&GROUP_V4, &InterfaceIndexOrAddress::Index(link))?;
        }
        IpAddr::V6(_) => socket.join_multicast_v6(&GROUP_V6, link)?,
    }
    Ok(socket.into())
}

/// What it does without where the system knows no such option: an emulator, say. IPv4 hears the groups of
/// all links unless told otherwise; IPv6 is bound to its link by the group's address.
fn refine(socket: &Socket, outlet: &Outlet) {
    let (alone, hops) = match outlet.source {
        IpAddr::V4(_) => (socket.set_multicast_all_v4(false), socket.set_ttl_v4(HOPS)),
        IpAddr::V6(_) => (Ok(()), socket.set_unicast_hops_v6(HOPS)),
    };
    for result in [alone, hops, socket.set_recv_buffer_size(BUFFER)] {
        if let Err(why) = result {
            log::debug!("zeroconf: an option of the socket is not known here: {why}");
        }
    }
}
