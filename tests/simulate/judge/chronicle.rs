//! The minutes around a finding, as a person can follow them: what happened in truth, what the checks
//! saw, which state was shown, what mail went.

use std::fmt::Write;

use super::finding::{Fault, Finding};
use super::life::Life;
use crate::story::{App, AppId, Checked, Ms, PersonId, Story};
use healthchecker::engine::time::{Wall, Zone};
use healthchecker::engine::verdict::answer::Outcome;

/// The most lines of a story: what is left out is counted.
const LINES_MAX: usize = 60;

/// `day 3 04:12:05`: the story begins with day 1.
pub(super) fn time(at: Ms) -> String {
    let secs = at / 1000;
    let (day, hour, minute) = (secs / 86_400 + 1, secs / 3_600 % 24, secs / 60 % 60);
    format!("day {day} {hour:02}:{minute:02}:{:02}", secs % 60)
}

/// The finding, the seed, and the story.
pub(super) fn tell(story: &Story, lives: &[Life<'_>], finding: &Finding) -> String {
    let mut lines = Lines { from: finding.from, until: finding.until, lines: Vec::new() };
    causes(story, finding.app, &mut lines);
    ourselves(story, &mut lines);
    if let Some(app) = finding.app {
        registered(&story.apps[app.0], &mut lines);
        checks(story, &lives[app.0], &mut lines);
        states(&story.apps[app.0], &mut lines);
    }
    // What came late may have waited behind any other.
    let named = finding.app.filter(|_| !matches!(finding.fault, Fault::Late(_)));
    letters(story, named, finding.person, &mut lines);
    lines.lines.sort_by_key(|(at, _)| *at);
    let mut told = format!("{}: {}\n", finding.fault.words(), finding.what);
    let _ = writeln!(told, "  seed {}, from {} on:", story.seed, time(finding.from));
    let left_out = lines.lines.len().saturating_sub(LINES_MAX);
    for (at, line) in lines.lines.iter().take(LINES_MAX) {
        let _ = writeln!(told, "  {}  {line}", time(*at));
    }
    if left_out > 0 {
        let _ = writeln!(told, "  and {left_out} lines more");
    }
    told
}

/// What happens within some minutes.
struct Lines {
    from: Ms,
    until: Ms,
    lines: Vec<(Ms, String)>,
}

impl Lines {
    fn add(&mut self, at: Ms, line: impl FnOnce() -> String) {
        if (self.from..=self.until).contains(&at) {
            self.lines.push((at, line()));
        }
    }

    /// What began before and lasts still stands at the beginning.
    fn add_span(&mut self, from: Ms, until: Option<Ms>, what: &str) {
        if from < self.from && until.is_none_or(|until| until > self.from) {
            self.lines.push((self.from, format!("{what} (since {})", time(from))));
        }
        self.add(from, || format!("{what} begins"));
        if let Some(until) = until {
            self.add(until, || format!("{what} ends"));
        }
    }
}

fn causes(story: &Story, app: Option<AppId>, lines: &mut Lines) {
    for (at, cause) in story.causes.iter().enumerate() {
        let what = format!("truth: {:?} (cause {at})", cause.kind);
        let mut reaches = cause.reach.iter().filter(|it| Some(it.app) == app).peekable();
        if app.is_none() || (cause.kind.is_ours() && reaches.peek().is_none()) {
            lines.add_span(cause.span.from, cause.span.until, &what);
        }
        for reach in reaches {
            lines.add_span(reach.span.from, reach.span.until, &what);
        }
    }
}

fn ourselves(story: &Story, lines: &mut Lines) {
    for run in &story.runs {
        lines.add(run.from, || "truth: the daemon starts".to_owned());
        if let Some(until) = run.until {
            lines.add(until, || "truth: the daemon ends".to_owned());
        }
    }
    for away in &story.mail_away {
        lines.add_span(away.from, away.until, "truth: no mail server");
    }
    for set in &story.clock {
        lines.add(set.from, || match set.shows - set.right {
            0 => "truth: our clock is right".to_owned(),
            _ => {
                let shows = Wall::from_unix_millis(set.shows).for_people(&Zone::UTC);
                let right = Wall::from_unix_millis(set.right).for_people(&Zone::UTC);
                format!("truth: our clock shows {shows}, it is {right}")
            }
        });
    }
}

fn registered(app: &App, lines: &mut Lines) {
    for it in &app.registrations {
        lines.add(it.span.from, || {
            format!(
                "registered: every {} s, time-out {} s, unhealthy {}, healthy {}, {}",
                it.interval / 1000,
                it.timeout / 1000,
                it.unhealthy,
                it.healthy,
                it.url
            )
        });
    }
    for stop in app.stops() {
        lines.add(stop, || "stopped".to_owned());
    }
    let window = lines.from..=lines.until;
    let calls: Vec<Ms> = app.calls.iter().copied().filter(|at| window.contains(at)).collect();
    // One that gets no promise calls every few seconds.
    if let [first, .., last] = calls.as_slice() {
        let (often, until) = (calls.len(), time(*last));
        lines.add(*first, || format!("calls monitor, {often} times until {until}"));
    } else if let [only] = calls.as_slice() {
        lines.add(*only, || "calls monitor".to_owned());
    }
    for paused in &app.paused {
        lines.add_span(paused.from, paused.until, "a pause");
    }
}

/// Checks that went alike, one after the other, are one line.
fn checks(story: &Story, life: &Life<'_>, lines: &mut Lines) {
    let all = &life.app.checks;
    let first = all.partition_point(|check| check.ended < lines.from);
    let last = all.partition_point(|check| check.ended <= lines.until);
    let mut rest = &all[first..last];
    while let Some((check, more)) = rest.split_first() {
        let alike = |it: &&Checked| it.outcome == check.outcome && it.causes == check.causes;
        let times = 1 + more.iter().take_while(alike).count();
        let outcome = match check.outcome {
            None => "gives no verdict",
            Some(Outcome::Pass) => "passes",
            Some(Outcome::Warn) => "warns",
            Some(Outcome::Fail) if check.refused => "is refused",
            Some(Outcome::Fail) => "fails",
        };
        let causes = check
            .causes
            .iter()
            .map(|cause| format!("{:?} (cause {})", story.causes[cause.0].kind, cause.0));
        let causes = causes.collect::<Vec<_>>().join(", ");
        let why = if causes.is_empty() { causes } else { format!(": {causes}") };
        let until = time(rest[times - 1].ended);
        let often =
            if times > 1 { format!(", {times} times until {until}") } else { String::new() };
        lines.add(check.ended, || format!("check {outcome}{often}{why}"));
        rest = &rest[times..];
    }
}

fn states(app: &App, lines: &mut Lines) {
    let before = app.state_at(lines.from.saturating_sub(1));
    lines.lines.push((lines.from, format!("shown as {}", before.word())));
    let first = app.states.partition_point(|(at, _)| *at < lines.from);
    let until = lines.until;
    for (at, state) in app.states[first..].iter().take_while(|(at, _)| *at <= until) {
        lines.add(*at, || format!("now {}", state.word()));
    }
}

fn letters(story: &Story, app: Option<AppId>, person: Option<PersonId>, lines: &mut Lines) {
    let name = app.map(|app| super::reading::shown(&story.apps[app.0].name));
    let first = story.letters.partition_point(|letter| letter.accepted < lines.from);
    let until = lines.until;
    for letter in story.letters[first..].iter().take_while(|it| it.accepted <= until) {
        let is_theirs = person.is_none_or(|person| person == letter.to);
        let names_it = name.as_ref().is_none_or(|name| {
            letter.subject.contains(name.as_str()) || letter.text.contains(name.as_str())
        });
        if is_theirs && names_it {
            let to = &story.people[letter.to.0];
            let (written, tried) = (time(letter.written), time(letter.worded));
            lines.add(letter.accepted, || {
                format!("mail to {to}, written {written}, tried {tried}: {}", letter.subject)
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_counted_from_one() {
        assert_eq!(time(0), "day 1 00:00:00");
        assert_eq!(time((2 * 86_400 + 4 * 3_600 + 12 * 60 + 5) * 1000 + 999), "day 3 04:12:05");
    }
}
