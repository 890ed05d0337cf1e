//! A map for few entries, or for some that come and go together: a sorted list. Each kind of `BTreeMap` takes
//! some kilobytes of the program, each kind of this one some hundred bytes.

/// Entries in the order of their keys. To look one up takes a few steps, to insert or remove one moves
/// those behind it.
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
    fn find(&self, key: &K) -> Result<usize, usize> {
        self.entries.binary_search_by(|(known, _)| known.cmp(key))
    }

    /// The value of a key.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(self.find(key).ok()?).map(|(_, value)| value)
    }

    /// The value of a key, to be changed.
    pub fn get_mut(&mut self, key: &K) -> Option<&mut V> {
        let place = self.find(key).ok()?;
        self.entries.get_mut(place).map(|(_, value)| value)
    }

    /// Whether there is such a key.
    pub fn contains_key(&self, key: &K) -> bool {
        self.find(key).is_ok()
    }

    /// Sets the value of a key.
    pub fn insert(&mut self, key: K, value: V) {
        match self.find(&key) {
            Ok(place) => {
                if let Some(entry) = self.entries.get_mut(place) {
                    entry.1 = value;
                }
            }
            Err(place) => self.entries.insert(place, (key, value)),
        }
    }

    /// Takes an entry out.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let place = self.find(key).ok()?;
        Some(self.entries.remove(place).1)
    }

    /// The values in the order of their keys.
    pub fn values(&self) -> impl Iterator<Item = &V> {
        self.entries.iter().map(|(_, value)| value)
    }

    /// The values, to be changed.
    pub fn values_mut(&mut self) -> impl Iterator<Item = &mut V> {
        self.entries.iter_mut().map(|(_, value)| value)
    }

    /// The keys in order.
    pub fn keys(&self) -> impl Iterator<Item = &K> {
        self.entries.iter().map(|(key, _)| key)
    }

    /// The entries in order.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, value)| (key, value))
    }

    /// Whether there is no entry.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
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

impl<K: Ord, V> FromIterator<(K, V)> for SortedMap<K, V> {
    /// Of several with the same key the first one stays.
    fn from_iter<I: IntoIterator<Item = (K, V)>>(entries: I) -> SortedMap<K, V> {
        let mut entries: Vec<(K, V)> = entries.into_iter().collect();
        entries.sort_by(|(one, _), (other, _)| one.cmp(other));
        entries.dedup_by(|later, first| later.0 == first.0);
        SortedMap { entries }
    }
}

impl<K, V> IntoIterator for SortedMap<K, V> {
    type Item = (K, V);
    type IntoIter = std::vec::IntoIter<(K, V)>;

    fn into_iter(self) -> Self::IntoIter {
        self.entries.into_iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::BTreeMap;

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
            let pairs: Vec<(u8, u8)> = model.into_iter().rev().collect();
            prop_assert_eq!(pairs.into_iter().collect::<SortedMap<_, _>>(), map);
        }
    }
}
