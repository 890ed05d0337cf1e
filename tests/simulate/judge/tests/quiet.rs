//! Quiet times and mutes: a stub that keeps to them, or lies.

use super::reminders::{DUE, HOUR, RAISED, long, reminded_of};
use super::tale::{Draft, MINUTE, SECOND, T0, Tale};
use crate::judge::Fault;
use crate::story::{CauseKind, ClockSet, Lasts, Ms, Mute, Muted, PersonId, Span};

use CauseKind::Crash;

/// The story begins at 23:55:40 in the house: it is quiet from 00:10 to 00:40 there.
const TIMES: &str = "00:10-00:40";
const BEGINS: Ms = 14 * MINUTE + 20 * SECOND;
const ENDS: Ms = 44 * MINUTE + 20 * SECOND;

fn crash(from: Ms, until: Ms) -> Tale {
    Tale::of(&["NAS"]).befalls(Crash, &[0], from, until).with(|story| story.quiet = TIMES.into())
}

fn at(draft: &mut Draft, at: Ms) {
    (draft.written, draft.worded, draft.accepted) = (at, at, at + 100);
}

/// Told so many ms after the end of the quiet time.
fn told_after(tale: Tale, place: usize, after: Ms) -> Tale {
    tale.but(move |drafts| at(&mut drafts[place], ENDS + after))
}

#[test]
fn what_is_over_by_the_end_is_told_to_nobody() {
    let within = || crash(20 * MINUTE, 30 * MINUTE).lived();
    assert_eq!(within().but(Vec::clear).faults(), []);
    assert_eq!(within().faults(), [Fault::InQuiet]);
    // So is what was written before, and had to wait.
    let written = within().but(|drafts| {
        drafts[0].written = BEGINS - MINUTE;
        drafts.truncate(1);
    });
    assert!(written.faults().contains(&Fault::InQuiet));
}

#[test]
fn what_is_broken_at_the_end_is_told_then() {
    let beyond = || crash(20 * MINUTE, 60 * MINUTE).lived();
    assert_eq!(told_after(beyond(), 0, 0).faults(), []);
    assert_eq!(told_after(beyond(), 0, 5 * SECOND).faults(), []);
    assert_eq!(told_after(beyond(), 0, MINUTE).faults(), [Fault::Late(Crash)]);
    assert_eq!(
        told_after(beyond(), 0, 0).but(|drafts| drafts.truncate(1)).faults(),
        [Fault::NoEnd]
    );
    assert_eq!(beyond().but(|drafts| _ = drafts.drain(..)).faults(), [Fault::Missed(Crash)]);
    assert_eq!(beyond().faults(), [Fault::InQuiet]);
}

#[test]
fn what_people_knew_before_ends_for_them_after_it() {
    let known = || crash(5 * MINUTE, 20 * MINUTE).lived();
    assert_eq!(told_after(known(), 1, 0).faults(), []);
    assert_eq!(known().faults(), [Fault::InQuiet]);
    assert_eq!(known().but(|drafts| drafts.truncate(1)).faults(), [Fault::NoEnd]);
}

/// It is down before the quiet time, and again in it and beyond.
fn again_within() -> Tale {
    let tale = crash(5 * MINUTE, 20 * MINUTE).befalls(Crash, &[0], 30 * MINUTE, 6 * HOUR);
    tale.with(|story| story.length = 7 * HOUR).lived()
}

#[test]
fn who_has_not_heard_its_end_and_is_not_to_knows_that_it_is_unwell() {
    let known = || again_within().but(|drafts| drop(drafts.drain(1..3)));
    assert_eq!(known().faults(), []);
    assert_eq!(known().but(|drafts| drafts.truncate(1)).faults(), [Fault::NoEnd]);
}

#[test]
fn an_app_may_have_its_own_and_somebody_may_ask_for_one() {
    let own = |words: &str| {
        let words = words.to_owned();
        crash(20 * MINUTE, 30 * MINUTE)
            .with(move |story| story.apps[0].registrations[0].quiet = Some(words))
            .lived()
    };
    assert_eq!(own("never").faults(), []);
    assert_eq!(own("never").but(Vec::clear).faults(), [Fault::Missed(Crash)]);
    assert_eq!(own("Tu 00:12-00:50").faults(), [Fault::InQuiet]);
    assert_eq!(own("Mo 00:12-00:50").faults(), []);
    let asked = || {
        let asked = Span { from: BEGINS, until: Some(ENDS) };
        let tale = Tale::of(&["NAS"]).befalls(Crash, &[0], 20 * MINUTE, 60 * MINUTE);
        tale.with(|story| story.apps[0].hushed.push(asked)).lived()
    };
    assert_eq!(told_after(asked(), 0, 0).faults(), []);
    assert_eq!(asked().faults(), [Fault::InQuiet]);
    assert_eq!(asked().but(Vec::clear).faults(), [Fault::Missed(Crash)]);
}

#[test]
fn the_daemon_keeps_to_its_own_clock() {
    // It is an hour behind.
    let behind = |from, until| {
        let shows = T0 - HOUR.cast_signed();
        crash(from, until)
            .with(|story| {
                let right = HOUR + 5 * MINUTE;
                story.clock = vec![
                    ClockSet { from: 0, shows, right: T0 },
                    ClockSet {
                        from: right,
                        shows: T0 + right.cast_signed(),
                        right: T0 + right.cast_signed(),
                    },
                ];
            })
            .lived()
    };
    let faults = behind(20 * MINUTE, 30 * MINUTE).faults();
    assert!(!faults.contains(&Fault::InQuiet), "{faults:?}");
    // What is on record may tell it how late it is: then it is quiet.
    let untold = behind(20 * MINUTE, 30 * MINUTE).but(Vec::clear).faults();
    assert!(!untold.contains(&Fault::Missed(Crash)), "{untold:?}");
}

fn mute(after: Ms, lasts: Lasts, refused: bool) -> Mute {
    let of = Muted::Mail("m0-0-0".to_owned());
    Mute { at: RAISED + after, refused, of, to: Some(PersonId(0)), lasts }
}

/// The reader of the alarm says so half an hour later, and is reminded so long after it.
fn muted(lasts: Lasts, after: &[Ms]) -> Tale {
    reminded_of(long().with(|story| story.mutes.push(mute(30 * MINUTE, lasts, false))), after)
}

#[test]
fn who_has_heard_enough_hears_once_more_when_that_is_over() {
    let eight = Lasts::For(8 * HOUR);
    let over = 8 * HOUR + 30 * MINUTE;
    assert_eq!(muted(eight, &[over, DUE[2], DUE[3]]).faults(), []);
    assert_eq!(muted(eight, &[DUE[2], DUE[3]]).faults(), [Fault::NotReminded]);
    assert_eq!(muted(eight, &[DUE[1], over, DUE[2], DUE[3]]).faults(), [Fault::InMute]);
    assert_eq!(muted(Lasts::UntilWell, &[]).faults(), []);
    assert_eq!(muted(Lasts::UntilWell, &[DUE[2]]).faults(), [Fault::InMute]);
}

#[test]
fn one_that_is_due_for_nothing_else_says_nothing_new() {
    let short = Lasts::For(HOUR + HOUR / 2);
    let told = [2 * HOUR, DUE[1], DUE[2], DUE[3]];
    assert_eq!(muted(short, &told).faults(), []);
    let early = [2 * HOUR, 3 * HOUR, DUE[1], DUE[2], DUE[3]];
    assert_eq!(muted(short, &early).faults(), [Fault::NothingNew]);
}

#[test]
fn who_wants_to_hear_again_does() {
    let again = |after: &[Ms]| {
        let tale = long().with(|story| {
            story.mutes.push(mute(30 * MINUTE, Lasts::UntilWell, false));
            story.mutes.push(mute(7 * HOUR, Lasts::Not, false));
        });
        reminded_of(tale, after).faults()
    };
    assert_eq!(again(&[7 * HOUR + 1, DUE[2], DUE[3]]), []);
    assert_eq!(again(&[]), [Fault::NotReminded]);
}

#[test]
fn nobody_is_refused_who_knows_of_it() {
    let refused =
        |after| long().with(|story| story.mutes.push(mute(after, Lasts::UntilWell, true)));
    assert_eq!(reminded_of(refused(HOUR), &DUE).faults(), [Fault::NotMuted]);
    assert_eq!(reminded_of(refused(57 * HOUR), &DUE).faults(), [], "it is over");
}
