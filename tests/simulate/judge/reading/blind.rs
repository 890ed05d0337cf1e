//! Times in which the daemon saw nobody, or nobody on the internet: that nothing answers, and the note
//! afterwards.

use super::words::{Known, Named, Told, time};

/// Said while it goes on.
const LOOK: &str = "Look at the switch, the router or the Wi-Fi that the health checker hangs on. No alarm of these \
    apps comes until one of them answers; then each has its time to answer, too.";

/// Said where it was over before the mail could go.
const IN_TIME: &str =
    "Each app has its time to answer since then. Another mail tells who does not.";

/// What was not seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::judge) enum Unseen {
    Network,
    Internet,
    /// Once the one, once the other.
    Either,
}

/// The words for it.
const UNSEEN: [(&str, Unseen); 3] = [
    ("I could not see the network or the internet", Unseen::Either),
    ("I could not see the network", Unseen::Network),
    ("I could not reach the internet", Unseen::Internet),
];

/// The title of who is not seen.
const NOT_SEEN: &str = "Not seen since:";

/// Whether the list under this title is one of its.
pub(super) fn is_list(title: &str) -> bool {
    title == NOT_SEEN || unseen(title).is_some_and(|(_, rest)| rest == ":")
}

/// What the headline, the subject and the list say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::judge) enum BlindLine {
    /// `Nothing answers since TIME: our network, or all 11 apps`. So many apps, or the only one.
    GoesOn(Told, u64, Option<Named>),
    /// `I could not see the network from TIME to TIME`.
    Once(Unseen, Told, Told),
    /// `I could not see the network 3 times`.
    Times(Unseen, u64),
}

/// All that is said of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::judge) struct Blind {
    pub(in crate::judge) line: BlindLine,
    /// The times that are over, where there are several.
    pub(in crate::judge) gaps: Vec<(Unseen, Told, Told)>,
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
    let (unseen, rest) = unseen(text)?;
    let rest = rest.strip_prefix(' ')?;
    if let Some((from, until, rest)) = gap(rest) {
        return Some((BlindLine::Once(unseen, from, until), rest));
    }
    let (count, rest) = rest.split_once(" times")?;
    Some((BlindLine::Times(unseen, count.parse().ok()?), rest))
}

/// The subject with the whole times that the text has in the same sentences.
pub(super) fn with_whole_times(subject: &str, text: &str) -> String {
    let begins = UNSEEN.iter().map(|(words, _)| *words).chain(["Nothing answers since "]);
    let begins: Vec<&str> = begins.collect();
    let sentence = |line: &'_ str| {
        let at = begins.iter().filter_map(|words| line.find(words)).min()?;
        Some(line[at..].to_owned())
    };
    let whole = text.lines().filter_map(sentence);
    whole.fold(subject.to_owned(), |subject, whole| {
        let short = [false, true].map(|with_day| shortened(&whole, with_day));
        let said = short.iter().find(|short| **short != whole && subject.contains(*short));
        said.map_or(subject.clone(), |short| subject.replacen(short, &whole, 1))
    })
}

/// `02:10`, or `2026-11-24 02:10`, in place of each whole time that is certain.
fn shortened(sentence: &str, with_day: bool) -> String {
    let (mut short, mut rest) = (String::new(), sentence);
    while let Some(next) = rest.chars().next() {
        match time(rest) {
            Some((Told::At(_), after)) => {
                short.push_str(&rest[if with_day { 0 } else { HOUR_AT }..MINUTE_END]);
                rest = after;
            }
            _ => {
                short.push(next);
                rest = &rest[next.len_utf8()..];
            }
        }
    }
    short
}

/// Where the hour begins and the minute ends in `2026-11-23 23:55:40 +01:00`.
const HOUR_AT: usize = 11;
const MINUTE_END: usize = 16;

/// What was not seen, and what follows.
fn unseen(text: &str) -> Option<(Unseen, &str)> {
    UNSEEN.iter().find_map(|(words, unseen)| Some((*unseen, text.strip_prefix(words)?)))
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
            NOT_SEEN => {
                let apps = points.map(|point| Some(known.named_before(point?, "\n")));
                self.apps = apps.collect::<Option<_>>()?;
            }
            _ => {
                let (unseen, _) = unseen(title)?;
                for point in points {
                    let (from, until, _) = gap(point?)?;
                    self.gaps.push((unseen, from, until));
                }
            }
        }
        Some(())
    }

    /// A paragraph of it.
    pub(super) fn paragraph(&mut self, text: &str) -> Option<()> {
        if text == LOOK || text == IN_TIME {
            return Some(());
        }
        let rest = text.strip_suffix(" as before.")?;
        // Only of the internet it is said that they are out there.
        let (apps, app) = match self.line {
            BlindLine::Once(Unseen::Internet, ..) | BlindLine::Times(Unseen::Internet, _) => {
                (" apps out there are", "The app out there is")
            }
            _ => (" apps are", "The app is"),
        };
        self.as_before = Some(match rest {
            _ if rest == app => (1, 1),
            _ => {
                let counts = rest.strip_suffix(apps)?;
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
    pub(in crate::judge) fn times(&self) -> Vec<(Unseen, Told, Option<Told>)> {
        let over = self.gaps.iter().map(|(unseen, from, until)| (*unseen, *from, Some(*until)));
        match self.line {
            BlindLine::Once(unseen, from, until) => vec![(unseen, from, Some(until))],
            BlindLine::GoesOn(since, ..) => over.chain([(Unseen::Network, since, None)]).collect(),
            BlindLine::Times(..) => over.collect(),
        }
    }
}
