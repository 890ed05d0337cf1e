//! The sockets of mDNS: one for each outlet, which hears what was sent to the group there and nothing
//! else. Unicast to the port goes to one of all the programs of this machine that share it: that may
//! as well be another.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, SocketAddrV4, SocketAddrV6};

use mio::event::Event;
use mio::net::UdpSocket;
use mio::{Interest, Registry, Token};
use socket2::{Domain, InterfaceIndexOrAddress, Protocol, Socket, Type};

use super::links::{Family, Outlet, OutletId};
use super::wire::PORT;

/// The groups of mDNS (RFC 6762 section 3).
const GROUP_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 251);
const GROUP_V6: Ipv6Addr = Ipv6Addr::new(0xFF02, 0, 0, 0, 0, 0, 0, 0xFB);

/// Tells that no router was in between (RFC 6762 section 11).
const HOPS: u32 = 255;

/// What the kernel keeps for us until we read it: some hundred packets. A flood need not have more.
const BUFFER: usize = 128 * 1024;

/// An outlet in use.
pub(super) struct Open {
    pub(super) outlet: Outlet,
    socket: UdpSocket,
    /// There may be packets: the poll tells only once.
    readable: bool,
}

impl Open {
    /// Opens the outlet, for a poll to tell when there are packets.
    ///
    /// # Errors
    /// The port is taken by a program that does not share it, or the network takes no multicast.
    pub(super) fn new(outlet: Outlet, registry: &Registry) -> io::Result<Open> {
        let mut socket = UdpSocket::from_std(open(&outlet)?);
        registry.register(&mut socket, token(outlet.id), Interest::READABLE)?;
        Ok(Open { outlet, socket, readable: true })
    }

    /// The poll has told something.
    pub(super) fn handle_event(&mut self, event: &Event) {
        self.readable |= event.token() == token(self.outlet.id);
    }

    pub(super) fn is_readable(&self) -> bool {
        self.readable
    }

    /// Reads the next packet: its length, and who sent it. `None`: nothing is left.
    pub(super) fn receive(&mut self, buffer: &mut [u8]) -> Option<(usize, SocketAddr)> {
        while self.readable {
            match self.socket.recv_from(buffer) {
                Ok(received) => return Some(received),
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                // Nothing is left, or the network has gone: the next look will tell.
                Err(_) => self.readable = false,
            }
        }
        None
    }

    /// Sends a packet to one, or to everybody at this outlet.
    ///
    /// # Errors
    /// The network refuses, or the kernel has no room for it now.
    pub(super) fn send(&self, to: Option<SocketAddr>, packet: &[u8]) -> io::Result<()> {
        let to = to.unwrap_or_else(|| group(&self.outlet));
        self.socket.send_to(packet, to).map(drop)
    }
}

/// Opens those of `outlets` that are not open yet; why one of them cannot be used, for people.
pub(super) fn open_all(
    open: &mut Vec<Open>,
    outlets: Vec<Outlet>,
    registry: &Registry,
) -> Option<String> {
    let mut refused = None;
    for outlet in outlets {
        if open.iter().any(|open| open.outlet == outlet) {
            continue;
        }
        let id = outlet.id;
        match Open::new(outlet, registry) {
            Ok(one) => open.push(one),
            Err(why) => {
                let why = plain(&why);
                log::debug!("zeroconf: no multicast on {id:?}: {why}");
                refused = Some(why);
            }
        }
    }
    refused
}

/// What is wrong with an outlet, for people.
pub(super) fn plain(why: &io::Error) -> String {
    match why.kind() {
        io::ErrorKind::AddrInUse => {
            "another program has UDP port 5353 and does not share it".to_owned()
        }
        _ => format!("no network interface takes multicast on UDP port 5353 ({why})"),
    }
}

fn token(id: OutletId) -> Token {
    let family = match id.family {
        Family::V4 => 1,
        Family::V6 => 2,
    };
    // Links count from 1: none of these is the waker's.
    Token(usize::try_from(id.link).unwrap_or_default() * 2 + family)
}

/// Everybody at this outlet.
fn group(outlet: &Outlet) -> SocketAddr {
    match outlet.source {
        IpAddr::V4(_) => SocketAddrV4::new(GROUP_V4, PORT).into(),
        IpAddr::V6(_) => SocketAddrV6::new(GROUP_V6, PORT, 0, outlet.id.link).into(),
    }
}

fn open(outlet: &Outlet) -> io::Result<std::net::UdpSocket> {
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
