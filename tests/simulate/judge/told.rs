//! What each person was told of each app, in the order in which it came.

mod beats;
mod flapping;
mod hushed;
mod reminders;

use std::collections::{BTreeMap, BTreeSet};

use super::allowance::{self, DEPLOYMENT, PATIENCE};
use super::busiest::Mails;
use super::case::Case;
use super::chronicle::time;
use super::clock::SLACK;
use super::episodes::{Ending, Episode};
use super::finding::{Fault, Finding};
use super::letters::{Of, Read, Statement};
use super::reading::{Row, Tells};
use super::score::Score;
use super::spans;
use crate::story::{AppId, CauseKind, Ms, PersonId, Span};
use healthchecker::engine::state::State;

/// The first letter that told a person by name that an app is unwell.
#[derive(Clone, Copy, Debug)]
pub(super) struct First {
    /// When it was decided, as far as the letter tells.
    pub(super) decided: Ms,
    /// The place of the letter.
    pub(super) letter: usize,
}

/// By person, app and episode.
pub(super) type Firsts = BTreeMap<(PersonId, AppId, usize), First>;

/// For how long a person knew that an app was unwell.
pub(super) type Known = Vec<((PersonId, AppId), Span)>;

/// What a person knows of an app.
#[derive(Clone, Copy, Debug, Default)]
struct Knows {
    /// How bad it is, by the last that was told; `None`: nothing, or that it is well.
    level: Option<State>,
    /// The episode that was about.
    episode: Option<usize>,
    /// When that was decided.
    at: Ms,
    /// When they were told of it first, without its end since, and when that began.
    since: Option<reminders::Since>,
    /// The same of trouble that was told as news since.
    again: Option<reminders::Since>,
    /// It was asked too seldom to be UNHEALTHY, and counts as told until it passes.
    is_suspect: bool,
    /// It was told in this report or outage, whose end comes when all of it are well.
    report: Option<ReportId>,
    /// It crashes and starts again: it may have passed often enough before, and is well when it has since.
    is_crash_loop: bool,
    /// Told by the letter at this place that it keeps failing: what it does until it is said to be well is
    /// told by that.
    keeps_failing: Option<usize>,
    /// Told that it is watched, then.
    watched: Option<Ms>,
    /// When they were told last that it is unwell, and not that it keeps failing.
    first: Option<Ms>,
}

/// A report or an outage, by the places of the letter and of it in there.
type ReportId = (usize, usize);

/// What is to bring a person few mails: what belongs to an incident, but for an app that is one of its own there.
type Event = (usize, PersonId, Option<AppId>);

/// The walk through all letters.
struct Walk<'c, 's> {
    case: &'c Case<'s>,
    knows: BTreeMap<(PersonId, AppId), Knows>,
    /// People who had a letter with something left out: what they know is not known.
    blurred: BTreeSet<PersonId>,
    firsts: Firsts,
    mails: BTreeMap<Event, Mails>,
    /// Those of them that are a report or its end.
    reports: BTreeMap<(usize, PersonId), u64>,
    reminders: reminders::Reminders,
    /// When each was told of trouble of what, where somebody mutes.
    told_at: BTreeMap<(PersonId, AppId), Vec<Ms>>,
    /// Who was not back, by each report, or silent, by each outage.
    missing: BTreeMap<ReportId, Vec<(AppId, usize)>>,
    /// When somebody of them was said to be well.
    ended: BTreeMap<ReportId, Ms>,
    /// The reports among them.
    real_reports: BTreeSet<ReportId>,
    tolerated: BTreeSet<(PersonId, AppId, usize)>,
    findings: Vec<Finding>,
}

/// Walks through all letters: what was told first, and what is wrong with the order of things.
pub(super) fn walk(case: &Case<'_>, score: &mut Score) -> ((Firsts, Known), Vec<Finding>) {
    let mut walk = Walk {
        case,
        knows: BTreeMap::new(),
        blurred: BTreeSet::new(),
        firsts: Firsts::new(),
        mails: BTreeMap::new(),
        reports: BTreeMap::new(),
        reminders: reminders::Reminders::default(),
        told_at: BTreeMap::new(),
        missing: BTreeMap::new(),
        ended: BTreeMap::new(),
        real_reports: BTreeSet::new(),
        tolerated: BTreeSet::new(),
        findings: Vec::new(),
    };
    for (place, read) in case.letters.iter().enumerate() {
        walk.letter(place, read);
        let is_welcome = read.states.is_empty() && read.reading.watching.is_some();
        score.welcomes += u64::from(is_welcome);
    }
    walk.ends();
    let known = walk.not_reminded();
    walk.after_mutes();
    score.letters = case.letters.len() as u64;
    score.letters_again = case.again;
    for ((incident, ..), mails) in &walk.mails {
        score.of(case.incidents.all[*incident].kind).mails.count(mails.count());
    }
    for ((incident, to, _), mails) in &walk.mails {
        score.busiest.count(case, (case.incidents.all[*incident].kind, *to), mails);
    }
    for ((incident, _), reports) in &walk.reports {
        if case.incidents.all[*incident].kind == CauseKind::PowerCut {
            score.reports_a_cut.count(*reports);
        }
    }
    for (_, app, episode) in &walk.tolerated {
        if let Some(kind) = unwanted(case, *app, *episode, Ms::MAX) {
            score.of(kind).tolerated += 1;
        }
    }
    ((walk.firsts, known), walk.findings)
}

impl Walk<'_, '_> {
    fn letter(&mut self, place: usize, read: &Read<'_>) {
        let to = read.letter.to;
        if read.reading.nameless || read.reading.left_out > 0 {
            self.blurred.insert(to);
        }
        self.in_quiet(read);
        let mut incidents: BTreeMap<Event, Vec<&Statement>> = BTreeMap::new();
        let mut reported = BTreeSet::new();
        let mut is_news = false;
        for statement in &read.states {
            let Some(app) = statement.app else {
                is_news = true;
                continue;
            };
            if let Some(episode) = statement.episode {
                let Case { story, incidents: all, .. } = self.case;
                let life = self.case.life(app);
                let told = all.told(story, life, episode, read.letter.written);
                if self.is_reported(to, app, statement.of) {
                    reported.extend(told.iter().copied());
                }
                let alone = life.stands_alone(episode).then_some(app);
                for incident in told {
                    incidents.entry((incident, to, alone)).or_default().push(statement);
                }
            }
            self.in_mute(read, statement, app);
            is_news |= if statement.of == Of::Reminder {
                self.reminder(read, statement, app)
            } else if statement.is_trouble() {
                self.trouble(place, read, statement, app)
            } else {
                self.recovery(place, read, statement, app)
            };
        }
        self.notes_trouble(read);
        for (event, told) in incidents {
            self.mails.entry(event).or_default().add(read.letter.written, &told);
        }
        for incident in reported {
            *self.reports.entry((incident, to)).or_default() += 1;
        }
        let watching = self.watching(read);
        // What was not seen is news of its own.
        is_news |= !read.reading.blind.is_empty();
        let tells = !read.states.is_empty() || watching.is_some();
        if tells && !is_news && watching != Some(true) {
            self.nothing_new(read);
        }
    }

    /// A person is told that an app is unwell; whether that is news.
    fn trouble(&mut self, place: usize, read: &Read<'_>, told: &Statement, app: AppId) -> bool {
        let to = read.letter.to;
        let decided = self.decided(read, told);
        self.false_alarm(read, told, app, decided);
        let mut knows = self.knows(to, app, decided);
        let before = self.knows.get(&(to, app)).filter(|_| knows.level.is_none());
        if let Some(before) = before.filter(|before| before.level.is_some()) {
            let stop = self.case.life(app).next_stop(before.at).unwrap_or(decided);
            self.reminders.ends((to, app), before.since, stop);
        }
        self.keeps_failing(read, told, (app, knows), decided);
        let mut is_open = knows.level.is_some();
        if is_open && knows.episode != told.episode {
            let is_owed = self.owed_from(to, app, knows).is_some_and(|owed| owed <= decided);
            is_open = !is_owed;
            if is_owed {
                self.never_ended(to, app, knows, read.letter.accepted);
            }
            // What it does meanwhile is known of one that keeps failing.
            if is_owed || knows.keeps_failing.is_none() {
                (knows.level, knows.keeps_failing) = (None, None);
            }
        }
        // Who was asked too seldom, and is not back after an interruption, is told as UNHEALTHY first by that.
        let has_passed = || {
            matches!(told.of, Of::Report(_)) || self.case.life(app).has_passed(knows.at, decided)
        };
        // Who is known to be DEGRADED now and then is told once to be UNHEALTHY.
        let is_worse = knows.keeps_failing.is_some()
            && knows.level == Some(State::Degraded)
            && !told.keeps_failing
            && told.state() == State::Unhealthy;
        let is_known =
            knows.level == Some(told.state()) || (knows.keeps_failing.is_some() && !is_worse);
        let is_news = !is_known || (knows.is_suspect && has_passed());
        let was_degraded =
            told.keeps_failing && self.case.life(app).app.state_at(decided) == State::Degraded;
        let level = if was_degraded { State::Degraded } else { told.state() };
        let (level, episode) = (Some(level), told.episode);
        let report = match told.of {
            Of::Report(which) => Some((place, which)),
            Of::Outage { place: which, more } => {
                let joined = || self.joined(to, app, decided);
                let open =
                    if more { joined().or_else(|| self.open_outage(to, read)) } else { None };
                Some(open.unwrap_or((place, which)))
            }
            // Who was silent with others, asked too seldom, is still one of them.
            Of::Change => knows.report.filter(|_| is_open && knows.is_suspect),
            Of::Reminder | Of::End => None,
        };
        if matches!(told.of, Of::Report(_)) {
            self.real_reports.extend(report);
        }
        if let Some((report, episode)) = report.zip(episode) {
            self.missing.entry(report).or_default().push((app, episode));
        }
        if is_worse {
            self.covered(to, app, decided);
        }
        let keeps_failing =
            told.keeps_failing.then_some(place).or(knows.keeps_failing.filter(|_| is_worse));
        let (is_suspect, is_crash_loop, at) = (told.is_suspect, told.is_crash_loop, decided);
        let watched = knows.watched;
        let is_first = is_news && keeps_failing.is_none();
        let first = if is_first { Some(decided) } else { knows.first };
        let begins = self.begins(told, app, decided);
        let is_another = is_news && knows.since.is_some() && knows.episode != episode;
        let again = if is_another { Some(begins) } else { knows.again };
        // Nobody is told again that it is DEGRADED: what they heard of others until then was none of this.
        let has_worsened = knows.level == Some(State::Degraded) && level == Some(State::Unhealthy);
        let again = if has_worsened { Some(reminders::Since::worse(decided)) } else { again };
        let since = knows.since.or(Some(begins));
        let its = Knows { level, episode, at, since, again, ..Knows::default() };
        let its = Knows { is_suspect, report, ..its };
        let knows = Knows { is_crash_loop, keeps_failing, watched, first, ..its };
        self.knows.insert((to, app), knows);
        if let Some(episode) = told.episode {
            let first = First { decided, letter: place };
            self.firsts.entry((to, app, episode)).or_insert(first);
            if unwanted(self.case, app, episode, read.letter.written).is_some() {
                self.tolerated.insert((to, app, episode));
            }
        }
        is_news
    }

    /// Whether a person is told of an app by a report, or by the end of one.
    fn is_reported(&self, to: PersonId, app: AppId, of: Of) -> bool {
        let known = self.knows.get(&(to, app)).and_then(|knows| knows.report);
        match of {
            Of::Report(_) => true,
            Of::End => known.is_some_and(|report| self.real_reports.contains(&report)),
            Of::Change | Of::Reminder | Of::Outage { .. } => false,
        }
    }

    /// What a person was told of that an app is behind, and not the end of.
    fn joined(&self, to: PersonId, app: AppId, decided: Ms) -> Option<ReportId> {
        let above = self.case.above(app, decided).into_iter().filter(|above| *above != app);
        let known = above.filter_map(|above| self.knows.get(&(to, above)));
        known.filter(|it| it.level.is_some()).filter_map(|it| it.report).max()
    }

    /// The last outage that a person was told of and not the end of, by what they read now neither.
    fn open_outage(&self, to: PersonId, read: &Read<'_>) -> Option<ReportId> {
        let theirs = self.knows.iter().filter(|((person, _), _)| *person == to);
        let ends: Vec<AppId> =
            read.states.iter().filter(|it| it.of == Of::End).filter_map(|it| it.app).collect();
        let open = theirs.filter(|((_, app), it)| it.level.is_some() && !ends.contains(app));
        let outages = open.filter_map(|(_, knows)| knows.report);
        outages.filter(|it| !self.real_reports.contains(it)).max()
    }

    /// A person is told that an app is well again; whether that is news.
    fn recovery(&mut self, place: usize, read: &Read<'_>, told: &Statement, app: AppId) -> bool {
        let to = read.letter.to;
        let decided = self.decided(read, told);
        let was_owed = self.knows.get(&(to, app)).is_some_and(|knows| knows.level.is_some());
        let counted = read.counts().filter(|_| told.of == Of::End && !was_owed);
        if let Some((counted, episode)) = counted.zip(told.episode) {
            let at = self.case.clock.meant(counted, read.letter.worded).unwrap_or(decided);
            let first = First { decided: at, letter: place };
            self.firsts.entry((to, app, episode)).or_insert(first);
        }
        if !was_owed && counted.is_none() && !self.blurred.contains(&to) {
            let what = format!(
                "{} is told that {} is well again, and was not told that it was unwell",
                self.case.person(to),
                self.case.name(app)
            );
            let at = read.letter.accepted;
            self.find(Fault::NoAlarm, (app, to), (decided, at), what);
        }
        self.covered(to, app, decided);
        let knows = self.knows.entry((to, app)).or_default();
        self.reminders.ends((to, app), knows.since, decided);
        if let Some(report) = knows.report {
            let ended = self.ended.entry(report).or_default();
            *ended = decided.max(*ended);
        }
        let (episode, at) = (told.episode, decided);
        let Knows { watched, first, .. } = *knows;
        *knows = Knows { episode, at, watched, first, ..Knows::default() };
        true
    }

    /// What a person knows of an app when something is decided: nothing any more of one that was
    /// stopped since.
    fn knows(&self, to: PersonId, app: AppId, decided: Ms) -> Knows {
        let knows = self.knows.get(&(to, app)).copied().unwrap_or_default();
        match self.case.life(app).next_stop(knows.at) {
            Some(stop) if stop < decided => {
                Knows { watched: knows.watched, at: knows.at, ..Knows::default() }
            }
            _ => knows,
        }
    }

    fn decided(&self, read: &Read<'_>, told: &Statement) -> Ms {
        let written = read.letter.written;
        if read.reading.list.is_empty() {
            return written;
        }
        if let Some(decided) = told.decided {
            return decided;
        }
        let meant = told.changed.and_then(|it| self.case.clock.meant(it, read.letter.worded));
        // A clock that was off may have it that it was decided before it began.
        let begun = told.app.zip(told.episode);
        let begun = begun.map_or(0, |(app, it)| self.case.life(app).episodes[it].from);
        let meant = meant.filter(|meant| *meant + SLACK >= begun);
        meant.map_or(written, |meant| meant.min(written))
    }

    fn false_alarm(&mut self, read: &Read<'_>, told: &Statement, app: AppId, decided: Ms) {
        let (case, life) = (self.case, self.case.life(app));
        let to = read.letter.to;
        let changed = told.changed.and_then(|it| case.clock.meant(it, read.letter.worded));
        let mut shown = changed.into_iter().chain([decided]).filter_map(|at| life.loops.near(at));
        // When a quiet time is over it is told if it goes on, whatever passes.
        let held = life.is_quiet_between(decided.saturating_sub(PATIENCE), decided);
        let goes_on = || held && life.loops.may_go_on(life.app, decided);
        if told.is_crash_loop && (shown.next().is_some() || goes_on()) {
            return;
        }
        let is_report = matches!(told.of, Of::Report(_));
        // What a list tells is known to a second, all else exactly.
        let is_read = !read.reading.list.is_empty() && told.decided.is_none();
        let slack = if is_read { SLACK } else { 0 };
        let first = told.episode.map(|episode| {
            let of_it = &life.episodes[episode].checks;
            let known = self.knows.get(&(to, app)).filter(|knows| knows.level.is_some());
            if known.is_some_and(|knows| knows.episode == told.episode) {
                return of_it.start;
            }
            // Its row, if that has not been broken since.
            let row = life.check_by(decided + slack).map(|at| life.rows[at].earliest);
            row.filter(|row| of_it.contains(row)).unwrap_or(of_it.start)
        });
        if let Some(first) = first.filter(|_| life.app.reports()) {
            return self.false_report(read, told, (app, decided), first);
        }
        let written = read.letter.written;
        let begun = first.map_or(written, |first| life.app.checks[first].begun);
        let after = case.over_by(decided).filter(|_| is_report);
        // What happened before it was over is not why it is not back now.
        let begun = begun.max(after.map_or(0, |after| after.span.end()));
        let has_passed = is_report && life.check_by(decided).is_some_and(|at| life.passed(at));
        // A loop is shown by its registrations alone.
        let first = first.filter(|_| !has_passed && !told.is_crash_loop);
        let kinds = life.acted(begun, written).map(|(_, cause)| case.story.causes[cause.0].kind);
        let mut kinds: Vec<CauseKind> = kinds.collect();
        if first.is_some_and(|_| kinds.iter().any(|kind| !kind.is_ours())) {
            return;
        }
        if first.is_none() {
            kinds.clear();
        }
        let away = spans::covered(&case.absent, begun, written) > 0;
        let ours = after.map(|after| after.kind.of_cause());
        let away = (away && first.is_some()).then_some(CauseKind::OurAbsence);
        let kind = kinds.first().copied().or(ours).or(away);
        let why = kind.map_or("nothing ailed it".to_owned(), |kind| format!("it was {kind:?}"));
        let what = format!(
            "{} is told that {} is {}, but {why}",
            case.person(to),
            case.name(app),
            told.state().word()
        );
        self.find(Fault::False(kind), (app, to), (begun, read.letter.accepted), what);
    }

    /// From when on a person is owed the end of what they know: when it is well; of a report, when all of
    /// theirs in it are.
    fn owed_from(&self, to: PersonId, app: AppId, knows: Knows) -> Option<Ms> {
        let life = self.case.life(app);
        // What it does meanwhile is known of one that keeps failing.
        let told_of = |app: AppId, episode: usize| match knows.keeps_failing {
            Some(_) => self.case.life(app).episodes.len().saturating_sub(1),
            None => episode,
        };
        let well = |app: AppId, episode: usize| {
            self.case.life(app).episodes[told_of(app, episode)].until()
        };
        let episode = told_of(app, knows.episode?);
        let Ending::Well(own) = life.episodes[episode].ending else { return None };
        let own = if knows.is_crash_loop { own.max(life.app.well_after(knows.at)?) } else { own };
        let missing = knows.report.and_then(|report| self.missing.get(&report));
        let still = |(other, _): &&(AppId, usize)| {
            // Who was told something else since is awaited no longer.
            self.knows.get(&(to, *other)).is_some_and(|it| it.report == knows.report)
        };
        let others = missing.into_iter().flatten().filter(still);
        // Who is off is not waited for.
        let rests = |(app, episode): &(AppId, usize)| {
            let well = well(*app, *episode);
            self.case.life(*app).app.off_between(knows.at, well).unwrap_or(well)
        };
        let told = knows.report.and_then(|report| self.ended.get(&report)).copied();
        let mut owed = others.map(rests).chain(told).fold(own, Ms::max);
        // Of who is unwell again by then, or is told with one that is, the end is owed when that is over; and of who
        // is quiet, too: it is asked when that ends.
        let with: BTreeSet<AppId> =
            missing.into_iter().flatten().filter(still).map(|(app, _)| *app).chain([app]).collect();
        let mut asked = 0;
        loop {
            let is_again = |it: &&Episode| it.from <= owed + asked && owed < it.until();
            let again = |app: &AppId| {
                let life = self.case.life(*app);
                let until = life.episodes.iter().find(is_again)?.until();
                Some(life.app.off_between(owed, until).unwrap_or(until))
            };
            let again = with.iter().filter_map(again).max();
            let quiet = with.iter().filter_map(|app| self.case.life(*app).quiet_until(owed)).max();
            let quiet = quiet.filter(|_| again.is_none());
            asked = if quiet.is_some() { PATIENCE } else { 0 };
            match again.or(quiet).filter(|later| *later > owed) {
                Some(later) => owed = later,
                None => break,
            }
        }
        let believed = |owed: Ms| {
            let now = life.app.registered_at(owed).filter(|_| knows.keeps_failing.is_some());
            owed.saturating_add(
                now.map_or(0, |now| allowance::calm(now, self.falls_on_host(to, app, owed))),
            )
        };
        (owed < Ms::MAX).then(|| believed(owed))
    }

    /// Somebody was told that an app is unwell, and it has been well since.
    fn never_ended(&mut self, to: PersonId, app: AppId, knows: Knows, at: Ms) {
        let Some(episode) = knows.episode else { return };
        let episode = &self.case.life(app).episodes[episode];
        let Ending::Well(well) = episode.ending else { return };
        if self.blurred.contains(&to) {
            return;
        }
        let what = format!(
            "{} was told that {} is unwell, and never that it is well again since {}",
            self.case.person(to),
            self.case.name(app),
            time(well)
        );
        self.find(Fault::NoEnd, (app, to), (well, at.min(well + PATIENCE)), what);
    }

    /// What was told last, at the end of the story.
    fn ends(&mut self) {
        let length = self.case.story.length;
        let open: Vec<_> = self.knows.iter().map(|(key, knows)| (*key, *knows)).collect();
        for ((to, app), knows) in open {
            self.covered(to, app, length);
            let life = self.case.life(app);
            let known = Some(knows).filter(|knows| knows.level.is_some());
            let Some(well) = known.and_then(|knows| self.owed_from(to, app, knows)) else {
                continue;
            };
            let each = life.app.registered_at(well).map_or(0, allowance::each);
            // Passes that were lost with the power have to come again.
            let due = well.saturating_add(2 * each + PATIENCE);
            let stopped = life.next_stop(knows.at).is_some_and(|stop| stop <= due);
            if !stopped && self.case.post.free(to, due, length) > PATIENCE {
                self.never_ended(to, app, knows, length);
            }
        }
    }

    /// A person may be told of apps that are watched; whether that is news then.
    fn watching(&mut self, read: &Read<'_>) -> Option<bool> {
        let to = read.letter.to;
        let written = read.letter.written;
        let listed = read.reading.list.iter().filter_map(|point| match &point.tells {
            Tells::Watching(row) => Some(row),
            _ => None,
        });
        let alone = read.reading.watching.as_ref().map(|(row, _)| row);
        let rows: Vec<&Row> = listed.chain(alone).collect();
        let mut is_news = false;
        for app in rows.iter().flat_map(|row| &row.names).filter_map(|named| named.app) {
            let case = self.case;
            let knows = self.knows.entry((to, app)).or_default();
            let again = knows.watched.replace(written).is_some_and(|before| {
                case.life(app).next_stop(before).is_none_or(|stop| stop > written)
            });
            is_news |= !again;
        }
        is_news |= rows.iter().any(|row| row.more > 0);
        (!rows.is_empty()).then_some(is_news)
    }

    fn nothing_new(&mut self, read: &Read<'_>) {
        let (letter, case) = (read.letter, self.case);
        let what = format!("{} is told nothing new: {}", case.person(letter.to), letter.subject);
        let app = read.states.first().and_then(|statement| statement.app);
        let span = (letter.written, letter.accepted);
        let finding = case.finding(Fault::NothingNew, (app, Some(letter.to)), span, what);
        self.findings.push(finding);
    }

    fn find(&mut self, fault: Fault, (app, to): (AppId, PersonId), span: (Ms, Ms), what: String) {
        self.findings.push(self.case.finding(fault, (Some(app), Some(to)), span, what));
    }
}

/// What nobody wants to hear of, if an episode was nothing else by then.
fn unwanted(case: &Case<'_>, app: AppId, episode: usize, by: Ms) -> Option<CauseKind> {
    let life = case.life(app);
    let episode = &life.episodes[episode];
    let mut kinds = episode
        .causes
        .iter()
        .map(|cause| &case.story.causes[cause.0])
        .filter(|cause| cause.span.from <= by && !cause.kind.is_ours());
    let is_short = || {
        let mut reaches = life.acted(episode.from, by.min(episode.until()));
        reaches.all(|(span, cause)| {
            let kind = case.story.causes[cause.0].kind;
            kind != CauseKind::Deployment || span.end() - span.from < DEPLOYMENT
        })
    };
    let first = kinds.next()?.kind;
    let all = [first].into_iter().chain(kinds.map(|cause| cause.kind));
    let is_unwanted = |kind: CauseKind| match kind {
        CauseKind::NightlyOff | CauseKind::LeftHouse | CauseKind::WrongClock => true,
        CauseKind::Deployment => is_short(),
        _ => false,
    };
    all.into_iter().all(is_unwanted).then_some(first)
}
