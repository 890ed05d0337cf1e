//! What the daemon shows of itself: read from the machines, changing nothing.

pub mod export;
pub mod incidents;
pub mod metrics;
pub mod mutes;
pub mod present;
mod standing;
pub mod summary;
pub mod view;

pub(in crate::engine) use standing::off_or_away;

use super::beats::Beats;
use super::chronicle::Chronicle;
use super::incidents::Incidents;
use super::outbox::Outbox;
use super::registry::Registry;
use super::scheduler::Scheduler;
use super::surroundings::Surroundings;
use super::time::Zone;

/// What is to be seen of the engine.
#[derive(Clone, Copy, Debug)]
pub struct View<'a> {
    pub(super) registry: &'a Registry,
    pub(super) scheduler: &'a Scheduler,
    pub(super) beats: &'a Beats,
    pub(super) surroundings: &'a Surroundings,
    pub(super) chronicle: &'a Chronicle,
    pub(super) incidents: &'a Incidents,
    pub(super) outbox: &'a Outbox,
    pub(super) zone: &'a Zone,
}
