//! The end of what was told together: one mail to each person, when the last of theirs is well.

use super::alert::Alert;
use super::flapping::may_fail_again;
use super::{Incidents, Known, change};
use crate::engine::outbox::notice::{AllBack, Notice};
use crate::engine::outbox::{Message, Outbox};
use crate::engine::recipients::Recipient;
use crate::engine::registry::{App, AppId, Registry};
use crate::engine::sorted::{SortedMap, SortedSet};
use crate::engine::time::Now;

impl Incidents {
    /// An app of an incident is well, or waited for no longer: who has all of theirs well is told so.
    pub(super) fn all_well(&mut self, now: Now, number: u64, known: Known<'_>) -> Vec<Message> {
        let Known { registry, outbox, .. } = known;
        let mut theirs: SortedMap<Recipient, Vec<AppId>> = SortedMap::default();
        let mut awaited: SortedSet<Recipient> = SortedSet::default();
        for (id, alert) in self.of(number) {
            // Who is paused is well when it is resumed, perhaps never, and who is off when it is on.
            let app = registry.get(id);
            let rests = app.is_some_and(|app| app.paused || app.is_off());
            // How they are is told later, by itself.
            let rests = rests || known.is_hushed(id);
            let is_well = !known.is_hushed(id)
                && alert.over
                && app.is_none_or(|app| !may_fail_again(now, alert, app));
            for (to, told) in alert.everybody().filter(|(_, told)| told.written.is_some()) {
                let is_spared =
                    told.arrived.is_none() && !self.is_on_its_way(id, to, registry, outbox);
                if !is_well {
                    awaited.extend((!rests).then(|| to.clone()));
                } else if is_spared || outbox.recipients().may_be_told(to) || outbox.has_one_for(to)
                {
                    theirs.update(to.clone(), Vec::new, |ids| ids.push(id));
                }
            }
        }
        let mut messages = Vec::new();
        for (to, ids) in theirs.into_iter().filter(|(to, _)| !awaited.contains(to)) {
            let (told, spared): (Vec<AppId>, Vec<AppId>) = ids.into_iter().partition(|id| {
                let arrived = self.alerts.get(id).and_then(|alert| alert.told(&to)?.arrived);
                arrived.is_some() || self.is_on_its_way(*id, &to, registry, outbox)
            });
            let thread = self.threads(&told, &to, known);
            messages.extend(self.all_back(&told, registry).map(|back| Message {
                to: to.clone(),
                notice: Notice::AllBack(back),
                thread,
            }));
            for id in &told {
                let Some(app) = registry.get(*id) else { continue };
                self.alerts.edit(id, |alert| alert.tell_end(&to, change::well_since(app, alert)));
            }
            spared.iter().for_each(|id| _ = self.alerts.edit(id, |alert| alert.spare(&to)));
            told.into_iter().chain(spared).for_each(|id| self.close_if_done(id));
        }
        messages
    }

    fn is_on_its_way(
        &self,
        id: AppId,
        to: &Recipient,
        registry: &Registry,
        outbox: &Outbox,
    ) -> bool {
        let app = registry.get(id);
        app.is_some_and(|app| outbox.telling(to, &app.registration.name).next().is_some())
    }

    fn all_back(&self, ids: &[AppId], registry: &Registry) -> Option<AllBack> {
        let told = |id: &AppId| Some((registry.get(*id)?, self.alerts.get(id)?));
        let told: Vec<(&App, &Alert)> = ids.iter().filter_map(told).collect();
        let opened = told.iter().map(|(_, alert)| alert.opened);
        let since = opened.reduce(|a, b| if b.is_not_after(a) { b } else { a })?;
        let well = told.iter().map(|(app, alert)| change::well_since(app, alert));
        let at = well.reduce(|a, b| if a.is_not_after(b) { b } else { a })?;
        let lasted = since.until(at);
        Some(AllBack {
            apps: told.iter().map(|(app, _)| app.registration.name.clone()).collect(),
            since,
            at,
            lasted_ms: u64::try_from(lasted.span.as_millis()).unwrap_or(u64::MAX),
            lasted_at_least: !lasted.exact,
        })
    }

    /// The message ids that a mail about all of these answers.
    pub(super) fn threads(&self, ids: &[AppId], to: &Recipient, known: Known<'_>) -> Vec<String> {
        let mut thread: Vec<String> = Vec::new();
        for id in ids {
            let Some(app) = known.registry.get(*id) else { continue };
            for message_id in self.thread(*id, &app.registration.name, to, known.outbox) {
                if !thread.contains(&message_id) {
                    thread.push(message_id);
                }
            }
        }
        thread
    }
}
