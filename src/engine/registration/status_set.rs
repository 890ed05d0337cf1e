//! Which HTTP status codes count as an answer: `200`, `200-299,401`.

use std::fmt;
use std::ops::RangeInclusive;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

/// The codes that can end a request. 1xx are interim and never final (RFC 9110, section 15.2).
pub const FINAL_CODES: RangeInclusive<u16> = 200..=599;
/// The longest text: every second code by itself would be longer, and nobody means that.
const TEXT_MAX: usize = 256;

/// A set of final status codes, never empty.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StatusSet {
    /// Sorted, apart from each other by at least one code.
    ranges: Vec<(u16, u16)>,
}

impl StatusSet {
    /// Whether `code` counts as an answer.
    pub fn contains(&self, code: u16) -> bool {
        self.ranges.iter().any(|&(first, last)| (first..=last).contains(&code))
    }

    fn from_ranges(mut given: Vec<(u16, u16)>) -> StatusSet {
        given.sort_unstable();
        let mut ranges: Vec<(u16, u16)> = Vec::with_capacity(given.len());
        for (first, last) in given {
            match ranges.last_mut() {
                Some(before) if first <= before.1.saturating_add(1) => {
                    before.1 = before.1.max(last);
                }
                _ => ranges.push((first, last)),
            }
        }
        StatusSet { ranges }
    }
}

/// Only 200, as the protocol's users expect.
impl Default for StatusSet {
    fn default() -> StatusSet {
        StatusSet { ranges: vec![(200, 200)] }
    }
}

/// A text that is no set of status codes; says what would be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NotStatusCodes;

impl fmt::Display for NotStatusCodes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "status codes from {} to {} or ranges of them, with commas between, such as 200-299,401",
            FINAL_CODES.start(),
            FINAL_CODES.end()
        )
    }
}

impl FromStr for StatusSet {
    type Err = NotStatusCodes;

    fn from_str(text: &str) -> Result<StatusSet, NotStatusCodes> {
        if text.len() > TEXT_MAX {
            return Err(NotStatusCodes);
        }
        let ranges: Result<Vec<_>, _> = text.split(',').map(range).collect();
        ranges.map(StatusSet::from_ranges)
    }
}

fn range(text: &str) -> Result<(u16, u16), NotStatusCodes> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (code(first)?, code(last)?);
    if first > last {
        return Err(NotStatusCodes);
    }
    Ok((first, last))
}

fn code(text: &str) -> Result<u16, NotStatusCodes> {
    let text = text.trim();
    // `parse` alone would take `+200`.
    if !text.bytes().all(|b| b.is_ascii_digit()) {
        return Err(NotStatusCodes);
    }
    let code = text.parse().map_err(|_| NotStatusCodes)?;
    if FINAL_CODES.contains(&code) { Ok(code) } else { Err(NotStatusCodes) }
}

/// The shortest text that reads back as the same set.
impl fmt::Display for StatusSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, (first, last)) in self.ranges.iter().enumerate() {
            if index > 0 {
                f.write_str(",")?;
            }
            if first == last {
                write!(f, "{first}")?;
            } else {
                write!(f, "{first}-{last}")?;
            }
        }
        Ok(())
    }
}

impl From<StatusSet> for String {
    fn from(set: StatusSet) -> String {
        set.to_string()
    }
}

impl TryFrom<String> for StatusSet {
    type Error = NotStatusCodes;

    fn try_from(text: String) -> Result<StatusSet, NotStatusCodes> {
        text.parse()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn ranges_are_read_merged_and_written_in_order() {
        for (text, canonical) in [
            ("200", "200"),
            ("200-299,401", "200-299,401"),
            (" 401 , 200 - 204,205,203-210", "200-210,401"),
            ("200-599", "200-599"),
        ] {
            assert_eq!(text.parse::<StatusSet>().unwrap().to_string(), canonical);
        }
    }

    #[test]
    fn nonsense_is_refused() {
        for text in ["", ",", "200,", "199", "600", "299-200", "2xx", "+200", "-200", "200--201"] {
            assert_eq!(text.parse::<StatusSet>(), Err(NotStatusCodes), "{text}");
        }
        let right = NotStatusCodes.to_string();
        assert!(right.starts_with("status codes from 200 to 599 or ranges of them"), "{right}");
    }

    #[test]
    fn the_default_is_200_alone() {
        assert!(StatusSet::default().contains(200));
        assert!(!StatusSet::default().contains(204));
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused_and_what_is_read_survives_its_own_text(text in "[0-9,\\- ]{0,20}") {
            if let Ok(set) = text.parse::<StatusSet>() {
                prop_assert_eq!(set.to_string().parse::<StatusSet>(), Ok(set));
            }
        }

        #[test]
        fn membership_is_that_of_the_ranges(a in 200u16..600, b in 200u16..600, c in 200u16..600) {
            let (low, high) = (a.min(b), a.max(b));
            let set: StatusSet = format!("{c},{low}-{high}").parse().unwrap();
            for code in FINAL_CODES {
                prop_assert_eq!(set.contains(code), code == c || (low..=high).contains(&code));
            }
        }
    }
}
