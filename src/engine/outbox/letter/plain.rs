//! A letter's body as plain text.

use super::page::{Block, Page, ShownCheck};
use crate::engine::verdict::answer::Outcome;

/// Bytes of a line (RFC 5322 section 2.1.1 allows 998, and other programs add to it).
pub(super) const MAX_LINE: usize = 900;
/// The width of the line below a headline, at most.
const MAX_RULE: usize = 60;

/// Lines end in `\n`; none is longer than [`MAX_LINE`] bytes.
pub(super) fn render(page: &Page) -> String {
    let mut out = String::new();
    for block in &page.blocks {
        if !out.is_empty() {
            out.push('\n');
        }
        for line in lines(block) {
            out.push_str(&wrapped(&line, MAX_LINE, char::len_utf8));
            out.push('\n');
        }
    }
    out
}

fn lines(block: &Block) -> Vec<String> {
    match block {
        Block::Headline(text, _) => {
            vec![text.clone(), "-".repeat(text.chars().count().min(MAX_RULE))]
        }
        Block::Paragraph(text) => vec![text.clone()],
        Block::Facts(facts) => facts
            .iter()
            .map(|(label, value)| format!("{:12} {value}", format!("{label}:")))
            .collect(),
        Block::List(title, points) => titled(title, points.iter().map(|it| format!("- {it}"))),
        Block::Checks(app, checks) => {
            titled(&last_checks(app.as_deref()), checks.iter().map(check))
        }
        Block::Quote(title, text) => titled(title, text.lines().map(|line| format!("> {line}"))),
        Block::Link(label, url) => vec![format!("{label}: {url}")],
    }
}

fn titled(title: &str, lines: impl Iterator<Item = String>) -> Vec<String> {
    std::iter::once(title.to_owned()).chain(lines).collect()
}

/// What the last checks are headed by.
pub(super) fn last_checks(app: Option<&str>) -> String {
    let of = app.map(|app| format!(" of {app}")).unwrap_or_default();
    format!("Last checks{of}, newest last:")
}

fn check(check: &ShownCheck) -> String {
    format!("  {}  {}  {:>6} ms", check.time, outcome(check.outcome), check.latency_ms)
}

/// Four letters each, so that columns stay straight.
pub(super) fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Pass => "pass",
        Outcome::Warn => "WARN",
        Outcome::Fail => "FAIL",
    }
}

/// The line, broken where it would be longer than `max` by the `cost` of its characters.
pub(super) fn wrapped(line: &str, max: usize, cost: impl Fn(char) -> usize) -> String {
    let mut out = String::with_capacity(line.len());
    let mut used = 0;
    for c in line.chars() {
        let next = cost(c);
        if used + next > max {
            out.push('\n');
            used = 0;
        }
        used += next;
        out.push(c);
    }
    out
}
