//! Apps that are silent together: where to look, and who they are.

use std::time::Duration;

use super::page::{Block, Page, ShownCheck};
use super::sentence;
use crate::engine::outbox::notice::{Group, Outage, Silent};
use crate::engine::state::State;
use crate::engine::text::plain::one_line;
use crate::engine::text::span;
use crate::engine::time::Zone;
use crate::engine::verdict::REASON_MAX;

/// `6 apps are UNHEALTHY: NAS and 5 on 192.168.1.20`, in `max` characters. One that was not asked often enough
/// to be UNHEALTHY is counted apart.
pub(super) fn subject(outage: &Outage, max: usize) -> String {
    if outage.still {
        return one_line(&reminder(outage, max), max);
    }
    let unhealthy: Vec<&str> =
        outage.apps().filter(|it| it.unhealthy).map(|it| it.app.as_str()).collect();
    let silent = match outage.apps().count() - unhealthy.len() {
        0 => String::new(),
        1 => ", 1 more does not answer".to_owned(),
        more => format!(", {more} more do not answer"),
    };
    let more = if outage.more { " more" } else { "" };
    let too = if outage.more { ", too" } else { "" };
    let subject = match (unhealthy.as_slice(), place(outage)) {
        ([only], Some(Group { parent: Some(parent), .. })) if parent == only => {
            format!("{} is UNHEALTHY{too}{silent}", sentence::name(only))
        }
        ([only], None) => format!("{} is UNHEALTHY{too}{silent}", sentence::name(only)),
        ([only], Some(group)) => {
            format!("{} {} is UNHEALTHY{too}{silent}", sentence::name(only), at(group, only))
        }
        ([worst, others @ ..], Some(group)) => {
            let (all, name, at) = (others.len() + 1, sentence::name(worst), at(group, worst));
            format!("{all}{more} apps are UNHEALTHY: {name} and {} {at}{silent}", others.len())
        }
        (all, None) | (all @ [], Some(_)) => {
            let start = format!("{}{more} apps are UNHEALTHY: ", all.len());
            let room = max.saturating_sub(start.chars().count() + silent.chars().count());
            format!("{start}{}{silent}", sentence::names(all, 0, room))
        }
    };
    one_line(&subject, max)
}

/// The outage in full.
pub(super) fn in_full(outage: &Outage, zone: &Zone, page: &mut Page) {
    let headline = if outage.still { look_again(outage) } else { look_at(outage) };
    page.add(Block::Headline(headline, Some(State::Unhealthy)));
    for group in &outage.groups {
        let title = match (&group.host, &group.parent) {
            (Some(host), _) => format!("On {}:", sentence::name(host)),
            (None, Some(parent)) if group.apps.iter().any(|it| it.app == *parent) => {
                format!("{}, and behind it:", sentence::name(parent))
            }
            (None, Some(parent)) => format!("Behind {}:", sentence::name(parent)),
            (None, None) if outage.still => "Still UNHEALTHY:".to_owned(),
            (None, None) if outage.groups.len() == 1 => "Silent:".to_owned(),
            (None, None) => "Elsewhere:".to_owned(),
        };
        page.add(Block::List(title, group.apps.iter().map(|it| point(it, zone)).collect()));
    }
    if let Some(worst) = outage.apps().next().filter(|_| !outage.recent.is_empty()) {
        page.add(Block::Checks(
            Some(sentence::name(&worst.app)),
            outage.recent.iter().map(|check| ShownCheck::of(check, zone)).collect(),
        ));
    }
    let promise = match outage {
        Outage { still: true, .. } => AGAIN,
        Outage { keeps_failing: true, .. } => KEEPS_FAILING,
        _ => "One more mail comes when all of them are well.",
    };
    page.add(Block::Paragraph(promise.to_owned()));
}

/// Said of what comes and goes on a host.
const KEEPS_FAILING: &str = "Some of them, or others on their host, were HEALTHY only shortly before. But for reminders, one more \
    mail comes when all of them are HEALTHY and stay so for a while.";
/// Said in a reminder.
const AGAIN: &str = "Reminders come 1 hour, 6 hours and 24 hours after the beginning, and then daily, as long as it lasts.";

/// `NAS is still UNHEALTHY`, `6 apps are still UNHEALTHY: NAS and 5 on 192.168.1.20`.
fn reminder(outage: &Outage, max: usize) -> String {
    let names: Vec<&str> = outage.apps().map(|it| it.app.as_str()).collect();
    let start = format!("{} apps are still UNHEALTHY: ", names.len());
    match (names.as_slice(), place(outage)) {
        ([only], _) => format!("{} is still UNHEALTHY", sentence::name(only)),
        ([worst, others @ ..], Some(group)) => {
            let (name, at) = (sentence::name(worst), at(group, worst));
            format!("{start}{name} and {} {at}", others.len())
        }
        (all, _) => {
            let room = max.saturating_sub(start.chars().count());
            format!("{start}{}", sentence::names(all, 0, room))
        }
    }
}

/// What to do, again: `Look at NAS: it is still UNHEALTHY`.
fn look_again(outage: &Outage) -> String {
    let apps = counted(outage.apps().count());
    match (outage.apps().nth(1), place(outage), outage.apps().next()) {
        (None, _, Some(only)) => {
            format!("Look at {}: it is still UNHEALTHY", sentence::name(&only.app))
        }
        (_, Some(Group { host: Some(host), .. }), _) => {
            format!("Look at {}: {apps} on it are still UNHEALTHY", sentence::name(host))
        }
        (_, Some(Group { parent: Some(parent), .. }), _) => {
            format!("Look at {} first: {apps} are still UNHEALTHY", sentence::name(parent))
        }
        _ => format!("{apps} need you: they are still UNHEALTHY"),
    }
}

/// What to do: `Look at the switch or the power of 192.168.1.20: 6 apps on it went silent within 40 s`.
fn look_at(outage: &Outage) -> String {
    let behind = |parent: &str| counted(outage.apps().filter(|it| it.app != parent).count());
    let apps = counted(outage.apps().count());
    let went = went_silent(outage);
    match outage.groups.as_slice() {
        [Group { host: Some(host), host_lives: true, .. }] => {
            let host = sentence::name(host);
            format!("Look at {host}: it is on, but {apps} on it {went}")
        }
        [Group { host: Some(host), outside: true, .. }] => {
            format!("Look at {}: {apps} on it {went}", sentence::name(host))
        }
        [Group { host: Some(host), .. }] => {
            let host = sentence::name(host);
            format!("Look at the switch or the power of {host}: {apps} on it {went}")
        }
        [Group { parent: Some(parent), .. }] => {
            let (behind, parent) = (behind(parent), sentence::name(parent));
            format!("Look at {parent}: it is UNHEALTHY, and {behind} behind it {went}")
        }
        [Group { parent: Some(parent), .. }, ..] => {
            let parent = sentence::name(parent);
            format!("Look at {parent} first: {apps} on different hosts {went}")
        }
        groups => {
            let what = if groups.iter().all(|group| group.host_lives) {
                "what they have in common: their machines are on, but"
            } else if groups.iter().all(|group| group.outside) {
                "the line to the internet:"
            } else {
                "the switch, the access point or the power:"
            };
            format!("Look at {what} {apps} on different hosts {went}")
        }
    }
}

fn counted(apps: usize) -> String {
    match apps {
        1 => "1 app".to_owned(),
        count => format!("{count} apps"),
    }
}

/// `went silent within 40 s`, rounded up; `went silent, too`, where it is one.
fn went_silent(outage: &Outage) -> String {
    let too = if outage.more { ", too" } else { "" };
    if outage.apps().count() < 2 {
        return format!("went silent{too}");
    }
    let first =
        outage.apps().map(|it| it.since).reduce(|a, b| if a.is_not_after(b) { a } else { b });
    let last =
        outage.apps().map(|it| it.since).reduce(|a, b| if a.is_not_after(b) { b } else { a });
    let took = first.zip(last).map(|(first, last)| first.until(last).span).unwrap_or_default();
    let unit = if took < Duration::from_secs(60) { 1000 } else { 60_000 };
    let units = took.as_millis().div_ceil(unit).max(1).saturating_mul(unit);
    let units = Duration::from_millis(u64::try_from(units).unwrap_or(u64::MAX));
    let comma = if outage.more { "," } else { "" };
    format!("went silent{too}{comma} within {}", span::in_words(units))
}

/// `NAS is UNHEALTHY since 2026-11-23 22:55:40 UTC (connection refused)`.
fn point(silent: &Silent, zone: &Zone) -> String {
    let (name, since) = (sentence::name(&silent.app), silent.since.for_people(zone));
    let how = match silent.failures {
        _ if silent.unhealthy => "is UNHEALTHY".to_owned(),
        0 | 1 => "was asked once".to_owned(),
        times => format!("was asked {times} times"),
    };
    match one_line(&silent.reason, REASON_MAX) {
        none if none.is_empty() => format!("{name} {how} since {since}"),
        reason => format!("{name} {how} since {since} ({reason})"),
    }
}

/// What all of them have in common, if there is something.
fn place(outage: &Outage) -> Option<&Group> {
    match outage.groups.as_slice() {
        [only @ (Group { host: Some(_), .. } | Group { parent: Some(_), .. })] => Some(only),
        _ => None,
    }
}

/// Where they are, said after the name of the first: `on 192.168.1.20`, `behind Switch`, `behind it`.
fn at(group: &Group, first: &str) -> String {
    match (&group.host, &group.parent) {
        (Some(host), _) => format!("on {}", sentence::name(host)),
        (None, Some(parent)) if parent != first => format!("behind {}", sentence::name(parent)),
        (None, _) => "behind it".to_owned(),
    }
}
