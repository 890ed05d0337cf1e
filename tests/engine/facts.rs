//! What records say, in a form in which two engines can be compared.

use healthchecker::engine::record::Record;
use serde_json::{Map, Value};

/// A row that is longer decides nothing more.
const LONGEST_ROW: u64 = 10;

/// All but what may be an hour old, or is not to be known exactly. Where the clock moved, without times.
pub(crate) fn facts(records: &[Record], clock_moved: bool) -> Vec<String> {
    let is_exact = |record: &&Record| match record {
        Record::Counters(_)
        | Record::Hour { .. }
        | Record::MailAccepted { .. }
        // Each engine is a run of its own.
        | Record::Run(_)
        // A start begins one, goes on with it or ends it. That they are on disk `incidents` knows.
        | Record::Incident(_) => false,
        _ => true,
    };
    let mut facts: Vec<String> = records
        .iter()
        .filter(is_exact)
        .map(|record| {
            let mut value = serde_json::to_value(record).unwrap();
            if let Some(app) = value.get_mut("app").and_then(Value::as_object_mut) {
                tidy_app(app);
            }
            if clock_moved {
                forget_times(&mut value);
            }
            value.to_string()
        })
        .collect();
    facts.sort();
    facts
}

fn tidy_app(app: &mut Map<String, Value>) {
    let is_well = app["state"] == "HEALTHY";
    for (row, length) in app["rows"].as_object_mut().unwrap() {
        let decides = !is_well || row == "failed" || row == "not_passed";
        let capped = length.as_u64().unwrap().min(LONGEST_ROW);
        *length = if decides { capped } else { 0 }.into();
    }
    // How long a refusal is forgiven is not written each time, whether it is still is.
    let forgiveness = app.remove("forgiveness");
    let spent = forgiveness.and_then(|it| it["spent"].as_bool()).unwrap_or_default();
    app.insert("spent".to_owned(), spent.into());
}

/// Times on disk are put right a while after the clock was set.
fn forget_times(value: &mut Value) {
    match value {
        Value::String(text) if is_time(text) => "a time".clone_into(text),
        Value::Array(values) => values.iter_mut().for_each(forget_times),
        Value::Object(object) => {
            object.retain(|name, _| name != "lasted_ms" && name != "lasted_at_least");
            object.values_mut().for_each(forget_times);
        }
        _ => {}
    }
}

fn is_time(text: &str) -> bool {
    text.len() >= 20
        && text.as_bytes()[10] == b'T'
        && (text.ends_with('Z') || text.ends_with("-00:00"))
}
