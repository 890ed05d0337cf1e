//! The report after an interruption: a stub that tells it as it should, or lies.

use super::tale::{Draft, MINUTE, SECOND, Tale, stamp};
use crate::judge::{Fault, Wrong};
use crate::story::{Absence, Away, Cause, CauseKind, Ms, Span};
use healthchecker::engine::outbox::notice::{AllBack, Notice, Report};
use healthchecker::engine::surroundings::settling::Aftermath;

use CauseKind::{HostHang, OurAbsence, OurLink, PowerCut};

/// The power is away from 20:10 to 25:00, and we are until 25:30. NAS and Kodi are back after that, the TV
/// box and the heating not before somebody comes.
const OFF: Ms = 20 * MINUTE + 10 * SECOND;
const BOOTED: Ms = 25 * MINUTE + 30 * SECOND;
const TOLD: Ms = BOOTED + 10 * MINUTE;
const NAMES: [&str; 4] = ["NAS", "Kodi, upstairs", "TV box", "Heating"];

fn cut() -> Tale {
    let back = [26, 27, 50, 60].map(|minute| minute * MINUTE);
    let mut tale = Tale::of(&NAMES).befalls(PowerCut, &[0, 1, 2, 3], OFF, 60 * MINUTE);
    let reach = tale.story.causes[0].reach.iter_mut();
    reach.zip(back).for_each(|(reach, back)| reach.span.until = Some(back));
    tale.settles = Some((BOOTED, TOLD));
    let away = Span { from: OFF, until: Some(BOOTED) };
    tale.with(|story| {
        story.absences = vec![Absence { how: Away::Booted, span: away }];
        story.runs = vec![Span { from: 0, until: Some(OFF) }, Span { from: BOOTED, until: None }];
    })
}

fn cut_span() -> Span {
    Span { from: OFF, until: Some(60 * MINUTE) }
}

fn report(drafts: &mut [Draft]) -> &mut Report {
    match &mut drafts[0].report {
        Some(Notice::Report(report)) => report,
        other => panic!("{other:?}"),
    }
}

fn end(drafts: &mut [Draft]) -> &mut AllBack {
    match &mut drafts[1].report {
        Some(Notice::AllBack(back)) => back,
        other => panic!("{other:?}"),
    }
}

fn wrong(wrong: Wrong) -> Vec<Fault> {
    vec![Fault::Wrong(wrong)]
}

#[test]
fn a_perfect_report_is_found_perfect() {
    let judgement = cut().lived().judged();
    assert_eq!(judgement.findings, [], "{}", judgement.told.concat());
    let score = judgement.score;
    let figures = &score.by_cause[&PowerCut];
    assert_eq!((figures.incidents, figures.must_be_told, score.letters), (1, 1, 2));
    assert_eq!((figures.mails.max(), score.reports_a_cut.max()), (Some(2), Some(2)));
}

#[test]
fn a_report_that_is_not_sent_is_missed_and_one_that_is_late_is_late() {
    assert_eq!(cut().lived().but(Vec::clear).faults(), [Fault::Missed(PowerCut)]);
    let late = |by| {
        cut().lived().but(move |drafts| {
            let report = &mut drafts[0];
            report.written += by;
            report.worded += by;
            report.accepted += by;
        })
    };
    assert_eq!(late(SECOND).faults(), []);
    assert_eq!(late(20 * SECOND).faults(), [Fault::Late(PowerCut)]);
    let one_is_left_out = cut().lived().but(|drafts| {
        report(drafts).missing.pop();
        end(drafts).apps.pop();
    });
    assert_eq!(one_is_left_out.faults()[0], Fault::Missed(PowerCut));
}

#[test]
fn who_is_back_is_not_not_back() {
    let nas = cut().lived().but(|drafts| {
        let mut nas = report(drafts).missing[0].clone();
        nas.app = "NAS".to_owned();
        report(drafts).missing.push(nas);
        report(drafts).well -= 1;
        end(drafts).apps.push("NAS".to_owned());
    });
    let faults = nas.faults();
    assert_eq!(faults[0], Fault::False(Some(OurAbsence)));
    assert!(faults.contains(&Fault::Wrong(Wrong::State)), "{faults:?}");
}

#[test]
fn what_was_ours_before_it_is_over_is_no_reason_not_to_be_back() {
    // Our link is gone for ten minutes; somebody says that the NAS did not come back with it.
    let outage = |more: Ms| {
        let (from, until) = (20 * MINUTE, 30 * MINUTE);
        let mut tale = Tale::of(&NAMES).befalls(OurLink, &[0, 1, 2, 3], from, until).befalls(
            HostHang,
            &[0],
            from + MINUTE,
            until + more,
        );
        tale.settles = Some((until + SECOND, until + 10 * MINUTE + SECOND));
        tale.lived().but(|drafts| {
            if let Some(Notice::Report(report)) = &mut drafts[0].report {
                (report.after, report.at) = (Aftermath::Network, stamp(until + SECOND));
            }
        })
    };
    assert_eq!(outage(20 * MINUTE).faults(), []);
    let mut blamed = outage(20 * MINUTE);
    // It hung while nobody could see it, and no longer.
    blamed.story.causes[1].reach[0].span.until = Some(29 * MINUTE);
    assert_eq!(blamed.faults()[0], Fault::False(Some(OurLink)));
}

#[test]
fn lies_in_reports_are_found() {
    type Lie = fn(&mut Vec<Draft>);
    let lies: [(Lie, Wrong); 11] = [
        (|it| report(it).after = Aftermath::Network, Wrong::After),
        (|it| report(it).after = Aftermath::Sleep, Wrong::After),
        (|it| report(it).at = stamp(BOOTED + 2 * MINUTE), Wrong::Changed),
        (|it| report(it).last_record = Some(stamp(OFF + MINUTE)), Wrong::Since),
        (|it| report(it).well = 3, Wrong::Count),
        (|it| report(it).of = 5, Wrong::Count),
        (|it| report(it).unhealthy_before = vec!["NAS".to_owned()], Wrong::State),
        (|it| report(it).paused = vec!["NAS".to_owned()], Wrong::State),
        (|it| report(it).paused = vec!["Nobody".to_owned()], Wrong::Name),
        (|it| end(it).lasted_ms += 2 * MINUTE, Wrong::Lasted),
        (|it| it[1].written -= 10 * MINUTE, Wrong::State),
    ];
    for (place, (lie, kind)) in lies.into_iter().enumerate() {
        let faults = cut().lived().but(lie).faults();
        assert!(faults.contains(&Fault::Wrong(kind)), "{place}: {faults:?}");
    }
    assert_eq!(cut().lived().but(|it| report(it).after = Aftermath::Restart).faults(), []);
    // The others are ill by something else.
    let of_kind = |kind, apps: usize| {
        let mut tale = cut().lived();
        tale.story.causes[0].kind = kind;
        let (reach, span) = (tale.story.causes[0].reach.split_off(apps), cut_span());
        tale.story.causes.push(Cause { kind: CauseKind::Slow, reach, span });
        tale.faults()
    };
    assert_eq!(of_kind(CauseKind::HostReboot, 4), wrong(Wrong::After));
    assert_eq!(of_kind(CauseKind::BrownOut, 1), wrong(Wrong::After));
    assert_eq!(of_kind(CauseKind::BrownOut, 2), [], "nobody can tell that from a cut");
    let said = |old: &'static str, new: &'static str| {
        let tale = cut().lived().worded(|_, letter| {
            letter.subject = letter.subject.replace(old, new);
        });
        tale.faults()
    };
    assert_eq!(said("2 of 4", "3 of 4"), wrong(Wrong::Subject));
    assert_eq!(said("TV box, Heating", "TV box"), wrong(Wrong::Subject));
    assert_eq!(said("2 apps are", "3 apps are"), wrong(Wrong::Subject));
}

#[test]
fn the_end_comes_once_when_all_are_back() {
    assert_eq!(cut().lived().but(|it| it.truncate(1)).faults(), [Fault::NoEnd]);
    let never = |story: &mut crate::story::Story| story.causes[0].reach[3].span.until = None;
    let judgement = cut().with(never).lived().judged();
    assert_eq!(judgement.findings, [], "one is awaited still");
    let early = cut().lived().but(|it| drop(it.remove(0)));
    assert_eq!(early.faults(), [Fault::Missed(PowerCut), Fault::NoAlarm]);
    let another = cut().lived().but(|it| end(it).apps[0] = "NAS".to_owned());
    assert_eq!(another.faults(), [Fault::NoAlarm, Fault::NoEnd]);
    let twice = cut().lived().but(|it| {
        let mut again = it[0].clone();
        again.id.push_str("-again");
        again.accepted += MINUTE;
        it.push(again);
    });
    let twice = twice.judged();
    assert_eq!(twice.findings[0].fault, Fault::NothingNew);
    assert_eq!(twice.score.reports_a_cut.max(), Some(3));
}
