//! What apps report by themselves, and who may.

use super::access::{Denial, Effect};
use super::command::Command;
use super::parameters::{self, Pair};
use super::problem::Problem;
use super::route::{Asked, Rules};
use crate::engine::beats::Report;
use crate::engine::registration::app_name;
use crate::engine::registration::fields::{Fields, Known};
use crate::engine::verdict::reported;

const BEAT: &[&Known] = &[&Known::new("appname"), &Known::new("key")];

/// Which call it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Beat {
    /// It is done, and the body may say how it went.
    Done,
    /// It begins.
    Begins,
    /// It failed, and the body may say why.
    Failed,
}

/// What is reported. Beside `appname` in the query a body in JSON is what the app says; any other has parameters,
/// as everywhere.
///
/// # Errors
/// Who calls may not, or has said something that no report has.
pub(super) fn command(
    beat: Beat,
    asked: &Asked<'_>,
    query: Option<&str>,
    rules: &Rules,
) -> Result<Command, Problem> {
    let named = parameters::read(query, None, b"")?;
    let is_named = named.iter().any(|(name, _)| name == "appname");
    let says = is_named && asked.body.trim_ascii_start().starts_with(b"{");
    let (pairs, body) = match says {
        true => (Ok(named), asked.body),
        false => (parameters::read(query, asked.content_type, asked.body), &b""[..]),
    };
    let denial = rules.access.admit(Effect::Changes, asked.method, &asked.credentials).err();
    let has_key = |pairs: &Vec<Pair>| pairs.iter().any(|(name, _)| name == "key");
    // Who has neither token nor key learns nothing else.
    match denial {
        Some(Denial::Token { .. }) if pairs.as_ref().is_ok_and(has_key) => {}
        Some(denial) => return Err(denial.into()),
        None => {}
    }
    let pairs = pairs?;
    let fields = Fields::read("beat", BEAT, &pairs)?;
    let name = app_name(&fields)?;
    let key = fields.optional("key")?.unwrap_or_default();
    if denial.is_some() && !rules.access.opens_beats_of(&name, key) {
        let error = "the key is not the one that monitor answers for this app".to_owned();
        return Err(Problem { field: Some("key".to_owned()), ..Problem::new(403, error) });
    }
    let content_type = asked.content_type.unwrap_or_default();
    let report = match beat {
        Beat::Begins => Report::Begins,
        Beat::Done => Report::Went(reported(false, content_type, body)),
        Beat::Failed => Report::Went(reported(true, content_type, body)),
    };
    Ok(Command::Beat(name, report))
}
