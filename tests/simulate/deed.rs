//! What the household does, as the daemon's world has to act it out.

use std::time::Duration;

use super::story::{AppId, CauseId, Ms};

/// Something that happens at a time.
#[derive(Clone, Debug)]
pub(crate) enum Deed {
    /// The app calls `monitor`; what it says. It tries again every ten seconds while nobody listens.
    Register { app: AppId, fields: Vec<(String, String)> },
    /// A person pauses an app.
    Pause(AppId),
    /// Nobody is to be told of an app for so long: its host is about to start anew.
    Quiet { app: AppId, lasts: Duration },
    /// A person lets it be asked again.
    Resume(AppId),
    /// A person, or the app itself, takes it out.
    Stop(AppId),
    /// The app reports by itself, or was to.
    Report {
        app: AppId,
        /// `None`: nothing comes, or not as far as us.
        says: Option<Reported>,
        /// Why nothing comes, or what makes it say so.
        causes: Vec<CauseId>,
    },
    /// What becomes of the daemon and its machine.
    Ours(Fate),
    /// The wall clock is set: so many ms before or ahead of the truth.
    ClockOff(i64),
    /// The mail server's mood from now on.
    Mail(MailMood),
    /// The disk's mood from now on.
    Disk(DiskMood),
}

/// What becomes of the daemon.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    /// SIGKILL, or a crash: back after `away`, within the same boot. What the disk was told stays.
    Killed { away: Duration },
    /// An orderly stop and a start: an upgrade, a restart of the service.
    Restarted { away: Duration },
    /// The power goes: what was not synced is lost. Back `away` later, after a boot; the clock shows
    /// `clock_off_ms` beside the truth then, until a [`Deed::ClockOff`].
    PowerCut { away: Duration, clock_off_ms: i64 },
    /// A UPS stops the machine in order, and it boots later.
    ShutDown { away: Duration, clock_off_ms: i64 },
    /// The machine sleeps: its monotonic clock, too.
    Suspended { away: Duration },
    /// The process stands still (a card that cleans up, a starved processor), the clock goes on.
    StandsStill { away: Duration },
}

/// What the mail server does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MailMood {
    Accepts,
    /// Not reachable.
    Away,
    /// Not now: 451 for this long after the first try of each mail.
    Greylists,
    /// It takes so long.
    Slow(Duration),
    /// Takes the mail, but its 250 is lost.
    Loses250,
    /// Refuses the login, or every mail, for a while.
    Refuses,
}

/// What the disk does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum DiskMood {
    Works,
    Full,
    /// Of a hundred calls so many fail.
    Fails(u8),
}

/// What an app reports by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reported {
    Begins,
    Done,
    DoneWithWarnings,
    Failed,
}

/// What an app answers to a check.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Reply {
    /// How long it takes; `None`: it never comes.
    pub(crate) after: Option<Duration>,
    pub(crate) says: Says,
    /// The causes that acted on this check (none where all is well).
    pub(crate) causes: Vec<CauseId>,
    /// What it shows over TLS, where that is spoken.
    pub(crate) certificate: Option<Shown>,
}

/// A certificate, and what it is the cause of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shown {
    /// From when on it is valid, and until when: in ms since 1970.
    pub(crate) valid: (i64, i64),
    /// What it is if it is said once that it ends,
    pub(crate) is_said: Option<CauseId>,
    /// what it is if that is near, or over,
    pub(crate) ends: Option<CauseId>,
    /// and what it is that our clock is wrong.
    pub(crate) wrong_clock: Option<CauseId>,
}

/// What comes back.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Says {
    Pass,
    Warn,
    Fail,
    /// The host is there, nobody listens.
    Refused,
    /// The connection is reset, or ends early.
    Reset,
    /// Nobody at this address: an error after a while, as of the kernel.
    NoRoute,
    /// The name is not found.
    NoName,
}

/// The reader of a mail of trouble has heard enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Enough {
    /// When they say so,
    pub(crate) at: Ms,
    /// and for how long; `None`: until it is over.
    pub(crate) lasts: Option<Duration>,
    /// Of what.
    pub(crate) of: EnoughOf,
    /// When they want to hear of it again, if before.
    pub(crate) again: Option<Ms>,
}

/// Of what somebody has heard enough.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum EnoughOf {
    /// All that the mail tells, by its link.
    Mail,
    /// The first app of it, by a call: they alone,
    App,
    /// or everybody who was told.
    AppForAll,
}

/// Something that is asked: where, when.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Question<'a> {
    /// The health address.
    pub(crate) url: &'a str,
    pub(crate) at: Ms,
    /// After so long nobody listens any more.
    pub(crate) limit: Duration,
}
