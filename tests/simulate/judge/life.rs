//! An app's life, as far as the judge has to look it up again and again.

use super::allowance::{self, DECIDED_WITHIN, Wait};
use super::beats;
use super::behind::Behind;
use super::checks::{Row, Weight, rows, weights};
use super::crash_loops::Loops;
use super::episodes::{Episode, episodes};
use super::quiet::Quiet;
use super::settling::{Interruption, Kind, may_be_void, windows};
use super::spans;
use crate::story::{App, AppId, CauseId, Checked, Ms, Registered, Span, Story};
use healthchecker::engine::state::State;
use healthchecker::engine::verdict::answer::Outcome;

/// So many checks are looked through for one that did not pass.
const LOOKED_THROUGH: usize = 64;

/// One app.
pub(super) struct Life<'s> {
    pub(super) app: &'s App,
    pub(super) weights: Vec<Weight>,
    /// The row at each check.
    pub(super) rows: Vec<Row>,
    pub(super) episodes: Vec<Episode>,
    /// When it was stopped.
    pub(super) stops: Vec<Ms>,
    /// When it could not be seen (paused, we were away, or our own link was), or had its time to come
    /// back, by their beginnings.
    pub(super) waits: Vec<Wait>,
    /// When it could not report, as we were away or our network was: of one that reports.
    pub(super) away: Vec<Span>,
    /// After which of our boots our clock was behind, and by how much: of one that reports.
    pub(super) clock_behind: Vec<(Ms, Ms)>,
    /// When it, or what it is behind, may be quiet.
    pub(super) quiet: Vec<Span>,
    /// When its registrations show that it is in a crash loop.
    pub(super) loops: Loops,
    /// What acted on it, in the order in which it began; with the latest end of all so far.
    acted: Vec<(Span, CauseId, Ms)>,
}

/// Every app's.
pub(super) fn lives<'s>(
    story: &'s Story,
    absent: &[Span],
    interruptions: &[Interruption],
    behind: &Behind,
    quiet: &Quiet,
) -> Vec<Life<'s>> {
    let mut acted: Vec<Vec<(Span, CauseId)>> = vec![Vec::new(); story.apps.len()];
    for (at, cause) in story.causes.iter().enumerate() {
        for reach in &cause.reach {
            acted[reach.app.0].push((reach.span, CauseId(at)));
        }
    }
    let lives = story.apps.iter().zip(acted).enumerate().map(|(at, (app, acted))| {
        let ours = acted.iter().filter(|(_, cause)| story.causes[cause.0].kind.is_ours());
        let ours = ours.map(|(span, _)| *span);
        // Until the daemon knows that it is back.
        let unseen = interruptions.iter().filter(|it| it.kind == Kind::CutOff);
        let unseen = unseen.map(|it| Span { from: it.span.from, until: Some(it.back) });
        let blind = absent.iter().copied().chain(ours).chain(app.paused.iter().copied());
        let blind = spans::united(blind.chain(unseen).collect());
        let windows = windows(app, interruptions);
        let hidden = behind.hides(app);
        let weights = weights(app, &story.runs, |check| {
            let is_hidden = |it: &Wait| it.span.from <= check.ended && check.ended <= it.span.end();
            may_be_void((check.begun, check.ended), interruptions, &windows)
                || (check.silent && hidden.iter().any(is_hidden))
        });
        let settling = windows.into_iter().map(Wait::from).chain(hidden);
        let clock_behind = if app.reports() { beats::clock_behind(story) } else { Vec::new() };
        let interrupted = interruptions.iter().filter(|_| app.reports());
        // The router may be between it and us, or not.
        let ours = interrupted.clone().filter(|it| !it.kind.is_beyond());
        let away = ours.map(|it| Span { from: it.span.from, until: Some(it.back) });
        let away =
            spans::united(away.chain(absent.iter().copied().filter(|_| app.reports())).collect());
        // Nobody is late while things settle.
        let settles = interrupted.map(|it| Span { from: it.span.from, until: Some(it.until) });
        let blind = spans::united(blind.into_iter().chain(settles).collect());
        let mut waits: Vec<Wait> = blind.into_iter().map(Wait::blind).chain(settling).collect();
        waits.sort_by_key(|wait| wait.span.from);
        let rows = rows(app, &weights);
        let episodes = episodes(AppId(at), app, &weights);
        let is_blind =
            |at: Ms| waits.iter().any(|wait| wait.span.from <= at && at <= wait.span.end());
        let loops = Loops::of(app, &weights, &story.runs, is_blind);
        let (stops, acted) = (app.stops(), ordered(acted));
        let quiet = quiet.perhaps(at).to_vec();
        Life { app, weights, rows, episodes, stops, waits, away, clock_behind, quiet, loops, acted }
    });
    lives.collect()
}

fn ordered(mut acted: Vec<(Span, CauseId)>) -> Vec<(Span, CauseId, Ms)> {
    acted.sort_by_key(|(span, _)| span.from);
    let mut latest = 0;
    let with_latest = acted.into_iter().map(|(span, cause)| {
        latest = span.end().max(latest);
        (span, cause, latest)
    });
    with_latest.collect()
}

impl Life<'_> {
    /// What acted on it between two times, the latest first.
    pub(super) fn acted(&self, from: Ms, until: Ms) -> impl Iterator<Item = (Span, CauseId)> + '_ {
        let end = self.acted.partition_point(|(span, ..)| span.from <= until);
        let before = self.acted[..end].iter().rev();
        let reaching = before.take_while(move |(.., latest)| *latest > from);
        reaching.filter(move |(span, ..)| span.end() > from).map(|(span, cause, _)| (*span, *cause))
    }

    /// Whether an episode is one event by itself, whatever has the same cause: what answers badly is told so, and of
    /// who reports by itself nobody knows where it is.
    pub(super) fn stands_alone(&self, episode: usize) -> bool {
        let mut checks = self.app.checks[self.episodes[episode].checks.clone()].iter();
        self.app.reports() || !checks.any(|check| check.silent)
    }

    /// When it passed for the first time after the last check of an episode that did not.
    pub(super) fn passed_again(&self, episode: usize) -> Option<Ms> {
        let checks = &self.app.checks[self.episodes[episode].checks.clone()];
        let passes = |check: &&Checked| check.outcome == Some(Outcome::Pass);
        let last = checks.iter().rposition(|check| check.outcome.is_some() && !passes(&check))?;
        checks[last..].iter().find(passes).map(|check| check.ended)
    }

    /// The end of the quiet time in which it may be.
    pub(super) fn quiet_until(&self, at: Ms) -> Option<Ms> {
        spans::between(&self.quiet, at, at.saturating_add(1)).first().map(|span| span.end())
    }

    /// Whether it may be quiet at some time between two.
    pub(super) fn is_quiet_between(&self, from: Ms, until: Ms) -> bool {
        !spans::between(&self.quiet, from, until.saturating_add(1)).is_empty()
    }

    /// When a person must have been told at the latest of what began at `begun`, and is to be by `due`: if it is
    /// quiet then, so much later than that.
    pub(super) fn told_after_quiet(&self, begun: Ms, due: Ms, (asked, allowed): (Ms, Ms)) -> Ms {
        let mut due = due;
        for quiet in spans::between(&self.quiet, begun, Ms::MAX) {
            if quiet.from >= due {
                break;
            }
            let then = quiet.end().saturating_add(asked);
            // What cannot be seen then begins anew.
            let seen = allowance::deadline(quiet.end(), asked, &self.waits);
            due = due.max(if seen == then {
                then
            } else {
                allowance::deadline(quiet.end(), allowed, &self.waits)
            });
        }
        due
    }

    /// When it is stopped next, if that happens.
    pub(super) fn next_stop(&self, from: Ms) -> Option<Ms> {
        self.stops.get(self.stops.partition_point(|stop| *stop <= from)).copied()
    }

    /// Whether a check passed, by its place.
    pub(super) fn passed(&self, at: usize) -> bool {
        self.app.checks[at].outcome == Some(Outcome::Pass)
    }

    /// When it may be said to have changed that did so at `at`: when its check ended, if that was silent and
    /// waited for a look.
    pub(super) fn told_of(&self, at: Ms) -> impl Iterator<Item = Ms> + '_ {
        let by = self.app.checks.partition_point(|check| check.ended <= at);
        let near = self.app.checks[..by].iter().rev();
        let near = near.take_while(move |check| check.ended + DECIDED_WITHIN >= at);
        [at].into_iter().chain(near.filter(|check| check.silent).map(|check| check.ended))
    }

    /// Whether a check passed between two times.
    pub(super) fn has_passed(&self, from: Ms, until: Ms) -> bool {
        let checks = &self.app.checks;
        let first = checks.partition_point(|check| check.ended <= from);
        let within = checks[first..].iter().take_while(|check| check.ended <= until);
        within.filter_map(|check| check.outcome).any(|it| it == Outcome::Pass)
    }

    /// When it became UNHEALTHY last.
    pub(super) fn given_up_by(&self, at: Ms) -> Option<Ms> {
        let states = &self.app.states[..self.app.shown_by(at)];
        states.iter().rev().find(|(_, state)| *state == State::Unhealthy).map(|(at, _)| *at)
    }

    /// When it became UNHEALTHY next.
    pub(super) fn given_up_since(&self, at: Ms) -> Option<Ms> {
        let states = &self.app.states[self.app.shown_by(at)..];
        states.iter().find(|(_, state)| *state == State::Unhealthy).map(|(at, _)| *at)
    }

    /// The last check that ended by `at` and did not pass, by its place.
    pub(super) fn ill_by(&self, at: Ms) -> Option<usize> {
        let last = self.check_by(at)?;
        let is_ill =
            |place: &usize| !matches!(self.app.checks[*place].outcome, None | Some(Outcome::Pass));
        (0..=last).rev().take(LOOKED_THROUGH).find(is_ill)
    }

    /// The first check from then on that did not pass.
    pub(super) fn ill_after(&self, from: Ms) -> Option<&Checked> {
        let checks = &self.app.checks;
        let after = checks.partition_point(|check| check.ended < from);
        checks[after..].iter().find(|check| !matches!(check.outcome, None | Some(Outcome::Pass)))
    }

    /// The last check that ended by `at`, by its place.
    pub(super) fn check_by(&self, at: Ms) -> Option<usize> {
        self.app.checks.partition_point(|check| check.ended <= at).checked_sub(1)
    }
}

impl App {
    /// What was accepted for it, as it stood.
    pub(super) fn registered_at(&self, at: Ms) -> Option<&Registered> {
        let last = self.registrations.partition_point(|it| it.span.from <= at).checked_sub(1)?;
        Some(&self.registrations[last]).filter(|it| it.span.holds(at))
    }

    /// When it was stopped.
    pub(super) fn stops(&self) -> Vec<Ms> {
        let next = self.registrations.iter().skip(1).map(|it| it.span.from).map(Some);
        let ends = self.registrations.iter().map(|it| it.span.until).zip(next.chain([None]));
        ends.filter(|(end, next)| end != next).filter_map(|(end, _)| end).collect()
    }

    /// When the count of its rows began anew: resumed, readdressed, registered after a stop, or off.
    pub(super) fn resets(&self) -> Vec<Ms> {
        let pairs = self.registrations.iter().zip(self.registrations.iter().skip(1));
        let moved = pairs.filter(|(before, after)| {
            before.url != after.url || before.span.until != Some(after.span.from)
        });
        let resumed = self.paused.iter().filter_map(|paused| paused.until);
        let off = self.off.iter().map(|off| off.from);
        let moved = moved.map(|(_, after)| after.span.from);
        let mut resets: Vec<Ms> = moved.chain(resumed).chain(off).collect();
        resets.sort_unstable();
        resets
    }

    /// How many states were shown by then.
    pub(super) fn shown_by(&self, at: Ms) -> usize {
        self.states.partition_point(|(from, _)| *from <= at)
    }

    /// The state that was shown.
    pub(super) fn state_at(&self, at: Ms) -> State {
        let shown = self.shown_by(at).checked_sub(1);
        shown.map_or(State::Unknown, |last| self.states[last].1)
    }
}
