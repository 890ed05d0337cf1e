//! Who is told what: alerts, the mails that tell of them, and the outbox that they wait in.

pub mod alert;
mod backoff;
mod barred;
pub mod delivery;
pub mod letter;
pub(in crate::engine) mod merge;
pub mod notice;
pub mod outbox;
pub mod rates;
pub mod recipients;
pub mod refusals;
pub(in crate::engine) mod rehearsal;
mod tell;
mod trouble;
