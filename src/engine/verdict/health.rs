//! What an app says of itself: health JSON (draft-inadarei-api-health-check, 02 to 06) and its near
//! relatives (Spring Boot, MicroProfile, Terminus).
//!
//! Only the `status` at the root decides. The rest is read for one purpose: a sentence that tells a
//! person why. The text is read once, as a stream, and nothing else of it is kept, so a hostile
//! body costs no more memory than it has bytes, and no more stack however deep it is nested.

mod entry;

use std::fmt;

use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use self::entry::{Entry, EntryReader, Field, Text, pass_over_scalars};
use super::answer::Outcome;

/// What an app says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health {
    /// What its word means.
    pub outcome: Outcome,
    /// Its own word in lower case: `pass`, `down`, …
    pub word: String,
    /// Why, in the app's words, as they came: `output`, or the first entry that fails (else warns).
    pub cause: Option<String>,
}

/// Reads a body. `cut` says that it goes on beyond what is given: then what has been seen of a
/// JSON object counts, so that an app that fails at length still fails.
///
/// `None` when this is no JSON object, or its `status` is none of the known words.
pub fn read(text: &str, cut: bool) -> Option<Health> {
    let mut root = Root::default();
    let mut json = serde_json::Deserializer::from_str(text);
    match (&mut json).deserialize_any(&mut root).and_then(|()| json.end()) {
        Ok(()) => {}
        Err(error) if cut && error.is_eof() => {}
        Err(_) => return None,
    }
    let word = root.status?.trim().to_ascii_lowercase();
    let outcome = meaning(&word)?;
    let cause = root.output.or(root.failing).or(root.warning);
    Some(Health { outcome, word, cause })
}

/// What a status word in lower case means.
fn meaning(word: &str) -> Option<Outcome> {
    match word {
        "pass" | "ok" | "up" => Some(Outcome::Pass),
        "warn" => Some(Outcome::Warn),
        "fail" | "error" | "down" => Some(Outcome::Fail),
        _ => None,
    }
}

/// What has been seen at the root so far. Of a key given twice the last one counts.
#[derive(Default)]
struct Root {
    status: Option<String>,
    output: Option<String>,
    failing: Option<String>,
    warning: Option<String>,
}

impl Root {
    /// Takes note of one entry of `checks`, the first of each sort.
    fn note(&mut self, name: &str, entry: &Entry) {
        let status = entry.status.as_deref().unwrap_or_default();
        let place = match meaning(&status.trim().to_ascii_lowercase()) {
            Some(Outcome::Fail) => &mut self.failing,
            Some(Outcome::Warn) => &mut self.warning,
            Some(Outcome::Pass) | None => return,
        };
        if place.is_none() {
            *place = Some(entry.cause(name));
        }
    }
}

/// The root object.
impl<'de> Visitor<'de> for &mut Root {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(field) = map.next_key()? {
            match field {
                Field::Status => self.status = map.next_value::<Text>()?.0,
                Field::Output => {
                    if let Some(text) = map.next_value::<Text>()?.0 {
                        self.output = Some(text);
                    }
                }
                Field::Entries => map.next_value_seed(Entries(self))?,
                Field::Name | Field::Value | Field::Unit | Field::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// `checks` and its kin: an object of entries or of lists of entries, or a list of named entries.
struct Entries<'r>(&'r mut Root);

impl<'de> de::DeserializeSeed<'de> for Entries<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = ();

    pass_over_scalars!();

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            map.next_value_seed(Named(self.0, &name))?;
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(entry) = list.next_element::<Entry>()? {
            let name = entry.name.as_deref().unwrap_or_default();
            self.0.note(name, &entry);
        }
        Ok(())
    }
}

/// What stands under one name in `checks`: an entry, or a list of them.
struct Named<'r>(&'r mut Root, &'r str);

impl<'de> de::DeserializeSeed<'de> for Named<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Named<'_> {
    type Value = ();

    pass_over_scalars!();

    fn visit_str<E>(self, _: &str) -> Result<(), E> {
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<(), A::Error> {
        let entry = EntryReader::OUTER.visit_map(map)?;
        self.0.note(self.1, &entry);
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(entry) = list.next_element::<Entry>()? {
            self.0.note(self.1, &entry);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn outcome(text: &str) -> Option<Outcome> {
        read(text, false).map(|health| health.outcome)
    }

    fn cause(text: &str) -> Option<String> {
        read(text, false).and_then(|health| health.cause)
    }

    #[test]
    fn every_word_is_known_in_any_case() {
        for (words, meant) in [
            (["pass", "ok", "up"], Outcome::Pass),
            (["warn", "WARN", " Warn\\n"], Outcome::Warn),
            (["fail", "error", "down"], Outcome::Fail),
        ] {
            for word in words {
                for word in [word.to_owned(), word.to_uppercase().replace("\\N", "\\n")] {
                    let text = format!(r#" {{"status": "{word}"}} "#);
                    assert_eq!(outcome(&text), Some(meant), "{text}");
                }
            }
        }
    }

    #[test]
    fn what_is_no_health_json_says_nothing() {
        for text in [
            "",
            "ok",
            "fail",
            r#""fail""#,
            "[]",
            r#"[{"status":"fail"}]"#,
            "{}",
            r#"{"status":"sleeping"}"#,
            r#"{"status":503}"#,
            r#"{"status":null}"#,
            r#"{"status":["fail"]}"#,
            r#"{"status":{"status":"fail"}}"#,
            r#"{"Status":"fail"}"#,
            r#"{"status":"fail""#,
            r#"{"status":"fail"} {"status":"fail"}"#,
            r#"{"checks":{"a":[{"status":"fail"}]}}"#,
        ] {
            assert_eq!(read(text, false), None, "{text}");
        }
    }

    #[test]
    fn only_the_root_decides() {
        let text = r#"{"status":"pass","checks":{"a":[{"status":"fail","output":"x"}]}}"#;
        assert_eq!(outcome(text), Some(Outcome::Pass));
        assert_eq!(outcome(r#"{"status":"pass","status":"fail"}"#), Some(Outcome::Fail));
    }

    #[test]
    fn output_tells_why() {
        let text = r#"{"status":"fail","checks":{"a":{"status":"fail","output":"b"}},"output":"disk 98 % full"}"#;
        assert_eq!(cause(text).as_deref(), Some("disk 98 % full"));
        assert_eq!(cause(r#"{"status":"fail","output":""}"#), None);
        assert_eq!(
            cause(r#"{"status":"fail","output":{"a":[1]}}"#),
            None,
            "only a text is a sentence"
        );
    }

    #[test]
    fn draft_02_has_details() {
        let text = r#"{"status":"fail","version":"1","releaseID":"1.2.2","notes":[""],"output":"",
            "details":{"cpu:utilization":[{"componentId":"1","node":1,"type":"system","status":"pass"},
            {"node":2,"observedValue":98.5,"observedUnit":"percent","status":"fail","output":""}]},
            "links":[{"rel":"about","uri":"http://a/"}],"serviceID":"f","description":"d"}"#;
        assert_eq!(cause(text).as_deref(), Some("cpu:utilization: 98.5 percent"));
    }

    #[test]
    fn draft_06_has_checks() {
        let text = r#"{"status":"warn","releaseId":"1.2.2","links":{"about":"http://a/"},
            "checks":{"uptime":[{"status":"pass"}],
            "cassandra:responseTime":[{"status":"warn","output":"slow","affectedEndpoints":["/u"]}],
            "disk":[{"status":"fail","output":"98 % full"}]}}"#;
        assert_eq!(cause(text).as_deref(), Some("disk: 98 % full"));
    }

    #[test]
    fn relatives_are_understood() {
        let spring = r#"{"status":"DOWN","components":{"disk":{"status":"UP"},
            "db":{"status":"DOWN","details":{"error":"no connection"}}}}"#;
        assert_eq!(cause(spring).as_deref(), Some("db: no connection"));
        let profile = r#"{"status":"DOWN","checks":[{"name":"a","status":"UP"},
            {"name":"queue","status":"DOWN","data":{"depth":9}}]}"#;
        assert_eq!(cause(profile).as_deref(), Some("queue"));
        let terminus = r#"{"status":"error","info":{},"error":{"redis":{"status":"down","message":"m"}},
            "details":{"redis":{"status":"down","message":"m"}}}"#;
        assert_eq!(cause(terminus).as_deref(), Some("redis: m"));
    }

    #[test]
    fn what_was_seen_before_the_cut_counts() {
        let text =
            r#"{"status":"fail","checks":{"disk":[{"status":"fail","output":"full"}],"b":[{"#;
        let health = read(text, true).unwrap();
        assert_eq!(health.outcome, Outcome::Fail);
        assert_eq!(health.cause.as_deref(), Some("disk: full"));
        assert_eq!(read(text, false), None, "nothing was cut: it is no JSON");
        assert_eq!(read("{\"status\":\"fail\" oops", true), None, "no JSON before the cut");
    }

    #[test]
    fn thirty_thousand_brackets_do_no_harm() {
        let deep = "[".repeat(30_000) + &"]".repeat(30_000);
        assert_eq!(read(&deep, false), None);
        for key in ["a", "checks", "output", "error"] {
            let text = format!(r#"{{"status":"fail","{key}":{deep}}}"#);
            assert_eq!(outcome(&text), Some(Outcome::Fail), "deep, but JSON");
        }
        for open in ["{\"checks\":", "{\"a\":", "["] {
            let text = format!(r#"{{"checks":{}"#, open.repeat(30_000));
            assert_eq!(read(&text, true), None);
        }
    }

    fn any_json() -> impl Strategy<Value = serde_json::Value> {
        use serde_json::Value;
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<f64>().prop_map(Value::from),
            "[a-z]{0,6}".prop_map(Value::from),
        ];
        let key = prop_oneof![
            Just("status".to_owned()),
            Just("output".to_owned()),
            Just("checks".to_owned()),
            Just("details".to_owned()),
            "[a-z]{0,4}",
        ];
        leaf.prop_recursive(4, 32, 4, move |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::vec((key.clone(), inner), 0..4)
                    .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn no_text_is_too_odd(text in any::<String>(), cut in any::<bool>()) {
            read(&text, cut);
        }

        #[test]
        fn the_root_status_decides_whatever_else_is_there(mut json in any_json()) {
            let said = json.get("status").and_then(|s| s.as_str()).and_then(meaning);
            prop_assert_eq!(outcome(&json.to_string()), said);
            if let Some(object) = json.as_object_mut() {
                object.insert("status".to_owned(), "Down".into());
                prop_assert_eq!(outcome(&json.to_string()), Some(Outcome::Fail));
            }
        }

        #[test]
        fn any_prefix_is_safe(json in any_json(), end in 0usize..200) {
            let text = json.to_string();
            read(text.get(..end).unwrap_or_default(), true);
        }
    }
}
