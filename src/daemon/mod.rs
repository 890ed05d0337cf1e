//! The edge: the only place with sockets, threads and clocks.

pub mod clock;
pub mod names;
pub mod prober;
