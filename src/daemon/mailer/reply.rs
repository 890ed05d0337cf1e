//! What a mail server answers (RFC 5321 section 4.2), read as it can be: the code decides, and the text
//! is for people, in whatever letters.

use std::io;

use super::wire::{Wire, invalid};

/// The bytes of one answer. RFC 5321 section 4.5.3.1.5 has 512 a line; no server says so much.
const REPLY_MAX: usize = 64 * 1024;

/// One answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reply {
    /// 200 to 599.
    pub(super) code: u16,
    /// The lines without the code.
    pub(super) lines: Vec<String>,
}

impl Reply {
    /// Reads one, all of its lines.
    pub(super) fn read(wire: &mut Wire) -> io::Result<Reply> {
        let (mut lines, mut left) = (Vec::new(), REPLY_MAX);
        loop {
            let line = wire.line(left)?;
            left = left.saturating_sub(line.len() + 1);
            let (code, is_last, text) = parts(&line)
                .ok_or_else(|| invalid("its answer is none: does it speak SMTP on this port?"))?;
            lines.push(letters(text));
            if is_last {
                return Ok(Reply { code, lines });
            }
            if left == 0 {
                return Err(invalid("its answer has no end"));
            }
        }
    }

    /// Whether it is of this kind: 2, 3, 4 or 5.
    pub(super) fn begins_with(&self, digit: u16) -> bool {
        self.code / 100 == digit
    }

    /// The text in one line. An enhanced code, which each line repeats, is said once.
    pub(super) fn text(&self) -> String {
        let mut lines = self.lines.iter();
        let mut text = lines.next().cloned().unwrap_or_default();
        let enhanced = text.split(' ').next().filter(|it| it.contains('.')).map(str::to_owned);
        for line in lines {
            let repeated = enhanced.as_deref().and_then(|it| line.strip_prefix(it));
            text.push(' ');
            text.push_str(repeated.map_or(line.as_str(), str::trim_start));
        }
        text
    }
}

/// Code, whether it is the last line, and text. A bare `250` is one, too.
fn parts(line: &[u8]) -> Option<(u16, bool, &[u8])> {
    let (digits, rest) = line.split_at_checked(3)?;
    let number =
        |code, digit: &u8| Some(code * 10 + u16::from(char::from(*digit).to_digit(10)? as u8));
    let code = digits.iter().try_fold(0, number).filter(|code| (200..600).contains(code))?;
    match rest.split_first() {
        None => Some((code, true, rest)),
        Some((b'-', text)) => Some((code, false, text)),
        Some((b' ' | b'\t', text)) => Some((code, true, text)),
        // A number that goes on is no code.
        Some(_) => None,
    }
}

/// UTF-8, or else the letters of ISO 8859-1, which old servers in Europe still write.
fn letters(bytes: &[u8]) -> String {
    match std::str::from_utf8(bytes) {
        Ok(text) => text.to_owned(),
        Err(_) => bytes.iter().copied().map(char::from).collect(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn lines_are_taken_as_they_come() {
        for (line, code, is_last, text) in [
            ("250 2.0.0 OK", 250, true, "2.0.0 OK"),
            ("250-SIZE", 250, false, "SIZE"),
            ("250", 250, true, ""),
            ("250-", 250, false, ""),
            ("354\tgo on", 354, true, "go on"),
        ] {
            assert_eq!(parts(line.as_bytes()), Some((code, is_last, text.as_bytes())), "{line}");
        }
        for line in ["2500", "25", "", "199 no", "600 no", "HTTP/1.1 400 Bad Request"] {
            assert_eq!(parts(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn letters_of_old_servers_are_read() {
        assert_eq!(letters("d\u{e9}sol\u{e9}".as_bytes()), "désolé");
        assert_eq!(letters(b"d\xe9sol\xe9"), "désolé");
    }

    #[test]
    fn a_repeated_enhanced_code_is_said_once() {
        let lines = ["5.7.8 Username and", "5.7.8 Password not", "accepted"];
        let reply = Reply { code: 535, lines: lines.map(str::to_owned).into() };
        assert_eq!(reply.text(), "5.7.8 Username and Password not accepted");
        let reply = Reply { code: 250, lines: ["ok", "ok then"].map(str::to_owned).into() };
        assert_eq!(reply.text(), "ok ok then");
    }

    proptest! {
        #[test]
        fn no_line_makes_it_panic(line: Vec<u8>) {
            let _ = parts(&line).map(|(_, _, text)| letters(text));
        }
    }
}
