//! A letter's body as HTML: one narrow column, styles inline, no images, no colours but a mark at
//! the side of a headline, so that it reads in the light and in the dark.

use super::page::{Block, Page, ShownCheck};
use super::plain::{self, MAX_LINE};
use crate::engine::state::State;

/// Bytes of escaped text in a line: what is left of [`MAX_LINE`] goes to tags.
const MAX_TEXT: usize = MAX_LINE - 300;

/// A whole document; lines end in `\n`.
pub(super) fn render(page: &Page, title: &str) -> String {
    let mut out = format!(
        concat!(
            "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n",
            "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n",
            "<meta name=\"color-scheme\" content=\"light dark\">\n",
            "<title>{}</title>\n</head>\n",
            "<body style=\"font-family: sans-serif; line-height: 1.4; max-width: 40em\">\n",
        ),
        escaped(title)
    );
    for block in &page.blocks {
        out.push_str(&element(block));
    }
    out.push_str("</body>\n</html>\n");
    out
}

fn element(block: &Block) -> String {
    match block {
        Block::Headline(text, state) => format!(
            "<h2 style=\"font-size: 1.2em; {}\">\n{}</h2>\n",
            state.map(mark).unwrap_or_default(),
            escaped(text)
        ),
        Block::Paragraph(text) => format!("<p>\n{}</p>\n", escaped(text)),
        Block::Facts(facts) => table(facts.iter().map(|(label, value)| {
            let label =
                format!("<td style=\"padding-right: 1em; vertical-align: top\">{label}</td>");
            format!("{label}\n<td style=\"word-break: break-word\">\n{}</td>\n", escaped(value))
        })),
        Block::List(title, points) => {
            let points: String =
                points.iter().map(|point| format!("<li>\n{}</li>\n", escaped(point))).collect();
            format!("<p>{}</p>\n<ul>\n{points}</ul>\n", escaped(title))
        }
        Block::Checks(app, checks) => {
            let title = escaped(&plain::last_checks(app.as_deref()));
            format!("<p>{title}</p>\n{}", table(checks.iter().map(cells)))
        }
        Block::Quote(title, text) => {
            let lines: String = text.lines().map(|line| escaped(line) + "\n").collect();
            format!(
                "<p>{title}</p>\n<pre style=\"white-space: pre-wrap; word-break: break-word\">\n{lines}</pre>\n"
            )
        }
        Block::Link(label, url) => link(label, url),
    }
}

fn table(rows: impl Iterator<Item = String>) -> String {
    let rows: String = rows.map(|cells| format!("<tr>\n{cells}</tr>\n")).collect();
    format!("<table style=\"border-spacing: 0\">\n{rows}</table>\n")
}

fn cells(check: &ShownCheck) -> String {
    format!(
        "<td style=\"padding-right: 1em\">{}</td>\n<td style=\"padding-right: 1em\">{}</td>\n<td style=\"text-align: right\">{} ms</td>\n",
        check.time,
        plain::outcome(check.outcome),
        check.latency_ms
    )
}

fn link(label: &str, url: &str) -> String {
    let target = without_markup(url);
    if target.len() > MAX_TEXT {
        return format!("<p>{label}:\n{}</p>\n", escaped(url));
    }
    // One that is signed is for nobody to read, and wider than a phone.
    if url.contains('?') {
        return format!("<p><a href=\"{target}\">\n{label}</a></p>\n");
    }
    format!("<p>{label}:\n<a href=\"{target}\">\n{}</a></p>\n", escaped(url))
}

/// A bar of the state's colour, readable on white and on black.
fn mark(state: State) -> String {
    let colour = match state {
        State::Unhealthy => "#d93025",
        State::Degraded => "#e37400",
        State::Healthy => "#1e8e3e",
        State::Unknown => "#80868b",
    };
    format!("border-left: 5px solid {colour}; padding-left: 10px")
}

/// Text in which nothing is markup, in lines of [`MAX_TEXT`] bytes at most.
fn escaped(text: &str) -> String {
    without_markup(&plain::wrapped(text, MAX_TEXT, |c| escape(c).map_or(c.len_utf8(), str::len)))
}

fn without_markup(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match escape(c) {
            Some(written) => escaped.push_str(written),
            None => escaped.push(c),
        }
    }
    escaped
}

/// How a character is written that means something in HTML; `None`: as it is.
fn escape(c: char) -> Option<&'static str> {
    Some(match c {
        '&' => "&amp;",
        '<' => "&lt;",
        '>' => "&gt;",
        '"' => "&quot;",
        '\'' => "&#39;",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_an_address_that_is_signed_its_label_is_the_link() {
        let signed = link("Mute this", "http://pi/mute?to=a&sig=1");
        assert_eq!(signed, "<p><a href=\"http://pi/mute?to=a&amp;sig=1\">\nMute this</a></p>\n");
        assert!(link("All apps", "http://pi/").ends_with("\nhttp://pi/</a></p>\n"));
    }

    #[test]
    fn a_link_that_would_not_fit_into_a_line_is_a_text() {
        let links =
            [MAX_TEXT, MAX_TEXT + 1, MAX_TEXT + 2].map(|length| link("Page", &"a".repeat(length)));
        assert_eq!(links.map(|link| link.contains("<a href=")), [true, false, false]);
    }
}
