//! What an app returned, in a line.

use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// JSON that is nested deeper is kept as a text: readers in other languages have limits, too
/// (serde_json follows 128 levels, and a line is read inside one more).
const BODY_DEPTH_MAX: usize = 100;

/// What an app returned, as JSON that fits on a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Body(String);

impl Body {
    /// Keeps JSON as it came, but for white space between its parts; anything else becomes a text.
    pub fn new(text: &str) -> Body {
        let json = serde_json::from_str::<&RawValue>(text).ok().and_then(|_| on_one_line(text));
        Body(json.unwrap_or_else(|| serde_json::Value::from(text).to_string()))
    }

    /// As JSON.
    pub fn as_json(&self) -> &str {
        &self.0
    }
}

impl Serialize for Body {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let json: &RawValue = serde_json::from_str(&self.0).map_err(serde::ser::Error::custom)?;
        json.serialize(serializer)
    }
}

/// Takes the white space out of JSON; `None` when it is nested too deep. A text in it can have no
/// line break (RFC 8259, section 7).
fn on_one_line(json: &str) -> Option<String> {
    let mut line = String::with_capacity(json.len());
    let (mut depth, mut in_text, mut escaped) = (0usize, false, false);
    for c in json.chars() {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => in_text = !in_text,
            _ if in_text => {}
            ' ' | '\t' | '\n' | '\r' => continue,
            '{' | '[' => depth += 1,
            '}' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        if depth > BODY_DEPTH_MAX {
            return None;
        }
        line.push(c);
    }
    Some(line)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn json_too_deep_for_others_to_read_is_a_text() {
        let nested = |depth: usize| format!("{}1{}", "[".repeat(depth), "]".repeat(depth));
        let body = |text: &str| serde_json::to_string(&Body::new(text)).unwrap();
        assert_eq!(body(&nested(BODY_DEPTH_MAX)), nested(BODY_DEPTH_MAX));
        let deep = nested(BODY_DEPTH_MAX + 1);
        assert_eq!(body(&deep), format!("\"{deep}\""));
        assert_eq!(body("no\njson"), "\"no\\njson\"");
    }

    proptest! {
        #[test]
        fn whatever_comes_is_one_line_of_json(text in any::<String>()) {
            let shown = serde_json::to_string(&Body::new(&text)).unwrap();
            prop_assert!(!shown.contains(['\n', '\r']));
            prop_assert!(serde_json::from_str::<Value>(&shown).is_ok());
        }

        #[test]
        fn json_stays_what_it_is(texts in prop::collection::vec(any::<String>(), 0..4), number in any::<f64>()) {
            let value = json!({ "a b": texts, "n": [number, {"deep": [null, true]}] });
            let pretty = serde_json::to_string_pretty(&value).unwrap();
            let shown = serde_json::to_string(&Body::new(&pretty)).unwrap();
            prop_assert_eq!(serde_json::to_string(&value).unwrap(), shown);
        }
    }
}
