//! The app's own words, picked from its health JSON (draft-inadarei-api-health-check, all drafts).

use serde_json::{Map, Value};

use crate::engine::text::plain::{harmless, one_line};

/// The most points shown: a mail is read on a phone.
const MAX_POINTS: usize = 20;
/// Characters of one point.
const MAX_POINT: usize = 400;
/// Characters of the JSON itself.
const MAX_RAW: usize = 4000;

/// What the app said.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Said {
    /// Its `output`, then its checks that warn or fail, a line each.
    pub(super) points: Vec<String>,
    /// The JSON as it came, bounded.
    pub(super) raw: String,
}

/// Reads the health JSON; what is none has no points.
pub(super) fn read(body: &str) -> Said {
    let mut points = Vec::new();
    if let Ok(Value::Object(root)) = serde_json::from_str(body) {
        points.extend(root.get("output").and_then(text));
        for name in ["checks", "details"] {
            if let Some(Value::Object(parts)) = root.get(name) {
                points.extend(parts.iter().flat_map(troubled));
            }
        }
    }
    points.truncate(MAX_POINTS);
    for point in &mut points {
        *point = one_line(point, MAX_POINT);
    }
    Said { points, raw: raw(body) }
}

/// The JSON as it came, its first [`MAX_RAW`] characters.
fn raw(body: &str) -> String {
    let whole = harmless(body.trim()).replace('\r', "").replace('\t', "  ");
    match whole.char_indices().nth(MAX_RAW) {
        None => whole,
        Some(_) => whole.chars().take(MAX_RAW).chain("\n…".chars()).collect(),
    }
}

/// The entries of one part that warn or fail. The draft wants a list; single objects are met, too.
fn troubled((part, entries): (&String, &Value)) -> Vec<String> {
    let entries = match entries {
        Value::Array(list) => list.as_slice(),
        single => std::slice::from_ref(single),
    };
    entries.iter().filter_map(Value::as_object).filter_map(|entry| trouble(part, entry)).collect()
}

/// `disk:utilization: fail, 98 percent, almost full`; `None` when all is well.
fn trouble(part: &str, entry: &Map<String, Value>) -> Option<String> {
    let status = entry.get("status")?.as_str()?;
    if ["pass", "ok", "up"].iter().any(|well| status.eq_ignore_ascii_case(well)) {
        return None;
    }
    let get = |names: [&str; 2]| names.iter().find_map(|name| entry.get(*name)).and_then(text);
    let mut point = format!("{part}: {status}");
    if let Some(value) = get(["observedValue", "metricValue"]) {
        point.push_str(", ");
        point.push_str(&value);
        if let Some(unit) = get(["observedUnit", "metricUnit"]) {
            point.push(' ');
            point.push_str(&unit);
        }
    }
    if let Some(output) = entry.get("output").and_then(text) {
        point.push_str(", ");
        point.push_str(&output);
    }
    Some(point)
}

/// A string as it is, anything else as JSON; nothing for an empty string or null.
fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => None,
        Value::String(text) => Some(text.trim().to_owned()).filter(|text| !text.is_empty()),
        other => Some(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn output_and_troubled_checks_are_picked() {
        let body = r#"{"status":"fail","output":"disk full\nreally","checks":{
            "disk:utilization":[{"status":"FAIL","observedValue":98,"observedUnit":"percent","output":"almost full"},{"status":"pass"}],
            "cpu":{"status":"warn","output":""}, "odd":[1,null,"x"], "no":{"output":"x"}},
            "details":{"db":[{"status":"down","metricValue":0.5}]}}"#;
        assert_eq!(
            read(body).points,
            [
                "disk full really",
                "cpu: warn",
                "disk:utilization: FAIL, 98 percent, almost full",
                "db: down, 0.5",
            ]
        );
    }

    #[test]
    fn anything_else_is_shown_as_it_came_and_bounded() {
        assert_eq!(read("oops").points, Vec::<String>::new());
        assert_eq!(read("oops").raw, "oops");
        assert_eq!(read(&"x".repeat(100_000)).raw, "x".repeat(MAX_RAW) + "\n…");
        let many: String = (0..50).map(|i| format!(r#""c{i}":{{"status":"fail"}},"#)).collect();
        let body = format!(r#"{{"checks":{{{many}"z":{{"status":"fail"}}}}}}"#);
        assert_eq!(read(&body).points.len(), MAX_POINTS);
    }
}
