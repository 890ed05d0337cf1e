//! Lines on their way to a reader that may be slow, or not there.
//!
//! Whoever logs puts a whole line in and goes on; one thread takes them out and writes. So it is that
//! thread alone that a stuck reader holds up.

use std::io::{self, ErrorKind, Write};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use log::Level;

use super::line::{Style, line};

/// So many bytes wait at most: some 600 lines, more than a household of 100 apps says in a day of
/// power cuts, and little beside 3 MiB.
const WAITING_MAX: usize = 64 * 1024;
/// The thread formats a line and calls the system.
const STACK: usize = 64 * 1024;
/// Until the next try where the reader shares a standard error that does not wait (`O_NONBLOCK`).
const AGAIN_AFTER: Duration = Duration::from_millis(100);

/// The lines that wait, and how many found no room.
#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    /// There is something to write.
    filled: Condvar,
    /// Everything is written.
    written: Condvar,
}

#[derive(Default)]
struct State {
    waiting: Portion,
    /// The thread has taken lines, and has not come back for more.
    is_writing: bool,
}

/// Whole lines, and how many more were lost after them.
#[derive(Default)]
pub(super) struct Portion {
    pub(super) lines: Vec<u8>,
    pub(super) lost: u64,
}

impl Portion {
    fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.lost == 0
    }
}

impl Queue {
    /// Puts a line in; never waits. Once one was lost, all are until the loss has its place among
    /// what is written.
    pub(super) fn push(&self, line: &[u8]) {
        let mut state = self.lock();
        let waiting = &mut state.waiting;
        if waiting.lost > 0 || waiting.lines.len() + line.len() > WAITING_MAX {
            waiting.lost += 1;
        } else {
            waiting.lines.extend_from_slice(line);
        }
        drop(state);
        self.filled.notify_one();
    }

    /// Takes all that waits, once there is something.
    pub(super) fn take(&self) -> Portion {
        let mut state = self.lock();
        state.is_writing = false;
        while state.waiting.is_empty() {
            self.written.notify_all();
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_writing = true;
        std::mem::take(&mut state.waiting)
    }

    /// Waits until everything is written, for so long at most.
    pub(super) fn drain(&self, most: Duration) {
        let until = Instant::now() + most;
        let mut state = self.lock();
        while state.is_writing || !state.waiting.is_empty() {
            let left = until.saturating_duration_since(Instant::now());
            if left.is_zero() {
                return;
            }
            let woken = self.written.wait_timeout(state, left);
            state = woken.unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// No code of others runs under the lock, so nothing is left half done by a panic.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Starts the thread that writes. It ends with the process.
///
/// # Errors
/// The system has no thread for us.
pub(super) fn start(
    queue: Arc<Queue>,
    style: Style,
    to: impl Write + Send + 'static,
) -> io::Result<()> {
    let mut writer = Writer { style, to, lost: 0, is_mid_line: false };
    let work = move || {
        loop {
            writer.write(queue.take());
        }
    };
    thread::Builder::new().name("log".to_owned()).stack_size(STACK).spawn(work).map(drop)
}

/// Writes, and says what was lost as soon as something goes through.
struct Writer<W> {
    style: Style,
    to: W,
    /// Lines that could not be written (a full disk, a closed pipe).
    lost: u64,
    /// The last attempt ended within a line.
    is_mid_line: bool,
}

impl<W: Write> Writer<W> {
    fn write(&mut self, portion: Portion) {
        if self.lost > 0 && !self.say_loss() {
            self.lost += count_lines(&portion.lines) + portion.lost;
            return;
        }
        let unwritten = self.put(&portion.lines);
        self.lost = count_lines(unwritten) + portion.lost;
        if self.lost > 0 && unwritten.is_empty() {
            self.say_loss();
        }
    }

    /// Whether it could be said.
    fn say_loss(&mut self) -> bool {
        let lines = if self.lost == 1 { "line" } else { "lines" };
        let lost = self.lost;
        let text = format!("{lost} {lines} of the log lost here: nobody took them in time");
        let mut said = if self.is_mid_line { b"\n".to_vec() } else { Vec::new() };
        said.extend(line(&self.style, Level::Warn, &text));
        let is_said = self.put(&said).is_empty();
        if is_said {
            self.lost = 0;
        }
        is_said
    }

    /// Writes, and returns what could not be written.
    fn put<'a>(&mut self, lines: &'a [u8]) -> &'a [u8] {
        let (written, rest) = lines.split_at(write_all(&mut self.to, lines));
        if let Some(last) = written.last() {
            self.is_mid_line = *last != b'\n';
        }
        rest
    }
}

fn count_lines(lines: &[u8]) -> u64 {
    lines.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Writes as much as can be written, and says how much it was.
fn write_all(to: &mut impl Write, bytes: &[u8]) -> usize {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match to.write(rest) {
            Ok(0) => break,
            Ok(count) => written += count,
            Err(why) => match why.kind() {
                ErrorKind::Interrupted => {}
                ErrorKind::WouldBlock => thread::sleep(AGAIN_AFTER),
                _ => break,
            },
        }
    }
    written
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc;

    use super::*;

    /// A disk with room for so many bytes.
    struct Disk {
        room: usize,
        paper: Vec<u8>,
    }

    impl Write for Disk {
        fn write(&mut self, part: &[u8]) -> io::Result<usize> {
            let taken = part.len().min(self.room);
            if taken == 0 {
                return Err(ErrorKind::StorageFull.into());
            }
            self.room -= taken;
            self.paper.extend_from_slice(&part[..taken]);
            Ok(taken)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    fn writer(room: usize) -> Writer<Disk> {
        let to = Disk { room, paper: Vec::new() };
        Writer { style: Style::Journal, to, lost: 0, is_mid_line: false }
    }

    fn portion(lines: &str, lost: u64) -> Portion {
        Portion { lines: lines.as_bytes().to_vec(), lost }
    }

    fn written(writer: &Writer<Disk>) -> &str {
        str::from_utf8(&writer.to.paper).unwrap()
    }

    const LOST_TWO: &str = "<4>2 lines of the log lost here: nobody took them in time\n";

    #[test]
    fn what_found_no_room_is_counted_and_said_where_it_is_missing() {
        let queue = Queue::default();
        let long = [b"x".repeat(WAITING_MAX / 2 - 1), b"\n".to_vec()].concat();
        (0..3).for_each(|_| queue.push(&long));
        queue.push(b"short\n");
        let taken = queue.take();
        assert_eq!((taken.lines.len(), taken.lost), (WAITING_MAX, 2));
        queue.push(b"later\n");
        assert_eq!(queue.take().lines, b"later\n");

        let mut writer = writer(usize::MAX);
        writer.write(portion("a\n", 2));
        writer.write(portion("b\n", 0));
        assert_eq!(written(&writer), format!("a\n{LOST_TWO}b\n"));
    }

    #[test]
    fn a_full_disk_loses_lines_and_says_so_once_there_is_room() {
        let mut writer = writer(3);
        writer.write(portion("a\nb\n", 0));
        writer.write(portion("c\n", 0));
        assert_eq!((written(&writer), writer.lost), ("a\nb", 2));
        writer.to.room = usize::MAX;
        writer.write(portion("d\n", 0));
        assert_eq!(written(&writer), format!("a\nb\n{LOST_TWO}d\n"));
        assert_eq!(writer.lost, 0);
    }

    /// A pipe that nobody reads until it is told to.
    struct Stuck(mpsc::Receiver<()>, mpsc::Sender<Vec<u8>>);

    impl Write for Stuck {
        fn write(&mut self, part: &[u8]) -> io::Result<usize> {
            let _ = self.0.recv();
            let _ = self.1.send(part.to_vec());
            Ok(part.len())
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn a_reader_that_does_not_read_holds_up_nobody_and_the_end_only_for_a_moment() {
        let (reads, reader) = mpsc::channel();
        let (paper, read) = mpsc::channel();
        let queue = Arc::new(Queue::default());
        start(Arc::clone(&queue), Style::Journal, Stuck(reader, paper)).unwrap();
        (0..2 * WAITING_MAX).for_each(|_| queue.push(b"a\n"));
        queue.drain(Duration::from_millis(10));
        drop(reads);
        queue.drain(Duration::from_secs(10));
        let all = read.try_iter().collect::<Vec<_>>().concat();
        let all = String::from_utf8(all).unwrap();
        let (lines, losses): (Vec<&str>, Vec<&str>) = all.lines().partition(|line| *line == "a");
        let [loss] = losses.as_slice() else { panic!("{losses:?}") };
        let lost: usize = loss[3..].split(' ').next().unwrap().parse().unwrap();
        assert_eq!(lines.len() + lost, 2 * WAITING_MAX);
    }

    #[test]
    fn a_reader_that_does_not_wait_is_tried_again() {
        struct Later(bool);
        impl Write for Later {
            fn write(&mut self, part: &[u8]) -> io::Result<usize> {
                if std::mem::replace(&mut self.0, true) {
                    return Ok(part.len());
                }
                Err(ErrorKind::WouldBlock.into())
            }

            fn flush(&mut self) -> io::Result<()> {
                Ok(())
            }
        }
        assert_eq!(write_all(&mut Later(false), b"line\n"), 5);
    }
}
