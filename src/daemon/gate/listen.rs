//! The public listener.

use std::io;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};

use socket2::{Domain, Protocol, Socket, Type};

/// How many connections the system keeps for us between two turns of the loop: a flood must not
/// make it drop those of others.
pub(super) const BACKLOG: i32 = 1024;

/// Listens on `addr` and `port` (0 for any free one). `::` serves both families; where IPv6 is
/// switched off it means `0.0.0.0`, and a warning says so.
///
/// # Errors
/// The port is taken, the address is not ours, the port needs rights that we lack: the kind is
/// that of the system, the sentence says what to do.
pub(crate) fn bind(addr: IpAddr, port: u16) -> io::Result<TcpListener> {
    let wanted = SocketAddr::new(addr, port);
    match listen(wanted) {
        Err(why) if addr.is_unspecified() && addr.is_ipv6() && !is_final(&why) => {
            let instead = SocketAddr::new(Ipv4Addr::UNSPECIFIED.into(), port);
            let listener = listen(instead).map_err(|why| explained(&why))?;
            log::warn!("IPv6 is not available ({why}): serving IPv4 only");
            Ok(listener)
        }
        result => result.map_err(|why| explained(&why)),
    }
}

/// Errors that have nothing to do with the family.
fn is_final(why: &io::Error) -> bool {
    matches!(why.kind(), io::ErrorKind::AddrInUse | io::ErrorKind::PermissionDenied)
}

fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let socket = Socket::new(Domain::for_address(addr), Type::STREAM, Some(Protocol::TCP))?;
    if addr.is_ipv6() {
        socket.set_only_v6(!addr.ip().is_unspecified())?;
    }
    // A restart must not wait for connections of the last run to be forgotten. On Linux this
    // shares the port with no other listener.
    socket.set_reuse_address(true)?;
    socket.set_nonblocking(true)?;
    socket.bind(&addr.into())?;
    socket.listen(BACKLOG)?;
    Ok(socket.into())
}

fn explained(why: &io::Error) -> io::Error {
    let hint = match why.kind() {
        io::ErrorKind::AddrInUse => "; stop the program that has this port, or choose another",
        io::ErrorKind::AddrNotAvailable => "; bind_addr must be an address of this machine",
        io::ErrorKind::PermissionDenied => "; ports below 1024 need special rights",
        _ => "",
    };
    io::Error::new(why.kind(), format!("{why}{hint}"))
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use super::*;

    #[test]
    fn a_taken_port_is_known_as_such() {
        let first = bind(Ipv4Addr::LOCALHOST.into(), 0).unwrap();
        let port = first.local_addr().unwrap().port();
        let why = bind(Ipv4Addr::LOCALHOST.into(), port).unwrap_err();
        assert_eq!(why.kind(), io::ErrorKind::AddrInUse);
        assert!(why.to_string().ends_with("or choose another"), "{why}");
    }

    #[test]
    fn the_unspecified_ipv6_address_serves_ipv4_too() {
        let both = bind("::".parse().unwrap(), 0).unwrap();
        let port = both.local_addr().unwrap().port();
        assert!(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok());
    }

    #[test]
    fn an_address_of_another_machine_is_named() {
        let why = bind("192.0.2.1".parse().unwrap(), 0).unwrap_err();
        assert!(why.to_string().contains("address of this machine"), "{why}");
    }
}
