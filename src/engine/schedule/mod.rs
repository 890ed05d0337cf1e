//! When: every deadline of the house, and which check may take a thread.

pub mod lanes;
pub mod shortage;
pub mod spread;
pub mod wheel;
