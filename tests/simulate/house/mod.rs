//! The household that knows the truth: what there is, what befalls it, and what each check would get.
//!
//! Everything is drawn from the seed before it begins. [`layout`] says what there is, [`befall`] plans
//! what happens, [`plan`] knows what that means for each app, [`finish`] puts it in order, [`answers`]
//! looks up what a check gets. Nothing here knows what the daemon does about it.

mod answers;
mod apps;
mod befall;
mod calendar;
mod conditions;
mod finish;
mod layout;
mod plan;
mod quiet;
pub(crate) mod rates;
mod reporters;
mod spans;
#[cfg(test)]
mod tests;
mod watch;

use std::collections::VecDeque;
use std::net::IpAddr;

use healthchecker::engine::registration::Host;
use healthchecker::engine::surroundings::look::{Place, Sight};

use crate::deed::{Deed, Enough, Question, Reply};
use crate::quick::earlier;
use crate::story::{Cause, HostId, Ms, Span};

use answers::Answers;
pub(crate) use calendar::ahead_of_utc;
use layout::Layout;
use plan::Plan;
use quiet::Readers;
use rates::Rates;
use reporters::Reporters;
use spans::Spans;

/// Well-known addresses outside.
pub(crate) fn anchors() -> [IpAddr; 3] {
    [1, 2, 3].map(|last| IpAddr::from([198, 51, 100, last]))
}

/// How large a household, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Size {
    pub(crate) days: u32,
    /// 1 to 200.
    pub(crate) apps: usize,
}

/// A household, as it will be.
#[derive(Debug)]
pub(crate) struct House {
    began: i64,
    deeds: VecDeque<(Ms, Deed)>,
    reporters: Reporters,
    /// When the next of them reports.
    reports_at: Option<Ms>,
    answers: Answers,
    cut_off: Spans,
    carrier_gone: Spans,
    /// When the router does not answer.
    router_silent: Spans,
    line_gone: Spans,
    mail_path: Spans,
    readers: Readers,
    truth: Truth,
}

/// What really happened, for the judge.
#[derive(Clone, Debug)]
pub(crate) struct Truth {
    /// Their addresses. The first is the owner, to whom the daemon's option `email` is set.
    pub(crate) people: Vec<String>,
    /// Their names and hosts.
    pub(crate) apps: Vec<(String, HostId)>,
    /// In the order in which they began; each reaches at least one app.
    pub(crate) causes: Vec<Cause>,
    /// When no mail could be accepted, whoever sent it: the mail server, or the way to it.
    pub(crate) mail_away: Vec<Span>,
    /// When the router does not answer; always, if it never does.
    pub(crate) router_away: Vec<Span>,
    /// When there is no line to the internet.
    pub(crate) line_away: Vec<Span>,
    /// People are told again of trouble that lasts.
    pub(crate) reminds: bool,
    /// Quiet times of all apps that have none of their own.
    pub(crate) quiet: &'static str,
}

impl House {
    pub(crate) fn new(seed: u64, size: Size, rates: &Rates) -> House {
        let layout = Layout::of(seed, size, rates);
        let mut plan = Plan::new(seed, size, rates, &layout);
        befall::befall(&mut plan);
        plan.finish()
    }

    /// The right wall time at 0, in ms since 1970.
    pub(crate) fn began(&self) -> i64 {
        self.began
    }

    /// The people, the owner first.
    pub(crate) fn people(&self) -> &[String] {
        &self.truth.people
    }

    /// Each app's name and host.
    pub(crate) fn apps(&self) -> &[(String, HostId)] {
        &self.truth.apps
    }

    /// Whether people are told again of trouble that lasts.
    pub(crate) fn reminds(&self) -> bool {
        self.truth.reminds
    }

    /// Quiet times of all apps that have none of their own.
    pub(crate) fn quiet(&self) -> &str {
        self.truth.quiet
    }

    /// What the reader of a mail of trouble does that arrives then, if they have heard enough.
    pub(crate) fn reads(&self, at: Ms, message_id: &str) -> Option<Enough> {
        self.readers.read(at, message_id)
    }

    /// When the next thing happens.
    pub(crate) fn next(&self) -> Option<Ms> {
        earlier(self.deeds.front().map(|(at, _)| *at), self.reports_at)
    }

    /// What happens next, and when.
    ///
    /// Our machine can be cut off power while it is away; then the later end counts. What is said to a
    /// name that the daemon does not know is answered so, and nothing follows. Who registers a loopback
    /// address does so from our own machine. An app that names nobody is the owner's.
    pub(crate) fn pop(&mut self) -> Option<(Ms, Deed)> {
        let (deed, report) = (self.deeds.front().map(|(at, _)| *at), self.reports_at);
        if report.is_none() || deed.is_some() && deed <= report {
            return self.deeds.pop_front();
        }
        let report = self.reporters.pop();
        self.reports_at = self.reporters.next();
        report
    }

    /// What a check gets, and why. To be asked in the order of time.
    pub(crate) fn answer(&mut self, question: Question<'_>) -> Reply {
        self.answers.answer(question)
    }

    /// Whether our own link is gone.
    pub(crate) fn is_cut_off(&self, at: Ms) -> bool {
        self.cut_off.contains(at)
    }

    /// Whether our own link is gone, and our machine sees it.
    pub(crate) fn is_without_carrier(&self, at: Ms) -> bool {
        self.carrier_gone.contains(at)
    }

    /// What who connects to this place then sees, and when; `None`: nothing. To be asked in the order of time.
    pub(crate) fn look(&mut self, at: Ms, place: &Place) -> Option<(Ms, Sight)> {
        let here = |silent: bool| (!silent).then_some((2, Sight::Answers));
        match place {
            Place::Gateways => here(self.cut_off.contains(at) || self.router_silent.contains(at)),
            Place::Port { host: Host::Address(address), .. } if anchors().contains(address) => {
                here(self.cut_off.contains(at) || self.line_gone.contains(at))
            }
            Place::Echo { host } => self.answers.look(&format!("{host}:0"), at),
            Place::Port { host, port } => self.answers.look(&format!("{host}:{port}"), at),
        }
    }

    /// Whether no mail gets to the mail server, whatever its mood.
    pub(crate) fn mail_is_cut_off(&self, at: Ms) -> bool {
        self.mail_path.contains(at)
    }

    /// What really happened.
    pub(crate) fn truth(self) -> Truth {
        self.truth
    }
}
