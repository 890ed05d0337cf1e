//! Names to addresses, for the checks.
//!
//! An address needs no look-up. `NAME.local` is asked over mDNS (`multicast`), since a static
//! binary knows no nss-mdns; all else goes to the system (`lookups`), whose look-ups cannot be
//! cancelled. What is known, and who is asking for what, stands in one `table`: callers that want
//! the same name share one look-up, and each waits no longer than its own deadline.
//!
//! The table is the one thing here that threads share. Its lock is held for the few microseconds
//! of a look into it, never while anybody waits for an answer.

mod lookups;
mod multicast;
mod resolver;
mod table;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Instant;

use self::lookups::Lookups;
pub use self::resolver::NameError;
use self::table::{Addresses, Reply, Table};
use super::discovery::Question;

/// Asks for a `NAME.local` over mDNS; `None` when there is no multicast, and then it goes to the system
/// too.
pub type Multicast = dyn Fn(&str) -> Option<Question> + Send + Sync;

/// Looks up one name, for as long as it takes.
type LookUp = dyn Fn(&str) -> Result<Vec<SocketAddr>, Fault> + Send + Sync;

/// Why a name has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Asked and answered: there is no such name, or it cannot be one.
    Unknown,
    /// Nobody answered, or nobody could be asked.
    Away,
    /// The caller's time was up first.
    Timeout,
}

/// The names of all apps, and what is known of them. Shared by all checks.
#[derive(Clone)]
pub struct Names {
    shared: Arc<Shared>,
}

struct Shared {
    desk: Mutex<Desk>,
    /// Signalled when a look-up has ended, however it did.
    ended: Condvar,
    /// Signalled when there is work for a look-up thread.
    work: Condvar,
    look_up: Box<LookUp>,
    multicast: Arc<Multicast>,
}

/// All that the threads share.
struct Desk {
    table: Table,
    lookups: Lookups,
}

impl Names {
    /// Nothing is started and nobody is asked until the first name comes.
    pub fn new(multicast: Arc<Multicast>) -> Names {
        Names::with_look_up(multicast, Box::new(lookups::ask_the_system))
    }

    fn with_look_up(multicast: Arc<Multicast>, look_up: Box<LookUp>) -> Names {
        Names {
            shared: Arc::new(Shared {
                desk: Mutex::new(Desk { table: Table::default(), lookups: Lookups::default() }),
                ended: Condvar::new(),
                work: Condvar::new(),
                look_up,
                multicast,
            }),
        }
    }

    /// The addresses of `host` (a name, an IPv4 address, or an IPv6 address with or without
    /// brackets), best first, both families by turns; never empty. The port is 0, the scope of a
    /// link-local address is kept. Waits until `deadline` at the latest.
    ///
    /// # Errors
    ///
    /// A [`Fault`]. When the last good address is known, it stands in for a name service that is
    /// away or slow.
    pub fn resolve(&self, host: &str, deadline: Instant) -> Result<Arc<[SocketAddr]>, Fault> {
        if let Some(address) = literal(host) {
            return Ok(Arc::from([address]));
        }
        let name = host.trim_end_matches('.').to_ascii_lowercase();
        if !is_askable(&name) {
            return Err(Fault::Unknown);
        }
        self.shared.resolve(&name, deadline)
    }

    /// The address of `host` did not work: the next check shall ask again rather than believe what
    /// is known.
    pub fn doubt(&self, host: &str) {
        if literal(host).is_none() {
            let name = host.trim_end_matches('.').to_ascii_lowercase();
            self.shared.desk().table.doubt(&name);
        }
    }
}

impl Shared {
    fn desk(&self) -> MutexGuard<'_, Desk> {
        // Nothing that happens under the lock can leave the table half changed.
        self.desk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn resolve(self: &Arc<Shared>, name: &str, deadline: Instant) -> Result<Addresses, Fault> {
        let asked_at = Instant::now();
        let mut desk = self.desk();
        loop {
            let now = Instant::now();
            let reply = desk.table.ask(name, now);
            let (last_good, since, ours) = match reply {
                Reply::Known(addresses) => return Ok(addresses),
                Reply::Failed(fault) => return Err(fault),
                Reply::Asking { last_good, since } => (last_good, since, false),
                Reply::Ask { last_good } => (last_good, now, true),
            };
            let until = patience(asked_at, since, deadline, last_good.is_some());
            if ours {
                drop(desk);
                let duty = Duty { shared: self, name };
                if let Some(question) = self.query(name) {
                    return self.lead(name, &question, until, last_good);
                }
                drop(duty);
                desk = self.desk();
                if !desk.lookups.add(name, self) {
                    desk.table.abandon(name);
                    return last_good.ok_or(Fault::Away);
                }
            }
            let left = until.saturating_duration_since(now);
            if left.is_zero() {
                return last_good.ok_or(Fault::Timeout);
            }
            desk = match self.ended.wait_timeout(desk, left) {
                Ok((desk, _)) => desk,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    /// Asks over mDNS, if that is where `name` is known and there is multicast.
    fn query(&self, name: &str) -> Option<Question> {
        if !name.ends_with(".local") {
            return None;
        }
        (self.multicast)(name)
    }

    /// Waits for the answer over mDNS for all who want this name. A leader whose time is up first
    /// lets another of them go on.
    fn lead(
        &self,
        name: &str,
        question: &Question,
        until: Instant,
        last_good: Option<Addresses>,
    ) -> Result<Addresses, Fault> {
        match multicast::answer(question, until) {
            Err(Fault::Timeout) => {
                self.abandon(name);
                last_good.ok_or(Fault::Timeout)
            }
            found => self.settle(name, found),
        }
    }

    /// Ends a look-up without a result: one of those who wait for it asks anew.
    fn abandon(&self, name: &str) {
        self.desk().table.abandon(name);
        self.ended.notify_all();
    }

    /// Writes down the end of a look-up and tells all who wait for it.
    fn settle(
        &self,
        name: &str,
        found: Result<Vec<SocketAddr>, Fault>,
    ) -> Result<Addresses, Fault> {
        let result = self.desk().table.settle(name, found, Instant::now());
        self.ended.notify_all();
        result
    }
}

/// The duty to end a look-up that others wait for, which outlives a panic.
struct Duty<'a> {
    shared: &'a Shared,
    name: &'a str,
}

impl Drop for Duty<'_> {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.shared.abandon(self.name);
        }
    }
}

/// Until when to wait: to the deadline; or only half that time when there is an address to fall
/// back to, so that time is left to try it. That half is counted from when the name was `first_asked`
/// for: while a name service is slow, only the first check waits for it.
fn patience(
    asked_at: Instant,
    first_asked: Instant,
    deadline: Instant,
    can_fall_back: bool,
) -> Instant {
    if !can_fall_back {
        return deadline;
    }
    first_asked + deadline.saturating_duration_since(asked_at) / 2
}

/// An address written as such.
fn literal(host: &str) -> Option<SocketAddr> {
    let bare = host.strip_prefix('[').and_then(|h| h.strip_suffix(']'));
    let address: IpAddr = bare.unwrap_or(host).parse().ok()?;
    Some(SocketAddr::new(address, 0))
}

/// Whether `name` can be put into a DNS question (RFC 1035, section 2.3.4). mDNS daemons have died
/// of a label that is too long.
fn is_askable(name: &str) -> bool {
    const NAME_MAX: usize = 253;
    const LABEL_MAX: usize = 63;
    name.len() <= NAME_MAX && name.split('.').all(|label| (1..=LABEL_MAX).contains(&label.len()))
}

impl fmt::Debug for Names {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Names").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};
    use std::sync::mpsc;
    use std::thread;
    use std::time::Duration;

    use super::*;

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(10)
    }

    fn names(
        look_up: impl Fn(&str) -> Result<Vec<SocketAddr>, Fault> + Send + Sync + 'static,
    ) -> Names {
        Names::with_look_up(Arc::new(|_: &str| None), Box::new(look_up))
    }

    fn address(text: &str) -> SocketAddr {
        SocketAddr::new(text.parse().unwrap(), 0)
    }

    #[test]
    fn addresses_need_no_look_up() {
        let names = names(|_| panic!("nobody is asked"));
        for (host, wanted) in
            [("192.168.1.7", "192.168.1.7"), ("[fe80::1]", "fe80::1"), ("::1", "::1")]
        {
            let found = names.resolve(host, soon()).unwrap();
            assert_eq!(*found, [address(wanted)]);
        }
    }

    #[test]
    fn impossible_names_are_unknown_and_nobody_is_asked() {
        let names = names(|_| panic!("nobody is asked"));
        let long = "a".repeat(64);
        for host in ["", ".", "a..b", &long, &format!("{long}.local")] {
            assert_eq!(names.resolve(host, soon()), Err(Fault::Unknown), "{host}");
        }
    }

    #[test]
    fn the_system_knows_localhost() {
        let names = Names::new(Arc::new(|_: &str| None));
        let found = names.resolve("LocalHost.", soon()).unwrap();
        assert!(found.iter().all(|address| address.ip().is_loopback()));
    }

    #[test]
    fn callers_of_one_name_share_one_look_up() {
        let asked = Arc::new(AtomicUsize::new(0));
        let (go, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let count = asked.clone();
        let names = names(move |_| {
            count.fetch_add(1, Ordering::SeqCst);
            gate.lock().unwrap().recv().ok();
            Ok(vec![address("10.0.0.1")])
        });
        let callers: Vec<_> = (0..8)
            .map(|_| {
                let names = names.clone();
                thread::spawn(move || names.resolve("nas.lan", soon()))
            })
            .collect();
        go.send(()).unwrap();
        for caller in callers {
            assert_eq!(*caller.join().unwrap().unwrap(), [address("10.0.0.1")]);
        }
        assert_eq!(asked.load(Ordering::SeqCst), 1);
    }

    #[test]
    fn a_look_up_that_hangs_holds_nobody_beyond_the_deadline() {
        let (_hold, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        let names = names(move |_| {
            gate.lock().unwrap().recv().ok();
            Err(Fault::Away)
        });
        let started = Instant::now();
        let deadline = started + Duration::from_millis(50);
        assert_eq!(names.resolve("nas.lan", deadline), Err(Fault::Timeout));
        assert!(started.elapsed() >= Duration::from_millis(50));
        assert!(started.elapsed() < Duration::from_secs(5));
    }

    #[test]
    fn the_last_good_address_stands_in_for_a_name_service_that_hangs() {
        let (hold, gate) = mpsc::channel::<()>();
        let gate = Mutex::new(gate);
        hold.send(()).unwrap();
        let names = names(move |_| {
            gate.lock().unwrap().recv().ok();
            Ok(vec![address("10.0.0.1")])
        });
        assert!(names.resolve("nas.lan", soon()).is_ok());
        names.doubt("NAS.lan");
        let resolve = || {
            let started = Instant::now();
            let found = names.resolve("nas.lan", started + Duration::from_secs(2));
            assert_eq!(*found.unwrap(), [address("10.0.0.1")]);
            started.elapsed()
        };
        assert!(resolve() >= Duration::from_secs(1), "asked first");
        assert!(resolve() < Duration::from_secs(1), "the first has waited for all");
    }

    #[test]
    fn a_look_up_that_panics_is_a_failed_look_up() {
        let names = names(|_| panic!("on purpose"));
        assert_eq!(names.resolve("nas.lan", soon()), Err(Fault::Away));
        assert_eq!(names.resolve("tv.lan", soon()), Err(Fault::Away));
    }

    #[test]
    fn a_panic_on_the_way_holds_up_nobody() {
        let broken = |_: &str| panic!("on purpose");
        let look_up = |_: &str| Ok(vec![address("10.0.0.1")]);
        let names = Names::with_look_up(Arc::new(broken), Box::new(look_up));
        let other = names.clone();
        let first = thread::spawn(move || other.resolve("nas.local", soon()));
        assert!(first.join().is_err());
        let asked = names.shared.desk().table.ask("nas.local", Instant::now());
        assert!(matches!(asked, Reply::Ask { .. }));
    }

    #[test]
    fn without_multicast_a_local_name_goes_to_the_system() {
        let names = names(|name| {
            assert_eq!(name, "nas.local");
            Ok(vec![address("10.0.0.1")])
        });
        assert!(names.resolve("NAS.local", soon()).is_ok());
    }
}
