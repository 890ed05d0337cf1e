//! Words for people: safe, short, the same everywhere.

pub mod note;
pub mod plain;
pub mod span;
