//! A time zone in one line, as POSIX has it for the variable `TZ` (section 8.3 of its Base
//! Definitions), with the hours of RFC 9636 section 3.3.1.

use time::{Date, Month, OffsetDateTime};

use super::is_offset;

/// 1970-01-01.
const EPOCH: i32 = 2_440_588;
/// Seconds of a day.
const DAY: i64 = 86_400;
/// The clocks are set no farther from the day that is named than this: hours, a week but one.
const TIME_MAX: i32 = 167;
/// An offset for the summer that is not said is this much more: seconds.
const SUMMER: i32 = 3600;

/// The offsets of a zone, year after year. All are seconds ahead of UTC.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rule {
    standard: i32,
    daylight: Option<Daylight>,
}

/// Daylight saving.
#[derive(Debug, PartialEq, Eq)]
struct Daylight {
    offset: i32,
    begins: Turn,
    ends: Turn,
}

/// When the clocks are set, by the time that they show before it.
#[derive(Debug, PartialEq, Eq)]
struct Turn {
    day: Day,
    /// Seconds after the midnight with which the day begins.
    second: i32,
}

/// A day of each year.
#[derive(Debug, PartialEq, Eq)]
enum Day {
    /// From 1 to 365; the 29th of February is not counted.
    Julian(u16),
    /// From 0 to 365; it is.
    Ordinal(u16),
    /// A day of the week, 0 is Sunday; 5 is the last one of the month.
    Weekday { month: Month, week: u8, weekday: u8 },
}

impl Rule {
    pub(super) const UTC: Rule = Rule { standard: 0, daylight: None };

    pub(super) fn read(text: &str) -> Option<Rule> {
        let mut rest = Rest(text);
        rest.name()?;
        let standard = rest.offset()?;
        if rest.is_over() {
            return Some(Rule { standard, daylight: None });
        }
        rest.name()?;
        let offset = match rest.0.starts_with(',') {
            true => Some(standard + SUMMER).filter(|offset| is_offset(*offset))?,
            false => rest.offset()?,
        };
        let (begins, ends) = (rest.turn()?, rest.turn()?);
        let daylight = Some(Daylight { offset, begins, ends });
        rest.is_over().then_some(Rule { standard, daylight })
    }

    pub(super) fn standard(&self) -> i32 {
        self.standard
    }

    /// The offset so many seconds after 1970-01-01 in UTC.
    pub(super) fn offset_at(&self, seconds: i64) -> i32 {
        let Some(Daylight { offset, begins, ends }) = &self.daylight else { return self.standard };
        let Ok(date) = OffsetDateTime::from_unix_timestamp(seconds) else { return self.standard };
        // A turn may lie in another year than the day that it is counted from.
        let years = date.year() - 1..=date.year() + 1;
        let turns = years.flat_map(|year| {
            let begins = begins.in_year(year, self.standard).map(|at| (at, true));
            let ends = ends.in_year(year, *offset).map(|at| (at, false));
            [begins, ends].into_iter().flatten()
        });
        // Where one ends as the next begins, it is summer all year.
        match turns.filter(|(at, _)| *at <= seconds).max() {
            Some((_, true)) => *offset,
            _ => self.standard,
        }
    }
}

impl Turn {
    /// Seconds after 1970-01-01 in UTC, where the clocks have this offset before it.
    fn in_year(&self, year: i32, offset: i32) -> Option<i64> {
        let day = self.day.in_year(year)?.to_julian_day() - EPOCH;
        Some(i64::from(day) * DAY + i64::from(self.second) - i64::from(offset))
    }
}

impl Day {
    fn in_year(&self, year: i32) -> Option<Date> {
        match *self {
            Day::Julian(day) => {
                let leaps = time::util::is_leap_year(year) && day >= 60;
                Date::from_ordinal_date(year, day + u16::from(leaps)).ok()
            }
            Day::Ordinal(day) => {
                let first = Date::from_ordinal_date(year, 1).ok()?;
                Date::from_julian_day(first.to_julian_day() + i32::from(day)).ok()
            }
            Day::Weekday { month, week, weekday } => {
                let first = Date::from_calendar_date(year, month, 1).ok()?;
                let ahead = (weekday + 7 - first.weekday().number_days_from_sunday()) % 7;
                let day = 1 + ahead + (week - 1) * 7;
                // The fifth of four is the fourth.
                let day = if day > month.length(year) { day - 7 } else { day };
                first.replace_day(day).ok()
            }
        }
    }
}

/// What is not read yet.
struct Rest<'a>(&'a str);

impl Rest<'_> {
    fn is_over(&self) -> bool {
        self.0.is_empty()
    }

    fn take(&mut self, first: char) -> Option<()> {
        self.0 = self.0.strip_prefix(first)?;
        Some(())
    }

    /// Passes over all that are `wanted`; how many there were.
    fn skip(&mut self, wanted: impl Fn(char) -> bool) -> usize {
        let rest = self.0.trim_start_matches(wanted);
        let length = self.0.len() - rest.len();
        self.0 = rest;
        length
    }

    /// `CET`, or `<+03>`: three characters at least. Nobody is told them.
    fn name(&mut self) -> Option<()> {
        let length = if self.take('<').is_some() {
            let length = self.skip(|c| c.is_ascii_alphanumeric() || c == '+' || c == '-');
            self.take('>')?;
            length
        } else {
            self.skip(|c| c.is_ascii_alphabetic())
        };
        (length >= 3).then_some(())
    }

    fn number(&mut self, max: i32) -> Option<i32> {
        let whole = self.0;
        let length = self.skip(|c| c.is_ascii_digit());
        let number: i32 = whole.get(..length)?.parse().ok()?;
        (number <= max).then_some(number)
    }

    /// `3`, `-3:30`, `+3:30:15` in seconds.
    fn time(&mut self, hours_max: i32) -> Option<i32> {
        let sign = if self.take('-').is_some() { -1 } else { 1 };
        if sign > 0 {
            self.take('+');
        }
        let mut seconds = self.number(hours_max)? * 3600;
        for unit in [60, 1] {
            if self.take(':').is_none() {
                break;
            }
            seconds += self.number(59)? * unit;
        }
        Some(sign * seconds)
    }

    /// POSIX counts west of Greenwich.
    fn offset(&mut self) -> Option<i32> {
        self.time(TIME_MAX).map(|behind| -behind).filter(|offset| is_offset(*offset))
    }

    /// `,M3.5.0/2`
    fn turn(&mut self) -> Option<Turn> {
        self.take(',')?;
        let day = self.day()?;
        let second = if self.take('/').is_some() { self.time(TIME_MAX)? } else { 2 * 3600 };
        Some(Turn { day, second })
    }

    fn day(&mut self) -> Option<Day> {
        if self.take('M').is_some() {
            let month = Month::try_from(u8::try_from(self.number(12)?).ok()?).ok()?;
            self.take('.')?;
            let week = u8::try_from(self.number(5)?).ok().filter(|week| *week > 0)?;
            self.take('.')?;
            let weekday = u8::try_from(self.number(6)?).ok()?;
            return Some(Day::Weekday { month, week, weekday });
        }
        let is_julian = self.take('J').is_some();
        let day = u16::try_from(self.number(365)?).ok()?;
        match is_julian {
            true if day == 0 => None,
            true => Some(Day::Julian(day)),
            false => Some(Day::Ordinal(day)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(rule: &str, utc: &str) -> i32 {
        let utc = format!("{utc}:00Z");
        let at = OffsetDateTime::parse(&utc, &time::format_description::well_known::Rfc3339);
        Rule::read(rule).expect(rule).offset_at(at.unwrap().unix_timestamp()) / 3600
    }

    #[test]
    fn every_kind_of_day_is_found() {
        for (rule, utc, expected) in [
            // The south: summer is over the turn of the year.
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-12-31T23:00", 11),
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-04-04T15:59", 11),
            ("AEST-10AEDT,M10.1.0,M4.1.0/3", "2026-04-04T16:00", 10),
            // The last Sunday but one, as Greenland has it: a time before the day.
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T00:59", -2),
            ("<-02>2<-01>,M3.5.0/-1,M10.5.0/0", "2026-03-29T01:00", -1),
            // Ireland: winter is the exception.
            ("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-07-01T00:00", 1),
            ("IST-1GMT0,M10.5.0,M3.5.0/1", "2026-12-01T00:00", 0),
            // Summer all year.
            ("XXX3EDT4,0/0,J365/23", "2026-01-01T02:59", -4),
            ("XXX3EDT4,0/0,J365/23", "2026-12-31T23:59", -4),
            // The 1st of March, of a leap year and of another.
            ("AAA0BBB,J60/0,J61/0", "2028-02-29T23:59", 0),
            ("AAA0BBB,J60/0,J61/0", "2028-03-01T00:00", 1),
            ("AAA0BBB,J60/0,J61/0", "2027-03-01T00:00", 1),
            ("AAA0BBB,59/0,60/0", "2028-02-29T00:00", 1),
            ("AAA0BBB,59/0,60/0", "2027-03-01T00:00", 1),
            ("AAA0BBB,59/0,60/0", "2028-03-01T00:00", 0),
        ] {
            assert_eq!(hours(rule, utc), expected, "{rule} {utc}");
        }
    }

    #[test]
    fn what_is_no_rule_is_refused() {
        for bad in [
            "",
            "CET",
            "CE-1",
            "CET-1CEST",
            "CET-1CEST,M3.5.0",
            "CET-1CEST,M3.5.0,M10.5.0/3,",
            "CET-1CEST,M13.5.0,M10.5.0",
            "CET-1CEST,M3.0.0,M10.5.0",
            "CET-1CEST,M3.6.0,M10.5.0",
            "CET-1CEST,M3.5.7,M10.5.0",
            "CET-1CEST,J0,J3",
            "CET-1CEST,J366,J3",
            "CET-1CEST,M3.5.0/168,M10.5.0",
            "CET-24",
            "CET-23:30CEST,M3.5.0,M10.5.0",
            "CET-1:60",
            "CET+-1",
            "<+3>-3",
            "<+03-3",
            "CET-99999999999",
            "Europe/Berlin",
        ] {
            assert_eq!(Rule::read(bad), None, "{bad}");
        }
    }
}
