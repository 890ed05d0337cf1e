//! Letters as people read them, word for word, and what must hold for any input.

mod outages;

use std::time::Duration;

use proptest::prelude::*;

use super::*;
use crate::engine::outbox::notice::{AllBack, Change, Group, Notice, Outage, Silent};
use crate::engine::registry::history::RecentCheck;
use crate::engine::state::State;
use crate::engine::time::{Now, Stamp, Wall, Zone};
use crate::engine::verdict::answer::Outcome;

/// 2026-11-23 22:55:40 UTC.
const T0: i64 = 1_795_474_540_000;

/// So many seconds after, noted by the daemon that sends the mail.
fn wall(secs: i64) -> Stamp {
    let wall = Wall::from_unix_millis(T0 + secs * 1000);
    let at = Moment::START + Duration::from_secs(u64::try_from(3600 + secs).unwrap());
    Stamp::noted(Now { at, wall })
}

fn write(mail: &Mail, now: Stamp, status_url: Option<&str>) -> RenderedMail {
    super::write(mail, now.at().unwrap(), &Zone::UTC, status_url)
}

fn mail(notices: Vec<Notice>) -> Mail {
    Mail {
        references: vec!["m0".into()],
        ..Mail::new(1, Recipient::mail("owner@example.org"), "m1".into(), notices, wall(0))
    }
}

fn nas(to: State) -> Change {
    Change {
        app: "NAS".into(),
        url: "http://nas.example:8080/health".into(),
        from: State::Healthy,
        to,
        at: wall(0),
        since: wall(-30),
        lasted_ms: 30_000,
        lasted_at_least: false,
        keeps_failing: false,
        reason: "connection refused".into(),
        body: None,
        recent: vec![
            recent(-60, Outcome::Pass, 12),
            recent(-30, Outcome::Fail, 3),
            recent(0, Outcome::Fail, 5000),
        ],
    }
}

fn recovered(app: &str, at: i64) -> Change {
    Change {
        app: app.into(),
        from: State::Unhealthy,
        at: wall(at),
        lasted_ms: 12 * 60_000,
        reason: "HTTP 200 OK".into(),
        recent: vec![],
        ..nas(State::Healthy)
    }
}

fn recent(secs: i64, outcome: Outcome, latency_ms: u32) -> RecentCheck {
    RecentCheck { time: wall(secs), outcome, latency_ms }
}

fn watching(apps: &[&str]) -> Notice {
    Notice::Watching { apps: apps.iter().map(ToString::to_string).collect(), at: wall(0) }
}

fn subject(notices: Vec<Notice>) -> String {
    write(&mail(notices), wall(0), None).subject
}

#[test]
fn times_are_told_as_the_clocks_of_the_household_showed_them() {
    // The clocks went back at 01:00 UTC: an hour that was there twice.
    let at = |utc: &str| Stamp::on_record(utc.parse().unwrap());
    let check = |utc| RecentCheck { time: at(utc), outcome: Outcome::Fail, latency_ms: 3 };
    let change = Change {
        since: at("2026-10-25T00:59:30Z"),
        at: at("2026-10-25T01:00:30Z"),
        recent: vec![check("2026-10-25T00:59:30Z"), check("2026-10-25T01:00:30Z")],
        ..nas(State::Unhealthy)
    };
    let mail = mail(vec![Notice::Change(change)]);
    let in_zone = |rule| {
        let zone = Zone::from_posix(rule).unwrap();
        super::write(&mail, wall(0).at().unwrap(), &zone, None)
    };
    let letter = in_zone("CET-1CEST,M3.5.0,M10.5.0/3");
    for part in [
        "Since:       2026-10-25 02:59:30 +02:00\n",
        "Changed:     2026-10-25 02:00:30 +01:00, from HEALTHY\n",
        "  2026-10-25 02:59:30 +02:00  FAIL       3 ms\n",
        "  2026-10-25 02:00:30 +01:00  FAIL       3 ms\n",
    ] {
        assert!(letter.text.contains(part), "{part} in {}", letter.text);
    }
    assert!(letter.html.contains(">2026-10-25 02:59:30 +02:00</td>"), "{}", letter.html);
    // Tried again after a move: each try is written anew.
    let letter = in_zone("NST3:30NDT,M3.2.0,M11.1.0");
    assert!(letter.text.contains("Since:       2026-10-24 22:29:30 -02:30\n"), "{}", letter.text);
}

#[test]
fn an_alert_word_for_word() {
    let mut change = nas(State::Unhealthy);
    change.body = Some(r#"{"status":"fail","output":"disk <full>"}"#.into());
    let letter = write(&mail(vec![Notice::Change(change)]), wall(1), Some("http://pi.example/"));
    assert_eq!(letter.subject, "[HealthChecker] NAS is UNHEALTHY");
    assert_eq!(letter.to, "owner@example.org");
    assert_eq!(letter.references, ["m0"]);
    assert_eq!(
        letter.text,
        "\
Look at NAS: connection refused
-------------------------------

Since:       2026-11-23 22:55:10 UTC
Changed:     2026-11-23 22:55:40 UTC, from HEALTHY
Address:     http://nas.example:8080/health

Last checks, newest last:
  2026-11-23 22:54:40 UTC  pass      12 ms
  2026-11-23 22:55:10 UTC  FAIL       3 ms
  2026-11-23 22:55:40 UTC  FAIL    5000 ms

The app says:
- disk <full>

Its answer in full:
> {\"status\":\"fail\",\"output\":\"disk <full>\"}

All apps: http://pi.example/
"
    );
    for part in [
        "<title>[HealthChecker] NAS is UNHEALTHY</title>",
        "border-left: 5px solid #d93025; padding-left: 10px\">\nLook at NAS: connection refused</h2>",
        "<td style=\"word-break: break-word\">\nhttp://nas.example:8080/health</td>",
        "<td style=\"text-align: right\">5000 ms</td>",
        "<li>\ndisk &lt;full&gt;</li>",
        "{&quot;status&quot;:&quot;fail&quot;,&quot;output&quot;:&quot;disk &lt;full&gt;&quot;}",
        "<a href=\"http://pi.example/\">\nhttp://pi.example/</a>",
    ] {
        assert!(letter.html.contains(part), "{part} in {}", letter.html);
    }
}

#[test]
fn a_recovery_that_waited_word_for_word() {
    let change = recovered("NAS", 0);
    let letter = write(&mail(vec![Notice::Change(change)]), wall(31 * 60 + 5), None);
    assert_eq!(letter.subject, "[HealthChecker] NAS is HEALTHY again after 12 min");
    assert_eq!(
        letter.text,
        "\
This mail waited 31 min: it was written at 2026-11-23 22:55:40 UTC and could not be sent before.

NAS is HEALTHY again after 12 min
---------------------------------

Last check:  HTTP 200 OK
Alert since: 2026-11-23 22:55:10 UTC
Changed:     2026-11-23 22:55:40 UTC, from UNHEALTHY
Address:     http://nas.example:8080/health
"
    );
}

#[test]
fn what_was_overtaken_is_told_in_order() {
    let notices = vec![
        Notice::Change(nas(State::Unhealthy)),
        watching(&["Heating"]),
        Notice::Change(Change { app: "Kodi".into(), ..nas(State::Degraded) }),
        Notice::Change(recovered("NAS", 720)),
    ];
    let letter = write(&mail(notices), wall(60), None);
    assert_eq!(
        letter.subject,
        "[HealthChecker] 3 changes: Kodi is DEGRADED, NAS is HEALTHY again after 12 min, now watching Heating"
    );
    let start = "\
What happened, in order:
- 2026-11-23 22:55:40 UTC: NAS is UNHEALTHY (connection refused)
- 2026-11-23 22:55:40 UTC: now watching Heating
- 2026-11-23 22:55:40 UTC: Kodi is DEGRADED (connection refused)
- 2026-11-23 23:07:40 UTC: NAS is HEALTHY again after 12 min

Kodi is DEGRADED
----------------

Its last checks failed, too few yet to call it UNHEALTHY.

Reason:      connection refused
";
    assert!(letter.text.starts_with(start), "{}", letter.text);
    assert_eq!(letter.text.matches("\nNAS is UNHEALTHY\n").count(), 0, "told in the list only");
    assert!(letter.text.contains("\nNAS is HEALTHY again after 12 min\n-----"));
}

#[test]
fn an_app_that_does_not_answer_is_not_said_to() {
    let said = |from: State, outcomes: &[Outcome]| {
        let recent = outcomes.iter().map(|outcome| recent(0, *outcome, 1)).collect();
        let change = Change { from, recent, ..nas(State::Degraded) };
        write(&mail(vec![Notice::Change(change)]), wall(0), None).text
    };
    let refuses = said(State::Healthy, &[Outcome::Pass, Outcome::Fail, Outcome::Fail]);
    assert!(refuses.contains("\nIts last checks failed, too few yet to call it UNHEALTHY.\n"));
    assert!(!refuses.contains("It answers"), "{refuses}");
    let warns = said(State::Healthy, &[Outcome::Fail, Outcome::Warn]);
    assert!(warns.contains("\nIt answers, but not always well.\n"), "{warns}");
    let better = said(State::Unhealthy, &[Outcome::Pass, Outcome::Warn]);
    assert!(better.contains("\nIt answers again, but not always well.\n"), "{better}");
    assert!(!said(State::Healthy, &[]).contains("answers"), "nothing is known of its checks");
}

#[test]
fn a_welcome_of_very_many_counts_those_that_it_has_no_room_for() {
    let welcome = Mail { left_out: 2000, ..mail(vec![watching(&["Kodi", "NAS"])]) };
    let letter = write(&welcome, wall(0), None);
    assert_eq!(letter.subject, "[HealthChecker] Now watching Kodi, NAS and 2000 more");
    assert!(letter.text.starts_with("Now watching Kodi, NAS and 2000 more\n"), "{}", letter.text);
}

#[test]
fn a_change_that_is_told_late_does_not_say_from_what() {
    let late = Change { from: State::Unhealthy, ..nas(State::Unhealthy) };
    let letter = write(&mail(vec![Notice::Change(late)]), wall(3600), None);
    assert!(letter.text.contains("\nChanged:     2026-11-23 22:55:40 UTC\n"), "{}", letter.text);
}

#[test]
fn subjects() {
    assert_eq!(subject(vec![watching(&["Kodi", "NAS"])]), "[HealthChecker] Now watching Kodi, NAS");
    assert_eq!(subject(vec![Notice::Test { at: wall(0) }]), "[HealthChecker] Test mail");
    assert_eq!(
        subject(vec![Notice::Change(nas(State::Degraded)), watching(&["Kodi"])]),
        "[HealthChecker] NAS is DEGRADED, now watching Kodi"
    );
    // An alert and its recovery: the news is that all is well again.
    assert_eq!(
        subject(vec![Notice::Change(nas(State::Unhealthy)), Notice::Change(recovered("NAS", 720))]),
        "[HealthChecker] NAS is HEALTHY again after 12 min"
    );
    // The bad news come first; what finds no room is counted.
    let mut notices: Vec<Notice> =
        (0..9).map(|i| Notice::Change(recovered(&format!("App {i}"), i))).collect();
    notices.push(Notice::Change(nas(State::Unhealthy)));
    assert_eq!(
        subject(notices),
        "[HealthChecker] 10 changes: NAS is UNHEALTHY, App 0 is HEALTHY again after 12 min and 8 more"
    );
}

#[test]
fn what_keeps_failing_says_so_and_when_the_next_mail_comes() {
    let change = Change { keeps_failing: true, ..nas(State::Unhealthy) };
    let letter = write(&mail(vec![Notice::Change(change)]), wall(0), None);
    assert_eq!(letter.subject, "[HealthChecker] NAS keeps failing");
    let start = "\
Look at NAS: connection refused
-------------------------------

It was HEALTHY only shortly before. But for reminders, the next mail of it comes when it is HEALTHY and stays so for a while.

Since:       2026-11-23 22:55:10 UTC
";
    assert!(letter.text.starts_with(start), "{}", letter.text);
    let change = Change { keeps_failing: true, ..nas(State::Degraded) };
    let letter = write(&mail(vec![Notice::Change(change)]), wall(0), None);
    let promise = "comes when it is UNHEALTHY, or HEALTHY and stays so for a while.";
    assert!(letter.text.contains(promise), "{}", letter.text);
}

#[test]
fn greetings_word_for_word() {
    let letter = write(&mail(vec![watching(&["Kodi", "NAS"])]), wall(10), None);
    assert_eq!(
        letter.text,
        "\
Now watching Kodi, NAS
----------------------

Their first checks passed, the earliest at 2026-11-23 22:55:40 UTC. Mail works, as you see: another one comes when one of them is DEGRADED or UNHEALTHY.
"
    );
    let one = write(&mail(vec![watching(&["Kodi"])]), wall(10), None).text;
    assert!(
        one.contains("Its first check passed at ") && one.contains("comes when it is DEGRADED")
    );
    let letter = write(&mail(vec![Notice::Test { at: wall(0) }]), wall(1), None);
    assert_eq!(
        letter.text,
        "\
Mail works
----------

This test mail was asked for at 2026-11-23 22:55:40 UTC. When an app needs you, its mail comes this way, too.
"
    );
}

#[test]
fn only_a_web_address_is_linked() {
    for url in ["javascript:alert(1)", "http://a/\r\nb", "http://a/\u{202e}"] {
        let letter = write(&mail(vec![Notice::Test { at: wall(0) }]), wall(1), Some(url));
        assert!(!letter.html.contains("<a "), "{url}");
    }
}

/// Whatever an app, a server or a network may put into a text: with a liking for trouble.
fn hostile() -> impl Strategy<Value = String> {
    let nasty = prop::sample::select(vec![
        "<script>alert(1)</script>",
        "\" onload=\"x",
        "</td>",
        "&amp;",
        "\r\nBcc: a@b.c",
        "\u{202e}",
        "\u{1b}[2J",
        "\0",
        "\u{2028}",
        "ä",
        "🦀",
        "'",
        "{\"output\":\"<b>\"}",
        "=?utf-8?b?4oCuZXZpbA==?=",
    ]);
    let chunk = prop_oneof![nasty.prop_map(str::to_owned), any::<String>(), "[a-z<>&]{0,2000}"];
    prop::collection::vec(chunk, 0..4).prop_map(|chunks| chunks.concat())
}

fn any_notice() -> impl Strategy<Value = Notice> {
    let states = [State::Unknown, State::Healthy, State::Degraded, State::Unhealthy];
    let state = prop::sample::select(states.to_vec());
    let change = (hostile(), hostile(), hostile(), hostile(), state, any::<i64>(), any::<u64>())
        .prop_map(|(app, url, reason, body, to, at, lasted_ms)| {
            let at = Stamp::on_record(Wall::from_unix_millis(at));
            let body = Some(body);
            Notice::Change(Change { app, url, reason, body, at, lasted_ms, ..nas(to) })
        });
    let watching = prop::collection::vec(hostile(), 0..5)
        .prop_map(|apps| Notice::Watching { apps, at: wall(0) });
    let silent = (hostile(), hostile(), any::<bool>(), 0..4u32).prop_map(
        |(app, reason, unhealthy, failures)| Silent {
            app,
            reason,
            unhealthy,
            failures,
            since: wall(-30),
        },
    );
    let shown = (any::<bool>(), any::<bool>());
    let place = (prop::option::of(hostile()), prop::option::of(hostile()), shown);
    let group = (place, prop::collection::vec(silent, 0..4)).prop_map(
        |((host, parent, (host_lives, outside)), apps)| Group {
            host,
            host_lives,
            outside,
            parent,
            apps,
        },
    );
    let outage = (prop::collection::vec(group, 0..3), any::<bool>()).prop_map(|(groups, more)| {
        let recent = vec![recent(-30, Outcome::Fail, 3)];
        Notice::Outage(Box::new(Outage {
            at: wall(0),
            groups,
            more,
            keeps_failing: false,
            still: false,
            recent,
        }))
    });
    prop_oneof![
        4 => change,
        2 => outage,
        1 => watching,
        1 => Just(Notice::Test { at: wall(0) }),
    ]
}

/// The same notice with `<` and `>` as harmless characters of the same length.
fn tamed(notice: &Notice) -> Notice {
    let tame = |text: &str| text.replace('<', "(").replace('>', ")");
    match notice {
        Notice::Change(it) => Notice::Change(Change {
            app: tame(&it.app),
            url: tame(&it.url),
            reason: tame(&it.reason),
            body: it.body.as_deref().map(tame),
            ..it.clone()
        }),
        Notice::Watching { apps, at } => {
            Notice::Watching { apps: apps.iter().map(|app| tame(app)).collect(), at: *at }
        }
        Notice::Outage(outage) => {
            let mut outage = outage.clone();
            outage
                .groups
                .iter_mut()
                .filter_map(|group| group.host.as_mut())
                .for_each(|it| *it = tame(it));
            outage.apps_mut().for_each(|it| {
                (it.app, it.reason) = (tame(&it.app), tame(&it.reason));
            });
            Notice::Outage(outage)
        }
        test => test.clone(),
    }
}

#[test]
fn a_mail_without_names_tells_all_the_same_how_many_apps_are_how() {
    let (nas, down) = (nas(State::Healthy), nas(State::Unhealthy));
    let tv = Change { app: "TV".into(), ..down.clone() };
    let changes = [down, tv, nas].map(Notice::Change).to_vec();
    let letter = write(&Mail { nameless: true, ..mail(changes) }, wall(0), None);
    let said = format!("{} {} {}", letter.subject, letter.text, letter.html);
    assert!(!said.contains("NAS") && !said.contains("TV") && !said.contains("://"), "{said}");
    assert!(letter.subject.contains("app 2 is UNHEALTHY"), "{}", letter.subject);
    assert!(letter.text.contains("so they have numbers here"), "{}", letter.text);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn no_input_escapes_its_place(
        notices in prop::collection::vec(any_notice(), 1..5), now in -3600..i64::from(i32::MAX), url in hostile()
    ) {
        // Short enough to be a link however it is escaped.
        let url = format!("http://{}", url.chars().take(80).collect::<String>());
        let tame: Vec<Notice> = notices.iter().map(tamed).collect();
        let letter = write(&mail(notices), wall(now), Some(&url));

        prop_assert!(letter.subject.chars().count() <= subject::MAX_SUBJECT);
        prop_assert!(!letter.subject.chars().any(char::is_control));
        prop_assert!(!letter.subject.contains("=?"), "{} would be decoded", letter.subject);
        for body in [&letter.text, &letter.html] {
            prop_assert!(!body.chars().any(|c| c != '\n' && c.is_control()));
            let turned = body.contains(['\u{202e}', '\u{2028}', '\u{2066}']);
            prop_assert!(!turned);
            prop_assert!(body.lines().all(|line| line.len() <= plain::MAX_LINE));
        }
        let tame = write(&mail(tame), wall(now), Some(&url.replace('<', "(")));
        prop_assert_eq!(letter.html.matches('<').count(), tame.html.matches('<').count());
    }
}

#[test]
fn a_mail_is_bounded_whatever_waited() {
    let long = "<&ä".repeat(20_000);
    let notices = (0..500)
        .map(|i| {
            let (app, body) = (format!("{i}{long}"), Some(long.clone()));
            let recent = vec![recent(0, Outcome::Fail, u32::MAX); 500];
            let (url, reason) = (long.clone(), long.clone());
            Notice::Change(Change { app, url, reason, body, recent, ..nas(State::Unhealthy) })
        })
        .collect();
    let letter = write(&mail(notices), wall(0), None);
    // A mailbox is asked to take no more than a photo's worth of trouble.
    assert!(letter.text.len() < 256 * 1024, "{}", letter.text.len());
    assert!(letter.html.len() < 512 * 1024, "{}", letter.html.len());
}
