//! What was seen, as devices: each with its kind, whether it is watched, and what would tell its health.

use std::net::SocketAddr;

use serde::Serialize;

use crate::client::discovery::INSTANCE;
use crate::daemon::api::parameters::Pair;
use crate::daemon::discovery::Seen;
use crate::engine::presets::{Preset, Suggestion};
use crate::engine::registration::host::is_own_machine;
use crate::engine::registration::{Host, Registration, name};

/// Something that announces itself.
#[derive(Debug, Serialize)]
pub(crate) struct Device {
    /// As its owner calls it.
    pub name: String,
    /// What it is.
    pub kind: &'static str,
    /// The type under which it announces itself.
    pub service: &'static str,
    /// Where that is,
    pub address: SocketAddr,
    /// and what that machine is called.
    #[serde(skip)]
    pub host: String,
    /// The app that is watched there already.
    pub watched: Option<String>,
    /// What to register; nothing if it is watched.
    pub monitor: Option<Proposal>,
}

/// Fields of `monitor`.
#[derive(Debug, Serialize)]
pub(crate) struct Proposal {
    pub appname: String,
    pub url: String,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub path: &'static str,
    #[serde(skip_serializing_if = "str::is_empty")]
    pub expect: &'static str,
}

impl Proposal {
    /// As `monitor` takes them.
    pub(super) fn fields(&self) -> Vec<Pair> {
        let all = [
            ("appname", self.appname.as_str()),
            ("url", &self.url),
            ("path", self.path),
            ("expect", self.expect),
        ];
        let said = all.into_iter().filter(|(_, value)| !value.is_empty());
        said.map(|(name, value)| (name.to_owned(), value.to_owned())).collect()
    }
}

/// An app that is watched: its name, and where, if it is anywhere.
#[derive(Debug)]
pub(crate) struct Watched {
    name: String,
    place: Option<(Host, u16)>,
}

impl Watched {
    pub(super) fn of(app: &Registration) -> Watched {
        let place = app.target.place().map(|place| (place.host.clone(), place.port));
        Watched { name: app.name.clone(), place }
    }

    fn is_at(&self, one: &Seen, preset: &Preset) -> bool {
        let Some((host, port)) = &self.place else { return false };
        let is_host = match host {
            Host::Address(ip) => *ip == one.at.ip(),
            Host::Name(name) => *name == one.host,
        };
        is_host && (*port == one.at.port() || *port == preset.port(one.at))
    }
}

/// By kind and name.
pub(super) fn devices(seen: &[Seen], watched: &[Watched]) -> Vec<Device> {
    let mut devices: Vec<Device> = Vec::new();
    for one in seen.iter().filter(|one| is_another(one)) {
        let Some(preset) = Preset::find(one.service, &one.name) else { continue };
        let by = watched.iter().find(|app| app.is_at(one, preset)).map(|app| app.name.clone());
        let taken = |name: &str| {
            watched.iter().any(|app| app.name == name)
                || devices.iter().any(|other| other.proposes(name))
        };
        let monitor = match by {
            Some(_) => None,
            None => Some(proposal(one, preset, &taken)),
        };
        devices.push(Device {
            name: one.name.clone(),
            kind: preset.kind,
            service: one.service,
            address: one.at,
            host: one.host.clone(),
            watched: by,
            monitor,
        });
    }
    devices.sort_by(|a, b| (a.kind, &a.name).cmp(&(b.kind, &b.name)));
    devices
}

impl Device {
    fn proposes(&self, name: &str) -> bool {
        self.monitor.as_ref().is_some_and(|monitor| monitor.appname == name)
    }
}

/// Neither ourselves, nor somebody who says that we are it.
fn is_another(one: &Seen) -> bool {
    !one.name.starts_with(INSTANCE) && !is_own_machine(one.at.ip()) && one.at.port() != 0
}

fn proposal(one: &Seen, preset: &Preset, taken: &dyn Fn(&str) -> bool) -> Proposal {
    let Suggestion { url, path, expect } = preset.suggestion(one.at);
    // A name that cannot be an app's is what it is.
    let plain = name::tidy(&one.name).ok().filter(|name| !name.is_empty());
    let plain = plain.unwrap_or_else(|| preset.kind.to_owned());
    let of_kind = format!("{plain} ({})", preset.kind);
    let appname = [plain, of_kind.clone()].into_iter().find(|name| !taken(name));
    let appname = appname.unwrap_or_else(|| format!("{of_kind} {}", one.at));
    Proposal { appname, url, path, expect }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(service: &'static str, name: &str, at: &str) -> Seen {
        Seen { service, name: name.into(), host: "box.local".into(), at: at.parse().unwrap() }
    }

    fn watched(name: &str, host: Host, port: u16) -> Watched {
        Watched { name: name.to_owned(), place: Some((host, port)) }
    }

    fn in_short(devices: &[Device]) -> Vec<String> {
        let one = |device: &Device| match (&device.watched, &device.monitor) {
            (Some(by), None) => format!("{}: watched as {by}", device.name),
            (None, Some(it)) => format!("{} at {}", it.appname, it.url),
            other => panic!("{other:?}"),
        };
        devices.iter().map(one).collect()
    }

    #[test]
    fn what_is_watched_is_marked_whether_by_its_address_or_by_its_name() {
        let all = [
            seen("_ssh._tcp", "box", "10.0.0.7:22"),
            seen("_http._tcp", "box", "10.0.0.7:80"),
            seen("_sonos._tcp", "Kitchen", "10.0.0.8:1443"),
        ];
        let known = [
            watched("My box", Host::Name("box.local".into()), 80),
            watched("Radio", Host::Address("10.0.0.8".parse().unwrap()), 1400),
        ];
        let found =
            ["box at tcp://10.0.0.7:22", "Kitchen: watched as Radio", "box: watched as My box"];
        let mut devices = in_short(&devices(&all, &known));
        devices.sort();
        let mut found = found.map(str::to_owned);
        found.sort();
        assert_eq!(devices, found);
    }

    #[test]
    fn each_proposal_has_a_name_of_its_own() {
        let all = [
            seen("_ssh._tcp", "box", "10.0.0.7:22"),
            seen("_smb._tcp", "box", "10.0.0.7:445"),
            seen("_smb._tcp", "box", "10.0.0.9:445"),
        ];
        let known = [watched("box", Host::Address("10.0.0.1".parse().unwrap()), 1)];
        let devices = devices(&all, &known);
        let names: std::collections::BTreeSet<&str> = devices
            .iter()
            .filter_map(|one| one.monitor.as_ref())
            .map(|it| it.appname.as_str())
            .collect();
        assert_eq!(names.len(), 3, "{names:?}");
        assert!(!names.contains("box"));
    }

    #[test]
    fn neither_we_nor_who_points_at_us_is_proposed() {
        let all = [
            seen("_http._tcp", "_healthchecker", "10.0.0.7:80"),
            seen("_http._tcp", "liar", "127.0.0.1:80"),
            seen("_http._tcp", "liar", "[::1]:80"),
            seen("_http._tcp", "liar", "10.0.0.7:0"),
        ];
        assert!(devices(&all, &[]).is_empty());
    }

    #[test]
    fn the_name_of_a_beat_is_taken_too() {
        let backup = Watched { name: "box".to_owned(), place: None };
        let devices = devices(&[seen("_ssh._tcp", "box", "10.0.0.7:22")], &[backup]);
        assert_eq!(in_short(&devices), ["box (SSH) at tcp://10.0.0.7:22"]);
    }

    #[test]
    fn what_has_no_name_is_what_it_is() {
        let devices = devices(&[seen("_ssh._tcp", " ", "10.0.0.7:22")], &[]);
        assert_eq!(in_short(&devices), ["SSH at tcp://10.0.0.7:22"]);
    }
}
