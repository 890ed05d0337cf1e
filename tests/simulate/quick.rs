//! What the simulation does for each of millions of checks, done quickly: looks addresses up, and the soonest of
//! several times.

use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

/// A map by addresses: nobody chooses them here so that they fall together.
pub(crate) type QuickMap<V> = HashMap<String, V, BuildHasherDefault<Quick>>;

/// Mixes eight bytes at a time.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Quick(u64);

/// Odd, with its bits well spread: the golden ratio.
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

impl Quick {
    fn mix(&mut self, word: u64) {
        self.0 = (self.0.rotate_left(5) ^ word).wrapping_mul(SPREAD);
    }
}

impl Hasher for Quick {
    fn write(&mut self, bytes: &[u8]) {
        let (words, rest) = bytes.as_chunks::<8>();
        words.iter().for_each(|word| self.mix(u64::from_le_bytes(*word)));
        rest.iter().for_each(|byte| self.mix(u64::from(*byte)));
    }

    fn finish(&self) -> u64 {
        // A map looks at the highest bits, and at the lowest.
        self.0 ^ (self.0 >> 32)
    }
}

/// The earlier of two times.
pub(crate) fn earlier<T: Ord>(one: Option<T>, other: Option<T>) -> Option<T> {
    match (one, other) {
        (Some(one), Some(other)) => Some(one.min(other)),
        (one, other) => one.or(other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_address_has_its_place() {
        let url = |n: usize| format!("http://192.168.{}.{}:80{n:02}/health", n / 250, n % 250);
        let map: QuickMap<usize> = (0..5_000).map(|n| (url(n), n)).collect();
        assert!((0..5_000).all(|n| map.get(&url(n)) == Some(&n)));
        assert_eq!(map.get("http://192.168.0.1:8001/healt"), None);
    }

    #[test]
    fn the_earlier_of_two() {
        assert_eq!(earlier(Some(3), Some(2)), Some(2));
        assert_eq!((earlier(None, Some(2)), earlier(Some(3), None)), (Some(2), Some(3)));
        assert_eq!(earlier::<u64>(None, None), None);
    }
}
