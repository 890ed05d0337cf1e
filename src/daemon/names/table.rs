//! What is known of names, and which of them are being asked for.
//!
//! Time is told, nobody is asked here, so all of it can be tested as a time line.

use std::collections::HashMap;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use super::Fault;
use super::service::Service;

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

/// How long the last good address is kept for a name that is said not to exist. A router that
/// restarts says so of every device until that has asked for its address again.
const GONE_MAX: Duration = Duration::from_secs(60 * 60);

/// How long a failure is kept for who left before it was known: the longest interval of checks.
const OWED_MAX: Duration = Duration::from_secs(300);

/// A look-up that takes longer waits for a name service that does not answer. The next one of that
/// name has its place behind the others.
pub(super) const SLOW: Duration = Duration::from_secs(1);

/// The most names kept; the one not asked for the longest goes first. Some 200 bytes each.
const NAMES_MAX: usize = 4096;

/// The most addresses of one name that are tried: as many as musl, the C library of the static
/// program, gives (`MAXADDRS`).
pub(super) const ADDRESSES_MAX: usize = 48;

/// So many addresses of a name are on record.
const RECORDED_MAX: usize = 4;

/// Addresses of one name, never empty.
pub(super) type Addresses = Arc<[SocketAddr]>;

/// What is said of a name when no answer comes in time.
pub(super) type Fallback = Option<Result<Addresses, Fault>>;

/// What to do about a name.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Reply {
    /// Use these.
    Known(Addresses),
    /// It has just failed.
    Failed(Fault),
    /// Wait: somebody has been asking since then.
    Asking { fallback: Fallback, since: Instant },
    /// Ask, and then [`Table::settle`] or [`Table::abandon`].
    Ask { fallback: Fallback },
}

#[derive(Default)]
pub(super) struct Table {
    names: HashMap<String, Entry>,
    pub(super) service: Service,
    /// A name is not on record as it is.
    unrecorded: bool,
}

struct Entry {
    good: Option<Good>,
    belief: Belief,
    asking: Option<Asking>,
    /// Somebody left before a look-up had its turn: what comes of it is kept.
    left: bool,
    /// What came of it, if that was a failure, and when.
    owed: Option<(Fault, Instant)>,
    /// The last look-up was slow.
    slow: bool,
    /// Where the last connection was made.
    winner: Option<SocketAddr>,
    settled_at: Option<Instant>,
    used_at: Instant,
    /// An old address is better than none, and is never too old.
    lasting: bool,
    /// What is on record.
    recorded: Option<Addresses>,
}

/// The last good addresses.
struct Good {
    addresses: Addresses,
    found_at: Instant,
    /// Since when the name is said not to exist.
    gone_since: Option<Instant>,
}

/// A look-up under way.
#[derive(Clone, Copy)]
struct Asking {
    since: Instant,
    /// When it had its turn.
    begun_at: Option<Instant>,
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
        let entry = self.entry(name, now);
        entry.used_at = now;
        match (&entry.belief, entry.last_good(now)) {
            (Belief::Good { until }, Some(addresses)) if now < *until => Reply::Known(addresses),
            (Belief::Failure { fault, until }, _) if now < *until => Reply::Failed(*fault),
            (_, last_good) => {
                let fallback = last_good.map(Ok).or_else(|| entry.owed(now).map(Err));
                match entry.asking {
                    Some(Asking { since, .. }) => Reply::Asking { fallback, since },
                    None => {
                        entry.asking = Some(Asking { since: now, begun_at: None });
                        Reply::Ask { fallback }
                    }
                }
            }
        }
    }

    /// The last good addresses of `name`, though the name service be away.
    pub(super) fn known(&self, name: &str, now: Instant) -> Option<Addresses> {
        self.names.get(name)?.last_good(now)
    }

    /// The look-up of `name` has its turn.
    pub(super) fn begin(&mut self, name: &str, now: Instant) {
        let asking = self.names.get_mut(name).and_then(|entry| entry.asking.as_mut());
        if let Some(asking) = asking {
            asking.begun_at = Some(now);
        }
    }

    /// Who asked for `name` cannot wait any longer: whether the look-up had its turn by then. If it
    /// had not, what comes of it is kept for the next.
    pub(super) fn had_turn(&mut self, name: &str, by: Instant) -> bool {
        let Some(entry) = self.names.get_mut(name) else { return true };
        let begun_at = entry.asking.and_then(|asking| asking.begun_at);
        let had_turn = begun_at.is_some_and(|at| at <= by);
        entry.left |= !had_turn;
        had_turn
    }

    /// Writes down what was found, and says what that means for who asked: addresses when there
    /// are any, even if only the last good ones.
    pub(super) fn settle(
        &mut self,
        name: &str,
        found: Result<Vec<SocketAddr>, Fault>,
        now: Instant,
    ) -> Result<Addresses, Fault> {
        let entry = self.names.get_mut(name);
        let winner = entry.as_ref().and_then(|entry| entry.winner);
        let addresses = found.and_then(|all| pick(&all, winner).ok_or(Fault::Unknown));
        let Some(entry) = entry else {
            return addresses;
        };
        entry.ended(now);
        let left = std::mem::take(&mut entry.left);
        match addresses {
            Ok(addresses) => {
                let good = Good { addresses: addresses.clone(), found_at: now, gone_since: None };
                entry.good = Some(good);
                self.unrecorded |= !entry.is_recorded();
                entry.owed = None;
                entry.belief = Belief::Good { until: now + FRESH };
                Ok(addresses)
            }
            Err(fault) => {
                entry.owed = left.then_some((fault, now));
                entry.fail(fault, now)
            }
        }
    }

    /// The same for a name that is asked for once in a while, by somebody who waits for no other.
    pub(super) fn settle_lasting(
        &mut self,
        name: &str,
        found: &Result<Vec<SocketAddr>, Fault>,
        now: Instant,
    ) -> Result<Addresses, Fault> {
        let entry = self.entry(name, now);
        (entry.used_at, entry.lasting) = (now, true);
        self.settle(name, found.clone(), now)
    }

    /// What was known of a name in the last run.
    pub(super) fn remember(&mut self, name: &str, found: Vec<SocketAddr>, now: Instant) {
        let entry = self.entry(name, now);
        let Some(addresses) = pick(&found, None) else { return };
        entry.recorded = Some(addresses.clone());
        entry.good = Some(Good { addresses, found_at: now, gone_since: None });
    }

    /// See [`Names::take_unrecorded`](super::Names::take_unrecorded).
    pub(super) fn take_unrecorded(
        &mut self,
        all: bool,
        now: Instant,
    ) -> Vec<(String, Vec<IpAddr>)> {
        if !all && !std::mem::take(&mut self.unrecorded) {
            return Vec::new();
        }
        let mut taken = Vec::new();
        for (name, entry) in &mut self.names {
            let is_in_use =
                entry.lasting || now.saturating_duration_since(entry.used_at) < LAST_GOOD_MAX;
            let Some(good) = entry.good.as_ref().filter(|_| is_in_use) else { continue };
            if all || !entry.is_recorded() {
                // What is only known at one link is of no use after a boot, which may number links anew.
                let lasting =
                    good.addresses.iter().map(SocketAddr::ip).filter(|ip| !is_of_link(*ip));
                let addresses: Vec<IpAddr> = lasting.take(RECORDED_MAX).collect();
                if !addresses.is_empty() {
                    taken.push((name.clone(), addresses));
                }
                entry.recorded = Some(good.addresses.clone());
            }
        }
        taken
    }

    /// The name service was asked for a name, and has answered or not.
    pub(super) fn hear(&mut self, name: &str, fault: Option<Fault>, now: Instant) {
        match fault {
            None | Some(Fault::Unknown) => self.service.answers(),
            Some(Fault::Away) if self.names.get(name).is_some_and(|it| it.good.is_some()) => {
                self.service.is_silent(name, now);
            }
            Some(_) => {}
        }
    }

    fn entry(&mut self, name: &str, now: Instant) -> &mut Entry {
        if !self.names.contains_key(name) {
            self.make_room();
        }
        self.names.entry(name.to_owned()).or_insert_with(|| Entry::new(now))
    }

    /// The IPv4 addresses are found. The IPv6 addresses stay as they were until they are
    /// [known anew](Table::settle_v6).
    pub(super) fn settle_v4(&mut self, name: &str, mut found: Vec<SocketAddr>, now: Instant) {
        let good = self.names.get(name).and_then(|entry| entry.good.as_ref());
        if let Some(good) = good {
            found.extend(good.addresses.iter().filter(|address| address.is_ipv6()));
        }
        // It cannot fail: there are addresses.
        let _ = self.settle(name, Ok(found), now);
    }

    /// IPv6 addresses are found, and of IPv4 addresses only `why` there are none. Those that were good
    /// last stay beside them for as long as they would alone: most small servers listen on nothing else.
    pub(super) fn settle_v6_alone(
        &mut self,
        name: &str,
        mut found: Vec<SocketAddr>,
        why: Fault,
        now: Instant,
    ) -> Result<Addresses, Fault> {
        if let Some(entry) = self.names.get_mut(name) {
            entry.mark_gone(why, now);
            let last_good = entry.last_good(now).unwrap_or_default();
            found.extend(last_good.iter().filter(|address| address.is_ipv4()));
        }
        let keeps = found.iter().any(SocketAddr::is_ipv4);
        let good = self.names.get(name).and_then(|entry| entry.good.as_ref());
        let times = good.filter(|_| keeps).map(|good| (good.found_at, good.gone_since));
        let settled = self.settle(name, Ok(found), now);
        // They are no newer for that.
        let good = self.names.get_mut(name).and_then(|entry| entry.good.as_mut());
        if let (Some(good), Some(times)) = (good, times) {
            (good.found_at, good.gone_since) = times;
        }
        settled
    }

    /// What is known of IPv6 addresses, when IPv4 addresses were found. No answer changes nothing.
    pub(super) fn settle_v6(&mut self, name: &str, found: Result<Vec<SocketAddr>, Fault>) {
        let Some(entry) = self.names.get_mut(name) else { return };
        let winner = entry.winner;
        let Some(good) = &mut entry.good else { return };
        let v6 = match found {
            Ok(found) => found,
            Err(Fault::Unknown) => Vec::new(),
            Err(_) => return,
        };
        let v4 = good.addresses.iter().copied().filter(SocketAddr::is_ipv4);
        let all: Vec<SocketAddr> = v4.chain(v6).collect();
        if let Some(addresses) = pick(&all, winner) {
            good.addresses = addresses;
        }
    }

    /// Nobody asks for `name` any more, without a result.
    pub(super) fn abandon(&mut self, name: &str) {
        if let Some(entry) = self.names.get_mut(name) {
            entry.asking = None;
        }
    }

    /// What is known of `name` is not to be believed without asking. Whether to ask now, as after
    /// [`Reply::Ask`]: the next check shall find an answer.
    pub(super) fn doubt(&mut self, name: &str, now: Instant) -> bool {
        let Some(entry) = self.names.get_mut(name) else { return false };
        let just_settled =
            entry.settled_at.is_some_and(|at| now.saturating_duration_since(at) < FAILURE_FRESH);
        if entry.good.is_none() || entry.asking.is_some() || just_settled {
            return false;
        }
        entry.belief = Belief::Nothing;
        entry.winner = None;
        entry.asking = Some(Asking { since: now, begun_at: None });
        true
    }

    /// A connection to `name` was made at this address: it comes first from now on.
    pub(super) fn won(&mut self, name: &str, address: SocketAddr) {
        let Some(entry) = self.names.get_mut(name) else { return };
        if entry.winner == Some(address) {
            return;
        }
        entry.winner = Some(address);
        if let Some(good) = &mut entry.good
            && let Some(addresses) = pick(&good.addresses, Some(address))
        {
            good.addresses = addresses;
        }
    }

    /// Whether the last look-up of `name` was slow.
    pub(super) fn is_slow(&self, name: &str) -> bool {
        self.names.get(name).is_some_and(|entry| entry.slow)
    }

    fn make_room(&mut self) {
        if self.names.len() < NAMES_MAX {
            return;
        }
        let idle = self.names.iter().filter(|(_, entry)| entry.asking.is_none());
        let oldest = idle.min_by_key(|(_, entry)| entry.used_at);
        if let Some(name) = oldest.map(|(name, _)| name.clone()) {
            self.names.remove(&name);
        }
    }
}

impl Entry {
    fn new(now: Instant) -> Entry {
        Entry {
            good: None,
            belief: Belief::Nothing,
            asking: None,
            left: false,
            owed: None,
            slow: false,
            winner: None,
            settled_at: None,
            used_at: now,
            lasting: false,
            recorded: None,
        }
    }

    fn last_good(&self, now: Instant) -> Option<Addresses> {
        let good = self.good.as_ref()?;
        let gone = good.gone_since.is_some_and(|at| now.saturating_duration_since(at) >= GONE_MAX);
        let age = now.saturating_duration_since(good.found_at);
        let old = age >= LAST_GOOD_MAX && !self.lasting;
        (!gone && !old).then(|| good.addresses.clone())
    }

    /// Whether one of the last good addresses is on record: names of big servers lead to others each time.
    fn is_recorded(&self) -> bool {
        let (Some(good), Some(recorded)) = (&self.good, &self.recorded) else { return false };
        good.addresses.iter().any(|address| recorded.contains(address))
    }

    fn owed(&self, now: Instant) -> Option<Fault> {
        let (fault, at) = self.owed?;
        (now.saturating_duration_since(at) <= OWED_MAX).then_some(fault)
    }

    fn ended(&mut self, now: Instant) {
        let begun_at = self.asking.take().and_then(|asking| asking.begun_at);
        self.slow = begun_at.is_some_and(|at| now.saturating_duration_since(at) >= SLOW);
        self.settled_at = Some(now);
    }

    /// Marks the last good address when there is no such name.
    fn mark_gone(&mut self, fault: Fault, now: Instant) {
        if let (Fault::Unknown, Some(good)) = (fault, &mut self.good) {
            good.gone_since.get_or_insert(now);
        }
    }

    /// A name service that fails leaves the last good address in force, for a while.
    fn fail(&mut self, fault: Fault, now: Instant) -> Result<Addresses, Fault> {
        self.mark_gone(fault, now);
        let last_good = self.last_good(now);
        self.belief = match last_good {
            Some(_) => Belief::Good { until: now + STAND_IN },
            None => Belief::Failure { fault, until: now + FAILURE_FRESH },
        };
        if last_good.is_none() {
            self.good = None;
        }
        last_good.ok_or(fault)
    }
}

fn is_of_link(address: IpAddr) -> bool {
    matches!(address, IpAddr::V6(address) if address.is_unicast_link_local())
}

/// The addresses, each once: the one that worked last, then both families by turns, beginning with
/// the other family, or else with that of the first.
fn pick(all: &[SocketAddr], winner: Option<SocketAddr>) -> Option<Addresses> {
    let winner = winner.filter(|winner| all.contains(winner));
    let v4_leads = winner.map_or(all.first()?.is_ipv4(), |winner| winner.is_ipv6());
    let (lead, follow): (Vec<_>, Vec<_>) = all.iter().partition(|one| one.is_ipv4() == v4_leads);
    let (mut lead, mut follow) = (lead.into_iter(), follow.into_iter());
    let mut picked: Vec<SocketAddr> = winner.into_iter().collect();
    loop {
        let turn: Vec<_> = lead.next().into_iter().chain(follow.next()).collect();
        if turn.is_empty() || picked.len() >= ADDRESSES_MAX {
            picked.truncate(ADDRESSES_MAX);
            return Some(Arc::from(picked));
        }
        for address in turn {
            if !picked.contains(address) {
                picked.push(*address);
            }
        }
    }
}

#[cfg(test)]
mod tests;
