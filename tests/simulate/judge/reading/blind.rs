//! Times in which the daemon saw nobody: that nothing answers, and the note afterwards.

use super::words::{Known, Named, Told, time};

/// Said while it goes on.
const LOOK: &str = "Look at the switch, the router or the Wi-Fi that the health checker hangs on. Nobody is \
    blamed until one of them is seen; then each has its time to come back.";

/// What the headline, the subject and the list say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::judge) enum BlindLine {
    /// `Nothing answers since TIME: our network, or all 11 apps`. So many apps, or the only one.
    GoesOn(Told, u64, Option<Named>),
    /// `I could not see the network from TIME to TIME`.
    Once(Told, Told),
    /// `I could not see the network 3 times`.
    Times(u64),
}

/// All that is said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::judge) struct Blind {
    pub(in crate::judge) line: BlindLine,
    /// The times that are over, where there are several.
    pub(in crate::judge) gaps: Vec<(Told, Told)>,
    /// Who is not seen, while it goes on.
    pub(in crate::judge) apps: Vec<Named>,
    /// So many are as before, of so many.
    pub(in crate::judge) as_before: Option<(u64, u64)>,
}

/// It in a line, and what follows.
pub(super) fn line<'t>(text: &'t str, known: &Known) -> Option<(BlindLine, &'t str)> {
    if let Some(rest) = text.strip_prefix("Nothing answers since ") {
        let (since, rest) = time(rest)?;
        let rest = rest.strip_prefix(": our network, or ")?;
        let counted = || {
            let (count, rest) = rest.strip_prefix("all ")?.split_once(" apps")?;
            Some((count.parse().ok()?, rest))
        };
        if let Some((of, rest)) = counted() {
            return Some((BlindLine::GoesOn(since, of, None), rest));
        }
        let named = known.named_before(rest, ", ");
        let rest = rest.strip_prefix(named.text.as_str())?;
        return Some((BlindLine::GoesOn(since, 1, Some(named)), rest));
    }
    let rest = text.strip_prefix("I could not see the network ")?;
    if let Some((from, until, rest)) = gap(rest) {
        return Some((BlindLine::Once(from, until), rest));
    }
    let (count, rest) = rest.split_once(" times")?;
    Some((BlindLine::Times(count.parse().ok()?), rest))
}

/// `from TIME to TIME`, and what follows.
fn gap(text: &str) -> Option<(Told, Told, &str)> {
    let (from, rest) = time(text.strip_prefix("from ")?)?;
    let (until, rest) = time(rest.strip_prefix(" to ")?)?;
    Some((from, until, rest))
}

impl Blind {
    pub(super) fn of(line: BlindLine) -> Blind {
        Blind { line, gaps: Vec::new(), apps: Vec::new(), as_before: None }
    }

    /// A list of it.
    pub(super) fn list(&mut self, title: &str, points: &[&str], known: &Known) -> Option<()> {
        let points = points.iter().map(|point| point.strip_prefix("- "));
        match title {
            "Not seen since:" => {
                let apps = points.map(|point| Some(known.named_before(point?, "\n")));
                self.apps = apps.collect::<Option<_>>()?;
            }
            "I could not see the network:" => {
                let gaps = points.map(|point| gap(point?).map(|(from, until, _)| (from, until)));
                self.gaps = gaps.collect::<Option<_>>()?;
            }
            _ => return None,
        }
        Some(())
    }

    /// A paragraph of it.
    pub(super) fn paragraph(&mut self, text: &str) -> Option<()> {
        if text == LOOK {
            return Some(());
        }
        let rest = text.strip_suffix(" as before.")?;
        self.as_before = Some(match rest {
            "The app is" => (1, 1),
            _ => {
                let counts = rest.strip_suffix(" apps are")?;
                match counts.strip_prefix("All ") {
                    Some(all) => (all.parse().ok()?, all.parse().ok()?),
                    None => {
                        let (same, of) = counts.split_once(" of ")?;
                        (same.parse().ok()?, of.parse().ok()?)
                    }
                }
            }
        });
        Some(())
    }

    /// All times that are told of, the last perhaps still going on.
    pub(in crate::judge) fn times(&self) -> Vec<(Told, Option<Told>)> {
        let over = self.gaps.iter().map(|(from, until)| (*from, Some(*until)));
        match self.line {
            BlindLine::Once(from, until) => vec![(from, Some(until))],
            BlindLine::GoesOn(since, ..) => over.chain([(since, None)]).collect(),
            BlindLine::Times(_) => over.collect(),
        }
    }
}
