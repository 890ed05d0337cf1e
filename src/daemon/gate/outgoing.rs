//! Bytes on their way out, and the one line that the gate puts into an answer.

use std::io::{self, Write};

/// The longest status line that the API's HTTP library writes is far below this.
const STATUS_LINE_MAX: usize = 1024;

/// Bytes that are written as fast as the other side takes them.
#[derive(Debug, Default)]
pub(super) struct Outgoing {
    bytes: Vec<u8>,
    sent: usize,
}

impl Outgoing {
    pub(super) fn new(bytes: Vec<u8>) -> Outgoing {
        Outgoing { bytes, sent: 0 }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Bytes that are left to write.
    pub(super) fn len(&self) -> usize {
        self.bytes.len().saturating_sub(self.sent)
    }

    /// Bytes of memory taken.
    pub(super) fn held(&self) -> usize {
        self.bytes.capacity()
    }

    /// Writes until nothing is left or the other side takes no more; says how much it took.
    ///
    /// # Errors
    /// The connection is gone.
    pub(super) fn write_to(&mut self, to: &mut impl Write) -> io::Result<usize> {
        let before = self.sent;
        while let Some(rest) = self.bytes.get(self.sent..).filter(|rest| !rest.is_empty()) {
            match to.write(rest) {
                Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
                Ok(n) => self.sent = self.sent.saturating_add(n),
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) if why.kind() == io::ErrorKind::WouldBlock => break,
                Err(why) => return Err(why),
            }
        }
        let taken = self.sent.saturating_sub(before);
        if self.is_empty() {
            self.bytes.clear();
            self.sent = 0;
        }
        Ok(taken)
    }

    pub(super) fn extend(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }
}

/// Puts `Connection: close` behind the status line of the API's answer: its HTTP library cannot be
/// told to, and without it a client would wait on the same connection.
#[derive(Debug, Default)]
pub(super) struct Closer {
    /// What came of the status line so far; `None` once it has passed.
    status_line: Option<Vec<u8>>,
    begun: bool,
}

impl Closer {
    /// Passes `bytes` on to `to`, the line added where it belongs.
    ///
    /// # Errors
    /// There is no end to the status line: this is no answer.
    pub(super) fn pass(&mut self, bytes: &[u8], to: &mut Outgoing) -> io::Result<()> {
        if self.begun && self.status_line.is_none() {
            to.extend(bytes);
            return Ok(());
        }
        self.begun = true;
        let mut line = self.status_line.take().unwrap_or_default();
        line.extend_from_slice(bytes);
        let Some(end) = line.iter().position(|&byte| byte == b'\n') else {
            if line.len() > STATUS_LINE_MAX {
                return Err(io::ErrorKind::InvalidData.into());
            }
            self.status_line = Some(line);
            return Ok(());
        };
        let (status, rest) = line.split_at(end.saturating_add(1));
        to.extend(status);
        to.extend(b"Connection: close\r\n");
        to.extend(rest);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_added_wherever_the_bytes_are_cut() {
        let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n\n\n";
        for cut in 0..answer.len() {
            let (mut closer, mut out, mut sent) = (Closer::default(), Outgoing::default(), vec![]);
            closer.pass(&answer[..cut], &mut out).unwrap();
            closer.pass(&answer[cut..], &mut out).unwrap();
            out.write_to(&mut sent).unwrap();
            assert_eq!(
                String::from_utf8(sent).unwrap(),
                "HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 2\r\n\r\n\n\n"
            );
        }
    }

    #[test]
    fn an_endless_status_line_is_no_answer() {
        let (mut closer, mut out) = (Closer::default(), Outgoing::default());
        assert!(closer.pass(&[b'x'; STATUS_LINE_MAX + 1], &mut out).is_err());
    }
}
