//! A body in chunks (RFC 9112, section 7.1), as apps send it.
//!
//! ureq refuses lines that end without CR and extensions of more than a few characters; browsers
//! and curl read both. So ureq is shown a body that ends with the connection, and the chunks are
//! taken apart here.

use std::io::{self, BufRead, BufReader, ErrorKind, Read};

use ureq::Error;

use super::head::HeadFault;

/// The longest line between chunks, its end included. Extensions mean nothing to a check.
const LINE_MAX: u64 = 4 * 1024;

/// Bytes read at once: enough for the whole of a usual body.
const READ: usize = 512;

/// What the chunks of `R` hold. It ends with the last chunk: trailers are not waited for.
pub(super) struct Chunks<R> {
    bytes: BufReader<R>,
    next: Next,
}

/// What comes next.
#[derive(Clone, Copy)]
enum Next {
    /// The line with a chunk's size.
    Size,
    /// So many bytes of a chunk.
    Data(u64),
    /// The line end behind them.
    DataEnd,
    /// Nothing that matters.
    Ended,
}

impl<R: Read> Chunks<R> {
    pub(super) fn new(bytes: R) -> Chunks<R> {
        Chunks { bytes: BufReader::with_capacity(READ, bytes), next: Next::Size }
    }

    /// A line, without its end and blanks before that.
    fn line(&mut self) -> io::Result<Vec<u8>> {
        let mut line = Vec::new();
        (&mut self.bytes).take(LINE_MAX).read_until(b'\n', &mut line)?;
        match line.pop() {
            Some(b'\n') => {
                line.truncate(line.trim_ascii_end().len());
                Ok(line)
            }
            Some(_) if line.len() as u64 + 1 == LINE_MAX => Err(broken()),
            _ => Err(ErrorKind::UnexpectedEof.into()),
        }
    }
}

impl<R: Read> Read for Chunks<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            self.next = match self.next {
                Next::Ended => return Ok(0),
                Next::Size => match size(&self.line()?).ok_or_else(broken)? {
                    0 => Next::Ended,
                    size => Next::Data(size),
                },
                Next::DataEnd => match self.line()?.as_slice() {
                    [] => Next::Size,
                    _ => return Err(broken()),
                },
                Next::Data(left) => {
                    let room = buffer.len() as u64;
                    let amount = (&mut self.bytes).take(left.min(room)).read(buffer)?;
                    if amount == 0 && room > 0 {
                        return Err(ErrorKind::UnexpectedEof.into());
                    }
                    let left = left.saturating_sub(amount as u64);
                    self.next = if left == 0 { Next::DataEnd } else { Next::Data(left) };
                    return Ok(amount);
                }
            };
        }
    }
}

fn broken() -> io::Error {
    Error::Other(HeadFault::NoChunks.into()).into_io()
}

/// Hexadecimal digits, before blanks or an extension.
fn size(line: &[u8]) -> Option<u64> {
    let digits = line.split(|byte| *byte == b';').next().unwrap_or_default().trim_ascii();
    let is_size = digits.iter().all(u8::is_ascii_hexdigit);
    is_size.then(|| u64::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Hands out one byte at a time.
    struct Drip<'a>(&'a [u8]);

    impl Read for Drip<'_> {
        fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
            let most = buffer.len().min(1);
            self.0.read(&mut buffer[..most])
        }
    }

    fn body(bytes: &[u8]) -> io::Result<String> {
        let (mut body, mut dripped) = (String::new(), String::new());
        let end = Chunks::new(bytes).read_to_string(&mut body);
        let end_too = Chunks::new(Drip(bytes)).read_to_string(&mut dripped);
        assert_eq!(end.as_ref().ok(), end_too.as_ref().ok());
        end.map(|_| body)
    }

    #[test]
    fn chunks_are_read_as_browsers_read_them() {
        let long = format!("5;{}\r\nhello\r\n0\r\n\r\n", "x".repeat(4_000));
        for bytes in [
            "5\r\nhello\r\n0\r\n\r\n",
            "5\nhello\n0\n\n",
            "2\r\nhe\r\n003 ; name=\"value of some length\"\r\nllo\r\n0000\r\n",
            "5   \r\nhello\r\n0;last\r\nExpires: never\r\n\r\n",
            " 5\r\nhello \r\n0\r\n",
            "5\r\nhello\r\n0\n and what comes then",
            &long,
        ] {
            let bytes = bytes.replace("hello ", "hello");
            assert_eq!(body(bytes.as_bytes()).unwrap(), "hello", "{bytes:?}");
        }
        assert_eq!(body(b"0\r\n\r\n").unwrap(), "");
        assert_eq!(body(b"A\r\n\r\n0\r\n\r\nxyz\r\n0\r\n\r\n").unwrap(), "\r\n0\r\n\r\nxyz");
    }

    #[test]
    fn what_breaks_off_and_what_are_no_chunks_is_told_apart() {
        for bytes in
            ["", "5", "5\r\n", "5\r\nhell", "5\r\nhello", "5\r\nhello\r\n", "5\r\nhello\r\n0"]
        {
            let kind = body(bytes.as_bytes()).unwrap_err().kind();
            assert_eq!(kind, ErrorKind::UnexpectedEof, "{bytes:?}");
        }
        let long = "1".repeat(5_000);
        let extension = format!("1;{long}\r\n");
        for bytes in [
            "\r\n",
            "{\"status\":\"fail\"}\n",
            "0x5\r\nhello\r\n0\r\n",
            "-1\r\n",
            "+5\r\nhello\r\n",
            "5\r\nhello, longer than it says\r\n0\r\n",
            "10000000000000000\r\n",
            &long,
            &extension,
        ] {
            let error = Error::from(body(bytes.as_bytes()).unwrap_err());
            let Error::Other(fault) = error else { panic!("{error:?} of {bytes:?}") };
            assert!(matches!(fault.downcast_ref(), Some(HeadFault::NoChunks)), "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn no_bytes_are_too_odd(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
            let _ = Chunks::new(&bytes[..]).read_to_end(&mut Vec::new());
        }

        #[test]
        fn what_is_cut_into_chunks_comes_back(parts in prop::collection::vec("[ -~\r\n]{1,40}", 0..12)) {
            let chunk = |part: &String| format!("{:X}\r\n{part}\r\n", part.len());
            let sent = parts.iter().map(chunk).collect::<String>() + "0\r\n\r\n";
            prop_assert_eq!(body(sent.as_bytes()).unwrap(), parts.concat());
        }
    }
}
