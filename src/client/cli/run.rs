//! Does what a command line says.

use std::ffi::OsString;
use std::io::{self, Write};
use std::time::Duration;

use serde_json::{Value, json};

use super::arguments::{self, Arguments};
use super::table::Verb;
use super::{backup, completions, help, text};
use crate::client::connection::{Connection, Parameter};
use crate::client::{Error, discovery};
use crate::engine::words::plain::{harmless, harmless_json, one_line};

/// How long `discover` listens: it cannot know how many there are.
const LISTEN: Duration = Duration::from_secs(3);
/// The most characters of a complaint: whoever answers decides how long it is.
const COMPLAINT_MAX: usize = 1000;

/// How a command ended; the numbers are those of `sysexits.h` where it has one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// It is done.
    Done,
    /// No app of this name is registered.
    UnknownApp,
    /// The command line makes no sense (EX_USAGE).
    Usage,
    /// The server refuses a value (EX_DATAERR).
    Refused,
    /// No server was reached, or it cannot now (EX_UNAVAILABLE).
    Unavailable,
    /// The answer could not be printed (EX_IOERR).
    Output,
    /// The token is missing or wrong, or this is not allowed (EX_NOPERM).
    NotAllowed,
}

impl Exit {
    /// All of them, by number.
    pub const ALL: [Exit; 7] = [
        Exit::Done,
        Exit::UnknownApp,
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
            Exit::Usage => "usage",
            Exit::Refused => "value refused",
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
            other => match other.status() {
                401 | 403 => Exit::NotAllowed,
                404 => Exit::UnknownApp,
                400..500 => Exit::Refused,
                _ => Exit::Unavailable,
            },
        }
    }
}

/// Runs a command line (without the program's name) and prints what comes of it.
pub fn run(args: Vec<OsString>) -> Exit {
    let arguments = match arguments::read(args) {
        Ok(arguments) => arguments,
        Err(why) => return complain(&why, Exit::Usage),
    };
    if arguments.command.verb == Verb::Import && !arguments.help {
        return import(&arguments);
    }
    match answer(&arguments) {
        Ok(text) => print(&text),
        Err(why) => complain(&why.to_string(), Exit::from(&why)),
    }
}

fn answer(arguments: &Arguments) -> Result<String, Error> {
    if arguments.help {
        return Ok(help::of_command(arguments.command));
    }
    let operand = |n: usize| arguments.operands.get(n).map_or("", String::as_str);
    let connection = || connection(arguments);
    let name = [("appname", operand(0))];
    let show = |answer: String, for_people| Ok(as_asked(arguments, &answer, for_people));
    match arguments.command.verb {
        Verb::List => show(connection()?.get("status", &[("format", "json")])?, text::list),
        Verb::Info => show(connection()?.get("info", &name)?, text::info),
        Verb::Monitor => {
            let app = [("appname", operand(0)), ("url", operand(1))];
            show(connection()?.post("monitor", &with_options(&app, arguments))?, text::change)
        }
        Verb::Pause | Verb::Resume | Verb::Stop => {
            show(connection()?.post(arguments.command.word, &name)?, text::change)
        }
        Verb::Seen => show(connection()?.post("seen", &[("email", operand(0))])?, text::change),
        Verb::Log if arguments.operands.is_empty() => log(&connection()?, arguments, &[]),
        Verb::Log => log(&connection()?, arguments, &name),
        // Carried out before: it may be done in part.
        Verb::Import => Ok(String::new()),
        Verb::Discover => discover(arguments),
        Verb::Completions => Ok(completions::script(operand(0))),
    }
}

/// The parameters of a call: these, and what was given as options.
fn with_options<'a>(these: &[Parameter<'a>], arguments: &'a Arguments) -> Vec<Parameter<'a>> {
    let more = arguments.parameters.iter().map(|(name, value)| (*name, value.as_str()));
    these.iter().copied().chain(more).collect()
}

/// The way to the daemon that was named on the command line or in the environment, else to the one
/// that Zeroconf finds.
fn connection(arguments: &Arguments) -> Result<Connection, Error> {
    let connection = match &arguments.server {
        // An empty one, too: a variable of a script that is not set must not lead to another daemon.
        Some(server) => Connection::to(server.parse()?),
        None => Connection::search(),
    };
    Ok(match &arguments.token {
        Some(token) => connection.with_token(token),
        None => connection,
    })
}

/// Registers all apps of a document, and says what became of each.
fn import(arguments: &Arguments) -> Exit {
    let file = arguments.operands.first().map_or("", String::as_str);
    let apps = match backup::read(file) {
        Ok(apps) => apps,
        Err(why) => return complain(&format!("cannot import {file}: {why}"), Exit::Refused),
    };
    match connection(arguments).and_then(|way| backup::import(&way, &apps)) {
        Ok(imported) => match print(&harmless(&imported.text)) {
            Exit::Done if imported.refused => Exit::Refused,
            exit => exit,
        },
        Err(why) => complain(&why.to_string(), Exit::from(&why)),
    }
}

fn discover(arguments: &Arguments) -> Result<String, Error> {
    let survey = discovery::survey(LISTEN)?;
    if arguments.why && !arguments.json {
        return Ok(harmless(&text::survey(&survey, LISTEN)));
    }
    if survey.found.is_empty() {
        return Err(survey.nobody());
    }
    if !arguments.json {
        return Ok(text::found(&survey.found));
    }
    let all: Vec<Value> = survey
        .found
        .iter()
        .map(|one| json!({"name": one.instance, "url": one.url.as_str(), "version": one.version}))
        .collect();
    Ok(format!("{}\n", harmless_json(&Value::Array(all).to_string())))
}

fn log(
    connection: &Connection,
    arguments: &Arguments,
    name: &[Parameter<'_>],
) -> Result<String, Error> {
    let lines = connection.get("log", &with_options(name, arguments))?;
    Ok(if arguments.json {
        harmless_json(&lines).into_owned()
    } else {
        lines.lines().map(|line| shown(line, text::log_line)).collect()
    })
}

/// An answer in JSON, as it came or for people.
fn as_asked(arguments: &Arguments, answer: &str, for_people: fn(&Value) -> String) -> String {
    if arguments.json { harmless_json(answer).into_owned() } else { shown(answer, for_people) }
}

fn shown(json: &str, for_people: fn(&Value) -> String) -> String {
    for_people(&serde_json::from_str(json).unwrap_or_default())
}

/// Prints an answer. A reader that has seen enough (`| head`) is no failure.
fn print(text: &str) -> Exit {
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => Exit::Output,
        _ => Exit::Done,
    }
}

fn complain(what: &str, exit: Exit) -> Exit {
    // Nobody is left to be told if this fails; the exit code stands.
    let _ = writeln!(io::stderr(), "healthchecker: {}", one_line(what, COMPLAINT_MAX));
    exit
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_can_tell_the_reasons_apart() {
        let refused = |status| Error::Refused { status, sentence: String::new(), field: None };
        for (why, exit) in [
            (Error::NotFound, Exit::Unavailable),
            (Error::TokenMissing, Exit::NotAllowed),
            (Error::BadAddress { given: String::new(), why: String::new() }, Exit::Usage),
            (refused(400), Exit::Refused),
            (refused(403), Exit::NotAllowed),
            (refused(404), Exit::UnknownApp),
            (refused(503), Exit::Unavailable),
        ] {
            assert_eq!(Exit::from(&why), exit, "{why:?}");
        }
        let codes: std::collections::BTreeSet<u8> = Exit::ALL.map(Exit::code).into();
        assert_eq!(codes.len(), Exit::ALL.len());
    }
}
