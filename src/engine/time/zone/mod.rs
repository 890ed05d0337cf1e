//! Local time: how far the clocks of the household are ahead of UTC, at any time.
//!
//! The rules of a time zone come in as data, from a file of the tz database ([`tzif`]) or as a rule
//! in one line ([`posix`]); whoever reads files does it elsewhere. A crate for it (tz-rs 0.7) would add
//! 32 KB to a program.

mod posix;
mod shown;
mod tzif;

use std::fmt;
use std::sync::Arc;

use super::Wall;
use posix::Rule;

/// A time zone. The default is UTC.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Zone(Option<Arc<Rules>>);

/// All that a zone ever did to its clocks. Offsets are seconds ahead of UTC.
#[derive(Debug, PartialEq, Eq)]
struct Rules {
    /// Before the first change.
    before: i32,
    /// Oldest first.
    changes: Vec<Change>,
    /// After the last change; `None`: as it left them.
    after: Option<Rule>,
}

/// The clocks are set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    /// Seconds since 1970-01-01 in UTC.
    at: i64,
    /// The offset from then on.
    offset: i32,
}

/// Why a file says nothing of a time zone.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ZoneError {
    /// It is something else.
    NoZone,
    /// It has a part that cannot be.
    Damaged,
    /// Its times count leap seconds ("right/..."), which the clocks of computers do not.
    LeapSeconds,
}

impl fmt::Display for ZoneError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ZoneError::NoZone => "it is no file of the tz database",
            ZoneError::Damaged => "it is damaged",
            ZoneError::LeapSeconds => "it counts leap seconds",
        })
    }
}

impl std::error::Error for ZoneError {}

/// How far local time is ahead of UTC, in whole minutes: `+01:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Offset(i32);

/// Whether local time can be so many seconds ahead of UTC: RFC 3339 writes less than a day.
fn is_offset(seconds: i32) -> bool {
    seconds.unsigned_abs() < 86_400
}

impl Zone {
    /// Without local time.
    pub const UTC: Zone = Zone(None);

    /// What a file of the tz database says (RFC 9636), whatever its version.
    ///
    /// # Errors
    /// It is none, or cannot be used.
    pub fn from_tzif(file: &[u8]) -> Result<Zone, ZoneError> {
        Ok(Zone::of(tzif::read(file)?))
    }

    /// What a rule says that is written as POSIX has it for the variable `TZ`, such as
    /// `CET-1CEST,M3.5.0,M10.5.0/3`; `None`: it is no such rule.
    pub fn from_posix(rule: &str) -> Option<Zone> {
        let rule = Rule::read(rule)?;
        Some(Zone::of(Rules { before: rule.standard(), changes: Vec::new(), after: Some(rule) }))
    }

    fn of(rules: Rules) -> Zone {
        let Rules { before, changes, after } = &rules;
        let is_utc = *before == 0
            && changes.is_empty()
            && after.as_ref().is_none_or(|rule| *rule == Rule::UTC);
        Zone((!is_utc).then(|| Arc::new(rules)))
    }

    /// How many seconds local time is ahead of UTC then.
    pub fn seconds_ahead(&self, wall: Wall) -> i32 {
        let Some(rules) = &self.0 else { return 0 };
        let seconds = wall.clamp(Wall::FIRST, Wall::LAST).0.div_euclid(1000);
        rules.offset_at(seconds)
    }

    /// The same, to be written; `None`: UTC. Times before 1972 may be off by an odd number of seconds,
    /// which nobody writes: they are told in UTC.
    pub(super) fn offset_at(&self, wall: Wall) -> Option<Offset> {
        self.0.as_ref()?;
        let seconds = self.seconds_ahead(wall);
        (seconds % 60 == 0).then_some(Offset(seconds / 60))
    }
}

impl Rules {
    fn offset_at(&self, seconds: i64) -> i32 {
        let past = self.changes.partition_point(|change| change.at <= seconds);
        match &self.after {
            Some(rule) if past == self.changes.len() => rule.offset_at(seconds),
            _ => {
                let last = past.checked_sub(1).and_then(|last| self.changes.get(last));
                last.map_or(self.before, |change| change.offset)
            }
        }
    }
}

impl Offset {
    pub(super) fn as_millis(self) -> i64 {
        i64::from(self.0) * 60_000
    }
}

impl fmt::Display for Offset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.0 < 0 { '-' } else { '+' };
        let minutes = self.0.unsigned_abs();
        write!(f, "{sign}{:02}:{:02}", minutes / 60, minutes % 60)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const BERLIN: &str = "CET-1CEST,M3.5.0,M10.5.0/3";

    fn shown(zone: &Zone, utc: &str) -> String {
        utc.parse::<Wall>().unwrap().for_people(zone)
    }

    #[test]
    fn the_clocks_go_forth_in_spring_and_back_in_autumn() {
        let berlin = Zone::from_posix(BERLIN).unwrap();
        for (utc, local) in [
            ("2026-03-29T00:59:59Z", "2026-03-29 01:59:59 +01:00"),
            ("2026-03-29T01:00:00Z", "2026-03-29 03:00:00 +02:00"),
            ("2026-10-25T00:30:00Z", "2026-10-25 02:30:00 +02:00"),
            ("2026-10-25T01:00:00Z", "2026-10-25 02:00:00 +01:00"),
            ("2026-12-31T23:30:00Z", "2027-01-01 00:30:00 +01:00"),
        ] {
            assert_eq!(shown(&berlin, utc), local);
        }
    }

    #[test]
    fn a_household_without_local_time_has_utc() {
        for zone in [Zone::UTC, Zone::from_posix("UTC0").unwrap()] {
            assert_eq!(shown(&zone, "2026-11-23T22:55:40.25Z"), "2026-11-23 22:55:40 UTC");
        }
        let london = Zone::from_posix("GMT0BST,M3.5.0/1,M10.5.0").unwrap();
        assert_eq!(shown(&london, "2026-11-23T22:55:40Z"), "2026-11-23 22:55:40 +00:00");
        let newfoundland = Zone::from_posix("NST3:30NDT,M3.2.0,M11.1.0").unwrap();
        assert_eq!(shown(&newfoundland, "2026-11-23T22:55:40Z"), "2026-11-23 19:25:40 -03:30");
        let odd = Zone::from_posix("LMT-0:53:28").unwrap();
        assert_eq!(shown(&odd, "2026-11-23T22:55:40Z"), "2026-11-23 22:55:40 UTC");
    }

    #[test]
    fn whatever_a_clock_shows_can_be_written() {
        for rule in [BERLIN, "AAA-23:59BBB-22,J1/-167,J365/167", "AAA23:59", "UTC0"] {
            let zone = Zone::from_posix(rule).unwrap();
            for ms in [i64::MIN, -1, 0, Wall::LAST.0, i64::MAX] {
                let (people, log) = (Wall(ms).for_people(&zone), Wall(ms).for_the_log(&zone));
                assert_eq!(&people[4..5], "-", "{people}");
                assert!(log.parse::<Wall>().is_ok(), "{log}");
            }
        }
    }
}
