//! What an app says of itself: health JSON (draft-inadarei-api-health-check, 02 to 06) and its
//! relatives (`docs/verdicts.md` names them).
//!
//! Only the `status` at the root decides, and it decides as long as it can be read: what is not
//! quite JSON is mended (`repair`), and where even that breaks off, what was seen before counts. The
//! rest is read for one purpose: a sentence that tells a person why. The text is read as a stream
//! and nothing else of it is kept, so a hostile body costs little more memory than it has bytes, and
//! no more stack however deep it is nested.

mod entry;
mod repair;
#[cfg(test)]
mod tests;
mod words;

use std::borrow::Cow;
use std::fmt;

use serde::de::{self, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};

use self::entry::{Entry, EntryReader, Field, TEXT_MAX, Text, bounded, pass_over_scalars};
use self::repair::repair;
use self::words::{meaning, meaning_of_bare};
use super::answer::Outcome;

/// What a body says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reading<'t> {
    /// How the app is.
    Says(Health<'t>),
    /// It begins like JSON and goes wrong before it says how the app is.
    Broken,
    /// Nothing about that.
    Nothing,
}

/// What an app says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Health<'t> {
    /// What its word means.
    pub outcome: Outcome,
    /// Its own word in lower case: `pass`, `down`, …
    pub word: String,
    /// Why, in the app's words, as they came: `output`, or the first entry that fails (else warns),
    /// or what is said beside.
    pub cause: Option<String>,
    /// All of it, as JSON; `None` when it breaks off.
    pub json: Option<Cow<'t, str>>,
}

/// Reads a body. `cut` says that it goes on beyond what is given. What has been seen of a JSON
/// object before it breaks off counts, so that an app that fails at length still fails.
pub fn read(text: &str, cut: bool) -> Reading<'_> {
    let mut root = Root::default();
    let json = match walk(text, &mut root) {
        Ok(()) => Some(Cow::Borrowed(text.trim())),
        Err(error) if cut && error.is_eof() => None,
        Err(_) => match repair(text) {
            Some(mended) => {
                root = Root::default();
                match walk(&mended, &mut root) {
                    Ok(()) => Some(Cow::Owned(mended)),
                    Err(_) if root.status.is_some() => None,
                    Err(error) if cut && error.is_eof() => None,
                    Err(_) => return Reading::Broken,
                }
            }
            None => return bare(text),
        },
    };
    match root.health(json) {
        Some(health) => Reading::Says(health),
        None => Reading::Nothing,
    }
}

/// Reads a body that says that it is JSON and does not begin so: a warning of PHP's may stand before
/// it, or a guard against foreign scripts (`)]}',`). Nothing when it is no object even then.
pub fn read_behind_noise(text: &str, cut: bool) -> Reading<'_> {
    if serde_json::from_str::<IgnoredAny>(text).is_ok() {
        return Reading::Nothing;
    }
    let object = text.find('{').and_then(|at| text.get(at..));
    match object.map(|object| read(object, cut)) {
        Some(Reading::Says(health)) => Reading::Says(health),
        _ => Reading::Nothing,
    }
}

fn walk(text: &str, root: &mut Root) -> serde_json::Result<()> {
    let mut json = serde_json::Deserializer::from_str(text);
    (&mut json).deserialize_any(root)?;
    json.end()
}

/// What a body without JSON says.
fn bare(text: &str) -> Reading<'_> {
    match meaning_of_bare(text) {
        None => Reading::Nothing,
        Some(outcome) => {
            let word = text.trim().to_ascii_lowercase();
            Reading::Says(Health { outcome, word, cause: None, json: None })
        }
    }
}

/// What has been seen at the root so far. Of a key given twice the last one counts that says
/// something: `Status` may be a number beside `status`.
#[derive(Default)]
struct Root {
    status: Option<String>,
    output: Option<String>,
    failing: Option<String>,
    warning: Option<String>,
    remarks: String,
}

impl Root {
    /// `None` when the status is none of the known words.
    fn health<'t>(self, json: Option<Cow<'t, str>>) -> Option<Health<'t>> {
        let word = self.status?.trim().to_ascii_lowercase();
        let outcome = meaning(&word)?;
        let remarks = Some(self.remarks).filter(|remarks| !remarks.is_empty());
        let cause = self.output.or(self.failing).or(self.warning).or(remarks);
        Some(Health { outcome, word, cause, json })
    }

    /// Takes note of one entry of `checks`: the first that fails and the first that warns, and of
    /// what they say without a status, all that there is room for.
    fn note(&mut self, name: &str, entry: &Entry) {
        let place = match entry.meaning() {
            Some(Outcome::Fail) => &mut self.failing,
            Some(Outcome::Warn) => &mut self.warning,
            Some(Outcome::Pass) => return,
            None => return self.remark(entry.remark(name)),
        };
        if place.is_none() {
            *place = Some(entry.cause(name));
        }
    }

    fn remark(&mut self, remark: Option<String>) {
        let Some(remark) = remark else { return };
        let is_full = !self.remarks.is_empty() && self.remarks.len() + remark.len() > TEXT_MAX;
        // The same may be said twice, under `error` and under `details`.
        if is_full || self.remarks.contains(&remark) {
            return;
        }
        if !self.remarks.is_empty() {
            self.remarks.push_str(", ");
        }
        self.remarks.push_str(&remark);
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
                Field::Status => {
                    let Text(status) = map.next_value()?;
                    if self.status.is_none() || status.as_deref().and_then(meaning).is_some() {
                        self.status = status;
                    }
                }
                Field::Output => {
                    if let Some(text) = map.next_value_seed(Entries(self))? {
                        self.output = Some(text);
                    }
                }
                Field::Entries => {
                    let text = map.next_value_seed(Entries(self))?;
                    self.remark(text);
                }
                Field::Name | Field::Description | Field::Value | Field::Unit | Field::Unknown => {
                    map.next_value::<IgnoredAny>()?;
                }
            }
        }
        Ok(())
    }
}

/// `checks` and its kin: an object of entries or of lists of entries, or a list of named entries. A
/// bare text is given back.
struct Entries<'r>(&'r mut Root);

impl<'de> de::DeserializeSeed<'de> for Entries<'_> {
    type Value = Option<String>;

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<Option<String>, D::Error> {
        json.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Entries<'_> {
    type Value = Option<String>;

    pass_over_scalars!();

    fn visit_bool<E>(self, _: bool) -> Result<Option<String>, E> {
        Ok(None)
    }

    fn visit_str<E>(self, text: &str) -> Result<Option<String>, E> {
        Ok(bounded(text))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Option<String>, A::Error> {
        while let Some(name) = map.next_key::<String>()? {
            map.next_value_seed(Named(self.0, &name))?;
        }
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Option<String>, A::Error> {
        while let Some(entry) = list.next_element::<Entry>()? {
            let name = entry.name.as_deref().unwrap_or_default();
            self.0.note(name, &entry);
        }
        Ok(None)
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

    fn visit_bool<E: de::Error>(self, well: bool) -> Result<(), E> {
        let entry = EntryReader::OUTER.visit_bool(well)?;
        self.0.note(self.1, &entry);
        Ok(())
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<(), E> {
        let entry = EntryReader::OUTER.visit_str(text)?;
        self.0.note(self.1, &entry);
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
