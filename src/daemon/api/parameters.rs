//! The parameters of a request: query string, form body, JSON object, or both of two.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use crate::engine::registration::fields::{FieldError, shown};
use crate::engine::registration::parents::LIST_END;
use crate::engine::registration::spec::{Field, Takes};
use crate::engine::registration::table::{field, is_flag, is_list};

/// A parameter's name and text.
pub type Pair = (String, String);

/// .NET and Windows put it before a text in UTF-8 (the byte order mark); RFC 8259, section 8.1, lets us
/// ignore it.
const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// Reads all parameters of a request, in order. Whether they are known, valid and given once is
/// for others to say.
///
/// # Errors
/// A body that is neither a form nor a JSON object, or text that is not UTF-8.
pub fn read(
    query: Option<&str>,
    content_type: Option<&str>,
    body: &[u8],
) -> Result<Vec<Pair>, FieldError> {
    let mut pairs = form(query.unwrap_or_default().as_bytes())?;
    // Hardware that prints a body line by line ends it with one.
    let body = body.strip_prefix(BYTE_ORDER_MARK).unwrap_or(body).trim_ascii();
    if body.is_empty() {
        return Ok(pairs);
    }
    match kind(content_type, body) {
        Kind::Json => pairs.extend(json(body)?),
        Kind::Form => pairs.extend(form(body)?),
        Kind::Multipart => {
            return Err(FieldError::of_call(
                "multipart/form-data is not understood; send \
                 application/x-www-form-urlencoded (curl: -d for -F), JSON or a query string"
                    .to_owned(),
            ));
        }
    }
    Ok(pairs)
}

enum Kind {
    Json,
    Form,
    Multipart,
}

/// What a body is meant to be. No form begins with a brace, and small clients name a wrong type or
/// none, so the body itself goes first.
fn kind(content_type: Option<&str>, body: &[u8]) -> Kind {
    let given = content_type.unwrap_or_default().to_ascii_lowercase();
    let media_type = given.split(';').next().unwrap_or_default().trim();
    if body.starts_with(b"{") || media_type == "application/json" {
        Kind::Json
    } else if media_type.starts_with("multipart/") {
        Kind::Multipart
    } else {
        Kind::Form
    }
}

fn form(text: &[u8]) -> Result<Vec<Pair>, FieldError> {
    let pairs: Vec<Pair> = form_urlencoded::parse(text).into_owned().collect();
    for (name, value) in &pairs {
        // What is not UTF-8 has been replaced by this one.
        if name.contains('\u{FFFD}') || value.contains('\u{FFFD}') {
            return Err(FieldError::of(name, format!("{name} is not valid UTF-8")));
        }
    }
    Ok(pairs)
}

fn json(body: &[u8]) -> Result<Vec<Pair>, FieldError> {
    let refused =
        |why: &dyn fmt::Display| FieldError::of_call(format!("the body is no JSON object: {why}"));
    let body = str::from_utf8(body).map_err(|why| refused(&why))?;
    let object: Object = serde_json::from_str(body).map_err(|why| refused(&why))?;
    let mut pairs = Vec::with_capacity(object.0.len());
    for (name, value) in object.0 {
        // Null is how some clients leave a parameter out. What stays as it is when it is left out, it empties.
        if !value.is_null() || stays(&name) {
            let text = text(&name, &value).ok_or_else(|| refused_value(&name, &value))?;
            pairs.push((name, text));
        }
    }
    Ok(pairs)
}

fn stays(name: &str) -> bool {
    field(name).is_some_and(Field::stays)
}

/// The text of a value: a list, of a parameter that may be one, with commas between, or where these may be in
/// it, with line ends. `None` if it has none. To what is neither true nor false these would be a name like any other.
fn text(name: &str, value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Array(list) if is_list(name) => {
            let texts: Option<Vec<String>> = list.iter().map(|item| text(name, item)).collect();
            // A list within a list is none of ours.
            let texts =
                texts.filter(|_| !list.iter().any(|item| item.is_array() || item.is_null()))?;
            let have_commas =
                field(name).is_some_and(|field| matches!(field.takes, Takes::Several { .. }));
            Some(match have_commas {
                true => texts.iter().map(|text| format!("{text}{LIST_END}")).collect(),
                false => texts.join(","),
            })
        }
        Value::Bool(is_set) if is_flag(name) => Some(is_set.to_string()),
        Value::Null if stays(name) => Some(String::new()),
        Value::Array(_) | Value::Bool(_) | Value::Null | Value::Object(_) => None,
    }
}

fn refused_value(name: &str, value: &Value) -> FieldError {
    let right = match name {
        name if is_list(name) => "a text, a number or a list of them",
        name if is_flag(name) => "true or false",
        _ => "a text or a number",
    };
    let not = match field(name).is_some_and(Field::is_secret) {
        true => String::new(),
        false => format!(", not {}", shown(&value.to_string())),
    };
    let message = format!("{} must be {right}{not}", shown(name));
    FieldError::of(name, message)
}

/// A JSON object that keeps a name given twice, so that it can be refused.
struct Object(Vec<(String, Value)>);

impl<'de> Deserialize<'de> for Object {
    fn deserialize<D: Deserializer<'de>>(from: D) -> Result<Object, D::Error> {
        from.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Object;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Object, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(Object(members))
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const FORM: Option<&str> = Some("application/x-www-form-urlencoded");

    fn pairs(given: &[(&str, &str)]) -> Vec<Pair> {
        let own = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        given.iter().map(own).collect()
    }

    #[test]
    fn form_query_and_json_say_the_same() {
        let same = pairs(&[("appname", "Küche 1"), ("interval", "30")]);
        let form = "appname=K%C3%BCche+1&interval=30";
        assert_eq!(read(Some(form), None, b"").unwrap(), same);
        assert_eq!(read(None, FORM, form.as_bytes()).unwrap(), same);
        assert_eq!(read(None, None, format!("{form}\r\n").as_bytes()).unwrap(), same);
        let json = r#" {"appname": "Küche 1", "interval": 30, "email": null}"#;
        for content_type in [Some("application/json; charset=utf-8"), FORM, None] {
            assert_eq!(read(None, content_type, json.as_bytes()).unwrap(), same);
        }
        let both = read(Some("appname=K%C3%BCche+1"), FORM, b"interval=30").unwrap();
        assert_eq!(both, same);
    }

    #[test]
    fn a_list_is_its_texts_with_commas_between() {
        let given = read(None, None, br#"{"email": ["a@b.c", "d@e.f"], "expect": [200, 204]}"#);
        assert_eq!(given.unwrap(), pairs(&[("email", "a@b.c,d@e.f"), ("expect", "200,204")]));
    }

    #[test]
    fn true_and_false_are_for_what_takes_them_and_null_empties_it() {
        for (json, text) in [("true", "true"), ("false", "false"), ("null", ""), ("\"yes\"", "yes")]
        {
            let body = format!(r#"{{"may_be_off": {json}}}"#);
            let given = read(None, None, body.as_bytes()).unwrap();
            assert_eq!(given, pairs(&[("may_be_off", text)]));
        }
        for (json, text) in [
            (r#"["Switch, upstairs", 7]"#, "Switch, upstairs\n7\n"),
            (r#""Switch,NAS""#, "Switch,NAS"),
            ("[]", ""),
            ("null", ""),
        ] {
            let given = read(None, None, format!(r#"{{"parent": {json}}}"#).as_bytes()).unwrap();
            assert_eq!(given, pairs(&[("parent", text)]));
        }
        let why = read(None, None, b"{\"may_be_off\": []}").unwrap_err();
        assert!(why.message.contains("must be true or false"), "{why}");
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        let same = pairs(&[("appname", "Kodi")]);
        for body in [
            "\u{feff}{\"appname\": \"Kodi\"}",
            "\u{feff} {\"appname\": \"Kodi\"}",
            "\u{feff}appname=Kodi",
        ] {
            assert_eq!(read(None, None, body.as_bytes()).unwrap(), same, "{body:?}");
        }
    }

    #[test]
    fn what_is_no_text_is_named_with_what_would_be_right() {
        let why = read(None, None, b"{\"appname\": [\"a\", \"b\"]}").unwrap_err();
        assert_eq!(why.field.as_deref(), Some("appname"));
        assert_eq!(
            why.message,
            "\"appname\" must be a text or a number, not \"[\\\"a\\\",\\\"b\\\"]\""
        );
        let why = read(None, None, b"{\"email\": {}}").unwrap_err();
        assert!(why.message.contains("or a list of them"), "{why}");
    }

    #[test]
    fn a_name_given_twice_is_kept_twice() {
        let given = read(Some("a=1&a=2"), None, br#"{"a": 3, "a": 4}"#).unwrap();
        assert_eq!(given.len(), 4);
    }

    #[test]
    fn what_is_neither_form_nor_json_is_refused() {
        for (content_type, body) in [
            (Some("application/json"), &b"[1]"[..]),
            (Some("application/json"), b"appname=a"),
            (None, b"{\"a\": 1"),
            (None, b"{\"a\": 1} x"),
            (None, b"{\"a\": {\"b\": 1}}"),
            (None, b"{\"a\": true}"),
            (None, b"{\"a\": [1]}"),
            (None, b"{\"appname\": [\"a\", \"b\"]}"),
            (None, b"{\"appname\": true}"),
            (None, b"{\"email\": [[1]]}"),
            (None, b"{\"email\": [null]}"),
            (None, b"{\"parent\": [null]}"),
            (None, b"{\"parent\": true}"),
            (None, b"{\"a\": \"\xff\"}"),
            (FORM, b"appname=%FF"),
            (FORM, b"appname=\xff"),
            (Some("multipart/form-data; boundary=x"), b"--x"),
        ] {
            assert!(read(None, content_type, body).is_err(), "{body:?}");
        }
    }

    #[test]
    fn deep_json_is_refused_not_followed() {
        let deep = format!("{{\"a\":{}", "[".repeat(10_000));
        assert!(read(None, None, deep.as_bytes()).is_err());
    }

    proptest! {
        #[test]
        fn no_bytes_panic(query in any::<String>(), body in proptest::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(Some(&query), None, &body);
            let _ = read(None, Some("application/json"), &body);
        }
    }
}
