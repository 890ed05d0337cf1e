//! The command line for the household: `healthchecker list`, `healthchecker monitor NAME URL`, ….
//!
//! - [`table`] has the commands and their options once, for all who need them.
//! - [`arguments`] takes a command line apart, [`completions`] helps a shell to write one.
//! - [`mod@run`] does what it says and prints the answer.

pub mod arguments;
mod backup;
pub mod completions;
pub mod help;
pub mod run;
pub mod table;
mod text;

pub use arguments::is_meant;
pub use run::run;
