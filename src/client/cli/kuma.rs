//! A backup of Uptime Kuma 1.x (Settings, Backup, Export), read as registrations.
//!
//! Its format is what that program writes: an object with `version` and `monitorList`; in it, for each monitor,
//! `name`, `type`, `url` or `hostname` and `port`, `interval`, `timeout`, `maxretries`, `accepted_statuscodes`, `active`.

use serde_json::{Map, Value, json};
use url::Url;

use super::backup::Document;
use super::record::Record;
use crate::engine::registration::Kind;
use crate::engine::registration::spec::Takes;
use crate::engine::registration::table::field;
use crate::engine::registration::url_text::shown_url;

/// A backup is no larger: it has no history in it, and a household has no thousand monitors.
const BACKUP_MAX: usize = 1024 * 1024;

/// Reads a backup; `None` if the document is something else.
///
/// # Errors
/// It is too large.
pub(super) fn read(text: &str) -> Option<Result<Document, String>> {
    // Found out without reading all of it: an export of ours may be larger.
    if !text.contains("\"monitorList\"") {
        return None;
    }
    if text.len() > BACKUP_MAX {
        return Some(Err(format!("more than {BACKUP_MAX} bytes, which no list of monitors has")));
    }
    let document: Value = serde_json::from_str(text.trim_start_matches('\u{feff}')).ok()?;
    let monitors = document.get("monitorList")?.as_array()?;
    let mut backup = Document { apps: Vec::new(), remarks: Vec::new() };
    let mut taken: Vec<String> = Vec::new();
    for monitor in monitors {
        let mut remarks = Vec::new();
        let named = monitor.get("name").and_then(Value::as_str);
        let appname = free_name(named.unwrap_or_default(), &taken);
        match app(monitor, &appname, &mut remarks) {
            Ok(app) => {
                if appname != named.unwrap_or_default() {
                    remarks.push(format!("another has this name, so it is '{appname}' here"));
                }
                backup.apps.push(app);
                taken.push(appname);
            }
            Err(why) => remarks.push(format!("not taken over: {why}")),
        }
        let name = named.unwrap_or("a monitor without a name");
        backup.remarks.extend(remarks.iter().map(|remark| format!("{name}: {remark}")));
    }
    Some(Ok(backup))
}

/// A name that none before has: there several monitors may have one, here the last would take the place of the others.
fn free_name(name: &str, taken: &[String]) -> String {
    let numbered = (2..).map(|number| format!("{name} ({number})"));
    let mut names = std::iter::once(name.to_owned()).chain(numbered);
    names.find(|name| !taken.contains(name)).unwrap_or_default()
}

fn app(monitor: &Value, appname: &str, remarks: &mut Vec<String>) -> Result<Record, String> {
    let text = |name: &str| monitor.get(name).and_then(Value::as_str).unwrap_or_default();
    let is_on = |name: &str| is_true(monitor.get(name));
    if is_on("upsideDown") {
        return Err("it is upside down: well as long as nobody answers".to_owned());
    }
    let mut fields = Map::new();
    fields.insert("appname".to_owned(), json!(appname));
    match text("type") {
        "http" | "keyword" => {
            if !matches!(text("method"), "" | "GET") {
                return Err(format!("it asks by {}, we by GET", text("method")));
            }
            put_web_address(&mut fields, text("url"))?;
            put_codes(&mut fields, monitor);
            put_login(&mut fields, monitor, remarks);
            if is_on("invertKeyword") {
                return Err("it looks for a text that must not be there".to_owned());
            }
            if !text("keyword").is_empty() {
                fields.insert("contains".to_owned(), json!(text("keyword")));
            }
            if !text("headers").is_empty() {
                remarks.push("its headers are not sent".to_owned());
            }
            if is_on("ignoreTls") {
                fields.insert("tls".to_owned(), json!("off"));
            }
        }
        "port" => {
            let port = monitor.get("port").filter(|port| !port.is_null());
            let port = port.ok_or("it names no port")?.to_string();
            let port = port.trim_matches('"');
            fields.insert(
                "url".to_owned(),
                json!(format!("tcp://{}:{port}", host(text("hostname")))),
            );
        }
        "ping" => {
            fields.insert("url".to_owned(), json!(format!("ping://{}", host(text("hostname")))));
        }
        "push" => {
            fields.insert("kind".to_owned(), json!(Kind::Beat.word()));
            remarks.push("its job is to call /healthchecker/beat from now on".to_owned());
        }
        other => return Err(format!("nothing here checks what it calls '{other}'")),
    }
    let is_beat = text("type") == "push";
    let retries = whole(monitor, "maxretries").map(|retries| retries.saturating_add(1));
    for (name, value) in [
        ("interval", whole(monitor, "interval")),
        ("timeout", whole(monitor, "timeout").filter(|timeout| *timeout > 0 && !is_beat)),
        ("unhealthy", retries),
    ] {
        put_whole(&mut fields, name, value, is_beat, remarks);
    }
    fields.insert("paused".to_owned(), json!(monitor.get("active").is_some() && !is_on("active")));
    Ok(Record::new(fields))
}

fn put_web_address(fields: &mut Map<String, Value>, url: &str) -> Result<(), String> {
    let parsed = Url::parse(url).map_err(|why| format!("its address {}: {why}", shown_url(url)))?;
    if !parsed.username().is_empty() || parsed.password().is_some() {
        return Err("a login stands in its address; here it is a field of its own, auth".to_owned());
    }
    let mut path = parsed.path().to_owned();
    if let Some(query) = parsed.query() {
        path.push('?');
        path.push_str(query);
    }
    fields.insert("url".to_owned(), json!(parsed.origin().ascii_serialization()));
    fields.insert("path".to_owned(), json!(path));
    Ok(())
}

/// The login that it shows, if it is one that we know how to show.
fn put_login(fields: &mut Map<String, Value>, monitor: &Value, remarks: &mut Vec<String>) {
    let text = |name: &str| monitor.get(name).and_then(Value::as_str).unwrap_or_default();
    let (user, how) = (text("basic_auth_user"), text("authMethod"));
    // Older versions know one way alone, and do not name it; the others leave `null`.
    let is_basic = how == "basic" || (how.is_empty() && !user.is_empty());
    if is_basic && !user.contains(':') {
        let login = format!("{user}:{}", text("basic_auth_pass"));
        fields.insert("auth".to_owned(), json!(login));
    } else if is_basic || !how.is_empty() {
        remarks.push("its login is not taken over".to_owned());
    }
}

fn put_codes(fields: &mut Map<String, Value>, monitor: &Value) {
    let codes = monitor.get("accepted_statuscodes").and_then(Value::as_array);
    let codes: Vec<&str> = codes.into_iter().flatten().filter_map(Value::as_str).collect();
    if !codes.is_empty() {
        fields.insert("expect".to_owned(), json!(codes.join(",")));
    }
}

/// As near to it as the field goes.
fn put_whole(
    fields: &mut Map<String, Value>,
    name: &str,
    value: Option<u64>,
    is_beat: bool,
    remarks: &mut Vec<String>,
) {
    let (Some(value), Some(field)) = (value, field(name)) else { return };
    let Takes::Whole { valid, beats, .. } = &field.takes else { return };
    let valid = if is_beat { beats } else { valid };
    let taken = value.clamp(*valid.start(), *valid.end());
    // Fewer tries than we make at least are nothing that anybody misses.
    if taken != value && name != "unhealthy" {
        remarks.push(format!("{name} {taken} instead of {value}"));
    }
    fields.insert(name.to_owned(), json!(taken));
}

fn whole(monitor: &Value, name: &str) -> Option<u64> {
    // A fraction of a second more is no fault.
    let seconds = monitor.get(name)?.as_f64()?.ceil();
    (0.0..1e9).contains(&seconds).then_some(seconds as u64)
}

/// SQLite has no truth values: a backup may have 1.
fn is_true(value: Option<&Value>) -> bool {
    value.is_some_and(|value| value.as_bool() == Some(true) || value.as_u64() == Some(1))
}

/// An address of IPv6 stands in brackets before a port.
fn host(name: &str) -> String {
    if name.contains(':') { format!("[{name}]") } else { name.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read_all(monitors: Value) -> Document {
        let backup = json!({"version": "1.23.11", "notificationList": [], "monitorList": monitors});
        read(&backup.to_string()).unwrap().unwrap()
    }

    /// The fields of the one monitor, and what is said of it.
    fn taken(monitor: Value) -> (Vec<(String, String)>, Vec<String>) {
        let Document { apps, remarks } = read_all(json!([monitor]));
        (apps.first().map(Record::fields).unwrap_or_default(), remarks)
    }

    fn field_of<'a>(fields: &'a [(String, String)], name: &str) -> &'a str {
        fields.iter().find(|(known, _)| known == name).map_or("", |(_, value)| value)
    }

    #[test]
    fn a_web_page_and_a_port_are_taken_as_they_are() {
        let (web, remarks) = taken(json!({
            "name": "NAS", "type": "http", "url": "https://nas.home:5001/web/?a=1", "method": "GET",
            "interval": 60, "timeout": 48, "maxretries": 3, "active": true, "hostname": null, "port": null,
            "accepted_statuscodes": ["200-299", "401"], "upsideDown": false, "ignoreTls": false,
        }));
        assert_eq!(remarks, Vec::<String>::new());
        for (name, value) in [
            ("appname", "NAS"),
            ("url", "https://nas.home:5001"),
            ("path", "/web/?a=1"),
            ("interval", "60"),
            ("timeout", "48"),
            ("unhealthy", "4"),
            ("expect", "200-299,401"),
        ] {
            assert_eq!(field_of(&web, name), value, "{name}");
        }
        let (port, _) =
            taken(json!({"name": "SSH", "type": "port", "hostname": "fd00::1", "port": 22}));
        assert_eq!(field_of(&port, "url"), "tcp://[fd00::1]:22");
        for (hostname, url) in [("nas.local", "ping://nas.local"), ("fd00::1", "ping://[fd00::1]")]
        {
            let (host, remarks) =
                taken(json!({"name": "NAS", "type": "ping", "hostname": hostname, "interval": 60}));
            assert_eq!((field_of(&host, "url"), remarks), (url, Vec::new()));
        }
        for how in [json!("basic"), Value::Null] {
            let (web, remarks) = taken(json!({
                "name": "NAS", "type": "http", "url": "http://a", "authMethod": how,
                "basic_auth_user": "me", "basic_auth_pass": "hunter2",
            }));
            assert_eq!((field_of(&web, "auth"), remarks.len()), ("me:hunter2", 0));
        }
        let paused =
            read_all(json!([{"name": "a", "type": "http", "url": "http://a", "active": 0}]));
        assert_eq!(paused.apps.first().unwrap().paused(), Ok(Some(true)));
    }

    #[test]
    fn what_is_not_taken_over_is_named_with_the_reason() {
        for (monitor, why) in [
            (json!({"type": "dns"}), "nothing here checks what it calls 'dns'"),
            (json!({"type": "http", "url": "http://a", "upsideDown": 1}), "upside down"),
            (json!({"type": "http", "url": "a"}), "its address \"a\""),
            (json!({"type": "http", "url": "http://me:secret@a"}), "a login stands"),
            (json!({"type": "http", "url": "http://:secret@a"}), "a login stands"),
            (
                json!({"type": "keyword", "url": "http://a", "invertKeyword": 1}),
                "must not be there",
            ),
            (json!({"type": "http", "url": "http://a", "method": "POST"}), "asks by POST"),
            (json!({"type": "port", "hostname": "a", "port": null}), "names no port"),
            (json!("a"), "a monitor without a name: not taken over"),
        ] {
            let Document { apps, remarks } = read_all(json!([monitor]));
            assert_eq!(apps, []);
            assert!(remarks.concat().contains(why), "{remarks:?}");
            assert!(!remarks.concat().contains("secret"), "{remarks:?}");
        }
    }

    #[test]
    fn monitors_of_one_name_are_apps_of_several() {
        let nas = |url: &str| json!({"name": "NAS", "type": "http", "url": url});
        let other = json!({"name": "NAS", "type": "dns"});
        let Document { apps, remarks } = read_all(json!([other, nas("http://a"), nas("http://b")]));
        let names: Vec<String> = apps.iter().filter_map(Record::name).collect();
        assert_eq!(names, ["NAS", "NAS (2)"]);
        assert_eq!(
            remarks,
            [
                "NAS: not taken over: nothing here checks what it calls 'dns'",
                "NAS: another has this name, so it is 'NAS (2)' here",
            ]
        );
    }

    #[test]
    fn what_reports_by_itself_is_a_beat() {
        let (fields, remarks) = taken(json!({
            "name": "Backup", "type": "push", "url": null, "pushToken": "secret", "interval": 86400,
            "timeout": 48, "maxretries": 0, "active": 1,
        }));
        assert_eq!((field_of(&fields, "kind"), field_of(&fields, "interval")), ("beat", "86400"));
        assert_eq!((field_of(&fields, "unhealthy"), field_of(&fields, "timeout")), ("1", ""));
        assert_eq!(remarks, ["Backup: its job is to call /healthchecker/beat from now on"]);
    }

    #[test]
    fn what_is_taken_over_otherwise_is_said() {
        let (fields, remarks) = taken(json!({
            "name": "Shop", "type": "keyword", "url": "http://a", "keyword": "open", "interval": 3600,
            "timeout": 0.5, "maxretries": 0, "basic_auth_user": "me", "authMethod": "ntlm", "ignoreTls": true,
            "headers": "{}",
        }));
        assert_eq!((field_of(&fields, "interval"), field_of(&fields, "timeout")), ("300", "2"));
        assert_eq!(field_of(&fields, "unhealthy"), "2");
        assert_eq!((field_of(&fields, "contains"), field_of(&fields, "auth")), ("open", ""));
        assert_eq!(field_of(&fields, "tls"), "off");
        assert_eq!(
            remarks,
            [
                "Shop: its login is not taken over",
                "Shop: its headers are not sent",
                "Shop: interval 300 instead of 3600",
                "Shop: timeout 2 instead of 1",
            ]
        );
    }

    #[test]
    fn other_documents_are_left_to_others_and_huge_ones_refused() {
        for text in [
            "",
            "{}",
            r#"{"healthchecker_export":1,"apps":[]}"#,
            r#"{"monitorList":1}"#,
            "\"monitorList\"",
        ] {
            assert!(read(text).is_none(), "{text}");
        }
        let huge = format!("{{\"monitorList\":[\"{}\"]}}", " ".repeat(BACKUP_MAX));
        assert!(read(&huge).unwrap().is_err());
    }
}
