//! Troubles: what alone kept an app from passing for so long that people have to know.

use std::borrow::Cow;
use std::collections::BTreeSet;

use super::allowance::{self, Company, DEPLOYMENT, Wait};
use super::beats;
use super::checks::Weight;
use super::life::Life;
use crate::story::{App, AppId, CauseId, CauseKind, HostId, Ms, PersonId, Registered, Span, Story};
use healthchecker::engine::verdict::answer::Outcome;

/// What people want to hear of a trouble.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Wish {
    /// Who should know must be told.
    Must,
    /// It ended before it had to be told: telling and silence are both right.
    May,
    /// Nobody wants to hear of it: a short deployment, what is off because its owner wants it so.
    Unwanted,
}

/// A cause that alone made `unhealthy` checks of an app in a row not pass.
#[derive(Clone, Debug)]
pub(super) struct Trouble {
    /// The app's place, and that of the episode among its own.
    pub(super) app: usize,
    pub(super) episode: usize,
    pub(super) cause: CauseId,
    pub(super) begun: Ms,
    /// When who should know has to have been written to.
    pub(super) deadline: Ms,
    /// When it did not keep checks from passing any more.
    pub(super) until: Ms,
    /// The app did not answer.
    pub(super) is_silent: bool,
    pub(super) wish: Wish,
    /// Who should know.
    pub(super) people: Vec<PersonId>,
}

/// One row of checks that a cause alone kept from passing, under way.
struct Run {
    cause: CauseId,
    /// The place of its first check.
    first: usize,
    /// So many that count.
    counted: u32,
    /// Of them, those that failed.
    failed: u32,
    /// So many that may be forgiven.
    perhaps: u64,
    /// So many that may be void.
    void: u32,
    /// One of them was silent.
    is_silent: bool,
    /// The place of its trouble, once it is one.
    trouble: Option<usize>,
}

impl Run {
    /// Whether it makes the app unwell: one failure may be enough for that, one warning never is.
    fn is_enough(&self, app: &Registered) -> bool {
        let least = app.unhealthy.max(2);
        self.counted >= least || self.failed >= app.unhealthy
    }
}

/// All troubles of an app.
pub(super) fn troubles(story: &Story, app: usize, life: &Life<'_>) -> Vec<Trouble> {
    let mut troubles: Vec<Trouble> = Vec::new();
    for (place, episode) in life.episodes.iter().enumerate() {
        let mut runs: Vec<Run> = Vec::new();
        // When the last check began that passed, where that is near.
        let mut passed = 0;
        let resets = if life.app.reports() { life.app.resets() } else { Vec::new() };
        let mut resets = resets.into_iter().peekable();
        for at in episode.checks.clone() {
            let check = &life.app.checks[at];
            // Of who reports a row takes days, and what it counts begins anew when it is resumed.
            while let Some(reset) = resets.next_if(|reset| *reset < check.ended) {
                runs.drain(..).for_each(|run| end(&run, &mut troubles, reset));
            }
            match check.outcome {
                None => continue,
                Some(Outcome::Pass) => {
                    passed = check.begun;
                    for run in runs.drain(..) {
                        end(&run, &mut troubles, check.begun);
                    }
                    continue;
                }
                Some(_) => {}
            }
            runs.retain(|run| {
                let goes_on = check.causes.contains(&run.cause);
                if !goes_on {
                    end(run, &mut troubles, check.begun);
                }
                goes_on
            });
            for cause in check.causes.iter().filter(|it| !story.causes[it.0].kind.is_ours()) {
                let known = runs.iter().position(|run| run.cause == *cause);
                let known = known.unwrap_or_else(|| {
                    let (first, counted, failed, perhaps, void) = (at, 0, 0, 0, 0);
                    let before = at.checked_sub(1).map(|before| &life.app.checks[before]);
                    let before = before.filter(|it| it.outcome == Some(Outcome::Pass));
                    passed = before.map_or(passed, |it| it.begun);
                    let trouble = None;
                    let is_silent = false;
                    let cause = *cause;
                    let run =
                        Run { cause, first, counted, failed, perhaps, void, is_silent, trouble };
                    runs.push(run);
                    runs.len() - 1
                });
                let run = &mut runs[known];
                run.is_silent |= check.silent;
                match life.weights[at] {
                    Weight::Counts => {
                        run.counted += 1;
                        run.failed += u32::from(check.outcome == Some(Outcome::Fail));
                    }
                    Weight::Perhaps => run.perhaps += 1,
                    Weight::Void => run.void += 1,
                    Weight::No => {}
                }
                // Twice in vain, and its time to come back is over: that is told.
                let is_missing = run.void >= 2 && run.counted > 0;
                let is_new = run.trouble.is_none();
                if is_new
                    && life
                        .app
                        .registered_at(check.ended)
                        .is_some_and(|it| run.is_enough(it) || is_missing)
                {
                    let found = begin(story, life, (app, place), run, passed);
                    run.trouble = found.is_some().then_some(troubles.len());
                    troubles.extend(found);
                }
            }
        }
    }
    troubles.extend(life.loops.certain.iter().filter_map(|at| crash_loop(story, app, life, *at)));
    troubles
}

/// A registration shows that it is in a crash loop: that is told at once, whatever passes.
fn crash_loop(story: &Story, app: usize, life: &Life<'_>, begun: Ms) -> Option<Trouble> {
    let is_it = |(_, cause): &(Span, CauseId)| story.causes[cause.0].kind == CauseKind::CrashLoop;
    let (reach, cause) = life.acted(begun, begun).find(is_it)?;
    let episode = life.episodes.partition_point(|it| it.from <= begun).checked_sub(1)?;
    let people = life.app.registered_at(begun)?.people.clone();
    let at_once = allowance::allowed_at_once();
    let asked = allowance::after_quiet(life.app.registered_at(begun)?, Company::None);
    let deadline = life.told_after_quiet(begun, begun + at_once, (asked, asked));
    let until = reach.end().min(life.next_stop(begun).unwrap_or(Ms::MAX));
    // At the end of a quiet time it is told if it goes on.
    let lasts = |end: Ms| life.loops.goes_on(life.app, end) && life.episodes[episode].until() > end;
    let goes_on = life.quiet_until(begun).is_none_or(lasts);
    let wish = if until <= deadline || !goes_on { Wish::May } else { Wish::Must };
    let is_silent = false;
    Some(Trouble { app, episode, cause, begun, deadline, until, is_silent, wish, people })
}

/// A row ended with a check that passed, or that something else kept from passing, before its time.
fn end(run: &Run, troubles: &mut [Trouble], at: Ms) {
    let Some(trouble) = run.trouble.map(|place| &mut troubles[place]) else { return };
    trouble.until = at;
    if at <= trouble.deadline && trouble.wish == Wish::Must {
        trouble.wish = Wish::May;
    }
}

fn begin(
    story: &Story,
    life: &Life<'_>,
    (app, episode): (usize, usize),
    run: &Run,
    passed: Ms,
) -> Option<Trouble> {
    let first = &life.app.checks[run.first];
    let registered = life.app.registered_at(first.ended)?;
    let kind = story.causes[run.cause.0].kind;
    let reach = life
        .acted(first.begun, first.ended)
        .find(|(_, cause)| *cause == run.cause)
        .map_or(Span { from: first.begun, until: Some(first.ended) }, |(span, _)| span);
    let mut begun = reach.from.max(passed).max(registered.span.from);
    if kind.is_intermittent() {
        begun = begun.max(first.begun.saturating_sub(registered.interval));
    }
    let reports = registered.grace.is_some();
    let alone = allowance::allowed(registered, run.perhaps, Company::None);
    let company = match run.is_silent {
        true if has_family(story, app, registered) => Company::Family,
        true => Company::Silent { hosts: silent_hosts(story, begun, begun + alone) },
        false => Company::None,
    };
    let (begun, deadline, allowed) =
        match beats::begins(life, registered, (first, run.cause), company) {
            Some((begun, deadline)) => {
                (begun, deadline, allowance::after_quiet(registered, company))
            }
            None => {
                let allowed = allowance::allowed(registered, run.perhaps, company);
                let waits = &*waits_for_the_clock(story, life, kind);
                (begun, allowance::deadline(begun, allowed, waits), allowed)
            }
        };
    let after_quiet = allowance::after_quiet(registered, company);
    let deadline = life.told_after_quiet(begun, deadline, (after_quiet, allowed));
    let stop = life.next_stop(begun).unwrap_or(Ms::MAX);
    // What was not reported is not well until the next report comes.
    let until = if reports { stop } else { reach.end().min(stop) };
    let is_over = until.min(story.length) <= deadline;
    // It was switched off before people had to hear that it does not work.
    let is_over = is_over || life.app.is_quiet_between(begun, deadline);
    let now = life.app.registered_at(deadline);
    let people =
        registered.people.iter().filter(|it| now.is_some_and(|now| now.people.contains(it)));
    let wish = match kind {
        CauseKind::Deployment if reach.end() - reach.from < DEPLOYMENT => Wish::Unwanted,
        CauseKind::NightlyOff | CauseKind::LeftHouse | CauseKind::WrongClock => Wish::Unwanted,
        _ if is_over => Wish::May,
        _ => Wish::Must,
    };
    let people = people.copied().collect();
    let (cause, is_silent) = (run.cause, run.is_silent);
    Some(Trouble { app, episode, cause, begun, deadline, until, is_silent, wish, people })
}

/// That a certificate ends is known by a clock that is right.
fn waits_for_the_clock<'l>(story: &Story, life: &'l Life<'_>, kind: CauseKind) -> Cow<'l, [Wait]> {
    if kind != CauseKind::CertificateEnds {
        return Cow::Borrowed(&life.waits);
    }
    let ends = story.clock.iter().skip(1).map(|next| Some(next.from)).chain([None]);
    let sets = story.clock.iter().zip(ends).filter(|(set, _)| set.shows != set.right);
    let wrong = sets.map(|(set, until)| Wait::blind(Span { from: set.from, until }));
    let mut waits: Vec<Wait> = life.waits.iter().copied().chain(wrong).collect();
    waits.sort_by_key(|wait| wait.span.from);
    Cow::Owned(waits)
}

/// Whether its owner has said what it is behind, or that others are behind it.
fn has_family(story: &Story, app: usize, registered: &Registered) -> bool {
    let mut all = story.apps.iter().flat_map(|app| &app.registrations);
    !registered.parents.is_empty() || all.any(|it| it.parents.contains(&AppId(app)))
}

/// How many hosts are silent at some time between two.
fn silent_hosts(story: &Story, from: Ms, until: Ms) -> usize {
    let is_silent = |app: &&App| {
        let first = app.checks.partition_point(|check| check.ended < from);
        app.checks[first..].iter().take_while(|it| it.ended <= until).any(|it| it.silent)
    };
    let hosts: BTreeSet<HostId> = story.apps.iter().filter(is_silent).map(|app| app.host).collect();
    hosts.len()
}

impl CauseKind {
    /// Checks pass now and then while it lasts.
    fn is_intermittent(self) -> bool {
        use CauseKind::{CrashLoop, Flapping, LossyLink, Slow};
        matches!(self, CrashLoop | Flapping | LossyLink | Slow)
    }

    /// No check passes while it lasts.
    pub(super) fn is_total(self) -> bool {
        use CauseKind::{BrownOut, CertificateEnds, LateReport, NoReport, SpinUp, WrongClock};
        let partly = matches!(self, SpinUp | BrownOut);
        let partly = partly || matches!(self, CertificateEnds | LateReport | NoReport | WrongClock);
        !self.is_intermittent() && !partly && !self.is_ours()
    }
}
