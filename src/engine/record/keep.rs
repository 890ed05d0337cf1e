//! What the engine wants kept, and how it is rebuilt from what was kept.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{AlertRecord, AppRecord, HistoryPart, HourRecord, Record, RowsRecord, TallyRecord};
use crate::engine::alerts::merge::take_in;
use crate::engine::alerts::notice::Mail;
use crate::engine::alerts::refusals::Refusals;
use crate::engine::app::history::{Days, History, Hours, Recent};
use crate::engine::app::monitor::Monitor;
use crate::engine::app::{App, AppId, Due, Forgiveness, Pace, Welcome};
use crate::engine::core::{Engine, Timer};
use crate::engine::schedule::spread;
use crate::engine::time::{Moment, Now, Stamp, Timeline};

/// Counters and history are recorded so often: what a crash may cost.
pub(in crate::engine) const TALLY_EVERY: Duration = Duration::from_secs(3600);

/// What has changed since the records were last taken.
#[derive(Debug, Default)]
pub(in crate::engine) struct Changes {
    apps: BTreeSet<AppId>,
    rows: BTreeSet<AppId>,
    tallies: BTreeSet<AppId>,
    stopped: BTreeSet<String>,
    mails: BTreeSet<u64>,
    taken_in: Vec<(u64, Mail)>,
    done: BTreeSet<u64>,
    accepted: Vec<(String, Stamp)>,
    refusals: BTreeSet<String>,
}

impl Changes {
    pub(in crate::engine) fn app(&mut self, id: AppId) {
        self.apps.insert(id);
    }

    pub(in crate::engine) fn rows(&mut self, id: AppId) {
        self.rows.insert(id);
    }

    pub(in crate::engine) fn tally(&mut self, id: AppId) {
        self.tallies.insert(id);
    }

    pub(in crate::engine) fn stopped(&mut self, name: &str) {
        self.stopped.insert(name.to_owned());
    }

    pub(in crate::engine) fn mail(&mut self, id: u64) {
        self.mails.insert(id);
    }

    pub(in crate::engine) fn mail_took_in(&mut self, id: u64, later: Mail) {
        self.taken_in.push((id, later));
    }

    pub(in crate::engine) fn mail_accepted(&mut self, to: &str, at: Stamp) {
        self.accepted.push((to.to_owned(), at));
    }

    pub(in crate::engine) fn refusal(&mut self, to: &str) {
        self.refusals.insert(to.to_owned());
    }

    pub(in crate::engine) fn mail_done(&mut self, id: u64) {
        self.mails.remove(&id);
        self.done.insert(id);
    }
}

impl Engine {
    /// The records of this turn: to be written, all or none, before its mails are sent and its
    /// commands are answered. Empty when nothing changed that must be kept.
    pub fn take_records(&mut self, now: Now) -> Vec<Record> {
        let changes = std::mem::take(&mut self.changes);
        let mut records: Vec<Record> = Vec::new();
        // A name that was stopped may have been registered anew in the same turn.
        records.extend(changes.stopped.into_iter().map(|app| Record::Stopped { app }));
        records
            .extend(changes.mails.iter().filter_map(|id| self.outbox.mail(*id)).map(mail_record));
        for (id, later) in changes.taken_in {
            // It is in the whole mail already.
            if !changes.mails.contains(&id) {
                records.push(Record::MailTookIn { id, later: Box::new(later) });
            }
        }
        records.extend(changes.done.into_iter().map(|id| Record::MailDone { id }));
        records
            .extend(changes.accepted.into_iter().map(|(to, at)| Record::MailAccepted { to, at }));
        records.extend(changes.refusals.into_iter().map(|to| match self.refusals.of(&to) {
            Some(refusal) => Record::MailRefused(refusal.clone()),
            None => Record::RefusalSeen { to },
        }));
        for id in &changes.apps {
            records.extend(self.apps.get(id).map(app_record));
        }
        for id in changes.rows.difference(&changes.apps) {
            records.extend(self.apps.get(id).map(rows_record));
        }
        let tallied = changes.tallies.iter().filter_map(|id| self.apps.get(id));
        if self.timeline.awaits_rewriting() {
            // What is new would be added to days that have other names by now.
            records.extend(tallied.map(|app| whole_record(now, app)));
        } else {
            let hour: Vec<HourRecord> = tallied.map(|app| hour_record(now, app)).collect();
            records.extend((!hour.is_empty()).then_some(Record::Hour { apps: hour }));
        }
        for id in changes.apps.iter().chain(&changes.rows) {
            if let Some(app) = self.apps.get_mut(id) {
                app.recorded = app.monitor.rows_that_matter();
            }
        }
        records
    }

    /// Everything that is to be kept, as if nothing had been recorded before.
    pub fn snapshot(&self, now: Now) -> Vec<Record> {
        let mails = self.outbox.mails().map(mail_record);
        let accepted = self.rates.all(now.at);
        let accepted = accepted.map(|(to, at)| Record::MailAccepted { to: to.to_owned(), at });
        let refused = self.refusals.all().cloned().map(Record::MailRefused);
        let apps = self.names.values().filter_map(|id| self.apps.get(id));
        mails
            .chain(accepted)
            // One that was accepted before the refusal does not end it.
            .chain(refused)
            .chain(apps.flat_map(|app| [app_record(app), whole_record(now, app)]))
            .collect()
    }

    /// Rebuilds the household from its records, oldest first, in an engine that watches nothing
    /// yet. Mails that wait are tried at once, and every app is checked within its interval.
    pub fn restore(&mut self, now: Now, records: Vec<Record>) {
        let mut kept = Kept::default();
        for record in records {
            kept.take(record);
        }
        kept.for_each_stamp(|stamp| self.timeline.recall(stamp.wall()));
        self.handle_clock(now, Duration::ZERO);
        kept.for_each_stamp(|stamp| self.timeline.place(now, stamp));
        for (to, at) in kept.accepted {
            self.rates.accepted(now.at, at, &to);
        }
        self.refusals = kept.refusals;
        let mut mails = Vec::new();
        for mail in kept.mails.into_values() {
            mails.push(mail.id);
            self.outbox.restore(now.at, *mail);
        }
        spread_first_checks(now, &mut kept.apps);
        for mut app in kept.apps.into_values() {
            app.record.registration.set_default_email(self.options.recipients.by_default());
            self.restore_app(now, app);
        }
        // Only now is it known which are to go together, and who knows what they tell.
        for id in self.bar(mails) {
            self.send(now, id);
        }
        self.tell_who_is_barred();
    }

    fn restore_app(&mut self, now: Now, KeptApp { record, tally, due }: KeptApp) {
        let at = due.unwrap_or(now.at);
        let id = self.new_id();
        let timer = (!record.paused).then(|| self.wheel.schedule(at, Timer::Check(id)));
        let pace = timer.map_or(Pace::Paused, |timer| Pace::Steady(Due { at, timer }));
        self.names.insert(record.registration.name.clone(), id);
        self.census.add(&record.registration);
        let monitor = Monitor {
            state: record.state,
            since: record.since,
            rows: record.rows,
            trouble_since: record.trouble_since,
        };
        let interval = record.registration.interval;
        let forgiven = |kept| Forgiveness::restore(kept, now, interval);
        let mut app = App {
            forgiveness: record.forgiveness.map(forgiven).unwrap_or_default(),
            alert: record.alert.map(AlertRecord::restored),
            welcome: if record.welcome_owed { Welcome::Owed } else { Welcome::Told },
            recorded: record.rows,
            ..App::unasked(record.registration, monitor, pace, at)
        };
        if let Some(tally) = tally {
            app.checks = tally.checks;
            app.warnings = tally.warnings;
            app.failures = tally.failures;
            app.history = restore_history(&self.timeline, now, &tally.history);
            let newest = || app.history.recent.newest_pass();
            app.last_healthy = tally.last_healthy.or_else(newest);
            app.last_healthy.iter_mut().for_each(|stamp| self.timeline.place(now, stamp));
        }
        self.apps.insert(id, app);
    }
}

/// The last record of everything, while records are read.
#[derive(Default)]
struct Kept {
    apps: BTreeMap<String, KeptApp>,
    mails: BTreeMap<u64, Box<Mail>>,
    accepted: Vec<(String, Stamp)>,
    refusals: Refusals,
}

/// The last records of an app.
struct KeptApp {
    record: Box<AppRecord>,
    tally: Option<TallyRecord>,
    /// When it is checked first; `None` when it is paused.
    due: Option<Moment>,
}

impl Kept {
    /// Hands over every time that is on record, but for those within histories: of these only the
    /// newest, for looking at.
    fn for_each_stamp(&mut self, mut look: impl FnMut(&mut Stamp)) {
        self.accepted.iter_mut().for_each(|(_, at)| look(at));
        self.refusals.for_each_stamp(&mut look);
        self.mails.values_mut().for_each(|mail| mail.for_each_stamp(&mut look));
        for KeptApp { record, tally, .. } in self.apps.values_mut() {
            look(&mut record.since);
            look(&mut record.trouble_since);
            record.alert.iter_mut().for_each(|alert| look(&mut alert.opened));
            let Some(tally) = tally else { continue };
            tally.last_healthy.iter_mut().for_each(&mut look);
            tally.history.recent.newest().iter_mut().for_each(&mut look);
            tally.history.day.newest().iter_mut().for_each(&mut look);
        }
    }

    fn take(&mut self, record: Record) {
        match record {
            Record::App(app) => {
                let name = app.registration.name.clone();
                let tally = self.apps.remove(&name).and_then(|known| known.tally);
                self.apps.insert(name, KeptApp { record: app, tally, due: None });
            }
            Record::Rows(rows) => {
                if let Some(app) = self.apps.get_mut(&rows.app) {
                    app.record.rows = rows.rows;
                    app.record.trouble_since = rows.trouble_since;
                }
            }
            Record::Tally(whole) => {
                if let Some(app) = self.apps.get_mut(&whole.app) {
                    app.tally = Some(whole);
                }
            }
            Record::Hour { apps } => apps.into_iter().for_each(|hour| self.hour(hour.into())),
            Record::Stopped { app } => {
                self.apps.remove(&app);
            }
            Record::Mail(mail) => {
                self.mails.insert(mail.id, mail);
            }
            Record::MailTookIn { id, later } => {
                if let Some(mail) = self.mails.get_mut(&id) {
                    take_in(mail, *later);
                }
            }
            Record::MailAccepted { to, at } => {
                self.refusals.over(&to);
                self.accepted.push((to, at));
            }
            Record::MailRefused(refusal) => self.refusals.restore(refusal),
            Record::RefusalSeen { to } => {
                self.refusals.over(&to);
            }
            Record::MailDone { id } => {
                self.mails.remove(&id);
            }
            // Of use to the daemon, which has looked at it before.
            Record::Port { .. } => {}
        }
    }

    fn hour(&mut self, mut tally: TallyRecord) {
        if let Some(app) = self.apps.get_mut(&tally.app) {
            if let Some(mut old) = app.tally.take() {
                old.history.extend(&tally.history);
                tally.history = old.history;
            }
            app.tally = Some(tally);
        }
    }
}

/// Spreads the first checks after a restart: the apps of one interval evenly over it.
fn spread_first_checks(now: Now, apps: &mut BTreeMap<String, KeptApp>) {
    let mut running: Vec<&mut KeptApp> =
        apps.values_mut().filter(|app| !app.record.paused).collect();
    running.sort_by_key(|app| app.record.registration.interval);
    let same_interval = |a: &&mut KeptApp, b: &&mut KeptApp| -> bool {
        a.record.registration.interval == b.record.registration.interval
    };
    for group in running.chunk_by_mut(same_interval) {
        let count = group.len();
        for (number, app) in group.iter_mut().enumerate() {
            let interval = app.record.registration.interval;
            app.due = Some(spread::even(now.at, interval, number, count));
        }
    }
}

fn mail_record(mail: &Mail) -> Record {
    Record::Mail(Box::new(mail.clone()))
}

fn app_record(app: &App) -> Record {
    Record::App(Box::new(AppRecord {
        registration: app.registration.clone(),
        paused: app.paused(),
        welcome_owed: app.welcome != Welcome::Told,
        state: app.state(),
        since: app.monitor.since,
        rows: app.monitor.rows,
        trouble_since: app.monitor.trouble_since,
        alert: app.alert.as_ref().map(AlertRecord::of),
        forgiveness: app.forgiveness.record(),
    }))
}

fn rows_record(app: &App) -> Record {
    Record::Rows(RowsRecord {
        app: app.registration.name.clone(),
        rows: app.monitor.rows,
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

fn restore_history(timeline: &Timeline, now: Now, part: &HistoryPart) -> History {
    History {
        recent: Recent::restore(&part.recent),
        hours: Hours::restore(timeline, now, &part.day),
        days: Days::restore(&part.days, timeline.wall(now)),
        ..History::default()
    }
}

fn whole_record(now: Now, app: &App) -> Record {
    Record::Tally(tally(app, whole_history(now, app)))
}

/// An app that passed just now was last healthy then: it need not be said twice.
fn hour_record(now: Now, app: &App) -> HourRecord {
    let mut tally = tally(app, latest_history(now, app));
    tally.last_healthy = tally.last_healthy.filter(|_| app.history.recent.newest_pass().is_none());
    tally.into()
}

fn tally(app: &App, history: HistoryPart) -> TallyRecord {
    TallyRecord {
        app: app.registration.name.clone(),
        checks: app.checks,
        warnings: app.warnings,
        failures: app.failures,
        last_healthy: app.last_healthy,
        history,
    }
}
