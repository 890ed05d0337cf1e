//! The help texts of the commands, made of the tables.

use std::fmt::Write;

use super::exit::Exit;
use super::table::{COMMANDS, CommandSpec};

/// A line for each command, for the help text of the program.
pub(crate) fn usages() -> String {
    let mut out = String::new();
    for command in &COMMANDS {
        let _ = writeln!(out, "  healthchecker {:22} {}", command.usage(), command.help);
    }
    out
}

/// The help text of one command.
pub(super) fn of_command(command: &CommandSpec) -> String {
    let mut out = format!("healthchecker {}\n  {}\n\nOptions:\n", command.usage(), command.help);
    for option in command.options() {
        let value = option.value.map_or_else(String::new, |value| format!(" {value}"));
        let _ = writeln!(out, "  {:22} {}", format!("--{}{value}", option.name), option.help());
    }
    let _ = writeln!(out, "\nExit codes:\n  {}.", exit_codes());
    out
}

/// What the exit codes mean, in a line.
pub(crate) fn exit_codes() -> String {
    Exit::ALL.map(|exit| format!("{} {}", exit.code(), exit.meaning())).join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_fits_a_terminal() {
        let texts = COMMANDS.iter().map(of_command).chain([usages()]);
        for text in texts {
            for line in text.lines() {
                assert!(line.chars().count() <= 100, "{line}");
            }
        }
    }
}
