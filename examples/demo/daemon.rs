//! The daemon as a child of the demonstration, and its log.

use std::io::{BufRead, BufReader};
use std::process::{Child, ChildStderr, Command, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, channel};
use std::thread;
use std::time::{Duration, Instant};

use crate::app::PretendApp;

/// The longest that anything of the story takes is the minute or so until silent apps are told.
const HAPPENS_WITHIN: Duration = Duration::from_secs(120);
/// What a line of the log says before the address.
const SERVING: &str = "serving on ";

/// On loopback, announced to nobody, asking nobody; mails go to the log, and nothing to disk.
const OPTIONS: [&str; 9] = [
    "--test",
    "--bind_addr",
    "127.0.0.1",
    "--announce",
    "False",
    "--anchors",
    "None",
    "--config",
    "/dev/null",
];

pub(crate) struct Daemon {
    program: String,
    child: Child,
    log: Receiver<String>,
    /// What came while something else was waited for: two things may happen in either order.
    seen: Vec<String>,
    url: String,
}

impl Daemon {
    pub(crate) fn start(program: &str) -> Result<Self, String> {
        let mut child = Command::new(program)
            .args(OPTIONS)
            .stdin(Stdio::null())
            .stderr(Stdio::piped())
            .spawn()
            .map_err(|why| format!("{program} does not start: {why}"))?;
        let log = child.stderr.take().map(lines).ok_or("the daemon has no log")?;
        let mut daemon =
            Self { program: program.to_owned(), child, log, seen: Vec::new(), url: String::new() };
        let line = daemon.wait_for(SERVING)?;
        let url = line.split_once(SERVING).map(|(_, url)| url);
        let url = url.and_then(|url| url.strip_suffix("healthchecker/"));
        daemon.url = url.ok_or_else(|| format!("no address in: {line}"))?.to_owned();
        Ok(daemon)
    }

    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// By the command line, as a person would. Two checks that passed make it well, not ten, so that the story is short.
    pub(crate) fn register(&self, app: &PretendApp) -> Result<(), String> {
        let url = format!("http://{}", app.address);
        let options =
            ["--email", app.person, "--interval", "5", "--timeout", "2", "--healthy", "2"];
        println!("$ healthchecker monitor {} {url} {}", app.name, options.join(" "));
        let ended = Command::new(&self.program)
            .args(["monitor", app.name, &url])
            .args(options)
            .args(["--server", &self.url])
            .status();
        match ended {
            Ok(status) if status.success() => Ok(()),
            Ok(status) => Err(format!("{} could not be registered: {status}", app.name)),
            Err(why) => Err(format!("{} does not start: {why}", self.program)),
        }
    }

    /// Waits for the line of the log that says this, and hands it out once.
    pub(crate) fn wait_for(&mut self, said: &str) -> Result<String, String> {
        if let Some(place) = self.seen.iter().position(|line| line.contains(said)) {
            return Ok(self.seen.swap_remove(place));
        }
        self.next_line(said)
    }

    /// Waits for a mail, and until the whole of it was shown.
    pub(crate) fn wait_for_mail(&mut self, subject: &str) -> Result<(), String> {
        let came_before = self.seen.len();
        self.wait_for(&format!("[HealthChecker] {subject}"))?;
        let is_shown = self.seen.len() < came_before;
        if is_shown { Ok(()) } else { self.next_line("accepted after ").map(drop) }
    }

    fn next_line(&mut self, said: &str) -> Result<String, String> {
        let until = Instant::now() + HAPPENS_WITHIN;
        loop {
            match self.log.recv_timeout(until.saturating_duration_since(Instant::now())) {
                Ok(line) => {
                    show(&line);
                    if line.contains(said) {
                        return Ok(line);
                    }
                    self.seen.push(line);
                }
                Err(RecvTimeoutError::Timeout) => {
                    return Err(format!("nothing said '{said}' within {HAPPENS_WITHIN:?}"));
                }
                Err(RecvTimeoutError::Disconnected) => return Err("the daemon ended".to_owned()),
            }
        }
    }

    /// Until it ends: Ctrl-C ends it, too.
    pub(crate) fn wait(self) {
        for line in &self.log {
            show(&line);
        }
    }
}

/// A line of a mail stands in the log with a time before it, which makes it hard to read.
fn show(line: &str) {
    match line.split_once("]   | ") {
        Some((_, of_a_mail)) => println!("    | {of_a_mail}"),
        None => println!("{line}"),
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn lines(log: ChildStderr) -> Receiver<String> {
    let (line_to, lines) = channel();
    thread::spawn(move || {
        for line in BufReader::new(log).lines().map_while(Result::ok) {
            // Whoever waited is gone when the demonstration ends.
            let _ = line_to.send(line);
        }
    });
    lines
}
