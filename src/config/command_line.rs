//! The command line: lexopt, and before it the short options of several letters (`-gt`, `-ba`),
//! which lexopt would take for clusters of one letter each.

use std::ffi::{OsStr, OsString};
use std::fmt;

use lexopt::{Arg, Parser};

use crate::client::cli;

use super::given::{Entry, Given, Origin};
use super::hint::did_you_mean;
use super::problem::Problem;
use super::quoted::{quoted, shown};
use super::spec::{Role, Spec, Takes};
use super::table::OPTIONS;

/// What the daemon is to do, by the word on the command line.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Verb {
    /// Without a word: serve.
    #[default]
    Run,
    /// Send one mail and say what came of it.
    TestMail,
    /// Ask the owner, and write the configuration file.
    Setup,
}

/// The words, and what they are for.
pub const VERBS: [(&str, Verb, &str); 2] = [
    ("setup", Verb::Setup, "ask a few questions, try the mail, write the configuration"),
    ("test-mail", Verb::TestMail, "send one mail to every `email` and say what came of it"),
];

/// A command line, taken apart.
#[derive(Default)]
pub struct CommandLine {
    /// What was set; the last of several goes before the others.
    pub entries: Vec<Entry>,
    /// What is to be done.
    pub verb: Verb,
    /// `--help`.
    pub help: bool,
    /// `--version`.
    pub version: bool,
    /// `--check_config`.
    pub check_config: bool,
    /// `--yes`.
    pub yes: bool,
    /// All that is wrong with it.
    pub problems: Vec<Problem>,
}

// What was given may be secret.
impl fmt::Debug for CommandLine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.entries.iter().map(|entry| entry.spec.name);
        f.debug_list().entries(names).finish()
    }
}

/// Takes a command line (without the program's name) apart.
pub fn read(args: impl IntoIterator<Item = OsString>) -> CommandLine {
    let mut reading = Reading {
        parser: Parser::from_args(args),
        found: CommandLine::default(),
        verb: None,
        options_over: false,
        before: Before::Nothing,
    };
    while reading.step() {}
    let mut found = reading.found;
    found.verb = reading.verb.unwrap_or_default();
    found
}

/// What the argument before was, for a useful word about a stray one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Before {
    Nothing,
    /// A value: the stray word may be the rest of it, and secret.
    Value(&'static str),
    /// An unknown option: the stray word may be its value.
    Unknown,
}

struct Reading {
    parser: Parser,
    found: CommandLine,
    verb: Option<Verb>,
    /// `--` was there.
    options_over: bool,
    before: Before,
}

impl Reading {
    /// Reads one argument; false at the end.
    fn step(&mut self) -> bool {
        if let Some((spec, inline)) = self.long_short() {
            let spelling = format!("-{}", spec.short.unwrap_or(spec.name));
            self.option(spec, spelling, inline);
            return true;
        }
        match self.parser.next() {
            Ok(None) => return false,
            Ok(Some(Arg::Long(name))) => {
                let name = name.to_owned();
                let inline = self.parser.optional_value();
                match Spec::by_long_name(&name) {
                    Some(spec) => self.option(spec, format!("--{name}"), inline),
                    None => self.unknown(&name),
                }
            }
            Ok(Some(Arg::Short(letter))) => {
                let mut buffer = [0; 4];
                match Spec::by_short_name(letter.encode_utf8(&mut buffer)) {
                    Some(spec) => self.option(spec, format!("-{letter}"), None),
                    None => {
                        // `-xyz`: what follows the unknown letter could be anything.
                        self.parser.optional_value();
                        let what = "unknown option; --help lists them all".to_owned();
                        self.complain(&shown(&format!("-{letter}")), what);
                        self.before = Before::Unknown;
                    }
                }
            }
            Ok(Some(Arg::Value(word))) => self.word(&word),
            // `-d=5`: lexopt took the value away, and its error would repeat it.
            Err(_) => self.complain(
                "command line",
                "a short option that takes no value was given one".to_owned(),
            ),
        }
        true
    }

    /// `-gt`, `-gt TEXT` or `-gt=TEXT`, where an option may stand.
    fn long_short(&mut self) -> Option<(&'static Spec, Option<OsString>)> {
        let mut arguments = self.parser.try_raw_args()?;
        let argument = arguments.peek()?;
        if argument == "--" {
            self.options_over = true;
        }
        if self.options_over {
            return None;
        }
        let (name, value) = split_at_equals(argument)?;
        let spec =
            name.strip_prefix('-').filter(|short| short.len() > 1).and_then(Spec::by_short_name)?;
        arguments.next();
        Some((spec, value))
    }

    fn option(&mut self, spec: &'static Spec, spelling: String, inline: Option<OsString>) {
        self.before = Before::Nothing;
        let on = match (&spec.role, &inline) {
            (Role::Help, None) => &mut self.found.help,
            (Role::Version, None) => &mut self.found.version,
            (Role::CheckConfig, None) => &mut self.found.check_config,
            (Role::Yes, None) => &mut self.found.yes,
            (Role::Help | Role::Version | Role::CheckConfig | Role::Yes, Some(_)) => {
                return self.complain(&spelling, "takes no value".to_owned());
            }
            _ => return self.setting(spec, spelling, inline),
        };
        *on = true;
    }

    fn setting(&mut self, spec: &'static Spec, spelling: String, inline: Option<OsString>) {
        let value = match (inline, spec.takes) {
            (Some(value), _) => value,
            (None, Takes::Nothing) => OsString::from("True"),
            (None, Takes::Value(kind)) => {
                self.before = Before::Value(spec.name);
                match self.parser.value() {
                    Ok(value) => value,
                    Err(_) => {
                        return self.complain(&spelling, format!("{kind} is missing behind it"));
                    }
                }
            }
        };
        match value.into_string() {
            Ok(value) => self.found.entries.push(Entry {
                spec,
                value: Given::Text(value),
                origin: Origin::CommandLine(spelling),
            }),
            Err(_) => self.complain(&spelling, "its value is not UTF-8".to_owned()),
        }
    }

    fn unknown(&mut self, name: &str) {
        let near = did_you_mean(name, OPTIONS.iter().map(|spec| spec.name));
        self.complain(&shown(&format!("--{name}")), format!("unknown option{near}"));
        self.before = Before::Unknown;
    }

    fn word(&mut self, word: &OsStr) {
        let before = std::mem::replace(&mut self.before, Before::Nothing);
        let word = word.to_string_lossy();
        let known = VERBS.iter().find(|(name, ..)| *name == word.replace('_', "-"));
        match (known, before) {
            (Some((_, verb, _)), _) if self.verb.is_none() => self.verb = Some(*verb),
            (Some((name, ..)), _) => self.complain(name, "there is one command already".to_owned()),
            (None, Before::Nothing) if cli::table::command(&word).is_some() => {
                let what = "this command stands first, and takes its own options only".to_owned();
                self.complain(&word, what);
            }
            (None, Before::Unknown) => {}
            (None, Before::Value(option)) => {
                // The words of an app password, say: complain once, and repeat none of them.
                self.before = Before::Unknown;
                let what = "a word follows its value; put a value with spaces in quotes".to_owned();
                self.complain(&format!("--{option}"), what);
            }
            (None, Before::Nothing) => {
                let others = cli::table::COMMANDS.iter().map(|command| command.word);
                let near = did_you_mean(&word, VERBS.iter().map(|(name, ..)| *name).chain(others));
                self.complain(&quoted(&word), format!("unknown command{near}"));
            }
        }
    }

    fn complain(&mut self, place: &str, what: String) {
        self.found.problems.push(Problem { place: place.to_owned(), what });
    }
}

/// `-gt=abc` as `-gt` and `abc`; the name has to be UTF-8, the value may be anything.
fn split_at_equals(argument: &OsStr) -> Option<(String, Option<OsString>)> {
    use std::os::unix::ffi::OsStrExt;
    let mut halves = argument.as_bytes().splitn(2, |byte| *byte == b'=');
    let name = std::str::from_utf8(halves.next()?).ok()?;
    let value = halves.next().map(|value| OsStr::from_bytes(value).to_owned());
    Some((name.to_owned(), value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn line(args: &[&str]) -> CommandLine {
        read(args.iter().map(OsString::from))
    }

    fn entries(args: &[&str]) -> Vec<(String, String, String)> {
        let found = line(args);
        assert_eq!(problems(args), Vec::<String>::new());
        let text = |given: &Given| given.one().expect("one value").to_owned();
        found
            .entries
            .iter()
            .map(|e| (e.spec.name.to_owned(), text(&e.value), e.origin.to_string()))
            .collect()
    }

    fn problems(args: &[&str]) -> Vec<String> {
        line(args).problems.iter().map(ToString::to_string).collect()
    }

    fn entry(name: &str, value: &str, spelling: &str) -> (String, String, String) {
        (name.to_owned(), value.to_owned(), format!("command line {spelling}"))
    }

    #[test]
    fn short_options_of_several_letters() {
        for args in [&["-gt", "a b"][..], &["-gt=a b"]] {
            assert_eq!(entries(args), [entry("gmail_token", "a b", "-gt")]);
        }
        assert_eq!(entries(&["-ba", "::"]), [entry("bind_addr", "::", "-ba")]);
        assert_eq!(entries(&["-gt=a=b"]), [entry("gmail_token", "a=b", "-gt")]);
        assert_eq!(entries(&["-gt", "-ba"]), [entry("gmail_token", "-ba", "-gt")]);
        let password = entries(&["--smtp_password", "-gt"]);
        assert_eq!(password, [entry("smtp_password", "-gt", "--smtp_password")]);
    }

    #[test]
    fn short_options_of_one_letter_and_long_ones() {
        for args in [&["-p", "90"][..], &["-p90"], &["-p=90"]] {
            assert_eq!(entries(args), [entry("port", "90", "-p")]);
        }
        assert_eq!(
            entries(&["-vd"]),
            [entry("verbose", "True", "-v"), entry("debug", "True", "-d")]
        );
        assert_eq!(entries(&["--bind-addr=::"]), [entry("bind_addr", "::", "--bind-addr")]);
        assert_eq!(entries(&["--debug=no"]), [entry("debug", "no", "--debug")]);
        assert_eq!(entries(&["--announce", "no"]), [entry("announce", "no", "--announce")]);
    }

    #[test]
    fn commands_and_questions() {
        assert_eq!(line(&[]).verb, Verb::Run);
        assert_eq!(line(&["-v", "test-mail", "-d"]).verb, Verb::TestMail);
        assert_eq!(line(&["--", "test_mail"]).verb, Verb::TestMail);
        assert!(line(&["--check-config"]).check_config);
        assert!(line(&["--help"]).help && line(&["-h"]).help);
        assert!(line(&["--version"]).version && line(&["-V"]).version);
    }

    #[test]
    fn everything_wrong_is_said_at_once() {
        assert_eq!(
            problems(&["--prt", "5", "--flavour=/x", "-z", "testmail", "-d=5", "--port"]),
            [
                "--prt: unknown option; did you mean port?",
                "--flavour: unknown option",
                "-z: unknown option; --help lists them all",
                "command line: a short option that takes no value was given one",
                "--port: INTEGER is missing behind it",
            ]
        );
        assert_eq!(
            problems(&["testmail"]),
            ["'testmail': unknown command; did you mean test-mail?"]
        );
        assert_eq!(
            problems(&["test-mail", "test-mail"]),
            ["test-mail: there is one command already"]
        );
        assert_eq!(problems(&["--", "-gt"]), ["'-gt': unknown command"]);
        assert_eq!(problems(&["--help=me"]), ["--help: takes no value"]);
    }

    #[test]
    fn the_words_of_a_password_are_not_repeated() {
        let problems = problems(&["-gt", "abcd", "efgh", "ijkl"]);
        assert_eq!(
            problems,
            ["--gmail_token: a word follows its value; put a value with spaces in quotes"]
        );
    }

    proptest! {
        #[test]
        fn no_command_line_makes_it_panic(args in proptest::collection::vec("[-=a-z\u{1b}é]{0,6}", 0..6)) {
            let _ = read(args.iter().map(OsString::from));
        }
    }
}
