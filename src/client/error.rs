//! What can go wrong between an app and the daemon, a sentence each.

use std::fmt;

use super::{SERVER_VARIABLE, TOKEN_VARIABLE};

/// Why a call was not carried out.
///
/// ```
/// use healthchecker::client::{Error, ServerUrl};
///
/// let why = "ftp://pi".parse::<ServerUrl>().unwrap_err();
/// assert!(matches!(why, Error::BadAddress { .. }));
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Error {
    /// No daemon announced itself on this network.
    NotFound,
    /// A daemon announces itself, and takes no connection.
    #[non_exhaustive]
    Silent {
        /// Where it says that it is.
        urls: String,
    },
    /// Nobody can be looked for by Zeroconf on this machine; the text says why.
    NoMulticast(String),
    /// The address given for the server is none.
    #[non_exhaustive]
    BadAddress {
        /// What was given.
        given: String,
        /// What is wrong with it.
        why: String,
    },
    /// There is no answer from where the daemon should be.
    #[non_exhaustive]
    Unreachable {
        /// Where it should be.
        url: String,
        /// What happened.
        why: String,
    },
    /// Whoever answered there is no HealthChecker.
    #[non_exhaustive]
    Stranger {
        /// Where.
        url: String,
        /// The HTTP status of the answer.
        status: u16,
    },
    /// The daemon wants a token, and none was given.
    TokenMissing,
    /// The daemon wants the token, and has not been sent it: anybody can announce a daemon's name.
    #[non_exhaustive]
    TokenWithheld {
        /// Where the daemon was found.
        url: String,
    },
    /// What was given cannot be a token, and was not sent.
    TokenUnusable,
    /// The daemon does not accept the token.
    TokenRefused,
    /// The daemon refuses the call.
    #[non_exhaustive]
    Refused {
        /// The HTTP status.
        status: u16,
        /// Why, in the daemon's own sentence.
        sentence: String,
        /// The parameter at fault.
        field: Option<String>,
    },
}

impl Error {
    /// The HTTP status that says the same: 503 when no daemon was reached.
    ///
    /// ```
    /// assert_eq!(healthchecker::client::Error::NotFound.status(), 503);
    /// ```
    pub fn status(&self) -> u16 {
        match self {
            Error::Refused { status, .. } => *status,
            Error::TokenMissing
            | Error::TokenWithheld { .. }
            | Error::TokenUnusable
            | Error::TokenRefused => 401,
            Error::BadAddress { .. } => 400,
            Error::NotFound
            | Error::Silent { .. }
            | Error::NoMulticast(_)
            | Error::Unreachable { .. }
            | Error::Stranger { .. } => 503,
        }
    }

    /// Whether another address of the daemon might help.
    pub(super) fn is_elsewhere(&self) -> bool {
        matches!(self, Error::Unreachable { .. } | Error::Stranger { .. })
    }

    /// Whether the call is wrong in itself: the same call again would be refused again.
    pub(super) fn is_final(&self) -> bool {
        self.status() < 500
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Error::NotFound => write!(
                f,
                "no HealthChecker server was found on this network; start one, or give its address \
                 (http://ADDRESS:PORT)"
            ),
            Error::Silent { urls } => write!(
                f,
                "a HealthChecker server is announced at {urls}, but it takes no connection; is it \
                 running, is a firewall in between?"
            ),
            Error::NoMulticast(why) => write!(
                f,
                "the network cannot be searched for a HealthChecker server ({why}); give its \
                 address (http://ADDRESS:PORT)"
            ),
            Error::BadAddress { given, why } => {
                write!(f, "{given:?} is no address of a server: {why}; use http://ADDRESS:PORT")
            }
            Error::Unreachable { url, why } => {
                write!(f, "no answer from the HealthChecker server at {url}: {why}")
            }
            Error::Stranger { url, status } => write!(
                f,
                "what answers at {url} is no HealthChecker server (HTTP status {status}); check \
                 address and port"
            ),
            Error::TokenMissing => write!(
                f,
                "the HealthChecker server wants a token; set {TOKEN_VARIABLE} to its api_token"
            ),
            Error::TokenWithheld { url } => write!(
                f,
                "the HealthChecker server at {url} wants a token, and whoever announces the name of \
                 the server could ask for it: it is sent only to a server that is named. Set \
                 {SERVER_VARIABLE} to http://ADDRESS:PORT"
            ),
            Error::TokenUnusable => f.write_str(
                "the token has a character in it that no token has (a blank, a line break, one beyond \
                 ASCII); it was not sent",
            ),
            Error::TokenRefused => write!(
                f,
                "the HealthChecker server does not accept this token; it must be its api_token"
            ),
            Error::Refused { sentence, .. } => f.write_str(sentence),
        }
    }
}

impl std::error::Error for Error {}
