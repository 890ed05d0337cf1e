//! An app's way to the daemon.

use std::sync::Arc;

use serde_json::Value;

use super::connection::Connection;
use super::keeper::Keeper;
use super::{Error, Monitor, ServerUrl};

/// The daemon, as one app sees it.
///
/// Dropping it changes nothing: an app that ends, or crashes, stays registered and is noticed. See
/// [`HealthCheckerServer::stop_when_dropped`] for apps that come and go.
#[derive(Debug)]
pub struct HealthCheckerServer {
    desk: Arc<Desk>,
    keeper: Keeper,
    stop_when_dropped: bool,
}

/// What calls need, shared with the thread of [`Keeper`].
#[derive(Debug)]
pub(super) struct Desk {
    pub(super) app: String,
    url: String,
    connection: Connection,
}

impl Desk {
    pub(super) fn monitor(&self, how: &Monitor) -> Result<(), Error> {
        let parameters = how.parameters(&self.app, &self.url);
        self.connection.post("monitor", &parameters).map(drop)
    }

    pub(super) fn info(&self) -> Result<Value, Error> {
        let text = self.connection.get("info", &[("appname", &self.app)])?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    fn change(&self, call: &str) -> Result<(), Error> {
        self.connection.post(call, &[("appname", &self.app)]).map(drop)
    }
}

impl HealthCheckerServer {
    /// For the app of this name, whose health is asked for at `url` + `/health`. The daemon is
    /// looked for by Zeroconf at the first call, and again when it has moved.
    pub fn new(app: impl Into<String>, url: impl Into<String>) -> HealthCheckerServer {
        HealthCheckerServer::over(Connection::search(), app, url)
    }

    /// The same with the daemon at this address, `http://ADDRESS:PORT`.
    ///
    /// # Errors
    /// `server` is no address.
    pub fn at(
        server: &str,
        app: impl Into<String>,
        url: impl Into<String>,
    ) -> Result<HealthCheckerServer, Error> {
        let connection = Connection::to(server.parse()?);
        Ok(HealthCheckerServer::over(connection, app, url))
    }

    /// The same over a connection that was set up before, with a token say:
    ///
    /// ```
    /// use healthchecker::client::{HealthCheckerServer, connection::Connection};
    ///
    /// let connection = Connection::search().with_token("secret");
    /// HealthCheckerServer::over(connection, "NAS", "http://192.168.1.20:8080");
    /// ```
    pub fn over(
        connection: Connection,
        app: impl Into<String>,
        url: impl Into<String>,
    ) -> HealthCheckerServer {
        let desk = Arc::new(Desk { app: app.into(), url: url.into(), connection });
        HealthCheckerServer { desk, keeper: Keeper::default(), stop_when_dropped: false }
    }

    /// Asks to be watched, or to be watched differently. May be called as often as you like: only
    /// what differs changes.
    ///
    /// # Errors
    /// No daemon was reached, or it refuses; [`Error::status`] is a number for it.
    pub fn monitor(&self, how: &Monitor) -> Result<(), Error> {
        self.desk.monitor(how)
    }

    /// Asks to be watched, on a thread of its own, until a daemon has taken it; and again when a
    /// daemon comes back that knows nothing of it, at another address perhaps. Ends with
    /// [`HealthCheckerServer::stop`], not with this value.
    ///
    /// What is in the way is logged as a warning (`log`), each reason once.
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn keep_registered(&self, how: Monitor) -> std::io::Result<()> {
        self.keeper.start(self.desk.clone(), how)
    }

    /// Asks to be left alone for now.
    ///
    /// # Errors
    /// See [`HealthCheckerServer::monitor`].
    pub fn pause(&self) -> Result<(), Error> {
        self.desk.change("pause")
    }

    /// Asks to be checked again.
    ///
    /// # Errors
    /// See [`HealthCheckerServer::monitor`].
    pub fn resume(&self) -> Result<(), Error> {
        self.desk.change("resume")
    }

    /// Asks to be forgotten.
    ///
    /// # Errors
    /// See [`HealthCheckerServer::monitor`].
    pub fn stop(&self) -> Result<(), Error> {
        self.keeper.end();
        self.desk.change("stop")
    }

    /// What the daemon knows of the app: parameters, state, counters, recent checks.
    ///
    /// # Errors
    /// See [`HealthCheckerServer::monitor`].
    pub fn info(&self) -> Result<Value, Error> {
        self.desk.info()
    }

    /// Where the daemon is.
    ///
    /// # Errors
    /// None was found.
    pub fn url(&self) -> Result<ServerUrl, Error> {
        self.desk.connection.server()
    }

    /// Asks to be forgotten when this is dropped. Only for apps whose end is never a fault: a panic
    /// that unwinds drops it too.
    #[must_use]
    pub fn stop_when_dropped(mut self) -> HealthCheckerServer {
        self.stop_when_dropped = true;
        self
    }
}

impl Drop for HealthCheckerServer {
    fn drop(&mut self) {
        if self.stop_when_dropped
            && let Err(why) = self.stop()
        {
            log::warn!("{}: still watched: {why}", self.desk.app);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread::JoinHandle;

    use super::super::stub;
    use super::*;

    fn app(body: &str) -> (HealthCheckerServer, JoinHandle<String>) {
        let (url, asked) = stub::answering("200 OK", body);
        (HealthCheckerServer::at(url.as_str(), "NAS", "http://nas").unwrap(), asked)
    }

    /// What a call asks of the daemon: the first line, and the body.
    fn asked(call: impl FnOnce(&HealthCheckerServer)) -> (String, String) {
        let (app, asked) = app(r#"{"result": "done", "appname": "NAS", "state": "HEALTHY"}"#);
        call(&app);
        let asked = asked.join().unwrap();
        let (head, body) = asked.split_once("\r\n\r\n").unwrap();
        (head.lines().next().unwrap().to_owned(), body.to_owned())
    }

    #[test]
    fn every_call_goes_where_it_belongs() {
        let (line, body) = asked(|app| app.monitor(&Monitor::new().interval(10)).unwrap());
        assert_eq!(line, "POST /healthchecker/monitor HTTP/1.1");
        assert_eq!(body, r#"{"appname":"NAS","interval":"10","url":"http://nas"}"#);
        type Call = fn(&HealthCheckerServer) -> Result<(), Error>;
        let calls: [(&str, Call); 3] = [
            ("pause", HealthCheckerServer::pause),
            ("resume", HealthCheckerServer::resume),
            ("stop", HealthCheckerServer::stop),
        ];
        for (word, call) in calls {
            let (line, body) = asked(|app| call(app).unwrap());
            assert_eq!(line, format!("POST /healthchecker/{word} HTTP/1.1"));
            assert_eq!(body, r#"{"appname":"NAS"}"#);
        }
        let (line, _) = asked(|app| assert_eq!(app.info().unwrap()["state"], "HEALTHY"));
        assert_eq!(line, "GET /healthchecker/info?appname=NAS HTTP/1.1");
    }

    #[test]
    fn dropped_it_stops_only_if_that_was_asked_for() {
        let daemon = TcpListener::bind("127.0.0.1:0").unwrap();
        daemon.set_nonblocking(true).unwrap();
        let url = format!("http://{}", daemon.local_addr().unwrap());
        drop(HealthCheckerServer::at(&url, "NAS", "http://nas").unwrap());
        assert!(daemon.accept().is_err(), "it asked something");

        let (app, asked) = app(r#"{"result": "stopped"}"#);
        drop(app.stop_when_dropped());
        assert!(asked.join().unwrap().starts_with("POST /healthchecker/stop "));
    }

    #[test]
    fn it_registers_from_the_background() {
        let (app, asked) = app(r#"{"result": "registered"}"#);
        app.keep_registered(Monitor::new().email("a@example.org")).unwrap();
        assert!(asked.join().unwrap().contains(r#""email":"a@example.org""#));
    }
}
