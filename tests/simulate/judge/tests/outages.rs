//! Apps that are silent together: a stub that tells them in one mail, or lies.

use super::tale::{Draft, MINUTE, SECOND, Tale, stamp};
use crate::judge::{Fault, Wrong};
use crate::story::{CauseKind, HostId, Ms, Span};
use healthchecker::engine::outbox::notice::{AllBack, Group, Notice, Outage, Silent};
use healthchecker::engine::state::State;

use CauseKind::HostHang;

const NAMES: [&str; 4] = ["NAS", "Kodi, upstairs", "TV box", "Heating"];
pub(super) const HANGS: Ms = 20 * MINUTE + 10 * SECOND;

/// The host of these apps hangs for an hour; all are on one, unless they are on `hosts`.
pub(super) fn hang(apps: &[usize], hosts: bool) -> Tale {
    let mut tale = Tale::of(&NAMES).befalls(HostHang, apps, HANGS, HANGS + 60 * MINUTE);
    tale.silent = true;
    tale.with(|story| {
        for app in story.apps.iter_mut().filter(|_| !hosts) {
            app.host = HostId(0);
            app.registrations[0].url = format!("http://pi/{}", app.name);
        }
    })
}

/// Told in one mail when the last of them is found, and their end when the last is well.
pub(super) fn together(drafts: &mut Vec<Draft>, more: bool) {
    let (alarms, ends): (Vec<Draft>, Vec<Draft>) =
        drafts.drain(..).partition(|draft| draft.changes[0].to == State::Unhealthy);
    let silent = |draft: &Draft| Silent {
        app: draft.changes[0].app.clone(),
        unhealthy: true,
        failures: 2,
        since: draft.changes[0].since,
        reason: "no answer within 5 s".to_owned(),
    };
    let host = alarms[0].changes[0].url.contains("//pi").then(|| "pi".to_owned());
    let apps: Vec<Silent> = alarms.iter().map(silent).collect();
    let names = apps.iter().map(|silent| silent.app.clone()).collect();
    let at = alarms.iter().map(|draft| draft.written).max().unwrap();
    let groups = vec![Group { host, host_lives: false, outside: false, parent: None, apps }];
    let outage =
        Outage { at: stamp(at), groups, more, keeps_failing: false, still: false, recent: vec![] };
    let well = ends.iter().map(|draft| draft.written).max().unwrap();
    let (since, lasted_ms) = (stamp(at), well - at);
    let back = AllBack { apps: names, since, at: stamp(well), lasted_ms, lasted_at_least: false };
    let draft = |notice, at: Ms, like: &Draft| Draft {
        changes: vec![],
        report: Some(notice),
        written: at,
        worded: at,
        accepted: at + 100,
        ..like.clone()
    };
    drafts.push(draft(Notice::Outage(Box::new(outage)), at, &alarms[0]));
    drafts.push(draft(Notice::AllBack(back), well, &ends[0]));
}

pub(super) fn outage(drafts: &mut [Draft]) -> &mut Outage {
    match &mut drafts[0].report {
        Some(Notice::Outage(outage)) => outage,
        other => panic!("{other:?}"),
    }
}

fn later(draft: &mut Draft, by: Ms) {
    draft.written += by;
    draft.worded += by;
    draft.accepted += by;
}

#[test]
fn one_mail_for_all_of_a_host_and_one_end_is_perfect() {
    let judgement = hang(&[0, 1, 2], false).lived().but(|it| together(it, false)).judged();
    assert_eq!(judgement.findings, [], "{}", judgement.told.concat());
    let score = judgement.score;
    let mails = &score.by_cause[&HostHang].mails;
    assert_eq!((score.letters, mails.max(), score.reports_a_cut.max()), (2, Some(2), None));
    let spread = hang(&[0, 1, 2], true).lived().but(|it| together(it, false));
    assert_eq!(spread.faults(), []);
}

#[test]
fn a_silence_waits_for_others_and_no_longer() {
    let told = |hosts: bool, silent: bool, by: Ms| {
        let mut tale = hang(&[0, 1, 2], hosts);
        tale.silent = silent;
        let late = tale.lived().but(|drafts| {
            together(drafts, false);
            later(&mut drafts[0], by);
        });
        late.faults()
    };
    assert_eq!(told(false, true, 45 * SECOND), []);
    assert_eq!(told(false, true, 90 * SECOND), [Fault::Late(HostHang)]);
    assert_eq!(told(true, true, 90 * SECOND), []);
    assert_eq!(told(true, true, 240 * SECOND), [Fault::Late(HostHang)]);
    assert_eq!(told(false, false, 45 * SECOND), [Fault::Late(HostHang)], "it answers");
}

#[test]
fn who_joins_what_was_told_is_told_after_a_quarter_of_an_hour() {
    // The fourth falls silent five minutes after the others.
    let joins = |by: Ms| {
        let mut tale = hang(&[0, 1, 2, 3], false);
        tale.story.causes[0].reach[3].span.from += 5 * MINUTE;
        let told = tale.lived().but(|drafts| {
            let (mut fourth, mut others): (Vec<Draft>, Vec<Draft>) =
                drafts.drain(..).partition(|draft| draft.changes[0].app == "Heating");
            together(&mut fourth, true);
            together(&mut others, false);
            // One end for all of them.
            let end = fourth.pop();
            let Some(Notice::AllBack(back)) = &mut others[1].report else { panic!("no end") };
            back.apps.push("Heating".to_owned());
            others[1].written = others[1].written.max(end.unwrap().written);
            (others[1].worded, others[1].accepted) = (others[1].written, others[1].written + 100);
            let first = others[0].written;
            fourth[0].written = first + by;
            (fourth[0].worded, fourth[0].accepted) = (first + by, first + by + 100);
            drafts.extend(others);
            drafts.extend(fourth);
        });
        told.faults()
    };
    assert_eq!(joins(15 * MINUTE), []);
    assert_eq!(joins(20 * MINUTE), [Fault::Late(HostHang)]);
}

#[test]
fn lies_about_several_are_found() {
    type Lie = fn(&mut Vec<Draft>);
    let lies: [(Lie, &[Fault]); 5] = [
        (|it| outage(it).groups[0].host = Some("nas".to_owned()), &[Fault::Wrong(Wrong::Address)]),
        (
            |it| outage(it).groups[0].apps[1].since = stamp(HANGS - 5 * MINUTE),
            &[Fault::Wrong(Wrong::Since)],
        ),
        (
            |it| drop(outage(it).groups[0].apps.remove(1)),
            &[Fault::Missed(HostHang), Fault::NoAlarm],
        ),
        (
            |it| outage(it).groups[0].apps[1].app = "Nobody".to_owned(),
            &[Fault::Missed(HostHang), Fault::NoAlarm, Fault::Wrong(Wrong::Name)],
        ),
        (|it| it.truncate(1), &[Fault::NoEnd]),
    ];
    for (place, (lie, faults)) in lies.into_iter().enumerate() {
        let tale = hang(&[0, 1, 2], false).lived().but(|drafts| {
            together(drafts, false);
            lie(drafts);
        });
        assert_eq!(tale.faults(), faults, "{place}");
    }
    let said = |old: &'static str, new: &'static str| {
        let tale = hang(&[0, 1, 2], false).lived().but(|drafts| together(drafts, false));
        let tale = tale.worded(|_, letter| {
            letter.subject = letter.subject.replace(old, new);
            letter.text = letter.text.replace(old, new).replace(&"-".repeat(60), "");
            let line = letter.text.lines().next().unwrap_or_default().chars().count();
            let rule = "-".repeat(line.min(60));
            let mut lines: Vec<&str> = letter.text.lines().collect();
            lines[1] = &rule;
            letter.text = lines.join("\n") + "\n";
        });
        tale.faults()
    };
    assert_eq!(said("3 apps on it", "4 apps on it"), [Fault::Wrong(Wrong::Count)]);
    assert_eq!(said("within 1 s", "within 40 s"), [Fault::Wrong(Wrong::Lasted)]);
    assert_eq!(said(": NAS and 2", ": Heating and 2"), [Fault::Wrong(Wrong::Subject)]);
}

#[test]
fn who_is_well_is_not_silent_with_others() {
    let blamed = hang(&[0, 1], false).lived().but(|drafts| {
        together(drafts, false);
        let mut heating = outage(drafts).groups[0].apps[0].clone();
        (heating.app, heating.unhealthy, heating.failures) = ("Heating".to_owned(), false, 1);
        outage(drafts).groups[0].apps.push(heating);
    });
    assert_eq!(blamed.faults()[0], Fault::False(None));
}

#[test]
fn who_is_unwell_again_when_the_others_are_well_is_owed_its_end_later() {
    // Kodi is well before the NAS is, and both hang again before a person heard of that.
    let ends_late = |stumbles: bool| {
        let (at, again) = (|minute: Ms| minute * MINUTE + 10 * SECOND, 61 * MINUTE + 50 * SECOND);
        let mut tale = Tale::of(&NAMES)
            .befalls(HostHang, &[0], HANGS, at(60) - 10 * SECOND)
            .befalls(HostHang, &[1], HANGS, at(30))
            .befalls(HostHang, &[0, 1], again, at(80));
        if stumbles {
            tale = tale.befalls(HostHang, &[1], at(60), at(60) + 30 * SECOND);
        }
        tale.silent = true;
        let told = tale.lived().but(|drafts| {
            let second = drafts.split_off(4);
            together(drafts, false);
            let Some(Notice::AllBack(back)) = &mut drafts[1].report else { panic!("no end") };
            back.apps.pop();
            let first = back.since;
            let mut both = second;
            together(&mut both, false);
            let Some(Notice::AllBack(back)) = &mut both[1].report else { panic!("no end") };
            back.lasted_ms = u64::try_from(first.until(back.at).span.as_millis()).unwrap();
            back.since = first;
            drafts.extend(both);
        });
        told.judged()
    };
    let judgement = ends_late(true);
    assert_eq!(judgement.findings, [], "{}", judgement.told.concat());
    let faults: Vec<Fault> = ends_late(false).findings.iter().map(|it| it.fault).collect();
    assert_eq!(faults, [Fault::NoEnd], "it was well when the end of the others was told");
}

#[test]
fn what_a_list_tells_of_several_was_so_then() {
    let listed = |well: Ms| {
        let mut tale = hang(&[0], false).befalls(HostHang, &[1], HANGS, HANGS + well);
        tale = tale.befalls(HostHang, &[3], HANGS + 30 * MINUTE, HANGS + 50 * MINUTE);
        tale.lived().but(|drafts| {
            let is_alone = |draft: &Draft| draft.changes[0].app == "Heating";
            let (mut alone, mut first): (Vec<Draft>, Vec<Draft>) =
                drafts.drain(..).partition(is_alone);
            together(&mut first, false);
            alone[0].report = first.remove(0).report;
            drafts.extend(alone.into_iter().chain(first));
        })
    };
    let told = |well: Ms| {
        let away = listed(well).drafts[0].written;
        let away = Span { from: HANGS, until: Some(away) };
        listed(well).with(|story| story.mail_away.push(away)).faults()
    };
    assert_eq!(told(20 * MINUTE), [], "it has been well for a while");
    let lie = Fault::Wrong(Wrong::State);
    assert!(!told(60 * MINUTE).contains(&lie));
}
