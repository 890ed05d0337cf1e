//! When to check, so that the checks of many apps do not fall together.

use std::time::Duration;

use crate::engine::time::Moment;

/// The window is looked at in so many steps: 10 ms each for an interval of 5 s.
const STEPS: usize = 250;
/// The stretch that is kept from being crowded: any 100 ms, wherever they begin, for an interval of 5 s.
const REACH: usize = 11;
/// The window, and the checks before and after it that lie within reach of it.
const ALL: usize = STEPS + 2 * REACH;
/// Checks of one step are set apart by the golden ratio, which spreads any number of them evenly.
const GOLDEN: f64 = 0.618_033_988_749_895;

/// An app that is checked already: when it is due next, and then every `interval`.
#[derive(Clone, Copy, Debug)]
pub struct Series {
    /// The next check.
    pub due: Moment,
    /// The span between two checks.
    pub interval: Duration,
}

/// The least busy moment of `from .. from + window`, given the apps that are checked already; the
/// earliest of several that are equally calm.
pub fn least_busy(from: Moment, window: Duration, series: impl Iterator<Item = Series>) -> Moment {
    let step = (window.as_millis() as u64 / STEPS as u64).max(1);
    let first = from.as_millis().saturating_sub(REACH as u64 * step);
    let mut checks = [0u32; ALL];
    for series in series {
        for due in passages(series, first, first + ALL as u64 * step) {
            if let Some(count) = checks.get_mut(((due - first) / step) as usize) {
                *count += 1;
            }
        }
    }
    let calm =
        (REACH..REACH + STEPS).min_by_key(|place| (crowd(&checks, *place), load(&checks, *place)));
    let place = calm.unwrap_or(REACH);
    let there = checks.get(place).copied().unwrap_or_default();
    let within = golden_share(there) * step as f64;
    Moment::from_millis(from.as_millis() + (place - REACH) as u64 * step + within as u64)
}

/// A share of 1 for the `number`th, far from those of the numbers before it.
fn golden_share(number: u32) -> f64 {
    (f64::from(number) * GOLDEN).fract()
}

/// The most checks in any stretch of [`REACH`] steps that holds `place`.
fn crowd(checks: &[u32], place: usize) -> u32 {
    let around = checks.get(place + 1 - REACH..place + REACH).unwrap_or_default();
    around.windows(REACH).map(|stretch| stretch.iter().sum()).max().unwrap_or_default()
}

/// The checks around `place`, the nearer the (more than proportionally) heavier: decides among places that are equally
/// crowded.
fn load(checks: &[u32], place: usize) -> u32 {
    let around = checks.iter().enumerate().skip(place + 1 - REACH).take(2 * REACH - 1);
    around.map(|(at, count)| count * (REACH - at.abs_diff(place)).pow(2) as u32).sum()
}

/// The moment for the `number`th of `count` apps of one interval that all start at once: evenly.
pub fn even(from: Moment, interval: Duration, number: usize, count: usize) -> Moment {
    let share = (number as f64 + 0.5) / count.max(1) as f64;
    from + interval.mul_f64(share.min(1.0))
}

/// The checks of a series within `from .. to`.
fn passages(series: Series, from: u64, to: u64) -> impl Iterator<Item = u64> {
    let interval = (series.interval.as_millis() as u64).max(1);
    let due = series.due.as_millis();
    let first = due + from.saturating_sub(due).div_ceil(interval) * interval;
    std::iter::successors(Some(first), move |due| Some(due + interval))
        .take_while(move |due| *due < to)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn most_within(dues: &[Moment], interval: Duration, span: u64) -> usize {
        let period = interval.as_millis() as u64;
        let mut phases: Vec<u64> = dues.iter().map(|due| due.as_millis() % period).collect();
        phases.extend(phases.clone().iter().map(|phase| phase + period));
        phases.sort_unstable();
        phases
            .iter()
            .map(|from| phases.iter().filter(|p| (*from..from + span).contains(p)).count())
            .max()
            .unwrap()
    }

    fn register(count: usize, gap_ms: u64, interval: Duration) -> Vec<Moment> {
        let mut dues = Vec::new();
        for number in 0..count as u64 {
            let now = Moment::from_millis(1_000 + number * gap_ms);
            let series = dues.iter().map(|due| Series { due: *due, interval });
            dues.push(least_busy(now + interval / 2, interval / 2, series));
        }
        dues
    }

    #[test]
    fn a_hundred_apps_at_once_put_at_most_five_checks_into_100_ms() {
        let interval = Duration::from_secs(5);
        for gap_ms in [0, 1, 7, 50, 333] {
            let dues = register(100, gap_ms, interval);
            let most = most_within(&dues, interval, 100);
            assert!(most <= 5, "{most} when registered every {gap_ms} ms");
        }
    }

    #[test]
    fn more_apps_than_there_are_steps_have_a_moment_each() {
        let dues = register(2 * STEPS, 0, Duration::from_secs(3600));
        assert_eq!(dues.into_iter().collect::<BTreeSet<_>>().len(), 2 * STEPS);
    }

    #[test]
    fn the_first_app_is_not_kept_waiting() {
        let from = Moment::from_millis(77);
        assert_eq!(least_busy(from, Duration::from_secs(1), std::iter::empty()), from);
    }

    #[test]
    fn a_slow_app_keeps_away_from_the_quick_ones() {
        let quick = Series { due: Moment::from_millis(1_000), interval: Duration::from_secs(5) };
        let from = Moment::from_millis(150_900);
        let due = least_busy(from, Duration::from_millis(250), [quick].into_iter());
        assert!(due.as_millis().abs_diff(151_000) >= 9, "{due:?}");
    }

    #[test]
    fn a_check_weighs_on_its_neighbourhood_and_the_nearer_the_more() {
        let place = 2 * REACH;
        let weigh = |at: usize| {
            let mut checks = [0u32; ALL];
            checks[at] = 1;
            (crowd(&checks, place), load(&checks, place))
        };
        let reach = REACH as u32;
        assert_eq!(weigh(place), (1, reach * reach));
        for near in [place + REACH - 1, place + 1 - REACH] {
            assert_eq!(weigh(near), (1, 1));
        }
        for far in [place + REACH, place - REACH] {
            assert_eq!(weigh(far), (0, 0));
        }
    }

    #[test]
    fn apps_that_start_together_are_spread_over_their_interval() {
        let interval = Duration::from_secs(10);
        let dues: Vec<u64> =
            (0..4).map(|n| even(Moment::from_millis(0), interval, n, 4).as_millis()).collect();
        assert_eq!(dues, [1_250, 3_750, 6_250, 8_750]);
    }
}
