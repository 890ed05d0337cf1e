//! Which machines of our own networks have answered at the link lately, as the kernel has seen it
//! (rtnetlink(7)).

use std::io::{self, Read};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use socket2::{Domain, Protocol, Socket, Type};

/// Messages (`linux/rtnetlink.h`, `linux/netlink.h`).
const NEIGHBOUR: u16 = 28;
const GET_NEIGHBOURS: u16 = 30;
const ERROR: u16 = 2;
const DONE: u16 = 3;
/// A request for all.
const DUMP: u16 = 0x301;

/// Attributes (`linux/neighbour.h`).
const ADDRESS: u16 = 1;
const TIMES: u16 = 3;

/// Nobody has answered: the question is out, or was given up.
const SILENT: u16 = 0x01 | 0x20;

/// Times are told in hundredths of a second on every machine that we run on (`USER_HZ`).
const TICK: Duration = Duration::from_millis(10);

/// The head of a message, and what is fixed of one about a neighbour.
const HEAD: usize = 16;
const FIXED: usize = 12;

/// What is read at once; a message of the kernel is never larger (netlink(7), `NLMSG_GOODSIZE`).
const BUFFER: usize = 32 * 1024;
/// Reads until the kernel has told everything: 4 MiB, more than it keeps of neighbours.
const READS_MAX: usize = 128;
/// The kernel answers within the call.
const PATIENCE: Duration = Duration::from_millis(200);

/// A machine on one of our networks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Neighbour {
    address: IpAddr,
    link: u32,
    /// It was asked at the link, and has not answered.
    pub(super) is_silent: bool,
    /// How long ago it answered last: itself, or what went through it.
    pub(super) answered: Option<Duration>,
}

impl Neighbour {
    /// Whether it is this one. (IPv4 addresses are not tied to a network: one of several is as good.)
    pub(super) fn is(&self, address: SocketAddr) -> bool {
        let on_its_link = match address {
            SocketAddr::V6(v6) if v6.scope_id() != 0 => v6.scope_id() == self.link,
            _ => true,
        };
        on_its_link && address.ip() == self.address
    }
}

/// All that the kernel knows of.
///
/// # Errors
/// It does not tell: we may not ask, or have no descriptor for that.
pub(super) fn neighbours() -> io::Result<Vec<Neighbour>> {
    let (domain, route) = (Domain::from(libc::AF_NETLINK), Protocol::from(libc::NETLINK_ROUTE));
    let mut socket = Socket::new(domain, Type::RAW, Some(route))?;
    socket.set_read_timeout(Some(PATIENCE))?;
    socket.send(&request())?;
    let (mut buffer, mut found) = (vec![0; BUFFER], Vec::new());
    for _ in 0..READS_MAX {
        let length = socket.read(&mut buffer)?;
        if gather(buffer.get(..length).unwrap_or_default(), &mut found) {
            break;
        }
    }
    Ok(found)
}

/// Of all families and interfaces.
fn request() -> Vec<u8> {
    let mut request = Vec::with_capacity(HEAD + FIXED);
    request.extend(u32::try_from(HEAD + FIXED).unwrap_or_default().to_ne_bytes());
    request.extend(GET_NEIGHBOURS.to_ne_bytes());
    request.extend(DUMP.to_ne_bytes());
    request.resize(HEAD + FIXED, 0);
    request
}

/// Takes in the messages of one read; whether that was all.
fn gather(mut bytes: &[u8], found: &mut Vec<Neighbour>) -> bool {
    while let Some((message, rest)) = split(bytes, number_32) {
        match number_16(message.get(4..).unwrap_or_default()) {
            Some(DONE | ERROR) => return true,
            Some(NEIGHBOUR) => found.extend(message.get(HEAD..).and_then(neighbour)),
            _ => {}
        }
        bytes = rest;
    }
    false
}

fn neighbour(body: &[u8]) -> Option<Neighbour> {
    let link = number_32(body.get(4..)?)?;
    let state = number_16(body.get(8..)?)?;
    let (mut address, mut answered) = (None, None);
    let mut attributes = body.get(FIXED..)?;
    while let Some((attribute, rest)) = split(attributes, |head| number_16(head).map(u32::from)) {
        let value = attribute.get(4..)?;
        match number_16(attribute.get(2..)?)? {
            ADDRESS => address = ip(value),
            TIMES => answered = number_32(value).map(|ticks| TICK * ticks),
            _ => {}
        }
        attributes = rest;
    }
    let is_silent = state & SILENT != 0;
    let answered = answered.filter(|_| !is_silent);
    Some(Neighbour { address: address?, link, is_silent, answered })
}

fn ip(value: &[u8]) -> Option<IpAddr> {
    match value.len() {
        4 => value.first_chunk::<4>().map(|octets| IpAddr::from(*octets)),
        16 => value.first_chunk::<16>().map(|octets| IpAddr::from(*octets)),
        _ => None,
    }
}

/// The first piece, which begins with its `length`, and all that comes behind it: the next begins at a
/// multiple of four.
fn split(bytes: &[u8], length: impl Fn(&[u8]) -> Option<u32>) -> Option<(&[u8], &[u8])> {
    let length = usize::try_from(length(bytes)?).ok()?;
    let piece = bytes.get(..length).filter(|piece| piece.len() >= 4)?;
    Some((piece, bytes.get(length.next_multiple_of(4)..).unwrap_or_default()))
}

fn number_32(bytes: &[u8]) -> Option<u32> {
    bytes.first_chunk::<4>().map(|bytes| u32::from_ne_bytes(*bytes))
}

fn number_16(bytes: &[u8]) -> Option<u16> {
    bytes.first_chunk::<2>().map(|bytes| u16::from_ne_bytes(*bytes))
}

#[cfg(test)]
mod tests {
    use super::*;

    const REACHABLE: u16 = 0x02;
    const STALE: u16 = 0x04;
    const FAILED: u16 = 0x20;

    fn attribute(kind: u16, value: &[u8]) -> Vec<u8> {
        let length = u16::try_from(4 + value.len()).unwrap();
        let mut bytes = [length.to_ne_bytes(), kind.to_ne_bytes()].concat();
        bytes.extend(value);
        bytes.resize(bytes.len().next_multiple_of(4), 0);
        bytes
    }

    fn message(kind: u16, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(HEAD + body.len()).unwrap();
        let mut bytes = length.to_ne_bytes().to_vec();
        bytes.extend(kind.to_ne_bytes());
        bytes.resize(HEAD, 0);
        bytes.extend(body);
        bytes
    }

    /// As the kernel tells of one that answered at the link `ticks` ago.
    fn told(link: u32, state: u16, address: &[u8], ticks: u32) -> Vec<u8> {
        let mut body = vec![0; 4];
        body.extend(link.to_ne_bytes());
        body.extend(state.to_ne_bytes());
        body.resize(FIXED, 0);
        body.extend(attribute(ADDRESS, address));
        // The address at the link, and the number of questions.
        body.extend(attribute(2, &[2, 0, 0, 0, 0, 1]));
        body.extend(attribute(4, &[0; 4]));
        let times = [ticks, 1, 2, 3].map(u32::to_ne_bytes).concat();
        body.extend(attribute(TIMES, &times));
        message(NEIGHBOUR, &body)
    }

    fn gathered(bytes: &[u8]) -> (Vec<Neighbour>, bool) {
        let mut found = Vec::new();
        let is_all = gather(bytes, &mut found);
        (found, is_all)
    }

    #[test]
    fn neighbours_are_read_with_the_time_of_their_last_answer() {
        let link_local = "fe80::1".parse::<std::net::Ipv6Addr>().unwrap().octets();
        let bytes = [
            told(2, REACHABLE, &[192, 168, 1, 1], 150),
            told(3, STALE, &link_local, 6_000),
            told(2, FAILED, &[192, 168, 1, 9], 10),
            // Nobody's address.
            told(2, REACHABLE, &[1, 2, 3], 0),
            message(DONE, &[0; 4]),
        ];
        let (found, is_all) = gathered(&bytes.concat());
        assert!(is_all && !gathered(&bytes[..4].concat()).1);
        let answered: Vec<_> = found.iter().map(|it| (it.is_silent, it.answered)).collect();
        let seconds = |ms| Some(Duration::from_millis(ms));
        assert_eq!(answered, [(false, seconds(1_500)), (false, seconds(60_000)), (true, None)]);
        assert!(found[0].is("192.168.1.1:80".parse().unwrap()));
        assert!(!found[0].is("192.168.1.2:80".parse().unwrap()));
        assert!(found[1].is("[fe80::1%3]:53".parse().unwrap()));
        assert!(!found[1].is("[fe80::1%2]:53".parse().unwrap()), "on another network");
    }

    #[test]
    fn what_is_cut_off_anywhere_is_read_as_far_as_it_goes() {
        let whole = told(2, REACHABLE, &[192, 168, 1, 1], 150);
        for length in 0..whole.len() {
            assert_eq!(gathered(&whole[..length]), (Vec::new(), false), "{length}");
        }
        for wrong in [[0; 40], [1; 40], [3, 0, 0, 0].repeat(10).try_into().unwrap(), [0xFF; 40]] {
            assert_eq!(gathered(&wrong).0, []);
        }
        assert!(gathered(&message(ERROR, &[0; 20])).1, "we may not ask");
    }
}
