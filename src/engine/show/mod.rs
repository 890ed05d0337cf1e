//! What the daemon shows of itself.

pub mod export;
pub mod glance;
pub mod measure;
pub mod present;
pub mod view;
