//! The commands that talk to a daemon, and their options: help, completions and the command line
//! itself read these tables. What `monitor` takes is in a table of its own.

use std::borrow::Cow;

use crate::engine::registration::spec::{Field, Takes};
use crate::engine::registration::table::FIELDS;

/// What a command does, before its operands are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    List,
    /// Register an app, or update it.
    Monitor,
    /// Change what is named of an app.
    Edit,
    Info,
    /// Report, as an app that is not asked.
    Beat,
    /// Leave an app alone for now.
    Pause,
    /// Tell people no more of trouble that they know.
    Mute,
    /// Check it again.
    Resume,
    /// Forget it.
    Stop,
    /// Show the health check log.
    Log,
    /// Show the last incidents.
    Incidents,
    /// Show a refused mail no longer.
    Seen,
    /// Print all registrations, or write them to a file.
    Export,
    /// Register all apps of an export.
    Import,
    /// Look for daemons.
    Scan,
    Discover,
    Completions,
}

#[derive(Debug)]
pub(crate) struct CommandSpec {
    /// The word on the command line.
    pub word: &'static str,
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
    pub(crate) fn usage(&self) -> String {
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
    pub(super) fn options(&self) -> Vec<OptionSpec> {
        let mut options = options();
        options.retain(|option| option.is_of(self.verb));
        options
    }
}

/// Every command.
pub(crate) static COMMANDS: [CommandSpec; 17] = [
    CommandSpec::new("list", Verb::List, &[], "show all apps"),
    CommandSpec {
        optional: Some(URL),
        ..CommandSpec::new("monitor", Verb::Monitor, &[NAME], "register an app, or update it")
    },
    CommandSpec::new("edit", Verb::Edit, &[NAME], "change what is named, leave the rest"),
    CommandSpec::new("info", Verb::Info, &[NAME], "show one app"),
    CommandSpec {
        optional: Some(BEAT),
        ..CommandSpec::new("beat", Verb::Beat, &[NAME], "report for an app that is not asked")
    },
    CommandSpec::new(
        "pause",
        Verb::Pause,
        &[NAME],
        "leave an app alone for now, or be quiet for a while",
    ),
    CommandSpec::new(
        "mute",
        Verb::Mute,
        &[NAME],
        "tell no more of trouble that is known, for a while",
    ),
    CommandSpec::new("resume", Verb::Resume, &[NAME], "check it again, or end quiet"),
    CommandSpec::new("stop", Verb::Stop, &[NAME], "forget it"),
    CommandSpec {
        optional: Some(NAME),
        ..CommandSpec::new("log", Verb::Log, &[], "show the health check log, newest last")
    },
    CommandSpec::new(
        "incidents",
        Verb::Incidents,
        &[],
        "show what went wrong lately, newest first",
    ),
    CommandSpec::new("seen", Verb::Seen, &[EMAIL], "show no longer that a mail was refused"),
    CommandSpec {
        optional: Some(FILE),
        ..CommandSpec::new("export", Verb::Export, &[], "print all registrations, for import")
    },
    CommandSpec::new("import", Verb::Import, &[FILE], "register all apps of an export"),
    CommandSpec::new("scan", Verb::Scan, &[], "show what could be watched on the server's network"),
    CommandSpec::new("discover", Verb::Discover, &[], "look for servers on this network"),
    CommandSpec::new("completions", Verb::Completions, &[SHELL], "print completions for a shell"),
];

/// An app's name, which completions know.
pub(crate) const NAME: &str = "NAME";
const URL: &str = "URL";
/// What is reported, if it is not that something is done.
const BEAT: &str = "start|fail";
const EMAIL: &str = "EMAIL";
/// Standard input, or standard output.
pub(super) const STANDARD: &str = "-";
/// A file, or `-` for standard input or output.
pub(crate) const FILE: &str = "FILE";
/// One of [`SHELLS`].
pub(crate) const SHELL: &str = "SHELL";

/// The shells that there are completions for.
pub(crate) const SHELLS: [&str; 3] = ["bash", "zsh", "fish"];

/// An option of some commands.
#[derive(Clone, Copy, Debug)]
pub(crate) struct OptionSpec {
    /// The name after `--`.
    pub(super) name: &'static str,
    /// What follows it, in a word; `None` when nothing does.
    pub(super) value: Option<&'static str>,
    /// What it does, for people.
    pub(super) help: &'static str,
    /// Whose it is.
    pub(super) scope: Scope,
}

/// Which commands take an option.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scope {
    All,
    /// All that talk to a daemon.
    Talking,
    /// This one alone.
    Of(Verb),
    /// Those after which less is told.
    Silencing,
    /// Those that register: the option is a field of their call, as far as it is no operand.
    Registering(&'static Field),
    /// Those that show an answer of a daemon.
    Showing,
}

impl OptionSpec {
    fn of_field(field: &'static Field) -> OptionSpec {
        OptionSpec {
            name: field.name(),
            value: Some(field.takes.word()),
            help: field.help,
            scope: Scope::Registering(field),
        }
    }

    /// What it does and what it takes, for people.
    pub(super) fn help(&self) -> Cow<'static, str> {
        match self.scope {
            Scope::Registering(field) if field.is_secret() => {
                format!("{} ({STANDARD} reads a line: ps shows this)", self.help).into()
            }
            Scope::Registering(field) => format!("{} ({})", self.help, field.takes.valid()).into(),
            _ => self.help.into(),
        }
    }

    fn is_of(&self, verb: Verb) -> bool {
        match self.scope {
            Scope::All => true,
            Scope::Talking => !matches!(verb, Verb::Discover | Verb::Completions),
            Scope::Showing => !matches!(verb, Verb::Import | Verb::Export | Verb::Completions),
            Scope::Registering(field) => {
                verb == Verb::Edit || (verb == Verb::Monitor && !field.is_operand())
            }
            Scope::Of(owner) => owner == verb,
            Scope::Silencing => matches!(verb, Verb::Pause | Verb::Mute),
        }
    }
}

/// Every option: the fields of `monitor`, but for the name, which is never one; and our own.
pub(super) fn options() -> Vec<OptionSpec> {
    let fields = FIELDS.iter().filter(|field| !matches!(field.takes, Takes::Name));
    let mut options: Vec<OptionSpec> = fields.map(OptionSpec::of_field).collect();
    options.extend_from_slice(&OPTIONS);
    options
}

static OPTIONS: [OptionSpec; 12] = [
    OptionSpec {
        name: "for",
        value: Some("SPAN"),
        help: "how long: 10m, 8h (1m to 30d); for mute also recovery, or 0 (no longer)",
        scope: Scope::Silencing,
    },
    OptionSpec {
        name: "to",
        value: Some("EMAIL"),
        help: "whom no more is told; everybody who was told if not given",
        scope: Scope::Of(Verb::Mute),
    },
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
        name: "watch",
        value: None,
        help: "register all that is not watched yet",
        scope: Scope::Of(Verb::Scan),
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
pub(crate) fn command(word: &str) -> Option<&'static CommandSpec> {
    let word = word.replace('_', "-");
    COMMANDS.iter().find(|command| command.word == word)
}

/// The option of this name; `-` counts as `_`.
pub(super) fn option(name: &str) -> Option<OptionSpec> {
    let name = name.replace('-', "_");
    options().into_iter().find(|option| option.name == name)
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
        let names: BTreeSet<&str> = options().iter().map(|option| option.name).collect();
        assert_eq!(names.len(), options().len());
    }

    #[test]
    fn a_command_takes_its_own_options_and_the_common_ones() {
        let names = |word: &str| -> Vec<&str> {
            command(word).unwrap().options().iter().map(|option| option.name).collect()
        };
        assert_eq!(names("log"), ["limit", "server", "token", "json", "help"]);
        assert_eq!(names("discover"), ["why", "json", "help"]);
        let fields = [
            "email",
            "timeout",
            "interval",
            "unhealthy",
            "healthy",
            "path",
            "expect",
            "kind",
            "may_be_off",
            "parent",
            "reminders",
            "quiet",
            "grace",
            "contains",
            "slow",
        ];
        assert_eq!(names("monitor")[..fields.len()], fields);
        assert_eq!(names("edit")[..=fields.len()], [&["url"][..], &fields].concat());
        assert_eq!(names("completions"), ["help"]);
        assert_eq!(command("monitor").unwrap().usage(), "monitor NAME [URL]");
        assert_eq!(command("log").unwrap().usage(), "log [NAME]");
    }
}
