//! What an app asks for when it registers: every rule of the `monitor` call, and nothing else.

pub mod address;
pub(crate) mod caller;
mod composed;
mod email;
pub mod fields;
pub mod name;
mod read;
pub(crate) mod spec;
pub mod status_set;
pub(crate) mod table;
pub mod values;

use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::address::Address;
use self::fields::{FieldError, Fields, Known};
use self::status_set::StatusSet;

pub use self::address::{Host, Origin};
pub use self::email::{EMAIL_MAX, EMAILS_MAX};
pub use self::name::NAME_MAX;

/// What an app gets that does not say: an answer within 5 s, asked every 30 s,
const TIMEOUT: Duration = Duration::from_secs(5);
const INTERVAL: Duration = Duration::from_secs(30);
/// UNHEALTHY after two failures, since one is none, and HEALTHY after what is five minutes then.
const UNHEALTHY: u8 = 2;
const HEALTHY: u8 = 10;

const ONE_APP: &[&Known] = &[&Known::new("appname")];

/// An app as it registered, every value checked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Registration {
    /// The app's name: unique, 1 to [`NAME_MAX`] characters that can be seen (see [`name::tidy`]; one on
    /// record from before that rule may break it).
    pub name: String,
    /// The base address as given.
    pub url: String,
    /// What is appended to the path of `url`; begins with `/`.
    pub path: String,
    /// The address that is asked.
    pub health_url: String,
    /// The host of `health_url`.
    pub host: Host,
    /// The port of `health_url`, written out or not.
    pub port: u16,
    /// Who is told; nobody when empty.
    pub email: Vec<String>,
    /// The registration named nobody, so `email` is the daemon's own option: see
    /// [`Registration::set_default_email`].
    pub email_is_default: bool,
    /// How long a check may take, all of it; whole seconds.
    #[serde(with = "whole_seconds")]
    pub timeout: Duration,
    /// The time between two checks; whole seconds.
    #[serde(with = "whole_seconds")]
    pub interval: Duration,
    /// Failed checks in a row before UNHEALTHY.
    pub unhealthy: u8,
    /// Passed checks in a row before HEALTHY.
    pub healthy: u8,
    /// The status codes that count as an answer.
    pub expect: StatusSet,
    /// Where the registration came from: a name sent over the network must not lead to the daemon's
    /// own machine. Older records do not say, and are believed.
    #[serde(default)]
    pub origin: Origin,
}

impl Registration {
    /// An app that says nothing but what is asked: all else is the default, and nobody is told.
    ///
    /// # Errors
    /// The address can be nobody's, or means another machine to the daemon than to the app.
    pub fn plain(
        name: String,
        url: &str,
        path: &str,
        origin: Origin,
    ) -> Result<Registration, FieldError> {
        let address = Address::new(url, path, origin)?;
        Ok(Registration {
            name,
            url: url.to_owned(),
            path: path.to_owned(),
            health_url: address.health_url,
            host: address.host,
            port: address.port,
            email: Vec::new(),
            email_is_default: true,
            timeout: TIMEOUT,
            interval: INTERVAL,
            unhealthy: UNHEALTHY,
            healthy: HEALTHY,
            expect: StatusSet::default(),
            origin,
        })
    }

    /// Whether both ask the same address: another one sets an app's state back to UNKNOWN.
    pub fn is_same_address(&self, other: &Registration) -> bool {
        self.health_url == other.health_url
    }

    /// Follows the daemon's `email` option, if this registration named nobody. To be called for
    /// the registrations on record at each start: the owner may have changed the option.
    pub fn set_default_email(&mut self, default_email: &[String]) {
        if self.email_is_default {
            self.email = default_email.to_vec();
        }
    }
}

/// Reads the parameters of a call that takes `appname` alone: `call` is pause, resume, stop or info.
///
/// # Errors
/// The name is missing, empty, too long or has control characters, or another parameter was given.
pub fn single_name(call: &str, fields: &[(String, String)]) -> Result<String, FieldError> {
    app_name(&Fields::read(call, ONE_APP, fields)?)
}

/// Reads `appname` where it may be left out.
///
/// # Errors
/// The name is empty, too long or has control characters.
pub(crate) fn any_name(fields: &Fields<'_>) -> Result<Option<String>, FieldError> {
    fields.raw("appname").map(|_| app_name(fields)).transpose()
}

/// Reads `appname`, as it came: which app it means is for the engine to say, see [`name`].
///
/// # Errors
/// The name is missing, empty, too long or has control characters.
pub(crate) fn app_name(fields: &Fields<'_>) -> Result<String, FieldError> {
    fields.required("appname")?;
    name::read(fields.raw("appname").unwrap_or_default())
}

/// A span as a number of seconds.
mod whole_seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(in crate::engine) fn serialize<S: Serializer>(
        span: &Duration,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_u64(span.as_secs())
    }

    pub(in crate::engine) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_secs)
    }
}

#[cfg(test)]
mod tests;
