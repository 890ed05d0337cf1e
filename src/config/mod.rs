//! What the owner wants: command line, then environment, then file, then default.
//!
//! - [`table`] lists every option once: its spellings, its help, what it takes, what it sets.
//! - [`command_line`], [`environment`] and [`mod@file`] (with [`logical`] lines and Python [`literal`]s)
//!   each say what was [`given`] there; they know no ranges and no defaults.
//! - [`value`] makes sense of one value; [`resolve`] decides which one is in force; [`secrets`],
//!   [`mail`], [`access`] and [`zone`] derive what follows from several, or from the machine.
//! - [`in_force`] and [`settings`] are the result, [`problem`] is what there is instead of one.
//!
//! Nothing in here prints, logs or ends the process.

pub mod access;
pub mod certificates;
pub mod command_line;
pub mod environment;
pub mod file;
pub mod given;
pub mod help;
pub mod hint;
pub mod in_force;
pub mod literal;
pub mod logical;
pub mod mail;
pub mod options;
pub mod problem;
pub mod quoted;
pub mod resolve;
pub mod secrets;
pub mod settings;
pub mod spec;
pub mod table;
pub mod value;
pub mod zone;

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;

use command_line::{CommandLine, Verb};
use in_force::InForce;
use problem::Problems;

/// The exit code for a wrong configuration: EX_CONFIG of `sysexits.h`, which service managers know.
pub const EXIT_CONFIG: u8 = 78;

/// The largest file read: a thousand times what a configuration or a secret needs.
const MAX_FILE: u64 = 1024 * 1024;

/// How files are read; [`read_file`] but for tests.
pub type ReadFile<'a> = dyn Fn(&Path) -> io::Result<Vec<u8>> + 'a;

/// What was asked for.
#[derive(Debug)]
pub enum Command {
    /// Serve.
    Run(Box<InForce>),
    /// Send one mail and say what came of it.
    TestMail(Box<InForce>),
    /// Ask the owner, and write the configuration file.
    Setup(CommandLine),
    /// Say what is in force.
    CheckConfig(Box<InForce>),
    /// Print [`help::help`].
    Help,
    /// Print [`help::version`].
    Version,
}

/// Reads everything that was set, from `args` (without the program's name), `variables`, and the
/// configuration file.
///
/// # Errors
/// All that is wrong with any of it, at once.
pub fn parse(
    args: impl IntoIterator<Item = OsString>,
    variables: impl IntoIterator<Item = (OsString, OsString)>,
    read_file: &ReadFile<'_>,
) -> Result<Command, Problems> {
    let line = command_line::read(args);
    if line.help {
        return Ok(Command::Help);
    }
    if line.version {
        return Ok(Command::Version);
    }
    let what: fn(Box<InForce>) -> Command = match (line.verb, line.check_config) {
        (Verb::Setup, _) => return Ok(Command::Setup(line)),
        (_, true) => Command::CheckConfig,
        (Verb::Run, _) => Command::Run,
        (Verb::TestMail, _) => Command::TestMail,
    };
    resolve::resolve(line, environment::read(variables), read_file).map(Box::new).map(what)
}

/// Reads a file, up to a bound.
///
/// # Errors
/// As of the system, or if it is larger than any configuration.
pub fn read_file(path: &Path) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(MAX_FILE + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > MAX_FILE {
        return Err(io::Error::other(format!("it is larger than {MAX_FILE} bytes")));
    }
    Ok(bytes)
}

#[cfg(test)]
mod tests;
