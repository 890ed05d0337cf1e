//! Where the words of a command go.

use std::env;
use std::io::{self, Write};

use super::exit::{CliError, Exit};
use crate::config::{read_file, zone};
use crate::engine::text::plain::one_line;
use crate::engine::time::Zone;

/// The most characters of a complaint: whoever answers decides how long it is.
const COMPLAINT_MAX: usize = 1000;

/// What times are told in here: the reader's own time, wherever the daemon is.
pub(super) fn local_zone() -> Zone {
    let variable = env::var("TZ").ok().filter(|zone| !zone.is_empty());
    zone::of_machine(variable.as_deref(), &read_file).zone
}

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
