//! What an app registered, to be shown: a value for each field of the table.

use serde::Serialize;
use serde::ser::{SerializeMap, Serializer};

use super::spec::{Fact, Field, Takes, Value};
use super::table::in_json;
use super::{Kind, Registration};

/// A value for each field, in the order of JSON.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Values(Vec<(&'static Field, Value)>);

impl Values {
    /// As the app registered: `monitor` takes it back.
    pub fn registered(registration: &Registration) -> Values {
        Values(in_json().into_iter().map(|field| (field, (field.get)(registration))).collect())
    }

    /// As it is in force: these are told.
    pub fn in_force(registration: &Registration, told: Vec<String>) -> Values {
        let mut values = Values::registered(registration);
        let grace = registration.beats().map(|rhythm| Value::Whole(rhythm.grace.as_secs()));
        let mut in_force = [("email", Some(Value::List(told))), ("grace", grace)];
        for (field, value) in &mut values.0 {
            let named = in_force.iter_mut().find(|(name, _)| *name == field.name());
            if let Some(other) = named.and_then(|(_, other)| other.take()) {
                *value = other;
            }
        }
        values
    }

    /// As the app registered, without what would be just so if it were not said: what stands in a form.
    pub(crate) fn said(registration: &Registration) -> Vec<(&'static Field, Value)> {
        let target = &registration.target;
        let unsaid = Registration::unsaid(target.kind());
        // How late a beat may be follows from the interval.
        let interval = registration.interval;
        let as_often = unsaid.clone().map(|unsaid| Registration { interval, ..unsaid });
        let by_url = target.url().and_then(Kind::of_url);
        let Values(mut values) = Values::registered(registration);
        values.retain(|(field, value)| match field.takes {
            Takes::Secret { .. } => false,
            Takes::Kind => by_url != Some(target.kind()),
            Takes::Url => true,
            Takes::Lasting { .. } => as_often.as_ref().is_none_or(|it| (field.get)(it) != *value),
            _ => unsaid.as_ref().is_none_or(|it| (field.get)(it) != *value),
        });
        values
    }

    /// Those that `info` and `status` have.
    #[must_use]
    pub fn in_info(mut self) -> Values {
        self.0.retain(|(field, _)| field.is_in_info);
        self
    }

    /// What people are told of them.
    pub(crate) fn facts(&self) -> Vec<(&'static str, String)> {
        facts(self.0.iter().map(|(field, value)| (*field, value.text())).collect())
    }

    /// Writes a member for each into an object that has others, too: flattened by serde, all of it would
    /// be compiled once more for every depth.
    pub(crate) fn write<M: SerializeMap>(&self, object: &mut M) -> Result<(), M::Error> {
        self.0.iter().try_for_each(|(field, value)| object.serialize_entry(field.json_name, value))
    }
}

/// In JSON: a member for each.
impl Serialize for Values {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut object = to.serialize_map(Some(self.0.len()))?;
        self.write(&mut object)?;
        object.end()
    }
}

/// Whether it is as by default, and there is nothing to say of that.
fn is_default(field: &Field, value: &str) -> bool {
    let default = match field.takes {
        Takes::Flag { default, .. } => default,
        Takes::Secret { .. } => false,
        Takes::Text { lasting: Some(default), .. } => return value == default,
        _ => return false,
    };
    value == if default { "true" } else { "false" }
}

/// What people are told of these values, given as texts: labels, and what stands behind each.
pub(crate) fn facts(values: Vec<(&'static Field, String)>) -> Vec<(&'static str, String)> {
    let mut facts: Vec<(&'static str, String)> = Vec::new();
    for (field, value) in values {
        let Some(Fact { label, words, none }) = &field.fact else { continue };
        let said = match value.as_str() {
            "" if none.is_empty() => continue,
            value if is_default(field, value) => continue,
            "" => (*none).to_owned(),
            value => words.replace("{}", value),
        };
        match facts.last_mut() {
            Some((earlier, line)) if earlier == label => {
                line.push_str(", ");
                line.push_str(&said);
            }
            _ => facts.push((label, said)),
        }
    }
    facts
}
