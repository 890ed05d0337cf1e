//! The bytes of one connection on their way to and from the HTTP client.

use ureq::Error;
use ureq::unversioned::transport::Buffers;

use super::client::HEAD_MAX;
use super::head::{self, Head};

/// The first size of the input: enough for the whole of a usual answer.
const INPUT_FIRST: usize = 1024;

/// The most bytes held of what came: a head at its limit, and what shows that it goes on.
const INPUT_MAX: usize = HEAD_MAX + 1;

/// Input that grows with what comes, to a limit, and output of a fixed size. (ureq's own are
/// allocated and cleared in full for each connection, which costs more than the check.) What comes
/// first is the [`head`] of an answer: it is shown when it is whole, and made strict.
#[derive(Debug)]
pub(super) struct GrowingBuffers {
    input: Vec<u8>,
    filled: usize,
    consumed: usize,
    /// What was consumed last was something: there is reason to look at the rest.
    progress: bool,
    /// The head has come, and what is held is for ureq to see.
    has_head: bool,
    output: Vec<u8>,
}

impl GrowingBuffers {
    /// For bytes that are no answer, such as those of TLS: they are shown as they come.
    pub(super) fn raw(output: usize) -> GrowingBuffers {
        GrowingBuffers { has_head: true, ..GrowingBuffers::new(output) }
    }

    /// For an answer. Nothing is allocated but the output.
    pub(super) fn new(output: usize) -> GrowingBuffers {
        GrowingBuffers {
            input: Vec::new(),
            filled: 0,
            consumed: 0,
            progress: false,
            has_head: false,
            output: vec![0; output],
        }
    }

    /// Takes note that `amount` bytes came into [`input_append_buf`](Buffers::input_append_buf).
    ///
    /// # Errors
    ///
    /// When the head is none, or too large.
    pub(super) fn received(&mut self, amount: usize) -> Result<(), Error> {
        self.input_appended(amount);
        while !self.has_head {
            let head = head::read(self.held()).map_err(|fault| Error::Other(fault.into()))?;
            let length = head.as_ref().map_or(self.held().len(), |head| head.length);
            if length > HEAD_MAX {
                return Err(Error::LargeResponseHeader(length, HEAD_MAX));
            }
            match head {
                None => break,
                Some(Head { length, strict: None }) => self.input_consume(length),
                Some(Head { length, strict: Some(strict) }) => self.show_head(length, strict),
            }
        }
        Ok(())
    }

    /// Puts `strict` in the place of the `length` bytes of the head.
    fn show_head(&mut self, length: usize, strict: Vec<u8>) {
        self.has_head = true;
        self.filled = self.filled - length + strict.len();
        self.input.splice(self.consumed..self.consumed + length, strict);
    }

    /// What came and was not consumed.
    fn held(&self) -> &[u8] {
        self.input.get(self.consumed..self.filled).unwrap_or_default()
    }

    /// Moves what is not consumed to the front, and grows when there is no room behind it.
    fn make_room(&mut self) {
        if self.consumed > 0 {
            self.input.copy_within(self.consumed..self.filled, 0);
            self.filled -= self.consumed;
            self.consumed = 0;
        }
        if self.filled == self.input.len() {
            let size = (self.input.len() * 2).clamp(INPUT_FIRST, INPUT_MAX);
            // Not `resize`: compiled for size, it clears byte by byte.
            self.input.append(&mut vec![0; size.saturating_sub(self.input.len())]);
        }
    }
}

impl Buffers for GrowingBuffers {
    fn output(&mut self) -> &mut [u8] {
        &mut self.output
    }

    /// Nothing before the head is whole.
    fn input(&self) -> &[u8] {
        if self.has_head { self.held() } else { &[] }
    }

    /// Empty when the input is full and at its limit.
    fn input_append_buf(&mut self) -> &mut [u8] {
        self.make_room();
        self.input.get_mut(self.filled..).unwrap_or_default()
    }

    fn input_appended(&mut self, amount: usize) {
        self.filled = (self.filled + amount).min(self.input.len());
    }

    fn input_consume(&mut self, amount: usize) {
        self.progress = amount > 0;
        self.consumed = (self.consumed + amount).min(self.filled);
    }

    fn tmp_and_output(&mut self) -> (&mut [u8], &mut [u8]) {
        self.make_room();
        let free = self.input.get_mut(self.filled..).unwrap_or_default();
        (free, &mut self.output)
    }

    fn can_use_input(&self) -> bool {
        self.has_head && self.progress && self.consumed < self.filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Hands over as much of `bytes` as there is room for.
    fn receive(buffers: &mut GrowingBuffers, bytes: &[u8]) -> Result<usize, Error> {
        let room = buffers.input_append_buf();
        let amount = room.len().min(bytes.len());
        room[..amount].copy_from_slice(&bytes[..amount]);
        buffers.received(amount).map(|()| amount)
    }

    const HEAD: &[u8] = b"HTTP/1.0 200\r\n\r\n";

    fn behind_a_head() -> GrowingBuffers {
        let mut buffers = GrowingBuffers::new(16);
        receive(&mut buffers, b"HTTP/1.0 200 OK\nA:b\n\n").unwrap();
        assert_eq!(buffers.input(), HEAD);
        buffers.input_consume(HEAD.len());
        buffers
    }

    #[test]
    fn bytes_come_out_in_the_order_they_went_in() {
        let mut buffers = behind_a_head();
        receive(&mut buffers, b"abcdef").unwrap();
        buffers.input_consume(0);
        assert!(!buffers.can_use_input(), "nothing was consumed yet");
        buffers.input_consume(2);
        assert!(buffers.can_use_input());
        receive(&mut buffers, b"ghi").unwrap();
        assert_eq!(buffers.input(), b"cdefghi");
        buffers.input_consume(7);
        assert!(!buffers.can_use_input());
        assert_eq!(buffers.input(), b"");
        assert_eq!(buffers.output().len(), 16);
    }

    #[test]
    fn raw_bytes_are_shown_as_they_come() {
        let mut buffers = GrowingBuffers::raw(16);
        receive(&mut buffers, b"\x16\x03").unwrap();
        assert_eq!(buffers.input(), b"\x16\x03");
    }

    #[test]
    fn a_head_is_shown_when_it_is_whole() {
        let answer = b"HTTP/1.1 103 Early\r\nA: b\r\n\r\nHTTP/1.1 200 OK\r\nno colon\r\n\r\nbody";
        let mut buffers = GrowingBuffers::new(16);
        for byte in answer {
            let nothing = buffers.input().is_empty() && !buffers.can_use_input();
            assert!(buffers.has_head || nothing);
            receive(&mut buffers, &[*byte]).unwrap();
        }
        assert_eq!(buffers.input(), [HEAD, b"body"].concat());
        let mut at_once = GrowingBuffers::new(16);
        receive(&mut at_once, answer).unwrap();
        assert_eq!(at_once.input(), buffers.input());
        at_once.input_consume(HEAD.len());
        assert!(at_once.can_use_input());
        assert_eq!(at_once.input(), b"body");
    }

    #[test]
    fn a_head_that_is_strict_may_be_longer_and_harms_nothing() {
        // As many bytes as there is room for, and a head that grows.
        let head = b"HTTP/1.1 200\nContent-Length:4\n\n";
        let mut buffers = GrowingBuffers::new(16);
        let answer = [&head[..], &[b'a'; INPUT_MAX]].concat();
        let mut taken = 0;
        while taken < answer.len() {
            match receive(&mut buffers, &answer[taken..]).unwrap() {
                0 => break,
                amount => taken += amount,
            }
        }
        assert!(taken > INPUT_MAX - 16, "it is full: {taken}");
        let strict = b"HTTP/1.0 200\r\ncontent-length: 4\r\n\r\n";
        assert!(buffers.input().starts_with(strict));
        buffers.input_consume(strict.len());
        assert_eq!(buffers.input().len(), taken - head.len());
        buffers.input_consume(1);
        assert!(receive(&mut buffers, b"b").unwrap() <= 1);
    }

    #[test]
    fn input_grows_to_its_limit_and_no_further() {
        let mut buffers = behind_a_head();
        let flood = [7; 2 * INPUT_MAX];
        let mut taken = 0;
        loop {
            match receive(&mut buffers, &flood).unwrap() {
                0 => break,
                amount => taken += amount,
            }
        }
        assert_eq!(taken, INPUT_MAX);
        assert_eq!(buffers.input().len(), INPUT_MAX);
        buffers.input_consume(1);
        assert_eq!(receive(&mut buffers, &flood).unwrap(), 1);
    }

    #[test]
    fn a_head_beyond_its_limit_is_refused() {
        let head =
            |lines: usize| [b"HTTP/1.1 200\r\n", &b"A: b\r\n".repeat(lines)[..], b"\r\n"].concat();
        let most = (HEAD_MAX - 16) / 6;
        let take = |bytes: &[u8]| {
            let mut buffers = GrowingBuffers::new(16);
            let mut rest = bytes;
            while !rest.is_empty() {
                let taken = receive(&mut buffers, rest)?;
                rest = &rest[taken..];
            }
            Ok::<_, Error>(buffers.input().to_vec())
        };
        assert_eq!(take(&head(most)).unwrap(), HEAD);
        for bytes in
            [head(most + 1), b"\r\n".repeat(HEAD_MAX), [&HEAD[..14], &[b'a'; HEAD_MAX]].concat()]
        {
            let result = take(&bytes);
            assert!(matches!(result, Err(Error::LargeResponseHeader(_, HEAD_MAX))), "{result:?}");
        }
    }
}
