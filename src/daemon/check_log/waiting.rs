//! Lines that are not on the disk yet.

/// Room for them, in bytes: some hundred lines, which is what memory can spare for a disk that is
/// full, and what there is to see with `--test`.
const ROOM: usize = 64 * 1024;

/// The newest lines, in order, within [`ROOM`].
#[derive(Debug, Default)]
pub(super) struct Waiting {
    text: Vec<u8>,
}

impl Waiting {
    /// Adds a line, and says how many of the oldest had to give way.
    pub(super) fn push(&mut self, line: &[u8]) -> usize {
        self.text.extend_from_slice(line);
        self.text.push(b'\n');
        let over = self.text.len().saturating_sub(ROOM);
        if over == 0 {
            return 0;
        }
        // Up to the end of the last line that does not fit any more.
        let rest = self.text.iter().skip(over - 1).position(|byte| *byte == b'\n');
        let end = rest.map_or(self.text.len(), |rest| over + rest);
        self.text.drain(..end).filter(|byte| *byte == b'\n').count()
    }

    pub(super) fn text(&self) -> &[u8] {
        &self.text
    }

    pub(super) fn is_empty(&self) -> bool {
        self.text.is_empty()
    }

    /// Whether it is half full: time to write.
    pub(super) fn is_plenty(&self) -> bool {
        self.text.len() > ROOM / 2
    }

    /// Forgets them, and gives the memory back.
    pub(super) fn clear(&mut self) {
        self.text = Vec::new();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_lines_give_way_whole() {
        let mut waiting = Waiting::default();
        let line = [b'x'; 99];
        for _ in 0..ROOM / 100 {
            assert_eq!(waiting.push(&line), 0);
        }
        assert!(waiting.is_plenty());
        assert_eq!(waiting.push(&line), 1);
        assert_eq!(waiting.push(&[b'y'; 149]), 2);
        assert!(waiting.text().len() <= ROOM);
        assert!(
            waiting
                .text()
                .split(|byte| *byte == b'\n')
                .all(|line| matches!(line.len(), 0 | 99 | 149))
        );
    }

    #[test]
    fn a_line_that_does_not_fit_at_all_is_lost_too() {
        let mut waiting = Waiting::default();
        waiting.push(b"small");
        assert_eq!(waiting.push(&vec![b'x'; 2 * ROOM]), 2);
        assert!(waiting.is_empty());
    }
}
