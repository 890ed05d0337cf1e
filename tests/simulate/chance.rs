//! Chance from seeds: each purpose has a stream of its own, so that what is switched off changes
//! nothing else.

use std::ops::RangeInclusive;

use super::story::Ms;

/// A year of 365 days.
pub(crate) const YEAR: Ms = 365 * DAY;
pub(crate) const DAY: Ms = 24 * HOUR;
pub(crate) const HOUR: Ms = 60 * MINUTE;
pub(crate) const MINUTE: Ms = 60 * SECOND;
pub(crate) const SECOND: Ms = 1_000;

/// A stream of random numbers (SplitMix64, Steele and others 2014).
#[derive(Clone, Debug)]
pub(crate) struct Chance(u64);

/// A number for a number, with every bit of the one in every bit of the other.
pub(crate) fn mix(number: u64) -> u64 {
    let mixed = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ (mixed >> 31)
}

impl Chance {
    /// The stream of one purpose, for the one of its subjects that has this number.
    pub(crate) fn of(seed: u64, purpose: &str, subject: usize) -> Chance {
        let letters = purpose.bytes().fold(0xcbf2_9ce4_8422_2325, |sum: u64, letter| {
            (sum ^ u64::from(letter)).wrapping_mul(0x0100_0000_01b3)
        });
        Chance(mix(mix(mix(seed) ^ letters).wrapping_add(subject as u64)))
    }

    /// Any number.
    pub(crate) fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mix(self.0)
    }

    /// From 0 up to 1.
    pub(crate) fn share(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Whether it happens that happens in this share of all cases.
    pub(crate) fn happens(&mut self, share: f64) -> bool {
        self.share() < share
    }

    pub(crate) fn between(&mut self, range: RangeInclusive<u64>) -> u64 {
        range.start() + self.number() % (range.end() - range.start() + 1)
    }

    /// As often from 1 to 10 as from 10 to 100: as things last.
    pub(crate) fn lasting(&mut self, range: RangeInclusive<Ms>) -> Ms {
        let (least, most) = (*range.start() as f64, *range.end() as f64);
        (least * (most / least).powf(self.share())) as Ms
    }

    /// How long until the next of what happens so often a year on average; `None` if it never does.
    pub(crate) fn gap(&mut self, per_year: f64) -> Option<Ms> {
        let gap = -(1.0 - self.share()).ln() / per_year * YEAR as f64;
        // What is thirty thousand years away never happens.
        (per_year > 0.0 && gap < 1e15).then_some(gap as Ms)
    }

    /// When it happens that happens so often a year on average, up to the end.
    pub(crate) fn times(&mut self, per_year: f64, end: Ms) -> Vec<Ms> {
        let mut times = Vec::new();
        let mut at = 0;
        while let Some(gap) = self.gap(per_year) {
            at += gap.max(1);
            if at >= end {
                break;
            }
            times.push(at);
        }
        times
    }

    pub(crate) fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.index(all.len())]
    }

    /// The place of one of so many.
    pub(crate) fn index(&mut self, of: usize) -> usize {
        (self.number() % of as u64) as usize
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn streams_are_the_same_from_the_same_seed_and_differ_by_purpose_and_subject() {
        let first = |seed, purpose, subject| Chance::of(seed, purpose, subject).number();
        assert_eq!(first(1, "crash", 0), first(1, "crash", 0));
        let all =
            [first(1, "crash", 0), first(2, "crash", 0), first(1, "hang", 0), first(1, "crash", 1)];
        let different: std::collections::BTreeSet<u64> = all.into_iter().collect();
        assert_eq!(different.len(), 4);
    }

    #[test]
    fn what_happens_so_often_a_year_does() {
        let mut chance = Chance::of(3, "test", 0);
        let times = chance.times(12.0, 100 * YEAR);
        assert!((1_050..1_350).contains(&times.len()), "{}", times.len());
        assert!(times.is_sorted() && times.iter().all(|at| *at < 100 * YEAR));
        assert!(chance.times(0.0, YEAR).is_empty());
    }

    #[test]
    fn what_lasts_stays_in_its_range() {
        let mut chance = Chance::of(4, "test", 0);
        for _ in 0..1_000 {
            assert!((SECOND..=HOUR).contains(&chance.lasting(SECOND..=HOUR)));
            assert!((3..=5).contains(&chance.between(3..=5)));
        }
    }
}
