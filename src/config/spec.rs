//! What an option is: the type of the rows of [`super::table`].

use super::given::Given;
use super::options::Options;
use super::table::OPTIONS;

/// One option: how it is spelled, what it takes, what it does.
pub struct Spec {
    /// The name after `--`, in the file, and in capitals behind `HEALTHCHECKER_`.
    pub name: &'static str,
    /// The name after `-`, of one letter or several.
    pub short: Option<&'static str>,
    /// A short variable that other software may use too.
    pub variable: Option<&'static str>,
    /// What it takes.
    pub takes: Takes,
    /// For the owner, line by line.
    pub help: &'static [&'static str],
    /// What it does.
    pub role: Role,
    /// `None` in the file is a value, not the default: no value at all.
    pub none_is_a_value: bool,
}

/// What follows an option on the command line.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// Nothing: to name it is to switch it on (`--debug=no` is understood as well).
    Nothing,
    /// A value, called so in the help text.
    Value(&'static str),
}

/// What an option does.
pub enum Role {
    /// It sets something.
    Setting {
        /// See [`Set`].
        set: Set,
        /// See [`Show`].
        show: Show,
        /// Whether the value must not be seen on a command line.
        secret: bool,
    },
    /// It names the configuration file.
    ConfigFile,
    /// It asks for the help text.
    Help,
    /// It asks for the version.
    Version,
    /// It asks what is in force.
    CheckConfig,
    /// It answers all that `setup` would ask.
    Yes,
}

/// Puts a value in force; the error reads on after the option's name.
pub type Set = fn(&mut Options, &Given) -> Result<(), String>;

/// The value in force, fit to be shown: never a secret.
pub type Show = fn(&Options) -> String;

impl Spec {
    /// A row that sets something.
    pub const fn setting(
        name: &'static str,
        takes: Takes,
        help: &'static [&'static str],
        set: Set,
        show: Show,
    ) -> Spec {
        let role = Role::Setting { set, show, secret: false };
        Spec { name, short: None, variable: None, takes, help, role, none_is_a_value: false }
    }

    /// A row that sets nothing.
    pub const fn other(
        name: &'static str,
        takes: Takes,
        help: &'static [&'static str],
        role: Role,
    ) -> Spec {
        Spec { name, short: None, variable: None, takes, help, role, none_is_a_value: false }
    }

    /// The same row, which `None` sets to nothing.
    pub const fn none_is_a_value(self) -> Spec {
        Spec { none_is_a_value: true, ..self }
    }

    /// The same row with a short name.
    pub const fn short(self, short: &'static str) -> Spec {
        Spec { short: Some(short), ..self }
    }

    /// The same row with a short variable.
    pub const fn variable(self, variable: &'static str) -> Spec {
        Spec { variable: Some(variable), ..self }
    }

    /// The same row, its value hidden from every eye.
    pub const fn secret(self) -> Spec {
        match self.role {
            Role::Setting { set, show, .. } => {
                Spec { role: Role::Setting { set, show, secret: true }, ..self }
            }
            _ => self,
        }
    }

    /// The option with this long name; `-` counts as `_`.
    pub fn by_long_name(name: &str) -> Option<&'static Spec> {
        let name = name.replace('-', "_");
        OPTIONS.iter().find(|spec| spec.name == name)
    }

    /// The option with this short name.
    pub fn by_short_name(short: &str) -> Option<&'static Spec> {
        OPTIONS.iter().find(|spec| spec.short == Some(short))
    }

    /// The setting with this name, as the configuration file writes it.
    pub fn by_file_name(name: &str) -> Option<&'static Spec> {
        settings().find(|spec| spec.name == name)
    }

    /// Its own variable, `HEALTHCHECKER_PORT`.
    pub fn own_variable(&self) -> String {
        format!("{VARIABLE_PREFIX}{}", self.name.to_ascii_uppercase())
    }

    /// Whether the value must not be seen on a command line.
    pub fn is_secret(&self) -> bool {
        matches!(self.role, Role::Setting { secret: true, .. })
    }

    /// Whether a variable can set it.
    pub fn has_variable(&self) -> bool {
        matches!(self.role, Role::Setting { .. } | Role::ConfigFile)
    }
}

/// What every variable of ours begins with.
pub const VARIABLE_PREFIX: &str = "HEALTHCHECKER_";

/// The options that a file may set.
pub fn settings() -> impl Iterator<Item = &'static Spec> {
    OPTIONS.iter().filter(|spec| matches!(spec.role, Role::Setting { .. }))
}
