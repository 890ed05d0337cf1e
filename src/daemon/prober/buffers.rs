//! The bytes of one connection on their way to and from the HTTP client.

use ureq::unversioned::transport::Buffers;

/// The first size of the input: enough for the whole of a usual answer.
const INPUT_FIRST: usize = 1024;

/// Input that grows with what comes, to a limit, and output of a fixed size. (ureq's own are
/// allocated and cleared in full for each connection, which costs more than the check.)
#[derive(Debug)]
pub(super) struct GrowingBuffers {
    input: Vec<u8>,
    filled: usize,
    consumed: usize,
    /// What was consumed last was something: there is reason to look at the rest.
    progress: bool,
    input_max: usize,
    output: Vec<u8>,
}

impl GrowingBuffers {
    /// Nothing is allocated but the output.
    pub(super) fn new(input_max: usize, output: usize) -> GrowingBuffers {
        GrowingBuffers {
            input: Vec::new(),
            filled: 0,
            consumed: 0,
            progress: false,
            input_max,
            output: vec![0; output],
        }
    }

    /// Moves what is not consumed to the front, and grows when there is no room behind it.
    fn make_room(&mut self) {
        if self.consumed > 0 {
            self.input.copy_within(self.consumed..self.filled, 0);
            self.filled -= self.consumed;
            self.consumed = 0;
        }
        if self.filled == self.input.len() {
            let size = (self.input.len() * 2).clamp(INPUT_FIRST, self.input_max);
            // Not `resize`: compiled for size, it clears byte by byte.
            self.input.append(&mut vec![0; size - self.input.len()]);
        }
    }
}

impl Buffers for GrowingBuffers {
    fn output(&mut self) -> &mut [u8] {
        &mut self.output
    }

    fn input(&self) -> &[u8] {
        self.input.get(self.consumed..self.filled).unwrap_or_default()
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
        self.progress && self.consumed < self.filled
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn receive(buffers: &mut GrowingBuffers, bytes: &[u8]) -> usize {
        let room = buffers.input_append_buf();
        let amount = room.len().min(bytes.len());
        room[..amount].copy_from_slice(&bytes[..amount]);
        buffers.input_appended(amount);
        amount
    }

    #[test]
    fn bytes_come_out_in_the_order_they_went_in() {
        let mut buffers = GrowingBuffers::new(4096, 16);
        receive(&mut buffers, b"abcdef");
        assert!(!buffers.can_use_input(), "nothing was consumed yet");
        buffers.input_consume(2);
        assert!(buffers.can_use_input());
        receive(&mut buffers, b"ghi");
        assert_eq!(buffers.input(), b"cdefghi");
        buffers.input_consume(7);
        assert!(!buffers.can_use_input());
        assert_eq!(buffers.input(), b"");
        assert_eq!(buffers.output().len(), 16);
    }

    #[test]
    fn input_grows_to_its_limit_and_no_further() {
        let mut buffers = GrowingBuffers::new(3000, 16);
        let flood = [7; 10_000];
        let mut taken = 0;
        loop {
            match receive(&mut buffers, &flood) {
                0 => break,
                amount => taken += amount,
            }
        }
        assert_eq!(taken, 3000);
        assert_eq!(buffers.input().len(), 3000);
        buffers.input_consume(1);
        assert_eq!(receive(&mut buffers, &flood), 1);
    }
}
