//! A registration on record: flat, as it was before there was more than one kind of target to think of.

use std::time::Duration;

use serde::{Deserialize, Serialize};

use crate::engine::registration::address::Address;
use crate::engine::registration::auth::Auth;
use crate::engine::registration::status_set::StatusSet;
use crate::engine::registration::{Host, Kind, Origin, QuietTimes, Registration, Target, Tls};

/// The members of a [`Registration`] on record, in their order there; serde reads them where they are.
#[derive(Serialize, Deserialize)]
#[serde(remote = "Registration")]
pub(super) struct RegistrationRecord {
    name: String,
    /// Which kind it is follows from it: a beat has none.
    #[serde(getter = "url", default, skip_serializing_if = "Option::is_none")]
    url: Option<String>,
    /// Only of what is asked over HTTP; so is `expect`.
    #[serde(getter = "path", default, skip_serializing_if = "Option::is_none")]
    path: Option<String>,
    #[serde(getter = "health_url", default, skip_serializing_if = "Option::is_none")]
    health_url: Option<String>,
    #[serde(getter = "host", default, skip_serializing_if = "Option::is_none")]
    host: Option<Host>,
    #[serde(getter = "port", default, skip_serializing_if = "Option::is_none")]
    port: Option<u16>,
    email: Vec<String>,
    email_is_default: bool,
    #[serde(with = "whole_seconds")]
    timeout: Duration,
    #[serde(with = "whole_seconds")]
    interval: Duration,
    unhealthy: u8,
    healthy: u8,
    #[serde(getter = "expect", default, skip_serializing_if = "Option::is_none")]
    expect: Option<StatusSet>,
    /// Older records do not say, and are believed.
    #[serde(default)]
    origin: Origin,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    may_be_off: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    parent: Option<Vec<String>>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    reminders: Option<bool>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    quiet: Option<QuietTimes>,
    /// In seconds, of a beat.
    #[serde(getter = "grace", default, skip_serializing_if = "Option::is_none")]
    grace: Option<u64>,
    /// Of what is asked over HTTP.
    #[serde(getter = "contains", default, skip_serializing_if = "Option::is_none")]
    contains: Option<String>,
    /// The same, in milliseconds.
    #[serde(getter = "slow", default, skip_serializing_if = "Option::is_none")]
    slow: Option<u64>,
    /// The same; this is the one place on disk that has it.
    #[serde(getter = "auth", default, skip_serializing_if = "Option::is_none")]
    auth: Option<String>,
    /// Of the same; what was seen first, once it was.
    #[serde(getter = "tls", default, skip_serializing_if = "Option::is_none")]
    tls: Option<String>,
}

impl From<RegistrationRecord> for Registration {
    fn from(record: RegistrationRecord) -> Registration {
        let RegistrationRecord {
            url,
            path,
            health_url,
            host,
            port,
            expect,
            grace,
            contains,
            slow,
            auth,
            tls,
            ..
        } = record;
        let address = url.zip(health_url).zip(host).zip(port);
        let address =
            address.map(|(((given, asked), host), port)| Address { given, asked, host, port });
        let target = match address {
            None => Target::Beat { grace: grace.map(|grace| Some(Duration::from_secs(grace))) },
            Some(address) => match Kind::of_url(&address.given) {
                Some(Kind::Tcp) => Target::Tcp { address },
                Some(Kind::Ping) => Target::Ping { address },
                _ => {
                    let (path, expect) = (path.unwrap_or_default(), expect.unwrap_or_default());
                    let slow = slow.map(|ms| Some(Duration::from_millis(ms)));
                    let (contains, auth) =
                        (contains.map(Some), auth.map(Auth::on_record).map(Some));
                    // What a later version may write and this one does not know is verified.
                    let tls = tls.and_then(|mode| mode.parse().ok()).map(Some);
                    Target::Http { address, path, expect, contains, slow, auth, tls }
                }
            },
        };
        Registration {
            name: record.name,
            target,
            email: record.email,
            email_is_default: record.email_is_default,
            timeout: record.timeout,
            interval: record.interval,
            unhealthy: record.unhealthy,
            healthy: record.healthy,
            may_be_off: record.may_be_off,
            parent: record.parent,
            reminders: record.reminders,
            quiet: record.quiet,
            origin: record.origin,
        }
    }
}

fn url(registration: &Registration) -> Option<String> {
    registration.target.url().map(str::to_owned)
}

fn path(registration: &Registration) -> Option<String> {
    registration.target.path().map(str::to_owned)
}

fn health_url(registration: &Registration) -> Option<String> {
    registration.target.place().map(|address| address.asked.clone())
}

fn host(registration: &Registration) -> Option<Host> {
    registration.target.host().cloned()
}

fn port(registration: &Registration) -> Option<u16> {
    registration.target.place().map(|address| address.port)
}

fn grace(registration: &Registration) -> Option<u64> {
    match &registration.target {
        Target::Beat { grace } => grace.flatten().map(|grace| grace.as_secs()),
        Target::Http { .. } | Target::Tcp { .. } | Target::Ping { .. } => None,
    }
}

fn contains(registration: &Registration) -> Option<String> {
    registration.target.contains().map(str::to_owned)
}

fn slow(registration: &Registration) -> Option<u64> {
    registration.target.slow().and_then(|slow| u64::try_from(slow.as_millis()).ok())
}

fn auth(registration: &Registration) -> Option<String> {
    registration.target.auth().map(|auth| auth.reveal().to_owned())
}

fn tls(registration: &Registration) -> Option<String> {
    Some(registration.target.tls()).filter(|mode| *mode != Tls::Verify).map(|mode| mode.to_string())
}

fn expect(registration: &Registration) -> Option<StatusSet> {
    match &registration.target {
        Target::Http { expect, .. } => Some(expect.clone()),
        Target::Tcp { .. } | Target::Ping { .. } | Target::Beat { .. } => None,
    }
}

/// A span as a number of seconds.
mod whole_seconds {
    use std::time::Duration;

    use serde::{Deserialize, Deserializer, Serializer};

    pub(in crate::engine) fn serialize<S: Serializer>(
        span: &Duration,
        to: S,
    ) -> Result<S::Ok, S::Error> {
        to.serialize_u64(span.as_secs())
    }

    pub(in crate::engine) fn deserialize<'de, D: Deserializer<'de>>(
        from: D,
    ) -> Result<Duration, D::Error> {
        u64::deserialize(from).map(Duration::from_secs)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::recipients::Recipients;

    /// As the first release wrote it, but for `origin`.
    const WRITTEN: &str = r#"{"name":"Kodi","url":"https://kodi:8443/api","path":"/ok","health_url":"https://kodi:8443/api/ok","host":{"name":"kodi"},"port":8443,"email":["a@b.c"],"email_is_default":false,"timeout":7,"interval":60,"unhealthy":3,"healthy":4,"expect":"200-299,401","origin":"network"}"#;

    fn read(text: &str) -> Registration {
        RegistrationRecord::deserialize(&mut serde_json::Deserializer::from_str(text)).unwrap()
    }

    fn written(registration: &Registration) -> String {
        let mut text = Vec::new();
        let mut to = serde_json::Serializer::new(&mut text);
        RegistrationRecord::serialize(registration, &mut to).unwrap();
        String::from_utf8(text).unwrap()
    }

    fn kodi() -> Registration {
        let pairs = [
            ("appname", "Kodi"),
            ("url", "https://kodi:8443/api"),
            ("path", "/ok"),
            ("email", "a@b.c"),
            ("timeout", "7"),
            ("interval", "60"),
            ("unhealthy", "3"),
            ("healthy", "4"),
            ("expect", "200-299,401"),
        ];
        let pairs = pairs.map(|(name, text)| (name.to_owned(), text.to_owned()));
        Registration::from_fields(&pairs, Origin::Network, &Recipients::default()).unwrap()
    }

    #[test]
    fn a_registration_is_written_flat_and_read_as_it_was() {
        assert_eq!(written(&kodi()), WRITTEN);
        assert_eq!(read(WRITTEN), kodi());
    }

    #[test]
    fn a_port_is_written_without_what_is_of_http() {
        let pairs = [("appname", "NAS"), ("url", "tcp://NAS:22"), ("email", "a@b.c")];
        let pairs = pairs.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let nas =
            Registration::from_fields(&pairs, Origin::Network, &Recipients::default()).unwrap();
        let record = written(&nas);
        assert_eq!(
            record,
            r#"{"name":"NAS","url":"tcp://NAS:22","health_url":"tcp://nas:22","host":{"name":"nas"},"port":22,"email":["a@b.c"],"email_is_default":false,"timeout":5,"interval":30,"unhealthy":2,"healthy":10,"origin":"network"}"#
        );
        assert_eq!(read(&record), nas);
    }

    #[test]
    fn what_is_pinged_is_written_like_a_port() {
        let nas = Registration::plain("NAS".into(), "ping://NAS.local", "", Origin::Network);
        let nas = nas.unwrap();
        let record = written(&nas);
        assert!(
            record.contains(
                r#""health_url":"ping://nas.local","host":{"name":"nas.local"},"port":0,"#
            ),
            "{record}"
        );
        assert_eq!(read(&record), nas);
    }

    #[test]
    fn what_must_be_in_an_answer_and_how_fast_is_kept_where_it_was_said() {
        let mut registration = kodi();
        if let Target::Http { contains, slow, auth, tls, .. } = &mut registration.target {
            *contains = Some(Some("Welcome".to_owned()));
            *slow = Some(Some(Duration::from_millis(500)));
            *auth = Auth::read("me:secret").ok();
            *tls = Some(Some(Tls::First));
        }
        let record = written(&registration);
        let end = r#","contains":"Welcome","slow":500,"auth":"me:secret","tls":"pin"}"#;
        assert!(record.ends_with(end), "{record}");
        assert_eq!(read(&record), registration);
    }

    #[test]
    fn a_beat_is_written_without_an_address() {
        let pairs = [("appname", "Backup"), ("kind", "beat"), ("grace", "90"), ("email", "a@b.c")];
        let pairs = pairs.map(|(name, text)| (name.to_owned(), text.to_owned()));
        let beat =
            Registration::from_fields(&pairs, Origin::Network, &Recipients::default()).unwrap();
        let record = written(&beat);
        assert!(!record.contains("url") && !record.contains("host"), "{record}");
        assert_eq!(read(&record), beat);
    }

    #[test]
    fn whether_it_may_be_off_is_kept_where_it_was_said() {
        for (said, text) in [(true, "true"), (false, "false")] {
            let registration = Registration { may_be_off: Some(said), ..kodi() };
            let record = written(&registration);
            assert!(record.ends_with(&format!(r#","may_be_off":{text}}}"#)), "{record}");
            assert_eq!(read(&record), registration);
        }
    }

    #[test]
    fn what_it_is_behind_is_kept_where_it_was_said() {
        let parent = Some(vec!["Switch, upstairs".to_owned(), "NAS".to_owned()]);
        let registration = Registration { parent, ..kodi() };
        let record = written(&registration);
        assert!(record.ends_with(r#","parent":["Switch, upstairs","NAS"]}"#), "{record}");
        assert_eq!(read(&record), registration);
    }

    #[test]
    fn when_it_is_quiet_is_kept_where_it_was_said() {
        for text in ["Sa 02:30-04:00,22:00-06:00", "never"] {
            let registration = Registration { quiet: text.parse().ok(), ..kodi() };
            let record = written(&registration);
            assert!(record.ends_with(&format!(r#","quiet":"{text}"}}"#)), "{record}");
            assert_eq!(read(&record), registration);
        }
    }

    #[test]
    fn a_record_that_does_not_say_where_it_came_from_is_believed() {
        let older = WRITTEN.replace(r#","origin":"network""#, "");
        assert_eq!(read(&older), Registration { origin: Origin::OwnMachine, ..kodi() });
    }
}
