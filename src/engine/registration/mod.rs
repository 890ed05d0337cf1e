//! What an app asks for when it registers: every rule of the `monitor` call, and nothing else.

pub mod address;
pub mod auth;
pub(crate) mod caller;
mod composed;
mod email;
pub mod fields;
pub mod host;
pub mod kind;
pub mod name;
pub(crate) mod parents;
pub mod quiet_times;
mod read;
pub(crate) mod spec;
pub mod status_set;
pub(crate) mod table;
mod target;
pub mod tls;
pub(crate) mod url_text;
pub mod values;

use std::time::Duration;

use self::address::DEFAULT_PATH;
use self::fields::{FieldError, Fields, Known};
use crate::engine::recipients::Recipient;

pub use self::email::{EMAIL_MAX, EMAILS_MAX};
pub use self::host::{Host, Origin};
pub use self::kind::Kind;
pub use self::name::NAME_MAX;
pub use self::parents::PARENTS_MAX;
pub use self::quiet_times::{QUIET_TIMES_MAX, QuietTimes};
pub use self::target::{CONTAINS_MAX, Said, Target};
pub use self::tls::{Print, Tls};

/// What an app gets that does not say: an answer within 5 s, asked every 30 s,
const TIMEOUT: Duration = Duration::from_secs(5);
const INTERVAL: Duration = Duration::from_secs(30);
/// UNHEALTHY after two failures, since one is none, and HEALTHY after what is five minutes then.
const UNHEALTHY: u8 = 2;
const HEALTHY: u8 = 10;

/// A beat may be late by this part of the interval, and by this much at least: what is started on the minute is
/// not done on the minute.
const GRACE_PART: u32 = 10;
const GRACE_LEAST: Duration = Duration::from_secs(60);

const ONE_APP: &[&Known] = &[&Known::new("appname")];

/// An app as it registered, every value checked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Registration {
    /// The app's name: unique, 1 to [`NAME_MAX`] characters that can be seen (see [`name::tidy`]; one on
    /// record from before that rule may break it).
    pub name: String,
    /// What of it is asked.
    pub target: Target,
    /// Who is told; nobody when empty.
    pub email: Vec<String>,
    /// The registration named nobody, so `email` is the daemon's own option: see
    /// [`Registration::set_default_email`].
    pub email_is_default: bool,
    /// How long a check may take, all of it; whole seconds.
    pub timeout: Duration,
    /// The time between two checks; whole seconds.
    pub interval: Duration,
    /// Failed checks in a row before UNHEALTHY.
    pub unhealthy: u8,
    /// Passed checks in a row before HEALTHY.
    pub healthy: u8,
    /// Its silence is no trouble: it may be off or away. `None`: nothing was said of it, which is no until
    /// the owner says yes.
    pub may_be_off: Option<bool>,
    /// Its people are told again of trouble that lasts. `None`: nothing was said of it, which is yes.
    pub reminders: Option<bool>,
    /// When nobody is told of it. `None`: nothing was said of it, so that it is the daemon's own option.
    pub quiet: Option<QuietTimes>,
    /// The names of the apps that are all needed to reach it. `None`: nothing was said of it, which is none.
    pub parent: Option<Vec<String>>,
    /// Where the registration came from: a name sent over the network must not lead to the daemon's
    /// own machine.
    pub origin: Origin,
}

/// When beats are to come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rhythm {
    /// So long after the one before at most,
    pub interval: Duration,
    /// and so much later.
    pub grace: Duration,
}

impl Registration {
    /// An app that says nothing but what is asked: all else is the default, and nobody is told. Only HTTP has a
    /// `path`.
    ///
    /// # Errors
    /// The address can be nobody's, or means another machine to the daemon than to the app.
    pub fn plain(
        name: String,
        url: &str,
        path: &str,
        origin: Origin,
    ) -> Result<Registration, FieldError> {
        Ok(Registration::of(name, Target::new(url, path, origin)?, origin))
    }

    /// An app that reports by itself. One beat makes it HEALTHY, and one that is missing UNHEALTHY: there is no
    /// chance in it, as in a check.
    pub fn beat(name: String, origin: Origin) -> Registration {
        let beat = Registration::of(name, Target::Beat { grace: None }, origin);
        Registration { unhealthy: 1, healthy: 1, ..beat }
    }

    fn of(name: String, target: Target, origin: Origin) -> Registration {
        Registration {
            name,
            target,
            email: Vec::new(),
            email_is_default: true,
            timeout: TIMEOUT,
            interval: INTERVAL,
            unhealthy: UNHEALTHY,
            healthy: HEALTHY,
            may_be_off: None,
            reminders: None,
            quiet: None,
            parent: None,
            origin,
        }
    }

    /// When it is to report, if it does.
    pub fn beats(&self) -> Option<Rhythm> {
        let Target::Beat { grace } = &self.target else { return None };
        // Whole seconds, as all that is said of it.
        let part = Duration::from_secs((self.interval / GRACE_PART).as_secs()).max(GRACE_LEAST);
        Some(Rhythm { interval: self.interval, grace: grace.flatten().unwrap_or(part) })
    }

    /// What an app of this kind has that says nothing, for what there is to be said of defaults.
    pub(crate) fn unsaid(kind: Kind) -> Option<Registration> {
        let (name, origin) = (String::new(), Origin::Network);
        let url = match kind {
            Kind::Http => "http://x",
            Kind::Tcp => "tcp://x:1",
            Kind::Ping => "ping://x",
            Kind::Beat => return Some(Registration::beat(name, origin)),
        };
        Registration::plain(name, url, DEFAULT_PATH, origin).ok()
    }

    /// Follows the daemon's `email` option, if this registration named nobody. To be called for
    /// the registrations on record at each start: the owner may have changed the option.
    pub fn set_default_email(&mut self, default: &[Recipient]) {
        if self.email_is_default {
            self.email = default.iter().map(Recipient::to_string).collect();
        }
    }

    /// What was said of it `before` and is not said now stays: an app that registers at each start must not
    /// wipe what its owner set. What is as by default is as if nothing was said.
    pub(in crate::engine) fn keep_from(&mut self, before: Option<&Registration>) {
        let may_be_off = before.and_then(|before| before.may_be_off);
        self.may_be_off = self.may_be_off.or(may_be_off).filter(|may_be_off| *may_be_off);
        let reminders = before.and_then(|before| before.reminders);
        self.reminders = self.reminders.or(reminders).filter(|reminders| !*reminders);
        if self.parent.is_none() {
            self.parent = before.and_then(|before| before.parent.clone());
        }
        self.parent.take_if(|parents| parents.is_empty());
        if self.quiet.is_none() {
            self.quiet = before.and_then(|before| before.quiet.clone());
        }
        self.quiet.take_if(|times| times.is_empty());
        self.target.keep_from(before.map(|before| &before.target));
    }

    /// Whether an app that is on record so `before` is the same after this: what is sent twice.
    pub(crate) fn changes_nothing_of(&self, before: &Registration) -> bool {
        let mut after = Registration { origin: before.origin, ..self.clone() };
        after.keep_from(Some(before));
        after == *before
    }

    /// Whether its silence is no trouble.
    pub fn may_be_off(&self) -> bool {
        self.may_be_off.unwrap_or(false)
    }

    /// Whether its people are told again of trouble that lasts.
    pub fn reminds(&self) -> bool {
        self.reminders.unwrap_or(true)
    }

    /// The names of the apps that are all needed to reach it.
    pub fn parents(&self) -> &[String] {
        self.parent.as_deref().unwrap_or_default()
    }

    /// Whom it wants told.
    pub fn recipients(&self) -> impl Iterator<Item = Recipient> + '_ {
        self.email.iter().map(Recipient::mail)
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

#[cfg(test)]
mod tests;
