//! Apps that may be off: a stub that keeps their silence to itself, or does not.

use super::tale::{MINUTE, SECOND, Tale};
use crate::judge::Fault;
use crate::story::{CauseKind, Ms};

use CauseKind::{Crash, NightlyOff};

const GOES: Ms = 20 * MINUTE + 10 * SECOND;
const COMES: Ms = GOES + 40 * MINUTE;

/// Something befalls the TV, of which its owner has said that it may be off.
fn tv(kind: CauseKind, silent: bool) -> Tale {
    let mut tale = Tale::of(&["NAS", "TV"]).befalls(kind, &[1], GOES, COMES);
    tale.silent = silent;
    tale.with(|story| story.apps[1].registrations[0].may_be_off = true)
}

#[test]
fn the_silence_of_who_may_be_off_is_never_told_and_its_refusals_are() {
    let kept = tv(NightlyOff, true).lived().but(Vec::clear).judged();
    assert_eq!(kept.findings, [], "{}", kept.told.concat());
    assert_eq!(kept.score.by_cause.get(&NightlyOff).map(|it| it.tolerated), None);
    let told = tv(NightlyOff, true).lived().but(|drafts| drafts.truncate(1)).faults();
    assert_eq!(told[0], Fault::False(None));
    assert_eq!(tv(CauseKind::HostHang, true).lived().but(Vec::clear).faults(), []);
    assert_eq!(tv(Crash, false).lived().faults(), []);
    assert_eq!(tv(Crash, false).lived().but(Vec::clear).faults(), [Fault::Missed(Crash)]);
}

#[test]
fn what_is_switched_off_before_it_is_told_is_owed_to_nobody() {
    // It is down, the stub tells at the second check; the checks after the first find nothing at all.
    let switched_off = |after: usize| {
        let tale = tv(Crash, false).lived().with(|story| {
            let failed = story.apps[1].checks.iter_mut().filter(|check| !check.causes.is_empty());
            failed.skip(after).for_each(|check| (check.silent, check.dead) = (true, true));
        });
        tale.but(Vec::clear).faults()
    };
    assert_eq!(switched_off(1), []);
    assert_eq!(switched_off(3), [Fault::Missed(Crash)]);
}
