//! Who may do what: whether a request is let through to its call.
//!
//! Pure: the request's headers go in, and out comes nothing or a [`Denial`]. Two rules, each in a
//! file: a [`browser`] must not be used by a foreign page to act for the owner, and where the owner
//! has set a [`token`], only its holder is served.

mod browser;
mod host;
mod token;

use std::fmt;

use crate::config::settings::AccessSettings;
use crate::engine::registration::name;

pub(super) use browser::Marks;

use token::{Keys, Lock};

/// What a request does to the household.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Effect {
    Reads,
    Changes,
}

impl Effect {
    /// The option, or the options, that a token for it may be of.
    fn option(self) -> &'static str {
        match self {
            Effect::Changes => "api_token",
            Effect::Reads => "read_token or api_token",
        }
    }
}

/// The headers of a request that say who asks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Credentials<'a> {
    pub(super) authorization: Option<&'a str>,
    pub(super) host: Option<&'a str>,
    /// What a browser leaves.
    pub(super) marks: Marks<'a>,
    /// A page is wanted, so there is a person to see it.
    pub(super) wants_page: bool,
}

/// Why a request is not let through.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denial {
    /// 401: the token is missing or wrong.
    Token {
        /// What the token is for.
        effect: Effect,
        /// One was given.
        given: bool,
        /// A browser asks, and can have its person log in.
        login: bool,
    },
    /// 403: a browser may not do this, and why.
    Browser(browser::Reason),
}

/// The rules in force.
#[derive(Debug)]
pub(crate) struct Access {
    /// Opens everything; `None`: everything is open.
    api: Option<Lock>,
    /// Opens what reads, as `api` does; `None`: that is open.
    read: Option<Lock>,
    /// Makes the keys of apps that report.
    keys: Option<Keys>,
    names: host::Names,
}

impl Access {
    /// The rules as the owner has set them, on a machine called `own_name`.
    ///
    /// # Errors
    /// The system has no random numbers.
    pub(crate) fn new(
        settings: &AccessSettings,
        own_name: &str,
    ) -> Result<Access, token::NoRandom> {
        let lock = |token: &Option<_>| token.as_ref().map(Lock::new).transpose();
        Ok(Access {
            api: lock(&settings.api_token)?,
            read: lock(&settings.read_token)?,
            keys: settings.api_token.as_ref().map(Keys::new),
            names: host::Names::new(own_name, &settings.allow_host, settings.public_url.as_deref()),
        })
    }

    /// Lets a request through, or says why not.
    ///
    /// The browser's rules go first: a foreign page must not even learn whether a token is set.
    pub(super) fn admit(
        &self,
        effect: Effect,
        method: &str,
        from: &Credentials<'_>,
    ) -> Result<(), Denial> {
        self.admit_holder(effect, method, from)?;
        if self.is_open(effect) {
            return Ok(());
        }
        let token = from.authorization.and_then(token::given);
        let opens = |lock: &Option<Lock>| {
            token.as_deref().zip(lock.as_ref()).is_some_and(|(token, lock)| lock.opens_with(token))
        };
        let opened = match effect {
            Effect::Changes => opens(&self.api),
            // Not `||`: which of the two locks a token opens shall not show in the time it takes.
            Effect::Reads => opens(&self.api) | opens(&self.read),
        };
        if opened {
            return Ok(());
        }
        let login = from.marks.are_there() || from.wants_page;
        Err(Denial::Token { effect, given: token.is_some(), login })
    }

    /// With what the app of this name may report; `None`: nothing is needed for that.
    pub(super) fn key_of(&self, name: &str) -> Option<String> {
        self.keys.as_ref().map(|keys| keys.of(name))
    }

    /// Whether this is the key of the app that is meant by this name.
    pub(super) fn opens_beats_of(&self, name: &str, key: &str) -> bool {
        let name = name::tidy(name);
        self.keys.as_ref().zip(name.ok()).is_some_and(|(keys, name)| keys.open(&name, key))
    }

    /// The same of a request that has a leave of its own, and needs no token: by the rules of browsers alone.
    pub(super) fn admit_holder(
        &self,
        effect: Effect,
        method: &str,
        from: &Credentials<'_>,
    ) -> Result<(), Denial> {
        if !from.marks.are_there() {
            return Ok(());
        }
        let rule = match effect {
            Effect::Changes => browser::may_change(method, from, &self.names),
            Effect::Reads => browser::may_read(from, &self.names),
        };
        rule.map_err(Denial::Browser)
    }

    /// Whether such a request needs no token.
    pub(super) fn is_open(&self, effect: Effect) -> bool {
        match effect {
            Effect::Changes => self.api.is_none(),
            Effect::Reads => self.read.is_none(),
        }
    }
}

/// For the person who made the call.
impl fmt::Display for Denial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Denial::Token { given: true, login: false, .. } => {
                f.write_str("the token in the header Authorization is not the one that is set here")
            }
            Denial::Token { effect, given: true, login: true } => {
                let option = effect.option();
                write!(f, "the password of the login is not the {option} of the health checker")
            }
            Denial::Token { effect, given: false, login } => {
                let what = match effect {
                    Effect::Changes => "changes something",
                    Effect::Reads => "reads",
                };
                let option = effect.option();
                if *login {
                    write!(
                        f,
                        "whoever {what} must log in here: with any user name, and the {option} of \
                         the health checker as the password"
                    )
                } else {
                    write!(
                        f,
                        "a call that {what} needs the header \"Authorization: Bearer TOKEN\" here, \
                         with the {option} of the health checker"
                    )
                }
            }
            Denial::Browser(reason) => reason.fmt(f),
        }
    }
}

#[cfg(test)]
mod tests;
