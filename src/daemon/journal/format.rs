//! Batches as lines of text, and back. `docs/journal.md` shows a file.

use std::fmt;

use serde::Serialize;
use serde::de::DeserializeOwned;

use super::crc::crc32;
use super::tree::records;

/// What a journal begins with; its version follows.
const TITLE: &str = "healthchecker journal ";
/// The version that we write. It rises when an older daemon could not make sense of the file.
const VERSION: u32 = 1;

/// What the first line of a file says.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Header {
    /// A version that we read.
    Known,
    /// A version of a later daemon.
    Newer(u32),
    /// Nothing: it is no header, or a damaged one.
    Absent,
}

/// The header line that we write.
pub(super) fn header() -> Vec<u8> {
    header_of(VERSION)
}

fn header_of(version: u32) -> Vec<u8> {
    let title = format!("{TITLE}{version}");
    format!("{title} {:08x}\n", crc32(title.as_bytes())).into_bytes()
}

/// Reads a header line. Its checksum keeps a damaged one from passing for a newer one.
pub(super) fn read_header(line: &[u8]) -> Header {
    let version = str::from_utf8(line)
        .ok()
        .and_then(|line| line.strip_prefix(TITLE)?.split(' ').next()?.parse().ok())
        .filter(|version| line == header_of(*version));
    match version {
        Some(1..=VERSION) => Header::Known,
        Some(VERSION..) => Header::Newer(version.unwrap_or(VERSION)),
        _ => Header::Absent,
    }
}

/// Writes one batch as a line.
///
/// # Errors
/// When a record has no form in JSON, which is a fault of its type.
pub(super) fn write_line<R: Serialize>(
    batch: &[R],
    lines: &mut Vec<u8>,
) -> Result<(), serde_json::Error> {
    let json = serde_json::to_vec(batch)?;
    lines.extend_from_slice(format!("{:08x} ", crc32(&json)).as_bytes());
    lines.extend_from_slice(&json);
    lines.push(b'\n');
    Ok(())
}

/// The line before and after what a new file begins with: an empty batch, which means nothing to an
/// older daemon. Nothing else writes one.
pub(super) fn mark() -> Vec<u8> {
    b"0d4cbb29 []\n".to_vec()
}

/// Why a line is no batch.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum BadLine {
    /// It is not as it was written.
    Damaged,
    /// It is, but it does not hold what we expect: another version wrote it.
    Unknown(String),
}

/// Reads a line with its line feed. The checksum is compared letter by letter, so that no bit of
/// the line can change unseen.
pub(super) fn read_line<R: DeserializeOwned>(line: &[u8]) -> Result<Vec<R>, BadLine> {
    let json = whole(line).ok_or(BadLine::Damaged)?;
    let unknown = |why: &dyn fmt::Display| BadLine::Unknown(why.to_string());
    let json = str::from_utf8(json).map_err(|why| unknown(&why))?;
    records(json).map_err(|why| unknown(&why))
}

fn whole(line: &[u8]) -> Option<&[u8]> {
    let (checksum, json) = line.strip_suffix(b"\n")?.split_at_checked(8)?;
    let json = json.strip_prefix(b" ")?;
    (format!("{:08x}", crc32(json)).as_bytes() == checksum).then_some(json)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(batch: &[impl Serialize]) -> Vec<u8> {
        let mut lines = Vec::new();
        write_line(batch, &mut lines).unwrap();
        lines
    }

    #[test]
    fn a_line_is_a_checksum_and_json() {
        assert_eq!(line(&["a", "b\n"]), b"5b8a260c [\"a\",\"b\\n\"]\n");
        assert_eq!(header(), b"healthchecker journal 1 5e50a4e5\n");
        assert_eq!(line(&[] as &[u8]), mark());
    }

    #[test]
    fn a_newer_version_is_known_as_such_and_a_damaged_one_is_not() {
        assert_eq!(read_header(&header_of(1)), Header::Known);
        assert_eq!(read_header(&header_of(2)), Header::Newer(2));
        assert_eq!(read_header(&header_of(0)), Header::Absent);
        assert_eq!(read_header(b"healthchecker journal 3 5e50a4e5\n"), Header::Absent);
        assert_eq!(read_header(b"healthchecker journal 1 5e50a4e5"), Header::Absent);
        assert_eq!(read_header(b""), Header::Absent);
    }

    #[test]
    fn what_another_version_wrote_is_told_from_damage() {
        assert!(matches!(read_line::<u8>(&line(&["word"])), Err(BadLine::Unknown(_))));
    }

    proptest! {
        #[test]
        fn any_batch_comes_back(batch: Vec<(String, i64)>) {
            let line = line(&batch);
            prop_assert_eq!(line.iter().filter(|byte| **byte == b'\n').count(), 1);
            prop_assert_eq!(read_line(&line), Ok(batch));
        }

        #[test]
        fn no_changed_byte_goes_unseen(batch: Vec<String>, at: prop::sample::Index, mask in 1..=u8::MAX) {
            let mut line = line(&batch);
            let at = at.index(line.len());
            line[at] ^= mask;
            prop_assert_eq!(read_line::<String>(&line), Err(BadLine::Damaged));
        }

        #[test]
        fn nothing_makes_it_panic(line: Vec<u8>) {
            prop_assert_eq!(read_line::<String>(&line), Err(BadLine::Damaged));
            prop_assert_eq!(read_header(&line), Header::Absent);
        }
    }
}
