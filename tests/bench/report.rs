//! What was measured: printed as it comes, and kept in one file of JSON, whichever parts are measured in one go.

use std::fs;
use std::path::PathBuf;

use serde_json::{Map, Value, json};

/// All figures there are, those of earlier runs among them.
pub(crate) struct Report {
    /// A short look: few apps, for seconds.
    pub(crate) quick: bool,
    figures: Map<String, Value>,
}

impl Report {
    /// Goes on with the figures of before: each part replaces its own.
    pub(crate) fn new(quick: bool) -> Report {
        Report { quick, figures: written() }
    }

    /// How long something is watched: so many seconds, or as few as show that it works.
    pub(crate) fn seconds(&self, full: u64) -> u64 {
        if self.quick { full.min(10) } else { full }
    }

    /// Prints a line, and keeps its figures under `key`.
    pub(crate) fn note(&mut self, key: &str, what: &str, figures: Value, words: &str) {
        println!("{what:<38}{words}");
        self.keep(key, figures);
    }

    /// Keeps figures, with the length of the run that they are of.
    pub(crate) fn keep(&mut self, key: &str, figures: Value) {
        // Other parts may be measured at the same time.
        self.figures = written();
        self.figures.insert(key.to_owned(), figures);
        self.figures
            .insert(format!("{key}_is_of"), json!(if self.quick { "quick" } else { "full" }));
        fs::write(file(), format!("{:#}\n", Value::Object(self.figures.clone()))).unwrap();
    }

    /// A figure, where it was measured.
    pub(crate) fn figure(&self, pointer: &str) -> Option<&Value> {
        let (key, rest) = pointer.split_once('/').unwrap_or((pointer, ""));
        let figures = self.figures.get(key)?;
        if rest.is_empty() { Some(figures) } else { figures.pointer(&format!("/{rest}")) }
    }
}

fn written() -> Map<String, Value> {
    let text = fs::read_to_string(file()).ok();
    text.and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
}

/// Where the figures are written to.
fn file() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/bench.json")
}
