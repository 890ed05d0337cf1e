//! The environment: `HEALTHCHECKER_NAME` for every option, and the short variables.
//!
//! An empty variable counts as one that is not set, as service managers and shells mean it.

use std::collections::HashMap;
use std::env;
use std::ffi::OsString;
use std::path::PathBuf;

use crate::client::SERVER_VARIABLE;

use super::given::{Entry, Given, Origin};
use super::hint::did_you_mean;
use super::problem::Problem;
use super::quoted::shown;
use super::spec::VARIABLE_PREFIX;
use super::table::OPTIONS;

/// What the environment says.
#[derive(Default)]
pub struct Environment {
    /// The short variables, which other software may have meant for itself.
    pub shared: Vec<Entry>,
    /// Our own variables.
    pub own: Vec<Entry>,
    /// Values that cannot be read at all.
    pub problems: Vec<Problem>,
    /// Variables that look like ours and are not.
    pub warnings: Vec<String>,
    /// Where state is kept unless an option says otherwise; `None` without a home.
    pub state_dir: Option<PathBuf>,
    /// The time zone of other programs.
    pub timezone: Option<String>,
}

/// Looks for our options in the environment.
pub fn read(variables: impl IntoIterator<Item = (OsString, OsString)>) -> Environment {
    let mut found = Environment::default();
    let mut variables: HashMap<String, OsString> = variables
        .into_iter()
        .filter(|(_, value)| !value.is_empty())
        .filter_map(|(name, value)| Some((name.into_string().ok()?, value)))
        .collect();
    found.state_dir = state_dir(&variables);
    found.timezone = variables.get("TZ").and_then(|zone| zone.to_str()).map(str::to_owned);
    for spec in OPTIONS.iter().filter(|spec| spec.has_variable()) {
        let own = spec.own_variable();
        if let Some(value) = variables.remove(&own).and_then(|value| found.text(&own, value)) {
            found.own.push(Entry { spec, value, origin: Origin::OwnVariable(own) });
        }
        let Some(shared) = spec.variable else {
            continue;
        };
        if let Some(value) = variables.remove(shared).and_then(|value| found.text(shared, value)) {
            found.shared.push(Entry { spec, value, origin: Origin::SharedVariable(shared) });
        }
    }
    // What the command line reads may be set for all programs.
    let mut others: Vec<String> = variables.into_keys().collect();
    others.sort_unstable();
    for name in others.iter().filter(|name| *name != SERVER_VARIABLE) {
        let Some(option) = name.strip_prefix(VARIABLE_PREFIX) else {
            continue;
        };
        let near = did_you_mean(
            option,
            OPTIONS.iter().filter(|spec| spec.has_variable()).map(|spec| spec.name),
        );
        found.warnings.push(format!("the variable {} sets no option{near}", shown(name)));
    }
    found
}

/// The folder that systemd gives a service (systemd.exec(5)), else that of the user (XDG Base
/// Directory Specification, which has relative paths ignored).
fn state_dir(variables: &HashMap<String, OsString>) -> Option<PathBuf> {
    let path =
        |name: &str| variables.get(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let service = variables.get("STATE_DIRECTORY").and_then(|paths| env::split_paths(paths).next());
    let home = || path("HOME").map(|home| home.join(".local/state"));
    service.or_else(|| Some(path("XDG_STATE_HOME").or_else(home)?.join("healthchecker")))
}

impl Environment {
    fn text(&mut self, name: &str, value: OsString) -> Option<Given> {
        let text = value.into_string();
        if text.is_err() {
            let what = "its value is not UTF-8".to_owned();
            self.problems.push(Problem { place: name.to_owned(), what });
        }
        text.ok().map(Given::Text)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::ffi::OsStringExt;

    use super::*;

    fn environment(variables: &[(&str, &str)]) -> Environment {
        read(variables.iter().map(|(name, value)| (name.into(), value.into())))
    }

    fn entries(entries: &[Entry]) -> Vec<(&str, String, String)> {
        let text = |given: &'_ Given| given.one().expect("one value").to_owned();
        entries.iter().map(|e| (e.spec.name, text(&e.value), e.origin.to_string())).collect()
    }

    #[test]
    fn own_variables_and_shared_ones_are_told_apart() {
        let found = environment(&[
            ("HEALTHCHECKER_PORT", "1"),
            ("PORT", "2"),
            ("HEALTHCHECKER_CONFIG", "/etc/hc"),
            ("BIND_ADDR", ""),
            ("SMTP_HOST", "not ours"),
            ("HEALTHCHECKER_SERVER", "for the command line"),
            ("port", "3"),
        ]);
        assert_eq!(
            entries(&found.own),
            [
                ("port", "1".to_owned(), "environment HEALTHCHECKER_PORT".to_owned()),
                ("config", "/etc/hc".to_owned(), "environment HEALTHCHECKER_CONFIG".to_owned()),
            ]
        );
        assert_eq!(
            entries(&found.shared),
            [("port", "2".to_owned(), "environment PORT".to_owned())]
        );
        assert!(found.warnings.is_empty() && found.problems.is_empty());
    }

    #[test]
    fn what_only_looks_like_ours_is_a_warning() {
        let found = environment(&[("HEALTHCHECKER_SMTPHOST", "x"), ("HEALTHCHECKER_HELP", "1")]);
        assert_eq!(
            found.warnings,
            [
                "the variable HEALTHCHECKER_HELP sets no option",
                "the variable HEALTHCHECKER_SMTPHOST sets no option; did you mean smtp_host?",
            ]
        );
    }

    #[test]
    fn what_is_not_utf_8_is_a_problem_only_where_it_is_ours() {
        let bytes = || OsString::from_vec(vec![0xff]);
        let found = read([("LESS".into(), bytes()), ("PORT".into(), bytes()), (bytes(), bytes())]);
        let problems: Vec<String> = found.problems.iter().map(ToString::to_string).collect();
        assert_eq!(problems, ["PORT: its value is not UTF-8"]);
    }

    #[test]
    fn state_has_a_place_wherever_there_is_one() {
        let place = |variables: &[(&str, &str)]| {
            let pairs = variables.iter().map(|(name, value)| ((*name).into(), (*value).into()));
            read(pairs).state_dir.map(|path| path.display().to_string())
        };
        let home = ("HOME", "/home/me");
        assert_eq!(place(&[home]).as_deref(), Some("/home/me/.local/state/healthchecker"));
        let xdg = ("XDG_STATE_HOME", "/state");
        assert_eq!(place(&[home, xdg]).as_deref(), Some("/state/healthchecker"));
        assert_eq!(place(&[("XDG_STATE_HOME", "not/absolute")]), None);
        let service = ("STATE_DIRECTORY", "/var/lib/hc:/var/lib/other");
        assert_eq!(place(&[home, xdg, service]).as_deref(), Some("/var/lib/hc"));
    }
}
