//! The report after an interruption: who is not back. One mail for each person, and one more when the
//! last of theirs is well.

use std::collections::{BTreeMap, BTreeSet};

use super::Incidents;
use super::alert::{Alert, Level};
use crate::engine::outbox::merge::APPS_MAX;
use crate::engine::outbox::notice::{AllBack, NotBack, Notice, Report};
use crate::engine::outbox::{Message, Outbox};
use crate::engine::recipients::Recipient;
use crate::engine::registry::{App, AppId, Registry};
use crate::engine::state::State;
use crate::engine::surroundings::settling::Ended;

impl Incidents {
    /// Apps had their time to come back, and it is over. Those that are missing are UNHEALTHY by now.
    pub fn handle_settled(
        &mut self,
        ended: &Ended,
        registry: &Registry,
        outbox: &Outbox,
    ) -> Vec<Message> {
        let number = self.next_report();
        let mut reports: BTreeMap<Recipient, (Report, Vec<AppId>)> = BTreeMap::new();
        for missing in &ended.missing {
            let Some(app) = registry.get(missing.id) else { continue };
            self.alerts.edit(&missing.id, |alert| alert.report = Some(number));
            for to in outbox.told(app.registration.recipients()) {
                let (report, ids) = reports.entry(to).or_insert_with(|| (empty(ended), Vec::new()));
                // What is beyond is told as any other trouble.
                if ids.len() < APPS_MAX {
                    ids.push(missing.id);
                    let app = app.registration.name.clone();
                    let reason = registry.get(missing.id).map(App::reason).unwrap_or_default();
                    report.missing.push(NotBack { app, reason: reason.to_owned() });
                }
            }
        }
        count(ended, registry, outbox, &mut reports);
        let messages = |(to, (report, ids)): (Recipient, (Report, Vec<AppId>))| {
            let thread = self.threads(&ids, &to, registry, outbox);
            for id in ids {
                let named = registry.get(id).map(|app| outbox.told(app.registration.recipients()));
                let named = named.unwrap_or_default();
                self.alerts.edit(&id, |alert| alert.tell(&to, Level::Unhealthy, &named));
            }
            Message { to, notice: Notice::Report(Box::new(report)), thread }
        };
        reports.into_iter().map(messages).collect()
    }

    /// An app of a report is well: who has all of theirs back is told so.
    pub(super) fn back_in_report(
        &mut self,
        number: u64,
        registry: &Registry,
        outbox: &Outbox,
    ) -> Vec<Message> {
        let mut theirs: BTreeMap<Recipient, Vec<AppId>> = BTreeMap::new();
        let mut awaited: BTreeSet<Recipient> = BTreeSet::new();
        for (id, alert) in self.alerts.iter().filter(|(_, alert)| alert.report == Some(number)) {
            for (to, told) in alert.everybody().filter(|(_, told)| told.written.is_some()) {
                let is_spared =
                    told.arrived.is_none() && !self.is_on_its_way(*id, to, registry, outbox);
                if !alert.over {
                    awaited.insert(to.clone());
                } else if is_spared || outbox.recipients().may_be_told(to) || outbox.has_one_for(to)
                {
                    theirs.entry(to.clone()).or_default().push(*id);
                }
            }
        }
        theirs.retain(|to, _| !awaited.contains(to));
        let mut messages = Vec::new();
        for (to, ids) in theirs {
            let (told, spared): (Vec<AppId>, Vec<AppId>) = ids.into_iter().partition(|id| {
                let arrived = self.alerts.get(id).and_then(|alert| alert.told(&to)?.arrived);
                arrived.is_some() || self.is_on_its_way(*id, &to, registry, outbox)
            });
            let thread = self.threads(&told, &to, registry, outbox);
            messages.extend(self.all_back(&told, registry).map(|back| Message {
                to: to.clone(),
                notice: Notice::AllBack(back),
                thread,
            }));
            told.iter().for_each(|id| _ = self.alerts.edit(id, |alert| alert.tell_end(&to)));
            spared.iter().for_each(|id| _ = self.alerts.edit(id, |alert| alert.forget(&to)));
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
        let apps: Vec<&App> = ids.iter().filter_map(|id| registry.get(*id)).collect();
        let opened = ids.iter().filter_map(|id| Some(self.alerts.get(id)?.opened));
        let since = opened.reduce(|a, b| if b.is_not_after(a) { b } else { a })?;
        let well = apps.iter().map(|app| app.monitor.since);
        let at = well.reduce(|a, b| if a.is_not_after(b) { b } else { a })?;
        let lasted = since.until(at);
        Some(AllBack {
            apps: apps.iter().map(|app| app.registration.name.clone()).collect(),
            since,
            at,
            lasted_ms: u64::try_from(lasted.span.as_millis()).unwrap_or(u64::MAX),
            lasted_at_least: !lasted.exact,
        })
    }

    /// The message ids that a mail about all of these answers.
    fn threads(
        &self,
        ids: &[AppId],
        to: &Recipient,
        registry: &Registry,
        outbox: &Outbox,
    ) -> Vec<String> {
        let mut thread: Vec<String> = Vec::new();
        for id in ids {
            let Some(app) = registry.get(*id) else { continue };
            for message_id in self.thread(*id, &app.registration.name, to, outbox) {
                if !thread.contains(&message_id) {
                    thread.push(message_id);
                }
            }
        }
        thread
    }

    fn next_report(&self) -> u64 {
        let open = self.alerts.values().filter_map(|alert: &Alert| alert.report);
        open.max().map_or(1, |newest| newest.saturating_add(1))
    }
}

fn empty(ended: &Ended) -> Report {
    Report {
        after: ended.after,
        at: ended.began,
        last_record: ended.last_record,
        well: 0,
        of: 0,
        missing: Vec::new(),
        unhealthy_before: Vec::new(),
        paused: Vec::new(),
    }
}

/// Counts what became of the apps of everybody who gets a report.
fn count(
    ended: &Ended,
    registry: &Registry,
    outbox: &Outbox,
    reports: &mut BTreeMap<Recipient, (Report, Vec<AppId>)>,
) {
    if reports.is_empty() {
        return;
    }
    let back: BTreeSet<AppId> = ended.back.iter().copied().collect();
    let missing = ended.missing.iter().map(|missing| missing.id);
    let awaited: BTreeSet<AppId> =
        missing.chain(back.iter().copied()).chain(ended.undecided.iter().copied()).collect();
    for (id, app) in registry.by_name() {
        for to in outbox.told(app.registration.recipients()) {
            let Some((report, _)) = reports.get_mut(&to) else { continue };
            let name = || app.registration.name.clone();
            if awaited.contains(&id) {
                report.of += 1;
                // Who was back and is ill again has a mail of its own.
                let is_well = back.contains(&id) && app.state() != State::Unhealthy;
                report.well += usize::from(is_well);
            } else if app.paused && report.paused.len() < APPS_MAX {
                report.paused.push(name());
            } else if app.state() == State::Unhealthy && report.unhealthy_before.len() < APPS_MAX {
                report.unhealthy_before.push(name());
            }
        }
    }
}
