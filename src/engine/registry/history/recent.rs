//! The checks of the last hours, each.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::packed::Packed;
use crate::engine::text::number::push_number;
use crate::engine::time::{Moment, Now, Stamp, Step, Timeline, Wall};
use crate::engine::verdict::answer::Outcome;

/// Bytes for the recent checks of all apps together, as far as each has at least [`ROOM_MIN`].
const ROOM_FOR_ALL: usize = 1024 * 1024;
/// Two hours at the default interval, for 10,000 apps;
const ROOM_MIN: usize = 256;
/// eight, for up to 500.
const ROOM_MAX: usize = 2048;
/// Checks that are written to disk each hour: as many as a mail shows.
const WRITTEN_EACH_HOUR: usize = 8;
/// Checks that are written when everything is: an hour at the default interval.
const WRITTEN: usize = 120;
/// What a text of them begins with, and what each takes as a rule: more is grown for.
const ROOM_AT_FIRST: usize = 16;
const ROOM_FOR_EACH: usize = 6;

/// Bytes for the recent checks of one of `apps`.
pub fn room(apps: usize) -> usize {
    (ROOM_FOR_ALL / apps.max(1)).clamp(ROOM_MIN, ROOM_MAX)
}

/// One of the last checks, as a mail and `info` show it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentCheck {
    /// When the verdict fell.
    pub time: Stamp,
    /// How it went.
    pub outcome: Outcome,
    /// Milliseconds until the verdict.
    pub latency_ms: u32,
}

/// The last checks of one app, newest last. Seconds will do for people, and last until 2106.
#[derive(Clone, Debug, Default)]
pub struct Recent {
    /// The seconds since the check before, as [`zigzag`], and latency and outcome in one.
    checks: Packed<2>,
    /// When the check before the oldest was.
    before_s: u32,
    /// When the newest was.
    newest_s: u32,
    /// The same on the monotonic clock.
    newest_at: Moment,
    /// How many are of this run, and follow the clock when it is set.
    ours: usize,
}

impl Recent {
    /// Adds the newest check; the oldest are forgotten when all take more than `room` bytes.
    pub fn push(&mut self, now: Now, outcome: Outcome, latency_ms: u32, room: usize) {
        self.newest_at = now.at;
        self.add(now.wall, outcome, latency_ms, room);
        self.ours = (self.ours + 1).min(self.checks.rows());
    }

    fn add(&mut self, wall: Wall, outcome: Outcome, latency_ms: u32, room: usize) {
        let time_s = u32::try_from(wall.as_unix_millis() / 1000).unwrap_or_default();
        if self.checks.rows() == 0 {
            self.before_s = time_s;
            self.newest_s = time_s;
        }
        let gap = zigzag(time_s.wrapping_sub(self.newest_s).cast_signed());
        let code = match outcome {
            Outcome::Pass => 0,
            Outcome::Warn => 1,
            Outcome::Fail => 2,
        };
        self.checks.push([gap, latency_ms.min(u32::MAX / 3 - 1) * 3 + code]);
        self.newest_s = time_s;
        while self.checks.bytes() > room {
            let Some([gap, _]) = self.checks.pop() else { break };
            self.before_s = self.before_s.wrapping_add_signed(zagzig(gap));
        }
    }

    /// All that is remembered, newest last.
    pub fn all(&self) -> impl Iterator<Item = RecentCheck> {
        self.told(self.before_s, 0, self.checks.iter())
    }

    /// The checks of `rows`, the first of which is the `first` of all and follows one at `time_s`.
    fn told(
        &self,
        mut time_s: u32,
        first: usize,
        rows: impl Iterator<Item = [u32; 2]>,
    ) -> impl Iterator<Item = RecentCheck> {
        let earlier = self.checks.rows().saturating_sub(self.ours);
        (first..).zip(rows).map(move |(row, [gap, code])| {
            time_s = time_s.wrapping_add_signed(zagzig(gap));
            let outcome = match code % 3 {
                0 => Outcome::Pass,
                1 => Outcome::Warn,
                _ => Outcome::Fail,
            };
            let wall = Wall::from_unix_millis(i64::from(time_s) * 1000);
            let ago = Duration::from_secs(u64::from(self.newest_s.saturating_sub(time_s)));
            let time = match row < earlier {
                true => Stamp::on_record(wall),
                false => Stamp::noted(Now { at: self.newest_at.before(ago), wall }),
            };
            RecentCheck { time, outcome, latency_ms: code / 3 }
        })
    }

    /// The newest `count` checks, newest last. Every hour some are written of each app: the others are not
    /// unpacked for that.
    pub fn newest(&self, count: usize) -> Vec<RecentCheck> {
        let first = self.checks.rows().saturating_sub(count);
        let back =
            |time_s: u32, [gap, _]: [u32; 2]| time_s.wrapping_sub(zagzig(gap).cast_unsigned());
        let before_s = self.checks.newest(count).fold(self.newest_s, back);
        self.told(before_s, first, self.checks.newest(count)).collect()
    }

    /// When the newest check passed; `None` when it did not, or there was none.
    pub fn newest_pass(&self) -> Option<Stamp> {
        let newest = self.newest(1).pop()?;
        (newest.outcome == Outcome::Pass).then_some(newest.time)
    }

    /// The clock was set, or the machine was asleep: those of this run follow.
    pub fn step(&mut self, timeline: &Timeline, now: Now, step: Step) {
        let checks: Vec<RecentCheck> = self.all().collect();
        let mut moved = Recent {
            newest_at: step.moved_back(self.newest_at),
            ours: self.ours,
            ..Recent::default()
        };
        for RecentCheck { time, outcome, latency_ms } in checks {
            let ours = time.is_of_this_run();
            let recorded = || timeline.placed(now, time.wall());
            let wall = if ours { step.moved(time.wall()) } else { recorded().wall() };
            moved.add(wall, outcome, latency_ms, usize::MAX);
        }
        *self = moved;
    }

    /// The checks, for the disk.
    pub fn record(&self) -> RecentRecord {
        RecentRecord::of(&self.newest(WRITTEN))
    }

    /// The newest checks, for the disk.
    pub fn record_latest(&self) -> RecentRecord {
        RecentRecord::of(&self.newest(WRITTEN_EACH_HOUR))
    }

    /// What was recorded.
    pub fn restore(record: &RecentRecord) -> Recent {
        let mut recent = Recent::default();
        for check in record.checks() {
            recent.add(check.time.wall(), check.outcome, check.latency_ms, ROOM_MAX);
        }
        recent
    }
}

/// Small numbers of either sign as small numbers.
fn zigzag(number: i32) -> u32 {
    ((number << 1) ^ (number >> 31)).cast_unsigned()
}

fn zagzig(number: u32) -> i32 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}

/// Recent checks in a short text: the time of the first in seconds since 1970, then for each the
/// seconds since the one before (left out when they are the same as the ones before), `p`, `w` or
/// `f`, and the latency in ms: `1795474540 0p5 30p5 p5 31f5000`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RecentRecord(String);

impl RecentRecord {
    /// When the newest was.
    pub fn newest(&self) -> Option<Stamp> {
        self.checks().last().map(|check| check.time)
    }

    /// Takes in what was recorded later.
    pub fn extend(&mut self, later: &RecentRecord) {
        let Some(begins) = later.checks().next() else { return };
        let mut checks: Vec<RecentCheck> = self.checks().collect();
        // Not by the time: a run whose clock was not set may come after one whose clock was.
        let known = checks.iter().rposition(|check| *check == begins);
        checks.truncate(known.unwrap_or(checks.len()));
        checks.extend(later.checks());
        let old = checks.len().saturating_sub(WRITTEN);
        *self = RecentRecord::of(checks.get(old..).unwrap_or_default());
    }

    fn of(checks: &[RecentCheck]) -> RecentRecord {
        let seconds = |check: &RecentCheck| check.time.wall().as_unix_millis() / 1000;
        let Some(first) = checks.first() else { return RecentRecord::default() };
        let mut text = String::with_capacity(ROOM_AT_FIRST + checks.len() * ROOM_FOR_EACH);
        push_number(&mut text, seconds(first));
        let (mut before, mut gap_before) = (seconds(first), None);
        for check in checks {
            let letter = match check.outcome {
                Outcome::Pass => 'p',
                Outcome::Warn => 'w',
                Outcome::Fail => 'f',
            };
            let gap = Some(seconds(check) - before);
            text.push(' ');
            if let Some(seconds) = gap.filter(|_| gap != gap_before) {
                push_number(&mut text, seconds);
            }
            text.push(letter);
            push_number(&mut text, check.latency_ms);
            before = seconds(check);
            gap_before = gap;
        }
        RecentRecord(text)
    }

    /// The checks; those after the first that cannot be read are left out.
    fn checks(&self) -> impl Iterator<Item = RecentCheck> {
        let mut words = self.0.split(' ');
        let mut time_s: i64 = words.next().and_then(|word| word.parse().ok()).unwrap_or_default();
        let mut gap: i64 = 0;
        words.map_while(move |word| {
            let (at, letter) =
                word.char_indices().find(|(_, letter)| letter.is_ascii_lowercase())?;
            let outcome = match letter {
                'p' => Outcome::Pass,
                'w' => Outcome::Warn,
                'f' => Outcome::Fail,
                _ => return None,
            };
            match word.get(..at)? {
                "" => {}
                seconds => gap = seconds.parse().ok()?,
            }
            time_s = time_s.checked_add(gap)?;
            let latency_ms = word.get(at + 1..)?.parse().ok()?;
            Some(RecentCheck {
                time: Stamp::on_record(Wall::from_unix_millis(time_s.checked_mul(1000)?)),
                outcome,
                latency_ms,
            })
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn check(seconds: i64, outcome: Outcome, latency_ms: u32) -> RecentCheck {
        let at = Moment::START + Duration::from_secs(u64::try_from(seconds).unwrap());
        let now = Now { at, wall: Wall::from_unix_millis(seconds * 1000) };
        RecentCheck { time: Stamp::noted(now), outcome, latency_ms }
    }

    fn recent(checks: &[RecentCheck], room: usize) -> Recent {
        let mut recent = Recent::default();
        for check in checks {
            let now = Now { at: check.time.at().unwrap(), wall: check.time.wall() };
            recent.push(now, check.outcome, check.latency_ms, room);
        }
        recent
    }

    #[test]
    fn an_answer_that_took_weeks_is_no_other_answer() {
        let mut recent = Recent::default();
        recent.push(Now::default(), Outcome::Fail, u32::MAX, usize::MAX);
        let RecentCheck { outcome, latency_ms, .. } = recent.newest(1).remove(0);
        assert_eq!((outcome, latency_ms), (Outcome::Fail, u32::MAX / 3 - 1));
    }

    #[test]
    fn the_newest_checks_are_kept_for_hours_in_two_bytes_each() {
        let checks: Vec<_> = (0..2000).map(|n| check(n * 30, Outcome::Pass, 7)).collect();
        let few = recent(&checks, room(100));
        assert_eq!(few.all().count(), ROOM_MAX / 2);
        assert_eq!(few.all().last().as_ref(), checks.last());
        assert_eq!(few.all().next().as_ref(), checks.get(2000 - ROOM_MAX / 2));
        assert_eq!(few.newest(2).len(), 2);
        let many = recent(&checks, room(10_000));
        assert_eq!(many.all().count(), 128, "an hour at the default interval");
        assert!(checks.ends_with(&many.all().collect::<Vec<_>>()));
    }

    #[test]
    fn what_is_written_each_hour_are_the_newest_checks() {
        let checks: Vec<_> = (0..50).map(|n| check(n * 30, Outcome::Pass, 7)).collect();
        let written = recent(&checks, ROOM_MAX).record_latest();
        let newest: Vec<_> =
            Recent::restore(&written).all().map(|check| check.time.wall()).collect();
        let expected = checks.iter().skip(50 - WRITTEN_EACH_HOUR).map(|check| check.time.wall());
        assert_eq!(newest, expected.collect::<Vec<_>>());
    }

    #[test]
    fn a_clock_that_goes_back_is_followed() {
        let checks = [check(1_795_474_540, Outcome::Fail, 5000), check(2, Outcome::Pass, 1)];
        let recent = recent(&checks, ROOM_MAX);
        assert_eq!(recent.all().collect::<Vec<_>>(), checks);
        assert_eq!(recent.newest(1), checks[1..]);
    }

    #[test]
    fn a_clock_that_is_set_moves_the_checks_of_this_run_only() {
        let mut recent =
            Recent::restore(&recent(&[check(1_795_474_540, Outcome::Fail, 5)], 99).record());
        for seconds in [100, 130] {
            let at = Moment::START + Duration::from_secs(seconds);
            let wall = Wall::from_unix_millis(seconds as i64 * 1000);
            recent.push(Now { at, wall }, Outcome::Pass, 7, 99);
        }
        let mut timeline = Timeline::default();
        let now = |wall| Now { at: Moment::START + Duration::from_secs(130), wall };
        timeline.observe(now(Wall::from_unix_millis(130_000)), Duration::ZERO);
        let set = now(Wall::from_unix_millis(1_795_475_000_000));
        let step = timeline.observe(set, Duration::ZERO).unwrap();
        recent.step(&timeline, set, step);
        let times: Vec<i64> =
            recent.all().map(|check| check.time.wall().as_unix_millis() / 1000).collect();
        assert_eq!(times, [1_795_474_540, 1_795_474_970, 1_795_475_000]);
        let age = recent.all().nth(1).unwrap().time.age(now(Wall::default()).at);
        assert_eq!((age.span.as_secs(), age.exact), (30, true));
    }

    proptest! {
        #[test]
        fn recent_checks_are_the_same_after_a_restart(
            checks in prop::collection::vec((0i64..100_000, 0u8..3, 0u32..70_000), 0..WRITTEN),
            half in 0usize..WRITTEN,
        ) {
            let outcomes = [Outcome::Pass, Outcome::Warn, Outcome::Fail];
            let mut at = 1_795_474_540;
            let checks: Vec<RecentCheck> = checks.into_iter().map(|(gap, outcome, latency)| {
                at += gap + 1;
                check(at, outcomes[usize::from(outcome)], latency)
            }).collect();
            let recent = recent(&checks, usize::MAX);
            prop_assert_eq!(recent.all().collect::<Vec<_>>(), checks.clone());
            prop_assert_eq!(recent.newest(half), &checks[checks.len().saturating_sub(half)..]);
            let restored = Recent::restore(&recent.record());
            prop_assert!(checks.ends_with(&restored.all().collect::<Vec<_>>()));
            prop_assert!(restored.all().count() == checks.len() || restored.all().count() > 300);
            let mut record = RecentRecord::of(&checks[..half.min(checks.len())]);
            record.extend(&RecentRecord::of(&checks[half.min(checks.len()) / 2..]));
            prop_assert_eq!(record, RecentRecord::of(&checks), "records add up");
        }

        #[test]
        fn any_text_can_be_read(text in "[0-9 pwfx-]{0,80}") {
            let restored = Recent::restore(&RecentRecord(text));
            prop_assert!(restored.all().count() <= 80);
        }
    }
}
