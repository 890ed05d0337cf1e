//! The household rebuilt from its records.

use std::time::Duration;

use super::{AlertRecord, AppRecord, CountersRecord, HistoryPart, Record};
use crate::engine::chronicle::Incident;
use crate::engine::incidents::alert::Alert;
use crate::engine::outbox::mail::Mail;
use crate::engine::outbox::merge::merge;
use crate::engine::outbox::rate_limit::Had;
use crate::engine::outbox::refusals::Refusal;
use crate::engine::recipients::Recipient;
use crate::engine::registry::history::{Days, History, Hours, Recent};
use crate::engine::registry::monitor::Monitor;
use crate::engine::registry::quiet::AskedFor;
use crate::engine::registry::{App, Forgiveness, Welcome};
use crate::engine::scheduler::spread;
use crate::engine::sorted::SortedMap;
use crate::engine::surroundings::run::Run;
use crate::engine::time::{Moment, Now, Stamp, Timeline, Wall};

/// The last record of everything.
#[derive(Default)]
pub(in crate::engine) struct Household {
    apps: SortedMap<String, Box<KeptApp>>,
    mails: SortedMap<u64, Box<Mail>>,
    accepted: Vec<(Recipient, Had)>,
    refusals: SortedMap<Recipient, Box<Refusal>>,
    run: Option<Run>,
    incidents: SortedMap<u64, Box<Incident>>,
}

/// The last records of an app.
struct KeptApp {
    record: Box<AppRecord>,
    counters: Option<CountersRecord>,
    /// When it is to be checked first.
    due: Option<Moment>,
}

/// An app as it was.
pub(in crate::engine) struct RestoredApp {
    pub(in crate::engine) app: App,
    pub(in crate::engine) alert: Option<Alert>,
    /// When it is checked first; `None` when it is paused.
    pub(in crate::engine) due: Option<Moment>,
}

/// Everything as it was, but for the apps.
pub(in crate::engine) struct RestoredMail {
    /// Oldest first.
    pub(in crate::engine) mails: Vec<Mail>,
    pub(in crate::engine) accepted: Vec<(Recipient, Had)>,
    pub(in crate::engine) refusals: Vec<Refusal>,
}

impl Household {
    /// Reads records, oldest first.
    pub(in crate::engine) fn read(records: Vec<Record>) -> Household {
        let mut household = Household::default();
        records.into_iter().for_each(|record| household.take(record));
        household
    }

    /// What there is of mail.
    pub(in crate::engine) fn take_mail(&mut self) -> RestoredMail {
        RestoredMail {
            mails: std::mem::take(&mut self.mails).into_values().map(|mail| *mail).collect(),
            accepted: std::mem::take(&mut self.accepted),
            refusals: std::mem::take(&mut self.refusals).into_values().map(|one| *one).collect(),
        }
    }

    /// The last run of the daemon.
    pub(in crate::engine) fn run(&self) -> Option<&Run> {
        self.run.as_ref()
    }

    /// The incidents that are kept.
    pub(in crate::engine) fn take_incidents(&mut self) -> impl Iterator<Item = Incident> {
        std::mem::take(&mut self.incidents).into_values().map(|incident| *incident)
    }

    /// The apps, by name. `default_email` is who is told about those that name nobody; each is asked
    /// within its interval, and within `asked_every`.
    pub(in crate::engine) fn apps(
        mut self,
        now: Now,
        timeline: &Timeline,
        default_email: &[Recipient],
        asked_every: Option<Duration>,
    ) -> Vec<RestoredApp> {
        set_first_checks(now, &mut self.apps, asked_every);
        let restored = |mut kept: Box<KeptApp>| {
            kept.record.registration.set_default_email(default_email);
            kept.restored(now, timeline)
        };
        self.apps.into_values().map(restored).collect()
    }

    /// Hands over every time that is on record, but for those within histories: of these only the
    /// newest, for looking at.
    pub(in crate::engine) fn for_each_stamp(&mut self, mut look: impl FnMut(&mut Stamp)) {
        self.accepted.iter_mut().for_each(|(_, had)| look(&mut had.at));
        self.refusals.values_mut().for_each(|refusal| look(&mut refusal.at));
        self.mails.values_mut().for_each(|mail| mail.for_each_stamp(&mut look));
        self.run.iter_mut().for_each(|run| run.for_each_stamp(&mut look));
        self.incidents.values_mut().for_each(|incident| incident.for_each_stamp(&mut look));
        for app in self.apps.values_mut() {
            app.record.for_each_stamp(&mut look);
            let Some(counters) = &mut app.counters else { continue };
            counters.last_healthy.iter_mut().for_each(&mut look);
            counters.history.recent.newest().iter_mut().for_each(&mut look);
            counters.history.day.newest().iter_mut().for_each(&mut look);
        }
    }

    fn take(&mut self, record: Record) {
        match record {
            Record::App(app) => {
                let name = app.registration.name.clone();
                let counters = self.apps.remove(&name).and_then(|known| known.counters);
                self.apps.insert(name, Box::new(KeptApp { record: app, counters, due: None }));
            }
            Record::Streaks(its) => {
                if let Some(app) = self.apps.get_mut(&its.app) {
                    app.record.streaks = its.streaks;
                    app.record.trouble_since = its.trouble_since;
                }
            }
            Record::Counters(whole) => {
                if let Some(app) = self.apps.get_mut(&whole.app) {
                    app.counters = Some(whole);
                }
            }
            Record::Hour { apps } => apps.into_iter().for_each(|hour| self.hour(hour.into())),
            Record::Stopped { app } => {
                self.apps.remove(&app);
            }
            Record::Mail(mail) if mail.given_up => {
                self.mails.remove(&mail.id);
            }
            Record::Mail(mail) => {
                self.mails.insert(mail.id, mail);
            }
            Record::MailMerged { id, later } => {
                if let Some(mail) = self.mails.get_mut(&id) {
                    merge(mail, *later);
                } else {
                    // Damage has cost the mail itself. What it took in is news all the same.
                    self.mails.insert(id, Box::new(Mail { id, ..*later }));
                }
            }
            Record::MailAccepted { to, at, trouble } => {
                self.refusals.remove(&to);
                self.accepted.push((to, Had { at, trouble }));
            }
            Record::MailRefused(refusal) => {
                self.refusals.insert(refusal.to.clone(), Box::new(refusal));
            }
            Record::RefusalSeen { to } => {
                self.refusals.remove(&to);
            }
            Record::MailDone { id } => {
                self.mails.remove(&id);
            }
            Record::Run(run) => self.run = Some(run),
            Record::Incident(incident) => {
                self.incidents.insert(incident.id, incident);
            }
            Record::IncidentApps { id, apps } => {
                if let Some(incident) = self.incidents.get_mut(&id) {
                    apps.into_iter().for_each(|app| incident.put(app));
                }
            }
            Record::IncidentGone { id } => {
                self.incidents.remove(&id);
            }
            // Of use to the daemon, which has looked at it before.
            Record::Port { .. } | Record::Name { .. } => {}
        }
    }

    fn hour(&mut self, mut counters: CountersRecord) {
        if let Some(app) = self.apps.get_mut(&counters.app) {
            if let Some(mut old) = app.counters.take() {
                old.history.extend(&counters.history);
                counters.history = old.history;
            }
            app.counters = Some(counters);
        }
    }
}

impl KeptApp {
    fn restored(self, now: Now, timeline: &Timeline) -> RestoredApp {
        let KeptApp { record, counters, due } = self;
        let monitor = Monitor {
            state: record.state,
            since: record.since,
            streaks: record.streaks,
            trouble_since: record.trouble_since,
        };
        let interval = record.registration.interval;
        // A clock that starts in 1970, or an hour behind, forgives nobody anew.
        let known = Now { wall: timeline.wall(now), ..now };
        let forgiven = |kept| Forgiveness::restore(kept, known, interval);
        let mut app = App {
            forgiveness: record.forgiveness.map(forgiven).unwrap_or_default(),
            welcome: if record.welcome_owed { Welcome::Owed } else { Welcome::Told },
            paused: record.paused,
            asked_quiet: record
                .quiet_since
                .map(|since| AskedFor { since, span: Duration::from_secs(record.quiet_for) }),
            certificate_said: Some(record.certificate_said)
                .filter(|seconds| *seconds > 0)
                .map(|seconds| Wall::EPOCH.after(Duration::from_secs(seconds))),
            ..App::unasked(record.registration, monitor)
        };
        if let Some(counters) = counters {
            app.checks = counters.checks;
            app.warnings = counters.warnings;
            app.failures = counters.failures;
            app.history = restore_history(timeline, now, &counters.history);
            let newest = || app.history.recent.newest_pass();
            app.last_healthy = counters.last_healthy.or_else(newest);
            app.last_healthy.iter_mut().for_each(|stamp| timeline.place(now, stamp));
        }
        RestoredApp { app, alert: record.alert.map(AlertRecord::restored), due }
    }
}

/// Sets when the apps are checked first that are not paused: those of one interval evenly over it.
fn set_first_checks(
    now: Now,
    apps: &mut SortedMap<String, Box<KeptApp>>,
    asked_every: Option<Duration>,
) {
    let mut of_interval: SortedMap<Duration, Vec<&mut KeptApp>> = SortedMap::default();
    for app in apps.values_mut().filter(|app| !app.record.paused) {
        let interval = app.record.registration.interval;
        let interval = interval.min(asked_every.unwrap_or(interval));
        of_interval.update(interval, Vec::new, |together| together.push(app));
    }
    for (interval, together) in of_interval {
        let among = together.len();
        for (number, app) in together.into_iter().enumerate() {
            app.due = Some(spread::even(now.at, interval, number, among));
        }
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
