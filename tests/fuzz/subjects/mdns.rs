//! Packets of mDNS that anybody on the network sends, one after the other.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use healthchecker::client::discovery::{Heard, SERVICE_TYPE};
use healthchecker::daemon::discovery::wire::{MESSAGE_MAX, Message, Name};
use healthchecker::daemon::discovery::{
    Announcement, Asking, Family, Outlet, OutletId, Quest, Responder, Search, Send, Survey,
};
use healthchecker::engine::presets::Preset;
use healthchecker::engine::time::Moment;

const LINK: OutletId = OutletId { link: 2, family: Family::V4 };

/// Answers that may wait to be handed to one who asked.
const TOLD_MAX: usize = 8;

/// Addresses of one daemon that are tried at most.
const ADDRESSES_MAX: usize = 16;

/// The input is packets, a byte before each: how long it is, in units of 8, and who sends it.
pub fn run(bytes: &[u8]) {
    let mut now = Moment::START;
    let mut responder = announced(&mut now);
    let mut asking = Asking::new();
    asking.ask(1, Name::dotted("nas.local").expect("a name"), (), now);
    let mut search = Search::new(Name::dotted(SERVICE_TYPE).expect("a name"), now);
    let mut survey = Survey::new(&Preset::services(), now);
    let mut told = 0;
    let mut rest = bytes;
    while let Some((&head, after)) = rest.split_first() {
        let length = (usize::from(head & 0x3F) * 8).min(after.len());
        let (packet, after) = after.split_at(length);
        rest = after;
        now = now + Duration::from_millis(7);
        let Some(message) = Message::read(packet) else {
            continue;
        };
        let from =
            [(10, 0, 0, 9, 5353), (10, 0, 0, 9, 40_000), (10, 1, 0, 9, 5353), (8, 8, 8, 8, 53)]
                [usize::from(head >> 6)];
        let from = SocketAddr::from(([from.0, from.1, from.2, from.3], from.4));
        responder.handle_message(now, LINK, from, &message);
        asking.handle_message((2, from), &message, |(), found| {
            assert!(!found.is_empty() && found.len() <= 16);
            told += 1;
        });
        search.handle_message(now, (2, from), &message);
        heard(&mut search, now);
        survey.handle_message(now, (2, from), &message);
        asked(&mut survey, now);
        assert!(
            survey.seen(&|_| true).iter().all(|one| !one.name.is_empty() && !one.host.is_empty())
        );
        responder.handle_time(now);
        assert!(
            sent(&mut responder) <= 2,
            "one packet makes two at most: an answer, and what was due"
        );
        assert!(responder.next_deadline().is_some_and(|at| at > now), "nothing stays due");
        drop(asking.handle_time(now));
    }
    assert!(told <= TOLD_MAX);
    // Whatever was said, it is announced again in the end.
    let end = now + Duration::from_secs(60);
    while let Some(at) = responder.next_deadline().filter(|at| *at <= end) {
        responder.handle_time(at);
        sent(&mut responder);
    }
    assert!(responder.is_heard());
}

/// What was heard can be used.
fn heard(search: &mut Search, now: Moment) {
    while let Some(thing) = search.poll_heard() {
        if let Heard::Service(service) = thing {
            assert!(service.full_name.ends_with(SERVICE_TYPE));
            assert!((1..=ADDRESSES_MAX).contains(&service.addresses.len()));
        }
    }
    asked(search, now);
}

/// What is asked can be read, and is not asked again at once.
fn asked(quest: &mut dyn Quest, now: Moment) {
    for packet in quest.handle_time(now) {
        assert!(Message::read(&packet).is_some_and(|asked| !asked.questions.is_empty()));
    }
    assert!(quest.next_deadline() > now, "nothing stays due");
}

/// One that has just been announced.
fn announced(now: &mut Moment) -> Responder {
    let address = IpAddr::from([10, 0, 0, 1]);
    let announcement = Announcement {
        bind: IpAddr::from([0, 0, 0, 0]),
        port: 8080,
        version: "1",
        hostname: "pi".to_owned(),
    };
    let mut responder = Responder::new(&announcement, 7, *now);
    let outlet = Outlet {
        id: LINK,
        source: address,
        announced: vec![address, IpAddr::from([0xFD00, 0, 0, 0, 0, 0, 0, 1])],
        subnets: vec![(address, 24)],
        changes: 0,
    };
    responder.handle_links(*now, &[outlet]);
    while !responder.is_heard() {
        *now = responder.next_deadline().expect("it probes");
        responder.handle_time(*now);
        sent(&mut responder);
    }
    responder
}

/// How many packets are to be sent; each of them can be read.
fn sent(responder: &mut Responder) -> usize {
    let mut count = 0;
    while let Some(Send { packet, .. }) = responder.poll_send() {
        let message = Message::read(&packet).expect("what we write can be read");
        assert!(packet.len() <= 1400.min(MESSAGE_MAX));
        assert!(message.said().all(|record| record.data().is_some()));
        count += 1;
    }
    count
}
