//! What the documents say of `monitor` is what its table says: the API's description, of which the parts
//! about an app are written here (`make openapi`), and the reference for people.

use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::string::string_regex;

use super::response::openapi;
use crate::engine::registration::address::DEFAULT_PATH;
use crate::engine::registration::spec::{Field, Takes, Value};
use crate::engine::registration::table::{FIELDS, in_json};
use crate::engine::registration::url_text::TEXT_MAX;
use crate::engine::registration::{EMAILS_MAX, Origin, Registration};

/// Set by `make openapi`: write what else is only compared.
const WRITE: &str = "WRITE_OPENAPI";

/// A part of the description that follows from the table.
struct Part {
    /// What is found one after the other before it,
    after: &'static [&'static str],
    /// and what comes next behind it.
    until: &'static str,
    text: String,
}

fn parts() -> Vec<Part> {
    let given = FIELDS.iter().map(|field| (field.name(), given(field)));
    let shown = || in_json().into_iter().filter(|field| field.is_in_info);
    let kept = in_json().into_iter().map(|field| (field.json_name, kept(field)));
    vec![
        Part {
            after: &["\n   \"Registration\":{", "\"required\":["],
            until: "],",
            text: names(FIELDS.iter().filter(|field| field.is_required())).join(","),
        },
        Part {
            after: &["\n   \"Registration\":{", "\"properties\":{\n"],
            until: "\n    },",
            text: members("     ", given).trim_end_matches(",\n").to_owned(),
        },
        Part {
            after: &["\n   \"App\":{", "\"required\":[\n"],
            until: "     \"state\"",
            text: names(shown()).iter().map(|name| format!("     {name},\n")).collect(),
        },
        Part {
            after: &["\n   \"App\":{", "\"properties\":{\n"],
            until: "     \"state\":",
            text: members("     ", shown().map(|field| (field.json_name, described(field)))),
        },
        Part {
            after: &["\n   \"Export\":{", "\"items\":{", "\"required\":["],
            until: "\"paused\"",
            text: names(in_json().into_iter()).join(",") + ",",
        },
        Part {
            after: &["\n   \"Export\":{", "\"items\":{", "\"properties\":{\n"],
            until: "        \"paused\"",
            text: members("        ", kept),
        },
    ]
}

fn names<'a>(fields: impl Iterator<Item = &'a Field>) -> Vec<String> {
    fields.map(|field| json(field.json_name)).collect()
}

fn members<'a>(indent: &str, fields: impl Iterator<Item = (&'a str, String)>) -> String {
    fields.map(|(name, schema)| format!("{indent}{}:{schema},\n", json(name))).collect()
}

fn json(text: &str) -> String {
    serde_json::to_string(text).unwrap()
}

/// What a field of `monitor` may be.
fn given(field: &Field) -> String {
    let also: String =
        field.known.aliases.iter().map(|alias| format!("; also `{alias}`")).collect();
    let said = format!("{}{also}", sentence(field));
    let left_out = json(&format!("{said}; {} when left out.", default(field)));
    match &field.takes {
        Takes::Name => reference("GivenName"),
        Takes::Url => format!(
            r#"{{"type":"string","maxLength":{TEXT_MAX},"pattern":{},"description":{},"examples":["http://192.168.1.20:8080"]}}"#,
            json(r"^\s*([Hh][Tt][Tt][Pp][Ss]?://|[Tt][Cc][Pp]://|[Pp][Ii][Nn][Gg]://|:[0-9])"),
            json(&format!(
                "{said}. `:8080` is that port at the address of who calls. `localhost`, and names that \
                 lead to the daemon's own machine, are only for apps on it."
            ))
        ),
        Takes::Kind => format!(
            r#"{{"type":["string","null"],"enum":["http","tcp","ping","beat",null],"description":{left_out}}}"#
        ),
        Takes::Path => format!(
            r#"{{"type":["string","null"],"pattern":"^\\s*/","maxLength":{TEXT_MAX},"description":{left_out}}}"#
        ),
        Takes::People => format!(
            r#"{{"description":{},"oneOf":[{{"type":"null"}},{{"type":"string"}},{{"type":"array","maxItems":{EMAILS_MAX},"items":{{"type":"string"}}}}]}}"#,
            json(&format!(
                "{said}, or a list. Empty or left out means the daemon's `email` option."
            ))
        ),
        Takes::Several { most, default, .. } => format!(
            r#"{{"description":{},"oneOf":[{{"type":"null"}},{{"type":"string"}},{{"type":"array","maxItems":{most},"items":{{"type":"string"}}}}]}}"#,
            json(&format!(
                "{said}, or a list. Stays as it is when left out; {default} for a new app, and when empty or null."
            ))
        ),
        Takes::Whole { valid, beats, .. } => {
            number(*valid.start().min(beats.start()), *valid.end().max(beats.end()), "", &left_out)
        }
        Takes::Lasting { valid, default, .. } => number(
            *valid.start(),
            *valid.end(),
            "|",
            &json(&format!(
                "{said}. Stays as it is when left out; {default} for a new app, and when empty or null."
            )),
        ),
        Takes::Flag { .. } => format!(
            r#"{{"type":["boolean","string","null"],"pattern":"^\\s*([Tt]rue|[Ff]alse)?\\s*$","description":{}}}"#,
            json(&format!(
                "{said}. Stays as it is when left out; {} for a new app, and when empty or null.",
                value(field).text()
            ))
        ),
        Takes::Text { schema, lasting: Some(default), .. } => format!(
            r#"{{"type":["string","null"],{schema},"description":{}}}"#,
            json(&format!(
                "{said}. Stays as it is when left out; {} for a new app, and when empty or null.",
                or_none(default)
            ))
        ),
        Takes::Secret { most, .. } => format!(
            r#"{{"type":["string","null"],"maxLength":{most},"writeOnly":true,"description":{}}}"#,
            json(&format!(
                "{said}. Stays as it is when left out, unless scheme, host or port are others; none for a new app, and when empty or null."
            ))
        ),
        Takes::Text { schema, .. } => {
            format!(r#"{{"type":["string","null"],{schema},"description":{left_out}}}"#)
        }
    }
}

/// A number within these limits, or what else the pattern takes.
fn number(low: u64, high: u64, or: &str, description: &str) -> String {
    let digits = digits(low, high).replace(")$", &format!("{or})$"));
    format!(
        r#"{{"type":["integer","string","null"],"minimum":{low},"maximum":{high},"pattern":"{digits}","description":{description}}}"#
    )
}

/// What `info` and `status` show of a field.
fn described(field: &Field) -> String {
    match field.takes {
        Takes::Name => reference("Name"),
        _ => {
            // How several are given is of no use here.
            let said = match field.is_secret() {
                true => format!("Whether there is a {}", field.help),
                false => sentence(field),
            };
            let said = json(&format!("{}.", said.split(';').next().unwrap()));
            let kept = kept(field);
            format!(r#"{},"description":{said}}}"#, kept.strip_suffix('}').unwrap())
        }
    }
}

/// What a backup has of a field; null where a target of its kind has none.
fn kept(field: &Field) -> String {
    let (kind, more) = match (&field.takes, value(field)) {
        (Takes::Name, _) => return reference("Name"),
        (Takes::Whole { .. } | Takes::Lasting { .. }, _) => ("integer", r#","minimum":0"#),
        (_, Value::Text(_) | Value::Nothing) => ("string", ""),
        (_, Value::Whole(_)) => ("integer", r#","minimum":0"#),
        (_, Value::Flag(_)) => ("boolean", ""),
        (_, Value::List(_)) => ("array", r#","items":{"type":"string"}"#),
    };
    match field.only.is_empty() {
        true => format!(r#"{{"type":"{kind}"{more}}}"#),
        false if kind == "boolean" => format!(r#"{{"type":"{kind}"{more}}}"#),
        false => format!(r#"{{"type":["{kind}","null"]{more}}}"#),
    }
}

fn reference(schema: &str) -> String {
    format!(r##"{{"$ref":"#/components/schemas/{schema}"}}"##)
}

fn sentence(field: &Field) -> String {
    let (first, rest) = field.help.split_at(1);
    first.to_uppercase() + rest
}

/// The value of a field that was left out.
fn value(field: &Field) -> Value {
    let plain = Registration::plain("NAS".into(), "http://nas", DEFAULT_PATH, Origin::Network);
    (field.get)(&plain.unwrap())
}

fn or_none(default: &str) -> &str {
    if default.is_empty() { "none" } else { default }
}

fn default(field: &Field) -> String {
    match &field.takes {
        Takes::Name | Takes::Url => "required".to_owned(),
        Takes::Kind => "that of `url`".to_owned(),
        Takes::Path => format!("`{DEFAULT_PATH}`"),
        Takes::People => "the `email` option".to_owned(),
        Takes::Flag { .. } => format!("{}; left out, it stays as it is", value(field).text()),
        Takes::Several { default, .. } => format!("{default}; left out, it stays as it is"),
        Takes::Lasting { default, .. } => format!("{default}; left out, it stays as it is"),
        Takes::Whole { valid, beats, .. } if valid.start() != beats.start() => {
            format!("{}; of beats 1", value(field).text())
        }
        Takes::Text { lasting: Some(default), .. } => {
            format!("{}; left out, it stays as it is", or_none(default))
        }
        Takes::Secret { .. } => "none; left out, it stays as it is".to_owned(),
        Takes::Whole { .. } | Takes::Text { .. } => value(field).text(),
    }
}

/// A pattern of the numbers from `low` to `high`, written in digits.
fn digits(low: u64, high: u64) -> String {
    let mut parts = Vec::new();
    let mut from = low;
    // Numbers of one length at a time: 5 to 9, 10 to 99, 100 to 300.
    while from <= high {
        let longest = "9".repeat(from.to_string().len()).parse::<u64>().unwrap();
        parts.extend(of_one_length(&from.to_string(), &longest.min(high).to_string()));
        from = longest + 1;
    }
    format!("^({})$", parts.join("|"))
}

fn of_one_length(low: &str, high: &str) -> Vec<String> {
    let (Some(mut first), Some(mut last)) = (digit(low), digit(high)) else {
        return vec![String::new()];
    };
    let (low_rest, high_rest) = (&low[1..], &high[1..]);
    let rest = low_rest.len();
    let with = |first: u32, rests: Vec<String>| -> Vec<String> {
        rests.iter().map(|rest| format!("{first}{rest}")).collect()
    };
    if first == last {
        return with(first, of_one_length(low_rest, high_rest));
    }
    let (mut head, mut tail) = (Vec::new(), Vec::new());
    if low_rest.chars().any(|c| c != '0') {
        head = with(first, of_one_length(low_rest, &"9".repeat(rest)));
        first += 1;
    }
    if high_rest.chars().any(|c| c != '9') {
        tail = with(last, of_one_length(&"0".repeat(rest), high_rest));
        last -= 1;
    }
    let any = match rest {
        0 => String::new(),
        1 => "[0-9]".to_owned(),
        more => format!("[0-9]{{{more}}}"),
    };
    let middle = match last.checked_sub(first) {
        None => None,
        Some(0) => Some(format!("{first}{any}")),
        Some(1) => Some(format!("[{first}{last}]{any}")),
        Some(_) => Some(format!("[{first}-{last}]{any}")),
    };
    head.into_iter().chain(middle).chain(tail).collect()
}

fn digit(number: &str) -> Option<u32> {
    number.chars().next()?.to_digit(10)
}

/// The description with each part as the table has it.
fn written(description: &str) -> String {
    let mut description = description.to_owned();
    for Part { after, until, text } in parts() {
        let start = after.iter().fold(0, |at, mark| {
            let found = description[at..].find(mark);
            at + found.unwrap_or_else(|| panic!("there is no {mark:?}")) + mark.len()
        });
        let end = start + description[start..].find(until).expect(until);
        description.replace_range(start..end, &text);
    }
    description
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_description_of_an_app_is_what_the_table_says() {
    let openapi = openapi();
    let written = written(&openapi);
    if std::env::var_os(WRITE).is_some() {
        fs::write(root().join("src/daemon/api/openapi.json"), &written).unwrap();
        return;
    }
    let differs = written.lines().zip(openapi.lines()).find(|(new, old)| new != old);
    assert_eq!(differs, None, "`make openapi` writes it anew");
    assert_eq!(written.len(), openapi.len());
    let read: serde_json::Value = serde_json::from_str(&openapi).unwrap();
    let fields = read["components"]["schemas"]["Registration"]["properties"].as_object().unwrap();
    assert_eq!(fields.len(), FIELDS.len());
}

#[test]
fn the_reference_for_people_has_a_row_for_each_field() {
    let row = |line: &str| -> Vec<String> {
        line.trim_matches('|').split(" | ").map(|it| it.trim().replace('`', "")).collect()
    };
    let head = "| field | meaning | valid | default |";
    let docs = fs::read_dir(root().join("docs")).unwrap().map(|entry| entry.unwrap().path());
    let documents: Vec<PathBuf> = docs
        .filter(|path| path.extension().is_some_and(|it| it == "md"))
        .chain([root().join("README.md")])
        .collect();
    let texts = documents.iter().map(|path| fs::read_to_string(path).unwrap());
    let text = texts.into_iter().find(|text| text.contains(head)).expect(head);
    let lines = text.lines().skip_while(|line| *line != head).skip(2);
    let rows: Vec<Vec<String>> = lines.take_while(|line| line.starts_with('|')).map(row).collect();
    let found: Vec<&str> = rows.iter().map(|row| row[0].as_str()).collect();
    assert_eq!(found, FIELDS.iter().map(Field::name).collect::<Vec<_>>());
    for (field, row) in FIELDS.iter().zip(&rows) {
        assert_eq!(row[1], field.help, "{}", field.name());
        // It may go on.
        assert!(row[2].starts_with(&*field.takes.valid()), "{}: {}", row[2], field.takes.valid());
        assert_eq!(row[3], default(field).replace('`', ""), "{}", field.name());
    }
}

#[test]
fn numbers_are_told_by_their_digits() {
    for (low, high, pattern) in [
        (2, 10, "^([2-9]|10)$"),
        (2, 60, "^([2-9]|[1-5][0-9]|60)$"),
        (5, 300, "^([5-9]|[1-9][0-9]|[12][0-9]{2}|300)$"),
        (95, 1024, "^(9[5-9]|[1-9][0-9]{2}|10[01][0-9]|102[0-4])$"),
    ] {
        assert_eq!(digits(low, high), pattern);
    }
}

proptest! {
    #[test]
    fn what_fits_the_pattern_is_in_range(
        (low, high, number) in (1u64..2_000, 0u64..70_000).prop_flat_map(|(low, more)| {
            let pattern = digits(low, low + more);
            (Just(low), Just(low + more), string_regex(pattern.trim_matches(['^', '$'])).unwrap())
        })
    ) {
        prop_assert!((low..=high).contains(&number.parse().unwrap()), "{low} {number} {high}");
    }
}
