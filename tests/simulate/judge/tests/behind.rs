//! The router or the line is away: a stub that tells of it as it should, or lies.

use super::tale::{Draft, MINUTE, SECOND, Tale, stamp};
use crate::judge::{Fault, Wrong};
use crate::story::{CauseKind, Ms};
use healthchecker::engine::outbox::notice::{Notice, Report};
use healthchecker::engine::surroundings::settling::Aftermath;

use CauseKind::{HostHang, Internet, Router};

const NAMES: [&str; 4] = ["NAS", "Kodi, upstairs", "TV box", "Heating"];
const GOES: Ms = 20 * MINUTE + 10 * SECOND;
/// When the check of the TV box fails first.
const SILENT: Ms = 20 * MINUTE + 31 * SECOND + 205;
const TOLD: Ms = SILENT + 10 * MINUTE;

fn report(drafts: &mut [Draft]) -> &mut Report {
    match &mut drafts[0].report {
        Some(Notice::Report(report)) => report,
        other => panic!("{other:?}"),
    }
}

/// The TV box and the heating are behind the router, which is away for 40 minutes.
fn router() -> Tale {
    let mut tale = Tale::of(&NAMES).befalls(Router, &[2, 3], GOES, 60 * MINUTE);
    (tale.silent, tale.settles) = (true, Some((GOES, TOLD)));
    tale
}

fn away(drafts: &mut [Draft]) {
    let report = report(drafts);
    (report.after, report.at) = (Aftermath::RouterAway, stamp(SILENT));
    (report.last_record, report.router) = (None, Some([192, 168, 1, 1].into()));
}

#[test]
fn a_router_that_is_away_is_told_once_and_its_end() {
    let judgement = router().lived().but(|it| away(it)).judged();
    assert_eq!(judgement.findings, [], "{}", judgement.told.concat());
    let figures = &judgement.score.by_cause[&Router];
    assert_eq!((figures.must_be_told, figures.mails.max()), (1, Some(2)));
    assert_eq!(router().lived().but(Vec::clear).faults(), [Fault::Missed(Router)]);
    let no_end = |it: &mut Vec<Draft>| {
        away(it);
        it.truncate(1);
    };
    assert_eq!(router().lived().but(no_end).faults(), [Fault::NoEnd]);
    let late = |it: &mut Vec<Draft>| {
        away(it);
        (it[0].written, it[0].worded) = (TOLD + 20 * SECOND, TOLD + 20 * SECOND);
        it[0].accepted += 20 * SECOND;
    };
    assert_eq!(router().lived().but(late).faults(), [Fault::Late(Router)]);
}

#[test]
fn lies_about_a_router_are_found() {
    type Lie = fn(&mut Vec<Draft>);
    let lies: [(Lie, Wrong); 8] = [
        (|it| report(it).at = stamp(GOES - 5 * MINUTE), Wrong::Since),
        (|it| report(it).at = stamp(SILENT + MINUTE), Wrong::Since),
        (|it| report(it).well = 3, Wrong::Count),
        (|it| report(it).of = 5, Wrong::Count),
        (|it| report(it).unhealthy_before = vec!["NAS".to_owned()], Wrong::State),
        (|it| report(it).after = Aftermath::Router, Wrong::After),
        (|it| report(it).after = Aftermath::Internet, Wrong::After),
        (|it| it[0].written -= 5 * MINUTE, Wrong::After),
    ];
    for (place, (lie, kind)) in lies.into_iter().enumerate() {
        let lied = |it: &mut Vec<Draft>| {
            away(it);
            lie(it);
        };
        let faults = router().lived().but(lied).faults();
        assert!(faults.contains(&Fault::Wrong(kind)), "{place}: {faults:?}");
    }
    let mut there = router().lived().but(|it| away(it));
    there.story.causes[0].kind = HostHang;
    there.story.router_away.clear();
    assert!(there.faults().contains(&Fault::Wrong(Wrong::After)));
}

/// The router is back after six minutes, and the heating is not.
fn back() -> Tale {
    let seen = 26 * MINUTE + 5 * SECOND;
    let mut tale = Tale::of(&NAMES).befalls(Router, &[2, 3], GOES, 26 * MINUTE).befalls(
        HostHang,
        &[3],
        22 * MINUTE,
        60 * MINUTE,
    );
    (tale.silent, tale.settles) = (true, Some((GOES, seen + seen - SILENT)));
    tale.lived().but(|drafts| {
        let report = report(drafts);
        (report.after, report.at) = (Aftermath::Router, stamp(seen));
        (report.last_record, report.well, report.of) = (None, 1, 2);
    })
}

#[test]
fn who_does_not_come_back_with_the_router_is_told() {
    assert_eq!(back().faults(), []);
    assert_eq!(back().but(Vec::clear).faults(), [Fault::Missed(HostHang)]);
    let counted = back().but(|it| report(it).of = 5);
    assert_eq!(counted.faults(), [Fault::Wrong(Wrong::Count)]);
    let blamed = back().but(|it| {
        let mut tv = report(it).missing[0].clone();
        tv.app = "TV box".to_owned();
        report(it).missing.push(tv);
    });
    assert_eq!(blamed.faults()[0], Fault::False(Some(Router)));
    let another = back().but(|it| report(it).after = Aftermath::Power);
    assert_eq!(another.faults(), [Fault::Wrong(Wrong::After)]);
}

#[test]
fn who_is_out_there_is_hidden_while_the_line_is_away_and_no_longer() {
    let line = |url: &'static str| {
        let mut tale = Tale::of(&NAMES).befalls(Internet, &[2], GOES, 60 * MINUTE);
        tale.silent = true;
        tale.with(|story| story.apps[2].registrations[0].url = url.to_owned())
    };
    let outside = "https://h7.example.net/health";
    assert_eq!(line(outside).lived().but(Vec::clear).faults(), []);
    assert_eq!(line("http://nas/").lived().but(Vec::clear).faults(), [Fault::Missed(Internet)]);
    let hangs = line(outside).befalls(HostHang, &[2], 50 * MINUTE, 100 * MINUTE);
    assert_eq!(hangs.lived().but(Vec::clear).faults(), [Fault::Missed(HostHang)]);
}

#[test]
fn where_nobody_is_there_it_is_as_if_our_link_were_gone() {
    // We are on a battery, and the router is, or is not.
    let cut = |router: bool| {
        let until = GOES + 8 * MINUTE;
        let mut tale = Tale::of(&NAMES).befalls(CauseKind::PowerCut, &[0, 1, 2, 3], GOES, until);
        tale.silent = true;
        if !router {
            tale.story.router_away.push(tale.story.causes[0].span);
        }
        tale.lived().but(Vec::clear).faults()
    };
    assert_eq!(cut(false), []);
    assert_eq!(cut(true), [Fault::Missed(CauseKind::PowerCut)]);
}
