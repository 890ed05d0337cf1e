//! The two clocks, as the engine is told them.
//!
//! Every deadline is a [`Moment`] on the monotonic clock. [`Wall`] time is for people only: it
//! jumps when a Pi without a clock battery finds a time server. What is remembered is a [`Stamp`], and
//! the [`Timeline`] keeps stamps right through jumps and restarts.

mod stamp;
mod timeline;
mod zone;

use std::fmt;
use std::str::FromStr;
use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};
use time::OffsetDateTime;
use time::format_description::well_known::{Rfc2822, Rfc3339};

pub use stamp::{Age, Stamp};
pub use timeline::{Step, Timeline};
pub use zone::{Zone, ZoneError};

use zone::Offset;

/// A day in UTC, in ms.
pub const DAY_MS: i64 = 24 * 3_600_000;

/// A point on the monotonic clock, in whole milliseconds. The origin lies decades before the start
/// of the daemon, so that what happened before a restart has a place too.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(u64);

impl Moment {
    /// When the daemon starts: 34 years after the origin.
    pub const START: Moment = Moment(1 << 40);

    /// A moment `ms` milliseconds after the origin.
    pub const fn from_millis(ms: u64) -> Moment {
        Moment(ms)
    }

    /// Milliseconds since the origin.
    pub const fn as_millis(self) -> u64 {
        self.0
    }

    /// The span since `earlier`; zero when `earlier` is later.
    pub fn since(self, earlier: Moment) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The moment `span` after, rounded down: for reading a clock, not for deadlines.
    pub fn after_whole_millis(self, span: Duration) -> Moment {
        Moment(self.0.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }

    /// The moment `span` before.
    pub fn before(self, span: Duration) -> Moment {
        Moment(self.0.saturating_sub(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }
}

impl std::ops::Add<Duration> for Moment {
    type Output = Moment;

    /// A part of a millisecond is rounded up, so that no deadline is early.
    fn add(self, span: Duration) -> Moment {
        let ms = span.as_nanos().div_ceil(1_000_000);
        Moment(self.0.saturating_add(u64::try_from(ms).unwrap_or(u64::MAX)))
    }
}

/// The earlier of two, the first where they are the same. (It is asked several times in each turn: to make
/// a list and look for its least is slow.)
#[inline]
pub fn earlier<T>(first: Option<(Moment, T)>, second: Option<(Moment, T)>) -> Option<(Moment, T)> {
    match (&first, &second) {
        (Some((one, _)), Some((other, _))) if other < one => second,
        (None, _) => second,
        _ => first,
    }
}

/// A time on the wall clock: milliseconds since 1970-01-01 in UTC.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Wall(i64);

impl Wall {
    /// 2025-08-07, when the oldest compiler that builds this release came out (`rust-version` in
    /// `Cargo.toml`): this program has never run before. A Pi that knows nothing better starts in 1970.
    pub const FIRST_POSSIBLE: Wall = Wall(1_754_524_800_000);
    /// 1970-01-01, where HTTP and mail begin to write dates.
    pub const EPOCH: Wall = Wall(0);
    /// The end of the year 9999: RFC 3339, HTTP and mail write four digits. A broken clock shows more.
    pub const LAST: Wall = Wall(253_402_300_799_999);
    /// No time is earlier.
    pub const BEGINNING: Wall = Wall(i64::MIN);
    /// The year 0, the first that RFC 3339 can write.
    const FIRST: Wall = Wall(-62_167_219_200_000);

    /// A wall time `ms` milliseconds after 1970-01-01 in UTC.
    pub const fn from_unix_millis(ms: i64) -> Wall {
        Wall(ms)
    }

    /// Milliseconds since 1970-01-01 in UTC.
    pub const fn as_unix_millis(self) -> i64 {
        self.0
    }

    /// The same in whole seconds.
    pub const fn from_unix_seconds(seconds: i64) -> Wall {
        Wall(seconds.saturating_mul(1000))
    }

    /// Whole seconds since 1970-01-01 in UTC, of a time that can be written.
    pub fn as_unix_seconds(self) -> i64 {
        self.clamp(Wall::FIRST, Wall::LAST).0.div_euclid(1000)
    }

    /// The span since `earlier`; zero when the clock went back in between.
    pub fn since(self, earlier: Wall) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The time `span` after.
    #[must_use]
    pub fn after(self, span: Duration) -> Wall {
        Wall(self.0.saturating_add(i64::try_from(span.as_millis()).unwrap_or(i64::MAX)))
    }

    /// The clock that showed this time was not set.
    pub fn is_plainly_wrong(self) -> bool {
        !(Wall::FIRST_POSSIBLE..=Wall::LAST).contains(&self)
    }

    /// For people, in their local time: `2026-11-23 23:55:40 +01:00`, `2026-11-23 22:55:40 UTC` in a
    /// household without, or `1970-01-01 01:02:10 +01:00 (clock not set)`.
    pub fn for_people(self, zone: &Zone) -> String {
        let (date, offset) = self.local(zone);
        let offset = offset.map_or_else(|| "UTC".to_owned(), |offset| offset.to_string());
        let doubt = if self.is_plainly_wrong() { " (clock not set)" } else { "" };
        format!(
            "{:04}-{:02}-{:02} {:02}:{:02}:{:02} {offset}{doubt}",
            date.year(),
            u8::from(date.month()),
            date.day(),
            date.hour(),
            date.minute(),
            date.second()
        )
    }

    /// For a subject, in local time: `23:55`, or `2026-11-23 23:55`.
    fn in_short(self, zone: &Zone, with_day: bool) -> String {
        let whole = self.for_people(zone);
        let from = if with_day { 0 } else { "2026-11-23 ".len() };
        whole.get(from.."2026-11-23 23:55".len()).unwrap_or(&whole).to_owned()
    }

    /// For the log, all of one length: `2026-11-23T23:55:40.250+01:00`; in UTC it ends in `Z`.
    pub fn for_the_log(self, zone: &Zone) -> String {
        let (date, offset) = self.local(zone);
        let offset = offset.map_or_else(|| "Z".to_owned(), |offset| offset.to_string());
        format!(
            "{:04}-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}{offset}",
            date.year(),
            u8::from(date.month()),
            date.day(),
            date.hour(),
            date.minute(),
            date.second(),
            date.millisecond()
        )
    }

    /// For HTTP (RFC 9110 section 5.6.7): `Mon, 23 Nov 2026 22:55:40 GMT`.
    pub fn for_http(self) -> String {
        let date = self.max(Wall::EPOCH).date().format(&Rfc2822).unwrap_or_default();
        date.replace("+0000", "GMT")
    }

    /// What local time shows, and how far it is from UTC; `None`: it is UTC.
    fn local(self, zone: &Zone) -> (OffsetDateTime, Option<Offset>) {
        let offset = zone.offset_at(self);
        let ahead = offset.map_or(0, Offset::as_millis);
        (Wall(self.clamp(Wall::FIRST, Wall::LAST).0.saturating_add(ahead)).date(), offset)
    }

    /// A time beyond what can be written is written as the nearest that can.
    fn date(self) -> OffsetDateTime {
        let millis = self.clamp(Wall::FIRST, Wall::LAST).0;
        OffsetDateTime::from_unix_timestamp_nanos(i128::from(millis) * 1_000_000)
            .unwrap_or(OffsetDateTime::UNIX_EPOCH)
    }
}

/// RFC 3339 in UTC with milliseconds, as on the wire.
impl fmt::Display for Wall {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.date().format(&Rfc3339).unwrap_or_default())
    }
}

impl Serialize for Wall {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl FromStr for Wall {
    type Err = time::error::Parse;

    fn from_str(text: &str) -> Result<Wall, time::error::Parse> {
        let millis = OffsetDateTime::parse(text, &Rfc3339)?.unix_timestamp_nanos() / 1_000_000;
        Ok(Wall(i64::try_from(millis).unwrap_or(i64::MAX)))
    }
}

impl<'de> Deserialize<'de> for Wall {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Wall, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(de::Error::custom)
    }
}

/// What the system has told: whether a time server has set the wall clock.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Synchronised {
    /// Never, so far: it may be one that does not tell.
    #[default]
    Never,
    /// In an earlier boot, and not in this one: the clock may be behind.
    Before,
    /// In this boot.
    Now,
}

/// Both clocks, read once per turn of the event loop and handed down.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Now {
    /// For deadlines.
    pub at: Moment,
    /// For texts.
    pub wall: Wall,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_millisecond_is_rounded_up() {
        let at = Moment::from_millis(5) + Duration::from_micros(1);
        assert_eq!(at, Moment::from_millis(6));
        let read = Moment::from_millis(5).after_whole_millis(Duration::from_micros(1999));
        assert_eq!(read, Moment::from_millis(6), "a clock that is read is never ahead");
    }

    #[test]
    fn the_oldest_possible_time_follows_the_compiler() {
        assert_eq!(env!("CARGO_PKG_RUST_VERSION"), "1.89", "put its date in the constant, too");
        assert_eq!(Wall::FIRST_POSSIBLE.for_people(&Zone::UTC), "2025-08-07 00:00:00 UTC");
    }

    #[test]
    fn wall_time_is_rfc_3339_on_the_wire_and_plain_for_people() {
        let wall = Wall::from_unix_millis(1_795_474_540_250);
        assert_eq!(wall.to_string(), "2026-11-23T22:55:40.25Z");
        assert_eq!(wall.for_people(&Zone::UTC), "2026-11-23 22:55:40 UTC");
        let json = serde_json::to_string(&wall).unwrap();
        assert_eq!(serde_json::from_str::<Wall>(&json).unwrap(), wall);
        assert!(serde_json::from_str::<Wall>("\"yesterday\"").is_err());
        assert!(!wall.is_plainly_wrong() && Wall::default().is_plainly_wrong());
        assert_eq!(Wall(130_000).for_people(&Zone::UTC), "1970-01-01 00:02:10 UTC (clock not set)");
        let far = Wall::from_unix_millis(i64::from(u32::MAX) * 1000);
        assert_eq!(far.to_string(), "2106-02-07T06:28:15Z");
        assert_eq!(wall.for_the_log(&Zone::UTC), "2026-11-23T22:55:40.250Z");
        assert_eq!(wall.for_http(), "Mon, 23 Nov 2026 22:55:40 GMT");
    }

    #[test]
    fn a_clock_beyond_what_can_be_written_is_borne_and_not_believed() {
        for (millis, year) in [
            (Wall::LAST.0, "9999"),
            (Wall::LAST.0 + 1, "9999"),
            (i64::MAX, "9999"),
            (i64::MIN, "0000"),
        ] {
            let wall = Wall(millis);
            assert!(
                wall.for_the_log(&Zone::UTC).starts_with(year)
                    && wall.for_people(&Zone::UTC).starts_with(year)
            );
            let json = serde_json::to_string(&wall).unwrap();
            assert!(serde_json::from_str::<Wall>(&json).unwrap().to_string().starts_with(year));
            assert_eq!(wall.is_plainly_wrong(), wall != Wall::LAST);
            let for_http = if millis < 0 { "1970" } else { year };
            assert!(wall.for_http().contains(for_http), "{}", wall.for_http());
        }
    }
}
