//! The words that letters are made of: times, spans, names, states.

use std::collections::HashMap;

use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::story::{App, AppId};
use healthchecker::engine::state::State;

/// Characters of a name in a letter.
const NAME_MAX: usize = 60;
/// The length of `2026-11-23 23:55:40`,
const DATE_LENGTH: usize = 19;
/// and of `+01:00`, which follows unless it is `UTC`.
const OFFSET_LENGTH: usize = 6;

/// A time as a letter tells it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::judge) enum Told {
    /// By the wall clock: ms since 1970, whole seconds.
    At(i64),
    /// The same, and that the clock may have been wrong.
    InDoubt(i64),
    /// So long after the start of the run that says so.
    AfterStart(Lasted),
    /// Of an earlier run, and no more is known.
    BeforeStart,
}

/// A span as a letter tells it: in whole units, rounded down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::judge) struct Lasted {
    /// So many seconds, or a part of the last unit more.
    pub(in crate::judge) secs: u64,
    /// Seconds of the last unit.
    pub(in crate::judge) unit: u64,
    /// It may have been longer.
    pub(in crate::judge) at_least: bool,
}

/// What a letter says of an app.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::judge) enum Says {
    Is(State),
    /// It comes and goes, and no more is told until it stays well.
    KeepsFailing,
    WellAgain(Lasted),
}

impl Says {
    pub(in crate::judge) fn state(self) -> State {
        match self {
            Says::Is(state) => state,
            Says::KeepsFailing => State::Unhealthy,
            Says::WellAgain(_) => State::Healthy,
        }
    }
}

/// An app, as it is named.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::judge) struct Named {
    pub(in crate::judge) text: String,
    /// `None`: nobody is called so.
    pub(in crate::judge) app: Option<AppId>,
}

/// Names in a row, and how many more there are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::judge) struct Row {
    pub(in crate::judge) names: Vec<Named>,
    pub(in crate::judge) more: u64,
    /// The last name was cut, and nothing can be said of what follows.
    pub(in crate::judge) cut: bool,
}

impl Row {
    /// Whether it names some of these and counts the others. (In a subject `and 2 more` may be other news.)
    pub(super) fn is_of<'n>(&self, all: impl Iterator<Item = &'n Named>) -> bool {
        let all: Vec<&Named> = all.collect();
        let counted = [0, self.more].map(|more| self.names.len() as u64 + more);
        self.names.iter().all(|named| all.contains(&named))
            && (self.cut || counted.contains(&(all.len() as u64)))
    }
}

/// The names that there are, as letters write them.
#[derive(Debug, Default)]
pub(in crate::judge) struct Known {
    apps: HashMap<String, AppId>,
}

impl Known {
    pub(in crate::judge) fn new(apps: &[App]) -> Known {
        let mut known = Known::default();
        for (at, app) in apps.iter().enumerate() {
            known.apps.entry(shown(&app.name)).or_insert(AppId(at));
        }
        known
    }

    fn get(&self, text: &str) -> Option<AppId> {
        self.apps.get(text).copied()
    }

    pub(super) fn named(&self, text: &str) -> Named {
        Named { text: text.to_owned(), app: self.get(text) }
    }

    /// `NAME is UNHEALTHY` at the beginning, and what follows. A name may hold any words, those of a
    /// state among them: one that somebody has goes first.
    pub(in crate::judge) fn statement<'t>(&self, text: &'t str) -> Option<(Named, Says, &'t str)> {
        let mut unknown = None;
        for (at, _) in text.match_indices(' ') {
            let Some((says, rest)) = says(&text[at..]) else { continue };
            let named = self.named(&text[..at]);
            if named.app.is_some() {
                return Some((named, says, rest));
            }
            unknown.get_or_insert((named, says, rest));
        }
        unknown
    }

    /// `Kodi, NAS and 3 more`, to the end of the text.
    pub(in crate::judge) fn row(&self, text: &str) -> Row {
        self.row_before(text, |_| false).0
    }

    /// The same, up to what is no name; and that.
    pub(in crate::judge) fn row_before<'t>(
        &self,
        text: &'t str,
        is_other: impl Fn(&str) -> bool,
    ) -> (Row, &'t str) {
        let mut row = Row::default();
        let mut rest = text;
        loop {
            let (name, after) = self.next_in_row(rest);
            row.names.push(self.named(name));
            rest = after;
            if let Some(count) = after.strip_prefix(" and ")
                && let Some((more, after)) = count.split_once(" more")
                && let Ok(more) = more.parse()
            {
                (row.more, rest) = (more, after);
                break;
            }
            match after.strip_prefix(", ") {
                Some(next) if !is_other(next) => rest = next,
                _ => break,
            }
        }
        row.cut = row.names.last().is_some_and(|it| it.app.is_none() && it.text.ends_with('…'));
        if row.cut {
            row.names.pop();
        }
        // How many more there are may be cut, too.
        row.cut |= rest.starts_with(" and ") && rest.ends_with('…');
        (row, rest)
    }

    /// The name at the beginning of a text, up to a mark or the end: the longest that somebody has.
    pub(in crate::judge) fn named_before(&self, text: &str, mark: &str) -> Named {
        let marks = text.match_indices(mark).map(|(at, _)| at);
        let ends: Vec<usize> = marks.chain([text.len()]).collect();
        let known = ends.iter().rev().find(|end| self.get(&text[..**end]).is_some());
        self.named(&text[..known.copied().unwrap_or(ends[0])])
    }

    /// The name at the beginning of a text, and what follows: the longest that somebody has.
    pub(super) fn name_before<'t>(&self, text: &'t str) -> (Named, &'t str) {
        let (name, rest) = self.next_in_row(text);
        (self.named(name), rest)
    }

    /// The next name of a row, and what follows: the longest that somebody has.
    fn next_in_row<'t>(&self, text: &'t str) -> (&'t str, &'t str) {
        let commas = text.match_indices(", ").map(|(at, _)| at);
        let counts = text.match_indices(" and ").map(|(at, _)| at);
        let mut ends: Vec<usize> = commas.chain(counts).chain([text.len()]).collect();
        ends.sort_unstable();
        let known = ends.iter().rev().find(|end| self.get(&text[..**end]).is_some());
        let plain = || {
            let counted = |end: &&usize| more(text[**end..].trim_start_matches(" and ")).is_some();
            let comma = text.find(", ").unwrap_or(text.len());
            ends.iter().find(counted).map_or(comma, |end| comma.min(*end))
        };
        text.split_at(known.copied().unwrap_or_else(plain))
    }
}

/// A name as letters write it.
pub(in crate::judge) fn shown(name: &str) -> String {
    healthchecker::engine::text::plain::one_line(&name.replace("=?", "= ?"), NAME_MAX)
}

/// `3 more`, and nothing else.
pub(in crate::judge) fn more(text: &str) -> Option<u64> {
    text.strip_suffix(" more")?.parse().ok()
}

/// What is said of an app, and what follows.
fn says(text: &str) -> Option<(Says, &str)> {
    if let Some(rest) = text.strip_prefix(" keeps failing") {
        return Some((Says::KeepsFailing, rest));
    }
    let text = text.strip_prefix(" is ")?;
    for state in [State::Unhealthy, State::Degraded, State::Unknown] {
        if let Some(rest) = text.strip_prefix(state.word()) {
            return Some((Says::Is(state), rest));
        }
    }
    let (lasted, rest) = span(text.strip_prefix("HEALTHY again after ")?)?;
    Some((Says::WellAgain(lasted), rest))
}

/// `12 min`, `at least 3 h 5 min`, and what follows.
pub(in crate::judge) fn span(text: &str) -> Option<(Lasted, &str)> {
    if let Some(rest) = text.strip_prefix("less than 1 s") {
        return Some((Lasted { secs: 0, unit: 1, at_least: false }, rest));
    }
    if let Some(rest) = text.strip_prefix("some time") {
        return Some((Lasted { secs: 0, unit: 1, at_least: true }, rest));
    }
    let (at_least, text) = match text.strip_prefix("at least ") {
        Some(rest) => (true, rest),
        None => (false, text),
    };
    let (count, unit, rest) = units(text)?;
    let mut lasted = Lasted { secs: count * unit, unit: precision(count, unit), at_least };
    let second = rest.strip_prefix(' ').and_then(units).filter(|(_, smaller, _)| *smaller < unit);
    let Some((count, unit, rest)) = second else { return Some((lasted, rest)) };
    lasted.secs += count * unit;
    Some((lasted, rest))
}

/// `3 h`: how many, seconds of each, and what follows.
fn units(text: &str) -> Option<(u64, u64, &str)> {
    let (count, rest) = text.split_at_checked(text.find(|c: char| !c.is_ascii_digit())?)?;
    let count: u64 = count.parse().ok()?;
    let rest = rest.strip_prefix(' ')?;
    // The longer words first: `s` begins nothing else, `day` begins `days`.
    let table = [("days", 86_400), ("day", 86_400), ("min", 60), ("h", 3_600), ("s", 1)];
    let is_word = |rest: &str| !rest.starts_with(char::is_alphanumeric);
    table.iter().find_map(|(word, secs)| {
        Some((count, *secs, rest.strip_prefix(word).filter(|rest| is_word(rest))?))
    })
}

/// Down to what a span that begins with this unit is told, in seconds.
fn precision(count: u64, unit: u64) -> u64 {
    match unit {
        86_400 if count < 7 => 3_600,
        3_600 => 60,
        unit => unit,
    }
}

/// A time, and what follows.
pub(in crate::judge) fn time(text: &str) -> Option<(Told, &str)> {
    if let Some(rest) = text.strip_prefix("before the last start (clock not set)") {
        return Some((Told::BeforeStart, rest));
    }
    if let Some((wall, rest)) = wall(text) {
        let unset = rest.strip_prefix(" (clock not set)");
        let wrong = unset.unwrap_or(rest).strip_prefix(" (the clock may have been wrong)");
        return Some(match wrong.or(unset) {
            Some(rest) => (Told::InDoubt(wall), rest),
            None => (Told::At(wall), rest),
        });
    }
    let (after, rest) = span(text)?;
    Some((Told::AfterStart(after), rest.strip_prefix(" after the start")?))
}

/// The same within a sentence: `at` stands before a date.
pub(in crate::judge) fn time_in_a_sentence(text: &str) -> Option<(Told, &str)> {
    time(text.strip_prefix("at ").unwrap_or(text))
}

/// `2026-11-23 23:55:40 +01:00`, and what follows.
fn wall(text: &str) -> Option<(i64, &str)> {
    let (date, rest) = text.split_at_checked(DATE_LENGTH)?;
    let rest = rest.strip_prefix(' ')?;
    let (offset, rest) = match rest.strip_prefix("UTC") {
        Some(rest) => ("Z", rest),
        None => rest.split_at_checked(OFFSET_LENGTH)?,
    };
    let date = format!("{}{offset}", date.replacen(' ', "T", 1));
    let date = OffsetDateTime::parse(&date, &Rfc3339).ok()?;
    Some((date.unix_timestamp() * 1000, rest))
}

#[cfg(test)]
mod tests {
    use super::*;
    use healthchecker::engine::text::span::in_words;
    use healthchecker::engine::time::{Wall, Zone};
    use std::time::Duration;

    #[test]
    fn every_span_in_words_is_read_to_its_last_unit() {
        let hours = (0..400).map(|hour| hour * 3_600 + 59);
        for secs in (0..8_000).step_by(7).chain(hours).chain([59, 60, 3_599, 86_399, 604_800]) {
            let words = in_words(Duration::from_secs(secs));
            let (lasted, rest) = span(&words).unwrap();
            assert_eq!(rest, "", "{words}");
            assert!((lasted.secs..lasted.secs + lasted.unit).contains(&secs), "{secs} s: {words}");
            if secs > 0 {
                let longer = Lasted { at_least: true, ..lasted };
                assert_eq!(span(&format!("at least {words}, so")), Some((longer, ", so")));
            }
        }
        assert_eq!(span("12 minutes"), None);
        assert_eq!(span("at last"), None);
    }

    #[test]
    fn times_are_read_as_they_are_written() {
        for ms in [1_795_474_540_000_i64, 1_754_524_800_000, 253_402_300_799_000] {
            for zone in [Zone::UTC, Zone::from_posix("NST3:30NDT,M3.2.0,M11.1.0").unwrap()] {
                let text = format!("{}: then", Wall::from_unix_millis(ms).for_people(&zone));
                assert_eq!(time(&text), Some((Told::At(ms), ": then")));
            }
        }
        let after = Told::AfterStart(Lasted { secs: 720, unit: 60, at_least: false });
        assert_eq!(time("12 min after the start, "), Some((after, ", ")));
        assert_eq!(time_in_a_sentence("12 min after the start."), Some((after, ".")));
        assert_eq!(time("before the last start (clock not set)"), Some((Told::BeforeStart, "")));
        for doubt in [" (the clock may have been wrong)", " (clock not set)"] {
            let text = format!("2026-11-23 22:55:40 UTC{doubt}, from");
            assert_eq!(time(&text), Some((Told::InDoubt(1_795_474_540_000), ", from")));
        }
        for bad in ["yesterday", "2026-11-23 22:55:40 CET", "12 min", ""] {
            assert_eq!(time(bad), None, "{bad}");
        }
    }

    fn known(names: &[&str]) -> Known {
        let apps = names.iter().enumerate();
        Known { apps: apps.map(|(at, name)| ((*name).to_owned(), AppId(at))).collect() }
    }

    #[test]
    fn a_name_may_hold_whatever_letters_are_made_of() {
        let known = known(&["NAS", "A is UNHEALTHY", "a, b", "Salt and 3 more", "x and y"]);
        let app = |text| known.statement(text).map(|(named, says, rest)| (named.app, says, rest));
        let down = Says::Is(State::Unhealthy);
        assert_eq!(app("NAS is UNHEALTHY (why)"), Some((Some(AppId(0)), down, " (why)")));
        assert_eq!(app("A is UNHEALTHY is UNHEALTHY"), Some((Some(AppId(1)), down, "")));
        assert_eq!(app("Nas is UNHEALTHY"), Some((None, down, "")));
        assert_eq!(app("NAS was UNHEALTHY"), None);
        let row = known.row("NAS, a, b, Salt and 3 more, x and y and 12 more");
        let apps: Vec<usize> = row.names.iter().map(|it| it.app.unwrap().0).collect();
        assert_eq!((apps, row.more, row.cut), (vec![0, 2, 3, 4], 12, false));
        let row = known.row("Nobody, NAS and 2 more");
        assert_eq!((row.names[0].app, row.names[1].app, row.more), (None, Some(AppId(0)), 2));
        assert!(known.row("Somebody with a long na…").cut);
    }
}
