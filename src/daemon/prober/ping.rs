//! One check of a host: whether it answers an echo.

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use mio::{Events, Interest, Poll, Token};
use ureq::Error;

use super::Probe;
use super::ask::{Budget, Prober};
use super::connect::TcpConnector;
use super::fault::{Failure, failure};
use super::race::{AT_ONCE_MAX, NEXT_AFTER, telling};
use crate::daemon::echo::{Echo, NOT_ALLOWED};
use crate::engine::registration::Host;
use crate::engine::verdict::answer::CheckEnd;
use crate::engine::verdict::echoed;

/// Who has not answered by then is asked again, and again: one packet that is lost is no failure. As soon as TCP
/// does (RFC 6298, section 2.1), and not slower and slower, for it is asked for seconds only.
const AGAIN_AFTER: Duration = Duration::from_secs(1);

impl Prober {
    pub(super) fn check_echo(&self, probe: &Probe, host: &Host, budget: &Budget) -> CheckEnd {
        let connector = TcpConnector { names: self.names.clone(), origin: probe.origin };
        let name = host.to_string();
        match self.echo(&connector, &name, budget) {
            Ok(()) => CheckEnd::Verdict(echoed()),
            Err(why) => self.failed(probe, why),
        }
    }

    fn echo(&self, connector: &TcpConnector, name: &str, budget: &Budget) -> Result<(), Failure> {
        let deadline = budget.deadline;
        let addresses = connector
            .addresses(name, 0, deadline)
            .map_err(|why| failure(Error::from(why), budget.limit))?;
        let place = Asking::new(&addresses, deadline).and_then(|mut asking| asking.run());
        let place = place.map_err(|why| match why {
            Some(why) => failure(Error::Io(why), budget.limit),
            None => Failure::Ours(NOT_ALLOWED.to_owned()),
        })?;
        if let (Some(address), true) = (addresses.get(place), addresses.len() > 1) {
            self.names.won(name, *address);
        }
        Ok(())
    }
}

/// Several addresses are asked one beside the other, as in [`race`](super::race).
struct Asking<'a> {
    addresses: &'a [SocketAddr],
    /// The address that is tried next.
    next: usize,
    deadline: Instant,
    /// Those that are asked, by their place.
    open: Vec<(usize, Echo)>,
    poll: Poll,
    worst: Option<io::Error>,
}

/// Nothing: we may not ask.
type Why = Option<io::Error>;

impl<'a> Asking<'a> {
    fn new(addresses: &'a [SocketAddr], deadline: Instant) -> Result<Asking<'a>, Why> {
        let poll = Poll::new().map_err(Some)?;
        Ok(Asking { addresses, next: 0, deadline, open: Vec::new(), poll, worst: None })
    }

    /// The place of who answers first.
    fn run(&mut self) -> Result<usize, Why> {
        let mut events = Events::with_capacity(AT_ONCE_MAX);
        let mut next_at = Instant::now();
        loop {
            let now = Instant::now();
            if now >= next_at || self.open.is_empty() {
                next_at = now + self.ask_on()?;
            }
            if self.open.is_empty() {
                match self.next < self.addresses.len() {
                    true => continue,
                    false => return Err(Some(self.failure())),
                }
            }
            let until = next_at.min(self.deadline).saturating_duration_since(now);
            match self.poll.poll(&mut events, Some(until)) {
                Err(why) if why.kind() != ErrorKind::Interrupted => return Err(Some(why)),
                _ => {}
            }
            // What lies there by now is an answer, though the time be up: it may be we who were late.
            if let Some(place) = self.each(|echo| echo.is_answered()) {
                return Ok(place);
            }
            if Instant::now() >= self.deadline && !self.open.is_empty() {
                self.note(ErrorKind::TimedOut.into());
                return Err(Some(self.failure()));
            }
        }
    }

    /// Asks the next address, or all again; how long they are waited for.
    fn ask_on(&mut self) -> Result<Duration, Why> {
        match self.addresses.get(self.next) {
            Some(address) => {
                if self.open.len() >= AT_ONCE_MAX {
                    self.open.remove(1);
                }
                self.begin(*address)?;
                self.next += 1;
            }
            None => {
                self.each(|echo| echo.ask().map(|()| false));
            }
        }
        let left = self.deadline.saturating_duration_since(Instant::now());
        let untried = u32::try_from(self.addresses.len() - self.next).unwrap_or(u32::MAX);
        Ok(if untried == 0 { AGAIN_AFTER } else { NEXT_AFTER.min(left / (untried + 1)) })
    }

    fn begin(&mut self, address: SocketAddr) -> Result<(), Why> {
        let begun = Echo::new(address).and_then(|mut echo| {
            let registry = self.poll.registry();
            let token = Token(self.next);
            registry.register(echo.source(), token, Interest::READABLE).map_err(Some)?;
            echo.ask().map_err(Some)?;
            Ok(echo)
        });
        match begun {
            Ok(echo) => self.open.push((self.next, echo)),
            Err(Some(why)) => self.note(why),
            Err(None) => return Err(None),
        }
        Ok(())
    }

    /// The place of one who has answered, if `act` finds one. Those to whom there is no way are let go.
    fn each(&mut self, act: impl Fn(&mut Echo) -> io::Result<bool>) -> Option<usize> {
        let mut answered = None;
        for (place, mut echo) in std::mem::take(&mut self.open) {
            match act(&mut echo) {
                Ok(has_answered) => {
                    answered = answered.or(has_answered.then_some(place));
                    self.open.push((place, echo));
                }
                Err(why) => self.note(why),
            }
        }
        answered
    }

    fn note(&mut self, why: io::Error) {
        if self.worst.as_ref().is_none_or(|worst| telling(&why) > telling(worst)) {
            self.worst = Some(why);
        }
    }

    fn failure(&mut self) -> io::Error {
        self.worst.take().unwrap_or_else(|| ErrorKind::TimedOut.into())
    }
}

#[cfg(test)]
mod tests {
    use std::net::IpAddr;
    use std::sync::Arc;

    use super::*;
    use crate::daemon::echo::is_allowed;
    use crate::daemon::names::Names;
    use crate::daemon::prober::{Ourselves, ProbeKind};
    use crate::daemon::trust::Trust;
    use crate::engine::registration::Origin;
    use crate::engine::verdict::answer::{Life, Outcome, Verdict, Whereabouts};

    fn check(host: &str, origin: Origin, timeout: Duration) -> CheckEnd {
        let ourselves = Ourselves {
            clock_is_right: || true,
            is_cut_off: || false,
            whereabouts: |_| Whereabouts::Near,
        };
        let names = Names::new(Arc::new(|_: &str| None), 1);
        let host = match host.parse::<IpAddr>() {
            Ok(address) => Host::Address(address),
            Err(_) => Host::Name(host.to_owned()),
        };
        Prober::new(names, Trust::new(&[]), ourselves).check(&Probe {
            id: 1,
            kind: ProbeKind::Ping { host },
            timeout,
            short_timeout: None,
            quick: None,
            origin,
            locate: false,
        })
    }

    /// What comes of it where we may ping; where we may not, that is what must come of it.
    fn verdict(host: &str) -> Option<Verdict> {
        match check(host, Origin::OwnMachine, Duration::from_secs(5)) {
            CheckEnd::Verdict(verdict) => Some(verdict),
            end => {
                assert_eq!(end, CheckEnd::NoVerdict { reason: NOT_ALLOWED.to_owned() });
                assert!(!is_allowed());
                None
            }
        }
    }

    #[test]
    fn an_echo_is_a_pass_over_both_families_and_by_name() {
        for host in ["127.0.0.1", "127.0.0.77", "::1", "localhost"] {
            let Some(passed) = verdict(host) else { return };
            assert_eq!((passed.outcome, passed.reason.as_str()), (Outcome::Pass, "echo answered"));
            assert_eq!((passed.http_status, passed.life), (None, Life::Answer));
        }
    }

    #[test]
    fn where_there_is_no_way_it_is_said() {
        // Nobody may ask a broadcast address, unless it is said to be one.
        let Some(failed) = verdict("255.255.255.255") else { return };
        assert_eq!(failed.outcome, Outcome::Fail);
        assert!(failed.reason.contains("forbids the connection"), "{failed:?}");
    }

    #[test]
    fn the_next_address_is_asked() {
        let addresses: Vec<SocketAddr> = ["255.255.255.255:0", "127.0.0.1:0", "[::1]:0"]
            .map(|text| text.parse().unwrap())
            .into();
        let deadline = Instant::now() + Duration::from_secs(5);
        let place = Asking::new(&addresses, deadline).and_then(|mut asking| asking.run());
        match is_allowed() {
            true => assert_eq!(place.unwrap(), 1),
            false => assert!(place.unwrap_err().is_none()),
        }
    }

    #[test]
    fn checks_at_the_same_time_take_nobody_elses_answer() {
        let threads = (0..20).map(|n| std::thread::spawn(move || verdict(&format!("127.0.1.{n}"))));
        for thread in threads.collect::<Vec<_>>() {
            let Some(passed) = thread.join().unwrap() else { continue };
            assert_eq!(passed.outcome, Outcome::Pass);
        }
    }

    #[test]
    fn a_name_from_the_network_never_leads_to_our_own_machine() {
        let end = check("127.0.0.1", Origin::Network, Duration::from_secs(2));
        let CheckEnd::Verdict(verdict) = end else { panic!("a verdict is expected: {end:?}") };
        assert!(verdict.reason.contains("is the health checker's own machine"), "{verdict:?}");
    }
}
