//! Who is told what: alerts, the mails that tell of them, and the outbox that they wait in.

pub mod alert;
mod backoff;
pub mod delivery;
pub mod letter;
pub mod notice;
pub mod outbox;
mod tell;
