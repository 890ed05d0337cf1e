//! Those who report by themselves: when each does, and what keeps it from that. Worked out as the story goes on.

use std::collections::BTreeMap;

use super::calendar::Calendar;
use super::conditions::{Condition, Effect, Stage};
use super::watch::{Reports, Schedule};
use crate::chance::{Chance, HOUR, MINUTE, SECOND, mix};
use crate::deed::{Deed, Reported};
use crate::story::{AppId, CauseId, Ms};

/// A report that finds no way for no longer than this has one when it is sent again (RFC 6298: after 1 s and 3).
const SENT_AGAIN_WITHIN: Ms = 3 * SECOND;
/// What a sensor, or a script, needs to do what it does.
const TAKES: std::ops::RangeInclusive<Ms> = 500..=8 * SECOND;
/// So many ms in a thousand a sensor's clock is off.
const DRIFT: u64 = 10;

/// All of them.
#[derive(Debug, Default)]
pub(super) struct Reporters(Vec<Reporter>);

impl Reporters {
    pub(super) fn new(all: Vec<Reporter>) -> Reporters {
        Reporters(all)
    }

    /// When the next one reports, or does not.
    pub(super) fn next(&self) -> Option<Ms> {
        self.0.iter().filter_map(|it| Some(it.next.as_ref()?.0)).min()
    }

    /// The next report, or what became of it.
    pub(super) fn pop(&mut self) -> Option<(Ms, Deed)> {
        let soonest =
            self.0.iter_mut().min_by_key(|it| it.next.as_ref().map_or(Ms::MAX, |it| it.0))?;
        let next = soonest.next.take();
        soonest.next = soonest.work_out();
        next
    }
}

/// One of them.
#[derive(Debug)]
pub(super) struct Reporter {
    app: AppId,
    reports: Reports,
    /// The share of the reports that are made twice.
    twice: f64,
    calendar: Calendar,
    end: Ms,
    key: u64,
    /// By their beginnings.
    conditions: Vec<Condition>,
    /// The first that has not begun.
    coming: usize,
    /// Those that have, and are not over.
    active: Vec<usize>,
    steps: BTreeMap<(Ms, u64), Step>,
    sequence: u64,
    next: Option<(Ms, Deed)>,
}

/// What is done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Begins,
    /// It is done. `late`: later than usual, which was told.
    Ends {
        late: bool,
    },
    /// The same is said once more.
    Again(Reported),
}

/// What becomes of something at a time.
enum Met {
    Nothing,
    /// It is not done, or is not heard of.
    Lost(Vec<CauseId>),
    /// It will be heard of then.
    SentAgain(Ms),
    /// It will be done then.
    Late(CauseId, Ms),
}

impl Reporter {
    pub(super) fn new(
        app: AppId,
        (reports, twice): (Reports, f64),
        mut conditions: Vec<Condition>,
        (calendar, from, end): (&Calendar, Ms, Ms),
        key: u64,
    ) -> Reporter {
        conditions.sort_by_key(|condition| condition.from);
        let mut reporter = Reporter {
            app,
            reports,
            twice,
            calendar: calendar.clone(),
            end,
            key,
            conditions,
            coming: 0,
            active: Vec::new(),
            steps: BTreeMap::new(),
            sequence: 0,
            next: None,
        };
        reporter.begins_after(from);
        reporter.next = reporter.work_out();
        reporter
    }

    /// A chance that is the same whatever else happens.
    fn chance(&self, purpose: &str, at: Ms) -> Chance {
        Chance::of(self.key ^ mix(at), purpose, self.app.0)
    }

    fn then(&mut self, at: Ms, step: Step) {
        self.sequence += 1;
        if at < self.end {
            self.steps.insert((at, self.sequence), step);
        }
    }

    fn begins_after(&mut self, at: Ms) {
        let begins = match self.reports.schedule {
            Schedule::Nightly { minute, .. } => self.calendar.next(at, minute),
            Schedule::Hourly { minute } => {
                let since_hour = (self.calendar.began as Ms + at) % HOUR;
                let wait = (minute * MINUTE + HOUR - since_hour) % HOUR;
                at + if wait == 0 { HOUR } else { wait }
            }
            Schedule::Sleeps(sleeps) => {
                let off = self.chance("drift", at).between(0..=2 * DRIFT);
                at + sleeps / 1_000 * (1_000 - DRIFT + off)
            }
        };
        self.then(begins, Step::Begins);
    }

    fn takes(&self, at: Ms) -> Ms {
        let chance = &mut self.chance("takes", at);
        match self.reports.schedule {
            Schedule::Nightly { takes, .. } => takes * chance.between(70..=130) / 100,
            Schedule::Hourly { .. } | Schedule::Sleeps(_) => chance.between(TAKES),
        }
    }

    /// Goes on until there is something that others see.
    fn work_out(&mut self) -> Option<(Ms, Deed)> {
        while let Some(((at, _), step)) = self.steps.pop_first() {
            let deed = match step {
                Step::Begins => self.begins(at),
                Step::Ends { late } => self.ends(at, late),
                Step::Again(says) => match self.meets(at, true) {
                    Met::Lost(_) => None,
                    _ => Some(self.says(Some(says), Vec::new())),
                },
            };
            if deed.is_some() {
                return deed.map(|deed| (at, deed));
            }
        }
        None
    }

    fn says(&self, says: Option<Reported>, causes: Vec<CauseId>) -> Deed {
        Deed::Report { app: self.app, says, causes }
    }

    fn begins(&mut self, at: Ms) -> Option<Deed> {
        self.begins_after(at);
        if let Some(causes) = self.is_kept_from(at) {
            return Some(self.says(None, causes));
        }
        self.then(at + self.takes(at), Step::Ends { late: false });
        let is_heard = self.reports.says_start && matches!(self.meets(at, true), Met::Nothing);
        is_heard.then(|| self.says(Some(Reported::Begins), Vec::new()))
    }

    fn ends(&mut self, at: Ms, late: bool) -> Option<Deed> {
        match self.meets(at, late) {
            Met::Lost(causes) => Some(self.says(None, causes)),
            Met::SentAgain(then) => {
                self.then(then, Step::Ends { late });
                None
            }
            Met::Late(cause, then) => {
                self.then(then, Step::Ends { late: true });
                Some(self.says(None, vec![cause]))
            }
            Met::Nothing => {
                let (says, causes) = self.went(at);
                let chance = &mut self.chance("twice", at);
                if chance.happens(self.twice) {
                    self.then(at + chance.lasting(100..=MINUTE), Step::Again(says));
                }
                Some(self.says(Some(says), causes))
            }
        }
    }

    /// What acts on it then.
    fn acting(&mut self, at: Ms) -> Vec<Condition> {
        self.active.retain(|place| self.conditions[*place].until > at);
        while let Some(condition) = self.conditions.get(self.coming).filter(|it| it.from <= at) {
            if condition.until > at {
                self.active.push(self.coming);
            }
            self.coming += 1;
        }
        self.active.iter().map(|place| self.conditions[*place].clone()).collect()
    }

    /// What keeps it from being done at all.
    fn is_kept_from(&mut self, at: Ms) -> Option<Vec<CauseId>> {
        let keeps = |it: &Condition| {
            let is_gone = matches!(
                it.effect,
                Effect::NoRoute(_) | Effect::Silent | Effect::Refused | Effect::Hangs
            );
            it.effect == Effect::NotDone
                || (is_gone && matches!(it.stage, Stage::Host | Stage::App))
        };
        let acting = self.acting(at).into_iter().filter(keeps);
        let causes: Vec<CauseId> = acting.map(|it| CauseId(it.cause)).collect();
        (!causes.is_empty()).then_some(in_order(causes))
    }

    fn meets(&mut self, at: Ms, late: bool) -> Met {
        if let Some(causes) = self.is_kept_from(at) {
            return Met::Lost(causes);
        }
        let acting = self.acting(at);
        let is_late = |it: &Condition| match it.effect {
            Effect::DoneLater(by) if !late => Some(Met::Late(CauseId(it.cause), at + by)),
            _ => None,
        };
        if let Some(late) = acting.iter().find_map(is_late) {
            return late;
        }
        let lot = mix(self.key ^ at);
        let loses = |it: &&Condition| match it.effect {
            Effect::Loses(percent) => mix(lot ^ it.from) % 100 < percent,
            Effect::NoRoute(_) | Effect::Silent => {
                matches!(it.stage, Stage::OurLink | Stage::Network)
            }
            _ => false,
        };
        let lost: Vec<&Condition> = acting.iter().filter(loses).collect();
        let Some(over) = lost.iter().map(|it| it.until).max() else { return Met::Nothing };
        if over <= at + SENT_AGAIN_WITHIN {
            return Met::SentAgain(over + SECOND);
        }
        Met::Lost(in_order(lost.iter().map(|it| CauseId(it.cause)).collect()))
    }

    /// How it went that was done.
    fn went(&mut self, at: Ms) -> (Reported, Vec<CauseId>) {
        let acting = self.acting(at);
        let by = |effect: &Effect| {
            let its = acting.iter().filter(|it| it.effect == *effect);
            in_order(its.map(|it| CauseId(it.cause)).collect::<Vec<_>>())
        };
        let (fails, warns) = (by(&Effect::Fails), by(&Effect::Warns));
        match (fails.is_empty(), warns.is_empty()) {
            (false, _) => (Reported::Failed, fails),
            (true, false) => (Reported::DoneWithWarnings, warns),
            (true, true) => (Reported::Done, Vec::new()),
        }
    }
}

fn in_order(mut causes: Vec<CauseId>) -> Vec<CauseId> {
    causes.sort_unstable();
    causes.dedup();
    causes
}
