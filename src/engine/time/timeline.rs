//! What ties the two clocks together, in this run and across restarts.

use std::time::Duration;

use super::stamp::{Place, Stamp};
use super::{DAY_MS, Moment, Now, Synchronised, Wall};

/// The wall clock was set when it shows something else by so much: the two clocks are read one after
/// the other, and a busy Pi may do something else in between.
const STEP_MS: i64 = 500;
/// A clock is not behind the newest time on record when it was only put right by so much since.
const SLACK_MS: i64 = 10_000;
/// Times on disk are put right so long after the first step of a run: a Pi without a clock battery has
/// found its time server, and where the power came back it may go again,
const PUT_RIGHT_AFTER: Duration = Duration::from_secs(5);
/// so long after any later one, for the next may take it back,
const SETTLED_AFTER: Duration = Duration::from_secs(60);
/// and no more often than this: a clock that jumps to and fro must not wear out the card.
const WRITTEN_AT_MOST_EVERY: Duration = Duration::from_secs(600);
/// Where nothing depends on it yet, the system is asked so often whether a time server has set the clock: the
/// next boot is to know that it tells.
const ASKED_EVERY: Duration = Duration::from_secs(60);

/// The wall clock was set, or the machine was asleep: the monotonic clock stood still then, the wall
/// clock did not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// So much later is, on the wall clock, what this run has noted, in ms.
    by_ms: i64,
    /// So much longer ago is, on the monotonic clock, what this run has noted.
    slept: Duration,
    /// What [`Timeline::wall`] would have been without it.
    from: Wall,
    /// What it is now.
    to: Wall,
    /// How long this run has lasted until then.
    run: Duration,
}

impl Step {
    /// The wall time of something that this run noted.
    pub fn moved(self, wall: Wall) -> Wall {
        Wall(wall.0.saturating_add(self.by_ms))
    }

    /// The place on the monotonic clock of something that this run noted.
    pub fn moved_back(self, at: Moment) -> Moment {
        at.before(self.slept)
    }

    /// What the wall time is now, as far as it is known.
    pub fn to(self) -> Wall {
        self.to
    }

    /// So many days later are, in UTC, the days of this run: whole ones, since a second at midnight
    /// makes no other day of today, and as many back as it was forth.
    pub fn days(self) -> i32 {
        let by_ms = self.to.0.saturating_sub(self.from.0);
        let run = millis(self.run);
        let days = if run < DAY_MS {
            // A short run, as before a Pi finds its time server, is where most of it lies.
            let middle = self.from.0.saturating_sub(run / 2);
            middle.saturating_add(by_ms).div_euclid(DAY_MS) - middle.div_euclid(DAY_MS)
        } else {
            by_ms / DAY_MS
        };
        i32::try_from(days).unwrap_or(if days < 0 { i32::MIN } else { i32::MAX })
    }

    /// The wall clock was set, whether the machine was asleep or not.
    pub fn clock_was_set(self) -> bool {
        self.by_ms.abs() >= STEP_MS
    }
}

/// The monotonic clock of this run, and where on it lies what earlier runs have left on record.
///
/// The rule: the wall clock is believed, unless it plainly cannot be right, or shows a time before
/// the newest on record, as it does on a Pi without a clock battery until it has found a time server; or
/// that may be so, after a boot on a system that tells of time servers and has not yet. Once a time server
/// has set it, it is believed before the record. While it is not believed, nothing is
/// guessed: as much time has passed as is certain, and what is noted is marked on disk.
#[derive(Clone, Debug, Default)]
pub struct Timeline {
    /// When this run began; `None` before the first look at the clock.
    began: Option<Moment>,
    /// The wall clock less the monotonic one, in ms, since it was last set.
    offset_ms: i64,
    /// The newest time on record when this run began, but for those of a clock that was ahead.
    newest: Option<Wall>,
    /// When the clock was set last, if the times on disk were not put right since.
    stepped: Option<Moment>,
    /// When they were last.
    written: Option<Moment>,
    /// The machine was booted, and no time server has set its clock yet, though it is known to say so: it may
    /// be behind, and no earlier than the newest record all the same.
    unset: bool,
    /// A time server has set the clock in this boot, as the system says.
    synchronised: bool,
    /// When the system was asked last.
    asked: Moment,
}

impl Timeline {
    /// There is a record of this time.
    pub fn recall(&mut self, wall: Wall) {
        if wall <= Wall::LAST {
            self.newest = self.newest.max(Some(wall));
        }
    }

    /// The newest time on record when this run began.
    pub fn newest(&self) -> Option<Wall> {
        self.newest
    }

    /// To be called whenever the clocks were read, before anything else is done with the time; the
    /// machine `slept` so long since the last call. A step goes to [`Timeline::step`] with every stamp there is.
    pub fn observe(&mut self, now: Now, slept: Duration) -> Option<Step> {
        let offset_ms = now.wall.0.saturating_sub(signed(now.at.0));
        if self.began.is_none() {
            self.began = Some(now.at);
            self.offset_ms = offset_ms;
        }
        let by_ms = offset_ms.saturating_sub(self.offset_ms).saturating_sub(millis(slept));
        if by_ms.abs() < STEP_MS && slept.is_zero() {
            return None;
        }
        self.began = self.began.map(|began| began.before(slept));
        let unset = Now { wall: Wall(now.wall.0.saturating_sub(by_ms)), ..now };
        self.offset_ms = offset_ms;
        let (from, to, run) = (self.wall(unset), self.wall(now), self.run(now.at));
        let step = Step { by_ms, slept, from, to, run };
        if step.clock_was_set() {
            self.stepped = Some(now.at);
        }
        Some(step)
    }

    /// Whether a time server has set the clock in this boot, as the system says.
    pub fn is_synchronised(&self) -> bool {
        self.synchronised
    }

    /// What the record says of time servers, of this boot and those before.
    pub fn follow(&mut self, told: Synchronised) {
        self.synchronised = told == Synchronised::Now;
        self.unset = told == Synchronised::Before;
    }

    /// Whether to ask the system whether a time server has set the clock: each time while that decides on
    /// something, else now and then until it was.
    pub fn asks(&mut self, at: Moment) -> bool {
        if self.is_in_doubt() {
            return true;
        }
        let asks = !self.synchronised && at.since(self.asked) >= ASKED_EVERY;
        if asks {
            self.asked = at;
        }
        asks
    }

    /// Whether it is not known that the clock is right. Nothing waits for that: how long ago something on
    /// record was is told as "at least", and what this run notes is marked for the next.
    pub fn is_in_doubt(&self) -> bool {
        self.unset || self.is_before_the_record()
    }

    /// Whether the clock shows less than the newest time on record: it is behind, or that of the run that
    /// noted it was ahead. Which of them, a time server knows: see [`Timeline::settle`].
    pub fn is_before_the_record(&self) -> bool {
        let began = self.began.unwrap_or_default();
        let start = Wall(self.offset_ms.saturating_add(signed(began.0)));
        self.newest.is_some_and(|newest| newest.0 > start.0.saturating_add(SLACK_MS))
    }

    /// A time server has set the clock. If it was in doubt, times on record that are later than the start
    /// of this run were noted by a clock that was ahead. A step to be handed on as that of
    /// [`Timeline::observe`]: the clock was not moved, but what it shows is believed from now on.
    pub fn settle(&mut self, now: Now) -> Option<Step> {
        if now.wall.is_plainly_wrong() {
            return None;
        }
        self.synchronised = true;
        if !self.is_in_doubt() {
            return None;
        }
        self.unset = false;
        let (from, run) = (self.wall(now), self.run(now.at));
        self.newest = self.newest.min(Some(Wall(now.wall.0.saturating_sub(millis(run)))));
        self.stepped = Some(now.at);
        Some(Step { by_ms: 0, slept: Duration::ZERO, from, to: self.wall(now), run })
    }

    /// Marks a time that goes to disk, if this run has noted it by a clock that is in doubt: if the clock
    /// is set, everything is written anew; if the run ends before, the next one must know. (A clock that is
    /// plainly wrong shows that by itself.)
    pub fn mark(&self, stamp: &mut Stamp) {
        let is_ours = stamp.is_of_this_run() && !stamp.wall.is_plainly_wrong();
        stamp.in_doubt |= is_ours && self.is_in_doubt();
    }

    /// Whether the times on disk are of a clock that has been set since.
    pub fn awaits_rewriting(&self) -> bool {
        self.stepped.is_some()
    }

    /// Whether the times on disk are to be put right now; after that, they are taken to be.
    pub fn takes_rewriting(&mut self, at: Moment) -> bool {
        let often = self.written.is_some_and(|then| at.since(then) < WRITTEN_AT_MOST_EVERY);
        let is_first = self.written.is_none();
        let after = if is_first { PUT_RIGHT_AFTER } else { SETTLED_AFTER };
        let settled = self.stepped.is_some_and(|then| at.since(then) >= after);
        if often || !settled {
            return false;
        }
        self.written = Some(at);
        self.stepped = None;
        true
    }

    /// Puts a stamp right after a step.
    pub fn step(&self, now: Now, step: Step, stamp: &mut Stamp) {
        if let Place::Noted(at) = stamp.place {
            stamp.wall = step.moved(stamp.wall);
            stamp.place = Place::Noted(step.moved_back(at));
        } else {
            self.place(now, stamp);
        }
    }

    /// Finds the place of a time on record.
    pub fn placed(&self, now: Now, wall: Wall) -> Stamp {
        let mut stamp = Stamp::on_record(wall);
        self.place(now, &mut stamp);
        stamp
    }

    /// Finds the place of a stamp that is on record.
    pub fn place(&self, now: Now, stamp: &mut Stamp) {
        if stamp.is_of_this_run() {
            return;
        }
        let newest = self.newest.filter(|_| !stamp.wall.is_plainly_wrong());
        if let Some(newest) = newest.filter(|newest| stamp.wall > *newest) {
            // By a clock that was ahead. It was before this run, and no more is known of it.
            (stamp.wall, stamp.in_doubt) = (newest, true);
        }
        stamp.place = self.place_of(now, *stamp);
    }

    fn place_of(&self, now: Now, Stamp { wall, in_doubt, .. }: Stamp) -> Place {
        let run = self.run(now.at);
        let start = Wall(now.wall.0.saturating_sub(millis(run)));
        let newest = self.newest.unwrap_or(wall);
        let ago = |from: Wall| now.at.before(run).before(from.since(wall));
        match (wall.is_plainly_wrong(), start.is_plainly_wrong()) {
            _ if in_doubt => Place::NotAfter(ago(wall)),
            // By the clock of the run that noted it; that of another would tell nothing.
            (true, _) if newest.is_plainly_wrong() => Place::NotAfter(ago(newest)),
            (true, _) => Place::NotAfter(ago(wall)),
            (false, true) => Place::NotAfter(ago(newest)),
            (false, false) if !self.unset && newest.0 <= start.0.saturating_add(SLACK_MS) => {
                Place::Recalled(ago(start))
            }
            // Either clock may be the wrong one: the shorter time is certain.
            (false, false) => Place::NotAfter(ago(start)),
        }
    }

    /// The wall time as far as it is known: that of the clock, but never before the newest on record
    /// and what has passed since then.
    pub fn wall(&self, now: Now) -> Wall {
        let at_least =
            self.newest.map(|newest| Wall(newest.0.saturating_add(millis(self.run(now.at)))));
        now.wall.max(at_least.unwrap_or(now.wall))
    }

    fn run(&self, at: Moment) -> Duration {
        self.began.map_or(Duration::ZERO, |began| at.since(began))
    }
}

fn millis(span: Duration) -> i64 {
    i64::try_from(span.as_millis()).unwrap_or(i64::MAX)
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::Age;

    /// 2026-11-23 22:55:40 UTC, in seconds.
    const T0: i64 = 1_795_474_540;

    fn now(seconds: u64, wall: i64) -> Now {
        Now {
            at: Moment::START + Duration::from_secs(seconds),
            wall: Wall::from_unix_millis(wall * 1000),
        }
    }

    fn wall(seconds: i64) -> Wall {
        Wall::from_unix_millis(seconds * 1000)
    }

    /// A run that begins when the clock shows `start`; `newest` is on record.
    fn run(start: i64, newest: i64) -> Timeline {
        let mut timeline = Timeline::default();
        timeline.recall(wall(newest));
        assert_eq!(timeline.observe(now(0, start), Duration::ZERO), None);
        timeline
    }

    fn age(timeline: &Timeline, at: Now, recorded: i64) -> (u64, bool) {
        let Age { span, exact } = timeline.placed(at, wall(recorded)).age(at.at);
        (span.as_secs(), exact)
    }

    #[test]
    fn how_long_ago_it_was_before_a_restart() {
        // A clock that is right.
        assert_eq!(age(&run(T0 + 600, T0 + 60), now(10, T0 + 610), T0), (610, true));
        // One that starts in 1970: at least as long as the run before saw, and this one.
        assert_eq!(age(&run(100, T0 + 60), now(10, 110), T0), (70, false));
        // One that is behind: what was noted last comes "later" than the start.
        assert_eq!(age(&run(T0 - 3000, T0 + 60), now(10, T0 - 2990), T0), (10, false));
        assert_eq!(age(&run(T0 + 30, T0 + 60), now(10, T0 + 40), T0), (40, false));
        // Two runs that never had a clock.
        assert_eq!(age(&run(100, 900), now(10, 110), 300), (610, false));
        // The run before had none, and the times of those before that tell nothing.
        assert_eq!(age(&run(T0, T0 - 60), now(10, T0 + 10), 300), (10, false));
    }

    #[test]
    fn a_clock_that_is_set_late_puts_everything_in_its_place() {
        let mut timeline = run(100, T0);
        let mut ours = Stamp::noted(now(30, 130));
        let mut theirs = timeline.placed(now(30, 130), wall(T0 - 120));
        let at = now(60, T0 + 1000);
        let step = timeline.observe(at, Duration::ZERO).unwrap();
        assert_eq!(timeline.observe(at, Duration::ZERO), None);
        timeline.step(at, step, &mut ours);
        timeline.step(at, step, &mut theirs);
        assert_eq!((ours.wall(), ours.age(at.at).span.as_secs()), (wall(T0 + 970), 30));
        assert_eq!((theirs.wall(), theirs.age(at.at).span.as_secs()), (wall(T0 - 120), 1120));
        assert!(ours.age(at.at).exact && theirs.age(at.at).exact);
        assert_eq!((step.from, step.to), (wall(T0 + 60), wall(T0 + 1000)));
    }

    #[test]
    fn after_a_boot_a_clock_is_believed_once_a_time_server_has_set_it() {
        let mut timeline = run(T0 + 600, T0 + 60);
        timeline.follow(Synchronised::Before);
        let at = now(10, T0 + 610);
        assert!(timeline.is_in_doubt() && !timeline.is_before_the_record());
        assert_eq!(age(&timeline, at, T0), (610, false));
        let mut ours = Stamp::noted(at);
        timeline.mark(&mut ours);
        assert!(ours.in_doubt);
        assert_eq!(timeline.wall(at), at.wall, "nothing else comes of it");
        assert_eq!(timeline.settle(now(10, 100)), None, "no time server says 1970");
        assert!(timeline.settle(at).is_some());
        assert!(!timeline.is_in_doubt());
        assert_eq!(age(&timeline, at, T0), (610, true));
        for told in [Synchronised::Never, Synchronised::Now] {
            timeline.follow(told);
            assert_eq!(age(&timeline, at, T0), (610, true), "{told:?}");
        }
    }

    #[test]
    fn the_system_is_asked_for_a_time_server_until_there_was_one() {
        let mut timeline = run(T0 + 600, T0 + 60);
        let asked: Vec<u64> = (0..=120).filter(|s| timeline.asks(now(*s, 0).at)).collect();
        assert_eq!(asked, [0, 60, 120]);
        timeline.follow(Synchronised::Before);
        assert!(
            (121..130).all(|second| timeline.asks(now(second, 0).at)),
            "it decides on something"
        );
        assert!(timeline.settle(now(130, T0 + 730)).is_some());
        assert!((130..1000).all(|second| !timeline.asks(now(second, 0).at)));
    }

    #[test]
    fn a_small_difference_is_no_step_and_many_are_written_seldom() {
        let mut timeline = run(T0, T0);
        assert_eq!(
            timeline.observe(Now { wall: Wall(T0 * 1000 + 10_499), ..now(10, 0) }, Duration::ZERO),
            None
        );
        assert!(!timeline.takes_rewriting(now(900, 0).at));
        assert!(timeline.observe(now(1000, T0 + 9000), Duration::ZERO).is_some());
        assert!(timeline.observe(now(1006, T0 + 1006), Duration::ZERO).is_some());
        assert!(!timeline.takes_rewriting(now(1010, 0).at), "it may be set again");
        assert!(timeline.takes_rewriting(now(1011, 0).at), "the first is put right soon");
        assert!(timeline.observe(now(1100, T0), Duration::ZERO).is_some());
        assert!(!timeline.takes_rewriting(now(1200, 0).at));
        assert!(timeline.observe(now(1600, T0 + 7200), Duration::ZERO).is_some());
        assert!(!timeline.takes_rewriting(now(1659, 0).at));
        assert!(timeline.takes_rewriting(now(1660, 0).at));
        assert!(!timeline.takes_rewriting(now(9000, 0).at));
    }

    #[test]
    fn a_step_moves_whole_days_as_many_back_as_forth() {
        let hours = |hours: i64| Wall(hours * DAY_MS / 24);
        let days = |from: Wall, to: Wall, run_h: u64| {
            let run = Duration::from_secs(run_h * 3600);
            Step { by_ms: to.0.saturating_sub(from.0), slept: Duration::ZERO, from, to, run }.days()
        };
        for (by, moved) in [(36, 1), (48, 2), (23, 0)] {
            assert_eq!(days(hours(1_000), hours(1_000 + by), 100), moved);
            assert_eq!(days(hours(1_000 + by), hours(1_000), 100), -moved);
        }
        // At one o'clock, ten hours after the start: most of the run was the day before, at eight.
        let one = 24 * 100 + 1;
        for (by, moved) in [(2, 0), (5, 1), (27, 1), (28, 2), (-19, 0), (-21, -1)] {
            assert_eq!(days(hours(one), hours(one + by), 10), moved, "{by} h");
        }
        assert_eq!(days(Wall(0), Wall(i64::MAX), 100), i32::MAX);
        assert_eq!(days(Wall(0), Wall(i64::MIN), 100), i32::MIN);
    }
}
