//! Times in which we saw nobody, or nobody on the internet.

use std::time::Duration;

use super::page::{Block, Page};
use super::sentence;
use crate::engine::outbox::notice::Blind;
use crate::engine::surroundings::run::Gap;
use crate::engine::time::{Moment, Stamp, Zone};

/// Within so long the hour says which it is.
const A_DAY: Duration = Duration::from_secs(24 * 3600);

const NO_NETWORK: &str = "I could not see the network";
const NO_INTERNET: &str = "I could not reach the internet";

/// Said where it was over before the mail could go: how they are is told by others.
const IN_TIME: &str =
    "Each app has its time to answer since then. Another mail tells who does not.";

/// `Nothing answers since 02:10: our network, or all 11 apps`; afterwards `I could not see the network from
/// 02:10 to 02:31`, `I could not reach the internet 3 times`. What began a day ago or more has its day.
pub(super) fn subject(blind: &Blind, now: Moment, zone: &Zone) -> String {
    let is_recent = |gap: &Gap| gap.from.at().is_some_and(|from| now.since(from) < A_DAY);
    let with_day = !blind.gaps.iter().all(is_recent);
    in_a_line(blind, &|time| time.in_short(zone, with_day))
}

/// The same with whole times, for the text.
pub(super) fn line(blind: &Blind, zone: &Zone) -> String {
    in_a_line(blind, &|time| time.for_people(zone))
}

fn in_a_line(blind: &Blind, spelled: &dyn Fn(Stamp) -> String) -> String {
    if let Some(since) = blind.goes_on() {
        let apps = match blind.apps.as_slice() {
            [only] => sentence::name(only),
            _ => format!("all {} apps", blind.of),
        };
        return format!("Nothing answers since {}: our network, or {apps}", spelled(since));
    }
    let times = match blind.gaps.as_slice() {
        [only] => spell(only, spelled),
        gaps => format!("{} times", gaps.len()),
    };
    let what = if is_of_internet(blind) {
        NO_INTERNET
    } else if blind.gaps.iter().any(|gap| gap.internet) {
        "I could not see the network or the internet"
    } else {
        NO_NETWORK
    };
    format!("{what} {times}")
}

/// Whether the house was seen all the time.
fn is_of_internet(blind: &Blind) -> bool {
    blind.gaps.iter().all(|gap| gap.internet)
}

/// All of it.
pub(super) fn in_full(blind: &Blind, zone: &Zone, page: &mut Page) {
    page.add(Block::Headline(line(blind, zone), None));
    if blind.goes_on().is_some() {
        page.add(Block::List(
            "Not seen since:".to_owned(),
            blind.apps.iter().map(|app| sentence::name(app)).collect(),
        ));
        page.add(Block::Paragraph(
            "Look at the switch, the router or the Wi-Fi that the health checker hangs on. No alarm of these \
             apps comes until one of them answers; then each has its time to answer, too."
                .to_owned(),
        ));
    }
    for (internet, what) in [(false, NO_NETWORK), (true, NO_INTERNET)] {
        let over = blind.gaps.iter().filter(|gap| gap.internet == internet && !gap.goes_on());
        let over: Vec<String> = over.map(|gap| spell(gap, &|time| time.for_people(zone))).collect();
        if blind.gaps.len() > 1 && !over.is_empty() {
            page.add(Block::List(format!("{what}:"), over));
        }
    }
    if blind.goes_on().is_none() {
        let how = if blind.was_told_meanwhile() { IN_TIME.to_owned() } else { as_before(blind) };
        page.add(Block::Paragraph(how));
    }
}

fn as_before(blind: &Blind) -> String {
    let out_there = if is_of_internet(blind) { " out there" } else { "" };
    match (blind.as_before, blind.of) {
        (1, 1) => format!("The app{out_there} is as before."),
        (same, of) if same == of => format!("All {of} apps{out_there} are as before."),
        (same, of) => format!("{same} of {of} apps{out_there} are as before."),
    }
}

/// `from TIME to TIME`.
fn spell(gap: &Gap, spelled: &dyn Fn(Stamp) -> String) -> String {
    let from = format!("from {}", spelled(gap.from));
    gap.until.map_or_else(|| from.clone(), |until| format!("{from} to {}", spelled(until)))
}
