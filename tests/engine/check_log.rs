//! The health check log: what is worth a line, and what a household costs the disk.

use serde_json::Value;

use super::world::{Answer, World};
use healthchecker::engine::check_log::Event;

const QUICK: [(&str, &str); 3] = [("interval", "5"), ("unhealthy", "2"), ("healthy", "2")];

/// Each line in short: `check fail 503`, `state HEALTHY UNHEALTHY`, `hour 719 0 1`, `paused`.
fn told(world: &World) -> Vec<String> {
    let lines = world.check_log.iter().map(|line| serde_json::to_value(line).unwrap());
    lines.map(|line| in_short(&line)).collect()
}

fn in_short(line: &Value) -> String {
    let fields: &[&str] = match line["event"].as_str().unwrap() {
        "check" => &["outcome", "http_status"],
        "state" => &["from", "to"],
        "hour" => &["pass", "warn", "fail"],
        "registered" | "updated" => &["url"],
        _ => &[],
    };
    let words = ["event"].iter().chain(fields).map(|field| match &line[field] {
        Value::String(text) => text.clone(),
        other => other.to_string(),
    });
    words.collect::<Vec<_>>().join(" ")
}

fn healthy() -> World {
    let mut world = World::new();
    world.register("NAS", &QUICK);
    world.seconds(60);
    world.check_log.clear();
    world
}

#[test]
fn the_life_of_an_app_is_told_once_each() {
    let mut world = World::new();
    world.register("NAS", &QUICK);
    world.seconds(60);
    world.register_again("NAS");
    world.answers("NAS", Answer::Fail);
    world.seconds(60);
    world.answers("NAS", Answer::Warn);
    world.seconds(60);
    world.answers("NAS", Answer::Pass);
    world.seconds(60);
    assert_eq!(
        told(&world),
        [
            "registered http://nas/health",
            "check pass 200",
            "state UNKNOWN HEALTHY",
            "check fail 200",
            "state HEALTHY UNHEALTHY",
            "check warn 200",
            "state UNHEALTHY DEGRADED",
            "check pass 200",
            "state DEGRADED HEALTHY",
        ]
    );
}

#[test]
fn a_lone_failure_is_in_the_log_though_it_changes_no_state() {
    let mut world = healthy();
    world.answers("NAS", Answer::Fail);
    world.one_check("NAS");
    world.answers("NAS", Answer::Pass);
    world.seconds(600);
    assert_eq!(told(&world), ["check fail 200", "check pass 200"]);
}

#[test]
fn silence_that_changes_its_reason_is_news() {
    let mut world = healthy();
    for answer in [Answer::Refused, Answer::Hang] {
        world.answers("NAS", answer);
        world.seconds(60);
    }
    let checks: Vec<Value> = world
        .check_log
        .iter()
        .map(|line| serde_json::to_value(line).unwrap())
        .filter(|line| line["event"] == "check")
        .collect();
    let reasons: Vec<&str> = checks.iter().map(|line| line["reason"].as_str().unwrap()).collect();
    assert_eq!(reasons, ["connection refused", "no answer"]);
    assert!(checks.iter().all(|line| line["http_status"].is_null()));
    assert!(checks[1]["latency_ms"].as_u64() >= Some(5_000));
}

#[test]
fn what_does_not_count_is_marked_and_not_summed_up() {
    let mut world = World::new();
    world.answers("NAS", Answer::Refused);
    world.register("NAS", &[("interval", "30")]);
    world.seconds(10);
    let line = serde_json::to_value(&world.check_log[1]).unwrap();
    assert_eq!((&line["outcome"], &line["counted"]), (&"fail".into(), &false.into()));
    world.stop("NAS");
    assert_eq!(told(&world)[2..], ["stopped"], "nothing counted, so there is no hour");
    assert!(serde_json::to_value(&world.check_log[0]).unwrap().get("counted").is_none());
}

#[test]
fn what_people_do_is_told_and_a_stop_sums_up_what_was() {
    let mut world = healthy();
    world.pause("NAS");
    world.pause("NAS");
    world.seconds(60);
    world.resume("NAS");
    world.seconds(2);
    world.register("NAS", &[("url", "http://other/"), ("interval", "5")]);
    world.seconds(2);
    world.stop("NAS");
    assert_eq!(
        told(&world),
        [
            "paused",
            "resumed",
            "state HEALTHY UNKNOWN",
            "check pass 200",
            "updated http://other/health",
            "check pass 200",
            "hour 15 0 0",
            "stopped",
        ],
        "the first check from UNKNOWN is a line each time"
    );
}

#[test]
fn an_hour_is_summed_up_app_by_app_in_the_order_of_their_names() {
    let mut world = World::new();
    for name in ["b", "a"] {
        world.register(name, &[("interval", "30")]);
    }
    world.answers("b", Answer::Slow(1_000));
    world.seconds(3590);
    world.check_log.clear();
    world.seconds(20);
    let lines: Vec<String> =
        world.check_log.iter().map(|line| serde_json::to_string(line).unwrap()).collect();
    assert_eq!(lines.len(), 2);
    assert!(lines[0].contains(r#""appname":"a","event":"hour","pass":12"#), "{lines:?}");
    assert!(lines[0].ends_with(r#""warn":0,"fail":0,"min_ms":5,"mean_ms":5,"max_ms":5}"#));
    assert!(lines[1].ends_with(r#""min_ms":1000,"mean_ms":1000,"max_ms":1000}"#), "{lines:?}");
}

#[test]
fn every_check_that_counts_is_in_one_hour() {
    let mut world = World::new();
    world.register("NAS", &QUICK);
    for answer in [Answer::Pass, Answer::Fail, Answer::Warn, Answer::Hang] {
        world.answers("NAS", answer);
        world.seconds(4_000);
    }
    world.orderly_stop();
    let counts = world.check_log.iter().filter_map(|line| match line.event {
        Event::Hour { pass, warn, fail, .. } => Some(u64::from(pass + warn + fail)),
        _ => None,
    });
    let info = world.engine.view().info(world.now, "NAS").unwrap();
    assert_eq!(counts.sum::<u64>(), info.app.checks);
}

#[test]
fn an_orderly_stop_sums_up_what_the_hour_has_brought() {
    let mut world = healthy();
    world.seconds(600);
    world.orderly_stop();
    assert_eq!(told(&world), ["hour 133 0 0"]);
}

#[test]
fn after_a_restart_the_first_check_is_a_line() {
    let mut world = healthy();
    world.restart();
    world.seconds(60);
    assert_eq!(told(&world), ["check pass 200"]);
}

#[test]
fn a_check_without_a_verdict_is_no_line() {
    let mut world = healthy();
    world.answers("NAS", Answer::NoVerdict);
    world.seconds(600);
    assert!(world.check_log.is_empty());
}

#[test]
fn a_hundred_quiet_apps_cost_a_third_of_a_mebibyte_a_day() {
    let mut world = World::new();
    for number in 0..100 {
        world.register(&format!("app{number}"), &[("interval", "30")]);
    }
    world.seconds(2 * 3600);
    world.check_log.clear();
    world.seconds(24 * 3600);
    let lines = world.check_log.iter().map(|line| serde_json::to_string(line).unwrap().len() + 1);
    assert_eq!(lines.len(), 24 * 100);
    let bytes: usize = lines.sum();
    assert!(bytes < (1 << 20) / 3, "{bytes} bytes a day");
    assert!(world.check_log.iter().all(|line| !line.is_urgent()), "nothing to be hurried");
}
