//! What came between us and the household, and the time that each app has to come back after it.

use super::allowance::{NOT_AWAY, SEEN_BACK, SETTLE_AFTER_ABSENCE, SETTLE_AFTER_BOOT};
use super::behind::{Behind, silences};
use super::spans;
use crate::story::{App, Away, CauseKind, Checked, Ms, Span, Story, host_of};
use healthchecker::engine::surroundings::settling::Aftermath;
use healthchecker::engine::verdict::answer::Outcome;

/// What it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Away(Away),
    /// Our own link was gone, or nobody was there.
    CutOff,
    /// The router was, while others answered.
    Router,
    /// The line to the internet was.
    Line,
}

/// One interruption, after which apps are awaited.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Interruption {
    pub(super) kind: Kind,
    /// When it really was.
    pub(super) span: Span,
    /// When the daemon could know that it was over.
    pub(super) back: Ms,
    /// Until then apps are awaited at most.
    pub(super) until: Ms,
    /// Everybody is awaited; else those that fell silent meanwhile.
    pub(super) is_of_all: bool,
}

/// The time that an app has after an interruption.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Window {
    /// From when the interruption was over until the app answered, or its time was up.
    pub(super) span: Span,
    /// It did not answer, and was asked twice: it is told when the time is up.
    pub(super) is_missing: bool,
}

/// All interruptions, in the order of their ends.
pub(super) fn interruptions(story: &Story, behind: &Behind) -> Vec<Interruption> {
    let link = Link::of(story);
    let away = story.absences.iter().map(|absence| (Kind::Away(absence.how), absence.span));
    let cut_off = link.outages.iter().map(|span| (Kind::CutOff, *span));
    let router = behind.router.iter().map(|span| (Kind::Router, *span));
    let line = behind.line.iter().map(|span| (Kind::Line, *span));
    let mut all: Vec<(Kind, Span)> = away.chain(cut_off).chain(router).chain(line).collect();
    all.sort_by_key(|(_, span)| span.end());
    let mut awaited_until: Ms = 0;
    let mut interruptions = Vec::new();
    for (kind, span) in all.into_iter().filter(|(_, span)| span.end() < story.length) {
        let end = span.end();
        if kind == Kind::Away(Away::Slept) && awaited_until > span.from {
            // The clock by which they are awaited sleeps, too.
            awaited_until += end - span.from;
        }
        let was_awaited = awaited_until > span.from;
        let router_is_away = behind.router.iter().any(|it| it.holds(span.from));
        let goes_on = was_awaited || link.is_gone(span.from) || router_is_away;
        let lasted = end - span.from;
        let (back, within) = match kind {
            Kind::Away(Away::Booted) => (end, SETTLE_AFTER_BOOT),
            // What had not settled begins anew.
            Kind::Away(Away::Restarted) if goes_on => (end, SETTLE_AFTER_BOOT),
            Kind::Away(Away::Slept | Away::StoodStill) if lasted > NOT_AWAY => {
                (end, settles_for(lasted))
            }
            Kind::Away(_) => continue,
            Kind::CutOff => match link.seen(story, span) {
                Some((_, back)) if back >= story.length => (back, 0),
                Some((from, back)) if back - from > NOT_AWAY => (back, settles_for(back - from)),
                Some((_, back)) => (back, 0),
                None => continue,
            },
            Kind::Router | Kind::Line => match first_silence(story, kind, span) {
                Some(first) => {
                    let back = (end + SEEN_BACK).min(story.length);
                    (back, if back - first > NOT_AWAY { settles_for(back - first) } else { 0 })
                }
                None => continue,
            },
        };
        let mut until = back + within;
        if within > 0 && awaited_until > back {
            // One that began before goes on.
            until = until.max(awaited_until);
        }
        awaited_until = awaited_until.max(until);
        let is_of_all = was_awaited || !kind.is_beyond();
        interruptions.push(Interruption { kind, span, back, until, is_of_all });
    }
    interruptions
}

/// When the first app fell silent that may have done so for want of the router, or the line.
fn first_silence(story: &Story, kind: Kind, span: Span) -> Option<Ms> {
    let apps = story.apps.iter().filter(|app| kind == Kind::Router || app.is_outside());
    let apps = apps.filter(|app| !app.reports());
    apps.filter_map(|app| silences(app, span).next()).min()
}

fn settles_for(absence: Ms) -> Ms {
    absence.clamp(SETTLE_AFTER_ABSENCE.0, SETTLE_AFTER_ABSENCE.1)
}

/// When nobody on another machine could answer, the router neither: that is as if our own link were gone.
fn deserted(story: &Story) -> Vec<Span> {
    let mut silent: Vec<Vec<Span>> = story.apps.iter().map(|app| app.paused.clone()).collect();
    for cause in story.causes.iter().filter(|cause| cause.kind.is_silence()) {
        cause.reach.iter().for_each(|reach| silent[reach.app.0].push(reach.span));
    }
    let mut all = story.router_away.clone();
    // Who reports is not asked, either.
    let asked = |app: &App| app.is_elsewhere() && !app.reports();
    for (app, mut silent) in story.apps.iter().zip(silent).filter(|(app, _)| asked(app)) {
        let mut from = 0;
        for registered in &app.registrations {
            silent.push(Span { from, until: Some(registered.span.from) });
            from = registered.span.end();
        }
        silent.push(Span { from, until: None });
        all = spans::common(&all, &spans::united(silent));
    }
    all.retain(|span| span.end() - span.from > NOT_AWAY);
    all
}

impl CauseKind {
    /// Nothing answers, no refusal either.
    fn is_silence(self) -> bool {
        use CauseKind::{AccessPoint, HostHang, HostReboot, Internet, LeftHouse, NightlyOff};
        use CauseKind::{MovedAddress, PowerCut, Renumbered, Router, Switch};
        let of_hosts = matches!(self, HostHang | HostReboot | LeftHouse | NightlyOff | PowerCut);
        let of_ways = matches!(self, AccessPoint | Internet | Router | Switch);
        of_hosts || of_ways || matches!(self, MovedAddress | Renumbered)
    }
}

impl App {
    /// It is on another machine.
    fn is_elsewhere(&self) -> bool {
        !self.registrations.iter().any(|it| host_of(&it.url).starts_with("127."))
    }
}

/// Our own link, and who shows by an answer whether it is there.
struct Link {
    outages: Vec<Span>,
    elsewhere: Vec<usize>,
}

impl Link {
    fn of(story: &Story) -> Link {
        let causes = story.causes.iter().filter(|cause| cause.kind == CauseKind::OurLink);
        let outages = causes.map(|cause| cause.span).chain(deserted(story)).collect();
        let apps = story.apps.iter().enumerate();
        // Who reports shows no more than that somebody lives: a look tells what is back.
        let is_asked = |app: &App| app.is_elsewhere() && !app.reports();
        let elsewhere = apps.filter(|(_, app)| is_asked(app)).map(|(at, _)| at).collect();
        Link { outages: spans::united(outages), elsewhere }
    }

    fn is_gone(&self, at: Ms) -> bool {
        !spans::between(&self.outages, at, at + 1).is_empty()
    }

    /// When a check failed first by this outage, and when one ended first that shows that it is over.
    fn seen(&self, story: &Story, outage: Span) -> Option<(Ms, Ms)> {
        let lives = |check: &Checked| !check.silent && !self.is_gone(check.ended);
        let back = self.first_check(story, outage.end(), lives).unwrap_or(story.length);
        // Else a look shows it.
        let back = back.min(outage.end().saturating_add(SEEN_BACK));
        let last_run = story.runs.partition_point(|run| run.from <= back).checked_sub(1);
        let from = last_run.map_or(0, |run| story.runs[run].from).max(outage.from);
        // The silence of who may be off is no verdict, and is looked at.
        let fails = |check: &Checked| matches!(check.outcome, None | Some(Outcome::Fail));
        let failed = |check: &Checked| check.ended < outage.end() && fails(check);
        let first = self.first_check(story, from, failed)?;
        Some((first, back))
    }

    /// The first end of a check from `from` on that is as asked.
    fn first_check(&self, story: &Story, from: Ms, is_it: impl Fn(&Checked) -> bool) -> Option<Ms> {
        let first = |app: &App| {
            let after = app.checks.partition_point(|check| check.ended < from);
            let is_decided = |check: &&Checked| check.outcome.is_some() || app.is_quiet(check);
            let mut decided = app.checks[after..].iter().filter(is_decided);
            decided.find(|check| is_it(check)).map(|check| check.ended)
        };
        self.elsewhere.iter().filter_map(|app| first(&story.apps[*app])).min()
    }
}

/// The times that an app has.
pub(super) fn windows(app: &App, interruptions: &[Interruption]) -> Vec<Window> {
    let settling = interruptions.iter().filter(|it| it.until > it.back && it.awaits(app));
    let window = |it: &Interruption| {
        let first = app.checks.partition_point(|check| check.ended < it.back);
        let last = app.checks.partition_point(|check| check.ended <= it.until);
        let within = &app.checks[first..last.max(first)];
        let answers = |outcome| matches!(outcome, Some(Outcome::Pass | Outcome::Warn));
        let answered = within.iter().find(|check| answers(check.outcome)).map(|it| it.ended);
        let until = answered.unwrap_or(it.until);
        let failed = within.iter().filter(|check| check.outcome == Some(Outcome::Fail)).count();
        Window {
            span: Span { from: it.back, until: Some(until) },
            // Nobody waits for who may be off.
            is_missing: answered.is_none() && failed >= 2 && !app.may_be_off(it.until),
        }
    };
    settling.map(window).collect()
}

/// Whether the failure of a check may be void: our link was gone while it ran, or the app was awaited.
pub(super) fn may_be_void(
    (begun, ended): (Ms, Ms),
    interruptions: &[Interruption],
    windows: &[Window],
) -> bool {
    let unseen = |it: &&Interruption| it.kind == Kind::CutOff && it.span.from <= ended;
    let unseen = interruptions.iter().filter(unseen).any(|it| begun <= it.back);
    unseen || windows.iter().any(|it| it.span.from <= ended && ended <= it.span.end())
}

impl Interruption {
    /// Whether an app is awaited after it, that was well before.
    pub(super) fn awaits(&self, app: &App) -> bool {
        // Who reports is not asked.
        if app.reports() {
            return false;
        }
        let fell_silent = || {
            let meanwhile = Span { from: self.span.from, until: Some(self.back) };
            (self.kind == Kind::Router || app.is_outside())
                && silences(app, meanwhile).next().is_some()
        };
        self.is_of_all || fell_silent()
    }
}

impl Kind {
    /// It is not between us and everybody.
    pub(super) fn is_beyond(self) -> bool {
        matches!(self, Kind::Router | Kind::Line)
    }

    /// The cause that it is in the table.
    pub(super) fn of_cause(self) -> CauseKind {
        match self {
            Kind::Away(_) => CauseKind::OurAbsence,
            Kind::CutOff => CauseKind::OurLink,
            Kind::Router => CauseKind::Router,
            Kind::Line => CauseKind::Internet,
        }
    }

    /// Whether people may be told so of what came after it.
    pub(super) fn may_be_told(self, after: Aftermath) -> bool {
        use Aftermath::{Internet, Network, Power, Restart, Router, Sleep, Standstill};
        match self {
            Kind::Away(Away::Booted) => matches!(after, Power | Restart),
            // It goes on with what it was to tell before.
            Kind::Away(Away::Restarted) => true,
            Kind::Away(Away::Slept) => after == Sleep,
            Kind::Away(Away::StoodStill) => after == Standstill,
            Kind::CutOff => after == Network,
            // Where everybody is behind it, nobody can tell it from our own link.
            Kind::Router => matches!(after, Router | Network),
            Kind::Line => after == Internet,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::story::{Absence, AppId, Cause, CauseId, HostId, Reach};

    const SECOND: Ms = 1_000;
    const MINUTE: Ms = 60 * SECOND;

    fn check(ended: Ms, outcome: Outcome) -> Checked {
        let causes = vec![CauseId(0)];
        let (begun, outcome) = (ended - 5, Some(outcome));
        Checked { begun, ended, outcome, refused: false, silent: true, dead: true, causes }
    }

    fn app(checks: Vec<Checked>) -> App {
        App {
            name: "NAS".to_owned(),
            host: HostId(0),
            registrations: vec![],
            calls: vec![],
            paused: vec![],
            hushed: vec![],
            off: vec![],
            heard: vec![],
            unheard: vec![],
            checks,
            states: vec![],
        }
    }

    fn span(from: Ms, until: Ms) -> Span {
        Span { from, until: Some(until) }
    }

    fn away(how: Away, from: Ms, until: Ms) -> Absence {
        Absence { how, span: span(from, until) }
    }

    fn story(absences: Vec<Absence>) -> Story {
        let runs = vec![Span { from: 0, until: None }];
        Story { length: 100 * MINUTE, absences, runs, ..Story::default() }
    }

    fn all(story: &Story) -> Vec<Interruption> {
        interruptions(story, &Behind::of(story))
    }

    fn untils(absences: Vec<Absence>) -> Vec<Ms> {
        all(&story(absences)).iter().map(|it| it.until / SECOND).collect()
    }

    #[test]
    fn after_a_boot_ten_minutes_after_an_absence_as_long_as_it_took() {
        use Away::{Booted, Restarted, Slept, StoodStill};
        assert_eq!(untils(vec![away(Booted, 0, 60 * SECOND)]), [660]);
        assert_eq!(untils(vec![away(Slept, 0, 10 * SECOND)]), [0; 0]);
        assert_eq!(untils(vec![away(Slept, 0, 11 * SECOND)]), [71]);
        assert_eq!(untils(vec![away(StoodStill, 0, 200 * SECOND)]), [400]);
        assert_eq!(untils(vec![away(Slept, 0, 40 * MINUTE)]), [50 * 60]);
        assert_eq!(untils(vec![away(Restarted, 0, 60 * SECOND)]), [0; 0]);
        let again = vec![away(Booted, 0, 60 * SECOND), away(Restarted, 90 * SECOND, 100 * SECOND)];
        assert_eq!(untils(again), [660, 700], "it begins anew");
        let asleep = vec![away(Booted, 0, MINUTE), away(Slept, 6 * MINUTE, 26 * MINUTE)];
        assert_eq!(untils(asleep), [660, 36 * 60], "longer than what was left");
        let short = vec![away(Booted, 0, MINUTE), away(StoodStill, 2 * MINUTE, 3 * MINUTE)];
        assert_eq!(untils(short), [660, 660]);
    }

    #[test]
    fn our_link_is_back_with_the_first_check_that_shows_it() {
        let link = Cause {
            kind: CauseKind::OurLink,
            reach: vec![Reach { app: AppId(0), span: span(10 * MINUTE, 15 * MINUTE) }],
            span: span(10 * MINUTE, 15 * MINUTE),
        };
        let checks = vec![
            check(11 * MINUTE, Outcome::Fail),
            Checked { silent: false, ..check(15 * MINUTE + 9_000, Outcome::Fail) },
            check(17 * MINUTE, Outcome::Pass),
        ];
        let unseen = Story { causes: vec![link], apps: vec![app(vec![])], ..story(vec![]) };
        assert_eq!(all(&unseen), []);
        let seen = Story { apps: vec![app(checks)], ..unseen };
        let all = all(&seen);
        let [it] = all.as_slice() else { panic!("{all:?}") };
        assert_eq!((it.kind, it.back), (Kind::CutOff, 15 * MINUTE + 9_000));
        assert_eq!(it.until, it.back + 4 * MINUTE + 9_000);
        let windows = windows(&seen.apps[0], &all);
        assert_eq!((windows[0].span.until, windows[0].is_missing), (Some(17 * MINUTE), false));
        let void = |begun, ended| may_be_void((begun, ended), &all, &windows);
        assert!(void(10 * MINUTE, 11 * MINUTE) && void(15 * MINUTE, 16 * MINUTE));
        assert!(!void(9 * MINUTE, 9 * MINUTE + 1) && !void(18 * MINUTE, 18 * MINUTE + 1));
    }

    #[test]
    fn who_was_asked_twice_in_vain_is_missing() {
        let boot = all(&story(vec![away(Away::Booted, 0, MINUTE)]));
        let missing = |checks| windows(&app(checks), &boot)[0].is_missing;
        let fails = |minute| check(minute * MINUTE, Outcome::Fail);
        assert!(missing(vec![fails(2), fails(3)]));
        assert!(!missing(vec![fails(2), fails(13)]));
        assert!(!missing(vec![fails(2), fails(3), check(4 * MINUTE, Outcome::Warn)]));
    }
}
