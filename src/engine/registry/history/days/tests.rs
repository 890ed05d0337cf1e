//! Days that pass, and clocks that are set.

use proptest::prelude::*;

use super::*;

const FIRST: i64 = 20_779;

fn wall(day: i64) -> Wall {
    Wall::from_unix_millis((FIRST + day) * DAY_MS + 1000)
}

fn numbers(days: &Days) -> Vec<i64> {
    days.all().map(|day| i64::from(day.day) - FIRST).collect()
}

#[test]
fn a_season_is_kept_in_seven_bytes_a_day() {
    let mut days = Days::default();
    for day in 0..200 {
        for check in 0..2880u32 {
            let outcome = if check < 288 { Outcome::Fail } else { Outcome::Pass };
            days.count(wall(day), outcome, 7);
        }
    }
    assert_eq!(numbers(&days), (110..200).collect::<Vec<_>>());
    assert!(days.over.bytes() <= 7 * 90, "{} bytes", days.over.bytes());
    let day = days.all().next().unwrap();
    assert_eq!((day.checks, day.failures, day.uptime()), (2880, 288, Some(0.9)));
    assert!((5..=10).contains(&day.p50_ms) && (5..=10).contains(&day.p95_ms));
    assert_eq!(days.uptime(wall(199), 30), Some(0.9));
    assert_eq!(days.uptime(wall(400), 30), Some(0.9), "today, even when it is long ago");
}

#[test]
fn uptime_is_of_the_days_asked_for() {
    let mut days = Days::default();
    assert_eq!(days.uptime(wall(0), 7), None);
    days.count(wall(0), Outcome::Fail, 5);
    days.count(wall(6), Outcome::Pass, 5);
    assert_eq!(days.uptime(wall(6), 7), Some(0.5));
    days.count(wall(7), Outcome::Warn, 5);
    assert_eq!(days.uptime(wall(7), 7), Some(1.0));
    assert_eq!(days.all().next().unwrap().p95_ms, 0, "nothing answered");
}

fn unset(day: i64) -> Wall {
    Wall::from_unix_millis(day * DAY_MS + 1000)
}

/// As the engine has it done when the clock jumps.
fn set(days: &mut Days, from: Wall, to: Wall) {
    days.rename(i32::from(day_of(to)) - i32::from(day_of(from)), u16::MAX);
}

fn checks(days: &Days) -> Vec<(i64, u16)> {
    days.all().map(|day| (i64::from(day.day) - FIRST, day.checks)).collect()
}

#[test]
fn days_without_a_clock_get_their_names_when_it_is_set() {
    let mut days = Days::default();
    for day in 0..5 {
        for _ in 0..17_280 {
            days.count(unset(day), Outcome::Fail, 5);
        }
    }
    assert_eq!(days.uptime(unset(4), 7), Some(0.0));
    set(&mut days, unset(4), wall(10));
    days.count(wall(10), Outcome::Pass, 5);
    let names: Vec<_> = (6..10).map(|day| (day, 17_280)).chain([(10, 17_281)]).collect();
    assert_eq!(checks(&days), names);

    let mut days = Days::restore(&Days::record(&days), wall(10));
    assert_eq!(checks(&days), names);
    days.count(wall(11), Outcome::Pass, 5);
    assert_eq!(days.all().last().unwrap().checks, 1);
}

#[test]
fn a_day_is_one_row_however_many_checks_it_has_and_says_nothing_twice() {
    let mut days = Days::default();
    assert_eq!(checks(&days), []);
    for outcome in [Outcome::Pass, Outcome::Fail, Outcome::Pass] {
        days.count(wall(0), outcome, 5);
    }
    assert_eq!(checks(&days), [(0, 3)]);
    let DaysRecord(text) = days.record();
    assert_eq!(text, format!("{FIRST}:3:1:4:5 {}=2", step(5)));
    assert_eq!(days.today(wall(-3)), day_of(wall(0)), "no day comes before the newest");
}

#[test]
fn what_earlier_runs_counted_of_a_day_stays_there_when_the_clock_of_this_one_is_set() {
    let mut days = Days::default();
    for outcome in [Outcome::Pass, Outcome::Fail, Outcome::Pass] {
        days.count(wall(0), outcome, 5);
    }
    let record = days.record();
    let mut days = Days::restore(&record, wall(0));
    set(&mut days, wall(0), wall(5));
    assert_eq!(checks(&days), [(0, 3)], "this run has counted nothing yet");
    let mut days = Days::restore(&record, wall(0));
    set(&mut days, wall(0), wall(-1));
    days.count(wall(-1), Outcome::Pass, 5);
    assert_eq!(checks(&days), [(0, 4)], "nothing, so there is no other day");
    let mut days = Days::restore(&record, wall(0));
    for _ in 0..5 {
        days.count(wall(0), Outcome::Fail, 5);
    }
    set(&mut days, wall(0), wall(5));
    let counted: Vec<[u16; 2]> = days.all().map(|day| [day.checks, day.failures]).collect();
    assert_eq!((numbers(&days), counted), (vec![0, 5], vec![[3, 1], [5, 5]]));
}

#[test]
fn days_of_a_run_that_never_had_a_clock_are_not_lost() {
    let mut days = Days::default();
    for day in [0, 1, 2] {
        days.count(unset(day), Outcome::Fail, 5);
    }
    let days = Days::restore(&days.record(), wall(10));
    assert_eq!(checks(&days), [(8, 1), (9, 1), (10, 1)]);
    assert_eq!(days.uptime(wall(10), 7), Some(0.0));
}

#[test]
fn a_clock_that_is_ahead_for_a_moment_erases_nothing() {
    let mut days = Days::default();
    days.count(wall(0), Outcome::Fail, 5);
    days.count(wall(1), Outcome::Fail, 5);
    set(&mut days, wall(1), wall(11));
    days.count(wall(11), Outcome::Pass, 5);
    set(&mut days, wall(11), wall(1));
    assert_eq!(checks(&days), [(0, 1), (1, 2)]);
    assert_eq!(days.uptime(wall(1), 1), Some(0.5));
}

#[test]
fn a_clock_that_ran_ahead_is_put_right() {
    let mut days = Days::default();
    days.count(wall(0), Outcome::Pass, 5);
    let mut days = Days::restore(&days.record(), wall(1));
    for day in [1, 2] {
        days.count(wall(day), Outcome::Pass, 5);
    }
    set(&mut days, wall(2), wall(9000));
    for day in [9000, 9001, 9002] {
        days.count(wall(day), Outcome::Pass, 5);
    }
    assert_eq!(numbers(&days), [0, 8999, 9000, 9001, 9002]);
    set(&mut days, wall(9002), wall(3));
    assert_eq!(checks(&days), [(0, 2), (1, 2), (2, 1), (3, 1)]);
    days.count(wall(2), Outcome::Pass, 5);
    assert_eq!(checks(&days).last(), Some(&(3, 2)), "a small step back is no new day");
}

#[test]
fn a_day_that_an_earlier_run_has_ended_goes_on_when_the_clock_is_put_right() {
    let mut days = Days::default();
    for day in [4, 5] {
        days.count(wall(day), Outcome::Pass, 5);
    }
    let mut days = Days::restore(&days.record(), wall(5));
    days.count(wall(20), Outcome::Fail, 5);
    set(&mut days, wall(20), wall(5));
    assert_eq!(checks(&days), [(4, 1), (5, 2)], "one day is not there twice");
    days.count(wall(5), Outcome::Pass, 5);
    days.count(wall(6), Outcome::Pass, 5);
    assert_eq!(checks(&days), [(4, 1), (5, 3), (6, 1)]);
    assert_eq!(days.all().map(|day| day.failures).collect::<Vec<_>>(), [0, 1, 0]);
}

#[test]
fn days_of_a_run_whose_clock_was_ahead_are_put_right_though_this_one_was_set_within_its_day() {
    let mut days = Days::default();
    for day in [1, 3, 8, 9, 10] {
        days.count(wall(day), Outcome::Pass, 5);
    }
    let mut days = Days::restore(&days.record(), wall(3));
    days.rename(0, day_of(wall(3)));
    assert_eq!(checks(&days), [(1, 1), (3, 4)]);
    assert_eq!(days.today(wall(3)), day_of(wall(3)));
}

proptest! {
    #[test]
    fn days_are_the_same_after_a_restart_and_hourly_records_add_up(
        checks in prop::collection::vec((0i64..2, 0u8..3, 0u32..70_000), 1..300)
    ) {
        let outcomes = [Outcome::Pass, Outcome::Warn, Outcome::Fail];
        let mut days = Days::default();
        let mut record = DaysRecord::default();
        let mut day = 0;
        for (step, outcome, latency) in checks {
            day += step;
            days.count(wall(day), outcomes[usize::from(outcome)], latency);
            record.extend(&days.record_latest());
        }
        prop_assert_eq!(&record, &days.record());
        let restored = Days::restore(&record, wall(day));
        prop_assert_eq!(restored.all().collect::<Vec<_>>(), days.all().collect::<Vec<_>>());
        prop_assert_eq!(restored.today, days.today);
    }

    #[test]
    fn any_text_can_be_read(text in "[0-9 :=-]{0,80}") {
        let mut days = Days::restore(&DaysRecord(text), wall(0));
        days.count(wall(0), Outcome::Pass, 5);
        prop_assert!(days.all().count() > 0);
    }
}
