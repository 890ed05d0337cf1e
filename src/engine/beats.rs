//! Beats: who is not asked and reports by itself, and by when the next report is due.
//!
//! A deadline that falls while nobody could report (we or our network were away, or things settle) is no
//! deadline: it moves to a while after that. What reports often does not say again what found nobody, so that it has
//! its whole time then, also where only the report fell into that time.

use std::time::Duration;

use super::registration::Rhythm;
use super::registry::{App, AppId, RECORDED_EVERY};
use super::scheduler::STOOD_STILL;
use super::sorted::SortedMap;
use super::time::{Moment, Now, Step};
use super::verdict::answer::Verdict;
use super::verdict::judge;
use super::verdict::trouble::Trouble;
use super::wheel::{TimerId, TimerWheel};

/// After nobody could report, each has its grace, and this long at least; and so often it is looked whether
/// that is over.
const RESPITE: Duration = Duration::from_secs(60);

/// Who reports this often, or more, has another whole time after one in which its report may have found nobody: it
/// comes again on the same day, and somebody who is told in vain believes less. Of a nightly one nobody would know
/// for two days.
const SAID_SOON_AGAIN: Duration = Duration::from_secs(6 * 3600);

/// Every app that reports by itself.
#[derive(Debug, Default)]
pub struct Beats {
    /// In boxes: so the code of all such maps is there once.
    awaited: SortedMap<AppId, Box<Awaited>>,
    wheel: TimerWheel<AppId>,
}

#[derive(Debug)]
struct Awaited {
    rhythm: Rhythm,
    /// Since when: it was heard, or could be heard again.
    from: Moment,
    /// By when it is to report.
    due: Moment,
    timer: TimerId,
    /// Once we looked too late, and it was given time: what it said may have been on its way.
    excused: bool,
    /// When it said that it begins, if it has not reported since.
    began: Option<Moment>,
}

/// What an app says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Report {
    /// It begins with what it is to report the end of.
    Begins,
    /// How that went.
    Went(Verdict),
}

/// What became of a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Heard {
    /// It counts.
    Counted,
    /// The app is paused: nothing counts.
    Paused,
}

/// An app has not reported in time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Late {
    /// Which.
    pub app: AppId,
    /// It was to report within so long.
    pub within: Duration,
}

impl Late {
    /// What that says of it.
    pub fn verdict(self) -> Verdict {
        judge(Err(Trouble::NoBeat { within: self.within }))
    }
}

impl Beats {
    /// Awaits an app anew: it is to report within one interval and its grace from now.
    fn add(&mut self, now: Now, id: AppId, rhythm: Rhythm) {
        self.await_until(now, id, rhythm, now.at + rhythm.whole());
    }

    /// Takes in an app that is on record and was heard of so long ago; `None`: that is not known. Of one that
    /// reports more often than is recorded it never is.
    pub fn restore(&mut self, now: Now, id: AppId, rhythm: Rhythm, heard: Option<Duration>) {
        let anew = now.at + rhythm.whole();
        let due = match heard.filter(|_| rhythm.interval >= RECORDED_EVERY) {
            Some(age) => (now.at.before(age) + rhythm.whole()).max(now.at + rhythm.after_us(age)),
            None => anew,
        };
        self.await_until(now, id, rhythm, due.min(anew.max(now.at + rhythm.respite())));
    }

    /// Awaits an app no more.
    pub fn remove(&mut self, id: AppId) {
        if let Some(awaited) = self.awaited.remove(&id) {
            self.wheel.cancel(awaited.timer);
        }
    }

    /// An app is new, is another now, or is gone: it is awaited, if it reports, in the rhythm that is
    /// registered, unless it is paused.
    pub fn follow(&mut self, now: Now, id: AppId, app: Option<&App>) {
        let awaited = app.filter(|app| !app.paused);
        match awaited.and_then(|app| app.registration.beats()) {
            Some(rhythm) if self.differs(id, rhythm) => self.add(now, id, rhythm),
            Some(_) => {}
            None => self.remove(id),
        }
    }

    /// Whether an app is awaited in another rhythm, or not at all.
    fn differs(&self, id: AppId, rhythm: Rhythm) -> bool {
        self.awaited.get(&id).is_none_or(|awaited| awaited.rhythm != rhythm)
    }

    /// An app reports: what counts of that as a check would, and how long it took.
    pub fn hear(&mut self, now: Now, id: AppId, report: Report) -> Option<(Verdict, Duration)> {
        match report {
            Report::Begins => {
                self.handle_start(now, id);
                None
            }
            Report::Went(verdict) => Some((verdict, self.handle_report(now, id))),
        }
    }

    /// An app has said that it begins: the time until its report is told with that.
    fn handle_start(&mut self, now: Now, id: AppId) {
        if let Some(awaited) = self.awaited.get_mut(&id) {
            awaited.began = Some(now.at);
        }
    }

    /// An app has reported. How long it took, if it said when it began.
    fn handle_report(&mut self, now: Now, id: AppId) -> Duration {
        let Some(awaited) = self.awaited.get_mut(&id) else { return Duration::ZERO };
        let took = awaited.began.take().map(|began| now.at.since(began));
        let rhythm = awaited.rhythm;
        self.add(now, id, rhythm);
        took.unwrap_or_default()
    }

    /// The clocks were put right: what is due is due in real time, asleep or not.
    pub fn handle_step(&mut self, step: Step) {
        for (id, awaited) in self.awaited.iter_mut() {
            let due = step.moved_back(awaited.due);
            awaited.from = step.moved_back(awaited.from);
            awaited.began = awaited.began.map(|began| step.moved_back(began));
            if due != awaited.due {
                self.wheel.cancel(awaited.timer);
                awaited.due = due;
                awaited.timer = self.wheel.schedule(due, *id);
            }
        }
    }

    /// When the next report is due.
    pub fn next_deadline(&self) -> Option<Moment> {
        self.wheel.next_deadline()
    }

    /// When an app is to report at the latest; `None` if it is not awaited.
    pub fn due_at(&self, id: AppId) -> Option<Moment> {
        self.awaited.get(&id).map(|awaited| awaited.due)
    }

    /// A deadline may have passed: who has not reported. Everybody could since `since`; `None`: not everybody can
    /// now.
    pub fn poll_late(&mut self, now: Now, since: Option<Moment>) -> Option<Late> {
        let app = self.wheel.poll(now.at)?;
        let awaited = self.awaited.get_mut(&app)?;
        let Awaited { rhythm, from, due, excused, .. } = **awaited;
        let Some(since) = since else {
            awaited.timer = self.wheel.schedule(now.at + RESPITE, app);
            return None;
        };
        // Who stood still hears late what was said in time.
        let overslept = due > since && !excused && now.at.since(due) > STOOD_STILL;
        // Its report may have found nobody, and the next is an interval later.
        let lost_one = rhythm.says_soon_again() && since > from;
        if due <= since || overslept || lost_one {
            awaited.excused = overslept;
            awaited.from = from.max(since);
            awaited.due =
                if overslept { now.at + rhythm.patience() } else { since + rhythm.respite() };
            awaited.timer = self.wheel.schedule(awaited.due, app);
            return None;
        }
        // From the deadline on, without drift; what fell due meanwhile is one failure, not many.
        awaited.excused = false;
        awaited.from = now.at;
        awaited.due = (due + rhythm.interval).max(now.at);
        awaited.timer = self.wheel.schedule(awaited.due, app);
        Some(Late { app, within: rhythm.whole() })
    }

    fn await_until(&mut self, now: Now, id: AppId, rhythm: Rhythm, due: Moment) {
        self.remove(id);
        let (timer, from) = (self.wheel.schedule(due, id), now.at);
        let awaited = Awaited { rhythm, from, due, timer, excused: false, began: None };
        self.awaited.insert(id, Box::new(awaited));
    }
}

impl Rhythm {
    fn whole(self) -> Duration {
        self.interval + self.grace
    }

    /// Whether what it reported in vain is soon said again.
    pub fn says_soon_again(self) -> bool {
        self.interval <= SAID_SOON_AGAIN
    }

    /// What it has after a time in which nobody could report: until the next report of one that reports often.
    fn respite(self) -> Duration {
        let patience = self.patience();
        if self.says_soon_again() { self.interval + patience } else { patience }
    }

    /// What it has after a start of ours, that was heard of so long ago: its report may have found nobody.
    fn after_us(self, age: Duration) -> Duration {
        if age + self.grace >= self.interval { self.respite() } else { self.patience() }
    }

    /// How long what was said in time may be on its way.
    fn patience(self) -> Duration {
        self.grace.max(RESPITE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::Wall;

    const ID: AppId = AppId(1);
    const HOUR: u64 = 3600;

    fn at(seconds: u64) -> Now {
        let at = Moment::START + Duration::from_secs(seconds);
        Now { at, wall: Wall::from_unix_millis(1_795_474_540_000) }
    }

    fn rhythm(interval: u64, grace: u64) -> Rhythm {
        Rhythm { interval: Duration::from_secs(interval), grace: Duration::from_secs(grace) }
    }

    fn due(beats: &Beats) -> u64 {
        beats.due_at(ID).unwrap().since(Moment::START).as_secs()
    }

    /// Who is late at this second, when nothing was ever in the way.
    fn late(beats: &mut Beats, second: u64) -> bool {
        beats.poll_late(at(second), Some(Moment::START)).is_some()
    }

    #[test]
    fn who_reports_in_time_is_never_late() {
        let mut beats = Beats::default();
        beats.add(at(0), ID, rhythm(100, 60));
        for second in [100, 259, 400] {
            assert!(!late(&mut beats, second));
            assert_eq!(beats.handle_report(at(second), ID), Duration::ZERO);
        }
        assert!(!late(&mut beats, 559));
        assert!(late(&mut beats, 560));
    }

    #[test]
    fn each_interval_that_it_stays_away_is_one_more() {
        let mut beats = Beats::default();
        beats.add(at(0), ID, rhythm(100, 60));
        let fails: Vec<u64> = (0..500).filter(|second| late(&mut beats, *second)).collect();
        assert_eq!(fails, [160, 260, 360, 460]);
        beats.handle_report(at(500), ID);
        assert_eq!(due(&beats), 660);
        assert!(!late(&mut beats, 2_000), "we look so late that it may have said something");
        assert!(!late(&mut beats, 2_059) && late(&mut beats, 2_070), "once");
        assert!(!late(&mut beats, 2_159) && late(&mut beats, 2_160), "without drift");
    }

    #[test]
    fn a_start_is_no_report_and_times_the_next_one() {
        let mut beats = Beats::default();
        beats.add(at(0), ID, rhythm(100, 60));
        beats.handle_start(at(50), ID);
        assert_eq!(due(&beats), 160);
        assert_eq!(beats.handle_report(at(90), ID), Duration::from_secs(40));
        assert_eq!(beats.handle_report(at(91), ID), Duration::ZERO, "doubled");
    }

    #[test]
    fn a_deadline_while_nobody_could_report_moves_behind_that() {
        let mut beats = Beats::default();
        beats.add(at(0), ID, rhythm(100, 0));
        assert_eq!(beats.poll_late(at(100), None), None);
        assert_eq!(beats.next_deadline(), Some(at(160).at));
        let since = Some(at(130).at);
        assert_eq!(beats.poll_late(at(160), since), None);
        assert_eq!(due(&beats), 290, "its whole time and a minute, though it has no grace");
        assert!(beats.poll_late(at(290), since).is_some());
        let soon = SAID_SOON_AGAIN.as_secs();
        let rare = soon + 1;
        for (interval, grace, respite) in
            [(100, 200, 300), (soon, 0, soon + 60), (rare, 200, 200), (rare, 0, 60)]
        {
            let mut beats = Beats::default();
            beats.add(at(0), ID, rhythm(interval, grace));
            let end = interval + grace + 7;
            assert_eq!(beats.poll_late(at(end), Some(at(end).at)), None);
            assert_eq!(due(&beats), end + respite, "{interval} {grace}");
        }
    }

    #[test]
    fn a_report_that_found_nobody_is_not_made_again() {
        for (interval, grace) in [(5, 60), (60, 60), (300, 60), (600, 0), (HOUR, 360)] {
            // It was to come while nobody could, and the deadline is later.
            let since = interval + 1;
            let due_first = interval + grace;
            let mut beats = Beats::default();
            beats.add(at(0), ID, rhythm(interval, grace));
            let polled = due_first.max(since);
            assert_eq!(beats.poll_late(at(polled), Some(at(since).at)), None, "{interval}");
            let moved = since + interval + grace.max(60);
            assert_eq!(due(&beats), moved, "{interval}");
            assert!(beats.poll_late(at(moved), Some(at(since).at)).is_some(), "once: {interval}");
        }
        // A nightly one was to come again, and is told.
        let mut beats = Beats::default();
        beats.add(at(0), ID, rhythm(24 * HOUR, 2 * HOUR));
        assert!(beats.poll_late(at(26 * HOUR), Some(at(24 * HOUR + 1).at)).is_some());
    }

    #[test]
    fn after_a_restart_what_may_not_be_on_record_is_no_fault() {
        let restored = |rhythm: Rhythm, heard: Option<u64>| {
            let mut beats = Beats::default();
            beats.restore(at(0), ID, rhythm, heard.map(Duration::from_secs));
            due(&beats)
        };
        let daily = rhythm(24 * HOUR, 2 * HOUR);
        assert_eq!(restored(daily, Some(10 * HOUR)), 16 * HOUR);
        assert_eq!(restored(daily, Some(25 * HOUR)), 2 * HOUR, "it has its grace");
        assert_eq!(restored(daily, None), 26 * HOUR);
        assert_eq!(restored(rhythm(300, 60), Some(HOUR)), 360, "its beats are not on record");
        assert_eq!(restored(rhythm(HOUR, 0), Some(9 * HOUR)), HOUR + 60, "it is soon said again");
        assert_eq!(restored(rhythm(HOUR, 360), Some(HOUR - 300)), HOUR + 360, "it was to come");
        assert_eq!(restored(rhythm(HOUR, 360), Some(HOUR / 2)), HOUR / 2 + 360);
    }

    #[test]
    fn another_rhythm_is_seen_and_who_is_gone_is_not_awaited() {
        let mut beats = Beats::default();
        assert!(beats.differs(ID, rhythm(100, 60)));
        beats.add(at(0), ID, rhythm(100, 60));
        assert!(!beats.differs(ID, rhythm(100, 60)) && beats.differs(ID, rhythm(100, 0)));
        beats.remove(ID);
        assert_eq!((beats.due_at(ID), beats.next_deadline()), (None, None));
        assert_eq!(beats.handle_report(at(1), ID), Duration::ZERO);
    }
}
