//! Times that are remembered, on a machine whose wall clock may be set late, or be wrong.

use std::time::Duration;

use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

use super::{Moment, Now, Wall, Zone};
use crate::engine::text::span;

/// A time that is remembered: what the wall clock showed, and its place on the monotonic clock as far
/// as that is known.
///
/// When the wall clock is set, [`Timeline::step`](super::Timeline::step) puts every stamp right: of
/// what this run noted the place is certain and the wall time moves; of what is on record of an
/// earlier run it is the other way round. On disk and on the wire it is its wall time; one in doubt has
/// [`IN_DOUBT`] in place of its `Z`.
#[derive(Clone, Copy, Debug)]
pub struct Stamp {
    pub(super) wall: Wall,
    /// An earlier run noted it by a clock that was not believed, or was ahead: when it was is not known.
    pub(super) in_doubt: bool,
    pub(super) place: Place,
}

/// What ends a time in doubt on disk: the same time to whoever knows nothing of it, for this offset is no
/// other than `Z` (RFC 3339 section 4.3: known in UTC, and something about it is not).
const IN_DOUBT: &str = "-00:00";

/// Where a time lies on the monotonic clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// Noted by this run: it is certain.
    Noted(Moment),
    /// Noted by an earlier run, and the wall clock tells how long ago.
    Recalled(Moment),
    /// Noted by an earlier run, then or before: the wall clock does not tell.
    NotAfter(Moment),
}

/// How long ago something was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Age {
    /// So long, or at least so long.
    pub span: Duration,
    /// So long, and no longer. Else it was before a restart, and the clock is or was wrong.
    pub exact: bool,
}

impl Age {
    /// For people: `12 min`, or `at least 12 min`.
    pub fn in_words(self) -> String {
        let span = span::in_words(self.span);
        match self.exact {
            true => span,
            false if self.span.as_secs() == 0 => "some time".to_owned(),
            false => format!("at least {span}"),
        }
    }
}

impl Stamp {
    /// This run notes a time.
    pub const fn noted(now: Now) -> Stamp {
        Stamp { wall: now.wall, in_doubt: false, place: Place::Noted(now.at) }
    }

    /// A time on record: how long ago is known once the [`Timeline`](super::Timeline) has placed it.
    pub const fn on_record(wall: Wall) -> Stamp {
        let place = Place::NotAfter(Moment::from_millis(u64::MAX));
        Stamp { wall, in_doubt: false, place }
    }

    /// What the wall clock showed, or would have if it had been right.
    pub fn wall(self) -> Wall {
        self.wall
    }

    /// How long ago it was.
    pub fn age(self, at: Moment) -> Age {
        Age { span: at.since(self.moment()), exact: !matches!(self.place, Place::NotAfter(_)) }
    }

    /// How long it is from this time to a later one.
    pub fn until(self, later: Stamp) -> Age {
        let Age { span, exact } = self.age(later.moment());
        Age { span, exact: exact && later.at().is_some() }
    }

    /// Whether it is no later than another time, which may be of another run.
    pub fn is_not_after(self, other: Stamp) -> bool {
        match (self.is_of_this_run(), other.is_of_this_run()) {
            (true, true) => self.moment() <= other.moment(),
            (false, false) => self.wall <= other.wall,
            (ours, _) => !ours,
        }
    }

    fn moment(self) -> Moment {
        let (Place::Noted(at) | Place::Recalled(at) | Place::NotAfter(at)) = self.place;
        at
    }

    /// Whether this run noted it.
    pub fn is_of_this_run(self) -> bool {
        matches!(self.place, Place::Noted(_))
    }

    /// When it was, if that is known.
    pub fn at(self) -> Option<Moment> {
        match self.place {
            Place::Noted(at) | Place::Recalled(at) => Some(at),
            Place::NotAfter(_) => None,
        }
    }

    /// For people, in their local time: `2026-11-23 23:55:40 +01:00`; while the clock is not set,
    /// `12 min after the start`.
    pub fn for_people(self, zone: &Zone) -> String {
        match self.place {
            _ if self.in_doubt => {
                format!("{} (the clock may have been wrong)", self.wall.for_people(zone))
            }
            _ if !self.wall.is_plainly_wrong() => self.wall.for_people(zone),
            Place::Noted(at) => {
                format!("{} after the start", span::in_words(at.since(Moment::START)))
            }
            Place::Recalled(_) | Place::NotAfter(_) => {
                "before the last start (clock not set)".to_owned()
            }
        }
    }

    /// The same for a subject: `23:55`, or `2026-11-23 23:55`. What is not certain is written in full.
    pub fn in_short(self, zone: &Zone, with_day: bool) -> String {
        if self.in_doubt || self.wall.is_plainly_wrong() {
            return self.for_people(zone);
        }
        self.wall.in_short(zone, with_day)
    }

    /// The same within a sentence: `at 2026-11-23 23:55:40 +01:00`.
    pub fn in_a_sentence(self, zone: &Zone) -> String {
        let at = if self.wall.is_plainly_wrong() { "" } else { "at " };
        format!("{at}{}", self.for_people(zone))
    }
}

/// Two stamps are the same when they tell the same time, whoever noted it.
impl PartialEq for Stamp {
    fn eq(&self, other: &Stamp) -> bool {
        self.wall == other.wall
    }
}

impl Eq for Stamp {}

impl Serialize for Stamp {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.wall.to_string();
        match text.strip_suffix('Z').filter(|_| self.in_doubt) {
            Some(time) => serializer.collect_str(&format_args!("{time}{IN_DOUBT}")),
            None => serializer.serialize_str(&text),
        }
    }
}

impl<'de> Deserialize<'de> for Stamp {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Stamp, D::Error> {
        let text = String::deserialize(deserializer)?;
        let wall = text.parse().map_err(de::Error::custom)?;
        Ok(Stamp { in_doubt: text.ends_with(IN_DOUBT), ..Stamp::on_record(wall) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now(seconds: u64, wall: i64) -> Now {
        Now {
            at: Moment::START + Duration::from_secs(seconds),
            wall: Wall::from_unix_millis(wall * 1000),
        }
    }

    #[test]
    fn a_time_in_doubt_is_the_same_time_and_says_so() {
        let stamp = Stamp { in_doubt: true, ..Stamp::on_record(Wall(1_795_474_540_250)) };
        let text = serde_json::to_string(&stamp).unwrap();
        assert_eq!(text, "\"2026-11-23T22:55:40.25-00:00\"");
        let read: Stamp = serde_json::from_str(&text).unwrap();
        assert!(read.in_doubt && read == stamp);
        assert_eq!(
            read.for_people(&Zone::UTC),
            "2026-11-23 22:55:40 UTC (the clock may have been wrong)"
        );
        let as_before: Wall = serde_json::from_str(&text).unwrap();
        assert_eq!(as_before, stamp.wall, "to an earlier release, too");
    }

    #[test]
    fn without_a_clock_times_count_from_the_start() {
        let stamp = Stamp::noted(now(720, 130));
        assert_eq!(stamp.for_people(&Zone::UTC), "12 min after the start");
        let text = serde_json::to_string(&stamp).unwrap();
        assert_eq!(text, "\"1970-01-01T00:02:10Z\"", "the contract's form");
        let read: Stamp = serde_json::from_str(&text).unwrap();
        assert_eq!(read, stamp);
        assert_eq!(read.for_people(&Zone::UTC), "before the last start (clock not set)");
        assert_eq!(read.age(now(720, 0).at), Age { span: Duration::ZERO, exact: false });
        assert_eq!(read.age(now(720, 0).at).in_words(), "some time");
    }

    #[test]
    fn what_an_earlier_run_noted_came_first_whatever_its_clock_showed() {
        let recorded = |wall| Stamp::on_record(now(0, wall).wall);
        let noted = |seconds, wall| Stamp::noted(now(seconds, wall));
        for (first, second) in [
            (recorded(100), recorded(200)),
            (recorded(9_000), noted(1, 200)),
            (noted(1, 9_000), noted(2, 200)),
        ] {
            assert!(first.is_not_after(second) && !second.is_not_after(first), "{first:?}");
            assert!(first.is_not_after(first));
        }
    }
}
