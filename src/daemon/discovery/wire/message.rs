//! A message that came in.

use std::net::SocketAddr;

use super::{
    CLASS_ANY, CLASS_IN, NOT_MDNS, Name, NameAt, PORT, RESPONSE, TOP_BIT, TRUNCATED, kind,
};

/// How many records of each section are looked at. Programs of good will send far fewer questions, and as
/// many known answers as fit into 1,500 bytes; what comes after these costs nothing but the reading over.
pub const RECORDS_MAX: usize = 128;

/// Bytes before the first question.
const HEADER: usize = 12;

/// The parts of a message that have records in them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Section {
    /// In a response: what it says. In a question: what the one who asks knows already.
    Answers,
    /// In a question: what the one who asks means to announce (RFC 6762 section 8.2).
    Authorities,
    /// What may be of use besides.
    Additionals,
}

/// A message, as far as it is looked at.
#[derive(Debug)]
pub struct Message<'a> {
    /// Chosen by who asks, if it matters to him.
    pub id: u16,
    /// A response, else a question.
    pub is_response: bool,
    /// More known answers follow in the next packet.
    pub is_truncated: bool,
    /// What is asked.
    pub questions: Vec<Question<'a>>,
    records: Vec<(Section, Record<'a>)>,
}

/// A question.
#[derive(Clone, Copy, Debug)]
pub struct Question<'a> {
    /// Of what.
    pub name: NameAt<'a>,
    /// Of which type: see [`kind`].
    pub kind: u16,
    /// As it came.
    pub class: u16,
    /// Whether a unicast answer will do.
    pub unicast: bool,
}

/// A record.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Of what.
    pub name: NameAt<'a>,
    /// Of which type: see [`kind`].
    pub kind: u16,
    class: u16,
    /// Seconds until it is forgotten; 0: now.
    pub ttl: u32,
    packet: &'a [u8],
    /// Where its data begins, and what follows it.
    data: (usize, usize),
}

impl<'a> Message<'a> {
    /// Reads a packet over. `None` when it is none of mDNS, or damaged.
    pub fn read(packet: &'a [u8]) -> Option<Message<'a>> {
        let mut reader = Reader { packet, at: 0 };
        let id = reader.u16()?;
        let flags = reader.u16()?;
        let counts = [reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?];
        debug_assert_eq!(reader.at, HEADER);
        if flags & NOT_MDNS != 0 {
            return None;
        }
        let [asked, counts @ ..] = counts;
        let mut questions = Vec::new();
        for _ in 0..asked {
            let question = reader.question()?;
            if questions.len() < RECORDS_MAX {
                questions.push(question);
            }
        }
        let sections = [Section::Answers, Section::Authorities, Section::Additionals];
        let mut records = Vec::new();
        for (section, count) in sections.into_iter().zip(counts) {
            let most = records.len() + RECORDS_MAX;
            for _ in 0..count {
                let record = reader.record()?;
                if records.len() < most {
                    records.push((section, record));
                }
            }
        }
        Some(Message {
            id,
            is_response: flags & RESPONSE != 0,
            is_truncated: flags & TRUNCATED != 0,
            questions,
            records,
        })
    }

    /// Whether it is a response, and one that counts: from the port of mDNS, which not every program
    /// may have (RFC 6762 section 6).
    pub fn is_response_from(&self, from: SocketAddr) -> bool {
        self.is_response && from.port() == PORT
    }

    /// The records of a section, of the class of the Internet.
    pub fn section(&self, wanted: Section) -> impl Iterator<Item = &Record<'a>> {
        self.records().filter(move |(section, _)| *section == wanted).map(|(_, record)| record)
    }

    /// The records of a response, wherever they stand.
    pub fn said(&self) -> impl Iterator<Item = &Record<'a>> {
        self.records().map(|(_, record)| record)
    }

    fn records(&self) -> impl Iterator<Item = &(Section, Record<'a>)> {
        self.records.iter().filter(|(_, record)| record.class & !TOP_BIT == CLASS_IN)
    }
}

impl Question<'_> {
    /// Whether `of` is asked for, whatever the type.
    pub fn asks_for(&self, of: &Name) -> bool {
        matches!(self.class, CLASS_IN | CLASS_ANY) && self.name.is(of)
    }
}

impl Record<'_> {
    /// Its data without compression, names in small letters; `None` when it cannot be read.
    pub fn data(&self) -> Option<Vec<u8>> {
        let (start, end) = self.data;
        let Some(named) = self.named() else {
            return self.packet.get(start..end).map(<[u8]>::to_vec);
        };
        let mut data = self.packet.get(start..named)?.to_vec();
        data.extend_from_slice(self.target()?.bytes());
        Some(data)
    }

    /// The name that its data ends with; `None` when there is none, or it cannot be read.
    pub(in super::super) fn target(&self) -> Option<Name> {
        let (_, end) = self.data;
        let (name, after) = NameAt::read(self.packet.get(..end)?, self.named()?)?;
        if after == end { name.to_name() } else { None }
    }

    /// The first label of that name as it was written, capitals and all: what people call a service.
    pub(in super::super) fn first_label(&self) -> Option<String> {
        let (_, end) = self.data;
        let (name, _) = NameAt::read(self.packet.get(..end)?, self.named()?)?;
        name.first_label().map(|label| String::from_utf8_lossy(label).into_owned())
    }

    /// Where in the packet that name begins.
    fn named(&self) -> Option<usize> {
        let (start, _) = self.data;
        match self.kind {
            kind::PTR => Some(start),
            // Priority, weight and port go before the host.
            kind::SRV => Some(start + 6),
            _ => None,
        }
    }
}

/// A place in a packet.
struct Reader<'a> {
    packet: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    fn take<const N: usize>(&mut self) -> Option<[u8; N]> {
        let bytes = self.packet.get(self.at..self.at + N)?.try_into().ok()?;
        self.at += N;
        Some(bytes)
    }

    fn u16(&mut self) -> Option<u16> {
        self.take().map(u16::from_be_bytes)
    }

    fn name(&mut self) -> Option<NameAt<'a>> {
        let (name, after) = NameAt::read(self.packet, self.at)?;
        self.at = after;
        Some(name)
    }

    fn question(&mut self) -> Option<Question<'a>> {
        let (name, kind, class) = (self.name()?, self.u16()?, self.u16()?);
        Some(Question { name, kind, class: class & !TOP_BIT, unicast: class & TOP_BIT != 0 })
    }

    fn record(&mut self) -> Option<Record<'a>> {
        let (name, kind, class) = (self.name()?, self.u16()?, self.u16()?);
        let ttl = self.take().map(u32::from_be_bytes)?;
        let length = usize::from(self.u16()?);
        let data = (self.at, self.at + length);
        self.packet.get(data.0..data.1)?;
        self.at = data.1;
        Some(Record { name, kind, class, ttl, packet: self.packet, data })
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Data, Packet};
    use super::*;
    use proptest::prelude::*;

    fn name(text: &str) -> Name {
        Name::dotted(text).unwrap()
    }

    #[test]
    fn what_we_write_is_read_again() {
        let (service, host) = (name("a._http._tcp.local"), name("pi.local"));
        let data = [
            Data::Ptr(service.clone()),
            Data::Srv { port: 80, target: host.clone() },
            Data::Txt(b"\x03a=b".to_vec()),
            Data::A([10, 0, 0, 1].into()),
            Data::Aaaa("fd77::1".parse().unwrap()),
        ];
        let mut packet = Packet::response(7);
        packet.question(&service, kind::ANY, true);
        for data in &data {
            packet.record(Section::Answers, &service, data, 120, true);
        }
        packet.record(Section::Additionals, &host, &data[3], 10, false);
        let bytes = packet.finish();
        let message = Message::read(&bytes).unwrap();
        assert!(message.is_response && message.id == 7 && !message.is_truncated);
        assert!(message.questions[0].asks_for(&service) && message.questions[0].unicast);
        let answers: Vec<_> = message.section(Section::Answers).collect();
        assert_eq!(answers.len(), data.len());
        for (record, data) in answers.iter().zip(&data) {
            assert!(record.name.is(&service));
            assert_eq!((record.kind, record.ttl), (data.kind(), 120));
            assert_eq!(record.data(), Some(data.bytes()));
        }
        assert_eq!(message.section(Section::Additionals).count(), 1);
        assert_eq!(message.said().count(), data.len() + 1);
    }

    #[test]
    fn of_very_many_records_the_first_are_looked_at() {
        let mut packet = Packet::query();
        let service = name("_http._tcp.local");
        for _ in 0..1000 {
            packet.question(&service, kind::PTR, false);
        }
        for _ in 0..1000 {
            packet.record(Section::Answers, &service, &Data::A([1, 2, 3, 4].into()), 9, false);
        }
        let bytes = packet.finish();
        let message = Message::read(&bytes).unwrap();
        assert_eq!(message.questions.len(), RECORDS_MAX);
        assert_eq!(message.section(Section::Answers).count(), RECORDS_MAX);
    }

    #[test]
    fn what_is_no_mdns_is_left_alone() {
        let mut packet = Packet::query();
        packet.question(&name("a.local"), kind::A, false);
        let whole = packet.finish();
        for cut in 0..whole.len() {
            assert!(Message::read(&whole[..cut]).is_none(), "{cut}");
        }
        for flags in [0x08_u8, 0x78] {
            let mut other = whole.clone();
            other[2] |= flags;
            assert!(Message::read(&other).is_none(), "an operation that is no query");
        }
        let mut failed = whole;
        failed[3] |= 3;
        assert!(Message::read(&failed).is_none(), "a failure");
    }

    proptest! {
        #[test]
        fn any_bytes_can_be_read_over(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            if let Some(message) = Message::read(&bytes) {
                for record in message.said() {
                    let _ = (record.data(), record.name.to_name());
                }
            }
        }
    }
}
