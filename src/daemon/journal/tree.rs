//! Records out of JSON, by way of a tree.
//!
//! Straight from the text, the parser would be compiled into the reader of each type anew, along with a way to read
//! each struct from a list, as none is written. A record is small, and its tree soon gone.

use std::vec;

use serde::de::value::StringDeserializer;
use serde::de::{
    DeserializeOwned, DeserializeSeed, EnumAccess, Error as _, IntoDeserializer, MapAccess,
    SeqAccess, Unexpected, VariantAccess, Visitor,
};
use serde::{Deserialize, Deserializer, forward_to_deserialize_any};
use serde_json::{Error, Map, Value, map};

/// The records of a batch.
///
/// # Errors
/// It is no list in JSON, or one of them is not what `R` says.
pub fn records<R: DeserializeOwned>(batch: &str) -> Result<Vec<R>, Error> {
    let records: Vec<Record<R>> = serde_json::from_str(batch)?;
    Ok(records.into_iter().map(|Record(record)| record).collect())
}

/// One of them, for one tree at a time.
struct Record<R>(R);

impl<'de, R: DeserializeOwned> Deserialize<'de> for Record<R> {
    fn deserialize<D: Deserializer<'de>>(text: D) -> Result<Record<R>, D::Error> {
        let tree = Value::deserialize(text)?;
        R::deserialize(Tree(tree)).map(Record).map_err(D::Error::custom)
    }
}

/// A tree, to be read as what its type says.
struct Tree(Value);

impl Tree {
    fn text(self) -> Result<String, Error> {
        match self.0 {
            Value::String(text) => Ok(text),
            other => Err(wrong(&other, "a text")),
        }
    }

    fn elements(self) -> Result<Elements, Error> {
        match self.0 {
            Value::Array(elements) => Ok(Elements(elements.into_iter())),
            other => Err(wrong(&other, "a list")),
        }
    }

    fn members(self) -> Result<Members, Error> {
        match self.0 {
            Value::Object(members) => Ok(Members { rest: members.into_iter(), value: None }),
            other => Err(wrong(&other, "an object")),
        }
    }

    /// A variant of an enum: its name, alone or as the one member of an object with what belongs to it.
    fn variant(self) -> Result<Variant, Error> {
        let one = |members: Map<String, Value>| {
            let mut members = members.into_iter();
            members.next().filter(|_| members.next().is_none())
        };
        match self.0 {
            Value::String(name) => Ok(Variant { name, value: Value::Null }),
            Value::Object(members) => {
                let one = one(members).map(|(name, value)| Variant { name, value });
                one.ok_or_else(|| Error::custom("expected one member"))
            }
            other => Err(wrong(&other, "a variant")),
        }
    }
}

fn wrong(found: &Value, expected: &str) -> Error {
    let found = match found {
        Value::Null => Unexpected::Unit,
        Value::Bool(truth) => Unexpected::Bool(*truth),
        Value::Number(_) => Unexpected::Other("number"),
        Value::String(text) => Unexpected::Str(text),
        Value::Array(_) => Unexpected::Seq,
        Value::Object(_) => Unexpected::Map,
    };
    Error::invalid_type(found, &expected)
}

/// What serde_json does well.
macro_rules! as_serde_json {
    ($($method:ident)*) => {
        $(fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
            self.0.$method(visitor)
        })*
    };
}

impl<'de> Deserializer<'de> for Tree {
    type Error = Error;

    as_serde_json! {
        deserialize_bool deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64
    }

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Array(_) => self.deserialize_seq(visitor),
            Value::Object(_) => self.deserialize_map(visitor),
            plain => plain.deserialize_any(visitor),
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_string(self.text()?)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_string(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        match self.0 {
            Value::Null => visitor.visit_none(),
            value => visitor.visit_some(Tree(value)),
        }
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &str,
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        let mut elements = self.elements()?;
        let read = visitor.visit_seq(&mut elements)?;
        elements.end().map(|()| read)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_map(self.members()?)
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &str,
        _: &[&str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &str,
        _: &[&str],
        visitor: V,
    ) -> Result<V::Value, Error> {
        visitor.visit_enum(self.variant()?)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, Error> {
        visitor.visit_unit()
    }

    forward_to_deserialize_any! {
        i128 u128 f32 f64 char bytes byte_buf unit unit_struct tuple identifier
    }
}

/// Those of a list.
struct Elements(vec::IntoIter<Value>);

impl Elements {
    /// All were read.
    fn end(&self) -> Result<(), Error> {
        if self.0.len() == 0 { Ok(()) } else { Err(Error::custom("the list is too long")) }
    }
}

impl<'de> SeqAccess<'de> for &mut Elements {
    type Error = Error;

    fn next_element_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        self.0.next().map(|value| seed.deserialize(Tree(value))).transpose()
    }
}

/// Those of an object.
struct Members {
    rest: map::IntoIter,
    /// Of the member whose name was read last.
    value: Option<Value>,
}

impl<'de> MapAccess<'de> for Members {
    type Error = Error;

    fn next_key_seed<S: DeserializeSeed<'de>>(
        &mut self,
        seed: S,
    ) -> Result<Option<S::Value>, Error> {
        let Some((name, value)) = self.rest.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(named(name)).map(Some)
    }

    fn next_value_seed<S: DeserializeSeed<'de>>(&mut self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(Tree(self.value.take().unwrap_or_default()))
    }
}

fn named(name: String) -> StringDeserializer<Error> {
    name.into_deserializer()
}

/// A variant of an enum with what belongs to it.
struct Variant {
    name: String,
    value: Value,
}

impl<'de> EnumAccess<'de> for Variant {
    type Error = Error;
    type Variant = Tree;

    fn variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<(S::Value, Tree), Error> {
        Ok((seed.deserialize(named(self.name))?, Tree(self.value)))
    }
}

impl<'de> VariantAccess<'de> for Tree {
    type Error = Error;

    fn unit_variant(self) -> Result<(), Error> {
        if self.0.is_null() { Ok(()) } else { Err(wrong(&self.0, "nothing")) }
    }

    fn newtype_variant_seed<S: DeserializeSeed<'de>>(self, seed: S) -> Result<S::Value, Error> {
        seed.deserialize(self)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, Error> {
        self.deserialize_seq(visitor)
    }

    fn struct_variant<V: Visitor<'de>>(self, _: &[&str], visitor: V) -> Result<V::Value, Error> {
        self.deserialize_map(visitor)
    }
}

#[cfg(test)]
mod tests {
    use serde::Serialize;

    use super::*;
    use crate::engine::sorted::SortedMap;

    /// Whatever records are made of.
    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Shape {
        Unit,
        New(Wrapped),
        Pair(i64, bool),
        Named {
            text: String,
            #[serde(default, skip_serializing_if = "Option::is_none")]
            number: Option<u8>,
            row: Row,
            map: SortedMap<String, Vec<u32>>,
        },
    }

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Wrapped(u16);

    #[derive(Debug, PartialEq, Serialize, Deserialize)]
    struct Row(String, #[serde(default, skip_serializing_if = "Option::is_none")] Option<u64>);

    fn why(batch: &str) -> String {
        records::<Shape>(batch).unwrap_err().to_string()
    }

    #[test]
    fn every_shape_is_read_as_it_was_written() {
        let map = [("b".to_owned(), vec![1, 2]), (String::new(), vec![])];
        let named = |number, last| Shape::Named {
            text: "\"ä\n".into(),
            number,
            row: Row("r".into(), last),
            map: map.clone().into_iter().collect(),
        };
        let shapes = vec![
            Shape::Unit,
            Shape::New(Wrapped(7)),
            Shape::Pair(-3, true),
            named(None, None),
            named(Some(255), Some(u64::MAX)),
        ];
        let text = serde_json::to_string(&shapes).unwrap();
        assert_eq!(records::<Shape>(&text).unwrap(), shapes);
        assert_eq!(records::<Shape>("[]").unwrap(), []);
    }

    #[test]
    fn what_a_later_version_added_to_an_object_is_passed_over() {
        let text = r#"[{"named": {"text": "t", "new": [{"a": 1}], "row": ["r"], "map": {}}}]"#;
        let read = records::<Shape>(text).unwrap();
        assert!(matches!(&read[..], [Shape::Named { number: None, .. }]), "{read:?}");
    }

    #[test]
    fn what_is_none_of_them_is_refused_with_the_reason() {
        for (batch, expected) in [
            (r#"["other"]"#, "unknown variant `other`"),
            (r#"[{"unit": null, "new": 7}]"#, "expected one member"),
            (r#"[{"new": null}]"#, "invalid type: null, expected u16"),
            (r#"[{"new": 65536}]"#, "expected u16"),
            (r#"[{"new": -1}]"#, "expected u16"),
            (r#"[{"pair": [1]}]"#, "invalid length 1"),
            (r#"[{"pair": [1, true, 2]}]"#, "the list is too long"),
            (r#"[{"pair": {"0": 1}}]"#, "expected a list"),
            (r#"[{"named": {"text": "t"}}]"#, "missing field `row`"),
            (r#"[{"named": {"text": 1}}]"#, "expected a text"),
            (r#"[{"named": ["t", null, ["r"], {}]}]"#, "expected an object"),
            (r#"[{"unit": 1}]"#, "expected nothing"),
            ("[1]", "expected a variant"),
            ("{}", "expected a sequence"),
            ("[", "EOF"),
        ] {
            assert!(why(batch).contains(expected), "{batch}: {}", why(batch));
        }
    }
}
