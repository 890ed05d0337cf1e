//! One responder on one network, as a timeline.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use super::super::links::Family;
use super::super::wire::{Data, Name, Packet, RECORDS_MAX, kind};
use super::*;

mod conflicts;

pub(super) const LINK: OutletId = OutletId { link: 2, family: Family::V4 };

pub(super) fn name(text: &str) -> Name {
    Name::dotted(text).unwrap()
}

pub(super) fn ip(text: &str) -> IpAddr {
    text.parse().unwrap()
}

pub(super) fn place(address: &str) -> Place {
    Place {
        id: LINK,
        source: ip(address),
        announced: vec![ip(address)],
        subnets: vec![(ip(address), 24)],
        changes: 1,
    }
}

pub(super) fn responder(port: u16, seed: u64, now: Moment) -> Responder {
    let announcement =
        Announcement { bind: ip("0.0.0.0"), port, version: "1.2.3", hostname: "pi".to_owned() };
    Responder::new(&announcement, seed, now)
}

fn service() -> Name {
    name("_http._tcp.local")
}

fn instance() -> Name {
    name("_healthchecker._http._tcp.local")
}

fn host() -> Name {
    name("pi-healthchecker.local")
}

/// The responder, and a clock.
struct Line {
    responder: Responder,
    t0: Moment,
    now: Moment,
}

/// What was sent: when (ms), to whom, the names and types of the records in it.
type Sent = (u64, Option<SocketAddr>, Vec<(String, u16)>);

impl Line {
    fn new() -> Line {
        let t0 = Moment::START;
        let mut responder = responder(8080, 1, t0);
        responder.handle_links(t0, &[place("10.0.0.1")]);
        Line { responder, t0, now: t0 }
    }

    /// One that has been announced for a while.
    fn announced() -> Line {
        let mut line = Line::new();
        line.until(30_000);
        line
    }

    /// Lets the time pass until so many ms after the start; what was sent.
    fn until(&mut self, ms: u64) -> Vec<Sent> {
        let end = self.t0 + Duration::from_millis(ms);
        let mut all = self.take();
        while let Some(at) = self.responder.next_deadline().filter(|at| *at <= end) {
            assert!(at >= self.now || all.is_empty(), "nothing stays due");
            self.now = self.now.max(at);
            self.responder.handle_time(self.now);
            all.extend(self.take());
        }
        self.now = end;
        all
    }

    fn take(&mut self) -> Vec<Sent> {
        let mut all = Vec::new();
        while let Some(send) = self.responder.poll_send() {
            assert_eq!(send.outlet, LINK);
            let message = Message::read(&send.packet).unwrap();
            let asked = message.questions.iter().map(|one| (one.name, one.kind));
            let said = message.said().map(|one| (one.name, one.kind));
            let shown = asked.chain(said).map(|(of, kind)| (of.to_name().unwrap(), kind));
            let shown = shown.map(|(of, kind)| (of.to_string(), kind)).collect();
            all.push((self.now.since(self.t0).as_millis() as u64, send.to, shown));
        }
        all
    }

    fn hear(&mut self, from: &str, packet: Packet) {
        let packet = packet.finish();
        let message = Message::read(&packet).unwrap();
        self.responder.handle_message(self.now, LINK, from.parse().unwrap(), &message);
    }

    fn ask(&mut self, of: &Name, kind: u16, unicast: bool) {
        let mut packet = Packet::query();
        packet.question(of, kind, unicast);
        self.hear("10.0.0.9:5353", packet);
    }

    /// Somebody says this.
    fn say(&mut self, of: &Name, data: &Data, ttl: u32) {
        let mut packet = Packet::response(0);
        packet.record(Section::Answers, of, data, ttl, true);
        self.hear("10.0.0.9:5353", packet);
    }

    fn names(&self) -> (String, String) {
        self.responder.names()
    }
}

fn kinds(sent: &Sent) -> Vec<u16> {
    sent.2.iter().map(|(_, kind)| *kind).collect()
}

fn other_host() -> Data {
    Data::Srv { port: 80, target: name("other.local") }
}

#[test]
fn it_asks_thrice_and_announces_thrice() {
    let mut line = Line::new();
    let sent = line.until(10_000);
    let first = sent[0].0;
    assert!(first <= FIRST_WAIT);
    let times: Vec<u64> = sent.iter().map(|one| one.0 - first).collect();
    assert_eq!(times, [0, 250, 500, 750, 1750, 3750]);
    assert!(sent.iter().all(|one| one.1.is_none()));
    for probe in &sent[..3] {
        assert_eq!(kinds(probe), [kind::ANY, kind::ANY, kind::SRV, kind::TXT, kind::A]);
    }
    for announcement in &sent[3..] {
        let of: Vec<&str> = announcement.2.iter().map(|(of, _)| of.as_str()).collect();
        assert_eq!(kinds(announcement), [kind::PTR, kind::SRV, kind::TXT, kind::A]);
        assert_eq!(of[0], "_http._tcp.local.");
        assert_eq!(of[1..3], ["_healthchecker._http._tcp.local."; 2]);
        assert_eq!(of[3], "pi-healthchecker.local.");
    }
    assert!(line.responder.is_heard());
}

#[test]
fn who_asks_for_the_service_gets_all_of_it_at_once() {
    let mut line = Line::announced();
    line.ask(&service(), kind::PTR, false);
    let sent = line.until(30_200);
    assert_eq!(sent.len(), 1);
    assert_eq!(kinds(&sent[0]), [kind::PTR, kind::SRV, kind::TXT, kind::A]);
    assert!((30_020..=30_120).contains(&sent[0].0), "others may answer at the same moment");
}

#[test]
fn who_asks_within_a_second_of_an_answer_is_answered_at_its_end() {
    let mut line = Line::announced();
    line.ask(&instance(), kind::SRV, false);
    assert_eq!(line.until(30_100).len(), 1);
    for _ in 0..100 {
        line.ask(&instance(), kind::SRV, false);
        line.ask(&service(), kind::PTR, false);
    }
    let sent = line.until(32_000);
    assert_eq!(sent.len(), 1, "{sent:?}");
    assert_eq!((sent[0].0, sent[0].1), (31_000, None));
    assert_eq!(kinds(&sent[0]), [kind::PTR, kind::SRV, kind::TXT, kind::A]);
}

#[test]
fn who_wants_a_unicast_answer_gets_one_also_within_a_second() {
    let mut line = Line::announced();
    line.ask(&service(), kind::PTR, false);
    line.until(30_500);
    line.ask(&service(), kind::PTR, true);
    let sent = line.take();
    assert_eq!(sent[0].1, Some("10.0.0.9:5353".parse().unwrap()));
    assert_eq!(kinds(&sent[0]), [kind::PTR, kind::SRV, kind::TXT, kind::A]);
    // What has not been said for a quarter of its time is said to all (RFC 6762 section 5.4).
    line.until(70_000);
    line.ask(&instance(), kind::SRV, true);
    let sent = line.until(70_100);
    assert_eq!((sent.len(), sent[0].1), (1, None));
}

#[test]
fn unicast_goes_only_to_this_network_and_not_without_end() {
    let mut line = Line::announced();
    line.until(40_000);
    line.ask(&service(), kind::PTR, false);
    line.until(40_500);
    let ask = |line: &mut Line, from: &str| {
        let mut packet = Packet::query();
        packet.question(&service(), kind::PTR, true);
        line.hear(from, packet);
        line.take().len()
    };
    assert_eq!(ask(&mut line, "10.0.9.9:5353"), 0);
    assert_eq!(ask(&mut line, "10.0.9.9:4000"), 0);
    let all: usize = (0..1000).map(|_| ask(&mut line, "10.0.0.9:5353")).sum();
    assert_eq!(all, usize::try_from(UNICASTS.1).unwrap());
}

#[test]
fn a_client_that_knows_only_dns_is_answered_as_it_expects() {
    let mut line = Line::announced();
    let mut packet = Packet::query();
    packet.question(&host(), kind::A, false);
    let mut bytes = packet.finish();
    bytes[0..2].copy_from_slice(&[0xAB, 0xCD]);
    let from: SocketAddr = "10.0.0.9:40000".parse().unwrap();
    line.responder.handle_message(line.now, LINK, from, &Message::read(&bytes).unwrap());
    let send = line.responder.poll_send().unwrap();
    assert_eq!(send.to, Some(from));
    let message = Message::read(&send.packet).unwrap();
    assert_eq!((message.id, message.questions.len()), (0xABCD, 1));
    assert!(message.said().all(|record| record.ttl <= 10));
    assert_eq!(message.said().next().unwrap().data(), Some(vec![10, 0, 0, 1]));
}

#[test]
fn what_somebody_knows_is_not_told_again() {
    let mut line = Line::announced();
    let known = |ttl: u32, truncated: bool| {
        let mut packet = Packet::query();
        packet.question(&service(), kind::PTR, false);
        packet.record(Section::Answers, &service(), &Data::Ptr(instance()), ttl, false);
        (packet, truncated)
    };
    line.hear("10.0.0.9:5353", known(4500, false).0);
    assert!(line.until(31_000).is_empty());
    line.hear("10.0.0.9:5353", known(100, false).0);
    assert_eq!(line.until(32_000).len(), 1, "it will forget it soon");
    // The known answers come in a packet of their own.
    line.until(40_000);
    let mut first = Packet::query();
    first.question(&service(), kind::PTR, false);
    let mut first = first.finish();
    first[2] |= 2;
    let from = "10.0.0.9:5353".parse().unwrap();
    line.responder.handle_message(line.now, LINK, from, &Message::read(&first).unwrap());
    assert!(line.until(40_300).is_empty(), "more follows");
    let rest = || {
        let mut rest = Packet::query();
        rest.record(Section::Answers, &service(), &Data::Ptr(instance()), 4500, false);
        rest
    };
    line.hear("10.0.0.9:5353", rest());
    assert!(line.until(42_000).is_empty());
    // What one knows is nothing to another who asks at the same moment.
    line.responder.handle_message(line.now, LINK, from, &Message::read(&first).unwrap());
    let mut other = Packet::query();
    other.question(&service(), kind::PTR, false);
    line.hear("10.0.0.8:5353", other);
    line.hear("10.0.0.9:5353", rest());
    line.hear("10.0.0.7:5353", rest());
    assert_eq!(line.until(44_000).len(), 1);
}

#[test]
fn what_there_is_not_is_said_too() {
    let mut line = Line::announced();
    line.ask(&host(), kind::AAAA, false);
    let sent = line.until(30_100);
    assert_eq!(sent[0].2, [("pi-healthchecker.local.".to_owned(), kind::NSEC)]);
    line.ask(&name("_services._dns-sd._udp.local"), kind::PTR, false);
    assert_eq!(kinds(&line.until(31_000)[0]), [kind::PTR]);
    for (of, kind) in [(name("other.local"), kind::A), (name("_ipp._tcp.local"), kind::PTR)] {
        line.ask(&of, kind, false);
    }
    assert!(line.until(35_000).is_empty());
}

#[test]
fn a_flood_of_questions_costs_one_answer_a_second() {
    let mut line = Line::announced();
    let mut packet = Packet::query();
    for _ in 0..230 {
        packet.question(&service(), kind::PTR, false);
    }
    let packet = packet.finish();
    let message = Message::read(&packet).unwrap();
    assert_eq!(message.questions.len(), RECORDS_MAX);
    let mut sent = Vec::new();
    for ms in (30_000..40_000).step_by(20) {
        sent.extend(line.until(ms));
        let from = "10.0.0.9:5353".parse().unwrap();
        line.responder.handle_message(line.now, LINK, from, &message);
        assert!(line.responder.sends.len() <= 1);
    }
    assert!((8..=10).contains(&sent.len()), "{}", sent.len());
    assert!(sent.iter().all(|one| one.2.len() == 4));
}

#[test]
fn another_network_on_the_same_link_is_asked_anew() {
    let mut line = Line::announced();
    let mut again = place("10.0.0.1");
    line.responder.handle_links(line.now, &[again.clone()]);
    assert!(line.responder.is_heard(), "nothing has changed");
    again.changes += 1;
    line.responder.handle_links(line.now, &[again.clone()]);
    assert!(!line.responder.is_heard());
    let sent = line.until(40_000);
    assert_eq!(kinds(&sent[0])[..2], [kind::ANY, kind::ANY]);
    line.responder.handle_links(line.now, &[]);
    assert_eq!((line.responder.is_heard(), line.responder.next_deadline()), (false, None));
    again.announced.clear();
    line.responder.handle_links(line.now, &[again]);
    assert_eq!(line.responder.next_deadline(), None, "the service does not listen there");
}

#[test]
fn what_cannot_be_sent_is_tried_again_ever_more_seldom() {
    let mut line = Line::new();
    let mut times = Vec::new();
    let end = line.t0 + Duration::from_secs(600);
    while let Some(at) = line.responder.next_deadline().filter(|at| *at < end) {
        line.now = at;
        line.responder.handle_time(at);
        while let Some(send) = line.responder.poll_send() {
            times.push(at.since(line.t0).as_secs());
            line.responder.handle_sent(at, send.outlet, false);
        }
    }
    assert_eq!(times.iter().filter(|at| **at < 5).count(), 3, "{times:?}");
    assert!(times.len() < 20, "{times:?}");
}

#[test]
fn a_goodbye_takes_everything_back() {
    let mut line = Line::announced();
    line.responder.goodbye();
    let send = line.responder.poll_send().unwrap();
    let message = Message::read(&send.packet).unwrap();
    assert_eq!(message.said().count(), 4);
    assert!(message.said().all(|record| record.ttl == 0));
    let mut early = Line::new();
    early.responder.goodbye();
    assert_eq!(early.responder.poll_send(), None);
}

#[test]
fn the_longest_answer_fits_into_a_packet() {
    let mut line = Line::new();
    let mut wide = place("10.0.0.1");
    wide.announced = (1..=12).map(|n| ip(&format!("fd00::{n}"))).collect();
    line.responder.handle_links(line.now, &[wide]);
    line.responder.handle_time(line.now + Duration::from_secs(1));
    let send = line.responder.poll_send().unwrap();
    assert!(send.packet.len() < 1400, "{}", send.packet.len());
}
