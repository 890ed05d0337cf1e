//! Answers that take more than one look: put together on the API's threads.

use std::any::Any;
use std::io::Read;

use super::look::{Look, Sight};
use super::reply::Problem;
use super::{ApiRequest, Desk, REPLY_WITHIN, no_answer};
use crate::daemon::channel::Receiver;
use crate::daemon::checklog::Query;
use crate::daemon::metrics::{Metrics, resident_memory};
use crate::daemon::page::{AppPage, Board, CLOSE_UP, order};
use crate::engine::app::App;
use crate::engine::core::Engine;
use crate::engine::show::export::{EXPORT_VERSION, Export, exported};
use crate::engine::show::glance::{CLOSEUPS, glance};
use crate::engine::show::measure::app_numbers;
use crate::engine::show::present::VERSION;
use crate::engine::show::view::StatusView;
use crate::engine::time::Now;

/// Lines of the log on an app's page.
const LINES_ON_PAGE: usize = 50;

impl Desk {
    /// Has the loop look.
    pub(super) fn look<T: Send + 'static>(
        &self,
        look: impl FnOnce(&Sight<'_>) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let (look, answer) = Look::new(look);
        let seen = self.have_looked(look, &answer)?;
        seen.downcast().map(|seen| *seen).map_err(|_| no_answer())
    }

    fn have_looked(
        &self,
        look: Look,
        answer: &Receiver<Box<dyn Any + Send>>,
    ) -> Result<Box<dyn Any + Send>, Problem> {
        self.requests.send(ApiRequest::Look(look)).map_err(|_| no_answer())?;
        (self.wake)();
        answer.recv_timeout(REPLY_WITHIN).map_err(|_| no_answer())
    }

    /// Looks at every app, a portion at a time.
    pub(super) fn look_at_all<T: Send + 'static>(
        &self,
        look: fn(&Engine, &App, Now) -> T,
    ) -> Result<Vec<T>, Problem> {
        let mut all = Vec::new();
        let mut after: Option<String> = None;
        loop {
            let portion = self.look(move |sight| {
                let see = |app: &App| look(sight.engine, app, sight.now);
                sight.engine.portion(after.as_deref(), see)
            })?;
            all.extend(portion.apps);
            after = portion.more_after;
            if after.is_none() {
                return Ok(all);
            }
        }
    }

    pub(super) fn status(&self) -> Result<StatusView, Problem> {
        let server = self.look(|sight| sight.engine.server(sight.now, sight.started))?;
        let apps = self.look_at_all(|engine, app, now| engine.show(app, now.at))?;
        Ok(StatusView { server, apps })
    }

    pub(super) fn board(&self) -> Result<Board, Problem> {
        let (daemon, time) = self.look(|sight| {
            let daemon = sight.engine.health(sight.now, sight.started, sight.disk.clone());
            (daemon, sight.now.wall)
        })?;
        let mut glances = self.look_at_all(|_, app, now| glance(app, now))?;
        order(&mut glances);
        let names: Vec<String> =
            glances.iter().take(CLOSE_UP).map(|glance| glance.name.clone()).collect();
        let mut closeups = Vec::new();
        for names in names.chunks(CLOSEUPS) {
            let names = names.to_vec();
            closeups.extend(self.look(move |sight| sight.engine.closeups(sight.now, &names))?);
        }
        Ok(Board { daemon, time, glances, closeups })
    }

    pub(super) fn app_page(&self, name: String) -> Result<AppPage, Problem> {
        let unknown = Problem::unknown_app(&name);
        let name = self.on_record(name)?;
        let query = Query { appname: Some(name.clone()), limit: LINES_ON_PAGE };
        let app = self.look(move |sight| sight.engine.portrait(sight.now, &name))?;
        let app = app.ok_or(unknown)?;
        Ok(AppPage { app, log: self.log_lines(&query) })
    }

    /// The name of the app that is meant; of one that is watched no longer, the name as it came.
    pub(super) fn on_record(&self, name: String) -> Result<String, Problem> {
        self.look(move |sight| sight.engine.on_record(&name).unwrap_or(name))
    }

    pub(super) fn metrics(&self) -> Result<Metrics, Problem> {
        let daemon = self.look(|sight| Metrics {
            version: VERSION,
            uptime: sight.now.at.since(sight.started),
            resident: None,
            engine: sight.engine.numbers(sight.now),
            pool: sight.pool,
            journal: sight.journal,
            disk_troubles: sight.disk.len(),
            apps: Vec::new(),
        })?;
        let apps = self.look_at_all(|_, app, now| app_numbers(app, now))?;
        Ok(Metrics { resident: resident_memory(), apps, ..daemon })
    }

    pub(super) fn export(&self) -> Result<Export, Problem> {
        let apps = self.look_at_all(|_, app, _| exported(app))?;
        let time = self.look(|sight| sight.now.wall)?;
        Ok(Export { healthchecker_export: EXPORT_VERSION, time, apps })
    }

    fn log_lines(&self, query: &Query) -> Result<String, String> {
        let mut found = self.log.find(query)?;
        let mut bytes = Vec::new();
        found
            .read_to_end(&mut bytes)
            .map_err(|why| format!("the health check log cannot be read: {why}"))?;
        Ok(String::from_utf8_lossy(&bytes).into_owned())
    }
}
