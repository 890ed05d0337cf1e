//! Names to addresses, for the checks and the mails.
//!
//! An address needs no look-up. `NAME.local` is asked over mDNS (`multicast`), since a static
//! binary knows no nss-mdns; all else goes to the `system`, whose look-ups cannot be cancelled, on
//! threads of their own (`lookups`). What is known, and who is asking for what, stands in one
//! `table`: callers that want the same name share one look-up, and each waits no longer than its
//! own deadline. Where an address is known, checks hardly wait at all: it is looked up anew beside
//! them.
//!
//! The table is the one thing here that threads share. Its lock is held for the few microseconds
//! of a look into it, never while anybody waits for an answer.

mod lookups;
mod multicast;
mod service;
mod system;
mod table;

use std::fmt;
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Condvar, LazyLock, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

pub use self::lookups::THREADS_MAX;
use self::lookups::{Lookups, ask_both};
use self::system::Family;
use self::table::{Addresses, Fallback, Reply, Table};
use super::discovery::{Discovery, Question};

/// How long a new answer is waited for where the last good address is known: a name service on the
/// LAN answers in a few milliseconds, and the check needs the rest of its time.
const PATIENCE: Duration = Duration::from_millis(300);

/// How long the command line waits for a `NAME.local`: who is there has answered by then.
const LOOKED_UP_WITHIN: Duration = Duration::from_secs(4);

/// Asks for a `NAME.local` over mDNS; `None` when there is no multicast, and then it goes to the system
/// too.
pub type Multicast = dyn Fn(&str) -> Option<Question> + Send + Sync;

/// Asks the system for one family of addresses of a name, for as long as it takes.
type LookUp = dyn Fn(&str, Family) -> Result<Vec<SocketAddr>, Fault> + Send + Sync;

/// Why a name has no address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// Asked and answered: there is no such name, or it cannot be one.
    Unknown,
    /// Nobody answered, or nobody could be asked.
    Away,
    /// The caller's time was up first.
    Timeout,
    /// The caller's time was up before the look-up had its turn among ours.
    NoTurn,
    /// This machine was short of something: an error number of ours (see
    /// [`wants`](crate::daemon::wants)).
    Ours(i32),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Fault::Unknown => f.write_str("no such name"),
            Fault::Away => f.write_str("nobody answers for this name"),
            Fault::Timeout => f.write_str("no answer in time"),
            Fault::NoTurn => f.write_str("other names were looked up first"),
            Fault::Ours(code) => io::Error::from_raw_os_error(*code).fmt(f),
        }
    }
}

/// The names of all apps, and what is known of them. Shared by all checks.
#[derive(Clone)]
pub struct Names {
    shared: Arc<Shared>,
}

struct Shared {
    state: Mutex<State>,
    /// Signalled when a look-up has ended, however it did.
    ended: Condvar,
    /// Signalled when there is work for a look-up thread.
    work: Condvar,
    look_up: Box<LookUp>,
    multicast: Arc<Multicast>,
}

/// All that the threads share.
struct State {
    table: Table,
    lookups: Lookups,
}

impl Names {
    /// Nothing is started and nobody is asked until the first name comes; then up to `threads` of
    /// the system's look-ups are made at once.
    pub fn new(multicast: Arc<Multicast>, threads: usize) -> Names {
        Names::with_look_up(multicast, threads, Box::new(system::ask))
    }

    fn with_look_up(multicast: Arc<Multicast>, threads: usize, look_up: Box<LookUp>) -> Names {
        Names {
            shared: Arc::new(Shared {
                state: Mutex::new(State {
                    table: Table::default(),
                    lookups: Lookups::new(threads),
                }),
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
    /// away or slow, or has forgotten the name for a while.
    pub fn resolve(&self, host: &str, deadline: Instant) -> Result<Arc<[SocketAddr]>, Fault> {
        if let Some(address) = literal(host) {
            return Ok(Arc::from([address]));
        }
        let name = plain(host);
        if !is_askable(&name) {
            return Err(Fault::Unknown);
        }
        self.shared.resolve(&name, deadline)
    }

    /// The addresses of a server that is wanted once in a while, IPv4 first: asked for anew, and not
    /// beside others, unless it is a `NAME.local`. That waits until `deadline`, the system as long as
    /// it takes.
    ///
    /// # Errors
    ///
    /// A [`Fault`]. The last good address stands in as for [`Names::resolve`], however old it is.
    pub fn look_up(&self, host: &str, deadline: Instant) -> Result<Vec<SocketAddr>, Fault> {
        let name = plain(host);
        if is_local(&name) || literal(host).is_some() {
            return self.resolve(host, deadline).map(|found| found.to_vec());
        }
        let found = ask_both(&self.shared, host);
        let known = self.shared.lock().table.settle_lasting(&name, &found, Instant::now());
        self.shared.ended.notify_all();
        found.or_else(|_| known.map(|addresses| addresses.to_vec()))
    }

    /// What the last run knew of a name.
    pub fn remember(&self, name: &str, addresses: &[IpAddr]) {
        let found = addresses.iter().map(|address| SocketAddr::new(*address, 0)).collect();
        self.shared.lock().table.remember(name, found, Instant::now());
    }

    /// What should be on record and is not: names with their last good addresses. With `all`, what should
    /// be, whether it is or not.
    pub fn take_unrecorded(&self, all: bool) -> Vec<(String, Vec<IpAddr>)> {
        self.shared.lock().table.take_unrecorded(all, Instant::now())
    }

    /// Whether no name server answers, in a sentence.
    pub fn trouble(&self) -> Option<String> {
        self.shared.lock().table.service.trouble(Instant::now())
    }

    /// The addresses of `host` that are at hand, best first: nobody is asked. (As for
    /// [`Names::resolve`].)
    pub fn known(&self, host: &str) -> Option<Arc<[SocketAddr]>> {
        if let Some(address) = literal(host) {
            return Some(Arc::from([address]));
        }
        self.shared.lock().table.known(&plain(host), Instant::now())
    }

    /// The address of `host` did not work: it is looked up anew at once, so that the next check
    /// finds an app that has moved.
    pub fn doubt(&self, host: &str) {
        if literal(host).is_some() {
            return;
        }
        let name = plain(host);
        let mut state = self.shared.lock();
        if state.table.doubt(&name, Instant::now()) && !state.look_up(&name, &self.shared) {
            state.table.abandon(&name);
        }
    }

    /// A connection to `host` was made at this address, which is tried first from now on.
    pub fn won(&self, host: &str, mut address: SocketAddr) {
        if literal(host).is_none() {
            address.set_port(0);
            self.shared.lock().table.won(&plain(host), address);
        }
    }
}

impl State {
    /// Has `name` looked up on a thread; `false` when there is none.
    fn look_up(&mut self, name: &str, shared: &Arc<Shared>) -> bool {
        let was_slow = self.table.is_slow(name);
        self.lookups.add(name, was_slow, shared)
    }

    /// Why who asked for `name` cannot wait any longer. A look-up that began after `fair` had no
    /// fair chance.
    fn too_late(&mut self, name: &str, fair: Instant) -> Fault {
        if self.table.had_turn(name, fair) { Fault::Timeout } else { Fault::NoTurn }
    }
}

impl Shared {
    fn lock(&self) -> MutexGuard<'_, State> {
        // Nothing that happens under the lock can leave the table half changed.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn resolve(self: &Arc<Shared>, name: &str, deadline: Instant) -> Result<Addresses, Fault> {
        let asked_at = Instant::now();
        let mut state = self.lock();
        loop {
            let now = Instant::now();
            let (fallback, since, ours) = match state.table.ask(name, now) {
                Reply::Known(addresses) => return Ok(addresses),
                Reply::Failed(fault) => return Err(fault),
                Reply::Asking { fallback, since } => (fallback, since, false),
                Reply::Ask { fallback } => (fallback, now, true),
            };
            let can_fall_back = matches!(fallback, Some(Ok(_)));
            let until = if can_fall_back { deadline.min(since + PATIENCE) } else { deadline };
            if ours {
                if !can_fall_back {
                    drop(state);
                    let duty = Duty { shared: self, name };
                    if let Some(question) = self.query(name) {
                        return self.lead(name, &question, until, fallback);
                    }
                    drop(duty);
                    state = self.lock();
                }
                if !state.look_up(name, self) {
                    state.table.abandon(name);
                    return fallback.unwrap_or(Err(Fault::NoTurn));
                }
            }
            let left = until.saturating_duration_since(now);
            if left.is_zero() {
                let fair = asked_at + deadline.saturating_duration_since(asked_at) / 2;
                return fallback.unwrap_or_else(|| Err(state.too_late(name, fair)));
            }
            state = match self.ended.wait_timeout(state, left) {
                Ok((state, _)) => state,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    /// Asks over mDNS, if that is where `name` is known and there is multicast.
    fn query(&self, name: &str) -> Option<Question> {
        if !is_local(name) {
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
        fallback: Fallback,
    ) -> Result<Addresses, Fault> {
        self.lock().table.begin(name, Instant::now());
        match multicast::answer(question, Some(until)) {
            Err(Fault::Timeout) => {
                self.abandon(name);
                fallback.unwrap_or(Err(Fault::Timeout))
            }
            found => self.settle(name, found),
        }
    }

    /// Ends a look-up without a result: one of those who wait for it asks anew.
    fn abandon(&self, name: &str) {
        self.lock().table.abandon(name);
        self.ended.notify_all();
    }

    /// Writes down the end of a look-up and tells all who wait for it.
    fn settle(
        &self,
        name: &str,
        found: Result<Vec<SocketAddr>, Fault>,
    ) -> Result<Addresses, Fault> {
        let result = self.lock().table.settle(name, found, Instant::now());
        self.ended.notify_all();
        result
    }

    /// The same, when IPv6 addresses are all that was found.
    fn settle_v6_alone(&self, name: &str, found: Vec<SocketAddr>, why: Fault) {
        // Whoever waits takes it from the table.
        let _ = self.lock().table.settle_v6_alone(name, found, why, Instant::now());
        self.ended.notify_all();
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

/// The addresses of a `NAME.local`, for the command line: its calls share the answers, and nobody else runs in
/// its process.
pub fn look_up(name: &str) -> Vec<SocketAddr> {
    static NAMES: LazyLock<Names> = LazyLock::new(|| {
        let discovery = Discovery::start(None);
        Names::new(Arc::new(move |name| discovery.ask(name)), 1)
    });
    let found = NAMES.resolve(name, Instant::now() + LOOKED_UP_WITHIN);
    found.map(|found| found.to_vec()).unwrap_or_default()
}

/// A name as the table knows it: in small letters, without a dot at the end.
fn plain(host: &str) -> String {
    host.trim_end_matches('.').to_ascii_lowercase()
}

/// Whether a [`plain`] name is known over mDNS alone.
fn is_local(name: &str) -> bool {
    name.ends_with(".local")
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
mod tests;
