//! A survey of a network: what announces itself under any of many types, and where it is.
//!
//! Nothing is kept but what was asked for, so much of it, and that only until the survey is over.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::asking::address;
use super::browser::Quest;
use super::wire::{Message, Name, Packet, Record, kind};
use crate::engine::registration::host::is_own_machine;
use crate::engine::text::plain::one_line;
use crate::engine::time::Moment;

/// Between the first question and the second; then twice as long each time (RFC 6762 section 5.2).
const ASK_AGAIN: Duration = Duration::from_secs(1);

/// Announcements that are kept in mind. A large household has a hundred; a stranger may announce any number.
const SEEN_MAX: usize = 500;

/// Of those what one sender may fill: whoever announces anything leaves room for the others.
const OF_ONE_MAX: usize = 250;

/// Characters of a name: as many as it may have bytes.
const NAME_MAX: usize = 63;
/// The same of a host.
const HOST_MAX: usize = 255;

/// Questions in one packet: they fit into one of 1,500 bytes.
const QUESTIONS_MAX: usize = 24;

/// Addresses of one of them.
const ADDRESSES_MAX: usize = 4;

/// What a network has to tell about itself.
#[derive(Debug)]
pub struct Survey {
    types: Vec<(&'static str, Name)>,
    at: Moment,
    gap: Duration,
    known: Vec<Known>,
}

/// Something that announces itself, and where it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Seen {
    /// The type under which it does: `_ipp._tcp`.
    pub service: &'static str,
    /// Its name, as its owner wrote it, in one line and without a control character.
    pub name: String,
    /// The machine that it is on, in small letters, without a dot at the end; in one line, too.
    pub host: String,
    /// An address of IPv4, where there is one.
    pub at: SocketAddr,
}

#[derive(Debug)]
struct Known {
    service: &'static str,
    /// The whole name, in small letters.
    full: Name,
    name: String,
    place: Option<(Name, u16)>,
    addresses: Vec<SocketAddr>,
    ask_at: Moment,
    /// Who was the first to name it.
    from: IpAddr,
}

impl Survey {
    /// A survey of these types (`_ipp._tcp`) that begins at once: somebody waits for it.
    pub fn new(services: &[&'static str], now: Moment) -> Survey {
        let named =
            |service: &&'static str| Some((*service, Name::dotted(&format!("{service}.local"))?));
        let types = services.iter().filter_map(named).collect();
        Survey { types, at: now, gap: ASK_AGAIN, known: Vec::new() }
    }

    /// All whose place is known, by type and name, as far as it is one where devices of a household are: somebody may
    /// announce an address of the internet.
    pub fn seen(&self, is_near: &dyn Fn(IpAddr) -> bool) -> Vec<Seen> {
        let mut seen: Vec<Seen> = self.known.iter().filter_map(|one| one.seen(is_near)).collect();
        seen.sort_by(|a, b| (a.service, &a.name).cmp(&(b.service, &b.name)));
        seen
    }

    fn handle_name(&mut self, now: Moment, from: IpAddr, record: &Record<'_>) {
        let Some((service, _)) = self.types.iter().find(|(_, of)| record.name.is(of)) else {
            return;
        };
        let Some((full, name)) = record.target().zip(record.first_label()) else { return };
        // A name of another type than it is announced under would be asked for in vain.
        let whole = [name.as_str()].into_iter().chain(service.split('.')).chain(["local"]);
        let is_of_it = Name::of(whole).is_some_and(|expected| expected == full);
        let is_new = !self.known.iter().any(|one| one.full == full);
        let of_it = self.known.iter().filter(|one| one.from == from).count();
        if is_of_it && is_new && self.known.len() < SEEN_MAX && of_it < OF_ONE_MAX {
            let (place, addresses, name) = (None, Vec::new(), one_line(&name, NAME_MAX));
            self.known.push(Known { service, full, name, place, addresses, ask_at: now, from });
        }
    }
}

impl Quest for Survey {
    fn next_deadline(&self) -> Moment {
        let missing = self.known.iter().filter(|one| one.missing().is_some());
        missing.map(|one| one.ask_at).fold(self.at, Moment::min)
    }

    fn handle_time(&mut self, now: Moment) -> Vec<Vec<u8>> {
        let mut questions: Vec<(&Name, u16)> = Vec::new();
        if self.at <= now {
            questions.extend(self.types.iter().map(|(_, name)| (name, kind::PTR)));
            self.at = now + self.gap;
            self.gap *= 2;
        }
        for one in &mut self.known {
            if one.ask_at <= now && one.missing().is_some() {
                one.ask_at = now + ASK_AGAIN;
                let missing = one.missing();
                questions.extend(
                    missing
                        .into_iter()
                        .flat_map(|(name, kinds)| kinds.iter().map(move |kind| (name, *kind))),
                );
            }
        }
        questions.chunks(QUESTIONS_MAX).map(packet).collect()
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
        for record in message.said().filter(|record| record.ttl > 0 && record.kind == kind::PTR) {
            self.handle_name(now, from.ip(), record);
        }
        for record in message.said().filter(|record| record.ttl > 0 && record.kind == kind::SRV) {
            let about = self.known.iter_mut().find(|one| record.name.is(&one.full));
            if let Some(one) = about {
                one.handle_place(now, record);
            }
        }
        for record in message.said().filter(|record| record.ttl > 0) {
            let Some(at) = address(record, link) else { continue };
            for one in &mut self.known {
                one.handle_address(record, at);
            }
        }
    }
}

fn packet(questions: &[(&Name, u16)]) -> Vec<u8> {
    let mut packet = Packet::query();
    for (name, kind) in questions {
        packet.question(name, *kind, false);
    }
    packet.finish()
}

impl Known {
    /// What has to be asked for before anybody could go there.
    fn missing(&self) -> Option<(&Name, &'static [u16])> {
        match &self.place {
            None => Some((&self.full, &[kind::SRV])),
            Some((host, _)) if self.addresses.is_empty() => Some((host, &[kind::A, kind::AAAA])),
            Some(_) => None,
        }
    }

    fn handle_place(&mut self, now: Moment, record: &Record<'_>) {
        let Some(data) = record.data() else { return };
        let Some((host, &[_, _, _, _, high, low])) = record.target().zip(data.first_chunk()) else {
            return;
        };
        // Whoever says something else with each packet is not asked with each packet.
        if self.place.is_none() {
            self.ask_at = now;
            self.place = Some((host, u16::from_be_bytes([high, low])));
        }
    }

    fn handle_address(&mut self, record: &Record<'_>, mut at: SocketAddr) {
        let Some((host, port)) = &self.place else { return };
        at.set_port(*port);
        let has_room = self.addresses.len() < ADDRESSES_MAX;
        if record.name.is(host)
            && has_room
            && !needs_an_interface(&at)
            && !is_own_machine(at.ip())
            && !self.addresses.contains(&at)
        {
            self.addresses.push(at);
        }
    }

    fn seen(&self, is_near: &dyn Fn(IpAddr) -> bool) -> Option<Seen> {
        let near = self.addresses.iter().filter(|at| is_near(at.ip()));
        let at = *near.min_by_key(|at| rank(at))?;
        let host = self.place.as_ref()?.0.to_string();
        let host = one_line(host.trim_end_matches('.'), HOST_MAX);
        // Whoever has no name that can be seen is called as its machine is.
        let name = Some(&self.name).filter(|name| !name.is_empty()).unwrap_or(&host).clone();
        (!host.is_empty()).then_some(Seen { service: self.service, name, host, at })
    }
}

/// One of IPv4 people know.
fn rank(at: &SocketAddr) -> u8 {
    match at {
        SocketAddr::V4(v4) if v4.ip().is_link_local() => 2,
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(_) => 1,
    }
}

/// An address that needs an interface beside it cannot be registered.
fn needs_an_interface(at: &SocketAddr) -> bool {
    matches!(at, SocketAddr::V6(v6) if v6.ip().is_unicast_link_local())
}

#[cfg(test)]
mod tests {
    use super::super::wire::{Data, Section};
    use super::*;

    const FROM: (u32, &str) = (3, "10.0.0.9:5353");

    fn name(text: &str) -> Name {
        Name::dotted(text).unwrap()
    }

    fn instance(name: &str, service: &str) -> Name {
        Name::of([name].into_iter().chain(service.split('.')).chain(["local"])).unwrap()
    }

    fn announced(one: &str, service: &str, port: u16, ip: [u8; 4]) -> Vec<(Name, Data)> {
        let host = name("box.local");
        vec![
            (name(&format!("{service}.local")), Data::Ptr(instance(one, service))),
            (instance(one, service), Data::Srv { port, target: host.clone() }),
            (host, Data::A(ip.into())),
        ]
    }

    fn tell(survey: &mut Survey, now: Moment, records: &[(Name, Data)]) {
        tell_as(FROM.1, survey, now, records);
    }

    fn tell_as(from: &str, survey: &mut Survey, now: Moment, records: &[(Name, Data)]) {
        let mut packet = Packet::response(0);
        for (name, data) in records {
            packet.record(Section::Answers, name, data, 120, false);
        }
        let packet = packet.finish();
        let from = (FROM.0, from.parse().unwrap());
        survey.handle_message(now, from, &Message::read(&packet).unwrap());
    }

    fn asked(survey: &mut Survey, now: Moment) -> Vec<(u16, String)> {
        let mut asked = Vec::new();
        for packet in survey.handle_time(now) {
            let message = Message::read(&packet).unwrap();
            let questions = message.questions.iter();
            asked.extend(questions.map(|one| (one.kind, one.name.to_name().unwrap().to_string())));
        }
        asked
    }

    fn after(millis: u64) -> Moment {
        Moment::START + Duration::from_millis(millis)
    }

    fn seen(survey: &Survey) -> Vec<(&'static str, String, String)> {
        let all = survey.seen(&|ip| ip.to_string().starts_with("10.")).into_iter();
        all.map(|one| (one.service, one.name, one.at.to_string())).collect()
    }

    #[test]
    fn all_types_are_asked_for_in_few_packets_and_again() {
        let services = crate::engine::presets::Preset::services();
        let mut survey = Survey::new(&services, after(0));
        let packets = survey.handle_time(after(0));
        assert_eq!(packets.len(), services.len().div_ceil(QUESTIONS_MAX));
        assert!(packets.iter().all(|packet| packet.len() < 1400));
        assert_eq!(survey.handle_time(after(999)), Vec::<Vec<u8>>::new());
        assert_eq!(asked(&mut survey, after(1000)).len(), services.len());
    }

    #[test]
    fn a_device_is_seen_once_its_place_is_known_and_what_is_missing_is_asked_for() {
        let mut survey = Survey::new(&["_ipp._tcp", "_ssh._tcp"], after(0));
        asked(&mut survey, after(0));
        let records = announced("officejet 7", "_ipp._tcp", 631, [10, 0, 0, 7]);
        tell(&mut survey, after(10), &records[..1]);
        assert_eq!(seen(&survey), []);
        let of_it = "officejet 7._ipp._tcp.local.".to_owned();
        assert_eq!(asked(&mut survey, after(10)), [(kind::SRV, of_it)]);
        tell(&mut survey, after(20), &records[1..2]);
        let host = "box.local.".to_owned();
        let both = [(kind::A, host.clone()), (kind::AAAA, host)];
        assert_eq!(asked(&mut survey, after(20)), both);
        tell(&mut survey, after(30), &records[2..]);
        let at = "10.0.0.7:631".to_owned();
        assert_eq!(seen(&survey), [("_ipp._tcp", "officejet 7".to_owned(), at)]);
        assert_eq!(asked(&mut survey, after(40)), []);
    }

    #[test]
    fn liars_and_other_types_are_not_seen() {
        let mut survey = Survey::new(&["_ipp._tcp"], after(0));
        let other = announced("tv", "_googlecast._tcp", 8009, [10, 0, 0, 8]);
        tell(&mut survey, after(0), &other);
        // Announced as a printer, but the name is of another type.
        let lie = (name("_ipp._tcp.local"), Data::Ptr(instance("tv", "_ssh._tcp")));
        tell(&mut survey, after(0), &[lie]);
        assert_eq!(seen(&survey), []);
        assert!(survey.known.is_empty());
    }

    #[test]
    fn neither_we_nor_the_internet_is_a_device() {
        let mut survey = Survey::new(&["_ipp._tcp"], after(0));
        for (number, ip) in [[127, 0, 0, 1], [0, 0, 0, 0], [8, 8, 8, 8]].into_iter().enumerate() {
            let mut records = announced(&format!("liar {number}"), "_ipp._tcp", 631, ip);
            let host = name(&format!("liar{number}.local"));
            if let (_, Data::Srv { target, .. }) = &mut records[1] {
                *target = host.clone();
            }
            records[2].0 = host;
            tell(&mut survey, after(0), &records);
        }
        assert_eq!((survey.known.len(), seen(&survey)), (3, vec![]));
        // An honest one may say where it is for itself, too.
        let mut records = announced("printer", "_ipp._tcp", 631, [127, 0, 0, 1]);
        records.push((name("box.local"), Data::A([10, 0, 0, 7].into())));
        tell(&mut survey, after(0), &records);
        assert_eq!(seen(&survey).len(), 1);
    }

    #[test]
    fn a_name_is_one_line() {
        let mut survey = Survey::new(&["_ipp._tcp"], after(0));
        let records = announced("a\t\n\u{1b}[2Jb\u{202e}", "_ipp._tcp", 631, [10, 0, 0, 7]);
        tell(&mut survey, after(0), &records);
        let all = seen(&survey);
        let names: Vec<&str> = all.iter().map(|(_, name, _)| name.as_str()).collect();
        assert_eq!(names, ["a [2jb"]);
    }

    #[test]
    fn ten_thousand_announcements_are_kept_in_bounds() {
        let mut survey = Survey::new(&["_ipp._tcp"], after(0));
        for number in 0..10_000_u16 {
            let [high, low] = number.to_be_bytes();
            let one = announced(&format!("p{number}"), "_ipp._tcp", number, [10, 0, high, low]);
            tell(&mut survey, after(u64::from(number)), &one);
        }
        let printer = announced("printer", "_ipp._tcp", 631, [10, 1, 2, 3]);
        tell_as("10.0.0.8:5353", &mut survey, after(20_000), &printer);
        let found = seen(&survey);
        assert_eq!(found.len(), OF_ONE_MAX + 1, "one who shouts leaves room for others");
        assert!(found.iter().any(|(_, name, _)| name == "printer"));
        for number in 0..10_000_u16 {
            let [high, low] = number.to_be_bytes();
            let one = announced(&format!("q{number}"), "_ipp._tcp", number, [10, 0, high, low]);
            let from = format!("10.0.{high}.{low}:5353");
            tell_as(&from, &mut survey, after(u64::from(number)), &one);
        }
        assert_eq!((survey.known.len(), seen(&survey).len()), (SEEN_MAX, SEEN_MAX));
        assert!(survey.known.iter().all(|one| one.addresses.len() <= ADDRESSES_MAX));
    }
}
