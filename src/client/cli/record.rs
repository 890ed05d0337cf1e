//! What a daemon has on record of the apps, as `export` says it: the fields of `monitor`, and whether
//! the app is paused.

use serde_json::{Map, Value};

use super::exit::{CliError, Exit, is_unknown_name};
use crate::client::Error;
use crate::client::connection::{Connection, Parameter};
use crate::engine::query::export::ExportedApp;
use crate::engine::registration::Kind;
use crate::engine::registration::parents::LIST_END;
use crate::engine::registration::spec::Field;
use crate::engine::registration::table::{FIELDS, field};

/// The version of the document that is understood.
const VERSION: u64 = 1;
/// What is said of a document, and no parameter of `monitor`.
const PAUSED: &str = "paused";

/// An app on record.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Record(Map<String, Value>);

impl Record {
    /// What the daemon would export of this app.
    pub(super) fn of(app: &ExportedApp) -> Record {
        // By way of the text, as a daemon sends it.
        let text = serde_json::to_string(app).unwrap_or_default();
        Record(serde_json::from_str(&text).ok().and_then(as_object).unwrap_or_default())
    }

    /// An app of somebody else's list, with the fields of `monitor` and `paused`.
    pub(super) fn new(fields: Map<String, Value>) -> Record {
        Record(fields)
    }

    /// The app's name; a number is one as well.
    pub(super) fn name(&self) -> Option<String> {
        let name = self.0.get("appname").filter(|name| name.is_string() || name.is_number())?;
        Some(in_words(name))
    }

    /// Whether it is paused; `None` where nothing is said of it.
    ///
    /// # Errors
    /// What is said is neither true nor false.
    pub(super) fn paused(&self) -> Result<Option<bool>, String> {
        match self.0.get(PAUSED) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(paused)) => Ok(Some(*paused)),
            Some(other) => Err(format!("paused must be true or false, not {other}")),
        }
    }

    /// What it says that is not shown: whether that is on record cannot be seen.
    pub(super) fn secrets(&self) -> String {
        let given = FIELDS.iter().filter(|it| it.is_secret() && self.0.contains_key(it.name()));
        given.map(|it| format!("{} set", it.name())).collect::<Vec<_>>().join(", ")
    }

    /// What of it is in no document, for whoever registers it where it was not.
    pub(super) fn lacks(&self) -> String {
        let is_there =
            |name: &&'static Field| self.0.get(name.json_name) == Some(&Value::Bool(true));
        let secrets = FIELDS.iter().filter(|field| field.is_secret());
        let lost = secrets.filter(|field| !self.0.contains_key(field.name())).filter(is_there);
        let lost = lost.map(|field| format!("without its {0}: edit it with --{0} -", field.name()));
        lost.collect::<Vec<_>>().join(", ")
    }

    /// The fields of `monitor`, as parameters. What is null is left out, as the daemon reads it; and what is only
    /// shown.
    pub(super) fn fields(&self) -> Vec<(String, String)> {
        let is_shown = |name: &str| {
            name == PAUSED || FIELDS.iter().any(|it| it.is_secret() && it.json_name == name)
        };
        let said = self.0.iter().filter(|(name, value)| !is_shown(name) && !value.is_null());
        said.map(|(name, value)| (name.clone(), in_words(value))).collect()
    }

    /// The fields with these put in their places. What a target of another kind does not have goes.
    pub(super) fn fields_with(&self, named: &[Parameter<'_>]) -> Vec<(String, String)> {
        let mut fields = self.fields();
        let said = |wanted: &str| named.iter().find(|(name, _)| *name == wanted);
        let by_word = said("kind").and_then(|(_, word)| Kind::named(word.trim()));
        let by_url = said("url").and_then(|(_, url)| Kind::of_url(url.trim()));
        if let Some(kind) = by_word.or(by_url) {
            let is_of = |name: &str| field(name).is_none_or(|field| field.is_of(kind));
            fields.retain(|(name, _)| name != "kind" && is_of(name));
        }
        for (name, value) in named {
            fields.retain(|(known, _)| known != name);
            fields.push(((*name).to_owned(), (*value).to_owned()));
        }
        fields
    }

    /// The same, with what the other one says.
    pub(super) fn with(mut self, other: &Record) -> Record {
        self.0.extend(other.0.clone());
        self
    }

    /// What these values make of it: `interval 30 -> 60, path /health -> /ok, auth set`.
    pub(super) fn changes(&self, fields: &[(String, String)]) -> String {
        let before = self.fields();
        let old = |name: &str| before.iter().find(|(known, _)| known == name);
        let changes =
            fields.iter().filter(|(name, _)| name != "appname").filter_map(|(name, new)| {
                if field(name).is_some_and(Field::is_secret) {
                    let became = if new.trim().is_empty() { "removed" } else { "set" };
                    return Some(format!("{name} {became}"));
                }
                let old = old(name).map_or("", |(_, value)| value);
                (old != new).then(|| format!("{name} {} -> {}", shown(old), shown(new)))
            });
        changes.collect::<Vec<_>>().join(", ")
    }
}

fn as_object(value: Value) -> Option<Map<String, Value>> {
    match value {
        Value::Object(members) => Some(members),
        _ => None,
    }
}

fn shown(value: &str) -> &str {
    if value.is_empty() { "(default)" } else { value }
}

/// A value as a parameter: a list with commas, or with line ends where there are commas in it.
fn in_words(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(list) => {
            let items: Vec<String> = list.iter().map(in_words).collect();
            match items.iter().any(|item| item.contains(',')) {
                true => items.iter().map(|item| format!("{item}{LIST_END}")).collect(),
                false => items.join(","),
            }
        }
        other => other.to_string(),
    }
}

/// The apps of an export.
///
/// # Errors
/// In a sentence: it is none, or none of this version.
pub(super) fn read(document: &str) -> Result<Vec<Record>, String> {
    // Editors and PowerShell put it before a text.
    let document = document.strip_prefix('\u{feff}').unwrap_or(document);
    let document: Value =
        serde_json::from_str(document).map_err(|why| format!("no JSON: {why}"))?;
    match document.get("healthchecker_export").and_then(Value::as_u64) {
        Some(VERSION) => {}
        Some(later) => {
            return Err(format!("version {later} of the document; only {VERSION} is understood"));
        }
        None => return Err("no export of a healthchecker (healthchecker_export)".to_owned()),
    }
    let apps = document.get("apps").and_then(Value::as_array).ok_or("it has no apps")?;
    let apps: Option<Vec<Record>> =
        apps.iter().map(|app| as_object(app.clone()).map(Record)).collect();
    apps.ok_or_else(|| "an app in it is no object".to_owned())
}

/// All apps of a daemon.
///
/// # Errors
/// They cannot be read.
pub(super) fn all(connection: &Connection) -> Result<Vec<Record>, CliError> {
    read(&connection.get("export", &[])?).map_err(|why| CliError {
        said: format!("what the server exports cannot be read: {why}"),
        exit: Exit::Unavailable,
    })
}

/// The app of this name; `None` if there is none.
///
/// # Errors
/// It cannot be read.
pub(super) fn find(connection: &Connection, name: &str) -> Result<Option<Record>, CliError> {
    // The daemon knows how a name is written; and most names that are asked for are new.
    let info = match connection.get("info", &[("appname", name)]) {
        Err(why) if is_unknown_name(&why) => return Ok(None),
        info => info?,
    };
    let info: Value = serde_json::from_str(&info).unwrap_or_default();
    let name = info.get("appname").and_then(Value::as_str).map(str::to_owned);
    Ok(all(connection)?.into_iter().find(|app| app.name() == name))
}

/// Registers an app; what the daemon answered.
///
/// # Errors
/// It refuses, or is not there.
pub(super) fn send(connection: &Connection, fields: &[(String, String)]) -> Result<String, Error> {
    let fields: Vec<Parameter<'_>> =
        fields.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    connection.post("monitor", &fields)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn record(app: Value) -> Record {
        Record(app.as_object().unwrap().clone())
    }

    #[test]
    fn only_an_export_is_taken() {
        assert_eq!(read("\u{feff}{\"healthchecker_export\":1,\"apps\":[]}").unwrap(), []);
        for (text, why) in [
            ("", "no JSON"),
            (r#"{"apps":[]}"#, "no export"),
            (r#"{"healthchecker_export":1}"#, "no apps"),
            (r#"{"healthchecker_export":1,"apps":[1]}"#, "no object"),
            (r#"{"healthchecker_export":2,"apps":[]}"#, "version 2"),
        ] {
            assert!(read(text).unwrap_err().contains(why), "{text}");
        }
    }

    #[test]
    fn values_become_parameters() {
        let app = record(json!({
            "appname": 7, "email": ["a@b.c", "d@e.f"], "interval": 30, "path": null, "paused": true,
            "parent": ["Switch, upstairs", "NAS"]
        }));
        let parents = ("parent", "Switch, upstairs\nNAS\n");
        let fields = [("appname", "7"), ("email", "a@b.c,d@e.f"), ("interval", "30"), parents];
        assert_eq!(app.fields(), fields.map(|(name, value)| (name.to_owned(), value.to_owned())));
        assert_eq!((app.name().as_deref(), app.paused()), (Some("7"), Ok(Some(true))));
    }

    #[test]
    fn a_name_is_a_text_or_a_number_and_paused_is_true_or_false() {
        for name in [json!(null), json!(true), json!([])] {
            assert_eq!(record(json!({"appname": name})).name(), None);
        }
        assert_eq!(record(json!({"paused": null})).paused(), Ok(None));
        let why = record(json!({"paused": "yes"})).paused().unwrap_err();
        assert_eq!(why, "paused must be true or false, not \"yes\"");
    }

    #[test]
    fn what_is_named_takes_the_place_of_what_was_there() {
        let app = record(json!({"appname": "NAS", "email": ["a@b.c"], "unhealthy": 2}));
        let fields = app.fields_with(&[("unhealthy", "3"), ("email", "")]);
        assert!(fields.contains(&("appname".to_owned(), "NAS".to_owned())), "{fields:?}");
        assert_eq!(app.changes(&fields), "unhealthy 2 -> 3, email a@b.c -> (default)");
        assert_eq!(app.changes(&app.fields()), "");
    }

    #[test]
    fn another_kind_of_address_leaves_behind_what_it_does_not_have() {
        let app = record(json!({
            "appname": "NAS", "url": "http://nas", "kind": "http", "path": "/ok", "expect": "200", "interval": 60
        }));
        let names = |named: &[Parameter<'_>]| -> Vec<String> {
            app.fields_with(named).into_iter().map(|(name, _)| name).collect()
        };
        assert_eq!(names(&[("url", "tcp://nas:22")]), ["appname", "interval", "url"]);
        assert_eq!(
            names(&[("url", "tcp://nas:22"), ("path", "/x")]),
            ["appname", "interval", "url", "path"],
            "what was named is for the daemon to refuse"
        );
        assert_eq!(names(&[("url", "http://nas:8080")]).len(), 5);
        assert_eq!(names(&[("kind", "beat")]), ["appname", "interval", "kind"]);
        assert_eq!(names(&[("interval", "30")]).len(), 6);
    }
}
