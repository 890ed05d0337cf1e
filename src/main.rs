//! The doorstep: everything else is in the library.

use std::io::{self, Write};
use std::process::ExitCode;

use healthchecker::config::in_force::InForce;
use healthchecker::config::{self, Command, EXIT_CONFIG, help};
use healthchecker::logging;

fn main() -> ExitCode {
    match config::parse(std::env::args_os().skip(1), std::env::vars_os(), &config::read_file) {
        Err(problems) => {
            // Nobody is left to be told if this fails; the exit code stands.
            let _ = write!(io::stderr(), "{problems}");
            ExitCode::from(EXIT_CONFIG)
        }
        Ok(Command::Help) => print(&help::help()),
        Ok(Command::Version) => print(&help::version()),
        Ok(Command::CheckConfig(in_force)) => print(&in_force.to_string()),
        Ok(Command::Run(in_force) | Command::TestMail(in_force)) => begin(&in_force),
    }
}

/// Starts the log and says in it what the owner should know from the start.
fn begin(in_force: &InForce) -> ExitCode {
    if logging::start(&in_force.settings).is_err() {
        return ExitCode::FAILURE;
    }
    for warning in &in_force.warnings {
        log::warn!("{warning}");
    }
    ExitCode::SUCCESS
}

/// Prints the answer to a question. A reader that has seen enough (`| head`) is no failure.
fn print(text: &str) -> ExitCode {
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}
