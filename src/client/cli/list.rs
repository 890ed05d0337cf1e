//! `list`: all apps, or those in some states, and whether one of them needs a person.

use serde_json::Value;

use super::exit::{CliError, Exit};
use super::output::local_zone;
use super::{layout, text};
use crate::client::connection::Connection;
use crate::engine::state::State;
use crate::engine::text::plain::{harmless, harmless_json};

/// Every state, the worst first.
const STATES: [State; 4] = [State::Unhealthy, State::Degraded, State::Unknown, State::Healthy];

/// What is to be shown of the apps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Form {
    /// A table for people.
    Table,
    /// What the daemon said.
    Json,
    /// Their names, a line each.
    Names,
}

/// The states that are meant: words with commas between them.
///
/// # Errors
/// One of them is none, in a sentence.
pub(super) fn states(words: &str) -> Result<Vec<&'static str>, String> {
    let state = |word: &str| {
        let known = STATES.map(State::word);
        known.into_iter().find(|known| known.eq_ignore_ascii_case(word)).ok_or_else(|| {
            format!("state must be {}, or several with commas, not {word:?}", known.join(", "))
        })
    };
    words.split(',').map(|word| state(word.trim())).collect()
}

/// The apps in one of these states, or all; and [`Exit::Unhealthy`] if one that is shown is UNHEALTHY
/// and not paused.
///
/// # Errors
/// The daemon does not say.
pub(super) fn list(
    connection: &Connection,
    states: Option<&[&str]>,
    form: Form,
) -> Result<(String, Exit), CliError> {
    let answer = connection.get("status", &[("format", "json")])?;
    let mut status: Value = serde_json::from_str(&answer).unwrap_or_default();
    if let (Some(states), Some(apps)) = (states, apps(&mut status)) {
        apps.retain(|app| states.contains(&word(app, "state")));
    }
    let shown = apps(&mut status).map(std::mem::take).unwrap_or_default();
    let exit = if shown.iter().any(needs_a_person) { Exit::Unhealthy } else { Exit::Done };
    let text = match (form, states) {
        (Form::Json, None) => harmless_json(&answer).into_owned(),
        (Form::Json, Some(_)) => {
            if let Some(apps) = apps(&mut status) {
                *apps = shown;
            }
            format!("{}\n", harmless_json(&status.to_string()))
        }
        (Form::Names, _) => harmless(
            &shown.iter().map(|app| format!("{}\n", word(app, "appname"))).collect::<String>(),
        ),
        (Form::Table, Some(states)) if shown.is_empty() => {
            format!("no app is {}\n", states.join(" or "))
        }
        (Form::Table, _) => text::list(&status, &shown, &local_zone(), layout::room()),
    };
    Ok((text, exit))
}

fn apps(status: &mut Value) -> Option<&mut Vec<Value>> {
    status.get_mut("apps")?.as_array_mut()
}

fn needs_a_person(app: &Value) -> bool {
    let is_paused = app.get("paused").and_then(Value::as_bool).unwrap_or(false);
    word(app, "state") == State::Unhealthy.word() && !is_paused
}

fn word<'a>(app: &'a Value, member: &str) -> &'a str {
    app.get(member).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn states_are_words_with_commas_between() {
        assert_eq!(states("unhealthy, DEGRADED"), Ok(vec!["UNHEALTHY", "DEGRADED"]));
        for bad in ["", "ill", "HEALTHY,"] {
            let why = states(bad).unwrap_err();
            assert!(why.starts_with("state must be UNHEALTHY, DEGRADED, "), "{why}");
        }
    }

    #[test]
    fn a_paused_app_needs_nobody() {
        let app = |state: &str, paused: bool| json!({"state": state, "paused": paused});
        assert!(needs_a_person(&app("UNHEALTHY", false)));
        assert!(!needs_a_person(&app("UNHEALTHY", true)));
        assert!(!needs_a_person(&app("DEGRADED", false)));
    }
}
