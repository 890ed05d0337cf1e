//! Sorts what is in a journal into good, torn, damaged and unknown.

use serde::de::DeserializeOwned;

use super::format::{self, BadLine, Header};

/// A journal of a later daemon, which must not be touched.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Newer {
    /// The version of its format.
    pub version: u32,
}

/// What a journal holds.
#[derive(Debug)]
pub struct Scan<'a, R> {
    /// The good batches, in order.
    pub batches: Vec<Vec<R>>,
    /// Their lines.
    pub good: Vec<&'a [u8]>,
    /// The first line is no header (or there is none).
    pub headless: bool,
    /// The bytes of a last line that a crash cut short: it has no line feed. (One that has was once
    /// whole, and may have been acknowledged: that is damage.)
    pub torn: usize,
    /// It ends within what it was begun with, which was on the disk before the file had its name: no
    /// crash does that. (The first line is a mark, and there is no other.)
    pub cut: bool,
    /// Lines that are not as they were written.
    pub damaged: Lines,
    /// Lines that another version wrote.
    pub unknown: Lines,
    /// What is odd about the first of those.
    pub oddity: String,
}

/// Lines that are no use.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Lines {
    /// How many.
    pub count: usize,
    /// The bytes in them.
    pub bytes: usize,
    /// The number of the first, from 1.
    pub first: usize,
}

impl Lines {
    fn add(&mut self, number: usize, line: &[u8]) {
        if self.count == 0 {
            self.first = number;
        }
        self.count += 1;
        self.bytes += line.len();
    }
}

/// Sorts the content of a journal, whatever it is.
///
/// # Errors
/// A later daemon wrote it.
pub fn scan<R: DeserializeOwned>(bytes: &[u8]) -> Result<Scan<'_, R>, Newer> {
    let mut scan = Scan {
        batches: Vec::new(),
        good: Vec::new(),
        headless: true,
        torn: 0,
        cut: false,
        damaged: Lines::default(),
        unknown: Lines::default(),
        oddity: String::new(),
    };
    let mut lines = (1..).zip(bytes.split_inclusive(|byte| *byte == b'\n')).peekable();
    match lines.peek().map_or(Header::Absent, |(_, line)| format::read_header(line)) {
        Header::Newer(version) => return Err(Newer { version }),
        Header::Known => {
            scan.headless = false;
            lines.next();
        }
        Header::Absent => {}
    }
    // A file of an older version has no marks, and nothing to tell the two ends apart by.
    scan.cut = lines.next_if(|(_, line)| *line == format::mark()).is_some();
    for (number, line) in lines {
        match format::read_line(line) {
            Ok(batch) if batch.is_empty() => scan.cut = false,
            Ok(batch) => {
                scan.batches.push(batch);
                scan.good.push(line);
            }
            Err(BadLine::Damaged) if !line.ends_with(b"\n") => {
                scan.torn = line.len();
            }
            Err(BadLine::Damaged) => scan.damaged.add(number, line),
            Err(BadLine::Unknown(oddity)) => {
                if scan.unknown.count == 0 {
                    scan.oddity = oddity;
                }
                scan.unknown.add(number, line);
            }
        }
    }
    Ok(scan)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn journal(batches: &[&[u8]]) -> Vec<u8> {
        let mut bytes = format::header();
        for batch in batches {
            format::write_line(batch, &mut bytes).unwrap();
        }
        bytes
    }

    #[test]
    fn a_whole_journal_is_all_good() {
        let bytes = journal(&[&[1], &[2, 3]]);
        let scan = scan::<u8>(&bytes).unwrap();
        assert_eq!(scan.batches, [vec![1], vec![2, 3]]);
        assert_eq!((scan.headless, scan.torn, scan.damaged.count), (false, 0, 0));
    }

    #[test]
    fn a_last_line_without_its_end_is_torn() {
        let whole = journal(&[&[1], &[2, 3]]);
        let cut = scan::<u8>(&whole[..whole.len() - 1]).unwrap();
        assert_eq!((cut.batches, cut.torn, cut.damaged.count), (vec![vec![1]], 14, 0));
    }

    #[test]
    fn what_ends_before_its_snapshot_does_is_cut_wherever_that_is() {
        let [snapshot, appended] = [journal(&[&[1], &[2]]), journal(&[&[3]])].map(|bytes| {
            let lines = bytes.split_inclusive(|byte| *byte == b'\n').skip(1);
            lines.collect::<Vec<_>>().concat()
        });
        let file = [format::header(), format::mark(), snapshot, format::mark(), appended].concat();
        let whole = scan::<u8>(&file).unwrap();
        assert_eq!(
            (whole.batches, whole.cut, whole.torn),
            (vec![vec![1], vec![2], vec![3]], false, 0)
        );
        let begins = format::header().len() + format::mark().len();
        let ends = file.len() - "00000000 [3]\n".len();
        for length in begins..file.len() {
            let scan = scan::<u8>(&file[..length]).unwrap();
            assert_eq!(scan.cut, length < ends, "{length}");
            assert_eq!(scan.damaged.count, 0);
        }
    }

    #[test]
    fn a_whole_last_line_that_changed_is_damage_and_not_torn() {
        let mut bytes = journal(&[&[1], &[2]]);
        let at = bytes.len() - 3;
        bytes[at] = b'7';
        let scan = scan::<u8>(&bytes).unwrap();
        assert_eq!((scan.batches, scan.torn), (vec![vec![1]], 0));
        assert_eq!(scan.damaged, Lines { count: 1, bytes: 13, first: 3 });
    }

    #[test]
    fn without_a_header_every_good_line_counts() {
        let bytes = journal(&[&[1], &[2]]);
        let headless = bytes.split_inclusive(|byte| *byte == b'\n').skip(1).collect::<Vec<_>>();
        let bytes = headless.concat();
        let scan = scan::<u8>(&bytes).unwrap();
        assert!(scan.headless);
        assert_eq!(scan.batches, [vec![1], vec![2]]);
        assert!(super::scan::<u8>(b"").unwrap().headless);
    }

    #[test]
    fn what_another_version_wrote_is_counted_with_its_oddity() {
        let mut bytes = journal(&[&[1]]);
        format::write_line(&["new"], &mut bytes).unwrap();
        format::write_line(&[4u8], &mut bytes).unwrap();
        let scan = scan::<u8>(&bytes).unwrap();
        assert_eq!(scan.batches, [vec![1], vec![4]]);
        assert_eq!((scan.unknown.count, scan.unknown.first), (1, 3));
        assert!(scan.oddity.contains("invalid type: string"), "{}", scan.oddity);
    }
}
