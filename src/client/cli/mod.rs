//! The command line for the household: `healthchecker list`, `healthchecker monitor NAME URL`, ….
//!
//! - `table` has the commands and their options once, for all who need them.
//! - `arguments` takes a command line apart, `completions` helps a shell to write one.
//! - `run` does what it says and prints the answer; `register` is `monitor` and `edit`, `backup`
//!   is `export` and `import`, and both read what is on `record`.
//! - `list` is that command; `text` is an answer for people, in the `layout` of a terminal, `exit` is
//!   how a command ended.

mod arguments;
mod backup;
mod completions;
mod exit;
pub(crate) mod help;
mod kuma;
mod layout;
mod list;
mod output;
mod record;
mod register;
mod run;
mod scan;
pub(crate) mod table;
mod text;

pub use arguments::is_meant;
pub use exit::Exit;
pub use run::run;
