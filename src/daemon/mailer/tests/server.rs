//! A mail server of a few lines, which says what it is told to.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::thread;
use std::time::Duration;

use crate::config::settings::{Login, MailSettings, Security};
use crate::daemon::channel::{Receiver, Sender, channel};

/// How long an answer takes that is given `SLOWLY`.
pub(super) const SLOWLY: Duration = Duration::from_secs(36);

/// Answers to commands by their first word or the whole line, else what a friendly server says, all in
/// ISO 8859-1. `HANG UP` closes, `NO END` goes on for ever, `SLOWLY` is a friendly answer later.
pub(super) type Script = &'static [(&'static str, &'static str)];

/// Serves connections on the loopback interface; what they sent, line by line.
pub(super) struct Server {
    pub(super) port: u16,
    pub(super) heard: Receiver<String>,
}

impl Server {
    pub(super) fn start(script: Script) -> Server {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = listener.local_addr().unwrap().port();
        let (tell, heard) = channel();
        thread::spawn(move || {
            for stream in listener.incoming() {
                let (stream, tell) = (stream.unwrap(), tell.clone());
                // The other side may leave at any time.
                thread::spawn(move || converse(stream, script, &tell));
            }
        });
        Server { port, heard }
    }

    pub(super) fn settings(&self, login: Option<Login>) -> MailSettings {
        MailSettings {
            from: "pi@home.example".into(),
            host: "127.0.0.1".into(),
            port: self.port,
            security: Security::None,
            login,
            without_clock: false,
        }
    }

    /// All lines of the conversations so far.
    pub(super) fn heard(&self) -> Vec<String> {
        self.heard.try_iter().collect()
    }
}

fn converse(stream: TcpStream, script: Script, tell: &Sender<String>) -> io::Result<()> {
    let mut lines = BufReader::new(stream.try_clone()?).lines();
    let say = |line: &str, verb: &str, usual: &str| {
        let fits = |(it, _): &&(&str, &str)| *it == verb || *it == line;
        let scripted = script.iter().find(fits).map(|(_, answer)| *answer);
        match scripted.unwrap_or(usual) {
            "HANG UP" => Err(io::ErrorKind::ConnectionAborted.into()),
            // Until the other side has had enough.
            "NO END" => loop {
                (&stream).write_all(&[b'2'; 4096])?;
            },
            "SLOWLY" => {
                thread::sleep(SLOWLY);
                (&stream).write_all(b"250 2.1.5 OK\r\n")
            }
            answer => (&stream).write_all(&latin1(&format!("{answer}\r\n"))),
        }
    };
    say("GREETING", "GREETING", "220 mail.example ESMTP")?;
    while let Some(line) = lines.next().transpose()? {
        let verb = line.split(' ').next().unwrap_or_default().to_owned();
        let _ = tell.send(line.clone());
        let usual = match verb.as_str() {
            "EHLO" => "250-mail.example\r\n250-AUTH PLAIN LOGIN XOAUTH2\r\n250 8BITMIME",
            "AUTH" if line == "AUTH LOGIN" => "334 VXNlcm5hbWU6",
            "cGk=" => "334 UGFzc3dvcmQ6",
            "AUTH" | "Z2VoZWlt" => "235 2.7.0 Accepted",
            "DATA" => "354 go on",
            "QUIT" => return say(&line, "QUIT", "221 2.0.0 bye"),
            _ => "250 2.1.0 OK",
        };
        say(&line, &verb, usual)?;
        if verb == "DATA" && script.iter().all(|(it, _)| *it != "DATA") {
            let body = lines.by_ref().map_while(Result::ok).take_while(|it| it != ".");
            body.for_each(|line| drop(tell.send(line)));
            say(".", ".", "250 2.0.0 OK queued")?;
        }
    }
    Ok(())
}

/// What has no place there is not written.
fn latin1(text: &str) -> Vec<u8> {
    text.chars().filter_map(|it| u8::try_from(u32::from(it)).ok()).collect()
}
