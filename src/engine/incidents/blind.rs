//! What people are told of times in which we saw nobody, or nobody on the internet.

use super::Incidents;
use super::alert::Alert;
use crate::engine::outbox::merge::APPS_MAX;
use crate::engine::outbox::notice::{Blind, Notice};
use crate::engine::outbox::{Message, Outbox};
use crate::engine::recipients::Recipient;
use crate::engine::registry::Registry;
use crate::engine::sorted::{SortedMap, SortedSet};
use crate::engine::state::State;
use crate::engine::surroundings::Surroundings;
use crate::engine::surroundings::run::Gap;

/// A message to each person with apps on other machines, but to nobody who is `spared`. The last of the
/// gaps may go on. Those of the internet are told to the people of apps `out_there`.
pub fn blind_messages(
    (gaps, out_there): &(Vec<Gap>, Vec<String>),
    (incidents, registry): (&Incidents, &Registry),
    surroundings: &Surroundings,
    outbox: &Outbox,
    spared: &SortedSet<Recipient>,
) -> Vec<Message> {
    let Some(first) = gaps.first() else { return Vec::new() };
    let goes_on = gaps.last().is_some_and(Gap::goes_on);
    let of_all = gaps.iter().any(|gap| !gap.internet);
    // What they are told, and whether one of theirs is out there.
    let mut all: SortedMap<Recipient, (Blind, bool)> = SortedMap::default();
    for (id, app) in registry.by_name().filter(|(_, app)| !app.paused) {
        let is_out_there = out_there.contains(&app.registration.name);
        let is_concerned = is_out_there || (of_all && surroundings.is_away_from_us(id, app));
        if !is_concerned {
            continue;
        }
        let is_ill = matches!(app.state(), State::Unhealthy | State::Degraded);
        let was_ill = is_ill && app.monitor.since.is_not_after(first.from);
        let is_other_now = |alert: &Alert| {
            let well = alert.recovered.is_some_and(|recovered| !recovered.is_not_after(first.from));
            // It has another address, at which it has not shown that it is well.
            let moved =
                !alert.over && alert.is_told() && !app.monitor.since.is_not_after(first.from);
            well || moved
        };
        let was_ill_then = incidents.alert(id).is_some_and(is_other_now);
        if goes_on && app.state() == State::Unhealthy {
            // They know.
            continue;
        }
        for to in outbox.told(app.registration.recipients()) {
            let fresh = || (Blind { gaps: gaps.clone(), ..Blind::default() }, false);
            all.update(to, fresh, |(blind, theirs)| {
                *theirs |= is_out_there;
                blind.of += 1;
                blind.as_before += usize::from(was_ill || (!is_ill && !was_ill_then));
                if goes_on && blind.apps.len() < APPS_MAX {
                    blind.apps.push(app.registration.name.clone());
                }
            });
        }
    }
    let told = all.into_iter().filter(|(to, _)| !spared.contains(to));
    let message = |(to, (mut blind, theirs)): (Recipient, (Blind, bool))| {
        blind.gaps.retain(|gap| theirs || !gap.internet);
        Message { to, notice: Notice::Blind(blind), thread: Vec::new() }
    };
    told.map(message).collect()
}
