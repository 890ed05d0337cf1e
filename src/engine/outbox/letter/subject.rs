//! The subject: what a person sees on a locked phone.

use super::story::Story;
use super::{blind, outage, report, sentence};
use crate::engine::outbox::notice::Change;
use crate::engine::state::State;
use crate::engine::time::Moment;

/// Mail filters look for it.
const PREFIX: &str = "[HealthChecker] ";
/// Characters of a subject: more is cut off by mail programs anyway.
pub(super) const MAX_SUBJECT: usize = 120;
/// Characters for the names of newly watched apps when other news shares the subject.
const SHARED_WATCHING: usize = 40;

/// One line, [`MAX_SUBJECT`] characters at most. What has been overtaken is left to the body.
pub(super) fn write(story: &Story<'_>, now: Moment) -> String {
    let room = MAX_SUBJECT - PREFIX.len();
    let reports = story.reports.iter().map(|it| report::subject(it, room));
    let ends = story.ends.iter().map(|back| report::end(back));
    let changes = worst_first(&story.latest).map(sentence::state);
    let outages = story.outages.iter().map(|it| outage::subject(it, room));
    let blind = story.blind.iter().map(|times| blind::subject(times, now, story.zone));
    let mut news: Vec<String> =
        reports.chain(outages).chain(changes).chain(blind).chain(ends).collect();
    if news.is_empty() && !story.watching.is_empty() {
        let start = "Now watching ";
        return format!("{PREFIX}{start}{}", story.watching_names(room - start.len()));
    }
    if !story.watching.is_empty() {
        news.push(format!("now watching {}", story.watching_names(SHARED_WATCHING)));
    }
    match news.as_slice() {
        [] => format!("{PREFIX}Test mail"),
        [only] => format!("{PREFIX}{only}"),
        _ if story.changes > 1 => {
            let count = format!("{} changes: ", story.changes);
            format!("{PREFIX}{count}{}", sentence::fit(&news, 0, room - count.len()))
        }
        _ => format!("{PREFIX}{}", sentence::fit(&news, 0, room)),
    }
}

fn worst_first<'a>(changes: &'a [&Change]) -> impl Iterator<Item = &'a Change> {
    let rank = |state| match state {
        State::Unhealthy => 0,
        State::Degraded => 1,
        State::Unknown => 2,
        State::Healthy => 3,
    };
    let mut sorted = changes.to_vec();
    sorted.sort_by_key(|change| rank(change.to));
    sorted.into_iter()
}
