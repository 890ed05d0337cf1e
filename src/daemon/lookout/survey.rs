//! One look: everybody is asked at once, and whoever is left when the time is up is silent.

use std::collections::VecDeque;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token, net};

use super::neighbours::{Neighbour, neighbours};
use super::report::Report;
use crate::daemon::echo::Echo;
use crate::daemon::names::Names;
use crate::daemon::prober::begin_to_connect;
use crate::daemon::wants;
use crate::engine::registration::Host;
use crate::engine::surroundings::look::{LOOK_TAKES, Place, Sight, Witness};

/// The most addresses of one name that are asked: two of each family would do.
const ADDRESSES_MAX: usize = 4;

/// Ports of a router that are asked: names, and its pages. One that nobody listens on is refused, which is
/// as good.
const GATEWAY_PORTS: [u16; 3] = [53, 80, 443];

/// Who was asked for a shorter time, having waited for a place, is not silent yet: a lost packet is sent
/// again after a second.
const FAIR: Duration = Duration::from_millis(1_200);

/// Who has not answered an echo for so long is asked for another: packets get lost.
const ECHO_AGAIN: Duration = Duration::from_millis(500);

/// So soon it is seen whether a router has answered at the link; then after twice that, and so on.
const FIRST_PEEK: Duration = Duration::from_millis(50);

/// Who ends so late has stood still: an answer may have been missed.
const LATE: Duration = Duration::from_secs(1);

/// One look under way.
pub(super) struct Survey<'a> {
    report: &'a mut Report,
    at_once: usize,
    poll: Poll,
    end: Instant,
    since: Instant,
    gateways: Vec<Gateway>,
    waiting: VecDeque<Question>,
    /// By token.
    asked: Vec<Option<Asked>>,
    subjects: Vec<Subject>,
}

/// What is known of routers.
pub(super) struct Known {
    /// All, the first listed first.
    pub(super) gateways: Vec<SocketAddr>,
    /// Who has answered a connection or an echo before.
    pub(super) spoke: Vec<IpAddr>,
    /// What is seen of them at the link counts since then. (The kernel asks one that it has not heard of for a
    /// while only five seconds after a packet to it: the next look sees the answer.)
    pub(super) since: Instant,
}

/// A witness, and what is known by now.
struct Subject {
    witness: Witness,
    /// Questions without an answer.
    open: usize,
    best: Sight,
}

/// A router.
struct Gateway {
    address: SocketAddr,
    /// Its silence tells that it is away: it has answered before, or there is no way to it.
    is_gone_if_silent: bool,
}

/// One way to ask one address.
#[derive(Clone, Copy)]
struct Question {
    witness: Witness,
    address: SocketAddr,
    by_echo: bool,
}

/// A question that is out.
struct Asked {
    question: Question,
    at: Instant,
    socket: Socket,
}

enum Socket {
    Tcp(net::TcpStream),
    Echo(Echo),
}

/// What came of a question.
enum Answer {
    Sight(Sight),
    /// Nothing yet.
    Open,
}

impl<'a> Survey<'a> {
    /// # Errors
    /// No descriptor is left.
    pub(super) fn new(
        report: &'a mut Report,
        at_once: usize,
        known: Known,
    ) -> io::Result<Survey<'a>> {
        let Known { gateways, spoke, since } = known;
        report.set_gateway(gateways.first().map(SocketAddr::ip));
        let gateway = |address: SocketAddr| {
            let speaks = spoke.contains(&address.ip());
            Gateway { address, is_gone_if_silent: speaks }
        };
        Ok(Survey {
            report,
            at_once,
            poll: Poll::new()?,
            end: Instant::now() + LOOK_TAKES,
            since,
            gateways: gateways.into_iter().map(gateway).collect(),
            waiting: VecDeque::new(),
            asked: Vec::new(),
            subjects: Vec::new(),
        })
    }

    /// Asks all witnesses, the first of them first. Who `is_here` shows nothing of any network.
    ///
    /// # Errors
    /// The system does not tell of events.
    pub(super) fn run(
        mut self,
        witnesses: &[(Witness, Place)],
        names: &Names,
        is_here: impl Fn(IpAddr) -> bool,
    ) -> io::Result<()> {
        for (witness, place) in witnesses {
            let questions = self.questions(*witness, place, names, &is_here);
            let open = questions.len();
            self.waiting.extend(questions);
            self.subjects.push(Subject { witness: *witness, open, best: Sight::Nothing });
            if open == 0 {
                let sight = if is_ours(place, names, &is_here) {
                    Sight::Ourselves
                } else {
                    Sight::Undecided
                };
                self.report.note(*witness, sight);
            }
        }
        let mut events = Events::with_capacity(self.at_once.max(1));
        let mut peek_after = FIRST_PEEK;
        while !self.report.is_whole() {
            self.ask_on();
            self.report.tell();
            let now = Instant::now();
            if self.report.is_whole() || now >= self.end {
                break;
            }
            match self.poll.poll(&mut events, Some(peek_after.min(self.end - now))) {
                Err(why) if why.kind() != io::ErrorKind::Interrupted => return Err(why),
                _ => {}
            }
            events.iter().for_each(|event| self.look_into(event.token()));
            if events.is_empty() {
                self.ask_again();
                self.peek();
                peek_after *= 2;
            }
        }
        self.conclude();
        Ok(())
    }

    fn questions(
        &self,
        witness: Witness,
        place: &Place,
        names: &Names,
        is_here: impl Fn(IpAddr) -> bool,
    ) -> Vec<Question> {
        let question = |address, by_echo| Question { witness, address, by_echo };
        let of_host = |host, port, by_echo| {
            let addresses = addresses(host, port, names);
            let elsewhere = addresses.iter().filter(|address| !is_here(address.ip()));
            elsewhere.take(ADDRESSES_MAX).map(|address| question(*address, by_echo)).collect()
        };
        match place {
            Place::Port { host, port } => of_host(host, *port, false),
            Place::Echo { host } => of_host(host, 0, true),
            Place::Gateways => {
                let ways = |gateway: &Gateway| {
                    let by_port = GATEWAY_PORTS.map(|port| {
                        let mut address = gateway.address;
                        address.set_port(port);
                        question(address, false)
                    });
                    by_port.into_iter().chain([question(gateway.address, true)])
                };
                self.gateways.iter().flat_map(ways).collect()
            }
        }
    }

    /// As many as there may be at once.
    fn ask_on(&mut self) {
        // Nobody needs to hear it twice.
        for place in &mut self.asked {
            if place.as_ref().is_some_and(|asked| !self.report.is_open(asked.question.witness)) {
                *place = None;
            }
        }
        while self.asked.iter().flatten().count() < self.at_once {
            let Some(question) = self.waiting.pop_front() else { return };
            if self.report.is_open(question.witness) {
                match self.ask(question) {
                    Ok(Some(socket)) => self.keep(question, socket),
                    Ok(None) => self.note(question, Sight::Answers),
                    Err(why) => self.note_failure(question, &why),
                }
            }
        }
    }

    /// Begins to ask; `None`: that was enough.
    fn ask(&self, question: Question) -> io::Result<Option<Socket>> {
        if question.by_echo {
            let not_allowed = || io::ErrorKind::PermissionDenied.into();
            let mut echo =
                Echo::new(question.address).map_err(|why| why.unwrap_or_else(not_allowed))?;
            echo.ask()?;
            return Ok(Some(Socket::Echo(echo)));
        }
        let (socket, is_connected) = begin_to_connect(question.address)?;
        Ok((!is_connected).then(|| Socket::Tcp(net::TcpStream::from_std(socket.into()))))
    }

    fn keep(&mut self, question: Question, mut socket: Socket) {
        let free = self.asked.iter().position(Option::is_none).unwrap_or(self.asked.len());
        let registry = self.poll.registry();
        let registered = match &mut socket {
            Socket::Tcp(stream) => registry.register(stream, Token(free), Interest::WRITABLE),
            Socket::Echo(echo) => registry.register(echo.source(), Token(free), Interest::READABLE),
        };
        if let Err(why) = registered {
            return self.note_failure(question, &why);
        }
        let asked = Some(Asked { question, at: Instant::now(), socket });
        match self.asked.get_mut(free) {
            Some(place) => *place = asked,
            None => self.asked.push(asked),
        }
    }

    /// Those who may not have heard it.
    fn ask_again(&mut self) {
        let waits = |asked: &&mut Asked| asked.at.elapsed() >= ECHO_AGAIN;
        for asked in self.asked.iter_mut().flatten().filter(waits) {
            if let Socket::Echo(echo) = &mut asked.socket {
                // What is wrong with the way is told with the answers.
                let _ = echo.ask();
            }
        }
    }

    fn look_into(&mut self, token: Token) {
        let Some(place) = self.asked.get_mut(token.0) else { return };
        let Some(asked) = place else { return };
        match asked.socket.answer() {
            Ok(Answer::Open) => {}
            Ok(Answer::Sight(sight)) => {
                let question = asked.question;
                *place = None;
                self.note(question, sight);
            }
            Err(why) => {
                let question = asked.question;
                *place = None;
                self.note_failure(question, &why);
            }
        }
    }

    fn note_failure(&mut self, question: Question, why: &io::Error) {
        let sight = sight_of(why);
        if sight == Sight::Nothing
            && let Some(gateway) = self.gateway_at(question.address)
        {
            gateway.is_gone_if_silent = true;
        }
        self.note(question, sight);
    }

    fn note(&mut self, question: Question, sight: Sight) {
        let is_witness = |subject: &&mut Subject| subject.witness == question.witness;
        let Some(subject) = self.subjects.iter_mut().find(is_witness) else { return };
        subject.open = subject.open.saturating_sub(1);
        subject.best = most_telling(subject.best, sight);
        let (open, best) = (subject.open, subject.best);
        if question.witness == Witness::Gateway {
            // Any life will do, and no way of asking is the last.
            if matches!(sight, Sight::Answers | Sight::HostOnly) {
                self.report.set_spoke(question.address.ip());
                self.report.note(Witness::Gateway, Sight::Answers);
            }
        } else if best == Sight::Answers || open == 0 {
            self.report.note(question.witness, best);
        }
    }

    fn gateway_at(&mut self, address: SocketAddr) -> Option<&mut Gateway> {
        let address = plain(address);
        self.gateways.iter_mut().find(|gateway| gateway.address == address)
    }

    /// Whether a router has answered at the link meanwhile.
    fn peek(&mut self) -> Vec<Neighbour> {
        if !self.report.is_open(Witness::Gateway) {
            return Vec::new();
        }
        let neighbours = neighbours().unwrap_or_default();
        let span = self.since.elapsed();
        let has_answered = |neighbour: &Neighbour| {
            let is_gateway = self.gateways.iter().any(|gateway| neighbour.is(gateway.address));
            is_gateway && neighbour.answered.is_some_and(|ago| ago <= span)
        };
        if neighbours.iter().any(has_answered) {
            self.report.note(Witness::Gateway, Sight::Answers);
        }
        neighbours
    }

    /// The time is up.
    fn conclude(&mut self) {
        let neighbours = self.peek();
        let now = Instant::now();
        let stood_still = now.saturating_duration_since(self.end) > LATE;
        let was_asked_fairly = |asked: &Asked| !stood_still && now.duration_since(asked.at) >= FAIR;
        let is_of_gateway = |question: &Question| question.witness == Witness::Gateway;
        let mut asked = self.asked.iter().flatten();
        let was_gateway_asked = !stood_still
            && !self.waiting.iter().any(is_of_gateway)
            && asked.all(|asked| !is_of_gateway(&asked.question) || was_asked_fairly(asked));
        let gateway =
            if was_gateway_asked { self.silent_gateway(&neighbours) } else { Sight::Undecided };
        self.report.note(Witness::Gateway, gateway);
        let sight_of = |question: &Question, is_fair: bool| {
            let sight = if is_fair { Sight::Nothing } else { Sight::Undecided };
            (*question, sight)
        };
        let asked = self.asked.iter().flatten();
        let asked = asked.map(|asked| sight_of(&asked.question, was_asked_fairly(asked)));
        let not_asked = self.waiting.iter().map(|question| sight_of(question, false));
        let rest: Vec<_> = asked.chain(not_asked).collect();
        rest.into_iter().for_each(|(question, sight)| self.note(question, sight));
    }

    /// What it means that no router has answered.
    fn silent_gateway(&self, neighbours: &[Neighbour]) -> Sight {
        let is_gone = |gateway: &Gateway| {
            let is_silent =
                |neighbour: &Neighbour| neighbour.is(gateway.address) && neighbour.is_silent;
            gateway.is_gone_if_silent || neighbours.iter().any(is_silent)
        };
        let all_gone = !self.gateways.is_empty() && self.gateways.iter().all(is_gone);
        if all_gone { Sight::Nothing } else { Sight::Undecided }
    }
}

impl Socket {
    fn answer(&self) -> io::Result<Answer> {
        match self {
            Socket::Tcp(stream) => match stream.take_error()? {
                Some(why) => Err(why),
                None if stream.peer_addr().is_ok() => Ok(Answer::Sight(Sight::Answers)),
                None => Ok(Answer::Open),
            },
            Socket::Echo(echo) => match echo.is_answered()? {
                true => Ok(Answer::Sight(Sight::Answers)),
                false => Ok(Answer::Open),
            },
        }
    }
}

/// The addresses of a host that are at hand.
fn addresses(host: &Host, port: u16, names: &Names) -> Vec<SocketAddr> {
    match host {
        Host::Address(address) => vec![SocketAddr::new(*address, port)],
        Host::Name(name) => {
            let known = names.known(name);
            let with_port = |address: &SocketAddr| {
                let mut address = *address;
                address.set_port(port);
                address
            };
            known.iter().flat_map(|known| known.iter()).map(with_port).collect()
        }
    }
}

/// Whether it is an address of our own machine, however it is called.
fn is_ours(place: &Place, names: &Names, is_here: impl Fn(IpAddr) -> bool) -> bool {
    match place {
        Place::Port { host, .. } | Place::Echo { host } => {
            let addresses = addresses(host, 0, names);
            !addresses.is_empty() && addresses.iter().all(|address| is_here(address.ip()))
        }
        Place::Gateways => false,
    }
}

/// What a failure shows of whoever was asked.
fn sight_of(why: &io::Error) -> Sight {
    match why.kind() {
        io::ErrorKind::ConnectionRefused | io::ErrorKind::ConnectionReset => Sight::HostOnly,
        // Our own machine forbids it.
        io::ErrorKind::PermissionDenied => Sight::Undecided,
        _ if why.raw_os_error().is_some_and(wants::is_ours) => Sight::Undecided,
        _ => Sight::Nothing,
    }
}

/// Of two sights of one witness, the one that says more. What could not be asked might have answered.
fn most_telling(one: Sight, other: Sight) -> Sight {
    let order = [Sight::Answers, Sight::HostOnly, Sight::Undecided];
    order.into_iter().find(|sight| [one, other].contains(sight)).unwrap_or(Sight::Nothing)
}

/// As in the list of gateways.
fn plain(mut address: SocketAddr) -> SocketAddr {
    address.set_port(0);
    address
}
