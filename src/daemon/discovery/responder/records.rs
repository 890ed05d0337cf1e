//! Our records: what is said of the service, by name.

use std::net::IpAddr;

use super::super::names::{Names, SERVICE_LABELS};
use super::super::wire::{Data, Message, Name, Packet, Record, Section, kind};

/// Seconds that a record with a host name in it is kept (RFC 6762 section 10).
const HOST_TTL: u32 = 120;
/// Seconds that all others are kept: 75 minutes.
const OTHER_TTL: u32 = 75 * 60;

/// Some kinds of our records.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Parts(u8);

impl Parts {
    pub(super) const NONE: Parts = Parts(0);
    /// That there is such a service.
    pub(super) const SERVICE: Parts = Parts(1);
    /// That there are services of this type.
    pub(super) const TYPE: Parts = Parts(1 << 1);
    /// The host and the port.
    pub(super) const PLACE: Parts = Parts(1 << 2);
    pub(super) const TEXT: Parts = Parts(1 << 3);
    pub(super) const IPV4: Parts = Parts(1 << 4);
    pub(super) const IPV6: Parts = Parts(1 << 5);
    /// That the service has no records of other types, and the host has none.
    pub(super) const NO_OTHER_OF_SERVICE: Parts = Parts(1 << 6);
    pub(super) const NO_OTHER_OF_HOST: Parts = Parts(1 << 7);

    /// Everything that is announced.
    pub(super) const ANNOUNCED: Parts = Parts(0b11_1101);
    const ADDRESSES: Parts = Parts(0b11_0000);
    /// Those that others on the network may have as well: their answers come by turns (RFC 6762
    /// section 6).
    const SHARED: Parts = Parts(0b11);

    pub(super) const COUNT: usize = 8;

    pub(super) const fn with(self, other: Parts) -> Parts {
        Parts(self.0 | other.0)
    }

    pub(super) const fn without(self, other: Parts) -> Parts {
        Parts(self.0 & !other.0)
    }

    pub(super) const fn has(self, other: Parts) -> bool {
        self.0 & other.0 != 0
    }

    pub(super) const fn is_empty(self) -> bool {
        self.0 == 0
    }

    pub(super) const fn is_shared(self) -> bool {
        self.has(Parts::SHARED)
    }

    /// One by one.
    pub(super) fn each(self) -> impl Iterator<Item = (usize, Parts)> {
        (0..Parts::COUNT).map(|bit| (bit, Parts(1 << bit))).filter(move |(_, part)| self.has(*part))
    }

    /// What a client who asks for these will want to know next (RFC 6763 section 12).
    pub(super) fn next(self) -> Parts {
        let mut next = Parts::NONE;
        if self.has(Parts::SERVICE) {
            next = next.with(Parts::PLACE).with(Parts::TEXT).with(Parts::ADDRESSES);
        }
        if self.has(Parts::PLACE.with(Parts::ADDRESSES)) {
            next = next.with(Parts::ADDRESSES);
        }
        next.without(self)
    }

    /// How long a client keeps such a record.
    pub(super) fn ttl(self) -> u32 {
        let of_host = Parts::PLACE.with(Parts::ADDRESSES).with(Parts::NO_OTHER_OF_HOST);
        if self.has(of_host) { HOST_TTL } else { OTHER_TTL }
    }
}

/// What is said of the service, under names that may change.
#[derive(Clone, Debug)]
pub(super) struct Profile {
    pub(super) service_type: Name,
    /// Asks for the types of services on the network (RFC 6763 section 9).
    pub(super) types: Name,
    pub(super) instance: Name,
    pub(super) host: Name,
    port: u16,
    text: Vec<u8>,
}

/// One of our records.
pub(super) struct Own<'a> {
    pub(super) name: &'a Name,
    pub(super) data: Data,
    ttl: u32,
    unique: bool,
}

impl Profile {
    /// `None` when a name cannot be written.
    pub(super) fn new(names: &Names, port: u16, text: &[String]) -> Option<Profile> {
        let mut strings = Vec::new();
        for string in text {
            // What does not fit is left out: a client can do without.
            if let Ok(length) = u8::try_from(string.len()) {
                strings.push(length);
                strings.extend_from_slice(string.as_bytes());
            }
        }
        let instance = names.instance();
        let labels = [instance.as_str()].into_iter().chain(SERVICE_LABELS);
        Some(Profile {
            service_type: Name::of(SERVICE_LABELS)?,
            types: Name::dotted("_services._dns-sd._udp.local")?,
            instance: Name::of(labels)?,
            host: Name::of([names.host().as_str(), "local"])?,
            port,
            text: strings,
        })
    }

    /// Which of our records a question is about.
    pub(super) fn asked(
        &self,
        question: &super::super::wire::Question<'_>,
        addresses: &[IpAddr],
    ) -> Parts {
        let any = question.kind == kind::ANY;
        let pointer = any || question.kind == kind::PTR;
        if pointer && question.asks_for(&self.service_type) {
            Parts::SERVICE
        } else if pointer && question.asks_for(&self.types) {
            Parts::TYPE
        } else if question.asks_for(&self.instance) {
            match question.kind {
                kind::SRV => Parts::PLACE,
                kind::TXT => Parts::TEXT,
                kind::ANY => Parts::PLACE.with(Parts::TEXT),
                _ => Parts::NO_OTHER_OF_SERVICE,
            }
        } else if question.asks_for(&self.host) {
            let has = present(addresses);
            match question.kind {
                kind::A if has.has(Parts::IPV4) => Parts::IPV4,
                kind::AAAA if has.has(Parts::IPV6) => Parts::IPV6,
                kind::ANY => has,
                _ => Parts::NO_OTHER_OF_HOST,
            }
        } else {
            Parts::NONE
        }
    }

    /// The records of these parts.
    pub(super) fn records(&self, parts: Parts, addresses: &[IpAddr]) -> Vec<Own<'_>> {
        let mut own = Vec::new();
        for (_, part) in parts.each() {
            let name = match part {
                Parts::SERVICE => &self.service_type,
                Parts::TYPE => &self.types,
                Parts::PLACE | Parts::TEXT | Parts::NO_OTHER_OF_SERVICE => &self.instance,
                _ => &self.host,
            };
            let (ttl, unique) = (part.ttl(), !part.is_shared());
            own.extend(self.data(part, addresses).into_iter().map(|data| Own {
                name,
                data,
                ttl,
                unique,
            }));
        }
        own
    }

    fn data(&self, part: Parts, addresses: &[IpAddr]) -> Vec<Data> {
        let bits = |kinds: &[u16]| kinds.iter().fold(0, |bits, kind| bits | 1 << kind);
        match part {
            Parts::SERVICE => vec![Data::Ptr(self.instance.clone())],
            Parts::TYPE => vec![Data::Ptr(self.service_type.clone())],
            Parts::PLACE => vec![Data::Srv { port: self.port, target: self.host.clone() }],
            Parts::TEXT => vec![Data::Txt(self.text.clone())],
            Parts::NO_OTHER_OF_SERVICE => {
                let kinds = bits(&[kind::SRV, kind::TXT]);
                vec![Data::Nsec { of: self.instance.clone(), kinds }]
            }
            Parts::NO_OTHER_OF_HOST => {
                let kinds: Vec<u16> = addresses.iter().map(|ip| address(*ip).kind()).collect();
                vec![Data::Nsec { of: self.host.clone(), kinds: bits(&kinds) }]
            }
            _ => addresses
                .iter()
                .filter(|ip| ip.is_ipv4() == (part == Parts::IPV4))
                .map(|ip| address(*ip))
                .collect(),
        }
    }

    /// Those of `parts` that somebody knows already, and for long enough (RFC 6762 section 7.1).
    pub(super) fn known(&self, parts: Parts, addresses: &[IpAddr], known: &[&Record<'_>]) -> Parts {
        let is_known = |own: &Own<'_>| {
            known.iter().any(|record| {
                record.kind == own.data.kind()
                    && record.ttl >= own.ttl / 2
                    && record.name.is(own.name)
                    && record.data().is_some_and(|data| data == own.data.bytes())
            })
        };
        parts.each().fold(Parts::NONE, |all, (_, part)| {
            let known = self.records(part, addresses).iter().all(is_known);
            if known { all.with(part) } else { all }
        })
    }

    /// Those that a message tells everybody to forget in less than half of their time.
    pub(super) fn withdrawn(&self, addresses: &[IpAddr], message: &Message<'_>) -> Parts {
        let is_withdrawn = |own: &Own<'_>| {
            message.said().any(|record| {
                record.kind == own.data.kind()
                    && record.ttl < own.ttl / 2
                    && record.name.is(own.name)
                    && record.data().is_some_and(|data| data == own.data.bytes())
            })
        };
        Parts::ANNOUNCED.each().fold(Parts::NONE, |all, (_, part)| {
            let withdrawn = self.records(part, addresses).iter().any(is_withdrawn);
            if withdrawn { all.with(part) } else { all }
        })
    }

    /// What a record that somebody else sent means for our names. `addresses` are those of this
    /// machine on any network: an answer of ours may come round.
    pub(super) fn claim(&self, record: &Record<'_>, addresses: &[IpAddr]) -> Claim {
        // A goodbye claims nothing, nor does a list of types.
        if record.ttl == 0 || record.kind == kind::NSEC {
            return Claim::None;
        }
        let parts = if record.name.is(&self.instance) {
            Parts::PLACE.with(Parts::TEXT)
        } else if record.name.is(&self.host) {
            Parts::ADDRESSES
        } else {
            return Claim::None;
        };
        let Some(data) = record.data() else {
            return Claim::None;
        };
        let ours = self.records(parts, addresses);
        if ours.iter().any(|own| own.data.kind() == record.kind && own.data.bytes() == data) {
            return Claim::Ours;
        }
        if parts.has(Parts::PLACE) { Claim::Instance } else { Claim::Host }
    }
}

/// Whose a record is that bears one of our names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Claim {
    /// It bears none of them.
    None,
    /// It says what we say.
    Ours,
    /// Another service is called so.
    Instance,
    /// Another host is called so.
    Host,
}

impl Own<'_> {
    /// Writes it into a packet, as multicast: `ttl` is 0 for a goodbye.
    pub(super) fn write(&self, packet: &mut Packet, section: Section, goodbye: bool) {
        let ttl = if goodbye { 0 } else { self.ttl };
        packet.record(section, self.name, &self.data, ttl, self.unique);
    }

    /// As something that we mean to announce: nothing is to be forgotten for it.
    pub(super) fn propose(&self, packet: &mut Packet) {
        packet.record(Section::Authorities, self.name, &self.data, self.ttl, false);
    }

    /// For a client that knows no mDNS, and must not keep it for long (RFC 6762 section 6.7).
    pub(super) fn write_legacy(&self, packet: &mut Packet, section: Section) {
        const TTL_MAX: u32 = 10;
        packet.record(section, self.name, &self.data, self.ttl.min(TTL_MAX), false);
    }
}

/// The families that there are addresses of.
pub(super) fn present(addresses: &[IpAddr]) -> Parts {
    addresses.iter().fold(Parts::NONE, |parts, ip| {
        parts.with(if ip.is_ipv4() { Parts::IPV4 } else { Parts::IPV6 })
    })
}

fn address(ip: IpAddr) -> Data {
    match ip {
        IpAddr::V4(v4) => Data::A(v4),
        IpAddr::V6(v6) => Data::Aaaa(v6),
    }
}
