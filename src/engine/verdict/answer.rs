//! What came of one check, as the prober hands it to the engine.

use serde::{Deserialize, Serialize};

use crate::engine::registration::Print;
use crate::engine::time::Wall;

/// How a check went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Outcome {
    /// The app is fine, or says so.
    Pass,
    /// The app answers and warns.
    Warn,
    /// No acceptable answer, or the app says that it fails.
    Fail,
}

/// The verdict on one answer, or on its absence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// Pass, warn or fail.
    pub outcome: Outcome,
    /// The final status code; `None` without an answer.
    pub http_status: Option<u16>,
    /// A sentence for a person: `connection refused`, `HTTP 200 OK`,
    /// `the app says fail: disk 98 % full`. No control characters, bounded.
    pub reason: String,
    /// The connection was refused: forgiven while an app that has just registered starts to listen.
    pub refused: bool,
    /// What it shows of whoever was asked.
    pub life: Life,
    /// Where whoever was asked is. It is found out of silences, and where
    /// [`Probe::locate`](super::probe::Probe::locate) wants it.
    pub whereabouts: Option<Whereabouts>,
    /// What the app showed over TLS.
    pub certificate: Option<Box<Certificate>>,
    /// The body as returned, when it is health JSON (and only then), bounded.
    pub body: Option<String>,
}

impl Verdict {
    /// Whether it failed without an answer.
    pub fn is_silence(&self) -> bool {
        self.outcome == Outcome::Fail && self.life != Life::Answer
    }

    /// Whether it failed without any sign of life, of the host either.
    pub fn is_dead_silence(&self) -> bool {
        self.is_silence() && self.life != Life::HostOnly
    }

    /// Whether it is of somebody on this machine.
    pub fn is_here(&self) -> bool {
        self.whereabouts == Some(Whereabouts::Here)
    }

    /// Whether it is of somebody out on the internet.
    pub fn is_outside(&self) -> bool {
        self.whereabouts == Some(Whereabouts::Public)
    }
}

/// A certificate that an app showed, and was believed with.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its print.
    pub print: Print,
    /// The first moment at which it is no longer valid; `None`: it does not say so that we understand it.
    pub ends: Option<Wall>,
}

/// What a check shows of whoever was asked. Without an answer the app is *silent*.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Life {
    /// Somebody answered, well or not.
    Answer,
    /// No answer, but the host is on: it refused, reset or ended the connection.
    HostOnly,
    /// Nothing: off, away, unknown, or it hangs.
    Nothing,
    /// Nothing, and nobody could be reached: our own network is down.
    CutOff,
}

impl Life {
    /// Whether it shows that a machine lives.
    pub fn is_shown(self) -> bool {
        matches!(self, Life::Answer | Life::HostOnly)
    }
}

/// Where somebody is, as far as the address tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Whereabouts {
    /// On this machine: at one of its own addresses, or in a container whose network ends in it. Our
    /// network is not needed for that.
    Here,
    /// On another machine, of this network or another private one.
    Near,
    /// At a public address, out on the internet.
    Public,
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum CheckEnd {
    /// A verdict that counts.
    Verdict(Verdict),
    /// Nothing can be said, and it counts neither way (a certificate "not yet valid" while our own
    /// clock is not set). The reason is for the log.
    NoVerdict {
        /// A sentence for a person.
        reason: String,
    },
    /// The check had less than its time-out (see the lanes) and used it up: to be run again in full.
    CutShort,
}
