//! Makes JSON of what is nearly JSON.
//!
//! Apps write by hand, or with tools that write more than JSON allows: Python's `json.dumps` writes
//! `NaN` and half characters, its `print` single quotes, a sketch on an ESP leaves a comma at the
//! end or a zero byte behind it. A person sees what is meant, and the app may be saying that it
//! fails. Only the parts are mended here; whether they make up JSON is for the parser to say.

use std::iter;
use std::str::Chars;

/// The object that `text` begins with, its parts as JSON wants them: what comes behind its end is
/// left out. `None` when it begins with none.
///
/// - A word that JSON does not know becomes a text: `NaN`, `1e999`, `True`, a name without quotes.
/// - Single quotes become double ones; what must be escaped is.
/// - Half of a character (`\udcf6`) becomes U+FFFD, a backslash that escapes nothing one that does.
/// - A comma before a closing bracket is left out.
pub(super) fn repair(text: &str) -> Option<String> {
    let text = text.trim_start_matches(is_blank);
    if !text.starts_with('{') {
        return None;
    }
    let json = String::with_capacity(text.len());
    let mut repair = Repair { rest: text.chars(), json };
    let mut depth = 0usize;
    while let Some(c) = repair.rest.next() {
        match c {
            '{' | '[' => {
                depth += 1;
                repair.json.push(c);
            }
            '}' | ']' => {
                depth = depth.saturating_sub(1);
                repair.close(c);
                if depth == 0 {
                    break;
                }
            }
            ':' | ',' => repair.json.push(c),
            '"' | '\'' => repair.text(c),
            _ if is_blank(c) => repair.json.push(' '),
            _ => repair.word(c),
        }
    }
    Some(repair.json)
}

/// What may stand between two parts, and what some servers leave there: zero bytes and the like, a
/// byte order mark of each file that PHP includes.
fn is_blank(c: char) -> bool {
    c.is_whitespace() || c.is_control() || c == '\u{feff}'
}

struct Repair<'t> {
    rest: Chars<'t>,
    json: String,
}

impl Repair<'_> {
    /// A closing bracket, without the comma before it.
    fn close(&mut self, bracket: char) {
        if let Some(before) = self.json.trim_end().strip_suffix(',') {
            self.json.truncate(before.len());
        }
        self.json.push(bracket);
    }

    /// A word that begins with `first`: a number, `true`, a name without quotes.
    fn word(&mut self, first: char) {
        let ends = |c| is_blank(c) || matches!(c, '{' | '}' | '[' | ']' | ':' | ',' | '"' | '\'');
        let text = self.rest.as_str();
        let (word, rest) = text.split_at(text.find(ends).unwrap_or(text.len()));
        self.rest = rest.chars();
        let word: String = iter::once(first).chain(word.chars()).collect();
        let is_name = rest.trim_start_matches(is_blank).starts_with(':');
        if !is_name && is_json(&word) {
            self.json.push_str(&word);
        } else {
            self.json.push('"');
            word.chars().for_each(|c| self.put(c));
            self.json.push('"');
        }
    }

    /// A text, behind its opening quote. One without an end stays without.
    fn text(&mut self, quote: char) {
        self.json.push('"');
        while let Some(c) = self.rest.next() {
            match c {
                _ if c == quote => {
                    self.json.push('"');
                    return;
                }
                '\\' => self.escape(),
                _ => self.put(c),
            }
        }
    }

    /// An escape, behind its backslash.
    fn escape(&mut self) {
        match self.rest.next() {
            Some(c @ ('"' | '\\' | '/' | 'b' | 'f' | 'n' | 'r' | 't')) => {
                self.json.push('\\');
                self.json.push(c);
            }
            Some('\'') => self.put('\''),
            Some('u') => self.code(),
            Some(other) => {
                self.put('\\');
                self.put(other);
            }
            None => {}
        }
    }

    /// A character by its number, behind `\u`: in one half, or in two.
    fn code(&mut self) {
        let Some((first, rest)) = unit(self.rest.as_str()) else {
            self.json.push_str("\\\\u");
            return;
        };
        self.rest = rest.chars();
        let second = rest.strip_prefix("\\u").and_then(unit);
        let pair = second.filter(|(low, _)| is_high(first) && is_low(*low));
        if let Some((_, rest)) = pair {
            self.rest = rest.chars();
        }
        let units = iter::once(first).chain(pair.map(|(low, _)| low));
        let c = char::decode_utf16(units).next().and_then(Result::ok);
        self.put(c.unwrap_or(char::REPLACEMENT_CHARACTER));
    }

    /// A character of a text.
    fn put(&mut self, c: char) {
        match c {
            '"' | '\\' => self.json.extend(['\\', c]),
            '\0'..'\u{20}' => self.json.push_str(&format!("\\u{:04x}", u32::from(c))),
            _ => self.json.push(c),
        }
    }
}

/// Whether a word may stand in JSON without quotes.
fn is_json(word: &str) -> bool {
    matches!(word, "true" | "false" | "null") || serde_json::from_str::<f64>(word).is_ok()
}

/// Four hexadecimal digits, and what follows them.
fn unit(text: &str) -> Option<(u16, &str)> {
    let (digits, rest) = text.split_at_checked(4)?;
    let digits = Some(digits).filter(|text| text.bytes().all(|c| c.is_ascii_hexdigit()))?;
    Some((u16::from_str_radix(digits, 16).ok()?, rest))
}

fn is_high(unit: u16) -> bool {
    (0xd800..0xdc00).contains(&unit)
}

fn is_low(unit: u16) -> bool {
    (0xdc00..0xe000).contains(&unit)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    fn value(text: &str) -> Value {
        let json = repair(text).unwrap();
        serde_json::from_str(&json).unwrap_or_else(|error| panic!("{error}: {json}"))
    }

    #[test]
    fn what_json_does_not_know_becomes_a_text() {
        let text = "{a: NaN, 'b': -Infinity, \"c\": [1e999, 0x1F, .5, 01, True, None], 1: -1.5e3}";
        let expected = json!({
            "a": "NaN", "b": "-Infinity", "c": ["1e999", "0x1F", ".5", "01", "True", "None"],
            "1": -1500.0
        });
        assert_eq!(value(text), expected);
    }

    #[test]
    fn texts_are_mended() {
        for (text, expected) in [
            (r"\udcf6", "\u{fffd}"),
            (r"\ud83d", "\u{fffd}"),
            (r"\ud83d\ude00", "\u{1f600}"),
            (r"\ud83d\u0041", "\u{fffd}A"),
            (r"\udcf6\udcf6", "\u{fffd}\u{fffd}"),
            (r"\u005c\u0022", "\\\""),
            (r"\u12", r"\u12"),
            (r"\u+123", r"\u+123"),
            (r"C:\data\new", "C:\\data\new"),
            (r"it\'s", "it's"),
            ("a\nb\0c\t", "a\nb\0c\t"),
            (r"\\\/", r"\/"),
        ] {
            assert_eq!(value(&format!("{{\"a\":\"{text}\"}}"))["a"], expected, "{text}");
        }
        assert_eq!(value(r#"{'a':'say "yes"'}"#)["a"], "say \"yes\"");
    }

    #[test]
    fn what_stands_around_and_behind_is_left_out() {
        for text in [
            "\u{feff}\0 {\"a\":[1,],}",
            "{\"a\":[1 , ] , }\0\0",
            "{\"a\":[1]}}",
            "{\"a\":[1]} {\"b\":2}",
            "{\"a\":[1]}\n<br>Warning: deprecated",
            "{\0\"a\"\u{a0}:\u{1a}[1]}",
        ] {
            assert_eq!(value(text), json!({"a": [1]}), "{text:?}");
        }
        for text in ["", " ", "fail", "[{}]", "\"{}\"", "<html>"] {
            assert_eq!(repair(text), None, "{text}");
        }
    }

    #[test]
    fn what_has_no_end_gets_none() {
        assert_eq!(repair(r#"{"a":"b"#).as_deref(), Some(r#"{"a":"b"#));
        assert_eq!(repair(r#"{"a":"b\"#).as_deref(), Some(r#"{"a":"b"#));
        assert_eq!(repair(r#"{"a":[1,"#).as_deref(), Some(r#"{"a":[1,"#));
    }

    proptest! {
        #[test]
        fn json_stays_what_it_is(texts in prop::collection::vec(any::<String>(), 0..4), number in any::<i32>()) {
            let object = json!({"a b": texts, "n": [number, {"deep": [null, true]}], "": {}});
            prop_assert_eq!(value(&object.to_string()), object);
        }

        #[test]
        fn no_text_is_too_odd(text in any::<String>()) {
            let _ = repair(&format!("{{{text}"));
        }
    }
}
