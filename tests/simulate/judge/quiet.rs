//! When nobody is to be told of an app: its quiet times by the daemon's own clock, and those that somebody asked for.

use std::collections::BTreeMap;

use super::clock::{Clock, SLACK};
use super::{quiet_hours, spans};
use crate::story::{AppId, Ms, Span, Story};
use healthchecker::engine::time::Wall;

/// The newest time on record is no older than this, as long as the daemon runs: counters are written hourly.
const RECORDED_EVERY: Ms = 3_600_000;

/// The quiet times of all apps.
pub(super) struct Quiet {
    /// For each app: nothing excuses who tells of it then.
    surely: Vec<Vec<Span>>,
    /// For each app: nothing blames who does not, as it or what it is behind is, or may be, quiet.
    perhaps: Vec<Vec<Span>>,
}

/// By the clock, of some words.
#[derive(Clone, Default)]
struct Hours {
    surely: Vec<Span>,
    /// Or the clock was not set.
    perhaps: Vec<Span>,
}

impl Quiet {
    pub(super) fn of(story: &Story, clock: &Clock<'_>) -> Quiet {
        let mut known: BTreeMap<&str, Hours> = BTreeMap::new();
        let (mut surely, mut own) = (Vec::new(), Vec::new());
        for app in &story.apps {
            let mut of_it = Hours::default();
            for registered in &app.registrations {
                let words = registered.quiet.as_deref().unwrap_or(&story.quiet);
                if words.is_empty() {
                    continue;
                }
                let hours = known.entry(words).or_insert_with(|| Hours::of(words, story, clock));
                of_it.surely.extend(spans::common(&[registered.span], &hours.surely));
                of_it.perhaps.extend(spans::common(&[registered.span], &hours.perhaps));
            }
            for asked in &app.hushed {
                let (least, most) = at_least_and_most(*asked, story, clock);
                of_it.surely.push(least);
                of_it.perhaps.push(most);
            }
            surely.push(spans::united(of_it.surely));
            own.push(spans::united(of_it.perhaps));
        }
        let perhaps = (0..story.apps.len()).map(|app| with_parents(app, story, &own)).collect();
        Quiet { surely, perhaps }
    }

    /// For each app, when it may be quiet.
    pub(super) fn perhaps(&self, app: usize) -> &[Span] {
        self.perhaps.get(app).map_or(&[], Vec::as_slice)
    }

    /// The quiet time in which an app surely is.
    pub(super) fn surely_at(&self, AppId(app): AppId, at: Ms) -> Option<Span> {
        spans::between(&self.surely[app], at, at + 1).first().copied()
    }
}

/// Those of an app, and of all that it is behind.
fn with_parents(app: usize, story: &Story, own: &[Vec<Span>]) -> Vec<Span> {
    let mut above = vec![app];
    let mut next = 0;
    while let Some(app) = above.get(next).copied() {
        let registrations = story.apps[app].registrations.iter();
        for AppId(parent) in registrations.flat_map(|it| &it.parents) {
            if !above.contains(parent) {
                above.push(*parent);
            }
        }
        next += 1;
    }
    spans::united(above.into_iter().flat_map(|app| own[app].iter().copied()).collect())
}

impl Hours {
    /// What the daemon's clock showed, from when to when.
    fn of(words: &str, story: &Story, clock: &Clock<'_>) -> Hours {
        let (mut surely, mut behind) = (Vec::new(), Vec::new());
        for (at, set) in story.clock.iter().enumerate() {
            let until = story.clock.get(at + 1).map_or(story.length, |next| next.from);
            if Wall::from_unix_millis(set.shows).is_plainly_wrong() {
                continue;
            }
            let by = |shows: i64| -> Vec<Span> {
                let really = |wall: i64| set.from + (wall - shows).cast_unsigned();
                let hours =
                    quiet_hours::spans(words, shows, shows + (until - set.from).cast_signed());
                let hours = hours.into_iter();
                hours
                    .map(|(from, to)| Span { from: really(from), until: Some(really(to)) })
                    .collect()
            };
            if set.shows >= set.right {
                surely.extend(by(set.shows));
                continue;
            }
            // A clock that is behind what is on record is not believed: it is as late as that, and what has passed since.
            let right = by(set.right);
            surely.extend(spans::common(&by(set.shows), &right));
            let later = |hours: Span| Span { until: Some(hours.end() + RECORDED_EVERY), ..hours };
            behind.extend(right.into_iter().map(later));
        }
        let surely = spans::united(surely);
        let unset = clock.unset().into_iter().filter(|_| !surely.is_empty());
        let perhaps = spans::united(surely.iter().copied().chain(unset).chain(behind).collect());
        Hours { surely, perhaps }
    }
}

/// From when to when at least, and at most, what was asked for holds. By a clock that is off a later run does not
/// know how long ago that was.
pub(super) fn at_least_and_most(asked: Span, story: &Story, clock: &Clock<'_>) -> (Span, Span) {
    let runs = story.runs.iter().map(|run| run.from);
    let restarted = runs.into_iter().find(|at| asked.from < *at && *at <= asked.end());
    let Some(restarted) = restarted else { return (asked, asked) };
    let is_right = |at: Ms| clock.off(at).unsigned_abs() <= SLACK;
    let sets = story.clock.iter().filter(|set| set.from >= restarted);
    let right = sets.map(|set| set.from).find(|at| is_right(*at)).unwrap_or(story.length);
    let was_right = is_right(asked.from) && right <= restarted;
    let least = if was_right { asked.end() } else { restarted };
    let most = if is_right(asked.from) { asked.end().max(right) } else { story.length };
    (Span { until: Some(least), ..asked }, Span { until: Some(most), ..asked })
}
