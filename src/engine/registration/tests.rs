use proptest::prelude::*;

use super::auth::Auth;
use super::*;
use crate::engine::recipients::{Recipient, Recipients};
use crate::engine::text::plain::is_obeyed;

fn pairs(given: &[(&str, &str)]) -> Vec<(String, String)> {
    given.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

fn recipients() -> Recipients {
    Recipients::new(vec!["owner@example.org".to_owned()], &[])
}

fn read(more: &[(&str, &str)]) -> Result<Registration, FieldError> {
    let mut given = vec![("appname", "Kodi"), ("url", "http://kodi:8080")];
    given.extend_from_slice(more);
    Registration::from_fields(&pairs(&given), Origin::Network, &recipients())
}

fn refusal(more: &[(&str, &str)]) -> (String, String) {
    let why = read(more).unwrap_err();
    (why.field.unwrap_or_default(), why.message)
}

#[test]
fn name_and_address_are_enough() {
    let kodi = read(&[]).unwrap();
    assert_eq!(kodi.name, "Kodi");
    assert_eq!(kodi.target.address(), "http://kodi:8080/health");
    assert_eq!(kodi.target.url(), Some("http://kodi:8080"));
    let Target::Http { expect, .. } = kodi.target else { panic!("it is of HTTP") };
    assert_eq!(expect.to_string(), "200");
    assert_eq!((kodi.timeout.as_secs(), kodi.interval.as_secs()), (5, 30));
    assert_eq!((kodi.unhealthy, kodi.healthy), (2, 10));
    assert_eq!(kodi.email, ["owner@example.org"]);
}

#[test]
fn every_parameter_counts_and_old_names_are_understood() {
    let kodi = read(&[
        ("email", "a@example.org, b@example.org ,a@example.org,"),
        ("timeout", "60"),
        ("interval", "5"),
        ("unhealthy_threshold", "3"),
        ("healthy_threshold", "4"),
        ("path", "/ok"),
        ("expect", "200-204,401"),
    ])
    .unwrap();
    assert_eq!(kodi.email, ["a@example.org", "b@example.org"]);
    assert_eq!((kodi.timeout.as_secs(), kodi.interval.as_secs()), (60, 5));
    assert_eq!((kodi.unhealthy, kodi.healthy), (3, 4));
    assert_eq!(kodi.target.address(), "http://kodi:8080/ok");
    let Target::Http { expect, .. } = kodi.target else { panic!("it is of HTTP") };
    assert!(expect.contains(401));
}

#[test]
fn a_port_takes_what_is_of_every_kind_and_nothing_of_http() {
    let port = |more: &[(&str, &str)]| {
        let mut given = vec![("appname", "NAS"), ("url", "tcp://nas:22")];
        given.extend_from_slice(more);
        Registration::from_fields(&pairs(&given), Origin::Network, &recipients())
    };
    let nas = port(&[("kind", "tcp"), ("interval", "60")]).unwrap();
    assert_eq!((nas.target.kind(), nas.target.place().unwrap().port), (Kind::Tcp, 22));
    assert_eq!(nas.interval.as_secs(), 60);
    let given = [("appname", "NAS"), ("url", "ping://nas"), ("slow", "5")];
    let why = Registration::from_fields(&pairs(&given), Origin::Network, &recipients());
    assert!(why.unwrap_err().message.contains("is for kind http alone, and this one is ping"));
    for (given, field, hint) in [
        (("path", "/health"), "path", "is for kind http alone, and this one is tcp"),
        (("expect", "200"), "expect", "is for kind http alone"),
        (("kind", "http"), "kind", "does not begin with http:// or https://"),
        (("kind", "snmp"), "kind", "must be http, tcp, ping or beat, not \"snmp\""),
    ] {
        let why = port(&[given]).unwrap_err();
        assert_eq!(why.field.as_deref(), Some(field), "{why}");
        assert!(why.message.contains(hint), "{why}");
    }
}

#[test]
fn a_beat_has_a_rhythm_and_no_address() {
    let beat = |more: &[(&str, &str)]| {
        let mut given = vec![("appname", "Backup"), ("kind", "beat")];
        given.extend_from_slice(more);
        Registration::from_fields(&pairs(&given), Origin::Network, &recipients())
    };
    let rhythm = |more: &[(&str, &str)]| {
        let Rhythm { interval, grace } = beat(more).unwrap().beats().unwrap();
        (interval.as_secs(), grace.as_secs())
    };
    let backup = beat(&[]).unwrap();
    assert_eq!((backup.unhealthy, backup.healthy, backup.target.url()), (1, 1, None));
    assert_eq!(rhythm(&[("interval", "3024000")]), (3_024_000, 302_400), "a tenth");
    assert_eq!(rhythm(&[("interval", "5")]), (5, 60), "at least a minute");
    assert_eq!(rhythm(&[("interval", "305"), ("grace", "")]), (305, 60));
    assert_eq!(rhythm(&[("interval", "86400"), ("grace", "0")]), (86_400, 0));
    assert!(beat(&[("unhealthy", "1"), ("healthy", "10"), ("url", "")]).is_ok());
    for ((name, text), hint) in [
        (("interval", "4"), "from 5 to 3024000"),
        (("interval", "3024001"), "from 5 to 3024000"),
        (("grace", "604801"), "from 0 to 604800"),
        (("unhealthy", "0"), "from 1 to 10"),
        (("url", "http://nas"), "is for kind http, tcp, ping alone, and this one is beat"),
        (("timeout", "5"), "is for kind http, tcp, ping alone"),
        (("path", "/x"), "is for kind http alone"),
    ] {
        let why = beat(&[(name, text)]).unwrap_err();
        assert_eq!(why.field.as_deref(), Some(name));
        assert!(why.message.contains(hint), "{why}");
    }
    let (field, message) = refusal(&[("grace", "60")]);
    assert_eq!(field, "grace");
    assert!(message.contains("is for kind beat alone, and this one is http"), "{message}");
    assert_eq!(refusal(&[("interval", "301")]).0, "interval", "that is for beats");
}

#[test]
fn what_was_said_of_a_beat_stays_and_what_is_empty_is_the_default() {
    let beat = |grace: Option<&str>, before: Option<&Registration>| {
        let mut given = vec![("appname", "Backup"), ("kind", "beat"), ("interval", "900")];
        given.extend(grace.map(|grace| ("grace", grace)));
        let origin = Origin::Network;
        let mut beat = Registration::from_fields(&pairs(&given), origin, &recipients()).unwrap();
        beat.keep_from(before);
        beat
    };
    let grace = |of: &Registration| of.beats().unwrap().grace.as_secs();
    let said = beat(Some("7"), None);
    assert_eq!(grace(&said), 7);
    assert_eq!(beat(None, Some(&said)), said);
    let again = beat(Some(""), Some(&said));
    assert_eq!((grace(&again), &again), (90, &beat(None, None)));
    let kodi = read(&[]).unwrap();
    assert_eq!(beat(None, Some(&kodi)), again, "another kind has nothing to keep");
}

#[test]
fn a_login_stays_where_it_was_given_for_and_goes_nowhere_else() {
    let at = |url: &str, more: &[(&str, &str)]| {
        let given = [&[("appname", "NAS"), ("url", url)], more].concat();
        Registration::from_fields(&pairs(&given), Origin::Network, &recipients()).unwrap()
    };
    let before = at("https://nas:5001/web", &[("auth", "me:hunter2")]);
    let after = |url: &str, more: &[(&str, &str)]| {
        let mut after = at(url, more);
        after.keep_from(Some(&before));
        after.target.auth().cloned()
    };
    let login = before.target.auth().cloned();
    assert!(login.is_some());
    for same in ["https://nas:5001/web", "HTTPS://NAS:5001", "https://nas:5001/other"] {
        assert_eq!(after(same, &[]), login, "{same}");
        assert_eq!(after(same, &[("path", "/ok")]), login, "{same}");
        assert_eq!(after(same, &[("auth", "")]), None, "{same}");
        assert_eq!(after(same, &[("auth", "me:new")]), Auth::read("me:new").unwrap());
    }
    for elsewhere in [
        "http://nas:5001/web",
        "https://nas/web",
        "https://nas:5002/web",
        "https://nas.:5001/web",
        "https://nas.evil.example:5001/web",
        "https://192.168.1.66:5001/web",
        "https://nas:5001.evil.example/web",
    ] {
        let given = [("appname", "NAS"), ("url", elsewhere)];
        if Registration::from_fields(&pairs(&given), Origin::Network, &recipients()).is_ok() {
            assert_eq!(after(elsewhere, &[]), None, "{elsewhere}");
            assert!(after(elsewhere, &[("auth", "me:hunter2")]).is_some(), "{elsewhere}");
        }
    }
    let mut port = at("tcp://nas:5001", &[]);
    port.keep_from(Some(&before));
    let mut again = at("https://nas:5001/web", &[]);
    again.keep_from(Some(&port));
    assert_eq!(again.target.auth(), None, "what is gone does not come back");
}

#[test]
fn a_pin_stays_and_a_login_goes_with_the_care_that_it_was_given_under() {
    let at = |more: &[(&str, &str)]| {
        let given = [&[("appname", "NAS"), ("url", "https://nas")], more].concat();
        Registration::from_fields(&pairs(&given), Origin::Network, &recipients()).unwrap()
    };
    let print = Print([0x5A; Print::BYTES]);
    let before = at(&[("tls", "pin"), ("auth", "me:secret")]);
    let seen = before.target.pinned(print).unwrap();
    assert_eq!((seen.tls(), seen.pinned(print)), (Tls::Pin(print), None), "the first alone");
    let seen = Registration { target: seen, ..before };
    let after = |more: &[(&str, &str)]| {
        let mut after = at(more);
        after.keep_from(Some(&seen));
        (after.target.tls(), after.target.auth().is_some())
    };
    let pin = format!("pin:{print}");
    for same in [&[][..], &[("tls", "pin")], &[("tls", &pin)]] {
        assert_eq!(after(same), (Tls::Pin(print), true), "{same:?}");
    }
    assert_eq!(after(&[("tls", "verify")]), (Tls::Verify, true));
    assert_eq!(after(&[("tls", "")]), (Tls::Verify, true));
    assert_eq!(after(&[("tls", "off")]), (Tls::Off, false));
    assert_eq!(after(&[("tls", "off"), ("auth", "me:secret")]), (Tls::Off, true));
    let mut moved = at(&[]);
    moved.target = Target::new("https://tv", "/health", Origin::Network).unwrap();
    moved.keep_from(Some(&seen));
    assert_eq!(moved.target.tls(), Tls::Pin(print), "left out, it is to be the same elsewhere");
    assert!(refusal(&[("tls", "yes")]).1.contains("tls must be verify, off, pin, or pin:"));
}

#[test]
fn a_login_is_never_repeated_in_an_error() {
    for (field, text) in [
        ("auth", "hunter2"),
        ("url", "http://me:hunter2@nas"),
        ("url", "http://me:hunter2@nas?x"),
        ("url", "http://me:hun/ter2@nas"),
        ("url", "http://me:hunter2@n as"),
        ("url", "ftp://me:hunter2@nas"),
        ("url", "me:hunter2@nas"),
        ("url", "tcp://me:hunter2@nas:22"),
        ("url", "http://me:hunter2@nas\u{7}"),
    ] {
        let mut given = vec![("appname", "NAS"), ("url", "http://nas")];
        given.retain(|(name, _)| *name != field);
        given.push((field, text));
        let why = Registration::from_fields(&pairs(&given), Origin::Network, &recipients());
        let why = why.unwrap_err();
        assert_eq!(why.field.as_deref(), Some(field), "{text}");
        assert!(!why.message.contains("ter2"), "{why}");
    }
    assert!(refusal(&[("auth", "hunter2")]).1.contains("USER:PASSWORD or Bearer TOKEN"));
    let port = [("appname", "NAS"), ("url", "tcp://nas:22"), ("auth", "me:hunter2")];
    let why = Registration::from_fields(&pairs(&port), Origin::Network, &recipients());
    assert!(why.unwrap_err().message.contains("auth is for kind http alone"));
}

#[test]
fn what_an_answer_must_be_like_stays_and_is_bounded() {
    let both = [("contains", " Welcome home "), ("slow", "500")];
    let said = read(&both).unwrap();
    assert_eq!(said.target.contains(), Some("Welcome home"));
    assert_eq!(said.target.slow().unwrap().as_millis(), 500);
    let again = |more: &[(&str, &str)]| {
        let mut again = read(more).unwrap();
        again.keep_from(Some(&said));
        again.target
    };
    assert_eq!(again(&[]), said.target);
    let emptied = again(&[("contains", ""), ("slow", "")]);
    assert_eq!(emptied, read(&[]).unwrap().target);
    assert!(read(&[("contains", &"\u{fc}".repeat(200))]).is_ok());
    for ((name, text), hint) in [
        (("contains", "x".repeat(201).as_str()), "contains must be 1 to 200 characters"),
        (("contains", "a\u{1b}b"), "that can be seen"),
        (("slow", "0"), "from 1 to 60000"),
        (("slow", "1.5"), "whole number of milliseconds"),
    ] {
        let (field, message) = refusal(&[(name, text)]);
        assert_eq!(field, name);
        assert!(message.contains(hint), "{message}");
    }
}

#[test]
fn numbers_out_of_range_are_refused_with_the_range() {
    for (field, values, range) in [
        ("timeout", ["1", "61", "5.5", "-5", "+5", "x"], "2 to 60"),
        ("interval", ["4", "301", "30s", "1e1", "٣٠", "99999999999999999999"], "5 to 300"),
        ("unhealthy", ["1", "11", "2,3", "0x2", "2.0", "two"], "2 to 10"),
        ("healthy", ["0", "11", "2;", "2 3", "--", "NaN"], "2 to 10"),
    ] {
        for value in values {
            let (name, message) = refusal(&[(field, value)]);
            assert_eq!(name, field);
            assert!(message.contains(range) && message.contains(value), "{message}");
        }
    }
}

#[test]
fn what_is_missing_empty_twice_or_unknown_is_named() {
    let no_url =
        Registration::from_fields(&pairs(&[("appname", "a")]), Origin::Network, &recipients());
    assert_eq!(no_url.unwrap_err().message, "url is missing; it is required");
    assert_eq!(refusal(&[("interval", "")]).0, "interval");
    assert_eq!(refusal(&[("appname", "again")]).0, "appname");
    let (field, message) = refusal(&[("healthy", "3"), ("healthy_threshold", "3")]);
    assert_eq!((field.as_str(), message.contains("more than once")), ("healthy", true));
    let (field, message) = refusal(&[("intervall", "30")]);
    assert_eq!(field, "intervall");
    assert!(message.contains("unknown parameter \"intervall\"") && message.contains("interval,"));
}

#[test]
fn an_empty_email_means_the_default_which_may_change_later() {
    for mut kodi in
        [read(&[]).unwrap(), read(&[("email", "")]).unwrap(), read(&[("email", " , ")]).unwrap()]
    {
        assert!(kodi.email_is_default);
        kodi.set_default_email(&[Recipient::mail("new@example.org")]);
        assert_eq!(kodi.email, ["new@example.org"]);
    }
    let mut kodi = read(&[("email", "a@example.org")]).unwrap();
    kodi.set_default_email(&[Recipient::mail("new@example.org")]);
    assert_eq!(kodi.email, ["a@example.org"]);
}

#[test]
fn what_is_no_mail_address_is_refused() {
    let long = format!("{}@example.org", "x".repeat(EMAIL_MAX));
    for email in [
        "nobody",
        "a@",
        "@b",
        "Owner <a@example.org>",
        "a@example.org\r\nBcc: b@c.d",
        long.as_str(),
    ] {
        assert_eq!(refusal(&[("email", email)]).0, "email", "{email}");
    }
    let many: Vec<String> = (0..=EMAILS_MAX).map(|n| format!("a{n}@example.org")).collect();
    assert_eq!(refusal(&[("email", &many.join(","))]).0, "email");
}

#[test]
fn a_name_is_short_and_printable() {
    for name in ["", " ", "a\nb", "a\u{202e}b", "\u{7f}", &"x".repeat(NAME_MAX + 1)] {
        let why = single_name("pause", &pairs(&[("appname", name)])).unwrap_err();
        assert_eq!(why.field.as_deref(), Some("appname"));
        assert!(!why.message.chars().any(is_obeyed), "{}", why.message);
    }
    for name in ["K", "Küche 🏠", &"ü".repeat(NAME_MAX)] {
        assert_eq!(single_name("pause", &pairs(&[("appname", name)])).unwrap(), name);
    }
    assert!(single_name("info", &pairs(&[("appname", "a"), ("limit", "3")])).is_err());
}

/// The fields at fault.
fn faults(given: &[(&str, &str)]) -> Vec<String> {
    let mistakes = Registration::mistakes(&pairs(given), Origin::Network, &recipients());
    mistakes.into_iter().map(|why| why.field.unwrap_or_default()).collect()
}

#[test]
fn who_has_all_in_sight_is_told_all_that_is_wrong() {
    assert_eq!(faults(&[("appname", "a"), ("url", "http://nas")]), [""; 0]);
    assert_eq!(faults(&[]), ["appname", "url"]);
    let all = [
        ("appname", "a\u{1}"),
        ("url", "nas"),
        ("what", "x"),
        ("interval", "1"),
        ("timeout", "x"),
        ("unhealthy_threshold", "99"),
        ("expect", "ok"),
        ("email", "me"),
        ("reminders", "perhaps"),
    ];
    let found = faults(&all);
    assert_eq!(
        found,
        [
            "what",
            "appname",
            "url",
            "email",
            "timeout",
            "interval",
            "unhealthy",
            "expect",
            "reminders"
        ]
    );
    assert_eq!(faults(&[("appname", "a"), ("url", "tcp://nas"), ("path", "/x")]), ["path", "url"]);
    assert_eq!(
        faults(&[("appname", "a"), ("url", "ssh://nas"), ("healthy", "1")]),
        ["url", "healthy"]
    );
    let beat = [("appname", "a"), ("kind", "beat"), ("url", "http://nas"), ("interval", "1")];
    assert_eq!(faults(&beat), ["url", "interval"]);
    let twice = [("appname", "a"), ("url", "http://nas"), ("interval", "7"), ("interval", "8")];
    assert_eq!(faults(&twice), ["interval"]);
}

proptest! {
    #[test]
    fn what_is_wrong_begins_with_what_is_refused(
        given in prop::collection::vec(
            ("appname|url|kind|email|timeout|path|parent|[a-z]{0,3}|x{90}", "(http://a|tcp://|ping://|7|\\PC{0,9})"),
            0..7,
        ),
    ) {
        let mistakes = Registration::mistakes(&given, Origin::Network, &recipients());
        let first = Registration::from_fields(&given, Origin::Network, &recipients()).err();
        prop_assert_eq!(mistakes.first(), first.as_ref());
    }

    #[test]
    fn no_parameter_of_any_text_panics_or_shows_control_characters(
        name in "appname|url|email|timeout|path|expect|[a-z]{0,9}",
        value in any::<String>(),
    ) {
        let given = pairs(&[("appname", "a"), ("url", "http://a"), (&name, &value)]);
        if let Err(why) = Registration::from_fields(&given, Origin::Network, &recipients()) {
            prop_assert!(!why.message.chars().any(is_obeyed), "{}", why.message);
        }
        let alone = pairs(&[("appname", &value), ("url", &format!("http://{value}"))]);
        if let Err(why) = Registration::from_fields(&alone, Origin::OwnMachine, &recipients()) {
            prop_assert!(!why.message.chars().any(is_obeyed), "{}", why.message);
        }
    }
}
