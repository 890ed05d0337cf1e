//! Lines of the health check log, in words.

use serde_json::Value;

use super::html::Html;
use crate::engine::time::{Wall, Zone};

/// Adds the lines as a list, the newest first.
pub(super) fn list(html: &mut Html, lines: &str, zone: &Zone) {
    html.raw("<ol class=\"log\" reversed>");
    for line in lines.lines().rev() {
        let Ok(line) = serde_json::from_str::<Value>(line) else { continue };
        let at = text(&line, "time");
        html.raw("<li><time class=\"soft\" datetime=\"").put(at).raw("\">");
        html.put(time(at, zone)).raw("</time><span>");
        html.put(sentence(&line)).raw("</span></li>");
    }
    html.raw("</ol>");
}

/// `2026-11-23T22:55:40.25Z` as people write it. What is no time stays as it is.
fn time(rfc3339: &str, zone: &Zone) -> String {
    let wall: Result<Wall, _> = rfc3339.parse();
    wall.map_or_else(|_| rfc3339.to_owned(), |wall| wall.for_people(zone))
}

fn sentence(line: &Value) -> String {
    let number = |name: &str| line.get(name).and_then(Value::as_u64).unwrap_or_default();
    let text = |name| text(line, name);
    match text("event") {
        "check" => {
            let uncounted = match line.get("counted") {
                Some(Value::Bool(false)) => ", not counted",
                _ => "",
            };
            let (outcome, ms) = (text("outcome"), number("latency_ms"));
            format!("{outcome} after {ms} ms: {}{uncounted}", text("reason"))
        }
        "hour" => format!(
            "Summary: {} passed, {} warned, {} failed; {} to {} ms, {} on average",
            number("pass"),
            number("warn"),
            number("fail"),
            number("min_ms"),
            number("max_ms"),
            number("mean_ms")
        ),
        "state" => format!("{} → {}: {}", text("from"), text("to"), text("reason")),
        "registered" => format!("Registered: {}", text("url")),
        "updated" => format!("Registered anew: {}", text("url")),
        "paused" => "Paused".to_owned(),
        "resumed" => "Resumed".to_owned(),
        "stopped" => "Watched no longer".to_owned(),
        other => other.to_owned(),
    }
}

fn text<'a>(line: &'a Value, name: &str) -> &'a str {
    line.get(name).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_told_in_words_newest_first() {
        let mut html = Html::default();
        list(
            &mut html,
            concat!(
                r#"{"time":"2026-11-23T22:55:40.25Z","appname":"a","event":"check","outcome":"fail","latency_ms":3,"reason":"<b>"}"#,
                "\nno JSON\n",
                r#"{"time":"2026-11-23T22:55:41Z","appname":"a","event":"state","from":"HEALTHY","to":"UNHEALTHY","reason":"r"}"#,
                "\n"
            ),
            &Zone::from_posix("CET-1").unwrap(),
        );
        let text = html.into_string();
        let state =
            text.find("2026-11-23 23:55:41 +01:00</time><span>HEALTHY → UNHEALTHY: r").unwrap();
        let check = text.find("23:55:40 +01:00</time><span>fail after 3 ms: &lt;b&gt;").unwrap();
        assert!(state < check);
        assert_eq!(text.matches("<li>").count(), 2);
    }
}
