//! What an app asks for when it registers: every rule of the `monitor` call, and nothing else.

pub mod address;
pub(crate) mod caller;
pub mod census;
pub mod fields;
pub mod name;
pub mod status_set;

use std::ops::RangeInclusive;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use self::address::{Address, DEFAULT_PATH};
use self::fields::{FieldError, Fields, Known, shown};
use self::status_set::StatusSet;
use super::alerts::recipients::{Recipients, is_same_mailbox};
use super::words::plain::is_obeyed;

pub use self::address::{Host, Origin};
pub use self::name::NAME_MAX;

/// The most people told about one app: each is a mail of its own.
pub const EMAILS_MAX: usize = 16;
/// The longest mail address (RFC 5321, section 4.5.3.1.3, without the angle brackets).
pub const EMAIL_MAX: usize = 254;

/// The valid time-outs, in seconds.
const TIMEOUTS: RangeInclusive<u64> = 2..=60;
const TIMEOUT: u64 = 5;
/// The valid intervals, in seconds.
const INTERVALS: RangeInclusive<u64> = 5..=300;
const INTERVAL: u64 = 30;
/// The valid lengths of a row of checks.
const ROWS: RangeInclusive<u64> = 2..=10;
const UNHEALTHY: u64 = 2;
const HEALTHY: u64 = 10;

const MONITOR: &[Known] = &[
    Known::new("appname"),
    Known::new("url"),
    Known::list("email"),
    Known::new("timeout"),
    Known::new("interval"),
    Known { aliases: &["unhealthy_threshold"], ..Known::new("unhealthy") },
    Known { aliases: &["healthy_threshold"], ..Known::new("healthy") },
    Known::new("path"),
    Known::list("expect"),
];

const ONE_APP: &[Known] = &[Known::new("appname")];

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
    /// Reads the parameters of a `monitor` call that came from `origin`. `recipients` are who is
    /// told when the call names nobody, and whom it may name.
    ///
    /// # Errors
    /// The first parameter that is unknown, given twice, missing, empty or out of range.
    pub fn from_fields(
        fields: &[(String, String)],
        origin: Origin,
        recipients: &Recipients,
    ) -> Result<Registration, FieldError> {
        let fields = Fields::read("monitor", MONITOR, fields)?;
        let name = app_name(&fields)?;
        let url = fields.required("url")?;
        let path = fields.optional("path")?.unwrap_or(DEFAULT_PATH);
        let address = Address::new(url, path, origin)?;
        let email = emails(fields.raw("email").unwrap_or_default(), recipients)?;
        let mut registration = Registration {
            name,
            url: url.to_owned(),
            path: path.to_owned(),
            health_url: address.health_url,
            host: address.host,
            port: address.port,
            email_is_default: email.is_empty(),
            email,
            timeout: seconds(&fields, "timeout", TIMEOUTS, TIMEOUT)?,
            interval: seconds(&fields, "interval", INTERVALS, INTERVAL)?,
            unhealthy: row(&fields, "unhealthy", UNHEALTHY)?,
            healthy: row(&fields, "healthy", HEALTHY)?,
            expect: expect(&fields)?,
            origin,
        };
        registration.set_default_email(recipients.by_default());
        Ok(registration)
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

/// Whether a parameter of this name may be a list in JSON.
pub fn is_list(name: &str) -> bool {
    MONITOR.iter().any(|known| known.is_list && known.name == name)
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

fn emails(text: &str, recipients: &Recipients) -> Result<Vec<String>, FieldError> {
    let mut emails: Vec<String> = Vec::new();
    for one in text.split(',').map(str::trim).filter(|one| !one.is_empty()) {
        if !is_mail_address(one) {
            let message = format!(
                "email {} is no mail address; several are separated by commas, such as \
                 a@example.org,b@example.org",
                shown(one)
            );
            return Err(FieldError::of("email", message));
        }
        if !recipients.may_be_told(one) {
            let message = format!(
                "email {} may get no mail from here: the option allow_email does not name it; \
                 name another, or none for the owner's default",
                shown(one)
            );
            return Err(FieldError::of("email", message));
        }
        if !emails.iter().any(|earlier| is_same_mailbox(earlier, one)) {
            emails.push(one.to_owned());
        }
    }
    if emails.len() > EMAILS_MAX {
        let message =
            format!("email has {} addresses; at most {EMAILS_MAX} are allowed", emails.len());
        return Err(FieldError::of("email", message));
    }
    Ok(emails)
}

fn is_mail_address(text: &str) -> bool {
    // Beyond ASCII the domain is written in punycode; the local part may be anything printable.
    text.rsplit_once('@').is_some_and(|(_, domain)| domain.is_ascii())
        && text.len() <= EMAIL_MAX
        && !text.chars().any(is_obeyed)
        && lettre::Address::from_str(text).is_ok()
}

fn seconds(
    fields: &Fields<'_>,
    name: &str,
    valid: RangeInclusive<u64>,
    default: u64,
) -> Result<Duration, FieldError> {
    number(fields, name, "seconds", valid, default).map(Duration::from_secs)
}

fn row(fields: &Fields<'_>, name: &str, default: u64) -> Result<u8, FieldError> {
    let row = number(fields, name, "checks in a row", ROWS, default)?;
    Ok(u8::try_from(row).unwrap_or(u8::MAX))
}

fn number(
    fields: &Fields<'_>,
    name: &str,
    unit: &str,
    valid: RangeInclusive<u64>,
    default: u64,
) -> Result<u64, FieldError> {
    let Some(text) = fields.optional(name)? else {
        return Ok(default);
    };
    let digits = text.trim();
    // `parse` alone would take `+5`.
    let number = Some(digits)
        .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok());
    number.filter(|n| valid.contains(n)).ok_or_else(|| {
        let message = format!(
            "{name} must be a whole number of {unit} from {} to {}, not {}",
            valid.start(),
            valid.end(),
            shown(text)
        );
        FieldError::of(name, message)
    })
}

fn expect(fields: &Fields<'_>) -> Result<StatusSet, FieldError> {
    let Some(text) = fields.optional("expect")? else {
        return Ok(StatusSet::default());
    };
    text.parse().map_err(|right| {
        FieldError::of("expect", format!("expect must be {right}, not {}", shown(text)))
    })
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
