//! When we stand still, and when threads are too few.

use super::*;

#[test]
fn failures_while_we_stood_still_are_void_ten_in_a_row_at_most() {
    let mut clockwork = Clockwork::new(4);
    clockwork.add(NAS, 300);
    clockwork.pass_to(1_000);
    let fail = |clockwork: &mut Clockwork| {
        clockwork.scheduler.handle_standstill(seconds(2));
        clockwork.end(clockwork.last().check, ended(Outcome::Fail))
    };
    for number in 1..=10 {
        let ended = fail(&mut clockwork);
        let Some(Ended::Undecided { app: NAS, reason }) = ended else { panic!("{ended:?}") };
        assert_eq!(reason, "we stood still meanwhile; HTTP 503 Service Unavailable");
        assert_eq!(clockwork.begun.len(), 1 + number, "it is asked again at once");
    }
    assert!(counts(fail(&mut clockwork)), "it may be down");
    clockwork.scheduler.ask_now(clockwork.now(), NAS);
    clockwork.turn();
    assert!(counts(fail(&mut clockwork)), "until one tells that it is not");
    clockwork.scheduler.ask_now(clockwork.now(), NAS);
    clockwork.turn();
    clockwork.scheduler.handle_standstill(seconds(2));
    assert!(counts(clockwork.end(clockwork.last().check, ended(Outcome::Pass))), "a pass is one");
    clockwork.scheduler.ask_now(clockwork.now(), NAS);
    clockwork.turn();
    assert!(undecided(fail(&mut clockwork)));
}

#[test]
fn a_moment_of_standing_still_voids_nothing_nor_does_one_before_the_check() {
    let mut clockwork = Clockwork::new(4);
    clockwork.add(NAS, 300);
    clockwork.scheduler.handle_standstill(seconds(60));
    clockwork.pass_to(1_000);
    clockwork.scheduler.handle_standstill(seconds(1));
    assert!(counts(clockwork.end(clockwork.last().check, ended(Outcome::Fail))));
}

#[test]
fn a_thread_that_noticed_its_time_out_too_late_stood_still_itself() {
    for (late_ms, void) in [(1_000, false), (1_001, true)] {
        let mut clockwork = Clockwork::new(4);
        clockwork.add(NAS, 300);
        clockwork.pass_to(1_000);
        clockwork.ms = clockwork.begun[0].0 + 5_000 + late_ms;
        assert_eq!(undecided(clockwork.end(clockwork.last().check, silence())), void);
    }
}

#[test]
fn a_shortage_begins_with_a_check_that_waited_and_is_over_two_minutes_after_the_last() {
    let mut clockwork = Clockwork::new(1);
    clockwork.add(NAS, 300);
    clockwork.add(KODI, 10);
    clockwork.pass_to(1_000);
    clockwork.ms = 5_000;
    clockwork.end(clockwork.last().check, ended(Outcome::Pass));
    let waited = clockwork.last().shortage.unwrap();
    assert!(waited > seconds(4) && waited <= seconds(5), "{waited:?}");
    assert_eq!(clockwork.scheduler.load().lately, Some(waited));
    let over_at = 5_000 + 120_000;
    clockwork.end(clockwork.last().check, ended(Outcome::Pass));
    // Paused, so that nothing else is due.
    [NAS, KODI].iter().for_each(|id| clockwork.scheduler.pause(*id));
    let next = clockwork.scheduler.next_deadline();
    assert_eq!(next, Some((after_ms(over_at).at, Wait::Shortage)));
    clockwork.pass_to(200_000);
    assert_eq!(clockwork.over, [over_at]);
    assert_eq!(clockwork.scheduler.next_deadline(), None);
    let load = clockwork.scheduler.load();
    assert_eq!((load.late, load.lately), (1, None));
}

#[test]
fn a_wait_lasts_until_the_check_begins_whatever_made_room_for_it() {
    let hang = [KODI, AppId(3)];
    let mut clockwork = Clockwork::new(4);
    [NAS, hang[0], hang[1]].iter().for_each(|id| clockwork.add(*id, 10));
    clockwork.pass_to(1_000);
    for (_, begin) in clockwork.begun.clone() {
        let answers = begin.app == NAS;
        clockwork.end(begin.check, if answers { ended(Outcome::Pass) } else { silence() });
    }
    clockwork.pass_to(5_000);
    assert_eq!(clockwork.last().app, NAS);
    clockwork.end(clockwork.last().check, ended(Outcome::Pass));
    // Of the threads for those that hang, an app that answers leaves one.
    clockwork.pass_to(14_000);
    let due = clockwork.scheduler.load().longest.unwrap();
    let held = clockwork.last().app;
    assert!(hang.contains(&held));
    clockwork.scheduler.pause(NAS);
    clockwork.turn();
    let begin = clockwork.last();
    assert!(hang.contains(&begin.app) && begin.app != held, "{begin:?}");
    assert_eq!(begin.shortage, Some(clockwork.now().at.since(due)));
}
