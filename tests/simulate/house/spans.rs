//! Spans of time without overlaps, in order.

use crate::story::{Ms, Span};

/// No end: longer than any story.
pub(crate) const EVER: Ms = Ms::MAX;

/// From, and up to; what touches or overlaps is one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Spans(Vec<(Ms, Ms)>);

impl Spans {
    pub(crate) fn of(mut all: Vec<(Ms, Ms)>) -> Spans {
        all.sort_unstable();
        let mut merged: Vec<(Ms, Ms)> = Vec::new();
        for (from, until) in all {
            match merged.last_mut() {
                Some(last) if from <= last.1 => last.1 = last.1.max(until),
                _ => merged.push((from, until)),
            }
        }
        Spans(merged)
    }

    fn around(&self, at: Ms) -> Option<(Ms, Ms)> {
        let after = self.0.partition_point(|(from, _)| *from <= at);
        let last = self.0[..after].last().copied();
        last.filter(|(_, until)| at < *until)
    }

    pub(crate) fn contains(&self, at: Ms) -> bool {
        self.around(at).is_some()
    }

    /// The first time from `at` on that is in none of them.
    pub(crate) fn free_from(&self, at: Ms) -> Ms {
        self.around(at).map_or(at, |(_, until)| until)
    }

    /// As the story has them.
    pub(crate) fn told(&self, length: Ms) -> Vec<Span> {
        self.0.iter().map(|(from, until)| span(*from, *until, length)).collect()
    }
}

/// As the story has it: no end where that comes after the story's.
pub(crate) fn span(from: Ms, until: Ms, length: Ms) -> Span {
    Span { from, until: (until < length).then_some(until) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_overlaps_is_one() {
        let spans = Spans::of(vec![(50, 60), (10, 20), (15, 30), (30, 40), (70, EVER)]);
        assert_eq!(spans.0, [(10, 40), (50, 60), (70, EVER)]);
        assert_eq!(
            [9, 10, 39, 40, 55].map(|at| spans.contains(at)),
            [false, true, true, false, true]
        );
        assert_eq!([9, 15, 45, 50].map(|at| spans.free_from(at)), [9, 40, 45, 60]);
        assert_eq!(spans.free_from(100), EVER);
        assert_eq!(spans.told(1_000)[2], Span { from: 70, until: None });
    }
}
