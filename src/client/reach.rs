//! Which of several addresses takes a connection.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::slot::Slot;
use super::{ServerUrl, background};

/// How long addresses have to take a connection before the next try.
const CONNECT_WITHIN: Duration = Duration::from_secs(1);
/// So much earlier than IPv6 is IPv4 tried (RFC 8305, section 5, the other way round), and that
/// before what is link-local.
const HEAD_START: Duration = Duration::from_millis(250);
/// The most addresses of one daemon that are tried: one with Docker has a dozen.
pub(super) const ADDRESSES_MAX: usize = 16;
/// A connect needs next to nothing.
const STACK: usize = 64 * 1024;

/// How late an address is tried: IPv4 first, since every household has it; link-local IPv6 last, since
/// no browser takes it, and no app can be registered at it (RFC 9844).
pub(super) fn rank(at: &SocketAddr) -> u8 {
    match at {
        SocketAddr::V4(_) => 0,
        SocketAddr::V6(v6) if !v6.ip().is_unicast_link_local() => 1,
        SocketAddr::V6(_) => LINK_LOCAL,
    }
}

/// The last [`rank`].
pub(super) const LINK_LOCAL: u8 = 2;

/// The address that takes a connection first: all of a [`rank`] are tried side by side, and a moment
/// later those of the next. A stranger's dead addresses cost one wait, not one each.
pub(super) fn first(places: &[(SocketAddr, ServerUrl)], until: Instant) -> Option<ServerUrl> {
    let reached = Arc::new(Slot::new());
    let tried = places.get(..ADDRESSES_MAX).unwrap_or(places);
    for (its_rank, wait) in [(0, HEAD_START), (1, HEAD_START), (LINK_LOCAL, CONNECT_WITHIN)] {
        for (number, (at, _)) in tried.iter().enumerate() {
            if rank(at) != its_rank {
                continue;
            }
            let (reached, at) = (reached.clone(), *at);
            // Without a thread this address is not tried; the next round may have one.
            let connect = move || {
                if TcpStream::connect_timeout(&at, CONNECT_WITHIN).is_ok() {
                    reached.say(number);
                }
            };
            let _ = background::start("connect", STACK, Box::new(connect));
        }
        let wait = wait.min(until.saturating_duration_since(Instant::now()));
        if let Some(number) = reached.wait(wait) {
            return tried.get(number).map(|(_, url)| url.clone());
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    #[test]
    fn dead_addresses_do_not_hide_one_that_is_there() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let there = listener.local_addr().unwrap();
        let mut places: Vec<SocketAddr> =
            (1..15).map(|n| SocketAddr::from(([127, 0, 1, n], 1))).collect();
        places.push(there);
        let places: Vec<_> = places.into_iter().map(|at| (at, at.into())).collect();
        assert_eq!(first(&places, soon()), Some(there.into()));
    }

    #[test]
    fn nobody_is_there() {
        let free = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        assert_eq!(first(&[(free, free.into())], soon()), None);
        assert_eq!(first(&[], soon()), None);
    }
}
