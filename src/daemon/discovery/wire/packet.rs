//! A message that goes out.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::{AUTHORITATIVE, CLASS_IN, Name, RESPONSE, Section, TOP_BIT, kind};

/// Pointers have 14 bits.
const POINTABLE: usize = 1 << 14;

/// What a record says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Data {
    A(Ipv4Addr),
    Aaaa(Ipv6Addr),
    Ptr(Name),
    Srv {
        port: u16,
        target: Name,
    },
    /// Strings, each with its length before it.
    Txt(Vec<u8>),
    /// Which types `of` has, all of them below 64.
    Nsec {
        of: Name,
        kinds: u64,
    },
}

impl Data {
    /// The type of such a record.
    pub(crate) fn kind(&self) -> u16 {
        match self {
            Data::A(_) => kind::A,
            Data::Aaaa(_) => kind::AAAA,
            Data::Ptr(_) => kind::PTR,
            Data::Srv { .. } => kind::SRV,
            Data::Txt(_) => kind::TXT,
            Data::Nsec { .. } => kind::NSEC,
        }
    }

    /// In bytes, without compression: what two records are compared by (RFC 6762 section 8.2).
    pub(crate) fn bytes(&self) -> Vec<u8> {
        match self {
            Data::A(address) => address.octets().to_vec(),
            Data::Aaaa(address) => address.octets().to_vec(),
            Data::Ptr(name) => name.bytes().to_vec(),
            Data::Srv { port, target } => {
                let [high, low] = port.to_be_bytes();
                [&[0, 0, 0, 0, high, low], target.bytes()].concat()
            }
            Data::Txt(strings) => strings.clone(),
            Data::Nsec { of, kinds } => {
                // Window 0 of RFC 4034 section 4.1.2: the first type is the highest bit, and there are no
                // bytes behind the last type.
                let bits = kinds.reverse_bits();
                let length = 8 - bits.trailing_zeros().min(64) as u8 / 8;
                let mut bytes = [of.bytes(), &[0, length], &bits.to_be_bytes()].concat();
                bytes.truncate(bytes.len() - 8 + usize::from(length));
                bytes
            }
        }
    }
}

/// A message in the making. Compresses the names of records, not those in their data: legacy
/// clients do not expect it in an SRV record (RFC 6762 section 18.14).
pub(crate) struct Packet {
    bytes: Vec<u8>,
    counts: [u16; 4],
    /// Where in `bytes` which name ends begin.
    known: Vec<(Vec<u8>, u16)>,
}

impl Packet {
    pub(crate) fn query() -> Packet {
        Packet::new(0, 0)
    }

    /// An answer; `id` is 0 but for a legacy client, who chose it.
    pub(crate) fn response(id: u16) -> Packet {
        Packet::new(id, RESPONSE | AUTHORITATIVE)
    }

    fn new(id: u16, flags: u16) -> Packet {
        let mut packet = Packet { bytes: Vec::new(), counts: [0; 4], known: Vec::new() };
        for number in [id, flags, 0, 0, 0, 0] {
            packet.u16(number);
        }
        packet
    }

    /// Asks for `name`; questions go before all records.
    pub(crate) fn question(&mut self, name: &Name, kind: u16, unicast: bool) {
        self.name(name);
        self.u16(kind);
        self.u16(if unicast { CLASS_IN | TOP_BIT } else { CLASS_IN });
        self.count(0);
    }

    /// Adds a record; sections come in their order. `flush`: nobody else has such a record.
    pub(crate) fn record(
        &mut self,
        section: Section,
        name: &Name,
        data: &Data,
        ttl: u32,
        flush: bool,
    ) {
        self.name(name);
        self.u16(data.kind());
        self.u16(if flush { CLASS_IN | TOP_BIT } else { CLASS_IN });
        self.bytes.extend(ttl.to_be_bytes());
        let data = data.bytes();
        // Ours are far shorter than 64 KiB.
        self.u16(u16::try_from(data.len()).unwrap_or(u16::MAX));
        self.bytes.extend(data);
        self.count(match section {
            Section::Answers => 1,
            Section::Authorities => 2,
            Section::Additionals => 3,
        });
    }

    /// The whole message.
    pub(crate) fn finish(mut self) -> Vec<u8> {
        let counts = self.counts.iter().flat_map(|count| count.to_be_bytes());
        for (byte, count) in self.bytes.iter_mut().skip(4).zip(counts) {
            *byte = count;
        }
        self.bytes
    }

    fn count(&mut self, section: usize) {
        if let Some(count) = self.counts.get_mut(section) {
            *count = count.saturating_add(1);
        }
    }

    fn u16(&mut self, number: u16) {
        self.bytes.extend(number.to_be_bytes());
    }

    fn name(&mut self, name: &Name) {
        let mut rest = name.bytes();
        while let Some((&length, after)) = rest.split_first().filter(|(length, _)| **length > 0) {
            if let Some((_, at)) = self.known.iter().find(|(end, _)| end == rest) {
                return self.u16(0xC000 | at);
            }
            if let Some(at) =
                u16::try_from(self.bytes.len()).ok().filter(|at| usize::from(*at) < POINTABLE)
            {
                self.known.push((rest.to_vec(), at));
            }
            let (label, after) = after.split_at_checked(usize::from(length)).unwrap_or_default();
            self.bytes.push(length);
            self.bytes.extend_from_slice(label);
            rest = after;
        }
        self.bytes.push(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_written_once() {
        let mut packet = Packet::query();
        let name = Name::dotted("pi.local").unwrap();
        packet.question(&name, kind::A, false);
        packet.question(&name, kind::AAAA, false);
        packet.question(&Name::dotted("nas.local").unwrap(), kind::A, true);
        let expected = b"\0\0\0\0\0\x03\0\0\0\0\0\0\
            \x02pi\x05local\0\0\x01\0\x01\
            \xC0\x0C\0\x1C\0\x01\
            \x03nas\xC0\x0F\0\x01\x80\x01";
        assert_eq!(packet.finish(), expected);
    }

    #[test]
    fn the_types_of_a_name_are_bits_from_the_left() {
        // RFC 6762 section 6.1: the same form as in RFC 4034 section 4.1.2.
        let of = Name::dotted("a").unwrap();
        let bytes = Data::Nsec { of, kinds: 1 << kind::A | 1 << kind::AAAA }.bytes();
        assert_eq!(bytes, b"\x01a\0\0\x04\x40\0\0\x08");
    }
}
