//! The real binary, started in an empty folder.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::rc::Rc;
use std::time::Instant;

pub(crate) struct Daemon {
    child: Child,
    address: SocketAddr,
    pub(crate) started: Instant,
    folder: Rc<tempfile::TempDir>,
}

impl Daemon {
    pub(crate) fn start() -> Daemon {
        Daemon::start_in(Rc::new(tempfile::tempdir().unwrap()))
    }

    /// One that asks so many apps at `target`, every so many seconds.
    pub(crate) fn watching(target: SocketAddr, apps: usize, interval: u64) -> Daemon {
        let daemon = Daemon::start();
        for app in 0..apps {
            daemon.register(&format!("app{app}"), &format!("http://{target}/{app}"), interval);
        }
        daemon
    }

    /// Ends it as a power cut does, and starts another with what it has on record.
    pub(crate) fn restart(&mut self) {
        self.kill();
        *self = Daemon::start_in(Rc::clone(&self.folder));
    }

    fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }

    fn start_in(folder: Rc<tempfile::TempDir>) -> Daemon {
        let started = Instant::now();
        let mut child = Command::new(binary())
            .args(["--bind_addr", "127.0.0.1"])
            .env_clear()
            .env("HOME", folder.path())
            .env("HEALTHCHECKER_ANNOUNCE", "False")
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

    /// A folder on the same disk.
    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    pub(crate) fn get(&self, path: &str) -> String {
        self.request(&format!("GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n"))
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
fn binary() -> PathBuf {
    std::env::var_os("HEALTHCHECKER_BIN").map_or_else(
        || env!("CARGO_BIN_EXE_healthchecker").into(),
        |named| std::path::absolute(named).unwrap(),
    )
}
