//! What is fed with bytes that anybody may have sent, and what must hold whatever they are.
//!
//! Each subject has one function, `run`, for libFuzzer (`make fuzz`) and for the test that replays
//! the corpus.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    missing_docs,
    unreachable_pub,
    reason = "a test may fail loudly"
)]

pub mod answer_head;
pub mod configuration;
pub mod echo;
pub mod health;
pub mod journal;
pub mod mail;
pub mod mdns;
pub mod parameters;
pub mod request;

/// The bytes up to the first zero as text, and the rest.
fn text(bytes: &[u8]) -> (String, &[u8]) {
    let end = bytes.iter().position(|byte| *byte == 0).unwrap_or(bytes.len());
    let rest = bytes.get(end + 1..).unwrap_or_default();
    (String::from_utf8_lossy(&bytes[..end]).into_owned(), rest)
}
