//! Quiet times by the clock on the wall: read and reckoned here anew, not as the engine does.

use crate::house::ahead_of_utc;

/// In ms.
const MINUTE: i64 = 60_000;
const HOUR: i64 = 60 * MINUTE;
const DAY: i64 = 24 * HOUR;
const DAYS: [&str; 7] = ["Mo", "Tu", "We", "Th", "Fr", "Sa", "Su"];

/// From one time of the day to another, on these days of the week.
struct Daily {
    days: [bool; 7],
    /// After midnight; what ends no later than it begins goes over midnight.
    from: i64,
    to: i64,
}

/// When it is quiet by these words between two times, all in ms since 1970.
pub(super) fn spans(words: &str, from: i64, until: i64) -> Vec<(i64, i64)> {
    let mut spans = Vec::new();
    for daily in words.split(',').filter_map(|words| read(words.trim())) {
        for day in from.div_euclid(DAY) - 3..=until.div_euclid(DAY) + 1 {
            // The 1st of January 1970 was a Thursday.
            if !daily.days[(day + 3).rem_euclid(7) as usize] {
                continue;
            }
            let (begins, ends) = (passes(day * DAY + daily.from), passes(day * DAY + daily.to));
            let begins = begins[0];
            let next_day = passes((day + 1) * DAY + daily.to);
            let over_midnight = daily.to <= daily.from;
            let next_day = next_day.into_iter().filter(|_| over_midnight);
            let Some(ends) = ends.into_iter().chain(next_day).find(|end| *end > begins) else {
                // Both are passed over when the clocks go forth.
                continue;
            };
            let span = (begins.max(from), ends.min(until));
            spans.extend(Some(span).filter(|(from, until)| from < until));
        }
    }
    spans
}

/// When the clocks show this local time, once or twice; when they go forth over it, if they never do.
fn passes(local: i64) -> Vec<i64> {
    let shown = [2 * HOUR, HOUR].map(|ahead| (local - ahead, ahead));
    let shown = shown.into_iter().filter(|(at, ahead)| ahead_of_utc(*at) == *ahead);
    let shown: Vec<i64> = shown.map(|(at, _)| at).collect();
    if shown.is_empty() { vec![(local - HOUR).div_euclid(HOUR) * HOUR] } else { shown }
}

fn read(words: &str) -> Option<Daily> {
    let (days, times) = words.rsplit_once(' ').map_or(("", words), |(days, times)| (days, times));
    let (from, to) = times.split_once('-')?;
    let minutes = |time: &str| {
        let (hours, minutes) = time.split_once(':')?;
        Some(hours.parse::<i64>().ok()? * HOUR + minutes.parse::<i64>().ok()? * MINUTE)
    };
    let mut on = [days.is_empty(); 7];
    let place = |day: &str| DAYS.iter().position(|it| *it == day);
    for word in days.split_whitespace() {
        let (first, last) = word.split_once('-').unwrap_or((word, word));
        let (mut day, last) = (place(first)?, place(last)?);
        on[day] = true;
        while day != last {
            day = (day + 1) % 7;
            on[day] = true;
        }
    }
    Some(Daily { days: on, from: minutes(from)?, to: minutes(to)? })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// In hours UTC since the beginning of the 27th of March 2027, a Saturday, or of the 30th of October.
    fn hours(words: &str, from: i64) -> Vec<(f64, f64)> {
        let all = spans(words, from, from + 2 * DAY).into_iter();
        let hours = |at: i64| (at - from) as f64 / HOUR as f64;
        all.map(|(begins, ends)| (hours(begins), hours(ends))).collect()
    }

    #[test]
    fn in_spring_what_is_passed_over_counts_as_shown() {
        let hours = |words| hours(words, 1_806_105_600_000);
        assert_eq!(hours("02:30-04:00"), [(1.5, 3.0), (25.0, 26.0)]);
        assert_eq!(hours("Su 01:30-02:30"), [(24.5, 25.0)]);
        assert_eq!(hours("Su 02:15-02:45"), []);
        assert_eq!(hours("Sa 22:00-06:00"), [(21.0, 28.0)]);
        assert_eq!(hours("Mo-Fr 22:00-06:00"), [(0.0, 5.0)], "of Friday");
        assert_eq!(hours("Sa Su 03:00-04:00, 12:00-12:30").len(), 4);
        assert_eq!(hours("never"), []);
    }

    #[test]
    fn in_autumn_each_comes_once() {
        let hours = |words| hours(words, 1_824_854_400_000);
        assert_eq!(hours("Su 02:30-04:00"), [(24.5, 27.0)]);
        assert_eq!(hours("Su 01:30-02:30"), [(23.5, 24.5)]);
        assert_eq!(hours("Su 02:30-02:15"), [(24.5, 25.25)]);
        assert_eq!(hours("Sa 22:00-02:30"), [(20.0, 24.5)]);
    }
}
