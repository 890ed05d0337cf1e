//! The help text, made of the table.

use std::fmt::Write;

use super::command_line::VERBS;
use super::options::Options;
use super::resolve::DEFAULT_FILE;
use super::spec::{Role, Spec, Takes};
use super::table::OPTIONS;
use crate::client::cli;

/// What `--version` says.
pub fn version() -> String {
    format!("healthchecker {}\n", env!("CARGO_PKG_VERSION"))
}

/// What `--help` says.
pub fn help() -> String {
    let mut out = version();
    out.push_str("Watches the apps of a household and mails when a person has to act.\n");
    out.push_str("\nUsage:\n  healthchecker [OPTIONS]              serve\n");
    for (word, _, what) in VERBS {
        let usage = format!("{word} [OPTIONS]");
        let _ = writeln!(out, "  healthchecker {usage:22} {what}");
    }
    out.push_str("\nTo talk to a server (each has its own --help):\n");
    out.push_str(&cli::help::usages());
    out.push_str("\nOptions:\n");
    for spec in &OPTIONS {
        one_option(&mut out, spec);
    }
    let _ = write!(out, "{}", footer());
    out
}

fn one_option(out: &mut String, spec: &Spec) {
    let short = spec.short.map_or_else(|| "    ".to_owned(), |short| format!("-{short}, "));
    let value = match spec.takes {
        Takes::Nothing => String::new(),
        Takes::Value(kind) => format!(" {kind}"),
    };
    let _ = writeln!(out, "  {short}--{}{value}", spec.name);
    for line in spec.help {
        let _ = writeln!(out, "          {line}");
    }
    let default = match spec.role {
        Role::Setting { show, .. } => show(&Options::default()),
        Role::ConfigFile => DEFAULT_FILE.to_owned(),
        Role::Help | Role::Version | Role::CheckConfig | Role::Yes => return,
    };
    let variable = spec.variable.map_or_else(String::new, |name| format!("variable {name}, "));
    let _ = writeln!(out, "          [{variable}default {default}]");
}

fn footer() -> String {
    format!(
        "\n\
Each option is looked for by itself: on the command line, then in the environment variable
HEALTHCHECKER_NAME, then in the variable named above, then in the configuration file, then its
default holds. The file {DEFAULT_FILE} has a line name=value for each option that is set; values are
written as in Python (port=9090, debug=True, email=['a@example.org', 'b@example.org']), comments
begin with #. A long option is read with - for _ too.

The log goes to standard error: changes of state, trouble and the start. --verbose adds every check,
--debug adds everything, also from the libraries.

Exit codes: 0 in order, 78 something is wrong with the configuration. Of commands for a server:
{}.
",
        cli::help::exit_codes()
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_option_and_every_word_is_in_it() {
        let help = help();
        for spec in &OPTIONS {
            assert!(help.contains(&format!("--{}", spec.name)), "{}", spec.name);
            for other in
                [spec.short.map(|short| format!("-{short}, ")), spec.variable.map(str::to_owned)]
            {
                assert!(help.contains(&other.unwrap_or_default()), "{}", spec.name);
            }
        }
        for (word, ..) in VERBS {
            assert!(help.contains(word), "{word}");
        }
    }

    #[test]
    fn it_fits_a_terminal() {
        for line in help().lines() {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}
