//! What is read of bodies, as apps write them.

use proptest::prelude::*;

use super::*;

fn says(text: &str, cut: bool) -> Option<Health<'_>> {
    match read(text, cut) {
        Reading::Says(health) => Some(health),
        Reading::Broken | Reading::Nothing => None,
    }
}

fn outcome(text: &str) -> Option<Outcome> {
    says(text, false).map(|health| health.outcome)
}

fn cause(text: &str) -> Option<String> {
    says(text, false).and_then(|health| health.cause)
}

#[test]
fn every_word_is_known_in_any_case() {
    for (words, meant) in [
        (["pass", "ok", "up"], Outcome::Pass),
        (["warn", "WARN", " Warn\\n"], Outcome::Warn),
        (["fail", "error", "down"], Outcome::Fail),
    ] {
        for word in words {
            for word in [word.to_owned(), word.to_uppercase().replace("\\N", "\\n")] {
                let text = format!(r#" {{"status": "{word}"}} "#);
                assert_eq!(outcome(&text), Some(meant), "{text}");
            }
        }
    }
}

#[test]
fn what_is_no_health_json_says_nothing() {
    for text in [
        "",
        "ok",
        "fail",
        r#""fail""#,
        "[]",
        r#"[{"status":"fail"}]"#,
        "{}",
        r#"{"status":"sleeping"}"#,
        r#"{"status":503}"#,
        r#"{"status":null}"#,
        r#"{"status":["fail"]}"#,
        r#"{"status":{"status":"fail"}}"#,
        r#"{"checks":{"a":[{"status":"fail"}]}}"#,
    ] {
        assert_eq!(read(text, false), Reading::Nothing, "{text}");
    }
}

#[test]
fn the_status_decides_as_long_as_it_can_be_read() {
    for text in [
        r#"{"status":"fail","output":"cannot read Gr\udcf6.mkv"}"#,
        r#"{"output":"\udcf6","status":"fail"}"#,
        r#"{"status":"fail","checks":{"load":[{"observedValue":NaN,"status":"fail"}]}}"#,
        r#"{"checks":{"load":[{"observedValue":-Infinity}]},"status":"fail"}"#,
        r#"{"observedValue":1e999,"status":"fail"}"#,
        r#"{"checks":{"a":{"observedValue":1e999}},"status":"fail"}"#,
        r#"{"status":"fail","name":"C:\data"}"#,
        "{\"output\":\"a\nb\",\"status\":\"fail\"}",
        "{\"status\":\"fail\"}\0",
        "\0{\"status\":\"fail\"}\r\n\0\0\0",
        r#"{"status":"fail"} {"status":"pass"}"#,
        r#"{"status":"fail"}<br>Warning: deprecated"#,
        r#"{"checks":[1,],"status":"fail",}"#,
        r#"{'status': 'fail', 'since': None}"#,
        r#"{status: "fail"}"#,
        r#"{status: fail}"#,
        r#"{"Status":"Fail"}"#,
        r#"{"status":"fail""#,
        r#"{"status":"fail","output":"full"#,
        r#"{"status":"fail","checks":{"a":}}"#,
        r#"{"status":"fail" oops"#,
    ] {
        assert_eq!(outcome(text), Some(Outcome::Fail), "{text}");
    }
    let odd = r#"{"status":"fail","output":"cannot read Gr\udcf6.mkv","load":NaN}"#;
    let health = says(odd, false).unwrap();
    assert_eq!(health.cause.as_deref(), Some("cannot read Gr\u{fffd}.mkv"));
    let mended = "{\"status\":\"fail\",\"output\":\"cannot read Gr\u{fffd}.mkv\",\"load\":\"NaN\"}";
    assert_eq!(health.json.as_deref(), Some(mended), "what is shown is JSON");
    let value = r#"{"status":"fail","checks":{"load":{"status":"fail","observedValue":NaN}}}"#;
    assert_eq!(cause(value).as_deref(), Some("load: NaN "));
}

#[test]
fn what_breaks_off_before_its_status_is_told_apart() {
    for text in [r#"{"a":}"#, r#"{"a" 1,"status":"fail"}"#, "{", r#"{"a":1"#, "{% block %}"] {
        assert_eq!(read(text, false), Reading::Broken, "{text}");
    }
    assert_eq!(read(r#"{"a":1,"#, true), Reading::Nothing, "it is cut, not broken");
    assert_eq!(read(r#"{"a":NaN,"#, true), Reading::Nothing);
    assert_eq!(read(r#"{"a":},"#, true), Reading::Broken);
    assert_eq!(read(r#"{"status":"sleeping" oops"#, false), Reading::Nothing);
}

#[test]
fn asp_net_says_it_without_json() {
    assert_eq!(outcome("Degraded"), Some(Outcome::Warn));
    assert_eq!(outcome("Unhealthy\r\n"), Some(Outcome::Fail));
    for text in ["Healthy", "degraded", "UNHEALTHY", "Degraded since noon", "\"Degraded\""] {
        assert_eq!(read(text, false), Reading::Nothing, "{text}");
    }
    let page = r#"{"status":"Unhealthy","totalDuration":"00:00:00.05","entries":{"db":{"data":{},
        "description":"no connection","duration":"00:00:00.04","status":"Unhealthy","tags":[]},
        "disk":{"data":{},"description":"3 GB free","status":"Healthy"}}}"#;
    assert_eq!(cause(page).as_deref(), Some("db: no connection"));
}

#[test]
fn bare_texts_tell_why() {
    for (text, expected) in [
        (r#"{"status":"error","details":{"db":"connection lost"}}"#, "db: connection lost"),
        (
            r#"{"status":"error","error":{"db":"connection lost"},"details":{"db":"connection lost"}}"#,
            "db: connection lost",
        ),
        (
            r#"{"status":"error","error":["no disk"],"details":["no disk","no net"]}"#,
            "no disk, no net",
        ),
        (r#"{"status":"error","details":"connection lost"}"#, "connection lost"),
        (r#"{"status":"error","details":"connection lost","error":true}"#, "connection lost"),
        (r#"{"status":"fail","checks":{"disk":"ok","db":"fail","net":"down"}}"#, "db"),
        (r#"{"status":"fail","checks":{"disk":true,"db":false}}"#, "db: false"),
        (
            r#"{"status":"fail","checks":{"disk":{"status":"pass"},"db":["lost","again"]}}"#,
            "db: lost, db: again",
        ),
        (
            r#"{"status":"fail","checks":{"db":{"message":"lost"},"uptime":[{"observedValue":9}]}}"#,
            "db: lost",
        ),
        (r#"{"status":"fail","checks":{"db":{"status":"timed out"}}}"#, "db: timed out"),
        (r#"{"status":"fail","checks":{"db":{"status":"fail","details":"lost"}}}"#, "db: lost"),
        (r#"{"status":"fail","checks":{"a":"odd","db":{"status":"fail"}}}"#, "db"),
        (r#"{"status":"failed","reason":"no quorum"}"#, "no quorum"),
        (r#"{"status":"fail","data":{"title":"is required"}}"#, "title: is required"),
    ] {
        assert_eq!(cause(text).as_deref(), Some(expected), "{text}");
    }
    let long = format!(r#"{{"status":"fail","checks":[{}"x"]}}"#, r#""y","z","#.repeat(9_000));
    assert_eq!(cause(&long).as_deref(), Some("y, z, x"));
}

#[test]
fn only_the_root_decides() {
    let text = r#"{"status":"pass","checks":{"a":[{"status":"fail","output":"x"}]}}"#;
    assert_eq!(outcome(text), Some(Outcome::Pass));
    assert_eq!(outcome(r#"{"status":"pass","status":"fail"}"#), Some(Outcome::Fail));
    for other in ["null", "503", "\"sleeping\"", "{}"] {
        let text = format!(r#"{{"STATUS":{other},"status":"fail","Status":{other}}}"#);
        assert_eq!(outcome(&text), Some(Outcome::Fail), "{text}");
    }
}

#[test]
fn output_tells_why() {
    let text = r#"{"status":"fail","checks":{"a":{"status":"fail","output":"b"}},"output":"disk 98 % full"}"#;
    assert_eq!(cause(text).as_deref(), Some("disk 98 % full"));
    assert_eq!(cause(r#"{"status":"fail","output":""}"#), None);
    assert_eq!(cause(r#"{"status":"fail","output":{"a":[1]}}"#), None, "only a text is a sentence");
    for checks in ["true", "1", "-1", "0.5", "null"] {
        assert_eq!(cause(&format!(r#"{{"status":"fail","checks":{checks}}}"#)), None, "{checks}");
    }
}

#[test]
fn draft_02_has_details() {
    let text = r#"{"status":"fail","version":"1","releaseID":"1.2.2","notes":[""],"output":"",
        "details":{"cpu:utilization":[{"componentId":"1","node":1,"type":"system","status":"pass"},
        {"node":2,"observedValue":98.5,"observedUnit":"percent","status":"fail","output":""}]},
        "links":[{"rel":"about","uri":"http://a/"}],"serviceID":"f","description":"d"}"#;
    assert_eq!(cause(text).as_deref(), Some("cpu:utilization: 98.5 percent"));
}

#[test]
fn a_number_where_words_may_be_is_told_as_it_was_written() {
    for number in ["12", "-3", "0.5", "18446744073709551615"] {
        let text = format!(
            r#"{{"status":"fail","checks":{{"disk:free":{{"status":"fail","observedValue":{number},"observedUnit":"MB"}}}}}}"#
        );
        assert_eq!(cause(&text), Some(format!("disk:free: {number} MB")));
        let text = format!(r#"{{"status":"fail","error":{{"code":{number}}}}}"#);
        assert_eq!(cause(&text), None, "not ours to judge");
    }
    assert_eq!(
        cause(r#"{"status":"fail","checks":{"exit":{"error":127}}}"#).as_deref(),
        Some("exit: 127")
    );
}

#[test]
fn draft_06_has_checks() {
    let text = r#"{"status":"warn","releaseId":"1.2.2","links":{"about":"http://a/"},
        "checks":{"uptime":[{"status":"pass"}],
        "cassandra:responseTime":[{"status":"warn","output":"slow","affectedEndpoints":["/u"]}],
        "disk":[{"status":"fail","output":"98 % full"}]}}"#;
    assert_eq!(cause(text).as_deref(), Some("disk: 98 % full"));
}

#[test]
fn relatives_are_understood() {
    let spring = r#"{"status":"DOWN","components":{"disk":{"status":"UP"},
        "db":{"status":"DOWN","details":{"error":"no connection"}}}}"#;
    assert_eq!(cause(spring).as_deref(), Some("db: no connection"));
    let profile = r#"{"status":"DOWN","checks":[{"name":"a","status":"UP"},
        {"name":"queue","status":"DOWN","data":{"depth":9}}]}"#;
    assert_eq!(cause(profile).as_deref(), Some("queue"));
    let terminus = r#"{"status":"error","info":{},"error":{"redis":{"status":"down","message":"m"}},
        "details":{"redis":{"status":"down","message":"m"}}}"#;
    assert_eq!(cause(terminus).as_deref(), Some("redis: m"));
}

#[test]
fn what_was_seen_before_the_cut_counts() {
    let text = r#"{"status":"fail","checks":{"disk":[{"status":"fail","output":"full"}],"b":[{"#;
    for cut in [true, false] {
        let health = says(text, cut).unwrap();
        assert_eq!(health.outcome, Outcome::Fail);
        assert_eq!(health.cause.as_deref(), Some("disk: full"));
        assert_eq!(health.json, None, "what breaks off is no JSON");
    }
}

#[test]
fn thirty_thousand_brackets_do_no_harm() {
    let deep = "[".repeat(30_000) + &"]".repeat(30_000);
    assert_eq!(read(&deep, false), Reading::Nothing);
    for key in ["a", "checks", "output", "error"] {
        let text = format!(r#"{{"status":"fail","{key}":{deep}}}"#);
        assert_eq!(outcome(&text), Some(Outcome::Fail), "deep, but JSON");
    }
    for open in ["{\"checks\":", "{\"a\":", "["] {
        let text = format!(r#"{{"checks":{}"#, open.repeat(30_000));
        assert_eq!(read(&text, true), Reading::Nothing);
        assert_eq!(read(&text, false), Reading::Broken);
    }
}

fn any_json() -> impl Strategy<Value = serde_json::Value> {
    use serde_json::Value;
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        "[a-z]{0,6}".prop_map(Value::from),
    ];
    let key = prop_oneof![
        Just("status".to_owned()),
        Just("output".to_owned()),
        Just("checks".to_owned()),
        Just("details".to_owned()),
        "[a-z]{0,4}",
    ];
    leaf.prop_recursive(4, 32, 4, move |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::vec((key.clone(), inner), 0..4)
                .prop_map(|pairs| Value::Object(pairs.into_iter().collect())),
        ]
    })
}

proptest! {
    #[test]
    fn no_text_is_too_odd(text in any::<String>(), cut in any::<bool>()) {
        read(&text, cut);
    }

    #[test]
    fn the_root_status_decides_whatever_else_is_there(mut json in any_json()) {
        let said = json.get("status").and_then(|s| s.as_str()).and_then(meaning);
        prop_assert_eq!(outcome(&json.to_string()), said);
        if let Some(object) = json.as_object_mut() {
            object.insert("status".to_owned(), "Down".into());
            prop_assert_eq!(outcome(&json.to_string()), Some(Outcome::Fail));
        }
    }

    #[test]
    fn any_prefix_is_safe(json in any_json(), end in 0usize..200) {
        let text = json.to_string();
        read(text.get(..end).unwrap_or_default(), true);
    }
}
