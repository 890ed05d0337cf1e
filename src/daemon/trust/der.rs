//! The few things in a certificate that the TLS library keeps to itself: its dates, and its common
//! name (X.509, RFC 5280, in DER).

use std::ops::Range;

use time::{Date, Month};

const SEQUENCE: u8 = 0x30;
const SET: u8 = 0x31;
const VERSION: u8 = 0xA0;
const OBJECT: u8 = 0x06;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
const COMMON_NAME: [u8; 3] = [0x55, 0x04, 0x03];

/// What a certificate says of itself.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Facts {
    /// When it is valid, in seconds since 1970.
    pub(super) valid: Range<u64>,
    /// Whose it is, as people wrote it before there were alternative names.
    pub(super) common_name: Option<String>,
}

/// Reads a certificate; `None` when it is none.
pub(super) fn read(certificate: &[u8]) -> Option<Facts> {
    let mut rest = certificate;
    let mut outer = of(&mut rest, SEQUENCE)?;
    let mut inner = of(&mut outer, SEQUENCE)?;
    if inner.first() == Some(&VERSION) {
        of(&mut inner, VERSION)?;
    }
    let (_serial, _algorithm, _issuer) = (any(&mut inner)?, any(&mut inner)?, any(&mut inner)?);
    let mut validity = of(&mut inner, SEQUENCE)?;
    let (from, until) = (instant(&mut validity)?, instant(&mut validity)?);
    let subject = of(&mut inner, SEQUENCE)?;
    // The last second belongs to it.
    Some(Facts { valid: from..until.saturating_add(1), common_name: common_name(subject) })
}

/// The last common name in a name.
fn common_name(mut name: &[u8]) -> Option<String> {
    let mut found = None;
    while !name.is_empty() {
        let mut set = of(&mut name, SET)?;
        while !set.is_empty() {
            let mut pair = of(&mut set, SEQUENCE)?;
            if of(&mut pair, OBJECT)? == COMMON_NAME {
                found = std::str::from_utf8(any(&mut pair)?.1).ok();
            }
        }
    }
    found.map(str::to_owned)
}

fn instant(input: &mut &[u8]) -> Option<u64> {
    let (tag, text) = any(input)?;
    let text = std::str::from_utf8(text).ok()?.strip_suffix('Z')?;
    let (year, rest) = match tag {
        // Two digits are of 1950 to 2049 (RFC 5280, section 4.1.2.5.1).
        UTC_TIME => {
            let (year, rest) = text.split_at_checked(2)?;
            let year: i32 = year.parse().ok()?;
            (if year < 50 { 2000 + year } else { 1900 + year }, rest)
        }
        GENERALIZED_TIME => {
            let (year, rest) = text.split_at_checked(4)?;
            (year.parse().ok()?, rest)
        }
        _ => return None,
    };
    let part = |at: usize| rest.get(at..at + 2)?.parse::<u8>().ok();
    let month = Month::try_from(part(0)?).ok()?;
    let day = Date::from_calendar_date(year, month, part(2)?).ok()?;
    let moment = day.with_hms(part(4)?, part(6)?, part(8)?).ok()?.assume_utc();
    Some(u64::try_from(moment.unix_timestamp()).unwrap_or(0))
}

/// The next element, which must have this tag.
fn of<'a>(input: &mut &'a [u8], wanted: u8) -> Option<&'a [u8]> {
    any(input).filter(|(tag, _)| *tag == wanted).map(|(_, content)| content)
}

/// The next element: its tag and its content.
fn any<'a>(input: &mut &'a [u8]) -> Option<(u8, &'a [u8])> {
    let (&[tag, first], mut rest) = input.split_first_chunk::<2>()?;
    let mut length = usize::from(first);
    if first & 0x80 != 0 {
        let digits = usize::from(first & 0x7F);
        // No certificate has 16 MiB.
        if digits > 3 {
            return None;
        }
        let (bytes, after) = rest.split_at_checked(digits)?;
        length = bytes.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        rest = after;
    }
    let (content, after) = rest.split_at_checked(length)?;
    *input = after;
    Some((tag, content))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[u8] = include_bytes!("../../../tests/tls/good.der");
    const FUTURE: &[u8] = include_bytes!("../../../tests/tls/future.der");
    const PAST: &[u8] = include_bytes!("../../../tests/tls/past.der");

    /// 2026-11-26, in seconds since 1970.
    const NOW: u64 = 1_795_651_200;

    #[test]
    fn the_dates_of_certificates_are_read() {
        assert!(read(GOOD).unwrap().valid.contains(&NOW));
        assert!(read(PAST).unwrap().valid.end < NOW);
        assert!(read(FUTURE).unwrap().valid.start > NOW);
    }

    #[test]
    fn both_ways_to_write_a_time_are_read() {
        let time = |tag: u8, text: &str| {
            let mut bytes = vec![tag, u8::try_from(text.len()).unwrap()];
            bytes.extend(text.bytes());
            instant(&mut bytes.as_slice())
        };
        assert_eq!(time(UTC_TIME, "700101000001Z"), Some(1));
        assert_eq!(time(UTC_TIME, "491231235959Z"), Some(2_524_607_999));
        assert_eq!(time(UTC_TIME, "500101000000Z"), Some(0), "before 1970");
        assert_eq!(time(GENERALIZED_TIME, "20380119031408Z"), Some(1 << 31));
        for bad in ["", "Z", "991301000000Z", "9902300000Z", "99010100000\u{e9}Z"] {
            assert_eq!(time(UTC_TIME, bad), None, "{bad}");
        }
    }

    #[test]
    fn whatever_is_no_certificate_is_none() {
        assert_eq!(read(b""), None);
        assert_eq!(read(b"\x30\x84\xff\xff\xff\xff"), None);
        for cut in 0..GOOD.len() {
            assert_eq!(read(&GOOD[..cut]), None, "{cut}");
        }
        // Changed anywhere, it may be read or not; it must not panic.
        for at in 0..GOOD.len() {
            for value in [0, 0x7F, 0x80, 0xFF] {
                let mut changed = GOOD.to_vec();
                changed[at] = value;
                let _ = read(&changed);
            }
        }
    }
}
