//! The daemon's two clocks, as they really went: what a time in a letter means.

use super::reading::{Lasted, Told};
use super::spans;
use crate::story::{ClockSet, Ms, Span, Story};
use healthchecker::engine::time::Wall;

/// A time, or a span, may be told a second more or less.
pub(super) const SLACK: Ms = 1_000;

/// How a time in a letter fits what it is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Fit {
    Right,
    /// As an earlier run noted it by a clock that was off: told as if it were certain.
    AsNoted,
    Wrong,
}

impl Fit {
    /// The better of two.
    pub(super) fn or(self, other: Fit) -> Fit {
        match (self, other) {
            (Fit::Right, _) | (_, Fit::Right) => Fit::Right,
            (Fit::AsNoted, _) | (_, Fit::AsNoted) => Fit::AsNoted,
            (Fit::Wrong, Fit::Wrong) => Fit::Wrong,
        }
    }
}

/// The wall clock and the runs.
pub(super) struct Clock<'s> {
    sets: &'s [ClockSet],
    runs: &'s [Span],
    length: Ms,
}

impl<'s> Clock<'s> {
    pub(super) fn new(story: &'s Story) -> Clock<'s> {
        Clock { sets: &story.clock, runs: &story.runs, length: story.length }
    }

    fn set_at(&self, at: Ms) -> ClockSet {
        let next = self.sets.partition_point(|set| set.from <= at);
        let set = next.checked_sub(1).and_then(|last| self.sets.get(last)).or(self.sets.first());
        set.copied().unwrap_or(ClockSet { from: 0, shows: 0, right: 0 })
    }

    /// What a clock that is right shows.
    pub(super) fn right(&self, at: Ms) -> i64 {
        let set = self.set_at(at);
        set.right + at.cast_signed() - set.from.cast_signed()
    }

    /// How far the daemon's clock is ahead of the truth, in ms.
    pub(super) fn off(&self, at: Ms) -> i64 {
        let set = self.set_at(at);
        set.shows - set.right
    }

    /// The run of the daemon at a time, by its place.
    fn run(&self, at: Ms) -> Option<usize> {
        let run = self.runs.partition_point(|run| run.from <= at).checked_sub(1)?;
        self.runs[run].until.is_none_or(|until| at <= until).then_some(run)
    }

    /// How `told`, in a letter worded at `worded`, fits something between two times.
    pub(super) fn fit(&self, told: Told, (from, until): (Ms, Ms), worded: Ms) -> Fit {
        let (noted, now) = (self.run(from), self.run(worded));
        let wall = match told {
            Told::At(wall) => wall,
            // It claims no more than how it was noted.
            Told::InDoubt(wall) => {
                let fit = self.fit(Told::At(wall), (from, until), worded);
                return if fit == Fit::Wrong { Fit::Wrong } else { Fit::Right };
            }
            Told::AfterStart(after) => {
                let start = now.map_or(0, |run| self.runs[run].from);
                let fits = noted == now
                    && until + SLACK >= start + after.secs * 1000
                    && from <= start + (after.secs + after.unit) * 1000 + SLACK;
                return if fits { Fit::Right } else { Fit::Wrong };
            }
            Told::BeforeStart if noted != now => return Fit::Right,
            Told::BeforeStart => return Fit::Wrong,
        };
        let slack = SLACK.cast_signed();
        let is_by = |off: i64| {
            // Told in whole seconds, rounded down.
            let told = wall - off;
            told + 999 + slack >= self.right(from) && told <= self.right(until) + slack
        };
        if is_by(self.off(worded)) || (noted != now && is_by(0)) {
            return Fit::Right;
        }
        let end = noted.and_then(|run| self.runs[run].until).unwrap_or(self.length);
        let later = self.sets.iter().filter(|set| (from..=end).contains(&set.from));
        let offs = later.map(|set| set.shows - set.right).chain([self.off(from)]);
        let by_one = noted != now && offs.into_iter().any(is_by);
        if by_one { Fit::AsNoted } else { Fit::Wrong }
    }

    /// The true time that a letter worded at `worded` means, if the clock tells it: for finding out
    /// what it speaks of.
    pub(super) fn meant(&self, told: Told, worded: Ms) -> Option<Ms> {
        match told {
            Told::At(wall) => {
                let ago = self.right(worded) + self.off(worded) - wall;
                worded.checked_sub(u64::try_from(ago).unwrap_or(0))
            }
            Told::AfterStart(after) => {
                Some(self.runs[self.run(worded)?].from + (after.secs + after.unit / 2) * 1000)
            }
            Told::InDoubt(_) | Told::BeforeStart => None,
        }
    }

    /// When the clock plainly cannot be right: no mail can go then.
    pub(super) fn unset(&self) -> Vec<Span> {
        let mut unset = Vec::new();
        for (at, set) in self.sets.iter().enumerate() {
            let until = self.sets.get(at + 1).map(|next| next.from);
            if Wall::from_unix_millis(set.shows).is_plainly_wrong() {
                unset.push(Span { from: set.from, until });
            }
        }
        spans::united(unset)
    }
}

impl Lasted {
    /// Whether something between `least` and `most` ms is told so.
    pub(super) fn fits(self, least: Ms, most: Ms) -> bool {
        let long_enough = most + SLACK >= self.secs * 1000;
        long_enough && (self.at_least || least < (self.secs + self.unit) * 1000 + SLACK)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const T0: i64 = 1_795_474_540_000;
    const RUNS: [Span; 2] =
        [Span { from: 0, until: Some(100_000) }, Span { from: 200_000, until: None }];

    /// The clock is right at first; after the cut an hour behind, until 300 s.
    fn clock() -> Clock<'static> {
        const SETS: [ClockSet; 3] = [
            ClockSet { from: 0, shows: T0, right: T0 },
            ClockSet { from: 200_000, shows: T0 - 3_400_000, right: T0 + 200_000 },
            ClockSet { from: 300_000, shows: T0 + 300_000, right: T0 + 300_000 },
        ];
        Clock { sets: &SETS, runs: &RUNS, length: 400_000 }
    }

    #[test]
    fn a_time_is_right_to_a_second() {
        let clock = clock();
        let fit = |wall| clock.fit(Told::At(T0 + wall), (50_400, 50_500), 60_000);
        assert_eq!(fit(50_000), Fit::Right);
        assert_eq!((fit(51_000), fit(49_000)), (Fit::Right, Fit::Right));
        assert_eq!((fit(52_000), fit(48_000)), (Fit::Wrong, Fit::Wrong));
        assert_eq!(clock.meant(Told::At(T0 + 50_000), 60_000), Some(50_000));
    }

    #[test]
    fn a_clock_that_is_off_tells_its_own_run_by_itself_and_others_as_they_were() {
        let clock = clock();
        let fit = |wall, at, worded| clock.fit(Told::At(T0 + wall), (at, at), worded);
        assert_eq!(fit(-3_350_000, 250_000, 260_000), Fit::Right, "nobody can know better");
        assert_eq!(fit(50_000, 50_000, 260_000), Fit::Right);
        assert_eq!(fit(-3_350_000, 250_000, 310_000), Fit::Wrong, "it was set since");
        assert_eq!(fit(250_000, 250_000, 310_000), Fit::Right);
        assert_eq!(clock.meant(Told::At(T0 - 3_350_000), 260_000), Some(250_000));
    }

    #[test]
    fn what_an_earlier_run_noted_by_a_wrong_clock_is_not_certain() {
        const SETS: [ClockSet; 2] = [
            ClockSet { from: 0, shows: T0 - 3_600_000, right: T0 },
            ClockSet { from: 200_000, shows: T0 + 200_000, right: T0 + 200_000 },
        ];
        let clock = Clock { sets: &SETS, runs: &RUNS, length: 400_000 };
        let fit = |wall| clock.fit(Told::At(T0 + wall), (50_000, 50_000), 250_000);
        assert_eq!(fit(-3_550_000), Fit::AsNoted);
        let doubted = |wall| clock.fit(Told::InDoubt(T0 + wall), (50_000, 50_000), 250_000);
        assert_eq!((doubted(-3_550_000), doubted(0)), (Fit::Right, Fit::Wrong));
        assert_eq!((fit(50_000), fit(0)), (Fit::Right, Fit::Wrong));
        let minute = |secs| Told::AfterStart(Lasted { secs, unit: 60, at_least: false });
        assert_eq!(clock.fit(minute(60), (270_000, 270_000), 280_000), Fit::Right);
        assert_eq!(clock.fit(minute(120), (270_000, 270_000), 280_000), Fit::Wrong);
        assert_eq!(clock.fit(Told::BeforeStart, (50_000, 50_000), 280_000), Fit::Right);
        assert_eq!(clock.fit(Told::BeforeStart, (270_000, 270_000), 280_000), Fit::Wrong);
    }

    #[test]
    fn a_span_is_right_within_its_last_unit() {
        let minutes = Lasted { secs: 720, unit: 60, at_least: false };
        for (ms, fits) in [(718_000, false), (719_000, true), (780_900, true), (781_000, false)] {
            assert_eq!(minutes.fits(ms, ms), fits, "{ms}");
        }
        assert!(Lasted { at_least: true, ..minutes }.fits(9_000_000, 9_000_000));
    }
}
