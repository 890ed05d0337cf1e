//! Small numbers in few bytes.

use std::collections::VecDeque;

/// Memory is taken in such steps: a queue that doubled would waste half of it.
const STEP: usize = 64;
/// Bits of a number in a byte; the eighth says that more follow (LEB128).
const BITS: u32 = 7;
const MORE: u8 = 0x80;
/// The bytes of the greatest number.
const WIDEST: usize = 5;

/// Rows of `N` numbers, oldest first, each number in as few bytes as it takes.
#[derive(Clone, Debug, Default)]
pub(super) struct Packed<const N: usize> {
    bytes: VecDeque<u8>,
    rows: usize,
}

impl<const N: usize> Packed<N> {
    /// Adds a row at the end.
    pub(super) fn push(&mut self, row: [u32; N]) {
        for mut number in row {
            if self.bytes.capacity() - self.bytes.len() < WIDEST {
                self.bytes.reserve_exact(STEP);
            }
            while number >= u32::from(MORE) {
                self.bytes.push_back(number as u8 | MORE);
                number >>= BITS;
            }
            self.bytes.push_back(number as u8);
        }
        self.rows += 1;
    }

    /// Takes the oldest row out.
    pub(super) fn pop(&mut self) -> Option<[u32; N]> {
        let row = self.iter().next()?;
        let width: usize = row.iter().map(|number| width(*number)).sum();
        self.bytes.drain(..width.min(self.bytes.len()));
        self.rows = self.rows.saturating_sub(1);
        Some(row)
    }

    /// All rows.
    pub(super) fn iter(&self) -> impl Iterator<Item = [u32; N]> {
        self.rows_from(0)
    }

    /// The newest rows, so many at the most: the others are not looked at.
    pub(super) fn newest(&self, rows: usize) -> impl Iterator<Item = [u32; N]> {
        // The last byte of each number tells it from the next.
        let ends = self.bytes.iter().enumerate().rev().filter(|(_, byte)| **byte & MORE == 0);
        let before = ends.map(|(place, _)| place).nth(rows.saturating_mul(N));
        self.rows_from(before.map_or(0, |place| place + 1))
    }

    fn rows_from(&self, place: usize) -> impl Iterator<Item = [u32; N]> {
        let mut bytes = self.bytes.range(place..);
        std::iter::from_fn(move || {
            let mut row = [0; N];
            for number in &mut row {
                *number = next_number(&mut bytes)?;
            }
            Some(row)
        })
    }

    /// How many rows there are.
    pub(super) fn rows(&self) -> usize {
        self.rows
    }

    /// How many bytes they take.
    pub(super) fn bytes(&self) -> usize {
        self.bytes.len()
    }
}

fn next_number<'a>(bytes: &mut impl Iterator<Item = &'a u8>) -> Option<u32> {
    let mut number = 0;
    for shift in (0..u32::BITS).step_by(BITS as usize) {
        let byte = *bytes.next()?;
        number |= u32::from(byte & !MORE) << shift;
        if byte & MORE == 0 {
            return Some(number);
        }
    }
    Some(number)
}

fn width(number: u32) -> usize {
    (u32::BITS - number.leading_zeros()).div_ceil(BITS).max(1) as usize
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn what_goes_in_comes_out(rows in prop::collection::vec(any::<[u32; 3]>(), 0..20), gone in 0usize..25) {
            let mut packed = Packed::<3>::default();
            for row in &rows {
                packed.push(*row);
            }
            for n in 0..gone {
                prop_assert_eq!(packed.pop(), rows.get(n).copied());
            }
            let left: Vec<_> = rows.into_iter().skip(gone).collect();
            prop_assert_eq!(packed.rows(), left.len());
            prop_assert_eq!(packed.iter().collect::<Vec<_>>(), left.clone());
            for count in 0..left.len() + 2 {
                let newest: Vec<_> = packed.newest(count).collect();
                prop_assert_eq!(&newest, &left[left.len().saturating_sub(count)..]);
            }
        }
    }

    #[test]
    fn small_numbers_are_small_and_no_memory_is_wasted() {
        let mut packed = Packed::<2>::default();
        for _ in 0..1100 {
            packed.push([60, 41 * 3]);
        }
        assert_eq!(packed.bytes(), 2200);
        assert!(packed.bytes.capacity() <= 2200 + 2 * STEP, "{}", packed.bytes.capacity());
    }
}
