//! How long answers took, in steps.

/// The upper rims of the steps, in ms; the last step has none.
pub const BOUNDS_MS: [u32; 15] =
    [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000, 60_000];
/// How many steps there are.
pub(super) const STEPS: usize = BOUNDS_MS.len() + 1;

/// Which step a latency falls into.
pub(super) fn step(latency_ms: u32) -> usize {
    BOUNDS_MS.partition_point(|bound| *bound < latency_ms)
}

/// The latency in ms below which `share` (0 to 1) of the counted ones lie, within its step evenly
/// spread; `None` when nothing was counted.
pub(super) fn percentile(counts: &[u16; STEPS], share: f64) -> Option<u32> {
    let total: u32 = counts.iter().copied().map(u32::from).sum();
    let wanted = share * f64::from(total);
    let mut below = 0.0;
    let mut from = 0;
    for (count, to) in counts.iter().zip(BOUNDS_MS.into_iter().chain([BOUNDS_MS[STEPS - 2]])) {
        let count = f64::from(*count);
        if count > 0.0 && below + count >= wanted {
            let part = (wanted - below) / count;
            let ms = f64::from(from) + part * f64::from(to - from);
            return Some(ms.round() as u32);
        }
        below += count;
        from = to;
    }
    None
}

/// Answers by how long they took, for a Prometheus histogram.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Latencies {
    counts: [u32; STEPS],
    sum_ms: u64,
}

impl Latencies {
    /// Counts one.
    pub fn count(&mut self, latency_ms: u32) {
        if let Some(count) = self.counts.get_mut(step(latency_ms)) {
            *count = count.wrapping_add(1);
        }
        self.sum_ms = self.sum_ms.wrapping_add(u64::from(latency_ms));
    }

    /// How many took no longer than each of [`BOUNDS_MS`].
    pub fn up_to(&self) -> impl Iterator<Item = (u32, u64)> {
        let mut sum = 0;
        BOUNDS_MS.into_iter().zip(self.counts).map(move |(bound, count)| {
            sum += u64::from(count);
            (bound, sum)
        })
    }

    /// How many there were.
    pub fn total(&self) -> u64 {
        self.counts.iter().copied().map(u64::from).sum()
    }

    /// How long they took together, in ms.
    pub fn sum_ms(&self) -> u64 {
        self.sum_ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counted(latencies: &[u32]) -> [u16; STEPS] {
        let mut counts = [0; STEPS];
        for latency in latencies {
            counts[step(*latency)] += 1;
        }
        counts
    }

    #[test]
    fn a_percentile_lies_in_the_right_step() {
        assert_eq!(percentile(&[0; STEPS], 0.5), None);
        let latencies: Vec<u32> = (1..=100).collect();
        assert_eq!(percentile(&counted(&latencies), 0.5), Some(50));
        assert_eq!(percentile(&counted(&latencies), 0.95), Some(95));
        assert_eq!(percentile(&counted(&[90_000]), 0.95), Some(60_000));
        assert_eq!(percentile(&counted(&[0]), 0.95), Some(1));
    }

    #[test]
    fn a_rim_belongs_to_the_step_below() {
        let mut latencies = Latencies::default();
        for ms in [0, 1, 2, 3, 60_000, 60_001] {
            latencies.count(ms);
        }
        let up_to: Vec<_> = latencies.up_to().collect();
        assert_eq!(up_to[..3], [(1, 2), (2, 3), (5, 4)]);
        assert_eq!(up_to.last(), Some(&(60_000, 5)));
        assert_eq!((latencies.total(), latencies.sum_ms()), (6, 120_007));
    }
}
