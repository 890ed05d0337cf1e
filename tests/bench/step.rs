//! What a check costs the engine, from its deadline to its record.

use super::engine::{Household, well, with_apps};
use super::figures::Usage;

/// Microseconds of the processor for each of `checks` checks of so many apps that are well.
pub(crate) fn microseconds(apps: usize, checks: u64) -> f64 {
    let mut household = Household::of(with_apps(apps));
    // The first ones are told of, and find their places.
    household.live(apps as u64 * 20, &well());
    let before = Usage::of(std::process::id()).cpu;
    household.live(checks, &well());
    (Usage::of(std::process::id()).cpu - before).as_secs_f64() * 1e6 / checks as f64
}
