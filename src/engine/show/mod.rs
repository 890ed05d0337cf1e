//! What the daemon shows of itself.

pub mod present;
pub mod view;
