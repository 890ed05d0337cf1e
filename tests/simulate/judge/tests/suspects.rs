//! Who was asked too seldom to be UNHEALTHY when others were told, and what is told when it is over.

use super::outages::{HANGS, hang, outage, together};
use super::tale::{Draft, MINUTE, SECOND, Tale, mail, stamp};
use crate::judge::{Fault, Wrong, judge};
use crate::story::{CauseKind, Letter, Ms};
use healthchecker::engine::outbox::letter::write;
use healthchecker::engine::outbox::notice::{AllBack, Notice};
use healthchecker::engine::time::Zone;

use CauseKind::HostHang;

/// When the first check of the TV box fails.
const FAILS: Ms = 20 * MINUTE + 31 * SECOND + 205;

fn back(drafts: &mut [Draft]) -> &mut AllBack {
    match &mut drafts[1].report {
        Some(Notice::AllBack(back)) => back,
        other => panic!("{other:?}"),
    }
}

/// The TV box was asked once when the two others were told.
fn suspected(drafts: &mut Vec<Draft>) {
    together(drafts, false);
    let tv = &mut outage(drafts).groups[0].apps[2];
    (tv.unhealthy, tv.failures, tv.since) = (false, 1, stamp(FAILS));
    let end = back(drafts);
    (end.since, end.lasted_ms) = (stamp(FAILS), end.lasted_ms + 30 * SECOND);
}

#[test]
fn the_end_of_who_was_asked_once_counts_from_its_failure() {
    let told = hang(&[0, 1, 2], false).lived().but(suspected).judged();
    assert_eq!(told.findings, [], "{}", told.told.concat());
    let lies = hang(&[0, 1, 2], false).lived().but(|drafts| {
        suspected(drafts);
        back(drafts).lasted_ms += 10 * MINUTE;
    });
    assert_eq!(lies.faults(), [Fault::Wrong(Wrong::Lasted)]);
    // Of who was UNHEALTHY then it does not.
    let unhealthy = hang(&[0, 1, 2], false).lived().but(|drafts| {
        together(drafts, false);
        back(drafts).lasted_ms += 90 * SECOND;
    });
    assert_eq!(unhealthy.faults(), [Fault::Wrong(Wrong::Lasted)]);
}

/// The TV box was asked once when the two others were told, and is told by itself later.
/// `silently`: when it is well for the first time, nobody hears of it.
fn told_again(tale: Tale, silently: bool) -> Vec<Fault> {
    let told = tale.lived().but(|drafts| {
        let is_tv = |draft: &Draft| draft.changes[0].app == "TV box";
        let (mut tv, mut others): (Vec<Draft>, Vec<Draft>) = drafts.drain(..).partition(is_tv);
        together(&mut others, false);
        let mut suspect = outage(&mut others).groups[0].apps[0].clone();
        (suspect.app, suspect.since) = ("TV box".to_owned(), stamp(FAILS));
        (suspect.unhealthy, suspect.failures) = (false, 1);
        outage(&mut others).groups[0].apps.push(suspect);
        drafts.extend(others);
        if silently {
            tv.remove(1);
        }
        drafts.extend(tv);
    });
    told.faults()
}

#[test]
fn who_has_passed_since_is_news() {
    let other = HANGS + 10 * MINUTE;
    let stumbles = hang(&[0, 1], false).befalls(HostHang, &[2], HANGS, HANGS + 30 * SECOND);
    let passed = stumbles.befalls(HostHang, &[2], other, other + 20 * MINUTE);
    assert_eq!(told_again(passed, false), []);
    assert_eq!(told_again(hang(&[0, 1, 2], false), false), [Fault::NothingNew]);
}

#[test]
fn who_was_asked_once_is_one_of_them_until_all_are_well() {
    let (first, second) = (HANGS + 10 * MINUTE, HANGS + 30 * MINUTE);
    let told = |others: Ms| {
        let tale = Tale::of(&["NAS", "Kodi, upstairs", "TV box"]);
        let mut tale = tale.befalls(HostHang, &[0, 1], HANGS, others);
        tale.silent = true;
        tale = tale.befalls(HostHang, &[2], HANGS, HANGS + 30 * SECOND);
        // Well between them, of which nothing is said.
        tale = tale.befalls(HostHang, &[2], first, first + 5 * MINUTE);
        tale = tale.befalls(HostHang, &[2], second, second + 5 * MINUTE);
        told_again(tale, true)
    };
    assert_eq!(told(HANGS + 60 * MINUTE), []);
    assert_eq!(told(HANGS + 15 * MINUTE), [Fault::NoEnd], "all were well by then");
}

#[test]
fn what_is_over_in_one_mail_names_who_it_counted() {
    const COUNTED: &str = "2 apps are UNHEALTHY: NAS and 1 on pi, 1 more does not answer";
    let told = |counted: bool| {
        let mut tale = hang(&[0, 1, 2], false).lived().but(suspected);
        let notices: Vec<Notice> = tale.drafts.iter().filter_map(|it| it.report.clone()).collect();
        let at = tale.drafts[1].written;
        let words = write(&mail(notices, stamp(at)), stamp(at).at().unwrap(), &Zone::UTC, None);
        let end = tale.drafts.pop().unwrap();
        let away = crate::story::Span { from: HANGS, until: Some(at) };
        tale.story.mail_away.push(away);
        tale.drafts.clear();
        let text = if counted {
            words.text
        } else {
            words.text.replace(COUNTED, "2 apps are UNHEALTHY: NAS, TV box")
        };
        tale.story.letters.push(Letter {
            to: end.to,
            message_id: end.id,
            references: vec![],
            subject: words.subject,
            text,
            written: at,
            worded: at,
            accepted: at + 100,
        });
        let findings = judge(&tale.story, 3).findings;
        findings.iter().map(|it| it.fault).collect::<Vec<Fault>>()
    };
    assert_eq!(told(true), []);
    assert!(told(false).contains(&Fault::NoAlarm));
}
