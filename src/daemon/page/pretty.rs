//! JSON laid out for people, in the order and the words in which it came.

/// Nested deeper, it stays as it came: no phone is wide enough.
const DEPTH_MAX: usize = 32;
const INDENT: &str = "  ";

/// Lays JSON out; text that is none, or nested too deep, stays as it is.
pub(super) fn pretty(json: &str) -> String {
    let is_json = serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok();
    is_json.then(|| laid_out(json)).flatten().unwrap_or_else(|| json.to_owned())
}

fn laid_out(json: &str) -> Option<String> {
    let mut out = String::with_capacity(json.len() * 2);
    let (mut depth, mut in_text, mut escaped) = (0usize, false, false);
    let mut chars = json.chars().filter(|c| !matches!(c, '\n' | '\r' | '\t')).peekable();
    while let Some(c) = chars.next() {
        if in_text {
            out.push(c);
            in_text = escaped || c != '"';
            escaped = c == '\\' && !escaped;
            continue;
        }
        match c {
            ' ' => {}
            '{' | '[' => {
                out.push(c);
                while chars.next_if(|next| *next == ' ').is_some() {}
                if let Some(end) = chars.next_if(|next| matches!(next, '}' | ']')) {
                    out.push(end);
                } else {
                    depth += 1;
                    line_break(&mut out, depth);
                }
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                line_break(&mut out, depth);
                out.push(c);
            }
            ',' => {
                out.push(c);
                line_break(&mut out, depth);
            }
            ':' => out.push_str(": "),
            other => {
                in_text = other == '"';
                out.push(other);
            }
        }
        if depth > DEPTH_MAX {
            return None;
        }
    }
    Some(out)
}

fn line_break(out: &mut String, depth: usize) {
    out.push('\n');
    out.extend(std::iter::repeat_n(INDENT, depth));
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    #[test]
    fn json_is_laid_out_as_it_came() {
        assert_eq!(
            pretty("{\"b\":[1.50, {}],\n\"a\":\"x, {y}: \\\" z\",\"c\":[ ]}"),
            "{\n  \"b\": [\n    1.50,\n    {}\n  ],\n  \"a\": \"x, {y}: \\\" z\",\n  \"c\": []\n}"
        );
        assert_eq!(pretty("not {json"), "not {json");
        let deep = "[".repeat(40) + &"]".repeat(40);
        assert_eq!(pretty(&deep), deep);
    }

    proptest! {
        #[test]
        fn it_stays_what_it_is(texts in prop::collection::vec(any::<String>(), 0..4), number in any::<i64>()) {
            let value = json!({ "a b": texts, "n": [number, {"deep": [null, true]}] });
            let read: Value = serde_json::from_str(&pretty(&value.to_string())).unwrap();
            prop_assert_eq!(read, value);
        }
    }
}
