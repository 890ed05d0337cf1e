//! How many: changes, names, mails an hour; and whether the subject says what the text does.

use std::collections::BTreeMap;

use super::super::finding::Wrong;
use super::super::letters::{Of, Statement};
use super::super::reading::{End, Reading, Row, Says, Tells};
use super::Found;
use crate::story::{Ms, Story};
use std::collections::BTreeSet;

/// "At most 20 mails an hour go to one address."
const AN_HOUR: Ms = 3_600_000;
/// A mail counts when its server's answer has come.
const ANSWER: Ms = 60_000;

/// When each person's mails were accepted, again ones too.
pub(super) struct Arrived {
    of: Vec<Vec<Ms>>,
}

impl Arrived {
    pub(super) fn new(story: &Story) -> Arrived {
        let mut of = vec![Vec::new(); story.people.len()];
        for letter in &story.letters {
            of[letter.to.0].push(letter.accepted);
        }
        Arrived { of }
    }
}

/// "This is a digest: at most 20 mails an hour go to one address, and you had that many at ...".
pub(super) fn digest(found: &mut Found<'_, '_>, arrived: &mut Arrived) {
    let letter = found.read.letter;
    let Some((said, since)) = found.read.reading.digest else { return };
    let Some(since) = found.case.clock.meant(since, letter.worded) else { return };
    let had = &arrived.of[letter.to.0];
    let first = had.partition_point(|at| *at + AN_HOUR + ANSWER < since);
    let last = had.partition_point(|at| *at <= since + ANSWER);
    let count = last.saturating_sub(first) as u64;
    if count < said {
        let what = format!("they had {count} mails within an hour, not {said}");
        found.add(Wrong::Count, None, since, &what);
    }
}

/// The subject says what the text does.
pub(super) fn subject(found: &mut Found<'_, '_>) {
    let read = found.read;
    let (reading, subject) = (&read.reading, &read.reading.subject);
    let at = read.letter.written;
    if !reading.unread.is_empty() {
        return;
    }
    let listed = read.states.iter().filter(|it| it.of == Of::Change).count() as u64;
    let latest = latest(&read.states);
    let (ends, outages) = (&reading.ends, &reading.outages);
    let several = reading.reports.len() + outages.len() + ends.len();
    let others = (several + reading.blind.len()) as u64;
    let says_changes = subject.changes.unwrap_or(listed);
    let counts_them =
        subject.changes.is_some() || listed <= 1 || (latest.len() == 1 && others == 0);
    if says_changes != listed || !counts_them {
        let what = format!("{listed} changes are told, {says_changes} are counted");
        found.add(Wrong::Count, None, at, &what);
    }
    let rows: Vec<&Row> = watched(found);
    let news = latest.len() as u64 + others + u64::from(!rows.is_empty());
    let lines = subject.reports.len() + subject.outages.len() + subject.ends.len();
    let lines = lines + subject.blind.len();
    let in_subject = (subject.states.len() + lines) as u64 + u64::from(subject.watching.is_some());
    // `not NAS and 2 more` may be two apps, or two other things.
    let named = subject.reports.iter().map(|line| &line.missing);
    let named = named.chain(subject.outages.iter().map(|line| &line.named));
    let mut counts = named.map(|row| row.more).chain([0]);
    let fits = counts.any(|last| in_subject + subject.more + last == news);
    if !subject.cut && !fits {
        let what = format!("{news} things are told, the subject has {in_subject} and more");
        found.add(Wrong::Count, None, at, &what);
    }
    of_several(found);
    for (named, says) in &subject.states {
        let of_one = |end: &End| {
            end.only.as_ref() == Some(named) && *says == Says::WellAgain(end.line.lasted)
        };
        let told = latest.iter().any(|it| it.name == named.text && it.says == *says);
        if !told && !ends.iter().any(of_one) {
            let what = format!("the text does not say that of {}", named.text);
            found.add(Wrong::Subject, named.app, at, &what);
        }
    }
    if let Some(row) = &subject.watching
        && !row.cut
    {
        // A list tells what was told before, and the welcomes in it may overlap.
        let names: BTreeSet<&str> =
            rows.iter().flat_map(|row| &row.names).map(|named| named.text.as_str()).collect();
        let told = names.len() as u64 + rows.iter().map(|row| row.more).sum::<u64>();
        let said = row.names.len() as u64 + row.more;
        let is_cut = rows.iter().any(|row| row.cut);
        if told != said && !is_cut {
            let what = format!("{told} apps are newly watched, the subject has {said}");
            found.add(Wrong::Count, None, at, &what);
        }
        if row.names.iter().any(|named| !names.contains(named.text.as_str())) {
            found.add(Wrong::Subject, None, at, "the text does not say that these are watched");
        }
    }
}

/// Subject and list say of what tells of several, and of its ends, what the text does.
fn of_several(found: &mut Found<'_, '_>) {
    let read = found.read;
    let (reading, subject) = (&read.reading, &read.reading.subject);
    let Reading { reports, outages, ends, list, .. } = reading;
    let listed = |is_one: fn(&Tells) -> bool| list.iter().filter(|it| is_one(&it.tells)).count();
    // What is overtaken is in the list alone.
    let lists_all = list.is_empty()
        || (listed(|it| matches!(it, Tells::Report(_))) >= reports.len()
            && listed(|it| matches!(it, Tells::Outage(_))) >= outages.len()
            && listed(|it| matches!(it, Tells::End(_))) == ends.len());
    let says_so = subject.reports.iter().all(|line| reports.iter().any(|it| line.is_of(it)))
        && subject.outages.iter().all(|line| outages.iter().any(|it| line.is_of(it)))
        && subject.ends.iter().all(|line| ends.iter().any(|end| end.line == *line));
    if !lists_all || !says_so {
        found.add(Wrong::Subject, None, read.letter.written, "the text says something else");
    }
}

/// The last that is said of each app alone.
fn latest(states: &[Statement]) -> Vec<&Statement> {
    let mut latest: BTreeMap<&str, &Statement> = BTreeMap::new();
    for statement in states.iter().filter(|it| it.of == Of::Change) {
        latest.insert(&statement.name, statement);
    }
    latest.into_values().collect()
}

fn watched<'c>(found: &Found<'c, '_>) -> Vec<&'c Row> {
    let reading = &found.read.reading;
    let listed = reading.list.iter().filter_map(|point| match &point.tells {
        Tells::Watching(row) => Some(row),
        _ => None,
    });
    listed.chain(reading.watching.iter().map(|(row, _)| row)).collect()
}
