//! `monitor` and `edit`: what is not named stays as it is.
//!
//! An app says all there is when it registers, so the daemon takes what is left out as the default.
//! Its owner means one thing at a time: what is on record is read first, and sent again with what was
//! named. What somebody else changes between the two calls is changed back; the daemon has no "only
//! if it is still so".

use serde_json::Value;

use super::exit::{CliError, Exit};
use super::record::{self, Record};
use crate::client::connection::{Connection, Parameter};
use crate::config::quoted::quoted;

/// What became of it.
#[derive(Debug)]
pub(super) struct Registered {
    /// What the daemon answered, JSON.
    pub(super) answer: String,
    /// What is different now, in words; empty for a new app.
    pub(super) changes: String,
}

/// Registers the app, or changes what is named of one that is on record.
///
/// # Errors
/// It cannot be read or written.
pub(super) fn monitor(
    connection: &Connection,
    name: &str,
    named: &[Parameter<'_>],
) -> Result<Registered, CliError> {
    match look(connection, name)? {
        Some(before) => change(connection, &before, named),
        None => {
            let fields = [&[("appname", name)], named].concat();
            let answer = connection.post("monitor", &fields)?;
            Ok(Registered { answer, changes: String::new() })
        }
    }
}

/// Changes what is named of an app that is on record.
///
/// # Errors
/// There is no such app, or it cannot be read or written.
pub(super) fn edit(
    connection: &Connection,
    name: &str,
    named: &[Parameter<'_>],
) -> Result<Registered, CliError> {
    let before = look(connection, name)?.ok_or_else(|| CliError {
        said: format!(
            "no app is registered by the name {}; register it with monitor",
            quoted(name)
        ),
        exit: Exit::UnknownApp,
    })?;
    change(connection, &before, named)
}

fn look(connection: &Connection, name: &str) -> Result<Option<Record>, CliError> {
    record::find(connection, name).map_err(|why| match why.exit {
        Exit::NotAllowed => CliError {
            said: format!(
                "{}. Nothing was changed: what is set for the app has to be read first, or it would be lost",
                why.said
            ),
            ..why
        },
        _ => why,
    })
}

fn change(
    connection: &Connection,
    before: &Record,
    named: &[Parameter<'_>],
) -> Result<Registered, CliError> {
    let fields = before.fields_with(named);
    let answer = record::send(connection, &fields)?;
    let changes =
        if result(&answer) == "updated" { before.changes(&fields) } else { String::new() };
    Ok(Registered { answer, changes })
}

/// What the daemon says that it did: `registered`, `updated`, `unchanged`, ….
pub(super) fn result(answer: &str) -> String {
    let answer: Value = serde_json::from_str(answer).unwrap_or_default();
    answer.get("result").and_then(Value::as_str).unwrap_or_default().to_owned()
}
