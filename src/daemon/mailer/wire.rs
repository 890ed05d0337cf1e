//! Bytes to and from the mail server, in the clear or over TLS, each step with a deadline for all of it.
//!
//! A server that sends a byte a minute makes no step longer: the deadline is looked at before each
//! read and write of the socket, below TLS.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::ServerName;
use rustls::{ClientConfig, ClientConnection, StreamOwned};

/// Read at once: replies are short.
const CHUNK: usize = 1024;

pub(super) struct Wire {
    stream: Stream,
    /// What has come and was not asked for yet.
    pending: Vec<u8>,
}

enum Stream {
    Plain(Timed),
    Tls(Box<StreamOwned<ClientConnection, Timed>>),
}

impl Wire {
    /// Connects within `span`.
    pub(super) fn connect(address: SocketAddr, span: Duration) -> io::Result<Wire> {
        let until = Instant::now() + span;
        let socket = TcpStream::connect_timeout(&address, span)?;
        Ok(Wire { stream: Stream::Plain(Timed { socket, until }), pending: Vec::new() })
    }

    /// Speaks TLS from here on with a server that must prove to be `host`. The handshake is part of
    /// this step.
    pub(super) fn encrypt(self, host: &str, config: ClientConfig) -> io::Result<Wire> {
        if !self.pending.is_empty() {
            // It would be taken for an answer that came over TLS (CVE-2021-38371 and its kin).
            return Err(invalid("it says more than was asked before TLS begins"));
        }
        let Stream::Plain(mut timed) = self.stream else { return Ok(self) };
        let bare = host.strip_prefix('[').and_then(|host| host.strip_suffix(']')).unwrap_or(host);
        let name = ServerName::try_from(bare.to_owned())
            .map_err(|_| invalid("no certificate can be for such a host name"))?;
        let as_io = |error| io::Error::new(ErrorKind::InvalidData, error);
        let mut tls = ClientConnection::new(Arc::new(config), name).map_err(as_io)?;
        while tls.is_handshaking() {
            tls.complete_io(&mut timed)?;
        }
        let stream = Stream::Tls(Box::new(StreamOwned::new(tls, timed)));
        Ok(Wire { stream, pending: Vec::new() })
    }

    /// The next step must be over by then.
    pub(super) fn set_deadline(&mut self, until: Instant) {
        self.timed().until = until;
    }

    /// Our own address on the way there.
    pub(super) fn own_address(&mut self) -> io::Result<IpAddr> {
        Ok(self.timed().socket.local_addr()?.ip().to_canonical())
    }

    /// Sends all of it.
    pub(super) fn send(&mut self, bytes: &[u8]) -> io::Result<()> {
        match &mut self.stream {
            Stream::Plain(stream) => stream.write_all(bytes),
            Stream::Tls(stream) => stream.write_all(bytes).and_then(|()| stream.flush()),
        }
    }

    /// The next line without its end, of `most` bytes at most.
    pub(super) fn line(&mut self, most: usize) -> io::Result<Vec<u8>> {
        let mut looked_at = 0;
        loop {
            let fresh = self.pending.get(looked_at..).unwrap_or_default();
            if let Some(found) = fresh.iter().position(|byte| *byte == b'\n') {
                let mut line: Vec<u8> = self.pending.drain(..=looked_at + found).collect();
                line.pop();
                if line.last() == Some(&b'\r') {
                    line.pop();
                }
                return Ok(line);
            }
            looked_at = self.pending.len();
            if looked_at > most {
                return Err(invalid("its answer has no end"));
            }
            self.receive()?;
        }
    }

    fn receive(&mut self) -> io::Result<()> {
        let mut chunk = [0; CHUNK];
        let count = match &mut self.stream {
            Stream::Plain(stream) => stream.read(&mut chunk)?,
            Stream::Tls(stream) => stream.read(&mut chunk)?,
        };
        match chunk.get(..count) {
            None | Some([]) => Err(ErrorKind::UnexpectedEof.into()),
            Some(came) => {
                self.pending.extend_from_slice(came);
                Ok(())
            }
        }
    }

    fn timed(&mut self) -> &mut Timed {
        match &mut self.stream {
            Stream::Plain(stream) => stream,
            Stream::Tls(stream) => &mut stream.sock,
        }
    }
}

/// What the server should not have said.
pub(super) fn invalid(what: &'static str) -> io::Error {
    io::Error::new(ErrorKind::InvalidData, what)
}

/// A socket that waits for nothing beyond a point in time.
struct Timed {
    socket: TcpStream,
    until: Instant,
}

impl Timed {
    fn left(&self) -> io::Result<Option<Duration>> {
        match self.until.saturating_duration_since(Instant::now()) {
            Duration::ZERO => Err(ErrorKind::TimedOut.into()),
            left => Ok(Some(left)),
        }
    }
}

impl Read for Timed {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.socket.set_read_timeout(self.left()?)?;
        self.socket.read(buffer)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.socket.set_write_timeout(self.left()?)?;
        self.socket.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.socket.flush()
    }
}
