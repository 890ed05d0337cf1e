//! What people are told of times in which we saw nobody.

use std::collections::BTreeSet;

use crate::engine::outbox::merge::APPS_MAX;
use crate::engine::outbox::notice::{Blind, Notice};
use crate::engine::outbox::{Message, Outbox};
use crate::engine::recipients::Recipient;
use crate::engine::registry::Registry;
use crate::engine::sorted::SortedMap;
use crate::engine::state::State;
use crate::engine::surroundings::Surroundings;
use crate::engine::surroundings::run::Gap;

/// A message to each person with apps on other machines, but to nobody who is `spared`. The last of the
/// `gaps` may go on.
pub fn blind_messages(
    gaps: &[Gap],
    registry: &Registry,
    surroundings: &Surroundings,
    outbox: &Outbox,
    spared: &BTreeSet<Recipient>,
) -> Vec<Message> {
    let Some(first) = gaps.first() else { return Vec::new() };
    let goes_on = gaps.last().is_some_and(|gap| gap.until.is_none());
    let mut all: SortedMap<Recipient, Blind> = SortedMap::default();
    for (_, app) in
        registry.by_name().filter(|(id, app)| !app.paused && surroundings.is_away_from_us(*id, app))
    {
        let is_ill = matches!(app.state(), State::Unhealthy | State::Degraded);
        let was_ill = is_ill && app.monitor.since.is_not_after(first.from);
        if goes_on && app.state() == State::Unhealthy {
            // They know.
            continue;
        }
        for to in outbox.told(app.registration.recipients()) {
            let fresh = || Blind { gaps: gaps.to_vec(), ..Blind::default() };
            all.update(to, fresh, |blind| {
                blind.of += 1;
                blind.as_before += usize::from(was_ill || !is_ill);
                if goes_on && blind.apps.len() < APPS_MAX {
                    blind.apps.push(app.registration.name.clone());
                }
            });
        }
    }
    let told = all.into_iter().filter(|(to, _)| !spared.contains(to));
    let message = |(to, blind)| Message { to, notice: Notice::Blind(blind), thread: Vec::new() };
    told.map(message).collect()
}
