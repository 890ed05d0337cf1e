//! What of an app is asked. Another kind of target is a variant here, the question that it makes in
//! [`ProbeKind`](crate::engine::verdict::probe::ProbeKind), and its members in what is on record.

use super::Origin;
use super::address::{Address, Host};
use super::fields::FieldError;
use super::status_set::StatusSet;

/// What of an app is asked, every value checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Its health, over HTTP.
    Http {
        /// The base address as given.
        url: String,
        /// What is appended to the path of `url`; begins with `/`.
        path: String,
        /// The address that is asked.
        health_url: String,
        /// The host of `health_url`.
        host: Host,
        /// The port of `health_url`, written out or not.
        port: u16,
        /// The status codes that count as an answer.
        expect: StatusSet,
    },
}

impl Target {
    /// The target of the base address `url`; of what it does not say, the default.
    ///
    /// # Errors
    /// The address can be nobody's, or means another machine to the daemon than to the app.
    pub(super) fn new(url: &str, path: &str, origin: Origin) -> Result<Target, FieldError> {
        let Address { health_url, host, port } = Address::new(url, path, origin)?;
        let (url, path) = (url.to_owned(), path.to_owned());
        Ok(Target::Http { url, path, health_url, host, port, expect: StatusSet::default() })
    }

    /// The base address as given.
    pub fn url(&self) -> &str {
        let Target::Http { url, .. } = self;
        url
    }

    /// The address that is asked. Whoever registers another one has another target.
    pub fn address(&self) -> &str {
        let Target::Http { health_url, .. } = self;
        health_url
    }

    /// The host that is asked.
    pub fn host(&self) -> &Host {
        let Target::Http { host, .. } = self;
        host
    }

    /// The port that is asked.
    pub fn port(&self) -> u16 {
        let Target::Http { port, .. } = self;
        *port
    }

    /// How many bytes its texts take.
    pub(in crate::engine) fn text_len(&self) -> usize {
        let Target::Http { url, path, health_url, .. } = self;
        url.len() + path.len() + health_url.len()
    }
}
