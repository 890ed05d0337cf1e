//! The commands that talk to a daemon, and their options: help, completions and the command line
//! itself read these tables.

/// What a command does, before its operands are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verb {
    /// Show all apps.
    List,
    /// Register an app, or update it.
    Monitor,
    /// Change what is named of an app.
    Edit,
    /// Show one app.
    Info,
    /// Leave an app alone for now.
    Pause,
    /// Check it again.
    Resume,
    /// Forget it.
    Stop,
    /// Show the health check log.
    Log,
    /// Show a refused mail no longer.
    Seen,
    /// Print all registrations, or write them to a file.
    Export,
    /// Register all apps of an export.
    Import,
    /// Look for daemons.
    Discover,
    /// Print completions for a shell.
    Completions,
}

/// A command.
#[derive(Debug)]
pub struct CommandSpec {
    /// The word on the command line.
    pub word: &'static str,
    /// What it does.
    pub verb: Verb,
    /// The operands that it must have.
    pub operands: &'static [&'static str],
    /// An operand that it may have.
    pub optional: Option<&'static str>,
    /// What is done, for people.
    pub help: &'static str,
}

impl CommandSpec {
    const fn new(
        word: &'static str,
        verb: Verb,
        operands: &'static [&'static str],
        help: &'static str,
    ) -> CommandSpec {
        CommandSpec { word, verb, operands, optional: None, help }
    }

    /// The word with its operands: `monitor NAME URL`, `log [NAME]`.
    pub fn usage(&self) -> String {
        let mut usage = self.word.to_owned();
        for operand in self.operands {
            usage.push(' ');
            usage.push_str(operand);
        }
        if let Some(operand) = self.optional {
            usage.push_str(&format!(" [{operand}]"));
        }
        usage
    }

    /// The options that it takes.
    pub fn options(&self) -> impl Iterator<Item = &'static OptionSpec> {
        let verb = self.verb;
        OPTIONS.iter().filter(move |option| option.is_of(verb))
    }
}

/// Every command.
pub static COMMANDS: [CommandSpec; 13] = [
    CommandSpec::new("list", Verb::List, &[], "show all apps"),
    CommandSpec::new("monitor", Verb::Monitor, &[NAME, URL], "register an app, or update it"),
    CommandSpec::new("edit", Verb::Edit, &[NAME], "change what is named, leave the rest"),
    CommandSpec::new("info", Verb::Info, &[NAME], "show one app"),
    CommandSpec::new("pause", Verb::Pause, &[NAME], "leave an app alone for now"),
    CommandSpec::new("resume", Verb::Resume, &[NAME], "check it again"),
    CommandSpec::new("stop", Verb::Stop, &[NAME], "forget it"),
    CommandSpec {
        optional: Some(NAME),
        ..CommandSpec::new("log", Verb::Log, &[], "show the health check log, newest last")
    },
    CommandSpec::new("seen", Verb::Seen, &[EMAIL], "show no longer that a mail was refused"),
    CommandSpec {
        optional: Some(FILE),
        ..CommandSpec::new("export", Verb::Export, &[], "print all registrations, for import")
    },
    CommandSpec::new("import", Verb::Import, &[FILE], "register all apps of an export"),
    CommandSpec::new("discover", Verb::Discover, &[], "look for servers on this network"),
    CommandSpec::new("completions", Verb::Completions, &[SHELL], "print completions for a shell"),
];

/// An app's name, which completions know.
pub const NAME: &str = "NAME";
const URL: &str = "URL";
const EMAIL: &str = "EMAIL";
/// A file, or `-` for standard input or output.
pub const FILE: &str = "FILE";
/// One of [`SHELLS`].
pub const SHELL: &str = "SHELL";

/// The shells that there are completions for.
pub const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// An option of some commands.
#[derive(Debug)]
pub struct OptionSpec {
    /// The name after `--`.
    pub name: &'static str,
    /// What follows it, in a word; `None` when nothing does.
    pub value: Option<&'static str>,
    /// What it does, for people.
    pub help: &'static str,
    /// Whose it is.
    pub scope: Scope,
}

/// Which commands take an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// All of them.
    All,
    /// All that talk to a daemon.
    Talking,
    /// This one alone.
    Of(Verb),
    /// Those that register: the option is a parameter of their call.
    Registering,
    /// Those that show an answer of a daemon.
    Showing,
}

impl OptionSpec {
    const fn of_app(name: &'static str, value: &'static str, help: &'static str) -> OptionSpec {
        OptionSpec { name, value: Some(value), help, scope: Scope::Registering }
    }

    /// Whether the command takes it.
    pub fn is_of(&self, verb: Verb) -> bool {
        match self.scope {
            Scope::All => true,
            Scope::Talking => !matches!(verb, Verb::Discover | Verb::Completions),
            Scope::Showing => !matches!(verb, Verb::Import | Verb::Export | Verb::Completions),
            Scope::Registering => matches!(verb, Verb::Monitor | Verb::Edit),
            Scope::Of(owner) => owner == verb,
        }
    }
}

/// Every option.
pub static OPTIONS: [OptionSpec; 17] = [
    OptionSpec {
        name: "url",
        value: Some(URL),
        help: "another base address",
        scope: Scope::Of(Verb::Edit),
    },
    OptionSpec::of_app("email", "TEXT", "who is told; several with commas between them"),
    OptionSpec::of_app("timeout", "SECONDS", "how long to wait for an answer, 2 to 60"),
    OptionSpec::of_app("interval", "SECONDS", "between two checks, 5 to 300"),
    OptionSpec::of_app("unhealthy", "COUNT", "failed checks in a row before UNHEALTHY"),
    OptionSpec::of_app("healthy", "COUNT", "passed checks in a row before HEALTHY"),
    OptionSpec::of_app("path", "PATH", "where to ask instead of /health"),
    OptionSpec::of_app("expect", "CODES", "status codes that count: 200, or 200-299,401"),
    OptionSpec {
        name: "limit",
        value: Some("LINES"),
        help: "the newest lines, 1 to 10000; 100 if not given",
        scope: Scope::Of(Verb::Log),
    },
    OptionSpec {
        name: "state",
        value: Some("STATES"),
        help: "only apps in this state; several with commas between them",
        scope: Scope::Of(Verb::List),
    },
    OptionSpec {
        name: "names",
        value: None,
        help: "print the names alone, a line each",
        scope: Scope::Of(Verb::List),
    },
    OptionSpec {
        name: "dry_run",
        value: None,
        help: "say what would become of each app, and change nothing",
        scope: Scope::Of(Verb::Import),
    },
    OptionSpec {
        name: "why",
        value: None,
        help: "what was heard, and why nobody is found",
        scope: Scope::Of(Verb::Discover),
    },
    OptionSpec {
        name: "server",
        value: Some("URL"),
        help: "the server, http://ADDRESS:PORT; else HEALTHCHECKER_SERVER, else Zeroconf",
        scope: Scope::Talking,
    },
    OptionSpec {
        name: "token",
        value: Some("TEXT"),
        help: "the server's api_token; better in HEALTHCHECKER_API_TOKEN: ps shows this",
        scope: Scope::Talking,
    },
    OptionSpec {
        name: "json",
        value: None,
        help: "print JSON for programs instead of text for people",
        scope: Scope::Showing,
    },
    OptionSpec { name: "help", value: None, help: "this text", scope: Scope::All },
];

/// The command of this word; `_` counts as `-`.
pub fn command(word: &str) -> Option<&'static CommandSpec> {
    let word = word.replace('_', "-");
    COMMANDS.iter().find(|command| command.word == word)
}

/// The option of this name; `-` counts as `_`.
pub fn option(name: &str) -> Option<&'static OptionSpec> {
    let name = name.replace('-', "_");
    OPTIONS.iter().find(|option| option.name == name)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_word_is_there_once_and_none_is_the_daemons() {
        let mut seen: BTreeSet<&str> =
            crate::config::command_line::VERBS.iter().map(|(word, ..)| *word).collect();
        for command in &COMMANDS {
            assert!(seen.insert(command.word), "{}", command.word);
        }
        let names: BTreeSet<&str> = OPTIONS.iter().map(|option| option.name).collect();
        assert_eq!(names.len(), OPTIONS.len());
    }

    #[test]
    fn a_command_takes_its_own_options_and_the_common_ones() {
        let names = |word: &str| -> Vec<&str> {
            command(word).unwrap().options().map(|option| option.name).collect()
        };
        assert_eq!(names("log"), ["limit", "server", "token", "json", "help"]);
        assert_eq!(names("discover"), ["why", "json", "help"]);
        assert_eq!(names("completions"), ["help"]);
        assert_eq!(command("monitor").unwrap().usage(), "monitor NAME URL");
        assert_eq!(command("log").unwrap().usage(), "log [NAME]");
    }
}
