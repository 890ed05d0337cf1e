//! A look on the loopback interface: who answers, who refuses, who is silent.

use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener};
use std::time::Duration;

use super::*;
use crate::daemon::channel::{Receiver, channel};
use crate::daemon::echo;
use crate::daemon::prober::BlackHole;
use crate::engine::registration::Host;
use crate::engine::registry::AppId;
use crate::engine::surroundings::look::{LOOK_TAKES, Place, Sight, Witness};

/// A look, and what it tells.
struct Bench {
    at_once: usize,
    gateways: Vec<SocketAddr>,
    spoke: Vec<IpAddr>,
    told: Receiver<LookReport>,
    tell: Arc<Tell>,
}

impl Bench {
    fn new() -> Bench {
        let (sender, told) = channel();
        let tell = Arc::new(move |report| drop(sender.send(report)));
        let (gateways, spoke) = (Vec::new(), Vec::new());
        Bench { at_once: AT_ONCE_MAX, gateways, spoke, told, tell }
    }

    fn report(&self, witnesses: &[(Witness, Place)]) -> Report {
        let asked = witnesses.iter().map(|(witness, _)| *witness).collect();
        Report::new(7, asked, Arc::clone(&self.tell))
    }

    /// Looks, with none of these addresses here. What was told, in pieces.
    fn look(&mut self, witnesses: &[(Witness, Place)]) -> Vec<LookReport> {
        let mut report = self.report(witnesses);
        let (gateways, spoke) = (self.gateways.clone(), self.spoke.clone());
        let known = Known { gateways, spoke, since: Instant::now() };
        let survey = Survey::new(&mut report, self.at_once, known).unwrap();
        survey.run(witnesses, &nobody_knows(), |_| false).unwrap();
        drop(report);
        self.told.try_iter().collect()
    }
}

fn nobody_knows() -> Names {
    Names::new(Arc::new(|_: &str| None), 1)
}

fn app(id: u64) -> Witness {
    Witness::App(AppId(id))
}

fn at(address: SocketAddr) -> Place {
    Place::Port { host: Host::Address(address.ip()), port: address.port() }
}

fn listener() -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// An address that nothing listens on.
fn refusing() -> SocketAddr {
    listener().1
}

/// All that was seen, whichever piece it came with; only the last says that it is.
fn seen(pieces: &[LookReport]) -> Vec<(Witness, Sight)> {
    let (last, others) = pieces.split_last().unwrap();
    assert!(last.ended && others.iter().all(|piece| !piece.ended && !piece.seen.is_empty()));
    assert!(pieces.iter().all(|piece| piece.id == 7));
    let mut seen: Vec<_> = pieces.iter().flat_map(|piece| piece.seen.clone()).collect();
    seen.sort_by_key(|(witness, _)| *witness);
    seen
}

#[test]
fn who_answers_is_told_at_once_and_who_is_silent_in_the_end() {
    let (hole, (_listener, answering)) = (BlackHole::new(), listener());
    let witnesses = [
        (app(1), at(hole.address)),
        (app(2), at(answering)),
        (app(3), at(refusing())),
        // TCP to a broadcast address fails at once.
        (app(4), at("255.255.255.255:80".parse().unwrap())),
        (app(5), Place::Port { host: Host::Name("nas.lan".to_owned()), port: 80 }),
        (Witness::Gateway, Place::Gateways),
    ];
    let started = Instant::now();
    let pieces = Bench::new().look(&witnesses);
    assert!(started.elapsed() >= LOOK_TAKES);
    assert_eq!(
        seen(&pieces),
        [
            (app(1), Sight::Nothing),
            (app(2), Sight::Answers),
            (app(3), Sight::HostOnly),
            (app(4), Sight::Nothing),
            (app(5), Sight::Undecided),
            (Witness::Gateway, Sight::Undecided),
        ]
    );
    assert_eq!(pieces.last().unwrap().seen, [(app(1), Sight::Nothing)]);
}

#[test]
fn who_is_pinged_is_asked_for_an_echo() {
    let host = Host::Address("127.0.0.1".parse().unwrap());
    let pieces = Bench::new().look(&[(app(1), Place::Echo { host })]);
    let sight = if echo::is_allowed() { Sight::Answers } else { Sight::Undecided };
    assert_eq!(seen(&pieces), [(app(1), sight)]);
}

#[test]
fn a_look_ends_when_everybody_has_answered() {
    let (_listener, answering) = listener();
    let started = Instant::now();
    let pieces = Bench::new().look(&[(app(1), at(answering)), (app(2), at(refusing()))]);
    assert!(started.elapsed() < LOOK_TAKES);
    assert_eq!(seen(&pieces), [(app(1), Sight::Answers), (app(2), Sight::HostOnly)]);
    assert_eq!(Bench::new().look(&[]).len(), 1, "the end is told");
}

#[test]
fn with_few_descriptors_the_nearest_are_asked_and_of_the_others_nothing_is_said() {
    let (hole, (_listener, answering)) = (BlackHole::new(), listener());
    let mut bench = Bench { at_once: 1, ..Bench::new() };
    let witnesses = [(app(1), at(answering)), (app(2), at(hole.address)), (app(3), at(answering))];
    let expected = [(app(1), Sight::Answers), (app(2), Sight::Nothing), (app(3), Sight::Undecided)];
    assert_eq!(seen(&bench.look(&witnesses)), expected);
}

#[test]
fn a_router_that_refuses_lives_and_one_that_there_is_no_way_to_does_not() {
    let mut bench = Bench { gateways: vec!["127.0.0.7:0".parse().unwrap()], ..Bench::new() };
    let gateway = [(Witness::Gateway, Place::Gateways)];
    let pieces = bench.look(&gateway);
    assert_eq!(seen(&pieces), [(Witness::Gateway, Sight::Answers)]);
    let last = pieces.last().unwrap();
    assert_eq!((last.gateway, last.spoke), (Some("127.0.0.7".parse().unwrap()), last.gateway));
    // To a broadcast address there is none for TCP, and nobody may ask it for an echo.
    let silent = "255.255.255.255:0".parse().unwrap();
    bench.gateways = vec![silent];
    assert_eq!(seen(&bench.look(&gateway)), [(Witness::Gateway, Sight::Nothing)]);
    bench.gateways.push("127.0.0.7:0".parse().unwrap());
    assert_eq!(seen(&bench.look(&gateway)), [(Witness::Gateway, Sight::Answers)], "one lives");
}

#[test]
fn a_router_that_has_answered_before_and_was_not_asked_is_not_said_to_be_away() {
    let router: SocketAddr = "127.0.0.7:0".parse().unwrap();
    for at_once in [0, 1] {
        let mut bench =
            Bench { at_once, gateways: vec![router], spoke: vec![router.ip()], ..Bench::new() };
        let hole = BlackHole::new();
        let witnesses = [(app(1), at(hole.address)), (Witness::Gateway, Place::Gateways)];
        let seen = seen(&bench.look(&witnesses));
        assert_eq!(seen[1], (Witness::Gateway, Sight::Undecided), "{at_once} at once");
    }
}

#[test]
fn who_is_on_this_machine_shows_nothing_of_the_network() {
    let mut bench = Bench::new();
    let (_listener, answering) = listener();
    let lookout = Lookout::new(nobody_knows(), AT_ONCE_MAX, Arc::clone(&bench.tell));
    let witnesses = vec![(app(1), at(answering))];
    lookout.look(Look { id: 7, witnesses, routers: Vec::new(), silent_for: Duration::ZERO });
    let piece = bench.told.recv().unwrap();
    assert_eq!((piece.seen, piece.ended), (vec![(app(1), Sight::Ourselves)], true));
    bench.at_once = 0;
    assert_eq!(seen(&bench.look(&[(app(1), at(answering))])), [(app(1), Sight::Undecided)]);
}

#[test]
fn a_look_that_breaks_down_says_that_nothing_can_be_said() {
    let bench = Bench::new();
    let mut report = bench.report(&[(app(1), Place::Gateways), (app(2), Place::Gateways)]);
    report.note(app(2), Sight::Answers);
    report.note(app(2), Sight::Nothing);
    report.tell();
    let broken = std::thread::spawn(move || {
        let _report = report;
        panic!("on purpose");
    });
    assert!(broken.join().is_err());
    let expected = [(app(1), Sight::Undecided), (app(2), Sight::Answers)];
    assert_eq!(seen(&bench.told.try_iter().collect::<Vec<_>>()), expected);
}

#[test]
fn the_kernel_tells_of_neighbours() {
    assert!(neighbours::neighbours().is_ok());
}
