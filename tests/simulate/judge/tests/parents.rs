//! Apps that are behind others: a stub that tells them together, or lies.

use super::outages::{hang, outage, together};
use super::tale::{Draft, MINUTE, SECOND, Tale};
use crate::judge::{Fault, Wrong};
use crate::story::{AppId, CauseKind, Ms};

use CauseKind::{Crash, HostHang};

/// Kodi and the TV box are behind the NAS.
fn behind(tale: Tale) -> Tale {
    tale.with(|story| {
        for app in [1, 2] {
            story.apps[app].registrations[0].parents = vec![AppId(0)];
        }
    })
}

/// One mail names what they are behind.
fn told(drafts: &mut Vec<Draft>) {
    together(drafts, false);
    let group = &mut outage(drafts).groups[0];
    (group.host, group.parent) = (None, Some("NAS".to_owned()));
}

fn later(draft: &mut Draft, by: Ms) {
    draft.written += by;
    draft.worded += by;
    draft.accepted += by;
}

#[test]
fn what_is_behind_one_is_told_with_it_and_may_wait_for_it() {
    let judgement = behind(hang(&[0, 1, 2], false)).lived().but(told).judged();
    assert_eq!(judgement.findings, [], "{}", judgement.told.concat());
    let late = |by: Ms| {
        let late = behind(hang(&[0, 1, 2], false)).lived().but(|drafts| {
            told(drafts);
            later(&mut drafts[0], by);
        });
        late.faults()
    };
    assert_eq!(late(150 * SECOND), []);
    assert_eq!(late(240 * SECOND), [Fault::Late(HostHang)]);
}

#[test]
fn what_falls_silent_behind_one_that_was_told_is_told_a_quarter_of_an_hour_later() {
    // The TV box crashes by itself ten minutes after the NAS, and does not answer.
    let from = 30 * MINUTE + 10 * SECOND;
    let tale = |parents: bool| {
        let tale = hang(&[0], true).befalls(Crash, &[2], from, from + 40 * MINUTE);
        if parents { behind(tale) } else { tale }
    };
    let late = |parents: bool| {
        let lived = tale(parents).lived().but(|drafts| {
            let tv = drafts.iter_mut().find(|it| it.changes[0].app == "TV box").unwrap();
            later(tv, 5 * MINUTE);
        });
        lived.faults()
    };
    assert_eq!(late(true), []);
    assert_eq!(late(false), [Fault::Late(Crash)]);
    assert_eq!(
        tale(true).lived().but(|it| it.retain(|draft| draft.changes[0].app != "TV box")).faults(),
        [Fault::Missed(Crash)]
    );
}

#[test]
fn lies_about_what_is_behind_what_are_found() {
    let of = |parent: &'static str| {
        let tale = behind(hang(&[0, 1, 2], false)).lived().but(move |drafts| {
            told(drafts);
            outage(drafts).groups[0].parent = Some(parent.to_owned());
        });
        tale.faults()
    };
    assert_eq!(of("Kodi, upstairs"), [Fault::Wrong(Wrong::Address)]);
    assert!(of("Nobody").contains(&Fault::Wrong(Wrong::Name)));
    let well = of("Heating");
    assert!(well.contains(&Fault::Wrong(Wrong::State)), "{well:?}");
}
