//! What is shown of incidents: those of the chronicle, and what is going on around us.

use serde::{Serialize, Serializer};

use super::View;
use crate::engine::chronicle::{Incident, Kind, MutedUntil};
use crate::engine::recipients::Recipient;
use crate::engine::state::State;
use crate::engine::time::{Now, Stamp, Wall};

/// Missing apps that are named in a line.
const NAMED: usize = 5;

/// Incidents, newest first: the answer to `incidents`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IncidentsView(pub Vec<Incident>);

/// What is going on around us.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AroundView {
    /// Since when our network is down.
    pub network_down_since: Option<Stamp>,
    /// Apps have their time to come back.
    pub settling: Option<SettlingView>,
}

/// How far things have settled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettlingView {
    /// Since when.
    pub since: Stamp,
    /// How many are back,
    pub back: usize,
    /// of how many.
    pub of: usize,
    /// Some of those that are not, by name.
    pub missing: Vec<String>,
}

impl View<'_> {
    /// Some of the incidents before the one of this number, or of all, newest first; none where that was
    /// the last.
    pub fn incidents(&self, now: Now, before: Option<u64>) -> Vec<Incident> {
        let mut portion = self.chronicle.portion(before);
        for incident in portion.iter_mut().filter(|incident| incident.ended.is_none()) {
            for number in 0..incident.told.len() {
                let to = incident.told.get(number).map(|told| told.to.clone());
                let muted = to.and_then(|to| self.muted_until(now, incident, &to));
                incident.told.get_mut(number).into_iter().for_each(|told| told.muted = muted);
            }
        }
        portion
    }

    /// What is going on around us.
    pub fn around(&self) -> AroundView {
        let settling = self.surroundings.settling().map(|settling| {
            let missing = self.registry.by_name().filter(|(id, _)| settling.awaits(*id));
            let back = settling.back().len();
            SettlingView {
                since: settling.began,
                back,
                of: back + settling.awaited().count(),
                missing: missing.take(NAMED).map(|(_, it)| it.registration.name.clone()).collect(),
            }
        });
        let network_down_since = self.surroundings.network().down().map(|(_, since)| since);
        AroundView { network_down_since, settling }
    }
}

#[derive(Serialize)]
struct Shown<'a> {
    id: u64,
    kind: Kind,
    cause: &'a str,
    began: Wall,
    ended: Option<Wall>,
    ended_by: Option<&'static str>,
    apps: Vec<ShownApp<'a>>,
    told: Vec<ShownTold<'a>>,
}

#[derive(Serialize)]
struct ShownApp<'a> {
    appname: &'a str,
    state: State,
    reason: &'a str,
    since: Wall,
}

#[derive(Serialize)]
struct ShownTold<'a> {
    email: &'a Recipient,
    at: Wall,
    muted_until: Option<MutedUntil>,
}

impl<'a> Shown<'a> {
    fn of(incident: &'a Incident) -> Shown<'a> {
        let apps = incident.apps.iter().map(|app| ShownApp {
            appname: &app.name,
            state: app.state,
            reason: &app.reason,
            since: app.since.wall(),
        });
        let told = incident.told.iter().map(|told| ShownTold {
            email: &told.to,
            at: told.at.wall(),
            muted_until: told.muted,
        });
        Shown {
            id: incident.id,
            kind: incident.kind,
            cause: &incident.cause,
            began: incident.began.wall(),
            ended: incident.ended.map(Stamp::wall),
            ended_by: incident.ended_by.map(|by| by.word()),
            apps: apps.collect(),
            told: told.collect(),
        }
    }
}

impl Serialize for IncidentsView {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct All<'a> {
            incidents: Vec<Shown<'a>>,
        }
        All { incidents: self.0.iter().map(Shown::of).collect() }.serialize(to)
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::engine::chronicle::{Affected, EndedBy, Told};

    #[test]
    fn an_incident_has_exactly_the_fields_of_the_contract() {
        let at = |seconds: i64| Stamp::on_record(Wall::from_unix_millis(seconds * 1000));
        let incident = Incident {
            id: 7,
            kind: Kind::Power,
            cause: "power cut".to_owned(),
            began: at(0),
            ended: Some(at(3)),
            ended_by: Some(EndedBy::Recovery),
            settling: false,
            apps: vec![Affected {
                name: "NAS".to_owned(),
                state: State::Healthy,
                reason: "no answer".to_owned(),
                since: at(3),
                over: true,
            }],
            told: vec![Told { to: Recipient::mail("a@b.c"), at: at(2), muted: None }],
        };
        let open = Incident { ended: None, ended_by: None, ..incident.clone() };
        let shown = serde_json::to_value(IncidentsView(vec![incident, open])).unwrap();
        let expected = json!({
            "id": 7, "kind": "power", "cause": "power cut", "began": "1970-01-01T00:00:00Z",
            "ended": "1970-01-01T00:00:03Z", "ended_by": "recovery",
            "apps": [{"appname": "NAS", "state": "HEALTHY", "reason": "no answer",
                      "since": "1970-01-01T00:00:03Z"}],
            "told": [{"email": "a@b.c", "at": "1970-01-01T00:00:02Z", "muted_until": null}],
        });
        assert_eq!(shown["incidents"][0], expected);
        assert_eq!(shown["incidents"][1]["ended"], json!(null));
        assert_eq!(shown["incidents"][1]["ended_by"], json!(null));
    }
}
