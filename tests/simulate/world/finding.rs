//! What must never be: told with the minutes around it.

use std::collections::VecDeque;
use std::fmt;

use healthchecker::engine::log_event::{LogEvent, Severity};

use crate::story::Ms;

/// So much before a finding is told with it, and so much after.
const BEFORE: Ms = 10 * 60_000;
const AFTER: Ms = 60_000;
/// So many lines of it at the most.
const LINES: usize = 60;
/// So many findings are told in full; the others are counted.
const FINDINGS: usize = 20;

/// Something that must never be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Finding {
    pub(crate) at: Ms,
    /// Which promise is broken, in a few words: the same for all of its kind.
    pub(crate) kind: &'static str,
    /// What is wrong, in a sentence.
    pub(crate) what: String,
    /// The minutes around it, a line for each thing that happened.
    pub(crate) around: Vec<String>,
}

/// `day 3 04:12:05`.
pub(crate) fn clock(at: Ms) -> impl fmt::Display {
    let seconds = at / 1000;
    let (day, hour) = (seconds / 86_400 + 1, seconds / 3600 % 24);
    let (minute, second) = (seconds / 60 % 60, seconds % 60);
    format!("day {day} {hour:02}:{minute:02}:{second:02}")
}

/// What happened of late, and what must never have happened.
#[derive(Debug, Default)]
pub(super) struct Chronicle {
    late: VecDeque<(Ms, Note)>,
    findings: Vec<Finding>,
    /// Those that are not told in full.
    more: usize,
}

#[derive(Debug)]
enum Note {
    Said(LogEvent),
    Happened(String),
}

impl fmt::Display for Note {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Note::Said(event) => write!(f, "log: {event}"),
            Note::Happened(what) => f.write_str(what),
        }
    }
}

impl Chronicle {
    /// The daemon says something: single checks matter where they did not pass.
    pub(super) fn said(&mut self, at: Ms, event: LogEvent) {
        if event.severity() != Severity::Detail || !says_pass(&event) {
            self.note(at, Note::Said(event));
        }
    }

    /// Something happens outside of it.
    pub(super) fn happened(&mut self, at: Ms, what: String) {
        self.note(at, Note::Happened(what));
    }

    fn note(&mut self, at: Ms, note: Note) {
        for finding in self.findings.iter_mut().rev().take_while(|it| it.at + AFTER >= at) {
            if finding.around.len() < 2 * LINES {
                finding.around.push(format!("{}  {note}", clock(at)));
            }
        }
        if self.late.len() >= LINES {
            self.late.pop_front();
        }
        self.late.push_back((at, note));
    }

    /// Something must never have happened.
    pub(super) fn found(&mut self, at: Ms, kind: &'static str, what: String) {
        if self.findings.len() >= FINDINGS {
            self.more += 1;
            return;
        }
        let recent = self.late.iter().filter(|(when, _)| when + BEFORE >= at);
        let mut around: Vec<String> =
            recent.map(|(when, note)| format!("{}  {note}", clock(*when))).collect();
        around.push(format!("{}  >>> {what}", clock(at)));
        self.findings.push(Finding { at, kind, what, around });
    }

    /// All that was found, and how many more.
    pub(super) fn findings(self) -> (Vec<Finding>, usize) {
        (self.findings, self.more)
    }
}

fn says_pass(event: &LogEvent) -> bool {
    use healthchecker::engine::verdict::answer::Outcome;
    matches!(event, LogEvent::Checked { outcome: Outcome::Pass, .. })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_finding_is_told_with_the_minutes_around_it() {
        let mut chronicle = Chronicle::default();
        for minute in 0..30 {
            chronicle.happened(minute * 60_000, format!("minute {minute}"));
        }
        chronicle.found(29 * 60_000 + 1, "order", "all is upside down".to_owned());
        chronicle.happened(30 * 60_000, "minute 30".to_owned());
        chronicle.happened(31 * 60_000, "minute 31".to_owned());
        let (findings, more) = chronicle.findings();
        let [finding] = findings.as_slice() else { panic!("{findings:?}") };
        assert_eq!((finding.kind, more), ("order", 0));
        let around: Vec<&str> = finding.around.iter().map(String::as_str).collect();
        assert_eq!(around.first(), Some(&"day 1 00:20:00  minute 20"));
        assert_eq!(around.last(), Some(&"day 1 00:30:00  minute 30"));
        assert!(around.contains(&"day 1 00:29:00  >>> all is upside down"));
    }

    #[test]
    fn times_are_told_as_people_count_days() {
        assert_eq!(clock(0).to_string(), "day 1 00:00:00");
        assert_eq!(clock((2 * 24 + 4) * 3_600_000 + 725_900).to_string(), "day 3 04:12:05");
    }
}
