//! Words for people: safe, short, the same everywhere.

pub mod number;
pub mod plain;
pub mod secret;
pub mod span;
