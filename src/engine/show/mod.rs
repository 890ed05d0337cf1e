//! What the daemon shows of itself.

pub mod glance;
pub mod present;
pub mod view;
