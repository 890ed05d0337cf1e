//! `scan`: what the daemon sees on its network, and which of it is watched.

use serde_json::Value;

use super::exit::CliError;
use super::layout;
use super::record::Record;
use crate::client::connection::Connection;
use crate::engine::text::plain::{harmless, harmless_json};

/// What was seen: as the daemon said it, for people, and what could be registered.
pub(super) struct Scan {
    answer: String,
    seen: Vec<Value>,
}

impl Scan {
    /// Has the daemon look around, which takes some seconds.
    ///
    /// # Errors
    /// It cannot, or may not for us.
    pub(super) fn of(connection: &Connection) -> Result<Scan, CliError> {
        let answer = connection.post("scan", &[])?;
        let seen = serde_json::from_str::<Value>(&answer).unwrap_or_default();
        let seen = seen.get("seen").and_then(Value::as_array).cloned().unwrap_or_default();
        Ok(Scan { answer, seen })
    }

    pub(super) fn json(&self) -> String {
        harmless_json(&self.answer).into_owned()
    }

    /// A line for each.
    pub(super) fn table(&self) -> String {
        if self.seen.is_empty() {
            return "nothing announces itself on the server's network just now\n".to_owned();
        }
        let mut rows = vec![["KIND", "NAME", "ADDRESS", "WATCHED"].map(str::to_owned).to_vec()];
        let text = |device: &Value, name: &str| {
            device.get(name).and_then(Value::as_str).unwrap_or("-").to_owned()
        };
        rows.extend(self.seen.iter().map(|device| {
            ["kind", "name", "address", "watched"].map(|name| text(device, name)).to_vec()
        }));
        harmless(&layout::table(&rows, layout::room()))
    }

    /// What can be registered of what is not watched yet.
    pub(super) fn proposals(&self) -> Vec<Record> {
        let proposed = self.seen.iter().filter_map(|device| device.get("monitor")?.as_object());
        proposed.map(|fields| Record::new(fields.clone())).collect()
    }
}
