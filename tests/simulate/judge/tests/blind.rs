//! The note of times in which nobody was seen: a stub that tells it as it was, or lies.

use super::tale::{Draft, MINUTE, Tale, stamp};
use crate::judge::{Fault, Wrong};
use crate::story::{CauseKind, Ms, PersonId, Span};
use healthchecker::engine::outbox::notice::{Blind, Notice};
use healthchecker::engine::state::State;
use healthchecker::engine::surroundings::run::Gap;

/// What is found of a note that comes at 45:00, when the line was away from 20:00 to 41:00. NAS is in the house, Shop out there.
fn note(internet: bool, minutes: (u64, u64), (as_before, of): (usize, usize)) -> Vec<Fault> {
    let (from, until) = (stamp(minutes.0 * MINUTE), Some(stamp(minutes.1 * MINUTE)));
    let gaps = vec![Gap { from, until, internet }];
    let notice = Notice::Blind(Blind { gaps, of, as_before, ..Blind::default() });
    let at = 45 * MINUTE;
    let (to, id, accepted) = (PersonId(0), "note".to_owned(), at + 100);
    let (changes, report) = (vec![], Some(notice));
    let draft = Draft { to, id, changes, report, written: at, worded: at, accepted };
    let tale = Tale::of(&["NAS", "Shop"]).with(|story| {
        story.line_away = vec![Span { from: 20 * MINUTE, until: Some(41 * MINUTE) }];
        story.apps[1].registrations[0].url = "http://203.0.113.7/health".to_owned();
    });
    tale.lived().but(|drafts| drafts.push(draft)).faults()
}

#[test]
fn a_note_of_the_internet_is_held_to_when_the_line_was_away_and_to_who_is_out_there() {
    assert_eq!(note(true, (20, 41), (1, 1)), []);
    let after = [Fault::Wrong(Wrong::After)];
    assert_eq!(note(true, (5, 15), (1, 1)), after, "the line was there");
    assert_eq!(note(false, (20, 41), (2, 2)), after, "our own network was there");
    let count = [Fault::Wrong(Wrong::Count)];
    assert_eq!(note(true, (20, 41), (0, 1)), count, "Shop is as it was");
}

#[test]
fn what_the_same_mail_tells_later_is_not_before() {
    let told = |as_before: usize| {
        let (from, until) = (stamp(20 * MINUTE), Some(stamp(41 * MINUTE)));
        let gaps = vec![Gap { from, until, internet: true }];
        let notice = Notice::Blind(Blind { gaps, of: 1, as_before, ..Blind::default() });
        let tale = Tale::of(&["NAS", "Shop"]).with(|story| {
            story.line_away = vec![Span { from: 20 * MINUTE, until: Some(41 * MINUTE) }];
            story.apps[1].registrations[0].url = "http://203.0.113.7/health".to_owned();
        });
        let tale = tale.befalls(CauseKind::Crash, &[1], 60 * MINUTE + 10_000, 90 * MINUTE);
        tale.lived().but(|drafts| drafts[0].report = Some(notice)).faults()
    };
    assert_eq!(told(1), [], "the Shop was well until an hour had passed");
    assert_eq!(told(0), [Fault::Wrong(Wrong::Count)]);
}

#[test]
fn who_is_not_back_when_the_time_is_up_is_not_as_before() {
    let told = |after: Ms| {
        let (from, until) = (stamp(20 * MINUTE), Some(stamp(41 * MINUTE)));
        let gaps = vec![Gap { from, until, internet: true }];
        let notice = Notice::Blind(Blind { gaps, of: 1, as_before: 0, ..Blind::default() });
        let (to, id, changes, report) = (PersonId(0), "note".to_owned(), vec![], Some(notice));
        let at = 52 * MINUTE;
        let draft = Draft { to, id, changes, report, written: at, worded: at, accepted: at + 100 };
        let tale = Tale::of(&["NAS", "Shop"]).with(|story| {
            story.line_away = vec![Span { from: 20 * MINUTE, until: Some(41 * MINUTE) }];
            story.apps[1].registrations[0].url = "http://203.0.113.7/health".to_owned();
        });
        let tale = tale.lived().with(|story| {
            story.apps[1].states.push((51 * MINUTE + after, State::Unhealthy));
        });
        tale.but(|drafts| drafts.push(draft)).faults()
    };
    assert_eq!(told(500), [], "the end of the line's absence is told in whole seconds");
    assert_eq!(told(30_000), [Fault::Wrong(Wrong::Count)]);
}
