//! Registers an app, and nothing else: `register NAME URL [EMAIL]`, with URL `:8080` for that port of this machine.

// A program of its own says itself what went wrong.
#![allow(clippy::print_stderr)]

use std::process::ExitCode;

use healthchecker::client::{HealthCheckerServer, Monitor};

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let (Some(name), Some(url)) = (args.next(), args.next()) else {
        eprintln!("usage: register NAME URL [EMAIL]");
        return ExitCode::FAILURE;
    };
    let how = args.next().map_or_else(Monitor::new, |email| Monitor::new().email(&email));
    match HealthCheckerServer::new(name, url).monitor(&how) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            eprintln!("{why}");
            ExitCode::FAILURE
        }
    }
}
