//! A map and a set that are sorted lists. Each kind of `BTreeMap` takes some kilobytes of the program, each kind
//! of these some hundred bytes.
//!
//! To look an entry up takes a few steps; to insert or remove one moves those behind it. With as many apps as
//! there may be that is 240 KB at most (values that are not small are in boxes), and as a rule nothing: what is new
//! has the greatest number, and comes last.

use std::borrow::Borrow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Entries in the order of their keys.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortedMap<K, V> {
    entries: Vec<(K, V)>,
}

impl<K, V> Default for SortedMap<K, V> {
    fn default() -> SortedMap<K, V> {
        SortedMap { entries: Vec::new() }
    }
}

impl<K: Ord, V> SortedMap<K, V> {
    fn find<Q: Ord + ?Sized>(&self, key: &Q) -> Result<usize, usize>
    where
        K: Borrow<Q>,
    {
        self.entries.binary_search_by(|(known, _)| known.borrow().cmp(key))
    }

    /// The value of a key.
    pub fn get<Q: Ord + ?Sized>(&self, key: &Q) -> Option<&V>
    where
        K: Borrow<Q>,
    {
        self.entries.get(self.find(key).ok()?).map(|(_, value)| value)
    }

    /// The value of a key, to be changed.
    pub fn get_mut<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<&mut V>
    where
        K: Borrow<Q>,
    {
        let place = self.find(key).ok()?;
        self.entries.get_mut(place).map(|(_, value)| value)
    }

    /// Whether there is such a key.
    pub fn contains_key<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.find(key).is_ok()
    }

    /// Sets the value of a key; the one before.
    pub fn insert(&mut self, key: K, value: V) -> Option<V> {
        match self.find(&key) {
            Ok(place) => {
                self.entries.get_mut(place).map(|entry| std::mem::replace(&mut entry.1, value))
            }
            Err(place) => {
                self.entries.insert(place, (key, value));
                None
            }
        }
    }

    /// Takes an entry out.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> Option<V>
    where
        K: Borrow<Q>,
    {
        let place = self.find(key).ok()?;
        Some(self.entries.remove(place).1)
    }

    /// Leaves those that `stays` picks.
    pub fn retain(&mut self, mut stays: impl FnMut(&K, &V) -> bool) {
        self.entries.retain(|(key, value)| stays(key, value));
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.entries.iter().map(|(_, value)| value)
    }

    /// The values, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.iter_mut().map(|(_, value)| value)
    }

    /// The values alone.
    pub fn into_values(self) -> impl Iterator<Item = V> {
        self.entries.into_iter().map(|(_, value)| value)
    }

    /// The keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.entries.iter().map(|(key, _)| key)
    }

    /// The entries in order.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// The entries in order, their values to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (&K, &mut V)> {
        self.entries.iter_mut().map(|(key, value)| (&*key, value))
    }

    /// The entries behind a key, or all.
    pub fn after<Q: Ord + ?Sized>(&self, key: Option<&Q>) -> impl Iterator<Item = (&K, &V)>
    where
        K: Borrow<Q>,
    {
        let before = key.map_or(0, |key| self.find(key).map_or_else(|place| place, |at| at + 1));
        self.iter().skip(before)
    }

    /// How many entries there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Changes the value of a key; where there is none, one that `fresh` makes.
    pub fn update(&mut self, key: K, fresh: impl FnOnce() -> V, change: impl FnOnce(&mut V)) {
        match self.find(&key) {
            Ok(place) => {
                if let Some((_, value)) = self.entries.get_mut(place) {
                    change(value);
                }
            }
            Err(place) => {
                let mut value = fresh();
                change(&mut value);
                self.entries.insert(place, (key, value));
            }
        }
    }
}

impl<K, V> SortedMap<K, V> {
    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

impl<K: Ord, V> FromIterator<(K, V)> for SortedMap<K, V> {
    /// Of several with the same key the last one stays.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> SortedMap<K, V> {
        let mut map = SortedMap::default();
        for (key, value) in entries {
            map.insert(key, value);
        }
        map
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

impl<K: Serialize + Ord, V: Serialize> Serialize for SortedMap<K, V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.iter())
    }
}

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Deserialize<'de> for SortedMap<K, V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<SortedMap<K, V>, D::Error> {
        deserializer.deserialize_map(Entries(PhantomData))
    }
}

/// Reads the entries of a map.
struct Entries<K, V>(PhantomData<(K, V)>);

impl<'de, K: Deserialize<'de> + Ord, V: Deserialize<'de>> Visitor<'de> for Entries<K, V> {
    type Value = SortedMap<K, V>;

    fn expecting(&self, formatter: &mut fmt::Formatter) -> fmt::Result {
        formatter.write_str("a map")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<SortedMap<K, V>, A::Error> {
        let mut map = SortedMap::default();
        while let Some((key, value)) = access.next_entry()? {
            map.insert(key, value);
        }
        Ok(map)
    }
}

/// Keys in order.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SortedSet<K> {
    keys: SortedMap<K, ()>,
}

impl<K> Default for SortedSet<K> {
    fn default() -> SortedSet<K> {
        SortedSet { keys: SortedMap::default() }
    }
}

impl<K: Ord> SortedSet<K> {
    /// Whether it is in it.
    pub fn contains<Q: Ord + ?Sized>(&self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.keys.contains_key(key)
    }

    /// Puts one in; whether it is new.
    pub fn insert(&mut self, key: K) -> bool {
        self.keys.insert(key, ()).is_none()
    }

    /// Takes one out; whether it was in it.
    pub fn remove<Q: Ord + ?Sized>(&mut self, key: &Q) -> bool
    where
        K: Borrow<Q>,
    {
        self.keys.remove(key).is_some()
    }

    /// All of them.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = &K> {
        self.keys.entries.iter().map(|(key, ())| key)
    }

    /// The first.
    pub fn first(&self) -> Option<&K> {
        self.iter().next()
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.keys.len()
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.keys.is_empty()
    }
}

impl<K: Ord> Extend<K> for SortedSet<K> {
    fn extend<I: IntoIterator<Item = K>>(&mut self, keys: I) {
        for key in keys {
            self.insert(key);
        }
    }
}

impl<K: Ord> FromIterator<K> for SortedSet<K> {
    fn from_iter<I: IntoIterator<Item = K>>(keys: I) -> SortedSet<K> {
        let mut set = SortedSet::default();
        set.extend(keys);
        set
    }
}

impl<K> IntoIterator for SortedSet<K> {
    type Item = K;
    type IntoIter = std::iter::Map<std::vec::IntoIter<(K, ())>, fn((K, ())) -> K>;

    fn into_iter(self) -> Self::IntoIter {
        self.keys.into_iter().map(|(key, ())| key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::{BTreeMap, BTreeSet};

    proptest! {
        #[test]
        fn it_does_what_a_map_does(steps in prop::collection::vec((0..3, 0u8..12, 0u8..9), 0..60)) {
            let mut map = SortedMap::default();
            let mut model = BTreeMap::new();
            for (what, key, value) in steps {
                match what {
                    0 => {
                        map.insert(key, value);
                        model.insert(key, value);
                    }
                    1 => prop_assert_eq!(map.remove(&key), model.remove(&key)),
                    _ => {
                        map.update(key, || value, |known| *known += 1);
                        *model.entry(key).or_insert(value) += 1;
                    }
                }
                prop_assert!(map.iter().eq(model.iter()));
                prop_assert_eq!(map.get(&key), model.get(&key));
            }
            for key in 0..12 {
                prop_assert!(map.after(Some(&key)).eq(model.range(key + 1..)));
            }
            prop_assert!(map.after::<u8>(None).eq(&model));
            let text = serde_json::to_string(&model).unwrap();
            prop_assert_eq!(&serde_json::to_string(&map).unwrap(), &text);
            prop_assert_eq!(&serde_json::from_str::<SortedMap<u8, u8>>(&text).unwrap(), &map);
            let pairs: Vec<(u8, u8)> = model.into_iter().rev().collect();
            prop_assert_eq!(pairs.into_iter().collect::<SortedMap<_, _>>(), map);
        }

        #[test]
        fn a_set_does_what_a_set_does(steps in prop::collection::vec((any::<bool>(), 0u8..12), 0..60)) {
            let mut set = SortedSet::default();
            let mut model = BTreeSet::new();
            for (insert, key) in steps {
                if insert {
                    prop_assert_eq!(set.insert(key), model.insert(key));
                } else {
                    prop_assert_eq!(set.remove(&key), model.remove(&key));
                }
                prop_assert!(set.iter().eq(model.iter()));
                prop_assert_eq!(set.contains(&key), model.contains(&key));
                prop_assert_eq!((set.len(), set.is_empty()), (model.len(), model.is_empty()));
            }
            prop_assert_eq!(model.into_iter().rev().collect::<SortedSet<_>>(), set);
        }
    }
}
