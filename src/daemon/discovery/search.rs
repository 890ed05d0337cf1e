//! The search for daemons: who announces one, where it listens, and what it says of itself.
//!
//! Nothing is kept but what was asked for, so much of it, and that only until the search is over.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::time::Duration;

use super::asking::address;
use super::browser::Quest;
use super::wire::{Data, Message, Name, Packet, Record, Section, kind};
use crate::client::discovery::{Heard, Service, instance};
use crate::engine::time::Moment;

/// Between the first question and the second; then twice as long each time (RFC 6762 section 5.2).
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Daemons that are kept in mind: a household has one or two, a stranger may announce any number.
const SERVICES_MAX: usize = 16;

/// Other things that are told apart.
const OTHERS_MAX: usize = 64;

/// Addresses of one daemon.
const ADDRESSES_MAX: usize = 16;

/// Known answers that a question names: they fit into one packet with it.
const KNOWN_MAX: usize = 16;

/// What a service says its version after.
const VERSION: &[u8] = b"version=";

/// A search that goes on.
#[derive(Debug)]
pub struct Search {
    wanted: Name,
    /// When everybody is asked next, and how long that is before the time after.
    at: Moment,
    gap: Duration,
    services: Vec<Known>,
    others: Vec<Instance>,
    heard: VecDeque<Heard>,
}

/// A name that was given as the answer.
#[derive(Debug)]
struct Instance {
    name: Name,
    ttl: u32,
    heard_at: Moment,
}

/// What is known of a daemon.
#[derive(Debug)]
struct Known {
    instance: Instance,
    place: Option<Place>,
    addresses: Vec<SocketAddr>,
    version: String,
    /// What is missing is not asked for before.
    ask_at: Moment,
    is_news: bool,
}

#[derive(Debug, PartialEq, Eq)]
struct Place {
    host: Name,
    port: u16,
}

impl Search {
    /// A search for services of the type `wanted` that asks at once. Somebody waits for it, so there is no
    /// wait at random before.
    pub fn new(wanted: Name, now: Moment) -> Search {
        Search {
            wanted,
            at: now,
            gap: ASK_AGAIN,
            services: Vec::new(),
            others: Vec::new(),
            heard: VecDeque::new(),
        }
    }

    /// What has been heard.
    pub fn poll_heard(&mut self) -> Option<Heard> {
        self.heard.pop_front()
    }

    fn handle_instance(&mut self, said: Instance) {
        let services = self.services.iter_mut().map(|one| &mut one.instance);
        if let Some(known) = services.chain(&mut self.others).find(|one| one.name == said.name) {
            *known = said;
        } else if instance(&said.name.to_string()).is_some() {
            if self.services.len() < SERVICES_MAX {
                self.services.push(Known::new(said));
            }
        } else if self.others.len() < OTHERS_MAX {
            self.others.push(said);
            self.heard.push_back(Heard::Other);
        }
    }
}

impl Quest for Search {
    fn next_deadline(&self) -> Moment {
        let missing = self.services.iter().filter(|one| one.missing().is_some());
        missing.map(|one| one.ask_at).fold(self.at, Moment::min)
    }

    fn handle_time(&mut self, now: Moment) -> Vec<Vec<u8>> {
        if now < self.next_deadline() {
            return Vec::new();
        }
        let mut packet = Packet::query();
        let is_for_all = self.at <= now;
        if is_for_all {
            packet.question(&self.wanted, kind::PTR, false);
            self.at = now + self.gap;
            self.gap *= 2;
        }
        for one in self.services.iter_mut().filter(|one| one.ask_at <= now) {
            let Some((name, kinds)) = one.missing() else { continue };
            for kind in kinds {
                packet.question(name, kind, false);
            }
            one.ask_at = now + ASK_AGAIN;
        }
        if is_for_all {
            let services = self.services.iter().map(|one| &one.instance);
            for one in services.chain(&self.others).take(KNOWN_MAX) {
                let age = u32::try_from(now.since(one.heard_at).as_secs()).unwrap_or(u32::MAX);
                let (data, left) = (Data::Ptr(one.name.clone()), one.ttl.saturating_sub(age));
                packet.record(Section::Answers, &self.wanted, &data, left, false);
            }
        }
        vec![packet.finish()]
    }

    fn handle_message(
        &mut self,
        now: Moment,
        (link, from): (u32, SocketAddr),
        message: &Message<'_>,
    ) {
        if !message.is_response_from(from) {
            return;
        }
        // What speaks of a thing may stand before what names it.
        let said = |kinds: [u16; 2]| {
            let said = message.said().filter(|record| record.ttl > 0);
            said.filter(move |record| kinds.contains(&record.kind))
        };
        for record in said([kind::PTR; 2]) {
            if let Some(name) = record.target().filter(|_| record.name.is(&self.wanted)) {
                self.handle_instance(Instance { name, ttl: record.ttl, heard_at: now });
            }
        }
        for record in said([kind::SRV, kind::TXT]) {
            let about = self.services.iter_mut().find(|one| record.name.is(&one.instance.name));
            if let Some(one) = about {
                one.handle_record(now, record);
            }
        }
        for record in said([kind::A, kind::AAAA]) {
            for one in &mut self.services {
                one.handle_address(record, link);
            }
        }
        self.heard.extend(self.services.iter_mut().filter_map(Known::news).map(Heard::Service));
    }
}

impl Known {
    fn new(instance: Instance) -> Known {
        Known {
            ask_at: instance.heard_at,
            instance,
            place: None,
            addresses: Vec::new(),
            version: String::new(),
            is_news: false,
        }
    }

    /// What has to be asked for before anybody could go there.
    fn missing(&self) -> Option<(&Name, [u16; 2])> {
        match &self.place {
            None => Some((&self.instance.name, [kind::SRV, kind::TXT])),
            Some(place) if self.addresses.is_empty() => Some((&place.host, [kind::A, kind::AAAA])),
            Some(_) => None,
        }
    }

    fn handle_record(&mut self, now: Moment, record: &Record<'_>) {
        let Some(data) = record.data() else { return };
        if record.kind == kind::TXT {
            let version = version(&data).unwrap_or_default();
            self.is_news |= version != self.version;
            self.version = version;
            return;
        }
        let Some((host, &[_, _, _, _, high, low])) = record.target().zip(data.first_chunk()) else {
            return;
        };
        let place = Some(Place { host, port: u16::from_be_bytes([high, low]) });
        if place != self.place {
            // Whoever says something else with each packet is not asked with each packet.
            if self.place.is_none() {
                self.ask_at = now;
            }
            self.addresses.clear();
            self.place = place;
        }
    }

    fn handle_address(&mut self, record: &Record<'_>, link: u32) {
        let Some(place) = self.place.as_ref().filter(|place| record.name.is(&place.host)) else {
            return;
        };
        let Some(mut at) = address(record, link) else { return };
        at.set_port(place.port);
        if self.addresses.len() < ADDRESSES_MAX && !self.addresses.contains(&at) {
            self.addresses.push(at);
            self.is_news = true;
        }
    }

    /// What is to be told, once it is known where to go.
    fn news(&mut self) -> Option<Service> {
        if self.addresses.is_empty() || !std::mem::take(&mut self.is_news) {
            return None;
        }
        Some(Service {
            full_name: self.instance.name.to_string(),
            addresses: self.addresses.clone(),
            version: self.version.clone(),
        })
    }
}

/// The version among what a service says of itself: strings, each with its length before it.
fn version(mut strings: &[u8]) -> Option<String> {
    while let Some((&length, rest)) = strings.split_first() {
        let (text, rest) = rest.split_at_checked(usize::from(length))?;
        if let Some((key, value)) = text.split_at_checked(VERSION.len())
            && key.eq_ignore_ascii_case(VERSION)
        {
            return Some(String::from_utf8_lossy(value).into_owned());
        }
        strings = rest;
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::client::discovery::SERVICE_TYPE;

    const FROM: (u32, &str) = (3, "10.0.0.9:5353");

    fn name(text: &str) -> Name {
        Name::dotted(text).unwrap()
    }

    fn service(instance: &str) -> Name {
        Name::of([instance, "_http", "_tcp", "local"]).unwrap()
    }

    fn ptr(instance: &str) -> (Name, Data) {
        (name("_http._tcp.local"), Data::Ptr(service(instance)))
    }

    fn srv(instance: &str, port: u16) -> (Name, Data) {
        (service(instance), Data::Srv { port, target: name("pi.local") })
    }

    fn txt(instance: &str, text: &[u8]) -> (Name, Data) {
        (service(instance), Data::Txt(text.to_vec()))
    }

    fn address_of(host: &str, ip: &str) -> (Name, Data) {
        let data = match ip.parse().unwrap() {
            std::net::IpAddr::V4(v4) => Data::A(v4),
            std::net::IpAddr::V6(v6) => Data::Aaaa(v6),
        };
        (name(host), data)
    }

    fn tell(search: &mut Search, now: Moment, records: &[(Name, Data)]) -> Vec<Heard> {
        tell_from(FROM, search, now, records)
    }

    fn tell_from(
        (link, from): (u32, &str),
        search: &mut Search,
        now: Moment,
        records: &[(Name, Data)],
    ) -> Vec<Heard> {
        let mut packet = Packet::response(0);
        for (name, data) in records {
            packet.record(Section::Answers, name, data, 120, false);
        }
        let packet = packet.finish();
        let message = Message::read(&packet).unwrap();
        search.handle_message(now, (link, from.parse().unwrap()), &message);
        std::iter::from_fn(|| search.poll_heard()).collect()
    }

    fn heard(instance: &str, addresses: &[&str], version: &str) -> Heard {
        Heard::Service(Service {
            full_name: format!("{instance}._http._tcp.local."),
            addresses: addresses.iter().map(|at| at.parse().unwrap()).collect(),
            version: version.to_owned(),
        })
    }

    /// The types and names that are asked for, and how many answers are known.
    fn asked(search: &mut Search, now: Moment) -> Option<(Vec<(u16, String)>, usize)> {
        let packet = search.handle_time(now).pop()?;
        let message = Message::read(&packet).unwrap();
        let questions = message.questions.iter();
        let questions =
            questions.map(|one| (one.kind, one.name.to_name().unwrap().to_string())).collect();
        Some((questions, message.section(Section::Answers).count()))
    }

    fn after(millis: u64) -> Moment {
        Moment::START + Duration::from_millis(millis)
    }

    fn begun() -> Search {
        Search::new(name(SERVICE_TYPE), after(0))
    }

    #[test]
    fn everybody_is_asked_at_once_and_after_1_and_3_seconds() {
        let mut search = begun();
        let mut asked_at = Vec::new();
        while search.next_deadline() < after(6000) {
            let at = search.next_deadline();
            let (questions, known) = asked(&mut search, at).unwrap();
            assert_eq!(questions, [(kind::PTR, "_http._tcp.local.".to_owned())]);
            asked_at.push((at.since(Moment::START).as_secs(), known));
            tell(&mut search, at, &[ptr("printer")]);
        }
        assert_eq!(asked_at, [(0, 0), (1, 1), (3, 1)]);
        assert!(search.handle_time(after(6000)).is_empty());
    }

    #[test]
    fn an_answer_in_one_packet_is_told_in_whatever_order_it_comes() {
        let mut records = vec![
            address_of("pi.local", "10.0.0.5"),
            address_of("PI.local", "fe80::5"),
            address_of("nas.local", "10.0.0.6"),
            txt("_healthchecker", b"\x06path=/\x0DVersion=1.2.3"),
            srv("_healthchecker", 8080),
            ptr("_healthchecker"),
        ];
        for _ in 0..records.len() {
            records.rotate_left(1);
            let mut search = begun();
            let Some(Heard::Service(mut one)) = tell(&mut search, after(0), &records).pop() else {
                panic!("nothing was heard");
            };
            one.addresses.sort_unstable();
            let expected = heard("_healthchecker", &["10.0.0.5:8080", "[fe80::5%3]:8080"], "1.2.3");
            assert_eq!(Heard::Service(one), expected);
            assert_eq!(tell(&mut search, after(1), &records), [], "it is nothing new");
        }
    }

    #[test]
    fn what_is_missing_is_asked_for_at_once_and_again() {
        let mut search = begun();
        asked(&mut search, after(0)).unwrap();
        assert_eq!(tell(&mut search, after(50), &[ptr("_healthchecker (2)")]), []);
        let of_service = |kind| (kind, "_healthchecker (2)._http._tcp.local.".to_owned());
        let parts = vec![of_service(kind::SRV), of_service(kind::TXT)];
        assert_eq!(asked(&mut search, after(50)), Some((parts.clone(), 0)));
        assert_eq!(asked(&mut search, after(60)), None);
        let everybody = (kind::PTR, "_http._tcp.local.".to_owned());
        assert_eq!(asked(&mut search, after(1000)), Some((vec![everybody], 1)));
        assert_eq!(asked(&mut search, after(1050)), Some((parts, 0)));
        assert_eq!(tell(&mut search, after(1100), &[srv("_healthchecker (2)", 80)]), []);
        let addresses = [kind::A, kind::AAAA].map(|kind| (kind, "pi.local.".to_owned()));
        assert_eq!(asked(&mut search, after(1100)), Some((addresses.to_vec(), 0)));
        let told = tell(&mut search, after(1150), &[address_of("pi.local", "10.0.0.5")]);
        assert_eq!(told, [heard("_healthchecker (2)", &["10.0.0.5:80"], "")]);
        assert_eq!(search.next_deadline(), after(3000));
        let told = tell(&mut search, after(1200), &[txt("_healthchecker (2)", b"\x09version=1")]);
        assert_eq!(told, [heard("_healthchecker (2)", &["10.0.0.5:80"], "1")]);
    }

    #[test]
    fn a_daemon_that_moves_is_followed() {
        let mut search = begun();
        let records =
            [ptr("_healthchecker"), srv("_healthchecker", 80), address_of("pi.local", "10.0.0.5")];
        tell(&mut search, after(0), &records);
        let records = [srv("_healthchecker", 81), address_of("pi.local", "10.0.0.6")];
        let told = tell(&mut search, after(10), &records);
        assert_eq!(told, [heard("_healthchecker", &["10.0.0.6:81"], "")]);
    }

    #[test]
    fn others_are_counted_once_each() {
        let mut search = begun();
        let records = [ptr("printer"), ptr("tv"), ptr("Printer"), srv("tv", 80)];
        assert_eq!(tell(&mut search, after(0), &records), [Heard::Other, Heard::Other]);
        assert_eq!(tell(&mut search, after(0), &records), []);
    }

    #[test]
    fn what_is_no_answer_of_mdns_is_not_believed() {
        let mut search = begun();
        assert_eq!(tell_from((3, "10.0.0.9:53"), &mut search, after(0), &[ptr("tv")]), []);
        let mut packet = Packet::query();
        packet.record(Section::Answers, &ptr("tv").0, &ptr("tv").1, 120, false);
        let packet = packet.finish();
        let message = Message::read(&packet).unwrap();
        search.handle_message(after(0), (3, "10.0.0.9:5353".parse().unwrap()), &message);
        assert_eq!(search.poll_heard(), None);
        let mut packet = Packet::response(0);
        packet.record(Section::Answers, &ptr("tv").0, &ptr("tv").1, 0, false);
        let packet = packet.finish();
        let message = Message::read(&packet).unwrap();
        search.handle_message(after(0), (3, "10.0.0.9:5353".parse().unwrap()), &message);
        assert_eq!(search.poll_heard(), None, "a goodbye");
    }

    #[test]
    fn whoever_announces_without_end_is_kept_in_bounds() {
        let mut search = begun();
        asked(&mut search, after(0)).unwrap();
        let mut questions = 0;
        for number in 0..500_u16 {
            let host = format!("pi{number}.local");
            let (ours, other) = (format!("_healthchecker ({number})"), format!("tv{number}"));
            let moved = Data::Srv { port: number, target: name(&host) };
            let address = address_of(&host, &format!("10.0.{}.{}", number / 200, number % 200));
            let records =
                [ptr(&ours), ptr(&other), (service("_healthchecker (0)"), moved), address];
            tell(&mut search, after(u64::from(number)), &records);
            questions += usize::from(asked(&mut search, after(u64::from(number))).is_some());
        }
        assert_eq!((search.services.len(), search.others.len()), (SERVICES_MAX, OTHERS_MAX));
        assert!(search.services.iter().all(|one| one.addresses.len() <= ADDRESSES_MAX));
        assert!(questions <= SERVICES_MAX, "{questions}");
        let (_, known) = asked(&mut search, after(1500)).unwrap();
        assert_eq!(known, KNOWN_MAX);
    }

    #[test]
    fn a_version_that_is_cut_off_is_none() {
        for damaged in [&b""[..], b"\x20version=1", b"\x03ver", b"\x09versiom=1", b"\0\0"] {
            assert_eq!(version(damaged), None, "{damaged:?}");
        }
    }
}
