//! The scheduler alone, in virtual time.

use std::collections::BTreeMap;

use super::*;
use crate::engine::tests::{after_ms, verdict};

mod chance;
mod hard_times;

const NAS: AppId = AppId(1);
const KODI: AppId = AppId(2);

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn every(interval: u64) -> Timing {
    Timing { interval: seconds(interval), timeout: seconds(5) }
}

fn destination(id: AppId) -> Destination {
    at_host(id, "here")
}

fn at_host(id: AppId, host: &str) -> Destination {
    Destination { name: format!("app{}", id.0), address: format!("http://{host}/") }
}

fn ended(outcome: Outcome) -> CheckEnd {
    CheckEnd::Verdict(verdict(outcome))
}

fn silence() -> CheckEnd {
    CheckEnd::Verdict(Verdict { http_status: None, ..verdict(Outcome::Fail) })
}

/// A scheduler whose time passes from one thing to the next, and what it began.
struct Clockwork {
    scheduler: Scheduler,
    ms: u64,
    /// Every check that began: when (ms), which.
    begun: Vec<(u64, Begin)>,
    under_way: BTreeMap<u64, u64>,
    /// When a shortage was over (ms).
    over: Vec<u64>,
}

impl Clockwork {
    fn new(workers: usize) -> Clockwork {
        let scheduler = Scheduler::new(workers);
        let (begun, over) = (Vec::new(), Vec::new());
        Clockwork { scheduler, ms: 0, begun, under_way: BTreeMap::new(), over }
    }

    fn now(&self) -> Now {
        after_ms(self.ms)
    }

    fn add(&mut self, id: AppId, interval: u64) {
        let now = self.now();
        self.scheduler.add(now, id, every(interval), &destination(id));
    }

    fn next(&self) -> Option<u64> {
        let (at, _) = self.scheduler.next_deadline()?;
        Some(u64::try_from(at.since(after_ms(0).at).as_millis()).unwrap())
    }

    /// A turn in which whatever is due is done.
    fn turn(&mut self) {
        let now = self.now();
        self.scheduler.handle_time(now);
        while let Some((_, wait)) = self.scheduler.next_deadline().filter(|(at, _)| *at <= now.at) {
            match wait {
                Wait::Check => self.scheduler.handle_check_deadline(now),
                Wait::Shortage => {
                    let over = self.scheduler.handle_shortage_deadline(now);
                    self.over.extend(over.then_some(self.ms));
                }
            }
        }
        while let Some(begin) = self.scheduler.poll_begin() {
            self.begun.push((self.ms, begin));
            self.under_way.insert(begin.check, self.ms);
        }
    }

    /// Lets time pass; nobody answers.
    fn pass_to(&mut self, ms: u64) {
        while let Some(next) = self.next().filter(|next| *next <= ms) {
            self.ms = self.ms.max(next);
            self.turn();
        }
        self.ms = ms;
        self.turn();
    }

    /// Lets time pass; everybody passes at once.
    fn pass_answered_to(&mut self, ms: u64) {
        while let Some(next) = self.next().filter(|next| *next <= ms) {
            self.ms = self.ms.max(next);
            self.turn();
            while let Some((check, _)) = self.under_way.first_key_value().map(|(k, v)| (*k, *v)) {
                self.end(check, ended(Outcome::Pass));
            }
        }
        self.ms = ms;
    }

    /// A check ends now, after as long as it was under way.
    fn end(&mut self, check: u64, end: CheckEnd) -> Option<Ended> {
        let began = self.under_way.remove(&check).unwrap();
        let latency = Duration::from_millis(self.ms - began);
        let ran = Ran::until(self.now().at, latency);
        let ended = self.scheduler.handle_end(self.now(), check, end, ran);
        self.turn();
        ended
    }

    fn last(&self) -> Begin {
        self.begun.last().unwrap().1
    }

    /// When an app was asked (ms).
    fn times_of(&self, app: AppId) -> Vec<u64> {
        self.begun.iter().filter(|(_, begin)| begin.app == app).map(|(at, _)| *at).collect()
    }

    fn relocate(&mut self, id: AppId, before: &str, after: &str) {
        let (now, before, after) = (self.now(), at_host(id, before), at_host(id, after));
        self.scheduler.relocate(now, id, every(10), before, &after);
    }
}

fn undecided(ended: Option<Ended>) -> bool {
    matches!(ended, Some(Ended::Undecided { .. }))
}

fn counts(ended: Option<Ended>) -> bool {
    matches!(ended, Some(Ended::Verdict { .. }))
}

#[test]
fn the_first_check_comes_within_a_second_the_second_within_an_interval_and_none_drifts() {
    let mut clockwork = Clockwork::new(32);
    for number in 1..=30 {
        clockwork.add(AppId(number), [5, 30, 300][number as usize % 3]);
    }
    clockwork.pass_answered_to(3_600_000);
    for number in 1..=30 {
        let interval = [5_000, 30_000, 300_000][number as usize % 3];
        let times = clockwork.times_of(AppId(number));
        assert!(times[0] <= 1_000, "{times:?}");
        assert!((interval / 2..=interval).contains(&(times[1] - times[0])), "{times:?}");
        assert!(times[1..].windows(2).all(|pair| pair[1] - pair[0] == interval), "{times:?}");
    }
}

#[test]
fn a_turn_that_comes_late_shifts_no_later_check() {
    let mut clockwork = Clockwork::new(4);
    clockwork.add(NAS, 10);
    clockwork.pass_answered_to(20_000);
    let due = clockwork.next().unwrap();
    clockwork.ms = due + 700;
    clockwork.turn();
    assert_eq!(clockwork.times_of(NAS).last(), Some(&(due + 700)));
    assert_eq!(clockwork.next(), Some(due + 10_000));
    clockwork.end(clockwork.last().check, ended(Outcome::Pass));
    // We were away for minutes: asked once, and then in time again.
    clockwork.ms = due + 185_000;
    clockwork.turn();
    assert_eq!(clockwork.times_of(NAS).last(), Some(&(due + 185_000)));
    assert_eq!(clockwork.next(), Some(due + 190_000));
}

#[test]
fn nobody_is_asked_early_however_often_we_look() {
    let mut clockwork = Clockwork::new(4);
    clockwork.add(NAS, 10);
    clockwork.pass_answered_to(20_000);
    let (due, begun) = (clockwork.next().unwrap(), clockwork.begun.len());
    for ms in [20_001, due - 500, due - 1] {
        clockwork.scheduler.handle_check_deadline(after_ms(ms));
        assert_eq!(clockwork.scheduler.poll_begin(), None);
    }
    clockwork.pass_to(due);
    assert_eq!(clockwork.begun.len(), begun + 1);
}

#[test]
fn a_paused_app_is_not_asked_and_a_resumed_one_within_a_second() {
    let mut clockwork = Clockwork::new(4);
    clockwork.add(NAS, 10);
    clockwork.pass_answered_to(60_000);
    let before = clockwork.begun.len();
    clockwork.scheduler.pause(NAS);
    clockwork.scheduler.pause(NAS);
    assert_eq!(
        (clockwork.scheduler.next_deadline(), clockwork.scheduler.due_at(NAS)),
        (None, None)
    );
    clockwork.pass_answered_to(600_000);
    assert_eq!(clockwork.begun.len(), before);
    let now = clockwork.now();
    clockwork.scheduler.resume(now, NAS);
    clockwork.pass_answered_to(601_000);
    assert_eq!(clockwork.begun.len(), before + 1);
}

#[test]
fn what_an_app_says_that_was_paused_meanwhile_counts_no_more() {
    let mut clockwork = Clockwork::new(4);
    clockwork.add(NAS, 10);
    clockwork.pass_to(1_000);
    let check = clockwork.last().check;
    clockwork.scheduler.pause(NAS);
    clockwork.scheduler.resume(after_ms(1_000), NAS);
    clockwork.pass_to(3_000);
    assert_eq!(clockwork.begun.len(), 1, "it is under way still");
    assert_eq!(clockwork.end(check, ended(Outcome::Fail)), None);
    assert_eq!(clockwork.begun.len(), 2, "the next had been due since");
    let check = clockwork.last().check;
    clockwork.scheduler.pause(NAS);
    assert_eq!(clockwork.end(check, ended(Outcome::Fail)), None);
    assert_eq!(clockwork.begun.len(), 2);
}

#[test]
fn a_check_that_waits_is_withdrawn_when_its_app_is_paused_or_stopped() {
    let mut clockwork = Clockwork::new(1);
    for number in 1..=3 {
        clockwork.add(AppId(number), 10);
    }
    clockwork.pass_to(1_000);
    assert_eq!((clockwork.begun.len(), clockwork.scheduler.load().waiting), (1, 2));
    let waiting: Vec<AppId> = (1..=3).map(AppId).filter(|id| *id != clockwork.last().app).collect();
    clockwork.scheduler.pause(waiting[0]);
    clockwork.scheduler.remove(waiting[1], destination(waiting[1]));
    assert_eq!(clockwork.scheduler.load().waiting, 0);
    clockwork.end(clockwork.last().check, ended(Outcome::Pass));
    assert_eq!(clockwork.begun.len(), 1);
}

#[test]
fn an_app_is_asked_once_at_a_time() {
    let mut clockwork = Clockwork::new(4);
    clockwork.add(NAS, 10);
    clockwork.pass_to(45_000);
    clockwork.scheduler.ask_now(after_ms(45_000), NAS);
    clockwork.turn();
    assert_eq!(clockwork.begun.len(), 1);
    assert!(counts(clockwork.end(clockwork.last().check, ended(Outcome::Pass))));
    clockwork.scheduler.ask_now(after_ms(45_000), NAS);
    clockwork.turn();
    assert_eq!(clockwork.begun.len(), 2);
    let due = clockwork.next().unwrap();
    clockwork.end(clockwork.last().check, ended(Outcome::Pass));
    clockwork.pass_to(due);
    assert_eq!(clockwork.begun.len(), 3, "it is asked when it is due all the same");
}

#[test]
fn another_address_is_asked_within_a_second_and_no_later_than_was_due() {
    let mut clockwork = Clockwork::new(4);
    clockwork.add(NAS, 10);
    clockwork.pass_answered_to(20_000);
    let due = clockwork.next().unwrap();
    clockwork.ms = due - 2_000;
    clockwork.relocate(NAS, "here", "there");
    assert!(clockwork.next().unwrap() <= due - 1_000);
    // By turns at two addresses, faster than it is asked.
    let due = clockwork.next().unwrap();
    for (ms, before, after) in [(1_990, "there", "here"), (1_980, "here", "there")] {
        clockwork.ms = due.max(clockwork.ms + 2_000 - ms) - 1;
        clockwork.relocate(NAS, before, after);
        assert!(clockwork.next().unwrap() <= due);
    }
    let asked = clockwork.begun.len();
    clockwork.pass_to(due);
    assert_eq!(clockwork.begun.len(), asked + 1);
}

#[test]
fn a_paused_app_that_moves_stays_paused() {
    let mut clockwork = Clockwork::new(4);
    clockwork.add(NAS, 10);
    clockwork.pass_answered_to(20_000);
    clockwork.scheduler.pause(NAS);
    clockwork.relocate(NAS, "here", "there");
    clockwork.scheduler.repace(clockwork.now(), NAS, every(5));
    assert_eq!(clockwork.scheduler.next_deadline(), None);
}

#[test]
fn another_interval_makes_no_check_later_and_is_kept_from_then_on() {
    let mut clockwork = Clockwork::new(4);
    clockwork.add(NAS, 300);
    clockwork.pass_answered_to(60_000);
    let now = clockwork.now();
    clockwork.scheduler.repace(now, NAS, every(10));
    assert!(clockwork.next().unwrap() <= 70_000);
    clockwork.pass_answered_to(120_000);
    let due = clockwork.next();
    let now = clockwork.now();
    clockwork.scheduler.repace(now, NAS, every(300));
    assert_eq!(clockwork.next(), due);
    clockwork.pass_answered_to(2_000_000);
    let times = clockwork.times_of(NAS);
    let last: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).rev().take(3).collect();
    assert_eq!(last, [300_000; 3]);
    // A time-out alone moves nothing.
    let due = clockwork.next();
    let timing = Timing { timeout: seconds(60), ..every(300) };
    clockwork.scheduler.repace(clockwork.now(), NAS, timing);
    assert_eq!(clockwork.next(), due);
}

#[test]
fn whoever_registers_anew_at_the_same_address_is_not_asked_there_twice() {
    let mut clockwork = Clockwork::new(4);
    clockwork.add(NAS, 10);
    clockwork.pass_to(1_000);
    let check = clockwork.last().check;
    clockwork.scheduler.remove(NAS, destination(NAS));
    // The name comes back as another app.
    clockwork.scheduler.add(after_ms(1_000), KODI, every(10), &destination(NAS));
    clockwork.pass_to(4_000);
    assert_eq!(clockwork.begun.len(), 1, "the one that was left behind is under way");
    assert_eq!(clockwork.end(check, ended(Outcome::Fail)), None);
    assert_eq!(clockwork.last().app, KODI);
    assert!(counts(clockwork.end(clockwork.last().check, ended(Outcome::Pass))));
}

#[test]
fn an_app_that_has_moved_does_not_wait_for_its_old_address() {
    let mut clockwork = Clockwork::new(4);
    clockwork.add(NAS, 10);
    clockwork.pass_to(1_000);
    let old = clockwork.last().check;
    clockwork.relocate(NAS, "here", "there");
    clockwork.pass_to(2_000);
    assert_eq!(clockwork.begun.len(), 2);
    let there = clockwork.last().check;
    assert_eq!(clockwork.end(old, ended(Outcome::Fail)), None, "it says nothing of the new one");
    assert!(counts(clockwork.end(there, ended(Outcome::Pass))));
}

#[test]
fn an_app_that_comes_back_takes_its_own_check_up_and_that_decides_nothing() {
    let mut clockwork = Clockwork::new(4);
    clockwork.add(NAS, 10);
    clockwork.pass_to(1_000);
    let old = clockwork.last().check;
    clockwork.relocate(NAS, "here", "there");
    clockwork.relocate(NAS, "there", "here");
    clockwork.pass_to(2_500);
    assert_eq!(clockwork.begun.len(), 1);
    assert_eq!(clockwork.end(old, ended(Outcome::Fail)), None);
    assert_eq!(clockwork.begun.len(), 2);
}

#[test]
fn the_thread_of_a_check_that_nobody_waits_for_is_free_only_when_it_has_ended() {
    let mut clockwork = Clockwork::new(1);
    clockwork.add(NAS, 10);
    clockwork.pass_to(1_000);
    let check = clockwork.last().check;
    clockwork.scheduler.remove(NAS, destination(NAS));
    clockwork.add(KODI, 10);
    clockwork.pass_to(3_000);
    assert_eq!(clockwork.begun.len(), 1);
    clockwork.end(check, ended(Outcome::Pass));
    assert_eq!(clockwork.last().app, KODI);
    assert!(counts(clockwork.end(clockwork.last().check, ended(Outcome::Pass))));
    let now = after_ms(3_000);
    let ran = Ran::until(now.at, seconds(1));
    assert_eq!(clockwork.scheduler.handle_end(now, check, silence(), ran), None);
}

/// Eight threads, two of which are held by checks in full, and an app whose check is on a short time-out.
fn on_a_short_timeout() -> (Clockwork, Begin) {
    let mut clockwork = Clockwork::new(8);
    (1..=3).for_each(|number| clockwork.add(AppId(number), 300));
    clockwork.pass_to(1_000);
    let short_timeouts: Vec<bool> =
        clockwork.begun.iter().map(|(_, begin)| begin.short_timeout.is_some()).collect();
    assert_eq!(short_timeouts, [false, false, true]);
    let last = clockwork.last();
    (clockwork, last)
}

#[test]
fn a_check_that_was_broken_off_goes_on_in_full_under_its_number() {
    let (mut clockwork, cut_short) = on_a_short_timeout();
    clockwork.ms += 500;
    assert_eq!(clockwork.end(cut_short.check, CheckEnd::CutShort), None);
    assert_eq!(clockwork.last(), Begin { short_timeout: None, ..cut_short });
    clockwork.ms += 5_000;
    assert!(counts(clockwork.end(cut_short.check, silence())));
}

#[test]
fn a_check_that_was_broken_off_is_no_check_of_an_app_that_is_paused_since() {
    let (mut clockwork, cut_short) = on_a_short_timeout();
    clockwork.scheduler.pause(cut_short.app);
    clockwork.ms += 500;
    assert_eq!(clockwork.end(cut_short.check, CheckEnd::CutShort), None);
    assert_eq!(clockwork.begun.len(), 3);
}

#[test]
fn a_check_without_a_verdict_says_why_and_the_next_comes_when_it_is_due() {
    let mut clockwork = Clockwork::new(4);
    clockwork.add(NAS, 10);
    clockwork.pass_to(1_000);
    let (due, reason) = (clockwork.next(), "the clock is not set".to_owned());
    let ended =
        clockwork.end(clockwork.last().check, CheckEnd::NoVerdict { reason: reason.clone() });
    assert_eq!(ended, Some(Ended::Undecided { app: NAS, reason }));
    assert_eq!((clockwork.begun.len(), clockwork.next()), (1, due));
}

#[test]
fn a_deadline_says_what_it_is_for_and_nothing_to_do_is_no_deadline() {
    let mut clockwork = Clockwork::new(1);
    assert_eq!(clockwork.scheduler.next_deadline(), None);
    clockwork.add(NAS, 10);
    let due = clockwork.scheduler.due_at(NAS).unwrap();
    assert_eq!(clockwork.scheduler.next_deadline(), Some((due, Wait::Check)));
    clockwork.scheduler.remove(NAS, destination(NAS));
    assert_eq!(clockwork.scheduler.next_deadline(), None);
}

#[test]
fn an_app_on_record_is_asked_when_it_says_and_a_paused_one_not_until_it_is_resumed() {
    let mut clockwork = Clockwork::new(4);
    let now = clockwork.now();
    clockwork.scheduler.restore(now, NAS, every(10), Some(after_ms(7_000).at));
    clockwork.scheduler.restore(now, KODI, every(10), None);
    clockwork.pass_answered_to(30_000);
    assert_eq!(clockwork.times_of(NAS), [7_000, 17_000, 27_000]);
    assert!(clockwork.times_of(KODI).is_empty());
    clockwork.scheduler.resume(clockwork.now(), KODI);
    clockwork.pass_answered_to(31_000);
    assert_eq!(clockwork.times_of(KODI).len(), 1);
}

#[test]
fn an_app_that_is_not_there_is_nobody() {
    let mut clockwork = Clockwork::new(1);
    let now = clockwork.now();
    clockwork.scheduler.pause(NAS);
    clockwork.scheduler.ask_now(now, NAS);
    clockwork.scheduler.repace(now, NAS, every(5));
    clockwork.relocate(NAS, "here", "there");
    clockwork.scheduler.remove(NAS, destination(NAS));
    clockwork.turn();
    assert!(clockwork.begun.is_empty() && clockwork.scheduler.next_deadline().is_none());
}
