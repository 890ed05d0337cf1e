//! Asks for a `NAME.local` over mDNS.

use std::net::{SocketAddr, SocketAddrV4, SocketAddrV6};
use std::time::{Duration, Instant};

use mdns_sd::{HostnameResolutionEvent, Receiver, ScopedIp, ServiceDaemon};

use super::{Fault, left};

/// How long an answer is waited for: three questions are asked by then, at about 0, 1 and 3 s. Who
/// does not answer in this time is switched off.
const PATIENCE: Duration = Duration::from_millis(3500);

/// How long is waited for the IPv4 address when the IPv6 address came first, in a packet of its own.
const OTHER_FAMILY: Duration = Duration::from_millis(100);

/// A question that is out. The daemon keeps one listener a name, so there must not be two of them
/// for one name; it is taken back when dropped.
pub(super) struct Query {
    daemon: ServiceDaemon,
    name: String,
    events: Receiver<HostnameResolutionEvent>,
}

impl Query {
    /// Asks for `name`, which ends with `.local`. `None` when the daemon cannot be asked.
    pub(super) fn start(daemon: ServiceDaemon, name: &str) -> Option<Query> {
        let name = format!("{name}.");
        match daemon.resolve_hostname(&name, None) {
            Ok(events) => Some(Query { daemon, name, events }),
            Err(error) => {
                log::debug!("cannot ask for {name} over mDNS: {error}");
                None
            }
        }
    }

    /// The addresses, real interfaces first. [`Fault::Away`] when nobody answers in the time that
    /// those who are there need, [`Fault::Timeout`] when `deadline` comes before that.
    pub(super) fn answer(&self, deadline: Instant) -> Result<Vec<SocketAddr>, Fault> {
        let patience = Instant::now() + PATIENCE;
        let mut found = self.next(deadline.min(patience));
        if found.is_empty() {
            return Err(if patience <= deadline { Fault::Away } else { Fault::Timeout });
        }
        if !found.iter().any(SocketAddr::is_ipv4) {
            found.extend(self.next(deadline.min(Instant::now() + OTHER_FAMILY)));
        }
        // The one that most small servers listen on goes first, an address that would be our own last.
        found.sort_by_key(|address| (address.ip().is_loopback(), address.is_ipv6()));
        Ok(found)
    }

    /// The next addresses that are told; none when nothing comes by `deadline`.
    fn next(&self, deadline: Instant) -> Vec<SocketAddr> {
        while let Ok(event) = self.events.recv_timeout(left(deadline)) {
            if let HostnameResolutionEvent::AddressesFound(_, addresses) = event {
                return addresses.iter().filter_map(socket_address).collect();
            }
        }
        Vec::new()
    }
}

impl Drop for Query {
    fn drop(&mut self) {
        if let Err(error) = self.daemon.stop_resolve_hostname(&self.name) {
            log::debug!("cannot stop asking for {} over mDNS: {error}", self.name);
        }
    }
}

/// A link-local IPv6 address means nothing without the interface that it was heard on.
fn socket_address(address: &ScopedIp) -> Option<SocketAddr> {
    match address {
        ScopedIp::V4(v4) => Some(SocketAddrV4::new(*v4.addr(), 0).into()),
        ScopedIp::V6(v6) => {
            let scope = match v6.addr().is_unicast_link_local() {
                true => v6.scope_id().index,
                false => 0,
            };
            Some(SocketAddrV6::new(*v6.addr(), 0, 0, scope).into())
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use mdns_sd::{IfKind, ServiceInfo};

    use super::super::Names;
    use super::*;

    /// An mDNS daemon that is heard on this machine only.
    fn daemon() -> ServiceDaemon {
        let daemon = ServiceDaemon::new().unwrap();
        daemon.disable_interface(IfKind::All).unwrap();
        daemon.enable_interface(IfKind::LoopbackV4).unwrap();
        daemon
    }

    #[test]
    fn a_local_name_is_found_by_many_at_once_and_remembered() {
        let host = format!("checked-{}.local.", std::process::id());
        let there = daemon();
        let info = ServiceInfo::new("_http._tcp.local.", "a", &host, "127.0.0.1", 80, None);
        there.register(info.unwrap()).unwrap();
        let here = daemon();
        let provider = here.clone();
        let names = Names::new(Arc::new(move || Some(provider.clone())));
        let callers: Vec<_> = (0..4)
            .map(|_| {
                let (names, host) = (names.clone(), host.clone());
                let deadline = Instant::now() + Duration::from_secs(10);
                std::thread::spawn(move || names.resolve(&host, deadline))
            })
            .collect();
        for caller in callers {
            let found = caller.join().unwrap().unwrap();
            assert_eq!(*found, ["127.0.0.1:0".parse().unwrap()]);
        }
        let at_once = names.resolve(&host, Instant::now());
        assert!(at_once.is_ok(), "remembered");
        there.shutdown().unwrap();
        here.shutdown().unwrap();
    }

    #[test]
    fn nobody_answers_for_a_host_that_is_off() {
        let here = daemon();
        let provider = here.clone();
        let names = Names::new(Arc::new(move || Some(provider.clone())));
        let soon = Instant::now() + Duration::from_millis(100);
        assert_eq!(names.resolve("no-such-host.local", soon), Err(Fault::Timeout));
        assert!(Instant::now() >= soon);
        here.shutdown().unwrap();
    }
}
