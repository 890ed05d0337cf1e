//! The one table of what `monitor` takes: its parameters and their errors, `info`, `status` and
//! `export`, the page, the command line, the API's description and the reference all read it.
//!
//! A new field is a row here, a member of [`super::Registration`] with its default and of its record, and
//! what it does; `make openapi` writes the description anew.

use std::time::Duration;

#[cfg(test)]
use super::auth::AUTH_MAX;
use super::auth::Auth;
use super::fields::{FieldError, shown};
use super::kind::ASKED;
use super::quiet_times::{NotQuietTimes, QuietTimes};
use super::spec::{Field, Takes, Unit, Value};
use super::tls::{NotTls, Tls};
use super::{CONTAINS_MAX, Kind, Target, parents};
#[cfg(test)]
use super::{PARENTS_MAX, QUIET_TIMES_MAX};
use crate::engine::text::plain::is_obeyed;

const SECONDS: Unit = Unit { plural: "seconds", word: "SECONDS" };
/// Five weeks: what is done once a month is beaten in time,
const BEATS_APART_MAX: u64 = 3_024_000;
/// and may be a week late.
const GRACE_MAX: u64 = 604_800;
const HTTP: &[Kind] = &[Kind::Http];
const CHECKS: Unit = Unit { plural: "checks in a row", word: "COUNT" };

/// Every field, in the order of the documents.
pub(crate) static FIELDS: [Field; 19] = [
    Field::new("appname", "the app's name", Takes::Name, |it| Value::Text(it.name.clone())),
    Field::new("url", "base address; path is appended to it", Takes::Url, |it| {
        it.target.url().map_or(Value::Nothing, |url| Value::Text(url.to_owned()))
    })
    .only(ASKED),
    Field::new("email", "who is told; several separated by commas", Takes::People, |it| {
        // Who named nobody follows the daemon's option, whatever it is by then.
        Value::List(if it.email_is_default { Vec::new() } else { it.email.clone() })
    })
    .list()
    .fact_or("Told", "{}", "nobody"),
    Field::new(
        "timeout",
        "seconds to wait for an answer, all of it",
        Takes::Whole {
            unit: &SECONDS,
            valid: 2..=60,
            beats: 2..=60,
            set: |it, seconds| it.timeout = Duration::from_secs(seconds),
        },
        |it| match it.target.kind() {
            Kind::Beat => Value::Nothing,
            Kind::Http | Kind::Tcp | Kind::Ping => Value::Whole(it.timeout.as_secs()),
        },
    )
    .only(ASKED)
    .fact("Time-out", "{} s"),
    Field::new(
        "interval",
        "seconds between two checks or beats",
        Takes::Whole {
            unit: &SECONDS,
            valid: 5..=300,
            beats: 5..=BEATS_APART_MAX,
            set: |it, seconds| it.interval = Duration::from_secs(seconds),
        },
        |it| Value::Whole(it.interval.as_secs()),
    )
    .fact("Interval", "{} s"),
    Field::new(
        "unhealthy",
        "failed checks in a row before UNHEALTHY",
        Takes::Whole {
            unit: &CHECKS,
            valid: 2..=10,
            beats: 1..=10,
            set: |it, checks| it.unhealthy = row(checks),
        },
        |it| Value::Whole(it.unhealthy.into()),
    )
    .or(&["unhealthy_threshold"])
    .fact("Thresholds", "{} failed in a row"),
    Field::new(
        "healthy",
        "passed checks in a row before HEALTHY",
        Takes::Whole {
            unit: &CHECKS,
            valid: 2..=10,
            beats: 1..=10,
            set: |it, checks| it.healthy = row(checks),
        },
        |it| Value::Whole(it.healthy.into()),
    )
    .or(&["healthy_threshold"])
    .fact("Thresholds", "{} passed in a row"),
    Field::new("path", "where the app tells its health, below url", Takes::Path, |it| {
        it.target.path().map_or(Value::Nothing, |path| Value::Text(path.to_owned()))
    })
    .only(HTTP),
    Field::new(
        "expect",
        "status codes that count as an answer",
        Takes::Text {
            word: "CODES",
            valid: "200 or 200-299,401",
            #[cfg(test)]
            schema: r#""pattern":"^[2-5][0-9]{2}(-[2-5][0-9]{2})?(,[2-5][0-9]{2}(-[2-5][0-9]{2})?)*$","maxLength":256,"examples":["200-299,401"]"#,
            lasting: None,
            set: |it, codes| {
                let Target::Http { expect, .. } = &mut it.target else { return Ok(()) };
                *expect = codes.parse().map_err(|right| format!("{right}"))?;
                Ok(())
            },
        },
        |it| {
            let Target::Http { expect, .. } = &it.target else { return Value::Nothing };
            Value::Text(expect.to_string())
        },
    )
    .list()
    .only(HTTP)
    .fact("Expected", "status {}")
    .not_in_info(),
    Field::new("kind", "how it is watched", Takes::Kind, |it| {
        Value::Text(it.target.kind().word().to_owned())
    }),
    Field::new(
        "may_be_off",
        "whether it may be off or away: its silence alarms nobody",
        Takes::Flag { default: false, set: |it, may_be_off| it.may_be_off = Some(may_be_off) },
        |it| Value::Flag(it.may_be_off()),
    )
    .fact("Silence", "it may be off or away"),
    Field::new(
        "parent",
        "the apps that are all needed to reach it",
        Takes::Several {
            word: "NAMES",
            valid: "names, with commas",
            #[cfg(test)]
            most: PARENTS_MAX,
            #[cfg(test)]
            default: "none",
            set: |it, names| {
                it.parent = Some(parents::read(names)?);
                Ok(())
            },
        },
        |it| Value::List(it.parents().to_vec()),
    )
    .list()
    .fact("Behind", "{}"),
    Field::new(
        "reminders",
        "whether its people are told again of trouble that lasts",
        Takes::Flag { default: true, set: |it, reminders| it.reminders = Some(reminders) },
        |it| Value::Flag(it.reminds()),
    )
    .fact("Reminders", "none"),
    Field::new(
        "quiet",
        "when nobody is told of it, in local time",
        Takes::Several {
            word: "TIMES",
            valid: "02:30-04:00 or Sa 22:00-09:00",
            #[cfg(test)]
            most: QUIET_TIMES_MAX,
            #[cfg(test)]
            default: "the `quiet` option",
            set: |it, times| {
                it.quiet = Some(times.parse().map_err(|right: NotQuietTimes| {
                    FieldError::of("quiet", format!("quiet must be {right}, not {}", shown(times)))
                })?);
                Ok(())
            },
        },
        |it| Value::List(it.quiet.as_ref().map(QuietTimes::texts).unwrap_or_default()),
    )
    .list()
    .fact("Quiet", "{}"),
    Field::new(
        "grace",
        "seconds that a beat may be late",
        Takes::Lasting {
            unit: &SECONDS,
            valid: 0..=GRACE_MAX,
            default: "a tenth of the interval, at least 60",
            set: |it, seconds| {
                if let Target::Beat { grace } = &mut it.target {
                    *grace = Some(seconds.map(Duration::from_secs));
                }
            },
        },
        // What was not said follows the interval.
        |it| match &it.target {
            Target::Beat { grace: Some(Some(grace)) } => Value::Whole(grace.as_secs()),
            _ => Value::Nothing,
        },
    )
    .only(&[Kind::Beat])
    .fact("Grace", "{} s"),
    Field::new(
        "contains",
        "what must be in the answer's body",
        Takes::Text {
            word: "TEXT",
            valid: "1 to 200 characters",
            #[cfg(test)]
            schema: r#""maxLength":200"#,
            lasting: Some(""),
            set: |it, text| {
                if text.chars().count() > CONTAINS_MAX || text.chars().any(is_obeyed) {
                    return Err(format!("1 to {CONTAINS_MAX} characters that can be seen"));
                }
                if let Target::Http { contains, .. } = &mut it.target {
                    *contains = Some(Some(text.to_owned()).filter(|text| !text.is_empty()));
                }
                Ok(())
            },
        },
        |it| it.target.contains().map_or(Value::Nothing, |text| Value::Text(text.to_owned())),
    )
    .only(HTTP)
    .fact("Expected", "with the text {}"),
    Field::new(
        "slow",
        "milliseconds after which a pass is a warning",
        Takes::Lasting {
            unit: &Unit { plural: "milliseconds", word: "MS" },
            valid: 1..=60_000,
            default: "none",
            set: |it, ms| {
                if let Target::Http { slow, .. } = &mut it.target {
                    *slow = Some(ms.map(Duration::from_millis));
                }
            },
        },
        |it| {
            let slow = it.target.slow().and_then(|slow| u64::try_from(slow.as_millis()).ok());
            slow.map_or(Value::Nothing, Value::Whole)
        },
    )
    .only(HTTP)
    .fact("Slow", "after {} ms"),
    Field::new(
        "auth",
        "login or token that the app wants",
        Takes::Secret {
            word: "LOGIN",
            valid: "USER:PASSWORD or Bearer TOKEN",
            #[cfg(test)]
            most: AUTH_MAX,
            set: |it, text| {
                let given = Auth::read(text)?;
                if let Target::Http { auth, .. } = &mut it.target {
                    *auth = Some(given);
                }
                Ok(())
            },
        },
        |it| Value::Flag(it.target.auth().is_some()),
    )
    .only(HTTP)
    .shown_as("auth_set")
    .fact("Login", "set"),
    Field::new(
        "tls",
        "which certificate the app must show",
        Takes::Text {
            word: "MODE",
            valid: "verify, off, pin or pin:SHA256",
            #[cfg(test)]
            schema: r#""pattern":"^(verify|off|pin(:[0-9A-Fa-f]{64})?)?$""#,
            lasting: Some("verify"),
            set: |it, text| {
                let mode: Tls = text.parse().map_err(|right: NotTls| right.to_string())?;
                if let Target::Http { tls, .. } = &mut it.target {
                    *tls = Some(Some(mode).filter(|mode| *mode != Tls::Verify));
                }
                Ok(())
            },
        },
        |it| match it.target.kind() {
            Kind::Http => Value::Text(it.target.tls().to_string()),
            _ => Value::Nothing,
        },
    )
    .only(HTTP)
    .fact("Certificate", "{}"),
];

/// The fields in the order of JSON, and in which they are looked at.
pub(crate) fn in_json() -> Vec<&'static Field> {
    let (mut all, others): (Vec<_>, Vec<_>) = FIELDS.iter().partition(|field| field.is_identity());
    all.extend(others);
    all
}

/// Whether a parameter of this name may be a list in JSON.
pub(crate) fn is_list(name: &str) -> bool {
    FIELDS.iter().any(|field| field.known.is_list && field.name() == name)
}

/// The field of this name.
pub(crate) fn field(name: &str) -> Option<&'static Field> {
    FIELDS.iter().find(|field| field.name() == name)
}

/// Whether a parameter of this name is true or false.
pub(crate) fn is_flag(name: &str) -> bool {
    field(name).is_some_and(|field| matches!(field.takes, Takes::Flag { .. }))
}

/// The length of a row of checks, which is in range.
fn row(checks: u64) -> u8 {
    u8::try_from(checks).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::engine::recipients::Recipients;
    use crate::engine::registration::values::Values;
    use crate::engine::registration::{Origin, Registration};

    /// A text for each field that is not its default, where it can be another, and what JSON shows of it.
    const EXAMPLES: [(&str, &str, &str); 19] = [
        ("appname", "NAS", "\"NAS\""),
        ("url", "http://nas:8080", "\"http://nas:8080\""),
        ("email", "a@b.c, d@e.f", "[\"a@b.c\",\"d@e.f\"]"),
        ("timeout", "7", "7"),
        ("interval", "60", "60"),
        ("unhealthy", "3", "3"),
        ("healthy", "4", "4"),
        ("path", "/ok", "\"/ok\""),
        ("expect", "200-299,401", "\"200-299,401\""),
        ("kind", "http", "\"http\""),
        ("may_be_off", "Yes", "true"),
        ("parent", "Switch,Router", "[\"Switch\",\"Router\"]"),
        ("reminders", "no", "false"),
        ("quiet", "sa 2:30-4:00", "[\"Sa 02:30-04:00\"]"),
        ("grace", "90", "90"),
        ("contains", "Welcome home", "\"Welcome home\""),
        ("slow", "500", "500"),
        ("auth", "me:secret", "true"),
        ("tls", "OFF", "\"off\""),
    ];
    const BEAT: (&str, &str) = ("kind", "beat");

    /// Those that an app has that is asked over HTTP.
    fn examples_of_http() -> Vec<(&'static str, &'static str)> {
        let of_http = |(name, ..): &(&str, _, _)| field(name).unwrap().is_of(Kind::Http);
        EXAMPLES.into_iter().filter(of_http).map(|(name, text, _)| (name, text)).collect()
    }

    fn registered(given: &[(&str, &str)]) -> Registration {
        let mut pairs = vec![("appname", "Kodi"), ("url", "http://kodi")];
        let is_beat = given.contains(&BEAT);
        pairs.retain(|(name, _)| !given.iter().any(|(given, _)| given == name));
        pairs.retain(|(name, _)| !is_beat || *name != "url");
        pairs.extend(given);
        let pairs: Vec<(String, String)> =
            pairs.iter().map(|(name, text)| ((*name).to_owned(), (*text).to_owned())).collect();
        Registration::from_fields(&pairs, Origin::Network, &Recipients::default()).unwrap()
    }

    fn shown(registration: &Registration, field: &Field) -> String {
        serde_json::to_string(&(field.get)(registration)).unwrap()
    }

    #[test]
    fn every_name_is_there_once() {
        let mut seen = BTreeSet::new();
        for field in &FIELDS {
            for name in field.known.aliases.iter().chain([&field.known.name]) {
                assert!(seen.insert(*name), "{name}");
                assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
            }
            assert!(field.help.starts_with(char::is_lowercase) && !field.help.ends_with('.'));
        }
    }

    #[test]
    fn every_field_sets_what_it_shows_and_nothing_else() {
        assert_eq!(
            EXAMPLES.map(|(name, ..)| name).to_vec(),
            FIELDS.iter().map(Field::name).collect::<Vec<_>>()
        );
        for (field, (name, text, json)) in FIELDS.iter().zip(EXAMPLES) {
            let kind = if field.is_of(Kind::Http) { None } else { Some(BEAT) };
            let plain = registered(kind.as_slice());
            for alias in field.known.aliases.iter().chain([&name]) {
                let set = registered(&[kind.as_slice(), &[(alias, text)]].concat());
                for other in &FIELDS {
                    let expected =
                        if other == field { json.to_owned() } else { shown(&plain, other) };
                    assert_eq!(shown(&set, other), expected, "{} after {alias}", other.name());
                }
            }
        }
    }

    #[test]
    fn json_has_the_fields_in_this_order() {
        let app = registered(&examples_of_http());
        let kept = r#""appname":"NAS","url":"http://nas:8080","path":"/ok","email":["a@b.c","d@e.f"],"timeout":7,"interval":60,"unhealthy":3,"healthy":4"#;
        let json = |values: &Values| serde_json::to_string(values).unwrap();
        let all = format!(
            r#"{{{kept},"expect":"200-299,401","kind":"http","may_be_off":true,"parent":["Switch","Router"],"reminders":false,"quiet":["Sa 02:30-04:00"],"grace":null,"contains":"Welcome home","slow":500,"auth_set":true,"tls":"off"}}"#
        );
        assert_eq!(json(&Values::registered(&app)), all);
        let told = vec!["me@b.c".to_owned()];
        let in_force = Values::in_force(&app, told).in_info();
        let shown = kept.replace(r#""a@b.c","d@e.f""#, r#""me@b.c""#);
        assert_eq!(
            json(&in_force),
            format!(
                r#"{{{shown},"kind":"http","may_be_off":true,"parent":["Switch","Router"],"reminders":false,"quiet":["Sa 02:30-04:00"],"grace":null,"contains":"Welcome home","slow":500,"auth_set":true,"tls":"off"}}"#
            )
        );
    }

    #[test]
    fn what_is_written_is_read_as_it_was() {
        let mut all = examples_of_http();
        all.retain(|(name, _)| *name != "auth");
        let all = registered(&all);
        let port = registered(&[("url", "tcp://nas:22")]);
        let beat = registered(&[BEAT, ("interval", "86400"), ("grace", "90")]);
        for app in [registered(&[]), all, port, beat] {
            let written = Values::registered(&app);
            let said = FIELDS.iter().filter(|field| !field.is_secret());
            let said = said.map(|field| (field.name(), (field.get)(&app)));
            let said = said.filter(|(_, value)| *value != Value::Nothing);
            let pairs: Vec<(&str, String)> =
                said.map(|(name, value)| (name, value.text())).collect();
            let pairs: Vec<(&str, &str)> =
                pairs.iter().map(|(name, text)| (*name, text.as_str())).collect();
            // What is as by default is as if it was not said.
            let in_short = |mut app: Registration| {
                app.keep_from(None);
                app
            };
            assert_eq!(in_short(registered(&pairs)), in_short(app));
            assert_eq!(Values::registered(&registered(&pairs)), written);
        }
    }

    #[test]
    fn of_a_secret_all_is_shown_that_there_is_one() {
        let app = registered(&[("auth", "me:hunter2")]);
        let facts = Values::in_force(&app, Vec::new()).facts();
        assert!(facts.contains(&("Login", "set".to_owned())), "{facts:?}");
        let plain = Values::in_force(&registered(&[]), Vec::new()).facts();
        assert!(plain.iter().all(|(label, _)| *label != "Login"), "{plain:?}");
        assert!(Values::said(&app).iter().all(|(field, _)| field.name() != "auth"));
        let all = serde_json::to_string(&Values::registered(&app)).unwrap() + &format!("{app:?}");
        assert!(all.contains(r#""auth_set":true"#) && !all.contains("hunter2"), "{all}");
    }

    #[test]
    fn people_are_told_every_value_that_says_something() {
        let kodi = registered(&[("interval", "60")]);
        let facts = Values::in_force(&kodi, Vec::new()).facts();
        let facts: Vec<String> =
            facts.iter().map(|(label, said)| format!("{label}: {said}")).collect();
        assert_eq!(
            facts,
            [
                "Told: nobody",
                "Time-out: 5 s",
                "Interval: 60 s",
                "Thresholds: 2 failed in a row, 10 passed in a row",
                "Expected: status 200",
            ]
        );
    }
}
