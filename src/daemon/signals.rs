//! SIGTERM and SIGINT, as an event of the loop.

use std::io::{self, Read};
use std::os::unix::net::UnixStream as StdUnixStream;

use mio::net::UnixStream;
use mio::{Interest, Registry, Token};
use signal_hook::consts::{SIGINT, SIGTERM};
use signal_hook::low_level::pipe;

/// The loop's end of a socket that the signal handler writes to.
pub(super) struct Signals(UnixStream);

impl Signals {
    /// Catches the signals from now on.
    ///
    /// # Errors
    /// The system refuses a socket or a handler.
    pub(super) fn catch(registry: &Registry, token: Token) -> io::Result<Signals> {
        let (reader, writer) = StdUnixStream::pair()?;
        reader.set_nonblocking(true)?;
        for signal in [SIGTERM, SIGINT] {
            pipe::register(signal, writer.try_clone()?)?;
        }
        let mut reader = UnixStream::from_std(reader);
        registry.register(&mut reader, token, Interest::READABLE)?;
        Ok(Signals(reader))
    }

    /// Whether a signal has come since the last call.
    pub(super) fn came(&mut self) -> bool {
        let mut bytes = [0; 16];
        matches!(self.0.read(&mut bytes), Ok(count) if count > 0)
    }
}
