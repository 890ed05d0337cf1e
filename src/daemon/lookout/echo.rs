//! An ICMP echo, where the system lets anybody ask for one (`net.ipv4.ping_group_range`, icmp(7)).

use std::io;
use std::net::{SocketAddr, UdpSocket};

use socket2::{Domain, Protocol, Socket, Type};

/// The kernel fills in the rest: the identifier, the checksum.
const REQUEST_V4: [u8; 8] = [8, 0, 0, 0, 0, 0, 0, 1];
/// As for IPv4.
const REQUEST_V6: [u8; 8] = [128, 0, 0, 0, 0, 0, 0, 1];

/// Asks for an echo. Whatever can be read from the socket is the answer, for nothing else reaches it.
///
/// # Errors
/// We may not ask, have no descriptor for it, or there is no way.
pub(super) fn ask(address: SocketAddr) -> io::Result<UdpSocket> {
    let (protocol, request) = match address {
        SocketAddr::V4(_) => (Protocol::ICMPV4, &REQUEST_V4),
        SocketAddr::V6(_) => (Protocol::ICMPV6, &REQUEST_V6),
    };
    let socket = Socket::new(Domain::for_address(address), Type::DGRAM, Some(protocol))?;
    socket.set_nonblocking(true)?;
    socket.connect(&address.into())?;
    socket.send(request)?;
    Ok(socket.into())
}
