//! What a check gets, asked in the order of time: where all is well, that costs two comparisons.

use std::time::Duration;

use healthchecker::engine::surroundings::look::{LOOK_TAKES, Sight};

use super::conditions::{Check, Condition, Effect, Gets, Stage};
use super::plan::Certified;
use super::spans::EVER;
use crate::chance::mix;
use crate::deed::{Question, Reply, Says, Shown};
use crate::quick::QuickMap;
use crate::story::{CauseId, Ms};

/// The place of a cause that reaches nobody.
pub(super) const NOBODY: usize = usize::MAX;
/// No connection takes longer.
const LAN: Ms = 20;

/// An address that an app was ever asked at.
#[derive(Debug)]
pub(super) struct Endpoint {
    pub(super) app: usize,
    /// Since when its host has another one, by which cause, and what who asks here gets.
    pub(super) left: Option<Condition>,
}

/// An app that is asked.
#[derive(Debug)]
pub(super) struct Asked {
    /// By their beginnings.
    conditions: Vec<Condition>,
    /// The first that has not begun.
    next: usize,
    /// Those that have, and were not over when last asked.
    active: Vec<usize>,
    latency: Ms,
    /// No answer of an app that is well takes longer.
    longest: Ms,
    /// What it shows over TLS, one after the other.
    certificates: Vec<Certified>,
    key: u64,
}

impl Asked {
    pub(super) fn new(
        mut conditions: Vec<Condition>,
        certificates: Vec<Certified>,
        (latency, timeout): (Ms, Ms),
        key: u64,
    ) -> Asked {
        conditions.sort_by_key(|condition| condition.from);
        let longest = timeout * 9 / 10;
        Asked { conditions, next: 0, active: Vec::new(), latency, longest, certificates, key }
    }

    /// What it shows then.
    fn shown(&self, at: Ms, began: i64) -> Option<Shown> {
        let certified = self.certificates.iter().find(|it| at < it.until)?;
        let known = |cause: usize| (cause != NOBODY).then_some(CauseId(cause));
        let mut active = self.active.iter().map(|place| &self.conditions[*place]);
        let wrong_clock = active.find(|it| it.effect == Effect::WrongClock);
        Some(Shown {
            valid: (began + certified.valid.0, began + certified.valid.1),
            is_said: known(certified.said),
            ends: known(certified.told),
            wrong_clock: wrong_clock.map(|it| CauseId(it.cause)),
        })
    }

    /// Two thirds to four thirds of the usual; one in a few hundred five times as much.
    fn latency(&self, lot: u64) -> Ms {
        let usual = self.latency * (67 + lot % 67) / 100;
        let takes = if (lot >> 8).is_multiple_of(300) { usual * 5 } else { usual };
        takes.clamp(1, self.longest)
    }

    fn move_on(&mut self, at: Ms) {
        if !self.active.is_empty() {
            let conditions = &self.conditions;
            self.active.retain(|place| conditions[*place].until > at);
        }
        while let Some(condition) = self.conditions.get(self.next).filter(|it| it.from <= at) {
            if condition.until > at {
                self.active.push(self.next);
            }
            self.next += 1;
        }
    }

    fn next_begins(&self) -> Ms {
        self.conditions.get(self.next).map_or(EVER, |condition| condition.from)
    }
}

/// Every app, by the addresses at which it is asked.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) endpoints: QuickMap<Endpoint>,
    pub(super) apps: Vec<Asked>,
    /// The addresses, by `HOST:PORT`.
    places: QuickMap<String>,
    /// The right wall time at 0, in ms since 1970.
    began: i64,
}

impl Answers {
    pub(super) fn new(endpoints: QuickMap<Endpoint>, apps: Vec<Asked>, began: i64) -> Answers {
        let places = endpoints.keys().map(|url| (place(url), url.clone())).collect();
        Answers { endpoints, apps, places, began }
    }

    /// What who only connects to a place sees, and when; `None`: nothing.
    pub(super) fn look(&mut self, place: &str, at: Ms) -> Option<(Ms, Sight)> {
        let Some(endpoint) = self.places.get(place).and_then(|url| self.endpoints.get(url)) else {
            return Some((1, Sight::Undecided));
        };
        let asked = &mut self.apps[endpoint.app];
        let lot = mix(asked.key ^ at);
        let latency = asked.latency(lot).min(LAN);
        let check = Check { at, limit: LOOK_TAKES.as_millis() as Ms, latency, lot };
        asked.move_on(at);
        let mut met = Met::default();
        let active = asked.active.iter().map(|place| &asked.conditions[*place]);
        let left = endpoint.left.as_ref().filter(|left| left.from <= at);
        for condition in active.chain(left).filter(|condition| acts_on_connections(condition)) {
            met.meet(condition, check);
        }
        let Reply { after, says, .. } = met.reply(check);
        let after = after?.as_millis() as Ms;
        match says {
            _ if after > check.limit => None,
            Says::Refused | Says::Reset => Some((after, Sight::HostOnly)),
            Says::NoRoute | Says::NoName => None,
            Says::Pass | Says::Warn | Says::Fail => Some((after, Sight::Answers)),
        }
    }

    pub(super) fn answer(&mut self, question: Question<'_>) -> Reply {
        let endpoint = self
            .endpoints
            .get(question.url)
            .unwrap_or_else(|| panic!("nobody registered {:?}", question.url));
        let asked = &mut self.apps[endpoint.app];
        let lot = mix(asked.key ^ question.at);
        let latency = asked.latency(lot);
        let limit = question.limit.as_millis() as Ms;
        let check = Check { at: question.at, limit, latency, lot };
        asked.move_on(check.at);
        let certificate = asked.shown(check.at, self.began);
        let ended = check.at + latency;
        let left = endpoint.left.as_ref().filter(|left| left.from < ended);
        let is_calm = asked.active.is_empty() && asked.next_begins() >= ended;
        if is_calm && left.is_none() {
            let calm = reply(Some(latency), Says::Pass, Vec::new());
            return Reply { certificate, ..calm };
        }
        let mut met = Met::default();
        for place in &asked.active {
            met.meet(&asked.conditions[*place], check);
        }
        left.into_iter().for_each(|left| met.meet(left, check));
        // What begins before the answer, which may be late by now.
        for condition in &asked.conditions[asked.next..] {
            if condition.from >= (ended + met.delay).min(check.at + check.limit) {
                break;
            }
            met.meet(condition, check);
        }
        Reply { certificate, ..met.reply(check) }
    }
}

/// What a check has met.
#[derive(Default)]
struct Met {
    /// What makes it not pass alone.
    causes: Vec<CauseId>,
    /// What makes it late, and by how much in all.
    late: Vec<CauseId>,
    delay: Ms,
    /// What was met first on the way says how it ends.
    first: Option<(Stage, Option<Ms>, Says)>,
}

impl Met {
    fn meet(&mut self, condition: &Condition, check: Check) {
        let cause = CauseId(condition.cause);
        // Whoever waited for the host meets the app as it is then.
        let then = Check {
            at: check.at + self.delay,
            limit: check.limit.saturating_sub(self.delay),
            ..check
        };
        match condition.gives(if condition.from > check.at { then } else { check }) {
            Gets::Bad(after, says) => {
                self.causes.push(cause);
                if self.first.is_none_or(|(stage, ..)| condition.stage < stage) {
                    self.first = Some((condition.stage, after, says));
                }
            }
            Gets::Later(0) => {}
            Gets::Later(later) => {
                self.delay += later;
                let is_enough = later + check.latency > check.limit;
                if is_enough { self.causes.push(cause) } else { self.late.push(cause) }
            }
        }
    }

    fn reply(mut self, check: Check) -> Reply {
        let (after, says) = match self.first {
            Some((_, after, says)) => (after.map(|after| after + self.delay), says),
            None => (Some(check.latency + self.delay), Says::Pass),
        };
        if self.causes.is_empty() && after.is_some_and(|after| after > check.limit) {
            self.causes = self.late;
        }
        self.causes.sort_unstable();
        self.causes.dedup();
        reply(after, says, self.causes)
    }
}

fn reply(after: Option<Ms>, says: Says, causes: Vec<CauseId>) -> Reply {
    Reply { after: after.map(Duration::from_millis), says, causes, certificate: None }
}

/// Whoever only connects does not look for a name, and waits for no answer.
fn acts_on_connections(condition: &Condition) -> bool {
    let Condition { stage, effect, .. } = condition;
    let acts =
        matches!(effect, Effect::NoRoute(_) | Effect::Silent | Effect::Refused | Effect::Loses(_));
    acts && *stage != Stage::Name && *stage != Stage::Answer
}

/// `HOST:PORT` of an address.
fn place(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap_or(("http", url));
    let authority = rest.split('/').next().unwrap_or(rest);
    match (authority.contains(':'), scheme) {
        (true, _) => authority.to_owned(),
        (false, "https") => format!("{authority}:443"),
        (false, "ping") => format!("{authority}:0"),
        (false, _) => format!("{authority}:80"),
    }
}

/// Who asks at an address that its app has left.
pub(super) fn left(from: Ms, effect: Effect, cause: usize) -> Condition {
    Condition { from, until: EVER, stage: Stage::Host, effect, cause }
}
