//! What a check costs the engine, from its deadline to its record.

use super::engine::{beginning, live, well, with_apps};
use super::figures::Usage;

/// Microseconds of the processor for each of `checks` checks of so many apps that are well.
pub(crate) fn microseconds(apps: usize, checks: u64) -> f64 {
    let (mut engine, mut now) = (with_apps(apps), beginning());
    // The first ones are told of, and find their places.
    live(&mut engine, &mut now, apps as u64 * 20, &well());
    let before = Usage::of(std::process::id()).cpu;
    live(&mut engine, &mut now, checks, &well());
    (Usage::of(std::process::id()).cpu - before).as_secs_f64() * 1e6 / checks as f64
}
