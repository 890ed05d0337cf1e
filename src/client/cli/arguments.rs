//! The command line of a command that talks to a daemon, taken apart.

use std::ffi::{OsStr, OsString};

use lexopt::{Arg, Parser};

use super::table::{self, COMMANDS, CommandSpec, SHELL, SHELLS, Verb};
use crate::config::hint::did_you_mean;
use crate::config::quoted::{quoted, shown};

/// What is to be done.
#[derive(Debug)]
pub(super) struct Arguments {
    pub command: &'static CommandSpec,
    /// As many as it takes.
    pub operands: Vec<String>,
    /// The parameters of the call that were given as options.
    pub parameters: Vec<(&'static str, String)>,
    pub server: Option<String>,
    pub token: Option<String>,
    pub dry_run: bool,
    pub names: bool,
    pub watch: bool,
    pub why: bool,
    pub json: bool,
    pub help: bool,
}

/// Whether a command line (without the program's name) is for us: the first word that is no option
/// of ours, and no value of one, is a command of ours.
pub fn is_meant(args: &[OsString]) -> bool {
    let mut args = args.iter().map(|arg| arg.to_string_lossy());
    while let Some(arg) = args.next() {
        let Some(name) = arg.strip_prefix("--") else {
            return table::command(&arg).is_some();
        };
        let (name, inline) = name.split_once('=').map_or((name, false), |(name, _)| (name, true));
        match table::option(name) {
            Some(option) if option.value.is_some() && !inline => drop(args.next()),
            Some(_) => {}
            None => return false,
        }
    }
    false
}

/// Takes a command line apart.
///
/// # Errors
/// What is wrong with it, in a sentence.
pub(super) fn read(args: impl IntoIterator<Item = OsString>) -> Result<Arguments, String> {
    let mut parser = Parser::from_args(args);
    let mut words: Vec<String> = Vec::new();
    let mut given: Vec<(String, Option<String>)> = Vec::new();
    loop {
        let next = parser.next().map_err(|why| why.to_string())?;
        let (name, spelling) = match next {
            None => break,
            Some(Arg::Value(word)) => {
                words.push(text(&word)?);
                continue;
            }
            Some(Arg::Short('h')) => ("help".to_owned(), "-h".to_owned()),
            Some(Arg::Short(letter)) => {
                return Err(unknown_option(&format!("-{letter}"), ""));
            }
            Some(Arg::Long(name)) => (name.to_owned(), format!("--{name}")),
        };
        let Some(option) = table::option(&name) else {
            return Err(unknown_option(&spelling, &name));
        };
        let value = match option.value {
            None => None,
            Some(kind) => {
                let value =
                    parser.value().map_err(|_| format!("{kind} is missing behind {spelling}"))?;
                Some(text(&value)?)
            }
        };
        given.push((option.name.to_owned(), value));
    }
    let mut words = words.into_iter();
    let word = words.next().unwrap_or_default();
    let command = table::command(&word).ok_or_else(|| {
        let near = did_you_mean(&word, COMMANDS.iter().map(|command| command.word));
        format!("unknown command {}{near}", quoted(&word))
    })?;
    let mut arguments = Arguments {
        command,
        operands: words.collect(),
        parameters: Vec::new(),
        server: None,
        token: None,
        json: false,
        dry_run: false,
        names: false,
        watch: false,
        why: false,
        help: false,
    };
    for (name, value) in given {
        arguments.take(&name, value)?;
    }
    if !arguments.help {
        arguments.count_operands()?;
    }
    Ok(arguments)
}

impl Arguments {
    fn take(&mut self, name: &str, value: Option<String>) -> Result<(), String> {
        let word = self.command.word;
        let option = self.command.options().into_iter().find(|option| option.name == name);
        let option = option.ok_or_else(|| {
            let its: Vec<String> =
                self.command.options().iter().map(|option| format!("--{}", option.name)).collect();
            format!("{word} takes no --{name}; it takes {}", its.join(", "))
        })?;
        match (option.name, option.scope, value) {
            ("server", _, value) => self.server = value,
            ("token", _, value) => self.token = value,
            (name, _, Some(value)) => {
                // The last of several holds, as everywhere.
                self.parameters.retain(|(given, _)| *given != name);
                self.parameters.push((name, value));
            }
            ("json", ..) => self.json = true,
            ("names", ..) => self.names = true,
            ("dry_run", ..) => self.dry_run = true,
            ("watch", ..) => self.watch = true,
            ("why", ..) => self.why = true,
            _ => self.help = true,
        }
        Ok(())
    }

    fn count_operands(&self) -> Result<(), String> {
        let (command, given) = (self.command, self.operands.len());
        if let Some(missing) = command.operands.get(given) {
            return Err(format!("{missing} is missing: healthchecker {}", command.usage()));
        }
        let most = command.operands.len() + usize::from(command.optional.is_some());
        if let Some(stray) = self.operands.get(most) {
            return Err(format!(
                "{} is one word too many: healthchecker {}; put a name with blanks in quotes",
                quoted(stray),
                command.usage()
            ));
        }
        let is_named = |wanted: &str| self.parameters.iter().any(|(name, _)| *name == wanted);
        if command.verb == Verb::Monitor && given == 1 && !is_named("kind") {
            return Err("URL is missing: healthchecker monitor NAME URL".to_owned());
        }
        if command.verb == Verb::Edit && self.parameters.is_empty() {
            return Err(
                "nothing is named to change: healthchecker edit NAME --interval 60, say".to_owned()
            );
        }
        match self.operands.first() {
            Some(shell)
                if command.operands.contains(&SHELL) && !SHELLS.contains(&shell.as_str()) =>
            {
                Err(format!(
                    "there are completions for {}, not for {}",
                    SHELLS.join(", "),
                    quoted(shell)
                ))
            }
            _ => Ok(()),
        }
    }
}

fn text(word: &OsStr) -> Result<String, String> {
    word.to_str()
        .map(str::to_owned)
        .ok_or_else(|| format!("{} is not UTF-8", quoted(&word.to_string_lossy())))
}

fn unknown_option(spelling: &str, name: &str) -> String {
    let near = did_you_mean(name, table::options().iter().map(|option| option.name));
    format!("unknown option {}{near}", shown(spelling))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn line(args: &[&str]) -> Result<Arguments, String> {
        read(args.iter().map(OsString::from))
    }

    fn is_ours(args: &[&str]) -> bool {
        is_meant(&args.iter().map(OsString::from).collect::<Vec<_>>())
    }

    #[test]
    fn the_daemons_command_lines_are_left_to_it() {
        for ours in [&["list"][..], &["--server", "list", "info", "a"], &["--json", "log"]] {
            assert!(is_ours(ours), "{ours:?}");
        }
        for other in [&[][..], &["-v"], &["test-mail"], &["--port", "1", "list"], &["--help"]] {
            assert!(!is_ours(other), "{other:?}");
        }
    }

    #[test]
    fn options_may_stand_anywhere() {
        let args = ["--server=pi:1", "monitor", "--interval", "10", "NAS", "--json", "http://nas"];
        let line = line(&args).unwrap();
        assert_eq!(line.command.verb, Verb::Monitor);
        assert_eq!(line.operands, ["NAS", "http://nas"]);
        assert_eq!(line.parameters, [("interval", "10".to_owned())]);
        assert_eq!((line.server.as_deref(), line.json), (Some("pi:1"), true));
    }

    #[test]
    fn what_is_wrong_is_said_in_a_sentence() {
        for (args, said) in [
            (&["monitor", "NAS"][..], "URL is missing: healthchecker monitor NAME URL"),
            (
                &["info", "my", "app"],
                "'app' is one word too many: healthchecker info NAME; put a name with blanks in quotes",
            ),
            (&["list", "--intervall", "3"], "unknown option --intervall; did you mean interval?"),
            (
                &["list", "--interval", "3"],
                "list takes no --interval; it takes --state, --names, --server, --token, --json, --help",
            ),
            (&["list", "-x"], "unknown option -x"),
            (&["list", "--server"], "URL is missing behind --server"),
            (&["completions", "tcsh"], "there are completions for bash, zsh, fish, not for 'tcsh'"),
        ] {
            assert_eq!(line(args).unwrap_err(), said);
        }
        assert!(line(&["monitor", "--help"]).unwrap().help);
    }

    proptest! {
        #[test]
        fn no_command_line_makes_it_panic(args in proptest::collection::vec("[-=a-z\u{1b}é]{0,6}", 0..6)) {
            let args: Vec<OsString> = args.iter().map(OsString::from).collect();
            let _ = is_meant(&args);
            let _ = read(args);
        }
    }
}
