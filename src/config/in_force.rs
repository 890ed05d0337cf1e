//! What is in force and where it comes from: the answer to `--check_config`.

use std::collections::HashMap;
use std::fmt;

use super::given::Origin;
use super::mail;
use super::options::Options;
use super::quoted::shown;
use super::settings::Settings;
use super::spec::{Role, settings};

/// A configuration without fault.
#[derive(Debug)]
pub struct InForce {
    /// For the rest of the house.
    pub settings: Settings,
    /// What was set, option by option.
    pub options: Options,
    /// Who set it; an option that nobody set is not in here.
    pub origins: HashMap<&'static str, Origin>,
    /// The configuration file.
    pub file: ConfigFile,
    /// What times are told in, for people.
    pub local_time: String,
    /// To be logged once at the start; without control characters.
    pub warnings: Vec<String>,
}

/// What became of the configuration file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigFile {
    /// It was read.
    Read(String),
    /// It is not there.
    Missing(String),
}

impl InForce {
    /// Where the value of an option comes from.
    pub fn origin(&self, name: &str) -> &Origin {
        self.origins.get(name).unwrap_or(&Origin::Default)
    }
}

/// The table of `--check_config`; a secret is only said to be there.
impl fmt::Display for InForce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.file {
            ConfigFile::Read(path) => writeln!(f, "configuration file {path}: read\n")?,
            ConfigFile::Missing(path) => writeln!(f, "configuration file {path}: not there\n")?,
        }
        let rows: Vec<(&str, String, &Origin)> = settings()
            .filter_map(|spec| match spec.role {
                Role::Setting { show, .. } => {
                    Some((spec.name, show(&self.options), self.origin(spec.name)))
                }
                _ => None,
            })
            .collect();
        let names = rows.iter().map(|(name, ..)| name.len()).max().unwrap_or(0);
        let values = rows.iter().map(|(_, value, _)| value.chars().count()).max().unwrap_or(0);
        for (name, value, origin) in rows {
            writeln!(f, "{name:names$} = {value:values$}  # {origin}")?;
        }
        match &self.settings.state_dir {
            Some(folder) => writeln!(f, "\nstate: {}", shown(&folder.to_string_lossy()))?,
            None => writeln!(f, "\nstate: nothing is written to disk, for this is a test")?,
        }
        match &self.settings.mail {
            Ok(way) => writeln!(f, "\nmail: {}", mail::describe(way))?,
            Err(why) => writeln!(f, "\nmail: off, {why}")?,
        }
        writeln!(f, "\nlocal time: {}", self.local_time)?;
        for warning in &self.warnings {
            writeln!(f, "warning: {warning}")?;
        }
        Ok(())
    }
}
