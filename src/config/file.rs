//! The configuration file: Configobj's unrepr mode without sections.
//!
//! `configparser` splits name from value. It keeps no line numbers, takes `:` for a delimiter and
//! `;` for a comment, and lets the last of two duplicates win in silence, so it gets one logical
//! line at a time; lines, literals and duplicates are our own business.

use std::collections::BTreeMap;

use configparser::ini::{Ini, IniDefault};

use super::given::Given;
use super::literal::{self, Literal};
use super::logical::{self, LogicalLine};
use super::quoted::shown;

/// Stands for a line feed inside a literal while `configparser`, which would end the line there,
/// handles it. No text file contains one; ours is refused if it does.
const LINE_FEED_STAND_IN: char = '\0';

/// What one logical line says.
#[derive(PartialEq, Eq)]
pub struct Assignment {
    /// The line it begins on, from 1.
    pub line: usize,
    /// The name, known or not.
    pub name: String,
    /// The value; `None` leaves the option at its default.
    pub value: Option<Given>,
}

/// What is wrong with one line.
#[derive(Debug, PartialEq, Eq)]
pub struct Complaint {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong, and what would be right.
    pub what: String,
}

/// Everything that a file says, and everything that is wrong with how it says it.
pub fn read(bytes: &[u8]) -> (Vec<Assignment>, Vec<Complaint>) {
    let mut complaints = Vec::new();
    let mut assignments = Vec::new();
    let text = match decode(bytes) {
        Ok(text) => text,
        Err(complaint) => return (assignments, vec![complaint]),
    };
    let mut first_lines = BTreeMap::new();
    for line in logical::split(&text) {
        match assignment(&line) {
            Ok(assignment) => {
                let first = *first_lines.entry(assignment.name.clone()).or_insert(line.number);
                if first == line.number {
                    assignments.push(assignment);
                } else {
                    let name = &assignment.name;
                    let what = format!("{name} is set twice, first on line {first}; keep one");
                    complaints.push(Complaint { line: line.number, what });
                }
            }
            Err(what) => complaints.push(Complaint { line: line.number, what }),
        }
    }
    (assignments, complaints)
}

/// UTF-8, with or without a byte order mark, with either kind of line end.
fn decode(bytes: &[u8]) -> Result<String, Complaint> {
    let complaint = |offset: usize, what: &str| {
        let before = bytes.get(..offset).unwrap_or_default();
        let line = 1 + before.iter().filter(|byte| **byte == b'\n').count();
        Complaint { line, what: what.to_owned() }
    };
    let text = std::str::from_utf8(bytes)
        .map_err(|e| complaint(e.valid_up_to(), "is not UTF-8; save the file as UTF-8"))?;
    if let Some(offset) = text.find(LINE_FEED_STAND_IN) {
        return Err(complaint(offset, "contains a zero byte; save the file as UTF-8 text"));
    }
    Ok(text.strip_prefix('\u{feff}').unwrap_or(text).replace("\r\n", "\n"))
}

fn assignment(line: &LogicalLine<'_>) -> Result<Assignment, String> {
    if line.text.trim_start().starts_with('[') {
        return Err("sections are not used here; leave the line out, \
                    every setting is a line name=value"
            .to_owned());
    }
    let (name, value) = name_and_value(line.text)?;
    let value = match literal::read(&value).map_err(|why| format!("{}: {why}", shown(&name)))? {
        Literal::None => None,
        Literal::Text(text) => Some(Given::Text(text)),
        Literal::Word(word) => Some(Given::Word(word)),
        Literal::List(items) => Some(Given::List(items)),
    };
    Ok(Assignment { line: line.number, name, value })
}

/// Only `=` divides, only `#` comments, only whole lines are comments, and case matters.
fn rules() -> IniDefault {
    let mut rules = IniDefault::default();
    rules.case_sensitive = true;
    rules.delimiters = vec!['='];
    rules.comment_symbols = vec!['#'];
    rules.enable_inline_comments = false;
    rules
}

/// Lets `configparser` split the line at the first `=`.
fn name_and_value(line: &str) -> Result<(String, String), String> {
    let wanted = || "is not of the form name=value; a comment begins with #".to_owned();
    let mut splitter = Ini::new_from_defaults(rules());
    let stand_in = String::from(LINE_FEED_STAND_IN);
    let sections = splitter.read(line.replace('\n', &stand_in)).map_err(|_| wanted())?;
    match sections.into_values().flatten().next() {
        Some((name, Some(value))) => Ok((name, value.replace(LINE_FEED_STAND_IN, "\n"))),
        _ => Err(wanted()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn values(file: &[u8]) -> Vec<(usize, String, Option<Given>)> {
        let (assignments, complaints) = read(file);
        assert_eq!(complaints, []);
        assignments.into_iter().map(|a| (a.line, a.name, a.value)).collect()
    }

    fn complaints(file: &[u8]) -> Vec<(usize, String)> {
        read(file).1.into_iter().map(|complaint| (complaint.line, complaint.what)).collect()
    }

    fn text(text: &str) -> Option<Given> {
        Some(Given::Text(text.to_owned()))
    }

    fn word(word: &str) -> Option<Given> {
        Some(Given::Word(word.to_owned()))
    }

    #[test]
    fn a_file_as_people_write_it() {
        let file = "\u{feff}# mine\r\ndebug = True\r\n\r\nport=9090 # free\r\n\
                    gmail_token='ab#cd;ef:gh=ij'\r\nemail=['a@b.c',\r\n  'd@e.f']\r\n\
                    smtp_user='''x  \r\ny'''\r\nsmtp_host=None\r\n  bind_addr=::";
        let expected = [
            (2, "debug", word("True")),
            (4, "port", word("9090")),
            (5, "gmail_token", text("ab#cd;ef:gh=ij")),
            (6, "email", Some(Given::List(vec!["a@b.c".to_owned(), "d@e.f".to_owned()]))),
            (8, "smtp_user", text("x  \ny")),
            (10, "smtp_host", None),
            (11, "bind_addr", word("::")),
        ];
        let expected = expected.map(|(line, name, value)| (line, name.to_owned(), value));
        assert!(values(file.as_bytes()) == expected);
    }

    #[test]
    fn every_bad_line_is_named() {
        let file = b"port: 9090\n; old\n[mail]\n=5\nport=1\nPort=2\nport=3\nsecret='abc\n\
                     bad name='x'\nemail=['a'\n";
        let complaints = complaints(file);
        let lines: Vec<usize> = complaints.iter().map(|(line, _)| *line).collect();
        assert_eq!(lines, [1, 2, 3, 4, 7, 8, 10]);
        assert!(complaints[4].1.contains("set twice, first on line 5"), "{complaints:?}");
        assert!(
            complaints[5].1.starts_with("secret: the text that begins with '"),
            "{complaints:?}"
        );
    }

    #[test]
    fn what_is_no_text_is_refused_with_its_line() {
        assert_eq!(
            complaints(b"a=1\nb=\xff\n"),
            [(2, "is not UTF-8; save the file as UTF-8".to_owned())]
        );
        assert_eq!(complaints(b"a=1\n\nb=\0\n")[0].0, 3);
        assert_eq!(complaints(b"\xff\xfea\0=\x001\0")[0].0, 1);
    }

    proptest! {
        #[test]
        fn nothing_makes_the_file_reader_panic(bytes in any::<Vec<u8>>()) {
            let _ = read(&bytes);
        }

        #[test]
        fn no_text_makes_the_file_reader_panic(text in "[a-b=\\[\\]'\"#;: \\\\\n\r]*") {
            let _ = read(text.as_bytes());
        }
    }
}
