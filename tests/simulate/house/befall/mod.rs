//! What befalls a household: a file for each part of it.

mod addresses;
mod apps;
mod certificates;
mod daemon;
mod hosts;
mod network;
mod people;
pub(super) mod power;
mod reports;

use super::plan::Plan;

/// All of it.
pub(crate) fn befall(plan: &mut Plan) {
    people::befall(plan);
    apps::befall(plan);
    hosts::befall(plan);
    network::befall(plan);
    addresses::befall(plan);
    power::befall(plan);
    daemon::befall(plan);
    reports::befall(plan);
    certificates::befall(plan);
}
