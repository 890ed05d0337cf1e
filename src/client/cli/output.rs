//! Where the words of a command go.

use std::io::{self, Write};

use super::exit::{CliError, Exit};
use crate::engine::text::plain::one_line;

/// The most characters of a complaint: whoever answers decides how long it is.
const COMPLAINT_MAX: usize = 1000;

/// Prints an answer. A reader that has seen enough (`| head`) is no failure.
pub(super) fn print(text: &str) -> Exit {
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(why) if why.kind() != io::ErrorKind::BrokenPipe => Exit::Output,
        _ => Exit::Done,
    }
}

/// Says what is wrong, in one line.
pub(super) fn complain(error: &CliError) -> Exit {
    // Nobody is left to be told if this fails; the exit code stands.
    let _ = writeln!(io::stderr(), "healthchecker: {}", one_line(&error.said, COMPLAINT_MAX));
    error.exit
}
