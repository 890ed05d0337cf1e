//! What a mail tells, sorted: the latest news of each app, what it overtook, who is newly watched.

use std::collections::HashSet;

use super::Links;
use super::page::{Block, Page, ShownCheck};
use super::{blind, outage, report, said, sentence};
use crate::engine::outbox::mail::Mail;
use crate::engine::outbox::merge::{APPS_MAX, IN_FULL_MAX, OVERTAKEN_MAX};
use crate::engine::outbox::notice::{AllBack, Blind, Change, Notice, Outage, Report};
use crate::engine::outbox::rate_limit::MAILS_AN_HOUR;
use crate::engine::recipients::Recipient;
use crate::engine::state::State;
use crate::engine::text::plain::one_line;
use crate::engine::time::{Moment, Stamp, Zone};
use crate::engine::verdict::REASON_MAX;
use crate::engine::verdict::answer::Outcome;

/// A mail that waited longer than this says so: ms. The first retries are no news, nor that it waited on purpose
/// for what else would come.
const WORTH_TELLING_MS: u64 = 4 * 60 * 1000;
/// The most notices listed in order; the oldest are only counted.
const MAX_LISTED: usize = APPS_MAX + OVERTAKEN_MAX;
/// The most recent checks shown of an app.
const MAX_CHECKS: usize = 10;
/// Characters of a reason or an address.
const MAX_VALUE: usize = 400;
/// Said where a mail has numbers in place of names.
const NAMELESS: &str = "The mail server refused this mail with the names of the apps in it, so they \
    have numbers here. The status page and the log have their names.";
/// Said of an app that comes and goes.
const KEEPS_FAILING: &str = "It was HEALTHY only shortly before. But for reminders, the next mail of it comes when it is \
    HEALTHY and stays so for a while.";
/// The same, of one that is only DEGRADED.
const KEEPS_DEGRADED: &str = "It was HEALTHY only shortly before. But for reminders, the next mail of it comes when it is \
    UNHEALTHY, or HEALTHY and stays so for a while.";
/// Characters of the names of newly watched apps.
const MAX_NAMES: usize = 2000;

/// The notices of one mail, sorted.
#[derive(Debug)]
pub(super) struct Story<'a> {
    notices: &'a [Notice],
    /// What times are told in.
    pub(super) zone: &'a Zone,
    /// How many changes there are, overtaken ones included.
    pub(super) changes: usize,
    /// The latest change of each app, in the order in which they came.
    pub(super) latest: Vec<&'a Change>,
    /// Reports after interruptions,
    pub(super) reports: Vec<&'a Report>,
    /// and of apps that are silent together, as far as they are not all well by the end of the mail.
    pub(super) outages: Vec<&'a Outage>,
    /// The ends of either.
    pub(super) ends: Vec<&'a AllBack>,
    /// Times in which nobody was seen.
    pub(super) blind: Vec<&'a Blind>,
    /// The names of newly watched apps.
    pub(super) watching: Vec<&'a str>,
    /// How many newly watched apps there are besides, as far as it is known.
    watching_left_out: usize,
}

impl<'a> Story<'a> {
    pub(super) fn of(mail: &'a Mail, zone: &'a Zone) -> Story<'a> {
        let notices = mail.notices.as_slice();
        let mut latest: Vec<&Change> = mail.latest_changes().collect();
        latest.reverse();
        let (mut reports, mut outages) = (Vec::new(), Vec::new());
        let (mut ends, mut blind, mut watching) = (Vec::new(), Vec::new(), Vec::new());
        let mut seen = HashSet::new();
        let well = mail.conclusions().filter(|(_, state)| *state == State::Healthy);
        let well: HashSet<&str> = well.map(|(app, _)| app).collect();
        let is_overtaken = |notice: &Notice| {
            notice.told().next().is_some() && notice.told().all(|(app, _)| well.contains(app))
        };
        for notice in notices {
            match notice {
                Notice::Report(_) | Notice::Outage(_) if is_overtaken(notice) => {}
                Notice::Report(report) => reports.push(&**report),
                Notice::Outage(outage) => outages.push(&**outage),
                Notice::AllBack(back) => ends.push(back),
                Notice::Blind(times) => blind.push(times),
                Notice::Watching { apps, .. } => {
                    let new = apps.iter().map(String::as_str).filter(|app| seen.insert(*app));
                    watching.extend(new);
                }
                Notice::Change(_) | Notice::Test { .. } => {}
            }
        }
        let left_out = usize::try_from(mail.left_out).unwrap_or(usize::MAX);
        let watching_left_out = match notices {
            [Notice::Watching { .. }] => left_out,
            _ => 0,
        };
        let changes = mail.changes().count();
        Story {
            notices,
            zone,
            changes,
            latest,
            reports,
            outages,
            ends,
            blind,
            watching,
            watching_left_out,
        }
    }

    /// The names of newly watched apps, as many as fit into `max` characters.
    pub(super) fn watching_names(&self, max: usize) -> String {
        sentence::names(&self.watching, self.watching_left_out, max)
    }

    /// The body.
    pub(super) fn page(&self, mail: &Mail, now: Moment, links: Links<'_>) -> Page {
        let mut page = Page::default();
        page.blocks.extend(self.lateness(mail, now));
        page.blocks.extend(meant_for(&mail.meant_for));
        if mail.nameless {
            page.add(Block::Paragraph(NAMELESS.to_owned()));
        }
        if self.notices.len() > 1 {
            page.add(self.in_order(mail.left_out));
        }
        self.reports.iter().for_each(|report| report::in_full(report, self.zone, &mut page));
        self.outages.iter().for_each(|outage| outage::in_full(outage, self.zone, &mut page));
        self.ends.iter().for_each(|back| report::end_in_full(back, &mut page));
        self.blind.iter().for_each(|blind| blind::in_full(blind, self.zone, &mut page));
        for change in self.latest.iter().take(IN_FULL_MAX) {
            in_full(change, self.notices.len() == 1, self.zone, &mut page);
        }
        match self.notices {
            [Notice::Watching { at, .. }] => self.now_watching(*at, &mut page),
            [Notice::Test { at }] => test(*at, self.zone, &mut page),
            _ => {}
        }
        // A filter that takes no names takes no long link either.
        let mute = links.mute.filter(|_| !mail.nameless);
        page.blocks.extend(mute.and_then(|url| link("Mute this for a while", url)));
        page.blocks.extend(links.status.and_then(|url| link("All apps", url)));
        page
    }

    fn in_order(&self, left_out: u32) -> Block {
        let older = self.notices.len().saturating_sub(MAX_LISTED);
        let mut points = Vec::new();
        let missing = older.saturating_add(usize::try_from(left_out).unwrap_or(usize::MAX));
        if missing > 0 {
            points
                .push(format!("{missing} older ones are left out; the status page has every app"));
        }
        points.extend(self.notices.iter().skip(older).map(|notice| point(notice, self.zone)));
        Block::List("What happened, in order:".to_owned(), points)
    }

    fn now_watching(&self, at: Stamp, page: &mut Page) {
        let names = self.watching_names(MAX_NAMES);
        page.add(Block::Headline(format!("Now watching {names}"), None));
        let (passed, they) = match self.watching.len() {
            1 => ("Its first check passed", "it is"),
            _ => ("Their first checks passed, the earliest", "one of them is"),
        };
        page.add(Block::Paragraph(format!(
            "{passed} {}. Mail works, as you see: another one comes when {they} DEGRADED or UNHEALTHY.",
            at.in_a_sentence(self.zone)
        )));
    }

    /// Why it comes so late, if it does.
    fn lateness(&self, mail: &Mail, now: Moment) -> Option<Block> {
        match mail.held_back {
            Some(since) => Some(digest(since, self.zone)),
            None => waited(mail.written, now, self.zone),
        }
    }
}

/// The mail tells what more than one was to tell.
fn digest(since: Stamp, zone: &Zone) -> Block {
    Block::Paragraph(format!(
        "This is a digest: at most {MAILS_AN_HOUR} mails an hour go to one address, and you had that \
         many {}. It tells what came after them.",
        since.in_a_sentence(zone)
    ))
}

fn waited(written: Stamp, now: Moment, zone: &Zone) -> Option<Block> {
    let waited = written.age(now);
    if waited.span.as_millis() <= u128::from(WORTH_TELLING_MS) && waited.exact {
        return None;
    }
    Some(Block::Paragraph(format!(
        "This mail waited {}: it was written {} and could not be sent before.",
        waited.in_words(),
        written.in_a_sentence(zone)
    )))
}

fn meant_for(people: &[Recipient]) -> Option<Block> {
    let people: Vec<&str> =
        people.iter().map(|Recipient::Mail(address)| address.as_str()).collect();
    (!people.is_empty()).then(|| {
        Block::Paragraph(format!(
            "This mail was meant for {}, to whom the option allow_email lets no mail go.",
            sentence::names(&people, 0, MAX_VALUE)
        ))
    })
}

/// One notice as a line: `2026-11-23 23:55:40 +01:00: NAS is UNHEALTHY (connection refused)`.
fn point(notice: &Notice, zone: &Zone) -> String {
    match notice {
        Notice::Change(change) => {
            let at = change.at.for_people(zone);
            let state = sentence::state(change);
            match one_line(&change.reason, REASON_MAX) {
                _ if change.to == State::Healthy => format!("{at}: {state}"),
                none if none.is_empty() => format!("{at}: {state}"),
                reason => format!("{at}: {state} ({reason})"),
            }
        }
        Notice::Watching { apps, at } => {
            let apps: Vec<&str> = apps.iter().map(String::as_str).collect();
            let names = sentence::names(&apps, 0, MAX_VALUE);
            format!("{}: now watching {names}", at.for_people(zone))
        }
        Notice::Report(report) => {
            format!("{}: {}", report.at.for_people(zone), report::subject(report, MAX_VALUE))
        }
        Notice::Outage(outage) => {
            format!("{}: {}", outage.at.for_people(zone), outage::subject(outage, MAX_VALUE))
        }
        Notice::AllBack(back) => format!("{}: {}", back.at.for_people(zone), report::end(back)),
        Notice::Blind(blind) => blind::line(blind, zone),
        Notice::Test { at } => format!("{}: a test mail was asked for", at.for_people(zone)),
    }
}

/// A mail that is about nothing else begins with what to look at: how it is, the subject says.
fn in_full(change: &Change, alone: bool, zone: &Zone, page: &mut Page) {
    let mut facts = facts(change, zone);
    let headline = match facts.first() {
        Some(("Reason", reason)) if alone => {
            let headline = format!("Look at {}: {reason}", sentence::name(&change.app));
            facts.remove(0);
            headline
        }
        _ => sentence::state(change),
    };
    page.add(Block::Headline(headline, Some(change.to)));
    if change.keeps_failing {
        let said = if change.to == State::Degraded { KEEPS_DEGRADED } else { KEEPS_FAILING };
        page.add(Block::Paragraph(said.to_owned()));
    }
    page.blocks.extend(degraded(change).map(Block::Paragraph));
    page.add(Block::Facts(facts));
    if !change.recent.is_empty() {
        let older = change.recent.len().saturating_sub(MAX_CHECKS);
        let checks = change.recent.iter().skip(older);
        page.add(Block::Checks(None, checks.map(|check| ShownCheck::of(check, zone)).collect()));
    }
    if let Some(body) = &change.body {
        let said = said::read(body);
        if !said.points.is_empty() {
            page.add(Block::List("The app says:".to_owned(), said.points));
        }
        page.add(Block::Quote("Its answer in full:", said.raw));
    }
}

/// What DEGRADED means here: an app that warns, or one that has not failed often enough for worse.
fn degraded(change: &Change) -> Option<String> {
    let [.., earlier, last] = change.recent.as_slice() else { return None };
    if change.to != State::Degraded {
        return None;
    }
    if (earlier.outcome, last.outcome) == (Outcome::Fail, Outcome::Fail) {
        return Some("Its last checks failed, too few yet to call it UNHEALTHY.".to_owned());
    }
    let again = if change.from == State::Unhealthy { " again" } else { "" };
    Some(format!("It answers{again}, but not always well."))
}

fn facts(change: &Change, zone: &Zone) -> Vec<(&'static str, String)> {
    let reason = one_line(&change.reason, MAX_VALUE);
    let mut changed = change.at.for_people(zone);
    if change.from != change.to {
        changed = format!("{changed}, from {}", change.from.word());
    }
    let since = change.since.for_people(zone);
    let mut facts = match change.to {
        State::Healthy => {
            vec![("Last check", reason), ("Alert since", since), ("Changed", changed)]
        }
        _ => vec![("Reason", reason), ("Since", since), ("Changed", changed)],
    };
    facts.push(("Address", one_line(&change.url, MAX_VALUE)));
    facts.retain(|(_, value)| !value.is_empty());
    facts
}

fn test(at: Stamp, zone: &Zone, page: &mut Page) {
    page.add(Block::Headline("Mail works".into(), None));
    page.add(Block::Paragraph(format!(
        "This test mail was asked for {}. When an app needs you, its mail comes this way, too.",
        at.in_a_sentence(zone)
    )));
}

/// A link to the status page; `None` for what is no web address of ordinary length.
fn link(label: &'static str, url: &str) -> Option<Block> {
    let web = url.starts_with("http://") || url.starts_with("https://");
    let cleaned = one_line(url, MAX_VALUE);
    (web && cleaned == url).then_some(Block::Link(label, cleaned))
}
