//! What a field of `monitor` is: the type of the rows of [`super::table`].

use std::borrow::Cow;
use std::fmt;
use std::ops::RangeInclusive;

use serde::Serialize;

use super::fields::{FieldError, Fields, Known, shown};
use super::{Kind, NAME_MAX, Registration};

/// One field: how it is called, what it takes, what it sets, how it is shown.
pub(crate) struct Field {
    /// Its names.
    pub(crate) known: Known,
    /// What it is, for people: a fragment that begins in lower case.
    pub(crate) help: &'static str,
    /// How it is read.
    pub(crate) takes: Takes,
    /// Its value, as JSON has it and as `monitor` takes it back.
    pub(crate) get: fn(&Registration) -> Value,
    /// How people are told the value; `None` where it is said by other means.
    pub(super) fact: Option<Fact>,
    /// What JSON calls what is shown of it.
    pub(crate) json_name: &'static str,
    /// Of which kinds of target it is; of all when empty.
    pub(crate) only: &'static [Kind],
    /// Whether `info` and `status` have it. A backup has every field.
    pub(crate) is_in_info: bool,
}

/// How a field is read.
pub(crate) enum Takes {
    /// The app's name. This and the next three make a registration, see [`Registration::plain`].
    Name,
    /// The base address.
    Url,
    /// How it is found out whether it is well.
    Kind,
    /// What is appended to it.
    Path,
    /// Who is told.
    People,
    /// Several texts. Left out they stay as they are; empty or null is the default.
    Several {
        /// What they are called on the command line.
        word: &'static str,
        /// What is allowed.
        valid: &'static str,
        /// The most of them.
        #[cfg(test)]
        most: usize,
        /// What it is for a new app.
        #[cfg(test)]
        default: &'static str,
        /// Sets them, as they came: with commas between, or each with a [`LIST_END`](super::parents::LIST_END).
        set: fn(&mut Registration, &str) -> Result<(), FieldError>,
    },
    /// A whole number.
    Whole {
        /// Of what.
        unit: &'static Unit,
        /// What is allowed,
        valid: RangeInclusive<u64>,
        /// and of beats.
        beats: RangeInclusive<u64>,
        /// Sets it; the number is a valid one.
        set: fn(&mut Registration, u64),
    },
    /// A whole number. Left out it stays as it is; empty or null is the default.
    Lasting {
        /// Of what.
        unit: &'static Unit,
        /// What is allowed.
        valid: RangeInclusive<u64>,
        /// What it is for a new app.
        default: &'static str,
        /// Sets it, or sets the default; the number is a valid one.
        set: fn(&mut Registration, Option<u64>),
    },
    /// True or false. Left out it stays as it is; empty or null is the default.
    Flag {
        /// What it is for a new app.
        default: bool,
        /// Sets it.
        set: fn(&mut Registration, bool),
    },
    /// Any other text.
    Text {
        /// What it is called on the command line.
        word: &'static str,
        /// Examples of what is allowed.
        valid: &'static str,
        /// The same for programs: members of a JSON schema.
        #[cfg(test)]
        schema: &'static str,
        /// Left out it stays as it is, and empty or null is this; empty where that is none.
        lasting: Option<&'static str>,
        /// Sets it; empty if it is to be as by default. The error says what it must be.
        set: fn(&mut Registration, &str) -> Result<(), String>,
    },
    /// A text that nobody is shown: only whether there is one. Left out it stays as it is; empty or null is none.
    Secret {
        /// What it is called on the command line.
        word: &'static str,
        /// What is allowed.
        valid: &'static str,
        /// The most bytes.
        #[cfg(test)]
        most: usize,
        /// Sets it. The error says what it must be, and never what it was.
        set: fn(&mut Registration, &str) -> Result<(), String>,
    },
}

/// What a number counts.
pub(crate) struct Unit {
    /// Many of it, in a sentence.
    pub(super) plural: &'static str,
    /// What the number is called on the command line.
    pub(super) word: &'static str,
}

/// How people are told a value.
pub(crate) struct Fact {
    /// What stands before it; neighbours with the same label share a line.
    pub(super) label: &'static str,
    /// The value in words, itself as `{}`.
    pub(super) words: &'static str,
    /// What is said where there is none; nothing when empty.
    pub(super) none: &'static str,
}

/// The value of a field.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(untagged)]
pub(crate) enum Value {
    /// A text.
    Text(String),
    /// A whole number.
    Whole(u64),
    /// True or false.
    Flag(bool),
    /// Texts.
    List(Vec<String>),
    /// It has no such thing.
    Nothing,
}

/// The rest is in the table.
impl fmt::Debug for Field {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// A name is that of one row.
impl PartialEq for Field {
    fn eq(&self, other: &Field) -> bool {
        self.name() == other.name()
    }
}

impl Eq for Field {}

impl Value {
    /// As a text: a list with commas, as `monitor` takes it, too.
    pub(crate) fn text(&self) -> String {
        match self {
            Value::Text(text) => text.clone(),
            Value::Whole(number) => number.to_string(),
            Value::Flag(is_set) => is_set.to_string(),
            Value::List(texts) => texts.join(", "),
            Value::Nothing => String::new(),
        }
    }
}

impl Field {
    /// The row of a field; a builder's methods say what is special about it.
    pub(super) const fn new(
        name: &'static str,
        help: &'static str,
        takes: Takes,
        get: fn(&Registration) -> Value,
    ) -> Field {
        let known = Known::new(name);
        Field { known, help, takes, get, fact: None, json_name: name, only: &[], is_in_info: true }
    }

    /// The same row with another name.
    pub(super) const fn or(self, aliases: &'static [&'static str]) -> Field {
        Field { known: Known { aliases, ..self.known }, ..self }
    }

    /// The same row; several values, with commas between, may be a list in JSON.
    pub(super) const fn list(self) -> Field {
        Field { known: Known { is_list: true, ..self.known }, ..self }
    }

    /// The same row; people are told the value so.
    pub(super) const fn fact(self, label: &'static str, words: &'static str) -> Field {
        self.fact_or(label, words, "")
    }

    /// The same row; people are told the value so, and `none` where there is none.
    pub(super) const fn fact_or(
        self,
        label: &'static str,
        words: &'static str,
        none: &'static str,
    ) -> Field {
        Field { fact: Some(Fact { label, words, none }), ..self }
    }

    /// The same row; only targets of these kinds have it.
    pub(super) const fn only(self, kinds: &'static [Kind]) -> Field {
        Field { only: kinds, ..self }
    }

    /// The same row; it is shown by this name, for what is shown is not what is given.
    pub(super) const fn shown_as(self, json_name: &'static str) -> Field {
        Field { json_name, ..self }
    }

    /// The same row; only a backup has it.
    pub(super) const fn not_in_info(self) -> Field {
        Field { is_in_info: false, ..self }
    }

    /// The name that it is known by.
    pub(crate) const fn name(&self) -> &'static str {
        self.known.name
    }

    /// Whether it stays as it is when it is left out, and null empties it.
    pub(crate) fn stays(&self) -> bool {
        match self.takes {
            Takes::Flag { .. }
            | Takes::Several { .. }
            | Takes::Lasting { .. }
            | Takes::Secret { .. } => true,
            Takes::Text { lasting, .. } => lasting.is_some(),
            _ => false,
        }
    }

    /// Whether nobody is shown its value.
    pub(crate) fn is_secret(&self) -> bool {
        matches!(self.takes, Takes::Secret { .. })
    }

    /// Whether targets of this kind have it.
    pub(crate) fn is_of(&self, kind: Kind) -> bool {
        self.only.is_empty() || self.only.contains(&kind)
    }

    /// Refuses it where there can be none.
    ///
    /// # Errors
    /// It is given, and targets of this kind do not have it.
    pub(super) fn check_kind(&self, kind: Kind, fields: &Fields<'_>) -> Result<(), FieldError> {
        let name = self.name();
        let is_given = fields.raw(name).is_some_and(|text| !text.trim().is_empty());
        if !is_given || self.is_of(kind) {
            return Ok(());
        }
        let only: Vec<&str> = self.only.iter().map(|kind| kind.word()).collect();
        let message = format!(
            "{name} is for kind {} alone, and this one is {}; leave it out",
            only.join(", "),
            kind.word()
        );
        Err(FieldError::of(name, message))
    }

    /// Whether an app must give it.
    #[cfg(test)]
    pub(crate) fn is_required(&self) -> bool {
        matches!(self.takes, Takes::Name)
    }

    /// Whether the command line has it without a name before it.
    pub(crate) fn is_operand(&self) -> bool {
        matches!(self.takes, Takes::Name | Takes::Url)
    }

    /// What stands beside it in a form: what it is, without how several are written.
    pub(crate) fn label(&self) -> String {
        let what = self.help.split(';').next().unwrap_or_default();
        let what = what.strip_prefix("whether ").unwrap_or(what);
        let mut letters = what.chars();
        letters
            .next()
            .map(|first| first.to_uppercase().chain(letters).collect())
            .unwrap_or_default()
    }

    /// Whether few who watch something say it.
    pub(crate) fn is_rare(&self) -> bool {
        !matches!(self.takes, Takes::Name | Takes::Url | Takes::People)
    }

    /// Whether it says which app it is and what is asked. In JSON these stand first.
    pub(super) fn is_identity(&self) -> bool {
        matches!(self.takes, Takes::Name | Takes::Url | Takes::Path)
    }
}

impl Takes {
    /// What is allowed, in a few words.
    pub(crate) fn valid(&self) -> Cow<'static, str> {
        Cow::Borrowed(match self {
            Takes::Name => return format!("1 to {NAME_MAX} characters that can be seen").into(),
            Takes::Url => "http://, https://, tcp:// or ping://",
            Takes::Kind => return Kind::words().into(),
            Takes::Path => "begins with /",
            Takes::People => "addresses",
            Takes::Flag { .. } => "true or false",
            Takes::Whole { valid, beats, .. } => {
                let of_beats = match beats == valid {
                    true => String::new(),
                    false => format!("; of beats {} to {}", beats.start(), beats.end()),
                };
                return format!("{} to {}{of_beats}", valid.start(), valid.end()).into();
            }
            Takes::Lasting { valid, .. } => {
                return format!("{} to {}", valid.start(), valid.end()).into();
            }
            Takes::Several { valid, .. }
            | Takes::Text { valid, .. }
            | Takes::Secret { valid, .. } => valid,
        })
    }

    /// What the value is called on the command line.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Takes::Name => "NAME",
            Takes::Url => "URL",
            Takes::Kind => "KIND",
            Takes::Path => "PATH",
            Takes::People => "TEXT",
            Takes::Flag { .. } => "BOOL",
            Takes::Whole { unit, .. } | Takes::Lasting { unit, .. } => unit.word,
            Takes::Several { word, .. } | Takes::Text { word, .. } | Takes::Secret { word, .. } => {
                word
            }
        }
    }
}

/// Reads true or false, as people and programs write it.
///
/// # Errors
/// It is neither.
pub(super) fn flag(name: &str, text: &str) -> Result<bool, FieldError> {
    match text.trim().to_ascii_lowercase().as_str() {
        "true" | "yes" | "on" | "1" => Ok(true),
        "false" | "no" | "off" | "0" => Ok(false),
        _ => {
            let message = format!("{name} must be true or false, not {}", shown(text));
            Err(FieldError::of(name, message))
        }
    }
}

/// Reads a whole number.
///
/// # Errors
/// It is none, or out of range.
pub(super) fn whole(
    name: &str,
    text: &str,
    unit: &Unit,
    valid: &RangeInclusive<u64>,
) -> Result<u64, FieldError> {
    // `parse` alone would take `+5`.
    let number = Some(text)
        .filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()))
        .and_then(|digits| digits.parse().ok());
    number.filter(|n| valid.contains(n)).ok_or_else(|| {
        let message = format!(
            "{name} must be a whole number of {} from {} to {}, not {}",
            unit.plural,
            valid.start(),
            valid.end(),
            shown(text)
        );
        FieldError::of(name, message)
    })
}
