//! Small pictures of the past, as SVG: bars of checks and days, a line of latencies.
//!
//! Cells in a row that are alike are one dashed stroke, so that a quiet past takes few bytes.

use std::fmt::{self, Display};

use super::html::Html;
use crate::engine::registry::history::RecentCheck;
use crate::engine::registry::history::{DAYS, DayOfChecks};
use crate::engine::time::Moment;
use crate::engine::verdict::answer::Outcome;

/// The width of a cell with the gap after it, as in the style sheet's `stroke-dasharray`.
const CELL: usize = 4;
/// Points of a latency line: as many as a phone shows apart.
const POINTS: usize = 48;
/// Height of a latency line.
const HEIGHT: u32 = 24;

/// The last `cells` of `checks` as a bar, newest at the right.
pub(super) fn bar(html: &mut Html, checks: &[RecentCheck], cells: usize) {
    let shown = checks.get(checks.len().saturating_sub(cells)..).unwrap_or_default();
    let count = |outcome| shown.iter().filter(|check| check.outcome == outcome).count();
    let (warned, failed) = (count(Outcome::Warn), count(Outcome::Fail));
    html.raw("<svg class=\"bar\" role=\"img\" viewBox=\"0 0 ").put(cells * CELL - 1);
    html.raw(" 16\" preserveAspectRatio=\"none\" aria-label=\"Last ");
    html.put(shown.len()).raw(" checks: ").put(failed).raw(" failed, ").put(warned);
    html.raw(" warned\">");
    let missing = cells - shown.len();
    stroke(html, "none", &Runs::of((0..missing).map(Some)));
    for (class, outcome) in
        [("pass", Outcome::Pass), ("warn", Outcome::Warn), ("fail", Outcome::Fail)]
    {
        let places = shown.iter().enumerate().map(|(place, check)| (place + missing, check));
        stroke(
            html,
            class,
            &Runs::of(places.map(|(place, check)| (check.outcome == outcome).then_some(place))),
        );
    }
    html.raw("</svg>");
}

/// How a day went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Mark {
    Nothing,
    Good,
    Fair,
    Poor,
}

/// A day below this is poor: three quarters of an hour of failures.
const FAIR: f64 = 0.97;

fn mark(uptime: Option<f64>) -> Mark {
    match uptime {
        None => Mark::Nothing,
        Some(1.0) => Mark::Good,
        Some(share) if share >= FAIR => Mark::Fair,
        Some(_) => Mark::Poor,
    }
}

/// A cell for each of the last 90 days up to `today`, newest at the right.
pub(super) fn days(html: &mut Html, days: &[DayOfChecks], today: u16) {
    let first = today.saturating_sub(DAYS - 1);
    let mut marks = [Mark::Nothing; DAYS as usize];
    for day in days {
        let place = day.day.checked_sub(first).and_then(|n| marks.get_mut(usize::from(n)));
        if let Some(place) = place {
            *place = mark(day.uptime());
        }
    }
    let count = |mark| marks.iter().filter(|other| **other == mark).count();
    html.raw("<svg class=\"days\" role=\"img\" viewBox=\"0 0 ").put(marks.len() * CELL - 1);
    html.raw(" 16\" preserveAspectRatio=\"none\" aria-label=\"90 days: ");
    html.put(count(Mark::Good)).raw(" without a failure");
    // What there is none of is not said: most apps have a quiet past.
    for (mark, words) in
        [(Mark::Fair, " with few"), (Mark::Poor, " with many"), (Mark::Nothing, " without checks")]
    {
        if count(mark) > 0 {
            html.raw(", ").put(count(mark)).raw(words);
        }
    }
    html.raw("\">");
    for (class, mark) in
        [("none", Mark::Nothing), ("pass", Mark::Good), ("warn", Mark::Fair), ("fail", Mark::Poor)]
    {
        let places = marks.iter().enumerate();
        stroke(
            html,
            class,
            &Runs::of(places.map(|(place, other)| (*other == mark).then_some(place))),
        );
    }
    html.raw("</svg>");
}

/// Places in a row, as the commands of a path.
#[derive(Debug, PartialEq, Eq)]
struct Runs(Vec<(usize, usize)>);

impl Runs {
    fn of(places: impl Iterator<Item = Option<usize>>) -> Runs {
        let mut runs: Vec<(usize, usize)> = Vec::new();
        for place in places.flatten() {
            match runs.last_mut() {
                Some((begin, length)) if *begin + *length == place => *length += 1,
                _ => runs.push((place, 1)),
            }
        }
        Runs(runs)
    }
}

impl Display for Runs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (begin, length) in &self.0 {
            write!(f, "M{} 8h{}", begin * CELL, length * CELL - 1)?;
        }
        Ok(())
    }
}

fn stroke(html: &mut Html, class: &'static str, runs: &Runs) {
    if !runs.0.is_empty() {
        html.raw("<path class=\"").raw(class).raw("\" d=\"").put(runs).raw("\"/>");
    }
}

/// The newest checks, as many as a line has points.
fn newest(checks: &[RecentCheck]) -> &[RecentCheck] {
    checks.get(checks.len().saturating_sub(POINTS)..).unwrap_or_default()
}

/// The shortest and the longest time until an answer.
fn span_of(shown: &[RecentCheck]) -> Option<(u32, u32)> {
    let answered = || shown.iter().filter(|check| check.outcome != Outcome::Fail);
    let times = || answered().map(|check| check.latency_ms);
    times().min().zip(times().max())
}

/// How long the newest answers took, as a line from the oldest to the newest, with a scale beside it. Checks that
/// failed leave a gap.
pub(super) fn latency(html: &mut Html, checks: &[RecentCheck]) {
    let shown = newest(checks);
    if let Some(times) = span_of(shown) {
        let top = round(times.1);
        // Of every app there is one: the style sheet writes it, and the 0 below it.
        html.raw("<div class=\"scale\" data-top=\"").put(top).raw(" ms\">");
        line(html, shown, times, top);
        html.raw("</div>");
    }
}

/// The same, larger, and below it when that was.
pub(super) fn latency_in_full(html: &mut Html, checks: &[RecentCheck], now: Moment) {
    let shown = newest(checks);
    let (Some(times), Some(first)) = (span_of(shown), shown.first()) else { return };
    let top = round(times.1);
    // The picture's own words say it to who does not see it.
    html.raw("<div class=\"scale\"><p aria-hidden=\"true\"><span>").put(top);
    html.raw(" ms</span><span>").put(top / 2).raw(" ms</span><span>0</span></p>");
    line(html, shown, times, top);
    html.raw("<p></p><p class=\"soft\"><span>").put(first.time.age(now).in_words());
    html.raw(" ago</span><span>last check</span></p></div>");
}

/// The end of a scale: the next of 2, 4, 10, 20, 40, 100, ..., so that half of it is a round number, too.
fn round(most: u32) -> u32 {
    let mut ten: u32 = 1;
    loop {
        let found = [2, 4, 10].map(|times| ten.saturating_mul(times));
        if let Some(top) = found.into_iter().find(|top| *top >= most) {
            return top;
        }
        ten = ten.saturating_mul(10);
    }
}

/// The line, up to `top` milliseconds.
fn line(html: &mut Html, shown: &[RecentCheck], (least, most): (u32, u32), top: u32) {
    html.raw("<svg class=\"spark\" role=\"img\" viewBox=\"0 -2 ").put(POINTS * 2 - 1);
    html.raw(" 28\" preserveAspectRatio=\"none\" aria-label=\"Answers took ");
    html.put(least).raw(" to ").put(most).raw(" ms\"><path d=\"");
    let mut pen = Pen::Up;
    let empty = POINTS - shown.len();
    for (place, check) in shown.iter().enumerate() {
        if check.outcome == Outcome::Fail {
            pen = Pen::Up;
            continue;
        }
        let y = HEIGHT - check.latency_ms.saturating_mul(HEIGHT) / top.max(1);
        pen = pen.move_to(html, ((empty + place) * 2, y));
    }
    html.raw("\"/></svg>");
}

/// Where the line has come to.
#[derive(Clone, Copy)]
enum Pen {
    Up,
    Down(u32),
}

impl Pen {
    fn move_to(self, html: &mut Html, (x, y): (usize, u32)) -> Pen {
        match self {
            // A dot, in case the line ends here.
            Pen::Up => html.raw("M").put(x).raw(" ").put(y).raw("h0"),
            Pen::Down(before) => html.raw("l2 ").put(i64::from(y) - i64::from(before)),
        };
        Pen::Down(y)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::time::{Now, Stamp};

    fn checks(outcomes: &str) -> Vec<RecentCheck> {
        let outcome = |letter| match letter {
            'p' => Outcome::Pass,
            'w' => Outcome::Warn,
            _ => Outcome::Fail,
        };
        let check = |letter| RecentCheck {
            time: Stamp::noted(Now::default()),
            outcome: outcome(letter),
            latency_ms: 7,
        };
        outcomes.chars().map(check).collect()
    }

    #[test]
    fn cells_in_a_row_are_one_stroke() {
        let mut html = Html::default();
        bar(&mut html, &checks("pppffpw"), 9);
        let text = html.into_string();
        assert!(text.contains("aria-label=\"Last 7 checks: 2 failed, 1 warned\""), "{text}");
        assert!(text.contains("class=\"none\" d=\"M0 8h7\""), "{text}");
        assert!(text.contains("class=\"pass\" d=\"M8 8h11M28 8h3\""), "{text}");
        assert!(text.contains("class=\"fail\" d=\"M20 8h7\""), "{text}");
        assert!(text.contains("class=\"warn\" d=\"M32 8h3\""), "{text}");
    }

    #[test]
    fn a_failure_is_a_gap_in_the_line() {
        let mut html = Html::default();
        latency(&mut html, &checks("ppfp"));
        let text = html.into_string();
        assert!(text.contains("d=\"M88 8h0l2 0M94 8h0\""), "{text}");
        assert!(text.contains("<div class=\"scale\" data-top=\"10 ms\"><svg"), "{text}");
        let mut html = Html::default();
        latency(&mut html, &checks("fff"));
        assert_eq!(html.into_string(), "", "nothing answered");
    }

    #[test]
    fn a_scale_ends_at_a_round_number() {
        for (most, top) in
            [(0, 2), (3, 4), (7, 10), (11, 20), (40, 40), (41, 100), (60_000, 100_000)]
        {
            assert_eq!(round(most), top, "{most}");
        }
        assert_eq!(round(u32::MAX), u32::MAX, "and there is an end");
        let mut html = Html::default();
        latency_in_full(&mut html, &checks("ppfp"), Now::default().at);
        let text = html.into_string();
        assert!(text.contains("<span>10 ms</span><span>5 ms</span><span>0</span>"), "{text}");
        assert!(text.contains("aria-label=\"Answers took 7 to 7 ms\""), "{text}");
        let mut html = Html::default();
        latency_in_full(&mut html, &checks("ff"), Now::default().at);
        assert_eq!(html.into_string(), "", "nothing answered");
    }

    #[test]
    fn days_are_told_apart_by_their_failures() {
        let day = |day, failures| DayOfChecks { day, checks: 1000, failures, p50_ms: 5, p95_ms: 9 };
        let mut html = Html::default();
        days(&mut html, &[day(1, 5), day(1000, 0), day(1001, 1), day(1002, 31)], 1002);
        let text = html.into_string();
        let label = "90 days: 1 without a failure, 1 with few, 1 with many, 87 without checks";
        assert!(text.contains(label), "{text}");
        assert!(text.contains("class=\"fail\" d=\"M356 8h3\""), "{text}");
    }
}
