//! The report after an interruption, and its end, in subject and body.

use std::net::IpAddr;

use super::words::{self, Says};
use super::words::{Known, Lasted, Named, Row, Told, time, time_in_a_sentence};
use healthchecker::engine::surroundings::settling::Aftermath;

/// `Power came back: 9 of 11 are well, not NAS, TV box`: a report in a line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::judge) struct Line {
    pub(in crate::judge) after: Aftermath,
    pub(in crate::judge) well: u64,
    pub(in crate::judge) of: u64,
    pub(in crate::judge) missing: Row,
}

/// A report in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::judge) struct Report {
    pub(in crate::judge) after: Aftermath,
    /// When that was over; since when the router is away.
    pub(in crate::judge) at: Told,
    pub(in crate::judge) well: u64,
    pub(in crate::judge) of: u64,
    pub(in crate::judge) missing: Vec<Named>,
    /// "UNHEALTHY before, and not well yet".
    pub(in crate::judge) unhealthy_before: Row,
    pub(in crate::judge) paused: Row,
    /// "... some time after ..., the last that is on record."
    pub(in crate::judge) after_record: Option<Told>,
}

/// `6 apps are HEALTHY again after 12 min`: an end in a line. Of one app it reads as any other end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::judge) struct EndLine {
    pub(in crate::judge) apps: u64,
    pub(in crate::judge) lasted: Lasted,
}

/// An end in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::judge) struct End {
    /// What its headline says of how many.
    pub(in crate::judge) line: EndLine,
    /// Whom the headline names, where it is one.
    pub(in crate::judge) only: Option<Named>,
    pub(in crate::judge) apps: Row,
}

/// What it came after, and what follows.
pub(super) fn after(text: &str) -> Option<(Aftermath, &str)> {
    router_away(text).or_else(|| came_back(text))
}

/// `The router 192.168.1.1 does not answer`, or without an address where none is known.
fn router_away(text: &str) -> Option<(Aftermath, &str)> {
    let (address, rest) = text.strip_prefix("The router ")?.split_once("does not answer")?;
    let is_address = |text: &str| text.strip_suffix(' ')?.parse::<IpAddr>().ok();
    (address.is_empty() || is_address(address).is_some()).then_some((Aftermath::RouterAway, rest))
}

fn came_back(text: &str) -> Option<(Aftermath, &str)> {
    use Aftermath::{Internet, Network, Power, Restart, Router, Sleep, Standstill};
    [
        (Power, "Power came back"),
        (Restart, "After our restart"),
        (Network, "After our network came back"),
        (Sleep, "After our machine slept"),
        (Standstill, "After our machine stood still"),
        (Router, "After the router was away"),
        (Internet, "After the internet was away"),
    ]
    .into_iter()
    .find_map(|(after, words)| Some((after, text.strip_prefix(words)?)))
}

/// `9 of 11 are well`, and what follows.
fn counts(text: &str) -> Option<(u64, u64, &str)> {
    let (well, rest) = text.split_once(" of ")?;
    let (of, rest) = rest.split_once(" are well")?;
    Some((well.parse().ok()?, of.parse().ok()?, rest))
}

/// A report in a line, and what follows: its names end where other news begins.
pub(super) fn line<'t>(
    text: &'t str,
    known: &Known,
    is_other: impl Fn(&str) -> bool,
) -> Option<(Line, &'t str)> {
    let (after, rest) = after(text)?;
    let (well, of, rest) = counts(rest.strip_prefix(": ")?)?;
    let (missing, rest) = known.row_before(rest.strip_prefix(", not ")?, is_other);
    Some((Line { after, well, of, missing }, rest))
}

/// An end of several in a line, and what follows.
pub(super) fn end_line(text: &str) -> Option<(EndLine, &str)> {
    let (apps, rest) = text.split_once(" apps are HEALTHY again after ")?;
    let (lasted, rest) = words::span(rest)?;
    Some((EndLine { apps: apps.parse().ok()?, lasted }, rest))
}

/// `Power came back at 2026-11-23 03:12:00 UTC: 9 of 11 are well`.
pub(super) fn headline(text: &str) -> Option<Report> {
    let (after, rest) = after(text)?;
    let (at, rest) = match after {
        Aftermath::RouterAway => time(rest.strip_prefix(" since ")?)?,
        _ => time_in_a_sentence(rest.strip_prefix(' ')?)?,
    };
    let (well, of, "") = counts(rest.strip_prefix(": ")?)? else { return None };
    let (missing, none) = (Vec::new(), Row::default());
    let unhealthy_before = none.clone();
    Some(Report {
        after,
        at,
        well,
        of,
        missing,
        unhealthy_before,
        paused: none,
        after_record: None,
    })
}

/// `NAS: no route to host`, of those that are not back.
pub(super) fn missing(points: &[&str], known: &Known) -> Option<Vec<Named>> {
    let named = |point: &&str| Some(known.named_before(point.strip_prefix("- ")?, ": "));
    points.iter().map(named).collect()
}

impl Line {
    /// Whether it says the same as a report in full.
    pub(in crate::judge) fn is_of(&self, report: &Report) -> bool {
        let Line { after, well, of, missing } = self;
        (*after, *well, *of) == (report.after, report.well, report.of)
            && missing.is_of(report.missing.iter())
    }
}

impl Report {
    /// A paragraph of its.
    pub(super) fn paragraph(&mut self, text: &str, known: &Known) -> Option<()> {
        if let Some(names) = text.strip_prefix("UNHEALTHY before, and not well yet: ") {
            self.unhealthy_before = known.row(names);
            return Some(());
        }
        if let Some(names) = text.strip_prefix("Paused: ") {
            self.paused = known.row(names);
            return Some(());
        }
        let begins = match self.after {
            Aftermath::Power => "The power went some time after ",
            Aftermath::Restart => "Our machine went down some time after ",
            _ => return None,
        };
        let (told, rest) = time(text.strip_prefix(begins)?)?;
        self.after_record = Some(told);
        (rest == ", the last that is on record.").then_some(())
    }
}

impl End {
    /// The end of one app, which its headline took for any other.
    pub(super) fn of_one(named: Named, says: Says, apps: Row) -> Option<End> {
        let Says::WellAgain(lasted) = says else { return None };
        Some(End { line: EndLine { apps: 1, lasted }, only: Some(named), apps })
    }
}
