//! What of an app is asked. Another kind of target is a variant here and of [`Kind`], the question that it makes in
//! [`ProbeKind`](crate::engine::verdict::probe::ProbeKind), and its members in what is on record.

use std::time::Duration;

use super::address::Address;
use super::auth::Auth;
use super::fields::FieldError;
use super::host::{Host, Origin};
use super::kind::Kind;
use super::status_set::StatusSet;
use super::tls::{Print, Tls};

/// The most characters that must be in a body: a line of a page.
pub const CONTAINS_MAX: usize = 200;

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
        /// What must be in the body, 1 to [`CONTAINS_MAX`] characters.
        contains: Said<String>,
        /// A pass that takes longer is a warning; whole milliseconds.
        slow: Said<Duration>,
        /// With what the app is shown who asks.
        auth: Said<Auth>,
        /// Whom it must be over TLS.
        tls: Said<Tls>,
    },
    /// Whether a port of it takes a connection.
    Tcp {
        /// Which.
        address: Address,
    },
    /// Whether it answers an echo.
    Ping {
        /// Where; its port is 0, for there is none.
        address: Address,
    },
    /// Nothing: it reports.
    Beat {
        /// How late a beat may be; whole seconds.
        grace: Said<Duration>,
    },
}

/// What was said of a field that stays as it is when it is left out. `None`: nothing; `Some(None)`: that it be
/// as by default.
pub type Said<T> = Option<Option<T>>;

/// What was said before stays where nothing is said now. What is as by default is as if nothing was said.
fn keep<T>(said: &mut Said<T>, before: Option<Said<T>>) {
    if said.is_none() {
        *said = before.flatten();
    }
    said.take_if(|said| said.is_none());
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
            Some(Kind::Ping) => Target::Ping { address: Address::of_host(url, origin)? },
            Some(Kind::Http | Kind::Beat) | None => {
                let (address, path) = (Address::new(url, path, origin)?, path.to_owned());
                Target::Http {
                    address,
                    path,
                    expect: StatusSet::default(),
                    contains: None,
                    slow: None,
                    auth: None,
                    tls: None,
                }
            }
        })
    }

    /// Of which kind it is.
    pub fn kind(&self) -> Kind {
        match self {
            Target::Http { .. } => Kind::Http,
            Target::Tcp { .. } => Kind::Tcp,
            Target::Ping { .. } => Kind::Ping,
            Target::Beat { .. } => Kind::Beat,
        }
    }

    /// Where it is asked, if it is.
    pub fn place(&self) -> Option<&Address> {
        match self {
            Target::Http { address, .. } | Target::Tcp { address } | Target::Ping { address } => {
                Some(address)
            }
            Target::Beat { .. } => None,
        }
    }

    /// The base address as given, if it is asked.
    pub fn url(&self) -> Option<&str> {
        self.place().map(|address| address.given.as_str())
    }

    /// The address that is asked, or that it is not. Whoever registers another one has another target.
    pub fn address(&self) -> &str {
        self.place().map_or("beat", |address| &address.asked)
    }

    /// The host that is asked, if any is.
    pub fn host(&self) -> Option<&Host> {
        self.place().map(|address| &address.host)
    }

    /// What is appended to the path of the base address, of HTTP.
    pub fn path(&self) -> Option<&str> {
        match self {
            Target::Http { path, .. } => Some(path),
            Target::Tcp { .. } | Target::Ping { .. } | Target::Beat { .. } => None,
        }
    }

    /// What was said before of the same kind of target, and is not said now, stays. What shows an app who asks is for
    /// the place that it was given for, and no other, and for nobody there who would not have been believed before.
    pub(super) fn keep_from(&mut self, before: Option<&Target>) {
        match (self, before) {
            (Target::Beat { grace }, Some(Target::Beat { grace: before })) => {
                keep(grace, Some(*before));
            }
            (Target::Beat { grace }, _) => keep(grace, None),
            (
                Target::Http { contains, slow, auth, tls, address, .. },
                Some(Target::Http {
                    contains: text_before,
                    slow: slow_before,
                    auth: auth_before,
                    tls: tls_before,
                    address: address_before,
                    ..
                }),
            ) => {
                keep(contains, Some(text_before.clone()));
                keep(slow, Some(*slow_before));
                let is_there = address.place() == address_before.place();
                keep(tls, Some(*tls_before));
                let was = tls_before.flatten().unwrap_or_default();
                if *tls == Some(Some(Tls::First)) && is_there && matches!(was, Tls::Pin(_)) {
                    // It says so at each start. What was seen first stays what was seen first.
                    *tls = Some(Some(was));
                }
                let is_strict = tls.flatten().unwrap_or_default().is_as_strict_as(was);
                keep(auth, (is_there && is_strict).then(|| auth_before.clone()));
            }
            (Target::Http { contains, slow, auth, tls, .. }, _) => {
                keep(tls, None);
                keep(contains, None);
                keep(slow, None);
                keep(auth, None);
            }
            (Target::Tcp { .. } | Target::Ping { .. }, _) => {}
        }
    }

    /// What must be in the body of an answer, if anything must.
    pub fn contains(&self) -> Option<&str> {
        match self {
            Target::Http { contains: Some(Some(text)), .. } => Some(text),
            _ => None,
        }
    }

    /// How long a pass may take that is no warning; `None`: however long.
    pub fn slow(&self) -> Option<Duration> {
        match self {
            Target::Http { slow, .. } => slow.flatten(),
            _ => None,
        }
    }

    /// With what the app is shown who asks, if with anything.
    pub fn auth(&self) -> Option<&Auth> {
        match self {
            Target::Http { auth: Some(Some(auth)), .. } => Some(auth),
            _ => None,
        }
    }

    /// Whom it must be over TLS.
    pub fn tls(&self) -> Tls {
        match self {
            Target::Http { tls, .. } => tls.flatten().unwrap_or_default(),
            _ => Tls::Verify,
        }
    }

    /// The same, which from now on shows this certificate, if it was to be the first that it shows.
    pub(in crate::engine) fn pinned(&self, print: Print) -> Option<Target> {
        let mut pinned = self.clone();
        match &mut pinned {
            Target::Http { tls, .. } if *tls == Some(Some(Tls::First)) => {
                *tls = Some(Some(Tls::Pin(print)));
                Some(pinned)
            }
            _ => None,
        }
    }

    /// Whether it was said with what the app is shown, be it with nothing.
    pub fn says_auth(&self) -> bool {
        matches!(self, Target::Http { auth: Some(_), .. })
    }

    /// How many bytes its texts take.
    pub(in crate::engine) fn text_len(&self) -> usize {
        let texts = |address: &Address| address.given.len() + address.asked.len();
        let more = [self.path(), self.contains(), self.auth().map(Auth::reveal)];
        self.place().map_or(0, texts) + more.into_iter().flatten().map(str::len).sum::<usize>()
    }
}
