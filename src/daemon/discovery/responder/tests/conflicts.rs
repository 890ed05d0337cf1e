//! Others who want our names: who gives way, and who defends.

use super::*;

#[test]
fn a_name_that_is_taken_is_left_to_its_owner() {
    let mut line = Line::new();
    line.until(600);
    line.say(&instance(), &other_host(), 120);
    assert_eq!(line.names().0, "_healthchecker (2)._http._tcp.local.");
    line.say(&host(), &Data::A([10, 0, 0, 9].into()), 120);
    assert_eq!(line.names().1, "pi-healthchecker-2.local.");
    let sent = line.until(10_000);
    assert!(line.responder.is_heard());
    let last = &sent.last().unwrap().2;
    assert!(last.iter().any(|(of, _)| of == "_healthchecker (2)._http._tcp.local."), "{last:?}");
}

#[test]
fn a_conflict_that_comes_late_is_looked_into() {
    let mut line = Line::announced();
    line.say(&instance(), &other_host(), 120);
    assert!(!line.responder.is_heard(), "whose it is will be seen");
    assert_eq!(line.names().0, "_healthchecker._http._tcp.local.");
    // Nobody has it after all.
    let sent = line.until(40_000);
    assert_eq!(kinds(&sent[0])[..2], [kind::ANY, kind::ANY]);
    assert!(line.responder.is_heard());
    // Somebody has it.
    line.say(&instance(), &other_host(), 120);
    line.until(40_300);
    line.say(&instance(), &other_host(), 120);
    line.until(50_000);
    assert!(line.responder.is_heard());
    assert_eq!(line.names().0, "_healthchecker (2)._http._tcp.local.");
}

#[test]
fn our_own_records_and_goodbyes_are_no_conflict() {
    let mut line = Line::announced();
    line.say(&host(), &Data::A([10, 0, 0, 1].into()), 120);
    line.say(&instance(), &Data::Srv { port: 8080, target: host() }, 120);
    line.say(&instance(), &other_host(), 0);
    // Another daemon of this machine listens at an address more.
    let mut wide = place("10.0.0.1");
    wide.subnets.push((ip("fd77::1"), 64));
    line.responder.handle_links(line.now, &[wide]);
    line.until(60_000);
    line.say(&host(), &Data::Aaaa("fd77::1".parse().unwrap()), 120);
    line.say(&name("other.local"), &Data::A([10, 0, 0, 9].into()), 120);
    assert!(line.responder.is_heard());
}

#[test]
fn a_response_from_another_port_than_that_of_mdns_is_no_conflict() {
    let mut line = Line::announced();
    let mut packet = Packet::response(0);
    packet.record(Section::Answers, &instance(), &other_host(), 120, true);
    line.hear("10.0.0.9:40000", packet);
    assert!(line.responder.is_heard());
}

#[test]
fn what_somebody_takes_back_for_us_is_said_again_once_a_second_at_most() {
    let mut line = Line::announced();
    // Another service's goodbye is none of ours.
    line.say(&service(), &Data::Ptr(name("tv._http._tcp.local")), 0);
    assert!(line.until(32_000).is_empty());
    let mut sent = Vec::new();
    for ms in (32_000..42_000).step_by(20) {
        line.say(&service(), &Data::Ptr(instance()), 0);
        line.say(&host(), &Data::A([10, 0, 0, 1].into()), 10);
        sent.extend(line.until(ms));
    }
    assert!(kinds(&sent[0])[..2] == [kind::PTR, kind::A] && sent[0].0 <= 32_150, "{:?}", sent[0]);
    assert!((9..=11).contains(&sent.len()), "{}", sent.len());
    assert!(line.responder.is_heard());
}

#[test]
fn a_name_of_ours_is_defended_at_once() {
    let mut line = Line::announced();
    line.ask(&instance(), kind::SRV, false);
    line.until(30_010);
    let probe = || {
        let mut packet = Packet::query();
        packet.question(&instance(), kind::ANY, true);
        packet.record(Section::Authorities, &instance(), &other_host(), 120, false);
        packet
    };
    line.hear("10.0.0.9:5353", probe());
    let sent = line.take();
    assert_eq!(
        (sent.len(), sent[0].1, kinds(&sent[0])),
        (1, None, vec![kind::SRV, kind::TXT, kind::A])
    );
    for _ in 0..100 {
        line.hear("10.0.0.9:5353", probe());
    }
    assert!(line.take().is_empty());
    line.until(30_260);
    line.hear("10.0.0.9:5353", probe());
    assert_eq!(line.take().len(), 1);
}

/// Somebody probes for this name with data that goes before ours.
fn higher_probe(of: &Name, data: &Data) -> Packet {
    let mut packet = Packet::query();
    packet.question(of, kind::ANY, false);
    packet.record(Section::Authorities, of, data, 120, false);
    packet
}

#[test]
fn who_probes_for_ever_gets_the_name_and_silences_nobody() {
    let higher = Data::Srv { port: u16::MAX, target: name("zz.local") };
    let of_host = Data::A([250, 0, 0, 9].into());
    for (of, data, services, hosts) in [
        (instance(), higher, "_healthchecker (2)", "pi-healthchecker."),
        (host(), of_host, "_healthchecker.", "pi-healthchecker-2."),
    ] {
        let mut line = Line::new();
        for ms in (0..15_000).step_by(200) {
            line.until(ms);
            line.hear("10.0.0.9:5353", higher_probe(&of, &data));
        }
        assert!(line.responder.is_heard());
        let (service, host) = line.names();
        assert!(service.starts_with(services) && host.starts_with(hosts), "{service} {host}");
    }
}

#[test]
fn who_goes_first_and_then_does_not_take_the_name_leaves_it_to_us() {
    let mut line = Line::new();
    for ms in [400, 1700, 3000] {
        line.until(ms);
        let higher = Data::Srv { port: u16::MAX, target: name("zz.local") };
        line.hear("10.0.0.9:5353", higher_probe(&instance(), &higher));
    }
    line.until(3900);
    assert!(!line.responder.is_heard(), "we wait a second each time");
    line.until(6000);
    assert!(line.responder.is_heard());
    assert!(line.names().0.starts_with("_healthchecker."));
}

#[test]
fn whoever_says_that_he_has_every_name_makes_us_slow_and_no_more() {
    let mut line = Line::new();
    let mut probes = 0;
    for ms in (0..600_000).step_by(100) {
        probes += line.until(ms).len();
        let (service, host) = line.names();
        let label = service.split('.').next().unwrap().to_owned();
        let taken = Name::of([label.as_str(), "_http", "_tcp", "local"]).unwrap();
        line.say(&taken, &other_host(), 120);
        line.say(&name(&host), &Data::A([10, 0, 0, 9].into()), 120);
    }
    assert!(probes < 600, "{probes} in ten minutes");
    line.until(620_000);
    assert!(line.responder.is_heard(), "as soon as it ends");
}
