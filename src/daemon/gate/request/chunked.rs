//! A body in chunks (RFC 9112, section 7.1), as those send it who do not know its length beforehand.
//!
//! The gate takes the chunks apart and passes on a body of a declared length: only one parser ever
//! reads them, so no two can disagree.

use super::{BODY_MAX, Rejection};

/// The longest line between chunks, and the longest trailer: a size has a few digits, and nobody here
/// reads extensions or trailers.
const LINE_MAX: usize = 256;
/// The most bytes of trailers.
const TRAILERS_MAX: usize = 1024;

/// Takes chunks apart, however they are cut.
#[derive(Debug, Default)]
pub(super) struct Chunks {
    expected: Expected,
    /// What came of a line.
    line: Vec<u8>,
    trailers: usize,
    /// The body so far.
    pub(super) body: Vec<u8>,
}

/// What comes next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Expected {
    /// The line with a chunk's size.
    #[default]
    Size,
    /// So many bytes of a chunk.
    Data(usize),
    /// The line end behind them.
    DataEnd,
    /// A trailer, or the empty line that ends it all.
    Trailer,
}

impl Chunks {
    /// Bytes of memory taken.
    pub(super) fn held(&self) -> usize {
        self.line.capacity() + self.body.capacity()
    }

    /// Takes bytes until the body is whole: true then.
    ///
    /// # Errors
    /// It is too long, or these are no chunks.
    pub(super) fn feed(&mut self, mut bytes: &[u8]) -> Result<bool, Rejection> {
        while !bytes.is_empty() {
            if let Expected::Data(left) = self.expected {
                let (data, rest) = bytes.split_at(left.min(bytes.len()));
                self.body.extend_from_slice(data);
                bytes = rest;
                self.expected = match left - data.len() {
                    0 => Expected::DataEnd,
                    left => Expected::Data(left),
                };
            } else if self.collect_line(&mut bytes)? {
                let line = std::mem::take(&mut self.line);
                if self.handle_line(&line)? {
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    /// Whether a line is whole: it is in `line` then, without its end.
    fn collect_line(&mut self, bytes: &mut &[u8]) -> Result<bool, Rejection> {
        while let Some((&byte, rest)) = bytes.split_first() {
            *bytes = rest;
            if self.line.ends_with(b"\r") != (byte == b'\n') {
                return Err(Rejection::Malformed(
                    "a line between chunks that does not end with CR LF",
                ));
            }
            if byte == b'\n' {
                self.line.pop();
                return Ok(true);
            }
            if self.line.len() > LINE_MAX {
                return Err(Rejection::Malformed("a line between chunks that is too long"));
            }
            self.line.push(byte);
        }
        Ok(false)
    }

    /// Whether it was the last one.
    fn handle_line(&mut self, line: &[u8]) -> Result<bool, Rejection> {
        match self.expected {
            Expected::Size => {
                let size = size(line)?;
                if size > BODY_MAX - self.body.len() {
                    return Err(Rejection::LongBody);
                }
                self.expected = if size == 0 { Expected::Trailer } else { Expected::Data(size) };
            }
            Expected::Trailer => {
                self.trailers += line.len();
                if self.trailers > TRAILERS_MAX {
                    return Err(Rejection::LongHead);
                }
                return Ok(line.is_empty());
            }
            Expected::Data(_) | Expected::DataEnd if line.is_empty() => {
                self.expected = Expected::Size;
            }
            Expected::Data(_) | Expected::DataEnd => {
                return Err(Rejection::Malformed("a chunk that is longer than its size"));
            }
        }
        Ok(false)
    }
}

/// Reads a size: hexadecimal digits, then blanks or an extension, which may be ignored (section 7.1.1).
fn size(line: &[u8]) -> Result<usize, Rejection> {
    let bad = Rejection::Malformed("a chunk whose size is no hexadecimal number");
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii_end();
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_hexdigit) {
        return Err(bad);
    }
    // Digits that fit no number are a size all the same, and too large a one.
    let digits = str::from_utf8(digits).map_err(|_| bad)?;
    usize::from_str_radix(digits, 16).map_err(|_| Rejection::LongBody)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn body(bytes: &[u8]) -> Result<Option<String>, Rejection> {
        let mut chunks = Chunks::default();
        let whole = chunks.feed(bytes)?;
        Ok(whole.then(|| String::from_utf8(chunks.body).unwrap()))
    }

    #[test]
    fn chunks_are_put_together() {
        for bytes in [
            "5\r\nhello\r\n0\r\n\r\n",
            "5\r\nhello\r\n0\r\n\r\nGET / HTTP/1.1\r\n\r\n",
            "2\r\nhe\r\n003;name=\"v\"\r\nllo\r\n00\r\nExpires: never\r\nX: y\r\n\r\n",
            "5  \r\nhello\r\n0;last\r\n\r\n",
        ] {
            assert_eq!(body(bytes.as_bytes()), Ok(Some("hello".to_owned())), "{bytes:?}");
        }
        assert_eq!(body(b"0\r\n\r\n"), Ok(Some(String::new())));
        assert_eq!(
            body(b"A\r\n\r\n0\r\n\r\nxyz\r\n0\r\n\r\n"),
            Ok(Some("\r\n0\r\n\r\nxyz".to_owned()))
        );
        assert_eq!(body(b"5\r\nhello\r\n0\r\n"), Ok(None));
    }

    #[test]
    fn what_are_no_chunks_is_refused() {
        let long = format!("1;{}\r\n", "x".repeat(LINE_MAX));
        for (bytes, why) in [
            ("\r\n", "hexadecimal"),
            ("5\nhello", "CR LF"),
            ("5\r\r\n", "CR LF"),
            ("0x5\r\n", "hexadecimal"),
            ("+5\r\n", "hexadecimal"),
            (" 5\r\n", "hexadecimal"),
            ("-0\r\n", "hexadecimal"),
            ("5 5\r\n", "hexadecimal"),
            (";5\r\n", "hexadecimal"),
            ("{\"appname\"", "CR LF"),
            ("5\r\nhello0\r\n", "longer than its size"),
            ("0\r\nA: b\nC: d\r\n\r\n", "CR LF"),
            (&long, "too long"),
        ] {
            match body(bytes.as_bytes()) {
                Err(Rejection::Malformed(told)) => assert!(told.contains(why), "{bytes:?}: {told}"),
                // Not whole yet, but its end would be refused.
                other => assert_eq!(
                    body(format!("{bytes}\n").as_bytes()).is_err(),
                    other.is_ok(),
                    "{bytes:?}"
                ),
            }
        }
        let trailers = format!("0\r\n{}\r\n", format!("A: {}\r\n", "x".repeat(200)).repeat(6));
        assert_eq!(body(trailers.as_bytes()), Err(Rejection::LongHead));
    }

    #[test]
    fn a_body_is_bounded_however_many_chunks_it_has() {
        for too_long in [
            format!("{:x}\r\n", BODY_MAX + 1),
            "ffffffffffffffffffffffff\r\n".to_owned(),
            "fffffffffffffff\r\n".to_owned(),
            "1\r\nx\r\n".repeat(BODY_MAX + 1),
        ] {
            assert_eq!(body(too_long.as_bytes()), Err(Rejection::LongBody));
        }
        let longest = "1\r\nx\r\n".repeat(BODY_MAX) + "0\r\n\r\n";
        assert_eq!(body(longest.as_bytes()).unwrap().unwrap().len(), BODY_MAX);
    }

    proptest! {
        #[test]
        fn no_bytes_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
            let _ = Chunks::default().feed(&bytes);
        }

        #[test]
        fn what_is_cut_into_chunks_comes_back(
            parts in proptest::collection::vec("[ -~\r\n]{1,40}", 0..12),
            piece in 1usize..50,
        ) {
            let chunk = |part: &String| format!("{:X}\r\n{part}\r\n", part.len());
            let sent = parts.iter().map(chunk).collect::<String>() + "0\r\n\r\n";
            let mut chunks = Chunks::default();
            let mut whole = false;
            for piece in sent.as_bytes().chunks(piece) {
                prop_assert!(!whole);
                whole = chunks.feed(piece).unwrap();
            }
            prop_assert!(whole);
            prop_assert_eq!(chunks.body, parts.concat().into_bytes());
        }
    }
}
