//! A value as it was given, whoever gave it, before its option makes sense of it.

use super::spec::Spec;

/// What stands on the command line, in a variable or in the file.
#[derive(Clone, PartialEq, Eq)]
pub enum Given {
    /// One value.
    Text(String),
    /// One value that stands in the file without quotes.
    Word(String),
    /// Several: a list in the file.
    List(Vec<String>),
}

impl Given {
    /// The value, where only one makes sense.
    ///
    /// # Errors
    /// For a list.
    pub fn one(&self) -> Result<&str, String> {
        match self {
            Given::Text(text) | Given::Word(text) => Ok(text),
            Given::List(_) => Err("takes one value, not a list".to_owned()),
        }
    }

    /// The value, where only a number makes sense.
    ///
    /// Configobj writes a comment right behind a number, and Python reads it as one. In a text such
    /// as a password, a `#` without a space before it is a letter.
    ///
    /// # Errors
    /// For a list.
    pub fn number(&self) -> Result<&str, String> {
        match (self, self.one()?) {
            (Given::Word(_), text) => Ok(text.split('#').next().unwrap_or_default()),
            (_, text) => Ok(text),
        }
    }
}

/// Where a value comes from, the last resort first.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Origin {
    /// Nobody set it.
    Default,
    /// The configuration file.
    File {
        /// Its name, as it was given.
        path: String,
        /// The line, from 1.
        line: usize,
    },
    /// A short variable that other software may use too, such as `PORT`.
    SharedVariable(&'static str),
    /// `HEALTHCHECKER_NAME`.
    OwnVariable(String),
    /// The command line.
    CommandLine(String),
}

impl Origin {
    /// The place to name in a complaint about the option `name`, which is part of it where one
    /// place has several.
    pub fn place(&self, name: &str) -> String {
        match self {
            Origin::Default => name.to_owned(),
            Origin::File { path, line } => format!("{path}:{line}: {name}"),
            Origin::SharedVariable(variable) => (*variable).to_owned(),
            Origin::OwnVariable(variable) => variable.clone(),
            Origin::CommandLine(spelling) => spelling.clone(),
        }
    }

    /// The line of the file; 0 elsewhere.
    pub fn line(&self) -> usize {
        match self {
            Origin::File { line, .. } => *line,
            _ => 0,
        }
    }

    /// Which of two sources goes before the other, whatever their lines and names.
    pub fn rank(&self) -> u8 {
        match self {
            Origin::Default => 0,
            Origin::File { .. } => 1,
            Origin::SharedVariable(_) => 2,
            Origin::OwnVariable(_) => 3,
            Origin::CommandLine(_) => 4,
        }
    }
}

impl std::fmt::Display for Origin {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Origin::Default => f.write_str("default"),
            Origin::File { path, line } => write!(f, "{path}:{line}"),
            Origin::SharedVariable(name) => write!(f, "environment {name}"),
            Origin::OwnVariable(name) => write!(f, "environment {name}"),
            Origin::CommandLine(spelling) => write!(f, "command line {spelling}"),
        }
    }
}

/// One value from one place.
pub struct Entry {
    /// The option.
    pub spec: &'static Spec,
    /// What was given.
    pub value: Given,
    /// By whom.
    pub origin: Origin,
}
