//! The household's day: local time in Central Europe, with summer time.

use time::{Date, Duration, Month, OffsetDateTime, Weekday};

use crate::chance::{Chance, DAY, HOUR, MINUTE};
use crate::story::Ms;

/// Friday, the 1st of January 2027, 00:00 UTC, in ms since 1970.
const FIRST_DAY: i64 = 1_798_761_600_000;

/// Which time of day it is, and when it will be.
#[derive(Clone, Debug)]
pub(crate) struct Calendar {
    /// The right wall time when the story begins, in ms since 1970.
    pub(crate) began: i64,
}

impl Calendar {
    /// A story that begins at any time of a year.
    pub(crate) fn of(seed: u64) -> Calendar {
        let after = Chance::of(seed, "began", 0).between(0..=365 * DAY / MINUTE) * MINUTE;
        Calendar { began: FIRST_DAY + after as i64 }
    }

    fn wall(&self, at: Ms) -> OffsetDateTime {
        let seconds = (self.began + at as i64).div_euclid(1_000);
        OffsetDateTime::from_unix_timestamp(seconds).unwrap()
    }

    /// What local time is before UTC.
    fn offset(&self, at: Ms) -> Ms {
        ahead_of_utc(self.began + at as i64) as Ms
    }

    /// The local clock, as if its time were UTC.
    fn local(&self, at: Ms) -> OffsetDateTime {
        self.wall(at + self.offset(at))
    }

    /// The hour that the local clock shows.
    pub(crate) fn hour(&self, at: Ms) -> u64 {
        u64::from(self.local(at).hour())
    }

    /// Whether it is a working day.
    pub(crate) fn is_weekday(&self, at: Ms) -> bool {
        !matches!(self.local(at).weekday(), Weekday::Saturday | Weekday::Sunday)
    }

    /// When the local clock next shows this minute of the day, after `at`.
    pub(crate) fn next(&self, at: Ms, minute: u64) -> Ms {
        let now = self.local(at);
        let since_midnight = (now - now.replace_time(time::Time::MIDNIGHT)).whole_milliseconds()
            as Ms
            + (self.began + at as i64).rem_euclid(1_000) as Ms;
        let wait = (minute * MINUTE + DAY - since_midnight) % DAY;
        let then = at + if wait == 0 { DAY } else { wait };
        // Between the two the clock may have been put forward or back.
        let shifted = then + self.offset(at) - self.offset(then);
        if shifted > at { shifted } else { self.next(then, minute) }
    }

    /// Every time that it shows this minute of the day.
    pub(crate) fn every(&self, minute: u64, end: Ms) -> Vec<Ms> {
        let mut all = Vec::new();
        let mut at = self.next(0, minute);
        while at < end {
            all.push(at);
            at = self.next(at, minute);
        }
        all
    }

    /// When summer time begins or ends, up to the end.
    pub(crate) fn changes(&self, end: Ms) -> Vec<Ms> {
        let years = self.wall(0).year()..=self.wall(end).year();
        let all = years.flat_map(summer).map(|change| change.unix_timestamp() * 1_000 - self.began);
        all.filter_map(|at| Ms::try_from(at).ok()).filter(|at| *at < end).collect()
    }

    /// When a person has helped who is needed from `at` on: it takes so long, and nobody does it at night.
    pub(crate) fn helped(&self, at: Ms, takes: Ms) -> Ms {
        let then = at + takes;
        if (7..23).contains(&self.hour(then)) {
            then
        } else {
            self.next(then, 7 * 60) + takes % HOUR
        }
    }
}

/// How many ms the clocks on the walls are ahead of UTC, at this many ms since 1970.
pub(crate) fn ahead_of_utc(unix_ms: i64) -> i64 {
    let wall = OffsetDateTime::from_unix_timestamp(unix_ms.div_euclid(1_000)).unwrap();
    let [begins, ends] = summer(wall.year());
    let hour = HOUR as i64;
    if (begins..ends).contains(&wall) { 2 * hour } else { hour }
}

/// When summer time begins and ends: the last Sundays of March and October, 01:00 UTC.
fn summer(year: i32) -> [OffsetDateTime; 2] {
    [Month::March, Month::October].map(|month| {
        let last = Date::from_calendar_date(year, month, 31).unwrap();
        let after_sunday = i64::from(last.weekday().number_days_from_sunday());
        let sunday = last - Duration::days(after_sunday);
        sunday.with_hms(1, 0, 0).unwrap().assume_utc()
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The 28th of March 2027 is the Sunday on which summer time begins.
    const BEFORE_SUMMER: i64 = 1_806_192_000_000;

    #[test]
    fn the_clock_is_put_forward_and_back() {
        let calendar = Calendar { began: BEFORE_SUMMER };
        assert_eq!(calendar.wall(0).to_string(), "2027-03-28 0:00:00.0 +00:00:00");
        assert_eq!((calendar.hour(0), calendar.hour(HOUR)), (1, 3));
        assert_eq!(calendar.changes(365 * DAY)[..2], [HOUR, HOUR + 31 * 7 * DAY]);
        assert!(!calendar.is_weekday(0) && calendar.is_weekday(DAY));
    }

    #[test]
    fn four_in_the_morning_comes_each_day_once() {
        let calendar = Calendar { began: BEFORE_SUMMER - 3 * DAY as i64 };
        let all = calendar.every(4 * 60, 300 * DAY);
        assert!(all.iter().all(|at| calendar.hour(*at) == 4));
        assert!(all.windows(2).all(|it| (23 * HOUR..=25 * HOUR).contains(&(it[1] - it[0]))));
        assert_eq!(all.len(), 300);
        // What is left out when the clock is put forward still comes once that day.
        let half_past_two = calendar.every(2 * 60 + 30, 300 * DAY);
        assert!((299..=300).contains(&half_past_two.len()), "{}", half_past_two.len());
    }

    #[test]
    fn nobody_helps_at_night() {
        let calendar = Calendar { began: BEFORE_SUMMER };
        for minutes in 0..3_000 {
            let then = calendar.helped(minutes * MINUTE, 10 * MINUTE);
            assert!((7..23).contains(&calendar.hour(then)));
            assert!(then >= (minutes + 10) * MINUTE);
        }
    }
}
