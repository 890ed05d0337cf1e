//! Reminders: a stub that tells what is known again when it should, or lies.

use super::outages::{HANGS, together};
use super::tale::{Draft, MINUTE, SECOND, Tale, stamp};
use crate::judge::{Fault, MailKind, Wrong};
use crate::story::{CauseKind, Ms};
use healthchecker::engine::outbox::notice::{Group, Notice, Outage, Silent};

use CauseKind::Crash;

const DOWN: Ms = 20 * MINUTE + 10 * SECOND;
/// The second failed check.
pub(super) const RAISED: Ms = 21 * MINUTE + SECOND;
pub(super) const HOUR: Ms = 60 * MINUTE;

/// The NAS is down for 56 hours, of which people are reminded.
pub(super) fn long() -> Tale {
    let tale = Tale::of(&["NAS", "Kodi, upstairs"]).with(|story| {
        (story.reminds, story.length) = (true, 60 * HOUR);
    });
    tale.befalls(Crash, &[0], DOWN, 56 * HOUR).lived()
}

fn reminder(app: &str, at: Ms, like: &Draft) -> Draft {
    let silent = Silent {
        app: app.to_owned(),
        unhealthy: true,
        failures: 100,
        since: stamp(DOWN + 21 * SECOND),
        reason: "connection refused".to_owned(),
    };
    let groups = vec![Group {
        host: None,
        host_lives: false,
        outside: false,
        parent: None,
        apps: vec![silent],
    }];
    let recent = vec![];
    let outage =
        Outage { at: stamp(at), groups, more: false, keeps_failing: false, still: true, recent };
    let report = Some(Notice::Outage(Box::new(outage)));
    let (changes, accepted, id) = (vec![], at + 100, format!("still {app} {at}"));
    Draft { id, changes, report, written: at, worded: at, accepted, ..like.clone() }
}

/// The reminders come so long after the alarm.
fn reminded(after: &[Ms]) -> Tale {
    reminded_of(long(), after)
}

/// The same, of this tale.
pub(super) fn reminded_of(tale: Tale, after: &[Ms]) -> Tale {
    tale.but(|drafts| {
        let alarm = drafts[0].clone();
        drafts.extend(after.iter().map(|after| reminder("NAS", RAISED + after, &alarm)));
        drafts.sort_by_key(|draft| draft.accepted);
    })
}

pub(super) const DUE: [Ms; 4] = [HOUR, 6 * HOUR, 24 * HOUR, 48 * HOUR];

#[test]
fn who_knows_of_trouble_that_lasts_is_told_again_and_that_is_counted_apart() {
    let judgement = reminded(&DUE).judged();
    assert_eq!(judgement.findings, [], "{}", judgement.told.concat());
    let figures = &judgement.score.by_cause[&Crash];
    assert_eq!((figures.mails.max(), judgement.score.letters), (Some(2), 6));
    assert_eq!(judgement.score.busiest.by_kind[&MailKind::Reminder], 4);
}

#[test]
fn one_that_does_not_come_is_found() {
    for left_out in 0..4 {
        let mut due = DUE.to_vec();
        due.remove(left_out);
        // The second is not missed where there is one each day.
        let expected = if left_out == 1 { vec![] } else { vec![Fault::NotReminded] };
        assert_eq!(reminded(&due).faults(), expected, "{left_out}");
    }
    assert_eq!(long().faults(), [Fault::NotReminded]);
    assert_eq!(long().with(|story| story.reminds = false).faults(), []);
}

#[test]
fn one_that_is_not_due_says_nothing_new() {
    for early in [30 * MINUTE, 2 * HOUR, 5 * HOUR, 25 * HOUR] {
        let mut due = DUE.to_vec();
        due.push(early);
        assert_eq!(reminded(&due).faults(), [Fault::NothingNew], "{early}");
    }
}

#[test]
fn what_is_well_or_was_not_told_is_not_still_unhealthy() {
    let of_other = |name: &'static str, at: Ms| {
        reminded(&DUE).but(move |drafts| {
            let alarm = drafts[0].clone();
            drafts.push(reminder(name, at, &alarm));
            drafts.sort_by_key(|draft| draft.accepted);
        })
    };
    let other = of_other("Kodi, upstairs", RAISED + 6 * HOUR).faults();
    assert!(other.contains(&Fault::Wrong(Wrong::State)), "{other:?}");
    let over = of_other("NAS", 58 * HOUR).faults();
    assert!(over.contains(&Fault::Wrong(Wrong::State)), "{over:?}");
    let since = reminded(&DUE).but(|drafts| {
        if let Some(Notice::Outage(outage)) = &mut drafts[1].report {
            outage.groups[0].apps[0].since = stamp(DOWN - 10 * MINUTE);
        }
    });
    assert_eq!(since.faults(), [Fault::Wrong(Wrong::Since)]);
}

#[test]
fn what_did_not_pass_before_an_interruption_need_not_count_after_it() {
    let told = |since: Ms| {
        let cut_off = (40 * MINUTE, 50 * MINUTE);
        let tale = Tale::of(&["NAS", "Kodi, upstairs"]).with(|story| {
            (story.reminds, story.length) = (true, 60 * HOUR);
        });
        let tale = tale.befalls(Crash, &[0], DOWN, 56 * HOUR);
        let tale = tale.befalls(CauseKind::OurLink, &[0, 1], cut_off.0, cut_off.1).lived();
        let told = tale.but(|drafts| {
            let alarm = drafts[0].clone();
            for after in DUE {
                let mut again = reminder("NAS", RAISED + after, &alarm);
                if let Some(Notice::Outage(outage)) = &mut again.report {
                    outage.groups[0].apps[0].since = stamp(since);
                }
                drafts.push(again);
            }
            drafts.sort_by_key(|draft| draft.accepted);
        });
        told.faults()
    };
    assert_eq!(told(50 * MINUTE + SECOND), [], "the first after it");
    assert_eq!(told(DOWN + 21 * SECOND), [], "the first of all");
    assert_eq!(told(55 * MINUTE), [Fault::Wrong(Wrong::Since)]);
}

#[test]
fn what_was_told_anew_has_a_clock_of_its_own() {
    let told = |after: Ms| {
        let again = HANGS + 2 * HOUR;
        let mut tale = Tale::of(&["NAS", "Kodi, upstairs"]).with(|story| {
            (story.reminds, story.length) = (true, 5 * HOUR);
        });
        tale = tale.befalls(CauseKind::HostHang, &[0], HANGS, HANGS + 3 * HOUR);
        tale = tale.befalls(CauseKind::HostHang, &[1], HANGS, HANGS + 30 * MINUTE);
        tale = tale.befalls(CauseKind::HostHang, &[1], again, again + 2 * HOUR);
        tale.silent = true;
        let told = tale.lived().but(|drafts| {
            // The end of the first time waits for the NAS, and by then Kodi was told anew.
            let is_first = |draft: &Draft| draft.changes[0].app == "NAS" || draft.written < again;
            let (mut first, alone): (Vec<Draft>, Vec<Draft>) = drafts.drain(..).partition(is_first);
            together(&mut first, false);
            if let Some(Notice::AllBack(back)) = &mut first[1].report {
                back.apps.truncate(1);
            }
            let (nas, kodi) = (first[0].written + HOUR, alone[0].written + after);
            let reminders = [("NAS", nas), ("Kodi, upstairs", kodi)];
            let reminders = reminders.map(|(app, at)| reminder(app, at, &first[0]));
            drafts.extend(first.into_iter().chain(alone).chain(reminders));
            if let Some(Notice::Outage(outage)) = &mut drafts.last_mut().unwrap().report {
                outage.groups[0].apps[0].since = stamp(again + 21 * SECOND);
            }
            drafts.sort_by_key(|draft| draft.accepted);
        });
        told.judged()
    };
    let judgement = told(HOUR);
    assert_eq!(judgement.findings, [], "{}", judgement.told.concat());
    let early: Vec<Fault> = told(30 * MINUTE).findings.iter().map(|it| it.fault).collect();
    assert_eq!(early, [Fault::NothingNew]);
}
