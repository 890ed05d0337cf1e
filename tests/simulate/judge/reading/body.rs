//! The body of a letter, block by block.

use super::Reading;
use super::blind::{self, Blind, BlindLine};
use super::outage::{self, OutageLine};
use super::report::{self, End, EndLine, Line};
use super::words::{Known, Lasted, Named, Row, Says, Told, span, time, time_in_a_sentence};
use healthchecker::engine::state::State;
use healthchecker::engine::verdict::answer::Outcome;

/// The width of the line below a headline, at most.
const RULE_MAX: usize = 60;
/// Bytes of a line.
const LINE_MAX: usize = 900;
/// Said in a reminder.
const AGAIN: &str = "Reminders come 1 hour, 6 hours and 24 hours after the beginning, and then daily, as long as it lasts.";
/// The reason of an app that crashes and starts again begins so.
const CRASH_LOOP: &str = "it registered 3 times within 10 min, and failed in between";
/// Said of an app that comes and goes.
const KEEPS_FAILING: &str = "It was HEALTHY only shortly before. But for reminders, the next mail of it comes when it is \
    HEALTHY and stays so for a while.";
/// The same of one that is only DEGRADED.
const KEEPS_DEGRADED: &str = "It was HEALTHY only shortly before. But for reminders, the next mail of it comes when it is \
    UNHEALTHY, or HEALTHY and stays so for a while.";
/// The same of what comes and goes on a host.
const ON_HOST: &str = "Some of them, or others on their host, were HEALTHY only shortly before. But for reminders, one more \
    mail comes when all of them are HEALTHY and stay so for a while.";
/// Said where a mail has numbers in place of names.
const NAMELESS: &str = "The mail server refused this mail with the names of the apps in it, so they \
    have numbers here. The status page and the log have their names.";

/// One line of "What happened, in order".
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::judge) struct Point {
    /// A line that tells since when nobody was seen has no other time.
    pub(in crate::judge) at: Option<Told>,
    pub(in crate::judge) tells: Tells,
    /// Of a state: that the app registers and dies again and again is its reason.
    pub(in crate::judge) crash_loop: bool,
}

/// What it tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::judge) enum Tells {
    State(Named, Says),
    Watching(Row),
    Report(Line),
    Outage(OutageLine),
    Blind(BlindLine),
    End(EndLine),
    Test,
}

/// An app that is told in full.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::judge) struct Full {
    pub(in crate::judge) named: Named,
    pub(in crate::judge) says: Says,
    /// See [`Point::crash_loop`].
    pub(in crate::judge) crash_loop: bool,
    /// What DEGRADED means here.
    pub(in crate::judge) degraded: Option<Degraded>,
    pub(in crate::judge) facts: Facts,
    pub(in crate::judge) checks: Vec<(Told, Outcome)>,
}

/// What DEGRADED means.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::judge) enum Degraded {
    /// "Its last checks failed, too few yet to call it UNHEALTHY."
    TooFewFailures,
    /// "It answers, but not always well." Or "It answers again, ...".
    Answers { again: bool },
}

/// The lines with a label.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::judge) struct Facts {
    pub(in crate::judge) since: Option<Told>,
    pub(in crate::judge) alert_since: Option<Told>,
    pub(in crate::judge) changed: Option<Told>,
    pub(in crate::judge) from: Option<State>,
    pub(in crate::judge) address: Option<String>,
}

/// Reads the body.
pub(super) fn read(text: &str, known: &Known, reading: &mut Reading) {
    for block in text.trim_end_matches('\n').split("\n\n") {
        let whole = unbroken(block);
        let lines: Vec<&str> = whole.lines().collect();
        if lines.is_empty() || self::block(&lines, known, reading).is_none() {
            reading.unread.push(block.to_owned());
        }
    }
}

/// The block, with its lines as they were before they were broken for the mail servers' sake.
fn unbroken(block: &str) -> String {
    let mut whole = String::with_capacity(block.len());
    let mut is_full = true;
    for line in block.lines() {
        if !is_full {
            whole.push('\n');
        }
        whole.push_str(line);
        is_full = line.len() > LINE_MAX - char::MAX.len_utf8();
    }
    whole
}

/// One block; `None`: it is not understood.
fn block(lines: &[&str], known: &Known, reading: &mut Reading) -> Option<()> {
    match *lines {
        [headline, rule] if is_rule_of(rule, headline) => self::headline(headline, known, reading),
        ["What happened, in order:", ref points @ ..] => {
            points.iter().try_for_each(|line| point(line.strip_prefix("- ")?, known, reading))
        }
        [title, ref checks @ ..] if title.ends_with(", newest last:") => {
            let checks: Option<Vec<_>> = checks.iter().map(|line| check(line)).collect();
            match title.strip_prefix("Last checks")? {
                ", newest last:" => reading.full.last_mut()?.checks = checks?,
                // Of the worst of an outage.
                of => _ = (of.strip_prefix(" of ")?, checks?, reading.outages.last()?),
            }
            Some(())
        }
        ["Not back:" | "Silent with it:", ref points @ ..] => {
            reading.reports.last_mut()?.missing = report::missing(points, known)?;
            Some(())
        }
        [title, ref points @ ..] if blind::is_list(title) => {
            reading.blind.last_mut()?.list(title, points, known)
        }
        // The app's own words, which may be anything.
        ["The app says:", ref points @ ..] => points.first()?.strip_prefix("- ").map(drop),
        ["Its answer in full:", ref answer @ ..] => {
            answer.iter().all(|line| line.starts_with("> ")).then_some(())
        }
        [title, ref points @ ..]
            if outage::list_of(title, known).is_some() && !reading.outages.is_empty() =>
        {
            let place = outage::list_of(title, known)?;
            let silent = |line: &&str| outage::silent(line, &place, known);
            let silent: Option<Vec<_>> = points.iter().map(silent).collect();
            reading.outages.last_mut()?.silent.extend(silent?);
            Some(())
        }
        [only] => paragraph(only, known, reading),
        [..] => facts(lines, reading),
    }
}

fn is_rule_of(rule: &str, headline: &str) -> bool {
    rule.len() == headline.chars().count().min(RULE_MAX) && rule.bytes().all(|b| b == b'-')
}

fn headline(text: &str, known: &Known, reading: &mut Reading) -> Option<()> {
    if text == "Mail works" {
        return Some(());
    }
    if let Some(row) = text.strip_prefix("Now watching ") {
        // When, says the sentence below.
        reading.watching = Some((known.row(row), Told::BeforeStart));
        return Some(());
    }
    if let Some((line, "")) = blind::line(text, known) {
        reading.blind.push(Blind::of(line));
        return Some(());
    }
    if let Some(outage) = outage::headline(text, known) {
        reading.outages.push(outage);
        return Some(());
    }
    if let Some(report) = report::headline(text) {
        reading.reports.push(report);
        return Some(());
    }
    if let Some((line, "")) = report::end_line(text) {
        reading.ends.push(End { line, only: None, apps: Row::default() });
        return Some(());
    }
    let (named, says) = match look_at(text, known, reading) {
        Some(of_subject) => of_subject,
        None => match known.statement(text)? {
            (named, says, "") => (named, says),
            _ => return None,
        },
    };
    let (facts, checks) = (Facts::default(), Vec::new());
    let crash_loop = text.contains(CRASH_LOOP);
    reading.full.push(Full { named, says, crash_loop, degraded: None, facts, checks });
    Some(())
}

/// `Look at NAS: connection refused`, of the only one that the letter is about: how it is, the subject says.
fn look_at(text: &str, known: &Known, reading: &Reading) -> Option<(Named, Says)> {
    let [(named, says)] = reading.subject.states.as_slice() else { return None };
    let app = known.named_before(text.strip_prefix("Look at ")?, ": ");
    (app == *named && says.state() != State::Healthy).then(|| (named.clone(), *says))
}

fn point(text: &str, known: &Known, reading: &mut Reading) -> Option<()> {
    if let Some(count) =
        text.strip_suffix(" older ones are left out; the status page has every app")
    {
        reading.left_out = count.parse().ok()?;
        return Some(());
    }
    if let Some((line, "")) = blind::line(text, known) {
        let at = match &line {
            BlindLine::GoesOn(since, ..) => Some(*since),
            _ => None,
        };
        reading.list.push(Point { at, tells: Tells::Blind(line), crash_loop: false });
        return Some(());
    }
    let (at, rest) = time(text)?;
    let what = rest.strip_prefix(": ")?;
    let tells = if what == "a test mail was asked for" {
        Tells::Test
    } else if let Some(row) = what.strip_prefix("now watching ") {
        Tells::Watching(known.row(row))
    } else if let Some((line, "")) = outage::line(what, known, |_| false) {
        Tells::Outage(line)
    } else if let Some((line, "")) = report::line(what, known, |_| false) {
        Tells::Report(line)
    } else if let Some((line, "")) = report::end_line(what) {
        Tells::End(line)
    } else {
        let (named, says, reason) = known.statement(what)?;
        let is_reason = reason.starts_with(" (") && reason.ends_with(')');
        if !(reason.is_empty() || (is_reason && says.state() != State::Healthy)) {
            return None;
        }
        Tells::State(named, says)
    };
    let crash_loop = what.contains(CRASH_LOOP);
    reading.list.push(Point { at: Some(at), tells, crash_loop });
    Some(())
}

fn check(line: &str) -> Option<(Told, Outcome)> {
    let (at, rest) = time(line.strip_prefix("  ")?)?;
    let (outcome, latency) = rest.strip_prefix("  ")?.split_once("  ")?;
    latency.trim_start().strip_suffix(" ms")?.parse::<u32>().ok()?;
    let outcome = match outcome {
        "pass" => Outcome::Pass,
        "WARN" => Outcome::Warn,
        "FAIL" => Outcome::Fail,
        _ => return None,
    };
    Some((at, outcome))
}

fn paragraph(text: &str, known: &Known, reading: &mut Reading) -> Option<()> {
    if text == NAMELESS {
        reading.nameless = true;
        return Some(());
    }
    if let Some(rest) = text.strip_prefix("This mail waited ") {
        reading.waited = Some(waited(rest)?);
        return Some(());
    }
    if let Some(rest) = text.strip_prefix("This is a digest: at most ") {
        reading.digest = Some(digest(rest)?);
        return Some(());
    }
    if let Some(rest) = text.strip_prefix("This test mail was asked for ") {
        let (_, rest) = time_in_a_sentence(rest)?;
        let end = ". When an app needs you, its mail comes this way, too.";
        return (rest == end).then_some(());
    }
    let is_link = ["All apps: http", "Mute this for a while: http"];
    if is_link.iter().any(|link| text.starts_with(link))
        || [KEEPS_FAILING, KEEPS_DEGRADED].contains(&text)
    {
        return Some(());
    }
    if let Some(names) = text.strip_prefix("Well again: ") {
        return well_again(known.row(names), reading);
    }
    if text == "One more mail comes when all of them are well." {
        return Some(()).filter(|()| !reading.reports.is_empty() || !reading.outages.is_empty());
    }
    if text == ON_HOST {
        let outage = reading.outages.last_mut()?;
        outage.keeps_failing = true;
        return Some(()).filter(|()| outage.how != outage::Told::Still);
    }
    if text == AGAIN {
        return reading.outages.last().filter(|it| it.how == outage::Told::Still).map(drop);
    }
    if let Some(blind) = reading.blind.last_mut()
        && blind.paragraph(text).is_some()
    {
        return Some(());
    }
    if let Some(report) = reading.reports.last_mut()
        && report.paragraph(text, known).is_some()
    {
        return Some(());
    }
    if let Some(full) = reading.full.last_mut()
        && let Some(degraded) = degraded(text)
    {
        full.degraded = Some(degraded);
        return Some(());
    }
    welcome(text, reading).or_else(|| facts(&[text], reading))
}

/// Who is well again, of the end just begun: that of one app has the headline of any other.
fn well_again(apps: Row, reading: &mut Reading) -> Option<()> {
    match reading.ends.last_mut().filter(|end| end.only.is_none() && end.apps.names.is_empty()) {
        Some(end) => end.apps = apps,
        None => {
            let Full { named, says, .. } = reading.full.pop()?;
            reading.ends.push(End::of_one(named, says, apps)?);
        }
    }
    Some(())
}

fn waited(text: &str) -> Option<(Lasted, Told)> {
    let (lasted, rest) = span(text)?;
    let (written, rest) = time_in_a_sentence(rest.strip_prefix(": it was written ")?)?;
    (rest == " and could not be sent before.").then_some((lasted, written))
}

fn digest(text: &str) -> Option<(u64, Told)> {
    let (count, rest) =
        text.split_once(" mails an hour go to one address, and you had that many ")?;
    let (since, rest) = time_in_a_sentence(rest)?;
    (rest == ". It tells what came after them.").then_some((count.parse().ok()?, since))
}

fn degraded(text: &str) -> Option<Degraded> {
    match text {
        "Its last checks failed, too few yet to call it UNHEALTHY." => {
            Some(Degraded::TooFewFailures)
        }
        "It answers, but not always well." => Some(Degraded::Answers { again: false }),
        "It answers again, but not always well." => Some(Degraded::Answers { again: true }),
        _ => None,
    }
}

/// `Its first check passed at ...`
fn welcome(text: &str, reading: &mut Reading) -> Option<()> {
    let (row, at) = reading.watching.as_mut()?;
    let (start, they) = match row.names.len() {
        1 => ("Its first check passed ", "it is"),
        _ => ("Their first checks passed, the earliest ", "one of them is"),
    };
    let (told, rest) = time_in_a_sentence(text.strip_prefix(start)?)?;
    *at = told;
    let end =
        format!(". Mail works, as you see: another one comes when {they} DEGRADED or UNHEALTHY.");
    (rest == end).then_some(())
}

fn facts(lines: &[&str], reading: &mut Reading) -> Option<()> {
    let full = reading.full.last_mut()?;
    for line in lines {
        let (label, value) = line.split_once(':')?;
        let value = value.trim_start();
        let facts = &mut full.facts;
        match label {
            "Since" => facts.since = Some(whole_time(value)?),
            "Alert since" => facts.alert_since = Some(whole_time(value)?),
            "Changed" => {
                let (changed, rest) = time(value)?;
                facts.changed = Some(changed);
                facts.from = match rest {
                    "" => None,
                    _ => Some(state(rest.strip_prefix(", from ")?)?),
                };
            }
            "Address" => facts.address = Some(value.to_owned()),
            // Words of the app, of its host, of the network; or of the daemon.
            "Reason" => full.crash_loop |= value.starts_with(CRASH_LOOP),
            "Last check" => {}
            _ => return None,
        }
    }
    Some(())
}

fn whole_time(text: &str) -> Option<Told> {
    let (told, "") = time(text)? else { return None };
    Some(told)
}

fn state(word: &str) -> Option<State> {
    [State::Unknown, State::Healthy, State::Degraded, State::Unhealthy]
        .into_iter()
        .find(|state| state.word() == word)
}
