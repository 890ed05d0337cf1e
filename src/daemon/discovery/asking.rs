//! The questions for `.local` names that are out. Nothing is kept that was not asked for, and that only
//! until the one who asked has it.

use std::net::{IpAddr, SocketAddr, SocketAddrV4, SocketAddrV6};
use std::time::Duration;

use super::wire::{Message, Name, Packet, Record, kind};
use crate::engine::time::Moment;

/// Between the first question and the second; then twice as long each time (RFC 6762 section 5.2).
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Questions that are out at once: more than there are checks at work.
const ASKED_MAX: usize = 1024;

/// Addresses that are taken from one answer.
const ADDRESSES_MAX: usize = 16;

/// Answers to one question that are handed on: who asked waits for one of each family.
const ANSWERS_MAX: u32 = 8;

/// Which question it was.
pub type QuestionId = u64;

/// The questions that are out. `T` is where an answer goes.
pub struct Asking<T> {
    questions: Vec<Asked<T>>,
}

struct Asked<T> {
    id: QuestionId,
    name: Name,
    at: Moment,
    gap: Duration,
    answered: u32,
    asker: T,
}

impl<T> Asking<T> {
    /// Nothing is asked.
    pub fn new() -> Asking<T> {
        Asking { questions: Vec::new() }
    }

    /// Asks for the addresses of a name, now and again and again, until [`Asking::forget`]. A question
    /// that a check makes comes by its timetable, so there is no wait at random before it.
    pub fn ask(&mut self, id: QuestionId, name: Name, asker: T, now: Moment) {
        if self.questions.len() < ASKED_MAX {
            self.questions.push(Asked { id, name, at: now, gap: ASK_AGAIN, answered: 0, asker });
        }
    }

    /// The answer is no longer wanted.
    pub fn forget(&mut self, id: QuestionId) {
        self.questions.retain(|asked| asked.id != id);
    }

    /// The questions that are due, each a packet for every outlet.
    pub fn handle_time(&mut self, now: Moment) -> Vec<Vec<u8>> {
        let due = self.questions.iter_mut().filter(|asked| asked.at <= now);
        due.map(|asked| {
            asked.at = now + asked.gap;
            asked.gap *= 2;
            let mut packet = Packet::query();
            packet.question(&asked.name, kind::A, false);
            packet.question(&asked.name, kind::AAAA, false);
            packet.finish()
        })
        .collect()
    }

    /// When [`Asking::handle_time`] is to be called next.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.questions.iter().map(|asked| asked.at).min()
    }

    /// A message has come in from `from`, over the interface `link`: whoever asked for a name in it gets
    /// the addresses.
    pub fn handle_message(
        &mut self,
        (link, from): (u32, SocketAddr),
        message: &Message<'_>,
        mut tell: impl FnMut(&T, Vec<SocketAddr>),
    ) {
        if !message.is_response_from(from) {
            return;
        }
        for asked in self.questions.iter_mut().filter(|asked| asked.answered < ANSWERS_MAX) {
            let of_name =
                message.said().filter(|record| record.ttl > 0 && record.name.is(&asked.name));
            let found: Vec<SocketAddr> =
                of_name.filter_map(|record| address(record, link)).take(ADDRESSES_MAX).collect();
            if !found.is_empty() {
                asked.answered += 1;
                tell(&asked.asker, found);
            }
        }
    }
}

/// The address in a record. A link-local one of IPv6 means nothing without the interface that it was
/// heard on; what is nobody's address is none.
pub(super) fn address(record: &Record<'_>, link: u32) -> Option<SocketAddr> {
    if !matches!(record.kind, kind::A | kind::AAAA) {
        return None;
    }
    let data = record.data()?;
    let (v4, v6) = (<[u8; 4]>::try_from(data.as_slice()), <[u8; 16]>::try_from(data.as_slice()));
    let ip = match (record.kind, v4, v6) {
        (kind::A, Ok(bytes), _) => IpAddr::from(bytes),
        (kind::AAAA, _, Ok(bytes)) => IpAddr::from(bytes),
        _ => return None,
    };
    if ip.is_unspecified() || ip.is_multicast() {
        return None;
    }
    Some(match ip {
        IpAddr::V4(v4) => SocketAddrV4::new(v4, 0).into(),
        IpAddr::V6(v6) => {
            let scope = if v6.is_unicast_link_local() { link } else { 0 };
            SocketAddrV6::new(v6, 0, 0, scope).into()
        }
    })
}

impl<T> Default for Asking<T> {
    fn default() -> Asking<T> {
        Asking::new()
    }
}

#[cfg(test)]
mod tests {
    use super::super::wire::{Data, Section};
    use super::*;

    fn name(text: &str) -> Name {
        Name::dotted(text).unwrap()
    }

    fn response(records: &[(&str, &str, u32)]) -> Vec<u8> {
        let mut packet = Packet::response(0);
        for (of, address, ttl) in records {
            let data = match address.parse().unwrap() {
                IpAddr::V4(v4) => Data::A(v4),
                IpAddr::V6(v6) => Data::Aaaa(v6),
            };
            packet.record(Section::Answers, &name(of), &data, *ttl, true);
        }
        packet.finish()
    }

    fn told(asking: &mut Asking<char>, packet: &[u8]) -> Vec<(char, Vec<String>)> {
        told_by("10.0.0.9:5353", asking, packet)
    }

    fn told_by(from: &str, asking: &mut Asking<char>, packet: &[u8]) -> Vec<(char, Vec<String>)> {
        let mut told = Vec::new();
        let message = Message::read(packet).unwrap();
        asking.handle_message((3, from.parse().unwrap()), &message, |asker, found| {
            told.push((*asker, found.iter().map(ToString::to_string).collect()));
        });
        told
    }

    #[test]
    fn a_response_from_another_port_than_that_of_mdns_is_none() {
        let mut asking = Asking::new();
        asking.ask(1, name("nas.local"), 'a', Moment::START);
        let packet = response(&[("nas.local", "10.0.0.7", 120)]);
        assert!(told_by("10.0.0.9:40000", &mut asking, &packet).is_empty());
        assert_eq!(told(&mut asking, &packet).len(), 1);
    }

    #[test]
    fn a_question_goes_out_at_once_and_after_1_and_3_seconds() {
        let t0 = Moment::START;
        let mut asking = Asking::new();
        asking.ask(1, name("nas.local"), 'a', t0);
        let mut asked_at = Vec::new();
        while let Some(at) = asking.next_deadline().filter(|at| *at < t0 + Duration::from_secs(6)) {
            let packets = asking.handle_time(at);
            let message = Message::read(&packets[0]).unwrap();
            let kinds: Vec<u16> = message.questions.iter().map(|one| one.kind).collect();
            assert_eq!(kinds, [kind::A, kind::AAAA]);
            assert!(message.questions.iter().all(|one| one.name.is(&name("nas.local"))));
            asked_at.push(at.since(t0).as_secs());
        }
        assert_eq!(asked_at, [0, 1, 3]);
        asking.forget(1);
        assert_eq!(asking.next_deadline(), None);
    }

    #[test]
    fn who_asked_is_told_and_nobody_else() {
        let mut asking = Asking::new();
        asking.ask(1, name("nas.local"), 'a', Moment::START);
        asking.ask(2, name("tv.local"), 'b', Moment::START);
        let packet = response(&[
            ("NAS.local", "10.0.0.5", 120),
            ("nas.local", "fe80::5", 120),
            ("other.local", "10.0.0.6", 120),
            ("tv.local", "10.0.0.7", 0),
            ("tv.local", "0.0.0.0", 120),
            ("tv.local", "224.0.0.1", 120),
        ]);
        let found = vec!["10.0.0.5:0".to_owned(), "[fe80::5%3]:0".to_owned()];
        assert_eq!(told(&mut asking, &packet), [('a', found)]);
    }

    #[test]
    fn answers_without_end_are_not_handed_on() {
        let mut asking = Asking::new();
        asking.ask(1, name("nas.local"), 'a', Moment::START);
        let packet = response(&[("nas.local", "10.0.0.5", 120); 100]);
        let told: Vec<_> = (0..1000).flat_map(|_| told(&mut asking, &packet)).collect();
        assert_eq!(told.len(), usize::try_from(ANSWERS_MAX).unwrap());
        assert!(told.iter().all(|(_, found)| found.len() <= ADDRESSES_MAX));
        for id in 2..100_000 {
            asking.ask(id, name("a.local"), 'b', Moment::START);
        }
        assert_eq!(asking.questions.len(), ASKED_MAX);
    }
}
