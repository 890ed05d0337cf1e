//! Does what a command line says.

use std::ffi::OsString;
use std::io::{self, BufRead, Read};
use std::time::Duration;

use serde_json::{Value, json};

use super::arguments::{self, Arguments};
use super::backup::Document;
use super::exit::{CliError, Exit};
use super::list::{self, Form};
use super::output::{complain, local_zone, print};
use super::register::{self, Registered};
use super::scan::Scan;
use super::table::{STANDARD, Verb};
use super::{backup, completions, help, text};
use crate::client::Error;
use crate::client::connection::{Connection, Parameter};
use crate::client::discovery::{self, Multicast};
use crate::config::quoted::quoted;
use crate::engine::registration::spec::Field;
use crate::engine::registration::table::field;
use crate::engine::text::plain::{harmless, harmless_json};

/// No secret is longer, in bytes.
const LINE_MAX: u64 = 4096;

/// How long `discover` listens: it cannot know how many there are.
const LISTEN: Duration = Duration::from_secs(3);

/// Runs a command line (without the program's name) and prints what comes of it. `multicast` is how
/// a daemon that was not named is found, and one that was named `NAME.local`.
pub fn run(args: Vec<OsString>, multicast: Multicast) -> Exit {
    let read = arguments::read(args).and_then(with_secrets);
    let arguments = match read {
        Ok(arguments) => arguments,
        Err(said) => return complain(&CliError { said, exit: Exit::Usage }),
    };
    let done = match arguments.command.verb {
        _ if arguments.help => Ok(print(&help::of_command(arguments.command))),
        Verb::Import => import(&arguments, multicast),
        Verb::List => list(&arguments, multicast),
        Verb::Scan => scan(&arguments, multicast),
        _ => answer(&arguments, multicast).map(|text| print(&text)),
    };
    done.unwrap_or_else(|error| complain(&error))
}

fn answer(arguments: &Arguments, multicast: Multicast) -> Result<String, CliError> {
    let operand = |n: usize| arguments.operands.get(n).map_or("", String::as_str);
    let connection = || connection(arguments, multicast);
    let name = [("appname", operand(0))];
    let show = |answer: String, for_people: fn(&Value) -> String| {
        Ok(as_asked(arguments, &answer, for_people))
    };
    match arguments.command.verb {
        Verb::Info => show(connection()?.get("info", &name)?, |app| text::info(app, &local_zone())),
        Verb::Monitor => {
            let url = arguments.operands.get(1).map(|url| ("url", url.as_str()));
            let named = with_options(url.as_slice(), arguments);
            let done = register::monitor(&connection()?, operand(0), &named)?;
            Ok(registered(arguments, &done))
        }
        Verb::Edit => {
            let named = with_options(&[], arguments);
            let done = register::edit(&connection()?, operand(0), &named)?;
            Ok(registered(arguments, &done))
        }
        Verb::Beat => {
            let call = match operand(1) {
                "" => "beat",
                "start" => "beat/start",
                "fail" => "beat/fail",
                other => {
                    let said =
                        format!("a beat is start or fail, or neither, not {}", quoted(other));
                    return Err(CliError { said, exit: Exit::Usage });
                }
            };
            show(connection()?.post(call, &name)?, text::change)
        }
        Verb::Stop => show(connection()?.post("stop", &name)?, text::stopped),
        Verb::Pause | Verb::Mute | Verb::Resume => {
            let named = with_options(&name, arguments);
            show(connection()?.post(arguments.command.word, &named)?, text::change)
        }
        Verb::Seen => show(connection()?.post("seen", &[("email", operand(0))])?, text::change),
        Verb::Log if arguments.operands.is_empty() => Ok(log(&connection()?, arguments, &[])?),
        Verb::Log => Ok(log(&connection()?, arguments, &name)?),
        Verb::Incidents => {
            let answer = connection()?.get("incidents", &[("format", "json")])?;
            show(answer, |answer| text::incidents(answer, &local_zone()))
        }
        Verb::Export => backup::export(&connection()?, operand(0)),
        // Carried out before: they have more than one end.
        Verb::Import | Verb::List | Verb::Scan => Ok(String::new()),
        Verb::Discover => Ok(discover(arguments, multicast)?),
        Verb::Completions => Ok(completions::script(operand(0))),
    }
}

/// The same, with what is not to be seen in `ps`: a line of standard input.
fn with_secrets(mut arguments: Arguments) -> Result<Arguments, String> {
    let secrets = arguments
        .parameters
        .iter_mut()
        .filter(|(name, value)| value == STANDARD && field(name).is_some_and(Field::is_secret));
    for (name, value) in secrets {
        value.clear();
        let read = io::stdin().lock().take(LINE_MAX).read_line(value);
        read.map_err(|why| format!("standard input, for --{name}: {why}"))?;
        if value.trim().is_empty() {
            return Err(format!("nothing came on standard input for --{name}"));
        }
    }
    Ok(arguments)
}

/// The parameters of a call: these, and what was given as options.
fn with_options<'a>(these: &[Parameter<'a>], arguments: &'a Arguments) -> Vec<Parameter<'a>> {
    let more = arguments.parameters.iter().map(|(name, value)| (*name, value.as_str()));
    these.iter().copied().chain(more).collect()
}

/// The way to the daemon that was named on the command line or in the environment, else to the one
/// that Zeroconf finds.
fn connection(arguments: &Arguments, multicast: Multicast) -> Result<Connection, Error> {
    let connection = match &arguments.server {
        // An empty one, too: a variable of a script that is not set must not lead to another daemon.
        Some(server) => Connection::to_with(server.parse()?, multicast),
        None => Connection::search_with(multicast),
    };
    Ok(match &arguments.token {
        Some(token) => connection.with_token(token),
        None => connection,
    })
}

fn list(arguments: &Arguments, multicast: Multicast) -> Result<Exit, CliError> {
    let states = arguments.parameters.iter().find(|(name, _)| *name == "state");
    let states = states.map(|(_, words)| list::states(words)).transpose();
    let states = states.map_err(|said| CliError { said, exit: Exit::Usage })?;
    let form = match (arguments.names, arguments.json) {
        (true, _) => Form::Names,
        (false, true) => Form::Json,
        (false, false) => Form::Table,
    };
    let (text, exit) = list::list(&connection(arguments, multicast)?, states.as_deref(), form)?;
    Ok(match print(&text) {
        Exit::Done => exit,
        error => error,
    })
}

/// Registers all apps of a document, or says what would become of them.
fn import(arguments: &Arguments, multicast: Multicast) -> Result<Exit, CliError> {
    let file = arguments.operands.first().map_or("", String::as_str);
    let Document { apps, remarks } = backup::read(file)?;
    let connection = connection(arguments, multicast)?;
    for remark in &remarks {
        print(&harmless(&format!("{remark}\n")));
    }
    if arguments.dry_run {
        backup::rehearse(&connection, &apps)
    } else {
        Ok(backup::import(&connection, &apps))
    }
}

/// Shows what there is on the network, and registers it if that is wanted.
fn scan(arguments: &Arguments, multicast: Multicast) -> Result<Exit, CliError> {
    let connection = connection(arguments, multicast)?;
    let scan = Scan::of(&connection)?;
    if arguments.json {
        return Ok(print(&scan.json()));
    }
    let shown = print(&scan.table());
    Ok(match scan.proposals() {
        new if arguments.watch && !new.is_empty() => backup::import(&connection, &new),
        _ => shown,
    })
}

/// What became of an app that was registered, and what is different now.
fn registered(arguments: &Arguments, done: &Registered) -> String {
    let text = as_asked(arguments, &done.answer, text::change);
    if arguments.json || done.changes.is_empty() {
        return text;
    }
    let (first, warnings) = text.split_once('\n').unwrap_or((&text, ""));
    harmless(&format!("{first}: {}\n{warnings}", done.changes))
}

fn discover(arguments: &Arguments, multicast: Multicast) -> Result<String, Error> {
    let survey = discovery::survey_with(multicast.browse, LISTEN)?;
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
        let zone = local_zone();
        lines.lines().map(|line| shown(line, |line| text::log_line(line, &zone))).collect()
    })
}

/// An answer in JSON, as it came or for people.
fn as_asked(arguments: &Arguments, answer: &str, for_people: fn(&Value) -> String) -> String {
    if arguments.json { harmless_json(answer).into_owned() } else { shown(answer, for_people) }
}

fn shown(json: &str, for_people: impl Fn(&Value) -> String) -> String {
    for_people(&serde_json::from_str(json).unwrap_or_default())
}
