//! Rounds: moments that several apps share, so that their checks wake the machine once.
//!
//! An app is first given a moment of its own, as far from the others as can be. When it turns out to be quick it joins
//! others that are: those of one interval that are due together are made in a row by one thread.
//! An app that is slow keeps away from them.

use std::time::Duration;

use crate::engine::time::Moment;

/// So many checks a round may always have: any 100 ms have that many at most, while rounds have room to be apart.
const ROOM: usize = 10;
/// With many apps a round has what falls due in so long on average, ...
const SPAN: Duration = Duration::from_millis(150);
/// ... up to this: no more are made at once, and each waits for those before it.
const ROOM_MAX: usize = 30;
/// Another round keeps away from those there are by this share of the interval, ...
const APART: u32 = 50;
/// ... and by this at least: a machine that is late by some milliseconds must not make one of two.
const APART_MIN: Duration = Duration::from_millis(310);
/// Where it cannot, so many places are looked at: one each 20 ms, for an interval of 5 s.
const PLACES: u32 = 128;

/// Apps that are due together, every `interval`.
#[derive(Clone, Copy, Debug)]
struct Round {
    interval: Duration,
    /// When it was due at some time.
    due: Moment,
    apps: usize,
}

/// All rounds there are.
#[derive(Debug, Default)]
pub(super) struct Rounds(Vec<Round>);

impl Rounds {
    /// An app is due at `due`, and every `interval`, with those that are already.
    pub(super) fn join(&mut self, interval: Duration, due: Moment) {
        match self.place(interval, due).and_then(|place| self.0.get_mut(place)) {
            Some(round) => round.apps += 1,
            None => self.0.push(Round { interval, due, apps: 1 }),
        }
    }

    /// It is not any more.
    pub(super) fn leave(&mut self, interval: Duration, due: Moment) {
        let Some(place) = self.place(interval, due) else { return };
        let Some(round) = self.0.get_mut(place) else { return };
        round.apps -= 1;
        if round.apps == 0 {
            self.0.swap_remove(place);
        }
    }

    /// When the round comes in `from ..= from + window` that has the most apps and room for one more, where no more than
    /// `workers` checks can be made at once.
    pub(super) fn with_room(
        &self,
        interval: Duration,
        (from, window): (Moment, Duration),
        workers: usize,
    ) -> Option<Moment> {
        let room = self.room(interval).min(workers);
        let rounds = self.of(interval).filter(|round| round.apps < room);
        let comes = rounds.map(|round| (round.apps, next(*round, from)));
        let in_time = comes.filter(|(_, due)| due.since(from) <= window);
        // The soonest of several that are as full.
        in_time.max_by_key(|(apps, due)| (*apps, std::cmp::Reverse(*due))).map(|(_, due)| due)
    }

    /// The moment for another round, of an app that is due at `own`: that, if it is far enough from the others. Else the
    /// one of `from ..= from + window` that is farthest, so that they do not hang together.
    pub(super) fn apart(
        &self,
        interval: Duration,
        own: Moment,
        (from, window): (Moment, Duration),
    ) -> Moment {
        let distance = |at: Moment| {
            let until = self.of(interval).map(|round| next(*round, at).since(at));
            until.map(|until| until.min(interval.saturating_sub(until))).min().unwrap_or(interval)
        };
        if distance(own) >= (interval / APART).max(APART_MIN) {
            return own;
        }
        let places = (0..=PLACES).map(|number| from + window * number / PLACES);
        places.max_by_key(|at| distance(*at)).unwrap_or(own)
    }

    /// Whether these, each by its interval and when it is due, are all that share rounds.
    #[cfg(test)]
    pub(super) fn are_of(&self, apps: impl Iterator<Item = (Duration, Moment)>) -> bool {
        let mut expected = Rounds::default();
        apps.for_each(|(interval, due)| expected.join(interval, due));
        let is_there = |round: &Round| {
            let place = expected.place(round.interval, round.due);
            place.and_then(|place| expected.0.get(place)).is_some_and(|it| it.apps == round.apps)
        };
        self.0.len() == expected.0.len() && self.0.iter().all(is_there)
    }

    fn of(&self, interval: Duration) -> impl Iterator<Item = &Round> {
        self.0.iter().filter(move |round| round.interval == interval)
    }

    fn place(&self, interval: Duration, due: Moment) -> Option<usize> {
        let is_it = |round: &Round| round.interval == interval && next(*round, due) == due;
        self.0.iter().position(is_it)
    }

    /// How many apps a round of this interval may have.
    fn room(&self, interval: Duration) -> usize {
        let apps: usize = self.of(interval).map(|round| round.apps).sum();
        let on_average = apps as u128 * SPAN.as_millis() / interval.as_millis().max(1);
        usize::try_from(on_average).unwrap_or(ROOM_MAX).clamp(ROOM, ROOM_MAX)
    }
}

/// When a round is due first, `from` then on.
fn next(round: Round, from: Moment) -> Moment {
    let interval = (round.interval.as_millis() as u64).max(1);
    let (from, due) = (from.as_millis(), round.due.as_millis());
    let ahead = (due % interval + interval - from % interval) % interval;
    Moment::from_millis(from + ahead)
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(10);
    const WINDOW: Duration = Duration::from_secs(5);

    fn ms(ms: u64) -> Moment {
        Moment::from_millis(ms)
    }

    fn with(rounds: &[(u64, usize)]) -> Rounds {
        let mut all = Rounds::default();
        for (due, apps) in rounds {
            (0..*apps).for_each(|_| all.join(INTERVAL, ms(*due)));
        }
        all
    }

    fn with_room(rounds: &Rounds, from: u64) -> Option<u64> {
        Some(rounds.with_room(INTERVAL, (ms(from), WINDOW), 32)?.as_millis())
    }

    #[test]
    fn the_fullest_round_with_room_is_joined_when_it_comes_next() {
        let rounds = with(&[(1_000, 3), (2_000, 9), (3_000, 10), (8_000, 9)]);
        assert_eq!(with_room(&rounds, 100_500), Some(102_000));
        assert_eq!(with_room(&rounds, 102_000), Some(102_000));
        assert_eq!(with_room(&rounds, 102_001), None, "full, or too late");
        assert_eq!(with_room(&rounds, 103_000), Some(108_000));
        assert_eq!(with_room(&rounds, 106_000), Some(108_000), "and not 1,000, nor 2,000");
        assert_eq!(with_room(&rounds, 108_500), Some(112_000));
    }

    #[test]
    fn whoever_leaves_makes_room_and_the_last_one_ends_the_round() {
        let mut rounds = with(&[(1_000, 10)]);
        assert_eq!(with_room(&rounds, 21_000), None);
        rounds.leave(INTERVAL, ms(71_000));
        assert_eq!(with_room(&rounds, 21_000), Some(21_000));
        (0..9).for_each(|_| rounds.leave(INTERVAL, ms(1_000)));
        assert_eq!(with_room(&rounds, 21_000), None);
        rounds.leave(INTERVAL, ms(1_000));
    }

    #[test]
    fn another_interval_has_rounds_of_its_own() {
        let rounds = with(&[(1_000, 5)]);
        let twice = INTERVAL * 2;
        assert_eq!(rounds.with_room(twice, (ms(1_000), WINDOW), 32), None);
        assert_eq!(rounds.apart(twice, ms(1_000), (ms(0), WINDOW)), ms(1_000));
    }

    #[test]
    fn another_round_is_where_its_app_is_or_as_far_from_the_others_as_can_be() {
        let apart = |rounds: &[(u64, usize)], own: u64| {
            let at = with(rounds).apart(INTERVAL, ms(40_000 + own), (ms(40_000), WINDOW));
            at.as_millis() - 40_000
        };
        assert_eq!(apart(&[], 3), 3);
        for (near, place) in [(4_690, 4_690), (4_691, 0), (5_309, 0), (5_310, 5_310)] {
            assert_eq!(apart(&[(5_000, 1)], near), place);
        }
        assert_eq!(apart(&[(0, 1)], 1), 5_000);
        assert_eq!(apart(&[(0, 1), (5_000, 1)], 1), 2_500);
        assert_eq!(apart(&[(9_000, 1), (5_000, 1)], 4_999), 1_993, "all around the interval");
    }

    #[test]
    fn a_round_has_room_for_more_where_there_are_many_and_for_no_more_than_there_are_threads() {
        let room = |apps: usize| with(&[(0, apps)]).room(INTERVAL);
        assert_eq!([0, 600, 1_000, 1_400, 5_000].map(room), [10, 10, 15, 21, 30]);
        let rounds = with(&[(0, 4)]);
        let least = |workers| rounds.with_room(INTERVAL, (ms(0), WINDOW), workers);
        assert_eq!((least(4), least(5)), (None, Some(ms(0))));
    }
}
