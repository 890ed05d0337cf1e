//! Which value of an option is in force: each by itself, from the place that goes first.

use std::cmp::Reverse;
use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use rustls::pki_types::CertificateDer;

use super::ReadFile;
use super::access;
use super::certificates;
use super::command_line::CommandLine;
use super::environment::Environment;
use super::file::{self, Assignment};
use super::given::{Entry, Given, Origin};
use super::hint::did_you_mean;
use super::in_force::{ConfigFile, InForce};
use super::mail::{self, Plan};
use super::options::Options;
use super::problem::{Problem, Problems};
use super::quoted::{quoted, shown};
use super::secrets::{self, TwoWays};
use super::settings::{AccessSettings, MailSettings, Secret, Settings};
use super::spec::{Role, Spec, Takes, settings};
use super::table::OPTIONS;
use super::value;
use super::zone::{self, LocalTime};
use crate::engine::time::Zone;

/// The file that is read if no other is named, and may be missing.
pub const DEFAULT_FILE: &str = "./config";

/// Puts the values of all places in force.
///
/// # Errors
/// Everything that is wrong anywhere, also with a value of ours that another place overrides.
pub fn resolve(
    line: CommandLine,
    environment: Environment,
    read_file: &ReadFile<'_>,
) -> Result<InForce, Problems> {
    let Environment { warnings, state_dir, timezone, .. } = environment;
    let mut layers = Layers { warnings, state_dir, timezone, ..Layers::default() };
    let stated = [line.problems, environment.problems].concat();
    let file = layers.config_file([&line.entries, &environment.own], read_file);
    let above = |spec: &Spec| has(&environment.own, spec) || has(&line.entries, spec);
    for entry in environment.shared.into_iter().filter(|entry| !above(entry.spec)) {
        layers.shared(entry);
    }
    for entry in environment.own.into_iter().chain(line.entries) {
        layers.warn_if_visible(&entry);
        layers.put(entry.spec, &entry.value, entry.origin);
    }
    layers.complain_without_state_dir();
    let derived = layers.derive(read_file);
    layers.finish(stated, file, derived)
}

fn has(entries: &[Entry], spec: &Spec) -> bool {
    entries.iter().any(|entry| entry.spec.name == spec.name)
}

/// What several options, and the files that they name, come to.
struct Derived {
    plan: Plan,
    access: AccessSettings,
    authorities: Vec<CertificateDer<'static>>,
    local_time: LocalTime,
}

/// What is in force so far, from the lowest place up.
#[derive(Default)]
struct Layers {
    options: Options,
    origins: HashMap<&'static str, Origin>,
    /// With the place, to put them in the order in which a person would look for them.
    problems: Vec<(Origin, Problem)>,
    warnings: Vec<String>,
    /// Where state is kept unless an option says otherwise.
    state_dir: Option<PathBuf>,
    /// The time zone of other programs.
    timezone: Option<String>,
}

impl Layers {
    fn put(&mut self, spec: &'static Spec, value: &Given, origin: Origin) {
        let Role::Setting { set, .. } = spec.role else {
            return;
        };
        match set(&mut self.options, value) {
            Ok(()) => {
                self.origins.insert(spec.name, origin);
            }
            Err(what) => self.complain(origin, spec.name, what),
        }
    }

    fn complain(&mut self, origin: Origin, name: &str, what: String) {
        let place = origin.place(name);
        self.problems.push((origin, Problem { place, what }));
    }

    /// A variable that other software may have set. For a switch, something odd was not meant for
    /// us: `DEBUG=*` must not end the start.
    fn shared(&mut self, entry: Entry) {
        match value::flag(&entry.value) {
            Err(why) if entry.spec.takes == Takes::Nothing => {
                let name = entry.spec.name;
                self.warnings.push(format!("{} leaves {name} as it is: {why}", entry.origin));
            }
            _ => self.put(entry.spec, &entry.value, entry.origin),
        }
    }

    fn warn_if_visible(&mut self, entry: &Entry) {
        if let (true, Origin::CommandLine(spelling)) = (entry.spec.is_secret(), &entry.origin) {
            self.warnings.push(format!(
                "{spelling} on the command line can be seen by every user of this machine (ps); \
                 put it in the environment, the configuration file or a file of its own"
            ));
        }
    }

    /// Reads the file that the command line or the environment names, else the default one.
    fn config_file(&mut self, named_in: [&[Entry]; 2], read_file: &ReadFile<'_>) -> ConfigFile {
        let named = named_in.into_iter().find_map(|entries| {
            entries.iter().rev().find(|entry| matches!(entry.spec.role, Role::ConfigFile))
        });
        let path = named.and_then(|entry| entry.value.one().ok()).unwrap_or(DEFAULT_FILE);
        match read_file(Path::new(path)) {
            Ok(bytes) => {
                self.file_contents(&shown(path), &bytes);
                ConfigFile::Read(shown(path))
            }
            Err(e) if named.is_none() && e.kind() == ErrorKind::NotFound => {
                ConfigFile::Missing(shown(path))
            }
            // Somebody's folder of that name in the working directory is no file of ours.
            Err(e) if named.is_none() && e.kind() == ErrorKind::IsADirectory => {
                self.warnings.push(format!("{path} is a folder and not read"));
                ConfigFile::Missing(shown(path))
            }
            Err(e) => {
                let origin = named.map_or(Origin::Default, |entry| entry.origin.clone());
                let what = format!("the configuration file {} cannot be read: {e}", quoted(path));
                self.complain(origin, "config", what);
                ConfigFile::Missing(shown(path))
            }
        }
    }

    fn file_contents(&mut self, path: &str, bytes: &[u8]) {
        let at = |line| Origin::File { path: path.to_owned(), line };
        let (assignments, complaints) = file::read(bytes);
        for complaint in complaints {
            let origin = at(complaint.line);
            let problem =
                Problem { place: format!("{path}:{}", complaint.line), what: complaint.what };
            self.problems.push((origin, problem));
        }
        for Assignment { line, name, value } in assignments {
            match (Spec::by_file_name(&name), value) {
                (Some(spec), Some(value)) => self.put(spec, &value, at(line)),
                (Some(spec), None) if spec.none_is_a_value => {
                    self.put(spec, &Given::List(Vec::new()), at(line));
                }
                (Some(_), None) => {}
                (None, _) => self.complain(at(line), &shown(&name), unknown(&name)),
            }
        }
    }

    /// A test writes nothing, so it needs no folder.
    fn complain_without_state_dir(&mut self) {
        let found = self.options.state_dir.is_some() || self.state_dir.is_some();
        if !found && !self.options.test {
            let what = "no folder for the state can be found, since none of STATE_DIRECTORY, \
                        XDG_STATE_HOME and HOME names an absolute one; name one here";
            self.complain(Origin::Default, "state_dir", what.to_owned());
        }
    }

    /// What takes more than one option to say; `None` after a problem.
    fn derive(&mut self, read_file: &ReadFile<'_>) -> Option<Derived> {
        // One after the other, so that all problems come out.
        let plan = self.mail(read_file);
        let access = self.access(read_file);
        let authorities = self.authorities(read_file);
        let local_time = self.local_time(read_file);
        let (access, authorities) = (access?, authorities?);
        Some(Derived { plan: plan?, access, authorities, local_time: local_time? })
    }

    /// The way of sending mail; `None` after a problem.
    fn mail(&mut self, read_file: &ReadFile<'_>) -> Option<Plan> {
        let options = &self.options;
        let token = self.secret(
            ("gmail_token", options.gmail_token.as_ref()),
            ("gmail_token_file", options.gmail_token_file.as_deref()),
            value::token,
            read_file,
        );
        let password = self.secret(
            ("smtp_password", options.smtp_password.as_ref()),
            ("smtp_password_file", options.smtp_password_file.as_deref()),
            value::secret,
            read_file,
        );
        let [token, password] = self.in_order([token, password]);
        match mail::plan(&self.options, token?.as_ref(), password?.as_ref()) {
            Ok(plan) => Some(plan),
            Err(what) => {
                self.complain(Origin::Default, "mail", what);
                None
            }
        }
    }

    /// Who may do what over HTTP; `None` after a problem.
    fn access(&mut self, read_file: &ReadFile<'_>) -> Option<AccessSettings> {
        let options = &self.options;
        let api = self.secret(
            ("api_token", options.api_token.as_ref()),
            ("api_token_file", options.api_token_file.as_deref()),
            access::bearer_token,
            read_file,
        );
        let read = self.secret(
            ("read_token", options.read_token.as_ref()),
            ("read_token_file", options.read_token_file.as_deref()),
            access::bearer_token,
            read_file,
        );
        let [api, read] = self.in_order([api, read]);
        let allow_host = self.options.allow_host.clone();
        let public_url = self.options.public_url.clone();
        Some(AccessSettings { api_token: api?, read_token: read?, allow_host, public_url })
    }

    /// A secret, wherever it lies: in an option of its own, or in a file that another option names.
    fn secret(
        &self,
        (name, text): (&'static str, Option<&Secret>),
        (file_name, file): (&'static str, Option<&Path>),
        read: fn(&Given) -> Result<Option<Secret>, String>,
        read_file: &ReadFile<'_>,
    ) -> Result<Option<Secret>, Problem> {
        let (text_origin, file_origin) = (self.origin(name), self.origin(file_name));
        let ways = TwoWays { name, text, text_origin, file_name, file, file_origin, read };
        secrets::choose(&ways, read_file)
    }

    /// Notes the problems among several secrets; `None` for each that has one.
    fn in_order<const N: usize>(
        &mut self,
        secrets: [Result<Option<Secret>, Problem>; N],
    ) -> [Option<Option<Secret>>; N] {
        secrets.map(|secret| {
            secret.map_err(|problem| self.problems.push((Origin::Default, problem))).ok()
        })
    }

    /// What is in `ca_file`, if one is named; `None` after a problem.
    fn authorities(&mut self, read_file: &ReadFile<'_>) -> Option<Vec<CertificateDer<'static>>> {
        let Some(path) = &self.options.ca_file else { return Some(Vec::new()) };
        match certificates::read(path, read_file) {
            Ok(certificates) => Some(certificates),
            Err(what) => {
                let origin = self.origin("ca_file").clone();
                self.complain(origin, "ca_file", what);
                None
            }
        }
    }

    /// What times are told in; `None` after a problem.
    fn local_time(&mut self, read_file: &ReadFile<'_>) -> Option<LocalTime> {
        let Some(name) = self.options.timezone.clone() else {
            return Some(zone::of_machine(self.timezone.as_deref(), read_file));
        };
        match zone::named(&name, read_file) {
            Ok(zone) => Some(LocalTime { zone, origin: shown(&name), remark: None }),
            Err(what) => {
                let origin = self.origin("timezone").clone();
                self.complain(origin, "timezone", what);
                None
            }
        }
    }

    fn origin(&self, name: &str) -> &Origin {
        self.origins.get(name).unwrap_or(&Origin::Default)
    }

    fn finish(
        mut self,
        mut problems: Vec<Problem>,
        file: ConfigFile,
        derived: Option<Derived>,
    ) -> Result<InForce, Problems> {
        // What was typed just now comes first, and a file is read from top to bottom.
        self.problems.sort_by_key(|(origin, _)| (Reverse(origin.rank()), origin.line()));
        problems.extend(self.problems.into_iter().map(|(_, problem)| problem));
        let Some(derived) = derived.filter(|_| problems.is_empty()) else {
            return Err(Problems(problems));
        };
        let Derived { plan, access, authorities, local_time } = derived;
        let mut warnings = self.warnings;
        warnings.extend(access::remarks(&access));
        warnings.extend(local_time.remark);
        warnings.extend(plan.remarks);
        if let Err(why) = &plan.way {
            warnings.push(format!("no mail is sent: {why}"));
        }
        Ok(InForce {
            local_time: local_time.origin,
            settings: checked(
                &self.options,
                plan.way,
                access,
                (authorities, local_time.zone),
                self.state_dir,
            ),
            options: self.options,
            origins: self.origins,
            file,
            warnings,
        })
    }
}

fn checked(
    options: &Options,
    mail: Result<MailSettings, String>,
    access: AccessSettings,
    (authorities, zone): (Vec<CertificateDer<'static>>, Zone),
    state_dir: Option<PathBuf>,
) -> Settings {
    Settings {
        verbose: options.verbose,
        test: options.test,
        debug: options.debug,
        bind_addr: options.bind_addr,
        port: options.port,
        email: options.email.clone(),
        allow_email: options.allow_email.clone(),
        mail,
        public_url: options.public_url.clone(),
        announce: options.announce,
        workers: options.workers,
        settle: options.settle,
        anchors: options.anchors.clone(),
        reminders: options.reminders,
        quiet: options.quiet.clone(),
        zone,
        access,
        authorities,
        state_dir: options.state_dir.clone().or(state_dir).filter(|_| !options.test),
    }
}

fn unknown(name: &str) -> String {
    match OPTIONS.iter().find(|spec| spec.name == name) {
        Some(_) => "has no place in the file, only on the command line".to_owned(),
        None => format!("unknown option{}", did_you_mean(name, settings().map(|spec| spec.name))),
    }
}
