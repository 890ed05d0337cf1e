//! The edge: the only place with sockets, threads and clocks.

pub mod api;
pub mod clock;
pub mod discovery;
pub mod gate;
pub mod mailer;
pub mod names;
pub mod prober;
