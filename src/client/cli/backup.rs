//! `import`: registers again what `/healthchecker/export` gave, app by app.

use std::fs;

use serde_json::{Map, Value};

use crate::client::Error;
use crate::client::connection::{Connection, Parameter};

/// The version of the document that is understood.
const VERSION: u64 = 1;
/// A document is no larger: 10,000 apps with every value at its longest.
const DOCUMENT_MAX: u64 = 64 * 1024 * 1024;

/// An app in a document: the fields of `monitor`, and whether it is paused.
pub(super) type App = Map<String, Value>;

/// What became of the apps of a document.
#[derive(Debug)]
pub(super) struct Imported {
    /// A line for each app, and one for all.
    pub(super) text: String,
    /// Some were refused.
    pub(super) refused: bool,
}

/// Registers every app of a document, those that can be.
///
/// # Errors
/// The daemon cannot be reached: apps before that one are registered.
pub(super) fn import(connection: &Connection, apps: &[App]) -> Result<Imported, Error> {
    let mut imported = Imported { text: String::new(), refused: false };
    let mut count = 0;
    for app in apps {
        let name = app.get("appname").and_then(Value::as_str).unwrap_or("an app without a name");
        let line = match register(connection, app) {
            Ok(paused) => {
                count += 1;
                format!("{name}: registered{}\n", if paused { ", paused" } else { "" })
            }
            Err(why) if matches!(why.status(), 400 | 404) => {
                imported.refused = true;
                format!("{name}: {why}\n")
            }
            Err(why) => return Err(why),
        };
        imported.text.push_str(&line);
    }
    imported.text.push_str(&format!("{count} of {} registered\n", apps.len()));
    Ok(imported)
}

/// Reads the apps of the document in `file`.
///
/// # Errors
/// In a sentence: it cannot be read, or is no document of this version.
pub(super) fn read(file: &str) -> Result<Vec<App>, String> {
    let size = fs::metadata(file).map_err(|why| why.to_string())?.len();
    if size > DOCUMENT_MAX {
        return Err(format!("{size} bytes are more than any export has"));
    }
    let text = fs::read_to_string(file).map_err(|why| why.to_string())?;
    let document: Value = serde_json::from_str(&text).map_err(|why| format!("no JSON: {why}"))?;
    match document.get("healthchecker_export").and_then(Value::as_u64) {
        Some(VERSION) => {}
        Some(later) => {
            return Err(format!("version {later} of the document; only {VERSION} is understood"));
        }
        None => return Err("no export of a healthchecker (healthchecker_export)".to_owned()),
    }
    let apps = document.get("apps").and_then(Value::as_array).ok_or("it has no apps")?;
    let apps: Option<Vec<App>> = apps.iter().map(|app| app.as_object().cloned()).collect();
    apps.ok_or_else(|| "an app in it is no object".to_owned())
}

/// Registers one app, and pauses it if it was; whether it is paused.
fn register(connection: &Connection, app: &App) -> Result<bool, Error> {
    let fields: Vec<(&str, String)> = app
        .iter()
        .filter(|(name, _)| *name != "paused")
        .map(|(name, value)| (name.as_str(), in_words(value)))
        .collect();
    let fields: Vec<Parameter<'_>> =
        fields.iter().map(|(name, value)| (*name, value.as_str())).collect();
    connection.post("monitor", &fields)?;
    let paused = app.get("paused").and_then(Value::as_bool).unwrap_or_default();
    if paused {
        let name = app.get("appname").and_then(Value::as_str).unwrap_or_default();
        connection.post("pause", &[("appname", name)])?;
    }
    Ok(paused)
}

/// A value as a parameter: a list with commas.
fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => list.iter().map(in_words).collect::<Vec<_>>().join(","),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reading(text: &str) -> Result<Vec<App>, String> {
        let file = tempfile::NamedTempFile::new().unwrap();
        fs::write(file.path(), text).unwrap();
        read(file.path().to_str().unwrap())
    }

    #[test]
    fn only_an_export_is_taken() {
        assert_eq!(reading(r#"{"healthchecker_export":1,"apps":[]}"#).unwrap().len(), 0);
        for (text, why) in [
            ("", "no JSON"),
            (r#"{"apps":[]}"#, "no export"),
            (r#"{"healthchecker_export":1}"#, "no apps"),
            (r#"{"healthchecker_export":1,"apps":[1]}"#, "no object"),
            (r#"{"healthchecker_export":2,"apps":[]}"#, "version 2"),
        ] {
            assert!(reading(text).unwrap_err().contains(why), "{text}");
        }
        assert!(read("/nowhere/at/all").is_err());
    }

    #[test]
    fn values_become_parameters() {
        assert_eq!(in_words(&serde_json::json!(["a@b.c", "d@e.f"])), "a@b.c,d@e.f");
        assert_eq!(in_words(&serde_json::json!(30)), "30");
        assert_eq!(in_words(&serde_json::json!([])), "");
    }
}
