//! The edge: the only place with sockets, threads and clocks.

pub mod journal;
