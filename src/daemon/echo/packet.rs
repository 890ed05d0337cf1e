//! The packets of an echo (RFC 792, RFC 4443 section 4): pure, since anybody on the network sends them.
//!
//! A raw socket is given the ICMP of the whole machine, and one of the other kind whatever names its number,
//! from whichever host. So a request carries what nobody guesses, and only what brings that back is its answer.

use std::net::IpAddr;

/// What all of them begin with: type, code, checksum, identifier, sequence.
const HEAD: usize = 8;
/// 56 bytes follow, as of everybody's ping: what a device has always answered.
pub const PACKET: usize = HEAD + 56;
/// Types of a request and of its answer.
const OF_V4: (u8, u8) = (8, 0);
const OF_V6: (u8, u8) = (128, 129);

/// Which ICMP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Family {
    /// Of IPv4.
    V4,
    /// Of IPv6.
    V6,
}

impl Family {
    /// Of an address.
    pub fn of(address: IpAddr) -> Family {
        if address.is_ipv4() { Family::V4 } else { Family::V6 }
    }
}

/// What one host is asked, as often as it takes.
#[derive(Debug)]
pub struct Request {
    /// Nobody else's.
    token: [u8; 8],
    sequence: u16,
}

impl Request {
    /// One that is known by `token`, which nobody must guess.
    pub fn new(token: u64) -> Request {
        Request { token: token.to_be_bytes(), sequence: 0 }
    }

    /// The next packet. The kernel sees to the rest: the identifier, unless the socket is a raw one, and the
    /// checksum of IPv6.
    pub fn packet(&mut self, family: Family) -> [u8; PACKET] {
        self.sequence = self.sequence.wrapping_add(1);
        let (request, _) = match family {
            Family::V4 => OF_V4,
            Family::V6 => OF_V6,
        };
        let [first, second, ..] = self.token;
        let mut packet = [0; PACKET];
        let head = [request, 0, 0, 0, first, second];
        let known = head.into_iter().chain(self.sequence.to_be_bytes()).chain(self.token);
        packet.iter_mut().zip(known).for_each(|(place, byte)| *place = byte);
        let [high, low] = checksum(&packet).to_be_bytes();
        packet[2] = high;
        packet[3] = low;
        packet
    }

    /// Whether these bytes, as the kernel hands them out, are an answer to it.
    pub fn is_answered_by(&self, bytes: &[u8], family: Family, is_raw: bool) -> bool {
        let (packet, answer) = match family {
            Family::V4 if is_raw => (behind_ip(bytes), OF_V4.1),
            Family::V4 => (Some(bytes), OF_V4.1),
            Family::V6 => (Some(bytes), OF_V6.1),
        };
        let Some(packet) = packet else { return false };
        packet.starts_with(&[answer, 0])
            && packet.get(HEAD..).is_some_and(|data| data.starts_with(&self.token))
    }
}

/// What is in a packet of IPv4 (RFC 791, section 3.1).
fn behind_ip(bytes: &[u8]) -> Option<&[u8]> {
    let words = usize::from(bytes.first()? & 0x0F);
    bytes.get(words * 4..)
}

/// RFC 1071.
fn checksum(bytes: &[u8]) -> u16 {
    let words = bytes.chunks(2).map(|pair| match *pair {
        [high, low] => u32::from(u16::from_be_bytes([high, low])),
        [high] => u32::from(high) << 8,
        _ => 0,
    });
    let sum: u32 = words.sum();
    let folded = (sum & 0xFFFF) + (sum >> 16);
    !(((folded & 0xFFFF) + (folded >> 16)) as u16)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: u64 = 0x0102_0304_0506_0708;

    /// The same packet, as it is sent back.
    fn answer(request: &mut Request, family: Family) -> Vec<u8> {
        let mut packet = request.packet(family).to_vec();
        packet[0] = if family == Family::V4 { 0 } else { 129 };
        packet
    }

    #[test]
    fn a_request_is_as_the_book_has_it() {
        let mut request = Request::new(TOKEN);
        let packet = request.packet(Family::V4);
        assert_eq!(packet.len(), 64);
        assert_eq!(packet[..2], [8, 0]);
        assert_eq!(packet[4..16], [1, 2, 0, 1, 1, 2, 3, 4, 5, 6, 7, 8]);
        assert_eq!(checksum(&packet), 0, "with its checksum the sum is whole");
        assert_eq!(
            request.packet(Family::V6)[..8],
            [128, 0, packet[2] - 0x78, packet[3] - 1, 1, 2, 0, 2]
        );
        // RFC 1071, section 3.
        assert_eq!(checksum(&[0x00, 0x01, 0xf2, 0x03, 0xf4, 0xf5, 0xf6, 0xf7]), !0xddf2);
        assert_eq!(checksum(&[0xff]), 0x00ff);
    }

    #[test]
    fn only_what_brings_the_token_back_is_the_answer() {
        let (mut ours, mut others) = (Request::new(TOKEN), Request::new(TOKEN + 1));
        for family in [Family::V4, Family::V6] {
            let (right, wrong) = (answer(&mut ours, family), answer(&mut others, family));
            assert!(ours.is_answered_by(&right, family, false));
            assert!(!ours.is_answered_by(&wrong, family, false), "to another check");
            let asked = ours.packet(family);
            assert!(!ours.is_answered_by(&asked, family, false), "the request itself");
            assert!(!ours.is_answered_by(&right[..15], family, false), "cut off");
            assert!(
                ours.is_answered_by(&right[..16], family, false),
                "what is behind it says nothing"
            );
        }
        let v4 = answer(&mut ours, Family::V4);
        assert!(!ours.is_answered_by(&v4, Family::V6, false), "0 is no answer of IPv6");
    }

    #[test]
    fn a_raw_socket_has_the_head_of_ip_before_it() {
        let mut request = Request::new(TOKEN);
        let packet = answer(&mut request, Family::V4);
        for words in [5_u8, 6, 15] {
            let mut whole = vec![0x40 | words];
            whole.resize(usize::from(words) * 4, 0);
            whole.extend(&packet);
            assert!(request.is_answered_by(&whole, Family::V4, true));
            assert!(!request.is_answered_by(&whole[1..], Family::V4, true));
        }
        assert!(!request.is_answered_by(&[], Family::V4, true));
        assert!(!request.is_answered_by(&[0x4F, 1, 2], Family::V4, true));
    }
}
