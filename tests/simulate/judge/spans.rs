//! Spans of time, many of them: united, searched, measured.

use crate::story::{Ms, Span};

impl Span {
    /// Its end, or the end of time.
    pub(super) fn end(self) -> Ms {
        self.until.unwrap_or(Ms::MAX)
    }

    pub(super) fn holds(self, at: Ms) -> bool {
        self.from <= at && at < self.end()
    }
}

/// The same time in as few spans as can be, in order.
pub(super) fn united(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_by_key(|span| span.from);
    let mut united: Vec<Span> = Vec::with_capacity(spans.len());
    for span in spans {
        match united.last_mut().filter(|last| last.end() >= span.from) {
            Some(last) if span.end() > last.end() => last.until = span.until,
            Some(_) => {}
            None => united.push(span),
        }
    }
    united
}

/// The time that is in both, which are [`united`].
pub(super) fn common(some: &[Span], others: &[Span]) -> Vec<Span> {
    let mut common = Vec::new();
    for span in some {
        for other in between(others, span.from, span.end()) {
            let until = span.end().min(other.end());
            let until = (until < Ms::MAX).then_some(until);
            common.push(Span { from: span.from.max(other.from), until });
        }
    }
    common
}

/// Those of `spans`, which are [`united`], that have a part between two times.
pub(super) fn between(spans: &[Span], from: Ms, until: Ms) -> &[Span] {
    let first = spans.partition_point(|span| span.end() <= from);
    let last = spans.partition_point(|span| span.from < until);
    spans.get(first..last).unwrap_or_default()
}

/// How much of the time between two is in `spans`, which are [`united`].
pub(super) fn covered(spans: &[Span], from: Ms, until: Ms) -> Ms {
    let parts = between(spans, from, until).iter();
    parts.map(|span| span.end().min(until) - span.from.max(from)).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_is_counted_once() {
        let span = |from, until| Span { from, until };
        let spans = united(vec![
            span(50, Some(60)),
            span(10, Some(20)),
            span(15, Some(30)),
            span(30, Some(31)),
            span(70, None),
            span(80, Some(90)),
        ]);
        assert_eq!(spans, [span(10, Some(31)), span(50, Some(60)), span(70, None)]);
        assert_eq!(covered(&spans, 0, 100), 21 + 10 + 30);
        assert_eq!(covered(&spans, 20, 55), 11 + 5);
        assert_eq!(covered(&spans, 31, 50), 0);
        assert_eq!(between(&spans, 60, 70), []);
    }
}
