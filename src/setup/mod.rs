//! `healthchecker setup`: a few questions, a mail that shows whether it works, and a commented configuration.
//!
//! - [`talk`] asks: on a terminal, over ssh, or from a pipe.
//! - [`answers`] are what the file is to set: what it set before, the command line, what was asked.
//! - [`questions`] are what is asked of whom.
//! - [`paper`] is the file: what was there, what comes there, and that nothing is lost on the way.

mod answers;
mod paper;
mod questions;
mod talk;

#[cfg(test)]
mod tests;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::config::environment;
use crate::config::given::Entry;
use crate::config::in_force::InForce;
use crate::config::problem::Problems;
use crate::config::quoted::shown;
use crate::config::resolve::{self, DEFAULT_FILE};
use crate::config::settings::Settings;
use crate::config::spec::Role;
use crate::config::{EXIT_CONFIG, command_line::CommandLine};
use crate::daemon::mailer::TestMail;

use answers::Answers;
use paper::Paper;
use talk::Ended;

pub use talk::Talk;

/// Where packages have it; who set that up restarts the service.
const PACKAGED_FILE: &str = "/etc/healthchecker/config";

/// A person waits for the mail that shows whether it works. The daemon itself waits longer for a slow server, so they may
/// keep one that took too long for this.
const PATIENCE: Duration = Duration::from_secs(60);

/// Nothing was written.
const EXIT_NOT_DONE: u8 = 1;

/// What the command line said: each option is an answer, and is not asked for.
pub struct Setup {
    told: Vec<Entry>,
    path: String,
    /// `--yes`: nothing is asked.
    asks_nothing: bool,
}

impl Setup {
    /// Of a command line with the word `setup`.
    ///
    /// # Errors
    /// All that is wrong with it.
    pub fn new(line: CommandLine) -> Result<Self, Problems> {
        let mut problems = line.problems;
        for entry in &line.entries {
            if let Err(what) = answers::check(entry.spec, &entry.value) {
                problems.push(answers::problem(entry, what));
            }
        }
        if !problems.is_empty() {
            return Err(Problems(problems));
        }
        let (named, told): (Vec<Entry>, Vec<Entry>) =
            line.entries.into_iter().partition(|entry| matches!(entry.spec.role, Role::ConfigFile));
        let path = named.last().and_then(|entry| entry.value.one().ok()).unwrap_or(DEFAULT_FILE);
        Ok(Setup { told, path: path.to_owned(), asks_nothing: line.yes })
    }
}

/// What the machine has for this.
pub struct Machine<'a> {
    /// The environment's variables.
    pub variables: Vec<(OsString, OsString)>,
    /// Sends one mail to each person who is told by default, and waits so long for each.
    pub test_mail: &'a dyn Fn(&Settings, Duration) -> TestMail,
}

/// Asks, tries and writes; the exit code.
pub fn run(setup: Setup, machine: &Machine<'_>, talk: &mut Talk<'_>) -> u8 {
    let done = match Course::begin(setup, machine, talk) {
        Ok(mut course) => course.run(),
        Err(why) => Err(why),
    };
    let (code, words) = match done {
        Ok(words) => (0, words),
        Err(Stop::Wrong(why)) => (EXIT_CONFIG, format!("{why}\nnothing was written\n")),
        Err(Stop::NotDone(why)) => (EXIT_NOT_DONE, format!("{why}; nothing was written\n")),
    };
    // Nobody is left to be told if this fails; the exit code stands.
    let _ = talk.say(&words);
    code
}

/// Why it ends before something is written.
enum Stop {
    /// The configuration that is there, or that would come of it, is wrong.
    Wrong(String),
    NotDone(String),
}

impl From<Ended> for Stop {
    fn from(Ended(why): Ended) -> Stop {
        Stop::NotDone(why)
    }
}

struct Course<'a, 'b> {
    machine: &'a Machine<'a>,
    talk: &'a mut Talk<'b>,
    told: Vec<Entry>,
    answers: Answers,
    paper: Paper,
    /// How many options the file that is there sets.
    set_before: usize,
    asks_nothing: bool,
}

impl<'a, 'b> Course<'a, 'b> {
    fn begin(setup: Setup, machine: &'a Machine<'a>, talk: &'a mut Talk<'b>) -> Result<Self, Stop> {
        let paper = Paper::find(Path::new(&setup.path)).map_err(Stop::NotDone)?;
        let mut answers =
            Answers::of_file(&shown(&setup.path), paper.text()).map_err(Stop::Wrong)?;
        let set_before = answers.count();
        answers.take(&setup.told);
        Ok(Course {
            machine,
            talk,
            told: setup.told,
            answers,
            paper,
            set_before,
            asks_nothing: setup.asks_nothing,
        })
    }

    fn run(&mut self) -> Result<String, Stop> {
        if !self.asks_nothing {
            let words = "A few questions; Enter takes what stands in [ ].\n";
            self.talk.say(words)?;
            questions::who_is_told(self.talk, &mut self.answers, &self.told)?;
            questions::port(self.talk, &mut self.answers, &self.told)?;
            questions::mail(self.talk, &mut self.answers, &self.told)?;
        }
        while !self.mail_works()? {
            questions::mail_anew(self.talk, &mut self.answers)?;
        }
        let is_new = self.paper.text().is_none();
        // The one that is shipped, as a rule: nothing but comments.
        let sets_nothing = self.set_before == 0;
        if !is_new && !self.is_agreed(&self.paper.what_is_replaced(), sets_nothing)? {
            return Err(Stop::NotDone(format!("{} is as it was", self.paper.shown())));
        }
        self.paper.write(&self.answers.text()).map_err(Stop::NotDone)?;
        Ok(self.what_is_next())
    }

    /// Tries the mail, if it is set up; false if other answers are wanted.
    fn mail_works(&mut self) -> Result<bool, Stop> {
        let in_force = self.in_force()?;
        if in_force.settings.mail.is_err() {
            let words = "No mail is sent for now: trouble is shown on the page and in the log.\n";
            self.talk.say(words)?;
            return Ok(true);
        }
        self.talk.say(
            "A mail is sent, to see whether it works; a slow server may take a minute ...\n",
        )?;
        let outcome = (self.machine.test_mail)(&in_force.settings, PATIENCE);
        self.talk.say(&format!("{}\n", shown_lines(&outcome.words)))?;
        if outcome.exit_code == 0 {
            return Ok(true);
        }
        let keep = "Mail does not work like this. Keep it nevertheless";
        Ok(self.is_agreed(keep, false)?)
    }

    /// What the file would come to, in the middle of all else that is set on this machine.
    fn in_force(&self) -> Result<InForce, Stop> {
        let text = self.answers.text();
        let path = self.paper.path();
        let read_file = |asked: &Path| {
            if asked == path {
                Ok(text.clone().into_bytes())
            } else {
                crate::config::read_file(asked)
            }
        };
        let line = CommandLine {
            entries: answers::config_file(path).into_iter().collect(),
            ..CommandLine::default()
        };
        let mut environment = environment::read(self.machine.variables.clone());
        // Where the daemon has its state it finds by its own environment: an installer may have none (`HOME`).
        environment.state_dir.get_or_insert_with(PathBuf::new);
        resolve::resolve(line, environment, &read_file)
            .map_err(|problems| Stop::Wrong(problems.to_string().trim_end().to_owned()))
    }

    fn is_agreed(&mut self, question: &str, by_default: bool) -> Result<bool, Ended> {
        if self.asks_nothing {
            return Ok(true);
        }
        self.talk.is_agreed(question, by_default)
    }

    fn what_is_next(&self) -> String {
        let path = self.paper.path();
        let file = self.paper.shown();
        let next = if path == Path::new(PACKAGED_FILE) {
            "Restart the service: sudo systemctl restart healthchecker".to_owned()
        } else if path == Path::new(DEFAULT_FILE) {
            "Start it in this folder: healthchecker".to_owned()
        } else {
            format!("Start it: healthchecker --config {file}")
        };
        format!(
            "{file} is written; only its owner can read it. All other options are in it, too.\n\
             {next}\n\
             Its log says where the page is.\n"
        )
    }
}

/// Lines of others, on a terminal.
fn shown_lines(text: &str) -> String {
    text.lines().map(|line| format!("  {}", shown(line))).collect::<Vec<_>>().join("\n")
}
