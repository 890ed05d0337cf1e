//! What the judge finds: each is told with what happened around it.

use crate::story::{AppId, CauseKind, Ms, PersonId};
use serde::{Deserialize, Serialize};

/// A mistake, and where to look for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) fault: Fault,
    pub(crate) app: Option<AppId>,
    pub(crate) person: Option<PersonId>,
    /// The minutes to look at.
    pub(crate) from: Ms,
    pub(crate) until: Ms,
    /// One sentence.
    pub(crate) what: String,
}

/// The kinds of mistakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Fault {
    /// A person who should know was never told by name.
    Missed(CauseKind),
    /// They were told too late.
    Late(CauseKind),
    /// Nothing ailed the app but us, or nothing at all.
    False(Option<CauseKind>),
    /// A recovery without its alarm.
    NoAlarm,
    /// An alarm without its end.
    NoEnd,
    /// A mail that says nothing new.
    NothingNew,
    /// Who knows of trouble that lasts was not told again.
    NotReminded,
    /// A person is told of what is quiet.
    InQuiet,
    /// A person is told of what they have heard enough of.
    InMute,
    /// Nothing is said to be open of which they had heard enough.
    NotMuted,
    /// A cause that no check ever met.
    NotAsked,
    /// Words that the judge does not know.
    Unread,
    /// What a mail says is not so.
    Wrong(Wrong),
}

/// What is wrong in a mail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub(crate) enum Wrong {
    /// When the trouble, or its alert, began.
    Since,
    /// When the state changed.
    Changed,
    /// How long it lasted.
    Lasted,
    /// How an app is, or was before.
    State,
    /// No app is called so.
    Name,
    /// The app is none of this person's.
    Person,
    /// Where it is asked.
    Address,
    /// How many.
    Count,
    /// Subject and text differ.
    Subject,
    /// A check that was not so.
    Check,
    /// Whether, and how long, the mail waited.
    Waited,
    /// After what apps did not come back: the power, our network.
    After,
    /// Noted by an earlier run whose clock was off, and told as if it were certain.
    Clock,
}

impl Fault {
    /// In a few words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Fault::Missed(_) => "missed",
            Fault::Late(_) => "late",
            Fault::False(_) => "false alarm",
            Fault::NoAlarm => "recovery without its alarm",
            Fault::NoEnd => "alarm without its end",
            Fault::NothingNew => "mail that says nothing new",
            Fault::NotReminded => "reminder that did not come",
            Fault::InQuiet => "told in a quiet time",
            Fault::InMute => "told what was muted",
            Fault::NotMuted => "mute that was refused",
            Fault::NotAsked => "cause that no check met",
            Fault::Unread => "words that the judge does not know",
            Fault::Wrong(wrong) => wrong.words(),
        }
    }
}

impl Wrong {
    pub(crate) const ALL: [Wrong; 13] = [
        Wrong::Since,
        Wrong::Changed,
        Wrong::Lasted,
        Wrong::State,
        Wrong::Name,
        Wrong::Person,
        Wrong::Address,
        Wrong::Count,
        Wrong::Subject,
        Wrong::Check,
        Wrong::Waited,
        Wrong::After,
        Wrong::Clock,
    ];

    /// In a few words.
    pub(crate) fn words(self) -> &'static str {
        match self {
            Wrong::Since => "wrong: since when",
            Wrong::Changed => "wrong: when it changed",
            Wrong::Lasted => "wrong: how long it lasted",
            Wrong::State => "wrong: a state",
            Wrong::Name => "wrong: a name",
            Wrong::Person => "wrong: told to somebody else",
            Wrong::Address => "wrong: an address",
            Wrong::Count => "wrong: a count",
            Wrong::Subject => "wrong: the subject",
            Wrong::Check => "wrong: a check",
            Wrong::Waited => "wrong: how long the mail waited",
            Wrong::After => "wrong: after what",
            Wrong::Clock => "wrong: by a clock that was off",
        }
    }
}
