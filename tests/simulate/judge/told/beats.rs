//! Who is told that an app is unwell that reports by itself: it reported so, or nothing, for a reason that is not ours.

use super::super::beats;
use super::super::chronicle::time;
use super::super::finding::Fault;
use super::super::letters::{Read, Statement};
use super::Walk;
use crate::story::{AppId, Ms};

impl Walk<'_, '_> {
    /// Whether it was; the row of its reports begins at this place.
    pub(super) fn false_report(
        &mut self,
        read: &Read<'_>,
        told: &Statement,
        (app, decided): (AppId, Ms),
        first: usize,
    ) {
        let (case, to) = (self.case, read.letter.to);
        let life = case.life(app);
        let last = life.check_by(read.letter.written).unwrap_or(first).max(first);
        let Err(cause) = beats::was_unwell(case, life, (first, last)) else { return };
        let kind = cause.map(|cause| case.story.causes[cause.0].kind);
        let heard = life.app.heard.iter().rfind(|at| **at < life.app.checks[first].begun);
        let since = heard.map_or("never".to_owned(), |at| time(*at));
        let why = kind.map_or("it was not late".to_owned(), |kind| format!("it was {kind:?}"));
        let what = format!(
            "{} is told that {} is {}, heard of last: {since}, but {why}",
            case.person(to),
            case.name(app),
            told.state().word()
        );
        let begun = life.app.checks[first].begun.min(decided);
        self.find(Fault::False(kind), (app, to), (begun, read.letter.accepted), what);
    }
}
