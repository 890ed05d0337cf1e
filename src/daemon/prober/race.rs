//! Connects to the first of several addresses that answers (RFC 8305, "happy eyeballs").
//!
//! A black-holed address costs a check a quarter of a second, not half of its time: the next one is
//! tried beside it. One that fails at once is no reason to wait at all.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};
use socket2::{Domain, Protocol, Socket, Type};

use crate::daemon::wants;

/// How long an address is waited for before the next one is tried as well: the "Connection Attempt
/// Delay" of RFC 8305, section 5. Less where there are so many that the time would not do for all.
pub(super) const NEXT_AFTER: Duration = Duration::from_millis(250);

/// The most addresses of one check that are tried at the same time: descriptors. The one tried for
/// the longest gives way, but not the first: it worked last time, or is the best guess.
pub(super) const AT_ONCE_MAX: usize = 4;

/// Connects to the first of `addresses` that answers, and gives its place among them.
///
/// # Errors
///
/// Of all failures the one that says most: that one address refused is news, that we have no IPv6
/// is not. A want of ours goes before all of them, since what it kept from being tried might have
/// answered.
pub(super) fn connect_any(
    addresses: &[SocketAddr],
    deadline: Instant,
) -> io::Result<(TcpStream, usize)> {
    let mut race =
        Race { addresses, next: 0, deadline, running: Vec::new(), poll: None, worst: None };
    race.run()
}

struct Race<'a> {
    addresses: &'a [SocketAddr],
    /// The address that is tried next.
    next: usize,
    deadline: Instant,
    running: Vec<Runner>,
    /// Made when there is more than one address to wait for.
    poll: Option<Poll>,
    worst: Option<io::Error>,
}

/// A connection that is being made.
struct Runner {
    place: usize,
    stream: mio::net::TcpStream,
}

impl Race<'_> {
    fn run(&mut self) -> io::Result<(TcpStream, usize)> {
        // Most apps have one address, or answer at the first: that takes no more system calls than
        // it would alone.
        while self.running.is_empty() {
            let Some((place, address)) = self.take_next() else { return Err(self.failure()) };
            let span = self.until_next();
            match connect(address, span) {
                Ok(socket) => return self.won(socket.into(), place),
                Err((socket, error)) if is_timeout(&error) && self.more_to_try() => {
                    let waiting = socket.map_or(Ok(()), |socket| self.wait_for(socket, place));
                    self.note(waiting.and(Err(error)));
                }
                Err((_, error)) => self.note(Err(error)),
            }
        }
        self.race()
    }

    /// With at least one connection under way.
    fn race(&mut self) -> io::Result<(TcpStream, usize)> {
        let mut next_at = Instant::now();
        loop {
            let now = Instant::now();
            if now >= self.deadline {
                return Err(self.failure());
            }
            if now >= next_at || self.running.is_empty() {
                match self.take_next() {
                    Some((place, address)) => {
                        match begin(address) {
                            Ok((socket, true)) => return self.won(socket.into(), place),
                            Ok((socket, false)) => {
                                let waiting = self.wait_for(socket, place);
                                self.note(waiting);
                                next_at = now + self.until_next();
                            }
                            Err(error) => self.note(Err(error)),
                        }
                        continue;
                    }
                    None if self.running.is_empty() => return Err(self.failure()),
                    None => next_at = self.deadline,
                }
            }
            self.wait(next_at.min(self.deadline))?;
            if let Some((stream, place)) = self.winner() {
                return self.won(stream, place);
            }
        }
    }

    fn more_to_try(&self) -> bool {
        self.next < self.addresses.len()
    }

    fn take_next(&mut self) -> Option<(usize, SocketAddr)> {
        let place = self.next;
        let address = *self.addresses.get(place)?;
        self.next += 1;
        Some((place, address))
    }

    /// How long the address that was taken last has the field to itself.
    fn until_next(&self) -> Duration {
        let left = self.deadline.saturating_duration_since(Instant::now());
        let untried = u32::try_from(self.addresses.len() - self.next).unwrap_or(u32::MAX);
        if untried == 0 { left } else { NEXT_AFTER.min(left / (untried + 1)) }
    }

    /// Waits for this connection, too.
    fn wait_for(&mut self, socket: Socket, place: usize) -> io::Result<()> {
        if self.running.len() >= AT_ONCE_MAX {
            let first = usize::from(self.running.first().is_some_and(|runner| runner.place == 0));
            self.running.remove(first);
        }
        socket.set_nonblocking(true)?;
        let mut stream = mio::net::TcpStream::from_std(socket.into());
        let poll = match &mut self.poll {
            Some(poll) => poll,
            None => self.poll.insert(Poll::new()?),
        };
        poll.registry().register(&mut stream, Token(place), Interest::WRITABLE)?;
        self.running.push(Runner { place, stream });
        Ok(())
    }

    /// Until something happens, or `until`.
    fn wait(&mut self, until: Instant) -> io::Result<()> {
        let Some(poll) = &mut self.poll else { return Ok(()) };
        let mut events = Events::with_capacity(AT_ONCE_MAX);
        let left = until.saturating_duration_since(Instant::now());
        match poll.poll(&mut events, Some(left)) {
            Err(error) if error.kind() != ErrorKind::Interrupted => Err(error),
            _ => Ok(()),
        }
    }

    /// A connection that is made, if there is one. Those that failed are let go.
    fn winner(&mut self) -> Option<(TcpStream, usize)> {
        let mut winner = None;
        for runner in std::mem::take(&mut self.running) {
            match runner.stream.take_error().and_then(|error| error.map_or(Ok(()), Err)) {
                Err(error) => self.note(Err(error)),
                Ok(()) if winner.is_none() && runner.stream.peer_addr().is_ok() => {
                    winner = Some((runner.stream.into(), runner.place));
                }
                Ok(()) => self.running.push(runner),
            }
        }
        winner
    }

    /// The time-out for sending stays in force for the request.
    fn won(&self, stream: TcpStream, place: usize) -> io::Result<(TcpStream, usize)> {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if self.addresses.len() > 1 {
            stream.set_nonblocking(false)?;
            stream.set_write_timeout(Some(left.max(LEAST)))?;
        }
        Ok((stream, place))
    }

    fn note(&mut self, result: io::Result<()>) {
        let Err(error) = result else { return };
        if self.worst.as_ref().is_none_or(|worst| telling(&error) > telling(worst)) {
            self.worst = Some(error);
        }
    }

    fn failure(&mut self) -> io::Error {
        let timeout = io::Error::from(ErrorKind::TimedOut);
        if !self.running.is_empty() {
            self.note(Err(timeout));
        }
        self.worst.take().unwrap_or_else(|| ErrorKind::TimedOut.into())
    }
}

/// The system takes no time-out of nothing.
const LEAST: Duration = Duration::from_millis(1);

/// Connects in blocking mode, with the time-out for sending, which Linux heeds while connecting too
/// (socket(7)). After a time-out the connection is still being made: the socket comes back.
fn connect(address: SocketAddr, timeout: Duration) -> Result<Socket, (Option<Socket>, io::Error)> {
    let socket = new_socket(address).map_err(|error| (None, error))?;
    if let Err(error) = socket.set_write_timeout(Some(timeout.max(LEAST))) {
        return Err((None, error));
    }
    let begun = Instant::now();
    loop {
        match socket.connect(&address.into()) {
            Ok(()) => return Ok(socket),
            // By a signal, or since we were stopped: asked again, Linux goes on waiting for the same
            // connection, and for the whole time-out, of which a part has passed.
            Err(error) if error.kind() == ErrorKind::Interrupted => {
                let left = timeout.saturating_sub(begun.elapsed()).max(LEAST);
                if let Err(error) = socket.set_write_timeout(Some(left)) {
                    return Err((Some(socket), error));
                }
            }
            Err(error) => return Err((Some(socket), whose(error, address))),
        }
    }
}

/// Begins to connect, on a socket that does not block; whether that was all.
pub(in crate::daemon) fn begin(address: SocketAddr) -> io::Result<(Socket, bool)> {
    let socket = new_socket(address)?;
    socket.set_nonblocking(true)?;
    match socket.connect(&address.into()) {
        Ok(()) => Ok((socket, true)),
        Err(error) if is_timeout(&error) => Ok((socket, false)),
        Err(error) => Err(whose(error, address)),
    }
}

fn new_socket(address: SocketAddr) -> io::Result<Socket> {
    Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))
}

/// `EADDRNOTAVAIL` means that all our ports are in use, or else that we have no address from which
/// that one can be reached: then we have no network for it, as a datagram socket shows, which sends
/// nothing when it is connected.
fn whose(error: io::Error, address: SocketAddr) -> io::Error {
    if error.kind() != ErrorKind::AddrNotAvailable {
        return error;
    }
    let any = match address {
        SocketAddr::V4(_) => SocketAddr::from((Ipv4Addr::UNSPECIFIED, 0)),
        SocketAddr::V6(_) => SocketAddr::from((Ipv6Addr::UNSPECIFIED, 0)),
    };
    let reachable = UdpSocket::bind(any).and_then(|socket| socket.connect(address));
    if reachable.is_ok() { error } else { ErrorKind::NetworkUnreachable.into() }
}

/// The time was up: how that is told depends on the call.
pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
        || error.raw_os_error() == Some(libc::EINPROGRESS)
}

/// How much a failure to connect says about the app, compared with others.
pub(super) fn telling(error: &io::Error) -> u8 {
    match error.kind() {
        _ if error.raw_os_error().is_some_and(wants::is_ours) => 5,
        ErrorKind::ConnectionRefused => 4,
        ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown | ErrorKind::InvalidInput => 1,
        _ if is_timeout(error) => 2,
        _ => 3,
    }
}

/// For tests: an address that answers nothing. The queue of a listener is full, and it drops what comes.
#[cfg(test)]
pub(in crate::daemon) struct BlackHole {
    pub(in crate::daemon) address: SocketAddr,
    socket: Socket,
    _queued: Vec<Socket>,
}

#[cfg(test)]
impl BlackHole {
    pub(in crate::daemon) fn new() -> BlackHole {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        socket.bind(&any.into()).unwrap();
        socket.listen(0).unwrap();
        let address = socket.local_addr().unwrap().as_socket().unwrap();
        let wait = Duration::from_millis(200);
        let queued = (0..2).map_while(|_| connect(address, wait).ok()).collect();
        BlackHole { address, socket, _queued: queued }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    fn listener() -> (TcpListener, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (listener, address)
    }

    /// An address that nothing listens on.
    fn refusing() -> SocketAddr {
        listener().1
    }

    #[test]
    fn the_next_address_is_tried() {
        let (_listener, good) = listener();
        // TCP to a broadcast address fails at once, here.
        let unreachable = "255.255.255.255:80".parse().unwrap();
        let (stream, place) = connect_any(&[refusing(), unreachable, good], soon()).unwrap();
        assert_eq!((stream.peer_addr().unwrap(), place), (good, 2));
    }

    #[test]
    fn an_address_that_answers_is_found_behind_any_number_that_refuse() {
        let (_listener, good) = listener();
        let mut addresses = vec![refusing(); 47];
        addresses.push(good);
        let (_, place) = connect_any(&addresses, soon()).unwrap();
        assert_eq!(place, 47);
    }

    #[test]
    fn a_black_hole_costs_a_quarter_of_a_second() {
        let hole = BlackHole::new();
        let (_listener, good) = listener();
        let started = Instant::now();
        let deadline = started + Duration::from_secs(20);
        let (stream, place) = connect_any(&[hole.address, good], deadline).unwrap();
        assert_eq!(place, 1);
        assert!(started.elapsed() >= NEXT_AFTER);
        assert!(started.elapsed() < Duration::from_secs(5), "{:?}", started.elapsed());
        // As one connected alone: it waits for its bytes.
        stream.set_read_timeout(Some(Duration::from_millis(50))).unwrap();
        let error = io::Read::read(&mut &stream, &mut [0]).unwrap_err();
        assert!(is_timeout(&error));
        assert!(stream.write_timeout().unwrap().unwrap() > Duration::from_secs(10));
    }

    #[test]
    fn many_black_holes_leave_time_for_the_last_address() {
        let hole = BlackHole::new();
        let (_listener, good) = listener();
        let mut addresses = vec![hole.address; 20];
        addresses.push(good);
        let deadline = Instant::now() + Duration::from_secs(4);
        let (_, place) = connect_any(&addresses, deadline).unwrap();
        assert_eq!(place, 20);
    }

    #[test]
    fn the_best_address_is_waited_for_though_many_others_are_tried() {
        let (late, hole) = (BlackHole::new(), BlackHole::new());
        let mut addresses = vec![hole.address; 8];
        addresses.insert(0, late.address);
        let deadline = Instant::now() + Duration::from_secs(20);
        let opened = std::thread::spawn(move || {
            // By then four others are under way.
            std::thread::sleep(Duration::from_millis(1_500));
            while late.socket.accept().is_ok() {}
        });
        let (_, place) = connect_any(&addresses, deadline).unwrap();
        assert_eq!(place, 0);
        drop(opened);
    }

    #[test]
    fn who_answers_late_is_waited_for() {
        let hole = BlackHole::new();
        let deadline = Instant::now() + Duration::from_millis(700);
        let error = connect_any(&[hole.address, refusing(), hole.address], deadline).unwrap_err();
        assert!(Instant::now() >= deadline, "the refusal is not the end");
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused, "but says most");
    }

    #[test]
    fn the_failure_that_says_most_is_told() {
        let error = |kind: ErrorKind| telling(&io::Error::from(kind));
        assert!(error(ErrorKind::ConnectionRefused) > error(ErrorKind::HostUnreachable));
        assert!(error(ErrorKind::HostUnreachable) > error(ErrorKind::WouldBlock));
        assert!(error(ErrorKind::WouldBlock) > error(ErrorKind::NetworkUnreachable));
        let ours = telling(&io::Error::from_raw_os_error(libc::EMFILE));
        assert!(ours > error(ErrorKind::ConnectionRefused), "the next might have answered");
        let error = connect_any(&[refusing()], soon()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }

    #[test]
    fn a_connect_that_hangs_ends_in_time() {
        let hole = BlackHole::new();
        let started = Instant::now();
        let wait = Duration::from_millis(200);
        let error = connect_any(&[hole.address], started + wait).unwrap_err();
        assert!(is_timeout(&error), "{error:?}");
        assert!(started.elapsed() >= wait);
        assert!(started.elapsed() < Duration::from_secs(2));
    }

    #[test]
    fn no_address_to_come_from_is_no_want_of_ports() {
        let refused = |address: &str| {
            let error = io::Error::from_raw_os_error(libc::EADDRNOTAVAIL);
            whose(error, address.parse().unwrap()).kind()
        };
        assert_eq!(refused("127.0.0.1:80"), ErrorKind::AddrNotAvailable, "our ports are in use");
        // A link-local address without an interface.
        assert_eq!(refused("[fe80::1]:80"), ErrorKind::NetworkUnreachable);
    }
}
