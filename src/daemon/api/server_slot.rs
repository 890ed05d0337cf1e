//! The HTTP server in use, and its replacement.
//!
//! One failed accept ends `tiny_http`'s accept thread for good, silently when it is a panic. Then
//! its socket refuses connections: the gate notices at the next request, and a new server takes
//! the place of the old one, on a path of its own.

use std::io;
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::Duration;

use mio::net::UnixStream;
use tiny_http::{Request, Server};

use crate::daemon::gate::API_PLACES;

use super::folder::SocketFolder;

/// Between two tries to build a server: descriptors may be short for a while.
const BUILD_AGAIN_AFTER: Duration = Duration::from_secs(1);

/// Holds the server in use.
pub(super) struct ServerSlot {
    folder: SocketFolder,
    /// Held only to look or to swap, never over anything that takes time.
    current: Mutex<Current>,
    /// Held while a new server is built.
    building: Mutex<()>,
    closed: AtomicBool,
}

#[derive(Clone)]
struct Current {
    server: Arc<Server>,
    path: PathBuf,
    number: u64,
}

impl ServerSlot {
    /// Builds the first server.
    ///
    /// # Errors
    /// The socket cannot be made.
    pub(super) fn new(folder: SocketFolder) -> io::Result<ServerSlot> {
        let current = Mutex::new(build(&folder, 1)?);
        Ok(ServerSlot { folder, current, building: Mutex::new(()), closed: AtomicBool::new(false) })
    }

    /// Waits for a request; `None` at the end.
    pub(super) fn next_request(&self) -> Option<Request> {
        while !self.is_closed() {
            let current = self.current().clone();
            match current.server.recv() {
                Ok(request) => return Some(request),
                Err(why) if !self.is_closed() => self.replace(current, &why),
                Err(_) => {}
            }
        }
        None
    }

    /// Connects to the server, without waiting.
    ///
    /// # Errors
    /// It cannot be reached now. If it is dead it is being replaced: try again in a moment.
    pub(super) fn connect(&self) -> io::Result<UnixStream> {
        let current = self.current();
        UnixStream::connect(&current.path).inspect_err(|why| {
            if matches!(why.kind(), io::ErrorKind::ConnectionRefused | io::ErrorKind::NotFound) {
                current.server.unblock();
            }
        })
    }

    /// Lets every thread in [`ServerSlot::next_request`] go, and removes the socket: the process may
    /// end before the last thread does.
    pub(super) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        self.folder.remove();
        unblock_all(&self.current().server);
    }

    fn replace(&self, dead: Current, why: &io::Error) {
        let building = self.building.lock().unwrap_or_else(PoisonError::into_inner);
        while self.current().number == dead.number && !self.is_closed() {
            match build(&self.folder, dead.number.wrapping_add(1)) {
                Ok(new) => {
                    log::warn!("the API's HTTP server ended ({why}) and was started again");
                    *self.current() = new;
                    unblock_all(&dead.server);
                }
                Err(again) => {
                    log::warn!("the API's HTTP server cannot be started again: {again}");
                    thread::sleep(BUILD_AGAIN_AFTER);
                }
            }
        }
        drop(building);
    }

    fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    fn current(&self) -> MutexGuard<'_, Current> {
        self.current.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn build(folder: &SocketFolder, number: u64) -> io::Result<Current> {
    let path = folder.socket(number);
    let server = Server::http_unix(&path).map_err(|why| {
        let path = path.display();
        io::Error::other(format!("cannot serve the API on {path}: {why}"))
    })?;
    Ok(Current { server: Arc::new(server), path, number })
}

/// Each thread takes one note to go.
fn unblock_all(server: &Server) {
    for _ in 0..API_PLACES {
        server.unblock();
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn send(slot: &ServerSlot) -> std::os::unix::net::UnixStream {
        let mut stream = std::os::unix::net::UnixStream::connect(&slot.current().path).unwrap();
        stream.write_all(b"GET / HTTP/1.1\r\nConnection: close\r\n\r\n").unwrap();
        stream
    }

    #[test]
    fn a_dead_server_is_replaced_when_the_gate_finds_it_so() {
        let slot = Arc::new(ServerSlot::new(SocketFolder::new(None).unwrap()).unwrap());
        let first = slot.current().path.clone();
        // As when its accept thread has died: nobody listens any more.
        std::fs::remove_file(&first).unwrap();
        let waiting = slot.clone();
        let thread = thread::spawn(move || waiting.next_request().is_some());
        assert!(slot.connect().is_err());
        while slot.current().path == first {
            thread::yield_now();
        }
        assert!(slot.connect().is_ok());
        let _client = send(&slot);
        assert!(thread.join().unwrap());
    }

    #[test]
    fn closing_lets_every_thread_go() {
        let slot = Arc::new(ServerSlot::new(SocketFolder::new(None).unwrap()).unwrap());
        let threads: Vec<_> = (0..API_PLACES)
            .map(|_| slot.clone())
            .map(|slot| thread::spawn(move || slot.next_request().is_none()))
            .collect();
        slot.close();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
    }
}
