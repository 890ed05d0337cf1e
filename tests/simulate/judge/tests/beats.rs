//! Those who report by themselves: a stub that tells what did not come in time, too soon, too late, or not at all.

use super::tale::{MINUTE, SECOND, Tale};
use crate::judge::Fault;
use crate::story::{
    Absence, Away, Cause, CauseId, CauseKind, Checked, Ms, Reach, Registered, Span, Unheard,
};
use healthchecker::engine::state::State;
use healthchecker::engine::verdict::answer::Outcome;

use CauseKind::{NoReport, OurAbsence};

/// It is heard every ten minutes, may be a minute late, and is not heard at 40 and at 50 for a reason of this kind.
fn sensor(kind: CauseKind) -> Tale {
    reporter(kind, MINUTE)
}

/// The same in other units of time.
fn reporter(kind: CauseKind, unit: Ms) -> Tale {
    let missed = Span { from: 39 * unit, until: Some(60 * unit) };
    Tale::of(&["Sensor"]).with(|story| {
        story.length = 120 * unit;
        let app = &mut story.apps[0];
        let registered = &mut app.registrations[0];
        let (interval, grace) = (10 * unit, Some(unit));
        let (unhealthy, healthy, timeout) = (1, 1, 0);
        let url = "beat".to_owned();
        let it = registered.clone();
        *registered = Registered { interval, grace, unhealthy, healthy, timeout, url, ..it };
        app.heard = (1..12).map(|ten| ten * 10 * unit).collect();
        app.heard.retain(|at| !missed.holds(*at));
        app.unheard.push(Unheard { at: 40 * unit, causes: vec![CauseId(0)] });
        app.states = vec![(0, State::Unknown), (10 * unit, State::Healthy)];
        let reach = vec![Reach { app: crate::story::AppId(0), span: missed }];
        story.causes.push(Cause { kind, reach, span: missed });
    })
}

/// It is found then that it did not report, and later it does.
fn found(mut tale: Tale, late: Ms) -> Tale {
    let app = &mut tale.story.apps[0];
    let causes = app.unheard[0].causes.clone();
    let again = app.heard[3];
    let (begun, ended, refused) = (late, late, false);
    let outcome = |outcome| Checked {
        begun,
        ended,
        outcome: Some(outcome),
        refused,
        silent: true,
        dead: true,
        causes: causes.clone(),
    };
    let well = Checked { begun: again, ended: again, ..outcome(Outcome::Pass) };
    let well = Checked { silent: false, dead: false, causes: vec![], ..well };
    app.checks = vec![outcome(Outcome::Fail), well];
    tale.tell(0, (State::Healthy, State::Unhealthy), (late, late), &[]);
    tale.tell(0, (State::Unhealthy, State::Healthy), (late, again), &[]);
    tale
}

/// When it has to be found.
const DUE: Ms = 41 * MINUTE;

#[test]
fn what_does_not_come_in_time_has_to_be_told_then() {
    assert_eq!(found(sensor(NoReport), DUE).faults(), []);
    assert_eq!(found(sensor(NoReport), DUE).but(Vec::clear).faults(), [Fault::Missed(NoReport)]);
    let late = found(sensor(NoReport), DUE).but(|drafts| {
        let first = &mut drafts[0];
        (first.written, first.worded) = (DUE + 2 * MINUTE, DUE + 2 * MINUTE);
        first.accepted = first.worded + 100;
    });
    assert!(late.faults().contains(&Fault::Late(NoReport)));
    let unseen = sensor(NoReport).faults();
    assert_eq!(unseen, [Fault::NotAsked]);
}

#[test]
fn what_is_told_too_soon_or_was_ours_is_false() {
    assert_eq!(
        found(sensor(NoReport), DUE - 2 * SECOND).faults(),
        [Fault::False(Some(NoReport))],
        "it might still come"
    );
    let ours = |unit: Ms, found_at: Ms| {
        let tale = reporter(OurAbsence, unit).with(|story| {
            let span = Span { from: 39 * unit, until: Some(45 * unit) };
            story.absences.push(Absence { how: Away::Slept, span });
            (story.causes[0].span, story.causes[0].reach[0].span) = (span, span);
        });
        found(tale, found_at * unit).faults()
    };
    let is_false = [Fault::False(Some(OurAbsence))];
    assert_eq!((ours(MINUTE, 41), ours(MINUTE, 46)), (is_false.to_vec(), is_false.to_vec()));
    assert_eq!(ours(60 * MINUTE, 41), is_false, "it has its grace");
    assert_eq!(ours(60 * MINUTE, 46), [], "it says nothing again for long");
}

#[test]
fn a_deadline_that_falls_into_a_sleep_moves_behind_it() {
    let slept = |found_at: Ms| {
        let tale = sensor(NoReport).with(|story| {
            let span = Span { from: 40 * MINUTE + 30 * SECOND, until: Some(43 * MINUTE) };
            story.absences.push(Absence { how: Away::Slept, span });
            let reach = vec![Reach { app: crate::story::AppId(0), span }];
            story.causes.push(Cause { kind: OurAbsence, reach, span });
        });
        found(tale, found_at).faults()
    };
    assert_eq!(slept(43 * MINUTE + 30 * SECOND), [Fault::False(Some(NoReport))]);
    assert_eq!(slept(44 * MINUTE), []);
    assert_eq!(slept(56 * MINUTE), [], "its whole time, and that of those that settle");
}

#[test]
fn one_warning_is_none_and_a_failure_is_told_at_once() {
    let says = |outcome: Outcome, times: &[Ms]| {
        let kind = if outcome == Outcome::Warn { CauseKind::SaysWarn } else { CauseKind::SaysFail };
        let mut tale = sensor(kind);
        let app = &mut tale.story.apps[0];
        app.unheard.clear();
        app.heard = (1..12).map(|ten| ten * 10 * MINUTE).collect();
        let (refused, silent, dead) = (false, false, false);
        let check = |at: &Ms, outcome, causes: &[CauseId]| {
            let (begun, ended, causes) = (*at, *at, causes.to_vec());
            Checked { begun, ended, outcome: Some(outcome), refused, silent, dead, causes }
        };
        app.checks = times.iter().map(|at| check(at, outcome, &[CauseId(0)])).collect();
        app.checks.push(check(&(60 * MINUTE), Outcome::Pass, &[]));
        tale.faults()
    };
    let at = [40 * MINUTE, 50 * MINUTE];
    assert_eq!(says(Outcome::Warn, &at[..1]), []);
    assert_eq!(says(Outcome::Warn, &at), [Fault::Missed(CauseKind::SaysWarn)]);
    assert_eq!(says(Outcome::Fail, &at[..1]), [Fault::Missed(CauseKind::SaysFail)]);
}
