//! Letters of the real writer, in every form, are read back into what went in.

use std::time::Duration;

use healthchecker::engine::outbox::letter::write;
use healthchecker::engine::outbox::mail::Mail;
use healthchecker::engine::outbox::notice::{
    AllBack, Change, Group, NotBack, Notice, Outage, Report, Silent,
};
use healthchecker::engine::registry::history::RecentCheck;
use healthchecker::engine::state::State;
use healthchecker::engine::surroundings::settling::Aftermath;
use healthchecker::engine::time::{Moment, Now, Stamp, Wall, Zone};
use healthchecker::engine::verdict::answer::Outcome;

use super::{
    BlindLine, Degraded, EndLine, Facts, Known, Lasted, Named, News, Place, Reading, Says, Tells,
    Told, Unseen, read,
};
use crate::story::{App, AppId, HostId};

/// 2026-11-23 22:55:40 UTC.
const T0: i64 = 1_795_474_540_000;

fn stamp(secs: i64) -> Stamp {
    let at = Moment::START + Duration::from_secs(u64::try_from(3600 + secs).unwrap());
    Stamp::noted(Now { at, wall: Wall::from_unix_millis(T0 + secs * 1000) })
}

fn told(secs: i64) -> Told {
    Told::At(T0 + secs * 1000)
}

fn known() -> Known {
    let names = ["NAS", "Kodi, upstairs", "TV =?x", "A is UNHEALTHY (no)"];
    let app = |name: &&str| App {
        name: (*name).to_owned(),
        host: HostId(0),
        registrations: vec![],
        calls: vec![],
        paused: vec![],
        hushed: vec![],
        off: vec![],
        heard: vec![],
        unheard: vec![],
        checks: vec![],
        states: vec![],
    };
    Known::new(&names.iter().map(app).collect::<Vec<_>>())
}

fn change(app: &str, to: State, at: i64) -> Change {
    Change {
        app: app.to_owned(),
        url: "http://nas.example:8080/health".to_owned(),
        from: if to == State::Healthy { State::Unhealthy } else { State::Healthy },
        to,
        at: stamp(at),
        since: stamp(at - 750),
        lasted_ms: 750_000,
        lasted_at_least: false,
        keeps_failing: false,
        reason: "the app says fail: x is UNHEALTHY (disk, full)".to_owned(),
        body: Some("{\"status\":\"fail\",\n\n\"output\":\"All is lost:\\n\\nreally\"}".to_owned()),
        recent: [(Outcome::Pass, -30), (Outcome::Warn, -15), (Outcome::Fail, 0)]
            .map(|(outcome, ago)| RecentCheck {
                time: stamp(at + ago),
                outcome,
                latency_ms: 123_456,
            })
            .to_vec(),
    }
}

fn mail(notices: Vec<Notice>) -> Mail {
    crate::judge::tests::tale::mail(notices, stamp(0))
}

fn read_at(mail: &Mail, now: i64) -> Reading {
    let letter = write(mail, stamp(now).at().unwrap(), &Zone::UTC, Some("http://pi.example/"));
    let reading = read(&letter.subject, &letter.text, &known());
    assert_eq!(reading.unread, Vec::<String>::new(), "{}\n{}", letter.subject, letter.text);
    reading
}

fn named(app: usize, text: &str) -> Named {
    Named { text: text.to_owned(), app: Some(AppId(app)) }
}

const LASTED: Lasted = Lasted { secs: 720, unit: 60, at_least: false };

#[test]
fn an_alert() {
    let reading = read_at(&mail(vec![Notice::Change(change("NAS", State::Unhealthy, 0))]), 1);
    let is = Says::Is(State::Unhealthy);
    assert_eq!(reading.subject.states, [(named(0, "NAS"), is)]);
    let [full] = reading.full.as_slice() else { panic!("{reading:?}") };
    assert_eq!((&full.named, full.says), (&named(0, "NAS"), is));
    let facts = Facts {
        since: Some(told(-750)),
        alert_since: None,
        changed: Some(told(0)),
        from: Some(State::Healthy),
        address: Some("http://nas.example:8080/health".to_owned()),
    };
    assert_eq!(full.facts, facts);
    let checks = [(-30, Outcome::Pass), (-15, Outcome::Warn), (0, Outcome::Fail)];
    assert_eq!(full.checks, checks.map(|(at, outcome)| (told(at), outcome)));
    assert!(reading.list.is_empty() && reading.waited.is_none());
}

#[test]
fn what_keeps_failing() {
    let change = change("NAS", State::Unhealthy, 0);
    let change = Notice::Change(Change { keeps_failing: true, ..change });
    let reading = read_at(&mail(vec![change]), 1);
    assert_eq!(reading.subject.states, [(named(0, "NAS"), Says::KeepsFailing)]);
    assert_eq!(reading.full[0].says, Says::KeepsFailing);
    assert_eq!(reading.unread, Vec::<String>::new());
}

#[test]
fn a_recovery_that_waited() {
    let end = change("Kodi, upstairs", State::Healthy, 0);
    let reading = read_at(&mail(vec![Notice::Change(end)]), 31 * 60 + 5);
    assert_eq!(
        reading.waited,
        Some((Lasted { secs: 31 * 60, unit: 60, at_least: false }, told(0)))
    );
    let [full] = reading.full.as_slice() else { panic!("{reading:?}") };
    assert_eq!((full.named.app, full.says), (Some(AppId(1)), Says::WellAgain(LASTED)));
    assert_eq!(full.facts.alert_since, Some(told(-750)));
    assert_eq!(reading.subject.states.len(), 1);
}

#[test]
fn a_list_with_all_that_can_be_in_it() {
    let mut notices = vec![
        Notice::Change(change("NAS", State::Unhealthy, 0)),
        Notice::Watching { apps: vec!["Kodi, upstairs".into(), "NAS".into()], at: stamp(5) },
        Notice::Test { at: stamp(6) },
        Notice::Change(change("A is UNHEALTHY (no)", State::Degraded, 7)),
        Notice::Change(change("NAS", State::Healthy, 8)),
    ];
    notices.extend((9..12).map(|at| Notice::Change(change("TV =?x", State::Unhealthy, at))));
    let digest = Mail { held_back: Some(stamp(-9)), left_out: 3, ..mail(notices) };
    let reading = read_at(&digest, 60);
    assert_eq!(reading.digest, Some((20, told(-9))));
    assert_eq!((reading.left_out, reading.list.len()), (3, 8));
    let states = reading.list.iter().filter_map(|point| match &point.tells {
        Tells::State(named, says) => Some((named.app.unwrap().0, says.state(), point.at.unwrap())),
        _ => None,
    });
    let expected = [
        (0, State::Unhealthy, 0),
        (3, State::Degraded, 7),
        (0, State::Healthy, 8),
        (2, State::Unhealthy, 9),
        (2, State::Unhealthy, 10),
        (2, State::Unhealthy, 11),
    ];
    assert!(states.eq(expected.map(|(app, state, at)| (app, state, told(at)))));
    assert_eq!(reading.list[1].at, Some(told(5)));
    let Tells::Watching(row) = &reading.list[1].tells else { panic!("{reading:?}") };
    assert_eq!(row.names, [named(1, "Kodi, upstairs"), named(0, "NAS")]);
    assert_eq!(reading.subject.changes, Some(6));
    assert_eq!(reading.full.len(), 3);
}

#[test]
fn a_full_subject_counts_the_rest() {
    let many = (0..9).map(|at| Notice::Change(change(&format!("app {at}"), State::Healthy, at)));
    let reading = read_at(&mail(many.collect()), 60);
    let subject = reading.subject;
    assert_eq!(subject.changes, Some(9));
    assert_eq!(subject.states.len() as u64 + subject.more, 9);
    assert_eq!((subject.states[0].0.app, reading.full.len()), (None, 8));
}

#[test]
fn greetings_and_those_that_find_no_room() {
    let apps: Vec<String> = (0..400).map(|n| format!("Größe {n}")).collect();
    let welcome = Notice::Watching { apps, at: stamp(0) };
    let reading = read_at(&Mail { left_out: 50, ..mail(vec![welcome]) }, 1);
    let (row, at) = reading.watching.unwrap();
    assert_eq!((row.names.len() as u64 + row.more, at), (450, told(0)));
    let subject = reading.subject.watching.unwrap();
    assert_eq!(subject.names.len() as u64 + subject.more, 450);
    read_at(&mail(vec![Notice::Test { at: stamp(0) }]), 1);
    let one = Notice::Watching { apps: vec!["NAS".into()], at: stamp(0) };
    assert_eq!(read_at(&mail(vec![one]), 1).watching.unwrap().0.names, [named(0, "NAS")]);
}

#[test]
fn what_degraded_means() {
    let said = |outcomes: &[Outcome], from| {
        let recent = outcomes.iter().map(|outcome| RecentCheck {
            time: stamp(0),
            outcome: *outcome,
            latency_ms: 1,
        });
        let recent = recent.collect();
        let change = Change { from, recent, body: None, ..change("NAS", State::Degraded, 0) };
        read_at(&mail(vec![Notice::Change(change)]), 1).full[0].degraded
    };
    use Outcome::{Fail, Pass, Warn};
    assert_eq!(said(&[Fail, Fail], State::Healthy), Some(Degraded::TooFewFailures));
    assert_eq!(said(&[Fail, Warn], State::Healthy), Some(Degraded::Answers { again: false }));
    assert_eq!(said(&[Pass, Warn], State::Unhealthy), Some(Degraded::Answers { again: true }));
    assert_eq!(said(&[], State::Healthy), None);
}

#[test]
fn without_a_clock_and_without_names() {
    let at = Moment::START + Duration::from_secs(720);
    let ours = Stamp::noted(Now { at, wall: Wall::from_unix_millis(720_000) });
    let theirs = Stamp::on_record(Wall::from_unix_millis(5_000));
    let late = Change { at: ours, since: theirs, ..change("NAS", State::Unhealthy, 0) };
    let end = Change { lasted_at_least: true, at: ours, ..change("NAS", State::Healthy, 0) };
    let reading = read_at(&mail(vec![Notice::Change(late.clone()), Notice::Change(end)]), 1);
    assert_eq!(reading.list[0].at, Some(Told::AfterStart(LASTED)));
    assert_eq!(reading.full[0].says, Says::WellAgain(Lasted { at_least: true, ..LASTED }));
    let nameless = Mail { nameless: true, ..mail(vec![Notice::Change(late)]) };
    let reading = read_at(&nameless, 1);
    assert!(reading.nameless && reading.full[0].named.app.is_none());
    assert_eq!(reading.full[0].facts.since, Some(Told::BeforeStart));
}

fn report(after: Aftermath, missing: &[&str]) -> Notice {
    let not_back = |app: &&str| NotBack {
        app: (*app).to_owned(),
        reason: "x is UNHEALTHY: no route, to host".to_owned(),
    };
    Notice::Report(Box::new(Report {
        incident: None,
        after,
        at: stamp(-600),
        last_record: Some(stamp(-3000)),
        router: None,
        well: 9,
        of: 11,
        missing: missing.iter().map(not_back).collect(),
        unhealthy_before: vec!["NAS".to_owned()],
        paused: vec!["TV =?x".to_owned(), "Kodi, upstairs".to_owned()],
    }))
}

fn all_back(apps: &[&str]) -> Notice {
    Notice::AllBack(AllBack {
        apps: apps.iter().map(ToString::to_string).collect(),
        since: stamp(0),
        at: stamp(750),
        lasted_ms: 750_000,
        lasted_at_least: false,
    })
}

#[test]
fn a_report_and_its_end() {
    use Aftermath::{Internet, Network, Power, Restart, Router, RouterAway, Sleep, Standstill};
    let missing = ["Kodi, upstairs", "A is UNHEALTHY (no)"];
    let named = [named(1, "Kodi, upstairs"), named(3, "A is UNHEALTHY (no)")];
    for after in [Power, Restart, Network, Sleep, Standstill, Router, Internet, RouterAway] {
        let reading = read_at(&mail(vec![report(after, &missing)]), 1);
        let [full] = reading.reports.as_slice() else { panic!("{reading:?}") };
        assert_eq!((full.after, full.at, full.well, full.of), (after, told(-600), 9, 11));
        assert_eq!(full.missing, named);
        assert_eq!(full.unhealthy_before.names[0].app, Some(AppId(0)));
        assert_eq!(full.paused.names.len(), 2);
        let is_dated = matches!(after, Power | Restart);
        assert_eq!(full.after_record, is_dated.then_some(told(-3000)));
        let [line] = reading.subject.reports.as_slice() else { panic!("{reading:?}") };
        assert_eq!((line.after, line.well, line.of), (after, 9, 11));
        assert_eq!((line.missing.names.as_slice(), reading.subject.more), (&named[..], 0));
    }
    let reading = read_at(&mail(vec![all_back(&missing)]), 751);
    let [end] = reading.ends.as_slice() else { panic!("{reading:?}") };
    assert_eq!(
        (end.line, end.apps.names.as_slice()),
        (EndLine { apps: 2, lasted: LASTED }, &named[..])
    );
    assert_eq!(reading.subject.ends, [end.line]);
    let reading = read_at(&mail(vec![all_back(&["NAS"])]), 751);
    assert_eq!(reading.ends[0].only.as_ref().map(|named| named.app), Some(Some(AppId(0))));
    assert!(reading.full.is_empty());
}

#[test]
fn reports_among_other_news() {
    let notices = vec![
        report(Aftermath::Power, &["TV =?x"]),
        all_back(&["NAS"]),
        all_back(&["NAS", "Kodi, upstairs"]),
        Notice::Change(change("NAS", State::Unhealthy, 8)),
        Notice::Change(change("Kodi, upstairs", State::Unhealthy, 9)),
    ];
    let reading = read_at(&mail(notices), 60);
    let tells: Vec<&str> = reading
        .list
        .iter()
        .map(|point| match point.tells {
            Tells::Report(_) => "report",
            Tells::End(_) => "end",
            Tells::State(..) => "state",
            Tells::Outage(_) | Tells::Blind(_) | Tells::Watching(_) | Tells::Test => "other",
        })
        .collect();
    assert_eq!(tells, ["report", "end", "end", "state", "state"]);
    assert_eq!((reading.reports.len(), reading.ends.len(), reading.full.len()), (1, 2, 2));
    let subject = &reading.subject;
    assert_eq!((subject.changes, subject.reports.len()), (Some(2), 1));
    let said = subject.reports.len() + subject.states.len() + subject.ends.len();
    assert_eq!(said as u64 + subject.more, 5, "{subject:?}");
    let nameless = Mail { nameless: true, ..mail(vec![report(Aftermath::Network, &["NAS"])]) };
    assert!(read_at(&nameless, 1).reports[0].missing[0].app.is_none());
}

#[test]
fn an_outage() {
    let switch = "the switch or the power of 192.168.1.20: 3 apps on it went silent within 26 s";
    let larger = "the switch, the access point or the power: 3 apps on different hosts went silent, too, \
        within 2 min";
    let lives = "192.168.1.20: it is on, but 1 app on it went silent within 1 s";
    let lists = "On 192.168.1.20:\n\
        - NAS is UNHEALTHY since 2026-11-23 22:55:40 UTC (no route, to host)\n\
        - Kodi, upstairs was asked once since 2026-11-23 22:55:41 UTC\n\n\
        Elsewhere:\n- TV = ?x was asked 2 times since 12 min after the start (refused)\n\n\
        Last checks of NAS, newest last:\n  2026-11-23 22:55:40 UTC  FAIL      25 ms\n\n\
        One more mail comes when all of them are well.\n";
    let one = |subject: &str, look: &str| {
        let headline = format!("Look at {look}");
        let rule = "-".repeat(headline.len().min(60));
        let text = format!("{headline}\n{rule}\n\n{lists}");
        let reading = read(&format!("[HealthChecker] {subject}"), &text, &known());
        assert_eq!(reading.unread, Vec::<String>::new(), "{subject}");
        let [line] = reading.subject.outages.as_slice() else { panic!("{subject}: {reading:?}") };
        let named: Vec<Option<AppId>> = line.named.names.iter().map(|it| it.app).collect();
        (line.clone(), named, reading.outages[0].clone())
    };
    let host = Place::Host("192.168.1.20".to_owned());
    let (first, more) = (News::First, News::More);
    let (line, named, full) = one("3 apps are UNHEALTHY: NAS and 2 on 192.168.1.20", switch);
    assert_eq!((line.unhealthy, line.silent, line.how, &line.place), (3, 0, first, &host));
    assert_eq!(named, [Some(AppId(0))]);
    assert_eq!((full.apps, full.within, full.how, &full.place), (3, Some(26), first, &host));
    let silent: Vec<_> = full.silent.iter().map(|it| (it.named.app, it.unhealthy)).collect();
    let three = [(Some(AppId(0)), true), (Some(AppId(1)), false), (Some(AppId(2)), false)];
    assert_eq!(silent, three);
    assert_eq!((full.silent[0].since, &full.silent[0].place), (told(0), &host));
    let subject = "3 more apps are UNHEALTHY: NAS, Kodi, upstairs, TV = ?x, 2 more do not answer";
    let (line, named, full) = one(subject, larger);
    assert_eq!((line.unhealthy, line.silent, line.how, line.place), (3, 2, more, Place::None));
    assert_eq!((named.len(), full.how, full.within), (3, more, Some(120)));
    let (line, _, full) = one("NAS is UNHEALTHY, 1 more does not answer", lives);
    assert_eq!((line.unhealthy, line.silent, full.apps), (1, 1, 1));
    let (line, _, _) = one("Kodi, upstairs on 192.168.1.20 is UNHEALTHY, too", lives);
    assert_eq!((line.how, line.place), (more, host));
    let two = "[HealthChecker] 2 apps are UNHEALTHY: NAS, TV = ?x, NAS is UNHEALTHY and 2 more";
    let subject = read(two, lists, &known()).subject;
    assert_eq!((subject.outages.len(), subject.states.len(), subject.more), (1, 1, 2));
}

#[test]
fn nobody_was_seen() {
    let one = |headline: &str, rest: &str| {
        let rule = "-".repeat(headline.len().min(60));
        let text = format!("{headline}\n{rule}\n\n{rest}");
        let short = headline.replace("2026-11-23 ", "").replace(":40 UTC", "");
        let reading = read(&format!("[HealthChecker] {short}"), &text, &known());
        assert_eq!(reading.unread, Vec::<String>::new(), "{short}");
        assert_eq!(reading.subject.blind, [reading.blind[0].line.clone()]);
        reading.blind[0].clone()
    };
    let (from, until) = ("2026-11-23 22:55:40 UTC", "2026-11-23 23:16:40 UTC");
    let look = "Look at the switch, the router or the Wi-Fi that the health checker hangs on. No alarm \
        of these apps comes until one of them answers; then each has its time to answer, too.\n";
    let list = format!("Not seen since:\n- NAS\n- Kodi, upstairs\n\n{look}");
    let since = format!("Nothing answers since {from}: our network, or");
    let blind = one(&format!("{since} all 2 apps"), &list);
    assert_eq!(blind.line, BlindLine::GoesOn(told(0), 2, None));
    assert_eq!((blind.times(), blind.apps.len()), (vec![(Unseen::Network, told(0), None)], 2));
    let blind = one(&format!("{since} Kodi, upstairs"), &list);
    assert_eq!(blind.line, BlindLine::GoesOn(told(0), 1, Some(named(1, "Kodi, upstairs"))));
    let note = format!("I could not see the network from {from} to {until}");
    let blind = one(&note, "All 11 apps are as before.\n");
    assert_eq!(blind.times(), [(Unseen::Network, told(0), Some(told(21 * 60)))]);
    assert_eq!(blind.as_before, Some((11, 11)));
    let gaps =
        format!("I could not see the network:\n- from {from} to {until}\n- from {from} to {until}");
    let blind = one(
        "I could not see the network 2 times",
        &format!("{gaps}\n\n9 of 11 apps are as before.\n"),
    );
    let twice = BlindLine::Times(Unseen::Network, 2);
    assert_eq!((blind.line.clone(), blind.gaps.len()), (twice, 2));
    assert_eq!(blind.as_before, Some((9, 11)));
    let note = format!("I could not reach the internet from {from} to {until}");
    let blind = one(&note, "The app out there is as before.\n");
    assert_eq!(blind.times(), [(Unseen::Internet, told(0), Some(told(21 * 60)))]);
    assert_eq!(blind.as_before, Some((1, 1)));
    let gap = format!("- from {from} to {until}");
    let lists =
        format!("I could not see the network:\n{gap}\n\nI could not reach the internet:\n{gap}");
    let blind = one(
        "I could not see the network or the internet 2 times",
        &format!("{lists}\n\nAll 11 apps are as before.\n"),
    );
    let kinds: Vec<Unseen> = blind.gaps.iter().map(|(unseen, ..)| *unseen).collect();
    assert_eq!(kinds, [Unseen::Network, Unseen::Internet]);
}

#[test]
fn nobody_was_seen_and_more_happened() {
    let line = "Nothing answers since 2026-11-23 22:55:40 UTC: our network, or all 2 apps";
    let list = format!(
        "What happened, in order:\n- {line}\n- 2026-11-23 23:16:40 UTC: NAS is UNHEALTHY (no)\n"
    );
    let reading = read(&format!("[HealthChecker] {line} and 1 more"), &list, &known());
    assert_eq!(reading.unread, Vec::<String>::new());
    let told: Vec<Option<Told>> = reading.list.iter().map(|point| point.at).collect();
    assert_eq!(told, [Some(self::told(0)), Some(self::told(21 * 60))]);
    assert!(matches!(reading.list[0].tells, Tells::Blind(BlindLine::GoesOn(_, 2, None))));
}

#[test]
fn new_words_are_noticed() {
    let usual = "Look at NAS: no\n---------------\n\nSince:       2026-11-23 22:55:40 UTC\n";
    let unread = |subject: &str, text: &str| read(subject, text, &known()).unread;
    assert!(unread("[HealthChecker] NAS is UNHEALTHY", usual).is_empty());
    for subject in [
        "NAS is UNHEALTHY",
        "[HealthChecker] NAS is still as UNHEALTHY",
        "[HealthChecker] Power is back: 9 of 11 are well, not NAS, TV box",
        "[HealthChecker] Power came back: 9 of 11 were well, not NAS, TV box",
        "[HealthChecker] NAS is UNHEALTHY and more",
        "[HealthChecker] NAS is UNHEALTHY, also",
    ] {
        assert_eq!(unread(subject, usual).first().map(String::as_str), Some(subject));
    }
    for (old, new) in [
        ("Since:   ", "Because: "),
        ("---\n\n", "---\n\nIt has been so for a while.\n\n"),
        ("---\n\nS", "---\n\nChanged:     lately\nS"),
        ("Look at NAS: no\n", "NAS is broken..\n"),
        ("Look at NAS:", "Look at Git:"),
        ("-\n\n", "\n\n"),
        ("UTC\n", "UTC\n\nWhat happened, in order:\n- NAS broke\n"),
    ] {
        let text = usual.replacen(old, new, 1);
        assert!(!unread("[HealthChecker] NAS is UNHEALTHY", &text).is_empty(), "{text}");
    }
}

/// These apps, which are silent in one place; those before the bar are UNHEALTHY.
fn silent(apps: &[&str], unhealthy: usize, host: Option<&str>, parent: Option<&str>) -> Outage {
    let (host, parent) = (host.map(str::to_owned), parent.map(str::to_owned));
    let silent = |(place, app): (usize, &&str)| Silent {
        app: (*app).to_owned(),
        unhealthy: place < unhealthy,
        failures: 2,
        since: stamp(0),
        reason: "no answer within 5 s".to_owned(),
    };
    let apps = apps.iter().enumerate().map(silent).collect();
    let groups = vec![Group { host, host_lives: false, outside: false, parent, apps }];
    Outage {
        at: stamp(60),
        groups,
        more: false,
        keeps_failing: false,
        still: false,
        recent: vec![],
    }
}

/// Alone, and in a list with another: what the subject says is in the text.
fn both_ways(outage: Outage) -> (Reading, Reading) {
    let notice = Notice::Outage(Box::new(outage));
    let alone = read_at(&mail(vec![notice.clone()]), 61);
    let end = Notice::Change(change("TV =?x", State::Healthy, 0));
    let listed = read_at(&mail(vec![notice, end]), 61);
    for reading in [&alone, &listed] {
        let line = &reading.subject.outages[0];
        assert!(line.is_of(&reading.outages[0]), "{line:?} {:?}", reading.outages[0]);
    }
    assert!(matches!(&listed.list[0].tells, Tells::Outage(line) if line.is_of(&listed.outages[0])));
    (alone, listed)
}

#[test]
fn what_is_silent_behind_another() {
    let behind = |parent: usize, text: &str| Place::Behind(named(parent, text));
    let three = ["NAS", "Kodi, upstairs", "TV =?x"];
    let (alone, _) = both_ways(silent(&three, 2, None, Some("NAS")));
    let full = &alone.outages[0];
    assert_eq!((full.apps, &full.place), (2, &behind(0, "NAS")), "what they are behind apart");
    assert_eq!(full.silent.len(), 3);
    assert_eq!((alone.subject.outages[0].unhealthy, alone.subject.outages[0].silent), (2, 1));
    // To whom the parent is not told.
    let (alone, _) = both_ways(silent(&three[1..], 2, None, Some("NAS")));
    assert_eq!(alone.subject.outages[0].place, behind(0, "NAS"));
    assert_eq!(alone.outages[0].silent[0].place, behind(0, "NAS"));
    for unhealthy in [1, 2] {
        both_ways(silent(&three[..2], unhealthy, None, Some("NAS")));
        both_ways(silent(&three[1..], unhealthy, None, Some("A is UNHEALTHY (no)")));
    }
    both_ways(silent(&three[1..2], 1, None, Some("NAS")));
}

#[test]
fn what_comes_and_goes_on_a_host() {
    let once = silent(&["NAS", "Kodi, upstairs"], 2, Some("10.0.0.2"), None);
    let again = Outage { keeps_failing: true, ..once.clone() };
    for (outage, keeps_failing) in [(once, false), (again, true)] {
        let (alone, listed) = both_ways(outage);
        assert_eq!([&alone, &listed].map(|it| it.outages[0].keeps_failing), [keeps_failing; 2]);
    }
}

#[test]
fn a_reminder() {
    let three = ["NAS", "Kodi, upstairs", "A is UNHEALTHY (no)"];
    let still = |apps: &[&str], host: Option<&str>, parent: Option<&str>| {
        let outage = silent(apps, apps.len(), host, parent);
        both_ways(Outage { still: true, ..outage })
    };
    for count in 1..=3 {
        for (host, parent) in [(None, None), (Some("10.0.0.2"), None), (None, Some("NAS"))] {
            let (alone, listed) = still(&three[..count], host, parent);
            let full = &alone.outages[0];
            assert_eq!((full.apps as usize, full.how, full.within), (count, News::Still, None));
            let line = &alone.subject.outages[0];
            assert_eq!((line.how, line.unhealthy as usize), (News::Still, count));
            assert_eq!(line.named.names[0], named(0, "NAS"));
            assert!(alone.subject.states.is_empty());
            assert_eq!(listed.outages[0].silent.len(), count);
        }
    }
}

#[test]
fn a_subject_may_end_within_how_many_more_there_are() {
    let subject = "[HealthChecker] The router 192.168.1.1 does not answer: 9 of 16 are well, not NAS and 3 mor…";
    let reading = read(subject, "", &known());
    assert_eq!((reading.unread.len(), reading.subject.cut), (1, true), "only the empty text");
    let missing = &reading.subject.reports[0].missing;
    assert_eq!((&missing.names[..], missing.cut), (&[named(0, "NAS")][..], true));
    let subject = "[HealthChecker] Power came back: 9 of 16 are well, not NAS and 6 more,…";
    let reading = read(subject, "", &known());
    assert_eq!((reading.unread.len(), reading.subject.cut), (1, true));
    assert_eq!(reading.subject.reports[0].missing.more, 6);
}

#[test]
fn a_report_and_a_reminder_of_the_same_app() {
    let still = Outage { still: true, ..silent(&["NAS"], 1, None, None) };
    for after in [Aftermath::RouterAway, Aftermath::Power] {
        let notices = vec![report(after, &["NAS"]), Notice::Outage(Box::new(still.clone()))];
        let reading = read_at(&mail(notices), 61);
        assert_eq!(reading.unread, [] as [&str; 0]);
        let subject = reading.subject;
        assert_eq!((subject.reports.len(), subject.outages.len(), subject.more), (1, 1, 0));
        assert!(subject.reports[0].is_of(&reading.reports[0]));
        assert!(subject.outages[0].is_of(&reading.outages[0]));
    }
}
