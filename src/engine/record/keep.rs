//! What the machines want kept, as records.

use super::{
    AlertRecord, AppRecord, CountersRecord, HistoryPart, HourRecord, Record, StreaksRecord,
};
use crate::engine::chronicle::{Changed, Chronicle};
use crate::engine::incidents::Incidents;
use crate::engine::incidents::alert::Alert;
use crate::engine::outbox::mail::Mail;
use crate::engine::outbox::rate_limit::Had;
use crate::engine::outbox::{self, Outbox};
use crate::engine::recipients::Recipient;
use crate::engine::registration::Registration;
use crate::engine::registry::history::History;
use crate::engine::registry::{App, AppId, AppMark, Registry, Welcome};
use crate::engine::sorted::SortedMap;
use crate::engine::surroundings::Surroundings;
use crate::engine::time::{Now, Timeline, Wall};

/// What has changed since this was called last: to be written, all or none.
pub(in crate::engine) fn changes(
    now: Now,
    timeline: &Timeline,
    (registry, surroundings, chronicle, incidents, outbox): (
        &mut Registry,
        &mut Surroundings,
        &mut Chronicle,
        &mut Incidents,
        &mut Outbox,
    ),
) -> Vec<Record> {
    let (apps, alerts, run) =
        (registry.take_changes(), incidents.take_changed(), surroundings.take_changed());
    let (told, mails) = (chronicle.take_changed(), outbox.take_changes());
    // As in most turns: each check has two.
    if apps.is_empty() && alerts.is_empty() && run.is_none() && told.is_empty() && mails.is_empty()
    {
        return Vec::new();
    }
    let mut marks: SortedMap<AppId, AppMark> = SortedMap::default();
    let alerts = alerts.into_iter().map(|id| (id, AppMark::Whole));
    for (id, mark) in apps.apps.into_iter().chain(alerts) {
        marks.update(id, || mark, |known| *known = mark.max(*known));
    }
    // A name that was stopped may have been registered anew in the same turn.
    let mut records: Vec<Record> =
        apps.stopped.into_iter().map(|app| Record::Stopped { app }).collect();
    records.extend(run.cloned().map(Record::Run));
    records.extend(told.into_iter().map(|changed| match changed {
        Changed::Whole(incident) => Record::Incident(incident),
        Changed::Apps(id, apps) => Record::IncidentApps { id, apps },
        Changed::Gone(id) => Record::IncidentGone { id },
    }));
    mail_changes(outbox, mails, &mut records);
    let marked_as = |mark| marks.iter().filter(move |(_, its)| **its == mark).map(|(id, _)| *id);
    for id in marked_as(AppMark::Whole) {
        records.extend(registry.get(id).map(|app| app_record(app, incidents.alert(id))));
    }
    for id in marked_as(AppMark::Streaks) {
        records.extend(registry.get(id).map(streaks_record));
    }
    let counted = apps.counted.iter().filter_map(|id| registry.get(*id));
    if timeline.awaits_rewriting() {
        // What is new would be added to days that have other names by now.
        records.extend(counted.map(|app| whole_record(now, app)));
    } else {
        let hour: Vec<HourRecord> = counted.map(|app| hour_record(now, app)).collect();
        records.extend((!hour.is_empty()).then_some(Record::Hour { apps: hour }));
    }
    marked(timeline, records)
}

/// Records of a run whose clock is in doubt say so.
fn marked(timeline: &Timeline, mut records: Vec<Record>) -> Vec<Record> {
    if timeline.is_in_doubt() {
        records.iter_mut().for_each(|record| record.for_each_stamp(|stamp| timeline.mark(stamp)));
    }
    records
}

fn mail_changes(outbox: &Outbox, changes: outbox::Changes, records: &mut Vec<Record>) {
    records.extend(changes.mails.whole.iter().filter_map(|id| outbox.mail(*id)).map(mail_record));
    let merged = changes.mails.merged.into_iter();
    records.extend(merged.map(|(id, later)| Record::MailMerged { id, later: Box::new(later) }));
    records.extend(changes.mails.done.into_iter().map(|id| Record::MailDone { id }));
    records.extend(changes.accepted.into_iter().map(|(to, had)| accepted_record(to, had)));
    records.extend(changes.refusals.into_iter().map(|to| match outbox.refusal(&to) {
        Some(refusal) => Record::MailRefused(refusal.clone()),
        None => Record::RefusalSeen { to },
    }));
}

/// Everything that is to be kept, as if nothing had been recorded before.
pub(in crate::engine) fn everything(
    now: Now,
    timeline: &Timeline,
    (registry, surroundings, chronicle, incidents, outbox): (
        &Registry,
        &Surroundings,
        &Chronicle,
        &Incidents,
        &Outbox,
    ),
) -> Vec<Record> {
    let mails = outbox.mails().map(mail_record);
    let accepted = outbox.counting(now.at);
    let accepted = accepted.map(|(to, had)| accepted_record(to.clone(), had));
    let refused = outbox.refusals().cloned().map(Record::MailRefused);
    let apps = registry.by_name();
    let apps =
        apps.flat_map(|(id, app)| [app_record(app, incidents.alert(id)), whole_record(now, app)]);
    let run = std::iter::once(Record::Run(surroundings.run().clone()));
    let past = chronicle.incidents().map(|it| Record::Incident(Box::new(it.clone())));
    // One that was accepted before the refusal does not end it.
    let mail = mails.chain(accepted).chain(refused);
    marked(timeline, mail.chain(run).chain(past).chain(apps).collect())
}

fn mail_record(mail: &Mail) -> Record {
    Record::Mail(Box::new(mail.clone()))
}

fn accepted_record(to: Recipient, Had { at, trouble }: Had) -> Record {
    Record::MailAccepted { to, at, trouble }
}

fn app_record(app: &App, alert: Option<&Alert>) -> Record {
    Record::App(Box::new(AppRecord {
        registration: Registration::clone(&app.registration),
        paused: app.paused,
        welcome_owed: app.welcome != Welcome::Told,
        state: app.state(),
        since: app.monitor.since,
        streaks: app.monitor.streaks,
        trouble_since: app.monitor.trouble_since,
        alert: alert.map(AlertRecord::of),
        forgiveness: app.forgiveness.record(),
        quiet_since: app.asked_quiet.map(|asked| asked.since),
        quiet_for: app.asked_quiet.map_or(0, |asked| asked.span.as_secs()),
        certificate_said: app.certificate_said.map_or(0, |ends| ends.since(Wall::EPOCH).as_secs()),
    }))
}

fn streaks_record(app: &App) -> Record {
    Record::Streaks(StreaksRecord {
        app: app.registration.name.clone(),
        streaks: app.monitor.streaks,
        trouble_since: app.monitor.trouble_since,
    })
}

/// Everything that is remembered.
fn whole_history(now: Now, app: &App) -> HistoryPart {
    let History { recent, hours, days, .. } = &app.history;
    HistoryPart { day: hours.record(now), days: days.record(), recent: recent.record() }
}

/// What may have changed since an hour ago.
fn latest_history(now: Now, app: &App) -> HistoryPart {
    let History { recent, hours, days, .. } = &app.history;
    HistoryPart {
        day: hours.record_latest(now),
        days: days.record_latest(),
        recent: recent.record_latest(),
    }
}

fn whole_record(now: Now, app: &App) -> Record {
    Record::Counters(counters(app, whole_history(now, app)))
}

/// An app that passed just now was last healthy then: it need not be said twice.
fn hour_record(now: Now, app: &App) -> HourRecord {
    let mut counters = counters(app, latest_history(now, app));
    counters.last_healthy =
        counters.last_healthy.filter(|_| app.history.recent.newest_pass().is_none());
    counters.into()
}

fn counters(app: &App, history: HistoryPart) -> CountersRecord {
    CountersRecord {
        app: app.registration.name.clone(),
        checks: app.checks,
        warnings: app.warnings,
        failures: app.failures,
        last_healthy: app.last_healthy,
        history,
    }
}
