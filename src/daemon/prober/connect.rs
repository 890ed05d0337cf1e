//! Opens the connections of checks, with as few system calls as it takes.
//!
//! ureq's own connector sets each time-out anew for each read and write; here one is set when it has
//! to shrink. And ureq has room for 16 addresses of a name, so names are looked up here, too, where
//! it is known whether an address may be asked.

use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use ureq::Error;
use ureq::http::Uri;
use ureq::http::uri::Scheme;
use ureq::unversioned::resolver::{ResolvedSocketAddrs, Resolver};
use ureq::unversioned::transport::{Buffers, ConnectionDetails, Connector, NextTimeout, Transport};

use super::buffers::GrowingBuffers;
use super::race::{connect_any, is_timeout};
use crate::daemon::names::{Fault, Names};
use crate::engine::registration::Origin;
use crate::engine::registration::host::is_own_machine;

/// How much later than asked a wait for bytes may end: less is not worth a system call.
const SLACK: Duration = Duration::from_millis(10);

/// Longer than any check: stands in for "no time-out", which checks never have.
const WAIT_MAX: Duration = Duration::from_secs(3600);

/// Opens TCP connections for registrations that came from `origin`.
#[derive(Debug)]
pub(super) struct TcpConnector {
    pub(super) names: Names,
    pub(super) origin: Origin,
}

impl<In: Transport> Connector<In> for TcpConnector {
    type Out = TcpTransport;

    fn connect(
        &self,
        details: &ConnectionDetails,
        _chained: Option<In>,
    ) -> Result<Option<TcpTransport>, Error> {
        let deadline = Instant::now() + (*details.timeout.after).min(WAIT_MAX);
        let host = details.uri.host().unwrap_or_default();
        let stream = self.open(host, port(details.uri), deadline).map_err(|error| match error {
            Error::Io(error) if is_timeout(&error) => Error::Timeout(details.timeout.reason),
            error => error,
        })?;
        let output = request_length(details);
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

impl TcpConnector {
    /// Looks up who is asked, and connects.
    ///
    /// # Errors
    /// In the words of the HTTP client, which carries them.
    pub(super) fn open(
        &self,
        host: &str,
        port: u16,
        deadline: Instant,
    ) -> Result<TcpStream, Error> {
        let addresses = self.addresses(host, port, deadline)?;
        let (stream, place) = connect_any(&addresses, deadline)?;
        if let (Some(address), true) = (addresses.get(place), addresses.len() > 1) {
            self.names.won(host, *address);
        }
        Ok(stream)
    }

    /// Looks up who is asked.
    ///
    /// # Errors
    /// Nobody is known by this name, or nobody who may be asked.
    pub(super) fn addresses(
        &self,
        host: &str,
        port: u16,
        deadline: Instant,
    ) -> Result<Vec<SocketAddr>, Unreached> {
        let found = self.names.resolve(host, deadline);
        let found = found.map_err(|fault| Unreached::NoAddress { name: host.to_owned(), fault })?;
        self.allowed(host, &found, port)
    }

    /// A name that leads to this machine itself means another machine to who sent it over the network
    /// (`raspberrypi`, which every Pi takes for itself), or is to make us read what only this machine
    /// should.
    fn allowed(
        &self,
        host: &str,
        found: &[SocketAddr],
        port: u16,
    ) -> Result<Vec<SocketAddr>, Unreached> {
        let is_allowed = |address: &&SocketAddr| match self.origin {
            Origin::OwnMachine => true,
            Origin::Network => !is_own_machine(address.ip()),
        };
        let with_port = |address: &SocketAddr| {
            let mut address = *address;
            address.set_port(port);
            address
        };
        let allowed: Vec<_> = found.iter().filter(is_allowed).map(with_port).collect();
        match (allowed.is_empty(), found.first()) {
            (true, Some(own)) => {
                Err(Unreached::OwnMachine { name: host.to_owned(), address: own.ip() })
            }
            _ => Ok(allowed),
        }
    }
}

/// The port that an address means, written out or not.
pub(super) fn port(uri: &Uri) -> u16 {
    let default = if uri.scheme() == Some(&Scheme::HTTPS) { 443 } else { 80 };
    uri.port_u16().unwrap_or(default)
}

/// Why nobody was asked, as it travels through the HTTP client.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Unreached {
    /// The name could not be looked up.
    NoAddress { name: String, fault: Fault },
    /// All of its addresses are this machine's own, and the registration came from another.
    OwnMachine { name: String, address: IpAddr },
}

impl fmt::Display for Unreached {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unreached::NoAddress { name, fault } => write!(f, "cannot look up {name}: {fault}"),
            Unreached::OwnMachine { name, address } => write!(f, "{name} is {address} here"),
        }
    }
}

impl std::error::Error for Unreached {}

impl From<Unreached> for Error {
    fn from(unreached: Unreached) -> Error {
        Error::Other(Box::new(unreached))
    }
}

/// Stands in for ureq's resolver: the [`TcpConnector`] looks names up itself.
#[derive(Debug)]
pub(super) struct LookedUpLater;

impl Resolver for LookedUpLater {
    fn resolve(
        &self,
        _: &Uri,
        _: &ureq::config::Config,
        _: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, Error> {
        let mut none = self.empty();
        none.push((Ipv4Addr::UNSPECIFIED, 0).into());
        Ok(none)
    }
}

/// How long a request can be: it goes out in one piece.
pub(super) fn request_length(details: &ConnectionDetails) -> usize {
    let uri = details.uri;
    let of_address =
        uri.path().len() + uri.query().map_or(0, str::len) + uri.host().map_or(0, str::len);
    of_address + details.config.output_buffer_size()
}

#[derive(Debug)]
pub(super) struct TcpTransport {
    stream: TcpStream,
    buffers: GrowingBuffers,
    /// As set on the socket.
    read_timeout: Option<Duration>,
}

impl TcpTransport {
    /// Sees to it that a read ends within `left` and [`SLACK`]. When nothing is left, it may be we who
    /// are late: what lies there by now is an answer, and is not waited for.
    fn limit_read(&mut self, left: Duration) -> io::Result<()> {
        if left.is_zero() {
            return self.stream.set_nonblocking(true);
        }
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
        let begun = Instant::now();
        self.limit_read((*timeout.after).min(WAIT_MAX))?;
        let amount = loop {
            match self.stream.read(self.buffers.input_append_buf()) {
                // By a signal, or since we were stopped: a part of the time has passed.
                Err(error) if error.kind() == ErrorKind::Interrupted => {
                    self.limit_read(
                        (*timeout.after).min(WAIT_MAX).saturating_sub(begun.elapsed()),
                    )?;
                }
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
    use super::*;

    fn allowed(origin: Origin, found: &[&str]) -> Result<Vec<SocketAddr>, Unreached> {
        let names = Names::new(std::sync::Arc::new(|_: &str| None), 1);
        let found: Vec<SocketAddr> =
            found.iter().map(|text| SocketAddr::new(text.parse().unwrap(), 0)).collect();
        TcpConnector { names, origin }.allowed("nas", &found, 80)
    }

    #[test]
    fn a_name_that_leads_to_this_machine_is_not_followed_for_others() {
        for own in ["127.0.1.1", "::1", "0.0.0.0", "::", "::ffff:127.0.0.1", "::ffff:0.0.0.0"] {
            let refused = allowed(Origin::Network, &[own]);
            let address = own.parse().unwrap();
            assert_eq!(refused, Err(Unreached::OwnMachine { name: "nas".to_owned(), address }));
            assert_eq!(allowed(Origin::OwnMachine, &[own]).unwrap().len(), 1, "{own}");
        }
        let mixed = allowed(Origin::Network, &["127.0.1.1", "10.0.0.7", "::1"]).unwrap();
        assert_eq!(mixed, ["10.0.0.7:80".parse().unwrap()]);
    }
}
