//! What really happened in a household, and what its people were told: all that the judge is given.
//!
//! Everything is in true time: milliseconds since the story began, on a clock that no power cut stops
//! and nobody sets. The daemon never sees it.

use serde::{Deserialize, Serialize};

use healthchecker::engine::state::State;
use healthchecker::engine::verdict::answer::Outcome;

/// True time, in ms since the story began.
pub(crate) type Ms = u64;

/// From, and up to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: Ms,
    /// `None`: until after the end of the story.
    pub(crate) until: Option<Ms>,
}

/// An app, by its place in [`Story::apps`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct AppId(pub(crate) usize);

/// A person, by their place in [`Story::people`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct PersonId(pub(crate) usize);

/// A host, by its number in the house.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct HostId(pub(crate) usize);

/// A cause, by its place in [`Story::causes`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct CauseId(pub(crate) usize);

/// The whole of it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Story {
    pub(crate) seed: u64,
    /// How long it is.
    pub(crate) length: Ms,
    pub(crate) apps: Vec<App>,
    /// Their addresses.
    pub(crate) people: Vec<String>,
    /// In the order in which they began.
    pub(crate) causes: Vec<Cause>,
    /// When no mail could be accepted, whoever sent it.
    pub(crate) mail_away: Vec<Span>,
    /// When the router was away, or without power; always, if it never answers anybody.
    pub(crate) router_away: Vec<Span>,
    /// When there was no line to the internet.
    pub(crate) line_away: Vec<Span>,
    /// People are told again of trouble that lasts.
    pub(crate) reminds: bool,
    /// Quiet times of all apps that have none of their own.
    pub(crate) quiet: String,
    /// Who had heard enough of what; in order.
    pub(crate) mutes: Vec<Mute>,
    /// What the daemon's wall clock showed: each entry holds until the next.
    pub(crate) clock: Vec<ClockSet>,
    /// Each run of the daemon.
    pub(crate) runs: Vec<Span>,
    /// Whenever the daemon was not there, from its end, or its last step before, until it went on.
    pub(crate) absences: Vec<Absence>,
    /// In the order in which they were accepted.
    pub(crate) letters: Vec<Letter>,
    /// Whenever a mail was tried in vain: not accepted, or its 250 lost. In order.
    pub(crate) tries: Vec<Try>,
}

/// Somebody has heard enough of trouble, or wants to hear again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Mute {
    /// When that was carried out,
    pub(crate) at: Ms,
    /// or refused: there was nothing that it could mean.
    pub(crate) refused: bool,
    /// Of what.
    pub(crate) of: Muted,
    /// Who; `None`: everybody who was told.
    pub(crate) to: Option<PersonId>,
    /// For how long.
    pub(crate) lasts: Lasts,
}

/// What is muted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Muted {
    /// All that a mail tells.
    Mail(String),
    App(AppId),
}

/// For how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Lasts {
    For(Ms),
    UntilWell,
    /// No longer.
    Not,
}

/// The daemon was not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Absence {
    pub(crate) how: Away,
    pub(crate) span: Span,
}

/// Why it was not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Away {
    /// It was killed or stopped, and started anew within the same boot.
    Restarted,
    /// Its machine was booted.
    Booted,
    /// Its machine slept.
    Slept,
    /// It stood still, and its machine did not.
    StoodStill,
}

/// A mail was tried in vain.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Try {
    pub(crate) to: PersonId,
    /// When it was put into words for this attempt.
    pub(crate) begun: Ms,
    /// When the engine learned that it was in vain.
    pub(crate) at: Ms,
}

/// The daemon's wall clock, from `from` on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct ClockSet {
    pub(crate) from: Ms,
    /// What it shows then, in ms since 1970; it goes on from there.
    pub(crate) shows: i64,
    /// What it should show then.
    pub(crate) right: i64,
}

/// An app: what was asked for it, and how its checks went.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) name: String,
    pub(crate) host: HostId,
    /// Registered so; a change of settings ends one and begins the next. In order, without overlaps.
    pub(crate) registrations: Vec<Registered>,
    /// Every `monitor` call that was accepted, also where it changed nothing: each may forgive
    /// refusals anew. In order.
    pub(crate) calls: Vec<Ms>,
    /// Paused by a person.
    pub(crate) paused: Vec<Span>,
    /// Nobody was to be told for so long: as it was asked for, or until that was taken back.
    pub(crate) hushed: Vec<Span>,
    /// Off or away, of one that may be so; the judge finds out.
    pub(crate) off: Vec<Span>,
    /// When it was heard, of one that reports by itself; in order.
    pub(crate) heard: Vec<Ms>,
    /// What it was to report, and we did not hear; in order. What has the same causes, one after the other, is one.
    pub(crate) unheard: Vec<Unheard>,
    /// Every check that did not pass, and after each of them, and after each resume and each new
    /// address, the next ten that did, and the first that did after each time in which we were away or
    /// cut off: in order of their ends.
    pub(crate) checks: Vec<Checked>,
    /// The state that the daemon held it to be in, each until the next: as it shows it, but for the time
    /// in which it shows that it cannot know.
    pub(crate) states: Vec<(Ms, State)>,
}

/// A report that did not come, or not as far as us.
#[derive(Clone, Debug)]
pub(crate) struct Unheard {
    /// When it was to.
    pub(crate) at: Ms,
    /// Why it did not, ours among them.
    pub(crate) causes: Vec<CauseId>,
}

/// What was accepted for an app.
#[derive(Clone, Debug)]
pub(crate) struct Registered {
    pub(crate) span: Span,
    /// The whole health address. Another one is another beginning: rows start again.
    pub(crate) url: String,
    pub(crate) interval: Ms,
    /// How long a check may take; a report takes nothing.
    pub(crate) timeout: Ms,
    /// How late a report may be, of one that reports by itself.
    pub(crate) grace: Option<Ms>,
    pub(crate) unhealthy: u32,
    pub(crate) healthy: u32,
    /// Its silence is no failure.
    pub(crate) may_be_off: bool,
    /// The apps that it is behind: all are needed to reach it.
    pub(crate) parents: Vec<AppId>,
    /// Quiet times of its own; `None`: those of the house.
    pub(crate) quiet: Option<String>,
    /// Who is to be told.
    pub(crate) people: Vec<PersonId>,
}

/// Whether a health address is on the internet, as the house has them.
pub(crate) fn is_outside(url: &str) -> bool {
    let host = host_of(url);
    host.starts_with("203.0.113.") || host.ends_with(".example.net")
}

/// The name or the address in a health address.
pub(crate) fn host_of(url: &str) -> &str {
    let rest = url.split_once("://").map_or(url, |(_, rest)| rest);
    rest.split(['/', ':']).next().unwrap_or(rest)
}

/// One check, or report, or one that did not come in time, and what really acted on it.
#[derive(Clone, Debug)]
pub(crate) struct Checked {
    pub(crate) begun: Ms,
    /// When the engine was told.
    pub(crate) ended: Ms,
    /// `None`: the check gave no verdict (cut short, a clock that is not set, void since we stood
    /// still, paused or readdressed meanwhile).
    pub(crate) outcome: Option<Outcome>,
    /// The connection was refused, which may be forgiven after a registration.
    pub(crate) refused: bool,
    /// No answer came; a refusal and an early end are no answer.
    pub(crate) silent: bool,
    /// No sign of life came either: no refusal, no early end.
    pub(crate) dead: bool,
    /// The causes that acted on it, ours among them.
    pub(crate) causes: Vec<CauseId>,
}

/// Why something was not well.
#[derive(Clone, Debug)]
pub(crate) struct Cause {
    pub(crate) kind: CauseKind,
    /// What it acted on, and when: after a power cut each app comes back in its own time.
    pub(crate) reach: Vec<Reach>,
    pub(crate) span: Span,
}

/// One app that a cause reaches.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Reach {
    pub(crate) app: AppId,
    pub(crate) span: Span,
}

/// What can befall a household. A name of each is in the table of the score.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub(crate) enum CauseKind {
    /// The app ended.
    Crash,
    /// It accepts and never answers.
    Hang,
    /// It answers slower than its time-out.
    Slow,
    /// About every third check is lost.
    LossyLink,
    /// It answers `fail`.
    SaysFail,
    /// It answers `warn`.
    SaysWarn,
    /// Well and ill by turns.
    Flapping,
    /// It starts, registers, dies, again and again.
    CrashLoop,
    /// Down for a new version, then registered again.
    Deployment,
    /// The app or its host got another address and has not registered with it yet.
    MovedAddress,
    /// The host answers nothing.
    HostHang,
    /// The host starts anew.
    HostReboot,
    /// Disks spin up: slow for some seconds.
    SpinUp,
    /// Off every night, as its owner wants.
    NightlyOff,
    /// A laptop, a phone: taken away.
    LeftHouse,
    /// A switch that others hang on, not we.
    Switch,
    /// An access point that others hang on, not we.
    AccessPoint,
    /// The router: between parts of the house, and to the internet.
    Router,
    /// The line out.
    Internet,
    /// Names are not found.
    NameService,
    /// Every address in the house was given out anew.
    Renumbered,
    /// No power for others: with or without us.
    PowerCut,
    /// Too little power for some.
    BrownOut,
    /// What was to be done, and reported, was not.
    NoReport,
    /// It was done later than usual.
    LateReport,
    /// The certificate that it shows ends soon, or has.
    CertificateEnds,
    /// Somebody set our clock wrong: by it, certificates have ended that have not.
    WrongClock,
    /// Our own cable, switch or access point.
    OurLink,
    /// The daemon does not run, is asleep or stands still.
    OurAbsence,
}

impl CauseKind {
    /// Ours is what no app can help: our own link, or that we did not run.
    pub(crate) fn is_ours(self) -> bool {
        matches!(self, CauseKind::OurLink | CauseKind::OurAbsence)
    }
}

/// A mail, as it was accepted by the mail server: once each time that it was.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Letter {
    pub(crate) to: PersonId,
    pub(crate) message_id: String,
    pub(crate) references: Vec<String>,
    pub(crate) subject: String,
    pub(crate) text: String,
    /// When what it tells was put into the outbox (the newest of it).
    pub(crate) written: Ms,
    /// When it was put into words for this attempt.
    pub(crate) worded: Ms,
    pub(crate) accepted: Ms,
}
