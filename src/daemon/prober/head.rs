//! The head of an answer, between what servers write and what ureq reads.
//!
//! ureq refuses a head with one bad line, with an empty `Content-Length`, with 129 lines; browsers
//! and curl read all of these, and so the app works for everybody but for us. Here a head is read as
//! they read it, and a strict one of the few lines that matter to a check is made of it. What could
//! be read in two ways stays a failure that says why: two lengths that differ.

use std::fmt;

/// The lines that matter: how the body ends, how it is packed, what it is, and where it is instead.
const NAMES: [&str; 5] =
    ["content-length", "transfer-encoding", "content-encoding", "content-type", "location"];

/// The head at the beginning of some bytes.
#[derive(Debug, PartialEq, Eq)]
pub struct Head {
    /// How many bytes it takes.
    pub length: usize,
    /// The same, as ureq wants it; `None` for an interim answer (`100 Continue`, `103 Early
    /// Hints`), which another one follows.
    pub strict: Option<Vec<u8>>,
}

/// Why there is no head.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadFault {
    /// It is no answer by HTTP/1.0 or HTTP/1.1.
    NoStatusLine,
    /// Where its body ends could be read in two ways.
    TwoLengths,
    /// It says that its body comes in chunks, and that is none.
    NoChunks,
}

impl fmt::Display for HeadFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            HeadFault::NoStatusLine => "it does not begin like HTTP/1.1 200 OK",
            HeadFault::TwoLengths => "its head gives two lengths that differ",
            HeadFault::NoChunks => "its body comes in chunks, and one of them is none",
        })
    }
}

impl std::error::Error for HeadFault {}

/// Reads the head at the beginning of `bytes`: `None` while it is not whole.
///
/// # Errors
///
/// When it is none, as soon as that is seen, or could be read in two ways.
pub fn read(bytes: &[u8]) -> Result<Option<Head>, HeadFault> {
    let start = bytes.iter().position(|byte| !matches!(byte, b'\r' | b'\n')).unwrap_or(bytes.len());
    let mut rest = bytes.get(start..).unwrap_or_default();
    let Some(first) = line(&mut rest) else {
        let is_begun = rest.iter().zip(b"HTTP/1.").all(|(byte, wanted)| byte == wanted);
        return if is_begun { Ok(None) } else { Err(HeadFault::NoStatusLine) };
    };
    let status = status(first).ok_or(HeadFault::NoStatusLine)?;
    let mut fields = Fields::default();
    loop {
        match line(&mut rest) {
            None => return Ok(None),
            Some([]) => break,
            Some(line) => fields.take(line),
        }
    }
    let is_interim = status.starts_with(b"1") && status != b"101";
    let strict = if is_interim { None } else { Some(fields.strict(status)?) };
    Ok(Some(Head { length: bytes.len() - rest.len(), strict }))
}

/// The next line, without its end, which may lack its CR, or have two: a script that writes CR LF to
/// a stream that makes CR LF of LF.
fn line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.iter().position(|byte| *byte == b'\n')?;
    let (line, after) = rest.split_at(end);
    *rest = after.get(1..).unwrap_or_default();
    let bare = line.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
    line.get(..bare)
}

/// The three digits of a status line. What follows them is for people.
fn status(line: &[u8]) -> Option<&[u8]> {
    let rest = line.strip_prefix(b"HTTP/1.")?;
    let rest = rest.strip_prefix(b"0").or_else(|| rest.strip_prefix(b"1"))?;
    let (digits, after) = rest.strip_prefix(b" ")?.trim_ascii_start().split_at_checked(3)?;
    let is_end = after.first().is_none_or(u8::is_ascii_whitespace);
    let is_number = digits.iter().all(u8::is_ascii_digit) && !digits.starts_with(b"0");
    (is_end && is_number).then_some(digits)
}

/// What the lines of a head say that matters, as it came.
#[derive(Default)]
struct Fields {
    /// The values under each of [`NAMES`].
    values: [Vec<Vec<u8>>; NAMES.len()],
    /// Where the last line's value was put: a line that begins with a blank continues it.
    last: Option<usize>,
}

impl Fields {
    /// Takes one line. One that is none (without a colon, with a name that is none) is passed over.
    fn take(&mut self, line: &[u8]) {
        if line.starts_with(b" ") || line.starts_with(b"\t") {
            let value = self.last.and_then(|at| self.values.get_mut(at)?.last_mut());
            if let Some(value) = value {
                if !value.is_empty() {
                    value.push(b' ');
                }
                value.extend_from_slice(line.trim_ascii());
            }
            return;
        }
        let colon = line.iter().position(|byte| *byte == b':');
        let (name, value) = line.split_at(colon.unwrap_or(0));
        let name = name.trim_ascii_end();
        self.last = NAMES.iter().position(|known| name.eq_ignore_ascii_case(known.as_bytes()));
        if let Some(values) = self.last.and_then(|at| self.values.get_mut(at)) {
            values.push(value.get(1..).unwrap_or_default().trim_ascii().to_vec());
        }
    }

    /// The head as ureq wants it.
    fn strict(self, status: &[u8]) -> Result<Vec<u8>, HeadFault> {
        let [lengths, transfer, mut packed, kind, place] = self.values;
        // By HTTP/1.0 ureq knows of no chunks: they are taken apart behind it.
        let mut head = [b"HTTP/1.0 ", status, b"\r\n"].concat();
        let (chunked, codings): (Vec<_>, Vec<_>) =
            elements(&transfer).partition(|coding| coding.eq_ignore_ascii_case(b"chunked"));
        packed.extend(codings.into_iter().map(<[u8]>::to_vec));
        // Chunks go before a length (RFC 9112, section 6.3), and without either the body ends with
        // the connection, which no check uses twice. They are read by HTTP/1.0, too, as curl does:
        // they would be taken for the body.
        if !chunked.is_empty() {
            let has_body = !matches!(status, b"204" | b"304") && !status.starts_with(b"1");
            if has_body {
                put(&mut head, b"transfer-encoding", b"chunked");
            }
        } else if let Some(length) = length(&lengths)? {
            put(&mut head, b"content-length", length.to_string().as_bytes());
        }
        if !packed.is_empty() {
            put(&mut head, b"content-encoding", &packed.join(&b", "[..]));
        }
        for (name, values) in [(&b"content-type"[..], kind), (b"location", place)] {
            if let Some(value) = values.first() {
                put(&mut head, name, value);
            }
        }
        head.extend_from_slice(b"\r\n");
        Ok(head)
    }
}

/// Writes a line. Control characters are left out: they mean nothing in these values.
fn put(head: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    head.extend_from_slice(name);
    head.extend_from_slice(b": ");
    let value: Vec<u8> = value.iter().copied().filter(|byte| !byte.is_ascii_control()).collect();
    head.extend_from_slice(value.trim_ascii());
    head.extend_from_slice(b"\r\n");
}

/// The elements of a list that may be spread over lines; `identity` says nothing.
fn elements(values: &[Vec<u8>]) -> impl Iterator<Item = &[u8]> {
    let elements = values.iter().flat_map(|value| value.split(|byte| *byte == b','));
    let bare = elements.map(<[u8]>::trim_ascii);
    bare.filter(|element| !element.is_empty() && !element.eq_ignore_ascii_case(b"identity"))
}

/// The length of the body. One that is no number, or too large for one, is none; several that are
/// the same are one.
fn length(values: &[Vec<u8>]) -> Result<Option<u64>, HeadFault> {
    let mut lengths = elements(values).map(number);
    let Some(first) = lengths.next() else { return Ok(None) };
    if lengths.any(|length| length != first) { Err(HeadFault::TwoLengths) } else { Ok(first) }
}

fn number(digits: &[u8]) -> Option<u64> {
    let digits = std::str::from_utf8(digits).ok()?;
    digits.bytes().all(|c| c.is_ascii_digit()).then(|| digits.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The strict head of a whole one, its lines without the status line.
    fn lines(head: &str) -> Result<Vec<String>, HeadFault> {
        let strict = strict(head)?;
        let lines = strict.strip_prefix("HTTP/1.0 200\r\n").unwrap();
        Ok(lines.strip_suffix("\r\n").unwrap().lines().map(str::to_owned).collect())
    }

    fn strict(head: &str) -> Result<String, HeadFault> {
        let read = read(format!("{head}\r\n\r\nbody").as_bytes())?.expect("whole");
        assert_eq!(read.length, head.len() + 4);
        Ok(String::from_utf8(read.strict.expect("final")).unwrap())
    }

    fn with(lines_of: &str) -> Result<Vec<String>, HeadFault> {
        lines(&format!("HTTP/1.1 200 OK\r\n{lines_of}"))
    }

    #[test]
    fn a_usual_head_keeps_what_matters() {
        let head = "Server: x\r\nContent-Type: application/json\r\nContent-Length: 4\r\nDate: y";
        assert_eq!(with(head).unwrap(), ["content-length: 4", "content-type: application/json"]);
        assert_eq!(with("Location: /a b").unwrap(), ["location: /a b"]);
        assert_eq!(with("X: y").unwrap(), [""; 0]);
    }

    #[test]
    fn status_lines_are_read_as_browsers_read_them() {
        for line in [
            "HTTP/1.1 200",
            "HTTP/1.0 200 OK",
            "HTTP/1.1  200 OK\u{7}",
            "\r\nHTTP/1.1 200 \u{fc}",
            "HTTP/1.1 200\tOK",
        ] {
            assert_eq!(strict(line).unwrap(), "HTTP/1.0 200\r\n\r\n", "{line:?}");
        }
        for line in [
            "HTTP/1.1 20",
            "HTTP/1.1 2000",
            "HTTP/1.1 099",
            "HTTP/1.1200 OK",
            "HTTP/1.1 OK",
            "HTTP/2 200",
            "HTTP/1.2 200",
            "http/1.1 200",
            "ICY 200 OK",
            "garbage",
        ] {
            assert_eq!(strict(line), Err(HeadFault::NoStatusLine), "{line}");
        }
        assert_eq!(read(b"SSH-2.0"), Err(HeadFault::NoStatusLine), "at the first byte");
        for begun in
            ["", "\r", "H", "HTTP/1.", "HTTP/1.1 200 OK\r\nA: b\r\n", "HTTP/1.1 200 OK\r\n\r"]
        {
            assert_eq!(read(begun.as_bytes()), Ok(None), "{begun:?}");
        }
    }

    #[test]
    fn sloppy_lines_are_read_or_passed_over() {
        let length = ["content-length: 4"];
        for head in [
            "Content-Length : 4",
            "content-length\t :4",
            "CONTENT-LENGTH:4  ",
            "Content-Length:\r\n 4",
            "no colon\r\nContent-Length: 4",
            "no colon\r\n and its second line\r\nContent-Length: 4",
            ": no name\r\nContent-Length: 4",
            "A(b): c\r\nContent-Length: 4",
            "\u{7}: a\u{0}b\u{1b}\r\nContent-Length: 4",
            " Content-Length: 9\r\nContent-Length: 4",
            "A: b\r\n Content-Length: 9\r\nContent-Length: 4",
            "Content-Length: 4\r\nContent-Length: 4",
            "Content-Length: 4, 04,",
            "Content-Length: \r\nContent-Length: 4",
            "Transfer-Encoding: identity\r\nContent-Length: 4",
        ] {
            assert_eq!(with(head).unwrap(), length, "{head:?}");
            assert_eq!(with(&head.replace("\r\n", "\n")).unwrap(), length, "without CR");
            assert_eq!(with(&head.replace("\r\n", "\r\r\n")).unwrap(), length, "two CR");
        }
        let folded = "Location: /a\r\n\t/b\r\nContent-Type:\r\n text/html;\r\n charset=x";
        let expected = ["content-type: text/html; charset=x", "location: /a /b"];
        assert_eq!(with(folded).unwrap(), expected);
        assert_eq!(with("Location: /a\u{7}\u{0}b").unwrap(), ["location: /ab"]);
        let many = "A: b\r\n".repeat(2_000) + "Content-Length: 4";
        assert_eq!(with(&many).unwrap(), length);
    }

    #[test]
    fn a_length_that_is_none_leaves_the_end_to_the_connection() {
        for value in
            ["", " ", "-1", "+4", "4x", "0x4", "4 4", "4\u{0}", ",", "99999999999999999999"]
        {
            let head = format!("Content-Length: {value}");
            assert_eq!(with(&head).unwrap(), [""; 0], "{value:?}");
        }
    }

    #[test]
    fn two_lengths_are_refused() {
        for head in [
            "Content-Length: 4\r\nContent-Length: 5",
            "Content-Length: 4, 5",
            "Content-Length: 4\r\nContent-Length: -1",
        ] {
            assert_eq!(with(head), Err(HeadFault::TwoLengths), "{head}");
        }
    }

    #[test]
    fn chunks_go_before_a_length() {
        let chunks = ["transfer-encoding: chunked"];
        for head in [
            "Transfer-Encoding: Chunked",
            "transfer-encoding : chunked\r\nContent-Length: 4",
            "Transfer-Encoding:\r\n chunked\r\nContent-Length: x, 5",
        ] {
            assert_eq!(with(head).unwrap(), chunks);
            assert_eq!(lines(&format!("HTTP/1.0 200 OK\r\n{head}")).unwrap(), chunks);
        }
        for status in ["101 Switching Protocols", "204 No Content", "304 Not Modified"] {
            let strict = strict(&format!("HTTP/1.1 {status}\r\nTransfer-Encoding: chunked"));
            assert_eq!(strict.unwrap().lines().count(), 2, "{status} has no body");
        }
        let packed = "Content-Encoding: br\r\nTransfer-Encoding: gzip, chunked";
        let expected = ["transfer-encoding: chunked", "content-encoding: br, gzip"];
        assert_eq!(with(packed).unwrap(), expected);
    }

    #[test]
    fn interim_answers_are_told_apart() {
        let bytes = b"HTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 200 OK\r\n\r\n";
        assert_eq!(read(bytes), Ok(Some(Head { length: 37, strict: None })));
        assert!(strict("HTTP/1.1 101 Switching Protocols").is_ok(), "after that comes no other");
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..200), begun in any::<bool>()) {
            let bytes = if begun { [&b"HTTP/1.1 200 OK\r\n"[..], &bytes].concat() } else { bytes };
            if let Ok(Some(Head { length, strict: Some(strict) })) = read(&bytes) {
                prop_assert!(length <= bytes.len());
                prop_assert_eq!(read(&strict), Ok(Some(Head { length: strict.len(), strict: Some(strict.clone()) })));
            }
        }
    }
}
