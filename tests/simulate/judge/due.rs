//! What had to be told: whether it was, and how soon.

use std::collections::{BTreeMap, BTreeSet};

use super::allowance::{self, PATIENCE};
use super::beats;
use super::case::Case;
use super::chronicle::time;
use super::finding::{Fault, Finding};
use super::score::Score;
use super::spans;
use super::told::{First, Firsts, Known};
use super::troubles::{Trouble, Wish};
use crate::story::{AppId, CauseId, Ms, PersonId, Span};

/// When an incident began for a person, and the first that they heard of it.
struct Heard {
    begun: Ms,
    first: Option<First>,
}

/// Judges what was missed and what came late; counts incidents and delays.
pub(super) fn judge(
    case: &Case<'_>,
    (firsts, known): &(Firsts, Known),
    score: &mut Score,
) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut heard: BTreeMap<(usize, PersonId), Heard> = BTreeMap::new();
    let mut judged: BTreeSet<(PersonId, usize, usize)> = BTreeSet::new();
    let mut musts: BTreeSet<usize> = BTreeSet::new();
    let told = Told::new(case, firsts, known);
    for trouble in case.troubles.iter().filter(|it| it.wish == Wish::Must) {
        let Some(incident) = case.incidents.of_cause(trouble.cause) else { continue };
        if !trouble.people.is_empty() {
            musts.insert(incident);
        }
        for to in &trouble.people {
            let first = firsts.get(&(*to, AppId(trouble.app), trouble.episode)).copied();
            note(&mut heard, (incident, *to), trouble.begun, first);
            let due = due(case, &told, trouble, *to, first);
            // One that was over by then is none; what is told later is another.
            if trouble.until > due && judged.insert((*to, trouble.app, trouble.episode)) {
                findings.extend(in_time(case, trouble, due, *to, first));
            }
        }
    }
    for incident in &case.incidents.all {
        score.of(incident.kind).incidents += 1;
    }
    for incident in musts {
        score.of(case.incidents.all[incident].kind).must_be_told += 1;
    }
    delays(case, &heard, score);
    findings.extend(not_asked(case));
    findings.extend(beats::not_missed(case));
    findings
}

fn note(
    heard: &mut BTreeMap<(usize, PersonId), Heard>,
    key: (usize, PersonId),
    begun: Ms,
    first: Option<First>,
) {
    let entry = heard.entry(key).or_insert(Heard { begun, first: None });
    entry.begun = entry.begun.min(begun);
    // What was told before it began was of something else.
    let first = first.filter(|first| first.decided >= begun);
    let earlier = |known: First| first.filter(|it| it.letter < known.letter).unwrap_or(known);
    entry.first = entry.first.map(earlier).or(first);
}

/// When each person was told of trouble.
struct Told<'f> {
    first: &'f Firsts,
    known: &'f Known,
    /// By incident and person: each mail, and which app it named first then.
    of: BTreeMap<(usize, PersonId), Vec<(Ms, AppId)>>,
    /// Each letter that tells of trouble, by when it was written.
    letters: BTreeMap<PersonId, Vec<Ms>>,
}

impl<'f> Told<'f> {
    fn new(case: &Case<'_>, firsts: &'f Firsts, known: &'f Known) -> Told<'f> {
        let mut of: BTreeMap<(usize, PersonId), Vec<(Ms, AppId)>> = BTreeMap::new();
        for ((to, app, episode), First { decided, .. }) in firsts {
            let life = case.life(*app);
            for incident in case.incidents.told(case.story, life, *episode, *decided) {
                of.entry((incident, *to)).or_default().push((*decided, *app));
            }
        }
        of.values_mut().for_each(|told| told.sort_unstable());
        let mut letters: BTreeMap<PersonId, Vec<Ms>> = BTreeMap::new();
        for read in case.letters.iter().filter(|read| read.states.iter().any(|it| it.is_trouble()))
        {
            letters.entry(read.letter.to).or_default().push(read.letter.written);
        }
        letters.values_mut().for_each(|written| written.sort_unstable());
        Told { first: firsts, known, of, letters }
    }
}

/// When a person has to have been told of a trouble: who joins what they know waits for the next mail of
/// that, and who has had several mails gets one for all that comes.
fn due(
    case: &Case<'_>,
    told: &Told<'_>,
    trouble: &Trouble,
    to: PersonId,
    first: Option<First>,
) -> Ms {
    let due = trouble.deadline;
    let incident = case.incidents.of_cause(trouble.cause);
    let known = incident.and_then(|incident| told.of.get(&(incident, to)));
    let mut others = known.into_iter().flatten().filter(|(_, app)| *app != AppId(trouble.app));
    let before = others.next().map(|(at, _)| *at).filter(|at| *at < due);
    let app = AppId(trouble.app);
    // What is on its host, or above it, or behind the same, was told, and has not been well since.
    let near = told.first.iter().filter(|((person, other, episode), first)| {
        let is_open = || case.life(*other).episodes[*episode].until() > trouble.begun;
        let is_near = || case.is_related(app, *other, trouble.begun);
        *person == to && *other != app && first.decided < due && is_open() && is_near()
    });
    // What comes and goes there may be well just then, and they have not heard so.
    let spells = told.known.iter().filter(|((person, other), span)| {
        // They may hear of that while this begins.
        let is_known = || span.from <= due && trouble.begun <= span.end();
        let near = || case.is_related(app, *other, trouble.begun);
        *person == to
            && *other != app
            && is_known()
            && near()
            && case.passes_beside(app, *span, due)
    });
    let known = before.into_iter().chain(near.map(|(_, first)| first.decided));
    let joins = known.map(|at| allowance::update(at, due));
    let joins = joins.chain(spells.map(|_| allowance::flaky(due)));
    let joins = joins.filter(|_| trouble.is_silent).max();
    let written = told.letters.get(&to).map_or(&[][..], Vec::as_slice);
    let own = first.map_or(due, |first| case.letters[first.letter].letter.written);
    // Who knew of the app before that trouble began has waited for nothing.
    let until = written.partition_point(|at| *at < due.min(own));
    let had = until
        .saturating_sub(written.partition_point(|at| *at + allowance::SHORTLY < trouble.begun));
    let bundled = allowance::bundled(had);
    let freed = freed(case, trouble, due);
    // An update may be the mail that waits.
    let mut due = joins.unwrap_or(due).max(freed) + bundled;
    let above = case.above(app, trouble.begun);
    // Who has heard enough of what it is behind hears of it when that is over, unless they say so again by then.
    loop {
        let deaf = case.mutes.last_end(to, &above, trouble.begun, due);
        match deaf.map(|end| allowance::update(end, end)).filter(|after| *after > due) {
            Some(after) => due = after,
            None => return due,
        }
    }
}

/// When who is silent is to be told at the latest, if a quiet time of others ends while it waits for who else is:
/// they are waited for, too.
fn freed(case: &Case<'_>, trouble: &Trouble, due: Ms) -> Ms {
    let apps = (0..case.lives.len()).filter(|_| trouble.is_silent);
    let ends = apps.flat_map(|app| case.quiet.perhaps(app)).map(|span| span.end());
    let ends = ends.filter(|end| trouble.begun < *end && *end <= due);
    ends.map(allowance::freed).max().unwrap_or(0)
}

/// Whether a person heard of a trouble in time.
fn in_time(
    case: &Case<'_>,
    trouble: &Trouble,
    due: Ms,
    to: PersonId,
    first: Option<First>,
) -> Option<Finding> {
    let kind = case.story.causes[trouble.cause.0].kind;
    let app = AppId(trouble.app);
    let (person, name) = (case.person(to), case.name(app));
    let since = format!("{kind:?} since {}", time(trouble.begun));
    let Some(First { decided, letter: place }) = first else {
        if case.post.free(to, due, case.story.length) <= PATIENCE {
            return None;
        }
        let what = format!(
            "{person} was never told that {name} is unwell ({since}, to be written by {})",
            time(due)
        );
        let around = (trouble.begun, due);
        return Some(case.finding(Fault::Missed(kind), (Some(app), Some(to)), around, what));
    };
    let held_back = case.letters[place].reading.digest.is_some();
    let letter = case.letters[place].letter;
    // A mail that was written sooner waits for others until then, or for the end of a quiet time; and one whose apps
    // are quiet by the time that it could go waits for that.
    let (written, worded) = (decided.max(due), letter.worded);
    let quiet = spans::between(case.quiet.perhaps(trouble.app), written, worded);
    let idle = |from: Ms, until: Ms| case.post.idle(to, from.max(written), until.min(worded));
    let until = |span: &Span| span.end().saturating_add(allowance::AFTER_QUIET);
    let hushed: Ms = quiet.iter().map(|span| idle(span.from, until(span))).sum();
    let waited = idle(written, worded).saturating_sub(hushed);
    let late = decided.saturating_sub(due) + waited.saturating_sub(PATIENCE);
    if late == 0 {
        return None;
    }
    let what = format!(
        "{person} was told {} s too late that {name} is unwell ({since}, to be written by {}){}: {}",
        late.div_ceil(1000),
        time(due),
        if held_back { ", since they had had enough mails" } else { "" },
        letter.subject
    );
    let around = (trouble.begun, letter.accepted);
    Some(case.finding(Fault::Late(kind), (Some(app), Some(to)), around, what))
}

fn delays(case: &Case<'_>, heard: &BTreeMap<(usize, PersonId), Heard>, score: &mut Score) {
    for ((incident, to), Heard { begun, first }) in heard {
        let Some(First { decided, letter }) = first else { continue };
        // Who knows already that it keeps failing has waited for nothing.
        let accepted = case.letters[*letter].letter.accepted.max(*begun);
        let delay = case.post.free(*to, *begun, accepted);
        let away = spans::covered(&case.absent, *begun, *decided);
        let written = decided.saturating_sub(*begun).saturating_sub(away);
        let figures = score.of(case.incidents.all[*incident].kind);
        figures.delay_s.count(delay.div_ceil(1000));
        figures.written_s.count(written.div_ceil(1000));
    }
}

/// Causes that let nothing pass, long enough to be seen, and that no check ever met.
fn not_asked(case: &Case<'_>) -> Vec<Finding> {
    let mut met: BTreeSet<(CauseId, usize)> = BTreeSet::new();
    for (app, life) in case.lives.iter().enumerate() {
        for cause in life.episodes.iter().flat_map(|episode| &episode.causes) {
            met.insert((*cause, app));
        }
    }
    let mut findings = Vec::new();
    for (at, cause) in case.story.causes.iter().enumerate().filter(|(_, it)| it.kind.is_total()) {
        for reach in &cause.reach {
            let AppId(app) = reach.app;
            let life = &case.lives[app];
            let registered = life.app.registered_at(reach.span.from);
            let registered = registered.filter(|it| !it.may_be_off && it.grace.is_none());
            let Some(registered) = registered else { continue };
            let allowed = super::allowance::allowed(registered, 0, super::allowance::Company::None);
            let due = super::allowance::deadline(reach.span.from, allowed, &life.waits);
            let stop = life.next_stop(reach.span.from).unwrap_or(Ms::MAX);
            let end = reach.span.end().min(stop).min(case.story.length);
            if end > due && !met.contains(&(CauseId(at), app)) {
                let kind = cause.kind;
                let name = case.name(reach.app);
                let what = format!("no check of {name} met {kind:?} by {}", time(due));
                let around = (reach.span.from, due);
                let about = (Some(reach.app), None);
                findings.push(case.finding(Fault::NotAsked, about, around, what));
            }
        }
    }
    findings
}
