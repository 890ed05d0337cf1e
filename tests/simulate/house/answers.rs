//! What a check gets, asked in the order of time: where all is well, that costs two comparisons.

use std::collections::HashMap;
use std::time::Duration;

use super::conditions::{Check, Condition, Effect, Gets, Stage};
use super::spans::EVER;
use crate::chance::mix;
use crate::deed::{Question, Reply, Says};
use crate::story::{CauseId, Ms};

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
    key: u64,
}

impl Asked {
    pub(super) fn new(mut conditions: Vec<Condition>, latency: Ms, timeout: Ms, key: u64) -> Asked {
        conditions.sort_by_key(|condition| condition.from);
        let longest = timeout * 9 / 10;
        Asked { conditions, next: 0, active: Vec::new(), latency, longest, key }
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

    fn begins_within(&self, until: Ms) -> impl Iterator<Item = &Condition> {
        self.conditions[self.next..].iter().take_while(move |condition| condition.from < until)
    }
}

/// Every app, by the addresses at which it is asked.
#[derive(Debug, Default)]
pub(super) struct Answers {
    pub(super) endpoints: HashMap<String, Endpoint>,
    pub(super) apps: Vec<Asked>,
}

impl Answers {
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
        let left = endpoint.left.as_ref().filter(|left| left.from < check.at + latency);
        let is_calm =
            asked.active.is_empty() && asked.begins_within(check.at + latency).next().is_none();
        if is_calm && left.is_none() {
            return reply(Some(latency), Says::Pass, Vec::new());
        }
        let active = asked.active.iter().map(|place| &asked.conditions[*place]);
        all_together(check, active.chain(asked.begins_within(check.at + latency)).chain(left))
    }
}

/// What is met first says how it ends; listed are all that would have made it not pass alone.
fn all_together<'a>(check: Check, conditions: impl Iterator<Item = &'a Condition>) -> Reply {
    let mut causes = Vec::new();
    let mut late = Vec::new();
    let mut delay = 0;
    let mut first: Option<(Stage, Option<Ms>, Says)> = None;
    for condition in conditions {
        match condition.gives(check) {
            Gets::Bad(after, says) => {
                causes.push(CauseId(condition.cause));
                if first.is_none_or(|(stage, ..)| condition.stage < stage) {
                    first = Some((condition.stage, after, says));
                }
            }
            Gets::Later(0) => {}
            Gets::Later(later) => {
                delay += later;
                let id = CauseId(condition.cause);
                if later + check.latency > check.limit { causes.push(id) } else { late.push(id) }
            }
        }
    }
    let (after, says) = match first {
        Some((_, after, says)) => (after.map(|after| after + delay), says),
        None => (Some(check.latency + delay), Says::Pass),
    };
    if causes.is_empty() && after.is_some_and(|after| after > check.limit) {
        causes = late;
    }
    causes.sort_unstable();
    causes.dedup();
    reply(after, says, causes)
}

fn reply(after: Option<Ms>, says: Says, causes: Vec<CauseId>) -> Reply {
    Reply { after: after.map(Duration::from_millis), says, causes }
}

/// Who asks at an address that its app has left.
pub(super) fn left(from: Ms, effect: Effect, cause: usize) -> Condition {
    Condition { from, until: EVER, stage: Stage::Host, effect, cause }
}
