//! TLS over the connections of checks.
//!
//! ureq's own connector takes one kind of roots or another, and builds its configuration anew for
//! each request that has a time-out of its own, as every check does. Here it is built once, with
//! all the roots that are [believed](crate::daemon::trust), and `sessions` are resumed.

use std::cell::Cell;
use std::fmt;
use std::io::{self, ErrorKind, Read, Write};
use std::sync::{Arc, OnceLock};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, HandshakeKind, StreamOwned};
use ureq::Error;
use ureq::http::Uri;
use ureq::unversioned::transport::time::{Duration, Instant};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, NextTimeout, Transport, TransportAdapter,
};

use super::buffers::GrowingBuffers;
use super::connect::{TcpTransport, port, request_length};
use super::sessions::{Endpoint, Sessions};
use crate::daemon::trust::{Dates, Trust, client_of_anybody, print, validity};
use crate::engine::registration::{Print, Tls as Wanted};
use crate::engine::time::Wall;
use crate::engine::verdict::answer::Certificate;

/// How checks speak TLS. One for all of them.
#[derive(Debug)]
pub(super) struct Tls {
    trust: Trust,
    /// Made for the first check that needs it: it costs memory that a household without TLS has
    /// better use for.
    config: OnceLock<ClientConfig>,
    /// The same for those who believe everybody, and for those who look at the certificate then.
    unverified: OnceLock<ClientConfig>,
    shown: OnceLock<ClientConfig>,
    sessions: Sessions,
}

impl Tls {
    /// An app must be who `trust` believes it is.
    pub(super) fn new(trust: Trust) -> Tls {
        let (config, unverified, shown) = Default::default();
        Tls { trust, config, unverified, shown, sessions: Sessions::default() }
    }

    /// For one connection to `endpoint`.
    fn config(&self, endpoint: &Endpoint) -> Result<Arc<ClientConfig>, rustls::Error> {
        let place = match endpoint.2 {
            Wanted::Verify => &self.config,
            Wanted::Off => &self.unverified,
            Wanted::First | Wanted::Pin(_) => &self.shown,
        };
        let config = match place.get() {
            Some(config) => config,
            None => {
                // Two checks at once may both make one; the first is kept.
                let config = match endpoint.2 {
                    Wanted::Verify => self.trust.client(Dates::ByTheClock)?,
                    wanted => client_of_anybody(wanted != Wanted::Off)?,
                };
                place.get_or_init(|| config)
            }
        };
        // What it is made of is shared.
        let mut config = config.clone();
        config.resumption = self.sessions.of(endpoint.clone());
        Ok(Arc::new(config))
    }

    /// A handshake with `endpoint` is done.
    fn shaken_hands(&self, endpoint: &Endpoint, tls: &ClientConnection) {
        if tls.handshake_kind() != Some(HandshakeKind::Resumed) {
            self.sessions.decided(endpoint, tls.peer_certificates().unwrap_or_default());
        }
    }
}

/// What the check that a thread makes wants of whom it speaks TLS with, and what it was shown. The HTTP client, which
/// makes the connection, carries neither there nor back; it makes it on the thread that asks.
#[derive(Clone, Copy, Default)]
struct Talk {
    wanted: Wanted,
    certificate: Option<Certificate>,
}

thread_local! {
    static TALK: Cell<Talk> = const { Cell::new(Talk { wanted: Wanted::Verify, certificate: None }) };
}

/// From now on this thread makes a check that wants this.
pub(super) fn begin(wanted: Wanted) {
    TALK.set(Talk { wanted, certificate: None });
}

/// What the check that this thread has made was shown last.
pub(super) fn end() -> Option<Certificate> {
    TALK.take().certificate
}

/// Another certificate than the one that is pinned, as it travels through the HTTP client.
#[derive(Clone, Copy, Debug)]
pub(super) struct OtherCertificate {
    pub(super) shown: Print,
    pub(super) pinned: Print,
}

impl fmt::Display for OtherCertificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("another certificate")
    }
}

impl std::error::Error for OtherCertificate {}

/// Looks at what was shown before anything is sent.
fn look(wanted: Wanted, tls: &ClientConnection) -> Result<(), Error> {
    let Some(shown) = tls.peer_certificates().and_then(<[_]>::first) else { return Ok(()) };
    let (shown, ends) = (print(shown), validity(shown).map(|valid| valid.end));
    if let Wanted::Pin(pinned) = wanted
        && pinned != shown
    {
        return Err(Error::Other(Box::new(OtherCertificate { shown, pinned })));
    }
    let ends = ends.map(|ends| Wall::EPOCH.after(std::time::Duration::from_secs(ends)));
    // What has no end says so by the last day that can be written (RFC 5280, section 4.1.2.5).
    let ends = ends.filter(|ends| *ends < Wall::LAST);
    TALK.set(Talk { wanted, certificate: Some(Certificate { print: shown, ends }) });
    Ok(())
}

/// Speaks TLS where the address says so.
#[derive(Debug)]
pub(super) struct TlsConnector(pub(super) Arc<Tls>);

impl Connector<TcpTransport> for TlsConnector {
    type Out = Either<TcpTransport, TlsTransport>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<TcpTransport>,
    ) -> Result<Option<Self::Out>, Error> {
        let Some(tcp) = chained else { return Ok(None) };
        if !details.needs_tls() {
            return Ok(Some(Either::A(tcp)));
        }
        let wanted = TALK.get().wanted;
        let host = details.uri.host().unwrap_or_default().to_owned();
        let endpoint = (host, port(details.uri), wanted);
        let config = self.0.config(&endpoint).map_err(as_io)?;
        let tls = ClientConnection::new(config, server_name(details.uri)?).map_err(as_io)?;
        let mut tcp = TransportAdapter::new(tcp, details.current_time.clone());
        tcp.set_timeout(left(details));
        let mut stream = StreamOwned::new(tls, tcp);
        stream.conn.complete_io(&mut stream.sock)?;
        look(wanted, &stream.conn)?;
        self.0.shaken_hands(&endpoint, &stream.conn);
        let buffers = GrowingBuffers::new(request_length(details));
        Ok(Some(Either::B(TlsTransport { stream, buffers })))
    }
}

/// Connecting has taken its share of the time already.
fn left(details: &ConnectionDetails) -> NextTimeout {
    let mut timeout = details.timeout;
    let now = (details.current_time)();
    if let (Duration::Exact(after), Instant::Exact(now), Instant::Exact(then)) =
        (timeout.after, now, details.now)
    {
        timeout.after = Duration::Exact(after.saturating_sub(now.saturating_duration_since(then)));
    }
    timeout
}

/// The name that the certificate must be for.
fn server_name(uri: &Uri) -> Result<ServerName<'static>, Error> {
    let host = uri.host().unwrap_or_default();
    // A URI has an IPv6 address in brackets.
    let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
    let name = ServerName::try_from(bare.to_owned());
    name.map_err(|_| Error::Tls("no certificate can be for such a host name"))
}

fn as_io(error: rustls::Error) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, error)
}

pub(super) struct TlsTransport {
    stream: StreamOwned<ClientConnection, TransportAdapter<TcpTransport>>,
    buffers: GrowingBuffers,
}

impl std::fmt::Debug for TlsTransport {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("TlsTransport")
    }
}

impl Transport for TlsTransport {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        self.stream.sock.set_timeout(timeout);
        let output = self.buffers.output().get(..amount).unwrap_or_default();
        Ok(self.stream.write_all(output)?)
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        self.stream.sock.set_timeout(timeout);
        let amount = self.stream.read(self.buffers.input_append_buf())?;
        self.buffers.received(amount)?;
        Ok(amount > 0)
    }

    /// Never asked: no connection is used twice.
    fn is_open(&mut self) -> bool {
        false
    }

    fn is_tls(&self) -> bool {
        true
    }
}
