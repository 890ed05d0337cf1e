//! What the file is to set.

use std::fmt::Write;
use std::path::Path;

use crate::config::file::{self, Assignment};
use crate::config::given::{Entry, Given, Origin};
use crate::config::options::Options;
use crate::config::problem::Problem;
use crate::config::quoted::{quoted, quoted_list};
use crate::config::spec::{Role, Spec, settings};

/// What begins the name of each option that says how mail goes out.
const WAYS: [&str; 2] = ["gmail_", "smtp_"];

/// The last answer to a question is in force.
#[derive(Default)]
pub(super) struct Answers(Vec<(&'static Spec, Given)>);

impl Answers {
    /// What a file sets that is there; nothing where there is none.
    ///
    /// # Errors
    /// What is wrong with it, by its lines.
    pub(super) fn of_file(path: &str, text: Option<&[u8]>) -> Result<Self, String> {
        let (assignments, complaints) = file::read(text.unwrap_or_default());
        let mut wrong: Vec<String> = complaints
            .iter()
            .map(|complaint| format!("{path}:{}: {}", complaint.line, complaint.what))
            .collect();
        let mut answers = Answers::default();
        for Assignment { line, name, value } in assignments {
            let set = match (Spec::by_file_name(&name), value) {
                (None, _) => Err(format!("there is no option {}", quoted(&name))),
                (Some(spec), None) if spec.none_is_a_value => {
                    answers.put(spec, Given::List(Vec::new()))
                }
                (Some(_), None) => Ok(()),
                (Some(spec), Some(value)) => answers.put(spec, value),
            };
            wrong.extend(set.err().map(|what| format!("{path}:{line}: {what}")));
        }
        if wrong.is_empty() { Ok(answers) } else { Err(wrong.join("\n")) }
    }

    /// What the command line said goes before what the file does. Another way for mail is another one whole.
    pub(super) fn take(&mut self, told: &[Entry]) {
        if told.iter().any(|entry| is_of_a_way(entry.spec.name)) {
            self.forget_the_way();
        }
        for entry in told {
            self.set(entry.spec, entry.value.clone());
        }
    }

    pub(super) fn put(&mut self, spec: &'static Spec, value: Given) -> Result<(), String> {
        check(spec, &value)?;
        self.set(spec, value);
        Ok(())
    }

    fn set(&mut self, spec: &'static Spec, value: Given) {
        self.0.retain(|(other, _)| other.name != spec.name);
        self.0.push((spec, value));
    }

    /// Sets an option by its name to what was typed.
    ///
    /// # Errors
    /// What would be right.
    pub(super) fn put_text(&mut self, name: &str, text: &str) -> Result<(), String> {
        let spec = Spec::by_file_name(name).ok_or_else(|| format!("there is no option {name}"))?;
        self.put(spec, Given::Text(text.to_owned()))
    }

    pub(super) fn forget(&mut self, name: &str) {
        self.0.retain(|(spec, _)| spec.name != name);
    }

    /// How mail goes out is to be said anew.
    pub(super) fn forget_the_way(&mut self) {
        self.0.retain(|(spec, _)| !is_of_a_way(spec.name));
    }

    pub(super) fn count(&self) -> usize {
        self.0.len()
    }

    pub(super) fn get(&self, name: &str) -> Option<&Given> {
        self.0.iter().find(|(spec, _)| spec.name == name).map(|(_, value)| value)
    }

    /// As a person would type it.
    pub(super) fn typed(&self, name: &str) -> Option<String> {
        self.get(name).map(|value| match value {
            Given::Text(text) | Given::Word(text) => text.clone(),
            Given::List(several) => several.join(", "),
        })
    }

    /// The file: every option with what it is for, those that are not set commented out.
    pub(super) fn text(&self) -> String {
        let mut text = HEAD.to_owned();
        for spec in settings() {
            for line in spec.help {
                let _ = writeln!(text, "# {line}");
            }
            let _ = match (self.get(spec.name), &spec.role) {
                (Some(value), _) => writeln!(text, "{}={}\n", spec.name, written(value)),
                (None, Role::Setting { show, .. }) => {
                    writeln!(text, "#{}={}\n", spec.name, show(&Options::default()))
                }
                (None, _) => Ok(()),
            };
        }
        text.truncate(text.trim_end().len());
        text.push('\n');
        text
    }
}

const HEAD: &str = "\
# The configuration of HealthChecker, written by `healthchecker setup`: every option is here, those that
# are not set commented out, with their default. A line is name=value; values are written as in Python. To
# see what is in force, and to look for mistakes: healthchecker --check_config

";

fn is_of_a_way(name: &str) -> bool {
    WAYS.iter().any(|way| name.starts_with(way))
}

fn written(value: &Given) -> String {
    match value {
        Given::Text(text) => quoted(text),
        Given::Word(word) => word.clone(),
        Given::List(several) => quoted_list(several),
    }
}

/// Whether an option takes this value.
///
/// # Errors
/// What would be right.
pub(super) fn check(spec: &Spec, value: &Given) -> Result<(), String> {
    match spec.role {
        Role::Setting { set, .. } => set(&mut Options::default(), value),
        _ => Ok(()),
    }
}

pub(super) fn problem(entry: &Entry, what: String) -> Problem {
    Problem { place: entry.origin.place(entry.spec.name), what }
}

/// Names the configuration file as the command line would.
pub(super) fn config_file(path: &Path) -> Option<Entry> {
    let spec = Spec::by_long_name("config")?;
    let value = Given::Text(path.to_string_lossy().into_owned());
    Some(Entry { spec, value, origin: Origin::CommandLine("--config".to_owned()) })
}
