//! Opens the connections of checks, with as few system calls as it takes.
//!
//! ureq's own connector sets each time-out anew for each read and write, and reports the failure
//! of the address that it tried last. Here a time-out is set when it has to shrink, and of several
//! failures the one is reported that says most: that one address refused is news, that we have no
//! IPv6 is not.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use socket2::{Domain, Protocol, Socket, Type};
use ureq::Error;
use ureq::http::Uri;
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

use super::buffers::GrowingBuffers;

/// Room in a request for all but the address: our header lines, and a TLS record in pieces.
pub(super) const OUTPUT: usize = 512;

/// How much later than asked a wait for bytes may end: less is not worth a system call.
const SLACK: Duration = Duration::from_millis(10);

/// Longer than any check: stands in for "no time-out", which checks never have.
const WAIT_MAX: Duration = Duration::from_secs(3600);

/// Opens TCP connections.
#[derive(Debug)]
pub(super) struct TcpConnector;

impl<In: Transport> Connector<In> for TcpConnector {
    type Out = TcpTransport;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _chained: Option<In>,
    ) -> Result<Option<TcpTransport>, Error> {
        let deadline = Instant::now() + (*details.timeout.after).min(WAIT_MAX);
        let stream = connect_any(&details.addrs, deadline).map_err(|error| {
            if is_timeout(&error) {
                Error::Timeout(details.timeout.reason)
            } else {
                Error::Io(error)
            }
        })?;
        let output = OUTPUT + request_length(details.uri);
        let buffers = if details.needs_tls() {
            // A handshake is several small writes. A plain request is one, which nothing delays.
            stream.set_nodelay(true)?;
            GrowingBuffers::raw(output)
        } else {
            GrowingBuffers::new(output)
        };
        Ok(Some(TcpTransport { stream, buffers, read_timeout: None }))
    }
}

/// How long those parts of a request are that depend on the address.
pub(super) fn request_length(uri: &Uri) -> usize {
    uri.path().len() + uri.query().map_or(0, str::len) + uri.host().map_or(0, str::len)
}

/// Tries the addresses in turn. Each may take half of the time that is left, the last one all of it.
fn connect_any(addresses: &[SocketAddr], deadline: Instant) -> io::Result<TcpStream> {
    let mut worst = io::Error::from(ErrorKind::AddrNotAvailable);
    let mut others = addresses.len();
    for address in addresses {
        others -= 1;
        let left = deadline.saturating_duration_since(Instant::now());
        let share = if others == 0 { left } else { left / 2 };
        match connect(*address, share) {
            Ok(stream) => return Ok(stream),
            Err(error) if telling(&error) > telling(&worst) => worst = error,
            Err(_) => {}
        }
    }
    Err(worst)
}

/// Connects in blocking mode, with the time-out for sending, which Linux heeds while connecting too
/// (socket(7)), and which then stays in force for the request.
fn connect(address: SocketAddr, timeout: Duration) -> io::Result<TcpStream> {
    let timeout = timeout.max(Duration::from_millis(1));
    let socket = Socket::new(Domain::for_address(address), Type::STREAM, Some(Protocol::TCP))?;
    socket.set_write_timeout(Some(timeout))?;
    loop {
        match socket.connect(&address.into()) {
            Ok(()) => return Ok(socket.into()),
            // By a signal: asked again, Linux goes on waiting for the same connection.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

/// The time was up: how that is told depends on the call.
pub(super) fn is_timeout(error: &io::Error) -> bool {
    matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut)
        || error.raw_os_error() == Some(libc::EINPROGRESS)
}

/// How much a failure to connect says about the app, compared with others.
fn telling(error: &io::Error) -> u8 {
    match error.kind() {
        ErrorKind::AddrNotAvailable => 0,
        ErrorKind::NetworkUnreachable | ErrorKind::NetworkDown | ErrorKind::InvalidInput => 1,
        ErrorKind::ConnectionRefused => 4,
        _ if is_timeout(error) => 2,
        _ => 3,
    }
}

/// A TCP connection.
#[derive(Debug)]
pub(super) struct TcpTransport {
    stream: TcpStream,
    buffers: GrowingBuffers,
    /// As set on the socket.
    read_timeout: Option<Duration>,
}

impl TcpTransport {
    /// Sees to it that a read ends within `left` and [`SLACK`].
    fn limit_read(&mut self, left: Duration) -> io::Result<()> {
        let enough = |set: Duration| set >= left && set - left <= SLACK;
        if !self.read_timeout.is_some_and(enough) {
            self.stream.set_read_timeout(Some(left))?;
            self.read_timeout = Some(left);
        }
        Ok(())
    }
}

impl Transport for TcpTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        self.stream.write_all(output).map_err(|error| translate(error, timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        if timeout.after.is_zero() {
            // It may be we who are late: what lies there by now is an answer, and is not waited for.
            self.stream.set_nonblocking(true)?;
        } else {
            self.limit_read((*timeout.after).min(WAIT_MAX))?;
        }
        let room = self.buffers.input_append_buf();
        let amount = loop {
            match self.stream.read(room) {
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                result => break result.map_err(|error| translate(error, timeout))?,
            }
        };
        self.buffers.received(amount)?;
        Ok(amount > 0)
    }

    /// Never asked: no connection is used twice.
    fn is_open(&mut self) -> bool {
        false
    }
}

fn translate(error: io::Error, timeout: NextTimeout) -> Error {
    if is_timeout(&error) { Error::Timeout(timeout.reason) } else { Error::Io(error) }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    /// An address that nothing listens on.
    fn refusing() -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        listener.local_addr().unwrap()
    }

    #[test]
    fn the_next_address_is_tried() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let good = listener.local_addr().unwrap();
        // TCP to a broadcast address fails at once, here.
        let unreachable = "255.255.255.255:80".parse().unwrap();
        let stream = connect_any(&[refusing(), unreachable, good], soon()).unwrap();
        assert_eq!(stream.peer_addr().unwrap(), good);
    }

    #[test]
    fn the_failure_that_says_most_is_told() {
        let error = |kind: ErrorKind| telling(&io::Error::from(kind));
        assert!(error(ErrorKind::ConnectionRefused) > error(ErrorKind::HostUnreachable));
        assert!(error(ErrorKind::HostUnreachable) > error(ErrorKind::WouldBlock));
        assert!(error(ErrorKind::WouldBlock) > error(ErrorKind::NetworkUnreachable));
        let error = connect_any(&[refusing()], soon()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
    }

    #[test]
    fn a_connect_that_hangs_ends_in_time() {
        // A listener whose queue is full drops further connection requests.
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        let any: SocketAddr = "127.0.0.1:0".parse().unwrap();
        socket.bind(&any.into()).unwrap();
        socket.listen(0).unwrap();
        let full = socket.local_addr().unwrap().as_socket().unwrap();
        let wait = Duration::from_millis(200);
        let _queued: Vec<_> = (0..2).map_while(|_| connect(full, wait).ok()).collect();
        let started = Instant::now();
        let error = connect(full, wait).unwrap_err();
        assert!(is_timeout(&error), "{error:?}");
        assert!(started.elapsed() >= wait);
        assert!(started.elapsed() < Duration::from_secs(2));
    }
}
