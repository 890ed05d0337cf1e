//! An ICMP echo, by a socket that anybody may have where the system lets us (`net.ipv4.ping_group_range`, icmp(7)),
//! else by one for which it takes a privilege (raw(7)).
//!
//! Neither kind of socket keeps the answers to others away: see [`packet`].

pub mod packet;

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::os::fd::AsRawFd;

use mio::net::UdpSocket;
use socket2::{Domain, Protocol, Socket, Type};

use self::packet::{Family, PACKET, Request};

/// What to do where we may not ask.
pub const NOT_ALLOWED: &str = "this machine does not let the health checker ping: allow it by \
    `sysctl net.ipv4.ping_group_range=\"0 2147483647\"`, as the package does at each start (sysctl.d/50-healthchecker.conf), \
    or give the service CAP_NET_RAW";

/// Room for an answer; of longer ones, which are to others, the rest is cut off.
const ROOM: usize = 256;
/// Packets that are read at once: who floods us keeps nobody from the time.
const READS_MAX: usize = 64;

/// Somebody who is asked for an echo.
#[derive(Debug)]
pub struct Echo {
    socket: UdpSocket,
    request: Request,
    family: Family,
    is_raw: bool,
}

impl Echo {
    /// Makes ready to ask; the kernel tells of a way that ends before the host.
    ///
    /// # Errors
    /// There is no way, or no descriptor; `None`: we may not ask.
    pub fn new(address: SocketAddr) -> Result<Echo, Option<io::Error>> {
        let family = Family::of(address.ip());
        let (socket, is_raw) = open(family)?;
        let made = || {
            be_told_of_the_way(&socket, family)?;
            socket.set_nonblocking(true)?;
            socket.connect(&address.into())
        };
        made().map_err(Some)?;
        let request = Request::new(RandomState::new().build_hasher().finish());
        Ok(Echo { socket: UdpSocket::from_std(socket.into()), request, family, is_raw })
    }

    /// Asks, or asks again: packets get lost.
    ///
    /// # Errors
    /// There is no way.
    pub fn ask(&mut self) -> io::Result<()> {
        let packet: [u8; PACKET] = self.request.packet(self.family);
        let mut sent = self.socket.send(&packet);
        if sent.as_ref().is_err_and(is_passed_on) {
            // Of the one before, which the kernel tells first: this one did not go out.
            sent = self.socket.send(&packet);
        }
        match sent {
            // No room for it now: it is lost.
            Err(why) if why.kind() != ErrorKind::WouldBlock && !is_passed_on(&why) => Err(why),
            _ => Ok(()),
        }
    }

    /// Whether an answer has come.
    ///
    /// # Errors
    /// Somebody on the way says that it ends there.
    pub fn is_answered(&self) -> io::Result<bool> {
        let mut buffer = [0; ROOM];
        for _ in 0..READS_MAX {
            match self.socket.recv(&mut buffer) {
                Ok(length) => {
                    let packet = buffer.get(..length).unwrap_or_default();
                    if self.request.is_answered_by(packet, self.family, self.is_raw) {
                        return Ok(true);
                    }
                }
                Err(why) if why.kind() == ErrorKind::WouldBlock => return Ok(false),
                Err(why) if why.kind() == ErrorKind::Interrupted || is_passed_on(&why) => {}
                Err(why) => return Err(why),
            }
        }
        Ok(false)
    }

    /// Readable when something has come.
    pub fn source(&mut self) -> &mut UdpSocket {
        &mut self.socket
    }
}

/// Has the kernel pass on what it hears of the way (ip(7), ipv6(7)): that no host is there would be but silence.
#[allow(
    unsafe_code,
    reason = "neither std nor socket2 sets this option; the kernel reads one number of ours"
)]
fn be_told_of_the_way(socket: &Socket, family: Family) -> io::Result<()> {
    let (level, option) = match family {
        Family::V4 => (libc::IPPROTO_IP, libc::IP_RECVERR),
        Family::V6 => (libc::IPPROTO_IPV6, libc::IPV6_RECVERR),
    };
    let on: libc::c_int = 1;
    // SAFETY: the descriptor is that of a socket that lives; the pointer is to a number that does, and its size is
    // given with it. The call writes nothing of ours.
    let failed = unsafe {
        let size = size_of::<libc::c_int>() as libc::socklen_t;
        libc::setsockopt(socket.as_raw_fd(), level, option, (&raw const on).cast(), size)
    };
    if failed == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
}

/// Whether what the kernel has heard is no end of the way: a router that knows a shorter one says so (a redirect, RFC 792),
/// and passes the packet on.
fn is_passed_on(why: &io::Error) -> bool {
    why.raw_os_error() == Some(libc::EREMOTEIO)
}

/// Whether we may ask; where that cannot be found out now, it will be seen.
pub fn is_allowed() -> bool {
    [Family::V4, Family::V6].into_iter().any(|family| !matches!(open(family), Err(None)))
}

/// That so many apps are to be pinged, and we may not, in a sentence.
pub fn trouble(apps: usize) -> Option<String> {
    let whose = if apps == 1 { "1 app is" } else { &format!("{apps} apps are") };
    (apps > 0 && !is_allowed()).then(|| format!("{whose} not checked: {NOT_ALLOWED}"))
}

/// A socket, and whether it is a raw one. `None`: it takes leave that we do not have.
fn open(family: Family) -> Result<(Socket, bool), Option<io::Error>> {
    let (domain, protocol) = match family {
        Family::V4 => (Domain::IPV4, Protocol::ICMPV4),
        Family::V6 => (Domain::IPV6, Protocol::ICMPV6),
    };
    for (kind, is_raw) in [(Type::DGRAM, false), (Type::RAW, true)] {
        match Socket::new(domain, kind, Some(protocol)) {
            Ok(socket) => return Ok((socket, is_raw)),
            Err(why) if why.kind() == ErrorKind::PermissionDenied => {}
            Err(why) => return Err(Some(why)),
        }
    }
    Err(None)
}
