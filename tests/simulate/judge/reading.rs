//! Reads a real letter back into what it states: which apps, how they are, since when, how long.
//!
//! The other half of `engine::outbox::letter`, written from the letters alone. Every line has to be
//! understood: what is not is handed over as `unread`, so that new words are noticed.

mod blind;
mod body;
mod outage;
mod report;
mod words;

pub(super) use blind::{Blind, BlindLine, Unseen};
pub(super) use body::{Degraded, Facts, Full, Point, Tells};
pub(super) use outage::{Outage, OutageLine, Place, Silent, Told as News};
pub(super) use report::{End, EndLine, Line, Report};
pub(super) use words::{Known, Lasted, Named, Row, Says, Told, shown};

/// What a letter says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) subject: Subject,
    /// "This mail waited ...": how long, and when it was written.
    pub(super) waited: Option<(Lasted, Told)>,
    /// "This is a digest ...": how many mails an hour there may be, and when there were as many.
    pub(super) digest: Option<(u64, Told)>,
    /// Numbers stand in place of names.
    pub(super) nameless: bool,
    /// What happened, in order; empty where only one thing did.
    pub(super) list: Vec<Point>,
    /// "... older ones are left out".
    pub(super) left_out: u64,
    /// The apps that are told in full.
    pub(super) full: Vec<Full>,
    /// Who is not back after an interruption.
    pub(super) reports: Vec<Report>,
    /// Who is silent together.
    pub(super) outages: Vec<Outage>,
    /// That our network is away, or was.
    pub(super) blind: Vec<Blind>,
    /// That all of either are well.
    pub(super) ends: Vec<End>,
    /// The first passes of apps, where the letter tells nothing else.
    pub(super) watching: Option<(Row, Told)>,
    /// Lines that nobody has taught us to read.
    pub(super) unread: Vec<String>,
}

/// What the subject says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Subject {
    /// "10 changes".
    pub(super) changes: Option<u64>,
    pub(super) states: Vec<(Named, Says)>,
    pub(super) reports: Vec<Line>,
    pub(super) outages: Vec<OutageLine>,
    pub(super) blind: Vec<BlindLine>,
    /// Of one app it is among the states.
    pub(super) ends: Vec<EndLine>,
    /// "and 8 more".
    pub(super) more: u64,
    pub(super) watching: Option<Row>,
    /// It ends where there was no more room.
    pub(super) cut: bool,
}

/// Reads a letter.
pub(super) fn read(subject: &str, text: &str, known: &Known) -> Reading {
    let mut reading = Reading::default();
    match self::subject(&blind::with_whole_times(subject, text), known) {
        Some(subject) => reading.subject = subject,
        None => reading.unread.push(subject.to_owned()),
    }
    body::read(text, known, &mut reading);
    reading.tell_ends_apart();
    reading
}

fn subject(text: &str, known: &Known) -> Option<Subject> {
    let mut subject = Subject::default();
    let mut rest = text.strip_prefix("[HealthChecker] ")?;
    if rest == "Test mail" {
        return Some(subject);
    }
    if let Some((count, after)) = rest.split_once(" changes: ")
        && let Ok(count) = count.parse()
    {
        subject.changes = Some(count);
        rest = after;
    }
    loop {
        if let Some(row) = rest.strip_prefix("now watching ").or(rest.strip_prefix("Now watching "))
        {
            subject.watching = Some(known.row(row));
            return Some(subject);
        }
        let Some(after) = subject.item(rest, known) else {
            subject.cut = rest.ends_with('…');
            return subject.cut.then_some(subject);
        };
        match after.strip_prefix(", ") {
            Some(next) => rest = next,
            None => {
                subject.more = match after.strip_prefix(" and ") {
                    Some(count) if count.ends_with('…') => {
                        subject.cut = true;
                        0
                    }
                    Some(count) => words::more(count)?,
                    None if after.is_empty() => 0,
                    // The end of one thing is where the room ended.
                    None if after == ",…" => {
                        subject.cut = true;
                        0
                    }
                    None => return None,
                };
                return Some(subject);
            }
        }
    }
}

/// Whether something else than a name stands here, in a row of names.
fn begins_news(text: &str, known: &Known) -> bool {
    report::after(text).is_some()
        || blind::line(text, known).is_some()
        || report::end_line(text).is_some()
        || outage::line(text, known, |_| false).is_some_and(|(line, _)| line.is_known())
        || text.starts_with("now watching ")
        || known.statement(text).is_some_and(|(named, ..)| named.app.is_some())
}

impl Subject {
    /// The next thing that it says; what follows.
    fn item<'t>(&mut self, text: &'t str, known: &Known) -> Option<&'t str> {
        if let Some((line, after)) = blind::line(text, known) {
            self.blind.push(line);
            return Some(after);
        }
        let is_other = |rest: &str| begins_news(rest, known);
        // Its words are in no name, and what follows it may be an outage.
        if let Some((line, after)) = report::line(text, known, is_other) {
            self.cut |= line.missing.cut;
            self.reports.push(line);
            return Some(after);
        }
        if let Some((line, after)) = outage::line(text, known, is_other) {
            self.cut |= line.named.cut;
            self.outages.push(line);
            return Some(after);
        }
        if let Some((line, after)) = report::end_line(text) {
            self.ends.push(line);
            return Some(after);
        }
        let (named, says, after) = known.statement(text)?;
        self.states.push((named, says));
        Some(after)
    }
}

impl Reading {
    /// In a list the end of a report of one app reads as that of any other: what follows in full tells.
    fn tell_ends_apart(&mut self) {
        for end in &self.ends {
            let Some(only) = &end.only else { continue };
            let says = Says::WellAgain(end.line.lasted);
            let of_it = |point: &&mut Point| match &point.tells {
                Tells::State(named, said) => named == only && *said == says,
                _ => false,
            };
            if let Some(point) = self.list.iter_mut().find(of_it) {
                point.tells = Tells::End(end.line);
            }
        }
    }
}

#[cfg(test)]
mod tests;
