//! The report after an interruption, and its end.

use super::page::{Block, Page};
use super::sentence;
use crate::engine::outbox::notice::{AllBack, NotBack, Report};
use crate::engine::state::State;
use crate::engine::surroundings::settling::Aftermath;
use crate::engine::text::plain::one_line;
use crate::engine::time::Zone;
use crate::engine::verdict::REASON_MAX;

/// Characters of the names of those who are not back, or were not well before.
const MAX_NAMES: usize = 2000;

/// `Power came back: 9 of 11 are well, not NAS, TV box`, in `max` characters.
pub(super) fn subject(report: &Report, max: usize) -> String {
    let start = format!("{}: {} of {} are well, not ", after(report), report.well, report.of);
    let missing: Vec<&str> = report.missing.iter().map(|missing| missing.app.as_str()).collect();
    let names = sentence::names(&missing, 0, max.saturating_sub(start.chars().count()));
    format!("{start}{names}")
}

/// `Power came back`, `The router 192.168.1.1 does not answer`: the beginning of a sentence.
fn after(report: &Report) -> String {
    match (report.after, report.router) {
        (Aftermath::RouterAway, Some(router)) => format!("The router {router} does not answer"),
        (after, _) => after.words().to_owned(),
    }
}

/// `6 apps are HEALTHY again after 12 min`.
pub(super) fn end(back: &AllBack) -> String {
    let lasted = back.lasted().in_words();
    match back.apps.as_slice() {
        [only] => format!("{} is HEALTHY again after {lasted}", sentence::name(only)),
        apps => format!("{} apps are HEALTHY again after {lasted}", apps.len()),
    }
}

/// The report in full.
pub(super) fn in_full(report: &Report, zone: &Zone, page: &mut Page) {
    page.add(Block::Headline(headline(report, zone), Some(State::Unhealthy)));
    let title = match report.after {
        Aftermath::RouterAway => "Silent with it:",
        _ => "Not back:",
    };
    page.add(Block::List(title.to_owned(), report.missing.iter().map(point).collect()));
    if !report.unhealthy_before.is_empty() {
        let names = listed(&report.unhealthy_before);
        page.add(Block::Paragraph(format!("UNHEALTHY before, and not well yet: {names}")));
    }
    if !report.paused.is_empty() {
        page.add(Block::Paragraph(format!("Paused: {}", listed(&report.paused))));
    }
    page.blocks.extend(began(report, zone).map(Block::Paragraph));
    page.add(Block::Paragraph("One more mail comes when all of them are well.".to_owned()));
}

/// The end in full.
pub(super) fn end_in_full(back: &AllBack, page: &mut Page) {
    page.add(Block::Headline(end(back), Some(State::Healthy)));
    page.add(Block::Paragraph(format!("Well again: {}", listed(&back.apps))));
}

/// `Power came back at 2026-11-23 03:12:00 +01:00: 9 of 11 are well`.
fn headline(report: &Report, zone: &Zone) -> String {
    let Report { at, well, of, .. } = report;
    let at = match report.after {
        Aftermath::RouterAway => format!("since {}", at.for_people(zone)),
        _ => at.in_a_sentence(zone),
    };
    format!("{} {at}: {well} of {of} are well", after(report))
}

fn point(missing: &NotBack) -> String {
    let name = sentence::name(&missing.app);
    match one_line(&missing.reason, REASON_MAX) {
        none if none.is_empty() => name,
        reason => format!("{name}: {reason}"),
    }
}

/// No beginning is claimed: only that it was later than what is on record.
fn began(report: &Report, zone: &Zone) -> Option<String> {
    let what = match report.after {
        Aftermath::Power => "The power went",
        Aftermath::Restart => "Our machine went down",
        Aftermath::Network
        | Aftermath::Sleep
        | Aftermath::Standstill
        | Aftermath::Router
        | Aftermath::Internet
        | Aftermath::RouterAway => return None,
    };
    let last = report.last_record.filter(|last| !last.wall().is_plainly_wrong())?;
    Some(format!("{what} some time after {}, the last that is on record.", last.for_people(zone)))
}

fn listed(apps: &[String]) -> String {
    let names: Vec<&str> = apps.iter().map(String::as_str).collect();
    sentence::names(&names, 0, MAX_NAMES)
}
