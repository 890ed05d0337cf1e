//! Lines from the end: the newest are wanted, and the rest of a file need not be read for them.

use std::io;
use std::os::unix::fs::FileExt;

use super::store::Opened;

/// Read at once: a hundred lines.
const BLOCK: usize = 16 * 1024;
/// A longer line is none of ours (names, reasons and bodies are bounded), and is not held in memory.
const LINE_MAX: usize = 64 * 1024;

/// Where lines are.
#[derive(Debug)]
pub(super) enum Source {
    Memory(Vec<u8>),
    File(Opened),
}

impl Source {
    fn size(&self) -> u64 {
        match self {
            Source::Memory(bytes) => bytes.len() as u64,
            Source::File(opened) => opened.size,
        }
    }

    /// Reads some bytes from `offset` on; 0 at the end.
    pub(super) fn read_at(&self, to: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            Source::Memory(bytes) => {
                let from = usize::try_from(offset).ok().and_then(|from| bytes.get(from..));
                io::Read::read(&mut from.unwrap_or_default(), to)
            }
            Source::File(opened) => opened.file.read_at(to, offset),
        }
    }

    fn read_exact_at(&self, mut to: &mut [u8], mut offset: u64) -> io::Result<()> {
        while !to.is_empty() {
            match self.read_at(to, offset) {
                Ok(0) => return Err(io::ErrorKind::UnexpectedEof.into()),
                Ok(n) => {
                    to = to.split_at_mut(n).1;
                    offset += n as u64;
                }
                Err(why) if why.kind() == io::ErrorKind::Interrupted => {}
                Err(why) => return Err(why),
            }
        }
        Ok(())
    }
}

/// A line with its end, or what is left of one: `bytes` ends with a line feed if it is whole.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Piece {
    /// Where it begins.
    pub(super) offset: u64,
    pub(super) bytes: Vec<u8>,
}

/// The lines of a source, the last one first.
#[derive(Debug)]
pub(super) struct Backwards<'s> {
    source: &'s Source,
    /// Where `held` begins in the source.
    start: u64,
    /// Bytes that have been read and not been given out.
    held: Vec<u8>,
}

impl<'s> Backwards<'s> {
    pub(super) fn new(source: &'s Source) -> Backwards<'s> {
        Backwards { source, start: source.size(), held: Vec::new() }
    }

    /// The line before the last one given; `None` at the beginning.
    pub(super) fn next_piece(&mut self) -> io::Result<Option<Piece>> {
        loop {
            // Its own end is the last byte; the end of the line before it is looked for.
            let before = self.held.split_last().map_or(&[][..], |(_, before)| before);
            let found = before.iter().rposition(|byte| *byte == b'\n').map(|at| at + 1);
            let begin = found.or((self.start == 0 && !self.held.is_empty()).then_some(0));
            if let Some(begin) = begin {
                let bytes = self.held.split_off(begin);
                return Ok(Some(Piece { offset: self.start + begin as u64, bytes }));
            }
            if self.start == 0 {
                return Ok(None);
            }
            if self.held.len() > LINE_MAX {
                // What comes before has no line feed at its end, and will not pass for a line.
                self.held = Vec::new();
            }
            self.read_a_block()?;
        }
    }

    fn read_a_block(&mut self) -> io::Result<()> {
        let size = usize::try_from(self.start).map_or(BLOCK, |start| start.min(BLOCK));
        let start = self.start.saturating_sub(size as u64);
        let mut block = vec![0; size];
        self.source.read_exact_at(&mut block, start)?;
        block.append(&mut self.held);
        self.held = block;
        self.start = start;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pieces(bytes: &[u8]) -> Vec<Piece> {
        let source = Source::Memory(bytes.to_vec());
        let mut lines = Backwards::new(&source);
        std::iter::from_fn(|| lines.next_piece().unwrap()).collect()
    }

    #[test]
    fn lines_come_last_first_with_their_places() {
        let piece = |offset, bytes: &[u8]| Piece { offset, bytes: bytes.to_vec() };
        assert_eq!(
            pieces(b"one\n\ntwo\nto"),
            [piece(9, b"to"), piece(5, b"two\n"), piece(4, b"\n"), piece(0, b"one\n")]
        );
        assert_eq!(pieces(b""), []);
        assert_eq!(pieces(b"\n"), [piece(0, b"\n")]);
    }

    #[test]
    fn a_line_without_bounds_is_passed_over_in_parts() {
        let mut bytes = b"one\n".to_vec();
        bytes.resize(10 * LINE_MAX, 0);
        bytes.extend_from_slice(b"\ntwo\n");
        let whole: Vec<Vec<u8>> = pieces(&bytes)
            .into_iter()
            .map(|piece| piece.bytes)
            .filter(|bytes| bytes.ends_with(b"\n") && bytes.len() <= LINE_MAX)
            .collect();
        assert_eq!(whole, [&b"two\n"[..], b"one\n"]);
        assert!(pieces(&bytes).iter().all(|piece| piece.bytes.len() <= LINE_MAX + 2 * BLOCK));
    }

    #[test]
    fn a_file_is_read_as_memory_is() {
        let text: String = (0..5000).map(|n| format!("{{\"n\":{n}}}\n")).collect();
        let mut file = tempfile::tempfile().unwrap();
        io::Write::write_all(&mut file, text.as_bytes()).unwrap();
        let source = Source::File(Opened { file, size: text.len() as u64 });
        let mut lines = Backwards::new(&source);
        for piece in pieces(text.as_bytes()) {
            assert_eq!(lines.next_piece().unwrap(), Some(piece));
        }
        assert_eq!(lines.next_piece().unwrap(), None);
    }

    proptest! {
        #[test]
        fn nothing_is_left_out(lines in prop::collection::vec(0..3 * BLOCK, 0..12), torn in any::<bool>()) {
            let mut bytes: Vec<u8> = Vec::new();
            for length in &lines {
                bytes.resize(bytes.len() + length, b'x');
                bytes.push(b'\n');
            }
            if torn {
                bytes.pop();
            }
            let mut put_together = Vec::new();
            for piece in pieces(&bytes).into_iter().rev() {
                prop_assert_eq!(piece.offset, put_together.len() as u64);
                put_together.extend(piece.bytes);
            }
            prop_assert_eq!(put_together, bytes);
        }
    }
}
