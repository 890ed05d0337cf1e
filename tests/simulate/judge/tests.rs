//! The judge judged: the engine is replaced by a stub that is perfect, or makes one mistake.

mod beats;
mod behind;
mod blind;
mod flapping;
mod off;
mod outages;
mod parents;
mod quiet;
mod reminders;
mod reports;
mod suspects;
pub(super) mod tale;

use super::{Fault, MailKind, Wrong};
use crate::story::{CauseKind, ClockSet, PersonId, Registered, Span, Try};
use healthchecker::engine::state::State;
use tale::{MINUTE, SECOND, T0, Tale, stamp};

use CauseKind::{Crash, Deployment, NightlyOff, OurAbsence, OurLink, PowerCut, SaysFail};

/// The NAS is down from 20:10 for ten minutes.
fn crash() -> Tale {
    let from = 20 * MINUTE + 10 * SECOND;
    Tale::of(&["NAS", "Kodi, upstairs"]).befalls(Crash, &[0], from, from + 10 * MINUTE)
}

#[test]
fn a_perfect_engine_is_found_perfect() {
    let judgement = crash().lived().judged();
    assert_eq!(judgement.findings, [], "{}", judgement.told.concat());
    let score = judgement.score;
    let figures = &score.by_cause[&Crash];
    assert_eq!((figures.incidents, figures.must_be_told), (1, 1));
    assert_eq!((figures.mails.percentile(50), figures.mails.total()), (Some(2), 1));
    // The check before it began passed; two more came within a minute.
    assert_eq!((figures.delay_s.max(), figures.written_s.max()), (Some(52), Some(52)));
    assert_eq!((score.letters, score.letters_again), (2, 0));
    let kinds: Vec<_> = score.busiest.by_kind.into_iter().collect();
    assert_eq!(kinds, [(MailKind::Alarm, 1), (MailKind::End, 1)]);
    let most = score.busiest.most[0].line.as_str();
    assert!(most.starts_with("SEED=7 day 1 00:21:01: Crash of NAS, 2 mails to owner@"), "{most}");
    assert!(most.ends_with(" within 1 h: 1 alarms, 1 ends"), "{most}");
}

#[test]
fn an_alarm_that_is_not_sent_is_missed() {
    assert_eq!(crash().lived().but(Vec::clear).faults(), [Fault::Missed(Crash)]);
}

#[test]
fn what_ended_before_it_had_to_be_told_may_be_told_or_not() {
    let short = || {
        let from = 20 * MINUTE + 10 * SECOND;
        Tale::of(&["NAS"]).befalls(Crash, &[0], from, from + 60 * SECOND).lived()
    };
    assert_eq!(short().drafts.len(), 2);
    assert_eq!(short().faults(), []);
    assert_eq!(short().but(Vec::clear).faults(), []);
    let no_end = short().but(|drafts| drafts.truncate(1));
    assert_eq!(no_end.faults(), [Fault::NoEnd], "an alarm owes its end");
}

#[test]
fn who_is_told_late_is_told_late() {
    let late = |by| crash().lived().but(move |drafts| shift(drafts, by));
    assert_eq!(late(60 * SECOND).faults(), [Fault::Late(Crash)]);
    assert_eq!(late(5 * SECOND).faults(), [], "the check came early enough for that");
}

fn shift(drafts: &mut [tale::Draft], by: u64) {
    for draft in &mut drafts[..1] {
        draft.written += by;
        draft.worded += by;
        draft.accepted += by;
    }
}

#[test]
fn who_has_had_two_mails_of_trouble_may_wait_for_the_third() {
    let from = 20 * MINUTE + 10 * SECOND;
    let crashes = |tale: Tale, app: usize| {
        let from = from + 3 * MINUTE * app as u64;
        tale.befalls(Crash, &[app], from, from + 30 * MINUTE)
    };
    // It is written at once, and goes that much later.
    let waits = |troubles: usize, by: u64| {
        let tale = (0..troubles).fold(Tale::of(&["NAS", "Kodi", "Wiki"]), crashes);
        let last = move |drafts: &mut Vec<tale::Draft>| {
            let draft = &mut drafts[troubles - 1];
            draft.worded += by;
            draft.accepted += by;
        };
        tale.lived().but(last).faults()
    };
    assert_eq!(waits(3, 3 * MINUTE), []);
    assert_eq!(waits(3, 5 * MINUTE), [Fault::Late(Crash)]);
    assert_eq!(waits(2, 3 * MINUTE), [Fault::Late(Crash)]);
}

#[test]
fn what_was_over_before_it_had_to_be_told_is_not_told_late_by_what_comes_later() {
    let from = 20 * MINUTE + 10 * SECOND;
    let again = from + 2 * MINUTE;
    let twice = || {
        let tale = Tale::of(&["NAS"]).befalls(Crash, &[0], from, from + 60 * SECOND);
        tale.befalls(Crash, &[0], again, again + 10 * MINUTE).lived()
    };
    // The stub tells the first; this one is told when the second would have to be.
    let told = |by| twice().but(move |drafts| shift(drafts, by)).faults();
    assert_eq!(told(2 * MINUTE), []);
    assert_eq!(told(4 * MINUTE), [Fault::Late(Crash)]);
    assert_eq!(twice().but(Vec::clear).faults(), [Fault::Missed(Crash)]);
}

#[test]
fn a_silence_that_waited_for_a_look_is_told_by_its_check() {
    let waited = |silent: bool, by: u64| {
        let mut tale = crash();
        tale.silent = silent;
        let decided = |story: &mut crate::story::Story| story.apps[0].states[2].0 += by;
        tale.lived().with(decided).but(|drafts| shift(drafts, by)).faults()
    };
    assert_eq!(waited(true, 5 * SECOND), []);
    assert!(waited(true, 70 * SECOND).contains(&Fault::Wrong(Wrong::Changed)));
    assert!(waited(false, 5 * SECOND).contains(&Fault::Wrong(Wrong::Changed)));
}

#[test]
fn what_a_mail_server_takes_is_not_ours() {
    let waits = |drafts: &mut Vec<tale::Draft>| {
        let alarm = &mut drafts[0];
        alarm.worded += 6 * MINUTE;
        alarm.accepted += 6 * MINUTE + 90 * SECOND;
    };
    let story = crash().lived();
    let written = story.drafts[0].written;
    assert_eq!(story.but(waits).faults(), [Fault::Late(Crash)]);
    let away = Span { from: written - SECOND, until: Some(written + 5 * MINUTE) };
    let away = crash().lived().with(|story| story.mail_away.push(away)).but(waits);
    assert_eq!(away.faults(), [Fault::Late(Crash)], "it was there for a minute");
    let tries = |story: &mut crate::story::Story| {
        story.tries.push(Try { to: PersonId(0), begun: written, at: written + 10 });
    };
    let tried = crash().lived().with(tries).but(waits).judged();
    assert_eq!(tried.findings, [], "{}", tried.told.concat());
    let busy = |story: &mut crate::story::Story| {
        story.tries.push(Try { to: PersonId(1), begun: written, at: written + 6 * MINUTE });
    };
    assert_eq!(crash().lived().with(busy).but(waits).faults(), []);
    // The conversation itself is in the delay, the wait is not.
    assert_eq!(tried.score.by_cause[&Crash].delay_s.max(), Some(52 + 90));
}

#[test]
fn a_mail_that_cannot_have_arrived_by_the_end_is_not_missed() {
    let away = Span { from: 15 * MINUTE, until: None };
    let story = crash().with(|story| story.mail_away.push(away)).lived();
    assert_eq!(story.but(Vec::clear).faults(), []);
}

#[test]
fn the_same_message_id_twice_is_not_two() {
    let twice = |new_id: bool| {
        crash().lived().but(move |drafts| {
            let mut again = drafts[0].clone();
            again.accepted += 30 * SECOND;
            if new_id {
                again.id.push_str("-again");
            }
            drafts.push(again);
        })
    };
    let lost_250 = twice(false).judged();
    assert_eq!(lost_250.findings, []);
    assert_eq!((lost_250.score.letters, lost_250.score.letters_again), (2, 1));
    assert_eq!(lost_250.score.by_cause[&Crash].mails.max(), Some(2));
    let repeats = twice(true).judged();
    assert_eq!(repeats.findings[0].fault, Fault::NothingNew);
    assert_eq!(repeats.score.by_cause[&Crash].mails.max(), Some(3));
}

#[test]
fn lies_are_found() {
    use Wrong::{Address, Changed, Check, Lasted, Since};
    type Lie = fn(&mut Vec<tale::Draft>);
    let lies: [(Lie, &[Wrong]); 9] = [
        (|it| it[0].changes[0].since = stamp(20 * MINUTE), &[Since]),
        (|it| it[0].changes[0].since = stamp(21 * MINUTE + 3 * SECOND), &[Since]),
        (|it| it[1].changes[0].since = stamp(20 * MINUTE), &[Since]),
        (|it| it[0].changes[0].at = stamp(19 * MINUTE), &[Changed]),
        (|it| it[1].changes[0].lasted_ms += MINUTE, &[Lasted]),
        (|it| it[1].changes[0].lasted_ms = 0, &[Lasted]),
        (|it| it[0].changes[0].from = State::Degraded, &[Wrong::State]),
        (|it| it[0].changes[0].url.push('x'), &[Address]),
        (|it| it[0].changes[0].recent[7].time = stamp(20 * MINUTE), &[Check]),
    ];
    for (place, (lie, wrong)) in lies.into_iter().enumerate() {
        let wrong: Vec<Fault> = wrong.iter().map(|wrong| Fault::Wrong(*wrong)).collect();
        assert_eq!(crash().lived().but(lie).faults(), wrong, "{place}");
    }
    let degraded = crash().lived().but(|it| it[0].changes[0].to = State::Degraded);
    assert_eq!(degraded.faults(), [Fault::Wrong(Wrong::State)]);
    let at_least = crash().lived().but(|it| {
        it[1].changes[0].lasted_ms = 5 * MINUTE;
        it[1].changes[0].lasted_at_least = true;
    });
    assert_eq!(at_least.faults(), []);
}

#[test]
fn lies_in_words_are_found() {
    use Wrong::{Count, State, Subject, Waited};
    let said = |old: &'static str, new: &'static str| {
        let tale = crash().lived().worded(|_, letter| {
            letter.subject = letter.subject.replace(old, new);
        });
        tale.faults()
    };
    assert_eq!(said("NAS is UNHEALTHY", "NAS is DEGRADED"), [Fault::Wrong(State)]);
    assert_eq!(said("NAS is UNHEALTHY", "NAS is UNHEALTHY and 2 more"), [Fault::Wrong(Count)]);
    assert_eq!(said("NAS is UNHEALTHY", "3 changes: NAS is UNHEALTHY"), [Fault::Wrong(Count)]);
    assert!(said("NAS is UNHEALTHY", "NAS is UNHEALTHIER").contains(&Fault::Unread));
    assert_eq!(said("after 10 min", "after 11 min"), [Fault::Wrong(Subject)]);
    let waited = |said: &'static str| {
        let tale = crash().lived().worded(|_, letter| letter.text.insert_str(0, said));
        tale.faults()
    };
    let was = "This mail waited 5 min: it was written at 2026-11-23 23:10:00 UTC and could not be \
        sent before.\n\n";
    assert_eq!(waited(was), [Fault::Wrong(Waited)]);
    let digest = "This is a digest: at most 20 mails an hour go to one address, and you had that many \
        at 2026-11-23 23:15:40 UTC. It tells what came after them.\n\n";
    assert_eq!(waited(digest), [Fault::Wrong(Count)]);
}

#[test]
fn a_name_that_nobody_has_and_one_that_is_somebody_elses() {
    let nobody = crash().lived().but(|it| it[0].changes[0].app = "NAs".to_owned());
    assert_eq!(nobody.faults(), [Fault::Missed(Crash), Fault::NoAlarm, Fault::Wrong(Wrong::Name)]);
    let theirs = crash().lived().but(|it| {
        let copies = it.to_vec();
        it.extend(copies.into_iter().map(|draft| tale::Draft { to: PersonId(1), ..draft }));
    });
    assert_eq!(theirs.faults(), [Fault::Wrong(Wrong::Person)]);
}

#[test]
fn a_mail_that_was_overtaken_is_found_out() {
    // Accepted when it has been well for an hour, and as if nothing had happened since.
    let stale = crash().lived().but(|it| {
        it[0].written = 90 * MINUTE;
        it[0].worded = 90 * MINUTE;
        it[0].accepted = 90 * MINUTE + 10;
        it.truncate(1);
    });
    assert_eq!(stale.faults(), [Fault::Late(Crash), Fault::NoEnd, Fault::Wrong(Wrong::State)]);
}

#[test]
fn what_is_ours_is_no_alarm() {
    let link = |ours: bool| {
        let kind = if ours { OurLink } else { Crash };
        let from = 20 * MINUTE + 10 * SECOND;
        Tale::of(&["NAS"]).befalls(kind, &[0], from, from + 10 * MINUTE).lived()
    };
    assert_eq!(link(true).faults(), []);
    let mut told = link(false);
    told.story.causes[0].kind = OurLink;
    let judgement = told.judged();
    let found = &judgement.findings[0];
    assert_eq!((found.fault, judgement.findings.len()), (Fault::False(Some(OurLink)), 1));
    let story = &judgement.told[0];
    for line in [
        "false alarm: owner@example.org is told that NAS is UNHEALTHY",
        "seed 7",
        "day 1 00:20:10  truth: OurLink",
        "check fails, ",
        "now UNHEALTHY",
        "mail to owner@example.org, written day 1 00:21:01, tried day 1 00:21:01: [HealthChecker] NAS",
    ] {
        assert!(story.contains(line), "{line:?} in {story}");
    }
    let mut asleep = link(false);
    asleep.story.causes[0].kind = OurAbsence;
    assert_eq!(asleep.faults(), [Fault::False(Some(OurAbsence))]);
}

#[test]
fn an_alarm_of_nothing() {
    let mut tale = crash().lived();
    tale.story.causes[0].reach.clear();
    tale.story.apps[0].checks.clear();
    let judgement = tale.judged();
    assert_eq!(judgement.findings[0].fault, Fault::False(None));
    assert_eq!(judgement.score.total().false_alarms, 1);
}

#[test]
fn an_alarm_that_never_ends_and_an_end_of_nothing() {
    assert_eq!(crash().lived().but(|it| it.truncate(1)).faults(), [Fault::NoEnd]);
    let end = crash().lived().but(|it| drop(it.remove(0)));
    assert_eq!(end.faults(), [Fault::Missed(Crash), Fault::NoAlarm]);
    let twice = Tale::of(&["NAS"])
        .befalls(Crash, &[0], 20 * MINUTE, 30 * MINUTE)
        .befalls(Crash, &[0], 50 * MINUTE, 60 * MINUTE)
        .lived();
    let forgotten = twice.but(|it| drop(it.remove(1)));
    assert_eq!(forgotten.faults(), [Fault::NoEnd], "the next alarm does not make up for it");
}

#[test]
fn who_stops_an_app_is_owed_nothing() {
    let stopped = |until: u64| {
        crash().with(move |story| story.apps[0].registrations[0].span.until = Some(until)).lived()
    };
    let mut tale = stopped(25 * MINUTE).but(|it| it.truncate(1));
    tale.story.apps[0].checks.retain(|check| check.ended < 25 * MINUTE);
    assert_eq!(tale.faults(), []);
}

#[test]
fn deployments_are_tolerated() {
    let deployed = |lasts: u64| {
        let from = 20 * MINUTE + 10 * SECOND;
        Tale::of(&["NAS"]).befalls(Deployment, &[0], from, from + lasts).lived()
    };
    let told = deployed(80 * SECOND).judged();
    assert_eq!((told.findings.len(), told.score.by_cause[&Deployment].tolerated), (0, 1));
    assert_eq!(deployed(80 * SECOND).but(Vec::clear).faults(), []);
    assert_eq!(deployed(5 * MINUTE).but(Vec::clear).faults(), [Fault::Missed(Deployment)]);
    assert_eq!(deployed(5 * MINUTE).judged().score.by_cause[&Deployment].tolerated, 0);
    let night = Tale::of(&["TV"]).befalls(NightlyOff, &[0], 20 * MINUTE, 90 * MINUTE).lived();
    let night = night.judged();
    assert_eq!((night.findings.len(), night.score.by_cause[&NightlyOff].tolerated), (0, 1));
}

#[test]
fn one_event_is_one_incident() {
    let names = ["NAS", "Kodi", "TV"];
    let of_silent = || {
        let mut tale = Tale::of(&names);
        tale.silent = true;
        tale
    };
    let cut = of_silent().befalls(PowerCut, &[0, 1, 2], 20 * MINUTE, 25 * MINUTE);
    let score = cut.lived().judged().score;
    let figures = &score.by_cause[&PowerCut];
    assert_eq!((figures.incidents, figures.mails.max(), figures.delay_s.total()), (1, Some(6), 1));
    let near = of_silent()
        .befalls(PowerCut, &[0], 20 * MINUTE, 25 * MINUTE)
        .befalls(Crash, &[1], 22 * MINUTE, 30 * MINUTE)
        .befalls(Crash, &[2], 24 * MINUTE, 40 * MINUTE);
    let score = near.lived().judged().score;
    assert_eq!((score.by_cause[&PowerCut].incidents, score.by_cause[&Crash].incidents), (1, 1));
    assert_eq!(score.by_cause[&PowerCut].mails.max(), Some(4));
    let shadow = of_silent().befalls(PowerCut, &[0, 1], 20 * MINUTE, 40 * MINUTE).befalls(
        Crash,
        &[1],
        30 * MINUTE,
        50 * MINUTE,
    );
    let judgement = shadow.lived().judged();
    assert_eq!(judgement.findings, []);
    assert!(!judgement.score.by_cause.contains_key(&Crash));
    assert_eq!(judgement.score.by_cause[&PowerCut].mails.max(), Some(4));
    // What answers badly is told by itself, each.
    let fails = Tale::of(&names).befalls(SaysFail, &[0, 1, 2], 20 * MINUTE, 40 * MINUTE);
    let score = fails.lived().judged().score;
    let figures = &score.by_cause[&SaysFail];
    assert_eq!((figures.incidents, figures.mails.total(), figures.mails.max()), (1, 3, Some(2)));
}

#[test]
fn a_cause_that_no_check_met() {
    let mut tale = crash().lived().but(Vec::clear);
    tale.story.apps[0].checks.clear();
    tale.story.apps[0].states.truncate(2);
    assert_eq!(tale.faults(), [Fault::NotAsked]);
}

#[test]
fn while_we_are_away_nobody_waits_for_us() {
    let runs = vec![
        Span { from: 0, until: Some(20 * MINUTE + 20 * SECOND) },
        Span { from: 26 * MINUTE, until: None },
    ];
    let judgement = crash().with(|story| story.runs = runs).lived().judged();
    assert_eq!(judgement.findings, []);
    // Ten seconds before we went, and the second check after we were back.
    assert_eq!(judgement.score.by_cause[&Crash].delay_s.max(), Some(10 + 32));
}

#[test]
fn a_forgiven_refusal_takes_an_interval_more() {
    let refusing = |call| {
        let mut tale = crash().with(|story| story.apps[0].calls.push(call)).lived();
        let checks = &mut tale.story.apps[0].checks;
        checks.iter_mut().for_each(|check| check.refused = !check.causes.is_empty());
        tale.but(|drafts| shift(drafts, 40 * SECOND))
    };
    assert_eq!(refusing(0).faults(), [Fault::Late(Crash)]);
    assert_eq!(refusing(20 * MINUTE + 5 * SECOND).faults(), []);
}

#[test]
fn what_was_lost_with_the_power_may_begin_anew() {
    // The first failure came seconds before the daemon was killed; it knows of the second only.
    let killed = |gap: u64| {
        let first = 20 * MINUTE + 31 * SECOND;
        let runs = vec![
            Span { from: 0, until: Some(first + gap) },
            Span { from: first + gap + SECOND, until: None },
        ];
        crash().with(|story| story.runs = runs).lived().but(move |it| {
            it[0].changes[0].since = stamp(first + 30 * SECOND);
        })
    };
    assert_eq!(killed(5 * SECOND).faults(), []);
    assert_eq!(killed(20 * SECOND).faults(), [Fault::Wrong(Wrong::Since)]);
}

#[test]
fn a_clock_that_was_off_is_not_certain() {
    // Until 20:50 the clock was an hour behind, and then the daemon was started anew.
    let restart = 20 * MINUTE + 50 * SECOND;
    let tale = crash()
        .with(|story| {
            story.clock = vec![
                ClockSet { from: 0, shows: T0 - 60 * MINUTE.cast_signed(), right: T0 },
                ClockSet {
                    from: restart,
                    shows: T0 + restart.cast_signed(),
                    right: T0 + restart.cast_signed(),
                },
            ];
            story.runs = vec![
                Span { from: 0, until: Some(restart - SECOND) },
                Span { from: restart, until: None },
            ];
        })
        .lived();
    let first = 20 * MINUTE + 31 * SECOND;
    let noted = |since| {
        move |it: &mut Vec<tale::Draft>| {
            it.iter_mut().for_each(|draft| draft.changes[0].recent.clear());
            it[0].changes[0].since = since;
        }
    };
    let (story, drafts) = (tale.story.clone(), tale.drafts.clone());
    let ago = Tale { story, drafts, silent: false, settles: None, missing: vec![] };
    assert_eq!(ago.but(noted(stamp(first))).faults(), []);
    let wall = healthchecker::engine::time::Wall::from_unix_millis;
    let hour_behind = wall(T0 + first.cast_signed() - 60 * MINUTE.cast_signed());
    let hour_behind = healthchecker::engine::time::Stamp::on_record(hour_behind);
    assert_eq!(tale.but(noted(hour_behind)).faults(), [Fault::Wrong(Wrong::Clock)]);
}

#[test]
fn each_person_is_told() {
    let two = |story: &mut crate::story::Story| {
        story.apps[0].registrations[0].people.push(PersonId(1));
    };
    let tale = crash().with(two).lived();
    assert_eq!(tale.drafts.len(), 4);
    let one = tale.but(|it| it.retain(|draft| draft.to == PersonId(1)));
    let judgement = one.judged();
    assert_eq!(judgement.findings.len(), 1);
    assert_eq!(judgement.findings[0].person, Some(PersonId(0)));
    // Who is named no longer is owed nothing new.
    let removed = crash().with(two).with(|story| {
        let app = &mut story.apps[0];
        let [whole] = app.registrations.as_slice() else { panic!("{app:?}") };
        let before = Registered {
            span: Span { from: 0, until: Some(20 * MINUTE + 15 * SECOND) },
            ..whole.clone()
        };
        let people = vec![PersonId(0)];
        let span = Span { from: 20 * MINUTE + 15 * SECOND, until: None };
        let after = Registered { span, people, ..whole.clone() };
        app.registrations = vec![before, after];
    });
    assert_eq!(removed.lived().faults(), []);
}

#[test]
fn the_score_of_a_year_is_worked_out_in_a_moment() {
    let names: Vec<String> = (0..50).map(|n| format!("app {n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut tale = Tale::of(&names);
    tale.story.length = 7 * 1440 * MINUTE;
    for at in 0..1_000 {
        let from = (at + 1) * 10 * MINUTE;
        tale = tale.befalls(Crash, &[at as usize % 50], from, from + 20 * MINUTE);
    }
    let tale = tale.lived();
    assert!(tale.drafts.len() >= 2_000);
    let tale = tale.worded(|_, _| {});
    let begun = std::time::Instant::now();
    let judgement = super::judge(&tale.story, 3);
    let took = begun.elapsed();
    assert_eq!(judgement.findings, []);
    // A fiftieth of the checks of a year, and a fifth of its letters.
    assert!(took < std::time::Duration::from_secs(20), "{took:?}");
}
