//! What there is on the network that could be watched: devices that announce themselves, each with what would tell its
//! health. Nothing is kept of it: the answer has it all.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use serde::Serialize;

use super::ApiContext;
use super::format::Format;
use super::problem::Problem;
use super::response::Payload;
use crate::client::discovery::INSTANCE;
use crate::daemon::discovery::{self, Seen};
use crate::daemon::page::ScanPage;
use crate::engine::presets::{Preset, Suggestion};
use crate::engine::registration::address::{Host, is_own_machine};
use crate::engine::registration::name;

/// Devices that sleep answer the second question, which goes out after a second; the third after three.
const SCAN_TAKES: Duration = Duration::from_secs(5);

/// What was found.
#[derive(Debug, Serialize)]
pub(crate) struct ScanView {
    /// By kind and name.
    pub seen: Vec<Device>,
}

/// Something that announces itself.
#[derive(Debug, Serialize)]
pub(crate) struct Device {
    /// As its owner calls it.
    pub name: String,
    /// What it is.
    pub kind: &'static str,
    /// The type under which it announces itself.
    pub service: &'static str,
    /// Where that is.
    pub address: SocketAddr,
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

/// An app that is watched: its name, and where.
type Watched = (String, Host, u16);

/// While it lives, no other scan begins: each has sockets of its own on every network.
struct Turn<'a>(&'a AtomicBool);

impl Turn<'_> {
    fn take(under_way: &AtomicBool) -> Result<Turn<'_>, Problem> {
        if under_way.swap(true, Ordering::AcqRel) {
            let why = "somebody else is looking around just now; try again in a few seconds";
            return Err(Problem::unavailable(why.to_owned()));
        }
        Ok(Turn(under_way))
    }
}

impl Drop for Turn<'_> {
    fn drop(&mut self) {
        self.0.store(false, Ordering::Release);
    }
}

impl ApiContext {
    /// Asks the network, and says what answered. Blocks this thread of the API for as long.
    pub(super) fn scan(&self, format: Format) -> Result<Payload, Problem> {
        let turn = Turn::take(&self.scanning)?;
        let seen = discovery::survey(&Preset::services(), SCAN_TAKES).map_err(|why| {
            Problem::unavailable(format!("the network cannot be asked by multicast: {why}"))
        })?;
        drop(turn);
        let watched = self.query_all(|_, _, app, _| {
            let place = app.registration.target.place()?;
            Some((app.registration.name.clone(), place.host.clone(), place.port))
        })?;
        let watched: Vec<Watched> = watched.into_iter().flatten().collect();
        let view = ScanView { seen: devices(&seen, &watched) };
        Ok(match format {
            Format::Html => Payload::Page(ScanPage(&view).html()),
            Format::Json => Payload::Scan(view),
        })
    }
}

fn devices(seen: &[Seen], watched: &[Watched]) -> Vec<Device> {
    let mut devices: Vec<Device> = Vec::new();
    for one in seen.iter().filter(|one| is_another(one)) {
        let Some(preset) = Preset::find(one.service, &one.name) else { continue };
        let by = watched.iter().find(|app| is_at(app, one, preset)).map(|(name, ..)| name.clone());
        let taken = |name: &str| {
            watched.iter().any(|(known, ..)| known == name)
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

fn is_at((_, host, port): &Watched, one: &Seen, preset: &Preset) -> bool {
    let is_host = match host {
        Host::Address(ip) => *ip == one.at.ip(),
        Host::Name(name) => *name == one.host,
    };
    is_host && (*port == one.at.port() || *port == preset.port(one.at))
}

fn proposal(one: &Seen, preset: &Preset, taken: &dyn Fn(&str) -> bool) -> Proposal {
    let Suggestion { url, path, expect } = preset.suggestion(one.at);
    // A name that cannot be an app's is what it is.
    let plain = name::tidy(&one.name).unwrap_or_else(|_| preset.kind.to_owned());
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
        (name.to_owned(), host, port)
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
    fn one_at_a_time() {
        let under_way = AtomicBool::new(false);
        let turn = Turn::take(&under_way).ok().unwrap();
        assert_eq!(Turn::take(&under_way).err().unwrap().status, 503);
        drop(turn);
        assert!(Turn::take(&under_way).is_ok());
    }
}
