//! What became of mails: what their readers know by now.

use super::Incidents;
use super::alert::{Alert, Level, Told};
use crate::engine::outbox::Outbox;
use crate::engine::outbox::mail::Mail;
use crate::engine::recipients::Recipient;
use crate::engine::registry::Registry;
use crate::engine::state::State;

impl Incidents {
    /// The mail server took a mail: its reader knows now what it tells.
    pub fn handle_arrival(&mut self, mail: &Mail, registry: &Registry) {
        self.update(mail, registry, &mut |alert, state| {
            alert.arrive(&mail.to, &mail.message_id, Level::of(state));
        });
    }

    /// A mail was refused for good. Who was not told of trouble has not heard of it; the end of it
    /// is not tried again.
    pub fn handle_refusal(&mut self, mail: &Mail, registry: &Registry) {
        self.update(mail, registry, &mut |alert, state| {
            if state == State::Healthy {
                alert.arrive(&mail.to, &mail.message_id, None);
            }
        });
    }

    /// Records were lost to damage. People are taken to know what the last mail tells them that waits
    /// or has arrived, whatever was written; those to whom mails are refused are left alone.
    pub fn handle_loss(&mut self, registry: &Registry, outbox: &Outbox) {
        for (id, app) in registry.by_name() {
            let Some(alert) = self.alerts.get(&id) else { continue };
            let name = app.registration.name.as_str();
            let last_told = |(to, told): (&Recipient, &Told)| {
                let waits = outbox.telling(to, name).last();
                let change =
                    waits.and_then(|mail| mail.conclusions().find(|(app, _)| *app == name));
                (to.clone(), change.map_or(told.arrived, |(_, state)| Level::of(state)))
            };
            let people = alert.everybody().filter(|(to, _)| outbox.refusal(to).is_none());
            let people: Vec<(Recipient, Option<Level>)> = people.map(last_told).collect();
            self.alerts.edit(&id, |alert| {
                people.iter().for_each(|(to, level)| alert.set_written(to, *level));
            });
            self.close_if_done(id);
        }
    }

    /// Changes the alerts that a mail tells of, by the last that it tells of each.
    pub(super) fn update(
        &mut self,
        mail: &Mail,
        registry: &Registry,
        update: &mut dyn FnMut(&mut Alert, State),
    ) {
        for (app, state) in mail.conclusions() {
            let Some(id) = registry.id_of(app) else { continue };
            self.alerts.edit(&id, |alert| {
                if alert.told(&mail.to).is_some() {
                    update(alert, state);
                }
            });
            self.close_if_done(id);
        }
    }
}
