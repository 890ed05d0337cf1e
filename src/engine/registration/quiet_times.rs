//! Times of the day or the week in which nobody is told: `02:30-04:00`, `Sa Su 22:00-09:00`.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::engine::time::{Wall, Zone};

/// The most of one app: each is looked at whenever one begins or ends.
pub const QUIET_TIMES_MAX: usize = 16;
/// Days of the week, as people write them.
const DAYS: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];
/// A bit for each of them.
const EVERY_DAY: u8 = 0b111_1111;
/// None at all, whatever holds for the others.
const NEVER: &str = "never";
/// Of a day.
const MINUTES: u16 = 24 * 60;
/// Seconds of a day.
const DAY: i64 = 24 * 3600;

/// Quiet times; none by default.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct QuietTimes(Vec<Daily>);

/// From one time of the day to another, on some days of the week. One that ends no later than it begins goes
/// over midnight, and belongs to the day on which it begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Daily {
    /// A bit for each day, from Monday on; none: [`NEVER`].
    days: u8,
    /// Minutes after midnight.
    from: u16,
    /// The same; 24:00 is possible.
    to: u16,
}

/// A text that is no quiet time; says what would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotQuietTimes;

impl fmt::Display for NotQuietTimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "times such as 02:30-04:00 or Sa Su 22:00-09:00, {QUIET_TIMES_MAX} at most, with commas between (days are {}; \
             a whole day is 00:00-24:00), or never",
            DAYS.join(" ")
        )
    }
}

impl FromStr for QuietTimes {
    type Err = NotQuietTimes;

    /// With commas or line ends between; empty is none.
    fn from_str(text: &str) -> Result<QuietTimes, NotQuietTimes> {
        let texts = text.split([',', '\n']).map(str::trim).filter(|text| !text.is_empty());
        let mut times: Vec<Daily> = Vec::new();
        for text in texts {
            let daily = text.parse()?;
            if !times.contains(&daily) {
                times.push(daily);
            }
        }
        let is_never = times.iter().any(|daily| daily.days == 0);
        let is_bad = times.len() > QUIET_TIMES_MAX || (is_never && times.len() > 1);
        if is_bad { Err(NotQuietTimes) } else { Ok(QuietTimes(times)) }
    }
}

impl FromStr for Daily {
    type Err = NotQuietTimes;

    fn from_str(text: &str) -> Result<Daily, NotQuietTimes> {
        if text.eq_ignore_ascii_case(NEVER) {
            return Ok(Daily { days: 0, from: 0, to: 0 });
        }
        let (days, times) = match text.rsplit_once(char::is_whitespace) {
            Some((days, times)) => (read_days(days)?, times),
            None => (EVERY_DAY, text),
        };
        let (from, to) = times.split_once('-').ok_or(NotQuietTimes)?;
        let (from, to) = (minute(from)?, minute(to)?);
        if from == to || from == MINUTES {
            return Err(NotQuietTimes);
        }
        Ok(Daily { days, from, to })
    }
}

/// `Sa`, `Sa Su`, `Mo-Fr`.
fn read_days(text: &str) -> Result<u8, NotQuietTimes> {
    let day = |word: &str| {
        DAYS.iter().position(|day| day.eq_ignore_ascii_case(word)).ok_or(NotQuietTimes)
    };
    let mut days = 0;
    for word in text.split_whitespace() {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        let (mut at, last) = (day(first)?, day(last)?);
        days |= 1 << at;
        while at != last {
            at = (at + 1) % DAYS.len();
            days |= 1 << at;
        }
    }
    Ok(days)
}

/// `2:30`, `02:30`, `24:00`.
fn minute(text: &str) -> Result<u16, NotQuietTimes> {
    let (hours, minutes) = text.split_once(':').ok_or(NotQuietTimes)?;
    let number = |digits: &str, lengths: std::ops::RangeInclusive<usize>| {
        let is_number = digits.bytes().all(|b| b.is_ascii_digit());
        let digits = Some(digits).filter(|it| is_number && lengths.contains(&it.len()));
        digits.and_then(|digits| digits.parse::<u16>().ok()).ok_or(NotQuietTimes)
    };
    let (hours, minutes) = (number(hours, 1..=2)?, number(minutes, 2..=2)?);
    let minute = hours * 60 + minutes;
    if minutes < 60 && minute <= MINUTES { Ok(minute) } else { Err(NotQuietTimes) }
}

impl fmt::Display for Daily {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Daily { days, from, to } = self;
        if *days == 0 {
            return f.write_str(NEVER);
        }
        for (n, day) in DAYS.iter().enumerate() {
            if *days != EVERY_DAY && days & (1 << n) != 0 {
                write!(f, "{day} ")?;
            }
        }
        write!(f, "{:02}:{:02}-{:02}:{:02}", from / 60, from % 60, to / 60, to % 60)
    }
}

/// As it is read.
impl fmt::Display for QuietTimes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.texts().join(","))
    }
}

impl From<QuietTimes> for String {
    fn from(times: QuietTimes) -> String {
        times.to_string()
    }
}

impl TryFrom<String> for QuietTimes {
    type Error = NotQuietTimes;

    fn try_from(text: String) -> Result<QuietTimes, NotQuietTimes> {
        text.parse()
    }
}

/// What the clock says of quiet times.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Hush {
    /// It is quiet, until then.
    pub until: Option<Wall>,
    /// When the next begins or ends, if that is within a day or so.
    pub changes: Option<Wall>,
}

impl QuietTimes {
    /// Each as a text.
    pub fn texts(&self) -> Vec<String> {
        self.0.iter().map(Daily::to_string).collect()
    }

    /// Whether nothing was said.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether it is never quiet, whatever holds for others.
    pub fn are_never(&self) -> bool {
        self.0.iter().all(|daily| daily.days == 0)
    }

    /// What they take in memory, besides the list itself.
    pub fn size(&self) -> usize {
        size_of_val(self.0.as_slice())
    }

    /// What the clocks of `zone` say: each begins when they first show or pass its start that day, and
    /// ends when they next show or pass its end, whatever is done to them in between.
    pub fn hush(&self, now: Wall, zone: &Zone) -> Hush {
        let local = now.as_unix_seconds() + i64::from(zone.seconds_ahead(now));
        let today = local.div_euclid(DAY);
        let mut hush = Hush::default();
        // That of the day before yesterday may end today, where the clocks were set back.
        for day in today - 2..=today + 1 {
            for daily in self.0.iter().filter(|daily| daily.is_on(day)) {
                let (begin, end) = daily.on(day, zone);
                if begin <= now && now < end {
                    hush.until = hush.until.max(Some(end));
                }
                let edges = [begin, end].into_iter().filter(|at| begin < end && *at > now);
                hush.changes = hush.changes.into_iter().chain(edges).min();
            }
        }
        hush
    }
}

impl Daily {
    /// Whether it begins on this day: days since 1970-01-01, a Thursday.
    fn is_on(self, day: i64) -> bool {
        self.days & (1 << (day + 3).rem_euclid(7)) != 0
    }

    /// When it begins and ends that does so on this day.
    fn on(self, day: i64, zone: &Zone) -> (Wall, Wall) {
        let at = |day: i64, minute: u16| day * DAY + i64::from(minute) * 60;
        let begin = zone.passes(at(day, self.from), Wall::BEGINNING);
        if self.from < self.to {
            return (begin, zone.passes(at(day, self.to), begin));
        }
        // Where the clocks are set back, they may show the end once more on the same day.
        let again = zone.shows(at(day, self.to), begin).filter(|end| *end > begin);
        (begin, again.unwrap_or_else(|| zone.passes(at(day + 1, self.to), begin)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn times(text: &str) -> QuietTimes {
        text.parse().unwrap_or_else(|why: NotQuietTimes| panic!("{text}: {why}"))
    }

    fn berlin() -> Zone {
        Zone::from_posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap()
    }

    /// From when until when it is quiet in Berlin, looked at every minute of a span in UTC.
    fn spans(text: &str, from: &str, to: &str) -> Vec<String> {
        let (times, zone) = (times(text), berlin());
        let wall = |text: &str| format!("{text}:00Z").parse::<Wall>().unwrap().as_unix_millis();
        let (mut spans, mut quiet) = (Vec::new(), None);
        for ms in (wall(from)..wall(to)).step_by(60_000) {
            let now = Wall::from_unix_millis(ms);
            let hush = times.hush(now, &zone);
            if let Some(changes) = hush.changes {
                assert!(changes > now);
                let before = Wall::from_unix_millis(changes.as_unix_millis() - 1);
                let edge = times.hush(changes, &zone).until.is_some();
                assert_ne!(times.hush(before, &zone).until.is_some(), edge, "{text} at {changes}");
            }
            match (quiet, hush.until) {
                (None, Some(until)) => quiet = Some((now, until)),
                (Some((began, until)), None) => {
                    assert_eq!(until, now, "{text}: said when it began");
                    spans.push(format!("{began} {until}"));
                    quiet = None;
                }
                _ => {}
            }
        }
        spans.iter().map(|span| span.replace(":00Z", "").replace("2026-", "")).collect()
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        for (text, shown) in [
            ("", ""),
            ("2:30-04:00", "02:30-04:00"),
            ("sa 02:30-4:00,", "Sa 02:30-04:00"),
            ("Su Sa 22:00-09:00, 13:00-14:30", "Sa Su 22:00-09:00,13:00-14:30"),
            ("Mo-Fr 22:00-24:00\n02:30-04:00\n", "Mo Tu We Th Fr 22:00-24:00,02:30-04:00"),
            ("Sa-Mo 00:00-24:00", "Mo Sa Su 00:00-24:00"),
            ("Mo-Su 1:00-2:00, 01:00-02:00", "01:00-02:00"),
            ("Never", "never"),
        ] {
            assert_eq!(times(text).to_string(), shown);
            assert_eq!(times(shown), times(text));
        }
    }

    #[test]
    fn what_is_no_time_is_refused() {
        let many: Vec<String> = (0..17).map(|n| format!("{n}:00-23:00")).collect();
        for bad in [
            "night",
            "02:30",
            "02:30-",
            "02:30-02:30",
            "00:00-00:00",
            "24:00-02:00",
            "02:60-04:00",
            "25:00-04:00",
            "24:01-04:00",
            "2-4",
            "02:3-04:00",
            "002:30-04:00",
            "+2:30-04:00",
            "Sat 02:30-04:00",
            "Sa02:30-04:00",
            "Sa-Foo 02:30-04:00",
            "02:30-04:00 Sa",
            "02:30 - 04:00",
            "never,02:30-04:00",
            &many.join(","),
        ] {
            assert_eq!(bad.parse::<QuietTimes>(), Err(NotQuietTimes), "{bad}");
        }
    }

    #[test]
    fn each_begins_and_ends_by_the_clock_on_the_wall() {
        // The 24th of November 2026 is a Tuesday.
        for (text, expected) in [
            ("02:30-04:00", &["11-24T01:30 11-24T03:00", "11-25T01:30 11-25T03:00"][..]),
            ("We 02:30-04:00", &["11-25T01:30 11-25T03:00"]),
            ("Tu 22:00-06:00", &["11-24T21:00 11-25T05:00"]),
            ("Th 22:00-06:00", &[]),
            ("Tu 00:00-24:00", &["11-23T23:00 11-24T23:00"]),
            ("never", &[]),
        ] {
            assert_eq!(spans(text, "2026-11-23T12:00", "2026-11-25T12:00"), expected, "{text}");
        }
    }

    #[test]
    fn of_two_that_overlap_or_meet_the_later_end_counts() {
        let until = |text: &str, utc: &str| {
            times(text).hush(utc.parse().unwrap(), &berlin()).until.unwrap().to_string()
        };
        let meet = "22:00-24:00,00:00-01:00";
        assert_eq!(until(meet, "2026-11-24T22:59:59Z"), "2026-11-24T23:00:00Z");
        assert_eq!(until(meet, "2026-11-24T23:00:00Z"), "2026-11-25T00:00:00Z");
        assert_eq!(
            until("22:00-06:00,Tu 23:00-23:30", "2026-11-24T22:10:00Z"),
            "2026-11-25T05:00:00Z"
        );
    }

    #[test]
    fn in_spring_what_the_clocks_pass_over_counts_as_shown() {
        // At 02:00 they show 03:00: 01:00 UTC on the 29th of March.
        let spring = |text: &str| spans(text, "2026-03-28T12:00", "2026-03-29T12:00");
        for (text, expected) in [
            ("01:30-02:30", &["03-29T00:30 03-29T01:00"][..]),
            ("02:30-04:00", &["03-29T01:00 03-29T02:00"]),
            ("02:15-02:45", &[]),
            ("01:30-04:00", &["03-29T00:30 03-29T02:00"]),
            ("22:00-02:30", &["03-28T21:00 03-29T01:00"]),
            ("22:00-06:00", &["03-28T21:00 03-29T04:00"]),
            ("03:00-04:00", &["03-29T01:00 03-29T02:00"]),
        ] {
            assert_eq!(spring(text), expected, "{text}");
        }
    }

    #[test]
    fn in_autumn_each_comes_once_and_ends_when_its_end_is_next_shown() {
        // At 03:00 they show 02:00 again: 01:00 UTC on the 25th of October.
        let autumn = |text: &str| spans(text, "2026-10-24T12:00", "2026-10-25T12:00");
        for (text, expected) in [
            ("01:30-02:30", &["10-24T23:30 10-25T00:30"][..]),
            ("02:15-02:45", &["10-25T00:15 10-25T00:45"]),
            ("02:30-04:00", &["10-25T00:30 10-25T03:00"]),
            ("02:00-03:00", &["10-25T00:00 10-25T02:00"]),
            ("22:00-02:30", &["10-24T20:00 10-25T00:30"]),
            ("22:00-06:00", &["10-24T20:00 10-25T05:00"]),
            // It is 02:15 again, three quarters of an hour after it was 02:30.
            ("02:30-02:15", &["10-24T12:00 10-25T00:15", "10-25T00:30 10-25T01:15"]),
        ] {
            assert_eq!(autumn(text), expected, "{text}");
        }
    }

    #[test]
    fn no_clock_and_no_zone_makes_it_panic() {
        for rule in ["UTC0", "AAA-23:59BBB-22,J1/-167,J365/167", "CET-1CEST,M3.5.0,M10.5.0/3"] {
            let zone = Zone::from_posix(rule).unwrap();
            for ms in [i64::MIN, -1, 0, 1_795_474_540_000, 253_402_300_799_999, i64::MAX] {
                times("02:30-02:15,Sa Su 00:00-24:00").hush(Wall::from_unix_millis(ms), &zone);
            }
        }
    }
}
