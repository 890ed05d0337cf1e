//! Who has muted what, as it is shown.

use super::View;
use crate::engine::chronicle::{Incident, MutedUntil};
use crate::engine::incidents::Known;
use crate::engine::incidents::alert::Alert;
use crate::engine::incidents::mutes::What;
use crate::engine::recipients::Recipient;
use crate::engine::state::State;
use crate::engine::time::{Now, Zone};

/// An app whose trouble people were told of, and lasts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutedApp {
    /// Its name.
    pub name: String,
    /// Its state.
    pub state: State,
    /// Who was told.
    pub people: Vec<MutedPerson>,
}

/// Somebody who was told.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MutedPerson {
    /// Who.
    pub to: Recipient,
    /// Until when they hear no more, if so.
    pub muted: Option<MutedUntil>,
}

impl MutedPerson {
    /// Whether, and until when, they hear no more.
    pub fn sentence(&self, zone: &Zone) -> String {
        self.muted.map_or_else(|| "not muted".to_owned(), |muted| muted.sentence(zone))
    }
}

impl View<'_> {
    /// What lasts of something that people were told, and who has muted it; none: nothing of it does.
    pub fn muted(&self, now: Now, what: &What) -> Vec<MutedApp> {
        let View { registry, surroundings, outbox, incidents, .. } = *self;
        let open = incidents.open(what, Known { registry, surroundings, outbox });
        let app = |(id, people): (_, Vec<Recipient>)| {
            let app = registry.get(id)?;
            let alert = incidents.alert(id)?;
            let muted = |to: &Recipient| muted(alert, to, now);
            let people = people.into_iter();
            let people = people.map(|to| MutedPerson { muted: muted(&to), to }).collect();
            let name = app.registration.name.clone();
            Some(MutedApp { name, state: self.state(id, app), people })
        };
        open.into_iter().filter_map(app).collect()
    }

    /// Until when a person hears no more of an incident: of the app of it that they hear of last.
    pub(super) fn muted_until(
        &self,
        now: Now,
        incident: &Incident,
        to: &Recipient,
    ) -> Option<MutedUntil> {
        let ids = incident.apps.iter().filter_map(|app| self.registry.id_of(&app.name));
        let alerts = ids.filter_map(|id| self.incidents.alert(id)).filter(|alert| !alert.over);
        alerts.filter_map(|alert| muted(alert, to, now)).max()
    }
}

fn muted(alert: &Alert, to: &Recipient, now: Now) -> Option<MutedUntil> {
    Some(match alert.told(to)?.muted?.left(now.at) {
        Some(left) => MutedUntil::Time(now.wall.after(left)),
        None => MutedUntil::Recovery,
    })
}
