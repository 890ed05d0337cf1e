//! The parts of health JSON: one entry of `checks`, the fields, a text.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};
use serde_json::Number;

use super::words::meaning;
use crate::engine::verdict::answer::Outcome;

/// The most characters kept of one text on the way to a reason, which is shorter still.
pub(super) const TEXT_MAX: usize = 1024;

/// The fields that mean something to us, at any level. Names differ between drafts and relatives.
#[derive(Clone, Copy)]
pub(super) enum Field {
    Status,
    Output,
    Entries,
    Name,
    /// Why, in an entry of ASP.NET's; what the app is for, at the root.
    Description,
    Value,
    Unit,
    Unknown,
}

/// The names of fields, in any case: .NET writes `Status` unless it is told otherwise.
const FIELDS: [(&str, Field); 20] = [
    ("status", Field::Status),
    ("output", Field::Output),
    ("message", Field::Output),
    ("error", Field::Output),
    ("errors", Field::Output),
    ("reason", Field::Output),
    ("checks", Field::Entries),
    ("details", Field::Entries),
    ("components", Field::Entries),
    ("data", Field::Entries),
    ("entries", Field::Entries),
    ("results", Field::Entries),
    ("failures", Field::Entries),
    ("name", Field::Name),
    ("description", Field::Description),
    ("exception", Field::Description),
    ("observedValue", Field::Value),
    ("metricValue", Field::Value),
    ("observedUnit", Field::Unit),
    ("metricUnit", Field::Unit),
];

impl<'de> Deserialize<'de> for Field {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Field, D::Error> {
        json.deserialize_identifier(FieldVisitor)
    }
}

struct FieldVisitor;

impl Visitor<'_> for FieldVisitor {
    type Value = Field;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the name of a field")
    }

    fn visit_str<E>(self, name: &str) -> Result<Field, E> {
        let known = FIELDS.iter().find(|(known, _)| known.eq_ignore_ascii_case(name));
        Ok(known.map_or(Field::Unknown, |(_, field)| *field))
    }
}

/// Scalars where an object or a list might have been: not ours to judge, passed over.
macro_rules! pass_over_scalars {
    () => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any JSON")
        }
        fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
        fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
        fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
        fn visit_unit<E>(self) -> Result<Self::Value, E> {
            Ok(Default::default())
        }
    };
}

pub(super) use pass_over_scalars;

/// One entry of `checks`.
#[derive(Default)]
pub(super) struct Entry {
    pub(super) name: Option<String>,
    status: Option<String>,
    output: Option<String>,
    value: Option<String>,
    unit: Option<String>,
}

impl Entry {
    /// A bare text where an object might have been: how the app is, or its own words.
    fn bare(text: &str) -> Entry {
        let text = bounded(text);
        match text.as_deref().and_then(meaning) {
            Some(_) => Entry { status: text, ..Entry::default() },
            None => Entry { output: text, ..Entry::default() },
        }
    }

    /// What it means, if it says.
    pub(super) fn meaning(&self) -> Option<Outcome> {
        self.status.as_deref().and_then(meaning)
    }

    /// Why it fails: its name, and its own words or the value it saw.
    pub(super) fn cause(&self, name: &str) -> String {
        let value = || {
            let value = self.value.as_deref()?;
            let unit = self.unit.as_deref().unwrap_or_default();
            Some(format!("{value} {unit}"))
        };
        named(name, self.output.clone().or_else(value))
    }

    /// What it says for a reader to judge, when its status means nothing to us: its name and its
    /// words, else its status.
    pub(super) fn remark(&self, name: &str) -> Option<String> {
        let words = self.output.as_ref().or(self.status.as_ref())?;
        Some(named(name, Some(words.clone())))
    }
}

fn named(name: &str, words: Option<String>) -> String {
    match (name.trim(), words) {
        ("", words) => words.unwrap_or_default(),
        (name, None) => name.to_owned(),
        (name, Some(words)) => format!("{name}: {words}"),
    }
}

impl<'de> Deserialize<'de> for Entry {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Entry, D::Error> {
        json.deserialize_any(EntryReader::OUTER)
    }
}

/// Reads an entry, and of what it holds itself one level and no more.
pub(super) struct EntryReader {
    inner: bool,
}

impl EntryReader {
    pub(super) const OUTER: EntryReader = EntryReader { inner: false };
    const INNER: EntryReader = EntryReader { inner: true };
}

impl<'de> DeserializeSeed<'de> for EntryReader {
    type Value = Entry;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Entry, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for EntryReader {
    type Value = Entry;

    pass_over_scalars!();

    fn visit_str<E>(self, text: &str) -> Result<Entry, E> {
        Ok(Entry::bare(text))
    }

    /// `{"db": false}`: it is not well, and says no more.
    fn visit_bool<E>(self, well: bool) -> Result<Entry, E> {
        let output = (!well).then(|| well.to_string());
        Ok(Entry { output, ..Entry::default() })
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entry, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Entry::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
        let mut entry = Entry::default();
        let (mut inner, mut description) = (None, None);
        while let Some(field) = map.next_key()? {
            match field {
                Field::Name => entry.name = map.next_value::<Text>()?.0,
                Field::Status => entry.status = map.next_value::<Text>()?.0,
                Field::Output => {
                    entry.output = map.next_value::<Text>()?.0.or(entry.output);
                }
                Field::Description => {
                    description = map.next_value::<Text>()?.0.or(description);
                }
                Field::Value => entry.value = map.next_value::<Text>()?.0,
                Field::Unit => entry.unit = map.next_value::<Text>()?.0,
                // Spring Boot and MicroProfile put the words one level further down.
                Field::Entries if !self.inner => {
                    inner = map.next_value_seed(EntryReader::INNER)?.output;
                }
                Field::Entries | Field::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        entry.output = entry.output.or(inner).or(description);
        Ok(entry)
    }
}

/// As much of a text as is kept; nothing of an empty one.
pub(super) fn bounded(text: &str) -> Option<String> {
    (!text.trim().is_empty()).then(|| text.chars().take(TEXT_MAX).collect())
}

/// A text or a number as text, bounded; nothing for any other value.
pub(super) struct Text(pub(super) Option<String>);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(json: D) -> Result<Text, D::Error> {
        json.deserialize_any(TextVisitor).map(Text)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Option<String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(bounded(text))
    }

    fn visit_bool<E>(self, value: bool) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Self::Value, E> {
        Ok(Some(value.to_string()))
    }

    fn visit_f64<E>(self, value: f64) -> Result<Self::Value, E> {
        Ok(Number::from_f64(value).map(|value| value.to_string()))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}
