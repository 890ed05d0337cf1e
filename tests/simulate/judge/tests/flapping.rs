//! What comes and goes: an app that keeps failing, or registers and dies again and again.

use super::tale::{Draft, MINUTE, SECOND, Tale, stamp};
use crate::judge::{Fault, Wrong};
use crate::story::{CauseKind, Ms, PersonId, Reach, Span};
use healthchecker::engine::state::State;

use CauseKind::{Crash, CrashLoop};

/// Ten minutes down, twelve minutes well, ten minutes down.
const DOWN: Ms = 20 * MINUTE + 10 * SECOND;
const AGAIN: Ms = DOWN + 22 * MINUTE;
/// Who keeps failing is believed so much later,
const CALM: Ms = 120 * MINUTE;
/// and who has failed often.
const LONG_CALM: Ms = 360 * MINUTE;

/// A story that is long enough for that.
fn of_nas() -> Tale {
    Tale::of(&["NAS"]).with(|story| story.length = 10 * 60 * MINUTE)
}

fn later(draft: &mut Draft, by: Ms) {
    draft.written += by;
    draft.worded += by;
    draft.accepted += by;
}

/// An alarm and its end, that it keeps failing, and its end when that is believed.
fn keeps_failing() -> Tale {
    let twice = of_nas().befalls(Crash, &[0], DOWN, DOWN + 10 * MINUTE).befalls(
        Crash,
        &[0],
        AGAIN,
        AGAIN + 10 * MINUTE,
    );
    twice.lived().but(|drafts| {
        drafts[2].changes[0].keeps_failing = true;
        later(&mut drafts[3], CALM);
    })
}

#[test]
fn who_keeps_failing_is_told_once_and_that_it_is_well_when_that_is_believed() {
    let judgement = keeps_failing().judged();
    assert_eq!(judgement.findings, [], "{}", judgement.told.concat());
    assert_eq!(keeps_failing().but(|it| it.truncate(3)).faults(), [Fault::NoEnd]);
    // It is no more news until then, if it fails again.
    let third = AGAIN + 15 * MINUTE;
    let thrice = || {
        let tale = of_nas().befalls(Crash, &[0], DOWN, DOWN + 10 * MINUTE).befalls(
            Crash,
            &[0],
            AGAIN,
            AGAIN + 10 * MINUTE,
        );
        tale.befalls(Crash, &[0], third, third + 10 * MINUTE).lived().but(|drafts| {
            drafts[2].changes[0].keeps_failing = true;
            drafts.remove(3);
            later(&mut drafts[4], LONG_CALM);
        })
    };
    let all_told = thrice().faults();
    assert_eq!(all_told, [Fault::NothingNew]);
    assert_eq!(thrice().but(|it| drop(it.remove(3))).faults(), []);
}

#[test]
fn who_is_told_later_than_others_hears_the_end_of_what_those_knew() {
    let third = AGAIN + 15 * MINUTE;
    let told = |lie: Ms| {
        let tale = of_nas().befalls(Crash, &[0], DOWN, DOWN + 10 * MINUTE);
        let tale = tale.befalls(Crash, &[0], AGAIN, AGAIN + 10 * MINUTE);
        let mut tale = tale.befalls(Crash, &[0], third, third + 10 * MINUTE).lived();
        let before = &mut tale.story.apps[0].registrations[0];
        let named = third + 20 * SECOND;
        let mut since = before.clone();
        (before.span.until, since.span.from) = (Some(named), named);
        since.people.push(PersonId(1));
        tale.story.apps[0].registrations.push(since);
        let told = tale.but(|drafts| {
            let began = drafts[2].written + lie;
            drafts.remove(3);
            let end = &mut drafts[4];
            end.changes[0].lasted_ms = end.written - began;
            end.changes[0].since = stamp(began);
            later(end, LONG_CALM);
            let end = Draft { to: PersonId(1), id: "guest".to_owned(), ..end.clone() };
            drafts[3].to = PersonId(1);
            drafts[2..4].iter_mut().for_each(|it| it.changes[0].keeps_failing = true);
            drafts.push(end);
        });
        told.faults()
    };
    assert_eq!(told(0), []);
    assert!(told(5 * MINUTE).contains(&Fault::Wrong(Wrong::Since)));
}

#[test]
fn what_was_known_of_an_app_that_was_stopped_is_known_no_more() {
    let told = |stopped: bool| {
        let tale = of_nas().befalls(Crash, &[0], DOWN, DOWN + 10 * MINUTE);
        let tale = tale.befalls(Crash, &[0], AGAIN, AGAIN + 10 * MINUTE);
        let mut tale = tale.befalls(Crash, &[0], AGAIN + 60 * MINUTE, AGAIN + 80 * MINUTE);
        if stopped {
            let before = &mut tale.story.apps[0].registrations[0];
            let mut again = before.clone();
            before.span.until = Some(AGAIN + 5 * MINUTE);
            again.span.from = AGAIN + 30 * MINUTE;
            tale.story.apps[0].registrations.push(again);
        }
        let told = tale.lived().but(|drafts| {
            drafts[2].changes[0].keeps_failing = true;
            drafts.remove(3);
            if !stopped {
                later(&mut drafts[4], LONG_CALM);
            }
        });
        told.faults()
    };
    assert_eq!(told(true), []);
    assert_eq!(told(false), [Fault::NothingNew]);
}

#[test]
fn what_fails_for_the_first_time_does_not_keep_failing() {
    let first = |drafts: &mut Vec<Draft>| drafts[0].changes[0].keeps_failing = true;
    let once = || of_nas().befalls(Crash, &[0], DOWN, DOWN + 10 * MINUTE).lived();
    assert_eq!(once().but(first).faults(), [Fault::Wrong(Wrong::State)]);
    let long_before = DOWN + 150 * MINUTE;
    let twice = of_nas().befalls(Crash, &[0], DOWN, DOWN + 10 * MINUTE).befalls(
        Crash,
        &[0],
        long_before,
        long_before + 10 * MINUTE,
    );
    let second = |drafts: &mut Vec<Draft>| drafts[2].changes[0].keeps_failing = true;
    let faults = twice.lived().but(second).faults();
    assert!(faults.contains(&Fault::Wrong(Wrong::State)), "{faults:?}");
}

#[test]
fn what_one_letter_lists_is_held_to_what_it_said_before() {
    let listed = |lie: Ms| {
        let mut tale = keeps_failing();
        // It counts from when it was said to keep failing, though that was DEGRADED once more since.
        tale.drafts[3].changes[0].lasted_ms += lie;
        tale.in_one_letter();
        let written = tale.drafts[0].written;
        let away = Span { from: DOWN, until: Some(written) };
        tale.with(|story| story.mail_away.push(away)).faults()
    };
    assert_eq!(listed(0), []);
    assert_eq!(listed(10 * MINUTE), [Fault::Wrong(Wrong::Lasted)]);
}

/// It dies for half a minute every other minute, and registers each time.
const DIES: [Ms; 4] = [20, 22, 24, 26];
const LOOP: Ms = 24 * MINUTE + 55 * SECOND;

/// The third registration shows it; three passes later it is well, and the fourth shows it again.
fn crash_loop() -> Tale {
    let (from, until) = (20 * MINUTE, 27 * MINUTE);
    let mut tale = of_nas().befalls(CrashLoop, &[0], from, until);
    let dies = |minute: Ms| Reach {
        app: tale.story.causes[0].reach[0].app,
        span: Span {
            from: minute * MINUTE + 20 * SECOND,
            until: Some(minute * MINUTE + 50 * SECOND),
        },
    };
    let pieces: Vec<Reach> = DIES.map(dies).to_vec();
    let whole = std::mem::replace(&mut tale.story.causes[0].reach, pieces);
    let calls = DIES.map(|minute| minute * MINUTE + 55 * SECOND);
    let mut tale = tale.with(|story| story.apps[0].calls.extend(calls)).lived();
    tale.story.causes[0].reach = whole;
    let (ill, well) = (State::Degraded, State::Healthy);
    let again = LOOP + 2 * MINUTE;
    tale.tell(0, (well, ill), (LOOP, LOOP), &[]);
    tale.tell(0, (ill, well), (LOOP, LOOP + 66 * SECOND + 5), &[]);
    tale.tell(0, (well, ill), (again, again), &[]);
    tale.tell(0, (ill, well), (again, again + 66 * SECOND + 5), &[]);
    tale.but(|drafts| {
        for draft in [0, 2] {
            drafts[draft].changes[0].reason =
                "it registered 3 times within 10 min, and failed in between: it may crash"
                    .to_owned();
        }
        drafts[2].changes[0].keeps_failing = true;
        later(&mut drafts[3], LONG_CALM);
    })
}

#[test]
fn a_crash_loop_is_told_by_the_third_registration() {
    let judgement = crash_loop().judged();
    assert_eq!(judgement.findings, [], "{}", judgement.told.concat());
    assert_eq!(judgement.score.by_cause[&CrashLoop].must_be_told, 1);
    assert_eq!(crash_loop().but(Vec::clear).faults(), [Fault::Missed(CrashLoop)]);
    assert_eq!(crash_loop().but(|it| it.truncate(3)).faults(), [Fault::NoEnd]);
    let late = crash_loop().but(|drafts| later(&mut drafts[0], 20 * SECOND));
    assert_eq!(late.faults(), [Fault::Late(CrashLoop)]);
}

#[test]
fn lies_about_a_crash_loop_are_found() {
    // Who registers twice may be deployed.
    let twice = crash_loop().with(|story| _ = story.apps[0].calls.remove(1));
    assert!(matches!(twice.faults()[0], Fault::False(_)));
    // Nor is one that was well between.
    let well = crash_loop().with(|story| {
        for check in story.apps[0].checks.iter_mut().filter(|it| it.begun < 24 * MINUTE) {
            check.outcome = Some(healthchecker::engine::verdict::answer::Outcome::Pass);
            check.causes.clear();
        }
    });
    assert!(matches!(well.faults()[0], Fault::False(_)));
    let since = crash_loop().but(|it| it[0].changes[0].since = stamp(LOOP - MINUTE));
    assert_eq!(since.faults(), [Fault::Wrong(Wrong::Since)]);
    let lasted = crash_loop().but(|it| it[3].changes[0].lasted_ms += 10 * MINUTE);
    assert_eq!(lasted.faults(), [Fault::Wrong(Wrong::Lasted)]);
}
