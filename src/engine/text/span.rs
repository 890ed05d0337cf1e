//! Spans of time in words, for people.

use std::fmt;
use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// `45 s`, `12 min`, `3 h 5 min`, `2 days`, `1 day 4 h`: two units at most, rounded down.
///
/// From a week on only days are told: nobody counts the hours by then.
pub fn in_words(span: Duration) -> String {
    let secs = span.as_secs();
    match secs {
        0 => "less than 1 s".into(),
        1..MINUTE => format!("{secs} s"),
        MINUTE..HOUR => format!("{} min", secs / MINUTE),
        HOUR..DAY => with_rest(format!("{} h", secs / HOUR), secs % HOUR / MINUTE, "min"),
        _ => {
            let days = secs / DAY;
            let hours = if days < 7 { secs % DAY / HOUR } else { 0 };
            let word = if days == 1 { "day" } else { "days" };
            with_rest(format!("{days} {word}"), hours, "h")
        }
    }
}

/// Reads a span as people write it: `90s`, `10m`, `8h`, `30d`. In seconds; `None`: it is none.
pub fn seconds(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|c: char| !c.is_ascii_digit());
    let unit = match text.get(digits.len()..)?.trim() {
        "s" => 1,
        "m" => MINUTE,
        "h" => HOUR,
        "d" => DAY,
        _ => return None,
    };
    // `parse` alone would take `+5`.
    let digits = Some(digits).filter(|digits| digits.bytes().all(|b| b.is_ascii_digit()));
    Some(digits?.parse::<u64>().ok()?.saturating_mul(unit))
}

/// A span as a number of seconds: `5`, `1.5`, `0.000012`. Not as an `f64`: to write those takes 14 KiB of
/// program.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seconds(pub Duration);

impl fmt::Display for Seconds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (whole, nanos) = (self.0.as_secs(), self.0.subsec_nanos());
        if nanos == 0 {
            return write!(f, "{whole}");
        }
        let places = format!("{nanos:09}");
        write!(f, "{whole}.{}", places.trim_end_matches('0'))
    }
}

fn with_rest(whole: String, rest: u64, unit: &str) -> String {
    match rest {
        0 => whole,
        _ => format!("{whole} {rest} {unit}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_told_in_two_units_at_most() {
        let table = [
            (0, "less than 1 s"),
            (1, "1 s"),
            (59, "59 s"),
            (60, "1 min"),
            (12 * MINUTE + 59, "12 min"),
            (HOUR, "1 h"),
            (3 * HOUR + 5 * MINUTE + 7, "3 h 5 min"),
            (DAY - 1, "23 h 59 min"),
            (DAY, "1 day"),
            (DAY + 4 * HOUR, "1 day 4 h"),
            (2 * DAY + 59 * MINUTE, "2 days"),
            (9 * DAY + 5 * HOUR, "9 days"),
        ];
        for (secs, words) in table {
            assert_eq!(in_words(Duration::from_secs(secs)), words, "{secs} s");
        }
        assert_eq!(in_words(Duration::from_millis(999)), "less than 1 s");
    }

    #[test]
    fn seconds_are_written_to_the_last_place_that_says_something() {
        let table = [(0, 0, "0"), (60, 0, "60"), (1, 500_000_000, "1.5"), (0, 12_000, "0.000012")];
        for (secs, nanos, text) in table {
            assert_eq!(Seconds(Duration::new(secs, nanos)).to_string(), text);
        }
    }
}
