//! What is on disk cannot change unmarked.
//!
//! A machine keeps what must outlive a power cut in a [`Ledger`]. It hands out no `&mut`: who changes
//! an entry does so inside [`Ledger::edit`], which compares what of it is on disk before and after.
//! So no call has to be remembered, and a check that changed nothing costs no write.
//!
//! Nothing is written here. A mark waits in memory until [`Ledger::take_changed`]; `record::keep` makes
//! records of what is marked, and the daemon writes them to the journal. "On disk" means here: there, or
//! there before anything that rests on it goes out. Who adds a member to a record adds it to
//! [`Kept::Facts`], too, or a change of it alone is not written.
//!
//! The queue of mails has marks of its own (`outbox::mails`): what a mail took in is written without
//! the rest of it.
//!
//! ```compile_fail
//! # use healthchecker::engine::ledger::Ledger;
//! # use healthchecker::engine::outbox::refusals::Refusal;
//! fn unmarked(ledger: &mut Ledger<String, Refusal>) {
//!     ledger.get(&"a@b.c".to_owned()).unwrap().mails = 7;
//! }
//! ```

use std::ops::Deref;

use super::sorted::SortedMap;

/// Something of which a part, or all, is on disk.
pub trait Kept {
    /// What of it is on disk, in so far as it tells a change. Made twice at each edit, and so at each
    /// check: small, or a [`Versioned::version`] of what is not.
    type Facts: PartialEq;
    /// What has to be written. A greater one covers every lesser one.
    type Mark: Copy + Ord;
    /// All of it has: the greatest mark.
    const WHOLE: Self::Mark;

    /// See [`Kept::Facts`].
    fn facts(&self) -> Self::Facts;

    /// What has to be written, when the facts before and after differ.
    fn mark(_before: &Self::Facts, _after: &Self::Facts) -> Self::Mark {
        Self::WHOLE
    }
}

/// Entries that are on disk, or will be before anything that rests on them goes out.
#[derive(Clone, Debug)]
pub struct Ledger<K, V: Kept> {
    /// In boxes: so the code of the map is there once, whatever is in it.
    entries: SortedMap<K, Box<V>>,
    /// By key. A turn changes few entries.
    changed: Vec<(K, V::Mark)>,
}

impl<K, V: Kept> Default for Ledger<K, V> {
    fn default() -> Self {
        Ledger { entries: SortedMap::default(), changed: Vec::new() }
    }
}

impl<K: Ord + Clone, V: Kept> Ledger<K, V> {
    /// One entry.
    pub fn get(&self, key: &K) -> Option<&V> {
        self.entries.get(key).map(Box::as_ref)
    }

    /// All entries, by key.
    pub fn iter(&self) -> impl DoubleEndedIterator<Item = (&K, &V)> {
        self.entries.iter().map(|(key, value)| (key, &**value))
    }

    /// All entries, by key.
    pub fn values(&self) -> impl DoubleEndedIterator<Item = &V> {
        self.entries.values().map(Box::as_ref)
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Adds an entry, or puts it in the place of another.
    pub fn insert(&mut self, key: K, value: V) {
        self.mark(&key, V::WHOLE);
        self.entries.insert(key, Box::new(value));
    }

    /// Takes an entry away.
    pub fn remove(&mut self, key: &K) -> Option<V> {
        let value = self.entries.remove(key)?;
        self.mark(key, V::WHOLE);
        Some(*value)
    }

    /// Changes an entry; `None` when there is none.
    pub fn edit<R>(&mut self, key: &K, change: impl FnOnce(&mut V) -> R) -> Option<R> {
        let (mut change, mut result) = (Some(change), None);
        self.compare(key, &mut |value| result = change.take().map(|change| change(value)));
        result
    }

    /// What [`Ledger::edit`] does, whatever the change: its code is there once.
    fn compare(&mut self, key: &K, change: &mut dyn FnMut(&mut V)) {
        let Some(value) = self.entries.get_mut(key) else { return };
        let before = value.facts();
        change(value);
        let after = value.facts();
        if before != after {
            self.mark(key, V::mark(&before, &after));
        }
    }

    fn mark(&mut self, key: &K, mark: V::Mark) {
        match self.changed.binary_search_by(|(changed, _)| changed.cmp(key)) {
            Ok(place) => {
                if let Some((_, marked)) = self.changed.get_mut(place) {
                    *marked = mark.max(*marked);
                }
            }
            Err(place) => self.changed.insert(place, (key.clone(), mark)),
        }
    }

    /// Adds an entry that was found on disk; it is not marked, for it is there.
    pub fn restore(&mut self, key: K, value: V) {
        self.entries.insert(key, Box::new(value));
    }

    /// Puts times right after the clock was set. They are not marked one by one: once the clock has
    /// settled, everything is written anew.
    pub fn put_right(&mut self, mut put_right: impl FnMut(&mut V)) {
        self.entries.values_mut().for_each(|value| put_right(value));
    }

    /// What has changed since this was called last, by key. An entry that is gone is among it, as a key
    /// that [`Ledger::get`] no longer finds.
    pub fn take_changed(&mut self) -> Vec<(K, V::Mark)> {
        std::mem::take(&mut self.changed)
    }
}

/// One thing that is on disk, as an entry of a [`Ledger`] is.
#[derive(Clone, Debug)]
pub struct Sole<V> {
    value: V,
    changed: bool,
}

impl<V: Kept> Sole<V> {
    /// One that is not on disk yet.
    pub fn new(value: V) -> Sole<V> {
        Sole { value, changed: true }
    }

    /// What it is.
    pub fn get(&self) -> &V {
        &self.value
    }

    /// Changes it.
    pub fn edit<R>(&mut self, change: impl FnOnce(&mut V) -> R) -> R {
        let before = self.value.facts();
        let result = change(&mut self.value);
        self.changed |= before != self.value.facts();
        result
    }

    /// See [`Ledger::put_right`].
    pub fn put_right(&mut self, put_right: impl FnOnce(&mut V)) {
        put_right(&mut self.value);
    }

    /// It, if it has changed since this was called last.
    pub fn take_changed(&mut self) -> Option<&V> {
        std::mem::take(&mut self.changed).then_some(&self.value)
    }
}

/// A value that is replaced as a whole, and tells by its version that it was: for what is too big to
/// be compared at each check.
#[derive(Clone, Debug)]
pub struct Versioned<T> {
    value: T,
    version: u32,
}

impl<T> Versioned<T> {
    /// The first version.
    pub fn new(value: T) -> Versioned<T> {
        Versioned { value, version: 0 }
    }

    /// Takes the place of the value, which is given back.
    pub fn replace(&mut self, value: T) -> T {
        self.version = self.version.wrapping_add(1);
        std::mem::replace(&mut self.value, value)
    }

    /// Another one for each value.
    pub fn version(&self) -> u32 {
        self.version
    }
}

impl<T> Deref for Versioned<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.value
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use proptest::prelude::*;

    use super::*;

    /// Ten is on disk as one; what is below ten is not.
    #[derive(Debug, PartialEq, Eq)]
    struct Tens(u32);

    impl Kept for Tens {
        type Facts = u32;
        type Mark = u8;
        const WHOLE: u8 = 9;

        fn facts(&self) -> u32 {
            self.0 / 10
        }

        fn mark(before: &u32, after: &u32) -> u8 {
            u8::from(after > before)
        }
    }

    fn marks(ledger: &mut Ledger<char, Tens>) -> Vec<(char, u8)> {
        ledger.take_changed().into_iter().collect()
    }

    #[test]
    fn whatever_changes_on_disk_is_marked_and_nothing_else() {
        let mut ledger = Ledger::default();
        assert!(ledger.is_empty());
        ledger.restore('a', Tens(1));
        assert!(!ledger.is_empty());
        assert_eq!(marks(&mut ledger), [], "it is there already");
        ledger.insert('b', Tens(1));
        assert_eq!(marks(&mut ledger), [('b', 9)]);
        ledger.edit(&'a', |tens| tens.0 = 9);
        assert_eq!(marks(&mut ledger), []);
        ledger.edit(&'a', |tens| tens.0 = 10);
        ledger.edit(&'a', |tens| tens.0 = 5);
        assert_eq!(marks(&mut ledger), [('a', 1)], "the greater mark stays");
        assert_eq!(ledger.edit(&'c', |tens| tens.0 = 70), None);
        assert_eq!(ledger.remove(&'c'), None);
        assert_eq!(marks(&mut ledger), []);
        ledger.remove(&'a');
        assert_eq!(marks(&mut ledger), [('a', 9)]);
    }

    #[test]
    fn each_value_has_a_version_of_its_own() {
        let mut value = Versioned::new(1);
        let before = value.version();
        assert_eq!(value.replace(1), 1);
        assert_ne!(value.version(), before);
    }

    #[derive(Clone, Debug)]
    enum Step {
        Insert(u8, u32),
        Edit(u8, u32),
        Remove(u8),
        Write,
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            (0..4u8, 0..40u32).prop_map(|(key, value)| Step::Insert(key, value)),
            (0..4u8, 0..40u32).prop_map(|(key, value)| Step::Edit(key, value)),
            (0..4u8).prop_map(Step::Remove),
            Just(Step::Write),
        ]
    }

    proptest! {
        /// A disk that takes what is marked, and nothing else, holds all that counts.
        #[test]
        fn whoever_writes_what_is_marked_has_everything(steps in prop::collection::vec(step(), 0..60)) {
            let mut ledger: Ledger<u8, Tens> = Ledger::default();
            let mut disk: BTreeMap<u8, u32> = BTreeMap::new();
            for step in steps.into_iter().chain([Step::Write]) {
                match step {
                    Step::Insert(key, value) => ledger.insert(key, Tens(value)),
                    Step::Edit(key, value) => _ = ledger.edit(&key, |tens| tens.0 = value),
                    Step::Remove(key) => _ = ledger.remove(&key),
                    Step::Write => {
                        for (key, _) in ledger.take_changed() {
                            match ledger.get(&key) {
                                Some(tens) => disk.insert(key, tens.facts()),
                                None => disk.remove(&key),
                            };
                        }
                        let held = ledger.iter().map(|(key, tens)| (*key, tens.facts()));
                        prop_assert!(held.eq(disk.iter().map(|(key, tens)| (*key, *tens))));
                    }
                }
            }
        }
    }
}
