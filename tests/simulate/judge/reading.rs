//! Reads a real letter back into what it states: which apps, how they are, since when, how long.
//!
//! The other half of `engine::outbox::letter`, written from the letters alone. Every line has to be
//! understood: what is not is handed over as `unread`, so that new words are noticed.

mod body;
mod words;

pub(super) use body::{Degraded, Facts, Full, Point, Tells};
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
    /// "and 8 more".
    pub(super) more: u64,
    pub(super) watching: Option<Row>,
    /// It ends where there was no more room.
    pub(super) cut: bool,
}

/// Reads a letter.
pub(super) fn read(subject: &str, text: &str, known: &Known) -> Reading {
    let mut reading = Reading::default();
    match self::subject(subject, known) {
        Some(subject) => reading.subject = subject,
        None => reading.unread.push(subject.to_owned()),
    }
    body::read(text, known, &mut reading);
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
        let Some((named, says, after)) = known.statement(rest) else {
            subject.cut = rest.ends_with('…');
            return subject.cut.then_some(subject);
        };
        subject.states.push((named, says));
        match after.strip_prefix(", ") {
            Some(next) => rest = next,
            None => {
                subject.more = match after.strip_prefix(" and ") {
                    Some(count) => words::more(count)?,
                    None if after.is_empty() => 0,
                    None => return None,
                };
                return Some(subject);
            }
        }
    }
}

#[cfg(test)]
mod tests;
