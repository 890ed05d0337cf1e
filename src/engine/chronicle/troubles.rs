//! Apps in the chronicle: what people are told of one or several is an incident, until all in it are well.
//!
//! It is as large as a mail: those that are told together are in one, and who comes to them later.

use super::interruptions::affected;
use super::{Affected, Chronicle, Kind};
use crate::engine::recipients::Recipient;
use crate::engine::registry::App;
use crate::engine::state::State;
use crate::engine::time::Now;

/// What is said of several.
const TOGETHER: &str = "several fell silent together";

impl Chronicle {
    /// People are told that these apps are unwell, or nobody is to be told of them: an incident begins, or goes
    /// on where one of `family` is unwell in one. Who is in an incident already stays there.
    pub fn handle_trouble(&mut self, apps: &[&App], family: &[&str]) {
        let new = self.new_in(apps);
        let began = new.iter().map(|app| app.since);
        let Some(began) = began.reduce(|a, b| if a.is_not_after(b) { a } else { b }) else {
            return;
        };
        let cause = match new.as_slice() {
            [only] => only.reason.as_str(),
            _ => TOGETHER,
        };
        let open = self.of_apps(family);
        let id = open.unwrap_or_else(|| self.begin(Kind::Apps, cause, began));
        new.iter().for_each(|app| self.join(id, app.clone()));
    }

    /// An app was told with others before it was unwell, and is so now.
    pub fn handle_suspect(&mut self, app: &App, family: &[&str]) {
        let Some(id) = self.of_apps(family) else { return };
        self.new_in(&[app]).into_iter().for_each(|app| self.join(id, app));
    }

    /// The mail server took a mail that tells a person that an app is unwell.
    pub fn tell_of(&mut self, now: Now, app: &str, to: &Recipient) {
        let is_of = |it: &&super::Incident| {
            it.kind == Kind::Apps && it.apps.iter().any(|known| known.name == app)
        };
        let newest = self.incidents().rev().find(is_of).map(|incident| incident.id);
        newest.into_iter().for_each(|id| self.tell(now, id, to));
    }

    /// The open incident in which one of these is unwell.
    fn of_apps(&self, names: &[&str]) -> Option<u64> {
        let mut open = self.incidents().filter(|it| it.kind == Kind::Apps);
        open.find(|it| names.iter().any(|name| it.holds(name))).map(|it| it.id)
    }

    /// Those that are unwell, and in no open incident.
    fn new_in(&self, apps: &[&App]) -> Vec<Affected> {
        let is_unwell = |app: &&&App| matches!(app.state(), State::Degraded | State::Unhealthy);
        let is_new = |app: &&&App| !self.incidents().any(|it| it.holds(&app.registration.name));
        let new = apps.iter().filter(is_unwell).filter(is_new);
        new.map(|app| affected(app, app.state(), app.monitor.since)).collect()
    }
}
