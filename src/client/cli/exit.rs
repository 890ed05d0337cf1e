//! How a command ends.

use crate::client::Error;

/// How a command ended; the numbers are those of `sysexits.h` where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It is done.
    Done,
    /// No app of this name is registered, no such mail was refused, or there is nothing to mute.
    UnknownApp,
    /// An app that is shown is UNHEALTHY.
    Unhealthy,
    /// The command line makes no sense (EX_USAGE).
    Usage,
    /// The server refuses a value, or the file is no export (EX_DATAERR).
    Refused,
    /// No server was reached, or it cannot now (EX_UNAVAILABLE).
    Unavailable,
    /// The answer could not be written (EX_IOERR).
    Output,
    /// The token is missing or wrong, or this is not allowed (EX_NOPERM).
    NotAllowed,
}

impl Exit {
    /// All of them, by number.
    pub const ALL: [Exit; 8] = [
        Exit::Done,
        Exit::UnknownApp,
        Exit::Unhealthy,
        Exit::Usage,
        Exit::Refused,
        Exit::Unavailable,
        Exit::Output,
        Exit::NotAllowed,
    ];

    /// The number for the shell.
    pub fn code(self) -> u8 {
        match self {
            Exit::Done => 0,
            Exit::UnknownApp => 1,
            Exit::Unhealthy => 2,
            Exit::Usage => 64,
            Exit::Refused => 65,
            Exit::Unavailable => 69,
            Exit::Output => 74,
            Exit::NotAllowed => 77,
        }
    }

    /// What it means, in a few words.
    pub fn meaning(self) -> &'static str {
        match self {
            Exit::Done => "done",
            Exit::UnknownApp => "no such app",
            Exit::Unhealthy => "unhealthy",
            Exit::Usage => "usage",
            Exit::Refused => "refused",
            Exit::Unavailable => "no server",
            Exit::Output => "output",
            Exit::NotAllowed => "not allowed",
        }
    }
}

impl From<&Error> for Exit {
    fn from(why: &Error) -> Exit {
        match why {
            Error::BadAddress { .. } => Exit::Usage,
            why if is_unknown_name(why) => Exit::UnknownApp,
            other => match other.status() {
                401 | 403 => Exit::NotAllowed,
                // Nothing is there that takes this call: another path, or an older server.
                404 | 405 => Exit::Unavailable,
                400..500 => Exit::Refused,
                _ => Exit::Unavailable,
            },
        }
    }
}

/// Whether the daemon knows nothing by the name that it was given. A path that it does not have is
/// a 404 as well, and names no parameter.
pub(super) fn is_unknown_name(why: &Error) -> bool {
    matches!(why, Error::Refused { status: 404, field: Some(_), .. })
}

/// Why a command was not carried out.
#[derive(Debug)]
pub(super) struct CliError {
    /// A sentence for people.
    pub(super) said: String,
    /// The end that it leads to.
    pub(super) exit: Exit,
}

impl From<Error> for CliError {
    fn from(why: Error) -> CliError {
        CliError { said: why.to_string(), exit: Exit::from(&why) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_can_tell_the_reasons_apart() {
        let refused = |status, field: Option<&str>| Error::Refused {
            status,
            sentence: String::new(),
            field: field.map(str::to_owned),
        };
        for (why, exit) in [
            (Error::NotFound, Exit::Unavailable),
            (Error::TokenMissing, Exit::NotAllowed),
            (Error::BadAddress { given: String::new(), why: String::new() }, Exit::Usage),
            (refused(400, Some("interval")), Exit::Refused),
            (refused(403, None), Exit::NotAllowed),
            (refused(404, Some("appname")), Exit::UnknownApp),
            (refused(404, None), Exit::Unavailable),
            (refused(503, None), Exit::Unavailable),
        ] {
            assert_eq!(Exit::from(&why), exit, "{why:?}");
        }
        let codes: std::collections::BTreeSet<u8> = Exit::ALL.map(Exit::code).into();
        assert_eq!(codes.len(), Exit::ALL.len());
    }
}
