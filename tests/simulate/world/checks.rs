//! What comes of a check, in the words of the real daemon; and that no two of one app are under way.

use std::borrow::Cow;
use std::time::Duration;

use healthchecker::engine::registration::Host;
use healthchecker::engine::verdict::answer::{CheckEnd, Verdict};
use healthchecker::engine::verdict::probe::{Probe, ProbeKind};
use healthchecker::engine::verdict::trouble::Trouble;
use healthchecker::engine::verdict::{Answer, connected, echoed, judge};

use super::certificates;
use crate::deed::{Reply, Says};
use crate::quick::QuickMap;
use crate::story::{AppId, ClockSet, host_of, is_outside};

/// What comes of checks.
#[derive(Debug)]
pub(super) struct Ends {
    /// Of nearly all: judged once.
    passed: Verdict,
}

impl Ends {
    pub(super) fn new() -> Ends {
        Ends { passed: judge(Ok(answer(200, true, ""))) }
    }

    /// How a check ends that gets this reply, and when; by a clock that shows this, and should show that.
    pub(super) fn of(
        &self,
        probe: &Probe,
        reply: &mut Reply,
        clock: ClockSet,
    ) -> (CheckEnd, Duration) {
        let limit = probe.limit();
        match reply.after.filter(|after| *after <= limit) {
            Some(after) => {
                let verdict = self.verdict(probe, reply.says);
                (certificates::looked_at(verdict, reply, clock), after)
            }
            None if probe.has_short_timeout() => (CheckEnd::CutShort, limit),
            None => (CheckEnd::Verdict(judge(Err(Trouble::Timeout { after: limit }))), limit),
        }
    }

    fn verdict(&self, probe: &Probe, says: Says) -> Verdict {
        let (url, expected) = match &probe.kind {
            ProbeKind::Http(request) => (&request.url, &request.expected),
            ProbeKind::Tcp { host, .. } | ProbeKind::Ping { host } => {
                return Ends::of_a_host(probe, host, says);
            }
        };
        let answered =
            |status: u16, body| judge(Ok(answer(status, expected.contains(status), body)));
        match says {
            Says::Pass if expected.contains(200) => self.passed.clone(),
            Says::Pass => answered(200, ""),
            Says::Warn => answered(200, r#"{"status":"warn","output":"disk 91 % full"}"#),
            Says::Fail => answered(503, r#"{"status":"fail","output":"database is locked"}"#),
            Says::Refused => judge(Err(Trouble::Refused)),
            Says::Reset => judge(Err(Trouble::NoAnswer)),
            Says::NoRoute => judge(Err(Trouble::NoRoute)),
            Says::NoName => judge(Err(Trouble::UnknownHost(host_of(url).to_owned()))),
        }
    }

    /// What is asked without a word: a port, an echo.
    fn of_a_host(probe: &Probe, host: &Host, says: Says) -> Verdict {
        match says {
            Says::Pass | Says::Warn | Says::Fail => match probe.kind {
                ProbeKind::Ping { .. } => echoed(),
                _ => connected(),
            },
            Says::Refused | Says::Reset => judge(Err(Trouble::Refused)),
            Says::NoRoute => judge(Err(Trouble::NoRoute)),
            Says::NoName => judge(Err(Trouble::UnknownHost(host.to_string()))),
        }
    }
}

/// What the house calls the place that is asked.
pub(super) fn asked_at(kind: &ProbeKind) -> Cow<'_, str> {
    match kind {
        ProbeKind::Http(request) => Cow::Borrowed(&request.url),
        ProbeKind::Tcp { host, port } => Cow::Owned(format!("tcp://{host}:{port}")),
        ProbeKind::Ping { host } => Cow::Owned(format!("ping://{host}")),
    }
}

fn answer(status: u16, expected: bool, body: &str) -> Answer<'_> {
    Answer {
        status,
        expected,
        content_type: "application/health+json",
        content_encoding: "",
        body: body.as_bytes(),
        cut: false,
        contains: None,
    }
}

/// The end of a check during which the machine slept.
pub(super) fn broken_check() -> CheckEnd {
    CheckEnd::Verdict(judge(Err(Trouble::NoAnswer)))
}

/// A health address that was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct UrlId(usize);

/// Who is asked at which address.
#[derive(Debug, Default)]
pub(super) struct Urls {
    ids: QuickMap<UrlId>,
    urls: Vec<Asked>,
}

#[derive(Debug, Default)]
struct Asked {
    under_way: usize,
    is_public: bool,
    /// Who registered it last.
    owner: Option<AppId>,
}

impl Urls {
    fn id(&mut self, url: &str) -> UrlId {
        if let Some(id) = self.ids.get(url) {
            return *id;
        }
        let id = UrlId(self.urls.len());
        self.urls.push(Asked { is_public: is_outside(url), ..Asked::default() });
        self.ids.insert(url.to_owned(), id);
        id
    }

    /// Whether that is an address on the internet, as the house has them.
    pub(super) fn is_public(&self, id: UrlId) -> bool {
        self.urls[id.0].is_public
    }

    /// An app is asked there from now on.
    pub(super) fn belongs(&mut self, url: &str, app: AppId) {
        let id = self.id(url);
        self.urls[id.0].owner = Some(app);
    }

    /// A check begins. How many are under way there now.
    pub(super) fn begin(&mut self, url: &str) -> (UrlId, usize) {
        let id = self.id(url);
        self.urls[id.0].under_way += 1;
        (id, self.urls[id.0].under_way)
    }

    /// One has ended. Whose it was.
    pub(super) fn end(&mut self, id: UrlId) -> Option<AppId> {
        let asked = &mut self.urls[id.0];
        asked.under_way = asked.under_way.saturating_sub(1);
        asked.owner
    }

    /// The daemon is gone, and its checks with it.
    pub(super) fn forget(&mut self) {
        self.urls.iter_mut().for_each(|asked| asked.under_way = 0);
    }
}
