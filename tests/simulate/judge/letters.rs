//! The letters, as read: what each states of which app, and what of it belongs where.

use std::collections::{BTreeMap, BTreeSet};

use super::allowance::{PATIENCE, RETRY_MAX};
use super::clock::{Clock, SLACK};
use super::life::Life;
use super::reading::{
    self, End, Full, Known, Named, News, Outage, Point, Reading, Report, Row, Says, Tells, Told,
};
use super::spans;
use crate::story::{AppId, Letter, Ms, PersonId, Span, Story, Try};
use healthchecker::engine::state::State;

/// A letter, the first time that it was accepted.
pub(super) struct Read<'s> {
    pub(super) letter: &'s Letter,
    pub(super) reading: Reading,
    /// What it states of apps, in order: all that can be told apart.
    pub(super) states: Vec<Statement>,
}

impl Read<'_> {
    /// When the first of what it lists came that is over by now, and of which it counts some: those are
    /// named by the end.
    pub(super) fn counts(&self) -> Option<Told> {
        let counts = |point: &&Point| match &point.tells {
            Tells::Outage(line) => line.silent > 0 || line.named.more > 0,
            Tells::Report(line) => line.missing.more > 0,
            _ => false,
        };
        self.reading.list.iter().find(counts)?.at
    }
}

/// Where a statement stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// It is told by itself.
    Change,
    /// In a report: the app is not back. By its place in the letter, as all that tell of several.
    Report(usize),
    /// Of an outage: the app is silent with others; after `more`, who were told before.
    Outage { place: usize, more: bool },
    /// The reader knows it, and is told again.
    Reminder,
    /// In the end of either: it is well.
    End,
}

impl Of {
    fn outage(place: usize, how: News) -> Of {
        match how {
            News::Still => Of::Reminder,
            News::First | News::More => Of::Outage { place, more: how == News::More },
        }
    }
}

/// That an app is so.
#[derive(Clone, Debug)]
pub(super) struct Statement {
    pub(super) of: Of,
    pub(super) name: String,
    pub(super) app: Option<AppId>,
    pub(super) says: Says,
    /// It does not answer, and was not asked often enough to be UNHEALTHY.
    pub(super) is_suspect: bool,
    /// It registers and dies again and again.
    pub(super) is_crash_loop: bool,
    /// It is told that it was HEALTHY only shortly before, or others on its host.
    pub(super) keeps_failing: bool,
    /// When it changed.
    pub(super) changed: Option<Told>,
    /// When that was decided, where the letter does not say.
    pub(super) decided: Option<Ms>,
    /// The place in [`Reading::full`], for the last that is said of an app.
    pub(super) full: Option<usize>,
    /// The episode that it belongs to, by its place.
    pub(super) episode: Option<usize>,
    /// What its reader was told of the app up to it.
    pub(super) thread: Option<Thread>,
}

/// What a person is told of an app, as far as the next end of it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Thread {
    /// When the first that tells of trouble was decided, as far as the letter tells,
    pub(super) from: Ms,
    /// and the last.
    pub(super) last: Ms,
    /// The episode that it tells of.
    pub(super) episode: usize,
    is_over: bool,
}

impl Statement {
    /// Whether an app that is in this state is as it says.
    pub(super) fn fits(&self, state: State) -> bool {
        let keeps_failing = self.says == Says::KeepsFailing && state == State::Degraded;
        keeps_failing || state == self.state()
    }

    pub(super) fn state(&self) -> State {
        self.says.state()
    }

    pub(super) fn is_trouble(&self) -> bool {
        matches!(self.state(), State::Degraded | State::Unhealthy)
    }
}

/// All letters, each once; and how many came again.
pub(super) fn letters<'s>(
    story: &'s Story,
    clock: &Clock<'_>,
    lives: &[Life<'_>],
) -> (Vec<Read<'s>>, u64) {
    let known = Known::new(&story.apps);
    let mut seen: BTreeSet<(PersonId, &str)> = BTreeSet::new();
    let mut again = 0;
    let mut letters = Vec::with_capacity(story.letters.len());
    for letter in &story.letters {
        if !seen.insert((letter.to, &letter.message_id)) {
            again += 1;
            continue;
        }
        let reading = reading::read(&letter.subject, &letter.text, &known);
        let mut states = statements(&reading);
        for statement in &mut states {
            statement.decided = not_back_since(statement, &reading, letter, clock, lives);
            statement.episode = episode(statement, letter, clock, lives);
        }
        letters.push(Read { letter, reading, states });
    }
    threads(&mut letters, clock);
    (letters, again)
}

/// When it was decided that an app is not back: of a report in a list, after the time that is said there.
fn not_back_since(
    statement: &Statement,
    reading: &Reading,
    letter: &Letter,
    clock: &Clock<'_>,
    lives: &[Life<'_>],
) -> Option<Ms> {
    let Of::Report(place) = statement.of else { return None };
    let life = &lives[statement.app?.0];
    let listed = reading.list.get(place).and_then(|point| clock.meant(point.at?, letter.worded));
    let since = listed.and_then(|at| life.given_up_since(at.saturating_sub(SLACK)));
    since.filter(|at| *at <= letter.written).or_else(|| life.given_up_by(letter.written))
}

/// The alert of an app stays open from one episode to the next until its people are told its end.
fn threads(letters: &mut [Read<'_>], clock: &Clock<'_>) {
    let mut threads: BTreeMap<(PersonId, AppId), Thread> = BTreeMap::new();
    for Read { letter, reading, states } in letters {
        let decided = |statement: &Statement| {
            let listed = statement.changed.filter(|_| !reading.list.is_empty());
            let meant = listed.and_then(|told| clock.meant(told, letter.worded));
            // It is told in whole seconds.
            let told = meant.map_or(letter.written, |at| (at + SLACK - 1).min(letter.written));
            statement.decided.unwrap_or(told)
        };
        for statement in states {
            let Some(app) = statement.app else { continue };
            let at = decided(statement);
            let key = (letter.to, app);
            let open = threads.get(&key).filter(|thread| !thread.is_over).copied();
            if statement.of == Of::Reminder {
                continue;
            }
            let begun = statement.episode.filter(|_| statement.is_trouble());
            let begun = begun.map(|episode| {
                // Who is told of it later is told the end of what others knew before.
                let others = threads.iter().filter(|((_, of), it)| *of == app && !it.is_over);
                let first = others.map(|(_, it)| (it.from, it.episode)).min();
                let (from, episode) = first.unwrap_or((at, episode));
                Thread { from, last: at, episode, is_over: false }
            });
            let known = match open {
                Some(thread) if statement.is_trouble() => Some(Thread { last: at, ..thread }),
                Some(thread) => Some(Thread { is_over: true, ..thread }),
                None => begun,
            };
            // What is told again when it is over is still about what was.
            statement.thread = known.or_else(|| threads.get(&key).copied());
            threads.extend(known.map(|known| (key, known)));
        }
    }
}

fn statements(reading: &Reading) -> Vec<Statement> {
    let mut reports: Vec<&Report> = reading.reports.iter().collect();
    let mut outages: Vec<&Outage> = reading.outages.iter().collect();
    let mut ends = reading.ends.iter();
    let mut statements: Vec<Statement> = Vec::new();
    for (place, point) in reading.list.iter().enumerate() {
        let at = point.at;
        match &point.tells {
            Tells::State(named, says) => {
                let is_crash_loop = point.crash_loop;
                let statement = Statement::new(Of::Change, named, *says, at);
                statements.push(Statement { is_crash_loop, ..statement });
            }
            // One that is overtaken is in the list alone.
            Tells::Report(line) => match reports.iter().position(|it| line.is_of(it)) {
                Some(told) => statements.extend(not_back(place, reports.remove(told))),
                None => statements.extend(named(Of::Report(place), &line.missing, None)),
            },
            Tells::Outage(line) => match outages.iter().position(|it| line.is_of(it)) {
                Some(told) => statements.extend(silent(place, outages.remove(told), at)),
                None => {
                    let of = Of::outage(place, line.how);
                    statements.extend(named(of, &line.named, at));
                }
            },
            Tells::End(_) => {
                statements.extend(ends.next().into_iter().flat_map(|it| back(it, at)));
            }
            Tells::Blind(_) | Tells::Watching(_) | Tells::Test => {}
        }
    }
    let beyond = reading.list.len();
    statements.extend(reports.into_iter().flat_map(|it| not_back(beyond, it)));
    statements.extend(outages.into_iter().flat_map(|it| silent(beyond + 1, it, None)));
    statements.extend(ends.flat_map(|end| back(end, None)));
    for (place, full) in reading.full.iter().enumerate() {
        let of_it = |it: &&mut Statement| it.of == Of::Change && it.name == full.named.text;
        match statements.iter_mut().rev().find(of_it) {
            Some(statement) => statement.full = Some(place),
            None => statements.push(in_full(place, full)),
        }
    }
    statements
}

fn in_full(place: usize, full: &Full) -> Statement {
    let statement = Statement::new(Of::Change, &full.named, full.says, full.facts.changed);
    Statement { full: Some(place), is_crash_loop: full.crash_loop, ..statement }
}

/// Who is not back, by a report.
fn not_back(place: usize, report: &Report) -> impl Iterator<Item = Statement> {
    let says = Says::Is(State::Unhealthy);
    report.missing.iter().map(move |named| Statement::new(Of::Report(place), named, says, None))
}

/// Who is silent with others. Who was not asked often enough counts as told, too.
fn silent(place: usize, outage: &Outage, at: Option<Told>) -> impl Iterator<Item = Statement> {
    let says = Says::Is(State::Unhealthy);
    outage.silent.iter().map(move |it| Statement {
        is_suspect: !it.unhealthy,
        keeps_failing: outage.keeps_failing,
        ..Statement::new(Of::outage(place, outage.how), &it.named, says, at)
    })
}

/// Those whom a line names, of several that are told in full no more.
fn named(of: Of, row: &Row, at: Option<Told>) -> impl Iterator<Item = Statement> {
    let says = Says::Is(State::Unhealthy);
    row.names.iter().map(move |named| Statement::new(of, named, says, at))
}

/// Who is, by its end.
fn back(end: &End, at: Option<Told>) -> impl Iterator<Item = Statement> {
    let says = Says::WellAgain(end.line.lasted);
    end.apps.names.iter().map(move |named| Statement::new(Of::End, named, says, at))
}

impl Statement {
    fn new(of: Of, named: &Named, says: Says, changed: Option<Told>) -> Statement {
        let (name, app) = (named.text.clone(), named.app);
        let (decided, full, episode, thread) = (None, None, None, None);
        let (is_suspect, is_crash_loop) = (false, false);
        Statement {
            of,
            name,
            app,
            says,
            is_suspect,
            is_crash_loop,
            keeps_failing: says == Says::KeepsFailing,
            changed,
            decided,
            full,
            episode,
            thread,
        }
    }
}

/// The episode that a statement is about: by the time that it names, else by when it was written.
fn episode(
    statement: &Statement,
    letter: &Letter,
    clock: &Clock<'_>,
    lives: &[Life<'_>],
) -> Option<usize> {
    let life = &lives[statement.app?.0];
    let written = letter.written;
    let within = |at: Ms| {
        let last = life.episodes.partition_point(|it| it.from <= at + PATIENCE).checked_sub(1)?;
        if statement.is_crash_loop {
            // It may have passed often enough since.
            return Some(last);
        }
        // Of the end, or within; a few seconds for what is told in whole ones.
        let until = life.episodes[last].until().saturating_add(PATIENCE);
        (statement.state() == State::Healthy || at <= until).then_some(last)
    };
    let named = statement.changed.and_then(|told| clock.meant(told, letter.worded));
    named.or(statement.decided).and_then(|at| within(at.min(written))).or_else(|| within(written))
}

/// When no mail could go, and how long it took besides for no fault of the engine.
pub(super) struct Post {
    /// No server took any, we were away, or the clock was not set.
    closed: Vec<Span>,
    /// Conversations with the server.
    talks: Vec<Span>,
    /// For each person: from a try in vain to the one that led to the next mail accepted.
    stuck: Vec<Vec<Span>>,
}

impl Post {
    pub(super) fn new(story: &Story, clock: &Clock<'_>, absent: &[Span]) -> Post {
        let away = story.mail_away.iter().copied().chain(clock.unset());
        let closed = spans::united(away.chain(absent.iter().copied()).collect());
        let stuck = (0..story.people.len()).map(|person| stuck(story, PersonId(person)));
        let talk = |it: &Letter| Span { from: it.worded, until: Some(it.accepted) };
        let vain = |it: &Try| Span { from: it.begun, until: Some(it.at) };
        let vain = story.tries.iter().map(vain);
        let talks = spans::united(story.letters.iter().map(talk).chain(vain).collect());
        Post { closed, talks, stuck: stuck.collect() }
    }

    /// How much of the time between two a mail to this person could not go.
    pub(super) fn excused(&self, to: PersonId, from: Ms, until: Ms) -> Ms {
        let until = until.max(from);
        let stuck = spans::between(&self.stuck[to.0], from, until);
        let closed = spans::between(&self.closed, from, until);
        let both = spans::united(closed.iter().chain(stuck).copied().collect());
        spans::covered(&both, from, until)
    }

    /// How long a mail to this person could have gone between two times.
    pub(super) fn free(&self, to: PersonId, from: Ms, until: Ms) -> Ms {
        until.saturating_sub(from).saturating_sub(self.excused(to, from, until))
    }

    /// The same, but for the time in which the server was busy with a mail before.
    pub(super) fn idle(&self, to: PersonId, from: Ms, until: Ms) -> Ms {
        let until = until.max(from);
        let (stuck, talks) = (&self.stuck[to.0], &self.talks);
        let all = [&self.closed, stuck, talks].map(|it| spans::between(it, from, until));
        until - from - spans::covered(&spans::united(all.concat()), from, until)
    }
}

fn stuck(story: &Story, person: PersonId) -> Vec<Span> {
    let accepted = story.letters.iter().filter(|letter| letter.to == person);
    let mut accepted = accepted.peekable();
    let mut stuck: Vec<Span> = Vec::new();
    for Try { begun, at, .. } in story.tries.iter().filter(|it| it.to == person) {
        while accepted.next_if(|letter| letter.accepted <= *at).is_some() {}
        // Whoever waits longer than any retry does waits for us.
        let next = accepted.peek().map_or(Ms::MAX, |letter| letter.worded.max(*at));
        let until = next.min(at + RETRY_MAX);
        stuck.push(Span { from: *begun, until: Some(until) });
    }
    spans::united(stuck)
}
