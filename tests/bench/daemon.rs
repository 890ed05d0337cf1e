//! The real binary, started in an empty folder.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::Instant;

pub(crate) struct Daemon {
    child: Child,
    address: SocketAddr,
    pub(crate) started: Instant,
    folder: Arc<tempfile::TempDir>,
}

/// How it is started.
#[derive(Default)]
pub(crate) struct Start<'a> {
    /// The command that it runs under.
    pub(crate) under: &'a [String],
    /// Another program than the usual one.
    pub(crate) program: Option<PathBuf>,
    /// What it finds in its environment.
    pub(crate) variables: &'a [(&'a str, String)],
}

impl Daemon {
    pub(crate) fn start() -> Daemon {
        Daemon::start_as(&Start::default())
    }

    pub(crate) fn start_as(how: &Start) -> Daemon {
        Daemon::start_in(Arc::new(tempfile::tempdir().unwrap()), how)
    }

    /// Asks so many apps at `target`, every so many seconds.
    pub(crate) fn watch(&self, target: SocketAddr, apps: usize, interval: u64) {
        for app in 0..apps {
            self.register(&format!("app{app}"), &format!("http://{target}/{app}"), interval);
        }
    }

    /// One that does so from its start.
    pub(crate) fn watching(target: SocketAddr, apps: usize, interval: u64) -> Daemon {
        let daemon = Daemon::start();
        daemon.watch(target, apps, interval);
        daemon
    }

    /// Ends it as a power cut does, and starts another with what it has on record.
    pub(crate) fn restart(&mut self) {
        self.kill();
        *self = Daemon::start_in(Arc::clone(&self.folder), &Start::default());
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    /// Announces nothing, and asks nobody but who is registered.
    fn start_in(folder: Arc<tempfile::TempDir>, how: &Start) -> Daemon {
        let started = Instant::now();
        let program = how.program.clone().unwrap_or_else(binary);
        let mut command = match how.under {
            [] => Command::new(program),
            [first, rest @ ..] => {
                let mut command = Command::new(first);
                command.args(rest).arg(program);
                command
            }
        };
        command.env_clear().env("HOME", folder.path()).envs(how.variables.iter().cloned());
        let mut child = command
            .args(["--bind_addr", "127.0.0.1"])
            .env("HEALTHCHECKER_ANNOUNCE", "False")
            .env("HEALTHCHECKER_ANCHORS", "None")
            .current_dir(folder.path())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines().map_while(Result::ok);
        let serving = lines
            .find_map(|line| Some(line.split_once("serving on http://")?.1.to_owned()))
            .unwrap();
        let address = serving.split('/').next().unwrap().parse().unwrap();
        std::thread::spawn(move || lines.for_each(drop));
        Daemon { child, address, started, folder }
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// A folder on the same disk.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn get(&self, path: &str) -> String {
        self.request(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
    }

    /// How many apps are in this state.
    pub(crate) fn in_state(&self, state: &str) -> usize {
        let status = self.get("/healthchecker/status?format=json");
        status.matches(&format!("\"state\":\"{state}\"")).count()
    }

    pub(crate) fn register(&self, name: &str, url: &str, interval: u64) {
        let answer =
            self.monitor(&format!("appname={name}&url={url}&interval={interval}&healthy=2"));
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }

    /// What is answered to a registration.
    pub(crate) fn monitor(&self, body: &str) -> String {
        self.request(&format!(
            "POST /healthchecker/monitor HTTP/1.1\r\nHost: localhost\r\n\
             Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        ))
    }

    fn request(&self, request: &str) -> String {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        self.kill();
    }
}

/// The program: the one that `HEALTHCHECKER_BIN` names (a static one, say), else the one just built.
/// Its whole path: it is started in another folder.
pub(crate) fn binary() -> PathBuf {
    std::env::var_os("HEALTHCHECKER_BIN").map_or_else(
        || env!("CARGO_BIN_EXE_healthchecker").into(),
        |named| std::path::absolute(named).unwrap(),
    )
}
