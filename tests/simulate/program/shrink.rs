//! The smallest story in which a promise is still broken: with as few kinds of befallings, and as short,
//! as it can be.

use super::order::Kind;
use super::{say, told};
use crate::world::{Finding, clock};

/// Shrinks the story of a seed; `None` where no promise is broken in it.
pub(super) fn smallest(kind: &Kind, seed: u64) -> Option<String> {
    let (kind, finding) = shrink(kind, |kind| kind.live(seed).findings)?;
    let until = clock(finding.at);
    Some(format!("\nthe smallest story, up to {until}:\n{}", told(seed, &kind, &finding)))
}

/// As short, and with as few befallings, as `findings` has one of the same kind as the first.
fn shrink(kind: &Kind, findings: impl Fn(&Kind) -> Vec<Finding>) -> Option<(Kind, Finding)> {
    let finding = findings(kind).into_iter().next()?;
    let wanted = finding.kind;
    let still = |kind: Kind| {
        let finding = findings(&kind).into_iter().find(|finding| finding.kind == wanted)?;
        Some((kind, finding))
    };
    let half = |kind: &Kind| Kind { minutes: kind.minutes / 2, ..kind.clone() };
    let shorter = |kind: &Kind| Some(half(kind)).filter(|it| it.minutes > 0).and_then(still);
    let mut smallest = (kind.clone(), finding);
    while let Some(found) = shorter(&smallest.0) {
        smallest = found;
    }
    for place in smallest.0.rates.on() {
        let fewer = Kind { rates: smallest.0.rates.without(place), ..smallest.0.clone() };
        if let Some(found) = still(fewer) {
            smallest = found;
            say(&format!("{} befallings left\n", smallest.0.rates.on().len()));
        }
    }
    while let Some(found) = shorter(&smallest.0) {
        smallest = found;
    }
    Some(smallest)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::house::rates::{Rate, Rates};

    #[test]
    fn what_a_broken_promise_does_not_need_goes() {
        let finding =
            |kind: &'static str| Finding { at: 5, kind, what: String::new(), around: Vec::new() };
        let needs = |kind: &Kind| {
            let is_there = kind.rates.of(Rate::Power) > 0.0 && kind.minutes >= 100;
            let other = finding("another");
            if is_there { vec![finding("a mail is lost"), other] } else { vec![other] }
        };
        let kind = Kind { minutes: 1_000, apps: 3, rates: Rates::baseline() };
        let (smallest, found) = shrink(&kind, needs).unwrap();
        assert_eq!((smallest.minutes, found.kind), (125, "a mail is lost"));
        assert_eq!(smallest.rates.on(), [Rate::Power as usize]);
        assert!(shrink(&kind, |_| Vec::new()).is_none());
    }
}
