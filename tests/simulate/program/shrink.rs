//! The smallest story in which a promise is still broken: with as few kinds of befallings, and as short,
//! as it can be.

use super::order::Kind;
use super::{say, told};
use crate::world::{Finding, clock};

/// Shrinks the story of a seed; `None` where no promise is broken in it.
pub(super) fn smallest(kind: &Kind, seed: u64) -> Option<String> {
    let mut finding = first(kind, seed, None)?;
    let wanted = finding.kind;
    let mut kind = kind.clone();
    while let Some((shorter, earlier)) = shorter(&kind, seed, wanted) {
        (kind, finding) = (shorter, earlier);
    }
    for place in kind.rates.on() {
        let fewer = Kind { rates: kind.rates.without(place), ..kind.clone() };
        if let Some(still) = first(&fewer, seed, Some(wanted)) {
            (kind, finding) = (fewer, still);
            say(&format!("{} befallings left\n", kind.rates.on().len()));
        }
    }
    while let Some((shorter, earlier)) = shorter(&kind, seed, wanted) {
        (kind, finding) = (shorter, earlier);
    }
    Some(format!(
        "\nthe smallest story, up to {}:\n{}",
        clock(finding.at),
        told(seed, &kind, &finding)
    ))
}

/// Half as long, if the promise is broken there, too.
fn shorter(kind: &Kind, seed: u64, wanted: &'static str) -> Option<(Kind, Finding)> {
    let half = Kind { minutes: kind.minutes / 2, ..kind.clone() };
    if half.minutes == 0 {
        return None;
    }
    let finding = first(&half, seed, Some(wanted))?;
    Some((half, finding))
}

fn first(kind: &Kind, seed: u64, wanted: Option<&str>) -> Option<Finding> {
    let findings = kind.live(seed).findings;
    findings.into_iter().find(|finding| wanted.is_none_or(|wanted| finding.kind == wanted))
}
