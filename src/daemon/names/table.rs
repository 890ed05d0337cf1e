//! What is known of names, and which of them are being asked for.
//!
//! Time is told, nobody is asked here, so all of it can be tested as a time line.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Fault;

/// How long an address is believed without asking again. The system does not tell a record's own
/// time to live; mDNS recommends 120 s for host names (RFC 6762, section 10). A check that fails
/// ends the belief at once.
const FRESH: Duration = Duration::from_secs(60);

/// How long a failure is believed: many apps on one host shall not all ask for it.
const FAILURE_FRESH: Duration = Duration::from_secs(2);

/// How long the last good address is used while the name service is away, before asking again.
const STAND_IN: Duration = Duration::from_secs(10);

/// How old the last good address may be.
const LAST_GOOD_MAX: Duration = Duration::from_secs(24 * 60 * 60);

/// The most names kept; the one not asked for the longest goes first. Some 200 bytes each.
const NAMES_MAX: usize = 4096;

/// The most addresses of one name that are tried: each takes its share of a check's time-out.
const ADDRESSES_MAX: usize = 4;

/// Addresses of one name, never empty.
pub(super) type Addresses = Arc<[SocketAddr]>;

/// What to do about a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// Use these.
    Known(Addresses),
    /// It has just failed.
    Failed(Fault),
    /// Wait: somebody has been asking since then.
    Asking { last_good: Option<Addresses>, since: Instant },
    /// Ask, and then [`Table::settle`] or [`Table::abandon`].
    Ask { last_good: Option<Addresses> },
}

#[derive(Default)]
pub(super) struct Table {
    names: HashMap<String, Entry>,
}

struct Entry {
    /// The last good addresses, and when they were found.
    good: Option<(Addresses, Instant)>,
    belief: Belief,
    /// Since when somebody has been asking, if anybody is.
    asking_since: Option<Instant>,
    used_at: Instant,
}

/// What is held for true without asking.
enum Belief {
    Nothing,
    /// The last good addresses.
    Good {
        until: Instant,
    },
    Failure {
        fault: Fault,
        until: Instant,
    },
}

impl Table {
    /// What to do about `name`. After [`Reply::Ask`] all others get [`Reply::Asking`].
    pub(super) fn ask(&mut self, name: &str, now: Instant) -> Reply {
        if !self.names.contains_key(name) {
            self.make_room();
        }
        let entry = self.names.entry(name.to_owned()).or_insert_with(|| Entry::new(now));
        entry.used_at = now;
        let last_good = entry.last_good(now);
        match (&entry.belief, last_good) {
            (Belief::Good { until }, Some(addresses)) if now < *until => Reply::Known(addresses),
            (Belief::Failure { fault, until }, _) if now < *until => Reply::Failed(*fault),
            (_, last_good) => match entry.asking_since {
                Some(since) => Reply::Asking { last_good, since },
                None => {
                    entry.asking_since = Some(now);
                    Reply::Ask { last_good }
                }
            },
        }
    }

    /// Writes down what was found, and says what that means for who asked: addresses when there
    /// are any, even if only the last good ones.
    pub(super) fn settle(
        &mut self,
        name: &str,
        found: Result<Vec<SocketAddr>, Fault>,
        now: Instant,
    ) -> Result<Addresses, Fault> {
        let addresses = found.and_then(|all| pick(&all).ok_or(Fault::Unknown));
        let Some(entry) = self.names.get_mut(name) else {
            return addresses;
        };
        entry.asking_since = None;
        match addresses {
            Ok(addresses) => {
                entry.good = Some((addresses.clone(), now));
                entry.belief = Belief::Good { until: now + FRESH };
                Ok(addresses)
            }
            Err(fault) => entry.fail(fault, now),
        }
    }

    /// Nobody asks for `name` any more, without a result.
    pub(super) fn abandon(&mut self, name: &str) {
        if let Some(entry) = self.names.get_mut(name) {
            entry.asking_since = None;
        }
    }

    /// What is known of `name` is not to be believed without asking.
    pub(super) fn doubt(&mut self, name: &str) {
        if let Some(entry) = self.names.get_mut(name)
            && let Belief::Good { .. } = entry.belief
        {
            entry.belief = Belief::Nothing;
        }
    }

    fn make_room(&mut self) {
        if self.names.len() < NAMES_MAX {
            return;
        }
        let idle = self.names.iter().filter(|(_, entry)| entry.asking_since.is_none());
        let oldest = idle.min_by_key(|(_, entry)| entry.used_at);
        if let Some(name) = oldest.map(|(name, _)| name.clone()) {
            self.names.remove(&name);
        }
    }
}

impl Entry {
    fn new(now: Instant) -> Entry {
        Entry { good: None, belief: Belief::Nothing, asking_since: None, used_at: now }
    }

    fn last_good(&self, now: Instant) -> Option<Addresses> {
        let (addresses, found_at) = self.good.as_ref()?;
        (now.saturating_duration_since(*found_at) < LAST_GOOD_MAX).then(|| addresses.clone())
    }

    /// A name service that is away leaves the last good address in force; one that says "no such
    /// name" does not.
    fn fail(&mut self, fault: Fault, now: Instant) -> Result<Addresses, Fault> {
        if fault == Fault::Unknown {
            self.good = None;
        }
        let last_good = self.last_good(now);
        self.belief = match last_good {
            Some(_) => Belief::Good { until: now + STAND_IN },
            None => Belief::Failure { fault, until: now + FAILURE_FRESH },
        };
        last_good.ok_or(fault)
    }
}

/// The first few addresses, each once, families by turns, beginning with that of the first (the
/// system has sorted them by what it can reach).
fn pick(all: &[SocketAddr]) -> Option<Addresses> {
    let first_is_v4 = all.first()?.is_ipv4();
    let (first, second): (Vec<_>, Vec<_>) = all.iter().partition(|a| a.is_ipv4() == first_is_v4);
    let (mut first, mut second) = (first.into_iter(), second.into_iter());
    let mut picked: Vec<SocketAddr> = Vec::with_capacity(ADDRESSES_MAX);
    loop {
        let turn: Vec<_> = first.next().into_iter().chain(second.next()).collect();
        if turn.is_empty() || picked.len() >= ADDRESSES_MAX {
            picked.truncate(ADDRESSES_MAX);
            return Some(Arc::from(picked));
        }
        for address in turn {
            if !picked.contains(&address) {
                picked.push(address);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all(texts: &[&str]) -> Vec<SocketAddr> {
        let address = |text: &&str| SocketAddr::new(text.parse().unwrap(), 0);
        texts.iter().map(address).collect()
    }

    fn known(texts: &[&str]) -> Reply {
        Reply::Known(Arc::from(all(texts)))
    }

    const ASK: Reply = Reply::Ask { last_good: None };

    /// A table and a clock, in seconds.
    struct Line {
        table: Table,
        t0: Instant,
    }

    impl Line {
        fn new() -> Line {
            Line { table: Table::default(), t0: Instant::now() }
        }

        fn at(&self, seconds: u64) -> Instant {
            self.t0 + Duration::from_secs(seconds)
        }

        fn ask(&mut self, seconds: u64) -> Reply {
            self.table.ask("nas.lan", self.at(seconds))
        }

        fn found(&mut self, seconds: u64, texts: &[&str]) {
            let at = self.at(seconds);
            self.table.settle("nas.lan", Ok(all(texts)), at).unwrap();
        }

        fn failed(&mut self, seconds: u64, fault: Fault) -> Result<Addresses, Fault> {
            let at = self.at(seconds);
            self.table.settle("nas.lan", Err(fault), at)
        }
    }

    #[test]
    fn an_address_is_believed_for_a_minute() {
        let mut line = Line::new();
        assert_eq!(line.ask(0), ASK);
        assert_eq!(line.ask(0), Reply::Asking { last_good: None, since: line.t0 });
        line.found(1, &["10.0.0.1"]);
        assert_eq!(line.ask(60), known(&["10.0.0.1"]));
        let last_good = Some(Arc::from(all(&["10.0.0.1"])));
        assert_eq!(line.ask(61), Reply::Ask { last_good });
    }

    #[test]
    fn a_failure_is_believed_for_a_moment() {
        let mut line = Line::new();
        assert_eq!(line.ask(0), ASK);
        assert_eq!(line.failed(1, Fault::Away), Err(Fault::Away));
        assert_eq!(line.ask(2), Reply::Failed(Fault::Away));
        assert_eq!(line.ask(3), ASK);
    }

    #[test]
    fn the_last_good_address_stands_in_for_a_day() {
        const DAY: u64 = 24 * 60 * 60;
        let mut line = Line::new();
        line.ask(0);
        line.found(0, &["10.0.0.1"]);
        line.ask(100);
        assert!(line.failed(100, Fault::Away).is_ok());
        assert_eq!(line.ask(109), known(&["10.0.0.1"]));
        assert!(matches!(line.ask(110), Reply::Ask { last_good: Some(_) }));
        assert_eq!(line.failed(DAY, Fault::Away), Err(Fault::Away));
    }

    #[test]
    fn a_name_that_is_gone_is_gone() {
        let mut line = Line::new();
        line.ask(0);
        line.found(0, &["10.0.0.1"]);
        line.ask(100);
        assert_eq!(line.failed(100, Fault::Unknown), Err(Fault::Unknown));
        assert_eq!(line.ask(200), ASK);
    }

    #[test]
    fn a_doubted_address_is_asked_for_again() {
        let mut line = Line::new();
        line.ask(0);
        line.found(0, &["10.0.0.1"]);
        line.table.doubt("nas.lan");
        assert!(matches!(line.ask(1), Reply::Ask { last_good: Some(_) }));
    }

    #[test]
    fn families_take_turns() {
        let mut line = Line::new();
        line.ask(0);
        line.found(0, &["fd00::1", "fd00::2", "fd00::1", "fd00::3", "10.0.0.1"]);
        let picked = known(&["fd00::1", "10.0.0.1", "fd00::2", "fd00::3"]);
        assert_eq!(line.ask(1), picked);
    }

    #[test]
    fn no_address_is_no_such_name() {
        let mut line = Line::new();
        line.ask(0);
        let at = line.at(0);
        let settled = line.table.settle("nas.lan", Ok(vec![]), at);
        assert_eq!(settled, Err(Fault::Unknown));
    }

    #[test]
    fn the_table_is_bounded_and_forgets_the_oldest() {
        let mut line = Line::new();
        line.ask(0);
        line.found(0, &["10.0.0.1"]);
        for n in 0..NAMES_MAX {
            let name = format!("n{n}");
            let at = line.at(1);
            line.table.ask(&name, at);
            line.table.abandon(&name);
        }
        assert_eq!(line.table.names.len(), NAMES_MAX);
        assert_eq!(line.ask(2), ASK, "the oldest was forgotten");
    }
}
