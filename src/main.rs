//! The doorstep: everything else is in the library.

use std::env;
use std::ffi::OsString;
use std::io::{self, Write};
use std::process::ExitCode;

use healthchecker::client::cli;
use healthchecker::client::discovery::Multicast;
use healthchecker::config::command_line::CommandLine;
use healthchecker::config::in_force::InForce;
use healthchecker::config::problem::Problems;
use healthchecker::config::{self, Command, EXIT_CONFIG, help};
use healthchecker::daemon::clock::Clock;
use healthchecker::daemon::{discovery, mailer, names, start};
use healthchecker::logging::{self, LastLines};
use healthchecker::setup::{self, Machine, Setup, Talk};

fn main() -> ExitCode {
    let args: Vec<OsString> = env::args_os().skip(1).collect();
    if cli::is_meant(&args) {
        let multicast = Multicast { browse: discovery::browse, look_up: names::look_up };
        return ExitCode::from(cli::run(args, multicast).code());
    }
    match config::parse(args, env::vars_os(), &config::read_file) {
        Err(problems) => wrong(&problems),
        Ok(Command::Help) => print(&help::help()),
        Ok(Command::Version) => print(&help::version()),
        Ok(Command::CheckConfig(in_force)) => print(&in_force.to_string()),
        Ok(Command::Run(in_force)) => run(&in_force),
        Ok(Command::TestMail(in_force)) => test_mail(&in_force),
        Ok(Command::Setup(line)) => set_up(line),
    }
}

fn wrong(problems: &Problems) -> ExitCode {
    // Nobody is left to be told if this fails; the exit code stands.
    let _ = write!(io::stderr(), "{problems}");
    ExitCode::from(EXIT_CONFIG)
}

/// Serves until a signal comes.
fn run(in_force: &InForce) -> ExitCode {
    let Ok(_last_lines) = start_log(in_force) else { return ExitCode::FAILURE };
    match start::run(in_force) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            log::error!("{why}");
            ExitCode::FAILURE
        }
    }
}

/// Sends one mail to each person who is told by default, and says what came of it.
fn test_mail(in_force: &InForce) -> ExitCode {
    let Ok(_last_lines) = start_log(in_force) else { return ExitCode::FAILURE };
    let outcome = mailer::test_mail(&in_force.settings, Clock::start().now(), None);
    match print(&format!("{}\n", outcome.words)) {
        code if code == ExitCode::SUCCESS => ExitCode::from(outcome.exit_code),
        code => code,
    }
}

/// Asks the owner, and writes the configuration file.
fn set_up(line: CommandLine) -> ExitCode {
    let wanted = match Setup::new(line) {
        Ok(wanted) => wanted,
        Err(problems) => return wrong(&problems),
    };
    let machine = Machine {
        variables: env::vars_os().collect(),
        test_mail: &|settings, patience| {
            mailer::test_mail(settings, Clock::start().now(), Some(patience))
        },
    };
    let mut talk = Talk { answers: &mut io::stdin().lock(), said: &mut io::stdout() };
    ExitCode::from(setup::run(wanted, &machine, &mut talk))
}

/// Starts the log and says in it what the owner should know from the start. The last lines are written
/// when what is returned is dropped.
fn start_log(in_force: &InForce) -> io::Result<LastLines> {
    let started = logging::start(&in_force.settings);
    if let Err(why) = &started {
        let _ = writeln!(io::stderr(), "cannot start the log: {why}");
    }
    for warning in &in_force.warnings {
        log::warn!("{warning}");
    }
    started
}

/// Prints the answer to a question. A reader that has seen enough (`| head`) is no failure.
fn print(text: &str) -> ExitCode {
    let mut out = io::stdout();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(e) if e.kind() != io::ErrorKind::BrokenPipe => ExitCode::FAILURE,
        _ => ExitCode::SUCCESS,
    }
}
