//! Why a request is not carried out, for the person who made it.

use serde::Serialize;

use super::access;
use crate::daemon::commit_queue::NotKept;
use crate::engine::core::CommandError;
use crate::engine::registration::fields::{FieldError, shown};
use crate::engine::registry::quota::{Full, PEOPLE_MAX};
use crate::engine::registry::{MOST_APPS, RegistryError};

/// The headers that ask for a token: what programs are told (RFC 6750, section 3),
const BEARER: (&str, &str) = ("WWW-Authenticate", "Bearer");
/// and browsers, which then ask their person for it (RFC 7617, sections 2 and 2.1). In a header of its
/// own: some read no more than the first challenge of one.
const BASIC: (&str, &str) =
    ("WWW-Authenticate", "Basic realm=\"HealthChecker\", charset=\"UTF-8\"");

/// Why a call cannot be done.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Problem {
    #[serde(skip)]
    pub status: u16,
    /// A sentence for the person who made the call.
    pub error: String,
    /// The parameter at fault.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Headers that go with the status, such as `Allow` with its methods.
    #[serde(skip)]
    pub headers: Vec<(&'static str, &'static str)>,
}

impl Problem {
    /// 404: no app of this name.
    pub(crate) fn unknown_app(name: &str) -> Problem {
        let error = format!("no app is registered by the name {}", shown(name));
        Problem { field: Some("appname".to_owned()), ..Problem::new(404, error) }
    }

    /// 404: no mail to this address was refused.
    pub(crate) fn nothing_refused(address: &str) -> Problem {
        let error = format!("no mail to {} was refused, or it has been seen since", shown(address));
        Problem { field: Some("email".to_owned()), ..Problem::new(404, error) }
    }

    /// 404: nobody was told of trouble that lasts.
    pub(crate) fn nothing_to_mute() -> Problem {
        let error = "there is nothing to mute: it is over, or nobody who is meant was told of it";
        // With a parameter, as every 404 that is no unknown path.
        Problem { field: Some("appname".to_owned()), ..Problem::new(404, error.to_owned()) }
    }

    /// 409: the app of this name is paused.
    pub(crate) fn paused(name: &str) -> Problem {
        Problem::new(409, format!("{} is paused; resume it first", shown(name)))
    }

    /// 409: the app of this name is no beat, or is one.
    fn other_kind(name: &str, why: &str) -> Problem {
        Problem::new(409, format!("{} {why}", shown(name)))
    }

    /// 503: not now; `error` says why and what to do.
    pub(crate) fn unavailable(error: String) -> Problem {
        Problem { headers: vec![("Retry-After", "1")], ..Problem::new(503, error) }
    }

    pub(super) fn unknown_path(path: &str) -> Problem {
        let error = format!("there is nothing at {}; try /healthchecker/status", shown(path));
        Problem::new(404, error)
    }

    pub(super) fn wrong_method(method: &str, allow: &'static str) -> Problem {
        Problem {
            headers: vec![("Allow", allow)],
            ..Problem::new(405, format!("{method} is not allowed here; use {allow}"))
        }
    }

    pub(super) fn new(status: u16, error: String) -> Problem {
        Problem { status, error, field: None, headers: Vec::new() }
    }
}

/// 400, with the parameter.
impl From<FieldError> for Problem {
    fn from(why: FieldError) -> Problem {
        Problem { field: why.field, ..Problem::new(400, why.message) }
    }
}

/// 503, or 507 where the disk is full.
impl From<NotKept> for Problem {
    fn from(why: NotKept) -> Problem {
        let error = why.to_string();
        match why {
            NotKept::Trouble(trouble) if trouble.full => Problem::new(507, error),
            NotKept::Trouble(_) => Problem::new(503, error),
            NotKept::Unknown => Problem::unavailable(error),
        }
    }
}

/// 401 or 403.
impl From<access::Denial> for Problem {
    fn from(why: access::Denial) -> Problem {
        let (status, headers) = match why {
            access::Denial::Token { login: true, .. } => (401, vec![BASIC, BEARER]),
            access::Denial::Token { login: false, .. } => (401, vec![BEARER]),
            access::Denial::Browser(_) => (403, Vec::new()),
        };
        Problem { headers, ..Problem::new(status, why.to_string()) }
    }
}

/// What the engine cannot carry out.
impl From<CommandError> for Problem {
    fn from(why: CommandError) -> Problem {
        match why {
            CommandError::Registry(why) => Problem::from(why),
            CommandError::IsAsked(name) => Problem::other_kind(
                &name,
                "is asked how it is, and reports nothing; register it with kind=beat and without url if it is to",
            ),
            CommandError::Reports(name) => Problem::other_kind(
                &name,
                "is not asked how it is: it reports at /healthchecker/beat",
            ),
            CommandError::NothingRefused(address) => Problem::nothing_refused(&address),
            CommandError::NothingToMute => Problem::nothing_to_mute(),
            CommandError::Paused(name) => Problem::paused(&name),
        }
    }
}

impl From<RegistryError> for Problem {
    fn from(why: RegistryError) -> Problem {
        match why {
            RegistryError::UnknownApp(name) => Problem::unknown_app(&name),
            RegistryError::BadName(why) | RegistryError::BadParent(why) => Problem::from(why),
            RegistryError::TooManyApps => Problem::unavailable(format!(
                "{MOST_APPS} apps are watched already; stop one of them first"
            )),
            RegistryError::Full(Full::People) => Problem {
                field: Some("email".to_owned()),
                ..Problem::unavailable(format!(
                    "{PEOPLE_MAX} people are told already, or have mail waiting; name one of them, or nobody"
                ))
            },
            RegistryError::Full(Full::Bytes) => Problem::unavailable(
                "the registrations take all the room that there is; stop an app first, or shorten this one"
                    .to_owned(),
            ),
        }
    }
}
