//! What is shown: put together on the API's threads, from as many queries as it takes.

use std::io::Read;

use serde::Serialize;

use super::access::Effect;
use super::problem::Problem;
use super::response::{Payload, json_text};
use super::route::{Asked, Show};
use super::state::{LoopState, StateQuery};
use super::{ApiContext, ApiRequest, no_answer, path_of};
use crate::daemon::check_log::Query;
use crate::daemon::commands::warnings;
use crate::daemon::gate::Client;
use crate::daemon::metrics::{Body, Metrics, resident_memory};
use crate::daemon::mute_key::MuteLink;
use crate::daemon::page::{
    AppPage, Base, Beginning, Board, CLOSE_UP, IncidentsPage, MutePage, Part, order,
};
use crate::engine::chronicle::Incident;
use crate::engine::incidents::mutes::What;
use crate::engine::query::View;
use crate::engine::query::export::{EXPORT_VERSION, Export, exported};
use crate::engine::query::incidents::IncidentsView;
use crate::engine::query::present::VERSION;
use crate::engine::query::summary::CLOSEUPS;
use crate::engine::query::view::{HealthView, InfoView, StatusView};
use crate::engine::recipients::Recipient;
use crate::engine::registry::{App, AppId};
use crate::engine::time::Now;

/// Lines of the log on an app's page.
const LINES_ON_PAGE: usize = 50;

impl ApiContext {
    /// Has the loop answer a query.
    pub(super) fn query<T: Send + 'static>(
        &self,
        query: impl FnOnce(&LoopState<'_>) -> T + Send + 'static,
    ) -> Result<T, Problem> {
        let (query, answer) = StateQuery::new(query);
        let answer = self.ask(ApiRequest::Query(query), &answer)?;
        answer.downcast().map(|answer| *answer).map_err(|_| no_answer())
    }

    /// What there is to see of every app, queried a portion at a time, and taken in by `take`.
    fn query_each<T: Send + 'static>(
        &self,
        show: fn(View<'_>, AppId, &App, Now) -> T,
        mut take: impl FnMut(T),
    ) -> Result<(), Problem> {
        let mut after: Option<String> = None;
        loop {
            let portion = self.query(move |state| {
                let view = state.engine.view();
                view.portion(after.as_deref(), |id, app| show(view, id, app, state.now))
            })?;
            portion.apps.into_iter().for_each(&mut take);
            after = portion.more_after;
            if after.is_none() {
                return Ok(());
            }
        }
    }

    /// What there is to see of every app.
    pub(super) fn query_all<T: Send + 'static>(
        &self,
        show: fn(View<'_>, AppId, &App, Now) -> T,
    ) -> Result<Vec<T>, Problem> {
        let mut all = Vec::new();
        self.query_each(show, |one| all.push(one))?;
        Ok(all)
    }

    /// `about` as JSON, with a list `apps` of every app at its end. No more of them than a portion is there
    /// as anything but text.
    fn with_apps<T: Serialize + Send + 'static>(
        &self,
        about: &impl Serialize,
        show: fn(View<'_>, AppId, &App, Now) -> T,
    ) -> Result<String, Problem> {
        let mut text = json_text(about)?;
        // Its last brace: the list is one more member.
        text.pop();
        text.push_str(",\"apps\":[");
        let mut is_whole = Ok(());
        self.query_each(show, |app| match json_text(&app) {
            Ok(app) => text.extend([app.as_str(), ","]),
            Err(why) => is_whole = Err(why),
        })?;
        is_whole?;
        if text.ends_with(',') {
            text.pop();
        }
        text.push_str("]}\n");
        Ok(text)
    }

    /// What is asked for.
    pub(super) fn show(&self, show: Show, asked: &Asked<'_>) -> Result<Payload, Problem> {
        let client = asked.client;
        Ok(match show {
            Show::Info(name) => Payload::Info(self.info(name, client)?),
            Show::AppPage(name) => Payload::Page(self.app_page(name)?.html()),
            Show::Status => Payload::Status(self.status()?),
            Show::Board(part) => Payload::Page(self.board(part, asked)?.html()),
            Show::Form(name) => Payload::Page(self.form(name)?.html()),
            Show::Health => Payload::Health(self.health(client)?),
            Show::Metrics => Payload::Metrics(Body::new(self.metrics()?)),
            Show::Incidents => Payload::Incidents(IncidentsView(self.incidents()?)),
            Show::IncidentsPage => Payload::Page(self.incidents_page()?.html()),
            Show::Mute(link) => Payload::Page(self.mute_page(link)?.html()),
            Show::Export => Payload::Export(self.export()?),
            Show::OpenApi => {
                Payload::OpenApi(self.rules.base_through_proxy(client).map(str::to_owned))
            }
        })
    }

    pub(super) fn info(&self, name: String, client: Client) -> Result<InfoView, Problem> {
        log::debug!("{} asks: Show(Info({name:?}))", client.addr);
        let info = self.query(move |state| {
            let name = state.engine.on_record(&name)?;
            state.engine.view().info(state.now, &name)
        })?;
        info.map_err(Problem::from)
    }

    fn health(&self, client: Client) -> Result<HealthView, Problem> {
        log::debug!("{} asks: Show(Health)", client.addr);
        self.query(|state| state.health())
    }

    fn status(&self) -> Result<String, Problem> {
        let server = self.query(|state| state.engine.view().server(state.now, state.started))?;
        self.with_apps(&StatusView { server }, |view, id, app, now| view.show(id, app, now.at))
    }

    fn board(&self, part: usize, asked: &Asked<'_>) -> Result<Board, Problem> {
        let (daemon, around, time, zone) = self.query(|state| {
            let view = state.engine.view();
            (state.health(), view.around(), state.now.wall, state.engine.zone().clone())
        })?;
        let mut summaries = self.query_all(|view, id, app, now| view.summary(id, app, now))?;
        order(&mut summaries);
        let part = Part::of(part, summaries.len());
        let names: Vec<String> =
            part.of_all(&summaries).iter().take(CLOSE_UP).map(|it| it.name.clone()).collect();
        let mut closeups = Vec::new();
        for names in names.chunks(CLOSEUPS) {
            let names = names.to_vec();
            closeups
                .extend(self.query(move |state| state.engine.view().closeups(state.now, &names))?);
        }
        let beginning = match summaries.is_empty() {
            true => Some(Beginning { form: self.form(None)?, call: self.call(asked) }),
            false => None,
        };
        let base = Base::of(path_of(asked.target));
        Ok(Board { daemon, around, time, zone, summaries, closeups, part, beginning, base })
    }

    /// How an app registers itself with the daemon, which it finds where the browser found it.
    fn call(&self, asked: &Asked<'_>) -> String {
        let token = match self.rules.access.is_open(Effect::Changes) {
            true => "",
            false => "-H 'Authorization: Bearer TOKEN' ",
        };
        let direct = || format!("http://{}", asked.credentials.host.unwrap_or("ADDRESS:PORT"));
        let public = self.rules.base_through_proxy(asked.client);
        let base = public.map_or_else(direct, str::to_owned);
        format!(
            "curl -d appname=NAS -d url=http://192.168.1.20:8080 {token}{base}/healthchecker/monitor"
        )
    }

    fn app_page(&self, name: String) -> Result<AppPage, Problem> {
        let unknown = Problem::unknown_app(&name);
        let name = self.on_record(name)?;
        let query = Query { appname: Some(name.clone()), limit: LINES_ON_PAGE };
        let (app, warnings, zone) = self.query(move |state| {
            let engine = state.engine;
            let app = engine.view().portrait(state.now, &name);
            (app, warnings(engine, &name), engine.zone().clone())
        })?;
        let app = app.ok_or(unknown)?;
        Ok(AppPage { app, warnings, log: self.log_lines(&query), zone })
    }

    /// The name of the app that is meant; of one that is watched no longer, the name as it came.
    pub(super) fn on_record(&self, name: String) -> Result<String, Problem> {
        self.query(move |state| state.engine.on_record(&name).unwrap_or(name))
    }

    fn metrics(&self) -> Result<Metrics, Problem> {
        let daemon = self.query(|state| Metrics {
            version: VERSION,
            uptime: state.now.at.since(state.started),
            // A file of the kernel, which the loop does not read.
            resident: None,
            engine: state.engine.view().numbers(state.now),
            pool: state.pool,
            journal: state.journal,
            disk_troubles: state.disk.len(),
            name_troubles: state.names.len(),
            apps: Vec::new(),
        })?;
        let apps = self.query_all(|view, id, app, now| view.app_numbers(id, app, now))?;
        Ok(Metrics { resident: resident_memory(), apps, ..daemon })
    }

    /// All incidents, newest first, queried a portion at a time.
    fn incidents(&self) -> Result<Vec<Incident>, Problem> {
        let mut all: Vec<Incident> = Vec::new();
        loop {
            let oldest = all.last().map(|incident| incident.id);
            let portion =
                self.query(move |state| state.engine.view().incidents(state.now, oldest))?;
            if portion.is_empty() {
                return Ok(all);
            }
            all.extend(portion);
        }
    }

    fn incidents_page(&self) -> Result<IncidentsPage, Problem> {
        let incidents = self.incidents()?;
        self.query(|state| {
            let (zone, around) = (state.engine.zone().clone(), state.engine.view().around());
            IncidentsPage { now: state.now, zone, around, incidents }
        })
    }

    /// What the link of a mail is about, as far as it lasts.
    fn mute_page(&self, link: MuteLink) -> Result<MutePage, Problem> {
        let what = What::Mail(link.incident.clone(), Recipient::mail(&link.to));
        let (apps, zone) = self.query(move |state| {
            (state.engine.view().muted(state.now, &what), state.engine.zone().clone())
        })?;
        if apps.is_empty() {
            return Err(Problem::nothing_to_mute());
        }
        Ok(MutePage { link, apps, zone })
    }

    fn export(&self) -> Result<String, Problem> {
        let time = self.query(|state| state.now.wall)?;
        let about = Export { healthchecker_export: EXPORT_VERSION, time };
        self.with_apps(&about, |_, _, app, _| exported(app))
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
