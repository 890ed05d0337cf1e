//! `export` and `import`: every registration as one document, and back, app by app.

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use super::exit::{CliError, Exit};
use super::kuma;
use super::output::{complain, print};
use super::record::{self, Record};
use super::register::result;
use super::table::STANDARD;
use crate::client::Error;
use crate::client::connection::Connection;
use crate::engine::query::export::ExportedApp;
use crate::engine::recipients::Recipients;
use crate::engine::registration::address::DEFAULT_PATH;
use crate::engine::registration::{Origin, Registration, name};
use crate::engine::text::plain::{harmless, harmless_json};

/// A document is no larger: 10,000 apps with every value at its longest.
const DOCUMENT_MAX: u64 = 64 * 1024 * 1024;

/// Writes what the daemon exports to `file`; what there is to print.
///
/// # Errors
/// It is not to be had, or cannot be written; a file of this name is as it was.
pub(super) fn export(connection: &Connection, file: &str) -> Result<String, CliError> {
    let document = connection.get("export", &[])?;
    let apps = record::read(&document).map_err(|why| CliError {
        said: format!("what the server exports cannot be read: {why}"),
        exit: Exit::Unavailable,
    })?;
    let document = harmless_json(&document);
    if file.is_empty() || file == STANDARD {
        return Ok(document.into_owned());
    }
    replace(file, document.as_bytes()).map_err(|why| CliError {
        said: format!("cannot write {file}: {why}"),
        exit: Exit::Output,
    })?;
    Ok(harmless(&format!("{} written to {file}\n", counted(apps.len()))))
}

/// Puts a file in the place of another, whole or not at all: the last good backup stays until then.
fn replace(file: &str, content: &[u8]) -> io::Result<()> {
    // A device, a pipe, a link to somewhere: what is there is written to, not replaced.
    if Path::new(file).symlink_metadata().is_ok_and(|there| !there.is_file()) {
        return File::create(file)?.write_all(content);
    }
    let beside = format!("{file}.new");
    let write = || {
        let mut new = File::create(&beside)?;
        new.write_all(content)?;
        new.sync_all()?;
        std::fs::rename(&beside, file)
    };
    write().inspect_err(|_| drop(std::fs::remove_file(&beside)))
}

/// What is to be registered, and what cannot be, or not as it was: a line for each.
pub(super) struct Document {
    pub apps: Vec<Record>,
    pub remarks: Vec<String>,
}

/// The apps of the document in `file`: an export, or a backup of Uptime Kuma.
///
/// # Errors
/// In a sentence: it cannot be read, or is no document of this version.
pub(super) fn read(file: &str) -> Result<Document, CliError> {
    let document = |text: String| match kuma::read(&text) {
        Some(backup) => backup,
        None => record::read(&text).map(|apps| Document { apps, remarks: Vec::new() }),
    };
    text_of(file).and_then(document).map_err(|why| {
        let from = if file == STANDARD { "standard input" } else { file };
        CliError { said: format!("cannot import {from}: {why}"), exit: Exit::Refused }
    })
}

fn text_of(file: &str) -> Result<String, String> {
    let source: Box<dyn Read> = match file {
        STANDARD => Box::new(io::stdin()),
        file => Box::new(File::open(file).map_err(|why| why.to_string())?),
    };
    let mut text = Vec::new();
    let size =
        source.take(DOCUMENT_MAX + 1).read_to_end(&mut text).map_err(|why| why.to_string())?;
    if size as u64 > DOCUMENT_MAX {
        return Err(format!("more than {DOCUMENT_MAX} bytes, which no export has"));
    }
    String::from_utf8(text).map_err(|_| "it is not UTF-8".to_owned())
}

/// Registers all apps of a document, those that can be, and prints what became of each.
pub(super) fn import(connection: &Connection, apps: &[Record]) -> Exit {
    let mut tally = Tally::default();
    for (n, app) in apps.iter().enumerate() {
        match register(connection, app) {
            Ok(done) => tally.say(&label(app, n), done),
            Err(NotImported::One(said, exit)) => tally.refuse(&label(app, n), &said, exit),
            Err(NotImported::All(why)) => {
                tally.end(apps.len());
                let name = label(app, n);
                return complain(&CliError {
                    said: format!("stopped at {name}: {why}"),
                    exit: Exit::from(&why),
                });
            }
        }
    }
    tally.end(apps.len())
}

/// Prints what [`import`] would do. The values are looked at as the daemon does it, but it alone
/// knows whom apps may name, and whether there is room.
///
/// # Errors
/// What is on record cannot be read.
pub(super) fn rehearse(connection: &Connection, apps: &[Record]) -> Result<Exit, CliError> {
    let known = record::all(connection)?;
    let mut tally = Tally { is_rehearsal: true, ..Tally::default() };
    for (n, app) in apps.iter().enumerate() {
        match foresee(&known, app) {
            Ok(done) => tally.say(&label(app, n), done),
            Err(said) => tally.refuse(&label(app, n), &said, Exit::Refused),
        }
    }
    let exit = tally.end(apps.len());
    print("nothing was changed: this was a rehearsal\n");
    Ok(exit)
}

/// What became of one app.
struct Done {
    result: String,
    more: String,
}

/// Why an app was not registered.
enum NotImported {
    /// Something is wrong with this one.
    One(String, Exit),
    /// It would be the same with every other.
    All(Error),
}

impl From<Error> for NotImported {
    fn from(why: Error) -> NotImported {
        match why {
            Error::Refused { .. } => NotImported::One(why.to_string(), Exit::from(&why)),
            why => NotImported::All(why),
        }
    }
}

/// Registers one app, and pauses or resumes it as the document says.
fn register(connection: &Connection, app: &Record) -> Result<Done, NotImported> {
    let paused = app.paused().map_err(|why| NotImported::One(why, Exit::Refused))?;
    let answer = record::send(connection, &app.fields())?;
    let result = result(&answer);
    let more = if result == "registered" { app.lacks() } else { String::new() };
    let call = match paused {
        Some(true) => "pause",
        // One that is new is not paused.
        Some(false) if result != "registered" => "resume",
        _ => return Ok(Done { result, more }),
    };
    let name = app.name().unwrap_or_default();
    match connection.post(call, &[("appname", &name)]).map_err(NotImported::from) {
        Ok(_) if call == "pause" => Ok(Done { result, more: joined("paused", &more) }),
        Ok(_) => Ok(Done { result, more }),
        Err(NotImported::One(why, exit)) => {
            Err(NotImported::One(format!("{result}, but it cannot {call}: {why}"), exit))
        }
        Err(all) => Err(all),
    }
}

/// What would become of one app.
fn foresee(known: &[Record], app: &Record) -> Result<Done, String> {
    let paused = app.paused()?;
    let wanted =
        Registration::from_fields(&app.fields(), Origin::OwnMachine, &Recipients::default())
            .map_err(|why| why.to_string())?;
    let on_record = |name: &str| known.iter().find(|one| one.name().as_deref() == Some(name));
    let before = match on_record(&wanted.name) {
        Some(before) => Some(before),
        None => on_record(&name::tidy(&wanted.name).map_err(|why| why.to_string())?),
    };
    let Some(before) = before else {
        let more = joined(if paused == Some(true) { "paused" } else { "" }, &app.lacks());
        return Ok(Done { result: "registered".to_owned(), more });
    };
    // What the document leaves out is the default, and so is what a server of an older version does not know.
    let name = wanted.name.clone();
    let plain = match wanted.target.url() {
        Some(url) => Registration::plain(name, url, DEFAULT_PATH, wanted.origin),
        None => Ok(Registration::beat(name, wanted.origin)),
    };
    let plain = Record::of(&ExportedApp::new(&plain.map_err(|why| why.to_string())?, false));
    let wanted = Record::of(&ExportedApp::new(&wanted, false));
    let mut changes = plain.with(before).changes(&wanted.fields());
    if let (Some(new), Ok(Some(old))) = (paused, before.paused())
        && new != old
    {
        changes = joined(&changes, &format!("paused {old} -> {new}"));
    }
    changes = joined(&changes, &app.secrets());
    let result = if changes.is_empty() { "unchanged" } else { "updated" };
    Ok(Done { result: result.to_owned(), more: changes })
}

/// What is said of both; either may be empty.
fn joined(one: &str, other: &str) -> String {
    let said = [one, other].into_iter().filter(|said| !said.is_empty());
    said.collect::<Vec<_>>().join(", ")
}

/// The name of an app of a document; where it has none, its place there.
fn label(app: &Record, n: usize) -> String {
    app.name().unwrap_or_else(|| format!("app {} of the document", n + 1))
}

/// Counts what became of the apps, and prints it.
#[derive(Default)]
struct Tally {
    is_rehearsal: bool,
    /// How many for each result, in the order of their first.
    done: Vec<(String, usize)>,
    refused: usize,
    exit: Option<Exit>,
}

impl Tally {
    fn say(&mut self, name: &str, done: Done) {
        let Done { result, more } = done;
        let more = if more.is_empty() { more } else { format!(", {more}") };
        self.print(&format!("{name}: {}{result}{more}\n", self.mood()));
        match self.done.iter_mut().find(|(known, _)| *known == result) {
            Some((_, count)) => *count += 1,
            None => self.done.push((result, 1)),
        }
    }

    fn refuse(&mut self, name: &str, why: &str, exit: Exit) {
        self.print(&format!("{name}: {}refused: {why}\n", self.mood()));
        self.refused += 1;
        self.exit = self.exit.or(Some(exit));
    }

    fn mood(&self) -> &'static str {
        if self.is_rehearsal { "would be " } else { "" }
    }

    /// Says how many of `all` came to what.
    fn end(&mut self, all: usize) -> Exit {
        let done: usize = self.done.iter().map(|(_, count)| count).sum();
        let rest = all - done - self.refused;
        let counts = self.done.iter().map(|(result, count)| (result.as_str(), *count));
        let counts = counts.chain([("refused", self.refused), ("not tried", rest)]);
        let parts: Vec<String> = counts
            .filter(|(_, count)| *count > 0)
            .map(|(word, count)| format!("{count} {word}"))
            .collect();
        let parts =
            if parts.is_empty() { String::new() } else { format!(": {}", parts.join(", ")) };
        self.print(&format!("{}{parts}\n", counted(all)));
        self.exit.unwrap_or(Exit::Done)
    }

    fn print(&mut self, text: &str) {
        if print(&harmless(text)) == Exit::Output {
            self.exit = Some(Exit::Output);
        }
    }
}

fn counted(apps: usize) -> String {
    if apps == 1 { "1 app".to_owned() } else { format!("{apps} apps") }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn apps(json: &str) -> Vec<Record> {
        record::read(&format!("{{\"healthchecker_export\":1,\"apps\":[{json}]}}")).unwrap()
    }

    fn said(known: &str, app: &str) -> String {
        let app = apps(app).remove(0);
        match foresee(&apps(known), &app) {
            Ok(done) => format!("{} {}", done.result, done.more),
            Err(why) => why,
        }
    }

    #[test]
    fn a_rehearsal_says_what_would_be_different() {
        let nas = r#"{"appname":"My NAS","url":"http://nas","path":"/health","email":[],
            "timeout":5,"interval":30,"unhealthy":2,"healthy":10,"expect":"200","paused":true}"#;
        for (app, result) in [
            (r#"{"appname":"TV","url":"http://tv"}"#, "registered "),
            (r#"{"appname":" My  NAS","url":"http://nas","interval":"30"}"#, "unchanged "),
            (r#"{"appname":"My NAS","url":"http://nas"}"#, "unchanged "),
            (
                r#"{"appname":"My NAS","url":"http://nas","interval":60,"paused":false}"#,
                "updated interval 30 -> 60, paused true -> false",
            ),
        ] {
            assert_eq!(said(nas, app), result);
        }
        assert!(said(nas, r#"{"url":"http://nas"}"#).contains("appname"));
        let of_an_older_server = r#"{"appname":"NAS","url":"http://nas","interval":60}"#;
        let same = r#"{"appname":"NAS","url":"http://nas","interval":60,"unhealthy":2}"#;
        assert_eq!(said(of_an_older_server, same), "unchanged ");
        let other = r#"{"appname":"NAS","url":"http://nas","interval":60,"expect":"204"}"#;
        assert_eq!(said(of_an_older_server, other), "updated expect 200 -> 204");
        let slow = r#"{"appname":"TV","url":"http://tv","interval":3}"#;
        assert!(said(nas, slow).contains("interval must be"), "{}", said(nas, slow));
    }

    #[test]
    fn a_backup_that_cannot_be_written_leaves_the_last_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("backup.json");
        let file = file.to_str().unwrap();
        replace(file, b"first").unwrap();
        replace(file, b"second").unwrap();
        assert_eq!(std::fs::read(file).unwrap(), b"second");
        std::fs::create_dir(format!("{file}.new")).unwrap();
        assert!(replace(file, b"third").is_err());
        assert_eq!(std::fs::read(file).unwrap(), b"second");
    }
}
