//! What must outlive a power cut: facts for the journal, and the household rebuilt from them.
//!
//! A later record about an app or a mail takes the place of earlier ones. The records of one turn
//! of the engine belong together: all of them are kept, or none.

mod alert;
pub(in crate::engine) mod keep;
mod registration;
pub(in crate::engine) mod restore;

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

use self::registration::RegistrationRecord;
use crate::engine::chronicle::{Affected, Incident};
use crate::engine::incidents::alert::Level;
use crate::engine::outbox::mail::Mail;
use crate::engine::outbox::refusals::Refusal;
use crate::engine::recipients::Recipient;
use crate::engine::registration::Registration;
use crate::engine::registry::ForgivenessRecord;
use crate::engine::registry::history::{DaysRecord, HoursRecord, RecentRecord};
use crate::engine::registry::monitor::Streaks;
use crate::engine::sorted::SortedMap;
use crate::engine::state::State;
use crate::engine::surroundings::run::Run;
use crate::engine::time::Stamp;

/// One fact.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Record {
    /// An app, whole: registered or changed.
    App(Box<AppRecord>),
    /// Rows of an app that went on without a change of state.
    #[serde(rename = "rows")]
    Streaks(StreaksRecord),
    /// Counters and history of an app, all of them.
    #[serde(rename = "tally")]
    Counters(CountersRecord),
    /// What an hour brought to the counters and histories of all apps.
    Hour {
        /// One entry for each app.
        apps: Vec<HourRecord>,
    },
    /// An app is watched no longer.
    Stopped {
        /// Its name.
        app: String,
    },
    /// A mail was written to the outbox, or took in another notice.
    Mail(Box<Mail>),
    /// A mail that waits tells what this one was to tell, too.
    #[serde(rename = "mail_took_in")]
    MailMerged {
        /// The id of the one that waits.
        id: u64,
        /// The one that it took in.
        later: Box<Mail>,
    },
    /// A mail was accepted: it counts for an hour.
    MailAccepted {
        /// The recipient.
        to: Recipient,
        /// When.
        at: Stamp,
        /// Whether it told that an app is unwell.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        trouble: bool,
    },
    /// Mails to an address were refused for good, and nobody has seen it yet. It ends with the next
    /// [`Record::MailAccepted`] of that address.
    MailRefused(Refusal),
    /// It ended, by a mail that was accepted or since somebody has seen it.
    RefusalSeen {
        /// The recipient.
        to: Recipient,
    },
    /// A mail is done with: accepted, or refused for good.
    MailDone {
        /// Its id.
        id: u64,
    },
    /// An incident, whole: it began or ended, somebody was told.
    Incident(Box<Incident>),
    /// What is known by now of apps in an incident.
    IncidentApps {
        /// Its number.
        id: u64,
        /// Those that have changed.
        apps: Vec<Affected>,
    },
    /// There was no room for an incident.
    IncidentGone {
        /// Its number.
        id: u64,
    },
    /// The run of the daemon that wrote it.
    Run(Run),
    /// The port that was served last.
    Port {
        /// The port.
        port: u16,
    },
    /// Where a name led last.
    Name {
        /// The name.
        name: String,
        /// The best first.
        addresses: Vec<IpAddr>,
    },
}

impl Record {
    /// Hands over every time in it, but for those within histories.
    fn for_each_stamp(&mut self, mut look: impl FnMut(&mut Stamp)) {
        match self {
            Record::App(app) => app.for_each_stamp(look),
            Record::Run(run) => run.for_each_stamp(look),
            Record::Incident(incident) => incident.for_each_stamp(look),
            Record::IncidentApps { apps, .. } => {
                apps.iter_mut().for_each(|app| look(&mut app.since));
            }
            Record::Streaks(streaks) => look(&mut streaks.trouble_since),
            Record::Counters(counters) => counters.last_healthy.iter_mut().for_each(look),
            Record::Hour { apps } => {
                apps.iter_mut().filter_map(|hour| hour.7.as_mut()).for_each(look);
            }
            Record::Mail(mail) | Record::MailMerged { later: mail, .. } => {
                mail.for_each_stamp(look)
            }
            Record::MailAccepted { at, .. } => look(at),
            Record::MailRefused(refusal) => look(&mut refusal.at),
            Record::Stopped { .. }
            | Record::RefusalSeen { .. }
            | Record::MailDone { .. }
            | Record::IncidentGone { .. }
            | Record::Port { .. }
            | Record::Name { .. } => {}
        }
    }
}

impl AppRecord {
    /// Hands over every time in it.
    fn for_each_stamp(&mut self, mut look: impl FnMut(&mut Stamp)) {
        look(&mut self.since);
        look(&mut self.trouble_since);
        self.quiet_since.iter_mut().for_each(&mut look);
        if let Some(alert) = &mut self.alert {
            look(&mut alert.opened);
            alert.report_at.iter_mut().for_each(&mut look);
            alert.recovered.iter_mut().chain(&mut alert.reminded).for_each(&mut look);
            let muted = alert.differing.values_mut().filter_map(|it| it.muted_since.as_mut());
            muted.for_each(&mut look);
        }
    }
}

/// An app, but for its counters and history.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AppRecord {
    /// What was registered.
    #[serde(with = "RegistrationRecord")]
    pub registration: Registration,
    /// Whether it is paused.
    pub paused: bool,
    /// Whether the first pass is still to be told.
    pub welcome_owed: bool,
    /// The state.
    pub state: State,
    /// Since when.
    pub since: Stamp,
    /// The rows.
    #[serde(rename = "rows")]
    pub streaks: Streaks,
    /// The first check of the row that did not pass.
    pub trouble_since: Stamp,
    /// The open alert.
    pub alert: Option<AlertRecord>,
    /// What is left of the time after a registration in which refused connections do not count.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub forgiveness: Option<ForgivenessRecord>,
    /// Since when nobody is told of it, if somebody asked for that,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quiet_since: Option<Stamp>,
    /// and for how many seconds.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub quiet_for: u64,
    /// The end of its certificate that was said to be near, in seconds since 1970; 0: none was.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub certificate_said: u64,
}

/// An open alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AlertRecord {
    /// The worst that was told last.
    pub level: Level,
    /// When it was opened.
    pub opened: Stamp,
    /// The message ids of its mails for each person who was told.
    pub threads: SortedMap<String, Vec<String>>,
    /// What those know for whom it is not `level` in all mails that were written.
    #[serde(default, skip_serializing_if = "SortedMap::is_empty")]
    pub differing: SortedMap<String, ToldRecord>,
    /// The app is well again, and some have not been told.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub over: bool,
    /// The number of the incident that it was told in with others, by a report or another mail.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report: Option<u64>,
    /// When that was told first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub report_at: Option<Stamp>,
    /// When it was over last, if people were told of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub recovered: Option<Stamp>,
    /// People were told that the app keeps failing.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub keeps_failing: bool,
    /// What they were told is that nothing answers at its host.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub silent: bool,
    /// How often it fell ill since it was last well for a while; left out for once.
    #[serde(default = "once", skip_serializing_if = "is_once")]
    pub falls: u32,
    /// When people were reminded of it last.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reminded: Option<Stamp>,
    /// It may be one incident with others, and nobody is told yet.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub collected: bool,
}

/// What a person was told of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldRecord {
    /// By the last mail that was written; left out for the end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub written: Option<Level>,
    /// By the last mail that the mail server took; left out before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub arrived: Option<Level>,
    /// Since when they want to hear no more of it, if they do,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub muted_since: Option<Stamp>,
    /// and for how many seconds; 0: until it is over.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub muted_for: u64,
}

/// Rows of one app.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct StreaksRecord {
    /// Its name.
    pub app: String,
    /// The rows.
    #[serde(rename = "rows")]
    pub streaks: Streaks,
    /// The first check of the row that did not pass.
    pub trouble_since: Stamp,
}

/// Counters and history of one app.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct CountersRecord {
    /// Its name.
    pub app: String,
    /// Checks with a verdict.
    pub checks: u64,
    /// Those among them that warned.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub warnings: u64,
    /// Failed ones among them.
    pub failures: u64,
    /// The last check that passed; left out when it is the newest of the recent ones.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last_healthy: Option<Stamp>,
    /// What is remembered of single hours, days and checks.
    pub history: HistoryPart,
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_zero(number: &u64) -> bool {
    *number == 0
}

/// What is so of an alert of an earlier release.
fn once() -> u32 {
    1
}

#[allow(clippy::trivially_copy_pass_by_ref, reason = "serde asks for a reference")]
fn is_once(number: &u32) -> bool {
    *number == 1
}

/// Counters of one app, and what is new in its history: a [`CountersRecord`] without the names of its
/// fields, for every app writes one every hour, and they were a third of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct HourRecord(
    /// The app's name.
    pub String,
    /// See [`CountersRecord::checks`].
    pub u64,
    /// See [`CountersRecord::warnings`].
    pub u64,
    /// See [`CountersRecord::failures`].
    pub u64,
    /// See [`HistoryPart::day`].
    pub HoursRecord,
    /// See [`HistoryPart::days`].
    pub DaysRecord,
    /// See [`HistoryPart::recent`].
    pub RecentRecord,
    /// See [`CountersRecord::last_healthy`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub Option<Stamp>,
);

impl From<CountersRecord> for HourRecord {
    fn from(counters: CountersRecord) -> HourRecord {
        let CountersRecord { app, checks, warnings, failures, last_healthy, history } = counters;
        let HistoryPart { day, days, recent } = history;
        HourRecord(app, checks, warnings, failures, day, days, recent, last_healthy)
    }
}

impl From<HourRecord> for CountersRecord {
    fn from(hour: HourRecord) -> CountersRecord {
        let HourRecord(app, checks, warnings, failures, day, days, recent, last_healthy) = hour;
        let history = HistoryPart { day, days, recent };
        CountersRecord { app, checks, warnings, failures, last_healthy, history }
    }
}

/// The history of one app; in an hourly record only what is new.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct HistoryPart {
    /// The last day, by the hour.
    pub day: HoursRecord,
    /// The last 90 days, by the day.
    #[serde(default)]
    pub days: DaysRecord,
    /// The recent checks.
    pub recent: RecentRecord,
}

impl HistoryPart {
    /// Takes in what was recorded later.
    pub(in crate::engine) fn extend(&mut self, later: &HistoryPart) {
        self.day.extend(&later.day);
        self.days.extend(&later.days);
        self.recent.extend(&later.recent);
    }
}
