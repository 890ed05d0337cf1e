//! A file of the tz database (RFC 9636): what a zone did to its clocks, and a rule for what follows.

use super::posix::Rule;
use super::{Change, Rules, ZoneError, is_offset};

/// How much there is of each part.
struct Header {
    /// 0 for the first version.
    version: u8,
    utc_marks: usize,
    standard_marks: usize,
    leaps: usize,
    changes: usize,
    kinds: usize,
    letters: usize,
}

pub(super) fn read(file: &[u8]) -> Result<Rules, ZoneError> {
    let mut rest = Rest(file);
    let first = rest.header().ok_or(ZoneError::NoZone)?;
    if first.version == 0 {
        return rest.block(&first, 4, |time| {
            time.try_into().map(|time| i64::from(i32::from_be_bytes(time))).ok()
        });
    }
    // A block with times of 32 bits is there for older readers.
    rest.take(first.length(4)).ok_or(ZoneError::Damaged)?;
    let second = rest.header().ok_or(ZoneError::Damaged)?;
    let rules = rest.block(&second, 8, |time| time.try_into().map(i64::from_be_bytes).ok())?;
    let after = rest.footer().ok_or(ZoneError::Damaged)?;
    Ok(Rules { after, ..rules })
}

impl Header {
    /// The bytes of what follows, with times of so many bytes.
    fn length(&self, time: usize) -> usize {
        let parts = [
            (self.changes, time + 1),
            (self.kinds, 6),
            (self.letters, 1),
            (self.leaps, time + 4),
            (self.standard_marks, 1),
            (self.utc_marks, 1),
        ];
        parts.iter().fold(0, |all, (count, size)| all.saturating_add(count.saturating_mul(*size)))
    }
}

/// What is not read yet.
struct Rest<'a>(&'a [u8]);

impl<'a> Rest<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn count(&mut self) -> Option<usize> {
        let count = self.take(4)?.try_into().ok()?;
        usize::try_from(u32::from_be_bytes(count)).ok()
    }

    fn header(&mut self) -> Option<Header> {
        let [b'T', b'Z', b'i', b'f', version] = *self.take(5)? else { return None };
        self.take(15)?;
        Some(Header {
            version,
            utc_marks: self.count()?,
            standard_marks: self.count()?,
            leaps: self.count()?,
            changes: self.count()?,
            kinds: self.count()?,
            letters: self.count()?,
        })
    }

    /// What a header announces, with times of `size` bytes.
    fn block(
        &mut self,
        header: &Header,
        size: usize,
        time: fn(&[u8]) -> Option<i64>,
    ) -> Result<Rules, ZoneError> {
        let mut block = Rest(self.take(header.length(size)).ok_or(ZoneError::Damaged)?);
        if header.leaps > 0 {
            return Err(ZoneError::LeapSeconds);
        }
        block.rules(header, size, time).ok_or(ZoneError::Damaged)
    }

    fn rules(
        &mut self,
        header: &Header,
        size: usize,
        time: fn(&[u8]) -> Option<i64>,
    ) -> Option<Rules> {
        let times = self.take(header.changes.checked_mul(size)?)?.chunks_exact(size);
        let kinds_of = self.take(header.changes)?;
        let offsets = self.take(header.kinds.checked_mul(6)?)?.chunks_exact(6).map(offset);
        let offsets: Vec<i32> = offsets.collect::<Option<_>>()?;
        let changes: Option<Vec<Change>> = times
            .zip(kinds_of)
            .map(|(at, kind)| {
                Some(Change { at: time(at)?, offset: *offsets.get(usize::from(*kind))? })
            })
            .collect();
        let changes = changes.filter(|changes| changes.is_sorted_by_key(|change| change.at))?;
        Some(Rules { before: *offsets.first()?, changes, after: None })
    }

    /// The rule at the end, between two line feeds. There may be none.
    fn footer(&mut self) -> Option<Option<Rule>> {
        let line = self.0.strip_prefix(b"\n")?;
        let end = line.iter().position(|byte| *byte == b'\n')?;
        match std::str::from_utf8(line.get(..end)?).ok()? {
            "" => Some(None),
            rule => Rule::read(rule).map(Some),
        }
    }
}

/// The offset of one kind of local time. It may be daylight saving, and has a name: nobody is told.
fn offset(kind: &[u8]) -> Option<i32> {
    let (offset, _) = kind.split_first_chunk()?;
    Some(i32::from_be_bytes(*offset)).filter(|offset| is_offset(*offset))
}

#[cfg(test)]
mod tests {
    use super::super::Zone;
    use super::*;
    use crate::engine::time::Wall;

    /// A file: its version, changes, offsets, leap seconds and rule.
    fn file(
        version: u8,
        changes: &[(i64, u8)],
        offsets: &[i32],
        leaps: u32,
        rule: &str,
    ) -> Vec<u8> {
        let mut all = Vec::new();
        let wide = version != 0;
        if wide {
            all.extend(block(version, &[], &[0], 0, false));
        }
        all.extend(block(version, changes, offsets, leaps, wide));
        if wide {
            all.extend(format!("\n{rule}\n").bytes());
        }
        all
    }

    fn block(
        version: u8,
        changes: &[(i64, u8)],
        offsets: &[i32],
        leaps: u32,
        wide: bool,
    ) -> Vec<u8> {
        let mut block = [b"TZif", [version].as_slice(), &[0; 15]].concat();
        let count = |n: usize| u32::try_from(n).unwrap();
        for n in [0, 0, leaps, count(changes.len()), count(offsets.len()), 4] {
            block.extend(n.to_be_bytes());
        }
        let time = |time: i64| match wide {
            true => time.to_be_bytes().to_vec(),
            false => i32::try_from(time).unwrap().to_be_bytes().to_vec(),
        };
        changes.iter().for_each(|(at, _)| block.extend(time(*at)));
        block.extend(changes.iter().map(|(_, kind)| *kind));
        for offset in offsets {
            block.extend(offset.to_be_bytes());
            block.extend([0, 0]);
        }
        block.extend(b"CET\0");
        (0..leaps).for_each(|n| block.extend([time(i64::from(n)), vec![0; 4]].concat()));
        block
    }

    fn ahead(zone: &Zone, seconds: i64) -> i32 {
        zone.seconds_ahead(Wall::from_unix_millis(seconds * 1000))
    }

    #[test]
    fn each_version_is_read() {
        let (changes, offsets) = ([(100, 1), (200, 0)], [-3600, 7200]);
        for version in [0, b'2', b'4'] {
            let zone = Zone::from_tzif(&file(version, &changes, &offsets, 0, "")).unwrap();
            let at = [-5, 99, 100, 199, 200, 1 << 33].map(|second| ahead(&zone, second));
            assert_eq!(at, [-3600, -3600, 7200, 7200, -3600, -3600], "{version}");
        }
        let ruled = Zone::from_tzif(&file(b'2', &changes, &offsets, 0, "AAA-5")).unwrap();
        assert_eq!([199, 200].map(|second| ahead(&ruled, second)), [7200, 18_000]);
        assert_eq!(Zone::from_tzif(&file(b'2', &[], &[0], 0, "UTC0")), Ok(Zone::UTC));
    }

    #[test]
    fn what_cannot_be_used_is_refused_and_says_why() {
        let good = file(b'2', &[(100, 1), (200, 0)], &[0, 3600], 0, "CET-1");
        assert!(Zone::from_tzif(&good).is_ok());
        for end in 0..good.len() {
            assert!(Zone::from_tzif(&good[..end]).is_err(), "cut at {end}");
        }
        assert_eq!(Zone::from_tzif(b"#!/bin/sh and so on and on"), Err(ZoneError::NoZone));
        let leaps = file(b'2', &[], &[0], 3, "UTC0");
        assert_eq!(Zone::from_tzif(&leaps), Err(ZoneError::LeapSeconds));
        for damaged in [
            file(b'2', &[(100, 2)], &[0, 3600], 0, ""),
            file(b'2', &[(100, 0), (99, 0)], &[0], 0, ""),
            file(b'2', &[], &[], 0, ""),
            file(b'2', &[], &[i32::MIN], 0, ""),
            file(b'2', &[], &[0], 0, "CET"),
        ] {
            assert_eq!(Zone::from_tzif(&damaged), Err(ZoneError::Damaged));
        }
    }

    proptest::proptest! {
        #[test]
        fn no_file_does_harm(bytes in proptest::collection::vec(0u8.., 0..200), at in 0..120usize) {
            let mut file = file(b'2', &[(100, 1)], &[0, 3600], 0, "CET-1CEST,M3.5.0,M10.5.0/3");
            for (byte, new) in file.iter_mut().skip(at).zip(&bytes) {
                *byte = *new;
            }
            for file in [&file, &bytes] {
                if let Ok(zone) = Zone::from_tzif(file) {
                    zone.seconds_ahead(Wall::from_unix_millis(i64::MAX));
                }
            }
        }
    }
}
