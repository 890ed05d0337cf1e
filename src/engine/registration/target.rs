//! What of an app is asked. Another kind of target is a variant here and of [`Kind`], the question that it makes in
//! [`ProbeKind`](crate::engine::verdict::probe::ProbeKind), and its members in what is on record.

use super::Origin;
use super::address::{Address, Host};
use super::fields::FieldError;
use super::kind::Kind;
use super::status_set::StatusSet;

/// What of an app is asked, every value checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Its health, over HTTP.
    Http {
        /// Where.
        address: Address,
        /// What is appended to the path of the base address; begins with `/`.
        path: String,
        /// The status codes that count as an answer.
        expect: StatusSet,
    },
    /// Whether a port of it takes a connection.
    Tcp {
        /// Which.
        address: Address,
    },
}

impl Target {
    /// The target of the base address `url`, and of `path` below it if it is of HTTP; of what these do not say,
    /// the default.
    ///
    /// # Errors
    /// The address can be nobody's, or means another machine to the daemon than to the app.
    pub(super) fn new(url: &str, path: &str, origin: Origin) -> Result<Target, FieldError> {
        Ok(match Kind::of_url(url) {
            Some(Kind::Tcp) => Target::Tcp { address: Address::of_port(url, origin)? },
            Some(Kind::Http) | None => {
                let (address, path) = (Address::new(url, path, origin)?, path.to_owned());
                Target::Http { address, path, expect: StatusSet::default() }
            }
        })
    }

    /// Of which kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            Target::Http { .. } => Kind::Http,
            Target::Tcp { .. } => Kind::Tcp,
        }
    }

    fn place(&self) -> &Address {
        match self {
            Target::Http { address, .. } | Target::Tcp { address } => address,
        }
    }

    /// The base address as given.
    pub fn url(&self) -> &str {
        &self.place().given
    }

    /// The address that is asked. Whoever registers another one has another target.
    pub fn address(&self) -> &str {
        &self.place().asked
    }

    /// The host that is asked.
    pub fn host(&self) -> &Host {
        &self.place().host
    }

    /// The port that is asked.
    pub fn port(&self) -> u16 {
        self.place().port
    }

    /// What is appended to the path of the base address, of HTTP.
    pub fn path(&self) -> Option<&str> {
        match self {
            Target::Http { path, .. } => Some(path),
            Target::Tcp { .. } => None,
        }
    }

    /// How many bytes its texts take.
    pub(in crate::engine) fn text_len(&self) -> usize {
        let Address { given, asked, .. } = self.place();
        given.len() + asked.len() + self.path().map_or(0, str::len)
    }
}
