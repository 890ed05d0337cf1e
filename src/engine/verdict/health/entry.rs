//! The parts of health JSON: one entry of `checks`, the fields, a text.

use std::fmt;

use serde::de::{
    Deserialize, DeserializeSeed, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

/// The most characters kept of one text on the way to a reason, which is shorter still.
const TEXT_MAX: usize = 1024;

/// The fields that mean something to us, at any level. Names differ between drafts and relatives.
#[derive(Clone, Copy, serde::Deserialize)]
#[serde(field_identifier)]
pub(super) enum Field {
    #[serde(rename = "status")]
    Status,
    #[serde(rename = "output", alias = "message", alias = "error")]
    Output,
    #[serde(rename = "checks", alias = "details", alias = "components", alias = "data")]
    Entries,
    #[serde(rename = "name")]
    Name,
    #[serde(rename = "observedValue", alias = "metricValue")]
    Value,
    #[serde(rename = "observedUnit", alias = "metricUnit")]
    Unit,
    #[serde(other)]
    Unknown,
}

/// Scalars where an object or a list might have been: not ours to judge, passed over.
macro_rules! pass_over_scalars {
    () => {
        fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
            f.write_str("any JSON")
        }
        fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
            Ok(Default::default())
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
    pub(super) status: Option<String>,
    output: Option<String>,
    value: Option<String>,
    unit: Option<String>,
}

impl Entry {
    /// Why it fails: its name, and its own words or the value it saw.
    pub(super) fn cause(&self, name: &str) -> String {
        let value = || {
            let value = self.value.as_deref()?;
            let unit = self.unit.as_deref().unwrap_or_default();
            Some(format!("{value} {unit}"))
        };
        let words = self.output.clone().or_else(value);
        match (name.trim(), words) {
            ("", words) => words.unwrap_or_default(),
            (name, None) => name.to_owned(),
            (name, Some(words)) => format!("{name}: {words}"),
        }
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

    fn visit_str<E>(self, _: &str) -> Result<Entry, E> {
        Ok(Entry::default())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Entry, A::Error> {
        while list.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Entry::default())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Entry, A::Error> {
        let mut entry = Entry::default();
        let mut inner = None;
        while let Some(field) = map.next_key()? {
            match field {
                Field::Name => entry.name = map.next_value::<Text>()?.0,
                Field::Status => entry.status = map.next_value::<Text>()?.0,
                Field::Output => entry.output = map.next_value::<Text>()?.0,
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
        entry.output = entry.output.or(inner);
        Ok(entry)
    }
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
        Ok((!text.trim().is_empty()).then(|| text.chars().take(TEXT_MAX).collect()))
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
        Ok(Some(value.to_string()))
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
