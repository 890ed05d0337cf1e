//! The judge: what really happened, beside what people were told, and a score of the mistakes.
//!
//! Its rules stand in `docs/simulation.md`. It knows the story and the letters alone, and nothing of how
//! the engine came to them.

mod allowance;
mod beats;
mod behind;
mod busiest;
mod case;
mod checks;
mod chronicle;
mod clock;
mod crash_loops;
mod due;
mod episodes;
mod finding;
mod incidents;
mod letters;
mod life;
mod mutes;
mod off;
mod quiet;
mod quiet_hours;
mod reading;
mod score;
mod settling;
mod spans;
mod told;
mod troubles;
mod wrong;

use std::collections::BTreeMap;

pub(crate) use self::busiest::MailKind;
#[cfg(test)]
pub(crate) use self::busiest::{Busiest, Busy};
use self::case::Case;
pub(crate) use self::finding::{Fault, Finding, Wrong};
pub(crate) use self::score::{Counts, Figures, Score};
use crate::story::{Ms, Story};

/// What the judge says of a story.
pub(crate) struct Judgement {
    pub(crate) score: Score,
    /// Every mistake, by time.
    pub(crate) findings: Vec<Finding>,
    /// The first findings of each kind, told with the minutes around them.
    pub(crate) told: Vec<String>,
}

/// Judges a story; of each kind of mistakes the first `each` are told at length.
pub(crate) fn judge(story: &Story, each: usize) -> Judgement {
    let story = &*off::heard(story);
    let case = Case::new(story);
    let mut score = Score { seeds: 1, simulated_ms: story.length, ..Score::default() };
    score.watched_ms = watched(story);
    let (firsts, mut findings) = told::walk(&case, &mut score);
    findings.extend(due::judge(&case, &firsts, &mut score));
    findings.extend(wrong::judge(&case));
    findings.sort_by_key(|finding| finding.from);
    findings.iter().for_each(|finding| score.count(finding.fault));
    let mut of_kind: BTreeMap<&str, usize> = BTreeMap::new();
    let first = findings.iter().filter(|finding| {
        let seen = of_kind.entry(finding.fault.words()).or_default();
        *seen += 1;
        *seen <= each
    });
    let told = first.map(|finding| chronicle::tell(story, &case.lives, finding)).collect();
    Judgement { score, findings, told }
}

/// The time that apps were watched, all together.
fn watched(story: &Story) -> Ms {
    let spans = story.apps.iter().flat_map(|app| &app.registrations).map(|it| it.span);
    spans.map(|span| span.end().min(story.length).saturating_sub(span.from)).sum()
}

#[cfg(test)]
mod tests;
