//! Logical lines: `name=value` with the lines that a triple quote or an open bracket pulls in.

use super::literal::text_prefix;

/// One setting of the file, as text.
#[derive(Debug, PartialEq, Eq)]
pub struct LogicalLine<'a> {
    /// The number of its first line, from 1.
    pub number: usize,
    /// The text, with line feeds only inside quotes and brackets.
    pub text: &'a str,
}

/// Splits a file into its logical lines; blank lines and comments are left out.
///
/// What is opened and never closed ends with its first line: the reader of the literal complains
/// about that one, and the lines below it are still read.
pub fn split(file: &str) -> Vec<LogicalLine<'_>> {
    let mut found = Vec::new();
    let mut rest = file;
    let mut number = 1;
    while !rest.is_empty() {
        let length = logical_length(rest);
        let (text, after) = rest.split_at(length);
        let trimmed = text.trim();
        if !trimmed.is_empty() && !trimmed.starts_with('#') {
            found.push(LogicalLine { number, text: text.trim_end() });
        }
        number += text.matches('\n').count() + usize::from(after.starts_with('\n'));
        rest = after.strip_prefix('\n').unwrap_or(after);
    }
    found
}

/// The bytes of the logical line at the beginning of `file`, without its line feed.
fn logical_length(file: &str) -> usize {
    let first = file.find('\n').unwrap_or(file.len());
    let line = file.get(..first).unwrap_or_default();
    let value = match line.split_once('=') {
        Some((name, value)) if !name.trim_start().starts_with('#') => value.trim_start(),
        _ => return first,
    };
    if !begins_a_literal(value) {
        return first;
    }
    let start = first - value.len();
    let literal = file.get(start..).unwrap_or_default();
    literal_length(literal).map_or(first, |length| start + length)
}

/// Whether quotes and brackets count: in a word like `it's` they are letters.
fn begins_a_literal(value: &str) -> bool {
    value.starts_with(['[', '(']) || text_prefix(value).is_some()
}

/// The bytes up to the line feed that ends the literal; `None` if it is never closed.
fn literal_length(literal: &str) -> Option<usize> {
    let mut rest = literal;
    let mut open_brackets = 0_usize;
    while let Some(c) = rest.chars().next() {
        match c {
            '\n' if open_brackets == 0 => return Some(literal.len() - rest.len()),
            '\'' | '"' => {
                rest = after_quotes(rest)?;
                continue;
            }
            '#' => {
                rest = rest.find('\n').and_then(|end| rest.get(end..)).unwrap_or_default();
                continue;
            }
            '[' | '(' => open_brackets += 1,
            ']' | ')' => open_brackets = open_brackets.saturating_sub(1),
            _ => {}
        }
        rest = rest.get(c.len_utf8()..).unwrap_or_default();
    }
    (open_brackets == 0).then_some(literal.len())
}

/// What follows the quoted text at the beginning of `rest`; `None` if it is never closed. A text in
/// single quotes that is not closed ends before the line feed.
fn after_quotes(rest: &str) -> Option<&str> {
    let close = ["'''", "\"\"\"", "'", "\""].into_iter().find(|quotes| rest.starts_with(quotes))?;
    let mut rest = rest.strip_prefix(close)?;
    loop {
        if let Some(after) = rest.strip_prefix(close) {
            return Some(after);
        }
        let mut chars = rest.chars();
        match chars.next()? {
            '\n' if close.len() == 1 => return Some(rest),
            '\\' if close.len() == 3 || !chars.as_str().starts_with('\n') => {
                chars.next();
            }
            _ => {}
        }
        rest = chars.as_str();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn lines(file: &str) -> Vec<(usize, &str)> {
        split(file).into_iter().map(|line| (line.number, line.text)).collect()
    }

    #[test]
    fn blank_lines_and_comments_are_counted_and_left_out() {
        let file = "# a='''\n\nport=1\n  # b\n  debug = True # c = '''\n";
        assert_eq!(lines(file), [(3, "port=1"), (5, "  debug = True # c = '''")]);
    }

    #[test]
    fn triple_quotes_and_brackets_pull_lines_in() {
        let file =
            "a='''x\n#y\n'z'''\nb=[1, # (\n '[',\n 2]\nc=it's (\nd=r\"\"\"\\\"\"\"\n\"\"\"\ne=1";
        assert_eq!(
            lines(file),
            [
                (1, "a='''x\n#y\n'z'''"),
                (4, "b=[1, # (\n '[',\n 2]"),
                (7, "c=it's ("),
                (8, "d=r\"\"\"\\\"\"\"\n\"\"\""),
                (10, "e=1"),
            ]
        );
    }

    #[test]
    fn what_is_never_closed_does_not_hide_the_lines_below() {
        assert_eq!(lines("a='''x\nb=1"), [(1, "a='''x"), (2, "b=1")]);
        assert_eq!(lines("a=[1,\nb=1"), [(1, "a=[1,"), (2, "b=1")]);
        assert_eq!(lines("a='x\nb=1"), [(1, "a='x"), (2, "b=1")]);
        assert_eq!(lines("a='x\\\nb=1"), [(1, "a='x\\"), (2, "b=1")]);
    }

    proptest! {
        #[test]
        fn every_line_is_found_where_it_stands(file in "[a=\\[\\]'\"# \\\\\n]{0,40}") {
            for line in split(&file) {
                let start = file.split('\n').nth(line.number - 1).expect("the line exists");
                let first = line.text.split('\n').next().expect("a line");
                prop_assert!(start.starts_with(first));
            }
        }
    }
}
