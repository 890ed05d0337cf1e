//! The report after an interruption: who is not back. One mail for each person, and one more when the
//! last of theirs is [well](super::together).

use super::alert::{Level, Tie};
use super::{Incidents, Known};
use crate::engine::outbox::Message;
use crate::engine::outbox::merge::APPS_MAX;
use crate::engine::outbox::notice::{NotBack, Notice, Report};
use crate::engine::recipients::Recipient;
use crate::engine::registry::AppId;
use crate::engine::sorted::{SortedMap, SortedSet};
use crate::engine::state::State;
use crate::engine::surroundings::settling::{Aftermath, Ended};
use crate::engine::time::{Now, Stamp};

impl Incidents {
    /// Apps had their time to come back, and it is over. Those that are missing are UNHEALTHY by now.
    /// They are in the `incident` of this number.
    pub fn handle_settled(
        &mut self,
        now: Now,
        ended: &Ended,
        incident: Option<u64>,
        known: Known<'_>,
    ) -> Vec<Message> {
        let Known { registry, outbox, .. } = known;
        let tie = Tie::Of { number: self.next_number(), told: Stamp::noted(now) };
        let mut reports: SortedMap<Recipient, (Report, Vec<AppId>)> = SortedMap::default();
        for missing in &ended.missing {
            let Some(app) = registry.get(missing.id) else { continue };
            self.alerts.edit(&missing.id, |alert| alert.begin_anew(app.monitor.since));
            if known.is_hushed(missing.id) {
                self.put_off(missing.id, app);
                continue;
            }
            let told = outbox.told(app.registration.recipients());
            let is_news = |to: &Recipient| {
                !self.is_muted(missing.id, to, known) && !self.is_known_to_fail(missing.id, to)
            };
            for to in told.into_iter().filter(is_news) {
                let fresh = || (empty(ended, incident), Vec::new());
                reports.update(to, fresh, |(report, ids)| {
                    // What is beyond is told as any other trouble.
                    if ids.len() < APPS_MAX {
                        ids.push(missing.id);
                        let (app, reason) =
                            (app.registration.name.clone(), app.reason().to_owned());
                        report.missing.push(NotBack { app, reason });
                    }
                });
            }
        }
        self.count(ended, known, &mut reports);
        // What only part of the house needs is no news by itself: that nobody is back but who was unwell anyway.
        if matches!(ended.after, Aftermath::Router | Aftermath::Internet) {
            let is_news = |to: &Recipient, ids: &[AppId]| {
                let mut alerts = ids.iter().filter_map(|id| self.alerts.get(id));
                alerts.any(|alert| alert.is_news(to, Level::Unhealthy))
            };
            reports.retain(|to, (report, ids)| report.well > 0 || is_news(to, ids));
        }
        let messages = |(to, (report, ids)): (Recipient, (Report, Vec<AppId>))| {
            let thread = self.threads(&ids, &to, known);
            for id in ids {
                let named = registry.get(id).map(|app| outbox.told(app.registration.recipients()));
                let named = named.unwrap_or_default();
                self.alerts.edit(&id, |alert| {
                    alert.tie = tie;
                    alert.tell(&to, Level::Unhealthy, &named);
                });
            }
            Message { to, notice: Notice::Report(Box::new(report)), thread }
        };
        reports.into_iter().map(messages).collect()
    }

    /// A person was told that an app keeps failing: that it is not back is no news.
    fn is_known_to_fail(&self, id: AppId, to: &Recipient) -> bool {
        let alert = self.alerts.get(&id).filter(|alert| alert.keeps_failing);
        alert.is_some_and(|alert| !alert.is_news(to, Level::Unhealthy))
    }

    /// Counts what became of the apps of everybody who gets a report.
    fn count(
        &self,
        ended: &Ended,
        known: Known<'_>,
        reports: &mut SortedMap<Recipient, (Report, Vec<AppId>)>,
    ) {
        if reports.is_empty() {
            return;
        }
        let Known { registry, outbox, .. } = known;
        let back: SortedSet<AppId> = ended.back.iter().copied().collect();
        let missing = || ended.missing.iter().map(|missing| missing.id);
        // Of them it is told later,
        let hushed: SortedSet<AppId> = missing().filter(|id| known.is_hushed(*id)).collect();
        // and who has heard enough of one hears so later.
        let is_missing: SortedSet<AppId> = missing().collect();
        let is_told_later =
            |id: AppId, to: &Recipient| is_missing.contains(&id) && self.is_muted(id, to, known);
        let awaited: SortedSet<AppId> =
            missing().chain(back.iter().copied()).chain(ended.undecided.iter().copied()).collect();
        for (id, app) in registry.by_name().filter(|(id, _)| !hushed.contains(id)) {
            for to in outbox.told(app.registration.recipients()) {
                let Some((report, _)) = reports.get_mut(&to) else { continue };
                if is_told_later(id, &to) {
                    continue;
                }
                let name = || app.registration.name.clone();
                if awaited.contains(&id) {
                    report.of += 1;
                    // Who was back and is ill again has a mail of its own.
                    let is_well = back.contains(&id) && app.state() != State::Unhealthy;
                    report.well += usize::from(is_well);
                } else if app.paused && report.paused.len() < APPS_MAX {
                    report.paused.push(name());
                } else if app.state() == State::Unhealthy
                    && report.unhealthy_before.len() < APPS_MAX
                {
                    report.unhealthy_before.push(name());
                }
            }
        }
    }
}

fn empty(ended: &Ended, incident: Option<u64>) -> Report {
    Report {
        incident,
        after: ended.after,
        at: ended.began,
        last_record: ended.last_record,
        router: ended.router,
        well: 0,
        of: 0,
        missing: Vec::new(),
        unhealthy_before: Vec::new(),
        paused: Vec::new(),
    }
}
