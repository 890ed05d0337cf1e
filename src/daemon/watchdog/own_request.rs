//! Asks the service as any client would: through the public listener, the gate and the API.

use std::io::{self, Read, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, Thread};
use std::time::Duration;

/// For each step of the request. A service that takes longer is asked again in the next round.
const STEP: Duration = Duration::from_secs(20);
/// One small request at a time.
const STACK: usize = 64 * 1024;

/// What the API answers: all is well, or, where reading takes a token, that we sent none. The gate
/// says neither by itself.
const ANSWERS: [&[u8]; 2] = [b"HTTP/1.1 200", b"HTTP/1.1 401"];

/// The thread that asks. It ends with the process: it has nothing to lose.
pub(super) struct OwnRequests {
    thread: Thread,
    flags: Arc<Flags>,
}

#[derive(Default)]
struct Flags {
    asked: AtomicBool,
    answered: AtomicBool,
}

impl OwnRequests {
    /// Starts the thread, for the service at `serving`; `wake` is called after each answer.
    ///
    /// # Errors
    /// The system has no thread for us.
    pub(super) fn start(
        serving: SocketAddr,
        wake: impl Fn() + Send + 'static,
    ) -> io::Result<OwnRequests> {
        let flags = Arc::new(Flags::default());
        let shared = Arc::clone(&flags);
        let address = reachable(serving);
        let work = move || {
            loop {
                while !shared.asked.swap(false, Ordering::Acquire) {
                    thread::park();
                }
                match request(address) {
                    Ok(()) => {
                        shared.answered.store(true, Ordering::Release);
                        wake();
                    }
                    Err(why) => log::debug!("our own request to {address} failed: {why}"),
                }
            }
        };
        let thread =
            thread::Builder::new().name("watchdog".into()).stack_size(STACK).spawn(work)?;
        Ok(OwnRequests { thread: thread.thread().clone(), flags })
    }

    /// Has a request made, unless one is under way.
    pub(super) fn ask(&self) {
        self.flags.asked.store(true, Ordering::Release);
        self.thread.unpark();
    }

    /// Whether an answer has come since the last call.
    pub(super) fn answered(&self) -> bool {
        self.flags.answered.swap(false, Ordering::Acquire)
    }
}

/// Where we reach ourselves: a service on all addresses is on the loopback interface, too.
fn reachable(serving: SocketAddr) -> SocketAddr {
    let ip = match serving.ip() {
        IpAddr::V4(ip) if ip.is_unspecified() => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(ip) if ip.is_unspecified() => Ipv6Addr::LOCALHOST.into(),
        ip => ip,
    };
    let mut address = serving;
    address.set_ip(ip);
    address
}

fn request(address: SocketAddr) -> io::Result<()> {
    let mut stream = TcpStream::connect_timeout(&address, STEP)?;
    stream.set_read_timeout(Some(STEP))?;
    stream.set_write_timeout(Some(STEP))?;
    let head = format!("GET /health HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n");
    stream.write_all(head.as_bytes())?;
    let mut status = [0; ANSWERS[0].len()];
    stream.read_exact(&mut status)?;
    if !ANSWERS.contains(&status.as_slice()) {
        return Err(io::Error::other(String::from_utf8_lossy(&status)));
    }
    // The rest is taken too, so that the service sees an orderly client.
    io::copy(&mut stream.take(64 * 1024), &mut io::sink())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::sync::mpsc;

    use super::*;

    /// A service that says one thing to everybody.
    fn service(says: &'static str) -> SocketAddr {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = stream.read(&mut [0; 1024]);
                let _ = stream.write_all(says.as_bytes());
            }
        });
        address
    }

    #[test]
    fn only_an_answer_of_the_api_counts() {
        let says = |text| request(service(text)).is_ok();
        assert!(says("HTTP/1.1 200 OK\r\n\r\n{}"));
        assert!(says("HTTP/1.1 401 Unauthorized\r\n\r\n{}"));
        assert!(!says("HTTP/1.1 503 Service Unavailable\r\n\r\n"));
        assert!(!says("HTTP"));
    }

    #[test]
    fn an_answer_is_heard_once() {
        let (tell, woken) = mpsc::channel();
        let wake = move || tell.send(()).unwrap();
        let requests = OwnRequests::start(service("HTTP/1.1 200 OK\r\n\r\n"), wake).unwrap();
        assert!(!requests.answered());
        for _ in 0..2 {
            requests.ask();
            woken.recv_timeout(STEP).unwrap();
            assert!(requests.answered());
            assert!(!requests.answered());
        }
    }

    #[test]
    fn a_service_on_all_addresses_is_asked_on_the_loopback() {
        let of = |text: &str| reachable(text.parse().unwrap()).to_string();
        assert_eq!(of("0.0.0.0:80"), "127.0.0.1:80");
        assert_eq!(of("[::]:80"), "[::1]:80");
        assert_eq!(of("192.0.2.7:80"), "192.0.2.7:80");
    }
}
