//! Answers as text for people.

use std::time::Duration;

use serde_json::Value;

use super::layout::{self, table};
use crate::client::discovery::{Found, Survey};
use crate::engine::registration::table::in_json;
use crate::engine::registration::values::facts;
use crate::engine::text::plain::one_line;
use crate::engine::text::span::in_words;
use crate::engine::time::{Wall, Zone};

/// The widest that one cell may be: a name of the longest kind still fits.
const CELL_MAX: usize = 128;
/// The recent checks that `info` shows.
const RECENT: usize = 10;

/// These apps of what `status` answered, as a table.
pub(super) fn list(status: &Value, apps: &[Value], zone: &Zone, room: Option<usize>) -> String {
    let now = time(status.get("server").and_then(|server| server.get("time")));
    if apps.is_empty() {
        return "no apps are watched; register one with: healthchecker monitor NAME URL\n"
            .to_owned();
    }
    let mut rows = vec![
        ["NAME", "STATE", "SINCE", "LAST CHECK", "24 H", "ADDRESS"].map(str::to_owned).to_vec(),
    ];
    rows.extend(apps.iter().map(|app| {
        vec![
            cell(app, "appname"),
            state(app),
            age(app.get("since"), now, zone),
            unseen(app, zone).or_else(|| app.get("last_check").map(check)).unwrap_or_default(),
            percent(app.get("uptime_24h")),
            cell(app, "url"),
        ]
    }));
    table(&rows, room)
}

/// What `info` answered, a line for each thing.
pub(super) fn info(app: &Value, zone: &Zone) -> String {
    let last = app.get("last_check").filter(|last| !last.is_null());
    // A server of another version may leave something out.
    let values = in_json().into_iter();
    let values = values.filter_map(|field| Some((field, said(app.get(field.json_name)?))));
    let mut lines = vec![
        ("Name", cell(app, "appname")),
        (
            "State",
            unseen(app, zone).map_or_else(|| state(app), |why| format!("{}, {why}", state(app))),
        ),
        ("Since", when(app.get("since"), zone)),
        ("Quiet until", when(app.get("quiet_until"), zone)),
        ("Address", format!("{}{}", cell(app, "url").trim_end_matches('/'), cell(app, "path"))),
    ];
    lines.extend(facts(values.collect()));
    lines.extend([
        ("Checks", format!("{}, {} of them failed", cell(app, "checks"), cell(app, "failures"))),
        ("24 h", percent(app.get("uptime_24h"))),
        ("Healthy", when(app.get("last_healthy"), zone)),
        ("Cert. ends", when(app.get("certificate_ends"), zone)),
        (
            "Last check",
            last.map(|last| format!("{}  {}", when(last.get("time"), zone), check(last)))
                .unwrap_or_default(),
        ),
    ]);
    lines.retain(|(name, value)| {
        !matches!(*name, "Quiet until" | "Cert. ends") || !value.is_empty()
    });
    for line in &mut lines {
        if line.1.is_empty() {
            line.1.push('-');
        }
    }
    let mut text: String =
        lines.iter().map(|(name, value)| format!("{:<12}{value}\n", format!("{name}:"))).collect();
    let recent = array(app, "recent");
    let skipped = recent.len().saturating_sub(RECENT);
    for (n, check) in recent.iter().skip(skipped).enumerate() {
        let name = if n == 0 { "Recent:" } else { "" };
        let (time, outcome, latency) =
            (when(check.get("time"), zone), cell(check, "outcome"), cell(check, "latency_ms"));
        text.push_str(&format!("{name:<12}{time}  {outcome:<4}  {latency} ms\n"));
    }
    text
}

/// One line of the log.
pub(super) fn log_line(line: &Value, zone: &Zone) -> String {
    let event = cell(line, "event");
    let said = match event.as_str() {
        "check" => check(line),
        "hour" => format!(
            "{} pass, {} warn, {} fail, {} to {} ms",
            cell(line, "pass"),
            cell(line, "warn"),
            cell(line, "fail"),
            cell(line, "min_ms"),
            cell(line, "max_ms")
        ),
        "state" => {
            format!("{} -> {} ({})", cell(line, "from"), cell(line, "to"), cell(line, "reason"))
        }
        _ => cell(line, "url"),
    };
    let line =
        format!("{}  {}  {event}  {said}", when(line.get("time"), zone), cell(line, "appname"));
    format!("{}\n", line.trim_end())
}

/// Apps of an incident that are named in the table; JSON and the page have all.
const NAMED: usize = 5;

/// What `incidents` answered, as a table.
pub(super) fn incidents(answer: &Value, zone: &Zone) -> String {
    let all = array(answer, "incidents");
    if all.is_empty() {
        return "no incidents yet\n".to_owned();
    }
    let mut rows = vec![["BEGAN", "LASTED", "WHAT", "APPS", "TOLD"].map(str::to_owned).to_vec()];
    rows.extend(all.iter().map(|incident| {
        let lasted = match time(incident.get("ended")) {
            Some(ended) => age(incident.get("began"), Some(ended), zone),
            None => "open".to_owned(),
        };
        let mut apps: Vec<&Value> = array(incident, "apps").iter().collect();
        // Who is still unwell has a place before who is not.
        apps.sort_by_key(|app| cell(app, "state") == "HEALTHY");
        let more = apps.len().saturating_sub(NAMED);
        let apps = apps.iter().take(NAMED);
        let apps = apps.map(|app| format!("{} {}", cell(app, "appname"), cell(app, "state")));
        let more = (more > 0).then(|| format!("{more} more"));
        let told = array(incident, "told").iter().map(|told| cell(told, "email"));
        vec![
            when(incident.get("began"), zone),
            lasted,
            cell(incident, "cause"),
            apps.chain(more).collect::<Vec<_>>().join(", "),
            told.collect::<Vec<_>>().join(", "),
        ]
    }));
    table(&rows, layout::room())
}

/// What became of an app that is forgotten, and what to do if it does not stay away.
pub(super) fn stopped(done: &Value) -> String {
    let back = "if it registers itself (keep_registered, a start script) it comes back; then pause it instead";
    format!("{}{back}: healthchecker pause NAME\n", change(done))
}

/// What became of an app, or of the mails to an address.
pub(super) fn change(done: &Value) -> String {
    let about = if done.get("email").is_some() { "email" } else { "appname" };
    let mut text = format!("{}: {}\n", cell(done, about), cell(done, "result"));
    for warning in array(done, "warnings") {
        text.push_str(&format!("{}\n", clean(warning.as_str().unwrap_or_default())));
    }
    text
}

/// The daemons that were found.
pub(super) fn found(all: &[Found]) -> String {
    let mut rows = vec![["NAME", "VERSION", "ADDRESS"].map(str::to_owned).to_vec()];
    rows.extend(
        all.iter().map(|one| vec![clean(&one.instance), clean(&one.version), one.url.to_string()]),
    );
    table(&rows, layout::room())
}

/// What was heard in this time, and what it means.
pub(super) fn survey(survey: &Survey, listened: Duration) -> String {
    let mut text = if survey.found.is_empty() { String::new() } else { found(&survey.found) };
    for (name, urls) in &survey.silent {
        let urls: Vec<String> = urls.iter().map(ToString::to_string).collect();
        text.push_str(&format!(
            "{} is announced at {} and takes no connection: is it running, is a firewall in between?\n",
            clean(name),
            urls.join(", ")
        ));
    }
    let seconds = listened.as_secs();
    match (survey.found.is_empty() && survey.silent.is_empty(), survey.others) {
        (false, _) => {}
        (true, 0) => text.push_str(&format!(
            "nothing at all was heard in {seconds} s: multicast may not get through (a guest Wi-Fi, another \
             subnet, a VPN, a container, a firewall on UDP port 5353); name the server with --server\n"
        )),
        (true, others) => text.push_str(&format!(
            "nobody announces a HealthChecker server; {others} other things were heard in {seconds} s, so \
             multicast works: does the server run on this network, with announce=True?\n"
        )),
    }
    text
}

fn state(app: &Value) -> String {
    let paused = app.get("paused").and_then(Value::as_bool).unwrap_or(false);
    let quiet = app.get("quiet_until").is_some_and(|until| !until.is_null());
    let more = match (paused, quiet) {
        (true, _) => ", paused",
        (false, true) => ", quiet",
        (false, false) => "",
    };
    format!("{}{more}", cell(app, "state"))
}

/// Why nobody can tell how an app is, if it is so.
fn unseen(app: &Value, zone: &Zone) -> Option<String> {
    let since = |name: &str| Some(time(app.get(name))?.for_people(zone));
    let down =
        || Some(format!("not visible: our network is down since {}", since("not_visible_since")?));
    let settles =
        || Some(format!("settling since {}: has not answered yet", since("settling_since")?));
    down().or_else(settles)
}

/// Outcome, time and reason of a check, in a few words.
fn check(check: &Value) -> String {
    if check.is_null() {
        return String::new();
    }
    let (outcome, latency) = (cell(check, "outcome"), cell(check, "latency_ms"));
    let reason = cell(check, "reason");
    match outcome.as_str() {
        "pass" => format!("pass, {latency} ms"),
        _ => format!("{outcome}, {latency} ms: {reason}"),
    }
}

fn age(since: Option<&Value>, now: Option<Wall>, zone: &Zone) -> String {
    match (time(since), now) {
        (Some(since), Some(now)) => in_words(Duration::from_secs(now.since(since).as_secs())),
        _ => when(since, zone),
    }
}

fn when(value: Option<&Value>, zone: &Zone) -> String {
    time(value).map_or_else(String::new, |wall| wall.for_people(zone))
}

fn time(value: Option<&Value>) -> Option<Wall> {
    serde_json::from_value(value?.clone()).ok()
}

fn percent(part: Option<&Value>) -> String {
    part.and_then(Value::as_f64).map_or_else(String::new, |part| {
        let tenths = (part * 1000.0 + 0.5) as u64;
        format!("{}.{} %", tenths / 10, tenths % 10)
    })
}

fn array<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn cell(of: &Value, name: &str) -> String {
    of.get(name).map(scalar).unwrap_or_default()
}

/// A value as text; a list with commas.
fn said(value: &Value) -> String {
    match value {
        Value::Array(texts) => texts.iter().map(scalar).collect::<Vec<_>>().join(", "),
        one => scalar(one),
    }
}

fn scalar(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => clean(text),
        other => clean(&other.to_string()),
    }
}

/// Nothing from outside steers the terminal.
fn clean(text: &str) -> String {
    one_line(text, CELL_MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn all_apps_are_a_table() {
        let status = json!({
            "server": {"time": "2026-11-23T10:12:00Z"},
        });
        let apps = [
            json!({"appname": "NAS", "state": "UNHEALTHY", "since": "2026-11-23T10:00:00Z",
                 "paused": false, "uptime_24h": 0.9876, "url": "http://nas",
                 "last_check": {"outcome": "fail", "latency_ms": 3, "reason": "connection refused"}}),
            json!({"appname": "TV\u{1b}[2J", "state": "UNKNOWN", "since": "2026-11-23T10:11:55Z",
                 "paused": true, "uptime_24h": null, "url": "http://tv", "last_check": null}),
        ];
        assert_eq!(
            list(&status, &apps, &Zone::UTC, None),
            "\
NAME    STATE            SINCE   LAST CHECK                      24 H    ADDRESS
NAS     UNHEALTHY        12 min  fail, 3 ms: connection refused  98.8 %  http://nas
TV [2J  UNKNOWN, paused  5 s                                             http://tv
"
        );
        assert!(list(&status, &[], &Zone::UTC, None).starts_with("no apps"));
    }

    #[test]
    fn an_app_that_cannot_be_seen_says_why() {
        let app = |name: &str| {
            json!({"appname": "NAS", "state": "UNKNOWN", name: "2026-11-23T10:00:00Z",
                   "last_check": {"outcome": "fail", "latency_ms": 3, "reason": "no answer"}})
        };
        for (name, said) in [
            ("settling_since", "settling since 2026-11-23 10:00:00 UTC: has not answered yet"),
            ("not_visible_since", "not visible: our network is down since 2026-11-23 10:00:00 UTC"),
        ] {
            let app = app(name);
            let table = list(&json!({}), std::slice::from_ref(&app), &Zone::UTC, None);
            assert!(table.contains(said) && !table.contains("no answer"), "{table}");
            assert!(
                info(&app, &Zone::UTC).contains(&format!("State:      UNKNOWN, {said}\n")),
                "{}",
                info(&app, &Zone::UTC)
            );
        }
    }

    #[test]
    fn incidents_are_a_table() {
        let answer = json!({"incidents": [
            {"began": "2026-11-23T10:00:00Z", "ended": null, "cause": "power cut",
             "apps": [{"appname": "TV\u{1b}", "state": "UNHEALTHY"}, {"appname": "NAS", "state": "HEALTHY"}],
             "told": [{"email": "a@b.c"}]},
            {"began": "2026-11-22T10:00:00Z", "ended": "2026-11-22T10:12:00Z", "cause": "our restart",
             "apps": [], "told": []},
        ]});
        assert_eq!(
            incidents(&answer, &Zone::UTC),
            "\
BEGAN                    LASTED  WHAT         APPS                       TOLD
2026-11-23 10:00:00 UTC  open    power cut    TV UNHEALTHY, NAS HEALTHY  a@b.c
2026-11-22 10:00:00 UTC  12 min  our restart
"
        );
        assert_eq!(incidents(&json!({"incidents": []}), &Zone::UTC), "no incidents yet\n");
        let app = |state: &str, n| json!({"appname": format!("app{n}"), "state": state});
        let mut twelve: Vec<Value> = (0..11).map(|n| app("HEALTHY", n)).collect();
        twelve.push(app("UNHEALTHY", 11));
        let many = json!({"incidents": [{"cause": "power cut", "apps": twelve, "told": []}]});
        assert!(incidents(&many, &Zone::UTC).contains(
            " app11 UNHEALTHY, app0 HEALTHY, app1 HEALTHY, app2 HEALTHY, app3 HEALTHY, 7 more"
        ));
    }

    #[test]
    fn one_app_is_a_line_for_each_thing() {
        let text = info(
            &json!({
                "appname": "NAS", "url": "http://nas/", "path": "/health", "email": ["a@b.c"],
                "state": "HEALTHY", "since": "2026-11-23T10:00:00Z", "paused": false,
                "interval": 30, "timeout": 5, "unhealthy": 2, "healthy": 10, "checks": 12,
                "failures": 0, "uptime_24h": 1.0, "last_healthy": null, "last_check": null,
                "recent": [{"time": "2026-11-23T10:00:00Z", "outcome": "pass", "latency_ms": 7}],
            }),
            &Zone::from_posix("CET-1").unwrap(),
        );
        for line in [
            "Name:       NAS\n",
            "Address:    http://nas/health\n",
            "Checks:     12, 0 of them failed\n",
            "Healthy:    -\n",
            "Recent:     2026-11-23 11:00:00 +01:00  pass  7 ms\n",
        ] {
            assert!(text.contains(line), "{line}{text}");
        }
    }

    #[test]
    fn every_event_of_the_log_is_a_line() {
        let line = |event: Value| {
            let mut line = json!({"time": "2026-11-23T10:00:00Z", "appname": "NAS"});
            line.as_object_mut().unwrap().extend(event.as_object().unwrap().clone());
            log_line(&line, &Zone::UTC)
        };
        let begin = "2026-11-23 10:00:00 UTC  NAS  ";
        for (event, said) in [
            (json!({"event": "paused"}), "paused"),
            (
                json!({"event": "registered", "url": "http://nas/health"}),
                "registered  http://nas/health",
            ),
            (
                json!({"event": "state", "from": "UNKNOWN", "to": "HEALTHY", "reason": "x"}),
                "state  UNKNOWN -> HEALTHY (x)",
            ),
            (
                json!({"event": "check", "outcome": "pass", "latency_ms": 5, "reason": ""}),
                "check  pass, 5 ms",
            ),
            (
                json!({"event": "hour", "pass": 9, "warn": 0, "fail": 1, "min_ms": 2, "max_ms": 8}),
                "hour  9 pass, 0 warn, 1 fail, 2 to 8 ms",
            ),
        ] {
            assert_eq!(line(event), format!("{begin}{said}\n"));
        }
    }
}
