//! An app's way to the daemon.

use std::net::IpAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;

use super::connection::{Connection, Parameter};
use super::iputils::address_facing;
use super::registrar::{Registrar, STACK};
use super::slot::Slot;
use super::{Error, Monitor, ServerUrl, background};

/// How long the end of a program may take for the sake of being forgotten: a daemon in the household
/// answers in much less, and one that is away must keep nobody from ending.
const GOODBYE_WITHIN: Duration = Duration::from_secs(1);

/// The daemon, as one app sees it.
///
/// Dropping it changes nothing: an app that ends, or crashes, stays registered and is noticed. See
/// [`HealthCheckerServer::stop_when_dropped`] for apps that come and go.
///
/// ```no_run
/// use healthchecker::client::{HealthCheckerServer, Monitor};
///
/// let server = HealthCheckerServer::new("NAS", ":8080");
/// server.keep_registered(Monitor::new().email("me@example.org"))?;
/// # Ok::<(), std::io::Error>(())
/// ```
#[derive(Debug)]
pub struct HealthCheckerServer {
    context: Arc<CallContext>,
    registrar: Registrar,
    stop_when_dropped: bool,
}

/// What calls need, shared with the thread of [`Registrar`].
#[derive(Debug)]
pub(super) struct CallContext {
    pub(super) app: String,
    url: String,
    connection: Connection,
}

impl CallContext {
    pub(super) fn monitor(&self, how: &Monitor) -> Result<(), Error> {
        let parameters = how.parameters(&self.app, &self.url);
        self.connection.post("monitor", &parameters).map(drop)
    }

    pub(super) fn info(&self) -> Result<Value, Error> {
        let text = self.connection.get("info", &[("appname", &self.app)])?;
        Ok(serde_json::from_str(&text).unwrap_or_default())
    }

    fn change(&self, call: &str) -> Result<(), Error> {
        self.change_with(call, &[])
    }

    fn change_with(&self, call: &str, more: &[Parameter<'_>]) -> Result<(), Error> {
        let parameters = [&[("appname", self.app.as_str())], more].concat();
        self.connection.post(call, &parameters).map(drop)
    }
}

impl HealthCheckerServer {
    /// For the app of this name, whose health is asked for at `url` + `/health`. The daemon is
    /// looked for by Zeroconf at the first call, and again when it has moved.
    ///
    /// With `:8080` the app is at that port of the address from which the daemon is called: right
    /// without a default route, on IPv6 only and under a VPN, too.
    ///
    /// ```
    /// use healthchecker::client::HealthCheckerServer;
    ///
    /// let ours = HealthCheckerServer::new("NAS", ":8080");
    /// let elsewhere = HealthCheckerServer::new("NAS", "http://192.168.1.20:8080");
    /// ```
    pub fn new(app: impl Into<String>, url: impl Into<String>) -> HealthCheckerServer {
        HealthCheckerServer::over(Connection::search(), app, url)
    }

    /// The same with the daemon at this address, `http://ADDRESS:PORT`.
    ///
    /// ```
    /// use healthchecker::client::HealthCheckerServer;
    ///
    /// let server = HealthCheckerServer::at("http://192.168.1.5:43210", "NAS", ":8080")?;
    /// assert_eq!(server.url()?.as_str(), "http://192.168.1.5:43210/healthchecker/");
    /// # Ok::<(), healthchecker::client::Error>(())
    /// ```
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
    /// HealthCheckerServer::over(connection, "NAS", ":8080");
    /// ```
    pub fn over(
        connection: Connection,
        app: impl Into<String>,
        url: impl Into<String>,
    ) -> HealthCheckerServer {
        let context = Arc::new(CallContext { app: app.into(), url: url.into(), connection });
        HealthCheckerServer { context, registrar: Registrar::default(), stop_when_dropped: false }
    }

    /// Asks to be watched, or to be watched differently. May be called as often as you like: only
    /// what differs changes.
    ///
    /// ```no_run
    /// # use healthchecker::client::{Error, HealthCheckerServer, Monitor};
    /// let server = HealthCheckerServer::new("NAS", ":8080");
    /// server.monitor(&Monitor::new().interval(60))?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// No daemon was reached, or it refuses; [`Error::status`] is a number for it.
    pub fn monitor(&self, how: &Monitor) -> Result<(), Error> {
        self.context.monitor(how)
    }

    /// Asks to be watched, on a thread of its own, until a daemon has taken it; and again when a
    /// daemon comes back that knows nothing of it, at another address perhaps. Ends with
    /// [`HealthCheckerServer::stop`], not with this value.
    ///
    /// What is in the way is logged as a warning (`log`), each reason once.
    ///
    /// ```no_run
    /// use healthchecker::client::{HealthCheckerServer, Monitor};
    ///
    /// HealthCheckerServer::new("NAS", ":8080").keep_registered(Monitor::new())?;
    /// # Ok::<(), std::io::Error>(())
    /// ```
    ///
    /// # Errors
    /// There is no thread to be had.
    pub fn keep_registered(&self, how: Monitor) -> std::io::Result<()> {
        self.registrar.start(self.context.clone(), how)
    }

    /// Reports, as an app of the [kind](Monitor::kind) `beat`, which is not asked, that it is well.
    ///
    /// ```no_run
    /// # use healthchecker::client::{Error, HealthCheckerServer, Monitor};
    /// let backup = HealthCheckerServer::new("Backup", "");
    /// backup.monitor(&Monitor::new().kind("beat").interval(24 * 3600))?;
    /// backup.beat_start()?;
    /// let copied = std::fs::copy("/data/photos.db", "/mnt/photos.db");
    /// if copied.is_ok() { backup.beat()? } else { backup.beat_fail()? }
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`HealthCheckerServer::monitor`].
    pub fn beat(&self) -> Result<(), Error> {
        self.context.change("beat")
    }

    /// Reports that it begins: the time until the next [`HealthCheckerServer::beat`] is told with that.
    ///
    /// ```no_run
    /// # use healthchecker::client::{Error, HealthCheckerServer};
    /// HealthCheckerServer::new("Backup", "").beat_start()?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`HealthCheckerServer::monitor`].
    pub fn beat_start(&self) -> Result<(), Error> {
        self.context.change("beat/start")
    }

    /// Reports that it failed.
    ///
    /// ```no_run
    /// # use healthchecker::client::{Error, HealthCheckerServer};
    /// HealthCheckerServer::new("Backup", "").beat_fail()?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`HealthCheckerServer::monitor`].
    pub fn beat_fail(&self) -> Result<(), Error> {
        self.context.change("beat/fail")
    }

    /// Asks to be left alone for now.
    ///
    /// ```no_run
    /// # use healthchecker::client::{Error, HealthCheckerServer, Monitor};
    /// let server = HealthCheckerServer::new("NAS", ":8080");
    /// server.pause()?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`HealthCheckerServer::monitor`].
    pub fn pause(&self) -> Result<(), Error> {
        self.context.change("pause")
    }

    /// Asks for quiet: checks go on, and nobody is told of it for so long, a minute to 30 days in whole seconds.
    /// What is broken then is told then. [`HealthCheckerServer::resume`] ends it.
    ///
    /// ```no_run
    /// # use std::time::Duration;
    /// # use healthchecker::client::{Error, HealthCheckerServer};
    /// let server = HealthCheckerServer::new("NAS", ":8080");
    /// server.pause_for(Duration::from_secs(600))?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`HealthCheckerServer::monitor`].
    pub fn pause_for(&self, span: Duration) -> Result<(), Error> {
        let span = format!("{}s", span.as_secs());
        self.context.change_with("pause", &[("for", &span)])
    }

    /// Tells people no more of trouble that they know: for `8h`, say, until it is over (`recovery`), or again (`0`).
    ///
    /// ```no_run
    /// # use healthchecker::client::{Error, HealthCheckerServer};
    /// let server = HealthCheckerServer::new("NAS", ":8080");
    /// server.mute("8h")?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`HealthCheckerServer::monitor`]; 404 where nobody was told of trouble that lasts.
    pub fn mute(&self, span: &str) -> Result<(), Error> {
        self.context.change_with("mute", &[("for", span)])
    }

    /// Asks to be checked again, and ends quiet.
    ///
    /// ```no_run
    /// # use healthchecker::client::{Error, HealthCheckerServer, Monitor};
    /// let server = HealthCheckerServer::new("NAS", ":8080");
    /// server.resume()?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`HealthCheckerServer::monitor`].
    pub fn resume(&self) -> Result<(), Error> {
        self.context.change("resume")
    }

    /// Asks to be forgotten.
    ///
    /// ```no_run
    /// # use healthchecker::client::{Error, HealthCheckerServer, Monitor};
    /// let server = HealthCheckerServer::new("NAS", ":8080");
    /// server.stop()?;
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`HealthCheckerServer::monitor`].
    pub fn stop(&self) -> Result<(), Error> {
        self.registrar.end();
        self.registrar.wait_for_end();
        self.context.change("stop")
    }

    /// What the daemon knows of the app: parameters, state, counters, recent checks.
    ///
    /// ```no_run
    /// # use healthchecker::client::{Error, HealthCheckerServer, Monitor};
    /// let server = HealthCheckerServer::new("NAS", ":8080");
    /// println!("{}", server.info()?["state"]);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// See [`HealthCheckerServer::monitor`].
    pub fn info(&self) -> Result<Value, Error> {
        self.context.info()
    }

    /// Where the daemon is.
    ///
    /// ```no_run
    /// # use healthchecker::client::{Error, HealthCheckerServer, Monitor};
    /// let server = HealthCheckerServer::new("NAS", ":8080");
    /// println!("registered with {}", server.url()?);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// None was found.
    pub fn url(&self) -> Result<ServerUrl, Error> {
        self.context.connection.server()
    }

    /// This machine's address as the daemon reaches it: under a VPN that takes all other traffic, too.
    /// An app that registers `:8080` does not need it.
    ///
    /// ```no_run
    /// # use healthchecker::client::{Error, HealthCheckerServer};
    /// println!("we are at {}", HealthCheckerServer::new("NAS", ":8080").my_address()?);
    /// # Ok::<(), Error>(())
    /// ```
    ///
    /// # Errors
    /// No daemon was found, or no route leads to it.
    pub fn my_address(&self) -> Result<IpAddr, Error> {
        let server = self.url()?;
        let places = self.context.connection.addresses(&server);
        places.into_iter().find_map(address_facing).ok_or_else(|| Error::Unreachable {
            url: server.to_string(),
            why: "no route leads there".to_owned(),
        })
    }

    /// Asks to be forgotten when this is dropped. Only for apps whose end is never a fault: a panic
    /// that unwinds drops it too.
    ///
    /// That takes a second at most: only a daemon that is known is asked, and one that does not answer
    /// is not waited for.
    ///
    /// ```no_run
    /// use healthchecker::client::{HealthCheckerServer, Monitor};
    ///
    /// let server = HealthCheckerServer::new("Backup", ":8080").stop_when_dropped();
    /// server.monitor(&Monitor::new())?;
    /// # Ok::<(), healthchecker::client::Error>(())
    /// ```
    #[must_use]
    pub fn stop_when_dropped(mut self) -> HealthCheckerServer {
        self.stop_when_dropped = true;
        self
    }
}

impl Drop for HealthCheckerServer {
    fn drop(&mut self) {
        if !self.stop_when_dropped {
            return;
        }
        if let Err(why) = self.say_goodbye() {
            log::warn!("{}: may still be watched: {why}", self.context.app);
        }
    }
}

impl HealthCheckerServer {
    /// Asks to be forgotten, on a thread that is left behind when it takes too long: it may be busy in the
    /// system, with the name of a daemon or with one that does not answer.
    fn say_goodbye(&self) -> Result<(), String> {
        self.registrar.end();
        let (context, registrar) = (self.context.clone(), self.registrar.clone());
        let said = Arc::new(Slot::new());
        let told = said.clone();
        let goodbye = move || {
            registrar.wait_for_end();
            // Whom nobody knew, nobody was told of us.
            said.say(if context.connection.is_known() { context.change("stop") } else { Ok(()) });
        };
        background::start("goodbye", STACK, Box::new(goodbye)).map_err(|why| why.to_string())?;
        match told.wait(GOODBYE_WITHIN) {
            Some(said) => said.map_err(|why| why.to_string()),
            None => Err("the HealthChecker server did not answer in time".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::thread::JoinHandle;
    use std::time::Instant;

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
        let (line, body) = asked(|app| app.pause_for(Duration::from_secs(600)).unwrap());
        assert_eq!(line, "POST /healthchecker/pause HTTP/1.1");
        assert_eq!(body, r#"{"appname":"NAS","for":"600s"}"#);
        let (line, body) = asked(|app| app.mute("8h").unwrap());
        assert_eq!(line, "POST /healthchecker/mute HTTP/1.1");
        assert_eq!(body, r#"{"appname":"NAS","for":"8h"}"#);
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

    /// Far more than a second, and less than any search or call takes that goes nowhere.
    const SOON: Duration = Duration::from_secs(4);

    fn drop_takes(app: HealthCheckerServer) -> Duration {
        let begun = Instant::now();
        drop(app.stop_when_dropped());
        begun.elapsed()
    }

    #[test]
    fn dropped_it_waits_for_no_daemon_that_hangs() {
        let daemon = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", daemon.local_addr().unwrap());
        let took = drop_takes(HealthCheckerServer::at(&url, "NAS", ":8080").unwrap());
        assert!(took < SOON, "{took:?}");
        assert!(daemon.accept().is_ok(), "it was asked");
    }

    #[test]
    fn dropped_it_waits_for_no_call_of_the_background() {
        let daemon = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", daemon.local_addr().unwrap());
        let app = HealthCheckerServer::at(&url, "NAS", ":8080").unwrap();
        app.keep_registered(Monitor::new()).unwrap();
        let _registering = daemon.accept().unwrap();
        let took = drop_takes(app);
        assert!(took < SOON, "{took:?}");
    }

    #[test]
    fn dropped_it_searches_for_nobody() {
        let took = drop_takes(HealthCheckerServer::over(Connection::search(), "NAS", ":8080"));
        assert!(took < SOON, "{took:?}");
    }

    #[test]
    fn a_port_alone_is_left_to_the_daemon() {
        let (url, asked) = stub::answering("200 OK", r#"{"result": "registered"}"#);
        let app = HealthCheckerServer::at(url.as_str(), "NAS", ":8080").unwrap();
        app.monitor(&Monitor::new()).unwrap();
        assert!(asked.join().unwrap().ends_with(r#"{"appname":"NAS","url":":8080"}"#));
        assert_eq!(app.my_address().unwrap().to_string(), "127.0.0.1");
    }

    #[test]
    fn it_registers_from_the_background() {
        let (app, asked) = app(r#"{"result": "registered"}"#);
        app.keep_registered(Monitor::new().email("a@example.org")).unwrap();
        assert!(asked.join().unwrap().contains(r#""email":"a@example.org""#));
    }
}
