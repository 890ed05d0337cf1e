//! Text from outside, made safe to show: no control characters, nothing that turns the reading
//! direction, bounded.

use std::fmt::Write;

/// One line of at most `max` characters. Line breaks and tabs become spaces; what could mislead a
/// reader or a terminal is shown as its escape (`\u{202e}`); what is too long ends in `…`.
pub fn line(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max));
    for c in text.trim().chars() {
        push(&mut out, if matches!(c, '\n' | '\r' | '\t') { ' ' } else { c });
        if out.len() > max && out.chars().count() > max {
            return clip(&out, max);
        }
    }
    out
}

/// The same for text of several lines: at most `max` characters in all, line breaks kept.
pub fn lines(text: &str, max: usize) -> String {
    let mut out = String::with_capacity(text.len().min(max));
    for row in text.trim().lines() {
        if !out.is_empty() {
            out.push('\n');
        }
        out.push_str(&line(row.trim_end(), max));
        if out.chars().count() > max {
            return clip(&out, max);
        }
    }
    out
}

/// The first `max` characters; the last of them is `…` when something was cut off.
pub(super) fn clip(text: &str, max: usize) -> String {
    match text.char_indices().nth(max) {
        None => text.into(),
        Some(_) => text.chars().take(max.saturating_sub(1)).chain(['…']).collect(),
    }
}

fn push(out: &mut String, c: char) {
    if misleads(c) {
        // Writing to a String cannot fail.
        let _ = write!(out, "{}", c.escape_unicode());
    } else {
        out.push(c);
    }
}

/// Control characters, line separators, and what turns the reading direction or hides
/// (Unicode TR 36, section 2.5). Joiners stay: emoji and some scripts need them.
fn misleads(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{061c}' | '\u{200b}' | '\u{200e}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}')
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_line_is_one_line_and_honest() {
        assert_eq!(line(" Kodi\r\nBcc: a@b.c ", 50), "Kodi  Bcc: a@b.c");
        assert_eq!(line("a\u{202e}b\u{1b}[2J", 50), "a\\u{202e}b\\u{1b}[2J");
        assert_eq!(line("äöüß", 4), "äöüß");
        assert_eq!(line("äöüßx", 4), "äöü…");
        assert_eq!(lines("a\r\nb\n\nc", 50), "a\nb\n\nc");
        assert_eq!(lines("a\nbcd", 4), "a\nb…");
    }

    proptest! {
        #[test]
        fn nothing_misleading_and_nothing_too_long(text in any::<String>(), max in 1_usize..80) {
            let line = line(&text, max);
            prop_assert!(!line.chars().any(misleads));
            prop_assert!(line.chars().count() <= max);
            let lines = lines(&text, max);
            prop_assert!(!lines.chars().any(|c| c != '\n' && misleads(c)));
            prop_assert!(lines.chars().count() <= max);
        }
    }
}
