//! One check of a port: whether it takes a connection.

use super::Probe;
use super::ask::{Budget, Prober};
use super::connect::TcpConnector;
use super::fault::failure;
use crate::engine::registration::Host;
use crate::engine::verdict::answer::CheckEnd;
use crate::engine::verdict::connected;

impl Prober {
    /// The connection is closed at once, in order: who listens sees somebody come and go.
    pub(super) fn check_port(
        &self,
        probe: &Probe,
        host: &Host,
        port: u16,
        budget: &Budget,
    ) -> CheckEnd {
        let connector = TcpConnector { names: self.names.clone(), origin: probe.origin };
        match connector.open(&host.to_string(), port, budget.deadline) {
            Ok(_) => CheckEnd::Verdict(connected()),
            Err(error) => self.failed(probe, failure(error, budget.limit)),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::{SocketAddr, TcpListener};
    use std::sync::Arc;
    use std::time::{Duration, Instant};

    use super::*;
    use crate::daemon::names::Names;
    use crate::daemon::prober::{BlackHole, Ourselves, ProbeKind};
    use crate::daemon::trust::Trust;
    use crate::engine::registration::Origin;
    use crate::engine::verdict::answer::{Life, Outcome, Verdict, Whereabouts};

    fn check(host: Host, port: u16, origin: Origin, short: Option<Duration>) -> CheckEnd {
        let ourselves = Ourselves {
            clock_is_right: || true,
            is_cut_off: || false,
            whereabouts: |_| Whereabouts::Near,
        };
        let names = Names::new(Arc::new(|_: &str| None), 1);
        Prober::new(names, Trust::new(&[]), ourselves).check(&Probe {
            id: 1,
            kind: ProbeKind::Tcp { host, port },
            timeout: Duration::from_millis(500),
            short_timeout: short,
            quick: None,
            origin,
            locate: false,
        })
    }

    fn verdict(address: SocketAddr) -> Verdict {
        let end = check(Host::Address(address.ip()), address.port(), Origin::OwnMachine, None);
        let CheckEnd::Verdict(verdict) = end else { panic!("a verdict is expected: {end:?}") };
        verdict
    }

    #[test]
    fn a_connection_is_a_pass_over_both_families() {
        for any in ["127.0.0.1:0", "[::1]:0"] {
            let listener = TcpListener::bind(any).unwrap();
            let passed = verdict(listener.local_addr().unwrap());
            assert_eq!((passed.outcome, passed.reason.as_str()), (Outcome::Pass, "connected"));
            assert_eq!((passed.http_status, passed.life), (None, Life::Answer));
            assert!(listener.accept().is_ok(), "somebody came");
        }
    }

    #[test]
    fn a_refusal_shows_that_the_host_lives() {
        let address = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let failed = verdict(address);
        assert_eq!(failed.reason, "connection refused");
        assert_eq!((failed.refused, failed.life), (true, Life::HostOnly));
        assert_eq!(failed.whereabouts, Some(Whereabouts::Near), "of silences it is found out");
    }

    #[test]
    fn a_connection_that_stays_half_open_is_a_silence_in_time() {
        let hole = BlackHole::new();
        let began = Instant::now();
        let failed = verdict(hole.address);
        assert_eq!(failed.reason, "no answer within 0.5 s");
        assert_eq!((failed.outcome, failed.life), (Outcome::Fail, Life::Nothing));
        assert!(began.elapsed() < Duration::from_secs(5));
        let (host, port) = (Host::Address(hole.address.ip()), hole.address.port());
        let short = Some(Duration::from_millis(100));
        let end = check(host, port, Origin::OwnMachine, short);
        assert_eq!(end, CheckEnd::CutShort, "on its short time-out nothing is said yet");
    }

    #[test]
    fn a_name_from_the_network_never_leads_to_our_own_machine() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let own = Host::Address("127.0.0.1".parse().unwrap());
        let end = check(own, port, Origin::Network, None);
        let CheckEnd::Verdict(verdict) = end else { panic!("a verdict is expected: {end:?}") };
        assert!(verdict.reason.contains("is the health checker's own machine"), "{verdict:?}");
        listener.set_nonblocking(true).unwrap();
        assert!(listener.accept().is_err(), "nobody came");
    }
}
