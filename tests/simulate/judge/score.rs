//! The score: figures of one seed, or of many added up.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::busiest::Busiest;
use super::finding::{Fault, Wrong};
use crate::story::{CauseKind, Ms};

/// All figures. Those of several seeds are added with [`Score::add`], in any order.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Score {
    pub(crate) seeds: u64,
    /// Simulated time, and that of each app in it.
    pub(crate) simulated_ms: Ms,
    pub(crate) watched_ms: Ms,
    pub(crate) by_cause: BTreeMap<CauseKind, Figures>,
    /// False alarms where no cause acted at all.
    pub(crate) false_of_nothing: u64,
    pub(crate) letters: u64,
    /// Letters that were accepted once more.
    pub(crate) letters_again: u64,
    pub(crate) welcomes: u64,
    pub(crate) recoveries_without_alarm: u64,
    pub(crate) alarms_without_end: u64,
    pub(crate) nothing_new: u64,
    #[serde(default)]
    pub(crate) not_reminded: u64,
    #[serde(default)]
    pub(crate) in_quiet: u64,
    #[serde(default)]
    pub(crate) in_mute: u64,
    #[serde(default)]
    pub(crate) not_muted: u64,
    /// Reports and ends of reports, for each power cut and person who had any.
    #[serde(default)]
    pub(crate) reports_a_cut: Counts,
    /// What the mails of incidents were.
    #[serde(default)]
    pub(crate) busiest: Busiest,
    pub(crate) not_asked: u64,
    pub(crate) unread: u64,
    pub(crate) wrong: BTreeMap<Wrong, u64>,
}

/// The figures of one kind of cause.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Figures {
    /// How often it kept a check from passing.
    pub(crate) incidents: u64,
    /// Of those, the ones that somebody had to be told.
    pub(crate) must_be_told: u64,
    /// For each person and app.
    pub(crate) missed: u64,
    pub(crate) late: u64,
    /// For each statement.
    pub(crate) false_alarms: u64,
    pub(crate) tolerated: u64,
    /// For each incident and person who had any.
    pub(crate) mails: Counts,
    /// Whole seconds, rounded up, for each incident and person who had to be told and was.
    pub(crate) delay_s: Counts,
    pub(crate) written_s: Counts,
}

/// How often each number came.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Counts(BTreeMap<u64, u64>);

impl Counts {
    pub(crate) fn count(&mut self, number: u64) {
        *self.0.entry(number).or_default() += 1;
    }

    /// How many there are.
    pub(crate) fn total(&self) -> u64 {
        self.0.values().sum()
    }

    /// The least number that so many percent are no greater than.
    pub(crate) fn percentile(&self, percent: u64) -> Option<u64> {
        let needed = (self.total() * percent).div_ceil(100).max(1);
        let mut seen = 0;
        self.0.iter().find_map(|(number, times)| {
            seen += times;
            (seen >= needed).then_some(*number)
        })
    }

    pub(crate) fn max(&self) -> Option<u64> {
        self.0.keys().next_back().copied()
    }

    fn add(&mut self, other: &Counts) {
        for (number, times) in &other.0 {
            *self.0.entry(*number).or_default() += times;
        }
    }
}

impl Figures {
    pub(crate) fn add(&mut self, other: &Figures) {
        self.incidents += other.incidents;
        self.must_be_told += other.must_be_told;
        self.missed += other.missed;
        self.late += other.late;
        self.false_alarms += other.false_alarms;
        self.tolerated += other.tolerated;
        self.mails.add(&other.mails);
        self.delay_s.add(&other.delay_s);
        self.written_s.add(&other.written_s);
    }
}

impl Score {
    /// Adds the figures of other seeds.
    pub(crate) fn add(&mut self, other: &Score) {
        self.seeds += other.seeds;
        self.simulated_ms += other.simulated_ms;
        self.watched_ms += other.watched_ms;
        for (kind, figures) in &other.by_cause {
            self.by_cause.entry(*kind).or_default().add(figures);
        }
        self.false_of_nothing += other.false_of_nothing;
        self.letters += other.letters;
        self.letters_again += other.letters_again;
        self.welcomes += other.welcomes;
        self.recoveries_without_alarm += other.recoveries_without_alarm;
        self.alarms_without_end += other.alarms_without_end;
        self.nothing_new += other.nothing_new;
        self.not_reminded += other.not_reminded;
        self.in_quiet += other.in_quiet;
        self.in_mute += other.in_mute;
        self.not_muted += other.not_muted;
        self.reports_a_cut.add(&other.reports_a_cut);
        self.busiest.add(&other.busiest);
        self.not_asked += other.not_asked;
        self.unread += other.unread;
        for (wrong, times) in &other.wrong {
            *self.wrong.entry(*wrong).or_default() += times;
        }
    }

    /// All causes together.
    pub(crate) fn total(&self) -> Figures {
        let mut total = Figures::default();
        self.by_cause.values().for_each(|figures| total.add(figures));
        total.false_alarms += self.false_of_nothing;
        total
    }

    /// The figures of a kind of cause.
    pub(super) fn of(&mut self, kind: CauseKind) -> &mut Figures {
        self.by_cause.entry(kind).or_default()
    }

    /// Counts a finding.
    pub(super) fn count(&mut self, fault: Fault) {
        match fault {
            Fault::Missed(kind) => self.of(kind).missed += 1,
            Fault::Late(kind) => self.of(kind).late += 1,
            Fault::False(Some(kind)) => self.of(kind).false_alarms += 1,
            Fault::False(None) => self.false_of_nothing += 1,
            Fault::NoAlarm => self.recoveries_without_alarm += 1,
            Fault::NoEnd => self.alarms_without_end += 1,
            Fault::NothingNew => self.nothing_new += 1,
            Fault::NotReminded => self.not_reminded += 1,
            Fault::InQuiet => self.in_quiet += 1,
            Fault::InMute => self.in_mute += 1,
            Fault::NotMuted => self.not_muted += 1,
            Fault::NotAsked => self.not_asked += 1,
            Fault::Unread => self.unread += 1,
            Fault::Wrong(wrong) => *self.wrong.entry(wrong).or_default() += 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_numbers_that_came() {
        let mut counts = Counts::default();
        assert_eq!((counts.percentile(50), counts.max()), (None, None));
        for number in (1..=100).rev() {
            counts.count(number);
        }
        let at = |percent| counts.percentile(percent).unwrap();
        assert_eq!((at(50), at(99), at(100), counts.max()), (50, 99, 100, Some(100)));
        let mut two = Counts::default();
        two.count(3);
        two.count(9);
        assert_eq!((two.percentile(50), two.percentile(99)), (Some(3), Some(9)));
    }

    #[test]
    fn scores_add_up_in_any_order_and_survive_a_file() {
        let score = |mails: u64, wrong| {
            let mut score = Score { seeds: 1, letters: mails, ..Score::default() };
            score.of(CauseKind::Crash).mails.count(mails);
            score.count(Fault::Wrong(wrong));
            score.count(Fault::False(Some(CauseKind::OurLink)));
            score.count(Fault::False(None));
            score
        };
        let all = [score(1, Wrong::Since), score(2, Wrong::Name), score(2, Wrong::Since)];
        let sum = |order: [usize; 3]| {
            let mut sum = Score::default();
            order.iter().for_each(|at| sum.add(&all[*at]));
            sum
        };
        let one = sum([0, 1, 2]);
        assert_eq!(one, sum([2, 1, 0]));
        assert_eq!((one.total().mails.total(), one.total().false_alarms), (3, 6));
        let text = serde_json::to_string(&one).unwrap();
        assert_eq!(serde_json::from_str::<Score>(&text).unwrap(), one);
    }
}
