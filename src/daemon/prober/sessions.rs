//! What earlier TLS handshakes leave for later ones, and how long it holds.
//!
//! A resumed session spares both sides a certificate; so nobody looks at the certificate any more.
//! What a handshake decided must not outlive what it decided on: a session is used only with the
//! host and port that it was made with, as long as all certificates shown then are valid, and for
//! some minutes, since another certificate may stand there by now.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use rustls::NamedGroup;
use rustls::client::{
    ClientSessionStore, Resumption, Tls12ClientSessionValue, Tls13ClientSessionValue,
};
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};

use crate::daemon::trust::validity;
use crate::engine::registration::Tls;

/// How long the decision of a full handshake holds. At an interval of 30 s one check in twenty makes
/// a full one, and a certificate that was replaced by a bad one is found soon.
const DECIDED_MAX: Duration = Duration::from_secs(600);

/// The most hosts and ports with a session; the one not used for the longest goes first. A few KiB
/// each: the certificates are part of it.
const PLACES_MAX: usize = 256;

/// A host, as it stands in the address, a port, and who is believed to be there: what was decided with less
/// care is nothing to those who ask with more.
pub(super) type Endpoint = (String, u16, Tls);

/// The sessions of all apps.
#[derive(Clone, Default)]
pub(super) struct Sessions {
    endpoints: Arc<Mutex<HashMap<Endpoint, Kept>>>,
}

struct Kept {
    /// What the last full handshake decided on is valid then, in seconds since 1970.
    valid: Range<u64>,
    decided_at: Instant,
    group: Option<NamedGroup>,
    tls12: Option<Tls12ClientSessionValue>,
    tls13: Option<Tls13ClientSessionValue>,
    used_at: Instant,
}

impl Kept {
    fn new(now: Instant) -> Kept {
        Kept { valid: 0..0, decided_at: now, group: None, tls12: None, tls13: None, used_at: now }
    }

    fn holds(&self, now: Instant, wall: UnixTime) -> bool {
        self.valid.contains(&wall.as_secs())
            && now.saturating_duration_since(self.decided_at) < DECIDED_MAX
    }
}

impl Sessions {
    /// The sessions with `endpoint` alone, for its next connection.
    pub(super) fn of(&self, endpoint: Endpoint) -> Resumption {
        Resumption::store(Arc::new(Door { sessions: self.clone(), endpoint }))
    }

    /// A full handshake with `endpoint` has decided to believe these certificates.
    pub(super) fn decided(&self, endpoint: &Endpoint, chain: &[CertificateDer<'_>]) {
        let valid = chain.iter().map(|one| validity(one).unwrap_or(0..0));
        let valid = valid.reduce(|a, b| a.start.max(b.start)..a.end.min(b.end));
        let mut endpoints = self.endpoints();
        let kept = entry(&mut endpoints, endpoint, Instant::now());
        kept.valid = valid.unwrap_or(0..0);
        kept.decided_at = kept.used_at;
    }

    fn endpoints(&self) -> MutexGuard<'_, HashMap<Endpoint, Kept>> {
        // Nothing that happens under the lock can leave an entry half changed.
        self.endpoints.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// That of `endpoint`, made if need be.
fn entry<'a>(
    endpoints: &'a mut HashMap<Endpoint, Kept>,
    endpoint: &Endpoint,
    now: Instant,
) -> &'a mut Kept {
    if !endpoints.contains_key(endpoint) && endpoints.len() >= PLACES_MAX {
        let oldest = endpoints.iter().min_by_key(|(_, kept)| kept.used_at);
        if let Some(oldest) = oldest.map(|(endpoint, _)| endpoint.clone()) {
            endpoints.remove(&oldest);
        }
    }
    let kept = endpoints.entry(endpoint.clone()).or_insert_with(|| Kept::new(now));
    kept.used_at = now;
    kept
}

/// The sessions with one endpoint, as the TLS library sees them. It asks by name; the endpoint is known.
struct Door {
    sessions: Sessions,
    endpoint: Endpoint,
}

impl Door {
    fn change<T>(&self, change: impl FnOnce(&mut Kept) -> T) -> T {
        change(entry(&mut self.sessions.endpoints(), &self.endpoint, Instant::now()))
    }

    /// What is there to resume, if it holds. What does not is forgotten.
    fn resume<T>(&self, what: impl FnOnce(&mut Kept) -> Option<T>) -> Option<T> {
        let mut endpoints = self.sessions.endpoints();
        let kept = endpoints.get_mut(&self.endpoint)?;
        if kept.holds(Instant::now(), UnixTime::now()) {
            return what(kept);
        }
        (kept.tls12, kept.tls13) = (None, None);
        None
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").field("endpoint", &self.endpoint).finish_non_exhaustive()
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sessions").finish_non_exhaustive()
    }
}

impl ClientSessionStore for Door {
    fn set_kx_hint(&self, _: ServerName<'static>, group: NamedGroup) {
        self.change(|kept| kept.group = Some(group));
    }

    fn kx_hint(&self, _: &ServerName<'_>) -> Option<NamedGroup> {
        self.sessions.endpoints().get(&self.endpoint)?.group
    }

    fn set_tls12_session(&self, _: ServerName<'static>, value: Tls12ClientSessionValue) {
        self.change(|kept| kept.tls12 = Some(value));
    }

    fn tls12_session(&self, _: &ServerName<'_>) -> Option<Tls12ClientSessionValue> {
        self.resume(|kept| kept.tls12.clone())
    }

    fn remove_tls12_session(&self, _: &ServerName<'static>) {
        self.change(|kept| kept.tls12 = None);
    }

    /// The last one is enough: checks of one app do not overlap.
    fn insert_tls13_ticket(&self, _: ServerName<'static>, value: Tls13ClientSessionValue) {
        self.change(|kept| kept.tls13 = Some(value));
    }

    fn take_tls13_ticket(&self, _: &ServerName<'static>) -> Option<Tls13ClientSessionValue> {
        self.resume(|kept| kept.tls13.take())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[u8] = include_bytes!("../../../tests/tls/good.der");
    const PAST: &[u8] = include_bytes!("../../../tests/tls/past.der");

    fn endpoint(port: u16) -> Endpoint {
        ("nas.lan".to_owned(), port, Tls::Verify)
    }

    fn holds(sessions: &Sessions, port: u16, after: Duration) -> bool {
        let endpoints = sessions.endpoints();
        let kept = endpoints.get(&endpoint(port));
        kept.is_some_and(|kept| kept.holds(Instant::now() + after, UnixTime::now()))
    }

    #[test]
    fn a_decision_holds_for_its_place_while_all_certificates_are_valid() {
        let sessions = Sessions::default();
        let (good, past) = (CertificateDer::from(GOOD), CertificateDer::from(PAST));
        sessions.decided(&endpoint(443), &[good.clone(), good.clone()]);
        assert!(holds(&sessions, 443, Duration::ZERO));
        assert!(!holds(&sessions, 444, Duration::ZERO), "another app on the same host");
        let off = ("nas.lan".to_owned(), 443, Tls::Off);
        assert!(!sessions.endpoints().contains_key(&off), "one that believes everybody");
        assert!(!holds(&sessions, 443, DECIDED_MAX), "another may stand there by now");
        for chain in
            [vec![good.clone(), past], vec![good, b"no certificate".to_vec().into()], vec![]]
        {
            sessions.decided(&endpoint(443), &chain);
            assert!(!holds(&sessions, 443, Duration::ZERO), "{}", chain.len());
        }
    }

    #[test]
    fn the_places_are_bounded() {
        let sessions = Sessions::default();
        for port in 1..=u16::try_from(PLACES_MAX).unwrap() + 1 {
            sessions.decided(&endpoint(port), &[]);
        }
        let endpoints = sessions.endpoints();
        assert_eq!(endpoints.len(), PLACES_MAX);
        assert!(!endpoints.contains_key(&endpoint(1)));
    }
}
